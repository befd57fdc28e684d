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

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.listeners import Listener
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import namespaces
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import (
    DUMP,
    asked,
    attributes,
    opened,
)

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_LISTEN, _CLOSE = (
    1 << 10,
    1 << 7,
)  # states, net/tcp_states.h; a UDP socket is established or closed: with a peer, or without
# By protocol: its number, and the states of a socket that takes what anybody sends.
_PROTOCOLS = {"tcp": (6, _LISTEN), "udp": (17, _CLOSE), "sctp": (132, _LISTEN)}
_SKV6ONLY, _LOCALS = 11, 12  # INET_DIAG_*
_SOCKADDR = 128  # bytes of a sockaddr_storage, of which _LOCALS has one an address
_MESSAGE_BYTES = 72  # of struct inet_diag_msg: ports and addresses in network order, all else in ours
_SOURCE, _INODE = 8, 68  # offsets in it


def listening() -> List[Listener]:
    """Return the listeners of the namespace the thread is in. Raises OSError."""
    found: List[Listener] = []
    with opened(_NETLINK_SOCK_DIAG) as sock:
        for protocol, (number, states) in _PROTOCOLS.items():
            for family in (socket.AF_INET, socket.AF_INET6):
                request = struct.pack("=BBBBI48x", family, number, 0, 0, states)  # inet_diag_req_v2, of any address
                try:
                    for data in asked(sock, _SOCK_DIAG_BY_FAMILY, DUMP, request):
                        found.extend(_listeners(protocol, data))
                except OSError as error:
                    if error.errno != errno.ENOENT:  # the kernel does not have the protocol
                        raise
    return found


def _listeners(protocol: str, data: bytes) -> Iterator[Listener]:
    """Yield what one message says: a listener, or over SCTP one an address that the socket is bound to."""
    family = data[0]
    port = struct.unpack_from(">H", data, 4)[0]
    inode = struct.unpack_from("=I", data, _INODE)[0]
    addresses = [data[_SOURCE : _SOURCE + (4 if family == socket.AF_INET else 16)]]
    more = attributes(data[_MESSAGE_BYTES:])
    only, bound = more.get(_SKV6ONLY, b"\0") != b"\0", more.get(_LOCALS, b"")
    if bound:
        addresses = [_in_sockaddr(bound[place : place + _SOCKADDR]) for place in range(0, len(bound), _SOCKADDR)]
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
            name = namespaces.command(pid)
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
