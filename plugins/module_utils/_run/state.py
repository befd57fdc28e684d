# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of a host's network: read on demand from a kernel, every object once. Pure but for the source that it is given.

`prediction` moves it on by every planned change. Check mode is that without the kernel's `apply`: what earlier items of a task would
make is seen by the later ones. The in-memory twin of the kernel is this class over an empty source.
"""

from __future__ import annotations

import itertools
from dataclasses import field, replace
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Set, Tuple, Type, TypeVar

from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.kernel_api import Source
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import (
    BRIDGE_NF_CALLS,
    INTERFACE_NAME_BYTES,
    NETNS_DIRECTORY,
    name_bytes,
    sysctl_key,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    MAIN_TABLE,
    Address,
    Container,
    Flooded,
    Holder,
    Link,
    LoopbackGuards,
    NsFile,
    NsRef,
    PolicyRule,
    Route,
    RouteTable,
    Vlan,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.entries import Entries

Extension = TypeVar("Extension")
_PLACES = ("/proc/", NETNS_DIRECTORY + "/")
_NAMED_AT_MOST = 3  # of what check mode foresaw, in its warning


class Links:
    """The interfaces of one namespace, as far as they are known. A name with None is known to be free. ``made_on`` says of all namespaces which are, or
    were, made on a link: (namespace, name) by its namespace and index."""

    def __init__(self, ns: int, made_on: Dict[Tuple[Optional[int], int], Dict[Tuple[int, str], None]]) -> None:
        self._ns, self._made_on = ns, made_on
        self.by_name: Dict[str, Optional[Link]] = {}
        self.by_index: Dict[int, str] = {}
        self.by_altname: Dict[str, str] = {}
        self.complete = False
        self.kinds: Set[str] = set()  # of which all are known
        self._by_master: Dict[int, Dict[str, None]] = {}

    def put(self, link: Link) -> Link:
        """Note an interface, in place of the one that had its name."""
        self._leave_master(link.name)
        self.by_name[link.name] = link
        self.by_index[link.index] = link.name
        for name in link.altnames:
            self.by_altname[name] = link.name
        if link.master:
            self._by_master.setdefault(link.master, {})[link.name] = None
        if link.parent_index:
            self._made_on.setdefault((link.parent_ns, link.parent_index), {})[self._ns, link.name] = None
        return link

    def drop(self, link: Link) -> None:
        """Note that an interface is gone."""
        self._leave_master(link.name)
        self.by_name[link.name] = None
        self.by_index.pop(link.index, None)
        for name in link.altnames:
            self.by_altname.pop(name, None)

    def _leave_master(self, name: str) -> None:
        known = self.by_name.get(name)
        if known is not None and known.master:
            self._by_master[known.master].pop(name, None)

    def ports(self, master: int) -> List[Link]:
        """Return the interfaces that are known to have that master."""
        return [link for link in map(self.by_name.get, self._by_master.get(master, ())) if link is not None]

    def known(self) -> List[Link]:
        """Return those known to exist."""
        return [link for link in self.by_name.values() if link is not None]


class AllLinks(Dict[int, Links]):
    """The interfaces by namespace, as far as they are known."""

    def __init__(self) -> None:
        super().__init__()
        self._made_on: Dict[Tuple[Optional[int], int], Dict[Tuple[int, str], None]] = {}

    def __missing__(self, ns: int) -> Links:
        """Return what is known of a namespace of which nothing is known yet."""
        self[ns] = found = Links(ns, self._made_on)
        return found

    def made_on(self, ns: int, index: int) -> Iterator[Tuple[int, Link]]:
        """Yield (namespace, link) of those that are known to be made on the link with that index."""
        for where, name in self._made_on.get((ns, index), ()):
            link = self[where].by_name.get(name)
            if link is not None and (link.parent_ns, link.parent_index) == (ns, index):
                yield where, link

    def depending(self, touched: Set[int]) -> Set[int]:
        """Return these namespaces, and those with links that are made on others in them."""
        found, more = set(touched), set(touched)
        while more:
            names = [names for (ns, dummy), names in self._made_on.items() if ns in more]
            more = {where for one in names for where, dummy in one} - found
            found |= more
        return found


@dataclass()
class Known:
    """What was read of a host, and moved on by changes since. Namespaces are named by inode; those only foreseen are negative."""

    paths: Dict[str, Optional[int]] = field(default_factory=dict)  # namespaces by the path of a file
    elsewhere: Set[int] = field(
        default_factory=set
    )  # namespaces that have a file elsewhere than in /run/netns and /proc
    entries: Optional[Entries] = None  # of /run/netns
    links: AllLinks = field(default_factory=AllLinks)
    addresses: Dict[int, Dict[int, List[Address]]] = field(default_factory=dict)  # by namespace and interface
    routes: Dict[Tuple[int, int, int], List[Route]] = field(default_factory=dict)
    tables: Dict[Tuple[int, int, int, int], RouteTable] = field(
        default_factory=dict
    )  # those that `routes` has not, by protocol
    default_routes: Dict[int, List[Route]] = field(default_factory=dict)  # as long as no route changes
    policies: Dict[Tuple[int, int], List[PolicyRule]] = field(default_factory=dict)
    marked: Dict[int, Tuple[Set[Tuple[int, int]], Set[int]]] = field(
        default_factory=dict
    )  # where routes and rules of ours are
    loopback_guards: Dict[int, LoopbackGuards] = field(default_factory=dict)
    vlans: Dict[Tuple[int, int], Tuple[Vlan, ...]] = field(default_factory=dict)
    flooded: Dict[Tuple[int, int], Tuple[Flooded, ...]] = field(default_factory=dict)
    sysctls: Dict[Tuple[int, str], Optional[str]] = field(default_factory=dict)
    texts: Dict[str, str] = field(default_factory=dict)  # files of ours, by path
    ended: Set[int] = field(default_factory=set)  # namespaces that check mode foresees to end
    deleted: Set[Tuple[Optional[int], int]] = field(default_factory=set)  # links, by namespace and index
    deleted_names: Set[Tuple[int, str]] = field(default_factory=set)  # the same by name, which another may have by now
    renamed: Dict[Tuple[int, str], str] = field(
        default_factory=dict
    )  # links by the name that the kernel has for them yet
    raised: Set[Tuple[int, int]] = field(default_factory=set)  # links that were down, by namespace and index

    def forget(self, touched: Set[int]) -> None:
        """Forget the objects in namespaces that were changed: the kernel may have changed more along with them."""
        by_key: Sequence[Dict[Any, Any]] = (
            *(self.routes, self.tables, self.policies, self.vlans, self.flooded, self.sysctls),
        )
        for keyed in by_key:
            for key in [key for key in keyed if key[0] in touched]:
                del keyed[key]
        by_namespace: Sequence[Dict[int, Any]] = (
            *(self.links, self.addresses, self.default_routes, self.marked, self.loopback_guards),
        )
        for listed in by_namespace:
            for ns in touched:
                listed.pop(ns, None)


def makers(ref: NsRef) -> Sequence[str]:
    """Return the modules that make what has addresses and routes in a namespace: in the host those are bridges as well."""
    return ("veth",) if ref.path else ("bridge", "veth")


class State:
    """What is known of a host. ``predict`` (check mode): a namespace that is missing counts as made by an earlier task. ``whole``: the run has all
    that there is to do, so that nothing else is left to an earlier task.

    ``source`` is for the extensions of a state, which read more than this class knows of; nobody else goes around the state to it.
    """

    def __init__(self, source: Source, predict: bool = False, whole: bool = False) -> None:
        self.source = source
        self.predict = predict
        self.whole = whole
        self.known = Known()
        self.foreseen_indexes: Iterator[int] = itertools.count(-2, -1)
        self._missing: Dict[str, None] = {}  # in order
        self._peers_asked: Dict[
            Tuple[int, int], int
        ] = {}  # of veths without a known peer, by how many namespaces were known
        self._all_opened = -1  # how many were known when all were opened
        self._seen_opened = False
        self._read_everywhere: Dict[str, int] = {}  # kinds of links, by how many were known when all those were read
        self._identity: Optional[str] = None
        self._containers: Dict[
            Tuple[str, Tuple[str, ...]], Tuple[Mapping[str, Sequence[Container]], Sequence[str]]
        ] = {}
        self.born: Set[Tuple[Optional[int], str]] = set()  # links that this run made, by namespace and name
        self._extensions: Dict[type, Any] = {}

    # --- namespaces ---

    def find(self, ref: NsRef) -> Optional[int]:
        """Return the inode of a namespace, negative for one that is only foreseen, None where there is none."""
        if ref.path not in self.known.paths:
            found = self.known.paths[ref.path] = self.source.find(ref)
            if found is not None and ref.path and not ref.path.startswith(_PLACES):
                self.known.elsewhere.add(found)
        return self.known.paths[ref.path]

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
        """Note that an earlier task would have made a namespace; ``what`` names it in the warning. Return its number."""
        self.foresee(what)
        ns = self.known.paths[ref.path] = self.fresh_namespace()
        if ref.name:
            self.entries()[ref.name] = NsFile(ref.name, "namespace", ns)
        return ns

    def foresee(self, what: str) -> None:
        """Note that a parent is missing which an earlier task would have made."""
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

    def fresh_namespace(self) -> int:
        """Return the number of a namespace that is only foreseen, in which there is nothing but `lo`."""
        ns = next(self.foreseen_indexes)
        links = self.known.links[ns]
        links.complete = True
        links.put(Link(1, "lo", "", {"mtu": 65536, "enabled": False, "alias": "", "mac": "00:00:00:00:00:00"}))
        return ns

    def _present(self, link: Optional[Link]) -> Optional[Link]:
        """Return an interface unless its peer or parent is deleted, or in a namespace that ended."""
        if link is None or link.peer_ns in self.known.ended or link.parent_ns in self.known.ended:
            return None
        gone = self.known.deleted
        if gone and ((link.peer_ns, link.peer_index) in gone or (link.parent_ns, link.parent_index) in gone):
            return None
        if (
            gone
            and link.parent_ns is not None
            and link.parent_index
            and not self.link_at(link.parent_ns, link.parent_index)
        ):
            return None  # its parent went with its own
        return link

    def entries(self) -> Entries:
        """Return what is in /run/netns, by name."""
        if self.known.entries is None:
            self.known.entries = Entries(self.source.listing())
        return self.known.entries

    def processes(self, ns: int) -> Sequence[Tuple[int, str]]:
        """Return (pid, command) of the processes that live in a namespace; none in one that is only foreseen."""
        return self.source.processes(ns) if ns > 0 else ()

    def start_time(self, pid: int) -> Optional[str]:
        """Return a process's start time, None where it is gone. Never remembered: a process ID may be used again."""
        return self.source.start_time(pid)

    def process_command(self, pid: int) -> str:
        """Return the command name of a process, ``""`` where it is gone."""
        return self.source.command(pid)

    def all_namespaces(self) -> Sequence[Tuple[int, str, Sequence[int]]]:
        """Return `Source.namespaces`."""
        return self.source.namespaces()

    def read_only(self, path: str) -> bool:
        """Return whether a file is on a file system that is mounted read-only."""
        return self.source.read_only(path)

    def running_containers(self) -> Sequence[Container]:
        """Return the running containers of all engines that can be asked."""
        return self.source.running()

    def namespace_label(self, ns: int, nsid: int) -> str:
        """Return a name for the namespace that has the id ``nsid`` in another."""
        return self.source.namespace_label(ns, nsid)

    def containers(self, engine: str, names: Sequence[str]) -> Tuple[Mapping[str, Sequence[Container]], Sequence[str]]:
        """Return `Source.containers`; each question is asked once."""
        question = engine, tuple(names)
        if question not in self._containers:
            self._containers[question] = self.source.containers(engine, names)
        return self._containers[question]

    def extension(self, cls: Type[Extension]) -> Extension:
        """Return the part of the state that ``cls`` holds, made once with the state as its argument. Its method ``outdate`` gets the
        namespaces that were changed, and the changes."""
        if cls not in self._extensions:
            self._extensions[cls] = cls(self)  # type: ignore[call-arg]
        found: Extension = self._extensions[cls]
        return found

    # --- reading, on demand ---

    def link(self, ns: int, name: str) -> Optional[Link]:
        """Return the interface called ``name`` in a namespace, or known there by that alternative name (`ip link property`)."""
        links = self.known.links[ns]
        name = links.by_altname.get(name, name)
        if name not in links.by_name:
            found = None if links.complete else self._present(self.source.link(ns, name=name))
            links.by_name[name] = None
            if found is not None and found.index in links.by_index:  # known already, and `name` an alternative one
                links.by_altname[name] = links.by_index[found.index]
            elif found is not None and (found.name == name or found.name not in links.by_name):
                links.put(found)
            name = links.by_altname.get(name, name)
        return self._with_peer(ns, self._present(links.by_name[name]))

    def shaped(self, ns: int, link: Link) -> Link:
        """Return a link with what its queueing discipline does to what leaves by it, which is read, once, where it is not what the kernel gives a new
        link: `_model/shaping.Shape` as ``shape``, and the attributes that it means."""
        if link.get("qdisc") in (None, "", "noop", "noqueue") or link.get("shape") is not None:
            return link
        shape = self.source.shape(ns, link.index)
        return self.known.links[ns].put(link.with_(shape=shape, **shape.attributes(link.get("mtu"))))

    def own_name(self, ref: NsRef, name: str) -> str:
        """Return the interface's own name where ``name`` is an alternative one in a namespace, else ``name``."""
        ns = self.find(ref)
        link = self.link(ns, name) if ns is not None and name else None
        return link.name if link else name

    def need_link(
        self, ns: int, ref: NsRef, name: str, option: str, kind: str = "", makers: Sequence[str] = ()
    ) -> Link:
        """Return an interface that must be there (a bridge, where ``kind`` says so); foresee it in check mode, else raise `Refused`, naming the modules
        that may be meant to make it."""
        link = self.link(ns, name)
        if link is None:
            what = "%s '%s'" % (kind or "interface", name)
            possible = len(name_bytes(name)) <= INTERFACE_NAME_BYTES  # a longer one can only be an alternative name
            if not self.predict or not possible:
                named = " or ".join("linuxnet.containers." + one for one in makers or [kind or "veth"])
                maker = "; %s makes one" % named if possible else ""
                raise Refused("%s: there is no %s in %s%s." % (option, what, ref, maker))
            self.foresee("%s in %s" % (what, ref))
            attributes = {"mtu": 1500, "mac": "", "alias": "", "enabled": True}
            link = self.known.links[ns].put(Link(next(self.foreseen_indexes), name, kind, attributes))
        if kind and link.index < 0 and not link.kind:  # foreseen, its kind not known then
            link = self.known.links[ns].put(replace(link, kind=kind))
        if kind and link.kind != kind:
            raise Refused("%s: '%s' in %s is %s, not a %s." % (option, name, ref, link.describe(), kind))
        return link

    def link_at(self, ns: int, index: int) -> Optional[Link]:
        """Return the interface with that index in a namespace."""
        links = self.known.links[ns]
        if index not in links.by_index:
            found = None if links.complete or index <= 0 else self._present(self.source.link(ns, index=index))
            if found is None or found.name in links.by_name:  # another interface has its name by now: it is gone
                return None
            links.put(found)
        return self._with_peer(ns, self._present(links.by_name[links.by_index[index]]))

    def _with_peer(self, ns: int, link: Optional[Link]) -> Optional[Link]:
        """Return a veth with the namespace of its other end. A kernel knows that once it is open; check mode, which reads things once, may have
        read the veth before."""
        return self._present(self._asked_again(ns, link)) if self.predict and link is not None else link

    def _asked_again(self, ns: int, link: Link) -> Link:
        """Return a veth with what the kernel knows of its other end by now, or of a parent, once for each time that namespaces were opened since."""
        opened = len(self.known.paths)
        unknown = (
            (link.kind == "veth" and link.peer_ns is None)
            or (link.parent_ns is None and bool(link_kinds.kind(link.kind).parent))
        ) and link.index > 0
        if not unknown or self._peers_asked.get((ns, link.index)) == opened:
            return link
        self._peers_asked[ns, link.index] = opened
        found = self.source.link(ns, index=link.index)
        if found is None or (found.peer_ns, found.parent_ns) == (link.peer_ns, link.parent_ns):
            return link
        return self.known.links[ns].put(replace(link, peer_ns=found.peer_ns, parent_ns=found.parent_ns))

    def open_all(self) -> None:
        """Open all named namespaces, so that of every veth it is known where its other end is; of those that were read before as well."""
        if self._all_opened == len(self.known.paths):
            return
        for name, entry in list(self.entries().items()):
            if entry.kind == "namespace":
                self.find(NsRef("%s/%s" % (NETNS_DIRECTORY, name)))
        self._all_opened = len(self.known.paths)
        for ns, links in list(self.known.links.items()):
            for link in links.known():
                self._asked_again(ns, link)

    def open_seen(self) -> None:
        """Open all namespaces that can be seen, those of processes that have no name as well."""
        if not self._seen_opened:
            self._seen_opened = True
            for found in self.all_namespaces():
                self.find(NsRef(found[1]))

    def links(self, ns: int, kind: str = "") -> List[Link]:
        """Return all interfaces of a namespace, or those of a kind: all of it are cheaper than all there are."""
        links = self.known.links[ns]
        if not links.complete and (not kind or kind not in links.kinds):
            for link in filter(self._present, self.source.links(ns, kind)):
                if link.name not in links.by_name:
                    links.put(link)
            links.kinds.add(kind)
            links.complete = not kind
        found = links.known() if not kind else [link for link in links.known() if link.kind == kind]
        return list(filter(self._present, found))

    def links_on(self, ns: int, index: int, kinds: Sequence[str]) -> Iterator[Tuple[int, Link]]:
        """Yield (namespace, link) of the links of some kinds that are made on the one with that index, in all namespaces that have names."""
        self.open_all()
        for kind in kinds:
            if self._read_everywhere.get(kind) != len(self.known.paths):
                for where in {where for where in self.known.paths.values() if where is not None}:
                    self.links(where, kind)
                self._read_everywhere[kind] = len(self.known.paths)
        for where, link in self.known.links.made_on(ns, index):
            if link.kind in kinds and self._present(link):
                yield where, link

    def ref_of(self, ns: int) -> NsRef:
        """Return the name by which a namespace that has one was opened."""
        return NsRef(next((path for path, known in self.known.paths.items() if known == ns), ""))

    def _left(self, ns: int) -> Optional[Dict[int, str]]:
        """Return the interfaces that a namespace has, names by index, where some are deleted, else None: a peer goes with its end elsewhere,
        though nobody knew of it then."""
        return {link.index: link.name for link in self.links(ns)} if self.known.deleted and ns >= 0 else None

    def ports(self, ns: int, master: int) -> List[Link]:
        """Return the interfaces of a namespace whose master has that index."""
        if not self.known.links[ns].complete:
            self.links(ns)
        return list(filter(self._present, self.known.links[ns].ports(master)))

    def master_name(self, ns: int, link: Link) -> str:
        """Return the name of a link's master, ``""`` where it has none."""
        master = self.link_at(ns, link.master) if link.master else None
        return master.name if master else ""

    def addresses(self, ns: int) -> List[Tuple[int, Address]]:
        """Return (interface index, address) for all addresses of a namespace; one dump a namespace."""
        return [(index, address) for index, found in self.addresses_by_index(ns).items() for address in found]

    def addresses_by_index(self, ns: int) -> Dict[int, List[Address]]:
        """Return the addresses of a namespace by the index of their interface."""
        if ns not in self.known.addresses:
            found: Dict[int, List[Address]] = {}
            there = self._left(ns)
            for index, address in () if ns < 0 else self.source.addresses(ns):
                if there is None or index in there:
                    found.setdefault(index, []).append(address)
            self.known.addresses[ns] = found
        return self.known.addresses[ns]

    def addresses_of(self, ns: int, link: Link) -> List[Address]:
        """Return the addresses of one interface."""
        return list(self.addresses_by_index(ns).get(link.index, ()))

    def members(self, ns: int, bridge: int) -> Sequence[Holder]:
        """Return the addresses in the namespaces behind a bridge's ports: those of namespaces that were not read yet as they are now,
        and never remembered."""
        return self.source.members(ns, bridge, {} if self.predict else self.known.addresses)

    def wait_for_rcu(self) -> None:
        """Wait until namespaces that just ended are gone for good."""
        self.source.wait_for_rcu()

    def table(self, ns: int, family: int, table: int, protocol: int = 0) -> RouteTable:
        """Return the routes of one table, to be asked for some of them, or those of a protocol only: what need not be gone through one by one."""
        listed = self.known.routes.get((ns, family, table))
        if listed is None and ns > 0 and not self.known.deleted and None not in self.known.links[ns].by_name.values():
            for key in ((ns, family, table, 0), (ns, family, table, protocol)):
                if key in self.known.tables:
                    return self.known.tables[key]
            self.known.tables[key] = self.source.routes(ns, family, table, protocol)
            return self.known.tables[key]
        return RouteTable(self.routes(ns, family, table))

    def routes(self, ns: int, family: int, table: int) -> List[Route]:
        """Return the routes of one table, which were read once, whatever `table` was asked for."""
        if (ns, family, table) not in self.known.routes:
            read = self.known.tables.pop((ns, family, table, 0), None)
            found: Iterable[Route] = ()
            if ns >= 0:
                found = self.source.routes(ns, family, table) if read is None else read
            found = _called(found, {old: new for (where, old), new in self.known.renamed.items() if where == ns})
            known = self.known.links[ns].by_name
            gone, there = self.known.deleted_names, self._left(ns)
            names = None if there is None else {*there.values(), ""}
            self.known.routes[ns, family, table] = [
                route
                for route in found
                if known.get(route.interface, True) is not None
                and (ns, route.interface) not in gone
                and (names is None or route.interface in names)
            ]
        return self.known.routes[ns, family, table]

    def link_renamed(self, ns: int, old: str, new: str) -> None:
        """Note that an interface is about to have another name: its routes go along."""
        self.list_routes(ns)
        for key in [key for key in self.known.routes if key[0] == ns]:
            self.known.routes[key] = _called(self.known.routes[key], {old: new})
        renamed = self.known.renamed
        renamed[next((key for key, name in renamed.items() if (key[0], name) == (ns, old)), (ns, old))] = new

    def list_routes(self, ns: int) -> None:
        """Have the tables of a namespace that were read as `routes` has them, for a change moves those on."""
        for key in [key for key in self.known.tables if key[0] == ns]:
            if key[3]:
                del self.known.tables[key]
            else:
                self.routes(*key[:3])

    def policies(self, ns: int, family: int) -> List[PolicyRule]:
        """Return the policy rules that look at the source only; one dump a namespace and family."""
        if (ns, family) not in self.known.policies:
            self.known.policies[ns, family] = [] if ns < 0 else list(self.source.policies(ns, family))
        return self.known.policies[ns, family]

    def loopback_guards(self, ns: int) -> LoopbackGuards:
        """Return by which interfaces nothing for 127.0.0.0/8 gets in, by policy rules of ours."""
        if ns not in self.known.loopback_guards:
            self.known.loopback_guards[ns] = LoopbackGuards() if ns < 0 else self.source.loopback_guards(ns)
        return self.known.loopback_guards[ns]

    def marked(self, ns: int, protocol: int) -> Tuple[Set[Tuple[int, int]], Set[int]]:
        """Return (family, table) of the tables in which routes of a protocol were when that was asked first, and the families of which
        there were policy rules of it."""
        if ns not in self.known.marked:
            self.known.marked[ns] = (set(), set()) if ns < 0 else self.source.marked(ns, protocol)
        return self.known.marked[ns]

    def vlans(self, ns: int, link: Link) -> Tuple[Vlan, ...]:
        """Return the VLANs of a bridge port, or of a bridge itself."""
        if (ns, link.index) not in self.known.vlans:
            self.known.vlans[ns, link.index] = self.source.vlans(ns, link.index) if ns > 0 and link.index > 0 else ()
        return self.known.vlans[ns, link.index]

    def flooded(self, ns: int, link: Link) -> Tuple[Flooded, ...]:
        """Return where a vxlan floods to."""
        if (ns, link.index) not in self.known.flooded:
            self.known.flooded[ns, link.index] = self.source.flooded(ns, link.index) if ns > 0 < link.index else ()
        return self.known.flooded[ns, link.index]

    def sysctl(self, ns: int, key: str) -> Optional[str]:
        """Return a sysctl, None where there is no such key (or the namespace is only foreseen). ``key`` in any spelling."""
        key = sysctl_key(key)
        if (ns, key) not in self.known.sysctls:
            self.known.sysctls[ns, key] = self.source.sysctl(ns, key) if ns > 0 else None
        return self.known.sysctls[ns, key]

    def filters_bridged(self, ns: int) -> bool:
        """Return whether br_netfilter shows bridged packets to the rules for IP, of either family."""
        return any(self.sysctl(ns, key) == "1" for key in BRIDGE_NF_CALLS.values())

    def tx_checksum(self, ns: int, link: Link) -> Optional[bool]:
        """Return whether transmit checksum offload is on, as far as the kernel says; on for a new interface."""
        if "tx_checksum" in link.attributes:
            return bool(link.get("tx_checksum"))
        return self.source.tx_checksum(ns, link.name) if ns > 0 and link.index > 0 else True

    def text(self, path: str) -> str:
        """Return a file's text, ``""`` where there is none."""
        if path not in self.known.texts:
            self.known.texts[path] = self.source.read_text(path)
        return self.known.texts[path]

    def identity(self) -> str:
        """Return what distinguishes this host from other ones; read once."""
        if self._identity is None:
            self._identity = self.source.identity()
        return self._identity

    def uplink(self, ns: int) -> Optional[Link]:
        """Return the interface that holds the default route (IPv4 first, lowest metric)."""
        if ns not in self.known.default_routes:
            self.known.default_routes[ns] = [
                route
                for family in (4, 6)
                for route in sorted(self.routes(ns, family, MAIN_TABLE), key=lambda route: route.metric)
                if route.shown_destination == "default" and route.type == "unicast"
            ]
        for route in self.known.default_routes[ns]:
            name = route.interface or (route.nexthops[0].interface if route.nexthops else "")
            link = self.link(ns, name) if name else None
            if link is not None:
                return link
        return None

    def uplink_mtu(self, ns: int) -> int:
        """Return the MTU of the interface that holds the default route, 1500 where there is none."""
        link = self.uplink(ns)
        return 1500 if link is None else int(link.get("mtu"))

    def who_has(self, ns: int, link: Link, ip: str) -> Optional[str]:
        """Return the MAC address of a neighbour on the wire of an interface that says to have an address."""
        return self.source.who_has(ns, link.name, str(link.get("mac") or ""), ip)

    def link_deleted(self) -> None:
        """Tell the extensions that an interface is deleted."""
        for extension in self._extensions.values():
            extension.link_deleted()

    def outdate(self, changes: Iterable[Change]) -> None:
        """Note that ``changes`` were made. A namespace that they touch is read again when it is asked for, since the kernel may have
        changed more along with them."""
        steps = list(changes)
        refs = {getattr(step, name) for step in steps for name in ("ns", "peer_ns", "to") if hasattr(step, name)}
        touched = {ns for ns in map(self.find, refs) if ns is not None and ns > 0}
        # What is made on a link changes and goes with it. Of a namespace that this run made all is known.
        touched = {ns for ns in self.known.links.depending(touched) if ns > 0}
        self._read_everywhere.clear()
        self.born.update((self.find(step.ns), step.name) for step in steps if isinstance(step, AddLink))
        for step in steps:  # an interface that was there before brings its addresses along
            if isinstance(step, SetLink) and (self.find(step.ns), step.name) not in self.born:
                self.born.discard((self.find(step.ns), step.new.get("master", "")))
        for extension in self._extensions.values():
            extension.outdate(touched, steps)
        self.known.forget(touched)
        if steps:
            self.known.deleted.clear()
            self.known.deleted_names.clear()
            self.known.renamed.clear()
            self.known.raised.clear()


def _called(routes: Iterable[Route], names: Mapping[str, str]) -> List[Route]:
    """Return routes with the new names of their interfaces, by the old ones."""
    if not names:
        return list(routes)
    return [
        replace(
            route,
            interface=names.get(route.interface, route.interface),
            nexthops=tuple(replace(hop, interface=names.get(hop.interface, hop.interface)) for hop in route.nexthops),
        )
        for route in routes
    ]
