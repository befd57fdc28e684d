# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pairs between containers: cables that are plugged elsewhere, that change places, and whose container was replaced."""

from __future__ import annotations

from typing import Any

import pytest
from lab import Lab
from proofs import comes, lines, ns_inode, refuses, says, settles, unchanged

FIRST: dict[str, Any] = {"netns": "r1", "name": "eth1", "peer_netns": "r2", "peer_name": "eth1"}
SECOND: dict[str, Any] = {"netns": "r1", "name": "eth2", "peer_netns": "r3", "peer_name": "eth1"}


@pytest.fixture(name="host")
def host_with_three_routers(lab: Lab) -> Lab:
    lab.run("for name in r1 r2 r3; do ip netns add $name; done")
    return lab


def ends(host: Lab, name: str) -> dict[str, str]:
    """Where the pairs of a container lead: the other end's namespace, by the name of the end."""
    pairs = host.module("wiring_info", gather=["veths"])["wiring"]["veths"]
    both = [(one, other) for one in pairs for other in (("", "peer_"), ("peer_", ""))]
    return {one[f"{near}name"]: one[f"{far}netns"] for one, (near, far) in both if one[f"{near}netns"] == name}


def renewed(host: Lab, name: str) -> None:
    """A container is made anew while a process holds its old namespace."""
    old = ns_inode(host, f"/run/netns/{name}")
    pid = host.spawn(["ip", "netns", "exec", name, "sleep", "100000"])
    comes(host, f"[ $(stat -Lc %i /proc/{pid}/ns/net) = {old} ] && [ $(cat /proc/{pid}/comm) = sleep ]")
    host.run(f"ip netns del {name} && ip netns add {name}")


def test_a_cable_is_plugged_elsewhere_and_two_change_places(host: Lab) -> None:
    made = settles(host, "veth", cable=True, aggregate=[FIRST, SECOND])
    assert "group 76" in made["commands"][0]
    index = host.ip("-n r2 link show dev eth1")[0]["ifindex"]
    crossed = [{**FIRST, "peer_netns": "r3"}, {**SECOND, "peer_netns": "r2"}]
    settles(host, "veth", cable=True, aggregate=crossed)
    assert ends(host, "r1") == {"eth1": "r3", "eth2": "r2"}
    assert host.ip("-n r2 link show dev eth1")[0]["ifindex"] != index
    # One of them goes to another interface of the other's: the name there is free, so the cable stays.
    index = host.ip("-n r1 link show dev eth2")[0]["ifindex"]
    moved = settles(host, "veth", cable=True, **{**SECOND, "peer_netns": "r2", "peer_name": "eth9"})
    assert [line for line in lines(moved)[1] if "mac" not in line] == ["peer_name eth9"]
    assert host.ip("-n r1 link show dev eth2")[0]["ifindex"] == index
    settles(host, "veth", cable=True, **{**FIRST, "peer_netns": "r2", "peer_name": "eth9"})
    assert (ends(host, "r1"), ends(host, "r3")) == ({"eth1": "r2"}, {})


def test_without_a_word_a_cable_stays_where_it_is(host: Lab) -> None:
    host.module("veth", cable=True, **FIRST)
    refuses(host, "veth", "give cable: true to plug it here", **{**FIRST, "peer_netns": "r3"})
    host.run("ip -n r3 link add eth1 type veth peer name eth9")
    refuses(host, "veth", "peer_name: 'eth1' in netns 'r3' is there already and foreign", cable=True, **SECOND)
    refuses(host, "veth", "cable: it is between two containers", cable=True, peer_netns="r1")
    refuses(host, "veth", "cable: its ends are in containers", cable=True, bridge="br0", **FIRST)


@pytest.mark.parametrize("cable", [True, False])
def test_the_end_of_what_is_no_longer_there_is_no_error(host: Lab, cable: bool) -> None:
    host.module("veth", cable=cable, **FIRST)
    unchanged(host, "veth", cable=cable, state="absent", **{**FIRST, "peer_netns": "r3"})
    unchanged(host, "veth", cable=cable, state="absent", **SECOND)
    settles(host, "veth", cable=cable, state="absent", **FIRST)
    host.run("ip -n r1 link add eth1 type veth peer name eth1 netns r2")
    stays = unchanged(host, "veth", cable=cable, state="absent", **{**FIRST, "peer_netns": "r3"})
    assert "it is not the pair that is to go, and stays" in str(stays["warnings"])


