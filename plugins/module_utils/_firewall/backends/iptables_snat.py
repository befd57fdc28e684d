# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Source NAT rules as rules in chains of iptables, and back: what each translates, and what it stops. Pure.

Each half is a call of a chain that the rule has for itself, the place of what it leaves alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Dict, Iterator, List, Mapping, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_difference import Layout
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_save import (
    OURS,
    Tables,
    Words,
    coming_from,
    comment,
    interface,
    noted,
    option,
    owner_of,
    rules_of,
    state,
    target,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import prefix
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    ANY_MARK,
    EVERYWHERE,
    MARK,
    UNREADABLE,
    NatRule,
    canonical_exclude,
    family_of,
)

POSTROUTING = OURS + "POSTROUTING"
STOPS = OURS + "UNTRANSLATED"  # of what source NAT would translate, the packets that it never sees
# The halves of a source NAT rule: what it translates, and what it stops; by where the calls of its chains are.
HALVES = (("nat", POSTROUTING), ("mangle", STOPS))
# The calls, each with what is in the chain that it calls; one, if nobody edited anything.
Half = Tuple[Tuple[Words, Tuple[Words, ...]], ...]


def _rule_chain(rule: NatRule) -> str:
    """Return the name of the chain that a source NAT rule has for itself: the place of what it leaves alone."""
    return OURS + hashlib.sha1("\0".join(rule.key).encode()).hexdigest()[:12].upper()


def halves_of(rule: NatRule) -> Sequence[Half]:
    """Return the two halves of a rule: what it translates, and what it stops."""
    about = (*coming_from(rule.source), *interface(rule.out_interface))
    call = (*noted(rule.marked), "-j", _rule_chain(rule))
    apart = tuple(("-d", one, "-j", "RETURN") for one in rule.untouched if not one.endswith("/0"))
    verdict = ("-j", "SNAT", "--to-source", rule.to_address) if rule.to_address else ("-j", "MASQUERADE")
    return (
        (((*about, *call), (*apart, verdict)),),
        (((*about, *state("INVALID"), *call), (*apart, ("-j", "DROP"))),),
    )


def render(rules: Sequence[NatRule], by_hand: Mapping[Tuple[str, str], Sequence[Half]], layout: Layout) -> None:
    """Add the source NAT rules of an address family. Those that are there ``by_hand`` stay as they are."""
    for rule in rules:
        halves: Sequence[Half] = () if rule.out_interface == UNREADABLE else halves_of(rule)
        if rule.out_interface == UNREADABLE or not rule.stopped:
            halves = by_hand.get(rule.key, halves)
        for (table, name), half in zip(HALVES, halves):
            for call, inner in half:
                layout.chains.setdefault((table, name), []).append(call)
                if target(call).startswith(OURS):
                    layout.chains[table, target(call)] = list(inner)
    for table, name in HALVES:
        if (table, name) in layout.chains:
            layout.calls.append((table, "POSTROUTING", (*noted(ANY_MARK), "-j", name)))


def _key_of(call: Words, family: int) -> Tuple[str, str]:
    """Return the owner and the source in the call of a source NAT rule's chain."""
    source = prefix(option(call, "-s") or EVERYWHERE[family])
    if not source or family_of(source) != family:
        source = EVERYWHERE[family]
    return owner_of(comment(call))[0], source


def _rule(key: Tuple[str, str], halves: Sequence[Half]) -> NatRule:
    """Return the rule that two halves are. Where they are edited by hand it is equal to nothing that is wanted."""
    (owner, source), family = key, family_of(key[1])
    call, chain = (halves[0] or halves[1])[0]
    note = owner_of(comment(call))[1]
    to_address = option(chain[-1], "--to-source") if chain else ""
    alone = [prefix(option(rule, "-d")) for rule in chain[:-1]]
    readable = all(network and family_of(network) == family for network in alone)
    exclude = canonical_exclude(source, alone) if readable else ()
    rule = NatRule(source, option(call, "-o"), exclude, to_address, owner, note)
    translates, stops = halves_of(rule)
    if halves[0] != translates:
        return replace(rule, out_interface=UNREADABLE, exclude=(), to_address="")
    return replace(rule, stopped=halves[1] == stops)


def read(tables: Tables, family: int) -> Iterator[Tuple[NatRule, Sequence[Half]]]:
    """Yield the source NAT rules of an address family, with their halves."""
    found: Dict[Tuple[str, str], List[Half]] = {}
    for number, (table, name) in enumerate(HALVES):
        chains = tables.get(table, {})
        for call in (rule for rule in rules_of(chains, name) if comment(rule).startswith(MARK)):
            halves = found.setdefault(_key_of(call, family), [(), ()])
            halves[number] = (*halves[number], (call, rules_of(chains, target(call))))
    for key in [key for key in found if key[1] == EVERYWHERE[family]]:
        _at_home(key, found)
    for key, halves in found.items():
        yield _rule(key, halves), halves


def _at_home(lost: Tuple[str, str], found: Dict[Tuple[str, str], List[Half]]) -> None:
    """Have what does not say any more for which source it is belong to one of its owner's, if there is one of which it may be the other half."""
    homes = [key for key in found if key[0] == lost[0] and key != lost]
    halves = found[lost]
    fitting = [key for key in homes if not any(one and other for one, other in zip(halves, found[key]))]
    for home in [*fitting, *homes][:1]:
        found[home] = [(*one, *other) for one, other in zip(found[home], found.pop(lost))]
