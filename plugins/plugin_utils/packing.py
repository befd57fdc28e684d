# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the controller runs our modules: as any module, but packed with less work.

Ansible packs a module with all that it imports, once a play for each name: it parses every file, half of it for Python's search for
garbage, of which there is none. So that is off meanwhile. In the role's chain one package does for all: what `wiring` packs holds
every module, so the role's tasks run that, under their own names: the same code with the same arguments. Every other task runs its
own package, which is smaller. In check mode those tasks are told the plan that they are a step of.
"""

from __future__ import annotations

import gc
from typing import Any, Dict, Mapping, Optional

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
        if module_name is None and (task_vars or {}).get("ansible_role_name") == ROLE:
            module_name = PACKAGE
        result: Dict[str, Any] = super()._execute_module(module_name, module_args, tmp, task_vars, **more)
        return result

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
