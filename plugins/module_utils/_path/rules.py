# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the rules of a hook do to one packet: which one ends its way there, and which may that are not understood. Pure."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import Chain, ForeignRules, Rule
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.matching import (
    Answer,
    Bits,
    Fact,
    Lookup,
    all_of,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass

_DEPTH = 16  # of jumps that are followed; nft allows as many (NFT_JUMP_STACK_SIZE)
TRANSLATES = ("dnat", "snat", "masquerade", "redirect")
STOPS = ("drop", "reject")
_MARKS = ("mark", "ct mark")
_FIRST, _LAST = -(2**31), 2**31


@dataclass(frozen=True)
class Place:
    """A rule, or (None) the policy of a chain."""

    chain: Chain
    rule: Optional[Rule] = None

    def __str__(self) -> str:
        return "%s (%s)" % (self.chain, "policy drop" if self.rule is None else _named(self.rule))


def _named(rule: Rule) -> str:
    return rule.shown if rule.shown.startswith("rule ") else "rule %s" % rule.shown


@dataclass(frozen=True)
class End:
    """What ends a packet's way through a chain: a verdict, by whom, and for what translates where to."""

    verdict: str
    place: Place
    target: str = ""


@dataclass()
class Ruling:
    """What a base chain does to a packet: its ``end``, None where it goes on as it is. ``may_stop``: rules of which it is not known whether they drop it;
    ``may_divert``: whether they translate it. ``marks`` are those it has afterwards, None where that is not known."""

    end: Optional[End] = None
    may_stop: List[Place] = field(default_factory=list)
    may_divert: List[Place] = field(default_factory=list)
    marks: Dict[str, Optional[int]] = field(default_factory=dict)


def at(rules: ForeignRules, hook: str, family: int, layer: str, first: int = _FIRST, last: int = _LAST) -> List[Chain]:
    """Return the chains that a hook calls, in order, of priorities ``first`` to ``last``. Those that can only let pass are left out, but for what
    translates."""
    found = [
        chain
        for chain in rules.chains.values()
        if chain.hook == hook
        and chain.layer == layer
        and family in chain.families
        and first <= chain.priority <= last
        and (chain.type == "nat" or rules.harms(chain))
    ]
    return sorted(found, key=lambda chain: chain.priority)


def follow(rules: ForeignRules, base: Chain, facts: Mapping[str, Fact]) -> Ruling:
    """Return what a base chain does to the packet of which these ``facts`` are known."""
    walk = _Walk(rules, dict(facts))
    end = walk.chain(base, 0)
    if end is None and base.policy == "drop":
        end = End("drop", Place(base))
    ruling = walk.ruling
    if end is not None and end.verdict in STOPS and walk.may_leave:
        ruling.may_stop += [end.place, *walk.may_leave]
        end = None
    elif end is not None and end.verdict in TRANSLATES and walk.may_leave:
        ruling.may_divert += walk.may_leave
    ruling.end = end if end is not None and end.verdict != "accept" else None
    for name in _MARKS:
        fact = walk.facts.get(name)
        ruling.marks[name] = fact[0] if isinstance(fact, tuple) and fact[0] == fact[1] else None
    return ruling


class _Walk:
    """The way through one base chain and what that calls. ``may_leave``: rules by which the packet may have left a chain before its end."""

    def __init__(self, rules: ForeignRules, facts: Dict[str, Fact]) -> None:
        self._rules = rules
        self.facts = facts
        self.ruling = Ruling()
        self.may_leave: List[Place] = []
        self._looked_at: Dict[Tuple[str, str], bool] = {}

    def chain(self, chain: Chain, depth: int) -> Optional[End]:
        """Return what surely ends the packet's way in a chain, None where it comes back."""
        for rule in chain.rules:
            met = all_of(one.met(self.facts) for one in rule.matches)
            if met is False:
                continue
            ways: Sequence[Tuple[str, str, Answer]] = [(rule.verdict, rule.target, met)]
            if rule.lookup is not None:
                ways = [(verdict, target, answer and met) for verdict, target, answer in rule.lookup.found(self.facts)]
            self._mark(rule, met)
            place = Place(chain, rule)
            for verdict, target, sure in ways:
                if not sure or verdict == "?" or (verdict == "dnat" and target == "?"):
                    self._maybe(place, verdict, target, depth)
                    continue
                if verdict in ("jump", "goto"):
                    called = self._rules.chains.get((chain.table, target)) if depth < _DEPTH else None
                    if called is None:
                        self._maybe(place, "?", "", depth)
                        continue
                    end = self.chain(called, depth + 1)
                    if end is not None or verdict == "goto":
                        return end
                elif verdict == "return":
                    return None
                elif verdict in ("accept", *STOPS, *TRANSLATES):
                    return End(verdict, place, target)
        return None

    def _mark(self, rule: Rule, met: Answer) -> None:
        """Note what a rule makes of marks; what it is not known to do makes them unknown."""
        for name, setting in rule.sets:
            value: Optional[Tuple[int, int]] = None
            if isinstance(setting, Bits):
                of = self.facts.get(setting.of)
                if isinstance(of, tuple) and of[0] == of[1]:
                    value = ((of[0] & setting.keep) | setting.put,) * 2
            elif isinstance(setting, Lookup):
                found = setting.found(self.facts)
                if not found:
                    continue  # no entry: the rule ends there
                value = (int(found[0][1]),) * 2 if found[0][2] else None
            elif isinstance(setting, tuple):
                value = setting
            self.facts[name] = value if met or value == self.facts.get(name) else None

    def _maybe(self, place: Place, verdict: str, target: str, depth: int) -> None:
        """Note what a rule does of which it is not known whether it is for this packet, or what it does."""
        nat = place.chain.type == "nat" or verdict in TRANSLATES
        if verdict in STOPS:
            self.ruling.may_stop.append(place)
        elif verdict in ("accept", "return"):
            self.may_leave.append(place)
        elif verdict in TRANSLATES:
            self.ruling.may_divert.append(place)
        elif verdict == "?":
            (self.ruling.may_divert if nat else self.ruling.may_stop).append(place)
            self.may_leave.append(place)
        elif verdict in ("jump", "goto"):
            self._maybe_called(place, target, depth)
            if verdict == "goto":
                self.may_leave.append(place)

    def _maybe_called(self, place: Place, target: str, depth: int) -> None:
        called = self._rules.chains.get((place.chain.table, target)) if depth < _DEPTH else None
        if called is None:
            self._maybe(place, "?", "", depth)
            return
        key = called.table, called.name
        if key in self._looked_at:
            return
        self._looked_at[key] = True
        before = dict(self.facts)
        end = self.chain(called, depth + 1)
        for name in _MARKS:
            if self.facts.get(name) != before.get(name):
                self.facts.pop(name, None)
        if end is not None:
            self._maybe(replace(end.place), end.verdict, end.target, depth)


def target_of(text: str, port: int) -> Optional[Tuple[str, int]]:
    """Return (address, port) that a rule translates to, each ``""`` or 0 where it says none, for a packet to ``port``; None where it is not understood."""
    host, colon, ports = text.rpartition(":") if text.startswith("[") or text.count(":") == 1 else (text, "", "")
    host = host.strip("[]")
    if any(char in host for char in "-/? "):
        return None
    if not colon or not ports:
        return host, 0
    span, slash, base = ports.partition("/")
    first, dash, last = span.partition("-")
    if not (first.isdecimal() and (not dash or last.isdecimal()) and (not slash or base.isdecimal())):
        return None
    if not dash:
        return host, int(first)
    if slash:
        return host, int(first) + port - int(base)
    return (host, port) if int(first) <= port <= int(last) else None
