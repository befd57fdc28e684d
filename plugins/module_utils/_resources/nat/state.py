# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of a host's firewalls, and of who listens behind them: a part of the state, for those who deal with them. Pure."""

from __future__ import annotations

import collections
from dataclasses import replace
from typing import Any, Dict, List, Mapping, Optional, Protocol, Sequence, Set, Tuple, cast

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import (
    FORMAT,
    Backend,
    Chains,
    Ruleset,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import (
    ForeignRules,
    Published,
    published,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.index import RuleIndex
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.listeners import Listener, Listeners
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import Edit, OwnedRules
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import MAIN_TABLE
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import FirewallChange
from ansible_collections.linuxnet.containers.plugins.module_utils._run.prediction import advance
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State


class Source(Protocol):
    """What a kernel knows of firewalls, besides `_model/kernel_api.Source`. Every method only reads."""

    def backends(self) -> Sequence[Backend]:
        """Return the backends whose programs are here, the usual one of each tool first."""

    def version(self, backend: Backend) -> str:
        """Return what a backend's program says of its version, ``""`` where it does not say."""

    def ruleset(self, ns: int, backend: Backend) -> Ruleset:
        """Return the rule set of one backend; nothing where its tool was not used, or is not here."""

    def filters_bridges(self, ns: int) -> bool:
        """Return whether the kernel has nf_tables for what is bridged; nft is asked, which changes nothing."""

    def listeners(self, ns: int) -> Sequence[Listener]:
        """Return the sockets that take what anybody sends to a port, over TCP, UDP and SCTP."""

    def socket_holders(self) -> Mapping[int, Tuple[int, str]]:
        """Return (pid, command) of the processes that hold sockets, by the socket's inode, as far as they can be seen."""


@dataclass(frozen=True)
class Among:
    """What we own in a backend in which somebody put something among it; ``last``: nothing is left without that."""

    backend: Backend
    owned: OwnedRules
    last: bool = False


class Firewalls:
    """What is known of the firewalls of a host's namespaces, which are named by inode: read on demand, moved on by changes."""

    def __init__(self, state: State) -> None:
        self._source = cast(Source, state.source)
        self._backends: Optional[Sequence[Backend]] = None
        self._rulesets: Dict[Tuple[int, str], Ruleset] = {}
        self._refused: Dict[Tuple[int, str], Refused] = {}  # why a rule set cannot be read: its tool is not asked again
        self._indexes: Dict[Tuple[int, str], RuleIndex] = {}
        self._foreign: Dict[int, ForeignRules] = {}
        self._rules: Dict[int, ForeignRules] = {}
        self._published: Dict[int, Dict[str, List[Published]]] = {}
        self._uplinks: Dict[int, Dict[int, Tuple[str, ...]]] = {}
        self._state = state
        self._listeners: Dict[int, Listeners] = {}
        self._filters_bridges: Optional[bool] = None
        self._socket_holders: Optional[Mapping[int, Tuple[int, str]]] = None
        self.asked_first: Dict[Tuple[Any, ...], Any] = {}  # of `allowances.Passing`: what had an opinion the last time

    def link_deleted(self) -> None:
        """Rules stay when an interface goes."""

    def outdate(self, touched: Set[int], steps: Sequence[Change]) -> None:
        """Take note that namespaces were changed: they are read again when they are asked for."""
        by_namespace: Sequence[Dict[int, Any]] = (
            self._foreign,
            self._rules,
            self._published,
            self._listeners,
            self._uplinks,
        )
        by_backend: Sequence[Dict[Tuple[int, str], Any]] = (self._rulesets, self._indexes)
        for ns in touched:
            for known in by_namespace:
                known.pop(ns, None)
        for read in by_backend:
            for key in [key for key in read if key[0] in touched]:
                del read[key]

    def available(self) -> Sequence[Backend]:
        """Return the backends that can be written, the usual one of each tool first."""
        if self._backends is None:
            self._backends = self._source.backends()
        return self._backends

    def ruleset(self, ns: int, backend: Backend) -> Ruleset:
        """Return the rule set of one backend. It is not read where that of another shows that nothing is in it. Raises `Refused` where its tool
        does not work."""
        key = ns, backend.name
        if key in self._refused:
            raise self._refused[key]
        if key not in self._rulesets:
            try:
                self._rulesets[key] = self._read(ns, backend)
            except Refused as error:
                self._refused[key] = error
                raise
        return self._rulesets[key]

    def _within(self, ns: int, backend: Backend) -> Optional[Backend]:
        """Return the backend whose tool lists the rules of this one as well, None where it has none that works."""
        return backend.within if backend.within is not None and self.refusal(ns, backend.within) is None else None

    def _read(self, ns: int, backend: Backend) -> Ruleset:
        within = self._within(ns, backend)
        if ns < 0 or (within is not None and backend.unused(self.ruleset(ns, within))):
            return backend.nothing()
        found = self._source.ruleset(ns, backend)
        # Somebody may have taken them away between the two looks: then they are not there at a third one.
        if within is not None and backend.unseen(found, self.ruleset(ns, within)):
            unseen = backend.unseen(found, self._source.ruleset(ns, within))
            if unseen:
                said = "it shows nothing, and %s lists the table %s" % (within.program, unseen[0])
                raise KernelError(0, "list %s" % backend.listing, said)
        return found

    def refusal(self, ns: int, backend: Backend) -> Optional[Refused]:
        """Return why a backend does not serve in a namespace, None where it does."""
        if backend not in self.available():
            return Refused("The program %s is not installed on this host." % backend.program)
        try:
            self.ruleset(ns, backend)
        except Refused as error:
            return error
        return None

    def serving(self, ns: int) -> List[Backend]:
        """Return the backends whose rules can be read in a namespace, the usual one of each tool first."""
        return [backend for backend in self.available() if self.refusal(ns, backend) is None]

    def unread(self, ns: int) -> List[str]:
        """Return a sentence for each backend whose rules cannot be read in a namespace, and for what cannot be read of those that can."""
        said = []
        for backend in self.available():
            error, within = self.refusal(ns, backend), self._within(ns, backend)
            if error is not None:
                said.append("What is in %s is left out. %s" % (backend.name, error))
            elif within is not None and backend.closed(self.index(ns, backend).owned):
                hidden = backend.hidden(self.index(ns, backend).owned, self.ruleset(ns, within))
                text = "Rules of ours in the table %s stay: %s can no longer read it, for somebody put into it what only %s knows."
                said += [text % (name, backend.name, within.program) for name in hidden]
        return said

    def index(self, ns: int, backend: Backend) -> RuleIndex:
        """Return what we own in one backend of a namespace. Raises `Refused` where a later release wrote it: nobody here knows what it means."""
        key = ns, backend.name
        if key not in self._indexes:
            number = backend.format(self.ruleset(ns, backend))
            if number > FORMAT:
                text = "Our rules in %s are of format %d, which a later release of linuxnet.containers wrote, and this one knows none after %d: use that one."
                raise Refused(text % (backend.name, number, FORMAT))
            self._indexes[key] = RuleIndex(backend, backend.owned(self.ruleset(ns, backend)))
        return self._indexes[key]

    def by_hand(self, ns: int) -> List[Among]:
        """Return where somebody put something among ours."""
        indexes = [self.index(ns, backend) for backend in self.serving(ns)] if ns > 0 else []
        return [Among(index.backend, index.owned) for index in indexes if index.owned.strangers]

    def without_by_hand(self, ns: int) -> List[Among]:
        """Return the same, and know it as gone from now on, so that what is planned beside it takes no heed of it."""
        found = self.by_hand(ns)
        for among in found:
            self.index(ns, among.backend).advance(Edit(reclaim=True))
        return [replace(among, last=self.index(ns, among.backend).only()) for among in found]

    def filters_bridges(self, ns: int, backend: Backend) -> bool:
        """Return whether what is bridged can be filtered in a namespace: there are rules for that already, or else the kernel is asked, once."""
        if self.index(ns, backend).spoof_checks or self.index(ns, backend).apart or ns < 0:
            return True
        if self._filters_bridges is None:
            self._filters_bridges = self._source.filters_bridges(ns)
        return self._filters_bridges

    def foreign(self, ns: int) -> ForeignRules:
        """Return the rules of others."""
        if ns not in self._foreign:
            chains: Chains = {}
            for backend in self.serving(ns):
                chains.update(backend.foreign(self.ruleset(ns, backend), chains))
            self._foreign[ns] = ForeignRules(chains)
        return self._foreign[ns]

    def rules(self, ns: int) -> ForeignRules:
        """Return the rules of all, ours as well."""
        if ns not in self._rules:
            chains: Chains = {}
            for backend in self.serving(ns):
                chains.update(backend.chains(self.ruleset(ns, backend), chains))
            self._rules[ns] = ForeignRules(chains)
        return self._rules[ns]

    def uplinks(self, ns: int, family: int) -> Tuple[str, ...]:
        """Return the interfaces of the default routes of a family, those of the smallest metric; found once a namespace."""
        known = self._uplinks.setdefault(ns, {})
        if family not in known:
            routes = [
                route
                for route in self._state.routes(ns, family, MAIN_TABLE)
                if route.shown_destination == "default" and route.type == "unicast"
            ]
            best = min((route.metric for route in routes), default=0)
            ways = [
                name
                for route in routes
                if route.metric == best
                for name in (route.interface, *(hop.interface for hop in route.nexthops))
            ]
            known[family] = tuple(dict.fromkeys(name for name in ways if name))
        return known[family]

    def foreign_ports(self, ns: int) -> Mapping[str, Sequence[Published]]:
        """Return the ports that foreign rules send on, by protocol."""
        if ns not in self._published:
            found = self._published[ns] = collections.defaultdict(list)
            for port in published(self.foreign(ns)):
                found[port.protocol].append(port)
        return self._published[ns]

    def listeners(self, ns: int) -> Listeners:
        """Return the ports of a namespace that processes listen on; one read a namespace."""
        if ns not in self._listeners:
            self._listeners[ns] = Listeners(self._source.listeners(ns) if ns > 0 else ())
        return self._listeners[ns]

    def socket_holder(self, inode: int) -> Optional[Tuple[int, str]]:
        """Return (pid, command) of the process that has a socket, None where it cannot be seen; one read."""
        if self._socket_holders is None:
            self._socket_holders = self._source.socket_holders()
        return self._socket_holders.get(inode)

    def listener_name(self, listener: Listener) -> str:
        """Return whose a listener is, in words."""
        holder = self.socket_holder(listener.inode)
        return "%s (process %d)" % (holder[1], holder[0]) if holder else "a process that cannot be seen from here"


def firewalls(state: State) -> Firewalls:
    """Return what a state knows of firewalls."""
    return state.extension(Firewalls)


@advance.register(FirewallChange)
def _advance(step: FirewallChange, state: State) -> None:
    firewalls(state).index(state.need(step.ns), step.backend).advance(step.edited())
