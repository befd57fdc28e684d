# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The networks of the role's list, checked, and what a network asks of the modules. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import (
    IpNetwork,
    address,
    default_gateway,
    network,
    usable,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import interface_name

Item = Dict[str, Any]


_FLAGS = ("unmanaged", "internal", "masquerade", "isolate", "icc", "default_route")
_LISTS = ("subnets", "gateways", "ranges", "exclude")


def canonical(spec: Mapping[str, Any]) -> Item:
    """Return ``spec`` with a null left out, ``"no"`` as a boolean and a single text as a list.

    The role's argument_specs accept these spellings, but hand the variables on as they were written.
    """
    found = {name: value for name, value in spec.items() if value is not None}
    for name in _FLAGS:
        if name in found:
            found[name] = boolean(found[name], strict=False)
    for name in _LISTS:
        if isinstance(found.get(name), str):
            found[name] = [one.strip() for one in found[name].split(",")]
    return found


@dataclass(frozen=True)
class Subnet:
    """One subnet of a network, with what of the network's lists belongs to it."""

    net: IpNetwork
    gateway: str
    range: Optional[str]
    exclude: Tuple[str, ...]


class Network:
    """A network of the role's list, checked."""

    def __init__(self, given: Mapping[str, Any], number: int) -> None:
        spec = canonical(given)
        name = spec.get("name")
        if not name:
            raise Invalid("wiring_networks: item %d has no name." % (number + 1))
        self.name = interface_name(name, "wiring_networks")
        self.spec = spec
        self.present = spec.get("state", "present") != "absent"
        self.unmanaged = spec.get("unmanaged", False)
        self.internal = spec.get("internal", False)
        self.subnets = self._subnets()

    def _say(self, text: str) -> Invalid:
        return Invalid("wiring_networks: network '%s': %s" % (self.name, text))

    def _subnets(self) -> List[Subnet]:
        where = "wiring_networks: network '%s'" % self.name
        nets = [network(one, where + ": subnets") for one in self.spec.get("subnets") or ()]
        if not nets and self.present:
            raise self._say("it needs at least one subnet in subnets.")
        for place, net in enumerate(nets):
            for other in nets[:place]:
                if net.overlaps(other):
                    raise self._say("its subnets %s and %s overlap." % (other, net))
        gateways = self._assigned("gateways", nets)
        ranges = self._assigned("ranges", nets)
        excludes: Sequence[str] = self.spec.get("exclude") or ()
        subnets = []
        for net in nets:
            if len(gateways[net]) > 1 or len(ranges[net]) > 1:
                raise self._say("more than one gateway or range for the subnet %s." % net)
            gateway = (
                str(address(gateways[net][0], where + ": gateways")) if gateways[net] else str(default_gateway(net))
            )
            first, last = usable(net)
            if not int(first) <= int(ipaddress.ip_address(gateway)) <= int(last):
                raise self._say("the gateway %s is not an address a host can have in %s." % (gateway, net))
            own = tuple(one for one in excludes if self._family(one, "exclude") == net.version)
            subnets.append(Subnet(net, gateway, ranges[net][0] if ranges[net] else None, own))
        return subnets

    def _first(self, text: str, option: str) -> Any:
        """Return the first address of an address, a CIDR or a range."""
        return address(
            text.partition("-")[0].partition("/")[0], "wiring_networks: network '%s': %s" % (self.name, option)
        )

    def _family(self, text: str, option: str) -> int:
        return int(self._first(text, option).version)

    def _assigned(self, option: str, nets: Sequence[IpNetwork]) -> Dict[IpNetwork, List[str]]:
        """Return the entries of a list by the subnet they lie in."""
        found: Dict[IpNetwork, List[str]] = {net: [] for net in nets}
        for text in self.spec.get(option) or ():
            home = next((net for net in nets if self._first(text, option) in net), None)
            if home is None:
                raise self._say("%s: %s is in none of its subnets." % (option, text))
            found[home].append(text)
        return found

    def nat(self, present: bool) -> List[Item]:
        """Return the nat items: what is let through to the bridge, and one a subnet."""
        guard: Item = {"type": "filter", "bridge": self.name, "owner": self.name}
        if present and not self.unmanaged:
            guard.update(isolate=self.spec.get("isolate", True), icc=self.spec.get("icc", True), internal=self.internal)
        else:
            guard["state"] = "absent"
        items = [guard]
        for subnet in self.subnets:
            item: Item = {"source": str(subnet.net), "owner": self.name}
            outbound = self.spec.get("outbound_ipv%d" % subnet.net.version)
            if present and self.spec.get("masquerade", True) and not self.internal:
                item["out_interface"] = "!" + self.name
                if outbound:
                    item.update(type="snat", to_address=outbound)
            else:
                item["state"] = "absent"
            items.append(item)
        return items
