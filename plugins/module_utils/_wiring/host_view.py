# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be seen of a host: its network namespaces, who is in them, and the pairs and other links between them. Reads, and never changes."""

from __future__ import annotations

import collections
import os.path
import re
from dataclasses import replace
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, Optional, Sequence, Set, Tuple, TypeVar

from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.kernel_api import Source
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import NETNS_DIRECTORY, PROTOCOL
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    MAIN_TABLE,
    Address,
    Container,
    Link,
    NsRef,
    PolicyRule,
    Route,
    RouteTable,
    Run,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import is_cable, is_made, made_for
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

Read = TypeVar("Read")

_DERIVED = re.compile(r"veth[a-z2-7]{11}")  # the form of `naming.host_interface`
_DEFAULT = ("0.0.0.0/0", "::/0")
_RTPROT_KERNEL = 2  # of a route that came with an address
_PROCESSES_SHOWN = 5


@dataclass(frozen=True)
class Namespace:
    """A network namespace. ``path`` is a file of it, ``""`` for the host's own; ``names`` are those in /run/netns; ``pids`` of the
    processes in it, which are left out for the host; ``containers`` are in the order they were started."""

    inode: int
    path: str
    names: Tuple[str, ...] = ()
    pids: Tuple[int, ...] = ()
    containers: Tuple[Container, ...] = ()

    @property
    def ref(self) -> NsRef:
        """Return what the modules' results call it by."""
        return NsRef(self._named[0] if self.path and self.names else self.path)

    @property
    def option(self) -> Dict[str, Any]:
        """Return the option ``netns`` that means it."""
        return {"netns": self.ref.path or None}

    @property
    def container(self) -> Dict[str, Any]:
        """Return the container that it is of, which is the first that was started in it, as results show it."""
        first = self.containers[0] if self.containers else None
        return {"container": first.name if first else None, "engine": first.engine if first else None}

    @property
    def _named(self) -> List[str]:
        return [os.path.join(NETNS_DIRECTORY, name) for name in self.names]

    @property
    def paths(self) -> List[str]:
        """Return all paths that a pair may have been made for."""
        return [*self._named, self.path, *("/proc/%d/ns/net" % pid for pid in self.pids)]


@dataclass(frozen=True)
class Pair:
    """A veth pair: the end ``near`` is in ``here``, the end ``far`` in ``there``, which are None where they cannot be seen. ``made``:
    the path of the namespace that this collection made the pair for, None where it did not."""

    near: Link
    here: Namespace
    far: Optional[Link] = None
    there: Optional[Namespace] = None
    made: Optional[str] = None

    @property
    def derived(self) -> bool:
        """Return whether the near end has a name of the form that this collection derives."""
        return _DERIVED.fullmatch(self.near.name) is not None

    @property
    def cable(self) -> bool:
        """Return whether it is a cable of this collection's, between two containers."""
        return is_cable(self.near) or is_cable(self.far)

    @property
    def ends(self) -> List[Tuple[Namespace, Link]]:
        return [(self.here, self.near)] + ([(self.there, self.far)] if self.there and self.far else [])


