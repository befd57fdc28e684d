# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of a host's network: read on demand from a kernel, moved on by every planned change.

Check mode is this class without the kernel's `apply`: what earlier items of a task would make is seen by the later ones.
The in-memory twin of the kernel is this class over an empty source. Pure but for the source it is given.
"""

from __future__ import annotations

import collections
import itertools
from dataclasses import replace
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Set, Tuple, Type, TypeVar

from ansible_collections.linuxnet.containers.plugins.module_utils._model import changes as change
from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import IpAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.kernel_api import Source
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    MAIN_TABLE,
    Address,
    Container,
    Holder,
    Link,
    NsFile,
    NsRef,
    PolicyRule,
    Route,
    Vlan,
)

Key = TypeVar("Key")
Value = TypeVar("Value")
Part = TypeVar("Part")
_BY_KERNEL = 2  # RTPROT_KERNEL: a route that comes and goes with an address
_NAMED_AT_MOST = 3  # of what check mode foresaw, in its warning


class _Links:
    """The interfaces of one namespace, as far as they are known. A name with None is known to be free."""

    def __init__(self) -> None:
        self.by_name: Dict[str, Optional[Link]] = {}
        self.by_index: Dict[int, str] = {}
        self.complete = False

    def put(self, link: Link) -> Link:
        """Take an interface for known, in place of what had its name."""
        self.by_name[link.name] = link
        self.by_index[link.index] = link.name
        return link

    def drop(self, link: Link) -> None:
        """Take an interface for gone."""
        self.by_name[link.name] = None
        self.by_index.pop(link.index, None)

    def known(self) -> List[Link]:
        """Return the interfaces that are known to be there."""
        return [link for link in self.by_name.values() if link is not None]


class Later(Mapping[Key, Value]):
    """A mapping that is made when it is first looked into: one that is dear and mostly not needed."""

    def __init__(self, make: Callable[[], Mapping[Key, Value]]) -> None:
        self._make = make

    def __getitem__(self, key: Key) -> Value:
        return self._make()[key]

    def __contains__(self, key: object) -> bool:
        return key in self._make()

    def __iter__(self) -> Iterator[Key]:
        return iter(self._make())

    def __len__(self) -> int:
        return len(self._make())


class State:
    """Facts about a host. ``predict`` (check mode): a namespace that is missing counts as made by an earlier task.

    ``anew`` names namespaces that are there and that an earlier task would make anew, ``gone`` interfaces of the host that one would
    remove.
    """

    def __init__(
        self, source: Source, predict: bool = False, anew: Iterable[str] = (), gone: Iterable[str] = ()
    ) -> None:
        self.source = source
        self.predict = predict
        self._missing: Dict[str, None] = {}  # in order
        self._foreseen = itertools.count(-2, -1)
        self._paths: Dict[str, Optional[int]] = {}
        self._entries: Optional[Dict[str, NsFile]] = None
        self._links: Dict[int, _Links] = collections.defaultdict(_Links)
        self._addresses: Dict[int, List[Tuple[int, Address]]] = {}
        self._routes: Dict[Tuple[int, int, int], List[Route]] = {}
        self._policies: Dict[Tuple[int, int], List[PolicyRule]] = {}
        self._defaults: Dict[int, List[Route]] = {}  # default routes, as long as no route changes
        self._vlans: Dict[Tuple[int, int], Tuple[Vlan, ...]] = {}
        self._sysctls: Dict[Tuple[int, str], Optional[str]] = {}
        self._identity: Optional[str] = None
        self._containers: Dict[str, Tuple[Mapping[str, Sequence[Container]], Sequence[str]]] = {}
        self._texts: Dict[str, str] = {}
        self._parts: Dict[type, Any] = {}  # what is known of other things, each with a class of its own
        self._silent: Dict[Tuple[int, str, str], bool] = {}
        self._taken: Dict[Tuple[int, Optional[str]], Dict[IpAddress, Holder]] = {}
        self._reread: Set[Tuple[int, Optional[str]]] = set()
        self._put: List[Holder] = []
        self._freed: Set[Tuple[int, int, str]] = set()  # (namespace, interface index, address)
        self._gone: Set[int] = set()  # namespaces
        self._cut: Set[Tuple[Optional[int], int]] = set()  # links that are deleted, by namespace and index
        self._made: Set[Tuple[Optional[int], str]] = set()  # links, by namespace and name
        for name in anew if predict else ():
            self._leave(name)
        if predict and gone:
            self._take_away(gone)

    # --- namespaces ---

    def find(self, ref: NsRef) -> Optional[int]:
        """Return the inode of a namespace, negative for one that is only foreseen, None where there is none."""
        if ref.path not in self._paths:
            self._paths[ref.path] = self.source.find(ref)
        return self._paths[ref.path]

    def need(self, ref: NsRef) -> int:
        """Return the inode of a namespace that must be there; foresee it in check mode, else raise `Refused`."""
        found = self.find(ref)
        if found is not None:
            return found
        if not self.predict:
            where = "linuxnet.containers.netns with name: %s makes it" % ref.name if ref.name else "check the path"
            raise Refused("%s does not exist (no %s); %s." % (str(ref).capitalize(), ref.path, where))
        return self.foreseen(ref, str(ref))

    def foreseen(self, ref: NsRef, what: str) -> int:
        """Take a namespace for there which an earlier task would have made; ``what`` names it in the warning."""
        self.foresee(what)
        ns = self._paths[ref.path] = self._fresh_namespace()
        if ref.name:
            self.entries()[ref.name] = NsFile(ref.name, "namespace", ns)
        return ns

    def foresee(self, what: str) -> None:
        """Take note that a parent is missing which an earlier task would have made."""
        self._missing[what] = None

    @property
    def warnings(self) -> List[str]:
        """Return the one warning that says what check mode foresaw, or nothing."""
        if not self._missing:
            return []
        named = list(self._missing)[:_NAMED_AT_MOST]
        more = len(self._missing) - len(named)
        what = ", ".join(named) + (" and %d more" % more if more else "")
        verb = "does" if len(self._missing) == 1 else "do"
        return ["Check mode: %s %s not exist yet; taken as made by an earlier task." % (what, verb)]

    def _fresh_namespace(self) -> int:
        ns = next(self._foreseen)
        self._links[ns].complete = True
        self._links[ns].put(
            Link(1, "lo", "", {"mtu": 65536, "enabled": False, "alias": "", "mac": "00:00:00:00:00:00"})
        )
        return ns

    def _leave(self, name: str) -> None:
        """Take a name for one of a namespace that is made anew; the old one is gone with its pairs where nothing else holds it."""
        ref = NsRef.parse(name)
        old = self.source.find(ref)
        self.entries().pop(name, None)
        self._paths[ref.path] = None
        self._end(old or 0)

    def _take_away(self, names: Iterable[str]) -> None:
        """Take interfaces of the host for gone, with their other ends, addresses and routes."""
        for name in names:
            if self.link(self.need(HOST), name) is not None:
                self._del_link(change.DelLink(HOST, name))

    def _end(self, ns: int) -> None:
        """In check mode, take a namespace that lost a name for gone with its pairs, where nothing else holds it."""
        if self.predict and ns > 0 and ns != self.find(HOST) and not self._held(ns) and not self.source.processes(ns):
            self._gone.add(ns)

    def _held(self, ns: int) -> bool:
        """Return whether a name in /run/netns holds a namespace."""
        return any(entry.inode == ns and not entry.target for entry in self.entries().values())

    def _there(self, link: Optional[Link]) -> Optional[Link]:
        """Return an interface unless its peer is gone, or in a namespace that is."""
        cut = link is not None and (link.peer_ns, link.peer_index) in self._cut
        return None if link is None or cut or link.peer_ns in self._gone else link

    def containers(self, engine: str, names: Sequence[str]) -> Tuple[Mapping[str, Sequence[Container]], Sequence[str]]:
        """Return `Source.containers`; each engine is asked once."""
        if engine not in self._containers:
            self._containers[engine] = self.source.containers(engine, names)
        return self._containers[engine]

    def entries(self) -> Dict[str, NsFile]:
        """Return what is in /run/netns, by name."""
        if self._entries is None:
            self._entries = dict(self.source.listing())
        return self._entries

    def part(self, cls: Type[Part]) -> Part:
        """Return what is known of something that this class knows nothing of: one object of ``cls``, made with the state. Its method
        ``outdate`` is told the namespaces that were changed."""
        if cls not in self._parts:
            self._parts[cls] = cls(self)  # type: ignore[call-arg]
        found: Part = self._parts[cls]
        return found

    # --- reading, on demand ---

    def link(self, ns: int, name: str) -> Optional[Link]:
        """Return the interface called ``name`` in a namespace."""
        links = self._links[ns]
        if name not in links.by_name:
            found = None if links.complete else self._there(self.source.link(ns, name=name))
            links.by_name[name] = None
            if found is not None:
                links.put(found)
        return self._there(links.by_name[name])

    def need_link(self, ns: int, ref: NsRef, name: str, option: str, kind: str = "") -> Link:
        """Return an interface that must be there (a bridge, where ``kind`` says so); foresee it in check mode, else raise `Refused`."""
        link = self.link(ns, name)
        if link is None:
            what = "%s '%s'" % (kind or "interface", name)
            if not self.predict:
                maker = "; linuxnet.containers.%s makes one" % (kind or "veth")
                raise Refused("%s: there is no %s in %s%s." % (option, what, ref, maker))
            self.foresee("%s in %s" % (what, ref))
            attributes = {"mtu": 1500, "mac": "", "alias": "", "enabled": True}
            link = self._links[ns].put(Link(next(self._foreseen), name, kind, attributes))
        if kind and link.index < 0 and not link.kind:  # foreseen by somebody who did not know what it is
            link = self._links[ns].put(replace(link, kind=kind))
        if kind and link.kind != kind:
            raise Refused("%s: '%s' in %s is %s, not a %s." % (option, name, ref, link.describe(), kind))
        return link

    def link_at(self, ns: int, index: int) -> Optional[Link]:
        """Return the interface with that index in a namespace."""
        links = self._links[ns]
        if index not in links.by_index:
            found = None if links.complete or index <= 0 else self._there(self.source.link(ns, index=index))
            if found is None or found.name in links.by_name:  # its name is that of another by now: it is gone
                return None
            links.put(found)
        return self._there(links.by_name[links.by_index[index]])

    def links(self, ns: int) -> List[Link]:
        """Return all interfaces of a namespace."""
        links = self._links[ns]
        if not links.complete:
            for link in filter(self._there, self.source.links(ns)):
                if link.name not in links.by_name:
                    links.put(link)
            links.complete = True
        return list(filter(self._there, links.known()))

    def master_name(self, ns: int, link: Link) -> str:
        """Return the name of a link's master, ``""`` where it has none."""
        master = self.link_at(ns, link.master) if link.master else None
        return master.name if master else ""

    def addresses(self, ns: int) -> List[Tuple[int, Address]]:
        """Return (interface index, address) for all addresses of a namespace; one dump a namespace."""
        if ns not in self._addresses:
            found = [] if ns < 0 else self.source.addresses(ns)
            self._addresses[ns] = [pair for pair in found if (ns, pair[0]) not in self._cut]
        return self._addresses[ns]

    def connected(self, ns: int, family: int) -> List[Tuple[str, str]]:
        """Return the (network, interface) that the kernel gives a route for along with the addresses that were put here."""
        found = []
        for index, one in [(holder.index, holder.address) for holder in self._put if holder.ns == ns]:
            link = self.link_at(ns, index) if one.family == family and not one.noprefixroute else None
            if link is not None:
                found.append((str(one.network), link.name))
        return found

    def addresses_of(self, ns: int, link: Link) -> List[Address]:
        """Return the addresses of one interface."""
        return [one for index, one in self.addresses(ns) if index == link.index]

    def routes(self, ns: int, family: int, table: int) -> List[Route]:
        """Return the routes of one table; one dump a namespace, family and table."""
        if (ns, family, table) not in self._routes:
            known, found = self._links[ns].by_name, [] if ns < 0 else self.source.routes(ns, family, table)
            self._routes[ns, family, table] = [one for one in found if known.get(one.interface, True) is not None]
        return self._routes[ns, family, table]

    def policies(self, ns: int, family: int) -> List[PolicyRule]:
        """Return the policy rules that look at the source only; one dump a namespace and family."""
        if (ns, family) not in self._policies:
            self._policies[ns, family] = [] if ns < 0 else list(self.source.policies(ns, family))
        return self._policies[ns, family]

    def vlans(self, ns: int, link: Link) -> Tuple[Vlan, ...]:
        """Return the VLANs of a bridge port."""
        if (ns, link.index) not in self._vlans:
            self._vlans[ns, link.index] = self.source.vlans(ns, link.index) if ns > 0 and link.index > 0 else ()
        return self._vlans[ns, link.index]

    def sysctl(self, ns: int, key: str) -> Optional[str]:
        """Return a sysctl, None where there is no such key (or the namespace is only foreseen)."""
        if (ns, key) not in self._sysctls:
            self._sysctls[ns, key] = self.source.sysctl(ns, key) if ns > 0 else None
        return self._sysctls[ns, key]

    def tx_checksum(self, ns: int, link: Link) -> Optional[bool]:
        """Return whether transmit checksum offload is on, as far as the kernel says; on for a new interface."""
        if "tx_checksum" in link.attributes:
            return bool(link.get("tx_checksum"))
        return self.source.tx_checksum(ns, link.name) if ns > 0 and link.index > 0 else True

    def silent(self, ns: int, link: Link, ip: str) -> bool:
        """Return whether nobody on the wire of an interface that is up says to have an address; asked once."""
        key = ns, link.name, ip
        if key not in self._silent:
            self._silent[key] = self.source.who_has(ns, link.name, str(link.get("mac")), ip) is None
        return self._silent[key]

    def text(self, path: str) -> str:
        """Return a file's text, ``""`` where there is none."""
        if path not in self._texts:
            self._texts[path] = self.source.read_text(path)
        return self._texts[path]

    def identity(self) -> str:
        """Return what tells this host from others; read once."""
        if self._identity is None:
            self._identity = self.source.identity()
        return self._identity

    def uplink_mtu(self, ns: int) -> int:
        """Return the MTU of the interface that holds the default route (IPv4 first, lowest metric), 1500 where there is none."""
        if ns not in self._defaults:
            self._defaults[ns] = [
                route
                for family in (4, 6)
                for route in sorted(self.routes(ns, family, MAIN_TABLE), key=lambda route: route.metric)
                if route.shown_destination == "default" and route.type == "unicast"
            ]
        for route in self._defaults[ns]:
            name = route.interface or (route.nexthops[0].interface if route.nexthops else "")
            link = self.link(ns, name) if name else None
            if link is not None:
                return int(link.get("mtu"))
        return 1500

    def taken(self, ns: int, name: Optional[str], bridge: Optional[Link]) -> Mapping[IpAddress, Holder]:
        """Return who has which address: of the host and, with a bridge's ``name``, of its members; without one, of all named
        namespaces. ``bridge`` is None where the one called ``name`` is only foreseen."""
        if (ns, name) not in self._taken:
            if name is None:
                holders = list(self._named_holders())
            else:
                holders = [Holder(one, ns, index) for index, one in self.addresses(ns) if one.scope != "host"]
                if bridge is not None and bridge.index > 0 and (ns, name) not in self._made:
                    members = self.source.members(ns, bridge.index)
                    for one in members:
                        if one.ns in self._gone or (ns, one.port) in self._cut:
                            self._silent[ns, name, one.address.ip] = True  # who is gone in check mode would answer yet
                        else:
                            holders.append(one)
            holders = [one for one in holders if (one.ns, one.index, one.address.ip) not in self._freed]
            # Where both know of it, the latter holds.
            known = [*holders, *self._put] if self.predict else [*self._put, *holders]
            self._taken[ns, name] = {holder.address.parsed: holder for holder in known}
        return self._taken[ns, name]

    def reread(self, ns: int, name: Optional[str], holder: Holder) -> None:
        """Have what `taken` returned read once more, if ``holder`` is in a namespace that this run did not open.

        That may have ended just now: the kernel keeps it as long as the sockets that were open in it (an RCU grace period).
        """
        if holder.ns is None and (ns, name) not in self._reread and not self.predict:
            self._reread.add((ns, name))
            self.source.settle()
            self._taken.pop((ns, name), None)

    def leave_port(self, ns: int, bridge: str, name: str) -> None:
        """Take the addresses behind a bridge's port for given up: check mode knows that the pair is made anew before they are asked for."""
        link = self.link(ns, name)
        taken = self._taken.get((ns, bridge), {})
        for ip in [ip for ip, holder in taken.items() if link is not None and holder.port == link.index]:
            del taken[ip]

    def _named_holders(self) -> Iterable[Holder]:
        refs = [HOST] + [NsRef.parse(entry.name) for entry in self.entries().values() if entry.kind == "namespace"]
        seen = set()
        for ref in refs:
            ns = self.find(ref)
            if ns is not None and ns not in seen:
                seen.add(ns)
                for index, one in self.addresses(ns):
                    if one.scope != "host":
                        yield Holder(one, ns, index, str(ref))

    # --- moving on ---

    def advance(self, changes: Iterable[change.Change]) -> None:
        """Take ``changes`` as done."""
        for step in changes:
            if isinstance(step, (change.PutRoute, change.DelRoute, change.DelLink, change.AddNetns, change.DropNetns)):
                self._defaults.clear()
            handler = _ADVANCE.get(type(step))
            if handler is not None:
                handler(self, step)
            else:
                step.advance(self)

    def outdate(self, changes: Iterable[change.Change]) -> None:
        """Take note that ``changes`` were made. A namespace that they touch is read again when it is asked for, since the kernel may
        have changed more along with it; but for one that this run made: there is nothing in it but what this run put there."""
        steps = list(changes)
        refs = {getattr(step, name) for step in steps for name in ("ns", "peer_ns", "to") if hasattr(step, name)}
        touched = {ns for ns in map(self.find, refs) if ns is not None and ns > 0}
        self._made.update((self.find(step.ns), step.name) for step in steps if isinstance(step, change.AddLink))
        for step in steps:  # a port from before brings its addresses along
            if isinstance(step, change.SetLink) and (self.find(step.ns), step.name) not in self._made:
                self._made.discard((self.find(step.ns), step.new.get("master", "")))
        by_key: Sequence[Dict[Any, Any]] = (
            self._routes,
            self._policies,
            self._vlans,
            self._sysctls,
        )
        for facts in by_key:
            for key in [key for key in facts if key[0] in touched]:
                del facts[key]
        by_namespace: Sequence[Dict[int, Any]] = (
            self._links,
            self._addresses,
            self._defaults,
        )
        for ns in touched:
            for facts in by_namespace:
                facts.pop(ns, None)
        for part in self._parts.values():
            part.outdate(touched)
        if any(isinstance(step, change.PutAddress) and step.ns != HOST for step in steps):
            self._made.clear()  # by now there are addresses behind them
        if steps:
            self._taken.clear()
            self._cut.clear()
            self._freed.clear()

    def _ns(self, ref: NsRef) -> int:
        ns = self.find(ref)
        if ns is None:
            raise Refused("%s does not exist." % str(ref).capitalize())
        return ns

    def _get(self, ref: NsRef, name: str) -> Tuple[int, Link]:
        ns = self._ns(ref)
        link = self.link(ns, name)
        if link is None:
            raise Refused("%s has no interface '%s'." % (str(ref).capitalize(), name))
        return ns, link

    def _index_of(self, ns: int, name: Any) -> int:
        link = self.link(ns, name) if name else None
        return link.index if link else 0

    def _add_netns(self, step: change.AddNetns) -> None:
        ns = self._fresh_namespace()
        self._paths[step.ns.path] = ns
        self.entries()[step.name] = NsFile(step.name, "namespace", ns)

    def _bind_netns(self, step: change.BindNetns) -> None:
        self._paths[NsRef.parse(step.name).path] = step.inode
        old = self.entries().get(step.name)
        self.entries()[step.name] = NsFile(step.name, "namespace", step.inode, step.link)
        if old is not None:
            self._end(old.inode)

    def _drop_netns(self, step: change.DropNetns) -> None:
        self._paths[NsRef.parse(step.name).path] = None
        entry = self.entries().pop(step.name, None)
        if entry is not None and entry.inode not in (0, self.find(HOST)) and not self._held(entry.inode):
            for link in self._links[entry.inode].known():
                self._forget(entry.inode, link)
            self._end(entry.inode)

    def _add_link(self, step: change.AddLink) -> None:
        ns = self._ns(step.ns)
        attributes = dict(_new_link(step.kind), **step.attributes)
        master = self._index_of(ns, attributes.pop("master", ""))
        if master:
            attributes.update(_defaults(link_kinds.PORT))
        one, other = next(self._foreseen), next(self._foreseen)
        if not step.peer_name:
            self._links[ns].put(Link(one, step.name, step.kind, attributes, master))
            return
        peer_ns = self._ns(step.peer_ns)
        peer = dict(_new_link(step.kind), **step.peer_attributes)
        self._links[ns].put(Link(one, step.name, "veth", attributes, master, other, peer_ns))
        self._links[peer_ns].put(Link(other, step.peer_name, "veth", peer, 0, one, ns))

    def _set_link(self, step: change.SetLink) -> None:
        ns, link = self._get(step.ns, step.name)
        new = dict(step.new)
        name = new.pop("name", link.name)
        if "master" in new:
            was, link = link.master, replace(link, master=self._index_of(ns, new.pop("master")))
            if link.master != was:
                link = link.with_(**_defaults(link_kinds.PORT)) if link.master else _without_port(link)
        self._links[ns].drop(link)
        self._links[ns].put(replace(link.with_(**new), name=name))

    def _move_link(self, step: change.MoveLink) -> None:
        ns, link = self._get(step.ns, step.name)
        to = self._ns(step.to)
        self._links[ns].drop(link)
        moved = replace(link.with_(enabled=False), index=next(self._foreseen), name=step.new_name, master=0)
        self._links[to].put(moved)
        peer = self.link_at(link.peer_ns, link.peer_index) if link.peer_ns is not None else None
        if peer is not None and link.peer_ns is not None:
            self._links[link.peer_ns].put(replace(peer, peer_index=moved.index, peer_ns=to))

    def _del_link(self, step: change.DelLink) -> None:
        ns, link = self._get(step.ns, step.name)
        peer = self.link_at(link.peer_ns, link.peer_index) if link.peer_ns is not None and link.peer_index else None
        self._forget(ns, link)
        if peer is not None and link.peer_ns is not None:
            self._forget(link.peer_ns, peer)

    def _forget(self, ns: int, link: Link) -> None:
        self._links[ns].drop(link)
        self._cut.add((ns, link.index))
        self._taken.clear()
        if ns in self._addresses:
            self._addresses[ns] = [pair for pair in self._addresses[ns] if pair[0] != link.index]
        for key, routes in self._routes.items():
            if key[0] == ns:
                self._routes[key] = [route for route in routes if route.interface != link.name]
        for other in self._links[ns].known():
            if other.master == link.index:
                self._links[ns].put(replace(_without_port(other), master=0))

    def _set_vlans(self, step: change.SetVlans) -> None:
        ns, link = self._get(step.ns, step.name)
        gone = {vlan.vid for vlan in step.remove} | {vlan.vid for vlan in step.add}
        left = [vlan for vlan in self.vlans(ns, link) if vlan.vid not in gone]
        if any(vlan.pvid for vlan in step.add):
            left = [replace(vlan, pvid=False) for vlan in left]
        self._vlans[ns, link.index] = tuple(sorted(left + list(step.add)))

    def _put_address(self, step: change.PutAddress) -> None:
        ns, link = self._get(step.ns, step.interface)
        known = self.addresses(ns)
        entry = (link.index, step.address)
        for place, (index, one) in enumerate(known):
            if index == link.index and one.key == (step.old or step.address).key:
                known[place] = entry
                break
        else:
            known.append(entry)
        port = link.peer_index if link.peer_ns not in (None, ns) else 0
        holder = Holder(step.address, ns, link.index, str(step.ns), port=port)
        self._put.append(holder)
        self._freed.discard((ns, link.index, step.address.ip))
        for taken in self._taken.values():
            taken.setdefault(holder.address.parsed, holder)

    def _del_address(self, step: change.DelAddress) -> None:
        ns, link = self._get(step.ns, step.interface)
        self._addresses[ns] = [
            (index, one) for index, one in self.addresses(ns) if index != link.index or one.key != step.address.key
        ]
        self._put = [
            one for one in self._put if (one.ns, one.index, one.address.key) != (ns, link.index, step.address.key)
        ]
        self._freed.add((ns, link.index, step.address.ip))
        net = str(step.address.network)
        if not any(str(one.network) == net for one in self.addresses_of(ns, link)):
            routes = self.routes(ns, step.address.family, MAIN_TABLE)
            routes[:] = [
                one for one in routes if (one.protocol, one.destination, one.interface) != (_BY_KERNEL, net, link.name)
            ]
        for taken in self._taken.values():
            holder = taken.get(step.address.parsed)
            if holder is not None and (holder.ns, holder.index) == (ns, link.index):
                del taken[step.address.parsed]

    def _put_route(self, step: change.PutRoute) -> None:
        routes = self.routes(self._ns(step.ns), step.route.family, step.route.table)
        if step.old in routes:
            routes[routes.index(step.old)] = step.route
        else:
            routes.append(step.route)

    def _del_route(self, step: change.DelRoute) -> None:
        routes = self.routes(self._ns(step.ns), step.route.family, step.route.table)
        if step.route in routes:
            routes.remove(step.route)

    def _add_policy(self, step: change.AddPolicy) -> None:
        self.policies(self._ns(step.ns), step.rule.family).append(step.rule)

    def _del_policy(self, step: change.DelPolicy) -> None:
        policies = self.policies(self._ns(step.ns), step.rule.family)
        if step.rule in policies:
            policies.remove(step.rule)

    def _set_sysctl(self, step: change.SetSysctl) -> None:
        self._sysctls[self._ns(step.ns), step.key] = step.value

    def _put_file(self, step: change.PutFile) -> None:
        self._texts[step.path] = step.text


