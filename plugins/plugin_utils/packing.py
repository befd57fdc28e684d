# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the controller runs our modules: as any module, but packed with less work.

Ansible packs a module with all that it imports, once a play for each name: it parses every file, half of it for Python's search for
garbage, of which there is none. So that is off meanwhile. In the role's chain one package does for all: what `wiring` packs holds
every module, so the role's tasks run that, under their own names: the same code with the same arguments. Every other task runs its
own package, which is smaller.

A step of the role that fails for some of its items ends the chain for nobody else: what stands on those items is left out of the later
steps, and the role's last task fails.
"""

from __future__ import annotations

import gc
from typing import Any, Dict, Mapping, Optional, Tuple

from ansible.plugins.action.normal import ActionModule as Normal

ROLE = PACKAGE = "linuxnet.containers.wiring"


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
        place = None
        if module_name is None and (task_vars or {}).get("ansible_role_name") == ROLE:
            module_name = PACKAGE
            place = self._place(task_vars or {})
            if place is not None:
                module_args = self._able(*place, module_args, task_vars or {})
        result: Dict[str, Any] = super()._execute_module(module_name, module_args, tmp, task_vars, **more)
        if place is not None and result.get("failed") and "results" in result:
            # As for the items of a loop, Ansible's strategies take this from the process that ran the task.
            self._task.ignore_errors = True
        return result

    def _place(self, task_vars: Mapping[str, Any]) -> Optional[Tuple[str, str]]:
        """Return the half and step of the role's plan that the task takes, None where it takes none."""
        name = str(getattr(self._task, "register", None) or "")
        half = "teardown" if name.endswith("_gone") else "wire"
        step = name[len("wiring_") : -len("_gone") if half == "teardown" else None]
        plan = task_vars.get("wiring_plan") or {}
        return (half, step) if name.startswith("wiring_") and step in plan.get(half, {}) else None

    def _able(
        self, half: str, step: str, module_args: Optional[Dict[str, Any]], task_vars: Mapping[str, Any]
    ) -> Optional[Dict[str, Any]]:
        """Return the arguments of a step without the items that stand on what failed in the steps before it."""
        plan = task_vars["wiring_plan"]
        end = "_gone" if half == "teardown" else ""
        before = [name for name in [*plan[half]][: [*plan[half]].index(step)] if plan[half][name]]
        done = {name: task_vars.get("wiring_%s%s" % (name, end)) or {} for name in before}
        if not any(result.get("failed") for result in done.values()):
            return module_args
        # Here and not above: of use to few tasks.
        from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import failing

        results = {half: {name: result.get("results", ()) for name, result in done.items()}}
        arguments = dict(self._task.args if module_args is None else module_args)
        items = arguments["aggregate"]
        return dict(arguments, aggregate=[items[number] for number in failing.able(plan, half, step, results)])

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
