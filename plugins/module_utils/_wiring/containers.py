# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A container of the role's list with its interfaces, checked, and what they ask of the modules. Pure."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import addressing
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import address, ip
from ansible_collections.linuxnet.containers.plugins.module_utils._model.engines import ENGINES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, meant
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import (
    netns_name,
    new_name,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.sysctls import (
    interface_of,
    key_of,
    switched_on,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.port_mapping import OWN
from ansible_collections.linuxnet.containers.plugins.module_utils._run.validation import defaults
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import published_ports
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.attachments import Attachment, refusal
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.links import End
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.networks import (
    Network,
    Subnet,
    means_ipv6,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import Item
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.variables import (
    ATTACHMENT,
    MODES,
    NETWORK,
)

# What a namespace that we make for a container has from the start, as those that Docker makes: its processes need no privilege for low ports and to ping.
BORN_WITH = {"net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647"}
# What a router has, of both families; beside it, what else the kernel calls the first one.
FORWARDING = {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1}
_ALSO_FORWARDING = (*FORWARDING, "net.ipv4.conf.all.forwarding")


def _on_parent(*made: Any) -> Attachment:
    # Here and not above: of use to few tasks.
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.parent_networks import OnParentAttachment

    return OnParentAttachment(*made)


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


def _of_forwarding(key: str) -> bool:
    """Return whether a sysctl switches forwarding on."""
    return key_of(key) == "net.ipv4.ip_forward" or key_of(key).endswith((".forwarding", ".mc_forwarding"))


def _of_ipv6(key: str) -> str:
    """Return whether a sysctl says of which interfaces IPv6 is off: of one, of ``all`` or by ``default``; ``""`` for any other."""
    before, dummy, last = key_of(key).rpartition(".")
    return before[len("net.ipv6.conf.") :] if before.startswith("net.ipv6.conf.") and last == "disable_ipv6" else ""


class Container:
    """A container; ``spec`` is its entry in canonical form. Raises `Invalid` when it is made.

    ``joined`` is the container whose namespace it shares, ``""`` where it shares none; ``ends`` are those of links that it is to have.
    ``linked``: links of it are listed, be it to be gone.
    """

    def __init__(
        self,
        spec: Mapping[str, Any],
        networks: Mapping[str, Network],
        ends: Sequence[End] = (),
        linked: bool = False,
    ) -> None:
        self.name = netns_name(spec["name"], "wiring_containers")
        self.spec = spec
        self.present = spec["state"] != "absent"
        self.mode, dummy, self.joined = spec["network_mode"].partition(":")
        self.engine = spec["engine"]
        self.ends = ends
        self.linked = linked
        if self.mode not in MODES or (self.mode == "container") != bool(self.joined):
            raise self._refusal("network_mode '%s' is none of %s:NAME." % (spec["network_mode"], ", ".join(MODES)))
        if self.name == "host" and self.mode != "host" and self.present:
            raise self._refusal("its name means the host's own network; call it something else.")
        if self.present and (self.engine == "pid") != ("pid" in spec):
            raise self._refusal("pid and engine: pid go together.")
        for option in ("networks", "routes") if self.mode != "bridge" else ():
            spared = option == "routes" and self.mode == "none" and (bool(ends) or not self.present)
            if spec.get(option) and (self.present or option == "routes") and not spared:
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
        self._check_ends()
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
        return refusal(self.name, text)

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
        if listed is None and self.linked:
            listed = []  # one that has links has no network unless it says so
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

    def _check_ends(self) -> None:
        """Raise `Invalid` for links that it cannot have, beside its networks or in its mode."""
        nets = {
            subnet.net: "network '%s'" % one.network.name for one in self.attachments for subnet in one.network.subnets
        }
        names = {one.interface: "network '%s'" % one.network.name for one in self.attachments}
        for end in self.ends:
            end.check_container(self.mode, self.joined, self.present)
            if self.mode == "bridge" and end.interface in names:
                raise end.refusal("%s is on %s already." % (end.label, names[end.interface]))
            for net in end.nets:
                other = next((who for known, who in nets.items() if known.overlaps(net)), "")
                if other and (self.mode == "bridge" or not other.startswith("network")):
                    raise end.refusal(
                        "subnets: %s overlaps that of %s, which '%s' has as well." % (net, other, self.name)
                    )
            nets.update(dict.fromkeys(end.nets, "link '%s'" % end.link))

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
        if self.engine in ENGINES and (self.mode == "bridge" or self.ends) and 6 in self._families():
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
        made.update(end.interface for end in self.ends)
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
                    "sysctls: '%s': none of its networks and links gives it an interface '%s'." % (key, interface)
                )
        return found

    def _check_ipv6(self) -> None:
        """Raise `Invalid` for a sysctl that switches IPv6 off where a network gives an address of it: one of them would undo the other."""
        for key, value in self.spec["sysctls"].items() if self.present else ():
            *dummy, which, last = key_of(str(key)).split(".")
            if last != "disable_ipv6" or not switched_on(value):
                continue
            having = [(one.interface, "network '%s'" % one.network.name) for one in self.attachments if one.has_ipv6]
            having += [(end.interface, "link '%s'" % end.link) for end in self.ends if end.has_ipv6]
            for interface, who in having:
                if which in ("all", "default", interface.replace(".", "/")):
                    raise self._refusal(
                        "sysctls: '%s' switches IPv6 off, and %s gives it an IPv6 address; leave out one of them."
                        % (key, who)
                    )

    def _families(self) -> Set[int]:
        subnets = {subnet.net.version for attachment in self.attachments for subnet in attachment.network.subnets}
        fixed = {6 for attachment in self.attachments if attachment.spec.get("ipv6_address")}
        # By one without addresses routers know each other by IPv6, link-local.
        return subnets | fixed | {6 for end in self.ends if end.has_ipv6 or not end.numbered}

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
                vrf = attachment.network.vrf
                if vrf and (host is None or host.is_unspecified or host.is_loopback):
                    raise self._refusal(
                        "%snetwork '%s' is in vrf '%s'; name the address that the host has in there, as in 192.0.2.1:8080:80."
                        % (where, attachment.network.name, vrf)
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
                if vrf:
                    item["vrf"] = True
                items.append(item)
        items[0]["addresses"] = [self.name]
        return items
