# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, type tunnel: what comes in for a VXLAN comes from its peers only. Pure.

A vxlan device takes what is sent to its UDP port, whoever sends it. The rules tell frames by the VNI, so that those of others on the same port pass as before.
"""

from __future__ import annotations

import collections
from dataclasses import field, replace
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Backend
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    TUNNELS,
    OwnedRules,
    Tunnel,
    in_order,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import DEFAULT
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import address, text
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import coexistence
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import SetTunnel
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.coexistence import Coexistence
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.fence import About
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.source_nat import of_owners
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

VXLAN_PORT = 4789  # RFC 7348
_LAST_VNI, _LAST_PORT = 0xFFFFFF, 0xFFFF
Found = Tuple[Backend, Tunnel, OwnedRules]  # a tunnel, where it is, and what else we own there


@dataclass(frozen=True)
class Want:
    """``tunnel`` is None where all of the owner's are meant, to be gone. ``exclusive``: whatever else the owner has goes, but for ``keep``, the keys of
    what the task wants of it. ``family``, ``needed``, ``named`` and ``ip_forward`` are there for those that need forwarding, which what the
    host takes itself does not."""

    ns: NsRef
    owner: str
    tunnel: Optional[Tunnel]
    present: bool = True
    exclusive: bool = False
    backend: str = "auto"
    keep: FrozenSet[Tuple[int, int]] = frozenset()
    family: int = 0
    ip_forward: bool = False
    by_hand: bool = False  # what people put among our rules goes
    needed: FrozenSet[int] = frozenset()
    named: FrozenSet[About] = field(default=frozenset(), compare=False)
    goes_with: Optional[Tuple[str, FrozenSet[str]]] = None


@dataclass(frozen=True)
class Have:
    """``tunnel`` in ``backend``, where it is to be, and what else we own there (``owned``); ``elsewhere`` those in other backends. ``surplus`` is
    what else the owner has, in any backend, and is not wanted. ``last``: the backends in which we own nothing else."""

    backend: Backend = DEFAULT
    tunnel: Optional[Tunnel] = None
    owned: OwnedRules = field(default_factory=OwnedRules)
    elsewhere: Tuple[Found, ...] = ()
    surplus: Tuple[Found, ...] = ()
    last: Tuple[Backend, ...] = ()
    coexistence: Coexistence = field(default_factory=Coexistence)


def parse(params: Mapping[str, Any], owner: str, comment: str) -> Want:
    """Return the want of a tunnel item. Raises `Invalid`."""
    present = params["state"] == "present"
    options = (NsRef.parse(params.get("netns")), owner)
    if params.get("vni") is None and present:
        raise Invalid("vni is required with type: tunnel.")
    if params.get("vni") is None:
        if params.get("peers") is not None:
            raise Invalid("peers: it does not go without vni, which means all that the owner has.")
        return Want(*options, None, False, True, params["backend"])
    vni, port = params["vni"], params["port"]
    if not 0 <= vni <= _LAST_VNI:
        raise Invalid("vni: %d is not the number of a VXLAN; take one from 0 to %d." % (vni, _LAST_VNI))
    if not 0 < port <= _LAST_PORT:
        raise Invalid("port: %d is not a port; take one from 1 to %d." % (port, _LAST_PORT))
    if present and params.get("peers") is None:
        raise Invalid("peers is required with type: tunnel; an empty list lets nobody in.")
    peers = in_order(_peer(one) for one in params.get("peers") or ())
    return Want(*options, Tunnel(vni, port, peers, owner, comment), present, params["exclusive"], params["backend"])


def together(wants: Sequence[Want]) -> List[Want]:
    """Tell the exclusive ones what else their owner has in the task; the first one of an owner sees to what is not wanted."""
    items = [
        ((want.ns, want.owner), want.tunnel.key if want.tunnel else (0, 0), want.present, want.exclusive)
        for want in wants
    ]
    return [replace(want, exclusive=first, keep=keep) for want, (first, keep) in zip(wants, of_owners(items))]


def _peer(value: Any) -> str:
    """Return the address of a peer. Raises `Invalid`."""
    if "/" in str(value):
        raise Invalid("peers: '%s' is a network; list the address of each peer." % value)
    peer = address(value, "peers")
    if peer.is_multicast or peer.is_unspecified:
        raise Invalid("peers: %s is not an address a host can have." % text(peer))
    return text(peer)


def subject(want: Want) -> str:
    """Return the object in a few words."""
    where = " in %s" % want.ns if want.ns.path else ""
    if want.tunnel is None:
        return "tunnels of %s%s" % (want.owner, where)
    return "tunnel %d on port %d%s" % (want.tunnel.vni, want.tunnel.port, where)


def look(want: Want, ns: int, state: State) -> Have:
    """Return what there is in the namespace ``ns``. The device need not be there."""
    key = want.tunnel.key if want.tunnel else None
    indexes = coexistence.indexes(want.backend, ns, state, (TUNNELS, 0) if want.present else None)
    here = next(iter(indexes))
    found = [
        (backend, index.tunnels[key], index.owned)
        for backend, index in indexes.items()
        if key is not None and key in index.tunnels
    ]
    surplus = [
        (backend, tunnel, index.owned)
        for backend, index in indexes.items()
        for tunnel in (index.tunnels.values() if want.exclusive else ())
        if tunnel.owner == want.owner and tunnel.key != key and tunnel.key not in want.keep
    ]
    gone = collections.Counter(one[0] for one in (*found, *surplus))
    return Have(
        here,
        next((tunnel for backend, tunnel, dummy in found if backend is here), None),
        indexes[here].owned,
        tuple(one for one in found if one[0] is not here),
        tuple(surplus),
        tuple(backend for backend, index in indexes.items() if index.only(tunnels=gone[backend])),
        Coexistence(unread=tuple(firewalls(state).unread(ns))),
    )


def plan(want: Want, have: Have) -> Plan:
    """Return what is to be done. Raises `Refused` where another owner has the tunnel."""
    facts: Mapping[str, Any] = {"satisfied_by": None, **have.coexistence.facts}
    there = [(have.backend, have.tunnel, have.owned)] if have.tunnel is not None else []
    there += have.elsewhere
    owner = there[0][1].owner if there else ""
    if want.tunnel is not None and owner not in ("", want.owner):  # without one, somebody edited it
        if not want.present:
            return Plan({}, {}, extra=facts)
        raise Refused(
            "vni: %d on port %d is kept for the peers of '%s' already; change it under that owner."
            % (want.tunnel.vni, want.tunnel.port, owner)
        )
    before = _describe(want, there[0][1], there[0][0]) if there else {}
    changes: List[Change] = []
    if want.tunnel is not None and want.present and (have.tunnel != want.tunnel or not have.owned.whole(TUNNELS)):
        changes.append(SetTunnel(want.ns, want.tunnel, have.tunnel, have.owned, backend=have.backend))
    going = [one for one in there if not want.present or one[0] is not have.backend]
    going += have.surplus
    final = {backend: number for number, (backend, dummy, owned) in enumerate(going)}
    for number, (backend, tunnel, owned) in enumerate(going):
        alone = backend in have.last and not (want.present and backend is have.backend)
        changes.append(SetTunnel(want.ns, None, tunnel, owned, alone and final[backend] == number, backend))
    if have.surplus:
        before["no_longer_asked_for"] = [tunnel.vni for dummy, tunnel, owned in have.surplus]
    after = _describe(want, want.tunnel, have.backend) if want.tunnel is not None and want.present else {}
    return Plan(before, after, tuple(changes), extra=facts)


def _describe(want: Want, tunnel: Tunnel, backend: Backend) -> Dict[str, Any]:
    return {
        "type": "tunnel",
        "netns": want.ns.option,
        "vni": tunnel.vni,
        "port": tunnel.port,
        "peers": list(tunnel.peers),
        "owner": tunnel.owner,
        "comment": tunnel.comment or None,
        "backend": backend.name,
    }
