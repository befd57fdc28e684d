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
from ansible.plugins.action.normal import ActionModule as Normal
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
    task._task = SimpleNamespace(action=fqcn, resolved_action=fqcn, check_mode=check)
    task_vars = {"ansible_role_name": role, **FACTS} if role else {}
    assert task._execute_module(task_vars=task_vars, **more) == {"changed": False}
    assert args.pop("name") == "web"
    return told[0], args


def test_each_module_has_the_action_plugin() -> None:
    assert sorted(path.stem for path in (PLUGINS / "action").glob("*.py")) == MODULES
    assert len(MODULES) == 9


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
