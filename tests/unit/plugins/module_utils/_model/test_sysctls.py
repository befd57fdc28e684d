# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sysctls: every spelling of a value is one text, the kernel's own; what the kernel makes of a value is known beforehand."""

from __future__ import annotations

import random
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model import sysctls
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid

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
    assert {sysctls.canonical(key, text) for text in spellings} == {canonical}
    assert sysctls.canonical(key, canonical) == canonical


def test_what_the_kernel_would_not_take_for_a_number_stays() -> None:
    """08 is no octal number, and a device's name is no number at all; the kernel says what it thinks of them."""
    for text in ("08", "1a", "eth0", "yes", "8080-", "a,b"):
        assert sysctls.canonical("net.ipv4.ip_local_reserved_ports", text) == text
        assert sysctls.canonical("net.core.default_qdisc", text) == text


def test_any_set_of_ports_has_one_spelling() -> None:
    """Generated: the same ports in any order, in one piece or many, are one text, which is its own canonical form."""
    chance = random.Random(4)
    for _round in range(300):
        ports = {chance.randrange(1, 40) for _number in range(chance.randrange(1, 25))}
        pieces = [f"{port}-{port}" if chance.random() < 0.3 else str(port) for port in ports]
        chance.shuffle(pieces)
        once = sysctls.canonical("net.ipv4.ip_local_reserved_ports", chance.choice([",", ", ", " "]).join(pieces))
        assert once == sysctls.canonical("net.ipv4.ip_local_reserved_ports", ",".join(map(str, sorted(ports))))
        assert once == sysctls.canonical("net.ipv4.ip_local_reserved_ports", once)
        spans = [part.split("-") for part in once.split(",")]
        assert {port for span in spans for port in range(int(span[0]), int(span[-1]) + 1)} == ports


FORMS = [
    ("net.ipv4.tcp_fastopen_key", ["A-B-C-D", "0xa-0b-C-d", "0000000a-0000000b-0000000c-0000000d"],
     "0000000a-0000000b-0000000c-0000000d"),
    ("net.ipv4.tcp_fastopen_key", ["1-2-3-4,5-6-7-8"],
     "00000001-00000002-00000003-00000004,00000005-00000006-00000007-00000008"),
    ("net.core.rps_default_mask", ["f", "F", "0f", "00000000,0000000f"], "f"),
    ("net.core.flow_limit_cpu_bitmap", ["1,00000000", "100000000", "0,1,00000000"], "1,00000000"),
    ("net.core.rps_default_mask", ["0", "00", "00000000,00000000"], "0"),
    ("net.bridge.bridge-nf-call-iptables", ["2", "1", "-1", "0x10"], "1"),
    ("net.bridge.bridge-nf-call-iptables", ["0", "00", "-0"], "0"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "spellings", "canonical"), FORMS, ids=lambda value: str(value)[:30])
def test_keys_that_have_a_form_of_their_own(key: str, spellings: list[str], canonical: str) -> None:
    assert {sysctls.canonical(key, text) for text in spellings} == {canonical}
    assert {sysctls.canonical(key.replace(".", "/"), text) for text in [*spellings, canonical]} == {canonical}


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("net.ipv4.tcp_fastopen_key", "a-b-nonsense"),
        ("net.core.rps_default_mask", "cpu0"),
        ("net.bridge.bridge-nf-call-iptables", "yes"),
        ("net.ipv6.conf.default.stable_secret", "secret"),
    ],
)
def test_what_is_not_of_the_form_stays_for_the_kernel_to_refuse(key: str, text: str) -> None:
    assert sysctls.canonical(key, text) == text


