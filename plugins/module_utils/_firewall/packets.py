# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The packets that an item needs, and what is known of them at each hook that they pass. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.matching import (
    NOTHING,
    Answer,
    Fact,
    Flags,
    OtherThan,
    address,
    protocol,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass

# Priorities of hooks (include/uapi/linux/netfilter_ipv4.h): what others do there is seen by who comes later.
_CONNTRACK, _DNAT, _SNAT = -200, -100, 100
_STATES = frozenset({"new", "established", "related", "invalid", "untracked"})
_SEEN = frozenset({"seen-reply", "assured", "confirmed", "expected"})


@dataclass(frozen=True)
class Packet:
    """The first packet of a connection as a forward chain sees it, or (``answer``) the first one that comes back, or (``further``) the one behind that,
    which is on the way of the first: all is said of the first one.
    What is ``""`` is not known, but for an interface beside a ``bridge``: it is any other.

    ``dnat``: it was for a published port, of ``asked`` (an address, ``""`` for any) and ``asked_ports``, and goes to one of ``ports`` of
    ``protocol``. ``kinds`` are those of the interfaces, as far as they are known. ``bridged``: it goes from one port of the bridge to another.
    ``routed``: the way back to who sent it is the way that it came.
    """

    family: int
    saddr: str = ""
    daddr: str = ""
    iifname: str = ""
    oifname: str = ""
    bridge: str = ""
    dnat: bool = False
    mark: int = 0
    protocol: str = ""
    ports: Tuple[int, int] = (0, 0)
    asked: str = ""
    asked_ports: Tuple[int, int] = (0, 0)
    answer: bool = False
    further: bool = False
    bridged: bool = False
    routed: bool = False
    kinds: Tuple[Tuple[str, str], ...] = ()

    @property
    def ends(self) -> Tuple[str, str]:
        """Return the interfaces by which it comes and goes."""
        return (self.oifname, self.iifname) if self.answer else (self.iifname, self.oifname)

    @property
    def peer(self) -> Tuple[str, ...]:
        """Return what is looked at of those whom the item does not name."""
        far = ("daddr", "dport") if self.dnat == self.answer else ("saddr", "sport")
        return (*far, "ct original daddr", "ct original saddr", "ct original dport")

    def kind(self, interface: str) -> Optional[str]:
        """Return the kind of an interface, None where it is not known."""
        return dict(self.kinds).get(interface) if interface else None


def there_and_back(packet: Packet) -> Tuple[Packet, ...]:
    """Return the packets that have to pass: there, back, and over TCP there again, without which no connection is established."""
    first = packet, replace(packet, answer=True)
    return (*first, replace(packet, further=True)) if packet.protocol == "tcp" else first


Flow = Sequence[Packet]  # all of which have to pass


def _known(**facts: Fact) -> Dict[str, Fact]:
    return {name.replace("_", " "): fact for name, fact in facts.items() if fact is not None}


def _ports(ports: Tuple[int, int]) -> Optional[Tuple[int, int]]:
    return ports if ports[0] else None


def _interface(name: str, packet: Packet) -> Fact:
    return name or (OtherThan(packet.bridge) if packet.bridge else None)


