# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ours and not ours: a bridge that was here before is given back as it was, one of ours stays while others are on it, and no container is
cut off by a list that does not name it.

The tests are the chapters of one story, in order, on a host whose uplink is in a bridge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from lab import Lab
from plays import Outcome, Playbook, checked, pings, snapshot, wiring

LAN = {"name": "lan", "subnets": ["10.0.0.0/24", "fd00:10::/64"]}
FRONT = {"name": "front", "subnets": ["10.1.0.0/24"]}
WEB = {"name": "web", "published_ports": ["8080:80"]}
DB = {"name": "db"}
V_DB = "vethwzfgk4jxc3w"
HOST = """
ip link add lan address 02:00:00:00:00:0a type bridge && ip link set lan addrgenmode none up
ip netns add world && ip link add uplink type veth peer name eth0 netns world && ip link set uplink addrgenmode none master lan up
ip -n world link set eth0 up && ip -n world addr add 192.0.2.99/24 dev eth0
ip addr add 192.0.2.1/24 dev lan && ip addr add 2001:db8::1/64 dev lan nodad
ip route add default via 192.0.2.99 && ip route add default via 2001:db8::99 && ip route add 10.9.0.0/16 via 192.0.2.98
"""


@dataclass
class Told:
    """One set of variables: foreseen, run, and run again."""

    foreseen: Outcome
    run: Outcome
    again: Outcome


class Story:
    """A host, and how it was at the start."""

    def __init__(self, lab: Lab, playbook: Playbook) -> None:
        self.lab, self.playbook = lab, playbook
        lab.run(f"set -e{HOST}")
        self.pristine = lab.snapshot()

    def live(self, *networks: Any, containers: Any = (), **variables: Any) -> Told:
        """Run the role in check mode, which changes nothing and tells the truth, and twice, of which the second run changes nothing."""
        play = wiring(networks=list(networks), containers=list(containers), **variables)
        before = self.lab.snapshot()
        foreseen, after, run, again = self.playbook.run(checked(play), snapshot(), play, play)
        assert after.stdout.splitlines() == before.splitlines()
        assert (foreseen.changed, foreseen.drift()) == (run.changed, run.drift())
        assert again.changed == []
        return Told(foreseen, run, again)

    def reaches_the_world(self) -> bool:
        return self.lab.run("ping -n -q -c 1 -W 5 192.0.2.99", check=False).rc == 0


@pytest.fixture(scope="module")
def story(shared_lab: Lab, playbook: Playbook) -> Story:
    return Story(shared_lab, playbook)


def of_bridges(outcome: Outcome) -> list[str]:
    """The warnings about bridges."""
    return [line for line in outcome.warnings if "ridge '" in line and "not exist yet" not in line]


def test_a_bridge_that_was_here_before_is_used_and_one_warning_says_so(story: Story) -> None:
    told = story.live(LAN, containers=[WEB])
    for outcome in (told.foreseen, told.run, told.again):
        (said,) = of_bridges(outcome)
        assert "Bridge 'lan' in the host was here before: it is used as it is" in said
    assert "Make bridges" not in told.run.changed
    assert story.lab.ip("link show lan")[0]["address"] == "02:00:00:00:00:0a"
    assert story.reaches_the_world()
    assert pings(story.lab, "web", "10.0.0.1")


def test_a_list_that_names_a_part_cuts_nobody_off(story: Story) -> None:
    """The other container was wired by another run: it keeps its gateway and its way out, on a bridge that is not even ours."""
    story.playbook.run(wiring(networks=[LAN], containers=[DB]))
    told = story.live(LAN, containers=[WEB], state="absent")
    assert told.run.changed == ["Take back published ports", "Remove pairs", "Remove namespaces", "Remove NAT"]
    assert {*told.run.drift()} == {"veth vethzvxkcem3eqk", "netns web", "ports of web", "spoof_check of web"}
    assert [line for line in of_bridges(told.run) if f"{V_DB} of netns 'db'" in line] == of_bridges(told.run) != []
    assert "10.0.0.0/24" in story.lab.run("nft list ruleset").stdout
    assert pings(story.lab, "db", "10.0.0.1")


def test_absent_gives_the_bridge_back_as_it_was(story: Story) -> None:
    told = story.live(LAN, containers=[DB], state="absent")
    assert told.run.drift()["bridge lan"] == ["-addresses 10.0.0.1/24, fd00:10::1/64", "+addresses none"]
    for outcome in (told.foreseen, told.run, told.again):
        (said,) = of_bridges(outcome)
        assert (
            "Bridge 'lan' in the host was not made by this collection: it stays, and loses what was added for containers."
            in said
        )
    assert story.lab.snapshot() == story.pristine
    assert story.reaches_the_world()


def test_purge_gives_it_back_as_well(story: Story) -> None:
    story.playbook.run(wiring(networks=[LAN], containers=[WEB, DB]))
    told = story.live(purge=True)
    assert "bridge lan" in told.run.drift()
    assert story.lab.snapshot() == story.pristine


def test_ours_is_ours_whatever_the_host_is_called_by_now(story: Story) -> None:
    story.playbook.run(wiring(networks=[FRONT], containers=[WEB, DB]))
    story.lab.run("hostname called-otherwise")
    told = story.live(FRONT, containers=[WEB, DB])
    assert (told.run.changed, of_bridges(told.run)) == ([], [])


def test_a_bridge_of_ours_stays_while_others_are_on_it(story: Story) -> None:
    """By absent and by purge alike: with its address and its rules, and with a warning that names the port."""
    story.lab.run("ip link add tap0 type veth peer name tap1 && ip link set tap0 master front up")
    for lists, variables, holders in (
        (([FRONT], [WEB]), {"state": "absent"}, f"{V_DB} of netns 'db', tap0"),
        (([], []), {"purge": True}, "tap0"),
    ):
        told = story.live(*lists[0], containers=lists[1], **variables)
        for outcome in (told.foreseen, told.run, told.again):
            (said,) = of_bridges(outcome)
            why = f"there are ports on it that nothing here removes: {holders}."
            assert f"Bridge 'front' in the host stays with its addresses and rules, for {why}" in said
        assert "10.1.0.0/24" in story.lab.run("nft list ruleset").stdout
    assert story.lab.ip("-4 addr show front")[0]["addr_info"][0]["local"] == "10.1.0.1"
    assert [entry["name"] for entry in story.lab.ip("netns list")] == ["world"]


def test_at_last_everything_is_as_before(story: Story) -> None:
    story.lab.run("ip link del tap0")
    told = story.live(FRONT, state="absent")
    assert (told.run.changed, of_bridges(told.run)) == (["Remove bridges", "Remove NAT"], [])
    assert story.lab.snapshot() == story.pristine
