# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module bridge_port: an interface joins a bridge, is set as a port, and is released."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from lab import Lab
from proofs import comes, lines, pastes, refuses, says, settles, unchanged, untouched

TOPOLOGY = (
    "ip link add br0 address 02:42:0a:00:00:fe type bridge; ip link set br0 addrgenmode none up; "
    "ip link add br1 type bridge; ip link add v0 type veth peer name w0; ip link set v0 up; ip link set w0 up; "
    "ip link set v0 master br0; ip link set v0 nomaster"  # a bridge keeps some sizes that its first port gave it
)


@pytest.fixture(name="host")
def host_with_bridges_and_an_interface(lab: Lab) -> Lab:
    lab.run(TOPOLOGY)
    return lab


def port(lab: Lab, name: str = "v0", netns: str = "") -> dict[str, Any]:
    """What iproute2 says of a port, flat; without ``master`` where it is none."""
    link = lab.ip(f"{netns and f'-n {netns} '}-d link show dev {name}")[0]
    return {**link, **link["linkinfo"].get("info_slave_data", {})}


@pytest.mark.both_ends
def test_an_interface_joins_and_is_released(host: Lab) -> None:
    before = host.snapshot()
    joined = settles(host, "bridge_port", bridge="br0", interface="v0")
    assert joined["before"] == {}
    assert joined["after"] == {
        "bridge": "br0",
        "interface": "v0",
        "netns": None,
        "hairpin": False,
        "isolated": False,
        "learning": True,
        "flood": True,
        "mcast_flood": True,
        "neigh_suppress": False,
        "guard": False,
        "root_block": False,
        "fast_leave": False,
        "cost": 2,
        "priority": 32,
    }
    assert joined["commands"] == ["ip link set v0 master br0"]
    assert joined["diff"]["after_header"] == "bridge port v0"
    assert port(host)["master"] == "br0"

    released = settles(host, "bridge_port", bridge="br0", interface="v0", state="absent")
    assert (released["before"], released["commands"]) == (joined["after"], ["ip link set v0 nomaster"])
    assert "master" not in port(host)
    assert host.snapshot() == before
    for gone in ({"interface": "nothing"}, {"bridge": "nothing"}, {"netns": "nowhere"}):
        unchanged(host, "bridge_port", **{"bridge": "br0", "interface": "v0", "state": "absent", **gone})


@pytest.mark.parametrize(
    ("option", "values", "shown", "words"),
    [
        ("hairpin", (True, False), "hairpin", "hairpin off"),
        ("isolated", (True, False), "isolated", "isolated off"),
        ("learning", (False, True), "learning", "learning on"),
        ("flood", (False, True), "flood", "flood on"),
        ("mcast_flood", (False, True), "mcast_flood", "mcast_flood on"),
        ("neigh_suppress", (True, False), "neigh_suppress", "neigh_suppress off"),
        ("guard", (True, False), "guard", "guard off"),
        ("root_block", (True, False), "root_block", "root_block off"),
        ("fast_leave", (True, False), "fastleave", "fastleave off"),
        ("cost", (1, 65535), "cost", "cost 65535"),
        ("priority", (0, 63), "priority", "priority 63"),
    ],
)
@pytest.mark.both_ends
def test_an_option_is_set_on_joining_and_changed_in_place(
    host: Lab, option: str, values: tuple[Any, Any], shown: str, words: str
) -> None:
    first, then = values
    settles(host, "bridge_port", bridge="br0", interface="v0", **{option: first})
    assert port(host)[shown] == first
    changed = settles(host, "bridge_port", bridge="br0", interface="v0", **{option: then})
    assert lines(changed) == ([f"{option} {str(first).lower()}"], [f"{option} {str(then).lower()}"])
    assert changed["commands"] == [f"bridge link set dev v0 {words}"]
    assert port(host)[shown] == then
    unchanged(host, "bridge_port", bridge="br0", interface="v0")  # an option that is not given is not managed
    assert port(host)[shown] == then


@pytest.mark.needs("strace")
def test_everything_at_once_and_a_second_run_that_writes_nothing(host: Lab) -> None:
    options: dict[str, Any] = {
        "hairpin": True,
        "isolated": True,
        "learning": False,
        "flood": False,
        "mcast_flood": False,
        "neigh_suppress": True,
        "guard": True,
        "root_block": True,
        "fast_leave": True,
        "cost": 7,
        "priority": 8,
    }
    made, writes = host.writes("bridge_port", bridge="br0", interface="v0", **options)
    assert (made["changed"], writes) == (True, ["RTM_NEWLINK", "RTM_NEWLINK"])
    again, writes = host.writes("bridge_port", bridge="br0", interface="v0", **options)
    assert (again["changed"], writes) == (False, [])
    assert {name: again["after"][name] for name in options} == options
    with Lab() as other:
        other.run(TOPOLOGY)
        pastes(made, other, "bridge_port", bridge="br0", interface="v0", **options)


