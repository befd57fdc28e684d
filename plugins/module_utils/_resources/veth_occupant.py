# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Another interface that has the name which is wanted for a container's end of a pair: what it is, and what can be done. Pure but for the state."""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING, Optional

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import DelLink, MoveLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import NETNS_DIRECTORY
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Link, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import is_own_near, made_for
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

if TYPE_CHECKING:
    from ansible_collections.linuxnet.containers.plugins.module_utils._resources.veth import Want


@dataclass(frozen=True)
class Occupant:
    """The interface ``link``; ``peer`` is its other end, where that can be found. Of a pair of this collection's: ``whose``, the name in
    /run/netns that it was made for, where that is another; ``moved``, the namespace that somebody moved its host end to."""

    link: Link
    peer: Optional[Link] = None
    whose: str = ""
    moved: Optional[NsRef] = None

    def refusal(self, want: Want, link: Optional[Link]) -> Refused:
        """Return the error; ``link`` is what has the host end's name, if anything."""
        there = "peer_name: '%s' in %s is there already" % (want.peer_name, want.peer_ns)
        if self.peer is not None and self.moved is not None:
            back = MoveLink(self.moved, self.peer.name, want.ns, self.peer.name).commands()[0]
            away = DelLink(want.peer_ns, want.peer_name).commands()[0]
            return Refused(
                "%s, in a pair that was made for it, but whose other end is '%s' in %s by now. Take that back by '%s', or make room for a new "
                "pair by '%s'." % (there, self.peer.name, self.moved, back, away)
            )
        if self.peer is not None and self.whose:
            return Refused(
                "%s, in the pair '%s' that was made for netns '%s', another name of the same namespace. Remove that one with "
                "state: absent (in the role also by wiring_purge), or go on using its name."
                % (there, self.peer.name, self.whose)
            )
        what, hint = self.link.describe(), ""
        if self.peer is not None:
            what += " whose other end is '%s' in %s" % (self.peer.name, want.ns)
            if link is None:
                hint = "; to take that pair over, give name: %s" % self.peer.name
        elif self.link.kind == "veth":
            what += " whose other end is in another namespace"
        return Refused("%s and foreign: it is %s, not the other end of '%s'%s." % (there, what, want.name, hint))


def look(want: Want, link: Link, near: Optional[Link], peer_ns: int, state: State) -> Occupant:
    """Return what there is to say of an interface that has the wanted name in the namespace ``peer_ns``; ``near`` is its other end, where
    that is in the namespace of the wanted host end."""
    if near is not None:
        return Occupant(link, near, _made_for_another(link, near, peer_ns, state))
    return _moved(want, link, peer_ns, state) or Occupant(link)


def _made_for_another(far: Link, near: Link, peer_ns: int, state: State) -> str:
    """Return the other name of the namespace ``peer_ns`` that a pair was made for, ``""`` where it was made for none."""
    refs = [NsRef(os.path.join(NETNS_DIRECTORY, entry.name)) for entry in state.entries().of(peer_ns)]
    return next((ref.name for ref in refs if made_for(ref.path, near, far, state.identity())), "")


def _moved(want: Want, far: Link, peer_ns: int, state: State) -> Optional[Occupant]:
    """Return the occupant where its pair was made for the wanted peer, and its host end is in a namespace with a name by now."""
    for name, entry in list(state.entries().items()) if far.kind == "veth" else ():
        ref = NsRef(os.path.join(NETNS_DIRECTORY, name))
        there = state.find(ref) if entry.kind == "namespace" else None
        near = state.link_at(there, far.peer_index) if there is not None and there != peer_ns else None
        if (
            near is not None
            and (near.kind, near.peer_index, near.peer_ns) == ("veth", far.index, peer_ns)
            and is_own_near(want.peer_ns.path, want.peer_name, near, state.identity())
        ):
            return Occupant(far, near, moved=ref)
    return None
