# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What we hold, in chains of iptables: how it is written, read back, and changed with the fewest lines. Pure.

All chains are ours (``LINUXNET-…``); in others' chains we have one call each (`Hook`), with our mark. What is held is rendered to
chains, and what there is compared with that: so a rule that somebody edited or took out is set right by the same lines that
make it. In nftables a base chain's accept ends that chain only; here it would end the table, so the guard returns where it has
nothing against a packet.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Dict, Iterable, List, Mapping, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_save import (
    OURS,
    SavedChain,
    Tables,
    Words,
    comment,
    is_ours,
    spelled,
    target,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    EVERYWHERE,
    MARK,
    Contents,
    Edit,
    Element,
    Fixed,
    Guard,
    NatRule,
    Passage,
    canonical_exclude,
    edited,
    marked,
)

Place = Tuple[str, str]  # table, chain
PUBLISH, HAIRPIN, POSTROUTING = OURS + "PUBLISH", OURS + "HAIRPIN", OURS + "POSTROUTING"
RAW, MANGLE, FORWARD = OURS + "RAW", OURS + "MANGLE", OURS + "FORWARD"
GUARD, CLOSED, OPEN = OURS + "GUARD", OURS + "CLOSED", OURS + "OPEN"
USERS = "DOCKER-USER"  # where docker leaves room for rules of others, before its own
# Those who share a bridge see each other: their packets carry this bit from the forward hook, which knows both interfaces, to
# the postrouting one, which knows only the way out.
_BIT = "0x20000000/0x20000000"
_TABLES = ("raw", "mangle", "nat", "filter")
_PARTS = {
    PUBLISH: "publish", HAIRPIN: "publish", RAW: "publish", MANGLE: "publish",
    GUARD: "guard", CLOSED: "guard", OPEN: "guard", FORWARD: "passage",
}  # fmt: skip
_PROGRAM = {4: "iptables", 6: "ip6tables"}


@dataclass(frozen=True)
class Layout:
    """Chains of ours with their rules, and the calls of them: (table, chain that calls, rule)."""

    chains: Dict[Place, List[Words]] = field(default_factory=dict)
    hooks: List[Tuple[str, str, Words]] = field(default_factory=list)


def _noted(text: str) -> Words:
    return ("-m", "comment", "--comment", text)


def _state(states: str) -> Words:
    return ("-m", "conntrack", "--ctstate", states)


def _call(chain: str) -> Words:
    return (*_noted("linuxnet"), "-j", chain)


def _from(network: str) -> Words:
    return () if network.endswith("/0") else ("-s", network)


def _host(address: str, family: int) -> str:
    return "%s/%d" % (address, {4: 32, 6: 128}[family])


def _interface(name: str, option: str = "-o") -> Words:
    if not name:
        return ()
    return ("!", option, name[1:]) if name.startswith("!") else (option, name)


# --- rendering ---


def _rule_chain(rule: NatRule) -> str:
    """Return the name of the chain that a source NAT rule has for itself: the place of what it leaves alone."""
    return OURS + hashlib.sha1("\0".join(rule.key).encode()).hexdigest()[:12].upper()


def _nat_rule(rule: NatRule) -> Tuple[Words, List[Words]]:
    """Return the call of a rule's chain, and what is in the chain."""
    call = (*_from(rule.source), *_interface(rule.out_interface), *_noted(rule.marked), "-j", _rule_chain(rule))
    verdict = ("-j", "SNAT", "--to-source", rule.to_address) if rule.to_address else ("-j", "MASQUERADE")
    return call, [*(("-d", one, "-j", "RETURN") for one in rule.untouched if not one.endswith("/0")), verdict]


def _element(one: Element) -> Words:
    host = one.host_ip
    to = one.to
    if one.to_port:
        to = "%s:%d" % ("[%s]" % to if one.family == 6 else to, one.to_port)
    return (
        *(() if host == EVERYWHERE[one.family] else ("-d", _host(host, one.family))),
        *("-p", one.protocol, "-m", one.protocol, "--dport", one.ports.replace("-", ":")),
        *(*_noted(one.marked), "-j", "DNAT", "--to-destination", to),
    )