@pytest.mark.parametrize(
    ("value", "text"), [(1, "1"), (True, "1"), (False, "0"), (" 1\n", "1"), ("20000\t30000", "20000 30000")]
)
def test_what_a_user_gives(value: Any, text: str) -> None:
    assert sysctls.sysctl("net.ipv4.ip_forward", value) == text
    assert sysctls.sysctl("net.ipv4.ip_forward", text) == text


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("kernel.hostname", "x", "'kernel.hostname' is not a key of a network namespace; those begin with 'net.'."),
        ("net.ipv4...x", "1", "'net.ipv4...x' is not a key of a network namespace; those begin with 'net.'."),
        ("net.ipv4.x", "", "'net.ipv4.x' needs a value, a number or a text."),
        ("net.ipv4.x", None, "'net.ipv4.x' needs a value, a number or a text."),
        ("net.ipv4.x", [1], "'net.ipv4.x' needs a value, a number or a text."),
        ("net.ipv4.x", "yes", "'net.ipv4.x' cannot be 'yes'; the kernel's switches are 1 and 0."),
        ("net.ipv4.x", "True", "'net.ipv4.x' cannot be 'True'; the kernel's switches are 1 and 0."),
        ("net.ipv4.x", "\u00b2", "'net.ipv4.x' has a character that no sysctl has: '\\xb2'."),
        ("net.ipv4.x", "1\0", "'net.ipv4.x' has a character that no sysctl has: '1\\x00'."),
    ],
)
def test_what_no_sysctl_can_be(key: str, value: Any, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        sysctls.sysctl(key, value)
    assert str(caught.value) == f"sysctls: {message}"


@pytest.mark.parametrize(
    ("key", "wanted", "now", "shown"),
    [
        ("net.ipv4.ip_forward", "1", "0", "1"),
        ("net.ipv4.ip_forward", "1 2", "0", "1"),
        ("net.ipv4.ip_local_port_range", "20000", "32768 60999", "20000 60999"),
        ("net.ipv4.tcp_rmem", "1 2 3 4", "4096 131072 6291456", "1 2 3"),
        ("net.ipv4.ip_local_reserved_ports", "80", "", "80"),
        ("net.ipv4.ip_local_reserved_ports", "80-81", "80", "80-81"),
        ("net.ipv4.tcp_congestion_control", "cubic", "reno", "cubic"),
        # A kernel of 250 ticks a second, as tried: milliseconds are rounded up, hundredths of a second down.
        ("net.ipv4.icmp_ratelimit", "1001", "1004", "1004"),
        ("net.ipv4.neigh.default.retrans_time_ms", "2", "4", "4"),
        ("net.ipv6.icmp.ratelimit", "101", "104", "104"),
        ("net.ipv6.conf.all.mldv1_unsolicited_report_interval", "999", "1000", "1000"),
        ("net.ipv4.neigh.default.proxy_delay", "81", "80", "80"),
        ("net.ipv4.neigh.default.anycast_delay", "3", "2", "2"),
        ("net.ipv4.icmp_ratelimit", "1001", "1000", "1001"),
        ("net.ipv4.icmp_ratelimit", "1000", "1004", "1000"),
        ("net.ipv4.tcp_rto_max_ms", "1001", "1004", "1001"),
    ],
)
def test_what_the_kernel_shows_once_a_value_is_written(key: str, wanted: str, now: str, shown: str) -> None:
    assert sysctls.written(key, wanted, now) == shown
    assert sysctls.written(key, wanted, shown) == shown, "the second run writes nothing"


@pytest.mark.parametrize(
    ("key", "interface", "whole"),
    [
        ("net.ipv4.conf.eth0.arp_notify", "eth0", "net.ipv4.conf.eth0.arp_notify"),
        ("net/ipv4/conf/eth0/arp_notify", "eth0", "net.ipv4.conf.eth0.arp_notify"),
        ("net.ipv4.conf.eth0/10.arp_notify", "eth0.10", "net.ipv4.conf.eth0/10.arp_notify"),
        ("net/ipv4/conf/eth0.10/arp_notify", "eth0.10", "net.ipv4.conf.eth0/10.arp_notify"),
        ("net.ipv4.conf.eth0.10.arp_notify", "eth0.10", "net.ipv4.conf.eth0/10.arp_notify"),
        ("net.ipv6.conf.eth0.disable_ipv6", "eth0", "net.ipv6.conf.eth0.disable_ipv6"),
        ("net.ipv4.neigh.eth0.gc_stale_time", "eth0", "net.ipv4.neigh.eth0.gc_stale_time"),
        ("net.ipv6.neigh.lo.gc_stale_time", "lo", "net.ipv6.neigh.lo.gc_stale_time"),
        ("net.mpls.conf.eth0.input", "eth0", "net.mpls.conf.eth0.input"),
        ("net.ipv4.conf.all.arp_notify", "", "net.ipv4.conf.all.arp_notify"),
        ("net.ipv4.neigh.default.gc_stale_time", "", "net.ipv4.neigh.default.gc_stale_time"),
        ("net.ipv4.ip_forward", "", "net.ipv4.ip_forward"),
        ("net/core/somaxconn", "", "net.core.somaxconn"),
    ],
)
def test_the_interface_that_a_sysctl_is_of(key: str, interface: str, whole: str) -> None:
    assert (sysctls.interface_of(key), sysctls.key_of(key)) == (interface, whole)


def test_the_same_sysctl_of_another_interface() -> None:
    assert sysctls.key_of("net/ipv4/conf/eth0.10/arp_notify", "default") == "net.ipv4.conf.default.arp_notify"
    assert sysctls.key_of("net.ipv4.conf.eth0.arp_notify", "eth1.5") == "net.ipv4.conf.eth1/5.arp_notify"


def test_sysctls_are_given_once() -> None:
    assert sysctls.sysctls({"net.ipv4.ip_forward": True}) == {"net.ipv4.ip_forward": "1"}
    with pytest.raises(
        Invalid, match=r"'net\.ipv4\.conf\.a\.b\.arp_notify' and 'net/ipv4/conf/a\.b/arp_notify' are the same key"
    ):
        sysctls.sysctls({"net.ipv4.conf.a.b.arp_notify": 1, "net/ipv4/conf/a.b/arp_notify": 1})
