# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of a host's firewalls, and of who listens behind them: a part of the state, for those who deal with them. Pure."""

from __future__ import annotations

import collections
from typing import Any, Dict, List, Mapping, Optional, Protocol, Sequence, Set, Tuple, cast

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import (
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
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
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


class Firewalls:
    """What is known of the firewalls of a host's namespaces, which are named by inode: read on demand, moved on by changes."""

    def __init__(self, state: State) -> None:
        self._source = cast(Source, state.source)
        self._backends: Optional[Sequence[Backend]] = None
        self._rulesets: Dict[Tuple[int, str], Ruleset] = {}
        self._indexes: Dict[Tuple[int, str], RuleIndex] = {}
        self._foreign: Dict[int, ForeignRules] = {}
        self._published: Dict[int, Dict[str, List[Published]]] = {}
        self._listeners: Dict[int, Listeners] = {}
        self._filters_bridges: Optional[bool] = None
        self._socket_holders: Optional[Mapping[int, Tuple[int, str]]] = None

    def link_deleted(self) -> None:
        """Rules stay when an interface goes."""

    def outdate(self, touched: Set[int], steps: Sequence[Change]) -> None:
        """Take note that namespaces were changed: they are read again when they are asked for."""
        by_namespace: Sequence[Dict[int, Any]] = (self._foreign, self._published, self._listeners)
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
        """Return the rule set of one backend. It is not read where that of another shows that nothing is in it."""
        key = ns, backend.name
        if key not in self._rulesets:
            within = backend.within if backend.within in self.available() else None
            unused = ns < 0 or (within is not None and backend.unused(self.ruleset(ns, within)))
            self._rulesets[key] = backend.nothing() if unused else self._source.ruleset(ns, backend)
        return self._rulesets[key]

    def index(self, ns: int, backend: Backend) -> RuleIndex:
        """Return what we own in one backend of a namespace."""
        key = ns, backend.name
        if key not in self._indexes:
            self._indexes[key] = RuleIndex(backend, backend.owned(self.ruleset(ns, backend)))
        return self._indexes[key]

    def filters_bridges(self, ns: int, backend: Backend) -> bool:
        """Return whether what is bridged can be filtered in a namespace: there are checks already, or else the kernel is asked, once."""
        if self.index(ns, backend).spoof_checks or ns < 0:
            return True
        if self._filters_bridges is None:
            self._filters_bridges = self._source.filters_bridges(ns)
        return self._filters_bridges

    def foreign(self, ns: int) -> ForeignRules:
        """Return the rules of others."""
        if ns not in self._foreign:
            chains: Chains = {}
            for backend in self.available():
                chains.update(backend.foreign(self.ruleset(ns, backend), chains))
            self._foreign[ns] = ForeignRules(chains)
        return self._foreign[ns]

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