def _published(family: int, held: Contents, layout: Layout) -> None:
    elements = [one for one in held.elements if one.family == family]
    if not elements:
        return
    bridges = dict.fromkeys(one.bridge for one in elements if one.bridge)
    layout.chains["nat", PUBLISH] = [_element(one) for one in elements]
    local = ("-m", "addrtype", "--dst-type", "LOCAL", *_call(PUBLISH))
    layout.hooks.extend(
        [("nat", "PREROUTING", local), ("nat", "OUTPUT", local), ("nat", "POSTROUTING", _call(HAIRPIN))]
    )
    layout.chains["nat", HAIRPIN] = [
        *([("-s", "127.0.0.0/8", *_state("DNAT"), *_noted("linuxnet"), "-j", "MASQUERADE")] if family == 4 else []),
        ("-m", "mark", "--mark", _BIT, *_state("DNAT"), *_noted("linuxnet"), "-j", "MASQUERADE"),
    ]
    layout.hooks.append(("mangle", "FORWARD", _call(MANGLE)))
    layout.chains["mangle", MANGLE] = [
        ("-i", name, "-o", name, *_state("DNAT"), *_noted("linuxnet"), "-j", "MARK", "--set-xmark", _BIT)
        for name in bridges
    ]
    if family == 4:
        layout.hooks.append(("raw", "PREROUTING", _call(RAW)))
        layout.chains["raw", RAW] = [
            ("-d", "127.0.0.0/8", "!", "-i", "lo", *_noted("linuxnet"), "-j", "DROP"),
            *(("-i", name, *_noted("linuxnet-localnet")) for name in held.localnet),  # a note, no verdict
        ]


def _guarded(guards: Sequence[Guard], layout: Layout) -> None:
    """Add what `Guard` says: answers pass, then own neighbours, nothing of an internal network, and of the rest what is published."""
    if not guards:
        return
    note = _noted("linuxnet")
    layout.chains["filter", GUARD] = [
        (*_state("RELATED,ESTABLISHED"), *note, "-j", "RETURN"),
        *(("-i", one.bridge, "-o", one.bridge, *note, "-j", "RETURN") for one in guards if one.icc),
        *((way, one.bridge, *note, "-j", "DROP") for one in guards if one.internal for way in ("-i", "-o")),
        *(("-o", one.bridge, *_noted(one.marked), "-g", CLOSED if one.isolate else OPEN) for one in guards),
    ]
    layout.chains["filter", OPEN] = [
        *(("-i", one.bridge, *note, "-j", "RETURN") for one in guards if not one.isolate),
        (*note, "-g", CLOSED),
    ]
    layout.chains["filter", CLOSED] = [(*_state("DNAT"), *note, "-j", "RETURN"), (*note, "-j", "DROP")]


def _passage(one: Passage) -> List[Words]:
    note = _noted(marked(one.owner, one.kind))
    if one.kind == "out":
        answers = ("-d", one.name) if not one.name.endswith("/0") else ()
        return [
            (*_from(one.name), *_interface(one.by), *note, "-j", "ACCEPT"),
            (*answers, *_state("RELATED,ESTABLISHED"), *note, "-j", "ACCEPT"),
        ]
    if one.kind == "icc":
        return [("-i", one.name, "-o", one.name, *note, "-j", "ACCEPT")]
    name, ways = (one.name, ("-o", "-i")) if one.kind == "in" else (_host(one.name, one.family), ("-d", "-s"))
    return [(way, name, *_state("DNAT"), *note, "-j", "ACCEPT") for way in ways]


def render(family: int, held: Contents) -> Layout:
    """Return what is held as chains and calls of one address family."""
    layout = Layout()
    _published(family, held, layout)
    rules = [one for one in held.rules if one.family == family]
    if rules:
        calls = [(rule, *_nat_rule(rule)) for rule in rules]
        layout.chains["nat", POSTROUTING] = [call for one, call, inner in calls]
        layout.chains.update({("nat", _rule_chain(rule)): inner for rule, dummy, inner in calls})
        layout.hooks.append(("nat", "POSTROUTING", _call(POSTROUTING)))
    passages = [one for one in held.passages if one.family == family]
    if passages or held.guards:
        guards = [_call(GUARD)] if held.guards else []
        layout.chains["filter", FORWARD] = guards + [line for passage in passages for line in _passage(passage)]
        layout.hooks.append(("filter", held.hooks.get(family, "FORWARD"), _call(FORWARD)))
    _guarded(held.guards, layout)
    return layout


