# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.variables import misspelt
from ansible_collections.linuxnet.containers.plugins.plugin_utils import packing


class ActionModule(packing.ActionModule):
    """Runs the module of this name."""

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Mapping[str, Any]] = None) -> Dict[str, Any]:
        """Return the module's result. In the role, which hands over its own variables only, others that it would not notice are refused."""
        known = task_vars or {}
        wrong = misspelt(known) if known.get("ansible_role_name") == packing.ROLE else ""
        if wrong:
            return {"failed": True, "changed": False, "msg": wrong}
        result: Dict[str, Any] = super().run(tmp, task_vars)
        return result
