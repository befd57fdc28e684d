# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Closed by default: isolate, icc and internal of the role's networks, with real attempts. The tests are one story, in order."""

from __future__ import annotations

import pytest
from lab import Lab
from plays import Playbook, internet, pings, silent, talk, wiring

FRONT = {"name": "front", "subnets": ["10.1.0.0/24"]}
BACK = {"name": "back", "subnets": ["10.2.0.0/24"]}
VAULT = {"name": "vault", "subnets": ["10.3.0.0/24"], "internal": True}
QUIET = {"name": "quiet", "subnets": ["10.4.0.0/24"], "icc": False}
NETWORKS = [FRONT, BACK, VAULT, QUIET]
CONTAINERS = [
    {"name": name, "networks": [{"name": network, "ipv4_address": address}]}
    for name, network, address in (
        ("web", "front", "10.1.0.10"),
        ("db", "back", "10.2.0.10"),
        ("key", "vault", "10.3.0.10"),
        ("lock", "vault", "10.3.0.11"),
        ("one", "quiet", "10.4.0.10"),
        ("two", "quiet", "10.4.0.11"),
    )
]


class Story:
    """The host with an internet that knows the way to all subnets, after the first run."""

    def __init__(self, lab: Lab, playbook: Playbook) -> None:
        self.lab, self.playbook = lab, playbook
        internet(lab)
        lab.run("ip -n internet route add 10.0.0.0/8 via 192.0.2.1")
        self.pristine = lab.snapshot()
        self.play = wiring(networks=NETWORKS, containers=CONTAINERS)
        self.first, self.again = playbook.run(self.play, self.play)


@pytest.fixture(scope="module")
def story(shared_lab: Lab, playbook: Playbook) -> Story:
    return Story(shared_lab, playbook)


def test_a_second_run_changes_nothing(story: Story) -> None:
    assert story.again.changed == []


def test_containers_reach_the_world_under_the_host_s_address(story: Story) -> None:
    for name in ("web", "db", "one"):
        assert talk(story.lab, name, "internet", "192.0.2.99") == "192.0.2.1"


def test_nobody_outside_reaches_them(story: Story) -> None:
    for name, address in (("web", "10.1.0.10"), ("db", "10.2.0.10"), ("key", "10.3.0.10"), ("one", "10.4.0.10")):
        assert silent(story.lab, "internet", name, address)


def test_networks_are_isolated_from_each_other(story: Story) -> None:
    assert silent(story.lab, "web", "db", "10.2.0.10")
    assert silent(story.lab, "db", "web", "10.1.0.10")


def test_an_internal_network_talks_only_within(story: Story) -> None:
    assert talk(story.lab, "key", "lock", "10.3.0.11") == "10.3.0.10"
    story.lab.run("ip -n key route add default via 10.3.0.1")
    assert silent(story.lab, "key", "internet", "192.0.2.99")
    story.lab.run("ip -n key route del default")


def test_without_icc_containers_of_one_network_do_not_talk(story: Story) -> None:
    assert silent(story.lab, "one", "two", "10.4.0.11")
    assert pings(story.lab, "one", "10.4.0.1")


def test_networks_that_are_opened_to_each_other_talk_and_icc_can_be_given_back(story: Story) -> None:
    opened = [{**FRONT, "isolate": False}, {**BACK, "isolate": False}, VAULT, {**QUIET, "icc": True}]
    play = wiring(networks=opened, containers=CONTAINERS)
    [foreseen] = story.playbook.run(play, options=("--check", "--diff"))
    changed, again = story.playbook.run(play, play)
    assert foreseen.drift() == changed.drift()
    assert again.changed == []
    assert talk(story.lab, "web", "db", "10.2.0.10") == "10.2.0.1", (
        "what leaves a network is masqueraded, as docker does"
    )
    assert talk(story.lab, "one", "two", "10.4.0.11") == "10.4.0.10"
    assert silent(story.lab, "internet", "web", "10.1.0.10")
    assert silent(story.lab, "one", "db", "10.2.0.10")


def test_g3_all_of_it_goes_and_nothing_is_left(story: Story) -> None:
    down = wiring(networks=NETWORKS, containers=CONTAINERS, state="absent")
    _gone, again = story.playbook.run(down, down)
    assert again.changed == []
    assert story.lab.snapshot() == story.pristine
