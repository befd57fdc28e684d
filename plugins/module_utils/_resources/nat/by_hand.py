# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people put among our rules: it is told, and one item of a task takes it away where that is asked for. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, Hashable, Iterable, List, Mapping, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import ByHand
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import TakeBack
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import Among
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan

KEEP, REMOVE = "keep", "remove"


def asked(params: Mapping[str, Any]) -> bool:
    """Return whether the options of an item ask for it to be taken away: they say so, or else they are exclusive."""
    return bool((params.get("by_hand") or (REMOVE if params.get("exclusive") else KEEP)) == REMOVE)


def firsts(wants: Sequence[Tuple[Hashable, bool]]) -> List[bool]:
    """Return which items of a task see to it, of all as (namespace, whether it asks for that): the first one of each namespace in which any asks, so that
    none of the others takes heed of what goes."""
    asking = {ns for ns, asks in wants if asks}
    seen: Set[Hashable] = set()
    found = []
    for ns, dummy in wants:
        found.append(ns in asking and ns not in seen)
        seen.add(ns)
    return found


def taken_back(plan: Plan, ns: NsRef, there: Sequence[Among]) -> Plan:
    """Return a plan that takes away what is ``there`` before anything else, but for what only its like can take away."""
    going = [among for among in there if any(one.words for one in among.owned.strangers)]
    changes = [TakeBack(ns, among.owned, among.last and not plan.after, among.backend) for among in going]
    gone = [str(one) for among in going for one in among.owned.strangers if one.words]
    before: Dict[str, Any] = {**plan.before, **({"by_hand": gone} if gone else {})}
    planned = replace(plan, before=before, changes=(*changes, *plan.changes))
    return _warned(planned, [one for among in there for one in among.owned.strangers if not one.words])


def told(plan: Plan, there: Sequence[Among]) -> Plan:
    """Return a plan that leaves what is ``there``, and says so."""
    return _warned(plan, [one for among in there for one in among.owned.strangers])


def _warned(plan: Plan, left: Iterable[ByHand]) -> Plan:
    said = "; in ".join(map(str, left))
    text = "Among our rules are some without the mark of this collection; they are left alone. In %s. "
    text += "An exclusive item of nat takes them away, and wiring_purge does."
    return replace(plan, warnings=(*plan.warnings, text % said)) if said else plan
