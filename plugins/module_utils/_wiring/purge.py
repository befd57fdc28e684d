# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role made and nobody lists any more: the items that take it away. Pure.

What is there is what `_wiring/survey` tells. Ours is what it tells to be: a pair that was made for a name in /run/netns, by its host end's
derived name or address; with it that name, and the ports published under it; a bridge with the derived address; source NAT and a
guard whose owner is their own bridge, as the role writes them. What cannot be told stays.
"""

from __future__ import annotations

import re
from typing import Any, Collection, Dict, List, Mapping, Sequence, Tuple

Item = Dict[str, Any]
Plan = Dict[str, Dict[str, List[Item]]]
There = Mapping[str, Sequence[Mapping[str, Any]]]

GATHER = ["namespaces", "bridges", "veths", "routes", "nat", "orphans"]  # what has to be told of what is there

# Where docker mounts the namespaces of its containers; the name of one is a link to there, and is left when it ends.
_DOCKERS = re.compile(r"/.*/docker/netns/[^/]+")
# Interfaces that a new namespace may have from the kernel (net.core.fb_tunnels_only_for_init_net).
_BORN = {"tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0"}


def purged(
    plan: Plan, networks: Sequence[Mapping[str, Any]], containers: Sequence[Mapping[str, Any]], there: There
) -> Tuple[Plan, List[str]]:
    """Return a compiled plan that also takes down what is ours and not listed, and warnings: what has to stay, and why."""
    listed = {str(one["name"]) for one in containers}
    pairs = [one for one in there["veths"] if one["netns"] is None and not (one["made_for"] or "/").startswith("/")]
    wired = {
        item["peer_netns"] for half in plan.values() for item in half["veth"]
    }  # the plan itself sees to their other pairs
    going = [one for one in pairs if one["made_for"] not in listed & wired]
    gone = [
        name for name in dict.fromkeys([*(one["made_for"] for one in going), *_dangling(there)]) if name not in listed
    ]
    inhabited = _inhabited(gone, pairs, there)
    unlisted, needed = _networks({str(one["name"]) for one in networks}, pairs, there)
    down: Dict[str, List[Item]] = {
        "nat": [*_rules(needed, plan, there), *_ports(gone, there)],
        "route": [_absent(one, _ROUTE) for one in there["routes"] if one["rule_source"] and one["netns"] in gone],
        "veth": [_absent(dict(one, peer_netns=one["made_for"]), _PAIR) for one in going],
        "netns": [{"name": name, "state": "absent"} for name in gone if name not in inhabited],
        "bridge": [{"name": name, "state": "absent"} for name in unlisted if name not in needed],
    }
    teardown = {step: [*down[step], *items] for step, items in plan["teardown"].items()}
    return {**plan, "teardown": teardown}, [*inhabited.values(), *needed.values()]


_PAIR = ("name", "peer_netns", "peer_name")
_ROUTE = ("netns", "destination", "family", "table", "metric", "type", "rule_source")


def _absent(entry: Mapping[str, Any], options: Sequence[str]) -> Item:
    return {**{name: entry[name] for name in options if name in entry}, "state": "absent"}


def _dangling(there: There) -> List[str]:
    """Return the names that containers of an engine left when they ended."""
    stale = [one for one in there["orphans"] if one["kind"] == "netns"]
    return [one["name"] for one in stale if _DOCKERS.fullmatch(one["target"] or "")]


def _inhabited(names: Sequence[str], pairs: Sequence[Mapping[str, Any]], there: There) -> Dict[str, str]:
    """Return the names that have to stay, each with why: somebody started something in the namespace, or put something there. The
    name of a running container of an engine is no more than a name."""
    spaces = {one["name"]: one for one in there["namespaces"]}
    own = {(one["made_for"], one["peer_name"]) for one in pairs}
    found = {}
    for name, space in [(name, spaces[name]) for name in names if name in spaces]:
        if space.get("symlink") or name in [one["name"] for one in space["containers"]]:
            continue
        within = ["process %(pid)d (%(command)s)" % one for one in space["processes"]]
        for interface in space["interfaces"]:
            if interface not in _BORN and not any((one, interface) in own for one in (name, *space["shared_with"])):
                within.append("interface " + interface)
        if within:
            found[name] = (
                "Netns '%s' is not listed any more and loses its wiring, but the name stays, for what is in it is not ours: %s. "
                "The module netns with state: absent takes it away." % (name, ", ".join(within))
            )
    return found


def _networks(
    listed: Collection[str], pairs: Sequence[Mapping[str, Any]], there: There
) -> Tuple[List[str], Dict[str, str]]:
    """Return our bridges that nobody lists; and those of them that have to stay, each with why: they have ports of others."""
    own = {one["name"] for one in pairs}
    unlisted = [one for one in there["bridges"] if one["netns"] is None and one["ours"] and one["name"] not in listed]
    ports = {one["name"]: [port for port in one["ports"] if port not in own] for one in unlisted}
    text = "Bridge '%s' is not listed any more, but stays with its addresses and rules, for it has ports that are not ours: %s."
    return [*ports], {name: text % (name, ", ".join(others)) for name, others in ports.items() if others}


def _rules(needed: Collection[str], plan: Plan, there: There) -> List[Item]:
    """Return the items that end what the role wrote for networks, and subnets, that nobody lists."""
    items = [item for half in plan.values() for item in half["nat"] if item.get("type") != "dnat"]
    asked = {(item["owner"], item.get("source")) for item in items}
    found = []
    for rule in there["nat"]:
        guard = rule["type"] == "filter"
        ours = rule["bridge"] == rule["owner"] if guard else rule.get("out_interface") == "!" + rule["owner"]
        if ours and rule["owner"] not in needed and (rule["owner"], rule.get("source")) not in asked:
            found.append(_absent(rule, ("type", "bridge", "owner") if guard else ("source", "owner")))
    return found


def _ports(gone: Sequence[str], there: There) -> List[Item]:
    owners = {rule["owner"] for rule in there["nat"] if rule["type"] == "dnat"}
    return [{"type": "dnat", "owner": name, "state": "absent"} for name in gone if name in owners]
