# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The four modes of containers that are namespaces of ours: bridge, host, container and none, and G8: from each to each other.

The tests are the chapters of one story, in order.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from lab import Lab
from plays import Playbook, checked, pings, silent, talk, wiring

NETWORK = {"name": "front", "subnets": ["10.1.0.0/24", "fd00:1::/64"]}
MODES = {"bridge": "bridge", "host": "host", "none": "none", "container": "container:owner"}
DIRECTIONS = list(itertools.permutations(MODES, 2))
OWNER = {"name": "owner"}


def containers(place: int) -> list[dict[str, Any]]:
    """A container a direction, in its mode before (0) or after (1) the change; those that join another come before it."""
    moving = [{"name": "-".join(way), "network_mode": MODES[way[place]]} for way in DIRECTIONS]
    return [*moving, OWNER]


class Story:
    """The host at the start, with the first modes, and with the second ones."""

    def __init__(self, lab: Lab, playbook: Playbook) -> None:
        self.lab, self.playbook = lab, playbook
        self.pristine = lab.snapshot()
        self.first, self.first_again = playbook.run(*[wiring(networks=[NETWORK], containers=containers(0))] * 2)
        self.host, self.owner = self.inode("/proc/1/ns/net"), self.inode("/run/netns/owner")
        self.inodes = {name: self.inode(f"/run/netns/{name}") for name in map("-".join, DIRECTIONS)}
        self.owner_port = lab.ip("-n owner link show eth0")
        change = wiring(networks=[NETWORK], containers=containers(1))
        self.foreseen, self.change, self.again = playbook.run(checked(change), change, change)

    def inode(self, path: str) -> int:
        return int(self.lab.run(f"stat -L -c %i {path}").stdout)

    def is_in(self, name: str, mode: str) -> None:
        """Hold what a mode leaves."""
        inode, links = self.inode(f"/run/netns/{name}"), self.links(name)
        if mode == "host":
            assert inode == self.host
        elif mode == "container":
            assert inode == self.owner
        else:
            assert inode not in (self.host, self.owner), name
            assert links == (["lo", "eth0"] if mode == "bridge" else ["lo"]), name
            assert "UP" in self.lab.ip(f"-n {name} link show lo")[0]["flags"]

    def links(self, name: str) -> list[str]:
        return [link["ifname"] for link in self.lab.ip(f"-n {name} link show")]


@pytest.fixture(scope="module")
def story(shared_lab: Lab, playbook: Playbook) -> Story:
    return Story(shared_lab, playbook)


@pytest.mark.parametrize("way", DIRECTIONS, ids="-".join)
def test_g8_every_mode_can_become_every_other(story: Story, way: tuple[str, str]) -> None:
    name, (old, new) = "-".join(way), way
    assert (story.inodes[name] == story.host) == (old == "host")
    assert (story.inodes[name] == story.owner) == (old == "container")
    story.is_in(name, new)


def test_a_container_with_a_namespace_of_its_own_keeps_it_from_bridge_to_none_and_back(story: Story) -> None:
    for name in ("bridge-none", "none-bridge"):
        assert story.inode(f"/run/netns/{name}") == story.inodes[name]


def test_those_that_came_from_another_s_namespace_have_one_each(story: Story) -> None:
    fresh = ["container-bridge", "container-none", "host-bridge", "host-none"]
    assert len({story.inode(f"/run/netns/{name}") for name in fresh}) == 4


def test_the_owner_was_not_touched(story: Story) -> None:
    assert story.inode("/run/netns/owner") == story.owner
    assert story.lab.ip("-n owner link show eth0") == story.owner_port


def test_every_pair_belongs_to_a_container_in_bridge_mode(story: Story) -> None:
    ports = [link["ifname"] for link in story.lab.ip("link show master front")]
    assert len(ports) == len({name for name, new in DIRECTIONS if new == "bridge"}) + 1
    assert [link["ifname"] for link in story.lab.ip("link show type veth")] == ports


def test_the_new_ones_are_reached_and_those_without_a_network_reach_nobody(story: Story) -> None:
    boxes = story.change.wiring_result
    for old in ("host", "none", "container"):
        for address in (one.partition("/")[0] for one in boxes[f"{old}-bridge"]["interfaces"][0]["addresses"]):
            assert pings(story.lab, "owner", address)
    assert silent(story.lab, "bridge-none", "owner", "10.1.0.1")


def test_a2_check_mode_foresaw_every_change(story: Story) -> None:
    assert story.foreseen.changed == story.change.changed
    assert story.foreseen.drift() == story.change.drift()


def test_a_second_run_changes_nothing(story: Story) -> None:
    assert (story.first_again.changed, story.again.changed) == ([], [])


def test_wiring_result_says_the_mode_and_shares_the_owner_s_interfaces(story: Story) -> None:
    boxes = story.change.wiring_result
    for name, (_old, new) in zip(map("-".join, DIRECTIONS), DIRECTIONS, strict=True):
        assert boxes[name]["network_mode"] == MODES[new]
        assert boxes[name]["path"] == f"/run/netns/{name}"
    assert boxes["host-container"]["interfaces"] == boxes["owner"]["interfaces"] != []
    assert boxes["bridge-host"]["interfaces"] == []


def test_two_of_one_namespace_talk_over_lo_see_one_address_and_one_set_of_ports(story: Story) -> None:
    lab = story.lab
    shown = [lab.ip(f"-n {name} addr show eth0")[0]["addr_info"] for name in ("owner", "none-container")]
    assert shown[0] == shown[1]
    assert talk(lab, "owner", "none-container", "127.0.0.1") == "127.0.0.1"
    taken = "import socket; s = socket.create_server(('0.0.0.0', 8099)); {}"
    other = taken.format("print('free')")
    held = lab.run(
        [
            *("ip", "netns", "exec", "owner", "python3", "-c"),
            taken.format(
                "import subprocess, sys; "
                f"sys.exit(subprocess.run(['ip', 'netns', 'exec', 'none-container', 'python3', '-c', {other!r}]).returncode)"
            ),
        ],
        check=False,
    )
    assert held.rc != 0
    assert "Address already in use" in held.stderr
    assert lab.run(["ip", "netns", "exec", "none-container", "python3", "-c", other]).stdout.strip() == "free"


def test_g7_dependents_follow_an_owner_that_was_made_anew(story: Story) -> None:
    story.lab.run("ip netns del owner")
    play = wiring(networks=[NETWORK], containers=containers(1))
    foreseen, repaired, again = story.playbook.run(checked(play), play, play)
    assert foreseen.changed == repaired.changed
    assert foreseen.drift() == repaired.drift()
    owner = story.inode("/run/netns/owner")
    assert owner != story.owner
    for name in ("bridge-container", "host-container", "none-container"):
        assert story.inode(f"/run/netns/{name}") == owner
    assert pings(
        story.lab, "none-bridge", repaired.wiring_result["owner"]["interfaces"][0]["addresses"][0].split("/")[0]
    )
    assert again.changed == []


def test_g3_all_of_it_goes_and_nothing_is_left(story: Story) -> None:
    down = wiring(networks=[NETWORK], containers=containers(1), state="absent")
    gone, again = story.playbook.run(down, down)
    assert gone.changed != []
    assert again.changed == []
    story.lab.run("umount /run/netns")
    assert story.lab.snapshot() == story.pristine
