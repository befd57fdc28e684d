# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A link of any kind that has one end, by its entry in `KINDS`; and what the nouns of links have in common. Pure."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Any, Container, Dict, Hashable, Iterator, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds, values
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import ip
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import (
    AddLink,
    DelLink,
    SetLink,
    SetShape,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import (
    PROTOCOL,
    host_interface,
    is_own,
    mac,
    new_name,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import FOREVER, Link, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._model.values import IPV6_MTU
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import (
    NETNS,
    STATE,
    Plan,
    Resource,
    Sides,
    brief,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

_MARK = {"mac": "name"}  # the MAC address of a link of ours follows from its name
_MOST_LESS = 200  # bytes: what is wrapped around a packet is less

# Of what interface an MTU of `auto` is: of that with an address of the host's (``""``: with the default route), less so many bytes.
Auto = Tuple[str, int]
AUTO_MTU: Dict[str, Any] = {"mtu_of": {"type": "str"}, "mtu_less": {"type": "int", "default": 0}}


@dataclass(frozen=True)
class Want:
    """``attributes`` are those that are asked for, by row. ``auto`` says of what interface an MTU of ``auto`` is."""

    ns: NsRef
    name: str
    present: bool = True
    attributes: Mapping[str, Any] = field(default_factory=dict, hash=False)
    auto: Auto = ("", 0)


@dataclass(frozen=True)
class Have:
    """``mtu`` is what ``auto`` means now, ``identity`` the host's; ``ipv6`` an address that a small MTU would take from the link, ``kept`` one of
    somebody else's for which IPv6 stays on."""

    link: Optional[Link] = None
    mtu: int = 0
    identity: str = ""
    ipv6: str = ""
    kept: str = ""


class LinkResource(Resource[Want, Have]):
    """Links of one kind. ``noun`` is the kind's name; its entry in `KINDS` says the rest."""

    def __init__(self, kind: str) -> None:
        self.noun = kind
        self.rows = link_kinds.rows(kind)
        self.options = {"name": {"type": "str", "required": True}, **STATE, **NETNS, **link_kinds.specs(self.rows)}

    def parse(self, params: Mapping[str, Any]) -> Want:
        return Want(
            NsRef.parse(params.get("netns")),
            new_name(params["name"], "name"),
            params["state"] == "present",
            with_jitter(link_kinds.given(params, self.rows)),
            auto_of(params),
        )

    def identities(self, want: Want) -> Sequence[Hashable]:
        return ((want.ns, want.name),)

    def resolved(self, want: Want, state: State) -> Want:
        name = state.own_name(want.ns, want.name)
        return want if name == want.name else replace(want, name=name)

    def subject(self, want: Want) -> str:
        return "%s %s" % (self.noun, want.name)

    def title(self, want: Want) -> str:
        return whose(self.subject(want), want.ns)

    def effect(self, want: Want, plan: Plan) -> Sides:
        return brief((plan.before, plan.after), usual(self.rows), {} if "mac" in want.attributes else _MARK)

    def look(self, want: Want, state: State) -> Have:
        ns = state.need(want.ns) if want.present else state.find(want.ns)
        if ns is None:
            return Have()
        link, auto = (
            state.link(ns, want.name),
            auto_mtu(want.auto, ns, state) if want.attributes.get("mtu") == "auto" else 0,
        )
        return Have(
            link,
            auto,
            state.identity() if want.present else "",
            ipv6_lost(with_mtu(want.attributes, auto), ns, link, state) if want.present else "",
        )

    def plan(self, want: Want, have: Have) -> Plan:
        if have.link is not None and have.link.kind != self.noun:
            raise Refused(
                "Interface '%s' in %s is %s, not a %s; it is left alone."
                % (want.name, want.ns, have.link.describe(), self.noun)
            )
        now = have.link.attributes if have.link else {}
        before = self._describe(want, now) if have.link else {}
        if not want.present:
            return Plan(before, {}, (DelLink(want.ns, want.name),) if have.link else ())
        wanted = self.fitting(with_mtu(want.attributes, have.mtu), now)
        check_mtu(wanted, have.ipv6)
        warnings = stays_on(wanted, want.name, want.ns, have.kept)
        if have.link is None:
            wanted.setdefault("mac", own_mac(have.identity, self.noun, want.ns.path, want.name))
            after = dict(link_kinds.defaults(self.rows), **wanted)
            return Plan(before, self._describe(want, after), self.creation(want, wanted))
        new, old = differing(wanted, now)
        after = self._describe(want, dict(now, **new))
        return Plan(before, after, self.steps(want, new, old) if new else (), warnings)

    def fitting(self, wanted: Dict[str, Any], now: Mapping[str, Any]) -> Dict[str, Any]:
        """Return the wanted attributes as the kernel takes them, given those that the link has ``now``. Raises `Refused`."""
        return wanted

    def steps(self, want: Want, new: Dict[str, Any], old: Dict[str, Any]) -> Tuple[Change, ...]:
        """Return the steps that give a link ``new`` attributes in place of ``old`` ones."""
        return (SetLink(want.ns, want.name, new, old, self.noun),)

    def creation(self, want: Want, wanted: Mapping[str, Any]) -> Tuple[Change, ...]:
        """Return the steps that make a link with the ``wanted`` attributes."""
        early, late = split(wanted, link_kinds.late(self.rows))
        return (AddLink(want.ns, want.name, self.noun, early), *set_late(want.ns, want.name, late))

    def _describe(self, want: Want, attributes: Mapping[str, Any]) -> Dict[str, Any]:
        return {"name": want.name, "netns": want.ns.option, **shown(self.rows, attributes, want.attributes)}


# --- what the nouns of links have in common ---


def auto_of(params: Mapping[str, Any]) -> Auto:
    """Return of what interface an MTU of ``auto`` is, as the options ``mtu_of`` and ``mtu_less`` say. Raises `Invalid`."""
    holder, less = params.get("mtu_of") or "", params.get("mtu_less") or 0
    if (holder or less) and params.get("mtu") != "auto":
        raise Invalid("%s: it says what mtu: auto is, and that is not given." % ("mtu_of" if holder else "mtu_less"))
    if not 0 <= less <= _MOST_LESS:
        raise Invalid("mtu_less: %d is out of bounds; it must be from 0 to %d." % (less, _MOST_LESS))
    return ip(holder, "mtu_of") if holder else "", less


def auto_mtu(auto: Auto, ns: int, state: State) -> int:
    """Return the number of bytes that an MTU of ``auto`` is."""
    holder, less = auto
    if not holder:
        return state.uplink_mtu(ns) - less
    # Here and not above: of use to few tasks.
    from ansible_collections.linuxnet.containers.plugins.module_utils._resources import way

    return way.of(ns, holder, state)[1] - less


def with_mtu(attributes: Mapping[str, Any], auto: int) -> Dict[str, Any]:
    """Return attributes with the number of bytes that an MTU of ``auto`` means."""
    return {name: auto if (name, value) == ("mtu", "auto") else value for name, value in attributes.items()}


def ipv6_lost(wanted: Mapping[str, Any], ns: int, link: Optional[Link], state: State) -> str:
    """Return an address of a link that it would lose by the wanted MTU, ``""`` for none."""
    if link is None or not wanted.get("mtu", IPV6_MTU) < IPV6_MTU or link.get("mtu") == wanted["mtu"]:
        return ""
    found = [one.ip for one in state.addresses_of(ns, link) if one.family == 6 and not one.parsed.is_link_local]
    return next(iter(found), "")


def ipv6_kept(wanted: Mapping[str, Any], ns: int, link: Optional[Link], state: State) -> str:
    """Return an IPv6 address that somebody else gave a link for good, ``""`` for none, where IPv6 is to be switched off on it and is on."""
    if link is None or wanted.get("ipv6") is not False or not link.get("ipv6"):
        return ""
    theirs = (
        one.ip
        for one in state.addresses_of(ns, link)
        if one.family == 6 and one.valid_lft == FOREVER and one.protocol != PROTOCOL and not one.parsed.is_link_local
    )
    return next(theirs, "")


def stays_on(wanted: Dict[str, Any], name: str, ref: NsRef, kept: str) -> Tuple[str, ...]:
    """Leave IPv6 as it is where an address is to be ``kept``. Return the warning that says so."""
    if not kept:
        return ()
    del wanted["ipv6"]
    text = "IPv6 stays on on '%s' in %s, where no network of it is asked for: somebody else gave it the address %s."
    return (text % (name, ref, kept),)


def check_mtu(wanted: Mapping[str, Any], ipv6: str) -> None:
    """Raise `Refused` for an MTU by which a link would lose the address ``ipv6``."""
    if ipv6:
        raise Refused(
            "mtu: with %d bytes the kernel takes away %s, since IPv6 needs %d; remove that address first."
            % (wanted["mtu"], ipv6, IPV6_MTU)
        )


def check_port_mtu(option: str, name: str, mtu: int, ns: int, bridge: Link, state: State) -> None:
    """Raise `Refused` where a port called ``name`` would lower the MTU of its bridge so that that loses an IPv6 address: a bridge of which nobody
    set it has the smallest of its ports."""
    lost = ipv6_lost({"mtu": mtu}, ns, bridge, state) if 0 < mtu < min(IPV6_MTU, bridge.get("mtu") or 0) else ""
    if lost:
        raise Refused(
            "%s: with a port of %d bytes, as '%s' would be, the MTU of bridge '%s' may fall as low, and the kernel takes away %s, since IPv6 needs "
            "%d; give the port that." % (option, mtu, name, bridge.name, lost, IPV6_MTU)
        )


def differing(wanted: Mapping[str, Any], now: Mapping[str, Any]) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Return (new, old): of the wanted attributes those that differ, and what they are now."""
    new = {name: value for name, value in wanted.items() if now.get(name) != value}
    return new, {name: now.get(name) for name in new}


def is_shown(row: link_kinds.Field, asked: Container[str], attributes: Mapping[str, Any]) -> bool:
    """Return whether a row is of the result of a link with these attributes. Some are only where they are ``asked`` for, or what leaves by it is held up."""
    return row.name in asked or not (row.asked or row.shapes) or (row.shapes and bool(attributes.get(row.name)))


def shown(rows: link_kinds.Rows, attributes: Mapping[str, Any], asked: Container[str] = ()) -> Dict[str, Any]:
    """Return attributes as a module returns them: each of its rows that `is_shown`, None for what the kernel does not give."""
    return {row.shown: attributes.get(name) for name, row in rows.items() if is_shown(row, asked, attributes)}


def whose(subject: str, ns: NsRef, name: str = "") -> str:
    """Return what a link is called in a diff: with the container that has it, or the end of it called ``name``."""
    return "%s (%sof %s)" % (subject, name + " " if name else "", ns.option) if ns.path else subject


def usual(rows: link_kinds.Rows) -> Dict[str, Any]:
    """Return what links have where nobody asks for anything else: what the kernel gives them, that they are up, and take up nothing from
    advertisements."""
    known = {row.shown: row.default for row in rows.values() if not row.asked}
    return {**known, "mtu": link_kinds.ETHERNET_MTU, "enabled": True, "accept_ra": False, "ipv6": False}


def split(wanted: Mapping[str, Any], names: Sequence[str]) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Return (early, late): the attributes that the creating message carries, and of those called ``names``, which it does not, the
    ones that a new link has not by itself, as far as that can be told."""
    early = {name: value for name, value in wanted.items() if name not in names}
    late = {name: wanted[name] for name in names if name in wanted}
    rows = link_kinds.LINK
    return early, {name: value for name, value in late.items() if value != rows[name].default or rows[name].sysctl}


def set_late(ns: NsRef, name: str, late: Mapping[str, Any], mtu: int = 0, kind: str = "") -> Tuple[Change, ...]:
    """Return the steps that give a link which was just made, with that MTU, its ``late`` attributes."""
    rest = without_shapes(late)
    shape = set_shape(ns, name, late, {"mtu": mtu})
    if not rest:
        return shape
    return (*shape, SetLink(ns, name, rest, {key: link_kinds.LINK[key].default for key in rest}, kind))


# --- what holds up what leaves by a link ---


def with_jitter(wanted: Dict[str, Any], prefix: str = "") -> Dict[str, Any]:
    """Return attributes that are asked for: without a delay there is nothing that varies. Raises `Invalid`; ``prefix`` begins the names of the options."""
    delay, jitter = wanted.get("delay"), wanted.get("jitter")
    if jitter and values.microseconds(jitter) > values.microseconds(delay or ""):
        text = "%sjitter: it is by how much the delay varies, so it is at most that; give the delay as well, of at least %s."
        raise Invalid(text % (prefix, jitter))
    return {**wanted, "jitter": ""} if delay == "" else wanted


def without_shapes(attributes: Mapping[str, Any]) -> Dict[str, Any]:
    """Return attributes without those that are of the queueing discipline."""
    return {name: value for name, value in attributes.items() if name not in link_kinds.SHAPES}


def no_shape(link: Link) -> Dict[str, Any]:
    """Return the attributes by which a link loses the queueing discipline that this collection gave it, none where it has no such."""
    shape = link.get("shape")
    return dict.fromkeys(link_kinds.SHAPES, "") if shape is not None and shape.ours else {}


def set_shape(ns: NsRef, name: str, new: Mapping[str, Any], now: Mapping[str, Any]) -> Tuple[Change, ...]:
    """Return the step by which what leaves by a link, which has the attributes ``now``, is held up as the ``new`` ones say. A bucket has to hold packets of
    a new MTU as well. Raises `Refused` where somebody else's queueing discipline is there."""
    asked = {key: new[key] for key in link_kinds.SHAPES if key in new}
    if not asked and not ("mtu" in new and now.get("rate")):
        return ()
    # Here and not above: of use to few tasks.
    from ansible_collections.linuxnet.containers.plugins.module_utils._model import shaping

    there, mtu = now.get("shape") or shaping.NONE, new.get("mtu", now.get("mtu"))
    if there.handle and not there.ours:
        if not asked:
            return ()
        text = "Interface '%s' in %s has a queueing discipline of somebody else's, %s; it is left alone. Remove it (tc qdisc del dev %s root), or leave %s out."
        raise Refused(text % (name, ns, there.name, name, " and ".join(asked)))
    if not asked and there.fits(mtu):
        return ()
    old = there if there.ours else shaping.NONE
    then = shaping.wanted(asked, old, mtu)
    return (SetShape(ns, name, then, old),) if then != old else ()


def port_of(link: Link, master: str) -> Dict[str, Any]:
    """Return a link as a port: the name of its master and, where it has one, the attributes it would lose with it."""
    kept = {name: link.attributes[name] for name in link_kinds.PORT if name in link.attributes} if master else {}
    return dict(kept, master=master)


# --- the marks: MAC addresses that are derived of what a link was made for ---


def own_mac(identity: str, kind: str, path: str, name: str) -> str:
    """Return the MAC address that a new link of the namespace at ``path`` gets where none is given: the mark by which a link of ours
    is known, whatever its name is by then."""
    return mac(identity, kind, path, name)


def is_own_link(link: Link, kind: str, path: str, name: str, identity: str) -> bool:
    """Return whether this collection made a link of that kind as ``name`` in the namespace at ``path``."""
    return link.kind == kind and is_own(link.get("mac"), identity, kind, path, name)


def is_foreign_bridge(ref: NsRef, bridge: Link, state: State) -> bool:
    """Return whether a bridge of the namespace ``ref`` is there, and somebody else's."""
    return bridge.index > 0 and not is_own_link(bridge, "bridge", ref.path, bridge.name, state.identity())


def is_made(link: Link, path: str, name: str, identity: str) -> bool:
    """Return whether the noun ns_link made a link as ``name`` in the namespace at ``path``: it was born with the mark, or has the MAC
    address that is derived for it. That alone would not do: some have their parent's."""
    if link.kind not in link_kinds.made_by("ns_link"):
        return False
    return link.get("link_group") == PROTOCOL or is_own_link(link, link.kind, path, name, identity)


def pair_mac(identity: str, path: str, peer_name: str) -> str:
    """Return the MAC address of the host end of a new pair for ``peer_name`` in the namespace at ``path``."""
    return mac(identity, "veth", path, peer_name, "own")


def peer_mac(identity: str, path: str, peer_name: str) -> str:
    """Return the MAC address of the container's end of a new pair for ``peer_name`` in the namespace at ``path``."""
    return mac(identity, "veth", path, peer_name, "peer")


def derived_again(path: str, peer_name: str, near: Link, far: Link, identity: str) -> Dict[str, Any]:
    """Return the address that the container's end of a pair is to have again where none is asked for: nothing where it was derived for
    it, by this host or any other, or where the host end bears no mark of ours."""
    ours = is_own(near.get("mac"), identity, "veth", path, peer_name, "own")
    if not ours or is_own(far.get("mac"), identity, "veth", path, peer_name, "peer"):
        return {}
    return {"mac": peer_mac(identity, path, peer_name)}


def is_own_peer(path: str, far: Link, identity: str) -> bool:
    """Return whether the container's end of a pair has the address that is derived for it in the namespace at ``path``."""
    return far.kind == "veth" and is_own(far.get("mac"), identity, "veth", path, far.name, "peer")


def made_for(path: str, near: Link, far: Link, identity: str) -> bool:
    """Return whether this collection made a pair for the namespace at ``path``, where ``far`` is: its host end ``near`` has the
    name, or the address, that is derived for it."""
    return is_own_near(path, far.name, near, identity)


def own_pairs(
    ref: NsRef, there: Sequence[Link], where: int, state: State, but: Container[str] = ()
) -> Iterator[Tuple[Link, Link]]:
    """Yield (host end, other end) of the pairs that this collection made for the namespace called ``ref``, whose links are ``there``, and whose host
    ends are in the namespace ``where``, ``but`` for those host ends."""
    for far in there:
        near = state.link_at(where, far.peer_index) if far.kind == "veth" and far.peer_ns == where else None
        if near is not None and near.name not in but and made_for(ref.path, near, far, state.identity()):
            yield near, far


def own_links(ref: NsRef, there: Sequence[Link], state: State) -> Iterator[Link]:
    """Yield the links that this collection made in the namespace called ``ref``, where they are ``there``, and that a container can have instead of a
    pair."""
    for link in there:
        if link.kind in link_kinds.SHARING and is_made(link, ref.path, link.name, state.identity()):
            yield link


def is_cable(link: Optional[Link]) -> bool:
    """Return whether a link is an end of a cable: a pair between two containers that was born with the mark at both ends."""
    return link is not None and link.kind == "veth" and link.get("link_group") == PROTOCOL


def is_own_near(path: str, peer_name: str, near: Link, identity: str) -> bool:
    """Return whether the host end of a pair has the name, or the address, that is derived for ``peer_name`` in the namespace at ``path``."""
    return near.name == host_interface(path, peer_name) or is_own(
        near.get("mac"), identity, "veth", path, peer_name, "own"
    )
