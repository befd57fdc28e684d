# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the collection asks of a kernel: network objects, a lock, and one verb that changes. `_kernel` has the real one. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ContextManager, Dict, Mapping, Optional, Protocol, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
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

Known = Mapping[int, Mapping[int, Sequence[Address]]]  # addresses by namespace and interface index


class Source(Protocol):
    """What is read of a host. Namespaces are named by inode, which `find` gives. Every method only reads."""

    def find(self, ref: NsRef) -> Optional[int]:
        """Return the inode of a namespace, None where there is none."""

    def listing(self) -> Dict[str, NsFile]:
        """Return the entries of /run/netns by name."""

    def link(self, ns: int, name: str = "", index: int = 0) -> Optional[Link]:
        """Return an interface by name or index."""

    def links(self, ns: int, kind: str = "") -> Sequence[Link]:
        """Return all interfaces, or those of a kind."""

    def vlans(self, ns: int, index: int) -> Tuple[Vlan, ...]:
        """Return the VLANs of a bridge port."""

    def flooded(self, ns: int, index: int) -> Tuple[Flooded, ...]:
        """Return where a vxlan floods to, in order."""

    def shape(self, ns: int, index: int) -> Shape:
        """Return what the root queueing discipline of an interface does; one without a kind where it has what the kernel gave it."""

    def addresses(self, ns: int) -> Sequence[Tuple[int, Address]]:
        """Return (interface index, address) of all addresses."""

    def members(self, ns: int, bridge: int, known: Known) -> Sequence[Holder]:
        """Return the addresses in the namespaces behind a bridge's ports; those that are ``known`` need not be read."""

    def wait_for_rcu(self) -> None:
        """Wait until namespaces that just ended are gone for good (an RCU grace period)."""

    def routes(self, ns: int, family: int, table: int, protocol: int = 0) -> RouteTable:
        """Return the routes of a table, or those of a protocol."""

    def policies(self, ns: int, family: int) -> Sequence[PolicyRule]:
        """Return the policy rules that look at the source only, or at the mark of an uplink, and lead to a table, in the kernel's order."""

    def loopback_guards(self, ns: int) -> LoopbackGuards:
        """Return by which interfaces nothing for 127.0.0.0/8 gets in, by policy rules of ours."""

    def marked(self, ns: int, protocol: int) -> Tuple[Set[Tuple[int, int]], Set[int]]:
        """Return (family, table) of the tables in which routes of a protocol are, and the families of which there are policy rules of
        it."""

    def sysctl(self, ns: int, key: str) -> Optional[str]:
        """Return a sysctl, None where there is none."""

    def tx_checksum(self, ns: int, name: str) -> Optional[bool]:
        """Return whether transmit checksum offload is on."""

    def read_text(self, path: str) -> str:
        """Return a file's text, empty where there is none."""

    def require_mounts(self) -> None:
        """Raise `Lacking` where names may not be mounted in /run/netns, nor unmounted."""

    def read_only(self, path: str) -> bool:
        """Return whether a file, or what there is of the folders that it is in, is on a file system that is mounted read-only."""

    def identity(self) -> str:
        """Return what distinguishes this host from other ones."""

    def namespaces(self) -> Sequence[Tuple[int, str, Sequence[int]]]:
        """Return (inode, path, pids) of all network namespaces that can be seen, held open from here on: a file of each
        (``""`` for the host's own) and the processes that live in it."""

    def command(self, pid: int) -> str:
        """Return the command name of a process, ``""`` where it is gone."""

    def processes(self, ns: int) -> Sequence[Tuple[int, str]]:
        """Return (pid, command) of those living in a namespace."""

    def start_time(self, pid: int) -> Optional[str]:
        """Return a process's start time, None where it is gone."""

    def containers(self, engine: str, names: Sequence[str]) -> Tuple[Mapping[str, Sequence[Container]], Sequence[str]]:
        """Return what an engine (``auto``: all that are here) knows of containers, by name, those that run with their namespace
        held open; and, a sentence each, which engines could not be asked."""

    def ask(self, engine: str, names: Sequence[str]) -> None:
        """Ask an engine for containers before the host is locked, and keep the answer for `containers`: an engine does not answer while a hook of ours,
        which it runs, waits for that lock."""

    def ask_running(self) -> None:
        """Ask all engines for their running containers before the host is locked, and keep the answer for `running`."""

    def answers_hold(self) -> bool:
        """Return whether the containers of which engines were asked before still run, and have not been started again."""

    def running(self) -> Sequence[Container]:
        """Return the running containers of all engines that are here and can be asked."""

    def who_has(self, ns: int, interface: str, mac: str, ip: str) -> Optional[str]:
        """Return the MAC address of the neighbour that has an address."""

    def namespace_label(self, ns: int, nsid: int) -> str:
        """Return a name for the namespace that has an id in another."""

    def lasting(self) -> Lasting:
        """Return what the host has to bring its wiring back by itself."""


class Kernel(Source, Protocol):
    """What the runner needs of a kernel: all that `Source` reads, a lock, and verbs that carry changes out."""

    def locked(self, check: bool = False) -> ContextManager[None]:
        """Hold the host's lock, with others that only look as well (``check``). Raises `Refused`."""

    def as_told(self, other: Any) -> None:
        """Take over what engines told another kernel, of the same class, before the host was locked."""

    def close_unnamed(self) -> None:
        """Close the namespaces that lost a name since the last call, and wait for those that end by it, with what is in them."""

    def apply(self, step: Change) -> None:
        """Take one change. Raises `KernelError`."""

    def apply_together(self, steps: Sequence[Change]) -> None:
        """Take changes that have an ``edit``, all those of a namespace at once. Raises `KernelError`."""

    def delete_together(self, steps: Sequence[Change]) -> None:
        """Delete the interfaces of several changes that only delete, together where that is faster. What is left, and why, shows
        when each is applied."""


class Opener(Protocol):
    """How a module comes to its kernel: a class whose objects are kernels, each closed at the end of a ``with``."""

    def require(self) -> None:
        """Raise `Lacking` where this host has not what every module needs."""

    def run_again(self, missing: str) -> None:
        """Run the module again with a Python that has a library that is ``missing``, and end; return where that does not help. Called
        before anything is read or changed."""

    def __call__(self) -> ContextManager[Kernel]:
        """Return a kernel, opened."""
