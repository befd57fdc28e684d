# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Owned rules as rules in chains of iptables, and back. Pure.

All chains are ours (``LINUXNET-…``). In nftables a base chain's accept ends that chain only; here it would end the table, so isolation
returns where it has nothing against a packet. The names are on running hosts: they stay as they are.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import field, replace
from typing import Dict, FrozenSet, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_difference import (
    Layout,
    difference,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_save import (
    OURS,
    SavedChain,
    Tables,
    Words,
    comment,
    is_ours,
    target,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import prefix
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    ALLOWANCES,
    EVERYWHERE,
    ISOLATION,
    MARK,
    NAT,
    PORTS,
    UNREADABLE,
    Allowance,
    Isolation,
    NatRule,
    OwnedRules,
    PortMapping,
    bridges_of,
    canonical_exclude,
    family_of,
    marked,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass

PUBLISH, HAIRPIN, POSTROUTING = OURS + "PUBLISH", OURS + "HAIRPIN", OURS + "POSTROUTING"
RAW, MANGLE, FORWARD = OURS + "RAW", OURS + "MANGLE", OURS + "FORWARD"
GUARD, CLOSED, OPEN = OURS + "GUARD", OURS + "CLOSED", OURS + "OPEN"
USERS = "DOCKER-USER"  # where docker leaves room for rules of others, before its own
# Those who share a bridge see each other: their packets carry this bit from the forward hook, which knows both interfaces, to
# the postrouting one, which knows only the way out.
_BIT = "0x20000000/0x20000000"
_KINDS = {
    PUBLISH: PORTS, HAIRPIN: PORTS, RAW: PORTS, MANGLE: PORTS,
    GUARD: ISOLATION, CLOSED: ISOLATION, OPEN: ISOLATION, FORWARD: ALLOWANCES,
}  # fmt: skip
_HERE = ("::1/128", "fe80::/10")
SHARED = frozenset({*_KINDS, POSTROUTING})  # the others have one rule's exceptions each


@dataclass(frozen=True)
class IptablesRules(OwnedRules):
    """What we own in one kind of iptables. ``callers``: by address family the chain from which our forward chains are called, and ``others`` what
    others have there.
    ``unreadable``: the call and the chain of a source NAT rule that was edited by hand, by its key; they stay as they are."""

    callers: Mapping[int, str] = field(default_factory=dict, hash=False)
    others: Mapping[int, Sequence[Words]] = field(default_factory=dict, hash=False)
    unreadable: Mapping[Tuple[str, str], Tuple[Words, Tuple[Words, ...]]] = field(default_factory=dict, hash=False)


def _noted(text: str) -> Words:
    return ("-m", "comment", "--comment", text)


def _state(states: str) -> Words:
    return ("-m", "conntrack", "--ctstate", states)


def _call(chain: str) -> Words:
    return (*_noted("linuxnet"), "-j", chain)


def _from(network: str) -> Words:
    return () if network.endswith("/0") else ("-s", network)


def _host(address: str) -> str:
    return "%s/%d" % (address, {4: 32, 6: 128}[family_of(address)])


def _interface(name: str, option: str = "-o") -> Words:
    if not name:
        return ()
    return ("!", option, name[1:]) if name.startswith("!") else (option, name)


# --- rendering ---


def _rule_chain(rule: NatRule) -> str:
    """Return the name of the chain that a source NAT rule has for itself: the place of what it leaves alone."""
    return OURS + hashlib.sha1("\0".join(rule.key).encode()).hexdigest()[:12].upper()


def _nat_rule(rule: NatRule) -> Tuple[Words, Sequence[Words]]:
    """Return the call of a rule's chain, and what is in the chain."""
    call = (*_from(rule.source), *_interface(rule.out_interface), *_noted(rule.marked), "-j", _rule_chain(rule))
    verdict = ("-j", "SNAT", "--to-source", rule.to_address) if rule.to_address else ("-j", "MASQUERADE")
    return call, [*(("-d", one, "-j", "RETURN") for one in rule.untouched if not one.endswith("/0")), verdict]


def _mapping(mapping: PortMapping) -> Words:
    host = mapping.host_ip
    to = mapping.to
    if mapping.to_port:
        to = "%s:%d" % ("[%s]" % to if mapping.family == 6 else to, mapping.to_port)
    return (
        *(() if host == EVERYWHERE[mapping.family] else ("-d", _host(host))),
        *("-p", mapping.protocol, "-m", mapping.protocol, "--dport", mapping.ports.replace("-", ":")),
        *(*_noted(mapping.marked), "-j", "DNAT", "--to-destination", to),
    )


def _published(family: int, owned: OwnedRules, layout: Layout) -> None:
    mappings = [mapping for mapping in owned.port_mappings if mapping.family == family]
    if not mappings:
        return
    # What the host itself answers, were it that nobody listens: no answer of a container's comes back from there.
    here = [("-d", one, *_noted("linuxnet"), "-j", "RETURN") for one in _HERE] if family == 6 else []
    layout.chains["nat", PUBLISH] = [*here, *(_mapping(mapping) for mapping in mappings)]
    local = ("-m", "addrtype", "--dst-type", "LOCAL", *_call(PUBLISH))
    layout.calls.extend(
        [("nat", "PREROUTING", local), ("nat", "OUTPUT", local), ("nat", "POSTROUTING", _call(HAIRPIN))]
    )
    layout.chains["nat", HAIRPIN] = [
        *([("-s", "127.0.0.0/8", *_state("DNAT"), *_noted("linuxnet"), "-j", "MASQUERADE")] if family == 4 else []),
        ("-m", "mark", "--mark", _BIT, *_state("DNAT"), *_noted("linuxnet"), "-j", "MASQUERADE"),
    ]
    layout.calls.append(("mangle", "FORWARD", _call(MANGLE)))
    layout.chains["mangle", MANGLE] = [
        ("-i", name, "-o", name, *_state("DNAT"), *_noted("linuxnet"), "-j", "MARK", "--set-xmark", _BIT)
        for name in bridges_of(mappings)
    ]
    if family == 4:
        layout.calls.append(("raw", "PREROUTING", _call(RAW)))
        layout.chains["raw", RAW] = [
            ("-d", "127.0.0.0/8", "!", "-i", "lo", *_noted("linuxnet"), "-j", "DROP"),
            *(("-i", name, *_noted("linuxnet-localnet")) for name in owned.localnet),  # a note, no verdict
        ]


def _isolated(isolations: Sequence[Isolation], layout: Layout) -> None:
    """Add what `Isolation` says: answers pass, then own neighbours, nothing of an internal network, and of the rest what is published."""
    if not isolations:
        return
    note = _noted("linuxnet")
    layout.chains["filter", GUARD] = [
        (*_state("RELATED,ESTABLISHED"), *note, "-j", "RETURN"),
        *(
            ("-i", isolation.bridge, "-o", isolation.bridge, *note, "-j", "RETURN")
            for isolation in isolations
            if isolation.icc
        ),
        *(
            (way, isolation.bridge, *note, "-j", "DROP")
            for isolation in isolations
            if isolation.internal
            for way in ("-i", "-o")
        ),
        *(
            ("-o", isolation.bridge, *_noted(isolation.marked), "-g", CLOSED if isolation.isolate else OPEN)
            for isolation in isolations
        ),
    ]
    layout.chains["filter", OPEN] = [
        *(("-i", isolation.bridge, *note, "-j", "RETURN") for isolation in isolations if not isolation.isolate),
        (*note, "-g", CLOSED),
    ]
    layout.chains["filter", CLOSED] = [(*_state("DNAT"), *note, "-j", "RETURN"), (*note, "-j", "DROP")]


def _allowance(allowance: Allowance) -> List[Words]:
    note = _noted(marked(allowance.owner, allowance.kind))
    if allowance.kind == "out":
        answers = ("-d", allowance.name) if not allowance.name.endswith("/0") else ()
        return [
            (*_from(allowance.name), *_interface(allowance.by), *note, "-j", "ACCEPT"),
            (*answers, *_state("RELATED,ESTABLISHED"), *note, "-j", "ACCEPT"),
        ]
    if allowance.kind == "icc":
        return [("-i", allowance.name, "-o", allowance.name, *note, "-j", "ACCEPT")]
    name, ways = (allowance.name, ("-o", "-i")) if allowance.kind == "in" else (_host(allowance.name), ("-d", "-s"))
    return [(way, name, *_state("DNAT"), *note, "-j", "ACCEPT") for way in ways]


def render(family: int, owned: IptablesRules) -> Layout:
    """Return what is owned as chains and calls of one address family."""
    layout = Layout()
    _published(family, owned, layout)
    rules = [rule for rule in owned.nat_rules if rule.family == family]
    if rules:
        layout.chains["nat", POSTROUTING] = []
        for rule in rules:
            if rule.out_interface != UNREADABLE:
                call, inner = _nat_rule(rule)
            elif rule.key in owned.unreadable:
                call, inner = owned.unreadable[rule.key]
            else:
                continue
            layout.chains["nat", POSTROUTING].append(call)
            if target(call).startswith(OURS):
                layout.chains["nat", target(call)] = list(inner)
        layout.calls.append(("nat", "POSTROUTING", _call(POSTROUTING)))
    allowances = [allowance for allowance in owned.allowances if allowance.family == family]
    caller = owned.callers.get(family, "FORWARD")
    if allowances:
        layout.chains["filter", FORWARD] = [line for allowance in allowances for line in _allowance(allowance)]
        layout.late.append(("filter", caller, _call(FORWARD)))
    if owned.isolations:
        layout.calls.append(("filter", caller, _call(GUARD)))
    if family in owned.others:
        layout.others["filter", caller] = owned.others[family]
    _isolated(owned.isolations, layout)
    return layout


# --- reading ---


def _owner(text: str) -> Tuple[str, str]:
    owner, dummy, rest = text[len(MARK) :].partition("|") if text.startswith(MARK) else ("", "", "")
    return owner, rest


def _option(rule: Words, name: str) -> str:
    """Return the value of an option, after a ``!`` where it is negated; ``""`` where it is not given."""
    if name not in rule[:-1]:
        return ""
    number = rule.index(name)
    return ("!" if number and rule[number - 1] == "!" else "") + rule[number + 1]


def _rules(chains: Mapping[str, SavedChain], name: str) -> Tuple[Words, ...]:
    return chains.get(name, SavedChain()).rules


def _is_address(text: str, family: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == family
    except ValueError:
        return False


def _read_mapping(rule: Words, family: int) -> Optional[PortMapping]:
    """Return the port mapping that a rule of ours is, None where it says something that we never write."""
    owner, rest = _owner(comment(rule))
    bridge, dummy, note = rest.partition("|")
    first, colon, last = _option(rule, "--dport").partition(":")
    last = last if colon else first
    to, port = _option(rule, "--to-destination"), ""
    if family == 4 or to.startswith("["):
        to, dummy, port = to.rpartition(":") if ":" in to else (to, "", "")
    to = to.strip("[]")
    host = _option(rule, "-d").partition("/")[0]
    numbers = all(number.isdecimal() for number in (first, last, port or "0"))
    if not is_ours(rule) or not numbers or not all(_is_address(one, family) for one in (to, host or to)):
        return None
    protocol = _option(rule, "-p")
    host = host or EVERYWHERE[family]
    return PortMapping(protocol, host, int(first), int(last), to, int(port or 0), owner, bridge, note)


def _read_nat_rule(call: Words, chain: Sequence[Words], family: int) -> NatRule:
    owner, note = _owner(comment(call))
    source = prefix(_option(call, "-s") or EVERYWHERE[family])
    if not source or family_of(source) != family:
        return NatRule(EVERYWHERE[family], UNREADABLE, (), "", owner, note)
    inner = list(chain)
    to_address = _option(inner[-1], "--to-source") if inner else ""
    alone = [prefix(_option(rule, "-d")) for rule in inner[:-1]]
    readable = all(network and family_of(network) == family for network in alone)
    exclude = canonical_exclude(source, alone) if readable else ()
    rule = NatRule(source, _option(call, "-o"), exclude, to_address, owner, note)
    if _nat_rule(rule) != (call, inner):  # edited by hand: equal to nothing that is wanted
        return replace(rule, out_interface=UNREADABLE, exclude=(), to_address="")
    return rule


def _read_isolations(chains: Mapping[str, SavedChain]) -> List[Isolation]:
    rules = _rules(chains, GUARD)
    ways = [(_option(rule, "-i"), _option(rule, "-o"), target(rule)) for rule in rules]
    icc = {into for into, out, dummy in ways if into == out}
    internal = {into for into, dummy, verdict in ways if verdict == "DROP"}
    found = []
    for rule, (dummy, bridge, verdict) in zip(rules, ways):
        if comment(rule).startswith(MARK):
            isolate = verdict != OPEN
            found.append(Isolation(bridge, isolate, bridge in icc, bridge in internal, *_owner(comment(rule))))
    return found


def _read_allowances(chains: Mapping[str, SavedChain], family: int) -> List[Allowance]:
    found: Dict[Tuple[str, str, int, str], Allowance] = {}
    for rule in _rules(chains, FORWARD):
        owner, kind = _owner(comment(rule))
        if kind == "out" and "--ctstate" not in rule:
            allowance = Allowance(kind, _option(rule, "-s") or EVERYWHERE[family], family, _option(rule, "-o"), owner)
        elif kind in ("in", "icc"):
            allowance = Allowance(kind, _option(rule, "-o") or _option(rule, "-i"), family, "", owner)
        elif kind == "to":
            address = (_option(rule, "-d") or _option(rule, "-s")).partition("/")[0]
            if not _is_address(address, family):
                continue
            allowance = Allowance(kind, address, family, "", owner)
        else:
            continue
        found[allowance.key] = allowance
    return list(found.values())


def _unmarked(tables: Tables) -> List[str]:
    """Return the rules in chains of ours that do not carry our mark."""
    return [
        "%s %s rule %d" % (table, name, number)
        for table, chains in tables.items()
        for name, chain in chains.items()
        if name in SHARED
        for number, rule in enumerate(chain.rules, 1)
        if not is_ours(rule)
    ]


def _caller(chains: Mapping[str, SavedChain]) -> str:
    """Return the chain that calls ours: that of docker's users, where every packet comes by there."""
    called = any(_alone(rule) == ("-j", USERS) for rule in _rules(chains, "FORWARD"))
    return USERS if called and USERS in chains else "FORWARD"


def _alone(rule: Words) -> Words:
    """Return a rule without its comment."""
    if "--comment" not in rule[:-1]:
        return rule
    number = rule.index("--comment")
    return (*rule[: max(number - 2, 0)], *rule[number + 2 :])


def owned(saved: Mapping[int, Tables]) -> IptablesRules:
    """Return what is owned in the tables of both address families."""
    rules: List[NatRule] = []
    unreadable: Dict[Tuple[str, str], Tuple[Words, Tuple[Words, ...]]] = {}
    mappings: List[PortMapping] = []
    allowances: List[Allowance] = []
    isolations: List[Isolation] = []
    localnet: List[str] = []
    unmarked: List[str] = []
    for family, tables in saved.items():
        nat, filters = tables.get("nat", {}), tables.get("filter", {})
        read = (_read_mapping(rule, family) for rule in _rules(nat, PUBLISH))
        mappings += [mapping for mapping in read if mapping is not None]
        for call in _rules(nat, POSTROUTING):
            if is_ours(call):
                inner = _rules(nat, target(call))
                rules.append(_read_nat_rule(call, inner, family))
                if rules[-1].out_interface == UNREADABLE:
                    unreadable[rules[-1].key] = (call, inner)
        allowances += _read_allowances(filters, family)
        isolations = isolations or _read_isolations(filters)
        noted = [rule for rule in _rules(tables.get("raw", {}), RAW) if comment(rule) == "linuxnet-localnet"]
        localnet += [_option(rule, "-i") for rule in noted]
        unmarked += _unmarked(tables)
    callers = {family: _caller(tables.get("filter", {})) for family, tables in saved.items()}
    found = IptablesRules(
        nat_rules=tuple(rules),
        port_mappings=tuple(mappings),
        isolations=tuple(isolations),
        allowances=tuple(allowances),
        bridges=bridges_of(mappings),
        localnet=tuple(localnet),
        unmarked=tuple(unmarked),
        families=tuple(saved),
        callers=callers,
        others={
            family: [rule for rule in _rules(tables.get("filter", {}), callers[family]) if not is_ours(rule)]
            for family, tables in saved.items()
        },
        unreadable=unreadable,
    )
    return replace(found, static=_static(saved, found))


def _static(saved: Mapping[int, Tables], owned: IptablesRules) -> FrozenSet[Tuple[str, int]]:
    """Return the kinds and families whose chains are as they would be rendered."""
    found: Set[Tuple[str, int]] = set()
    for family, tables in saved.items():
        layout = render(family, owned)
        broken = {_KINDS.get(step.chain, NAT) for step in difference(tables, layout, SHARED)}
        there = {_KINDS.get(name, NAT) for dummy, name in layout.chains}
        found |= {(kind, family) for kind in there - broken}
    return frozenset(found)
