# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which backend nat writes with, and how it gets along with foreign rules. Pure.

A packet that is forwarded passes every rule set of the host, and the drop of one is final, whatever ours says. So where foreign rules drop
what an item needs, it is allowed in their own way, where they have one: docker's chain DOCKER-USER, or the mark that its bridge accepts;
in iptables' own chains where that is the backend. Else the result says who is in the way. Their policies are never changed.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Backend
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import ForeignRules
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.index import RuleIndex
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    ALLOWANCES,
    Allowance,
    OwnedRules,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import (
    AUTO,
    BACKENDS,
    DEFAULT,
    chosen,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import SetAllowances
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

if TYPE_CHECKING:
    from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.fate import Block
    from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.packets import Packet
    from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.allowances import Beside


@dataclass(frozen=True)
class Needing:
    """What needs an allowance where foreign rules drop its packets, which a function of `questions` returns, by its name and what it is ``told``.
    ``here`` is the backend that it is written with."""

    allowance: Allowance
    question: str
    told: Tuple[Any, ...]
    here: Backend


def indexes(option: str, ns: int, state: State, needed: Optional[Tuple[str, int]] = None) -> Dict[Backend, RuleIndex]:
    """Return what we own, by backend: in the one that an option means, which comes first, and in each other one in which we own
    something. ``needed``: the kind and the address family (0: both) of what is to be written. Raises `Refused` where the backend does not
    serve for that; in place of one that was not named another one serves."""
    known = firewalls(state)
    here = chosen(option, known.available())
    error = _useless(here, ns, state, needed)
    if error is not None and option == AUTO:
        here = next((one for one in known.available() if _useless(one, ns, state, needed) is None), here)
        error = _useless(here, ns, state, needed)
    if error is not None:
        raise error
    found = {here: known.index(ns, here)}
    serving = known.serving(ns)
    for backend in BACKENDS:
        if backend in serving and backend is not here and not known.index(ns, backend).only():
            found[backend] = known.index(ns, backend)
    return found


def _useless(backend: Backend, ns: int, state: State, needed: Optional[Tuple[str, int]]) -> Optional[Refused]:
    """Return why a backend cannot be used: its tool does not work, or cannot read the table that would be written."""
    known = firewalls(state)
    error = known.refusal(ns, backend)
    if error is not None or needed is None:
        return error
    closed = backend.closed(known.index(ns, backend).owned, *needed)
    if not closed:
        return None
    return Refused(
        "backend: %s cannot read the table %s, since somebody put into it what only nft knows; so no rule of ours can be kept there. "
        "Take backend: %s, or take that out of the table." % (backend.name, closed[0], DEFAULT.option)
    )


def mixed(ns: int, state: State) -> Tuple[str, ...]:
    """Return the warning that both kinds of iptables have foreign rules, if so: a packet passes both."""
    chains = firewalls(state).foreign(ns).in_use
    names = sorted(backend.name for backend in BACKENDS if any(map(backend.owns_table, chains)))
    if len(names) < 2:
        return ()
    return (
        "%s both have rules here, and a packet passes both; what one accepts the other may drop." % " and ".join(names),
    )


@dataclass(frozen=True)
class Coexistence:
    """What foreign rules do to an item's traffic: ``blocked_by`` names who drops it still, ``maybe`` who may, of those ``doubts`` who may drop
    it from anybody; ``remedies`` what lets it pass there; ``allow`` and ``disallow`` are allowances to make and to end, by backend, ``owned``
    what we own in each of these. ``unread`` says which rules cannot be read, a sentence each."""

    blocked_by: Tuple[str, ...] = ()
    maybe: Tuple[str, ...] = ()
    doubts: Tuple[str, ...] = ()
    remedies: Tuple[str, ...] = ()
    allow: Tuple[Tuple[Backend, Allowance], ...] = ()
    disallow: Tuple[Tuple[Backend, Allowance], ...] = ()
    owned: Mapping[Backend, OwnedRules] = field(default_factory=dict, hash=False)
    last: Tuple[Backend, ...] = ()  # those in which we own nothing else
    unread: Tuple[str, ...] = ()

    def ended(self, backend: Backend) -> int:
        """Return how many allowances end in a backend."""
        return len({allowance for where, allowance in self.disallow if where is backend})

    def changes(self, ref: NsRef) -> List[Change]:
        """Return the steps that make and end the allowances."""
        steps: List[Change] = []
        for backend in dict.fromkeys(backend for backend, dummy in (*self.allow, *self.disallow)):
            allow, disallow = (
                tuple(allowance for where, allowance in listed if where is backend)
                for listed in (self.allow, self.disallow)
            )
            last = backend in self.last and not allow
            steps.append(SetAllowances(ref, allow, disallow, backend, self.owned[backend], last))
        return steps

    @property
    def facts(self) -> Dict[str, Any]:
        """Return what the result says."""
        return {"blocked_by": list(self.blocked_by), "maybe_blocked_by": list(self.maybe)}

    def warnings(self, what: str) -> Tuple[str, ...]:
        """Return the sentences that say who drops ``what``, or may, and what to do."""
        remedy = "; ".join(self.remedies) or "let them through there"
        said = []
        if self.blocked_by:
            said.append("%s are dropped by %s; %s." % (what, " and ".join(self.blocked_by), remedy))
        if self.doubts:
            text = "%s may be dropped by %s, which cannot be told from its rules; %s."
            said.append(text % (what, " and ".join(self.doubts), remedy))
        return tuple(said)


NOTHING = Coexistence()


def look(
    wanted: Sequence[Needing],
    old: Sequence[Allowance],
    option: str,
    ns: int,
    state: State,
    beside: Optional[Beside] = None,
) -> Coexistence:
    """Return what is in the way of packets. ``wanted`` are what needs to pass; ``old`` allowances that may be there and are not needed by that;
    ``option`` is what the user said of the backend. ``beside`` returns what else an allowance serves, see `allowances.Passing`."""
    rules = firewalls(state).foreign(ns)
    known = {backend: firewalls(state).index(ns, backend) for backend in firewalls(state).serving(ns)}
    candidates = [*(item.allowance for item in wanted), *old]
    disallow = [
        (backend, index.allowances[key])
        for backend, index in known.items()
        for key in dict.fromkeys(backend.held_as(allowance).key for allowance in candidates)
        if key in index.allowances
    ]
    found: List[Block] = []
    remedies: Dict[str, None] = {}
    needed: Dict[Tuple[Backend, Allowance], None] = {}
    if rules.base:
        # Here and not above: of use only where others have rules.
        from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import allowances

        passing = allowances.Passing(option, ns, state, beside)
        for item in wanted:
            left, flows = passing.look(item)
            found += left
            in_the_way = [block for block in left if not block.some]
            remedies.update(dict.fromkeys(_remedy(block, rules, flows[0][0]) for block in in_the_way))
        needed = passing.needed
        keys = {(backend, allowance.key) for backend, allowance in needed}
        disallow = [one for one in disallow if (one[0], one[1].key) not in keys and passing.ends(*one)]
    allow = [(backend, allowance) for backend, allowance in needed if not _is_held(known[backend], allowance)]
    owned = {backend: known[backend].owned for backend, dummy in (*allow, *disallow)}
    ended = {backend: len([one for where, one in disallow if where is backend]) for backend in owned}
    sure = dict.fromkeys(block.shown for block in found if block.sure)
    maybe = dict.fromkeys(block.shown for block in found if block.shown not in sure)
    doubts = dict.fromkeys(block.shown for block in found if not block.some and block.shown not in sure)
    return Coexistence(
        blocked_by=tuple(sure),
        maybe=tuple(maybe),
        doubts=tuple(doubts),
        remedies=tuple(remedy for remedy in remedies if remedy),
        allow=tuple(allow),
        disallow=tuple(disallow),
        owned=owned,
        last=tuple(backend for backend in owned if known[backend].only(allowances=ended[backend])),
        unread=tuple(firewalls(state).unread(ns)),
    )


def _is_held(index: RuleIndex, allowance: Allowance) -> bool:
    held = index.allowances.get(allowance.key)
    return held is not None and held.by == allowance.by and index.owned.whole(ALLOWANCES, allowance.family)


def _remedy(block: Block, rules: ForeignRules, packet: Packet) -> str:
    """Return what lets a packet pass a chain of somebody whose tool is known, ``""`` for others."""
    bridge = packet.bridge or packet.iifname or packet.oifname
    if block.chain.table == "inet firewalld" and bridge:
        return "with firewalld: firewall-cmd --zone=trusted --change-interface=%s, and again with --permanent" % bridge
    if bridge and rules.has_tool(block.chain):
        way = "out" if packet.dnat or packet.bridged else "in"
        return "with ufw: ufw route allow %s on %s" % (way, bridge)
    for backend in BACKENDS:
        if backend.drops_in_filter(block.chain):
            return "let them through there, or take backend: %s" % backend.option
    return ""
