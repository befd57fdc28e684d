# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of a host's firewalls, and of who listens behind them: a part of the state, for those who deal with them. Pure."""

from __future__ import annotations

import collections
from typing import Any, Dict, List, Mapping, Optional, Protocol, Sequence, Set, Tuple, cast

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall import foreign
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends import (
    iptables,
    iptables_save,
    nftables,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_save import Tables
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_snat import TABLE
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.index import Table
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.listeners import Listener, Listeners
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State


class Source(Protocol):
    """Where the facts come from, besides `_model/kernel_api.Source`. Every method only reads."""

    def ruleset(self, ns: int) -> Sequence[Dict[str, Any]]:
        """Return the nftables objects in nft's JSON."""

    def saved(self, ns: int, place: str) -> Mapping[int, Tables]:
        """Return the tables of one kind of iptables by address family: all families that the kernel has, empty where not in use."""

    def firewalls(self) -> Sequence[str]:
        """Return the places that can be written, the usual one of each tool first."""

    def listeners(self, ns: int) -> Sequence[Listener]:
        """Return the sockets that take what anybody sends to a port, over TCP, UDP and SCTP."""

    def socket_holders(self) -> Mapping[int, Tuple[int, str]]:
        """Return (pid, command) of the processes that hold sockets, by the socket's inode, as far as they can be seen."""


class Walls:
    """Facts about the firewalls of a host's namespaces, read on demand and moved on by changes."""

    def __init__(self, state: State) -> None:
        self._source = cast(Source, state.source)
        self._rulesets: Dict[int, List[Dict[str, Any]]] = {}
        self._saved: Dict[Tuple[int, str], Mapping[int, iptables_save.Tables]] = {}
        self._firewalls: Optional[Sequence[str]] = None
        self._others: Dict[int, foreign.Others] = {}
        self._published: Dict[int, Dict[str, List[foreign.Published]]] = {}
        self._tables: Dict[Tuple[int, str], Table] = {}
        self._listeners: Dict[int, Listeners] = {}
        self._socket_holders: Optional[Mapping[int, Tuple[int, str]]] = None

    def outdate(self, touched: Set[int], steps: Sequence[Change]) -> None:
        """Take note that namespaces were changed: they are read again when they are asked for."""
        by_namespace: Sequence[Dict[int, Any]] = (self._rulesets, self._others, self._published, self._listeners)
        by_place: Sequence[Dict[Tuple[int, str], Any]] = (self._saved, self._tables)
        for ns in touched:
            for facts in by_namespace:
                facts.pop(ns, None)
        for places in by_place:
            for key in [key for key in places if key[0] in touched]:
                del places[key]

    def ruleset(self, ns: int) -> List[Dict[str, Any]]:
        """Return the nftables objects of a namespace in nft's JSON."""
        if ns not in self._rulesets:
            self._rulesets[ns] = [] if ns < 0 else list(self._source.ruleset(ns))
        return self._rulesets[ns]

    def firewalls(self) -> Sequence[str]:
        """Return the places that can be written, the usual one of each tool first."""
        if self._firewalls is None:
            self._firewalls = self._source.firewalls()
        return self._firewalls

    def saved(self, ns: int, place: str) -> Mapping[int, iptables_save.Tables]:
        """Return the tables of one kind of iptables by address family. iptables-nft is not asked where nft sees none of its."""
        if (ns, place) not in self._saved:
            empty: Mapping[int, iptables_save.Tables] = {4: {}, 6: {}}
            names = {"%(family)s %(name)s" % item["table"] for item in self.ruleset(ns) if "table" in item}
            unseen = place == "iptables-nft" and NFTABLES in self.firewalls() and not names & iptables_save.NFT_TABLES
            self._saved[ns, place] = empty if ns < 0 or unseen else self._source.saved(ns, place)
        return self._saved[ns, place]

    def others(self, ns: int) -> foreign.Others:
        """Return the rule sets of others."""
        if ns not in self._others:
            objects = self.ruleset(ns)
            chains = foreign.from_nft(objects, TABLE, iptables_save.OURS)
            for place in self.firewalls() if ns > 0 else ():
                if place != NFTABLES:
                    chains.update(iptables_save.chains_of(place, self.saved(ns, place), chains))
            self._others[ns] = foreign.Others(chains)
        return self._others[ns]

    def published_by_others(self, ns: int) -> Mapping[str, Sequence[foreign.Published]]:
        """Return the ports that rules of others send on, by protocol."""
        if ns not in self._published:
            found = self._published[ns] = collections.defaultdict(list)
            for one in foreign.published(self.others(ns)):
                found[one.protocol].append(one)
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

    def table(self, ns: int, place: str = NFTABLES) -> Table:
        """Return what we hold in one place of a namespace."""
        if (ns, place) not in self._tables:
            if place == NFTABLES:
                held = nftables.contents(self.ruleset(ns))
            else:
                held = iptables.contents(self.saved(ns, place))
            self._tables[ns, place] = Table(held)
        return self._tables[ns, place]


def walls(state: State) -> Walls:
    """Return what a state knows of firewalls."""
    return state.extension(Walls)
