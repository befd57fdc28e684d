# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The running kernel, as far as it is read, and the namespaces that are held open for that. All I/O, no policy."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import resource
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ContextManager, Dict, List, Optional, Sequence, Set, Tuple, TypeVar

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import files, interpreters, namespaces
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import (
    codec,
    links,
    routes,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import ROUTE, Socket
from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError, Lacking, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.kernel_api import Known
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import NETNS_DIRECTORY
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Address,
    Container,
    Flooded,
    Holder,
    Link,
    LoopbackGuards,
    NsFile,
    NsRef,
    PolicyRule,
    RouteTable,
    Vlan,
)

if TYPE_CHECKING:
    from ansible_collections.linuxnet.containers.plugins.module_utils._model.lasting import Lasting
    from ansible_collections.linuxnet.containers.plugins.module_utils._model.shaping import Shape

Self = TypeVar("Self", bound="Reader")

END_WAIT = 2.0  # seconds; the kernel takes a namespace down in the background, within milliseconds
_RCU_WAIT = 0.1  # seconds; after its last socket was closed, a namespace was seen to live on for 8-33 ms
_CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_SYS_ADMIN": 21}  # include/uapi/linux/capability.h
# Of a process that has all capabilities, but not over this.
_FOREIGN = "Root of the host is needed: here root is that of a user namespace to which the %s namespace does not belong; run the task outside of it."


