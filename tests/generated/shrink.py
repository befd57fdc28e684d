# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes a sequence that fails smaller, as long as it fails in the same way."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from typing import Any

Item = dict[str, Any]


def shrunk(sequence: Item, fails: Callable[[Item], bool], seconds: float, tries: int = 300) -> Item:
    """The smallest sequence that was found within so many seconds and tries."""
    end = time.monotonic() + seconds
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(sequence):
            tries -= 1
            if tries < 0 or time.monotonic() > end:
                return sequence
            if fails(candidate):
                sequence, smaller = candidate, True
                break
    return sequence


def _smaller(sequence: Item) -> Iterator[Item]:
    """Sequences with one thing less, the largest things first."""
    for path in _paths(sequence):
        candidate = copy.deepcopy(sequence)
        place: Any = candidate
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]
        if candidate["runs"]:
            yield candidate


def _paths(sequence: Item) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    runs = sequence["runs"]
    found += [("runs", number) for number in range(len(runs))]
    found += [("start", number) for number in range(len(sequence["start"]))]
    found += [("runs", n, "hand", k) for n, run in enumerate(runs) for k in range(len(run["hand"]))]
    deep: list[tuple[Any, ...]] = []
    for n, run in enumerate(runs):
        for kind in ("containers", "networks"):
            for k, entry in enumerate(run["variables"][kind]):
                found.append(("runs", n, "variables", kind, k))
                for name, value in entry.items():
                    path = ("runs", n, "variables", kind, k, name)
                    if name != "name":
                        deep.append(path)
                    if isinstance(value, list):
                        deep += [(*path, i) for i in range(len(value))]
                        deep += [
                            (*path, i, key)
                            for i, one in enumerate(value)
                            if isinstance(one, dict)
                            for key in one
                            if key != "name"
                        ]
        deep += [("runs", n, "variables", name) for name in ("purge", "state") if name in run["variables"]]
    return [*found, *deep]
