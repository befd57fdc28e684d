# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task returns: a result an item, the diff, and what many results come to. Pure."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ansible_collections.linuxnet.containers.plugins.module_utils._model.commands import visible
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Lacking, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import show
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan, Sides

_LINES = re.compile(r"([\n\t])")
_NAMES = ("name", "interface", "destination")  # what names an object, and is in the title of its diff as well


def of_failure(subject: str, error: Refused) -> Dict[str, Any]:
    """Return the result of an item that failed."""
    result: Dict[str, Any] = {"changed": False, "failed": True, "msg": visible(str(error)), "item": subject}
    return dict(result, missing=error.missing) if isinstance(error, Lacking) else result


def of_plan(title: str, plan: Plan, after: Mapping[str, Any], told: Optional[Sides] = None) -> Dict[str, Any]:
    """Return the result of an item that was carried out, or would be; ``after`` is the object as it is then. The diff is of what is ``told``, else of
    all attributes; ``title`` heads it."""
    return {
        "changed": plan.changed,
        "before": dict(plan.before),
        "after": dict(after),
        "diff": _diff(title, plan, told),
        "commands": [str(line) for step in plan.changes for line in step.commands()],
        **plan.extra,
    }


def _diff(title: str, plan: Plan, told: Optional[Sides]) -> Dict[str, str]:
    """Return Ansible's diff: one line an attribute that changes, or an effect where it is ``told`` by effects."""
    before, after = _named(title, plan, told) if told else (plan.before, plan.after)
    names = list(dict.fromkeys([*before, *after]))
    changing = (
        [name for name in names if name not in plan.hidden and before.get(name) != after.get(name)]
        if plan.changed
        else []
    )
    sides = {}
    for side, values in (("before", before), ("after", after)):
        shown = [
            name
            for name in changing
            if name in values and (bool(before) == bool(after) or values[name] not in (None, "", [], {}))
        ]
        sides[side] = "".join("%s %s\n" % (name, line) for name in shown for line in _lines(values[name]))
    return {"before_header": title, "after_header": title, **sides}


def _named(title: str, plan: Plan, told: Sides) -> Sides:
    """Return the effects of a plan, where an object is made or goes, with a word for that in the place of what names it, if the title does."""
    sides = []
    for side, other, word in ((told[0], plan.after, "removed"), (told[1], plan.before, "made")):
        named = [] if other else [name for name in _NAMES if side.get(name) in title.split()]
        left = {name: value for name, value in side.items() if name not in named}
        sides.append({**({"is": word} if named else {}), **left})
    return sides[0], sides[1]


def _lines(value: Any) -> List[str]:
    """Return the texts of an attribute's lines: of a tuple, which only `Resource.effect` makes, one each."""
    return [show(one) for one in value] if isinstance(value, tuple) else [show(value)]


def summary(results: Sequence[Mapping[str, Any]]) -> Dict[str, Any]:
    """Return what the results of many items come to: ``changed``, ``diff`` and ``commands``."""
    return {
        "changed": any(result["changed"] for result in results),
        "diff": [result["diff"] for result in results if result["changed"]],
        "commands": [line for result in results for line in result.get("commands", [])],
    }


def failures(results: Sequence[Mapping[str, Any]]) -> str:
    """Return which items failed and why, ``""`` where none did."""
    failed: List[str] = ["%s: %s" % (result["item"], result["msg"]) for result in results if result.get("failed")]
    return "%d of %d items failed. %s" % (len(failed), len(results), "; ".join(failed)) if failed else ""


def readable(value: Any) -> Any:
    """Return a result in which every character can be seen and sent: names and aliases that others chose may have bytes that are no
    UTF-8, which Ansible refuses, and characters that a terminal obeys."""
    if isinstance(value, str):
        return value if value.isprintable() else "".join(map(_seen, _LINES.split(value)))
    if isinstance(value, dict):
        return {name: readable(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [readable(entry) for entry in value]
    return value


def _seen(part: str) -> str:
    return part if part in ("\n", "\t") else visible(part)
