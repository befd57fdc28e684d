# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The running kernel with the addresses of its interfaces. All I/O, no policy."""

from __future__ import annotations

import errno
import time
from typing import Any, Callable, ClassVar, Dict, List

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import writer
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import addresses, links
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import NetlinkError, Socket
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import DelAddress, PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.kernel_api import Known
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Holder

_DAD_WAIT = 3.0  # seconds; duplicate address detection takes one probe and one second by default (RFC 4862)


class Kernel(writer.Kernel):
    """The running kernel, with addresses. See `_model/kernel_api.Source`."""

    def members(self, ns: int, bridge: int, known: Known) -> List[Holder]:
        """Return the addresses of all namespaces that are behind ports of the bridge, a dump each where they are not ``known``."""
        namespace = self._open[ns]
        found: List[Holder] = []
        pairs = links.read_ports(namespace.socket, bridge)
        ports = {(nsid, peer): index for index, peer, nsid in pairs if nsid is not None}
        for nsid in sorted({nsid for nsid, dummy in ports}):
            inode = self._peer_namespace(namespace, nsid)
            read = known.get(inode or 0)
            if read is not None:
                there = [(index, address) for index, listed in read.items() for address in listed]
            else:
                there = addresses.read_all(namespace.socket, nsid)
            found.extend(
                Holder(address, inode, index, "", nsid, ports.get((nsid, index), 0))
                for index, address in there
                if address.scope != "host"
            )
        return found

    def _put_address(self, step: PutAddress) -> None:
        sock, index = self._at(step.ns).socket, self._index(step.ns, step.interface)
        addresses.put(sock, index, step.address, replace=step.old is not None)
        if step.address.family == 6 and not step.address.nodad:
            _await_dad(sock, index, step)

    def _del_address(self, step: DelAddress) -> None:
        try:
            addresses.delete(self._at(step.ns).socket, self._index(step.ns, step.interface), step.address)
        except NetlinkError as error:
            if error.errno != errno.EADDRNOTAVAIL:  # went with its primary address
                raise

    _changes: ClassVar[Dict[type, Callable[[Any, Any], None]]] = {
        **writer.Kernel._changes,
        PutAddress: _put_address,
        DelAddress: _del_address,
    }


def _await_dad(sock: Socket, index: int, step: PutAddress) -> None:
    """Wait until a new IPv6 address can be used; take it back where another node has it (RFC 4862)."""
    end = time.monotonic() + _DAD_WAIT
    while time.monotonic() < end:
        known = addresses.read_all(sock)
        found = next((address for at, address in known if at == index and address.key == step.address.key), None)
        if found is None or found.dadfailed:
            if found is not None:
                addresses.delete(sock, index, found)
            raise KernelError(
                errno.EADDRINUSE,
                step.attempt(),
                "another node on the link has %s: duplicate address detection failed" % step.address.ip,
            )
        link = links.read(sock, index=index)[0]
        if not found.tentative or link is None or not link.get("carrier"):
            return
        time.sleep(0.05)