class Journey:
    """What is known of a packet on its way, by hook and by what was done to it before."""

    def __init__(self, packet: Packet) -> None:
        self.packet = packet
        self._facts: Dict[Tuple[str, str, int], Mapping[str, Fact]] = {}

    @property
    def later(self) -> bool:
        """Return whether it is not the first packet of its connection."""
        return self.packet.answer or self.packet.further

    def passes(self, layer: str, hook: str, type_: str) -> bool:
        """Return whether the packet comes by a hook of a family (``""`` for IP), in a chain of a type."""
        packet = self.packet
        if type_ not in ("filter", "nat") or (
            type_ == "nat" and self.later
        ):  # of a connection nat sees the first packet
            return False
        into, out = packet.ends
        if layer == "bridge":
            if packet.bridged:
                return hook in ("prerouting", "forward", "postrouting")
            here = into if hook in ("prerouting", "input") else out if hook in ("output", "postrouting") else ""
            return packet.kind(here) == "bridge"
        return hook in ("ingress", "egress") or (not layer and hook in ("prerouting", "forward", "postrouting"))

    def facts(self, layer: str, hook: str, priority: int) -> Mapping[str, Fact]:
        """Return what is known of it in a chain."""
        stage = self._stage(layer, hook, priority)
        key = layer, hook, stage
        if key not in self._facts:
            self._facts[key] = self._found(layer, hook, stage)
        return self._facts[key]

    def tracked(self, layer: str, hook: str, priority: int) -> Answer:
        """Return whether it belongs to a connection yet. Where it does not, nothing that is asked of that is so (xt_connmark.c and nft_ct.c break off),
        and nothing is set."""
        stage = self._stage(layer, hook, priority)
        if stage:
            return True if stage > 0 else None
        return False if priority < _CONNTRACK else None

    @staticmethod
    def _stage(layer: str, hook: str, priority: int) -> int:
        """Return the stage of a chain, see `_found`."""
        if layer == "bridge" or hook in ("ingress", "egress"):
            return -1 if hook in ("ingress", "prerouting", "input", "forward") else 3
        if hook == "prerouting":
            return 0 if priority <= _CONNTRACK else 1 if priority < _DNAT else 2 if priority == _DNAT else 3
        return 3 if hook == "forward" or priority < _SNAT else 4

    def _found(self, layer: str, hook: str, stage: int) -> Mapping[str, Fact]:
        """``stage``: 0 before it is tracked (-1 even before IP), 1 before, 2 while and 3 after its destination is translated, 4 after its
        source was."""
        packet = self.packet
        facts = self._of_protocol(layer)
        facts.update(self._interfaces(layer, hook))
        facts.update(self._ends(stage))
        if layer != "bridge" and stage > 0:
            facts.update(self._tracked(stage))
        if not layer and hook == "prerouting" and packet.routed:
            facts["rpf"] = "found"
        return facts

    def _of_protocol(self, layer: str) -> Dict[str, Fact]:
        packet = self.packet
        flags = None
        if packet.protocol == "tcp":
            on = frozenset({"syn", "ack"} if packet.answer else {"ack"} if packet.further else {"syn"})
            unsure = {"psh"} if packet.further else set()
            flags = Flags(on, frozenset({"fin", "syn", "rst", "psh", "ack", "urg"}) - on - unsure)
        return _known(
            nfproto=None if layer else "ipv%d" % packet.family,
            protocol="ip" if packet.family == 4 else "ip6",
            l4proto=protocol(packet.protocol) if packet.protocol else None,
            frag_off=(0, 0),
            tcp_flags=flags,
            pkttype=None if layer else "host",
        )

    def _interfaces(self, layer: str, hook: str) -> Dict[str, Fact]:
        packet = self.packet
        into, out = packet.ends
        found: Dict[str, Fact] = {}
        if layer == "bridge":  # where an interface is a port of it
            if hook in ("prerouting", "input", "forward"):
                found["ibrname"] = into
            if hook in ("forward", "output", "postrouting"):
                found["obrname"] = out
            if hook in ("prerouting", "input"):
                found["oifname"] = NOTHING
            return found
        if hook in ("ingress", "egress"):
            return {}  # told by the chain's device
        found["iifname"] = _interface(into, packet) if hook != "postrouting" else None  # not all kernels tell
        found["oifname"] = _interface(out, packet) if hook != "prerouting" else NOTHING
        for way, name in (("iifkind", into), ("oifkind", out)):
            kind = packet.kind(name)
            found[way] = None if kind is None else kind or NOTHING
        if hook == "prerouting":
            found["oifkind"] = NOTHING
        if hook == "postrouting":
            found.pop("iifkind")
        return {name: fact for name, fact in found.items() if fact is not None}

    def _ends(self, stage: int) -> Dict[str, Fact]:
        """Return the addresses and ports that it has at a stage, and what was asked for at first."""
        packet = self.packet
        near, far = address(packet.saddr), address(packet.daddr)
        ports = _ports(packet.ports)
        asked, asked_ports = far, ports
        if packet.dnat:
            asked, asked_ports = address(packet.asked), _ports(packet.asked_ports)
        original = {"ct original saddr": near, "ct original daddr": asked, "ct original dport": asked_ports}
        now: Dict[str, Fact]
        if packet.answer:  # what was translated is translated back on the same ways
            back = near if stage > 2 else None
            now = {"saddr": far, "sport": ports, "daddr": back}
            if packet.dnat and stage > 3:
                now.update(saddr=None, sport=None)
            now["daddr type"] = "unicast" if stage > 2 else None
        else:
            now = {"saddr": near if stage < 4 else None, "daddr": far, "dport": ports}
            if packet.dnat and stage < 3:
                now.update(daddr=asked if stage < 2 else None, dport=asked_ports if stage < 2 else None)
            now["daddr type"] = "unicast"
            if packet.dnat and stage < 3:
                now["daddr type"] = "local" if stage < 2 else None
        now["saddr type"] = "unicast"
        for end in ("saddr type", "daddr type"):
            now["xt " + end] = self._types(now[end])
        tracked = original if stage > 0 else {}
        return {name: fact for name, fact in {**now, **tracked}.items() if fact is not None}

    def _types(self, kind: Optional[str]) -> Optional[Flags]:
        """Return what iptables' `addrtype` calls an address: of IPv6 one of this host is unicast as well (match_type6 in xt_addrtype.c)."""
        if kind is None:
            return None
        return Flags(frozenset({kind, "unicast"} if kind == "local" and self.packet.family == 6 else {kind}))

    def _tracked(self, stage: int) -> Dict[str, Fact]:
        packet = self.packet
        state = "established" if self.later else "new"
        on: Set[str] = set()
        unsure: Set[str] = set()
        if self.later:
            on.update(("seen-reply", "confirmed"))
            unsure.update(("assured", "snat"))
        if packet.dnat and (stage > 2 or self.later):
            on.add("dnat")
        if stage == 2:
            unsure.add("dnat")
        if stage > 3:
            unsure.add("snat")
        every = _SEEN | {"snat", "dnat"}
        status = Flags(frozenset(on), every - on - unsure)
        translated = {"snat", "dnat"}
        return {
            "ct state": Flags(frozenset({state})),
            "ct status": status,
            "xt state": Flags(frozenset({state, *(translated & on)}), (_STATES - {state}) | (translated - on - unsure)),
            "ct direction": "reply" if packet.answer else "original",
        }
