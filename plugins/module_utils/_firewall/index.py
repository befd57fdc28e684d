# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What we hold in one place of a firewall, looked up in many ways, and moved on by changes. Pure."""

from __future__ import annotations

import collections
from dataclasses import replace
from typing import Any, Dict, Iterable, List, Mapping, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends import nftables
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    Contents,
    Edit,
    Element,
    Fixed,
    Guard,
    NatRule,
    Passage,
)


class Table:
    """What we hold in one place of one namespace: ports, found by port and by owner, and counted; source NAT rules, guarded
    bridges, and passages, each by its key."""

    def __init__(self, held: Contents) -> None:
        self.held = held  # but for its objects as it is now; those are the dictionaries here
        self.rules: Dict[Tuple[str, str], NatRule] = {one.key: one for one in held.rules}
        self.guards: Dict[str, Guard] = {one.bridge: one for one in held.guards}
        self.passages: Dict[Tuple[str, str, int, str], Passage] = {one.key: one for one in held.passages}
        self.elements: Dict[Element, None] = {}
        self.families: Dict[int, int] = collections.Counter()
        self.bridges: Dict[str, int] = collections.Counter()
        self.behind: Dict[Tuple[str, int], int] = (
            collections.Counter()
        )  # by bridge, or the address where there is none, and family
        self._by_owner: Dict[str, Dict[Element, None]] = collections.defaultdict(dict)
        self._by_port: Dict[Tuple[str, int], Dict[Element, None]] = collections.defaultdict(dict)
        self._ranges: Dict[Element, None] = {}
        for one in held.elements:
            self._put(one)

    def _homes(self, one: Element) -> List[Dict[Element, None]]:
        by_port = self._by_port[one.protocol, one.first] if one.first == one.last else self._ranges
        return [self.elements, self._by_owner[one.owner], by_port]

    def _put(self, one: Element) -> None:
        for home in self._homes(one):
            home[one] = None
        self._count(one, 1)

    def _count(self, one: Element, number: int) -> None:
        self.families[one.family] += number
        self.bridges[one.bridge] += number
        self.behind[one.bridge or one.to, one.family] += number

    def only(self, rules: int = 0, elements: int = 0, guards: int = 0, passages: int = 0) -> bool:
        """Return whether nothing is held but so many of each: whether all goes with them."""
        return not self.held.strangers and (rules, elements, guards, passages) == (
            len(self.rules),
            len(self.elements),
            len(self.guards),
            len(self.passages),
        )

    def of(self, owner: str) -> List[Element]:
        """Return what an owner has published."""
        return list(self._by_owner[owner])

    def overlapping(self, one: Element) -> List[Element]:
        """Return those that a packet for ``one`` could meet."""
        near: Iterable[Element] = self.elements
        if one.first == one.last:
            near = [*self._by_port[one.protocol, one.first], *self._ranges]
        return [other for other in near if other.overlaps(one)]

    def advance(self, edit: Edit) -> None:
        """Take an edit as done."""
        for rule in edit.put:
            old = self.rules.get(rule.key)
            self.rules[rule.key] = replace(rule, handle=old.handle) if old else rule
        for key in edit.drop:
            self.rules.pop(key, None)
        for one in edit.remove:
            if one in self.elements:
                for home in self._homes(one):
                    del home[one]
                self._count(one, -1)
        for one in edit.add:
            self._put(one)
        for guard in edit.guard:
            self.guards[guard.bridge] = guard
        for bridge in edit.unguard:
            self.guards.pop(bridge, None)
        for passage in edit.let:
            self.passages[passage.key] = passage
        for passage in edit.unlet:
            self.passages.pop(passage.key, None)
        self._move_on(edit)

    def _move_on(self, edit: Edit) -> None:
        """Say of what is fixed what it is after an edit."""
        guards = tuple(self.guards.values())
        members = {trait: tuple(one.bridge for one in guards if trait in one.traits) for trait in nftables.GUARDED}
        self.held = replace(
            self.held,
            guards=guards,
            passages=tuple(self.passages.values()),
            loops=tuple(name for name, count in self.bridges.items() if name and count),
            localnet=tuple(dict.fromkeys([*(one for one in self.held.localnet if one not in edit.close), *edit.open])),
            members=members,
            parts={**self.held.parts, **self._parts(edit)},
        )

    def _parts(self, edit: Edit) -> Mapping[str, Fixed]:
        """Return of the parts that an edit is about that they are whole, where anything of them is left."""
        if not self.held.hooks:
            kept: Mapping[str, Any] = {"publish": self.elements, "guard": self.guards, "mark": self.passages}
            return {name: Fixed(whole=bool(kept[name])) for name in edit.parts}
        rules = {one.family for one in self.rules.values()} if edit.put or edit.drop else set()
        there = {
            "publish": {family for family, count in self.families.items() if count},
            "nat": rules,
            "guard": set(self.held.hooks) if self.guards else set(),
            "passage": set(self.held.hooks) if self.guards else {one.family for one in self.passages.values()},
        }
        touched = {
            "publish": "publish" in edit.parts,
            "nat": edit.put or edit.drop,
            "guard": "guard" in edit.parts,
            "passage": "guard" in edit.parts or "mark" in edit.parts,
        }
        return {
            "%s/%d" % (name, family): Fixed(family in there[name])
            for name, about in touched.items()
            if about
            for family in self.held.hooks
        }
