# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module bridge: every option, set and changed in place, and what is not a bridge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from lab import Lab
from proofs import lines, pastes, refuses, says, settles, unchanged, untouched

MAC = "02:42:0a:00:00:01"


def bridge(lab: Lab, name: str = "br0", netns: str = "") -> dict[str, Any]:
    """What iproute2 says of a bridge, flat."""
    link = lab.ip(f"{netns and f'-n {netns} '}-d link show dev {name}")[0]
    return {**link, **link["linkinfo"]["info_data"]}


@pytest.mark.both_ends
def test_a_bridge_is_made_and_removed(lab: Lab) -> None:
    before = lab.snapshot()
    made = settles(lab, "bridge", name="br0", mac=MAC)
    assert made["before"] == {}
    assert made["after"] == {
        "name": "br0",
        "netns": None,
        "mtu": 1500,
        "mac": MAC,
        "stp": False,
        "forward_delay": 1500,
        "ageing_time": 30000,
        "vlan_filtering": False,
        "enabled": True,
        "alias": "",
    }
    assert made["commands"] == [f"ip link add br0 address {MAC} type bridge", "ip link set br0 up"]
    assert made["diff"]["after_header"] == "bridge br0"
    assert bridge(lab)["address"] == MAC
    assert "UP" in bridge(lab)["flags"]

    removed = settles(lab, "bridge", name="br0", state="absent")
    assert (removed["before"], removed["commands"]) == (made["after"], ["ip link del br0"])
    assert lab.snapshot() == before
    unchanged(lab, "bridge", name="br0", state="absent", netns="nowhere")


@pytest.mark.parametrize(
    ("option", "first", "then", "shown", "values"),
    [
        ("mtu", 1400, 9000, "mtu", (1400, 9000)),
        ("mtu", 1500, 1280, "mtu", (1500, 1280)),
        ("mac", MAC, "02:42:0A:00:00:02", "address", (MAC, "02:42:0a:00:00:02")),
        ("stp", True, False, "stp_state", (1, 0)),
        ("forward_delay", 200, 3000, "forward_delay", (200, 3000)),
        ("ageing_time", 0, 60000, "ageing_time", (0, 60000)),
        ("alias", "of the tests", "two  words 'quoted'", "ifalias", ("of the tests", "two  words 'quoted'")),
    ],
)
@pytest.mark.both_ends
def test_an_option_is_set_at_birth_and_changed_in_place(
    lab: Lab, option: str, first: Any, then: Any, shown: str, values: tuple[Any, Any]
) -> None:
    settles(lab, "bridge", name="br0", **{option: first})
    made = bridge(lab)
    assert made[shown] == values[0]
    changed = settles(lab, "bridge", name="br0", **{option: then})
    assert [len(side) for side in lines(changed)] == [1, 1]
    assert lines(changed)[0][0].startswith(f"{option} ")
    assert len(changed["commands"]) == 1
    assert bridge(lab)[shown] == values[1]
    assert bridge(lab)["ifindex"] == made["ifindex"]
    unchanged(lab, "bridge", name="br0")  # an option that is not given is not managed
    assert bridge(lab)[shown] == values[1]


def test_a_bridge_is_set_down_and_up(lab: Lab) -> None:
    settles(lab, "bridge", name="br0", enabled=False)
    assert "UP" not in bridge(lab)["flags"]
    assert lines(settles(lab, "bridge", name="br0")) == (["enabled false"], ["enabled true"])
    assert "UP" in bridge(lab)["flags"]
    down = settles(lab, "bridge", name="br0", enabled=False)
    assert down["commands"] == ["ip link set br0 down"]
    assert "UP" not in bridge(lab)["flags"]


def test_an_alias_is_taken_away_by_an_empty_one(lab: Lab) -> None:
    lab.module("bridge", name="br0", alias="of the tests")
    assert lines(settles(lab, "bridge", name="br0", alias="")) == (["alias of the tests"], ["alias none"])
    assert "ifalias" not in bridge(lab)


