# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel holds, as objects: frozen and canonical, one spelling for one meaning, so that comparing is ``==``. Pure."""

from __future__ import annotations

import functools
import ipaddress
import os.path
from dataclasses import field, replace
from typing import (
    Any,
    Callable,
    Collection,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Set,
    Tuple,
)

from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import IpAddress, IpNetwork, holds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.link_kinds import kind
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import (
    NETNS_DIRECTORY,
    UPLINK_BITS,
    netns_name,
)

MAIN_TABLE = 254  # RT_TABLE_MAIN
FOREVER = 4294967295  # INFINITY_LIFE_TIME, seconds

Like = Callable[["Route"], bool]


# --- namespaces -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NsRef:
    """A network namespace as the user names it: the path of its file, or ``""`` for the host (where the module runs)."""

    path: str = ""

    @classmethod
    @functools.lru_cache(maxsize=None)
    def parse(cls, value: Optional[str], option: str = "netns") -> NsRef:
        """Return the namespace that a ``netns`` option means: a name in /run/netns, an absolute path, or nothing (the host). Raises
        `Invalid`."""
        if value is None:
            return HOST
        if value.startswith("/"):
            if "\0" in value:
                raise Invalid("%s: a path has no NUL." % option)
            path = "/" + "/".join(part for part in value.split("/") if part not in ("", "."))
            return cls(path[4:] if path.startswith("/var%s/" % NETNS_DIRECTORY) else path)
        return cls(os.path.join(NETNS_DIRECTORY, netns_name(value, option)))

    @functools.cached_property
    def name(self) -> str:
        """Return the name in /run/netns, or ``""``."""
        directory, name = os.path.split(self.path)
        return name if directory == NETNS_DIRECTORY else ""

    @property
    def option(self) -> Optional[str]:
        """Return the value of a ``netns`` option that means this namespace."""
        return self.name or self.path or None

    def __str__(self) -> str:
        return "netns '%s'" % self.option if self.path else "the host"

    def tool(self, program: str) -> List[str]:
        """Return the words that begin a command which runs ``program`` in this namespace."""
        if not self.path:
            return [program]
        if not self.name:
            return ["nsenter", "--net=" + self.path, program]
        if program in ("ip", "bridge", "tc"):
            return [program, "-n", self.name]
        return ["ip", "netns", "exec", self.name, program]


HOST = NsRef()


@dataclass(frozen=True)
class NsFile:
    """An entry of /run/netns. ``kind``: ``namespace``, ``empty`` (a file to mount one on, which a reboot, or a program that was killed, left),
    ``file`` (anything else that is none), ``dangling`` (a link to nowhere); ``target`` of a symbolic link, ``""`` for what is mounted; ``inode`` of
    the namespace, 0 where it is none; ``size`` in bytes of a file."""

    name: str
    kind: str
    inode: int = 0
    target: str = ""
    size: int = 0


@dataclass(frozen=True)
class Container:
    """A container as its engine knows it. ``pid`` is 0 where it does not run, ``status`` the engine's word for that. ``inode``
    of its network namespace is filled in once that namespace is held open, and is 0 until then. ``file`` is where the engine
    itself has that namespace mounted, as long as the container runs, ``""`` where it has not."""

    engine: str
    name: str
    pid: int = 0
    status: str = ""
    inode: int = 0
    file: str = ""


# --- links ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Link:
    """An interface. ``index`` is negative for one that is only foreseen (check mode). ``peer_index`` and ``peer_ns`` are what
    the kernel says a veth is linked to; ``peer_ns`` is None where that namespace was not opened. ``parent_index`` is the link that
    one was made on, 0 for none, ``parent_ns`` where that is: of a vxlan where its packets go, with a parent or without one.
    ``attributes`` are by field name, with ``enabled`` and, for a port of a bridge, the port's. ``altnames``: alternative names."""

    index: int
    name: str
    kind: str
    attributes: Mapping[str, Any] = field(default_factory=dict, hash=False)
    master: int = 0
    peer_index: int = 0
    peer_ns: Optional[int] = None
    altnames: Tuple[str, ...] = ()
    parent_index: int = 0
    parent_ns: Optional[int] = None

    def get(self, name: str) -> Any:
        """Return one attribute, None where the kernel does not give it."""
        return self.attributes.get(name)

    def with_(self, **changes: Any) -> Link:
        """Return this link with some attributes changed."""
        return replace(self, attributes=dict(self.attributes, **changes))

    def describe(self) -> str:
        """Return what kind of interface this is, in words."""
        return kind(self.kind).described


