# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel as the house sees it: a few verbs that read facts, and one that takes a change. All I/O, no policy."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import resource
import socket
import time
from dataclasses import replace
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import arp_nd, files, namespaces
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import links as rtnetlink
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs import engines as engine_programs
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import (
    Announce,
    DelAddress,
    PutAddress,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import PutFile, SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import (
    AddLink,
    DelLink,
    MoveLink,
    SetLink,
    SetVlans,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import (
    AddNetns,
    BindNetns,
    DropNetns,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import (
    AddPolicy,
    DelPolicy,
    DelRoute,
    PutRoute,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.engines import ENGINES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError, Lacking, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
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

_LOOKS = 3  # at a container that is being restarted meanwhile
_END_WAIT = 2.0  # seconds; the kernel takes a namespace down in the background, within milliseconds
_SETTLE = 0.1  # seconds; after its last socket was closed, a namespace was seen to live on for 8-33 ms
_DAD_WAIT = 3.0  # seconds; duplicate address detection takes one probe and one second by default (RFC 4862)
_CLOSING = 32  # sockets of announcements closed at a time
_CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_SYS_ADMIN": 21}  # include/uapi/linux/capability.h


class _Namespace:
    """An open namespace: its file descriptor, its netlink socket, and the ids that other namespaces have in it."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.socket: Optional[rtnetlink.Socket] = None
        self.ids: Dict[int, int] = {}  # nsid -> inode
        self.asked: Set[int] = set()
        self.names: Dict[int, str] = {}
        self.indexes: Dict[
            str, int
        ] = {}  # of interfaces that were looked at and are still there, as far as this run knows

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
        os.close(self.fd)


class Kernel:
    """The running kernel. Use as a context manager: it closes what it opened. Namespaces are named by inode.

    What each method gives is said in `_model/kernel_api.Source`; they raise OSError (`NetlinkError`) where the kernel refuses to say.
    """

    def __init__(self) -> None:
        self._open: Dict[int, _Namespace] = {}
        self._closing: Any = None  # the pool that closes sockets of announcements
        self._paths: Dict[str, int] = {}
        # (namespace, name) of interfaces that were looked at. None is kept when one goes or changes its name or place: the
        # other end of a pair, which may be anywhere, goes with it.
        self._indexes: Dict[Tuple[int, str], int] = {}
        self._prepared = False  # /run/netns, for names to be mounted in it
        self._living: Optional[Dict[int, List[int]]] = None
        self._left: Set[int] = set()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)  # two descriptors a namespace
        if soft != hard:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.own = self._pin(namespaces.OWN)
        self._paths[HOST.path] = self.own

    @staticmethod
    def require() -> None:
        """Raise `Lacking` where this host has not what every module needs: pyroute2 and privileges."""
        if rtnetlink.IMPORT_ERROR is not None:
            raise Lacking("pyroute2", "pyroute2")
        with open("/proc/self/status", encoding="utf-8") as file:
            effective = next((int(line.split()[1], 16) for line in file if line.startswith("CapEff:")), 0)
        missing = [name for name, bit in _CAPABILITIES.items() if not effective >> bit & 1]
        if missing:
            raise Lacking(
                "Root is needed to see and change network namespaces (%s missing): run the task with become: true."
                % ", ".join(missing),
                "root",
            )

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, *dummy: object) -> None:
        if self._closing is not None:
            self._closing.shutdown()
        for namespace in self._open.values():
            namespace.close()
        self._open.clear()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold this host's lock: one run at a time decides what is free. The lock is the host namespace's own file."""
        fd = os.open(namespaces.OWN, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    # --- namespaces ---

    def _pin(self, path: str) -> int:
        fd, inode = namespaces.open_namespace(path)
        if inode in self._open:
            os.close(fd)
        else:
            self._open[inode] = _Namespace(fd)
        return inode

    def find(self, ref: NsRef) -> Optional[int]:
        if ref.path not in self._paths:
            try:
                self._paths[ref.path] = self._pin(ref.path)
            except FileNotFoundError:
                return None
            except PermissionError as error:
                raise KernelError(error.errno or 0, "open %s" % ref) from error
            except OSError as error:
                if error.errno == errno.EINVAL and ref.name and os.path.islink(ref.path):
                    return None  # a link to an engine's file, on which no namespace is mounted any more
                self._refuse(ref, error)
        return self._paths[ref.path]

    @staticmethod
    def _refuse(ref: NsRef, error: OSError) -> None:
        if error.errno == errno.EINVAL and ref.name:
            raise Refused(
                "%s is no namespace: %s is a plain file, left by a reboot or by an 'ip netns add' that failed; "
                "remove it with linuxnet.containers.netns, state: absent." % (str(ref).capitalize(), ref.path)
            ) from error
        if error.errno == errno.EINVAL:
            raise Refused("%s is not a network namespace." % ref.path) from error
        raise KernelError(error.errno or 0, "open %s" % ref) from error

    def _at(self, ref: NsRef) -> _Namespace:
        ns = self.find(ref)
        if ns is None:
            raise OSError(errno.ENOENT, "%s does not exist" % ref)
        return self._open[ns]

    def _socket(self, namespace: _Namespace) -> rtnetlink.Socket:
        if namespace.socket is None:
            with namespaces.entered(namespace.fd):
                namespace.socket = rtnetlink.Socket()
        return namespace.socket

    def close_unnamed(self) -> None:
        left, self._left = self._left, set()
        held = namespaces.seen() if left else {}
        ends = [
            end for inode in left for end in (self._ended(inode) if inode in self._open and inode not in held else ())
        ]
        host, late = self._socket(self._open[self.own]), time.monotonic() + _END_WAIT
        for index in ends:
            while host.link(index=index)[0] is not None and time.monotonic() < late:
                time.sleep(0.005)

    def _ended(self, ns: int) -> List[int]:
        """Close a namespace and forget it. Return the indexes of the host's ends of its pairs, which go with it."""
        ends = [link.peer_index for link in self.links(ns) if link.kind == "veth" and link.peer_ns == self.own]
        self._open.pop(ns).close()
        self._paths = {path: inode for path, inode in self._paths.items() if inode != ns}
        for other in self._open.values():
            other.asked.discard(ns)
            other.ids = {nsid: inode for nsid, inode in other.ids.items() if inode != ns}
        return ends

    def listing(self) -> Dict[str, NsFile]:
        return namespaces.listing()

    def processes(self, ns: int) -> List[Tuple[int, str]]:
        if self._living is None:  # of all namespaces at once: a look goes through every process of the host
            self._living = namespaces.living()
        found = [(pid, namespaces.command(pid)) for pid in self._living.get(ns, ())]
        return [one for one in found if one[1]]

    def namespaces(self) -> List[Tuple[int, str, List[int]]]:
        seen = namespaces.seen()
        found = [(self.own, HOST.path, seen.pop(self.own, ([], []))[1])]
        for inode, (paths, pids) in seen.items():
            for path in [*paths, *("/proc/%d/ns/net" % pid for pid in pids)]:
                with contextlib.suppress(OSError):  # what went meanwhile, or is another namespace by now, is left out
                    if self._pin(path) == inode:
                        self._paths[path] = inode
                        found.append((inode, path, pids))
                        break
        return found

    def command(self, pid: int) -> str:
        return namespaces.command(pid)

    def start_time(self, pid: int) -> Optional[str]:
        return namespaces.start_time(pid)

    def containers(self, engine: str, names: Sequence[str]) -> Tuple[Dict[str, List[Container]], List[str]]:
        if engine != "auto" and not engine_programs.available(engine):
            program = ENGINES[engine].program
            raise Lacking(
                "The program %s is not installed on this host, so %s cannot be asked for its containers."
                % (program, engine),
                program,
            )
        found: Dict[str, List[Container]] = {name: [] for name in names}
        silent = []
        for one in [engine] if engine != "auto" else filter(engine_programs.available, ENGINES):
            try:
                for name, container in self._pinned(one, names).items():
                    found[name].append(container)
            except engine_programs.EngineError as error:
                silent.append("%s could not be asked: %s" % (one, error))
        return found, silent

    def _pinned(self, engine: str, names: Sequence[str]) -> Dict[str, Container]:
        """Return an engine's containers, the namespaces of those that run held open.

        A process ID may be used again between the engine's answer and the opening, so the engine is asked before and after.
        """
        known = engine_programs.find(engine, names)
        for dummy in range(_LOOKS):
            pinned = {name: self._opened(one) for name, one in known.items()}
            alive = [name for name, one in known.items() if one.pid]
            again = engine_programs.find(engine, alive) if alive else {}
            if all(name in again and again[name].pid == known[name].pid and pinned[name].inode for name in alive):
                break
            known = {name: one for name, one in known.items() if name in again or not one.pid}
            known.update(again)
        else:
            raise engine_programs.EngineError("its containers are being restarted just now")
        return pinned

    def _opened(self, container: Container) -> Container:
        """Return a container with its namespace held open, and with its engine's file only where that means the same one."""
        inode = self._pin_process(container.pid)
        try:
            same = bool(inode and container.file) and self._pin(container.file) == inode
        except OSError:
            same = False
        return replace(container, inode=inode, file=container.file if same else "")

    def _pin_process(self, pid: int) -> int:
        """Hold the namespace of a process open. Return its inode, 0 where the process is gone or another has its ID."""
        path = "/proc/%d/ns/net" % pid
        started = namespaces.start_time(pid)
        try:
            inode = self._pin(path) if started else 0
        except OSError:
            return 0
        if not started or namespaces.start_time(pid) != started:
            return 0
        self._paths[path] = inode
        return inode

    def running(self) -> List[Container]:
        found: List[Container] = []
        for engine in filter(engine_programs.available, ENGINES):
            with contextlib.suppress(engine_programs.EngineError):
                found.extend(engine_programs.running(engine))
        return found

    def namespace_label(self, ns: int, nsid: int) -> str:
        """Return the name of the namespace with id ``nsid`` in ``ns``, as far as /run/netns or this run knows it."""
        labels = {inode: path for path, inode in self._paths.items()}
        for name, entry in self.listing().items():
            if entry.kind == "namespace" and not entry.target:
                ref = NsRef.parse(name)
                if self.find(ref) is not None:
                    labels.setdefault(entry.inode, ref.path)
        inode = self._peer_namespace(self._open[ns], nsid)
        if inode in labels:
            return str(NsRef(labels[inode]))
        return "a namespace without a name (id %d)" % nsid

    def _peer_namespace(self, namespace: _Namespace, nsid: int) -> Optional[int]:
        """Return the inode of the open namespace that has the id ``nsid`` there, None where it is not an open one."""
        if nsid not in namespace.ids:
            for inode in [self.own, *reversed(self._open)]:  # the one that was opened last is mostly the one
                if inode not in namespace.asked:
                    namespace.asked.add(inode)
                    found = self._socket(namespace).nsid(self._open[inode].fd)
                    namespace.ids.setdefault(found, inode)
                    if found == nsid:
                        break
        return namespace.ids.get(nsid)

    # --- reading ---

    def _resolved(self, namespace: _Namespace, ns: int, link: Link, nsid: Optional[int]) -> Link:
        namespace.names[link.index] = link.name
        self._indexes[ns, link.name] = link.index
        if link.kind != "veth":
            return link
        return replace(link, peer_ns=ns if nsid is None else self._peer_namespace(namespace, nsid))

    def link(self, ns: int, name: str = "", index: int = 0) -> Optional[Link]:
        namespace = self._open[ns]
        link, nsid = self._socket(namespace).link(name, index)
        return None if link is None else self._resolved(namespace, ns, link, nsid)

    def links(self, ns: int) -> List[Link]:
        namespace = self._open[ns]
        return [self._resolved(namespace, ns, link, nsid) for link, nsid in self._socket(namespace).links()]

    def vlans(self, ns: int, index: int) -> Tuple[Vlan, ...]:
        return self._socket(self._open[ns]).vlans(index)

    def addresses(self, ns: int) -> List[Tuple[int, Address]]:
        return self._socket(self._open[ns]).addresses()

    def members(self, ns: int, bridge: int) -> List[Holder]:
        """Return the addresses of all namespaces that are behind ports of the bridge (one dump each)."""
        namespace = self._open[ns]
        sock = self._socket(namespace)
        found: List[Holder] = []
        ports = {(nsid, link.peer_index): link.index for link, nsid in sock.links(master=bridge) if nsid is not None}
        for nsid in sorted({nsid for nsid, dummy in ports}):
            inode = self._peer_namespace(namespace, nsid)
            found.extend(
                Holder(one, inode, index, "", nsid, ports.get((nsid, index), 0))
                for index, one in sock.addresses(nsid)
                if one.scope != "host"
            )
        return found

    def wait_for_rcu(self) -> None:
        time.sleep(_SETTLE)

    def _interface(self, namespace: _Namespace, index: int) -> str:
        if not index:
            return ""
        if index not in namespace.names:
            namespace.names[index] = self._socket(namespace).name_of(index) or str(index)
        return namespace.names[index]

    def routes(self, ns: int, family: int, table: int) -> List[Route]:
        namespace = self._open[ns]
        return [
            _named(route, lambda index: self._interface(namespace, index), index, hops)
            for route, index, hops in self._socket(namespace).routes(family, table)
        ]

    def policies(self, ns: int, family: int) -> List[PolicyRule]:
        return self._socket(self._open[ns]).policies(family)

    def sysctl(self, ns: int, key: str) -> Optional[str]:
        with self._inside(ns):
            return files.read_sysctl(key)

    def tx_checksum(self, ns: int, name: str) -> Optional[bool]:
        with self._inside(ns):
            return files.read_tx_checksum(name)

    def who_has(self, ns: int, interface: str, mac: str, ip: str) -> Optional[str]:
        with self._inside(ns):
            return arp_nd.who_has(interface, mac, ip)

    def read_text(self, path: str) -> str:
        return files.read_text(path)

    def identity(self) -> str:
        return files.identity()

    def _inside(self, ns: int) -> Any:
        return contextlib.nullcontext() if ns == self.own else namespaces.entered(self._open[ns].fd)

    # --- changing ---

    def apply(self, step: Change) -> None:
        """Take one change. Raises `KernelError`; what a change of several attributes had set by then is taken back by its `undo`."""
        if step.edit is not None:
            self.apply_together([step])
            return
        try:
            _APPLY[type(step)](self, step)
        except rtnetlink.NetlinkError as error:
            raise KernelError(
                error.errno or 0, step.attempt(), error.detail or self._cause(step, error.errno)
            ) from error
        except OSError as error:
            raise KernelError(error.errno or 0, step.attempt()) from error

    def apply_together(self, steps: Sequence[Any]) -> None:
        """Take changes of firewalls: there are none for a kernel that knows nothing of them. See `_resources/nat/state.Kernel`."""
        if steps:
            raise TypeError("this kernel has no firewalls")

    def _cause(self, step: Change, code: Optional[int]) -> str:
        """Return which side of a veth pair is taken: the kernel does not say."""
        if isinstance(step, AddLink) and code == errno.EEXIST:
            sides = [(step.ns, step.name)] + ([(step.peer_ns, step.peer_name)] if step.peer_name else [])
            taken = [(ref, name) for ref, name in sides if self._socket(self._at(ref)).link(name)[0]]
            return ", ".join("the name '%s' is taken in %s" % (name, ref) for ref, name in taken)
        return ""

    def _index(self, ref: NsRef, name: str) -> int:
        """Return the index of an interface that is to be changed: of the one that was looked at, where one was."""
        namespace = self._at(ref)
        key = (self._paths[ref.path], name)
        if key not in self._indexes:
            index = self._socket(namespace).index_of(name)
            if not index:
                raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
            self._indexes[key] = index
        return self._indexes[key]

    def _forget(self, name: str) -> None:
        self._paths.pop(NsRef.parse(name).path, None)

    def _add_netns(self, step: AddNetns) -> None:
        self._forget(step.name)
        namespaces.create(step.name, self._prepared)
        self._prepared = True

    def _bind_netns(self, step: BindNetns) -> None:
        namespace = self._open[step.inode] if step.inode > 0 else self._at(step.source)
        if step.old:
            namespaces.remove(step.name)
            self._left.add(step.old.inode)
        self._forget(step.name)
        if step.link:
            namespaces.link(step.name, step.link)
        else:
            namespaces.bind(step.name, namespace.fd, self._prepared)
            self._prepared = True

    def _drop_netns(self, step: DropNetns) -> None:
        if step.inode and NsRef.parse(step.name).path not in self._paths:
            self.find(NsRef.parse(step.name))  # keep it open: so it can be bound again
        self._forget(step.name)
        namespaces.remove(step.name)
        self._left.add(step.inode)

    def _add_link(self, step: AddLink) -> None:
        attributes = dict(step.attributes)
        master = attributes.pop("master", "")
        namespace = self._at(step.ns)
        peer = None
        if step.peer_name:
            other = self._at(step.peer_ns)
            peer = (step.peer_name, step.peer_attributes, None if other is namespace else other.fd)
            self._meet(step.ns, step.peer_ns)
        self._socket(namespace).add_link(
            step.name, step.kind, attributes, self._index(step.ns, master) if master else 0, peer
        )

    def _set_link(self, step: SetLink) -> None:
        namespace = self._at(step.ns)
        sock, new = self._socket(namespace), dict(step.new)
        index = self._index(step.ns, step.name)
        checksum = new.pop("tx_checksum", None)
        master = None
        if "master" in new:
            name = new.pop("master")
            master = self._index(step.ns, name) if name else 0
        try:
            sock.set_link(index, new, master, kind=step.kind)
        except rtnetlink.NetlinkError as error:
            if error.errno != errno.EBUSY or "name" not in new:
                raise
            sock.set_link(index, {"enabled": False})  # kernels before 6.2 rename only what is down
            sock.set_link(index, {"name": new.pop("name"), "enabled": True})
            sock.set_link(index, new, master, kind=step.kind)
        namespace.names.pop(index, None)
        if "name" in step.new:
            self._indexes.clear()
        if checksum is not None:
            with namespaces.entered(namespace.fd):
                files.write_tx_checksum(step.new.get("name", step.name), checksum)

    def _meet(self, one: NsRef, other: NsRef) -> None:
        """Take note that two namespaces are linked from now on, so that each has an id in the other."""
        for here, there in ((one, other), (other, one)):
            self._at(here).asked.discard(self.find(there) or 0)

    def _move_link(self, step: MoveLink) -> None:
        self._meet(step.ns, step.to)
        self._socket(self._at(step.ns)).set_link(
            self._index(step.ns, step.name), {"name": step.new_name}, netns_fd=self._at(step.to).fd
        )
        self._indexes.clear()

    def _del_link(self, step: DelLink) -> None:
        try:
            self._socket(self._at(step.ns)).delete_link(self._index(step.ns, step.name))
        except OSError as error:
            if error.errno != errno.ENODEV:  # gone already, with its namespace
                raise
        self._indexes.clear()

    def delete_together(self, steps: Sequence[Any]) -> None:
        for ref in dict.fromkeys(step.ns for step in steps):
            indexes = []
            for step in steps:
                if step.ns == ref:
                    with contextlib.suppress(OSError):
                        indexes.append(self._index(ref, step.name))
            if len(indexes) > 1:
                with contextlib.suppress(OSError):
                    self._socket(self._at(ref)).delete_links(indexes)

    def _set_vlans(self, step: SetVlans) -> None:
        sock, index = self._socket(self._at(step.ns)), self._index(step.ns, step.name)
        if step.remove:
            sock.set_vlans(index, step.remove, add=False)
        if step.add:
            sock.set_vlans(index, step.add, add=True)

    def _put_address(self, step: PutAddress) -> None:
        sock, index = self._socket(self._at(step.ns)), self._index(step.ns, step.interface)
        sock.put_address(index, step.address, replace=step.old is not None)
        if step.address.family == 6 and not step.address.nodad:
            self._await_dad(sock, index, step)

    @staticmethod
    def _await_dad(sock: rtnetlink.Socket, index: int, step: PutAddress) -> None:
        """Wait until a new IPv6 address can be used; take it back where another node has it (RFC 4862)."""
        end = time.monotonic() + _DAD_WAIT
        while time.monotonic() < end:
            one = next((one for where, one in sock.addresses() if where == index and one.key == step.address.key), None)
            if one is None or one.dadfailed:
                if one is not None:
                    sock.delete_address(index, one)
                raise KernelError(
                    errno.EADDRINUSE,
                    step.attempt(),
                    "another node on the link has %s: duplicate address detection failed" % step.address.ip,
                )
            link = sock.link(index=index)[0]
            if not one.tentative or link is None or not link.get("carrier"):
                return
            time.sleep(0.05)

    def _del_address(self, step: DelAddress) -> None:
        try:
            self._socket(self._at(step.ns)).delete_address(self._index(step.ns, step.interface), step.address)
        except rtnetlink.NetlinkError as error:
            if error.errno != errno.EADDRNOTAVAIL:  # went with its primary address
                raise

    def _announce(self, step: Announce) -> None:
        namespace = self._at(step.ns)
        with contextlib.suppress(
            OSError
        ):  # neighbours that are not told find out by themselves, later: no reason to fail
            if step.family == 4 and not step.shared:
                self._socket(namespace).announce(self._index(step.ns, step.interface), step.ip)
                return
            with namespaces.entered(namespace.fd):
                sent = arp_nd.announce(step.interface, step.ip)
            self._close(sent)

    def _close(self, sent: socket.socket) -> None:
        """Close a socket that sent: that waits for the kernel (an RCU grace period, 16 ms), so beside the work, many at a time."""
        if self._closing is None:
            import concurrent.futures  # of use to few tasks

            self._closing = concurrent.futures.ThreadPoolExecutor(_CLOSING)
        self._closing.submit(sent.close)

    def _route_indexes(self, ref: NsRef, route: Route) -> Tuple[int, List[int]]:
        index = self._index(ref, route.interface) if route.interface else 0
        return index, [self._index(ref, hop.interface) if hop.interface else 0 for hop in route.nexthops]

    def _put_route(self, step: PutRoute) -> None:
        index, hops = self._route_indexes(step.ns, step.route)
        self._socket(self._at(step.ns)).put_route(step.route, index, hops, replace=step.old is not None)

    def _del_route(self, step: DelRoute) -> None:
        index, hops = self._route_indexes(step.ns, step.route)
        self._socket(self._at(step.ns)).delete_route(step.route, index, hops)

    def _add_policy(self, step: AddPolicy) -> None:
        self._socket(self._at(step.ns)).add_policy(step.rule)

    def _del_policy(self, step: DelPolicy) -> None:
        self._socket(self._at(step.ns)).delete_policy(step.rule)

    def _set_sysctl(self, step: SetSysctl) -> None:
        with namespaces.entered(self._at(step.ns).fd):
            files.write_sysctl(step.key, step.value)

    def _put_file(self, step: PutFile) -> None:
        files.write_text(step.path, step.text)


def _named(route: Route, name: Callable[[int], str], index: int, hops: Sequence[int]) -> Route:
    """Return ``route`` with names for the interface indexes. A blackhole's interface (IPv6 has one) and the order of nexthops mean
    nothing."""
    nexthops = tuple(sorted(replace(hop, interface=name(where)) for hop, where in zip(route.nexthops, hops)))
    dropped = route.type in ("blackhole", "unreachable", "prohibit", "throw")
    return replace(route, interface="" if dropped else name(index), nexthops=nexthops)


_APPLY: Dict[type, Callable[[Kernel, Any], None]] = {
    AddNetns: Kernel._add_netns,
    BindNetns: Kernel._bind_netns,
    DropNetns: Kernel._drop_netns,
    AddLink: Kernel._add_link,
    SetLink: Kernel._set_link,
    MoveLink: Kernel._move_link,
    DelLink: Kernel._del_link,
    SetVlans: Kernel._set_vlans,
    PutAddress: Kernel._put_address,
    DelAddress: Kernel._del_address,
    Announce: Kernel._announce,
    PutRoute: Kernel._put_route,
    DelRoute: Kernel._del_route,
    AddPolicy: Kernel._add_policy,
    DelPolicy: Kernel._del_policy,
    SetSysctl: Kernel._set_sysctl,
    PutFile: Kernel._put_file,
}
