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
    ns_link,
    ns_route,
    veth,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import resource as nat
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Resource
from ansible_collections.linuxnet.containers.plugins.module_utils._run.validation import distinct, parsed, validator
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.attachments import host_end
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import resolved
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.published_ports import Port, spelled
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import (
    KEEP,
    STEPS,
    WIRE,
    Item,
    Plan,
    cable_at,
    cable_name,
    network_by_name,
    network_of,
)

_BY_MODULE: Mapping[str, Resource[Any, Any]] = {
    resource.noun: resource
    for resource in (
        bridge.RESOURCE,
        bridge_port.RESOURCE,
        nat.RESOURCE,
        netns.RESOURCE,
        ns_address.RESOURCE,
        ns_link.RESOURCE,
        ns_route.RESOURCE,
        veth.RESOURCE,
    )
}
RESOURCES: Mapping[str, Resource[Any, Any]] = {
    step.name: _BY_MODULE[step.module] for step in STEPS if step.name != KEEP
}  # by step


def resource_of(step: str) -> Resource[Any, Any]:
    """Return the resource that takes a step."""
    if step == KEEP:
        # Here and not above: of use to those who ask for it.
        from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import lasting

        return lasting.RESOURCE
    return RESOURCES[step]


# What the lists of the role call an option of an item, by step; one that is not here is called as it is, below what the step is listed
# under.
_WORDS: Mapping[str, Mapping[str, str]] = {
    "veth": {"peer_mac": "mac_address", "name": "host_interface", "peer_name": "interface"},
    "address": {"address": "ipv%(version)d_address", "pool": "subnets", "range": "ranges", "gateway": "gateways"},
    "gateway": {"address": "gateways"},
    "nat": {"source": "subnets", "to_address": "outbound_ipv%(version)d"},
}
_OF_NETWORK = ("pool", "range", "exclude", "gateway")  # options of an address that its network has
_BELOW: Mapping[str, str] = {"bridge_port": "port", "route": "routes"}


def checked(plan: Plan) -> Plan:
    """Return a compiled plan of which every item is right, so that no step fails for its input after earlier steps ran.

    Raises `Invalid`. What cannot be checked here for want of a library is left to the modules.
    """
    for half in plan.values():
        for step, items in half.items():
            with contextlib.suppress(Lacking):
                wants_of(plan, step, resolved(items, None))
    return plan


def wants_of(plan: Plan, step: str, items: Sequence[Item]) -> List[Any]:
    """Return the wants of a step's items. Raises `Invalid`, in the words of the lists that the plan was made of, or `Lacking`."""
    resource = resource_of(step)
    validates = validator(resource)
    wants = [_parsed(plan, step, validates, item) for item in items]
    distinct(resource, wants, lambda number: _entry(plan, step, items[number]))
    try:
        return resource.together(wants)
    except Invalid as error:
        raise Invalid(_of_several(step, str(error))) from error


def _parsed(plan: Plan, step: str, validates: Any, item: Item) -> Any:
    try:
        return parsed(resource_of(step), validates, item)
    except Invalid as error:
        found = str(error)
        raise Invalid("%s: %s" % (_entry(plan, step, item, found), _worded(step, item, found))) from error


def _entry(plan: Plan, step: str, item: Item, error: str = "") -> str:
    """Return which entry of which list an item comes from, and is to blame for its error."""
    if step == KEEP:
        return "wiring_persist"
    link = cable_name(item) if step == "veth" else ""
    if step == "address" and not item.get("bridge"):
        link = cable_at(plan[WIRE], item["netns"], item["interface"])
    if link:
        return "wiring_links: link '%s'" % link
    if step == "address" and error.partition(": ")[0] in _OF_NETWORK:
        return "wiring_networks: network '%s'" % item["bridge"]
    network = network_of(step, item, network_by_name(plan[WIRE]))
    if network:
        return "wiring_networks: network '%s'" % network
    if step == "bridge_port":
        pairs = plan[WIRE]["veth"]
        name = next((pair["peer_netns"] for pair in pairs if host_end(pair) == item["interface"]), item["interface"])
    else:
        name = next(item[option] for option in ("peer_netns", "netns", "owner", "name") if item.get(option))
    return "wiring_containers: container '%s'" % name


def _of_several(step: str, error: str) -> str:
    """Return an error about several items of a step in the words of the lists."""
    option, colon, rest = error.partition(": ")
    word = "published_ports" if option == "host_port" else _WORDS.get(step, {}).get(option, option)
    return "wiring_containers: %s%s%s" % (word, colon, rest)


def _port(item: Item) -> str:
    """Return a published port as docker spells it."""
    return spelled(Port(item["host_port"], item["to_port"], item["protocol"], item.get("host_ip") or ""))


def _worded(step: str, item: Item, error: str) -> str:
    """Return an error of an item with the option in front as the lists call it."""
    option, colon, rest = error.partition(": ")
    if item.get("type") == "dnat":
        return "published_ports: '%s': %s" % (_port(item), error) if item.get("host_port") else error
    if step == "veth" and item.get("cable"):
        option, words = option.partition("peer_")[2] or option, {"mac": "mac_address", "name": "endpoints"}
        return "%s: %s" % (words.get(option, option), rest) if colon else error
    version = 6 if ":" in str(item.get("address") or item.get("source") or "") else 4
    if colon and option in _WORDS.get(step, ()):
        return "%s: %s" % (_WORDS[step][option] % {"version": version}, rest)
    return "%s: %s" % (_BELOW[step], error) if step in _BELOW else error
