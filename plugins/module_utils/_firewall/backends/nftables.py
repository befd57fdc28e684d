# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The backend nftables: tables of our own, what is in them, and the one transaction that changes them. Pure.

One is for what is forwarded, the other for what comes in by ports of bridges (`nftables_spoofing`). Source NAT is a rule a network
(`nftables_snat`). All else is elements of maps and sets, with static rules on those (`nftables_static`): a port mapping is one
element, an isolated bridge one of each set that it belongs to. Each rule and element carries its owner in its comment.
"""

from __future__ import annotations

import ipaddress
from dataclasses import field, replace
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall import foreign as foreign_rules
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends import (
    nftables_snat,
    nftables_spoofing,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import (
    Backend,
    Chains,
    Texts,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_json import (
    Objects,
    chains_of,
    comment_of,
    element,
    fields,
    kind,
    listed,
    objects_of,
    pairs,
    table_of,
    text_of,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_spoofing import Elements
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_static import (
    BRIDGE_TABLE,
    IP,
    ISOLATION_SETS,
    STATIC,
    TABLE,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import (
    Block,
    ForeignRules,
    Packet,
    ports,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    ALLOWANCES,
    EVERYWHERE,
    FAMILIES,
    ISOLATION,
    MARK,
    NAT,
    PORTS,
    SPOOFING,
    UNREADABLE,
    Allowance,
    Edit,
    Isolation,
    OwnedRules,
    PortMapping,
    bridges_of,
    edited,
    family_of,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass

_CALLS = "LINUXNET-"  # begins the names of our chains in the tables of iptables-nft, which nft lists as well


@dataclass(frozen=True)
class NftRules(OwnedRules):
    """What we own in nftables. ``sets`` has the bridges in each of the sets of isolation; ``handles``, by kind, the (chain, handle) of
    those of its static rules that are there; ``elements`` what is in the sets for checks as it was read, by port; ``others_check``: somebody
    has rules among those."""

    sets: Mapping[str, Mapping[str, None]] = field(default_factory=dict, hash=False)
    handles: Mapping[str, Tuple[Tuple[str, int], ...]] = field(default_factory=dict, hash=False)
    elements: Mapping[str, Elements] = field(default_factory=dict, hash=False)
    others_check: bool = False


def _noted(owned: OwnedRules) -> NftRules:
    """Return owned rules with what is noted here besides, which is nothing for those that were not read here."""
    return owned if isinstance(owned, NftRules) else NftRules(**vars(owned))


# --- elements ---


def _map_of(mapping: PortMapping) -> str:
    """Return the name of the map that a port mapping is in."""
    return "publish_%s%s" % (IP[mapping.family][0], "_port" if mapping.to_port else "")


def _key(mapping: PortMapping) -> str:
    return "%s . %s . %s" % (mapping.protocol, mapping.host_ip, mapping.ports)


def _text(mapping: PortMapping) -> str:
    port = " . %d" % mapping.to_port if mapping.to_port else ""
    return '%s comment "%s" : %s%s' % (_key(mapping), mapping.marked, mapping.to, port)


def _traits(isolation: Isolation) -> List[str]:
    """Return the sets that an isolated bridge is in."""
    held = (True, isolation.icc, not isolation.isolate, isolation.internal)
    return [name for name, holds in zip(ISOLATION_SETS, held) if holds]


def _member(name: str, bridge: str) -> str:
    return _pair(bridge) if name == "icc" else _quoted(bridge)


def _members(isolation: Isolation) -> Dict[str, str]:
    """Return the elements that say what is let through to a bridge, by set."""
    members = {name: _member(name, isolation.bridge) for name in _traits(isolation)}
    members["closed"] += ' comment "%s"' % isolation.marked
    return members


def _marking(allowance: Allowance) -> str:
    mark = allowance.by.partition("/")[0]
    return '"%s" comment "%s%s|%s" : %s' % (allowance.name, MARK, allowance.owner, allowance.by, mark)


def _quoted(name: str) -> str:
    return '"%s"' % name


def _pair(bridge: str) -> str:
    return '"%s" . "%s"' % (bridge, bridge)


# --- reading ---


def _bridge(item: Any) -> str:
    """Return the interface that an element of a set is, or that it is a pair of."""
    value = element(item)
    names = listed(fields(value).get("concat"))
    return text_of(names[0]) if names else text_of(value)


def _owner(comment: str) -> Tuple[str, str]:
    """Return the owner in a comment of ours, and what follows it."""
    owner, dummy, rest = comment[len(MARK) :].partition("|") if comment.startswith(MARK) else ("", "", "")
    return owner, rest


class _Addresses:
    """Which texts are addresses. Many mappings have the same ones."""

    def __init__(self) -> None:
        self._known: Dict[str, bool] = {}

    def has(self, text: str) -> bool:
        if text not in self._known:
            try:
                self._known[text] = bool(ipaddress.ip_address(text))
            except ValueError:
                self._known[text] = False
        return self._known[text]

    def host(self, value: Any) -> str:
        """Return the address, or the network of all, that a port is published on, ``""`` for anything else."""
        if isinstance(value, str):
            return value if self.has(value) else ""
        inner = fields(fields(value).get("prefix"))
        network = "%s/%s" % (inner.get("addr"), inner.get("len"))
        return network if network in EVERYWHERE.values() else ""


def _mapping(key: Any, value: Any, addresses: _Addresses) -> Optional[PortMapping]:
    """Return the port mapping that an element is, None where it is another one than we write."""
    parts = listed(fields(element(key)).get("concat"))
    goal = listed(fields(value).get("concat")) or [value, 0]
    if len(parts) != 3 or len(goal) != 2 or not isinstance(goal[1], int):
        return None
    protocol, (first, last), to = text_of(parts[0]), ports(parts[2]), text_of(goal[0])
    host_ip = addresses.host(parts[1])
    if not (protocol and first and host_ip and addresses.has(to)) or family_of(host_ip) != family_of(to):
        return None
    owner, rest = _owner(comment_of(key))
    bridge, dummy, comment = rest.partition("|")
    return PortMapping(protocol, host_ip, first, last, to, goal[1], owner, bridge, comment)


def _allowance(key: Any, value: Any) -> Allowance:
    owner, by = _owner(comment_of(key))
    try:
        known = int(by.partition("/")[0], 0) == value
    except ValueError:
        known = False
    return Allowance("mark", _bridge(key), 0, by if known else "", owner)


def owned(objects: Objects) -> NftRules:
    """Return what is in our table, from the rule set in nft's JSON."""
    sets: Dict[str, Sequence[Any]] = {}
    for what in ("map", "set"):
        for item in kind(objects, what):
            if nftables_snat.is_ours(item):
                sets[text_of(item.get("name"))] = listed(item.get("elem"))
    mappings: List[PortMapping] = []
    addresses = _Addresses()
    unmarked = nftables_snat.unmarked(objects)
    for name, elements in sets.items():
        for key, value in pairs(elements) if name.startswith("publish_") else ():
            mapping = _mapping(key, value, addresses)
            if mapping is not None:
                mappings.append(mapping)
            else:
                unmarked.append("an element of %s" % name)
    names = {name: dict.fromkeys(map(_bridge, sets.get(name, ()))) for name in (*ISOLATION_SETS, "loops", "localnet")}
    isolations = []
    for item in sets.get("closed", ()):
        bridge = _bridge(item)
        icc, internal = bridge in names["icc"], bridge in names["internal"]
        isolations.append(Isolation(bridge, bridge not in names["open"], icc, internal, *_owner(comment_of(item))))
    rules = [rule for rule in kind(objects, "rule") if table_of(rule) in (TABLE, BRIDGE_TABLE)]
    handles: Dict[str, Tuple[Tuple[str, int], ...]] = {}
    static = {(NAT, family) for family in FAMILIES}  # a rule of source NAT stands alone
    for about, wanted in STATIC.items():
        there = [rule for rule in rules if text_of(rule.get("comment")).startswith(wanted.mark(""))]
        found = sorted((text_of(rule.get("chain")), text_of(rule.get("comment"))) for rule in there)
        if found == sorted((chain, wanted.mark(name)) for chain, name, dummy in wanted.rules):
            static |= {(about, family) for family in FAMILIES}
        known = [(text_of(rule.get("chain")), rule.get("handle")) for rule in there]
        handles[about] = tuple((chain, handle) for chain, handle in known if isinstance(handle, int))
    checked = nftables_spoofing.there(objects)
    return NftRules(
        nat_rules=tuple(nftables_snat.ours(objects)),
        port_mappings=tuple(mappings),
        isolations=tuple(isolations),
        allowances=tuple(_allowance(key, value) for key, value in pairs(sets.get("marks"))),
        bridges=tuple(names.pop("loops")),
        localnet=tuple(names.pop("localnet")),
        spoof_checks=tuple(nftables_spoofing.checks(checked)),
        unmarked=tuple(unmarked),
        static=frozenset(static),
        sets=names,
        handles=handles,
        elements=checked,
        others_check=nftables_spoofing.unmarked(objects),
    )


