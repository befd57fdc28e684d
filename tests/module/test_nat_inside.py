# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nat, type filter, inside: what comes from the same network elsewhere, who says so and does not come from there, and who comes by its tunnel. Datagrams
are counted where they arrive, and by the rules that drop them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
from proofs import pastes
from wires import Host, eventually

FAMILIES = [4, 6]
HERE = {4: "172.17.0.0/24", 6: "fd00:17::/64"}
ELSEWHERE = {4: "172.17.1.0/24", 6: "fd00:17:0:1::/64"}
WEB = {4: "172.17.0.2", 6: "fd00:17::2"}
PEER = {4: "172.17.1.2", 6: "fd00:17:0:1::2"}  # inside, elsewhere
OTHER = {4: "198.51.100.7", 6: "2001:db8:7::7"}  # has the peer as well, and nobody calls it inside
INTERNET = {4: "192.0.2.1", 6: "2001:db8::1"}
STRAY = {4: "172.17.1.9", 6: "fd00:17:0:1::9"}  # what somebody on the internet calls itself
OWN_STRAY = {4: "172.17.0.9", 6: "fd00:17::9"}
HOST = {4: "192.0.2.2", 6: "2001:db8::2"}
SEND = """
import socket, sys
source, to, port = sys.argv[1:]
sock = socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((source, 0))
sock.sendto(b"x", (to, int(port)))
"""


@pytest.fixture(autouse=True)
def street(host: Host, needs: Callable[..., None]) -> None:
    """A bridge with a container, a peer who has the rest of its network behind tun0, and the internet behind up0."""
    needs("nft", "nf_tables", "nf_nat")
    host.run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0")
    host.bridge("br0", "172.17.0.1/24", "fd00:17::1/64")
    host.container("web", f"{WEB[4]}/24", f"{WEB[6]}/64")
    host.run("ip -n web route add default via 172.17.0.1; ip -n web -6 route add default via fd00:17::1")
    for netns, link, four, six in (
        ("peer", "tun0", "172.17.1", "fd00:17:0:1"),
        ("internet", "up0", "192.0.2", "2001:db8"),
    ):
        ours, theirs = (2, 1) if netns == "internet" else (1, 2)
        host.run(
            f"ip netns add {netns} && ip link add {link} type veth peer name eth0 netns {netns} && ip link set {link} up && "
            f"sysctl -qw net.ipv4.conf.{link}.rp_filter=0 && "
            f"ip addr add {four}.{ours}/24 dev {link} && ip addr add {six}::{ours}/64 dev {link} nodad && ip -n {netns} -batch -",
            input=f"link set lo up\nlink set eth0 up\naddr add {four}.{theirs}/24 dev eth0\naddr add {six}::{theirs}/64 dev eth0 nodad\n"
            f"route add default via {four}.{ours}\nroute add default via {six}::{ours}\n",
        )
    for netns, addresses in (("peer", [OTHER]), ("internet", [STRAY, OWN_STRAY])):
        for one in addresses:
            host.run(f"ip -n {netns} addr add {one[4]}/32 dev lo; ip -n {netns} addr add {one[6]}/128 dev lo nodad")
    host.run(f"ip route add {OTHER[4]} via {PEER[4]}; ip -6 route add {OTHER[6]} via {PEER[6]}")
    for netns, to in (
        ("peer", WEB),
        ("internet", WEB),
        ("web", PEER),
    ):  # who is who is known before anything is counted
        for family in FAMILIES:
            host.run(f"ip netns exec {netns} ping -c1 -W20 {to[family]}")


def counted(host: Host, netns: str) -> tuple[int, int]:
    """How many datagrams came for a port on which nobody listens, and how many packets the rules of isolation have dropped."""
    kind = host.place.partition("-")[2]
    rules = f"iptables-{kind} -nvxL; ip6tables-{kind} -nvxL" if kind else "nft list table inet linuxnet_containers"
    counters = host.run(f"ip netns exec {netns} cat /proc/self/net/snmp /proc/self/net/snmp6; {rules}").stdout
    names, values = [line.split() for line in counters.splitlines() if line.startswith("Udp:")]
    came = int(values[names.index("NoPorts")]) + int(counters.split("Udp6NoPorts")[1].split()[0])
    if kind:
        lines = [line.split() for line in counters.splitlines() if " DROP " in line and "linuxnet" in line]
        return came, sum(int(line[0]) for line in lines)
    return came, sum(map(int, re.findall(r"packets (\d+) bytes \d+ drop comment \"linuxnet-guard-", counters)))


def passes(host: Host, netns: str, source: str, to: str, at: str = "web", port: int = 9) -> bool:
    """Whether a datagram arrives; if not, a rule has dropped it."""
    before = counted(host, at)
    host.run(["ip", "netns", "exec", netns, sys.executable, "-c", SEND, source, to, str(port)])
    assert eventually(lambda: counted(host, at) != before), "neither arrived nor dropped"
    return counted(host, at)[0] > before[0]


def inside(family: int, **more: Any) -> list[dict[str, Any]]:
    """Both families, as a user says them."""
    there = {"interface": "tun0", **more}
    return [
        {"source": HERE[family]},
        {"source": ELSEWHERE[family], **there},
        {"source": ELSEWHERE[10 - family], **there},
    ]


def guard(host: Host, **options: Any) -> dict[str, Any]:
    return host.settles("nat", type="filter", bridge="br0", owner="net", backend=host.backend, **options)


