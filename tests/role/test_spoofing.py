# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nobody sends under another's name: what a container's root does to its addresses, and what becomes of checks. The tests are one story, in order."""

from __future__ import annotations

from typing import Any

import pytest
from lab import Lab
from plays import Playbook, pings, wiring

FRONT = {"name": "front", "subnets": ["10.1.0.0/24", "fd00:1::/64"]}
PLAIN = {"name": "plain", "subnets": ["10.2.0.0/24"], "addressing": "none"}
NETWORKS = [FRONT, PLAIN]
WEB = {"name": "web"}
DB = {"name": "db", "networks": [{"name": "front", "ipv4_address": "10.1.0.10", "ipv6_address": "fd00:1::10"}]}
FREE = {"name": "free", "networks": [{"name": "front", "spoof_check": False}]}
CLIENT = {"name": "client", "networks": [{"name": "plain"}]}
CONTAINERS: list[dict[str, Any]] = [WEB, DB, FREE, CLIENT]
TABLE = "bridge linuxnet_containers"


class Story:
    """The host after the first run, and a second one."""

    def __init__(self, lab: Lab, playbook: Playbook) -> None:
        self.lab, self.playbook = lab, playbook
        self.pristine = lab.snapshot()
        self.play = wiring(networks=NETWORKS, containers=CONTAINERS)
        self.first, self.again = playbook.run(self.play, self.play)

    def held(self, name: str) -> list[str]:
        """The addresses of a container, IPv4 first."""
        links = self.lab.ip(f"-n {name} addr show dev eth0 scope global")
        return [one["local"] for link in links for one in link.get("addr_info", ()) if one]

    def checked(self) -> str:
        return self.lab.run(f"nft list table {TABLE}", check=False).stdout

    def run(self, *containers: dict[str, Any], **options: Any) -> list[str]:
        """The names of the tasks that change anything."""
        [done] = self.playbook.run(wiring(networks=NETWORKS, containers=list(containers), **options))
        return [str(name) for name in done.changed]


@pytest.fixture(scope="module")
def story(shared_lab: Lab, playbook: Playbook, needs: Any) -> Story:
    needs("nf_tables_bridge")
    return Story(shared_lab, playbook)


def test_a_second_run_changes_nothing(story: Story) -> None:
    assert story.again.changed == []


def test_whose_ports_are_checked(story: Story) -> None:
    owners = {line.partition("linuxnet:")[2].rstrip('", }') for line in story.checked().splitlines() if "|" in line}
    assert owners == {"web|wiring", "db|wiring"}


def test_containers_reach_each_other_and_the_host(story: Story) -> None:
    for address in ("10.1.0.1", "fd00:1::1", "10.1.0.10", "fd00:1::10"):
        assert pings(story.lab, "web", address), address
    for address in story.held("web"):
        assert pings(story.lab, "db", address), address


def test_an_address_that_was_not_given_is_of_no_use(story: Story) -> None:
    story.lab.run("ip -n web addr add 10.1.0.77/24 dev eth0; ip -n free addr add 10.1.0.78/24 dev eth0")
    ping = "ip netns exec {} ping -nqc2 -i0.2 -W1 -I {} 10.1.0.10"
    assert story.lab.run(ping.format("free", "10.1.0.78"), check=False).rc == 0
    assert story.lab.run(ping.format("web", "10.1.0.77"), check=False).rc != 0
    assert story.lab.run(ping.format("web", story.held("web")[0]), check=False).rc == 0


def test_the_address_of_a_sibling_does_not_pass_after_a_run_either(story: Story) -> None:
    """Though the role finds it in the container, and it is one of the pool."""
    story.lab.run("ip -n web addr del 10.1.0.77/24 dev eth0; ip -n web addr add 10.1.0.10/24 dev eth0")
    story.run(*CONTAINERS)
    assert story.run(*CONTAINERS) == []
    own = story.held("web")
    lines = [line for line in story.checked().splitlines() if "linuxnet:web" in line and " . 10." in line]
    assert len(lines) == 1
    assert own[0] in lines[0]


@pytest.mark.parametrize("command", ["nft flush ruleset", f"nft delete table {TABLE}"])
def test_what_was_flushed_comes_back_whole(story: Story, command: str) -> None:
    before = story.lab.run(f"nft -s list table {TABLE}").stdout
    story.lab.run(command)
    assert story.run(*CONTAINERS) != []

    def words(listed: str) -> list[str]:
        return sorted(listed.replace(",", " ").split())  # elements come in any order

    assert words(story.lab.run(f"nft -s list table {TABLE}").stdout) == words(before)
    assert pings(story.lab, "web", "10.1.0.10")
    assert story.run(*CONTAINERS) == []


def test_another_address_passes_and_the_old_one_does_not(story: Story) -> None:
    moved = {**DB, "networks": [{"name": "front", "ipv4_address": "10.1.0.11"}]}
    story.run(WEB, moved, FREE, CLIENT)
    assert pings(story.lab, "web", "10.1.0.11")
    assert "10.1.0.10" not in story.checked()
    assert story.run(WEB, moved, FREE, CLIENT) == []


def test_a_container_that_is_gone_leaves_no_check(story: Story) -> None:
    story.run({**WEB, "state": "absent"}, DB, FREE, CLIENT)
    assert "linuxnet:web" not in story.checked()
    story.run(FREE, CLIENT, purge=True)
    assert story.checked() == ""


def test_everything_goes(story: Story) -> None:
    story.run(*CONTAINERS)
    story.run(*CONTAINERS, state="absent")
    assert story.lab.snapshot() == story.pristine
