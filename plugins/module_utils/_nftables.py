# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our nftables table as a whole: what is in it, and the one transaction that changes it. Pure.

Source NAT is a rule a network (`_rules.NatRule`). All else is elements of maps and sets, with rules that work on those and are
the same whatever is in them: a published port or a range of them is one element (`Element`), a guarded bridge one of each set
that it belongs to (`Guard`). Each rule and element carries its owner in its comment.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils import _rules
from ansible_collections.linuxnet.containers.plugins.module_utils._rules import MARK, TABLE, NatRule

EVERYWHERE = {4: "0.0.0.0/0", 6: "::/0"}
_FAMILIES = {4: ("ip", "ipv4_addr"), 6: ("ip6", "ipv6_addr")}
_FIXED = "linuxnet-"  # begins the comment of a rule of a fixed part


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
class Guard:
    """What is let through to a bridge: published ports only. ``isolate``: nothing from other guarded bridges, even where those
    are not isolated; ``icc``: its own containers reach each other by way of the host; ``internal``: nothing in, nothing out."""

    bridge: str
    isolate: bool = True
    icc: bool = True
    internal: bool = False
    owner: str = ""
    comment: str = ""

    def members(self) -> Dict[str, str]:
        """Return the elements that say so, by set, in nft's syntax."""
        one = '"%s"' % self.bridge
        mark = MARK + self.owner + ("|" + self.comment if self.comment else "")
        return {
            "closed": '%s comment "%s"' % (one, mark),
            **({"icc": "%s . %s" % (one, one)} if self.icc else {}),
            **({} if self.isolate else {"open": one}),
            **({"internal": one} if self.internal else {}),
        }


# --- the fixed parts ---


@dataclass(frozen=True)
class Part:
    """Sets, chains with their hooks, and rules (chain, name, text) on them, which are the same whatever is in the sets."""

    name: str
    sets: Mapping[str, str]  # "map NAME" or "set NAME" to its type
    chains: Mapping[str, str]
    rules: Sequence[Tuple[str, str, str]]

    def mark(self, name: str) -> str:
        """Return the comment of a rule."""
        return "%s%s-%s" % (_FIXED, self.name, name)

    def base(self, fixed: Sequence[Tuple[str, int]] = ()) -> List[str]:
        """Return the lines that make the part. ``fixed`` (chain, handle) are rules of it that are there; they are put anew."""
        lines = ["add table %s" % TABLE]
        for name, type_ in self.sets.items():
            kind, dummy, name = name.partition(" ")
            lines.append("add %s %s %s { %s; }" % (kind, TABLE, name, type_))
        for chain, hook in self.chains.items():
            lines.append("add chain %s %s%s" % (TABLE, chain, " { type %s; policy accept; }" % hook if hook else ""))
        lines += ["delete rule %s %s handle %d" % (TABLE, chain, handle) for chain, handle in fixed]
        for chain, name, rule in self.rules:
            lines.append('add rule %s %s %s comment "%s"' % (TABLE, chain, rule, self.mark(name)))
        return lines

    def gone(self) -> List[str]:
        """Return the lines that take the part away."""
        return [
            *("flush chain %s %s" % (TABLE, chain) for chain in self.chains),
            *("delete chain %s %s" % (TABLE, chain) for chain in reversed(list(self.chains))),
            *("delete %s %s %s" % (kind, TABLE, name) for kind, name in (one.split() for one in self.sets)),
        ]


