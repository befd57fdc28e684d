# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Has twenty runs begin at the same moment on one host, in a lab host, and prints what became of it, as a table.

    crowds.py COLLECTIONS [--only WORDS] [--part K/N] [--rounds N] [--seed S] [--killed N] [--list]

Each crowd gathers on a fresh host, once in peace, and once with some of its runs killed at moments made by chance. README.md says what has to hold.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import fcntl
import functools
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).resolve().parent
LOCKS = ("/run/linuxnet-containers.lock", "/run/netns")
SHOWN = 12  # lines of what does not hold
PATIENCE = 600.0  # seconds for a crowd on a busy machine, not what it takes
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
COLUMNS = ("crowds", "runs", "changed", "killed", "errors", "conflicts")
Item = dict[str, Any]


def main() -> int:
    """Return 0 if all holds."""
    parser = argparse.ArgumentParser(description="Twenty runs at once")
    parser.add_argument("collections")
    parser.add_argument("--only", default="", help="crowds with these words in their names")
    parser.add_argument("--part", default="1/1", help="K/N: every N-th crowd, from the K-th on")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", default="crowds")
    parser.add_argument("--killed", type=int, default=6, help="so many runs of a crowd that is disturbed")
    parser.add_argument("--list", action="store_true", help="only name the crowds")
    given = parser.parse_args()
    sys.path[:0] = [given.collections, str(HERE), str(HERE.parent / "generated")]
    import gatherings

    part, parts = map(int, given.part.split("/"))
    chosen = [crowd for crowd in gatherings.CROWDS if given.only in crowd.name][part - 1 :: parts]
    if given.list:
        print(*(crowd.name for crowd in chosen), sep="\n")
        return 0
    import soak

    soak.preload()
    print(f"{'crowd':40} {'':7}", *(f"{name:>9}" for name in COLUMNS), flush=True)
    total: Counter[str] = Counter()
    for crowd in chosen:
        wanted: Item = {}
        for killed in (0, given.killed):
            counts: Counter[str] = Counter()
            for turn in range(given.rounds):
                chance = Random(f"{given.seed} {crowd.name} {killed} {turn}")
                try:
                    if not wanted:
                        wanted = _on_fresh_host(functools.partial(_life, crowd, None, 0, 0.0))
                    found = _on_fresh_host(functools.partial(_life, crowd, chance, killed, wanted["took"]))
                    said = _judged(crowd, found, wanted)
                except AssertionError as problem:
                    found, said = {"counts": {}}, [str(problem)]
                counts.update({"crowds": 1, "conflicts": bool(said), **found["counts"]})
                if said:
                    print(
                        f"FAILED {crowd.name}, {killed} killed, round {turn}:", *said[:SHOWN], sep="\n    ", flush=True
                    )
            print(_line(crowd.name, "killed" if killed else "", counts), flush=True)
            total += counts
    print(_line("all", "", total))
    return int(not chosen or bool(total["conflicts"]))


def _line(name: str, manner: str, counts: Counter[str]) -> str:
    return " ".join([f"{name:40} {manner:7}", *(f"{counts[column]:9}" for column in COLUMNS)])


def _on_fresh_host(act: Callable[[], Item]) -> Item:
    import hosts

    found: Item = hosts.on_fresh_host(act)
    return found


def _life(crowd: Any, chance: Random | None, killed: int, span: float) -> Item:
    """Live through one crowd: what was there before, what each run said, what was there after it, after each run was done once more, and after all was taken
    back. With no ``chance`` the runs are done one after the other: that is what has to come of it."""
    import by_hand
    import faults
    import hosts

    status, text = hosts.shell(f"set -e; {by_hand.HOST}; {crowd.before}")
    assert not status, text
    found: Item = {"pristine": faults._state(), "counts": {}}
    for run in crowd.made_before:
        _must(run)
    begun = time.monotonic()
    if chance is None:
        for run in crowd.ends:
            _must(run)
    else:
        runs = list(crowd.runs)
        chance.shuffle(runs)
        doomed = {number: chance.uniform(0, span) for number in chance.sample(range(len(runs)), killed)}
        found["said"] = list(zip([run.title for run in runs], _together(runs, doomed), strict=True))
        found["counts"] = {
            "runs": len(runs),
            "killed": sum(one is None for _title, one in found["said"]),
            "changed": sum(bool(one and one["changed"]) for _title, one in found["said"]),
            "errors": sum(bool(one and one["msg"]) for _title, one in found["said"]),
        }
        found["held"] = _held()
        found["there"] = faults._state()
        found["again"] = [_must(run)["changed"] for run in crowd.ends]
    found["took"] = time.monotonic() - begun
    found["after"] = faults._state()
    for run in crowd.back:
        _must(run)
    found["left"] = faults._state()
    return found


