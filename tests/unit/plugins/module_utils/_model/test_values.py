# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every spelling of a value is one value, and what is one already stays as it is."""

from __future__ import annotations

import random

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model import values
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid


@pytest.mark.parametrize("text", ["02:42:AC:11:00:02", "02-42-ac-11-00-02", " 02:42:ac:11:00:02 "])
def test_a5_spellings_of_a_mac(text):
    assert values.mac(text, "mac") == "02:42:ac:11:00:02"


@pytest.mark.parametrize("text", ["", "02:42:ac:11:00", "02:42:ac:11:00:zz", "0242ac110002", "02:42:ac:11:00:02:03"])
def test_what_is_no_mac(text):
    with pytest.raises(Invalid, match="is not a MAC address such as 02:42:ac:11:00:02"):
        values.mac(text, "mac")


@pytest.mark.parametrize("text", ["01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"])
def test_a_mac_that_no_interface_can_have(text):
    with pytest.raises(Invalid, match="multicast or empty"):
        values.mac(text, "mac")


@pytest.mark.parametrize(("text", "meant"), [("auto", "auto"), ("1500", 1500), (" 1500 ", 1500), (1500, 1500)])
def test_spellings_of_an_mtu(text: object, meant: object) -> None:
    assert values.mtu(text, "mtu") == meant
    assert values.mtu(meant, "mtu") == meant


@pytest.mark.parametrize("text", ["", "big", "-1", "1.5", "\u00b2", "0x5dc"])
def test_what_is_no_mtu(text: str) -> None:
    with pytest.raises(Invalid, match="is neither 'auto' nor a number of bytes"):
        values.mtu(text, "mtu")


SAME = [
    ("net.ipv4.ip_local_reserved_ports", ["8080,8081", "8080-8081", "8081, 8080", "8080 8081", "8080-8080,8081"], "8080-8081"),
    ("net.ipv4.ip_local_reserved_ports", ["1,3,2,10-12,11-20", "1-3,10-20\n"], "1-3,10-20"),
    ("net.ipv4.ip_local_reserved_ports", ["", "\n"], ""),
    ("net.ipv4.conf.all.rp_filter", ["0x1", "1", "01", "0X1", "001\n"], "1"),
    ("net.ipv4.conf.all.rp_filter", ["-1", "-0x1"], "-1"),
    ("net.ipv4.tcp_rmem", ["4096 131072 6291456", "4096\t131072\t6291456", "0x1000 131072 6291456"], "4096 131072 6291456"),
    ("net/ipv4/ping_group_range", ["0 2147483647", "0\t2147483647"], "0 2147483647"),
    ("net.ipv4.tcp_congestion_control", ["cubic", "cubic\n"], "cubic"),
    ("net.ipv6.conf.default.stable_secret", ["2001:db8::1", "2001:0DB8:0::1"], "2001:0db8:0000:0000:0000:0000:0000:0001"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "spellings", "canonical"), SAME, ids=lambda value: str(value)[:30])
def test_spellings_of_a_sysctl(key: str, spellings: list[str], canonical: str) -> None:
    assert {values.sysctl(key, text) for text in spellings} == {canonical}
    assert values.sysctl(key, canonical) == canonical


def test_what_the_kernel_would_not_take_for_a_number_stays() -> None:
    """08 is no octal number, and a device's name is no number at all; the kernel says what it thinks of them."""
    for text in ("08", "1a", "eth0", "yes", "8080-", "a,b"):
        assert values.sysctl("net.ipv4.ip_local_reserved_ports", text) == text
        assert values.sysctl("net.core.default_qdisc", text) == text


def test_any_set_of_ports_has_one_spelling() -> None:
    """Generated: the same ports in any order, in one piece or many, are one text, which is its own canonical form."""
    chance = random.Random(4)
    for _round in range(300):
        ports = {chance.randrange(1, 40) for _number in range(chance.randrange(1, 25))}
        pieces = [f"{port}-{port}" if chance.random() < 0.3 else str(port) for port in ports]
        chance.shuffle(pieces)
        once = values.sysctl("net.ipv4.ip_local_reserved_ports", chance.choice([",", ", ", " "]).join(pieces))
        assert once == values.sysctl("net.ipv4.ip_local_reserved_ports", ",".join(map(str, sorted(ports))))
        assert once == values.sysctl("net.ipv4.ip_local_reserved_ports", once)
        spans = [part.split("-") for part in once.split(",")]
        assert {port for span in spans for port in range(int(span[0]), int(span[-1]) + 1)} == ports
