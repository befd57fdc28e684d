# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun bridge: a link of that kind, with what the kernel does differently for it, and whose it is. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Dict, FrozenSet, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, DelLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import known_name
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Link
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import (
    AUTO_MTU,
    LinkResource,
    ipv6_kept,
    is_own_link,
    split,
    with_mtu,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import Have as LinkHave
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import Want as LinkWant
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

if TYPE_CHECKING:
    from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ownership import Part, Standing


@dataclass(frozen=True)
class Want(LinkWant):
    """``only_ours``: what this collection did not make is left as it is. ``rewired``: names of namespaces whose pairs are about to be
    ports of another bridge. ``released``: ports that are to be free when it goes. ``listed``: see
    `ownership.not_listed`. ``master``: the vrf that it is in, empty
    for none, None where that is not managed."""

    master: Optional[str] = None
    only_ours: bool = False
    rewired: FrozenSet[str] = frozenset()
    released: FrozenSet[str] = frozenset()
    listed: Optional[FrozenSet[str]] = None


@dataclass(frozen=True)
class Have(LinkHave):
    """``master`` is the name of the vrf that the bridge is in, where that was asked for. ``ours``: this collection made the bridge. ``renamed`` is one
    that it made by the wanted name and that is called otherwise by now. With ``only_ours``, of a bridge that is to go: its ``standing`` and, where that
    does not say that all stays, ``part``, what of ours is on it. ``others`` says who else is
    on one whose MTU is to be another one."""

    master: str = ""
    ours: bool = True
    renamed: Optional[Link] = None
    standing: Optional[Standing] = None
    part: Optional[Part] = None
    others: str = ""


# Of the forwarding delay while the spanning tree protocol runs, in hundredths of a second: BR_MIN_FORWARD_DELAY and
# BR_MAX_FORWARD_DELAY of net/bridge/br_private_stp.h. Without it any will do.
_DELAY_LOW, _DELAY_HIGH = 200, 3000


class BridgeResource(LinkResource):
    """A bridge without a MAC address of its own takes its ports' and changes it as they come and go, so it always gets one: the mark by
    which it is known as ours."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.options.update(AUTO_MTU)
        self.options["master"] = {"type": "str"}
        self.options["only_ours"] = {"type": "bool", "default": False}
        self.options["rewired"] = {"type": "list", "elements": "str"}
        self.options["released"] = {"type": "list", "elements": "str"}
        self.options["listed"] = {"type": "list", "elements": "str"}

    def parse(self, params: Mapping[str, Any]) -> Want:
        rewired = frozenset(params.get("rewired") or ())
        released = frozenset(known_name(name, "released") for name in params.get("released") or ())
        common = vars(super().parse(params))
        master = known_name(params["master"], "master") if params.get("master") else params.get("master")
        listed = None if params.get("listed") is None else frozenset(params["listed"])
        options = {"master": master, "only_ours": params["only_ours"], "rewired": rewired}
        return Want(**common, **options, released=released, listed=listed)

    def resolved(self, want: LinkWant, state: State) -> LinkWant:
        found = super().resolved(want, state)
        if not isinstance(found, Want) or not found.master:
            return found
        return replace(found, master=state.own_name(found.ns, found.master))

    def look(self, want: LinkWant, state: State) -> Have:
        found = super().look(want, state)
        have = Have(**vars(found))
        ns = state.find(want.ns)
        if ns is None or not isinstance(want, Want):
            return have
        if want.present and want.master is not None:
            if want.master:
                state.need_link(ns, want.ns, want.master, "master", "vrf", makers=("ns_link",))
            have = replace(have, master=state.master_name(ns, have.link) if have.link else "")
        if have.link is None:
            # One that is to be made would have the MAC address of the renamed one.
            looks = want.only_ours or (want.present and "mac" not in want.attributes)
            have = replace(have, renamed=_renamed(want, ns, state) if looks else None)
        bridge = have.link or have.renamed
        if bridge is None or bridge.kind != self.noun or not want.only_ours:
            return have
        have = replace(have, ours=is_own_link(bridge, self.noun, want.ns.path, want.name, state.identity()))
        if want.present:
            return replace(
                have,
                kept=ipv6_kept(want.attributes, ns, have.link, state),
                others=self._others(want, have, bridge, state),
            )
        # Here and not above: a bridge that is made, as ever, does without.
        from ansible_collections.linuxnet.containers.plugins.module_utils._resources import ownership

        released = {state.own_name(want.ns, name) for name in want.released}
        standing = ownership.standing(want.ns, ns, bridge, want.name, want.rewired, state, released)
        part = None if have.ours or standing.stays else ownership.our_part(ns, bridge, state)
        return replace(have, standing=standing, part=part)

    @staticmethod
    def _others(want: Want, have: Have, bridge: Link, state: State) -> str:
        """Return who is on a bridge of ours whose MTU is to be another one, and is not listed, in a sentence."""
        wanted = with_mtu(want.attributes, have.mtu).get("mtu")
        if want.listed is None or not have.ours or wanted in (None, bridge.get("mtu")):
            return ""
        # Here and not above: of use only where a network is changed.
        from ansible_collections.linuxnet.containers.plugins.module_utils._resources import ownership

        return ownership.not_listed(want.ns, bridge.name, want.listed, state)

    def plan(self, want: LinkWant, have: LinkHave) -> Plan:
        if not isinstance(want, Want) or not isinstance(have, Have):
            raise TypeError("what there is, is no answer for what is wanted")
        if have.renamed is not None and want.present:
            raise _called_otherwise(want, have.renamed)
        bridge = have.link or have.renamed
        if bridge is None or not want.only_ours:
            return self._in_vrf(want, have, super().plan(want, have))
        if bridge.kind != self.noun and not want.present:
            text = "Interface '%s' in %s is %s, not a bridge; it is left alone."
            return Plan({}, {}, warnings=(text % (want.name, want.ns, bridge.describe()),))
        if want.present:
            if have.ours or bridge.kind != self.noun:
                found = self._in_vrf(want, have, super().plan(want, have))
                return replace(found, warnings=(*found.warnings, have.others)) if have.others else found
            return self._as_it_is(want, bridge)
        return self._taken_back(want, have, bridge)

    @staticmethod
    def _in_vrf(want: Want, have: Have, plan: Plan) -> Plan:
        """Return a plan by which the bridge is also in the wanted vrf: a new one is born in it, and another one goes there with its last step, which takes
        its IPv6 addresses and its routes from it."""
        if want.master is None or not want.present:
            return plan
        changes = [*plan.changes]
        first = changes[0] if changes else None
        if have.link is None and isinstance(first, AddLink):
            born = {**first.attributes, "master": want.master} if want.master else first.attributes
            changes[0] = replace(first, attributes=born)
        elif have.master != want.master:
            changes.append(SetLink(want.ns, want.name, {"master": want.master}, {"master": have.master}))
        before = {**plan.before, "master": have.master} if plan.before else {}
        return replace(plan, before=before, after={**plan.after, "master": want.master}, changes=tuple(changes))

    def _as_it_is(self, want: Want, bridge: Link) -> Plan:
        """Return the plan for a bridge of somebody else's that is to be there."""
        there = self._describe(want, bridge.attributes)
        text = (
            "Bridge '%s' in %s was here before%s: it is used as it is, and nothing but our addresses, ports and rules is added; "
            "'unmanaged: true' says that it is somebody else's."
        )
        down = "" if bridge.get("enabled") else ", and is down"
        return Plan(there, there, warnings=(text % (want.name, want.ns, down),))

    def _taken_back(self, want: Want, have: Have, bridge: Link) -> Plan:
        """Return the plan for a bridge that is to go as far as it is ours."""
        there = {**self._describe(want, bridge.attributes), "name": bridge.name}
        where = (bridge.name, want.ns)
        if have.standing is not None and have.standing.stays:
            text = "Bridge '%s' in %s stays with its addresses and rules, for there are ports on it that nothing here removes: %s."
            return Plan(there, there, warnings=(text % (*where, have.standing.holders),))
        if have.ours or have.part is None:
            return Plan(there, {}, (DelLink(want.ns, bridge.name),))
        going = [address.cidr for address in have.part.go]
        staying = [address.cidr for address in have.part.stay]
        text = "Bridge '%s' in %s was not made by this collection: it stays, and loses what was added for containers%s."
        but = ", but for its address %s, which addresses or routes of others need" % ", ".join(staying)
        return Plan(
            {**there, "addresses": going},
            {**there, "addresses": []},
            tuple(have.part.steps(want.ns, bridge.name)),
            (text % (*where, but if staying else ""),),
        )

    def fitting(self, wanted: Dict[str, Any], now: Mapping[str, Any]) -> Dict[str, Any]:
        if not wanted.get("stp", now.get("stp")):
            return wanted
        delay = wanted.get("forward_delay", now.get("forward_delay"))
        if delay is None or _DELAY_LOW <= delay <= _DELAY_HIGH:
            return wanted
        if "forward_delay" in wanted:
            raise Refused(
                "forward_delay: %d is out of bounds; with stp it must be from %d to %d (2 to 30 seconds)."
                % (delay, _DELAY_LOW, _DELAY_HIGH)
            )
        return dict(wanted, forward_delay=min(max(delay, _DELAY_LOW), _DELAY_HIGH))  # as the kernel does it

    def steps(self, want: LinkWant, new: Dict[str, Any], old: Dict[str, Any]) -> Tuple[Change, ...]:
        """The kernel sets the delay first of all, and goes by whether the protocol runs at that moment."""
        delays = [side.get("forward_delay", _DELAY_LOW) for side in (new, old)]
        if "stp" not in new or all(_DELAY_LOW <= delay <= _DELAY_HIGH for delay in delays):
            return super().steps(want, new, old)
        first = "forward_delay" if new["stp"] else "stp"
        steps = []
        for names in ([first], [name for name in new if name != first]):
            sides = [{name: side[name] for name in names if name in side} for side in (new, old)]
            steps.append(SetLink(want.ns, want.name, sides[0], sides[1], self.noun))
        return tuple(step for step in steps if step.new)

    def creation(self, want: LinkWant, wanted: Mapping[str, Any]) -> Tuple[Change, ...]:
        early, late = split(wanted, link_kinds.late(self.rows))
        old: Dict[str, Any] = dict.fromkeys(late, "")
        if "mtu" in early:
            # Only a change of the MTU pins it (net/bridge/br_device.c, br_change_mtu); else it follows the ports.
            size = early["mtu"]
            early["mtu"] = old["mtu"] = size + (1 if size < 1500 else -1)
            late = {"mtu": size, **late}
        if early.get("vlan_filtering") is False:
            del early["vlan_filtering"]  # the default, and a kernel without the feature refuses to hear of it
        made = AddLink(want.ns, want.name, self.noun, early)
        return (made, SetLink(want.ns, want.name, late, old)) if late else (made,)


class Unnamed:
    """The bridges whose MAC address is not the one that is derived from their name, among which are those of ours that somebody renamed:
    found once a namespace, since every bridge that is to be made asks."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._known: Dict[int, List[Link]] = {}

    def of(self, ns: int, path: str) -> List[Link]:
        """Return those of the namespace ``ns``, which is at ``path``."""
        if ns not in self._known:
            identity = self._state.identity()
            bridges = [link for link in self._state.links(ns) if link.kind == "bridge"]
            self._known[ns] = [one for one in bridges if not is_own_link(one, "bridge", path, one.name, identity)]
        return self._known[ns]

    def link_deleted(self) -> None:
        """Note that an interface is deleted."""
        self._known.clear()

    def outdate(self, touched: Set[int], steps: Sequence[Change]) -> None:
        """Note that changes were carried out."""
        self._known.clear()


def _renamed(want: Want, ns: int, state: State) -> Optional[Link]:
    """Return the bridge of the namespace ``ns`` that was made as the wanted one and is called otherwise by now."""
    strangers = state.extension(Unnamed).of(ns, want.ns.path)
    return next(
        (one for one in strangers if is_own_link(one, "bridge", want.ns.path, want.name, state.identity())), None
    )


def _called_otherwise(want: Want, bridge: Link) -> Refused:
    (back,) = SetLink(want.ns, bridge.name, {"name": want.name}).commands()
    (away,) = DelLink(want.ns, bridge.name).commands()
    return Refused(
        "Bridge '%s' in %s is called '%s' by now, as its MAC address says. Take it back by '%s', or make room for a new one by '%s'."
        % (want.name, want.ns, bridge.name, back, away)
    )


RESOURCE = BridgeResource("bridge")
