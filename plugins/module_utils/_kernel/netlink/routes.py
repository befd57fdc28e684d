# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Routes and policy rules over route netlink."""

from __future__ import annotations

import errno
import socket
import struct
from dataclasses import replace as replaced
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import codec
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import (
    ACK,
    CREATE,
    EXCL,
    FAMILIES,
    REPLACE,
    NetlinkError,
    Socket,
    attributes,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import (
    BY_KERNEL,
    MARK_BIT,
    PROTOCOL,
    UPLINK_BITS,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    LoopbackGuards,
    Nexthop,
    PolicyRule,
    Route,
    RouteTable,
    Run,
)

_NEWROUTE, _DELROUTE, _GETROUTE = 24, 25, 26
_NEWRULE, _DELRULE, _GETRULE = 32, 33, 34
_ONLINK = 4  # RTNH_F_ONLINK
_NEXTHOP = struct.Struct("=HBBi")  # struct rtnexthop: length, flags, weight less one, interface index
_GATEWAY, _VIA = 5, 18  # RTA_GATEWAY, RTA_VIA
_FAMILY = struct.Struct("=H")  # what struct rtvia begins with, before the address
_TO_TABLE, _PROHIBIT, _PERMANENT = 1, 8, 1  # FR_ACT_TO_TBL, FR_ACT_PROHIBIT, FIB_RULE_PERMANENT
_LOCAL = 255  # the table local
_NO_RULES = (errno.EOPNOTSUPP, errno.EAFNOSUPPORT)  # a kernel without policy routing
# Attributes of a rule without conditions but those that we know.
_PLAIN = ("FRA_SRC", "FRA_PRIORITY", "FRA_TABLE", "FRA_PROTOCOL", "FRA_SUPPRESS_PREFIXLEN", "FRA_FWMARK", "FRA_FWMASK")
_SUPPRESS_NONE = 0xFFFFFFFF  # FRA_SUPPRESS_PREFIXLEN of a rule that suppresses nothing
_NO_IPV6 = (errno.EAFNOSUPPORT, errno.EOPNOTSUPP)
_ANY_TYPE = 0  # RTN_UNSPEC
_TYPES = {
    "unicast": 1,
    "local": 2,
    "broadcast": 3,
    "anycast": 4,
    "multicast": 5,
    "blackhole": 6,
    "unreachable": 7,
    "prohibit": 8,
    "throw": 9,
}
_TYPE_NAMES = {value: name for name, value in _TYPES.items()}
_NOWHERE = ("blackhole", "unreachable", "prohibit", "throw")

Fields = Dict[str, Any]


def read_all(sock: Socket, family: int, table: int, name: Callable[[int], str], protocol: int = 0) -> RouteTable:
    """Return the routes of a table, or those of a protocol, of which the kernel sends no others (before 4.20 it does); ``name`` says how the interface
    of an index is called.

    A container's root can make any number of them, alike but for their destination: only that is kept of each.
    """
    fields = {"family": FAMILIES[family], "table": _short(table), "proto": protocol}
    try:
        found = codec.dump_in_runs(sock, codec.routemsg, _GETROUTE, fields, [("RTA_TABLE", table)], {"RTA_DST": 0})
    except NetlinkError as error:
        if error.errno == errno.ENOENT or error.errno in _NO_IPV6:  # a table that does not exist yet
            return RouteTable()
        raise
    known: Dict[int, Route] = {}
    runs: List[Run] = []
    for run in found:
        first = run.first
        # For a type of service of its own there is another route to the same destination, which is nobody's here.
        if first["family"] != FAMILIES[family] or first["tos"] or (protocol and first["proto"] != protocol):
            continue
        route = known.get(run.alike) or route_of(first, name)
        known[run.alike] = route
        if route.table == table:
            several = bool(codec.address_text(first.raw("RTA_DST")))
            runs += (
                [Run(route, run.values("RTA_DST"), codec.address_text)]
                if several
                else map(Run, [route] * len(run.data))
            )
    return RouteTable(runs=runs)


def read_marked(sock: Socket, protocol: int) -> Tuple[Set[Tuple[int, int]], Set[int]]:
    """Return (family, table) of the tables in which routes of a protocol are, and the families of which there are policy rules of it."""
    found = codec.dump(sock, codec.rtmsg, _GETROUTE, {"proto": protocol})
    rules = codec.dump(sock, codec.fibmsg, _GETRULE, {})
    return (
        {
            (codec.VERSIONS[message["family"]], message.get_attr("RTA_TABLE") or message["table"])
            for message in found
            if message["family"] in codec.VERSIONS and message["proto"] == protocol
        },
        {
            codec.VERSIONS[message["family"]]
            for message in rules
            if message["family"] in codec.VERSIONS and message.get_attr("FRA_PROTOCOL") == protocol
        },
    )


def _short(table: int) -> int:
    """Return a table's number for the header, which has a byte for it; 0 where the attribute alone has it."""
    return table if table < 256 else 0


def route_of(message: codec.Message, name: Callable[[int], str]) -> Route:
    """Return a route. A blackhole's interface (IPv6 has one) and the order of nexthops mean nothing."""
    family = codec.VERSIONS[message["family"]]
    destination = message.get_attr("RTA_DST") or ("0.0.0.0" if family == 4 else "::")
    metrics = message.get_attr("RTA_METRICS")
    hops = list(_nexthops(message.raw("RTA_MULTIPATH")))
    kind = _TYPE_NAMES.get(message["type"], str(message["type"]))
    everywhere = bool(hops) and all(hop.onlink for hop, dummy in hops)  # it stands in each hop, not in the header
    return Route(
        family=family,
        destination="%s/%d" % (destination, message["dst_len"]),
        table=message.get_attr("RTA_TABLE") or message["table"],
        metric=message.get_attr("RTA_PRIORITY") or 0,
        type=kind,
        gateway=message.get_attr("RTA_GATEWAY") or _via(message.raw("RTA_VIA")),
        interface="" if kind in _NOWHERE else name(message.get_attr("RTA_OIF") or 0),
        source=message.get_attr("RTA_PREFSRC") or "",
        scope=codec.scope_name(message["scope"]),
        mtu=(metrics.get_attr("RTAX_MTU") or 0) if metrics else 0,
        advmss=(metrics.get_attr("RTAX_ADVMSS") or 0) if metrics else 0,
        onlink=everywhere or bool(message["flags"] & _ONLINK),
        nexthops=tuple(
            sorted(replaced(hop, interface=name(index), onlink=hop.onlink and not everywhere) for hop, index in hops)
        ),
        nexthop_id=message.get_attr("RTA_NH_ID") or 0,
        protocol=message["proto"],
    )


def _nexthops(data: bytes) -> Iterator[Tuple[Nexthop, int]]:
    """Yield (nexthop without its interface, interface index) of a multipath route."""
    while len(data) >= _NEXTHOP.size:
        length, flags, hops, index = _NEXTHOP.unpack_from(data)
        if not _NEXTHOP.size <= length <= len(data):
            break
        attrs = attributes(data[_NEXTHOP.size : length])
        gateway = codec.address_text(attrs.get(_GATEWAY, b"")) or _via(attrs.get(_VIA, b""))
        yield Nexthop(gateway, "", hops + 1, bool(flags & _ONLINK)), index
        data = data[(length + 3) & ~3 :]


def _via(data: bytes) -> str:
    """Return the gateway of another address family than the route's, ``""`` for none."""
    return codec.address_text(data[_FAMILY.size :])


def put(sock: Socket, route: Route, index: int, nexthop_indexes: Sequence[int], replace: bool) -> None:
    """Add a route; with ``replace`` in place of the route that has its key. Raises `NetlinkError`."""
    flags = ACK | CREATE | (REPLACE if replace else EXCL)
    codec.request(sock, codec.routemsg, _NEWROUTE, flags, *_route_message(route, index, nexthop_indexes))


def delete(sock: Socket, route: Route, index: int, nexthop_indexes: Sequence[int]) -> None:
    """Remove a route. Raises `NetlinkError`."""
    if route.family == 4 and any(":" in hop.gateway for hop in route.nexthops):
        route, nexthop_indexes = replaced(route, nexthops=()), ()  # its key will do
    fields, attrs = _route_message(route, index, nexthop_indexes)
    if route.nexthop_id:
        fields["type"] = _ANY_TYPE  # what it is shown as need not be its own
    codec.request(sock, codec.routemsg, _DELROUTE, ACK, {**fields, "flags": 0}, attrs)


def _route_message(route: Route, index: int, nexthop_indexes: Sequence[int]) -> Tuple[Fields, codec.Attributes]:
    address, length = route.destination.split("/")
    attrs: codec.Attributes = [("RTA_TABLE", route.table)]
    if int(length):
        attrs.append(("RTA_DST", address))
    if route.nexthop_id:  # an object of its own, that has the ways; beside it they are refused
        attrs.append(("RTA_NH_ID", route.nexthop_id))
        # The route to an object that leads nowhere is shown as a blackhole, whatever its own type.
        kind = "unicast" if route.type == "blackhole" else route.type
        route, index = replaced(route, gateway="", onlink=False, nexthops=(), type=kind), 0
    if route.gateway and route.family == 4 and ":" in route.gateway:
        attrs.append(("RTA_VIA", _FAMILY.pack(FAMILIES[6]) + socket.inet_pton(socket.AF_INET6, route.gateway)))
    elif route.gateway:
        attrs.append(("RTA_GATEWAY", route.gateway))
    if index:
        attrs.append(("RTA_OIF", index))
    if route.metric:
        attrs.append(("RTA_PRIORITY", route.metric))
    if route.source:
        attrs.append(("RTA_PREFSRC", route.source))
    metrics = [(name, value) for name, value in (("RTAX_MTU", route.mtu), ("RTAX_ADVMSS", route.advmss)) if value]
    if metrics:
        attrs.append(("RTA_METRICS", {"attrs": metrics}))
    if route.nexthops:
        hops = [
            {
                "flags": _ONLINK if route.onlink or hop.onlink else 0,
                "hops": hop.weight - 1,
                "oif": hop_index,
                "family": FAMILIES[route.family],
                "attrs": [("RTA_GATEWAY", hop.gateway)] if hop.gateway else [],
            }
            for hop, hop_index in zip(route.nexthops, nexthop_indexes)
        ]
        attrs.append(("RTA_MULTIPATH", hops))
    fields = {
        "family": FAMILIES[route.family],
        "dst_len": int(length),
        "table": _short(route.table),
        "proto": route.protocol,
        "scope": codec.SCOPES[route.scope],
        "type": _TYPES[route.type],
        "flags": _ONLINK if route.onlink and not route.nexthops else 0,
    }
    return fields, attrs


def read_policies(sock: Socket, family: int) -> List[PolicyRule]:
    """Return the policy rules that have no condition but the source, or the mark of an uplink, and lead to a table; all others are left out."""
    try:
        found = codec.dump(sock, codec.fibmsg, _GETRULE, {"family": FAMILIES[family]})
    except NetlinkError as error:
        if error.errno in _NO_IPV6:
            return []
        raise
    rules = (_policy(message) for message in found if message["family"] == FAMILIES[family])
    return [rule for rule in rules if rule is not None]


def _policy(message: codec.Message) -> Optional[PolicyRule]:
    """Return a rule, None where it has another condition, or does anything but look up a table."""
    attrs = {name: message.get_attr(name) for name in message.names() if name in _PLAIN}
    suppressed, mark = attrs.get("FRA_SUPPRESS_PREFIXLEN", _SUPPRESS_NONE), attrs.get("FRA_FWMARK", 0)
    plain = len(attrs) == len(message.names()) and attrs.get("FRA_FWMASK", 0) == (UPLINK_BITS if mark else 0)
    if (
        not plain
        or suppressed not in ((_SUPPRESS_NONE, 0) if mark else (_SUPPRESS_NONE,))
        or message["action"] != _TO_TABLE
        or message["flags"] & ~_PERMANENT
    ):
        return None
    if message["dst_len"] or message["tos"]:
        return None
    version = codec.VERSIONS[message["family"]]
    source = attrs.get("FRA_SRC", "0.0.0.0" if version == 4 else "::")
    return PolicyRule(
        version,
        "%s/%d" % (source, message["src_len"]),
        attrs.get("FRA_TABLE", message["table"]),
        attrs.get("FRA_PRIORITY", 0),
        attrs.get("FRA_PROTOCOL", 0),
        mark,
        suppressed == 0,
    )


def add_policy(sock: Socket, rule: PolicyRule) -> None:
    """Add a policy rule. Raises `NetlinkError`."""
    codec.request(sock, codec.fibmsg, _NEWRULE, ACK | CREATE | EXCL, *_policy_message(rule))


def delete_policy(sock: Socket, rule: PolicyRule) -> None:
    """Remove a policy rule. Raises `NetlinkError`."""
    codec.request(sock, codec.fibmsg, _DELRULE, ACK, *_policy_message(rule))


def _policy_message(rule: PolicyRule) -> Tuple[Fields, codec.Attributes]:
    address, length = rule.source.split("/")
    attrs: codec.Attributes = [
        ("FRA_TABLE", rule.table),
        ("FRA_PRIORITY", rule.priority),
        ("FRA_PROTOCOL", rule.protocol),
    ]
    if int(length):
        attrs.append(("FRA_SRC", address))
    if rule.mark:
        attrs += [("FRA_FWMARK", rule.mark), ("FRA_FWMASK", UPLINK_BITS)]
    if rule.no_default:
        attrs.append(("FRA_SUPPRESS_PREFIXLEN", 0))
    fields = {
        "family": FAMILIES[rule.family],
        "src_len": int(length),
        "table": _short(rule.table),
        "action": _TO_TABLE,
    }
    return fields, attrs


# --- guards: policy rules that let nothing for 127.0.0.0/8 in by an interface but what has our bit in its mark ---
# Routing asks the table local first, by a rule at priority 0, and that knows all of 127.0.0.0/8. No priority is before 0, and what is added at
# one comes last there. So the kernel's rule is put anew, as it was, behind ours.


def read_guards(sock: Socket) -> LoopbackGuards:
    """Return by which interfaces nothing gets in: those whose rule is asked before the table local."""
    rules = _ipv4_rules(sock)
    in_force = list(map(_is_local, rules)).index(True) if any(map(_is_local, rules)) else len(rules)
    names = dict.fromkeys(filter(None, map(_guarded, rules[:in_force])))
    late = dict.fromkeys(filter(None, map(_guarded, rules[in_force:])))
    behind = any(map(_is_first_local, rules))
    return LoopbackGuards(tuple(names), behind, tuple(name for name in late if name not in names))


def add_guard(sock: Socket, interface: str) -> None:
    """Guard an interface. Raises `NetlinkError`."""
    if interface in read_guards(sock).interfaces:
        return
    if interface not in map(_guarded, _ipv4_rules(sock)):
        _change_guard(sock, _NEWRULE, ACK | CREATE | EXCL, interface)
    # The one behind ours first, so that there is one at any time.
    rules = _ipv4_rules(sock)
    place = [_guarded(rule) for rule in rules].index(interface)
    behind = [rule.get_attr("FRA_PROTOCOL") for rule in filter(_is_first_local, rules[place:])]
    for rule in filter(_is_first_local, rules[:place]):
        if rule.get_attr("FRA_PROTOCOL") not in behind:  # else one that ended half-way left it there
            _change_local(sock, _NEWRULE, ACK | CREATE, rule)
        _change_local(sock, _DELRULE, ACK, rule)  # the first of them


def delete_guard(sock: Socket, interface: str) -> None:
    """Guard an interface no longer. Raises `NetlinkError`."""
    _change_guard(sock, _DELRULE, ACK, interface)
    seen = []
    for rule in filter(_is_first_local, _ipv4_rules(sock)):
        protocol = rule.get_attr("FRA_PROTOCOL")
        if protocol in seen:  # put anew by one that ended half-way: nobody else can make a second that is the same
            _change_local(sock, _DELRULE, ACK, rule)
        seen.append(protocol)


def _change_local(sock: Socket, type_: int, flags: int, like: codec.Message) -> None:
    """Put the rule that looks up the table local anew, or take the first of its kind away."""
    protocol = like.get_attr("FRA_PROTOCOL")
    attrs: codec.Attributes = [("FRA_PRIORITY", 0), ("FRA_TABLE", _LOCAL)]
    attrs.append(("FRA_PROTOCOL", BY_KERNEL if protocol is None else protocol))
    codec.request(
        sock, codec.fibmsg, type_, flags, {"family": FAMILIES[4], "table": _LOCAL, "action": _TO_TABLE}, attrs
    )


def _ipv4_rules(sock: Socket) -> List[codec.Message]:
    """Return the policy rules of IPv4, in the order in which they are asked."""
    try:
        found = codec.dump(sock, codec.fibmsg, _GETRULE, {"family": FAMILIES[4]})
        return [rule for rule in found if rule["family"] == FAMILIES[4]]
    except NetlinkError as error:
        if error.errno in _NO_RULES:
            return []
        raise


def _is_local(rule: codec.Message) -> bool:
    """Return whether every packet is looked up in the table local."""
    names = {"FRA_TABLE", "FRA_PROTOCOL", "FRA_PRIORITY", "FRA_SUPPRESS_PREFIXLEN"}
    plain = not {*rule.names()} - names and not rule["src_len"] and not rule["dst_len"] and not rule["flags"] & 2
    return plain and rule["action"] == _TO_TABLE and (rule.get_attr("FRA_TABLE") or rule["table"]) == _LOCAL


def _is_first_local(rule: codec.Message) -> bool:
    """Return whether it is such a rule at priority 0."""
    return _is_local(rule) and not rule.get_attr("FRA_PRIORITY")


def _guarded(rule: codec.Message) -> str:
    """Return the interface that a rule of ours guards, ``""`` where it is another rule."""
    known: Dict[str, object] = {name: rule.get_attr(name) for name in rule.names()}
    wanted = {"FRA_DST": "127.0.0.0", "FRA_FWMASK": MARK_BIT, "FRA_PROTOCOL": PROTOCOL}
    alike = all(known.get(name) == value for name, value in wanted.items()) and not known.get("FRA_FWMARK")
    ours = alike and rule["action"] == _PROHIBIT and rule["dst_len"] == 8 and not rule["src_len"]
    return str(known.get("FRA_IIFNAME") or "") if ours else ""


def _change_guard(sock: Socket, type_: int, flags: int, interface: str) -> None:
    attrs: codec.Attributes = [("FRA_PRIORITY", 0), ("FRA_IIFNAME", interface), ("FRA_DST", "127.0.0.0")]
    attrs += [("FRA_FWMARK", 0), ("FRA_FWMASK", MARK_BIT), ("FRA_PROTOCOL", PROTOCOL)]
    fields = {"family": FAMILIES[4], "dst_len": 8, "action": _PROHIBIT}
    codec.request(sock, codec.fibmsg, type_, flags, fields, attrs)
