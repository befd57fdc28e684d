# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role made and nobody lists any more: the items that remove it. Pure.

It is recognized in the host's wiring as `wiring_info` reports it: a pair that was made for a name in /run/netns, by its host end's derived
name or address; with it that name, and the ports published under it; a link of another kind by its mark; a bridge by its derived address;
source NAT and an isolation policy by their owner, which is the bridge itself, as the role writes them. What is not recognized stays.
"""

from __future__ import annotations

import re
from typing import Any, Collection, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import UNREADABLE
from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import NOBODY, owner_mark
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.attachments import CHECKED
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.shared_networks import ended
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import (
    TEARDOWN,
    WIRE,
    Item,
    Plan,
    rewired,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.variables import entries

Wiring = Mapping[str, Sequence[Mapping[str, Any]]]  # as `wiring_info` returns it

GATHER = [
    "namespaces",
    "bridges",
    "veths",
    "links",
    "routes",
    "nat",
    "orphans",
]  # the lists of a `Wiring` that are read here

# The options that mean an object, in the items that remove it.
_LINK = ("name", "kind", "netns")
_PAIR = ("name", "peer_netns", "peer_name")
_ISOLATION = ("type", "bridge", "owner")
_SOURCE_NAT = ("source", "owner")
_PORT = ("type", "protocol", "host_ip", "host_port", "owner", "vrf")
# Where docker mounts the namespaces of its containers. A name that the role gave such a namespace is a link to there, and dangles when it ends.
_DOCKER_NAMESPACE = re.compile(r"/.*/docker/netns/[^/]+")
_NAMED_AT_MOST = 5  # of those for whom a link stays
_LEFT_OVER = "forwarding-left-over"  # an owner of nothing: no bridge has so long a name
_BY_HAND = "what-was-put-by-hand"  # another one
# Interfaces that a new namespace may have from the kernel (net.core.fb_tunnels_only_for_init_net).
_FALLBACK_TUNNELS = {"tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0"}


def purged(
    plan: Plan, networks: Sequence[Mapping[str, Any]], containers: Sequence[Mapping[str, Any]], wiring: Wiring
) -> Tuple[Plan, List[str]]:
    """Return a compiled plan that also removes what the role made and nobody lists, and warnings: what has to stay, and why."""
    listed = {entry["name"] for entry in entries("containers", containers)}
    pairs = [
        pair for pair in wiring["veths"] if pair["netns"] is None and not (pair["made_for"] or "/").startswith("/")
    ]
    # The plan itself has the other pairs of these replaced.
    planned = {item["peer_netns"] for half in plan.values() for item in half["veth"] if not item.get("cable")}
    unlisted_pairs = [pair for pair in pairs if pair["made_for"] not in listed & planned]
    networks_listed = {entry["name"] for entry in entries("networks", networks)}
    bridges = _bridges(networks_listed, wiring)
    links, used = _links(plan, {pair["name"] for pair in unlisted_pairs}.union(bridges), wiring)
    emptied = [link["netns"] for link in links if link["kind"] in link_kinds.SHARING and link["netns"] is not None]
    emptied = [name for name in emptied if listed.isdisjoint(_names(name, wiring))]
    cables = _cables(plan, wiring)
    ends = [name for cable in wiring["veths"] if cable.get("cable") for name in (cable["netns"], cable["peer_netns"])]
    ends = [name for name in ends if name and not name.startswith("/") and listed.isdisjoint(_names(name, wiring))]
    names = [*(pair["made_for"] for pair in unlisted_pairs), *emptied, *ends, *_dangling(wiring)]
    unlisted = [name for name in dict.fromkeys(names) if name not in listed]
    inhabited = _inhabited(unlisted, pairs, links, wiring)
    purge: Dict[str, List[Item]] = {
        "publish": [*_by_hand(wiring), *_ports(unlisted, wiring), *_ports_of_nobody({*listed, *names}, wiring)],
        "nat": [
            *_rules(networks_listed, plan, wiring),
            *_forwarding(plan, wiring),
            *_checks(listed, unlisted_pairs, wiring),
        ],
        "route": [{"netns": name, "state": "absent", "exclusive": True} for name in _routed(unlisted, wiring)],
        "address": [
            {"netns": name, "interface": "lo", "state": "absent", "supersede": True}
            for name in _living_on(unlisted, inhabited, wiring)
        ],
        "veth": [*(_absent({**pair, "peer_netns": pair["made_for"]}, _PAIR) for pair in unlisted_pairs), *cables],
        "link": [{**_absent(link, _LINK), "only_ours": True} for link in links if link["kind"] != "vrf"],
        "netns": [{"name": name, "state": "absent"} for name in unlisted if name not in inhabited],
        "bridge": [{"name": name, "state": "absent", "only_ours": True, **rewired(plan)} for name in bridges],
        "vrf": [{**_absent(link, _LINK), "only_ours": True} for link in links if link["kind"] == "vrf"],
    }
    for name in _shared(plan, wiring):
        for step, items in ended(name).items():
            known = [_place(item) for item in purge.get(step, ())] if step == "link" else []
            purge.setdefault(step, []).extend(item for item in items if _place(item) not in known)
    teardown = {step: [*purge.get(step, ()), *items] for step, items in plan[TEARDOWN].items()}
    return {**plan, TEARDOWN: teardown}, [*inhabited.values(), *used]


def _absent(entry: Mapping[str, Any], options: Sequence[str]) -> Item:
    """Return the item that removes what is reported as ``entry``."""
    return {**{name: entry[name] for name in options if name in entry}, "state": "absent"}


def _place(item: Mapping[str, Any]) -> Tuple[Any, Any]:
    return item.get("netns"), item.get("name")


def _names(netns: Optional[str], wiring: Wiring) -> List[Optional[str]]:
    """Return all names of the namespace with this one, None for the host's."""
    for namespace in wiring["namespaces"]:
        if netns is not None and namespace["name"] == netns:
            return [netns, *namespace["shared_with"]]
    return [netns]