@pytest.mark.parametrize(
    ("drift", "diff"),
    [
        ("hairpin off", (["hairpin false"], ["hairpin true"])),
        ("isolated off", (["isolated false"], ["isolated true"])),
        ("cost 9", (["cost 9"], ["cost 7"])),
        ("guard on", ([], [])),
    ],
)
def test_each_drift_is_repaired_alone(host: Lab, drift: str, diff: tuple[list[str], list[str]]) -> None:
    """C6: and what was not asked for stays as somebody set it."""
    wanted: dict[str, Any] = {"bridge": "br0", "interface": "v0", "hairpin": True, "isolated": True, "cost": 7}
    host.module("bridge_port", **wanted)
    host.run(f"bridge link set dev v0 {drift}")
    if diff == ([], []):
        unchanged(host, "bridge_port", **wanted)
        assert port(host)["guard"] is True
    else:
        assert lines(settles(host, "bridge_port", **wanted)) == diff


def test_a_port_of_another_bridge_is_taken_over(host: Lab) -> None:
    """C6: the master is drift, too; the options of the new port are the ones asked for."""
    host.run("ip link set v0 master br1; bridge link set dev v0 hairpin on cost 9")
    moved = settles(host, "bridge_port", bridge="br0", interface="v0", isolated=True)
    assert moved["before"] == {}
    assert port(host)["master"] == "br0"
    assert (port(host)["hairpin"], port(host)["isolated"], port(host)["cost"]) == (False, True, 2)
    unchanged(host, "bridge_port", bridge="br1", interface="v0", state="absent")
    assert port(host)["master"] == "br0"


@pytest.mark.needs("brctl")
def test_a_port_made_by_hand_is_taken_as_it_is(host: Lab) -> None:
    host.run("brctl addif br0 v0 && brctl hairpin br0 v0 on")
    before = host.snapshot()
    unchanged(host, "bridge_port", bridge="br0", interface="v0")
    unchanged(host, "bridge_port", bridge="br0", interface="v0", hairpin=True, cost=2, priority=32)
    assert host.snapshot() == before


def test_a_port_inside_a_namespace(host: Lab) -> None:
    host.run("ip netns add web && ip -n web link add br0 type bridge && ip link set w0 netns web")
    joined = settles(host, "bridge_port", netns="web", bridge="br0", interface="w0", hairpin=True)
    assert joined["commands"] == ["ip -n web link set w0 master br0", "bridge -n web link set dev w0 hairpin on"]
    assert (port(host, "w0", "web")["master"], port(host, "w0", "web")["hairpin"]) == ("br0", True)
    settles(host, "bridge_port", netns="web", bridge="br0", interface="w0", state="absent")
    assert "master" not in port(host, "w0", "web")


@pytest.mark.needs("ping")
def test_isolated_ports_do_not_reach_each_other(host: Lab) -> None:
    """What the options are for: with traffic."""
    for number, name in enumerate(("web", "db", "log"), 2):
        host.run(f"ip netns add {name} && ip link add {name}0 type veth peer name eth0 netns {name}")
        host.run(
            f"ip link set {name}0 up; ip -n {name} link set eth0 up; ip -n {name} addr add 192.0.2.{number}/24 dev eth0"
        )
    ports = [{"interface": f"{name}0"} for name in ("web", "db", "log")]
    settles(host, "bridge_port", bridge="br0", aggregate=ports)
    comes(host, "ip netns exec web ping -c1 -W1 192.0.2.3")
    comes(host, "ip netns exec web ping -c1 -W1 192.0.2.4")
    isolated = [{"interface": "web0", "isolated": True}, {"interface": "db0", "isolated": True}]
    settles(host, "bridge_port", bridge="br0", aggregate=isolated)
    assert host.run("ip netns exec web ping -c1 -W1 192.0.2.3", check=False).rc == 1
    assert host.run("ip netns exec web ping -c1 -W20 192.0.2.4", check=False).rc == 0


VLANS = [{"vid": 10, "pvid": True, "untagged": True}, {"vid": "20-22"}]