# --- comparing ---


@dataclass(frozen=True)
class Step:
    """One line of a table, as words, and the chain of ours that it is about."""

    table: str
    words: Words
    chain: str

    @property
    def line(self) -> str:
        """Return the line as iptables-restore reads it."""
        return spelled(self.words)


def _filled(actual: Sequence[Words], wanted: Sequence[Words], chain: str, table: str) -> List[Step]:
    """Return the steps that make one chain's rules of another's: single lines where that keeps the order, else all anew."""
    have, want = list(actual), list(wanted)
    new = [rule for rule in want if rule not in set(have)]
    gone = [rule for rule in have if rule not in set(want)]
    kept = [rule for rule in have if rule not in set(gone)]
    if kept + new == want and len(gone) <= 16:
        lines: List[Words] = [("-D", chain, *rule) for rule in gone]
    else:
        lines, new = [("-F", chain)], want
    return [Step(table, words, chain) for words in [*lines, *(("-A", chain, *rule) for rule in new)]]


def difference(actual: Tables, layout: Layout, bare: bool = False) -> List[Step]:
    """Return the steps from the tables as they are to the layout; none where they are equal. Rules of others in our chains
    stay, at the end. ``bare``: a built-in chain that is left empty is taken away as well, as iptables-nft makes them on demand."""
    steps: List[Step] = []
    for table in _TABLES:
        chains = actual.get(table, {})
        ours = {name: chain for name, chain in chains.items() if name.startswith(OURS)}
        wanted = {name: rules for (where, name), rules in layout.chains.items() if where == table}
        hooks = [(name, rule) for where, name, rule in layout.hooks if where == table]
        kept = {
            name: [rule for rule in chain.rules if not is_ours(rule)] if name in _PARTS or name == POSTROUTING else []
            for name, chain in ours.items()
        }
        stay = [name for name, rest in kept.items() if rest and name not in wanted]
        wanted.update({name: [] for name in stay})
        steps += [Step(table, ("-N", name), name) for name in wanted if name not in ours]
        for name, rules in wanted.items():
            there = ours.get(name, SavedChain()).rules
            if list(there) != [*rules, *kept.get(name, [])]:
                steps += _filled(there, [*rules, *kept.get(name, [])], name, table)
        for name, chain in chains.items():
            seen: Set[Words] = set()
            called = [rule for rule in chain.rules if target(rule).startswith(OURS)] if name not in ours else []
            for rule in called:
                if ((name, rule) not in hooks and target(rule) not in stay) or rule in seen:
                    steps.append(Step(table, ("-D", name, *rule), target(rule)))
                seen.add(rule)
            left = len(called) < len(chain.rules) or chain.policy != "ACCEPT" or any(at == name for at, dummy in hooks)
            left = left or any(target(rule) in stay for rule in called)
            if bare and called and not left:
                steps.append(Step(table, ("-X", name), target(called[0])))
        for name, rule in hooks:
            if rule not in chains.get(name, SavedChain()).rules:
                steps.append(Step(table, ("-I", name, *rule), target(rule)))
        lost = [name for name in ours if name not in wanted]
        steps += [Step(table, ("-F", name), name) for name in lost]
        steps += [Step(table, ("-X", name), name) for name in sorted(lost)]
    return steps


def restorable(steps: Sequence[Step]) -> str:
    """Return steps as a text for ``iptables-restore --noflush``: all of a table at once."""
    lines: List[str] = []
    for table in _TABLES:
        own = [step.line for step in steps if step.table == table]
        lines += ["*" + table, *own, "COMMIT"] if own else []
    return "\n".join(lines) + "\n" if lines else ""


# --- reading ---


