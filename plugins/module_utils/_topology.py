# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wiring that was made, summed up by container, and as a picture in text: who is behind which veth. Pure."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence, Tuple

Item = Dict[str, Any]


def text(wiring: Mapping[str, Mapping[str, Any]], networks: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return the picture of a ``wiring_result``; ``networks`` (the role's list) adds the subnets of the bridges."""
    subnets = {
        one["name"]: ", ".join(one.get("subnets") or ()) for one in networks if one.get("state", "present") != "absent"
    }
    ports: Dict[str, List[str]] = {name: [] for name in subnets}
    alone = []
    for name, box in wiring.items():
        if not box["interfaces"]:
            alone.append("%s  (%s: only lo)" % (name, box["network_mode"]))
        for one in box["interfaces"]:
            line = "%s ─── %s in %s  %s" % (one["host_interface"], one["name"], name, "  ".join(one["addresses"]))
            ports.setdefault(one["bridge"], []).append(line.rstrip())
    lines = ["host"]
    trunk = list(ports.items())
    for place, (bridge, entries) in enumerate(trunk):
        last = place == len(trunk) - 1
        lines.append("%s─ %s  %s" % ("└" if last else "├", bridge, subnets.get(bridge, "")))
        for number, entry in enumerate(entries):
            lines.append("%s  %s─ %s" % (" " if last else "│", "└" if number == len(entries) - 1 else "├", entry))
    lines.extend(alone)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def result(results: Mapping[str, Sequence[Mapping[str, Any]]]) -> Dict[str, Item]:
    """Return by container what its wiring is now, from the modules' ``results`` (by step, in order).

    ``{name: {netns, path, network_mode, interfaces: [{name, host_interface, bridge, mac, mtu, addresses, gateway}], routes,
    published_ports}}``.
    """
    found: Dict[str, Item] = {}
    for entry in _afters(results, "netns"):
        found[entry["name"]] = {
            "netns": entry["name"],
            "path": entry["path"],
            "network_mode": "none",
            "interfaces": [],
            "routes": [],
            "published_ports": [],
        }
    by_interface: Dict[Tuple[str, str], Item] = {}
    for entry in _afters(results, "veth"):
        box = found.get(entry.get("peer_netns") or "")
        if box is None:
            continue
        box["network_mode"] = "bridge"
        one = {
            "name": entry["peer_name"],
            "host_interface": entry["name"],
            "bridge": entry["bridge"],
            "mac": entry["peer_mac"],
            "mtu": entry["peer_mtu"],
        }
        one.update(addresses=[], gateways=[])
        box["interfaces"].append(one)
        by_interface[box["netns"], entry["peer_name"]] = one
    by_host_interface = {one["host_interface"]: one for one in by_interface.values()}
    for entry in _afters(results, "bridge_port"):
        by_host_interface.get(entry["interface"], {})["bridge"] = entry["bridge"]
    for entry in _afters(results, "address"):
        one = by_interface.get((entry.get("netns") or "", entry["interface"]), {})
        if one:
            one["addresses"].append(entry["address"])
            if entry.get("gateway"):
                one["gateways"].append(entry["gateway"])
    for entry in _afters(results, "route"):
        box = found.get(entry.get("netns") or "")
        if box is not None:
            ways = ("destination", "gateway", "interface", "metric", "table")
            box["routes"].append({name: entry[name] for name in ways if entry.get(name) not in (None, "", "main")})
    return found


def _afters(results: Mapping[str, Sequence[Mapping[str, Any]]], step: str) -> List[Mapping[str, Any]]:
    return [entry["after"] for entry in results.get(step) or () if entry.get("after")]
