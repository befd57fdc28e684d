# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The forwarding entries of a vxlan without a MAC address, over route netlink: where it floods to. Others are nobody's business here."""

from __future__ import annotations

import errno
import socket
from typing import Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import codec
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import (
    ACK,
    CREATE,
    NetlinkError,
    Socket,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Flooded

_NEWNEIGH, _DELNEIGH, _GETNEIGH = 28, 29, 30
_APPEND = 0x800  # NLM_F_APPEND
_SELF, _PERMANENT = 0x02, 0x80  # NTF_SELF, NUD_PERMANENT
_NO_MAC = bytes(6)


def read(sock: Socket, index: int) -> Tuple[Flooded, ...]:
    """Return where the interface of that index floods to, in order. A kernel that cannot choose sends the entries of all. Raises `NetlinkError`."""
    found = set()
    fields = {"family": socket.AF_BRIDGE, "ifindex": index}
    for message in codec.dump(sock, codec.ndmsg, _GETNEIGH, fields):
        if message["ifindex"] == index and message.raw("NDA_LLADDR") == _NO_MAC:
            ip = codec.address_text(message.raw("NDA_DST"))
            if ip:
                more = (message.get_attr(name) or 0 for name in ("NDA_PORT", "NDA_VNI", "NDA_IFINDEX"))
                found.add(Flooded(ip, *more))
    return tuple(sorted(found))


def change_entries(sock: Socket, index: int, entries: Sequence[Flooded], add: bool) -> None:
    """Add or remove where the interface of that index floods to; what is not there any more is removed. Raises `NetlinkError`."""
    fields = {"family": socket.AF_BRIDGE, "ifindex": index, "flags": _SELF, "state": _PERMANENT}
    for entry in entries:
        attrs: codec.Attributes = [("NDA_LLADDR", "00:00:00:00:00:00"), ("NDA_DST", entry.ip)]
        given = (("NDA_PORT", entry.port), ("NDA_VNI", entry.vni), ("NDA_IFINDEX", entry.via))
        attrs += [(name, value) for name, value in given if value]
        if add:
            codec.request(sock, codec.ndmsg, _NEWNEIGH, ACK | CREATE | _APPEND, fields, attrs)
            continue
        try:
            codec.request(sock, codec.ndmsg, _DELNEIGH, ACK, fields, attrs)
        except NetlinkError as error:
            if error.errno != errno.ENOENT:
                raise
