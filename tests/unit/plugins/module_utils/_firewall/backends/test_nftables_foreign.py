# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of others in nft's JSON: what they mean, and that everything else counts as not understood."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_foreign import chains_of
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.matching import Bits, Lookup
from ansible_collections.linuxnet.containers.tests.unit.nft_json import chain, rule


def read(*objects: Any) -> Any:
    return chains_of(objects, ["inet linuxnet_containers"], ("LINUXNET-",))


def only_rule(*expr: Any) -> Any:
    (found,) = read(chain("inet fw", "f"), rule("inet fw", "f", *expr))["inet fw", "f"].rules
    return found


@pytest.mark.parametrize(
    ("last", "verdict"),
    [
        ({"accept": None}, ("accept", "")),
        ({"jump": {"target": "x"}}, ("jump", "x")),
        ({"jump": None}, ("jump", "")),
        ({"goto": {"target": {}}}, ("goto", "")),
        ({"reject": {"type": "icmp"}}, ("reject", "")),
        ({"masquerade": None}, ("masquerade", "")),
        ({"masquerade": {"flags": "random"}}, ("snat", "")),
        ({"dnat": {"addr": "10.0.0.2", "port": 80}}, ("dnat", "10.0.0.2:80")),
        ({"dnat": {"addr": "fd00::2", "port": 80}}, ("dnat", "[fd00::2]:80")),
        ({"dnat": {"addr": "10.0.0.2", "flags": "random"}}, ("dnat", "?")),
        ({"snat": {"addr": "10.0.0.2"}}, ("snat", "10.0.0.2")),
        ({"redirect": {"port": 8080}}, ("redirect", ":8080")),
        ({"redirect": None}, ("redirect", "")),
        ({"dnat": None}, ("dnat", "?")),
        ({"xt": {"type": "target", "name": "MASQUERADE"}}, ("masquerade", "?")),
        ({"xt": {"type": "target", "name": "REJECT"}}, ("reject", "?")),
        ({"xt": {"type": "target", "name": "LOG"}}, ("", "")),
        ({"xt": {"type": "target", "name": "TPROXY"}}, ("?", "?")),
        ({"xt": {"type": "target"}}, ("?", "?")),
        ({"queue": {"num": 1}}, ("?", "")),
        ({"notrack": None}, ("?", "")),
        ({"flow": {"op": "add", "flowtable": "@f"}}, ("", "")),
        ({"something new": {}}, ("?", "")),
        (5, ("?", "")),
    ],
)
def test_the_verdict_of_a_rule(last: Any, verdict: Any) -> None:
    found = only_rule({"counter": None}, last)
    assert (found.verdict, found.target) == verdict
    assert found.whole == ("?" not in verdict)


def vmap(data: Any, *more: Any) -> Any:
    key = {"meta": {"key": "iifname"}}
    last = rule("inet fw", "f", {"vmap": {"key": key, "data": data}})
    return read(chain("inet fw", "f"), *more, last)["inet fw", "f"].rules[0].lookup


def test_a_verdict_map_is_read_with_or_without_comments() -> None:
    elements = [["br0", {"accept": None}], [{"elem": {"val": "br1", "comment": "x"}}, {"jump": {"target": "y"}}]]
    wanted = Lookup(("iifname",), ((("br0",), "accept", ""), (("br1",), "jump", "y")))
    assert vmap({"set": elements}) == wanted
    assert vmap("@ways", {"map": {"family": "inet", "table": "fw", "name": "ways", "elem": elements}}) == wanted


TO_PORT = {
    "concat": [{"payload": {"protocol": "ip", "field": "daddr"}}, {"payload": {"protocol": "th", "field": "dport"}}]
}


def test_a_map_that_is_translated_by_is_looked_up() -> None:
    data = {
        "set": [
            [{"concat": ["10.0.0.1", 80]}, {"concat": ["10.0.0.2", 8080]}],
            [{"concat": ["10.0.0.1", 81]}, "10.0.0.3"],
        ]
    }
    found = only_rule({"dnat": {"addr": {"map": {"key": TO_PORT, "data": data}}}})
    assert found.verdict == "dnat"
    assert found.lookup is not None
    facts = {"protocol": "ip", "daddr": (0x0A000001, 0x0A000001)}
    assert found.lookup.found({**facts, "dport": (80, 80)}) == [("dnat", "10.0.0.2:8080", True)]
    assert found.lookup.found({**facts, "dport": (81, 81)}) == [("dnat", "10.0.0.3", True)]
    assert found.lookup.found({**facts, "dport": (82, 82)}) == []


@pytest.mark.parametrize("data", [None, "@nothing", {"set": [5]}, {"set": 5}])
def test_where_such_a_map_is_not_understood_it_is_not_known_where_to(data: Any) -> None:
    found = only_rule({"dnat": {"addr": {"map": {"key": TO_PORT, "data": data}}}})
    assert (found.verdict, found.target) == ("dnat", "?")
    assert found.lookup is None or not found.lookup.entries


