# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, types masquerade and snat: source NAT of what leaves a network. Pure."""

from __future__ import annotations

import collections
from dataclasses import field, replace
from typing import (
    Any,
    Dict,
    FrozenSet,
    Hashable,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Set,
    Tuple,
    TypeVar,
)

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Backend
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import satisfied_by
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.index import RuleIndex
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    FAMILIES,
    NAT,
    Allowance,
    NatRule,
    OwnedRules,
    canonical_exclude,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import DEFAULT
from ansible_collections.linuxnet.containers.plugins.module_utils._model import addressing
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import (
    address,
    network,
    network_text,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import coexistence, fence, forwarding
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import DelRule, PutRule
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.coexistence import Coexistence
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.fence import About
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.forwarding import (
    Forwarding,
    kept_or_taken_back,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.names import interface
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

Found = Tuple[Backend, NatRule, OwnedRules]  # a rule, where it is, and what else we own there


Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Want:
    """A source NAT rule; with a source of ``""``, to be gone, all of the owner's. ``exclusive``: whatever else the owner has goes, but for
    ``keep``, the keys of what the task wants of it. ``needed``: families that other items of the task need forwarding of."""

    ns: NsRef
    rule: NatRule
    present: bool = True
    forward: bool = True
    ip_forward: bool = True
    exclusive: bool = False
    backend: str = "auto"
    by_hand: bool = False  # what people put among our rules goes
    needed: FrozenSet[int] = frozenset()
    named: FrozenSet[About] = field(default=frozenset(), compare=False)  # what all rules of the task are about
    keep: FrozenSet[Tuple[str, str]] = frozenset()
    goes_with: Optional[Tuple[str, FrozenSet[str]]] = (
        None  # the bridge for which it stays, and whose pairs there do not count
    )
    listed: Optional[FrozenSet[str]] = None  # see `ownership.not_listed`

    @property
    def family(self) -> int:
        return self.rule.family


@dataclass(frozen=True)
class Have:
    """``rule`` of the same owner and source in ``backend``, where it is to be, and what else we own there (``owned``); ``elsewhere``
    those in other backends. ``surplus`` is what else the owner has, in any backend, and is not wanted. ``forwarding``: of the rule's family
    first, then of those of the surplus. ``families``: those of what else we own, in all backends; ``last``: the backends in which that is
    nothing."""

    backend: Backend = DEFAULT
    rule: Optional[NatRule] = None
    owned: OwnedRules = field(default_factory=OwnedRules)
    elsewhere: Tuple[Found, ...] = ()
    surplus: Tuple[Found, ...] = ()
    families: FrozenSet[int] = frozenset()
    satisfied_by: str = ""
    coexistence: Coexistence = field(default_factory=Coexistence)
    forwarding: Tuple[Forwarding, ...] = (Forwarding(HOST, 4),)
    last: Tuple[Backend, ...] = ()
    warnings: Tuple[str, ...] = ()


def parse(params: Mapping[str, Any], owner: str, comment: str) -> Want:
    """Return the want of a masquerade or snat item. Raises `Invalid`."""
    present = params["state"] == "present"
    ns = NsRef.parse(params.get("netns"))
    options = (params["forward"], params["ip_forward"], params["exclusive"], params["backend"])
    if params.get("source") is None:
        if present:
            raise Invalid("source is required with type: %s." % params["type"])
        for option in ("out_interface", "exclude", "to_address"):
            if params.get(option) is not None:
                raise Invalid("%s: it does not go without source, which means all that the owner has." % option)
        return Want(ns, NatRule("", owner=owner), False, *options)
    source = network(params["source"], "source")
    exclude = [network(text, "exclude") for text in params.get("exclude") or ()]
    for net in exclude:
        if net.version != source.version:
            raise Invalid("exclude: %s is not of the same address family as the source %s." % (net, source))
    to_address = ""
    if params["type"] == "masquerade" and params.get("to_address") is not None:
        raise Invalid(
            "to_address: it belongs to type: snat; masquerade takes the address of the interface that a packet leaves by."
        )
    if params["type"] == "snat":
        to = address(params["to_address"], "to_address")
        if to.version != source.version:
            raise Invalid("to_address: %s is not of the same address family as the source %s." % (to, source))
        to_address = addressing.text(to)
    out = params.get("out_interface") or ""
    if out:
        interface(out[1:] if out.startswith("!") else out, "out_interface", present)
    excluded = canonical_exclude(network_text(source), [network_text(net) for net in exclude])
    rule = NatRule(network_text(source), out, excluded, to_address, owner, comment)
    return Want(ns, rule, present, *options)


def together(wants: Sequence[Want]) -> List[Want]:
    """Tell the exclusive ones what else their owner has in the task; the first one of an owner sees to what is not wanted."""
    items = [
        ((want.ns, want.rule.owner), want.rule.key, want.present, want.exclusive or not want.rule.source)
        for want in wants
    ]
    return [replace(want, exclusive=first, keep=keep) for want, (first, keep) in zip(wants, of_owners(items))]


def of_owners(items: Sequence[Tuple[Hashable, Key, bool, bool]]) -> Iterator[Tuple[bool, FrozenSet[Key]]]:
    """Yield of each item (its owner, its key, whether it is to be there, whether it sees to what else its owner has) whether it is the first of
    its owner that does, and then what of the owner's is to be there."""
    keep: Dict[Hashable, Set[Key]] = {}
    for owner, key, present, dummy in items:
        if present:
            keep.setdefault(owner, set()).add(key)
    seen: Set[Hashable] = set()
    for owner, _key, dummy, exclusive in items:
        first = exclusive and owner not in seen
        if first:
            seen.add(owner)
        yield first, frozenset(keep.get(owner, ())) if first else frozenset()


def subject(want: Want) -> str:
    """Return the object in a few words."""
    what = want.rule.source or "of %s" % want.rule.owner
    return "nat %s%s" % (what, " in %s" % want.ns if want.ns.path else "")


def look(want: Want, ns: int, state: State) -> Have:
    """Return what there is in the namespace ``ns``."""
    indexes = coexistence.indexes(want.backend, ns, state, (NAT, want.family) if want.present else None)
    here = next(iter(indexes))
    found = {backend: index.nat_rules.get(want.rule.key) for backend, index in indexes.items()}
    surplus = [
        (backend, rule, index.owned)
        for backend, index in indexes.items()
        for rule in (index.nat_of(want.rule.owner) if want.exclusive else ())
        if rule.key != want.rule.key and rule.key not in want.keep
    ]
    beside = [rule for dummy, rule, owned in surplus]
    mine = [*(rule for rule in found.values() if rule is not None), *beside]
    # An allowance is for all rules of a source and interface.
    ways = [(rule.source, rule.out_interface) for rule in mine]
    old = [
        _allowance(rule)
        for rule in (*mine, *([want.rule] if want.rule.source else []))
        for way in [(rule.source, rule.out_interface)]
        if sum(index.ways_out[way] for index in indexes.values()) <= ways.count(way)
    ]
    wanted = want.rule if want.present and want.forward else None
    satisfying = want.present and want.rule.type == "masquerade" and not want.rule.exclude
    concerned = {
        *({want.family} if want.rule.source else FAMILIES),
        *(rule.family for rule in beside),
        *fence.families(indexes),
    }
    gone = {want.rule.key, *(rule.key for rule in beside)}
    asked = [coexistence.Needing(_allowance(wanted), "leaving", (wanted,), here)] if wanted else []
    found_coexistence = coexistence.look(asked, old, want.backend, ns, state)
    left = {backend: len(gone.intersection(index.nat_rules)) for backend, index in indexes.items()}
    item = fence.Item(
        want.ns,
        indexes,
        here,
        [
            backend
            for backend, index in indexes.items()
            if index.only(nat_rules=left[backend], allowances=found_coexistence.ended(backend), fences=True)
            and not (want.present and backend is here)
        ],
        want.named,
        (fence.about_rule(want.rule),) if want.present else (),
        tuple(map(fence.about_rule, mine)),
    )
    return Have(
        here,
        found[here],
        indexes[here].owned,
        tuple(
            (backend, rule, indexes[backend].owned)
            for backend, rule in found.items()
            if rule is not None and backend is not here
        ),
        tuple(surplus),
        frozenset(family for index in indexes.values() for family in _families(index, gone)).union(
            FAMILIES if firewalls(state).unread(ns) else ()
        ),
        satisfied_by(firewalls(state).foreign(ns), want.rule.source, want.rule.out_interface) if satisfying else "",
        found_coexistence,
        tuple(
            forwarding.look(ns, family, want.ip_forward, want.present and family == want.family, item, state)
            for family in sorted(concerned, key=lambda family: (family != want.family, family))
        ),
        tuple(
            backend for backend, index in indexes.items() if index.only(nat_rules=left[backend], fences=want.ip_forward)
        ),
        coexistence.mixed(ns, state),
    )


def _families(index: RuleIndex, gone: Iterable[Tuple[str, str]]) -> Set[int]:
    """Return the address families of what we own besides the rules with those keys."""
    counts = collections.Counter(index.families) + collections.Counter(index.nat_families)
    counts.update(index.forwards())
    counts.subtract(index.nat_rules[key].family for key in gone if key in index.nat_rules)
    return {family for family, count in counts.items() if count > 0}


def _allowance(rule: NatRule) -> Allowance:
    return Allowance("out", rule.source, rule.family, rule.out_interface, rule.owner)


def plan(want: Want, have: Have) -> Plan:
    """Return what is to be done."""
    if not want.present:
        return _absent(want, have)
    backend, there = next(((backend, rule) for backend, rule, dummy in have.elsewhere), (have.backend, want.rule))
    if have.rule is not None:
        backend, there = have.backend, have.rule
    known = have.rule is not None or bool(have.elsewhere)
    satisfied = "" if known else have.satisfied_by
    changes: List[Change] = []
    if not satisfied and (have.rule != want.rule or not have.owned.whole(NAT, want.family)):
        changes.append(PutRule(want.ns, want.rule, have.rule, have.backend, have.owned))
    changes += have.coexistence.changes(want.ns)
    own, *others = have.forwarding
    changes += own.on()
    changes += kept_or_taken_back(others, have.families | want.needed)
    changes += _deleted(want, have, (*have.elsewhere, *have.surplus))
    before: Dict[str, Any] = dict(_describe(want, [there], backend), **own.describe()) if known or satisfied else {}
    before.update(_surplus(have))
    after = dict(_describe(want, [want.rule], have.backend), **own.describe(True))
    facts = {"satisfied_by": satisfied or None, **have.coexistence.facts}
    warnings = have.coexistence.warnings("Forwarded packets from %s" % want.rule.source)
    return Plan(before, after, tuple(changes), (*have.warnings, *warnings, *own.fencing.warning()), facts)


def _absent(want: Want, have: Have) -> Plan:
    changes: List[Change] = list(have.coexistence.changes(want.ns))
    there = [(have.backend, have.rule, have.owned)] if have.rule is not None else []
    there += have.elsewhere
    before: Dict[str, Any] = {}
    if there:
        before.update(_describe(want, [there[0][1]], there[0][0]), **have.forwarding[0].describe())
    elif have.surplus and not want.rule.source:
        backend, first, dummy = have.surplus[0]
        rules = [rule for where, rule, owned in have.surplus if where is backend]
        before.update(_describe(want, rules, backend), **have.forwarding[0 if first.family == 4 else -1].describe())
    if want.rule.source:
        before.update(_surplus(have))
    needed = have.families | want.needed
    changes += kept_or_taken_back(have.forwarding, needed)
    changes += _deleted(want, have, [*there, *have.surplus])
    for one in [one for one in have.forwarding if one.family not in needed]:
        before.update(one.describe() if one.off() else {})
    return Plan(before, {}, tuple(changes), have.warnings, {"satisfied_by": None, **coexistence.NOTHING.facts})


def _deleted(want: Want, have: Have, there: Sequence[Found]) -> List[Change]:
    final = {backend: number for number, (backend, dummy, owned) in enumerate(there)}
    return [
        DelRule(want.ns, rule, backend in have.last and final[backend] == number, backend, owned)
        for number, (backend, rule, owned) in enumerate(there)
    ]


def _surplus(have: Have) -> Dict[str, Any]:
    """Return what the result says of the rules that are not wanted."""
    sources = dict.fromkeys(rule.source for dummy, rule, owned in have.surplus)
    return {"no_longer_asked_for": list(sources)} if sources else {}


def _describe(want: Want, rules: Sequence[NatRule], backend: Backend) -> Dict[str, Any]:
    """Return a rule as the result shows it, or all of an owner's."""
    first = rules[0]
    return {
        "type": first.type,
        "source": ", ".join(rule.source for rule in rules),
        "netns": want.ns.option,
        "out_interface": first.out_interface or None,
        "exclude": [net for rule in rules for net in rule.exclude],
        "to_address": ", ".join(rule.to_address for rule in rules if rule.to_address) or None,
        "owner": first.owner,
        "comment": first.comment or None,
        "backend": backend.name,
    }
