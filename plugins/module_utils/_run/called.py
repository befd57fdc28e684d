# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""By which name a task calls the module that runs. One package may hold several modules: see `plugin_utils/packing.py`."""

from __future__ import annotations

import json
from typing import Any, Dict, Optional

from ansible.module_utils import basic


def _arguments() -> Dict[str, Any]:
    """Return what the task gives, nothing where there is none."""
    arguments: Optional[bytes] = basic._ANSIBLE_ARGS
    found: Dict[str, Any] = json.loads(arguments)["ANSIBLE_MODULE_ARGS"] if arguments is not None else {}
    return found


def called() -> str:
    """Return the module's name without its collection, ``""`` where there is no task."""
    return str(_arguments().get("_ansible_module_name", "")).rpartition(".")[2]


def as_step() -> bool:
    """Return whether the task is a step of the role's chain."""
    return bool(_arguments().get("step"))
