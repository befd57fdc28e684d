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


def test_a_port_that_would_take_ipv6_away_from_its_bridge_is_refused(host: Host) -> None:
    """The bridge has the smallest MTU of its ports, of those that come and of those that are there; one of somebody else's is spared that by ports
    that fit it."""
    host.module("bridge", name="br0")
    host.run("ip addr add 10.0.0.1/24 dev br0; ip addr add fd00::1/64 dev br0 nodad")
    host.run(
        "ip link add p0 mtu 1000 type veth peer name p1; ip link add p2 type veth peer name p3; ip link set p2 master br0"
    )
    message = "the MTU of bridge 'br0' may fall as low, and the kernel takes away fd00::1, since IPv6 needs 1280; give the port that."
    host.refuses("bridge_port", message, bridge="br0", interface="p0")
    host.refuses("veth", message, name="v0", peer_name="v1", bridge="br0", mtu=1279)
    host.refuses("veth", message, name="p0", peer_name="p1", bridge="br0")
    host.refuses("veth", message, name="p2", peer_name="p3", bridge="br0", mtu=1279)
    host.settles("veth", name="v0", peer_name="v1", bridge="br0", mtu=1280)
    assert host.addresses("", "br0") == ["10.0.0.1/24", "fd00::1/64"]
    host.run("ip addr del fd00::1/64 dev br0")
    host.settles("bridge_port", bridge="br0", interface="p0")


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


def test_a_route_of_ipv6_needs_an_interface_that_carries_it(host: Host) -> None:
    """One without any address of it carries it, if its MTU is large enough."""
    host.run(
        "ip link add v0 type veth peer name v1; ip link set v0 up addrgenmode none; ip link set v1 up; ip addr flush dev v0"
    )
    ways: list[dict[str, Any]] = [{}, {"gateway": "fe80::7"}, {"gateway": "fd00::7", "onlink": True}]
    said = "interface: v0 in the host has an MTU of 1279 bytes, and IPv6 needs 1280; raise its MTU first."
    for way in ways:
        route = {"destination": "fd77::/64", "interface": "v0", **way}
        host.run("ip link set v0 mtu 1279")
        host.refuses("ns_route", said, **route)
        host.run("ip link set v0 mtu 1280")
        host.settles("ns_route", **route)
        host.module("ns_route", **route, state="absent")
    host.run("ip link set v0 mtu 1279")
    host.settles("ns_route", destination="10.77.0.0/16", interface="v0")


def test_a_route_of_ipv6_where_that_is_switched_off(host: Host) -> None:
    """Refused, but for interfaces on which an earlier task of check mode would have switched it on."""
    host.run("ip tuntap add t0 mode tap; ip link set t0 up; sysctl -qw net.ipv6.conf.t0.disable_ipv6=1")
    said = "interface: IPv6 is switched off on %s in %s; give it an IPv6 address first, or set the sysctl"
    host.refuses("ns_route", said % ("t0", "the host"), destination="fd77::/64", interface="t0")
    host.bridge("br0")
    host.container("web")
    host.run("ip netns exec web sysctl -qw net.ipv6.conf.all.disable_ipv6=1")
    route = {"netns": "web", "destination": "fd77::/64", "interface": "eth0"}
    host.misses("ns_route", said % ("eth0", "netns 'web'"), "IPv6 on eth0 in netns 'web'", **route)
    host.settles("ns_address", netns="web", interface="eth0", address="fd00::5/64")
    host.settles("ns_route", **route)


def test_onlink_goes_for_ways_with_a_gateway(host: Host) -> None:
    host.bridge("br0", "10.0.0.1/24")
    host.bridge("br1", "10.1.0.1/24")
    hops = [{"gateway": "10.9.0.1", "interface": "br0"}, {"interface": "br1"}]
    said = "onlink: it goes for each of the nexthops, and the one by br1 has no gateway."
    host.refuses("ns_route", said, destination="10.14.0.0/16", onlink=True, nexthops=hops)


