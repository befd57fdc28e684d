# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the controller runs our modules: as any module, but packed with less work.

Ansible packs a module with all that it imports, once a play for each name: it parses every file, half of it for Python's search for
garbage, of which there is none. So that is off meanwhile. In the role's chain one package does for all: what `wiring` packs holds
every module, so the role's tasks run that, under their own names: the same code with the same arguments. Every other task runs its
own package, which is smaller. In check mode those tasks are told the plan that they are a step of.

A task of the role that fails for some of its items ends it for nobody else: what stands on those items is left out of the later steps, and the role's
last task fails, in a few sentences.
"""

from __future__ import annotations

import gc
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ansible.plugins.action.normal import ActionModule as Normal

ROLE = PACKAGE = "linuxnet.containers.wiring"
STUMBLED = "Not all of this could be done; the others go on, and the role's last task says what failed, and why."


class ActionModule(Normal):  # type: ignore[misc]
    """The action plugin of each module."""

    def _execute_module(
        self,
        module_name: Optional[str] = None,
        module_args: Optional[Dict[str, Any]] = None,
        tmp: Optional[str] = None,
        task_vars: Optional[Mapping[str, Any]] = None,
        **more: Any,
    ) -> Dict[str, Any]:
        in_role = module_name is None and (task_vars or {}).get("ansible_role_name") == ROLE
        if in_role:
            module_name = PACKAGE
            given = self._task.args if module_args is None else module_args
            step = given.get("step") or ()
            if step:
                module_args = {**given, "aggregate": able(step, given["aggregate"], task_vars or {})}
        result: Dict[str, Any] = super()._execute_module(module_name, module_args, tmp, task_vars, **more)
        return told_at_the_end(result) if in_role and goes_on(result) else result

    def _configure_module(self, *given: Any, **named: Any) -> Any:
        collecting = gc.isenabled()
        gc.disable()
        try:
            return super()._configure_module(*given, **named)
        finally:
            if collecting:
                gc.enable()

    def _update_module_args(
        self, module_name: str, module_args: Dict[str, Any], task_vars: Mapping[str, Any], **more: Any
    ) -> None:
        super()._update_module_args(module_name, module_args, task_vars, **more)
        if module_name == PACKAGE:
            module_args["_ansible_module_name"] = str(self._task.resolved_action)
            module_args.update(foresight(module_args, task_vars, self._task.check_mode))


def foresight(module_args: Mapping[str, Any], task_vars: Mapping[str, Any], check: bool) -> Dict[str, Any]:
    """Return what a step of the role is told besides: in check mode the whole plan, since what the steps before it would do was not done."""
    if not check or not module_args.get("step"):
        return {}
    return {"plan": {**task_vars["wiring_plan"], "backend": task_vars["wiring_plan_backend"]}}


def able(step: Sequence[str], items: List[Any], task_vars: Mapping[str, Any]) -> List[Any]:
    """Return the items of a step (half, name) of the role without those that stand on what failed in the steps before it."""
    half, name = step
    plan, end = task_vars["wiring_plan"], "_gone" if half == "teardown" else ""
    before = [other for other in [*plan[half]][: [*plan[half]].index(name)] if plan[half][other]]
    done = {other: task_vars.get("wiring_%s%s" % (other, end)) or {} for other in before}
    if not any(result.get("stumbled") for result in done.values()):
        return items
    # Here and not above: of use to few tasks.
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import failing

    results = {half: {other: result.get("results", ()) for other, result in done.items()}}
    return [items[number] for number in failing.able(plan, half, name, results)]


def goes_on(result: Mapping[str, Any]) -> bool:
    """Return whether the role goes on after a task that failed: where it did so for some of its items."""
    return bool(result.get("failed")) and "results" in result


def told_at_the_end(result: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the result of a task that failed for some of its items as one that did not, with ``stumbled``: the role's last task fails.

    Ansible shows the whole result of a task that fails, which is thousands of characters an item. `failed_when_result` is what `failed_when` leaves: without
    it, an entry of ``results`` that failed is enough for Ansible to call the task failed.
    """
    kept = {name: value for name, value in result.items() if name != "exception"}
    said = [*kept.get("warnings", ()), STUMBLED]
    return {**kept, "failed": False, "failed_when_result": False, "stumbled": True, "warnings": said}
