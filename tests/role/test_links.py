# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links between containers as the role wires them, by its chain and in one task; what they are is told by tests/module/test_wiring_links.py."""

from __future__ import annotations

from typing import Any

from plays import Playbook, checked, shell, snapshot, wiring

NODES: list[dict[str, Any]] = [
    {"name": "r1", "forwarding": True},
    {"name": "r2", "network_mode": "none", "sysctls": {"net.ipv4.conf.eth1.rp_filter": 2}},
    {"name": "r3", "network_mode": "none", "routes": [{"destination": "10.0.12.0/31", "gateway": "10.0.13.0"}]},
]
FIRST: dict[str, Any] = {"endpoints": ["r1:eth1", "r2:eth1"], "subnets": ["10.0.12.0/31"], "rate": "10mbit"}
SECOND: dict[str, Any] = {"endpoints": ["r1:eth2", "r3:eth1"], "subnets": ["10.0.13.0/31"]}
# The cables of r1 change places, and with them what the others are reached by.
CROSSED = [{**FIRST, "endpoints": ["r1:eth2", "r2:eth1"]}, {**SECOND, "endpoints": ["r1:eth1", "r3:eth1"]}]
REACH = "ip netns exec r3 ping -c1 -W9 10.0.12.0 >&2 && ip -n r1 -br addr show scope global"


def test_links_come_change_places_and_go(playbook: Playbook) -> None:
    made = wiring(containers=NODES, links=[FIRST, SECOND])
    crossed = wiring(containers=NODES, links=CROSSED)
    purged = wiring(containers=[{"name": "r1", "networks": []}], links=[], purge=True)
    gone = wiring(containers=NODES, links=CROSSED, state="absent")
    before, *told, after = playbook.run(
        *(snapshot(), checked(made), made, made, shell(REACH)),
        *(
            checked(crossed),
            crossed,
            crossed,
            shell(REACH),
            checked(purged),
            purged,
            purged,
            shell("ip -n r1 -br link"),
        ),
        *(made, gone, gone, snapshot()),
    )
    one, two, three = told[:4], told[4:8], told[8:12]
    for foreseen, run, again, _seen in (one, two, three):
        assert (run.failures, foreseen.drift(), again.changed) == ([], run.drift(), [])
    assert [line.split()[2] for line in one[3].stdout.splitlines()] == ["10.0.12.0/31", "10.0.13.0/31"]
    assert {line.split()[2] for line in two[3].stdout.splitlines()} == {"10.0.13.0/31", "10.0.12.0/31"}
    assert [line.split()[0] for line in three[3].stdout.splitlines()] == ["lo"]
    links = {name: [end["link"] for end in box["interfaces"]] for name, box in two[1].wiring_result.items()}
    assert {name: sorted(ends) for name, ends in links.items()} == {
        "r1": ["r2:eth1", "r3:eth1"],
        "r2": ["r1:eth2"],
        "r3": ["r1:eth1"],
    }
    assert (told[-1].changed, after.stdout) == ([], before.stdout)
