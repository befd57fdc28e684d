# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, type filter: what is let through to a bridge. Pure."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Backend
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.index import RuleIndex
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    CONFINED,
    FAMILIES,
    ISOLATION,
    Allowance,
    Isolation,
    OwnedRules,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import DEFAULT
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import (
    IpNetwork,
    address,
    network,
    network_text,
    overlap,
    text,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import BRIDGE_NF_CALLS, interface_name
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import coexistence, fence, forwarding
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import SetIsolation
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.coexistence import Coexistence
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.fence import About, Fencing
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.forwarding import Forwarding
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.names import interface
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State


@dataclass(frozen=True)
class Want:
    """``family`` is there for those that are of one. ``kept``: what is inside is not said, and stays.
    ``direct``: what is inside behind a gateway, CIDR by CIDR: it comes by the interface on whose link that is, if it is on one, as well."""

    ns: NsRef
    isolation: Isolation
    present: bool = True
    forward: bool = True
    backend: str = "auto"
    kept: bool = False
    direct: Tuple[Tuple[str, str], ...] = ()  # (CIDR, gateway)
    family: int = 0
    ip_forward: bool = True
    by_hand: bool = False  # what people put among our rules goes
    needed: FrozenSet[int] = frozenset()
    named: FrozenSet[About] = field(default=frozenset(), compare=False)  # what all rules of the task are about
    goes_with: Optional[Tuple[str, FrozenSet[str]]] = (
        None  # the bridge for which it stays, and whose pairs there do not count
    )
    listed: Optional[FrozenSet[str]] = None  # see `ownership.not_listed`

    @property
    def forwards(self) -> FrozenSet[int]:
        """Return the address families of what is forwarded, since it is inside elsewhere."""
        behind = frozenset(6 if ":" in source else 4 for source, dummy in self.direct)
        return self.isolation.elsewhere | behind if self.present and self.ip_forward else frozenset()


@dataclass(frozen=True)
class Have:
    """``isolation`` of the bridge in ``backend``, where it is to be, and what else we own there (``owned``); ``elsewhere`` those in
    other backends. ``wanted``: how it is to be, where what is inside is not said. ``last``: the backends in which we own nothing else."""

    backend: Backend = DEFAULT
    isolation: Optional[Isolation] = None
    owned: OwnedRules = field(default_factory=OwnedRules)
    elsewhere: Tuple[Tuple[Backend, Isolation, OwnedRules], ...] = ()
    coexistence: Coexistence = field(default_factory=Coexistence)
    last: Tuple[Backend, ...] = ()
    closing: Tuple[Change, ...] = ()  # what closes ports that no rule keeps apart any more
    fencing: Tuple[Fencing, ...] = ()
    wanted: Optional[Isolation] = None
    forwarding: Tuple[Forwarding, ...] = ()
    families: FrozenSet[int] = frozenset()  # those of what else we own that needs forwarding


def parse(params: Mapping[str, Any], owner: str, comment: str) -> Want:
    """Return the want of a filter item. Raises `Invalid`."""
    if params.get("bridge") is None:
        raise Invalid("bridge is required with type: filter.")
    present = params["state"] == "present"
    bridge = interface(params["bridge"], "bridge", present)
    inside, only, direct = _inside(bridge, params.get("inside") or ()) if present else ((), (), ())
    vrf = params["internal"] and params["vrf"]
    isolation = Isolation(
        *(bridge, params["isolate"], params["icc"], params["internal"], owner, comment, inside, only), vrf=vrf
    )
    kept = present and params.get("inside") is None
    options = (params["forward"], params["backend"], kept, direct)
    return Want(NsRef.parse(params.get("netns")), isolation, present, *options, ip_forward=params["ip_forward"])


def _inside(
    bridge: str, entries: Sequence[Mapping[str, Any]]
) -> Tuple[Tuple[Tuple[str, str], ...], Tuple[str, ...], Tuple[Tuple[str, str], ...]]:
    """Return `Isolation.inside`, `Isolation.only` and `Want.direct` of the option ``inside``. Raises `Invalid`."""
    found: Dict[Tuple[str, str], IpNetwork] = {}
    only: Set[str] = set()
    direct: Dict[str, str] = {}
    for entry in entries:
        way = interface(entry.get("interface") or bridge, "inside: interface")
        net = network(entry["source"], "inside: source")
        source = network_text(net)
        if entry.get("direct_gateway"):
            gateway = address(entry["direct_gateway"], "inside: direct_gateway")
            if gateway.version != net.version:
                raise Invalid("inside: direct_gateway: %s is not of the same address family as %s." % (gateway, net))
            direct[source] = text(gateway)
            if way == bridge:  # by that way alone
                way = ""
        if net.prefixlen == 0:
            raise Invalid("inside: %s is everything; name the networks that are the same network elsewhere." % net)
        if (way, source) in found:
            raise Invalid("inside: %s by %s is asked for twice." % (net, way))
        found[way, source] = net
        if entry.get("only"):
            if way in ("", bridge):
                raise Invalid(
                    "inside: only: it is for the interface of a network elsewhere, not for the bridge itself."
                )
            only.add(way)
    _disjoint(bridge, found)
    return tuple(sorted(way for way in found if way[0])), tuple(sorted(only)), tuple(direct.items())


def _disjoint(bridge: str, ways: Mapping[Tuple[str, str], IpNetwork]) -> None:
    """Raise `Invalid` where a network is part of another one, or both here and elsewhere: nobody could tell by which way it comes."""
    both = overlap({source: net for (dummy, source), net in ways.items()}.values())
    if both is not None:
        raise Invalid("inside: %s and %s overlap." % tuple(map(network_text, both)))
    own = {source for way, source in ways if way == bridge}
    twice = next((source for way, source in ways if way != bridge and source in own), None)
    if twice is not None:
        raise Invalid("inside: %s is on %s itself, and not elsewhere." % (twice, bridge))


def subject(want: Want) -> str:
    """Return the object in a few words."""
    return "filter %s%s" % (want.isolation.bridge, " in %s" % want.ns if want.ns.path else "")


def resolved(want: Want, state: State) -> Want:
    """Return a want with the interfaces' own names in place of alternative ones, with which a rule would never match. Raises `Invalid`."""
    isolation = want.isolation
    if want.direct:
        isolation = replace(isolation, inside=_with_direct(want, state))
    named = {isolation.bridge: "bridge", **dict.fromkeys((way for way, dummy in isolation.inside), "inside: interface")}
    own = {name: state.own_name(want.ns, name) for name in named}
    for name, option in named.items() if want.present else ():
        interface_name(interface(own[name], option), option)
    if all(name == same for name, same in own.items()):
        return replace(want, isolation=isolation) if want.direct else want
    inside = tuple(sorted({(own[way], source) for way, source in isolation.inside}))
    only = tuple(sorted({own[way] for way in isolation.only}))
    return replace(want, isolation=replace(isolation, bridge=own[isolation.bridge], inside=inside, only=only))


def _with_direct(want: Want, state: State) -> Tuple[Tuple[str, str], ...]:
    """Return `Isolation.inside` with what comes straight from the link that its gateway is on, if it is on one."""
    # Here and not above: of use to few tasks.
    from ansible_collections.linuxnet.containers.plugins.module_utils._resources.way import on_link

    ns, found = state.find(want.ns), {*want.isolation.inside}
    if ns is None:
        return want.isolation.inside
    for source, gateway in want.direct:
        link = on_link(ns, gateway, state)
        found.update([(link.name, source)] if link is not None else [])
    return tuple(sorted(found))


def look(want: Want, ns: int, state: State) -> Have:
    """Return what there is in the namespace ``ns``. The bridge need not be there."""
    name = want.isolation.bridge
    indexes = coexistence.indexes(want.backend, ns, state, (ISOLATION, 0) if want.present else None)
    here = next(iter(indexes))
    # Where bridged packets are shown to iptables, foreign rules for what is forwarded stop neighbours from talking.
    families = [family for family, key in BRIDGE_NF_CALLS.items() if state.sysctl(ns, key) == "1"]
    talk = want.present and want.forward and want.isolation.icc
    wanted = [
        coexistence.Needing(Allowance("icc", name, family, "", want.isolation.owner), "talking", (name, family), here)
        for family in (families if talk else ())
    ]
    there = [index.isolations[name] for index in indexes.values() if name in index.isolations]
    isolation = want.isolation
    if want.kept and there:
        isolation = replace(isolation, inside=there[0].inside, only=there[0].only)
    old = [Allowance("icc", name, family) for family in BRIDGE_NF_CALLS]
    old += [_way(held, family, way) for held in there for family in FAMILIES for way in _ways(held, family)]
    for family in FAMILIES if want.present and want.forward else ():
        for way, source in _ways(isolation, family).items():
            allowance = _way(isolation, family, way)
            wanted.append(coexistence.Needing(allowance, "inside", (name, way, source), here))
    coexists = coexistence.look(wanted, old, want.backend, ns, state)
    closing: Sequence[Change] = ()
    if want.present and not want.isolation.icc:
        # Here and not above: of use to few tasks.
        from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import apart

        closing = apart.unguarded(name, ns, state).changes(want.ns)
    item = fence.Item(
        want.ns,
        indexes,
        here,
        [
            backend
            for backend, index in indexes.items()
            if index.only(isolations=name in index.isolations, allowances=coexists.ended(backend), fences=True)
            and not (want.present and backend is here)
        ],
        want.named,
        (fence.about_isolation(want.isolation),) if want.present else (),
        tuple(map(fence.about_isolation, there)),
    )
    forwards = want.forwards if isolation is want.isolation else isolation.elsewhere
    concerned = sorted({*forwards, *(family for one in there for family in one.elsewhere)})
    left = {family for index in indexes.values() for family in (*index.forwards(but=name), *_counted(index))}
    return Have(
        here,
        indexes[here].isolations.get(name),
        indexes[here].owned,
        tuple(
            (backend, index.isolations[name], index.owned)
            for backend, index in indexes.items()
            if backend is not here and name in index.isolations
        ),
        coexists,
        tuple(backend for backend, index in indexes.items() if index.only(isolations=1)),
        tuple(closing),
        tuple(one for one in fence.standing(item, ns, state) if one.family not in concerned),
        isolation,
        tuple(
            forwarding.look(ns, family, want.ip_forward, want.present and family in forwards, item, state)
            for family in concerned
        ),
        frozenset(left.union(FAMILIES if firewalls(state).unread(ns) else ())),
    )


def _counted(index: RuleIndex) -> List[int]:
    """Return the address families of ports and source NAT."""
    return [family for counts in (index.families, index.nat_families) for family, count in counts.items() if count]


def _ways(isolation: Isolation, family: int) -> Dict[str, str]:
    """Return the interfaces by which what is inside comes, each with one network of it."""
    return dict(isolation.ways(family))


def _way(isolation: Isolation, family: int, way: str) -> Allowance:
    return Allowance("way", isolation.bridge, family, way, isolation.owner)


def plan(want: Want, have: Have) -> Plan:
    """Return what is to be done. Raises `Refused` where another owner isolates the bridge."""
    want = replace(want, isolation=have.wanted or want.isolation)
    facts: Mapping[str, Any] = {"satisfied_by": None, **have.coexistence.facts}
    there = [(have.backend, have.isolation, have.owned)] if have.isolation is not None else []
    there += have.elsewhere
    if there and there[0][1].owner != want.isolation.owner:
        if not want.present:
            return Plan({}, {}, extra=facts)
        raise Refused(
            "bridge: %s is guarded already by '%s'; change it under that owner."
            % (want.isolation.bridge, there[0][1].owner)
        )
    before = _describe(want, there[0][1], there[0][0]) if there else {}
    changes: List[Change] = [*have.closing]
    whole = all(have.owned.whole(kind) for kind in ((ISOLATION, CONFINED) if want.isolation.vrf else (ISOLATION,)))
    if want.present and (have.isolation != want.isolation or not whole):
        changes.append(SetIsolation(want.ns, want.isolation, have.isolation, have.owned, backend=have.backend))
    changes += have.coexistence.changes(want.ns)
    for fencing in have.fencing:
        changes += fencing.up()
    on = [one for one in have.forwarding if want.present and one.family in want.isolation.elsewhere]
    changes += forwarding.switched_on(on)
    off = [one for one in have.forwarding if one not in on]
    changes += forwarding.kept_or_taken_back(off, have.families | want.needed)
    for backend, isolation, owned in there:
        if not want.present or backend is not have.backend:
            changes.append(SetIsolation(want.ns, None, isolation, owned, backend in have.last, backend))
    after = _describe(want, want.isolation, have.backend) if want.present else {}
    for side, switched in ((before, False), (after, True)):
        side.update(_forwarded(on, switched) if side else {})
    for one in off:
        before.update(one.describe() if one.family not in have.families | want.needed and one.off() else {})
    elsewhere = " and from the same network elsewhere" if want.isolation.inside else ""
    warnings = have.coexistence.warnings("Packets between the containers on %s%s" % (want.isolation.bridge, elsewhere))
    return Plan(before, after, tuple(changes), warnings, facts)


def _forwarded(forwardings: Sequence[Forwarding], switched: bool) -> Dict[str, Any]:
    """Return what the result says of forwarding, of all families at once."""
    described = [found for found in (one.describe(switched) for one in forwardings) if found]
    if not described:
        return {}
    files = [one.get("sysctl_file") for one in described]
    both = {name: all(one[name] for one in described) for name in ("ip_forward", "fenced")}
    return {**both, "sysctl_file": files[0] if all(files) else None}


def _describe(want: Want, isolation: Isolation, backend: Backend) -> Dict[str, Any]:
    return {
        "type": "filter",
        "netns": want.ns.option,
        "bridge": isolation.bridge,
        "isolate": isolation.isolate,
        "icc": isolation.icc,
        "internal": isolation.internal,
        "inside": [
            {"source": source, "interface": way, "only": way in isolation.only} for way, source in isolation.inside
        ],
        "owner": isolation.owner,
        "comment": isolation.comment or None,
        "backend": backend.name,
        **({"vrf": True} if isolation.vrf else {}),
    }
