# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An interface of a container on one of its networks, checked, and what it asks of the modules. Pure."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Dict, List, Mapping, Sequence

from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import address, ip
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.link_kinds import LINK, SHAPES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import host_interface
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._model.sysctls import key_of
from ansible_collections.linuxnet.containers.plugins.module_utils._model.values import mac
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import with_jitter
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_address_want import NO_GATEWAY
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.networks import Network, Subnet, broadcast
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import Item

# Stands for the address of a container's interface, which is known when the step `address` has run; see `compile.resolved`.
REFERENCE = "%(netns)s/%(interface)s/%(family)s"
REFERENCES = re.compile(r"(?P<netns>.+)/(?P<interface>[^/]+)/(?P<family>ipv[46])")


CHECKED = "wiring"  # the comment of checks that the role makes


def refusal(container: str, text: str) -> Invalid:
    return Invalid("wiring_containers: container '%s': %s" % (container, text))


def host_end(pair: Item) -> str:
    """Return the name of the host end of the pair that an item asks for."""
    name: str = pair.get("name") or host_interface(NsRef.parse(pair["peer_netns"]).path, pair["peer_name"])
    return name


def hears_advertisements(key: str) -> bool:
    """Return whether a sysctl of an interface says which router advertisements it hears."""
    return key_of(key).endswith(".accept_ra")


