# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The running kernel with what it says about one packet: `complete.Kernel` with some more verbs."""

from __future__ import annotations

from typing import Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import complete, probe, reader
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import lookups
from ansible_collections.linuxnet.containers.plugins.module_utils._model.ways import Asked, Way


class Kernel(complete.Kernel):
    """The running kernel. What each method gives is said in `_model/ways.Source`."""

    def way(self, ns: int, asked: Asked) -> Way:
        namespace = self._open[ns]
        return lookups.way(namespace.socket, asked, lambda index: reader.interface_name(namespace, index))

    def neighbour(self, ns: int, index: int, ip: str) -> Optional[Tuple[str, bool]]:
        return lookups.neighbour(self._open[ns].socket, index, ip)

    def marks_decide(self, ns: int, family: int) -> bool:
        return lookups.marks_decide(self._open[ns].socket, family)

    def probe(self, ns: int, protocol: str, source: str, to: str, port: int) -> str:
        with self._inside(ns):
            return probe.probe(protocol, source, to, port)
