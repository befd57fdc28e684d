# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the packet of a question starts, and to which address it goes. Pure."""

from __future__ import annotations

import ipaddress
from typing import List, Optional, Sequence

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import EVERYWHERE, PortMapping
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import usable
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Address, Link
from ansible_collections.linuxnet.containers.plugins.module_utils._model.ways import Asked
from ansible_collections.linuxnet.containers.plugins.module_utils._path import routing, segment
from ansible_collections.linuxnet.containers.plugins.module_utils._path.question import Question
from ansible_collections.linuxnet.containers.plugins.module_utils._path.sight import Sight
from ansible_collections.linuxnet.containers.plugins.module_utils._path.stops import Obstacle, Stopped

_LOOPBACK = {4: "127.0.0.1", 6: "::1"}
_OUTSIDE = {4: "198.51.100.1", 6: "2001:db8::1"}  # somebody, where nobody is known (RFC 5737, RFC 3849)
_VERSIONS = {4: "IPv4", 6: "IPv6"}


@dataclass(frozen=True)
class Start:
    """Where a packet starts: sent by a namespace, or (``link``) coming in by an interface of it, from somebody who cannot be seen. ``ip``: ``""`` where routing
    chooses the source."""

    ns: int
    ip: str = ""
    link: Optional[Link] = None


@dataclass(frozen=True)
class Goal:
    """Where it is to arrive: an address, and the namespace that is meant, None for whoever has it."""

    ip: str
    ns: Optional[int] = None


def start_of(sight: Sight, question: Question) -> Start:
    """Return where the packet starts. Raises `Refused`, and `Stopped`."""
    if question.source_ip:
        held = sight.holders(question.source_ip)
        if held:
            return Start(held[0][0], question.source_ip)
        way = sight.ways.way(sight.host, Asked(question.source_ip))
        link = sight.link_at(sight.host, way.index)
        if way.error or link is None:
            raise Refused("source: nobody on this host has %s, and the host has no route to it." % question.source_ip)
        return Start(sight.host, question.source_ip, link)
    found = sight.named(question.source)
    if found is not None:
        return Start(found)
    link = sight.link(sight.host, question.source)
    if link is not None:
        master = sight.link_at(sight.host, link.master)
        return Start(sight.host, "", master if master is not None and master.kind == "bridge" else link)
    raise _unknown(sight, "source", question.source)


def _unknown(sight: Sight, option: str, name: str) -> Exception:
    """Return why nobody is found by a name: a container that does not run, or nobody at all."""
    found, dummy = sight.state.containers("auto", [name])
    for container in found.get(name, ()):
        if not container.pid:
            what = "the container %s of %s does not run (%s)" % (name, container.engine, container.status or "stopped")
            remedy = "start it, and run the role again, unless the host keeps its wiring (wiring_persist)"
            return Stopped(what, "the host", "ip netns list", remedy)
    more = ", nor an interface of the host" if option == "source" else ""
    return Refused(
        "%s: there is no namespace and no running container called '%s'%s; linuxnet.containers.wiring_info shows which there are."
        % (option, name, more)
    )


def goal_of(sight: Sight, question: Question, start: Start) -> Goal:
    """Return where it is to arrive. Raises `Refused`, and `Stopped` where there is no such address."""
    if question.ip:
        return Goal(question.ip)
    if question.published:
        return Goal(_of_host(sight, question, start, _mappings(sight, question)))
    ns = sight.named(question.destination)
    if ns is None:
        raise _unknown(sight, "destination", question.destination)
    if ns == sight.host:
        return Goal(_of_host(sight, question, start, []), ns)
    return Goal(_of_container(sight, question, start, ns), ns)


def source_of(sight: Sight, start: Start, to: str) -> str:
    """Return the source of a packet that comes in by an interface: somebody's who is seen there, else the gateway's, else of somebody on its network."""
    if start.link is None or start.ip:
        return start.ip
    family = 6 if ":" in to else 4
    own = [one for one in sight.addresses_of(start.ns, start.link) if one.family == family and one.scope == "global"]
    for reach in segment.around(sight, start.ns, start.link).within:
        for address in sight.addresses_of(reach.ns, reach.link) if reach.ns != start.ns else ():
            if any(address.parsed in one.network for one in own):
                return address.ip
    way = sight.ways.way(start.ns, Asked(_OUTSIDE[family]))
    if not way.error and way.index == start.link.index:
        return way.gateway or _OUTSIDE[family]
    for one in own:
        first, last = usable(one.network)
        return str(last if one.parsed == first else first)
    return _OUTSIDE[family]