@pytest.mark.with_or_without("vlan_filtering")
def test_vlans_work_or_are_said_to_be_lacking(host: Lab) -> None:
    """C12: on a kernel without them, nothing is half done: the interface does not stay in the bridge."""
    works = host.run("ip link set br1 type bridge vlan_filtering 1", check=False).rc == 0
    if works:
        assert settles(host, "bridge_port", bridge="br1", interface="v0", vlans=VLANS)["after"]["vlans"]
        assert {vlan["vlan"] for vlan in vlans_of(host)} >= {10, 20, 22}
    else:
        refused = refuses(host, "bridge_port", "lacks the feature", bridge="br0", interface="v0", vlans=VLANS)
        assert "Could not set the VLANs of port v0 in the host" in refused["msg"]
        host.module("bridge_port", bridge="br0", interface="v0", hairpin=False)
        refuses(host, "bridge_port", "lacks the", bridge="br0", interface="v0", hairpin=True, vlans=VLANS)


def vlans_of(lab: Lab) -> list[dict[str, Any]]:
    """What iproute2 says of the VLANs of v0, ranges as it puts them."""
    shown = json.loads(lab.run("bridge -j vlan show dev v0").stdout)
    vlans: list[dict[str, Any]] = shown[0]["vlans"] if shown else []
    return vlans


@pytest.mark.needs("vlan_filtering")
def test_vlans_are_set_kept_and_removed(host: Lab) -> None:
    host.run("ip link set br0 type bridge vlan_filtering 1")
    wanted: dict[str, Any] = {"bridge": "br0", "interface": "v0"}
    settles(host, "bridge_port", **wanted, vlans=VLANS)
    assert [(one["vlan"], one.get("flags", [])) for one in vlans_of(host) if one["vlan"] == 10] == [
        (10, ["PVID", "Egress Untagged"])
    ]
    unchanged(host, "bridge_port", **wanted, vlans=[{"vid": 21}])
    only = settles(host, "bridge_port", **wanted, vlans=[{"vid": "21"}], exclusive=True)
    assert only["after"]["vlans"] == [{"vid": 21, "pvid": False, "untagged": False}]
    assert [one["vlan"] for one in vlans_of(host)] == [21]
    settles(host, "bridge_port", **wanted, vlans=[], exclusive=True)
    assert vlans_of(host) == []


@pytest.mark.needs("vlan_filtering")
def test_vlans_of_the_bridge_itself(host: Lab) -> None:
    host.run("ip link set br0 type bridge vlan_filtering 1")
    itself: dict[str, Any] = {"bridge": "br0", "interface": "br0"}
    done = settles(host, "bridge_port", **itself, vlans=VLANS)
    assert [one["vid"] for one in done["after"]["vlans"]] == [1, 10, 20, 21, 22]
    assert done["after"]["vlans"][0] == {"vid": 1, "pvid": False, "untagged": True}
    host.run(
        "bridge vlan del dev br0 vid 10 self; bridge vlan del dev br0 vid 20-22 self; bridge vlan add dev br0 vid 1 pvid untagged self"
    )
    pastes(done, host, "bridge_port", **itself, vlans=VLANS)
    only = settles(host, "bridge_port", **itself, vlans=[{"vid": "21"}], exclusive=True)
    assert only["after"]["vlans"] == [{"vid": 21, "pvid": False, "untagged": False}]
    settles(host, "bridge_port", **itself, vlans=[], exclusive=True)
    unchanged(host, "bridge_port", **itself, vlans=[], exclusive=True)


def test_many_in_one_task_and_one_that_fails(host: Lab) -> None:
    """The item that fails is named; the others are done."""
    host.run("ip link add v1 type veth peer name w1")
    ports = [{"interface": "v0", "hairpin": True}, {"interface": "nothing"}, {"interface": "v1"}]
    result = host.fails("bridge_port", bridge="br0", cost=7, aggregate=ports)
    assert result["msg"] == (
        "1 of 3 items failed. bridge port nothing: interface: there is no interface 'nothing' in the host; "
        "linuxnet.containers.veth makes one."
    )
    assert [item.get("failed", False) for item in result["results"]] == [False, True, False]
    assert [port(host, name)["master"] for name in ("v0", "v1")] == ["br0", "br0"]
    assert [port(host, name)["cost"] for name in ("v0", "v1")] == [7, 7]
    del ports[1]
    unchanged(host, "bridge_port", bridge="br0", cost=7, aggregate=ports)
    settles(host, "bridge_port", bridge="br0", state="absent", aggregate=ports)
    assert host.ip("link show master br0") == []


