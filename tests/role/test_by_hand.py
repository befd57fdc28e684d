# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wiring that a person made with ip and brctl is recognised: asked for exactly that, the collection has nothing to do."""

from __future__ import annotations

from typing import Any

import pytest
from lab import Lab
from plays import Playbook, wiring
from proofs import comes

BY_HAND = """
brctl addbr docker0
ip addr add 172.17.0.1/16 dev docker0
ip link set docker0 up
ip netns add web
ip netns exec web ip link set lo up
ip link add A type veth peer name B
brctl addif docker0 A
ip link set A up
ip link set B netns web
ip netns exec web ip link set dev B name eth0
ip netns exec web ip link set eth0 up
ip netns exec web ip addr add 172.17.42.99/16 dev eth0
ip netns exec web ip route add default via 172.17.0.1
sysctl -qw net.ipv4.ip_forward=1
nft add table ip nat
nft add chain ip nat POSTROUTING '{ type nat hook postrouting priority srcnat; }'
nft add rule ip nat POSTROUTING ip saddr 172.17.0.0/16 oifname != docker0 masquerade
"""
STEPS: list[tuple[str, dict[str, Any]]] = [
    ("netns", {"name": "web"}),
    ("bridge", {"name": "docker0"}),
    ("ns_address", {"interface": "docker0", "address": "172.17.0.1/16"}),
    ("veth", {"name": "A", "peer_name": "eth0", "peer_netns": "web", "bridge": "docker0", "mtu": "1500"}),
    ("bridge_port", {"bridge": "docker0", "interface": "A", "hairpin": False}),
    ("ns_address", {"netns": "web", "interface": "eth0", "address": "172.17.42.99/16"}),
    ("ns_address", {"netns": "web", "interface": "eth0", "pool": "172.17.0.0/16", "bridge": "docker0"}),
    ("ns_route", {"netns": "web", "gateway": "172.17.0.1"}),
    ("nat", {"source": "172.17.0.0/16", "out_interface": "!docker0"}),
]


@pytest.fixture(scope="module")
def host(shared_lab: Lab) -> Lab:
    shared_lab.run(f"set -e\n{BY_HAND}")
    return shared_lab


@pytest.mark.needs("brctl", "nft")
@pytest.mark.parametrize(("name", "options"), STEPS)
def test_g11_each_module_reports_ok(host: Lab, name: str, options: dict[str, Any]) -> None:
    result = host.module(name, **options)
    assert (result["changed"], result["commands"]) == (False, [])
    assert result["before"] == result["after"] != {}


@pytest.mark.needs("brctl", "nft")
def test_g11_f3_the_role_changes_nothing_but_guards_bridge_and_container(host: Lab, playbook: Playbook) -> None:
    """G11, F3: also the masquerading is there already, in somebody else's table. The container has no IPv6 any more, as its network has none."""
    before = host.snapshot()
    one = {"name": "docker0", "host_interface": "A", "ipv4_address": "172.17.42.99"}
    networks = [{"name": "docker0", "subnets": ["172.17.0.0/16"]}]
    [run] = playbook.run(wiring(networks=networks, containers=[{"name": "web", "networks": [one]}]))
    assert list(run.drift()) == ["filter docker0", "spoof_check A", "veth A"]
    assert run.drift()["veth A"] == [
        "-peer_accept_ra true",
        "-peer_ipv6 true",
        "+peer_accept_ra false",
        "+peer_ipv6 false",
    ]
    assert run.modules == ["netns", "bridge", "nat", "ns_address", "veth", "ns_address", "ns_route"]
    back = "net.ipv6.conf.eth0.accept_ra=1 net.ipv6.conf.eth0.disable_ipv6=0"
    host.run(
        f"nft delete table inet linuxnet_containers; nft delete table bridge linuxnet_containers; ip netns exec web sysctl -qw {back}"
    )
    comes(host, "ip -n web -6 addr show dev eth0 | grep -q fe80 && ! ip -n web addr show tentative | grep -q inet6")
    assert host.snapshot() == before
    assert run.wiring_result["web"]["interfaces"][0]["addresses"] == ["172.17.42.99/16"]
