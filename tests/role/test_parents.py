# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Networks on the segment of an interface of the host: its containers are there as the machines of the LAN are.

The tests are the chapters of one story, in order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from lab import Lab
from plays import Outcome, Playbook, checked, pings, refused, silent, talk, wiring

LAN: dict[str, Any] = {
    "name": "lan",
    "driver": "macvlan",
    "parent": "eth1",
    "subnets": ["192.0.2.0/24", "2001:db8::/64"],
    "gateways": ["192.0.2.254", "2001:db8::fe"],
    "ranges": ["192.0.2.64/28", "2001:db8::64-2001:db8::6f"],
}
INNER: dict[str, Any] = {"name": "inner", "subnets": ["10.4.0.0/24"]}
CONTAINERS: list[dict[str, Any]] = [
    {"name": "web", "networks": [{"name": "lan"}]},
    {"name": "db", "networks": [{"name": "lan", "ipv4_address": "192.0.2.7", "mac_address": "02:00:00:00:07:07"}]},
    {"name": "both", "networks": [{"name": "inner"}, {"name": "lan", "default_route": True}]},
]


# What the host has on the segment itself.
HOST = "ip addr add 192.0.2.1/24 dev eth1 && ip addr add 2001:db8::1/64 dev eth1 nodad && ip route add default via 192.0.2.254"


def lan(lab: Lab) -> None:
    """A host with an interface on a segment, where there are a router with a way to elsewhere, and a neighbour who has taken an address of the range."""
    lab.run(
        "ip netns add segment && ip -n segment link add sw address 02:00:00:00:ff:00 type bridge && ip -n segment link set sw up"
    )
    for name, number, address in (("router", 1, "192.0.2.254/24"), ("printer", 2, "192.0.2.70/24")):
        lab.run(
            f"ip netns add {name} && ip -n segment link add p{number} type veth peer name eth0 address 02:00:00:00:ff:0{number} netns {name} && "
            f"ip -n segment link set p{number} master sw up && ip -n {name} addr add {address} dev eth0 && ip -n {name} link set eth0 up && "
            f"ip -n {name} link set lo up"
        )
    lab.run(
        "ip -n router addr add 2001:db8::fe/64 dev eth0 nodad && ip -n printer addr add 2001:db8::6a/64 dev eth0 nodad && "
        "ip -n router addr add 203.0.113.1/32 dev lo && ip -n router addr add 2001:db8:ffff::1/128 dev lo && "
        "ip link add eth1 address 02:00:00:00:ff:09 type veth peer name p9 netns segment && ip -n segment link set p9 master sw up && "
        f"ip link set eth1 up && {HOST}"
    )


class Told(NamedTuple):
    foreseen: Outcome
    run: Outcome
    again: Outcome


class Story:
    def __init__(self, lab: Lab, playbook: Playbook) -> None:
        self.lab, self.playbook = lab, playbook
        lan(lab)
        self.before = lab.snapshot()
        self.foreseen, self.first, self.again = playbook.run(
            checked(self.play()), self.play(), self.play(), options=("--diff",)
        )

    def play(self, **more: Any) -> dict[str, Any]:
        return wiring(**{"networks": [LAN, INNER], "containers": CONTAINERS, **more})

    def live(self, *networks: dict[str, Any], **more: Any) -> Told:
        """Foresee a play, run it, and see that it has nothing to do again."""
        play = self.play(networks=[*networks], **more)
        told = Told(*self.playbook.run(checked(play), play, play, options=("--diff",)))
        assert not told.run.failures, told.run.failures
        assert told.foreseen.drift() == told.run.drift()
        assert told.again.changed == []
        return told

    def kinds(self, container: str) -> dict[str, str]:
        """The interfaces of a container, but for lo, with their kinds."""
        links = self.lab.ip(f"-n {container} -d link show")
        return {link["ifname"]: link["linkinfo"]["info_kind"] for link in links if link.get("linkinfo")}

    def links(self, kind: str) -> list[str]:
        """The host's links of a kind."""
        return sorted(link["ifname"] for link in self.lab.ip(f"link show type {kind}"))

    def has(self, container: str, interface: str = "eth0") -> list[str]:
        """The addresses of an interface of a container."""
        found = self.lab.ip(f"-n {container} addr show {interface} scope global")
        return [address["local"] for one in found for address in one.get("addr_info", ()) if address]


@pytest.fixture(scope="module", name="story")
def the_host(shared_lab: Lab, playbook: Playbook) -> Story:
    return Story(shared_lab, playbook)


def test_runs(story: Story) -> None:
    assert not story.first.failures, story.first.failures
    assert story.again.changed == []
    assert story.foreseen.changed == story.first.changed
    assert story.foreseen.drift() == story.first.drift()


def test_containers_are_on_the_segment(story: Story) -> None:
    """With an address of the range, none that a neighbour has; the router sees them as they are, and answers without knowing of the host."""
    for name, interface in (("web", "eth0"), ("both", "eth1")):
        addresses = story.has(name, interface)
        assert len(addresses) == 2
        assert addresses[0].startswith("192.0.2.")
        assert 64 <= int(addresses[0].split(".")[3]) < 80
        assert not {"192.0.2.70", "2001:db8::6a"} & {*addresses}
    assert story.has("db")[0] == "192.0.2.7"
    assert story.lab.ip("-n db link show eth0")[0]["address"] == "02:00:00:00:07:07"
    for name in ("web", "db", "both"):
        for far in ("203.0.113.1", "2001:db8:ffff::1"):
            assert pings(story.lab, name, far)
    assert pings(story.lab, "web", "192.0.2.7")
    assert talk(story.lab, "web", "router", "192.0.2.254") == story.has("web")[0]


