# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter wiring_plan: a compiled plan, with the errors and warnings in Ansible's manner."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible.utils.display import Display
from ansible_collections.linuxnet.containers.plugins.filter import wiring_plan
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.purge import GATHER

NETWORKS = [{"name": "br0", "subnets": ["10.0.0.0/24"]}]
CONTAINERS = [{"name": "web"}]
NOTHING: dict[str, list[dict[str, Any]]] = {name: [] for name in GATHER}
BRIDGE: dict[str, Any] = {"name": "old0", "netns": None, "ours": True, "ports": []}

plan = wiring_plan.FilterModule().filters()["wiring_plan"]


@pytest.mark.parametrize("state", ["present", "absent"])
def test_it_compiles(state: str) -> None:
    assert plan(NETWORKS, CONTAINERS, state) == compile_plan(NETWORKS, CONTAINERS, state)
    assert plan(NETWORKS, CONTAINERS, state, NOTHING) == compile_plan(NETWORKS, CONTAINERS, state)


@pytest.mark.parametrize(
    ("container", "sentence"),
    [
        ({"name": ""}, "wiring_containers: item 1 has no name."),
        ({"name": "web", "sysctls": {"kernel.x": 1}}, "wiring of 'web': sysctls: 'kernel.x' is not a key"),
    ],
)
def test_bad_input_is_ansible_s_error(container: dict[str, Any], sentence: str) -> None:
    with pytest.raises(AnsibleFilterError, match=f"^{sentence}") as refused:
        plan(NETWORKS, [container])
    assert refused.value.__cause__ is None


def test_what_nobody_lists_goes_and_what_has_to_stay_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(Display, "warning", lambda dummy, text: warnings.append(text))
    gone = plan(NETWORKS, CONTAINERS, "present", {**NOTHING, "bridges": [BRIDGE]})
    assert gone["teardown"]["bridge"] == [{"name": "old0", "state": "absent"}]
    assert warnings == []
    kept = plan(NETWORKS, CONTAINERS, "present", {**NOTHING, "bridges": [{**BRIDGE, "ports": ["vm0"]}]})
    assert kept["teardown"]["bridge"] == []
    assert [text.startswith("Bridge 'old0' is not listed any more, but stays") for text in warnings] == [True]
