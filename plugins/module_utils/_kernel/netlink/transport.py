# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Questions to netlink's smaller families, as they are: bytes there, bytes back. Layout: linux/netlink.h."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from typing import Dict, Iterator

REQUEST, ACK, DUMP = 0x1, 0x4, 0x300
_ERROR, _DONE = 2, 3
_HEADER = struct.Struct("=IHHII")
_TIMEOUT = 10  # seconds


@contextlib.contextmanager
def opened(family: int) -> Iterator[socket.socket]:
    """A socket of one netlink family in the namespace the thread is in."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, family) as sock:
        sock.settimeout(_TIMEOUT)
        sock.bind((0, 0))
        yield sock


def asked(sock: socket.socket, type_: int, flags: int, payload: bytes) -> Iterator[bytes]:
    """Send one request and yield what is in each message of the answer. Raises OSError where the kernel refuses."""
    sock.send(_HEADER.pack(_HEADER.size + len(payload), type_, REQUEST | flags, 1, 0) + payload)
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
                    raise OSError(-code, os.strerror(-code))
                return
            yield data


def attributes(data: bytes) -> Dict[int, bytes]:
    """Return attributes by type."""
    found, offset = {}, 0
    while offset + 4 <= len(data):
        length, type_ = struct.unpack_from("=HH", data, offset)
        found[type_ & 0x3FFF] = data[offset + 4 : offset + length]
        offset += max((length + 3) & ~3, 4)
    return found
