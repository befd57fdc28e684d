# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task wants of addresses: the options of ns_address, one sanitizer each. Pure."""

from __future__ import annotations

import collections
from dataclasses import field, replace
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import addressing, pools, values
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import IpAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import (
    INTERFACE_NAME_BYTES,
    fits,
    known_name,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import FOREVER, Address, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._model.pools import Pool
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import NETNS, STATE

OPTIONS: Dict[str, Any] = {
    "interface": {"type": "str", "required": True},
    **STATE,
    **NETNS,
    "address": {"type": "str"},
    "pool": {"type": "str"},
    "bridge": {"type": "str"},
    "parent": {"type": "str"},
    "cable": {"type": "str"},
    "range": {"type": "str"},
    "exclude": {"type": "list", "elements": "str"},
    "gateway": {"type": "str"},
    "owner": {"type": "str"},
    "strategy": {"type": "str", "choices": ["sticky", "lowest"], "default": "sticky"},
    "scope": {"type": "str", "choices": ["global", "site", "link", "host"]},
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
    "loopback": {"type": "bool", "default": False},
}
RULES: Dict[str, Any] = {
    "mutually_exclusive": [["address", "pool"], ["peer", "pool"], ["bridge", "parent"]],
}
NO_GATEWAY = "none"  # the value of ``gateway`` with which a pool reserves nothing
_LIFETIME = values.number(0, FOREVER, "'forever' nor a number of seconds", forever=FOREVER)
_VALID = values.number(1, FOREVER, "'forever' nor a number of seconds", forever=FOREVER)
# The options that are attributes of the address, by the names of `Address`, each with its sanitizer.


def _broadcast(value: Any, option: str) -> str:
    """Return a broadcast address; ``""`` for that of zeros, which the kernel takes for none."""
    found = addressing.ip(value, option)
    return "" if found == "0.0.0.0" else found


_GIVEN: Mapping[str, values.Sanitizer] = {
    "scope": values.unchanged,
    "noprefixroute": values.unchanged,
    "label": values.unchanged,
    "broadcast": _broadcast,
    "valid_lft": _VALID,
    "preferred_lft": _LIFETIME,
}


@dataclass(frozen=True)
class Want:
    """``address`` is fixed, or None with a ``pool``; without either all addresses of ours are to go. ``given``: further attributes by the
    names of `Address`.

    ``bridge`` is the interface whose segment it is; with ``on_parent`` that is no bridge, but the parent of those who are on it. With ``cable`` the
    segment is a pair, of which that is the other end.

    Of the other items of its task a want knows ``keep`` and ``keep_pools``, what is wanted on the same interface, so that none
    removes another's; ``beside``, the wants for each interface of the namespace on which one supersedes; ``reserved``, the fixed
    addresses, which no pool gives away; and ``clears``, the address families of which it is the one to supersede: the last of those that would, so that
    what is new stands before what was there goes. ``clears_loopback``: what of ours is on ``lo`` goes as well, since no item is for that.
    """

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
    keep: FrozenSet[Tuple[str, int, str]] = frozenset()
    keep_pools: Tuple[Any, ...] = field(default=(), compare=False)
    beside: Mapping[str, Sequence[Want]] = field(default_factory=dict, compare=False)
    reserved: Mapping[IpAddress, Any] = field(default_factory=dict, compare=False)
    clears: FrozenSet[int] = field(default=frozenset((4, 6)), compare=False)
    on_parent: bool = False
    clears_loopback: bool = False
    cable: Optional[Tuple[NsRef, str]] = None

    def may_be(self, address: Address) -> bool:
        """Return whether an address of the interface is, or may be, the one that is wanted."""
        if self.address is not None:
            return address.ip == self.address.ip
        return self.pool is not None and address.parsed in self.pool

    def keeps(self, address: Address) -> bool:
        """Return whether an address is a fixed one that the task asks for on the interface."""
        return address.key in self.keep or (address.family == 6 and any(address.ip == ip for ip, *dummy in self.keep))

    @property
    def family(self) -> int:
        return self.address.family if self.address else int(self.pool.network.version) if self.pool else 4

    @property
    def kept_families(self) -> Set[int]:
        """Return the address families of what the other items of the task want on the interface."""
        return {pool.network.version for pool in self.keep_pools} | {6 if ":" in ip else 4 for ip, *dummy in self.keep}

    @property
    def removes_others(self) -> bool:
        """Return whether other addresses of the interface are to go."""
        return self.exclusive or self.supersede


def parse(params: Mapping[str, Any]) -> Want:
    """Return the want that validated options mean. Raises `Invalid`."""
    ns = NsRef.parse(params.get("netns"))
    name = known_name(params["interface"], "interface")
    address, pool, gateway, family = None, None, "", 0
    if params.get("address") is not None:
        address = _fixed(params)
        family = address.family
        if params.get("gateway") not in (None, NO_GATEWAY):
            gateway = addressing.ip(params["gateway"], "gateway")
    elif params.get("pool") is None:
        if params["state"] == "present" or not params["supersede"]:
            ours = "" if params["state"] == "present" else ", or supersede: true for all that this collection set"
            raise Invalid("one of the following is required: address, pool%s." % ours)
    else:
        pool, gateway = _pool(params)
        family = pool.network.version
    for option in ("label", "broadcast", "scope"):
        if params.get(option) is not None and family == 6:
            raise Invalid("%s: an IPv6 address has none to set." % option)
    other = next((option for option in ("bridge", "parent") if params.get(option)), "")
    if params.get("cable") and other:
        raise Invalid("cable: the segment is the pair itself, so leave %s out." % other)
    given = values.given(params, _GIVEN)
    _check(given, name, family)
    nodad = params["nodad"] if params.get("nodad") is not None else bool(ns.path)
    return Want(
        ns,
        name,
        params["state"] == "present",
        address,
        pool,
        _segment(params),
        gateway,
        params.get("owner") or default_owner(ns, name),
        params["strategy"],
        given,
        nodad and family == 6,
        params["announce"],
        params["probe"],
        params["exclusive"],
        params["supersede"],
        on_parent=bool(params.get("parent")),
        clears_loopback=params["loopback"],
        cable=_other_end(params["cable"]) if params.get("cable") else None,
    )


def _segment(params: Mapping[str, Any]) -> Optional[str]:
    """Return the name of the bridge, or of the parent, whose members' addresses count as taken, None where none is given."""
    option = "parent" if params.get("parent") else "bridge"
    return known_name(params[option], option) if params.get(option) else None


def _other_end(text: str) -> Tuple[NsRef, str]:
    """Return (namespace, interface) of the other end of a pair. Raises `Invalid`."""
    netns, dummy, name = text.rpartition("/")
    if not netns:
        raise Invalid("cable: '%s' is not the other end, written NETNS/INTERFACE." % text)
    return NsRef.parse(netns, "cable"), known_name(name, "cable")


def default_owner(ns: NsRef, interface: str) -> str:
    """Return whom an address belongs to where nobody is named."""
    return "%s/%s" % (ns.option or "host", interface)


def renamed(want: Want, interface: str, bridge: Optional[str]) -> Want:
    """Return the want with the own names of its interface and bridge, as they were read. Raises `Invalid` for a label too long then."""
    given = dict(want.given)
    if "label" in given:
        given["label"] = interface + given["label"][len(want.interface) :]
        _check(given, interface, want.family)
    owner = default_owner(want.ns, interface) if want.owner == default_owner(want.ns, want.interface) else want.owner
    return replace(want, interface=interface, bridge=bridge, given=given, owner=owner)


def _check(given: Mapping[str, Any], interface: str, family: int) -> None:
    """Raise `Invalid` for attributes that the kernel would not take, or not together."""
    label = given.get("label")
    named = label is None or label.split(":")[0] == interface
    if not named or not fits(label or "", INTERFACE_NAME_BYTES):
        raise Invalid(
            "label: '%s' must be '%s' or begin with '%s:', and have at most %d bytes."
            % (label, interface, interface, INTERFACE_NAME_BYTES)
        )
    if ":" in given.get("broadcast", ""):
        raise Invalid("broadcast: %s is not of the same address family as the address." % given["broadcast"])
    if given.get("preferred_lft", 0) > given.get("valid_lft", FOREVER):
        raise Invalid("preferred_lft: it cannot be longer than valid_lft.")
    if family == 4 and given.get("preferred_lft", FOREVER) < given.get("valid_lft", FOREVER) == FOREVER:
        raise Invalid("preferred_lft: over IPv4 it needs a valid_lft with an end, or the kernel forgets it.")


def _fixed(params: Mapping[str, Any]) -> Address:
    """Return the address that the options ask for."""
    for option in ("range", "exclude"):
        if params.get(option):
            raise Invalid("%s: it belongs to a pool, not to a fixed address." % option)
    found = addressing.interface(params["address"], "address")
    if found.version == 6 and found.ip.is_loopback and params["interface"] != "lo":
        raise Invalid("address: ::1 is an address of the loopback interface only.")
    peer, prefix = "", found.network.prefixlen
    if params.get("peer") is not None:
        text = params["peer"]
        other = addressing.interface(text if "/" in text else "%s/%d" % (text, found.max_prefixlen), "peer")
        if other.version != found.version:
            raise Invalid("peer: %s is not of the same address family as %s." % (text, params["address"]))
        if other.ip == found.ip:
            raise Invalid("peer: %s is the address itself; the other end has another one." % addressing.text(other.ip))
        peer, prefix = addressing.text(other.ip), other.network.prefixlen
    return Address(addressing.text(found.ip), prefix, found.version, peer)


def _pool(params: Mapping[str, Any]) -> Tuple[Pool, str]:
    """Return (the pool that the options ask for, the gateway's address, ``""`` where none is reserved for it)."""
    pools.require_netaddr()
    net = addressing.network(params["pool"], "pool")
    if params.get("gateway") == NO_GATEWAY:
        return pools.pool(net, params.get("range"), tuple(params.get("exclude") or ()), None), ""
    asked = params.get("gateway") is not None
    gateway = addressing.address(params["gateway"], "gateway") if asked else addressing.default_gateway(net)
    if gateway not in net:
        raise Invalid("gateway: %s is not in the pool %s." % (gateway, net))
    reserved = gateway if asked or net.prefixlen < net.max_prefixlen - 1 else None
    pool = pools.pool(net, params.get("range"), tuple(params.get("exclude") or ()), reserved)
    return pool, addressing.text(gateway) if reserved else ""


def together(wants: Sequence[Want]) -> List[Want]:
    """Return the wants of a task, each with what it must know of the others. Raises `Invalid` for a fixed address that is asked for
    twice behind bridges."""
    seen: Dict[Tuple[int, str], Want] = {}
    by_interface: Dict[Tuple[NsRef, str], List[Want]] = collections.defaultdict(list)
    beside: Dict[NsRef, Dict[str, Sequence[Want]]] = collections.defaultdict(dict)
    reserved: Dict[IpAddress, None] = {}
    for want in (want for want in wants if want.present):
        by_interface[want.ns, want.interface].append(want)
        if want.supersede:
            beside[want.ns][want.interface] = by_interface[want.ns, want.interface]
        if want.address is not None:
            reserved[want.address.parsed] = None
            if want.bridge is not None:
                other = seen.setdefault((want.family, want.address.ip), want)
                if (other.ns, other.interface) != (want.ns, want.interface):
                    raise Invalid(
                        "address: %s is asked for %s in %s and for %s in %s."
                        % (want.address.ip, other.interface, other.ns, want.interface, want.ns)
                    )
    keeps = {
        where: frozenset(other.address.key for other in same if other.address is not None)
        for where, same in by_interface.items()
    }
    pooled = {where: [other for other in same if other.pool is not None] for where, same in by_interface.items()}
    on_loopback = {want.ns for want in wants if want.interface == "lo"}
    last = {where: _last(same) for where, same in by_interface.items()}
    completed = []
    for want in wants:
        keep = keeps.get((want.ns, want.interface), frozenset())
        pools = tuple(other.pool for other in pooled.get((want.ns, want.interface), ()) if other is not want)
        superseding = last.get((want.ns, want.interface), {})
        clears = frozenset(family for family, one in superseding.items() if one is want)
        spared = {} if want.cable else reserved  # nobody else is on its segment
        found = replace(want, keep=keep, keep_pools=pools, beside=beside[want.ns], reserved=spared, clears=clears)
        completed.append(replace(found, clears_loopback=want.clears_loopback and want.ns not in on_loopback))
    return completed


def _last(wants: Sequence[Want]) -> Dict[int, Optional[Want]]:
    """Return by address family which want for an interface is the last that supersedes in it, or at all; None where none does."""
    superseding = [want for want in reversed(wants) if want.supersede]
    return {
        family: next((want for want in superseding if want.family == family), next(iter(superseding), None))
        for family in (4, 6)
    }
