# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ns_address and the neighbours: who has an address already, who is told about a new one, and what is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
from wires import Host, warnings

WEB: dict[str, Any] = {"netns": "web", "interface": "eth0"}


@pytest.fixture(autouse=True)
def containers(host: Host) -> None:
    """A bridge with addresses of both families and two containers: web has none, db has .9."""
    host.bridge("br0", "172.17.0.1/16", "fd00:17::1/64")
    host.container("web")
    host.container("db", "172.17.0.9/16", "fd00:17::9/64")


def mac(host: Host, netns: str) -> str:
    return str(host.ip(f"-n {netns} link show dev eth0")[0]["address"])


def printer(host: Host, *addresses: str) -> None:
    """A machine that this host knows nothing of: its cable ends in a switch that is connected to the bridge."""
    host.container("switch")
    host.run(
        "ip -n switch link add ports type bridge && ip -n switch link set ports up && "
        "ip -n switch link set eth0 master ports && ip netns add printer && "
        "ip -n switch link add p1 type veth peer name eth0 netns printer && "
        "ip -n switch link set p1 master ports up && ip -n printer link set eth0 up"
        + "".join(f" && ip -n printer addr add {one} dev eth0 {'nodad' * (':' in one)}" for one in addresses)
    )


# --- D6: who has it -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "holder"),
    [
        ("172.17.0.9/16", "netns 'db'"),
        ("fd00:17::9/64", "netns 'db'"),
        ("172.17.0.1/16", "br0 in the host"),
        ("fd00:17::1/64", "br0 in the host"),
        ("172.17.0.9/24", "netns 'db'"),
    ],
)
def test_d6_an_address_in_use_is_refused_and_its_holder_named(host: Host, address: str, holder: str) -> None:
    ip = address.split("/", maxsplit=1)[0]
    host.refuses("ns_address", f"address: {ip} is taken by {holder}.", **WEB, address=address, bridge="br0")


def test_d6_the_gateways_address_is_refused(host: Host) -> None:
    options = {**WEB, "address": "172.17.0.254/16", "gateway": "172.17.0.254", "bridge": "br0"}
    host.refuses("ns_address", "address: 172.17.0.254 is the gateway's.", **options)


def test_d6_an_address_asked_for_twice_is_refused(host: Host) -> None:
    items = [{"netns": "web", "address": "172.17.0.5/16"}, {"netns": "db", "address": "172.17.0.5/16"}]
    message = "address: 172.17.0.5 is asked for eth0 in netns 'web' and for eth0 in netns 'db'."
    host.refuses("ns_address", message, interface="eth0", bridge="br0", aggregate=items)


def test_d6_a_host_on_the_wire_that_answers_is_found_by_probe(host: Host) -> None:
    """D6: it answers ARP and neighbour discovery; a fixed address is refused, a pool steps over it."""
    printer(host, "172.17.0.2/16", "fd00:17::2/64")
    for address, free in (("172.17.0.2/16", "172.17.0.3/16"), ("fd00:17::2/64", "fd00:17::3/64")):
        ip = address.split("/", maxsplit=1)[0]
        options = {**WEB, "bridge": "br0", "probe": True}
        message = f"address: {ip} is taken: a neighbour with the MAC address {mac(host, 'printer')} answers for it."
        host.refuses("ns_address", message, **options, address=address)
        pool = "172.17.0.0/16" if "." in ip else "fd00:17::/64"
        done = host.settles("ns_address", **options, pool=pool, strategy="lowest")
        assert done["after"]["address"] == free
    assert host.addresses("web") == ["172.17.0.3/16", "fd00:17::3/64"]


# --- D10: telling the neighbours ------------------------------------------------------------------------------------


@pytest.mark.needs("tcpdump")
def test_d10_a_gratuitous_arp_tells_of_an_ipv4_address(host: Host) -> None:
    seen = host.captured("", "br0", "arp", lambda: host.module("ns_address", **WEB, address="172.17.0.5/16"))
    assert (
        seen.count(f"{mac(host, 'web')} > ff:ff:ff:ff:ff:ff") == seen.count("who-has 172.17.0.5 tell 172.17.0.5") == 1
    )
    assert host.ip("-n web neigh show") == []


@pytest.mark.needs("tcpdump")
@pytest.mark.parametrize("other", ["172.17.0.9/16", "172.17.0.9/24", "10.0.0.9/8"])
@pytest.mark.parametrize("address", ["172.17.0.5/16", "172.17.0.5/32"])
def test_d10_it_speaks_for_itself_beside_other_addresses(host: Host, other: str, address: str) -> None:
    """Left to itself the kernel would ask in the name of the one that has the subnet already."""
    host.run(f"ip -n web addr add {other} dev eth0")
    seen = host.captured("", "br0", "arp", lambda: host.module("ns_address", **WEB, address=address))
    assert seen.count("who-has 172.17.0.5 tell 172.17.0.5") == 1
    assert "tell 172.17.0.9" not in seen
    assert host.ip("-n web neigh show") == []


