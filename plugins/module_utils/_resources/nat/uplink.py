# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, type uplink: what comes in by an uplink for a published port is answered by it. Pure.

The rules mark it with a number (`_firewall/backends/nftables_static`), once it is translated. Of the number two policy rules and a table of one route
make a way: the table main as for all else, but for its default routes, and then the uplink's gateway.
iptables has no chain between where it translates and routing.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, Optional, Tuple, Union

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.index import RuleIndex
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    EVERYWHERE,
    FAMILIES,
    UPLINKS,
    OwnedRules,
    Uplink,
    family_of,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import AUTO, BACKENDS
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import ip
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import (
    AddPolicy,
    DelPolicy,
    DelRoute,
    PutRoute,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import (
    PROTOCOL,
    UPLINK_NUMBERS,
    UPLINK_PRIORITIES,
    UPLINK_SHIFT,
    UPLINK_TABLES,
    is_uplink,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    MAIN_TABLE,
    NsRef,
    PolicyRule,
    Route,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import SetUplink
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.coexistence import (
    NOTHING,
    Coexistence,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.fence import About
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.names import interface
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

_BACKEND = next(backend for backend in BACKENDS if backend.marks_uplinks)
_METRICS = {4: 0, 6: 1024}  # of a route for which none is given
_VALID_MARK, _RP_FILTER = "net/ipv4/conf/%s/src_valid_mark", "net/ipv4/conf/%s/rp_filter"


@dataclass(frozen=True)
class Want:
    """The uplink ``name``, and its ``gateways`` by address family. ``family``, ``needed``, ``named`` and ``ip_forward`` are there for those that need
    forwarding."""

    ns: NsRef
    name: str
    gateways: Tuple[Tuple[int, str], ...] = ()
    present: bool = True
    owner: str = ""
    comment: str = ""
    backend: str = _BACKEND.option
    family: int = 0
    ip_forward: bool = False
    by_hand: bool = False  # what people put among our rules goes
    needed: FrozenSet[int] = frozenset()
    named: FrozenSet[About] = field(default=frozenset(), compare=False)
    goes_with: Optional[Tuple[str, FrozenSet[str]]] = None


@dataclass(frozen=True)
class Way:
    """What there is of an uplink in one address family: the ``uplink`` itself, and of its ``number``, or the one that it is to get, the policy ``rules``
    that are ours and the ``routes`` of its table. ``lost``: those, of ours, of numbers that no uplink has."""

    number: int = 0
    uplink: Optional[Uplink] = None
    rules: Tuple[PolicyRule, ...] = ()
    routes: Tuple[Route, ...] = ()
    lost: Tuple[Union[PolicyRule, Route], ...] = ()


@dataclass(frozen=True)
class Have:
    """``ways`` by address family; ``strict``: routing checks that the source of what comes in is behind the interface, and heeds the mark there only if
    that is said of this interface, as it is (``valid``). ``owned`` is what we own, ``last``: nothing else is owned."""

    ways: Mapping[int, Way] = field(default_factory=dict, hash=False)
    strict: bool = False
    valid: bool = False
    owned: OwnedRules = field(default_factory=OwnedRules)
    last: bool = False
    coexistence: Coexistence = NOTHING


def parse(params: Mapping[str, Any], owner: str, comment: str) -> Want:
    """Return the want of an uplink item. Raises `Invalid`."""
    present = params["state"] == "present"
    if params["backend"] not in (AUTO, _BACKEND.option):
        raise Invalid(
            "backend: %s cannot tell what comes in by an uplink for published ports; %s can."
            % (params["backend"], _BACKEND.option)
        )
    if not params.get("interface"):
        raise Invalid("interface is required with type: uplink.")
    gateways: Dict[int, str] = {}
    for text in params.get("gateways") or ():
        gateway = ip(text, "gateways")
        if gateways.setdefault(family_of(gateway), gateway) != gateway:
            raise Invalid(
                "gateways: %s and %s are of one address family; an uplink has one each."
                % (gateways[family_of(gateway)], gateway)
            )
    if present and not gateways:
        raise Invalid("gateways is required with type: uplink.")
    name = interface(params["interface"], "interface", present)
    return Want(NsRef.parse(params.get("netns")), name, tuple(sorted(gateways.items())), present, owner, comment)


def subject(want: Want) -> str:
    """Return the object in a few words."""
    return "uplink %s%s" % (want.name, " in %s" % want.ns if want.ns.path else "")


def _rules(family: int, number: int) -> List[PolicyRule]:
    """Return the policy rules that are to be there for a number."""
    first, mark = UPLINK_PRIORITIES + 2 * number, number << UPLINK_SHIFT
    return [
        PolicyRule(family, EVERYWHERE[family], MAIN_TABLE, first, PROTOCOL, mark, no_default=True),
        PolicyRule(family, EVERYWHERE[family], UPLINK_TABLES + number, first + 1, PROTOCOL, mark),
    ]


def _route(family: int, number: int, name: str, gateway: str) -> Route:
    """Return the route that is to be in the table of a number; whoever names a gateway says that it is behind the interface."""
    return Route(
        family,
        EVERYWHERE[family],
        UPLINK_TABLES + number,
        _METRICS[family],
        gateway=gateway,
        interface=name,
        onlink=True,
        protocol=PROTOCOL,
    )


def look(want: Want, ns: int, state: State) -> Have:
    """Return what there is in the namespace ``ns``. Raises `Refused` where the uplink is somebody else's or not there, or no number is left."""
    known = firewalls(state)
    error = known.refusal(ns, _BACKEND)
    if error is not None:
        if want.present:
            raise error
        return Have(coexistence=Coexistence(unread=tuple(known.unread(ns))))
    index = known.index(ns, _BACKEND)
    found = [index.uplinks[family, want.name] for family in FAMILIES if (family, want.name) in index.uplinks]
    if any(one.owner not in ("", want.owner) for one in found):  # without an owner, it was edited by hand
        if not want.present:
            return Have()
        raise Refused(
            "interface: %s is an uplink of '%s' already; change it under that owner." % (want.name, found[0].owner)
        )
    if want.present:
        state.need_link(ns, want.ns, want.name, "interface")
    ways: Dict[int, Way] = {}
    for family in FAMILIES:
        numbers = (*(one.number for one in found), *(way.number for way in ways.values()))
        preferred = next(filter(None, numbers), 0)
        ways[family] = _way(want, family, preferred, index, ns, state)
    on_all, here = (state.sysctl(ns, _VALID_MARK % name) == "1" for name in ("all", want.name))
    checks = max(state.sysctl(ns, _RP_FILTER % name) or "0" for name in ("all", want.name))
    return Have(ways, checks == "1" and not on_all, here, index.owned, index.only(uplinks=len(found)))


def _way(want: Want, family: int, preferred: int, index: RuleIndex, ns: int, state: State) -> Way:
    uplink = index.uplinks.get((family, want.name))
    others = {one.number for key, one in index.uplinks.items() if key[0] == family and key[1] != want.name}
    marks = [rule for rule in state.policies(ns, family) if rule.mark]
    used = {rule.mark >> UPLINK_SHIFT for rule in marks}
    used |= {table - UPLINK_TABLES for of, table in state.marked(ns, PROTOCOL)[0] if of == family and is_uplink(table)}
    tables = {number: list(state.routes(ns, family, UPLINK_TABLES + number)) for number in sorted(used - others)}
    number = uplink.number if uplink is not None else 0
    if not number and want.present and family in dict(want.gateways):
        theirs = {rule.mark >> UPLINK_SHIFT for rule in marks if rule.protocol != PROTOCOL}
        # One that was lost, by a flush or a run that was killed, is taken up again.
        lost = [one for one, routes in tables.items() if any(route.interface == want.name for route in routes)]
        asked = [one for one in (*lost, preferred, *range(1, UPLINK_NUMBERS + 1)) if one and one not in others | theirs]
        number = next((one for one in asked if _is_free(state.routes(ns, family, UPLINK_TABLES + one))), 0)
        if not number:
            raise Refused(
                "There are %d uplinks in %s already, and no more can be told apart; remove one first."
                % (len(others), want.ns)
            )
    ours = [rule for rule in marks if rule.protocol == PROTOCOL]
    return Way(
        number,
        uplink,
        tuple(rule for rule in ours if rule.mark >> UPLINK_SHIFT == number),
        tuple(route for route in tables.get(number, ()) if route.protocol == PROTOCOL),
        (
            *(rule for rule in ours if rule.mark >> UPLINK_SHIFT not in {number, *others}),
            *(
                route
                for one, routes in tables.items()
                if one != number
                for route in routes
                if route.protocol == PROTOCOL
            ),
        ),
    )


def _is_free(routes: Iterable[Route]) -> bool:
    return all(route.protocol == PROTOCOL for route in routes)


def plan(want: Want, have: Have) -> Plan:
    """Return what is to be done."""
    facts: Mapping[str, Any] = {"satisfied_by": None, **have.coexistence.facts}
    changes: List[Change] = []
    marked: List[Tuple[Optional[Uplink], Optional[Uplink]]] = []
    gateways = dict(want.gateways) if want.present else {}
    checked = any(way.uplink is not None and way.uplink.checked for way in have.ways.values())
    switched = 4 in gateways and have.strict and not have.valid
    if checked and have.valid and 4 not in gateways:
        changes.append(SetSysctl(want.ns, _VALID_MARK % want.name, "0", "1"))
    for family, way in have.ways.items():
        gone = [*way.lost]
        wanted = None
        if family in gateways:
            noted = family == 4 and (checked or switched)
            wanted = Uplink(family, want.name, way.number, noted, want.owner, want.comment)
        else:
            gone += [*way.rules, *way.routes]
        changes += [_gone(want.ns, one) for one in gone]
        if family in gateways:
            changes += _steps(want, way, _route(family, way.number, want.name, gateways[family]))
        if wanted != way.uplink or (wanted is not None and not have.owned.whole(UPLINKS)):
            marked.append((wanted, way.uplink))
    for place, (wanted, uplink) in enumerate(marked, 1):
        last = have.last and not gateways and place == len(marked)
        changes.append(SetUplink(want.ns, wanted, uplink, have.owned, last, _BACKEND))
    if switched:  # once it is noted
        changes.append(SetSysctl(want.ns, _VALID_MARK % want.name, "1", "0", opens=True))
    there = any(way.uplink is not None for way in have.ways.values())
    before = _describe(want, _gateways(have), _found(have)) if there else {}
    after = _describe(want, gateways, want) if want.present else {}
    return Plan(before, after, tuple(changes), extra=facts)


def _gone(ns: NsRef, one: Union[PolicyRule, Route]) -> Change:
    return DelPolicy(ns, one) if isinstance(one, PolicyRule) else DelRoute(ns, one)


def _steps(want: Want, way: Way, route: Route) -> List[Change]:
    """Return the steps that make the way of a number what it is to be."""
    rules = _rules(route.family, way.number)
    old = next((one for one in way.routes if (one.destination, one.metric) == (route.destination, route.metric)), None)
    steps: List[Change] = [_gone(want.ns, rule) for rule in way.rules if rule not in rules]
    steps += [_gone(want.ns, one) for one in way.routes if one is not old]
    if old != route:
        steps.append(PutRoute(want.ns, route, old))
    return steps + [AddPolicy(want.ns, rule) for rule in rules if rule not in way.rules]


def _gateways(have: Have) -> Dict[int, str]:
    """Return the gateways by which answers leave as it is now."""
    found = {}
    for family, way in have.ways.items():
        whole = way.uplink is not None and sorted(way.rules, key=str) == sorted(_rules(family, way.number), key=str)
        if way.uplink is not None and whole and len(way.routes) == 1:
            route = way.routes[0]
            if route == _route(family, way.number, way.uplink.interface, route.gateway):
                found[family] = route.gateway
    return found


def _found(have: Have) -> Uplink:
    return next(way.uplink for way in have.ways.values() if way.uplink is not None)


def _describe(want: Want, gateways: Mapping[int, str], one: Union[Want, Uplink]) -> Dict[str, Any]:
    return {
        "type": "uplink",
        "netns": want.ns.option,
        "interface": want.name,
        "gateways": [gateways[family] for family in sorted(gateways)],
        "owner": one.owner,
        "comment": one.comment or None,
        "backend": _BACKEND.name,
    }
