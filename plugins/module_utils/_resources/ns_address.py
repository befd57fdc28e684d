# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun ns_address: an address of an interface, given or taken from a pool. Pure.

Allocation keeps no state: what is taken is read from the kernel, and the search starts at a place derived from the owner.
"""

from __future__ import annotations

import collections
import ipaddress
from dataclasses import dataclass, field, replace
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import addressing
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import IpAddress, Pool
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import (
    Announce,
    DelAddress,
    PutAddress,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import DelRoute
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Lacking, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import (
    INTERFACE_NAME_BYTES,
    PROTOCOL,
    host_interface,
    interface_name,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    FOREVER,
    HOST,
    MAIN_TABLE,
    Address,
    Holder,
    Link,
    NsRef,
    Route,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.leases import leases
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import NETNS, STATE, Plan, Resource
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

_SCOPES = ["global", "site", "link", "host"]
# What a change may touch in place; anything else means taking the address away and setting it anew.
_IN_PLACE = {4: {"valid_lft", "preferred_lft"}, 6: {"valid_lft", "preferred_lft", "noprefixroute"}}


@dataclass(frozen=True)
class Want:
    """``address`` is fixed, or None with a ``pool``. ``given``: further attributes by the names of `Address`.
    ``keep`` and ``keep_pools``: what the items of the task want on the interface, so that none removes another's; ``beside``: all that
    they want on each interface of the namespace on which they supersede; ``reserved``: the fixed addresses of the task, which no pool
    gives away."""

    ns: NsRef
    interface: str
    present: bool = True
    address: Optional[Address] = None
    pool: Optional[Pool] = field(default=None, compare=False)
    bridge: Optional[str] = None
    gateway: str = ""
    owner: str = ""
    strategy: str = "sticky"
    given: Mapping[str, Any] = field(default_factory=dict, hash=False)
    nodad: bool = False
    announce: bool = True
    probe: bool = False
    exclusive: bool = False
    supersede: bool = False
    keep: FrozenSet[str] = frozenset()
    keep_pools: Tuple[Any, ...] = field(default=(), compare=False)
    beside: Mapping[str, Sequence[Want]] = field(default_factory=dict, compare=False)
    reserved: Mapping[IpAddress, Any] = field(default_factory=dict, compare=False)

    def means(self, one: Address) -> bool:
        """Return whether an address of the interface is, or may be, the one that is wanted."""
        return one.ip == self.address.ip if self.address else self.pool is not None and one.parsed in self.pool

    @property
    def kept_families(self) -> Set[int]:
        """Return the address families of what the items of the task want on the interface besides this one."""
        return {pool.network.version for pool in self.keep_pools} | {6 if ":" in ip else 4 for ip in self.keep}

    @property
    def family(self) -> int:
        return self.address.family if self.address else int(self.pool.network.version) if self.pool else 4


@dataclass(frozen=True)
class Choice:
    """Which address it is to be, found out before planning. ``ip`` is a free one of the pool, None where none is. ``holder`` says who
    has the fixed address that is asked for, ``answers`` is the MAC address of a neighbour that says to have it. ``usual``, and
    ``usual_holder``: the address that the owner of a pool's would have had, and who has that."""

    ip: Optional[IpAddress] = None
    holder: str = ""
    answers: str = ""
    usual: str = ""
    usual_holder: str = ""


@dataclass(frozen=True)
class Have:
    """``own``: the interface's addresses. ``current`` is the one of them that is wanted, else ``choice`` says which it is to be.
    ``networks``: (network, interface) that other interfaces reach. ``leaving``: what the task is about to remove from the others, by
    name and index. ``routes``: those of ours through the interface, of the families of which it may have no address afterwards."""

    link: Optional[Link] = None
    own: Tuple[Address, ...] = ()
    current: Optional[Address] = None
    choice: Choice = Choice()
    networks: Tuple[Tuple[str, str], ...] = ()
    ipv6_off: bool = False
    leaving: Mapping[Tuple[str, int], Sequence[Address]] = field(default_factory=dict, hash=False)
    routes: Mapping[int, Sequence[Route]] = field(default_factory=dict, hash=False)


