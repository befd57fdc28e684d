# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Isolated ports of a bridge, and what is published behind one of them where br_netfilter is on. Pure.

br_netfilter shows a bridged packet to the rules for IP. One that is sent to the host, and that they translate to a container on the same bridge, it
bridges on to that one's port, instead of having it routed; and between isolated ports the bridge drops all. So there a rule keeps that port from the
others in place of its flag: it lets pass what was sent to the bridge itself, and nothing else. The others keep their flag, and this one has it again as
soon as nothing is published behind it, or br_netfilter is off, or the rule is not there.

The port's alias says that its flag is off for that reason, so that the noun bridge_port leaves it off.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Backend
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.index import RuleIndex
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    SPOOFING,
    OwnedRules,
    PortMapping,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import AUTO, BACKENDS
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import APART
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Link, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import SetApart
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.hairpins import (
    Note,
    notable,
    unneeded_ports,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

_BACKEND = next(backend for backend in BACKENDS if backend.checks_ports)
_OPEN: Mapping[str, Any] = {"isolated": False, "alias": APART}
_CLOSED: Mapping[str, Any] = {"isolated": True, "alias": ""}


@dataclass(frozen=True)
class Apart:
    """``on`` are ports that a rule is to keep from the others, ``off`` those that it no longer is to; ``opened`` those whose flag goes, when the
    rule stands, ``closed`` those that get it again, before it goes, each as it is. ``owned`` is what we own, ``last``: nothing else is in the table
    afterwards. ``lacking``: why a port that needs the rule has to do without."""

    on: Tuple[Note, ...] = ()
    off: Tuple[Note, ...] = ()
    opened: Tuple[Link, ...] = ()
    closed: Tuple[Link, ...] = ()
    owned: OwnedRules = field(default_factory=OwnedRules)
    last: bool = False
    lacking: str = ""

    def changes(self, ns: NsRef) -> List[Change]:
        """Return the steps, in order."""
        steps: List[Change] = [_set(ns, port, _CLOSED) for port in self.closed]
        if self.on or self.off:
            steps.append(SetApart(ns, self.on, self.off, self.owned, self.last, _BACKEND))
        return steps + [replace(_set(ns, port, _OPEN), opens=True) for port in self.opened]


def _set(ns: NsRef, port: Link, wanted: Mapping[str, Any]) -> SetLink:
    """Return the step that gives a port what is wanted; one that is none any more has no flag."""
    wanted = {name: value for name, value in wanted.items() if name != "isolated" or port.master}
    old = {name: port.get(name) or type(value)() for name, value in wanted.items()}
    new = {name: value for name, value in wanted.items() if old[name] != value}
    return SetLink(ns, port.name, new, {name: old[name] for name in new})


def look(
    port: Optional[Link],
    bridge: str,
    option: str,
    leaving: Set[PortMapping],
    indexes: Mapping[Backend, RuleIndex],
    ns: int,
    state: State,
) -> Apart:
    """Return what is to be done when a port of a bridge has something published behind it, by the backend that ``option`` says, and what is published is
    not any more where it is ``leaving``; ``port`` is None where nothing is."""
    apart = port is not None and (bool(port.get("isolated")) or port.get("alias") == APART)
    on = apart and state.filters_bridged(ns)
    error = firewalls(state).refusal(ns, _BACKEND)
    if error is not None:
        text = str(error).rstrip(".")
        closed: Tuple[Link, ...] = (port,) if port is not None and port.get("alias") == APART else ()
        return Apart(closed=closed, lacking=text[:1].lower() + text[1:] if on else "")
    index = firewalls(state).index(ns, _BACKEND)
    name = port.name if port is not None else ""
    off = [note for note in _unneeded(bridge, leaving, index, indexes, ns, state) if note[0] != name]
    links = [state.link(ns, other) for other, dummy in off]
    closed = tuple(link for link in links if link is not None and link.get("alias") == APART)
    put: Tuple[Note, ...] = ()
    opened: Tuple[Link, ...] = ()
    lacking = _lacking(port, option, index, ns, state) if port is not None and on else ""
    if port is not None and on and not lacking:
        whole = index.apart.get(name) == bridge and index.owned.whole(SPOOFING)
        put = () if whole else ((name, bridge),)
        opened = (port,) if port.get("isolated") or port.get("alias") != APART else ()
    elif port is not None:
        off += [(name, index.apart[name])] if name in index.apart else []
        closed += (port,) if port.get("alias") == APART else ()
    last = not put and not index.spoof_checks and len(index.apart) == len(off)
    return Apart(put, tuple(off), opened, closed, index.owned, last, lacking)


def unguarded(bridge: str, ns: int, state: State) -> Apart:
    """Return what closes ports of a bridge that no rule keeps from the others any more, and that have no flag: after a flush."""
    link = state.link(ns, bridge)
    ports = state.ports(ns, link.index) if link is not None and link.index > 0 else []
    marked = [port for port in ports if port.get("alias") == APART]
    if marked and firewalls(state).refusal(ns, _BACKEND) is None:
        index = firewalls(state).index(ns, _BACKEND)
        whole = index.owned.whole(SPOOFING)
        marked = [port for port in marked if not (whole and index.apart.get(port.name) == bridge)]
    return Apart(closed=tuple(marked))


def _lacking(port: Link, option: str, index: RuleIndex, ns: int, state: State) -> str:
    """Return why no rule can keep a port from the others of its bridge."""
    if option not in (AUTO, _BACKEND.option):
        return "%s has no rules for what is bridged" % option
    if not notable(port.name):
        return "no rule can carry its name"
    if port.get("alias") not in ("", None, APART):
        return "its alias, which would say so, is '%s'" % port.get("alias")
    if not firewalls(state).filters_bridges(ns, _BACKEND):
        return "the kernel has no nf_tables for bridges (CONFIG_NF_TABLES_BRIDGE)"
    others: Sequence[Link] = state.ports(ns, port.master)
    free = [one.name for one in others if not one.get("isolated") and one.get("alias") != APART]
    return "%s is not, so it would be kept from that one as well" % free[0] if free else ""


def _unneeded(
    kept: str,
    leaving: Set[PortMapping],
    index: RuleIndex,
    indexes: Mapping[Backend, RuleIndex],
    ns: int,
    state: State,
) -> List[Note]:
    """Return the notes of ports behind which nothing is published any more. ``kept``: the bridge behind which something is."""
    names: Dict[str, None] = {}
    # Also where the rules of what was published are gone already.
    noted = [bridge for bridge in index.apart.values() if bridge]  # what somebody put there says none
    bridges = [*noted, *(mapping.bridge for mapping in leaving if index.apart and mapping.bridge)]
    for bridge in dict.fromkeys(bridges):
        behind = [mapping for mapping in leaving if mapping.bridge == bridge]
        if bridge != kept and sum(one.bridges[bridge] for one in indexes.values()) <= len(behind):
            # With the last one those of ports that are gone go, too.
            names.update(dict.fromkeys(port for port, of in index.apart.items() if of == bridge))
        else:
            names.update(unneeded_ports(bridge, behind, leaving, indexes, ns, state))
    return [(name, index.apart[name]) for name in names if name in index.apart]
