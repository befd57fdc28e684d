# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wiring, summed up by container, and drawn as text: who is behind which veth, or made on which interface. Pure."""

from __future__ import annotations

import collections
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

Item = Dict[str, Any]
# By bridge (its name, ``""`` for no bridge, and its subnets or addresses) its ports (interface, what it is linked to, addresses), each
# with the names of who has that.
Bridges = Dict[Tuple[str, str], Dict[Tuple[str, str, str], List[str]]]

# Kinds of links that are drawn on what they are made on, or beside the bridges. A vxlan is drawn as the port of its bridge, a vrf as a bridge is.
_DRAWN = ("dummy", "ipvlan", "macvlan", "vlan")
_UNSEEN = "unknown"  # as ns_link has it of the namespace of a parent
_ROUTE = ("destination", "gateway", "interface", "metric", "table", "rule_source")
_SHARED = ("interfaces", "loopback_addresses", "routes", "published_ports")  # by those in one namespace
_PUBLISHED_PORT = ("host_ip", "host_port", "to_address", "to_port", "protocol")


# --- drawn ---


class Drawn(NamedTuple):
    """What a picture shows. ``trees``: who is in a namespace (None: the host), and its bridges; ``alone``: who is on none, and how that is;
    ``orphans``: a sentence each."""

    trees: List[Tuple[Optional[str], Bridges]]
    alone: List[Tuple[str, str]]
    orphans: List[str]


