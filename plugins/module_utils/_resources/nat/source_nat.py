# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, types masquerade and snat: source NAT of what leaves a network. Pure."""

from __future__ import annotations

import collections
from dataclasses import field
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Backend
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import Packet, satisfied_by
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.index import RuleIndex
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
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
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import coexistence, forwarding
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import DelRule, PutRule
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.coexistence import Coexistence
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.forwarding import Forwarding
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.names import interface
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State


@dataclass(frozen=True)
class Want:
    """A source NAT rule. ``needed``: families that other items of the task need forwarding of."""

    ns: NsRef
    rule: NatRule
    present: bool = True
    forward: bool = True
    ip_forward: bool = True
    backend: str = "auto"
    needed: FrozenSet[int] = frozenset()

    @property
    def family(self) -> int:
        return self.rule.family


@dataclass(frozen=True)
class Have:
    """``rule`` of the same owner and source in ``backend``, where it is to be, and what else we own there (``owned``); ``elsewhere``
    those in other backends. ``families``: those of what else we own, in all backends; ``last``: the backends in which that is nothing."""

    backend: Backend = DEFAULT
    rule: Optional[NatRule] = None
    owned: OwnedRules = field(default_factory=OwnedRules)
    elsewhere: Tuple[Tuple[Backend, NatRule, OwnedRules], ...] = ()
    families: FrozenSet[int] = frozenset()
    satisfied_by: str = ""
    coexistence: Coexistence = field(default_factory=Coexistence)
    forwarding: Forwarding = field(default_factory=lambda: Forwarding(HOST, 4))
    last: Tuple[Backend, ...] = ()
    warnings: Tuple[str, ...] = ()


def parse(params: Mapping[str, Any], owner: str, comment: str) -> Want:
    """Return the want of a masquerade or snat item. Raises `Invalid`."""
    present = params["state"] == "present"
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
    options = (params["forward"], params["ip_forward"], params["backend"])
    return Want(NsRef.parse(params.get("netns")), rule, present, *options)


def subject(want: Want) -> str:
    """Return the object in a few words."""
    return "nat %s%s" % (want.rule.source, " in %s" % want.ns if want.ns.path else "")


def look(want: Want, ns: int, state: State) -> Have:
    """Return what there is in the namespace ``ns``."""
    indexes = coexistence.indexes(want.backend, ns, state)
    here = next(iter(indexes))
    found = {backend: index.nat_rules.get(want.rule.key) for backend, index in indexes.items()}
    mine = [rule for rule in found.values() if rule is not None]
    # An allowance is for all rules of a source and interface.
    ways = [(rule.source, rule.out_interface) for rule in mine]
    old = [
        _allowance(rule)
        for rule in (*mine, want.rule)
        for way in [(rule.source, rule.out_interface)]
        if sum(index.ways_out[way] for index in indexes.values()) <= ways.count(way)
    ]
    wanted = want.rule if want.present and want.forward else None
    bridge = want.rule.out_interface[1:] if want.rule.out_interface.startswith("!") else ""
    packet = Packet(want.family, saddr=want.rule.source, iifname=bridge, bridge=bridge)
    satisfying = want.rule.type == "masquerade" and not want.rule.exclude
    families = {family for index in indexes.values() for family in _families(index, want.rule)}
    unmarked = [rule for index in indexes.values() for rule in index.owned.unmarked]
    return Have(
        here,
        found[here],
        indexes[here].owned,
        tuple(
            (backend, rule, indexes[backend].owned)
            for backend, rule in found.items()
            if rule is not None and backend is not here
        ),
        frozenset(families),
        satisfied_by(firewalls(state).foreign(ns), want.rule.source, want.rule.out_interface) if satisfying else "",
        coexistence.look([(_allowance(wanted), packet)] if wanted else [], old, here, ns, state),
        forwarding.look(ns, want.ns, want.family, want.ip_forward, state),
        tuple(backend for backend, index in indexes.items() if index.only(nat_rules=1)),
        (*_unmarked_warnings(unmarked), *coexistence.mixed(ns, state)),
    )


def _families(index: RuleIndex, rule: NatRule) -> Set[int]:
    """Return the address families of what we own besides a rule."""
    counts = collections.Counter(index.families) + collections.Counter(index.nat_families)
    if rule.key in index.nat_rules:
        counts[rule.family] -= 1
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
    changes += _deleted(want, have, have.elsewhere)
    now = have.forwarding.describe()
    before = dict(_describe(want, there, backend), **now) if known or satisfied else {}
    changes.extend(have.forwarding.on())
    after = dict(_describe(want, want.rule, have.backend), **have.forwarding.describe(True))
    facts = {"satisfied_by": satisfied or None, "blocked_by": list(have.coexistence.blocked_by)}
    warnings = have.coexistence.warning("Forwarded packets from %s are" % want.rule.source)
    return Plan(before, after, tuple(changes), (*have.warnings, *warnings), facts)


def _absent(want: Want, have: Have) -> Plan:
    changes: List[Change] = list(have.coexistence.changes(want.ns))
    there = [(have.backend, have.rule, have.owned)] if have.rule is not None else []
    there += have.elsewhere
    before = dict(_describe(want, there[0][1], there[0][0]), **have.forwarding.describe()) if there else {}
    changes += _deleted(want, have, there)
    if want.family not in have.families | want.needed:
        off = have.forwarding.off()
        changes.extend(off)
        before = dict(before, **(have.forwarding.describe() if off else {}))
    return Plan(before, {}, tuple(changes), have.warnings, {"satisfied_by": None, "blocked_by": []})


def _deleted(want: Want, have: Have, there: Sequence[Tuple[Backend, NatRule, OwnedRules]]) -> List[Change]:
    return [DelRule(want.ns, rule, backend in have.last, backend, owned) for backend, rule, owned in there]


def _describe(want: Want, rule: NatRule, backend: Backend) -> Dict[str, Any]:
    return {
        "type": rule.type,
        "source": rule.source,
        "netns": want.ns.option,
        "out_interface": rule.out_interface or None,
        "exclude": list(rule.exclude),
        "to_address": rule.to_address or None,
        "owner": rule.owner,
        "comment": rule.comment or None,
        "backend": backend.name,
    }


def _unmarked_warnings(unmarked: Sequence[str]) -> Tuple[str, ...]:
    if not unmarked:
        return ()
    return (
        "Among our rules are some without the mark of this collection (%s); they are left alone." % ", ".join(unmarked),
    )
