# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses and networks: every spelling is one value, in the kernel's own spelling."""

from __future__ import annotations

import ipaddress
import socket
from random import Random

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model import addressing
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid


def net(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(text)


def ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(text)


@pytest.mark.parametrize(
    ("network", "first", "last"),
    [
        ("10.0.0.0/16", "10.0.0.1", "10.0.255.254"),
        ("10.0.0.0/30", "10.0.0.1", "10.0.0.2"),
        ("10.0.0.0/31", "10.0.0.0", "10.0.0.1"),
        ("10.0.0.7/32", "10.0.0.7", "10.0.0.7"),
        ("fd00::/64", "fd00::1", "fd00::ffff:ffff:ffff:ffff"),
        ("fd00::/112", "fd00::1", "fd00::ffff"),
        ("fd00::/127", "fd00::", "fd00::1"),
        ("fd00::5/128", "fd00::5", "fd00::5"),
    ],
)
def test_d7_first_and_last_usable_address(network: str, first: str, last: str) -> None:
    assert addressing.usable(net(network)) == (ip(first), ip(last))
    assert addressing.default_gateway(net(network)) == ip(first)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("10.0.0.5/24", "10.0.0.5/24"),
        ("10.0.0.5/255.255.255.0", "10.0.0.5/24"),
        (" 10.0.0.5/24 ", "10.0.0.5/24"),
        ("FD00::0005/64", "fd00::5/64"),
        ("10.0.0.0/31", "10.0.0.0/31"),
    ],
)
def test_a5_spellings_of_an_address(text: str, canonical: str) -> None:
    assert str(addressing.interface(text, "address")) == canonical


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("10.0.0.5", "address: '10.0.0.5' has no prefix length; write it as ADDRESS/PREFIX, such as 172.17.0.2/16."),
        ("10.0.0.0/24", "address: 10.0.0.0 is the network address of 10.0.0.0/24; a host needs another one."),
        ("10.0.0.255/24", "address: 10.0.0.255 is the broadcast address of 10.0.0.0/24; a host needs another one."),
        ("224.0.0.1/24", "address: 224.0.0.1 is not an address a host can have."),
        ("::/64", "address: :: is not an address a host can have."),
    ],
)
def test_what_is_no_address_of_a_host(text: str, sentence: str) -> None:
    with pytest.raises(Invalid) as caught:
        addressing.interface(text, "address")
    assert str(caught.value) == sentence


EDGES = [
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "::ffff:0:5",
    "::1:5",
    "::2:0",
    "fe80::1",
    "fd00::",
    "1::",
    "2001:db8:0:1:1:1:1:1",
]


def test_an_address_is_spelled_as_the_kernel_spells_it() -> None:
    """Generated: any spelling of an address comes to what inet_ntop makes of its bytes, which stays as it is."""
    chance = Random("addresses")
    numbers = [int(ip(text)) for text in EDGES]
    for _round in range(500):
        number = chance.getrandbits(128)
        for _group in range(chance.randrange(8)):
            number &= ~(0xFFFF << 16 * chance.randrange(8))
        numbers.append(number)
    for number in numbers:
        raw = number.to_bytes(16, "big")
        kernel = socket.inet_ntop(socket.AF_INET6, raw)
        full = ipaddress.IPv6Address(raw).exploded
        for text in (kernel, full, full.upper(), f" {ipaddress.IPv6Address(raw)} "):
            assert addressing.ip(text, "address") == kernel
        assert addressing.cidr(f"{full}/128", "destination") == f"{kernel}/128"
        assert addressing.cidr(addressing.cidr(f"{full}/128", ""), "") == f"{kernel}/128"
    for number in (chance.getrandbits(32) for _round in range(100)):
        kernel = socket.inet_ntop(socket.AF_INET, number.to_bytes(4, "big"))
        assert addressing.ip(f" {kernel} ", "address") == addressing.ip(kernel, "address") == kernel


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("10.0.0.0/24", "10.0.0.0/24"),
        (" 10.0.0.0/255.255.255.0", "10.0.0.0/24"),
        ("10.0.0.0/0.0.0.255", "10.0.0.0/24"),
        ("10.0.0.7", "10.0.0.7/32"),
        ("FD00:0::/64", "fd00::/64"),
    ],
)
def test_spellings_of_a_network(text: str, canonical: str) -> None:
    assert addressing.cidr(text, "pool") == canonical
    assert addressing.cidr(canonical, "pool") == canonical


@pytest.mark.parametrize("text", ["", "10.0.0", "10.0.0.\u0661", "10.0.0.1/24", "1", "::g"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        addressing.ip(text, "gateway")
    assert str(caught.value) == f"gateway: '{text}' is not an IP address."


ZONE = ": an address here has no zone such as '%eth0'"
ZERO = ": a number in it begins with a zero, which some take for an octal one"


@pytest.mark.parametrize(
    ("text", "why"),
    [("fe80::1%eth0", ZONE), ("010.0.0.1", ZERO), ("10.0.0.01", ZERO), ("::ffff:10.00.0.1", ZERO)],
)
def test_what_only_some_take_for_an_address(text: str, why: str) -> None:
    """Python 3.8 reads zeros in front, and 3.9 zones."""
    with pytest.raises(Invalid) as caught:
        addressing.ip(text, "gateway")
    assert str(caught.value) == f"gateway: '{text}' is not an IP address{why}."
    for of in (addressing.cidr, addressing.interface):
        with pytest.raises(Invalid, match=why):
            of(f"{text}/32", "destination")


@pytest.mark.parametrize("text", ["10.0.0.0/\u00b2", "10.0.0.0/33", "fe80::%eth0/64", "10.0.0.1/24"])
def test_what_is_no_network(text: str) -> None:
    with pytest.raises(Invalid, match=r"is not a network such as 172\.17\.0\.0/16: "):
        addressing.cidr(text, "pool")
    with pytest.raises(Invalid):
        addressing.interface("fe80::1%eth0/64", "address")


@pytest.mark.parametrize("seed", range(10))
def test_what_a_network_holds_is_as_python_has_it(seed: int) -> None:
    chance = Random(seed)
    for _try in range(100):
        first, bits = chance.choice([(ip("10.0.0.0"), 32), (ip("fd00::"), 128)])
        where, other = (first + chance.randrange(1 << chance.choice([1, 8, 20])) for _number in range(2))
        cidr = f"{where}/{chance.randrange(bits + 1)}"
        assert addressing.holds(cidr, str(other)) == (other in ipaddress.ip_network(cidr, strict=False))
    assert not addressing.holds("0.0.0.0/0", "fd00::1")
    assert not addressing.holds("::/0", "10.0.0.1")
