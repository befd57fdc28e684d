# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of a packet at a hook, in the form that rules ask it. Pure.

Of the first packet of a connection, and of the first answer, nearly all is known: so nearly all rules are decided.
"""

from __future__ import annotations

from typing import Callable, Dict, Mapping, Optional

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.matching import (
    NOTHING,
    Fact,
    Flags,
    address,
    protocol,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Link
from ansible_collections.linuxnet.containers.plugins.module_utils._path.packet import Connection, Packet

CONNTRACK = -200  # the priority at which a packet gets its connection (include/uapi/linux/netfilter_ipv4.h)
_ANY_PORT = (1024, 65535)
_STATES = frozenset({"new", "established", "related", "invalid", "untracked"})
_STATUS = frozenset({"seen-reply", "assured", "confirmed", "expected", "snat", "dnat"})
_FLAGS = frozenset({"fin", "syn", "rst", "psh", "ack", "urg"})
_UNTRACKED: Mapping[str, Fact] = {
    "ct state": Flags(frozenset({"untracked"})),
    "xt state": Flags(frozenset({"untracked"}), (_STATES - {"untracked"}) | {"snat", "dnat"}),
    **dict.fromkeys(("ct status", "ct direction", "ct mark"), NOTHING),
}
_ICMP = {4: "icmp", 6: "ipv6-icmp"}


def number_of(packet: Packet) -> int:
    """Return the number of its protocol."""
    found = protocol(_ICMP[packet.family] if packet.protocol == "icmp" else packet.protocol)
    return found[0] if found else 0


def facts(
    packet: Packet,
    connection: Optional[Connection],
    hook: str,
    layer: str,
    into: Optional[Link],
    out: Optional[Link],
    type_of: Callable[[str], Optional[str]],
    back: Callable[[], Optional[bool]],
) -> Dict[str, Fact]:
    """Return what is known. ``connection`` is None where it is not tracked yet; ``type_of`` says what kind of address one is here, ``back`` whether the
    way back to
    the sender is the way that it came."""
    number = number_of(packet)
    known: Dict[str, Fact] = {
        "nfproto": None if layer else "ipv%d" % packet.family,
        "protocol": "ip" if packet.family == 4 else "ip6",
        "l4proto": (number, number),
        "frag off": (0, 0),
        "pkttype": None if layer else "multicast" if packet.to.startswith("ff") else "host",
        "saddr": address(packet.source),
        "daddr": address(packet.to),
        "mark": None if packet.mark is None else (packet.mark, packet.mark),
        **_ports(packet),
        **_interfaces(hook, layer, into, out),
    }
    if packet.protocol == "tcp":
        on = frozenset({"syn", "ack"} if packet.answer else {"ack"} if packet.further else {"syn"})
        known["tcp flags"] = Flags(on, _FLAGS - on - ({"psh"} if packet.further else set()))
    if packet.protocol == "icmp":
        echo = "echo-reply" if packet.answer else "echo-request"
        known["icmp type" if packet.family == 4 else "icmpv6 type"] = packet.message or echo
    for end, ip in (("saddr", packet.source), ("daddr", packet.to)):
        kind = type_of(ip)
        known[end + " type"] = kind
        if kind is not None:  # of IPv6 iptables calls one of this host unicast as well
            both = {kind, "unicast"} if kind == "local" and packet.family == 6 else {kind}
            known["xt %s type" % end] = Flags(frozenset(both))
    if hook == "prerouting" and not layer:
        found = back()
        known["rpf"] = None if found is None else "found" if found else "missing"
    if packet.discovers:
        known.update(_UNTRACKED)
    elif connection is not None:
        known.update(_tracked(packet, connection, hook))
    return {name: fact for name, fact in known.items() if fact is not None}


def _ports(packet: Packet) -> Dict[str, Fact]:
    if packet.protocol == "icmp":
        return {}
    return {
        name: (port, port) if port else _ANY_PORT for name, port in (("sport", packet.sport), ("dport", packet.dport))
    }


def _interfaces(hook: str, layer: str, into: Optional[Link], out: Optional[Link]) -> Dict[str, Fact]:
    """Return what is known of the interfaces. One that a packet has not (yet) counts as one without a name, as with nft; iptables cannot ask for it."""
    if layer == "netdev":
        device = into or out
        return {"iifname" if hook == "ingress" else "oifname": device.name} if device is not None else {}
    found: Dict[str, Fact] = {
        "iifname": into.name if into else "",
        "oifname": out.name if out else "",
        "iifkind": (into.kind or NOTHING) if into else NOTHING,
        "oifkind": (out.kind or NOTHING) if out else NOTHING,
    }
    return found


def _tracked(packet: Packet, connection: Connection, hook: str) -> Dict[str, Fact]:
    first = connection.first
    known = (packet.answer or packet.further) and not first.answer
    lost = first.answer  # nothing is known of what it answers; over UDP that is no reason to mistrust it
    state = "invalid" if lost and packet.protocol != "udp" else "established" if known else "new"
    translated = set()
    if connection.to and (connection.to_known or known):
        translated.add("dnat")
    if connection.source and (connection.from_known or known):
        translated.add("snat")
    on = translated | ({"seen-reply", "confirmed"} if known else set())
    unsure = {"assured"} if known else set()
    if lost:
        return {
            "ct state": Flags(frozenset({state})),
            "xt state": Flags(frozenset({state}), _STATES - {state} | {"snat", "dnat"}),
        }
    return {
        "ct state": Flags(frozenset({state})),
        "ct status": Flags(frozenset(on), _STATUS - on - unsure),
        "xt state": Flags(frozenset({state, *translated}), (_STATES - {state}) | ({"snat", "dnat"} - translated)),
        "ct direction": "reply" if packet.answer else "original",
        "ct mark": None if connection.mark is None else (connection.mark, connection.mark),
        "ct original saddr": address(first.source),
        "ct original daddr": address(first.to),
        "ct original dport": (first.dport, first.dport) if first.dport else None,
    }
