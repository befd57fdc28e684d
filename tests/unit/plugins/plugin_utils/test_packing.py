# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which package a task runs, under which name, and how it is packed."""

from __future__ import annotations

import gc
import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.executor.task_result import TaskResult
from ansible.plugins.action.normal import ActionModule as Normal
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan
from ansible_collections.linuxnet.containers.plugins.plugin_utils import packing

PLUGINS = Path(packing.__file__).resolve().parents[1]
MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("*.py") if path.stem != "__init__")


FACTS = {"wiring_plan": {"teardown": {}, "wire": {"veth": []}}, "wiring_plan_backend": "auto"}
PLAN = {"teardown": {}, "wire": {"veth": []}, "backend": "auto"}


def ran(
    monkeypatch: pytest.MonkeyPatch, name: str, role: str | None, check: bool = False, given: Any = None, **more: Any
) -> tuple[Any, dict[str, Any]]:
    """Run a task of a module. Returns the module that Ansible is told to run, and the arguments that it gets."""
    told: list[Any] = []
    args: dict[str, Any] = {"name": "web", **(given or {})}

    def execute(self: Any, module_name: Any, module_args: Any, tmp: Any, task_vars: Any, **more: Any) -> dict[str, Any]:
        told.append((module_name, more))
        self._update_module_args(module_name or self._task.action, args, task_vars)
        return {"changed": False}

    def update(self: Any, module_name: str, module_args: dict[str, Any], task_vars: Any) -> None:
        module_args["_ansible_module_name"] = module_name

    monkeypatch.setattr(Normal, "_execute_module", execute)
    monkeypatch.setattr(Normal, "_update_module_args", update)
    fqcn = f"linuxnet.containers.{name}"
    plugin = importlib.import_module(f"ansible_collections.linuxnet.containers.plugins.action.{name}").ActionModule
    task = plugin.__new__(plugin)
    task._task = SimpleNamespace(
        action=fqcn, resolved_action=fqcn, check_mode=check, args={"aggregate": [], **(given or {})}
    )
    task_vars = {"ansible_role_name": role, **FACTS} if role else {}
    assert task._execute_module(task_vars=task_vars, **more) == {"changed": False}
    assert args.pop("name") == "web"
    return told[0], args


def test_each_module_has_the_action_plugin() -> None:
    assert sorted(path.stem for path in (PLUGINS / "action").glob("*.py")) == MODULES
    assert len(MODULES) == 11


