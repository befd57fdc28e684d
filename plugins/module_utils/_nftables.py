# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our nftables table as a whole: what is in it, and the one transaction that changes it. Pure.

Source NAT is a rule a network (`_rules.NatRule`). A published port, or a range of them, is one element of a map, so the
number of rules is the same for one port and for ten thousand. Each rule and each element carries its owner in its comment.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils import _rules
from ansible_collections.linuxnet.containers.plugins.module_utils._rules import MARK, TABLE, NatRule

EVERYWHERE = {4: "0.0.0.0/0", 6: "::/0"}
_FAMILIES = {4: ("ip", "ipv4_addr"), 6: ("ip6", "ipv6_addr")}
_CHAINS = ("publish", "prerouting", "output", "raw", "hairpin")
_LOOPS = "loops"  # (bridge, bridge): what is published behind it can be reached from there
_LOCALNET = "localnet"  # bridges whose route_localnet we switched on
_FIXED = "linuxnet-"  # begins the comment of a rule that is the same whatever is published


@dataclass(frozen=True)
class Element:
    """A published port, or a range of them (``first`` to ``last``). ``host_ip`` is an address or, for all, ``0.0.0.0/0`` or
    ``::/0``; ``to_port`` is 0 where the port stays the same, as it must for a range. ``bridge`` is where ``to`` is, if anywhere."""

    protocol: str
    host_ip: str
    first: int
    last: int
    to: str
    to_port: int = 0
    owner: str = ""
    bridge: str = ""
    comment: str = ""

    @property
    def family(self) -> int:
        return ipaddress.ip_address(self.to).version

    @property
    def map(self) -> str:
        """Return the name of the map that the element is in."""
        return "publish_%s%s" % (_FAMILIES[self.family][0], "_port" if self.to_port else "")

    @property
    def ports(self) -> str:
        return str(self.first) if self.first == self.last else "%d-%d" % (self.first, self.last)

    @property
    def key(self) -> str:
        """Return what tells the element from others of its map, in nft's syntax."""
        return "%s . %s . %s" % (self.protocol, self.host_ip, self.ports)

    @property
    def marked(self) -> str:
        """Return the comment that the element carries in the kernel."""
        return "%s%s|%s|%s" % (MARK, self.owner, self.bridge, self.comment)

    def text(self) -> str:
        """Return the element in nft's syntax."""
        port = " . %d" % self.to_port if self.to_port else ""
        return '%s comment "%s" : %s%s' % (self.key, self.marked, self.to, port)

    def overlaps(self, other: Element) -> bool:
        """Return whether a packet could meet both."""
        return (
            self.protocol == other.protocol
            and self.family == other.family
            and self.first <= other.last
            and other.first <= self.last
            and (self.host_ip == other.host_ip or EVERYWHERE[self.family] in (self.host_ip, other.host_ip))
        )