MARK = {"meta": {"key": "mark"}}


@pytest.mark.parametrize(
    ("value", "setting"),
    [
        (5, (5, 5)),
        ({"|": [MARK, 8]}, Bits("mark", 0xFFFFFFF7, 8)),
        ({"&": [{"ct": {"key": "mark"}}, 8]}, Bits("ct mark", 8)),
        ({"ct": {"key": "mark"}}, Bits("ct mark", 0xFFFFFFFF)),
        ({"^": [MARK, 8]}, None),
        ({"|": [MARK]}, None),
        ({"|": [MARK, "x"]}, None),
        (
            {"map": {"key": {"meta": {"key": "iifname"}}, "data": {"set": [["br0", 7]]}}},
            Lookup(("iifname",), ((("br0",), "mark", "7"),)),
        ),
        ({"map": {"key": {"meta": {"key": "cpu"}}, "data": {"set": [["br0", 7]]}}}, None),
        ({"map": {"key": {"meta": {"key": "iifname"}}, "data": {"set": [["br0", "x"]]}}}, None),
        (None, None),
    ],
)
def test_what_a_mark_is_set_to(value: Any, setting: Any) -> None:
    assert only_rule({"mangle": {"key": MARK, "value": value}}).sets == (("mark", setting),)


@pytest.mark.parametrize(
    "data",
    [
        None, 5, [], "@nothing", {}, {"set": 5}, {"set": [5, [], ["a"], ["a", 1, 2]]},
        {"set": [[{"prefix": {"addr": "10.0.0.0", "len": 8}}, {"accept": None}], [{"concat": ["a", 1]}, {"drop": None}]]},
    ],
)  # fmt: skip
def test_of_keys_that_are_no_names_it_cannot_be_told_whether_they_are_met(data: Any) -> None:
    found = vmap(data).found({"iifname": "br0"})
    assert all(answer is None for _verdict, _target, answer in found)
    assert found or data == {"set": 5}


def test_chains_are_read_with_their_hook_and_policy() -> None:
    found = read(
        chain("ip filter", "FORWARD", type="filter", hook="forward", prio=0, policy="drop"),
        chain("inet fw", "zone"),
        rule("ip filter", "FORWARD", {"accept": None}, handle=4),
    )
    forward = found["ip filter", "FORWARD"]
    assert (forward.families, forward.type, forward.hook, forward.policy) == ((4,), "filter", "forward", "drop")
    assert [one.shown for one in forward.rules] == ["handle 4"]
    assert (found["inet fw", "zone"].hook, found["inet fw", "zone"].policy) == ("", "accept")


@pytest.mark.parametrize("family", ["arp", "x", 5, None, ["ip"], {}])
def test_chains_of_other_families_are_left_out(family: Any) -> None:
    one = {
        "chain": {"family": family, "table": "x", "name": "f", "hook": "forward", "type": "filter", "policy": "drop"}
    }
    assert read(one) == {}


@pytest.mark.parametrize("broken", [5, None, [], {}, {"family": "ip"}, {"family": "ip", "table": "x"}])
def test_objects_without_a_name_are_left_out(broken: Any) -> None:
    assert read({"chain": broken}, {"rule": broken}, {"map": broken}, {"table": broken}) == {}


def test_a_rule_without_a_handle_is_named_all_the_same() -> None:
    found = read(chain("ip x", "f"), {"rule": {"family": "ip", "table": "x", "chain": "f"}})
    assert [(one.shown, one.verdict) for one in found["ip x", "f"].rules] == [("handle ?", "?")]


@pytest.mark.parametrize(
    ("flags", "there"), [("dormant", False), (["dormant"], False), (["owner"], True), ({}, True), (None, True)]
)
def test_a_dormant_table_does_nothing(flags: Any, there: Any) -> None:
    table = {"table": {"family": "ip", "name": "x", "flags": flags}}
    assert bool(read(table, chain("ip x", "f"))) is there


def test_ours_are_left_out_and_keep_their_number_where_they_are_called() -> None:
    found = read(
        chain("inet linuxnet_containers", "postrouting"),
        chain("ip filter", "LINUXNET-FORWARD"),
        chain("ip filter", "FORWARD"),
        rule("ip filter", "FORWARD", {"jump": {"target": "LINUXNET-FORWARD"}}, handle=2),
        rule("ip filter", "FORWARD", {"drop": None}, handle=3),
    )
    assert list(found) == [("ip filter", "FORWARD")]
    rules = found["ip filter", "FORWARD"].rules
    assert [(one.shown, one.verdict, one.whole) for one in rules] == [
        ("handle 2", "", True),
        ("handle 3", "drop", True),
    ]
