# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from ansible.errors import AnsibleFilterError
from ansible.utils.display import Display
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused

DOCUMENTATION = r"""
---
name: wiring_plan
short_description: Compile networks and containers to the modules' lists of items
version_added: 0.1.0
author:
  - linuxnet.containers contributors
description:
  - Compiles the variables of the role P(linuxnet.containers.wiring#role) to one list of items a module, in the order in which the
    modules have to run.
  - Every item is checked as its module would check it, so that bad input is refused before the first change.
  - It is a pure function of its arguments and knows nothing of any host.
positional: _input, containers, state, there
options:
  _input:
    description: The networks, as C(wiring_networks) has them.
    type: list
    elements: dict
    required: true
  containers:
    description: The containers, as C(wiring_containers) has them.
    type: list
    elements: dict
    required: true
  state:
    description: V(absent) takes down everything that is listed.
    type: str
    choices: [present, absent]
    default: present
  there:
    description:
      - What is there, which M(linuxnet.containers.wiring_info) returns as C(wiring).
      - What of it is this collection's and is not listed is taken down as well, as C(wiring_purge) has it. What has to stay is a warning.
    type: dict
"""

EXAMPLES = r"""
---
- name: Show what the role would ask of the module veth
  ansible.builtin.debug:
    msg: "{{ (wiring_networks | linuxnet.containers.wiring_plan(wiring_containers)).wire.veth }}"
"""

RETURN = r"""
---
_value:
  description:
    - A dictionary with C(teardown) and C(wire). Each has a list of items a step.
    - An empty list is a step that is not needed.
  type: dict
"""


def wiring_plan(
    networks: Sequence[Mapping[str, Any]],
    containers: Sequence[Mapping[str, Any]],
    state: str = "present",
    there: Optional[Mapping[str, Any]] = None,
) -> Dict[str, Dict[str, List[Any]]]:
    """Return the plan; bad input becomes Ansible's error."""
    # Here and not above: to find one filter of a collection, Ansible loads all of them, in each task anew.
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.purge import purged
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.validation import checked

    try:
        plan = compile_plan(networks, containers, state)
        warnings: List[str] = []
        if there is not None:
            plan, warnings = purged(plan, networks, containers, there)
        checked(plan)
    except Refused as error:
        raise AnsibleFilterError(str(error)) from None  # else Ansible says it once for every cause
    for warning in warnings:
        Display().warning(warning)
    return plan


class FilterModule:
    """The filter, by name."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"wiring_plan": wiring_plan}