def test_a_bridge_cannot_be_a_port_of_a_bridge(host: Lab) -> None:
    """Known beforehand, so that check mode says it as well."""
    host.run("ip link property add dev br1 altname other; ip link property add dev br0 altname same")
    for name in ("br1", "other"):
        for check in (True, False):
            with untouched(host):
                message = host.fails("bridge_port", check=check, bridge="br0", interface=name)["msg"]
            assert (
                message == "interface: 'br1' in the host is a bridge, and a bridge cannot be a port of another bridge."
            )
    for name in ("br0", "same"):
        with untouched(host):
            message = host.fails("bridge_port", bridge="br0", interface=name)["msg"]
        assert (
            message
            == "interface: 'br0' is the bridge itself, of which nothing but vlans is set, and which is not released."
        )


def test_the_loopback_cannot_be_a_port(host: Lab) -> None:
    for check in (True, False):
        with untouched(host):
            message = host.fails("bridge_port", check=check, bridge="br0", interface="lo")["msg"]
        assert message == "interface: 'lo' in the host is the loopback interface, which cannot be a port."


@pytest.mark.needs("ethtool")
def test_the_cost_of_a_slower_interface_is_told_as_the_kernel_has_it(host: Lab) -> None:
    """The kernel derives it from the speed: check mode does not know it, and one that is asked for is set at once."""
    host.run("ip tuntap add t0 mode tap && ethtool -s t0 speed 10 duplex full autoneg off")
    joined = settles(host, "bridge_port", unforeseen=("cost",), bridge="br0", interface="t0", hairpin=True)
    assert joined["after"]["cost"] == port(host, "t0")["cost"] == 100
    assert "cost" not in joined["diff"]["after"]
    settles(host, "bridge_port", bridge="br0", interface="t0", state="absent")
    settles(host, "bridge_port", bridge="br0", interface="t0", cost=2)
    assert port(host, "t0")["cost"] == 2


@pytest.fixture(name="quiet", scope="module")
def host_that_nothing_touches(shared_lab: Lab) -> Iterator[Lab]:
    shared_lab.run(TOPOLOGY)
    with untouched(shared_lab):
        yield shared_lab


@pytest.mark.parametrize(
    ("args", "message"),
    [
        # Up to 127 bytes: the alternative name of an interface, which there is none of.
        ({"interface": "sixteen-bytes-xx"}, "interface: there is no interface 'sixteen-bytes-xx' in the host"),
        ({"interface": "x" * 128}, "interface: 'x{128}' is 128 bytes long"),
        ({"interface": "../x"}, r"interface: '\.\./x' is not an interface name"),
        ({"interface": ""}, "interface: '' is not an interface name"),
        ({"bridge": "a/b"}, "bridge: 'a/b' is not an interface name"),
        ({"bridge": "sixteen-bytes-xx"}, "bridge: there is no bridge 'sixteen-bytes-xx' in the host"),
        ({"bridge": "x" * 128}, "bridge: 'x{128}' is 128 bytes long"),
        ({"bridge": None}, "missing required arguments: bridge"),
        ({"interface": None}, "one of the following is required: interface, peer_netns, aggregate"),
        ({"netns": ""}, "netns: '' is not a namespace name"),
        ({"netns": "nowhere"}, "Netns 'nowhere' does not exist"),
        (
            {"bridge": "nothing"},
            "bridge: there is no bridge 'nothing' in the host; linuxnet.containers.bridge makes one",
        ),
        ({"bridge": "w0"}, "bridge: 'w0' in the host is a veth, not a bridge"),
        ({"interface": "nothing"}, "interface: there is no interface 'nothing' in the host"),
        ({"cost": 0}, "cost: 0 is out of bounds; it must be from 1 to 65535"),
        ({"priority": 64}, "priority: 64 is out of bounds; it must be from 0 to 63"),
        ({"vlans": [{"vid": 4095}]}, "vid '4095' is out of bounds; VLAN IDs go from 1 to 4094"),
        ({"vlans": [{"vid": "x"}]}, "vid 'x' is neither a number nor a range such as 10-20"),
        ({"vlans": [{"vid": "5-3"}]}, "vid '5-3' is out of bounds"),
        ({"vlans": [{"vid": "5-9", "pvid": True}]}, "vid '5-9' cannot be the PVID"),
        ({"vlans": [{"vid": 5}, {"vid": "4-6"}]}, "VLAN 5 is given twice"),
        ({"vlans": [{"vid": 5, "pvid": True}, {"vid": 6, "pvid": True}]}, "more than one VLAN is the PVID"),
        ({"exclusive": True}, "exclusive: it needs vlans"),
    ],
)
def test_bad_input_is_refused_before_anything_is_touched(quiet: Lab, args: dict[str, Any], message: str) -> None:
    wanted = {"bridge": "br0", "interface": "v0", **args}
    says(quiet, "bridge_port", message, **{key: value for key, value in wanted.items() if value is not None})
