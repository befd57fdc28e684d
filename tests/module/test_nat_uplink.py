# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nat, type uplink: what comes in by a second uplink for a published port is answered by it, under a strict rp_filter, with real packets."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from wires import BACKENDS, LEGACY, LIMIT, MOMENT, Host, eventually

UPLINK: dict[str, Any] = {
    "type": "uplink",
    "interface": "up1",
    "gateways": ["198.51.100.99", "2001:db8:1::99"],
    "owner": "up1",
}
PORTS: dict[str, Any] = {"type": "dnat", "owner": "web"}
HERE = {4: "198.51.100.1", 6: "2001:db8:1::1"}  # of the host, on up1
FIRST = {4: "192.0.2.1", 6: "2001:db8::1"}  # and on up0
ASKER = {4: "203.0.113.9", 6: "2001:db8:9::9"}
SERVER = """
import socket
tcp = socket.create_server(("::", 80), family=socket.AF_INET6, dualstack_ipv6=True)
while True:
    peer, address = tcp.accept()
    with peer:
        peer.sendall(address[0].encode())
"""
ECHO = """
import socket
udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
udp.bind(("::", 53))
while True:
    said, peer = udp.recvfrom(99)
    udp.sendto(said, peer)
"""
CLIENT = """
import socket, sys
kind, source, address, port, seconds = sys.argv[1:]
six = socket.AF_INET6 if ":" in address else socket.AF_INET
with socket.socket(six, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as sock:
    sock.settimeout(float(seconds))
    sock.bind((source, 0))
    try:
        sock.connect((address, int(port)))
        if kind == "udp":
            sock.send(b"hello")
        print(sock.recv(99).decode())
    except OSError:
        pass
"""


@pytest.fixture(autouse=True)
def street(host: Host, needs: Callable[..., None]) -> None:
    """A host with two uplinks, the default routes by the first, and a container. The providers behind them let only the addresses out that
    are theirs."""
    needs("nft", "nf_tables", "nf_nat")
    host.bridge("br0", "10.1.0.1/24", "fd00:1::1/64")
    host.container("web", "10.1.0.2/24", "fd00:1::2/64")
    host.run(
        "ip -n web route add default via 10.1.0.1; ip -n web -6 route add default via fd00:1::1; ip netns add internet; "
        "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; ip -n internet link set lo up; "
        "ip netns exec internet sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.all.arp_announce=2; "
        "ip -n internet addr add 203.0.113.9 dev lo; ip -n internet addr add 2001:db8:9::9 dev lo nodad"
    )
    for number, nets in enumerate((("192.0.2", "2001:db8:"), ("198.51.100", "2001:db8:1:"))):
        four, six = nets
        host.run(
            f"ip link add up{number} type veth peer name i{number} netns internet; "
            f"ip link set up{number} up; ip -n internet link set i{number} up; "
            f"ip addr add {four}.1/24 dev up{number}; ip addr add {six}:1/64 dev up{number} nodad; "
            f"ip -n internet addr add {four}.99/24 dev i{number}; ip -n internet addr add {six}:99/64 dev i{number} nodad"
        )
    host.run("ip route add default via 192.0.2.99; ip -6 route add default via 2001:db8::99")
    host.run(
        "ip netns exec internet nft 'add table inet isp; add chain inet isp in { type filter hook prerouting priority raw; }; "
        "add rule inet isp in iifname i0 ip saddr 198.51.100.0/24 drop; add rule inet isp in iifname i0 ip6 saddr 2001:db8:1::/64 drop'"
    )
    host.run("sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.up1.rp_filter=1")
    for script in (SERVER, ECHO):
        host.spawn(["ip", "netns", "exec", "web", sys.executable, "-c", script])
    assert eventually(lambda: all(f":{port}" in host.run("ip netns exec web ss -Htunl").stdout for port in (80, 53)))
    host.spawn([sys.executable, "-c", SERVER.replace("80", "22")])
    assert eventually(lambda: ":22" in host.run("ss -Htnl").stdout)


def publish(host: Host, backend: str) -> None:
    for address in ("10.1.0.2", "fd00:1::2"):
        host.module(
            "nat",
            backend=backend,
            to_address=address,
            aggregate=[{"host_port": "8080", "to_port": "80"}, {"host_port": "5353/udp", "to_port": "53"}],
            **PORTS,
        )


def ask(
    host: Host, family: int, where: dict[int, str], kind: str = "tcp", port: int = 8080, seconds: float = LIMIT
) -> str:
    """What is answered to somebody in the internet; empty where nothing is within so many seconds."""
    words = [sys.executable, "-c", CLIENT, kind, ASKER[family], where[family], str(port), str(seconds)]
    return host.run(["ip", "netns", "exec", "internet", *words], timeout=2 * LIMIT).stdout.strip()


def routing(host: Host) -> str:
    return host.run(
        "for family in -4 -6; do ip $family rule; ip $family route show table all | grep -v 'proto kernel'; done; "
        "sysctl net.ipv4.conf.up1.src_valid_mark"
    ).stdout


