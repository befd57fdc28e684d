# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Optional

from ansible.errors import AnsibleError, AnsibleFilterError
from ansible.utils.display import Display
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused, in_sentences, understood
from jinja2 import TemplateError, pass_context
from jinja2.runtime import Context

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
positional: _input, containers, state, there, refusal, persist, drift, fleet, underlay_address, slice_number, links
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
  refusal:
    description:
      - V(true) is for a play that looks at what it gets. Bad input is no error then, in front of which Ansible writes where it came from. It is a plan without
        items and with C(refusal), the sentence that says what is wrong.
      - The variables of the play are looked through as well, for one that is nearly called as one of the role's.
    type: bool
    default: false
    version_added: 0.3.0
  persist:
    description:
      - V(true) adds the steps that have the host keep the plan, as C(wiring_persist) has it. V(false) has the step that takes what is listed out of what the
        host keeps. Without it there is neither.
    type: bool
    version_added: 0.3.0
  drift:
    description: What a host that keeps the plan does where it is not as kept, as C(wiring_drift) has it.
    type: str
    choices: [ignore, tell, repair]
    default: ignore
    version_added: 0.3.0
  fleet:
    description: The hosts that share networks, as P(linuxnet.containers.wiring_fleet#filter) returns them.
    type: list
    elements: dict
    version_added: 0.3.0
  underlay_address:
    description: Which of them this host is, as C(wiring_underlay_address) has it.
    type: str
    version_added: 0.3.0
  slice_number:
    description: The number of this host's slice, as C(wiring_slice) has it.
    type: int
    version_added: 0.3.0
  links:
    description: The links between containers, as C(wiring_links) has them.
    type: list
    elements: dict
    version_added: 0.3.0
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
    - With O(refusal) it can have C(refusal) beside them, a text.
  type: dict
"""


def without(omitted: Any, value: Any) -> Any:
    """Return a value without what is omitted in its dicts and lists, None where it is omitted itself.

    Ansible leaves out of a task's arguments what is ``default(omit)``, at any depth, but hands it to filters: as an object of its own, before
    ansible-core 2.19 as a text.
    """

    def stays(entry: Any) -> bool:
        return entry is not omitted and not (isinstance(entry, str) and isinstance(omitted, str) and entry == omitted)

    if isinstance(value, Mapping):
        return {name: without(omitted, entry) for name, entry in value.items() if stays(entry)}
    if isinstance(value, (list, tuple)):
        return [without(omitted, entry) for entry in value if stays(entry)]
    return value if stays(value) else None


@pass_context
@in_sentences(AnsibleFilterError, (AnsibleError, TemplateError))
def wiring_plan(
    context: Context,
    networks: Any,
    containers: Any,
    state: Any = "present",
    there: Optional[Mapping[str, Any]] = None,
    refusal: Any = False,
    persist: Optional[bool] = None,
    drift: Any = "ignore",
    fleet: Any = None,
    underlay_address: Any = None,
    slice_number: Any = None,
    links: Any = None,
) -> Dict[str, Any]:
    """Return the plan; bad input becomes Ansible's error, or an empty plan that says why. What is ``default(omit)`` is left out."""
    # Here and not above: to find one filter of a collection, Ansible loads all of them, in each task anew.
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.purge import purged
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import empty_plan
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.validation import checked
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.variables import misspelt

    omitted = context.resolve_or_missing("omit")
    networks, containers = without(omitted, networks), without(omitted, containers)
    try:
        wrong = misspelt(context.get_all()) if refusal else ""
        if wrong:
            return {**empty_plan(), "refusal": wrong}
        state = without(omitted, state) or "present"
        drift = without(omitted, drift) or "ignore"
        rest = [without(omitted, one) for one in (fleet, underlay_address, slice_number, links)]
        plan = compile_plan(networks, containers, state, without(omitted, persist), there is not None, drift, *rest)
        warnings: List[str] = []
        if there is not None:
            with understood(Refused, "wiring_plan: what is there, which is not what wiring_info returns as wiring,"):
                plan, warnings = purged(plan, networks, containers, there)
        checked(plan)
    except Refused as error:
        if refusal:
            return {**empty_plan(), "refusal": str(error)}
        raise
    for warning in warnings:
        Display().warning(warning)
    return plan


class FilterModule:
    """The filter, by name."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"wiring_plan": wiring_plan}
