# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun ns_address: an address of an interface, given or taken from a pool. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import field, replace
from typing import Any, Dict, Hashable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import addressing
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import (
    Announce,
    DelAddress,
    PutAddress,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import DelRoute
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import PROTOCOL, host_interface
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    FOREVER,
    HOST,
    MAIN_TABLE,
    Address,
    Link,
    Route,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import ns_address_want
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_address_choice import (
    Choice,
    Leaving,
    Search,
    check_scope,
    disable_ipv6,
    going,
    ready_for_ipv6,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_address_want import Want
from ansible_collections.linuxnet.containers.plugins.module_utils._run.leases import leases
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan, Resource
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

# What a change may touch in place; anything else means taking the address away and setting it anew.
_IN_PLACE = {4: {"valid_lft", "preferred_lft"}, 6: {"valid_lft", "preferred_lft", "noprefixroute"}}


@dataclass(frozen=True)
class Have:
    """``own``: the addresses of the interface. ``current`` is the wanted one among them, else ``choice`` says which it is to be.
    ``networks``: (network, interface) that other interfaces reach and that overlap a new address's. ``leaving``: the addresses that the
    task is about to remove from those interfaces. ``routes``: those of ours through the interface, by address family, where it may have no address left."""

    link: Optional[Link] = None
    own: Tuple[Address, ...] = ()
    current: Optional[Address] = None
    choice: Choice = field(default_factory=Choice)
    networks: Tuple[Tuple[str, str], ...] = ()
    disable_ipv6: Optional[str] = "0"
    leaving: Leaving = field(default_factory=dict, hash=False)
    routes: Mapping[int, Sequence[Route]] = field(default_factory=dict, hash=False)


class NsAddressResource(Resource[Want, Have]):
    noun = "ns_address"
    identity = ("interface",)
    locks = True
    options = ns_address_want.OPTIONS
    rules = ns_address_want.RULES

    def parse(self, params: Mapping[str, Any]) -> Want:
        return ns_address_want.parse(params)

    def identities(self, want: Want) -> Sequence[Hashable]:
        """An interface may have an IPv4 address more than once, with other prefix lengths; of a pool it has one."""
        if want.address is not None:
            what: Hashable = want.address.ip if want.family == 6 else want.address.key
        else:
            what = want.pool and want.pool.network
        return ((want.ns, want.interface, what),)

    def same(self, want: Want, other: Want) -> bool:
        return want == other and want.pool is other.pool

    def together(self, wants: Sequence[Want]) -> List[Want]:
        return ns_address_want.together(wants)

    def resolved(self, want: Want, state: State) -> Want:
        interface = state.own_name(want.ns, want.interface)
        bridge = state.own_name(HOST, want.bridge) if want.bridge and want.present else want.bridge
        if (interface, bridge) == (want.interface, want.bridge):
            return want
        return ns_address_want.renamed(want, interface, bridge)

    def subject(self, want: Want) -> str:
        what = want.address.cidr if want.address else "from %s" % (want.pool.network if want.pool else "")
        return "address %s on %s%s" % (what, want.interface, " in %s" % want.ns if want.ns.path else "")

    def look(self, want: Want, state: State) -> Have:
        ns = state.need(want.ns) if want.present else state.find(want.ns)
        if ns is None:
            return Have()
        if not want.present:
            found = state.link(ns, want.interface)
            return Have(found, tuple(state.addresses_of(ns, found)) if found else ())
        link = state.need_link(ns, want.ns, want.interface, "interface")
        host = state.need(HOST)
        bridge = state.need_link(host, HOST, want.bridge, "bridge", "bridge") if want.bridge else None
        if state.predict and link.index < 0 and want.bridge:
            # The interface is only foreseen; a pair that was made for it has its other end in another namespace.
            leases(state).taken(host, want.bridge, bridge)
            leases(state).release_port(host, want.bridge, host_interface(want.ns.path, want.interface))
        own = tuple(state.addresses_of(ns, link))
        current = self._current(want, own)
        leaving: Leaving = {}
        networks: Tuple[Tuple[str, str], ...] = ()
        choice = Choice()
        if current is None:
            networks = self._other_networks(want, ns, state)
            leaving = going(want, ns, [name for dummy, name in networks], state)
            choice = Search(want, ns, link, bridge, state).choice()
        return Have(
            link,
            own,
            current,
            choice,
            networks,
            disable_ipv6(want, ns, state) if want.family == 6 else "0",
            leaving,
            {family: self._through(want, ns, family, state) for family in self._doubtful(want, own)},
        )

    @staticmethod
    def _current(want: Want, own: Sequence[Address]) -> Optional[Address]:
        """Return the address of the interface that is the wanted one already."""
        if want.address is not None:
            same = [address for address in own if address.key == want.address.key]
            if not same and want.family == 6:  # the kernel has an IPv6 address once, whatever its prefix length
                same = [address for address in own if address.ip == want.address.ip]
            return same[0] if same else None
        prefix = want.pool.network.prefixlen if want.pool else -1
        same = [
            address
            for address in own
            if address.prefix == prefix and want.may_be(address) and address.ip not in want.keep
        ]
        return same[0] if same else None

    @staticmethod
    def _doubtful(want: Want, own: Sequence[Address]) -> List[int]:
        """Return the address families of which the interface may have no address left afterwards."""
        if not want.removes_others:
            return []
        return sorted({address.family for address in own if address.scope == "global"} - want.kept_families)

    @staticmethod
    def _through(want: Want, ns: int, family: int, state: State) -> List[Route]:
        """Return the routes of ours of a family through the interface."""
        routes = state.routes(ns, family, MAIN_TABLE)
        return [route for route in routes if route.interface == want.interface and route.protocol == PROTOCOL]

    @staticmethod
    def _other_networks(want: Want, ns: int, state: State) -> Tuple[Tuple[str, str], ...]:
        """Return the networks that other interfaces of the namespace reach and that overlap the wanted one, default routes and multicast
        left out."""
        wanted = want.address.network if want.address else want.pool.network if want.pool else None
        found = []
        for route in state.routes(ns, want.family, MAIN_TABLE):
            net = ipaddress.ip_network(route.destination)
            if (
                route.type == "unicast"
                and route.interface not in ("", want.interface, "lo")
                and net.prefixlen
                and not net.is_link_local
                and not net.is_multicast
                and wanted is not None
                and net.overlaps(wanted)
            ):
                found.append((route.destination, route.interface))
        return tuple(found)

    def plan(self, want: Want, have: Have) -> Plan:
        if not want.present:
            return self._absent(want, have)
        target, current = self._target(want, have), have.current
        changes: List[Change] = ready_for_ipv6(want, have.link, have.disable_ipv6)
        if current is None:
            self._check_overlap(want, target, have)
            check_scope(target, have.own)
            changes.append(PutAddress(want.ns, want.interface, target))
        elif current != target:
            check_scope(target, have.own)
            changes.extend(self._changed(want, current, target, have))
        if (current is None or current != target) and want.announce and target.scope == "global":
            shared = any(
                address.key != target.key and target.parsed in address.network for address in have.own
            ) or bool(target.peer)
            changes.append(Announce(want.ns, want.interface, target.ip, target.family, shared))
        surplus = self._surplus(want, target, have)
        # What was just set may be a secondary of what now goes.
        stays = [address for address in have.own if address not in surplus and address is not current]
        stays.append(replace(target, secondary=target.secondary or bool(changes)))
        routes = [route for family in self._lost(want, surplus, stays) for route in have.routes[family]]
        changes.extend(DelRoute(want.ns, route) for route in routes)
        for address in surplus:
            changes.extend(self._removed(want, address, stays))
        before = self._describe(want, current) if current else {}
        after = self._describe(want, target)
        if surplus or (current and want.removes_others):
            before["others"] = [address.cidr for address in surplus]
        if routes:
            before["routes"] = [str(route) for route in routes]
        if want.removes_others:
            after["others"] = []
        warnings: Tuple[str, ...] = ()
        if have.choice.usual_holder:
            text = "%s: its usual address %s is taken by %s; it gets %s."
            warnings = (text % (want.owner, have.choice.usual, have.choice.usual_holder, target.ip),)
        return Plan(before, after, tuple(changes), warnings)

    def _target(self, want: Want, have: Have) -> Address:
        """Return the address as it is to be. Raises `Refused` where it, or all of the pool, is taken."""
        if want.address is not None:
            if have.current is None:
                self._check_free(want, want.address.ip, have.choice)
            return self._merged(want, want.address, have.current)
        if want.pool is None:
            raise Refused("There is neither an address nor a pool.")
        if have.current is not None:
            return self._merged(want, have.current, have.current)
        if have.choice.ip is None:
            raise want.pool.exhausted()
        net = want.pool.network
        return self._merged(want, Address(addressing.text(have.choice.ip), net.prefixlen, net.version), None)

    @staticmethod
    def _check_free(want: Want, ip: str, choice: Choice) -> None:
        if choice.holder:
            raise Refused("address: %s is taken by %s." % (ip, choice.holder))
        if want.gateway == ip:
            raise Refused("address: %s is the gateway's." % ip)
        if choice.answers:
            raise Refused(
                "address: %s is taken: a neighbour with the MAC address %s answers for it." % (ip, choice.answers)
            )

    @staticmethod
    def _check_overlap(want: Want, target: Address, have: Have) -> None:
        """Refuse an address whose subnet another interface reaches already: answers would take the wrong way (as Docker refuses it)."""
        net = target.network
        if net.prefixlen == net.max_prefixlen or target.noprefixroute:
            return
        leaving = {
            (addressing.network_text(address.network), name)
            for (name, dummy), going in have.leaving.items()
            for address in going
        }
        for destination, interface in have.networks:
            if (destination, interface) not in leaving and net.overlaps(ipaddress.ip_network(destination)):
                raise Refused(
                    "address: %s overlaps the route %s dev %s in %s; take another subnet, or noprefixroute: true where that is wanted."
                    % (net, destination, interface, want.ns)
                )

    @staticmethod
    def _merged(want: Want, address: Address, current: Optional[Address]) -> Address:
        """Return ``address`` with the attributes that are asked for; others stay as they are, or get what iproute2 gives
        a new address."""
        given = dict(want.given)
        if current is None:
            ip = address.parsed
            scope = "host" if ip.is_loopback else "link" if address.family == 6 and ip.is_link_local else "global"
            address = replace(
                address,
                label=want.interface if address.family == 4 else "",
                scope=scope,
                protocol=PROTOCOL,
                nodad=want.nodad,
            )
        else:
            address = replace(current, prefix=address.prefix, peer=address.peer or current.peer)
            for name in ("valid_lft", "preferred_lft"):
                # They run down: only a longer lifetime, or one without an end, differs.
                if (
                    name in given
                    and getattr(current, name) <= given[name]
                    and (getattr(current, name) == FOREVER) == (given[name] == FOREVER)
                ):
                    del given[name]
        address = replace(address, **given)
        if "preferred_lft" not in given:
            address = replace(address, preferred_lft=min(address.preferred_lft, address.valid_lft))
        return address

    def _changed(self, want: Want, current: Address, target: Address, have: Have) -> List[Change]:
        names = {
            name
            for name in ("prefix", "peer", "scope", "label", "broadcast", "valid_lft", "preferred_lft", "noprefixroute")
            if getattr(current, name) != getattr(target, name)
        }
        if names <= _IN_PLACE[target.family]:
            return [PutAddress(want.ns, want.interface, target, current)]
        return [*self._removed(want, current, have.own), PutAddress(want.ns, want.interface, target)]

    @staticmethod
    def _removed(want: Want, address: Address, own: Sequence[Address]) -> List[Change]:
        """Return the steps that remove an address; its secondaries, which the kernel takes with it, are set again."""
        steps: List[Change] = [DelAddress(want.ns, want.interface, address)]
        if address.family == 4 and not address.secondary:
            for other in own:
                if (
                    other.secondary
                    and other.prefix == address.prefix
                    and ipaddress.ip_address(other.peer or other.ip) in address.network
                    and other.key != address.key
                ):
                    steps.append(PutAddress(want.ns, want.interface, other, other))
        return steps

    @staticmethod
    def _surplus(want: Want, target: Address, have: Have) -> List[Address]:
        """Return the interface's addresses that have to go: with ``exclusive`` all other global ones of the family, with
        ``supersede`` those that this collection set, of both families: a network of one family may follow one of both."""
        if not want.removes_others:
            return []
        found = []
        for address in have.own:
            kept = address.ip in want.keep or any(address.parsed in pool for pool in want.keep_pools)
            ours = want.supersede and address.protocol == PROTOCOL
            goes = ours or (want.exclusive and address.family == target.family)
            if goes and address.scope == "global" and address.key != target.key and not kept:
                found.append(address)
        return found

    @staticmethod
    def _lost(want: Want, surplus: Sequence[Address], stays: Sequence[Address]) -> List[int]:
        """Return the address families of which an interface has no address left without its ``surplus``: routes through it are of no
        use then, and the kernel keeps them."""
        kept = {address.family for address in stays if address.scope == "global"} | want.kept_families
        return sorted({address.family for address in surplus} - kept)

    def _absent(self, want: Want, have: Have) -> Plan:
        if want.address is not None:
            gone = [address for address in have.own if address.key == want.address.key]
        else:
            net = want.pool.network if want.pool else ()
            gone = [address for address in have.own if address.parsed in net]
        steps: List[Change] = []
        for address in gone:
            steps.extend(self._removed(want, address, [other for other in have.own if other not in gone]))
        return Plan(self._describe(want, gone[0]) if gone else {}, {}, tuple(steps))

    @staticmethod
    def _describe(want: Want, address: Address) -> Dict[str, Any]:
        return {
            "address": address.cidr,
            "ip": address.ip,
            "prefix": address.prefix,
            "family": "ipv%d" % address.family,
            "interface": want.interface,
            "netns": want.ns.option,
            "owner": want.owner,
            "gateway": want.gateway or None,
            "scope": address.scope,
            "label": address.label or None,
            "broadcast": address.broadcast or None,
            "peer": address.peer or None,
            "valid_lft": "forever" if address.valid_lft == FOREVER else address.valid_lft,
            "preferred_lft": "forever" if address.preferred_lft == FOREVER else address.preferred_lft,
            "noprefixroute": address.noprefixroute,
        }


RESOURCE = NsAddressResource()
