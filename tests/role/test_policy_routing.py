# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""C14, E5: one container on two bridges answers by each what came in by it, with a policy table for the second one's addresses.

Behind the second bridge is a router that is not this host, and behind that a client. The container filters by reverse path, strictly.
The tests are one story, in order.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest
from lab import Lab
from plays import Outcome, Playbook, checked, internet, shell, silent, start, talk, wiring
from proofs import comes, has_read

FRONT = {"name": "front", "subnets": ["10.5.0.0/24", "fd00:5::/64"]}
BACK = {"name": "back", "subnets": ["10.9.0.0/24", "fd00:9::/64"]}
LED = {"table": "100", "rule_source": "10.9.0.0/24"}
LED6 = {"table": "100", "rule_source": "fd00:9::/64"}
ROUTES = [
    {**LED, "gateway": "10.9.0.254"},
    {**LED, "destination": "10.9.0.0/24"},
    {**LED6, "gateway": "fd00:9::fe"},
    {**LED6, "destination": "fd00:9::/64"},
]
STRICT = {"net.ipv4.conf.all.rp_filter": 1}
WEB = {
    "name": "web",
    "networks": [{"name": "front"}, {"name": "back", "ipv4_address": "10.9.0.7", "ipv6_address": "fd00:9::7"}],
    "sysctls": STRICT,
}
CLIENT = {4: "198.51.100.2", 6: "2001:db8:5::2"}
SERVER = {4: "10.9.0.7", 6: "fd00:9::7"}
ROUTER = """
ip netns add router && ip netns add client
ip link add router0 type veth peer name eth0 netns router
ip -n client link add eth0 type veth peer name eth1 netns router
for link in router/eth0 router/eth1 client/eth0; do ip -n ${link%/*} link set ${link#*/} up; done
ip link set router0 master back up
ip -n router addr add 10.9.0.254/24 dev eth0 && ip -n router addr add fd00:9::fe/64 dev eth0 nodad
ip -n router addr add 198.51.100.1/24 dev eth1 && ip -n router addr add 2001:db8:5::1/64 dev eth1 nodad
ip -n client addr add 198.51.100.2/24 dev eth0 && ip -n client addr add 2001:db8:5::2/64 dev eth0 nodad
ip -n client route add default via 198.51.100.1 && ip -n client route add default via 2001:db8:5::1
ip netns exec router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
"""


class Story:
    """The host with a router on its second bridge. ``proc`` is a process that outlives its wiring."""

    def __init__(self, lab: Lab, playbook: Playbook) -> None:
        self.lab, self.playbook = lab, playbook
        internet(lab)
        self.pid = start(lab)
        self.pristine, self.bare = lab.snapshot(), self.inside()
        self.run()
        lab.run("set -e\n" + ROUTER)

    def play(self, routes: list[dict[str, Any]] | None = None, **variables: Any) -> Any:
        back = {**BACK, "routes": routes} if routes else BACK
        proc = {"name": "proc", "engine": "pid", "pid": self.pid, "networks": [{"name": "front"}, {"name": "back"}]}
        return wiring(networks=[FRONT, back], containers=[WEB, proc], **variables)

    def run(self, *plays: Any) -> list[Outcome]:
        return self.playbook.run(*(plays or [self.play()]))

    def inside(self) -> str:
        """The policy rules and tables of the process's namespace."""
        look = "; ".join(f"ip -{family} rule; ip -{family} route show table 100" for family in (4, 6))
        return self.lab.run(f"nsenter --net=/proc/{self.pid}/ns/net bash -c '{look}'", check=False).stdout

    def rules(self, family: int = 4, netns: str = "web") -> list[str]:
        return ours(self.lab.run(f"ip -{family} -n {netns} rule").stdout)

    def captured(self, interface: str, condition: str, act: Callable[[], Any]) -> list[str]:
        """What tcpdump prints of the packets that an interface of web sees while ``act`` runs."""
        log = f"/run/{interface}.tcpdump"
        command = f"exec ip netns exec web tcpdump -Unn --immediate-mode -i {interface} '{condition}' >{log} 2>&1"
        pid = self.lab.spawn(command)
        comes(self.lab, f"grep -qs 'listening on' {log}")
        act()
        has_read(self.lab, pid)
        self.lab.kill(pid, signal.SIGINT)
        return [line for line in self.lab.run(f"cat {log}; rm {log}").stdout.splitlines() if " > " in line]


def ours(rules: str) -> list[str]:
    """Those of our protocol."""
    return [" ".join(line.split()) for line in rules.splitlines() if "proto 76" in line]


