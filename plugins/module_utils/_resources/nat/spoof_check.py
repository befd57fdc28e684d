# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, type spoof_check: what comes in by a port of a bridge under a name that is not its own is dropped. Pure.

iptables has no way to say it: there rules are for what is forwarded, and a bridge shows them IP only, if it does.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import Any, Collection, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.index import RuleIndex
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    SPOOFING,
    UNREADABLE,
    OwnedRules,
    SpoofCheck,
    family_of,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import AUTO, BACKENDS
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import (
    holds,
    ip,
    link_local,
    network,
    network_text,
    outermost,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import AnnounceOpened
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import (
    PROTOCOL,
    host_interface,
    interface_name,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import FOREVER, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._model.values import mac
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import SetSpoofCheck
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.coexistence import (
    NOTHING,
    Coexistence,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.fence import About
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.names import interface
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.source_nat import of_owners
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

_BACKEND = next(backend for backend in BACKENDS if backend.checks_ports)


@dataclass(frozen=True)
class Want:
    """A check; with a port of ``""``, to be gone, all of the owner's; with a MAC address of ``""`` the one that the ``peer`` (namespace, interface) has
    from us. ``addresses`` None: those that are let through are left as they are. ``pools``: besides, those that the peer has in these networks, but for
    ``exclude``.
    ``exclusive``: whatever else the owner has goes, but for ``keep``, the ports that the task asks for. ``keep_held``: what passes and the peer has still
    passes, but for what may be another one's of ``beside``, the checks of the task, by then. ``optional``: where it cannot be had
    that is a warning. ``family``, ``needed``, ``named`` and ``ip_forward`` are there for those that need forwarding."""

    ns: NsRef
    check: SpoofCheck
    addresses: Optional[Tuple[str, ...]] = None
    present: bool = True
    peer: Optional[Tuple[NsRef, str]] = None
    pools: Tuple[str, ...] = ()
    exclude: FrozenSet[str] = frozenset()
    exclusive: bool = False
    optional: bool = False
    backend: str = _BACKEND.option
    family: int = 0
    ip_forward: bool = False
    by_hand: bool = False  # what people put among our rules goes
    needed: FrozenSet[int] = frozenset()
    named: FrozenSet[About] = field(default=frozenset(), compare=False)
    keep: FrozenSet[str] = frozenset()
    keep_held: bool = False
    beside: Tuple[Want, ...] = field(default=(), compare=False)
    goes_with: Optional[Tuple[str, FrozenSet[str]]] = None


@dataclass(frozen=True)
class Have:
    """``check`` of the port, ``surplus`` what else the owner has and is not wanted, ``dead`` the checks of ports that are gone which let an address of
    this one through, ``owned`` all that we own; ``lacking``: why there can be none.
    ``last``: nothing else is checked; ``coexistence`` says what cannot be read. ``mac`` is the peer's, ``held`` are its addresses of ours in the pools,
    and ``besides``, those that it has still (`Want.keep_held`),
    ``announced`` (address, whether it shares its subnet) those that it has and that are to be let through from now on."""

    check: Optional[SpoofCheck] = None
    surplus: Tuple[SpoofCheck, ...] = ()
    dead: Tuple[SpoofCheck, ...] = ()
    owned: OwnedRules = field(default_factory=OwnedRules)
    lacking: str = ""
    last: bool = False
    mac: str = ""
    held: Tuple[str, ...] = ()
    announced: Tuple[Tuple[str, bool], ...] = ()
    besides: Tuple[str, ...] = ()
    coexistence: Coexistence = NOTHING


def parse(params: Mapping[str, Any], owner: str, comment: str) -> Want:
    """Return the want of a spoof_check item. Raises `Invalid`."""
    present = params["state"] == "present"
    if params["backend"] not in (AUTO, _BACKEND.option):
        if not params["optional"]:
            raise Invalid(
                "backend: %s cannot check what comes in by a port of a bridge; %s can."
                % (params["backend"], _BACKEND.option)
            )
        present = False  # what was checked with the other backend is so no longer
    own = mac(params["mac"], "mac") if params.get("mac") else ""
    peer = None
    if params.get("peer_netns"):
        peer = NsRef.parse(params["peer_netns"], "peer_netns"), interface_name(params["peer_name"], "peer_name")
    port = interface(params["interface"], "interface", present) if params.get("interface") else ""
    if peer is not None and not port:
        port = host_interface(peer[0].path, peer[1])
    if present:
        for option, given in (("interface", port), ("mac", own)):
            if not given and peer is None:
                raise Invalid("%s is required with type: spoof_check, or peer_netns." % option)
    addresses = params.get("addresses")
    nets = outermost(network_text(network(text, "addresses")) for text in addresses or ())
    if own:
        nets = tuple(one for one in nets if one != link_local(own))  # it is let through anyway
    pools = tuple(network_text(network(text, "pools")) for text in params.get("pools") or ())
    if pools and peer is None:
        raise Invalid("pools: it needs peer_netns, whose addresses they are.")
    return Want(
        NsRef.parse(params.get("netns")),
        SpoofCheck(port, own, nets, owner, comment),
        None if addresses is None and not pools else nets,
        present,
        peer,
        pools,
        frozenset(ip(text, "exclude") for text in params.get("exclude") or ()),
        params["exclusive"],
        params["optional"],
        keep_held=params["keep_held"],
    )


def together(wants: Sequence[Want]) -> List[Want]:
    """Tell the exclusive ones what else their owner has in the task; the first one of an owner sees to what is not wanted."""
    items = [
        ((want.ns, want.check.owner), want.check.interface, want.present, want.exclusive or not want.check.interface)
        for want in wants
    ]
    beside = tuple(replace(want, beside=()) for want in wants if want.present)
    return [
        replace(want, exclusive=first, keep=keep, beside=beside if want.keep_held else ())
        for want, (first, keep) in zip(wants, of_owners(items))
    ]


def subject(want: Want) -> str:
    """Return the object in a few words."""
    what = want.check.interface or "of %s" % want.check.owner
    return "spoof_check %s%s" % (what, " in %s" % want.ns if want.ns.path else "")


def look(want: Want, ns: int, state: State) -> Have:
    """Return what there is in the namespace ``ns``. The port need not be there."""
    known = firewalls(state)
    error = known.refusal(ns, _BACKEND)
    if error is not None:
        unread = tuple(known.unread(ns)) if not want.present else ()
        said = str(error).rstrip(".")
        return Have(lacking=said[:1].lower() + said[1:], coexistence=Coexistence(unread=unread))
    index = known.index(ns, _BACKEND)
    check = index.spoof_checks.get(want.check.interface)
    surplus = [
        one for one in (index.checks_of(want.check.owner) if want.exclusive else ()) if one.interface not in want.keep
    ]
    surplus = [one for one in surplus if one.interface != want.check.interface]
    going = len(surplus) + (check is not None and not want.present and check.owner == want.check.owner)
    lacking = ""
    own, held, announced = _peer(want, index, state) if want.present and want.peer else ("", (), ())
    if want.present and not known.filters_bridges(ns, _BACKEND):
        lacking = "the kernel has no nf_tables for bridges (CONFIG_NF_TABLES_BRIDGE)"
    besides = tuple(_held_still(want, held, index, state))
    held = (*held, *besides)
    last = len(index.spoof_checks) == going and not index.apart
    dead = _dead(want, {*want.check.addresses, *held}, index, ns, state) if want.present else ()
    return Have(check, tuple(surplus), dead, index.owned, lacking, last, own, held, announced, besides=besides)


def _dead(want: Want, given: Collection[str], index: RuleIndex, ns: int, state: State) -> Tuple[SpoofCheck, ...]:
    """Return the checks of ports that are not there any more and that let through an address which is this one's by now."""
    ports = dict.fromkeys(port for address in given for port in index.ports_letting(address))
    return tuple(
        index.spoof_checks[port]
        for port in ports
        if port != want.check.interface and index.spoof_checks[port].owner != want.check.owner
        if state.link(ns, port) is None
    )


def _peer(want: Want, index: RuleIndex, state: State) -> Tuple[str, Tuple[str, ...], Tuple[Tuple[str, bool], ...]]:
    """Return of the peer its MAC address, those of its addresses in the pools that are let through, and those to be announced, see `Have`.

    Its root may give it any address and any MAC address. So the latter counts only where it bears our mark, and of the former one a pool that no other
    port lets through, if none is let through already."""
    # Here and not above: of use to few tasks.
    from ansible_collections.linuxnet.containers.plugins.module_utils._resources import link as links

    ref, name = want.peer or (want.ns, "")
    there = state.find(ref)
    link = state.link(there, name) if there is not None else None
    if there is None or link is None:
        return links.peer_mac(state.identity(), ref.path, name), (), ()
    ours = links.is_own_peer(ref.path, link, state.identity())
    own = str(link.get("mac")) if ours else links.peer_mac(state.identity(), ref.path, name)
    all_ = [one for one in state.addresses_by_index(there).get(link.index, ()) if one.scope == "global"]
    all_.sort(key=lambda one: (family_of(one.ip), one.ip))  # the kernel's order hangs on what came first
    held: List[str] = []
    check = index.spoof_checks.get(want.check.interface)
    for pool in want.pools:
        asked = [one for one in all_ if (":" in one.ip) == (":" in pool) and one.ip not in want.exclude]
        marked = [one.ip for one in asked if one.protocol == PROTOCOL and holds(pool, one.ip)]
        found = marked or [one.ip for one in asked if one.valid_lft == FOREVER and holds(pool, one.ip)]
        known = [address for address in found if check is not None and address in check.addresses]
        held += known or [address for address in found if not _others_letting(want, address, index)][:1]
    fresh = {*want.check.addresses, *held}.difference(check.addresses if check is not None else ())
    announced = [
        (one.ip, any(other is not one and holds(other.cidr, one.ip) for other in all_) or bool(one.peer))
        for one in all_
        if check is not None and one.ip in fresh
    ]
    return own, tuple(held), tuple(announced)


def _held_still(want: Want, held: Collection[str], index: RuleIndex, state: State) -> List[str]:
    """Return the addresses that pass, that the peer has and is to have no longer: until it has the others it would be cut off without them. Not those that
    another one of the task asks for, or may be given."""
    check = index.spoof_checks.get(want.check.interface)
    if not want.keep_held or check is None or check.owner != want.check.owner or want.peer is None:
        return []
    old = [one for one in check.addresses if one not in held and one not in want.check.addresses]
    there = state.find(want.peer[0]) if old else None
    link = state.link(there, want.peer[1]) if there is not None else None
    if there is None or link is None:
        return []
    own = {one.ip for one in state.addresses_by_index(there).get(link.index, ())}
    others = [other for other in want.beside if other.check.interface != want.check.interface]
    return [one for one in old if one in own and not any(_may_get(other, one, index, state) for other in others)]


def _may_get(other: Want, address: str, index: RuleIndex, state: State) -> bool:
    """Return whether a check asks for an address, or its peer has none yet of a pool that has it."""
    if address in other.check.addresses:
        return True
    pools = [pool for pool in other.pools if holds(pool, address)]
    held = _peer(other, index, state)[1] if pools else ()
    return any(not any(holds(pool, one) for one in held) for pool in pools)


def _others_letting(want: Want, address: str, index: RuleIndex) -> bool:
    """Return whether a port of somebody else's lets an address through. One of the owner's may be the same under the name that it had before."""
    return any(index.spoof_checks[port].owner != want.check.owner for port in index.ports_letting(address))


def plan(want: Want, have: Have) -> Plan:
    """Return what is to be done. Raises `Refused` where nothing can be checked."""
    facts: Dict[str, Any] = {"satisfied_by": None, **have.coexistence.facts}
    if have.besides:
        facts["held_besides"] = list(have.besides)
    if have.lacking:
        text = "What comes in by %s is not checked for spoofing: %s." % (want.check.interface or "ports", have.lacking)
        if want.present and not want.optional:
            raise Refused(text)
        # The sentence is the same for each, so that a task of many says it once.
        said = ("Nothing that comes in by a port of a bridge is checked for spoofing: %s." % have.lacking,)
        return Plan({}, {}, warnings=said if want.present else (), extra=facts)
    there = have.check
    if there is not None and not want.present and there.owner != want.check.owner:
        there = None
    before: Dict[str, Any] = _describe(want, there) if there is not None else {}
    if have.surplus:
        before["no_longer_asked_for"] = [one.interface for one in have.surplus]
    if have.dead:
        before["of_gone_containers"] = ["%s of %s" % (one.interface, one.owner) for one in have.dead]
    if not want.check.interface and have.surplus:
        before = dict(_describe(want, have.surplus[0]), **before)
    changes: List[Change] = []
    wanted = replace(
        want.check, mac=want.check.mac or have.mac, addresses=outermost([*want.check.addresses, *have.held])
    )
    if want.addresses is None and there is not None:
        wanted = replace(wanted, addresses=there.addresses)
    if want.present and (there != wanted or not have.owned.whole(SPOOFING)):
        changes.append(SetSpoofCheck(want.ns, wanted, there, have.owned))
        # What the peer told its neighbours before did not get through.
        changes += [
            AnnounceOpened(want.peer[0], want.peer[1], address, family_of(address), shared)
            for address, shared in have.announced
            if want.peer is not None
        ]
    gone = [*have.surplus, *have.dead, *([there] if there is not None and not want.present else [])]
    for number, one in enumerate(gone, 1):
        changes.append(SetSpoofCheck(want.ns, None, one, have.owned, have.last and number == len(gone)))
    return Plan(before, _describe(want, wanted) if want.present else {}, tuple(changes), extra=facts)


def _describe(want: Want, check: SpoofCheck) -> Dict[str, Any]:
    return {
        "type": "spoof_check",
        "netns": want.ns.option,
        "interface": check.interface,
        "mac": None if check.mac == UNREADABLE else check.mac,
        "addresses": list(check.addresses),
        "owner": check.owner,
        "comment": check.comment or None,
        "backend": _BACKEND.name,
    }
