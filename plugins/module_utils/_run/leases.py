# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which addresses are taken, and by whom. Allocation goes by that and keeps no state of its own. Pure but for the state.

How changes of addresses move on what is known is here as well, for those who make such changes.
"""

from __future__ import annotations

from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import IpAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import (
    Announce,
    DelAddress,
    PutAddress,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import BY_KERNEL
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    MAIN_TABLE,
    Address,
    Holder,
    Link,
    NsRef,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.prediction import advance, link_of
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State


class Leases:
    """Who has which address on a host. Namespaces are named by inode, interfaces by index."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._taken: Dict[Tuple[int, Optional[str]], Dict[IpAddress, Holder]] = {}  # by namespace and bridge
        self._read_again: Set[Tuple[int, Optional[str]]] = set()
        self._put: List[Holder] = []  # by this run
        self._released: Set[Tuple[int, int, str]] = set()  # (namespace, interface index, address)
        self._silent: Dict[Tuple[int, str, str], bool] = {}  # by namespace, interface and address

    def taken(self, ns: int, name: Optional[str], bridge: Optional[Link]) -> Mapping[IpAddress, Holder]:
        """Return who has which address: of the host and, with a bridge's ``name``, of its members; without one, of all named
        namespaces. ``bridge`` is None where the one called ``name`` is only foreseen."""
        if (ns, name) not in self._taken:
            holders = self._in_named_namespaces() if name is None else self._behind(ns, name, bridge)
            holders = [
                holder for holder in holders if (holder.ns, holder.index, holder.address.ip) not in self._released
            ]
            # Of two holders of an address the latter counts.
            known = [*holders, *self._put] if self._state.predict else [*self._put, *holders]
            self._taken[ns, name] = {holder.address.parsed: holder for holder in known}
        return self._taken[ns, name]

    def _behind(self, ns: int, name: str, bridge: Optional[Link]) -> List[Holder]:
        """Return who has an address in a namespace, or behind a bridge of it."""
        known = self._state.known
        holders = [
            Holder(address, ns, index) for index, address in self._state.addresses(ns) if address.scope != "host"
        ]
        if bridge is not None and bridge.index > 0 and (ns, name) not in self._state.born:
            for member in self._state.members(ns, bridge.index):
                if member.ns in known.ended or (ns, member.port) in known.deleted:
                    self._silent[ns, name, member.address.ip] = True  # gone in check mode only: it would still answer
                else:
                    holders.append(member)
        return holders

    def _in_named_namespaces(self) -> List[Holder]:
        entries = self._state.entries().values()
        refs = [HOST] + [NsRef.parse(entry.name) for entry in entries if entry.kind == "namespace"]
        found: List[Holder] = []
        seen = set()
        for ref in refs:
            ns = self._state.find(ref)
            if ns is not None and ns not in seen:
                seen.add(ns)
                addresses = self._state.addresses(ns)
                found += [
                    Holder(address, ns, index, str(ref)) for index, address in addresses if address.scope != "host"
                ]
        return found

    def read_again(self, ns: int, name: Optional[str], holder: Holder) -> None:
        """Have what `taken` returned read once more, if ``holder`` is in a namespace that this run did not open.

        The namespace may have ended just now: its addresses stay until the kernel is through with it (an RCU grace period).
        """
        if holder.ns is None and (ns, name) not in self._read_again and not self._state.predict:
            self._read_again.add((ns, name))
            self._state.wait_for_rcu()
            self._taken.pop((ns, name), None)

    def silent(self, ns: int, link: Link, ip: str) -> bool:
        """Return whether no neighbour on the wire of an interface answers for an address; asked once."""
        key = ns, link.name, ip
        if key not in self._silent:
            self._silent[key] = self._state.who_has(ns, link, ip) is None
        return self._silent[key]

    def put_in(self, ns: int) -> List[Tuple[int, Address]]:
        """Return (interface index, address) of the addresses that this run put into a namespace."""
        return [(holder.index, holder.address) for holder in self._put if holder.ns == ns]

    # --- moving on ---

    def put(self, holder: Holder) -> None:
        """Note that an address is set."""
        self._put.append(holder)
        self._released.discard((holder.ns or 0, holder.index, holder.address.ip))
        for taken in self._taken.values():
            taken.setdefault(holder.address.parsed, holder)

    def release(self, ns: int, index: int, address: Address) -> None:
        """Note that an address is removed from an interface."""
        self._put = [
            holder for holder in self._put if (holder.ns, holder.index, holder.address.key) != (ns, index, address.key)
        ]
        self._released.add((ns, index, address.ip))
        for taken in self._taken.values():
            holder = taken.get(address.parsed)
            if holder is not None and (holder.ns, holder.index) == (ns, index):
                del taken[address.parsed]

    def release_port(self, ns: int, bridge: str, name: str) -> None:
        """Note that the addresses behind a bridge's port are free: check mode knows that the pair is made anew before they are asked for."""
        link = self._state.link(ns, name)
        taken = self._taken.get((ns, bridge), {})
        for ip in [ip for ip, holder in taken.items() if link is not None and holder.port == link.index]:
            del taken[ip]

    def link_deleted(self) -> None:
        """Note that an interface is deleted: who has which address is found out anew."""
        self._taken.clear()

    def outdate(self, touched: Set[int], steps: Sequence[Change]) -> None:
        """Note that changes were carried out. Behind a bridge that this run made are the addresses that it put there."""
        if any(isinstance(step, PutAddress) and step.ns != HOST for step in steps):
            self._state.born.clear()  # by now there are addresses behind the bridges
        if steps:
            self._taken.clear()
            self._released.clear()


def leases(state: State) -> Leases:
    """Return what a state knows of who has which address."""
    return state.extension(Leases)


# --- how changes of addresses move on what is known ---


@advance.register(PutAddress)
def _put_address(step: PutAddress, state: State) -> None:
    ns, link = link_of(state, step.ns, step.interface)
    known = state.addresses(ns)
    entry = (link.index, step.address)
    for number, (index, address) in enumerate(known):
        if index == link.index and address.key == (step.old or step.address).key:
            known[number] = entry
            break
    else:
        known.append(entry)
    port = link.peer_index if link.peer_ns not in (None, ns) else 0
    leases(state).put(Holder(step.address, ns, link.index, str(step.ns), port=port))


@advance.register(DelAddress)
def _del_address(step: DelAddress, state: State) -> None:
    ns, link = link_of(state, step.ns, step.interface)
    state.known.addresses[ns] = [
        (index, address)
        for index, address in state.addresses(ns)
        if index != link.index or address.key != step.address.key
    ]
    net = str(step.address.network)
    if not any(str(address.network) == net for address in state.addresses_of(ns, link)):
        routes = state.routes(ns, step.address.family, MAIN_TABLE)
        came_along = (BY_KERNEL, net, link.name)
        routes[:] = [route for route in routes if (route.protocol, route.destination, route.interface) != came_along]
    leases(state).release(ns, link.index, step.address)


@advance.register(Announce)
def _announce(step: Announce, state: State) -> None:
    """An announcement changes nothing."""


def connected(state: State, ns: int, family: int) -> Iterable[Tuple[str, str]]:
    """Yield the (network, interface) that the kernel gives a route for along with the addresses that this run put there."""
    for index, address in leases(state).put_in(ns):
        link = state.link_at(ns, index) if address.family == family and not address.noprefixroute else None
        if link is not None:
            yield str(address.network), link.name
