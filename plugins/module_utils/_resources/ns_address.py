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
    NsRef,
    Route,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import ns_address_want
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_address_choice import (
    LIFETIMES,
    Choice,
    Leaving,
    Search,
    asked_for,
    check_scope,
    disable_ipv6,
    going,
    is_settled,
    kernel_marks,
    ready_for_ipv6,
    way_out,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_address_removal import (
    Along,
    Removal,
    along,
    is_secondary,
    set_anew,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_address_want import Want
from ansible_collections.linuxnet.containers.plugins.module_utils._run.leases import leases
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan, Resource, Sides, brief
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State, makers

_LOOPBACK = 1  # the index of lo in every namespace
# What the diff of a new address leaves out, and what of an address follows from itself.
_USUAL = {"scope": "global", "valid_lft": "forever", "preferred_lft": "forever", "noprefixroute": False}
_FOLLOWS = dict.fromkeys(
    ("ip", "prefix", "family", "interface", "netns", "owner", "gateway", "label", "broadcast"), "address"
)
# What a change may touch in place; anything else means taking the address away and setting it anew.
_IN_PLACE = {4: {"valid_lft", "preferred_lft"}, 6: {"valid_lft", "preferred_lft", "noprefixroute"}}


@dataclass(frozen=True)
class Have:
    """``own``: the addresses of the interface. ``current`` is the wanted one among them, else ``choice`` says which it is to be.
    ``networks``: (network, interface) that other interfaces reach and that overlap a new address's. ``leaving``: the addresses that the
    task is about to remove from those interfaces. ``along`` is what may go along with addresses that are to go. ``marks``: the kernel
    says who set an address, where a pool's addresses are to go. ``on_loopback``: those of ``lo``, of which ours are to go, with ``along_loopback``."""

    link: Optional[Link] = None
    own: Tuple[Address, ...] = ()
    current: Optional[Address] = None
    choice: Choice = field(default_factory=Choice)
    networks: Tuple[Tuple[str, str], ...] = ()
    disable_ipv6: Optional[str] = "0"
    leaving: Leaving = field(default_factory=dict, hash=False)
    along: Along = field(default_factory=Along)
    ways_out: Mapping[str, str] = field(
        default_factory=dict, hash=False
    )  # what the role's user can do about those interfaces
    marks: bool = False
    on_loopback: Tuple[Address, ...] = ()
    along_loopback: Along = field(default_factory=Along)


class NsAddressResource(Resource[Want, Have]):
    noun = "ns_address"
    identity = ("interface",)
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
        what = want.address.cidr if want.address else "from %s" % want.pool.network if want.pool else "of ours"
        return "address %s on %s%s" % (what, want.interface, " in %s" % want.ns if want.ns.path else "")

    def effect(self, want: Want, plan: Plan) -> Sides:
        """All addresses in one line a side: what goes, and what comes in its place. What went by an address ends with it."""
        current = plan.before.get("address")
        gone = {*plan.before.get("other_addresses", ()), *([current] if current else [])}
        told_apart = ("other_addresses", "routes")
        sides = [{name: side[name] for name in side if name not in told_apart} for side in (plan.before, plan.after)]
        before, after = ({**side} for side in brief((sides[0], sides[1]), _USUAL, _FOLLOWS))
        if gone:
            before["address"] = ", ".join(sorted(gone))
        ends = {one.partition("/")[0] for one in gone} - {plan.after.get("ip")}
        if ends and want.interface != "lo":
            before["connections"] = "of %s" % ", ".join(sorted(ends))
        return before, after

    def look(self, want: Want, state: State) -> Have:
        have = self._look(want, state)
        ns = state.find(want.ns) if want.clears_loopback else None
        there = tuple(state.addresses_by_index(ns).get(_LOOPBACK, ())) if ns else ()
        gone = _ours(there)
        link = state.link(ns, "lo") if ns and gone else None
        if link is None or ns is None:
            return have
        return replace(have, on_loopback=there, along_loopback=along(ns, link, gone, state))

    def _look(self, want: Want, state: State) -> Have:
        ns = state.need(want.ns) if want.present else state.find(want.ns)
        if ns is None:
            return Have()
        if not want.present:
            found = state.link(ns, want.interface)
            if found is None:
                return Have()
            marks = want.pool is not None and kernel_marks(ns, state)
            have = Have(found, tuple(state.addresses_of(ns, found)), marks=marks)
            gone = self._gone(want, have)
            return replace(have, along=along(ns, found, gone, state)) if gone else have
        link = state.need_link(ns, want.ns, want.interface, "interface", makers=makers(want.ns))
        where, bridge = self._bridge(want, ns, state)
        if state.predict and link.index < 0 and want.bridge:
            # The interface is only foreseen; a pair that was made for it has its other end in another namespace.
            leases(state).taken(where, want.bridge, bridge)
            near = state.link(where, host_interface(want.ns.path, want.interface))
            if near is not None and near.peer_ns != ns:
                leases(state).release_port(where, want.bridge, near)
        own = tuple(state.addresses_of(ns, link))
        current = asked_for(want, own)
        leaving: Leaving = {}
        networks: Tuple[Tuple[str, str], ...] = ()
        choice = Choice()
        if current is None:
            networks = self._other_networks(want, ns, state)
            leaving = going(want, ns, [name for dummy, name in networks], state)
            choice = Search(want, ns, link, where, bridge, state).choice()
        have = Have(
            link,
            own,
            current,
            choice,
            networks,
            disable_ipv6(want, ns, link, state) if want.family == 6 else "0",
            leaving,
        )
        if networks and want.supersede and ns == state.need(HOST):
            links = [state.link(ns, name) for dummy, name in networks]
            have = replace(have, ways_out={one.name: way_out(one, state) for one in links if one})
        doomed = self._doomed(want, have)
        return replace(have, along=along(ns, link, doomed, state)) if doomed else have

    @staticmethod
    def _bridge(want: Want, ns: int, state: State) -> Tuple[int, Optional[Link]]:
        """Return (the namespace of the bridge, or the parent, whose members' addresses count, that link): of the host or, where it has none of that
        name, of the interface's own namespace. None where neither is asked for."""
        host = state.need(HOST)
        if not want.bridge:
            return host, None
        own = ns != host and state.link(host, want.bridge) is None and state.link(ns, want.bridge) is not None
        where, ref = (ns, want.ns) if own else (host, HOST)
        if want.on_parent:
            return where, state.need_link(where, ref, want.bridge, "parent", makers=("ns_link",))
        return where, state.need_link(where, ref, want.bridge, "bridge", "bridge")

    def _doomed(self, want: Want, have: Have) -> List[Address]:
        """Return the addresses that the plan may remove, were it but to set one anew."""
        try:
            target = self._target(want, have)
        except Refused:  # the plan says so
            return []
        changing = have.current is not None and self._anew(want, have.current, target)
        return [*([have.current] if have.current and changing else []), *self._surplus(want, target, have)]

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
        plan = self._present(want, have) if want.present else self._absent(want, have)
        if not want.clears_loopback:
            return plan
        gone = _ours(have.on_loopback)
        stay = [address for address in have.on_loopback if address not in gone]
        removal = Removal(want.ns, "lo", gone, stay, have.along_loopback)
        listed = {"loopback_addresses": [address.cidr for address in gone]} if plan.before or gone else {}
        before = {**plan.before, **listed}
        after = dict(plan.after, loopback_addresses=[]) if plan.after else {}
        return replace(plan, before=before, after=after, changes=(*plan.changes, *removal.steps()))

    def _present(self, want: Want, have: Have) -> Plan:
        target, current = self._target(want, have), have.current
        changes: List[Change] = ready_for_ipv6(want, have.link, have.disable_ipv6)
        if current is None:
            self._check_overlap(want, target, have)
            check_scope(target, have.own)
            target = replace(target, secondary=any(is_secondary(target, one) for one in have.own if not one.secondary))
            changes.append(PutAddress(want.ns, want.interface, target))
        elif self._anew(want, current, target):
            changes.extend(set_anew(want.ns, want.interface, current, target, have.own, have.along))
        elif current != target:
            check_scope(target, have.own)
            changes.append(PutAddress(want.ns, want.interface, target, current))
        if (
            (current is None or current != target)
            and want.announce
            and target.scope == "global"
            and want.interface != "lo"
        ):
            shared = any(
                address.key != target.key and target.parsed in address.network for address in have.own
            ) or bool(target.peer)
            changes.append(Announce(want.ns, want.interface, target.ip, target.family, shared))
        surplus = self._surplus(want, target, have)
        stay = [*(one for one in have.own if one not in surplus and one is not current), target]
        ours = [route for family in self._lost(want, surplus, stay) for route in self._through(want, have, family)]
        removal = Removal(want.ns, want.interface, surplus, stay, have.along.without(ours))
        routes = [*ours, *removal.lost(), *removal.sourced()]
        changes.extend(DelRoute(want.ns, route) for route in ours)
        changes.extend(removal.steps(target.ip))
        before = self._describe(want, current) if current else {}
        after = self._describe(want, target)
        if current and current.dadfailed:
            before["dadfailed"] = True
        if surplus or (current and want.removes_others):
            before["other_addresses"] = [address.cidr for address in surplus]
        if routes:
            before["routes"] = [str(route) for route in routes]
        if want.removes_others:
            after["other_addresses"] = []
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
            held = replace(have.current, prefix=want.pool.network.prefixlen)
            return self._merged(want, held, have.current)
        if have.choice.ip is None:
            raise want.pool.exhausted(have.choice.holder)
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
                what = "address: %s overlaps the route %s dev %s in %s" % (net, destination, interface, want.ns)
                otherwise = "; take another subnet, or noprefixroute: true where that is wanted"
                raise Refused("%s%s." % (what, have.ways_out.get(interface) or otherwise))

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
            address = replace(current, prefix=address.prefix, peer=address.peer or current.peer, protocol=PROTOCOL)
            if not is_settled(want, current):
                temporary = current.family == 6 and current.secondary
                address = replace(address, dadfailed=False, secondary=current.secondary and not temporary)
                given = {**dict.fromkeys(LIFETIMES, FOREVER), **given}
            if want.supersede and current.protocol != PROTOCOL:  # the role's, and the address is somebody else's
                given.pop("broadcast", None)
            for name in LIFETIMES:
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

    @staticmethod
    def _anew(want: Want, current: Address, target: Address) -> bool:
        """Return whether an address has to be taken away and set anew to become the target."""
        if current.dadfailed or (current.family == 6 and current.secondary and not is_settled(want, current)):
            return True
        names = {
            name
            for name in ("prefix", "peer", "scope", "label", "broadcast", "valid_lft", "preferred_lft", "noprefixroute")
            if getattr(current, name) != getattr(target, name)
        }
        return not names <= _IN_PLACE[target.family]

    @staticmethod
    def _surplus(want: Want, target: Address, have: Have) -> List[Address]:
        """Return the interface's addresses that have to go: with ``exclusive`` all other global ones of the family, with
        ``supersede`` those that this collection set, of both families: a network of one family may follow one of both."""
        if not want.removes_others:
            return []
        found = []
        for address in have.own:
            ours = want.supersede and address.protocol == PROTOCOL and address.family in want.clears
            goes = ours or (want.exclusive and address.family == target.family)
            if not goes or address.scope != "global" or address.key == target.key or want.keeps(address):
                continue
            if not any(address.parsed in pool for pool in want.keep_pools):
                found.append(address)
        return found

    @staticmethod
    def _lost(want: Want, surplus: Sequence[Address], stays: Sequence[Address]) -> List[int]:
        """Return the address families of which an interface has no address left without its ``surplus``: routes through it are of no
        use then, and the kernel keeps them."""
        kept = {address.family for address in stays if address.scope == "global"} | want.kept_families
        return sorted({address.family for address in surplus} - kept)

    @staticmethod
    def _through(want: Want, have: Have, family: int) -> List[Route]:
        """Return the routes of ours of a family through the interface."""
        routes = have.along.routes.get(family, ())
        return [route for route in routes if route.interface == want.interface and route.protocol == PROTOCOL]

    @staticmethod
    def _gone(want: Want, have: Have) -> List[Address]:
        """Return the addresses that have to go: the one that is named, of a pool those that this collection set, as far as the kernel says."""
        if want.address is not None:
            return [address for address in have.own if address.key == want.address.key]
        if want.pool is None:
            return _ours(have.own)
        fitting = [address for address in have.own if address.parsed in want.pool.network]
        return [address for address in fitting if address.protocol == PROTOCOL or not have.marks]

    def _absent(self, want: Want, have: Have) -> Plan:
        gone = self._gone(want, have)
        stay = [address for address in have.own if address not in gone]
        removal = Removal(want.ns, want.interface, gone, stay, have.along)
        before = self._describe(want, gone[0]) if gone else {}
        if want.address is None and want.pool is None and len(gone) > 1:
            before["other_addresses"] = [address.cidr for address in gone[1:]]
        routes = [*removal.lost(), *removal.sourced()]
        if routes:
            before["routes"] = [str(route) for route in routes]
        return Plan(before, {}, tuple(removal.steps()))

    @staticmethod
    def _describe(want: Want, address: Address) -> Dict[str, Any]:
        return described(want.ns, want.interface, address, want.owner, want.gateway)


def _ours(addresses: Sequence[Address]) -> List[Address]:
    """Return the addresses that this collection set."""
    return [address for address in addresses if address.protocol == PROTOCOL]


def described(ns: NsRef, interface: str, address: Address, owner: str = "", gateway: str = "") -> Dict[str, Any]:
    """Return an address as the module returns it. ``owner`` is, where it is not given, as the module derives it."""
    return {
        "address": address.cidr,
        "ip": address.ip,
        "prefix": address.prefix,
        "family": "ipv%d" % address.family,
        "interface": interface,
        "netns": ns.option,
        "owner": owner or ns_address_want.default_owner(ns, interface),
        "gateway": gateway or None,
        "scope": address.scope,
        "label": address.label or None,
        "broadcast": address.broadcast or None,
        "peer": address.peer or None,
        "valid_lft": "forever" if address.valid_lft == FOREVER else address.valid_lft,
        "preferred_lft": "forever" if address.preferred_lft == FOREVER else address.preferred_lft,
        "noprefixroute": address.noprefixroute,
    }


RESOURCE = NsAddressResource()
