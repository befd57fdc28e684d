# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose a bridge is, against the kernel: what is somebody else's stays, with all that is on it."""

from __future__ import annotations

from typing import Any

import pytest
from lab import Lab
from proofs import lines, refuses, settles, unchanged, untouched, warnings

OURS: dict[str, Any] = {"name": "br0", "only_ours": True}
# A host whose uplink is in a bridge, with its address and its default route.
LAN = """
ip link add br0 address 02:00:00:00:00:0a type bridge && ip link set br0 addrgenmode none && ip link set br0 up
ip netns add world && ip link add uplink type veth peer name eth0 netns world && ip link set uplink addrgenmode none master br0 up
ip -n world link set eth0 up && ip -n world addr add 192.0.2.99/24 dev eth0
ip addr add 192.0.2.1/24 dev br0 && ip addr add 2001:db8::1/64 dev br0 nodad
ip route add default via 192.0.2.99 && ip route add default via 2001:db8::99 && ip route add 10.9.0.0/16 via 192.0.2.98
"""


@pytest.fixture
def host(lab: Lab) -> Lab:
    lab.run(f"set -e{LAN}")
    return lab


def named(lab: Lab, name: str) -> None:
    """Give the host another name."""
    lab.run(f"hostname {name}")


def test_a_bridge_that_was_here_before_is_not_changed(host: Lab) -> None:
    with untouched(host):
        found = unchanged(host, "bridge", **OURS, mtu=1400, alias="x")
    (said,) = warnings(found)
    assert said.startswith("Bridge 'br0' in the host was here before: it is used as it is")
    assert (found["after"]["mac"], found["after"]["mtu"], found["commands"]) == ("02:00:00:00:00:0a", 1500, [])


@pytest.mark.both_ends
def test_what_we_added_is_taken_back_and_nothing_else(host: Lab) -> None:
    before = host.snapshot()
    for address in ("10.0.0.1/24", "192.0.2.1/24", "192.0.2.7/24", "fd00::1/64"):
        host.module("ns_address", interface="br0", address=address, nodad=True)
    taken = settles(host, "bridge", **OURS, state="absent")
    assert lines(taken)[0] == ["addresses 10.0.0.1/24, 192.0.2.7/24, fd00::1/64"]
    assert host.snapshot() == before
    (said,) = warnings(unchanged(host, "bridge", **OURS, state="absent"))
    assert (
        said
        == "Bridge 'br0' in the host was not made by this collection: it stays, and loses what was added for containers."
    )


def test_an_address_that_others_hang_on_stays(lab: Lab) -> None:
    """Theirs is a secondary one of ours, and their default route leads through it."""
    lab.run(
        "ip link add br0 address 02:00:00:00:00:0a type bridge && ip link set br0 addrgenmode none && ip link set br0 up"
    )
    lab.module("ns_address", interface="br0", address="10.0.0.1/24")
    lab.run("ip addr add 10.0.0.5/24 dev br0 && ip route add default via 10.0.0.99")
    with untouched(lab):
        (said,) = warnings(unchanged(lab, "bridge", **OURS, state="absent"))
    assert said.endswith("but for its address 10.0.0.1/24, which addresses or routes of others need.")


def test_a_bridge_of_ours_stays_while_it_has_ports(lab: Lab) -> None:
    settles(lab, "bridge", **OURS)
    lab.run("ip link add tap0 type veth peer name tap1 && ip link set tap0 master br0 && ip netns add web")
    lab.module("veth", peer_netns="web", peer_enabled=False, bridge="br0")
    with untouched(lab):
        (said,) = warnings(unchanged(lab, "bridge", **OURS, state="absent"))
    assert said.endswith("for there are ports on it that nothing here removes: tap0, vethzvxkcem3eqk of netns 'web'.")
    lab.run("ip link del tap0")
    unchanged(lab, "bridge", **OURS, state="absent")
    settles(lab, "bridge", **OURS, state="absent", rewired=["web"])
    assert lab.ip("link show type bridge") == []


@pytest.mark.both_ends
def test_ours_is_ours_whatever_the_host_is_called(lab: Lab) -> None:
    named(lab, "before")
    lab.module("bridge", **OURS)
    lab.run("ip netns add web")
    made = lab.module("veth", name="v0", peer_netns="web", bridge="br0")
    named(lab, "after")
    unchanged(lab, "bridge", **OURS)
    unchanged(lab, "veth", name="v0", peer_netns="web", bridge="br0")
    info = lab.module("wiring_info", gather=["bridges", "veths"])["wiring"]
    assert ([one["ours"] for one in info["bridges"]], [one["made_for"] for one in info["veths"]]) == ([True], ["web"])
    renamed = settles(lab, "veth", name="v1", peer_netns="web", bridge="br0")
    assert (renamed["before"]["name"], renamed["after"]["mac"]) == ("v0", made["after"]["mac"])
    settles(lab, "veth", name="v1", peer_netns="web", state="absent")
    settles(lab, "bridge", **OURS, state="absent")


def test_a_bridge_that_somebody_renamed_is_not_made_twice(lab: Lab) -> None:
    lab.module("bridge", name="br0")
    lab.run("ip link set br0 down && ip link set br0 name br9 && ip link set br9 up")
    for more in ({}, {"only_ours": True}):
        refuses(lab, "bridge", r"^Bridge 'br0' in the host is called 'br9' by now", name="br0", **more)
    settles(lab, "bridge", **OURS, state="absent")
    assert lab.ip("link show type bridge") == []


def test_what_is_no_bridge_is_left_alone(lab: Lab) -> None:
    lab.run("ip link add br0 type veth peer name br1")
    refuses(lab, "bridge", "is a veth, not a bridge", **OURS)
    with untouched(lab):
        assert warnings(unchanged(lab, "bridge", **OURS, state="absent")) == [
            "Interface 'br0' in the host is a veth, not a bridge; it is left alone."
        ]


def test_a_host_end_that_somebody_moved(lab: Lab) -> None:
    lab.run("ip netns add web && ip netns add away")
    lab.module("veth", peer_netns="web")
    lab.run("ip link set vethzvxkcem3eqk netns away")
    said = refuses(lab, "veth", "whose other end is 'vethzvxkcem3eqk' in netns 'away' by now", peer_netns="web")["msg"]
    lab.run(said.split("Take that back by '")[1].split("'")[0])
    settles(lab, "veth", peer_netns="web")


def test_a_container_that_is_called_otherwise_by_now(lab: Lab) -> None:
    lab.run("ip netns add web")
    lab.module("veth", peer_netns="web", peer_enabled=False)  # up, it would get an address of its own by and by
    lab.module("netns", name="www", share="web")
    refuses(lab, "veth", "was made for netns 'web', another name of the same namespace", peer_netns="www")
    settles(lab, "veth", peer_netns="web", state="absent")
    settles(lab, "veth", peer_netns="www")
