# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which addresses are taken, and by whom. Allocation goes by that and keeps no state of its own. Pure but for the state.

How changes of addresses move on what is known is here as well, for those who make such changes.
"""

from __future__ import annotations

import collections
from dataclasses import replace
from typing import Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import IpAddress, network_text
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import (
    Announce,
    DelAddress,
    PutAddress,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.link_kinds import SHARING
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import BY_KERNEL
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    MAIN_TABLE,
    Address,
    Holder,
    Link,
    NsRef,
    Route,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.prediction import advance, link_of
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State


class Holders(Dict[IpAddress, Holder]):
    """Who has which address, of those that are somewhere; ``by_port``: their addresses by the bridge port that they are behind."""

    def __init__(self, holders: Iterable[Holder]) -> None:
        super().__init__((holder.address.parsed, holder) for holder in holders)
        self.by_port: Dict[int, List[IpAddress]] = collections.defaultdict(list)
        for ip, holder in self.items():
            self.by_port[holder.port].append(ip)


class Leases:
    """Who has which address on a host. Namespaces are named by inode, interfaces by index."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._own: Dict[int, Holders] = {}  # in a namespace itself
        self._behind: Dict[Tuple[int, Optional[str]], Holders] = {}  # behind a bridge of a namespace, or anywhere
        self._read_again: Set[Tuple[int, Optional[str]]] = set()
        self._put: Dict[IpAddress, Holder] = {}  # by this run
        self._put_in: Dict[int, Dict[Tuple[int, Tuple[str, int, str]], Address]] = collections.defaultdict(dict)
        self._released: Set[Tuple[int, int, str]] = set()  # (namespace, interface index, address)
        self._silent: Dict[Tuple[int, str, str], bool] = {}  # by namespace, interface and address

    def taken(self, ns: int, name: Optional[str], bridge: Optional[Link]) -> Mapping[IpAddress, Holder]:
        """Return who has which address: of the host and, with a bridge's ``name``, of its members; without one, of all named
        namespaces. ``bridge`` is None where the one called ``name`` is only foreseen."""
        if (ns, name) not in self._behind:
            found = self._in_named_namespaces() if name is None else self._members(ns, name, bridge)
            self._behind[ns, name] = self._unreleased(found)
        if ns not in self._own:
            self._own[ns] = self._unreleased(self._in(ns)) if name is not None else Holders(())
        there = (self._behind[ns, name], self._own[ns])
        # Of two holders of an address the first counts.
        return collections.ChainMap(*((self._put, *there) if self._state.predict else (*there, self._put)))

    def beside(self, ns: int, name: str, port: int) -> List[IpAddress]:
        """Return the addresses behind a port, by its index, of a bridge that `taken` was asked about."""
        return self._behind[ns, name].by_port.get(port, [])

    def _unreleased(self, holders: Iterable[Holder]) -> Holders:
        released = self._released
        return Holders(holder for holder in holders if (holder.ns, holder.index, holder.address.ip) not in released)

    def _in(self, ns: int, label: str = "") -> List[Holder]:
        """Return who has an address in a namespace."""
        addresses = self._state.addresses(ns)
        return [Holder(address, ns, index, label) for index, address in addresses if address.scope != "host"]

    def _members(self, ns: int, name: str, bridge: Optional[Link]) -> List[Holder]:
        """Return who has an address behind a bridge of a namespace."""
        known = self._state.known
        holders: List[Holder] = []
        if bridge is not None and bridge.kind != "bridge":
            return list(self._on_parent(ns, bridge))
        if bridge is not None and bridge.index > 0 and (ns, name) not in self._state.born:
            for member in self._state.members(ns, bridge.index):
                if (
                    member.ns in known.ended
                    or (ns, member.port) in known.deleted
                    or self._moved(ns, member.port, bridge)
                ):
                    self._silent[ns, name, member.address.ip] = True  # gone in check mode only: it would still answer
                else:
                    holders.append(member)
        if bridge is not None and self._state.predict:
            holders += self._arrived(ns, bridge, {holder.port for holder in holders})
        return holders

    def _on_parent(self, ns: int, parent: Link) -> Iterator[Holder]:
        """Yield who has an address on the links that share the segment of their parent, as far as their namespaces have names."""
        for where, link in self._state.links_on(ns, parent.index, SHARING):
            for address in self._state.addresses_of(where, link):
                if address.scope != "host":
                    yield Holder(address, where, link.index, str(self._state.ref_of(where)))

    def _moved(self, ns: int, index: int, bridge: Link) -> bool:
        """Return whether a port of a bridge is on another one by now, as check mode knows."""
        links = self._state.known.links[ns]
        port = links.by_name.get(links.by_index.get(index, ""))
        return self._state.predict and port is not None and port.master != bridge.index

    def _arrived(self, ns: int, bridge: Link, ports: Set[int]) -> Iterator[Holder]:
        """Yield who has an address behind the ports that a bridge has beside those, as check mode knows."""
        for port in self._state.known.links[ns].ports(bridge.index):
            if port.index > 0 and port.index not in ports and port.peer_ns not in (None, ns):
                ref = self._state.ref_of(port.peer_ns or 0)
                label = str(ref) if ref != HOST else "a namespace without a name"
                for index, address in self._state.addresses(port.peer_ns or 0):
                    if index == port.peer_index and address.scope != "host":
                        yield Holder(address, port.peer_ns, index, label, port=port.index)

    def _in_named_namespaces(self) -> List[Holder]:
        entries = self._state.entries().values()
        refs = [HOST] + [NsRef.parse(entry.name) for entry in entries if entry.kind == "namespace"]
        found: List[Holder] = []
        seen = set()
        for ref in refs:
            ns = self._state.find(ref)
            if ns is not None and ns not in seen:
                seen.add(ns)
                found += self._in(ns, str(ref))
        return found

    def read_again(self, ns: int, name: Optional[str], holder: Holder) -> None:
        """Have what `taken` returned read once more, if ``holder`` is in a namespace that this run did not open.

        The namespace may have ended just now: its addresses stay until the kernel is through with it (an RCU grace period).
        """
        if holder.ns is None and (ns, name) not in self._read_again and not self._state.predict:
            self._read_again.add((ns, name))
            self._state.wait_for_rcu()
            self._behind.pop((ns, name), None)

    def silent(self, ns: int, link: Link, ip: str) -> bool:
        """Return whether no neighbour on the wire of an interface answers for an address; asked once."""
        key = ns, link.name, ip
        if key not in self._silent:
            self._silent[key] = self._state.who_has(ns, link, ip) is None
        return self._silent[key]

    def put_in(self, ns: int) -> List[Tuple[int, Address]]:
        """Return (interface index, address) of the addresses that this run put into a namespace."""
        return [(index, address) for (index, dummy), address in self._put_in.get(ns, {}).items()]

    # --- moving on ---

    def put(self, holder: Holder) -> None:
        """Note that an address is set."""
        ns = holder.ns or 0
        self._put[holder.address.parsed] = holder
        self._put_in[ns][holder.index, holder.address.key] = holder.address
        self._released.discard((ns, holder.index, holder.address.ip))

    def release(self, ns: int, index: int, address: Address) -> None:
        """Note that an address is removed from an interface."""
        self._put_in[ns].pop((index, address.key), None)
        self._released.add((ns, index, address.ip))
        for known in (self._put, *self._own.values(), *self._behind.values()):
            holder = known.get(address.parsed)
            if holder is not None and (holder.ns, holder.index) == (ns, index):
                del known[address.parsed]

    def release_port(self, ns: int, bridge: str, port: Link) -> None:
        """Note that the addresses behind a bridge's port are free: check mode knows that the pair is made anew before they are asked for."""
        known = self._behind.get((ns, bridge))
        if known is not None:
            for ip in known.by_port.pop(port.index, ()):
                known.pop(ip, None)

    def link_deleted(self) -> None:
        """Note that an interface is deleted: who has which address is found out anew."""
        self._own.clear()
        self._behind.clear()

    def outdate(self, touched: Set[int], steps: Sequence[Change]) -> None:
        """Note that changes were carried out. Behind a bridge that this run made are the addresses that it put there."""
        if any(isinstance(step, PutAddress) and step.ns != HOST for step in steps):
            self._state.born.clear()  # by now there are addresses behind the bridges
        if steps:
            self.link_deleted()
            self._released.clear()


