# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules, chains and sets in nft's JSON as the texts that they were made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends import nftables_whole as whole
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_static import STATIC
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    CONFINED,
    NAT,
    VRFS,
    OwnedRules,
    edited,
)
from ansible_collections.linuxnet.containers.tests.unit.edits import content, recorded_of
from ansible_collections.linuxnet.containers.tests.unit.nft_json import match, prefix

RECORDED = Path(__file__).parents[4] / "recorded"
RULES = {(chain, static.mark(name)): text for static in STATIC.values() for chain, name, text in static.rules}
CHAINS = {chain: hook for static in STATIC.values() for chain, hook in static.chains.items()}
SETS = {entry: type_ for static in STATIC.values() for entry, type_ in static.sets.items()}
IN_VRFS = {
    (chain, static.mark(name)) for static in (STATIC[VRFS], STATIC[CONFINED]) for chain, name, _text in static.rules
}
DNAT = {"match": {"op": "in", "left": {"ct": {"key": "status"}}, "right": "dnat"}}
LOOPS = {"concat": [{"meta": {"key": "iifname"}}, {"meta": {"key": "oifname"}}]}
ETHER_TYPE = {"payload": {"protocol": "ether", "field": "type"}}
LOCAL = {"fib": {"result": "type", "flags": ["daddr"]}}


@pytest.mark.parametrize("version", ["nft.txt", "newer/nft.txt"])
def test_what_nft_prints_of_ours_is_what_was_written(version: str) -> None:
    """nft 1.0.6 and 1.1.3."""
    listed = json.loads((RECORDED / version).read_text(encoding="utf-8"))["nftables"]
    owned = NFTABLES.owned(listed)
    assert all(owned.whole(kind) for kind in (NAT, *STATIC) if kind not in (VRFS, CONFINED))
    assert content(owned) == content(edited(OwnedRules(), recorded_of(NFTABLES)))
    assert not any(NFTABLES.transaction(listed, recorded_of(NFTABLES)).values())
    seen = set()
    for item in listed:
        if not any(isinstance(one, dict) and one.get("table") == "linuxnet_containers" for one in item.values()):
            continue
        for kind, one in item.items():
            if kind == "rule" and (one["chain"], one["comment"]) in RULES:
                seen.add((one["chain"], one["comment"]))
                assert whole.text(one["expr"]) == RULES[one["chain"], one["comment"]]
            elif kind == "chain" and one["name"] in CHAINS:
                assert whole.hooked(one) == whole.declared(CHAINS[one["name"]])
            elif f"{kind} {one.get('name')}" in SETS:
                assert whole.holding(one) == whole.held(SETS[f"{kind} {one['name']}"])
    assert seen == set(RULES) - IN_VRFS


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        ([DNAT, {"accept": None}], "ct status dnat accept"),
        ([{**DNAT, "match": {**DNAT["match"], "right": ["dnat"]}}, {"accept": None}], "ct status dnat accept"),
        ([{"counter": None}, {"drop": None}], "counter drop"),
        (
            [{"match": {"op": "==", "left": {"fib": {"result": "type", "flags": "daddr"}}, "right": "local"}}],
            "fib daddr type local",
        ),
        ([match("iif", "!=", 0), {"return": None}], "iif != 0 return"),
        ([match("iif", "!=", "0"), {"return": None}], "iif != 0 return"),
        ([match("iifname", "!=", "lo")], 'iifname != "lo"'),
        ([match("daddr", "==", {"set": ["::1", prefix("fe80::/10")]}, "ip6")], "ip6 daddr { ::1, fe80::/10 }"),
        ([match("l4proto", "==", {"set": "tcp"})], "meta l4proto { tcp }"),
        ([match("l4proto", "!=", "ipv6-icmp")], "meta l4proto != 58"),
        ([match("l4proto", "!=", 58)], "meta l4proto != 58"),
        (
            [{"vmap": {"key": ETHER_TYPE, "data": {"set": [["ip", {"goto": {"target": "x"}}]]}}}],
            "ether type vmap { ip : goto x }",
        ),
        ([{"match": {"op": "==", "left": {"&": [ETHER_TYPE, "ip"]}, "right": "arp"}}], "ether type & ip == arp"),
        ([{"match": {"op": "==", "left": {"&": [{"ct": {"key": "mark"}}, 3]}, "right": 0}}], "ct mark & 3 == 0"),
        ([{"mangle": {"key": {"meta": {"key": "mark"}}, "value": {"ct": {"key": "mark"}}}}], "meta mark set ct mark"),
    ],
)
def test_spellings_that_nft_has_had(expr: Any, text: str) -> None:
    assert whole.text(expr) == text