# --- changing ---


def _base(before: NftRules, about: str) -> List[str]:
    """Return the lines that make the static rules of a kind; none where they are whole."""
    return [] if before.whole(about) else STATIC[about].base(before.handles.get(about, ()))


def lines_of(objects: Objects, edits: Sequence[Edit]) -> List[str]:
    """Return the lines that carry out ``edits`` on the rule set as it is now; none where that is so already."""
    before = owned(objects)
    after = edited(before, edits)
    lines = _spoofing_lines(objects, before, after, edits)
    if after.empty:
        return lines + ([nftables_snat.drop_table()] if nftables_snat.has_table(objects) else [])
    old_rules = {rule.key: rule for rule in before.nat_rules}
    for rule in after.nat_rules:
        old = old_rules.pop(rule.key, None)
        if rule != old:
            lines += [*nftables_snat.base(), *nftables_snat.put(rule, old.handle if old else 0)]
    lines += [nftables_snat.delete(rule.handle) for rule in old_rules.values()]
    kinds: Set[str] = {about for edit in edits for about in edit.kinds}
    kept = {PORTS: after.port_mappings, ISOLATION: after.isolations, ALLOWANCES: after.allowances}
    for about in [about for about in STATIC if about in kinds and about != SPOOFING]:
        if not kept[about] and not before.unmarked:
            lines += STATIC[about].gone(nftables_snat.there(objects))
            continue
        lines += _base(before, about)
        if about == PORTS:
            lines += _mapping_lines(before, after)
        elif about == ISOLATION:
            lines += _isolation_lines(before.sets, before.isolations, after.isolations)
        else:
            lines += _set_lines("marks", map(_marking, before.allowances), map(_marking, after.allowances))
    return lines


