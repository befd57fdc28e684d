# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bridge mode: what a play of the role leaves, that traffic flows, and that the next run changes nothing.

Two networks, IPv4 and IPv6, and four containers: web and db on docker0, app on docker0 and backend, lone in mode none.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from lab import Lab
from plays import Outcome, Playbook, internet, pings, shell, silent, talk, wiring

NETWORKS = [
    {"name": "docker0", "subnets": ["172.17.0.0/24", "fd00:17::/64"]},
    {"name": "backend", "subnets": ["10.9.0.0/24", "fd00:9::/64"]},
]
CONTAINERS = [
    {"name": "web", "networks": [{"name": "docker0", "ipv4_address": "172.17.0.80", "ipv6_address": "fd00:17::80"}]},
    {"name": "db"},
    {
        "name": "app",
        "networks": [
            {"name": "docker0"},
            {
                "name": "backend",
                "ipv4_address": "10.9.0.7",
                "mac_address": "02:00:00:00:00:07",
                "port": {"hairpin": True, "cost": 7},
            },
        ],
    },
    {"name": "lone", "network_mode": "none"},
]
TASKS = [
    "Make namespaces",
    "Make bridges",
    "Isolate the networks, and translate what leaves",
    "Give the bridges their gateway addresses",
    "Make pairs, each born in its place",
    "Set the bridge ports",
    "Give the containers their addresses",
    "Set the routes",
    "Publish ports",  # what was given to the containers passes their ports from now on
]


@dataclass
class Story:
    """The host, and the plays that ran on it."""

    lab: Lab
    playbook: Playbook
    foreseen: Outcome
    first: Outcome

    def address(self, container: str, family: int, place: int = 0) -> str:
        """The address of a container, as the kernel has it."""
        shown = self.lab.ip(f"-{family} -n {container} addr show eth{place} scope global")
        [one] = [entry["local"] for link in shown for entry in link["addr_info"] if entry]
        return str(one)


@pytest.fixture(scope="module")
def story(shared_lab: Lab, playbook: Playbook) -> Story:
    internet(shared_lab)
    before = shared_lab.snapshot()
    play = wiring(networks=NETWORKS, containers=CONTAINERS)
    [foreseen] = playbook.run(play, options=("--check", "--diff", "-v"))
    assert shared_lab.snapshot() == before
    [first] = playbook.run(play)
    return Story(shared_lab, playbook, foreseen, first)


def test_the_first_run_makes_everything_step_by_step(story: Story) -> None:
    assert story.first.changed == TASKS
    assert sorted(link["ifname"] for link in story.lab.ip("link show type bridge")) == ["backend", "docker0"]


def test_a2_a3_check_mode_foresees_each_task_and_each_diff_of_the_first_run(story: Story) -> None:
    assert [(task.name, task.status, task.changed) for task in story.foreseen.tasks] == [
        (task.name, task.status, task.changed) for task in story.first.tasks
    ]
    for foreseen, first in zip(story.foreseen.tasks, story.first.tasks, strict=True):
        assert foreseen.diff == first.diff, first.name
    # and there is something to compare
    assert [len(task.diff) for task in story.first.tasks if task.changed] == [4, 2, 10, 4, 4, 1, 8, 6, 3]


def test_a4_check_mode_foresees_the_addresses_that_are_taken_from_the_pool(story: Story) -> None:
    foreseen = {name: box["interfaces"] for name, box in story.foreseen.wiring_result.items()}
    first = {name: box["interfaces"] for name, box in story.first.wiring_result.items()}
    assert foreseen == first
    assert first["db"][0]["addresses"] == [f"{story.address('db', 4)}/24", f"{story.address('db', 6)}/64"]


def test_wiring_result_tells_a_containers_wiring(story: Story) -> None:
    web = story.first.wiring_result["web"]
    [eth0] = web["interfaces"]
    assert web == {
        "interfaces": [eth0],
        "netns": "web",
        "path": "/run/netns/web",
        "network_mode": "bridge",
        "loopback_addresses": [],
        "routes": [
            {"destination": "default", "gateway": "172.17.0.1", "interface": "eth0", "metric": 0},
            {"destination": "default", "gateway": "fd00:17::1", "interface": "eth0", "metric": 1024},
        ],
        "published_ports": [],
    }
    [link] = story.lab.ip("-n web link show eth0")
    [host] = story.lab.ip(f"link show {eth0['host_interface']}")
    assert eth0 == {
        "name": "eth0",
        "host_interface": host["ifname"],
        "bridge": "docker0",
        "mac": link["address"],
        "mtu": 1500,
        "addresses": ["172.17.0.80/24", "fd00:17::80/64"],
        "gateways": ["172.17.0.1", "fd00:17::1"],
    }
    assert (host["master"], host["link_netnsid"] >= 0, link["mtu"]) == ("docker0", True, 1500)