def test_no_broadcast_is_none(host: Host) -> None:
    """An address of zeros takes one away; the kernel has none then."""
    host.bridge("br0")
    host.settles("ns_address", interface="br0", address="10.8.0.1/24", broadcast="10.8.0.255")
    none = host.settles("ns_address", interface="br0", address="10.8.0.1/24", broadcast="0.0.0.0")
    assert none["after"]["broadcast"] is None
    assert "broadcast" not in host.details("", "br0")[0]


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


def test_names_that_no_interface_that_is_there_has(host: Host) -> None:
    """`all` and `default`, which are the kernel's settings, are no interface for any option."""
    host.bridge("br0", "10.0.0.1/24")
    items: list[tuple[str, str, dict[str, Any]]] = [
        ("bridge_port", "bridge", {"interface": "br0"}),
        ("bridge_port", "interface", {"bridge": "br0"}),
        ("ns_address", "interface", {"address": "10.1.0.1/24"}),
        ("ns_address", "bridge", {"interface": "br0", "pool": "10.0.0.0/24"}),
        ("ns_route", "interface", {"destination": "10.9.0.0/16"}),
        ("nat", "out_interface", {"source": "10.0.0.0/24"}),
        ("nat", "bridge", {"type": "filter"}),
        ("veth", "bridge", {"name": "v0", "peer_name": "v1"}),
    ]
    for module, option, options in items:
        for name in ("all", "default"):
            host.refuses(module, f"{option}: '{name}' is not an interface name:", **options, **{option: name})
    hops = [{"gateway": "10.0.0.7", "interface": "all"}, {"gateway": "10.0.0.8"}]
    host.refuses("ns_route", "'all' is not an interface name:", nexthops=hops)


def test_the_loopback_is_no_name_for_what_is_made(host: Host) -> None:
    """It is in every namespace; each option that names a new interface says so before anything is made."""
    host.run("ip netns add web")
    net = {"name": "br0", "subnets": ["10.0.0.0/24"]}
    taken = "'lo' is the loopback interface, which every namespace has; take another name."
    for message, module, options in (
        ("name: ", "bridge", {"name": "lo"}),
        ("name: ", "veth", {"name": "lo", "peer_netns": "web"}),
        ("peer_name: ", "veth", {"peer_name": "lo", "peer_netns": "web"}),
        ("wiring_networks: ", "wiring", {"networks": [{**net, "name": "lo"}]}),
        ("wiring_containers: container 'db': interface: ", "wiring",
         {"networks": [net], "containers": [{"name": "db", "networks": [{"name": "br0", "interface": "lo"}]}]}),
        ("wiring_containers: container 'db': host_interface: ", "wiring",
         {"networks": [net], "containers": [{"name": "db", "networks": [{"name": "br0", "host_interface": "lo"}]}]}),
    ):  # fmt: skip
        host.refuses(module, message + taken, **options)


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
    return _some(
        chance,
        {"name": "br0"},
        mtu=[68, 1000, 1280, 9000, 65535],
        stp=[True, False],
        forward_delay=[0, 1, 199, 200, 1501, 3000, 3001, 4294967295],
        ageing_time=[0, 1, 4294967295],
        mac=["02:0:0:0:0:a", "fe:ff:ff:ff:ff:ff"],
        alias=["", "x" * 255],
        enabled=[True, False],
    )


def veth(chance: Random) -> dict[str, Any]:
    return _some(
        chance,
        {"name": "v0", "peer_netns": "web"},
        mtu=[68, 1279, 1280, 65535],
        tx_queue_len=[0, 1, 5000],
        mac=["02:00:00:00:00:0b"],
        peer_mac=["02:00:00:00:00:0c"],
        bridge=["br0", "br1", ""],
        enabled=[True, False],
        peer_enabled=[True, False],
        alias=["", "y" * 255],
        tx_checksum=[True, False],
    )


