# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat: its options and its types, each of which is a file (`source_nat`, `port_mapping`, `isolation`,
`spoof_check`, `uplink`, `tunnel`). Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Dict, FrozenSet, Hashable, List, Mapping, Sequence, Set, Tuple, Union

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import OwnedRules
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import AUTO, CHOICES, required
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import (
    NOBODY,
    interface_name,
    owner_mark,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import (
    by_hand,
    fence,
    isolation,
    names,
    port_mapping,
    port_mapping_look,
    port_mapping_plan,
    source_nat,
    spoof_check,
    told,
    tunnel,
    uplink,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import Among, firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import (
    NETNS,
    STATE,
    Plan,
    Resource,
    Sides,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

if TYPE_CHECKING:
    from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ownership import Standing

AnyWant = Union[source_nat.Want, port_mapping.Want, isolation.Want, spoof_check.Want, uplink.Want, tunnel.Want]
AnyHave = Union[source_nat.Have, port_mapping_look.Have, isolation.Have, spoof_check.Have, uplink.Have, tunnel.Have]


@dataclass(frozen=True)
class Stays:
    """What is ``found`` of a rule that is to go with a bridge, and the ``standing`` of that, for which it stays."""

    found: AnyHave
    standing: Standing


@dataclass(frozen=True)
class Shared:
    """What is ``found`` of a network's rule that is to be another one, and the pairs of ours on its bridge that nobody lists,
    in a sentence."""

    found: AnyHave
    others: str


@dataclass(frozen=True)
class Beside:
    """What is ``found`` of a rule, and ``there``, where people put something among ours."""

    found: Union[AnyHave, Stays, Shared]
    there: Sequence[Among]


_RULE = {"source", "out_interface", "exclude", "to_address", "goes_with", "rewired", "listed"}
# The options that a type has for itself.
_OWN = {
    "masquerade": _RULE | {"exclusive"},  # to_address has a sentence of its own
    "snat": _RULE | {"exclusive"},
    "dnat": {
        "protocol",
        "host_ip",
        "host_port",
        "to_address",
        "to_port",
        "bridge",
        "exclusive",
        "shadow",
        "addresses",
        "vrf",
    },
    "filter": {"bridge", "isolate", "icc", "internal", "inside", "vrf", "goes_with", "rewired", "listed"},
    "spoof_check": {
        "interface",
        "mac",
        "peer_netns",
        "peer_name",
        "addresses",
        "pools",
        "exclude",
        "exclusive",
        "keep_held",
        "optional",
    },
    "uplink": {"interface", "gateways"},
    "tunnel": {"vni", "port", "peers", "exclusive"},
}
_OTHER_TYPES = {type_: sorted(set().union(*_OWN.values()) - own) for type_, own in _OWN.items()}


class NatResource(Resource[AnyWant, Union[AnyHave, Stays, Shared, Beside]]):
    noun = "nat"
    identity = ("source", "host_port", "bridge", "interface", "peer_netns", "vni", "owner")
    options: Dict[str, Any] = {
        "type": {
            "type": "str",
            "choices": ["masquerade", "snat", "dnat", "filter", "spoof_check", "uplink", "tunnel"],
            "default": "masquerade",
        },
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
        "by_hand": {"type": "str", "choices": [by_hand.KEEP, by_hand.REMOVE]},
        "shadow": {"type": "bool", "default": False},
        "addresses": {"type": "list", "elements": "str"},
        "vrf": {"type": "bool", "default": False},
        "isolate": {"type": "bool", "default": True},
        "icc": {"type": "bool", "default": True},
        "internal": {"type": "bool", "default": False},
        "inside": {
            "type": "list",
            "elements": "dict",
            "options": {
                "source": {"type": "str", "required": True},
                "interface": {"type": "str"},
                "only": {"type": "bool", "default": False},
                "direct_gateway": {"type": "str"},
            },
        },
        "interface": {"type": "str"},
        "mac": {"type": "str"},
        "peer_netns": {"type": "str"},
        "peer_name": {"type": "str", "default": "eth0"},
        "pools": {"type": "list", "elements": "str"},
        "optional": {"type": "bool", "default": False},
        "keep_held": {"type": "bool", "default": False},
        "gateways": {"type": "list", "elements": "str"},
        "vni": {"type": "int"},
        "port": {"type": "int", "default": tunnel.VXLAN_PORT},
        "peers": {"type": "list", "elements": "str"},
        "goes_with": {"type": "str"},
        "rewired": {"type": "list", "elements": "str"},
        "listed": {"type": "list", "elements": "str"},
        "owner": {"type": "str", "default": NOBODY},
        "comment": {"type": "str"},
        "forward": {"type": "bool", "default": True},
        "ip_forward": {"type": "bool", "default": True},
        "backend": {"type": "str", "choices": list(CHOICES), "default": AUTO},
    }
    rules = {
        "required_if": [["type", "snat", ["source", "to_address"]]],
    }

    def parse(self, params: Mapping[str, Any]) -> AnyWant:
        owner, comment = owner_mark(params["owner"]), params.get("comment") or ""
        names.commented(owner, comment, with_bridge=params["type"] in ("dnat", "uplink"))
        for option in _OTHER_TYPES[params["type"]]:
            if params.get(option) not in (None, self.options[option].get("default")):
                raise Invalid("%s: it does not go with type: %s." % (option, params["type"]))
        want = self._parsed(params, owner, comment)
        if by_hand.asked(params):
            want = replace(want, by_hand=True)
        if params.get("listed") is not None and isinstance(want, (isolation.Want, source_nat.Want)):
            want = replace(want, listed=frozenset(params["listed"]))
        if params.get("goes_with") is None or isinstance(want, port_mapping.Want):
            return want
        if want.present:
            raise Invalid("goes_with: it says when a rule goes, so it needs state: absent.")
        bridge = interface_name(params["goes_with"], "goes_with")
        return replace(want, goes_with=(bridge, frozenset(params.get("rewired") or ())))

    @staticmethod
    def _parsed(params: Mapping[str, Any], owner: str, comment: str) -> AnyWant:
        if params["type"] == "filter":
            return isolation.parse(params, owner, comment)
        if params["type"] == "dnat":
            return port_mapping.parse(params, owner, comment)
        if params["type"] == "spoof_check":
            return spoof_check.parse(params, owner, comment)
        if params["type"] == "uplink":
            return uplink.parse(params, owner, comment)
        if params["type"] == "tunnel":
            return tunnel.parse(params, owner, comment)
        return source_nat.parse(params, owner, comment)

    def identities(self, want: AnyWant) -> Sequence[Hashable]:
        """Published ports have a test of their own, since ranges of them overlap."""
        if isinstance(want, isolation.Want):
            return ((want.ns, want.isolation.bridge),)
        if isinstance(want, spoof_check.Want):
            return ((want.ns, "spoof_check", want.check.interface),) if want.check.interface else ()
        if isinstance(want, uplink.Want):
            return ((want.ns, "uplink", want.name),)
        if isinstance(want, tunnel.Want):
            return ((want.ns, "tunnel", *want.tunnel.key),) if want.tunnel else ()
        return ((want.ns, *want.rule.key),) if isinstance(want, source_nat.Want) else ()

    def together(self, wants: Sequence[AnyWant]) -> List[AnyWant]:
        """Tell each item what else of the task needs forwarding, what it is about, and rules of source NAT, and published ports, about each other."""
        need: Dict[NsRef, Set[int]] = {}
        named: Dict[NsRef, Set[fence.About]] = {}
        for want in wants:
            if want.present and want.ip_forward:
                families = want.forwards if isinstance(want, isolation.Want) else {want.family}
                need.setdefault(want.ns, set()).update(families)
            if want.present and not isinstance(want, (spoof_check.Want, uplink.Want, tunnel.Want)):
                named.setdefault(want.ns, set()).add(self._about(want))
        about = {ns: frozenset(rules) for ns, rules in named.items()}
        published = iter(port_mapping.together([want for want in wants if isinstance(want, port_mapping.Want)]))
        rules = iter(source_nat.together([want for want in wants if isinstance(want, source_nat.Want)]))
        checks = iter(spoof_check.together([want for want in wants if isinstance(want, spoof_check.Want)]))
        tunnels = iter(tunnel.together([want for want in wants if isinstance(want, tunnel.Want)]))
        found: List[AnyWant] = []
        for want in wants:
            if isinstance(want, port_mapping.Want):
                found.append(next(published))
            elif isinstance(want, spoof_check.Want):
                found.append(next(checks))
            elif isinstance(want, tunnel.Want):
                found.append(next(tunnels))
            else:
                found.append(next(rules) if isinstance(want, source_nat.Want) else want)
        needed = {ns: frozenset(families) for ns, families in need.items()}
        taking = by_hand.firsts([(want.ns, want.by_hand) for want in found])
        return [
            replace(want, needed=needed.get(want.ns, frozenset()), named=about.get(want.ns, frozenset()), by_hand=takes)
            for want, takes in zip(found, taking)
        ]

    @staticmethod
    def _about(want: Union[source_nat.Want, port_mapping.Want, isolation.Want]) -> fence.About:
        """Return what the rule of a want is about."""
        if isinstance(want, port_mapping.Want):
            return fence.about_mapping(want.mappings[0])
        if isinstance(want, isolation.Want):
            return fence.about_isolation(want.isolation)
        return fence.about_rule(want.rule)

    def resolved(self, want: AnyWant, state: State) -> AnyWant:
        """A rule is compared with the interface's own name: with an alternative one it would never match."""
        if isinstance(want, isolation.Want):
            return isolation.resolved(want, state)
        if isinstance(want, tunnel.Want):
            return want
        if isinstance(want, port_mapping.Want):
            named, option = want.bridge, "bridge"
        elif isinstance(want, spoof_check.Want):
            named, option = want.check.interface, "interface"
        elif isinstance(want, uplink.Want):
            named, option = want.name, "interface"
        else:
            named, option = want.rule.out_interface.lstrip("!"), "out_interface"
        own = state.own_name(want.ns, named) if named else named
        if named and want.present:
            interface_name(names.interface(own, option), option)
        if own == named:
            return want
        if isinstance(want, port_mapping.Want):
            mappings = tuple(replace(mapping, bridge=own) for mapping in want.mappings)
            return replace(want, bridge=own, mappings=mappings)
        if isinstance(want, spoof_check.Want):
            return replace(want, check=replace(want.check, interface=own))
        if isinstance(want, uplink.Want):
            return replace(want, name=own)
        sign = "!" if want.rule.out_interface.startswith("!") else ""
        return replace(want, rule=replace(want.rule, out_interface=sign + own))

    def require(self, wants: Sequence[AnyWant], source: Any) -> None:
        spare: List[AnyWant] = [want for want in wants if isinstance(want, uplink.Want) and not want.present]
        spare += [want for want in wants if isinstance(want, spoof_check.Want) and (want.optional or not want.present)]
        for option in {want.backend for want in wants if want not in spare}:
            required(option, source.backends(), source.version)

    def subject(self, want: AnyWant) -> str:
        if isinstance(want, port_mapping.Want):
            return port_mapping.subject(want)
        if isinstance(want, isolation.Want):
            return isolation.subject(want)
        if isinstance(want, spoof_check.Want):
            return spoof_check.subject(want)
        if isinstance(want, uplink.Want):
            return uplink.subject(want)
        if isinstance(want, tunnel.Want):
            return tunnel.subject(want)
        return source_nat.subject(want)

    def title(self, want: AnyWant) -> str:
        subject = self.subject(want)
        owner = want.rule.owner if isinstance(want, source_nat.Want) else ""
        if isinstance(want, spoof_check.Want):
            owner = want.check.owner
        elif isinstance(want, port_mapping.Want):
            owner = want.owner
        return subject if owner in ("", NOBODY) or subject.endswith("of " + owner) else "%s (of %s)" % (subject, owner)

    def effect(self, want: AnyWant, plan: Plan) -> Sides:
        return told.effect(_type(want), plan)

    def look(self, want: AnyWant, state: State) -> Union[AnyHave, Stays, Shared, Beside]:
        known, ns = firewalls(state), state.find(want.ns) or 0
        there = known.without_by_hand(ns) if want.by_hand else known.by_hand(ns)
        found = self._looked(want, state)
        return Beside(found, there) if there else found

    def _looked(self, want: AnyWant, state: State) -> Union[AnyHave, Stays, Shared]:
        found = self._found(want, state)
        if isinstance(want, (isolation.Want, source_nat.Want)) and want.listed is not None:
            planned = self._planned(want, found)
            if planned.changed and planned.before and planned.before != planned.after:
                return self._shared(want, found, want.listed, state)
        if isinstance(want, port_mapping.Want) or want.goes_with is None:
            return found
        # Here and not above: of use to few tasks.
        from ansible_collections.linuxnet.containers.plugins.module_utils._resources import ownership

        standing = ownership.standing_of(want.ns, *want.goes_with, state)
        return Stays(found, standing) if standing.stays else found

    @staticmethod
    def _shared(
        want: Union[isolation.Want, source_nat.Want], found: AnyHave, listed: FrozenSet[str], state: State
    ) -> Union[AnyHave, Shared]:
        # Here and not above: of use only where a network is changed.
        from ansible_collections.linuxnet.containers.plugins.module_utils._resources import ownership

        name = want.isolation.bridge if isinstance(want, isolation.Want) else want.rule.owner
        others = ownership.not_listed(want.ns, name, listed, state)
        return Shared(found, others) if others else found

    @staticmethod
    def _found(want: AnyWant, state: State) -> AnyHave:
        ns = state.need(want.ns) if want.present else state.find(want.ns)
        if isinstance(want, spoof_check.Want):
            return spoof_check.Have() if ns is None else spoof_check.look(want, ns, state)
        if isinstance(want, port_mapping.Want):
            return port_mapping_look.Have() if ns is None else port_mapping_look.look(want, ns, state)
        if isinstance(want, isolation.Want):
            return isolation.Have() if ns is None else isolation.look(want, ns, state)
        if isinstance(want, uplink.Want):
            return uplink.Have() if ns is None else uplink.look(want, ns, state)
        if isinstance(want, tunnel.Want):
            return tunnel.Have() if ns is None else tunnel.look(want, ns, state)
        return source_nat.Have() if ns is None else source_nat.look(want, ns, state)

    def plan(self, want: AnyWant, have: Union[AnyHave, Stays, Shared, Beside]) -> Plan:
        if isinstance(have, Beside):
            planned = self.plan(want, have.found)
            return (
                by_hand.taken_back(planned, want.ns, have.there) if want.by_hand else by_hand.told(planned, have.there)
            )
        if isinstance(have, Shared):
            there = self.plan(want, have.found)
            return replace(there, warnings=(*there.warnings, have.others))
        if isinstance(have, Stays) and not isinstance(want, port_mapping.Want):
            there = self.plan(want, have.found)
            # Of a bridge of ours it is said where that stays.
            text = "The rules for bridge '%s' stay, for there are containers on it that nothing here removes: %s."
            bridge = want.goes_with[0] if want.goes_with else ""
            said = () if have.standing.own or not there.before else (text % (bridge, have.standing.holders),)
            return Plan(there.before, there.before, warnings=said, extra=there.extra)
        if isinstance(have, Stays):
            raise TypeError("a published port goes with no bridge")
        found = told.enforced(_type(want), self._planned(want, have), *_owned(want, have))
        unread = have.coexistence.unread
        return replace(found, warnings=(*unread, *found.warnings)) if unread else found

    @staticmethod
    def _planned(want: AnyWant, have: AnyHave) -> Plan:
        if isinstance(want, port_mapping.Want) and isinstance(have, port_mapping_look.Have):
            return port_mapping_plan.plan(want, have)
        if isinstance(want, isolation.Want) and isinstance(have, isolation.Have):
            return isolation.plan(want, have)
        if isinstance(want, spoof_check.Want) and isinstance(have, spoof_check.Have):
            return spoof_check.plan(want, have)
        if isinstance(want, uplink.Want) and isinstance(have, uplink.Have):
            return uplink.plan(want, have)
        if isinstance(want, tunnel.Want) and isinstance(have, tunnel.Have):
            return tunnel.plan(want, have)
        if isinstance(want, source_nat.Want) and isinstance(have, source_nat.Have):
            return source_nat.plan(want, have)
        raise TypeError("what there is, is no answer for what is wanted")


def _type(want: AnyWant) -> str:
    """Return the option ``type`` of a want."""
    if isinstance(want, source_nat.Want):
        return want.rule.type
    modules = {
        "dnat": port_mapping,
        "filter": isolation,
        "spoof_check": spoof_check,
        "uplink": uplink,
        "tunnel": tunnel,
    }
    return next(name for name, module in modules.items() if isinstance(want, module.Want))


def _owned(want: AnyWant, have: AnyHave) -> Tuple[OwnedRules, int, str]:
    """Return what we own where a rule is to be, its address family, and that backend's name, ``""`` where it can be in one only."""
    if isinstance(have, port_mapping_look.Have):
        return have.here.owned, want.family, have.here.backend.name
    if isinstance(have, (spoof_check.Have, uplink.Have)):
        return have.owned, want.family, ""
    return have.owned, want.family, have.backend.name


RESOURCE = NatResource()