def test_the_type_of_a_map_is_one_text_or_a_list() -> None:
    """nft 1.0.6 and 1.1.3."""
    written = "type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service; flags interval"
    for goal in ("ipv4_addr . inet_service", ["ipv4_addr", "inet_service"]):
        for flags in (["interval"], "interval"):
            item = {"type": ["inet_proto", "ipv4_addr", "inet_service"], "map": goal, "flags": flags}
            assert whole.holding(item) == written


def test_what_a_set_of_numbers_is_of_newer_versions_say() -> None:
    numbers = {"concat": [{"meta": {"key": "iifname"}}, {"payload": {"base": "th", "offset": 64, "len": 128}}]}
    written = whole.held("typeof meta iifname . @th,64,128; flags interval")
    for type_ in (["ifname", "integer"], {"typeof": numbers}):
        assert whole.holding({"type": type_, "flags": ["interval"]}) == written
    for other in ({"typeof": {"meta": {"key": "iifname"}}}, {"typeof": 7}, ["ifname", "ipv6_addr"], {}):
        assert whole.holding({"type": other, "flags": ["interval"]}) != written


@pytest.mark.parametrize(
    "expr",
    [
        [{"limit": {"rate": 1, "per": "second"}}, {"drop": None}],
        [
            {"match": {"op": "==", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}},
            {"accept": None},
        ],
        [{"match": {"op": "in", "left": {"meta": {"key": "iifname"}}, "right": "lo"}}, {"accept": None}],
        [{"match": {"op": "<", "left": {"meta": {"key": "mark"}}, "right": 3}}, {"accept": None}],
        [{"match": {"op": "==", "left": {"&": [{"meta": {"key": "mark"}}, True]}, "right": 3}}, {"accept": None}],
        [{"match": {"op": "==", "left": {"concat": [LOOPS, "x"]}, "right": "@loops"}}, {"accept": None}],
        [{"match": {"op": "==", "left": {"ct": {"key": "status", "dir": "reply"}}, "right": "dnat"}}, {"accept": None}],
        [{"match": {"op": "==", "left": LOCAL, "right": {"range": [1, 2]}}}, {"accept": None}],
        [{"match": {"op": "==", "left": LOCAL, "right": {"set": [{"range": [1, 2]}]}}}, {"accept": None}],
        [{"match": {"op": "==", "left": {"&": [ETHER_TYPE, "ip", "arp"]}, "right": "arp"}}, {"accept": None}],
        [{"match": {"op": "!=", "left": {"exthdr": {"name": "frag"}}, "right": 0}}, {"accept": None}],
        [{"vmap": {"key": ETHER_TYPE, "data": "@protocols"}}],
        [{"vmap": {"key": ETHER_TYPE, "data": {"set": [["ip", {"queue": None}]]}}}],
        [{"vmap": {"key": ETHER_TYPE, "data": {"set": ["ip"]}}}],
        [{"vmap": {"key": 7, "data": {"set": [["ip", {"accept": None}]]}}}],
        [{"counter": "named"}, {"drop": None}],
        [{"masquerade": {"flags": "random"}}],
        [{"dnat": {"family": "ip", "addr": "10.0.0.2", "port": 80}}],
        [{"dnat": {"family": "ip", "addr": "10.0.0.2"}}],
        [{"mangle": {"key": {"meta": {"key": "mark"}}, "value": 7}}],
        [{"mangle": {"key": {"meta": {"key": "mark"}}, "value": {"map": {"key": "x", "data": "@marks"}}}}],
        [{"accept": None, "drop": None}],
        ["accept"],
        [{"drop": None}, 7],
        [],
        None,
    ],
)
def test_what_we_never_write_has_no_text(expr: Any) -> None:
    assert whole.text(expr) == ""


def test_how_a_chain_is_declared() -> None:
    item = {"type": "filter", "hook": "forward", "prio": -150, "policy": "accept"}
    assert whole.hooked(item) == whole.declared("filter hook forward priority mangle")
    assert whole.hooked({"name": "x"}) == whole.declared("") == ""
    for changed in ({"policy": "drop"}, {"prio": -149}, {"hook": "input"}, {"type": "nat"}):
        assert whole.hooked({**item, **changed}) != whole.declared("filter hook forward priority mangle")


@pytest.mark.parametrize(
    "more",
    [{"timeout": 60}, {"size": 1}, {"flags": ["timeout"]}, {"map": "mark"}, {"type": "mark"}, {"auto-merge": True}],
)
def test_a_set_with_more_is_another_one(more: dict[str, Any]) -> None:
    assert whole.holding({"type": "ifname"}) == "type ifname"
    assert whole.holding({"type": "ifname", **more}) != "type ifname"


def test_a_rule_of_somebody_is_put_again_with_its_comment() -> None:
    assert whole.ruled({"expr": [{"accept": None}], "comment": "mine"}) == 'accept comment "mine"'
    assert whole.ruled({"expr": [{"accept": None}]}) == "accept"
    assert whole.ruled({"expr": [{"reject": None}], "comment": "mine"}) == ""
