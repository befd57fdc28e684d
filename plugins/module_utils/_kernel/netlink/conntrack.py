# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connection tracking: ends the UDP flows of host ports. A flow that is tracked goes on to where it went, whatever the rules say.

A flow is named to the kernel by its original tuple, which is sent back as it came. Layout: linux/netfilter/nfnetlink_conntrack.h.
"""

from __future__ import annotations

import errno
import socket
import struct
from typing import Callable, List, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import (
    ACK,
    DUMP,
    asked,
    attributes,
    opened,
)

_NETLINK_NETFILTER = 12
_GET, _DELETE = 0x101, 0x102  # NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, IPCTNL_MSG_CT_DELETE
_TUPLE_ORIG, _ZONE = 1, 18  # CTA_*
_TUPLE_IP, _TUPLE_PROTO = 1, 2  # CTA_TUPLE_*
_DESTINATION = {2: 4, 4: 16}  # CTA_IP_V4_DST, CTA_IP_V6_DST: bytes
_PROTO_NUM, _PROTO_DPORT = 1, 3  # CTA_PROTO_*
_FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}

Wanted = Callable[[int, str, int], bool]  # protocol number, original destination address and port


def flush(family: int, wanted: Wanted) -> int:
    """End the flows of a family that are ``wanted``, in the namespace the thread is in. Return how many there were.

    Raises OSError; a kernel without ctnetlink has no flows that could be ended.
    """
    head = struct.pack("=BBH", _FAMILY[family], 0, 0)  # struct nfgenmsg
    with opened(_NETLINK_NETFILTER) as sock:
        found = [_flow(data[len(head) :]) for data in asked(sock, _GET, DUMP, head)]
        doomed = [flow for flow in found if flow and wanted(*flow[:3])]
        for flow in doomed:
            try:
                list(asked(sock, _DELETE, ACK, head + flow[3]))
            except OSError as error:
                if error.errno != errno.ENOENT:  # it ended by itself
                    raise
    return len(doomed)


def _flow(data: bytes) -> Optional[Tuple[int, str, int, bytes]]:
    """Return (protocol, original destination, its port, the attributes that name the flow) of one that has ports."""
    given = attributes(data)
    parts = attributes(given.get(_TUPLE_ORIG, b""))
    proto, addresses = attributes(parts.get(_TUPLE_PROTO, b"")), attributes(parts.get(_TUPLE_IP, b""))
    to = next((addresses[type_] for type_, size in _DESTINATION.items() if len(addresses.get(type_, b"")) == size), b"")
    if not to or _PROTO_NUM not in proto or _PROTO_DPORT not in proto:
        return None
    name: List[bytes] = []
    for type_ in (_TUPLE_ORIG, _ZONE):
        if type_ in given:
            value = given[type_]
            nested = 0x8000 if type_ == _TUPLE_ORIG else 0
            name.append(struct.pack("=HH", len(value) + 4, type_ | nested) + value + bytes(-len(value) % 4))
    address = socket.inet_ntop(socket.AF_INET if len(to) == 4 else socket.AF_INET6, to)
    return proto[_PROTO_NUM][0], address, struct.unpack(">H", proto[_PROTO_DPORT])[0], b"".join(name)
