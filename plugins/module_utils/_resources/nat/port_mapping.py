# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, type dnat: a published port, or a range of them. Pure."""

from __future__ import annotations

import collections
import ipaddress
import re
from dataclasses import dataclass, field, replace
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import Packet
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    EVERYWHERE,
    NFTABLES,
    Contents,
    Element,
    Passage,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import address
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import PutFile, SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import interface_name
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import (
    coexistence,
    conflicts,
    forwarding,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import SetElements
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.coexistence import Passing
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.forwarding import Forwarding
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import walls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.leases import leases
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

PROTOCOLS = ("tcp", "udp", "sctp")
_ROUTE_LOCALNET = "net/ipv4/conf/%s/route_localnet"


@dataclass(frozen=True)
class Want:
    """``elements``: what is to be published, or not any more; empty, with ``present`` False: all of the owner's. ``keep`` has the
    identities of what else the task wants of the owner, for ``exclusive``."""

    ns: NsRef
    owner: str
    elements: Tuple[Element, ...] = ()
    present: bool = True
    bridge: str = ""
    forward: bool = True
    ip_forward: bool = True
    exclusive: bool = False
    backend: str = "auto"
    keep: FrozenSet[Tuple[int, str, str, str]] = frozenset()
    needed: FrozenSet[int] = frozenset()
    shadow: bool = False

    @property
    def family(self) -> int:
        return self.elements[0].family if self.elements else 4


@dataclass(frozen=True)
class There:
    """What is in one place: ``mine`` of the owner's elements is what the want is about, ``surplus`` what is not wanted besides,
    ``others`` of other owners what is in its way, ``stale`` those of them whose container is gone. ``bridges``: how many elements
    of all owners are behind each."""

    place: str = NFTABLES
    mine: Tuple[Element, ...] = ()
    surplus: Tuple[Element, ...] = ()
    others: Tuple[Element, ...] = ()
    stale: Tuple[Element, ...] = ()
    held: Contents = field(default_factory=Contents)
    bridges: Mapping[str, int] = field(default_factory=dict, hash=False)
    last: bool = False  # nothing is held there but these


@dataclass(frozen=True)
class Have:
    """``here`` is the place where the ports are to be, ``elsewhere`` the others. ``bridge`` is where the address is; ``port`` its
    port there, and whether that has hairpin; ``localnet`` the bridge's route_localnet."""

    here: There = field(default_factory=There)
    elsewhere: Tuple[There, ...] = ()
    bridge: str = ""
    port: str = ""
    hairpin: bool = True
    localnet: Optional[str] = None
    passing: Passing = field(default_factory=Passing)
    forwarding: Tuple[Forwarding, ...] = ()
    others_of: FrozenSet[int] = frozenset()  # families that something else of ours is of
    closable: Tuple[str, ...] = ()
    use: conflicts.Use = field(default_factory=conflicts.Use)  # what else the ports are used for

    @property
    def mine(self) -> Tuple[Element, ...]:
        """Return the owner's elements, from the place where they are to be, or else from where they are."""
        return next((one.mine for one in (self.here, *self.elsewhere) if one.mine), ())


def _ports(text: str, option: str) -> Tuple[int, int]:
    """Return (first, last) of a port or a range."""
    match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last <= 65535:
        raise Invalid(
            "%s: '%s' is neither a port (1 to 65535) nor a range of them such as 30000-30099." % (option, text)
        )
    return first, last


def parse(params: Mapping[str, Any], owner: str, comment: str) -> Want:
    """Return the want of a dnat item. Raises `Invalid`."""
    ns, present = NsRef.parse(params.get("netns")), params["state"] == "present"
    bridge = params.get("bridge") or ""
    if bridge:
        interface_name(bridge, "bridge")
    options = (bridge, params["forward"], params["ip_forward"], params["exclusive"], params["backend"])
    if not present and params.get("host_port") is None:
        return Want(ns, owner, (), False, *options)
    for option in ("host_port", "to_address") if present else ("host_port",):
        if params.get(option) is None:
            raise Invalid("%s is required with type: dnat." % option)
    text, dummy, protocol = str(params["host_port"]).partition("/")
    protocol = protocol or params.get("protocol") or "tcp"
    if protocol not in PROTOCOLS or params.get("protocol") not in (None, protocol):
        raise Invalid(
            "host_port: '%s': the protocol is one of tcp, udp and sctp, and the same as protocol." % params["host_port"]
        )
    first, last = _ports(text, "host_port")
    to = address(params["to_address"], "to_address") if params.get("to_address") else None
    host = address(params["host_ip"], "host_ip") if params.get("host_ip") else None
    family = to.version if to else host.version if host else 4
    if host is not None and host.version != family:
        raise Invalid("host_ip: %s is not of the same address family as to_address %s." % (host, to))
    if host is not None and host.version == 6 and host.is_loopback:
        raise Invalid(
            "host_ip: nothing can be published on ::1, since the kernel lets no packet from ::1 leave the host."
        )
    if to is not None and (to.is_loopback or to.is_unspecified or to.is_multicast):
        raise Invalid("to_address: %s is not the address of a container." % to)
    host_ip = EVERYWHERE[family] if host is None or host.is_unspecified else str(host)
    to_first, to_last = (
        _ports(str(params["to_port"]).partition("/")[0], "to_port") if params.get("to_port") else (first, last)
    )
    if to_last - to_first != last - first and to_first != to_last:
        raise Invalid("to_port: %s and host_port %s are not ranges of the same length." % (params["to_port"], text))
    where = str(to) if to else {4: "0.0.0.0", 6: "::"}[family]
    base = Element(protocol, host_ip, first, last, where, 0, owner, bridge, comment)
    elements: Tuple[Element, ...] = (base,)
    if to is None and host is None:  # to be gone, over IPv4 and IPv6
        elements = (base, replace(base, host_ip=EVERYWHERE[6], to="::"))
    if to_first != first:  # nft maps no range to another one
        elements = tuple(
            replace(base, first=port, last=port, to_port=to_first + port - first) for port in range(first, last + 1)
        )
    return Want(ns, owner, elements, present, *options, shadow=params["shadow"])


def together(wants: Sequence[Want]) -> List[Want]:
    """Tell the exclusive ones what else their owner has in the task. Raises `Invalid` where a port is asked for twice."""
    keep: Dict[Tuple[NsRef, str], List[Tuple[int, str, str, str]]] = {}
    listed: Dict[Tuple[NsRef, str, int], List[Element]] = {}
    for want in wants:
        if want.present:
            keep.setdefault((want.ns, want.owner), []).extend(one.identity for one in want.elements)
            for one in want.elements:
                listed.setdefault((want.ns, one.protocol, one.family), []).append(one)
    for elements in listed.values():
        near: List[Element] = []
        for one in sorted(elements, key=lambda element: element.first):
            near = [other for other in near if other.last >= one.first]
            for other in near:
                if one.overlaps(other):
                    raise Invalid(
                        "host_port: %s port %s is asked for twice, by '%s' and by '%s'."
                        % (one.protocol, one.ports, other.owner, one.owner)
                    )
            near.append(one)
    kept = {key: frozenset(names) for key, names in keep.items()}
    return [replace(want, keep=kept.get((want.ns, want.owner), frozenset())) for want in wants]


def subject(want: Want) -> str:
    """Return the object in a few words."""
    where = " in %s" % want.ns if want.ns.path else ""
    if not want.elements:
        return "ports of %s%s" % (want.owner, where)
    first, last = want.elements[0], want.elements[-1]
    ports = replace(first, last=last.last).ports
    host = (
        ""
        if first.host_ip == EVERYWHERE[first.family]
        else ("[%s]:" % first.host_ip if first.family == 6 else "%s:" % first.host_ip)
    )
    return "port %s%s/%s%s%s" % (
        host,
        ports,
        first.protocol,
        " (IPv6)" if first.family == 6 and not host else "",
        where,
    )


def look(want: Want, ns: int, state: State) -> Have:
    """Return what there is of a dnat want in the namespace ``ns``."""
    place = coexistence.place(want.backend, walls(state).firewalls())
    places = (place, *coexistence.others_of(place, ns, state))
    there = {where: _look_there(want, where, ns, state) for where in places}
    going = collections.Counter(one.family for at in there.values() for one in (*at.mine, *at.surplus))
    tables = [walls(state).table(ns, where) for where in places]
    total: Dict[int, int] = collections.Counter()
    for table in tables:
        for family, count in table.families.items():
            total[family] += count
    left = {family for family, count in total.items() if count > going[family]}
    families = sorted(going) if not want.present else [want.family]
    have = Have(
        there[place],
        tuple(
            one
            for where, one in there.items()
            if where != place and (one.mine or one.surplus or one.others or one.stale)
        ),
        want.bridge,
        forwarding=tuple(forwarding.look(ns, want.ns, family, want.ip_forward, state) for family in families),
        others_of=frozenset(left | {rule.family for table in tables for rule in table.rules.values()}),
        closable=tuple(
            dict.fromkeys(
                name
                for table in tables
                for name in table.held.localnet
                if state.sysctl(ns, _ROUTE_LOCALNET % name) == "1"
            )
        ),
    )
    if want.present:
        met = [one for at in there.values() for one in (*at.mine, *at.others, *at.stale)]
        use = conflicts.look(want.elements, met, want.shadow, ns, state)
        have = replace(_look_behind(want, have, ns, state), use=use)
    return replace(have, passing=_passing(want, have, ns, state))


def _look_there(want: Want, place: str, ns: int, state: State) -> There:
    """Return what there is in one place."""
    table = walls(state).table(ns, place)
    met: Dict[Element, None] = {}
    for one in want.elements:
        met.update(dict.fromkeys(table.overlapping(one)))
    own = table.of(want.owner)
    mine = [one for one in met if one.owner == want.owner] if want.elements else own
    known = set(mine)
    surplus = [one for one in own if want.exclusive and one.identity not in want.keep and one not in known]
    others = [one for one in met if one.owner != want.owner]
    stale = conflicts.abandoned(others, ns, state) if want.present else {}
    return There(
        place,
        tuple(mine),
        tuple(surplus),
        tuple(one for one in others if one not in stale),
        tuple(stale),
        table.held,
        dict(table.bridges) if not want.present else {},
        table.only(elements=len({*mine, *surplus, *stale})),
    )


def _look_behind(want: Want, have: Have, ns: int, state: State) -> Have:
    """Return what there is, with the bridge that the container is behind and its port there."""
    to = ipaddress.ip_address(want.elements[0].to)
    bridge = want.bridge
    if not bridge:
        link = conflicts.connected(str(to), ns, state)
        bridge = link.name if link is not None and link.kind == "bridge" else ""
    if not bridge:
        return have
    link = state.need_link(ns, want.ns, bridge, "bridge", "bridge")
    holder = leases(state).taken(ns, bridge, link).get(to)
    port = state.link_at(ns, holder.port) if holder is not None and holder.port else None
    key = _ROUTE_LOCALNET % bridge
    return replace(
        have,
        bridge=bridge,
        port=port.name if port else "",
        hairpin=bool(port.get("hairpin")) if port else True,
        localnet=(state.sysctl(ns, key) if link.index > 0 else "0") if want.family == 4 else None,
    )


def _passage(one: Element) -> Passage:
    """Return what has to pass for a port: all that is for published ports behind its bridge, or for its address."""
    where = ("in", one.bridge) if one.bridge else ("to", one.to)
    return Passage(*where, family=one.family, owner=one.bridge or one.owner)


def _passing(want: Want, have: Have, ns: int, state: State) -> Passing:
    """Return what is in the way of what comes in: a passage a bridge and family, as long as ports of it are behind the bridge."""
    wanted = []
    if want.present and want.forward:
        one = want.elements[0]
        first = one.to_port or one.first
        ports = (first, first + want.elements[-1].last - one.first)
        packet = Packet(
            one.family,
            daddr=one.to,
            oifname=have.bridge,
            bridge=have.bridge,
            dnat=True,
            protocol=one.protocol,
            ports=ports,
        )
        wanted = [(_passage(replace(one, bridge=have.bridge)), packet)]
    old = []
    for at in (have.here, *have.elsewhere):
        behind = walls(state).table(ns, at.place).behind
        going = collections.Counter(_passage(one) for one in (*at.mine, *at.surplus))
        old += [one for one, count in going.items() if behind[one.name, one.family] <= count]
    return coexistence.look(wanted, old, have.here.place, ns, state)


def plan(want: Want, have: Have) -> Plan:
    """Return what is to be done for a dnat item. Raises `Refused` where another owner has the port."""
    everywhere = (have.here, *have.elsewhere)
    at = next((one for one in everywhere if one.mine or one.surplus), have.here)
    before = _describe(want, at.mine, have.forwarding[0].describe(), at.place) if at.mine else {}
    if at.surplus:
        before = dict(before, surplus=["%s/%s" % (one.ports, one.protocol) for one in at.surplus])
    part = [] if want.exclusive else _partly(have.mine, want.elements)
    if part:
        raise Refused(
            "host_port: '%s' has published %s port %s on %s already, of which this is a part; remove that first."
            % (want.owner, part[0].protocol, part[0].ports, part[0].host_ip)
        )
    if not want.present:
        return _absent(want, have, before)
    others = [one for there in everywhere for one in there.others]
    if others:
        raise Refused(
            "host_port: %s port %s is published already by '%s', to %s; remove that first, or take another port."
            % (others[0].protocol, others[0].ports, others[0].owner, others[0].to)
        )
    if have.use.held:
        raise Refused(have.use.held)
    stale = [one for there in everywhere for one in there.stale]
    if stale:
        gone = ["%s/%s of %s to %s" % (one.ports, one.protocol, one.owner, one.to) for one in stale]
        before = dict(before, stale=gone)
    elements = tuple(replace(one, bridge=have.bridge) for one in want.elements)
    changes: List[Change] = []
    localhost = elements[0].host_ip == EVERYWHERE[4] or elements[0].host_ip.startswith("127.")
    opens = bool(have.bridge) and localhost and have.localnet == "0"
    if opens:
        changes.append(SetSysctl(want.ns, _ROUTE_LOCALNET % have.bridge, "1", "0"))
    if have.port and not have.hairpin:
        changes.append(SetLink(want.ns, have.port, {"hairpin": True}, {"hairpin": False}))
    here = have.here
    there, wanted = set(here.mine), set(elements)
    add = tuple(one for one in elements if one not in there)
    remove = tuple(one for one in (*here.mine, *here.surplus, *here.stale) if one not in wanted)
    # What was noted where the ports were before is noted where they are now.
    noted = have.bridge in {name for one in have.elsewhere for name in one.held.localnet} - {*here.held.localnet}
    opened = (have.bridge,) if opens or noted else ()
    if add or remove or opens or not here.held.whole("publish", want.family):
        changes.append(SetElements(want.ns, add, remove, here.held, opened=opened, place=here.place))
    changes += have.passing.changes(want.ns)
    changes += _removed(want, have.elsewhere)
    changes.extend(have.forwarding[0].on())
    after = _describe(want, elements, have.forwarding[0].describe(True), here.place)
    warnings = [have.use.given] if have.use.given else []
    warnings += have.passing.warning("Packets for the published ports of %s are" % elements[0].to)
    facts = {"satisfied_by": None, "blocked_by": list(have.passing.blocked_by)}
    return Plan(before, after, tuple(changes), tuple(warnings), facts)


def _partly(mine: Sequence[Element], elements: Sequence[Element]) -> List[Element]:
    """Return those of ``mine`` that are not wholly what the elements are about."""
    spans: Dict[str, Tuple[int, int]] = {}
    for one in elements:
        spans[one.host_ip] = (spans.get(one.host_ip, (one.first, 0))[0], one.last)
    whole = [(one, spans.get(one.host_ip, (1, 0))) for one in mine] if elements else []
    return [one for one, (first, last) in whole if not (first <= one.first and one.last <= last)]


def _removed(want: Want, places: Sequence[There]) -> List[Change]:
    """Return the steps that take the owner's elements out of places."""
    return [
        SetElements(want.ns, (), (*one.mine, *one.surplus, *one.stale), one.held, one.last, place=one.place)
        for one in places
        if one.mine or one.surplus or one.stale
    ]


def _absent(want: Want, have: Have, before: Dict[str, Any]) -> Plan:
    changes: List[Change] = list(have.passing.changes(want.ns))
    for at in (have.here, *have.elsewhere):
        gone = dict.fromkeys((*at.mine, *at.surplus))
        if not gone:
            continue
        counts: Dict[str, int] = dict(at.bridges)
        for one in gone:
            counts[one.bridge] = counts.get(one.bridge, 0) - 1
        closed = tuple(name for name in at.held.localnet if counts.get(name, 0) <= 0)
        changes += [SetSysctl(want.ns, _ROUTE_LOCALNET % name, "0", "1") for name in closed if name in have.closable]
        changes.append(SetElements(want.ns, (), tuple(gone), at.held, at.last, closed=closed, place=at.place))
    if any(at.mine or at.surplus for at in (have.here, *have.elsewhere)):
        text = have.forwarding[0].text if have.forwarding else None
        for forwarding in have.forwarding:
            if forwarding.family not in have.others_of | want.needed:
                off = replace(forwarding, text=text).off()
                text = next((step.text for step in off if isinstance(step, PutFile)), text)
                changes.extend(off)
    return Plan(before, {}, tuple(changes), (), {"satisfied_by": None, "blocked_by": []})


def _describe(want: Want, elements: Sequence[Element], forwarding: Mapping[str, Any], place: str) -> Dict[str, Any]:
    """Return published ports as the result shows them."""
    first = elements[0]
    return {
        "type": "dnat",
        "netns": want.ns.option,
        "protocol": first.protocol,
        "host_ip": None if first.host_ip == EVERYWHERE[first.family] else first.host_ip,
        "host_port": _joined((one.first, one.last) for one in elements),
        "to_address": ", ".join(dict.fromkeys(one.to for one in elements)),
        "to_port": _joined(
            (one.to_port or one.first, (one.to_port or one.first) + one.last - one.first) for one in elements
        ),
        "bridge": first.bridge or None,
        "owner": first.owner,
        "comment": first.comment or None,
        "backend": place,
        **forwarding,
    }


def _joined(ranges: Any) -> str:
    """Return ports as a text, those that follow each other as a range."""
    merged: List[Tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and merged[-1][1] + 1 == first:
            merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return ", ".join(str(first) if first == last else "%d-%d" % (first, last) for first, last in merged)
