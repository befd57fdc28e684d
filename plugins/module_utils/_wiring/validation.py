# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The items of a plan, checked: all of them before the first step, by the resource that takes the step. Pure."""

from __future__ import annotations

import contextlib
from typing import Any, List, Mapping, Sequence

from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Lacking
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import (
    bridge,
    bridge_port,
    netns,
    ns_address,
    ns_route,
    veth,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import resource as nat
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Resource
from ansible_collections.linuxnet.containers.plugins.module_utils._run.validation import parsed, validator
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import resolved
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import STEPS, Plan

_BY_MODULE: Mapping[str, Resource[Any, Any]] = {
    resource.noun: resource
    for resource in (
        bridge.RESOURCE,
        bridge_port.RESOURCE,
        nat.RESOURCE,
        netns.RESOURCE,
        ns_address.RESOURCE,
        ns_route.RESOURCE,
        veth.RESOURCE,
    )
}
RESOURCES: Mapping[str, Resource[Any, Any]] = {step.name: _BY_MODULE[step.module] for step in STEPS}  # by step
# Of these options the first one that an item has says whose item it is.
_OWNERS = ("peer_netns", "netns", "owner", "name", "interface")


def checked(plan: Plan) -> Plan:
    """Return a compiled plan of which every item is right, so that no step fails for its input after earlier steps ran.

    Raises `Invalid`. What cannot be checked here for want of a library is left to the modules.
    """
    for half in plan.values():
        for step, items in half.items():
            with contextlib.suppress(Lacking):
                wants_of(step, resolved(items, None))
    return plan


def wants_of(step: str, items: Sequence[Mapping[str, Any]]) -> List[Any]:
    """Return the wants of a step's items. Raises `Invalid`, which says whose item it is, or `Lacking`."""
    resource = RESOURCES[step]
    validates = validator(resource)
    return resource.together([_parsed(resource, validates, item) for item in items])


def _parsed(resource: Resource[Any, Any], validates: Any, item: Mapping[str, Any]) -> Any:
    try:
        return parsed(resource, validates, item)
    except Invalid as error:
        owner = next(item[name] for name in _OWNERS if item.get(name))
        raise Invalid("wiring of '%s': %s" % (owner, error)) from error
