# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Closed first: a run that fails leaves no container open, with real attempts from outside; with either backend. The tests are one
story, in order. That no moment of a run is open is held by tests/unit/test_closed_first.py, after each write.
"""

from __future__ import annotations

import pytest
from lab import Lab
from plays import Playbook, internet, refused, shell, silent, talk, wiring

FRONT = {"name": "front", "subnets": ["10.1.0.0/24"]}
GOOD = {"name": "good", "networks": [{"name": "front", "ipv4_address": "10.1.0.10"}]}
BAD = {"name": "bad", "networks": [{"name": "front", "ipv4_address": "10.1.0.66"}]}
# A router, whose outside knows the way in; and somebody on the network who has the address that is bad's.
BEFORE = """
ip -n internet route add 10.0.0.0/8 via 192.0.2.1
sysctl -qw net.ipv4.ip_forward=1
ip link add front type bridge; ip link set front up
ip netns add hog; ip link add hog0 master front type veth peer name eth0 netns hog; ip link set hog0 up
ip -n hog addr add 10.1.0.66/24 dev eth0; ip -n hog link set eth0 up
"""


class Story:
    """The host, and whether the unpublished port of `good` is closed to the outside after each run."""

    def __init__(self, lab: Lab, playbook: Playbook, backend: str) -> None:
        internet(lab)
        lab.run(BEFORE)
        play = {"networks": [FRONT], "containers": [GOOD, BAD], "firewall_backend": backend}
        *_first, self.failed = playbook.run(shell("true"), refused(**play))
        self.after_a_failure = silent(lab, "internet", "good", "10.1.0.10")
        self.out = talk(lab, "good", "internet", "192.0.2.99")
        lab.run("nft flush ruleset")
        self.opened = not silent(lab, "internet", "good", "10.1.0.10")
        playbook.run(refused(**play))
        self.after_a_flush = silent(lab, "internet", "good", "10.1.0.10")
        lab.run("ip netns del hog")
        whole = wiring(**play)
        self.whole, self.again = playbook.run(whole, whole)


@pytest.fixture(scope="module")
def story(shared_lab: Lab, playbook: Playbook, manner: str) -> Story:
    return Story(shared_lab, playbook, {"chain": "nftables", "one_task": "iptables"}[manner])


def test_after_a_run_that_failed_at_an_address_nothing_is_open(story: Story) -> None:
    assert "10.1.0.66 is taken" in story.failed.failures[-1]
    assert story.after_a_failure


def test_what_did_not_fail_is_translated(story: Story) -> None:
    assert story.out == "192.0.2.1"


def test_a_run_that_fails_closes_what_somebody_opened(story: Story) -> None:
    assert story.opened, "the outside knows the way in: without our rules it would be reached"
    assert story.after_a_flush


def test_the_next_run_completes(story: Story) -> None:
    assert story.whole.wiring_result["bad"]["interfaces"][0]["addresses"] == ["10.1.0.66/24"]
    assert story.again.changed == []