@pytest.mark.needs("strace")
def test_everything_at_once_and_a_second_run_that_writes_nothing(lab: Lab) -> None:
    options: dict[str, Any] = {
        "mtu": 1400,
        "mac": MAC,
        "stp": True,
        "forward_delay": 200,
        "ageing_time": 1000,
        "alias": "all of it",
        "vlan_filtering": False,
    }
    made, writes = lab.writes("bridge", name="br0", **options)
    assert (made["changed"], writes) == (True, ["RTM_NEWLINK", "RTM_NEWLINK"])
    again, writes = lab.writes("bridge", name="br0", **options)
    assert (again["changed"], writes) == (False, [])
    there = bridge(lab)
    assert {key: there[key] for key in ("mtu", "address", "stp_state", "forward_delay", "ageing_time", "ifalias")} == {
        "mtu": 1400,
        "address": MAC,
        "stp_state": 1,
        "forward_delay": 200,
        "ageing_time": 1000,
        "ifalias": "all of it",
    }
    with Lab() as other:
        pastes(made, other, "bridge", name="br0", **options)


@pytest.mark.needs("strace")
def test_only_what_differs_is_set(lab: Lab) -> None:
    """A6"""
    lab.module("bridge", name="br0", mtu=1500, stp=True, ageing_time=1000)
    index = bridge(lab)["ifindex"]
    changed, writes = lab.writes("bridge", name="br0", mtu=1450, stp=True, ageing_time=1000)
    assert writes == ["RTM_NEWLINK"]
    assert lines(changed) == (["mtu 1500"], ["mtu 1450"])
    assert changed["commands"] == ["ip link set br0 mtu 1450"]
    assert bridge(lab)["ifindex"] == index


def test_a_bridge_inside_a_namespace(lab: Lab) -> None:
    """By name, and by the path of its file."""
    lab.run("ip netns add web")
    host = lab.run("ip -d link").stdout
    made = settles(lab, "bridge", name="br0", netns="web", mtu=1400, alias="inside")
    assert made["after"]["netns"] == "web"
    assert bridge(lab, netns="web")["mtu"] == 1400
    unchanged(lab, "bridge", name="br0", netns="/run/netns/web", mtu=1400)
    unchanged(lab, "bridge", name="br0", netns="/var/run/netns/web", mtu=1400)
    settles(lab, "bridge", name="br0", netns="/run/netns/web", state="absent")
    assert lab.ip("-n web link show type bridge") == []
    assert lab.run("ip -d link").stdout == host


def test_a_bridge_without_a_mac_gets_one_of_its_own_that_stays(lab: Lab) -> None:
    """C9: a bridge that has none takes its lowest port's, and changes it as ports come and go."""
    lab.module("bridge", name="br0")
    own = bridge(lab)["address"]
    assert own[1] in "26ae"  # locally administered, unicast
    for number in (3, 2, 1):
        lab.run(f"ip link add p{number} address 02:00:00:00:00:0{number} type veth peer name q{number}")
        lab.run(f"ip link set p{number} master br0 up")
        assert bridge(lab)["address"] == own
    lab.run("ip link del p1; ip link del p3; ip link del p2")
    assert bridge(lab)["address"] == own
    lab.module("bridge", name="br0", state="absent")
    lab.module("bridge", name="br0")
    assert bridge(lab)["address"] == own  # the same on every run
    lab.module("bridge", name="br1")
    assert bridge(lab, "br1")["address"] != own


def test_a_bridge_made_by_hand_is_taken_as_it_is(lab: Lab) -> None:
    """C9: what is not asked for is not judged."""
    lab.run("brctl addbr br0 && ip link set br0 up")
    before = lab.snapshot()
    unchanged(lab, "bridge", name="br0")
    unchanged(lab, "bridge", name="br0", mtu=1500, stp=False, forward_delay=1500, ageing_time=30000, alias="")
    assert lab.snapshot() == before
    settles(lab, "bridge", name="br0", mac=MAC)
    assert bridge(lab)["address"] == MAC