def test_the_host_is_not_there(story: Story) -> None:
    """As with any macvlan: not over the parent; and nobody there is translated by it."""
    assert silent(story.lab, "web", "host", "192.0.2.1")
    assert "192.0.2" not in story.lab.run("nft list ruleset").stdout


def test_result(story: Story) -> None:
    result = story.first.wiring_result["db"]
    (interface,) = result["interfaces"]
    assert result["network_mode"] == "bridge"
    assert interface == {
        "name": "eth0",
        "kind": "macvlan",
        "parent": "eth1",
        "host_interface": None,
        "bridge": None,
        "mac": "02:00:00:00:07:07",
        "mtu": 1500,
        "addresses": ["192.0.2.7/24", interface["addresses"][1]],
        "gateways": ["192.0.2.254", "2001:db8::fe"],
    }


def test_host_interface(story: Story) -> None:
    """An interface of the host's own beside them: it reaches those of the range, and nothing else of its ways changes."""
    hosts = {"host_interface": "lan0", "host_addresses": ["192.0.2.63", "2001:db8::63"]}
    outcomes = story.live({**LAN, **hosts}, INNER)
    assert outcomes.run.changed
    for address in story.has("web"):
        assert story.lab.run(f"ping -n -q -c 1 -W 5 {address}", check=False).rc == 0
    assert talk(story.lab, "host", "web", story.has("web")[0]) == "192.0.2.63"
    assert story.lab.ip("route get 192.0.2.254")[0]["dev"] == "eth1"
    moved = {**LAN, **hosts, "ranges": ["192.0.2.64/29", LAN["ranges"][1]]}
    story.live(moved, INNER)
    routes = [route["dst"] for route in story.lab.ip("route show dev lan0")]
    assert routes == ["192.0.2.64/29"], "those of the old range are gone"
    story.lab.run("ip link del lan0")
    story.live(LAN, INNER)


def test_interfaces_change_places(story: Story) -> None:
    """What was on the segment is on a bridge, and the other way round, under the same name; what is not listed goes."""
    moved = [
        {"name": "web", "networks": [{"name": "inner"}]},
        {"name": "db", "networks": [{"name": "inner"}, {"name": "lan", "interface": "net0"}]},
        {"name": "both", "networks": [{"name": "lan"}]},
    ]
    outcomes = story.live(LAN, INNER, containers=moved)
    assert outcomes.run.changed
    kinds = {name: story.kinds(name) for name in ("web", "db", "both")}
    assert kinds == {"web": {"eth0": "veth"}, "db": {"eth0": "veth", "net0": "macvlan"}, "both": {"eth0": "macvlan"}}
    assert story.has("web")[0].startswith("10.4.0.")
    assert pings(story.lab, "both", "203.0.113.1")
    assert pings(story.lab, "db", "192.0.2.254")
    story.live(LAN, INNER)
    assert story.kinds("both") == {"eth0": "veth", "eth1": "macvlan"}
    assert pings(story.lab, "web", "203.0.113.1")


def test_other_parent(story: Story) -> None:
    """It is made anew on that, with its addresses and routes."""
    story.lab.run("ip link add eth2 type veth peer name p8 netns segment && ip link set eth2 addrgenmode none up")
    story.lab.run("ip -n segment link set p8 master sw up")
    had = story.has("web")
    told = story.live({**LAN, "parent": "eth2"}, INNER)
    assert any("is made anew" in said for said in told.run.warnings)
    assert story.has("web") == had
    assert pings(story.lab, "web", "203.0.113.1")
    story.lab.run("ip link del eth2")
    assert story.kinds("web") == {}, "they go with their parent"
    story.live(LAN, INNER)
    assert story.has("web") == had
    assert pings(story.lab, "web", "203.0.113.1")


def test_parent_that_is_not_there(story: Story) -> None:
    """It is named; who is on another network is wired all the same."""
    (told,) = story.playbook.run(refused(networks=[{**LAN, "parent": "eth7"}, INNER], containers=CONTAINERS))
    assert any("parent: there is no interface 'eth7' in the host" in said for said in told.failures), told.failures
    assert story.kinds("both")["eth0"] == "veth"
    story.live(LAN, INNER)


def test_it_was_a_bridge(story: Story) -> None:
    """The network becomes one with a bridge, and back: its bridge goes then, with its rules."""
    bridge = {"name": "lan", "subnets": ["192.0.2.0/24"]}
    # Not while the host itself is in that network.
    story.lab.run("ip addr del 192.0.2.1/24 dev eth1 && ip addr del 2001:db8::1/64 dev eth1")
    story.live(bridge, INNER, containers=CONTAINERS[:1])
    assert story.kinds("web") == {"eth0": "veth"}
    assert story.links("bridge") == ["inner", "lan"]
    story.live(LAN, INNER, containers=CONTAINERS[:1])
    assert story.kinds("web") == {"eth0": "macvlan"}
    assert story.links("bridge") == ["inner"]
    story.lab.run(HOST)
    story.live(LAN, INNER)


def test_no_addresses(story: Story) -> None:
    """For the segment's own DHCP: the interface is there, up, and has no address of ours."""
    bare = {"name": "lan", "driver": "macvlan", "parent": "eth1", "addressing": "none", "mode": "private"}
    story.live(bare, INNER, containers=CONTAINERS[:1])
    assert story.has("web") == []
    assert "UP" in story.lab.ip("-n web link show eth0")[0]["flags"]
    story.live(LAN, INNER)


def test_teardown(story: Story) -> None:
    """All is as before."""
    story.live(LAN, INNER, state="absent")
    assert story.lab.snapshot() == story.before