def _publishing() -> Part:
    sets, rules = {}, []
    for ip, kind in _FAMILIES.values():
        key, found = "inet_proto . %s . inet_service" % kind, "meta l4proto . %s daddr . th dport" % ip
        sets["map publish_%s" % ip] = "type %s : %s; flags interval" % (key, kind)
        sets["map publish_%s_port" % ip] = "type %s : %s . inet_service; flags interval" % (key, kind)
        rules.append(("publish", "same-" + ip, "dnat %s to %s map @publish_%s" % (ip, found, ip)))
        protocols = "meta l4proto { tcp, udp, sctp }"  # nft wants it said where a port is set
        rules.append(("publish", "port-" + ip, "%s dnat %s to %s map @publish_%s_port" % (protocols, ip, found, ip)))
    # What is sent to an address of the host: from elsewhere, and by the host itself.
    rules += [(chain, chain, "fib daddr type local jump publish") for chain in ("prerouting", "output")]
    # route_localnet lets a neighbour's packets for 127.0.0.1 in: nobody but the host itself may send them.
    rules.append(("raw", "localhost", 'iifname != "lo" ip daddr 127.0.0.0/8 drop'))
    # The answer has to come back this way: to the host's 127.0.0.1, and to those on the same bridge, who see each other. With
    # br_netfilter the latter are bridged to each other, and have no input interface here.
    rules += [
        ("hairpin", "localhost", "ct status dnat ip saddr 127.0.0.0/8 masquerade"),
        ("hairpin", "sibling", "ct status dnat iifname . oifname @loops masquerade"),
        ("hairpin", "routed", "iif != 0 return"),
        ("hairpin", "host", "fib saddr type local return"),
        ("hairpin", "bridged", "ct status dnat oifname . oifname @loops masquerade"),
    ]
    chains = {
        "publish": "",
        "prerouting": "nat hook prerouting priority dstnat",
        "output": "nat hook output priority -100",
        "raw": "filter hook prerouting priority raw",
        "hairpin": "nat hook postrouting priority srcnat",
    }
    # loops: (bridge, bridge) where something is published; localnet: bridges whose route_localnet we switched on.
    sets.update({"set loops": "type ifname . ifname", "set localnet": "type ifname"})
    return Part("publish", sets, chains, rules)


GUARDED = ("closed", "icc", "open", "internal")  # the sets that a guarded bridge may be in
_GUARD = Part(
    "guard",
    {
        "set closed": "type ifname",
        "set icc": "type ifname . ifname",
        "set open": "type ifname",
        "set internal": "type ifname",
    },
    {"closed_to": "", "forward": "filter hook forward priority filter"},
    [
        ("forward", "answers", "ct state established,related accept"),
        ("forward", "icc", "iifname . oifname @icc accept"),
        ("forward", "internal-out", "iifname @internal counter drop"),
        ("forward", "internal-in", "oifname @internal counter drop"),
        ("forward", "closed", "oifname @closed jump closed_to"),
        ("closed_to", "published", "ct status dnat accept"),
        ("closed_to", "open", "iifname @open oifname @open accept"),
        ("closed_to", "unpublished", "counter drop"),
    ],
)
PARTS: Mapping[str, Part] = {"publish": _publishing(), "guard": _GUARD}


# --- reading ---


