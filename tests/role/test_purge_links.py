# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""wiring_purge and links that are no pairs: what containers have on a parent, what the host has beside them, and what somebody else is on.

The tests are the chapters of one story, in order. The VLAN that a network makes is in tests/unit/plugins/module_utils/_wiring/test_purge.py; here, where the
kernel may lack VLANs, it is a tunnel of ours that others use.
"""

from __future__ import annotations

from typing import Any

import pytest
from lab import Lab
from plays import Outcome, Playbook, checked, pings, wiring

LAN: dict[str, Any] = {"name": "lan", "driver": "macvlan", "parent": "eth1", "subnets": ["192.0.2.0/24"]}
HOST = {"host_interface": "lan0", "host_addresses": ["192.0.2.9"], "ranges": ["192.0.2.64/28"]}
WEB, DB = ({"name": name, "networks": [{"name": "lan"}]} for name in ("web", "db"))
# Made with the module alone, on which a process that has no name for its namespace has a link, as docker's containers do; and one made by hand.
TUNNEL: dict[str, Any] = {"name": "vx9", "kind": "vxlan", "vni": 9, "local": "192.0.2.1", "parent": "eth1"}
OTHERS = "ip link add their0 address 02:00:00:00:ff:0e link eth1 type macvlan mode bridge"
ON_IT = "ip link add dev0 link vx9 type macvlan mode bridge && ip link set dev0 netns {pid}"


class Story:
    def __init__(self, lab: Lab, playbook: Playbook) -> None:
        self.lab, self.playbook = lab, playbook
        lab.run(
            "ip link add eth1 type veth peer name far1 && ip link set far1 up && ip link set eth1 up && ip addr add 192.0.2.1/24 dev eth1"
        )
        lab.run(OTHERS)
        self.pristine = lab.snapshot()
        lab.module("ns_link", **TUNNEL)
        self.process = lab.spawn("exec unshare -n sleep infinity")
        lab.run(
            f"until [ $(readlink /proc/self/ns/net) != $(readlink /proc/{self.process}/ns/net) ]; do :; done",
            timeout=60,
        )
        lab.run(ON_IT.format(pid=self.process))

    def live(self, *networks: Any, containers: Any = ()) -> Outcome:
        """Run the role with these lists and purge, in check mode and twice."""
        play = wiring(networks=list(networks), containers=list(containers), purge=True)
        foreseen, run, again = self.playbook.run(checked(play), play, play, options=("--diff",))
        assert not run.failures, run.failures
        assert foreseen.drift() == run.drift()
        assert not again.changed, again.changed
        return run

    def links(self) -> set[str]:
        return {one["ifname"] for one in self.lab.ip("-d link show") if one.get("group") == "76"}


@pytest.fixture(scope="module")
def story(shared_lab: Lab, playbook: Playbook) -> Story:
    return Story(shared_lab, playbook)


STAYS = "Interface 'vx9' in the host, a vxlan of ours that is not listed any more, stays, for others use it: dev0 of process "


def test_what_is_listed_stays_and_so_does_what_others_are_on(story: Story) -> None:
    run = story.live({**LAN, **HOST}, containers=[WEB, DB])
    assert story.links() == {"lan0", "vx9"}
    assert [one for one in run.warnings if one.startswith(STAYS)]
    assert pings(story.lab, "web", run.wiring_result["db"]["interfaces"][0]["addresses"][0].partition("/")[0])


def test_a_container_and_the_host_s_own_interface_go_with_their_entries(story: Story) -> None:
    drift = story.live(LAN, containers=[WEB]).drift()
    gone = {name for name, lines in drift.items() if lines and not [one for one in lines if one.startswith("+")]}
    assert {"macvlan eth0", "macvlan lan0", "netns db"} <= gone
    assert story.links() == {"vx9"}
    assert story.lab.run("ls /run/netns").stdout.split() == ["web"]


def test_with_nothing_listed_all_goes_and_what_others_used_once_they_are_gone(story: Story) -> None:
    run = story.live()
    assert [one for one in run.warnings if one.startswith(STAYS)]
    assert story.links() == {"vx9"}
    story.lab.run(f"nsenter -t {story.process} -n ip link del dev0")
    assert "vxlan vx9" in story.live().drift()
    story.lab.kill(story.process)
    assert story.lab.snapshot() == story.pristine
