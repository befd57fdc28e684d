# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Frames of ARP and neighbour discovery. That neighbours understand them is in tests/module/test_ns_address_neighbours.py."""

from __future__ import annotations

import concurrent.futures
import contextlib
import errno
import ipaddress
import socket
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import arp_nd, namespaces
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import Announce
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, NsRef

MAC, OTHER = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
IP4, IP6 = ipaddress.ip_address("10.0.0.2").packed, ipaddress.ip_address("fd00::2").packed


# --- frames ---


def test_an_arp_probe_asks_everybody_from_nobody() -> None:
    """RFC 5227: the sender's address is all zeroes, so that nobody learns it."""
    ethertype, frame = arp_nd._question("10.0.0.2", MAC)
    assert (ethertype, frame[:14]) == (0x0806, b"\xff" * 6 + MAC + b"\x08\x06")
    assert frame[14:] == bytes.fromhex("0001080006040001") + MAC + bytes(4) + bytes(6) + IP4


def test_a_gratuitous_arp_has_the_address_twice() -> None:
    ethertype, frame = arp_nd._statement("10.0.0.2", MAC)
    assert ethertype == 0x0806
    assert frame[14:] == bytes.fromhex("0001080006040001") + MAC + IP4 + bytes(6) + IP4


def test_a_solicitation_goes_to_those_who_may_have_the_address() -> None:
    ethertype, frame = arp_nd._question("fd00::12:3456", MAC)
    packet = frame[14:]
    assert (ethertype, frame[:14]) == (0x86DD, bytes.fromhex("3333ff123456") + MAC + b"\x86\xdd")
    assert packet[7] == 255  # RFC 4861: what has passed a router is ignored
    assert ipaddress.ip_address(packet[8:24]).is_unspecified
    assert str(ipaddress.ip_address(packet[24:40])) == "ff02::1:ff12:3456"
    assert (packet[40], packet[48:64], len(packet)) == (135, ipaddress.ip_address("fd00::12:3456").packed, 64)


def test_an_advertisement_overrides_and_has_the_mac_address() -> None:
    _ethertype, frame = arp_nd._statement("fd00::2", MAC)
    packet = frame[14:]
    assert frame[:6] == bytes.fromhex("333300000001")
    assert packet[40:42] == b"\x88\0"
    assert packet[44:48] == bytes.fromhex("20000000")
    assert packet[64:] == b"\2\1" + MAC


@pytest.mark.parametrize("make", [arp_nd._question, arp_nd._statement])
@pytest.mark.parametrize("ip", ["fd00::2", "fe80::ffff:ffff:ffff:ffff", "ff::1"])
def test_the_checksum_is_right(make: Callable[..., Any], ip: str) -> None:
    """With its own checksum the sum of all is all ones (RFC 1071)."""
    packet = make(ip, MAC)[1][14:]
    body = packet[40:]
    pseudo = packet[8:40] + struct.pack("!II", len(body), packet[6]) + body
    total = sum(struct.unpack(f"!{len(pseudo) // 2}H", pseudo))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert (total, packet[4:6]) == (0xFFFF, struct.pack("!H", len(body)))


# --- answers ---


def arp_reply(sender: bytes = OTHER, ip: bytes = IP4) -> bytes:
    return MAC + sender + b"\x08\x06" + bytes.fromhex("0001080006040002") + sender + ip + MAC + bytes(4)


def advertisement(ip: str = "fd00::2", sender: bytes = OTHER) -> bytes:
    return arp_nd._statement(ip, sender)[1]


def test_an_answer_tells_who_has_the_address() -> None:
    assert arp_nd._answer(arp_reply(), IP4, MAC) == OTHER
    assert arp_nd._answer(advertisement(), IP6, MAC) == OTHER


@pytest.mark.parametrize(
    ("frame", "ip"),
    [
        (arp_reply(sender=MAC), IP4),
        (arp_reply(ip=bytes([10, 0, 0, 3])), IP4),
        (arp_reply(), IP6),
        (advertisement(sender=MAC), IP6),
        (advertisement("fd00::3"), IP6),
        (advertisement(), IP4),
        (arp_nd._question("fd00::2", OTHER)[1], IP6),
    ],
)
def test_own_frames_and_those_of_other_addresses_are_none(frame: bytes, ip: bytes) -> None:
    assert arp_nd._answer(frame, ip, MAC) is None


@pytest.mark.parametrize("frame", [arp_reply(), advertisement()])
def test_a_frame_that_is_cut_short_is_ignored(frame: bytes) -> None:
    """An ICMPv6 frame without payload is one of these."""
    ip = IP4 if len(frame) == 42 else IP6
    least = 42 if ip == IP4 else 78
    found = {length: arp_nd._answer(frame[:length], ip, MAC) for length in range(len(frame) + 1)}
    assert [length for length, mac in found.items() if mac is not None] == list(range(least, len(frame) + 1))


