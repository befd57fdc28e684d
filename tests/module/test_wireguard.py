# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""WireGuard as the underlay of networks that hosts share, as docs/fleets.md has it: two hosts and a stranger on one wire, where nothing is to be read.

One network goes by a tunnel over it, one straight. The tests are the chapters of one story, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from lab import Lab
from proofs import comes

pytestmark = pytest.mark.needs(
    "lab host", "root", "ip", "nft", "ping", "tcpdump", "nf_tables", "nf_nat", "vxlan", "wireguard", "wg"
)

PORT = 51820
# What each host has: the other ones' keys, where they are, and who is behind each. The slices are for the network without a tunnel.
PEER = """
[Peer]
PublicKey = {key}
Endpoint = 198.18.1.{number}:51820
AllowedIPs = 10.254.0.{number}/32, 10.8.{number}.0/24
"""
UP = (
    "ip link add wg0 type wireguard && wg setconf wg0 /run/wg0.conf && ip addr add 10.254.0.{number}/24 dev wg0 && ip link set wg0 up && "
    # Who is on the wire has no business with addresses of the inside.
    "sysctl -qw net.ipv4.conf.eth0.rp_filter=1"
)
NETWORKS: list[dict[str, Any]] = [
    {"name": "front", "driver": "routed", "underlay": "vxlan", "subnets": ["10.7.0.0/16", "fd00:7::/48"]},
    {"name": "back", "driver": "routed", "underlay": "direct", "subnets": ["10.8.0.0/16"]},
]
CONTAINERS = [{"name": name, "networks": [{"name": network}]} for name, network in (("web", "front"), ("db", "back"))]
FLEET = [{"name": f"h{number}", "underlay_address": f"10.254.0.{number}"} for number in (1, 2)]
WORD = "linuxnet"  # what is sent: a ping is filled with it


@dataclass(frozen=True)
class Wire:
    stage: Lab
    hosts: list[Lab]

    def stranger(self, command: str, check: bool = True) -> None:
        self.stage.run(f"ip netns exec stranger sh -c '{command}'", check=check)


@pytest.fixture(scope="module")
def wire(needs: Callable[..., None]) -> Iterator[Wire]:
    """Two hosts with WireGuard between them, wired, and a stranger, all on the bridge "wire"."""
    needs("lab host", "root", "wireguard", "wg")
    with Lab("stage") as stage:
        stage.run(
            "sysctl -qw net.ipv6.conf.default.disable_ipv6=1 && ip link add wire type bridge && ip link set wire up"
        )
        for name, last in (("h1", 1), ("h2", 2), ("stranger", 200)):
            stage.run(
                f"ip netns add {name} && ip link add {name} type veth peer name eth0 netns {name} && ip link set {name} master wire up && "
                f"ip -n {name} link set lo up && ip -n {name} link set eth0 addrgenmode none up && ip -n {name} addr add 198.18.1.{last}/24 dev eth0"
            )
        with (
            Lab("h1", {"LAB_NETNS": "/run/netns/h1"}, stage) as one,
            Lab("h2", {"LAB_NETNS": "/run/netns/h2"}, stage) as two,
        ):
            made = Wire(stage, [one, two])
            keys = [host.run("wg genkey | tee /run/key | wg pubkey").stdout.strip() for host in made.hosts]
            for number, host in enumerate(made.hosts, 1):
                own = host.run("cat /run/key").stdout.strip()
                given = f"[Interface]\nPrivateKey = {own}\nListenPort = {PORT}\n"
                other = 3 - number
                host.run("cat > /run/wg0.conf", input=given + PEER.format(key=keys[other - 1], number=other))
                host.run(UP.format(number=number))
                host.module("wiring", **asked(number))
            yield made


def asked(number: int) -> dict[str, Any]:
    return {
        "networks": NETWORKS,
        "containers": CONTAINERS,
        "fleet": FLEET,
        "underlay_address": f"10.254.0.{number}",
        "firewall_backend": "nftables",
    }


