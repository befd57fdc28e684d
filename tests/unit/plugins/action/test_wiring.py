# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action plugin of `wiring`: in the role it looks for variables that nobody would notice."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.action import wiring
from ansible_collections.linuxnet.containers.plugins.plugin_utils import packing

RAN = {"changed": True}
IN_THE_ROLE = {"ansible_role_name": packing.ROLE}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The plugin, with a module that always does the same."""
    monkeypatch.setattr(packing.ActionModule, "run", lambda dummy, tmp, task_vars: RAN, raising=False)
    return lambda task_vars: wiring.ActionModule.__new__(wiring.ActionModule).run(None, task_vars)


def test_in_the_role_a_misspelt_variable_ends_the_task_before_the_module(run: Any) -> None:
    assert run({**IN_THE_ROLE, "wiring_container": [{"name": "web"}]}) == {
        "failed": True,
        "changed": False,
        "msg": "wiring_container: the role has no such variable; did you mean wiring_containers?",
    }


@pytest.mark.parametrize("task_vars", [None, {}, {"wiring_container": "x"}, IN_THE_ROLE, {**IN_THE_ROLE, "other": 1}])
def test_else_the_module_is_run(run: Any, task_vars: Any) -> None:
    """Outside of the role they are nobody's business: the module is told what it is told."""
    assert run(task_vars) == RAN
