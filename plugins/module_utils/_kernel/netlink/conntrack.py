# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connection tracking: reads flows and ends some. A flow that is tracked goes on to where it went, whatever the rules say.

A flow is named to the kernel by its original tuple, which is sent back as it came. Layout: linux/netfilter/nfnetlink_conntrack.h.
"""

from __future__ import annotations

import errno
import struct
from typing import Iterable, List, NamedTuple, Optional

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.flows import Flow
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
_TUPLE_ORIG, _TUPLE_REPLY, _ZONE = 1, 2, 18  # CTA_*
_TUPLE_IP, _TUPLE_PROTO = 1, 2  # CTA_TUPLE_*
_SOURCE, _DESTINATION = {1: 4, 3: 16}, {2: 4, 4: 16}  # CTA_IP_V4_SRC, CTA_IP_V6_SRC, and so on: bytes
_PROTO_NUM, _PROTO_SPORT, _PROTO_DPORT = 1, 2, 3  # CTA_PROTO_*
_NESTED = 0x8000  # NLA_F_NESTED


class _Tuple(NamedTuple):
    """One direction of a flow. Ports are 0 for a protocol that has none."""

    protocol: int
    source: str
    source_port: int
    to: str
    port: int


def flows(family: int) -> List[Flow]:
    """Return the flows of a family that are tracked in the namespace the thread is in. Raises OSError."""
    head = _HEAD.pack(FAMILIES[family], 0, 0)
    with Socket(NETFILTER) as sock:
        found = (_flow(data[HEADER_BYTES + _HEAD.size :]) for data in sock.dump(_GET, head))
        return [flow for flow in found if flow is not None]


def end(family: int, ended: Iterable[Flow]) -> None:
    """End flows of a family. Raises OSError."""
    head = _HEAD.pack(FAMILIES[family], 0, 0)
    with Socket(NETFILTER) as sock:
        for flow in ended:
            try:
                sock.request(_DELETE, ACK, head + flow.name)
            except OSError as error:
                if error.errno != errno.ENOENT:  # it ended by itself
                    raise


def _flow(data: bytes) -> Optional[Flow]:
    """Return the flow that the attributes of a message are about, None where something of it is missing."""
    given = attributes(data)
    there, back = _direction(given.get(_TUPLE_ORIG, b"")), _direction(given.get(_TUPLE_REPLY, b""))
    if there is None or back is None:
        return None
    name = attribute(_TUPLE_ORIG | _NESTED, given[_TUPLE_ORIG])
    if _ZONE in given:
        name += attribute(_ZONE, given[_ZONE])
    return Flow(there.protocol, there.source, there.to, there.port, back.source, back.source_port, back.to, name)


def _direction(data: bytes) -> Optional[_Tuple]:
    parts = attributes(data)
    proto, addresses = attributes(parts.get(_TUPLE_PROTO, b"")), attributes(parts.get(_TUPLE_IP, b""))
    source, to = (
        next((addresses[type_] for type_, size in types.items() if len(addresses.get(type_, b"")) == size), b"")
        for types in (_SOURCE, _DESTINATION)
    )
    number = proto.get(_PROTO_NUM, b"")
    if not source or not to or len(number) != 1:
        return None
    ports = [int.from_bytes(proto.get(type_, b""), "big") for type_ in (_PROTO_SPORT, _PROTO_DPORT)]
    return _Tuple(number[0], address_text(source), ports[0], address_text(to), ports[1])
