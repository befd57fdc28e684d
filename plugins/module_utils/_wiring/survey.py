# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is behind which veth: a host's wiring as it is, each object as its own module reports it. Reads, and never changes.

Nothing is described here: every object is asked of its resource, so that what is told of it is what its module tells.
"""

from __future__ import annotations

import collections
import ipaddress
import os.path
import re
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, Mapping, Optional, Sequence, Set, Tuple, TypeVar

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.index import Table
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    NFTABLES,
    Element,
    Guard,
    NatRule,
)
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
    Route,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import (
    bridge,
    netns,
    ns_address,
    ns_route,
    veth,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import made_for, own_mac
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import resource as nat
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import walls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan, Resource
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.published_ports import shown
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.report import text

SUBSETS = ["namespaces", "bridges", "veths", "addresses", "routes", "nat", "orphans"]
OPTIONS: Dict[str, Any] = {
    "gather": {"type": "list", "elements": "str", "choices": SUBSETS, "default": SUBSETS},
    "netns": {"type": "list", "elements": "str"},
}

_DERIVED = re.compile(r"veth[a-z2-7]{11}")  # the form of _naming.host_interface
_BY_KERNEL = 2  # RTPROT_KERNEL: a route that came with an address
_PROCESSES_SHOWN = 5
_STALE = {
    "file": "a plain file, left by a reboot or by an 'ip netns add' that failed",
    "dangling": "a symbolic link to nowhere",
}

Item = Dict[str, Any]
Read = TypeVar("Read")


@dataclass(frozen=True)
class Space:
    """A network namespace that can be seen. ``path`` is a file of it, ``""`` for the host's own; ``names`` are those in
    /run/netns; ``pids`` of the processes in it, which do not count on the host; ``containers`` are in the order they were
    started."""

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
    def option(self) -> Item:
        """Return the option ``netns`` that means it."""
        return {"netns": self.ref.path or None}

    @property
    def _named(self) -> List[str]:
        return [os.path.join(NETNS_DIRECTORY, name) for name in self.names]

    @property
    def paths(self) -> List[str]:
        """Return all paths that a pair may have been made for."""
        return [*self._named, self.path, *("/proc/%d/ns/net" % pid for pid in self.pids)]


@dataclass(frozen=True)
class Pair:
    """A veth pair: ``near`` is in ``here``, ``far`` in ``there``, which are None where it is out of sight. ``made``: the path of
    the namespace that it leads to for which this collection made it, None where it did not."""

    near: Link
    here: Space
    far: Optional[Link] = None
    there: Optional[Space] = None
    made: Optional[str] = None

    @property
    def derived(self) -> bool:
        return _DERIVED.fullmatch(self.near.name) is not None

    @property
    def ends(self) -> List[Tuple[Space, Link]]:
        return [(self.here, self.near)] + ([(self.there, self.far)] if self.there and self.far else [])


class _Survey:
    """A host, looked at once. ``scope`` holds the inodes of the namespaces that are asked for, None for all."""

    def __init__(self, source: Source, refs: Sequence[NsRef]) -> None:
        self.state = State(source)
        self.warnings: Dict[str, None] = {}  # in order, each once
        self._names = [ref.name for ref in refs]
        self.host = self.state.need(HOST)
        self.spaces = {space.inode: space for space in self._seen()}
        # The host's first, then those with a name.
        order = sorted(
            map(self._in_order, self.spaces.values()),
            key=lambda space: (space.inode != self.host, not space.names, space.names, space.path),
        )
        self.spaces = {space.inode: space for space in order}
        self.scope = self._found(refs) if refs else None
        self.pairs = self._pairs()
        # What leads to the namespaces asked for: the ends of their pairs, and the bridges that these are ports of.
        self._around = {(space.inode, one) for pair in self.pairs for space, link in pair.ends for one in _places(link)}

    # --- what there is ---

    def _seen(self) -> List[Space]:
        """Return the namespaces with their names and containers."""
        known = {inode: (path, tuple(pids)) for inode, path, pids in self.state.all_namespaces()}
        names: Dict[int, List[str]] = collections.defaultdict(list)
        for name, entry in self.state.entries().items():
            if entry.kind == "namespace":
                names[entry.inode].append(name)
                if entry.inode not in known:  # the link to a file that is mounted nowhere here
                    ref = NsRef(os.path.join(NETNS_DIRECTORY, name))
                    if self._where(ref) == entry.inode:
                        known[entry.inode] = (ref.path, ())
        where = {pid: inode for inode, (dummy, pids) in known.items() for pid in pids}
        containers: Dict[int, List[Container]] = collections.defaultdict(list)
        for one in self.state.running_containers():
            inode = where.get(one.pid, 0)
            if inode != self.host or one.engine != "systemd":  # a unit in the host's namespace is no container
                containers[inode].append(one)
        return [
            Space(
                inode,
                path,
                tuple(names[inode]),
                () if inode == self.host else pids,
                tuple(sorted(containers[inode], key=self._started)),
            )
            for inode, (path, pids) in known.items()
        ]

    def _in_order(self, space: Space) -> Space:
        """Return a namespace with the name first that its wiring was made for, or that its container has: others share it."""
        if len(space.names) < 2:
            return space
        wired = [
            (near, far)
            for far in self._links(space)
            if far.kind == "veth" and far.peer_ns in self.spaces
            for near in [self._spared(self.spaces[far.peer_ns], self.state.link_at, far.peer_index)]
            if near is not None
        ]

        def lent(name: str) -> Tuple[bool, bool]:
            path, identity = os.path.join(NETNS_DIRECTORY, name), self.state.identity()
            made = any(made_for(path, near, far, identity) for near, far in wired)
            return not made, name not in [one.name for one in space.containers[:1]]

        return replace(space, names=tuple(sorted(space.names, key=lent)))

    def _started(self, container: Container) -> Tuple[int, int]:
        return int(self.state.start_time(container.pid) or 0), container.pid

    def _where(self, ref: NsRef) -> Optional[int]:
        """Return the inode of a namespace, None where there is none (any more); a warning says why."""
        try:
            found = self.state.find(ref)
        except Refused as error:
            self.warnings[str(error)] = None
            return None
        if found is None:
            self.warnings["%s does not exist." % str(ref).capitalize()] = None
        return found

    def _found(self, refs: Sequence[NsRef]) -> Set[int]:
        return {inode for inode in map(self._where, refs) if inode is not None}

    def _asked_for(self, space: Space) -> bool:
        return self.scope is None or space.inode in self.scope

    def _within(self) -> List[Space]:
        """Return the namespaces that are asked for."""
        return [space for space in self.spaces.values() if self._asked_for(space)]

    def _reached(self) -> List[Space]:
        """Return the namespaces that are asked for, and those that lead to them."""
        around = {inode for inode, dummy in self._around}
        return [space for space in self.spaces.values() if self._asked_for(space) or space.inode in around]

    def _pairs(self) -> List[Pair]:
        found: Dict[FrozenSet[Tuple[Optional[int], int]], Pair] = {}
        links = [(space, self._links(space)) for space in self._within()]  # all first: a dump each, nothing one by one
        for space, known in links:
            for link in known:
                ends = frozenset([(space.inode, link.index), (link.peer_ns, link.peer_index)])
                if link.kind == "veth" and ends not in found:
                    found[ends] = self._pair(space, link)
        order = {inode: place for place, inode in enumerate(self.spaces)}
        return sorted(found.values(), key=lambda pair: (order[pair.here.inode], pair.near.index))

    def _pair(self, space: Space, link: Link) -> Pair:
        """Return the pair of a veth, its near end on the host, or the one that the collection made as such."""
        other = self.spaces.get(link.peer_ns or 0)
        peer = self._spared(other, self.state.link_at, link.peer_index) if other else None
        if other is None or peer is None:
            return Pair(link, space)
        both = [
            Pair(near, here, far, there, self._made(near, far, there))
            for near, here, far, there in ((link, space, peer, other), (peer, other, link, space))
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

    def _made(self, near: Link, far: Link, there: Space) -> Optional[str]:
        return next((path for path in there.paths if made_for(path, near, far, self.state.identity())), None)

    # --- reading ---

    def _spared(self, space: Space, read: Callable[..., Read], *arguments: Any) -> Optional[Read]:
        """Return what a reader says of a namespace, None of one that is just going."""
        try:
            return read(space.inode, *arguments)
        except OSError as error:
            if space.inode == self.host:
                raise KernelError(error.errno or 0, "read the state of %s" % HOST) from error
            return None

    def _links(self, space: Space) -> List[Link]:
        return sorted(self._spared(space, self.state.links) or [], key=lambda link: link.index)

    def _addresses(self, space: Space) -> List[Tuple[Link, Address]]:
        """Return the addresses of a namespace with their interfaces, loopback's own left out."""
        found = []
        for index, one in self._spared(space, self.state.addresses) or []:
            link = self._spared(space, self.state.link_at, index)
            if link is not None and one.scope != "host":
                found.append((link, one))
        return found

    def _routes(self, space: Space, table: int = MAIN_TABLE, families: Sequence[int] = (4, 6)) -> List[Route]:
        """Return the routes of one of a namespace's tables, those that came with an address left out."""
        routes = [self._spared(space, self.state.routes, family, table) or [] for family in families]
        return [route for family in routes for route in family if route.protocol != _BY_KERNEL]

    def _held(self) -> List[Table]:
        return [walls(self.state).table(self.host, place) for place in walls(self.state).firewalls()]

    def _led(self, space: Space) -> Iterator[Tuple[Route, Item]]:
        """Yield the routes of a namespace with the options for the rule that leads to their table: those of the main table, which
        needs none, and those of each table that a policy rule of ours leads to."""
        for route in self._routes(space):
            yield route, {}
        for family in (4, 6):
            for rule in self._spared(space, self.state.policies, family) or []:
                if rule.protocol == PROTOCOL:
                    for route in self._routes(space, rule.table, [family]):
                        yield route, {"table": str(rule.table), "rule_source": rule.source}

    def _rules(self) -> List[NatRule]:
        if NFTABLES not in walls(self.state).firewalls():
            self.warnings["Rules of nftables are not listed: the program nft is not installed on this host."] = None
        try:
            return [rule for table in self._held() for rule in table.rules.values()]
        except Refused as error:
            self.warnings["The NAT rules are not listed. %s" % error] = None
            return []

    def _readable(self) -> List[Table]:
        """Return `_held`, nothing where it cannot be read: then the rules cannot either, which is said there."""
        try:
            return self._held()
        except Refused:
            return []

    def _guards(self) -> List[Guard]:
        return [guard for table in self._readable() for guard in table.guards.values()]

    def _published(self) -> List[Element]:
        return [one for table in self._readable() for one in table.elements]

    def _leads(self, space: Space, link: Link) -> bool:
        """Return whether an interface is in a namespace that is asked for, or leads to one."""
        return self._asked_for(space) or (space.inode, link.index) in self._around

    def _shown(self, space: Space, link: Optional[Link]) -> bool:
        """Return whether an interface is part of what is asked for. Of the host's own only bridges and pairs are."""
        if link is None or (space.inode == self.host and link.kind not in ("bridge", "veth")):
            return False
        return self._leads(space, link)

    def _plan(self, resource: Resource[Any, Any], **params: Any) -> Plan:
        """Return what a resource has to say of an object; nothing where it is gone meanwhile, or cannot be asked for."""
        defaults = {name: option.get("default") for name, option in resource.options.items()}
        try:
            want = resource.parse(dict(defaults, **params))
            return resource.plan(want, resource.look(want, self.state))
        except (Refused, OSError):
            return Plan({}, {})

    def _as_it_is(self, resource: Resource[Any, Any], **params: Any) -> Item:
        """Return an object as its module reports it, ``{}`` where it is gone. Asked as if it were to go: that needs no parents."""
        return dict(self._plan(resource, state="absent", **params).before)

    # --- the lists ---

    def namespaces(self) -> Iterator[Item]:
        for space in self._within():
            for name in space.names:
                yield self._namespace(space, dict(self._plan(netns.RESOURCE, name=name).before))
            if not space.names and (space.inode != self.host or space.containers):
                yield self._namespace(space, self._nameless(space))

    def _nameless(self, space: Space) -> Item:
        """Return a namespace as it would be reported if a name were bound to it, less that name."""
        source = {"path": space.path} if space.path else {"share": "host"}
        described = dict(self._plan(netns.RESOURCE, name="net:[%d]" % space.inode, loopback=False, **source).after)
        pid = space.pids[0] if space.pids else None
        path = space.path or "/proc/%d/ns/net" % space.containers[0].pid
        return described and dict(described, name=None, path=path, pid=pid)

    def _namespace(self, space: Space, described: Item) -> Item:
        """Return what the module netns tells of a namespace, with who is in it."""
        return described and dict(
            described,
            pid=space.containers[0].pid if space.containers else described["pid"],
            **_first(space),
            owner=self._owner(space),
            containers=[{"name": one.name, "engine": one.engine, "pid": one.pid} for one in space.containers],
            processes=[{"pid": pid, "command": command} for pid, command in self._processes(space)],
            process_count=len(space.pids),
            interfaces=[link.name for link in self._links(space) if link.name != "lo"],
        )

    def _processes(self, space: Space) -> List[Tuple[int, str]]:
        known = [(pid, self.state.process_command(pid)) for pid in space.pids[:_PROCESSES_SHOWN]]
        return [one for one in known if one[1]]

    def bridges(self) -> Iterator[Item]:
        for space in self._reached():
            links = self._links(space)
            for link in links:
                if link.kind == "bridge" and self._shown(space, link):
                    described = self._as_it_is(bridge.RESOURCE, name=link.name, **space.option)
                    ports = [port.name for port in links if port.master == link.index and self._leads(space, port)]
                    own = own_mac(self.state.identity(), "bridge", space.ref.path, link.name)
                    yield described and dict(described, ports=ports, ours=link.get("mac") == own)

    def veths(self) -> Iterator[Item]:
        ports: Dict[str, List[Item]] = collections.defaultdict(list)  # by the address they lead to
        for one in self._published():
            ports[one.to].append(shown(one))
        for pair in self.pairs:
            peer = {"peer_name": pair.far.name if pair.far else "unseen"}
            if pair.there is not None and pair.there is not pair.here:
                peer["peer_netns"] = pair.there.ref.path
            described = self._as_it_is(veth.RESOURCE, name=pair.near.name, **pair.here.option, **peer)
            yield described and dict(described, **self._behind(pair, ports))

    def _behind(self, pair: Pair, ports: Mapping[str, List[Item]]) -> Item:
        """Return who is behind a pair, and how it is reached."""
        away = pair.there if pair.there is not pair.here else None
        addresses: List[str] = []
        gateways: List[str] = []
        if pair.far is not None and pair.there is not None:
            far, there = pair.far, pair.there
            addresses = [
                one.cidr for link, one in self._addresses(there) if link.index == far.index and one.scope != "link"
            ]
            hops = [
                hop
                for route in self._routes(there)
                if route.shown_destination == "default"
                for hop in [(route.gateway, route.interface), *((one.gateway, one.interface) for one in route.nexthops)]
            ]
            gateways = [gateway for gateway, interface in hops if gateway and interface == far.name]
        return {
            "owner": self._owner(away) if away else None,
            **(_first(away) if away else {"container": None, "engine": None}),
            "addresses": addresses,
            "gateways": gateways,
            "published_ports": [port for one in addresses for port in ports.get(one.partition("/")[0], ())],
            "ours": pair.made is not None or pair.derived,
            "made_for": NsRef(pair.made or "").option,
        }

    def _owner(self, space: Space) -> str:
        """Return whose namespace it is: its name, else its container's, else its first process."""
        named = [*space.names, *(one.name for one in space.containers)]
        named += ["process %d (%s)" % one for one in self._processes(space)]
        return [*named, space.path][0]

    def addresses(self) -> Iterator[Item]:
        for space in self._reached():
            for link, one in self._addresses(space):
                if self._shown(space, link):
                    peer = "%s/%d" % (one.peer, one.prefix) if one.peer else None
                    yield self._as_it_is(
                        ns_address.RESOURCE, interface=link.name, address=one.cidr, peer=peer, **space.option
                    )

    def routes(self) -> Iterator[Item]:
        for space in self._reached():
            for route, led in self._led(space):
                names = {route.interface, *(hop.interface for hop in route.nexthops)} - {""}
                direct = route.type == "unicast" and names
                if any(self._shown(space, self.state.link(space.inode, name)) for name in names) or (
                    not direct and space.inode != self.host and self._asked_for(space)
                ):
                    yield self._as_it_is(ns_route.RESOURCE, **_known_by(route), **led, **space.option)

    def nat(self) -> Iterator[Item]:
        for rule in self._rules():
            if self.scope is None or self._concerned(rule):
                yield self._as_it_is(nat.RESOURCE, source=rule.source, owner=rule.owner)
        for guard in self._guards():
            if self.scope is None or self._shown(self.spaces[self.host], self.state.link(self.host, guard.bridge)):
                yield self._as_it_is(nat.RESOURCE, type="filter", bridge=guard.bridge, owner=guard.owner)
        within = {one.ip for space in self._within() for dummy, one in self._addresses(space)} if self.scope else set()
        for one in self._published():
            if self.scope is None or one.to in within:
                host = None if "/" in one.host_ip else one.host_ip
                known = {"host_port": one.ports, "protocol": one.protocol, "host_ip": host, "owner": one.owner}
                yield self._as_it_is(nat.RESOURCE, type="dnat", to_address=one.to, **known)

    def _concerned(self, rule: NatRule) -> bool:
        """Return whether a rule is for an address of the namespaces asked for."""
        source = ipaddress.ip_network(rule.source)
        return any(one.parsed in source for space in self._within() for dummy, one in self._addresses(space))

    def orphans(self) -> Iterator[Item]:
        for name, entry in self.state.entries().items():
            if entry.kind in _STALE and not entry.size and (self.scope is None or name in self._names):
                why = "%s/%s is %s" % (NETNS_DIRECTORY, name, _STALE[entry.kind])
                yield dict(_orphan("netns", name, why), target=entry.target or None)
        for pair in self.pairs:
            if pair.derived and pair.made is None and pair.here.inode == self.host:
                if pair.there is None:
                    yield _orphan(
                        "veth", pair.near.name, "its other end is in a namespace that cannot be seen from here"
                    )
                elif not pair.there.names and pair.there.inode != self.host:
                    whose = self._owner(pair.there)
                    yield _orphan(
                        "veth", pair.near.name, "the namespace of its other end has no name any more: %s" % whose
                    )
        for rule in self._rules() if self.scope is None else ():
            if rule.out_interface.startswith("!") and self.state.link(self.host, rule.out_interface[1:]) is None:
                why = "the rule of owner '%s' is for %s, which does not exist" % (rule.owner, rule.out_interface[1:])
                yield _orphan("nat", rule.source, why)


