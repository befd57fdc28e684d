# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of a wiring, in order. One table: the role has a task for each, the module ``wiring`` takes them in one. Pure.

The teardown removes from the outside in, last what other objects need; the second half makes objects in the order a person would by hand. A published
port stands after what it leads to, and goes before it. What closes a network stands before its first pair, and goes after its last one; source NAT
stands before the routes that need it, and a tunnel to other hosts comes once nobody else can send to it. At the end of the second half come the names that
mean another container's namespace, and what the host keeps over a reboot; what it keeps no longer is the first of all.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence

from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import tunnel_interface

Item = Dict[str, Any]
Plan = Dict[str, Dict[str, List[Item]]]  # by half and step

TEARDOWN, WIRE = "teardown", "wire"


@dataclass(frozen=True)
class Step:
    """``title`` names the role's task. ``summed``: the results are part of ``wiring_result``."""

    half: str
    name: str
    module: str
    title: str
    summed: bool = False


KEEP = "keep"  # the step of a half that sees to what the host keeps over a reboot
STEPS = (
    Step(TEARDOWN, KEEP, "wiring", "Keep what is to be gone no longer"),
    Step(TEARDOWN, "publish", "nat", "Take back published ports"),
    Step(TEARDOWN, "route", "ns_route", "Remove routes and policy rules"),
    Step(TEARDOWN, "address", "ns_address", "Remove addresses of loopbacks"),
    Step(TEARDOWN, "veth", "veth", "Remove pairs"),
    Step(TEARDOWN, "link", "ns_link", "Remove tunnels and other links"),
    Step(TEARDOWN, "netns", "netns", "Remove namespaces"),
    Step(TEARDOWN, "bridge", "bridge", "Remove bridges"),
    Step(TEARDOWN, "vrf", "ns_link", "Remove VRFs"),
    Step(TEARDOWN, "nat", "nat", "Remove NAT"),
    Step(WIRE, "netns", "netns", "Make namespaces", summed=True),
    Step(WIRE, "vrf", "ns_link", "Make VRFs"),
    Step(WIRE, "bridge", "bridge", "Make bridges"),
    Step(WIRE, "nat", "nat", "Isolate the networks, and translate what leaves"),
    Step(WIRE, "link", "ns_link", "Make tunnels, and links on other interfaces", summed=True),
    Step(WIRE, "gateway", "ns_address", "Give the bridges their gateway addresses"),
    Step(WIRE, "veth", "veth", "Make pairs, each born in its place", summed=True),
    Step(WIRE, "bridge_port", "bridge_port", "Set the bridge ports", summed=True),
    Step(WIRE, "address", "ns_address", "Give the containers their addresses", summed=True),
    Step(WIRE, "route", "ns_route", "Set the routes", summed=True),
    Step(WIRE, "publish", "nat", "Publish ports", summed=True),
    Step(WIRE, "join", "netns", "Join other namespaces", summed=True),
    Step(WIRE, KEEP, "wiring", "Keep the wiring over a reboot"),
)


def empty_plan() -> Plan:
    """Return a plan in which no step is needed."""
    return {half: {step.name: [] for step in STEPS if step.half == half} for half in (TEARDOWN, WIRE)}


def network_by_name(steps: Mapping[str, Sequence[Item]]) -> Dict[str, str]:
    """Return the networks of a half by what their items name: the bridge, the tunnel to other hosts, the host's own addresses."""
    bridges = [item["name"] for item in steps.get("bridge", ())]
    found = {name: name for name in (*bridges, *(item["network"] for item in steps["route"] if "network" in item))}
    found.update([(tunnel_interface(name), name) for name in found])
    found.update([(item["name"], item["owner"]) for item in steps.get("link", ()) if item.get("owner")])
    for item in steps.get("gateway", ()):
        name = item["interface"]
        found.update({name: found.get(name, name), str(item.get("address")).partition("/")[0]: found.get(name, name)})
    return found


def is_network_s(step: str, item: Item) -> bool:
    """Return whether an item is a rule for a network."""
    return step == "nat" and item.get("type") not in ("dnat", "spoof_check")


def network_of(step: str, item: Item, known: Mapping[str, str]) -> str:
    """Return the network that an item is of, given those of its half `network_by_name`, ``""`` where it is a container's."""
    if is_network_s(step, item):
        return str(item["owner"])
    if step in ("link", "vrf") and (item.get("netns") or item.get("owner")):
        return str(item.get("owner") or "")
    if step in ("bridge", "link", "vrf"):
        return known.get(item["name"], item["name"])
    if step == "gateway":
        return known.get(item["interface"], item["interface"])
    if step == "bridge_port":
        return str(item["bridge"]) if item.get("only_ours") else known.get(item["interface"], "")
    if step == "route" and not item.get("netns"):
        return str(item.get("network") or known.get(item.get("source", ""), ""))
    return ""


def cable_name(pair: Item) -> str:
    """Return what a link between two containers is called, of which an item is the pair, ``""`` where it is another pair."""
    return "%(netns)s:%(name)s -- %(peer_netns)s:%(peer_name)s" % pair if pair.get("cable") else ""


def cable_at(steps: Mapping[str, Sequence[Item]], netns: Any, interface: Any) -> str:
    """Return what the link is called that has an end there, ``""`` where none has."""
    for item in steps["veth"]:
        ends = ((item.get("netns"), item.get("name")), (item["peer_netns"], item["peer_name"]))
        if item.get("cable") and (netns, interface) in ends:
            return cable_name(item)
    return ""


def rewired(plan: Plan) -> Item:
    """Return the option that says which pairs do not hold a bridge that is to go, nor its rules: those that the plan makes, which are
    about to be ports of another one."""
    links = (item["netns"] for item in plan[WIRE]["link"] if item.get("netns"))
    pairs = (item["peer_netns"] for item in plan[WIRE]["veth"] if not item.get("cable"))
    names = list(dict.fromkeys([*pairs, *links]))
    return {"rewired": names} if names else {}
