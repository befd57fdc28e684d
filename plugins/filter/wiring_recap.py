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
name: wiring_recap
short_description: Say what a wiring came to, by network, link and container
version_added: 0.4.0
author:
  - linuxnet.containers contributors
description:
  - Says in a word what became of each network, link and container of a plan, as the module M(linuxnet.containers.wiring) does.
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
seealso:
  - plugin: linuxnet.containers.wiring_told
    plugin_type: filter
"""

EXAMPLES = r"""
---
- name: Name the containers of which anything was changed
  ansible.builtin.debug:
    msg: "{{ came_to.containers | dict2items | selectattr('value', 'equalto', 'changed') | map(attribute='key') }}"
  vars:
    came_to: "{{ plan | linuxnet.containers.wiring_recap({'wire': {'netns': namespaces.results, 'veth': pairs.results}}) }}"
"""

RETURN = r"""
---
_value:
  description:
    - By C(networks), C(links) and C(containers), as far as there are any, and name, a word.
    - It is V(failed), V(left out) for what stands on something that failed, V(changed), V(gone), or, where nothing was to be done, V(ok) or V(absent).
  type: dict
"""


@in_sentences(AnsibleFilterError, (AnsibleError, TemplateError))
def wiring_recap(plan: Dict[str, Dict[str, List[Any]]], results: Mapping[str, Any]) -> Dict[str, Dict[str, str]]:
    """Return what became of each."""
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.recap import recap  # see wiring_plan

    with understood(Refused, "wiring_recap: what it was given, which is no plan and results of its steps,"):
        return recap(plan, results)


class FilterModule:
    """The filter, by name."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"wiring_recap": wiring_recap}
