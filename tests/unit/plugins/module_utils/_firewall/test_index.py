# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Owned rules, looked up and moved on. That an edit makes of them what the tools make is shown for each backend in test_base."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.index import RuleIndex
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    PORTS,
    ByHand,
    Edit,
    Isolation,
    NatRule,
    OwnedRules,
    PortMapping,
)

WEB = PortMapping("tcp", "0.0.0.0/0", 80, 80, "10.0.0.2", 0, "web", "br0")
RANGE = PortMapping("tcp", "0.0.0.0/0", 8000, 8099, "10.0.0.3", 0, "db", "br1")
RULE = NatRule("10.0.0.0/24", "!br0", owner="net", handles=(("postrouting", 4),))


def indexed(*mappings: Any, **more: Any) -> Any:
    return RuleIndex(NFTABLES, OwnedRules(port_mappings=mappings, **more))


def test_mappings_are_found_by_owner_and_by_port() -> None:
    index = indexed(WEB, RANGE)
    assert index.of("web") == [WEB]
    assert index.of("nobody") == []
    assert index.overlapping(replace(WEB, owner="x")) == [WEB]
    assert index.overlapping(replace(WEB, first=8050, last=8050)) == [RANGE]
    assert index.overlapping(replace(WEB, first=1, last=65535)) == [WEB, RANGE]
    assert index.overlapping(replace(WEB, first=79, last=80)) == [WEB]
    assert index.overlapping(replace(WEB, protocol="udp")) == []


def test_mappings_are_counted_by_family_bridge_and_what_they_are_behind() -> None:
    far = replace(WEB, first=81, last=81, bridge="", to="10.9.0.2")
    index = indexed(WEB, RANGE, far)
    assert (index.families[4], index.families[6]) == (3, 0)
    assert (index.bridges["br0"], index.behind["br0", 4], index.behind["10.9.0.2", 4]) == (1, 1, 1)
    index.advance(Edit(unpublish=(WEB, WEB), kinds=(PORTS,)))
    assert (index.families[4], index.bridges["br0"]) == (2, 0)
    assert index.owned.bridges == ("br1",)
    index.advance(Edit(publish=(WEB, WEB), kinds=(PORTS,)))
    assert index.families[4] == 3


def test_source_nat_rules_are_counted_and_keep_their_handle() -> None:
    index = indexed(nat_rules=(RULE,))
    index.advance(Edit(put=(replace(RULE, out_interface="up0", handles=()), NatRule("fd00::/64"))))
    assert index.nat_rules[RULE.key].handles == (("postrouting", 4),)
    assert index.ways_out == Counter({("10.0.0.0/24", "up0"): 1, ("fd00::/64", ""): 1, ("10.0.0.0/24", "!br0"): 0})
    assert (index.nat_families[4], index.nat_families[6]) == (1, 1)
    index.advance(Edit(drop=(RULE.key, RULE.key)))
    assert index.nat_families[4] == 0


def test_whether_all_goes_with_so_many() -> None:
    index = indexed(WEB, nat_rules=(RULE,))
    assert index.only(nat_rules=1, port_mappings=1)
    assert not index.only(port_mappings=1)
    assert not indexed(WEB, unmarked=(ByHand("chain x", "", ""),)).only(port_mappings=1)
    assert indexed().only()


def test_what_an_owner_has_besides_what_is_kept() -> None:
    index = indexed(WEB, RANGE)
    keep = frozenset({WEB.identity})
    assert index.surplus("web", keep) == []
    assert index.surplus("web", frozenset()) == [WEB]
    more = replace(WEB, first=81, last=81)
    index.surplus("web", keep)
    index.advance(Edit(publish=(more,), kinds=(PORTS,)))
    assert index.surplus("web", keep) == [more]
    index.advance(Edit(unpublish=(more,), kinds=(PORTS,)))
    assert index.surplus("web", keep) == []
    assert index.surplus("db", keep) == [RANGE]


def test_isolated_bridges_are_found_by_name() -> None:
    index = indexed()
    index.advance(Edit(isolate=(Isolation("br0"),), kinds=("isolation",)))
    assert index.isolations == {"br0": Isolation("br0")}
    assert index.owned.isolations == (Isolation("br0"),)
    index.advance(Edit(unisolate=("br0", "br9"), kinds=("isolation",)))
    assert index.owned.isolations == ()


def identities(monkeypatch: Any, number: Any) -> Any:
    """How often a mapping is asked who it is while as many ports of one owner are wanted again, exclusively."""
    asked = Counter()  # type: ignore[var-annotated]
    known = PortMapping.identity.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(PortMapping, "identity", property(lambda self: asked.update("x") or known(self)))
    mappings = [replace(WEB, first=port, last=port) for port in range(1, number + 1)]
    index = indexed(*mappings)
    keep = frozenset(mapping.identity for mapping in mappings)
    for mapping in mappings:
        assert index.overlapping(mapping) == [mapping]
        assert index.surplus("web", keep) == []
    monkeypatch.setattr(PortMapping, "identity", property(known))
    return asked["x"]


def test_many_ports_of_one_owner_are_not_gone_through_for_each(monkeypatch: Any) -> None:
    assert identities(monkeypatch, 400) == 2 * identities(monkeypatch, 200)


@pytest.mark.parametrize("width", [1, 2, 100])
def test_a_port_is_compared_with_those_near_it_only(monkeypatch: Any, width: Any) -> None:
    compared = Counter()  # type: ignore[var-annotated]
    overlaps = PortMapping.overlaps
    monkeypatch.setattr(PortMapping, "overlaps", lambda self, other: compared.update("x") or overlaps(self, other))
    index = indexed(*(replace(WEB, first=port, last=port) for port in range(1, 1001)))
    assert len(index.overlapping(replace(WEB, first=500, last=499 + width))) == width
    assert compared["x"] == width