def leases(state: State) -> Leases:
    """Return what a state knows of who has which address."""
    return state.extension(Leases)


# --- how changes of addresses move on what is known ---


@advance.register(PutAddress)
def _put_address(step: PutAddress, state: State) -> None:
    ns, link = link_of(state, step.ns, step.interface)
    known = state.addresses_by_index(ns).setdefault(link.index, [])
    key = (step.old or step.address).key
    place = next((number for number, address in enumerate(known) if address.key == key), len(known))
    known[place : place + 1] = [step.address]
    port = link.peer_index if link.peer_ns not in (None, ns) else 0
    leases(state).put(Holder(step.address, ns, link.index, str(step.ns), port=port))


@advance.register(DelAddress)
def _del_address(step: DelAddress, state: State) -> None:
    """An address goes. A plan sees to it that its secondary ones stay, see `_resources/ns_address_removal`."""
    ns, link = link_of(state, step.ns, step.interface)
    gone = next((one for one in state.addresses_of(ns, link) if one.key == step.address.key), step.address)
    left = [address for address in state.addresses_of(ns, link) if address.key != step.address.key]
    beside = [address for address in left if address.network == gone.network]
    if gone.family == 4 and not gone.secondary:
        heir = next((address for address in beside if address.secondary and address.prefix == gone.prefix), None)
        left = [replace(address, secondary=False) if address is heir else address for address in left]
    state.addresses_by_index(ns)[link.index] = left
    state.known.default_routes.pop(ns, None)
    state.list_routes(ns)
    _routes_go_along(state.known.routes.get((ns, gone.family, MAIN_TABLE), []), gone, left, beside, link.name)
    leases(state).release(ns, link.index, step.address)


