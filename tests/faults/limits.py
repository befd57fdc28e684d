# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs every module under every limit that a host may set, in a lab host, and prints what became of it, as a table.

    limits.py COLLECTIONS [--only WORDS] [--limit WORDS] [--part K/N] [--tell] [--list]

Each module makes its item, and takes it away, under the limit (check mode first), and then without. README.md says what has to hold.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import re
import resource
import sys
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
COLUMNS = ("runs", "done", "told before", "told then", "faults")
SHOWN = 6  # lines of a difference
PATIENCE = 120  # seconds of processor time for a run, not what it takes
Item = dict[str, Any]


def main() -> int:
    """Return 0 if all holds."""
    parser = argparse.ArgumentParser(description="Runs under limits")
    parser.add_argument("collections")
    parser.add_argument("--only", default="", help="modules with these words in their stories' names")
    parser.add_argument("--limit", default="", help="limits with these words in their names")
    parser.add_argument("--part", default="1/1", help="K/N: every N-th pair of limit and story, from the K-th on")
    parser.add_argument("--tell", action="store_true", help="print what each run says")
    parser.add_argument("--list", action="store_true", help="only name limits and stories")
    given = parser.parse_args()
    sys.path[:0] = [given.collections, str(HERE), str(HERE.parent / "generated")]
    import bounds
    import hosts
    import soak

    stories = [story for story in bounds.STORIES if given.only in story.name]
    limits = [limit for limit in bounds.LIMITS if given.limit in limit.name]
    if given.list:
        print(*(one.name for one in limits), *(one.name for one in stories), sep="\n")
        return 0
    soak.preload()
    part, parts = map(int, given.part.split("/"))
    wanted: dict[str, Item] = {}
    print(f"{'limit':36}", *(f"{name:>12}" for name in COLUMNS), flush=True)
    total: Counter[str] = Counter()
    turn = 0
    for limit in limits:
        counts: Counter[str] = Counter()
        for story in stories:
            if not re.search(limit.only, story.name):
                continue
            turn += 1
            if (turn - part) % parts:
                continue
            try:
                if story.name not in wanted:
                    wanted[story.name] = hosts.on_fresh_host(functools.partial(_life, story, None))
                found = hosts.on_fresh_host(functools.partial(_life, story, limit))
                said = _judged(story, limit, found, wanted[story.name], counts)
            except AssertionError as problem:
                found, said = {}, [str(problem)]
            counts["faults"] += bool(said)
            if said:
                print(f"FAILED {story.name}, {limit.name}:", *said, sep="\n    ", flush=True)
            if given.tell:
                told = [
                    f"{state}: {one['msg']}" for state, one in found.items() if isinstance(one, dict) and one.get("msg")
                ]
                print(f"{limit.name}, {story.name}:", *told, sep="\n    ", flush=True)
        print(_line(limit.name, counts), flush=True)
        total += counts
    print(_line("all", total))
    return int(not total["runs"] or bool(total["faults"]))


def _line(name: str, counts: Counter[str]) -> str:
    return " ".join([f"{name:36}", *(f"{counts[column]:12}" for column in COLUMNS)])


def _life(story: Any, limit: Any) -> Item:
    """Live through one story: what was there, what each run said, and what was there after it. With no limit, only the runs without."""
    import by_hand
    import faults
    import hosts

    status, text = hosts.shell(f"set -e; {by_hand.HOST}; {story.before}")
    assert not status, text
    found: Item = {}
    for state in ("present", "absent"):
        found[f"before {state}"] = faults._state()
        if limit is not None:
            _shell(limit.begins)
            try:
                found[f"{state}, foreseen"] = _limited(story, limit, state, True)
                found[state] = _limited(story, limit, state, False)
            finally:
                _shell(limit.ends)
            found[f"there {state}"] = faults._state()
        done = story.act(state, False)
        found[f"{state}, again"] = done
        found[f"after {state}"] = faults._state()
    return found


def _shell(script: str) -> None:
    import hosts

    status, text = hosts.shell(f"set -e; {script}")
    assert not status, text


def _limited(story: Any, limit: Any, state: str, check: bool) -> Item:
    """What a run says that has a process of its own, under a limit."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # warnings are shown there, and it may be a file
            resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE))
            limit.enter()
            said = json.dumps(story.act(state, check))
        except BaseException:
            said = json.dumps({"changed": False, "msg": "", "fault": traceback.format_exc()})
        data = said.encode()
        while data:
            data = data[os.write(write, data) :]
        os._exit(0)
    os.close(write)
    with open(read, encoding="utf-8") as source:
        text = source.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    told: Item = json.loads(text) if text else {"changed": False, "msg": "", "fault": f"it ended with {status}"}
    return told


def _judged(story: Any, limit: Any, found: Item, wanted: Item, counts: Counter[str]) -> list[str]:
    """What does not hold of a life under a limit, beside one without."""
    import hosts

    said = []
    for state in ("present", "absent"):
        foreseen, done, again = (found[one] for one in (f"{state}, foreseen", state, f"{state}, again"))
        counts["runs"] += 1
        for one in (foreseen, done):
            if "fault" in one:
                said.append(f"{state}: {one['fault']}")
            elif one["msg"] and not re.search(limit.says, one["msg"]):
                said.append(f"{state} does not say what is missing: {one['msg']}")
        there = found[f"there {state}"]
        if not done["msg"]:
            counts["done"] += 1
            said += [f"done, {state}, {line}" for line in _difference(hosts, wanted[f"after {state}"], there)]
        else:
            before = foreseen["msg"] == done["msg"]
            counts["told before" if before else "told then"] += 1
            if limit.known and not before:
                said.append(f"{state}: check mode says {foreseen['msg'] or 'nothing'!r}, the run {done['msg']!r}")
            if (limit.exact or (before and not story.many)) and not done["msg"].startswith("Failed: "):
                said += [f"half done, {state}, {line}" for line in _difference(hosts, found[f"before {state}"], there)]
        if again["msg"]:
            said.append(f"{state}, without the limit: {again['msg']}")
        said += [
            f"after {state}, {line}" for line in _difference(hosts, wanted[f"after {state}"], found[f"after {state}"])
        ]
    return said


def _difference(hosts: Any, before: Item, after: Item) -> list[str]:
    import faults

    found: list[str] = hosts.difference(faults._unordered(before), faults._unordered(after))
    return found[:SHOWN]


if __name__ == "__main__":
    sys.exit(main())
