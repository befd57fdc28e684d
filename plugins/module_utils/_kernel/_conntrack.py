# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connection tracking: ends the UDP flows of host ports. A flow that is tracked goes on to where it went, whatever the rules say.

A flow is named to the kernel by its original tuple, which is sent back as it came. Layout: linux/netfilter/nfnetlink_conntrack.h.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from typing import Callable, Dict, Iterator, List, Optional, Tuple

_NETLINK_NETFILTER = 12
_GET, _DELETE = 0x101, 0x102  # NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, IPCTNL_MSG_CT_DELETE
_REQUEST, _ACK, _DUMP = 0x1, 0x4, 0x300
_ERROR, _DONE = 2, 3
_TUPLE_ORIG, _ZONE = 1, 18  # CTA_*
_TUPLE_IP, _TUPLE_PROTO = 1, 2  # CTA_TUPLE_*
_DESTINATION = {2: 4, 4: 16}  # CTA_IP_V4_DST, CTA_IP_V6_DST: bytes
_PROTO_NUM, _PROTO_DPORT = 1, 3  # CTA_PROTO_*
_HEADER = struct.Struct("=IHHII")
_FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
_TIMEOUT = 10  # seconds

Wanted = Callable[[int, str, int], bool]  # protocol number, original destination address and port


def flush(family: int, wanted: Wanted) -> int:
    """End the flows of a family that are ``wanted``, in the namespace the thread is in. Return how many there were.

    Raises OSError; a kernel without ctnetlink has no flows that could be ended.
    """
    with contextlib.closing(
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER)
    ) as sock:
        sock.settimeout(_TIMEOUT)
        sock.bind((0, 0))
        doomed = [flow for flow in map(_flow, _asked(sock, _GET, _DUMP, family, b"")) if flow and wanted(*flow[:3])]
        for flow in doomed:
            try:
                list(_asked(sock, _DELETE, _ACK, family, flow[3]))
            except OSError as error:
                if error.errno != errno.ENOENT:  # it ended by itself
                    raise
    return len(doomed)


def _asked(sock: socket.socket, type_: int, flags: int, family: int, attributes: bytes) -> Iterator[bytes]:
    """Send one request and yield the attributes of each message of the answer."""
    payload = struct.pack("=BBH", _FAMILY[family], 0, 0) + attributes
    sock.send(_HEADER.pack(_HEADER.size + len(payload), type_, _REQUEST | flags, 1, 0) + payload)
    while True:
        buffer = sock.recv(1 << 20)
        offset = 0
        while offset < len(buffer):
            length, kind, dummy, dummy, dummy = _HEADER.unpack_from(buffer, offset)
            data = buffer[offset + _HEADER.size : offset + length]
            offset += (length + 3) & ~3
            if kind in (_ERROR, _DONE):
                code = struct.unpack_from("=i", data)[0] if len(data) >= 4 else 0
                if code:
                    raise OSError(-code, "netlink")
                return
            yield data[4:]


def _attributes(data: bytes) -> Dict[int, bytes]:
    """Return attributes by type."""
    found, offset = {}, 0
    while offset + 4 <= len(data):
        length, type_ = struct.unpack_from("=HH", data, offset)
        found[type_ & 0x3FFF] = data[offset + 4 : offset + length]
        offset += max((length + 3) & ~3, 4)
    return found


def _flow(data: bytes) -> Optional[Tuple[int, str, int, bytes]]:
    """Return (protocol, original destination, its port, the attributes that name the flow) of one that has ports."""
    attributes = _attributes(data)
    parts = _attributes(attributes.get(_TUPLE_ORIG, b""))
    proto, addresses = _attributes(parts.get(_TUPLE_PROTO, b"")), _attributes(parts.get(_TUPLE_IP, b""))
    to = next((addresses[type_] for type_, size in _DESTINATION.items() if len(addresses.get(type_, b"")) == size), b"")
    if not to or _PROTO_NUM not in proto or _PROTO_DPORT not in proto:
        return None
    name: List[bytes] = []
    for type_ in (_TUPLE_ORIG, _ZONE):
        if type_ in attributes:
            value = attributes[type_]
            nested = 0x8000 if type_ == _TUPLE_ORIG else 0
            name.append(struct.pack("=HH", len(value) + 4, type_ | nested) + value + bytes(-len(value) % 4))
    address = socket.inet_ntop(socket.AF_INET if len(to) == 4 else socket.AF_INET6, to)
    return proto[_PROTO_NUM][0], address, struct.unpack(">H", proto[_PROTO_DPORT])[0], b"".join(name)
