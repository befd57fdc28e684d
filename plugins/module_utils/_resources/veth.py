# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun veth: a pair of interfaces, known by the kernel's own linkage. Pure."""

from __future__ import annotations

import collections
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Dict, FrozenSet, Hashable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import (
    AddLink,
    DelLink,
    MoveLink,
    SetLink,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import (
    PROTOCOL,
    host_interface,
    interface_name,
    is_own,
    known_name,
    new_name,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Link, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import (
    AUTO_MTU,
    Auto,
    auto_mtu,
    auto_of,
    check_mtu,
    check_port_mtu,
    derived_again,
    differing,
    ipv6_kept,
    ipv6_lost,
    is_cable,
    is_foreign_bridge,
    is_own_near,
    is_shown,
    made_for,
    no_shape,
    own_links,
    own_pairs,
    pair_mac,
    peer_mac,
    port_of,
    set_late,
    set_shape,
    split,
    stays_on,
    usual,
    whose,
    with_jitter,
    with_mtu,
    without_shapes,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import (
    NETNS,
    STATE,
    Plan,
    Resource,
    Sides,
    brief,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

if TYPE_CHECKING:
    from ansible_collections.linuxnet.containers.plugins.module_utils._resources.foreign_bridge import Fit
    from ansible_collections.linuxnet.containers.plugins.module_utils._resources.veth_occupant import Occupant


@dataclass(frozen=True)
class Want:
    """``own`` and ``peer`` hold the attributes that are asked of each end; ``derived``: the name of the host end is not given, but derived.
    ``peer_sysctls`` are of the peer, by their one key. ``port_of`` is a bridge that the host end is about to be a port of. ``auto`` says of what
    interface an MTU of ``auto`` is. ``sysctls`` are of the end that is named. ``cable``: the pair is between two containers, has nothing but what is asked
    for, and is known by its mark.

    Of the other items of its task a want that is ``exclusive`` knows ``siblings``, the host ends of the pairs that are wanted in the
    same namespace, and ``going``, the names of namespaces that are to have none; ``keep`` are the links of another kind that stay there."""

    ns: NsRef
    name: str
    derived: bool
    peer_ns: NsRef
    peer_name: str
    present: bool = True
    bridge: Optional[str] = None
    own: Mapping[str, Any] = field(default_factory=dict, hash=False)
    peer: Mapping[str, Any] = field(default_factory=dict, hash=False)
    exclusive: bool = False
    siblings: Tuple[str, ...] = ()
    peer_sysctls: Mapping[str, str] = field(default_factory=dict, hash=False)
    port_of: Optional[str] = None
    auto: Auto = ("", 0)
    keep: Tuple[str, ...] = ()
    going: FrozenSet[str] = frozenset()
    sysctls: Mapping[str, str] = field(default_factory=dict, hash=False)
    cable: bool = False


@dataclass(frozen=True)
class Have:
    """``link`` has the wanted name; ``far`` is what the kernel links it to, in the namespace ``far_ns`` (None: neither of the two that
    are wanted); ``occupant`` is another interface that has the wanted peer's name. ``other``: what is to go has lost its name to another pair.
    ``master`` is the name of the bridge that has the port now. ``surplus``: host ends of other pairs of ours whose peers are in the
    wanted peer's namespace; ``links``: links of ours in there of another kind. ``peer_sysctls``: those that are asked for as they are, ``""`` where the
    peer has yet to come, and None for what the kernel has not. ``fit``: what a port of the bridge has to be, where that is somebody else's.
    ``ipv6`` is an address that a small MTU would take from an end, ``kept`` one of somebody else's for which the peer keeps IPv6.
    ``anew``: ``link`` leads elsewhere, and makes room for the pair. ``room``: (namespace, name) of ends of other cables that do so."""

    link: Optional[Link] = None
    far: Optional[Link] = None
    far_ns: Optional[NsRef] = None
    occupant: Optional[Occupant] = None
    other: bool = False
    master: str = ""
    mtu: int = 0
    identity: str = ""
    ipv6: str = ""
    surplus: Tuple[str, ...] = ()
    peer_sysctls: Mapping[str, Optional[str]] = field(default_factory=dict, hash=False)
    fit: Optional[Fit] = None
    kept: str = ""
    links: Tuple[str, ...] = ()
    sysctls: Mapping[str, Optional[str]] = field(default_factory=dict, hash=False)
    anew: bool = False
    room: Tuple[Tuple[NsRef, str], ...] = ()


_ROWS = link_kinds.rows("veth")
_LATE = link_kinds.late(_ROWS)


class VethResource(Resource[Want, Have]):
    noun = "veth"
    identity = ("peer_name",)
    options: Dict[str, Any] = {
        "name": {"type": "str"},
        **STATE,
        **NETNS,
        "peer_name": {"type": "str", "default": "eth0"},
        "peer_netns": {"type": "str"},
        "bridge": {"type": "str"},
        "port_of": {"type": "str"},
        **link_kinds.specs(_ROWS, pair=True),
        **AUTO_MTU,
        "sysctls": {"type": "dict"},
        "peer_sysctls": {"type": "dict"},
        "cable": {"type": "bool", "default": False},
        "exclusive": {"type": "bool", "default": False},
        "keep": {"type": "list", "elements": "str"},
    }

    def parse(self, params: Mapping[str, Any]) -> Want:
        ns = NsRef.parse(params.get("netns"))
        peer_ns = ns if params.get("peer_netns") is None else NsRef.parse(params["peer_netns"], "peer_netns")
        peer_name = new_name(params["peer_name"], "peer_name")
        if params.get("name") is None and params.get("peer_netns") is None:
            raise Invalid("name: it can be left out only where peer_netns is given, from which it is derived.")
        name = (
            host_interface(peer_ns.path, peer_name) if params.get("name") is None else new_name(params["name"], "name")
        )
        if ns == peer_ns and params.get("peer_netns") is not None:
            raise Invalid("peer_netns: both ends would be in %s; leave peer_netns out where that is wanted." % ns)
        if ns == peer_ns and name == peer_name:
            raise Invalid("peer_name: both ends cannot be called '%s' in one namespace." % name)
        if params["cable"] and not (ns.path and peer_ns.path and ns != peer_ns):
            raise Invalid("cable: it is between two containers; give netns and peer_netns.")
        if params["cable"] and params.get("bridge"):
            raise Invalid("cable: its ends are in containers, on no bridge.")
        both, each, near = (
            {key: row for key, row in _ROWS.items() if row.ends == ends} for ends in ("both", "each", "near")
        )
        shared = link_kinds.given(params, both)
        bridge = params.get("bridge")
        want = Want(
            ns,
            name,
            params.get("name") is None,
            peer_ns,
            peer_name,
            params["state"] == "present",
            known_name(bridge, "bridge") if bridge else bridge,
            dict(shared, **with_jitter(link_kinds.given(params, {**each, **near}))),
            dict(shared, **with_jitter(link_kinds.given(params, each, "peer_"), "peer_")),
            params["exclusive"],
            peer_sysctls=_parsed_sysctls(params, "peer_sysctls", peer_name),
            port_of=interface_name(params["port_of"], "port_of") if params.get("port_of") else None,
            auto=auto_of(params),
            keep=tuple(known_name(name, "keep") for name in params.get("keep") or ()),
            sysctls=_parsed_sysctls(params, "sysctls", name),
            cable=params["cable"],
        )
        if (
            want.bridge
            and want.present
            and want.peer.get("mac") is not None
            and want.peer["mac"] == want.own.get("mac")
        ):
            raise Invalid(
                "peer_mac: it is that of the end on the bridge, %s, as well; give them one each." % want.peer["mac"]
            )
        return want

    def identities(self, want: Want) -> Sequence[Hashable]:
        return (want.ns, want.name), (want.peer_ns, want.peer_name)

    def same(self, want: Want, other: Want) -> bool:
        """Of two that are to be gone neither is in the other's way."""
        return want == other or not (want.present or other.present)

    def together(self, wants: Sequence[Want]) -> List[Want]:
        siblings: Dict[NsRef, List[str]] = collections.defaultdict(list)
        macs: Dict[Tuple[NsRef, str, str], Want] = {}  # by bridge
        for want in wants:
            if not want.present:
                continue
            siblings[want.peer_ns].append(want.name)
            asked = want.peer.get("mac")
            other = macs.setdefault((want.ns, want.bridge, asked), want) if want.bridge and asked else want
            if (other.peer_ns, other.peer_name) != (want.peer_ns, want.peer_name):
                raise Invalid(
                    "peer_mac: %s is asked for twice behind bridge '%s', for %s in %s and for %s in %s."
                    % (asked, want.bridge, other.peer_name, other.peer_ns, want.peer_name, want.peer_ns)
                )
        going = frozenset(want.peer_ns.name for want in wants if want.exclusive and want.peer_ns not in siblings)
        return [
            replace(want, siblings=tuple(siblings[want.peer_ns]), going=going) if want.exclusive else want
            for want in wants
        ]

    def resolved(self, want: Want, state: State) -> Want:
        state.find(want.peer_ns)  # a link that is read before does not say that its peer is in there
        if want.present:
            want = _peer_resolved(want, state.own_name(want.peer_ns, want.peer_name))
        name, bridge = state.own_name(want.ns, want.name), want.bridge and state.own_name(want.ns, want.bridge)
        if (name, bridge) == (want.name, want.bridge):
            return want
        return replace(want, name=name, bridge=bridge, sysctls=_renamed(want.sysctls, name))

    def subject(self, want: Want) -> str:
        return "veth %s" % want.name

    def title(self, want: Want) -> str:
        return whose(self.subject(want), want.peer_ns, want.peer_name)

    def effect(self, want: Want, plan: Plan) -> Sides:
        known = usual(_ROWS)
        before, after = plan.before, plan.after
        alike = {
            "peer_" + name: name
            for name in known
            if all(side.get("peer_" + name) == side.get(name) for side in (before, after) if side)
        }
        marks = {name: "name" for name, end in (("mac", want.own), ("peer_mac", want.peer)) if "mac" not in end}
        marks.update(peer_name="name", peer_netns="name")  # the header has them
        both = {**known, **{"peer_" + name: value for name, value in known.items()}}
        before, after = brief((before, after), both, {**alike, **marks})
        inside = "%s's " % want.peer_name
        return (
            {name.replace("peer_", inside, 1): value for name, value in before.items()},
            {name.replace("peer_", inside, 1): value for name, value in after.items()},
        )

    def look(self, want: Want, state: State) -> Have:
        if not want.present:
            return self._look_for_removal(want, state)
        ns, peer_ns = state.need(want.ns), state.need(want.peer_ns)
        if ns == peer_ns and want.ns != want.peer_ns:
            raise Refused(
                "peer_netns: %s is the namespace that the other end is in; a container needs one of its own."
                % want.peer_ns
            )
        link = state.link(ns, want.name)
        far, far_ns = _other_end(want, link, ns, peer_ns, state)
        occupant = state.link(peer_ns, want.peer_name)
        if link is None and ns != peer_ns:
            near = _near_end(occupant, ns, state)
            ours = near is not None and occupant and made_for(want.peer_ns.path, near, occupant, state.identity())
            if near is not None and (ours or (want.cable and is_cable(occupant))):
                link, far, far_ns = near, occupant, want.peer_ns  # a pair of ours under another name: it is named anew
        if occupant is not None and far is not None and far_ns == want.peer_ns and occupant.index == far.index:
            occupant = None
        link, far = _shaped(want, ns, peer_ns, link, far, far_ns, state)
        if want.own.get("tx_checksum") is not None:
            link = link and link.with_(tx_checksum=state.tx_checksum(ns, link))
            if far is not None and far_ns == want.peer_ns:
                far = far.with_(tx_checksum=state.tx_checksum(peer_ns, far))
        if want.bridge:
            bridge = state.need_link(ns, want.ns, want.bridge, "bridge", "bridge")
            if want.peer.get("mac") is not None and want.peer["mac"] == bridge.get("mac"):
                raise Refused(
                    "The MAC address %s is that of bridge '%s' itself; what is behind it needs another one."
                    % (want.peer["mac"], want.bridge)
                )
            if link is not None and link.master != bridge.index:
                # Here and not above: a pair that is made is nobody's parent.
                from ansible_collections.linuxnet.containers.plugins.module_utils._resources import parents

                parents.check_port("bridge", want.ns, ns, link, state)
        fit = _fit(want, ns, link, state)
        auto = 0 if want.own.get("mtu") != "auto" else fit.mtu if fit else auto_mtu(want.auto, ns, state)
        wanted, there = with_mtu(want.own, auto), far if far_ns == want.peer_ns else None
        if want.bridge and not (fit and fit.shared):
            size = wanted.get("mtu", link.get("mtu") if link else 1500)
            if link is None or (link.master, link.get("mtu")) != (bridge.index, size):
                check_port_mtu("mtu", want.name, size, ns, bridge, state)
        lost = ipv6_lost(wanted, ns, link, state) or ipv6_lost(wanted, peer_ns, there, state)
        surplus, links = _surplus(want, ns, peer_ns, link, state)
        occupied, room = None, _cables().room(want, occupant, peer_ns, state) if occupant is not None else ()
        if occupant is not None and occupant.name not in links and not room:
            # Here and not above: there is none but by mistake.
            from ansible_collections.linuxnet.containers.plugins.module_utils._resources import veth_occupant

            occupied = veth_occupant.look(want, occupant, _near_end(occupant, ns, state), peer_ns, state)
        return Have(
            link,
            far,
            far_ns,
            occupied,
            True,
            state.master_name(ns, link) if link else "",
            auto,
            state.identity(),
            lost,
            surplus,
            _sysctls().as_they_are(
                want.peer_sysctls,
                want.peer_name,
                peer_ns,
                far if far_ns == want.peer_ns else None,
                state,
            )
            if want.peer_sysctls
            else {},
            fit,
            ipv6_kept(want.peer, peer_ns, there, state) if want.exclusive else "",
            links,
            _sysctls().as_they_are(want.sysctls, want.name, ns, link, state) if want.sysctls else {},
            bool(want.ns.path and link and far is None and _cables().yields(want, link, state)),
            room,
        )

    @staticmethod
    def _look_for_removal(want: Want, state: State) -> Have:
        ns, peer_ns = state.find(want.ns), state.find(want.peer_ns)
        left = state.link(peer_ns, want.peer_name) if want.cable and peer_ns is not None else None
        room = ((want.peer_ns, want.peer_name),) if left and _cables().is_lost(left, peer_ns or 0, state) else ()
        if ns is None:
            return Have(room=room)
        link = state.link(ns, want.name)
        if ns == peer_ns and want.ns != want.peer_ns:
            # The name means the host by now: no pair ends in it, but a pair that was made for it may be left.
            ours = want.derived or (
                link is not None and is_own_near(want.peer_ns.path, want.peer_name, link, state.identity())
            )
            return Have(link if ours else None)
        far, far_ns = _other_end(want, link, ns, peer_ns, state)
        away = link if want.ns.path and far is None else None
        anew = away is not None and _cables().yields(want, away, state)
        replugged = away is not None and not anew and _cables().leads_elsewhere(want, away, state)
        other = not anew and not replugged and link is not None and _is_another(want, link, far_ns, peer_ns, state)
        if replugged or other:
            link = far = far_ns = None  # the pair is gone, and another one has the name
        link, far = _shaped(want, ns, peer_ns, link, far, far_ns, state)
        surplus, links = _surplus(want, ns, peer_ns, link, state)
        return Have(
            link,
            far,
            far_ns,
            other=other,
            master=state.master_name(ns, link) if link else "",
            surplus=surplus,
            links=links,
            anew=anew,
            room=room,
        )

    def plan(self, want: Want, have: Have) -> Plan:
        plan = self._pair(want, have)
        if have.room:
            plan = _cables().with_room(plan, have)
        if not have.surplus and not have.links:
            return plan
        in_the_way = [name for name in have.links if want.present and name == want.peer_name]
        first = [DelLink(want.peer_ns, name, self.noun) for name in in_the_way]
        last = [  # a deletion cannot be undone
            *(DelLink(want.peer_ns, name) for name in have.links if name not in in_the_way),
            *(DelLink(want.ns, name) for name in have.surplus),
        ]
        others = {"other_pairs": list(have.surplus), "other_links": list(have.links)}
        before = {**plan.before, **{name: listed for name, listed in others.items() if listed}}
        return replace(plan, before=before, changes=(*first, *plan.changes, *last))

    def _pair(self, want: Want, have: Have) -> Plan:
        """Return the plan for the pair itself."""
        if have.link is not None and have.link.kind != "veth":
            raise Refused(
                "Interface '%s' in %s is %s, not a veth; it is left alone." % (want.name, want.ns, have.link.describe())
            )
        if not want.present:
            return self._absent(want, have)
        own, peer = with_mtu(want.own, have.mtu), with_mtu(want.peer, have.mtu)
        check_mtu(own, have.ipv6)
        if have.fit is not None:
            _fitted(want, have, have.fit, own, peer)
        if have.occupant is not None:
            raise have.occupant.refusal(want, have.link)
        if have.link is None:
            return self._create(want, have, own, peer, {}, ())
        before = self._as_is(want, have, have.link)
        if have.far is None or have.far_ns is None:
            if not (want.derived or have.anew):
                raise Refused(_cables().of_somebody_else(want, have.link))
            plan = self._create(want, have, own, peer, before, (DelLink(want.ns, want.name),))
            if want.cable:
                return plan
            return replace(
                plan, warnings=("%s: its other end was left in another namespace; the pair is made anew." % want.name,)
            )
        warnings = stays_on(peer, want.peer_name, want.peer_ns, have.kept)
        return replace(self._repair(want, have, own, peer, before), warnings=warnings)

    def _create(
        self,
        want: Want,
        have: Have,
        own: Dict[str, Any],
        peer: Dict[str, Any],
        before: Mapping[str, Any],
        first: Tuple[Change, ...],
    ) -> Plan:
        own.setdefault("mac", pair_mac(have.identity, want.peer_ns.path, want.peer_name))
        peer.setdefault("mac", peer_mac(have.identity, want.peer_ns.path, want.peer_name))
        defaults = link_kinds.defaults(_ROWS)
        settings, values = _settings(want, have)
        after = self._describe(
            want, dict(defaults, **own), dict(defaults, **peer), want.bridge or "", want.peer_name, want.peer_ns
        )
        after.update(values)
        # What is set before it is up holds for the first packet; and the kernel refuses a message in which the peer is up.
        early, late = split(own, ["enabled", *_LATE] if want.sysctls or want.cable else _LATE)
        peer_early, peer_late = split(peer, ["enabled", *_LATE])
        if want.cable:
            early["link_group"] = peer_early["link_group"] = PROTOCOL
        if want.bridge:
            early["master"] = want.bridge
        changes = (
            *first,
            AddLink(want.ns, want.name, "veth", early, want.peer_ns, want.peer_name, peer_early),
            *settings,
            *set_late(want.ns, want.name, late, after["mtu"]),
            *set_late(want.peer_ns, want.peer_name, peer_late, after["mtu"]),
        )
        return Plan(before, after, changes)

    def _repair(
        self, want: Want, have: Have, own: Dict[str, Any], peer: Dict[str, Any], before: Mapping[str, Any]
    ) -> Plan:
        link, far = have.link, have.far
        if link is None or far is None:
            raise Refused("There is no pair to repair.")
        if want.exclusive or want.cable:
            own, peer = {**no_shape(link), **own}, {**no_shape(far), **peer}
        if want.cable:
            own, peer = _cables().derived_again(want, have, link, far, own, peer)
        new, old = differing(own, link.attributes)
        changes: List[Change] = [*set_shape(want.ns, link.name, new, link.attributes)]
        if want.bridge is not None and (have.master != want.bridge):
            new["master"] = want.bridge
            old.update(port_of(link, have.master))
        if link.name != want.name:
            new, old = dict(new, name=want.name), dict(old, name=link.name)
        if without_shapes(new):
            changes.append(SetLink(want.ns, link.name, without_shapes(new), without_shapes(old)))
        now = far.attributes
        if have.far_ns != want.peer_ns:
            changes.append(MoveLink(want.ns, far.name, want.peer_ns, want.peer_name))
            now = dict(now, enabled=False, **link_kinds.UNSHAPED)
        if want.exclusive and "mac" not in peer:
            peer = {**derived_again(want.peer_ns.path, want.peer_name, link, far, have.identity), **peer}
        peer_new, peer_old = differing(peer, now)
        name = want.peer_name
        if have.far_ns == want.peer_ns and far.name != want.peer_name:
            peer_new, peer_old, name = dict(peer_new, name=want.peer_name), dict(peer_old, name=far.name), far.name
        changes += set_shape(want.peer_ns, name, peer_new, now)
        if without_shapes(peer_new):
            changes.append(SetLink(want.peer_ns, name, without_shapes(peer_new), without_shapes(peer_old)))
        master = want.bridge if want.bridge is not None else have.master
        after = self._describe(
            want, dict(link.attributes, **new), dict(now, **peer_new), master, want.peer_name, want.peer_ns
        )
        settings, values = _settings(want, have)
        after.update(values)
        return Plan(before, after, (*changes, *settings))

    def _absent(self, want: Want, have: Have) -> Plan:
        if have.link is None:
            text = "Interface '%s' in %s is a veth, but its other end is not in %s: it is not the pair that is to go, and stays."
            return Plan({}, {}, warnings=(text % (want.name, want.ns, want.peer_ns),) if have.other else ())
        return Plan(self._as_is(want, have, have.link), {}, (DelLink(want.ns, want.name),))

    def _as_is(self, want: Want, have: Have, link: Link) -> Dict[str, Any]:
        """Return the pair as it is."""
        far = have.far
        own = dict(link.attributes, name=link.name)
        described = self._describe(
            want, own, far.attributes if far else {}, have.master, far.name if far else None, have.far_ns
        )
        for name in ("sysctls", "peer_sysctls") if want.present else ():
            if getattr(want, name):
                described[name] = {key: value for key, value in getattr(have, name).items() if value}
        return described

    @staticmethod
    def _describe(
        want: Want,
        own: Mapping[str, Any],
        peer: Mapping[str, Any],
        master: str,
        peer_name: Optional[str],
        peer_ns: Optional[NsRef],
    ) -> Dict[str, Any]:
        described = {
            "name": own.get("name", want.name),
            "netns": want.ns.option,
            "peer_name": peer_name,
            "peer_netns": peer_ns.option if peer_ns else None,
            "bridge": master,
        }
        for name, row in _ROWS.items():
            if is_shown(row, want.own, own):
                described[name] = own.get(name)
            if row.ends != "near" and is_shown(row, want.peer, peer):
                described["peer_" + name] = peer.get(name)
        return described


def _cables() -> Any:
    """Return what knows pairs between containers, which is of use to few tasks."""
    from ansible_collections.linuxnet.containers.plugins.module_utils._resources import veth_cable

    return veth_cable


def _sysctls() -> Any:
    """Return what knows sysctls, which is of use to few tasks."""
    from ansible_collections.linuxnet.containers.plugins.module_utils._resources import link_sysctls

    return link_sysctls


def _peer_resolved(want: Want, own: str) -> Want:
    """Return the want with the own name of the peer, of which the host end's is derived."""
    if own == want.peer_name:
        return want
    renamed = _renamed(want.peer_sysctls, own)
    name = host_interface(want.peer_ns.path, own) if want.derived else want.name
    return replace(want, name=name, peer_name=own, peer_sysctls=renamed)


def _parsed_sysctls(params: Mapping[str, Any], option: str, interface: str) -> Dict[str, str]:
    """Return the sysctls that an option gives one of the ends. Raises `Invalid`."""
    given = params.get(option)
    found: Dict[str, str] = _sysctls().parse_sysctls(given, interface, "the pair") if given else {}
    return found


def _renamed(sysctls: Mapping[str, str], name: str) -> Dict[str, str]:
    """Return sysctls of an interface as those of another one."""
    return {_sysctls().of_interface(key, name): value for key, value in sysctls.items()} if sysctls else {}


def _settings(want: Want, have: Have) -> Tuple[List[Change], Dict[str, Dict[str, str]]]:
    """Return (the steps that set the sysctls of both ends, what the kernel shows for them then, by option). Raises `Refused`."""
    steps: List[Change] = []
    shown: Dict[str, Dict[str, str]] = {}
    ends = ((want.ns, "sysctls"), (want.peer_ns, "peer_sysctls"))
    for ref, option in ends:
        if getattr(want, option):
            more, shown[option] = _sysctls().settled(ref, getattr(want, option), getattr(have, option))
            steps.extend(more)
    return steps, shown


def _fitted(want: Want, have: Have, fit: Fit, own: Dict[str, Any], peer: Dict[str, Any]) -> None:
    """Add to what is wanted of both ends what a port of a bridge of somebody else's has to be."""
    if have.link is None:
        own.setdefault("mac", fit.mac(have.identity, want.peer_ns.path, want.peer_name))
        own.setdefault("mtu", fit.mtu)
        peer.setdefault("mtu", fit.mtu)
    comes = have.link is not None and bool(want.bridge) and have.master != want.bridge
    if not fit.shared or not (comes or "mtu" in own):
        return
    now = have.link.attributes if have.link else {}
    own["mtu"] = max(own.get("mtu", now.get("mtu", 0)), fit.mtu)
    path, name = want.peer_ns.path, want.peer_name
    if comes and now["mac"] <= fit.above and is_own(now["mac"], have.identity, "veth", path, name, "own"):
        own.setdefault("mac", fit.mac(have.identity, path, name))


# --- looking ---


def _fit(want: Want, ns: int, link: Optional[Link], state: State) -> Optional[Fit]:
    """Return what a port of the wanted bridge has to be, None where it is ours, or none is wanted. Raises `Refused` for one that is missing."""
    name = want.bridge or want.port_of
    if not name:
        return None
    bridge = state.need_link(ns, want.ns, name, "bridge", "bridge")
    if not is_foreign_bridge(want.ns, bridge, state):
        return None
    # Here and not above: of use to few tasks.
    from ansible_collections.linuxnet.containers.plugins.module_utils._resources import foreign_bridge

    return foreign_bridge.fit(ns, bridge, link.name if link else want.name, state)


def _shaped(
    want: Want,
    ns: int,
    peer_ns: Optional[int],
    link: Optional[Link],
    far: Optional[Link],
    far_ns: Optional[NsRef],
    state: State,
) -> Tuple[Optional[Link], Optional[Link]]:
    """Return both ends with what their queueing disciplines do."""
    there = peer_ns if far_ns == want.peer_ns else ns
    return link and state.shaped(ns, link), far and (far if there is None else state.shaped(there, far))


def _near_end(far: Optional[Link], ns: int, state: State) -> Optional[Link]:
    """Return the other end of a pair, where it is in ``ns``."""
    return state.link_at(ns, far.peer_index) if far is not None and far.kind == "veth" and far.peer_ns == ns else None


def _other_end(
    want: Want, link: Optional[Link], ns: int, peer_ns: Optional[int], state: State
) -> Tuple[Optional[Link], Optional[NsRef]]:
    """Return (the other end of a pair, its namespace), where that is one of the two that are wanted."""
    if link is not None and link.kind == "veth":
        for ref, where in ((want.peer_ns, peer_ns), (want.ns, ns)):
            if where is not None and link.peer_ns == where:
                return state.link_at(where, link.peer_index), ref
    return None, None


def _is_another(want: Want, link: Link, far_ns: Optional[NsRef], peer_ns: Optional[int], state: State) -> bool:
    """Return whether the pair that has the name is another than the one that is to go: its other end is somewhere else, and it was not made for the
    wanted one. What was made by hand for a namespace that lost its name is known by its own alone."""
    if (
        link.kind != "veth"
        or want.derived
        or far_ns == want.peer_ns
        or want.peer_ns == want.ns
        or is_own_near(want.peer_ns.path, want.peer_name, link, state.identity())
    ):
        return False
    if peer_ns is None and far_ns is None:
        state.open_all()
        again = state.link(state.need(want.ns), link.name)
        return again is not None and again.peer_ns is not None
    return True


def _surplus(
    want: Want, ns: int, peer_ns: Optional[int], link: Optional[Link], state: State
) -> Tuple[Tuple[str, ...], Tuple[str, ...]]:
    """Return (host ends of other pairs than ``link``'s, other links) that this collection made for the peer's namespace, known by derived name or
    address, or by their mark, where no others are wanted."""
    if not want.exclusive or peer_ns is None:
        return (), ()
    there = state.links(peer_ns)
    wanted = {want.name, *want.siblings, *([link.name] if link else [])}
    pairs = (near.name for near, dummy in own_pairs(want.peer_ns, there, ns, state, wanted))
    links = [one.name for one in own_links(want.peer_ns, there, state) if one.name not in want.keep]
    if links and not want.present and (peer_ns == state.find(HOST) or _named_besides(want, peer_ns, state)):
        links = []  # they may be another's, whose namespace the name means as well: their mark does not say for which name they were made
    # Check mode does not know in which order the kernel will have them.
    return tuple(sorted(pairs)), tuple(sorted(links))


def _named_besides(want: Want, peer_ns: int, state: State) -> bool:
    """Return whether the peer's namespace has a name that no item of the task takes everything from."""
    names = (entry.name for entry in state.entries().of(peer_ns))
    return any(name != want.peer_ns.name and name not in want.going for name in names)


RESOURCE = VethResource()
