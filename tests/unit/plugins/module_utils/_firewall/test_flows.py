# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which flows a change of our rules decides otherwise, and which not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.flows import Flow, otherwise, touched
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    ALLOWANCES,
    FAMILIES,
    ISOLATION,
    PORTS,
    Edit,
    Isolation,
    NatRule,
    OwnedRules,
    PortMapping,
)

UDP, TCP, ICMP = 17, 6, 1
OWN = {"192.0.2.1", "10.0.0.1"}
DNS = PortMapping("udp", "0.0.0.0/0", 5353, 5353, "10.0.0.2", 53, "web")
RANGE = PortMapping("udp", "192.0.2.1", 6000, 6009, "10.0.0.3", 0, "db")
MASQUERADE = NatRule("10.0.0.0/24", "!br0", owner="net")
SNAT = NatRule("10.0.0.0/24", "!br0", (), "192.0.2.7", "net")
WHOLE = frozenset((PORTS, family) for family in FAMILIES)


def asked(
    to: str = "192.0.2.1", port: int = 5353, goal: str = "10.0.0.2", goal_port: int = 53, protocol: int = UDP
) -> Flow:
    return Flow(protocol, "198.51.100.9", to, port, goal, goal_port, "198.51.100.9")


def left(source: str = "10.0.0.5", to: str = "198.51.100.9", back: str = "10.0.0.5", protocol: int = UDP) -> Flow:
    return Flow(protocol, source, to, 9, to, 9, back)


def ends(flow: Flow, before: OwnedRules, edit: Edit) -> bool:
    return otherwise(before, [edit], OWN)(flow)


@pytest.mark.parametrize(
    ("flow", "before", "edit", "ended"),
    [
        (asked(goal="192.0.2.1", goal_port=5353), (), {"publish": (DNS,)}, True),
        (asked(), (), {"publish": (DNS,)}, False),
        (asked(), (DNS,), {"unpublish": (DNS,)}, True),
        (asked(goal="192.0.2.1", goal_port=5353), (DNS,), {"unpublish": (DNS,)}, False),
        (asked(goal="10.0.0.9"), (DNS,), {"publish": (DNS,)}, True),
        (asked(to="127.0.0.1"), (DNS,), {"unpublish": (DNS,)}, True),
        (asked(to="198.51.100.1"), (DNS,), {"unpublish": (DNS,)}, False),
        (asked(port=5354), (DNS,), {"unpublish": (DNS,)}, False),
        (asked(protocol=TCP), (DNS,), {"unpublish": (DNS,)}, False),
        (asked(port=6003, goal="10.0.0.3", goal_port=6003), (RANGE,), {"unpublish": (DNS,)}, False),
        (asked(port=6003, goal="10.0.0.3", goal_port=6003), (RANGE,), {"unpublish": (RANGE,)}, True),
        (asked(to="10.0.0.1", port=6003, goal="10.0.0.3", goal_port=6003), (RANGE,), {"unpublish": (RANGE,)}, False),
    ],
)
def test_the_port_of_a_flow_leads_elsewhere(flow: Flow, before: Any, edit: Any, ended: bool) -> None:
    owned = OwnedRules(port_mappings=before, static=WHOLE)
    assert ends(flow, owned, Edit(**edit, kinds=(PORTS,))) is ended


@pytest.mark.parametrize(("static", "ended"), [(frozenset(), True), (WHOLE, False)])
def test_static_rules_that_are_repaired_decide_on_all_ports(static: Any, ended: bool) -> None:
    owned = OwnedRules(port_mappings=(DNS, RANGE), static=static)
    for flow in (asked(goal="192.0.2.1", goal_port=5353), asked(port=6001, goal="192.0.2.1", goal_port=6001)):
        assert ends(flow, owned, Edit(kinds=(PORTS,))) is ended
    assert not ends(asked(), owned, Edit(kinds=(PORTS,))), "as it goes is right"


@pytest.mark.parametrize(
    ("flow", "was", "now", "ended"),
    [
        (left(), None, MASQUERADE, True),
        (left(protocol=ICMP), None, MASQUERADE, True),
        (left(protocol=TCP), None, MASQUERADE, False),
        (left(back="192.0.2.1"), None, MASQUERADE, False),
        (left(source="10.9.0.5", back="10.9.0.5"), None, MASQUERADE, False),
        (left(to="10.0.0.9"), None, MASQUERADE, False),
        (left(to="192.0.2.1"), None, MASQUERADE, False),
        (left(to="224.0.0.5"), None, MASQUERADE, False),
        (left(), None, SNAT, True),
        (left(back="192.0.2.1"), MASQUERADE, SNAT, True),
        (left(back="192.0.2.7"), SNAT, SNAT, False),
        (left(back="192.0.2.7"), SNAT, MASQUERADE, True),
        (left(back="192.0.2.1"), MASQUERADE, None, True),
        (left(back="192.0.2.7"), SNAT, None, True),
        (left(back="192.0.2.8"), SNAT, None, False),
        (left(), MASQUERADE, None, False),
        (left(source="fd00::5", to="2001:db8::9", back="fd00::5"), None, MASQUERADE, False),
    ],
)
def test_the_source_of_a_flow_is_another_one(flow: Flow, was: Any, now: Any, ended: bool) -> None:
    owned = OwnedRules(nat_rules=(was,) if was else (), static=WHOLE)
    assert ends(flow, owned, Edit(put=(now,)) if now else Edit(drop=(was.key,))) is ended


