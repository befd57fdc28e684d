# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The in-memory twin of a kernel that is asked for the way of one packet: its routes by the longest prefix, and what it heeds besides."""

from __future__ import annotations

import errno
import ipaddress
from typing import Any

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.listeners import Listener
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import holds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import MAIN_TABLE, Link, Route
from ansible_collections.linuxnet.containers.plugins.module_utils._model.ways import Asked, Way
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

_ERRORS = {"blackhole": errno.EINVAL, "unreachable": errno.EHOSTUNREACH, "prohibit": errno.EACCES}


class WayKernel(MemoryKernel):
    """A host's kernel in memory. ``errors``: (namespace, address) to the errno with which it refuses to send there. ``written``: neighbours written down
    for good. ``marked_rules``: policy rules look at marks. ``said`` is what a probe says, ``sent`` what was; ``heard`` who listens, by namespace."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: dict[tuple[int, str], int] = {}
        self.written: dict[str, str] = {}
        self.marked_rules = False
        self.said = "answers"
        self.fails: OSError | None = None
        self.sent: list[tuple[Any, ...]] = []
        self.heard: dict[int, list[Listener]] = {}  # by namespace

    def listeners(self, ns: int) -> list[Listener]:
        return self.heard.get(ns, [])

    def way(self, ns: int, asked: Asked) -> Way:
        into = self._state.link_at(ns, asked.into) if asked.into else None
        if (ns, asked.to) in self.errors and (into is not None or not asked.source):
            return Way(error=self.errors[ns, asked.to])
        if ipaddress.ip_address(asked.to).is_loopback or any(
            one.ip == asked.to for _index, one in self._state.addresses(ns)
        ):
            return Way("local", 1, "", asked.to, 0, f"local {asked.to} dev lo")
        best = max(self._ways(ns, asked), key=lambda route: int(route.destination.partition("/")[2]), default=None)
        if best is None or best.type != "unicast":
            return Way(error=_ERRORS.get(best.type, 0) if best else errno.ENETUNREACH)
        out = self._state.link(ns, best.interface)
        assert out is not None
        if (
            asked.source.startswith("127.")
            and not into
            and self.sysctl(ns, f"net/ipv4/conf/{out.name}/route_localnet") != "1"
        ):
            return Way(error=errno.EINVAL)
        if into is not None and asked.family == 4:
            if self.sysctl(ns, f"net/ipv4/conf/{into.name}/forwarding") == "0":
                return Way(error=errno.EHOSTUNREACH)
            if self.sysctl(ns, f"net/ipv4/conf/{into.name}/rp_filter") == "1" and self._out(ns, asked.source) != into:
                return Way(error=errno.EXDEV)
        own = [one.ip for one in self._state.addresses_of(ns, out) if one.family == asked.family]
        return Way("unicast", out.index, best.gateway, [best.source, *own, ""][0] or [*own, ""][0], best.mtu, str(best))

    def _ways(self, ns: int, asked: Asked) -> list[Route]:
        routes = [*self.connected(ns, asked.family), *self._state.routes(ns, asked.family, MAIN_TABLE)]
        up = [
            one
            for one in routes
            if not one.interface or getattr(self._state.link(ns, one.interface), "attributes", {}).get("enabled")
        ]
        return [one for one in up if holds(one.destination, asked.to)]

    def _out(self, ns: int, ip: str) -> Link | None:
        way = self.way(ns, Asked(ip))
        return None if way.error else self._state.link_at(ns, way.index)

    def neighbour(self, ns: int, index: int, ip: str) -> tuple[str, bool] | None:
        return (self.written[ip], True) if ip in self.written else None

    def marks_decide(self, ns: int, family: int) -> bool:
        return self.marked_rules

    def probe(self, ns: int, protocol: str, source: str, to: str, port: int) -> str:
        self.sent.append((ns, protocol, source, to, port))
        if self.fails is not None:
            raise self.fails
        return self.said
