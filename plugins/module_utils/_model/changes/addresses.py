# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of addresses, and telling the neighbours of them. Pure."""

from __future__ import annotations

from typing import List, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.commands import Command, command
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import FOREVER, Address, NsRef


def _which(address: Address) -> List[str]:
    """Return the words of `ip address` that say which address is meant."""
    if address.peer:
        return [address.ip, "peer", "%s/%d" % (address.peer, address.prefix)]
    return [address.cidr]


@dataclass(frozen=True)
class PutAddress(Change):
    """Add an address, or give an address that exists (``old``) other attributes."""

    ns: NsRef
    interface: str
    address: Address
    old: Optional[Address] = None

    def attempt(self) -> str:
        return "%s address %s on %s in %s" % (
            "change" if self.old else "set",
            self.address.cidr,
            self.interface,
            self.ns,
        )

    def commands(self) -> List[Command]:
        address = self.address
        words = _which(address)
        if address.broadcast:
            words += ["broadcast", address.broadcast]
        words += ["dev", self.interface]
        if address.label not in ("", self.interface):
            words += ["label", address.label]
        if address.scope != "global":
            words += ["scope", address.scope]
        for name in ("valid_lft", "preferred_lft"):
            if getattr(address, name) != FOREVER:
                words += [name, str(getattr(address, name))]
        words += [name for name in ("nodad", "noprefixroute") if getattr(address, name)]
        return [command(self.ns.tool("ip"), "address", "replace" if self.old else "add", words)]

    def undo(self) -> Tuple[Change, ...]:
        if self.old:
            return (PutAddress(self.ns, self.interface, self.old, self.address),)
        return (DelAddress(self.ns, self.interface, self.address),)


@dataclass(frozen=True)
class DelAddress(Change):
    """Remove an address."""

    ns: NsRef
    interface: str
    address: Address

    def attempt(self) -> str:
        return "remove address %s from %s in %s" % (self.address.cidr, self.interface, self.ns)

    def commands(self) -> List[Command]:
        return [command(self.ns.tool("ip"), "address", "del", _which(self.address), "dev", self.interface)]

    def undo(self) -> Tuple[Change, ...]:
        return (PutAddress(self.ns, self.interface, self.address),)


@dataclass(frozen=True)
class Announce(Change):
    """Tell the neighbours of ``interface`` that it has ``ip``: gratuitous ARP, or an unsolicited neighbour advertisement.

    ``shared``: another address of the interface has ``ip`` in its subnet, and the kernel would take that for the sender.
    """

    writes = False
    ns: NsRef
    interface: str
    ip: str
    family: int
    shared: bool = False

    def attempt(self) -> str:
        return "announce %s from %s in %s" % (self.ip, self.interface, self.ns)

    def commands(self) -> List[Command]:
        if self.family == 4:
            return [command(self.ns.tool("arping"), "-U", "-c", "1", "-I", self.interface, self.ip)]
        return [Command(remark="unsolicited neighbour advertisement of %s from %s" % (self.ip, self.interface))]


@dataclass(frozen=True)
class AnnounceOpened(Announce):
    """The same, when what lets it through stands."""

    opens = True
