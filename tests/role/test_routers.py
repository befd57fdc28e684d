# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Containers that are routers: what is on their `lo`, and that they forward; what is no longer listed goes, foreseen, done, and nothing left."""

from __future__ import annotations

from typing import Any

from plays import Outcome, Playbook, checked, shell, snapshot, wiring

FRONT: dict[str, Any] = {"name": "front", "subnets": ["10.6.0.0/24", "fd06::/64"]}
BACK: dict[str, Any] = {"name": "back", "subnets": ["10.7.0.0/24", "fd07::/64"]}
ROUTES = [
    {"destination": "10.255.0.1/32", "gateway": "10.6.0.9", "source": "10.255.0.7"},
    {"destination": "10.7.0.0/24", "gateway": "10.6.0.9"},
    {"destination": "fd07::/64", "gateway": "fd06::9"},
]
R1: dict[str, Any] = {
    "name": "r1",
    "networks": [
        {"name": "front", "ipv4_address": "10.6.0.9", "ipv6_address": "fd06::9"},
        {"name": "back", "ipv4_address": "10.7.0.9", "ipv6_address": "fd07::9"},
    ],
    "loopback_addresses": ["10.255.0.1/32", "2001:db8:255::1"],
    "routes": [{"destination": "10.255.0.7/32", "gateway": "10.6.0.7"}],
    "forwarding": True,
}
USER: dict[str, Any] = {
    "name": "user",
    "networks": [{"name": "front", "ipv4_address": "10.6.0.7"}],
    "loopback_addresses": ["10.255.0.7"],
    "routes": ROUTES,
}
FAR: dict[str, Any] = {
    "name": "far",
    "networks": [{"name": "back", "ipv4_address": "10.7.0.7", "ipv6_address": "fd07::7"}],
    "routes": [
        {"destination": "10.6.0.0/24", "gateway": "10.7.0.9"},
        {"destination": "fd06::/64", "gateway": "fd07::9"},
    ],
}
LONE: dict[str, Any] = {"name": "lone", "network_mode": "none", "loopback_addresses": ["10.255.0.3/32"]}
LOOK = (
    "for name in r1 user lone; do for family in 4 6; do ip -n $name -$family -br addr show lo scope global; done; done; "
    "cd /proc/sys/net; ip netns exec r1 cat ipv4/ip_forward ipv6/conf/all/forwarding"
)
PINGS = (
    "ping() { ip netns exec user ping -c1 -W5 $1 >&2; }; "
    "ping 10.255.0.1 && ping 10.7.0.7 && for try in 1 2 3 4 5 6 7 8 9; do ping fd07::7 && break; done && echo answered"
)
STRANGE = "ip -n r1 addr add 10.255.9.9/32 dev lo"


def less(entry: dict[str, Any], *options: str) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in options}


def test_what_a_router_has_comes_and_goes_with_the_list(playbook: Playbook) -> None:
    lists = {
        "first": [R1, USER, FAR, LONE],
        "fewer": [{**R1, "loopback_addresses": ["10.255.0.2/32"]}, USER, FAR, LONE],
        "none": [
            less(R1, "loopback_addresses"),
            {**less(USER, "loopback_addresses"), "routes": ROUTES[1:]},
            FAR,
            less(LONE, "loopback_addresses"),
        ],
    }
    plays = [snapshot()]
    for containers in lists.values():
        play = wiring(networks=[FRONT, BACK], containers=containers)
        plays += [checked(play), play, shell(PINGS + " || true"), shell(LOOK), play, shell(STRANGE + " || true")]
    gone = wiring(networks=[FRONT, BACK], containers=lists["first"], state="absent")
    before, *told, foreseen, done, after = playbook.run(*plays, checked(gone), gone, snapshot())
    chapters = [told[number : number + 6] for number in range(0, 18, 6)]
    for check, run, _pings, _look, again, _strange in chapters:
        assert (run.failures, check.drift(), again.changed) == ([], run.drift(), [])
    (_check, first, pings, look, *_rest), (_c, _fewer, _p, fewer, *_r), (_c, none, _p, left, *_r) = chapters
    # The one who is no router may send from what is on its `lo`.
    assert pings.stdout.endswith("answered\n")
    assert addresses(look) == [["10.255.0.1/32"], ["2001:db8:255::1/128"], ["10.255.0.7/32"], ["10.255.0.3/32"]]
    assert look.stdout.endswith("1\n1\n")
    assert first.wiring_result["r1"]["loopback_addresses"] == ["10.255.0.1/32", "2001:db8:255::1/128"]
    assert addresses(fewer) == [["10.255.9.9/32", "10.255.0.2/32"], ["10.255.0.7/32"], ["10.255.0.3/32"]]
    assert addresses(left) == [["10.255.9.9/32"]]
    assert none.changed[-2:] == ["Give the containers their addresses", "Set the routes"]
    assert none.wiring_result["r1"]["loopback_addresses"] == []
    assert (foreseen.changed, after.stdout) == (done.changed, before.stdout)


def addresses(look: Outcome) -> list[list[str]]:
    """The global addresses of each `lo` that has any."""
    return [line.split()[2:] for line in look.stdout.splitlines() if line.startswith("lo")]
