# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links between containers: what is listed comes, in place, foreseen, and again nothing; what is taken away, plugged elsewhere or purged."""

from __future__ import annotations

from typing import Any

from plays import Outcome, Play, Playbook, checked, shell, snapshot, wiring
from proofs import comes

FRONT: dict[str, Any] = {"name": "front", "subnets": ["10.6.0.0/24"]}
NODES: list[dict[str, Any]] = [
    {
        "name": "r1",
        "networks": [{"name": "front", "ipv4_address": "10.6.0.9", "default_route": False}],
        "forwarding": True,
    },
    {"name": "r2", "sysctls": {"net.ipv4.conf.eth1.rp_filter": 2}},
    {"name": "r3", "network_mode": "none", "routes": [{"destination": "10.0.12.0/31", "gateway": "10.0.13.1"}]},
]
FIRST: dict[str, Any] = {"endpoints": ["r1:eth1", "r2:eth1"], "subnets": ["10.0.12.0/31", "2001:db8:12::/127"]}
SECOND: dict[str, Any] = {
    "endpoints": [
        {"name": "r1", "interface": "eth2", "ipv4_address": "10.0.13.1/24", "mac_address": "02:00:00:00:13:01"},
        {"name": "r3", "interface": "eth1", "ipv4_address": "10.0.13.3/24"},
    ],
    "mtu": 9000,
    "rate": "10mbit",
}
THIRD: dict[str, Any] = {"endpoints": ["r2:eth2", "r3:eth2"]}
LINKS = [FIRST, SECOND, THIRD]
LOOK = "for name in r1 r2 r3 r4; do [ -e /run/netns/$name ] && ip -n $name -br addr show scope global | cut -d @ -f 1,2; done; true"
PINGS = "ip netns exec r1 ping -c1 -W9 10.0.12.1 >&2 && ip netns exec r3 ping -c1 -W9 10.0.12.0 >&2 && echo answered"


def links(*listed: dict[str, Any], containers: list[dict[str, Any]] | None = None, **more: Any) -> Play:
    return wiring(networks=[FRONT], containers=containers or NODES, links=[*listed], **more)


def held(look: Outcome) -> list[str]:
    """The interfaces with their addresses, in order."""
    lines = [line.split() for line in look.stdout.splitlines()]
    return [" ".join([line[0].partition("@")[0], *line[2:]]) for line in lines]


def chapters(playbook: Playbook, *plays: Play, look: str = LOOK) -> list[tuple[Outcome, Outcome]]:
    """Each of the plays in check mode, which touches nothing and foresees the run; and once more, which has nothing to do. What each did, and what was
    there then."""
    done = playbook.run(*(one for play in plays for one in (checked(play), play, shell(look), play)))
    found = []
    for number in range(0, len(done), 4):
        foreseen, run, seen, again = done[number : number + 4]
        assert (foreseen.drift(), again.changed) == (run.drift(), [])
        found.append((run, seen))
    return found


def test_what_is_listed_comes_and_reaches(playbook: Playbook) -> None:
    [(made, seen)] = chapters(playbook, links(*LINKS))
    assert held(seen) == [
        "eth0 10.6.0.9/24",
        "eth1 10.0.12.0/31 2001:db8:12::/127",
        "eth2 10.0.13.1/24",
        "eth1 10.0.12.1/31 2001:db8:12::1/127",
        "eth1 10.0.13.3/24",
    ]
    [answer] = playbook.run(shell(PINGS))
    assert answer.stdout.endswith("answered\n")
    interfaces = {name: one["interfaces"] for name, one in made.wiring_result.items()}
    assert [(one["name"], one.get("link"), one["mtu"]) for one in interfaces["r1"]] == [
        ("eth0", None, 1500),
        ("eth1", "r2:eth1", 1500),
        ("eth2", "r3:eth1", 9000),
    ]
    assert made.wiring_result["r2"]["network_mode"] == "none"


