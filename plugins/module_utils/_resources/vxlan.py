# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kind vxlan of the noun ns_link: what it floods to, what is left of the underlay's MTU, and who has its number already. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import underlay
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Flooded, Link
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import way
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link_of_kind import OfKind
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_link_want import (
    Difference,
    Have,
    Want,
    Way,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.parents import Place, of_kind
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

# Bytes that a frame is wrapped into: its own Ethernet header, VXLAN, UDP, and IPv4 or IPv6 (VXLAN_HEADROOM, VXLAN6_HEADROOM).
_OVERHEAD = {False: 50, True: 70}

_NO_ADDRESS = {False: "none, which is IPv4", True: "none, which is IPv6"}


def _is_ipv6(attributes: Mapping[str, Any]) -> bool:
    """Return whether a vxlan with these attributes sends by IPv6: its own address says so, or where it has none the one it was made for."""
    return ":" in (attributes.get("local") or attributes.get("group") or "")


class Vxlan(OfKind):
    own = {"peers": {"type": "list", "elements": "str"}}

    def parse(self, params: Mapping[str, Any]) -> Want:
        want = super().parse(params)
        if params.get("peers") is None:
            return want
        local, peers = want.attributes.get("local"), [underlay(one, "peers") for one in params["peers"]]
        for place, peer in enumerate(peers):
            if peer in peers[:place]:
                raise Invalid("peers: %s is given twice." % peer)
            if (":" in peer) != (":" in (local or peers[0])):
                raise Invalid("peers: %s is of another address family than %s." % (peer, local or peers[0]))
        if local in peers:
            raise Invalid("peers: %s is this end, as local says." % local)
        return replace(want, peers=tuple(sorted(peers)))  # their order means nothing

    def flooded(self, ns: int, link: Link, state: State) -> Tuple[Flooded, ...]:
        """Of one whose packets say for themselves where they go there is none; a multicast group is no peer."""
        found = () if link.get("external") else state.flooded(ns, link)
        return tuple(one for one in found if not ipaddress.ip_address(one.ip).is_multicast)

    def peers(self, have: Have, attributes: Mapping[str, Any]) -> Sequence[Flooded]:
        """An entry that leads out by the parent, or to the own port and number, is as one that does not say so."""
        return [_plain(one, have, attributes) for one in have.flooded]

    def ways(self, want: Want, asked: Mapping[str, Any], origin: int, state: State) -> Sequence[Way]:
        if want.peers:
            return [_towards(origin, peer, state) for peer in want.peers]
        return [way.of(origin, asked.get("local") or "", state)]

    def overhead(self, asked: Mapping[str, Any]) -> int:
        return _OVERHEAD[_is_ipv6(asked)]

    def obstacle(self, asked: Mapping[str, Any], place: Place, state: State) -> str:
        """The kernel has one vxlan of a number, port and address family in the namespace that its packets go by, wherever the devices are."""
        for ns, one in of_kind(self.noun, state):
            same = one.parent_ns == place.origin and all(one.get(key) == asked.get(key) for key in ("vni", "port"))
            if (ns, one.index) == place.now or not same or one.get("external"):
                continue
            if _is_ipv6(one.attributes) == _is_ipv6(asked):
                return (
                    "vni: %d is in use with port %d by '%s' in %s; take another number or port, or remove that one."
                    % (
                        *(asked["vni"], asked["port"]),
                        *(one.name, state.ref_of(ns)),
                    )
                )
        return ""

    def differences(self, want: Want, have: Have, link: Link) -> List[Difference]:
        found: List[Difference] = []
        local = want.attributes.get("local")
        if local and not link.get("external") and _is_ipv6(want.attributes) != _is_ipv6(link.attributes):
            found.append(("local", link.get("local") or _NO_ADDRESS[_is_ipv6(link.attributes)], local))
        if want.peers is None:
            return found
        if link.get("external"):
            return [*found, ("external", "true", "false, which peers need")]
        if link.get("group") and ipaddress.ip_address(link.get("group")).is_multicast:
            found.append(("group", link.get("group"), "none, which peers need"))
        return found

    def flooding(self, want: Want, have: Have, asked: Mapping[str, Any], anew: bool) -> Tuple[Flooded, ...]:
        family, there = _is_ipv6(asked), {} if anew else {_plain(one, have, asked): one for one in have.flooded}
        if want.peers is None:
            kept = (one for one in have.flooded if one == Flooded(one.ip) and (":" in one.ip) == family)
            return tuple(kept) if anew else have.flooded
        for peer in want.peers:
            if peer == asked.get("local"):
                raise Refused("peers: %s is this end, as '%s' in %s has it." % (peer, want.name, want.ns))
            if (":" in peer) != family:
                one = "IPv6" if family else "IPv4, which it is without local"
                text = "peers: %s is of another address family than '%s' in %s, whose own address (local) is %s."
                raise Refused(text % (peer, want.name, want.ns, asked.get("local") or one))
        plain = [Flooded(peer) for peer in want.peers]
        return tuple(sorted(one if one in have.flooded else there.get(one, one) for one in plain))


def _plain(entry: Flooded, have: Have, attributes: Mapping[str, Any]) -> Flooded:
    """Return an entry without what says what is so anyway."""
    own = {
        "port": attributes.get("port"),
        "vni": attributes.get("vni"),
        "via": have.link.parent_index if have.link else 0,
    }
    same: Dict[str, Any] = {name: 0 for name, value in own.items() if value and getattr(entry, name) == value}
    return replace(entry, **same)


def _towards(ns: int, ip: str, state: State) -> Way:
    """Return the way to an address, with the MTU of the route where it says one; the uplink where there is no route."""
    found = way.towards(ns, ip, state)
    if found is None:
        return way.of(ns, "", state)
    route, link = found
    return link, route.mtu or int(link.get("mtu"))
