# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is in the way of ports that are to be published: processes, the kernel's own use of a port, and containers that are gone. Pure."""

from __future__ import annotations

import ipaddress
from typing import Dict, List, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import EVERYWHERE, PortMapping
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import NOBODY, netns_name
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import MAIN_TABLE, Link, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.leases import leases
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

_LOCAL_RANGE, _RESERVED = "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports"  # of both families


@dataclass(frozen=True)
class Use:
    """What else the ports of an item are used for, a sentence each: by a process or a foreign rule (``taken``), or maybe by a process later (``given``)."""

    taken: str = ""
    given: str = ""


def look(wanted: Sequence[PortMapping], published: Sequence[PortMapping], shadow: bool, ns: int, state: State) -> Use:
    """Return what else the ports of ``wanted`` are used for that are not among those ``published`` already.

    ``shadow``: it does not matter which processes listen.
    """
    there = {_key(mapping) for mapping in published}
    fresh = [mapping for mapping in wanted if _key(mapping) not in there]
    if not fresh:
        return Use()
    return Use(
        "" if shadow else _held(fresh, published, ns, state) or _sent_on(fresh, ns, state), _given(fresh, ns, state)
    )


def _key(mapping: PortMapping) -> Tuple[str, int, str, int, int]:
    return mapping.protocol, mapping.family, mapping.host_ip, mapping.first, mapping.last


def _held(fresh: Sequence[PortMapping], published: Sequence[PortMapping], ns: int, state: State) -> str:
    """Return which process listens on the first port that one listens on."""
    listeners = firewalls(state).listeners(ns)
    for mapping in fresh:
        for listener in listeners.meeting(mapping):
            if any(_covers(other, mapping, listener.port) for other in published):
                continue
            who = firewalls(state).listener_name(listener)
            return (
                "host_port: %s port %d is in use: %s listens on %s; take another port, stop that, or set shadow: true to "
                "publish the port all the same." % (mapping.protocol, listener.port, who, listener.where)
            )
    return ""


def _sent_on(fresh: Sequence[PortMapping], ns: int, state: State) -> str:
    """Return which rule of somebody else sends the first such port on: of two, the one that is asked first wins."""
    for mapping in fresh:
        for other in firewalls(state).foreign_ports(ns).get(mapping.protocol, ()):
            same_host = (
                not other.host_ip
                or mapping.host_ip == EVERYWHERE[mapping.family]
                or _in(mapping.host_ip, other.host_ip)
            )
            if (
                mapping.family in other.families
                and mapping.first <= other.last
                and other.first <= mapping.last
                and same_host
            ):
                return (
                    "host_port: %s port %d is published already by a rule of somebody else (%s%s); take another port, remove that, "
                    "or set shadow: true."
                    % (mapping.protocol, other.first, other.shown, ", to " + other.to if other.to != "?" else "")
                )
    return ""


def _in(ip: str, network: str) -> bool:
    return ipaddress.ip_address(ip) in ipaddress.ip_network(network)


def _covers(published: PortMapping, mapping: PortMapping, port: int) -> bool:
    """Return whether a port of ``mapping`` is published already."""
    return published.first <= port <= published.last and published.host_ip in (
        mapping.host_ip,
        EVERYWHERE[mapping.family],
    )


def _given(fresh: Sequence[PortMapping], ns: int, state: State) -> str:
    """Return that the kernel may give a port to a program that asks for any. What is reserved it does not give."""
    first, last = _range(state.sysctl(ns, _LOCAL_RANGE) or "")
    within = [
        (max(mapping.first, first), min(mapping.last, last))
        for mapping in fresh
        if mapping.first <= last and first <= mapping.last
    ]
    if not within:
        return ""
    reserved = sorted(map(_range, (state.sysctl(ns, _RESERVED) or "").replace("\n", "").split(",")))
    if all(_inside(span, reserved) for span in within):
        return ""
    return (
        "Of the ports %d-%d (%s) the kernel gives any that is free to a program that asks for none; where it is a published one, "
        "the program cannot be reached at it. Add published ports to %s." % (first, last, _LOCAL_RANGE, _RESERVED)
    )


def _range(text: str) -> Tuple[int, int]:
    """Return (first, last) of a port, or of two with something between; what holds no port where there is none."""
    numbers = [int(word) for word in text.replace("-", " ").split()]
    return (numbers[0], numbers[-1]) if numbers else (0, -1)


def _inside(wanted: Tuple[int, int], ranges: Sequence[Tuple[int, int]]) -> bool:
    """Return whether all of ``wanted`` is in the ranges, which are sorted."""
    first, last = wanted
    for low, high in ranges:
        if low <= first <= high:
            first = high + 1
    return first > last


def connected(to: str, ns: int, state: State) -> Optional[Link]:
    """Return the interface on whose network an address is, None where that is none."""
    ip = ipaddress.ip_address(to)
    ways = [
        route
        for route in state.routes(ns, ip.version, MAIN_TABLE)
        if route.interface and not route.gateway and ip in ipaddress.ip_network(route.destination)
    ]
    best = max(ways, key=lambda route: ipaddress.ip_network(route.destination).prefixlen, default=None)
    return state.link(ns, best.interface) if best else None


def abandoned(published: Sequence[PortMapping], ns: int, state: State) -> Dict[PortMapping, None]:
    """Return those ports of ours that are published to an address that nobody has any more."""
    gone: Dict[Tuple[str, str], bool] = {}
    for mapping in published:
        if (mapping.bridge, mapping.to) not in gone:
            gone[mapping.bridge, mapping.to] = _gone(mapping, ns, state)
    return {mapping: None for mapping in published if gone[mapping.bridge, mapping.to]}


def inherited(published: Sequence[PortMapping], owner: str, state: State) -> Dict[PortMapping, None]:
    """Return those ports of ours that other owners published to an address that ``owner`` has by now, and whose owners are gone: no namespace
    has their name. The owner that an item has where it names none is nobody's name."""
    gone: Dict[str, bool] = {owner: False, NOBODY: False}
    for mapping in published:
        if mapping.owner not in gone:
            gone[mapping.owner] = _nameless(mapping.owner, state)
    return {mapping: None for mapping in published if gone[mapping.owner]}


def _nameless(owner: str, state: State) -> bool:
    """Return whether no namespace has an owner's name."""
    try:
        return state.find(NsRef.parse(netns_name(owner, "owner"))) is None
    except Invalid:
        return True


def _gone(mapping: PortMapping, ns: int, state: State) -> bool:
    """Return whether nobody has the address that a port is published to: nobody behind the bridge where it was and none behind
    the one where it would be now, by what the kernel knows of their ports, nor does anybody there answer for it.

    What was never behind a bridge, or would be behind something else now, cannot be told, nor what is behind a bridge that is down.
    """
    if not mapping.bridge:
        return False
    there: List[Optional[Link]] = [state.link(ns, mapping.bridge), connected(mapping.to, ns, state)]
    for link in {link.name: link for link in there if link is not None}.values():
        if link.kind != "bridge" or link.index <= 0 or not link.get("enabled"):
            return False
        if ipaddress.ip_address(mapping.to) in leases(state).taken(ns, link.name, link) or not leases(state).silent(
            ns, link, mapping.to
        ):
            return False
    return True