@pytest.fixture(scope="module")
def story(shared_lab: Lab, playbook: Playbook) -> Story:
    return Story(shared_lab, playbook)


@pytest.mark.parametrize("family", [4, 6])
def test_without_a_policy_table_the_answers_go_the_wrong_way(story: Story, family: int) -> None:
    assert silent(story.lab, "client", "web", SERVER[family])


def test_check_mode_foresees_the_rules_and_a_second_run_changes_nothing(story: Story) -> None:
    play = story.play(ROUTES)
    foreseen, first, again = story.run(checked(play), play, play)
    assert foreseen.changed == first.changed == ["Set the routes"]
    assert foreseen.drift() == first.drift()
    assert again.changed == []
    assert first.wiring_result["web"]["routes"][2] == {
        "destination": "default",
        "gateway": "10.9.0.254",
        "interface": "eth1",
        "metric": 0,
        "table": "100",
        "rule_source": "10.9.0.0/24",
    }


def test_e5_one_rule_a_family_whatever_the_number_of_routes(story: Story) -> None:
    assert story.rules() == ["20100: from 10.9.0.0/24 lookup 100 proto 76"]
    assert story.rules(6) == ["20100: from fd00:9::/64 lookup 100 proto 76"]


@pytest.mark.needs("tcpdump")
@pytest.mark.parametrize("family", [4, 6])
def test_c14_answers_go_back_the_way_the_question_came(story: Story, family: int) -> None:
    host = f"host {CLIENT[family]}"
    seen: list[str] = []

    def exchange() -> None:
        for dummy in range(2):
            seen.append(talk(story.lab, "client", "web", SERVER[family]))

    elsewhere: list[str] = []
    here = story.captured("eth1", host, lambda: elsewhere.extend(story.captured("eth0", host, exchange)))
    assert seen == [CLIENT[family]] * 2
    assert elsewhere == []
    assert any(f"{CLIENT[family]}." in line.split(" > ")[0] for line in here)
    assert any(f"{SERVER[family]}.8080" in line.split(" > ")[0] for line in here)


@pytest.mark.parametrize("family", [4, 6])
def test_c14_the_other_ways_stay_as_they_were(story: Story, family: int) -> None:
    """Out by the first bridge under the host's address; neighbours on the second bridge directly."""
    outside, own = {4: ("192.0.2.99", "192.0.2.1"), 6: ("2001:db8::99", "2001:db8::1")}[family]
    assert talk(story.lab, "web", "internet", outside) == own
    router = {4: "10.9.0.254", 6: "fd00:9::fe"}[family]
    assert talk(story.lab, "router", "web", SERVER[family]) == router
    [route] = story.lab.ip(f"-{family} -n web route get {router} from {SERVER[family]}")
    assert ("gateway" in route, route["dev"]) == (False, "eth1")
    proc = story.lab.run(
        f"nsenter --net=/proc/{story.pid}/ns/net ip -j -{family} addr show dev eth1 scope global"
    ).stdout
    assert proc
    assert talk(story.lab, "proc", "web", SERVER[family]) in proc


def test_e5_drift_and_another_priority_are_put_right_in_that_rule_only(story: Story) -> None:
    story.lab.run("ip -n web rule del priority 20100 && ip -n web rule add from 10.9.0.0/24 lookup 7 priority 9")
    other = story.play([{**one, "rule_priority": 300} for one in ROUTES[:2]] + ROUTES[2:])
    look = shell("ip -4 -n web rule && ip -n web rule del priority 9")
    repaired, looked, moved, again = story.run(story.play(ROUTES), look, other, other)
    assert len(repaired.drift()) == 1
    assert ours(looked.stdout) == ["20100: from 10.9.0.0/24 lookup 100 proto 76"]
    assert (moved.changed, again.changed) == (["Set the routes"], [])
    assert story.rules() == ["300: from 10.9.0.0/24 lookup 100 proto 76"]
    assert talk(story.lab, "client", "web", SERVER[4]) == CLIENT[4]


def test_g3_teardown_leaves_nothing_also_in_a_namespace_that_stays(story: Story) -> None:
    """The router by hand goes first: our bridge would stay while it is on it."""
    assert "lookup 100" in story.inside()
    story.lab.run("ip netns del router && ip netns del client; ip link del router0 2>/dev/null", check=False)
    down = story.play(ROUTES, state="absent")
    foreseen, first, again = story.run(checked(down), down, down)
    assert foreseen.changed == first.changed
    assert "Remove routes and policy rules" in first.changed
    assert again.changed == []
    assert story.inside() == story.bare
    story.lab.kill(story.pid)
    assert story.lab.snapshot() == story.pristine
