# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""By which name a task calls the module that runs. One package may hold several modules: see `plugin_utils/packing.py`."""

from __future__ import annotations

import json
from typing import Optional

from ansible.module_utils import basic


def called() -> str:
    """Return the module's name without its collection, ``""`` where there is no task."""
    arguments: Optional[bytes] = basic._ANSIBLE_ARGS
    if arguments is None:
        return ""
    name = json.loads(arguments)["ANSIBLE_MODULE_ARGS"].get("_ansible_module_name", "")
    return str(name).rpartition(".")[2]
