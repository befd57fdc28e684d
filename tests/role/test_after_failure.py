# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A play that goes on after a failure finds in `wiring_result` what this run did: not less, and nothing of an earlier one."""

from __future__ import annotations

from typing import Any

import pytest
from lab import Lab
from plays import ROLE, Outcome, Play, Playbook, shell, wiring

NET = {"name": "front", "subnets": ["10.1.0.0/24"]}
# Its gateway is on no network of the container: that item fails, those of the others do not.
LOST = {"name": "lost", "routes": [{"destination": "10.9.0.0/16", "gateway": "10.77.0.1"}]}
MORE = {"name": "more", "published_ports": ["8080:80"]}


def going_on(ignoring: bool = False, **variables: Any) -> Play:
    """A play of the role whose last task, after a failure, keeps what `wiring_result` is."""
    seen = {"ansible.builtin.set_fact": {"wiring_result": "{{ wiring_result }}"}}
    role: dict[str, Any] = {"ansible.builtin.include_role": {"name": ROLE}}
    if ignoring:
        role["ansible.builtin.include_role"]["apply"] = {"ignore_errors": True}
        tasks = [role, seen]
    else:
        tasks = [{"block": [role], "rescue": [seen]}]
    return {"name": "going on", "tasks": tasks, "vars": wiring(**variables)["vars"]}


@pytest.fixture(scope="module")
def told(shared_lab: Lab, playbook: Playbook) -> list[Outcome]:
    dummy, *found = playbook.run(
        wiring(networks=[NET], containers=[{"name": "web", "published_ports": ["8081:80"]}, MORE]),
        going_on(networks=[NET], containers=[{"name": "web"}, {"name": "web"}]),
        going_on(networks=[NET], containers=[LOST, MORE]),
        going_on(ignoring=True, networks=[NET], containers=[{"name": "web"}, {"name": "web"}]),
        going_on(ignoring=True, networks=[NET], containers=[LOST, MORE]),
        shell("ip netns del more; ip -br link show type bridge"),
        going_on(networks=[NET], containers=[LOST, MORE], purge=True),
    )
    return found


def routes(outcome: Outcome) -> dict[str, list[str]]:
    """By container where its routes lead to."""
    return {name: [route["destination"] for route in one["routes"]] for name, one in outcome.wiring_result.items()}


@pytest.mark.parametrize("number", [0, 2])
def test_where_the_input_is_refused_nothing_was_done(told: list[Outcome], number: int) -> None:
    said = [task.result["msg"] for task in told[number].tasks if task.status in ("failed", "ignored")]
    assert said == ["wiring_containers: 'web' is listed twice."]
    assert told[number].wiring_result == {}
    assert told[number].modules in ([], ["wiring"]), "and what is ignored leads to no step of an earlier plan"


def test_where_an_item_fails_the_others_are_told(told: list[Outcome]) -> None:
    """And they are wired whole, since nothing of theirs stands on the route of the item that failed."""
    outcome = told[1]
    assert routes(outcome) == {"lost": ["default"], "more": ["default"]}
    assert [port["host_port"] for port in outcome.wiring_result["more"]["published_ports"]] == ["8080"]
    assert [one["interfaces"][0]["bridge"] for one in outcome.wiring_result.values()] == ["front", "front"]


def test_where_failures_are_ignored_so_are_they_in_what_is_told(told: list[Outcome]) -> None:
    outcome = told[3]
    assert routes(outcome) == {"lost": ["default"], "more": ["default"]}
    assert [port["host_port"] for port in outcome.wiring_result["more"]["published_ports"]] == ["8080"]


def test_it_is_so_with_a_purge(told: list[Outcome]) -> None:
    assert routes(told[5]) == {"lost": ["default"], "more": ["default"]}
