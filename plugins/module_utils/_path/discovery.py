# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Neighbour discovery: IPv6 asks who has an address by packets that pass the rules as others do. (ARP, of IPv4, passes none of them.) Pure."""

from __future__ import annotations

import ipaddress
from typing import Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import BRIDGE_NF_CALLS
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Link
from ansible_collections.linuxnet.containers.plugins.module_utils._path.hooks import Hooks
from ansible_collections.linuxnet.containers.plugins.module_utils._path.packet import Packet
from ansible_collections.linuxnet.containers.plugins.module_utils._path.segment import Reach, Step
from ansible_collections.linuxnet.containers.plugins.module_utils._path.sight import Sight

_GROUP = int(ipaddress.IPv6Address("ff02::1:ff00:0"))  # solicited-node multicast (RFC 4291, 2.7.1)


def discover(sight: Sight, hooks: Hooks, ns: int, out: Link, reach: Reach, ip: str, packet: Packet) -> None:
    """Follow the question who has ``ip``, which is sent by ``out``, to who has it, and the answer back. Raises `Stopped`."""
    own = [address.ip for address in sight.addresses_of(ns, out) if address.family == 6]
    source = packet.source if packet.source in own or not own else own[-1]
    group = str(ipaddress.IPv6Address(_GROUP | int(ipaddress.IPv6Address(ip)) & 0xFFFFFF))
    question = Packet("icmp", source, group, message="nd-neighbor-solicit")
    answer = Packet("icmp", ip, source, answer=True, message="nd-neighbor-advert")
    ends = (ns, out), (reach.ns, reach.link)
    _goes(sight, hooks, question, ends[0], ends[1], reach.steps)
    _goes(sight, hooks, answer, ends[1], ends[0], reach.steps[::-1])


def _goes(
    sight: Sight, hooks: Hooks, packet: Packet, start: Tuple[int, Link], end: Tuple[int, Link], steps: Sequence[Step]
) -> None:
    for hook in ("output", "postrouting"):
        hooks.untracked(start[0], hook, packet, None, start[1])
    for step in steps:
        bridged = step.bridge is not None and step.near is not None and step.far is not None
        if bridged and sight.sysctl(step.ns, BRIDGE_NF_CALLS[6]) == "1":
            hooks.untracked(step.ns, "prerouting", packet, step.bridge, None)
            hooks.untracked(step.ns, "forward", packet, step.bridge, step.bridge)
            hooks.untracked(step.ns, "postrouting", packet, step.bridge, step.bridge)
    for hook in ("prerouting", "input"):
        hooks.untracked(end[0], hook, packet, end[1], None)