@pytest.mark.parametrize("cable", [True, False])
@pytest.mark.parametrize("name", ["r1", "r2"])
def test_a_container_that_was_made_anew_gets_its_pair_again(host: Lab, name: str, cable: bool) -> None:
    host.module("veth", cable=cable, **FIRST)
    renewed(host, name)
    settles(host, "veth", cable=cable, **FIRST)
    assert (ends(host, "r1"), ends(host, "r2")) == ({"eth1": "r2"}, {"eth1": "r1"})


@pytest.mark.parametrize("name", ["r1", "r2"])
def test_a_cable_that_lost_its_other_end_goes(host: Lab, name: str) -> None:
    macs: dict[str, Any] = {"mac": "02:00:00:00:00:01", "peer_mac": "02:00:00:00:00:02"}
    host.module("veth", cable=True, **FIRST, **macs)
    renewed(host, name)
    settles(host, "veth", cable=True, **FIRST, **macs)
    renewed(host, name)
    settles(host, "veth", cable=True, state="absent", **FIRST)
    assert ends(host, "r1") == ends(host, "r2") == {}


def test_what_is_no_longer_asked_for_goes(host: Lab) -> None:
    more: dict[str, Any] = {
        "mac": "02:00:00:00:00:01",
        "peer_mac": "02:00:00:00:00:02",
        "rate": "10mbit",
        "peer_rate": "1mbit",
    }
    derived = host.module("veth", cable=True, **FIRST)["after"]
    sysctls: dict[str, Any] = {
        "sysctls": {"net.ipv4.conf.eth1.arp_notify": 1},
        "peer_sysctls": {"net.ipv4.conf.eth1.rp_filter": 2},
    }
    given = settles(host, "veth", cable=True, **FIRST, **more, **sysctls)
    assert given["after"]["sysctls"] == {"net.ipv4.conf.eth1.arp_notify": "1"}
    unchanged(host, "veth", cable=True, **FIRST, **more)
    taken = settles(host, "veth", cable=True, **FIRST)
    assert taken["after"]["mac"] == derived["mac"]
    assert taken["after"]["peer_mac"] == derived["peer_mac"]
    assert "rate" not in taken["after"]
    # Spelt from its other end it is the same cable.
    turned = {"netns": "r2", "name": "eth1", "peer_netns": "r1", "peer_name": "eth1"}
    unchanged(host, "veth", cable=True, **turned)


def test_what_is_set_before_the_end_is_up(host: Lab) -> None:
    setting: dict[str, Any] = {"sysctls": {"net.ipv4.conf.eth1.arp_notify": 1}, "accept_ra": False}
    made = settles(host, "veth", cable=True, **FIRST, **setting)["commands"]
    up = made.index("ip -n r1 link set eth1 up")
    assert [number for number, line in enumerate(made) if "sysctl" in line and number > up] == []


def test_both_ends_of_a_cable_share_a_pool(host: Lab) -> None:
    """The first that is asked gets the lowest address; whoever has one keeps it, whatever the order."""
    host.module("veth", cable=True, **FIRST)
    both: list[dict[str, Any]] = [
        {"netns": "r1", "interface": "eth1", "cable": "r2/eth1"},
        {"netns": "r2", "interface": "eth1", "cable": "r1/eth1"},
    ]
    pool: dict[str, Any] = {"pool": "10.0.12.0/31", "gateway": "none", "strategy": "lowest", "supersede": True}
    host.run("ip netns add other && ip -n other addr add 10.0.12.0/31 dev lo")  # nobody on this segment
    made = settles(host, "ns_address", aggregate=both, **pool)
    assert [one["after"]["address"] for one in made["results"]] == ["10.0.12.0/31", "10.0.12.1/31"]
    unchanged(host, "ns_address", aggregate=both[::-1], **pool)
    host.run("ip -n r1 addr flush dev eth1 scope global")
    again = settles(host, "ns_address", aggregate=both[::-1], **pool)
    assert [one["after"]["address"] for one in again["results"]] == ["10.0.12.1/31", "10.0.12.0/31"]
    wider = settles(host, "ns_address", aggregate=both, **{**pool, "pool": "10.0.12.0/29"})
    assert [one["after"]["address"] for one in wider["results"]] == ["10.0.12.2/29", "10.0.12.1/29"]
    host.run("ip netns del other")
    full = "pool: no free address in 10.0.12.1/32"
    says(host, "ns_address", full, **both[0], **{**pool, "pool": "10.0.12.1/32"})
    refuses(host, "ns_address", "cable: 'eth1' is not the other end", **{**both[0], "cable": "eth1"}, **pool)
    refuses(host, "ns_address", "cable: the segment is the pair itself", bridge="br0", **both[0], **pool)