@pytest.mark.parametrize("name", MODULES)
def test_in_the_role_all_run_one_package_under_their_own_names(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (package, more), args = ran(monkeypatch, name, "linuxnet.containers.wiring", wrap_async=7)
    assert (package, more) == ("linuxnet.containers.wiring", {"wrap_async": 7})
    assert args == {"_ansible_module_name": f"linuxnet.containers.{name}"}


STEP = {"step": ["wire", "veth"]}


@pytest.mark.parametrize(
    ("role", "check", "given", "told"),
    [
        ("linuxnet.containers.wiring", True, STEP, {"plan": PLAN}),
        ("linuxnet.containers.wiring", False, STEP, {}),
        ("linuxnet.containers.wiring", True, {}, {}),
        ("somebody.elses.role", True, STEP, {}),
    ],
)
def test_in_check_mode_a_step_of_the_role_is_told_the_plan(
    monkeypatch: pytest.MonkeyPatch, role: str, check: bool, given: dict[str, Any], told: dict[str, Any]
) -> None:
    dummy, args = ran(monkeypatch, "veth", role, check, given)
    assert args == {"_ansible_module_name": "linuxnet.containers.veth", **given, **told}


@pytest.mark.parametrize("role", [None, "somebody.elses.role"])
def test_elsewhere_a_module_runs_its_own_package(monkeypatch: pytest.MonkeyPatch, role: str | None) -> None:
    (package, dummy), args = ran(monkeypatch, "veth", role)
    assert package is None
    assert args == {"_ansible_module_name": "linuxnet.containers.veth"}


def test_another_module_that_ansible_runs_for_the_task_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as async_status, which waits for the task."""
    (package, dummy), args = ran(
        monkeypatch, "veth", "linuxnet.containers.wiring", module_name="ansible.legacy.async_status"
    )
    assert package == args["_ansible_module_name"] == "ansible.legacy.async_status"


@pytest.mark.parametrize("collecting", [True, False])
@pytest.mark.parametrize("fails", [True, False])
def test_python_looks_for_no_garbage_while_ansible_packs(
    monkeypatch: pytest.MonkeyPatch, collecting: bool, fails: bool
) -> None:
    def configure(self: Any, *given: Any, **named: Any) -> tuple[Any, ...]:
        assert not gc.isenabled()
        if fails:
            raise ValueError("no such module")
        return given, named

    monkeypatch.setattr(Normal, "_configure_module", configure)
    task = packing.ActionModule.__new__(packing.ActionModule)
    was = gc.isenabled()
    try:
        (gc.enable if collecting else gc.disable)()
        if fails:
            with pytest.raises(ValueError, match="no such module"):
                task._configure_module("veth", module_args={})
        else:
            assert task._configure_module("veth", module_args={}) == (("veth",), {"module_args": {}})
        assert gc.isenabled() == collecting
    finally:
        (gc.enable if was else gc.disable)()


ITEMS = compile_plan(
    [{"name": "back", "subnets": ["10.1.0.0/24"]}, {"name": "front", "subnets": ["10.2.0.0/24"]}],
    [{"name": "web"}, {"name": "db", "networks": [{"name": "front"}]}],
)
BROKEN = {"failed": True, "results": [{"failed": True, "item": "bridge back", "msg": "No."}, {"changed": True}]}


def stepped(
    monkeypatch: pytest.MonkeyPatch, register: str, result: dict[str, Any], role: str = packing.ROLE, known: Any = None
) -> tuple[Any, dict[str, Any]]:
    """Run a task of the role's chain that returns ``result``. Returns the items it is given, None for what it has, and what Ansible is told."""
    given: list[Any] = []

    def execute(self: Any, name: Any, module_args: Any, tmp: Any, task_vars: Any, **more: Any) -> dict[str, Any]:
        given.append(module_args)
        return result

    monkeypatch.setattr(Normal, "_execute_module", execute)
    task = packing.ActionModule.__new__(packing.ActionModule)
    name = register.removeprefix("wiring_")
    args: dict[str, Any] = {"aggregate": ITEMS["wire"].get(name, [])}
    half = "teardown" if name.endswith("_gone") else "wire"
    if name.removesuffix("_gone") in ITEMS[half]:
        args["step"] = [half, name.removesuffix("_gone")]
    task._task = SimpleNamespace(action="x", args=args)
    done = task._execute_module(task_vars={"ansible_role_name": role, "wiring_plan": ITEMS, **(known or {})})
    assert given[0] is None or given[0].keys() == args.keys()
    return given[0] and given[0]["aggregate"], done


def test_a_step_of_the_role_gets_all_its_items_where_nothing_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    fine = {
        "wiring_netns": {"results": []},
        "wiring_bridge": {"changed": False},
        "wiring_address": BROKEN,
    }  # of an earlier play
    assert stepped(monkeypatch, "wiring_veth", {"changed": True}, known=fine) == (
        ITEMS["wire"]["veth"],
        {"changed": True},
    )
    assert stepped(monkeypatch, "wiring_there", {"failed": True}) == (None, {"failed": True})


def test_what_stands_on_an_item_that_failed_is_left_out_of_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    items, dummy = stepped(
        monkeypatch, "wiring_veth", {"changed": True}, known={"wiring_bridge": {**BROKEN, "stumbled": True}}
    )
    assert items == ITEMS["wire"]["veth"][1:]


@pytest.mark.parametrize(
    ("register", "result", "role", "goes_on"),
    [
        ("wiring_veth", BROKEN, packing.ROLE, True),
        ("wiring_veth_gone", BROKEN, packing.ROLE, True),
        ("wiring_veth", BROKEN, "somebody.elses.role", False),
        ("wiring_done", BROKEN, packing.ROLE, True),
        ("wiring_veth", {"failed": True, "missing": "nftables"}, packing.ROLE, False),
        ("wiring_veth", {"changed": True, "results": []}, packing.ROLE, False),
    ],
)
def test_the_role_goes_on_where_items_of_a_task_failed_and_not_where_all_of_it_did(
    monkeypatch: pytest.MonkeyPatch, register: str, result: dict[str, Any], role: str, goes_on: bool
) -> None:
    """And Ansible does not show all that the task returned, as it does of one that failed."""
    told = stepped(monkeypatch, register, {**result, "exception": "…", "warnings": ["Mind."]}, role)[1]
    if not goes_on:
        assert told == {**result, "exception": "…", "warnings": ["Mind."]}
        return
    assert told["results"] == result["results"]
    assert "exception" not in told
    assert told["stumbled"]
    assert told["warnings"] == ["Mind.", packing.STUMBLED]
    assert packing.STUMBLED.startswith("Not all of this could be done; ")
    whole = TaskResult(SimpleNamespace(), SimpleNamespace(), told, {})
    assert not whole.is_failed()
    assert whole.is_changed()
