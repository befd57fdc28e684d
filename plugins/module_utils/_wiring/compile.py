# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Networks and containers, compiled to each module's list of items, in order. Pure; on the controller or on a target.

The result has two halves, each the steps of one chain: ``teardown`` (what is to be gone, from the outside in) and ``wire``
(what is to be there, as a person would do it by hand; at the end ``join``, the names that mean another's namespace). An empty
list is a step that is not needed.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import (
    IpNetwork,
    address,
    default_gateway,
    network,
    usable,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.engines import ENGINES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import (
    host_interface,
    interface_name,
    netns_name,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import published_ports

Item = Dict[str, Any]
TEARDOWN = ("nat", "route", "veth", "netns", "bridge")
WIRE = ("netns", "bridge", "gateway", "veth", "bridge_port", "address", "route", "nat", "join")


_FLAGS = ("unmanaged", "internal", "masquerade", "isolate", "icc", "default_route")
_LISTS = ("subnets", "gateways", "ranges", "exclude")


def _canonical(spec: Mapping[str, Any]) -> Item:
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
class _Subnet:
    """One subnet of a network, with what of the network's lists belongs to it."""

    net: IpNetwork
    gateway: str
    range: Optional[str]
    exclude: Tuple[str, ...]


class _Network:
    """A network of the role's list, checked."""

    def __init__(self, given: Mapping[str, Any], number: int) -> None:
        spec = _canonical(given)
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

    def _subnets(self) -> List[_Subnet]:
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
            subnets.append(_Subnet(net, gateway, ranges[net][0] if ranges[net] else None, own))
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


@dataclass(frozen=True)
class _Attachment:
    """One interface of a container."""

    network: _Network
    interface: str
    spec: Mapping[str, Any]

    @property
    def host_name(self) -> Optional[str]:
        return self.spec.get("host_interface")


class _Container:
    """A container of the role's list, checked."""

    def __init__(self, given: Mapping[str, Any], number: int, networks: Mapping[str, _Network]) -> None:
        spec = _canonical(given)
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

    def check_owner(self, boxes: Mapping[str, _Container]) -> None:
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

    def _attached(self, networks: Mapping[str, _Network]) -> List[_Attachment]:
        listed = self.spec.get("networks")
        if listed is None:
            first = next(iter(networks), None)
            if first is None and self.present and self.mode == "bridge":
                raise self._say("there is no network to attach it to; wiring_networks is empty.")
            listed = [{"name": first}] if first else []
        found: List[_Attachment] = []
        for place, entry in enumerate(_canonical(one) for one in listed):
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
            found.append(_Attachment(net, interface, entry))
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

    def veth(self, one: _Attachment) -> Item:
        item: Item = {"peer_netns": self.name, "peer_name": one.interface, "exclusive": True}
        if one.host_name:
            item["name"] = one.host_name
        return item

    def wired_veth(self, one: _Attachment) -> Item:
        item = dict(self.veth(one), mtu=str(one.network.spec.get("mtu") or "auto"))
        if not self._port(one):  # else it becomes a port with its options, in the step bridge_port
            item["bridge"] = one.network.name
        if one.spec.get("mac_address"):
            item["peer_mac"] = one.spec["mac_address"]
        return item

    def addresses(self, one: _Attachment) -> List[Item]:
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

    def _fixed(self, one: _Attachment, version: int) -> str:
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

    def _ways(self) -> Dict[int, Tuple[_Attachment, _Subnet]]:
        """Return the way to the world a family: via the network that asks for it, else the first one that has the family."""
        candidates = [
            one for one in self.attachments if not one.network.internal and one.spec.get("default_route") is not False
        ]
        candidates.sort(key=lambda one: not one.spec.get("default_route"))
        found: Dict[int, Tuple[_Attachment, _Subnet]] = {}
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
    def _port(one: _Attachment) -> Item:
        """Return the port's own options. Those who may not talk to each other are kept apart by the bridge itself."""
        apart = {"isolated": not one.network.spec["icc"]} if "icc" in one.network.spec else {}
        return {**apart, **(one.spec.get("port") or {})}

    def port(self, one: _Attachment) -> Optional[Item]:
        options = self._port(one)
        if not options:
            return None
        name = one.host_name or host_interface(NsRef.parse(self.name).path, one.interface)
        return dict(options, bridge=one.network.name, interface=name)


def _owners_first(by_name: Mapping[str, _Container]) -> List[_Container]:
    """Return the containers, each after the one whose namespace it joins; otherwise in the order they are listed."""
    ordered: Dict[str, _Container] = {}
    for box in by_name.values():
        chain = [box]
        while chain[-1].owner in by_name and chain[-1].owner not in ordered:
            chain.append(by_name[chain[-1].owner])
        ordered.update((one.name, one) for one in reversed(chain))
    return list(ordered.values())


def _unique(kind: str, names: Sequence[str]) -> None:
    for place, name in enumerate(names):
        if name in names[:place]:
            raise Invalid("wiring_%s: '%s' is listed twice." % (kind, name))


def compile_plan(
    networks: Sequence[Mapping[str, Any]], containers: Sequence[Mapping[str, Any]], state: str = "present"
) -> Dict[str, Dict[str, List[Item]]]:
    """Return ``{"teardown": {step: items}, "wire": {step: items}}`` for the role's variables. Raises `Invalid`.

    ``state`` absent takes down everything listed, whatever the items' own state says.
    """
    nets = [_Network(spec, number) for number, spec in enumerate(networks)]
    _unique("networks", [net.name for net in nets])
    everything = [(net, subnet.net) for net in nets for subnet in net.subnets]
    for number, (net, one) in enumerate(everything):
        for other, another in everything[:number]:
            if other is not net and one.overlaps(another):
                raise Invalid(
                    "wiring_networks: %s of network '%s' overlaps %s of network '%s'."
                    % (one, net.name, another, other.name)
                )
    boxes = [_Container(spec, number, {net.name: net for net in nets}) for number, spec in enumerate(containers)]
    _unique("containers", [box.name for box in boxes])
    by_name = {box.name: box for box in boxes}
    for box in boxes:
        if state != "absent" and box.present:
            box.check_owner(by_name)

    down: Dict[str, List[Item]] = {step: [] for step in TEARDOWN}
    wire: Dict[str, List[Item]] = {step: [] for step in WIRE}
    for net in nets:
        if state == "absent" or not net.present:
            down["nat"].extend(net.nat(present=False))
            if not net.unmanaged:
                down["bridge"].append({"name": net.name, "state": "absent"})
            continue
        if not net.unmanaged:
            wire["bridge"].append({"name": net.name, "mtu": str(net.spec.get("mtu") or "auto")})
            for subnet in net.subnets:
                gateway: Item = {"interface": net.name, "address": "%s/%d" % (subnet.gateway, subnet.net.prefixlen)}
                wire["gateway"].append(
                    dict(gateway, state="absent")
                    if net.internal
                    else dict(gateway, bridge=net.name, nodad=True, supersede=True)
                )
        wire["nat"].extend(net.nat(present=True))
    for box in _owners_first(by_name):
        gone = state == "absent" or not box.present
        if gone or box.mode != "bridge":
            down["nat"].extend(box.nat(gone=True))
            down["route"].extend(box.ruled_routes())
            bare = [box.veth(one) for one in box.attachments] or [
                {"peer_netns": box.name, "peer_name": "eth0", "exclusive": True}
            ]
            down["veth"].extend(dict(item, state="absent") for item in bare)
        if gone:
            down["netns"].insert(0, {"name": box.name, "state": "absent"})
            continue
        wire["join" if box.joins else "netns"].append(box.netns())
        if box.mode == "bridge":
            for place in box.attachments:
                wire["veth"].append(box.wired_veth(place))
                wire["address"].extend(box.addresses(place))
                port = box.port(place)
                if port is not None:
                    wire["bridge_port"].append(port)
            wire["route"].extend(box.routes())
            wire["nat"].extend(box.nat(gone=False))
    return {"teardown": down, "wire": wire}


_REFERENCE = re.compile(r"(.+)/([^/]+)/(ipv[46])")
_EXAMPLE = {"ipv4": "192.0.2.1", "ipv6": "2001:db8::1"}  # RFC 5737, RFC 3849


def resolved(items: Sequence[Item], addresses: Optional[Sequence[Mapping[str, Any]]]) -> List[Item]:
    """Return nat items with the addresses that the step ``address`` gave in place of ``CONTAINER/INTERFACE/FAMILY``.

    ``addresses`` are that step's results; None, where it has not run, stands for any. Raises `Invalid`.
    """
    known = {
        "%(netns)s/%(interface)s/%(family)s" % entry["after"]: entry["after"]["ip"]
        for entry in addresses or ()
        if entry.get("after")
    }
    found = []
    for item in items:
        match = _REFERENCE.fullmatch(str(item.get("to_address")))
        if match is not None:
            ip = _EXAMPLE[match[3]] if addresses is None else known.get(match[0])
            if ip is None:
                raise Invalid(
                    "published_ports: container '%s' got no %s address on %s." % (match[1], match[3], match[2])
                )
            item = dict(item, to_address=ip)
        found.append(item)
    return found
