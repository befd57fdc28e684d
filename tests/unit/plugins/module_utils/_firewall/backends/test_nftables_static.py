# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The static rules of our nftables table. What they do to traffic is shown in tests/module."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_static import (
    BRIDGE_TABLE,
    INSIDE_SETS,
    ISOLATION_SETS,
    RESERVED,
    STATIC,
    TABLE,
)
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
)


def test_there_are_some_of_each_kind_but_source_nat() -> None:
    assert list(STATIC) == [PORTS, ISOLATION, ALLOWANCES, FENCES, SPOOFING, UPLINKS, TUNNELS, VRFS, CONFINED]
    assert {f"set {name}" for name in (*ISOLATION_SETS, *INSIDE_SETS, RESERVED)} == set(STATIC[ISOLATION].sets)


@pytest.mark.parametrize("kind", STATIC)
def test_a_rule_uses_what_is_made_before_it(kind: Any) -> None:
    static = STATIC[kind]
    sets = {name.split()[1] for name in static.sets}
    for chain, name, text in static.rules:
        assert chain in static.chains
        assert set(re.findall(r"@(\w+)", text)) <= {*sets, "th"}  # th: where a packet's payload begins
        assert set(re.findall(r"(?:jump|goto) (\w+)", text)) <= set(static.chains)
        assert static.mark(name).startswith("linuxnet-")
    names = [(chain, name) for chain, name, _text in static.rules]
    assert len(names) == len(set(names))


def test_the_names_that_are_on_running_hosts_stay() -> None:
    assert TABLE == "inet linuxnet_containers"
    assert BRIDGE_TABLE == "bridge linuxnet_containers"
    assert [static.name for static in STATIC.values()] == [
        "publish",
        "guard",
        "mark",
        "fence",
        "spoof",
        "uplink",
        "tunnel",
        "vrf",
        "confine",
    ]
    assert {kind: static.table for kind, static in STATIC.items() if static.table != TABLE} == {SPOOFING: BRIDGE_TABLE}
    assert STATIC[ISOLATION].mark("closed") == "linuxnet-guard-closed"


@pytest.mark.parametrize("kind", STATIC)
def test_what_is_made_is_taken_away(kind: Any) -> None:
    static = STATIC[kind]
    made = [line.split()[1:5:3] for line in static.base() if line.split()[1] in ("chain", "map", "set")]
    lines = static.gone([" ".join(words) for words in made])
    gone = [line.split()[1:5:3] for line in lines if line.startswith("delete")]
    assert sorted(made) == sorted(gone)
    # A chain goes after all that jump to it were flushed.
    assert lines[: len(static.chains)] == [f"flush chain {static.table} {chain}" for chain in static.chains]
    assert static.gone([]) == []


def test_rules_that_are_there_go_before_what_they_need_is_made_anew() -> None:
    """The kernel deletes no set that a rule looks into, and no chain that has rules."""
    lines = STATIC[ALLOWANCES].base(
        [("marks", 7)], ["chain marks", "map marks"], [("marks", "accept"), ("forward", "drop")]
    )
    assert [line.replace(TABLE, "T").partition(" {")[0] for line in lines] == [
        "add table T",
        "delete rule T marks handle 7",
        "flush chain T marks",
        "delete chain T marks",
        "delete map T marks",
        "add map T marks",
        "add chain T marks",
        'add rule T marks ct status dnat meta mark set oifname map @marks comment "linuxnet-mark-published"',
        "add rule T marks accept",
    ]
