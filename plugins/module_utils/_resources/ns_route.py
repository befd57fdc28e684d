# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun ns_route: a route of a namespace, and the policy rule that leads to its table. Replaced in one step, never deleted and
added again. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import address, network
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import DelRoute, PutRoute
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import PROTOCOL, interface_name
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    MAIN_TABLE,
    Nexthop,
    NsRef,
    PolicyRule,
    Route,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import policy_rule
from ansible_collections.linuxnet.containers.plugins.module_utils._run.leases import connected
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import NETNS, STATE, Plan, Resource
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

_TABLES = {"default": 253, "main": MAIN_TABLE, "local": 255}  # include/uapi/linux/rtnetlink.h
_DEFAULT_METRIC = {4: 0, 6: 1024}  # what the kernel takes where none is given: IP6_RT_PRIO_USER
_TYPES = ["unicast", "blackhole", "unreachable", "prohibit", "throw"]
# Attributes beside the key (destination, table, metric); the kernel replaces them all at once.
_FIELDS = ("type", "gateway", "interface", "source", "scope", "mtu", "advmss", "onlink", "nexthops")


@dataclass(frozen=True)
class Want:
    """``given`` holds what the user asked for, by the names of `Route`; what is not in it is not managed. ``policy`` is the rule that
    is to lead to the table, its priority 0 where none is asked for."""

    ns: NsRef
    family: int
    destination: str
    table: int
    present: bool = True
    given: Mapping[str, Any] = field(default_factory=dict, hash=False)
    policy: Optional[PolicyRule] = None


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


def _reachable(gateway: str, on_link: Sequence[Tuple[str, str]], interface: Optional[str] = None) -> bool:
    """Return whether a gateway is in one of the networks, of those behind ``interface`` where it is given."""
    ip = ipaddress.ip_address(gateway)
    nets = [net for net, where in on_link if not interface or where in ("", interface)]
    return ip.is_link_local or any(ip in ipaddress.ip_network(net, strict=False) for net in nets)


def _same_ways(asked: Sequence[Nexthop], there: Sequence[Nexthop]) -> bool:
    """Return whether the nexthops are the asked ones; an interface that is not asked for may be any."""
    left = list(there)
    for hop in asked:
        found = next((one for one in left if hop in (one, replace(one, interface=""))), None)
        if found is None:
            return False
        left.remove(found)
    return not left


