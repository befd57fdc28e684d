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
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import high_mac, known_name
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Flooded, Link, NsRef, show
from ansible_collections.linuxnet.containers.plugins.module_utils._model.values import MTU_LOW
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import Have as LinkHave
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import (
    LinkResource,
    check_mtu,
    check_port_mtu,
    differing,
    ipv6_lost,
    is_own_link,
    own_mac,
    port_of,
    set_late,
    shown,
    split,
    with_mtu,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import Want as LinkWant
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

# Kinds that may be made anew in the place of each other. Others have a module of their own, or are hardware.
_REPLACED = ("dummy", "ipvlan", "macvlan", "vlan", "vrf", "vxlan")
_UNKNOWN = "unknown"  # a namespace without a name
Difference = Tuple[str, str, str]  # option, what it is, what it is to be
Way = Tuple[Optional[Link], int]  # by which interface packets leave, and of how many bytes at most


@dataclass(frozen=True)
class Want(LinkWant):
    """``parent``, ``master`` and ``peers`` are None where they are not managed, and empty for none. ``parent_ns`` is the namespace of the
    parent, None where nothing is said of it."""

    kind: str = ""
    parent: Optional[str] = None
    parent_ns: Optional[NsRef] = None
    master: Optional[str] = None
    peers: Optional[Tuple[str, ...]] = None
    recreate: bool = False
    only_ours: bool = False

    @property
    def origin(self) -> Optional[NsRef]:
        """Return the namespace of the parent, None where any will do."""
        return self.parent_ns if self.parent_ns is not None else HOST if self.parent else None


@dataclass(frozen=True)
class Have(LinkHave):
    """``master`` and ``parent`` are names, of what the link has now. ``origin`` is the namespace that it is made from, or would be, and
    ``parent_netns`` how that is called; ``elsewhere``: it was made from another one than is wanted. ``most``: the greatest MTU that it can have, 0
    for any. ``above`` is a MAC address that a new one's must be above, so that the bridge which it becomes a port of stays as it is.
    ``flooded``: see `State.flooded`. ``taken`` says who has its place already. ``by`` names the interfaces beside it by which its packets leave."""

    master: str = ""
    parent: str = ""
    origin: NsRef = HOST
    elsewhere: bool = False
    parent_netns: Optional[str] = None
    most: int = 0
    above: Optional[str] = None
    flooded: Tuple[Flooded, ...] = ()
    taken: str = ""
    by: Tuple[str, ...] = ()


class OfKind(LinkResource):
    """The links of one kind. What only some kinds have is in methods that do nothing here."""

    new: Mapping[str, Any] = {}  # what a new link gets where nothing is given, in place of the kernel's own
    needs: Tuple[str, ...] = ()  # what has to be given for a new one
    own: Mapping[str, Any] = {}  # options that are no rows

    @property
    def kind_options(self) -> Dict[str, Any]:
        """Return the options of the kind, those that others have as well among them."""
        return {**link_kinds.specs(self.rows), **self.own}

    def parse(self, params: Mapping[str, Any]) -> Want:
        given = {name: params.get(name) for name in ("parent", "parent_netns", "master")}
        if given["parent"] and (given["parent"], given["parent_netns"]) == (params["name"], params.get("netns")):
            raise Invalid("parent: '%s' cannot be made on itself." % given["parent"])
        return Want(
            **vars(super().parse(params)),
            kind=self.noun,
            parent=known_name(given["parent"], "parent") if given["parent"] else given["parent"],
            parent_ns=None if given["parent_netns"] is None else NsRef.parse(given["parent_netns"], "parent_netns"),
            master=known_name(given["master"], "master") if given["master"] else given["master"],
            recreate=params["recreate"],
            only_ours=params["only_ours"],
        )

    def resolved(self, want: LinkWant, state: State) -> LinkWant:
        if not isinstance(want, Want):
            return want
        origin = want.origin
        if origin is not None:
            state.find(origin)  # a link that is read before does not say that its parent is in there
        name, master = state.own_name(want.ns, want.name), want.master and state.own_name(want.ns, want.master)
        parent = state.own_name(origin, want.parent) if origin is not None and want.parent else want.parent
        same = (name, master, parent) == (want.name, want.master, want.parent)
        return want if same else replace(want, name=name, master=master, parent=parent)

    # --- looking ---

    def look(self, want: LinkWant, state: State) -> Have:
        if not isinstance(want, Want):
            raise TypeError("this is no want of a kind of link")
        if not want.present:
            ns = state.find(want.ns)
            link = state.link(ns, want.name) if ns is not None else None
            have = Have() if ns is None or link is None else self._as_it_is(want, ns, link, state)
            return replace(have, identity=state.identity()) if want.only_ours else have
        ns = state.need(want.ns)
        link = state.link(ns, want.name)
        have = Have() if link is None else self._as_it_is(want, ns, link, state)
        link = have.link
        if want.origin is not None or link is None:
            have = replace(have, origin=want.origin or HOST)
        origin = state.need(have.origin)
        elsewhere = link is not None and link.kind == self.noun and link.parent_ns != origin
        parent = None
        if want.parent:
            parent = state.need_link(origin, have.origin, want.parent, "parent", makers=("ns_link", "veth"))
        elif want.parent is None and have.parent and not elsewhere:
            parent = state.link(origin, have.parent)
        asked = self.made(want, link)
        anew = link is None or want.recreate
        if link is not None and not anew:
            asked = {**link.attributes, **asked}
        if parent is not None:
            ways: Sequence[Way] = [(parent, int(parent.get("mtu")))]
        elif want.attributes.get("mtu", "auto" if anew else "") == "auto":
            ways = self.ways(want, asked, origin, state)
        else:
            ways = ()
        wrapped = self.overhead(asked)
        auto = min((size for dummy, size in ways), default=0) - wrapped
        have = replace(
            have,
            mtu=auto,
            identity=state.identity(),
            elsewhere=elsewhere and want.origin is not None,
            most=max(int(parent.get("mtu")) - wrapped, 0) if parent is not None else 0,
            by=tuple(way.name for way, dummy in ways if way is not None) if origin == ns else (),
            ipv6=ipv6_lost(with_mtu(want.attributes, auto), ns, link, state),
            taken=self.taken(want, asked, origin, link, state) if anew else "",
        )
        return self._with_master(want, have, ns, state) if want.master else have

    def _as_it_is(self, want: Want, ns: int, link: Link, state: State) -> Have:
        """Return what there is of a link."""
        if link.kind == self.noun and link.parent_ns is None:
            state.open_all()  # it was made from a namespace that nobody asked for yet
            link = state.link(ns, link.name) or link
        known = link.parent_ns is not None and link.parent_index
        parent = state.link_at(link.parent_ns, link.parent_index) if known and link.parent_ns is not None else None
        name = parent.name if parent else "if%d" % link.parent_index if link.parent_index else ""
        ref = _ref(link.parent_ns, want, state)
        shown_as = ref.option if ref is not None else _UNKNOWN if link.kind == self.noun else None
        found = Have(link, master=state.master_name(ns, link), parent=name, origin=ref or HOST, parent_netns=shown_as)
        return replace(found, flooded=self.flooded(ns, link, state)) if link.kind == self.noun else found

    def _with_master(self, want: Want, have: Have, ns: int, state: State) -> Have:
        """Return what there is, with what the bridge asks of a port. Raises `Refused` where there is no such bridge."""
        bridge = state.need_link(ns, want.ns, want.master or "", "master", "bridge")
        size = with_mtu(want.attributes, have.mtu).get("mtu", have.link.get("mtu") if have.link else have.mtu)
        if have.link is None or (have.link.master, have.link.get("mtu")) != (bridge.index, size):
            check_port_mtu("mtu", want.name, size, ns, bridge, state)
        ours = is_own_link(bridge, "bridge", want.ns.path, bridge.name, have.identity)
        if have.link is not None or bridge.index < 0 or ours:
            return have
        # Here and not above: of use to few tasks.
        from ansible_collections.linuxnet.containers.plugins.module_utils._resources import foreign_bridge

        return replace(have, above=foreign_bridge.fit(ns, bridge, want.name, state).above)

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

    def taken(self, want: Want, asked: Mapping[str, Any], origin: int, link: Optional[Link], state: State) -> str:
        """Return the sentence that refuses a new link whose place another one has, empty where it is free; ``link`` would go."""
        return ""

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

    def made(self, want: Want, link: Optional[Link]) -> Dict[str, Any]:
        """Return the attributes of a new link, one that ``link`` makes place for: what is not asked for stays, but for the MTU."""
        kept: Dict[str, Any] = {}
        if link is not None and link.kind in _REPLACED:
            names = ["mac", "alias", *(self.rows if link.kind == self.noun else ())]
            kept = {name: link.get(name) for name in names if name != "mtu" and link.get(name) not in (None, "")}
        return {**self.new, **kept, **want.attributes}

    def plan(self, want: LinkWant, have: LinkHave) -> Plan:
        if not isinstance(want, Want) or not isinstance(have, Have):
            raise TypeError("what there is, is no answer for what is wanted")
        link = have.link
        if link is not None and link.kind != self.noun and not (want.recreate and want.present and _gives_way(link)):
            hint = "; recreate: true makes it anew" if want.present and _gives_way(link) else ""
            text = "Interface '%s' in %s is %s, not a %s; it is left alone%s."
            raise Refused(text % (want.name, want.ns, link.describe(), self.noun, hint))
        before = self._shown(want, have, link.attributes, have) if link else {}
        if (
            link is not None
            and want.only_ours
            and not is_own_link(link, self.noun, want.ns.path, want.name, have.identity)
        ):
            text = "Interface '%s' in %s was not made by this collection"
            if want.present:
                raise Refused((text + "; call it otherwise, or remove it.") % (want.name, want.ns))
            return Plan(before, before, warnings=((text + ": it is left alone.") % (want.name, want.ns),))
        if not want.present:
            return Plan(before, {}, (DelLink(want.ns, want.name),) if link else ())
        if link is None:
            return self._creation(want, have)
        fixed = self._fixed(want, have, link)
        if not fixed:
            return self._repair(want, have, link, before)
        if not want.recreate:
            is_so = " and ".join("%s %s, not %s" % one for one in fixed)
            raise Refused(
                "%s '%s' in %s has %s, which is not changed in place; recreate: true makes it anew, without its addresses and routes."
                % (self.noun, want.name, want.ns, is_so)
            )
        return self._anew(want, have, before, fixed)

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
        if have.taken:
            raise Refused(have.taken)
        if have.parent_netns == _UNKNOWN and want.origin is None:
            text = "parent_netns: '%s' in %s was made from a namespace without a name; say from which one it is to be made anew."
            raise Refused(text % (want.name, want.ns))
        wanted = {**self.made(want, have.link), "mtu": want.attributes.get("mtu", "auto")}
        wanted = self._bounded(want, have, with_mtu(wanted, have.mtu))
        for name in self.needs:
            if name not in wanted:
                raise Refused(
                    "%s: a %s that is made needs one; '%s' is not in %s yet." % (name, self.noun, want.name, want.ns)
                )
        parts = self.noun, want.ns.path, want.name
        if "mac" not in wanted and have.above is not None:
            wanted["mac"] = high_mac(have.identity, have.above, *parts)
        wanted.setdefault("mac", own_mac(have.identity, *parts))
        kept = have.link is not None and have.link.kind == self.noun
        parent = want.parent if want.parent is not None else have.parent if kept and not have.elsewhere else ""
        flooded = self.flooding(want, have, wanted, True)
        master = want.master if want.master is not None else have.master
        _check_way(want, have, master)
        there = replace(have, parent=parent, master=master, flooded=flooded, parent_netns=have.origin.option)
        after = self._shown(want, have, {**link_kinds.defaults(self.rows), **wanted}, there)
        early, late = split(wanted, link_kinds.late(self.rows))
        # In the order of iproute2's words, whatever the options' was.
        early = {name: early[name] for name in (*self.rows, *early) if name in early}
        if master:
            early["master"] = master
        made = AddLink(want.ns, want.name, self.noun, early, parent=parent, parent_ns=have.origin)
        steps = (made, *self._flood(want, flooded, ()), *set_late(want.ns, want.name, late))
        return Plan({}, after, steps)

    def _anew(self, want: Want, have: Have, before: Mapping[str, Any], fixed: Sequence[Difference]) -> Plan:
        plan = self._creation(want, have)
        names = [name for name, dummy, other in fixed]
        text = "%s '%s' in %s is made anew, without its addresses and routes, since what differs is not changed in place: %s."
        return replace(
            plan,
            before={**before, "made_anew_for": names},
            changes=(DelLink(want.ns, want.name), *plan.changes),
            warnings=(text % (self.noun, want.name, want.ns, ", ".join(names)),),
        )

    def _repair(self, want: Want, have: Have, link: Link, before: Mapping[str, Any]) -> Plan:
        wanted = self._bounded(want, have, with_mtu(want.attributes, have.mtu))
        flooded = self.flooding(want, have, {**link.attributes, **wanted}, False)
        new, old = differing(wanted, link.attributes)
        master = have.master if want.master is None else want.master
        if have.parent or want.attributes.get("mtu") == "auto":
            _check_way(want, have, master)
        after = self._shown(want, have, {**link.attributes, **new}, replace(have, master=master, flooded=flooded))
        if master != have.master:
            new["master"] = master
            old.update(port_of(link, have.master))
        steps = (*self.steps(want, new, old), *self._flood(want, flooded, have.flooded))
        return Plan(before, after, steps)

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

    def _bounded(self, want: Want, have: Have, wanted: Dict[str, Any]) -> Dict[str, Any]:
        """Return the wanted attributes. Raises `Refused` for an MTU that does not go through the parent, or takes IPv6 from the link."""
        size = want.attributes.get("mtu")
        if have.most and isinstance(size, int) and size > have.most:
            name = want.parent if want.parent is not None else have.parent
            raise Refused(
                "mtu: %d bytes do not go through '%s', at most %d do; 'auto' is that." % (size, name, have.most)
            )
        if "mtu" in wanted and wanted["mtu"] < MTU_LOW:
            raise Refused(
                "mtu: what is below '%s' in %s leaves %d bytes; that is too few." % (want.name, want.ns, wanted["mtu"])
            )
        check_mtu(wanted, have.ipv6)
        return wanted

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
        described: Dict[str, Any] = {"name": want.name, "kind": kind, "netns": want.ns.option, "parent": there.parent}
        described.update(parent_netns=there.parent_netns, master=there.master)
        rows = (
            self.rows
            if kind == self.noun
            else {name: row for name, row in self.rows.items() if name in link_kinds.LINK}
        )
        described.update(shown(rows, attributes))
        if kind == self.noun and "peers" in self.own:
            described["peers"] = sorted(map(str, self.peers(there, attributes)))
        return described


def _check_way(want: Want, have: Have, master: str) -> None:
    """Raise `Refused` where the packets of a link are to leave by what it is a port of: the kernel makes no port of its own parent, and without one
    each of the two would have to be smaller than the other."""
    if master and master in have.by:
        text = "master: the packets of '%s' in %s leave by '%s', so it cannot be a port of that as well."
        raise Refused(text % (want.name, want.ns, master))


def _gives_way(link: Link) -> bool:
    """Return whether a link may be made anew as one of another kind."""
    return link.kind in _REPLACED


def _ref(ns: Optional[int], want: Want, state: State) -> Optional[NsRef]:
    """Return a namespace as a task names it, None where it has no name."""
    if ns is None:
        return None
    for ref in (want.parent_ns, want.ns, HOST):
        if ref is not None and state.find(ref) == ns:
            return ref
    return next((NsRef.parse(entry.name) for entry in state.entries().of(ns)), None)
