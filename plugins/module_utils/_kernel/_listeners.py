# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sockets: which ports of a namespace are listened on, and by which process.

The kernel is asked by sock_diag(7), once a protocol and family; it alone says whether a socket on ``::`` takes IPv4 as well.
Layout: linux/inet_diag.h. A protocol that the kernel has no sock_diag for counts as one that nobody listens on.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import socket
import struct
from typing import Dict, Iterator, List, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import _namespaces
from ansible_collections.linuxnet.containers.plugins.module_utils._listening import Listener

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_REQUEST_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_ERROR, _DONE = 2, 3
_LISTEN, _CLOSE = (
    1 << 10,
    1 << 7,
)  # states, net/tcp_states.h; a UDP socket is established or closed: with a peer, or without
# By protocol: its number, and the states of a socket that takes what anybody sends.
_PROTOCOLS = {"tcp": (6, _LISTEN), "udp": (17, _CLOSE), "sctp": (132, _LISTEN)}
_SKV6ONLY, _LOCALS = 11, 12  # INET_DIAG_*
_SOCKADDR = 128  # bytes of a sockaddr_storage, of which _LOCALS has one an address
_HEADER = struct.Struct("=IHHII")
_MESSAGE_BYTES = 72  # of struct inet_diag_msg: ports and addresses in network order, all else in ours
_SOURCE, _INODE = 8, 68  # offsets in it
_TIMEOUT = 10  # seconds


def listening() -> List[Listener]:
    """Return the listeners of the namespace the thread is in. Raises OSError."""
    found: List[Listener] = []
    with contextlib.closing(
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG)
    ) as sock:
        sock.settimeout(_TIMEOUT)
        sock.bind((0, 0))
        for protocol, (number, states) in _PROTOCOLS.items():
            for family in (socket.AF_INET, socket.AF_INET6):
                try:
                    for data in _asked(sock, number, family, states):
                        found.extend(_listeners(protocol, data))
                except OSError as error:
                    if error.errno != errno.ENOENT:  # the kernel does not have the protocol
                        raise
    return found


def _asked(sock: socket.socket, number: int, family: int, states: int) -> Iterator[bytes]:
    """Ask for the sockets in some states, and yield a struct inet_diag_msg with its attributes for each."""
    request = struct.pack("=BBBBI48x", family, number, 0, 0, states)  # struct inet_diag_req_v2, of any address
    sock.send(_HEADER.pack(_HEADER.size + len(request), _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 1, 0) + request)
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


def _listeners(protocol: str, data: bytes) -> Iterator[Listener]:
    """Yield what one message says: a listener, or over SCTP one an address that the socket is bound to."""
    family = data[0]
    port = struct.unpack_from(">H", data, 4)[0]
    inode = struct.unpack_from("=I", data, _INODE)[0]
    addresses = [data[_SOURCE : _SOURCE + (4 if family == socket.AF_INET else 16)]]
    only, offset = False, _MESSAGE_BYTES
    while offset + 4 <= len(data):
        length, type_ = struct.unpack_from("=HH", data, offset)
        value = data[offset + 4 : offset + length]
        offset += max((length + 3) & ~3, 4)
        if type_ == _SKV6ONLY:
            only = value != b"\0"
        elif type_ == _LOCALS:
            addresses = [_in_sockaddr(value[place : place + _SOCKADDR]) for place in range(0, len(value), _SOCKADDR)]
    for raw in addresses if port else ():
        ip = ipaddress.ip_address(raw)
        plain = getattr(ip, "ipv4_mapped", None) or ip
        yield Listener(protocol, str(plain), port, str(ip) == "::" and not only, inode)


def _in_sockaddr(data: bytes) -> bytes:
    """Return the address in a sockaddr."""
    return data[4:8] if struct.unpack_from("=H", data)[0] == socket.AF_INET else data[8:24]


def processes() -> Dict[int, Tuple[int, str]]:
    """Return (pid, command) of the process that has a socket, by inode; of several that share one the first."""
    found: Dict[int, Tuple[int, str]] = {}
    for pid in sorted(int(entry) for entry in os.listdir("/proc") if entry.isdigit()):
        inodes = [inode for inode in _sockets(pid) if inode not in found]
        if inodes:
            name = _namespaces.command(pid)
            found.update((inode, (pid, name)) for inode in inodes)
    return found


def _sockets(pid: int) -> Sequence[int]:
    """Return the inodes of a process's sockets; none where it is gone."""
    found = []
    with contextlib.suppress(OSError), os.scandir("/proc/%d/fd" % pid) as files:
        for file in files:
            with contextlib.suppress(OSError):  # closed meanwhile
                target = os.readlink(file.path)
                if target.startswith("socket:["):
                    found.append(int(target[len("socket:[") : -1]))
    return found
