# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Networks as people have them: internal as Docker's, without the host, plain layer 2, the LAN behind an uplink, a port that is a VM's tap.

The tests are the chapters of one story, in order.
"""

from __future__ import annotations

from typing import Any

import pytest
from lab import Lab
from plays import Outcome, Playbook, checked, pings, silent, talk, wiring

NETWORKS: list[dict[str, Any]] = [
    {"name": "vault", "subnets": ["10.4.0.0/24", "fd00:4::/64"], "internal": True},
    {"name": "sealed", "subnets": ["10.5.0.0/31", "fd00:5::/127"], "host_access": False},
    {"name": "routed", "subnets": ["10.6.0.0/24"], "host_access": False, "gateways": ["10.6.0.254"]},
    {"name": "wire", "addressing": "none"},
    {
        "name": "lan0",
        "subnets": ["192.0.2.0/24"],
        "unmanaged": True,
        "gateways": ["192.0.2.99"],
        "ranges": ["192.0.2.64/28"],
        "masquerade": False,
    },
]
CONTAINERS: list[dict[str, Any]] = [
    {"name": "safe", "networks": [{"name": "vault"}]},
    {"name": "left", "networks": [{"name": "sealed"}]},
    {"name": "right", "networks": [{"name": "sealed"}]},
    {
        "name": "router",
        "networks": [{"name": "routed", "ipv4_address": "10.6.0.254"}, {"name": "wire", "ipv4_address": "10.7.0.1/24"}],
        "sysctls": {"net.ipv4.ip_forward": 1},
    },
    {"name": "user", "networks": [{"name": "routed"}]},
    {"name": "bare", "networks": [{"name": "wire"}]},
    {"name": "guest", "networks": [{"name": "lan0"}]},
]


def lan(lab: Lab) -> None:
    """A host whose uplink is a port of a bridge that has its address, and a router behind it."""
    lab.run(
        "ip netns add lan && ip link add uplink type veth peer name eth0 netns lan && "
        "ip link add lan0 address 02:00:00:00:00:03 type bridge && ip link set uplink master lan0 && "
        "ip link set lan0 up addrgenmode none && ip addr add 192.0.2.1/24 dev lan0 && "
        "ip link set uplink addrgenmode none && ip -n lan link set eth0 addrgenmode none && ip -n lan addr add 192.0.2.99/24 dev eth0 && "
        "ip link set uplink up && ip -n lan link set eth0 up && ip -n lan link set lo up && "
        "ip route add default via 192.0.2.99"
    )


class Story:
    """A host with a LAN bridge of its own, and the first play."""

    def __init__(self, lab: Lab, playbook: Playbook) -> None:
        self.lab, self.playbook = lab, playbook
        lan(lab)
        self.before = lab.snapshot()
        self.foreseen, self.first, self.again = playbook.run(
            checked(self.play()), self.play(), self.play(), options=("--diff",)
        )

    def play(self, **more: Any) -> dict[str, Any]:
        """The play."""
        return wiring(**{"networks": NETWORKS, "containers": CONTAINERS, **more})

    def host_has(self, interface: str) -> list[str]:
        """The addresses that the host has on an interface."""
        return [
            address["local"]
            for one in self.lab.ip(f"addr show {interface} scope global")
            for address in one.get("addr_info", ())
        ]

    def addresses(self, name: str) -> list[str]:
        """The addresses that the result gives a container."""
        interfaces = self.first.wiring_result[name]["interfaces"]
        return [cidr.partition("/")[0] for one in interfaces for cidr in one["addresses"]]


@pytest.fixture(scope="module")
def story(shared_lab: Lab, playbook: Playbook) -> Story:
    return Story(shared_lab, playbook)


def test_check_mode_and_a_second_run_tell_the_truth(story: Story) -> None:
    assert story.foreseen.changed == story.first.changed
    assert story.again.changed == []


def test_an_internal_network_is_the_hosts_too_but_leads_nowhere(story: Story) -> None:
    """As with Docker: the host has an address in it and both reach each other; nothing is forwarded, and there is no default route."""
    assert talk(story.lab, "safe", "host", "10.4.0.1") == story.addresses("safe")[0]
    assert pings(story.lab, "safe", "fd00:4::1")
    assert story.lab.ip("-n safe route show default") == []
    story.lab.run("ip -n safe route add 192.0.2.99 via 10.4.0.1")
    assert silent(story.lab, "safe", "lan", "192.0.2.99")
    story.lab.run("ip -n safe route del 192.0.2.99 via 10.4.0.1")


def test_without_host_access_all_addresses_are_the_containers(story: Story) -> None:
    """A /31 and a /127 serve two containers, since nobody is the gateway."""
    assert story.host_has("sealed") == []
    given = {*story.addresses("left"), *story.addresses("right")}
    assert given == {"10.5.0.0", "10.5.0.1", "fd00:5::", "fd00:5::1"}
    for address in story.addresses("right"):
        assert talk(story.lab, "left", "right", address) in given


def test_a_router_that_is_a_container_leads_on(story: Story) -> None:
    [default] = story.lab.ip("-n user route show default")
    assert default["gateway"] == "10.6.0.254"
    story.lab.run("ip -n bare addr add 10.7.0.9/24 dev eth0 && ip -n bare route add default via 10.7.0.1")
    assert talk(story.lab, "user", "bare", "10.7.0.9") == story.addresses("user")[0]


def test_what_was_set_by_hand_on_plain_layer_two_stays(story: Story) -> None:
    assert story.host_has("wire") == []
    [again] = story.playbook.run(story.play())
    assert again.changed == []
    assert "10.7.0.9" in story.lab.run("ip -n bare addr show eth0").stdout


def test_a_tap_of_a_virtual_machine_is_one_more_port(story: Story) -> None:
    """The hypervisor makes it, `bridge_port` makes it a port; the role leaves it alone."""
    story.lab.run("ip tuntap add vm0 mode tap && ip link set vm0 up")
    assert story.lab.module("bridge_port", bridge="wire", interface="vm0")["changed"]
    [again] = story.playbook.run(story.play())
    assert again.changed == []
    assert story.lab.ip("link show vm0")[0]["master"] == "wire"
    story.lab.run("ip link del vm0")


def test_containers_on_the_lan_have_the_lans_addresses_and_router(story: Story) -> None:
    """The host's uplink is a port of a bridge that is not ours: no NAT, the LAN sees the container's own address."""
    [address] = story.addresses("guest")
    assert address.startswith("192.0.2.")
    assert 64 <= int(address.rpartition(".")[2]) < 80
    assert story.lab.ip("-n guest route show default")[0]["gateway"] == "192.0.2.99"
    assert talk(story.lab, "guest", "lan", "192.0.2.99") == address
    assert pings(story.lab, "guest", "192.0.2.1")
    assert "192.0.2.0/24" not in story.lab.run("nft list ruleset").stdout


def test_the_host_leaves_a_network_and_comes_back(story: Story) -> None:
    """In place: its address goes and comes, and what is in the containers stays."""
    networks = [{**NETWORKS[0], "host_access": False}, *NETWORKS[1:]]
    foreseen, changed, again = story.playbook.run(
        *[wrap(story.play(networks=networks)) for wrap in (checked, dict, dict)]
    )
    assert (foreseen.drift(), again.changed) == (changed.drift(), [])
    assert story.host_has("vault") == []
    [back] = story.playbook.run(story.play())
    assert back.wiring_result == story.first.wiring_result
    assert talk(story.lab, "safe", "host", "10.4.0.1") == story.addresses("safe")[0]


def test_absent_leaves_the_host_as_it_was(story: Story) -> None:
    gone: Outcome
    [gone] = story.playbook.run(story.play(state="absent"))
    assert gone.failures == []
    assert story.lab.snapshot() == story.before