@dataclass(frozen=True)
class Fixed:
    """What there is of a part: whether all its rules are, and (chain, handle) of those that are."""

    whole: bool = False
    rules: Tuple[Tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Contents:
    """What is in our table besides source NAT: ports, the bridges behind which they are, those that we opened for 127.0.0.1,
    guarded bridges, and of each set of the guard what is in it."""

    elements: Tuple[Element, ...] = ()
    loops: Tuple[str, ...] = ()
    localnet: Tuple[str, ...] = ()
    guards: Tuple[Guard, ...] = ()
    members: Mapping[str, Tuple[str, ...]] = field(default_factory=dict, hash=False)
    parts: Mapping[str, Fixed] = field(default_factory=dict, hash=False)

    def part(self, name: str) -> Fixed:
        """Return what there is of a part."""
        return self.parts.get(name, Fixed())


def contents(objects: Sequence[Mapping[str, Any]]) -> Contents:
    """Return what is in our table, from the rule set in nft's JSON."""
    sets: Dict[str, List[Any]] = {}
    for item in objects:
        for kind in ("map", "set"):
            found = item.get(kind)
            if found and _rules.is_ours(found):
                sets[found["name"]] = found.get("elem", [])
    elements = [
        _element(key, value) for name, listed in sets.items() if name.startswith("publish_") for key, value in listed
    ]
    names = {name: tuple(_name(one) for one in sets.get(name, [])) for name in GUARDED}
    guards = []
    for one in sets.get("closed", []):
        owner, dummy, comment = _comment(one)[len(MARK) :].partition("|")
        bridge = _name(one)
        guards.append(
            Guard(
                bridge, bridge not in names["open"], bridge in names["icc"], bridge in names["internal"], owner, comment
            )
        )
    ours = [item["rule"] for item in objects if "rule" in item and _rules.is_ours(item["rule"])]
    parts = {}
    for part in PARTS.values():
        there = [rule for rule in ours if str(rule.get("comment", "")).startswith(part.mark(""))]
        wanted = sorted((chain, part.mark(name)) for chain, name, dummy in part.rules)
        parts[part.name] = Fixed(
            sorted((rule["chain"], rule["comment"]) for rule in there) == wanted,
            tuple((rule["chain"], rule["handle"]) for rule in there),
        )
    loops, localnet = (tuple(_name(one) for one in sets.get(name, [])) for name in ("loops", "localnet"))
    return Contents(tuple(elements), loops, localnet, tuple(guards), names, parts)


def _value(item: Any) -> Any:
    """Return an element without its comment and counter."""
    return item["elem"]["val"] if isinstance(item, dict) and "elem" in item else item


def _comment(item: Any) -> str:
    return str(item["elem"].get("comment", "")) if isinstance(item, dict) and "elem" in item else ""


def _name(item: Any) -> str:
    """Return the interface that an element of a set is, or that it is a pair of."""
    value = _value(item)
    return str(value["concat"][0] if isinstance(value, dict) else value)


def _element(key: Any, value: Any) -> Element:
    protocol, host_ip, ports = _value(key)["concat"]
    comment = _comment(key)
    owner, dummy, rest = comment[len(MARK) :].partition("|") if comment.startswith(MARK) else ("", "", "")
    bridge, dummy, text = rest.partition("|")
    if isinstance(host_ip, dict):
        host_ip = "%s/%d" % (host_ip["prefix"]["addr"], host_ip["prefix"]["len"])
    first, last = ports["range"] if isinstance(ports, dict) else (ports, ports)
    to, to_port = value["concat"] if isinstance(value, dict) else (value, 0)
    return Element(protocol, host_ip, first, last, to, to_port, owner, bridge, text)


# --- changing ---


@dataclass(frozen=True)
class Edit:
    """What one step changes in the table. A rule that is put replaces the one with its key, a guard the one of its bridge.
    ``parts`` are those that it is about, if only to set right what somebody edited."""

    put: Tuple[NatRule, ...] = ()
    drop: Tuple[Tuple[str, str], ...] = ()
    add: Tuple[Element, ...] = ()
    remove: Tuple[Element, ...] = ()
    open: Tuple[str, ...] = ()  # bridges whose route_localnet was switched on
    close: Tuple[str, ...] = ()
    guard: Tuple[Guard, ...] = ()
    unguard: Tuple[str, ...] = ()
    parts: Tuple[str, ...] = ()


def transaction(objects: Sequence[Mapping[str, Any]], edits: Iterable[Edit]) -> List[str]:
    """Return the lines that carry out ``edits`` on the rule set as it is now; none where that is so already."""
    there, strangers = contents(objects), _rules.strangers(objects)
    old_rules = {rule.key: rule for rule in _rules.ours(objects)}
    old_elements = {(one.map, one.key): one for one in there.elements}
    rules, elements = dict(old_rules), dict(old_elements)
    guards = {one.bridge: one for one in there.guards}
    localnet = set(there.localnet)
    parts: Set[str] = set()
    for edit in edits:
        rules.update((rule.key, rule) for rule in edit.put)
        for key in edit.drop:
            rules.pop(key, None)
        for one in edit.remove:
            elements.pop((one.map, one.key), None)
        elements.update(((one.map, one.key), one) for one in edit.add)
        localnet = localnet - set(edit.close) | set(edit.open)
        guards.update((one.bridge, one) for one in edit.guard)
        for bridge in edit.unguard:
            guards.pop(bridge, None)
        parts.update(edit.parts)
    if not (rules or elements or guards or strangers):
        return [_rules.drop_table()] if _rules.has_table(objects) else []
    lines: List[str] = []
    for key, rule in rules.items():
        old = old_rules.get(key)
        if rule is not old:
            lines += [*_rules.base(), *_rules.put(rule, old.handle if old else 0)]
    lines += [_rules.delete(rule.handle) for key, rule in old_rules.items() if key not in rules]
    for name, kept in (("publish", elements), ("guard", guards)):
        part = there.part(name)
        if name not in parts:
            continue
        if not kept and not strangers:
            lines += PARTS[name].gone() if part.rules else []
            continue
        lines += [] if part.whole else PARTS[name].base(part.rules)
        if name == "publish":
            lines += _element_lines("delete", [one for key, one in old_elements.items() if elements.get(key) != one])
            lines += _element_lines("add", [one for key, one in elements.items() if old_elements.get(key) != one])
            bridges = {one.bridge for one in elements.values() if one.bridge}
            lines += _set_lines("loops", {_pair(one) for one in there.loops}, {_pair(one) for one in bridges})
            lines += _set_lines(
                "localnet", {'"%s"' % one for one in there.localnet}, {'"%s"' % one for one in localnet}
            )
        else:
            lines += _guard_lines(there, list(guards.values()))
    return lines


def _pair(bridge: str) -> str:
    return '"%s" . "%s"' % (bridge, bridge)


def _element_lines(verb: str, elements: Sequence[Element]) -> List[str]:
    """Return one line a map."""
    by_map: Dict[str, List[str]] = {}
    for one in elements:
        by_map.setdefault(one.map, []).append(one.text() if verb == "add" else one.key)
    return ["%s element %s %s { %s }" % (verb, TABLE, name, ", ".join(listed)) for name, listed in by_map.items()]


def _set_lines(name: str, before: Iterable[str], after: Iterable[str]) -> List[str]:
    """Return the lines that make one set of elements of another; a comment is no part of what an element is known by."""
    old, new = set(before), set(after)
    lines = []
    for verb, listed in (
        ("delete", sorted(one.partition(" comment ")[0] for one in old - new)),
        ("add", sorted(new - old)),
    ):
        if listed:
            lines.append("%s element %s %s { %s }" % (verb, TABLE, name, ", ".join(listed)))
    return lines


def _guard_lines(there: Contents, guards: Sequence[Guard]) -> List[str]:
    lines = []
    for name, found in there.members.items():
        before = {_pair(one) if name == "icc" else '"%s"' % one for one in found}
        if name == "closed":
            before = {one.members()["closed"] for one in there.guards}
        lines += _set_lines(name, before, [one.members()[name] for one in guards if name in one.members()])
    return lines


def typed(edit: Edit, there: Contents, last: bool) -> List[str]:
    """Return the lines that a person would type for one edit. ``there`` is what was in the table before it; ``last``: the table
    goes with it."""
    if last:
        return [_rules.drop_table()]
    lines: List[str] = []
    for name in edit.parts:
        lines += [] if there.part(name).whole else PARTS[name].base(there.part(name).rules)
    lines += _element_lines("delete", edit.remove)
    lines += _set_lines("loops", [], {_pair(one.bridge) for one in edit.add if one.bridge})
    lines += _set_lines("localnet", {'"%s"' % one for one in edit.close}, {'"%s"' % one for one in edit.open})
    lines += _element_lines("add", edit.add)
    if edit.guard or edit.unguard:
        touched = {*(one.bridge for one in edit.guard), *edit.unguard}
        own = tuple(one for one in there.guards if one.bridge in touched)
        members = {name: tuple(one for one in found if one in touched) for name, found in there.members.items()}
        names = members or dict.fromkeys(GUARDED, ())
        lines += _guard_lines(Contents(guards=own, members=names), edit.guard)
    return lines
