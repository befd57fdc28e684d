# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun ns_route: a route of a namespace, and the policy rule that leads to its table. A route is replaced in one step, never
deleted and added again. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import DelRoute, PutRoute
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import PROTOCOL
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    MAIN_TABLE,
    Nexthop,
    NsRef,
    PolicyRule,
    Route,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import ns_route_want, policy_rule
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_route_want import (
    DEFAULT_METRIC,
    TABLES,
    TYPES,
    Want,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.leases import connected
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan, Resource
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

_TABLE_NAMES = {number: name for name, number in TABLES.items()}
# Attributes beside the key (destination, table, metric); the kernel replaces them all at once.
_FIELDS = ("type", "gateway", "interface", "source", "scope", "mtu", "advmss", "onlink", "nexthops")


OnLink = Sequence[Tuple[str, str]]  # (network, interface)


@dataclass(frozen=True)
class Have:
    """``routes`` to the wanted destination in the wanted table; ``on_link`` the networks that a gateway may be in, by interface.
    ``certain`` is False in check mode where an earlier task may add what is missing. ``policies`` that may be the wanted rule or
    share its table; ``beside``: that table has routes of ours to other destinations."""

    routes: Tuple[Route, ...] = ()
    on_link: Tuple[Tuple[str, str], ...] = ()
    certain: bool = True
    policies: Tuple[PolicyRule, ...] = ()
    beside: bool = False


def _holding(gateway: str, on_link: OnLink, interface: str = "") -> OnLink:
    """Return the networks that a gateway is in, of those behind ``interface`` where it is given."""
    ip = ipaddress.ip_address(gateway)
    return [
        (net, where)
        for net, where in on_link
        if (not interface or where in ("", interface)) and ip in ipaddress.ip_network(net, strict=False)
    ]


def _reachable(gateway: str, on_link: OnLink, interface: str = "") -> bool:
    """Return whether a gateway is in one of the networks, of those behind ``interface`` where it is given."""
    return ipaddress.ip_address(gateway).is_link_local or bool(_holding(gateway, on_link, interface))


def _same_ways(asked: Sequence[Nexthop], found: Sequence[Nexthop]) -> bool:
    """Return whether the nexthops are the asked ones; an interface that is not asked for may be any."""
    left = list(found)
    for hop in asked:
        same = next((other for other in left if hop in (other, replace(other, interface=""))), None)
        if same is None:
            return False
        left.remove(same)
    return not left


def _read_on_link(ns: int, family: int, state: State) -> OnLink:
    """Return the networks that are on a link of a namespace, by interface (``""``: any)."""
    found = [
        (route.destination, route.interface)
        for route in state.routes(ns, family, MAIN_TABLE)
        if not route.gateway and not route.nexthops and route.type == "unicast"
    ]
    found += [
        ("%s/%d" % (address.peer, address.prefix), "")
        for dummy, address in state.addresses(ns)
        if address.peer and address.family == family
    ]
    return [*found, *connected(state, ns, family)]


class NsRouteResource(Resource[Want, Have]):
    noun = "ns_route"
    identity = ("destination",)
    options = ns_route_want.OPTIONS
    rules = ns_route_want.RULES

    def parse(self, params: Mapping[str, Any]) -> Want:
        return ns_route_want.parse(params)

    def together(self, wants: Sequence[Want]) -> List[Want]:
        return ns_route_want.together(wants)

    def subject(self, want: Want) -> str:
        return "route %s" % self._shown(want)

    @staticmethod
    def _shown(want: Want) -> str:
        text = "default" if want.destination in ("0.0.0.0/0", "::/0") else want.destination
        return (
            text
            + (" (IPv6)" if text == "default" and want.family == 6 else "")
            + (" in %s" % want.ns if want.ns.path else "")
        )

    def look(self, want: Want, state: State) -> Have:
        ns = state.need(want.ns) if want.present else state.find(want.ns)
        if ns is None:
            return Have()
        table = state.routes(ns, want.family, want.table)
        routes = [route for route in table if route.destination == want.destination and route.type in TYPES]
        have = Have(
            tuple(routes),
            policies=tuple(state.policies(ns, want.family)) if want.policy else (),
            beside=any(route.protocol == PROTOCOL and route not in routes for route in table),
        )
        if not want.present:
            return have
        certain = ns > 0
        for name in (interface for dummy, interface in want.ways if interface):
            certain = state.need_link(ns, want.ns, name, "interface").index > 0 and certain
        on_link = _read_on_link(ns, want.family, state)
        if not state.predict:
            certain = True
        elif not certain:
            certain = all(_reachable(gateway, on_link, name) for gateway, name in want.ways if gateway)
        elif not want.given.get("onlink"):
            for gateway in (gateway for gateway, dummy in want.ways if gateway and not _reachable(gateway, on_link)):
                state.foresee("the subnet of gateway %s in %s" % (gateway, want.ns))
                certain = False
        return replace(have, on_link=tuple(on_link), certain=certain)

    def plan(self, want: Want, have: Have) -> Plan:
        if not want.present:
            return self._removal(want, have)
        old, twin = self._match(want, have.routes)
        wanted = self._wanted(want, old or twin)
        wanted = self._check_gateways(want, wanted, have)
        changes: List[Change] = []
        if old is not None and not self._differs(want, old):
            wanted = old
        else:
            changes.append(PutRoute(want.ns, replace(wanted, protocol=PROTOCOL), old))
        if twin is not None:
            changes.append(DelRoute(want.ns, twin))  # the same way under another metric: only once the new one is there
        before = old or twin
        was, rule, rules = policy_rule.present(want.ns, want.policy, have.policies)  # once the table has the route
        # Check mode may run before the subnet is there that tells the interface of a gateway.
        hidden = () if before or "interface" in want.given else ("interface",)
        return Plan(
            self._describe(want, before, was) if before else {},
            self._describe(want, wanted, rule),
            (*changes, *rules),
            hidden=hidden,
        )

    def _removal(self, want: Want, have: Have) -> Plan:
        """Return the plan for a route that is to go, and its rule. A table that another rule of ours leads to keeps the route; the
        rule stays as long as its table has other routes of ours."""
        found = [route for route in have.routes if not self._differs(want, route)]
        shared = policy_rule.shared(want.policy, have.policies)
        gone = [] if shared else found
        left = have.beside or any(route.protocol == PROTOCOL and route not in gone for route in have.routes)
        was, rule, rules = policy_rule.absent(want.ns, want.policy, have.policies, needed=left and not shared)
        before: Dict[str, Any] = {}
        if found:
            before = self._describe(want, found[0], was)
        elif rules:  # the route went by itself, with its interface
            before = {"netns": want.ns.option, "table": str(want.table), **policy_rule.described(was)}
        after = self._describe(want, found[0], rule) if found and shared else {}
        return Plan(before, after, (*rules, *(DelRoute(want.ns, route) for route in gone)))

    @staticmethod
    def _differs(want: Want, route: Route) -> List[str]:
        names = [name for name, value in want.given.items() if getattr(route, name) != value]
        if "nexthops" in names and _same_ways(want.given["nexthops"], route.nexthops):
            names.remove("nexthops")
        return names

    @staticmethod
    def _match(want: Want, routes: Sequence[Route]) -> Tuple[Optional[Route], Optional[Route]]:
        """Return (the route to keep or replace in place, the same way under a metric that is not wanted)."""

        def same_way(route: Route) -> bool:
            return all(
                getattr(route, name) == want.given[name]
                for name in ("gateway", "interface", "type", "nexthops")
                if name in want.given
            )

        ways = [route for route in routes if same_way(route)]
        metric = want.given.get("metric")
        if metric is None:
            if ways:
                return min(ways, key=lambda route: route.metric), None
            metric = DEFAULT_METRIC[want.family]
        keyed = [route for route in routes if route.metric == metric]
        if keyed:
            best = [route for route in keyed if same_way(route)]
            return (best or keyed)[0], None
        return None, ways[0] if ways and "metric" in want.given else None

    @staticmethod
    def _wanted(want: Want, old: Optional[Route]) -> Route:
        """Return the route as it is to be: what is asked for, on top of what the route has and is not managed."""
        given = dict(want.given)
        route = Route(
            want.family,
            want.destination,
            want.table,
            given.pop("metric", old.metric if old else DEFAULT_METRIC[want.family]),
        )
        if old is not None:
            route = replace(route, **{name: getattr(old, name) for name in ("source", "mtu", "advmss", "onlink")})
            if not {"gateway", "interface", "nexthops"} & set(given) and given.get("type", old.type) == old.type:
                route = replace(
                    route,
                    type=old.type,
                    gateway=old.gateway,
                    interface=old.interface,
                    nexthops=old.nexthops,
                    scope=old.scope,
                )
            elif "interface" not in given and old.gateway == given.get("gateway"):
                route = replace(route, interface=old.interface)
            elif (
                "gateway" not in given
                and "interface" in given
                and old.interface == given["interface"]
                and given.get("type", "unicast") == "unicast"
            ):
                route = replace(route, gateway=old.gateway)
        route = replace(route, **given)
        if "scope" not in given and want.family == 4:
            # As iproute2's ip/iproute.c: a unicast route without a gateway reaches what is on the link.
            direct = route.type == "unicast" and not route.gateway and not route.nexthops
            route = replace(route, scope="link" if direct else "global")
        return route

    def _check_gateways(self, want: Want, route: Route, have: Have) -> Route:
        """Return ``route`` with the interface its gateway is behind. Raises `Refused` for a gateway that cannot be reached."""
        if route.type == "unicast" and not (route.gateway or route.interface or route.nexthops):
            raise Refused("The %s needs a gateway, an interface or nexthops." % self.subject(want))
        if route.onlink or not have.certain:
            return route
        if route.nexthops:
            return replace(
                route,
                nexthops=tuple(
                    replace(hop, interface=self._behind(want, hop.gateway, hop.interface, have))
                    for hop in route.nexthops
                ),
            )
        return replace(route, interface=self._behind(want, route.gateway, route.interface, have))

    @staticmethod
    def _behind(want: Want, gateway: str, interface: str, have: Have) -> str:
        """Return the interface that a gateway is behind: the one with the longest prefix that holds it."""
        if not gateway or ipaddress.ip_address(gateway).is_link_local:
            return interface
        behind = _holding(gateway, have.on_link, interface)
        if not behind:
            reach = [net for net, where in have.on_link if not interface or where in ("", interface)]
            nets = ", ".join(net for net in reach if not net.startswith("fe80:")) or "none"
            where = " behind %s" % interface if interface else ""
            raise Refused(
                "gateway: %s is in no on-link subnet of %s%s (%s); add an address of its subnet first, or set onlink: true."
                % (gateway, want.ns, where, nets)
            )
        return interface or max(behind, key=lambda pair: int(pair[0].split("/")[1]))[1]

    @staticmethod
    def _describe(want: Want, route: Route, rule: Optional[PolicyRule] = None) -> Dict[str, Any]:
        return described(want.ns, route, rule)


def described(ns: NsRef, route: Route, rule: Optional[PolicyRule] = None) -> Dict[str, Any]:
    """Return a route, with the policy rule that leads to its table, as the module returns it."""
    found: Dict[str, Any] = {
        "destination": route.shown_destination,
        "family": "ipv%d" % route.family,
        "netns": ns.option,
        "table": _TABLE_NAMES.get(route.table) or str(route.table),
        "metric": route.metric,
    }
    found.update({name: getattr(route, name) or None for name in _FIELDS if name not in ("nexthops", "onlink")})
    found["onlink"] = route.onlink
    found["nexthops"] = [
        {"gateway": hop.gateway or None, "interface": hop.interface or None, "weight": hop.weight}
        for hop in route.nexthops
    ]
    return dict(found, **policy_rule.described(rule))


RESOURCE = NsRouteResource()