def test_wiring_result_lists_every_interface_in_order(story: Story) -> None:
    app = story.first.wiring_result["app"]
    assert [(one["name"], one["bridge"]) for one in app["interfaces"]] == [("eth0", "docker0"), ("eth1", "backend")]
    assert app["interfaces"][1]["mac"] == story.lab.ip("-n app link show eth1")[0]["address"] == "02:00:00:00:00:07"


def test_c14_a_container_on_two_networks_has_one_default_route_a_family(story: Story) -> None:
    assert [route["dev"] for route in story.lab.ip("-4 -n app route show default")] == ["eth0"]
    assert [route["dev"] for route in story.lab.ip("-6 -n app route show default")] == ["eth0"]
    assert pings(story.lab, "app", "10.9.0.1")
    assert pings(story.lab, "app", "172.17.0.1")


def test_g8_mode_none_leaves_only_lo_and_that_is_up(story: Story) -> None:
    [link] = story.lab.ip("-n lone link show")
    assert (link["ifname"], "UP" in link["flags"]) == ("lo", True)
    assert story.lab.ip("-n lone route show table all type unicast") == []
    assert story.first.wiring_result["lone"] == {
        "netns": "lone",
        "path": "/run/netns/lone",
        "network_mode": "none",
        "interfaces": [],
        "loopback_addresses": [],
        "routes": [],
        "published_ports": [],
    }


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize(("client", "server"), [("web", "db"), ("db", "web"), ("app", "web")])
def test_containers_talk_to_each_other_under_their_own_addresses(
    story: Story, client: str, server: str, family: int
) -> None:
    seen = talk(story.lab, client, server, story.address(server, family))
    assert seen == story.address(client, family)


@pytest.mark.parametrize("gateway", ["172.17.0.1", "fd00:17::1"])
def test_containers_reach_the_gateway_and_the_host_reaches_them(story: Story, gateway: str) -> None:
    family = 6 if ":" in gateway else 4
    assert pings(story.lab, "db", gateway)
    assert talk(story.lab, "db", "host", gateway) == story.address("db", family)
    assert talk(story.lab, "host", "db", story.address("db", family)) == gateway


@pytest.mark.parametrize(("address", "host"), [("192.0.2.99", "192.0.2.1"), ("2001:db8::99", "2001:db8::1")])
@pytest.mark.parametrize("container", ["web", "app"])
def test_the_internet_sees_the_hosts_address(story: Story, container: str, address: str, host: str) -> None:
    assert pings(story.lab, container, address)
    assert talk(story.lab, container, "internet", address) == host


def test_a_container_in_mode_none_reaches_nothing(story: Story) -> None:
    assert silent(story.lab, "lone", "web", "172.17.0.80")
    assert silent(story.lab, "lone", "internet", "192.0.2.99")


@pytest.mark.needs("strace", "nft")
def test_a1_the_second_run_changes_nothing_and_writes_nothing(story: Story) -> None:
    """A1: the whole ansible-playbook under strace sends no message that writes, and writes no file.

    The last play does write, to show that the tasks' processes are traced.
    """
    rules, before = story.lab.run("nft -a list ruleset").stdout, story.lab.snapshot()
    play = wiring(networks=NETWORKS, containers=CONTAINERS)
    writes = story.lab.strace(story.playbook.command([play, shell("ip link set lo up")], "--diff"))
    second, _last = story.playbook.outcomes()
    assert (second.changed, second.failures) == ([], [])
    assert writes == ["RTM_NEWLINK"]  # of the last play
    assert (
        second.modules == story.first.modules[:-1]
    )  # no address is given, so the last step has nothing to let through
    assert story.first.modules[-1] == "nat"
    assert second.wiring_result == story.first.wiring_result
    assert story.lab.run("nft -a list ruleset").stdout == rules
    assert "masquerade" in rules
    assert story.lab.snapshot() == before
