# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who has this address, who publishes that port, what is behind this interface: one question to what the survey saw. Pure."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import field
from typing import Any, Callable, Dict, Iterable, List, Mapping, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import addressing, link_kinds, values
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid

Item = Dict[str, Any]
Lists = Dict[str, List[Dict[str, Any]]]
End = Tuple[Any, str]  # (namespace as results show it, interface)

_PORT = re.compile(r"(?P<port>[0-9]{1,5})(?:/(?P<protocol>tcp|udp|sctp))?", re.IGNORECASE)
_NAMED_AT_MOST = 10


@dataclass(frozen=True)
class Interface:
    """An interface of whatever kind: its namespace as results show it, None for the host's; ``altnames``: its alternative names."""

    netns: Any
    name: str
    mac: str
    described: str
    altnames: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    """What the survey saw: its ``lists``, with the addresses of all of the host's interfaces; all ``interfaces``; ``listening`` returns, for a
    port of the host, (protocol, who listens on what) of each listener."""

    lists: Mapping[str, Sequence[Item]]
    interfaces: Sequence[Interface] = ()
    listening: Callable[[int], Sequence[Tuple[str, str]]] = lambda port: ()


@dataclass()
class _Concerned:
    """What a question concerns: ends of pairs and other interfaces, namespaces, bridges of the host, and NAT rules by their place."""

    ends: Set[End] = field(default_factory=set)
    netns: Set[Any] = field(default_factory=set)
    bridges: Set[End] = field(default_factory=set)
    rules: Set[int] = field(default_factory=set)
    sentences: List[str] = field(default_factory=list)


def find(seen: Seen, asked: str) -> Tuple[Lists, str]:
    """Return what of the lists concerns ``asked``, and a few sentences that answer.

    It is an address, a MAC address, a port as ``8080/tcp``, else the name of a container, a namespace, an interface or a network; a bare
    number is a port where nothing has it as a name.
    """
    asked = asked.strip()
    finder = _Finder(seen)
    for read, answer in ((_address, finder.address), (_mac, finder.mac)):
        try:
            return finder.result(asked, answer(read(asked)))
        except Invalid:
            continue
    port = _PORT.fullmatch(asked)
    concerned = _Concerned() if port and port["protocol"] else finder.name(asked)
    if port and not concerned.sentences:
        concerned = finder.port(int(port["port"]), (port["protocol"] or "").lower())
    return finder.result(asked, concerned)


def _address(asked: str) -> str:
    return addressing.ip(asked.partition("/")[0], "find")


def _mac(asked: str) -> str:
    return str(values.mac(asked, "find"))


def _listed(entries: Sequence[str]) -> str:
    more = len(entries) - _NAMED_AT_MOST
    return "; ".join(entries[:_NAMED_AT_MOST]) + ("; and %d more" % more if more > 0 else "")


def _published(rule: Item) -> str:
    host = addressing.bracketed(rule["host_ip"]) + ":" if rule["host_ip"] else ""
    return "%s%s/%s" % (host, rule["host_port"], rule["protocol"])


