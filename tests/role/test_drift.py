# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody else changed is repaired by the next run, in place, and nothing else is in the diff."""

from __future__ import annotations

from plays import Playbook, pings, shell, snapshot, wiring

NAMES = ("web", "db", "app", "cache", "calm")
PLAY = wiring(
    networks=[{"name": "docker0", "subnets": ["172.17.0.0/24", "fd00:17::/64"]}],
    containers=[
        {
            "name": name,
            "networks": [
                {
                    "name": "docker0",
                    "host_interface": f"{name}0",
                    "ipv4_address": f"172.17.0.{number}",
                    "ipv6_address": f"fd00:17::{number}",
                }
            ],
        }
        for number, name in enumerate(NAMES, 11)
    ],
)
DRIFT = """
ip link set web0 mtu 1400
ip link set db0 nomaster
ip -n app addr del 172.17.0.13/24 dev eth0   # with the last address go all IPv4 routes
ip -n cache link set eth0 down               # and with the link its IPv6 address, and all routes
ip -n cache link set eth0 up
nft flush ruleset
"""
ROUTE4 = """
+destination default
+family ipv4
+netns {}
+table main
+metric 0
+type unicast
+gateway 172.17.0.1
+interface eth0
+scope global
+onlink false
"""
ROUTE6 = """
+destination default
+family ipv6
+netns {}
+table main
+metric 1024
+type unicast
+gateway fd00:17::1
+interface eth0
+scope global
+onlink false
"""
ADDRESS4 = """
+address 172.17.0.13/24
+ip 172.17.0.13
+prefix 24
+family ipv4
+interface eth0
+netns app
+owner app/eth0
+gateway 172.17.0.1
+scope global
+label eth0
+broadcast 172.17.0.255
+valid_lft forever
+preferred_lft forever
+noprefixroute false
"""
ADDRESS6 = """
+address fd00:17::14/64
+ip fd00:17::14
+prefix 64
+family ipv6
+interface eth0
+netns cache
+owner cache/eth0
+gateway fd00:17::1
+scope global
+valid_lft forever
+preferred_lft forever
+noprefixroute false
"""
NAT = """
+type masquerade
+source {}
+out_interface !docker0
+owner docker0
+backend nftables
+ip_forward true
+fenced true
+sysctl_file /etc/sysctl.d/99-zz-linuxnet-containers.conf
+enforced true
"""
GUARD = """
+type filter
+bridge docker0
+isolate true
+icc true
+internal false
+owner docker0
+backend nftables
+enforced true
"""


def lines(text: str) -> list[str]:
    """The lines of one of the texts above."""
    return text.strip().split("\n")


def test_c6_e4_f4_what_drifted_is_repaired_and_nothing_else_is_touched(playbook: Playbook) -> None:
    """C6, E4, F4: MTU, master, address, routes after a flap of the link, and a flushed rule set."""
    _first, before, _drift, repair, after, second = playbook.run(PLAY, snapshot(), shell(DRIFT), PLAY, snapshot(), PLAY)
    drift = repair.drift()
    checks = [drift.pop(f"spoof_check {name}0")[:2] for name in NAMES]
    assert checks == [["+type spoof_check", f"+interface {name}0"] for name in NAMES]
    assert drift == {
        "veth web0": ["-mtu 1400", "+mtu 1500"],
        "veth db0": ["-bridge none", "+bridge docker0"],
        "address 172.17.0.13/24 on eth0 in netns 'app'": lines(ADDRESS4),
        "address fd00:17::14/64 on eth0 in netns 'cache'": lines(ADDRESS6),
        "route default in netns 'app'": lines(ROUTE4.format("app")),
        "route default in netns 'cache'": lines(ROUTE4.format("cache")),
        "route default (IPv6) in netns 'cache'": lines(ROUTE6.format("cache")),
        "filter docker0": lines(GUARD),
        "nat 172.17.0.0/24": lines(NAT.format("172.17.0.0/24")),
        "nat fd00:17::/64": lines(NAT.format("fd00:17::/64")),
    }
    assert second.changed == []
    assert after.stdout == before.stdout
    assert pings(playbook.lab, "web", "172.17.0.12")
    assert pings(playbook.lab, "cache", "fd00:17::13")
