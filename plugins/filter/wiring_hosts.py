# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping

from ansible.errors import AnsibleError, AnsibleFilterError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused, in_sentences, understood
from jinja2 import TemplateError

DOCUMENTATION = r"""
---
name: wiring_hosts
short_description: Make the hosts file of a container, in which it finds the others of its networks by name
version_added: 0.4.0
author:
  - linuxnet.containers contributors
description:
  - Makes the text of a hosts file for one container out of what the role P(linuxnet.containers.wiring#role) returned, in check mode as well.
  - It has C(localhost), the container itself, and all others of the same list that are on a network or a link with it, each with its addresses there.
  - A container whose name is no host name has no line. For one in the host's network there is no text, since its names are the host's.
positional: _input, name
options:
  _input:
    description: What each container has, as P(linuxnet.containers.wiring_result#filter) has it.
    type: dict
    required: true
  name:
    description: The container.
    type: str
    required: true
"""

EXAMPLES = r"""
---
- name: Show by which names a container finds the others
  ansible.builtin.debug:
    msg: "{{ wiring_result | linuxnet.containers.wiring_hosts('web') }}"
"""

RETURN = r"""
---
_value:
  description: The lines, each with its end.
  type: str
  sample: "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n172.17.0.9 web\n172.17.0.10 db\n"
"""


@in_sentences(AnsibleFilterError, (AnsibleError, TemplateError))
def wiring_hosts(result: Mapping[str, Any], name: str) -> str:
    """Return the text."""
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import hosts_file  # see wiring_plan

    if isinstance(result, Mapping) and name not in result:
        raise AnsibleFilterError(
            "wiring_hosts: there is no container '%s' in what it was given, which has what the role wired in this run."
            % name
        )
    with understood(Refused, "wiring_hosts: what it was given, which is no result of the role's,"):
        return "".join("%s\n" % line for line in hosts_file.lines(result, name))


class FilterModule:
    """The filter, by name."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"wiring_hosts": wiring_hosts}
