# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The backend nftables: tables of our own, what is in them, and the one transaction that changes them. Pure.

One is for what is forwarded, the other for what comes in by ports of bridges (`nftables_spoofing`). Source NAT is a rule and a stop a network
(`nftables_snat`). All else is elements of maps and sets (`nftables_elements`), with static rules on those (`nftables_static`): a port mapping
is one element, an isolated bridge one of each set that it belongs to. Each rule and element carries its owner in its comment. What is there is
compared by what it does (`nftables_whole`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Collection, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends import (
    nftables_snat,
    nftables_spoofing,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import (
    Backend,
    Chains,
    Texts,
    format_of,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_elements import (
    inside_of,
    key_of,
    map_of,
    mapping_text,
    marking,
    member,
    members_of,
    notes,
    numbered,
    pair,
    quoted,
    reserved,
    through,
    traits,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_foreign import (
    FAMILY_WORDS,
    chains_of,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_json import (
    Objects,
    kind,
    objects_of,
    table_of,
    text_of,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_read import (
    NftRules,
    cleaned,
    noted,
    owned,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_static import (
    BRIDGE_TABLE,
    FENCE_SETS,
    INSIDE_SETS,
    IP,
    ISOLATION_SETS,
    RESERVED,
    STATIC,
    TABLE,
    VRF_INTERNAL,
    put_again,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import Chain, ForeignRules
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    ALLOWANCES,
    CONFINED,
    FAMILIES,
    FENCES,
    ISOLATION,
    NAT,
    PORTS,
    SPOOFING,
    TUNNELS,
    UNREADABLE,
    UPLINKS,
    VRFS,
    Allowance,
    Edit,
    Fence,
    Isolation,
    OwnedRules,
    PortMapping,
    Tunnel,
    Uplink,
    bridges_of,
    confined,
    edited,
    in_vrfs,
    making,
    plain,
)

if TYPE_CHECKING:
    from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.fate import Block
    from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.packets import Flow

_CALLS = "LINUXNET-"  # begins the names of our chains in the tables of iptables-nft, which nft lists as well


def _base(before: NftRules, about: str) -> List[str]:
    """Return the lines that set the static rules of a kind right; none where they are whole."""
    if before.whole(about):
        return []
    static = STATIC[about]
    return static.base(before.handles.get(about, ()), before.remade.get(about, ()), before.carried)


def _nat_base(before: NftRules) -> List[str]:
    """Return the lines that set right what the source NAT rules stand in; none where it is whole."""
    if before.whole(NAT):
        return []
    return nftables_snat.base(before.handles.get(NAT, ()), before.remade.get(NAT, ()), before.carried)


def lines_of(objects: Objects, edits: Sequence[Edit]) -> List[str]:
    """Return the lines that carry out ``edits`` on the rule set as it is now; none where that is so already."""
    before = owned(objects)
    taken: List[str] = []
    if any(edit.reclaim for edit in edits):
        taken = [line for one in before.strangers for line in one.words]
        before = replace(cleaned(before), beside=before.beside)
    after = edited(before, edits)
    return [*taken, *_checks(objects, before, after, edits), *_forwarded(objects, before, after, edits)]


def _checks(objects: Objects, before: NftRules, after: NftRules, edits: Sequence[Edit]) -> List[str]:
    if not any(SPOOFING in edit.kinds or (edit.reclaim and before.beside) for edit in edits):
        return []
    touched = {port for edit in edits for port in (*edit.uncheck, *(check.interface for check in edit.check))}
    touched |= {port for edit in edits for port, dummy in (*edit.apart_on, *edit.apart_off)}
    return nftables_spoofing.changed(objects, before.bridge, touched, after.spoof_checks, after.apart)


def _forwarded(objects: Objects, before: NftRules, after: NftRules, edits: Sequence[Edit]) -> List[str]:
    """Return the lines for all that is in the table of what is forwarded."""
    if edits and all(edit.kinds == (SPOOFING,) for edit in edits):
        return []
    if after.empty:
        return [nftables_snat.drop_table()] if nftables_snat.has_table(objects) else []
    if before.dormant:
        awake = owned(objects, awake=True)
        awake = cleaned(awake) if any(edit.reclaim for edit in edits) else awake
        return _awake(before, after, _lines(awake, after, edits, objects))
    return _lines(before, after, edits, objects)


def _lines(before: NftRules, after: NftRules, edits: Sequence[Edit], objects: Objects) -> List[str]:
    there = nftables_snat.there(objects)
    kinds: Set[str] = {about for edit in edits for about in edit.kinds}
    reclaims = any(edit.reclaim for edit in edits)  # then what was left for somebody's sake goes as well
    about_nat = any(edit.put or edit.drop for edit in edits) or (reclaims and not after.nat_rules)
    lines = _nat_lines(before, after, there) if about_nat else []
    kept = {
        PORTS: plain(after.port_mappings),
        VRFS: in_vrfs(after.port_mappings),
        CONFINED: confined(after.isolations),
        ISOLATION: after.isolations,
        ALLOWANCES: after.allowances,
        FENCES: after.fences,
        UPLINKS: after.uplinks,
        TUNNELS: after.tunnels,
    }
    for about, owned_now in kept.items():
        if about not in kinds and (owned_now or not reclaims):
            continue
        if not owned_now and not before.unmarked:
            lines += STATIC[about].gone(there, before.handles.get(about, ()))
        else:
            lines += [*_base(before, about), *_content(before, after, about)]
    return lines


def _awake(before: NftRules, after: NftRules, lines: Sequence[str]) -> List[str]:
    """Return lines that put a dormant table in force as well. The kernel takes that together with no change of a chain, so where there is one all is
    made anew."""
    if not any(line.split()[1] == "chain" for line in lines):
        return [nftables_snat.base()[0], *lines]
    nothing, all_of_it = owned([]), [making(after)]
    anew = _forwarded([], nothing, edited(nothing, all_of_it), all_of_it)
    chains = {line.split()[4] for line in anew if line.startswith("add chain ")}
    return [nftables_snat.drop_table(), *anew, *put_again(before.carried, chains)]


def _nat_lines(before: NftRules, after: NftRules, there: Collection[str]) -> List[str]:
    """Return the lines that make of the source NAT rules that there are those that there are to be."""
    if not after.nat_rules and not before.unmarked:
        return nftables_snat.gone(there)
    anew = before.remade.get(NAT, ())
    old = {rule.key: rule for rule in before.nat_rules}
    lines: List[str] = []
    for rule in after.nat_rules:
        was = old.pop(rule.key, None)
        if (anew or rule != was) and rule.out_interface != UNREADABLE:
            lines += nftables_snat.put(rule, was.handles if was else (), anew)
    if lines and before.whole(NAT):
        lines = nftables_snat.base() + lines
    return [
        *_nat_base(before),
        *lines,
        *(line for rule in old.values() for line in nftables_snat.delete(rule.handles, anew)),
    ]


def _content(before: NftRules, after: OwnedRules, about: str) -> List[str]:
    """Return the lines that make of the elements of one kind that there are those that there are to be."""
    if about == ISOLATION:
        return [*_isolation_lines(before, after.isolations), *_reserved_lines(before, after.isolations)]
    if about == FENCES:
        return _fence_lines(before, before.fences, after.fences)
    if about == UPLINKS:
        return _uplink_lines(before, before.uplinks, [uplink for uplink in after.uplinks if uplink.number])
    if about == TUNNELS:
        return _tunnel_lines(before, before.frames, after.tunnels)
    if about == CONFINED:
        return _confined_lines(before, after.isolations)
    if about == ALLOWANCES:
        old = [] if before.anew(about, "marks") else before.allowances
        return _set_lines("marks", map(marking, old), map(marking, after.allowances))
    old_mappings = [mapping for mapping in before.port_mappings if not before.anew(about, map_of(mapping))]
    if about == VRFS:
        return _changed_elements(in_vrfs(old_mappings), in_vrfs(after.port_mappings))
    return _mapping_lines(before, plain(old_mappings), after)


def _changed_elements(before: Sequence[PortMapping], after: Sequence[PortMapping]) -> List[str]:
    """Return the lines that make of the elements of some mappings those of others."""
    old, new = ({mapping.identity: mapping for mapping in found} for found in (before, after))
    return [
        *_element_lines("delete", [mapping for key, mapping in old.items() if new.get(key) != mapping]),
        *_element_lines("add", [mapping for key, mapping in new.items() if old.get(key) != mapping]),
    ]


def _mapping_lines(before: NftRules, mappings: Sequence[PortMapping], after: OwnedRules) -> List[str]:
    loops = () if before.anew(PORTS, "loops") else before.loops
    localnet = [] if before.anew(PORTS, "localnet") else notes(before.localnet, before.hairpins)
    return [
        *_changed_elements(mappings, plain(after.port_mappings)),
        *_set_lines("loops", loops, map(pair, after.bridges)),
        *_set_lines("localnet", localnet, notes(after.localnet, after.hairpins)),
    ]


def _element_lines(verb: str, mappings: Iterable[PortMapping]) -> List[str]:
    """Return one line a map."""
    by_map: Dict[str, List[str]] = {}
    for mapping in mappings:
        by_map.setdefault(map_of(mapping), []).append(mapping_text(mapping) if verb == "add" else key_of(mapping))
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


def _isolation_lines(before: NftRules, new: Sequence[Isolation], about: Optional[Collection[str]] = None) -> List[str]:
    """Return the lines that have the isolated bridges in their sets; ``about``: those of some bridges only."""
    lines = []
    wanted = [members_of(isolation) for isolation in new]
    known = {members["closed"].partition(" comment ")[0] for members in wanted}
    marked = {quoted(isolation.bridge): members_of(isolation)["closed"] for isolation in before.isolations}
    for name in ISOLATION_SETS:
        found = before.sets.get(name, {})
        asked = found if about is None else [member(name, bridge) for bridge in about]
        there = [] if before.anew(ISOLATION, name) else [text for text in asked if text in found]
        if name == "closed":  # what somebody closed stays so
            there = [marked.get(text, text) for text in there if text in marked or text in known]
        lines += _set_lines(name, there, [members[name] for members in wanted if name in members])
    ends = None if about is None else tuple(" . " + quoted(bridge) for bridge in about)
    for name in INSIDE_SETS:
        there = [text for text in before.sets.get(name, {}) if ends is None or text.endswith(ends)]
        asked = [text for isolation in new for text in inside_of(isolation)[name]]
        lines += _set_lines(name, [] if before.anew(ISOLATION, name) else there, asked)
    return lines


def _reserved_lines(before: NftRules, new: Sequence[Isolation]) -> List[str]:
    """Return the lines that reserve the interfaces that isolations have for themselves; ``new`` are all that there are to be."""
    if not _reserving(before, new):
        return []
    known = [] if before.anew(ISOLATION, RESERVED) else before.sets.get(RESERVED, {})
    return _set_lines(RESERVED, known, reserved(new))


def _confined_lines(before: NftRules, new: Iterable[Isolation]) -> List[str]:
    """Return the lines that keep in what internal networks in VRFs send; ``new`` are all isolations that there are to be."""
    known = [] if before.anew(CONFINED, VRF_INTERNAL) else before.sets.get(VRF_INTERNAL, {})
    return _set_lines(VRF_INTERNAL, known, map(quoted, confined(new)))


def _reserving(before: NftRules, new: Iterable[Isolation]) -> bool:
    """Return whether interfaces are reserved, or are to be."""
    return bool(before.sets.get(RESERVED)) or any(isolation.only for isolation in new)


def _fence_lines(before: NftRules, old: Sequence[Fence], new: Sequence[Fence]) -> List[str]:
    lines = []
    for family, (ip, dummy) in IP.items():
        was, now = ([fence for fence in fences if fence.family == family] for fences in (old, new))
        for number, trait in enumerate(FENCE_SETS):
            name = "%s_%s" % (trait, ip)
            known, wanted = (
                [quoted(one) for fence in fences for one in (fence.interfaces, fence.spared)[number]]
                for fences in (was, now)
            )
            lines += _set_lines(name, [] if before.anew(FENCES, name) else known, wanted)
    return lines


def _uplink_lines(before: NftRules, old: Sequence[Uplink], new: Sequence[Uplink]) -> List[str]:
    lines = []
    for family, (ip, dummy) in IP.items():
        name = "uplinks_%s" % ip
        known = [] if before.anew(UPLINKS, name) else [uplink for uplink in old if uplink.family == family]
        wanted = [numbered(uplink) for uplink in new if uplink.family == family]
        lines += _set_lines(name, map(numbered, known), wanted)
    return lines


def _tunnel_lines(before: NftRules, old: Mapping[str, Iterable[str]], new: Sequence[Tunnel]) -> List[str]:
    """Return the lines that make of the elements of tunnels, by set, those of others: first who passes, last what passes from nobody else."""
    lines = []
    for name, wanted in through(new).items():
        lines += _set_lines(name, [] if before.anew(TUNNELS, name) else old.get(name, ()), wanted)
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
    checks_ports = marks_uplinks = True

    def parse(self, output: Texts) -> Objects:
        return objects_of(output[self.program]) if self.program in output else []

    def nothing(self) -> Objects:
        return []

    def format(self, ruleset: Objects) -> int:
        chains = (item for item in kind(ruleset, "chain") if table_of(item) in (TABLE, BRIDGE_TABLE))
        return format_of((text_of(item.get("name")) for item in chains), "format_")

    def owned(self, ruleset: Objects) -> NftRules:
        return owned(ruleset)

    def foreign(self, ruleset: Objects, seen: Chains) -> Chains:
        return chains_of(ruleset, (TABLE, BRIDGE_TABLE), (_CALLS,))

    def chains(self, ruleset: Objects, seen: Chains) -> Chains:
        return chains_of(ruleset)

    def purpose(self, chain: Chain) -> Optional[str]:
        if chain.table not in (TABLE, BRIDGE_TABLE):
            return None
        kinds = (kind for kind, rules in STATIC.items() if rules.table == chain.table and chain.name in rules.chains)
        return next(kinds, "")

    def listing_of(self, chain: Chain) -> Sequence[str]:
        family, dummy, table = chain.table.partition(" ")
        return [self.program, "-a", "list", "chain", family, table, chain.name] if family in FAMILY_WORDS else []

    def transaction(self, ruleset: Objects, edits: Sequence[Edit]) -> Texts:
        lines = lines_of(ruleset, edits)
        return {self.program: "\n".join([*lines, ""]) if lines else ""}

    def commands(
        self, edit: Edit, owned: OwnedRules, replaced: OwnedRules, last: bool
    ) -> List[Tuple[str, Sequence[str]]]:
        if edit.reclaim:
            left = cleaned(noted(owned))
            bare = replaced.beside and not left.spoof_checks and not left.apart
            taken = [line for one in replaced.strangers for line in one.words]
            taken += [nftables_spoofing.drop_table()] if bare else []
            return [(self.program, [line]) for line in (*taken, *([nftables_snat.drop_table()] if last else []))]
        if SPOOFING in edit.kinds:  # which is about nothing else then
            found = noted(owned)
            whole = found.whole(SPOOFING)
            checks = nftables_spoofing.typed(found.bridge, whole, replaced, edit.check, edit.apart_on, last)
            return [(self.program, [line]) for line in checks]
        if last:
            return [(self.program, [nftables_snat.drop_table()])]
        return [(self.program, [line]) for line in dict.fromkeys(self._typed(edit, noted(owned), replaced))]

    @staticmethod
    def _typed(edit: Edit, before: NftRules, replaced: OwnedRules) -> List[str]:
        """Return the lines that a person would type."""
        lines: List[str] = []
        if edit.put or edit.drop:
            anew = before.remade.get(NAT, ())
            lines += _nat_base(before) if edit.put or anew else []
            touched = {*(rule.key for rule in edit.put), *edit.drop}
            for rule in before.nat_rules if anew else ():
                if rule.key not in touched and rule.out_interface != UNREADABLE:
                    lines += nftables_snat.put(rule, rule.handles, anew)
            lines += nftables_snat.typed(edit, replaced.nat_rules, anew)
        for about in edit.kinds:
            lines += _base(before, about)
            if about == TUNNELS:
                whole = before.whole(about)
                old = through(replaced.tunnels) if whole else before.frames
                lines += _tunnel_lines(before, old, edit.admit if whole else edited(before, [edit]).tunnels)
            elif before.remade.get(about):  # all that was in what is made anew
                lines += _content(before, before, about)
        lines += _element_lines("delete", edit.unpublish)
        lines += _set_lines("loops", [], map(pair, bridges_of(edit.publish)))
        off, on = notes(edit.localnet_off, edit.hairpins_off), notes(edit.localnet_on, edit.hairpins_on)
        lines += _set_lines("localnet", off, on)
        lines += _set_lines("marks", map(marking, edit.disallow), map(marking, edit.allow))
        lines += _element_lines("add", edit.publish)
        if edit.isolate or edit.unisolate:
            touched_bridges = {*(isolation.bridge for isolation in edit.isolate), *edit.unisolate}
            there = replace(before, isolations=replaced.isolations)
            lines += _isolation_lines(there, edit.isolate, touched_bridges)
            if _reserving(before, edit.isolate) or CONFINED in edit.kinds:  # else none of the others matters
                left = [one for one in before.isolations if one.bridge not in touched_bridges]
                lines += _reserved_lines(before, [*left, *edit.isolate])
                lines += _confined_lines(before, [*left, *edit.isolate])
        lines += _uplink_lines(before, replaced.uplinks, edit.answer)
        return lines + _fence_lines(before, replaced.fences, edit.fence)

    def moved_on(self, owned: OwnedRules, edit: Edit, kept: Mapping[str, Set[int]]) -> OwnedRules:
        static = {entry for entry in owned.static if entry[0] not in edit.kinds}
        static |= {(about, family) for about in edit.kinds if kept[about] for family in FAMILIES}
        if edit.put or edit.drop:
            static |= {(NAT, family) for family in FAMILIES}
        found = cleaned(noted(owned)) if edit.reclaim else noted(owned)
        if not edit.isolate and not edit.unisolate:
            return replace(found, static=frozenset(static))
        sets = {name: dict(found.sets.get(name, {})) for name in (*ISOLATION_SETS, *INSIDE_SETS)}
        for bridge in (*edit.unisolate, *(isolation.bridge for isolation in edit.isolate)):
            for name in ISOLATION_SETS:
                sets[name].pop(member(name, bridge), None)
            for name in INSIDE_SETS:
                sets[name] = {text: None for text in sets[name] if not text.endswith(" . " + quoted(bridge))}
        for isolation in edit.isolate:
            for name in traits(isolation):
                sets[name][member(name, isolation.bridge)] = None
            for name, texts in inside_of(isolation).items():
                sets[name].update(dict.fromkeys(texts))
        sets[RESERVED] = dict.fromkeys(reserved(found.isolations)) if _reserving(found, edit.isolate) else {}
        inside = map(quoted, confined(found.isolations)) if CONFINED in edit.kinds else found.sets.get(VRF_INTERNAL, ())
        sets[VRF_INTERNAL] = dict.fromkeys(inside)
        return replace(found, static=frozenset(static), sets=sets)

    def ways(
        self, wanted: Allowance, blocks: Sequence[Block], foreign: ForeignRules, flows: Sequence[Flow], chosen: bool
    ) -> Sequence[Tuple[Allowance, List[Block]]]:
        if wanted.kind != "in" or not any(block.sure for block in blocks):
            return ()
        # Here and not above: of use only where others have rules that drop.
        from ansible_collections.linuxnet.containers.plugins.module_utils._firewall import fate

        as_held = replace(self.held_as(wanted), owner=wanted.owner)
        left = [block for block in blocks if block.some]
        return [(replace(as_held, by="0x%x/0x%x" % mark), left) for mark in fate.accepted_marks(foreign, flows)]

    def given(self, allowance: Allowance, flows: Sequence[Flow]) -> Sequence[Flow]:
        # Here and not above: of use only where others have rules that drop.
        from ansible_collections.linuxnet.containers.plugins.module_utils._firewall import fate

        return fate.marked(flows, int(allowance.by.split("/")[0], 16)) if allowance.by else flows

    def held_as(self, wanted: Allowance) -> Allowance:
        return Allowance("mark", wanted.name, 0) if wanted.kind == "in" else wanted


NFTABLES = Nftables()