def publish(host: Host, family: int) -> None:
    host.module(
        "nat", type="dnat", host_port="8080/udp", to_port="9", to_address=WEB[family], owner="web", backend=host.backend
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_inside_elsewhere_is_let_in_and_nobody_else(host: Host, backend: str, family: int) -> None:
    guard(host)
    assert not passes(host, "peer", PEER[family], WEB[family])
    guard(host, inside=inside(family))
    assert passes(host, "peer", PEER[family], WEB[family])
    assert passes(host, "web", WEB[family], PEER[family], at="peer")
    assert not passes(host, "peer", OTHER[family], WEB[family])
    assert not passes(host, "internet", INTERNET[family], WEB[family])
    guard(host, inside=[])
    assert not passes(host, "peer", PEER[family], WEB[family])


@pytest.mark.parametrize("family", FAMILIES)
def test_who_has_an_inside_source_and_comes_by_another_way_gets_in_nowhere(
    host: Host, backend: str, family: int
) -> None:
    publish(host, family)
    guard(host, inside=inside(family))
    assert passes(host, "internet", INTERNET[family], HOST[family], port=8080)
    for source in (STRAY[family], OWN_STRAY[family]):
        assert not passes(host, "internet", source, WEB[family])
        assert not passes(host, "internet", source, HOST[family], port=8080)


@pytest.mark.parametrize("family", FAMILIES)
def test_by_a_tunnel_goes_nothing_else(host: Host, backend: str, family: int) -> None:
    """Translated on its way out it would be from the host itself, which the others let in."""
    net = {4: "192.0.2.0/24", 6: "2001:db8::/64"}[family]
    host.module("nat", source=net, out_interface="tun0", owner="other", backend=host.backend)
    guard(host, inside=inside(family))
    assert passes(host, "internet", INTERNET[family], PEER[family], at="peer")
    guard(host, inside=inside(family, only=True))
    assert not passes(host, "internet", INTERNET[family], PEER[family], at="peer")
    assert passes(host, "web", WEB[family], PEER[family], at="peer")
    host.module("nat", type="filter", bridge="br1", owner="other", backend=host.backend)
    guard(host, inside=inside(family))
    assert passes(host, "internet", INTERNET[family], PEER[family], at="peer")


@pytest.mark.parametrize("family", FAMILIES)
def test_by_a_tunnel_comes_nothing_else(host: Host, backend: str, family: int) -> None:
    """Nor to what is published."""
    publish(host, family)
    guard(host, inside=inside(family))
    assert passes(host, "peer", OTHER[family], HOST[family], port=8080)
    guard(host, inside=inside(family, only=True))
    host.run("conntrack -F", check=False)
    assert not passes(host, "peer", OTHER[family], HOST[family], port=8080)
    assert passes(host, "peer", PEER[family], WEB[family])
    assert passes(host, "internet", INTERNET[family], HOST[family], port=8080)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_internal_network_goes_on_elsewhere_and_nowhere_else(host: Host, backend: str, family: int) -> None:
    guard(host, inside=inside(family), internal=True)
    assert passes(host, "peer", PEER[family], WEB[family])
    assert passes(host, "web", WEB[family], PEER[family], at="peer")
    assert not passes(host, "web", WEB[family], OTHER[family], at="peer")
    assert not passes(host, "web", WEB[family], INTERNET[family], at="internet")


def test_what_somebody_changed_by_hand_is_put_back(host: Host, backend: str) -> None:
    guard(host, inside=inside(4, only=True))
    there = host.held()
    if backend == "nftables":
        table = "inet linuxnet_containers"
        host.run(
            f'nft \'delete element {table} insiders_ip {{ 172.17.1.0/24 . "br0" }}; add element {table} local {{ "x" . "br0" }}; '
            f'delete element {table} alone {{ "tun0" . "br0" }}\''
        )
    else:
        host.run(
            "iptables -D LINUXNET-GUARD -s 172.17.1.0/24 -i tun0 -o br0 -m comment --comment linuxnet -j RETURN && "
            "ip6tables -F LINUXNET-GUARD"
        )
    guard(host, inside=inside(4, only=True))
    assert host.held() == there


def test_the_commands_do_the_same(host: Host, backend: str) -> None:
    options: dict[str, Any] = {"type": "filter", "bridge": "br0", "owner": "net", "backend": host.backend}
    made = guard(host, inside=inside(4, only=True))
    host.module("nat", **options, state="absent")
    pastes(made, host, "nat", **options, inside=inside(4, only=True))


@pytest.mark.parametrize("family", FAMILIES)
def test_where_others_drop_what_is_forwarded_it_passes(host: Host, family: int) -> None:
    """With iptables, which has a place for that; with nftables the result says who is in the way."""
    host.use("iptables")
    for program in ("iptables", "ip6tables"):
        host.run(f"{program} -P FORWARD DROP")
    done = guard(host, inside=inside(family))
    assert done["blocked_by"] == []
    assert passes(host, "peer", PEER[family], WEB[family])
    assert passes(host, "web", WEB[family], PEER[family], at="peer")
    assert not passes(host, "internet", STRAY[family], WEB[family])
    host.use("nftables")
    moved = host.module("nat", type="filter", bridge="br0", owner="net", backend="nftables", inside=inside(family))
    assert {name.partition(" (")[0] for name in moved["blocked_by"]} == {"ip filter FORWARD", "ip6 filter FORWARD"}
    host.module("nat", type="filter", bridge="br0", owner="net", state="absent")
    assert "LINUXNET" not in host.run("iptables-save; ip6tables-save").stdout
