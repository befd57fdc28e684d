# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports that processes listen on, found by port. Pure."""

from __future__ import annotations

import bisect
from typing import Dict, Iterable, Iterator, List, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import EVERYWHERE, PortMapping
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass

_WILDCARDS = ("0.0.0.0", "::")


@dataclass(frozen=True)
class Listener:
    """A socket that takes what is sent to ``port`` of ``ip`` from anywhere: one that listens, or over UDP one without a peer.

    ``both``: it is bound to ``::`` and takes IPv4 as well. ``inode`` names the socket, 0 where it has none.
    """

    protocol: str
    ip: str
    port: int
    both: bool = False
    inode: int = 0

    @property
    def where(self) -> str:
        return ("[%s]:%d" if ":" in self.ip else "%s:%d") % (self.ip, self.port)

    def takes(self, mapping: PortMapping) -> bool:
        """Return whether it takes packets that are sent to the host address of ``mapping``, of whatever port."""
        if not self.both and (6 if ":" in self.ip else 4) != mapping.family:
            return False
        return self.ip in _WILDCARDS or mapping.host_ip in (self.ip, EVERYWHERE[mapping.family])


class Listeners:
    """The listeners of one namespace."""

    def __init__(self, found: Iterable[Listener] = ()) -> None:
        by_protocol: Dict[str, List[Tuple[int, int, Listener]]] = {}
        for number, listener in enumerate(found):
            by_protocol.setdefault(listener.protocol, []).append((listener.port, number, listener))
        self._sorted = {protocol: sorted(listed) for protocol, listed in by_protocol.items()}

    def meeting(self, mapping: PortMapping) -> Iterator[Listener]:
        """Yield those that take what is sent to a port that ``mapping`` publishes, by port."""
        listed = self._sorted.get(mapping.protocol, [])
        for number in range(bisect.bisect_left(listed, (mapping.first,)), len(listed)):
            port, dummy, listener = listed[number]
            if port > mapping.last:
                return
            if listener.takes(mapping):
                yield listener

    def on(self, port: int) -> Iterator[Listener]:
        """Yield those on a port, of each protocol."""
        for listed in self._sorted.values():
            start = bisect.bisect_left(listed, (port,))
            yield from (listener for dummy, dummy2, listener in listed[start : bisect.bisect_left(listed, (port + 1,))])
