# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to pass the rules of others for an item: the first packets of its connections, and the first answers to them. Pure.

The question is asked with the interfaces that the packets take, by the routes that there are.
"""

from __future__ import annotations

import ipaddress
from typing import List, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    EVERYWHERE,
    NatRule,
    PortMapping,
    family_of,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.packets import Flow, Packet, there_and_back
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import conflicts
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

_ASKED = ("tcp", "udp")  # of what leaves a network


def _kinds(ns: int, state: State, *names: str) -> Tuple[Tuple[str, str], ...]:
    """Return the kinds of interfaces, those of hardware as ``""``."""
    links = [state.link(ns, name) for name in dict.fromkeys(names) if name]
    return tuple((link.name, link.kind) for link in links if link is not None)


def leaving(rule: NatRule, ns: int, state: State) -> List[Flow]:
    """Return what leaves a network by an uplink."""
    out = rule.out_interface
    bridge = out[1:] if out.startswith("!") else ""
    into = bridge
    if not into:
        link = conflicts.connected(str(ipaddress.ip_network(rule.source)[0]), ns, state)
        into = link.name if link is not None else ""
        bridge = into if link is not None and link.kind == "bridge" else ""
    uplinks = firewalls(state).uplinks(ns, rule.family)
    ways: Sequence[str] = [out] if out and not out.startswith("!") else [name for name in uplinks if name != into]
    return [
        there_and_back(
            Packet(
                rule.family,
                saddr=rule.source,
                iifname=into,
                oifname=way,
                bridge=bridge,
                protocol=protocol,
                routed=list(ways) == [*uplinks],
                kinds=_kinds(ns, state, into, way),
            )
        )
        for way in ways or [""]
        for protocol in _ASKED
    ]


def coming(mappings: Sequence[PortMapping], bridge: str, ns: int, state: State) -> List[Flow]:
    """Return what comes in by an uplink for published ports, of which the first and the last are given."""
    first, last = mappings[0], mappings[-1]
    to_first = first.to_port or first.first
    uplinks = firewalls(state).uplinks(ns, first.family)
    ways: Sequence[str] = [name for name in uplinks if name != bridge]
    asked = "" if first.host_ip == EVERYWHERE[first.family] else first.host_ip
    there = [state.link_at(ns, index) for index, address in state.addresses(ns) if asked and str(address.ip) == asked]
    for link in there:
        if link is not None and link.kind != "dummy" and link.name not in ("lo", bridge):
            vrf = state.link_at(ns, link.master) if first.vrf and link.master else None
            ways = [vrf.name if vrf is not None else link.name]  # what is forwarded in a VRF comes from that
    return [
        there_and_back(
            Packet(
                first.family,
                daddr=first.to,
                iifname=way,
                oifname=bridge,
                bridge=bridge,
                dnat=True,
                protocol=first.protocol,
                ports=(to_first, to_first + last.last - first.first),
                asked=asked,
                asked_ports=(first.first, last.last),
                routed=list(ways) == [*uplinks],
                kinds=_kinds(ns, state, way, bridge),
            )
        )
        for way in ways or [""]
    ]


def talking(bridge: str, family: int, ns: int, state: State) -> List[Flow]:
    """Return what neighbours on a bridge send each other."""
    kinds = _kinds(ns, state, bridge)
    return [
        there_and_back(Packet(family, "", "", bridge, bridge, bridge, protocol=protocol, bridged=True, kinds=kinds))
        for protocol in _ASKED
    ]


def inside(bridge: str, way: str, source: str, ns: int, state: State) -> List[Flow]:
    """Return what comes to a bridge from the same network elsewhere (CIDR), by an interface."""
    kinds = _kinds(ns, state, way, bridge)
    return [
        there_and_back(Packet(family_of(source), source, "", way, bridge, bridge, protocol=protocol, kinds=kinds))
        for protocol in _ASKED
    ]