def _cables(plan: Plan, wiring: Wiring) -> List[Item]:
    """Return the items that remove the cables that nobody lists, each from an end of it that is in a namespace with a name."""
    planned = {_ends(item, wiring) for half in plan.values() for item in half["veth"] if item.get("cable")}
    found = []
    for pair in [pair for pair in wiring["veths"] if pair.get("cable")]:
        ends = [(pair["netns"], pair["name"]), (pair["peer_netns"] or "/unseen", pair["peer_name"] or "unseen")]
        (netns, name), (peer_netns, peer_name) = sorted(ends, key=lambda end: end[0].startswith("/"))
        item = {"netns": netns, "name": name, "peer_netns": peer_netns, "peer_name": peer_name, "cable": True}
        if not netns.startswith("/") and _ends(item, wiring) not in planned:
            found.append({**item, "state": "absent"})
    return found


def _ends(pair: Mapping[str, Any], wiring: Wiring) -> FrozenSet[Tuple[Any, ...]]:
    """Return both ends of a pair, by any of the names of the namespace that each is in."""
    both = (("netns", "name"), ("peer_netns", "peer_name"))
    return frozenset((*sorted(map(str, _names(pair[netns], wiring))), pair[name]) for netns, name in both)


def _links(plan: Plan, gone: Collection[str], wiring: Wiring) -> Tuple[List[Mapping[str, Any]], List[str]]:
    """Return the links of ours that the plan neither makes nor uses nor removes, those that are made on others before these, and the warnings that say
    which stay, and for whom. ``gone`` are other interfaces of the host that go."""
    meant = {_place(item) for half in plan.values() for item in (*half["vrf"], *half["link"])}
    meant.update((item.get("netns"), item.get("master")) for item in plan[WIRE]["bridge"])
    for item in plan[WIRE]["link"]:
        meant.update([(item.get("parent_netns"), item.get("parent")), (item.get("netns"), item.get("master"))])
    meant.update((item.get("netns"), item["interface"]) for item in plan[WIRE]["bridge_port"])
    there = {_place(link): link for link in wiring["links"]}
    theirs = {_place(bridge) for bridge in wiring["bridges"] if not bridge["ours"]}
    on: Dict[Tuple[Any, Any], List[Tuple[Any, Any]]] = {}
    for place, link in there.items():
        on.setdefault((link.get("parent_netns"), link.get("parent")), []).append(place)

    def depth(place: Tuple[Any, Any]) -> int:
        link = there.get(place)
        return 1 + depth((link.get("parent_netns"), link.get("parent"))) if link is not None else 0

    going: Dict[Tuple[Any, Any], Mapping[str, Any]] = {}
    warnings = []
    for place in sorted(there, key=depth, reverse=True):
        link, netns = there[place], place[0]
        planned = any((alias, link["name"]) in meant for alias in _names(netns, wiring))
        if not link["ours"] or planned or str(netns or "").startswith("/"):
            continue
        users = [
            "%s of %s" % (one[1], there[one]["owner"] or "the host") for one in on.get(place, ()) if one not in going
        ]
        ports = [port for port in link.get("ports", ()) if (netns, port) not in going and (netns or port not in gone)]
        users += ["its port " + port for port in ports]
        users += ["bridge " + link["master"]] if (netns, link.get("master")) in theirs else []
        if users:
            more = len(users) - _NAMED_AT_MOST
            named = ", ".join(users[:_NAMED_AT_MOST]) + (" and %d more" % more if more > 0 else "")
            text = "Interface '%s' in %s, %s of ours that is not listed any more, stays, for others use it: %s."
            described = link_kinds.kind(link["kind"]).described
            warnings.append(text % (link["name"], "netns '%s'" % netns if netns else "the host", described, named))
        else:
            going[place] = link
    return list(going.values()), warnings


