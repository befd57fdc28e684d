# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packets of our own: telling neighbours who has an address, and asking whether somebody has it.

Ethernet frames on an AF_PACKET socket. Rules: RFC 5227 (IPv4 address conflict detection), RFC 4861 and RFC 4862 (neighbour
discovery, duplicate address detection).
"""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
import time
from typing import Optional, Tuple

_ARP, _IPV6 = 0x0806, 0x86DD
_SIOCGIFHWADDR = 0x8927  # include/uapi/linux/sockios.h
_BROADCAST = b"\xff" * 6
_SOLICIT, _ADVERTISE = 135, 136
_PROBES, _WAIT = 2, 0.2  # questions asked, and seconds to wait for an answer to each


def _raw_mac(mac: str) -> bytes:
    return bytes(int(part, 16) for part in mac.split(":"))


def _arp(operation: int, mac: bytes, sender: bytes, target: bytes) -> bytes:
    return struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + mac + sender + b"\0" * 6 + target


def _icmpv6(type_: int, source: bytes, destination: bytes, flags: int, target: bytes, option: bytes) -> bytes:
    """Return an IPv6 packet with one neighbour discovery message."""
    body = struct.pack("!BBHI", type_, 0, 0, flags) + target + option
    pseudo = source + destination + struct.pack("!II", len(body), 58) + body
    total = sum(struct.unpack("!%dH" % (len(pseudo) // 2), pseudo))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    body = body[:2] + struct.pack("!H", ~total & 0xFFFF) + body[4:]
    return struct.pack("!IHBB", 0x60000000, len(body), 58, 255) + source + destination + body


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
    sender, ethertype = frame[6:12], struct.unpack_from("!H", frame, 12)[0]
    if sender == mac:
        return None
    if len(ip) == 4 and ethertype == _ARP and frame[28:32] == ip:
        return frame[22:28]
    if len(ip) == 16 and ethertype == _IPV6 and frame[20] == 58 and frame[54] == _ADVERTISE and frame[62:78] == ip:
        return sender
    return None


def announce(interface: str, ip: str) -> socket.socket:
    """Send one statement that ``ip`` is at the MAC address of an interface of the namespace the thread is in, if it has one.

    Returns the socket, for the caller to close: that takes the kernel a while. Raises OSError where the interface is down.
    """
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
    try:
        mac = fcntl.ioctl(sock, _SIOCGIFHWADDR, struct.pack("16s16x", interface.encode()))[18:24]
        if any(mac):
            ethertype, frame = _statement(ip, mac)
            sock.sendto(frame, (interface, ethertype))
    except BaseException:
        sock.close()
        raise
    return sock


def who_has(interface: str, mac: str, ip: str) -> Optional[str]:
    """Return the MAC address of a neighbour that has ``ip``, None where nobody answers within 0.4 s."""
    raw_ip, raw_mac = ipaddress.ip_address(ip).packed, _raw_mac(mac)
    ethertype, frame = _question(ip, raw_mac)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ethertype)) as sock:
        sock.bind((interface, ethertype))
        for dummy in range(_PROBES):
            sock.send(frame)
            end = time.monotonic() + _WAIT
            while True:
                left = end - time.monotonic()
                if left <= 0:
                    break
                sock.settimeout(left)
                try:
                    received = sock.recv(2048)
                except socket.timeout:
                    break
                found = _answer(received, raw_ip, raw_mac)
                if found:
                    return ":".join("%02x" % byte for byte in found)
    return None
