# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan that a host keeps: which networks and containers it brings back by itself, and with which addresses. Pure.

It has entries of the role's lists, and what the host made of them that would not be the same at boot: the address of a pool, the MTU of the interface with the
default route, the name of the host.
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import field, replace
from typing import Collection, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused, understood
from ansible_collections.linuxnet.containers.plugins.module_utils._model.lasting import MARK
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import (
    TEARDOWN,
    WIRE,
    Item,
    Plan,
    empty_plan,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.variables import entries

_VERSION = 1
OWN = "netns"  # the engine of containers whose namespace is ours, which needs no process


@dataclass(frozen=True)
class Kept:
    """What is kept. ``addresses``: those that were given, by container and interface, CIDRs. ``mtus``: of bridges, by network. ``identity`` is what
    tells the host from others (`kernel_api.Source.identity`)."""

    networks: Sequence[Item] = ()
    containers: Sequence[Item] = ()
    addresses: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    mtus: Mapping[str, int] = field(default_factory=dict)
    identity: str = ""
    backend: str = "auto"
    drift: str = "ignore"

    def __bool__(self) -> bool:
        return bool(self.networks or self.containers)


@dataclass(frozen=True)
class Asked:
    """What a run asks to be kept: entries in canonical form, each network of a container among them; and names of those that are not to be kept any
    more. ``only``: nothing else is kept (purge), but for the names in ``stay``. ``drift`` is None where it stays as it is."""

    networks: Sequence[Item] = ()
    containers: Sequence[Item] = ()
    forget_networks: Collection[str] = ()
    forget_containers: Collection[str] = ()
    only: bool = False
    stay_networks: Collection[str] = ()
    stay_containers: Collection[str] = ()
    drift: Optional[str] = None


# --- as text ---


def text_of(kept: Kept) -> str:
    """Return the text of the file, ``""`` where nothing is kept. The same plan has the same text."""
    if not kept:
        return ""
    document = {
        "#": MARK + ": what this host brings back by itself. A run of the role writes it anew.",
        "version": _VERSION,
        "identity": kept.identity,
        "firewall_backend": kept.backend,
        "drift": kept.drift,
        "networks": list(kept.networks),
        "containers": list(kept.containers),
        "addresses": {name: dict(one) for name, one in kept.addresses.items()},
        "mtus": dict(kept.mtus),
    }
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def read(text: str) -> Kept:
    """Return the plan of the file's text, nothing kept for ``""``. Raises `Invalid` for what is no such plan."""
    if not text:
        return Kept()
    with understood(Invalid, "The plan that is kept on this host, which cannot be read,"):
        document = json.loads(text)
        if document["version"] != _VERSION:
            raise Invalid(
                "The plan that is kept on this host is of another release (version %s)." % document["version"]
            )
        addresses = {
            str(name): {
                str(interface): [str(ipaddress.ip_interface(one)) for one in given] for interface, given in one.items()
            }
            for name, one in document["addresses"].items()
        }
        found = Kept(
            entries("networks", document["networks"]),
            entries("containers", document["containers"]),
            addresses,
            {str(name): int(mtu) for name, mtu in document["mtus"].items()},
            str(document["identity"]),
            str(document["firewall_backend"]),
            str(document.get("drift", "ignore")),
        )
        compile_plan(found.networks, found.containers)
        return found


# --- moved on by a run ---


def merged(kept: Kept, asked: Asked) -> Tuple[Kept, List[str]]:
    """Return what is kept after a run, and warnings. What the run does not list stays as an earlier one had it; so does a network that it gives up while
    containers of earlier runs are on it, as its bridge does. Raises `Invalid` where both together are no plan."""
    containers = _merged(kept.containers, asked.containers, asked.forget_containers, asked.only, asked.stay_containers)
    warnings = []
    names = {container["name"] for container in containers}
    for container in [one for one in containers if _joined(one) not in ("", *names)]:
        text = "Container '%s', of an earlier run, is not kept on this host any more, for container '%s' is not."
        warnings.append(text % (container["name"], _joined(container)))
        containers.remove(container)
        names.remove(container["name"])
    on = {entry["name"]: container["name"] for container in containers for entry in container.get("networks") or ()}
    for name in [name for name in on if name in asked.forget_networks]:
        text = "Network '%s' stays among those that are kept on this host, for container '%s', of an earlier run, is on it."
        warnings.append(text % (name, on[name]))
    forget = [name for name in asked.forget_networks if name not in on]
    networks = _merged(kept.networks, asked.networks, forget, asked.only, {*asked.stay_networks, *on})
    there = {network["name"] for network in networks}
    addresses = {name: given for name, given in kept.addresses.items() if name in names}
    mtus = {name: mtu for name, mtu in kept.mtus.items() if name in there}
    drift = asked.drift or kept.drift
    found = replace(kept, networks=networks, containers=containers, addresses=addresses, mtus=mtus, drift=drift)
    try:
        compile_plan(found.networks, found.containers)
    except Invalid as error:
        text = "wiring_persist: what this run and earlier ones list together is no plan that could be kept: %s List what is to go with state: absent."
        raise Invalid(text % error) from error
    return found, warnings


def _joined(container: Item) -> str:
    """Return the container whose namespace a container shares, ``""`` where it shares none."""
    return str(container["network_mode"]).partition(":")[2]


def _merged(
    old: Sequence[Item], new: Sequence[Item], forget: Collection[str], only: bool, stay: Collection[str]
) -> List[Item]:
    """Return the entries of both, a new one in the place of an old one of its name."""
    found = {
        entry["name"]: entry for entry in old if entry["name"] not in forget and (not only or entry["name"] in stay)
    }
    found.update((entry["name"], entry) for entry in new)
    return list(found.values())


# --- carried out ---


def part(kept: Kept, names: Sequence[str]) -> Kept:
    """Return what is kept of some containers, with those whose namespaces they share, and their networks. Raises `Refused` for a name that is not kept."""
    by_name = {container["name"]: container for container in kept.containers}
    found: Dict[str, Item] = {}
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in by_name:
            raise Refused("Container '%s' is not among those that are kept on this host." % name)
        found[name] = by_name[name]
        joined = _joined(by_name[name])
        todo.extend([joined] if joined and joined not in found else [])
    attached = {entry["name"] for container in found.values() for entry in container.get("networks") or ()}
    return replace(
        kept,
        networks=[network for network in kept.networks if network["name"] in attached],
        containers=[container for container in kept.containers if container["name"] in found],
    )


def with_joined(kept: Kept, names: Sequence[str]) -> List[str]:
    """Return containers and those that share their namespaces."""
    found = list(names)
    for name in found:  # which grows meanwhile
        found.extend(
            container["name"]
            for container in kept.containers
            if _joined(container) == name and container["name"] not in found
        )
    return found


def without(kept: Kept, names: Collection[str]) -> Kept:
    """Return what is kept but for some containers."""
    return replace(kept, containers=[container for container in kept.containers if container["name"] not in names])


def compiled(kept: Kept, at_rest: Collection[str] = (), starting: str = "") -> Plan:
    """Return the plan that brings all back, with the addresses and MTUs that there were.

    An uplink that is not there yet is no port yet: `lasting.online` looks again. Of containers ``at_rest`` it takes away what is left: ports that lead to
    nobody, a handle to nothing. ``starting``: the container that an engine is starting just now: that of others, whose namespace it shares, has its name
    already, and the engine does not answer before that is done.
    """
    entries = [
        dict(container, state="absent") if container["name"] in at_rest else container for container in kept.containers
    ]
    plan = compile_plan(kept.networks, entries)
    wire = plan[WIRE]
    wire["address"] = [_with_address(item, kept) for item in wire["address"]]
    wire["bridge"] = [_with_mtu(item, item["name"], kept) for item in wire["bridge"]]
    wire["veth"] = [_with_mtu(item, str(item.get("bridge") or item.get("port_of")), kept) for item in wire["veth"]]
    wire["route"] = [_where_it_can(item) for item in wire["route"]]
    wire["bridge_port"] = [dict(item, optional=True) if "only_ours" in item else item for item in wire["bridge_port"]]
    if starting:
        for step in ("netns", "join"):
            wire[step] = [item for item in wire[step] if item["name"] == starting or "engine" not in item]
    return plan


def _where_it_can(item: Item) -> Item:
    """Return the item of a route, which is left out where it leads straight to another host and nobody knows the way yet: at boot the host has no addresses
    at first, and `lasting.online` looks again."""
    straight = "direct_gateway" in item and "gateway" not in item
    return dict(item, optional=True) if straight else item


def _with_mtu(item: Item, network: str, kept: Kept) -> Item:
    """Return the item of a link of a network with the MTU that there was, where it is to be that of something else."""
    if item.get("mtu") != "auto" or network not in kept.mtus:
        return item
    rest = {name: value for name, value in item.items() if name not in ("mtu_of", "mtu_less")}
    return dict(rest, mtu=str(kept.mtus[network]))


def _with_address(item: Item, kept: Kept) -> Item:
    """Return the item of an address with the one that was given, where it is to be one of a pool."""
    if "pool" not in item:
        return item
    pool = ipaddress.ip_network(item["pool"])
    for text in kept.addresses.get(item["netns"], {}).get(item["interface"], ()):
        given = ipaddress.ip_interface(text)
        if given.version == pool.version and given.ip in pool:
            rest = {name: value for name, value in item.items() if name not in ("pool", "range", "exclude")}
            return dict(rest, address="%s/%d" % (given.ip, pool.prefixlen))
    return item


def undone(kept: Kept, names: Sequence[str] = ()) -> Plan:
    """Return the plan that takes all down; of some containers, where ``names`` are given, those alone, and no network."""
    gone = [dict(container, state="absent") for container in kept.containers if not names or container["name"] in names]
    plan = compile_plan(kept.networks, gone, "present" if names else "absent")
    checks = [
        item for item in plan[WIRE]["nat"] if item.get("type") == "spoof_check"
    ]  # the ends of those that the containers had
    plan[TEARDOWN]["nat"].extend(checks)
    return {**plan, WIRE: empty_plan()[WIRE]}
