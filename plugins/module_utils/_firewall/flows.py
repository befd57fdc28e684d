# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tracked flows a change of our rules decides otherwise. Pure.

NAT is decided by the first packet of a flow, and all others of it are treated alike as long as it is tracked. A flow without connection lasts as long
as its packets come, so it would keep for ever what was decided before the rules were written. A connection of TCP or SCTP keeps its way to its end,
as with Docker and kube-proxy: it would be broken off otherwise. What isolation stops it stops whatever it is: answers pass it, so all that is tracked would
go on.
"""

from __future__ import annotations

import ipaddress
from typing import Any, Callable, Collection, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    EVERYWHERE,
    ISOLATION,
    PORTS,
    Edit,
    Isolation,
    NatRule,
    OwnedRules,
    PortMapping,
    edited,
    family_of,
)

WITHOUT_CONNECTION = {1: "icmp", 17: "udp", 58: "icmpv6", 136: "udplite"}  # by protocol number


class Flow(NamedTuple):
    """A tracked flow: as its first packet was (``source``, ``to``, ``port``), and as answers to it are (``by``, ``by_port``, ``back``): what
    DNAT made of ``to`` is ``by``, what source NAT made of ``source`` is ``back``. ``name`` is what the kernel knows it by."""

    protocol: int
    source: str
    to: str
    port: int
    by: str
    by_port: int
    back: str
    name: bytes = b""


def touched(edits: Sequence[Edit]) -> bool:
    """Return whether edits are about rules that decide on flows."""
    return any(edit.put or edit.drop or {PORTS, ISOLATION} & {*edit.kinds} for edit in edits)


def otherwise(
    before: OwnedRules, edits: Sequence[Edit], own: Collection[str], networks: Iterable[Tuple[str, str]] = ()
) -> Callable[[Flow], bool]:
    """Return the function that says of a flow whether what is owned after ``edits`` decides it otherwise than it was decided. ``before`` is what
    was owned, ``own`` are the addresses of the host itself, ``networks`` (CIDR, interface) what it is connected to."""
    after = edited(before, edits)
    ports = _Ports(before, after, edits)
    sources = _changed_sources(before, after, edits)
    closed = _Closed(after, edits, networks)

    def decided(flow: Flow) -> bool:
        if flow.source not in own and flow.by not in own and closed.stops(flow):
            return True
        if flow.protocol not in WITHOUT_CONNECTION:
            return False
        here = flow.to in own or flow.to.startswith("127.")
        if here and ports.differs(flow):
            return True
        return not (here and flow.by == flow.to) and any(_source_differs(flow, *rules) for rules in sources)

    return decided


class _Closed:
    """The isolation of bridges, where edits are about it."""

    def __init__(self, after: OwnedRules, edits: Sequence[Edit], networks: Iterable[Tuple[str, str]]) -> None:
        about = any(ISOLATION in edit.kinds for edit in edits)
        self._bridges = {isolation.bridge: isolation for isolation in after.isolations if about}
        behind = [*networks, *((rule.source, rule.out_interface[1:]) for rule in after.nat_rules)]
        self._networks = [(ipaddress.ip_network(cidr), name) for cidr, name in behind if name in self._bridges]

    def stops(self, flow: Flow) -> bool:
        """Return whether nothing like the flow's first packet passes any more. What is published passes whatever is isolated."""
        if not self._networks or flow.by != flow.to:
            return False
        here, there = self._behind(flow.source), self._behind(flow.to)
        if here is None and there is None:
            return False
        if _goes_inside(there, flow.source) or _goes_inside(here, flow.to):
            return False
        if here == there and here is not None and here.icc:
            return False
        if (here is not None and here.internal) or (there is not None and there.internal):
            return True
        return there is not None and (here is None or here.isolate or there.isolate)

    def _behind(self, ip: str) -> Optional[Isolation]:
        """Return the isolation of the bridge that an address is behind."""
        address = ipaddress.ip_address(ip)
        return next((self._bridges[name] for network, name in self._networks if address in network), None)


def _goes_inside(isolation: Optional[Isolation], ip: str) -> bool:
    """Return whether an address is of the same network elsewhere."""
    ways = isolation.ways(family_of(ip)) if isolation is not None else ()
    return any(ipaddress.ip_address(ip) in ipaddress.ip_network(source) for dummy, source in ways)


class _Ports:
    """The published ports of UDP that edits touch, by port of the host."""

    def __init__(self, before: OwnedRules, after: OwnedRules, edits: Sequence[Edit]) -> None:
        about = [edit for edit in edits if PORTS in edit.kinds]
        listed = [mapping for edit in about for mapping in (*edit.publish, *edit.unpublish)]
        if about and not all(before.whole(PORTS, family) for family in before.families):
            listed += after.port_mappings  # none of them led anywhere
        self._touched = [mapping for mapping in listed if mapping.protocol == "udp"]
        self._now = [mapping for mapping in after.port_mappings if mapping.protocol == "udp"] if self._touched else []

    def differs(self, flow: Flow) -> bool:
        """Return whether a flow to an address of the host is to go elsewhere than it goes."""
        if flow.protocol != 17 or not any(_meets(mapping, flow) for mapping in self._touched):
            return False
        goal = next((mapping for mapping in self._now if _meets(mapping, flow)), None)
        wanted = (flow.to, flow.port) if goal is None else (goal.to, _port(goal, flow.port))
        return wanted != (flow.by, flow.by_port)


def _meets(mapping: PortMapping, flow: Flow) -> bool:
    return mapping.first <= flow.port <= mapping.last and mapping.host_ip in (flow.to, EVERYWHERE[family_of(flow.to)])


def _port(mapping: PortMapping, port: int) -> int:
    return mapping.to_port + port - mapping.first if mapping.to_port else port


_Source = Tuple[Any, List[Any], Optional[NatRule], Optional[NatRule]]


def _changed_sources(before: OwnedRules, after: OwnedRules, edits: Sequence[Edit]) -> List[_Source]:
    """Return (network, what of its packets is not translated, the rule that was, the rule that is) of each rule of source NAT that edits are about."""
    old: Dict[Tuple[str, str], NatRule] = {rule.key: rule for rule in before.nat_rules}
    new: Dict[Tuple[str, str], NatRule] = {rule.key: rule for rule in after.nat_rules}
    keys = dict.fromkeys(key for edit in edits for key in (*(rule.key for rule in edit.put), *edit.drop))
    covered = {rule.source for rule in after.nat_rules}
    found: List[_Source] = []
    for key in keys:
        was, now = old.get(key), new.get(key)
        rule = now or was
        if rule is None or (now is None and rule.source in covered):  # another rule sees to the same
            continue
        untouched = [ipaddress.ip_network(one) for one in rule.untouched]
        found.append((ipaddress.ip_network(rule.source), untouched, was, now))
    return found


def _source_differs(
    flow: Flow, network: Any, untouched: Sequence[Any], was: Optional[NatRule], now: Optional[NatRule]
) -> bool:
    """Return whether a flow is to have another source than it has."""
    if family_of(flow.source) != network.version:
        return False
    source, to = ipaddress.ip_address(flow.source), ipaddress.ip_address(flow.by)
    if source not in network or any(to in one for one in untouched):
        return False
    plain = flow.back == flow.source
    if now is not None and now.to_address:
        return flow.back != now.to_address
    left = was is not None and bool(was.to_address) and flow.back == was.to_address
    if now is not None:
        return plain or left
    return not plain and (left or (was is not None and not was.to_address))