class HostView:
    """A host, seen once; ``state`` is what is known of it already. With ``refs`` only these namespaces, and what leads to them, are in its scope; else
    all are.

    ``namespaces`` are by inode, the host's own (inode ``host``) first, then those with a name; ``pairs`` have an end in the scope;
    ``warnings`` are in order. Raises `Refused` where the host itself cannot be read.
    """

    def __init__(self, source: Source, refs: Sequence[NsRef], state: Optional[State] = None) -> None:
        self.state = state or State(source)
        self.warnings: Dict[str, None] = {}
        self.asked_names = [ref.name for ref in refs]
        self.host = self.state.need(HOST)
        self.namespaces = {namespace.inode: namespace for namespace in self._found()}
        ordered = sorted(
            map(self._name_first, self.namespaces.values()),
            key=lambda namespace: (
                namespace.inode != self.host,
                not namespace.names,
                namespace.names,
                namespace.path,
            ),
        )
        self.namespaces = {namespace.inode: namespace for namespace in ordered}
        self._scope = {inode for inode in map(self._inode, refs) if inode is not None} if refs else None
        self.pairs = self._pairs()
        # What leads to the namespaces asked for: the ends of their pairs, what the links in there are made on, and the bridges that these are ports of.
        ends = [end for pair in self.pairs for end in pair.ends]
        self._leading: Set[Tuple[int, int]] = {
            (namespace.inode, index)
            for namespace, link in (*ends, *([] if self.whole else self._parents()))
            for index in (link.index, link.master)
            if index
        }

    # --- namespaces ---

    def _found(self) -> List[Namespace]:
        """Return the namespaces that can be seen, with their names and containers."""
        known = {inode: (path, tuple(pids)) for inode, path, pids in self.state.all_namespaces()}
        names: Dict[int, List[str]] = collections.defaultdict(list)
        for name, entry in self.state.entries().items():
            if entry.kind == "namespace":
                names[entry.inode].append(name)
                if entry.inode not in known:  # the link to a file that is mounted nowhere here
                    ref = NsRef(os.path.join(NETNS_DIRECTORY, name))
                    if self._inode(ref) == entry.inode:
                        known[entry.inode] = (ref.path, ())
        inodes = {pid: inode for inode, (dummy, pids) in known.items() for pid in pids}
        containers: Dict[int, List[Container]] = collections.defaultdict(list)
        for container in self.state.running_containers():
            inode = inodes.get(container.pid, 0)
            if inode != self.host or container.engine != "systemd":  # a unit in the host's namespace is no container
                containers[inode].append(container)
        return [
            Namespace(
                inode,
                path,
                tuple(names[inode]),
                () if inode == self.host else pids,
                tuple(sorted(containers[inode], key=self._started)),
            )
            for inode, (path, pids) in known.items()
        ]

    def _started(self, container: Container) -> Tuple[int, int]:
        return int(self.state.start_time(container.pid) or 0), container.pid

    def _name_first(self, namespace: Namespace) -> Namespace:
        """Return a namespace with the name first that its pairs were made for, or that its container has; the other names share it."""
        if len(namespace.names) < 2:
            return namespace
        pairs = [
            (near, far)
            for far in self.links(namespace, "veth")
            if far.peer_ns in self.namespaces
            for near in [self._unless_ending(self.namespaces[far.peer_ns], self.state.link_at, far.peer_index)]
            if near is not None
        ]
        identity = self.state.identity()
        first = [container.name for container in namespace.containers[:1]]

        def order(name: str) -> Tuple[bool, bool]:
            path = os.path.join(NETNS_DIRECTORY, name)
            return not any(made_for(path, near, far, identity) for near, far in pairs), name not in first

        return replace(namespace, names=tuple(sorted(namespace.names, key=order)))

    def _inode(self, ref: NsRef) -> Optional[int]:
        """Return the inode of a namespace, None where it does not exist or cannot be read; a warning says why."""
        try:
            found = self.state.find(ref)
        except Refused as error:
            self.warnings[str(error)] = None
            return None
        if found is None:
            self.warnings["%s does not exist." % str(ref).capitalize()] = None
        return found

    def processes(self, namespace: Namespace) -> List[Tuple[int, str]]:
        """Return (pid, command) of the first few processes in a namespace."""
        known = [(pid, self.state.process_command(pid)) for pid in namespace.pids[:_PROCESSES_SHOWN]]
        return [process for process in known if process[1]]

    def owner(self, namespace: Namespace) -> str:
        """Return whose namespace it is: its name, else its container's, else its first process."""
        names = [*namespace.names, *(container.name for container in namespace.containers)]
        names += ["process %d (%s)" % process for process in self.processes(namespace)]
        return [*names, namespace.path][0]

    # --- pairs ---

    def _pairs(self) -> List[Pair]:
        found: Dict[FrozenSet[Tuple[Optional[int], int]], Pair] = {}
        links = [
            (namespace, self.links(namespace)) for namespace in self.asked_for()
        ]  # a dump each, before any single read
        for namespace, known in links:
            for link in known:
                ends = frozenset([(namespace.inode, link.index), (link.peer_ns, link.peer_index)])
                if link.kind == "veth" and ends not in found:
                    found[ends] = self._pair(namespace, link)
        order = {inode: number for number, inode in enumerate(self.namespaces)}
        return sorted(found.values(), key=lambda pair: (order[pair.here.inode], pair.near.index))

    def _pair(self, namespace: Namespace, link: Link) -> Pair:
        """Return the pair of a veth. Its near end is the end on the host, else the end that this collection made as such."""
        other = self.namespaces.get(link.peer_ns or 0)
        peer = self._unless_ending(other, self.state.link_at, link.peer_index) if other else None
        if other is None or peer is None:
            return Pair(link, namespace)
        both = [
            Pair(near, here, far, there, self._made(near, far, there))
            for near, here, far, there in ((link, namespace, peer, other), (peer, other, link, namespace))
        ]
        return max(
            both,
            key=lambda pair: (
                pair.here.inode == self.host,
                pair.made is not None,
                pair.near.master > 0,
                pair.near.index,  # the kernel makes the far end first
            ),
        )

    def _made(self, near: Link, far: Link, there: Namespace) -> Optional[str]:
        identity = self.state.identity()
        return next((path for path in there.paths if made_for(path, near, far, identity)), None)

    # --- other links ---

    def parent(self, link: Link) -> Optional[Tuple[Namespace, Link]]:
        """Return (namespace, link) that a link is made on, None where there is none or it cannot be seen."""
        there = self.namespaces.get(link.parent_ns or 0) if link.parent_index else None
        found = self._unless_ending(there, self.state.link_at, link.parent_index) if there is not None else None
        return (there, found) if there is not None and found is not None else None

    def _parents(self) -> Iterator[Tuple[Namespace, Link]]:
        """Yield (namespace, link) of what the links in the scope are made on, and of what those are made on in turn."""
        for namespace in self.asked_for():
            for link in self.links(namespace):
                found = self.parent(link)
                while found is not None:
                    yield found
                    found = self.parent(found[1])

    def is_ours(self, namespace: Namespace, link: Link) -> bool:
        """Return whether the module ns_link made a link."""
        return is_made(link, namespace.ref.path, link.name, self.state.identity())

    # --- scope ---

    @property
    def whole(self) -> bool:
        """Return whether everything is in the scope."""
        return self._scope is None

    def asks_for(self, namespace: Namespace) -> bool:
        return self._scope is None or namespace.inode in self._scope

    def asked_for(self) -> List[Namespace]:
        """Return the namespaces that are asked for."""
        return [namespace for namespace in self.namespaces.values() if self.asks_for(namespace)]

    def reached(self) -> List[Namespace]:
        """Return the namespaces that are asked for, and those that lead to them."""
        leading = {inode for inode, dummy in self._leading}
        return [
            namespace
            for namespace in self.namespaces.values()
            if self.asks_for(namespace) or namespace.inode in leading
        ]

    def leads(self, namespace: Namespace, link: Link) -> bool:
        """Return whether an interface is in a namespace that is asked for, or leads to one."""
        return self.asks_for(namespace) or (namespace.inode, link.index) in self._leading

    def shows(self, namespace: Namespace, link: Optional[Link]) -> bool:
        """Return whether an interface is in the scope. Of the host's own only bridges, pairs and links that `ns_link` made are."""
        if link is None or not self.leads(namespace, link):
            return False
        return namespace.inode != self.host or link.kind in ("bridge", "veth") or self.is_ours(namespace, link)

    def made_as_links(self, namespace: Namespace) -> List[Link]:
        """Return the interfaces of a namespace that are in the scope and of the kinds that `ns_link` makes, whoever made them."""
        kinds = link_kinds.made_by("ns_link")
        return [link for link in self.links(namespace) if link.kind in kinds and self.leads(namespace, link)]

    # --- what is in a namespace ---

    def _unless_ending(self, namespace: Namespace, read: Callable[..., Read], *arguments: Any) -> Optional[Read]:
        """Return what a reader says of a namespace, None where the namespace is just ending."""
        try:
            return read(namespace.inode, *arguments)
        except OSError as error:
            if namespace.inode == self.host:
                raise KernelError(error.errno or 0, "read the state of %s" % HOST) from error
            return None

    def links(self, namespace: Namespace, kind: str = "") -> List[Link]:
        """Return the interfaces of a namespace, or those of a kind, by index."""
        return sorted(self._unless_ending(namespace, self.state.links, kind) or [], key=lambda link: link.index)

    def addresses(self, namespace: Namespace) -> List[Tuple[Link, Address]]:
        """Return the addresses of a namespace with their interfaces, without the loopback's own."""
        found: List[Tuple[Link, Address]] = []
        for index, listed in (self._unless_ending(namespace, self.state.addresses_by_index) or {}).items():
            link = self._unless_ending(namespace, self.state.link_at, index)
            if link is not None:
                found += [(link, address) for address in listed if address.scope != "host"]
        return found

    def _table(self, namespace: Namespace, family: int, table: int, protocol: int = 0) -> RouteTable:
        return self._unless_ending(namespace, self.state.table, family, table, protocol) or RouteTable()

    def default_routes(self, namespace: Namespace) -> Iterator[Route]:
        """Yield the default routes of a namespace, without those that came with an address."""
        for family in (4, 6):
            for route in self._table(namespace, family, MAIN_TABLE).to(_DEFAULT):
                if _made_by_somebody(route):
                    yield route

    def ruled_routes(self, namespace: Namespace, protocol: int = 0) -> Iterator[Tuple[Run, Optional[PolicyRule]]]:
        """Yield the routes of a namespace, in runs, without those that came with an address, and the rule that leads to their table: those of the main
        table, which needs none (``protocol``: those of it alone), and those of each table that a policy rule of ours leads to."""
        for family in (4, 6):
            for run in self._table(namespace, family, MAIN_TABLE, protocol).runs(_made_by_somebody):
                if protocol in (0, run.like.protocol):
                    yield run, None
        for family in (4, 6):
            for rule in self._unless_ending(namespace, self.state.policies, family) or []:
                if rule.protocol == PROTOCOL:
                    for run in self._table(namespace, family, rule.table).runs(_made_by_somebody):
                        yield run, rule


def _made_by_somebody(route: Route) -> bool:
    """Return whether a route is more than what came with an address."""
    return route.protocol != _RTPROT_KERNEL