NETWORKS = [("10.1.0.0/24", "front"), ("10.2.0.0/24", "back"), ("192.0.2.0/24", "up0"), ("fd00:2::/64", "back")]
FRONT, BACK, WORLD = "10.1.0.5", "10.2.0.5", "198.51.100.9"


@pytest.mark.parametrize("protocol", [UDP, TCP, ICMP])
@pytest.mark.parametrize(
    ("source", "to", "front", "back", "ended"),
    [
        (FRONT, BACK, {}, {}, True),
        (FRONT, BACK, None, {}, True),
        (FRONT, BACK, {}, None, False),
        (FRONT, BACK, {"isolate": False}, {"isolate": False}, False),
        (FRONT, BACK, {"isolate": False}, {}, True),
        (FRONT, BACK, {}, {"isolate": False}, True),
        (FRONT, WORLD, {}, {}, False),
        (FRONT, WORLD, {"internal": True}, {}, True),
        (WORLD, FRONT, {}, {}, True),
        (WORLD, FRONT, {"isolate": False}, {}, True),
        (WORLD, FRONT, None, {}, False),
        (WORLD, FRONT, {"internal": True}, {}, True),
        (FRONT, "10.1.0.6", {}, {}, False),
        (FRONT, "10.1.0.6", {"internal": True}, {}, False),
        (FRONT, "10.1.0.6", {"icc": False}, {}, True),
        (FRONT, "10.1.0.6", {"icc": False, "isolate": False}, {}, False),
        ("192.0.2.1", FRONT, {"internal": True}, {}, False),
        (FRONT, "192.0.2.1", {"internal": True}, {}, False),
        ("192.0.2.9", WORLD, {}, {}, False),
        ("2001:db8::9", "fd00:2::5", {}, {}, True),
        ("fd00:2::5", "2001:db8::9", {}, {}, False),
    ],
)
def test_isolation_stops_what_passes_no_more(
    source: str, to: str, front: Any, back: Any, ended: bool, protocol: int
) -> None:
    """Also a connection; and nothing where the edit is about something else."""
    isolations = tuple(
        Isolation(name, **given) for name, given in (("front", front), ("back", back)) if given is not None
    )
    flow = Flow(protocol, source, to, 9, to, 9, source)
    edit = Edit(isolate=isolations, kinds=(ISOLATION,))
    assert otherwise(OwnedRules(), [edit], OWN, NETWORKS)(flow) is ended
    assert otherwise(OwnedRules(isolations=isolations), [Edit(kinds=(ISOLATION,))], OWN, NETWORKS)(flow) is ended
    assert not otherwise(OwnedRules(isolations=isolations), [Edit(kinds=(PORTS,))], OWN, NETWORKS)(flow)
    published = flow._replace(to="192.0.2.1", port=8080)
    assert not otherwise(OwnedRules(), [edit], OWN, NETWORKS)(published)


@pytest.mark.parametrize(
    ("source", "to", "ended"),
    [
        ("10.7.1.5", FRONT, False),
        (FRONT, "10.7.1.5", False),
        ("10.7.2.5", FRONT, True),
        (FRONT, "10.7.2.5", True),
        ("10.7.0.5", FRONT, True),  # of the bridge's own, and it is not from there
    ],
)
def test_what_comes_from_the_same_network_elsewhere_goes_on(source: str, to: str, ended: bool) -> None:
    isolation = Isolation("front", internal=True, inside=(("front", "10.7.0.0/24"), ("vx0", "10.7.1.0/24")))
    edit = Edit(isolate=(isolation,), kinds=(ISOLATION,))
    assert otherwise(OwnedRules(), [edit], OWN, NETWORKS)(Flow(UDP, source, to, 9, to, 9, source)) is ended


def test_what_is_behind_a_bridge_without_an_address_is_known_by_its_source_nat() -> None:
    flow = Flow(UDP, WORLD, FRONT, 9, FRONT, 9, WORLD)
    owned = OwnedRules(nat_rules=(NatRule("10.1.0.0/24", "!front", owner="net"),))
    edit = Edit(isolate=(Isolation("front"),), kinds=(ISOLATION,))
    assert otherwise(owned, [edit], OWN)(flow)
    assert not otherwise(OwnedRules(), [edit], OWN)(flow)


def test_where_another_rule_sees_to_the_same_nothing_ends() -> None:
    other = NatRule("10.0.0.0/24", "!br0", owner="other")
    assert not ends(left(back="192.0.2.1"), OwnedRules(nat_rules=(MASQUERADE, other)), Edit(drop=(MASQUERADE.key,)))


@pytest.mark.parametrize(
    ("edit", "decides"),
    [
        (Edit(), False),
        (Edit(kinds=(ALLOWANCES,)), False),
        (Edit(kinds=(ISOLATION,)), True),
        (Edit(kinds=(PORTS,)), True),
        (Edit(put=(SNAT,)), True),
    ],
)
def test_flows_are_looked_at_where_edits_decide_on_them(edit: Edit, decides: bool) -> None:
    assert touched([edit]) is decides
