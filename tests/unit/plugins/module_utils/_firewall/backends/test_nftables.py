# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The backend nftables: what is its own besides the contract of all backends (test_base)."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_read import NftRules
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_static import STATIC
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.fate import Block
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import Chain, ForeignRules
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    ALLOWANCES,
    CONFINED,
    FENCES,
    ISOLATION,
    PORTS,
    SPOOFING,
    TUNNELS,
    UPLINKS,
    VRFS,
    Allowance,
    Edit,
    OwnedRules,
    PortMapping,
    confined,
    edited,
    in_vrfs,
    plain,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.packets import Packet
from ansible_collections.linuxnet.containers.tests.unit.edits import edits_of, everything_gone, made
from ansible_collections.linuxnet.containers.tests.unit.nft_json import chain, rule

EDITS = edits_of(NFTABLES)
TABLE = "inet linuxnet_containers"
WEB = PortMapping("tcp", "0.0.0.0/0", 8080, 8080, "10.0.0.2", 80, "web", "br0", "a note")


def of(ruleset: Any, kind: Any, name: Any = "") -> Any:
    """The objects of a kind, or the one with that name."""
    found = [item[kind] for item in ruleset if kind in item]
    return next(one for one in found if one["name"] == name) if name else found


def lines(ruleset: Any, *edits: Any) -> Any:
    return NFTABLES.transaction(ruleset, edits)["nft"].splitlines()


def test_ports_and_bridges_add_no_rules() -> None:
    ruleset = made(NFTABLES, EDITS[3], EDITS[6])
    more = [
        Edit(publish=(PortMapping("tcp", "0.0.0.0/0", port, port, "10.0.0.3", 0, "db", "br0"),), kinds=(PORTS,))
        for port in range(1, 50)
    ]
    after = made(NFTABLES, *more, EDITS[7], start=ruleset)
    assert len(of(after, "rule")) == len(of(ruleset, "rule"))
    assert len(of(after, "map", "publish_ip")["elem"]) == 49


def test_many_elements_of_a_map_are_one_line() -> None:
    ruleset = made(NFTABLES, EDITS[3])
    ports = tuple(PortMapping("tcp", "0.0.0.0/0", port, port, "10.0.0.3", 0, "db", "br0") for port in (1, 2, 3))
    (line,) = lines(ruleset, Edit(publish=ports, kinds=(PORTS,)))
    assert line.startswith(f"add element {TABLE} publish_ip {{ tcp . 0.0.0.0/0 . 1 comment ")


@pytest.mark.parametrize("number", range(sum(len(static.rules) for static in STATIC.values())))
def test_f13_a_static_rule_that_somebody_took_out_breaks_its_kind_and_is_put_back(number: Any) -> None:
    kind, (at, name, _text) = [(kind, one) for kind, static in STATIC.items() for one in static.rules][number]
    ruleset = made(NFTABLES, *EDITS)
    mark = STATIC[kind].mark(name)
    rules = [item for item in ruleset if "rule" in item]
    (gone,) = [item for item in rules if (item["rule"]["chain"], item["rule"]["comment"]) == (at, mark)]
    broken = [item for item in ruleset if item is not gone]
    owned = NFTABLES.owned(broken)
    assert [owned.whole(one) for one in STATIC] == [one != kind for one in STATIC]
    again = made(NFTABLES, Edit(kinds=(kind,)), start=broken)
    assert NFTABLES.owned(again).whole(kind)
    order = [one["comment"] for one in of(again, "rule") if one["chain"] == at]
    assert order == [STATIC[kind].mark(one) for where, one, _rule in STATIC[kind].rules if where == at]


def test_f13_what_an_edit_is_not_about_is_not_set_right() -> None:
    broken = [item for item in made(NFTABLES, *EDITS) if item.get("rule", {}).get("chain") != "closed_to"]
    assert not NFTABLES.owned(made(NFTABLES, EDITS[4], start=broken)).whole(ISOLATION)


def test_f13_a_rule_of_somebody_else_keeps_the_table() -> None:
    ruleset = made(NFTABLES, EDITS[3])
    ruleset.append(rule(TABLE, "publish", {"accept": None}, handle=99))
    owned = NFTABLES.owned(ruleset)
    assert tuple(map(str, owned.unmarked)) == (
        "chain publish: accept, which 'nft delete rule inet linuxnet_containers publish handle 99' removes",
    )
    left = made(NFTABLES, everything_gone(owned), start=ruleset)
    assert NFTABLES.owned(left).port_mappings == ()
    assert ruleset[-1] in left