def _defaults(rows: Dict[str, link_kinds.Field]) -> Dict[str, Any]:
    return {name: row.default for name, row in rows.items()}


def _new_link(kind: str) -> Dict[str, Any]:
    """Return what the kernel gives a link that is made without attributes."""
    return dict(_defaults(link_kinds.LINK), enabled=False, **(_defaults(link_kinds.BRIDGE) if kind == "bridge" else {}))


def _without_port(link: Link) -> Link:
    """Return a link that is no bridge's port any more."""
    return replace(
        link, attributes={name: value for name, value in link.attributes.items() if name not in link_kinds.PORT}
    )


_ADVANCE: Dict[type, Callable[[State, Any], None]] = {
    change.AddNetns: State._add_netns,
    change.BindNetns: State._bind_netns,
    change.DropNetns: State._drop_netns,
    change.AddLink: State._add_link,
    change.SetLink: State._set_link,
    change.MoveLink: State._move_link,
    change.DelLink: State._del_link,
    change.SetVlans: State._set_vlans,
    change.PutAddress: State._put_address,
    change.DelAddress: State._del_address,
    change.PutRoute: State._put_route,
    change.DelRoute: State._del_route,
    change.AddPolicy: State._add_policy,
    change.DelPolicy: State._del_policy,
    change.SetSysctl: State._set_sysctl,
    change.PutFile: State._put_file,
}
