# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The other kinds of network and container: somebody else's bridge, an internal network, a process's namespace, port options.

The tests are the chapters of one story, in order.
"""

from __future__ import annotations

from typing import Any

import pytest
from lab import Lab
from plays import Outcome, Playbook, internet, pings, silent, start, talk, wiring

NETWORKS = [
    {
        "name": "lan",
        "subnets": ["10.3.0.0/24"],
        "unmanaged": True,
        "ranges": ["10.3.0.128/30"],
        "exclude": ["10.3.0.129"],
    },
    {"name": "inner", "subnets": ["10.4.0.0/24", "fd00:4::/64"], "internal": True},
    {
        "name": "outer",
        "subnets": ["10.5.0.0/24"],
        "gateways": ["10.5.0.254"],
        "outbound_ipv4": "192.0.2.2",
        "mtu": 1400,
        "metric": 50,
        "routes": [{"destination": "10.66.0.0/16", "gateway": "10.5.0.9"}],
    },
]
TUNED = {
    "name": "tuned",
    "networks": [
        {
            "name": "outer",
            "interface": "net0",
            "host_interface": "tuned0",
            "mac_address": "02-00-00-00-00-AA",
            "port": {"hairpin": True, "isolated": True},
        },
        {"name": "inner", "default_route": False},
    ],
    "sysctls": {"net.ipv4.ip_unprivileged_port_start": 80},
    "routes": [{"destination": "10.77.0.0/16", "type": "blackhole"}],
}


def containers(pid: int) -> list[dict[str, Any]]:
    """All of them; one is a process that somebody else started."""
    return [
        {"name": "proc", "engine": "pid", "pid": pid, "networks": [{"name": "lan"}]},
        {"name": "hidden", "networks": [{"name": "inner"}]},
        TUNED,
    ]


class Story:
    """A host with a bridge and a process of somebody else, and the first play."""

    def __init__(self, lab: Lab, playbook: Playbook) -> None:
        self.lab, self.playbook = lab, playbook
        internet(lab)
        lab.run("ip addr add 192.0.2.2/24 dev uplink")
        lab.run(
            "ip link add lan address 02:00:00:00:00:03 type bridge && ip addr add 10.3.0.1/24 dev lan && ip link set lan up addrgenmode none"
        )
        lab.run("ip link add theirs type veth peer name others && ip link set theirs master lan")
        self.before = lab.snapshot()
        self.pid = start(lab)
        [self.first] = self.play()

    def play(self, times: int = 1, **more: Any) -> list[Outcome]:
        """The play, once or several times in a row."""
        play = wiring(networks=NETWORKS, containers=containers(self.pid), **more)
        return self.playbook.run(*[play] * times)


@pytest.fixture(scope="module")
def story(shared_lab: Lab, playbook: Playbook) -> Story:
    return Story(shared_lab, playbook)


def test_a_network_that_is_somebody_elses_is_joined_and_left_as_it_is(story: Story) -> None:
    [made] = [{one["before_header"] for one in task.diff} for task in story.first.tasks if task.name == "Make bridges"]
    assert made == {"bridge inner", "bridge outer"}
    assert not [subject for subject in story.first.drift() if subject.endswith("on lan")]
    assert pings(story.lab, "proc", "10.3.0.1")


def test_an_address_comes_from_the_range_without_what_is_excluded(story: Story) -> None:
    """Of 10.3.0.128/30, .129 is excluded; three addresses are left."""
    [interface] = story.first.wiring_result["proc"]["interfaces"]
    assert interface["addresses"][0] in ("10.3.0.128/24", "10.3.0.130/24", "10.3.0.131/24")


def test_the_namespace_of_a_process_is_wired_under_the_containers_name(story: Story) -> None:
    inside = story.lab.run(f"nsenter -t {story.pid} -n ip -br link show eth0").stdout
    assert inside.startswith("eth0@")
    inode = story.lab.run(f"stat -Lc %i /proc/{story.pid}/ns/net /run/netns/proc").stdout.split()
    assert inode[0] == inode[1]


def test_an_internal_network_has_no_way_out(story: Story) -> None:
    [inner] = story.lab.ip("addr show dev inner")
    held = [one["local"] for one in inner["addr_info"] if one["scope"] == "global"]
    assert held == ["10.4.0.1", "fd00:4::1"]
    assert story.lab.ip("-n hidden route show default") == []
    assert "10.4.0.0/24" not in story.lab.run("nft list ruleset").stdout
    assert silent(story.lab, "hidden", "internet", "192.0.2.99")
    [second] = [one for one in story.first.wiring_result["tuned"]["interfaces"] if one["bridge"] == "inner"]
    address = second["addresses"][1].partition("/")[0]
    assert talk(story.lab, "hidden", "tuned", address).startswith("fd00:4::")


def test_options_of_a_network_reach_its_containers(story: Story) -> None:
    assert story.lab.ip("addr show outer")[0]["addr_info"][0]["local"] == "10.5.0.254"
    assert [link["mtu"] for link in story.lab.ip("link show outer") + story.lab.ip("-n tuned link show net0")] == [
        1400,
        1400,
    ]
    shown = story.lab.ip("-n tuned route show")
    routes = {route["dst"]: (route.get("gateway"), route.get("dev"), route.get("metric")) for route in shown}
    assert routes["default"] == ("10.5.0.254", "net0", 50)
    assert routes["10.66.0.0/16"] == ("10.5.0.9", "net0", None)


def test_outbound_ipv4_is_the_address_that_the_internet_sees(story: Story) -> None:
    assert talk(story.lab, "tuned", "internet", "192.0.2.99") == "192.0.2.2"
    assert talk(story.lab, "proc", "internet", "192.0.2.99") == "192.0.2.1"


def test_options_of_a_container(story: Story) -> None:
    [port] = story.lab.ip("-d link show tuned0")
    data = port["linkinfo"]["info_slave_data"]
    assert (port["master"], data["hairpin"], data["isolated"], data["learning"]) == ("outer", True, True, True)
    assert story.lab.ip("-n tuned link show net0")[0]["address"] == "02:00:00:00:00:aa"
    key = "net.ipv4.ip_unprivileged_port_start"
    assert story.lab.run(f"ip netns exec tuned sysctl -n {key}; sysctl -n {key}").stdout == "80\n1024\n"
    assert [route["dst"] for route in story.lab.ip("-n tuned route show type blackhole")] == ["10.77.0.0/16"]


def test_g5_a_container_that_was_restarted_is_wired_as_before(story: Story) -> None:
    """G5: a new process in a new namespace gets the same interface, MAC and address under the same name."""
    wired = story.first.wiring_result
    story.lab.kill(story.pid)
    story.pid = start(story.lab)
    rewired, again = story.play(times=2)
    assert rewired.wiring_result == wired
    assert set(rewired.drift()) == {
        "netns proc",
        f"veth {wired['proc']['interfaces'][0]['host_interface']}",
        f"spoof_check {wired['proc']['interfaces'][0]['host_interface']}",
        "address from 10.3.0.0/24 on eth0 in netns 'proc'",
        "route default in netns 'proc'",
    }
    assert again.changed == []
    assert talk(story.lab, "proc", "internet", "192.0.2.99") == "192.0.2.1"


def test_g3_absent_leaves_what_is_not_the_roles(story: Story) -> None:
    """G3: the bridge is there as it was, and so is the process, in its namespace without the interface."""
    [gone] = story.play(state="absent")
    assert gone.changed == [
        "Remove routes and policy rules",
        "Remove pairs",
        "Remove namespaces",
        "Remove bridges",
        "Remove NAT",
    ]
    assert story.lab.run(f"nsenter -t {story.pid} -n ip -br link").stdout.split()[0] == "lo"
    story.lab.kill(story.pid)
    assert story.lab.snapshot() == story.before
