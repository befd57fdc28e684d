# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Chains of ours in iptables' tables, and the fewest lines that make of the chains that are there the ones that are wanted. Pure.

In the chains of others we have a call or two, with our mark: what drops is called first, what accepts last, behind all that others have there, but
before a rule without conditions behind which nothing comes. Rules without our mark in chains of ours stay, at the end.
"""

from __future__ import annotations

from dataclasses import field
from typing import AbstractSet, Dict, List, Mapping, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_save import (
    OURS,
    TABLES,
    SavedChain,
    Tables,
    Words,
    closed,
    is_ours,
    spelled,
    target,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass

_FEW = 16  # rules that are taken out one by one; for more the chain is made anew


@dataclass(frozen=True)
class Layout:
    """Chains of ours, by (table, name), with their rules, and the calls of them: (table, chain that calls, rule), the ``late`` ones behind the
    rules of others. ``others``: what others have in the chains that call late, by (table, name)."""

    chains: Dict[Tuple[str, str], List[Words]] = field(default_factory=dict)
    calls: List[Tuple[str, str, Words]] = field(default_factory=list)
    late: List[Tuple[str, str, Words]] = field(default_factory=list)
    others: Dict[Tuple[str, str], Sequence[Words]] = field(default_factory=dict)

    def tables(self) -> Tables:
        """Return the layout as tables that have nothing else but the ``others``."""
        found: Dict[str, Dict[str, SavedChain]] = {table: {} for table in TABLES}
        for (table, name), rules in self.chains.items():
            found[table][name] = SavedChain("-", tuple(rules))
        for table, name, rule in self.calls:
            known = found[table].get(name, SavedChain("ACCEPT"))
            found[table][name] = SavedChain(known.policy, (*known.rules, rule))
        for (table, name), others in self.others.items():
            known = found[table].get(name, SavedChain("ACCEPT"))
            late = [rule for where, caller, rule in self.late if (where, caller) == (table, name)]
            end = place(others)
            found[table][name] = SavedChain(known.policy, (*known.rules, *others[:end], *late, *others[end:]))
        return found


def place(others: Sequence[Words]) -> int:
    """Return how many of the rules that others have in a chain come before ours that accept: all but a rule without conditions behind which
    nothing comes, and what is behind that."""
    return next((number for number, rule in enumerate(others) if _closes(rule)), len(others))


def _closes(rule: Words) -> bool:
    words = list(rule)
    while words[:3] == ["-m", "comment", "--comment"]:
        del words[:4]
    return words[:1] == ["-j"] and words[1:2] in (["ACCEPT"], ["DROP"], ["REJECT"], ["RETURN"])


@dataclass(frozen=True)
class Step:
    """One line of a table, as words, and the chain of ours that it is about."""

    table: str
    words: Words
    chain: str


def _filled(actual: Sequence[Words], wanted: Sequence[Words], chain: str, table: str) -> List[Step]:
    """Return the steps that make one chain's rules of another's: single lines where that keeps the order, else all anew."""
    have, want = set(actual), set(wanted)
    new = [number for number, rule in enumerate(wanted, 1) if rule not in have]
    gone = [rule for rule in actual if rule not in want]
    kept = [rule for rule in actual if rule in want]
    last = len(wanted) - len(new)  # of those that stay; what comes behind them is appended
    inserted = [number for place, number in enumerate(new) if number - place <= last]
    if kept == [rule for rule in wanted if rule in have] and len(gone) <= _FEW and len(inserted) <= _FEW:
        lines: List[Words] = [("-D", chain, *rule) for rule in gone]
        lines += [("-I", chain, str(number), *wanted[number - 1]) for number in inserted]
        new = new[len(inserted) :]
    else:
        lines, new = [("-F", chain)], list(range(1, len(wanted) + 1))
    return [Step(table, words, chain) for words in [*lines, *(("-A", chain, *wanted[number - 1]) for number in new)]]


def difference(actual: Tables, layout: Layout, shared: AbstractSet[str], bare: bool = False) -> List[Step]:
    """Return the steps from the tables as they are to the layout; none where they are equal.

    ``shared``: the chains of ours in which rules without our mark stay. ``bare``: a built-in chain that is left empty is taken away as well, as
    iptables-nft makes them on demand. Of a table that the tool cannot read there are none, whatever is wanted.
    """
    steps: List[Step] = []
    for table in (table for table in TABLES if table not in closed(actual)):
        chains = actual.get(table, {})
        ours = {name: chain for name, chain in chains.items() if name.startswith(OURS)}
        wanted = {name: rules for (where, name), rules in layout.chains.items() if where == table}
        calls = [(name, rule) for where, name, rule in layout.calls if where == table]
        late = [(name, rule) for where, name, rule in layout.late if where == table]
        kept = {
            name: [rule for rule in chain.rules if not is_ours(rule)] if name in shared else []
            for name, chain in ours.items()
        }
        stay = {name for name, rest in kept.items() if rest and name not in wanted}
        wanted.update({name: [] for name in kept if name in stay})
        steps += [Step(table, ("-N", name), name) for name in wanted if name not in ours]
        for name, rules in wanted.items():
            there = ours.get(name, SavedChain()).rules
            if list(there) != [*rules, *kept.get(name, [])]:
                steps += _filled(there, [*rules, *kept.get(name, [])], name, table)
        for name, chain in chains.items():
            if name not in ours:
                steps += _calls_ended(table, name, chain, calls, late, stay, bare)
        for name, rule in calls:
            if rule not in chains.get(name, SavedChain()).rules:
                steps.append(Step(table, ("-I", name, *rule), target(rule)))
        for name, rule in late:
            steps += _called_late(
                table, name, chains.get(name, SavedChain()).rules, rule, [one for where, one in calls if where == name]
            )
        lost = [name for name in ours if name not in wanted]
        steps += [Step(table, ("-F", name), name) for name in lost]
        steps += [Step(table, ("-X", name), name) for name in sorted(lost)]
    return steps


def _called_late(table: str, name: str, rules: Sequence[Words], call: Words, first: Sequence[Words]) -> List[Step]:
    """Return the steps that put a call behind the rules of others; ``first`` are the calls of ours that stand before them."""
    others = [rule for rule in rules if not is_ours(rule)]
    end = place(others)
    at = [number for number, rule in enumerate(rules) if rule == call]
    if len(at) == 1 and sum(not is_ours(rule) for rule in rules[: at[0]]) == end:
        return []
    steps = [Step(table, ("-D", name, *call), target(call)) for dummy in at]
    if end == len(others):
        return [*steps, Step(table, ("-A", name, *call), target(call))]
    return [*steps, Step(table, ("-I", name, str(len(first) + end + 1), *call), target(call))]


def _calls_ended(
    table: str,
    name: str,
    chain: SavedChain,
    first: Sequence[Tuple[str, Words]],
    late: Sequence[Tuple[str, Words]],
    stay: AbstractSet[str],
    bare: bool,
) -> List[Step]:
    """Return the steps that take the calls out of a chain of somebody else that are not wanted, or there twice. What carries our mark there is one,
    or was until somebody edited it."""
    steps: List[Step] = []
    seen: Set[Words] = set()
    calls = [*first, *late]
    called = [rule for rule in chain.rules if target(rule).startswith(OURS) or is_ours(rule)]
    for rule in called:
        again = rule in seen and (name, rule) not in late
        if ((name, rule) not in calls and target(rule) not in stay) or again:
            steps.append(Step(table, ("-D", name, *rule), target(rule)))
        seen.add(rule)
    left = len(called) < len(chain.rules) or chain.policy != "ACCEPT" or any(caller == name for caller, dummy in calls)
    left = left or any(target(rule) in stay for rule in called)
    if bare and called and not left:
        steps.append(Step(table, ("-X", name), target(called[0])))
    return steps


def restorable(steps: Sequence[Step]) -> str:
    """Return steps as a text for ``iptables-restore --noflush``: all of a table at once."""
    by_table: Mapping[str, List[str]] = {table: [] for table in TABLES}
    for step in steps:
        by_table[step.table].append(spelled(step.words))
    lines: List[str] = []
    for table, own in by_table.items():
        lines += ["*" + table, *own, "COMMIT"] if own else []
    return "\n".join(lines) + "\n" if lines else ""