@pytest.mark.parametrize("backend", [*BACKENDS, LEGACY], indirect=True)
def test_what_comes_in_by_a_second_uplink_is_answered_by_it(host: Host, backend: str) -> None:
    publish(host, host.backend)
    before = routing(host)
    for family in (4, 6):
        assert ask(host, family, FIRST).endswith(ASKER[family])
        assert ask(host, family, HERE, seconds=MOMENT) == "", "without an uplink nobody hears"
    host.settles("nat", **UPLINK)
    for family in (4, 6):
        for where in (HERE, FIRST):
            assert ask(host, family, where).endswith(ASKER[family]), "with the asker's own address"
            assert ask(host, family, where, "udp", 5353) == "hello"
    assert ask(host, 4, HERE, port=22, seconds=MOMENT) == "", "what is not published stays out"
    host.settles("nat", **UPLINK, state="absent")
    assert routing(host) == before
    assert ask(host, 4, HERE, seconds=MOMENT) == ""
    assert ask(host, 4, FIRST).endswith(ASKER[4])


def test_one_family_is_taken_away_and_another_gateway_named(host: Host) -> None:
    before = routing(host)
    host.settles("nat", **UPLINK)
    only = {**UPLINK, "gateways": ["2001:db8:1::99"]}
    done = host.settles("nat", **only)
    assert (done["before"]["gateways"], done["after"]["gateways"]) == (UPLINK["gateways"], ["2001:db8:1::99"])
    assert "src_valid_mark = 0" in routing(host)
    host.settles("nat", **{**UPLINK, "gateways": ["198.51.100.98"]})
    host.settles("nat", **UPLINK)
    host.settles("nat", **UPLINK, state="absent")
    assert routing(host) == before
    assert "linuxnet" not in host.run("nft list ruleset").stdout


@pytest.mark.parametrize(
    "harm",
    [
        "ip route flush table 7600001",
        "ip rule del pref 32002",
        "ip -6 rule del pref 32003",
        "ip rule add pref 32003 fwmark 0x1000000/0x1f000000 lookup 99 protocol 76",
        "nft flush ruleset",
        "nft flush chain inet linuxnet_containers uplinks",
        "nft 'delete element inet linuxnet_containers uplinks_ip { \"up1\" }'",
        "nft 'flush map inet linuxnet_containers uplinks_ip; add element inet linuxnet_containers uplinks_ip { \"up1\" : 0x05000000 }'",
        "sysctl -qw net.ipv4.conf.up1.src_valid_mark=0",
        "ip link set up1 down; ip link set up1 up; ip addr replace 2001:db8:1::1/64 dev up1 nodad",
    ],
)
def test_what_somebody_takes_away_is_put_back(host: Host, harm: str) -> None:
    publish(host, "nftables")
    before = routing(host)
    host.settles("nat", **UPLINK)
    host.run(harm)
    host.settles("nat", **UPLINK)
    publish(host, "nftables")
    for family in (4, 6):
        assert ask(host, family, HERE).endswith(ASKER[family])
    host.settles("nat", **UPLINK, state="absent")
    after = routing(host)
    assert after.replace("src_valid_mark = 1", "src_valid_mark = 0") == before
    noted = not any(word in harm for word in ("flush ruleset", "delete element", "flush map"))
    assert after == before or not noted, "with the element the note goes that it was ours"


def test_what_others_mark_stays_as_it_is_and_two_uplinks_are_told_apart(host: Host) -> None:
    publish(host, "nftables")
    host.run("ip rule add fwmark 0x1000000/0x1f000000 lookup 99")
    before = routing(host)
    host.settles("nat", **UPLINK)
    host.settles("nat", **{**UPLINK, "interface": "up0", "gateways": ["192.0.2.99"], "owner": "up0"})
    assert all(ask(host, 4, where).endswith(ASKER[4]) for where in (HERE, FIRST))
    host.run("nft 'add table ip theirs; add chain ip theirs pre { type filter hook prerouting priority mangle; }'")
    host.run("nft 'add rule ip theirs pre iifname up1 meta mark set 0x7'")
    assert ask(host, 4, HERE, seconds=MOMENT) == "", "it has their mark, and no other"
    host.run("nft delete table ip theirs")
    for name in ("up1", "up0"):
        host.settles("nat", type="uplink", interface=name, owner=name, state="absent")
    assert routing(host) == before


def test_what_cannot_be_is_refused(host: Host) -> None:
    before = routing(host)
    refused: dict[str, dict[str, Any]] = {
        "interface: there is no interface 'up7' in the host": {"interface": "up7"},
        "gateways: 192.0.2.7 and 192.0.2.8 are of one address family": {"gateways": ["192.0.2.7", "192.0.2.8"]},
        "gateways is required": {"gateways": []},
        "backend: iptables cannot": {"backend": "iptables"},
        "gateways: 'nobody'": {"gateways": ["nobody"]},
    }
    for sentence, options in refused.items():
        assert sentence in host.fails("nat", **{**UPLINK, **options})["msg"]
    host.module("nat", **UPLINK)
    listed = [one for one in host.module("wiring_info", gather=["nat"])["wiring"]["nat"] if one["type"] == "uplink"]
    assert [(one["interface"], one["gateways"], one["owner"]) for one in listed] == [("up1", UPLINK["gateways"], "up1")]
    assert "is an uplink of 'up1' already" in host.fails("nat", **{**UPLINK, "owner": "else"})["msg"]
    host.module("nat", **UPLINK, state="absent")
    assert routing(host) == before
