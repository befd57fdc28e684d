# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses: what the kernel's messages say of them, and what it is sent."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import addresses, codec, transport
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import NetlinkError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import FOREVER, Address
from ansible_collections.linuxnet.containers.tests.unit.netlink_wire import Answering, by_class
from pyroute2.netlink.rtnl.ndmsg import ndmsg

INET, INET6, MCTP = 2, 10, 45
PLAIN = Address("10.0.0.2", 24, 4, label="eth0", broadcast="10.0.0.255", protocol=76)
LINK_LOCAL = Address("fe80::1", 64, 6, scope="link", valid_lft=60, preferred_lft=30)
MESSAGES: dict[Address, tuple[dict[str, int], list[tuple[str, Any]]]] = {
    PLAIN: (
        {"family": INET, "prefixlen": 24, "index": 2},
        [
            ("IFA_ADDRESS", "10.0.0.2"),
            ("IFA_LOCAL", "10.0.0.2"),
            ("IFA_LABEL", "eth0"),
            ("IFA_BROADCAST", "10.0.0.255"),
            ("IFA_PROTO", 76),
        ],
    ),
    LINK_LOCAL: (
        {"family": INET6, "prefixlen": 64, "index": 2, "scope": 253},
        [
            ("IFA_ADDRESS", "fe80::1"),
            ("IFA_CACHEINFO", {"ifa_preferred": 30, "ifa_valid": 60, "cstamp": 0, "tstamp": 0}),
        ],
    ),
    Address("10.0.0.2", 32, 4, peer="10.0.0.9"): (
        {"family": INET, "prefixlen": 32, "index": 2},
        [("IFA_ADDRESS", "10.0.0.9"), ("IFA_LOCAL", "10.0.0.2")],
    ),
}


def message(fields: dict[str, int], attrs: list[tuple[str, Any]]) -> bytes:
    return by_class(codec.addressmsg, fields, attrs)


@pytest.mark.parametrize("address", MESSAGES, ids=str)
def test_an_address_is_read(address: Address) -> None:
    [(index, found)] = addresses.read_all(Answering([message(*MESSAGES[address])]))
    assert (index, found, found.protocol) == (2, address, address.protocol)


def test_each_of_many_that_are_alike_is_itself() -> None:
    listed: list[tuple[int, Address]] = []
    messages = []
    for number in range(60):
        family, ip = (INET, f"10.0.0.{number}") if number % 3 else (INET6, f"fd00::{number + 1:x}")
        index, protocol, peer = (
            2 + number % 2,
            76 * (number % 5 == 0),
            "10.9.9.9" if number % 7 == 1 and number % 3 else "",
        )
        attrs = [("IFA_ADDRESS", peer or ip), *([("IFA_LOCAL", ip)] if family == INET else []), ("IFA_PROTO", protocol)]
        messages.append(message({"family": family, "prefixlen": 24, "index": index}, attrs))
        listed.append((index, Address(ip, 24, 4 if family == INET else 6, peer, protocol=protocol)))
    found = addresses.read_all(Answering(messages))
    assert found == listed
    assert [one.protocol for _index, one in found] == [one.protocol for _index, one in listed]
    assert [str(one.parsed) for _index, one in found] == [one.ip for _index, one in listed]


def test_what_only_the_kernel_sets_is_in_the_flags() -> None:
    fields = {"family": INET6, "prefixlen": 64, "index": 2, "flags": 0x48}
    attrs = [("IFA_ADDRESS", "fd00::1")]
    [(_index, short)] = addresses.read_all(Answering([message(fields, attrs)]))
    [(_index, long)] = addresses.read_all(Answering([message(fields, [*attrs, ("IFA_FLAGS", 0x203)])]))
    assert (short.tentative, short.dadfailed, short.noprefixroute, short.secondary) == (True, True, False, False)
    assert (long.tentative, long.nodad, long.noprefixroute, long.secondary) == (False, True, True, True)


def test_a_deprecated_address_without_an_end_is_preferred_no_longer() -> None:
    """The kernel says of its preferred lifetime that it has no end."""
    fields, attrs = {"family": INET, "prefixlen": 16, "index": 2}, [("IFA_LOCAL", "10.0.0.2"), ("IFA_FLAGS", 0xA0)]
    [(_index, found)] = addresses.read_all(Answering([message(fields, attrs)]))
    assert (found.valid_lft, found.preferred_lft) == (4294967295, 0)


def test_families_that_are_not_ip_s_are_left_out() -> None:
    """A dump has them all; a server's management controller speaks MCTP."""
    strange = message({"family": MCTP, "index": 2}, [])
    found = addresses.read_all(Answering([strange, message(*MESSAGES[PLAIN])]))
    assert [one for _index, one in found] == [PLAIN]


def test_another_namespace_is_asked_by_its_id() -> None:
    sock = Answering([])
    assert addresses.read_all(sock, 3) == []
    assert sock.read(codec.addressmsg).get_attr("IFA_TARGET_NETNSID") == 3


def test_one_that_is_just_going_has_none() -> None:
    assert addresses.read_all(Answering(errno.EINVAL), 3) == []
    with pytest.raises(NetlinkError):
        addresses.read_all(Answering(errno.EINVAL))
    with pytest.raises(NetlinkError):
        addresses.read_all(Answering(errno.EPERM), 3)


@pytest.mark.parametrize(("replaces", "flag"), [(False, transport.EXCL), (True, transport.REPLACE)])
@pytest.mark.parametrize("address", MESSAGES, ids=str)
def test_an_address_is_written_as_it_is_read(address: Address, replaces: bool, flag: int) -> None:
    sock = Answering()
    addresses.put(sock, 2, address, replaces)
    [(kind, flags, body)] = sock.asked
    assert (kind, flags) == (20, transport.ACK | transport.CREATE | flag)
    assert addresses.read_all(Answering([bytes(16) + body])) == [(2, address)]


def test_flags_are_written_in_both_places() -> None:
    sock = Answering()
    addresses.put(sock, 2, Address("fd00::1", 64, 6, nodad=True, noprefixroute=True), False)
    sent = sock.read(codec.addressmsg)
    assert (sent["flags"], sent.get_attr("IFA_FLAGS")) == (0x02, 0x202)
    assert sent.get_attr("IFA_CACHEINFO")["ifa_valid"] == FOREVER


def test_an_address_is_removed_by_what_it_is() -> None:
    sock = Answering()
    addresses.delete(sock, 2, Address("10.0.0.2", 32, 4, peer="10.0.0.9"))
    sent = sock.read(codec.addressmsg)
    assert (sock.asked[0][0], sent["index"], sent["prefixlen"]) == (21, 2, 32)
    assert sorted((name, sent.get_attr(name)) for name in sent.names()) == [
        ("IFA_ADDRESS", "10.0.0.9"),
        ("IFA_LOCAL", "10.0.0.2"),
    ]


def test_the_kernel_announces_by_looking_for_its_own_address() -> None:
    sock = Answering()
    addresses.announce(sock, 2, "10.0.0.2")
    assert [kind for kind, _flags, _body in sock.asked] == [28, 29]
    for place, flags in ((0, 1), (1, 0)):
        sent = sock.read(ndmsg, place)
        assert (sent["ifindex"], sent["flags"], sent.get_attr("NDA_DST")) == (2, flags, "10.0.0.2")
