# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ARP and neighbour discovery: telling neighbours who has an address, and asking whether somebody has it.

Ethernet frames on an AF_PACKET socket; what comes in may be anything. Rules: RFC 5227 (IPv4 address conflict detection), RFC 4861 and RFC 4862 (neighbour
discovery, duplicate address detection).
"""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import socket
import struct
import time
from typing import Any, Callable, ClassVar, Dict, Iterator, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import addresses, namespaces
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.addresses import (
    announce as announce_by_kernel,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import (
    Announce,
    AnnounceOpened,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import name_bytes

_ARP, _IPV6 = 0x0806, 0x86DD
_SIOCGIFHWADDR = 0x8927  # include/uapi/linux/sockios.h
_BROADCAST = b"\xff" * 6
_ARP_HEADER = struct.Struct("!HHBBH")  # of IPv4 over Ethernet: 1, 0x0800, 6, 4, operation
_ETHERNET = 14  # bytes of an Ethernet header
# Least bytes of an answer, up to the address that was asked for.
_ARP_FRAME, _ND_FRAME = _ETHERNET + 28, _ETHERNET + 40 + 24
_SOLICIT, _ADVERTISE = 135, 136
_CLOSED_AT_ONCE = 32  # sockets of announcements
_PROBES, _WAIT = 2, 0.2  # questions asked, and seconds to wait for an answer to each


def _raw_mac(mac: str) -> bytes:
    """Return a MAC address as bytes, none for an interface that has none of Ethernet's."""
    try:
        raw = bytes.fromhex(mac.replace(":", ""))
    except ValueError:
        return b""
    return raw if len(raw) == 6 else b""


def _arp(operation: int, mac: bytes, sender: bytes, target: bytes) -> bytes:
    return _ARP_HEADER.pack(1, 0x0800, 6, 4, operation) + mac + sender + b"\0" * 6 + target


