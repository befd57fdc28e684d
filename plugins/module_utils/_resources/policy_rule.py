# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The policy rule of ns_route: which packets are looked up in the route's table. Pure.

Our rules carry our protocol number, and are unique by source and table. A foreign rule for the same source and table serves as
well, and is never changed nor removed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import cidr
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import AddPolicy, DelPolicy
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import PROTOCOL
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef, PolicyRule
from ansible_collections.linuxnet.containers.plugins.module_utils._model.values import integer

OPTIONS: Dict[str, Any] = {"rule_source": {"type": "str"}, "rule_priority": {"type": "int"}}
REQUIRED_BY = {"rule_priority": ["rule_source"]}

_BASE, _SIZE = 20000, 10000  # of the priorities that are derived: before main's, 32766
_PRIORITY = integer(1, 32765)


def parse(params: Mapping[str, Any], table: int, always: Sequence[int]) -> Optional[PolicyRule]:
    """Return the rule that the options ask for, its priority 0 where none is given. ``always``: tables that need no rule."""
    if params.get("rule_source") is None:
        return None
    source, priority = cidr(params["rule_source"], "rule_source"), params.get("rule_priority")
    if table in always:
        raise Invalid(
            "rule_source: every packet comes to the table %s anyway; give the route a table of its own, "
            "such as table: 100." % params["table"]
        )
    if priority is not None:
        _PRIORITY(priority, "rule_priority")
    return PolicyRule(6 if ":" in source else 4, source, table, priority or 0, PROTOCOL)


def agreed(asked: Sequence[Tuple[NsRef, PolicyRule]]) -> None:
    """Raise `Invalid` where a task asks for one rule with two priorities: there can be only one."""
    found: Dict[Tuple[NsRef, PolicyRule], int] = {}
    for ns, rule in asked:
        priority = found.setdefault((ns, replace(rule, priority=0)), rule.priority) if rule.priority else 0
        if priority != rule.priority:
            raise Invalid(
                "rule_priority: the rule from %s to table %d in %s cannot have both priority %d and %d."
                % (rule.source, rule.table, ns, priority, rule.priority)
            )


def derived_priority(table: int) -> int:
    """Return the priority of a new rule for which none is given: the same for a table always, from 20000 to 29999."""
    return _BASE + table % _SIZE


def _ours(rules: Sequence[PolicyRule]) -> List[PolicyRule]:
    return [rule for rule in rules if rule.protocol == PROTOCOL and not rule.mark]


def named(wanted: Optional[PolicyRule], rules: Sequence[PolicyRule]) -> List[PolicyRule]:
    """Return the rules for the wanted source and table, ours first, then by priority."""
    key = (wanted.source, wanted.table, 0) if wanted else None  # those with a mark are the noun nat's
    found = [rule for rule in rules if (rule.source, rule.table, rule.mark) == key]
    return sorted(found, key=lambda rule: (rule.protocol != PROTOCOL, rule.priority))


def shared(wanted: Optional[PolicyRule], rules: Sequence[PolicyRule]) -> bool:
    """Return whether another rule of ours leads to the wanted table, and so needs its routes as well."""
    return any(wanted and rule.table == wanted.table and rule.source != wanted.source for rule in _ours(rules))


def present(
    ns: NsRef, wanted: Optional[PolicyRule], rules: Sequence[PolicyRule]
) -> Tuple[Optional[PolicyRule], Optional[PolicyRule], List[Change]]:
    """Return (the rule before, the rule after, changes). Our rule with another priority goes once the new rule is there."""
    if wanted is None:
        return None, None, []
    found = named(wanted, rules)
    before = after = next((rule for rule in found if wanted.priority in (0, rule.priority)), None)
    changes: List[Change] = []
    if after is None:
        before = next(iter(_ours(found)), None)
        after = replace(wanted, priority=wanted.priority or derived_priority(wanted.table))
        changes.append(AddPolicy(ns, after))
    return before, after, [*changes, *(DelPolicy(ns, rule) for rule in _ours(found) if rule != after)]


def absent(
    ns: NsRef, wanted: Optional[PolicyRule], rules: Sequence[PolicyRule], needed: bool
) -> Tuple[Optional[PolicyRule], Optional[PolicyRule], List[Change]]:
    """Return (the rule before, the rule after, changes). Our rule goes, unless other routes of its table need it (``needed``)."""
    found = named(wanted, rules)
    gone = [] if needed else _ours(found)
    kept = [rule for rule in found if rule not in gone]
    return next(iter(found), None), next(iter(kept), None), [DelPolicy(ns, rule) for rule in gone]


def described(rule: Optional[PolicyRule]) -> Dict[str, Any]:
    """Return what the module reports of an item's rule."""
    return {"rule_source": rule.source if rule else None, "rule_priority": rule.priority if rule else None}
