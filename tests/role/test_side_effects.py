# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What others put beside ours, and what the kernel does along with a change: nothing is lost, and check mode knows it.

The tests are the chapters of one story, in order; ansible-playbook is started once. By the chain and by the one task.
"""

from __future__ import annotations

import pytest
from lab import Lab
from plays import Outcome, Playbook, checked, shell, start, wiring

FRONT = {"name": "front", "subnets": ["172.17.0.0/16", "fd00:17::/64"]}
LAN = {"name": "lan", "subnets": ["10.7.0.0/24"], "unmanaged": True}
NETWORKS = [FRONT, LAN]
SYSCTLS = {"net.ipv4.conf.eth0.arp_notify": 1, "net/ipv6/conf/eth0/accept_ra": 0, "net.ipv4.ip_default_ttl": 65}
WEB = {"name": "web", "published_ports": ["8080:80"], "sysctls": SYSCTLS}
DB = {"name": "db"}
GUESTS = [
    {"name": "guest", "networks": [{"name": "lan"}]},
    {"name": "apart", "networks": [{"name": "lan", "port": {"isolated": True}, "host_interface": "apart0"}]},
]
FIXED = {"name": "db", "networks": [{"name": "front", "ipv4_address": "172.17.0.9", "ipv6_address": "fd00:17::9"}]}

# A bridge of somebody else's, of which nobody set MTU or MAC address, with a card of 9000 bytes in it; the uplink has 1500.
THEIRS = (
    "ip netns add wire && ip link add lan type bridge && ip link add nic type veth peer name far netns wire && "
    "ip link set nic mtu 9000 up && ip link set nic master lan && ip link set lan up"
)
LAN_IS = "ip -br link show dev lan | awk '{print $3}'; cat /sys/class/net/lan/mtu"
FOREIGN = (
    "ip -n web -6 addr add fd00:17::77/64 dev eth0 nodad; ip -n web -6 addr add fd00:17::78/64 dev eth0 valid_lft 600 preferred_lft 600 nodad; "
    "ip -n web addr add 172.17.0.77/16 dev eth0; ip -n web addr add 172.17.0.78/16 dev eth0 preferred_lft 0"
)
SHOWN = (
    "for key in ipv4/conf/eth0/arp_notify ipv6/conf/eth0/accept_ra ipv4/ip_default_ttl; do "
    "ip netns exec web cat /proc/sys/net/$key; done"
)
WATCH = (
    "for family in 4 6; do ip -n db -$family monitor route label >/run/routes$family.log 2>&1 & echo $! >>/run/watch; done; "
    "for pid in $(cat /run/watch); do until ip netns exec db grep -q -w $pid /proc/net/netlink; do sleep 0.02; done; done"
)
UNWATCH = "kill $(cat /run/watch); cat /run/routes4.log /run/routes6.log"


class Story:
    """The outcomes of the plays by name."""

    def __init__(self, lab: Lab, playbook: Playbook) -> None:
        lab.run(THEIRS)
        box = {"engine": "pid", "pid": start(lab)}
        first = wiring(networks=NETWORKS, containers=[WEB, DB, *GUESTS, {"name": "old", **box}])
        fixed = wiring(networks=NETWORKS, containers=[WEB, FIXED, *GUESTS, {"name": "old", **box}])
        moved = wiring(
            networks=NETWORKS,
            containers=[WEB, FIXED, *GUESTS, {"name": "old", "state": "absent", **box}, {"name": "new", **box}],
        )
        plays = {
            "lan before": shell(LAN_IS),
            "first foreseen": checked(first),
            "first": first,
            "first again": first,
            "lan after": shell(LAN_IS),
            "sysctls": shell(SHOWN),
            "foreign": shell(FOREIGN),
            "beside": first,
            "watch": shell(WATCH),
            "fixed foreseen": checked(fixed),
            "fixed": fixed,
            "watched": shell(UNWATCH),
            "fixed again": fixed,
            "restart": shell("ip netns del web; while ip -o link | grep -q @if.*link-netns.web; do sleep 0.02; done"),
            "restarted foreseen": checked(fixed),
            "restarted": fixed,
            "restarted again": fixed,
            "sysctls again": shell(SHOWN),
            "moved foreseen": checked(moved),
            "moved": moved,
            "moved again": moved,
        }
        self.plays: dict[str, Outcome] = dict(zip(plays, playbook.run(*plays.values()), strict=True))

    def foreseen(self, name: str) -> Outcome:
        """What a play did, which check mode foresaw, and after which there was nothing to do."""
        foreseen, done, again = (self.plays[name + more] for more in (" foreseen", "", " again"))
        assert foreseen.changed == done.changed
        assert again.changed == []
        return done


@pytest.fixture(scope="module")
def story(shared_lab: Lab, playbook: Playbook) -> Story:
    return Story(shared_lab, playbook)


def addresses(outcome: Outcome, name: str) -> list[str]:
    """The addresses of a container's first interface, as the role returns them."""
    found: list[str] = outcome.wiring_result[name]["interfaces"][0]["addresses"]
    return found


def test_a_bridge_of_somebody_elses_keeps_its_mtu_and_mac(story: Story) -> None:
    """Also where a port has options, so that it becomes one later."""
    first = story.foreseen("first")
    before = story.plays["lan before"].stdout
    assert before == story.plays["lan after"].stdout
    assert before.split()[-1] == "9000"
    mtus = {name: first.wiring_result[name]["interfaces"][0]["mtu"] for name in ("web", "guest", "apart")}
    assert mtus == {"web": 1500, "guest": 9000, "apart": 9000}


def test_sysctls_of_an_interface_are_set_with_it(story: Story) -> None:
    """In the first run, and when the container was made again."""
    story.foreseen("restarted")
    assert story.plays["sysctls"].stdout.split() == ["1", "0", "65"]
    assert story.plays["sysctls again"].stdout.split() == ["1", "0", "65"]


def test_what_others_put_beside_ours_changes_nothing(story: Story) -> None:
    first, beside = story.plays["first"], story.plays["beside"]
    assert beside.changed == []
    assert addresses(beside, "web") == addresses(first, "web")
    to = {port["to_address"] for port in beside.wiring_result["web"]["published_ports"]}
    assert to == {one.split("/")[0] for one in addresses(first, "web")}


def test_an_address_changes_without_a_moment_without_a_default_route(story: Story) -> None:
    done = story.foreseen("fixed")
    steps = ["Isolate the networks, and translate what leaves", "Give the containers their addresses", "Publish ports"]
    assert done.changed == steps, "the routes are there yet; last goes what it may send from the old one"
    assert addresses(done, "db") == ["172.17.0.9/16", "fd00:17::9/64"]
    lost = [line for line in story.plays["watched"].stdout.splitlines() if "Deleted default" in line]
    assert lost == []


def test_a_namespace_that_a_process_holds_gets_another_name(story: Story) -> None:
    done = story.foreseen("moved")
    assert "old" not in done.wiring_result
    assert len(addresses(done, "new")) == 2
