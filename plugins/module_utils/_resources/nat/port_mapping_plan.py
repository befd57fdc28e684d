# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, type dnat: what is to be done for a published port. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Backend
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    EVERYWHERE,
    PORTS,
    PortMapping,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import (
    AddLoopbackGuard,
    DelLoopbackGuard,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import SetPortMappings
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.coexistence import NOTHING
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.forwarding import (
    kept_or_taken_back,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.hairpins import notable
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.port_mapping import Want
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.port_mapping_look import (
    ROUTE_LOCALNET,
    Have,
    There,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan


def plan(want: Want, have: Have) -> Plan:
    """Return what is to be done for a dnat item. Raises `Refused` where another owner has the port."""
    at = next((there for there in have.everywhere if there.mine or there.surplus), have.here)
    before = _describe(want, at.mine, have.forwarding[0].describe(), at.backend) if at.mine else {}
    if at.surplus:
        before = dict(
            before, no_longer_published=["%s/%s" % (mapping.ports, mapping.protocol) for mapping in at.surplus]
        )
    handed = {mapping: None for there in have.everywhere for mapping in there.handed}
    stale = [mapping for there in have.everywhere for mapping in there.stale if mapping not in handed]
    for name, ports in (("of_gone_containers", stale), ("handed_over", list(handed))):
        if ports:
            gone = ["%s/%s of %s to %s" % (old.ports, old.protocol, old.owner, old.to) for old in ports]
            before = dict(before, **{name: gone})
    part = [] if want.exclusive else _partly(have.mine, want.mappings)
    if part:
        raise Refused(
            "host_port: '%s' has published %s port %s on %s already, of which this is a part; remove that first."
            % (want.owner, part[0].protocol, part[0].ports, part[0].host_ip)
        )
    if not want.present:
        return _absent(want, have, before)
    others = [mapping for there in have.everywhere for mapping in there.others]
    if others:
        other = others[0]
        text = "host_port: %s port %s is published already by '%s', to %s; remove that first, or take another port."
        if want.exclusive:  # as the role asks
            text = text[
                :-1
            ] + "; if '%s' is not listed any more, list it with state: absent, or set wiring_purge: true." % (
                other.owner.replace("%", "%%")
            )
        raise Refused(text % (other.protocol, other.ports, other.owner, other.to))
    if have.host_ip == "broadcast":
        raise Refused("host_ip: %s is the broadcast address of a network of the host." % want.mappings[0].host_ip)
    if have.use.taken:
        raise Refused(have.use.taken)
    mappings = tuple(replace(mapping, bridge=have.bridge) for mapping in want.mappings)
    changes = _published(want, have, mappings)
    changes += have.coexistence.changes(want.ns)
    changes += have.forwarding[0].on()
    changes += kept_or_taken_back(have.forwarding[1:], have.families | want.needed)
    changes += _moved_away(want, have)
    first = mappings[0]
    after = _describe(want, mappings, have.forwarding[0].describe(True), have.here.backend)
    warnings = [have.use.given] if have.use.given else []
    if have.host_ip:
        where = "the host" if want.ns == HOST else str(want.ns)
        warnings.append(
            "host_ip: no interface of %s has %s now; what is published on it is reached when one has."
            % (where, first.host_ip)
        )
    warnings += have.forwarding[0].fencing.warning()
    warnings += have.coexistence.warnings("Packets for the published ports of %s" % mappings[0].to)
    if have.apart is not None and have.apart.lacking:
        text = "What is published behind %s is not reached from other containers on %s: br_netfilter is on, and it is an isolated port; %s."
        warnings.append(text % (have.port, have.bridge, have.apart.lacking))
    facts = {"satisfied_by": None, **have.coexistence.facts}
    return Plan(before, after, tuple(changes), tuple(warnings), facts)


def _published(want: Want, have: Have, mappings: Sequence[PortMapping]) -> List[Change]:
    """Return the steps that publish ports where they are to be, with what the bridge and its port need for them."""
    changes: List[Change] = []
    here, kind = have.here, mappings[0].kind
    localhost = mappings[0].host_ip == EVERYWHERE[4] or mappings[0].host_ip.startswith("127.")
    opens = bool(have.bridge) and localhost and have.localnet == "0"
    bends = bool(have.port) and not have.hairpin and kind == PORTS  # in a VRF no container reaches its own port
    # Noted where it is on by us, or was when the ports were elsewhere.
    notes = (
        bool(have.port) and not have.noted and (bends or have.noted_elsewhere) and notable(have.port) and kind == PORTS
    )
    bent = ((have.port, have.bridge),) if notes else ()
    there, wanted = set(here.mine), set(mappings)
    new = tuple(mapping for mapping in mappings if mapping not in there)
    gone = tuple(mapping for mapping in (*here.mine, *here.surplus, *here.stale) if mapping not in wanted)
    # What was noted where the ports were before is noted where they are now.
    noted = {name for there in have.elsewhere for name in there.owned.localnet} - {*here.owned.localnet}
    guarded, localnet = have.bridge in have.guards.interfaces, have.bridge in here.owned.localnet
    opened = (have.bridge,) if not localnet and (opens or have.bridge in noted or (guarded and localhost)) else ()
    off = _no_longer_behind(here, gone, new)
    changes += [*_closed(want, have, off), *_straightened(want, have)]
    if new or gone or opened or bent or not here.owned.whole(kind, want.family):
        straight = here.hairpins_off
        changes.append(
            SetPortMappings(want.ns, new, gone, here.owned, False, opened, off, here.backend, bent, straight, kind)
        )
    changes += have.apart.changes(want.ns) if have.apart else []
    if bends:  # after its note
        changes.append(SetLink(want.ns, have.port, {"hairpin": True}, {"hairpin": False}, opens=True))
    if not guarded and localhost and (opened or localnet):
        changes.append(AddLoopbackGuard(want.ns, have.bridge, have.guards.behind))
    if opens:  # after the rules that let nobody else make use of it
        changes.append(SetSysctl(want.ns, ROUTE_LOCALNET % have.bridge, "1", "0", opens=True))
    return changes


def _straightened(want: Want, have: Have) -> List[Change]:
    """Return the steps that switch hairpin off again where we switched it on."""
    return [SetLink(want.ns, name, {"hairpin": False}, {"hairpin": True}) for name in have.straight]


def _no_longer_behind(there: There, gone: Sequence[PortMapping], new: Sequence[PortMapping] = ()) -> Tuple[str, ...]:
    """Return the bridges whose route_localnet we switched on, and behind which nothing is published over IPv4 any more when ``gone`` went and
    ``new`` came; none where nothing goes."""
    if not gone:
        return ()
    counts = {name: there.behind.get((name, 4), 0) for name in there.owned.localnet}
    for sign, mappings in ((-1, gone), (1, new)):
        for mapping in mappings:
            if mapping.family == 4 and mapping.bridge in counts:
                counts[mapping.bridge] += sign
    return tuple(name for name, count in counts.items() if count <= 0)


def _closed(want: Want, have: Have, bridges: Sequence[str]) -> List[Change]:
    """Return the steps that switch route_localnet of bridges off again, and then take away what kept others from making use of it."""
    return [
        *(SetSysctl(want.ns, ROUTE_LOCALNET % name, "0", "1") for name in bridges if name in have.closable),
        *(DelLoopbackGuard(want.ns, name) for name in bridges if name in have.guards.all),
    ]


def _partly(mine: Sequence[PortMapping], mappings: Sequence[PortMapping]) -> List[PortMapping]:
    """Return those of ``mine`` that are not wholly what the mappings are about."""
    spans: Dict[str, Tuple[int, int]] = {}
    for mapping in mappings:
        spans[mapping.host_ip] = (spans.get(mapping.host_ip, (mapping.first, 0))[0], mapping.last)
    whole = [(mapping, spans.get(mapping.host_ip, (1, 0))) for mapping in mine] if mappings else []
    return [mapping for mapping, (first, last) in whole if not (first <= mapping.first and mapping.last <= last)]


def _moved_away(want: Want, have: Have) -> List[Change]:
    """Return the steps that take the owner's mappings out of other backends."""
    changes: List[Change] = []
    for there in have.elsewhere:
        gone = (*there.mine, *there.surplus, *there.stale)
        if gone:
            off = _no_longer_behind(there, gone)
            changes += _closed(want, have, [name for name in off if name != have.bridge])
            changes.append(_ended(want, there, gone, off))
    return changes


def _ended(want: Want, there: There, gone: Tuple[PortMapping, ...], off: Tuple[str, ...]) -> Change:
    """Return the step that ends what is published in one backend."""
    return SetPortMappings(
        want.ns, (), gone, there.owned, there.last, (), off, there.backend, hairpins_off=there.hairpins_off
    )


def _absent(want: Want, have: Have, before: Dict[str, Any]) -> Plan:
    changes: List[Change] = [
        *have.coexistence.changes(want.ns),
        *_straightened(want, have),
    ]
    changes += have.apart.changes(want.ns) if have.apart else []
    needed = have.families | want.needed
    changes += kept_or_taken_back(have.forwarding, needed)
    for one in [one for one in have.forwarding if one.family not in needed]:
        before = dict(before, **(one.describe() if one.off() else {}))
    closed: Dict[str, None] = dict.fromkeys(have.idle)
    changes += _closed(want, have, have.idle)
    for there in have.everywhere:
        gone = tuple(dict.fromkeys((*there.mine, *there.surplus, *there.stale)))
        if gone:
            off = _no_longer_behind(there, gone)
            changes += _closed(want, have, [name for name in off if name not in closed])
            closed.update(dict.fromkeys(off))
            changes.append(_ended(want, there, gone, off))
    facts: Dict[str, Any] = {"satisfied_by": None, **NOTHING.facts}
    if not want.mappings:
        facts["published_besides"] = have.besides
    return Plan(before, {}, tuple(changes), (), facts)


def _describe(
    want: Want, mappings: Sequence[PortMapping], forwarding: Mapping[str, Any], backend: Backend
) -> Dict[str, Any]:
    """Return published ports as the result shows them."""
    first = mappings[0]
    goals = [(mapping.to_port or mapping.first, mapping.last - mapping.first) for mapping in mappings]
    return {
        "type": "dnat",
        "netns": want.ns.option,
        "protocol": first.protocol,
        "host_ip": None if first.host_ip == EVERYWHERE[first.family] else first.host_ip,
        "host_port": joined((mapping.first, mapping.last) for mapping in mappings),
        "to_address": ", ".join(dict.fromkeys(mapping.to for mapping in mappings)),
        "to_port": joined((port, port + more) for port, more in goals),
        "bridge": first.bridge or None,
        "owner": first.owner,
        "comment": first.comment or None,
        "backend": backend.name,
        **({"vrf": True} if first.vrf else {}),
        **forwarding,
    }


def joined(ranges: Any) -> str:
    """Return ports as a text, those that follow each other as a range."""
    merged: List[Tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and merged[-1][1] + 1 == first:
            merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return ", ".join(str(first) if first == last else "%d-%d" % (first, last) for first, last in merged)
