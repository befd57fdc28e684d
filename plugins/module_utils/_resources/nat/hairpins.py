# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hairpin of bridge ports, which a published port needs for its own container: noted where it was switched on, and switched off again. Pure.

A bridge sends nothing back through the port that it came by, unless that has hairpin on. It is somebody's setting, maybe of somebody else's
port, so what we switched on is noted beside the published ports, before it is, and what was on before is not.
"""

from __future__ import annotations

import collections
import ipaddress
from typing import Dict, List, Mapping, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Backend
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.index import RuleIndex
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import PortMapping
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.names import interface
from ansible_collections.linuxnet.containers.plugins.module_utils._run.leases import leases
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

Note = Tuple[str, str]  # a port and its bridge


def notable(port: str) -> bool:
    """Return whether a note can carry a port's name; those of others may hold anything."""
    try:
        interface(port, "port")
    except Invalid:
        return False
    return True


def unneeded(
    going: Mapping[Backend, Sequence[PortMapping]],
    indexes: Mapping[Backend, RuleIndex],
    kept: str,
    ns: int,
    state: State,
) -> Dict[Backend, Tuple[Note, ...]]:
    """Return by backend the notes of ports behind which nothing of ours is published any more when those ``going`` are gone. ``kept``: the bridge
    behind which something is published instead."""
    leaving = {mapping for mappings in going.values() for mapping in mappings}
    found: Dict[Backend, Tuple[Note, ...]] = {}
    for backend, mappings in going.items():
        index = indexes[backend]
        if not mappings or not index.hairpins:
            continue
        by_bridge: Dict[str, List[PortMapping]] = collections.defaultdict(list)
        for mapping in mappings:
            by_bridge[mapping.bridge].append(mapping)
        names: Dict[str, None] = {}
        for bridge, behind in by_bridge.items():
            if bridge != kept and index.bridges[bridge] <= len(
                behind
            ):  # with the last one those of ports that are gone go, too
                names.update(dict.fromkeys(port for port, of in index.hairpins.items() if of == bridge))
            else:
                names.update(unneeded_ports(bridge, behind, leaving, indexes, ns, state))
        found[backend] = tuple((name, index.hairpins[name]) for name in names if name in index.hairpins)
    return found


def unneeded_ports(
    bridge: str,
    behind: Sequence[PortMapping],
    leaving: Set[PortMapping],
    indexes: Mapping[Backend, RuleIndex],
    ns: int,
    state: State,
) -> Dict[str, None]:
    """Return the ports of a bridge that those ``behind`` it led to, where nothing that stays does."""
    link = state.link(ns, bridge)
    if link is None or link.index <= 0:
        return {}
    holders = leases(state).taken(ns, bridge, link)
    ports = [holders.get(ipaddress.ip_address(mapping.to)) for mapping in behind]
    names: Dict[str, None] = {}
    for number in {holder.port for holder in ports if holder is not None and holder.port}:
        port = state.link_at(ns, number)
        led = any(
            mapping not in leaving
            for ip in leases(state).beside(ns, bridge, number)
            for index in indexes.values()
            for mapping in index.leading_to(str(ip))
        )
        if port is not None and not led:
            names[port.name] = None
    return names


def switched(
    notes: Mapping[Backend, Sequence[Note]], indexes: Mapping[Backend, RuleIndex], kept: str, ns: int, state: State
) -> Tuple[str, ...]:
    """Return the ports whose hairpin is to be switched off when ``notes`` are gone: it is on, and noted nowhere else. ``kept`` is a port that keeps
    it."""
    names = dict.fromkeys(port for gone in notes.values() for port, dummy in gone if port != kept)
    found = []
    for name in names:
        noted = [backend for backend, index in indexes.items() if name in index.hairpins]
        link = state.link(ns, name)
        if (
            link is not None
            and link.get("hairpin")
            and all((name, indexes[b].hairpins[name]) in notes.get(b, ()) for b in noted)
        ):
            found.append(name)
    return tuple(found)