@dataclass(frozen=True)
class Attachment:
    """An interface of a container on one of its networks; ``spec`` is the entry of the container's ``networks``, ``sysctls`` are those of the
    container that are of this interface; ``ipv6_off``: nobody asked for IPv6 on it; ``forwards``: it is a router; ``loopback``: the container's
    addresses on ``lo``, CIDRs."""

    container: str
    network: Network
    interface: str
    spec: Mapping[str, Any]
    sysctls: Mapping[str, Any]
    ipv6_off: bool = False
    forwards: bool = False
    loopback: Sequence[str] = ()

    @property
    def mac(self) -> str:
        """Return the MAC address that is asked for, ``""`` where it is derived. Raises `Invalid`."""
        text = self.spec.get("mac_address")
        return mac(text, "wiring_containers: container '%s': mac_address" % self.container) if text else ""

    def bare_pair(self) -> Item:
        """Return the options that identify the pair."""
        item: Item = {"peer_netns": self.container, "peer_name": self.interface, "exclusive": True}
        if self.spec.get("host_interface"):
            item["name"] = self.spec["host_interface"]
        return item

    @property
    def host_end(self) -> str:
        """Return the name of its end on the host, ``""`` where it has none."""
        return host_end(self.bare_pair())

    def items(self) -> Dict[str, List[Item]]:
        """Return the items that make it, by step."""
        return {"veth": [self._pair()], "address": self.addresses(), "bridge_port": self._port()}

    def check_options(self) -> None:
        """Raise `Invalid` for options that mean nothing for it."""

    def settings(self) -> Item:
        """Return the options that say what is heard and set on it."""
        item: Item = {}
        if self.sysctls:
            item["sysctls"] = dict(self.sysctls)
        if self.network.pooled and not any(map(hears_advertisements, self.sysctls)):
            item["accept_ra"] = False
        if self.ipv6_off:
            item["ipv6"] = False
        return item

    def _pair(self) -> Item:
        """Return the item of the pair. Where the port has options, it becomes a port in the step that sets them."""
        item = dict(self.bare_pair(), **self.network.mtu_options())
        item["port_of" if self._port_options() else "bridge"] = self.network.name
        if self.mac:
            item["peer_mac"] = self.mac
        if self.network.unmanaged:
            item.update(accept_ra=False)
        return {**item, **{"peer_" + name: value for name, value in self.settings().items()}, **self._shapes()}

    def _shapes(self) -> Item:
        """Return the options that hold up what the container gets, which leaves by the host end, and what it sends (``peer_``). Raises `Invalid`."""
        where = "wiring_containers: container '%s': " % self.container
        item: Item = {}
        for end, way in (("", "ingress_rate"), ("peer_", "egress_rate")):
            options = {name: name for name in SHAPES}
            if self.spec.get(way) is not None:
                options["rate"] = way
            given = {name: self.spec[option] for name, option in options.items() if self.spec.get(option) is not None}
            asked = {name: LINK[name].canonical(value, where + options[name]) for name, value in given.items()}
            item.update((end + name, value) for name, value in with_jitter(asked, where).items() if value)
        return item

    def _port(self) -> List[Item]:
        """Return the item of the bridge port, none where it has no options."""
        options = self._port_options()
        if not options:
            return []
        behind = {"peer_netns": self.container, "peer_name": self.interface}
        return [dict(options, bridge=self.network.name, interface=host_end(self.bare_pair()), **behind)]

    def _port_options(self) -> Item:
        """Return the options of the port. With ``icc: false`` the bridge itself keeps its ports apart."""
        apart = {"isolated": not self.network.spec["icc"]} if "icc" in self.network.spec else {}
        return {**apart, **self.spec["port"]}

    def addresses(self) -> List[Item]:
        """Return an item for each of the network's subnets: the fixed address in it, else a free one. With ``addressing: none`` there are
        fixed ones only, and where there are none either, the item that takes ours away. Raises `Invalid`."""
        items = []
        fixed = {version: self._fixed(version) for version in (4, 6)}
        for subnet in self.network.subnets:
            item = dict(self._interface(), **self._segment(), gateway=subnet.gateway or NO_GATEWAY, supersede=True)
            own, dummy, prefix = fixed[subnet.net.version].partition("/")
            if own and ipaddress.ip_address(own) in subnet.net:
                if self._is_the_host_s(own):
                    which = "gateway of" if own == subnet.gateway else "host's in"
                    raise self._refusal(
                        "ipv%d_address: %s is the %s network '%s', the host's own address there."
                        % (subnet.net.version, own, which, self.network.name),
                    )
                if prefix not in ("", str(subnet.net.prefixlen), str(subnet.net.netmask)):
                    raise self._refusal(
                        "ipv%d_address: %s/%s has not the prefix length of its subnet %s; leave it out."
                        % (subnet.net.version, own, prefix, subnet.net),
                    )
                other = self.network.elsewhere(ipaddress.ip_address(own))
                if other:
                    raise self._refusal(
                        "ipv%d_address: %s is of the slice of host '%s' in network '%s'."
                        % (subnet.net.version, own, other, self.network.name),
                    )
                item["address"] = "%s/%d" % (own, subnet.net.prefixlen)
                if self._is_gateway(subnet):
                    item["gateway"] = NO_GATEWAY
                fixed[subnet.net.version] = ""
            elif not self.network.pooled:
                continue
            else:
                item["pool"] = str(subnet.net)
                if subnet.range:
                    item["range"] = subnet.range
                if subnet.exclude:
                    item["exclude"] = list(subnet.exclude)
            items.append({**item, **broadcast(subnet.net)})
        for version, left in fixed.items():
            if left and (self.network.pooled or self.network.has_subnet(version)):
                raise self._refusal(
                    "ipv%d_address: %s is in none of the subnets of network '%s'." % (version, left, self.network.name),
                )
            if left:
                net = ipaddress.ip_interface(left).network
                items.append(dict(self._interface(), **self._segment(), address=left, supersede=True, **broadcast(net)))
        return items or [dict(self._interface(), state="absent", supersede=True)]

    @property
    def checked(self) -> bool:
        """Return whether what comes in by the port is checked for spoofing: as the entry says, or else the network. By default it is, but where nobody
        knows what is to come: no address is given, the container is a router, or the port has VLANs."""
        asked = self.spec.get("spoof_check", self.network.spec.get("spoof_check"))
        if asked is not None:
            return bool(asked)
        routes = any(map(self._is_gateway, self.network.subnets))
        return self.network.pooled and not self.forwards and not routes and not self.spec["port"].get("vlans")

    def check(self) -> Item:
        """Return the item that has its port checked, with those of its addresses that are known before the step `address`: the fixed ones, and what it
        has already of the networks that the others are taken from. What it has besides goes when it has been given those."""
        return {**self._check(), "exclusive": True, "keep_held": True}

    def check_given(self) -> Item:
        """Return the item that lets through what the step `address` gave, and nothing of what it took."""
        item = self._check()  # not exclusive: another one of the container may be left out
        pools = item.get("pools", ())
        item["addresses"] += [
            self.reference(version) for version in (4, 6) if any((":" in pool) == (version == 6) for pool in pools)
        ]
        return item

    def _check(self) -> Item:
        given = [item["address"] for item in self.addresses() if item.get("address")]
        fixed = [cidr.partition("/")[0] for cidr in (*given, *self.loopback)]
        item: Item = {
            "type": "spoof_check",
            "owner": self.container,
            "comment": CHECKED,
            "peer_netns": self.container,
            "peer_name": self.interface,
            "addresses": fixed,
            "optional": True,
        }
        if self.spec.get("host_interface"):
            item["interface"] = self.spec["host_interface"]
        if self.mac:
            item["mac"] = self.mac
        pools = [item["pool"] for item in self.addresses() if "pool" in item]
        if pools:
            gateways = [
                subnet.gateway for subnet in self.network.subnets if subnet.gateway and str(subnet.net) in pools
            ]
            item.update(pools=pools, exclude=gateways)
        return item

    def _segment(self) -> Item:
        """Return the options that say among whom its addresses are to be its own."""
        return {"bridge": self.network.name}

    def _refusal(self, text: str) -> Invalid:
        return refusal(self.container, text)

    def _interface(self) -> Item:
        return {"netns": self.container, "interface": self.interface}

    def _is_gateway(self, subnet: Subnet) -> bool:
        """Return whether the container itself is the gateway of a subnet: a router, where the bridge has no address of the host's."""
        own = self._fixed(subnet.net.version).partition("/")[0]
        return (
            bool(own and subnet.gateway)
            and address(own, "") == address(subnet.gateway, "")
            and not self.network.is_gateway
        )

    def led_by(self, subnet: Subnet) -> bool:
        """Return whether the interface has an address of a subnet of its network, and a gateway there that is not itself."""
        own = self._fixed(subnet.net.version).partition("/")[0]
        has_address = self.network.pooled or (bool(own) and ipaddress.ip_address(own) in subnet.net)
        return has_address and bool(subnet.gateway) and not self._is_gateway(subnet)

    @property
    def has_ipv6(self) -> bool:
        """Return whether the interface has an IPv6 address of ours."""
        pooled = self.network.pooled and self.network.has_subnet(6)
        return pooled or bool(self.spec.get("ipv6_address"))

    def _is_the_host_s(self, own: str) -> bool:
        """Return whether the host has an address on the network."""
        hosts = [item["address"] for item in self.network.gateways() if item.get("state") != "absent"]
        return ipaddress.ip_address(own) in [ipaddress.ip_interface(cidr).ip for cidr in hosts]

    def _fixed(self, version: int) -> str:
        """Return the fixed address of a family, with the prefix that was written after it, ``""`` where there is none."""
        option = "ipv%d_address" % version
        text: str = self.spec.get(option) or ""
        own, dummy, prefix = text.partition("/")
        if own and address(own, "wiring_containers: container '%s': %s" % (self.container, option)).version != version:
            raise self._refusal("%s: %s is not an IPv%d address." % (option, own, version))
        if own and not prefix and not self.network.pooled and not self.network.has_subnet(version):
            raise self._refusal(
                "%s: %s needs its prefix length, as %s/%d, for network '%s' has no IPv%d subnet."
                % (option, own, own, 24 if version == 4 else 64, self.network.name, version),
            )
        return text

    def fixed(self) -> Dict[str, str]:
        """Return by option the addresses that are asked for, in canonical form. Raises `Invalid`."""
        found = {"mac_address": self.mac} if self.mac else {}
        for version in (4, 6):
            own = self._fixed(version).partition("/")[0]
            if own:
                found["ipv%d_address" % version] = ip(own, "ipv%d_address" % version)
        return found

    def reference(self, version: int) -> str:
        """Return what stands for the interface's address of a family."""
        return REFERENCE % {"netns": self.container, "interface": self.interface, "family": "ipv%d" % version}
