# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Flows: which are ended, and how they are named to the kernel. That the kernel ends them is in tests/module/test_nat_publish.py."""

from __future__ import annotations

import errno
import ipaddress
import socket
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.flows import Flow
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
    """What follows struct nfgenmsg in a message of a dump: the tuples of both directions, state, zone. DNAT has sent it on."""
    goal = "10.0.0.2" if "." in to else "fd00::2"
    reply = tuple_of(protocol, goal, source, port)
    reply = attribute(2 | NESTED, reply[4:])
    more = attribute(3, b"\0\0\0\2") + (attribute(18, zone.to_bytes(2, "big")) if zone else b"")
    return tuple_of(protocol, source, to, port) + reply + more


def test_a_flow_is_what_its_tuples_say() -> None:
    raw = flow(UDP, "192.0.2.9", "10.0.0.1", 53)
    name = tuple_of(UDP, "192.0.2.9", "10.0.0.1", 53)
    assert conntrack._flow(raw) == Flow(UDP, "192.0.2.9", "10.0.0.1", 53, "10.0.0.2", 4000, "192.0.2.9", name)


def test_one_without_ports_has_zeros() -> None:
    found = conntrack._flow(flow(ICMP, "192.0.2.9", "10.0.0.1", None))
    assert found is not None
    assert found[:-1] == (ICMP, "192.0.2.9", "10.0.0.1", 0, "10.0.0.2", 0, "192.0.2.9")


def test_one_of_ipv6_in_a_zone_is_named_with_it() -> None:
    found = conntrack._flow(flow(TCP, "2001:db8::9", "2001:db8::1", 443, zone=7))
    assert found is not None
    assert found.name == tuple_of(TCP, "2001:db8::9", "2001:db8::1", 443) + attribute(18, b"\0\7")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        tuple_of(UDP, "192.0.2.9", "10.0.0.1", 53),
        attribute(1, b""),
        attribute(1, attribute(1, attribute(2, b"\1\2\3")) + attribute(2, attribute(1, b"\x11") + attribute(3, b"\0\5"))),
        attribute(1, attribute(1, attribute(2, b"\1\2\3\4")) + attribute(2, attribute(1, b"") + attribute(3, b"\0\5"))),
    ],
)  # fmt: skip
def test_one_of_which_something_is_missing_is_none(raw: bytes) -> None:
    assert conntrack._flow(raw) is None


def kernel(monkeypatch: pytest.MonkeyPatch, *answers: list[bytes] | int) -> Answering:
    """The socket that will be opened."""
    sock = Answering(*answers)
    monkeypatch.setattr(conntrack, "Socket", lambda family: sock if family == 12 else None)
    return sock


FLOWS = [(UDP, "192.0.2.9", "10.0.0.1", 53), (UDP, "192.0.2.9", "10.0.0.1", 54), (TCP, "192.0.2.9", "10.0.0.1", 53)]


def test_all_flows_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    head = bytes([socket.AF_INET, 0, 0, 0])
    sock = kernel(monkeypatch, [message(0x100, head + flow(*one))[:] for one in FLOWS])
    assert [(one.protocol, one.source, one.to, one.port) for one in conntrack.flows(4)] == FLOWS
    assert sock.asked == [(0x101, 0x300, head)]
    assert sock.closed


def test_flows_are_ended_by_name_and_one_that_ended_by_itself_is_as_good(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [conntrack._flow(flow(*one)) for one in FLOWS[:2]]
    sock = kernel(monkeypatch, errno.ENOENT, [])
    conntrack.end(6, [one for one in found if one])
    head = bytes([socket.AF_INET6, 0, 0, 0])
    assert sock.asked == [(0x102, ACK, head + tuple_of(*one)) for one in FLOWS[:2]]


@pytest.mark.parametrize(
    "act", [lambda: conntrack.flows(4), lambda: conntrack.end(4, [Flow(17, "", "", 0, "", 0, "")])]
)
def test_another_refusal_is_an_error_and_the_socket_is_closed(monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    sock = kernel(monkeypatch, errno.EPERM)
    with pytest.raises(OSError, match="not permitted"):
        act()
    assert sock.closed
