# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun ns_route: a route of a namespace, and the policy rule that leads to its table. A route is replaced in one step, never
deleted and added again. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import Any, Dict, FrozenSet, Hashable, Iterable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import values
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import holds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import DelRoute, PutRoute
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import PROTOCOL
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    MAIN_TABLE,
    Address,
    Nexthop,
    NsRef,
    PolicyRule,
    Route,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import (
    ns_route_exclusive,
    ns_route_want,
    policy_rule,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_route_exclusive import Surplus
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_route_want import (
    DEFAULT_METRIC,
    TYPES,
    Want,
    link_local,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.leases import connected
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan, Resource, Sides, brief
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State, makers

_TABLE_NAMES = {number: name for name, number in values.TABLES.items()}
# Attributes beside the key (destination, table, metric); the kernel replaces them all at once.
_FIELDS = ("type", "gateway", "interface", "source", "scope", "mtu", "advmss", "onlink", "nexthops")


OnLink = Sequence[Tuple[str, str]]  # (network, interface)


@dataclass(frozen=True)
class Have:
    """``routes`` to the wanted destination in the wanted table; ``on_link`` the networks that a gateway may be in, by interface.
    ``certain`` is False in check mode where an earlier task may add what is missing. ``policies`` that may be the wanted rule or
    share its table; ``beside``: that table has routes of ours to other destinations. ``surplus``: what of ours the task does not ask for.
    ``own``: the addresses of the namespace, and the ``broadcasts`` of their networks. ``no_ipv6`` says why an interface carries none."""

    routes: Tuple[Route, ...] = ()
    on_link: Tuple[Tuple[str, str], ...] = ()
    certain: bool = True
    policies: Tuple[PolicyRule, ...] = ()
    beside: bool = False
    surplus: Surplus = Surplus()
    own: FrozenSet[str] = frozenset()
    broadcasts: FrozenSet[str] = frozenset()
    no_ipv6: str = ""


def _holding(gateway: str, on_link: OnLink, interface: str = "") -> OnLink:
    """Return the networks that a gateway is in, of those behind ``interface`` where it is given."""
    return [
        (net, where) for net, where in on_link if (not interface or where in ("", interface)) and holds(net, gateway)
    ]


def _reachable(gateway: str, on_link: OnLink, interface: str = "") -> bool:
    """Return whether a gateway is in one of the networks, of those behind ``interface`` where it is given."""
    return link_local(gateway) or bool(_holding(gateway, on_link, interface))


def _same_ways(asked: Sequence[Nexthop], found: Sequence[Nexthop]) -> bool:
    """Return whether the nexthops are the asked ones; an interface that is not asked for may be any."""
    left = list(found)
    for hop in asked:
        same = next(
            (other for other in left if replace(other, interface=hop.interface and other.interface) == hop), None
        )
        if same is None:
            return False
        left.remove(same)
    return not left


def _no_ipv6(want: Want, ns: int, state: State) -> str:
    """Return the sentence that says why an interface that is named carries no IPv6, ``""`` where they all do: one with an address of it does."""
    six = {index for index, address in state.addresses(ns) if address.family == 6}
    named = [state.link(ns, name) for dummy, name in want.ways if name]
    links = [link for link in named if link and link.index > 0 and link.index not in six]
    if not links:
        return ""
    # Here and not above: of use to few tasks.
    from ansible_collections.linuxnet.containers.plugins.module_utils._resources import ns_route_ipv6

    found = (ns_route_ipv6.lacking(want.ns, ns, link, state) for link in links)
    return next(filter(None, found), "")


def _by_the_shorter_way(want: Want, state: State) -> Want:
    """Return a want with its direct gateway in place of the other way, where that is on a link. Raises `Refused` where it is not, there is no other
    way, and the route cannot be left out."""
    # Here and not above: of use to few tasks.
    from ansible_collections.linuxnet.containers.plugins.module_utils._resources.way import on_link

    ns = state.find(want.ns)
    link = on_link(ns, want.direct, state) if ns is not None else None
    if link is None and want.nowhere and not want.optional and ns is not None:
        raise Refused(
            "direct_gateway: %s is on no link of %s, and there is no other way to %s; give gateway or interface."
            % (want.direct, want.ns, want.destination)
        )
    if link is None:
        return want
    rest = {name: value for name, value in want.given.items() if name != "onlink"}
    return replace(want, given={**rest, "gateway": want.direct, "interface": link.name})


def _hides_gateway(old: Route, wanted: Route) -> bool:
    """Return whether the kernel would refuse to put a route in place of another one: it looks for a gateway of IPv6 in all routes, also where that is
    said to be on the link, and this one leads there by another interface (ip6_route_check_nh_onlink)."""
    elsewhere = old.type == "unicast" and old.interface != wanted.interface and old.shown_destination != "default"
    looked_for = wanted.family == 6 and wanted.onlink and bool(wanted.gateway)
    return elsewhere and looked_for and holds(old.destination, wanted.gateway)


def _direct(route: Route) -> bool:
    """Return whether a route is to a network on a link."""
    return not route.gateway and not route.nexthops and route.type == "unicast"


def _read_on_link(ns: int, family: int, tables: Iterable[int], ways: Sequence[Tuple[str, str]], state: State) -> OnLink:
    """Return the networks that are on a link of a namespace, by interface (``""``: any), as the routes of some tables say: those that the gateways
    of the ``ways`` are in, and all where one is in none."""
    known = [state.table(ns, family, table) for table in tables]
    gateways = dict.fromkeys(gateway for gateway, dummy in ways if gateway)
    behind = [route for table in known for gateway in gateways for route in table.holding(gateway, _direct)]
    others = [
        ("%s/%d" % (address.peer, address.prefix), "")
        for dummy, address in state.addresses(ns)
        if address.peer and address.family == family
    ]
    others += connected(state, ns, family)
    found = [*((route.destination, route.interface) for route in behind), *others]
    if all(_reachable(gateway, found, interface) for gateway, interface in ways if gateway):
        return found
    everything = [route for table in known for route in table.like(_direct)]
    return [*((route.destination, route.interface) for route in everything), *others]


def _broadcasts(addresses: Sequence[Address], gateways: Iterable[str]) -> FrozenSet[str]:
    """Return the broadcast addresses of networks of IPv4, as far as a gateway may be one: it ends in ones only from the prefix on."""
    numbers = [int(ipaddress.IPv4Address(gateway)) for gateway in gateways if gateway and ":" not in gateway]
    suspect = {bits for bits in range(31) for number in numbers if not ~number & ((1 << (32 - bits)) - 1)}
    found = (address.network.broadcast_address for address in addresses if address.prefix in suspect)
    return frozenset(map(str, found))


# What the diff of a new route leaves out.
_USUAL = {"table": "main", "type": "unicast", "scope": "global", "onlink": False}
_FOLLOWS = dict.fromkeys(("family", "netns", "interface"), "destination")


class NsRouteResource(Resource[Want, Have]):
    noun = "ns_route"
    identity = ("destination",)
    options = ns_route_want.OPTIONS
    rules = ns_route_want.RULES

    def parse(self, params: Mapping[str, Any]) -> Want:
        return ns_route_want.parse(params)

    def identities(self, want: Want) -> Sequence[Hashable]:
        metric = want.given.get("metric", DEFAULT_METRIC[want.family])
        return ((want.ns, want.destination, want.table, metric),) if want.present else ()

    def together(self, wants: Sequence[Want]) -> List[Want]:
        return ns_route_exclusive.together(ns_route_want.together(wants, self.subject))

    def resolved(self, want: Want, state: State) -> Want:
        if want.direct:
            want = _by_the_shorter_way(want, state)
        names = {name for dummy, name in want.ways if name}
        own = {name: state.own_name(want.ns, name) for name in names}
        if want.network:
            want = replace(want, network=state.own_name(want.ns, want.network))
        if all(name == real for name, real in own.items()):
            return want
        given = dict(want.given)
        if "interface" in given:
            given["interface"] = own[given["interface"]]
        if "nexthops" in given:
            hops = given["nexthops"]
            given["nexthops"] = tuple(sorted(replace(hop, interface=own.get(hop.interface, "")) for hop in hops))
        return replace(want, given=given)

    def subject(self, want: Want) -> str:
        if want.network:
            return "routes to the other parts of network %s" % want.network
        if want.nothing:
            return "routes that are not asked for%s" % (" in %s" % want.ns if want.ns.path else "")
        return "route %s" % self._shown(want)

    @staticmethod
    def _shown(want: Want) -> str:
        text = "default" if want.destination in ("0.0.0.0/0", "::/0") else want.destination
        return (
            text
            + (" (IPv6)" if text == "default" and want.family == 6 else "")
            + (" in %s" % want.ns if want.ns.path else "")
        )

    def effect(self, want: Want, plan: Plan) -> Sides:
        return brief((plan.before, plan.after), {**_USUAL, "metric": DEFAULT_METRIC[want.family]}, _FOLLOWS)

    def look(self, want: Want, state: State) -> Have:
        ns = state.need(want.ns) if want.present else state.find(want.ns)
        if ns is None:
            return Have()
        if want.nowhere:
            return Have()
        if want.network:
            return Have(surplus=ns_route_exclusive.of_network(want, ns, state))
        surplus = ns_route_exclusive.look(want, ns, self._held, state)
        if want.nothing:
            return Have(surplus=surplus)
        table = state.table(ns, want.family, want.table)
        routes = [route for route in table.to((want.destination,)) if route.type in TYPES]
        have = Have(
            tuple(routes),
            policies=tuple(state.policies(ns, want.family)) if want.policy else (),
            beside=any(route not in routes for run in table.runs(ns_route_exclusive.is_ours) for route in run),
            surplus=surplus,
        )
        if not want.present:
            return have
        certain = ns > 0
        for name in (interface for dummy, interface in want.ways if interface):
            certain = state.need_link(ns, want.ns, name, "interface", makers=makers(want.ns)).index > 0 and certain
        # As the kernel looks for a gateway: in the route's own table, and where all other packets are looked up.
        # A way that is not asked for is that of a route that is there.
        ways = [*want.ways, *((route.gateway, route.interface) for route in routes)]
        ways += [(hop.gateway, hop.interface) for route in routes for hop in route.nexthops]
        on_link = _read_on_link(ns, want.family, dict.fromkeys((want.table, MAIN_TABLE)), ways, state)
        addresses = [address for dummy, address in state.addresses(ns) if address.family == want.family]
        if not state.predict or state.whole:
            certain = True
        elif not certain:
            certain = all(_reachable(gateway, on_link, name) for gateway, name in want.ways if gateway)
        elif not want.given.get("onlink"):
            for gateway in (gateway for gateway, dummy in want.ways if gateway and not _reachable(gateway, on_link)):
                state.foresee("the subnet of gateway %s in %s" % (gateway, want.ns))
                certain = False
        return replace(
            have,
            on_link=tuple(on_link),
            certain=certain,
            own=frozenset(address.ip for address in addresses),
            broadcasts=_broadcasts(addresses, [way[0] for way in ways]) if want.family == 4 else frozenset(),
            no_ipv6=_no_ipv6(want, ns, state) if want.family == 6 and certain else "",
        )

    def plan(self, want: Want, have: Have) -> Plan:
        if want.nowhere:
            text = "The %s is left out, for %s is on no link of %s."
            return Plan({}, {}, warnings=(text % (self.subject(want), want.direct, want.ns),))
        found = (
            Plan({}, {}) if want.nothing else self._present(want, have) if want.present else self._removal(want, have)
        )
        changes = (*found.changes, *have.surplus.changes(want.ns))  # last: what follows a route is there before
        return replace(found, before={**found.before, **have.surplus.described()}, changes=changes)

    def _held(self, want: Want, found: Sequence[Route]) -> Sequence[Optional[Route]]:
        return self._match(want, [route for route in found if route.type in TYPES])

    def _present(self, want: Want, have: Have) -> Plan:
        """Return the plan for a route that is to be there, and its rule."""
        old, twin = self._match(want, have.routes)
        ours = want.exclusive and any(route is not None and route.protocol == PROTOCOL for route in (old, twin))
        wanted = self._wanted(want, None if ours else old or twin)
        wanted = self._check_gateways(want, wanted, have)
        changes: List[Change] = []
        if old is not None and not (self._differs_wholly(wanted, old) if ours else self._differs(want, old)):
            wanted = old
        elif have.no_ipv6:
            raise Refused(have.no_ipv6)
        else:
            replaced = old
            if old is not None and _hides_gateway(old, wanted):
                changes.append(DelRoute(want.ns, old))
                replaced = None
            changes.append(PutRoute(want.ns, replace(wanted, protocol=PROTOCOL), replaced))
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
        if "onlink" in want.given and "onlink" not in names and any(hop.onlink for hop in route.nexthops):
            names.append("onlink")  # of some ways only
        if "nexthops" in names and _same_ways(want.given["nexthops"], route.nexthops):
            names.remove("nexthops")
        return names

    @staticmethod
    def _differs_wholly(wanted: Route, route: Route) -> bool:
        """Return whether a route of ours is anything else than asked for: what is left out is then as in a new route. An interface may not be known yet."""
        if _same_ways(wanted.nexthops, route.nexthops):
            wanted = replace(wanted, nexthops=route.nexthops)
        return wanted != (route if wanted.interface else replace(route, interface=""))

    @staticmethod
    def _match(want: Want, routes: Sequence[Route]) -> Tuple[Optional[Route], Optional[Route]]:
        """Return (the route to keep or replace in place, the same way under a metric that is not wanted)."""

        def same_way(route: Route) -> bool:
            return all(
                getattr(route, name) == want.given[name]
                for name in ("gateway", "interface", "type")
                if name in want.given
            ) and ("nexthops" not in want.given or _same_ways(want.given["nexthops"], route.nexthops))

        ways = [route for route in routes if same_way(route)]
        metric = want.given.get("metric")
        if metric is None:
            # A metric of ours that is asked for no longer becomes the default one again.
            held = [route for route in ways if not want.exclusive or route.protocol != PROTOCOL]
            if held:
                return min(held, key=lambda route: route.metric), None
            metric = DEFAULT_METRIC[want.family]
        keyed = [route for route in routes if route.metric == metric]
        if keyed:
            best = [route for route in keyed if same_way(route)]
            return (best or keyed)[0], None
        return None, ways[0] if ways and ("metric" in want.given or want.exclusive) else None

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
                    nexthop_id=old.nexthop_id,
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
        if "onlink" in given:  # of all ways
            route = replace(route, nexthops=tuple(replace(hop, onlink=False) for hop in route.nexthops))
        if "scope" not in given and want.family == 4:
            # As iproute2's ip/iproute.c: a unicast route without a gateway reaches what is on the link.
            direct = route.type == "unicast" and not route.gateway and not route.nexthops
            route = replace(route, scope="link" if direct else "global")
        return route

    def _check_gateways(self, want: Want, route: Route, have: Have) -> Route:
        """Return ``route`` with the interface its gateway is behind. Raises `Refused` for a gateway that cannot be reached."""
        if route.type == "unicast" and not (route.gateway or route.interface or route.nexthops):
            raise Refused("The %s needs a gateway, an interface or nexthops." % self.subject(want))
        if route.onlink:
            self._check_onlink(route)
        if route.source and have.certain and route.source not in have.own and not route.source.startswith("127."):
            raise Refused("source: %s is no address of %s; add it to an interface first." % (route.source, want.ns))
        if route.nexthop_id or route.onlink or not have.certain:
            return route
        if route.nexthops:
            return replace(
                route,
                nexthops=tuple(
                    hop if hop.onlink else replace(hop, interface=self._behind(want, hop.gateway, hop.interface, have))
                    for hop in route.nexthops
                ),
            )
        return replace(route, interface=self._behind(want, route.gateway, route.interface, have))

    @staticmethod
    def _check_onlink(route: Route) -> None:
        """Raise `Refused` where onlink says nothing, or not where."""
        ways = [(hop.gateway, hop.interface) for hop in route.nexthops] or [(route.gateway, route.interface)]
        if not any(gateway for gateway, dummy in ways):
            raise Refused("onlink: it says that a gateway is on the link; without a gateway it means nothing.")
        direct = next((interface for gateway, interface in ways if not gateway), "")
        if direct:
            raise Refused("onlink: it goes for each of the nexthops, and the one by %s has no gateway." % direct)
        lost = next((gateway for gateway, interface in ways if gateway and not interface), "")
        if lost:
            raise Refused("onlink: it does not say on which link %s is; name its interface as well." % lost)

    @staticmethod
    def _behind(want: Want, gateway: str, interface: str, have: Have) -> str:
        """Return the interface that a gateway is behind: the one with the longest prefix that holds it."""
        if not gateway or link_local(gateway) or (want.family == 4 and ":" in gateway):
            return interface
        if gateway in have.broadcasts:
            raise Refused("gateway: %s is the broadcast address of its network, which no router has." % gateway)
        if want.family == 6 and gateway in have.own:
            raise Refused("gateway: %s is an address of %s itself." % (gateway, want.ns))
        behind = _holding(gateway, have.on_link, interface)
        if not behind:
            reach = [net for net, where in have.on_link if not interface or where in ("", interface)]
            nets = ", ".join(sorted({net for net in reach if not net.startswith("fe80:")})) or "none"
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
    if route.nexthop_id:
        found["nexthop_id"] = route.nexthop_id
    return dict(found, **policy_rule.described(rule))


RESOURCE = NsRouteResource()
