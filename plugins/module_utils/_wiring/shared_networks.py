# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Networks that several hosts share, and what they ask of the modules on one of them. Pure.

A network is *routed* where each host has a slice of its subnets behind the bridge, as if that were the whole, and routes to the others' slices: straight to
a neighbour on the underlay, else by a tunnel.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import IpNetwork, network_text
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import tunnel_interface, tunnel_number
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import fleet
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.networks import Network
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import Item
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.variables import NETWORK

_OVERHEAD = {4: 50, 6: 70}  # bytes of a packet that the tunnel takes, by the address family of the underlay
_OWN = ("host_prefix", "underlay", "vni")  # options that a network of one host has no use for


def network_of(spec: Mapping[str, Any], shares: bool = False) -> Network:
    """Return the network of an entry in canonical form. ``shares``: the host shares networks, so that one that is not shared may have been. Raises
    `Invalid`."""
    if spec["driver"] == "routed" and spec["state"] != "absent":
        return Routed(spec)
    network = Ended(spec) if shares or spec["driver"] != "bridge" else Network(spec)
    option = next((name for name in _OWN if spec.get(name) not in (None, NETWORK[name].get("default"))), None)
    if option is not None and network.present:
        raise Invalid("wiring_networks: network '%s': %s: it is for driver: routed or vxlan." % (network.name, option))
    return network


class Ended(Network):
    """A network that is not shared, and may have been."""

    def ended(self) -> Dict[str, List[Item]]:
        return ended(self.name)

    def isolation(self, present: bool) -> Item:
        item = super().isolation(present)
        return dict(item, inside=[]) if item.get("state") != "absent" else item


def ended(name: str) -> Dict[str, List[Item]]:
    """Return the items that take away what a network that is shared has beside another one, by step of the teardown."""
    tunnel = tunnel_interface(name)
    return {
        "route": [{"network": name, "interface": tunnel, "state": "absent"}],
        "link": [{"name": tunnel, "kind": "vxlan", "only_ours": True, "state": "absent"}],
        "nat": [{"type": "tunnel", "owner": name, "state": "absent"}],
    }


class Routed(Network):
    """Of a network that is routed the subnets are this host's slices; ``whole`` are those of all hosts."""

    whole: Tuple[IpNetwork, ...]
    parts: List[fleet.Part]
    own: fleet.Part

    def _nets(self) -> List[IpNetwork]:
        nets = super()._nets()
        for option, why in (
            ("unmanaged", "its bridge is to be the host's own"),
            ("internal", "it is forwarded between its hosts"),
        ):
            if self.spec[option]:
                raise self._refusal("%s: not with driver: routed, for %s." % (option, why))
        if not nets or not self.pooled or not self.spec["host_access"]:
            raise self._refusal("driver: routed needs subnets, addressing: pool and host_access.")
        if not self.spec.get("fleet"):
            raise self._refusal("driver: routed needs wiring_fleet, the hosts that share it.")
        self.whole = tuple(nets)
        try:
            hosts = fleet.members(self.spec["fleet"])
            here = fleet.this_host(hosts, self.spec.get("underlay_address"))
            self.parts = fleet.parts(nets, fleet.prefixes(nets, self.spec["host_prefix"]), hosts)
        except Invalid as error:
            text = str(error)
            raise (error if text.startswith("wiring_") else self._refusal(text)) from error
        self._check_underlay(hosts, nets)
        self.own = next(part for part in self.parts if part.member is here)
        return list(self.own.slices)

    def _check_underlay(self, hosts: Sequence[fleet.Member], nets: Sequence[IpNetwork]) -> None:
        strange = [net for net in nets if self.spec["underlay"] == "direct" and net.version != hosts[0].version]
        if strange:
            raise self._refusal(
                "underlay: direct: %s is IPv%d, and the hosts' addresses are IPv%d; with auto it goes by the tunnel."
                % (strange[0], strange[0].version, hosts[0].version)
            )

    @cached_property
    def others(self) -> List[fleet.Part]:
        """Return what the other hosts have."""
        return [part for part in self.parts if part is not self.own]

    @property
    def tunnelled(self) -> bool:
        """Return whether there is a tunnel."""
        return bool(self.spec["underlay"] != "direct")

    @property
    def tunnel(self) -> str:
        return tunnel_interface(self.name)

    @property
    def vni(self) -> int:
        return int(self.spec.get("vni") or tunnel_number(self.name))

    def mtu_options(self) -> Item:
        """With a tunnel it is what passes through that, also where all hosts are neighbours today: one that comes changes nothing for the others."""
        if self.mtu != "auto":
            return super().mtu_options()
        less = {"mtu_less": _OVERHEAD[self.own.member.version]} if self.tunnelled else {}
        return {"mtu": "auto", "mtu_of": self.own.member.address, **less}

    def ended(self) -> Dict[str, List[Item]]:
        """Return the items that take away what is not asked for any more: routes to those who are gone, and without a tunnel that."""
        (gone,) = ended(self.name)["route"]
        keep = [network_text(net) for part in self.others for net in part.slices]
        found = {"route": [dict(gone, keep=keep)]}
        return found if self.tunnelled else {**ended(self.name), **found}

    def links(self) -> List[Item]:
        if not self.tunnelled:
            return []
        return [
            {
                "name": self.tunnel,
                "kind": "vxlan",
                "vni": self.vni,
                "local": self.own.member.address,
                "peers": [part.member.address for part in self.others],
                "mtu": "auto",
                "master": "",
                "only_ours": True,
            }
        ]

    def gateways(self) -> List[Item]:
        """The tunnel has the address of the slice itself, which no container gets: the others' gateway to it."""
        own = [
            {
                "interface": self.tunnel,
                "address": "%s/%d" % (net.network_address, net.max_prefixlen),
                "nodad": True,
                "supersede": True,
            }
            for net in self.own.slices
        ]
        return [*super().gateways(), *(own if self.tunnelled else [])]

    def routes(self) -> List[Item]:
        sources = {subnet.net.version: subnet.gateway for subnet in self.subnets}
        found = []
        for part in self.others:
            for net in part.slices:
                item: Item = {"destination": network_text(net), "source": sources[net.version]}
                if self.tunnelled:
                    item.update(gateway=str(net.network_address), interface=self.tunnel, onlink=True)
                found.append({**item, **self._straight(part, net)})
        return found

    def _straight(self, part: fleet.Part, net: IpNetwork) -> Item:
        """Return the option by which a neighbour on the underlay is sent to straight, nothing where that cannot be."""
        if self.spec["underlay"] == "vxlan" or part.member.version != net.version:
            return {}
        return {"direct_gateway": part.member.address}

    def isolation(self, present: bool) -> Item:
        way = {"interface": self.tunnel, "only": True} if self.tunnelled else {}
        inside: List[Item] = [{"source": network_text(net)} for net in self.own.slices]
        for part in self.others:
            inside += [{"source": network_text(net), **way, **self._straight(part, net)} for net in part.slices]
        return dict(super().isolation(present), inside=inside)

    def nat(self, present: bool) -> List[Item]:
        isolation, *rules = super().nat(present)
        whole = {net.version: network_text(net) for net in self.whole}
        rules = [
            dict(rule, exclude=[whole[6 if ":" in rule["source"] else 4]]) if "source" in rule else rule
            for rule in rules
        ]
        if not self.tunnelled:
            return [isolation, *rules]
        peers = [part.member.address for part in self.others]
        tunnel = {"type": "tunnel", "owner": self.name, "vni": self.vni, "peers": peers, "exclusive": True}
        return [isolation, tunnel, *rules]
