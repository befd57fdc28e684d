# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""G8: what is asked changes, and the wiring follows in place: modes, networks, addresses; and at last everything goes.

The tests are the chapters of one story, in order.
"""

from __future__ import annotations

from typing import Any

import pytest
from lab import Lab
from plays import Outcome, Playbook, pings, talk, wiring

FRONT = {"name": "front", "subnets": ["10.1.0.0/24", "fd00:1::/64"]}
BACK = {"name": "back", "subnets": ["10.2.0.0/24"]}


def on(*networks: dict[str, Any]) -> dict[str, Any]:
    """The networks of a container."""
    return {"networks": list(networks)}


BEFORE = [
    {"name": "quiet", "network_mode": "none"},
    {"name": "loud"},
    {"name": "mover", **on({"name": "front", "host_interface": "mover0"})},
    {"name": "fixed", **on({"name": "front", "ipv4_address": "10.1.0.50", "host_interface": "fixed0"})},
    {"name": "two", **on({"name": "front", "host_interface": "two0"}, {"name": "back", "host_interface": "two1"})},
    {"name": "one", **on({"name": "front", "host_interface": "one0"})},
    {"name": "gone"},
    {"name": "swap", **on({"name": "front", "host_interface": "swap0"}, {"name": "back", "host_interface": "swap1"})},
    {
        "name": "trade",
        **on({"name": "front", "ipv4_address": "10.1.0.70"}, {"name": "back", "ipv4_address": "10.2.0.70"}),
    },
]
AFTER = [
    {"name": "quiet"},
    {"name": "loud", "network_mode": "none"},
    {"name": "mover", **on({"name": "back", "host_interface": "mover0"})},
    {"name": "fixed", **on({"name": "front", "ipv4_address": "10.1.0.60", "host_interface": "fixed0"})},
    {"name": "two", **on({"name": "front", "host_interface": "two0"})},
    {"name": "one", **on({"name": "front", "host_interface": "one0"}, {"name": "back", "host_interface": "one1"})},
    {"name": "gone", "state": "absent"},
    {"name": "swap", **on({"name": "back", "host_interface": "swap0"}, {"name": "front", "host_interface": "swap1"})},
    {
        "name": "trade",
        **on({"name": "back", "ipv4_address": "10.2.0.70"}, {"name": "front", "ipv4_address": "10.1.0.70"}),
    },
]


class Story:
    """The host at the start, after the first play, and after the second."""

    def __init__(self, lab: Lab, playbook: Playbook) -> None:
        self.lab, self.playbook = lab, playbook
        self.pristine = lab.snapshot()
        [self.first] = playbook.run(wiring(networks=[FRONT, BACK], containers=BEFORE))
        self.old_ports, self.old_ends = self.ports(), self.ends()
        play = wiring(networks=[FRONT, BACK], containers=AFTER)
        self.change, self.again = playbook.run(play, play)

    def ports(self) -> dict[str, tuple[int, str]]:
        """The host ends: index and bridge by name."""
        return {link["ifname"]: (link["ifindex"], link["master"]) for link in self.lab.ip("link show type veth")}

    def ends(self) -> dict[str, list[int]]:
        """The containers' interfaces, by container their indexes."""
        names = [entry["name"] for entry in self.lab.ip("netns list")]
        return {name: [link["ifindex"] for link in self.lab.ip(f"-n {name} link show type veth")] for name in names}

    def addresses(self, name: str, family: int = 4) -> list[str]:
        """A container's global addresses."""
        shown = self.lab.ip(f"-{family} -n {name} addr show scope global")
        return [one["local"] for link in shown for one in link["addr_info"] if one]

    def default_routes(self, name: str) -> list[str]:
        """The gateways of a container's default routes."""
        return [route["gateway"] for route in self.lab.ip(f"-4 -n {name} route show default")]


@pytest.fixture(scope="module")
def story(shared_lab: Lab, playbook: Playbook) -> Story:
    return Story(shared_lab, playbook)


def interfaces(outcome: Outcome, name: str) -> list[tuple[str, str]]:
    """Interface and bridge of a container in the role's result."""
    return [(one["name"], one["bridge"]) for one in outcome.wiring_result[name]["interfaces"]]


def test_the_next_run_changes_nothing(story: Story) -> None:
    assert story.again.changed == []
    assert story.again.wiring_result == story.change.wiring_result


def test_none_to_bridge(story: Story) -> None:
    assert story.old_ends["quiet"] == []
    assert interfaces(story.change, "quiet") == [("eth0", "front")]
    assert story.default_routes("quiet") == ["10.1.0.1"]
    assert pings(story.lab, "quiet", "10.1.0.1")
    assert pings(story.lab, "quiet", "fd00:1::1")


def test_bridge_to_none(story: Story) -> None:
    assert len(story.old_ends["loud"]) == 1
    assert [link["ifname"] for link in story.lab.ip("-n loud link show")] == ["lo"]
    assert story.change.wiring_result["loud"]["network_mode"] == "none"


