# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sockets: which ports of a namespace are listened on, and by which process.

The kernel is asked by sock_diag(7), once a protocol and family; it alone says whether a socket on ``::`` takes IPv4 as well.
Layout: linux/inet_diag.h. On a protocol for which the kernel has no sock_diag nobody is known to listen.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import re
import socket
import struct
import sys
from typing import Dict, Iterator, List, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.listeners import Listener
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import namespaces
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import (
    FAMILIES,
    HEADER_BYTES,
    SOCK_DIAG,
    Socket,
    attributes,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model import addressing

_BY_FAMILY = 20  # SOCK_DIAG_BY_FAMILY
# States, net/tcp_states.h; a UDP socket is established or closed: with a peer, or without.
_LISTEN, _CLOSE = 1 << 10, 1 << 7
# By protocol: its number, and the states of a socket that takes what anybody sends.
_PROTOCOLS = {
    "tcp": (socket.IPPROTO_TCP, _LISTEN),
    "udp": (socket.IPPROTO_UDP, _CLOSE),
    "sctp": (socket.IPPROTO_SCTP, _LISTEN),
}
_REQUEST = struct.Struct("=BBBBI48x")  # struct inet_diag_req_v2, of any address
# The start of struct inet_diag_msg: family, port and source address in network order; the socket's inode is its last number.
_MESSAGE = struct.Struct(">BxxxHxx16s")
_INODE = struct.Struct("=68xI")
_ADDRESS_BYTES = {int(socket.AF_INET): 4, int(socket.AF_INET6): 16}
_SKV6ONLY, _LOCALS = 11, 12  # INET_DIAG_*
_SOCKADDR = 128  # bytes of a sockaddr_storage, _LOCALS has such for each address
_SOCKADDR_ADDRESS = {int(socket.AF_INET): 4, int(socket.AF_INET6): 8}  # where it has the address
_SOCKET = re.compile(r"socket:\[([0-9]{1,20})\]")  # what a file descriptor of one leads to
_LACKING = (errno.ENOENT, errno.EPROTONOSUPPORT)


def listening() -> List[Listener]:
    """Return the listeners of the namespace the thread is in. Raises OSError."""
    found: List[Listener] = []
    with contextlib.ExitStack() as stack:
        try:
            sock = stack.enter_context(Socket(SOCK_DIAG))
        except OSError as error:
            if error.errno in _LACKING:  # the kernel has no sock_diag
                return []
            raise
        for protocol, (number, states) in _PROTOCOLS.items():
            for family in FAMILIES.values():
                try:
                    answer = sock.dump(_BY_FAMILY, _REQUEST.pack(family, number, 0, 0, states))
                except OSError as error:
                    if error.errno not in _LACKING:  # the kernel does not have the protocol
                        raise
                    continue
                for data in answer:
                    found.extend(_listeners(protocol, data[HEADER_BYTES:]))
    return found


def _listeners(protocol: str, data: bytes) -> Iterator[Listener]:
    """Yield the listener of a message, over SCTP one for each address that the socket is bound to. A message that is cut short has
    none."""
    if len(data) < _INODE.size:
        return
    family, port, source = _MESSAGE.unpack_from(data)
    [inode] = _INODE.unpack_from(data)
    more = attributes(data[_INODE.size :])
    only, bound = more.get(_SKV6ONLY, b"\0") != b"\0", more.get(_LOCALS, b"")
    addresses = [source[: _ADDRESS_BYTES.get(family, 0)]]
    if bound:
        addresses = [_in_sockaddr(bound[start : start + _SOCKADDR]) for start in range(0, len(bound), _SOCKADDR)]
    for raw in addresses if port else ():
        if len(raw) in _ADDRESS_BYTES.values():
            ip = ipaddress.ip_address(raw)
            plain = getattr(ip, "ipv4_mapped", None) or ip
            yield Listener(protocol, addressing.text(plain), port, str(ip) == "::" and not only, inode)


def _in_sockaddr(data: bytes) -> bytes:
    """Return the address in a sockaddr, nothing for another family."""
    family = int.from_bytes(data[:2], sys.byteorder)
    start = _SOCKADDR_ADDRESS.get(family, 0)
    return data[start : start + _ADDRESS_BYTES.get(family, 0)]


def processes() -> Dict[int, Tuple[int, str]]:
    """Return (pid, command) of the process that has a socket, by the socket's inode; of several that share it the first."""
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
                socket_ = _SOCKET.fullmatch(os.readlink(file.path))
                if socket_:
                    found.append(int(socket_.group(1)))
    return found
