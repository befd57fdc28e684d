# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wiring that was made, summed up by container, and as a picture in text: who is behind which veth. Pure."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence, Tuple

Item = Dict[str, Any]
# By (bridge, its subnets or addresses) its ports, as (interface, what it is linked to, addresses), with who has that.
Trunk = Dict[Tuple[str, str], Dict[Tuple[str, str, str], List[str]]]


def text(wiring: Mapping[str, Any], networks: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return the picture of a ``wiring_result``, or of what ``wiring_info`` returns as ``wiring``; ``networks`` (the role's list)
    adds the subnets of the bridges."""
    subnets = {
        one["name"]: ", ".join(one.get("subnets") or ()) for one in networks if one.get("state", "present") != "absent"
    }
    seen = any(isinstance(one, list) for one in wiring.values())  # wiring_info has lists, wiring_result has containers
    lines = _seen(wiring, subnets) if seen else _made(wiring, subnets)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _made(wiring: Mapping[str, Mapping[str, Any]], subnets: Mapping[str, str]) -> List[str]:
    """Return the lines of a ``wiring_result``. Containers that share a namespace are on one line."""
    trunk: Trunk = {(name, subnet): {} for name, subnet in subnets.items()}
    alone = []
    for name, box in wiring.items():
        if box["network_mode"] == "host":
            alone.append("%s  (host)" % name)
        elif not box["interfaces"]:
            alone.append("%s  (%s: only lo)" % (name, box["network_mode"]))
        for one in box["interfaces"]:
            port = trunk.setdefault((one["bridge"], subnets.get(one["bridge"], "")), {})
            port.setdefault((one["host_interface"], one["name"], "  ".join(one["addresses"])), []).append(name)
    return _tree("host", trunk) + alone


def _seen(wiring: Mapping[str, Any], subnets: Mapping[str, str]) -> List[str]:
    """Return the lines of what ``wiring_info`` found: a tree of the host, one of each namespace that has bridges or pairs of its
    own, then the namespaces that nothing leads to, then what was left behind."""
    spaces = {one["name"] or one["path"]: one for one in wiring.get("namespaces", ())}
    trees: Dict[Any, Trunk] = {None: {}}
    for one in wiring.get("bridges", ()):
        addresses = [
            address["address"]
            for address in wiring.get("addresses", ())
            if (address["netns"], address["interface"]) == (one["netns"], one["name"]) and address["scope"] != "link"
        ]
        heading = (one["name"], subnets.get(one["name"]) or ", ".join(addresses))
        near = {pair["name"] for pair in wiring.get("veths", ()) if pair["netns"] == one["netns"]}
        tree = trees.setdefault(one["netns"], {})
        tree[heading] = {(port, "", ""): [] for port in one["ports"] if port not in near}
    for one in wiring.get("veths", ()):
        tree = trees.setdefault(one["netns"], {})
        end = (one["name"], one["peer_name"] or "out of sight", "  ".join(one["addresses"]))
        space = spaces.get(one["peer_netns"]) or _unlisted(one["owner"], one["container"], one["engine"])
        heading = next((key for key in tree if key[0] == one["bridge"]), (one["bridge"], ""))
        tree.setdefault(heading, {})[end] = [_who(space)] if one["owner"] else []
    lines = _tree("host", trees.pop(None))
    for netns, tree in trees.items():
        lines += _tree("in " + _who(spaces.get(netns) or _unlisted(netns)), tree)
    drawn = {*trees, *(one["peer_netns"] for one in wiring.get("veths", ()))}
    shown = {spaces[netns]["inode"] for netns in drawn if netns in spaces}
    for one in spaces.values():
        if one["inode"] not in shown:
            shown.add(one["inode"])
            what = "host" if "host" in one["shared_with"] else ", ".join(one["interfaces"]) or "only lo"
            lines.append("%s  (%s)" % (_who(one), what))
    return lines + ["orphan %s %s: %s" % (one["kind"], one["name"], one["why"]) for one in wiring.get("orphans", ())]


def _who(space: Mapping[str, Any]) -> str:
    """Return who is in a namespace: its names and the containers that engines run in it, or, without any, its owner."""
    engines = {one["name"]: one["engine"] for one in space["containers"]}
    names = [space["name"], *(name for name in space["shared_with"] if name != "host")] if space["name"] else [*engines]
    shown = names or [space["owner"]]
    run = dict.fromkeys(engine if name in shown else "%s %s" % (engine, name) for name, engine in engines.items())
    return ", ".join(shown) + (" (%s)" % ", ".join(run) if run else "")


def _unlisted(owner: str, container: Any = None, engine: Any = None) -> Item:
    """Return what is known of a namespace where ``wiring_info`` was not asked for the namespaces."""
    containers = [{"name": container, "engine": engine}] if container else []
    return {"name": owner, "shared_with": [], "owner": owner, "containers": containers}


def _tree(root: str, trunk: Trunk) -> List[str]:
    """Return the lines of one namespace: its bridges with their ports, and what is on no bridge beside them."""
    branches: List[Tuple[str, List[str]]] = []
    for (bridge, subnet), ports in trunk.items():
        entries = [_port(*port, names=names) for port, names in ports.items()]
        if bridge:
            branches.append(("%s  %s" % (bridge, subnet), entries))
        else:
            branches.extend((entry, []) for entry in entries)
    lines = [root]
    for place, (heading, entries) in enumerate(branches):
        last = place == len(branches) - 1
        lines.append("%s─ %s" % ("└" if last else "├", heading))
        for number, entry in enumerate(entries):
            lines.append("%s  %s─ %s" % (" " if last else "│", "└" if number == len(entries) - 1 else "├", entry))
    return lines


def _port(near: str, far: str, addresses: str, names: Sequence[str]) -> str:
    """Return an interface, what it is linked to, and who has that."""
    line = near + (" ─── " + far if far else "") + (" in " + ", ".join(names) if names else "")
    return "%s  %s" % (line, addresses) if addresses else line


def result(
    results: Mapping[str, Sequence[Mapping[str, Any]]], join: Sequence[Mapping[str, Any]] = ()
) -> Dict[str, Item]:
    """Return by container what its wiring is now, from the modules' ``results`` (by step, in order); ``join`` has the items that
    the step of that name was asked for.

    ``{name: {netns, path, network_mode, interfaces: [{name, host_interface, bridge, mac, mtu, addresses, gateway}], routes,
    published_ports}}``.
    """
    found: Dict[str, Item] = {}
    for entry in _afters(results, "netns"):
        found[entry["name"]] = _box(entry, "none")
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
            ways = ("destination", "gateway", "interface", "metric", "table", "rule_source")
            box["routes"].append({name: entry[name] for name in ways if entry.get(name) not in (None, "", "main")})
    for entry in _afters(results, "nat"):
        box = found.get(entry.get("owner") or "") if entry["type"] == "dnat" else None
        if box is not None:
            shown = ("host_ip", "host_port", "to_address", "to_port", "protocol")
            box["published_ports"].append({name: entry[name] for name in shown})
    for item, entry in zip(join, _afters(results, "join")):
        owner, box = item["share"], _box(entry, "host" if item["share"] == "host" else "container:" + item["share"])
        shared = found.get(owner, {})
        box.update((name, shared[name]) for name in ("interfaces", "routes", "published_ports") if name in shared)
        found[box["netns"]] = box
    return found


def _box(entry: Mapping[str, Any], mode: str) -> Item:
    return {
        "netns": entry["name"],
        "path": entry["path"],
        "network_mode": mode,
        "interfaces": [],
        "routes": [],
        "published_ports": [],
    }


def _afters(results: Mapping[str, Sequence[Mapping[str, Any]]], step: str) -> List[Mapping[str, Any]]:
    return [entry["after"] for entry in results.get(step) or () if entry.get("after")]
