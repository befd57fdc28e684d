# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The running kernel, read and changed. All I/O, no policy."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from typing import Any, Callable, ClassVar, Dict, List, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import files, namespaces, reader
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import links, routes
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import NetlinkError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import PutFile, SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import (
    AddLink,
    DelLink,
    MoveLink,
    SetFlooded,
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
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError, Refused, of_host
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef, Route


class Kernel(reader.Reader):
    """The running kernel, as most modules need it; those of `arp_nd`, `containers`, `firewall` and `complete` add to it."""

    def __init__(self) -> None:
        super().__init__()
        self._prepared = False  # /run/netns, for names to be mounted in it

    def apply(self, step: Change) -> None:
        """Take one change. Raises `KernelError`; what a change of several attributes had set by then is taken back by its `undo`."""
        if step.edit is not None:
            self.apply_together([step])
            return
        try:
            self._changes.get(type(step), type(self)._other)(self, step)
        except NetlinkError as error:
            raise KernelError(
                error.errno or 0, step.attempt(), error.detail or self._cause(step, error.errno)
            ) from error
        except OSError as error:
            raise KernelError(error.errno or 0, step.attempt(), self._cause(step, error.errno)) from error
        except MemoryError as error:
            raise of_host(error, step.attempt()) from error

    def apply_together(self, steps: Sequence[Any]) -> None:
        """Take changes of firewalls: there are none for a kernel that knows nothing of them. See `_resources/nat/state.Kernel`."""
        if steps:
            raise TypeError("this kernel has no firewalls")

    def _cause(self, step: Change, code: Optional[int]) -> str:
        """Return what the kernel does not say: which side of a veth pair is taken, whose a port is, and which file system is read-only."""
        if isinstance(step, SetSysctl) and code == errno.EROFS:
            return "/proc/sys is mounted so here"
        if isinstance(step, (AddLink, SetLink)) and code == errno.EADDRINUSE:
            if step.kind == "macvlan":
                return "its MAC address is that of its parent, or of another macvlan there"
            return "its port is that of another program, or of a tunnel of another sort"
        taken = []
        if isinstance(step, AddLink) and code == errno.EEXIST:
            for ref, name in ((step.ns, step.name), (step.peer_ns, step.peer_name)):
                with contextlib.suppress(OSError, Refused):
                    if name and links.index_of(self._at(ref).socket, name):
                        taken.append("the name '%s' is taken in %s" % (name, ref))
        if isinstance(step, AddLink) and code == errno.EEXIST and step.kind == "vxlan" and not taken:
            return "its vni is in use with that port by a tunnel in another namespace"  # which has no name
        return ", ".join(taken)

    # --- namespaces -------------------------------------------------------------------------------------------------

    def _forget_path(self, name: str) -> None:
        self._paths.pop(NsRef.parse(name).path, None)

    def _add_netns(self, step: AddNetns) -> None:
        self._forget_path(step.name)

        def inside() -> None:
            for setting in step.settings():
                try:
                    files.write_sysctl(setting.key, setting.value)
                except OSError as error:
                    # In a user namespace that has not all groups there is none for all: Docker leaves this one out there, too.
                    if error.errno != errno.EINVAL or not setting.key.endswith("ping_group_range"):
                        raise KernelError(error.errno or 0, setting.attempt()) from error

        namespaces.create(step.name, inside, self._prepared)
        self._prepared = True

    def _bind_netns(self, step: BindNetns) -> None:
        namespace = self._open[step.inode] if step.inode > 0 else self._at(step.source)
        if step.old:
            namespaces.remove(step.name, step.old.kind != "empty")
            self._unnamed.add(step.old.inode)
        self._forget_path(step.name)
        if step.link:
            namespaces.link(step.name, step.link)
        else:
            namespaces.bind(step.name, namespace.fd, self._prepared)
            self._prepared = True

    def _drop_netns(self, step: DropNetns) -> None:
        if step.inode and NsRef.parse(step.name).path not in self._paths:
            self.find(NsRef.parse(step.name))  # keep it open: so it can be bound again
        self._forget_path(step.name)
        namespaces.remove(step.name, not step.empty)
        self._unnamed.add(step.inode)

    # --- links ------------------------------------------------------------------------------------------------------

    def _index(self, ref: NsRef, name: str) -> int:
        """Return the index of an interface that is to be changed: that which was read, even where another has its name by now."""
        namespace = self._at(ref)
        if name not in namespace.indexes:
            index = links.index_of(namespace.socket, name)
            if not index:
                raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
            self._remember(namespace, name, index)
        return namespace.indexes[name]

    def _forget_indexes(self) -> None:
        """Forget all indexes that were read, as an interface goes, or changes its name or namespace: the other end of a pair, which may
        be anywhere, goes with it."""
        while self._indexed:
            self._indexed.pop().indexes.clear()

    def _forget_nsids(self, ns: NsRef, other: NsRef) -> None:
        """Take note that two namespaces are about to be linked, so that each gets an id in the other."""
        for near, far in ((ns, other), (other, ns)):
            self._at(near).asked.discard(self.find(far) or 0)

    def _add_link(self, step: AddLink) -> None:
        attributes = dict(step.attributes)
        master = attributes.pop("master", "")
        namespace = self._at(step.ns)
        peer = None
        if step.peer_name:
            other = self._at(step.peer_ns)
            peer = (step.peer_name, step.peer_attributes, None if other is namespace else other.fd)
            self._forget_nsids(step.ns, step.peer_ns)
        master_index = self._index(step.ns, master) if master else 0
        origin, more = namespace, {}
        if step.parent_ns is not None:
            origin = self._at(step.parent_ns)
            more["parent"] = self._index(step.parent_ns, step.parent) if step.parent else 0
            if origin is not namespace:
                more["netns_fd"] = namespace.fd
                self._forget_nsids(step.ns, step.parent_ns)
        self._once_nobody_has_its_mac(
            step.kind,
            lambda: links.add(origin.socket, step.name, step.kind, attributes, master_index, peer, **more),
        )

    def _set_link(self, step: SetLink) -> None:
        namespace, index = self._at(step.ns), self._index(step.ns, step.name)
        sock, new = namespace.socket, dict(step.new)
        checksum = new.pop("tx_checksum", None)
        for key, value in step.settings():
            with namespaces.entered(namespace.fd):
                files.write_sysctl_of_link(key, value)
        master = None
        if "master" in new:
            name = new.pop("master")
            master = self._index(step.ns, name) if name else 0
        try:
            self._once_nobody_has_its_mac(step.kind, lambda: links.change(sock, index, new, master, kind=step.kind))
        except NetlinkError as error:
            if error.errno != errno.EBUSY or "name" not in new:
                raise
            links.change(sock, index, {"enabled": False})  # kernels before 6.2 rename only what is down
            links.change(sock, index, {"name": new.pop("name"), "enabled": True})
            links.change(sock, index, new, master, kind=step.kind)
        namespace.names.pop(index, None)
        if "name" in step.new:
            self._forget_indexes()
        if checksum is not None:
            with namespaces.entered(namespace.fd):
                files.write_tx_checksum(step.new.get("name", step.name), checksum)

    def _once_nobody_has_its_mac(self, kind: str, act: Callable[[], None]) -> None:
        """Set a link up. Of two macvlans of a parent with one MAC address the kernel sets up one, and the other may be in a namespace that is
        just ending, as when an engine starts a container again."""
        late = time.monotonic() + reader.END_WAIT
        while True:
            try:
                return act()
            except NetlinkError as error:
                if (kind, error.errno) != ("macvlan", errno.EADDRINUSE) or time.monotonic() > late:
                    raise
            self.close_unnamed()  # nobody else may hold it
            time.sleep(0.005)

    def _move_link(self, step: MoveLink) -> None:
        self._forget_nsids(step.ns, step.to)
        namespace, index = self._at(step.ns), self._index(step.ns, step.name)
        links.change(namespace.socket, index, {"name": step.new_name}, netns_fd=self._at(step.to).fd)
        namespace.names.pop(index, None)
        self._forget_indexes()

    def _del_link(self, step: DelLink) -> None:
        if step.for_kind:
            links.require_kind(self._at(step.ns).socket, step.for_kind)
        try:
            links.delete(self._at(step.ns).socket, self._index(step.ns, step.name))
        except OSError as error:
            if error.errno != errno.ENODEV:  # gone already, with its namespace
                raise
        self._forget_indexes()

    def delete_together(self, steps: Sequence[Any]) -> None:
        for ref in dict.fromkeys(step.ns for step in steps):
            indexes = []
            for step in steps:
                if step.ns == ref:
                    with contextlib.suppress(OSError, Refused):
                        indexes.append(self._index(ref, step.name))
            if len(indexes) > 1:
                with contextlib.suppress(OSError):
                    links.delete_together(self._at(ref).socket, indexes)

    def _set_vlans(self, step: SetVlans) -> None:
        sock, index = self._at(step.ns).socket, self._index(step.ns, step.name)
        if step.remove:
            links.change_vlans(sock, index, step.remove, add=False, own=step.own)
        if step.add:
            links.change_vlans(sock, index, step.add, add=True, own=step.own)

    def _set_flooded(self, step: SetFlooded) -> None:
        # Here and not above: of use to few tasks.
        from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import fdb

        sock, index = self._at(step.ns).socket, self._index(step.ns, step.name)
        fdb.change_entries(sock, index, step.add, add=True)
        fdb.change_entries(sock, index, step.remove, add=False)

    def _set_shape(self, step: SetShape) -> None:
        # Here and not above: of use to few tasks.
        from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import qdiscs

        sock, index = self._at(step.ns).socket, self._index(step.ns, step.name)
        if step.new.kind:
            qdiscs.put(sock, index, step.new)
        else:
            qdiscs.delete(sock, index, step.old.handle)

    # --- routes -----------------------------------------------------------------------------------------------------

    def _route_indexes(self, ref: NsRef, route: Route) -> Tuple[int, List[int]]:
        index = self._index(ref, route.interface) if route.interface else 0
        return index, [self._index(ref, hop.interface) if hop.interface else 0 for hop in route.nexthops]

    def _put_route(self, step: PutRoute) -> None:
        index, hops = self._route_indexes(step.ns, step.route)
        routes.put(self._at(step.ns).socket, step.route, index, hops, replace=step.old is not None)

    def _del_route(self, step: DelRoute) -> None:
        routes.delete(self._at(step.ns).socket, step.route, *self._route_indexes(step.ns, step.route))

    def _add_policy(self, step: AddPolicy) -> None:
        routes.add_policy(self._at(step.ns).socket, step.rule)

    def _del_policy(self, step: DelPolicy) -> None:
        routes.delete_policy(self._at(step.ns).socket, step.rule)

    def _add_loopback_guard(self, step: AddLoopbackGuard) -> None:
        routes.add_guard(self._at(step.ns).socket, step.interface)

    def _del_loopback_guard(self, step: DelLoopbackGuard) -> None:
        routes.delete_guard(self._at(step.ns).socket, step.interface)

    def _other(self, step: Change) -> None:
        raise TypeError("this kernel does not know %s" % type(step).__name__)

    # --- files ------------------------------------------------------------------------------------------------------

    def _set_sysctl(self, step: SetSysctl) -> None:
        with namespaces.entered(self._at(step.ns).fd):
            files.write_sysctl(step.key, step.value)

    def _put_file(self, step: PutFile) -> None:
        files.write_text(step.path, step.applied(files.read_text(step.path)))

    # What takes each change.
    _changes: ClassVar[Dict[type, Callable[[Any, Any], None]]] = {
        AddNetns: _add_netns,
        BindNetns: _bind_netns,
        DropNetns: _drop_netns,
        AddLink: _add_link,
        SetLink: _set_link,
        MoveLink: _move_link,
        DelLink: _del_link,
        SetVlans: _set_vlans,
        SetFlooded: _set_flooded,
        SetShape: _set_shape,
        PutRoute: _put_route,
        DelRoute: _del_route,
        AddPolicy: _add_policy,
        DelPolicy: _del_policy,
        AddLoopbackGuard: _add_loopback_guard,
        DelLoopbackGuard: _del_loopback_guard,
        SetSysctl: _set_sysctl,
        PutFile: _put_file,
    }
