# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why the kernel sends a packet nowhere, and the switches that routing heeds besides. Pure."""

from __future__ import annotations

import errno
from typing import Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import MAIN_TABLE, Link, Route
from ansible_collections.linuxnet.containers.plugins.module_utils._model.ways import Asked, Way
from ansible_collections.linuxnet.containers.plugins.module_utils._path.facts import number_of
from ansible_collections.linuxnet.containers.plugins.module_utils._path.packet import Packet
from ansible_collections.linuxnet.containers.plugins.module_utils._path.sight import Sight
from ansible_collections.linuxnet.containers.plugins.module_utils._path.stops import Stopped

_LOOPBACK = ("127.", "::1")
_NOWHERE = ("blackhole", "unreachable", "prohibit", "throw")
_STRICT, _LOOSE = 1, 2  # rp_filter


def ask(sight: Sight, ns: int, packet: Packet, into: Optional[Link] = None) -> Way:
    """Return where a packet goes from here. Raises `Stopped`."""
    way = sight.ways.way(ns, _asked(packet, into))
    if way.error:
        raise _why(sight, ns, packet, into, way.error)
    if into is not None and way.type not in ("local", "unicast"):
        what = "%s is %s address, and such packets are not followed" % (packet.to, "a " + way.type)
        raise _stopped(sight, ns, packet, into, what, "name the address of one host")
    if way.type == "unicast" and into is not None:
        _forwards(sight, ns, packet, into)
    return way


def _asked(packet: Packet, into: Optional[Link]) -> Asked:
    index = into.index if into is not None else 0
    return Asked(packet.to, packet.source, index, packet.mark or 0, number_of(packet), packet.dport)


def is_way_back(sight: Sight, ns: int, packet: Packet, into: Link) -> Optional[bool]:
    """Return whether an answer to who sent a packet would leave by the interface that it came by, None where that cannot be told."""
    if sight.ways.marks_decide(ns, packet.family):
        return None
    back = sight.ways.way(ns, Asked(packet.source, packet.to if _is_here(sight, ns, packet.to) else ""))
    return not back.error and back.index == into.index


def _is_here(sight: Sight, ns: int, ip: str) -> bool:
    return any(address.ip == ip for dummy, address in sight.addresses(ns))


def _route_get(sight: Sight, ns: int, packet: Packet, into: Optional[Link]) -> str:
    words = ["route", "get", packet.to]
    words += ["from", packet.source] if packet.source else []
    words += ["iif", into.name] if into is not None else []
    words += ["mark", str(packet.mark)] if packet.mark else []
    return sight.command(ns, "ip", *words)


def _stopped(
    sight: Sight, ns: int, packet: Packet, into: Optional[Link], what: str, remedy: str, command: str = ""
) -> Stopped:
    return Stopped(what, sight.label(ns), command or _route_get(sight, ns, packet, into), remedy)


def _forwards(sight: Sight, ns: int, packet: Packet, into: Link) -> None:
    """Raise `Stopped` where nothing is forwarded."""
    key = "net.ipv6.conf.all.forwarding" if packet.family == 6 else sight.key(4, into.name, "forwarding")
    value = (
        sight.sysctl(ns, "net/ipv6/conf/all/forwarding")
        if packet.family == 6
        else sight.of_interface(ns, 4, into, "forwarding")
    )
    if value == "0":
        raise _unforwarded(sight, ns, packet, into, key)


def _unforwarded(sight: Sight, ns: int, packet: Packet, into: Link, key: str) -> Stopped:
    general = "net.ipv6.conf.all.forwarding" if packet.family == 6 else "net.ipv4.ip_forward"
    what = "%s forwards nothing that comes in by %s (%s = 0)" % (sight.label(ns), into.name, key)
    switch = sight.command(ns, "sysctl", "-w", general + "=1")
    remedy = "switch forwarding on (%s), or let a rule of linuxnet.containers.nat do so (ip_forward: true)" % switch
    return _stopped(sight, ns, packet, into, what, remedy, sight.command(ns, "sysctl", general, key))


def _why(sight: Sight, ns: int, packet: Packet, into: Optional[Link], error: int) -> Stopped:
    """Return why the kernel refuses to send a packet on."""
    where = sight.label(ns)
    closed = _closing(sight, ns, packet.to)
    if into is not None:
        if packet.family == 4 and sight.of_interface(ns, 4, into, "forwarding") == "0" and error == errno.EHOSTUNREACH:
            key = sight.key(4, into.name, "forwarding")
            return _unforwarded(sight, ns, packet, into, key)
        if error in (errno.EXDEV, errno.EINVAL) and closed is None:
            return _martian(sight, ns, packet, into)
    if (closed is not None and error != errno.ENETUNREACH) or (closed is not None and closed.type in _NOWHERE):
        what = "%s has a route that sends nothing to %s: %s" % (where, packet.to, closed)
        return _stopped(
            sight, ns, packet, into, what, "remove that route, or add one to that address that leads somewhere"
        )
    if error == errno.EACCES:
        what = "a policy rule of %s prohibits what goes to %s" % (where, packet.to)
        command = sight.command(ns, "ip", *(["-6"] if packet.family == 6 else []), "rule")
        return _stopped(sight, ns, packet, into, what, "see which rule that is, and whose", command)
    if error == errno.EINVAL and packet.source.startswith("127."):
        return _not_localnet(sight, ns, packet)
    if error == errno.EINVAL:
        what = "%s does not have the address %s that it is to send from" % (where, packet.source or "?")
        command = sight.command(ns, "ip", "address")
        return _stopped(sight, ns, packet, into, what, "give it that address, or name another source", command)
    return _no_route(sight, ns, packet, into)


