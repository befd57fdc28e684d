# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where nat writes, and how it gets along with the rule sets of others. Pure.

A packet that is forwarded passes every rule set of the host, and the drop of one is final, whatever ours says. So where others drop
what an item needs, it is let through in their own way, where they have one: docker's chain DOCKER-USER, or the mark that its
bridge accepts; in iptables' own chains where that is the backend. Else the result says who is in the way. Their policies are never changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, List, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall import foreign
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends import iptables
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import Block, Packet
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    NFTABLES,
    PLACES,
    Contents,
    Passage,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Lacking
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import SetPassages
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import walls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

BACKENDS = ("auto", "nftables", "iptables")
_FILTERS = {  # iptables' filter tables, as they are named, to (place, address family)
    "ip filter": ("iptables-nft", 4),
    "ip6 filter": ("iptables-nft", 6),
    "iptables-legacy filter": ("iptables-legacy", 4),
    "ip6tables-legacy filter": ("iptables-legacy", 6),
}


def place(backend: str, there: Sequence[str]) -> str:
    """Return the place that a backend means, of those that are ``there``, nftables first. Raises `Lacking`."""
    wanted = [one for one in there if backend == "auto" or one.startswith(backend)]
    if wanted:
        return wanted[0]
    program, package = ("iptables", "iptables") if backend == "iptables" else ("nft", "nftables")
    raise Lacking("The program %s is not installed on this host: install the package %s." % (program, package), package)


def others_of(place_: str, ns: int, state: State) -> List[str]:
    """Return the other places in which something of ours is."""
    places = [one for one in PLACES if one != place_ and one in walls(state).firewalls()]
    return [one for one in places if not walls(state).table(ns, one).only()]


def mixed(ns: int, state: State) -> Tuple[str, ...]:
    """Return the warning that both kinds of iptables have rules of others, if so: a packet passes both."""
    tables = {
        _FILTERS[one.table][0] for one in walls(state).others(ns).chains.values() if one.table in _FILTERS and one.rules
    }
    if len(tables) < 2:
        return ()
    return (
        "iptables-legacy and iptables-nft both have rules here, and a packet passes both; what one accepts the other may drop.",
    )


@dataclass(frozen=True)
class Passing:
    """What others' rule sets do to an item's traffic: ``blocked_by`` names who drops it still, ``remedies`` what lets it pass there;
    ``let`` and ``unlet`` are passages to make and to end, by place, ``there`` what is held in each of these."""

    blocked_by: Tuple[str, ...] = ()
    remedies: Tuple[str, ...] = ()
    let: Tuple[Tuple[str, Passage], ...] = ()
    unlet: Tuple[Tuple[str, Passage], ...] = ()
    there: Dict[str, Contents] = field(default_factory=dict, hash=False)
    last: Tuple[str, ...] = ()  # places in which nothing else is held

    def changes(self, ref: NsRef) -> List[Change]:
        """Return the steps that make and end the passages."""
        steps: List[Change] = []
        for where in dict.fromkeys(one for one, dummy in (*self.let, *self.unlet)):
            let, unlet = (tuple(one for at, one in some if at == where) for some in (self.let, self.unlet))
            steps.append(SetPassages(ref, let, unlet, where, self.there[where], where in self.last and not let))
        return steps

    def warning(self, what: str) -> Tuple[str, ...]:
        """Return the sentence that says who drops ``what``, and what to do."""
        if not self.blocked_by:
            return ()
        text = "%s dropped by %s; " % (what, " and ".join(self.blocked_by))
        return (text + ("; ".join(self.remedies) or "let them through there") + ".",)


def look(
    wanted: Sequence[Tuple[Passage, Packet]], old: Sequence[Passage], place_: str, ns: int, state: State
) -> Passing:
    """Return what is in the way of packets. ``wanted`` are passages, each with a packet that needs it; ``old`` those that may
    be there and are not needed by anything else."""
    others = walls(state).others(ns)
    blocked: Dict[str, None] = {}
    remedies: Dict[str, None] = {}
    needed: Dict[Tuple[str, Passage], None] = {}
    for passage, packet in wanted:
        left: List[Block] = []
        for block in foreign.blocks(others, packet):
            where, dummy = _FILTERS.get(block.chain.table, ("", 0))
            users = (block.chain.table, iptables.USERS) in others.chains
            if block.chain.name == "FORWARD" and where in walls(state).firewalls() and (users or where == place_):
                needed[where, passage] = None
            else:
                left.append(block)
        marks = foreign.accepted_marks(others, packet) if left and passage.kind == "in" else []
        if marks and NFTABLES in walls(state).firewalls():
            needed[NFTABLES, Passage("mark", passage.name, 0, "0x%x/0x%x" % marks[0], passage.owner)] = None
            left = []
        blocked.update(dict.fromkeys(block.shown for block in left))
        remedies.update(dict.fromkeys(_remedy(block, others, packet) for block in left))
    held = {where: walls(state).table(ns, where) for where in walls(state).firewalls()}
    known = {(where, passage.key) for where, passage in needed}
    unlet = [
        (where, table.passages[passage.key])
        for where, table in held.items()
        for passage in (*(one for one, dummy in wanted), *old, *_marks(wanted, old))
        if passage.key in table.passages and (where, passage.key) not in known
    ]
    let = [
        (where, one)
        for where, one in needed
        if one.key not in held[where].passages
        or held[where].passages[one.key].by != one.by
        or not held[where].held.whole("mark" if where == NFTABLES else "passage", one.family)
    ]
    there = {where: held[where].held for where, dummy in (*let, *unlet)}
    last = tuple(where for where in there if held[where].only(passages=len({one for at, one in unlet if at == where})))
    return Passing(
        tuple(blocked), tuple(one for one in remedies if one), tuple(let), tuple(dict.fromkeys(unlet)), there, last
    )


def _marks(wanted: Sequence[Tuple[Passage, Packet]], old: Sequence[Passage]) -> List[Passage]:
    """Return the marks that may be there in place of passages."""
    return [Passage("mark", one.name, 0) for one in (*(one for one, dummy in wanted), *old) if one.kind == "in"]


def _remedy(block: Block, others: foreign.Others, packet: Packet) -> str:
    """Return the sentence that says how others let the packet pass, ``""`` where they have no way of their own."""
    bridge = packet.bridge or packet.iifname or packet.oifname
    if block.chain.table == "inet firewalld" and bridge:
        return "with firewalld: firewall-cmd --zone=trusted --change-interface=%s, and again with --permanent" % bridge
    if (block.chain.table, "ufw-user-forward") in others.chains and bridge:
        way = "out" if packet.oifname else "in"
        return "with ufw: ufw route allow %s on %s" % (way, bridge)
    if block.chain.table in _FILTERS and block.chain.name == "FORWARD":
        return "let them through there, or take backend: iptables"
    return ""