def _living_on(names: Sequence[str], inhabited: Collection[str], wiring: Wiring) -> List[str]:
    """Return those of the names whose namespaces stay, or are an engine's: what is on their loopbacks does not go with them."""
    engines = {namespace["name"] for namespace in wiring["namespaces"] if namespace["containers"]}
    return [name for name in names if name in inhabited or name in engines]


def _routed(names: Collection[str], wiring: Wiring) -> List[str]:
    """Return those of the names in whose namespaces are routes or policy rules that do not go with an interface."""
    lasting = [route["netns"] for route in wiring["routes"] if route["rule_source"] or not route["interface"]]
    return [name for name in dict.fromkeys(lasting) if name in names]


def _dangling(wiring: Wiring) -> List[str]:
    """Return the names that docker's containers left when they ended."""
    names = [orphan for orphan in wiring["orphans"] if orphan["kind"] == "netns"]
    return [orphan["name"] for orphan in names if _DOCKER_NAMESPACE.fullmatch(orphan["target"] or "")]


def _inhabited(
    names: Sequence[str], pairs: Sequence[Mapping[str, Any]], links: Sequence[Mapping[str, Any]], wiring: Wiring
) -> Dict[str, str]:
    """Return the names that have to stay, each with why: there is a process in the namespace, or an interface that the role did not make.
    The name of a running container of an engine can go, since the container does not need it."""
    namespaces = {namespace["name"]: namespace for namespace in wiring["namespaces"]}
    own = {*((pair["made_for"], pair["peer_name"]) for pair in pairs), *map(_place, links)}
    for cable in (pair for pair in wiring["veths"] if pair.get("cable")):
        own.update([(cable["netns"], cable["name"]), (cable["peer_netns"], cable["peer_name"])])
    found = {}
    for name, namespace in [(name, namespaces[name]) for name in names if name in namespaces]:
        if namespace.get("symlink") or name in [container["name"] for container in namespace["containers"]]:
            continue
        inside = ["process %(pid)d (%(command)s)" % process for process in namespace["processes"]]
        aliases = (name, *namespace["shared_with"])
        for interface in namespace["interfaces"]:
            if interface not in _FALLBACK_TUNNELS and not any((alias, interface) in own for alias in aliases):
                inside.append("interface " + interface)
        if inside:
            found[name] = (
                "Netns '%s' is not listed any more and loses its wiring, but the name stays, for what is in it is not ours: %s. "
                "The module netns with state: absent takes it away." % (name, ", ".join(inside))
            )
    return found


def _bridges(listed: Collection[str], wiring: Wiring) -> List[str]:
    """Return the bridges that nobody lists and that are the role's, or somebody else's and guarded by the role."""
    ours = [bridge["name"] for bridge in wiring["bridges"] if bridge["netns"] is None and bridge["ours"]]
    return [name for name in dict.fromkeys([*ours, *_guarded(wiring)]) if name not in listed]


def _guarded(wiring: Wiring) -> List[str]:
    """Return the bridges that the role isolates."""
    return [rule["bridge"] for rule in wiring["nat"] if rule["type"] == "filter" and rule["bridge"] == rule["owner"]]


def _rules(listed: Collection[str], plan: Plan, wiring: Wiring) -> List[Item]:
    """Return the items that remove what the role wrote for networks, and subnets, that nobody lists; of a network as far as its bridge
    is not needed any more."""
    kinds = ("dnat", "spoof_check", "tunnel")
    items = [item for half in plan.values() for item in half["nat"] if item.get("type") not in kinds]
    planned = {
        (item["owner"], item.get("type") == "filter") for item in items
    }  # the plan itself has what else these own removed
    networks = {bridge["name"] for bridge in wiring["bridges"] if bridge["ours"]}.union(_guarded(wiring))
    found = []
    for rule in wiring["nat"]:
        isolation = rule["type"] == "filter"
        if isolation:
            ours = rule["bridge"] == rule["owner"]
        else:
            out = rule.get("out_interface")
            ours = out == "!" + rule["owner"] or (out == UNREADABLE and rule["owner"] in networks)
        if ours and (rule["owner"], isolation) not in planned:
            item = _absent(rule, _ISOLATION if isolation else _SOURCE_NAT)
            found.append(item if rule["owner"] in listed else {**item, "goes_with": rule["owner"], **rewired(plan)})
    return found


