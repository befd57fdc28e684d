# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ethernet frames, made by hand, and which of them come through a bridge."""

from __future__ import annotations

import ipaddress
import json
import struct
import sys

from wires import Host

ALL = "ff:ff:ff:ff:ff:ff"
ARP, IPV4, IPV6 = 0x0806, 0x0800, 0x86DD
REQUEST, REPLY = 1, 2
UDP, ICMPV6, HOP_BY_HOP, FRAGMENT, OPTIONS = 17, 58, 0, 44, 60

# Sends frames from one namespace, then one that passes anything, and prints which of them others see by then: what goes one way does not overtake.
# Arguments: the sender, the interface there, the frame that comes last; then a listener (namespace/interface) each. Frames as hex on stdin.
EXCHANGE = """
import ctypes, json, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
here = os.open("/proc/self/ns/net", os.O_RDONLY)

def opened(netns, interface, protocol):
    there = os.open("/run/netns/" + netns, os.O_RDONLY) if netns else here
    assert not libc.setns(there, 0x40000000), ctypes.get_errno()
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
    sock.bind((interface, protocol))
    assert not libc.setns(here, 0x40000000), ctypes.get_errno()
    return sock

sender, interface, last, *listeners = sys.argv[1:]
out = opened(sender, interface, 0)
ears = [opened(*listener.split("/"), 3) for listener in listeners]
for ear in ears:
    ear.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)  # SO_RCVBUFFORCE
    ear.settimeout(60)
for frame in [*json.load(sys.stdin), last]:
    out.send(bytes.fromhex(frame))
heard = []
for ear in ears:
    frames = []
    while not frames or frames[-1] != last:
        frames.append(ear.recv(65536).hex())
    heard.append(frames[:-1])
print(json.dumps(heard))
"""


def ether(to: str, source: str, protocol: int, payload: bytes) -> bytes:
    return _mac(to) + _mac(source) + struct.pack("!H", protocol) + payload


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed


def arp(
    operation: int, mac: str, ip: str, target: str, hardware: int = 1, protocol: int = IPV4, length: int = 6
) -> bytes:
    head = struct.pack("!HHBBH", hardware, protocol, length, 4, operation)
    return head + _mac(mac) + packed(ip) + bytes(6) + packed(target)


def ipv4(source: str, to: str, protocol: int = UDP, payload: bytes = b"", fragment: int = 0) -> bytes:
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 7, fragment, 64, protocol, 0) + packed(source)
    head += packed(to)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ipv6(source: str, to: str, protocol: int, payload: bytes, version: int = 6) -> bytes:
    return struct.pack("!IHBB", version << 28, len(payload), protocol, 255) + packed(source) + packed(to) + payload


def udp(port: int = 9) -> bytes:
    return struct.pack("!HHHH", port, port, 8, 0)


def icmpv6(source: str, to: str, kind: int, body: bytes = bytes(4)) -> bytes:
    message = struct.pack("!BBH", kind, 0, 0) + body
    pseudo = packed(source) + packed(to) + struct.pack("!II", len(message), ICMPV6)
    return message[:2] + struct.pack("!H", checksum(pseudo + message)) + message[4:]


def neighbour(source: str, to: str, kind: int, target: str, mac: str = "") -> bytes:
    """A solicitation (135), an advertisement (136) that overrides, or a redirect (137), with a MAC address or without."""
    flags = 0x20000000 if kind == 136 else 0
    option = struct.pack("!BB", 2 if kind == 136 else 1, 1) + _mac(mac) if mac else b""
    rest = packed(to) if kind == 137 else b""
    return icmpv6(source, to, kind, struct.pack("!I", flags) + packed(target) + rest + option)


def behind(following: int, payload: bytes) -> bytes:
    """A payload behind a header of options that mean nothing: `HOP_BY_HOP` or `OPTIONS`."""
    return struct.pack("!BBBBI", following, 0, 1, 4, 0) + payload


def fragment(following: int, offset: int, more: bool, payload: bytes) -> bytes:
    return struct.pack("!BBHI", following, 0, offset | more, 99) + payload


def checksum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def arrived(host: Host, sender: str, frames: list[bytes], last: bytes, *listeners: str) -> list[list[str]]:
    """Which frames come to each of the listeners (NETNS/INTERFACE), as hex, when one namespace sends them by its eth0."""
    command = [sys.executable, "-c", EXCHANGE, sender, "eth0", last.hex(), *listeners]
    done = host.run(command, input=json.dumps([frame.hex() for frame in frames]))
    found: list[list[str]] = json.loads(done.stdout)
    return found
