# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is on a wire: all that a frame which leaves by an interface may come to, over pairs and bridges. Pure.

What is down, or kept apart, is on it all the same: that it does not get through is told where a packet is taken there.
"""

from __future__ import annotations

from dataclasses import field
from typing import List, Optional, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Address, Link
from ansible_collections.linuxnet.containers.plugins.module_utils._path.sight import Sight

_OUT = ("bridge", "vrf")  # masters that are understood
_ANSWERS_OWN, _ANSWERS_NONE = (1, 2), 8  # arp_ignore: for addresses of the interface only, for none
_DEPTH = 12  # bridges and wires in a row


@dataclass(frozen=True)
class Step:
    """One step of a frame: over a pair from ``near`` to ``far`` (in ``ns``), or within a ``bridge`` of ``ns`` from the port ``near``, None where the
    bridge itself sends it,
    to the port ``far``, None where the bridge itself takes it."""

    ns: int
    near: Optional[Link]
    far: Optional[Link]
    bridge: Optional[Link] = None


@dataclass(frozen=True)
class Reach:
    """Where a frame may be taken for IP: an interface of a namespace, and the steps to there."""

    ns: int
    link: Link
    steps: Tuple[Step, ...] = ()


@dataclass()
class Segment:
    """All that is ``within`` reach on a wire, and the interfaces by which it goes on to what cannot be seen, with the steps to there."""

    within: List[Reach] = field(default_factory=list)
    beyond: List[Reach] = field(default_factory=list)


class _Search:
    def __init__(self, sight: Sight) -> None:
        self._sight = sight
        self._seen: Set[Tuple[int, int, int]] = set()
        self.found = Segment()

    def leaves(self, ns: int, link: Link, steps: Tuple[Step, ...], tag: int = 0) -> None:
        """Add what a frame comes to that leaves by an interface; ``tag``: of a VLAN."""
        if (ns, link.index, tag) in self._seen or len(steps) > _DEPTH:
            return
        self._seen.add((ns, link.index, tag))
        if link.kind == "bridge" and not tag:
            for port in self._sight.ports(ns, link):
                self.leaves(ns, port, (*steps, Step(ns, None, port, link)))
        elif link.kind == "veth":
            peer = self._sight.link_at(link.peer_ns, link.peer_index) if link.peer_ns is not None else None
            if peer is None or link.peer_ns is None:
                self.found.beyond.append(Reach(ns, link, steps))
            else:
                self.comes(link.peer_ns, peer, (*steps, Step(link.peer_ns, link, peer)), tag)
        elif link.kind in ("macvlan", "vlan", "ipvlan") and link.parent_ns is not None and not tag:
            parent = self._sight.link_at(link.parent_ns, link.parent_index)
            if parent is not None:
                vlan = int(link.get("vlan_id") or 0) if link.kind == "vlan" else 0
                if (link.kind == "macvlan" and link.get("macvlan_mode") == "bridge") or link.kind == "ipvlan":
                    self._siblings(link.parent_ns, parent, steps, link)
                self.leaves(link.parent_ns, parent, steps, vlan)
        else:
            self.found.beyond.append(Reach(ns, link, steps))

    def _siblings(self, ns: int, parent: Link, steps: Tuple[Step, ...], but: Optional[Link] = None) -> None:
        for where, link in self._sight.made_on(ns, parent):
            if but is None or (where, link.index) != (where, but.index):
                self.found.within.append(Reach(where, link, steps))

    def comes(self, ns: int, link: Link, steps: Tuple[Step, ...], tag: int = 0) -> None:
        """Add what a frame comes to that comes in by an interface."""
        master = self._sight.link_at(ns, link.master) if link.master else None
        if master is not None and master.kind == "bridge":
            if not tag:
                self.found.within.append(Reach(ns, master, (*steps, Step(ns, link, None, master))))
            for port in self._sight.ports(ns, master):
                if port.index != link.index:
                    self.leaves(ns, port, (*steps, Step(ns, link, port, master)), tag)
            return
        if link.master and (master is None or master.kind not in _OUT):  # a bond, or what is not known here
            self.found.beyond.append(Reach(ns, link, steps))
            return
        if tag:
            for vlan in self._sight.vlans_on(ns, link, tag):
                self.found.within.append(Reach(ns, vlan, steps))
            return
        self.found.within.append(Reach(ns, link, steps))
        self._siblings(ns, link, steps)


def around(sight: Sight, ns: int, link: Link) -> Segment:
    """Return what a frame may come to that leaves by an interface of a namespace."""
    search = _Search(sight)
    search.leaves(ns, link, ())
    return search.found


def address_at(sight: Sight, reach: Reach, ip: str) -> Optional[Address]:
    """Return the address by which somebody answers who has ``ip``: of IPv4 any of a namespace's will do, unless `arp_ignore` says otherwise; of IPv6 one of
    the interface."""
    held = held_at(sight, reach, ip)
    near = next((address for index, address in held if index == reach.link.index), None)
    if ":" in ip or not held:
        return near
    ignores = sight.larger(reach.ns, reach.link, "arp_ignore")
    if ignores == _ANSWERS_NONE:
        return None
    return near if ignores in _ANSWERS_OWN else near or held[0][1]


def held_at(sight: Sight, reach: Reach, ip: str) -> List[Tuple[int, Address]]:
    """Return (interface index, address) where a namespace has an address that others may ask for."""
    found = [one for one in sight.addresses(reach.ns) if one[1].ip == ip]
    return [one for one in found if one[1].scope != "host" or one[1].family == 6]
