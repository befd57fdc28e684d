# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A link of the role's list, a cable between two containers, checked, and what it asks of the modules. Pure.

The order of its endpoints says who gets the first usable address of a subnet where neither has one yet. Everything else has one order, by name: so a
link that is spelt the other way round is the same one, and each end keeps what it has.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import (
    IpInterface,
    IpNetwork,
    address,
    interface,
    network,
    text,
    usable,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.link_kinds import LINK, SHAPES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import netns_name, new_name
from ansible_collections.linuxnet.containers.plugins.module_utils._model.sysctls import interface_of
from ansible_collections.linuxnet.containers.plugins.module_utils._model.values import IPV6_MTU, mac
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import with_jitter
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_address_want import NO_GATEWAY
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.attachments import hears_advertisements
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.networks import broadcast
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import Item, cable_name


class End:
    """One of the two ends of a link; ``spec`` is the endpoint in canonical form. ``link`` is what the link is called, ``nets`` are its subnets."""

    def __init__(self, spec: Mapping[str, Any], number: int) -> None:
        where = "wiring_links: item %d: endpoints" % number
        self.container = netns_name(spec["name"], where)
        self.interface = new_name(spec["interface"], where)
        self.spec = spec
        self.link = ""
        self.nets: List[IpNetwork] = []

    @property
    def label(self) -> str:
        return "%s:%s" % (self.container, self.interface)

    def refusal(self, what: str) -> Invalid:
        return Invalid("wiring_links: link '%s': %s" % (self.link, what))

    def check_container(self, mode: str, joined: str, present: bool) -> None:
        """Raise `Invalid` where its container cannot have it."""
        if mode == "host":
            raise self.refusal("the network of '%s' is the host's own (network_mode: host)." % self.container)
        if joined:
            raise self.refusal("'%s' has the namespace of '%s'; the link is that one's." % (self.container, joined))
        if not present:
            raise self.refusal("container '%s' is to be absent; give the link state: absent as well." % self.container)

    @property
    def mac(self) -> str:
        """Return the MAC address that is asked for, ``""`` where it is derived. Raises `Invalid`."""
        given = self.spec.get("mac_address")
        return mac(given, "wiring_links: link '%s': mac_address" % self.link) if given else ""

    def fixed(self) -> Dict[int, IpInterface]:
        """Return the addresses that are asked for, by family, each with the prefix length of its subnet. Raises `Invalid`."""
        found = {}
        for version in (4, 6):
            option = "ipv%d_address" % version
            given = self.spec.get(option)
            if given:
                found[version] = self._fixed(given, version, option)
        return found

    def _fixed(self, given: str, version: int, option: str) -> IpInterface:
        where = "wiring_links: link '%s': %s" % (self.link, option)
        own, dummy, prefix = given.partition("/")
        parsed = address(own, where)
        if parsed.version != version:
            raise self.refusal("%s: %s is not an IPv%d address." % (option, own, version))
        nets = [net for net in self.nets if net.version == version]
        home = next((net for net in nets if parsed in net), None)
        if nets and home is None:
            raise self.refusal("%s: %s is in none of its subnets." % (option, own))
        if home is not None and prefix not in ("", str(home.prefixlen), str(home.netmask)):
            raise self.refusal(
                "%s: %s has not the prefix length of its subnet %s; leave it out." % (option, given, home)
            )
        if home is None and not prefix:
            length = 31 if version == 4 else 127
            raise self.refusal(
                "%s: %s needs its prefix length, as %s/%d, for the link has no IPv%d subnet."
                % (option, own, own, length, version)
            )
        return interface(given if home is None else "%s/%d" % (own, home.prefixlen), where)

    @property
    def has_ipv6(self) -> bool:
        """Return whether the end gets an IPv6 address."""
        return any(net.version == 6 for net in self.nets) or bool(self.spec.get("ipv6_address"))

    @property
    def numbered(self) -> bool:
        """Return whether the end gets any address."""
        return bool(self.nets) or any(self.spec.get(name) for name in ("ipv4_address", "ipv6_address"))


class Link:
    """A link; ``spec`` is its entry in canonical form, ``number`` its place in the list. Raises `Invalid` when it is made.

    ``ends`` are as they are listed; ``near`` and ``far`` are the same in their one order.
    """

    def __init__(self, spec: Mapping[str, Any], number: int) -> None:
        self.spec = spec
        self.present = spec["state"] != "absent"
        self.ends = [End(one, number) for one in spec["endpoints"]]
        if len(self.ends) != 2:
            raise Invalid("wiring_links: item %d: endpoints: a link has two, not %d." % (number, len(self.ends)))
        self.near, self.far = sorted(self.ends, key=lambda end: (end.container, end.interface))
        self.name = cable_name(self._pair())
        for end in self.ends:
            end.link = self.name
        if self.near.container == self.far.container:
            raise self._refusal("both ends are in '%s'; a link is between two containers." % self.near.container)
        nets = self._subnets()
        for end in self.ends:
            end.nets = nets
        if self.present:
            self._check()

    def _refusal(self, what: str) -> Invalid:
        return self.near.refusal(what)

    def _option(self, name: str) -> str:
        return "wiring_links: link '%s': %s" % (self.name, name)

    def _subnets(self) -> List[IpNetwork]:
        nets: List[IpNetwork] = []
        for cidr in self.spec["subnets"]:
            if "/" not in cidr:
                raise self._refusal("subnets: '%s' has no prefix length; write it as 10.0.12.0/31." % cidr)
            net = network(cidr, self._option("subnets"))
            earlier = next((one for one in nets if one.overlaps(net)), None)
            if earlier is not None:
                raise self._refusal("its subnets %s and %s overlap." % (earlier, net))
            first, last = usable(net)
            if first == last:
                raise self._refusal("subnets: %s has one address, and a link has two ends." % net)
            nets.append(net)
        return nets

    def _check(self) -> None:
        """Raise `Invalid` for what both ends cannot have together."""
        if self.near.mac and self.near.mac == self.far.mac:
            raise self._refusal("mac_address: both ends are to have %s; give them one each." % self.near.mac)
        taken = {text(own.ip) for own in self.near.fixed().values()}
        twice = next((text(own.ip) for own in self.far.fixed().values() if text(own.ip) in taken), "")
        if twice:
            raise self._refusal("both ends are to have %s; give them one each." % twice)
        if self.spec["mtu"] < IPV6_MTU and any(end.has_ipv6 for end in self.ends):
            raise self._refusal("mtu: %d is less than the %d bytes that IPv6 needs." % (self.spec["mtu"], IPV6_MTU))

    def _pair(self) -> Item:
        """Return the options that identify the pair."""
        near, far = self.near, self.far
        own: Item = {"netns": near.container, "name": near.interface, "cable": True}
        return {**own, "peer_netns": far.container, "peer_name": far.interface}

    def no_pair(self) -> Item:
        """Return the item that takes it away."""
        return {**self._pair(), "state": "absent"}

    def pair(self, sysctls: Mapping[str, Mapping[str, Any]]) -> Item:
        """Return the item that makes it; ``sysctls`` are those of the containers by name, of which each end has its own. Raises `Invalid`."""
        item = {**self._pair(), "mtu": str(self.spec["mtu"])}
        for end, prefix in ((self.near, ""), (self.far, "peer_")):
            own = {
                key: value for key, value in sysctls[end.container].items() if interface_of(str(key)) == end.interface
            }
            if own:
                item[prefix + "sysctls"] = own
            # Whoever has addresses from here does not take others from his neighbour, unless he says so.
            if end.numbered and not any(map(hears_advertisements, own)):
                item[prefix + "accept_ra"] = False
            if end.mac:
                item[prefix + "mac"] = end.mac
            item.update((prefix + name, value) for name, value in self._shapes().items())
        return item

    def _shapes(self) -> Item:
        """Return what holds up what leaves by each of its ends. Raises `Invalid`."""
        given = {name: self.spec[name] for name in SHAPES if self.spec.get(name) is not None}
        asked = {name: LINK[name].canonical(value, self._option(name)) for name, value in given.items()}
        try:
            return {name: value for name, value in with_jitter(asked).items() if value}
        except Invalid as error:
            raise self._refusal(str(error)) from error

    def addresses(self) -> Iterator[Item]:
        """Yield the items of both ends' addresses, the end first that is listed first: the fixed ones, else of each subnet the lowest that the other end
        has not, or the one that the end has already. Without any the item that takes ours away. Raises `Invalid`."""
        for end, other in (self.ends, self.ends[::-1]):
            where: Item = {"netns": end.container, "interface": end.interface, "supersede": True}
            items = list(self._addresses(end, other))
            for item in items or [{"state": "absent"}]:
                yield {**where, **item}

    def _addresses(self, end: End, other: End) -> Iterator[Item]:
        own, others = end.fixed(), other.fixed()
        where = "%s/%s" % (other.container, other.interface)
        nets: Sequence[Optional[IpNetwork]] = [*self.near.nets, None]
        for net in nets:
            mine = [one for one in own.values() if one.network == net or (net is None and one.network not in nets)]
            for one in mine:
                yield {"address": "%s/%d" % (text(one.ip), one.network.prefixlen), **broadcast(one.network)}
            if net is not None and not mine:
                taken = [text(one.ip) for one in others.values() if one.network == net]
                pool: Item = {"pool": str(net), "cable": where, "strategy": "lowest", "gateway": NO_GATEWAY}
                yield {**pool, **({"exclude": taken} if taken else {}), **broadcast(net)}
