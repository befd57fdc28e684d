# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What we own in nftables, from the rule set in nft's JSON. Pure."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends import (
    nftables_by_hand,
    nftables_snat,
    nftables_spoofing,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_elements import (
    HAIRPIN,
    MAPS,
    TUNNEL_SETS,
    Addresses,
    bridge_of,
    frames_of,
    inside_of,
    inside_text,
    member,
    named,
    owner_of,
    pair,
    quoted,
    read_allowance,
    read_inside,
    read_mapping,
    read_tunnels,
    read_uplink,
    reserved,
    through,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_json import (
    Objects,
    comment_of,
    kind,
    listed,
    pairs,
    text_of,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_spoofing import (
    BridgeTable,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_static import (
    BRIDGE_TABLE,
    FENCE_SETS,
    INSIDE_SETS,
    IP,
    ISOLATION_SETS,
    RESERVED,
    STATIC,
    TABLE,
    VRF_INTERNAL,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_whole import found
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    CONFINED,
    FAMILIES,
    ISOLATION,
    MARK,
    NAT,
    PORTS,
    TUNNELS,
    Fence,
    Isolation,
    OwnedRules,
    PortMapping,
    Tunnel,
    bridges_of,
    confined,
    reclaimed,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass


@dataclass(frozen=True)
class NftRules(OwnedRules):
    """What we own in nftables. ``sets`` has the elements, as they are written but for comments, of each of the sets of isolation, ``loops`` those of
    that one, ``frames`` with comments those of each of the sets of tunnels. ``handles`` and ``remade`` are by kind what `nftables_whole` says;
    ``carried`` are the rules of somebody that are in chains which are made anew, as (chain, text). ``dormant``: nothing of the table is in force.
    ``bridge`` is what is in the other table."""

    sets: Mapping[str, Mapping[str, None]] = field(default_factory=dict, hash=False)
    loops: Tuple[str, ...] = ()
    frames: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)
    handles: Mapping[str, Sequence[Tuple[str, int]]] = field(default_factory=dict, hash=False)
    remade: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)
    carried: Tuple[Tuple[str, str], ...] = ()
    dormant: bool = False
    bridge: BridgeTable = field(default_factory=BridgeTable, hash=False)

    def anew(self, about: str, name: str) -> bool:
        """Return whether a set or a map of a kind is to be made anew, so that nothing that is in it counts."""
        return any(entry in ("set " + name, "map " + name) for entry in self.remade.get(about, ()))


def noted(owned: OwnedRules) -> NftRules:
    """Return owned rules with what is noted here besides, which is nothing for those that were not read here."""
    return owned if isinstance(owned, NftRules) else NftRules(**vars(owned))


def cleaned(there: NftRules) -> NftRules:
    """Return what is in our tables without what somebody put into them."""
    known = {quoted(isolation.bridge) for isolation in there.isolations}
    closed = {text: None for text in there.sets.get("closed", {}) if text in known}
    marked = ' comment "%s' % MARK
    return replace(
        reclaimed(there),
        sets={**there.sets, "closed": closed} if there.sets else {},
        frames={name: tuple(text for text in texts if marked in text) for name, texts in there.frames.items()},
        carried=(),
        bridge=nftables_spoofing.cleaned(there.bridge),
    )


def owned(objects: Objects, awake: bool = False) -> NftRules:
    """Return what is in our tables; ``awake``: as if that of what is forwarded were not dormant, whether it is or not."""
    sets: Dict[str, Sequence[Any]] = {}
    for what in ("map", "set"):
        for item in kind(objects, what):
            if nftables_snat.is_ours(item):
                sets[text_of(item.get("name"))] = listed(item.get("elem"))
    table, checked = found(objects, awake=awake), nftables_spoofing.read(objects)
    unmarked = [*nftables_by_hand.rules(table, TABLE), *nftables_by_hand.elements(sets)]
    mappings: List[PortMapping] = []
    addresses = Addresses()
    for name, elements in sets.items():
        for key, value in pairs(elements) if name.startswith(MAPS) else ():
            mapping = read_mapping(key, value, addresses, name.startswith(MAPS[True]))
            if mapping is not None:  # also somebody else's: a port is in use by it
                mappings.append(mapping)
            if mapping is None or not comment_of(key).startswith(MARK):
                unmarked.append(nftables_by_hand.element("map", name, key, value))
    hairpins = {
        bridge_of(item): comment_of(item)[len(HAIRPIN) :]
        for item in sets.get("localnet", ())
        if comment_of(item).startswith(HAIRPIN)
    }
    names = {name: dict.fromkeys(map(named, sets.get(name, ()))) for name in (*ISOLATION_SETS, RESERVED, VRF_INTERNAL)}
    insiders = {name: [read_inside(name, item) for item in sets.get(name, ())] for name in INSIDE_SETS}
    names.update((name, dict.fromkeys(inside_text(*one) for one in there if one)) for name, there in insiders.items())
    loops = tuple(map(named, sets.get("loops", ())))
    frames = {name: tuple(filter(None, (frames_of(name, one) for one in sets.get(name, ())))) for name in TUNNEL_SETS}
    tunnels = read_tunnels(frames)
    isolations = []
    for item in sets.get("closed", ()):
        bridge, comment = bridge_of(item), comment_of(item)
        if comment.startswith(MARK):
            icc, is_open = pair(bridge) in names["icc"], quoted(bridge) in names["open"]
            internal = quoted(bridge) in names["internal"]
            found_inside = _inside(bridge, insiders)
            vrf = internal and quoted(bridge) in names[VRF_INTERNAL]
            isolations.append(Isolation(bridge, not is_open, icc, internal, *owner_of(comment), *found_inside, vrf))
        else:
            unmarked.append(nftables_by_hand.element("set", "closed", item))
    fences = []
    for family, (ip, dummy) in IP.items():
        inside, spared = (tuple(map(bridge_of, sets.get("%s_%s" % (name, ip), ()))) for name in FENCE_SETS)
        fences += [Fence(family, tuple(sorted(inside)), tuple(sorted(spared)))] if inside else []
    broken = {*table.broken, *checked.found.broken, *_strange(names, loops, mappings, isolations)}
    # Of an element that we never write nobody can say how it is taken out.
    odd = ["set " + name for name, there in insiders.items() if None in there]
    broken.update([ISOLATION] if odd else ())
    remade = {**table.remade, ISOLATION: [*table.remade.get(ISOLATION, ()), *odd]} if odd else table.remade
    broken |= {TUNNELS} if _strange_frames(frames, tunnels) else set()
    broken |= {CONFINED} if {*names[VRF_INTERNAL]} != {*map(quoted, confined(isolations))} else set()
    return NftRules(
        nat_rules=tuple(nftables_snat.ours(objects)),
        port_mappings=tuple(mappings),
        isolations=tuple(isolations),
        allowances=tuple(read_allowance(key, value) for key, value in pairs(sets.get("marks"))),
        fences=tuple(fences),
        bridges=tuple(map(bridge_of, sets.get("loops", ()))),
        localnet=tuple(name for name in map(bridge_of, sets.get("localnet", ())) if name not in hairpins),
        hairpins=tuple(hairpins.items()),
        spoof_checks=tuple(nftables_spoofing.checks(checked)),
        apart=tuple(nftables_spoofing.apart(checked)),
        uplinks=tuple(
            read_uplink(family, key, value)
            for family, (ip, dummy) in IP.items()
            for key, value in pairs(sets.get("uplinks_" + ip))
        ),
        tunnels=tuple(tunnels),
        unmarked=tuple(unmarked),
        beside=(
            *nftables_by_hand.rules(checked.found, BRIDGE_TABLE),
            *nftables_by_hand.of_ports(nftables_spoofing.strangers(checked)),
        ),
        static=frozenset((about, family) for about in (NAT, *STATIC) if about not in broken for family in FAMILIES),
        sets=names,
        loops=loops,
        frames=frames,
        handles=table.handles,
        remade=remade,
        carried=table.carried,
        dormant=table.dormant,
        bridge=checked,
    )


def _inside(
    bridge: str, inside: Mapping[str, Sequence[Optional[Tuple[str, str, str]]]]
) -> Tuple[Tuple[Tuple[str, str], ...], Tuple[str, ...]]:
    """Return `Isolation.inside` and `Isolation.only` of a bridge, from the elements of the sets."""
    here = {name: [one[:2] for one in there if one and one[2] == bridge] for name, there in inside.items()}
    ways = {one for ip, dummy in IP.values() for one in here["inside_" + ip]}
    elsewhere = {source for dummy, source in ways}
    sources = {source for ip, dummy in IP.values() for dummy, source in here["insiders_" + ip]}
    own = {(bridge, source) for source in sources - elsewhere}
    return tuple(sorted(ways | own)), tuple(sorted(way for way, dummy in here["alone"]))


def _strange(
    names: Mapping[str, Mapping[str, None]],
    loops: Sequence[str],
    mappings: Sequence[PortMapping],
    isolations: Sequence[Isolation],
) -> List[str]:
    """Return the kinds in whose sets is something else than there is to be for what is owned."""
    strange = [] if set(loops) == set(map(pair, bridges_of(mappings))) else [PORTS]
    for name in ISOLATION_SETS[1:]:  # of the first nothing is known but what is in it
        known = {member(name, isolation.bridge) for isolation in isolations}
        strange += [] if known.issuperset(names[name]) else [ISOLATION]
    for name in INSIDE_SETS:
        wanted = {text for isolation in isolations for text in inside_of(isolation)[name]}
        strange += [] if wanted == set(names[name]) else [ISOLATION]
    strange += [] if reserved(isolations) == sorted(names[RESERVED]) else [ISOLATION]
    return strange


def _strange_frames(frames: Mapping[str, Sequence[str]], tunnels: Sequence[Tunnel]) -> bool:
    """Return whether in the sets of tunnels is something else than there is to be for what is owned."""
    return any(sorted(frames[name]) != sorted(wanted) for name, wanted in through(tunnels).items())
