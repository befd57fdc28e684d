# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A month in a shop, as one story: changes one after the other, with what people do by hand at night and the firewall's backend changed twice.

Each change is foreseen, made, and then there is nothing to do; after each, somebody outside reaches what is published; at last all is as before.
`LINUXNET_MONTH=1` tells it so, as the chain as well; without, in the short form, only what is about people's hands is foreseen, and no run is repeated.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from typing import Any

import pytest
from lab import Lab
from plays import HERE, Outcome, Play, Playbook, checked, internet, shell, wiring

LONG = bool(os.environ.get("LINUXNET_MONTH"))
TABLE = "inet linuxnet_containers"
FRONT: dict[str, Any] = {"name": "front0", "subnets": ["172.20.0.0/24"]}
BACK: dict[str, Any] = {"name": "back0", "subnets": ["172.21.0.0/24"]}
WIDE = {**FRONT, "subnets": ["172.20.0.0/23"]}
WEB: dict[str, Any] = {"name": "web", "published_ports": ["8080:8080"]}
WWW = {**WEB, "name": "www"}
DB: dict[str, Any] = {"name": "db"}
MOVED = {**WEB, "networks": [{"name": "back0"}]}
EMERGENCY = {
    "iptables": "iptables -A LINUXNET-GUARD -s 198.51.100.7 -j ACCEPT",
    "nftables": f"nft 'insert rule {TABLE} forward ip saddr 198.51.100.7 counter accept; "
    f"add element {TABLE} publish_ip {{ tcp . 0.0.0.0/0 . 2222 : 172.20.0.9 }}; "
    f"flush chain {TABLE} closed_to'",
}


@dataclass(frozen=True)
class Day:
    """What is asked for from now on, what somebody did by hand before, and what the diff says of it: of an object, a line."""

    lists: dict[str, Any]
    says: tuple[str, str]
    hand: str = "true"
    serves: str = "web"
    warns: tuple[str, ...] = ()
    also: list[tuple[str, str]] = field(default_factory=list)

    @property
    def checked(self) -> bool:
        """Whether the short form foresees it as well: what is about people's hands; of the other changes docs/diffs.md shows that."""
        return self.hand != "true" or bool(self.lists.get("purge"))


def asked(networks: list[Any], containers: list[Any], backend: str = "nftables", **more: Any) -> dict[str, Any]:
    return {"networks": networks, "containers": containers, "firewall_backend": backend, **more}


BOTH = [WEB, DB]
MONTH: dict[str, Day] = {
    "it is wired": Day(asked([FRONT, BACK], BOTH), ("netns web", "+is made")),
    "a port more": Day(
        asked([FRONT, BACK], [{**WEB, "published_ports": ["8080:8080", "8443:443"]}, DB]),
        ("port 8443/tcp", "+published 8443/tcp to 172.20.0.128:443"),
    ),
    "the firewall's backend": Day(asked([FRONT, BACK], BOTH, "iptables"), ("filter front0", "+backend iptables-nft")),
    "an emergency, left": Day(
        asked([FRONT], BOTH, "iptables"), ("", ""), EMERGENCY["iptables"],
        warns=("chain LINUXNET-GUARD of filter: -s 198.51.100.7/32 -j ACCEPT, which 'iptables-nft -t filter -D LINUXNET-GUARD ",),
    ),
    "taken back": Day(
        asked([FRONT, BACK], BOTH, "iptables", purge=True),
        ("nat of what-was-put-by-hand", "-by_hand chain LINUXNET-GUARD of filter: -s 198.51.100.7/32 -j ACCEPT, which "),
    ),
    "and back to nftables": Day(asked([FRONT, BACK], BOTH), ("filter front0", "+backend nftables")),
    "an emergency, and somebody flushed rules": Day(
        asked([FRONT, BACK], BOTH), ("filter front0", "-isolation not in force, for any network: "), EMERGENCY["nftables"],
        warns=("chain forward: ip saddr 198.51.100.7 counter accept, which 'nft delete rule ", "map publish_ip: tcp . 0.0.0.0/0 . 2222 : 172.20.0.9, "),
    ),
    "all of it taken back": Day(
        asked([FRONT, BACK], BOTH, purge=True), ("nat of what-was-put-by-hand", "-by_hand chain forward: ip saddr 198.51.100.7 counter accept, "),
        also=[("nat of what-was-put-by-hand", "-by_hand map publish_ip: tcp . 0.0.0.0/0 . 2222 : 172.20.0.9, ")],
    ),
    "a subnet grows": Day(
        asked([WIDE, BACK], BOTH), ("address from 172.20.0.0/23 on eth0 in netns 'web'", "+address 172.20.0.128/23"),
        also=[("nat 172.20.0.0/23", "-source 172.20.0.0/24")],
    ),
    "to another network": Day(
        asked([WIDE, BACK], [MOVED, DB]), ("port 8080/tcp", "+published 8080/tcp to 172.21.0.128:8080"),
        also=[("address from 172.21.0.0/24 on eth0 in netns 'web'", "-connections of 172.20.0.128")],
    ),
    "renamed, with its port": Day(
        asked([WIDE, BACK], [{**WEB, "state": "absent"}, WWW, DB]), ("netns www", "+is made"), serves="www",
        also=[("netns web", "-is removed")],
    ),
}  # fmt: skip


def told(outcome: Outcome) -> dict[str, list[str]]:
    return {name: lines for name, lines in outcome.drift().items() if lines}


@pytest.mark.needs("nft", "iptables")
def test_the_month(shared_lab: Lab, playbook: Playbook) -> None:
    internet(shared_lab)
    pristine = shared_lab.snapshot()
    plays: list[Play] = []
    for day in MONTH.values():
        play = wiring(**day.lists)
        outside = f"{sys.executable} {HERE / 'talk.py'} internet {day.serves} 192.0.2.1 8080 60"
        foreseen = [checked(play)] if LONG or day.checked else []
        plays += [shell(day.hand), *foreseen, play, *([play] if LONG else []), shell(outside)]
    last = [*MONTH.values()][-1].lists
    outcomes = playbook.run(*plays, wiring(**{**last, "state": "absent"}), options=("--diff",))
    left = iter(outcomes)
    for name, day in MONTH.items():
        next(left)
        foreseen_as = told(next(left)) if LONG or day.checked else None
        run = next(left)
        again = [next(left)] if LONG else []
        reached = next(left)
        assert foreseen_as in (None, told(run)), name
        for thing, line in [day.says, *day.also] if day.says[0] else []:
            assert any(one.startswith(line) for one in told(run).get(thing, [])), (name, thing, told(run))
        assert day.says[0] or not run.changed, name
        for words in day.warns:
            assert any(words in warning for warning in run.warnings), (name, run.warnings)
        assert [one.changed for one in again] == [[]] * len(again), name
        assert reached.stdout.strip() == "192.0.2.99", name
    assert shared_lab.snapshot() == pristine
