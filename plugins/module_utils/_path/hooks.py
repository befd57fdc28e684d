# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the hooks of a namespace do to a packet, in the kernel's order: rules of whoever, and what is translated. Pure."""

from __future__ import annotations

import functools
import ipaddress
from dataclasses import replace
from typing import Dict, List, NamedTuple, Optional, Sequence

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import Chain
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.matching import Fact
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Link
from ansible_collections.linuxnet.containers.plugins.module_utils._model.ways import Asked
from ansible_collections.linuxnet.containers.plugins.module_utils._path import routing, rules
from ansible_collections.linuxnet.containers.plugins.module_utils._path.facts import CONNTRACK, facts
from ansible_collections.linuxnet.containers.plugins.module_utils._path.ours import explained, is_skipped
from ansible_collections.linuxnet.containers.plugins.module_utils._path.packet import Connection, Packet, end
from ansible_collections.linuxnet.containers.plugins.module_utils._path.rules import Place, Ruling
from ansible_collections.linuxnet.containers.plugins.module_utils._path.sight import Sight
from ansible_collections.linuxnet.containers.plugins.module_utils._path.stops import Record, Stopped

# Where destinations and sources are translated, whatever the priority of a chain (nf_nat_core.c).
_TRANSLATING = {"prerouting": -100, "output": -100, "postrouting": 100, "input": 100}
_OF_TO = ("prerouting", "output")


class At(NamedTuple):
    """Where a packet is: a hook of a namespace (``layer`` as `rules.at` has it), the interfaces that it came by and that it leaves by, and what is known
    there of its connection."""

    ns: int
    hook: str
    into: Optional[Link]
    out: Optional[Link]
    connection: Optional[Connection] = None
    layer: str = ""


