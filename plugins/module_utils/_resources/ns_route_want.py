# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task wants of routes: the options of ns_route, one sanitizer each. Pure."""

from __future__ import annotations

import collections
import ipaddress
from dataclasses import field
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import values
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import address, cidr, ip, text
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import known_name
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    MAIN_TABLE,
    Nexthop,
    NsRef,
    PolicyRule,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import policy_rule
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import NETNS, STATE

TYPES = ["unicast", "blackhole", "unreachable", "prohibit", "throw"]
EVERYWHERE = {4: "0.0.0.0/0", 6: "::/0"}
DEFAULT_METRIC = {4: 0, 6: 1024}  # what the kernel takes where none is given: IP6_RT_PRIO_USER

OPTIONS: Dict[str, Any] = {
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
    "type": {"type": "str", "choices": TYPES},
    "mtu": {"type": "int"},
    "advmss": {"type": "int"},
    "onlink": {"type": "bool"},
    "direct_gateway": {"type": "str"},
    "optional": {"type": "bool", "default": False},
    "exclusive": {"type": "bool", "default": False},
    "network": {"type": "str"},
    "keep": {"type": "list", "elements": "str"},
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
RULES: Dict[str, Any] = {
    "mutually_exclusive": [["nexthops", "gateway"], ["nexthops", "interface"]],
    "required_by": policy_rule.REQUIRED_BY,
}


@dataclass(frozen=True)
class Want:
    """``given`` holds what the user asked for, by the names of `Route`; what is not in it is not managed. ``policy`` is the rule that
    is to lead to the table, its priority 0 where none is asked for. ``exclusive``: what of ours the task does not ask for goes; ``keep``, of
    the last such item of a namespace only, is what the task asks for there. ``direct`` is the gateway to take where it is on a link; ``optional``: without
    it, and any other way, the route is left out. ``network``: not a
    route is meant but those to the other parts of that bridge's network, apart from the destinations in ``spared``."""

    ns: NsRef
    family: int
    destination: str
    table: int
    present: bool = True
    given: Mapping[str, Any] = field(default_factory=dict, hash=False)
    policy: Optional[PolicyRule] = None
    exclusive: bool = False
    keep: Optional[Tuple[Want, ...]] = None
    direct: str = ""
    optional: bool = False
    network: str = ""
    spared: FrozenSet[str] = frozenset()

    @property
    def nothing(self) -> bool:
        """Return whether the item asks for no route of its own to be there or gone."""
        return (self.exclusive and not self.present) or bool(self.network)

    @property
    def nowhere(self) -> bool:
        """Return whether there is no way to the destination, for what would be straight is not."""
        return self.present and bool(self.direct) and not any(map(any, self.ways))

    @property
    def ways(self) -> List[Tuple[str, str]]:
        """Return (gateway, interface) of every way that is asked for, each ``""`` where it is left out."""
        ways = [(self.given.get("gateway", ""), self.given.get("interface", ""))]
        return ways + [(hop.gateway, hop.interface) for hop in self.given.get("nexthops", ())]


def _check_ways(want: Want) -> None:
    """Raise `Invalid` for ways that the kernel is known to refuse, whatever there is."""
    hops = want.given.get("nexthops", ())
    scope = want.given.get("scope")
    kind = want.given.get("type", "unicast")
    if kind != "unicast":
        for name in ("interface", "onlink", "scope"):
            if want.given.get(name):
                raise Invalid("%s: it does not go with type: %s." % (name, kind))
    if scope == "nowhere":
        raise Invalid("scope: nothing is reached by a route of scope nowhere.")
    if scope in ("link", "host") and any(gateway for gateway, dummy in want.ways):
        raise Invalid("scope: a route by a gateway reaches further than the scope %s." % scope)
    if want.family == 6 and any(not hop.gateway for hop in hops):
        raise Invalid("nexthops: over IPv6 each needs a gateway.")
    ways = [(hop.gateway, hop.interface) for hop in hops]
    for way in ways:
        if ways.count(way) > 1:
            raise Invalid(
                "nexthops: %s is asked for twice; give it once, with a weight." % " dev ".join(filter(None, way))
            )
    for gateway, interface in want.ways:
        if gateway and not interface and link_local(gateway):
            option = "nexthops" if hops else "gateway"
            raise Invalid("%s: %s is link-local, which is on every link; name its interface." % (option, gateway))


def link_local(gateway: str) -> bool:
    """Return whether a gateway is one of those of IPv6 that are on every link."""
    return gateway.startswith("fe") and ipaddress.ip_address(gateway).is_link_local


def _router(value: Any, option: str) -> str:
    """Return an address that a router can have."""
    parsed = address(value, option)
    found = text(parsed)
    if parsed.is_multicast or parsed.is_unspecified or parsed.is_loopback or found == "255.255.255.255":
        raise Invalid("%s: %s is not an address a router can have." % (option, found))
    return found


def _nexthops(items: Sequence[Mapping[str, Any]], option: str) -> Tuple[Nexthop, ...]:
    """Return the nexthops of the option, sorted."""
    hops = []
    for item in items:
        gateway, interface, weight = item.get("gateway"), item.get("interface"), item["weight"]
        if not gateway and not interface:
            raise Invalid("%s: each needs a gateway or an interface." % option)
        if isinstance(weight, bool) or not 1 <= weight <= 256:
            raise Invalid("%s: weight %s is out of bounds; it must be from 1 to 256." % (option, weight))
        hops.append(
            Nexthop(
                _router(gateway, option) if gateway else "", known_name(interface, option) if interface else "", weight
            )
        )
    if len(hops) < 2:
        raise Invalid("%s: a multipath route needs two or more; for one use gateway and interface." % option)
    return tuple(sorted(hops))


# The options that are attributes of the route, by the names of `Route`, each with its sanitizer.
_GIVEN: Mapping[str, values.Sanitizer] = {
    "metric": values.integer(0, values.U32),
    # What is more the kernel cuts off (net/ipv4/metrics.c): the longest IPv4 packet less 15 bytes, or less its headers.
    "mtu": values.integer(0, 65520),
    "advmss": values.integer(0, 65495),
    "scope": values.unchanged,
    "type": values.unchanged,
    "onlink": values.unchanged,
    "gateway": _router,
    "source": ip,
    "interface": known_name,
    "nexthops": _nexthops,
}


def _family(text: str) -> int:
    return 6 if ":" in text else 4


def parse(params: Mapping[str, Any]) -> Want:
    """Return the want that validated options mean. Raises `Invalid`."""
    if params.get("network") is not None:
        return _of_network(params)
    if params.get("keep") is not None:
        raise Invalid("keep: it goes with network.")
    given = values.given(params, _GIVEN)
    addresses = [given[name] for name in ("gateway", "source") if name in given]
    addresses += [hop.gateway for hop in given.get("nexthops", ()) if hop.gateway]
    direct = _router(params["direct_gateway"], "direct_gateway") if params.get("direct_gateway") else ""
    table = values.route_table(params["table"], "table")
    policy = policy_rule.parse(params, table, tuple(values.TABLES.values()))
    family, destination = _destination(params, addresses + ([policy.source] if policy else []))
    if given.get("metric") == 0:
        given["metric"] = DEFAULT_METRIC[family]
    for one in addresses:
        # An IPv4 route by a router's IPv6 address (RFC 8950), as on links without IPv4: with its interface, since without one it may be a mistake.
        by_ipv6 = family == 4 and one == given.get("gateway") and "interface" in given
        if _family(one) != family and not by_ipv6:
            raise Invalid(
                "gateway: %s is not of the same address family as the destination %s." % (one, params["destination"])
            )
    if policy and policy.family != family:
        raise Invalid(
            "rule_source: %s is not of the same address family as the route %s." % (policy.source, destination)
        )
    if family == 6:
        given.pop("scope", None)  # the kernel has none for IPv6
    if given.get("type", "unicast") != "unicast" and {"gateway", "nexthops"} & set(given):
        raise Invalid("type: a %s route has no gateway." % given["type"])
    present, exclusive = params["state"] == "present", params["exclusive"]
    if exclusive and not present and (given or policy or destination not in EVERYWHERE.values()):
        raise Invalid(
            "exclusive: with state: absent it means all routes of ours that the task does not ask for, so name none."
        )
    _check_direct(direct, given, family)
    ns = NsRef.parse(params.get("netns"))
    optional = params["optional"]
    if optional and not direct:
        raise Invalid("optional: it goes with direct_gateway.")
    want = Want(ns, family, destination, table, present, given, policy, exclusive, direct=direct, optional=optional)
    if present:
        _check_ways(want)
    return want


def _check_direct(direct: str, given: Mapping[str, Any], family: int) -> None:
    """Raise `Invalid` where a ``direct_gateway`` makes no sense."""
    if not direct:
        return
    if _family(direct) != family:
        raise Invalid("direct_gateway: %s is not of the same address family as the destination." % direct)
    if link_local(direct):
        raise Invalid("direct_gateway: %s is link-local, which is on every link." % direct)
    other = next((name for name in ("nexthops", "type") if given.get(name, "unicast") != "unicast"), "")
    if other:
        raise Invalid("direct_gateway: it does not go with %s." % other)


def _of_network(params: Mapping[str, Any]) -> Want:
    """Return the want that means the routes to the other parts of a network. Raises `Invalid`."""
    if params["state"] == "present":
        raise Invalid("network: it says which routes are to be gone, so it needs state: absent.")
    told = [name for name in sorted(_GIVEN) if name != "interface" and params.get(name) is not None]
    told += [] if params["destination"] == "default" else ["destination"]
    if told:
        raise Invalid("%s: it does not go with network." % told[0])
    bridge = known_name(params["network"], "network")
    interface = known_name(params["interface"], "interface") if params.get("interface") else ""
    spared = frozenset(cidr(text, "keep") for text in params.get("keep") or ())
    given = {"interface": interface} if interface else {}
    ns = NsRef.parse(params.get("netns"))
    return Want(ns, 4, EVERYWHERE[4], MAIN_TABLE, False, given, network=bridge, spared=spared)


def _destination(params: Mapping[str, Any], addresses: Sequence[str]) -> Tuple[int, str]:
    """Return (address family, network) of the destination; ``default`` is of the family that ``addresses`` have."""
    asked = {"ipv4": 4, "ipv6": 6, None: 0}[params.get("family")]
    if params["destination"] == "default":
        family = asked or (_family(addresses[0]) if addresses else 4)
        return family, EVERYWHERE[family]
    net = cidr(params["destination"], "destination")
    if asked and asked != _family(net):
        raise Invalid("family: %s is not an %s network." % (net, params["family"]))
    return _family(net), net


def together(wants: Sequence[Want], subject: Callable[[Want], str]) -> List[Want]:
    """Return the wants of a task, each called by its ``subject`` in errors. Raises `Invalid` where they ask for one rule with two priorities, or
    for a route and for its end."""
    policy_rule.agreed([(want.ns, want.policy) for want in wants if want.policy and want.present])
    there: Dict[Tuple[NsRef, str, int], List[Mapping[str, Any]]] = collections.defaultdict(list)
    for want in wants:
        if want.present:
            asked = {"metric": DEFAULT_METRIC[want.family], "type": "unicast", **want.given}
            there[want.ns, want.destination, want.table].append(asked)
    for want in wants:
        gone = [] if want.present or want.nothing else there.get((want.ns, want.destination, want.table), [])
        if any(all(asked.get(name) == value for name, value in want.given.items()) for asked in gone):
            raise Invalid("The %s is asked for, and asked to be gone; list it once." % subject(want))
    return list(wants)
