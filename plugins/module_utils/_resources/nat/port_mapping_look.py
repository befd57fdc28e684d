# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, type dnat: what there is of a published port, in each backend, and what is in its way. Pure."""

from __future__ import annotations

import collections
import ipaddress
from dataclasses import field, replace
from typing import Dict, FrozenSet, List, Mapping, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Backend
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.index import RuleIndex
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    EVERYWHERE,
    Allowance,
    OwnedRules,
    PortMapping,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import DEFAULT
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import (
    coexistence,
    conflicts,
    forwarding,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.coexistence import Coexistence
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.forwarding import Forwarding
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.names import interface
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.port_mapping import Want
from ansible_collections.linuxnet.containers.plugins.module_utils._run.leases import leases
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

ROUTE_LOCALNET = "net/ipv4/conf/%s/route_localnet"


@dataclass(frozen=True)
class There:
    """What is in one backend: ``mine`` of the owner's mappings is what the want is about, ``surplus`` what is not wanted besides,
    ``others`` of other owners what is in its way, ``stale`` those of them whose container is gone, or (``handed``) which their owners give up
    in the same task. ``bridges``: how many mappings
    of all owners are behind each."""

    backend: Backend = DEFAULT
    mine: Tuple[PortMapping, ...] = ()
    surplus: Tuple[PortMapping, ...] = ()
    others: Tuple[PortMapping, ...] = ()
    stale: Tuple[PortMapping, ...] = ()
    handed: Tuple[PortMapping, ...] = ()
    owned: OwnedRules = field(default_factory=OwnedRules)
    bridges: Mapping[str, int] = field(default_factory=dict, hash=False)
    last: bool = False  # we own nothing there but these


@dataclass(frozen=True)
class Have:
    """``here`` is the backend where the ports are to be, ``elsewhere`` the others. ``bridge`` is where the address is; ``port`` its
    port there, and whether that has hairpin; ``localnet`` the bridge's route_localnet."""

    here: There = field(default_factory=There)
    elsewhere: Tuple[There, ...] = ()
    bridge: str = ""
    port: str = ""
    hairpin: bool = True
    localnet: Optional[str] = None
    coexistence: Coexistence = field(default_factory=Coexistence)
    forwarding: Tuple[Forwarding, ...] = ()
    families: FrozenSet[int] = frozenset()  # those that something else of ours is of
    closable: Tuple[str, ...] = ()  # bridges whose route_localnet we switched on, and that have it yet
    use: conflicts.Use = field(default_factory=conflicts.Use)  # what else the ports are used for
    host_ip: str = ""  # what is the matter with the address to publish on: "broadcast", "nowhere", or nothing
    besides: bool = False  # other owners have published something

    @property
    def everywhere(self) -> Tuple[There, ...]:
        return (self.here, *self.elsewhere)

    @property
    def mine(self) -> Tuple[PortMapping, ...]:
        """Return the owner's mappings, from the backend where they are to be, or else from where they are."""
        return next((there.mine for there in self.everywhere if there.mine), ())


def look(want: Want, ns: int, state: State) -> Have:
    """Return what there is of a dnat want in the namespace ``ns``."""
    indexes = coexistence.indexes(want.backend, ns, state)
    here, *others = [_there(want, index, ns, state) for index in indexes.values()]
    going = collections.Counter(
        mapping.family for there in (here, *others) for mapping in (*there.mine, *there.surplus, *there.stale)
    )
    total: Dict[int, int] = collections.Counter()
    for index in indexes.values():
        for family, count in index.families.items():
            total[family] += count
    left = {family for family, count in total.items() if count > going[family]}
    left |= {family for index in indexes.values() for family, count in index.nat_families.items() if count}
    families = sorted(going)
    if want.present:  # its own first
        families = [want.family, *(family for family in families if family != want.family)]
    switched = dict.fromkeys(name for index in indexes.values() for name in index.owned.localnet)
    have = Have(
        here,
        tuple(there for there in others if there.mine or there.surplus or there.others or there.stale),
        want.bridge,
        forwarding=tuple(forwarding.look(ns, want.ns, family, want.ip_forward, state) for family in families),
        families=frozenset(left),
        closable=tuple(
            name for name in switched if state.link(ns, name) and state.sysctl(ns, ROUTE_LOCALNET % name) == "1"
        ),
        besides=any(len(index.port_mappings) > len(index.of(want.owner)) for index in indexes.values()),
    )
    if want.present:
        met = [mapping for there in (here, *others) for mapping in (*there.mine, *there.others, *there.stale)]
        use = conflicts.look(want.mappings, met, want.shadow, ns, state)
        have = replace(_look_behind(want, have, ns, state), use=use, host_ip=_host_ip(want, ns, state))
    return replace(have, coexistence=_look_in_the_way(want, have, indexes, ns, state))


def _host_ip(want: Want, ns: int, state: State) -> str:
    """Return what is the matter with the one address that a port is to be published on."""
    if want.mappings[0].host_ip == EVERYWHERE[want.family]:
        return ""
    host = ipaddress.ip_address(want.mappings[0].host_ip)
    if host.is_loopback:
        return ""
    there = [address for dummy, address in state.addresses(ns)]
    if any(address.parsed == host for address in there):
        return ""
    nets = [address.network for address in there if address.family == 4 == host.version]
    return "broadcast" if any(net.prefixlen < 31 and net.broadcast_address == host for net in nets) else "nowhere"


def _there(want: Want, index: RuleIndex, ns: int, state: State) -> There:
    """Return what is in one backend."""
    met: Dict[PortMapping, None] = {}
    for mapping in want.mappings:
        met.update(dict.fromkeys(index.overlapping(mapping)))
    mine = [mapping for mapping in met if mapping.owner == want.owner] if want.mappings else index.of(want.owner)
    known = set(mine)
    beside = index.surplus(want.owner, want.keep) if want.exclusive else []
    surplus = [mapping for mapping in beside if mapping not in known]
    others = [mapping for mapping in met if mapping.owner != want.owner]
    giving = want.leaving if want.present else {}
    handed = {one: None for one in others if one.owner in giving and giving[one.owner].has(one)}
    kept = [mapping for mapping in others if mapping not in handed]
    stale = {**handed, **conflicts.abandoned(kept, ns, state)} if want.present else {}
    stale.update(conflicts.inherited([one for ip in want.addresses for one in index.leading_to(ip)], want.owner, state))
    return There(
        index.backend,
        tuple(mine),
        tuple(surplus),
        tuple(mapping for mapping in others if mapping not in stale),
        tuple(stale),
        tuple(handed),
        index.owned,
        index.bridges,
        index.only(port_mappings=len({*mine, *surplus, *stale})),
    )


def _look_behind(want: Want, have: Have, ns: int, state: State) -> Have:
    """Return what there is, with the bridge that the container is behind and its port there. Raises `Refused`."""
    to = ipaddress.ip_address(want.mappings[0].to)
    bridge = want.bridge
    if not bridge:
        link = conflicts.connected(str(to), ns, state)
        bridge = interface(link.name, "bridge") if link is not None and link.kind == "bridge" else ""
    if not bridge:
        return have
    link = state.need_link(ns, want.ns, bridge, "bridge", "bridge")
    holder = leases(state).taken(ns, bridge, link).get(to)
    port = state.link_at(ns, holder.port) if holder is not None and holder.port else None
    key = ROUTE_LOCALNET % bridge
    return replace(
        have,
        bridge=bridge,
        port=port.name if port else "",
        hairpin=bool(port.get("hairpin")) if port else True,
        localnet=(state.sysctl(ns, key) if link.index > 0 else "0") if want.family == 4 else None,
    )


def _allowance(mapping: PortMapping) -> Allowance:
    """Return what has to be allowed for a port: all that is for published ports behind its bridge, or for its address."""
    where = ("in", mapping.bridge) if mapping.bridge else ("to", mapping.to)
    return Allowance(*where, family=mapping.family, owner=mapping.bridge or mapping.owner)


def _look_in_the_way(
    want: Want, have: Have, indexes: Mapping[Backend, RuleIndex], ns: int, state: State
) -> Coexistence:
    """Return what is in the way of what comes in: an allowance a bridge and family, as long as ports of it are behind the bridge."""
    wanted = []
    first = want.mappings[0] if want.present and want.forward else None
    # What is published on the host's loopback only is asked for by the host itself, and is not forwarded.
    if first is not None and not ipaddress.ip_network(first.host_ip).is_loopback:
        wanted = [(_allowance(replace(first, bridge=have.bridge)), ("coming", (want.mappings, have.bridge)))]
    old: List[Allowance] = []
    for there in have.everywhere:
        behind = indexes[there.backend].behind
        going = collections.Counter(_allowance(mapping) for mapping in (*there.mine, *there.surplus, *there.stale))
        old += [allowance for allowance, count in going.items() if behind[allowance.name, allowance.family] <= count]
    return coexistence.look(wanted, old, have.here.backend, want.backend, ns, state)
