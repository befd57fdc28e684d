# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, type filter: what is let through to a bridge. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import Packet
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    NFTABLES,
    Contents,
    Guard,
    Passage,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import interface_name
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import coexistence
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import SetGuard
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.coexistence import Passing
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import walls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

_CALLS = {4: "net.bridge.bridge-nf-call-iptables", 6: "net.bridge.bridge-nf-call-ip6tables"}


@dataclass(frozen=True)
class Want:
    """``family`` and ``needed`` are there for those that need forwarding; a guard does not."""

    ns: NsRef
    guard: Guard
    present: bool = True
    forward: bool = True
    backend: str = "auto"
    family: int = 0
    ip_forward: bool = False
    needed: FrozenSet[int] = frozenset()


@dataclass(frozen=True)
class Have:
    """``guard`` of the bridge in ``place``, where it is to be, and what else is there (``held``); ``elsewhere`` by place those in
    others. ``last``: places in which nothing else is held."""

    place: str = NFTABLES
    guard: Optional[Guard] = None
    held: Contents = field(default_factory=Contents)
    elsewhere: Tuple[Tuple[str, Guard, Contents], ...] = ()
    passing: Passing = field(default_factory=Passing)
    last: Tuple[str, ...] = ()


def parse(params: Mapping[str, Any], owner: str, comment: str) -> Want:
    """Return the want of a filter item. Raises `Invalid`."""
    if params.get("bridge") is None:
        raise Invalid("bridge is required with type: filter.")
    bridge = interface_name(params["bridge"], "bridge")
    guard = Guard(bridge, params["isolate"], params["icc"], params["internal"], owner, comment)
    return Want(
        NsRef.parse(params.get("netns")), guard, params["state"] == "present", params["forward"], params["backend"]
    )


def subject(want: Want) -> str:
    """Return the object in a few words."""
    return "filter %s%s" % (want.guard.bridge, " in %s" % want.ns if want.ns.path else "")


def look(want: Want, ns: int, state: State) -> Have:
    """Return what there is in the namespace ``ns``. The bridge need not be there."""
    name = want.guard.bridge
    place = coexistence.place(want.backend, walls(state).firewalls())
    tables = {where: walls(state).table(ns, where) for where in (place, *coexistence.others_of(place, ns, state))}
    # Where bridged packets are shown to iptables, others' rules for what is forwarded stop neighbours from talking.
    families = [family for family, key in _CALLS.items() if state.sysctl(ns, key) == "1"]
    talk = want.present and want.forward and want.guard.icc
    wanted = [
        (Passage("icc", name, family, "", want.guard.owner), Packet(family, iifname=name, oifname=name, bridge=name))
        for family in (families if talk else ())
    ]
    return Have(
        place,
        tables[place].guards.get(name),
        tables[place].held,
        tuple(
            (where, table.guards[name], table.held)
            for where, table in tables.items()
            if where != place and name in table.guards
        ),
        coexistence.look(wanted, [Passage("icc", name, family) for family in _CALLS], place, ns, state),
        tuple(where for where, table in tables.items() if table.only(guards=1)),
    )


def plan(want: Want, have: Have) -> Plan:
    """Return what is to be done. Raises `Refused` where another owner guards the bridge."""
    facts: Mapping[str, Any] = {"satisfied_by": None, "blocked_by": list(have.passing.blocked_by)}
    there = [(have.place, have.guard, have.held)] if have.guard is not None else []
    there += have.elsewhere
    if there and there[0][1].owner != want.guard.owner:
        if not want.present:
            return Plan({}, {}, facts=facts)
        raise Refused(
            "bridge: %s is guarded already by '%s'; change it under that owner."
            % (want.guard.bridge, there[0][1].owner)
        )
    before = _describe(want, there[0][1], there[0][0]) if there else {}
    changes: List[Change] = []
    if want.present and (have.guard != want.guard or not have.held.whole("guard")):
        changes.append(SetGuard(want.ns, want.guard, have.guard, have.held, place=have.place))
    changes += have.passing.changes(want.ns)
    for where, guard, held in there:
        if not want.present or where != have.place:
            changes.append(SetGuard(want.ns, None, guard, held, where in have.last, where))
    after = _describe(want, want.guard, have.place) if want.present else {}
    warnings = have.passing.warning("Packets between the containers on %s are" % want.guard.bridge)
    return Plan(before, after, tuple(changes), warnings, facts)


def _describe(want: Want, guard: Guard, place: str) -> Dict[str, Any]:
    return {
        "type": "filter",
        "netns": want.ns.option,
        "bridge": guard.bridge,
        "isolate": guard.isolate,
        "icc": guard.icc,
        "internal": guard.internal,
        "owner": guard.owner,
        "comment": guard.comment or None,
        "backend": place,
    }
