# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""wiring_purge: what the role made goes with its entry in the lists, and nothing else on the host does.

The tests are the chapters of one story, in order. Beside the role's wiring there is that of others, from the beginning to the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from lab import Lab
from plays import Outcome, Playbook, checked, internet, pings, snapshot, talk, wiring
from proofs import ended

FRONT = {"name": "front", "subnets": ["10.1.0.0/24", "fd00:1::/64"]}
BACK = {"name": "back", "subnets": ["10.2.0.0/24"]}
THEIRS = {"name": "docker0", "subnets": ["172.17.0.0/16"], "unmanaged": True}
TABLE = {"table": "100", "rule_source": "10.2.0.0/24"}
WEB: dict[str, Any] = {
    "name": "web",
    "networks": [{"name": "front", "ipv4_address": "10.1.0.50"}],
    "published_ports": ["8080:80", "127.0.0.1:30000-30009:30000-30009/udp"],
}
DB: dict[str, Any] = {"name": "db", "networks": [{"name": "front"}, {"name": "back", "host_interface": "db1"}]}
OLD = {
    "name": "old",
    "networks": [{"name": "back", "host_interface": "old0", "port": {"isolated": True}}],
    "published_ports": ["8081:80"],
    "routes": [{**TABLE, "gateway": "10.2.0.1"}, {**TABLE, "destination": "10.2.0.0/24", "interface": "eth0"}],
}
GUEST = {"name": "guest", "networks": [{"name": "docker0"}], "published_ports": ["8082:80"]}
WWW, DB_LESS = {**WEB, "name": "www"}, {**DB, "networks": DB["networks"][:1]}
GONE = {"name": "old", "published_ports": ["8081:80"]}
LONE = {"name": "lone", "network_mode": "none"}
WEB_PORT = "vethzvxkcem3eqk"

# A bridge, a namespace, pairs, names and rules that look as much as they can like ours, or like an engine's.
OTHERS = """
ip link add hand0 type bridge && ip link set hand0 addrgenmode none && ip addr add 10.9.0.1/24 dev hand0 && ip link set hand0 up
ip netns add vm && ip link add vm0 type veth peer name eth0 netns vm && ip link set vm0 master hand0 up
ip -n vm addr add 10.9.0.2/24 dev eth0 && ip -n vm link set eth0 up && ip -n vm link set lo up
ip netns add bare && ip netns add web2
ip link add docker0 address 02:42:00:00:00:01 type bridge && ip link set docker0 addrgenmode none
ip addr add 172.17.0.1/16 dev docker0 && ip link set docker0 up
ip netns add engine && ip link add veth1a2b3c4 type veth peer name eth0 netns engine && ip link set veth1a2b3c4 master docker0 up
ip link add vethabcdefghijk type veth peer name hand1
ln -s /run/netns/vm /run/netns/alias && ln -s /nowhere /run/netns/broken
nft 'add table ip mine; add chain ip mine post { type nat hook postrouting priority 100; }; add rule ip mine post ip saddr 10.9.0.0/24 masquerade'
"""
# Rules that somebody wrote with our module, under owners of his own.
RULES = [
    {"source": "10.77.0.0/24", "owner": "vpn", "out_interface": "!hand0"},
    {"source": "10.78.0.0/24"},
    {"type": "dnat", "owner": "vm", "host_port": "9000", "to_address": "10.9.0.2"},
    {"type": "filter", "owner": "vpn", "bridge": "hand0"},
]


@dataclass
class Told:
    """One set of variables: foreseen, run, and run again."""

    foreseen: Outcome
    run: Outcome
    again: Outcome


