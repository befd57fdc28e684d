# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happens to a packet on its way: hops, what stops it, and what leaves it open whether it gets through. Pure."""

from __future__ import annotations

from dataclasses import field
from typing import Dict, List

from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Link


@dataclass(frozen=True)
class Hop:
    """What happens to the packet: ``where``, ``what``, and ``by`` which rule or route, ``""`` for none. ``answer``: to the one that comes back."""

    where: str
    what: str
    by: str = ""
    answer: bool = False


@dataclass(frozen=True)
class Obstacle:
    """What stops a packet, or may: a clause without a full stop, ``where`` it is, the ``command`` that shows it, and what to do, in the imperative.
    ``likely``: the clause where a
    packet was sent that did not come through."""

    what: str
    where: str
    command: str
    remedy: str
    likely: str = ""

    @property
    def shown(self) -> Dict[str, str]:
        return {"what": self.what, "where": self.where, "command": self.command, "remedy": self.remedy}


@dataclass(frozen=True)
class Doubt:
    """What may stop a packet, or (``diverts``) have it go elsewhere."""

    obstacle: Obstacle
    diverts: bool = False


class Stopped(Exception):
    """A packet gets no further."""

    def __init__(self, what: str, where: str, command: str, remedy: str) -> None:
        super().__init__(what)
        self.obstacle = Obstacle(what, where, command, remedy)


class Lost(Exception):
    """It cannot be told what becomes of a packet."""

    def __init__(self, what: str, where: str, command: str, remedy: str) -> None:
        super().__init__(what)
        self.obstacle = Obstacle(what, where, command, remedy)


@dataclass(frozen=True)
class Gauge:
    """How large a packet may be that leaves by an interface. ``told``: the sender is told where one does not fit, since it is routed there."""

    ns: int
    link: Link
    mtu: int
    told: bool
    answer: bool = False


@dataclass()
class Record:
    """What was found out on the way."""

    hops: List[Hop] = field(default_factory=list)
    doubts: List[Doubt] = field(default_factory=list)
    gauges: List[Gauge] = field(default_factory=list)

    def hop(self, where: str, what: str, by: str = "", answer: bool = False) -> None:
        self.hops.append(Hop(where, what, by, answer))

    def doubt(self, what: str, where: str, command: str, remedy: str, diverts: bool = False, likely: str = "") -> None:
        found = Doubt(Obstacle(what, where, command, remedy, likely), diverts)
        if found not in self.doubts:
            self.doubts.append(found)
