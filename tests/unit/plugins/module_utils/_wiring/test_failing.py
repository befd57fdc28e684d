# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failing alone: an item that fails stops those that stand on it, and no others; the message names all of them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import failing
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan
from ansible_collections.linuxnet.containers.tests.unit.plans import BACK, DOCKER0

CONTAINERS: list[dict[str, Any]] = [
    {
        "name": "web",
        "networks": [{"name": "docker0", "port": {"isolated": True}}, {"name": "back"}],
        "published_ports": ["8080:80"],
        "routes": [
            {"destination": "10.9.0.0/16", "gateway": "10.1.0.9"},
            {"destination": "10.8.0.0/16", "type": "blackhole"},
            {"destination": "10.7.0.0/16", "nexthops": [{"gateway": "172.17.0.9"}]},
            {"destination": "10.6.0.0/16", "interface": "eth1"},
        ],
    },
    {"name": "side", "network_mode": "container:web"},
    {"name": "db", "networks": [{"name": "back"}]},
]
PLAN = compile_plan([DOCKER0, BACK], CONTAINERS)
DOWN = compile_plan([DOCKER0, BACK], CONTAINERS, "absent")


def failed(step: str, number: int, half: str = "wire") -> dict[str, Any]:
    """Results of a plan in which one item fails; what is left out has none."""
    plan = PLAN if half == "wire" else DOWN
    results: dict[str, dict[str, list[dict[str, Any]]]] = {half: {}}
    for name in plan[half]:
        count = len(failing.able(plan, half, name, results))
        results[half][name] = [{"changed": True} for _item in range(count)]
        if name == step:
            results[half][name][number] = {"failed": True, "item": f"{step} {number}", "msg": "No."}
    return results


def left(step: str, number: int, half: str = "wire") -> dict[str, list[int]]:
    """The numbers of the items that are left out, by step."""
    plan, results = PLAN if half == "wire" else DOWN, failed(step, number, half)
    found = {
        name: [one for one in range(len(items)) if one not in failing.able(plan, half, name, results)]
        for name, items in plan[half].items()
    }
    return {name: numbers for name, numbers in found.items() if numbers}


def test_the_plan_is_what_the_tests_below_count_on() -> None:
    wire = PLAN["wire"]
    assert [len(wire[step]) for step in ("netns", "bridge", "nat", "gateway", "veth", "bridge_port")] == [
        *(2, 2, 10, 3, 3, 1)
    ]
    assert [len(wire[step]) for step in ("address", "route", "publish", "join")] == [4, 7, 6, 1]


WEB_WHOLE = {
    "veth": [0, 1],
    "bridge_port": [0],
    "address": [0, 1, 2],
    "route": [0, 1, 2, 3, 4, 5],
    "publish": [0, 1],
}
WEB_ON_DOCKER0 = {"bridge_port": [0], "address": [0, 1], "route": [0, 1, 4], "publish": [0, 1]}


@pytest.mark.parametrize(
    ("step", "number", "out"),
    [
        ("netns", 0, {**WEB_WHOLE, "join": [0]}),
        ("bridge", 0, {"nat": [0, 1, 2], "gateway": [0, 1], "veth": [0], **WEB_ON_DOCKER0}),
        ("nat", 1, {"gateway": [0, 1], "veth": [0], **WEB_ON_DOCKER0}),
        (
            "nat",
            6,
            {
                "veth": [0, 1],
                "bridge_port": [0],
                "address": [0, 1, 2],
                "route": [0, 1, 2, 4, 5],
                "publish": [0, 1],
            },
        ),
        ("gateway", 0, {"address": [0], "route": [0, 4], "publish": [0]}),
        ("veth", 0, WEB_ON_DOCKER0),
        ("veth", 2, {"address": [3], "route": [6]}),
        ("bridge_port", 0, {"address": [0, 1], "route": [0, 1, 4], "publish": [0, 1]}),
        ("address", 1, {"route": [1], "publish": [1]}),
        ("address", 2, {"route": [2]}),
        ("route", 0, {}),
        ("publish", 0, {}),
        ("join", 0, {}),
    ],
)
def test_what_stands_on_an_item_that_failed_is_left_out_and_nothing_else(
    step: str, number: int, out: dict[str, list[int]]
) -> None:
    assert left(step, number) == out