@dataclass(frozen=True)
class Publishing:
    """What is published: the elements, the bridges behind which they are, those that we opened for 127.0.0.1; and whether the
    rules that work on them are all there, with the handles of those that are."""

    elements: Tuple[Element, ...] = ()
    loops: Tuple[str, ...] = ()
    localnet: Tuple[str, ...] = ()
    whole: bool = False
    fixed: Tuple[Tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Edit:
    """What one step changes in the table. A rule that is put replaces the one with its key. ``ports``: it is about what is
    published, and if only about the rules that publishing needs."""

    put: Tuple[NatRule, ...] = ()
    drop: Tuple[Tuple[str, str], ...] = ()
    add: Tuple[Element, ...] = ()
    remove: Tuple[Element, ...] = ()
    ports: bool = False
    open: Tuple[str, ...] = ()  # bridges whose route_localnet was switched on
    close: Tuple[str, ...] = ()


# --- the fixed part ---


def _fixed() -> List[Tuple[str, str, str]]:
    """Return (chain, name, rule) of the rules that work on the maps."""
    rules = []
    for ip, dummy in _FAMILIES.values():
        key = "meta l4proto . %s daddr . th dport" % ip
        rules.append(("publish", "same-" + ip, "dnat %s to %s map @publish_%s" % (ip, key, ip)))
        protocols = "meta l4proto { tcp, udp, sctp }"  # nft wants it said where a port is set
        rules.append(("publish", "port-" + ip, "%s dnat %s to %s map @publish_%s_port" % (protocols, ip, key, ip)))
    # What is sent to an address of the host: from elsewhere, and by the host itself.
    rules += [(chain, chain, "fib daddr type local jump publish") for chain in ("prerouting", "output")]
    # route_localnet lets a neighbour's packets for 127.0.0.1 in: nobody but the host itself may send them.
    rules.append(("raw", "localhost", 'iifname != "lo" ip daddr 127.0.0.0/8 drop'))
    # The answer has to come back this way: to the host's 127.0.0.1, and to those on the same bridge, who see each other. With
    # br_netfilter the latter are bridged to each other, and have no input interface here.
    rules += [
        ("hairpin", "localhost", "ct status dnat ip saddr 127.0.0.0/8 masquerade"),
        ("hairpin", "sibling", "ct status dnat iifname . oifname @%s masquerade" % _LOOPS),
        ("hairpin", "routed", "iif != 0 return"),
        ("hairpin", "host", "fib saddr type local return"),
        ("hairpin", "bridged", "ct status dnat oifname . oifname @%s masquerade" % _LOOPS),
    ]
    return rules


_HOOKS = {
    "prerouting": "type nat hook prerouting priority dstnat",
    "output": "type nat hook output priority -100",
    "raw": "type filter hook prerouting priority raw",
    "hairpin": "type nat hook postrouting priority srcnat",
}


def publishing_base(fixed: Sequence[Tuple[str, int]] = ()) -> List[str]:
    """Return the lines that make what published ports need. ``fixed`` (chain, handle) are rules of it that are there: they are
    put anew, in their order."""
    lines = ["add table %s" % TABLE]
    for ip, address in _FAMILIES.values():
        key = "inet_proto . %s . inet_service" % address
        for name, value in (("", address), ("_port", "%s . inet_service" % address)):
            lines.append("add map %s publish_%s%s { type %s : %s; flags interval; }" % (TABLE, ip, name, key, value))
    lines.append("add set %s %s { type ifname . ifname; }" % (TABLE, _LOOPS))
    lines.append("add set %s %s { type ifname; }" % (TABLE, _LOCALNET))
    for chain in _CHAINS:
        hook = " { %s; policy accept; }" % _HOOKS[chain] if chain in _HOOKS else ""
        lines.append("add chain %s %s%s" % (TABLE, chain, hook))
    lines += ["delete rule %s %s handle %d" % (TABLE, chain, handle) for chain, handle in fixed]
    lines += ['add rule %s %s %s comment "%s%s"' % (TABLE, chain, rule, _FIXED, name) for chain, name, rule in _fixed()]
    return lines


def _no_publishing() -> List[str]:
    """Return the lines that take all of that away again."""
    maps = ["publish_%s%s" % (ip, name) for ip, dummy in _FAMILIES.values() for name in ("", "_port")]
    return [
        *("flush chain %s %s" % (TABLE, chain) for chain in _CHAINS),
        *("delete chain %s %s" % (TABLE, chain) for chain in reversed(_CHAINS)),
        *("delete map %s %s" % (TABLE, name) for name in maps),
        *("delete set %s %s" % (TABLE, name) for name in (_LOOPS, _LOCALNET)),
    ]


# --- reading ---


def publishing(objects: Sequence[Mapping[str, Any]]) -> Publishing:
    """Return what is published, from the rule set in nft's JSON."""
    elements: List[Element] = []
    sets: Dict[str, List[Any]] = {}
    for item in objects:
        for kind in ("map", "set"):
            found = item.get(kind)
            if found and _rules.is_ours(found):
                sets[found["name"]] = found.get("elem", [])
    for name, listed in sets.items():
        if name.startswith("publish_"):
            elements += [_element(key, value) for key, value in listed]
    ours = [item["rule"] for item in objects if "rule" in item and _rules.is_ours(item["rule"])]
    fixed = [rule for rule in ours if str(rule.get("comment", "")).startswith(_FIXED)]
    return Publishing(
        tuple(elements),
        tuple(_value(one)["concat"][0] for one in sets.get(_LOOPS, [])),
        tuple(_value(one) for one in sets.get(_LOCALNET, [])),
        sorted((rule["chain"], rule["comment"]) for rule in fixed)
        == sorted((chain, _FIXED + name) for chain, name, dummy in _fixed()),
        tuple((rule["chain"], rule["handle"]) for rule in fixed),
    )


def _value(item: Any) -> Any:
    """Return an element without its comment."""
    return item["elem"]["val"] if isinstance(item, dict) and "elem" in item else item


def _element(key: Any, value: Any) -> Element:
    protocol, host_ip, ports = _value(key)["concat"]
    comment = key["elem"].get("comment", "") if isinstance(key, dict) and "elem" in key else ""
    owner, dummy, rest = comment[len(MARK) :].partition("|") if comment.startswith(MARK) else ("", "", "")
    bridge, dummy, text = rest.partition("|")
    if isinstance(host_ip, dict):
        host_ip = "%s/%d" % (host_ip["prefix"]["addr"], host_ip["prefix"]["len"])
    first, last = ports["range"] if isinstance(ports, dict) else (ports, ports)
    to, to_port = value["concat"] if isinstance(value, dict) else (value, 0)
    return Element(protocol, host_ip, first, last, to, to_port, owner, bridge, text)


# --- changing ---


def transaction(objects: Sequence[Mapping[str, Any]], edits: Iterable[Edit]) -> List[str]:
    """Return the lines that carry out ``edits`` on the rule set as it is now; none where that is so already."""
    rules = {rule.key: rule for rule in _rules.ours(objects)}
    there = publishing(objects)
    before = {(one.map, one.key): one for one in there.elements}
    after, localnet = dict(before), set(there.localnet)
    lines: List[str] = []
    touched = False
    for edit in edits:
        touched = touched or edit.ports
        for rule in edit.put:
            old = rules.get(rule.key)
            lines += [*_rules.base(), *_rules.put(rule, old.handle if old else 0)]
            rules[rule.key] = rule
        for key in edit.drop:
            doomed = rules.pop(key, None)
            lines += [_rules.delete(doomed.handle)] if doomed is not None else []
        for one in edit.remove:
            after.pop((one.map, one.key), None)
        after.update({(one.map, one.key): one for one in edit.add})
        localnet = localnet - set(edit.close) | set(edit.open)
    if not rules and not after and not _rules.strangers(objects):
        return [_rules.drop_table()] if _rules.has_table(objects) else []
    if not touched:
        return lines
    if not after and not _rules.strangers(objects):
        return lines + (_no_publishing() if there.fixed else [])
    if not there.whole:
        lines += publishing_base(there.fixed)
    lines += _element_lines("delete", [one for key, one in before.items() if after.get(key) != one])
    lines += _element_lines("add", [one for key, one in after.items() if before.get(key) != one])
    lines += _bridge_lines(
        _LOOPS, '"%s" . "%s"', set(there.loops), {one.bridge for one in after.values() if one.bridge}
    )
    lines += _bridge_lines(_LOCALNET, '"%s"', set(there.localnet), localnet)
    return lines


def _element_lines(verb: str, elements: Sequence[Element]) -> List[str]:
    """Return one line a map."""
    by_map: Dict[str, List[str]] = {}
    for one in elements:
        by_map.setdefault(one.map, []).append(one.text() if verb == "add" else one.key)
    return ["%s element %s %s { %s }" % (verb, TABLE, name, ", ".join(listed)) for name, listed in by_map.items()]


def _bridge_lines(name: str, form: str, before: set[str], after: set[str]) -> List[str]:
    lines = []
    for verb, bridges in (("delete", before - after), ("add", after - before)):
        if bridges:
            shown = ", ".join(form.replace("%s", bridge) for bridge in sorted(bridges))
            lines.append("%s element %s %s { %s }" % (verb, TABLE, name, shown))
    return lines


def lines_of(edit: Edit, base: bool, fixed: Sequence[Tuple[str, int]], last: bool) -> List[str]:
    """Return the lines that a person would type for one edit of what is published."""
    if last:
        return [_rules.drop_table()]
    bridges = {one.bridge for one in edit.add if one.bridge}
    return [
        *(publishing_base(fixed) if base else []),
        *_element_lines("delete", edit.remove),
        *_bridge_lines(_LOOPS, '"%s" . "%s"', set(), bridges),
        *_bridge_lines(_LOCALNET, '"%s"', set(edit.close), set(edit.open)),
        *_element_lines("add", edit.add),
    ]
