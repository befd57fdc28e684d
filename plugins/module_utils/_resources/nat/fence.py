# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fence: forwarding that we switch on joins nothing that was apart. Pure but for the state.

It is around the interfaces of others that there are then. What rules of ours are about is spared, as long as there are such rules. In a namespace
other than the host's, where we have no file, the fence is also what says that forwarding was switched on by us.
"""

from __future__ import annotations

import ipaddress
from dataclasses import field
from typing import Any, Collection, Dict, FrozenSet, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Backend
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.index import RuleIndex
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    FENCES,
    Fence,
    Isolation,
    NatRule,
    OwnedRules,
    PortMapping,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import DEFAULT
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Link, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import names
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import SetFence
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

FORWARDING = {4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding"}  # the sysctls, by family
_LOOPBACK = "lo"  # always among those in a fence, so that one without any was flushed
_NAMED_AT_MOST = 3  # of the interfaces that no rule can name, in a warning


class About(NamedTuple):
    """What a rule is about: the interface with a ``name``, or those that a ``source`` (CIDR) is on, which is not the one that it leaves by (``out``).
    ``family`` 0: of both."""

    family: int
    name: str = ""
    source: str = ""
    out: str = ""


def about_rule(rule: NatRule) -> About:
    """Return what a rule of source NAT is about."""
    if rule.out_interface.startswith("!"):
        return About(rule.family, rule.out_interface[1:])
    return About(rule.family, "", rule.source, rule.out_interface)


def about_mapping(mapping: PortMapping) -> About:
    """Return what a published port is about: nothing where its address is behind no bridge, since all that is published passes."""
    return About(mapping.family, mapping.bridge)


def about_isolation(isolation: Isolation) -> About:
    """Return what the isolation of a bridge is about."""
    return About(0, isolation.bridge)


@dataclass(frozen=True)
class Item:
    """What an item of a task does to what we own: ``coming`` and ``going`` are what its rules are about, ``named`` what all rules of the task
    are. ``indexes`` of the backends, that which the item is written with (``here``) first; of those in ``alone`` a fence is all that is left."""

    ref: NsRef
    indexes: Mapping[Backend, RuleIndex] = field(hash=False)
    here: Backend = DEFAULT
    alone: Collection[Backend] = ()
    named: FrozenSet[About] = frozenset()
    coming: Tuple[About, ...] = ()
    going: Tuple[About, ...] = ()


@dataclass(frozen=True)
class Fencing:
    """The fence of one family. ``held``: where it is, and what else we own there; ``home`` where it is to be, and so; ``wanted`` how it is
    to be, None where there is to be none. ``only``: where there is nothing else of ours; ``unnamed``: interfaces that no rule can name."""

    ref: NsRef
    family: int
    held: Tuple[Tuple[Backend, OwnedRules, Fence], ...] = ()
    home: Tuple[Backend, OwnedRules] = field(default_factory=lambda: (DEFAULT, OwnedRules()))
    wanted: Optional[Fence] = None
    only: Tuple[Backend, ...] = ()
    unnamed: Tuple[str, ...] = ()

    @property
    def stands(self) -> bool:
        """Return whether it is there, and whole."""
        return any(owned.whole(FENCES, self.family) for dummy, owned, fence in self.held)

    def up(self) -> List[Change]:
        """Return the steps that make it as it is to be, and where."""
        if self.wanted is None:
            return self.down()
        backend, owned = self.home
        old = next((fence for where, dummy, fence in self.held if where is backend), None)
        steps: List[Change] = []
        if old != self.wanted or not owned.whole(FENCES, self.family):
            steps.append(SetFence(self.ref, self.wanted, old, backend, owned))
        return steps + self.down([backend])

    def down(self, but: Collection[Backend] = ()) -> List[Change]:
        """Return the steps that take it away."""
        return [
            SetFence(self.ref, None, fence, backend, owned, backend in self.only)
            for backend, owned, fence in self.held
            if backend not in but
        ]

    def warning(self) -> Tuple[str, ...]:
        """Return the sentence that says what is not kept apart, if anything."""
        if not self.unnamed or self.held:
            return ()
        shown = ", ".join("'%s'" % name for name in self.unnamed[:_NAMED_AT_MOST])
        more = len(self.unnamed) - _NAMED_AT_MOST
        text = "No rule can name %s%s, so what is forwarded from or to there is not dropped."
        return (text % (shown, " and %d more" % more if more > 0 else ""),)


def look(ns: int, family: int, item: Item, needed: bool, state: State) -> Fencing:
    """Return the fence of a family; ``needed``: there is to be one, for forwarding was or is to be switched on by us."""
    held = tuple(
        (backend, index.owned, index.fences[family])
        for backend, index in item.indexes.items()
        if family in index.fences
    )
    known = firewalls(state)
    unseen = not (held or item.coming) and bool(known.unread(ns))  # it may be where nothing can be read
    if unseen or not (held or needed):
        return Fencing(item.ref, family)
    if needed and item.coming:
        _check_vrf(ns, family, item, state)
    unnamed: List[str] = []
    if held and held[0][2].interfaces:
        wanted = _moved_on(held[0][2], ns, item, state)
    else:
        wanted = _anew(ns, family, item, unnamed, state)
    home = _home(held, item)
    if home.within in known.serving(ns) and home.closed(known.index(ns, home).owned, FENCES, family):
        home = home.within
    only = tuple(backend for backend, index in item.indexes.items() if index.only(fences=True))
    return Fencing(
        item.ref,
        family,
        held,
        (home, known.index(ns, home).owned),
        wanted if needed else None,
        only,
        tuple(sorted(unnamed)),
    )


def _check_vrf(ns: int, family: int, item: Item, state: State) -> None:
    """Raise `Refused` for a rule about what is in a vrf: what is forwarded from there comes from the vrf to the kernel's rules, so that a fence could not
    tell it from what others have in there."""
    for about in item.coming:
        link = state.link(ns, about.name) if about.name and about.family in (0, family) else None
        master = state.link_at(ns, link.master) if link is not None and link.master else None
        if master is not None and master.kind == "vrf":
            text = "'%s' in %s is in the vrf '%s', where nothing is kept apart that was before: have the host itself switch forwarding on first (%s = 1)."
            raise Refused(text % (about.name, item.ref, master.name, FORWARDING[family]))


def families(indexes: Mapping[Backend, RuleIndex]) -> Set[int]:
    """Return the families that have a fence."""
    return {family for index in indexes.values() for family in index.fences}


def standing(item: Item, ns: int, state: State) -> List[Fencing]:
    """Return the fences that there are, which are to spare what the item's rules are about."""
    return [look(ns, family, item, True, state) for family in sorted(families(item.indexes))]