def address(host: Lab, container: str, family: str = "inet") -> str:
    shown = host.ip(f"-n {container} addr show dev eth0")[0]["addr_info"]
    return str(next(one["local"] for one in shown if one["family"] == family and one["scope"] == "global"))


def ping(host: Lab, container: str, to: str, size: int) -> bool:
    """Whether one arrives with that many bytes in all, in one piece."""
    headers = 48 if ":" in to else 28
    pattern = WORD.encode().hex()
    command = f"ip netns exec {container} ping -c 1 -W 20 -M do -p {pattern} -s {size - headers} {to}"
    return host.run(command, check=False).rc == 0


# WireGuard takes 60 bytes of a packet over IPv4, and its MTU leaves room for the 80 over IPv6; the tunnel takes 50 more.
FULL = [("web", "inet", 1370), ("web", "inet6", 1370), ("db", "inet", 1420)]


def test_packets_of_the_full_size_pass_and_nobody_reads_them(wire: Wire) -> None:
    one, two = wire.hosts
    files = {wire.stage: ("wire", "/run/outside.pcap"), one: ("wg0", "/run/inside.pcap")}
    listening = {lab: lab.spawn(f"exec tcpdump -U -n -i {at} -w {file}") for lab, (at, file) in files.items()}
    for lab, (_at, file) in files.items():
        comes(lab, f"[ -s {file} ]")
    for container, family, size in FULL:
        to = address(two, container, family)
        assert ping(one, container, to, size)
        assert not ping(one, container, to, size + 1)
    comes(one, f"[ $(tcpdump -n -r /run/inside.pcap | wc -l) -ge {2 * len(FULL)} ] && grep -q {WORD} /run/inside.pcap")
    comes(wire.stage, f"[ $(tcpdump -n -r /run/outside.pcap udp port {PORT} | wc -l) -ge {2 * len(FULL)} ]")
    for lab, pid in listening.items():
        lab.kill(pid)
    others = wire.stage.run(f"tcpdump -n -r /run/outside.pcap not arp and not '(udp port {PORT})'").stdout
    assert others == ""
    assert wire.stage.run(f"grep -c {WORD} /run/outside.pcap", check=False).stdout.strip() == "0"


def test_a_second_run_has_nothing_to_do(wire: Wire) -> None:
    for number, host in enumerate(wire.hosts, 1):
        assert not host.module("wiring", **asked(number))["changed"]


def test_who_calls_himself_a_peer_on_the_wire_is_not_let_in(wire: Wire) -> None:
    """A stranger sends frames of the tunnel from a peer's inner address, past WireGuard."""
    one = wire.hosts[0]
    number = one.ip("-d link show dev vx-front")[0]["linkinfo"]["info_data"]["id"]
    wire.stranger(
        "ping -c 1 -W 20 198.18.1.1 && ip addr add 10.254.0.2/32 dev lo && ip route add 10.254.0.1 via 198.18.1.1 && "
        f"ip link add vx type vxlan id {number} local 10.254.0.2 remote 10.254.0.1 dstport 4789 && "
        "ip link set vx up && ip addr add 10.7.2.99/16 dev vx"
    )
    before = one.ip("-s link show dev vx-front")[0]["stats64"]["rx"]["packets"]
    wire.stranger("ping -c 1 -W 1 10.7.1.0", check=False)
    comes(one, "nstat -az TcpExtIPReversePathFilter | awk '/Filter/ && $2 > 0 { found = 1 } END { exit !found }'")
    assert one.ip("-s link show dev vx-front")[0]["stats64"]["rx"]["packets"] == before
    one.run("sysctl -qw net.ipv4.conf.eth0.rp_filter=0")
    wire.stranger("ping -c 1 -W 1 10.7.1.0", check=False)
    assert one.ip("-s link show dev vx-front")[0]["stats64"]["rx"]["packets"] > before, "that is what it is for"
