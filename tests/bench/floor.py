# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The floor: the fewest system calls that wire containers as the role does, with nothing read, checked or reported.

Messages are packed by hand and sent in batches; it is what the kernel itself takes, and a little Python. A container gets a
namespace of its own under /run/netns with lo up, a pair born in place with its host end on the bridge, an address and a
default route. Teardown drops the namespaces, and the kernel takes the pairs down with them, many at a time.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from collections.abc import Sequence

_libc = ctypes.CDLL(None, use_errno=True)
_NEWNET, _BIND, _DETACH = 0x40000000, 0x1000, 2
_REQUEST, _ACK, _NEW = 0x1, 0x4, 0x600  # NLM_F_*; _NEW: create, and only if it is not there
_NEWLINK, _DELLINK, _NEWADDR, _NEWROUTE = 16, 17, 20, 24
_UP = 1


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), name)


def _attr(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", len(value) + 4, kind) + value + bytes(-len(value) % 4)


def _text(kind: int, value: str) -> bytes:
    return _attr(kind, value.encode() + b"\0")


def _u32(kind: int, value: int) -> bytes:
    return _attr(kind, struct.pack("=I", value))


def _link(index: int = 0, up: bool = False) -> bytes:
    return struct.pack("=BxHiII", 0, 0, index, _UP if up else 0, _UP if up else 0)


class Socket:
    """A netlink socket in the namespace it was opened in."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)

    def send(self, *messages: tuple[int, int, bytes]) -> None:
        """Send (type, flags, body) in one go and read the answers. Raises OSError for the first refusal."""
        data = b"".join(
            struct.pack("=IHHII", len(body) + 16, kind, _REQUEST | _ACK | flags, 1, 0) + body
            for kind, flags, body in messages
        )
        self.socket.send(data)
        answers = 0
        while answers < len(messages):
            buffer = self.socket.recv(65536)
            while buffer:
                length, kind = struct.unpack_from("=IH", buffer)
                code = struct.unpack_from("=i", buffer, 16)[0]
                if kind == 2 and code:
                    raise OSError(-code, os.strerror(-code))
                answers += kind == 2
                buffer = buffer[(length + 3) & ~3 :]


def wire(bridge: str, gateway: str, prefix: int, containers: Sequence[tuple[str, str]]) -> None:
    """Make the bridge and wire ``containers``, (name, address) each."""
    host = Socket()
    route = socket.inet_aton(gateway)
    info = _attr(18, _text(1, "bridge"))  # IFLA_LINKINFO, IFLA_INFO_KIND
    host.send((_NEWLINK, _NEW, _link(up=True) + _text(3, bridge) + info))
    index = socket.if_nametoindex(bridge)
    address = _attr(2, route) + _attr(1, route)  # IFA_LOCAL, IFA_ADDRESS
    host.send((_NEWADDR, _NEW, struct.pack("=BBBBI", socket.AF_INET, prefix, 0, 0, index) + address))
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    os.makedirs("/run/netns", exist_ok=True)
    for number, (name, ip) in enumerate(containers):
        path = f"/run/netns/{name}"
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0))
        _call("unshare", _NEWNET)
        _call("mount", b"/proc/thread-self/ns/net", path.encode(), b"none", ctypes.c_ulong(_BIND), None)
        inside = Socket()
        there = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        _call("setns", own, _NEWNET)
        # The peer's index is asked for, so that nothing has to be looked up.
        peer = _attr(1, _link(2) + _text(3, "eth0") + _u32(28, there))  # VETH_INFO_PEER, IFLA_NET_NS_FD
        info = _attr(18, _text(1, "veth") + _attr(2, peer))
        host.send((_NEWLINK, _NEW, _link(up=True) + _text(3, f"floor{number}") + _u32(10, index) + info))
        packed = socket.inet_aton(ip)
        inside.send(
            (_NEWLINK, 0, _link(1, up=True)),
            (_NEWLINK, 0, _link(2, up=True)),
            (
                _NEWADDR,
                _NEW,
                struct.pack("=BBBBI", socket.AF_INET, prefix, 0, 0, 2) + _attr(2, packed) + _attr(1, packed),
            ),
            (
                _NEWROUTE,
                _NEW,
                struct.pack("=BBBBBBBBI", socket.AF_INET, 0, 0, 0, 254, 4, 0, 1, 0) + _attr(5, route) + _u32(4, 2),
            ),
        )
        inside.socket.close()
        os.close(there)
    os.close(own)
    host.socket.close()


def unwire(bridge: str, names: Sequence[str]) -> None:
    """Drop the namespaces, then the bridge. The pairs go a little later."""
    for name in names:
        path = f"/run/netns/{name}"
        _call("umount2", path.encode(), _DETACH)
        os.unlink(path)
    host = Socket()
    host.send((_DELLINK, 0, _link(socket.if_nametoindex(bridge))))
    host.socket.close()