class Story:
    """A host that others use as well, as it was at the start."""

    def __init__(self, lab: Lab, playbook: Playbook) -> None:
        self.lab, self.playbook = lab, playbook
        internet(lab)
        lab.run("mkdir -p /run/netns && mount -t tmpfs none /run/netns && mount --make-shared /run/netns")
        lab.run(f"set -e{OTHERS}")
        lab.module("nat", aggregate=RULES)
        self.pristine = lab.snapshot()

    def live(self, *networks: Any, containers: Any = (), **variables: Any) -> Told:
        """Run the role with these lists and purge, in check mode and twice. Check mode changes nothing."""
        play = wiring(networks=list(networks), containers=list(containers), purge=True, **variables)
        before = self.lab.snapshot()
        foreseen, after, run, again = self.playbook.run(checked(play), snapshot(), play, play)
        assert after.stdout.splitlines() == before.splitlines()
        return Told(foreseen, run, again)

    def names(self) -> set[str]:
        """What is in /run/netns, without what others put there."""
        return {*self.lab.run("ls /run/netns").stdout.split()} - {
            "vm",
            "bare",
            "web2",
            "engine",
            "alias",
            "broken",
            "internet",
        }

    def bridges(self) -> set[str]:
        return {link["ifname"] for link in self.lab.ip("link show type bridge")} - {"hand0", "docker0"}

    def rules(self) -> str:
        return self.lab.run("nft list ruleset").stdout


@pytest.fixture(scope="module")
def story(shared_lab: Lab, playbook: Playbook) -> Story:
    return Story(shared_lab, playbook)


def as_foreseen(told: Told) -> None:
    """Check mode told the truth, and a second run changes nothing."""
    assert told.foreseen.changed == told.run.changed
    assert told.foreseen.drift() == told.run.drift()
    assert told.again.changed == []
    assert told.again.wiring_result == told.run.wiring_result


def test_what_is_listed_is_wired_and_nothing_goes(story: Story) -> None:
    told = story.live(FRONT, BACK, THEIRS, containers=[WEB, DB, OLD, GUEST])
    as_foreseen(told)
    assert not [name for name in told.run.changed if name.startswith("Remove")]
    assert "is not listed any more" not in " ".join(told.run.warnings)
    assert story.names() == {"web", "db", "old", "guest"}


def test_without_purge_what_is_not_listed_stays(story: Story) -> None:
    before = story.lab.snapshot()
    play = wiring(networks=[FRONT, BACK, THEIRS], containers=[WEB, DB])
    [kept] = story.playbook.run(play)
    assert kept.changed == []
    assert kept.modules.count("wiring_info") == 0
    assert story.lab.snapshot() == before


def test_a_container_a_network_and_an_interface_go_and_a_new_one_comes(story: Story) -> None:
    containers = [WEB, {**DB, "networks": DB["networks"][:1]}, {"name": "new"}, GUEST]
    told = story.live(FRONT, THEIRS, containers=containers)
    as_foreseen(told)
    gone = {
        name: lines for name, lines in told.run.drift().items() if lines and not [one for one in lines if one[0] == "+"]
    }
    assert {"ports of old", "filter back", "nat 10.2.0.0/24", "veth old0", "netns old", "bridge back"} <= {*gone}
    assert "-peer_netns old" in gone["veth old0"]
    assert ["-other_pairs db1"] in told.run.drift().values()
    assert story.names() == {"web", "db", "new", "guest"}
    assert story.bridges() == {"front"}
    assert [link["ifname"] for link in story.lab.ip("-n db link show")] == ["lo", "eth0"]
    assert "10.2.0" not in story.rules()
    assert pings(story.lab, "new", "10.1.0.50")


def test_another_name_takes_over_address_and_port(story: Story) -> None:
    told = story.live(FRONT, THEIRS, containers=[WWW, DB_LESS, GUEST])
    as_foreseen(told)
    assert story.names() == {"www", "db", "guest"}
    assert talk(story.lab, "db", "www", "10.1.0.50")
    assert {"ports of web", "veth " + WEB_PORT, "netns web"} <= {*told.run.drift()}


def test_a_subnet_that_a_network_has_no_more_is_not_masqueraded(story: Story) -> None:
    other = {**FRONT, "subnets": ["10.1.0.0/24", "fd00:11::/64"]}
    told = story.live(other, THEIRS, containers=[WWW, DB_LESS, GUEST])
    as_foreseen(told)
    said = [line for lines in told.run.drift().values() for line in lines]
    assert "-no_longer_asked_for fd00:1::/64" in said
    assert ("fd00:1::/64" in story.rules(), "fd00:11::/64" in story.rules()) == (False, True)


