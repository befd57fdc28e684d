# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Owned rules, and what an edit makes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    ISOLATION,
    PORTS,
    UNREADABLE,
    Allowance,
    Edit,
    Isolation,
    NatRule,
    OwnedRules,
    PortMapping,
    bridges_of,
    canonical_exclude,
    collapsed,
    edited,
    family_of,
    marked,
    restoring,
    untouched,
)
from ansible_collections.linuxnet.containers.tests.unit.edits import EDITS, content

WEB = PortMapping("tcp", "0.0.0.0/0", 80, 89, "10.0.0.2", 0, "web", "br0", "note")
RULE = NatRule("10.0.0.0/24", "!br0", owner="net", comment="two words", handles=(("postrouting", 7),))


@pytest.mark.parametrize(("text", "family"), [("10.0.0.1", 4), ("0.0.0.0/0", 4), ("::", 6), ("fd00::/64", 6)])
def test_the_family_of_an_address_or_a_network(text: Any, family: Any) -> None:
    assert family_of(text) == family


def test_what_a_rule_says_of_itself() -> None:
    assert (RULE.type, RULE.family, RULE.key, RULE.marked) == (
        "masquerade",
        4,
        ("net", "10.0.0.0/24"),
        "linuxnet:net|two words",
    )
    assert replace(RULE, to_address="192.0.2.1").type == "snat"
    assert replace(RULE, handles=()) == RULE
    assert (WEB.family, WEB.ports, WEB.marked) == (4, "80-89", "linuxnet:web|br0|note")
    assert WEB.identity == (4, "tcp", "0.0.0.0/0", "80-89", False)
    assert replace(WEB, last=80).ports == "80"
    assert marked("net", "") == "linuxnet:net"
    assert Isolation("br0", owner="net", comment="x").marked == "linuxnet:net|x"


def test_what_is_never_translated() -> None:
    assert untouched("10.0.0.0/24", ["10.9.0.0/16"]) == [
        "10.0.0.0/24",
        "10.9.0.0/16",
        "224.0.0.0/4",
        "255.255.255.255/32",
    ]
    assert RULE.untouched == ["10.0.0.0/24", "224.0.0.0/4", "255.255.255.255/32"]
    assert untouched("fd00::/64", ()) == ["fd00::/64", "ff00::/8"]
    assert canonical_exclude("10.0.0.0/24", ["10.0.0.0/25", "224.0.0.0/8", "10.8.0.0/16", "10.9.0.0/16"]) == (
        "10.8.0.0/15",
    )
    assert collapsed(["10.0.0.128/25", "10.0.0.0/25", "10.0.0.7/32"]) == ["10.0.0.0/24"]


@pytest.mark.parametrize(
    ("other", "meets"),
    [
        ({}, True),
        ({"first": 89, "last": 89}, True),
        ({"first": 90, "last": 99}, False),
        ({"protocol": "udp"}, False),
        ({"host_ip": "192.0.2.1"}, True),
        ({"host_ip": "::/0", "to": "fd00::2"}, False),
        ({"to": "10.0.0.3", "owner": "db"}, True),
    ],
)
def test_which_mappings_a_packet_could_meet_both(other: Any, meets: Any) -> None:
    assert WEB.overlaps(replace(WEB, **other)) is meets
    assert replace(WEB, **other).overlaps(WEB) is meets


def test_mappings_of_two_host_addresses_meet_no_packet_both() -> None:
    one, other = (replace(WEB, host_ip=ip) for ip in ("192.0.2.1", "192.0.2.2"))
    assert not one.overlaps(other)


def test_only_what_leaves_is_told_apart_by_its_interface() -> None:
    assert Allowance("out", "10.0.0.0/24", 4, "!br0").key != Allowance("out", "10.0.0.0/24", 4, "!br1").key
    assert Allowance("mark", "br0", 0, "0x1/0xff").key == Allowance("mark", "br0", 0, "0x2/0xff").key


def test_static_rules_are_whole_by_kind_and_family() -> None:
    owned = OwnedRules(static=frozenset({(PORTS, 4), (ISOLATION, 4), (ISOLATION, 6)}))
    assert [owned.whole(PORTS), owned.whole(PORTS, 4), owned.whole(PORTS, 6)] == [False, True, False]
    assert owned.whole(ISOLATION)
    # A kernel without IPv6 has no rules of it.
    assert replace(owned, families=(4,)).whole(PORTS)
    assert replace(owned, families=(4,)).whole(PORTS, 6)


def test_what_keeps_our_rules_there() -> None:
    assert OwnedRules().empty
    assert OwnedRules(bridges=("br0",), localnet=("br0",)).empty
    for kept in ({"nat_rules": (RULE,)}, {"port_mappings": (WEB,)}, {"unmarked": ("handle 4",)}):
        assert not OwnedRules(**kept).empty


def test_what_is_replaced_keeps_its_place() -> None:
    second = NatRule("10.1.0.0/24", owner="net")
    owned = edited(OwnedRules(), [Edit(put=(RULE, second))])
    new = replace(RULE, comment="")
    assert edited(owned, [Edit(put=(new,))]).nat_rules == (new, second)
    moved = replace(WEB, to="10.0.0.3", bridge="br1")
    owned = edited(owned, [Edit(publish=(WEB,)), Edit(unpublish=(WEB,), publish=(moved,))])
    assert (owned.port_mappings, owned.bridges) == ((moved,), ("br1",))
    assert edited(owned, [Edit(drop=(RULE.key, ("x", "y")))]).nat_rules == (second,)


def test_localnet_is_switched_on_and_off() -> None:
    owned = edited(OwnedRules(), [Edit(localnet_on=("br0", "br1")), Edit(localnet_off=("br0", "br9"))])
    assert owned.localnet == ("br1",)


def test_the_bridges_behind_which_ports_are() -> None:
    mappings = [replace(WEB, bridge=bridge) for bridge in ("br1", "", "br0", "br1")]
    assert bridges_of(mappings) == ("br1", "br0")


@pytest.mark.parametrize("number", range(len(EDITS)))
def test_what_restores_what_was_before(number: Any) -> None:
    everything = edited(OwnedRules(), EDITS)
    rest = edited(OwnedRules(), [*EDITS[:number], *EDITS[number + 1 :]])
    for now, before in ((everything, rest), (rest, everything), (OwnedRules(), everything)):
        assert content(edited(now, [restoring(now, before)])) == content(before)
    assert restoring(everything, everything) == Edit()


def test_a_rule_that_could_not_be_read_is_not_restored() -> None:
    broken = replace(RULE, out_interface=UNREADABLE)
    assert restoring(OwnedRules(nat_rules=(RULE,)), OwnedRules(nat_rules=(broken,))) == Edit()
