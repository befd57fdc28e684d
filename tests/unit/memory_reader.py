# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reading half of the kernel's twin: what is, as the kernel reports it."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Backend, Ruleset
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import (
    IPTABLES_NFT,
    Iptables,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.listeners import Listener
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import Edit
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import BACKENDS
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.kernel_api import Known
from ansible_collections.linuxnet.containers.plugins.module_utils._model.lasting import File, Lasting
from ansible_collections.linuxnet.containers.plugins.module_utils._model.link_kinds import SHAPES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import sysctl_key
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
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
from ansible_collections.linuxnet.containers.plugins.module_utils._model.requirements import dotted
from ansible_collections.linuxnet.containers.plugins.module_utils._model.shaping import NONE, Shape
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.leases import leases
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.tool_twins import written

PYTHON, PROGRAM = "/usr/bin/python3", "d1" * 32  # what runs the twin
KERNEL_PROTOCOL = 2  # RTPROT_KERNEL
SYSCTLS = {
    "net.ipv4.ip_forward": "0",
    "net.ipv6.conf.all.forwarding": "0",
    "net.ipv4.conf.all.rp_filter": "0",
    "net.core.somaxconn": "4096",
    "net.ipv4.ip_unprivileged_port_start": "1024",
    "net.ipv4.ping_group_range": "1\t0",
    "net.ipv4.ip_local_port_range": "32768\t60999",
    "net.ipv4.ip_local_reserved_ports": "",
}
PER_INTERFACE = {
    "net.ipv6.conf.disable_ipv6": "0",
    "net.ipv6.conf.accept_ra": "1",
    "net.ipv4.conf.promote_secondaries": "0",
    "net.ipv4.conf.arp_notify": "0",
    "net.ipv4.conf.rp_filter": "0",
    "net.ipv4.conf.src_valid_mark": "0",
    "net.ipv4.neigh.gc_stale_time": "60",
}


def default_of(key: str) -> str | None:
    """The value that a sysctl has before anybody sets it, None where there is no such key."""
    parts = key.split(".")
    return SYSCTLS.get(key, PER_INTERFACE.get(".".join(parts[:3] + parts[4:])))


class _Nothing:
    """The source of a host on which nothing was ever made."""

    def __getattr__(self, name: str) -> Any:
        """Every method of a source: it finds nothing."""
        answers: dict[str, Any] = {"find": None, "listing": {}, "link": None, "sysctl": None, "read_text": ""}
        answers.update(backends=BACKENDS, marked=((), ()), loopback_guards=LoopbackGuards())
        return lambda *args, **kwargs: args[1].nothing() if name == "ruleset" else answers.get(name, ())


class _Memory(State):
    """What is. The numbers that `State` foresees are the real ones here."""

    def __init__(self) -> None:
        super().__init__(_Nothing())
        self.foreseen_indexes = itertools.count(1000)
        self.known.paths[HOST.path] = self.fresh_namespace()
        leases(self)  # where it is registered what changes of addresses do


class MemoryReader:
    """What a host's kernel holds. ``processes`` maps a PID to the inode of its namespace, ``lacks`` names missing features."""

    def __init__(self, lacks: Sequence[str] = ("vlan_filtering",)) -> None:
        self.lacks = frozenset(lacks)
        self.pids: dict[int, int] = {}
        self.started: list[Container] = []  # what engines know
        self.silent: list[str] = []  # engines that cannot be asked
        self.on_the_wire: dict[str, str] = {}  # neighbours outside: address to MAC address
        self.foreign_rules: list[dict[str, Any]] = []
        self.foreign_saved: dict[Backend, str] = {}  # as iptables-save prints them
        self.programs: Sequence[Backend] = BACKENDS
        self.bridges_filtered = True
        self.systemd, self.unread = True, False
        self.units: list[str] = []
        self.lasting_files: dict[str, File] = {}
        self.listening: list[Listener] = []  # in every namespace
        self.socket_of: dict[int, tuple[int, str]] = {}  # processes by the inode of a socket
        self.asked_for_sockets = 0
        self.applied: list[Change] = []
        self.fail_at: int | None = None  # the number of the change that is refused with EIO, from 0
        self.refused: Change | None = None
        self.locks = 0
        self.fixed: set[str] = set()  # what is on a file system that is read-only
        self._state = _Memory()
        self._pinned: set[tuple[int, int]] = set()

    # --- reading: a copy of everything, as the kernel gives it ---

    def find(self, ref: NsRef) -> int | None:
        parts = ref.path.split("/")
        if parts[1:2] == ["proc"]:
            return self.pids.get(int(parts[2])) if parts[2].isdigit() else self._state.find(HOST)
        return self._state.find(ref)

    def listing(self) -> dict[str, NsFile]:
        return dict(self._state.entries())

    def link(self, ns: int, name: str = "", index: int = 0) -> Link | None:
        found = self._state.link(ns, name) if name else self._state.link_at(ns, index)
        return None if found is None else _reported(found)

    def links(self, ns: int, kind: str = "") -> list[Link]:
        return [_reported(link) for link in self._state.links(ns, kind)]

    def vlans(self, ns: int, index: int) -> tuple[Vlan, ...]:
        link = self._state.link_at(ns, index)
        return self._state.vlans(ns, link) if link else ()

    def flooded(self, ns: int, index: int) -> tuple[Flooded, ...]:
        return self._state.known.flooded.get((ns, index), ())

    def shape(self, ns: int, index: int) -> Shape:
        link = self._state.link_at(ns, index)
        return (link and link.get("shape")) or NONE

    def addresses(self, ns: int) -> list[tuple[int, Address]]:
        return list(self._state.addresses(ns))

    def members(self, ns: int, bridge: int, known: Known) -> list[Holder]:
        ports = [link for link in self._state.links(ns) if link.master == bridge and link.kind == "veth"]
        behind = {link.peer_ns for link in ports}
        by_far_end = {(link.peer_ns, link.peer_index): link.index for link in ports}
        return [
            Holder(one, where, index, port=by_far_end.get((where, index), 0))
            for where in sorted(behind - {ns, None})  # type: ignore[type-var]
            for index, listed in known.get(where or 0, self._state.addresses_by_index(where or 0)).items()
            for one in listed
            if one.scope != "host"
        ]

    def routes(self, ns: int, family: int, table: int, protocol: int = 0) -> RouteTable:
        connected = self.connected(ns, family) if table == MAIN_TABLE else []
        found = [*self._state.routes(ns, family, table), *connected]
        return RouteTable([route for route in found if protocol in (0, route.protocol)])

    def marked(self, ns: int, protocol: int) -> tuple[set[tuple[int, int]], set[int]]:
        known = self._state.known.routes
        tables = {
            key[1:] for key, found in known.items() if key[0] == ns and any(one.protocol == protocol for one in found)
        }
        rules = {family for family in (4, 6) if any(rule.protocol == protocol for rule in self.policies(ns, family))}
        return tables, rules

    def policies(self, ns: int, family: int) -> list[PolicyRule]:
        return sorted(self._state.policies(ns, family), key=lambda rule: rule.priority)

    def loopback_guards(self, ns: int) -> LoopbackGuards:
        return self._state.loopback_guards(ns)

    def sysctl(self, ns: int, key: str) -> str | None:
        key = sysctl_key(key)
        parts = key.split(".")
        known = SYSCTLS.get(key)
        if known is None and default_of(key) is not None:
            there = parts[3] in ("all", "default") or self._state.link(ns, parts[3].replace("/", "."))
            known = default_of(key) if there else None
        return self._state.known.sysctls.get((ns, key), known)

    def tx_checksum(self, ns: int, name: str) -> bool | None:
        link = self._state.link(ns, name)
        return None if link is None else bool(link.attributes.get("tx_checksum", True))

    def backends(self) -> Sequence[Backend]:
        return self.programs

    def filters_bridges(self, ns: int) -> bool:
        return self.bridges_filtered

    def version(self, backend: Backend) -> str:
        return "v" + dotted(backend.oldest)

    def ruleset(self, ns: int, backend: Backend) -> Ruleset:
        """Return the foreign rules, and what we own as the backend writes it."""
        index = firewalls(self._state).index(ns, backend)
        everything = Edit(
            put=tuple(index.nat_rules.values()),
            publish=tuple(index.port_mappings),
            isolate=tuple(index.isolations.values()),
            allow=tuple(index.allowances.values()),
            fence=tuple(index.fences.values()),
            localnet_on=index.owned.localnet,
            hairpins_on=tuple(index.hairpins.items()),
            check=tuple(index.spoof_checks.values()),
            apart_on=tuple(index.apart.items()),
            answer=tuple(index.uplinks.values()),
            admit=tuple(index.tunnels.values()),
            kinds=tuple({kind for kind, dummy in index.owned.static}),
        )
        if isinstance(backend, Iptables):
            saved = {f"iptables-{backend.kind}": self.foreign_saved.get(backend, ""), f"ip6tables-{backend.kind}": ""}
            start = backend.parse(saved)
            return written(backend, start, backend.transaction(start, [everything]))
        objects = written(backend, [], backend.transaction([], [everything]))
        there = firewalls(self._state).index(ns, IPTABLES_NFT)
        allowed = {allowance.family for allowance in there.allowances.values()}
        tabled = {
            family: bool(there.isolations or there.tunnels or there.families[family] or there.nat_families[family])
            or family in {*there.fences, *allowed}
            for family in (4, 6)
        }
        tabled[4] = tabled[4] or IPTABLES_NFT in self.foreign_saved
        names = [name for family, name in ((4, "ip"), (6, "ip6")) if tabled[family]]
        listed = [{"table": {"family": name, "name": "filter", "handle": 1}} for name in names]
        return [*self.foreign_rules, *objects, *listed]

    def read_text(self, path: str) -> str:
        return self._state.text(path)

    def require_mounts(self) -> None:
        """Here they may."""

    def read_only(self, path: str) -> bool:
        return path in self.fixed

    def lasting(self) -> Lasting:
        return Lasting(self.systemd, PYTHON, PROGRAM, self.lasting_files, (), (), self.unread, self.units)

    def identity(self) -> str:
        return "twin"

    def processes(self, ns: int) -> list[tuple[int, str]]:
        return [(pid, "sleep") for pid, where in sorted(self.pids.items()) if where == ns]

    def namespaces(self) -> list[tuple[int, str, list[int]]]:
        paths = {inode: f"/proc/{pid}/ns/net" for pid, inode in sorted(self.pids.items(), reverse=True)}
        paths |= {inode: path for path, inode in reversed(self._state.known.paths.items()) if inode}
        return [(ns, path, sorted(pid for pid in self.pids if self.pids[pid] == ns)) for ns, path in paths.items()]

    def command(self, pid: int) -> str:
        return "sleep" if pid in self.pids else ""

    def containers(self, engine: str, names: Sequence[str]) -> tuple[dict[str, list[Container]], list[str]]:
        known = [
            replace(one, inode=self.pids.get(one.pid, 0) or (self.find(NsRef(one.file)) or 0 if one.file else 0))
            for one in self.started
            if engine in ("auto", one.engine)
        ]
        return {name: [one for one in known if one.name == name] for name in names}, self.silent

    def ask(self, engine: str, names: Sequence[str]) -> None:
        """Here they answer at any time."""

    def ask_running(self) -> None:
        """As above."""

    def answers_hold(self) -> bool:
        return True

    def running(self) -> list[Container]:
        return self.started

    def start_time(self, pid: int) -> str | None:
        return str(pid * 10) if pid in self.pids else None

    def listeners(self, ns: int) -> list[Listener]:
        self.asked_for_sockets += 1
        return list(self.listening)

    def socket_holders(self) -> dict[int, tuple[int, str]]:
        return dict(self.socket_of)

    def wait_for_rcu(self) -> None:
        """What ended in memory is gone."""

    def who_has(self, ns: int, interface: str, mac: str, ip: str) -> str | None:
        return self.on_the_wire.get(ip)

    def namespace_label(self, ns: int, nsid: int) -> str:
        return f"a namespace without a name (id {nsid})"

    def snapshot(self) -> Any:
        """Return everything that is, to be compared with ``==``: twice the same only where nothing was changed."""
        state = self._state
        spaces = sorted({inode for inode in state.known.paths.values() if inode} | set(self.pids.values()))
        return [
            sorted((entry.name, entry.inode) for entry in self.listing().values()),
            {
                ns: (
                    sorted(
                        (
                            *(link.name, link.kind, link.master, link.index, sorted(link.attributes.items(), key=str)),
                            *(link.parent_index, link.parent_ns, self.flooded(ns, link.index)),
                        )
                        for link in self.links(ns)
                    ),
                    sorted(map(str, self.addresses(ns))),
                    sorted(
                        map(
                            str,
                            [route for key, routes in state.known.routes.items() if key[0] == ns for route in routes],
                        )
                    ),
                    [
                        (
                            sorted(map(str, index.nat_rules.values())),
                            sorted(map(str, index.port_mappings)),
                            sorted(index.owned.localnet),
                            sorted(map(str, index.isolations.values())),
                            sorted(map(str, index.allowances.values())),
                            sorted(map(str, index.fences.values())),
                            sorted(map(str, index.spoof_checks.values())),
                            sorted(index.apart.items()),
                            sorted(map(str, index.uplinks.values())),
                            sorted(map(str, index.tunnels.values())),
                        )
                        for index in (firewalls(state).index(ns, backend) for backend in BACKENDS)
                    ],
                    sorted(str(rule) for family in (4, 6) for rule in state.policies(ns, family)),
                    sorted(state.loopback_guards(ns).interfaces),
                )
                for ns in spaces
            },
            sorted(
                (key, value) for key, value in state.known.sysctls.items() if value not in (None, default_of(key[1]))
            ),
            {path: text for path, text in state.known.texts.items() if text},
        ]

    def connected(self, ns: int, family: int) -> list[Route]:
        found = []
        for index, one in self._state.addresses(ns):
            link = self._state.link_at(ns, index)
            if one.family != family or one.noprefixroute or link is None or not link.get("enabled"):
                continue
            whole = one.prefix == (32 if family == 4 else 128) and not one.peer
            if (family == 4 and (one.secondary or whole)) or one.scope == "host":
                continue
            route = Route(family, str(net_of(one)), metric=0 if family == 4 else 256, interface=link.name)
            if family == 4:
                route = replace(route, source=one.ip, scope="link")
            found.append(replace(route, protocol=KERNEL_PROTOCOL))
        return found


def _reported(link: Link) -> Link:
    """Return a link as the kernel reports it: its offloads, and what its queueing discipline does, are asked for elsewhere."""
    told = {name: value for name, value in link.attributes.items() if name not in ("tx_checksum", "shape")}
    return replace(link, attributes={"ipv6": True, **told, **dict.fromkeys(SHAPES, "")})


def sysctl_name(interface: str) -> str:
    """An interface's name as a part of a sysctl's key in dots."""
    return interface.replace(".", "/")


def net_of(one: Address) -> Any:
    return ipaddress.ip_network(f"{one.peer or one.ip}/{one.prefix}", strict=False)
