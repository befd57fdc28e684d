# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A container that calls itself a router is one for nobody: not for the host, not for its siblings, on networks of each kind.

The tests are the chapters of one story, in order.
"""

from __future__ import annotations

import sys
from typing import Any

import pytest
from lab import Lab
from plays import Playbook, checked, wiring
from proofs import ADVERTISE

NETWORKS: list[dict[str, Any]] = [
    {"name": "four", "subnets": ["10.1.0.0/24"]},
    {"name": "dual", "subnets": ["10.2.0.0/24", "fd00:2::/64"]},
    {"name": "closed", "subnets": ["10.3.0.0/24", "fd00:3::/64"], "internal": True},
    {"name": "theirs", "subnets": ["10.4.0.0/24", "fd00:4::/64"], "unmanaged": True, "gateways": ["10.4.0.1", "fd00:4::1"]},
]  # fmt: skip
# What a container sends as a router is dropped at its port as well (test_spoofing.py): not here, where nobody is to hear it.
for network in NETWORKS:
    network["spoof_check"] = False
NAMES = [str(network["name"]) for network in NETWORKS]
# In a network of IPv4 only there is no IPv6 but where a container asks for it; the host has none on the bridge.
ON: dict[str, Any] = {"net.ipv6.conf.eth0.disable_ipv6": 0}
CONTAINERS: list[dict[str, Any]] = [
    {"name": f"{name}-{who}", "networks": [{"name": name}], "sysctls": ON if name == "four" else {}}
    for name in NAMES
    for who in ("good", "evil")
]
OTHERS = {name: 1 if name == "four" else 2 for name in NAMES}  # who answers an echo: the sibling, and the host
HEARING = {"name": "four-good", "networks": [{"name": "four"}], "sysctls": {**ON, "net.ipv6.conf.eth0.accept_ra": 2}}


class Story:
    """A host with a bridge of its own, which does not hear advertisements, and the first run."""

    def __init__(self, lab: Lab, playbook: Playbook) -> None:
        self.lab, self.playbook = lab, playbook
        lab.run(
            "ip link add theirs address 02:00:00:00:00:0a type bridge && sysctl -qw net.ipv6.conf.theirs.accept_ra=0 && ip link set theirs up && "
            "ip addr add 10.4.0.1/24 dev theirs && ip addr add fd00:4::1/64 dev theirs nodad"
        )
        self.pristine = self.snapshot()
        # A host that forwards would hear no advertisement whatever is set; with an internal network it forwards nothing.
        inside = {
            "networks": NETWORKS[2:3],
            "containers": [one for one in CONTAINERS if one["name"].startswith("closed-")],
        }
        playbook.run(wiring(**inside))
        self.forwarded = lab.run("sysctl -n net.ipv6.conf.all.forwarding").stdout
        self.advertise("closed")
        self.heard_inside = self.heard(), self.heard("closed-good")
        play = wiring(networks=NETWORKS, containers=CONTAINERS)
        self.foreseen, self.first, self.again = playbook.run(checked(play), play, play)

    def advertise(self, name: str) -> None:
        """Have the container that means no good call itself a router, until all who would answer it have heard that."""
        sender = ["ip", "netns", "exec", f"{name}-evil"]
        self.lab.run([*sender, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1"])
        self.lab.run([*sender, sys.executable, "-c", ADVERTISE, "eth0", str(OTHERS[name])])

    def snapshot(self) -> list[str]:
        """The host, but for the bridge that is there before: the kernel gives it more when it has ports."""
        return [line for line in self.lab.snapshot().splitlines() if " theirs" not in line]

    def heard(self, netns: str = "") -> str:
        """What advertisements have brought."""
        inside = f"ip netns exec {netns} " if netns else ""
        return self.lab.run(f"{inside}ip -6 route show proto ra; {inside}ip -6 addr show dynamic").stdout


@pytest.fixture(scope="module")
def story(shared_lab: Lab, playbook: Playbook) -> Story:
    return Story(shared_lab, playbook)


def test_check_mode_foresees_it_and_a_second_run_changes_nothing(story: Story) -> None:
    assert story.foreseen.drift() == story.first.drift()
    assert story.again.changed == []


@pytest.mark.parametrize("name", NAMES)
def test_neither_the_host_nor_a_sibling_hears_a_container_s_advertisement(story: Story, name: str) -> None:
    story.advertise(name)
    assert (story.heard(), story.heard(f"{name}-good")) == ("", "")


def test_neither_does_so_where_the_host_forwards_nothing(story: Story) -> None:
    assert story.forwarded == "0\n"
    assert story.heard_inside == ("", "")


def test_what_somebody_switched_on_is_switched_off_again(story: Story) -> None:
    story.lab.run(
        "sysctl -qw net.ipv6.conf.four.accept_ra=1; ip netns exec dual-good sysctl -qw net.ipv6.conf.eth0.accept_ra=1"
    )
    play = wiring(networks=NETWORKS, containers=CONTAINERS)
    foreseen, run, again = story.playbook.run(checked(play), play, play)
    assert foreseen.drift() == run.drift()
    assert sorted(line for lines in run.drift().values() for line in lines) == [
        "+accept_ra false",
        "+peer_accept_ra false",
        "-accept_ra true",
        "-peer_accept_ra true",
    ]
    assert again.changed == []


def test_a_container_hears_them_where_its_sysctls_say_so(story: Story) -> None:
    others = [one for one in CONTAINERS if one["name"] != HEARING["name"]]
    play = wiring(networks=NETWORKS, containers=[HEARING, *others])
    run, again = story.playbook.run(play, play)
    assert (run.changed, again.changed) == (["Make pairs, each born in its place"], [])
    story.advertise("four")
    assert "default via fe80::" in story.heard("four-good")
    assert story.heard() == ""


def test_at_last_everything_is_as_before(story: Story) -> None:
    story.playbook.run(wiring(networks=NETWORKS, containers=CONTAINERS, state="absent"))
    assert story.snapshot() == story.pristine
