# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The elements of our sets and maps in nftables: published ports, isolated bridges, marks; to nft's syntax and back from its JSON. Pure."""

from __future__ import annotations

import ipaddress
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_json import (
    comment_of,
    element,
    fields,
    listed,
    text_of,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_static import (
    INSIDE_SETS,
    IP,
    ISOLATION_SETS,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import ports, prefix
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    CHECKED,
    EVERYWHERE,
    MARK,
    Allowance,
    Isolation,
    PortMapping,
    Tunnel,
    Uplink,
    family_of,
    in_order,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import UPLINK_BITS, UPLINK_SHIFT

MAPS = (
    "publish_",
    "vrf_",
)  # begin the names of the maps of published ports: of those that are on addresses in a VRF, the second
TUNNEL_SETS = ("peers_ip", "peers_ip6", "tunnels")
HAIRPIN = "linuxnet-hairpin|"  # begins the comment of a port's note, which its bridge follows

# --- to nft ---


def map_of(mapping: PortMapping) -> str:
    """Return the name of the map that a port mapping is in."""
    where = MAPS[mapping.vrf]
    return "%s%s%s" % (where, IP[mapping.family][0], "_port" if mapping.to_port else "")


def key_of(mapping: PortMapping) -> str:
    """Return what a port mapping is known by in its map."""
    return "%s . %s . %s" % (mapping.protocol, mapping.host_ip, mapping.ports)


def mapping_text(mapping: PortMapping) -> str:
    """Return a port mapping as an element of its map."""
    port = " . %d" % mapping.to_port if mapping.to_port else ""
    return '%s comment "%s" : %s%s' % (key_of(mapping), mapping.marked, mapping.to, port)


def traits(isolation: Isolation) -> List[str]:
    """Return the sets that an isolated bridge is in."""
    held = (True, isolation.icc, not isolation.isolate, isolation.internal)
    return [name for name, holds in zip(ISOLATION_SETS, held) if holds]


def member(name: str, bridge: str) -> str:
    """Return what an isolated bridge is known by in a set."""
    return pair(bridge) if name == "icc" else quoted(bridge)


def members_of(isolation: Isolation) -> Dict[str, str]:
    """Return the elements that say what is let through to a bridge, by set."""
    members = {name: member(name, isolation.bridge) for name in traits(isolation)}
    members["closed"] += ' comment "%s"' % isolation.marked
    return members


def inside_of(isolation: Isolation) -> Dict[str, List[str]]:
    """Return the elements that say what is inside of an isolated network, by set. All end with the bridge."""
    bridge = isolation.bridge
    found: Dict[str, List[str]] = {name: [] for name in INSIDE_SETS}
    for family, (ip, dummy) in IP.items():
        found["inside_" + ip] = [inside_text(way, source, bridge) for way, source in isolation.ways(family)]
        found["insiders_" + ip] = [inside_text("", source, bridge) for source in isolation.insiders(family)]
    found["local"] = [inside_text(bridge, "", bridge)] if isolation.inside else []
    found["alone"] = [inside_text(way, "", bridge) for way in isolation.only]
    return found


def reserved(isolations: Iterable[Isolation]) -> List[str]:
    """Return the elements that say by which interfaces nothing goes but what is inside."""
    return sorted({quoted(way) for isolation in isolations for way in isolation.only})


def inside_text(way: str, source: str, bridge: str) -> str:
    """Return an element of a set of `INSIDE_SETS`, of which not all have a way, nor a source (CIDR): nft writes a single address as that."""
    address, dummy, bits = source.partition("/")
    network = address if bits == ("128" if ":" in address else "32") else source
    return " . ".join(part for part in (way and quoted(way), network, quoted(bridge)) if part)


def marking(allowance: Allowance) -> str:
    """Return an allowance as an element of the map of marks."""
    mark = allowance.by.partition("/")[0]
    return '"%s" comment "%s%s|%s" : %s' % (allowance.name, MARK, allowance.owner, allowance.by, mark)


def numbered(uplink: Uplink) -> str:
    """Return an uplink as an element of its map."""
    return '"%s" comment "%s" : 0x%08x' % (uplink.interface, uplink.marked, uplink.number << UPLINK_SHIFT)


def through(tunnels: Iterable[Tunnel]) -> Dict[str, List[str]]:
    """Return tunnels as elements of their sets, by set."""
    found: Dict[str, List[str]] = {name: [] for name in TUNNEL_SETS}
    for tunnel in tunnels:
        frames = "%d . 0x%x" % (tunnel.port, tunnel.vni)
        for peer in tunnel.peers:
            element_ = '%s . %s comment "%s%s"' % (frames, peer, MARK, tunnel.owner)
            found["peers_%s" % IP[family_of(peer)][0]].append(element_)
        found["tunnels"].append('%s comment "%s"' % (frames, tunnel.marked))
    return found


def notes(bridges: Iterable[str], ports: Iterable[Tuple[str, str]]) -> List[str]:
    """Return the elements of the set localnet: what we switched on, of bridges route_localnet and of their ports (port, bridge) hairpin."""
    return [*map(quoted, bridges), *('"%s" comment "%s%s"' % (port, HAIRPIN, bridge) for port, bridge in ports)]


def quoted(name: str) -> str:
    """Return the name of an interface as nft reads it."""
    return '"%s"' % name


def pair(bridge: str) -> str:
    """Return a bridge as both ways, in and out."""
    return '"%s" . "%s"' % (bridge, bridge)


# --- from nft ---


def named(item: Any) -> str:
    """Return an element of a set of interfaces, or of pairs of them, as it is written; ``""`` for anything else."""
    value = element(item)
    names = listed(fields(value).get("concat")) or [value]
    return " . ".join(map(quoted, names)) if all(map(text_of, names)) else ""


def read_inside(name: str, item: Any) -> Optional[Tuple[str, str, str]]:
    """Return (way, source, bridge) of an element of a set of `INSIDE_SETS`, ``""`` for what that has not; None for one that we never write."""
    parts = listed(fields(element(item)).get("concat"))
    named, networks = not name.startswith("insiders"), name.startswith("inside")
    if len(parts) != 1 + named + networks:
        return None
    way, source, bridge = text_of(parts[0]) if named else "", prefix(parts[-2]) if networks else "", text_of(parts[-1])
    return (way, source, bridge) if bridge and bool(way) == named and bool(source) == networks else None


def bridge_of(item: Any) -> str:
    """Return the interface that an element of a set is, or that it is a pair of."""
    value = element(item)
    names = listed(fields(value).get("concat"))
    return text_of(names[0]) if names else text_of(value)


def owner_of(comment: str) -> Tuple[str, str]:
    """Return the owner in a comment of ours, and what follows it."""
    owner, dummy, rest = comment[len(MARK) :].partition("|") if comment.startswith(MARK) else ("", "", "")
    return owner, rest


class Addresses:
    """Which texts are addresses. Many mappings have the same ones."""

    def __init__(self) -> None:
        self._known: Dict[str, bool] = {}

    def has(self, text: str) -> bool:
        if text not in self._known:
            try:
                self._known[text] = bool(ipaddress.ip_address(text))
            except ValueError:
                self._known[text] = False
        return self._known[text]

    def host(self, value: Any) -> str:
        """Return the address, or the network of all, that a port is published on, ``""`` for anything else."""
        if isinstance(value, str):
            return value if self.has(value) else ""
        inner = fields(fields(value).get("prefix"))
        network = "%s/%s" % (inner.get("addr"), inner.get("len"))
        return network if network in EVERYWHERE.values() else ""


def read_mapping(key: Any, value: Any, addresses: Addresses, vrf: bool = False) -> Optional[PortMapping]:
    """Return the port mapping that an element is, None where it is another one than we write. ``vrf``: it is in a map of those in a VRF."""
    parts = listed(fields(element(key)).get("concat"))
    goal = listed(fields(value).get("concat")) or [value, 0]
    if len(parts) != 3 or len(goal) != 2 or not isinstance(goal[1], int):
        return None
    protocol, (first, last), to = text_of(parts[0]), ports(parts[2]), text_of(goal[0])
    host_ip = addresses.host(parts[1])
    if not (protocol and first and host_ip and addresses.has(to)) or family_of(host_ip) != family_of(to):
        return None
    owner, rest = owner_of(comment_of(key))
    bridge, dummy, comment = rest.partition("|")
    return PortMapping(protocol, host_ip, first, last, to, goal[1], owner, bridge, comment, vrf)


def read_allowance(key: Any, value: Any) -> Allowance:
    """Return the allowance that an element is; it says no mark where it has another than its comment says."""
    owner, by = owner_of(comment_of(key))
    try:
        known = int(by.partition("/")[0], 0) == value
    except ValueError:
        known = False
    return Allowance("mark", bridge_of(key), 0, by if known else "", owner)


def read_uplink(family: int, key: Any, value: Any) -> Uplink:
    """Return the uplink that an element is; its number is 0 where its mark is not one that we write."""
    owner, rest = owner_of(comment_of(key))
    checked, dummy, comment = rest.partition("|")
    known = isinstance(value, int) and not value & ~UPLINK_BITS
    return Uplink(family, bridge_of(key), value >> UPLINK_SHIFT if known else 0, checked == CHECKED, owner, comment)


def frames_of(name: str, item: Any) -> str:
    """Return an element of a set of tunnels, or of their peers, as it is written; ``""`` for anything else."""
    parts = listed(fields(element(item)).get("concat"))
    try:
        port, vni = (int(str(part), 0) for part in parts[:2])
        peers = [part for part in map(text_of, parts[2:]) if ipaddress.ip_address(part)]
    except ValueError:
        return ""
    if min(port, vni) < 0 or len(parts) != (2 if name == "tunnels" else 3):
        return ""
    comment = ' comment "%s"' % comment_of(item) if comment_of(item) else ""
    return " . ".join([str(port), "0x%x" % vni, *peers]) + comment


def read_tunnels(sets: Mapping[str, Sequence[str]]) -> List[Tunnel]:
    """Return the tunnels whose elements, as they are written, are in sets. Of what is only half there, peers of ours make one as well."""
    peers: Dict[str, List[str]] = {}
    told: Dict[str, str] = {}  # the comments
    for written in sets.get("tunnels", ()):
        frames, dummy, comment = written.partition(" comment ")
        told[frames] = comment.strip('"')
    for name in TUNNEL_SETS[:2]:
        for written in sets.get(name, ()):
            element_, dummy, comment = written.partition(" comment ")
            frames, dummy, peer = element_.rpartition(" . ")
            peers.setdefault(frames, []).append(peer)
            if comment.startswith('"' + MARK):
                told.setdefault(frames, comment.strip('"'))
    found = []
    for frames, comment in told.items():
        port, dummy, vni = frames.partition(" . ")
        found.append(Tunnel(int(vni, 16), int(port), in_order(peers.get(frames, ())), *owner_of(comment)))
    return found
