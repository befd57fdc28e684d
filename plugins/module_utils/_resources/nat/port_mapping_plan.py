# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, type dnat: what is to be done for a published port. Pure."""

from __future__ import annotations

import collections
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
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import SetPortMappings
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.coexistence import NOTHING
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.forwarding import (
    Forwarding,
    taken_back,
)
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
    changes += _moved_away(want, have)
    changes.extend(have.forwarding[0].on())
    changes += _not_needed(want, have.forwarding[1:], have)
    first = mappings[0]
    after = _describe(want, mappings, have.forwarding[0].describe(True), have.here.backend)
    warnings = [have.use.given] if have.use.given else []
    if have.host_ip:
        where = "the host" if want.ns == HOST else str(want.ns)
        warnings.append(
            "host_ip: no interface of %s has %s now; what is published on it is reached when one has."
            % (where, first.host_ip)
        )
    warnings += have.coexistence.warnings("Packets for the published ports of %s" % mappings[0].to)
    facts = {"satisfied_by": None, **have.coexistence.facts}
    return Plan(before, after, tuple(changes), tuple(warnings), facts)


def _published(want: Want, have: Have, mappings: Sequence[PortMapping]) -> List[Change]:
    """Return the steps that publish ports where they are to be, with what the bridge and its port need for them."""
    changes: List[Change] = []
    localhost = mappings[0].host_ip == EVERYWHERE[4] or mappings[0].host_ip.startswith("127.")
    opens = bool(have.bridge) and localhost and have.localnet == "0"
    if have.port and not have.hairpin:
        changes.append(SetLink(want.ns, have.port, {"hairpin": True}, {"hairpin": False}))
    here = have.here
    there, wanted = set(here.mine), set(mappings)
    new = tuple(mapping for mapping in mappings if mapping not in there)
    gone = tuple(mapping for mapping in (*here.mine, *here.surplus, *here.stale) if mapping not in wanted)
    # What was noted where the ports were before is noted where they are now.
    noted = {name for there in have.elsewhere for name in there.owned.localnet} - {*here.owned.localnet}
    opened = (have.bridge,) if opens or have.bridge in noted else ()
    off = _no_longer_behind(here, gone, new)
    changes += _closed(want, have, off)
    if new or gone or opens or not here.owned.whole(PORTS, want.family):
        changes.append(SetPortMappings(want.ns, new, gone, here.owned, False, opened, off, here.backend))
    if opens:  # after the rule that lets nobody else make use of it
        changes.append(SetSysctl(want.ns, ROUTE_LOCALNET % have.bridge, "1", "0", opens=True))
    return changes


def _no_longer_behind(there: There, gone: Sequence[PortMapping], new: Sequence[PortMapping] = ()) -> Tuple[str, ...]:
    """Return the bridges whose route_localnet we switched on, and behind which nothing is published any more when ``gone`` went and ``new``
    came; none where nothing goes."""
    if not gone:
        return ()
    counts: Dict[str, int] = collections.Counter(there.bridges)
    for mapping in gone:
        counts[mapping.bridge] -= 1
    for mapping in new:
        counts[mapping.bridge] += 1
    return tuple(name for name in there.owned.localnet if counts[name] <= 0)


def _closed(want: Want, have: Have, bridges: Sequence[str]) -> List[Change]:
    """Return the steps that switch route_localnet of bridges off again."""
    return [SetSysctl(want.ns, ROUTE_LOCALNET % name, "0", "1") for name in bridges if name in have.closable]


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
            changes.append(SetPortMappings(want.ns, (), gone, there.owned, there.last, (), off, there.backend))
    return changes


def _absent(want: Want, have: Have, before: Dict[str, Any]) -> Plan:
    changes: List[Change] = list(have.coexistence.changes(want.ns))
    for there in have.everywhere:
        gone = tuple(dict.fromkeys((*there.mine, *there.surplus, *there.stale)))
        if gone:
            off = _no_longer_behind(there, gone)
            changes += _closed(want, have, off)
            changes.append(SetPortMappings(want.ns, (), gone, there.owned, there.last, (), off, there.backend))
    if any(there.mine or there.surplus or there.stale for there in have.everywhere):
        changes += _not_needed(want, have.forwarding, have)
    facts: Dict[str, Any] = {"satisfied_by": None, **NOTHING.facts}
    if not want.mappings:
        facts["published_besides"] = have.besides
    return Plan(before, {}, tuple(changes), (), facts)


def _not_needed(want: Want, forwardings: Sequence[Forwarding], have: Have) -> List[Change]:
    """Return the steps that take back forwarding of the families that nothing of ours needs any more."""
    needed = have.families | want.needed
    return taken_back(forwarding for forwarding in forwardings if forwarding.family not in needed)


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
        "host_port": _joined((mapping.first, mapping.last) for mapping in mappings),
        "to_address": ", ".join(dict.fromkeys(mapping.to for mapping in mappings)),
        "to_port": _joined((port, port + more) for port, more in goals),
        "bridge": first.bridge or None,
        "owner": first.owner,
        "comment": first.comment or None,
        "backend": backend.name,
        **forwarding,
    }


def _joined(ranges: Any) -> str:
    """Return ports as a text, those that follow each other as a range."""
    merged: List[Tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and merged[-1][1] + 1 == first:
            merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return ", ".join(str(first) if first == last else "%d-%d" % (first, last) for first, last in merged)
