# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A network of the role's list, checked, and what it asks of the modules. Pure."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import (
    IpAddress,
    IpNetwork,
    address,
    default_gateway,
    network,
    usable,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import known_name, new_name
from ansible_collections.linuxnet.containers.plugins.module_utils._model.values import IPV6_MTU, natural, route_table
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import ns_route
from ansible_collections.linuxnet.containers.plugins.module_utils._run.validation import parsed, validator
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import Item
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.variables import NETWORK


@dataclass(frozen=True)
class Subnet:
    """A subnet of a network. ``gateway`` is ``""`` where nobody is one; ``range`` is where container addresses come from, None for all of
    it; ``exclude`` is never given out."""

    net: IpNetwork
    gateway: str
    range: Optional[str]
    exclude: Tuple[str, ...]


def broadcast(net: IpNetwork) -> Item:
    """Return the option that gives an address of a network its broadcast address, none where there is no such address."""
    return {"broadcast": str(net.broadcast_address)} if net.version == 4 and net.prefixlen < 31 else {}


def means_ipv6(route: Mapping[str, Any]) -> bool:
    """Return whether a route that is asked for is one of IPv6."""
    ways = [route, *(route["nexthops"] if isinstance(route.get("nexthops"), list) else [])]
    texts = [str(way.get(name) or "") for way in ways if isinstance(way, Mapping) for name in _OF_A_FAMILY]
    return route.get("family") == "ipv6" or any(":" in text for text in texts)


_OF_A_FAMILY = ("destination", "gateway", "source")

# Options by the drivers that have a use for them.
OF_SHARED = dict.fromkeys(("host_prefix", "underlay", "uplinks", "vni"), "routed or vxlan")
OF_PARENTS = dict.fromkeys(("parent", "mode", "host_interface", "host_addresses"), "macvlan or ipvlan")
OF_BRIDGES = dict.fromkeys(
    ("vlan_filtering", "isolate", "icc", "spoof_check", "outbound_ipv4", "outbound_ipv6", "host_access"),
    "bridge, routed or vxlan",
)


