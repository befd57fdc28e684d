# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run came to, by network, link and container: a word for programs, and lines for people. Pure."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import bracketed
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.failing import Results, told_apart
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import WIRE, Plan

OK, CHANGED, GONE, ABSENT, LEFT_OUT, FAILED = "ok", "changed", "gone", "absent", "left out", "failed"
_WORDS = (FAILED, LEFT_OUT, CHANGED, GONE, OK, ABSENT)  # what a person looks for first, comes first
_AS_EVER = (OK, ABSENT)
_KINDS = ("network", "link", "container")
_ITSELF = ("netns", "join")  # the steps of a container that is to be there
Recap = Mapping[str, Mapping[str, str]]  # by kind, in the plural, and name


def recap(plan: Plan, results: Results) -> Dict[str, Dict[str, str]]:
    """Return by ``networks``, ``links`` and ``containers``, where there are any, and name, a word: `FAILED`, `LEFT_OUT` since something that it stands on
    failed, `CHANGED`, `GONE`, or `OK` and `ABSENT` where nothing was to be done."""
    words: Dict[Tuple[str, str], Set[str]] = {}
    present: Dict[Tuple[str, str], None] = {}  # in the order in which they are made
    for whose, half, step, result in told_apart(plan, results):
        if half == WIRE and (step in _ITSELF or whose[0] != "container"):
            present[whose] = None
        word = LEFT_OUT if result is None else FAILED if result.get("failed") else CHANGED if result["changed"] else OK
        words.setdefault(whose, set()).add(word)
    found: Dict[str, Dict[str, str]] = {}
    for kind in _KINDS:
        listed = dict.fromkeys((*present, *words))
        named = {name: _word(words[kind, name], (kind, name) in present) for other, name in listed if other == kind}
        if named:
            found[kind + "s"] = named
    return found


def _word(said: Set[str], present: bool) -> str:
    word = next(one for one in _WORDS if one in said)
    return word if present else {CHANGED: GONE, OK: ABSENT}.get(word, word)


def lines(found: Recap, wiring: Mapping[str, Mapping[str, Any]], limit: Optional[int] = None) -> List[str]:
    """Return a line for each container, with what it has now by ``wiring`` (a ``wiring_result``), and for each network and link that is not as it was; at last
    how many there are of each. Where that is more than ``limit``, those that are as they were are left out, then those that changed."""
    rows = [
        (word, name, _has(name, wiring) if kind == "containers" else kind[:-1])
        for kind, named in found.items()
        for name, word in named.items()
        if kind == "containers" or word not in _AS_EVER
    ]
    shown = rows
    if limit is not None and len(rows) > limit:
        telling = [row for row in rows if row[0] not in _AS_EVER]
        shown = sorted(telling, key=lambda row: _WORDS.index(row[0]))[:limit]
    width = max((len(name) for dummy, name, more in shown), default=0)
    told = [("%-9s %-*s  %s" % (word, width, name, more)).rstrip() for word, name, more in shown]
    counts = ["%s: %s" % (kind, ", ".join(_counts(list(named.values())))) for kind, named in found.items()]
    if not counts:
        return []
    more = " (%d of %d lines; -v shows all)" % (len(shown), len(rows)) if len(shown) < len(rows) else ""
    return [*told, "; ".join(reversed(counts)) + more]


def _counts(words: Sequence[str]) -> Iterator[str]:
    for word in _WORDS:
        if word in words:
            yield "%d %s" % (words.count(word), word)


def _has(name: str, wiring: Mapping[str, Mapping[str, Any]]) -> str:
    """Return what a container has, ``""`` for one that is not there."""
    container = wiring.get(name)
    if container is None:
        return ""
    mode = container["network_mode"]
    if mode == "host" or mode.startswith("container:"):
        return str(mode)  # what it has is the other one's
    parts = [_interface(one) for one in container["interfaces"]] or [str(mode)]
    if container["loopback_addresses"]:
        parts.append(" ".join(["lo", *container["loopback_addresses"]]))
    ports = dict.fromkeys(map(port, container["published_ports"]))
    return "; ".join([*parts, *([", ".join(ports)] if ports else [])])


def _interface(one: Mapping[str, Any]) -> str:
    where = "to %s" % one["link"] if "link" in one else "on %s" % (one.get("parent") or one["bridge"])
    return " ".join([one["name"], *one["addresses"], where])


def port(published: Mapping[str, Any]) -> str:
    """Return a published port of a ``wiring_result`` as docker lists it."""
    host = "%s:" % bracketed(published["host_ip"]) if published.get("host_ip") else ""
    return "%s%s->%s/%s" % (host, published["host_port"], published["to_port"], published["protocol"])
