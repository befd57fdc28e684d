# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a port fits a bridge of somebody else's, so that the bridge stays as it is. Pure but for the state.

A bridge of which nobody set these has the smallest MTU and the lowest MAC address of its ports (net/bridge/br_if.c, br_stp_if.c): a port of ours has at
least the bridge's MTU, and a MAC address above those of all ports of others, where there are none above the lowest of ours.
"""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import NETNS_DIRECTORY, high_mac
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Link
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import is_own_near
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State


@dataclass(frozen=True)
class Fit:
    """What a port of a bridge has to be: at least of the ``mtu``, in bytes, with a MAC address ``above`` this one, ``""`` where there is no port.
    ``shared``: others have ports on it."""

    mtu: int
    above: str = ""
    shared: bool = False

    def mac(self, identity: str, path: str, peer_name: str) -> str:
        """Return the MAC address of the host end of a pair for ``peer_name`` in the namespace at ``path``."""
        return high_mac(identity, self.above, "veth", path, peer_name, "own")


def fit(ns: int, bridge: Link, name: str, state: State) -> Fit:
    """Return what the port called ``name`` of a bridge of somebody else's has to be."""
    state.open_all()  # else of some pairs nobody could say whose they are
    ours = state.extension(_Ours)
    others = [port for port in state.ports(ns, bridge.index) if port.name != name]
    theirs = [port for port in others if not ours.has(ns, port)]
    macs = sorted(str(port.get("mac") or "") for port in theirs or others)
    above = macs[-1 if theirs else 0] if macs else ""
    return Fit(int(bridge.get("mtu")), above, bool(theirs))


def joining(ns: int, bridge: Link, port: Link, state: State) -> Dict[str, Any]:
    """Return the attributes that the end of a pair needs before it becomes a port of a bridge that others have ports on: a greater MTU, and another
    MAC address where its own is of those that this collection derives."""
    wanted = fit(ns, bridge, port.name, state)
    if not wanted.shared:
        return {}
    found: Dict[str, Any] = {"mtu": wanted.mtu} if port.get("mtu") < wanted.mtu else {}
    made_for = _made_for(port, state) if port.get("mac") <= wanted.above else None
    return dict(found, mac=wanted.mac(state.identity(), *made_for)) if made_for else found


def _made_for(port: Link, state: State) -> Optional[Tuple[str, str]]:
    """Return for whom this collection made a pair (path of the namespace, name in it), None where the port is no host end of such a pair."""
    if port.kind != "veth" or port.peer_ns is None:
        return None
    far = state.link_at(port.peer_ns, port.peer_index)
    for entry in state.entries().of(port.peer_ns) if far is not None else ():
        path = "%s/%s" % (NETNS_DIRECTORY, entry.name)
        if far is not None and is_own_near(path, far.name, port, state.identity()):
            return path, far.name
    return None


class _Ours:
    """The host ends of pairs of this collection: each is recognized once, since every port that comes to their bridge asks."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._known: Set[Tuple[int, int, str, str]] = set()

    def has(self, ns: int, port: Link) -> bool:
        key = (ns, port.index, port.name, str(port.get("mac")))
        if key not in self._known and _made_for(port, self._state):
            self._known.add(key)
        return key in self._known

    def link_deleted(self) -> None:
        """What is deleted is no port any more, so nobody asks for it."""

    def outdate(self, touched: Set[int], steps: Sequence[Change]) -> None:
        """Whose a pair is, is told by what is a key here."""
