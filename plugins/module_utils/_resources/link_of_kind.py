# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A link of one of the kinds of the noun ns_link, by its entry in `KINDS`: one that may be made on another link, maybe elsewhere. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import (
    AddLink,
    DelLink,
    SetFlooded,
    SetLink,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import PROTOCOL, high_mac, known_name
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Flooded, Link, NsRef, show
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import parents
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import Have as LinkHave
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import (
    LinkResource,
    check_port_mtu,
    differing,
    ipv6_kept,
    ipv6_lost,
    is_foreign_bridge,
    is_made,
    no_shape,
    own_links,
    own_mac,
    own_pairs,
    port_of,
    set_late,
    set_shape,
    shown,
    split,
    stays_on,
    with_mtu,
    without_shapes,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import Want as LinkWant
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_link_want import (
    MASTER,
    PARENT,
    UNKNOWN,
    Difference,
    Have,
    Want,
    Way,
    bounded,
    check_above,
    check_way,
    gives_way,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.parents import Place
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State


def _sysctls() -> Any:
    """Return what knows sysctls, which is of use to few tasks."""
    from ansible_collections.linuxnet.containers.plugins.module_utils._resources import link_sysctls

    return link_sysctls


class OfKind(LinkResource):
    """The links of one kind. What only some kinds have is in methods that do nothing here."""

    own: Mapping[str, Any] = {}  # options that are no rows
    shared: Tuple[str, ...] = ()  # rows that something beside the link may be in the way of

    @property
    def kind(self) -> link_kinds.Kind:
        """The entry of the kind."""
        return link_kinds.KINDS[self.noun]

    @property
    def kind_options(self) -> Dict[str, Any]:
        """Return the options of the kind, those that others have as well among them."""
        places = {**(PARENT if self.kind.parent else {}), **(MASTER if self.kind.masters else {})}
        return {**link_kinds.specs(self.rows), **places, **self.own}

    def parse(self, params: Mapping[str, Any]) -> Want:
        given = {name: params.get(name) for name in ("parent", "parent_netns", "master")}
        what = self.kind.described
        if given["parent"] and (given["parent"], given["parent_netns"]) == (params["name"], params.get("netns")):
            raise Invalid("parent: '%s' cannot be made on itself." % given["parent"])
        if self.kind.needs_parent and given["parent"] in ("", "lo"):
            raise Invalid("parent: %s is made on an interface that leads somewhere." % what)
        common = super().parse(params)
        size = common.attributes.get("mtu")
        if size == "auto" and not self.kind.parent:
            text = "mtu: 'auto' is that of the parent, which %s has not; write a number of bytes, or leave it out."
            raise Invalid(text % what)
        if isinstance(size, int) and size < self.kind.least_mtu:
            raise Invalid("mtu: %d is out of bounds; %s has at least %d." % (size, what, self.kind.least_mtu))
        return Want(
            **vars(common),
            kind=self.noun,
            parent=known_name(given["parent"], "parent") if given["parent"] else given["parent"],
            parent_ns=None if given["parent_netns"] is None else NsRef.parse(given["parent_netns"], "parent_netns"),
            master=known_name(given["master"], "master") if given["master"] else given["master"],
            recreate=params["recreate"],
            only_ours=params["only_ours"],
            as_is=params["as_is"],
            exclusive=params["exclusive"],
            keep=frozenset(known_name(name, "keep") for name in params.get("keep") or ()),
            sysctls=_sysctls().parse_sysctls(params["sysctls"], common.name, "it") if params.get("sysctls") else {},
        )

    def resolved(self, want: LinkWant, state: State) -> LinkWant:
        if not isinstance(want, Want):
            return want
        origin, parent, parent_ns = want.origin, want.parent, want.parent_ns
        if origin is not None:
            state.find(origin)  # a link that is read before does not say that its parent is in there
        name, master = state.own_name(want.ns, want.name), want.master and state.own_name(want.ns, want.master)
        if origin is not None and parent:
            parent, there = parents.taken_for(self.noun, parent, origin, (parent_ns, want.ns), state)
            parent_ns = parent_ns if there == origin else there
        same = (name, master, parent, parent_ns) == (want.name, want.master, want.parent, want.parent_ns)
        if same:
            return want
        settings = {_sysctls().of_interface(key, name): value for key, value in want.sysctls.items()}
        return replace(want, name=name, master=master, parent=parent, parent_ns=parent_ns, sysctls=settings)

    # --- looking ---

    def look(self, want: LinkWant, state: State) -> Have:
        if not isinstance(want, Want):
            raise TypeError("this is no want of a kind of link")
        ns = state.need(want.ns) if want.present else state.find(want.ns)
        link = state.link(ns, want.name) if ns is not None else None
        if ns is None or (link is None and not want.present and not want.exclusive):
            return Have()
        link = link and state.shaped(ns, link)
        have = Have() if link is None else self._as_it_is(want, ns, link, state)
        if want.present or want.only_ours or want.exclusive:
            have = replace(have, identity=state.identity())
        if want.present:
            if self.kind.parent:
                have = self._on_parent(want, have, ns, state)
            have = replace(
                have,
                ipv6=ipv6_lost(with_mtu(want.attributes, have.mtu), ns, have.link, state),
                kept=ipv6_kept(want.attributes, ns, have.link, state) if want.exclusive else "",
                sysctls=_sysctls().as_they_are(want.sysctls, want.name, ns, have.link, state) if want.sysctls else {},
            )
            have = self._with_master(want, have, ns, state)
        if want.exclusive:
            there = state.links(ns)
            links = {one.name for one in own_links(want.ns, there, state)} - want.keep - {want.name}
            pairs = ((near.name, far.name) for near, far in own_pairs(want.ns, there, state.need(HOST), state))
            have = replace(
                have,
                links=tuple(sorted(links)),
                pairs=tuple(sorted(pair for pair in pairs if pair[1] == want.name or pair[1] not in want.keep)),
            )
        link = have.link
        if link is not None and (not want.present or (want.recreate and self._fixed(want, have, link))):
            have = replace(have, above=parents.above(ns, link, state))
        if link is not None and link.kind == "vrf" and not want.present and want.only_ours:
            have = replace(have, port=next((one.name for one in state.links(ns) if one.master == link.index), ""))
        return have

    def _as_it_is(self, want: Want, ns: int, link: Link, state: State) -> Have:
        """Return what there is of a link."""
        same, kind = link.kind == self.noun, link_kinds.kind(link.kind)
        if same and kind.parent and link.parent_ns is None:
            state.open_all()  # it was made from a namespace that nobody asked for yet
            link = state.link(ns, link.name) or link
        known = link.parent_ns is not None and link.parent_index
        parent = state.link_at(link.parent_ns, link.parent_index) if known and link.parent_ns is not None else None
        name = parent.name if parent else "if%d" % link.parent_index if link.parent_index else ""
        ref = parents.named(link.parent_ns, (want.parent_ns, want.ns), state)
        shown_as = ref.option if ref is not None else UNKNOWN if same and kind.parent else None
        found = Have(link, master=state.master_name(ns, link), parent=name, origin=ref or HOST, parent_netns=shown_as)
        return replace(
            found,
            flooded=self.flooded(ns, link, state) if same else (),
            borrowed=kind.needs_parent and (parent is None or parent.get("mac") == link.get("mac")),
        )

    def described(self, ref: NsRef, ns: int, link: Link, parent_ns: Optional[NsRef], state: State) -> Dict[str, Any]:
        """Return a link of the namespace ``ns``, called ``ref``, as the module returns it. ``parent_ns`` is what the namespace of its parent is called,
        None where nobody knows."""
        want = Want(ref, link.name, kind=self.noun, parent_ns=parent_ns)
        have = self._as_it_is(want, ns, link, state)
        return self._shown(want, have, link.attributes, have)

    def _on_parent(self, want: Want, have: Have, ns: int, state: State) -> Have:
        """Return what there is of a link that may be made on another one, with what follows from where that is."""
        link, anew = have.link, have.link is None or want.recreate
        if want.origin is not None or link is None:
            have = replace(have, origin=want.origin or HOST)
        origin = state.need(have.origin)
        elsewhere = link is not None and link.kind == self.noun and link.parent_ns != origin
        parent = None
        if want.parent:
            parent = state.need_link(origin, have.origin, want.parent, "parent", makers=("ns_link", "veth"))
        elif want.parent is None and have.parent and not elsewhere:
            parent = state.link(origin, have.parent)
        if parent is not None and parent.kind == "vrf":
            raise Refused("parent: '%s' in %s is a vrf, on which no link is made." % (parent.name, have.origin))
        now = (ns, link.index) if link is not None else None
        place = Place(origin, have.origin, parent, now, anew, want.together)
        have = replace(have, joined=self.joined(place, state) if anew else {})
        asked = self.made(want, have)
        if link is not None and not anew:
            asked = {**link.attributes, **asked}
        if parent is not None:
            ways: Sequence[Way] = [(parent, int(parent.get("mtu")))]
        elif self.kind.needs_parent:  # in a namespace without a name
            ways = [(None, int(link.get("mtu")))] if link is not None else ()
        elif want.attributes.get("mtu", "auto" if anew else "") == "auto":
            ways = self.ways(want, asked, origin, state)
        else:
            ways = ()
        wrapped = self.overhead(asked)
        differ = differing(want.attributes, link.attributes if link is not None else {})[0]
        return replace(
            have,
            mtu=min((size for dummy, size in ways), default=0) - wrapped,
            elsewhere=elsewhere and want.origin is not None,
            most=max(int(parent.get("mtu")) - wrapped, 0) if parent is not None else 0,
            by=tuple(way.name for way, dummy in ways if way is not None) if origin == ns else (),
            parent_mac=parent.get("mac") if parent is not None else "",
            yielding=tuple((state.ref_of(ns), one.name) for ns, one in self.yielding(place, state)) if anew else (),
            obstacle=self.obstacle(asked, place, state) if anew or not set(self.shared).isdisjoint(differ) else "",
        )

    def _master(self, want: Want, have: Have) -> str:
        """Return the name of the master that a link is to have."""
        return want.master if want.master is not None else have.master if self.kind.masters else ""

    def _with_master(self, want: Want, have: Have, ns: int, state: State) -> Have:
        """Return what there is, with what a bridge asks of a port. Raises `Refused` where there is no such bridge or vrf."""
        name = self._master(want, have)
        if not name or (want.master is None and not want.recreate):
            return have
        master = state.link(ns, name)
        if master is not None and (master.kind == "vrf" or (want.master is None and master.kind != "bridge")):
            return have
        bridge = state.need_link(ns, want.ns, name, "master", "bridge")
        if "bridge" not in self.kind.masters:
            text = "master: %s cannot be a port of a bridge, as '%s' in %s is one."
            raise Refused(text % (self.kind.described, bridge.name, want.ns))
        size = with_mtu(want.attributes, have.mtu).get(
            "mtu", have.link.get("mtu") if have.link else have.mtu or self.kind.mtu
        )
        if have.link is None or (have.link.master, have.link.get("mtu")) != (bridge.index, size):
            check_port_mtu("mtu", want.name, size, ns, bridge, state)
        if have.link is not None or not is_foreign_bridge(want.ns, bridge, state):
            return have
        # Here and not above: of use to few tasks.
        from ansible_collections.linuxnet.containers.plugins.module_utils._resources import foreign_bridge

        return replace(have, higher=foreign_bridge.fit(ns, bridge, want.name, state).above)

    # --- what a kind may do in its own way ---

    def flooded(self, ns: int, link: Link, state: State) -> Tuple[Flooded, ...]:
        """Return where the link floods to."""
        return ()

    def ways(self, want: Want, asked: Mapping[str, Any], origin: int, state: State) -> Sequence[Way]:
        """Return by what the packets of a link without a parent leave, with the attributes ``asked``."""
        return [(state.uplink(origin), state.uplink_mtu(origin))]

    def overhead(self, asked: Mapping[str, Any]) -> int:
        """Return how many bytes of a packet are not for what is in it."""
        return 0

    def joined(self, place: Place, state: State) -> Mapping[str, Any]:
        """Return the attributes that a new link has in common with others that are there."""
        return {}

    def yielding(self, place: Place, state: State) -> Sequence[Tuple[int, Link]]:
        """Return (namespace, link) of those on the parent that are in the way, and that the task makes anew as well, where there is no other obstacle."""
        return ()

    def obstacle(self, asked: Mapping[str, Any], place: Place, state: State) -> str:
        """Return the sentence that says what is in the way of a link with the attributes ``asked``, empty for nothing."""
        return ""

    def borrows(self, attributes: Mapping[str, Any]) -> bool:
        """Return whether the MAC address of a link with these attributes is its parent's, for good."""
        return "mac" not in self.rows

    def differences(self, want: Want, have: Have, link: Link) -> List[Difference]:
        """Return in what a link of the kind differs that is not changed in place, beside its rows and its parent."""
        return []

    def peers(self, have: Have, attributes: Mapping[str, Any]) -> Sequence[Flooded]:
        """Return where the link floods to, in the shortest words."""
        return have.flooded

    def flooding(self, want: Want, have: Have, asked: Mapping[str, Any], anew: bool) -> Tuple[Flooded, ...]:
        """Return where the link is to flood to. Raises `Refused`."""
        return ()

    # --- planning ---

    def made(self, want: Want, have: Have) -> Dict[str, Any]:
        """Return the attributes of a new link, one that the link there is makes place for: what is not asked for stays, but for the MTU, and for a
        MAC address that was the parent's."""
        kept: Dict[str, Any] = {}
        link = have.link
        if link is not None and gives_way(link):
            names = [
                "alias",
                *link_kinds.SHAPES,
                *([] if have.borrowed else ["mac"]),
                *(self.kind.fields if link.kind == self.noun else ()),
            ]
            kept = {name: link.get(name) for name in names if name in self.rows and link.get(name) not in (None, "")}
        if "rate" in kept:
            kept["rate"] = kept["rate"].split()[0]  # whatever its bucket was
        new = {name: row.new for name, row in self.rows.items() if row.new is not None}
        return {**new, **have.joined, **kept, **want.attributes}

    def plan(self, want: LinkWant, have: LinkHave) -> Plan:
        if not isinstance(want, Want) or not isinstance(have, Have):
            raise TypeError("what there is, is no answer for what is wanted")
        plan = self._link(want, have)
        pairs = [near for near, far in have.pairs if far != want.name]  # that one is in the way, and gone by then
        if not have.links and not pairs:
            return plan
        others = {"other_pairs": pairs, "other_links": list(have.links)}
        before = {**plan.before, **{name: listed for name, listed in others.items() if listed}}
        surplus = (*(DelLink(want.ns, name) for name in have.links), *(DelLink(HOST, name) for name in pairs))
        return replace(plan, before=before, changes=(*plan.changes, *surplus))  # last: a deletion cannot be undone

    def _link(self, want: Want, have: Have) -> Plan:
        """Return the plan for the link itself."""
        link = have.link
        ours = link is not None and (
            is_made(link, want.ns.path, want.name, have.identity) or want.name in [far for dummy, far in have.pairs]
        )
        yields = link is not None and want.recreate and want.present and (gives_way(link) or (ours and want.exclusive))
        if link is not None and link.kind != self.noun and not yields:
            hint = "; recreate: true makes it anew" if want.present and gives_way(link) else ""
            text = "Interface '%s' in %s is %s, not %s; it is left alone%s."
            raise Refused(text % (want.name, want.ns, link.describe(), self.kind.described, hint))
        before = self._shown(want, have, link.attributes, have) if link else {}
        if link is not None and want.only_ours and not ours:
            text = "Interface '%s' in %s was not made by this collection"
            if want.present:
                raise Refused((text + "; call it otherwise, or remove it.") % (want.name, want.ns))
            return Plan(before, before, warnings=((text + ": it is left alone.") % (want.name, want.ns),))
        if not want.present:
            if have.above and want.only_ours:
                text = "'%s' in %s stays, for it is the parent of %s, which nothing here removes."
                return Plan(before, before, warnings=(text % (want.name, want.ns, have.above),))
            if have.port:
                text = "'%s' in %s stays, for %s is in it."
                return Plan(before, before, warnings=(text % (want.name, want.ns, have.port),))
            check_above(want, have)
            return Plan(before, {}, (DelLink(want.ns, want.name),) if link else ())
        if link is None:
            return self._creation(want, have)
        fixed = self._fixed(want, have, link)
        if want.as_is and not ours and not fixed:
            return Plan(before, before)
        if not fixed:
            return self._repair(want, have, link, before)
        if not want.recreate:
            is_so = " and ".join("%s %s, not %s" % one for one in fixed)
            raise Refused(
                "%s '%s' in %s has %s, which is not changed in place; recreate: true makes it anew, without its addresses and routes."
                % (self.noun, want.name, want.ns, is_so)
            )
        check_above(want, have)
        return self._anew(want, have, link, before, fixed)

    def _fixed(self, want: Want, have: Have, link: Link) -> List[Difference]:
        """Return in what a link differs from what is wanted that is not changed in place."""
        if link.kind != self.noun:
            return [("kind", link.kind, self.noun)]
        new, old = differing(
            {name: value for name, value in want.attributes.items() if self.rows[name].fixed}, link.attributes
        )
        found = [(self.rows[name].shown, show(old[name]), show(new[name])) for name in new]
        if have.elsewhere:
            found.append(("parent_netns", have.parent_netns or "none", have.origin.option or "none"))
        elif want.parent is not None and want.parent != have.parent:
            found.append(("parent", show(have.parent), show(want.parent)))
        return found + self.differences(want, have, link)

    def _creation(self, want: Want, have: Have) -> Plan:
        if have.obstacle:
            raise Refused(have.obstacle)
        if have.parent_netns == UNKNOWN and want.origin is None:
            text = "parent_netns: '%s' in %s was made from a namespace without a name; say from which one it is to be made anew."
            raise Refused(text % (want.name, want.ns))
        wanted = self.made(want, have)
        if self.kind.parent:
            wanted["mtu"] = want.attributes.get("mtu", "auto")
        kept = have.link is not None and have.link.kind == self.noun
        parent = want.parent if want.parent is not None else have.parent if kept and not have.elsewhere else ""
        lacking = [row.shown for name, row in self.rows.items() if row.needed and name not in wanted]
        for name in [*(["parent"] if self.kind.needs_parent and not parent else []), *lacking]:
            text = "%s: %s that is made needs one; '%s' is not in %s yet."
            raise Refused(text % (name, self.kind.described, want.name, want.ns))
        wanted = bounded(want, have, with_mtu(wanted, have.mtu))
        self._check_mac(want, wanted)
        if self.borrows(wanted):
            wanted.pop("mac", None)
        elif "mac" not in wanted and (have.higher is not None or not self.kind.inherits):
            parts = self.noun, want.ns.path, want.name
            high = high_mac(have.identity, have.higher, *parts) if have.higher is not None else None
            wanted["mac"] = high or own_mac(have.identity, *parts)
        flooded = self.flooding(want, have, wanted, True)
        master = self._master(want, have)
        check_way(want, have, master)
        there = replace(have, parent=parent, master=master, flooded=flooded, parent_netns=have.origin.option)
        after = self._shown(want, have, {**link_kinds.born(self.noun), "mac": have.parent_mac, **wanted}, there)
        settings = self._settings(want, have, after)
        # What is set before it is up holds for the first packet.
        quiet = [name for name in wanted if self.rows[name].sysctl] or settings
        early, late = split(wanted, [*(["enabled"] if quiet else []), *link_kinds.late(self.rows)])
        # In the order of iproute2's words, whatever the options' was.
        early = {name: early[name] for name in (*self.rows, *early) if name in early}
        early["link_group"] = PROTOCOL
        if master:
            early["master"] = master
        origin = have.origin if self.kind.parent else None
        made = AddLink(want.ns, want.name, self.noun, early, parent=parent, parent_ns=origin)
        first = [DelLink(ref, name, self.noun) for ref, name in have.yielding]
        steps = (
            *first,
            made,
            *self._flood(want, flooded, ()),
            *settings,
            *set_late(want.ns, want.name, late, after["mtu"], self.noun),
        )
        return Plan({}, after, steps)

    def _check_mac(self, want: Want, attributes: Mapping[str, Any]) -> None:
        """Raise `Refused` for a MAC address of one that has its parent's."""
        if "mac" in want.attributes and self.borrows(attributes):
            text = "mac: '%s' in %s has that of its parent, as each %s of its mode; it is changed there."
            raise Refused(text % (want.name, want.ns, self.noun))

    def _anew(self, want: Want, have: Have, link: Link, before: Mapping[str, Any], fixed: Sequence[Difference]) -> Plan:
        plan = self._creation(want, have)
        names = [name for name, dummy, other in fixed]
        text = "%s '%s' in %s is made anew, without its addresses and routes, since what differs is not changed in place: %s."
        return replace(
            plan,
            before={**before, "made_anew_for": names},
            changes=(DelLink(want.ns, want.name, "" if link.kind == self.noun else self.noun), *plan.changes),
            warnings=(text % (self.noun, want.name, want.ns, ", ".join(names)),),
        )

    def _repair(self, want: Want, have: Have, link: Link, before: Mapping[str, Any]) -> Plan:
        if have.obstacle:
            raise Refused(have.obstacle)
        wanted = bounded(want, have, with_mtu(want.attributes, have.mtu))
        if want.exclusive:
            wanted = {**no_shape(link), **wanted}
        warnings = stays_on(wanted, want.name, want.ns, have.kept)
        self._check_mac(want, link.attributes)
        flooded = self.flooding(want, have, {**link.attributes, **wanted}, False)
        new, old = differing(wanted, link.attributes)
        master = self._master(want, have)
        if have.parent or want.attributes.get("mtu") == "auto":
            check_way(want, have, master)
        after = self._shown(want, have, {**link.attributes, **new}, replace(have, master=master, flooded=flooded))
        if master != have.master:
            new["master"] = master
            old.update(port_of(link, have.master))
        settings = self._settings(want, have, after)
        steps = (
            *set_shape(want.ns, want.name, new, link.attributes),
            *self.steps(want, without_shapes(new), without_shapes(old)),
            *self._flood(want, flooded, have.flooded),
            *settings,
        )
        return Plan(before, after, steps, warnings)

    @staticmethod
    def _settings(want: Want, have: Have, after: Dict[str, Any]) -> List[Change]:
        """Return the steps that set the link's sysctls, which ``after`` is to show then. Raises `Refused`."""
        if not want.sysctls:
            return []
        settings: List[Change]
        settings, after["sysctls"] = _sysctls().settled(want.ns, want.sysctls, have.sysctls)
        return settings

    def steps(self, want: LinkWant, new: Dict[str, Any], old: Dict[str, Any]) -> Tuple[Change, ...]:
        """What is of the kind alone goes by itself: some refuse a message that has an MTU as well."""
        own = link_kinds.kind(self.noun).fields
        kind = {name: new[name] for name in new if name in own}
        rest = {name: new[name] for name in new if name not in own}
        steps = (
            SetLink(want.ns, want.name, kind, {name: old[name] for name in kind}, self.noun),
            SetLink(want.ns, want.name, rest, {name: old[name] for name in old if name not in own}, self.noun),
        )
        return tuple(step for step in steps if step.new)

    def _flood(self, want: Want, flooded: Tuple[Flooded, ...], now: Tuple[Flooded, ...]) -> Tuple[Change, ...]:
        """Return the step by which a link floods there, and nowhere else."""
        add, remove = (tuple(sorted(set(one) - set(other))) for one, other in ((flooded, now), (now, flooded)))
        if not add and not remove:
            return ()
        return (SetFlooded(want.ns, want.name, add, remove),)

    def _shown(self, want: Want, have: Have, attributes: Mapping[str, Any], there: Have) -> Dict[str, Any]:
        """Return a link with these attributes as the module returns it; ``there`` has what is around it."""
        link = have.link if there is have else None
        kind = link.kind if link is not None else self.noun
        described: Dict[str, Any] = {"name": want.name, "kind": kind, "netns": want.ns.option}
        if link_kinds.kind(kind).parent:
            described.update(parent=there.parent, parent_netns=there.parent_netns)
        if link_kinds.kind(kind).masters:
            described["master"] = there.master
        rows = (
            self.rows
            if kind == self.noun
            else {name: row for name, row in self.rows.items() if name in link_kinds.LINK}
        )
        described.update(shown(rows, attributes, want.attributes))
        if link is not None and want.present and want.sysctls:
            described["sysctls"] = {key: value for key, value in have.sysctls.items() if value}
        if kind == self.noun and "peers" in self.own:
            described["peers"] = sorted(map(str, self.peers(there, attributes)))
        return described
