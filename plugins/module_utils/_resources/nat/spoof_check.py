# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, type spoof_check: what comes in by a port of a bridge under a name that is not its own is dropped. Pure.

iptables has no way to say it: there rules are for what is forwarded, and a bridge shows them IP only, if it does.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    SPOOFING,
    UNREADABLE,
    OwnedRules,
    SpoofCheck,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import AUTO, BACKENDS
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import (
    link_local,
    network,
    network_text,
    outermost,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._model.values import mac
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import SetSpoofCheck
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.coexistence import (
    NOTHING,
    Coexistence,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.fence import About
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.names import interface
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

_BACKEND = next(backend for backend in BACKENDS if backend.checks_ports)


@dataclass(frozen=True)
class Want:
    """A check; with a port of ``""``, to be gone, all of the owner's. ``addresses`` None: those that are let through are left as they are.
    ``exclusive``: whatever else the owner has goes, but for ``keep``, the ports that the task asks for. ``optional``: where it cannot be had
    that is a warning. ``family``, ``needed``, ``named`` and ``ip_forward`` are there for those that need forwarding."""

    ns: NsRef
    check: SpoofCheck
    addresses: Optional[Tuple[str, ...]] = None
    present: bool = True
    exclusive: bool = False
    optional: bool = False
    backend: str = _BACKEND.option
    family: int = 0
    ip_forward: bool = False
    needed: FrozenSet[int] = frozenset()
    named: FrozenSet[About] = field(default=frozenset(), compare=False)
    keep: FrozenSet[str] = frozenset()
    goes_with: Optional[Tuple[str, FrozenSet[str]]] = None


@dataclass(frozen=True)
class Have:
    """``check`` of the port, ``surplus`` what else the owner has and is not wanted, ``owned`` all that we own; ``lacking``: why there can be none.
    ``last``: nothing else is checked; ``coexistence`` says what cannot be read."""

    check: Optional[SpoofCheck] = None
    surplus: Tuple[SpoofCheck, ...] = ()
    owned: OwnedRules = field(default_factory=OwnedRules)
    lacking: str = ""
    last: bool = False
    coexistence: Coexistence = NOTHING


def parse(params: Mapping[str, Any], owner: str, comment: str) -> Want:
    """Return the want of a spoof_check item. Raises `Invalid`."""
    present = params["state"] == "present"
    if params["backend"] not in (AUTO, _BACKEND.option):
        raise Invalid(
            "backend: %s cannot check what comes in by a port of a bridge; %s can."
            % (params["backend"], _BACKEND.option)
        )
    own = mac(params["mac"], "mac") if params.get("mac") else ""
    if present:
        for option in ("interface", "mac"):
            if not params.get(option):
                raise Invalid("%s is required with type: spoof_check." % option)
    port = interface(params["interface"], "interface", present) if params.get("interface") else ""
    addresses = params.get("addresses")
    nets = outermost(network_text(network(text, "addresses")) for text in addresses or ())
    if own:
        nets = tuple(one for one in nets if one != link_local(own))  # it is let through anyway
    return Want(
        NsRef.parse(params.get("netns")),
        SpoofCheck(port, own, nets, owner, comment),
        None if addresses is None else nets,
        present,
        params["exclusive"],
        params["optional"],
    )


def together(wants: Sequence[Want]) -> List[Want]:
    """Tell the exclusive ones what else their owner has in the task; the first one of an owner sees to what is not wanted."""
    keep: Dict[Tuple[NsRef, str], Set[str]] = {}
    for want in (want for want in wants if want.present):
        keep.setdefault((want.ns, want.check.owner), set()).add(want.check.interface)
    seen: Set[Tuple[NsRef, str]] = set()
    told = []
    for want in wants:
        owner = want.ns, want.check.owner
        first = (want.exclusive or not want.check.interface) and owner not in seen
        if first:
            seen.add(owner)
        told.append(replace(want, exclusive=first, keep=frozenset(keep.get(owner, ())) if first else frozenset()))
    return told


def subject(want: Want) -> str:
    """Return the object in a few words."""
    what = want.check.interface or "of %s" % want.check.owner
    return "spoof_check %s%s" % (what, " in %s" % want.ns if want.ns.path else "")


def look(want: Want, ns: int, state: State) -> Have:
    """Return what there is in the namespace ``ns``. The port need not be there."""
    known = firewalls(state)
    error = known.refusal(ns, _BACKEND)
    if error is not None:
        unread = tuple(known.unread(ns)) if not want.present else ()
        said = str(error).rstrip(".")
        return Have(lacking=said[:1].lower() + said[1:], coexistence=Coexistence(unread=unread))
    index = known.index(ns, _BACKEND)
    check = index.spoof_checks.get(want.check.interface)
    surplus = [
        one for one in (index.checks_of(want.check.owner) if want.exclusive else ()) if one.interface not in want.keep
    ]
    surplus = [one for one in surplus if one.interface != want.check.interface]
    going = len(surplus) + (check is not None and not want.present and check.owner == want.check.owner)
    lacking = ""
    if want.present and not known.filters_bridges(ns, _BACKEND):
        lacking = "the kernel has no nf_tables for bridges (CONFIG_NF_TABLES_BRIDGE)"
    return Have(check, tuple(surplus), index.owned, lacking, len(index.spoof_checks) == going)


def plan(want: Want, have: Have) -> Plan:
    """Return what is to be done. Raises `Refused` where nothing can be checked."""
    facts: Mapping[str, Any] = {"satisfied_by": None, **have.coexistence.facts}
    if have.lacking:
        text = "What comes in by %s is not checked for spoofing: %s." % (want.check.interface or "ports", have.lacking)
        if want.present and not want.optional:
            raise Refused(text)
        # The sentence is the same for each, so that a task of many says it once.
        said = ("Nothing that comes in by a port of a bridge is checked for spoofing: %s." % have.lacking,)
        return Plan({}, {}, warnings=said if want.present else (), extra=facts)
    there = have.check
    if there is not None and not want.present and there.owner != want.check.owner:
        there = None
    before: Dict[str, Any] = _describe(want, there) if there is not None else {}
    if have.surplus:
        before["no_longer_asked_for"] = [one.interface for one in have.surplus]
    if not want.check.interface and have.surplus:
        before = dict(_describe(want, have.surplus[0]), **before)
    changes: List[Change] = []
    wanted = want.check
    if want.addresses is None and there is not None:
        wanted = replace(wanted, addresses=there.addresses)
    if want.present and (there != wanted or not have.owned.whole(SPOOFING)):
        changes.append(SetSpoofCheck(want.ns, wanted, there, have.owned))
    gone = [*have.surplus, *([there] if there is not None and not want.present else [])]
    for number, one in enumerate(gone, 1):
        changes.append(SetSpoofCheck(want.ns, None, one, have.owned, have.last and number == len(gone)))
    return Plan(before, _describe(want, wanted) if want.present else {}, tuple(changes), extra=facts)


def _describe(want: Want, check: SpoofCheck) -> Dict[str, Any]:
    return {
        "type": "spoof_check",
        "netns": want.ns.option,
        "interface": check.interface,
        "mac": None if check.mac == UNREADABLE else check.mac,
        "addresses": list(check.addresses),
        "owner": check.owner,
        "comment": check.comment or None,
        "backend": _BACKEND.name,
    }
