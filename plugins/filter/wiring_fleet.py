# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping

from ansible.errors import AnsibleError, AnsibleFilterError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused, in_sentences
from jinja2 import TemplateError, pass_context
from jinja2.runtime import Context

DOCUMENTATION = r"""
---
name: wiring_fleet
short_description: Find the hosts that share networks in the inventory
version_added: 0.3.0
author:
  - linuxnet.containers contributors
description:
  - Returns the hosts of a group, or those that are named, each with its address in the underlay and the number of its slice, as the inventory has them.
  - It goes over the whole inventory, so the role P(linuxnet.containers.wiring#role) has it done once a play.
positional: _input, refusal
options:
  _input:
    description: A group, or groups and hosts by name, as C(wiring_fleet) has them. Hosts that are dictionaries already stay as they are.
    type: list
    elements: raw
    required: true
  refusal:
    description: With V(true) what is wrong is no error, but C(refusal), a sentence, in the result, with no hosts.
    type: bool
    default: false
"""

EXAMPLES = r"""
---
- name: Show who shares networks
  ansible.builtin.debug:
    msg: "{{ ['fleet'] | linuxnet.containers.wiring_fleet }}"
"""

RETURN = r"""
---
_value:
  description: A dictionary with C(hosts), a list of dictionaries with C(name), C(underlay_address) and, where it is set, C(slice).
  type: dict
"""


def _hosts(context: Context, fleet: Any) -> List[Dict[str, Any]]:
    """Return the hosts. Raises `Invalid`."""
    groups: Mapping[str, Any] = context.resolve_or_missing("groups")
    hostvars: Mapping[str, Any] = context.resolve_or_missing("hostvars")
    found: Dict[str, Dict[str, Any]] = {}
    for one in [fleet] if isinstance(fleet, (str, Mapping)) else fleet:
        if isinstance(one, Mapping):
            found[str(one.get("name"))] = dict(one)
            continue
        names = groups.get(one, [one] if one in hostvars else None)
        if names is None:
            raise Invalid("wiring_fleet: there is no group and no host '%s' in the inventory." % (one,))
        for name in names:
            if name not in found:
                found[str(name)] = _host(str(name), hostvars[name])
    return list(found.values())


def _host(name: str, known: Mapping[str, Any]) -> Dict[str, Any]:
    """Return a host as the inventory has it. Raises `Invalid` where that needs what is not known here."""
    try:
        # As text, since what is not there may be said only when it is looked at.
        address = str(next((known[key] for key in ("wiring_underlay_address", "ansible_host") if key in known), name))
        number = known.get("wiring_slice")
        host: Dict[str, Any] = {"name": name, "underlay_address": address}
        if number not in (None, ""):
            host["slice"] = int(str(number)) if str(number).isdigit() else number
    except (AnsibleError, TemplateError) as error:
        raise Invalid(
            "wiring_fleet: host '%s': its wiring_underlay_address or wiring_slice cannot be told here, maybe for want of its facts: %s"
            % (name, error)
        ) from error
    return host


@pass_context
@in_sentences(AnsibleFilterError, (AnsibleError, TemplateError))
def wiring_fleet(context: Context, fleet: Any, refusal: bool = False) -> Dict[str, Any]:
    """Return the hosts that share networks; what is wrong becomes Ansible's error, or no hosts and why."""
    try:
        return {"hosts": _hosts(context, fleet)}
    except Refused as error:
        if refusal:
            return {"hosts": [], "refusal": str(error)}
        raise


class FilterModule:
    """The filter, by name."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"wiring_fleet": wiring_fleet}