def test_rules_stay_with_a_bridge_that_cannot_be_removed() -> None:
    """The isolation goes with the bridge, and not where it stays."""
    assert [item.get("owner") for item in DOWN["teardown"]["nat"]] == [
        *(["docker0"] * 2 + ["back"] * 2),
        *("web", "side", "db"),
    ]
    assert left("bridge", 1, "teardown") == {"nat": [2, 3]}
    for step in ("netns", "nat"):
        assert left(step, 0, "teardown") == {}


def test_a_port_that_stays_is_checked() -> None:
    assert left("veth", 0, "teardown") == {"nat": [4]}
    assert left("veth", 2, "teardown") == {"nat": [5]}


def test_a_container_whose_ports_cannot_be_taken_back_stays() -> None:
    """A published port never outlives what it leads to."""
    assert [item["owner"] for item in DOWN["teardown"]["publish"]] == ["web", "side", "db"]
    assert [item["name"] for item in DOWN["teardown"]["netns"]] == ["db", "side", "web"]
    assert left("publish", 0, "teardown") == {"route": [0], "veth": [0, 1], "netns": [2], "nat": [4]}
    assert left("publish", 1, "teardown") == {"veth": [2], "netns": [1], "nat": [5]}


def test_the_message_names_who_failed_at_which_step_and_what_is_left_out() -> None:
    assert failing.message(PLAN, failed("address", 1)) == (
        "Failed: container 'web' at step address: address 1: No. Left out for that: container 'web' (route, publish)."
    )
    assert failing.message(PLAN, failed("nat", 3)) == (
        "Failed: network 'back' at step nat: nat 3: No. "
        "Left out for that: network 'back' (gateway); container 'web' (veth, address, route); container 'db' (veth, address, route)."
    )
    assert failing.message(PLAN, failed("bridge_port", 0)).startswith("Failed: container 'web' at step bridge_port: ")
    assert failing.message(PLAN, failed("gateway", 2)).startswith("Failed: network 'back' at step gateway: ")
    assert failing.message(PLAN, failed("join", 0)) == "Failed: container 'side' at step join: join 0: No."
    assert failing.message(DOWN, failed("netns", 0, "teardown")) == (
        "Failed: container 'db' at step netns of the teardown: netns 0: No."
    )


def test_each_of_several_that_failed_has_its_sentence() -> None:
    both = failed("netns", 0)
    both["wire"]["bridge"][0] = {"failed": True, "item": "bridge docker0", "msg": "It did."}
    assert failing.message(PLAN, both).startswith(
        "Failed: container 'web' at step netns: netns 0: No. Network 'docker0' at step bridge: bridge docker0: It did. Left out"
    )


def test_where_nothing_failed_nothing_is_left_out_and_nothing_is_said() -> None:
    fine = {
        half: {step: [{"changed": False}] * len(items) for step, items in steps.items()} for half, steps in PLAN.items()
    }
    assert failing.message(PLAN, fine) == failing.message(PLAN, {}) == ""
    assert failing.able(PLAN, "wire", "veth", fine) == failing.able(PLAN, "wire", "veth", {}) == [0, 1, 2]


def test_results_of_an_earlier_play_are_those_of_no_item() -> None:
    """The role keeps what its tasks returned in variables, which outlive it; of steps with items they are of this one."""
    assert PLAN["teardown"]["bridge"] == []
    stale = {"teardown": {"bridge": [{"failed": True, "item": "bridge br0", "msg": "No."}]}}
    assert failing.message(PLAN, stale) == ""


def test_a_port_that_is_no_container_s_fails_for_its_network_and_alone() -> None:
    plan = compile_plan([{**BACK, "ports": [{"interface": "eth1"}]}], [{"name": "db"}])
    assert len(plan["wire"]["bridge_port"]) == 1
    results = {
        "wire": {
            step: [{"changed": True} for _item in items]
            if step != "bridge_port"
            else [{"failed": True, "item": "bridge port eth1", "msg": "No."}]
            for step, items in plan["wire"].items()
        }
    }
    assert failing.message(plan, results) == "Failed: network 'back' at step bridge_port: bridge port eth1: No."