def _spoofing_lines(objects: Objects, before: NftRules, after: NftRules, edits: Sequence[Edit]) -> List[str]:
    if not any(SPOOFING in edit.kinds for edit in edits):
        return []
    if not after.spoof_checks and not before.others_check:
        return [nftables_spoofing.drop_table()] if nftables_spoofing.has_table(objects) else []
    touched = {port for edit in edits for port in (*edit.uncheck, *(check.interface for check in edit.check))}
    old = {port: own for port, own in before.elements.items() if port in touched}
    new = {check.interface: check for check in after.spoof_checks if check.interface in touched}
    wanted = {port: nftables_spoofing.elements(check) for port, check in new.items()}
    return [*_base(before, SPOOFING), *nftables_spoofing.lines(old, wanted)]


def _mapping_lines(before: NftRules, after: NftRules) -> List[str]:
    old, new = ({mapping.identity: mapping for mapping in rules.port_mappings} for rules in (before, after))
    return [
        *_element_lines("delete", [mapping for key, mapping in old.items() if new.get(key) != mapping]),
        *_element_lines("add", [mapping for key, mapping in new.items() if old.get(key) != mapping]),
        *_set_lines("loops", map(_pair, before.bridges), map(_pair, after.bridges)),
        *_set_lines("localnet", map(_quoted, before.localnet), map(_quoted, after.localnet)),
    ]


def _element_lines(verb: str, mappings: Iterable[PortMapping]) -> List[str]:
    """Return one line a map."""
    by_map: Dict[str, List[str]] = {}
    for mapping in mappings:
        by_map.setdefault(_map_of(mapping), []).append(_text(mapping) if verb == "add" else _key(mapping))
    return ["%s element %s %s { %s }" % (verb, TABLE, name, ", ".join(texts)) for name, texts in by_map.items()]


def _set_lines(name: str, before: Iterable[str], after: Iterable[str]) -> List[str]:
    """Return the lines that make one set of elements of another; a comment is no part of what an element is known by."""
    old, new = dict.fromkeys(before), dict.fromkeys(after)
    gone = [text.partition(" comment ")[0] for text in old if text not in new]
    added = [text for text in new if text not in old]
    return [
        "%s element %s %s { %s }" % (verb, TABLE, name, ", ".join(texts))
        for verb, texts in (("delete", gone), ("add", added))
        if texts
    ]


def _isolation_lines(
    sets: Mapping[str, Iterable[str]], old: Sequence[Isolation], new: Sequence[Isolation]
) -> List[str]:
    lines = []
    wanted = [_members(isolation) for isolation in new]
    for name in ISOLATION_SETS:
        before = [_member(name, bridge) for bridge in sets.get(name, ())]
        if name == "closed":
            before = [_members(isolation)["closed"] for isolation in old]
        lines += _set_lines(name, before, [members[name] for members in wanted if name in members])
    return lines