def _routes_go_along(
    routes: List[Route], gone: Address, left: Sequence[Address], beside: Sequence[Address], interface: str
) -> None:
    """Take out of the routes of a family what goes with an address of an interface, on which addresses are ``left``, some ``beside`` it in its network."""
    ip, six, net = gone.ip, gone.family == 6, str(gone.network)
    last = not six and not any(address.family == 4 for address in left)
    held = any(address.ip == ip for address in left)
    for place in reversed(
        [place for place, one in enumerate(routes) if one.source == ip or one.interface == interface]
    ):
        one = routes[place]
        connected = (one.protocol, one.destination, one.interface) == (BY_KERNEL, net, interface)
        if (last and one.interface == interface) or (connected and not beside):
            del routes[place]
        elif one.source == ip and not held:
            if six or connected:
                routes[place] = replace(one, source="" if six else beside[0].ip)
            else:
                del routes[place]


@advance.register(Announce)
def _announce(step: Announce, state: State) -> None:
    """An announcement changes nothing."""


def connected(state: State, ns: int, family: int) -> Iterable[Tuple[str, str]]:
    """Yield the (network, interface) that the kernel gives a route for along with the addresses that this run put there, or whose interface it
    set up."""
    raised = [
        (index, address)
        for where, index in state.known.raised
        if where == ns
        for address in state.addresses_by_index(ns).get(index, ())
    ]
    for index, address in [*leases(state).put_in(ns), *raised]:
        link = state.link_at(ns, index) if address.family == family and not address.noprefixroute else None
        if link is not None:
            yield network_text(address.network), link.name
