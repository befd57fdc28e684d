# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Sequence

from ansible.errors import AnsibleError, AnsibleFilterError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused, in_sentences, understood
from jinja2 import TemplateError

DOCUMENTATION = r"""
---
name: wiring_published
short_description: Fill in the addresses of containers whose ports are published
version_added: 0.1.0
author:
  - linuxnet.containers contributors
description:
  - A plan says for which interface of which container a port is published. Its address is known when the step V(address) has run.
positional: _input, addresses, partly
options:
  _input:
    description: The items of the step V(publish) of a plan.
    type: list
    elements: dict
    required: true
  addresses:
    description: The C(results) of the step V(address).
    type: list
    elements: dict
    required: true
  partly:
    description: Leave what cannot be filled in as it is, because the container got no address.
    type: bool
    default: false
    version_added: 0.3.0
"""

EXAMPLES = r"""
---
- name: Publish
  linuxnet.containers.nat:
    aggregate: "{{ plan.wire.publish | linuxnet.containers.wiring_published(addresses.results) }}"
"""

RETURN = r"""
---
_value:
  description: The items, with the addresses.
  type: list
  elements: dict
"""


@in_sentences(AnsibleFilterError, (AnsibleError, TemplateError))
def wiring_published(
    items: Sequence[Dict[str, Any]], addresses: Sequence[Mapping[str, Any]], partly: bool = False
) -> List[Dict[str, Any]]:
    """Return the items; what cannot be filled in stays (``partly``), or becomes Ansible's error."""
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import resolved  # see wiring_plan

    with understood(
        Refused, "wiring_published: what it was given, which is no step of a plan and results of its addresses,"
    ):
        return resolved(items, addresses, partly)


class FilterModule:
    """The filter, by name."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"wiring_published": wiring_published}
