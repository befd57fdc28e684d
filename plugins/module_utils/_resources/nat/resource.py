# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat: source NAT of what leaves a network. Published ports and guarded bridges are in files of their own. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Sequence, Set, Tuple, Union

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import Packet, satisfied_by
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    COMMENT_BYTES,
    MARK,
    NFTABLES,
    Contents,
    NatRule,
    Passage,
    canonical_exclude,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import address, network
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import (
    INTERFACE_NAME_BYTES,
    interface_name,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import (
    coexistence,
    forwarding,
    isolation,
    port_mapping,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import DelRule, PutRule
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.coexistence import Passing
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.forwarding import Forwarding
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import walls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import NETNS, STATE, Plan, Resource
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
    """``rule`` of the same owner and source in ``place``, where it is to be, and what else is there (``held``); ``elsewhere`` by
    place those in others. ``others_of``: the families of what else is held, in all places; ``last``: places in which nothing is."""

    place: str = NFTABLES
    rule: Optional[NatRule] = None
    held: Contents = field(default_factory=Contents)
    elsewhere: Tuple[Tuple[str, NatRule, Contents], ...] = ()
    others_of: FrozenSet[int] = frozenset()
    satisfied_by: str = ""
    passing: Passing = field(default_factory=Passing)
    forwarding: Forwarding = field(default_factory=lambda: Forwarding(HOST, 4))
    last: Tuple[str, ...] = ()
    warnings: Tuple[str, ...] = ()


AnyWant = Union[Want, port_mapping.Want, isolation.Want]
AnyHave = Union[Have, port_mapping.Have, isolation.Have]


_RULE = {"source", "out_interface", "exclude", "to_address"}
# The options that a type has for itself.
_OWN = {
    "masquerade": _RULE,  # to_address has a sentence of its own
    "snat": _RULE,
    "dnat": {"protocol", "host_ip", "host_port", "to_address", "to_port", "bridge", "exclusive", "shadow"},
    "filter": {"bridge", "isolate", "icc", "internal"},
}
_FOREIGN = {type_: sorted(set().union(*_OWN.values()) - own) for type_, own in _OWN.items()}


class NatResource(Resource[AnyWant, AnyHave]):
    noun = "nat"
    identity = ("source", "host_port", "bridge", "owner")
    locks = True
    options: Dict[str, Any] = {
        "type": {"type": "str", "choices": ["masquerade", "snat", "dnat", "filter"], "default": "masquerade"},
        "source": {"type": "str"},
        **STATE,
        **NETNS,
        "out_interface": {"type": "str"},
        "exclude": {"type": "list", "elements": "str"},
        "to_address": {"type": "str"},
        "protocol": {"type": "str", "choices": list(port_mapping.PROTOCOLS)},
        "host_ip": {"type": "str"},
        "host_port": {"type": "str"},
        "to_port": {"type": "str"},
        "bridge": {"type": "str"},
        "exclusive": {"type": "bool", "default": False},
        "shadow": {"type": "bool", "default": False},
        "isolate": {"type": "bool", "default": True},
        "icc": {"type": "bool", "default": True},
        "internal": {"type": "bool", "default": False},
        "owner": {"type": "str", "default": "ansible"},
        "comment": {"type": "str"},
        "forward": {"type": "bool", "default": True},
        "ip_forward": {"type": "bool", "default": True},
        "backend": {"type": "str", "choices": list(coexistence.BACKENDS), "default": "auto"},
    }
    rules = {
        "required_if": [["type", "snat", ["source", "to_address"]], ["type", "masquerade", ["source"]]],
    }

    def parse(self, params: Mapping[str, Any]) -> AnyWant:
        owner, comment = params["owner"], params.get("comment") or ""
        for option, text, pattern in (("owner", owner, r'[^\s"|\\]+'), ("comment", comment, r'[^"|\\\n]*')):
            if not re.fullmatch(pattern, text):
                raise Invalid("%s: '%s' has a character that a rule's comment cannot carry here." % (option, text))
        # A published port's comment has the bridge as well.
        spare = len(MARK) + 1 + (INTERFACE_NAME_BYTES + 1 if params["type"] == "dnat" else 0)
        if len((owner + comment).encode()) > COMMENT_BYTES - spare:
            raise Invalid(
                "comment: owner and comment together are too long; nftables keeps %d bytes." % (COMMENT_BYTES - spare)
            )
        for option in _FOREIGN[params["type"]]:
            if params.get(option) not in (None, self.options[option].get("default")):
                raise Invalid("%s: it does not go with type: %s." % (option, params["type"]))
        if params["type"] == "filter":
            return isolation.parse(params, owner, comment)
        if params["type"] == "dnat":
            return port_mapping.parse(params, owner, comment)
        source = network(params["source"], "source")
        exclude = [network(one, "exclude") for one in params.get("exclude") or ()]
        for one in exclude:
            if one.version != source.version:
                raise Invalid("exclude: %s is not of the same address family as the source %s." % (one, source))
        to_address = ""
        if params["type"] == "masquerade" and params.get("to_address") is not None:
            raise Invalid(
                "to_address: it belongs to type: snat; masquerade takes the address of the interface that a packet leaves by."
            )
        if params["type"] == "snat":
            to = address(params["to_address"], "to_address")
            if to.version != source.version:
                raise Invalid("to_address: %s is not of the same address family as the source %s." % (to, source))
            to_address = str(to)
        out = params.get("out_interface") or ""
        if out:
            interface_name(out[1:] if out.startswith("!") else out, "out_interface")
        rule = NatRule(
            str(source),
            out,
            canonical_exclude(str(source), [str(one) for one in exclude]),
            to_address,
            owner,
            comment,
        )
        return Want(
            NsRef.parse(params.get("netns")),
            rule,
            params["state"] == "present",
            params["forward"],
            params["ip_forward"],
            params["backend"],
        )

    def together(self, wants: Sequence[AnyWant]) -> List[AnyWant]:
        """Tell each item what else of the task needs forwarding, and published ports about each other."""
        need: Dict[NsRef, Set[int]] = {}
        for want in wants:
            if want.present and want.ip_forward:
                need.setdefault(want.ns, set()).add(want.family)
        published = iter(port_mapping.together([want for want in wants if isinstance(want, port_mapping.Want)]))
        told = [next(published) if isinstance(want, port_mapping.Want) else want for want in wants]
        return [replace(want, needed=frozenset(need.get(want.ns, ()))) for want in told]

    def require(self, wants: Sequence[AnyWant], source: Any) -> None:
        for backend in {want.backend for want in wants}:
            coexistence.place(backend, source.firewalls())

    def subject(self, want: AnyWant) -> str:
        if isinstance(want, port_mapping.Want):
            return port_mapping.subject(want)
        if isinstance(want, isolation.Want):
            return isolation.subject(want)
        return "nat %s%s" % (want.rule.source, " in %s" % want.ns if want.ns.path else "")

    def look(self, want: AnyWant, state: State) -> AnyHave:
        ns = state.need(want.ns) if want.present else state.find(want.ns)
        if isinstance(want, port_mapping.Want):
            return port_mapping.Have() if ns is None else port_mapping.look(want, ns, state)
        if isinstance(want, isolation.Want):
            return isolation.Have() if ns is None else isolation.look(want, ns, state)
        return Have() if ns is None else self._look_rule(want, ns, state)

    def _look_rule(self, want: Want, ns: int, state: State) -> Have:
        place = coexistence.place(want.backend, walls(state).firewalls())
        elsewhere = coexistence.others_of(place, ns, state)
        tables = {where: walls(state).table(ns, where) for where in (place, *elsewhere)}
        found = {where: table.rules.get(want.rule.key) for where, table in tables.items()}
        left = {one for table in tables.values() for one in table.rules.values() if one.key != want.rule.key}
        old = [
            self._passage(one)
            for one in (*found.values(), want.rule)
            if one is not None
            and not any((it.source, it.out_interface) == (one.source, one.out_interface) for it in left)
        ]
        wanted = want.rule if want.present and want.forward else None
        bridge = want.rule.out_interface[1:] if want.rule.out_interface.startswith("!") else ""
        packet = Packet(want.family, saddr=want.rule.source, iifname=bridge, bridge=bridge)
        satisfied = want.rule.type == "masquerade" and not want.rule.exclude
        published = {family for table in tables.values() for family, count in table.families.items() if count}
        strangers = [one for table in tables.values() for one in table.held.strangers]
        return Have(
            place,
            found[place],
            tables[place].held,
            tuple(
                (where, rule, tables[where].held)
                for where, rule in found.items()
                if rule is not None and where != place
            ),
            frozenset({one.family for one in left} | published),
            satisfied_by(walls(state).others(ns), want.rule.source, want.rule.out_interface) if satisfied else "",
            coexistence.look([(self._passage(wanted), packet)] if wanted else [], old, place, ns, state),
            forwarding.look(ns, want.ns, want.family, want.ip_forward, state),
            tuple(where for where, table in tables.items() if table.only(rules=1)),
            (*_stranger_warnings(strangers), *coexistence.mixed(ns, state)),
        )

    @staticmethod
    def _passage(rule: NatRule) -> Passage:
        return Passage("out", rule.source, rule.family, rule.out_interface, rule.owner)

    def plan(self, want: AnyWant, have: AnyHave) -> Plan:
        if isinstance(want, port_mapping.Want) and isinstance(have, port_mapping.Have):
            return port_mapping.plan(want, have)
        if isinstance(want, isolation.Want) and isinstance(have, isolation.Have):
            return isolation.plan(want, have)
        if not isinstance(want, Want) or not isinstance(have, Have):
            raise TypeError("what there is, is no answer for what is wanted")
        return self._plan_rule(want, have)

    def _plan_rule(self, want: Want, have: Have) -> Plan:
        """Return what is to be done for a source NAT rule."""
        if not want.present:
            return self._absent(want, have)
        where, there = next(((one, rule) for one, rule, dummy in have.elsewhere), (have.place, want.rule))
        if have.rule is not None:
            where, there = have.place, have.rule
        known = have.rule is not None or bool(have.elsewhere)
        satisfied = "" if known else have.satisfied_by
        changes: List[Change] = []
        broken = have.place != NFTABLES and not have.held.whole("nat", want.family)
        if not satisfied and (have.rule != want.rule or broken):
            changes.append(PutRule(want.ns, want.rule, have.rule, have.place, have.held))
        changes += have.passing.changes(want.ns)
        changes += [DelRule(want.ns, rule, where in have.last, where, held) for where, rule, held in have.elsewhere]
        now = have.forwarding.describe()
        before = dict(self._describe(want, there, where), **now) if known or satisfied else {}
        changes.extend(have.forwarding.on())
        after = dict(self._describe(want, want.rule, have.place), **have.forwarding.describe(True))
        blocked = have.passing.blocked_by
        facts = {"satisfied_by": satisfied or None, "blocked_by": list(blocked)}
        warnings = have.passing.warning("Forwarded packets from %s are" % want.rule.source)
        return Plan(before, after, tuple(changes), (*have.warnings, *warnings), facts)

    def _absent(self, want: Want, have: Have) -> Plan:
        changes: List[Change] = list(have.passing.changes(want.ns))
        there = [(have.place, have.rule, have.held)] if have.rule is not None else []
        there += have.elsewhere
        before = dict(self._describe(want, there[0][1], there[0][0]), **have.forwarding.describe()) if there else {}
        changes += [DelRule(want.ns, rule, where in have.last, where, held) for where, rule, held in there]
        if want.family not in have.others_of | want.needed:
            off = have.forwarding.off()
            changes.extend(off)
            before = dict(before, **(have.forwarding.describe() if off else {}))
        return Plan(before, {}, tuple(changes), have.warnings, {"satisfied_by": None, "blocked_by": []})

    @staticmethod
    def _describe(want: Want, rule: NatRule, place: str) -> Dict[str, Any]:
        return {
            "type": rule.type,
            "source": rule.source,
            "netns": want.ns.option,
            "out_interface": rule.out_interface or None,
            "exclude": list(rule.exclude),
            "to_address": rule.to_address or None,
            "owner": rule.owner,
            "comment": rule.comment or None,
            "backend": place,
        }


def _stranger_warnings(strangers: Sequence[str]) -> Tuple[str, ...]:
    if not strangers:
        return ()
    return (
        "Among our rules are some without the mark of this collection (%s); they are left alone."
        % ", ".join(strangers),
    )


RESOURCE = NatResource()