def test_what_somebody_put_there_is_taken_back_with_the_tables_that_it_kept() -> None:
    """With a chain of his own; one that a rule of ours calls stays, since nobody can take it away."""
    ruleset = made(NFTABLES, *EDITS)
    whole = NFTABLES.owned(ruleset)
    ruleset += [
        rule(TABLE, "publish", {"accept": None}, handle=99),
        {"chain": {"family": "inet", "table": "linuxnet_containers", "name": "mine"}},
        rule(TABLE, "mine", {"drop": None}, handle=98),
        {"chain": {"family": "inet", "table": "linuxnet_containers", "name": "called"}},
        rule(TABLE, "called", {"drop": None}, handle=97),
        rule(TABLE, "publish", {"jump": {"target": "called"}}, handle=96, comment="linuxnet-publish-x"),
    ]
    of(ruleset, "map", "publish_ip")["elem"] += [[{"concat": ["tcp", "192.0.2.1", 81]}, "10.0.0.9"]]
    of(ruleset, "set", "closed")["elem"] += ["br9"]
    taken = lines(ruleset, Edit(reclaim=True))
    assert taken == [
        f"delete rule {TABLE} publish handle 99",
        f"delete rule {TABLE} mine handle 98",
        f"delete rule {TABLE} called handle 97",
        f"delete chain {TABLE} mine",
        f"delete element {TABLE} publish_ip {{ tcp . 192.0.2.1 . 81 }}",
        f'delete element {TABLE} closed {{ "br9" }}',
    ]
    left = NFTABLES.owned([item for item in ruleset if item.get("rule", {}).get("handle") not in (96, 97, 98, 99)])
    assert left.unmarked
    again = edited(NFTABLES.owned(ruleset), [Edit(reclaim=True)])
    assert (again.strangers, again.port_mappings) == ((), whole.port_mappings)


@pytest.mark.parametrize("kind", STATIC)
@pytest.mark.parametrize("taken_out", ["rules", "rules, chains", "rules, chains, sets"])
def test_f13_what_is_left_of_a_kind_goes_though_somebody_took_its_rules_out(kind: Any, taken_out: str) -> None:
    """``nft flush table`` takes the rules and leaves chains, sets and elements; what else is ours keeps the table."""
    static = STATIC[kind]
    ruleset = made(NFTABLES, *EDITS)
    broken = [item for item in ruleset if not ("rule" in item and item["rule"]["chain"] in static.chains)]
    if "chains" in taken_out:
        broken = [item for item in broken if not ("chain" in item and item["chain"]["name"] in static.chains)]
    if "sets" in taken_out:
        broken = [
            item
            for item in broken
            if not any(f"{what} {one['name']}" in static.sets for what, one in item.items() if "name" in one)
        ]
    there = NFTABLES.owned(broken)
    only = {
        PORTS: Edit(unpublish=plain(there.port_mappings), localnet_off=there.localnet, kinds=(PORTS,)),
        VRFS: Edit(unpublish=in_vrfs(there.port_mappings), kinds=(VRFS,)),
        CONFINED: Edit(unisolate=("br5",), kinds=(ISOLATION, CONFINED)),
        ISOLATION: Edit(unisolate=tuple(one.bridge for one in there.isolations), kinds=(ISOLATION, CONFINED)),
        ALLOWANCES: Edit(disallow=there.allowances, kinds=(ALLOWANCES,)),
        FENCES: Edit(unfence=tuple(fence.family for fence in there.fences), kinds=(FENCES,)),
        SPOOFING: Edit(
            uncheck=tuple(one.interface for one in there.spoof_checks), apart_off=there.apart, kinds=(SPOOFING,)
        ),
        UPLINKS: Edit(unanswer=tuple(one.key for one in there.uplinks), kinds=(UPLINKS,)),
        TUNNELS: Edit(unadmit=tuple(one.key for one in there.tunnels), kinds=(TUNNELS,)),
    }[kind]
    left = made(NFTABLES, only, start=broken)
    owned = NFTABLES.owned(left)
    assert owned.nat_rules
    kept: dict[str, Any] = {PORTS: plain(owned.port_mappings), VRFS: in_vrfs(owned.port_mappings)}
    kept[CONFINED] = confined(owned.isolations)
    kept.update({ISOLATION: owned.isolations, ALLOWANCES: owned.allowances, FENCES: owned.fences})
    kept.update({SPOOFING: owned.spoof_checks + owned.apart, UPLINKS: owned.uplinks, TUNNELS: owned.tunnels})
    assert not kept[kind]
    names = {f"{what} {one['name']}" for item in left for what, one in item.items() if what in ("chain", "set", "map")}
    assert not names & {*static.sets, *(f"chain {chain}" for chain in static.chains)}
    assert NFTABLES.transaction(left, [only])["nft"] == ""


