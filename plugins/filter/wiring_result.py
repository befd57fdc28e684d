# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, Sequence

from ansible.errors import AnsibleError, AnsibleFilterError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused, in_sentences, understood
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.report import result
from jinja2 import TemplateError

DOCUMENTATION = r"""
---
name: wiring_result
short_description: Sum up by container what the modules of a wiring returned
version_added: 0.1.0
author:
  - linuxnet.containers contributors
description:
  - Sums up what the tasks of the role P(linuxnet.containers.wiring#role) returned, by container.
positional: _input, join
options:
  _input:
    description:
      - By step (V(netns), V(link), V(veth), V(bridge_port), V(address), V(route), V(publish), V(join)) the C(results) of its task.
    type: dict
    required: true
  join:
    description: The items of the step C(join), as they were asked for.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
---
- name: Show who has which address
  ansible.builtin.debug:
    msg: "{{ {'netns': namespaces.results, 'veth': pairs.results, 'address': addresses.results} | linuxnet.containers.wiring_result }}"
"""

RETURN = r"""
---
_value:
  description: By container its namespace, interfaces, addresses, gateways, routes and published ports.
  type: dict
"""


@in_sentences(AnsibleFilterError, (AnsibleError, TemplateError))
def wiring_result(results: Mapping[str, Any], join: Sequence[Mapping[str, Any]] = ()) -> Dict[str, Any]:
    """Return what the tasks of the role returned, by container."""
    with understood(Refused, "wiring_result: what it was given, which is no results of the role's steps,"):
        return result(results, join)


class FilterModule:
    """The filter, by name."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"wiring_result": wiring_result}
