# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our nftables table as a whole: what is in it, and the one transaction that changes it. Pure.

Source NAT is a rule a network (`nftables_snat`). All else is elements of maps and sets, with rules that work on those and are
the same whatever is in them: a published port or a range of them is one element, a guarded bridge one of each set
that it belongs to. Each rule and element carries its owner in its comment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends import nftables_snat
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_snat import TABLE
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    MARK,
    Contents,
    Edit,
    Element,
    Fixed,
    Guard,
    Passage,
    edited,
)

_FAMILIES = {4: ("ip", "ipv4_addr"), 6: ("ip6", "ipv6_addr")}
_FIXED = "linuxnet-"  # begins the comment of a rule of a fixed part


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
# A mark that another rule set lets through (docker's bridge-accept-fwmark), set before its forward chain looks.
_MARKING = Part(
    "mark",
    {"map marks": "type ifname : mark"},
    {"marks": "filter hook forward priority mangle"},
    [("marks", "published", "ct status dnat meta mark set oifname map @marks")],
)
PARTS: Mapping[str, Part] = {"publish": _publishing(), "guard": _GUARD, "mark": _MARKING}


def _map(one: Element) -> str:
    """Return the name of the map that an element is in."""
    return "publish_%s%s" % (_FAMILIES[one.family][0], "_port" if one.to_port else "")


def _key(one: Element) -> str:
    return "%s . %s . %s" % (one.protocol, one.host_ip, one.ports)


def _text(one: Element) -> str:
    port = " . %d" % one.to_port if one.to_port else ""
    return '%s comment "%s" : %s%s' % (_key(one), one.marked, one.to, port)


def _members(guard: Guard) -> Dict[str, str]:
    """Return the elements that say what a guard does, by set."""
    one = '"%s"' % guard.bridge
    return {
        "closed": '%s comment "%s"' % (one, guard.marked),
        **({"icc": "%s . %s" % (one, one)} if guard.icc else {}),
        **({} if guard.isolate else {"open": one}),
        **({"internal": one} if guard.internal else {}),
    }


def _marking(passage: Passage) -> str:
    return '"%s" comment "%s%s|%s" : %s' % (passage.name, MARK, passage.owner, passage.by, passage.by.partition("/")[0])


# --- reading ---


def contents(objects: Sequence[Mapping[str, Any]]) -> Contents:
    """Return what is in our table, from the rule set in nft's JSON."""
    sets: Dict[str, List[Any]] = {}
    for item in objects:
        for kind in ("map", "set"):
            found = item.get(kind)
            if found and nftables_snat.is_ours(found):
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
    ours = [item["rule"] for item in objects if "rule" in item and nftables_snat.is_ours(item["rule"])]
    parts = {}
    for part in PARTS.values():
        there = [rule for rule in ours if str(rule.get("comment", "")).startswith(part.mark(""))]
        wanted = sorted((chain, part.mark(name)) for chain, name, dummy in part.rules)
        parts[part.name] = Fixed(
            sorted((rule["chain"], rule["comment"]) for rule in there) == wanted,
            tuple((rule["chain"], rule["handle"]) for rule in there),
        )
    passages = []
    for key, value in sets.get("marks", []):
        owner, dummy, by = _comment(key)[len(MARK) :].partition("|")
        known = int(by.partition("/")[0] or "-1", 0) == value
        passages.append(Passage("mark", _name(key), 0, by if known else "", owner))
    loops, localnet = (tuple(_name(one) for one in sets.get(name, [])) for name in ("loops", "localnet"))
    return Contents(
        rules=tuple(nftables_snat.ours(objects)),
        elements=tuple(elements),
        guards=tuple(guards),
        passages=tuple(passages),
        loops=loops,
        localnet=localnet,
        strangers=tuple(nftables_snat.strangers(objects)),
        members=names,
        parts=parts,
    )


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