class Namespace:
    """An open namespace and all that is known of it, which is forgotten with it: its inode may be that of another afterwards.

    ``nsids``: inodes of other namespaces by the id they have in this one, ``asked``: inodes of those whose id was asked for.
    ``names``: of interfaces, by index. ``indexes``: of interfaces that were read and not changed since, by name.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.nsids: Dict[int, int] = {}
        self.asked: Set[int] = set()
        self.names: Dict[int, str] = {}
        self.indexes: Dict[str, int] = {}
        self._socket: Optional[Socket] = None

    @property
    def socket(self) -> Socket:
        """The route netlink socket in it."""
        if self._socket is None:
            with namespaces.entered(self.fd):
                self._socket = Socket(ROUTE)
        return self._socket

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        os.close(self.fd)


class Reader:
    """What the running kernel says. Use as a context manager: it closes what it opened. Namespaces are named by inode.

    What each method gives is said in `_model/kernel_api.Source`; they raise OSError (`NetlinkError`) or `KernelError` where the
    kernel refuses to say.
    """

    def __init__(self) -> None:
        self._open: Dict[int, Namespace] = {}
        self._paths: Dict[str, int] = {}
        self._indexed: List[Namespace] = []  # those with `indexes`
        self._processes: Optional[Dict[int, List[int]]] = None  # by namespace, of all of them at once
        self._unnamed: Set[int] = set()  # namespaces that lost a name
        # Two descriptors a namespace. Where more may not be had, what there is must do.
        with contextlib.suppress(OSError, ValueError):
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        try:
            self.own = self._pin(namespaces.OWN)
        except OSError as error:
            raise KernelError(error.errno or 0, "open the host's network namespace") from error
        self._paths[HOST.path] = self.own

    @staticmethod
    def require() -> None:
        """Raise `Lacking` where this host has not what every module needs: pyroute2 and privileges. File names are UTF-8 afterwards."""
        if codec.PROBLEM is not None:
            raise codec.PROBLEM
        interpreters.with_utf8()
        found = re.search(r"^CapEff:\s*([0-9a-f]+)$", files.read_text("/proc/self/status"), re.MULTILINE)
        effective = int(found.group(1), 16) if found else 0
        missing = [name for name, bit in _CAPABILITIES.items() if not effective >> bit & 1]
        if missing:
            raise Lacking(
                "Root is needed to see and change network namespaces (%s missing): run the task with become: true."
                % ", ".join(missing),
                "root",
            )
        if not namespaces.governed("net"):
            raise Lacking(_FOREIGN % "network", "root")

    @staticmethod
    def require_mounts() -> None:
        if not namespaces.governed("mnt"):
            raise Lacking(_FOREIGN % "mount", "root")

    @staticmethod
    def run_again(missing: str) -> None:
        """Run the module again with a Python that has a library that is ``missing``, and end; return where that does not help."""
        interpreters.run_again(missing)

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *dummy: object) -> None:
        for namespace in self._open.values():
            namespace.close()
        self._open.clear()

    def locked(self, check: bool = False) -> ContextManager[None]:
        return namespaces.locked(check)

    # --- namespaces -------------------------------------------------------------------------------------------------

    def _pin(self, path: str) -> int:
        """Hold the namespace at a path open. Return its inode. Raises OSError, see `namespaces.open_namespace`."""
        fd, inode = namespaces.open_namespace(path)
        if inode in self._open:
            os.close(fd)
        else:
            self._open[inode] = Namespace(fd)
        return inode

    def find(self, ref: NsRef) -> Optional[int]:
        if ref.path not in self._paths:
            try:
                self._paths[ref.path] = self._pin(ref.path)
            except FileNotFoundError:
                return None
            except ValueError as error:  # a NUL in it
                raise Refused("%r is not a path." % ref.path) from error
            except OSError as error:
                if error.errno in (errno.EACCES, errno.EPERM) and ref.path.startswith("/proc/"):
                    raise Refused("Could not open %s: %s." % (ref, namespaces.UNSEEN)) from error
                if error.errno != errno.EINVAL:
                    raise KernelError(error.errno or 0, "open %s" % ref) from error
                if ref.name and (os.path.islink(ref.path) or namespaces.is_empty(ref.path)):
                    return None  # a link to an engine's file, or a file, on which no namespace is mounted any more, or not yet
                raise _no_namespace(ref) from error
        return self._paths[ref.path]

    def _at(self, ref: NsRef) -> Namespace:
        ns = self.find(ref)
        if ns is None:
            raise OSError(errno.ENOENT, "%s does not exist" % ref)
        return self._open[ns]

    def _inside(self, ns: int) -> ContextManager[None]:
        """A block that runs in a namespace."""
        return contextlib.nullcontext() if ns == self.own else namespaces.entered(self._open[ns].fd)

    def close_unnamed(self) -> None:
        unnamed, self._unnamed = self._unnamed, set()
        held = namespaces.seen() if unnamed else {}
        ends = [end for ns in unnamed if ns in self._open and ns not in held for end in self._forget(ns)]
        late = time.monotonic() + END_WAIT
        with contextlib.suppress(OSError):
            for index in ends:
                while links.name_of(self._open[self.own].socket, index) and time.monotonic() < late:
                    time.sleep(0.005)

    def _forget(self, ns: int) -> List[int]:
        """Close a namespace that nothing else holds, and forget it. Return the indexes of the host's ends of its pairs, which go with
        it."""
        ends = []
        with contextlib.suppress(OSError):
            ends = [link.peer_index for link in self.links(ns, "veth") if link.peer_ns == self.own]
        self._open.pop(ns).close()
        self._paths = {path: inode for path, inode in self._paths.items() if inode != ns}
        if self._processes is not None:
            self._processes.pop(ns, None)
        for other in self._open.values():
            other.asked.discard(ns)
            other.nsids = {nsid: inode for nsid, inode in other.nsids.items() if inode != ns}
        return ends

    def listing(self) -> Dict[str, NsFile]:
        return namespaces.listing()

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

    def namespace_label(self, ns: int, nsid: int) -> str:
        """Return the name of the namespace with id ``nsid`` in ``ns``, as far as /run/netns or this run knows it."""
        labels = {inode: path for path, inode in self._paths.items()}
        for name, entry in self.listing().items():
            if entry.kind == "namespace" and not entry.target:
                ref = NsRef(os.path.join(NETNS_DIRECTORY, name))
                if self.find(ref) is not None:
                    labels.setdefault(entry.inode, ref.path)
        inode = self._peer_namespace(self._open[ns], nsid)
        if inode in labels:
            return str(NsRef(labels[inode]))
        return "a namespace without a name (id %d)" % nsid

    def _peer_namespace(self, namespace: Namespace, nsid: int) -> Optional[int]:
        """Return the inode of the open namespace that has the id ``nsid`` there, None where none has."""
        if nsid not in namespace.nsids:
            for inode in [self.own, *reversed(self._open)]:  # mostly it was opened last
                if inode not in namespace.asked:
                    namespace.asked.add(inode)
                    found = links.nsid(namespace.socket, self._open[inode].fd)
                    namespace.nsids.setdefault(found, inode)
                    if found == nsid:
                        break
        return namespace.nsids.get(nsid)

    # --- processes --------------------------------------------------------------------------------------------------

    def processes(self, ns: int) -> List[Tuple[int, str]]:
        if self._processes is None:
            self._processes = namespaces.processes()
        found = [(pid, namespaces.command(pid)) for pid in self._processes.get(ns, ())]
        return [(pid, command) for pid, command in found if command]

    def command(self, pid: int) -> str:
        return namespaces.command(pid)

    def start_time(self, pid: int) -> Optional[str]:
        return namespaces.start_time(pid)

    # --- links, routes ----------------------------------------------------------------------------------------------

    def _resolved(self, namespace: Namespace, ns: int, link: Link, nsid: Optional[int]) -> Link:
        """Return a link with the inode of the namespace of its peer, or of its parent, its name and index remembered."""
        namespace.names[link.index] = link.name
        self._remember(namespace, link.name, link.index)
        known = link_kinds.kind(link.kind)
        if not known.peer and not known.parent:
            return link
        other = ns if nsid is None else self._peer_namespace(namespace, nsid)
        return replace(link, peer_ns=other) if known.peer else replace(link, parent_ns=other)

    def _remember(self, namespace: Namespace, name: str, index: int) -> None:
        if not namespace.indexes:
            self._indexed.append(namespace)
        namespace.indexes[name] = index

    def link(self, ns: int, name: str = "", index: int = 0) -> Optional[Link]:
        namespace = self._open[ns]
        link, nsid = links.read(namespace.socket, name, index)
        return None if link is None else self._resolved(namespace, ns, link, nsid)

    def links(self, ns: int, kind: str = "") -> List[Link]:
        namespace = self._open[ns]
        return [self._resolved(namespace, ns, link, nsid) for link, nsid in links.read_all(namespace.socket, kind)]

    def vlans(self, ns: int, index: int) -> Tuple[Vlan, ...]:
        return links.read_vlans(self._open[ns].socket, index)

    def flooded(self, ns: int, index: int) -> Tuple[Flooded, ...]:
        # Here and not above: of use to few tasks.
        from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import fdb

        return fdb.read(self._open[ns].socket, index)

    def shape(self, ns: int, index: int) -> Shape:
        # Here and not above: of use to few tasks.
        from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import qdiscs

        return qdiscs.read(self._open[ns].socket, index)

    def wait_for_rcu(self) -> None:
        time.sleep(_RCU_WAIT)

    def routes(self, ns: int, family: int, table: int, protocol: int = 0) -> RouteTable:
        namespace = self._open[ns]
        return routes.read_all(
            namespace.socket, family, table, lambda index: interface_name(namespace, index), protocol
        )

    def marked(self, ns: int, protocol: int) -> Tuple[Set[Tuple[int, int]], Set[int]]:
        return routes.read_marked(self._open[ns].socket, protocol)

    def policies(self, ns: int, family: int) -> List[PolicyRule]:
        return routes.read_policies(self._open[ns].socket, family)

    def loopback_guards(self, ns: int) -> LoopbackGuards:
        return routes.read_guards(self._open[ns].socket)

    # --- files and switches -----------------------------------------------------------------------------------------

    def sysctl(self, ns: int, key: str) -> Optional[str]:
        with self._inside(ns):
            return files.read_sysctl(key)

    def tx_checksum(self, ns: int, name: str) -> Optional[bool]:
        with self._inside(ns):
            return files.read_tx_checksum(name)

    def read_text(self, path: str) -> str:
        return files.read_text(path)

    def read_only(self, path: str) -> bool:
        return files.read_only(path)

    def identity(self) -> str:
        return files.identity()

    # --- what only some kernels have: `addresses`, `containers`, `arp_nd` -------------------------------------------

    def addresses(self, ns: int) -> List[Tuple[int, Address]]:
        # Nouns of links ask for them only where an MTU is too small for IPv6, and start without.
        from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import addresses

        return addresses.read_all(self._open[ns].socket)

    def members(self, ns: int, bridge: int, known: Known) -> List[Holder]:
        raise TypeError("this kernel knows no addresses")

    def containers(self, engine: str, names: Sequence[str]) -> Tuple[Dict[str, List[Container]], List[str]]:
        raise TypeError("this kernel knows no engines")

    def ask(self, engine: str, names: Sequence[str]) -> None:
        raise TypeError("this kernel knows no engines")

    def ask_running(self) -> None:
        raise TypeError("this kernel knows no engines")

    def as_told(self, other: Any) -> None:
        raise TypeError("this kernel knows no engines")

    def answers_hold(self) -> bool:
        return True  # nobody was asked

    def running(self) -> List[Container]:
        raise TypeError("this kernel knows no engines")

    def who_has(self, ns: int, interface: str, mac: str, ip: str) -> Optional[str]:
        raise TypeError("this kernel sends no packets")

    def lasting(self) -> Lasting:
        raise TypeError("this kernel knows nothing of what a host keeps")


def _no_namespace(ref: NsRef) -> Refused:
    if ref.name:
        return Refused(
            "%s is no namespace: %s is a file that somebody put there; remove it by hand."
            % (str(ref).capitalize(), ref.path)
        )
    return Refused("%s is not a network namespace; name one, or its file, such as /proc/PID/ns/net." % ref.path)


def interface_name(namespace: Namespace, index: int) -> str:
    """Return the name of an interface, ``""`` for none, the index where it is gone."""
    if not index:
        return ""
    if index not in namespace.names:
        namespace.names[index] = links.name_of(namespace.socket, index) or str(index)
    return namespace.names[index]
