# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a host stands to a plan, by network and container, as check mode tells it; for people, and for programs. Pure."""

from __future__ import annotations

from typing import Any, Collection, Dict, List, Mapping, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.failing import Results, outcomes
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.kept import Kept
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.recap import port
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import Plan

AS_KEPT, DIFFERS, MISSING, FAILED, RESTS = "as kept", "differs", "missing", "failed", "not running"
_ITSELF = ("netns", "join", "bridge")  # the steps that make the thing itself
_MARGIN = 2  # blanks between columns


def standing(
    what: Kept,
    plan: Plan,
    results: Results,
    wired: Mapping[str, Mapping[str, Any]],
    resting: Collection[str] = (),
) -> Dict[str, Dict[str, Dict[str, Any]]]:
    """Return by ``networks`` and ``containers``, and name, how each that is kept stands.

    ``{state, reasons, objects}``: ``state`` is `AS_KEPT`, `DIFFERS`, `MISSING` (its bridge or namespace is not there), `FAILED` (it cannot be told,
    for the ``reasons``), or `RESTS`, of those ``resting`` of which nothing is left; ``objects`` are those that differ. A container has ``addresses`` and
    ``published_ports`` besides, as they are or would be; ``wired`` is what ``wiring_result`` has.
    """
    listed = {"networks": what.networks, "containers": what.containers}
    told = outcomes(plan, results)
    found = {
        kind: {entry["name"]: _one(told.get((kind[:-1], entry["name"]), ())) for entry in entries}
        for kind, entries in listed.items()
    }
    for name, one in found["containers"].items():
        if name in resting and one["state"] == AS_KEPT:
            one["state"] = RESTS
    for name, container in wired.items():
        if name in found["containers"]:
            addresses = [one for interface in container["interfaces"] for one in interface["addresses"]]
            found["containers"][name].update(addresses=addresses, published_ports=container["published_ports"])
    return found


def _one(told: Sequence[Tuple[str, Mapping[str, Any]]]) -> Dict[str, Any]:
    reasons = [result["msg"] for dummy, result in told if result.get("failed")]
    changed = [(step, result) for step, result in told if result["changed"]]
    objects = list(dict.fromkeys(result["diff"]["before_header"] for dummy, result in changed))
    state = FAILED if reasons else DIFFERS if changed else AS_KEPT
    if state == DIFFERS and any(step in _ITSELF and not result["before"] for step, result in changed):
        state = MISSING
    return {"state": state, "reasons": reasons, "objects": objects}


def stands(found: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> bool:
    """Return whether all is as the plan says."""
    return all(one["state"] in (AS_KEPT, RESTS) for listed in found.values() for one in listed.values())


def text(found: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> List[str]:
    """Return lines for people."""
    width = _MARGIN + max((len(name) for listed in found.values() for name in listed), default=0)
    lines = []
    for kind, listed in found.items():
        for name, one in listed.items():
            more = "  ".join([*one.get("addresses", ()), *map(port, one.get("published_ports", ()))])
            if one["state"] == DIFFERS:
                more = ", ".join(one["objects"])
            if one["state"] == FAILED:
                more = " ".join(one["reasons"])
            lines.append(("%-9s  %-*s%-11s  %s" % (kind[:-1], width, name, one["state"], more)).rstrip())
    return lines


def diff(results: Results) -> List[str]:
    """Return what differs, object by object, as a diff has it."""
    lines: List[str] = []
    for listed in results.values():
        for items in listed.values():
            for result in items:
                if not result["changed"]:
                    continue
                sides = result["diff"]
                lines.append("%s:" % sides["before_header"])
                lines.extend("-" + line for line in sides["before"].splitlines())
                lines.extend("+" + line for line in sides["after"].splitlines())
    return lines
