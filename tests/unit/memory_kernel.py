# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The in-memory twin of the kernel: the same verbs, the same errno values, no root and no system call.

It is `_run/state.State` over a source that holds nothing, with what the kernel adds on its own: checks, connected routes,
secondary addresses, a bridge's MTU. What it claims is held against the real kernel by tests/module/test_kernel_contract.py.

Not in it: link-local addresses, multicast, traffic, carrier.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import (
    Announce,
    DelAddress,
    PutAddress,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import PutFile, SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.lasting import (
    PutKept,
    ReloadUnits,
    RunUnit,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import (
    AddLink,
    DelLink,
    MoveLink,
    SetLink,
    SetShape,
    SetVlans,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import (
    AddNetns,
    BindNetns,
    DropNetns,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import (
    AddLoopbackGuard,
    AddPolicy,
    DelLoopbackGuard,
    DelPolicy,
    DelRoute,
    PutRoute,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import MAIN_TABLE, Link, NsRef, Route
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import changes as firewall_change
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run import prediction
from ansible_collections.linuxnet.containers.plugins.module_utils._run.prediction import advance, advance_all
from ansible_collections.linuxnet.containers.tests.unit.memory_parents import FLAT, MemoryParents
from ansible_collections.linuxnet.containers.tests.unit.memory_reader import net_of, sysctl_name

BRIDGE_PORTS = 1023  # BR_MAX_PORTS - 1, net/bridge/br_private.h


class MemoryKernel(MemoryParents):
    """A host's kernel in memory."""

    # --- changing ---

    @contextlib.contextmanager
    def locked(self, check: bool = False) -> Iterator[None]:
        self.locks += not check
        yield

    def as_told(self, other: Any) -> None:
        """Engines answer at any time."""

    def close_unnamed(self) -> None:
        """Here namespaces end as soon as nothing holds them."""

    def copy(self) -> MemoryKernel:
        """Return another host with the same history, to try the same start twice."""
        other = MemoryKernel(tuple(self.lacks))
        other.pids, other.on_the_wire, other.foreign_rules = (
            dict(self.pids),
            dict(self.on_the_wire),
            [*self.foreign_rules],
        )
        other.foreign_saved, other.programs = dict(self.foreign_saved), self.programs
        other.bridges_filtered = self.bridges_filtered
        for step in self.applied:
            with contextlib.suppress(KernelError):
                other.apply(step)
        other.applied.clear()
        return other

    def apply(self, step: Change) -> None:
        number = len(self.applied)
        self.applied.append(step)
        if number == self.fail_at:
            self.refused = step  # also when it is tried again
        if self.refused is not None and step == self.refused:
            raise KernelError(errno.EIO, step.attempt())
        for ref in [getattr(step, name) for name in ("ns", "peer_ns", "to", "parent_ns") if hasattr(step, name)]:
            if ref is not None and not isinstance(step, AddNetns) and self.find(ref) is None:
                raise KernelError(errno.ENOENT, step.attempt())
        getattr(self, "_" + type(step).__name__)(step)

    @staticmethod
    def _refuse(code: int, step: Change, detail: str = "") -> NoReturn:
        raise KernelError(code, step.attempt(), detail)

    def _need(self, ref: NsRef, name: str, step: Change) -> Link:
        link = self._state.link(self._ns(ref), name)
        if link is None:
            raise KernelError(errno.ENODEV, step.attempt())
        return link

    def _ns(self, ref: NsRef) -> int:
        return prediction._namespace(self._state, ref)

    def _put(self, ns: int, link: Link) -> None:
        self._state.known.links[ns].put(link)

    # namespaces

    def _AddNetns(self, step: AddNetns) -> None:
        if step.name in self._state.entries():
            self._refuse(errno.EEXIST, step)
        advance(replace(step, sysctls=()), self._state)
        try:
            for setting in step.settings():
                self._SetSysctl(setting)
        except KernelError:
            self._DropNetns(DropNetns(step.name))
            raise

    def _BindNetns(self, step: BindNetns) -> None:
        if bool(step.old) != (step.name in self._state.entries()):
            self._refuse(errno.ENOENT if step.old else errno.EEXIST, step)
        inode = step.inode if step.inode > 0 else self.find(step.source)
        if inode is None:
            self._refuse(errno.ENOENT, step)
        old = self._state.entries().get(step.name)
        advance(replace(step, inode=inode), self._state)
        if old is not None:
            self._dies(old.inode)

    def _DropNetns(self, step: DropNetns) -> None:
        old = self._state.entries().pop(step.name, None)
        if old is None:
            self._refuse(errno.ENOENT, step)
        self._state.known.paths[NsRef.parse(step.name).path] = None
        self._dies(old.inode)

    def _dies(self, inode: int) -> None:
        """Delete the interfaces of a namespace that nothing holds any more."""
        if inode and inode not in {*self._state.known.paths.values(), *self.pids.values()}:
            for link in self.links(inode):
                self._delete(inode, link)
            for ns in [*self._state.known.links]:
                for link in [one for one in self.links(ns, "vxlan") if one.parent_ns == inode]:
                    self._delete(ns, link)
            for key in [key for key in self._state.known.sysctls if key[0] == inode]:
                del self._state.known.sysctls[key]

    # links

    def _taken(self, step: Change, sides: Sequence[tuple[NsRef, str]]) -> None:
        taken = [(ref, name) for ref, name in sides if self._state.link(self._ns(ref), name)]
        if taken:
            self._refuse(errno.EEXIST, step, ", ".join(f"the name '{name}' is taken in {ref}" for ref, name in taken))

    def _check_master(self, step: Any, name: str, port: Link | None) -> None:
        master = self._need(step.ns, name, step)
        if master.kind not in ("bridge", "vrf"):
            self._refuse(errno.EOPNOTSUPP, step)
        kind = port.kind if port is not None else getattr(step, "kind", "")
        if kind == "vrf" or (kind == "ipvlan" and master.kind == "bridge"):
            self._refuse(errno.EINVAL, step)
        if master.kind == "vrf":
            return
        if port is not None and any(self._on(self._ns(step.ns), port, one) for one in FLAT):
            self._refuse(errno.EBUSY, step)
        if port is not None and port.kind == "bridge":
            self._refuse(errno.ELOOP, step, "Can not enslave a bridge to a bridge")
        if port is not None and port.name == "lo":
            self._refuse(errno.EINVAL, step)
        if sum(link.master == master.index for link in self.links(self._ns(step.ns))) >= BRIDGE_PORTS:
            self._refuse(errno.EXFULL, step)

    def _check_features(self, step: Any, attributes: Any) -> None:
        for name in self.lacks & set(attributes):
            self._refuse(errno.EOPNOTSUPP, step, name)

    def _AddLink(self, step: AddLink) -> None:
        self._taken(step, [(step.ns, step.name), *([(step.peer_ns, step.peer_name)] if step.peer_name else [])])
        self._check_features(step, step.attributes)
        if step.attributes.get("master"):
            self._check_master(step, step.attributes["master"], None)
        step, parent = self._born(step)
        advance(step, self._state)
        if parent is not None:
            made = self._need(step.ns, step.name, step)
            self._put(self._ns(step.ns), replace(made, parent_ns=parent[0], parent_index=parent[1]))
        ends = [(step.ns, step.name), *([(step.peer_ns, step.peer_name)] if step.peer_name else [])]
        for ref, name in ends:
            link = self._need(ref, name, step)
            if not link.get("mac"):
                self._put(self._ns(ref), link.with_(mac=f"02:00:00:00:{link.index >> 8:02x}:{link.index & 255:02x}"))
        self._follow_ports(self._ns(step.ns), self._need(step.ns, step.name, step).master)

    def _SetLink(self, step: SetLink) -> None:
        ns, link, new = self._ns(step.ns), self._need(step.ns, step.name, step), step.new
        if new.get("name", step.name) != step.name:
            self._taken(step, [(step.ns, new["name"])])
        self._check_features(step, new)
        if new.get("master"):
            self._check_master(step, new["master"], link)
        if not link.master and "master" not in new and set(new) & set(link_kinds.PORT):
            self._refuse(errno.EOPNOTSUPP, step)
        if step.kind and step.kind != link.kind:
            self._refuse(errno.EOPNOTSUPP, step)
        rows = {**link_kinds.LINK, **link_kinds.PORT, **link_kinds.kind(step.kind).fields}
        if not set(new) <= {*rows, "name", "master"}:
            raise TypeError(f"nothing writes {sorted(set(new) - set(rows))}: does the change name the link's kind?")
        self._check_change(step, link)
        if link.kind == "bridge" and link.get("stp") and not 200 <= new.get("forward_delay", 200) <= 3000:
            self._refuse(errno.ERANGE, step)
        if link.kind == "bridge" and new.get("mtu", link.get("mtu")) != link.get("mtu"):
            self._pinned.add((ns, link.index))
        advance(step, self._state)
        link_now = self._need(step.ns, new.get("name", link.name), step)
        self._after_change(step, link_now)
        if link_now.get("stp"):
            self._put(ns, link_now.with_(forward_delay=min(max(link_now.get("forward_delay"), 200), 3000)))
        if link.name != new.get("name", link.name):
            self._rename(ns, link.name, new["name"])
        if new.get("enabled") is False:
            self._flush(ns, new.get("name", link.name))
        self._follow_ports(ns, link.master)
        self._follow_ports(ns, self._need(step.ns, new.get("name", link.name), step).master)

    def _rename(self, ns: int, old: str, name: str) -> None:
        for key, routes in self._state.known.routes.items():
            if key[0] == ns:
                routes[:] = [replace(one, interface=name) if one.interface == old else one for one in routes]

    def _flush(self, ns: int, name: str) -> None:
        """Take away the routes of an interface that went down."""
        for key, routes in self._state.known.routes.items():
            if key[0] == ns:
                routes[:] = [one for one in routes if one.interface != name]

    def _follow_ports(self, ns: int, index: int) -> None:
        """Give a bridge the smallest MTU of its ports, unless somebody set its own."""
        bridge = self._state.link_at(ns, index) if index else None
        if bridge is not None and bridge.kind == "bridge" and (ns, index) not in self._pinned:
            sizes = [link.get("mtu") for link in self._state.links(ns) if link.master == index]
            self._put(ns, bridge.with_(mtu=min(sizes, default=1500)))

    def _MoveLink(self, step: MoveLink) -> None:
        link = self._need(step.ns, step.name, step)
        self._taken(step, [(step.to, step.new_name)])
        advance(step, self._state)
        self._flush(self._ns(step.ns), link.name)

    def _DelLink(self, step: DelLink) -> None:
        if step.for_kind in self.lacks:
            self._refuse(errno.EOPNOTSUPP, step, "Unknown device type")
        link = self._state.link(self._ns(step.ns), step.name)
        if link is not None:
            self._delete(self._ns(step.ns), link)

    def _delete(self, ns: int, link: Link) -> None:
        peer = self._state.link_at(link.peer_ns, link.peer_index) if link.peer_ns is not None else None
        for where, one in ((ns, link), (link.peer_ns, peer)):
            if one is not None and where is not None:
                for below, child in list(self._state.known.links.made_on(where, one.index)):
                    self._delete(below, child)
                self._state.addresses(where)
                prediction._deleted(self._state, where, one)
                self._follow_ports(where, one.master)

    def _SetVlans(self, step: SetVlans) -> None:
        link = self._need(step.ns, step.name, step)
        if not (link.kind == "bridge" if step.own else link.master) or "vlan_filtering" in self.lacks:
            self._refuse(errno.EOPNOTSUPP, step)
        advance(step, self._state)

    def _SetShape(self, step: SetShape) -> None:
        self._need(step.ns, step.name, step)
        if step.new.kind in self.lacks:
            self._refuse(errno.EOPNOTSUPP, step, f"there is no {step.new.kind}, of the module sch_{step.new.kind}")
        advance(step, self._state)

    # addresses

    def _PutAddress(self, step: PutAddress) -> None:
        ns, link, one = self._ns(step.ns), self._need(step.ns, step.interface, step), step.address
        own = self._state.addresses_of(ns, link)
        if one.family == 6 and self.sysctl(ns, f"net/ipv6/conf/{link.name}/disable_ipv6") == "1":
            self._refuse(errno.EACCES, step)
        if step.old is None and any(other.key == one.key for other in own):
            self._refuse(errno.EEXIST, step)
        secondary = one.family == 4 and any(
            not other.secondary and other.key != one.key and net_of(other) == net_of(one) for other in own
        )
        advance(replace(step, address=replace(one, secondary=secondary)), self._state)

    def _DelAddress(self, step: DelAddress) -> None:
        ns, link = self._ns(step.ns), self._need(step.ns, step.interface, step)
        there = [one for one in self._state.addresses_of(ns, link) if one.key == step.address.key]
        for one in there:
            doomed = []
            if one.family == 4 and not one.secondary and not self._promotes(ns, link):
                doomed = [
                    other
                    for other in self._state.addresses_of(ns, link)
                    if other.secondary and net_of(other) == net_of(one)
                ]
            for gone in [*doomed, one]:
                advance(replace(step, address=gone), self._state)

    def _promotes(self, ns: int, link: Link) -> bool:
        keys = (f"net.ipv4.conf.{name}.promote_secondaries" for name in ("all", sysctl_name(link.name)))
        return any(self.sysctl(ns, key) == "1" for key in keys)

    def _Announce(self, step: Announce) -> None:
        pass

    # routes

    _AnnounceOpened = _Announce

    def _PutRoute(self, step: PutRoute) -> None:
        ns, route = self._ns(step.ns), self._reached(step)
        routes = self._state.routes(ns, route.family, route.table)
        if route.family == 6 and not route.metric:
            route = replace(route, metric=1024)
        same = [one for one in routes if (one.destination, one.metric) == (route.destination, route.metric)]
        if route.source and all(one.ip != route.source for dummy, one in self._state.addresses(ns)):
            self._refuse(errno.EINVAL, step, "Invalid prefsrc address")
        if same and step.old is None:
            self._refuse(errno.EEXIST, step)
        if same:
            routes[routes.index(same[0])] = route
        else:
            routes.append(route)

    def _reached(self, step: PutRoute) -> Route:
        """Return the route with the interfaces of its gateways. Raises what the kernel does for one that is not on a link."""
        route = step.route
        if route.type != "unicast":
            return route
        for name in [route.interface, *(hop.interface for hop in route.nexthops)]:
            if name and not self._need(step.ns, name, step).get("enabled") and not route.gateway:
                self._refuse(errno.ENETDOWN, step)
        hops = tuple(
            replace(hop, interface=self._behind(step, hop.gateway, hop.interface) if hop.gateway else hop.interface)
            for hop in route.nexthops
        )
        if not route.gateway:
            return replace(route, nexthops=hops)
        return replace(route, interface=self._behind(step, route.gateway, route.interface))

    def _behind(self, step: PutRoute, gateway: str, interface: str) -> str:
        ns, ip = self._ns(step.ns), ipaddress.ip_address(gateway)
        if interface and (step.route.onlink or ip.is_link_local):
            return interface
        for one in self.routes(ns, step.route.family, MAIN_TABLE):
            direct = one.type == "unicast" and not one.gateway and not one.nexthops
            if (
                direct
                and one.interface in (interface or one.interface,)
                and ip in ipaddress.ip_network(one.destination)
            ):
                return one.interface
        raise KernelError(errno.ENETUNREACH if ip.version == 4 else errno.EHOSTUNREACH, step.attempt())

    def _DelRoute(self, step: DelRoute) -> None:
        routes = self._state.routes(self._ns(step.ns), step.route.family, step.route.table)
        if step.route not in routes:
            self._refuse(errno.ESRCH, step)
        routes.remove(step.route)

    def _AddPolicy(self, step: AddPolicy) -> None:
        if step.rule in self._state.policies(self._ns(step.ns), step.rule.family):
            self._refuse(errno.EEXIST, step)
        advance(step, self._state)

    def _DelPolicy(self, step: DelPolicy) -> None:
        if step.rule not in self._state.policies(self._ns(step.ns), step.rule.family):
            self._refuse(errno.ENOENT, step)
        advance(step, self._state)

    def _AddLoopbackGuard(self, step: AddLoopbackGuard) -> None:
        advance(step, self._state)

    def _DelLoopbackGuard(self, step: DelLoopbackGuard) -> None:
        if step.interface not in self.loopback_guards(self._ns(step.ns)).all:
            self._refuse(errno.ENOENT, step)
        advance(step, self._state)

    # files and rules

    def _SetSysctl(self, step: SetSysctl) -> None:
        if self.sysctl(self._ns(step.ns), step.key) is None:
            self._refuse(errno.ENOENT, step)
        if not set(step.value) <= set("0123456789-, "):
            self._refuse(errno.EINVAL, step)
        advance(step, self._state)

    def _PutFile(self, step: PutFile) -> None:
        there = self._state.text(step.path)
        if not there and not step.applied(there):
            self._refuse(errno.ENOENT, step)
        advance(replace(step, text=step.applied(there)), self._state)

    def _PutKept(self, step: PutKept) -> None:
        self.lasting_files = {path: file for path, file in self.lasting_files.items() if path != step.path}
        self._state.known.texts.pop(step.path, None)
        if step.file.kind:
            self.lasting_files[step.path] = step.file
            self._state.known.texts[step.path] = step.file.text

    def _RunUnit(self, step: RunUnit) -> None:
        self.units = [name for name in self.units if name != step.name] + [step.name] * step.runs

    def _ReloadUnits(self, dummy: ReloadUnits) -> None:
        self.unread = False

    def _PutRule(self, step: firewall_change.PutRule) -> None:
        advance(step, self._state)

    def delete_together(self, steps: Sequence[Change]) -> None:
        """Nothing is faster here."""

    def apply_together(self, steps: Sequence[Change]) -> None:
        done: list[Change] = []
        try:
            for step in steps:
                self.apply(step)
                done.append(step)
        except KernelError:
            for step in reversed(done):
                advance_all(self._state, step.undo())
            raise

    def _SetPortMappings(self, step: firewall_change.SetPortMappings) -> None:
        there = firewalls(self._state).index(self._ns(step.ns), step.backend).port_mappings
        if any(mapping.overlaps(other) for mapping in step.publish for other in there if other not in step.unpublish):
            self._refuse(errno.EEXIST, step)
        advance(step, self._state)

    def _SetIsolation(self, step: firewall_change.SetIsolation) -> None:
        advance(step, self._state)

    def _SetFence(self, step: firewall_change.SetFence) -> None:
        advance(step, self._state)

    def _SetSpoofCheck(self, step: firewall_change.SetSpoofCheck) -> None:
        advance(step, self._state)

    def _SetUplink(self, step: firewall_change.SetUplink) -> None:
        advance(step, self._state)

    def _SetTunnel(self, step: firewall_change.SetTunnel) -> None:
        advance(step, self._state)

    def _SetApart(self, step: firewall_change.SetApart) -> None:
        advance(step, self._state)

    def _TakeBack(self, step: firewall_change.TakeBack) -> None:
        taken = [line for one in step.owned.strangers for line in one.words]
        self.foreign_rules = [
            item
            for item in self.foreign_rules
            if not any(line.endswith(f" handle {item.get('rule', {}).get('handle')}") for line in taken)
        ]
        advance(step, self._state)

    def _SetAllowances(self, step: firewall_change.SetAllowances) -> None:
        advance(step, self._state)

    def _DelRule(self, step: firewall_change.DelRule) -> None:
        advance(step, self._state)