class Hooks:
    """The hooks of all namespaces, and what connection tracking notes in each."""

    def __init__(self, sight: Sight, record: Record) -> None:
        self._sight = sight
        self._record = record
        self._connections: Dict[int, List[Connection]] = {}

    def connection(self, ns: int, packet: Packet) -> Connection:
        """Return what a namespace knows of the connection that a packet belongs to, which the first packet makes."""
        known = self._connections.setdefault(ns, [])
        for one in known:
            if one.is_begun_by(packet) or one.is_answered_by(packet):
                return one
        made = Connection(packet)
        if not packet.answer:
            known.append(made)
        return made

    def passed(
        self, ns: int, hook: str, packet: Packet, connection: Connection, into: Optional[Link], out: Optional[Link]
    ) -> Packet:
        """Return a packet as it is behind a hook for IP. Raises `Stopped`."""
        at, middle = At(ns, hook, into, out, connection), _TRANSLATING.get(hook)
        if middle is None:
            return self._filtered(at, packet, connection, self._chains(ns, hook, packet))
        chains = self._chains(ns, hook, packet)
        before = [chain for chain in chains if chain.type != "nat" and chain.priority < middle]
        after = [chain for chain in chains if chain.type != "nat" and chain.priority >= middle]
        packet = self._filtered(at, packet, connection, before)
        packet = self._translated(at, packet, connection, [one for one in chains if one.type == "nat"])
        return self._filtered(at, packet, connection, after)

    def untracked(self, ns: int, hook: str, packet: Packet, into: Optional[Link], out: Optional[Link]) -> None:
        """Have a packet pass a hook that belongs to no connection, so that nothing of it is translated. Raises `Stopped`."""
        for chain in self._chains(ns, hook, packet):
            if chain.type != "nat":
                self._one(At(ns, hook, into, out), packet, chain)

    def at_device(self, ns: int, hook: str, packet: Packet, link: Link) -> None:
        """Have a packet pass the rules of an interface (netdev). Raises `Stopped`."""
        into, out = (link, None) if hook == "ingress" else (None, link)
        for chain in rules.at(self._sight.rules(ns), hook, packet.family, "netdev"):
            if chain.devices is None or link.name in chain.devices:
                self._one(At(ns, hook, into, out, layer="netdev"), packet, chain)

    def bridged(self, ns: int, hook: str, packet: Packet, into: Optional[Link], out: Optional[Link]) -> None:
        """Have a frame pass the rules for what is bridged. Raises `Stopped`."""
        for chain in rules.at(self._sight.rules(ns), hook, packet.family, "bridge"):
            if not is_skipped(self._sight, chain, packet):  # see `crossing`
                comes, goes = hook not in ("output", "postrouting"), hook not in ("prerouting", "input")
                self._one(At(ns, hook, into if comes else None, out if goes else None, layer="bridge"), packet, chain)

    def _chains(self, ns: int, hook: str, packet: Packet) -> Sequence[Chain]:
        found = rules.at(self._sight.rules(ns), hook, packet.family, "")
        return [chain for chain in found if not is_skipped(self._sight, chain, packet)]

    def _filtered(self, at: At, packet: Packet, connection: Connection, chains: Sequence[Chain]) -> Packet:
        for chain in chains:
            tracked = at.hook not in _OF_TO or chain.priority > CONNTRACK
            ruling = self._one(at if tracked else at._replace(connection=None), packet, chain)
            packet = replace(packet, mark=ruling.marks["mark"])
            if tracked:
                connection.mark = ruling.marks["ct mark"]
        return packet

    def _facts(self, at: At, packet: Packet) -> Dict[str, Fact]:
        def back() -> Optional[bool]:
            return None if at.into is None else routing.is_way_back(self._sight, at.ns, packet, at.into)

        kind = functools.partial(self._type, at.ns)
        return facts(packet, at.connection, at.hook, at.layer, at.into, at.out, kind, back)

    def _type(self, ns: int, ip: str) -> Optional[str]:
        if not ip:
            return None
        way = self._sight.ways.way(ns, Asked(ip))
        return None if way.error else way.type

    def _one(self, at: At, packet: Packet, chain: Chain) -> Ruling:
        ruling = rules.follow(self._sight.rules(at.ns), chain, self._facts(at, packet))
        if ruling.end is not None and ruling.end.verdict in rules.STOPS:
            raise Stopped(*explained(self._sight, at.ns, ruling.end, packet, at.into, at.out))
        for place in ruling.may_stop:
            self._doubt(at.ns, place, "it cannot be told whether %s drops it" % place, False, "%s drops it" % place)
        for place in ruling.may_divert:
            elsewhere = "%s sends it elsewhere" % place
            self._doubt(at.ns, place, "it cannot be told whether " + elsewhere, True, elsewhere)
        return ruling

    def _doubt(self, ns: int, place: Place, what: str, diverts: bool, likely: str = "") -> None:
        by_number = place.rule is not None and place.rule.shown.startswith("rule ")
        command = self._sight.listing(ns, place.chain, by_number)
        remedy = "look at that rule, or ask again with probe: true, which sends one packet"
        self._record.doubt(what, self._sight.label(ns), command, remedy, diverts, likely)

    # --- what is translated ---

    def _translated(self, at: At, packet: Packet, connection: Connection, chains: Sequence[Chain]) -> Packet:
        if packet.answer:
            return self._translated_back(at.ns, at.hook, packet, connection)
        if packet.further:
            return self._translated_again(at.hook, packet, connection)
        of_to = at.hook in _OF_TO
        if connection.to_known if of_to else connection.from_known:
            return packet
        if of_to:
            connection.to_known = True
        else:
            connection.from_known = True
        for place, chain in enumerate(chains):
            ruling = self._one(at, packet, chain)
            if ruling.end is not None:
                changed = self._changed(at, packet, connection, ruling.end)
                self._unsettled(at, packet, chain, chains[place + 1 :])
                return changed
        return packet

    def _unsettled(self, at: At, packet: Packet, chain: Chain, others: Sequence[Chain]) -> None:
        """Note that another chain of the same priority translates as well: which is asked first is not told."""
        for other in others:
            if other.priority == chain.priority and other.table != chain.table:
                also = rules.follow(self._sight.rules(at.ns), other, self._facts(at, packet)).end
                if also is not None and also.verdict in rules.TRANSLATES:
                    what = "%s translates it as well, and of %s and %s it is not known which is asked first" % (
                        also.place,
                        chain,
                        other,
                    )
                    self._doubt(at.ns, also.place, what, True)

    def _changed(self, at: At, packet: Packet, connection: Connection, end_: rules.End) -> Packet:
        """Return a packet that is translated, and note it."""
        target = rules.target_of(end_.target, packet.dport) if end_.target and end_.target != "?" else ("", 0)
        where = self._sight.label(at.ns)
        if end_.verdict in ("dnat", "redirect"):
            ip, port = target or ("", 0)
            if end_.verdict == "redirect":
                ip = self._own(at.ns, packet, at.into, "")
            if target is None or not (ip or port):
                self._doubt(at.ns, end_.place, "it cannot be told where %s sends it" % end_.place, True)
                return packet
            connection.to = (ip or packet.to, port or packet.dport)
            self._record.hop(
                where,
                "sends what is for %s on to %s" % (end(packet.to, packet.dport), end(*connection.to)),
                str(end_.place),
            )
            return replace(packet, to=connection.to[0], dport=connection.to[1])
        source = target[0] if target and target[0] else ""
        if end_.verdict == "masquerade" or (end_.verdict == "snat" and not end_.target):
            source = self._own(at.ns, packet, None, source, at.out)
        if not source or target is None:
            self._doubt(at.ns, end_.place, "it cannot be told which source %s gives it" % end_.place, True)
            return packet
        if source != packet.source:
            connection.source = source
            self._record.hop(where, "gives it the source %s instead of %s" % (source, packet.source), str(end_.place))
        return replace(packet, source=source)

    def _own(self, ns: int, packet: Packet, into: Optional[Link], source: str, out: Optional[Link] = None) -> str:
        """Return the address of ours that the kernel takes where a rule names none: of the interface that a packet comes by, or leaves by. Of several one
        that is of the same network as who is next."""
        link = into or out
        if link is None or (into is None and out is None):
            return "127.0.0.1" if packet.family == 4 else "::1"
        way = self._sight.ways.way(ns, Asked(packet.to))
        near = ipaddress.ip_address(way.gateway or packet.to) if not way.error else None
        found = [
            one for one in self._sight.addresses_of(ns, link) if one.family == packet.family and one.scope == "global"
        ]
        found.sort(key=lambda one: near is None or near not in one.network)
        elsewhere = [one for dummy, one in self._sight.addresses(ns) if one.family == packet.family]
        found += [one for one in elsewhere if one.scope == "global"]  # an interface without one borrows another's
        return found[0].ip if found else source

    @staticmethod
    def _translated_again(hook: str, packet: Packet, connection: Connection) -> Packet:
        """Return a further packet as the first was translated, of which no rule is asked again."""
        if hook in _OF_TO:
            return replace(packet, to=connection.to[0], dport=connection.to[1]) if connection.to else packet
        return replace(packet, source=connection.source) if connection.source else packet

    def _translated_back(self, ns: int, hook: str, packet: Packet, connection: Connection) -> Packet:
        """Return an answer as those see it who asked: at the hooks at which the first packet got its destination, the answer's is made the first source."""
        if connection.first.answer:
            return packet
        first, where = connection.first, self._sight.label(ns)
        if hook in _OF_TO:
            if connection.source and packet.to == connection.source:
                self._record.hop(where, "sends the answer on to %s" % first.source, answer=True)
                return replace(packet, to=first.source)
            return packet
        if connection.to and (packet.source, packet.sport) == connection.to:
            self._record.hop(where, "gives the answer the source %s again" % end(first.to, first.dport), answer=True)
            return replace(packet, source=first.to, sport=first.dport)
        return packet