def bare_tables(objects: Sequence[Mapping[str, Any]]) -> List[str]:
    """Return the lines that delete the tables of iptables-nft in which nothing is; it makes them on demand, and leaves them."""
    full = {"%s %s" % (one.get("family"), one.get("table")) for item in objects for one in item.values()}
    names = ["%(family)s %(name)s" % item["table"] for item in objects if "table" in item]
    own = ["%s %s" % (ip, table) for ip, dummy in _FAMILIES.values() for table in ("raw", "mangle", "nat", "filter")]
    return ["delete table %s" % name for name in names if name in own and name not in full]


# --- changing ---


def transaction(objects: Sequence[Mapping[str, Any]], edits: Sequence[Edit]) -> List[str]:
    """Return the lines that carry out ``edits`` on the rule set as it is now; none where that is so already."""
    there = contents(objects)
    after = edited(there, edits)
    parts: Set[str] = {name for edit in edits for name in edit.parts}
    if after.empty:
        return [nftables_snat.drop_table()] if nftables_snat.has_table(objects) else []
    lines: List[str] = []
    old_rules = {rule.key: rule for rule in there.rules}
    for rule in after.rules:
        old = old_rules.pop(rule.key, None)
        if rule is not old:
            lines += [*nftables_snat.base(), *nftables_snat.put(rule, old.handle if old else 0)]
    lines += [nftables_snat.delete(rule.handle) for rule in old_rules.values()]
    for name, kept in (("publish", after.elements), ("guard", after.guards), ("mark", after.passages)):
        part = there.part(name)
        if name not in parts:
            continue
        if not kept and not there.strangers:
            lines += PARTS[name].gone() if part.rules else []
            continue
        lines += [] if part.whole else PARTS[name].base(part.rules)
        if name == "publish":
            old_elements, elements = ({one.identity: one for one in held.elements} for held in (there, after))
            lines += _element_lines("delete", [one for key, one in old_elements.items() if elements.get(key) != one])
            lines += _element_lines("add", [one for key, one in elements.items() if old_elements.get(key) != one])
            lines += _set_lines("loops", map(_pair, there.loops), map(_pair, after.loops))
            lines += _set_lines("localnet", map(_quoted, there.localnet), map(_quoted, after.localnet))
        elif name == "guard":
            lines += _guard_lines(there, after.guards)
        else:
            lines += _set_lines("marks", map(_marking, there.passages), map(_marking, after.passages))
    return lines


def _quoted(name: str) -> str:
    return '"%s"' % name


def _pair(bridge: str) -> str:
    return '"%s" . "%s"' % (bridge, bridge)


def _element_lines(verb: str, elements: Sequence[Element]) -> List[str]:
    """Return one line a map."""
    by_map: Dict[str, List[str]] = {}
    for one in elements:
        by_map.setdefault(_map(one), []).append(_text(one) if verb == "add" else _key(one))
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
            before = {_members(one)["closed"] for one in there.guards}
        lines += _set_lines(name, before, [_members(one)[name] for one in guards if name in _members(one)])
    return lines


def typed(edit: Edit, there: Contents, last: bool) -> List[str]:
    """Return the lines that a person would type for one edit. ``there`` is what was in the table before it; ``last``: the table
    goes with it."""
    if last:
        return [nftables_snat.drop_table()]
    lines: List[str] = []
    for name in edit.parts:
        lines += [] if there.part(name).whole else PARTS[name].base(there.part(name).rules)
    lines += _element_lines("delete", edit.remove)
    lines += _set_lines("loops", [], {_pair(one.bridge) for one in edit.add if one.bridge})
    lines += _set_lines("localnet", map(_quoted, edit.close), map(_quoted, edit.open))
    lines += _set_lines("marks", map(_marking, edit.unlet), map(_marking, edit.let))
    lines += _element_lines("add", edit.add)
    if edit.guard or edit.unguard:
        touched = {*(one.bridge for one in edit.guard), *edit.unguard}
        own = tuple(one for one in there.guards if one.bridge in touched)
        members = {name: tuple(one for one in found if one in touched) for name, found in there.members.items()}
        names = members or dict.fromkeys(GUARDED, ())
        lines += _guard_lines(Contents(guards=own, members=names), edit.guard)
    return lines
