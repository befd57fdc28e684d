# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which resource takes which step of a plan, and the check of a whole plan before its first step. Pure."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from ansible_collections.linuxnet.containers.plugins.module_utils._errors import Invalid, Lacking
from ansible_collections.linuxnet.containers.plugins.module_utils._items import parsed, validator
from ansible_collections.linuxnet.containers.plugins.module_utils._plan import resolved
from ansible_collections.linuxnet.containers.plugins.module_utils._resource import Resource
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import (
    bridge,
    bridge_port,
    nat,
    netns,
    ns_address,
    ns_route,
    veth,
)

RESOURCES: Mapping[str, Resource[Any, Any]] = {
    "netns": netns.RESOURCE,
    "bridge": bridge.RESOURCE,
    "gateway": ns_address.RESOURCE,
    "veth": veth.RESOURCE,
    "bridge_port": bridge_port.RESOURCE,
    "address": ns_address.RESOURCE,
    "route": ns_route.RESOURCE,
    "nat": nat.RESOURCE,
    "join": netns.RESOURCE,
}


def checked(plan: Dict[str, Dict[str, List[Any]]]) -> Dict[str, Dict[str, List[Any]]]:
    """Return a compiled plan of which every item is right, so that a step does not fail for its input after earlier ones ran.

    Raises `Invalid`. What cannot be checked here for want of a library is left to the modules.
    """
    for steps in plan.values():
        for step, listed in steps.items():
            resource = RESOURCES[step]
            validates = validator(resource)
            try:
                resource.together([_parsed(resource, validates, item) for item in resolved(listed, None)])
            except Lacking:
                continue
    return plan


def _parsed(resource: Resource[Any, Any], validates: Any, item: Mapping[str, Any]) -> Any:
    try:
        return parsed(resource, validates, item)
    except Invalid as error:
        whose = next(item[name] for name in ("peer_netns", "netns", "owner", "name", "interface") if item.get(name))
        raise Invalid("wiring of '%s': %s" % (whose, error)) from error
