# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is at the end: which process takes what is sent to a port, or why none does. Pure."""

from __future__ import annotations

from typing import List, Optional

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.listeners import Listener
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import EVERYWHERE
from ansible_collections.linuxnet.containers.plugins.module_utils._path.journey import Arrival
from ansible_collections.linuxnet.containers.plugins.module_utils._path.sight import Sight
from ansible_collections.linuxnet.containers.plugins.module_utils._path.stops import Obstacle

_ANY = {4: "0.0.0.0", 6: "::"}
_FLAGS = {"tcp": "-ltnp", "udp": "-lunp", "sctp": "-lSnp"}


def taker(sight: Sight, arrival: Arrival) -> Optional[Listener]:
    """Return the socket that takes the packet, None where none does."""
    packet = arrival.packet
    return next((one for one in _on(sight, arrival) if _takes(one, packet.family, packet.to)), None)


def _on(sight: Sight, arrival: Arrival) -> List[Listener]:
    """Return the sockets on its port, those on its own address first."""
    packet = arrival.packet
    found = [one for one in sight.firewalls.listeners(arrival.ns).on(packet.dport) if one.protocol == packet.protocol]
    return sorted(found, key=lambda one: one.ip in _ANY.values())


def _takes(listener: Listener, family: int, ip: str) -> bool:
    return listener.ip in (ip, _ANY[family]) or (listener.both and family == 4)


def name(sight: Sight, ns: int, listener: Listener) -> str:
    """Return who listens, and on what."""
    return "%s %s listens on %s" % (sight.firewalls.listener_name(listener), _within(sight, ns), listener.where)


def _within(sight: Sight, ns: int) -> str:
    return "on the host" if ns == sight.host else "in %s" % sight.label(ns)


def nobody(sight: Sight, arrival: Arrival) -> Obstacle:
    """Return why nobody takes the packet."""
    packet, where, within = arrival.packet, sight.label(arrival.ns), _within(sight, arrival.ns)
    command = sight.command(arrival.ns, "ss", _FLAGS[packet.protocol], "sport = :%d" % packet.dport)
    port = "%s port %d" % (packet.protocol, packet.dport)
    others = list({one.where: one for one in _on(sight, arrival)}.values())
    published = _published(sight, arrival) if arrival.ns == sight.host else None
    if published is not None and not others:
        return Obstacle(
            published, where, command, "publish it on that address as well, or on all (leave the host address out)"
        )
    if not others:
        what = "nobody %s listens on %s" % (within, port)
        remedy = (
            "start what is to answer there, or publish another port"
            if arrival.ns != sight.host
            else "start what is to answer, or publish the port for a container"
        )
        return Obstacle(what, where, command, remedy)
    who = sight.firewalls.listener_name(others[0])
    local = [one for one in others if one.ip.startswith("127.") or one.ip == "::1"]
    only = local[0].ip if len(local) == len(others) else ", ".join(one.where for one in others)
    if len(local) == len(others):
        what = "%s %s listens on %s port %d of %s only, by which nobody but %s itself gets there" % (
            who,
            within,
            packet.protocol,
            packet.dport,
            only,
            where,
        )
    elif all((":" in one.ip) != (packet.family == 6) for one in others):
        what = "%s %s listens on %s by %s only (%s)" % (
            who,
            within,
            port,
            "IPv4" if packet.family == 6 else "IPv6",
            only,
        )
    else:
        what = "%s %s listens on %s of another address only (%s)" % (who, within, port, only)
    return Obstacle(what, where, command, "have it listen on %s, or on %s" % (_ANY[packet.family], packet.to))


def _published(sight: Sight, arrival: Arrival) -> Optional[str]:
    """Return that a port of the host is published, but not on the address that was asked."""
    packet = arrival.packet
    found = [
        mapping
        for owned in sight.owned(arrival.ns)
        for mapping in owned.port_mappings
        if mapping.protocol == packet.protocol and mapping.first <= packet.dport <= mapping.last
    ]
    same = [mapping for mapping in found if mapping.family == packet.family]
    if not found:
        return None
    mapping = (same or found)[0]
    if not same:
        return "%s port %d is published by %s only, to %s" % (
            packet.protocol,
            packet.dport,
            "IPv6" if mapping.family == 6 else "IPv4",
            mapping.to,
        )
    if mapping.host_ip not in (packet.to, EVERYWHERE[mapping.family]):
        return "%s port %d is published on %s only, and not on %s" % (
            packet.protocol,
            packet.dport,
            mapping.host_ip,
            packet.to,
        )
    if packet.to.startswith("127.") or packet.to == "::1" or packet.to.startswith("fe80:"):
        return "%s port %d is published, but not on %s" % (packet.protocol, packet.dport, packet.to)
    return "%s port %d is published to %s, but the rules that do so are not whole" % (
        packet.protocol,
        packet.dport,
        mapping.to,
    )
