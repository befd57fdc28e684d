# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run came to: a word for each network, link and container, and the lines that the role shows."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.filter.wiring_recap import FilterModule as Recap
from ansible_collections.linuxnet.containers.plugins.filter.wiring_told import FilterModule as Told
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.recap import lines, recap

NETWORKS: list[dict[str, Any]] = [{"name": "front", "subnets": ["10.1.0.0/24"]}, {"name": "old", "state": "absent"}]
CONTAINERS: list[dict[str, Any]] = [
    {"name": "web", "networks": [{"name": "front"}], "published_ports": ["80:80"]},
    {"name": "side", "network_mode": "container:web"},
    {"name": "n" * 200, "network_mode": "none"},
    {"name": "past", "state": "absent"},
]
LINKS: list[dict[str, Any]] = [{"endpoints": ["web:eth1", "n" * 200 + ":eth1"]}]
PLAN = compile_plan(NETWORKS, CONTAINERS, links=LINKS)


def results(**told: dict[str, Any]) -> dict[str, Any]:
    """The results of all items of the plan, with what is ``told`` for those of some steps, HALF_STEP, by whose they are."""
    return {
        half: {
            step: [
                told.get(f"{half}_{step}", {}).get(
                    next(
                        str(item[name])
                        for name in ("peer_netns", "netns", "owner", "name", "interface")
                        if name in item
                    ),
                    {"changed": False},
                )
                for item in items
            ]
            for step, items in steps.items()
        }
        for half, steps in PLAN.items()
    }


DONE = {"changed": True}
WRONG = {"changed": False, "failed": True, "item": "x", "msg": "No."}


def test_where_nothing_is_to_be_done_all_is_as_it_was() -> None:
    link = f"{'n' * 200}:eth1 -- web:eth1"
    containers = {"web": "ok", "n" * 200: "ok", "side": "ok", "past": "absent"}
    assert recap(PLAN, results()) == {
        "networks": {"front": "ok", "old": "absent"},
        "links": {link: "ok"},
        "containers": containers,
    }
    assert recap({half: {step: [] for step in steps} for half, steps in PLAN.items()}, {}) == {}


def test_each_has_the_word_for_all_that_was_done_to_it() -> None:
    done = results(
        teardown_netns={"past": DONE},
        teardown_bridge={"old": DONE},
        wire_nat={"web": DONE},
        wire_bridge={"front": DONE},
    )
    found = recap(PLAN, done)
    assert found["networks"] == {"front": "changed", "old": "gone"}
    assert found["containers"] == {"web": "changed", "n" * 200: "ok", "side": "ok", "past": "gone"}


def test_what_failed_is_said_and_what_was_left_out_for_it() -> None:
    done = results(wire_netns={"web": WRONG}, wire_nat={"web": DONE})
    for step in ("veth", "address", "route", "publish", "join"):
        done["wire"][step] = []
    found = recap(PLAN, done)["containers"]
    assert (found["web"], found["side"]) == ("failed", "left out")


WIRED: dict[str, Any] = {
    "web": {
        "network_mode": "bridge",
        "interfaces": [
            {"name": "eth0", "bridge": "front", "addresses": ["10.1.0.2/24", "fd00::2/64"]},
            {"name": "eth1", "link": "r2:eth1", "bridge": None, "addresses": []},
            {"name": "eth2", "kind": "macvlan", "parent": "eno1", "bridge": None, "addresses": ["192.0.2.7/24"]},
        ],
        "loopback_addresses": ["10.255.0.1/32"],
        "published_ports": [
            {"host_ip": host, "host_port": "80", "to_address": to, "to_port": "8080", "protocol": "tcp"}
            for host, to in ((None, "10.1.0.2"), (None, "fd00::2"), ("::1", "fd00::2"), ("127.0.0.1", "10.1.0.2"))
        ],
    },
    "side": {"network_mode": "container:web"},
    "alone": {"network_mode": "none", "interfaces": [], "loopback_addresses": [], "published_ports": []},
}


def test_a_line_has_what_a_container_has_now() -> None:
    containers = {"web": "changed", "side": "ok", "alone": "ok", "past": "gone", "never": "absent"}
    found = {"networks": {"front": "ok", "back": "failed"}, "links": {"a -- b": "left out"}, "containers": containers}
    assert lines(found, WIRED) == [
        "failed    back    network",
        "left out  a -- b  link",
        "changed   web     eth0 10.1.0.2/24 fd00::2/64 on front; eth1 to r2:eth1; eth2 192.0.2.7/24 on eno1; lo 10.255.0.1/32; "
        "80->8080/tcp, [::1]:80->8080/tcp, 127.0.0.1:80->8080/tcp",
        "ok        side    container:web",
        "ok        alone   none",
        "gone      past",
        "absent    never",
        "containers: 1 changed, 1 gone, 2 ok, 1 absent; links: 1 left out; networks: 1 failed, 1 ok",
    ]


@pytest.mark.parametrize(("limit", "first"), [(0, []), (1, ["c7"]), (3, ["c7", "c2", "c3"]), (8, ["c7", "c2", "c3"])])
def test_many_do_not_flood(limit: int, first: list[str]) -> None:
    """What is as it was goes first, then what changed; the last line says so."""
    words = {7: "failed", 2: "changed", 3: "changed"}
    found = {"containers": {f"c{number}": words.get(number, "ok") for number in range(9)}}
    *told, last = lines(found, {}, limit)
    assert [line.split()[1] for line in told] == first
    assert last == f"containers: 1 failed, 2 changed, 6 ok ({len(first)} of 9 lines; -v shows all)"
    assert len(lines(found, {}, 9)) == 10


def test_the_filters_say_the_same() -> None:
    found = Recap().filters()["wiring_recap"](PLAN, results())
    assert found == recap(PLAN, results())
    told = Told().filters()["wiring_told"]
    assert told(found, {}, "0") == lines(found, {}, 0)
    assert told(found, {}, "") == told(found, {}) == lines(found, {})
