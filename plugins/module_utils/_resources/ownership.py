# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose a bridge is, who is on it, and what of ours others need: asked by all that take something away of a bridge. Pure but for the
state."""

from __future__ import annotations

import os.path
from dataclasses import replace
from typing import Collection, Dict, Iterable, Iterator, List, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import DelAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.commands import visible
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import (
    BY_KERNEL,
    NETNS_DIRECTORY,
    PROTOCOL,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    MAIN_TABLE,
    Address,
    Link,
    NsRef,
    Route,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import is_own_link, made_for
from ansible_collections.linuxnet.containers.plugins.module_utils._run.leases import leases
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

_NAMED_AT_MOST = 5  # of a bridge's ports, in a warning


@dataclass(frozen=True)
class Standing:
    """What is to be known of a bridge before anything of ours is taken away of it. ``own``: this collection made it. ``ports`` are those
    on it, ``pairs`` the pairs of this collection among them: (port, name of the namespace)."""

    own: bool = False
    ports: Tuple[str, ...] = ()
    pairs: Tuple[Tuple[str, str], ...] = ()

    @property
    def stays(self) -> bool:
        """Return whether our addresses of the bridge and our rules for it stay: it is ours and has ports, or it is somebody else's and has
        containers of ours on it."""
        return bool(self.ports if self.own else self.pairs)

    @property
    def holders(self) -> str:
        """Return the ports for which they stay, in words."""
        pairs = dict(self.pairs)
        ports = self.ports if self.own else tuple(pairs)
        named = [
            visible(port + (" of netns '%s'" % pairs[port] if port in pairs else "")) for port in ports[:_NAMED_AT_MOST]
        ]
        more = len(ports) - len(named)
        return ", ".join(named) + (" and %d more" % more if more else "")


def standing(
    ref: NsRef,
    ns: int,
    bridge: Link,
    made_as: str,
    rewired: Collection[str],
    state: State,
    released: Collection[str] = (),
) -> Standing:
    """Return whose a bridge of the namespace ``ref`` is, and who is on it. ``made_as`` is the name that it has or, where it was renamed,
    that it was made by. ``rewired``: names of namespaces whose pairs do not count, since they are about to be ports of another bridge; nor do the ports
    ``released``."""
    own = is_own_link(bridge, "bridge", ref.path, made_as, state.identity())
    ports = state.ports(ns, bridge.index)
    veths = [port for port in ports if port.kind == "veth"]
    known = state.extension(Pairs).of(ns) if veths else {}
    pairs = {port.name: known[port.index] for port in veths if port.index in known}
    left = [port.name for port in ports if pairs.get(port.name) not in rewired and port.name not in released]
    return Standing(own, tuple(left), tuple((name, pairs[name]) for name in left if name in pairs))


def standing_of(ref: NsRef, name: str, rewired: Collection[str], state: State) -> Standing:
    """Return `standing` of what has a name in a namespace; nobody's where there is no such bridge."""
    ns = state.find(ref)
    link = state.link(ns, name) if ns is not None else None
    if ns is None or link is None or link.kind != "bridge":
        return Standing()
    return standing(ref, ns, link, name, rewired, state)


def not_listed(ref: NsRef, name: str, listed: Collection[str], state: State) -> str:
    """Return a sentence that names the containers on a bridge that are not ``listed``, for who changes what is so for all on it; ``""`` where there are
    none. ``listed``: names of namespaces."""
    found = standing_of(ref, name, listed, state)
    if not found.pairs:
        return ""
    text = "Network '%s' changes also for who is on it and not so in this list: %s. Lists that share a network have to say the same of it."
    return text % (name, replace(found, own=False).holders)


class Pairs:
    """The pairs of this collection, by their host ends: found once, since every bridge of a task may ask."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._known: Dict[int, Dict[int, str]] = {}

    def of(self, ns: int) -> Dict[int, str]:
        """Return the name in /run/netns that each pair with its host end in a namespace was made for, by the index of that end."""
        if ns not in self._known:
            found: Dict[int, str] = {}
            for name, entry in list(self._state.entries().items()):
                ref = NsRef(os.path.join(NETNS_DIRECTORY, name))
                there = self._state.find(ref) if entry.kind == "namespace" else None
                if there is not None and there != ns:
                    found.update((index, name) for index in self._made_for(ref.path, ns, there))
            self._known[ns] = found
        return self._known[ns]

    def _made_for(self, path: str, ns: int, there: int) -> Iterator[int]:
        for far in self._state.links(there, "veth"):
            near = self._state.link_at(ns, far.peer_index) if far.peer_ns == ns else None
            if near is not None and made_for(path, near, far, self._state.identity()):
                yield near.index

    def link_deleted(self) -> None:
        """What is deleted is no port any more, so nobody asks for it."""

    def outdate(self, touched: Set[int], steps: Sequence[Change]) -> None:
        """Note that changes were carried out."""
        self._known.clear()


# --- our part of a bridge that is somebody else's ---


@dataclass(frozen=True)
class Part:
    """The addresses of ours on an interface: those that ``go``, and those that ``stay``, for others need them."""

    go: Tuple[Address, ...] = ()
    stay: Tuple[Address, ...] = ()

    def steps(self, ref: NsRef, name: str) -> List[Change]:
        """Return the steps that remove the addresses."""
        return [DelAddress(ref, name, address) for address in self.go]


def our_part(ns: int, link: Link, state: State) -> Part:
    """Return the addresses of ours on an interface, known by their protocol number. One stays that takes something of others along (of
    IPv4: its secondary addresses; the routes from it; and as the last one all routes through the interface)."""
    leases(state)  # they move on with what is removed here
    own = state.addresses_of(ns, link)
    ours = [address for address in own if address.protocol == PROTOCOL]
    others = [address for address in own if address.protocol != PROTOCOL]
    routes = {family: list(_foreign(state.routes(ns, family, MAIN_TABLE))) for family in {one.family for one in ours}}
    stay = [address for address in ours if _takes_along(address, others, routes[address.family])]
    last = not any(address.family == 4 for address in (*others, *stay))
    through = last and any(_through(route, link.name) for route in routes.get(4, ()))
    first = next((address for address in ours if address.family == 4 and address.scope == "global"), None)
    if through and first is not None:
        stay.append(first)
    return Part(tuple(address for address in ours if address not in stay), tuple(stay))


def _foreign(routes: Iterable[Route]) -> Iterable[Route]:
    return (route for route in routes if route.protocol not in (BY_KERNEL, PROTOCOL))


def _through(route: Route, name: str) -> bool:
    return route.interface == name or any(hop.interface == name for hop in route.nexthops)


def _takes_along(address: Address, others: Sequence[Address], routes: Sequence[Route]) -> bool:
    """Return whether the kernel would take addresses or routes of others along with an address."""
    if any(route.source == address.ip for route in routes):
        return True
    return (
        address.family == 4
        and not address.secondary
        and any(
            other.secondary and other.prefix == address.prefix and other.parsed in address.network for other in others
        )
    )
