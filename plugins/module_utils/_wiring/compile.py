# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables, compiled to each module's list of items, in order. Pure; on the controller or on a target."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Set

from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import overlapping
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.containers import (
    REFERENCE,
    REFERENCES,
    Container,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.networks import Network
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import (
    TEARDOWN,
    WIRE,
    Item,
    Plan,
    empty_plan,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.variables import entries

_ANY_ADDRESS = {"ipv4": "192.0.2.1", "ipv6": "2001:db8::1"}  # RFC 5737, RFC 3849


def compile_plan(
    networks: Sequence[Mapping[str, Any]], containers: Sequence[Mapping[str, Any]], state: str = "present"
) -> Plan:
    """Return the plan for the role's variables: by half and step the items, ``[]`` for a step that is not needed. Raises `Invalid`.

    ``state`` absent takes down everything listed, whatever the items' own state says.
    """
    absent = state == "absent"
    checked_networks = _networks(networks)
    checked_containers = _containers(containers, checked_networks, absent)
    plan = empty_plan()
    for network in checked_networks.values():
        _add_network(plan, network, network.present and not absent)
    for container in _joined_first(checked_containers):
        _add_container(plan, container, container.present and not absent)
    _end_publishing_first(plan[WIRE])
    return plan


def _networks(given: Any) -> Dict[str, Network]:
    """Return the networks by name, in order. Raises `Invalid`."""
    networks = [Network(spec) for spec in entries("networks", given)]
    _check_unique("networks", [network.name for network in networks])
    subnets = [(network, subnet.net) for network in networks for subnet in network.subnets]
    for number, (network, net) in enumerate(subnets if overlapping([net for dummy, net in subnets]) else ()):
        for earlier, taken in subnets[:number]:
            if earlier is not network and net.overlaps(taken):
                raise Invalid(
                    "wiring_networks: %s of network '%s' overlaps %s of network '%s'."
                    % (net, network.name, taken, earlier.name)
                )
    return {network.name: network for network in networks}


def _containers(given: Any, networks: Mapping[str, Network], absent: bool) -> Dict[str, Container]:
    """Return the containers by name, in order. Raises `Invalid`."""
    containers = [Container(spec, networks) for spec in entries("containers", given)]
    _check_unique("containers", [container.name for container in containers])
    by_name = {container.name: container for container in containers}
    for container in containers:
        if container.present and not absent:
            container.check_joined(by_name)
    return by_name


def _check_unique(variable: str, names: Sequence[str]) -> None:
    seen: Set[str] = set()
    for name in names:
        if name in seen:
            raise Invalid("wiring_%s: '%s' is listed twice." % (variable, name))
        seen.add(name)


def _joined_first(containers: Mapping[str, Container]) -> List[Container]:
    """Return the containers, each after the container whose namespace it shares; otherwise in the order they are listed. Of a circle,
    which only absent containers can make, the last one comes first."""
    ordered: Dict[str, Container] = {}
    for container in containers.values():
        path = {container.name: container}
        joined = containers.get(container.joined)
        while joined is not None and joined.name not in ordered and joined.name not in path:
            path[joined.name] = joined
            joined = containers.get(joined.joined)
        ordered.update(reversed(list(path.items())))
    return list(ordered.values())


def _add_network(plan: Plan, network: Network, present: bool) -> None:
    half = plan[WIRE if present else TEARDOWN]
    half["nat"].extend(network.nat(present))
    half["bridge"].extend(network.bridge(present))
    if present:
        half["gateway"].extend(network.gateways())


def _add_container(plan: Plan, container: Container, present: bool) -> None:
    down, wire = plan[TEARDOWN], plan[WIRE]
    wired = present and container.mode == "bridge"
    if not wired:  # what an earlier run gave it goes
        down["nat"].extend(container.nat(present=False))
        down["route"].extend(container.policy_routes())
        down["veth"].extend(dict(item, state="absent") for item in container.bare_pairs())
    if not present:
        down["netns"].insert(0, {"name": container.name, "state": "absent"})  # those that share a namespace first
        return
    wire["join" if container.shares else "netns"].append(container.netns())
    if wired:
        for attachment in container.attachments:
            wire["veth"].append(attachment.pair())
            wire["address"].extend(attachment.addresses())
            wire["bridge_port"].extend(attachment.port())
        wire["route"].extend(container.routes())
        wire["publish"].extend(container.nat(present=True))


def _end_publishing_first(wire: Dict[str, List[Item]]) -> None:
    """Where no port is to be published, have those of earlier runs ended with the rest that needs no address: that is a step less."""
    if all(item.get("state") == "absent" for item in wire["publish"]):
        wire["nat"].extend(wire["publish"])
        wire["publish"] = []


def resolved(
    items: Sequence[Item], addresses: Optional[Sequence[Mapping[str, Any]]], partly: bool = False
) -> List[Item]:
    """Return nat items with the addresses that the step `address` gave in place of the references to them.

    ``addresses`` are that step's results; None, where it has not run, stands for any. Raises `Invalid` for a reference that is to none
    of them; ``partly``: that one stays.
    """
    known = {REFERENCE % result["after"]: result["after"]["ip"] for result in addresses or () if result.get("after")}
    found = []
    for item in items:
        match = REFERENCES.fullmatch(str(item.get("to_address")))
        if match is not None:
            ip = _ANY_ADDRESS[match["family"]] if addresses is None else known.get(match[0])
            if ip is None and not partly:
                raise Invalid(
                    "published_ports: container '%(netns)s' got no %(family)s address on %(interface)s."
                    % match.groupdict()
                )
            item = dict(item, to_address=ip or match[0])
        found.append(item)
    return found
