# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Networks that several hosts share, and what they ask of the modules on one of them. Pure.

A network is *routed* where each host has a slice of its subnets behind the bridge, as if that were the whole, and routes to the others' slices: straight to
a neighbour on the underlay, else by a tunnel. It is *vxlan* where the bridges of all hosts are one segment, which the tunnel joins, and each host gives its
containers addresses from its slice.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Dict, List, Mapping, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import (
    IpAddress,
    IpNetwork,
    network_text,
    usable,
    without,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import (
    known_name,
    tunnel_interface,
    tunnel_number,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import fleet
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.networks import (
    OF_PARENTS,
    Network,
    Subnet,
    broadcast,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import Item

_OVERHEAD = {4: 50, 6: 70}  # bytes of a packet that the tunnel takes, by the address family of the underlay
_LAST_VNI = 0xFFFFFF


def network_of(spec: Mapping[str, Any], shares: bool = False) -> Network:
    """Return the network of an entry in canonical form. ``shares``: the host shares networks, so that one that is not shared may have been. Raises
    `Invalid`."""
    if spec["driver"] != "bridge" and spec["state"] != "absent":
        if spec["uplinks"] and spec["underlay"] != "routed":
            raise Invalid("wiring_networks: network '%s': uplinks: they are for underlay: routed." % spec["name"])
        announced = spec["driver"] == "routed" and spec["underlay"] == "routed"
        return (Announced if announced else Routed if spec["driver"] == "routed" else Segment)(spec)
    return Ended(spec) if shares or spec["driver"] != "bridge" else Network(spec)


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


class Shared(Network):
    """A network that hosts share; ``whole`` are its subnets, ``parts`` what each host has of them, ``own`` what this one has."""

    whole: Tuple[IpNetwork, ...]
    parts: List[fleet.Part]
    own: fleet.Part
    tunnelled = True  # whether there is a tunnel
    useless = OF_PARENTS

    def _nets(self) -> List[IpNetwork]:
        nets = super()._nets()
        driver = "driver: %s" % self.spec["driver"]
        if self.unmanaged:
            raise self._refusal("unmanaged: not with %s, for its bridge is to be the host's own." % driver)
        if not nets or not self.pooled:
            raise self._refusal("%s needs subnets, and addressing: pool." % driver)
        if not self.spec.get("fleet"):
            raise self._refusal("%s needs wiring_fleet, the hosts that share it." % driver)
        if not 0 < self.vni <= _LAST_VNI:
            raise self._refusal("vni: %d is out of bounds; it must be from 1 to %d." % (self.vni, _LAST_VNI))
        self.whole = tuple(nets)
        try:
            hosts = fleet.members(self.spec["fleet"])
            here = fleet.this_host(hosts, self.spec.get("underlay_address"))
            self.parts = fleet.parts(nets, fleet.prefixes(nets, self.spec["host_prefix"]), hosts)
        except Invalid as error:
            text = str(error)
            raise (error if text.startswith("wiring_") else self._refusal(text)) from error
        within = next(((host, net) for host in hosts for net in nets if host.within(net)), None)
        if within is not None:
            text = "the underlay address %s of host '%s' is in its own subnet %s; the tunnel would go through itself."
            raise self._refusal(text % (within[0].address, within[0].name, within[1]))
        self.own = next(part for part in self.parts if part.member is here)
        return self._here()

    def _here(self) -> List[IpNetwork]:
        """Return the subnets that are behind the bridge."""
        return [*self.whole]

    @property
    def claims(self) -> List[IpNetwork]:
        return [*self.whole]

    @cached_property
    def others(self) -> List[fleet.Part]:
        """Return what the other hosts have."""
        return [part for part in self.parts if part is not self.own]

    @property
    def peers(self) -> List[str]:
        """Return the addresses of the other hosts."""
        return [part.member.address for part in self.others]

    @property
    def tunnel(self) -> str:
        return tunnel_interface(self.name)

    @property
    def vni(self) -> int:
        given = self.spec.get("vni")
        return tunnel_number(self.name) if given is None else int(given)

    def mtu_options(self) -> Item:
        """With a tunnel it is what passes through that, also where all hosts are neighbours today: one that comes changes nothing for the others."""
        if self.mtu != "auto":
            return super().mtu_options()
        less = {"mtu_less": _OVERHEAD[self.own.member.version]} if self.tunnelled else {}
        return {"mtu": "auto", "mtu_of": self.own.member.address, **less}

    def links(self) -> List[Item]:
        if not self.tunnelled:
            return []
        item: Item = {"name": self.tunnel, "kind": "vxlan", "vni": self.vni, "local": self.own.member.address}
        # What cannot be changed in place (vni, the underlay's address family) is made anew: later steps give it all that it had.
        return [{**item, "peers": self.peers, "mtu": "auto", "only_ours": True, "recreate": True}]

    def nat(self, present: bool) -> List[Item]:
        isolation, *rules = super().nat(present)
        if not self.tunnelled:
            return [isolation, *rules]
        tunnel = {"type": "tunnel", "owner": self.name, "vni": self.vni, "peers": self.peers, "exclusive": True}
        return [isolation, tunnel, *rules]


class Routed(Shared):
    """The host's slices are behind the bridge, as if there were no more."""

    def _here(self) -> List[IpNetwork]:
        if self.internal or not self.spec["host_access"]:
            option = "internal" if self.internal else "host_access"
            raise self._refusal("%s: not with driver: routed, for it is forwarded between its hosts." % option)
        self.tunnelled = self.spec["underlay"] in ("auto", "vxlan")
        version = self.own.member.version
        straight = self.spec["underlay"] == "direct"
        strange = [net for net in self.whole if straight and net.version != version]
        if strange:
            raise self._refusal(
                "underlay: direct: %s is IPv%d, and the hosts' addresses are IPv%d; with auto it goes by the tunnel."
                % (strange[0], strange[0].version, version)
            )
        return list(self.own.slices)

    def ended(self) -> Dict[str, List[Item]]:
        """Return the items that take away what is not asked for any more: routes to those who are gone, and without a tunnel that."""
        (gone,) = ended(self.name)["route"]
        keep = [network_text(net) for part in self.others for net in part.slices]
        found = {"route": [dict(gone, keep=keep)]}
        return found if self.tunnelled else {**ended(self.name), **found}

    def links(self) -> List[Item]:
        return [dict(item, master="") for item in super().links()]

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
        sources = {network_text(subnet.net): subnet.gateway for subnet in self.subnets}
        found = []
        for part in self.others:
            for own, net in zip(self.own.slices, part.slices):
                item: Item = {"destination": network_text(net), "source": sources[network_text(own)]}
                if self.tunnelled:
                    item.update(gateway=str(net.network_address), interface=self.tunnel, onlink=True)
                found.append({**item, **self._straight(part, net)})
        return found

    def beyond(self) -> List[Tuple[IpNetwork, Subnet]]:
        return [*zip(self.whole, self.subnets)]

    def _straight(self, part: fleet.Part, net: IpNetwork) -> Item:
        """Return the option by which a neighbour on the underlay is sent to straight, nothing where that cannot be."""
        if self.spec["underlay"] == "vxlan" or part.member.version != net.version:
            return {}
        return {"direct_gateway": part.member.address}

    def isolation(self, present: bool) -> Item:
        """Without ``icc`` nobody is let in from elsewhere, nor under the name of who is inside there."""
        together = self.spec.get("icc", True)
        way = {"interface": self.tunnel, "only": True} if self.tunnelled and together else {}
        inside: List[Item] = [{"source": network_text(net)} for net in self.own.slices]
        for part in self.others:
            straight = [self._straight(part, net) if together else {} for net in part.slices]
            inside += [{"source": network_text(net), **way, **how} for net, how in zip(part.slices, straight)]
        return dict(super().isolation(present), inside=inside)

    def nat(self, present: bool) -> List[Item]:
        whole = {network_text(own): network_text(net) for own, net in zip(self.own.slices, self.whole)}
        return [
            dict(item, exclude=[whole[item["source"]]]) if "source" in item else item for item in super().nat(present)
        ]


class Announced(Routed):
    """A routing daemon tells others of the host's slices, which are networks of the bridge, and has the routes to theirs. So the host knows of no other one:
    what is of the subnets and not its own comes by the uplinks, whoever has it, and who comes or goes changes nothing here."""

    def _here(self) -> List[IpNetwork]:
        if not self.spec["uplinks"]:
            raise self._refusal(
                "underlay: routed needs uplinks, the interfaces by which the network's other slices come."
            )
        self.uplinks = [known_name(name, self._option("uplinks")) for name in dict.fromkeys(self.spec["uplinks"])]
        if self.name in self.uplinks:
            raise self._refusal("uplinks: %s is its own bridge." % self.name)
        member = self.own.member
        entry = {"name": member.name, "underlay_address": member.address, "slice": member.number}
        # What the host keeps of this for a boot.
        self.spec = {**self.spec, "fleet": [{name: value for name, value in entry.items() if value is not None}]}
        return super()._here()

    @cached_property
    def others(self) -> List[fleet.Part]:
        return []

    def isolation(self, present: bool) -> Item:
        item = super().isolation(present)
        rest = [net for whole, own in zip(self.whole, self.own.slices) for net in without(whole, own)]
        ways = [{"source": network_text(net), "interface": uplink} for uplink in self.uplinks for net in rest]
        return dict(item, inside=[*item["inside"], *ways])


class Segment(Shared):
    """The whole subnets are behind the bridges of all hosts, which are one segment.

    The gateway is everybody's own: each bridge has its address, and questions for it do not leave by the tunnel (``neigh_suppress``). For itself the host
    has one of its slice, else containers elsewhere would learn that the gateway is here.
    """

    def _here(self) -> List[IpNetwork]:
        if self.spec["underlay"] != "auto":
            raise self._refusal("underlay: with driver: vxlan there is nothing but the tunnel; leave it out.")
        return super()._here()

    def _subnets(self) -> List[Subnet]:
        found = []
        for subnet, own in zip(super()._subnets(), self.own.slices):
            if subnet.range is not None:
                raise self._refusal(
                    "ranges: with driver: vxlan each host gives addresses from its slice; leave it out."
                )
            host = str(self._host_address(subnet, own))
            found.append(Subnet(subnet.net, subnet.gateway, network_text(own), (*subnet.exclude, host)))
        return found

    @staticmethod
    def _host_address(subnet: Subnet, own: IpNetwork) -> IpAddress:
        """Return the host's own address: the first of its slice that is not the gateway's."""
        first = usable(own)[0]
        return first + 1 if str(first) == subnet.gateway else first

    def elsewhere(self, own: IpAddress) -> str:
        return next((part.member.name for part in self.others for net in part.slices if own in net), "")

    def ended(self) -> Dict[str, List[Item]]:
        return {"route": ended(self.name)["route"]}

    def isolation(self, present: bool) -> Item:
        """Who is inside comes by the segment, and by no other way."""
        return dict(super().isolation(present), inside=[{"source": network_text(net)} for net in self.whole])

    def ports(self) -> List[Item]:
        apart = {"isolated": not self.spec["icc"]} if "icc" in self.spec else {}
        return [{"bridge": self.name, "interface": self.tunnel, "neigh_suppress": True, **apart}]

    def gateways(self) -> List[Item]:
        if not self.host_access:
            return super().gateways()
        found = []
        for subnet, own in zip(self.subnets, self.own.slices):
            item: Item = {"interface": self.name, "bridge": self.name, "nodad": True, "supersede": True}
            address = self._host_address(subnet, own)
            found.append({**item, "address": "%s/%d" % (address, subnet.net.prefixlen), **broadcast(subnet.net)})
            # Without a network of its own, and as one that is passed over (RFC 6724, 5, rule 3), so that nothing is sent from it; unannounced, for the tunnel.
            alone = {"address": "%s/%d" % (subnet.gateway, subnet.net.max_prefixlen), "announce": False}
            found.append({**item, **alone, **({"preferred_lft": "0"} if subnet.net.version == 6 else {})})
        return found