@dataclass(frozen=True, order=True)
class Flooded:
    """Where a vxlan sends what it knows no other place for, an all-zero entry of its forwarding table: the address of a host. ``port``,
    ``vni`` and ``via``, the index of an interface, are 0 where they are the vxlan's own."""

    ip: str
    port: int = 0
    vni: int = 0
    via: int = 0

    def words(self) -> List[str]:
        """Return the words by which `bridge fdb` means it."""
        given = (("port", self.port), ("vni", self.vni), ("via", self.via and "if%d" % self.via))
        return ["dst", self.ip, *(str(word) for name, value in given if value for word in (name, value))]

    def __str__(self) -> str:
        return " ".join(self.words()[1:])


@dataclass(frozen=True, order=True)
class Vlan:
    """One VLAN of a bridge port."""

    vid: int
    pvid: bool = False
    untagged: bool = False

    def __str__(self) -> str:
        return "%d%s%s" % (self.vid, " pvid" if self.pvid else "", " untagged" if self.untagged else "")


# --- addresses and routes -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Address:
    """An address of an interface. ``ip`` and ``peer`` in their shortest spelling; lifetimes in seconds, `FOREVER` for no end.
    For a point-to-point address ``prefix`` is the peer's."""

    ip: str
    prefix: int
    family: int
    peer: str = ""
    scope: str = "global"
    label: str = ""
    broadcast: str = ""
    valid_lft: int = FOREVER
    preferred_lft: int = FOREVER
    noprefixroute: bool = False
    nodad: bool = field(default=False, compare=False)
    secondary: bool = field(default=False, compare=False)
    tentative: bool = field(default=False, compare=False)
    dadfailed: bool = field(default=False, compare=False)
    protocol: int = field(default=0, compare=False)

    def at(self, ip: str) -> Address:
        """Return the same, but for the address itself. It takes a fraction of the time of `dataclasses.replace`."""
        other = object.__new__(Address)
        other.__dict__.update(self.__dict__, ip=ip)
        for derived in ("parsed", "network"):
            other.__dict__.pop(derived, None)
        return other

    @functools.cached_property
    def parsed(self) -> IpAddress:
        """Return the address itself, to look up and compare. A container's root can make thousands: of its bytes it takes a fifth of the time."""
        parts = self.ip.split(".")
        if len(parts) == 4 and all(map(str.isdecimal, parts)):
            return ipaddress.IPv4Address(bytes(map(int, parts)))
        return ipaddress.ip_address(self.ip)

    @functools.cached_property
    def network(self) -> IpNetwork:
        """Return the network that the kernel takes for on-link with it."""
        return ipaddress.ip_network("%s/%d" % (self.peer or self.ip, self.prefix), strict=False)

    @property
    def cidr(self) -> str:
        return "%s/%d" % (self.ip, self.prefix)

    @property
    def key(self) -> Tuple[str, int, str]:
        """Return what distinguishes two addresses of one interface, as the kernel sees it."""
        return (self.ip, self.prefix, self.peer) if self.family == 4 else (self.ip, self.prefix, "")


@dataclass(frozen=True)
class Holder:
    """Who has an address: interface ``index`` of the namespace ``ns`` (inode). ``label`` names the namespace where it has a
    name; where ``ns`` is None, ``nsid`` is its id in the namespace that was asked. ``port`` is the index of the bridge port that
    it is behind, 0 where it is none."""

    address: Address
    ns: Optional[int]
    index: int
    label: str = ""
    nsid: int = -1
    port: int = 0


