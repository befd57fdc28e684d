# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping

from ansible.errors import AnsibleError, AnsibleFilterError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused, in_sentences, understood
from jinja2 import TemplateError

DOCUMENTATION = r"""
---
name: wiring_failed
short_description: Say what failed of a wiring
version_added: 0.3.0
author:
  - linuxnet.containers contributors
description:
  - Says which containers and networks failed at which step and why, and what was left out for that, as the module
    M(linuxnet.containers.wiring) does.
positional: _input, results
options:
  _input:
    description: A plan, as P(linuxnet.containers.wiring_plan#filter) has it.
    type: dict
    required: true
  results:
    description: By half (C(teardown), C(wire)) and step the C(results) of its task, one for each item that was not left out.
    type: dict
    required: true
"""

EXAMPLES = r"""
---
- name: Fail where something failed
  ansible.builtin.fail:
    msg: "{{ said }}"
  vars:
    said: "{{ plan | linuxnet.containers.wiring_failed({'wire': {'veth': pairs.results}}) }}"
  when: said | length > 0
"""

RETURN = r"""
---
_value:
  description: A few sentences; nothing where nothing failed.
  type: str
"""


@in_sentences(AnsibleFilterError, (AnsibleError, TemplateError))
def wiring_failed(plan: Dict[str, Dict[str, List[Any]]], results: Mapping[str, Any]) -> str:
    """Return what failed, ``""`` where nothing did."""
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.failing import message  # see wiring_plan

    with understood(Refused, "wiring_failed: what it was given, which is no plan and results of its steps,"):
        return message(plan, results)


class FilterModule:
    """The filter, by name."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"wiring_failed": wiring_failed}
