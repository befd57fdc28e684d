# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the state moves on by changes: the whole of check mode, and how later items of a task see what earlier ones do. Pure.

What the kernel does along with a change is here: a deleted link takes its peer, addresses and routes, an address its route.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any, Dict, Iterable, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import PutFile, SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import (
    AddLink,
    DelLink,
    MoveLink,
    SetFlooded,
    SetLink,
    SetShape,
    SetVlans,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import (
    AddNetns,
    BindNetns,
    DropNetns,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import (
    AddLoopbackGuard,
    AddPolicy,
    DelLoopbackGuard,
    DelPolicy,
    DelRoute,
    PutRoute,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.kernel_api import Source
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import PROTOCOL, sysctl_key
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    MAIN_TABLE,
    Link,
    LoopbackGuards,
    NsFile,
    NsRef,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State


def begin(source: Source, predict: bool, anew: Iterable[str] = (), gone: Iterable[str] = ()) -> State:
    """Return the state of a host, as a task finds it. ``anew`` names namespaces that exist and that an earlier task would make anew,
    ``gone`` interfaces of the host that one would remove; both count in check mode (``predict``) only."""
    state = State(source, predict)
    for name in anew if predict else ():
        old = source.find(NsRef.parse(name))
        entry = state.entries().pop(name, None)
        state.known.paths[NsRef.parse(name).path] = None
        _name_lost(state, old or 0, entry or NsFile(name, "namespace"))
    for name in gone if predict else ():
        if state.link(state.need(HOST), name) is not None:
            advance(DelLink(HOST, name), state)
    return state


def advance_all(state: State, changes: Iterable[Change]) -> None:
    """Move the state on by changes, as if they were carried out."""
    for step in changes:
        advance(step, state)


@functools.singledispatch
def advance(step: Change, state: State) -> None:
    """Move the state on by one change. A file that adds kinds of changes registers what they do."""
    raise TypeError("nothing is known of what %s does" % type(step).__name__)


# --- what changes are about ---


def _namespace(state: State, ref: NsRef) -> int:
    ns = state.find(ref)
    if ns is None:
        raise Refused("%s does not exist." % str(ref).capitalize())
    return ns


def link_of(state: State, ref: NsRef, name: str) -> Tuple[int, Link]:
    """Return the interface that a change is about, and its namespace. Raises `Refused`."""
    ns = _namespace(state, ref)
    link = state.link(ns, name)
    if link is None:
        raise Refused("%s has no interface '%s'." % (str(ref).capitalize(), name))
    return ns, link


def _index(state: State, ns: int, name: Any) -> int:
    link = state.link(ns, name) if name else None
    return link.index if link else 0


# --- namespaces ---


def _held(state: State, ns: int) -> bool:
    """Return whether a name in /run/netns holds a namespace."""
    return any(not entry.target for entry in state.entries().of(ns))


def _lives_on(state: State, ns: int, lost: NsFile) -> bool:
    """Return whether something else than the entry that is ``lost`` holds a namespace: another name in /run/netns, the engine's file that the entry was a
    link to, a process, or a file elsewhere that was opened."""
    return _held(state, ns) or bool(lost.target) or ns in state.known.elsewhere or bool(state.processes(ns))


def _name_lost(state: State, ns: int, lost: NsFile) -> None:
    """In check mode, note that a namespace which lost a name ended with its pairs, where nothing else holds it."""
    if state.predict and ns > 0 and ns != state.find(HOST) and not _lives_on(state, ns, lost):
        state.known.ended.add(ns)


@advance.register(AddNetns)
def _add_netns(step: AddNetns, state: State) -> None:
    ns = state.fresh_namespace()
    state.known.paths[step.ns.path] = ns
    state.known.default_routes.clear()
    state.entries()[step.name] = NsFile(step.name, "namespace", ns)
    for setting in step.settings():
        advance(setting, state)


@advance.register(BindNetns)
def _bind_netns(step: BindNetns, state: State) -> None:
    state.known.paths[NsRef.parse(step.name).path] = step.inode
    old = state.entries().get(step.name)
    state.entries()[step.name] = NsFile(step.name, "namespace", step.inode, step.link)
    if old is not None:
        _name_lost(state, old.inode, old)


@advance.register(DropNetns)
def _drop_netns(step: DropNetns, state: State) -> None:
    state.known.paths[NsRef.parse(step.name).path] = None
    state.known.default_routes.clear()
    entry = state.entries().pop(step.name, None)
    if entry is None or entry.inode in (0, state.find(HOST)) or _lives_on(state, entry.inode, entry):
        return
    for link in state.known.links[entry.inode].known():
        _deleted(state, entry.inode, link)
    _name_lost(state, entry.inode, entry)


# --- links ---


@advance.register(AddLink)
def _add_link(step: AddLink, state: State) -> None:
    ns = _namespace(state, step.ns)
    attributes = dict(link_kinds.born(step.kind), **step.attributes)
    master = _index(state, ns, attributes.pop("master", ""))
    attributes.update(_port(state, ns, master))
    near, far = next(state.foreseen_indexes), next(state.foreseen_indexes)
    links = state.known.links
    if not step.peer_name:
        made = Link(near, step.name, step.kind, attributes, master)
        if step.parent_ns is not None:
            origin = _namespace(state, step.parent_ns)
            parent = state.link(origin, step.parent) if step.parent else None
            made = replace(made, parent_index=parent.index if parent else 0, parent_ns=origin)
            if parent is not None and "mac" not in step.attributes:
                made = made.with_(mac=parent.get("mac"))
        links[ns].put(made)
        return
    peer_ns = _namespace(state, step.peer_ns)
    peer = dict(link_kinds.born(step.kind), **step.peer_attributes)
    links[ns].put(Link(near, step.name, step.kind, attributes, master, far, peer_ns))
    links[peer_ns].put(Link(far, step.peer_name, step.kind, peer, 0, near, ns))


def _port(state: State, ns: int, master: int) -> Dict[str, Any]:
    """Return what a link gets as it becomes a port of the one with that index, or of none."""
    bridge = state.link_at(ns, master) if master else None
    return link_kinds.defaults(link_kinds.kind(bridge.kind).ports) if bridge is not None else {}


@advance.register(SetLink)
def _set_link(step: SetLink, state: State) -> None:
    ns, link = link_of(state, step.ns, step.name)
    new = dict(step.new)
    name = new.pop("name", link.name)
    if "master" in new:
        was, link = link.master, replace(link, master=_index(state, ns, new.pop("master")))
        if link.master != was:
            link = _without_port(link).with_(**_port(state, ns, link.master))
            state.link_deleted()  # to its former master
            if link.index > 0 and "vrf" in (
                one.kind for one in map(functools.partial(state.link_at, ns), (was, link.master)) if one
            ):
                _cycled(state, ns, link)
    if new.get("enabled") and not link.get("enabled"):
        state.known.raised.add((ns, link.index))
    if name != link.name and link.index > 0:
        state.link_renamed(ns, link.name, name)
        state.known.default_routes.clear()
    state.known.links[ns].drop(link)
    now = state.known.links[ns].put(replace(link.with_(**new), name=name))
    if not {"mtu", "mac", "enabled"}.isdisjoint(new):
        _follow(state, ns, link, now)
    # A link that is foreseen has nothing yet.
    if new.get("ipv6") is False and link.get("ipv6") is not False and link.index > 0:
        _without_ipv6(state, ns, link)


def _cycled(state: State, ns: int, link: Link) -> None:
    """Note that an interface was set down and up, as it is when it comes into a vrf or out of it: its IPv6 addresses went, and all routes but those that the
    kernel makes of its IPv4 addresses, wherever they are then."""
    _without_ipv6(state, ns, link)
    for table in {key[2] for key in state.known.routes if key[:2] == (ns, 4)}:
        left = [route for route in state.routes(ns, 4, table) if route.interface != link.name]
        state.known.routes[ns, 4, table] = left


def _follow(state: State, ns: int, was: Link, now: Link) -> None:
    """Note what changes along with a link of those that are made on it."""
    for where, one in list(state.known.links.made_on(ns, was.index)):
        then = _followed(one, was, now)
        if then is not one:
            state.known.links[where].put(then)
            _follow(state, where, one, then)


def _followed(one: Link, was: Link, now: Link) -> Link:
    """Return a link as the kernel changes it along with its parent, if it is of a kind that always has one: its MTU is no more than the parent's, its
    MAC address changes where it was the same, and a VLAN goes down and up as well."""
    if not link_kinds.kind(one.kind).needs_parent:
        return one
    size, changed = now.get("mtu"), {name for name in ("mtu", "mac", "enabled") if now.get(name) != was.get(name)}
    if "mtu" in changed and (one.kind == "ipvlan" or size < one.get("mtu")):
        one = one.with_(mtu=size)
    if "mac" in changed and one.get("mac") == was.get("mac"):
        one = one.with_(mac=now.get("mac"))
    return one.with_(enabled=now.get("enabled")) if "enabled" in changed and one.kind == "vlan" else one


def _without_ipv6(state: State, ns: int, link: Link) -> None:
    """Note that an interface has no IPv6 any more: its addresses and routes of that family went."""
    state.list_routes(ns)
    found = state.addresses_by_index(ns)
    found[link.index] = [address for address in found.get(link.index, ()) if address.family != 6]
    tables = [table for family, table in state.marked(ns, PROTOCOL)[0] if family == 6]
    for table in {MAIN_TABLE, *tables, *(key[2] for key in state.known.routes if key[:2] == (ns, 6))}:
        left = [route for route in state.routes(ns, 6, table) if route.interface != link.name]
        state.known.routes[ns, 6, table] = left


def _without_port(link: Link) -> Link:
    """Return a link without the attributes of a port."""
    kept = {name: value for name, value in link.attributes.items() if name not in link_kinds.PORT}
    return replace(link, attributes=kept)


@advance.register(MoveLink)
def _move_link(step: MoveLink, state: State) -> None:
    ns, link = link_of(state, step.ns, step.name)
    to = _namespace(state, step.to)
    links = state.known.links
    links[ns].drop(link)
    moved = replace(
        link.with_(enabled=False, **link_kinds.UNSHAPED),
        index=next(state.foreseen_indexes),
        name=step.new_name,
        master=0,
    )
    links[to].put(moved)
    peer = state.link_at(link.peer_ns, link.peer_index) if link.peer_ns is not None else None
    if peer is not None and link.peer_ns is not None:
        links[link.peer_ns].put(replace(peer, peer_index=moved.index, peer_ns=to))


@advance.register(SetShape)
def _set_shape(step: SetShape, state: State) -> None:
    ns, link = link_of(state, step.ns, step.name)
    kept = {name: value for name, value in link.attributes.items() if name not in ("qdisc", "shape")}
    now = {"qdisc": step.new.kind, "shape": step.new} if step.new.kind else {}
    state.known.links[ns].put(replace(link, attributes={**kept, **now, **step.new.attributes(link.get("mtu"))}))


@advance.register(DelLink)
def _del_link(step: DelLink, state: State) -> None:
    ns, link = link_of(state, step.ns, step.name)
    peer = state.link_at(link.peer_ns, link.peer_index) if link.peer_ns is not None and link.peer_index else None
    _deleted(state, ns, link)
    if peer is not None and link.peer_ns is not None:
        _deleted(state, link.peer_ns, peer)


def _deleted(state: State, ns: int, link: Link) -> None:
    """Note that an interface is deleted: its addresses and routes go along, and what is made on it; its ports have no master then."""
    known = state.known
    state.list_routes(ns)
    known.links[ns].drop(link)
    known.deleted.add((ns, link.index))
    known.deleted_names.add((ns, link.name))
    known.default_routes.clear()
    state.link_deleted()
    if ns in known.addresses:
        known.addresses[ns].pop(link.index, None)
    for key, routes in known.routes.items():
        if key[0] == ns:
            known.routes[key] = [route for route in routes if route.interface != link.name]
    for port in known.links[ns].ports(link.index):
        known.links[ns].put(replace(_without_port(port), master=0))
    known.flooded.pop((ns, link.index), None)
    for where, one in list(known.links.made_on(ns, link.index)):
        _deleted(state, where, one)


@advance.register(SetVlans)
def _set_vlans(step: SetVlans, state: State) -> None:
    ns, link = link_of(state, step.ns, step.name)
    gone = {vlan.vid for vlan in step.remove} | {vlan.vid for vlan in step.add}
    left = [vlan for vlan in state.vlans(ns, link) if vlan.vid not in gone]
    if any(vlan.pvid for vlan in step.add):
        left = [replace(vlan, pvid=False) for vlan in left]
    state.known.vlans[ns, link.index] = tuple(sorted(left + list(step.add)))


@advance.register(SetFlooded)
def _set_flooded(step: SetFlooded, state: State) -> None:
    ns, link = link_of(state, step.ns, step.name)
    left = set(state.flooded(ns, link)) - set(step.remove)
    state.known.flooded[ns, link.index] = tuple(sorted(left | set(step.add)))


# --- routes ---


@advance.register(PutRoute)
def _put_route(step: PutRoute, state: State) -> None:
    state.known.default_routes.clear()
    routes = state.routes(_namespace(state, step.ns), step.route.family, step.route.table)
    if step.old in routes:
        routes[routes.index(step.old)] = step.route
    else:
        routes.append(step.route)


@advance.register(DelRoute)
def _del_route(step: DelRoute, state: State) -> None:
    state.known.default_routes.clear()
    routes = state.routes(_namespace(state, step.ns), step.route.family, step.route.table)
    if step.route in routes:
        routes.remove(step.route)


@advance.register(AddPolicy)
def _add_policy(step: AddPolicy, state: State) -> None:
    state.policies(_namespace(state, step.ns), step.rule.family).append(step.rule)


@advance.register(DelPolicy)
def _del_policy(step: DelPolicy, state: State) -> None:
    policies = state.policies(_namespace(state, step.ns), step.rule.family)
    if step.rule in policies:
        policies.remove(step.rule)


@advance.register(AddLoopbackGuard)
def _add_loopback_guard(step: AddLoopbackGuard, state: State) -> None:
    ns = _namespace(state, step.ns)
    there = state.loopback_guards(ns)
    late = tuple(name for name in there.late if name != step.interface)
    added = {step.interface} - {*there.interfaces}
    state.known.loopback_guards[ns] = LoopbackGuards((*there.interfaces, *added), True, late)


@advance.register(DelLoopbackGuard)
def _del_loopback_guard(step: DelLoopbackGuard, state: State) -> None:
    ns = _namespace(state, step.ns)
    there = state.loopback_guards(ns)
    kept, late = (tuple(name for name in names if name != step.interface) for names in (there.interfaces, there.late))
    state.known.loopback_guards[ns] = LoopbackGuards(kept, True, late)


# --- files ---


@advance.register(SetSysctl)
def _set_sysctl(step: SetSysctl, state: State) -> None:
    ns, key = _namespace(state, step.ns), sysctl_key(step.key)
    state.known.sysctls[ns, key] = step.value
    if key.startswith("net.ipv6.conf.") and key.endswith(".disable_ipv6"):
        link = state.link(ns, key[len("net.ipv6.conf.") : -len(".disable_ipv6")].replace("/", "."))
        if link is not None:
            state.known.links[ns].put(link.with_(ipv6=step.value == "0"))


@advance.register(PutFile)
def _put_file(step: PutFile, state: State) -> None:
    state.known.texts[step.path] = step.text