@dataclass(frozen=True, order=True)
class Nexthop:
    """One way of a multipath route; ``weight`` from 1. ``onlink``: its gateway is, where not all ways of the route are."""

    gateway: str = ""
    interface: str = ""
    weight: int = 1
    onlink: bool = False


@dataclass(frozen=True)
class Route:
    """A route. ``destination`` is a CIDR (``default`` is ``0.0.0.0/0`` or ``::/0``); ``mtu`` and ``advmss`` 0 where not set. With a
    ``nexthop_id`` its ways are those of that object (`ip nexthop`)."""

    family: int
    destination: str
    table: int = MAIN_TABLE
    metric: int = 0
    type: str = "unicast"
    gateway: str = ""
    interface: str = ""
    source: str = ""
    scope: str = "global"
    mtu: int = 0
    advmss: int = 0
    onlink: bool = False
    nexthops: Tuple[Nexthop, ...] = ()
    nexthop_id: int = 0
    protocol: int = field(default=0, compare=False)

    @property
    def shown_destination(self) -> str:
        return "default" if self.destination in ("0.0.0.0/0", "::/0") else self.destination

    def to(self, address: str) -> Route:
        """Return the same route to another address of as many bits. It takes a fifth of the time of `dataclasses.replace`."""
        other = object.__new__(Route)
        bits = self.destination.partition("/")[2]
        other.__dict__.update(self.__dict__, destination="%s/%s" % (address, bits))
        return other

    def __str__(self) -> str:
        return " ".join(self.words())

    def words(self) -> List[str]:
        """Return the words by which `ip route` means this route."""
        alone = not self.nexthop_id
        # The route to an object that leads nowhere is shown as a blackhole, whatever its own type.
        words = [] if self.type == "unicast" or (self.type == "blackhole" and not alone) else [self.type]
        words.append(self.shown_destination)
        given = (
            ("nhid", self.nexthop_id),
            ("via", self._via(self.gateway) if alone else ""),
            ("dev", self.interface if alone else ""),
            ("table", self.table if self.table != MAIN_TABLE else 0),
            ("metric", self.metric),
            ("src", self.source),
            ("scope", self.scope if self.family == 4 and self.scope != "global" else ""),
            ("mtu", self.mtu),
            ("advmss", self.advmss),
        )
        words += [part for name, value in given if value for word in (name, value) for part in str(word).split(" ")]
        if self.onlink and not self.nexthops and alone:
            words.append("onlink")
        for hop in self.nexthops if alone else ():
            words.append("nexthop")
            words += ["via", *self._via(hop.gateway).split(" ")] if hop.gateway else []
            words += ["dev", hop.interface] if hop.interface else []
            words += ["weight", str(hop.weight)]
            words += ["onlink"] if self.onlink or hop.onlink else []
        return words

    def _via(self, gateway: str) -> str:
        return "inet6 " + gateway if self.family == 4 and ":" in gateway else gateway


class Run:
    """Routes that follow each other in a table, all as ``like`` but for the address of their destination: ``addresses``, as the kernel has them, and
    ``text`` spells one. Without addresses it is the one route."""

    def __init__(
        self, like: Route, addresses: Sequence[bytes] = (), text: Optional[Callable[[bytes], str]] = None
    ) -> None:
        self.like, self._addresses, self._text = like, addresses, text

    def __len__(self) -> int:
        return len(self._addresses) or 1

    def __iter__(self) -> Iterator[Route]:
        if self._text is None:
            return iter((self.like,))
        return map(self.like.to, map(self._text, self._addresses))

    def to(self, nets: Collection[str], packed: Mapping[str, Collection[bytes]]) -> List[Route]:
        """Return those to some networks, CIDRs; ``packed`` are their addresses by how many bits count."""
        if self._text is None:
            return [self.like] if self.like.destination in nets else []
        wanted = packed.get(self.like.destination.partition("/")[2])
        found = [address for address in self._addresses if address in wanted] if wanted else []
        return [self.like.to(self._text(address)) for address in found]

    def holding(self, ip: str) -> List[Route]:
        """Return those to a network that an address is in."""
        if self._text is None:
            return [self.like] if holds(self.like.destination, ip) else []
        where, dummy, bits = self.like.destination.partition("/")
        if (":" in where) != (":" in ip):
            return []
        packed = ipaddress.ip_network("%s/%s" % (ip, bits), strict=False).network_address.packed
        return self.to((), {bits: (packed,)})


