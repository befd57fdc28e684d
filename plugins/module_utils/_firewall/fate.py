# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the rules of others do to packets: which chains drop them, for sure or maybe. Pure.

A packet is followed through all base chains that it meets. Of a chain all fates are found that a packet may have in it: what cannot be told
is never taken for a drop, nor for an accept.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import Dict, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import Chain, ForeignRules, Rule
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.matching import (
    NOTHING,
    Answer,
    Fact,
    all_of,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.packets import Flow, Journey, Packet
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass

_DEPTH = 16  # of jumps that are followed; nft allows as many (NFT_JUMP_STACK_SIZE)
_ENDS = ("accept", "dnat", "snat", "masquerade", "redirect")  # of a base chain, and the packet goes on
_MARKS = ("mark", "ct mark")
_MARKING = -150  # the priority of our chain in the hook forward that gives packets a mark
_MARKED = ("output", "postrouting", "egress")  # the hooks behind that
Marks = Tuple[Fact, Fact]  # what is known of the packet's and of the connection's


@dataclass(frozen=True)
class Block:
    """A foreign base chain that drops packets, and how it is named: ``ip filter FORWARD (policy drop)``. Not ``sure``: it may. ``some``: only
    those of some peers, or those that are too many, and the others pass by that rule."""

    chain: Chain
    shown: str
    sure: bool = True
    some: bool = False


@dataclass()
class _Fates:
    """What may become of a packet in a chain: the ``drops`` that it may meet, by name, with whether those are for ``some`` only; whether it may
    be ``accepted``, or fall through. ``last``: what drops all that others left."""

    drops: Dict[str, bool] = field(default_factory=dict)
    accepted: bool = False
    falls: bool = False
    last: str = ""
    marks: Marks = (None, None)

    def drop(self, shown: str, some: bool) -> None:
        self.drops[shown] = some and self.drops.get(shown, True)


class _Way:
    """The way of one packet through one base chain and what that calls."""

    def __init__(self, foreign: ForeignRules, packet: Packet, facts: Mapping[str, Fact], marks: Marks) -> None:
        self._foreign = foreign
        self._peer = frozenset(packet.peer)
        self._facts = dict(facts)
        self.marks = marks
        self.set_of_connection = False  # that mark may have been
        self._known: Dict[Tuple[str, str, Marks], _Fates] = {}

    def _set_marks(self, marks: Marks) -> None:
        self.marks = marks
        self._facts.update(zip(_MARKS, marks))

    def fates(self, chain: Chain, depth: int = 0) -> _Fates:
        """Return what may become of the packet in a chain. What is found once is not looked for again."""
        key = chain.table, chain.name, self.marks
        if key not in self._known:
            self._known[key] = _Fates(
                falls=True, marks=self.marks
            )  # for a chain that comes back to itself, which no kernel has
            self._known[key] = self._followed(chain, depth)
        self._set_marks(self._known[key].marks)
        return self._known[key]

    def _followed(self, chain: Chain, depth: int) -> _Fates:
        found = _Fates()
        self._set_marks(self.marks)
        for rule in chain.rules:
            met = all_of(one.met(self._facts) for one in rule.matches)
            if met is False:
                continue
            some = met is None and self._concerns_some(rule)
            self._changed(rule, met)
            verdicts: Sequence[Tuple[str, str, Answer]] = [(rule.verdict, rule.target, met)]
            if rule.lookup is not None:
                looked_up = rule.lookup.found(self._facts)
                verdicts = [(verdict, target, answer and met) for verdict, target, answer in looked_up]
                some = some or (met is True and bool(rule.lookup.what) and self._peer.issuperset(rule.lookup.what))
            if self._ended(found, chain, rule, verdicts, some, depth):
                break
        else:
            found.falls = True
        found.marks = self.marks
        return found

    def _concerns_some(self, rule: Rule) -> bool:
        """Return whether what is not known of a rule is only whether it is for a certain peer, or for what is too much."""
        open_ = [one for one in rule.matches if one.met(self._facts) is None]
        return all(one.some or (one.what and not one.negated and self._peer.issuperset(one.what)) for one in open_)

    def _changed(self, rule: Rule, met: Answer) -> None:
        """Take note of marks that a rule sets."""
        marks = list(self.marks)
        for name, given in rule.sets:
            value = given if isinstance(given, tuple) else None
            if name in _MARKS and marks[_MARKS.index(name)] is not NOTHING:
                number = _MARKS.index(name)
                self.set_of_connection |= name == "ct mark"
                marks[number] = (
                    value if met and value is not None else (marks[number] if value == marks[number] else None)
                )
        if tuple(marks) != self.marks:
            self._set_marks((marks[0], marks[1]))

    def _ended(
        self,
        found: _Fates,
        chain: Chain,
        rule: Rule,
        verdicts: Sequence[Tuple[str, str, Answer]],
        some: bool,
        depth: int,
    ) -> bool:
        """Add what a rule does to the fates, and return whether no packet goes on behind it."""
        on = not any(answer for dummy, other, answer in verdicts)
        shown = "%s (rule %s)" % (chain, rule.shown)
        for verdict, target, dummy in verdicts:
            if verdict in _ENDS:
                found.accepted = True
            elif verdict in ("drop", "reject"):
                found.drop(shown, some)
                found.last = shown if not on else found.last
            elif verdict == "return":
                found.falls = True
            elif verdict in ("jump", "goto"):
                on |= self._called(found, chain, target, verdict == "goto", some, on, depth)
            elif verdict == "?":
                found.drop(shown, False)
                found.accepted = on = True
            else:
                on = True
        return not on

    def _called(self, found: _Fates, chain: Chain, target: str, gone: bool, some: bool, on: bool, depth: int) -> bool:
        """Add what a chain does that is called, and return whether packets come back from it to the next rule."""
        called = self._foreign.chains.get((chain.table, target)) if depth < _DEPTH else None
        if called is None:
            found.drop("%s (call of %s)" % (chain, target or "?"), False)
            found.accepted = True
            return True
        if on and not self._foreign.harms(called):  # docker's has a rule a port: what it accepts cannot be told anyway
            found.accepted = True
            found.falls |= gone
            return True
        before = self.marks
        inner = self.fates(called, depth + 1)
        if on:  # not all packets went there
            self._set_marks(_either(before, self.marks))
        for shown, narrow in inner.drops.items():
            found.drop(shown, narrow or some)
        found.accepted |= inner.accepted
        found.last = found.last if on else inner.last or found.last
        found.falls |= gone and inner.falls
        return inner.falls and not gone


def _of_chain(
    foreign: ForeignRules, chain: Chain, journey: Journey, marks: Marks
) -> Tuple[List[Tuple[str, bool, bool]], Marks]:
    """Return what drops a packet in one base chain, as (name, surely, only some), and its marks behind it."""
    facts = dict(journey.facts(chain.layer, chain.hook, chain.priority))
    surely = True
    if chain.hook in ("ingress", "egress"):
        into, out = journey.packet.ends
        here, way = (into, "iifname") if chain.hook == "ingress" else (out, "oifname")
        if (
            chain.devices is not None
            and here not in chain.devices
            and journey.packet.ends[chain.hook == "ingress"] in chain.devices
        ):
            return [], marks  # that is the other end
        surely = bool(here) and chain.devices is not None and here in chain.devices
        facts.update({way: here} if surely else {})
    tracked = journey.tracked(chain.layer, chain.hook, chain.priority)
    known = marks[1] if tracked else None if tracked is None else NOTHING
    way_ = _Way(foreign, journey.packet, facts, (marks[0], known))
    fates = way_.fates(chain)
    drops = dict(fates.drops)
    last = fates.last
    if fates.falls and chain.policy == "drop":
        last = "%s (policy drop)" % chain
        drops[last] = False
    passes = fates.accepted or (fates.falls and chain.policy != "drop") or not surely
    behind = way_.marks
    if not tracked:
        behind = (behind[0], None if way_.set_of_connection else marks[1])
    behind = behind if surely else _either(marks, behind)
    return [(shown, shown == last and not passes, some) for shown, some in drops.items()], behind


def _either(one: Marks, other: Marks) -> Marks:
    """Return the marks of a packet that has the one or the other."""
    return (one[0] if one[0] == other[0] else None, one[1] if one[1] == other[1] else None)


def _is_marked(chain: Chain) -> Answer:
    """Return whether a packet has come by our chain that marks it when it comes to a chain of others."""
    if chain.hook != "forward":
        return chain.hook in _MARKED
    return None if chain.priority == _MARKING else chain.priority > _MARKING


def _of_packet(foreign: ForeignRules, packet: Packet) -> Dict[Tuple[str, str, str], Tuple[Chain, bool, bool]]:
    """Return what drops a packet, by chain and name, with (chain, surely, only some)."""
    journey = Journey(packet)
    found: Dict[Tuple[str, str, str], Tuple[Chain, bool, bool]] = {}
    marks: Marks = ((0, 0), None if journey.later else (0, 0))
    given: Optional[int] = packet.mark or None  # that ours gives it, not yet given
    for chain in foreign.on_the_way(packet.family):
        if journey.passes(chain.layer, chain.hook, chain.type):
            reached = given is not None and _is_marked(chain)
            if reached is not False:
                marks = ((given, given) if reached else None, marks[1])
                given = None if reached else given
            drops, marks = _of_chain(foreign, chain, journey, marks)
            for shown, surely, some in drops:
                found[chain.table, chain.name, shown] = (chain, surely, some)
    return found


def blocks(foreign: ForeignRules, flows: Sequence[Flow]) -> List[Block]:
    """Return the chains that drop packets. Of each of ``flows`` all packets have to pass; what is dropped in each of them is dropped for sure."""
    found: Dict[Tuple[str, str, str], List[Block]] = {}
    sure: Dict[Tuple[str, str, str], Set[int]] = {}
    if not foreign.base:
        return []
    for number, flow in enumerate(flows):
        for packet in flow:
            for key, (chain, surely, some) in _of_packet(foreign, packet).items():
                found.setdefault(key, []).append(Block(chain, key[2], surely, some))
                if surely:
                    sure.setdefault(key, set()).add(number)
    return [
        replace(
            listed[0],
            sure=len(sure.get(key, ())) == len(flows),
            some=all(block.some and not block.sure for block in listed),
        )
        for key, listed in found.items()
    ]


def in_the_way(found: Sequence[Block]) -> List[Block]:
    """Return those that are not for some peers only."""
    return [block for block in found if not block.some]


def doubts(found: Sequence[Block]) -> Tuple[int, int]:
    """Return how many drop for sure, and how many are in the way at all."""
    return sum(block.sure for block in found), len(in_the_way(found))


def accepted_marks(foreign: ForeignRules, flows: Sequence[Flow]) -> List[Tuple[int, int]]:
    """Return the marks (value, mask) with which the first packets would pass all chains, as docker's bridge-accept-fwmark is meant."""
    return sorted(mark for mark in foreign.marks if mark[1] and not in_the_way(blocks(foreign, marked(flows, mark[0]))))


def marked(flows: Sequence[Flow], mark: int) -> List[Flow]:
    """Return packets, of which all but the answers have a mark."""
    return [[packet if packet.answer else replace(packet, mark=mark) for packet in flow] for flow in flows]


def left_with(foreign: ForeignRules, flows: Sequence[Flow], found: Sequence[Block]) -> List[Block]:
    """Return what is left of blocks with other rules."""
    now = {(one.chain.table, one.chain.name, one.shown): one for one in blocks(foreign, flows)}
    keys = [(one.chain.table, one.chain.name, one.shown) for one in found]
    return [now[key] for key in keys if key in now]