class Network:
    """A network; ``spec`` is its entry in canonical form. Raises `Invalid` when it is made."""

    # Options that mean nothing for such a network, each with the drivers that it is for.
    useless: Mapping[str, str] = {**OF_SHARED, **OF_PARENTS}
    bridged = True  # whether its containers are on a bridge of the host, else on the segment of an interface of it, the parent
    parent = ""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self.spec = spec
        self.present = spec["state"] != "absent"
        self.unmanaged = spec["unmanaged"]
        self.name = (known_name if self.unmanaged else new_name)(spec["name"], "wiring_networks")
        option = next(
            (name for name in self.useless if spec.get(name) not in (None, NETWORK[name].get("default"))), None
        )
        if option is not None and self.present:
            raise self._refusal("%s: it is for driver: %s." % (option, self.useless[option]))
        self.internal = spec["internal"]
        self.pooled = spec["addressing"] != "none"
        for route in spec["routes"]:
            if "netns" in route:
                raise self._refusal("routes: netns is set by the role; leave it out.")
            try:  # here, since a container's own routes are items of the same step
                parsed(ns_route.RESOURCE, validator(ns_route.RESOURCE), {"interface": "eth0", **route})
            except Invalid as error:
                raise self._refusal("routes: %s" % error) from error
        self.trunks = self._trunks() if spec["ports"] else []
        self.mtu = spec["mtu"] or NETWORK["mtu"]["default"]
        self.subnets = self._subnets()
        # Whether the bridge gets an address of the host's; without one the host forwards nothing.
        self.host_access = spec["host_access"] and bool(self.subnets)
        # The vrf that it is in, empty for none, None where that is as it is.
        self.vrf: Optional[str] = spec.get("vrf")
        if spec.get("vrf_table") is not None and not self.vrf:
            raise self._refusal("vrf_table: it is for vrf, which is not given.")
        # The table of that vrf, where it is to be made if it is not there, else None.
        self.vrf_table = self._vrf_table()
        if self.vrf and self.present:
            self._check_vrf()

    @property
    def claims(self) -> List[IpNetwork]:
        """Return the subnets that no other network of the host can have."""
        return [subnet.net for subnet in self.subnets]

    @property
    def is_gateway(self) -> bool:
        """Return whether the bridge has its subnets' gateway addresses, from us."""
        return self.host_access and not self.unmanaged

    @property
    def forwarded(self) -> bool:
        """Return whether the host forwards for the network: answers, what its containers send out, published ports."""
        return self.host_access and not self.internal

    def has_subnet(self, version: int) -> bool:
        """Return whether the network has a subnet of an address family (4 or 6)."""
        return any(subnet.net.version == version for subnet in self.subnets)

    def _refusal(self, text: str) -> Invalid:
        return Invalid("wiring_networks: network '%s': %s" % (self.name, text))

    def _option(self, name: str) -> str:
        """Return what an error calls an option."""
        return "wiring_networks: network '%s': %s" % (self.name, name)

    def _nets(self) -> List[IpNetwork]:
        """Return the subnets that are the host's."""
        return [network(cidr, self._option("subnets")) for cidr in self.spec["subnets"]]

    def _subnets(self) -> List[Subnet]:
        bare = next((text for text in self.spec["subnets"] if "/" not in text), None)
        if bare is not None:
            raise self._refusal("subnets: '%s' has no prefix length; write it as 172.17.0.0/16." % bare)
        nets = self._nets()
        if not nets and self.present and self.pooled:
            raise self._refusal("it needs at least one subnet in subnets, or addressing: none.")
        six = next((net for net in nets if net.version == 6 and self.present), None)
        if six is not None and (natural(self.mtu) or IPV6_MTU) < IPV6_MTU:
            raise self._refusal("mtu: %s is less than the %d bytes that IPv6 needs for %s." % (self.mtu, IPV6_MTU, six))
        for number, net in enumerate(nets):
            for earlier in nets[:number]:
                if net.overlaps(earlier):
                    raise self._refusal("its subnets %s and %s overlap." % (earlier, net))
        gateways = self._by_subnet("gateways", nets)
        ranges = self._by_subnet("ranges", nets)
        excluded: Sequence[str] = self.spec["exclude"]
        subnets = []
        for net in nets:
            if len(gateways[net]) > 1 or len(ranges[net]) > 1:
                option = "gateways" if len(gateways[net]) > 1 else "ranges"
                raise self._refusal("%s: there is more than one for the subnet %s." % (option, net))
            gateway = self._gateway(net, gateways[net])
            own = tuple(entry for entry in excluded if self._first(entry, "exclude").version == net.version)
            subnets.append(Subnet(net, gateway, ranges[net][0] if ranges[net] else None, own))
        return subnets

    def _gateway(self, net: IpNetwork, listed: Sequence[str]) -> str:
        """Return the address that the network's gateway has in a subnet: the one that is listed, else the host's; ``""`` where that has none."""
        if not listed:
            return str(default_gateway(net)) if self.spec["host_access"] else ""
        gateway = address(listed[0], self._option("gateways"))
        first, last = usable(net)
        if not int(first) <= int(gateway) <= int(last):
            raise self._refusal("the gateway %s is not an address a host can have in %s." % (gateway, net))
        return str(gateway)

    def _first(self, text: str, option: str) -> Any:
        """Return the first address of an address, a CIDR or a range."""
        return address(text.partition("-")[0].partition("/")[0], self._option(option))

    def _by_subnet(self, option: str, nets: Sequence[IpNetwork]) -> Dict[IpNetwork, List[str]]:
        """Return the entries of a list by the subnet they are in."""
        found: Dict[IpNetwork, List[str]] = {net: [] for net in nets}
        for text in self.spec[option]:
            home = next((net for net in nets if self._first(text, option) in net), None)
            last = text.partition("-")[2]
            if home is None or (last and address(last, self._option(option)) not in home):
                raise self._refusal("%s: %s is in none of its subnets." % (option, text))
            found[home].append(text)
        return found

    def _trunks(self) -> List[Item]:
        """Return the items of the ports that are listed. Those of VLANs are in these and no others, unless it is said otherwise. Raises `Invalid`."""
        # Here and not above: of use to few tasks.
        from ansible_collections.linuxnet.containers.plugins.module_utils._resources import bridge_port

        if self.present and (self.unmanaged or self.spec["driver"] != "bridge"):
            who = "unmanaged, for its owner gives the bridge its ports" if self.unmanaged else "driver: bridge alone"
            raise self._refusal("ports: %s." % ("not with " + who if self.unmanaged else "they are for " + who))
        found: Dict[str, Item] = {}
        for number, entry in enumerate(self.spec["ports"]):
            if entry.get("interface") is None:
                raise self._refusal("ports: item %d has no interface." % (number + 1))
            name = known_name(str(entry["interface"]), self._option("ports: interface"))
            fixed = next((option for option in ("bridge", "netns", "only_ours") if option in entry), None)
            if fixed is not None:
                raise self._refusal("ports: %s is set by the role; leave it out." % fixed)
            if name in found:
                raise self._refusal("ports: %s is listed twice." % name)
            only = {"exclusive": True} if entry.get("vlans") is not None and entry.get("exclusive") is None else {}
            item = {**entry, **only, "interface": name, "bridge": self.name, "only_ours": True}
            try:
                want = parsed(bridge_port.RESOURCE, validator(bridge_port.RESOURCE), item)
            except Invalid as error:
                raise self._refusal("ports: %s: %s" % (name, error)) from error
            if want.vlans is not None and want.present and self.present and not self.spec.get("vlan_filtering"):
                raise self._refusal("ports: %s: vlans need vlan_filtering: true of the network." % name)
            found[name] = item
        return list(found.values())

    def _check_vrf(self) -> None:
        """Raise `Invalid` for what a network in a vrf cannot be: what comes from it is to the firewall from the vrf, and no more from the bridge."""
        known_name(self.vrf or "", self._option("vrf"))
        if self.unmanaged or self.spec["driver"] != "bridge":
            what = "unmanaged" if self.unmanaged else "driver: %s" % self.spec["driver"]
            raise self._refusal("vrf: not with %s, for it is the role's own bridge that is in it." % what)
        if self.spec.get("isolate") is False and self.forwarded:
            raise self._refusal(
                "vrf: not with isolate: false, for iptables sees what comes from it as from the vrf, and could not tell what is to be let "
                "through to other networks."
            )

    def _vrf_table(self) -> Optional[int]:
        if self.spec.get("vrf_table") is None:
            return None
        new_name(self.vrf or "", self._option("vrf"))
        return route_table(self.spec["vrf_table"], self._option("vrf_table"))

    def vrfs(self, present: bool) -> List[Item]:
        """Return the item of the vrf that it is in, none where that is the host's own. One that is somebody else's by then is used as it is."""
        if self.vrf_table is None:
            return []
        item: Item = {"name": self.vrf, "kind": "vrf", "owner": self.name}
        if not present:
            return [{**item, "only_ours": True, "state": "absent"}]
        return [{**item, "table": str(self.vrf_table), "as_is": True}]

    def mtu_options(self) -> Item:
        """Return the options of a link of the network that say what its MTU is."""
        return {"mtu": self.mtu}

    def ended(self) -> Dict[str, List[Item]]:
        """Return the items, by step of the teardown, that take away what the network has beside its bridge and rules, and is not to have any more."""
        return {}

    def links(self) -> List[Item]:
        """Return the items of links that the network has beside its bridge."""
        return []

    def ports(self) -> List[Item]:
        """Return the items of ports of its bridge that are no container's, and of the bridge itself."""
        return self.trunks

    def beyond(self) -> List[Tuple[IpNetwork, Subnet]]:
        """Return what of the network is not on a container's link, each with the subnet whose gateway leads there."""
        return []

    def elsewhere(self, own: IpAddress) -> str:
        """Return the host whose containers alone can have an address, ``""`` where it is for those here."""
        return ""

    def routes(self) -> List[Item]:
        """Return the items of routes of the host's."""
        return []

    def bridge(self, present: bool) -> List[Item]:
        """Return the item of the bridge, none where the bridge is somebody else's."""
        if self.unmanaged:
            return []
        item: Item = {"name": self.name, "only_ours": True}
        if not present:
            held = [port["interface"] for port in self.trunks if port["interface"] != self.name]
            return [dict(item, state="absent", **({"released": held} if held else {}))]
        item.update(**self.mtu_options(), accept_ra=False)
        if not (self.host_access and self.has_subnet(6)):
            item["ipv6"] = False
        if self.vrf is not None:
            item["master"] = self.vrf
        if "vlan_filtering" in self.spec:
            item["vlan_filtering"] = self.spec["vlan_filtering"]
        return [item]

    def gateways(self) -> List[Item]:
        """Return an item a subnet: the host's address in it. Where the host is to have none, the item that takes ours away."""
        if self.unmanaged:
            return []
        if not self.host_access:
            return [{"interface": self.name, "state": "absent", "supersede": True}]
        return [
            {
                "interface": self.name,
                "address": "%s/%d" % (subnet.gateway, subnet.net.prefixlen),
                "bridge": self.name,
                "nodad": True,
                "supersede": True,
                **broadcast(subnet.net),
            }
            for subnet in self.subnets
        ]

    def isolation(self, present: bool) -> Item:
        """Return the item of the isolation policy, or of its end."""
        item: Item = {"type": "filter", "bridge": self.name, "owner": self.name}
        if not present or self.unmanaged:
            return dict(item, state="absent")
        apart = {name: self.spec.get(name, True) for name in ("isolate", "icc")}
        kept_in = {"vrf": True} if self.vrf and not self.forwarded else {}
        return {**item, **apart, "internal": not self.forwarded, **kept_in}

    def nat(self, present: bool) -> List[Item]:
        """Return the item of the isolation policy, and an item of source NAT a subnet; without any the item that ends what there was.
        Both are known by their owner, the network: what is of a subnet that it had before goes."""
        isolation = self.isolation(present)
        if not present or not self.spec["masquerade"] or not self.forwarded:
            return [isolation, {"owner": self.name, "state": "absent"}]
        items = [isolation]
        for subnet in self.subnets:
            item: Item = {
                "source": str(subnet.net),
                "owner": self.name,
                "out_interface": "!" + self.name,
                "exclusive": True,
            }
            outbound = self.spec.get("outbound_ipv%d" % subnet.net.version)
            if outbound:
                item.update(type="snat", to_address=outbound)
            items.append(item)
        return items