def test_an_mtu_that_was_asked_for_does_not_follow_the_ports(lab: Lab) -> None:
    """C8: the kernel lowers a bridge's MTU to its lowest port's, unless it was set."""
    lab.module("bridge", name="br0", mtu=1500)
    lab.run("ip link add p0 mtu 1300 type veth peer name q0 && ip link set p0 master br0 up")
    unchanged(lab, "bridge", name="br0", mtu=1500)
    assert bridge(lab)["mtu"] == 1500


@pytest.mark.parametrize("mtu", [1450, 9000])
def test_mtu_auto_is_the_uplinks(lab: Lab, mtu: int) -> None:
    """C8: a later change of the uplink is drift."""
    lab.run(f"ip link add up0 mtu {mtu} type veth peer name far mtu {mtu} && ip link set up0 up && ip link set far up")
    lab.run("ip addr add 198.51.100.2/24 dev up0 && ip route add default via 198.51.100.1")
    settles(lab, "bridge", name="br0", mtu="auto")
    assert bridge(lab)["mtu"] == mtu
    lab.run("ip link set up0 mtu 1400")
    drift = settles(lab, "bridge", name="br0", mtu="auto")
    assert lines(drift) == ([f"mtu {mtu}"], ["mtu 1400"])
    assert bridge(lab)["mtu"] == 1400


def test_mtu_auto_follows_the_preferred_default_route(lab: Lab) -> None:
    """C8: a VPN that takes the default route over decides; a host without any has 1500."""
    settles(lab, "bridge", name="br0", mtu="auto")
    assert bridge(lab)["mtu"] == 1500
    lab.run("ip link add up0 mtu 9000 type veth peer name far && ip link set up0 up && ip link set far up")
    lab.run("ip addr add 198.51.100.2/24 dev up0 && ip route add default via 198.51.100.1 metric 100")
    lab.run("ip tuntap add vpn0 mode tun && ip link set vpn0 mtu 1420 up && ip route add default dev vpn0 metric 50")
    assert lines(settles(lab, "bridge", name="br0", mtu="auto")) == (["mtu 1500"], ["mtu 1420"])
    lab.run("ip route del default dev vpn0")
    assert lines(settles(lab, "bridge", name="br0", mtu="auto")) == (["mtu 1420"], ["mtu 9000"])


@pytest.mark.with_or_without("vlan_filtering")
def test_vlan_filtering_works_or_is_said_to_be_lacking(lab: Lab) -> None:
    """C12: on a kernel without it, nothing is half done."""
    works = lab.run("ip link add probe type bridge vlan_filtering 1 && ip link del probe", check=False).rc == 0
    lacking = r"Could not .* vlan_filtering true on br1 in the host: .*; this kernel lacks the feature\."
    if works:
        settles(lab, "bridge", name="br0", vlan_filtering=True)
        assert bridge(lab)["vlan_filtering"] == 1
        settles(lab, "bridge", name="br0", vlan_filtering=False)
        assert bridge(lab)["vlan_filtering"] == 0
    else:
        refuses(lab, "bridge", "lacks the feature", name="br0", vlan_filtering=True)
        lab.module("bridge", name="br1", alias="before")
        refuses(lab, "bridge", lacking, name="br1", vlan_filtering=True)
        refuses(lab, "bridge", "lacks the feature", name="br1", vlan_filtering=True, alias="after", mtu=1400)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        ("ip link add br0 type veth peer name x", "a veth"),
        ("ip tuntap add br0 mode tap", "an interface of type tun"),
    ],
)
@pytest.mark.parametrize("state", ["present", "absent"])
def test_the_name_belongs_to_something_else(lab: Lab, make: str, kind: str, state: str) -> None:
    lab.run(make)
    message = f"Interface 'br0' in the host is {kind}, not a bridge; it is left alone"
    refuses(lab, "bridge", message, name="br0", state=state)


