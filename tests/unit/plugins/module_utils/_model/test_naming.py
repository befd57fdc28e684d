# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names and addresses that are derived, never stored."""

from __future__ import annotations

import re
from random import Random

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model import naming
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid


def test_c2_ten_thousand_containers_have_ten_thousand_names() -> None:
    """C2: among them ids of 64 characters that share the first 12."""
    names = [f"web{number}" for number in range(5000)]
    names += ["0123456789ab" + f"{number:052x}" for number in range(5000)]
    derived = [naming.host_interface("/run/netns/" + name, "eth0") for name in names]
    assert len(set(derived)) == 10000
    assert all(re.fullmatch("veth[a-z2-7]{11}", name) for name in derived)
    assert derived == [naming.host_interface("/run/netns/" + name, "eth0") for name in names]


def test_c2_a_name_stays_the_same_in_every_version() -> None:
    assert naming.host_interface("/run/netns/web", "eth0") == "vethzvxkcem3eqk"
    assert naming.host_interface("/run/netns/web", "eth1") != "vethzvxkcem3eqk"
    # The parts are kept apart.
    assert naming.host_interface("/run/netns/webeth", "0") != naming.host_interface("/run/netns/web", "eth0")


def test_a_mac_is_local_and_unicast_and_of_its_host() -> None:
    found = {naming.mac(host, "veth", f"web{number}") for host in ("a", "b") for number in range(1000)}
    assert len(found) == 2000
    for mac in found:
        assert re.fullmatch("[0-9a-f]{2}(:[0-9a-f]{2}){5}", mac)
        assert int(mac[:2], 16) & 3 == 2
    assert naming.mac("a", "veth") == naming.mac("a", "veth")


PARTS = [("bridge", "", "br0"), ("veth", "/run/netns/web", "eth0", "own"), ("veth", "/run/netns/web", "eth0", "peer")]
# As release 0.2.0 derived them, on a host with this identity.
OLD_HOST = "00112233445566778899aabbccddeeffold-name"
OLD = ["8a:3e:03:e8:d2:e2", "ee:74:1f:46:cc:35", "76:79:76:78:63:2e"]


def test_an_address_of_ours_is_known_by_any_host_and_for_its_parts_only() -> None:
    """Each checks itself: no host has to know what it, or another one, was called when the address was derived."""
    names = [(*parts[:-1], f"{parts[-1]}{number}") for parts in PARTS for number in range(60)]
    for number, parts in enumerate(names):
        mac = naming.mac(f"host {number}", *parts)
        assert naming.is_own(mac, "", *parts)
        assert naming.is_own(mac, "another host", *parts)
    strangers = sum(
        naming.is_own(naming.mac("host", *parts), "host", *other)
        for parts in names
        for other in names
        if parts is not other
    )
    assert strangers < 10, "of 32 220 one in 65 536 by chance"


def test_an_address_that_somebody_changed_is_not_ours() -> None:
    mac = naming.mac("host", *PARTS[0])
    kept = 0
    for bit in range(48):
        raw = int(mac.replace(":", ""), 16) ^ 1 << bit
        other = ":".join(f"{raw:012x}"[place : place + 2] for place in range(0, 12, 2))
        kept += naming.is_own(other, "host", *PARTS[0])
    assert kept == 0


@pytest.mark.parametrize(
    "mac", [None, "", "02:42:ac:11:00:02", "x", "02:00:00:00:00", "AA:BB:CC:DD:EE:FF", "0x:00:00:00:00:00"]
)
def test_what_is_no_address_or_somebody_else_s_is_not_ours(mac: str | None) -> None:
    assert not naming.is_own(mac, "host", *PARTS[0])


def test_random_addresses_are_not_ours() -> None:
    """Linux gives a bridge a random one of the same form."""
    chance = Random("addresses")
    found = [bytes([chance.randrange(256) & 0xFC | 2, *chance.randbytes(5)]).hex(":") for dummy in range(20000)]
    assert sum(naming.is_own(mac, "host", *PARTS[0]) for mac in found) < 10


@pytest.mark.parametrize(("parts", "mac"), zip(PARTS, OLD, strict=True))
def test_an_address_that_release_0_2_0_derived_is_known_as_long_as_the_host_has_its_name(
    parts: tuple[str, ...], mac: str
) -> None:
    assert naming.is_own(mac, OLD_HOST, *parts)
    assert not naming.is_own(mac, "00112233445566778899aabbccddeeffnew-name", *parts)
    assert not naming.is_own(mac, OLD_HOST, *parts[:-1], "another")


@pytest.mark.parametrize("name", ["eth0", "a", "br-0123456789ab", "veth.100", "gr\u00fcn"])
def test_names_that_the_kernel_takes(name: str) -> None:
    assert naming.interface_name(name, "name") == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a:b", "a b", "a\tb", "eth%d", "a\0b", "a\nb"])
