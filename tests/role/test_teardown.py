# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role twice in one play: what the first makes, the second takes back."""

from __future__ import annotations

from plays import ROLE, Playbook, internet, snapshot

VARIABLES = {
    "wiring_install_dependencies": False,
    "wiring_networks": [
        {"name": "docker0", "subnets": ["172.17.0.0/16", "fd00:17::/64"]},
        {"name": "backend", "subnets": ["10.9.0.0/24"], "mtu": "1400"},
    ],
    "wiring_containers": [
        {"name": "web", "networks": [{"name": "docker0"}, {"name": "backend"}], "sysctls": {"net.ipv4.ip_forward": 1}},
        {"name": "lone", "network_mode": "none"},
    ],
}
TWICE = {
    "name": "twice",
    "vars": VARIABLES,
    "tasks": [
        {"ansible.builtin.include_role": {"name": ROLE}},
        {"ansible.builtin.include_role": {"name": ROLE}, "vars": {"wiring_state": "absent"}},
    ],
}


def test_g3_present_then_absent_leaves_the_host_as_it_was(playbook: Playbook) -> None:
    """G3: links, addresses, routes, rules, sysctls, sysctl.d, namespaces and mounts; IPv4 was forwarded before, IPv6 was not."""
    internet(playbook.lab)
    playbook.lab.run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=0")
    before, twice, after = playbook.run(snapshot(), TWICE, snapshot())
    assert twice.changed == [
        "Make namespaces",
        "Make bridges",
        "Isolate the networks, and translate what leaves",
        "Give the bridges their gateway addresses",
        "Make pairs, each born in its place",
        "Give the containers their addresses",
        "Set the routes",
        "Remove pairs",
        "Remove namespaces",
        "Remove bridges",
        "Remove NAT",
    ]
    assert after.stdout == before.stdout
    assert "sysctl net.ipv4.ip_forward = 1" in before.stdout.splitlines()
    assert "sysctl net.ipv6.conf.all.forwarding = 0" in before.stdout.splitlines()
    assert twice.wiring_result == {}