@pytest.mark.needs("strace")
def test_many_in_one_task_and_one_that_fails(lab: Lab) -> None:
    """Options of the task are defaults of its items; the item that fails is taken back and named."""
    bridges = [{"name": "br0"}, {"name": "br1", "alias": "second"}, {"name": "br2", "mtu": 1300}]
    # Each is made by one message, and gets its MTU and alias by another.
    result = lab.cut(4, "bridge", mtu=1400, aggregate=bridges)
    assert result["msg"] == (
        "1 of 3 items failed. bridge br1: Could not set mtu 1400, alias second on br1 in the host: Cannot allocate memory."
    )
    assert [item.get("failed", False) for item in result["results"]] == [False, True, False]
    assert [(link["ifname"], link["mtu"]) for link in lab.ip("link show type bridge")] == [("br0", 1400), ("br2", 1300)]
    del bridges[1]
    unchanged(lab, "bridge", mtu=1400, aggregate=bridges)
    settles(lab, "bridge", state="absent", aggregate=bridges)
    assert lab.ip("link show type bridge") == []


@pytest.mark.needs("strace")
@pytest.mark.parametrize("lost", [False, True], ids=["refused", "carried out"])
def test_what_a_run_made_is_taken_back_when_it_fails_later(lab: Lab, lost: bool) -> None:
    """G2: the alias is a second message; that which fails may have been carried out, wholly or in part."""
    with untouched(lab):
        said = lab.cut(2, "bridge", name="br0", alias="second", lost=lost)["msg"]
    assert said == "Could not set alias second on br0 in the host: Cannot allocate memory."
    lab.module("bridge", name="br0", mtu=1500, alias="first")
    with untouched(lab):
        said = lab.cut(1, "bridge", name="br0", mtu=1400, alias="second", ageing_time=100, lost=lost)["msg"]
    assert said.startswith("Could not set mtu 1400")


@pytest.fixture(name="quiet", scope="module")
def host_that_nothing_touches(shared_lab: Lab) -> Iterator[Lab]:
    with untouched(shared_lab):
        yield shared_lab


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"name": "sixteen-bytes-xx"}, "name: 'sixteen-bytes-xx' is 16 bytes long; an interface name has at most 15"),
        ({"name": "ääääääää"}, "is 16 bytes long"),
        ({"name": "../x"}, r"name: '\.\./x' is not an interface name"),
        ({"name": "a/b"}, "name: 'a/b' is not an interface name"),
        ({"name": ""}, "name: '' is not an interface name"),
        ({"name": ".."}, "is not an interface name"),
        ({"name": "br 0"}, "is not an interface name"),
        ({"name": "br%d"}, "is not an interface name"),
        ({"name": "br0", "netns": ""}, "netns: '' is not a namespace name"),
        ({"name": "br0", "netns": "a/b"}, "netns: 'a/b' is not a namespace name"),
        ({"name": "br0", "netns": "nowhere"}, r"Netns 'nowhere' does not exist \(no /run/netns/nowhere\)"),
        ({"name": "br0", "netns": "/proc/1/ns/mnt"}, "/proc/1/ns/mnt is not a network namespace"),
        ({"name": "br0", "mtu": "big"}, "mtu: 'big' is neither 'auto' nor a number of bytes"),
        ({"name": "br0", "mtu": 67}, "mtu: 67 is out of bounds; it must be from 68 to 65535"),
        ({"name": "br0", "mac": "02:42"}, "mac: '02:42' is not a MAC address"),
        ({"name": "br0", "mac": "01:00:5e:00:00:01"}, "is a multicast or empty MAC address"),
        ({"name": "br0", "ageing_time": -1}, "ageing_time: -1 is out of bounds"),
        ({"name": "lo"}, "name: 'lo' is the loopback interface, which every namespace has"),
    ],
)
def test_bad_input_is_refused_before_anything_is_touched(quiet: Lab, args: dict[str, Any], message: str) -> None:
    says(quiet, "bridge", message, **args)
