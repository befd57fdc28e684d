# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A network of the role's list, checked, and what it asks of the modules. Pure."""

from __future__ import annotations

import ipaddress
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import (
    IpNetwork,
    address,
    default_gateway,
    network,
    usable,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import interface_name, known_name
from ansible_collections.linuxnet.containers.plugins.module_utils._model.values import IPV6_MTU, natural
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import Item
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.variables import NETWORK


@dataclass(frozen=True)
class Subnet:
    """A subnet of a network. ``range`` is where container addresses come from, None for all of it; ``exclude`` is never given out."""

    net: IpNetwork
    gateway: str
    range: Optional[str]
    exclude: Tuple[str, ...]


class Network:
    """A network; ``spec`` is its entry in canonical form. Raises `Invalid` when it is made."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self.spec = spec
        self.present = spec["state"] != "absent"
        self.unmanaged = spec["unmanaged"]
        self.name = (known_name if self.unmanaged else interface_name)(spec["name"], "wiring_networks")
        self.internal = spec["internal"]
        self.mtu = spec["mtu"] or NETWORK["mtu"]["default"]
        self.subnets = self._subnets()

    def _refusal(self, text: str) -> Invalid:
        return Invalid("wiring_networks: network '%s': %s" % (self.name, text))

    def _option(self, name: str) -> str:
        """Return what an error calls an option."""
        return "wiring_networks: network '%s': %s" % (self.name, name)

    def _subnets(self) -> List[Subnet]:
        bare = next((text for text in self.spec["subnets"] if "/" not in text), None)
        if bare is not None:
            raise self._refusal("subnets: '%s' has no prefix length; write it as 172.17.0.0/16." % bare)
        nets = [network(cidr, self._option("subnets")) for cidr in self.spec["subnets"]]
        if not nets and self.present:
            raise self._refusal("it needs at least one subnet in subnets.")
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
                raise self._refusal("more than one gateway or range for the subnet %s." % net)
            gateway = (
                str(address(gateways[net][0], self._option("gateways"))) if gateways[net] else str(default_gateway(net))
            )
            first, last = usable(net)
            if not int(first) <= int(ipaddress.ip_address(gateway)) <= int(last):
                raise self._refusal("the gateway %s is not an address a host can have in %s." % (gateway, net))
            own = tuple(entry for entry in excluded if self._first(entry, "exclude").version == net.version)
            subnets.append(Subnet(net, gateway, ranges[net][0] if ranges[net] else None, own))
        return subnets

    def _first(self, text: str, option: str) -> Any:
        """Return the first address of an address, a CIDR or a range."""
        return address(text.partition("-")[0].partition("/")[0], self._option(option))

    def _by_subnet(self, option: str, nets: Sequence[IpNetwork]) -> Dict[IpNetwork, List[str]]:
        """Return the entries of a list by the subnet they are in."""
        found: Dict[IpNetwork, List[str]] = {net: [] for net in nets}
        for text in self.spec[option]:
            home = next((net for net in nets if self._first(text, option) in net), None)
            if home is None:
                raise self._refusal("%s: %s is in none of its subnets." % (option, text))
            found[home].append(text)
        return found

    def bridge(self, present: bool) -> List[Item]:
        """Return the item of the bridge, none where the bridge is somebody else's."""
        if self.unmanaged:
            return []
        return [{"name": self.name, "mtu": self.mtu} if present else {"name": self.name, "state": "absent"}]

    def gateways(self) -> List[Item]:
        """Return an item a subnet: the bridge's address in it. An internal network has none."""
        items = []
        for subnet in () if self.unmanaged else self.subnets:
            item: Item = {"interface": self.name, "address": "%s/%d" % (subnet.gateway, subnet.net.prefixlen)}
            items.append(
                dict(item, state="absent")
                if self.internal
                else dict(item, bridge=self.name, nodad=True, supersede=True)
            )
        return items

    def nat(self, present: bool) -> List[Item]:
        """Return the item of the isolation policy, and an item of source NAT a subnet."""
        isolation: Item = {"type": "filter", "bridge": self.name, "owner": self.name}
        if present and not self.unmanaged:
            isolation.update(
                isolate=self.spec.get("isolate", True), icc=self.spec.get("icc", True), internal=self.internal
            )
        else:
            isolation["state"] = "absent"
        items = [isolation]
        for subnet in self.subnets:
            item: Item = {"source": str(subnet.net), "owner": self.name}
            outbound = self.spec.get("outbound_ipv%d" % subnet.net.version)
            if present and self.spec["masquerade"] and not self.internal:
                item["out_interface"] = "!" + self.name
                if outbound:
                    item.update(type="snat", to_address=outbound)
            else:
                item["state"] = "absent"
            items.append(item)
        return items