def text(wiring: Mapping[str, Any], networks: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return the picture of a ``wiring_result``, or of what ``wiring_info`` returns as ``wiring``; ``networks`` (the role's list, in
    canonical form) adds the subnets of the bridges."""
    trees, alone, orphans = drawn(wiring, networks)
    lines = [line for name, bridges in trees for line in _tree("host" if name is None else "in " + name, bridges)]
    lines += ["%s  (%s)" % one for one in alone] + orphans
    return "\n".join(line.rstrip() for line in lines) + "\n"


def drawn(wiring: Mapping[str, Any], networks: Sequence[Mapping[str, Any]] = ()) -> Drawn:
    """Return what the picture of a wiring shows, as `text` is given it."""
    listed: Dict[str, List[str]] = {}  # by bridge, or parent
    for network in networks:
        if network.get("state") != "absent":
            listed.setdefault(network.get("parent") or network["name"], []).extend(network["subnets"])
    subnets = {name: ", ".join(dict.fromkeys(nets)) for name, nets in listed.items()}
    return _of_survey(wiring, subnets) if is_survey(wiring) else _of_result(wiring, subnets)


def is_survey(wiring: Mapping[str, Any]) -> bool:
    """Return whether a wiring is what ``wiring_info`` returns, by list; a ``wiring_result`` is by container."""
    return any(isinstance(value, list) for value in wiring.values())


def _of_result(wiring: Mapping[str, Mapping[str, Any]], subnets: Mapping[str, str]) -> Drawn:
    """Return what is shown of a ``wiring_result``. Containers that share a namespace are on one line."""
    bridges: Bridges = {(name, subnet): {} for name, subnet in subnets.items()}
    unwired = []
    for name, container in wiring.items():
        if container["network_mode"] == "host":
            unwired.append((name, "host"))
        elif not container["interfaces"]:
            unwired.append((name, "%s: only lo" % container["network_mode"]))
        for interface in container["interfaces"]:
            if "link" in interface:
                continue
            on_parent = "kind" in interface  # without a pair
            bridge = interface["parent" if on_parent else "bridge"]
            near = interface["kind" if on_parent else "host_interface"]
            port = (near, interface["name"], "  ".join(interface["addresses"]))
            bridges.setdefault((bridge, subnets.get(bridge, "")), {}).setdefault(port, []).append(name)
    return Drawn([(None, bridges), *_linked(wiring)], unwired, [])


def _linked(wiring: Mapping[str, Mapping[str, Any]]) -> Iterator[Tuple[str, Bridges]]:
    """Yield who has links, with their ends of them."""
    ends = {
        "%s:%s" % (container["netns"], one["name"]): "  ".join(one["addresses"])
        for container in wiring.values()
        for one in container["interfaces"]
        if "link" in one
    }
    names: Dict[str, List[str]] = collections.defaultdict(list)  # of those in one namespace, by whose it is
    for name in wiring:
        names[_joined(name, wiring)].append(name)
    for name in names:
        ports: Dict[Tuple[str, str, str], List[str]] = {}
        for one in wiring[name]["interfaces"]:
            if "link" in one:
                far, dummy, interface = one["link"].rpartition(":")
                ports[_near(one["name"], "  ".join(one["addresses"])), interface, ends.get(one["link"], "")] = [far]
        if ports:
            yield ", ".join(names[name]), {("", ""): ports}


def _joined(name: str, wiring: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the container whose namespace a container is in, itself for its own."""
    other = wiring[name]["network_mode"].partition("container:")[2]
    return _joined(other, wiring) if other in wiring else name


def _near(name: str, addresses: str) -> str:
    """Return an end of a link with the addresses that it has itself."""
    return "%s  %s" % (name, addresses) if addresses else name


def _of_survey(wiring: Mapping[str, Any], subnets: Mapping[str, str]) -> Drawn:
    """Return what is shown of what ``wiring_info`` found: a tree of the host, a tree of each namespace that has bridges or pairs of its
    own, then the namespaces that nothing leads to, then the orphans."""
    namespaces = {namespace["name"] or namespace["path"]: namespace for namespace in wiring.get("namespaces", ())}
    trees = _trees(wiring, subnets, namespaces)
    inner = [(netns, bridges) for netns, bridges in trees.items() if netns is not None]
    seen = {*trees, *(pair["peer_netns"] for pair in wiring.get("veths", ()))}
    seen.update(link["netns"] for link in wiring.get("links", ()) if link["kind"] in _DRAWN)
    return Drawn(
        [(None, trees[None]), *((who(namespaces.get(netns) or _unlisted(netns)), bridges) for netns, bridges in inner)],
        _unreached(namespaces, seen),
        ["orphan %(kind)s %(name)s: %(why)s" % orphan for orphan in wiring.get("orphans", ())],
    )


def _trees(
    wiring: Mapping[str, Any], subnets: Mapping[str, str], namespaces: Mapping[str, Mapping[str, Any]]
) -> Dict[Any, Bridges]:
    """Return the bridges and pairs by the namespace that they, or their near ends, are in; None is the host's."""
    trees: Dict[Any, Bridges] = {None: {}}
    addresses: Dict[Tuple[Any, str], List[str]] = collections.defaultdict(list)  # by namespace and interface
    for address in wiring.get("addresses", ()):
        if address["scope"] != "link":
            addresses[address["netns"], address["interface"]].append(address["address"])
    pairs = wiring.get("veths", ())
    near = {(pair["netns"], pair["name"]) for pair in pairs}
    headings: Dict[Tuple[Any, str], Tuple[str, str]] = {}  # by namespace and bridge
    for bridge in wiring.get("bridges", ()):
        netns, name = bridge["netns"], bridge["name"]
        heading = headings[netns, name] = (name, subnets.get(name) or ", ".join(addresses[netns, name]))
        trees.setdefault(netns, {})[heading] = {
            (port, "", ""): [] for port in bridge["ports"] if (netns, port) not in near
        }
    for vrf in wiring.get("links", ()):
        if vrf["kind"] == "vrf":
            netns, name = vrf["netns"], vrf["name"]
            heading = headings[netns, name] = (name, "  ".join(["(%s)" % _kind(vrf), *vrf["addresses"]]))
            trees.setdefault(netns, {})[heading] = {
                (port, "", ""): [] for port in vrf["ports"] if (netns, port) not in near
            }
    for pair in pairs:
        bridges = trees.setdefault(pair["netns"], {})
        end = _near(pair["name"], "  ".join(pair.get("near_addresses") or ()))
        port = (end, pair["peer_name"] or "out of sight", "  ".join(pair["addresses"]))
        behind = namespaces.get(pair["peer_netns"]) or _unlisted(pair["owner"], pair["container"], pair["engine"])
        heading = headings.get((pair["netns"], pair["bridge"]), (pair["bridge"], ""))
        bridges.setdefault(heading, {})[port] = [who(behind)] if pair["owner"] else []
        if pair["netns"] is not None and pair["peer_netns"] is not None and not pair["bridge"]:
            _add_other_end(trees, pair, namespaces)
    for link in wiring.get("links", ()):
        _add_link(trees, link, headings, addresses, namespaces)
    return trees


def _add_other_end(
    trees: Dict[Any, Bridges], pair: Mapping[str, Any], namespaces: Mapping[str, Mapping[str, Any]]
) -> None:
    """Add a pair between two containers to the one that it leads to as well."""
    port = (
        _near(pair["peer_name"], "  ".join(pair["addresses"])),
        pair["name"],
        "  ".join(pair.get("near_addresses") or ()),
    )
    behind = namespaces.get(pair["netns"]) or _unlisted(pair.get("near_owner") or pair["netns"])
    trees.setdefault(pair["peer_netns"], {}).setdefault(("", ""), {})[port] = [who(behind)]


def _add_link(
    trees: Dict[Any, Bridges],
    link: Mapping[str, Any],
    headings: Dict[Tuple[Any, str], Tuple[str, str]],
    addresses: Mapping[Tuple[Any, str], Sequence[str]],
    namespaces: Mapping[str, Mapping[str, Any]],
) -> None:
    """Add a link to what it is made on; one that is on nothing stands beside the bridges."""
    if link["kind"] not in _DRAWN or (link["kind"] == "dummy" and link["master"]):
        return  # or it is drawn as the port that it is
    netns, parent = link["netns"], link.get("parent") or ""
    where = link.get("parent_netns") if parent else netns
    if where == _UNSEEN and where not in namespaces:
        where, parent = netns, "out of sight"
    own = "  ".join(link["addresses"])
    if where == netns:
        port, names = ("%s (%s)" % (link["name"], _kind(link)), "", own), []
    else:
        behind = namespaces.get(netns) or _unlisted(link["owner"] or "host", link["container"], link["engine"])
        port, names = (link["kind"], link["name"], own), [who(behind)]
    heading = headings.setdefault((where, parent), (parent, ", ".join(addresses.get((where, parent), ()))))
    trees.setdefault(where, {}).setdefault(heading, {})[port] = names


def _kind(link: Mapping[str, Any]) -> str:
    """Return the kind of a link, with the number of a vlan or a table."""
    number = {"vlan": link.get("vlan_id"), "vrf": link.get("table")}.get(link["kind"])
    return link["kind"] if number is None else "%s %s" % (link["kind"], number)


def _unreached(namespaces: Mapping[str, Mapping[str, Any]], seen: Iterable[Any]) -> List[Tuple[str, str]]:
    """Return who is in each namespace besides those that are ``seen``, whatever the number of its names, and what is."""
    shown = {namespaces[netns]["inode"] for netns in seen if netns in namespaces}
    found = []
    for namespace in namespaces.values():
        if namespace["inode"] not in shown:
            shown.add(namespace["inode"])
            inside = "host" if "host" in namespace["shared_with"] else ", ".join(namespace["interfaces"]) or "only lo"
            found.append((who(namespace), inside))
    return found


def who(namespace: Mapping[str, Any]) -> str:
    """Return who is in a namespace: its names and the containers that engines run in it, or, without any, its owner."""
    engines = {container["name"]: container["engine"] for container in namespace["containers"]}
    shared = (name for name in namespace["shared_with"] if name != "host")
    names = [namespace["name"], *shared] if namespace["name"] else [*engines]
    shown = names or [namespace["owner"]]
    run = dict.fromkeys(engine if name in shown else "%s %s" % (engine, name) for name, engine in engines.items())
    return ", ".join(shown) + (" (%s)" % ", ".join(run) if run else "")


def _unlisted(owner: str, container: Any = None, engine: Any = None) -> Item:
    """Return what is known of a namespace where ``wiring_info`` was not asked for the namespaces."""
    containers = [{"name": container, "engine": engine}] if container else []
    return {"name": owner, "shared_with": [], "owner": owner, "containers": containers}


def _tree(root: str, bridges: Bridges) -> List[str]:
    """Return the lines of a namespace: its bridges with their ports, and what is on no bridge beside them."""
    branches: List[Tuple[str, List[str]]] = []
    for (bridge, subnet), ports in bridges.items():
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


# --- summed up ---


def result(
    results: Mapping[str, Sequence[Mapping[str, Any]]], join: Sequence[Mapping[str, Any]] = ()
) -> Dict[str, Item]:
    """Return by container what its wiring is now, from the modules' ``results`` (by step, in order); ``join`` has the items that
    the step of that name was asked for.

    ``{name: {netns, path, network_mode, interfaces: [{name, host_interface, bridge, mac, mtu, addresses, gateways}],
    loopback_addresses, routes, published_ports}}``.
    """
    # Here, for what filters load; see wiring_plan.
    from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import owner_mark

    containers = {entry["name"]: _container(entry, "none") for entry in _afters(results, "netns")}
    _add_interfaces(containers, results)
    for entry in _afters(results, "route"):
        container = containers.get(entry.get("netns") or "")
        if container is not None:
            container["routes"].append(
                {name: entry[name] for name in _ROUTE if entry.get(name) not in (None, "", "main")}
            )
    owners = {owner_mark(name): container for name, container in containers.items()}
    for entry in _afters(results, "publish"):
        container = owners.get(entry.get("owner") or "") if entry.get("type") == "dnat" else None
        if container is not None:
            container["published_ports"].append({name: entry[name] for name in _PUBLISHED_PORT})
    shares = {item["name"]: item["share"] for item in join}
    for entry in _afters(results, "join"):
        owner = shares[entry["name"]]
        container = _container(entry, "host" if owner == "host" else "container:" + owner)
        shared = containers.get(owner, {})
        container.update((name, shared[name]) for name in _SHARED if name in shared)
        containers[container["netns"]] = container
    return containers


def _add_interfaces(containers: Mapping[str, Item], results: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Add to the containers their interfaces with bridges and addresses."""
    by_name: Dict[Tuple[str, str], Item] = {}  # by container and interface
    for entry in _afters(results, "veth"):
        if entry.get("netns"):
            _add_ends(containers, entry, by_name)
            continue
        container = containers.get(entry.get("peer_netns") or "")
        if container is None:
            continue
        container["network_mode"] = "bridge"
        interface = {
            "name": entry["peer_name"],
            "host_interface": entry["name"],
            "bridge": entry["bridge"],
            "mac": entry["peer_mac"],
            "mtu": entry["peer_mtu"],
            "addresses": [],
            "gateways": [],
        }
        container["interfaces"].append(interface)
        by_name[container["netns"], entry["peer_name"]] = interface
    for entry in _afters(results, "link"):
        container = containers.get(entry.get("netns") or "")
        if container is None:
            continue
        container["network_mode"] = "bridge"
        interface = {name: entry.get(name) for name in ("name", "kind", "parent", "mac", "mtu")}
        interface.update(host_interface=None, bridge=None, addresses=[], gateways=[])
        container["interfaces"].append(interface)
        by_name[container["netns"], entry["name"]] = interface
    by_host_name = {interface["host_interface"]: interface for interface in by_name.values()}
    for entry in _afters(results, "bridge_port"):
        by_host_name.get(entry["interface"], {})["bridge"] = entry["bridge"]
    addresses = _afters(results, "address")
    listed = {(entry["netns"], entry["interface"]): number for number, entry in enumerate(addresses)}
    for name, container in containers.items():  # as they are listed, whichever module made them
        container["interfaces"].sort(key=lambda one, name=name: listed.get((name, one["name"]), len(addresses)))
    for entry in addresses:
        addressed = by_name.get((entry.get("netns") or "", entry["interface"]))
        if addressed is not None:
            addressed["addresses"].append(entry["address"])
            if entry.get("gateway"):
                addressed["gateways"].append(entry["gateway"])
        elif entry["interface"] == "lo" and entry.get("netns") in containers:
            containers[entry["netns"]]["loopback_addresses"].append(entry["address"])


def _add_ends(containers: Mapping[str, Item], entry: Mapping[str, Any], by_name: Dict[Tuple[str, str], Item]) -> None:
    """Add the two ends of a link between containers."""
    both = (("", "peer_"), ("peer_", ""))
    for near, far in both:
        container = containers.get(entry[near + "netns"])
        interface = {"name": entry[near + "name"], "link": "%s:%s" % (entry[far + "netns"], entry[far + "name"])}
        interface.update(mac=entry[near + "mac"], mtu=entry[near + "mtu"], host_interface=None, bridge=None)
        interface.update(addresses=[], gateways=[])
        if container is not None:
            container["interfaces"].append(interface)
            by_name[container["netns"], interface["name"]] = interface


def _container(entry: Mapping[str, Any], mode: str) -> Item:
    """Return a container without wiring, from what the module netns returns."""
    return {
        "netns": entry["name"],
        "path": entry["path"],
        "network_mode": mode,
        "interfaces": [],
        "loopback_addresses": [],
        "routes": [],
        "published_ports": [],
    }


def _afters(results: Mapping[str, Sequence[Mapping[str, Any]]], step: str) -> List[Mapping[str, Any]]:
    return [entry["after"] for entry in results.get(step) or () if entry.get("after")]