def _home(held: Collection[Tuple[Backend, OwnedRules, Fence]], item: Item) -> Backend:
    """Return the backend where a fence is to be: where it is, unless nothing else of ours is left there."""
    there = next((backend for backend, dummy, fence in held), item.here)
    if there not in item.alone:
        return there
    return next((backend for backend in item.indexes if backend not in item.alone), item.here)


def _moved_on(fence: Fence, ns: int, item: Item, state: State) -> Fence:
    """Return a fence that spares what the item's rules are about, and no longer what those are about that go."""
    inside, spared = set(fence.interfaces), set(fence.spared)
    coming = _among(inside | spared, item.coming, fence.family, ns, state)
    lost = _among(spared, item.going, fence.family, ns, state) - coming if item.going else set()
    if lost:
        lost -= _among(lost, [*item.named, *_left(item)], fence.family, ns, state)
    now = (spared | coming) - lost
    return fence if now == spared else _fence(fence.family, inside | spared, now)


def _anew(ns: int, family: int, item: Item, unnamed: List[str], state: State) -> Fence:
    """Return the fence around the interfaces of others that there are, and add to ``unnamed`` those that no rule can name."""
    # Here and not above: of use to few tasks.
    from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import is_own_link
    from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ownership import Pairs

    if state.predict:
        state.open_all()  # an interface goes with its other end
    links = state.links(ns)
    by_index = {link.index: link for link in links}
    veths = any(link.kind == "veth" for link in links)
    pairs = state.extension(Pairs).of(ns) if veths else {}
    inside = {_LOOPBACK}
    for link in links:
        own = link.index in pairs or is_own_link(link, "bridge", item.ref.path, link.name, state.identity())
        if own or _is_port(link, by_index):
            continue
        try:
            inside.add(names.interface(link.name, "interface"))
        except Invalid:
            unnamed.append(link.name)
    ours = [*item.named, *item.coming, *_left(item)]
    return _fence(family, inside, _among(inside, ours, family, ns, state))


def _is_port(link: Link, by_index: Mapping[int, Link]) -> bool:
    """Return whether what comes in by an interface comes in by the bridge that it is a port of."""
    return bool(link.master) and link.master in by_index and by_index[link.master].kind == "bridge"


def _fence(family: int, known: Set[str], spared: Set[str]) -> Fence:
    return Fence(family, tuple(sorted(known - spared)), tuple(sorted(spared)))


def _left(item: Item) -> Iterator[About]:
    """Yield what those rules are about that we own, and that do not go with the item."""
    going: Dict[About, int] = {}
    for about in item.going:
        going[about] = going.get(about, 0) + 1
    for index in item.indexes.values():
        rules = map(about_rule, index.nat_rules.values())
        mappings = map(about_mapping, index.port_mappings)
        for about in (*rules, *mappings, *map(about_isolation, index.isolations.values())):
            if going.get(about):
                going[about] -= 1
            else:
                yield about


def _among(candidates: Collection[str], abouts: Iterable[About], family: int, ns: int, state: State) -> Set[str]:
    """Return those of some interfaces that rules of a family are about."""
    found: Set[str] = set()
    for about in dict.fromkeys(abouts):
        if about.family not in (0, family):
            continue
        if about.name in candidates:
            found.add(about.name)
        for name in candidates if about.source else ():
            if name not in (_LOOPBACK, about.out) and name not in found and _is_on(about.source, name, ns, state):
                found.add(name)
    return found - {_LOOPBACK}


def _is_on(source: str, name: str, ns: int, state: State) -> bool:
    """Return whether a source is on the network of an interface: that is part of it, or the smallest one around it."""
    link = state.link(ns, name)
    network: Any = ipaddress.ip_network(source)
    here = [address.network for address in state.addresses_of(ns, link)] if link is not None else []
    here = [one for one in here if one.version == network.version]
    if any(one.subnet_of(network) for one in here):
        return True
    around = [one.prefixlen for one in here if network.subnet_of(one)]
    if not around:
        return False
    every = [address.network for dummy, address in state.addresses(ns)]
    closest = [one.prefixlen for one in every if one.version == network.version and network.subnet_of(one)]
    return max(around) == max(closest)
