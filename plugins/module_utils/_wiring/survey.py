# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host's wiring, each object as its own module reports it, with who is behind it. Reads, and never changes.

No object is described here: its noun is asked, so that an entry has the shape of the module's ``after``.
"""

from __future__ import annotations

import collections
import ipaddress
import itertools
from dataclasses import field
from typing import Any, Collection, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Set, Tuple, TypeVar

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import NatRule
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.kernel_api import Source
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import PROTOCOL
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Address, Link, NsRef, Route
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import (
    bridge,
    netns,
    ns_address,
    ns_link,
    ns_route,
    veth,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import is_own_link
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import resource as nat
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan, Resource
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.find import Interface, Seen, find
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.host_view import HostView, Namespace, Pair
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.orphans import orphans
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.owned_rules import OwnedRules
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.published_ports import shown
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.report import text

Item = Dict[str, Any]
Entry = TypeVar("Entry")

SUBSETS = ["namespaces", "bridges", "veths", "links", "addresses", "routes", "nat", "orphans"]
OPTIONS: Dict[str, Any] = {
    "gather": {"type": "list", "elements": "str", "choices": SUBSETS, "default": SUBSETS},
    "netns": {"type": "list", "elements": "str"},
    "find": {"type": "str"},
    "limit": {"type": "int", "default": 25},
}


def report(source: Source, params: Mapping[str, Any]) -> Tuple[Dict[str, Any], List[str]]:
    """Return what the module ``wiring_info`` returns for its arguments, and warnings. Raises `Refused`."""
    refs = [NsRef.parse(name) for name in params["netns"] or ()]
    if params["find"] is not None and not params["find"].strip():
        raise Invalid("find: it is empty.")
    if params["limit"] < 0:
        raise Invalid("limit: it is a number of entries, and 0 for all of them.")
    view = HostView(source, refs)
    if params["find"] is None:
        survey = _Survey(view, limit=params["limit"] or None, names=params["limit"] or None)
        wiring, said = survey.lists(params["gather"]), {}
    else:
        survey = _Survey(view, all_addresses=True)
        found, answer = find(survey.seen(), params["find"])
        wiring, said = {name: found[name] for name in SUBSETS if name in params["gather"]}, {"msg": answer}
    return {"wiring": wiring, "picture": text(wiring), "unlisted": survey.unlisted, **said}, list(view.warnings)


def gathered(
    source: Source,
    gather: Sequence[str],
    refs: Sequence[NsRef] = (),
    limit: Optional[int] = None,
    names: Optional[int] = None,
    state: Optional[State] = None,
) -> Tuple[Dict[str, List[Item]], List[str]]:
    """Return the lists named in ``gather``, of all namespaces or of those named, and warnings. Raises `Refused` where the host itself cannot be read.

    ``limit``: so many addresses, routes, bridges and pairs of each container are listed besides ours, and so many ``names`` of its interfaces; None:
    all. ``state`` is what is known of the host already, and moves on.
    """
    view = HostView(source, refs, state)
    survey = _Survey(view, limit=limit, names=names)
    return survey.lists(gather), list(view.warnings)


@dataclass()
class _Inside:
    """What pairs and other links lead to in a namespace: addresses by the index of their interface, default gateways by its name."""

    addresses: Dict[int, List[str]] = field(default_factory=lambda: collections.defaultdict(list))
    gateways: Dict[str, List[str]] = field(default_factory=lambda: collections.defaultdict(list))


class _Survey:
    """The lists of `SUBSETS`, a method each. An object that vanished meanwhile is an empty item. ``all_addresses``: also those of the
    host's own interfaces that are neither bridges nor pairs nor links of ours. ``limit``: see `gathered`; ``names``: the same for names of interfaces."""

    def __init__(
        self, view: HostView, all_addresses: bool = False, limit: Optional[int] = None, names: Optional[int] = None
    ) -> None:
        self._view = view
        self._all_addresses = all_addresses
        self._limit, self._names = limit, names
        self.unlisted: List[Item] = []  # what the limit left out
        self._rules = OwnedRules(view)
        self._addresses: Dict[int, List[Tuple[Link, Address]]] = {}  # those that are listed
        self._insides: Dict[int, _Inside] = {}
        self._interfaces_listed: Dict[int, List[Link]] = {}
        made = [pair for pair in view.pairs if pair.made is not None or pair.cable]
        self._on_ours: Set[Tuple[int, int, int]] = (
            set()
        )  # by namespace, the links of ours elsewhere that somebody in it is on
        self._made = {(namespace.inode, link.index) for pair in made for namespace, link in pair.ends}

    def lists(self, gather: Sequence[str]) -> Dict[str, List[Item]]:
        """Return the lists named in ``gather``."""
        return {name: [item for item in getattr(self, name)() if item] for name in SUBSETS if name in gather}

    def seen(self) -> Seen:
        """Return all there is to find something in."""
        view = self._view
        interfaces = [
            Interface(namespace.ref.option, link.name, str(link.get("mac") or ""), link.describe(), link.altnames)
            for namespace in view.reached()
            for link in view.links(namespace)
        ]
        return Seen(self.lists(SUBSETS), interfaces, self._listening)

    def _listening(self, port: int) -> List[Tuple[str, str]]:
        known = firewalls(self._view.state)
        return [
            (listener.protocol, "%s listens on %s" % (known.listener_name(listener), listener.where))
            for listener in known.listeners(self._view.host).on(port)
        ]

    # --- asking the nouns ---

    def _plan(self, resource: Resource[Any, Any], **params: Any) -> Plan:
        """Return the plan of a resource for an object, an empty one where the object vanished or cannot be asked for."""
        defaults = {name: option.get("default") for name, option in resource.options.items()}
        try:
            want = resource.parse({**defaults, **params})
            return resource.plan(want, resource.look(want, self._view.state))
        except (Refused, OSError):
            return Plan({}, {})

    def _reported(self, resource: Resource[Any, Any], **params: Any) -> Item:
        """Return an object as its module reports it. It is asked for as if it were to go, since that needs no parents."""
        return dict(self._plan(resource, state="absent", **params).before)

    # --- the lists ---

    def namespaces(self) -> Iterator[Item]:
        for namespace in self._view.asked_for():
            for name in namespace.names:
                yield self._namespace(namespace, dict(self._plan(netns.RESOURCE, name=name).before))
            if not namespace.names and (namespace.inode != self._view.host or namespace.containers):
                yield self._namespace(namespace, self._nameless(namespace))

    def _nameless(self, namespace: Namespace) -> Item:
        """Return a namespace as it would be reported if a name were bound to it, without that name."""
        source = {"path": namespace.path} if namespace.path else {"share": "host"}
        plan = self._plan(netns.RESOURCE, name="net:[%d]" % namespace.inode, loopback=False, **source)
        pid = namespace.pids[0] if namespace.pids else None
        path = namespace.path or "/proc/%d/ns/net" % namespace.containers[0].pid
        return dict(plan.after, name=None, path=path, pid=pid) if plan.after else {}

    def _namespace(self, namespace: Namespace, reported: Item) -> Item:
        """Return what the module netns reports of a namespace, with who is in it."""
        return reported and dict(
            reported,
            pid=namespace.containers[0].pid if namespace.containers else reported["pid"],
            **namespace.container,
            owner=self._view.owner(namespace),
            containers=[
                {"name": container.name, "engine": container.engine, "pid": container.pid}
                for container in namespace.containers
            ],
            processes=[{"pid": pid, "command": command} for pid, command in self._view.processes(namespace)],
            process_count=len(namespace.pids),
            interfaces=[link.name for link in self._interfaces(namespace)],
        )

    def _interfaces(self, namespace: Namespace) -> List[Link]:
        if namespace.inode not in self._interfaces_listed:
            links = (
                (link, self._is_made(namespace, link)) for link in self._view.links(namespace) if link.name != "lo"
            )
            self._interfaces_listed[namespace.inode] = list(self._listed(namespace, "interfaces", links, self._names))
        return self._interfaces_listed[namespace.inode]

    def _is_made(self, namespace: Namespace, link: Link) -> bool:
        """Return whether an interface is an end of a pair, or another link, that this collection made."""
        return (namespace.inode, link.index) in self._made or self._view.is_ours(namespace, link)

    def bridges(self) -> Iterator[Item]:
        view = self._view
        for namespace in view.reached():
            links = view.links(namespace)
            ours = {
                link.index
                for link in links
                if is_own_link(link, "bridge", namespace.ref.path, link.name, view.state.identity())
            }
            there = (
                (link, link.index in ours) for link in links if link.kind == "bridge" and view.shows(namespace, link)
            )
            listed = list(self._listed(namespace, "bridges", there, self._limit))
            masters = {link.index for link in listed}
            ports = self._ports(namespace, masters)
            for link in listed:
                reported = self._reported(bridge.RESOURCE, name=link.name, **namespace.option)
                yield reported and dict(reported, ports=ports[link.index], ours=link.index in ours)

    def _ports(self, namespace: Namespace, masters: Collection[int]) -> Dict[int, List[str]]:
        """Return the ports that are listed of bridges, or of vrfs, with these indexes, by those."""
        inside = (
            (link, self._is_made(namespace, link))
            for link in self._view.links(namespace)
            if link.master in masters and self._view.leads(namespace, link)
        )
        ports: Dict[int, List[str]] = collections.defaultdict(list)
        for port in self._listed(namespace, "ports", inside, self._limit):
            ports[port.master].append(port.name)
        return ports

    def links(self) -> Iterator[Item]:
        for namespace in self._view.reached():
            there = [(link, self._is_needed(namespace, link)) for link in self._view.made_as_links(namespace)]
            listed = list(self._listed(namespace, "links", there, self._limit))
            vrfs = {link.index for link in listed if link.kind == "vrf"}
            ports = self._ports(namespace, vrfs) if vrfs else {}
            for link in listed:
                reported = self._link(namespace, link)
                if reported and link.kind == "vrf":
                    reported["ports"] = ports.get(link.index, [])
                yield reported

    def _is_needed(self, namespace: Namespace, link: Link) -> bool:
        """Return whether a link is listed in any case: it is ours, or the first that a container has on a link of ours elsewhere, which stays for it."""
        if self._view.is_ours(namespace, link):
            return True
        parent = self._view.parent(link)
        if parent is None or parent[0] is namespace or not self._view.is_ours(*parent):
            return False
        known = (namespace.inode, parent[0].inode, parent[1].index)
        first = known not in self._on_ours
        self._on_ours.add(known)
        return first

    def _link(self, namespace: Namespace, link: Link) -> Item:
        """Return what the module ns_link reports of a link, with who has it and what it leads to."""
        parent = self._view.parent(link)
        try:
            origin = parent[0].ref if parent else None
            reported = ns_link.RESOURCE.described(namespace.ref, namespace.inode, link, origin, self._view.state)
        except (Refused, OSError):
            return {}  # it vanished
        away = namespace.inode != self._view.host
        inside = self._inside(namespace)
        return {
            **reported,
            "owner": self._view.owner(namespace) if away else None,
            **(namespace.container if away else {"container": None, "engine": None}),
            "addresses": inside.addresses[link.index],
            "gateways": inside.gateways[link.name],
            "ours": self._view.is_ours(namespace, link),
        }

    def veths(self) -> Iterator[Item]:
        ports: Dict[str, List[Item]] = collections.defaultdict(list)  # by the address they lead to
        for mapping in self._rules.port_mappings():
            ports[mapping.to].append(shown(mapping))
        by_near_end = itertools.groupby(self._view.pairs, key=lambda pair: pair.here)
        for namespace, pairs in by_near_end:
            found = ((pair, pair.made is not None or pair.cable) for pair in pairs)
            for pair in self._listed(namespace, "veths", found, self._limit):
                peer = {"peer_name": pair.far.name if pair.far else "unseen"}
                if pair.there is not None and pair.there is not pair.here:
                    peer["peer_netns"] = pair.there.ref.path
                reported = self._reported(veth.RESOURCE, name=pair.near.name, **pair.here.option, **peer)
                yield reported and dict(reported, **self._behind(pair, ports))

    def _behind(self, pair: Pair, ports: Mapping[str, List[Item]]) -> Item:
        """Return who is behind a pair, and how it is reached; ``ports`` are the published ports by address."""
        away = pair.there if pair.there is not pair.here else None
        inside = self._inside(pair.there) if pair.there is not None else _Inside()
        addresses = inside.addresses[pair.far.index] if pair.far is not None else []
        gateways = inside.gateways[pair.far.name] if pair.far is not None else []
        between = pair.here.inode != self._view.host
        return {
            "owner": self._view.owner(away) if away else None,
            **(away.container if away else {"container": None, "engine": None}),
            "addresses": addresses,
            "gateways": gateways,
            "published_ports": [port for cidr in addresses for port in ports.get(cidr.partition("/")[0], ())],
            "ours": pair.made is not None or pair.derived or pair.cable,
            "cable": pair.cable,
            "near_owner": self._view.owner(pair.here) if between else None,
            "near_addresses": self._inside(pair.here).addresses[pair.near.index] if between else [],
            "made_for": NsRef(pair.made or "").option,
        }

    def _inside(self, namespace: Namespace) -> _Inside:
        """Return the addresses and gateways of a namespace that are listed, read once whatever the number of its interfaces."""
        if namespace.inode not in self._insides:
            found = self._insides[namespace.inode] = _Inside()
            host = namespace.inode == self._view.host
            for link, address in self._view.addresses(namespace) if host else self._shown_addresses(namespace):
                if address.scope != "link":
                    found.addresses[link.index].append(address.cidr)
            routes = ((route, route.protocol == PROTOCOL) for route in self._view.default_routes(namespace))
            for route in self._listed(namespace, "gateways", routes, self._limit):
                hops = [(route.gateway, route.interface), *((hop.gateway, hop.interface) for hop in route.nexthops)]
                for gateway, interface in hops:
                    if gateway:
                        found.gateways[interface].append(gateway)
        return self._insides[namespace.inode]

    def _listed(
        self, namespace: Namespace, what: str, found: Iterable[Tuple[Entry, bool]], limit: Optional[int]
    ) -> Iterator[Entry]:
        """Yield what is ``found`` in a namespace (each, and whether it is ours): in a container's all of ours, and of others' no more than ``limit``,
        of which its root can make any number."""
        limit = None if namespace.inode == self._view.host else limit
        others = 0
        for entry, ours in found:
            others += not ours
            if limit is None or ours or others <= limit:
                yield entry
        self._unlisted(namespace, what, others, limit)

    def _unlisted(self, namespace: Namespace, what: str, others: int, limit: Optional[int]) -> None:
        """Take note of how many of others' are not listed."""
        if limit is not None and others > limit:
            self.unlisted.append({"netns": namespace.ref.option, "list": what, "count": others - limit})

    def _shown_addresses(self, namespace: Namespace) -> List[Tuple[Link, Address]]:
        """Return the addresses of a namespace that are listed, with their interfaces."""
        if namespace.inode not in self._addresses:
            there = (
                ((link, address), address.protocol == PROTOCOL)
                for link, address in self._view.addresses(namespace)
                if self._all_addresses or self._view.shows(namespace, link)
            )
            self._addresses[namespace.inode] = list(self._listed(namespace, "addresses", there, self._limit))
        return self._addresses[namespace.inode]

    def addresses(self) -> Iterator[Item]:
        for namespace in self._view.reached():
            for link, address in self._shown_addresses(namespace):
                yield ns_address.described(namespace.ref, link.name, address)

    def routes(self) -> Iterator[Item]:
        for namespace in self._view.reached():
            # Of a container from which none of others are wanted they are not read either.
            ours = self._limit == 0 and namespace.inode != self._view.host
            # Where a rule of ours leads to is told as well: by that it is known that the rule is there.
            limit = None if namespace.inode == self._view.host else self._limit
            others = 0
            for run, rule in self._view.ruled_routes(namespace, PROTOCOL if ours else 0):
                if self._shows_route(namespace, run.like):
                    routes: Iterable[Route] = run
                    if limit is not None and rule is None and run.like.protocol != PROTOCOL:
                        routes = itertools.islice(run, max(limit - others, 0))
                        others += len(run)
                    for route in routes:
                        yield ns_route.described(namespace.ref, route, rule)
            self._unlisted(namespace, "routes", others, limit)

    def _shows_route(self, namespace: Namespace, route: Route) -> bool:
        view = self._view
        names = {route.interface, *(hop.interface for hop in route.nexthops)} - {""}
        direct = route.type == "unicast" and names
        return any(view.shows(namespace, view.state.link(namespace.inode, name)) for name in names) or (
            not direct and namespace.inode != view.host and view.asks_for(namespace)
        )

    def nat(self) -> Iterator[Item]:
        view = self._view
        for rule in self._rules.source_nat():
            if view.whole or self._concerns(rule):
                yield self._reported(nat.RESOURCE, source=rule.source, owner=rule.owner)
        host = view.namespaces[view.host]
        for policy in self._rules.isolation():
            if view.whole or view.shows(host, view.state.link(view.host, policy.bridge)):
                yield self._reported(nat.RESOURCE, type="filter", bridge=policy.bridge, owner=policy.owner)
        for check in self._rules.spoof_checks():
            if view.whole or view.shows(host, view.state.link(view.host, check.interface)):
                yield self._reported(nat.RESOURCE, type="spoof_check", interface=check.interface, owner=check.owner)
        for uplink in self._rules.uplinks():
            if view.whole or view.shows(host, view.state.link(view.host, uplink.interface)):
                yield self._reported(nat.RESOURCE, type="uplink", interface=uplink.interface, owner=uplink.owner)
        for tunnel in self._rules.tunnels() if view.whole else ():
            yield self._reported(nat.RESOURCE, type="tunnel", vni=tunnel.vni, port=tunnel.port, owner=tunnel.owner)
        asked_for = () if view.whole else view.asked_for()
        within = {address.ip for namespace in asked_for for dummy, address in view.addresses(namespace)}
        for mapping in self._rules.port_mappings():
            if view.whole or mapping.to in within:
                yield self._reported(
                    nat.RESOURCE,
                    type="dnat",
                    to_address=mapping.to,
                    host_port=mapping.ports,
                    protocol=mapping.protocol,
                    host_ip=None if "/" in mapping.host_ip else mapping.host_ip,
                    vrf=mapping.vrf,
                    owner=mapping.owner,
                )

    def _concerns(self, rule: NatRule) -> bool:
        """Return whether a rule is for an address of the namespaces asked for."""
        source = ipaddress.ip_network(rule.source)
        view = self._view
        return any(
            address.parsed in source for namespace in view.asked_for() for dummy, address in view.addresses(namespace)
        )

    def orphans(self) -> Iterator[Item]:
        return orphans(self._view, self._rules)