def _closing(sight: Sight, ns: int, ip: str) -> Optional[Route]:
    """Return the route of the main table that leads an address nowhere, if that is the best one."""
    family = 6 if ":" in ip else 4
    found = sight.state.table(ns, family, MAIN_TABLE).holding(ip, lambda route: True)
    best = max(found, key=lambda route: (int(route.destination.partition("/")[2]), -route.metric), default=None)
    return best if best is not None and best.type in _NOWHERE else None


def _not_localnet(sight: Sight, ns: int, packet: Packet) -> Stopped:
    free = sight.ways.way(ns, Asked(packet.to))
    link = sight.link_at(ns, free.index)
    name = link.name if link is not None else "?"
    key = sight.key(4, name, "route_localnet")
    what = "%s sends nothing from 127.0.0.1 out by %s (%s = 0)" % (sight.label(ns), name, key)
    remedy = (
        "publish the port by linuxnet.containers.nat with bridge: %s, which sees to that, or ask for another address of the host"
        % name
    )
    return _stopped(sight, ns, packet, None, what, remedy, sight.command(ns, "sysctl", key))


def _martian(sight: Sight, ns: int, packet: Packet, into: Link) -> Stopped:
    """Return why a packet is not taken in by an interface."""
    where = sight.label(ns)
    if _is_here(sight, ns, packet.source):
        what = "%s comes in by %s from %s, which is an address of %s itself, so it is dropped" % (
            packet.shown,
            into.name,
            packet.source,
            where,
        )
        command = sight.command(ns, "ip", "address")
        return _stopped(sight, ns, packet, into, what, "see who else has that address", command)
    if packet.source.startswith(_LOOPBACK) or packet.to.startswith(_LOOPBACK):
        what = "%s takes nothing from or for 127.0.0.0/8 by %s" % (where, into.name)
        command = sight.command(ns, "sysctl", sight.key(4, into.name, "route_localnet"))
        return _stopped(sight, ns, packet, into, what, "ask for another address of the host", command)
    filters, key = sight.larger(ns, into, "rp_filter"), sight.key(4, into.name, "rp_filter")
    back = sight.ways.way(ns, Asked(packet.source))
    other = sight.link_at(ns, back.index)
    by = "by no way" if back.error or other is None else "by %s" % other.name
    if filters:
        what = "rp_filter of %s drops it: from %s it comes in by %s, and an answer would leave %s" % (
            where,
            packet.source,
            into.name,
            by,
        )
        remedy = "give %s a route to %s by %s, or set %s (and that of all) to 2, which is content with any way back" % (
            where,
            packet.source,
            into.name,
            key,
        )
        if filters == _LOOSE:
            remedy = "give %s a route to %s" % (where, packet.source)
        command = sight.command(ns, "sysctl", "net.ipv4.conf.all.rp_filter", key)
        return _stopped(sight, ns, packet, into, what, remedy, command)
    what = "%s takes nothing from %s by %s" % (where, packet.source, into.name)
    return _stopped(sight, ns, packet, into, what, "see what the kernel says of it: net.ipv4.conf.all.log_martians")


def _no_route(sight: Sight, ns: int, packet: Packet, into: Optional[Link]) -> Stopped:
    where = sight.label(ns)
    off = _without_ipv6(sight, ns) if packet.family == 6 else None
    if off is not None:
        what = "%s has no route to %s: IPv6 is off there (%s = 1)" % (where, packet.to, off[1])
        return _stopped(
            sight,
            ns,
            packet,
            into,
            what,
            "switch IPv6 on: set %s to 0, and give it its addresses again" % off[1],
            off[0],
        )
    if not is_up(sight, ns):
        what = "%s has no route to %s: none of its interfaces is up" % (where, packet.to)
        command = sight.command(ns, "ip", "-brief", "link")
        return _stopped(sight, ns, packet, into, what, "set the interface up, and give it its routes again", command)
    what = "%s has no route to %s" % (where, packet.to)
    remedy = "give it one, such as a default route: linuxnet.containers.ns_route"
    if ns != sight.host:
        remedy += " with netns: %s" % where
    return _stopped(sight, ns, packet, into, what, remedy + " and gateway")


def is_up(sight: Sight, ns: int) -> bool:
    """Return whether a namespace has an interface that is up, besides `lo`."""
    return any(link.get("enabled") for link in sight.links(ns) if link.name != "lo")


def _without_ipv6(sight: Sight, ns: int) -> Optional[Tuple[str, str]]:
    """Return (the command that shows it, the key) where IPv6 is off for all interfaces, or for one."""
    for name in ["all", *(link.name for link in sight.links(ns) if link.name != "lo" and link.get("ipv6") is False)]:
        if name != "all" or sight.sysctl(ns, "net/ipv6/conf/all/disable_ipv6") == "1":
            key = sight.key(6, name, "disable_ipv6")
            return sight.command(ns, "sysctl", key), key
    return None


def ipv6_off(sight: Sight, ns: int, link: Link) -> Optional[str]:
    """Return the key by which IPv6 is off on an interface, None where it is on."""
    on = sight.of_interface(ns, 6, link, "disable_ipv6") == "0"
    return None if on else sight.key(6, link.name, "disable_ipv6")
