# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option exclusive of ns_route: the routes and policy rules of ours in a namespace that a task asks for no more. Pure.

What carries our protocol number is ours, in every table and of both families. The last exclusive item of a namespace removes it, so
that whatever follows it is there before.
"""

from __future__ import annotations

import collections
from dataclasses import replace
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import DelPolicy, DelRoute
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import PROTOCOL, is_uplink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    MAIN_TABLE,
    NsRef,
    PolicyRule,
    Route,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_route_want import Want
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

# Returns the routes of those to its destination that a want keeps, replaces or moves.
Held = Callable[[Want, Sequence[Route]], Sequence[Optional[Route]]]


def is_ours(route: Route) -> bool:
    return route.protocol == PROTOCOL


@dataclass(frozen=True)
class Surplus:
    """What of ours is not asked for: ``routes``, and policy ``rules``."""

    routes: Tuple[Route, ...] = ()
    rules: Tuple[PolicyRule, ...] = ()

    def changes(self, ns: NsRef) -> List[Change]:
        """Return the steps that remove it: rules first, so that nothing is looked up in a table that is half empty."""
        return [*(DelPolicy(ns, rule) for rule in self.rules), *(DelRoute(ns, route) for route in self.routes)]

    def described(self) -> Dict[str, Any]:
        """Return what the module reports of it, in iproute2's words."""
        shown = [*("rule " + str(rule) for rule in self.rules), *map(str, self.routes)]
        return {"no_longer_asked_for": shown} if shown else {}


def together(wants: Sequence[Want]) -> List[Want]:
    """Return the wants of a task, the last exclusive one of each namespace with all that the task wants there."""
    last = {want.ns: number for number, want in enumerate(wants) if want.exclusive}
    if not last:
        return list(wants)
    asked: Mapping[NsRef, List[Want]] = collections.defaultdict(list)
    for want in (want for want in wants if want.present):
        asked[want.ns].append(want)
    return [
        replace(want, keep=tuple(asked[want.ns])) if last.get(want.ns) == number else want
        for number, want in enumerate(wants)
    ]


def look(want: Want, ns: int, held: Held, state: State) -> Surplus:
    """Return what of ours is in the namespace ``ns`` that is not among ``want.keep``."""
    if want.keep is None:
        return Surplus()
    tables, families = state.marked(ns, PROTOCOL)
    asked: Mapping[Tuple[int, int], Dict[str, List[Want]]] = collections.defaultdict(
        lambda: collections.defaultdict(list)
    )
    for other in want.keep:
        asked[other.family, other.table][other.destination].append(other)
    routes: List[Route] = []
    for family, table in sorted({*tables, *asked}):
        if is_uplink(table):  # the noun nat's
            continue
        listed = state.table(ns, family, table)
        wanted = asked.get((family, table), {})
        there: Mapping[str, List[Route]] = collections.defaultdict(list)
        for route in listed.to({route.destination for route in listed.like(is_ours)}):
            there[route.destination].append(route)
        for destination, found in there.items():
            kept = [one for other in wanted.get(destination, ()) for one in held(other, found)]
            routes += [route for route in found if route.protocol == PROTOCOL and route not in kept]
    named: Set[Tuple[int, str, int]] = {
        (one.policy.family, one.policy.source, one.policy.table) for one in want.keep if one.policy
    }
    rules = [
        rule
        for family in sorted({*families, *(one.family for one in want.keep if one.policy)})
        for rule in state.policies(ns, family)
        if rule.protocol == PROTOCOL and not rule.mark and (rule.family, rule.source, rule.table) not in named
    ]
    return Surplus(tuple(routes), tuple(rules))


def of_network(want: Want, ns: int, state: State) -> Surplus:
    """Return the routes of ours to the other parts of a bridge's network that are not spared: those that leave by the interface that is given, and those
    for which the host has an address of the bridge as its own."""
    bridge = state.link(ns, want.network)
    own = {address.ip for address in state.addresses_of(ns, bridge)} if bridge is not None else set()
    tunnel = want.given.get("interface")
    found = [
        route
        for family, table in sorted(state.marked(ns, PROTOCOL)[0])
        if table == MAIN_TABLE
        for route in state.table(ns, family, table).like(is_ours)
        if route.source in own or (tunnel and route.interface == tunnel)
    ]
    return Surplus(tuple(route for route in found if route.destination not in want.spared))