class Nftables(Backend):
    """nftables, through the program nft. All that is changed in one transaction is there at once, or nothing of it is."""

    name = option = package = "nftables"
    program = "nft"
    oldest = (1, 0, 6)
    listing = "the nftables rule set"
    wildcard = "*"
    refuses_stale = True  # the lines name handles and elements
    by_mark = True  # an accept here overrides no other table's drop
    checks_ports = True

    def parse(self, output: Texts) -> Objects:
        return objects_of(output[self.program]) if output.get(self.program) else []

    def nothing(self) -> Objects:
        return []

    def owned(self, ruleset: Objects) -> NftRules:
        return owned(ruleset)

    def foreign(self, ruleset: Objects, seen: Chains) -> Chains:
        return chains_of(ruleset, TABLE, _CALLS)

    def transaction(self, ruleset: Objects, edits: Sequence[Edit]) -> Texts:
        lines = lines_of(ruleset, edits)
        return {self.program: "\n".join([*lines, ""]) if lines else ""}

    def commands(
        self, edit: Edit, owned: OwnedRules, replaced: OwnedRules, last: bool
    ) -> List[Tuple[str, Sequence[str]]]:
        if SPOOFING in edit.kinds:  # which is about nothing else then
            lines = self._typed_checks(edit, _noted(owned), replaced, last)
            return [(self.program, [line]) for line in lines]
        lines = nftables_snat.typed(edit, replaced.nat_rules, last)
        if not last:
            lines += self._typed(edit, _noted(owned), replaced)
        return [(self.program, [line]) for line in dict.fromkeys(lines)]

    @staticmethod
    def _typed(edit: Edit, before: NftRules, replaced: OwnedRules) -> List[str]:
        """Return the lines that a person would type for what is in sets and maps."""
        lines: List[str] = []
        for about in edit.kinds:
            lines += _base(before, about)
        lines += _element_lines("delete", edit.unpublish)
        lines += _set_lines("loops", [], map(_pair, bridges_of(edit.publish)))
        lines += _set_lines("localnet", map(_quoted, edit.localnet_off), map(_quoted, edit.localnet_on))
        lines += _set_lines("marks", map(_marking, edit.disallow), map(_marking, edit.allow))
        lines += _element_lines("add", edit.publish)
        if edit.isolate or edit.unisolate:
            touched = dict.fromkeys([*(isolation.bridge for isolation in edit.isolate), *edit.unisolate])
            sets = {name: [bridge for bridge in touched if bridge in bridges] for name, bridges in before.sets.items()}
            lines += _isolation_lines(sets, replaced.isolations, edit.isolate)
        return lines

    @staticmethod
    def _typed_checks(edit: Edit, before: NftRules, replaced: OwnedRules, last: bool) -> List[str]:
        """Return the lines that a person would type for checks of ports."""
        if last:
            return [nftables_spoofing.drop_table()]
        old = {
            check.interface: before.elements.get(check.interface, {})
            if check.mac == UNREADABLE
            else nftables_spoofing.elements(check)
            for check in replaced.spoof_checks
        }
        new = {check.interface: nftables_spoofing.elements(check) for check in edit.check}
        return [*_base(before, SPOOFING), *nftables_spoofing.lines(old, new)]

    def moved_on(self, owned: OwnedRules, edit: Edit, kept: Mapping[str, Set[int]]) -> OwnedRules:
        static = {entry for entry in owned.static if entry[0] not in edit.kinds}
        static |= {(about, family) for about in edit.kinds if kept[about] for family in FAMILIES}
        found = _noted(owned)
        sets = found.sets
        if edit.isolate or edit.unisolate:
            left = {name: dict(sets.get(name, {})) for name in ISOLATION_SETS}
            for bridge in (*edit.unisolate, *(isolation.bridge for isolation in edit.isolate)):
                for bridges in left.values():
                    bridges.pop(bridge, None)
            for isolation in edit.isolate:
                for name in _traits(isolation):
                    left[name][isolation.bridge] = None
            sets = left
        return replace(found, static=frozenset(static), sets=sets)

    def allowance(
        self, wanted: Allowance, blocks: Sequence[Block], foreign: ForeignRules, packet: Packet, chosen: bool
    ) -> Tuple[Optional[Allowance], List[Block]]:
        marks = foreign_rules.accepted_marks(foreign, packet) if blocks and wanted.kind == "in" else []
        if not marks:
            return None, list(blocks)
        return replace(self.held_as(wanted), by="0x%x/0x%x" % marks[0], owner=wanted.owner), []

    def held_as(self, wanted: Allowance) -> Allowance:
        return Allowance("mark", wanted.name, 0) if wanted.kind == "in" else wanted


NFTABLES = Nftables()
