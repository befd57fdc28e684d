# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel's limits are known beforehand: bounds that hang on another option or on what there is, values that it rounds or cuts off, what
it takes along. Whatever a module accepts the kernel takes, and holds as it was asked."""

from __future__ import annotations

import re
from random import Random
from typing import Any

import pytest
from wires import Host

ROUNDS = 25  # of the generated test: as many tasks, each in check mode, for real and again
DELAY = "forward_delay: %d is out of bounds; with stp it must be from 200 to 3000 (2 to 30 seconds)."


def held(host: Host, name: str = "br0") -> dict[str, Any]:
    found: dict[str, Any] = host.ip(f"-d link show {name}")[0]["linkinfo"]["info_data"]
    return found


# --- bounds that hang on another option, or on what there is ---


@pytest.mark.parametrize("delay", [0, 100, 198, 3002, 30000])
def test_the_forwarding_delay_has_bounds_only_with_stp(host: Host, delay: int) -> None:
    host.refuses("bridge", DELAY % delay, name="br0", stp=True, forward_delay=delay)
    host.settles("bridge", name="br0", forward_delay=delay)
    assert held(host)["forward_delay"] == delay
    host.refuses("bridge", DELAY % delay, name="br0", stp=True, forward_delay=delay)
    on = host.settles("bridge", name="br0", stp=True)
    assert on["after"]["forward_delay"] == held(host)["forward_delay"] == (200 if delay < 200 else 3000)
    host.refuses("bridge", DELAY % delay, name="br0", forward_delay=delay)
    host.settles("bridge", name="br0", stp=False, forward_delay=delay)
    assert (held(host)["forward_delay"], held(host)["stp_state"]) == (delay, 0)
    host.settles("bridge", name="br0", stp=True, forward_delay=1600)


def test_what_fails_later_leaves_the_delay_as_it_was(host: Host) -> None:
    """Taken back in an order in which the kernel takes it: with a delay that it would not, while stp runs."""
    host.run("ip link add br0 type bridge forward_delay 100")
    before = held(host)["forward_delay"], held(host)["stp_state"]
    host.run("ip link add p0 type veth peer name p1 && ip link set p0 master br0")
    host.module("bridge", name="br0", stp=True, forward_delay=400)
    host.module("bridge", name="br0", stp=False, forward_delay=100)
    assert (held(host)["forward_delay"], held(host)["stp_state"]) == before


# --- what is rounded ---


@pytest.mark.parametrize("option", ["forward_delay", "ageing_time"])
def test_times_are_what_every_kernel_can_hold(host: Host, option: str) -> None:
    host.run("ip link add br0 type bridge")
    for value in (199, 1, 333, 4294967295, 1500):
        after = host.settles("bridge", name="br0", **{option: value})["after"][option]
        assert after == value // 2 * 2
        assert after == held(host)[option]


# --- IPv6 and the MTU ---


def test_an_address_of_ipv6_needs_an_mtu_of_1280(host: Host) -> None:
    host.bridge("br0", "10.0.0.1/24")
    host.container("web", "10.0.0.2/24")
    host.run("ip link set br0 mtu 1279; ip -n web link set eth0 mtu 1279")
    message = "has an MTU of 1279 bytes, and IPv6 needs 1280; raise its MTU first."
    host.refuses("ns_address", message, interface="br0", address="fd00::1/64")
    host.refuses("ns_address", message, interface="eth0", netns="web", pool="fd00::/64", bridge="br0")
    host.settles("ns_address", interface="br0", address="10.0.1.1/24")
    host.run("ip link set br0 mtu 1280")
    host.settles("ns_address", interface="br0", address="fd00::1/64")


def test_an_mtu_that_would_take_ipv6_away_is_refused(host: Host) -> None:
    host.bridge("br0", "10.0.0.1/24", "fd00::1/64")
    host.module("netns", name="web")
    host.module("veth", name="v0", peer_netns="web", bridge="br0")
    host.module("ns_address", netns="web", interface="eth0", address="fd00::2/64")
    message = "mtu: with 1000 bytes the kernel takes away %s, since IPv6 needs 1280; remove that address first."
    host.refuses("bridge", message % "fd00::1", name="br0", mtu=1000)
    host.refuses("veth", message % "fd00::2", name="v0", peer_netns="web", mtu=1000)
    host.settles("bridge", name="br0", mtu=1280)
    host.settles("veth", name="v0", peer_netns="web", mtu=1280)
    host.run("ip -n web addr del fd00::2/64 dev eth0; ip addr del fd00::1/64 dev br0")
    host.settles("veth", name="v0", peer_netns="web", mtu=1000)
    host.settles("bridge", name="br0", mtu=1000)
    host.settles("bridge", name="br1", mtu=1000)


# --- IPv6 that is off ---


def test_ipv6_is_switched_on_for_what_we_make_on_a_host_where_it_is_off(host: Host) -> None:
    host.run("sysctl -qw net.ipv6.conf.default.disable_ipv6=1")
    try:
        dual: dict[str, Any] = {
            "networks": [{"name": "br0", "subnets": ["10.0.0.0/24", "fd00::/64"]}],
            "containers": [{"name": "web"}],
        }
        foreseen, done, again = (host.module("wiring", check=check, **dual) for check in (True, False, False))
        assert (foreseen["changed"], done["changed"], again["changed"]) == (True, True, False)
        assert "fd00::1/64" in host.addresses("", "br0")
        assert host.ping("web", "fd00::1")
        assert host.run("sysctl -n net.ipv6.conf.default.disable_ipv6").stdout == "1\n"
        host.run("ip link add p0 type veth peer name p1")
        host.settles("ns_address", interface="p0", address="fd01::1/64")
    finally:
        host.run("sysctl -qw net.ipv6.conf.default.disable_ipv6=0")
    message = "address: IPv6 is switched off on lo of the host; set the sysctl net/ipv6/conf/lo/disable_ipv6 to 0 first"
    host.run("sysctl -qw net.ipv6.conf.lo.disable_ipv6=1")
    try:
        host.refuses("ns_address", message, interface="lo", address="fd02::1/128")
    finally:
        host.run("sysctl -qw net.ipv6.conf.lo.disable_ipv6=0")


# --- names and texts ---

NAMES = ["all", "default", "a\u00a0b", "\u00e0", "a b", "a/b", "a:b", ".", "..", "a%d", "", "x" * 16, "\u00e4" * 8]


def test_names_that_no_interface_can_have(host: Host) -> None:
    host.run("ip netns add web")
    for module, make in (
        ("bridge", lambda name: {"name": name}),
        ("veth", lambda name: {"name": name, "peer_netns": "web"}),
        ("veth", lambda name: {"peer_name": name, "peer_netns": "web"}),
        ("wiring", lambda name: {"networks": [{"name": name or " ", "subnets": ["10.0.0.0/24"]}]}),
        ("wiring", lambda name: {"networks": [{"name": "br0", "subnets": ["10.0.0.0/24"]}],
                                 "containers": [{"name": "web", "networks": [{"name": "br0", "interface": name or " "}]}]}),
    ):  # fmt: skip
        host.all_refused(module, {}, [(make(name), "name") for name in NAMES if name or module != "wiring"])


def test_an_alias_has_at_most_255_bytes(host: Host) -> None:
    host.run("ip netns add web")
    for text in ("x" * 255, "\u00e4" * 127 + "x", ""):
        host.settles("bridge", name="br0", alias=text)
        host.settles("veth", name="v0", peer_netns="web", alias=text)
        assert host.ip("link show br0")[0].get("ifalias", "") == text
    for text in ("x" * 256, "\u00e4" * 128):
        message = "alias: it is 256 bytes long; the kernel keeps a text of at most 255 bytes."
        host.refuses("bridge", message, name="br0", alias=text)
        host.refuses("veth", message, name="v0", peer_netns="web", alias=text)
    host.refuses("bridge", "alias: it has a NUL in it", name="br0", alias="a\0b")


# --- generated: what a module accepts, the kernel takes ---


def _some(chance: Random, item: dict[str, Any], **choices: list[Any]) -> dict[str, Any]:
    return {**item, **{name: chance.choice(values) for name, values in choices.items() if chance.random() < 0.35}}


def bridge(chance: Random) -> dict[str, Any]:
    return _some(chance, {"name": "br0"}, mtu=[68, 1000, 1280, 9000, 65535], stp=[True, False],
        forward_delay=[0, 1, 199, 200, 1501, 3000, 3001, 4294967295], ageing_time=[0, 1, 4294967295],
        mac=["02:0:0:0:0:a", "fe:ff:ff:ff:ff:ff"], alias=["", "x" * 255], enabled=[True, False])  # fmt: skip


def veth(chance: Random) -> dict[str, Any]:
    return _some(chance, {"name": "v0", "peer_netns": "web"}, mtu=[68, 1279, 1280, 65535], tx_queue_len=[0, 1, 5000],
        mac=["02:00:00:00:00:0b"], peer_mac=["02:00:00:00:00:0c"], bridge=["br0", "br1", ""], enabled=[True, False],
        peer_enabled=[True, False], alias=["", "y" * 255], tx_checksum=[True, False])  # fmt: skip


def bridge_port(chance: Random) -> dict[str, Any]:
    flags = {
        name: [True, False] for name in ("hairpin", "isolated", "learning", "flood", "neigh_suppress", "root_block")
    }
    return _some(chance, {"bridge": "br0", "interface": "v0"}, cost=[1, 65535], priority=[0, 63], **flags)


def ns_address(chance: Random) -> dict[str, Any]:
    address = chance.choice(["10.0.0.7/24", "10.0.0.8/31", "10.0.0.9/32", "fd00::7/64", "fd00::/127", "fe80::7/64",
                             "169.254.7.7/16", "127.0.0.9/8", "10.7.0.1/0", "fd00::9/0", "192.0.2.1/1"])  # fmt: skip
    more = {
        "label": ["eth0", "eth0:1"],
        "broadcast": ["10.0.0.255", "1.2.3.4"],
        "scope": ["global", "site", "link", "host"],
    }
    return _some(chance, {"netns": "web", "interface": "eth0", "address": address}, valid_lft=[0, 1, 4000, "forever"],
        preferred_lft=[0, 1, 4000, "forever"], noprefixroute=[True, False], peer=["10.9.9.9", "10.9.9.9/24", "fd09::9"],
        exclusive=[True], **(more if "." in address else {}))  # fmt: skip


def ns_route(chance: Random) -> dict[str, Any]:
    destination = chance.choice(["default", "10.9.0.0/16", "10.9.9.9/32", "224.0.0.0/4", "127.9.0.0/16", "0.0.0.0/1", "fd09::/64",
                                 "::/0", "::/1", "fe80::/64", "ff00::/8", "255.255.255.255/32", "10.0.0.0/24", "fd00::/64"])  # fmt: skip
    gateway = [
        "10.0.0.1",
        "10.0.0.2",
        "fd00::1",
        "fd00::2",
        "fe80::1",
        "10.0.0.255",
        "10.0.0.0",
        "9.9.9.9",
        "169.254.1.1",
    ]
    item: dict[str, Any] = {"netns": "web", "destination": destination}
    if chance.random() < 0.25:
        hops = [{"gateway": "10.0.0.1"}, {"gateway": "10.0.0.3", "weight": 256}, {"interface": "eth0"}, {"interface": "lo"},
                {"gateway": "fd00::1"}, {"gateway": "fe80::1", "interface": "eth0"}, {"gateway": "fd00::3", "weight": 9}]  # fmt: skip
        item["nexthops"] = chance.sample(hops, 2)
    else:
        item = _some(chance, item, gateway=gateway, interface=["eth0", "lo"])
    return _some(chance, item, metric=[0, 1, 4294967295], table=["main", 100, 4294967295, "local", "default"], mtu=[0, 1, 1400, 65520],
        advmss=[0, 1, 65495], onlink=[True, False], scope=["global", "site", "link", "host", "nowhere"],
        source=["10.0.0.2", "fd00::2", "9.9.9.9"], type=["unicast", "blackhole", "unreachable", "prohibit", "throw"],
        family=["ipv4", "ipv6"])  # fmt: skip


def settled(item: dict[str, Any]) -> dict[str, Any]:
    """What is, without the seconds that run down."""
    return {name: value for name, value in item.items() if not (name.endswith("_lft") and value != "forever")}


MAKERS = {"bridge": bridge, "veth": veth, "bridge_port": bridge_port, "ns_address": ns_address, "ns_route": ns_route}
# The kernel's own words for what cannot be known: none of those that say that a value is out of bounds or makes no sense.
BARE = re.compile(
    r"Could not .*(Invalid argument|Numerical result|No such process|File exists|not supported|Argument list)"
)


@pytest.mark.parametrize("module", list(MAKERS))
def test_what_is_accepted_the_kernel_takes(host: Host, module: str) -> None:
    """Generated: with parents that are there, check mode says what the run does, and nothing ends in a bare errno."""
    chance = Random(f"limits of {module}")
    host.bridge("br0")
    host.run("ip link add br1 type bridge; ip netns add web; ip -n web link set lo up; "
             "ip link add v0 type veth peer name eth0 netns web; ip link set v0 master br0 up; ip -n web link set eth0 up; "
             "ip -n web addr add 10.0.0.2/24 dev eth0; ip -n web addr add fd00::2/64 dev eth0 nodad")  # fmt: skip
    wrong = []
    for number in range(ROUNDS):
        item = MAKERS[module](chance)
        if module in ("ns_address", "ns_route"):
            host.run(
                "ip -n web route flush table all proto 76; ip -n web -6 route flush table all proto 76", check=False
            )
        if module == "ns_address":
            host.run("ip -n web -4 addr flush dev eth0; ip -n web -6 addr flush dev eth0; ip -n web addr add 10.0.0.2/24 dev eth0; "
                     "ip -n web addr add fd00::2/64 dev eth0 nodad", check=False)  # fmt: skip
        foreseen, done, again = (host.result(module, check=check, **item) for check in (True, False, False))
        says = [result.get("msg") if result.get("failed") else result["changed"] for result in (foreseen, done, again)]
        missing = bool(foreseen.get("warnings")) and "is in no on-link subnet" in str(done.get("msg"))
        if BARE.search(f"{says}") or (says[:2] != [says[0]] * 2 and not missing):
            wrong.append(f"{number} {item}: {says}")
        elif not done.get("failed") and (again["changed"] or settled(again["before"]) != settled(done["after"])):
            wrong.append(f"{number} {item}: {says}\n{done['after']}\n{again['before']}")
    assert not wrong, "\n".join(wrong)
