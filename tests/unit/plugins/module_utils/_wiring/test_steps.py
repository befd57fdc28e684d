# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of steps, and all that repeats it: the role's tasks, what the role sums up, and the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.linuxnet.containers.plugins.filter import wiring_plan, wiring_result
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.report import result
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import (
    KEEP,
    STEPS,
    TEARDOWN,
    WIRE,
    Step,
    empty_plan,
)
from ansible_collections.linuxnet.containers.plugins.modules import wiring

ROLE = Path(__file__).resolve().parents[5] / "roles/wiring"
HALVES = (TEARDOWN, WIRE)
SUMMED = [step.name for step in STEPS if step.summed]


def tasks(file: str) -> list[dict[str, Any]]:
    """The tasks of a file of the role."""
    found: list[dict[str, Any]] = yaml.safe_load((ROLE / "tasks" / file).read_text(encoding="utf-8"))
    return found


def of(half: str) -> list[Step]:
    return [step for step in STEPS if step.half == half]


def items(step: Step) -> str:
    """What the role calls a step's items."""
    return f"wiring_plan.{step.half}.{step.name}"


def register(step: Step) -> str:
    """What the role calls a step's result."""
    return f"wiring_{step.name}" + ("_gone" if step.half == TEARDOWN else "")


def task(step: Step) -> dict[str, Any]:
    """The role's task for a step."""
    published = " | linuxnet.containers.wiring_published(wiring_address.results | default([]), partly=true)"
    arguments: dict[str, Any] = {
        "aggregate": "{{ " + items(step) + (published if (step.half, step.name) == (WIRE, "publish") else "") + " }}",
        "step": [step.half, step.name],
    }
    if step.module in ("nat", "wiring"):
        arguments["backend"] = "{{ wiring_firewall_backend }}"
    if step.module == "nat":
        arguments["by_hand"] = "keep"
    conditions = {"publish": " and wiring_publishing | bool", KEEP: " and wiring_keeping | bool"}
    needed = conditions.get(step.name, "") if step.half == WIRE else ""
    return {
        "name": step.title,
        f"linuxnet.containers.{step.module}": arguments,
        "register": register(step),
        "when": f"{items(step)} | length > 0{needed}",
    }


def test_a_step_stands_once_in_its_half_and_has_one_module() -> None:
    assert len({(step.half, step.name) for step in STEPS}) == len({step.title for step in STEPS}) == len(STEPS)
    modules = {(step.name, step.module) for step in STEPS}
    assert len({name for name, module in modules}) == len(modules)


def test_an_empty_plan_has_all_steps_in_order() -> None:
    assert [(half, step) for half, steps in empty_plan().items() for step in steps] == [
        (step.half, step.name) for step in STEPS
    ]
    assert [items for steps in empty_plan().values() for items in steps.values()] == [[]] * len(STEPS)


@pytest.mark.parametrize("half", HALVES)
def test_the_role_has_a_task_for_each_step_in_order(half: str) -> None:
    assert tasks(f"{half}.yml") == [task(step) for step in of(half)]


def test_the_role_takes_the_halves_in_order() -> None:
    (block,) = tasks("steps.yml")
    dummy, *halves = block["block"]
    files = {TEARDOWN: "{{ 'refused.yml' if wiring_plan.refusal is defined else 'teardown.yml' }}", WIRE: "wire.yml"}
    needed = [f"wiring_plan.{half}.values() | flatten | length > 0" for half in HALVES]
    needed[1] = "wiring_to_wire | bool"
    needed[0] = f"(wiring_plan.refusal is defined or {needed[0]})"
    assert [(one["ansible.builtin.include_tasks"], one["when"]) for one in halves] == [
        (files[half], f"wiring_compiled is not failed and {when}") for half, when in zip(HALVES, needed, strict=True)
    ]


def test_what_failed_is_looked_for_in_all_steps() -> None:
    told = yaml.safe_load((ROLE / "vars/main.yml").read_text(encoding="utf-8"))
    assert told["wiring_taken"] == {
        half: {step.name: "{{ " + register(step) + ".results | default([]) }}" for step in of(half)} for half in HALVES
    }
    looked = re.findall(r"\((\w+)\.stumbled \| default\(false\)\)", told["wiring_stumbled"])
    assert looked == [register(step) for step in STEPS]


def test_whether_the_host_keeps_anything_is_looked_for_in_all_steps() -> None:
    told = yaml.safe_load((ROLE / "vars/main.yml").read_text(encoding="utf-8"))
    looked = re.findall(r"wiring_\w+", told["wiring_keeping"].partition(" or [")[2])
    assert looked == [register(step) for step in STEPS if step.name != KEEP]


def test_no_result_of_an_earlier_run_is_left() -> None:
    """Every result that is read after a failure is reset before the first step."""
    facts = tasks("steps.yml")[0]["block"][0]["ansible.builtin.set_fact"]
    read = set(re.findall(r"\b(wiring_\w+)\.results", (ROLE / "vars/main.yml").read_text(encoding="utf-8")))
    assert {name for name, value in facts.items() if value == {}} == read
    assert {*facts} == {*read, "wiring_plan", "wiring_plan_backend"}


def test_the_role_sums_up_what_the_filter_reads() -> None:
    (block,) = tasks("steps.yml")
    (last,) = block["always"]
    assert "wiring_summary" in last["ansible.builtin.set_fact"]["wiring_result"]
    summary = yaml.safe_load((ROLE / "vars/main.yml").read_text(encoding="utf-8"))["wiring_summary"]
    assert re.findall(r"'(\w+)': (\w+)\.results \| default\(\[\]\)", summary) == [
        (step.name, register(step)) for step in of(WIRE) if step.summed
    ]
    assert "wiring_result(wiring_plan.wire.join)" in summary


class Recorded(Mapping[str, Any]):
    """Results of no step, which note the steps that are read."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __getitem__(self, name: str) -> Any:
        self.read.append(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_the_filter_reads_the_steps_that_are_summed_up() -> None:
    results = Recorded()
    assert result(results) == {}
    assert sorted(results.read) == sorted(SUMMED)


def test_results_that_are_read_may_be_none() -> None:
    """vars/main.yml reads the results of tasks by name; where a task was skipped there are none."""
    text = (ROLE / "vars/main.yml").read_text(encoding="utf-8")
    found = re.findall(r"\b(wiring_\w+)\.results( \| default\(\[\]\))?", text)
    known = {register(step) for step in STEPS}
    assert {name for name, dummy in found} <= known
    assert {"wiring_netns", "wiring_veth"} <= {name for name, dummy in found}
    assert all(default for dummy, default in found)


def values(text: str) -> list[str]:
    """The values that a documentation's sentence names."""
    return re.findall(r"V\((\w+)\)", text)


def test_the_documentation_names_the_steps_and_their_modules() -> None:
    step = yaml.safe_load(wiring.RETURN)["results"]["contains"]["step"]["description"][0]
    assert values(step) == [name for half in HALVES for name in (half, *(one.name for one in of(half)))]
    description = " ".join(yaml.safe_load(wiring.DOCUMENTATION)["description"])
    assert set(re.findall(r"M\(linuxnet\.containers\.(\w+)\)", description)) == {
        one.module for one in STEPS if one.name != KEEP
    }
    given = yaml.safe_load(wiring_result.DOCUMENTATION)["options"]["_input"]["description"]
    assert values(given[0]) == SUMMED
    plan = yaml.safe_load(wiring_plan.RETURN)["_value"]["description"]
    assert re.findall(r"C\((\w+)\)", plan[0]) == [*HALVES]
