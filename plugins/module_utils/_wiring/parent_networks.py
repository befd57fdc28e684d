# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Networks on the segment of an interface of the host, its parent: each container has a link of its own that is made on that. Pure.

There is no bridge, and nothing is translated or published: containers are there as machines of the segment are, with its gateway. The kernel lets the host
itself not talk to them over the parent, so it may have an interface of its own beside them.
"""

from __future__ import annotations

import collections
import re
from functools import cached_property
from typing import Any, Dict, List, Mapping

from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import (
    address,
    network_text,
    parts,
    usable,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import known_name, new_name
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.attachments import Attachment
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.networks import (
    OF_BRIDGES,
    OF_SHARED,
    Network,
    Subnet,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.shared_networks import ended
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import Item

_VLAN = re.compile(r"(?P<parent>.+)\.(?P<vlan_id>[1-9][0-9]{0,3})")
_ALONE = "passthru"


class OnParent(Network):
    """A network on the segment of ``parent``, by links of a ``kind`` of `SHARING`; ``host_interface`` is the host's own there, ``""`` for none."""

    useless = {**OF_SHARED, **OF_BRIDGES}
    bridged = False

    def __init__(self, spec: Mapping[str, Any], shares: bool = False) -> None:
        """``shares``: the host shares networks, so that this one may have been shared."""
        super().__init__(spec)
        self.shares = shares
        self.host_access = False  # not by an address of the segment's gateway
        self.kind: str = spec["driver"]
        self.parent = known_name(spec["parent"], self._option("parent")) if spec.get("parent") else ""
        self.host_interface = (
            new_name(spec["host_interface"], self._option("host_interface")) if spec.get("host_interface") else ""
        )
        if self.present:
            self._check()

    def _check(self) -> None:
        """Raise `Invalid` for what is not to be there so."""
        if not self.parent:
            raise self._refusal("driver: %s needs a parent, the interface whose segment it is." % self.kind)
        row = link_kinds.KINDS[self.kind].fields[self.kind + "_mode"]
        if "mode" in self.spec:
            row.canonical(self.spec["mode"], self._option("mode"))
        if not self.host_interface:
            if self.spec["host_addresses"]:
                raise self._refusal("host_addresses: they are for host_interface, which is not given.")
            return
        if self.spec.get("mode") == _ALONE:
            raise self._refusal("host_interface: with mode: %s there is but one link on the parent." % _ALONE)
        if self.host_interface in (self.parent, self.name):
            raise self._refusal(
                "host_interface: it cannot be called %s, as the network or its parent is." % self.host_interface
            )
        for subnet in self.subnets:
            if str(subnet.net) not in self.host_addresses or not subnet.range:
                raise self._refusal(
                    "host_interface: the host needs an address in %s (host_addresses), and to know which containers have "
                    "(ranges)." % subnet.net
                )
            if self._parts(subnet) == [network_text(subnet.net)]:
                raise self._refusal(
                    "host_interface: the range of %s is all of it, and the host would reach nobody else there by %s; take a smaller one."
                    % (subnet.net, self.parent)
                )

    @cached_property
    def host_addresses(self) -> Dict[str, str]:
        """Return the host's address by subnet. Raises `Invalid`."""
        option = "host_addresses"
        listed = self._by_subnet(option, self._nets())
        found = {}
        for net, texts in listed.items():
            if len(texts) > 1:
                raise self._refusal("%s: there is more than one for the subnet %s." % (option, net))
            for text in texts:
                own = address(text, self._option(option))
                first, last = usable(net)
                if not int(first) <= int(own) <= int(last):
                    raise self._refusal("%s: %s is not an address a host can have in %s." % (option, own, net))
                found[str(net)] = str(own)
        return found

    def _subnets(self) -> List[Subnet]:
        """The host's own address is nobody else's."""
        found = []
        for subnet in super()._subnets():
            own = self.host_addresses.get(str(subnet.net))
            if own and own == subnet.gateway:
                raise self._refusal("host_addresses: %s is the gateway's." % own)
            found.append(Subnet(subnet.net, subnet.gateway, subnet.range, (*subnet.exclude, own)) if own else subnet)
        return found

    def _parts(self, subnet: Subnet) -> List[str]:
        """Return the networks that are the range of a subnet."""
        return [network_text(net) for net in parts(subnet.range, self._option("ranges"))] if subnet.range else []

    def link(self) -> Item:
        """Return the options that all links on the parent have in common."""
        item: Item = {"kind": self.kind, "parent": self.parent, **self.mtu_options(), "only_ours": True}
        # What cannot be changed in place (parent, kind) is made anew: later steps give it all that it had.
        item["recreate"] = True
        return {**item, "mode": self.spec["mode"]} if "mode" in self.spec else item

    def _vlan(self) -> List[Item]:
        """Return the item of the parent, where that is a VLAN that is to be made."""
        match = None if self.unmanaged else _VLAN.fullmatch(self.parent)
        if match is None or int(match["vlan_id"]) > 4094:
            return []
        item: Item = {"name": self.parent, "kind": "vlan", "parent": match["parent"], "owner": self.name}
        return [{**item, "vlan_id": int(match["vlan_id"]), "as_is": True}]

    def links(self) -> List[Item]:
        host = {"name": self.host_interface, "owner": self.name, **self.link()}
        return [*self._vlan(), *([host] if self.host_interface else [])]

    def ended(self) -> Dict[str, List[Item]]:
        """Its bridge goes, if it was one, and its tunnel; what it has on the host goes with it."""
        own = self.host_interface
        found = collections.defaultdict(list, ended(self.name) if self.shares else {})
        found["bridge"] = [{"name": self.name, "only_ours": True, "state": "absent"}]
        if own:
            keep = [part for subnet in self.subnets for part in self._parts(subnet)] if self.present else []
            found["route"].append({"network": self.name, "interface": own, "keep": keep, "state": "absent"})
        if not self.present:
            gone = [{"name": own, "kind": self.kind}] if own else []
            gone += [{"name": item["name"], "kind": item["kind"]} for item in self._vlan()]
            found["link"].extend({**item, "owner": self.name, "only_ours": True, "state": "absent"} for item in gone)
        return found

    def bridge(self, present: bool) -> List[Item]:
        return []

    def isolation(self, present: bool) -> Item:
        return super().isolation(False)

    def gateways(self) -> List[Item]:
        """The host's address has no network of its own: the parent has that."""
        if not self.host_interface:
            return []
        return [
            {
                "interface": self.host_interface,
                "parent": self.parent,
                "address": "%s/%d" % (self.host_addresses[str(subnet.net)], subnet.net.max_prefixlen),
                "nodad": True,
                "supersede": True,
            }
            for subnet in self.subnets
        ]

    def routes(self) -> List[Item]:
        """The host's routes to its containers, which are beside its interface."""
        return [
            {
                "destination": part,
                "interface": self.host_interface,
                "source": self.host_addresses[str(subnet.net)],
            }
            for subnet in (self.subnets if self.host_interface else ())
            for part in self._parts(subnet)
        ]


