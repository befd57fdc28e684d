# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Meaning, not text: a value in any spelling is that value, what the kernel holds then is what was asked for, and no spelling is changed
into another by a second run. Generated; the seed is the test's name."""

from __future__ import annotations

import ipaddress
import socket
from random import Random
from typing import Any

import pytest
from wires import Host

ROUNDS = 12  # of each test: a module call for each spelling


def ipv6(chance: Random) -> int:
    """An address, now and then one of the forms that are written with an IPv4 address in them."""
    start = chance.choice(
        ["::ffff:0:0", "::", "64:ff9b::", "2001:db8::", "fd00:0:0:1::", "::ffff:0:0:0", "2001:0:0:1::"]
    )
    return int(ipaddress.IPv6Address(start)) | chance.choice([chance.getrandbits(32), chance.getrandbits(16) << 16, 7])


def spelled(chance: Random, number: int) -> str:
    """An IPv6 address in one of the many ways that mean it."""
    raw = number.to_bytes(16, "big")
    groups = [f"{int.from_bytes(raw[at : at + 2], 'big'):0{chance.randrange(1, 5)}x}" for at in range(0, 16, 2)]
    full = ":".join(groups)
    ways = [full, full.upper(), ipaddress.IPv6Address(raw).compressed, socket.inet_ntop(socket.AF_INET6, raw)]
    ways.append(":".join(groups[:6]) + ":" + socket.inet_ntop(socket.AF_INET, raw[12:]))
    return chance.choice(ways)


def kernels(number: int) -> str:
    return socket.inet_ntop(socket.AF_INET6, number.to_bytes(16, "big"))


@pytest.fixture
def plain(host: Host) -> Host:
    host.bridge("br0", "10.0.0.1/24", "fd00::1/64")
    return host


def test_destinations(plain: Host) -> None:
    """Also the addresses that Python spells otherwise than the kernel: what was set is found again, and goes."""
    chance = Random("destinations")
    for _round in range(ROUNDS):
        length = chance.choice([128, 128, 120, 112, 96])
        number = ipv6(chance) >> 128 - length << 128 - length
        ways = [f"{spelled(chance, number)}/{length}" for _way in range(3)]
        common: dict[str, Any] = {"gateway": spelled(chance, int(ipaddress.IPv6Address("fd00::9")))}
        done = plain.settles("ns_route", destination=ways[0], **common)
        wanted = "default" if not length else f"{kernels(number)}/{length}"
        assert (done["after"]["destination"], done["after"]["gateway"]) == (wanted, "fd00::9")
        assert not plain.module("ns_route", destination=ways[1], **common)["changed"]
        assert plain.module("ns_route", destination=ways[2], state="absent")["before"] == done["after"]
    assert plain.run("ip -6 route show proto 76").stdout == ""


def test_addresses(plain: Host) -> None:
    chance = Random("addresses")
    for _round in range(ROUNDS):
        number = ipv6(chance) & ~0xFF | chance.randrange(1, 255)
        ways = [f" {spelled(chance, number)}/{chance.choice(['120', '0120'])}" for _way in range(3)]
        done = plain.settles("ns_address", interface="br0", address=ways[0])
        assert done["after"]["ip"] == kernels(number)
        assert f"{kernels(number)}/120" in plain.addresses("", "br0")
        assert not plain.module("ns_address", interface="br0", address=ways[1])["changed"]
        assert plain.module("ns_address", interface="br0", address=ways[2], state="absent")["changed"]
    assert plain.addresses("", "br0") == ["10.0.0.1/24", "fd00::1/64"]


def test_addresses_in_rules(plain: Host, backend: str) -> None:
    chance = Random("rules")
    for _round in range(3):
        net = ipv6(chance) >> 24 << 24
        to = ipv6(chance) & ~0xFF | 9
        ways: list[dict[str, Any]] = [
            {
                "source": f"{spelled(chance, net)}/104",
                "to_address": spelled(chance, to),
                "exclude": [spelled(chance, to)],
            }
            for _way in range(2)
        ]
        common: dict[str, Any] = {"backend": backend, "out_interface": "!br0", "type": "snat"}
        assert plain.settles("nat", **common, **ways[0])["after"]["to_address"] == kernels(to)
        assert not plain.module("nat", **common, **ways[1])["changed"]
        assert plain.module("nat", state="absent", **common, **ways[1])["changed"]
        port: dict[str, Any] = {"type": "dnat", "host_port": "80", "backend": backend}
        mapped: list[dict[str, Any]] = [
            {"host_ip": spelled(chance, net | 1), "to_address": spelled(chance, to)} for _way in range(2)
        ]
        assert plain.settles("nat", **port, **mapped[0])["after"]["to_address"] == kernels(to)
        assert not plain.module("nat", **port, **mapped[1])["changed"]
        assert plain.module("nat", state="absent", **port, **mapped[1])["changed"]


def test_mac_addresses(plain: Host) -> None:
    chance = Random("macs")
    for _round in range(ROUNDS):
        parts = [2, *(chance.choice([chance.randrange(256), 5]) for _part in range(5))]
        digits = "".join(f"{part:02x}" for part in parts)
        kernel = ":".join(f"{part:02x}" for part in parts)
        ways = [kernel, kernel.upper(), kernel.replace(":", "-"), f" {':'.join(f'{part:x}' for part in parts)}"]
        ways += ["-".join(f"{part:X}" for part in parts), ".".join(digits[at : at + 4] for at in (0, 4, 8))]
        assert plain.settles("bridge", name="br0", mac=ways.pop(chance.randrange(len(ways))))["after"]["mac"] == kernel
        assert plain.ip("link show br0")[0]["address"] == kernel
        assert not plain.module("bridge", aggregate=[{"name": "br0", "mac": way} for way in ways])["changed"]