def _places(link: Link) -> List[int]:
    """Return the indexes of an interface and of its master."""
    return [link.index] + ([link.master] if link.master else [])


def _first(space: Space) -> Item:
    """Return the container that a namespace is of: the first that was started in it."""
    first = space.containers[0] if space.containers else None
    return {"container": first.name if first else None, "engine": first.engine if first else None}


def _known_by(route: Route) -> Item:
    """Return the options that mean this route and no other."""
    way = {"gateway": route.gateway or None, "interface": route.interface or None}
    return {
        "destination": route.shown_destination,
        "family": "ipv%d" % route.family,
        "metric": route.metric,
        "type": route.type,
        **(way if route.type == "unicast" and not route.nexthops else {}),
    }


def _orphan(kind: str, name: str, why: str) -> Item:
    return {"kind": kind, "name": name, "netns": None, "why": why}


def report(source: Source, params: Mapping[str, Any]) -> Tuple[Dict[str, Any], List[str]]:
    """Return what the module ``wiring_info`` returns for its arguments, and warnings. Raises `Refused`."""
    refs = [NsRef.parse(one) for one in params["netns"] or ()]
    wiring, warnings = gathered(source, params["gather"], refs)
    return {"wiring": wiring, "picture": text(wiring)}, warnings


def gathered(
    source: Source, gather: Sequence[str], refs: Sequence[NsRef] = ()
) -> Tuple[Dict[str, List[Item]], List[str]]:
    """Return the lists named in ``gather``, of all namespaces or of those named, and warnings. Raises `Refused` where the host itself cannot be read."""
    survey = _Survey(source, refs)
    lists = {name: [item for item in getattr(survey, name)() if item] for name in SUBSETS if name in gather}
    return lists, list(survey.warnings)
