# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Union

from ansible.errors import AnsibleError, AnsibleFilterError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused, in_sentences, understood
from jinja2 import TemplateError

DOCUMENTATION = r"""
---
name: wiring_told
short_description: Tell a person what a wiring came to, a line a container
version_added: 0.4.0
author:
  - linuxnet.containers contributors
description:
  - Makes lines for people of what the role P(linuxnet.containers.wiring#role) did, as it shows them at its end.
positional: _input, result
options:
  _input:
    description: What became of each network, link and container, as P(linuxnet.containers.wiring_recap#filter) has it.
    type: dict
    required: true
  result:
    description: What each container has, as P(linuxnet.containers.wiring_result#filter) has it.
    type: dict
    required: true
  limit:
    description:
      - How many lines there are at most, beside the last one, which counts.
      - Where there would be more, what is as it was is left out first. Without it all are told.
    type: int
"""

EXAMPLES = r"""
---
- name: Tell a line a container
  ansible.builtin.debug:
    msg: "{{ plan | linuxnet.containers.wiring_recap({'wire': {'netns': namespaces.results, 'veth': pairs.results}})
      | linuxnet.containers.wiring_told(wiring_result) }}"
"""

RETURN = r"""
---
_value:
  description: The lines; none where nothing was listed.
  type: list
  elements: str
"""


@in_sentences(AnsibleFilterError, (AnsibleError, TemplateError))
def wiring_told(
    recap: Mapping[str, Mapping[str, str]], result: Mapping[str, Any], limit: Union[int, str, None] = None
) -> List[str]:
    """Return the lines."""
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.recap import lines  # see wiring_plan

    with understood(Refused, "wiring_told: what it was given, which is no recap and no result of the role's,"):
        return lines(
            recap, result, None if limit in (None, "") else int(str(limit))
        )  # a template before core 2.19 has text of it


class FilterModule:
    """The filter, by name."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"wiring_told": wiring_told}