class NsAddressResource(Resource[Want, Have]):
    noun = "ns_address"
    identity = ("interface",)
    locks = True
    options: Dict[str, Any] = {
        "interface": {"type": "str", "required": True},
        **STATE,
        **NETNS,
        "address": {"type": "str"},
        "pool": {"type": "str"},
        "bridge": {"type": "str"},
        "range": {"type": "str"},
        "exclude": {"type": "list", "elements": "str"},
        "gateway": {"type": "str"},
        "owner": {"type": "str"},
        "strategy": {"type": "str", "choices": ["sticky", "lowest"], "default": "sticky"},
        "scope": {"type": "str", "choices": _SCOPES},
        "label": {"type": "str"},
        "broadcast": {"type": "str"},
        "peer": {"type": "str"},
        "valid_lft": {"type": "str"},
        "preferred_lft": {"type": "str"},
        "noprefixroute": {"type": "bool"},
        "nodad": {"type": "bool"},
        "announce": {"type": "bool", "default": True},
        "probe": {"type": "bool", "default": False},
        "exclusive": {"type": "bool", "default": False},
        "supersede": {"type": "bool", "default": False},
    }
    rules = {"mutually_exclusive": [["address", "pool"], ["peer", "pool"]], "required_one_of": [["address", "pool"]]}

    def parse(self, params: Mapping[str, Any]) -> Want:
        ns = NsRef.parse(params.get("netns"))
        name = interface_name(params["interface"], "interface")
        present = params["state"] == "present"
        given: Dict[str, Any] = {key: params[key] for key in ("scope", "noprefixroute") if params.get(key) is not None}
        address, pool, gateway = None, None, ""
        if params.get("address") is not None:
            address = self._fixed(params)
            family = address.family
        else:
            pool, gateway = self._pool(params)
            family = pool.network.version
        if params.get("gateway") is not None and address is not None:
            gateway = str(addressing.address(params["gateway"], "gateway"))
        for key in ("label", "broadcast", "scope"):
            if params.get(key) is not None and family == 6:
                raise Invalid("%s: an IPv6 address has none to set." % key)
        if params.get("label") is not None:
            given["label"] = params["label"]
            if params["label"].split(":")[0] != name or len(params["label"].encode()) > INTERFACE_NAME_BYTES:
                raise Invalid(
                    "label: '%s' must be '%s' or begin with '%s:', and have at most %d bytes."
                    % (params["label"], name, name, INTERFACE_NAME_BYTES)
                )
        if params.get("broadcast") is not None:
            given["broadcast"] = str(addressing.address(params["broadcast"], "broadcast"))
        for key in ("valid_lft", "preferred_lft"):
            if params.get(key) is not None:
                given[key] = self._lifetime(params[key], key)
        if given.get("preferred_lft", 0) > given.get("valid_lft", FOREVER):
            raise Invalid("preferred_lft: it cannot be longer than valid_lft.")
        nodad = params["nodad"] if params.get("nodad") is not None else bool(ns.path)
        owner = params.get("owner") or "%s/%s" % (ns.option or "host", name)
        bridge = interface_name(params["bridge"], "bridge") if params.get("bridge") else None
        return Want(
            ns, name, present, address, pool, bridge, gateway, owner, params["strategy"], given,
            nodad and family == 6, params["announce"], params["probe"], params["exclusive"], params["supersede"],
        )  # fmt: skip

    @staticmethod
    def _fixed(params: Mapping[str, Any]) -> Address:
        for option in ("range", "exclude"):
            if params.get(option):
                raise Invalid("%s: it belongs to a pool, not to a fixed address." % option)
        one = addressing.interface(params["address"], "address")
        peer, prefix = "", one.network.prefixlen
        if params.get("peer") is not None:
            text = params["peer"]
            other = addressing.interface(text if "/" in text else "%s/%d" % (text, one.max_prefixlen), "peer")
            if other.version != one.version:
                raise Invalid("peer: %s is not of the same address family as %s." % (text, params["address"]))
            peer, prefix = str(other.ip), other.network.prefixlen
        return Address(str(one.ip), prefix, one.version, peer)

    @staticmethod
    def _pool(params: Mapping[str, Any]) -> Tuple[Pool, str]:
        if not addressing.has_netaddr():
            raise Lacking("The Python library netaddr is missing.", "netaddr")
        net = addressing.network(params["pool"], "pool")
        gateway = (
            addressing.address(params["gateway"], "gateway")
            if params.get("gateway") is not None
            else addressing.default_gateway(net)
        )
        if gateway not in net:
            raise Invalid("gateway: %s is not in the pool %s." % (gateway, net))
        reserved = gateway if params.get("gateway") is not None or net.prefixlen < net.max_prefixlen - 1 else None
        pool = addressing.pool(net, params.get("range"), tuple(params.get("exclude") or ()), reserved)
        return pool, str(gateway) if reserved else ""

    @staticmethod
    def _lifetime(value: str, option: str) -> int:
        if value == "forever":
            return FOREVER
        if not value.isdigit() or int(value) > FOREVER:
            raise Invalid("%s: '%s' is neither 'forever' nor a number of seconds." % (option, value))
        return int(value)

    def together(self, wants: Sequence[Want]) -> List[Want]:
        """Tell the exclusive ones what else the task wants on the same interface; refuse a fixed address that is asked twice."""
        seen: Dict[Tuple[int, str], Want] = {}
        for want in wants:
            if want.address is not None and want.present and want.bridge is not None:
                other = seen.setdefault((want.family, want.address.ip), want)
                if (other.ns, other.interface) != (want.ns, want.interface):
                    raise Invalid(
                        "address: %s is asked for %s in %s and for %s in %s."
                        % (want.address.ip, other.interface, other.ns, want.interface, want.ns)
                    )
        reserved = {want.address.parsed: None for want in wants if want.address is not None and want.present}
        by_interface: Dict[Tuple[NsRef, str], List[Want]] = collections.defaultdict(list)
        for want in wants:
            if want.present:
                by_interface[want.ns, want.interface].append(want)
        beside: Dict[NsRef, Dict[str, Sequence[Want]]] = collections.defaultdict(dict)
        for want in wants:
            if want.present and want.supersede:
                beside[want.ns][want.interface] = by_interface[want.ns, want.interface]
        completed = []
        for want in wants:
            same = by_interface[want.ns, want.interface]
            pools = tuple(one.pool for one in same if one.pool is not None and one is not want)
            keep = frozenset(one.address.ip for one in same if one.address is not None)
            others = beside[want.ns]
            completed.append(replace(want, keep=keep, keep_pools=pools, beside=others, reserved=reserved))
        return completed

    def subject(self, want: Want) -> str:
        what = want.address.cidr if want.address else "from %s" % (want.pool.network if want.pool else "")
        return "address %s on %s%s" % (what, want.interface, " in %s" % want.ns if want.ns.path else "")

    def look(self, want: Want, state: State) -> Have:
        ns = state.need(want.ns) if want.present else state.find(want.ns)
        if ns is None:
            return Have()
        if not want.present:
            there = state.link(ns, want.interface)
            return Have(there, tuple(state.addresses_of(ns, there)) if there else ())
        link = state.need_link(ns, want.ns, want.interface, "interface")
        host = state.need(HOST)
        bridge = state.need_link(host, HOST, want.bridge, "bridge", "bridge") if want.bridge else None
        if state.predict and link.index < 0 and want.bridge:
            # Only foreseen; where there is a pair for it, its other end was left elsewhere.
            leases(state).taken(host, want.bridge, bridge)
            leases(state).release_port(host, want.bridge, host_interface(want.ns.path, want.interface))
        own = tuple(state.addresses_of(ns, link))
        leaving = self._leaving(want, ns, state) if len(want.beside) > 1 else {}
        current = self._current(want, own)
        return Have(
            link,
            own,
            current,
            Choice() if current else self._choice(want, ns, link, bridge, leaving, state),
            self._other_networks(want, ns, state),
            want.family == 6 and state.sysctl(ns, "net/ipv6/conf/%s/disable_ipv6" % want.interface) == "1",
            leaving,
            {family: self._through(want, ns, family, state) for family in self._doubtful(want, own)},
        )

    @staticmethod
    def _current(want: Want, own: Sequence[Address]) -> Optional[Address]:
        """Return the address of the interface that is the wanted one already."""
        if want.address is not None:
            same = [one for one in own if one.key == want.address.key]
            if not same and want.family == 6:  # the kernel has an IPv6 address once, whatever its prefix length
                same = [one for one in own if one.ip == want.address.ip]
            return same[0] if same else None
        net = want.pool.network if want.pool else None
        return next(
            (one for one in own if net and one.prefix == net.prefixlen and want.means(one) and one.ip not in want.keep),
            None,
        )

    def _choice(
        self,
        want: Want,
        ns: int,
        link: Link,
        bridge: Optional[Link],
        leaving: Mapping[Tuple[str, int], Sequence[Address]],
        state: State,
    ) -> Choice:
        """Find out which address it is to be: read who has which, wait for a namespace that may just be ending, ask the wire."""
        host = state.need(HOST)
        taken: Mapping[IpAddress, Holder] = {}
        if want.bridge or want.pool is not None:
            taken = leases(state).taken(host, want.bridge, bridge)

        def again(holder: Holder) -> Mapping[IpAddress, Holder]:
            leases(state).read_again(host, want.bridge, holder)
            return leases(state).taken(host, want.bridge, bridge)

        def answers(ip: IpAddress) -> str:
            up = want.probe and link.index > 0 and link.get("mac") and link.get("enabled")
            return (state.who_has(ns, link, str(ip)) or "") if up else ""

        if want.address is not None:
            holder = taken.get(want.address.parsed)
            holder = again(holder).get(want.address.parsed) if holder is not None else None
            if holder is not None and self._gives_way(holder, ns, link, leaving):
                holder = None
            if holder is not None:
                return Choice(holder=self._label(holder, host, state))
            return Choice(answers=answers(want.address.parsed) if want.gateway != want.address.ip else "")
        if want.pool is None:
            return Choice()
        pool, usual = want.pool, next(want.pool.candidates(want.owner, want.strategy))
        holder = taken.get(usual)
        if holder is not None and (
            want.strategy == "sticky"
            or next(pool.candidates(want.owner, want.strategy, taken, want.reserved), None) is None
        ):
            taken = again(holder)
        free = pool.candidates(want.owner, want.strategy, taken, want.reserved)
        ip = next((candidate for candidate in free if not answers(candidate)), None)
        holder = taken.get(usual) if ip != usual and want.strategy == "sticky" else None
        return Choice(ip, usual=str(usual), usual_holder=self._label(holder, host, state) if holder else "")

    @staticmethod
    def _gives_way(holder: Holder, ns: int, link: Link, leaving: Mapping[Tuple[str, int], Sequence[Address]]) -> bool:
        """Return whether who has an address is the interface itself, under another prefix length, or one that is to give it up."""
        if (holder.ns, holder.index) == (ns, link.index):
            return True
        return any(
            (holder.ns, holder.index) == (ns, index) and holder.address in going
            for (dummy, index), going in leaving.items()
        )

    @staticmethod
    def _doubtful(want: Want, own: Sequence[Address]) -> List[int]:
        """Return the address families of which the interface may have no address once what supersedes is through."""
        if not (want.exclusive or want.supersede):
            return []
        return sorted({one.family for one in own if one.scope == "global"} - want.kept_families)

    @staticmethod
    def _through(want: Want, ns: int, family: int, state: State) -> List[Route]:
        """Return the routes of ours of a family through the interface."""
        routes = state.routes(ns, family, MAIN_TABLE)
        return [one for one in routes if one.interface == want.interface and one.protocol == PROTOCOL]

    @staticmethod
    def _label(holder: Holder, host: int, state: State) -> str:
        """Return who has an address, in words."""
        where = holder.label or ("the host" if holder.ns == host else state.namespace_label(host, holder.nsid))
        link = state.link_at(holder.ns, holder.index) if holder.ns is not None else None
        return "%s in %s" % (link.name, where) if link else where

    @staticmethod
    def _leaving(want: Want, ns: int, state: State) -> Dict[Tuple[str, int], Sequence[Address]]:
        """Return the addresses of other interfaces that later items supersede: networks may change places between interfaces."""
        found: Dict[Tuple[str, int], Sequence[Address]] = {}
        for name, wants in want.beside.items():
            link = state.link(ns, name) if name != want.interface else None
            if link is not None:
                found[name, link.index] = [
                    one
                    for one in state.addresses_of(ns, link)
                    if one.protocol == PROTOCOL and not any(other.means(one) for other in wants)
                ]
        return found

    @staticmethod
    def _other_networks(want: Want, ns: int, state: State) -> Tuple[Tuple[str, str], ...]:
        """Return the networks that other interfaces of the namespace reach, default routes and multicast left out."""
        found = []
        for route in state.routes(ns, want.family, MAIN_TABLE):
            net = ipaddress.ip_network(route.destination)
            if (
                route.type == "unicast"
                and route.interface not in ("", want.interface, "lo")
                and net.prefixlen
                and not net.is_link_local
                and not net.is_multicast
            ):
                found.append((route.destination, route.interface))
        return tuple(found)

    def plan(self, want: Want, have: Have) -> Plan:
        if not want.present:
            return self._absent(want, have)
        target, current = self._target(want, have), have.current
        if have.ipv6_off:
            raise Refused(
                "%s: IPv6 is switched off on %s in %s (disable_ipv6 is 1); set the sysctl to 0 first, with sysctls of linuxnet.containers.netns."
                % ("address" if want.address else "pool", want.interface, want.ns)
            )
        changes: List[Change] = []
        if current is None:
            self._check_overlap(want, target, have)
            changes.append(PutAddress(want.ns, want.interface, target))
        elif current != target:
            changes.extend(self._changed(want, current, target, have))
        if changes and want.announce and target.scope == "global":
            shared = any(one.key != target.key and target.parsed in one.network for one in have.own) or bool(
                target.peer
            )
            changes.append(Announce(want.ns, want.interface, target.ip, target.family, shared))
        surplus = self._surplus(want, target, have)
        # What was just set may be a secondary of what now goes.
        stays = [one for one in have.own if one not in surplus and one is not current]
        stays.append(replace(target, secondary=target.secondary or bool(changes)))
        routes = [route for family in self._lost(want, surplus, stays) for route in have.routes[family]]
        changes.extend(DelRoute(want.ns, route) for route in routes)
        for one in surplus:
            changes.extend(self._removed(want, one, stays))
        before = self._describe(want, current) if current else {}
        after = self._describe(want, target)
        if surplus or (current and (want.exclusive or want.supersede)):
            before["others"] = [one.cidr for one in surplus]
        if routes:
            before["routes"] = [str(route) for route in routes]
        if want.exclusive or want.supersede:
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
        return self._merged(want, Address(str(have.choice.ip), net.prefixlen, net.version), None)

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
        leaving = {(str(one.network), name) for (name, dummy), going in have.leaving.items() for one in going}
        for destination, interface in have.networks:
            if (destination, interface) not in leaving and net.overlaps(ipaddress.ip_network(destination)):
                raise Refused(
                    "address: %s overlaps the route %s dev %s in %s; take another subnet, or noprefixroute: true where that is wanted."
                    % (net, destination, interface, want.ns)
                )

    @staticmethod
    def _merged(want: Want, one: Address, current: Optional[Address]) -> Address:
        """Return ``one`` with what is asked; what is not stays as it is, or gets what iproute2 gives a new address."""
        given = dict(want.given)
        if current is None:
            ip = one.parsed
            scope = "host" if ip.is_loopback else "link" if one.family == 6 and ip.is_link_local else "global"
            one = replace(
                one, label=want.interface if one.family == 4 else "", scope=scope, protocol=PROTOCOL, nodad=want.nodad
            )
        else:
            one = replace(current, prefix=one.prefix, peer=one.peer or current.peer)
            for name in ("valid_lft", "preferred_lft"):
                # They run down: only a longer one, or one without an end, differs.
                if (
                    name in given
                    and getattr(current, name) <= given[name]
                    and (getattr(current, name) == FOREVER) == (given[name] == FOREVER)
                ):
                    del given[name]
        return replace(one, **given)

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
    def _removed(want: Want, one: Address, own: Sequence[Address]) -> List[Change]:
        """Return the steps that remove an address; its secondaries, which the kernel takes with it, are set again."""
        steps: List[Change] = [DelAddress(want.ns, want.interface, one)]
        if one.family == 4 and not one.secondary:
            for other in own:
                if (
                    other.secondary
                    and other.prefix == one.prefix
                    and ipaddress.ip_address(other.peer or other.ip) in one.network
                    and other.key != one.key
                ):
                    steps.append(PutAddress(want.ns, want.interface, other, other))
        return steps

    @staticmethod
    def _surplus(want: Want, target: Address, have: Have) -> List[Address]:
        """Return the interface's addresses that have to go: with ``exclusive`` all other global ones of the family, with
        ``supersede`` those that this collection set, of both families: a network that has but one may follow one that had both."""
        if not (want.exclusive or want.supersede):
            return []
        found = []
        for one in have.own:
            wanted = one.key == target.key or one.ip in want.keep or any(one.parsed in pool for pool in want.keep_pools)
            ours = want.supersede and one.protocol == PROTOCOL
            if one.scope == "global" and not wanted and (ours or (want.exclusive and one.family == target.family)):
                found.append(one)
        return found

    @staticmethod
    def _lost(want: Want, surplus: Sequence[Address], stays: Sequence[Address]) -> List[int]:
        """Return the address families that an interface has no more without its ``surplus``: its routes are of no use then, and the
        kernel keeps them."""
        kept = {one.family for one in stays if one.scope == "global"} | want.kept_families
        return sorted({one.family for one in surplus} - kept)

    def _absent(self, want: Want, have: Have) -> Plan:
        if want.address is not None:
            doomed = [one for one in have.own if one.key == want.address.key]
        else:
            pool = want.pool
            doomed = [
                one
                for one in have.own
                if pool is not None and one.family == pool.network.version and one.parsed in pool.network
            ]
        steps: List[Change] = []
        for one in doomed:
            steps.extend(self._removed(want, one, [other for other in have.own if other not in doomed]))
        return Plan(self._describe(want, doomed[0]) if doomed else {}, {}, tuple(steps))

    @staticmethod
    def _describe(want: Want, one: Address) -> Dict[str, Any]:
        return {
            "address": one.cidr,
            "ip": one.ip,
            "prefix": one.prefix,
            "family": "ipv%d" % one.family,
            "interface": want.interface,
            "netns": want.ns.option,
            "owner": want.owner,
            "gateway": want.gateway or None,
            "scope": one.scope,
            "label": one.label or None,
            "broadcast": one.broadcast or None,
            "peer": one.peer or None,
            "valid_lft": "forever" if one.valid_lft == FOREVER else one.valid_lft,
            "preferred_lft": "forever" if one.preferred_lft == FOREVER else one.preferred_lft,
            "noprefixroute": one.noprefixroute,
        }


RESOURCE = NsAddressResource()
