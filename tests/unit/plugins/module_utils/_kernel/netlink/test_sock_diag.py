# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a message of sock_diag says. TCP and UDP are held against the kernel by tests/module/test_nat_in_use.py."""

from __future__ import annotations

import ipaddress
import socket
import struct

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.listeners import Listener
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import sock_diag


def message(ip, *attributes):
    """A struct inet_diag_msg of a listening socket on port 80 with inode 7, and attributes (type, value)."""
    address = ipaddress.ip_address(ip)
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    fixed = struct.pack(">BBBBHH", family, 10, 0, 0, 80, 0) + address.packed.ljust(16, b"\0") + bytes(16 + 12 + 16)
    data = fixed + struct.pack("=I", 7)
    for type_, value in attributes:
        data += struct.pack("=HH", 4 + len(value), type_) + value + bytes(-len(value) % 4)
    return data


def sockaddr(ip):
    """A struct sockaddr_storage."""
    address = ipaddress.ip_address(ip)
    if address.version == 4:
        return struct.pack("=HH", socket.AF_INET, 0).ljust(4) + address.packed + bytes(120)
    return struct.pack("=HHI", socket.AF_INET6, 0, 0) + address.packed + bytes(104)


def test_a_socket_without_the_attribute_takes_both_families_only_on_any_address():
    assert list(sock_diag._listeners("tcp", message("::"))) == [Listener("tcp", "::", 80, True, 7)]
    assert list(sock_diag._listeners("tcp", message("::", (8, b"\0"), (11, b"\1")))) == [
        Listener("tcp", "::", 80, False, 7)
    ]
    assert list(sock_diag._listeners("tcp", message("fd00::1", (11, b"\0")))) == [
        Listener("tcp", "fd00::1", 80, False, 7)
    ]


def test_an_sctp_socket_listens_on_all_its_addresses():
    """INET_DIAG_LOCALS is 12 in linux/inet_diag.h."""
    locals_ = (12, sockaddr("192.0.2.1") + sockaddr("2001:db8::1") + sockaddr("::ffff:192.0.2.2"))
    found = list(sock_diag._listeners("sctp", message("192.0.2.1", (11, b"\0"), locals_)))
    assert found == [Listener("sctp", ip, 80, False, 7) for ip in ("192.0.2.1", "2001:db8::1", "192.0.2.2")]
