# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which package a noun's task runs, and under which name."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.plugins.action.normal import ActionModule as Normal
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import STEPS
from ansible_collections.linuxnet.containers.plugins.plugin_utils import packing

NOUNS = sorted({step.module for step in STEPS})
ACTIONS = Path(packing.__file__).resolve().parents[1] / "action"


def ran(monkeypatch: pytest.MonkeyPatch, noun: str, role: str | None, **more: Any) -> tuple[Any, dict[str, Any]]:
    """Run a task of a noun. Returns the module that Ansible is told to run, and the arguments that it gets."""
    told: list[Any] = []
    args: dict[str, Any] = {"name": "web"}

    def execute(self: Any, module_name: Any, module_args: Any, tmp: Any, task_vars: Any, **more: Any) -> dict[str, Any]:
        told.append((module_name, more))
        self._update_module_args(module_name or self._task.action, args, task_vars)
        return {"changed": False}

    def update(self: Any, module_name: str, module_args: dict[str, Any], task_vars: Any) -> None:
        module_args["_ansible_module_name"] = module_name

    monkeypatch.setattr(Normal, "_execute_module", execute)
    monkeypatch.setattr(Normal, "_update_module_args", update)
    fqcn = f"linuxnet.containers.{noun}"
    plugin = importlib.import_module(f"ansible_collections.linuxnet.containers.plugins.action.{noun}").ActionModule
    task = plugin.__new__(plugin)
    task._task = SimpleNamespace(action=fqcn, resolved_action=fqcn)
    assert task._execute_module(task_vars={"ansible_role_name": role} if role else {}, **more) == {"changed": False}
    assert args.pop("name") == "web"
    return told[0], args


def test_each_noun_of_the_chain_has_the_action_plugin() -> None:
    assert sorted(path.stem for path in ACTIONS.glob("*.py")) == NOUNS


@pytest.mark.parametrize("noun", NOUNS)
def test_in_the_role_all_nouns_run_one_package_under_their_own_names(
    monkeypatch: pytest.MonkeyPatch, noun: str
) -> None:
    (package, more), args = ran(monkeypatch, noun, "linuxnet.containers.wiring", wrap_async=7)
    assert (package, more) == ("linuxnet.containers.wiring", {"wrap_async": 7})
    assert args == {"_ansible_module_name": f"linuxnet.containers.{noun}"}


@pytest.mark.parametrize("role", [None, "somebody.elses.role"])
def test_elsewhere_a_noun_runs_its_own_package(monkeypatch: pytest.MonkeyPatch, role: str | None) -> None:
    (package, dummy), args = ran(monkeypatch, "veth", role)
    assert package is None
    assert args == {"_ansible_module_name": "linuxnet.containers.veth"}


def test_another_module_that_ansible_runs_for_the_task_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as async_status, which waits for the task."""
    (package, dummy), args = ran(
        monkeypatch, "veth", "linuxnet.containers.wiring", module_name="ansible.legacy.async_status"
    )
    assert package == args["_ansible_module_name"] == "ansible.legacy.async_status"
