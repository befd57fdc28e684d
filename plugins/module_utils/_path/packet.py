# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One packet, and what connection tracking knows of it in one namespace. Pure."""

from __future__ import annotations

from typing import Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import addressing
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass


@dataclass(frozen=True)
class Packet:
    """The first packet of a connection, or (``answer``) the first that comes back, or (``further``) the one behind that, which goes as the first did. A port
    is 0 where it is any of those that the kernel gives, or where the protocol has none; ``source`` is ``""`` until it is chosen. ``mark``: None where it is not
    known. ``message``: the type of ICMP, ``""`` for an echo."""

    protocol: str
    source: str
    to: str
    sport: int = 0
    dport: int = 0
    answer: bool = False
    further: bool = False
    mark: Optional[int] = 0
    message: str = ""

    @property
    def discovers(self) -> bool:
        """Return whether it is one of neighbour discovery, which belongs to no connection."""
        return self.message.startswith("nd-")

    @property
    def family(self) -> int:
        return 6 if ":" in self.to else 4

    @property
    def shown(self) -> str:
        return "%s > %s" % (_end(self.source, self.sport), _end(self.to, self.dport))


def _end(ip: str, port: int) -> str:
    return end(ip, port) if port else ip


def end(ip: str, port: int) -> str:
    """Return an address with its port as people write it."""
    return "%s:%d" % (addressing.bracketed(ip), port)


@dataclass()
class Connection:
    """What one namespace knows of the connection: the ``first`` packet as it came, and what it was translated to. ``to_known`` and ``from_known``: whether
    it is settled already to what, and from what, so that no further rule is asked."""

    first: Packet
    to: Optional[Tuple[str, int]] = None
    source: str = ""
    to_known: bool = False
    from_known: bool = False
    mark: Optional[int] = 0

    def is_begun_by(self, packet: Packet) -> bool:
        """Return whether a packet is the first, or a further one that goes as that does."""
        first = self.first
        return not packet.answer and (packet.source, packet.to, packet.dport) == (first.source, first.to, first.dport)

    def is_answered_by(self, packet: Packet) -> bool:
        """Return whether a packet is what comes back."""
        to = self.to or (self.first.to, self.first.dport)
        return packet.answer and (packet.source, packet.sport, packet.to) == (*to, self.source or self.first.source)