def _shared(plan: Plan, wiring: Wiring) -> List[str]:
    """Return the networks that are shared with other hosts, as the rules say that the role wrote for them, and for which the plan does not see to that."""
    planned = {item["network"] for item in plan[TEARDOWN]["route"] if "network" in item}
    found = [rule["owner"] for rule in wiring["nat"] if rule["type"] == "tunnel"]
    for rule in wiring["nat"]:
        if rule["type"] == "filter" and rule["bridge"] == rule["owner"]:
            found += [rule["owner"] for way in rule.get("inside") or () if way["interface"] != rule["bridge"]]
    return [name for name in dict.fromkeys(found) if name not in planned]


def _forwarding(plan: Plan, wiring: Wiring) -> List[Item]:
    """Return the item that takes forwarding back that we switched on, and for which no rule is left: somebody took them out by hand. None where
    the plan has rules of the family, which go on with it."""
    left = {orphan["name"] for orphan in wiring["orphans"] if orphan["kind"] == "forwarding"}
    for item in (*plan[WIRE]["nat"], *plan[WIRE]["publish"]):
        told = str(item.get("source") or item.get("to_address") or "")
        left.discard("ipv6" if ":" in told or told.endswith("/ipv6") else "ipv4" if told else "")
    return [{"owner": _LEFT_OVER, "state": "absent"}] if left else []


def _by_hand(wiring: Wiring) -> List[Item]:
    """Return the item that takes away what people put among our rules, none where there is nothing. It is the first of all that looks at rules."""
    there = any(orphan["kind"] == "by_hand" for orphan in wiring["orphans"])
    return [{"owner": _BY_HAND, "state": "absent", "by_hand": "remove"}] if there else []


def _checks(listed: Collection[str], going: Sequence[Mapping[str, Any]], wiring: Wiring) -> List[Item]:
    """Return the items that end what the role checks for containers that nobody lists, but for ports that stay: those that are there and not
    among the pairs that are ``going``."""
    owners = {owner_mark(name) for name in listed}
    names = {pair["name"] for pair in going}
    stay = {pair["name"] for pair in wiring["veths"] if pair["netns"] is None and pair["name"] not in names}
    return [
        {
            "type": "spoof_check",
            "interface": rule["interface"],
            "owner": rule["owner"],
            "state": "absent",
            "optional": True,
        }
        for rule in wiring["nat"]
        if rule["type"] == "spoof_check" and rule["comment"] == CHECKED
        if rule["owner"] not in owners and rule["interface"] not in stay
    ]


def _ports(names: Sequence[str], wiring: Wiring) -> List[Item]:
    """Return the items that end the published ports of those of the names that have any. Where no rules were seen they may not have been readable: then
    the items tell, and what cannot be taken back keeps its container."""
    if not wiring["nat"]:
        return [{"type": "dnat", "owner": name, "state": "absent", "ip_forward": False} for name in names]
    owners = {rule["owner"] for rule in wiring["nat"] if rule["type"] == "dnat"}
    return [{"type": "dnat", "owner": name, "state": "absent"} for name in names if owner_mark(name) in owners]


def _ports_of_nobody(known: Collection[str], wiring: Wiring) -> List[Item]:
    """Return the items that end the published ports of containers that are gone, and that are not ``known``: no namespace has their name, and
    either the role checks a port for them that is gone, or on the bridge, which the role isolates, is nobody but containers that were wired for a name."""
    names = {name for name in (*known, *(one["name"] for one in wiring["namespaces"])) if name}
    there = {owner_mark(name) for name in names}
    isolated = _guarded(wiring)
    ours = {pair["name"] for pair in wiring["veths"] if pair["netns"] is None and pair["made_for"] in names}
    bridges = {bridge["name"]: bridge["ports"] for bridge in wiring["bridges"] if bridge["netns"] is None}
    alone = {name for name in isolated if ours.issuperset(bridges.get(name, ()))}
    checks = [rule for rule in wiring["nat"] if rule["type"] == "spoof_check" and rule["comment"] == CHECKED]
    there_yet = {pair["name"] for pair in wiring["veths"] if pair["netns"] is None}
    wired = {rule["owner"] for rule in checks if rule["interface"] not in there_yet}
    ports = [rule for rule in wiring["nat"] if rule["type"] == "dnat"]
    ports = [rule for rule in ports if rule["bridge"] in alone or rule["owner"] in wired]
    gone = [rule for rule in ports if rule["owner"] not in there and rule["owner"] != NOBODY]
    items = [_absent(rule, _PORT) for rule in gone]
    return list({tuple(sorted(item.items())): item for item in items}.values())  # of both families at once