# --- asking ---


class Wire:
    """A packet socket: what it will receive, None for nothing within the time."""

    def __init__(self, *frames: bytes | None) -> None:
        self.frames = list(frames)
        self.sent: list[bytes] = []
        self.bound: tuple[str, int] | None = None

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_args: None) -> None:
        self.frames = []

    def bind(self, where: tuple[str, int]) -> None:
        self.bound = where

    def send(self, frame: bytes) -> None:
        self.sent.append(frame)

    def settimeout(self, seconds: float) -> None:
        assert 0 < seconds <= 0.2

    def recv(self, _size: int) -> bytes:
        frame = self.frames.pop(0) if self.frames else None
        if frame is None:
            raise TimeoutError
        return frame


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    found = Wire()
    monkeypatch.setattr(socket, "socket", lambda *_args: found)
    return found


def test_it_asks_twice_and_nobody_answers(wire: Wire) -> None:
    assert arp_nd.who_has("eth0", "02:00:00:00:00:01", "10.0.0.2") is None
    assert wire.sent == [arp_nd._question("10.0.0.2", MAC)[1]] * 2
    assert wire.bound == ("eth0", 0x0806)


def test_the_first_answer_ends_it_whatever_else_is_on_the_wire(wire: Wire) -> None:
    wire.frames = [b"", arp_reply(ip=IP4[::-1]), None, advertisement()[:54], arp_reply()]
    assert arp_nd.who_has("eth0", "02:00:00:00:00:01", "10.0.0.2") == "02:00:00:00:00:02"
    assert len(wire.sent) == 2


def test_a_wire_that_is_never_silent_does_not_hold_it_up(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock) / 10)
    wire.frames = [b"noise"] * 1000
    assert arp_nd.who_has("eth0", "02:00:00:00:00:01", "fd00::2") is None


@pytest.mark.parametrize("mac", ["", "00:00", "0a:00:00:01", ":".join(["00"] * 20), "what is this"])
def test_where_there_is_no_ethernet_nobody_is_asked(wire: Wire, mac: str) -> None:
    """A tunnel has four bytes for an address, InfiniBand twenty, WireGuard none."""
    assert arp_nd.who_has("wg0", mac, "10.0.0.2") is None
    assert wire.sent == []


def test_an_interface_whose_name_python_does_not_take_is_not_asked_on(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "bind", lambda where: where[0].encode())
    assert arp_nd.who_has("\udcff", "02:00:00:00:00:01", "10.0.0.2") is None
    assert wire.sent == []


# --- the kernel with neighbours ---


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[arp_nd.Kernel]:
    monkeypatch.setattr(namespaces, "entered", lambda _fd: contextlib.nullcontext())  # which needs privileges
    with arp_nd.Kernel() as found:
        yield found


def test_an_announcement_that_fails_is_no_failure(kernel: arp_nd.Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (OSError(errno.ENETDOWN, "Network is down"), UnicodeEncodeError("utf-8", "\udcff", 0, 1, "no")):
        monkeypatch.setattr(arp_nd, "announce", Mock(side_effect=error))
        for ip, family, shared in (("fd00::2", 6, False), ("10.0.0.2", 4, True), ("10.0.0.2", 4, False)):
            kernel.apply(Announce(HOST, "no such", ip, family, shared))


@pytest.mark.parametrize("threads", [True, False])
def test_the_socket_that_sent_is_closed_by_the_end(monkeypatch: pytest.MonkeyPatch, threads: bool) -> None:
    def refuse(*_args: object) -> None:
        raise RuntimeError("can't start new thread")

    if not threads:
        monkeypatch.setattr(concurrent.futures.ThreadPoolExecutor, "submit", refuse)
    near, _far = socket.socketpair()
    monkeypatch.setattr(namespaces, "entered", lambda _fd: contextlib.nullcontext())
    monkeypatch.setattr(arp_nd, "announce", lambda _interface, _ip: near)
    with arp_nd.Kernel() as kernel:
        kernel.apply(Announce(HOST, "lo", "fd00::2", 6))
    assert near.fileno() == -1


def test_one_question_goes_out_in_the_namespace(kernel: arp_nd.Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arp_nd, "who_has", lambda *question: question)
    asked: Any = kernel.who_has(kernel.own, "eth0", "mac", "10.0.0.2")
    assert asked == ("eth0", "mac", "10.0.0.2")


def test_a_namespace_that_is_gone_is_a_failure(kernel: arp_nd.Kernel) -> None:
    gone = Announce(NsRef("/nowhere/gone"), "eth0", "10.0.0.2", 4)
    with pytest.raises(
        KernelError, match=r"^Could not announce 10\.0\.0\.2 from eth0 in netns '/nowhere/gone': No such"
    ):
        kernel.apply(gone)