class RouteTable:
    """The routes of a table in the kernel's order: either ``listed``, or in ``runs``. What a question calls ``like`` looks at anything but the
    destination of a route."""

    def __init__(self, listed: Sequence[Route] = (), runs: Optional[Sequence[Run]] = None) -> None:
        self._listed, self._runs = listed, runs

    def __iter__(self) -> Iterator[Route]:
        return iter(self._listed) if self._runs is None else (route for run in self._runs for route in run)

    def runs(self, like: Like) -> Iterable[Run]:
        """Return those that are like this, in runs."""
        if self._runs is None:
            return map(Run, filter(like, self._listed))
        return (run for run in self._runs if like(run.like))

    def like(self, like: Like) -> List[Route]:
        """Return those that are like this."""
        if self._runs is None:
            return list(filter(like, self._listed))
        return [route for run in self.runs(like) for route in run]

    def to(self, nets: Collection[str]) -> List[Route]:
        """Return those to some networks, CIDRs."""
        if self._runs is None:
            return [route for route in self._listed if route.destination in nets]
        packed: Dict[str, Set[bytes]] = {}
        for net in nets:
            packed.setdefault(net.partition("/")[2], set()).add(ipaddress.ip_network(net).network_address.packed)
        return [route for run in self._runs for route in run.to(nets, packed)]

    def holding(self, ip: str, like: Like) -> List[Route]:
        """Return those that are like this, to a network that an address is in."""
        return [route for run in self.runs(like) for route in run.holding(ip)]


@dataclass(frozen=True)
class PolicyRule:
    """A policy rule whose only condition is the source, or the number of an uplink in a packet's mark: packets of ``family`` from ``source`` (CIDR)
    that have the bits ``mark`` of `UPLINK_BITS` (0: whatever they have) are looked up in ``table``; ``no_default``: a default route that is found
    there does not count. The kernel tries rules by ``priority``, the lowest first; those of ours carry the ``protocol`` of ours."""

    family: int
    source: str
    table: int
    priority: int = 0
    protocol: int = 0
    mark: int = 0
    no_default: bool = False

    def __str__(self) -> str:
        return " ".join(self.words())

    def words(self) -> List[str]:
        """Return the words by which `ip rule` means this rule."""
        numbers = (("lookup", self.table), ("priority", self.priority), ("proto", self.protocol))
        return [
            *("from", self.source),
            *(("fwmark", "%#x/%#x" % (self.mark, UPLINK_BITS)) if self.mark else ()),
            *(word for name, number in numbers for word in (name, str(number))),
            *(("suppress_prefixlength", "0") if self.no_default else ()),
        ]


@dataclass(frozen=True)
class LoopbackGuards:
    """The ``interfaces`` by which nothing for 127.0.0.0/8 gets in that is not marked, by policy rules of ours that are asked in time. ``behind``: a
    rule at priority 0 looks up the table local, so what is added at that priority comes too late. ``late``: those whose rule is there, and does."""

    interfaces: Tuple[str, ...] = ()
    behind: bool = True
    late: Tuple[str, ...] = ()

    @property
    def all(self) -> Tuple[str, ...]:
        """Return the interfaces of which there is a rule."""
        return (*self.interfaces, *self.late)


def show(value: Any) -> str:
    """Return a value as the diff and the messages show it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or value == "":
        return "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(show(item) for item in value) or "none"
    if isinstance(value, dict):
        return " ".join("%s %s" % (key, show(item)) for key, item in value.items() if item not in (None, ""))
    return str(value)