SYSCTLS: list[tuple[str, list[Any]]] = [
    (
        "net.ipv4.ip_local_port_range",
        ["20000 30000", "20000\t30000", " 20000   30000\n", "0x4e20 30000", "047040 30000"],
    ),
    ("net/ipv4/ip_forward", [1, "1", True, " 1 ", "0x1", "01"]),
    ("net.ipv4.ip_local_reserved_ports", ["8080-8082", "8082,8080,8081", "8080-8081, 8082"]),
    ("net.ipv4.icmp_ratelimit", ["1001", 1001, "0x3e9", "1001 5"]),
    ("net.ipv6.conf.lo.hop_limit", ["65", 65, "0x41"]),
    ("net.ipv4.tcp_congestion_control", ["reno", " reno", "reno\n"]),
]


@pytest.mark.parametrize(("key", "ways"), SYSCTLS, ids=lambda value: value if isinstance(value, str) else "")
def test_sysctls(host: Host, key: str, ways: list[Any]) -> None:
    host.run("ip netns add web")
    host.module("netns", name="web", sysctls={key: ways[0]})
    dotted = key.replace("/", ".")
    for way in ways[1:]:
        for spelling in (dotted, dotted.replace(".", "/")):
            assert not host.module("netns", name="web", sysctls={spelling: way})["changed"], (spelling, way)


def test_numbers_as_texts(plain: Host) -> None:
    """Options that are numbers take them as texts and with blanks, as do those that may be a word."""
    plain.run("ip link add p0 type veth peer name p1 && ip link set p0 master br0")
    cases: list[tuple[str, dict[str, Any]]] = [
        ("bridge", {"name": "br0", "mtu": 1400, "forward_delay": 1600, "ageing_time": 200}),
        ("bridge_port", {"bridge": "br0", "interface": "p0", "cost": 7, "priority": 9}),
        ("ns_route", {"interface": "br0", "destination": "10.9.0.0/16", "metric": 7, "mtu": 1300, "table": 100}),
        ("ns_address", {"interface": "br0", "address": "10.0.0.8/24", "valid_lft": 4294967295}),
        ("nat", {"type": "dnat", "host_port": 80, "to_port": 8080, "to_address": "10.0.0.9"}),
    ]
    for module, options in cases:
        plain.module(module, **options)
        for form in ("{}", " {} ", "0{}"):
            texts: dict[str, Any] = {
                name: form.format(value) if isinstance(value, int) else value for name, value in options.items()
            }
            assert not plain.module(module, **texts)["changed"], texts


NO_NUMBERS: list[tuple[str, dict[str, Any], str]] = [
    ("bridge", {"name": "br0", "forward_delay": float("inf")}, "forward_delay: 'inf' is not a whole number."),
    ("bridge", {"name": "br0", "forward_delay": "-Infinity"}, "forward_delay: '-Infinity' is not a whole number."),
    ("bridge", {"name": "br0", "mtu": float("inf")}, "mtu: 'inf' is neither 'auto' nor a number of bytes."),
    ("bridge", {"name": "br0", "mtu": "²"}, "mtu: '²' is neither 'auto' nor a number of bytes."),
    ("ns_route", {"interface": "br0", "metric": float("inf")}, "metric: 'inf' is not a whole number."),
    (
        "ns_route",
        {"nexthops": [{"interface": "br0", "weight": float("inf")}]},
        "nexthops: weight: 'inf' is not a whole number.",
    ),
    ("netns", {"name": "web", "pid": float("inf")}, "pid: 'inf' is not a whole number."),
    ("bridge_port", {"bridge": "br0", "interface": "p0", "vlans": [{"vid": "²"}]}, "vlans: vid '²' is neither"),
    ("bridge_port", {"bridge": "br0", "interface": "p0", "cost": float("inf")}, "cost: 'inf' is not a whole number."),
    ("nat", {"type": "dnat", "to_address": "10.0.0.9", "host_port": "²"}, "host_port: '²' is neither a port"),
]


@pytest.mark.parametrize(("module", "options", "message"), NO_NUMBERS, ids=lambda value: str(value)[:40])
def test_what_is_no_number(plain: Host, module: str, options: dict[str, Any], message: str) -> None:
    """A sentence, also where Ansible's own conversion stumbles; alone and in an aggregate."""
    plain.refuses(module, message, **options)
    plain.refuses(module, f"aggregate item 1: {message.split(': ')[0]}", aggregate=[options])


NAMES = ["job@dev-disk\\x2d1.service", "a b", 'q"q', "p|p", "l" * 200, "\u00e4" * 60, "50%"]


def test_containers_with_any_name_are_wired_published_and_purged(host: Host, backend: str) -> None:
    """What is legal as a name is no reason to refuse it, whatever a rule's comment can carry."""
    lists: dict[str, Any] = {
        "networks": [{"name": "br0", "subnets": ["10.0.0.0/24"]}],
        "containers": [{"name": name, "published_ports": [f"{8000 + number}:80"]} for number, name in enumerate(NAMES)],
        "firewall_backend": backend,
    }
    done = host.module("wiring", **lists)
    for number, name in enumerate(NAMES):
        ports = done["wiring_result"][name]["published_ports"]
        assert [port["host_port"] for port in ports] == [str(8000 + number)], name
    assert not host.module("wiring", **lists)["changed"]
    fewer = {**lists, "containers": [], "purge": True}
    assert host.module("wiring", **fewer)["changed"]
    assert not host.module("wiring", **fewer)["changed"]
    assert host.run("ip netns").stdout == ""
    assert not [rule for rule in host.module("wiring_info", gather=["nat"])["wiring"]["nat"] if rule["type"] == "dnat"]