def test_a_network_of_another_name_takes_over_the_subnet_and_the_containers(story: Story) -> None:
    lan = {"name": "lan", "subnets": FRONT["subnets"]}
    moved = [{**one, "networks": [{**one["networks"][0], "name": "lan"}]} for one in (WWW, DB_LESS)]
    told = story.live(lan, THEIRS, containers=[*moved, GUEST])
    as_foreseen(told)
    assert story.bridges() == {"lan"}
    assert story.names() == {"www", "db", "guest"}
    assert talk(story.lab, "db", "www", "10.1.0.50")
    back = story.live(FRONT, THEIRS, containers=[WWW, DB_LESS, GUEST])
    as_foreseen(back)
    assert story.bridges() == {"front"}


def test_what_others_put_into_it_keeps_a_bridge_and_a_name(story: Story) -> None:
    """A pair by hand on our bridge, a process in one of our namespaces, an interface by hand in another."""
    lab = story.lab
    lab.run("ip link add byhand type veth peer name eth9 netns vm && ip link set byhand master front up")
    lab.run("ip -n www link add extra type bridge")
    pid = lab.spawn("exec ip netns exec db sleep 100000")
    told = story.live(THEIRS)
    as_foreseen(told)
    assert story.names() == {"db", "www"}
    assert story.bridges() == {"front"}
    assert [port["ifname"] for port in lab.ip("link show master front")] == ["byhand"]
    assert [link["ifname"] for link in lab.ip("-n db link show")] == ["lo"]
    assert [link["ifname"] for link in lab.ip("-n www link show")] == ["lo", "extra"]
    assert "10.1.0.0/24" in story.rules()
    assert "8080" not in story.rules()
    for said in (
        "Netns 'db' is not listed any more and loses its wiring, but the name stays, for what is in it is not ours: process ",
        "Netns 'www' is not listed any more and loses its wiring, but the name stays, for what is in it is not ours: interface extra.",
        "Bridge 'front' in the host stays with its addresses and rules, for there are ports on it that nothing here removes: byhand.",
    ):
        assert said in " ".join(told.run.warnings), told.run.warnings
    lab.kill(pid)
    lab.run("ip link del byhand")
    ended(lab, "db", "www")


def test_empty_lists_take_all_of_it_and_nothing_else(story: Story) -> None:
    told = story.live()
    as_foreseen(told)
    assert told.run.changed == ["Remove bridges", "Remove NAT"]
    assert story.lab.snapshot() == story.pristine


def test_all_of_it_goes_at_once(story: Story) -> None:
    [made] = story.playbook.run(wiring(networks=[FRONT, BACK, THEIRS], containers=[WEB, DB, OLD, GUEST]))
    assert len(made.wiring_result) == 4
    told = story.live()
    as_foreseen(told)
    assert told.run.changed == [
        "Take back published ports",
        "Remove routes and policy rules",
        "Remove pairs",
        "Remove namespaces",
        "Remove bridges",
        "Remove NAT",
    ]
    assert told.run.wiring_result == {}
    assert story.lab.snapshot() == story.pristine


def test_absent_with_purge_takes_what_is_listed_and_what_is_not(story: Story) -> None:
    story.playbook.run(wiring(networks=[FRONT, BACK, THEIRS], containers=[WEB, DB, OLD, GUEST, LONE]))
    told = story.live(FRONT, containers=[WEB, LONE], state="absent")
    as_foreseen(told)
    assert story.lab.snapshot() == story.pristine


def test_what_a_stopped_container_left_goes_only_with_its_entry(story: Story) -> None:
    """Its name is a link to a file of docker's that is gone; its pair went with its namespace, its ports did not."""
    lab, lists = story.lab, {"networks": [FRONT], "containers": [WEB, GONE]}
    story.playbook.run(wiring(**lists))
    ended(lab, "old")
    lab.run("ln -s /run/docker/netns/0123456789ab /run/netns/old")
    told = story.live(FRONT, containers=[WEB])
    as_foreseen(told)
    assert {"ports of old", "netns old"} <= {*told.run.drift()}
    assert story.names() == {"web"}
    assert "8081" not in story.rules()
    assert story.live().again.changed == []
    assert story.lab.snapshot() == story.pristine
