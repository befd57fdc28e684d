# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, type filter: what is let through to a bridge. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, FrozenSet, List, Mapping, Optional

from ansible_collections.linuxnet.containers.plugins.module_utils import _rules
from ansible_collections.linuxnet.containers.plugins.module_utils._changes import Change, SetGuard
from ansible_collections.linuxnet.containers.plugins.module_utils._errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._facts import NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._naming import interface_name
from ansible_collections.linuxnet.containers.plugins.module_utils._nftables import Contents, Guard
from ansible_collections.linuxnet.containers.plugins.module_utils._resource import Plan
from ansible_collections.linuxnet.containers.plugins.module_utils._state import State

_NO_OTHERS: Mapping[str, Any] = {"satisfied_by": None, "blocked_by": []}  # nobody else's rules are looked at


@dataclass(frozen=True)
class Want:
    """``family`` and ``needed`` are there for those that need forwarding; a guard does not."""

    ns: NsRef
    guard: Guard
    present: bool = True
    family: int = 0
    ip_forward: bool = False
    needed: FrozenSet[int] = frozenset()


@dataclass(frozen=True)
class Have:
    """``alone``: nothing else is in our table."""

    guard: Optional[Guard] = None
    what: Contents = field(default_factory=Contents)
    alone: bool = False


def parse(params: Mapping[str, Any], owner: str, comment: str) -> Want:
    """Return the want of a filter item. Raises `Invalid`."""
    if params.get("bridge") is None:
        raise Invalid("bridge is required with type: filter.")
    bridge = interface_name(params["bridge"], "bridge")
    guard = Guard(bridge, params["isolate"], params["icc"], params["internal"], owner, comment)
    return Want(NsRef.parse(params.get("netns")), guard, params["state"] == "present")


def subject(want: Want) -> str:
    """Return the object in a few words."""
    return "filter %s%s" % (want.guard.bridge, " in %s" % want.ns if want.ns.path else "")


def look(want: Want, ns: int, state: State) -> Have:
    """Return what there is in the namespace ``ns``. The bridge need not be there."""
    table = state.table(ns)
    others = len(table.guards) - (want.guard.bridge in table.guards)
    alone = not (others or table.elements or state.rules(ns) or _rules.strangers(state.ruleset(ns)))
    return Have(table.guards.get(want.guard.bridge), table.what, alone)


def plan(want: Want, have: Have) -> Plan:
    """Return what is to be done. Raises `Refused` where another owner guards the bridge."""
    before = _describe(want, have.guard) if have.guard else {}
    if have.guard is not None and have.guard.owner != want.guard.owner:
        if not want.present:
            return Plan({}, {}, facts=_NO_OTHERS)
        raise Refused(
            "bridge: %s is guarded already by '%s'; change it under that owner." % (want.guard.bridge, have.guard.owner)
        )
    changes: List[Change] = []
    if not want.present:
        if have.guard is not None:
            changes.append(SetGuard(want.ns, None, have.guard, have.what, have.alone))
        return Plan(before, {}, tuple(changes), facts=_NO_OTHERS)
    if have.guard != want.guard or not have.what.part("guard").whole:
        changes.append(SetGuard(want.ns, want.guard, have.guard, have.what))
    return Plan(before, _describe(want, want.guard), tuple(changes), facts=_NO_OTHERS)


def _describe(want: Want, guard: Guard) -> Dict[str, Any]:
    return {
        "type": "filter",
        "netns": want.ns.option,
        "bridge": guard.bridge,
        "isolate": guard.isolate,
        "icc": guard.icc,
        "internal": guard.internal,
        "owner": guard.owner,
        "comment": guard.comment or None,
        "backend": "nftables",
    }
