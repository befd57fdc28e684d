# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One packet sent to see whether it is answered, in the namespace that the thread is in."""

from __future__ import annotations

import errno
import os
import socket
import struct
import time

_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EPERM, errno.ETIMEDOUT)
_WAIT = 0.9  # seconds; after one the kernel would send the first packet of TCP again
_SYNCNT = 7  # TCP_SYNCNT
_ECHO, _REPLY = {4: 8, 6: 128}, {4: 0, 6: 129}  # types of ICMP and ICMPv6
_ICMP = {4: socket.IPPROTO_ICMP, 6: socket.IPPROTO_ICMPV6}
_KINDS = {
    "tcp": (socket.SOCK_STREAM, 0),
    "udp": (socket.SOCK_DGRAM, 0),
    "sctp": (socket.SOCK_STREAM, socket.IPPROTO_SCTP),
}


def probe(protocol: str, source: str, to: str, port: int) -> str:
    """Return ``answers``, ``refused`` or ``silent``. Over UDP an empty packet is sent, and silence says nothing. Raises OSError where the kernel refuses
    to send."""
    version = 6 if ":" in to else 4
    family = socket.AF_INET6 if version == 6 else socket.AF_INET
    kind, number = (socket.SOCK_RAW, _ICMP[version]) if protocol == "icmp" else _KINDS[protocol]
    with socket.socket(family, kind | socket.SOCK_CLOEXEC, number) as sock:
        sock.settimeout(_WAIT)
        if source:
            sock.bind((source, 0))
        if protocol == "tcp":
            sock.setsockopt(socket.IPPROTO_TCP, _SYNCNT, 1)
        try:
            sock.connect((to, port))
            if protocol in ("tcp", "sctp"):
                return "answers"
            if protocol == "icmp":
                return _echoed(sock, version)
            sock.send(b"")
            sock.recv(1)
            return "answers"
        except ConnectionRefusedError:
            return "refused"
        except socket.timeout:
            return "silent"
        except OSError as error:
            if error.errno in _UNREACHABLE:  # said by who stopped it
                return "silent"
            raise


def _echoed(sock: socket.socket, version: int) -> str:
    """Ask for an echo, and return whether it comes. Whatever else of ICMP comes from there does so here as well. Raises OSError."""
    sent = _echo(version)
    sock.send(sent)
    end = time.monotonic() + _WAIT
    while time.monotonic() < end:
        packet = sock.recv(2048)
        start = (packet[0] & 15) * 4 if version == 4 and packet else 0
        if packet[start : start + 1] == bytes([_REPLY[version]]) and packet[start + 4 : start + 8] == sent[4:8]:
            return "answers"
    return "silent"


def _echo(version: int) -> bytes:
    """Return a request for an echo. Of ICMPv6 the kernel makes the checksum."""
    head = struct.pack("!BBHHH", _ECHO[version], 0, 0, os.getpid() & 0xFFFF, 1)
    total = sum(struct.unpack("!4H", head))
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return head[:2] + struct.pack("!H", checksum) + head[4:] if version == 4 else head
