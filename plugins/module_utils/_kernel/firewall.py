# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel with its firewalls, and who listens behind them: `writer.Kernel` with some more verbs. All I/O, no policy."""

from __future__ import annotations

import contextlib
import socket
from typing import Any, Dict, List, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends import (
    iptables,
    iptables_save,
    nftables,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.listeners import Listener
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    EVERYWHERE,
    NFTABLES,
    PLACES,
    Edit,
    Element,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import namespaces, writer
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import conntrack, sock_diag
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs import iptables as iptables_program
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs import nft, run
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef


class Kernel(writer.Kernel):
    """The running kernel. What each method gives is said in `_resources/nat/state.Source`."""

    def __init__(self) -> None:
        super().__init__()
        self._read: Dict[int, List[Dict[str, Any]]] = {}  # rule sets, of which nothing was written since

    def ruleset(self, ns: int) -> List[Dict[str, Any]]:
        """Return the rule set; without nft nothing can be seen of it, nor is anything of ours there."""
        if not nft.available():
            return []
        try:
            with self._inside(ns):
                self._read[ns] = nft.ruleset()
        except run.ProgramError as error:
            raise KernelError(0, "list the nftables rule set", str(error)) from error
        return self._read[ns]

    def saved(self, ns: int, place: str) -> Dict[int, iptables_save.Tables]:
        try:
            with self._inside(ns):
                return {
                    family: iptables_save.parse(self._text(place, family)) for family in iptables_program.families()
                }
        except run.ProgramError as error:
            raise KernelError(0, "list the rules of %s" % place, str(error)) from error

    @staticmethod
    def _text(place: str, family: int) -> str:
        legacy = place == "iptables-legacy"
        return "" if legacy and not iptables_program.legacy_in_use(family) else iptables_program.save(place, family)

    def firewalls(self) -> List[str]:
        usual = iptables_program.default()
        places = [NFTABLES] if nft.available() else []
        return (
            places
            + [usual] * bool(usual)
            + [one for one in PLACES if one not in (NFTABLES, usual) and iptables_program.available(one)]
        )

    def listeners(self, ns: int) -> List[Listener]:
        with self._inside(ns):
            return sock_diag.listening()

    def socket_holders(self) -> Dict[int, Tuple[int, str]]:
        return sock_diag.processes()

    def _end_flows(self, ref: NsRef, elements: Sequence[Element]) -> None:
        """End the UDP flows of the host ports of ``elements``, in the namespace the thread is in: those to one of its addresses."""
        ports = [one for one in elements if one.protocol == "udp"]
        own = {address.ip for dummy, address in self.addresses(self.find(ref) or 0)} if ports else set()
        for family in sorted({one.family for one in ports}):
            these = [one for one in ports if one.family == family]

            def wanted(protocol: int, to: str, port: int, these: Sequence[Element] = these) -> bool:
                return (
                    protocol == socket.IPPROTO_UDP
                    and (to in own or to.startswith("127."))
                    and any(
                        one.first <= port <= one.last and one.host_ip in (to, EVERYWHERE[one.family]) for one in these
                    )
                )

            with contextlib.suppress(OSError):  # without ctnetlink flows end by their time-out
                conntrack.flush(family, wanted)

    def apply_together(self, steps: Sequence[Any]) -> None:
        """Take changes of what we hold in firewalls: a transaction a namespace and place, computed from the rules as they are now.

        Raises `KernelError`; of the namespace and place that it names nothing was changed then.
        """
        for ref, place in dict.fromkeys((step.ns, step.place) for step in steps):
            these = [step for step in steps if (step.ns, step.place) == (ref, place)]
            edits = [step.edit for step in these]
            try:
                read = self._read.pop(self.find(ref) or 0, None)
                with namespaces.entered(self._at(ref).fd):
                    if self._edited(place, edits, read):
                        self._end_flows(ref, [one for edit in edits for one in (*edit.add, *edit.remove)])
            except run.ProgramError as error:
                raise KernelError(0, these[0].attempt(), str(error)) from error

    def _edited(self, place: str, edits: Sequence[Edit], read: Optional[List[Dict[str, Any]]]) -> bool:
        """Carry out edits in the namespace the thread is in. Return whether there was anything to do. Raises `ProgramError`.

        What is written is computed from the rule set as it was ``read`` to plan the edits. Where others changed of ours what it
        names, it is refused and computed from what is there then.
        """
        if place == NFTABLES:
            known = [] if read is None else [read]
            return run.rewrite(
                lambda: nftables.transaction(known.pop() if known else nft.ruleset(), edits), nft.transaction
            )
        return run.rewrite(lambda: self._texts(place, edits), lambda texts: self._restored(place, texts))

    def _texts(self, place: str, edits: Sequence[Edit]) -> Dict[int, str]:
        saved = {family: iptables_save.parse(self._text(place, family)) for family in iptables_program.families()}
        texts = iptables.transaction(saved, edits, place == "iptables-nft")
        return {family: text for family, text in texts.items() if text}

    @staticmethod
    def _restored(place: str, texts: Dict[int, str]) -> None:
        for family, text in texts.items():
            iptables_program.restore(place, family, text)
        if place == "iptables-nft" and nft.available() and any("-X " in text for text in texts.values()):
            bare = nftables.bare_tables(nft.ruleset())
            if bare:
                nft.transaction(bare)