@pytest.mark.needs("tcpdump")
def test_d10_an_unsolicited_advertisement_tells_of_an_ipv6_address(host: Host) -> None:
    seen = host.captured(
        "", "br0", "icmp6 and ip6[40] == 136", lambda: host.module("ns_address", **WEB, address="fd00:17::5/64")
    )
    assert re.search(rf"{mac(host, 'web')} > 33:33:00:00:00:01.* fd00:17::5 > ff02::1: .*tgt is fd00:17::5", seen), seen


@pytest.mark.needs("tcpdump")
def test_without_announce_nobody_is_told(host: Host) -> None:
    def act() -> None:
        done = host.module("ns_address", **WEB, address="172.17.0.5/16", announce=False)
        assert done["commands"] == ["ip -n web address add 172.17.0.5/16 dev eth0"]

    assert "who-has 172.17.0.5" not in host.captured("", "br0", "arp", act)


@pytest.mark.parametrize("address", ["172.17.0.5/16", "fd00:17::5/64"])
def test_d10_a_reused_address_is_reached_at_once(host: Host, address: str) -> None:
    """D10: the neighbour still holds the old owner's MAC address when the new one gets the address."""
    ip = address.split("/", maxsplit=1)[0]
    host.container("old", address)
    assert host.ping("db", ip)
    host.run(f"ip -n old addr del {address} dev eth0")
    host.module("ns_address", **WEB, address=address)
    assert host.ip(f"-n db neigh show {ip}")[0]["lladdr"] == mac(host, "web")
    # The first packet arrives: it needs no second question for the new owner.
    assert host.run(f"ip netns exec db ping -nqc1 -W60 {ip}", check=False, timeout=90).rc == 0


def test_an_interface_that_is_down_is_not_announced_from(host: Host) -> None:
    host.run("ip -n web link set eth0 down")
    host.settles("ns_address", **WEB, address="172.17.0.5/16", probe=True)
    assert host.addresses("web") == ["172.17.0.5/16"]


# --- D11, D12: IPv6 -------------------------------------------------------------------------------------------------


def test_d11_ipv6_is_usable_at_once_in_a_namespace(host: Host) -> None:
    done = host.module("ns_address", **WEB, address="fd00:17::5/64")
    assert done["commands"][0].endswith(" nodad")
    assert host.run("ip netns exec db ping -nqc1 -W20 fd00:17::5", check=False).rc == 0
    assert host.run("ip netns exec web ping -nqc1 -W20 -I fd00:17::5 fd00:17::9", check=False).rc == 0


def test_d11_with_detection_the_module_waits_until_it_is_over(host: Host) -> None:
    done = host.module("ns_address", **WEB, address="fd00:17::5/64", nodad=False)
    assert "nodad" not in done["commands"][0]
    assert "tentative" not in host.run("ip -n web addr show dev eth0 scope global").stdout
    assert host.run("ip netns exec web ping -nqc1 -W20 -I fd00:17::5 fd00:17::9", check=False).rc == 0


def test_d11_an_address_that_another_node_has_is_reported_and_taken_back(host: Host) -> None:
    failed = host.fails("ns_address", **WEB, address="fd00:17::9/64", nodad=False)
    assert "another node on the link has fd00:17::9: duplicate address detection failed" in failed["msg"]
    assert host.addresses("web") == []


def test_ipv4_works_where_ipv6_is_off_and_ipv6_is_switched_on_where_it_is_asked_for(host: Host) -> None:
    host.run("ip netns exec web sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1")
    done = host.settles("ns_address", **WEB, address="172.17.0.5/16")
    assert warnings(done) == []
    assert host.run("ip netns exec web sysctl -n net.ipv6.conf.eth0.disable_ipv6").stdout == "1\n"
    done = host.settles("ns_address", **WEB, pool="fd00:17::/64", bridge="br0")
    assert done["commands"][0] == "ip netns exec web sysctl -w net/ipv6/conf/eth0/disable_ipv6=0"
    assert done["after"]["address"] in host.addresses("web")


