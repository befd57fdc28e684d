# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Flows: which are ended, and how they are named to the kernel. That the kernel ends them is in tests/module/test_nat_publish.py."""

from __future__ import annotations

import errno
import ipaddress
import socket

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import conntrack
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import ACK, attribute
from ansible_collections.linuxnet.containers.tests.unit.netlink_wire import Answering, message

NESTED = 0x8000
UDP, TCP, ICMP = 17, 6, 1


def tuple_of(protocol: int, source: str, to: str, port: int | None) -> bytes:
    """CTA_TUPLE_ORIG, as the kernel has it."""
    first, second = (1, 2) if "." in to else (3, 4)
    addresses = attribute(first, ipaddress.ip_address(source).packed) + attribute(
        second, ipaddress.ip_address(to).packed
    )
    ports = b"" if port is None else attribute(2, (4000).to_bytes(2, "big")) + attribute(3, port.to_bytes(2, "big"))
    proto = attribute(1, bytes([protocol])) + ports
    return attribute(1 | NESTED, attribute(1 | NESTED, addresses) + attribute(2 | NESTED, proto))


def flow(protocol: int, source: str, to: str, port: int | None, zone: int = 0) -> bytes:
    """What follows struct nfgenmsg in a message of a dump: the tuples of both directions, state, zone."""
    reply = attribute(2 | NESTED, b"")
    more = attribute(3, b"\0\0\0\2") + (attribute(18, zone.to_bytes(2, "big")) if zone else b"")
    return tuple_of(protocol, source, to, port) + reply + more


def test_a_flow_is_what_its_original_tuple_says() -> None:
    raw = flow(UDP, "192.0.2.9", "10.0.0.1", 53)
    assert conntrack._flow(raw) == (UDP, "10.0.0.1", 53, tuple_of(UDP, "192.0.2.9", "10.0.0.1", 53))


def test_one_of_ipv6_in_a_zone_is_named_with_it() -> None:
    raw = flow(TCP, "2001:db8::9", "2001:db8::1", 443, zone=7)
    name = tuple_of(TCP, "2001:db8::9", "2001:db8::1", 443) + attribute(18, b"\0\7")
    assert conntrack._flow(raw) == (TCP, "2001:db8::1", 443, name)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        flow(ICMP, "192.0.2.9", "10.0.0.1", None),
        attribute(1, b""),
        attribute(
            1, attribute(1, attribute(2, b"\1\2\3")) + attribute(2, attribute(1, b"\x11") + attribute(3, b"\0\5"))
        ),
        attribute(
            1, attribute(1, attribute(2, b"\1\2\3\4")) + attribute(2, attribute(1, b"\x11") + attribute(3, b"\0"))
        ),
        attribute(1, attribute(1, attribute(2, b"\1\2\3\4")) + attribute(2, attribute(1, b"") + attribute(3, b"\0\5"))),
    ],
)
def test_one_without_ports_or_of_which_something_is_missing_is_none(raw: bytes) -> None:
    assert conntrack._flow(raw) is None


def kernel(monkeypatch: pytest.MonkeyPatch, *answers: list[bytes] | int) -> Answering:
    """The socket that will be opened."""
    sock = Answering(*answers)
    monkeypatch.setattr(conntrack, "Socket", lambda family: sock if family == 12 else None)
    return sock


def test_the_flows_that_are_wanted_are_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    head = bytes([socket.AF_INET, 0, 0, 0])
    flows = [(UDP, "192.0.2.9", "10.0.0.1", 53), (UDP, "192.0.2.9", "10.0.0.1", 54), (TCP, "192.0.2.9", "10.0.0.1", 53)]
    dump = [message(0x100, head + flow(*one))[:] for one in flows]
    sock = kernel(monkeypatch, dump, [])
    seen = []

    def wanted(protocol: int, to: str, port: int) -> bool:
        seen.append((protocol, to, port))
        return (protocol, port) == (UDP, 53)

    assert conntrack.flush(4, wanted) == 1
    assert seen == [(protocol, to, port) for protocol, _source, to, port in flows]
    assert sock.asked == [(0x101, 0x300, head), (0x102, ACK, head + tuple_of(*flows[0]))]
    assert sock.closed


def test_one_that_ended_by_itself_is_as_good(monkeypatch: pytest.MonkeyPatch) -> None:
    dump = [message(0x100, bytes(4) + flow(UDP, "fd00::9", "fd00::1", 53))] * 2
    sock = kernel(monkeypatch, dump, errno.ENOENT, [])
    assert conntrack.flush(6, lambda *_flow: True) == 2
    assert sock.asked[0][2] == bytes([socket.AF_INET6, 0, 0, 0])


def test_another_refusal_is_an_error_and_the_socket_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    sock = kernel(monkeypatch, errno.EPERM)
    with pytest.raises(OSError, match="not permitted"):
        conntrack.flush(4, lambda *_flow: True)
    assert sock.closed