def test_names_that_the_kernel_refuses(name: str) -> None:
    with pytest.raises(Invalid, match="is not an interface name"):
        naming.interface_name(name, "name")


def test_a_long_name_is_counted_in_bytes() -> None:
    with pytest.raises(Invalid, match="is 16 bytes long; an interface name has at most 15"):
        naming.interface_name("a234567890123456", "name")
    with pytest.raises(Invalid, match="is 16 bytes long"):
        naming.interface_name("\u00fc" * 8, "name")


@pytest.mark.parametrize("name", ["web", "1234", "web.1", "-x", "a b", "x" * 255])
def test_names_of_namespaces(name: str) -> None:
    assert naming.netns_name(name, "name") == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0b", " web", "web\n", "x" * 256])
def test_what_is_no_name_of_a_namespace(name: str) -> None:
    with pytest.raises(Invalid, match="it must be a file name for /run/netns"):
        naming.netns_name(name, "name")


def test_the_search_for_an_address_starts_within_the_pool() -> None:
    places = [naming.sticky_offset(f"web{number}/eth0", 7) for number in range(200)]
    assert set(places) == set(range(7))
    assert places == [naming.sticky_offset(f"web{number}/eth0", 7) for number in range(200)]


@pytest.mark.parametrize("name", ["\u00e0", "a\u00a0", "\ud800"])
def test_names_that_look_right_and_that_the_kernel_does_not_take(name: str) -> None:
    """The kernel takes the byte 0xa0 for white space, which is part of some letters in UTF-8; half a surrogate pair is no bytes."""
    with pytest.raises(Invalid, match="is not an interface name"):
        naming.interface_name(name, "name")


@pytest.mark.parametrize("name", ["\u00e9", "\u540d", "eth0.5", "a\x01", "-x", "up", "a\u2003b", "\udce4"])
def test_odd_names_that_the_kernel_takes(name: str) -> None:
    assert naming.interface_name(naming.interface_name(name, "name"), "name") == name


@pytest.mark.parametrize("name", ["\ud800", "a\0b", "\u540d" * 86])
def test_what_can_be_no_file_name(name: str) -> None:
    with pytest.raises(Invalid, match="is not a namespace name"):
        naming.netns_name(name, "name")


@pytest.mark.parametrize(
    ("key", "canonical"),
    [
        ("net.ipv4.ip_forward", "net.ipv4.ip_forward"),
        ("net/ipv4/ip_forward", "net.ipv4.ip_forward"),
        ("net/ipv4/conf/eth0.5/arp_ignore", "net.ipv4.conf.eth0/5.arp_ignore"),
        ("net.ipv4.conf.eth0/5.arp_ignore", "net.ipv4.conf.eth0/5.arp_ignore"),
    ],
)
def test_a_sysctl_has_one_key(key: str, canonical: str) -> None:
    assert naming.sysctl_key(key) == naming.sysctl_key(canonical) == canonical


def test_a_name_that_is_no_utf_8_has_a_name_of_its_own() -> None:
    """The kernel takes any bytes, and a container may have called its interface so; as an option such a name is refused."""
    assert naming.host_interface("/run/netns/web", "\udcff") != naming.host_interface("/run/netns/web", "\udcfe")


@pytest.mark.parametrize(
    ("above", "least"),
    [("", "fe:"), ("02:00:00:00:00:01", "fe:"), ("fe:ff:ff:fe:ff:ff", "fe:ff:ff:ff:"), ("fd:00:00:00:00:00", "fe:")],
)
def test_a_high_address_is_above_another_and_ours(above: str, least: str) -> None:
    found = naming.high_mac("one", above, "veth", "/run/netns/web", "eth0", "own")
    assert found > above
    assert found.startswith(least)
    assert naming.is_own(found, "two", "veth", "/run/netns/web", "eth0", "own")
    assert not naming.is_own(found, "two", "veth", "/run/netns/db", "eth0", "own")


OWNERS = [
    "job@dev-disk\\x2d1.service",
    "job@dev-disk_x2d1.service",
    "a b",
    "a_b",
    "a|b",
    'a"b',
    "x" * 102,
    "x" * 101 + "y",
    "\u00e4" * 60,
    "a\udcff",
]


def test_any_name_can_own_rules_and_is_told_from_any_other() -> None:
    marks = [naming.owner_mark(owner) for owner in OWNERS]
    assert len(set(marks)) == len(OWNERS)
    for owner, mark in zip(OWNERS, marks, strict=True):
        assert len(mark.encode()) <= naming.OWNER_BYTES
        assert not set(mark) & set(' "|\\\0')
        assert naming.owner_mark(mark) == mark, "what is read back means the same"
        assert (mark == owner) == (owner in ("job@dev-disk_x2d1.service", "a_b"))
    for owner in ("web", "docker0", "\u00e9", "x" * 101, "a~b", "50%"):
        assert naming.owner_mark(owner) == owner
