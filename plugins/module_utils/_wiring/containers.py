# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A container of the role's list with its interfaces, checked, and what they ask of the modules. Pure."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import addressing
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import address, ip
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.engines import ENGINES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, meant
from ansible_collections.linuxnet.containers.plugins.module_utils._model.link_kinds import LINK, SHAPES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import (
    host_interface,
    netns_name,
    new_name,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._model.sysctls import (
    interface_of,
    key_of,
    switched_on,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.values import mac
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import with_jitter
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.port_mapping import OWN
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_address_want import NO_GATEWAY
from ansible_collections.linuxnet.containers.plugins.module_utils._run.validation import defaults
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import published_ports
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.networks import (
    Network,
    Subnet,
    broadcast,
    means_ipv6,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import Item
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.variables import (
    ATTACHMENT,
    MODES,
    NETWORK,
)

# Stands for the address of a container's interface, which is known when the step `address` has run; see `compile.resolved`.
REFERENCE = "%(netns)s/%(interface)s/%(family)s"
REFERENCES = re.compile(r"(?P<netns>.+)/(?P<interface>[^/]+)/(?P<family>ipv[46])")


CHECKED = "wiring"  # the comment of checks that the role makes

# What a namespace that we make for a container has from the start, as those that Docker makes: its processes need no privilege for low ports and to ping.
BORN_WITH = {"net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647"}
# What a router has, of both families; beside it, what else the kernel calls the first one.
FORWARDING = {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1}
_ALSO_FORWARDING = (*FORWARDING, "net.ipv4.conf.all.forwarding")


def _refusal(container: str, text: str) -> Invalid:
    return Invalid("wiring_containers: container '%s': %s" % (container, text))


def _on_parent(*made: Any) -> Attachment:
    # Here and not above: of use to few tasks.
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.parent_networks import OnParentAttachment

    return OnParentAttachment(*made)


def host_end(pair: Item) -> str:
    """Return the name of the host end of the pair that an item asks for."""
    name: str = pair.get("name") or host_interface(NsRef.parse(pair["peer_netns"]).path, pair["peer_name"])
    return name


def _along(interface: str, route: Mapping[str, Any]) -> Item:
    """Return the interface on the network, for those of its routes that go by one."""
    return (
        {}
        if route.get("nexthops") or str(route.get("type") or "unicast").strip() != "unicast"
        else {"interface": interface}
    )


def _default_key(route: Mapping[str, Any]) -> Tuple[int, str]:
    """Return (address family, metric) of an item that means a default route in the main table, (0, "") of any other."""
    destination, metric = (str(route.get(option) or "").strip() for option in ("destination", "metric"))
    ways = [route, *(route["nexthops"] if isinstance(route.get("nexthops"), list) else [])]
    texts = [str(way.get(option) or "") for way in ways if isinstance(way, Mapping) for option in ("gateway", "source")]
    six = destination == "::/0" or route.get("family") == "ipv6" or any(":" in text for text in texts)
    if destination not in ("", "default", "0.0.0.0/0", "::/0") or str(route.get("table") or "main").strip() not in (
        "main",
        "254",
    ):
        return 0, ""
    usual = "1024" if six else "0"
    return 6 if six else 4, usual if metric in ("", "0") else metric


def _of_advertisements(key: str) -> bool:
    """Return whether a sysctl of an interface says which router advertisements it hears."""
    return key_of(key).endswith(".accept_ra")


def _of_forwarding(key: str) -> bool:
    """Return whether a sysctl switches forwarding on."""
    return key_of(key) == "net.ipv4.ip_forward" or key_of(key).endswith((".forwarding", ".mc_forwarding"))


def _of_ipv6(key: str) -> str:
    """Return whether a sysctl says of which interfaces IPv6 is off: of one, of ``all`` or by ``default``; ``""`` for any other."""
    before, dummy, last = key_of(key).rpartition(".")
    return before[len("net.ipv6.conf.") :] if before.startswith("net.ipv6.conf.") and last == "disable_ipv6" else ""


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
        if self.network.pooled and not any(map(_of_advertisements, self.sysctls)):
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
        return [dict(options, bridge=self.network.name, interface=host_end(self.bare_pair()))]

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
                    raise _refusal(
                        self.container,
                        "ipv%d_address: %s/%s has not the prefix length of its subnet %s; leave it out."
                        % (subnet.net.version, own, prefix, subnet.net),
                    )
                other = self.network.elsewhere(ipaddress.ip_address(own))
                if other:
                    raise _refusal(
                        self.container,
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
                raise _refusal(
                    self.container,
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
        has already of the networks that the others are taken from."""
        return {**self._check(), "exclusive": True}

    def check_given(self) -> List[Item]:
        """Return the item that lets through what the step `address` gave, none where that was known before."""
        item = self._check()  # not exclusive: another one of the container may be left out
        pools = item.get("pools", ())
        item["addresses"] += [
            self.reference(version) for version in (4, 6) if any((":" in pool) == (version == 6) for pool in pools)
        ]
        return [item] if pools else []

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
        return _refusal(self.container, text)

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
            raise _refusal(self.container, "%s: %s is not an IPv%d address." % (option, own, version))
        if own and not prefix and not self.network.pooled and not self.network.has_subnet(version):
            raise _refusal(
                self.container,
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


class Container:
    """A container; ``spec`` is its entry in canonical form. Raises `Invalid` when it is made.

    ``joined`` is the container whose namespace it shares, ``""`` where it shares none.
    """

    def __init__(self, spec: Mapping[str, Any], networks: Mapping[str, Network]) -> None:
        self.name = netns_name(spec["name"], "wiring_containers")
        self.spec = spec
        self.present = spec["state"] != "absent"
        self.mode, dummy, self.joined = spec["network_mode"].partition(":")
        self.engine = spec["engine"]
        if self.mode not in MODES or (self.mode == "container") != bool(self.joined):
            raise self._refusal("network_mode '%s' is none of %s:NAME." % (spec["network_mode"], ", ".join(MODES)))
        if self.name == "host" and self.mode != "host" and self.present:
            raise self._refusal("its name means the host's own network; call it something else.")
        if self.present and (self.engine == "pid") != ("pid" in spec):
            raise self._refusal("pid and engine: pid go together.")
        for option in ("networks", "routes") if self.mode != "bridge" else ():
            if spec.get(option) and (self.present or option == "routes"):
                raise self._refusal("%s need network_mode: bridge, not %s." % (option, spec["network_mode"]))
        for option in ("bridge", "interface", "netns", "state"):
            if any(option in entry["port"] for entry in spec.get("networks") or ()):
                raise self._refusal("port: %s is set by the role; leave it out." % option)
        if any("netns" in route for route in spec["routes"]):
            raise self._refusal("routes: netns is set by the role; leave it out.")
        if self.mode == "host" and spec["sysctls"]:
            raise self._refusal("sysctls would be the host's own; set those with ansible.posix.sysctl.")
        if self.joined and spec["sysctls"]:
            raise self._refusal(
                "sysctls belong to container '%s', whose namespace it joins; set them there." % self.joined
            )
        self._check_router()
        self.loopback_addresses = [self._loopback(text) for text in spec["loopback_addresses"]]
        self.attachments = self._attached(networks)
        self._check_ipv6()
        self.ports = self._published()

    def _check_router(self) -> None:
        """Raise `Invalid` for what a router has, where the namespace is another's, or its sysctls say otherwise."""
        for option in ("loopback_addresses", "forwarding"):
            if self.spec[option] and self.mode == "host":
                raise self._refusal(
                    "%s: with network_mode: host that would be of the host itself; leave it out." % option
                )
            if self.spec[option] and self.joined:
                raise self._refusal(
                    "%s: that is for container '%s' to say, whose namespace it joins." % (option, self.joined)
                )
        for key, value in self.spec["sysctls"].items() if self.spec["forwarding"] else ():
            if key_of(str(key)) in _ALSO_FORWARDING and not switched_on(value):
                raise self._refusal(
                    "sysctls: '%s' switches off what forwarding: true switches on; leave out one of them." % key
                )

    def _loopback(self, text: str) -> str:
        """Return an address of ``lo`` in canonical form. Raises `Invalid`."""
        where = self._option("loopback_addresses")
        bare = "/" not in text  # a host's own: nobody else is in its network
        found = addressing.interface("%s/%d" % (text, address(text, where).max_prefixlen) if bare else text, where)
        if found.ip.is_loopback:
            raise self._refusal("loopback_addresses: %s is of those that lo has anyway; leave it out." % found.ip)
        return "%s/%d" % (addressing.text(found.ip), found.network.prefixlen)

    def loopback(self, present: bool = True) -> List[Item]:
        """Return the items of its addresses on ``lo``. Without any ours go: an address of its networks sees to that, or else an item."""
        where: Item = {"netns": self.name, "interface": "lo"}
        if present and (self.loopback_addresses or self._wired()):
            return [dict(where, address=own, supersede=True) for own in self.loopback_addresses]
        return [dict(where, state="absent", supersede=True)]

    def _wired(self) -> bool:
        """Return whether it has an interface on a network."""
        return self.mode == "bridge" and bool(self.attachments)

    @property
    def shares(self) -> str:
        """Return whose namespace the container's name means: another container's, ``host``, or ``""`` for its own."""
        return "host" if self.mode == "host" else self.joined

    def _refusal(self, text: str) -> Invalid:
        return _refusal(self.name, text)

    def _option(self, name: str) -> str:
        """Return what an error calls an option."""
        return "wiring_containers: container '%s': %s" % (self.name, name)

    def entry(self) -> Dict[str, Any]:
        """Return its entry with all networks named, also where it is on the first one because none is listed."""
        if self.mode != "bridge":
            return dict(self.spec)
        return {**self.spec, "networks": [dict(attachment.spec) for attachment in self.attachments]}

    def check_joined(self, containers: Mapping[str, Container]) -> None:
        """Raise `Invalid` unless the container whose namespace this one shares is listed and present, and no circle is made."""
        path = [self.name]
        container = self
        while container.joined:
            if container.joined in path:
                raise self._refusal("network_mode goes round in a circle: %s." % " -> ".join([*path, container.joined]))
            if container.joined not in containers:
                hint = meant(container.joined, containers)
                text = "network_mode: there is no container '%s' in wiring_containers" % container.joined
                raise container._refusal(text + ("; " + hint if hint else "."))
            path.append(container.joined)
            container = containers[container.joined]
            if not container.present:
                raise self._refusal("network_mode: container '%s' is to be absent." % container.name)

    def _attached(self, networks: Mapping[str, Network]) -> List[Attachment]:
        listed = self.spec.get("networks")
        if listed is None:
            present = (network.name for network in networks.values() if network.present)
            first = next(present, next(iter(networks), None))
            if first is None and self.present and self.mode == "bridge":
                raise self._refusal("there is no network to attach it to; wiring_networks is empty.")
            listed = [{**defaults(ATTACHMENT), "name": first}] if first else []
        found: List[Attachment] = []
        interfaces: Set[str] = set()
        attached: Set[str] = set()
        for number, entry in enumerate(listed):
            network = networks.get(entry.get("name", ""))
            if network is None and not self.present and entry.get("name"):
                network = Network({**defaults(NETWORK), "name": entry["name"], "state": "absent"})  # it went before
            if network is None:
                hint = meant(entry["name"], networks)
                text = "network '%s' is not in wiring_networks%s" % (entry["name"], "; " + hint if hint else ".")
                raise self._refusal(text)
            if self.present and self.mode == "bridge" and not network.present:
                raise self._refusal("network '%s' is to be absent." % network.name)
            interface = new_name(entry.get("interface") or "eth%d" % number, self._option("interface"))
            if interface in interfaces:
                raise self._refusal("two of its networks use the interface %s." % interface)
            if network.name in attached:
                raise self._refusal("network '%s' is listed twice." % network.name)
            interfaces.add(interface)
            attached.add(network.name)
            own = {key: value for key, value in self.spec["sysctls"].items() if interface_of(str(key)) == interface}
            off = network.pooled and not network.has_subnet(6) and not self._asks_for_ipv6(network, entry, interface)
            made = (self.name, network, interface, entry, own, off, self._forwards(), self.loopback_addresses)
            found.append(Attachment(*made) if network.bridged else _on_parent(*made))
            if self.present:
                found[-1].check_options()
        if sum(bool(attachment.spec.get("default_route")) for attachment in found) > 1:
            raise self._refusal("more than one of its networks has default_route: true.")
        return found

    def _asks_for_ipv6(self, network: Network, entry: Mapping[str, Any], interface: str) -> bool:
        """Return whether something else than its network's subnets asks for IPv6 on an interface, or says itself whether it is to be there: a fixed
        address, a route, a sysctl."""
        routes = [*network.spec["routes"], *self.spec["routes"]]
        said = {_of_ipv6(str(key)) for key in self.spec["sysctls"]}
        return (
            bool(entry.get("ipv6_address"))
            or any(map(means_ipv6, routes))
            or not said.isdisjoint(("all", "default", interface.replace(".", "/")))
        )

    def _forwards(self) -> bool:
        """Return whether the container is told to forward packets: those have others' addresses."""
        return self.spec["forwarding"] or any(
            _of_forwarding(str(key)) and switched_on(value) for key, value in self.spec["sysctls"].items()
        )

    def checks(self) -> List[Item]:
        """Return the items that have its ports checked for spoofing; what else of it is checked is so no longer."""
        found = [attachment.check() for attachment in self.attachments if attachment.checked]
        return found or self.no_checks()

    def no_checks(self) -> List[Item]:
        """Return the item that ends all checks of its ports."""
        return [{"type": "spoof_check", "owner": self.name, "state": "absent", "optional": True}]

    def _published(self) -> List[published_ports.Port]:
        listed = self.spec["published_ports"]
        if listed and self.mode == "host":
            raise self._refusal("published_ports: with network_mode: host its ports are the host's already.")
        if listed and self.joined:
            raise self._refusal(
                "published_ports belong to container '%s', whose namespace it joins; list them there." % self.joined
            )
        if listed and self.mode == "none":
            raise self._refusal("published_ports: with network_mode: none nobody can reach it.")
        try:
            return [published_ports.parse(port) for port in listed]
        except Invalid as error:
            raise self._refusal("published_ports: %s" % error) from error

    def netns(self) -> Item:
        """Return the item of the container's name in /run/netns."""
        item: Item = {"name": self.name}
        if self.shares:
            item["share"] = self.shares
        if "pid" in self.spec:
            item["pid"] = self.spec["pid"]
        if self.engine in ENGINES:
            item.update(container=self.name, engine=self.engine)
        if self.engine in ENGINES and self.mode == "bridge" and 6 in self._families():
            # docker switches IPv6 off in a container without a network
            item["sysctls"] = {"net.ipv6.conf.%s.disable_ipv6" % which: 0 for which in ("all", "default")}
        settings = self._own_sysctls()
        if settings:
            item["sysctls"] = {**item.get("sysctls", {}), **settings}
        if self.engine == "netns" and not self.shares:
            item["new_sysctls"] = dict(BORN_WITH)
        return item

    def _own_sysctls(self) -> Dict[str, Any]:
        """Return the sysctls of the namespace itself; those of an interface are set once it is there. Raises `Invalid` for one that nobody makes."""
        made = {attachment.interface for attachment in self.attachments} if self.mode == "bridge" else set()
        found: Dict[str, Any] = {}
        if self.spec["forwarding"]:
            said = {key_of(str(key)) for key in self.spec["sysctls"]}
            found.update((key, value) for key, value in FORWARDING.items() if key not in said)
        for key, value in self.spec["sysctls"].items():
            interface = interface_of(str(key))
            if interface not in made:
                found[key] = value
            if interface not in made and interface not in ("", "lo") and self.engine == "netns" and self.present:
                raise self._refusal(
                    "sysctls: '%s': none of its networks gives it an interface '%s'." % (key, interface)
                )
        return found

    def _check_ipv6(self) -> None:
        """Raise `Invalid` for a sysctl that switches IPv6 off where a network gives an address of it: one of them would undo the other."""
        for key, value in self.spec["sysctls"].items() if self.present else ():
            *dummy, which, last = key_of(str(key)).split(".")
            if last != "disable_ipv6" or not switched_on(value):
                continue
            for attachment in self.attachments:
                if which in ("all", "default", attachment.interface.replace(".", "/")) and attachment.has_ipv6:
                    raise self._refusal(
                        "sysctls: '%s' switches IPv6 off, and network '%s' gives it an IPv6 address; leave out one of them."
                        % (key, attachment.network.name)
                    )

    def _families(self) -> Set[int]:
        subnets = {subnet.net.version for attachment in self.attachments for subnet in attachment.network.subnets}
        return subnets | {6 for attachment in self.attachments if attachment.spec.get("ipv6_address")}

    def interfaces(self) -> Iterator[Tuple[str, Item]]:
        """Yield (step, item) for all that its interfaces need. What makes them is of two modules, and each is told which ones are the other's."""
        bare = not self.loopback_addresses
        for attachment in self.attachments:
            others = [
                other.interface for other in self.attachments if other.network.bridged != attachment.network.bridged
            ]
            for step, items in attachment.items().items():
                for item in items:
                    if step == "address" and bare:
                        item, bare = dict(item, loopback=True), False
                    yield step, dict(item, keep=others) if others and item.get("exclusive") else item

    def bare_pairs(self) -> List[Item]:
        """Return the options that identify each of its pairs; without any network those of an eth0."""
        pairs = [attachment.bare_pair() for attachment in self.attachments]
        return pairs or [{"peer_netns": self.name, "peer_name": "eth0", "exclusive": True}]

    def routes(self) -> List[Item]:
        """Return the items of its routes: the default routes, those of its networks, and its own. One that is listed
        for a default route takes the place of that by the network. What else of ours is in its namespace
        goes: without any the item that sees to it."""
        listed = self._listed_routes()
        taken = {_default_key(item) for item in listed}
        items = [
            *(item for item in self._default_routes() if _default_key(item) not in taken),
            *self._routes_beyond(),
            *listed,
        ]
        exclusive = [dict(item, exclusive=True) if item.get("state") != "absent" else item for item in items]
        return exclusive if any("exclusive" in item for item in exclusive) else [*exclusive, *self.no_routes()]

    def no_routes(self) -> List[Item]:
        """Return the item that removes all routes and policy rules of ours, since not all go with an interface. Where its name means
        another's namespace, those in there are the other's."""
        return [] if self.shares else [{"netns": self.name, "state": "absent", "exclusive": True}]

    @property
    def may_outlive(self) -> bool:
        """Return whether its namespace may live on without its name, and has routes of ours then."""
        return self.engine != "netns" or bool(self._listed_routes())

    def _listed_routes(self) -> List[Item]:
        items: List[Item] = []
        for attachment in self.attachments:
            items.extend(
                dict(_along(attachment.interface, route), **route, netns=self.name)
                for route in attachment.network.spec["routes"]
            )
        items.extend(dict(route, netns=self.name) for route in self.spec["routes"])
        return items

    def _uplinks(self) -> Dict[int, Tuple[Attachment, Subnet]]:
        """Return by family which way the default route goes: by the network that asks for it, else by the first one that has the
        family and a gateway."""
        candidates = [
            attachment
            for attachment in self.attachments
            if not attachment.network.internal and attachment.spec.get("default_route") is not False
        ]
        candidates.sort(key=lambda attachment: not attachment.spec.get("default_route"))
        found: Dict[int, Tuple[Attachment, Subnet]] = {}
        for attachment in candidates:
            for subnet in attachment.network.subnets:
                if attachment.led_by(subnet):
                    found.setdefault(subnet.net.version, (attachment, subnet))
        return dict(sorted(found.items()))

    def _routes_beyond(self) -> List[Item]:
        """Return the items of routes to what of its networks is on other hosts, where the default route goes another way."""
        uplinks = {version: way for version, (way, dummy) in self._uplinks().items()}
        listed = {str(route.get("destination")) for route in self._listed_routes()}
        return [
            {"netns": self.name, "destination": str(net), "gateway": subnet.gateway, "interface": attachment.interface}
            for attachment in self.attachments
            for net, subnet in attachment.network.beyond()
            if attachment.led_by(subnet) and uplinks.get(net.version) is not attachment and str(net) not in listed
        ]

    def _default_routes(self) -> List[Item]:
        items = []
        for version, (attachment, subnet) in self._uplinks().items():
            item: Item = {
                "netns": self.name,
                "family": "ipv%d" % version,
                "gateway": subnet.gateway,
                "interface": attachment.interface,
            }
            if "metric" in attachment.network.spec:
                item["metric"] = attachment.network.spec["metric"]
            items.append(item)
        return items

    def nat(self, present: bool) -> List[Item]:
        """Return the items of the published ports, by family; without any the item that ends whatever was published. Raises `Invalid`."""
        if not present:
            return [{"type": "dnat", "owner": self.name, "state": "absent"}]
        # What a container that is gone has published to an address that this one was given goes.
        if not self.ports:
            return [{"type": "dnat", "owner": self.name, "state": "absent", "addresses": [self.name]}]
        items = []
        uplinks = [(version, way) for version, (way, dummy) in self._uplinks().items()]
        ways = {version: way for version, way in uplinks if way.network.forwarded}
        direct = next((way.network for dummy, way in uplinks if not way.network.bridged), None)
        for port in self.ports:
            where = "published_ports: '%s': " % published_ports.spelled(port)
            host = address(port.host_ip, self._option(where + "host_ip")) if port.host_ip else None
            by_family = {version: way for version, way in ways.items() if host is None or host.version == version}
            if not by_family and direct is not None:
                raise self._refusal(
                    "%snetwork '%s' puts it on the segment of %s, where its ports are reached at its own address; leave it out."
                    % (where, direct.name, direct.parent)
                )
            if not by_family:
                family = "IPv%d " % host.version if host else ""
                raise self._refusal(
                    "%sit has no %saddress on a network that the host forwards for (internal, host_access: false)."
                    % (where, family)
                )
            for version, attachment in by_family.items():
                if attachment.network.vrf:
                    raise self._refusal(
                        "%snetwork '%s' is in a vrf, whose addresses are none of the host's to the firewall, so nobody would reach it."
                        % (where, attachment.network.name)
                    )
                own = attachment.fixed().get("ipv%d_address" % version)
                if host and own == ip(port.host_ip, ""):
                    raise self._refusal(where + OWN % own)
                item: Item = {
                    "type": "dnat",
                    "owner": self.name,
                    "protocol": port.protocol,
                    "host_port": port.host_port,
                    "to_port": port.to_port,
                    "to_address": attachment.reference(version),
                    "bridge": attachment.network.name,
                    "exclusive": True,
                }
                if port.host_ip:
                    item["host_ip"] = port.host_ip
                items.append(item)
        items[0]["addresses"] = [self.name]
        return items
