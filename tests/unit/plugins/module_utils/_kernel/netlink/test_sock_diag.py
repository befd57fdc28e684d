# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a message of sock_diag says. TCP and UDP are held against the kernel by tests/module/test_nat_in_use.py."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import struct

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.listeners import Listener
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import namespaces
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import sock_diag
from ansible_collections.linuxnet.containers.tests.unit.netlink_wire import Answering
from ansible_collections.linuxnet.containers.tests.unit.netlink_wire import message as netlink_message


def message(ip: str, *attributes: tuple[int, bytes]) -> bytes:
    """A struct inet_diag_msg of a listening socket on port 80 with inode 7, and attributes (type, value)."""
    address = ipaddress.ip_address(ip)
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    fixed = struct.pack(">BBBBHH", family, 10, 0, 0, 80, 0) + address.packed.ljust(16, b"\0") + bytes(16 + 12 + 16)
    data = fixed + struct.pack("=I", 7)
    for type_, value in attributes:
        data += struct.pack("=HH", 4 + len(value), type_) + value + bytes(-len(value) % 4)
    return data


def sockaddr(ip: str) -> bytes:
    """A struct sockaddr_storage."""
    address = ipaddress.ip_address(ip)
    if address.version == 4:
        return struct.pack("=HH", socket.AF_INET, 0).ljust(4) + address.packed + bytes(120)
    return struct.pack("=HHI", socket.AF_INET6, 0, 0) + address.packed + bytes(104)


def test_a_socket_without_the_attribute_takes_both_families_only_on_any_address() -> None:
    assert list(sock_diag._listeners("tcp", message("::"))) == [Listener("tcp", "::", 80, True, 7)]
    assert list(sock_diag._listeners("tcp", message("::", (8, b"\0"), (11, b"\1")))) == [
        Listener("tcp", "::", 80, False, 7)
    ]
    assert list(sock_diag._listeners("tcp", message("fd00::1", (11, b"\0")))) == [
        Listener("tcp", "fd00::1", 80, False, 7)
    ]


def test_an_sctp_socket_listens_on_all_its_addresses() -> None:
    """INET_DIAG_LOCALS is 12 in linux/inet_diag.h."""
    locals_ = (12, sockaddr("192.0.2.1") + sockaddr("2001:db8::1") + sockaddr("::ffff:192.0.2.2"))
    found = list(sock_diag._listeners("sctp", message("192.0.2.1", (11, b"\0"), locals_)))
    assert found == [Listener("sctp", ip, 80, False, 7) for ip in ("192.0.2.1", "2001:db8::1", "192.0.2.2")]


def test_a_socket_that_takes_ipv4_as_well_has_its_plain_address() -> None:
    assert [one.ip for one in sock_diag._listeners("tcp", message("::ffff:192.0.2.1"))] == ["192.0.2.1"]


def test_one_without_a_port_listens_on_none() -> None:
    data = bytearray(message("192.0.2.1"))
    data[4:6] = b"\0\0"
    assert list(sock_diag._listeners("udp", bytes(data))) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        message("192.0.2.1")[:71],
        b"\x01" + message("192.0.2.1")[1:],
        message("192.0.2.1", (12, b"\2")),
        message("192.0.2.1", (12, b"\2\0\0\0\1\2")),
        message("192.0.2.1", (12, b"\x63\0" + bytes(126))),
    ],
)
def test_what_is_cut_short_or_of_another_family_says_nothing(data: bytes) -> None:
    assert list(sock_diag._listeners("sctp", data)) == []


# --- asking the kernel ---


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Answering:
    """The socket that will be opened."""
    sock = Answering()
    monkeypatch.setattr(sock_diag, "Socket", lambda _family: sock)
    return sock


def test_each_protocol_and_family_is_asked_for(kernel: Answering) -> None:
    kernel.answers = [[netlink_message(20, message("192.0.2.1"))], [netlink_message(20, message("::"))]]
    assert sock_diag.listening() == [Listener("tcp", "192.0.2.1", 80, False, 7), Listener("tcp", "::", 80, True, 7)]
    asked = [struct.unpack_from("=BBBBI", body) for _type, _flags, body in kernel.asked]
    listen, close = 1 << 10, 1 << 7
    states = [(6, listen), (17, close), (132, listen)]
    assert asked == [(family, number, 0, 0, bits) for number, bits in states for family in (2, 10)]
    assert {(type_, len(body)) for type_, _flags, body in kernel.asked} == {(20, 56)}
    assert kernel.closed


def test_a_protocol_that_the_kernel_does_not_have_has_no_listeners(kernel: Answering) -> None:
    kernel.answers = [errno.ENOENT, errno.ENOENT, [netlink_message(20, message("192.0.2.1"))]]
    assert [one.protocol for one in sock_diag.listening()] == ["udp"]


def test_another_refusal_is_an_error(kernel: Answering) -> None:
    kernel.answers = [errno.EPERM]
    with pytest.raises(OSError, match="not permitted"):
        sock_diag.listening()
    assert kernel.closed


@pytest.mark.parametrize("code", [errno.EPROTONOSUPPORT, errno.EMFILE])
def test_a_kernel_without_sock_diag_has_none(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def refuse(_family: int) -> Answering:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(sock_diag, "Socket", refuse)
    if code == errno.EPROTONOSUPPORT:
        assert sock_diag.listening() == []
    else:
        with pytest.raises(OSError, match="Too many open files"):
            sock_diag.listening()


def test_this_process_s_own_sockets_are_found() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port, inode = sock.getsockname()[1], os.fstat(sock.fileno()).st_ino
        assert Listener("tcp", "127.0.0.1", port, False, inode) in sock_diag.listening()
        found = sock_diag.processes()
        assert found[inode] == (os.getpid(), namespaces.command(os.getpid()))
    assert list(sock_diag._sockets(4194304)) == []