def _icmpv6(type_: int, source: bytes, destination: bytes, flags: int, target: bytes, option: bytes) -> bytes:
    """Return an IPv6 packet with a neighbour discovery message."""
    body = struct.pack("!BBHI", type_, 0, 0, flags) + target + option
    pseudo = source + destination + struct.pack("!II", len(body), socket.IPPROTO_ICMPV6) + body
    total = sum(struct.unpack("!%dH" % (len(pseudo) // 2), pseudo))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    body = body[:2] + struct.pack("!H", ~total & 0xFFFF) + body[4:]
    return struct.pack("!IHBB", 0x60000000, len(body), socket.IPPROTO_ICMPV6, 255) + source + destination + body


def _multicast_mac(destination: bytes) -> bytes:
    return b"\x33\x33" + destination[12:]


def _question(ip: str, mac: bytes) -> Tuple[int, bytes]:
    """Return (ethertype, frame) that asks who has ``ip``, from nobody: an ARP probe, or a solicitation from ``::``."""
    raw = ipaddress.ip_address(ip).packed
    if len(raw) == 4:
        return _ARP, _BROADCAST + mac + struct.pack("!H", _ARP) + _arp(1, mac, b"\0" * 4, raw)
    node = ipaddress.ip_address("ff02::1:ff00:0").packed[:13] + raw[13:]
    packet = _icmpv6(_SOLICIT, b"\0" * 16, node, 0, raw, b"")
    return _IPV6, _multicast_mac(node) + mac + struct.pack("!H", _IPV6) + packet


def _statement(ip: str, mac: bytes) -> Tuple[int, bytes]:
    """Return (ethertype, frame) that says who has ``ip``: a gratuitous ARP, or an unsolicited advertisement (override)."""
    raw = ipaddress.ip_address(ip).packed
    if len(raw) == 4:
        return _ARP, _BROADCAST + mac + struct.pack("!H", _ARP) + _arp(1, mac, raw, raw)
    everybody = ipaddress.ip_address("ff02::1").packed
    packet = _icmpv6(_ADVERTISE, raw, everybody, 0x20000000, raw, b"\x02\x01" + mac)
    return _IPV6, _multicast_mac(everybody) + mac + struct.pack("!H", _IPV6) + packet


def _answer(frame: bytes, ip: bytes, mac: bytes) -> Optional[bytes]:
    """Return the MAC address of somebody else who says in ``frame`` that they have ``ip``."""
    sender, ethertype = frame[6:12], frame[12:14]
    if sender == mac:
        return None
    if len(ip) == 4:
        says = len(frame) >= _ARP_FRAME and ethertype == _ARP.to_bytes(2, "big") and frame[28:32] == ip
        return frame[22:28] if says else None
    says = (
        len(frame) >= _ND_FRAME
        and ethertype == _IPV6.to_bytes(2, "big")
        and frame[20] == socket.IPPROTO_ICMPV6
        and frame[54] == _ADVERTISE
        and frame[62:78] == ip
    )
    return sender if says else None


def announce(interface: str, ip: str) -> socket.socket:
    """State once that ``ip`` is at the MAC address of an interface of the namespace the thread is in, if it has such an address.

    Returns the socket, for the caller to close: that takes the kernel a while. Raises OSError where the interface is down.
    """
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
    try:
        mac = fcntl.ioctl(sock, _SIOCGIFHWADDR, struct.pack("16s16x", name_bytes(interface)))[18:24]
        if any(mac):
            ethertype, frame = _statement(ip, mac)
            sock.sendto(frame, (interface, ethertype))
    except BaseException:
        sock.close()
        raise
    return sock


def who_has(interface: str, mac: str, ip: str) -> Optional[str]:
    """Return the MAC address of a neighbour that has ``ip``, None where nobody answers within 0.4 s, or the interface, which has
    the address ``mac``, is none on which could be asked. Raises OSError."""
    raw_ip, raw_mac = ipaddress.ip_address(ip).packed, _raw_mac(mac)
    if not raw_mac:
        return None
    ethertype, frame = _question(ip, raw_mac)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.htons(ethertype)) as sock:
        try:
            sock.bind((interface, ethertype))
        except ValueError:  # Python takes names in UTF-8 only
            return None
        for dummy in range(_PROBES):
            sock.send(frame)
            for received in _received(sock, time.monotonic() + _WAIT):
                found = _answer(received, raw_ip, raw_mac)
                if found:
                    return ":".join("%02x" % byte for byte in found)
    return None


def _received(sock: socket.socket, end: float) -> Iterator[bytes]:
    """Yield what comes in until a point of the monotonic clock."""
    left = end - time.monotonic()
    while left > 0:
        sock.settimeout(left)
        try:
            yield sock.recv(2048)
        except socket.timeout:
            return
        left = end - time.monotonic()


class Kernel(addresses.Kernel):
    """The running kernel, with the neighbours of its interfaces. See `_model/kernel_api.Source`."""

    def __init__(self) -> None:
        super().__init__()
        self._closing: Any = None  # the pool that closes sockets of announcements

    def __exit__(self, *dummy: object) -> None:
        if self._closing is not None:
            self._closing.shutdown()
        super().__exit__()

    def who_has(self, ns: int, interface: str, mac: str, ip: str) -> Optional[str]:
        with self._inside(ns):
            return who_has(interface, mac, ip)

    def _announce(self, step: Announce) -> None:
        namespace = self._at(step.ns)
        # Neighbours that hear nothing find out by themselves, later: no reason to fail.
        with contextlib.suppress(OSError, ValueError):
            if step.family == 4 and not step.shared:
                announce_by_kernel(namespace.socket, self._index(step.ns, step.interface), step.ip)
                return
            with namespaces.entered(namespace.fd):
                sent = announce(step.interface, step.ip)
            self._close(sent)

    def _close(self, sent: socket.socket) -> None:
        """Close a socket that sent: that waits for the kernel (an RCU grace period, 16 ms), so beside the work, many at a time."""
        if self._closing is None:
            import concurrent.futures  # of use to few tasks

            self._closing = concurrent.futures.ThreadPoolExecutor(_CLOSED_AT_ONCE)
        try:
            self._closing.submit(sent.close)
        except RuntimeError:  # no thread can be started
            sent.close()

    _changes: ClassVar[Dict[type, Callable[[Any, Any], None]]] = {
        **addresses.Kernel._changes,
        Announce: _announce,
        AnnounceOpened: _announce,
    }
