# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What comes from outside may be any bytes: whoever reads some either understands them, leaves them out, or says that it does not."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import arp_nd
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import (
    addresses,
    codec,
    conntrack,
    links,
    routes,
    sock_diag,
    transport,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import (
    NetlinkError,
    attribute,
)
from ansible_collections.linuxnet.containers.tests.unit.netlink_wire import Answering, Wire, acknowledged, done, message

TRIES = 1500
IP4, IP6, MAC = bytes([10, 0, 0, 2]), bytes.fromhex("fd00") + bytes(14), b"\2\0\0\0\0\1"


def received(data: bytes) -> None:
    with Wire(data or b"\0", timeout=0.001) as wire:
        wire.dump(18, b"")


def dumped(read: Callable[..., Any], *arguments: Any) -> Callable[[bytes], Any]:
    return lambda data: read(Answering([data]), *arguments)


def hops(data: bytes) -> None:
    list(routes._nexthops(data))


# Who reads: a reader of bytes, and bytes that it understands.
LINK = (
    bytes(32)
    + attribute(3, b"br0\0")
    + attribute(4, bytes(4))
    + attribute(1, MAC)
    + attribute(18, attribute(1, b"bridge\0") + attribute(2, attribute(4, bytes(4)) + attribute(7, b"\1")))
)
PORT = (
    bytes(32)
    + attribute(3, b"web0\0")
    + attribute(5, bytes(4))
    + attribute(18, attribute(1, b"veth\0") + attribute(4, b"bridge\0") + attribute(5, attribute(3, bytes(4))))
)
SPEC = bytes(16) + b"\7" + bytes(15) + attribute(26, attribute(2, b"\0\0\1\0") + attribute(2, b"\6\0\2\0"))
HOPS = struct.pack("=HBBi", 16, 0, 0, 2) + attribute(5, IP4) + struct.pack("=HBBi", 8, 0, 0, 3)
ADDRESS = bytes(16) + struct.pack("=BBBBI", 2, 24, 0, 0, 2) + attribute(1, IP4) + attribute(2, IP4)
ADDRESS += attribute(3, b"eth0\0") + attribute(6, bytes(16)) + attribute(8, bytes(4))
ROUTE = bytes(16) + struct.pack("=BBBBBBBBI", 2, 24, 0, 0, 254, 4, 0, 1, 0) + attribute(1, IP4) + attribute(5, IP4)
ROUTE += attribute(8, attribute(2, bytes(4))) + attribute(9, HOPS) + attribute(15, bytes(4))
RULE = bytes(16) + struct.pack("=BBBBBBBBI", 2, 0, 32, 0, 254, 0, 0, 1, 0) + attribute(2, IP4) + attribute(6, bytes(4))
FLOW = attribute(1, attribute(1, attribute(2, IP4)) + attribute(2, attribute(1, b"\x11") + attribute(3, b"\0\5")))
LISTENER = (
    bytes([2, 10, 0, 0, 0, 80]) + bytes(66) + attribute(11, b"\1") + attribute(12, b"\2\0\0\0" + IP4 + bytes(120))
)
READERS: dict[str, tuple[Callable[[bytes], Any], bytes]] = {
    "a socket": (received, message(16, b"abcd") + done()),
    "a refusal": (received, acknowledged(code=-22, sentence=b"no", request=message(16, b"body"))),
    "the refusal of a dump": (received, done(code=-22, flags=0x202, more=attribute(1, b"no\0"))),
    "attributes": (transport.attributes, attribute(1, b"abc") + attribute(2, b"")),
    "a link": (lambda data: [dict(one.attributes) for one, _nsid in links.read_all(Answering([data]))], LINK),
    "a link by name": (dumped(links.read, "br0"), LINK),
    "a port": (lambda data: [dict(one.attributes) for one, _nsid in links.read_all(Answering([data]))], PORT),
    "the ports of a bridge": (dumped(links.read_ports, 7), PORT),
    "VLANs": (dumped(links.read_vlans, 0), SPEC),
    "an id": (dumped(links.nsid, 3), bytes(20) + attribute(1, bytes(4))),
    "an address": (dumped(addresses.read_all), ADDRESS),
    "a route": (lambda data: list(routes.read_all(Answering([data]), 4, 254, str)), ROUTE),
    "ways": (hops, HOPS),
    "a rule": (dumped(routes.read_policies, 4), RULE),
    "a flow": (conntrack._flow, FLOW),
    "a listener": (lambda data: list(sock_diag._listeners("tcp", data)), LISTENER),
    "ARP": (lambda data: arp_nd._answer(data, IP4, MAC), arp_nd._statement("10.0.0.2", b"\2" * 6)[1]),
    "neighbour discovery": (lambda data: arp_nd._answer(data, IP6, MAC), arp_nd._statement("fd00::", b"\2" * 6)[1]),
}


def spoiled(good: bytes, chance: random.Random) -> bytes:
    """Bytes that are cut short, changed in places, longer, or something else altogether."""
    data = bytearray(good)
    for _time in range(chance.randrange(4)):
        if data:
            data[chance.randrange(len(data))] = chance.choice((0, 1, 255, chance.randrange(256)))
    kind = chance.randrange(4)
    if kind == 0:
        return bytes(data[: chance.randrange(len(data) + 1)])
    if kind == 1:
        return bytes(data) + chance.randbytes(chance.randrange(40))
    return chance.randbytes(chance.randrange(120)) if kind == 2 else bytes(data)


@pytest.mark.parametrize("what", READERS)
def test_whatever_comes_in_is_read_left_out_or_refused_in_a_sentence(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    read, good = READERS[what]
    chance = random.Random(what)
    for _try in range(TRIES if read is not received else TRIES // 5):
        data = spoiled(good, chance)
        try:
            read(data)
        except NetlinkError:
            pass
        except Exception as error:
            raise AssertionError(f"{what}: {error!r} for {data.hex()}") from error


@pytest.mark.parametrize("what", READERS)
def test_no_end_of_it_need_be_there(what: str) -> None:
    read, good = READERS[what]
    for length in range(len(good)):
        try:
            read(good[:length])
        except NetlinkError:
            continue


@pytest.mark.parametrize("what", [name for name in READERS if "refusal" not in name])
def test_what_is_right_is_understood(what: str) -> None:
    """Else the others would prove nothing."""
    read, good = READERS[what]
    read(good)


def test_a_message_is_as_long_as_the_class_says() -> None:
    assert codec.codec_of(codec.ifinfmsg).header_bytes == 16
