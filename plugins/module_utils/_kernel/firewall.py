# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel with its firewalls, and who listens behind them: `arp_nd.Kernel` with some more verbs. All I/O, no policy."""

from __future__ import annotations

import contextlib
import socket
from typing import Any, Dict, List, Mapping, Optional, Protocol, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import (
    Backend,
    Ruleset,
    Texts,
    Unreadable,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import (
    IPTABLES_LEGACY,
    IPTABLES_NFT,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_static import BRIDGE_TABLE
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.listeners import Listener
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    FAMILIES,
    Edit,
    restoring,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import BACKENDS
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import arp_nd, namespaces
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import sock_diag
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs.iptables import Iptables
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs.nft import Nft
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs.run import (
    NotStarted,
    ProgramError,
    rewrite,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError, Refused, of_host
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef


class Programs(Protocol):
    """What reads and writes the rule set of one backend, in the namespace that the thread is in."""

    @property
    def usual(self) -> bool:
        """Return whether it is the usual one of its tool."""

    def available(self) -> bool:
        """Return whether it is installed."""

    def version(self) -> str:
        """Return what it says of its version. Raises `ProgramError`."""

    def read(self) -> Dict[str, str]:
        """Return what `Backend.parse` is given. Raises `ProgramError`."""

    def write(self, texts: Texts) -> None:
        """Carry out what `Backend.transaction` gave. Raises `ProgramError`."""


PROGRAMS: Mapping[Backend, Programs] = {
    NFTABLES: Nft(),
    IPTABLES_NFT: Iptables(IPTABLES_NFT.kind),
    IPTABLES_LEGACY: Iptables(IPTABLES_LEGACY.kind),
}


def _refusal(error: BaseException, attempt: str) -> KernelError:
    """Return the error for what a program, or the host, refused."""
    if isinstance(error, NotStarted):
        return KernelError(error.code, attempt)
    return KernelError(0, attempt, str(error)) if isinstance(error, ProgramError) else of_host(error, attempt)


class Kernel(arp_nd.Kernel):
    """The running kernel. What each method gives is said in `_resources/nat/state.Source`."""

    def __init__(self) -> None:
        super().__init__()
        self._known: Dict[Tuple[int, Backend], Ruleset] = {}  # of which nothing was written since
        self._versions: Dict[Backend, str] = {}
        self._backends: Optional[List[Backend]] = None

    def _forget(self, ns: int) -> List[int]:
        self._known = {key: ruleset for key, ruleset in self._known.items() if key[0] != ns}
        return super()._forget(ns)

    def backends(self) -> List[Backend]:
        if self._backends is None:
            available = [backend for backend in BACKENDS if PROGRAMS[backend].available()]
            self._backends = sorted(available, key=lambda backend: not PROGRAMS[backend].usual)
        return self._backends

    def version(self, backend: Backend) -> str:
        if backend not in self._versions:
            self._versions[backend] = ""
            try:
                self._versions[backend] = PROGRAMS[backend].version()
            except NotStarted as error:
                raise KernelError(error.code, "run %s" % backend.program) from error
            except ProgramError:  # what is wrong with it shows when it is used
                pass
        return self._versions[backend]

    def _read(self, backend: Backend) -> Ruleset:
        """Return the rule set of the namespace that the thread is in. Raises `ProgramError`."""
        try:
            return backend.parse(PROGRAMS[backend].read())
        except Unreadable as error:
            raise ProgramError(str(error)) from error

    def ruleset(self, ns: int, backend: Backend) -> Ruleset:
        if backend not in self.backends():
            return backend.nothing()
        try:
            with self._inside(ns):
                found = self._read(backend)
        except ProgramError as error:
            raise _refusal(error, "list %s" % backend.listing) from error
        if backend.refuses_stale:
            self._known[ns, backend] = found
        return found

    def filters_bridges(self, ns: int) -> bool:
        with self._inside(ns), contextlib.suppress(ProgramError):
            Nft().check("add table %s" % BRIDGE_TABLE)
            return True
        return False

    def listeners(self, ns: int) -> List[Listener]:
        with self._inside(ns):
            return sock_diag.listening()

    def socket_holders(self) -> Dict[int, Tuple[int, str]]:
        return sock_diag.processes()

    def _end_flows(self, ref: NsRef, backend: Backend, before: Ruleset, edits: Sequence[Edit]) -> None:
        """End the flows that are decided otherwise now that ``edits`` were carried out, in the namespace the thread is in. ``before`` is the rule
        set as it was."""
        # Here and not above: of use only where something was written.
        from ansible_collections.linuxnet.containers.plugins.module_utils._firewall import flows
        from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import conntrack

        if not flows.touched(edits):
            return
        with contextlib.suppress(OSError):  # without ctnetlink flows end by their time-out
            tracked = {family: conntrack.flows(family) for family in FAMILIES}
            if not any(tracked.values()):
                return
            there = self.addresses(self.find(ref) or 0)
            names = dict(socket.if_nameindex())
            networks = [(str(address.network), names.get(index, "")) for index, address in there]
            otherwise = flows.otherwise(
                backend.owned(before), edits, {address.ip for dummy, address in there}, networks
            )
            for family, found in tracked.items():
                ended = [flow for flow in found if otherwise(flow)]
                if ended:
                    conntrack.end(family, ended)

    def apply_together(self, steps: Sequence[Any]) -> None:
        """Take changes of what we own in firewalls, computed from the rules as they are now: for each namespace and backend what its
        tool can do at once, which is all with nftables, and a table of one address family with iptables.

        Raises `KernelError`. What was done by then, in any of them, is taken back; where that is refused as well, the error says so. Flows that were
        ended stay ended.
        """
        done: List[Tuple[NsRef, Backend, Ruleset]] = []
        for ref, backend in dict.fromkeys((step.ns, step.backend) for step in steps):
            these = [step for step in steps if step.ns == ref and step.backend is backend]
            try:
                self._carried_out(ref, backend, [step.edited() for step in these], done)
            except (ProgramError, OSError, MemoryError) as error:
                refused = _refusal(error, these[0].attempt())
                left = [entry for entry in reversed(done) if not self._taken_back(*entry)]
                if left:
                    names = ", ".join("%s in %s" % (other.listing, where) for where, other, dummy in left)
                    raise Refused("%s Not taken back: %s." % (refused, names)) from error
                raise refused from error

    def _carried_out(
        self, ref: NsRef, backend: Backend, edits: Sequence[Edit], done: List[Tuple[NsRef, Backend, Ruleset]]
    ) -> None:
        """Carry out edits in the rule set of one namespace and backend, and add what was there before to ``done``. Raises `ProgramError`.

        What is written is computed from the rule set as it was read to plan the edits, if the tool refuses what does not fit any more.
        Where others changed of ours what it names, it is refused and computed from what is there then.
        """
        read = self._known.pop((self.find(ref) or 0, backend), None)
        known = [] if read is None else [read]

        def compute() -> Texts:
            ruleset = known.pop() if known else self._read(backend)
            if (ref, backend) not in [(where, other) for where, other, dummy in done]:
                done.append((ref, backend, ruleset))
            texts = backend.transaction(ruleset, edits)
            return {program: text for program, text in texts.items() if text}

        with namespaces.entered(self._at(ref).fd):
            if rewrite(compute, lambda texts: self._written(backend, texts)):
                before = next(found for where, other, found in done if (where, other) == (ref, backend))
                self._end_flows(ref, backend, before, edits)

    def _taken_back(self, ref: NsRef, backend: Backend, before: Ruleset) -> bool:
        """Make what we own in a rule set again what it was ``before``. Return whether that was done."""
        owned = backend.owned(before)
        try:
            with namespaces.entered(self._at(ref).fd):
                now = self._read(backend)
                texts = backend.transaction(now, [restoring(backend.owned(now), owned)])
                self._written(backend, {program: text for program, text in texts.items() if text})
        except (ProgramError, OSError, MemoryError):
            return False
        return True

    def _written(self, backend: Backend, texts: Texts) -> None:
        """Carry out texts, and take away what the tool leaves behind of them. Raises `ProgramError`."""
        PROGRAMS[backend].write(texts)
        within = backend.within
        if within is not None and backend.leaves(texts) and within in self.backends():
            for dummy in range(2):  # nobody looks for it later, so once more where the tool was ended
                with contextlib.suppress(ProgramError):  # somebody made use of it meanwhile
                    PROGRAMS[within].write(backend.leftovers(self._read(within)))
                    break