def _owner(text: str) -> Tuple[str, str]:
    owner, dummy, rest = text[len(MARK) :].partition("|") if text.startswith(MARK) else ("", "", "")
    return owner, rest


def _option(rule: Words, name: str) -> str:
    """Return the value of an option, after a ``!`` where it is negated; ``""`` where it is not given."""
    if name not in rule[:-1]:
        return ""
    place = rule.index(name)
    return ("!" if place and rule[place - 1] == "!" else "") + rule[place + 1]


def _read_element(rule: Words, family: int) -> Element:
    owner, rest = _owner(comment(rule))
    bridge, dummy, note = rest.partition("|")
    first, dummy, last = _option(rule, "--dport").partition(":")
    to, port = _option(rule, "--to-destination"), ""
    if family == 4 or to.startswith("["):
        to, dummy, port = to.rpartition(":") if ":" in to else (to, "", "")
    host = _option(rule, "-d").partition("/")[0] or EVERYWHERE[family]
    return Element(
        _option(rule, "-p"), host, int(first), int(last or first), to.strip("[]"), int(port or 0), owner, bridge, note
    )


def _read_rule(call: Words, chain: Sequence[Words], family: int) -> NatRule:
    owner, note = _owner(comment(call))
    source = _option(call, "-s") or EVERYWHERE[family]
    inner = list(chain)
    to_address = _option(inner[-1], "--to-source") if inner else ""
    alone = [_option(rule, "-d") for rule in inner[:-1]]
    exclude = canonical_exclude(source, alone) if all(alone) else ()
    rule = NatRule(source, _option(call, "-o"), exclude, to_address, owner, note)
    if _nat_rule(rule) != (call, inner):  # edited by hand: known by owner and source, equal to nothing that is wanted
        return replace(rule, out_interface="?", exclude=(), to_address="")
    return rule


def _read_guards(chains: Mapping[str, SavedChain]) -> List[Guard]:
    rules = chains.get(GUARD, SavedChain()).rules
    found = []
    for rule in rules:
        if comment(rule).startswith(MARK):
            bridge = _option(rule, "-o")
            owner, note = _owner(comment(rule))
            icc = any((_option(one, "-i"), _option(one, "-o")) == (bridge, bridge) for one in rules)
            internal = any(_option(one, "-i") == bridge and target(one) == "DROP" for one in rules)
            found.append(Guard(bridge, target(rule) != OPEN, icc, internal, owner, note))
    return found


def _read_passages(chains: Mapping[str, SavedChain], family: int) -> List[Passage]:
    found: Dict[Tuple[str, str, int, str], Passage] = {}
    for rule in chains.get(FORWARD, SavedChain()).rules:
        owner, kind = _owner(comment(rule))
        if kind == "out" and "--ctstate" not in rule:
            one = Passage(kind, _option(rule, "-s") or EVERYWHERE[family], family, _option(rule, "-o"), owner)
        elif kind in ("in", "icc"):
            one = Passage(kind, _option(rule, "-o") or _option(rule, "-i"), family, "", owner)
        elif kind == "to":
            one = Passage(kind, (_option(rule, "-d") or _option(rule, "-s")).partition("/")[0], family, "", owner)
        else:
            continue
        found[one.key] = one
    return list(found.values())


