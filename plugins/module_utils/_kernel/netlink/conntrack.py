# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connection tracking: ends the UDP flows of host ports. A flow that is tracked goes on to where it went, whatever the rules say.

A flow is named to the kernel by its original tuple, which is sent back as it came. Layout: linux/netfilter/nfnetlink_conntrack.h.
"""

from __future__ import annotations

import errno
import struct
from typing import Callable, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.codec import address_text
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import (
    ACK,
    FAMILIES,
    HEADER_BYTES,
    NETFILTER,
    Socket,
    attribute,
    attributes,
)

_GET, _DELETE = 0x101, 0x102  # NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, IPCTNL_MSG_CT_DELETE
_HEAD = struct.Struct("=BBH")  # struct nfgenmsg
_TUPLE_ORIG, _ZONE = 1, 18  # CTA_*
_TUPLE_IP, _TUPLE_PROTO = 1, 2  # CTA_TUPLE_*
_DESTINATION = {2: 4, 4: 16}  # CTA_IP_V4_DST, CTA_IP_V6_DST: bytes
_PROTO_NUM, _PROTO_DPORT = 1, 3  # CTA_PROTO_*
_NESTED = 0x8000  # NLA_F_NESTED

Wanted = Callable[[int, str, int], bool]  # protocol number, original destination address and port


def flush(family: int, wanted: Wanted) -> int:
    """End the flows of a family that are ``wanted``, in the namespace the thread is in. Return how many there were.

    Raises OSError; a kernel without ctnetlink has no flows that could be ended.
    """
    head = _HEAD.pack(FAMILIES[family], 0, 0)
    with Socket(NETFILTER) as sock:
        flows = (_flow(data[HEADER_BYTES + _HEAD.size :]) for data in sock.dump(_GET, head))
        ended = [flow for flow in flows if flow and wanted(*flow[:3])]
        for flow in ended:
            try:
                sock.request(_DELETE, ACK, head + flow[3])
            except OSError as error:
                if error.errno != errno.ENOENT:  # it ended by itself
                    raise
    return len(ended)


def _flow(data: bytes) -> Optional[Tuple[int, str, int, bytes]]:
    """Return (protocol, original destination, its port, the attributes that name the flow), None for a flow without ports."""
    given = attributes(data)
    parts = attributes(given.get(_TUPLE_ORIG, b""))
    proto, addresses = attributes(parts.get(_TUPLE_PROTO, b"")), attributes(parts.get(_TUPLE_IP, b""))
    to = next((addresses[type_] for type_, size in _DESTINATION.items() if len(addresses.get(type_, b"")) == size), b"")
    number, port = proto.get(_PROTO_NUM, b""), proto.get(_PROTO_DPORT, b"")
    if not to or len(number) != 1 or len(port) != 2:
        return None
    name = attribute(_TUPLE_ORIG | _NESTED, given[_TUPLE_ORIG])
    if _ZONE in given:
        name += attribute(_ZONE, given[_ZONE])
    return number[0], address_text(to), int.from_bytes(port, "big"), name