def test_an_order_has_no_meaning_and_what_is_not_asked_for_goes(playbook: Playbook) -> None:
    turned = [{**one, "endpoints": one["endpoints"][::-1]} for one in LINKS]
    plain = {"endpoints": ["r3:eth1", "r1:eth2"], "subnets": ["10.0.13.0/24"]}
    moved = {**FIRST, "subnets": ["10.0.21.0/30"]}
    (same, _look), (changed, seen) = chapters(playbook, links(*turned), links(moved, plain, THIRD))
    assert same.changed == []
    assert [line for line in held(seen) if "10.0." in line] == [
        "eth1 10.0.21.1/30",
        "eth2 10.0.13.1/24",  # what an end has it keeps
        "eth1 10.0.21.2/30",
        "eth1 10.0.13.3/24",
    ]
    drift = changed.drift()["before: veth eth2"]
    assert {"-mtu 9000", "+mtu 1500", "-rate 10mbit", "-mac 02:00:00:00:13:01"} <= {*drift}


def test_links_are_plugged_elsewhere_and_change_places_in_one_run(playbook: Playbook) -> None:
    crossed = [
        {**FIRST, "endpoints": ["r1:eth1", "r3:eth1"]},
        {"endpoints": ["r1:eth2", "r2:eth1"], "subnets": ["10.0.13.0/24"]},
        {**THIRD, "state": "absent"},
    ]
    containers = [*NODES[:2], {"name": "r3", "network_mode": "none"}]
    (_done, seen), (_gone, left) = chapters(
        playbook,
        links(*crossed, containers=containers),
        links(*crossed[:1], {**crossed[1], "state": "absent"}, containers=containers),
    )
    assert held(seen) == [
        "eth0 10.6.0.9/24",
        "eth1 10.0.12.0/31 2001:db8:12::/127",
        "eth2 10.0.13.1/24",
        "eth1 10.0.13.2/24",
        "eth1 10.0.12.1/31 2001:db8:12::1/127",
    ]
    assert held(left) == [line for line in held(seen) if "10.0.13" not in line]


def test_a_node_is_renewed_while_somebody_holds_its_old_namespace(playbook: Playbook) -> None:
    playbook.run(links(*LINKS))
    for name in ("r2", "r3"):
        pid = playbook.lab.spawn(["ip", "netns", "exec", name, "sleep", "100000"])
        comes(playbook.lab, f"[ $(cat /proc/{pid}/comm) = sleep ]")
        playbook.lab.run(f"ip netns del {name}")
    [(_done, _seen)] = chapters(playbook, links(*LINKS))
    [answer] = playbook.run(shell(PINGS))
    assert answer.stdout.endswith("answered\n")


def test_purge_takes_what_nobody_lists(playbook: Playbook) -> None:
    fourth = {"endpoints": ["r4:eth0", "r1:eth4"], "subnets": ["10.0.14.0/31"]}
    playbook.run(links(*LINKS, fourth, containers=[*NODES, {"name": "r4"}]))
    [(_done, seen)] = chapters(playbook, links(FIRST, SECOND, purge=True))
    assert held(seen) == [
        "eth0 10.6.0.9/24",
        "eth1 10.0.12.0/31 2001:db8:12::/127",
        "eth2 10.0.13.1/24",
        "eth1 10.0.12.1/31 2001:db8:12::1/127",
        "eth1 10.0.13.3/24",
    ]
    [names] = playbook.run(shell("ls /run/netns; ip -n r1 -o link | wc -l"))
    assert names.stdout.split() == ["r1", "r2", "r3", "4"]


def test_all_is_as_before_when_it_is_gone(playbook: Playbook) -> None:
    gone = links(*LINKS, state="absent")
    playbook.run(gone)
    before, _made, foreseen, done, again, after = playbook.run(
        snapshot(), links(*LINKS), checked(gone), gone, gone, snapshot()
    )
    assert (foreseen.drift(), again.changed, after.stdout) == (done.drift(), [], before.stdout)