def _must(run: Any) -> Item:
    """What a run that must succeed says."""
    done: Item = run.act()
    assert not done["msg"], f"{run.title}, alone: {done['msg']}"
    return done


def _together(runs: list[Any], doomed: dict[int, float]) -> list[Item | None]:
    """Have runs begin at the same moment, a process each, and kill some after so many seconds. What each of them said, None of one that was killed."""
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)  # programs of those that were killed end here as well
    gate, opened = os.pipe()
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        pids = []
        for number, run in enumerate(runs):
            pid = os.fork()
            if pid == 0:
                os.close(opened)
                os.read(gate, 1)
                try:
                    said = json.dumps(run.act())
                except BaseException:
                    said = json.dumps({"changed": False, "msg": traceback.format_exc()})
                Path(folder, f"{number}.new").write_text(said, encoding="utf-8")
                os.rename(f"{folder}/{number}.new", f"{folder}/{number}")
                os._exit(0)
            pids.append(pid)
        os.close(opened)
        begun = time.monotonic()
        for number, moment in sorted(doomed.items(), key=lambda entry: entry[1]):
            time.sleep(max(0.0, begun + moment - time.monotonic()))
            os.kill(pids[number], signal.SIGKILL)  # a process that has ended is there until it is waited for
        _wait_for_all(pids, begun + PATIENCE)
        os.close(gate)
        told = [Path(folder, str(number)) for number in range(len(runs))]
        return [json.loads(path.read_text(encoding="utf-8")) if path.exists() else None for path in told]


def _wait_for_all(pids: list[int], end: float) -> None:
    """Wait until all children have ended, and what those that were killed had started. Raises AssertionError where they do not in time."""
    with contextlib.suppress(ChildProcessError):
        while True:
            if os.waitpid(-1, os.WNOHANG)[0]:
                continue
            if time.monotonic() > end:
                for pid in pids:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                raise AssertionError(f"no end after {PATIENCE:g} s")
            time.sleep(0.01)


def _held() -> list[str]:
    """The locks that somebody still has, and the files that are nobody's."""
    found = [f"{path} is left" for path in Path("/etc/sysctl.d").glob(".*")]
    for path in LOCKS:
        with contextlib.suppress(FileNotFoundError):
            file = os.open(path, os.O_RDONLY)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                found.append(f"{path} is locked")
            os.close(file)
    return found


def _judged(crowd: Any, found: Item, wanted: Item) -> list[str]:
    """What does not hold of a crowd, beside the same runs one after the other."""
    import faults
    import hosts

    said = list(found["held"])
    calm = not found["counts"]["killed"]
    for title, one in found["said"]:
        if one is not None and one["msg"] and not crowd.may_say(one["msg"]):
            said.append(f"{title} says: {one['msg']}")
    if calm:
        said += crowd.miscounted([(title, one["changed"]) for title, one in found["said"] if one is not None])
        if crowd.settled and any(found["again"]):
            said.append(f"not settled by the crowd: {found['again']}")
    if crowd.same:
        said += [
            f"after it {line}"
            for line in hosts.difference(faults._unordered(wanted["after"]), faults._unordered(found["after"]))
        ]
    said += [f"left {line}" for line in hosts.difference(found["pristine"], found["left"])]
    return said


if __name__ == "__main__":
    sys.exit(main())
