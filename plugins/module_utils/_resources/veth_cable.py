# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pairs between two containers, cables among them: whether one that has a wanted name is ours, where it leads, and whether it makes room. Pure but for the
state."""

from __future__ import annotations

import os.path
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import DelLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import NETNS_DIRECTORY, is_own
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Link, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import (
    is_cable,
    is_own_near,
    is_own_peer,
    made_for,
    pair_mac,
    peer_mac,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

if TYPE_CHECKING:
    from ansible_collections.linuxnet.containers.plugins.module_utils._resources.veth import Have, Want


def _names_of(ns: int, state: State) -> List[NsRef]:
    return [NsRef(os.path.join(NETNS_DIRECTORY, entry.name)) for entry in state.entries().of(ns)]


def is_lost(link: Link, ns: int, state: State) -> bool:
    """Return whether a link of the namespace ``ns`` is an end of a cable whose other end is in a namespace without a name, as that of a container that
    is gone."""
    return is_cable(link) and _far_end_is_nameless(link, ns, state)


def _far_end_is_nameless(link: Link, ns: int, state: State) -> bool:
    """Return whether the other end of a link of the namespace ``ns`` is in a namespace without a name, which is not the host's."""
    state.open_all()
    where = (state.link(ns, link.name) or link).peer_ns
    return where is None or (where != state.find(HOST) and not _names_of(where, state))


def leads_elsewhere(want: Want, link: Link, state: State) -> bool:
    """Return whether a link that has the name of the wanted one is ours, and leads to another container."""
    ns = state.need(want.ns)
    state.open_all()
    link = state.link(ns, want.name) or link
    far = state.link_at(link.peer_ns, link.peer_index) if link.peer_ns else None
    if far is None or link.peer_ns == state.find(HOST):
        return False
    identity = state.identity()
    made = (made_for(ref.path, link, far, identity) for ref in _names_of(link.peer_ns or 0, state))
    return is_cable(link) or made_for(want.ns.path, far, link, identity) or any(made)


def yields(want: Want, link: Link, state: State) -> bool:
    """Return whether a link that has the name of the wanted one, and leads elsewhere, is a pair of ours that makes room, or is gone for good: it was made
    for the very end that is wanted, whose container was replaced; or it is a cable, which is plugged elsewhere, or has lost its other end."""
    if link.kind == "veth" and is_own_near(want.peer_ns.path, want.peer_name, link, state.identity()):
        return True
    if not (want.cable and is_cable(link)):
        return False
    return want.present or is_lost(link, state.need(want.ns), state)


def room(want: Want, occupant: Link, peer_ns: int, state: State) -> Tuple[Tuple[NsRef, str], ...]:
    """Return (namespace, name) of another pair's end that has the wanted peer's name, where that makes room: a cable does so for a cable, and for what a
    container is to have and nothing else; and a pair that was made for that peer does, whose other end was in a container that was replaced."""
    makes = is_cable(occupant) and (want.cable or want.exclusive)
    if not makes and want.ns.path and is_own_peer(want.peer_ns.path, occupant, state.identity()):
        makes = _far_end_is_nameless(occupant, peer_ns, state)
    return ((want.peer_ns, want.peer_name),) if makes else ()


def with_room(plan: Plan, have: Have) -> Plan:
    """Return the plan with the other cables gone first."""
    ends = ["%s/%s" % (ref.option, name) for ref, name in have.room]
    gone = [DelLink(ref, name) for ref, name in have.room]
    return replace(plan, before={**plan.before, "other_cables": ends}, changes=(*gone, *plan.changes))


def of_somebody_else(want: Want, link: Optional[Link]) -> str:
    """Return why a link that has the name of the wanted one, and leads elsewhere, is left alone."""
    text = "Interface '%s' in %s is a veth, but its other end is not in %s; %s."
    why = "it is somebody else's, or its container was replaced: remove it with state: absent, or take another name"
    if is_cable(link):
        why = "it is a cable to another container: give cable: true to plug it here"
    return text % (want.name, want.ns, want.peer_ns, why)


def derived_again(
    want: Want, have: Have, link: Link, far: Link, own: Dict[str, Any], peer: Dict[str, Any]
) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Return what is wanted of both ends of a cable, with the address that is derived again for one of which none is asked for. One that was made from
    its other end has it the other way round."""
    if not is_cable(link) and not is_cable(far):
        return own, peer
    identity, peer_end, own_end = have.identity, (want.peer_ns.path, want.peer_name), (want.ns.path, want.name)
    ends = ((own, link, "own", "peer", pair_mac), (peer, far, "peer", "own", peer_mac))
    for asked, end, which, other, derive in ends:
        known = is_own(end.get("mac"), identity, "veth", *peer_end, which)
        if "mac" not in asked and not known and not is_own(end.get("mac"), identity, "veth", *own_end, other):
            asked["mac"] = derive(identity, *peer_end)
    return own, peer
