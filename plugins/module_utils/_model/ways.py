# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What routing is asked about one packet, and what it says; and what a packet that was sent has found out. Pure."""

from __future__ import annotations

from typing import Optional, Protocol, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass


@dataclass(frozen=True)
class Asked:
    """A packet ``to`` an address. ``source`` is ``""`` where none is chosen yet, ``into`` the index of the interface by which it comes in, 0 where it is sent
    here; ``number`` the protocol's, ``port`` 0 for none."""

    to: str
    source: str = ""
    into: int = 0
    mark: int = 0
    number: int = 0
    port: int = 0

    @property
    def family(self) -> int:
        return 6 if ":" in self.to else 4


@dataclass(frozen=True)
class Way:
    """Where the kernel sends a packet: the ``type`` of the route, the index of the interface, the ``gateway`` (``""``: it is on that link), the ``source``
    that one
    without any gets, the ``mtu`` of the route, 0 for the interface's, and the ``route`` that says so, in iproute2's words. ``error``: why it sends it
    nowhere, an errno."""

    type: str = ""
    index: int = 0
    gateway: str = ""
    source: str = ""
    mtu: int = 0
    route: str = ""
    error: int = 0


class Source(Protocol):
    """What a kernel says about packets, besides `kernel_api.Source`. `probe` alone does more than read."""

    def way(self, ns: int, asked: Asked) -> Way:
        """Return where the kernel sends a packet."""

    def neighbour(self, ns: int, index: int, ip: str) -> Optional[Tuple[str, bool]]:
        """Return the MAC address by which a neighbour is known, and whether somebody wrote it down for good; None where it is not known."""

    def marks_decide(self, ns: int, family: int) -> bool:
        """Return whether a policy rule looks at the mark of packets."""

    def probe(self, ns: int, protocol: str, source: str, to: str, port: int) -> str:
        """Send one packet and return what came back: ``answers``, ``refused`` (somebody is there, and nobody listens), or ``silent``."""