def test_to_another_network(story: Story) -> None:
    """The pair is not made anew: its host end changes the bridge, its other end the address, and the old routes are gone."""
    assert story.old_ports["mover0"][1] == "front"
    assert story.ports()["mover0"] == (story.old_ports["mover0"][0], "back")
    assert story.ends()["mover"] == story.old_ends["mover"]
    [address] = story.addresses("mover")
    assert address.startswith("10.2.0.")
    # The new network has no IPv6.
    assert story.addresses("mover", 6) == []
    assert story.lab.ip("-6 -n mover route show default") == []
    # Its routes and addresses of IPv6 go with IPv6.
    assert {"-peer_ipv6 true", "+peer_ipv6 false"} <= set(story.change.drift()["veth mover0"])
    assert story.default_routes("mover") == ["10.2.0.1"]
    assert talk(story.lab, "mover", "host", "10.2.0.1") == address


def test_another_address(story: Story) -> None:
    assert story.addresses("fixed") == ["10.1.0.60"]
    assert story.ends()["fixed"] == story.old_ends["fixed"]
    assert story.default_routes("fixed") == ["10.1.0.1"]
    diff = story.change.drift()["address 10.1.0.60/24 on eth0 in netns 'fixed'"]
    assert diff[:3] == ["-other_addresses 10.1.0.50/24", "+other_addresses none", "+address 10.1.0.60/24"]
    assert talk(story.lab, "quiet", "fixed", "10.1.0.60") == story.addresses("quiet")[0]


def test_one_network_less(story: Story) -> None:
    assert len(story.old_ends["two"]) == 2
    assert story.ends()["two"] == story.old_ends["two"][:1]
    assert story.ports()["two0"] == story.old_ports["two0"]
    assert story.default_routes("two") == ["10.1.0.1"]


def test_one_network_more(story: Story) -> None:
    assert interfaces(story.change, "one") == [("eth0", "front"), ("eth1", "back")]
    assert story.ports()["one0"] == story.old_ports["one0"]
    assert story.default_routes("one") == ["10.1.0.1"]
    assert pings(story.lab, "one", "10.2.0.1")


def test_two_networks_change_places(story: Story) -> None:
    """Each interface gets what the other has until then, and gives up its own; also where the addresses are fixed."""
    assert [story.ports()[port] for port in ("swap0", "swap1")] == [
        (story.old_ports["swap0"][0], "back"),
        (story.old_ports["swap1"][0], "front"),
    ]
    assert interfaces(story.change, "trade") == [("eth0", "back"), ("eth1", "front")]
    assert story.addresses("trade") == ["10.2.0.70", "10.1.0.70"]
    for name in ("swap", "trade"):
        assert story.default_routes(name)[0] == "10.2.0.1"
        assert len(story.addresses(name)) == 2
        assert len(story.addresses(name, 6)) == 1
        assert all(pings(story.lab, name, gateway) for gateway in ("10.1.0.1", "10.2.0.1", "fd00:1::1"))
    assert talk(story.lab, "quiet", "trade", "10.1.0.70") == story.addresses("quiet")[0]


def test_a_container_that_is_absent(story: Story) -> None:
    assert "gone" in story.old_ends
    assert "gone" not in story.ends()
    assert "gone" not in story.change.wiring_result


def test_nothing_is_left_over(story: Story) -> None:
    listed = [one["host_interface"] for box in story.change.wiring_result.values() for one in box["interfaces"]]
    assert sorted(story.ports()) == sorted(listed)
    assert len(listed) == 10


def test_a_network_that_is_absent_goes_with_its_rules(story: Story) -> None:
    containers = [
        *({"name": name, "state": "absent"} for name in ("mover", "swap", "trade")),
        {"name": "one", **on({"name": "front", "host_interface": "one0"})},
    ]
    play = wiring(networks=[FRONT, {**BACK, "state": "absent"}], containers=containers)
    gone, again = story.playbook.run(play, play)
    assert gone.changed == [
        "Remove routes and policy rules",
        "Remove pairs",
        "Remove namespaces",
        "Remove bridges",
        "Remove NAT",
        "Isolate the networks, and translate what leaves",
        "Make pairs, each born in its place",
    ]
    assert again.changed == []
    assert [link["ifname"] for link in story.lab.ip("link show type bridge")] == ["front"]
    assert [name for name, (_index, bridge) in story.ports().items() if bridge != "front"] == []
    rules = story.lab.run("nft list ruleset").stdout
    assert ("10.1.0.0/24" in rules, "10.2.0.0/24" in rules) == (True, False)
    assert story.lab.run("sysctl -n net.ipv4.ip_forward").stdout == "1\n"
    assert pings(story.lab, "one", "10.1.0.60")


def test_g3_at_last_everything_is_as_before(story: Story) -> None:
    play = wiring(networks=[FRONT, BACK], containers=AFTER, state="absent")
    gone, again = story.playbook.run(play, play)
    assert gone.wiring_result == {}
    assert gone.changed
    assert again.changed == []
    assert story.lab.snapshot() == story.pristine
