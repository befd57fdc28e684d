# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, type dnat: what there is of a published port, in each backend, and what is in its way. Pure."""

from __future__ import annotations

import collections
import ipaddress
import itertools
from dataclasses import field, replace
from typing import TYPE_CHECKING, Dict, FrozenSet, Iterator, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Backend
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.index import RuleIndex
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    EVERYWHERE,
    FAMILIES,
    Allowance,
    OwnedRules,
    PortMapping,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import DEFAULT
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import APART
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import LoopbackGuards
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import (
    coexistence,
    conflicts,
    fence,
    forwarding,
    hairpins,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.coexistence import Coexistence, Needing
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.forwarding import Forwarding
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.names import interface
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.port_mapping import Want
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.leases import leases
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

if TYPE_CHECKING:
    from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.apart import Apart

ROUTE_LOCALNET = "net/ipv4/conf/%s/route_localnet"


@dataclass(frozen=True)
class There:
    """What is in one backend: ``mine`` of the owner's mappings is what the want is about, ``surplus`` what is not wanted besides,
    ``others`` of other owners what is in its way, ``stale`` those of them whose container is gone, or (``handed``) which their owners give up
    in the same task. ``behind``: how many mappings of all owners are behind each bridge, by (bridge, address family)."""

    backend: Backend = DEFAULT
    mine: Tuple[PortMapping, ...] = ()
    surplus: Tuple[PortMapping, ...] = ()
    others: Tuple[PortMapping, ...] = ()
    stale: Tuple[PortMapping, ...] = ()
    handed: Tuple[PortMapping, ...] = ()
    owned: OwnedRules = field(default_factory=OwnedRules)
    behind: Mapping[Tuple[str, int], int] = field(default_factory=dict, hash=False)
    last: bool = False  # we own nothing there but these
    hairpins_off: Tuple[
        Tuple[str, str], ...
    ] = ()  # notes of ports that nothing of ours is behind when what goes is gone


@dataclass(frozen=True)
class Have:
    """``here`` is the backend where the ports are to be, ``elsewhere`` the others. ``bridge`` is where the address is; ``port`` its
    port there, and whether that has hairpin; ``noted`` says that we switched it on: here, or (``noted_elsewhere``) in another backend or behind
    another bridge; ``localnet`` the bridge's route_localnet. ``straight`` are ports whose hairpin we switched on and that need it no more."""

    here: There = field(default_factory=There)
    elsewhere: Tuple[There, ...] = ()
    bridge: str = ""
    port: str = ""
    hairpin: bool = True
    noted: bool = False
    noted_elsewhere: bool = False
    straight: Tuple[str, ...] = ()
    localnet: Optional[str] = None
    coexistence: Coexistence = field(default_factory=Coexistence)
    forwarding: Tuple[Forwarding, ...] = ()
    families: FrozenSet[int] = frozenset()  # those that something else of ours is of
    # What keeps 127.0.0.0/8 to the host. It says as well that we switched route_localnet on, where the rules that note it were flushed.
    guards: LoopbackGuards = field(default_factory=LoopbackGuards)
    idle: Tuple[str, ...] = ()  # bridges with that, behind which nothing is published any more
    closable: Tuple[str, ...] = ()  # bridges whose route_localnet we switched on, and that have it yet
    use: conflicts.Use = field(default_factory=conflicts.Use)  # what else the ports are used for
    host_ip: str = ""  # what is the matter with the address to publish on: "broadcast", "nowhere", or nothing
    apart: Optional[Apart] = None  # what isolation of bridge ports needs
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
    known = firewalls(state)
    indexes = coexistence.indexes(want.backend, ns, state, (want.kind, want.family) if want.present else None)
    here, *others = [_there(want, index, ns, state) for index in indexes.values()]
    seen = want.present or any(there.mine or there.surplus or there.stale for there in (here, *others))
    unreadable = None if seen or DEFAULT not in known.available() else known.refusal(ns, DEFAULT)
    if unreadable is not None:  # what may be published there would outlive what it leads to
        raise unreadable
    going = collections.Counter(
        mapping.family for there in (here, *others) for mapping in (*there.mine, *there.surplus, *there.stale)
    )
    total: Dict[int, int] = collections.Counter()
    for index in indexes.values():
        for family, count in index.families.items():
            total[family] += count
    left = {family for family, count in total.items() if count > going[family]}
    left |= {family for index in indexes.values() for family, count in index.nat_families.items() if count}
    left |= {family for index in indexes.values() for family in index.forwards()}
    left |= {*FAMILIES} if known.unread(ns) else set()
    # One that goes may have been the last that needed it, or rules that needed it were taken out by hand.
    more = {*fence.families(indexes), *(family for family in FAMILIES if family not in left)}
    families = [*sorted(going), *sorted(more.difference(going))]
    if want.present:  # its own first
        families = [want.family, *sorted({*going, *fence.families(indexes)} - {want.family})]
    guards = state.loopback_guards(ns)
    noted = [name for index in indexes.values() for name in index.owned.localnet]
    switched = dict.fromkeys([*noted, *guards.all])
    have = Have(
        here,
        tuple(there for there in others if there.mine or there.surplus or there.others or there.stale),
        want.bridge,
        families=frozenset(left),
        guards=guards,
        idle=tuple(
            name
            for name in guards.all
            if name not in noted and not any(index.behind.get((name, 4)) for index in indexes.values())
        ),
        closable=tuple(
            name for name in switched if state.link(ns, name) and state.sysctl(ns, ROUTE_LOCALNET % name) == "1"
        ),
        besides=any(len(index.port_mappings) > len(index.of(want.owner)) for index in indexes.values()),
    )
    if want.present:
        met = [mapping for there in (here, *others) for mapping in (*there.mine, *there.others, *there.stale)]
        use = conflicts.look(want.mappings, met, want.shadow, ns, state)
        have = replace(_look_behind(want, have, ns, state), use=use, host_ip=_host_ip(want, ns, state))
    have = _look_at_port(want, have, indexes, ns, state)
    have = replace(have, coexistence=_look_in_the_way(want, have, indexes, ns, state))
    item = _item(want, have, indexes)
    return replace(
        have,
        forwarding=tuple(
            forwarding.look(ns, family, want.ip_forward, want.present and family == want.family, item, state)
            for family in families
        ),
    )


def _item(want: Want, have: Have, indexes: Mapping[Backend, RuleIndex]) -> fence.Item:
    """Return what the item does to what we own."""
    going = {there.backend: {*there.mine, *there.surplus, *there.stale} for there in have.everywhere}
    alone = [
        backend
        for backend, index in indexes.items()
        if index.only(
            port_mappings=len(going.get(backend, ())), allowances=have.coexistence.ended(backend), fences=True
        )
        and not (want.present and backend is have.here.backend)
    ]
    coming = (fence.about_mapping(replace(want.mappings[0], bridge=have.bridge)),) if want.present else ()
    gone = tuple(fence.about_mapping(mapping) for mappings in going.values() for mapping in mappings)
    return fence.Item(want.ns, indexes, have.here.backend, alone, want.named, coming, gone)


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
        index.behind,
        index.only(port_mappings=len({*mine, *surplus, *stale}), fences=want.ip_forward),
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


def _look_at_port(want: Want, have: Have, indexes: Mapping[Backend, RuleIndex], ns: int, state: State) -> Have:
    """Return what there is, with what is noted of hairpin, and of ports that a rule keeps apart."""
    wanted = {replace(mapping, bridge=have.bridge) for mapping in want.mappings} if want.present else set()
    going = {
        there.backend: [
            mapping
            for mapping in (*there.mine, *there.surplus, *there.stale)
            if there is not have.here or mapping not in wanted
        ]
        for there in have.everywhere
    }
    kept = have.bridge if want.present else ""
    have = replace(have, apart=_apart(want, have, going, indexes, ns, state))
    if not any(index.hairpins for index in indexes.values()):
        return have
    off = hairpins.unneeded(going, indexes, kept, ns, state)
    here = have.here.backend
    off[here] = tuple(note for note in off.get(here, ()) if note[0] != have.port)
    return replace(
        have,
        here=replace(have.here, hairpins_off=off[here]),
        elsewhere=tuple(replace(there, hairpins_off=off.get(there.backend, ())) for there in have.elsewhere),
        noted=indexes[here].hairpins.get(have.port) == have.bridge,
        noted_elsewhere=any(have.port in index.hairpins for index in indexes.values()),
        straight=hairpins.switched(off, indexes, have.port, ns, state),
    )


def _apart(
    want: Want,
    have: Have,
    going: Mapping[Backend, Sequence[PortMapping]],
    indexes: Mapping[Backend, RuleIndex],
    ns: int,
    state: State,
) -> Optional[Apart]:
    """Return what isolation of bridge ports needs, None where there is none."""
    port = state.link(ns, have.port) if have.port else None
    concerned = port is not None and (port.get("isolated") or port.get("alias") == APART)
    if not concerned and not any(index.apart for index in indexes.values()):
        return None
    # Here and not above: of use to few tasks.
    from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import apart

    leaving: Set[PortMapping] = {mapping for mappings in going.values() for mapping in mappings}
    return apart.look(port, have.bridge if want.present else "", want.backend, leaving, indexes, ns, state)


def _allowance(mapping: PortMapping) -> Allowance:
    """Return what has to be allowed for a port: all that is for published ports behind its bridge, or for its address."""
    where = ("in", mapping.bridge) if mapping.bridge else ("to", mapping.to)
    return Allowance(*where, family=mapping.family, owner=mapping.bridge or mapping.owner)


def _needing(mappings: Sequence[PortMapping], bridge: str, backend: Backend) -> Needing:
    first = replace(mappings[0], bridge=bridge)
    return Needing(_allowance(first), "coming", (mappings, bridge), backend)


def _is_forwarded(mapping: PortMapping) -> bool:
    """Return whether others ask for it than the host itself, which is all that can where it is published on the host's loopback only."""
    return not ipaddress.ip_network(mapping.host_ip).is_loopback


def _look_in_the_way(
    want: Want, have: Have, indexes: Mapping[Backend, RuleIndex], ns: int, state: State
) -> Coexistence:
    """Return what is in the way of what comes in: an allowance serves all that is published behind a bridge, or to an address that is behind none."""
    comes = want.present and want.forward and _is_forwarded(want.mappings[0])
    wanted = [_needing(want.mappings, have.bridge, have.here.backend)] if comes else []
    looked_at = {there.backend: {*there.mine, *there.surplus, *there.stale} for there in have.everywhere}
    old = dict.fromkeys(_allowance(mapping) for mappings in looked_at.values() for mapping in mappings)

    def beside(allowance: Allowance, before: Optional[Needing]) -> Iterator[Needing]:
        first = [(before.here, before.told[0][0])] if before is not None else []
        every = ((backend, mapping) for backend, index in indexes.items() for mapping in index.port_mappings)
        for backend, mapping in itertools.chain(first, every):
            served = allowance.name == (mapping.bridge or mapping.to) and allowance.family in (0, mapping.family)
            there = served and backend in indexes and mapping in indexes[backend].port_mappings
            if there and mapping not in looked_at.get(backend, ()) and _is_forwarded(mapping):
                yield _needing((mapping,), mapping.bridge, backend)

    return coexistence.look(wanted, [*old], want.backend, ns, state, beside)
