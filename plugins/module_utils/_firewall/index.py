# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules that we own in one rule set, looked up in many ways, and moved on by edits. Pure."""

from __future__ import annotations

import collections
from dataclasses import replace
from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Backend
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    ALLOWANCES,
    CONFINED,
    FAMILIES,
    FENCES,
    ISOLATION,
    NAT,
    PORTS,
    SPOOFING,
    TUNNELS,
    UPLINKS,
    VRFS,
    Allowance,
    Edit,
    Fence,
    Isolation,
    NatRule,
    OwnedRules,
    PortMapping,
    SpoofCheck,
    Tunnel,
    Uplink,
    confined,
)

Identities = FrozenSet[Tuple[int, str, str, str, bool]]  # of port mappings
_BLOCK = 8  # bits: 256 ports a block


def _blocks(mapping: PortMapping) -> Iterable[int]:
    """Return the numbers of the blocks of ports that a mapping has part of."""
    return range(mapping.first >> _BLOCK, (mapping.last >> _BLOCK) + 1)


class RuleIndex:
    """What we own in the rule set of one backend and namespace: port mappings, found by port and by owner, and counted; source NAT
    rules, isolated bridges, allowances, fences, uplinks, tunnels, and checks of ports, each by its key.

    An edit takes the time of what it changes, not of what there is.
    """

    def __init__(self, backend: Backend, owned: OwnedRules) -> None:
        self.backend = backend
        self.owned = owned  # as it is now, but for what there may be much of, port mappings, NAT rules and checks: those are the dictionaries here
        self.nat_rules: Dict[Tuple[str, str], NatRule] = {rule.key: rule for rule in owned.nat_rules}
        self.isolations: Dict[str, Isolation] = {isolation.bridge: isolation for isolation in owned.isolations}
        # Isolated bridges by the address family of what is inside elsewhere.
        self._elsewhere = collections.Counter(family for one in owned.isolations for family in one.elsewhere)
        self.allowances: Dict[Tuple[str, str, int, str], Allowance] = {
            allowance.key: allowance for allowance in owned.allowances
        }
        self.hairpins: Dict[str, str] = dict(
            owned.hairpins
        )  # ports whose hairpin we switched on, with the bridge of each
        self.apart: Dict[str, str] = dict(
            owned.apart
        )  # ports that a rule keeps from the others, with the bridge of each
        self.fences: Dict[int, Fence] = {fence.family: fence for fence in owned.fences}
        self.uplinks: Dict[Tuple[int, str], Uplink] = {uplink.key: uplink for uplink in owned.uplinks}
        self.tunnels: Dict[Tuple[int, int], Tunnel] = {tunnel.key: tunnel for tunnel in owned.tunnels}
        self.spoof_checks: Dict[str, SpoofCheck] = {}  # by port
        self._checks_by_owner: Dict[str, Dict[str, SpoofCheck]] = collections.defaultdict(dict)
        self._ports_of: Dict[str, Dict[str, None]] = collections.defaultdict(
            dict
        )  # by an address that they let through
        self.port_mappings: Dict[PortMapping, None] = {}
        self.families: Dict[int, int] = collections.Counter()  # port mappings by address family
        self._kinds: Dict[Tuple[str, int], int] = collections.Counter()  # and by what they are with it
        self.bridges: Dict[str, int] = collections.Counter()  # and by bridge
        self._in_use: Dict[str, None] = {}  # the bridges that have any
        # And by bridge, or the address where there is none, and family.
        self.behind: Dict[Tuple[str, int], int] = collections.Counter()
        self.nat_families: Dict[int, int] = collections.Counter()  # source NAT rules by address family
        self._nat_by_owner: Dict[str, Dict[Tuple[str, str], NatRule]] = collections.defaultdict(dict)
        self.ways_out: Dict[Tuple[str, str], int] = collections.Counter()  # and by source and interface
        self._by_owner: Dict[str, Dict[PortMapping, None]] = collections.defaultdict(dict)
        self._by_goal: Dict[str, Dict[PortMapping, None]] = collections.defaultdict(
            dict
        )  # by the address that they lead to
        self._by_port: Dict[Tuple[str, int], Dict[PortMapping, None]] = collections.defaultdict(dict)
        # Ranges of ports, by protocol and each block of ports that they have part of.
        self._ranges: Dict[Tuple[str, int], Dict[PortMapping, None]] = collections.defaultdict(dict)
        self._allowed = collections.Counter(allowance.family for allowance in owned.allowances)
        self._surplus: Dict[str, Tuple[Identities, Dict[PortMapping, None]]] = {}
        for rule in self.nat_rules.values():
            self._put_rule(rule)
        for mapping in owned.port_mappings:
            self._put(mapping)
        for check in owned.spoof_checks:
            self._put_check(check)

    def _homes(self, mapping: PortMapping) -> List[Dict[PortMapping, None]]:
        by_port = [self._by_port[mapping.protocol, mapping.first]]
        if mapping.first != mapping.last:
            by_port = [self._ranges[mapping.protocol, block] for block in _blocks(mapping)]
        return [self.port_mappings, self._by_owner[mapping.owner], self._by_goal[mapping.to], *by_port]

    def _put(self, mapping: PortMapping) -> None:
        if mapping in self.port_mappings:
            return
        for home in self._homes(mapping):
            home[mapping] = None
        self._count(mapping, 1)
        keep, surplus = self._surplus.get(mapping.owner, (frozenset(), None))
        if surplus is not None and mapping.identity not in keep:
            surplus[mapping] = None

    def _count(self, mapping: PortMapping, number: int) -> None:
        self.families[mapping.family] += number
        self._kinds[mapping.kind, mapping.family] += number
        if mapping.vrf:
            return
        self.bridges[mapping.bridge] += number
        if not self.bridges[mapping.bridge]:
            self._in_use.pop(mapping.bridge, None)
        elif mapping.bridge:
            self._in_use[mapping.bridge] = None
        self.behind[mapping.bridge or mapping.to, mapping.family] += number

    def _put_rule(self, rule: NatRule) -> None:
        self._nat_by_owner[rule.owner][rule.key] = rule
        self._count_rule(rule, 1)

    def _count_rule(self, rule: NatRule, number: int) -> None:
        self.nat_families[rule.family] += number
        self.ways_out[rule.source, rule.out_interface] += number

    def _put_check(self, check: SpoofCheck) -> None:
        self._drop_check(check.interface)
        self.spoof_checks[check.interface] = self._checks_by_owner[check.owner][check.interface] = check
        for address in check.addresses:
            self._ports_of[address][check.interface] = None

    def _drop_check(self, port: str) -> None:
        gone = self.spoof_checks.pop(port, None)
        if gone is not None:
            del self._checks_by_owner[gone.owner][port]
            for address in gone.addresses:
                del self._ports_of[address][port]

    def _unisolate(self, bridge: str) -> None:
        gone = self.isolations.pop(bridge, None)
        self._elsewhere.subtract(gone.elsewhere if gone is not None else ())

    def only(
        self,
        nat_rules: int = 0,
        port_mappings: int = 0,
        isolations: int = 0,
        allowances: int = 0,
        fences: bool = False,
        uplinks: int = 0,
        tunnels: int = 0,
    ) -> bool:
        """Return whether nothing is owned but so many of each, and ``fences`` if that is said: whether all goes with them. Checks of ports do not
        count, see `OwnedRules.empty`."""
        if self.owned.unmarked or (self.fences and not fences):
            return False
        return (tunnels, uplinks, nat_rules, port_mappings, isolations, allowances) == (
            len(self.tunnels),
            len(self.uplinks),
            len(self.nat_rules),
            len(self.port_mappings),
            len(self.isolations),
            len(self.allowances),
        )

    def forwards(self, but: str = "") -> Set[int]:
        """Return the address families of what is inside elsewhere, of all isolated bridges ``but`` one: it is forwarded."""
        own = self.isolations[but].elsewhere if but in self.isolations else ()
        return {family for family, count in self._elsewhere.items() if count > (family in own)}

    def nat_of(self, owner: str) -> List[NatRule]:
        """Return the source NAT rules of an owner."""
        return list(self._nat_by_owner.get(owner, {}).values())

    def checks_of(self, owner: str) -> List[SpoofCheck]:
        """Return the checks of an owner's ports."""
        return list(self._checks_by_owner.get(owner, {}).values())

    def ports_letting(self, address: str) -> List[str]:
        """Return the checked ports that let an address through."""
        return list(self._ports_of.get(address, ()))

    def of(self, owner: str) -> List[PortMapping]:
        """Return what an owner has published."""
        return list(self._by_owner[owner])

    def leading_to(self, address: str) -> List[PortMapping]:
        """Return what is published to an address."""
        return list(self._by_goal.get(address, ()))

    def surplus(self, owner: str, keep: Identities) -> List[PortMapping]:
        """Return what an owner has published besides what is to be kept. Asked again with the same ``keep`` it takes no time."""
        known = self._surplus.get(owner)
        if known is None or known[0] is not keep:
            beside = {mapping: None for mapping in self._by_owner[owner] if mapping.identity not in keep}
            known = self._surplus[owner] = (keep, beside)
        return list(known[1])

    def overlapping(self, mapping: PortMapping) -> List[PortMapping]:
        """Return those that a packet for ``mapping`` could meet."""
        near: Iterable[PortMapping] = self.port_mappings
        if mapping.last - mapping.first < len(self.port_mappings):
            numbers = range(mapping.first, mapping.last + 1)
            homes = [self._by_port.get((mapping.protocol, number), {}) for number in numbers]
            homes += [self._ranges.get((mapping.protocol, block), {}) for block in _blocks(mapping)]
            near = dict.fromkeys(one for home in homes for one in home)
        return [other for other in near if other.overlaps(mapping)]

    def advance(self, edit: Edit) -> None:
        """Take an edit as done."""
        if edit.reclaim:
            edit = self._reclaiming(edit)
        for rule in edit.put:
            old = self.nat_rules.get(rule.key)
            if old is not None:
                self._count_rule(old, -1)
            self.nat_rules[rule.key] = replace(rule, handles=old.handles) if old else rule
            self._put_rule(self.nat_rules[rule.key])
        for key in edit.drop:
            gone = self.nat_rules.pop(key, None)
            if gone is not None:
                self._count_rule(gone, -1)
                del self._nat_by_owner[gone.owner][key]
        for mapping in edit.unpublish:
            if mapping in self.port_mappings:
                for home in self._homes(mapping):
                    del home[mapping]
                self._count(mapping, -1)
                self._surplus.get(mapping.owner, (None, {}))[1].pop(mapping, None)
        for mapping in edit.publish:
            self._put(mapping)
        for port, dummy in edit.hairpins_off:
            self.hairpins.pop(port, None)
        self.hairpins.update(edit.hairpins_on)
        for port, dummy in edit.apart_off:
            self.apart.pop(port, None)
        self.apart.update(edit.apart_on)
        for isolation in edit.isolate:
            self._unisolate(isolation.bridge)
            self.isolations[isolation.bridge] = isolation
            self._elsewhere.update(isolation.elsewhere)
        for bridge in edit.unisolate:
            self._unisolate(bridge)
        for allowance in edit.allow:
            self._allowed[allowance.family] += allowance.key not in self.allowances
            self.allowances[allowance.key] = allowance
        for allowance in edit.disallow:
            self._allowed[allowance.family] -= allowance.key in self.allowances
            self.allowances.pop(allowance.key, None)
        self.fences.update((fence.family, fence) for fence in edit.fence)
        for family in edit.unfence:
            self.fences.pop(family, None)
        for uplink_key in edit.unanswer:
            self.uplinks.pop(uplink_key, None)
        self.uplinks.update((uplink.key, uplink) for uplink in edit.answer)
        for tunnel_key in edit.unadmit:
            self.tunnels.pop(tunnel_key, None)
        self.tunnels.update((tunnel.key, tunnel) for tunnel in edit.admit)
        for check in edit.check:
            self._put_check(check)
        for port in edit.uncheck:
            self._drop_check(port)
        self._move_on(edit)

    def _reclaiming(self, edit: Edit) -> Edit:
        """Return an edit that takes back what somebody put among ours, with what of that is counted among it: what has no owner."""
        return replace(
            edit,
            unpublish=(*edit.unpublish, *self.of("")),
            disallow=(*edit.disallow, *(one for one in self.allowances.values() if not one.owner)),
            uncheck=(*edit.uncheck, *(check.interface for check in self.checks_of(""))),
            apart_off=(*edit.apart_off, *(note for note in self.apart.items() if not note[1])),
            unanswer=(*edit.unanswer, *(uplink.key for uplink in self.uplinks.values() if not uplink.owner)),
            unadmit=(*edit.unadmit, *(tunnel.key for tunnel in self.tunnels.values() if not tunnel.owner)),
        )

    def _move_on(self, edit: Edit) -> None:
        """Have `owned` say what it is after an edit."""
        changed: Dict[str, Any] = {"unmarked": (), "beside": ()} if edit.reclaim else {}
        if edit.isolate or edit.unisolate:
            changed["isolations"] = tuple(self.isolations.values())
        if edit.allow or edit.disallow:
            changed["allowances"] = tuple(self.allowances.values())
        if edit.fence or edit.unfence:
            changed["fences"] = tuple(self.fences.values())
        if edit.answer or edit.unanswer:
            changed["uplinks"] = tuple(self.uplinks.values())
        if edit.admit or edit.unadmit:
            changed["tunnels"] = tuple(self.tunnels.values())
        if edit.publish or edit.unpublish:
            changed["bridges"] = tuple(self._in_use)
        if edit.hairpins_on or edit.hairpins_off:
            changed["hairpins"] = tuple(self.hairpins.items())
        if edit.apart_on or edit.apart_off:
            changed["apart"] = tuple(self.apart.items())
        if edit.localnet_on or edit.localnet_off:
            kept = [bridge for bridge in self.owned.localnet if bridge not in edit.localnet_off]
            changed["localnet"] = tuple(dict.fromkeys([*kept, *edit.localnet_on]))
        self.owned = self.backend.moved_on(replace(self.owned, **changed), edit, self._kept(edit))

    def _kept(self, edit: Edit) -> Mapping[str, Set[int]]:
        """Return of each kind the address families of what is owned; of allowances only where an edit is about what calls them, and of what is confined only
        where it is about that."""
        asked = {ALLOWANCES, ISOLATION, FENCES}.intersection(edit.kinds)
        allowed = {family for family, count in self._allowed.items() if count} if asked else set()
        published = {kind: {family for family in FAMILIES if self._kinds[kind, family]} for kind in (PORTS, VRFS)}
        return {
            NAT: {family for family, count in self.nat_families.items() if count},
            PORTS: published[PORTS],
            ISOLATION: set(FAMILIES) if self.isolations else set(),
            VRFS: published[VRFS],
            CONFINED: set(FAMILIES) if CONFINED in edit.kinds and confined(self.isolations.values()) else set(),
            ALLOWANCES: set(FAMILIES) if 0 in allowed else allowed,  # 0: of both
            FENCES: set(self.fences),
            UPLINKS: {family for family, dummy in self.uplinks},
            TUNNELS: set(FAMILIES) if self.tunnels else set(),
            SPOOFING: set(FAMILIES) if self.spoof_checks or self.apart else set(),
        }