def contents(saved: Mapping[int, Tables]) -> Contents:
    """Return what is held in the tables of both address families."""
    rules: List[NatRule] = []
    elements: List[Element] = []
    passages: List[Passage] = []
    guards: List[Guard] = []
    localnet: List[str] = []
    strangers: List[str] = []
    for family, tables in saved.items():
        nat, filters = tables.get("nat", {}), tables.get("filter", {})
        for rule in nat.get(PUBLISH, SavedChain()).rules:
            if (
                _option(rule, "--to-destination")
                and _option(rule, "--dport").replace(":", "").isdigit()
                and is_ours(rule)
            ):
                elements.append(_read_element(rule, family))
        for rule in nat.get(POSTROUTING, SavedChain()).rules:
            if is_ours(rule):
                rules.append(_read_rule(rule, nat.get(target(rule), SavedChain()).rules, family))
        passages += _read_passages(filters, family)
        guards = guards or _read_guards(filters)
        localnet += [
            _option(rule, "-i")
            for rule in tables.get("raw", {}).get(RAW, SavedChain()).rules
            if comment(rule) == "linuxnet-localnet"
        ]
        strangers += [
            "%s %s rule %d" % (table, name, number)
            for table, chains in tables.items()
            for name, chain in chains.items()
            if name in _PARTS or name == POSTROUTING
            for number, rule in enumerate(chain.rules, 1)
            if not is_ours(rule)
        ]
    held = Contents(
        rules=tuple(rules),
        elements=tuple(elements),
        guards=tuple(guards),
        passages=tuple(passages),
        loops=tuple(dict.fromkeys(one.bridge for one in elements if one.bridge)),
        localnet=tuple(localnet),
        strangers=tuple(strangers),
        hooks={family: USERS if USERS in tables.get("filter", {}) else "FORWARD" for family, tables in saved.items()},
    )
    return replace(held, parts=_parts(saved, held))


def _parts(saved: Mapping[int, Tables], held: Contents) -> Dict[str, Fixed]:
    """Return of each part and family whether it is whole: as it would be rendered."""
    found = {}
    for family, tables in saved.items():
        layout = render(family, held)
        broken = {_PARTS.get(step.chain, "nat") for step in difference(tables, layout)}
        if held.guards and "passage" in broken:  # the guard is called from there
            broken.add("guard")
        there = {_PARTS.get(name, "nat") for dummy, name in layout.chains}
        found.update({"%s/%d" % (name, family): Fixed(name not in broken) for name in there})
    return found


# --- changing ---


def transaction(saved: Mapping[int, Tables], edits: Iterable[Edit], bare: bool) -> Dict[int, str]:
    """Return by address family the text for iptables-restore that carries out ``edits``; empty where that is so already."""
    after = edited(contents(saved), edits)
    return {family: restorable(difference(tables, render(family, after), bare)) for family, tables in saved.items()}


def tables_of(layout: Layout) -> Tables:
    """Return a layout as tables that have nothing else."""
    found: Dict[str, Dict[str, SavedChain]] = {table: {} for table in _TABLES}
    for (table, name), rules in layout.chains.items():
        found[table][name] = SavedChain("-", tuple(rules))
    for table, name, rule in layout.hooks:
        known = found[table].get(name, SavedChain("ACCEPT"))
        found[table][name] = SavedChain(known.policy, (*known.rules, rule))
    return found


def _common(there: Contents, family: int) -> Contents:
    """Return something small of each part that is whole, so that what is there of it shows on both sides of a comparison."""
    some, net = {4: ("192.0.2.1", "192.0.2.0/24"), 6: ("2001:db8::1", "2001:db8::/64")}[family]  # RFC 5737, RFC 3849
    ports = [Element("tcp", some, 1, 1, some, bridge=bridge) for bridge in there.loops or ("",)]
    return Contents(
        rules=(NatRule(net),) if there.whole("nat", family) else (),
        elements=tuple(replace(one, first=number, last=number) for number, one in enumerate(ports, 1))
        if there.whole("publish", family)
        else (),
        guards=there.guards if there.whole("guard", family) else (),
        passages=there.passages if there.whole("passage", family) else (),
        localnet=there.localnet,
        hooks=there.hooks,
    )


def typed(edit: Edit, there: Contents, replaced: Contents, last: bool) -> List[Tuple[str, Words]]:
    """Return the commands that a person would type for one edit, (program, arguments). ``replaced`` is what the edit replaces or removes of what is
    ``there``; ``last``: nothing else is held in this place."""
    lines = []
    for family in there.hooks:
        common = _common(there, family)
        before = replace(
            common, rules=(*common.rules, *replaced.rules), elements=(*common.elements, *replaced.elements)
        )
        after = Contents() if last else edited(before, [edit])
        steps = difference(tables_of(render(family, before)), render(family, after))
        lines += [(_PROGRAM[family], ("-t", step.table, *step.words)) for step in steps]
    return lines
