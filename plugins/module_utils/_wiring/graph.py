# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wiring, of one host or of many, as a graph: hosts, networks, containers and what joins them; and that in the languages of Graphviz and Mermaid. Pure."""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import addressing
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.report import drawn, is_survey, who

# Kinds of nodes. An interface is one that nobody is behind: an uplink, a dummy.
HOST, NETWORK, CONTAINER, INTERFACE, ORPHAN = "host", "network", "container", "interface", "orphan"
UNLISTED, MISSING = "unlisted", "missing"  # what is remarkable of a container, where the list of containers is given
MARKS = {UNLISTED: "not listed", MISSING: "listed, and not there"}  # the same in words
_NOT_THERE = (("state", MARKS[MISSING]),)
_PORTS_AT_MOST = 4  # published ports on the picture itself


class Node(NamedTuple):
    """What is drawn as a box. ``lines`` stand in it below its ``name``; ``facts`` are all that is known: (what, of what)."""

    key: str
    kind: str
    name: str
    host: str
    lines: Tuple[str, ...] = ()
    facts: Tuple[Tuple[str, str], ...] = ()
    mark: str = ""


class Edge(NamedTuple):
    """What joins two nodes, by their keys; ``name`` is the interface at the near one."""

    near: str
    far: str
    name: str = ""


class Graph(NamedTuple):
    """Nodes in order, those of a host beside each other, and edges."""

    nodes: List[Node]
    edges: List[Edge]


# What is drawn of a host: a ``wiring_result``, or what ``wiring_info`` returns as ``wiring``; its networks, which add their subnets; and its
# containers, the role's list, None where that is not known: those that are not listed are marked, and those that are not there.
Host = Tuple[Mapping[str, Any], Sequence[Mapping[str, Any]], Optional[Sequence[Mapping[str, Any]]]]


def graph(hosts: Mapping[str, Host]) -> Graph:
    """Return the graph of hosts, by their names."""
    found = Graph([], [])
    for name, host in hosts.items():
        _add_host(found, name, *host)
    return found


def _add_host(
    found: Graph,
    host: str,
    wiring: Mapping[str, Any],
    networks: Sequence[Mapping[str, Any]],
    containers: Optional[Sequence[Mapping[str, Any]]],
) -> None:
    """Add a host with all that is on it."""
    start = len(found.nodes)
    keys: Dict[Tuple[str, ...], str] = {}
    lines: Dict[str, List[str]] = {}  # by node
    facts = _facts(wiring)

    def node(kind: str, name: str, *where: str, known: Sequence[Tuple[str, str]] = ()) -> str:
        """Return the key of a node, which is made once."""
        key = keys.get((kind, name, *where))
        if key is None:
            key = keys[(kind, name, *where)] = "n%d" % len(found.nodes)
            found.nodes.append(Node(key, kind, name, host, facts=tuple(known)))
            lines[key] = []
        return key

    picture = drawn(wiring, networks)
    cables: Set[FrozenSet[Tuple[str, str]]] = set()  # by both ends
    own = node(HOST, host)
    for label, bridges in picture.trees:
        root = own if label is None else node(CONTAINER, label, known=_known(facts, [label]))
        for (bridge, subnet), ports in bridges.items():
            middle = root
            if bridge:
                middle = node(NETWORK, bridge, label or "", known=[("subnets", subnet)] if subnet else [])
                lines[middle] += [part for part in subnet.split(", ") if part and part not in lines[middle]]
                found.edges.append(Edge(root, middle))
            for (near, far, addresses), names in ports.items():
                if not names:
                    found.edges.append(Edge(middle, node(INTERFACE, near, label or "", bridge, far), far))
                    continue
                box = node(CONTAINER, ", ".join(names), known=_known(facts, names))
                line = ("%s  %s" % (far, addresses)).strip()
                lines[box] += [line] if line not in lines[box] else []
                ends = frozenset([(middle, near.partition(" ")[0]), (box, far)])
                if ends not in cables:  # a pair between containers is told at both
                    cables.add(ends)
                    found.edges.append(Edge(middle, box, near.partition(" ")[0]))
    for label, how in picture.alone:
        box = node(CONTAINER, label, known=_known(facts, label.split(", ")))
        lines[box].append(how)
        if how == "host":
            found.edges.append(Edge(own, box))
    for sentence in picture.orphans:
        name, dummy, why = sentence.partition(": ")
        found.edges.append(Edge(own, node(ORPHAN, name, known=[("why", why)])))
    names = [] if containers is None else [one["name"] for one in containers if one.get("state") != "absent"]
    for name in [name for name in names if not any(name in _names(one.name) for one in found.nodes[start:])]:
        node(CONTAINER, name, known=_NOT_THERE)
    for place, one in enumerate(found.nodes[start:], start):
        ports_ = [text for what, text in one.facts if what == "published"]
        more = len(ports_) - _PORTS_AT_MOST
        shown = ports_[:_PORTS_AT_MOST] + (["and %d more" % more] if more > 0 else [])
        mark = ""
        if containers is not None and one.kind == CONTAINER:
            listed = any(name in names for name in _names(one.name))
            mark = MISSING if one.facts == _NOT_THERE else "" if listed else UNLISTED
        own_lines = sorted(lines[one.key]) if one.kind == CONTAINER else lines[one.key]
        found.nodes[place] = one._replace(lines=(*own_lines, *shown), mark=mark)