@pytest.mark.parametrize(
    "element",
    [
        [{"concat": ["tcp", {"range": ["10.0.0.1", "10.0.0.5"]}, 80]}, "10.0.0.2"],
        [{"concat": ["tcp", "192.0.2.1", 80]}, {"concat": ["10.0.0.2"]}],
        [{"concat": ["tcp", "192.0.2.1"]}, "10.0.0.2"],
        [{"concat": ["tcp", "192.0.2.1", 80]}, "fd00::2"],
        ["x", "y"],
    ],
)
def test_an_element_that_we_never_write_is_somebody_else_s(element: Any) -> None:
    ruleset = made(NFTABLES, EDITS[3])
    of(ruleset, "map", "publish_ip")["elem"] = [element]
    owned = NFTABLES.owned(ruleset)
    assert owned.port_mappings == (WEB,)
    assert owned.unmarked[0].where == "map publish_ip"
    assert str(owned.unmarked[0]).endswith(" removes")
    left = made(NFTABLES, everything_gone(owned), start=ruleset)
    assert of(left, "map", "publish_ip")["elem"] == [element]


def test_an_element_without_a_comment_has_no_owner() -> None:
    ruleset = made(NFTABLES, EDITS[3])
    of(ruleset, "map", "publish_ip")["elem"] = [[{"concat": ["tcp", "192.0.2.1", 80]}, "10.0.0.2"]]
    found = [mapping for mapping in NFTABLES.owned(ruleset).port_mappings if mapping.host_ip == "192.0.2.1"]
    assert found == [PortMapping("tcp", "192.0.2.1", 80, 80, "10.0.0.2")]


@pytest.mark.parametrize(("by", "known"), [("0x1/0xff", "0x1/0xff"), ("0x2/0xff", ""), ("zz", ""), ("", "")])
def test_a_mark_that_is_not_what_its_comment_says_is_put_anew(by: Any, known: Any) -> None:
    ruleset = made(NFTABLES, EDITS[8])
    of(ruleset, "map", "marks")["elem"] = [[{"elem": {"val": "br0", "comment": f"linuxnet:br0|{by}"}}, 1]]
    (allowance,) = NFTABLES.owned(ruleset).allowances
    assert allowance.by == known


def test_names_are_never_syntax() -> None:
    """None of these is refused by the kernel as an interface's name; those that nft cannot quote are refused before."""
    for bridge in ("x;y#z", "a'b", "{br0}", "$x", "é", "a,b", "-f", "lan*x", "+"):
        mapping = PortMapping("tcp", "0.0.0.0/0", 80, 80, "10.0.0.2", 0, "web", bridge)
        ruleset = made(NFTABLES, Edit(publish=(mapping,), kinds=(PORTS,)))
        assert NFTABLES.owned(ruleset).port_mappings == (mapping,)
        assert NFTABLES.owned(ruleset).bridges == (bridge,)


def test_what_is_allowed_here_is_a_mark_that_others_accept() -> None:
    flows = [[Packet(4, daddr="172.17.0.9", oifname="docker0", bridge="docker0", dnat=True)]]
    accepts = {"match": {"op": "==", "left": {"&": [{"meta": {"key": "mark"}}, 255]}, "right": 18}}
    objects = [
        chain("inet fw", "forward", type="filter", hook="forward", prio=0, policy="drop"),
        rule("inet fw", "forward", accepts, {"accept": None}),
    ]
    foreign = ForeignRules(NFTABLES.foreign(objects, {}))
    blocks = [Block(foreign.chains["inet fw", "forward"], "inet fw forward (policy drop)")]
    wanted = Allowance("in", "docker0", 4, "", "docker0")
    given = Allowance("mark", "docker0", 0, "0x12/0xff", "docker0")
    assert NFTABLES.ways(wanted, blocks, foreign, flows, True) == [(given, [])]
    assert [packet.mark for [packet] in NFTABLES.given(given, flows)] == [0x12]
    assert NFTABLES.held_as(wanted).key == ("mark", "docker0", 0, "")
    out = Allowance("out", "10.0.0.0/24", 4)
    assert not NFTABLES.ways(out, blocks, foreign, flows, True)
    assert not NFTABLES.ways(wanted, [], foreign, flows, True)
    assert NFTABLES.held_as(out) == out


def test_it_has_no_chain_that_others_share() -> None:
    forward = Chain("ip filter", "FORWARD", (4,))
    assert not NFTABLES.drops_in_filter(forward)
    assert not NFTABLES.owns_table(forward)


def test_owned_rules_of_no_backend_will_do_for_commands() -> None:
    before = OwnedRules(static=frozenset((PORTS, family) for family in (4, 6)))
    typed = NFTABLES.commands(EDITS[3], before, OwnedRules(), False)
    assert [words[0].split()[1] for _program, words in typed] == ["element", "element"]
    assert len(NFTABLES.commands(EDITS[3], OwnedRules(), OwnedRules(), False)) > 20
    assert isinstance(NFTABLES.moved_on(before, EDITS[3], {PORTS: {4}, ISOLATION: set(), ALLOWANCES: set()}), NftRules)


def test_a_rule_set_is_not_changed_by_being_read() -> None:
    ruleset = made(NFTABLES, *EDITS)
    before = copy.deepcopy(ruleset)
    NFTABLES.transaction(ruleset, [everything_gone(NFTABLES.owned(ruleset))])
    NFTABLES.foreign(ruleset, {})
    assert ruleset == before
