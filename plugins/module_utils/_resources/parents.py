# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links that are made on others, maybe in other namespaces: who is on a parent, and which parent the kernel takes. Pure."""

from __future__ import annotations

from typing import FrozenSet, Iterator, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Link, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

# One that is made on another of its kind is made on the parent of that instead (macvlan_common_newlink, ipvlan_link_new).
_FLAT = ("ipvlan", "macvlan")
_TAKES_ALL = (
    "macvlan",
    "ipvlan",
)  # kinds that have an interface's receive handler, as a bridge would (netdev_rx_handler_register)


@dataclass(frozen=True)
class Place:
    """Where a link is made: on ``parent`` (None for none) in the namespace ``origin``, which is called ``ref``. ``now`` is (namespace, index) of the
    link that there is, which stays or makes place; ``anew``: none stays. ``together``: those whose kind and mode the task sets alike, by namespace and name."""

    origin: int
    ref: NsRef
    parent: Optional[Link]
    now: Optional[Tuple[int, int]]
    anew: bool
    together: FrozenSet[Tuple[NsRef, str]] = frozenset()

    def __str__(self) -> str:
        return "'%s' in %s" % (self.parent.name if self.parent is not None else "", self.ref)


def of_kind(kind: str, state: State) -> Iterator[Tuple[int, Link]]:
    """Yield (namespace, link) of a kind in all namespaces that have names."""
    state.open_all()
    for ns in dict.fromkeys(ns for ns in state.known.paths.values() if ns is not None):
        for link in state.links(ns, kind):
            yield ns, link


def beside(place: Place, kinds: Sequence[str], state: State) -> Iterator[Tuple[int, Link]]:
    """Yield (namespace, link) of those of some kinds that are on the parent already, but for the link itself."""
    for ns, link in state.links_on(place.origin, place.parent.index, kinds) if place.parent is not None else ():
        if (ns, link.index) != place.now:
            yield ns, link


def apart(place: Place, kinds: Sequence[str], state: State) -> Iterator[Tuple[int, Link]]:
    """Yield those `beside` that the task does not set."""
    for ns, one in beside(place, kinds, state):
        if (state.ref_of(ns), one.name) not in place.together:
            yield ns, one


def above(ns: int, link: Link, state: State) -> str:
    """Return who is made on a link, in whatever namespace that can be seen, and would go with it; ``""`` for nobody."""
    state.open_seen()
    kinds = [name for name, known in link_kinds.KINDS.items() if known.parent]
    for where, one in state.links_on(ns, link.index, kinds):
        return "'%s' in %s" % (one.name, state.ref_of(where))
    return ""


def check_port(option: str, ref: NsRef, ns: int, link: Link, state: State) -> None:
    """Raise `Refused` for a link that the kernel makes no port of a bridge since it hands what comes in to those that are made on it (`_TAKES_ALL`)."""
    for where, one in state.links_on(ns, link.index, _TAKES_ALL) if link.index > 0 else ():
        text = "%s: '%s' in %s is the parent of '%s' in %s, %s, so that it cannot be a port of a bridge as well."
        raise Refused(text % (option, link.name, ref, one.name, state.ref_of(where), one.describe()))


def named(ns: Optional[int], refs: Sequence[Optional[NsRef]], state: State) -> Optional[NsRef]:
    """Return a namespace as a task names it, by one of ``refs`` where that is it, None where it has no name."""
    if ns is None:
        return None
    for ref in (*refs, HOST):
        if ref is not None and state.find(ref) == ns:
            return ref
    return next((NsRef.parse(entry.name) for entry in state.entries().of(ns)), None)


def taken_for(kind: str, name: str, ref: NsRef, refs: Sequence[Optional[NsRef]], state: State) -> Tuple[str, NsRef]:
    """Return the parent that the kernel takes for the one called ``name`` in ``ref``, and its namespace. Raises `Refused` where that has no name."""
    ns = state.find(ref)
    name = state.own_name(ref, name)
    link = state.link(ns, name) if ns is not None else None
    if ns is None or link is None or link.kind != kind or kind not in _FLAT or not link.parent_index:
        return name, ref
    if link.parent_ns is None:
        state.open_all()
        link = state.link(ns, name) or link
    there = named(link.parent_ns, refs, state)
    parent = state.link_at(link.parent_ns, link.parent_index) if link.parent_ns is not None else None
    if parent is None or there is None:
        text = "parent: '%s' in %s is %s itself, so that this one would be made on its parent, in a namespace without a name; give that one."
        raise Refused(text % (name, ref, link.describe()))
    return parent.name, there