def _names(label: str) -> List[str]:
    """Return the names in what says who is in a namespace."""
    return label.partition(" (")[0].split(", ")


# --- what is known of a container ---

_Facts = Dict[str, List[Tuple[str, str]]]


def _known(facts: _Facts, names: Sequence[str]) -> List[Tuple[str, str]]:
    """Return what is known of the first of the names of which anything is."""
    return next((facts[name] for name in names if name in facts), [])


def _facts(wiring: Mapping[str, Any]) -> _Facts:
    """Return what is known by who it is of."""
    if is_survey(wiring):
        return _surveyed(wiring)
    found: _Facts = {}
    for name, container in wiring.items():
        known = [("network_mode", str(container["network_mode"]))]
        for interface in container["interfaces"]:
            known += _interface(interface["name"], interface, interface.get("bridge") or interface.get("parent"))
        known += [("address of lo", one) for one in container.get("loopback_addresses") or ()]
        known += [("route", _route(route)) for route in container.get("routes") or ()]
        known += [("published", port_text(port)) for port in container.get("published_ports") or ()]
        found[name] = known
    return found


def _surveyed(wiring: Mapping[str, Any]) -> _Facts:
    """Return what is known of who ``wiring_info`` found, by what `drawn` calls them."""
    namespaces = {namespace["name"] or namespace["path"]: namespace for namespace in wiring.get("namespaces", ())}
    labels = {name: who(namespace) for name, namespace in namespaces.items()}
    found: _Facts = {}
    for name, namespace in namespaces.items():
        known = found.setdefault(labels[name], [])
        if not known:
            known += [("owner", namespace["owner"])] if namespace["owner"] else []
            known += [("process", "%(pid)d (%(command)s)" % one) for one in namespace["processes"]]
    pairs = [(pair["peer_netns"], pair["peer_name"], pair["bridge"], pair) for pair in wiring.get("veths", ())]
    links = [(link["netns"], link["name"], link.get("parent"), link) for link in wiring.get("links", ())]
    for netns, name, on, entry in (*pairs, *links):
        if netns is not None or entry.get("owner"):
            known = found.setdefault(labels.get(netns) or entry["owner"] or "", [])
            known += _interface(name or "", entry, on)
            known += [("published", port_text(port)) for port in entry.get("published_ports") or ()]
            known += [("made by", "this collection" if entry["ours"] else "somebody else")] if "ours" in entry else []
    for route in wiring.get("routes", ()):
        if route["netns"] in labels:
            found[labels[route["netns"]]].append(("route", _route(route)))
    return {label: list(dict.fromkeys(known)) for label, known in found.items()}


def _interface(name: str, entry: Mapping[str, Any], on: Optional[str]) -> Iterator[Tuple[str, str]]:
    """Yield what is known of an interface."""
    own = entry.get("host_interface") or (entry["name"] if entry["name"] != name else "")
    by = entry.get("kind") or own
    yield "interface", name + (" (%s)" % by if by else "") + (" on %s" % on if on else "")
    yield from (("address", one) for one in entry.get("addresses") or ())
    yield from (("gateway", one) for one in entry.get("gateways") or ())
    mac, mtu = entry.get("peer_mac") or entry.get("mac"), entry.get("peer_mtu") or entry.get("mtu")
    if mac:
        yield "MAC address", str(mac)
    if mtu:
        yield "MTU", str(mtu)


def _route(route: Mapping[str, Any]) -> str:
    """Return a route as iproute2 has it, but for what is as ever."""
    words = [str(route.get("destination"))]
    for option, word in (("gateway", "via"), ("interface", "dev"), ("rule_source", "for")):
        words += [word, str(route[option])] if route.get(option) else []
    return " ".join(words)


def port_text(port: Mapping[str, Any]) -> str:
    """Return a published port as it is drawn, ``8080/tcp → 172.17.0.2:80``."""
    host = addressing.bracketed(port["host_ip"]) + ":" if port.get("host_ip") else ""
    to = addressing.bracketed(port.get("to_address") or "")
    return "%s%s/%s → %s" % (
        host,
        port["host_port"],
        port["protocol"],
        ":".join(map(str, filter(None, (to, port["to_port"])))),
    )