class _Finder:
    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._pairs = seen.lists["veths"]
        self._rules = seen.lists["nat"]
        self._behind: Dict[End, Item] = {}  # pairs, by each of their ends
        for pair in self._pairs:
            self._behind[pair["netns"], pair["name"]] = pair
            self._behind[pair["peer_netns"], pair["peer_name"]] = pair
        self._links = {(link["netns"], link["name"]): link for link in seen.lists["links"]}
        self._made_on: Dict[End, List[End]] = {}  # links by what they are made on
        for end, link in self._links.items():
            if link.get("parent"):
                self._made_on.setdefault((link["parent_netns"], link["parent"]), []).append(end)
        self._held: Dict[End, List[Item]] = {}  # addresses by interface
        self._holders: Dict[str, List[End]] = {}  # interfaces by address
        for address in seen.lists["addresses"]:
            end = (address["netns"], address["interface"])
            self._held.setdefault(end, []).append(address)
            self._holders.setdefault(address["ip"], []).append(end)

    # --- the questions ---

    def address(self, ip: str) -> _Concerned:
        found = _Concerned()
        for address in self._seen.lists["addresses"]:
            if address["ip"] == ip:
                end = (address["netns"], address["interface"])
                self._add_end(found, end)
                found.sentences.append("%s is an address of %s" % (address["address"], self._place(end)))
        parsed = ipaddress.ip_address(ip)
        if not found.sentences:
            nets = [
                "%s, the network of %s" % (net, address["interface"])
                for address in self._seen.lists["addresses"]
                for net in [ipaddress.ip_interface(address["address"]).network]
                if address["netns"] is None and parsed in net
            ]
            inside = "it is in %s" % nets[0] if nets else "it is in none of its networks"
            found.sentences.append("Nobody on this host has %s; %s" % (ip, inside))
        self._add_rules(found, lambda rule: ip in (rule.get("to_address"), rule.get("host_ip")), said=True)
        self._add_rules(found, lambda rule: ip in (rule.get("addresses") or ()))
        self._add_rules(found, lambda rule: bool(rule.get("source")) and parsed in ipaddress.ip_network(rule["source"]))
        return found

    def mac(self, mac: str) -> _Concerned:
        found = _Concerned()
        for interface in self._seen.interfaces:
            if interface.mac == mac:
                end = (interface.netns, interface.name)
                self._add_end(found, end)
                found.sentences.append("%s is the MAC address of %s" % (mac, self._place(end, interface.described)))
        self._add_rules(found, lambda rule: rule.get("mac") == mac)
        if not found.sentences:
            found.sentences.append("No interface that can be seen on this host has the MAC address %s" % mac)
        return found

    def port(self, port: int, protocol: str) -> _Concerned:
        found = _Concerned()

        def is_published(rule: Item) -> bool:
            if rule["type"] != "dnat" or protocol not in ("", rule["protocol"]):
                return False
            first, dummy, last = rule["host_port"].partition("-")
            return int(first) <= port <= int(last or first)

        self._add_rules(found, is_published, said=True)
        shown = "%d/%s" % (port, protocol) if protocol else "port %d" % port
        if not found.sentences:
            found.sentences.append("Nobody publishes %s with this collection" % shown)
        found.sentences += [
            "on the host %s" % listens for listened, listens in self._seen.listening(port) if protocol in ("", listened)
        ]
        return found

    def name(self, name: str) -> _Concerned:
        """Answer for everything that has a name: nothing where nothing has it."""
        found = _Concerned()
        also = {(one.netns, one.name) for one in self._seen.interfaces if name in one.altnames}
        self._add_containers(found, name)
        for bridge in self._seen.lists["bridges"]:
            if bridge["name"] == name or (bridge["netns"], bridge["name"]) in also:
                self._add_bridge(found, bridge)
        for interface in self._seen.interfaces:
            end = (interface.netns, interface.name)
            if (interface.name == name or end in also) and end not in found.bridges and name != "lo":
                self._add_end(found, end)
                addresses = self._addresses(end)
                text = self._place(end, interface.described) + ("; it has %s" % addresses if addresses else "")
                found.sentences.append("There is " + text + self._add_users(found, end))
        for orphan in self._seen.lists["orphans"]:
            if orphan["name"] == name:
                found.sentences.append("%s is left over: %s" % (name, orphan["why"]))
        bridges = {name, *(own for netns, own in also if netns is None)}
        self._add_rules(
            found, lambda rule: rule["owner"] == name or bridges & {rule.get("bridge"), rule.get("interface")}
        )
        if found.rules and not found.sentences:
            found.sentences.append("%s is gone, but has rules that stayed" % name)
        return found

    # --- what belongs together ---

    def _add_users(self, found: _Concerned, end: End) -> str:
        """Add who is made on an interface, and the ports of a vrf. Return the end of a sentence that names them."""
        on = self._made_on.get(end, [])
        ports = [(end[0], port) for port in self._links.get(end, {}).get("ports", ())]
        for one in (*on, *ports):
            self._add_end(found, one)
        text = "; made on it: " + _listed(list(map(self._user, on))) if on else ""
        return text + ("; its ports: " + _listed(list(map(self._port, ports))) if ports else "")

    def _user(self, end: End) -> str:
        link = self._links[end]
        return " ".join(["%s of %s" % (end[1], self._whose(link)), *link["addresses"]])

    def _add_end(self, found: _Concerned, end: End) -> None:
        """Add an interface, the other end of its pair or what it is made on, their namespaces and bridge."""
        pair = self._behind.get(end)
        found.ends.add(end)
        found.netns.add(end[0])
        if pair is not None:
            found.ends.update([(pair["netns"], pair["name"]), (pair["peer_netns"], pair["peer_name"])])
            found.netns.add(pair["peer_netns"])
            found.bridges.add((pair["netns"], pair["bridge"]))
        link = self._links.get(end)
        if link is not None:
            found.bridges.add((link["netns"], link.get("master") or ""))
            if link.get("parent") and (link["parent_netns"], link["parent"]) not in found.ends:
                self._add_end(found, (link["parent_netns"], link["parent"]))
        if end[0] is None:
            found.bridges.add(end)

    def _add_rules(self, found: _Concerned, concerns: Callable[[Item], Any], said: bool = False) -> List[Item]:
        """Add the rules for which ``concerns`` holds, and return them; with ``said`` also what their ports lead to."""
        added = []
        for place, rule in enumerate(self._rules):
            if concerns(rule):
                added.append(rule)
                found.rules.add(place)
                if said and rule["type"] == "dnat":
                    holders = self._holders.get(rule["to_address"], [])
                    for end in holders:
                        self._add_end(found, end)
                    to = "%s port %s" % (rule["to_address"], rule["to_port"])
                    whose = ", ".join(map(self._place, holders)) or "which nobody on this host has"
                    found.sentences.append(
                        "%s is published for %s and leads to %s, %s" % (_published(rule), rule["owner"], to, whose)
                    )
        return added

    def _add_containers(self, found: _Concerned, name: str) -> None:
        for namespace in self._seen.lists["namespaces"]:
            held_by = [container["name"] for container in namespace["containers"]]
            if name in (namespace["name"], *namespace["shared_with"], namespace["owner"], *held_by):
                key = namespace["name"] or namespace["path"]
                if key not in found.netns:
                    found.netns.add(key)
                    found.sentences.append(self._container(found, namespace, key))

    def _container(self, found: _Concerned, namespace: Item, key: Any) -> str:
        """Return the sentence about a container, and add its ends."""
        inside = []
        for interface in namespace["interfaces"]:
            self._add_end(found, (key, interface))
            pair = self._behind.get((key, interface))
            addresses = self._addresses((key, interface))
            where = " on %s (%s)" % (pair["bridge"], pair["name"]) if pair and pair["bridge"] else ""
            if pair and pair["netns"] is not None and not pair["bridge"]:
                where = " to %s" % self._opposite(pair, (key, interface))
            link = self._links.get((key, interface))
            if link and link.get("parent"):
                where = ", " + self._made(link)
            inside.append(interface + (" " + addresses if addresses else "") + where)
            inside += ["default gateway " + gateway for gateway in (pair or link or {"gateways": ()})["gateways"]]
        rules = self._add_rules(found, lambda rule: rule["owner"] == key)
        ports = [_published(rule) for rule in rules if rule["type"] == "dnat"]
        engines = ", ".join("%(engine)s %(name)s" % container for container in namespace["containers"])
        who = str(key) + (" (%s)" % engines if engines else "")
        text = "%s has %s" % (who, _listed(inside) if inside else "no interface but lo")
        return text + ("; published: " + ", ".join(dict.fromkeys(ports)) if ports else "")

    def _add_bridge(self, found: _Concerned, bridge: Item) -> None:
        end = (bridge["netns"], bridge["name"])
        found.bridges.add(end)
        found.ends.add(end)
        ports = []
        for port in bridge["ports"]:
            self._add_end(found, (bridge["netns"], port))
            ports.append(self._port((bridge["netns"], port)))
        addresses = self._addresses(end)
        text = "%s is a bridge%s%s with %s" % (
            bridge["name"],
            " in %s" % bridge["netns"] if bridge["netns"] else "",
            " (%s)" % addresses if addresses else "",
            "%d port%s: %s" % (len(ports), "" if len(ports) == 1 else "s", _listed(ports)) if ports else "no port",
        )
        found.sentences.append(text)

    # --- words ---

    def _port(self, end: End) -> str:
        """Return who is behind a port of a bridge."""
        pair = self._behind.get(end)
        if pair is None or not pair["owner"]:
            return end[1]
        addresses = ", ".join(pair["addresses"])
        return self._far(pair) + (" " + addresses if addresses else "") + " (%s)" % end[1]

    def _addresses(self, end: End) -> str:
        return ", ".join(one["address"] for one in self._held.get(end, ()) if one["scope"] != "link")

    def _place(self, end: End, described: str = "") -> str:
        """Return where an interface is, and what it hangs on: ``eth0 of web (docker), behind veth… on docker0``."""
        netns, interface = end
        pair, link = self._behind.get(end), self._links.get(end)
        text = "%s of %s" % (interface, netns or "the host")
        if link is not None and link.get("parent"):
            return "%s of %s, %s" % (interface, self._whose(link), self._made(link))
        if pair is None:
            return text + (" (%s)" % described if described else "")
        on = " on %s" % pair["bridge"] if pair["bridge"] else ""
        if (pair["netns"], pair["name"]) == end:
            return "%s%s, %s" % (text, on, self._other_end(pair))
        if netns is not None and pair["netns"] is not None:
            return "%s%s, whose other end is %s%s" % (text, self._engine(pair), self._opposite(pair, end), on)
        return "%s%s, behind %s%s" % (text, self._engine(pair), pair["name"], on)

    def _opposite(self, pair: Item, end: End) -> str:
        """Return the other end of a pair between two containers."""
        if (pair["netns"], pair["name"]) != end:
            return "%s of %s" % (pair["name"], pair["near_owner"])
        return self._far(pair) if pair["owner"] else "what cannot be seen"

    def _whose(self, link: Item) -> str:
        return (link["owner"] or "the host") + self._engine(link)

    @staticmethod
    def _made(link: Item) -> str:
        """Return what a link is, and on what it is made: ``a macvlan on eth1 of the host``."""
        described = link_kinds.kind(link["kind"]).described
        return "%s on %s of %s" % (described, link["parent"], link["parent_netns"] or "the host")

    def _other_end(self, pair: Item) -> str:
        if not pair["owner"]:
            return "whose other end cannot be seen"
        return "whose other end is " + self._far(pair)

    def _far(self, pair: Item) -> str:
        return "%s of %s%s" % (pair["peer_name"], pair["owner"], self._engine(pair))

    @staticmethod
    def _engine(entry: Item) -> str:
        return " (%s)" % entry["engine"] if entry["engine"] else ""

    # --- the result ---

    def result(self, asked: str, found: _Concerned) -> Tuple[Lists, str]:
        """Return what is concerned, by list, and the sentences."""
        lists = self._seen.lists
        sentences = list(dict.fromkeys(found.sentences)) or ["Nothing on this host is called '%s'" % asked]
        netns = found.netns - {None}

        def of_interface(entries: Iterable[Item]) -> List[Item]:
            return [one for one in entries if (one["netns"], one["interface"]) in found.ends]

        kept: Lists = {
            "namespaces": [one for one in lists["namespaces"] if (one["name"] or one["path"]) in netns],
            "bridges": [one for one in lists["bridges"] if (one["netns"], one["name"]) in found.bridges],
            "veths": [one for one in self._pairs if (one["netns"], one["name"]) in found.ends],
            "links": [link for end, link in self._links.items() if end in found.ends | found.bridges],
            "addresses": of_interface(lists["addresses"]),
            "routes": of_interface(lists["routes"]),
            "nat": [rule for place, rule in enumerate(self._rules) if place in found.rules],
            "orphans": [one for one in lists["orphans"] if one["name"] == asked],
        }
        return kept, _listed(sentences) + "."
