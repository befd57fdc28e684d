# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The containers of the role's list, checked, and what a container and each of its interfaces ask of the modules. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import address
from ansible_collections.linuxnet.containers.plugins.module_utils._model.engines import ENGINES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import (
    host_interface,
    interface_name,
    netns_name,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import published_ports
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.networks import (
    Item,
    Network,
    Subnet,
    canonical,
)


@dataclass(frozen=True)
class Attachment:
    """One interface of a container."""

    network: Network
    interface: str
    spec: Mapping[str, Any]

    @property
    def host_name(self) -> Optional[str]:
        return self.spec.get("host_interface")


class Container:
    """A container of the role's list, checked."""

    def __init__(self, given: Mapping[str, Any], number: int, networks: Mapping[str, Network]) -> None:
        spec = canonical(given)
        name = spec.get("name")
        if not name:
            raise Invalid("wiring_containers: item %d has no name." % (number + 1))
        self.name = netns_name(str(name), "wiring_containers")
        self.spec = spec
        self.present = spec.get("state", "present") != "absent"
        self.mode, dummy, self.owner = str(spec.get("network_mode", "bridge")).partition(":")
        self.engine = spec.get("engine", "netns")
        if self.mode not in ("bridge", "host", "none", "container") or (self.mode == "container") != bool(self.owner):
            raise self._say("network_mode '%s' is none of bridge, host, none, container:NAME." % spec["network_mode"])
        if self.engine not in ("netns", "pid", *ENGINES):
            raise self._say("engine '%s' is none of netns, pid, %s." % (self.engine, ", ".join(ENGINES)))
        if self.present and (self.engine == "pid") != (spec.get("pid") is not None):
            raise self._say("pid and engine: pid go together.")
        if self.mode != "bridge" and spec.get("routes"):
            raise self._say("routes need network_mode: bridge.")
        if self.mode == "host" and spec.get("sysctls"):
            raise self._say("sysctls would be the host's own; set those with ansible.posix.sysctl.")
        if self.owner and spec.get("sysctls"):
            raise self._say("sysctls belong to container '%s', whose namespace it joins; set them there." % self.owner)
        self.attachments = self._attached(networks)
        self.ports = self._published()

    @property
    def joins(self) -> str:
        """Return whose namespace the container's name means: another container's, ``host``, or ``""`` for its own."""
        return "host" if self.mode == "host" else self.owner

    def _say(self, text: str) -> Invalid:
        return Invalid("wiring_containers: container '%s': %s" % (self.name, text))

    def check_owner(self, boxes: Mapping[str, Container]) -> None:
        """Raise `Invalid` unless the container that this one joins is there, and joins no circle."""
        chain = [self.name]
        box = self
        while box.owner:
            if box.owner in chain:
                raise self._say("network_mode goes round in a circle: %s." % " -> ".join([*chain, box.owner]))
            if box.owner not in boxes:
                raise box._say("network_mode: there is no container '%s' in wiring_containers." % box.owner)
            chain.append(box.owner)
            box = boxes[box.owner]
            if not box.present:
                raise self._say("network_mode: container '%s' is to be absent." % box.name)

    def _attached(self, networks: Mapping[str, Network]) -> List[Attachment]:
        listed = self.spec.get("networks")
        if listed is None:
            first = next(iter(networks), None)
            if first is None and self.present and self.mode == "bridge":
                raise self._say("there is no network to attach it to; wiring_networks is empty.")
            listed = [{"name": first}] if first else []
        found: List[Attachment] = []
        for place, entry in enumerate(canonical(one) for one in listed):
            net = networks.get(entry.get("name", ""))
            if net is None:
                raise self._say("network '%s' is not in wiring_networks." % entry.get("name", ""))
            if self.present and self.mode == "bridge" and not net.present:
                raise self._say("network '%s' is to be absent." % net.name)
            interface = interface_name(
                entry.get("interface") or "eth%d" % place, "wiring_containers: container '%s'" % self.name
            )
            if any(one.interface == interface for one in found):
                raise self._say("two of its networks use the interface %s." % interface)
            found.append(Attachment(net, interface, entry))
        if sum(bool(one.spec.get("default_route")) for one in found) > 1:
            raise self._say("more than one of its networks has default_route: true.")
        return found

    def _published(self) -> List[published_ports.Port]:
        listed = self.spec.get("published_ports") or []
        if listed and self.mode == "host":
            raise self._say("published_ports: with network_mode: host its ports are the host's already.")
        if listed and self.owner:
            raise self._say(
                "published_ports belong to container '%s', whose namespace it joins; list them there." % self.owner
            )
        if listed and self.mode == "none":
            raise self._say("published_ports: with network_mode: none nobody can reach it.")
        try:
            return [published_ports.parse(one) for one in listed]
        except Invalid as error:
            raise self._say("published_ports: %s" % error) from error

    def nat(self, gone: bool) -> List[Item]:
        """Return the nat items of the published ports; one that ends whatever was published, where there are none."""
        none: Item = {"type": "dnat", "owner": self.name, "state": "absent"}
        if gone or not self.ports:
            return [none]
        items = []
        for port in self.ports:
            host = address(port.host_ip, "published_ports") if port.host_ip else None
            ways = [(version, *way) for version, way in self._ways().items() if host is None or host.version == version]
            if not ways:
                raise self._say(
                    "published_ports: %s: it has no address of that family on a network that is not internal."
                    % port.host_ip
                    if host
                    else "published_ports: it is on no network that is not internal."
                )
            for version, one, dummy in ways:
                item: Item = {
                    "type": "dnat",
                    "owner": self.name,
                    "protocol": port.protocol,
                    "host_port": port.host_port,
                    "to_port": port.to_port,
                    "to_address": "%s/%s/ipv%d" % (self.name, one.interface, version),  # see `resolved`
                    "bridge": one.network.name,
                    "exclusive": True,
                }
                if port.host_ip:
                    item["host_ip"] = port.host_ip
                items.append(item)
        return items

    def netns(self) -> Item:
        item: Item = {"name": self.name}
        if self.joins:
            item["share"] = self.joins
        if self.spec.get("pid") is not None:
            item["pid"] = self.spec["pid"]
        if self.engine in ENGINES:
            item.update(container=self.name, engine=self.engine)
        if self.engine in ENGINES and self.mode == "bridge" and 6 in self._families():
            # docker switches IPv6 off in a container without a network
            item["sysctls"] = {"net.ipv6.conf.%s.disable_ipv6" % which: 0 for which in ("all", "default")}
        if self.spec.get("sysctls"):
            item["sysctls"] = {**item.get("sysctls", {}), **self.spec["sysctls"]}
        return item

    def _families(self) -> Set[int]:
        return {subnet.net.version for one in self.attachments for subnet in one.network.subnets}

    def veth(self, one: Attachment) -> Item:
        item: Item = {"peer_netns": self.name, "peer_name": one.interface, "exclusive": True}
        if one.host_name:
            item["name"] = one.host_name
        return item

    def wired_veth(self, one: Attachment) -> Item:
        item = dict(self.veth(one), mtu=str(one.network.spec.get("mtu") or "auto"))
        if not self._port(one):  # else it becomes a port with its options, in the step bridge_port
            item["bridge"] = one.network.name
        if one.spec.get("mac_address"):
            item["peer_mac"] = one.spec["mac_address"]
        return item

    def addresses(self, one: Attachment) -> List[Item]:
        items = []
        fixed = {version: self._fixed(one, version) for version in (4, 6)}
        for subnet in one.network.subnets:
            item: Item = {
                "netns": self.name,
                "interface": one.interface,
                "bridge": one.network.name,
                "gateway": subnet.gateway,
                "supersede": True,
            }
            own = fixed[subnet.net.version]
            if own and ipaddress.ip_address(own) in subnet.net:
                item["address"] = "%s/%d" % (own, subnet.net.prefixlen)
                fixed[subnet.net.version] = ""
            else:
                item["pool"] = str(subnet.net)
                if subnet.range:
                    item["range"] = subnet.range
                if subnet.exclude:
                    item["exclude"] = list(subnet.exclude)
            items.append(item)
        for version, left in fixed.items():
            if left:
                raise self._say(
                    "ipv%d_address: %s is in none of the subnets of network '%s'." % (version, left, one.network.name)
                )
        return items

    def _fixed(self, one: Attachment, version: int) -> str:
        option = "ipv%d_address" % version
        text = str(one.spec.get(option) or "").partition("/")[0]
        if text and address(text, "wiring_containers: container '%s': %s" % (self.name, option)).version != version:
            raise self._say("%s: %s is not an IPv%d address." % (option, text, version))
        return text

    def routes(self) -> List[Item]:
        return [*self._default_routes(), *self._listed_routes()]

    def _listed_routes(self) -> List[Item]:
        items: List[Item] = []
        for one in self.attachments:
            items.extend(
                dict({"interface": one.interface}, **route, netns=self.name)
                for route in one.network.spec.get("routes") or ()
            )
        items.extend(dict(route, netns=self.name) for route in self.spec.get("routes") or ())
        return items

    def ruled_routes(self) -> List[Item]:
        """Return the items that end its policy rules, which do not go with an interface. Where its name means another's namespace
        those in there are the other's."""
        if self.mode not in ("bridge", "none"):
            return []
        return [dict(item, state="absent") for item in self._listed_routes() if item.get("rule_source")]

    def _ways(self) -> Dict[int, Tuple[Attachment, Subnet]]:
        """Return the way to the world a family: via the network that asks for it, else the first one that has the family."""
        candidates = [
            one for one in self.attachments if not one.network.internal and one.spec.get("default_route") is not False
        ]
        candidates.sort(key=lambda one: not one.spec.get("default_route"))
        found: Dict[int, Tuple[Attachment, Subnet]] = {}
        for one in candidates:
            for subnet in one.network.subnets:
                found.setdefault(subnet.net.version, (one, subnet))
        return dict(sorted(found.items()))

    def _default_routes(self) -> List[Item]:
        items = []
        for version, (one, subnet) in self._ways().items():
            item: Item = {
                "netns": self.name,
                "family": "ipv%d" % version,
                "gateway": subnet.gateway,
                "interface": one.interface,
            }
            if one.network.spec.get("metric") is not None:
                item["metric"] = one.network.spec["metric"]
            items.append(item)
        return items

    @staticmethod
    def _port(one: Attachment) -> Item:
        """Return the port's own options. Those who may not talk to each other are kept apart by the bridge itself."""
        apart = {"isolated": not one.network.spec["icc"]} if "icc" in one.network.spec else {}
        return {**apart, **(one.spec.get("port") or {})}

    def port(self, one: Attachment) -> Optional[Item]:
        options = self._port(one)
        if not options:
            return None
        name = one.host_name or host_interface(NsRef.parse(self.name).path, one.interface)
        return dict(options, bridge=one.network.name, interface=name)