def bridge_port(chance: Random) -> dict[str, Any]:
    flags = {
        name: [True, False] for name in ("hairpin", "isolated", "learning", "flood", "neigh_suppress", "root_block")
    }
    return _some(chance, {"bridge": "br0", "interface": "v0"}, cost=[1, 65535], priority=[0, 63], **flags)


def ns_address(chance: Random) -> dict[str, Any]:
    address = chance.choice(
        [
            "10.0.0.7/24",
            "10.0.0.8/31",
            "10.0.0.9/32",
            "fd00::7/64",
            "fd00::/127",
            "fe80::7/64",
            "169.254.7.7/16",
            "127.0.0.9/8",
            "10.7.0.1/0",
            "fd00::9/0",
            "192.0.2.1/1",
        ]
    )
    more = {
        "label": ["eth0", "eth0:1"],
        "broadcast": ["10.0.0.255", "1.2.3.4"],
        "scope": ["global", "site", "link", "host"],
    }
    return _some(
        chance,
        {"netns": "web", "interface": "eth0", "address": address},
        valid_lft=[0, 1, 4000, "forever"],
        preferred_lft=[0, 1, 4000, "forever"],
        noprefixroute=[True, False],
        peer=["10.9.9.9", "10.9.9.9/24", "fd09::9"],
        exclusive=[True],
        **(more if "." in address else {}),
    )


def ns_route(chance: Random) -> dict[str, Any]:
    destination = chance.choice(
        [
            "default",
            "10.9.0.0/16",
            "10.9.9.9/32",
            "224.0.0.0/4",
            "127.9.0.0/16",
            "0.0.0.0/1",
            "fd09::/64",
            "::/0",
            "::/1",
            "fe80::/64",
            "ff00::/8",
            "255.255.255.255/32",
            "10.0.0.0/24",
            "fd00::/64",
        ]
    )
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
    return _some(
        chance,
        item,
        metric=[0, 1, 4294967295],
        table=["main", 100, 4294967295, "local", "default"],
        mtu=[0, 1, 1400, 65520],
        advmss=[0, 1, 65495],
        onlink=[True, False],
        scope=["global", "site", "link", "host", "nowhere"],
        source=["10.0.0.2", "fd00::2", "9.9.9.9"],
        type=["unicast", "blackhole", "unreachable", "prohibit", "throw"],
        family=["ipv4", "ipv6"],
    )


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
    host.run(
        "ip link add br1 type bridge; ip netns add web; ip -n web link set lo up; "
        "ip link add v0 type veth peer name eth0 netns web; ip link set v0 master br0 up; ip -n web link set eth0 up; "
        "ip -n web addr add 10.0.0.2/24 dev eth0; ip -n web addr add fd00::2/64 dev eth0 nodad"
    )
    wrong = []
    for number in range(ROUNDS):
        item = MAKERS[module](chance)
        if module in ("ns_address", "ns_route"):
            host.run(
                "ip -n web route flush table all proto 76; ip -n web -6 route flush table all proto 76", check=False
            )
        if module == "ns_address":
            host.run(
                "ip -n web -4 addr flush dev eth0; ip -n web -6 addr flush dev eth0; ip -n web addr add 10.0.0.2/24 dev eth0; "
                "ip -n web addr add fd00::2/64 dev eth0 nodad",
                check=False,
            )
        foreseen, done, again = (host.result(module, check=check, **item) for check in (True, False, False))
        says = [result.get("msg") if result.get("failed") else result["changed"] for result in (foreseen, done, again)]
        missing = bool(foreseen.get("warnings")) and "is in no on-link subnet" in str(done.get("msg"))
        if BARE.search(f"{says}") or (says[:2] != [says[0]] * 2 and not missing):
            wrong.append(f"{number} {item}: {says}")
        elif not done.get("failed") and (again["changed"] or settled(again["before"]) != settled(done["after"])):
            wrong.append(f"{number} {item}: {says}\n{done['after']}\n{again['before']}")
    assert not wrong, "\n".join(wrong)
