# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way of a packet through namespaces, as far as it gets. Pure.

Where it is routed the kernel is asked, with the packet as the rules left it. What is here is in which order things happen, and what is between two namespaces.
"""

from __future__ import annotations

from dataclasses import replace
from typing import List, Optional, Tuple, Union

from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import BRIDGE_NF_CALLS
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Link
from ansible_collections.linuxnet.containers.plugins.module_utils._model.ways import Way
from ansible_collections.linuxnet.containers.plugins.module_utils._path import crossing, discovery, routing, segment
from ansible_collections.linuxnet.containers.plugins.module_utils._path.hooks import Hooks
from ansible_collections.linuxnet.containers.plugins.module_utils._path.packet import Connection, Packet
from ansible_collections.linuxnet.containers.plugins.module_utils._path.segment import Reach, Step
from ansible_collections.linuxnet.containers.plugins.module_utils._path.sight import Sight
from ansible_collections.linuxnet.containers.plugins.module_utils._path.stops import Gauge, Lost, Record, Stopped

_HOPS = 32  # namespaces that route a packet, in a row


@dataclass(frozen=True)
class Arrival:
    """A packet that came to its end: by an interface of a namespace that takes it for its own."""

    ns: int
    link: Link
    packet: Packet


@dataclass(frozen=True)
class Departure:
    """A packet that leaves what can be seen, by an interface of a namespace."""

    ns: int
    link: Link
    packet: Packet


End = Union[Arrival, Departure]


class Journey:
    """Packets of one connection on their way. ``home``: (namespace, index) of the interface by which the first came in from who cannot be seen: the answer
    is followed no further than there."""

    def __init__(self, sight: Sight, record: Record, home: Optional[Tuple[int, int]] = None) -> None:
        self._home = home
        self._sight = sight
        self._record = record
        self._hooks = Hooks(sight, record)
        self._routed = 0

    # --- in a namespace ---

    def sent(self, ns: int, packet: Packet) -> End:
        """Follow a packet that a namespace sends. Raises `Stopped` and `Lost`."""
        self._routed = 0
        way = routing.ask(self._sight, ns, packet)
        if not packet.source:
            packet = replace(packet, source=way.source or (packet.to if way.type == "local" else ""))
        self._vrf(ns, way)
        connection = self._hooks.connection(ns, packet)
        before = packet
        packet = self._hooks.passed(ns, "output", packet, connection, None, self._leaving(ns, way))
        if (packet.to, packet.mark) != (before.to, before.mark):
            way = routing.ask(self._sight, ns, packet)
        return self._leaves(ns, packet, connection, way, None)

    def comes(self, ns: int, link: Link, packet: Packet) -> End:
        """Follow a packet that comes in by an interface of a namespace. Raises `Stopped` and `Lost`."""
        self._routed += 1
        if self._routed > _HOPS:
            command = self._sight.command(ns, "ip", "route", "get", packet.to)
            raise Stopped(
                "the packet goes round in circles", self._sight.label(ns), command, "see which routes lead back"
            )
        self._hooks.at_device(ns, "ingress", packet, link)
        connection = self._hooks.connection(ns, packet)
        packet = self._hooks.passed(ns, "prerouting", packet, connection, link, None)
        return self._taken(ns, link, packet, connection)

    def _taken(self, ns: int, link: Link, packet: Packet, connection: Connection) -> End:
        """Follow a packet from where it is routed. What comes by `lo` was routed already when it was sent."""
        way = Way("local") if link.name == "lo" else routing.ask(self._sight, ns, packet, link)
        if way.type == "local":
            packet = self._hooks.passed(ns, "input", packet, connection, link, None)
            return Arrival(ns, link, packet)
        out = self._leaving(ns, way)
        packet = self._hooks.passed(ns, "forward", packet, connection, link, out)
        return self._leaves(ns, packet, connection, way, link)

    def _leaving(self, ns: int, way: Way) -> Optional[Link]:
        return self._sight.link(ns, "lo") if way.type == "local" else self._sight.link_at(ns, way.index)

    def _vrf(self, ns: int, way: Way) -> None:
        """Raise `Lost` where a VRF decides: its packets pass hooks twice, in a way that is not known here."""
        link = self._sight.link_at(ns, way.index)
        master = self._sight.link_at(ns, link.master) if link is not None and link.master else None
        for one in (link, master):
            if one is not None and one.kind == "vrf":
                command = self._sight.command(ns, "ip", "vrf", "show")
                what = "%s is in the VRF %s, which is not followed" % (link.name if link else "it", one.name)
                raise Lost(what, self._sight.label(ns), command, "ask with probe: true, or look with tcpdump")

    def _leaves(self, ns: int, packet: Packet, connection: Connection, way: Way, into: Optional[Link]) -> End:
        """Follow a packet that leaves by a route."""
        out, where = self._leaving(ns, way), self._sight.label(ns)
        if out is None:
            raise Lost("its interface is gone", where, self._sight.command(ns, "ip", "link"), "ask again")
        self._vrf(ns, way)
        if way.type == "local":
            packet = self._hooks.passed(ns, "postrouting", packet, connection, into, out)
            self._record.hop(where, "%s stays in %s" % (packet.shown, where), way.route, packet.answer)
            return self.comes(ns, out, packet)
        via = " by way of %s" % way.gateway if way.gateway else ""
        self._record.hop(where, "%s leaves by %s%s" % (packet.shown, out.name, via), way.route, packet.answer)
        packet = self._hooks.passed(ns, "postrouting", packet, connection, into, out)
        self._hooks.at_device(ns, "egress", packet, out)
        self._record.gauges.append(
            Gauge(ns, out, min(way.mtu or 65535, int(out.get("mtu") or 65535)), into is not None, packet.answer)
        )
        if packet.answer and (ns, out.index) == self._home:
            return Departure(ns, out, packet)
        return self._over(ns, out, way.gateway or packet.to, packet)

    # --- between namespaces ---

    def _over(self, ns: int, out: Link, next_: str, packet: Packet) -> End:
        """Follow a packet to whoever has the address ``next_`` on the wire of an interface."""
        if out.kind == "dummy":
            command = self._sight.command(ns, "ip", "-d", "link", "show", "dev", out.name)
            raise Stopped(
                "%s is a dummy, behind which is nobody" % out.name,
                self._sight.label(ns),
                command,
                "have the route lead elsewhere",
            )
        found = segment.around(self._sight, ns, out)
        known = self._sight.ways.neighbour(ns, out.index, next_) if out.get("mac") else None
        having = [reach for reach in found.within if segment.address_at(self._sight, reach, next_) is not None]
        if len({reach.ns for reach in having}) > 1:
            self._twice(ns, out, next_, having)
        if not having:
            having = self._silent(next_, packet, found.within, known is not None)
        if not having:
            return self._nobody(ns, out, next_, packet, found.within, found.beyond)
        reach = having[0]
        self._duplicate(reach, next_)
        mac = reach.link.get("mac")
        if known is not None and known[1] and mac and known[0] != mac:
            self._outdated(ns, out, next_, known[0], mac)
        if known is None and packet.family == 6 and out.get("mac"):
            discovery.discover(self._sight, self._hooks, ns, out, reach, next_, packet)
        return self._along(ns, out, reach, packet)

    def _outdated(self, ns: int, out: Link, ip: str, written: str, mac: str) -> None:
        """Raise `Stopped`: a MAC address was written down for good that is not the neighbour's."""
        where = self._sight.label(ns)
        command = self._sight.command(ns, "ip", "neighbour", "show", "dev", out.name)
        what = "%s has the MAC address %s written down for %s, which is %s by now" % (where, written, ip, mac)
        remedy = "take the entry away: %s" % self._sight.command(ns, "ip", "neighbour", "del", ip, "dev", out.name)
        raise Stopped(what, where, command, remedy)

    def _silent(self, ip: str, packet: Packet, within: List[Reach], known: bool) -> List[Reach]:
        """Return who has an address of IPv4 and answers nobody who asks for it: it gets packets of those who know it from elsewhere, as from a packet of
        its own. Raises `Stopped` where nobody does."""
        for reach in within if packet.family == 4 else ():
            if not segment.held_at(self._sight, reach, ip):
                continue
            key = self._sight.key(4, reach.link.name, "arp_ignore")
            ignores = self._sight.larger(reach.ns, reach.link, "arp_ignore")
            who = self._sight.label(reach.ns)
            what = "%s has %s, but answers nobody who asks for it by %s (%s = %d)" % (
                who,
                ip,
                reach.link.name,
                key,
                ignores,
            )
            command = self._sight.command(reach.ns, "sysctl", key)
            remedy = "set it, and that of all, to 0"
            if not known and not packet.answer:
                raise Stopped(what, who, command, remedy)
            if not known:
                self._record.doubt(what, who, command, remedy)
            return [reach]
        return []

    def _along(self, ns: int, out: Link, reach: Reach, packet: Packet) -> End:
        """Follow a packet along the steps to where it is taken for IP."""
        here = ns
        for step in reach.steps:
            if step.ns != here:
                packet, here = replace(packet, mark=0), step.ns  # marks stay in their namespace
            crossing.cross(self._sight, self._record, step, packet, out)
            routed, packet = self._bridged(step, packet)
            if routed is not None:
                return routed
        if reach.ns != here:
            packet = replace(packet, mark=0)
        if not reach.link.get("enabled"):
            crossing.need_up(self._sight, reach.ns, reach.link)
        return self.comes(reach.ns, reach.link, packet)

    def _bridged(self, step: Step, packet: Packet) -> Tuple[Optional[End], Packet]:
        """Have a frame pass the rules for what is bridged, and with br_netfilter those for IP. Where these send it elsewhere, it is followed from there to
        its end. Return that, and the packet."""
        if step.bridge is None:
            return None, packet
        near, far = step.near, step.far
        inner = "input" if far is None else "output" if near is None else "forward"
        for hook in (*(["prerouting"] if near else []), inner, *(["postrouting"] if far else [])):
            self._hooks.bridged(step.ns, hook, packet, near, far)
        if near is None or far is None or self._sight.sysctl(step.ns, BRIDGE_NF_CALLS[packet.family]) != "1":
            return None, packet
        bridge = step.bridge
        connection = self._hooks.connection(step.ns, packet)
        passed = self._hooks.passed(step.ns, "prerouting", packet, connection, bridge, None)
        if passed.to != packet.to:
            return self._taken(step.ns, bridge, passed, connection), packet
        passed = self._hooks.passed(step.ns, "forward", passed, connection, bridge, bridge)
        return None, self._hooks.passed(step.ns, "postrouting", passed, connection, bridge, bridge)

    def _twice(self, ns: int, out: Link, ip: str, having: List[Reach]) -> None:
        """Note that several have an address: who answers first has it, now the one and then the other."""
        who = " and ".join(
            dict.fromkeys("%s of %s" % (reach.link.name, self._sight.label(reach.ns)) for reach in having)
        )
        command = self._sight.command(ns, "ip", "neighbour", "show", ip)
        self._record.doubt(
            "%s is there twice: %s have it, and who answers first gets the packet" % (ip, who),
            self._sight.label(ns),
            command,
            "give one of them another address: linuxnet.containers.ns_address",
            diverts=True,
        )

    def _duplicate(self, reach: Reach, ip: str) -> None:
        """Raise `Stopped` where an IPv6 address is not in use since somebody else has it."""
        found = segment.address_at(self._sight, reach, ip)
        if found is not None and (found.dadfailed or found.tentative):
            command = self._sight.command(reach.ns, "ip", "-6", "address", "show", "dev", reach.link.name)
            state = (
                "somebody else on that wire has it (dadfailed)"
                if found.dadfailed
                else "it is still being asked whether somebody else has it (tentative)"
            )
            what = "%s of %s does not use %s: %s" % (reach.link.name, self._sight.label(reach.ns), ip, state)
            raise Stopped(what, self._sight.label(reach.ns), command, "give it another address, or end the other one")

    def _nobody(self, ns: int, out: Link, ip: str, packet: Packet, within: List[Reach], beyond: List[Reach]) -> End:
        """Follow a packet that nobody in sight takes: it leaves by what leads out of sight, or is stopped."""
        proxy = self._proxy(ip, within) if packet.family == 4 else None
        if proxy is not None:
            return self._along(ns, out, proxy, packet)
        where = self._sight.label(ns)
        if beyond:
            reach = beyond[0]
            for step in reach.steps:
                crossing.cross(self._sight, self._record, step, packet, out)
            if reach.link.get("carrier") is False:
                self._no_carrier(reach.ns, reach.link)
            return Departure(reach.ns, reach.link, packet)
        if out.get("carrier") is False:
            self._no_carrier(ns, out)
        for reach in within:
            off = routing.ipv6_off(self._sight, reach.ns, reach.link) if packet.family == 6 and reach.ns != ns else None
            if off is not None:
                what = "nobody on %s of %s has %s: IPv6 is off in %s (%s = 1)" % (
                    out.name,
                    where,
                    ip,
                    self._sight.label(reach.ns),
                    off,
                )
                remedy = "switch it on: set %s to 0, and give the interface its address again" % off
                raise Stopped(what, self._sight.label(reach.ns), self._sight.command(reach.ns, "sysctl", off), remedy)
        elsewhere = [held for held in self._sight.holders(ip) if held[0] != ns or held[1].index != out.index]
        command = self._sight.command(ns, "ip", "neighbour", "show", ip)
        what = "nobody on %s of %s has %s" % (out.name, where, ip)
        remedy = "see who should have it: linuxnet.containers.wiring_info with find: %s" % ip
        if elsewhere:
            there, link, dummy = elsewhere[0]
            what += "; %s of %s has it, which is not on that wire" % (link.name, self._sight.label(there))
            remedy = "put both on one network, or give %s a route that leads there" % where
        raise Stopped(what, where, command, remedy)

    def _proxy(self, ip: str, within: List[Reach]) -> Optional[Reach]:
        """Return who answers for an address that is elsewhere."""
        return next((reach for reach in within if self._sight.larger(reach.ns, reach.link, "proxy_arp")), None)

    def _no_carrier(self, ns: int, link: Link) -> None:
        where = self._sight.label(ns)
        command = self._sight.command(ns, "ip", "link", "show", "dev", link.name)
        what = "%s of %s has no carrier: there is nobody at its other end, or that is down" % (link.name, where)
        raise Stopped(what, where, command, "set the other end up, or run the role again")