# --- D13: another way to the same subnet ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("route", "address"),
    [
        ("10.8.0.0/16", "10.8.3.1/24"),
        ("10.8.3.0/28", "10.8.3.1/24"),
        ("10.8.3.0/24", "10.8.3.1/24"),
        ("fd00:8::/48", "fd00:8::1/64"),
    ],
)
def test_d13_a_subnet_that_a_route_of_the_namespace_reaches_is_refused(host: Host, route: str, address: str) -> None:
    host.container("web", interface="vpn0")
    host.run(f"ip -n web route add {route} dev vpn0")
    subnet = "10.8.3.0/24" if "." in address else "fd00:8::/64"
    message = f"address: {subnet} overlaps the route {route} dev vpn0 in netns 'web'; take another subnet, or noprefixroute: true"
    host.refuses("ns_address", message, **WEB, address=address)
    host.settles("ns_address", **WEB, address=address, noprefixroute=True)


def test_d13_a_subnet_that_a_route_of_the_host_reaches_is_refused(host: Host) -> None:
    host.bridge("br1", "10.8.0.1/16")
    host.refuses(
        "ns_address",
        "address: 10.8.3.0/24 overlaps the route 10.8.0.0/16 dev br1 in the host;",
        interface="br0",
        address="10.8.3.1/24",
    )
    host.settles("ns_address", interface="br0", address="10.9.0.1/16")


def test_a_default_route_is_no_conflict(host: Host) -> None:
    host.container("web", "192.0.2.2/24", interface="eth1")
    host.run("ip -n web route add default via 192.0.2.1")
    host.settles("ns_address", **WEB, address="172.17.0.5/16")


# --- bad input ------------------------------------------------------------------------------------------------------


BAD: list[tuple[dict[str, Any], str]] = [
    (
        {"address": "172.17.0.5"},
        "address: '172.17.0.5' has no prefix length; write it as ADDRESS/PREFIX, such as 172.17.0.2/16.",
    ),
    (
        {"address": "172.17.0.0/16"},
        "address: 172.17.0.0 is the network address of 172.17.0.0/16; a host needs another one.",
    ),
    ({"address": "172.17.255.255/16"}, "address: 172.17.255.255 is the broadcast address of 172.17.0.0/16;"),
    ({"address": "172.17.0.300/16"}, "address: '172.17.0.300/16' is not an address with a prefix length"),
    ({"address": "224.0.0.5/24"}, "address: 224.0.0.5 is not an address a host can have."),
    ({"address": "fd00::5/64", "broadcast": "fd00::ff"}, "broadcast: an IPv6 address has none to set."),
    ({"address": "172.17.0.5/16", "label": "web:1"}, "label: 'web:1' must be 'eth0' or begin with 'eth0:'"),
    ({"address": "172.17.0.5/16", "label": "eth0:twelvebytes"}, "have at most 15 bytes."),
    ({"address": "172.17.0.5/16", "peer": "fd00::1"}, "peer: fd00::1 is not of the same address family"),
    (
        {"address": "172.17.0.5/16", "valid_lft": "1h"},
        "valid_lft: '1h' is neither 'forever' nor a number of seconds.",
    ),
    (
        {"address": "172.17.0.5/16", "valid_lft": 60, "preferred_lft": 61},
        "preferred_lft: it cannot be longer than valid_lft.",
    ),
    (
        {"address": "172.17.0.5/16", "range": "172.17.0.0/24"},
        "range: it belongs to a pool, not to a fixed address.",
    ),
    ({}, "one of the following is required: address, pool"),
    ({"address": "172.17.0.5/16", "netns": ""}, "netns: '' is not a namespace name"),
    ({"address": "172.17.0.5/16", "netns": "../web"}, "netns: '../web' is not a namespace name"),
    (
        {"address": "172.17.0.5/16", "interface": "sixteen-bytes-xx"},  # an alternative name could be so long
        "interface: there is no interface 'sixteen-bytes-xx' in netns 'web'",
    ),
    ({"address": "172.17.0.5/16", "interface": "x" * 128}, f"interface: '{'x' * 128}' is 128 bytes long;"),
]


def test_bad_input_changes_nothing(host: Host) -> None:
    host.all_refused("ns_address", WEB, BAD)


def test_a3_a_parent_that_is_missing_is_named(host: Host) -> None:
    message = "interface: there is no interface 'eth9' in netns 'web'; linuxnet.containers.veth makes one."
    options = {"netns": "web", "interface": "eth9", "address": "10.0.0.5/16"}
    host.misses("ns_address", message, "interface 'eth9' in netns 'web'", **options)
    message = "Netns 'nope' does not exist (no /run/netns/nope); linuxnet.containers.netns with name: nope makes it."
    said = host.fails("ns_address", netns="nope", interface="eth0", address="10.0.0.5/16")["msg"]
    assert said == message