class OnParentAttachment(Attachment):
    """An interface of a container that is made on the network's parent."""

    network: OnParent

    def check_options(self) -> None:
        options = ("port", "host_interface", "spoof_check")
        given = next((name for name in options if self.spec.get(name) not in (None, {}, "")), None)
        held = next((name for name in ("rate", "ingress_rate") if self.spec.get(name) is not None), None)
        if held:
            raise self._refusal(
                "%s: what comes from the segment of network '%s' is nobody's to hold up; egress_rate is for what it sends."
                % (held, self.network.name)
            )
        if given:
            raise self._refusal("%s: network '%s' has no bridge, so there is no port." % (given, self.network.name))
        if self.mac and self.network.kind == "ipvlan":
            raise self._refusal(
                "mac_address: an ipvlan has its parent's, as network '%s' gives one." % self.network.name
            )

    @property
    def checked(self) -> bool:
        return False

    @property
    def host_end(self) -> str:
        return ""

    def items(self) -> Dict[str, List[Item]]:
        item: Item = {"netns": self.container, "name": self.interface, **self.network.link(), "exclusive": True}
        if self.mac:
            item["mac"] = self.mac
        item.update(self.settings())
        sent = {name: value for name, value in self._shapes().items() if name.startswith("peer_")}
        item.update((name[len("peer_") :], value) for name, value in sent.items())
        return {"link": [item], "address": self.addresses()}

    def _segment(self) -> Item:
        """Others live there as well, who are asked."""
        return {"parent": self.network.parent, "probe": True}
