# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, Optional, Sequence

from ansible.errors import AnsibleError, AnsibleFilterError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused, in_sentences, understood
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.report import text
from jinja2 import TemplateError

DOCUMENTATION = r"""
---
name: topology
short_description: Draw a wiring as text
version_added: 0.1.0
author:
  - linuxnet.containers contributors
description:
  - Draws the host, its bridges and VRFs, who is behind which virtual interface, and which links are made on which parent.
positional: _input, networks
options:
  _input:
    description: The C(wiring_result) of the role P(linuxnet.containers.wiring#role), or what M(linuxnet.containers.wiring_info) returns as C(wiring).
    type: dict
    required: true
  networks:
    description: The networks, as C(wiring_networks) has them; they add the subnets.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
---
- name: Draw the wiring
  ansible.builtin.debug:
    msg: "{{ wiring_result | linuxnet.containers.topology(wiring_networks) }}"

- name: Look at the wiring, whoever did it
  linuxnet.containers.wiring_info:
    netns: [web, db]
  register: seen

- name: Draw it, with the subnets
  ansible.builtin.debug:
    msg: "{{ seen.wiring | linuxnet.containers.topology(wiring_networks) }}"
"""

RETURN = r"""
---
_value:
  description: The picture, several lines.
  type: str
"""


@in_sentences(AnsibleFilterError, (AnsibleError, TemplateError))
def topology(wiring: Mapping[str, Any], networks: Optional[Sequence[Mapping[str, Any]]] = None) -> str:
    """Return the picture; networks that are none become Ansible's error."""
    # Here and not above: to find one filter of a collection, Ansible loads all of them, in each task anew.
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.variables import entries

    listed = entries("networks", networks)
    with understood(
        Refused, "topology: what it was given, which is neither wiring_result nor what wiring_info returns as wiring,"
    ):
        return text(wiring, listed)


class FilterModule:
    """The filter, by name."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"topology": topology}
