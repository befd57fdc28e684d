# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One container's failure is its own, and so is a network's: all others are wired, what stands on it is left out, and the play fails
at the end, naming each. The tests are one story, in order.
"""

from __future__ import annotations

from typing import Any

import pytest
from lab import Lab
from plays import ROLE, Outcome, Play, Playbook, checked, internet, shell, talk, wiring

FRONT = {"name": "front", "subnets": ["10.1.0.0/24", "fd00:1::/64"]}
TINY = {"name": "tiny", "subnets": ["10.2.0.0/29"]}
BACK = {"name": "back", "subnets": ["10.3.0.0/24"]}
NETWORKS = [FRONT, TINY, BACK]
CONTAINERS: list[dict[str, Any]] = [
    {"name": "stuck", "published_ports": ["8081:80"], "networks": [{"name": "back"}, {"name": "front"}]},
    {"name": "stuck2", "network_mode": "container:stuck"},
    {"name": "foreign", "published_ports": ["8082:80"]},
    {"name": "late", "networks": [{"name": "front", "ipv4_address": "10.1.0.66"}], "published_ports": ["8083:80"]},
    {"name": "none", "networks": [{"name": "front"}, {"name": "tiny"}]},
    {"name": "good", "published_ports": ["8080:8080"]},
]
# What the root of a container does, and somebody on the host: an eth0 of its own, an address of the pool, all of them, links without end,
# something else of a bridge's name.
BEFORE = """
for name in foreign hog; do ip netns add $name; done
ip -n foreign link add eth0 type bridge
ip link add back type veth peer name back1
ip link add tiny type bridge; ip link set tiny up
ip link add front type bridge; ip link set front up
ip link add hog master front type veth peer name eth9 netns hog; ip link set hog up; ip -n hog link set eth9 up
ip link add hog1 master tiny type veth peer name eth8 netns hog; ip link set hog1 up; ip -n hog link set eth8 up
ip -n hog addr add 10.1.0.66/24 dev eth9
for last in 2 3 4 5 6; do ip -n hog addr add 10.2.0.$last/29 dev eth8; done
for number in $(seq 100); do echo link add link$number type bridge; done | ip -n hog -batch -
"""
REPAIRED = "ip netns del hog; ip -n foreign link del eth0; ip link del back"


def tried(**variables: Any) -> Play:
    """A play of the role that fails and then shows its result."""
    block = {
        "block": [{"ansible.builtin.include_role": {"name": ROLE}}],
        "rescue": [
            {
                "name": "Show",
                "ansible.builtin.debug": {
                    "msg": {"why": "{{ ansible_failed_result.msg }}", "result": "{{ wiring_result }}"}
                },
            }
        ],
    }
    return {"name": "tried", "tasks": [block], "vars": wiring(**variables)["vars"]}


class Story:
    """The host after a run that failed for some, and after one when what was wrong is repaired."""

    def __init__(self, lab: Lab, playbook: Playbook) -> None:
        self.lab = lab
        internet(lab)
        play = tried(networks=NETWORKS, containers=CONTAINERS)
        whole = wiring(networks=NETWORKS, containers=CONTAINERS)
        _before, self.foreseen, self.first, self.second = playbook.run(shell(BEFORE), checked(play), play, play)
        self.talked = talk(lab, "internet", "good", "192.0.2.1")
        _repair, self.repaired, self.again = playbook.run(shell(REPAIRED), whole, whole)


@pytest.fixture(scope="module")
def story(shared_lab: Lab, playbook: Playbook) -> Story:
    return Story(shared_lab, playbook)


def told(outcome: Outcome) -> dict[str, Any]:
    """Why a play failed, and the result that it had by then."""
    found: dict[str, Any] = outcome.tasks[-1].result["msg"]
    return found


NAMED = {
    "network 'back' at step bridge: bridge back: Interface 'back' in the host is a veth, not a bridge; it is left alone.",
    "container 'foreign' at step veth: veth vethfr7c2pu4cpa: peer_name: 'eth0' in netns 'foreign' is there already and foreign",
    "container 'late' at step address: address 10.1.0.66/24 on eth0 in netns 'late': address: 10.1.0.66 is taken by netns 'hog'; if ",
    "container 'none' at step address: address from 10.2.0.0/29 on eth1 in netns 'none': pool: no free address in 10.2.0.0/29",
}
LEFT_OUT = (
    "Left out for that: network 'back' (nat, gateway); container 'stuck' (veth, address, route, publish); "
    "container 'foreign' (address, route, publish); container 'late' (route, publish)."
)


def test_the_play_fails_at_the_end_and_names_each_with_its_step_and_what_is_left_out(story: Story) -> None:
    for outcome in (story.first, story.second):
        why = told(outcome)["why"]
        assert outcome.failures == [why]
        assert [one for one in NAMED if one.lower() not in why.lower()] == []
        assert why.count(" at step ") == len(NAMED)
        assert why.endswith(LEFT_OUT)


def test_check_mode_foretells_the_same_failures(story: Story) -> None:
    assert told(story.foreseen)["why"] == told(story.first)["why"]
    assert story.foreseen.changed == story.first.changed


def test_all_others_are_wired_and_what_is_theirs_is_in_the_result(story: Story) -> None:
    assert story.talked == "192.0.2.99"
    result = told(story.first)["result"]
    assert set(result) == {one["name"] for one in CONTAINERS}
    assert [one["host_port"] for one in result["good"]["published_ports"]] == ["8080", "8080"]
    assert [one["name"] for one in result["stuck"]["interfaces"]] == ["eth1"]  # the network that did not fail
    assert result["stuck2"]["interfaces"] == result["stuck"]["interfaces"]
    assert result["foreign"]["interfaces"] == []
    [late] = result["late"]["interfaces"]
    assert [":" in one for one in late["addresses"]] == [True]  # the family that did not fail
    assert [":" in one["to_address"] for one in result["late"]["published_ports"]] == [True]


def test_a_second_run_changes_nothing_and_fails_alike(story: Story) -> None:
    assert story.second.changed == []
    assert told(story.second) == told(story.first)


def test_once_it_is_repaired_the_next_run_completes(story: Story) -> None:
    result = story.repaired.wiring_result
    assert story.again.changed == []
    assert [one["name"] for one in result["stuck"]["interfaces"]] == ["eth0", "eth1"]
    assert result["late"]["interfaces"][0]["addresses"][0] == "10.1.0.66/24"
    assert all(result[one["name"]]["interfaces"] for one in CONTAINERS)