class NsRouteResource(Resource[Want, Have]):
    noun = "ns_route"
    identity = ("destination",)
    options: Dict[str, Any] = {
        "destination": {"type": "str", "default": "default"},
        "family": {"type": "str", "choices": ["ipv4", "ipv6"]},
        **STATE,
        **NETNS,
        "gateway": {"type": "str"},
        "interface": {"type": "str"},
        "metric": {"type": "int"},
        "table": {"type": "str", "default": "main"},
        "source": {"type": "str"},
        "scope": {"type": "str", "choices": ["global", "site", "link", "host", "nowhere"]},
        "type": {"type": "str", "choices": _TYPES},
        "mtu": {"type": "int"},
        "advmss": {"type": "int"},
        "onlink": {"type": "bool"},
        **policy_rule.OPTIONS,
        "nexthops": {
            "type": "list",
            "elements": "dict",
            "options": {
                "gateway": {"type": "str"},
                "interface": {"type": "str"},
                "weight": {"type": "int", "default": 1},
            },
        },
    }
    rules = {
        "mutually_exclusive": [["nexthops", "gateway"], ["nexthops", "interface"]],
        "required_by": policy_rule.REQUIRED_BY,
    }

    def parse(self, params: Mapping[str, Any]) -> Want:
        given: Dict[str, Any] = {
            name: params[name]
            for name in ("metric", "scope", "type", "mtu", "advmss", "onlink")
            if params.get(name) is not None
        }
        for name, high in (("metric", 4294967295), ("mtu", 65535), ("advmss", 65535)):
            if not 0 <= given.get(name, 0) <= high:
                raise Invalid("%s: %d is out of bounds; it must be from 0 to %d." % (name, given[name], high))
        for name in ("gateway", "source"):
            if params.get(name) is not None:
                given[name] = str(address(params[name], name))
        if params.get("interface") is not None:
            given["interface"] = interface_name(params["interface"], "interface")
        if params.get("nexthops") is not None:
            given["nexthops"] = self._nexthops(params["nexthops"])
        addresses = [given[name] for name in ("gateway", "source") if name in given] + [
            hop.gateway for hop in given.get("nexthops", ()) if hop.gateway
        ]
        table = self._table(params["table"])
        policy = policy_rule.parse(params, table, tuple(_TABLES.values()))
        family, destination = self._destination(params, addresses + ([policy.source.split("/")[0]] if policy else []))
        if given.get("metric") == 0:
            given["metric"] = _DEFAULT_METRIC[family]
        for one in addresses:
            if ipaddress.ip_address(one).version != family:
                raise Invalid(
                    "gateway: %s is not of the same address family as the destination %s."
                    % (one, params["destination"])
                )
        if policy and policy.family != family:
            raise Invalid(
                "rule_source: %s is not of the same address family as the route %s." % (policy.source, destination)
            )
        if family == 6:
            given.pop("scope", None)  # the kernel has none for IPv6
        if given.get("type", "unicast") != "unicast" and {"gateway", "nexthops"} & set(given):
            raise Invalid("type: a %s route has no gateway." % given["type"])
        return Want(
            NsRef.parse(params.get("netns")),
            family,
            destination,
            table,
            params["state"] == "present",
            given,
            policy,
        )

    @staticmethod
    def _destination(params: Mapping[str, Any], addresses: Sequence[str]) -> Tuple[int, str]:
        text, asked = params["destination"], {"ipv4": 4, "ipv6": 6, None: 0}[params.get("family")]
        if text == "default":
            family = asked or (ipaddress.ip_address(addresses[0]).version if addresses else 4)
            return family, "0.0.0.0/0" if family == 4 else "::/0"
        net = network(text, "destination")
        if asked and asked != net.version:
            raise Invalid("family: %s is not an %s network." % (net, params["family"]))
        return net.version, str(net)

    @staticmethod
    def _nexthops(items: Sequence[Mapping[str, Any]]) -> Tuple[Nexthop, ...]:
        hops = []
        for item in items:
            gateway, interface = item.get("gateway"), item.get("interface")
            if not gateway and not interface:
                raise Invalid("nexthops: each needs a gateway or an interface.")
            if not 1 <= item["weight"] <= 256:
                raise Invalid("nexthops: weight %d is out of bounds; it must be from 1 to 256." % item["weight"])
            hops.append(
                Nexthop(
                    str(address(gateway, "nexthops")) if gateway else "",
                    interface_name(interface, "nexthops") if interface else "",
                    item["weight"],
                )
            )
        if len(hops) < 2:
            raise Invalid("nexthops: a multipath route needs two or more; for one use gateway and interface.")
        return tuple(sorted(hops))

    @staticmethod
    def _table(value: str) -> int:
        if value in _TABLES:
            return _TABLES[value]
        if not value.isdigit() or not 1 <= int(value) <= 4294967295:
            raise Invalid("table: '%s' is neither main, default, local nor a number from 1 to 4294967295." % value)
        return int(value)

    def together(self, wants: Sequence[Want]) -> List[Want]:
        policy_rule.agreed([(want.ns, want.policy) for want in wants if want.policy and want.present])
        return list(wants)

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
        routes, others = [], []
        for route in state.routes(ns, want.family, want.table):
            if route.destination == want.destination and route.type in _TYPES:
                routes.append(route)
            else:
                others.append(route)
        have = Have(
            tuple(routes),
            policies=tuple(state.policies(ns, want.family)) if want.policy else (),
            beside=any(route.protocol == PROTOCOL for route in others),
        )
        if not want.present:
            return have
        certain = ns > 0
        hops = want.given.get("nexthops", ())
        ways = [
            (want.given.get("gateway"), want.given.get("interface")),
            *((hop.gateway, hop.interface) for hop in hops),
        ]
        for dummy, name in ways:
            if name:
                certain = state.need_link(ns, want.ns, name, "interface").index > 0 and certain
        on_link = [
            (route.destination, route.interface)
            for route in state.routes(ns, want.family, MAIN_TABLE)
            if not route.gateway and not route.nexthops and route.type == "unicast"
        ]
        on_link += [
            ("%s/%d" % (one.peer, one.prefix), "")
            for dummy, one in state.addresses(ns)
            if one.peer and one.family == want.family
        ]
        on_link += connected(state, ns, want.family)
        if not state.predict:
            certain = True
        elif not certain:
            certain = all(_reachable(gateway, on_link, name) for gateway, name in ways if gateway)
        elif not want.given.get("onlink"):
            for gateway in [one for one, dummy in ways if one and not _reachable(one, on_link)]:
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
        was, rule, led = policy_rule.present(want.ns, want.policy, have.policies)  # once the table has the route
        # Check mode may run before the subnet is there that tells the interface of a gateway.
        hidden = () if before or "interface" in want.given else ("interface",)
        return Plan(
            self._describe(want, before, was) if before else {},
            self._describe(want, wanted, rule),
            (*changes, *led),
            hidden=hidden,
        )

    def _removal(self, want: Want, have: Have) -> Plan:
        """Return the plan for a route that is to go, and its rule. A table that another rule of ours leads to keeps the route; the
        rule stays as long as its table has other routes of ours."""
        there = [route for route in have.routes if not self._differs(want, route)]
        shared = policy_rule.shared(want.policy, have.policies)
        doomed = [] if shared else there
        left = have.beside or any(route.protocol == PROTOCOL and route not in doomed for route in have.routes)
        was, rule, freed = policy_rule.absent(want.ns, want.policy, have.policies, needed=left and not shared)
        before: Dict[str, Any] = {}
        if there:
            before = self._describe(want, there[0], was)
        elif freed:  # the route went by itself, with its interface
            before = {"netns": want.ns.option, "table": str(want.table), **policy_rule.described(was)}
        after = self._describe(want, there[0], rule) if there and shared else {}
        return Plan(before, after, (*freed, *(DelRoute(want.ns, route) for route in doomed)))

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
            metric = _DEFAULT_METRIC[want.family]
        keyed = [route for route in routes if route.metric == metric]
        if keyed:
            best = [route for route in keyed if same_way(route)]
            return (best or keyed)[0], None
        return None, ways[0] if ways and "metric" in want.given else None

    @staticmethod
    def _wanted(want: Want, old: Optional[Route]) -> Route:
        """Return the route as it is to be: what is given, on top of what is there and not managed."""
        given = dict(want.given)
        route = Route(
            want.family,
            want.destination,
            want.table,
            given.pop("metric", old.metric if old else _DEFAULT_METRIC[want.family]),
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
        reach = [(net, where) for net, where in have.on_link if not interface or where in ("", interface)]
        behind = [
            (net, where)
            for net, where in reach
            if ipaddress.ip_address(gateway) in ipaddress.ip_network(net, strict=False)
        ]
        if not behind:
            nets = ", ".join(net for net, dummy in reach if not net.startswith("fe80:")) or "none"
            where = " behind %s" % interface if interface else ""
            raise Refused(
                "gateway: %s is in no on-link subnet of %s%s (%s); add an address of its subnet first, or set onlink: true."
                % (gateway, want.ns, where, nets)
            )
        return interface or max(behind, key=lambda pair: int(pair[0].split("/")[1]))[1]

    @staticmethod
    def _describe(want: Want, route: Route, rule: Optional[PolicyRule] = None) -> Dict[str, Any]:
        described: Dict[str, Any] = {
            "destination": route.shown_destination,
            "family": "ipv%d" % route.family,
            "netns": want.ns.option,
            "table": {value: key for key, value in _TABLES.items()}.get(route.table, str(route.table)),
            "metric": route.metric,
        }
        described.update({name: getattr(route, name) or None for name in _FIELDS if name not in ("nexthops", "onlink")})
        described["onlink"] = route.onlink
        described["nexthops"] = [
            {"gateway": hop.gateway or None, "interface": hop.interface or None, "weight": hop.weight}
            for hop in route.nexthops
        ]
        return dict(described, **policy_rule.described(rule))


RESOURCE = NsRouteResource()