# --- addresses ---


def _global(sight: Sight, ns: int, family: int) -> List[Address]:
    return [one for dummy, one in sight.addresses(ns) if one.family == family and one.scope == "global"]


def _mappings(sight: Sight, question: Question) -> List[PortMapping]:
    """Return the ports of ours that the host publishes and that are meant."""
    return [
        mapping
        for owned in sight.owned(sight.host)
        for mapping in owned.port_mappings
        if mapping.protocol == question.protocol
        and mapping.first <= question.port <= mapping.last
        and question.family in (0, mapping.family)
    ]


def _of_host(sight: Sight, question: Question, start: Start, mappings: Sequence[PortMapping]) -> str:
    """Return the host's address that is asked: the one that a port is published on, else the one that is nearest to who asks."""
    family = question.family or (mappings[0].family if mappings and all(one.family == 6 for one in mappings) else 4)
    inside = start.link is None and start.ns == sight.host
    own = [one.host_ip for one in mappings if one.family == family and one.host_ip != EVERYWHERE[family]]
    for ip in own if len(own) == len(mappings) else ():
        if inside or not ipaddress.ip_address(ip).is_loopback:
            return ip
    if inside and (family == 4 or not question.published):
        return _LOOPBACK[family]
    there = _global(sight, sight.host, family)
    if start.link is not None:
        near = [
            one for one in sight.addresses_of(start.ns, start.link) if one.family == family and one.scope == "global"
        ]
    else:
        networks = [one.network for one in _global(sight, start.ns, family)]
        near = [one for one in there if any(one.parsed in network for network in networks)]
    if near or there:
        return [*near, *there][0].ip
    raise _without(sight, sight.host, family)


def _of_container(sight: Sight, question: Question, start: Start, ns: int) -> str:
    """Return the address of a container that is asked: one on a network of who asks, else the first."""
    families = [question.family] if question.family else [4, 6]
    for family in families:
        found = _global(sight, ns, family)
        networks = [one.network for one in _global(sight, start.ns, family)]
        found.sort(key=lambda one: not any(one.parsed in network for network in networks))
        if found:
            return found[0].ip
    raise _without(sight, ns, families[0])


def _without(sight: Sight, ns: int, family: int) -> Stopped:
    """Return that a namespace has no address of a family, and why, as far as that shows."""
    where = sight.label(ns)
    command = sight.command(ns, "ip", "-%d" % family, "address")
    stale = ended(sight, ns)
    if stale is not None:
        return Stopped(stale.what, stale.where, stale.command, stale.remedy)
    links = [link for link in sight.links(ns) if link.name != "lo"]
    for link in links if family == 6 else ():
        off = routing.ipv6_off(sight, ns, link)
        if off is not None:
            what = "%s has no IPv6 address: IPv6 is off on %s (%s = 1)" % (where, link.name, off)
            remedy = "switch it on: set %s to 0, and give the interface its address again" % off
            return Stopped(what, where, sight.command(ns, "sysctl", off), remedy)
    what = "%s has no %s address" % (where, _VERSIONS[family])
    if not links:
        what += ", and no interface but lo"
    return Stopped(what, where, command, "wire it: run the role, or linuxnet.containers.ns_address")


def ended(sight: Sight, ns: int) -> Optional[Obstacle]:
    """Return that a namespace is what is left of a container that ended, while another one with its name runs; None where that is not so. Engines are asked
    only where nobody lives in the namespace."""
    names = [name for name, entry in sight.state.entries().items() if entry.kind == "namespace" and entry.inode == ns]
    if ns == sight.host or sight.lives(ns) or not names:
        return None
    for container in sight.containers():
        if container.name in names and container.pid and sight.of_container(container) not in (None, ns, sight.host):
            name = container.name
            what = (
                "the container %s of %s was started again: it runs in another namespace by now, and the handle %s is of the one that ended"
                % (
                    name,
                    container.engine,
                    name,
                )
            )
            command = "ls -Li /run/netns/%s /proc/%d/ns/net" % (name, container.pid)
            remedy = "run the role again, which wires it anew; with wiring_persist the host does so by itself"
            return Obstacle(what, name, command, remedy)
    return None
