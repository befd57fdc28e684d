# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tunnels as rules in a chain of iptables, and back: a rule a peer, behind them one that drops all others. Pure.

The chain is called from INPUT of the table mangle: a verdict of others in the table filter, who accept the port, is no way around it. The VNI is where the
match u32 finds it: behind the header of UDP and a word of flags (RFC 7348, 5).

IPv4 is put together before INPUT, and its header says its length. IPv6 is put together behind INPUT, and u32 cannot walk along its headers. So of a packet in
parts the first one has to show the VNI, right behind the header that says so, and a packet for the port of a tunnel has no other headers: who sends a VXLAN
writes none, and who did could hide behind them whose frame it is.
"""

from __future__ import annotations

import re
from typing import Dict, Iterable, List, Mapping, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_difference import Layout
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_save import (
    OURS,
    Tables,
    Words,
    comment,
    is_address,
    noted,
    option,
    owner_of,
    rules_of,
    target,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    ANY_MARK,
    MARK,
    Tunnel,
    family_of,
    in_order,
)

TUNNEL = OURS + "TUNNEL"
# What u32 compares with a VNI, in the spelling of iptables-save. IPv4: behind as many words as the header has. IPv6: in the octet that says which header comes
# next, a bit tells parts (44), whose header is 8 bytes long, from UDP (17).
_VNI = {4: "0x0>>0x16&0x3c@0xc>>0x8", 6: "0x3&0x8@0x34>>0x8"}
# The first of several parts, which are of UDP and nothing between, and reaches as far as the VNI; and which headers come first that show it.
_SHOWN = "0x3&0xff=0x2c&&0x28>>0x18=0x11&&0x3c=0x0:0xffffffff"
_PLAIN = "0x3&0xff=0x11,0x2c"
_NUMBER = re.compile(r"0x[0-9a-f]{1,6}")


def _hidden(tunnels: Iterable[Tunnel]) -> List[Words]:
    """Return the rules that drop packets of IPv6 that do not show their VNI."""
    note = noted(ANY_MARK)
    return [
        ("-m", "frag", "--fragfirst", "-m", "u32", "!", "--u32", _SHOWN, *note, "-j", "DROP"),
        *(
            (*_port(port), "-m", "u32", "!", "--u32", _PLAIN, *note, "-j", "DROP")
            for port in sorted({tunnel.port for tunnel in tunnels})
        ),
    ]


def _port(port: int) -> Words:
    return ("-p", "udp", "-m", "udp", "--dport", str(port))


def render(family: int, tunnels: Iterable[Tunnel], layout: Layout) -> None:
    """Add the tunnels, as far as packets of an address family are concerned."""
    known = sorted(tunnels, key=lambda tunnel: tunnel.key)
    if not known:
        return
    rules: List[Words] = [("!", "-p", "udp", *noted(ANY_MARK), "-j", "RETURN")]
    rules += _hidden(known) if family == 6 else []
    for tunnel in known:
        frames = (*_port(tunnel.port), "-m", "u32", "--u32", "%s=0x%x" % (_VNI[family], tunnel.vni))
        for peer in tunnel.peers:
            if family_of(peer) == family:
                source = ("-s", "%s/%d" % (peer, {4: 32, 6: 128}[family]))
                rules.append((*source, *frames, *noted(MARK + tunnel.owner), "-j", "RETURN"))
        rules.append((*frames, *noted(tunnel.marked), "-j", "DROP"))
    layout.chains["mangle", TUNNEL] = rules
    layout.calls.append(("mangle", "INPUT", (*noted(ANY_MARK), "-j", TUNNEL)))


def _key(rule: Words, family: int) -> Optional[Tuple[int, int]]:
    """Return the port and the VNI that a rule of ours is about, None where it says something that we never write."""
    where, dummy, number = option(rule, "--u32").rpartition("=")
    port = option(rule, "--dport")
    if not comment(rule).startswith(MARK) or where != _VNI[family] or not _NUMBER.fullmatch(number):
        return None
    return (int(port), int(number, 16)) if re.fullmatch("[0-9]{1,5}", port) else None


def read(saved: Mapping[int, Tables]) -> List[Tunnel]:
    """Return the tunnels in the tables of both address families. Of what is only half there, the half that is makes one."""
    peers: Dict[Tuple[int, int], List[str]] = {}
    said: Dict[Tuple[int, int], Tuple[str, str]] = {}
    for family, tables in saved.items():
        for rule in rules_of(tables.get("mangle", {}), TUNNEL):
            key = _key(rule, family)
            if key is None:
                continue
            found = peers.setdefault(key, [])
            peer, dummy, length = option(rule, "-s").partition("/")
            if target(rule) == "DROP" or key not in said:
                said[key] = owner_of(comment(rule))
            if target(rule) == "RETURN" and length == {4: "32", 6: "128"}[family] and is_address(peer, family):
                found.append(peer)
    return [Tunnel(vni, port, in_order(peers[port, vni]), *told) for (port, vni), told in said.items()]
