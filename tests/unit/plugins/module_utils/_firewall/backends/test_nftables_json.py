# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nft's JSON: what is looked at in it, and that everything else counts as not understood."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Unreadable
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_json import (
    chains_of,
    comment_of,
    element,
    matches_of,
    objects_of,
    pairs,
    table_of,
    tables,
)
from ansible_collections.linuxnet.containers.tests.unit.nft_json import chain, match, prefix, rule

CT = {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["new"]}}
DPORT = {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 80}}


def read(*objects: Any) -> Any:
    return chains_of(objects, "inet linuxnet_containers", "LINUXNET-")


def only_rule(*expr: Any) -> Any:
    (found,) = read(chain("inet fw", "f"), rule("inet fw", "f", *expr))["inet fw", "f"].rules
    return found


def test_a_listing_has_its_objects_without_the_version() -> None:
    text = json.dumps({"nftables": [{"metainfo": {}}, {"table": {"family": "ip", "name": "x"}}, 5, None, []]})
    assert objects_of(text) == [{"table": {"family": "ip", "name": "x"}}]
    assert objects_of('{"nftables": 5}') == []


@pytest.mark.parametrize("text", ["", "x", "[]", "5", "null", "{}", '{"nftables": [', "[" * 10**5])
def test_what_is_no_listing_cannot_be_read(text: Any) -> None:
    with pytest.raises(Unreadable, match="nft printed no JSON of a rule set"):
        objects_of(text)


def test_small_shapes() -> None:
    assert element({"elem": {"val": "br0", "comment": "x"}}) == "br0"
    assert element("br0") == "br0"
    assert element({"elem": 5}) == {"elem": 5}
    assert comment_of({"elem": {"val": "br0", "comment": "x"}}) == "x"
    assert comment_of("br0") == comment_of({"elem": {"comment": {}}}) == ""
    assert pairs([["a", 1], ["b"], 5, None]) == [("a", 1)]
    assert pairs("x") == pairs(None) == []
    assert table_of({"family": "ip", "table": "nat"}) == "ip nat"
    assert tables([{"table": {"family": "ip", "name": "nat"}}, {"table": 5}, {}]) == ["ip nat"]


@pytest.mark.parametrize(
    ("expr", "found"),
    [
        ([match("saddr", "==", prefix("10.0.0.0/8"))], {"saddr": ("==", prefix("10.0.0.0/8"))}),
        ([match("oifname", "!=", "br0")], {"oifname": ("!=", "br0")}),
        ([CT, {"counter": None}, {"accept": None}], {"ct state": ("in", ["new"])}),
        ([DPORT], {"dport": ("==", 80), "l4proto": ("==", "tcp")}),
        ([match("mark", "==", 5)], {"mark": ("==", (5, 0xFFFFFFFF))}),
        (
            [{"match": {"op": "==", "left": {"&": [{"meta": {"key": "mark"}}, 255]}, "right": 7}}],
            {"mark": ("==", (7, 255))},
        ),
        ([{"xt": {"type": "match", "name": "comment"}}], {}),
        ([{"xt": {"type": "target", "name": "LOG"}}], {}),
    ],
)
def test_what_a_rule_matches(expr: Any, found: Any) -> None:
    assert matches_of(expr) == found


@pytest.mark.parametrize(
    "part",
    [
        {"xt": {"type": "match", "name": "conntrack"}},
        {"xt": None},
        {"xt": "conntrack"},
        {"limit": {"rate": 5}},
        {"match": None},
        {"match": {"op": "=="}},
        {"match": {"op": {}, "left": {}, "right": 5}},
        {},
        5,
        None,
        "accept",
    ],
)
def test_f2_what_is_not_understood_is_a_match_that_is_never_met(part: Any) -> None:
    assert list(matches_of([part, {"accept": None}]).values()) == [("?", part)]


def test_a_second_match_of_the_same_is_not_understood() -> None:
    twice = [match("saddr", "==", prefix("10.0.0.0/8")), match("saddr", "!=", prefix("10.9.0.0/16"))]
    assert matches_of(twice)["saddr again"][0] == "?"
    assert matches_of([twice[0], twice[0]]) == matches_of(twice[:1])


@pytest.mark.parametrize("expr", [None, 5, {}, "x"])
def test_a_rule_without_expressions_says_nothing(expr: Any) -> None:
    assert matches_of(expr) == {}


def test_a_port_of_any_protocol() -> None:
    th = {"match": {"op": "==", "left": {"payload": {"protocol": "th", "field": "dport"}}, "right": 53}}
    assert matches_of([th]) == {"dport": ("==", 53)}


@pytest.mark.parametrize(
    ("last", "verdict"),
    [
        ({"accept": None}, ("accept", "")),
        ({"jump": {"target": "x"}}, ("jump", "x")),
        ({"jump": None}, ("jump", "")),
        ({"goto": {"target": {}}}, ("goto", "")),
        ({"reject": {"type": "icmp"}}, ("reject", "")),
        ({"masquerade": None}, ("masquerade", "")),
        ({"masquerade": {"flags": "random"}}, ("", "")),
        ({"dnat": {"addr": "10.0.0.2", "port": 80}}, ("dnat", "10.0.0.2:80")),
        ({"dnat": None}, ("dnat", "?")),
        ({"xt": {"type": "target", "name": "MASQUERADE"}}, ("masquerade", "?")),
        ({"xt": {"type": "target", "name": "REJECT"}}, ("", "?")),
        ({"xt": {"type": "target"}}, ("", "?")),
    ],
)
def test_the_verdict_of_a_rule(last: Any, verdict: Any) -> None:
    found = only_rule({"counter": None}, last)
    assert (found.verdict, found.target) == verdict
    assert found.understood == (verdict[1] != "?")


def vmap(data: Any, *more: Any) -> Any:
    key = {"meta": {"key": "iifname"}}
    last = rule("inet fw", "f", {"vmap": {"key": key, "data": data}})
    return read(chain("inet fw", "f"), *more, last)["inet fw", "f"].rules[0].lookup


def test_a_verdict_map_is_read_with_or_without_comments() -> None:
    elements = [["br0", {"accept": None}], [{"elem": {"val": "br1", "comment": "x"}}, {"jump": {"target": "y"}}]]
    wanted = ("iifname", {"br0": ("accept", ""), "br1": ("jump", "y")})
    assert vmap({"set": elements}) == wanted
    assert vmap("@ways", {"map": {"family": "inet", "table": "fw", "name": "ways", "elem": elements}}) == wanted


@pytest.mark.parametrize(
    "data",
    [
        None, 5, [], "@nothing", {}, {"set": 5}, {"set": [5, [], ["a"], ["a", 1, 2]]},
        {"set": [[{"prefix": {"addr": "10.0.0.0", "len": 8}}, {"accept": None}], [{"concat": ["a", 1]}, {"drop": None}]]},
    ],
)  # fmt: skip
def test_keys_that_are_no_names_are_never_met(data: Any) -> None:
    assert vmap(data) == ("iifname", {})


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


@pytest.mark.parametrize("family", ["bridge", "arp", "netdev", "x", 5, None, ["ip"], {}])
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
    assert [(one.shown, one.verdict) for one in found["ip x", "f"].rules] == [("handle ?", "")]


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
    assert [(one.shown, one.verdict, one.understood) for one in rules] == [
        ("handle 2", "", False),
        ("handle 3", "drop", True),
    ]