# --- in other languages ---


def dot(found: Graph) -> str:
    """Return a graph in Graphviz's language, hosts as clusters. Classes and ids are for who draws it as SVG. What comes first is drawn on top: Graphviz
    begins at the bottom where it draws from left to right."""
    lines = ["graph wiring {", "  rankdir=LR; ordering=out; nodesep=0.12; ranksep=0.9;"]
    lines.append(
        '  node [shape=box, style="rounded,filled", fillcolor=white, fontname="Helvetica", fontsize=11, margin="0.14,0.07"];'
    )
    lines.append('  edge [fontname="Helvetica", fontsize=9];')
    lines.append('  graph [fontname="Helvetica", fontsize=12, style="rounded", color="#8a94a3"];')
    hosts = list(dict.fromkeys(node.host for node in found.nodes))
    for number, host in reversed(list(enumerate(hosts))):
        lines.append("  subgraph cluster_%d {" % number)
        lines.append("    label=%s; class=cluster;" % _quoted(host if len(hosts) > 1 else ""))
        for node in reversed(found.nodes):
            if node.host == host:
                style = _DOT[node.mark or node.kind]
                text = r"\n".join([_escaped(node.name), *map(_escaped, node.lines)])
                classes = " ".join(filter(None, (node.kind, node.mark)))
                lines.append('    %s [label="%s", id=%s, class="%s", %s];' % (node.key, text, node.key, classes, style))
        lines.append("  }")
    for number, edge in reversed(list(enumerate(found.edges))):
        told = ", edgetooltip=%s" % _quoted(edge.name) if edge.name else ""
        lines.append("  %s -- %s [id=e%d%s];" % (edge.near, edge.far, number, told))
    return "\n".join([*lines, "}", ""])


_DOT = {
    HOST: 'shape=box3d, fillcolor="#dfe7f3"',
    NETWORK: 'shape=ellipse, fillcolor="#d8efe0"',
    CONTAINER: 'fillcolor="#ffffff"',
    INTERFACE: 'shape=plain, style="", fontcolor="#5b6470"',
    ORPHAN: 'fillcolor="#fbd9c6", color="#b4451a"',
    UNLISTED: 'fillcolor="#fbeebd", color="#8a6d00"',
    MISSING: 'style="rounded,dashed", color="#b4451a", fontcolor="#b4451a"',
}


def _escaped(text: str) -> str:
    """Return a text for a label in quotes: one line, whatever is in it."""
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return shown.replace("\\", "\\\\").replace('"', '\\"')


def _quoted(text: str) -> str:
    return '"%s"' % _escaped(text)


def mermaid(found: Graph) -> str:
    """Return a graph in Mermaid's language, hosts as subgraphs."""
    lines = ["flowchart LR"]
    hosts = list(dict.fromkeys(node.host for node in found.nodes))
    for number, host in enumerate(hosts):
        lines.append('  subgraph h%d["%s"]' % (number, _entities(host)))
        for node in found.nodes:
            if node.host == host:
                opening, closing = _MERMAID.get(node.kind, ("[", "]"))
                text = "<br/>".join(map(_entities, (node.name, *node.lines)))
                lines.append('    %s%s"%s"%s:::%s' % (node.key, opening, text, closing, node.mark or node.kind))
        lines.append("  end")
    lines += ["  %s --- %s" % edge[:2] for edge in found.edges]
    lines += ["  classDef %s %s" % one for one in _CLASSES.items()]
    return "\n".join([*lines, ""])


_MERMAID = {HOST: ("[[", "]]"), NETWORK: ("([", "])")}
_CLASSES = {
    HOST: "fill:#dfe7f3,stroke:#44546a,color:#1b222c",
    NETWORK: "fill:#d8efe0,stroke:#2e6b47,color:#1b222c",
    CONTAINER: "fill:#ffffff,stroke:#44546a,color:#1b222c",
    INTERFACE: "fill:#ffffff,stroke:#ffffff,color:#5b6470",
    ORPHAN: "fill:#fbd9c6,stroke:#b4451a,color:#1b222c",
    UNLISTED: "fill:#fbeebd,stroke:#8a6d00,color:#1b222c",
    MISSING: "fill:#ffffff,stroke:#b4451a,color:#b4451a,stroke-dasharray:4",
}


def _entities(text: str) -> str:
    """Return a text for a label in quotes: what Mermaid or Markdown would read as theirs as numbered characters."""
    return "".join(
        char
        if char.isalnum() or char in " ._-:,/()→"
        else "#%d;" % ord(char)
        if char.isprintable()
        else "\N{REPLACEMENT CHARACTER}"
        for char in text
    )
