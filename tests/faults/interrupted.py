# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run under strace: which of its system calls write, and the same run ended, or refused, at one of them.

Nothing is known of the code that runs, but that it starts programs by `subprocess`. A *place* is the so-many-eth call of a name by the run's own process, or
by the so-many-eth program that it starts: others, which come to as many calls, do not stop there.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lab"))

from lab import writes_in

PATIENCE = 120  # seconds for one run
# What changes the kernel or a file, or comes between two of these.
CALLS = (
    "sendto,sendmsg,sendmmsg,setsockopt,openat,write,rename,unlink,unlinkat,mkdir,symlink,chmod,mount,umount2,unshare,ioctl"
).split(",")
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
BELOW = r"</(?:proc/sys|sys|etc|run)/(?!linuxnet-containers\.lock)"
WRITTEN = re.compile(
    rf'write\(\d+{BELOW}|(?:rename|mkdir|symlink|chmod)\(.*"/(?:etc|run)/|unshare\(CLONE_NEWNET|mount\(|umount2\(|SIOCETHTOOL'
)
LINE = re.compile(r"(\d+) +(\w+)\(")
STARTED = re.compile(r"(\d+) +execve\(")
SYSCTL = re.compile(r" write\(\d+<(/proc/sys/[^>]+)>")


@dataclass(frozen=True)
class Place:
    """The ``number``-th ``call`` of the run, or (from 1 on) of the ``program``-th program that it starts, and what is written there in an undisturbed run.
    ``path``: only those to this file count."""

    call: str
    number: int
    what: str
    program: int = 0
    path: str = ""

    def __str__(self) -> str:
        return f"{self.call} {self.number}{f' of program {self.program}' if self.program else ''} ({self.what})"


def places(act: Callable[[], Any]) -> list[Place]:
    """Run a function in a fork, and return its places, in order."""
    told, trace = _traced(act, ["-f", "-y", "-v", "-s", "65536", "-e", "trace=execve," + ",".join(CALLS)])
    assert told is not None, trace[-2000:]
    programs = {str(pid): number for number, pid in enumerate(told["programs"], 1)}
    started = set(STARTED.findall(trace))
    counts: Counter[tuple[str, ...]] = Counter()
    found: dict[tuple[str, int, int, str], Place] = {}
    for line in trace.splitlines():
        match = LINE.match(line)
        # A call's second half, a signal, an exit; or a sysctl that waits for others' changes of links.
        if match is None or "ERESTART" in line:
            continue
        pid, call = match[1], match[2]
        counts[pid, call] += 1
        sysctl = SYSCTL.search(line)
        path = sysctl[1] if sysctl else ""
        if path:
            counts[pid, call, path] += 1
        number = counts[pid, call, path] if path else counts[pid, call]
        program = programs.get(pid, 0)
        what = writes_in(line) or ([f"write {path}" if path else "a write"] if WRITTEN.search(line) else [])
        if what and (program or pid not in started):
            found.setdefault((call, number, program, path), Place(call, number, what[0], program, path))
    return list(found.values())


def tried(listed: list[Place], first: int, step: int, counts: Counter[str]) -> Iterator[Place]:
    """Every ``step``-th place, from the ``first`` on, which is 0; then the others, as long as ``counts["met"]`` says that it came to none."""
    chosen = listed[first % max(1, min(step, len(listed))) :: step]
    yield from chosen
    for place in listed:
        if counts["met"]:
            return
        if place not in chosen:
            yield place


def ended_at(act: Callable[[], Any], place: Place, whole: bool = False) -> bool:
    """Run a function in a fork in which the process that comes to a place is killed, before the call is carried out; ``whole``: the run too, where that is a
    program's. Returns whether it came to that."""
    return _met(_traced(act, _injected(place, "signal=KILL"), place.program, whole)[1])


def refused_at(act: Callable[[], Any], place: Place, error: str) -> tuple[bool, Any]:
    """Run a function in a fork in which the call at a place fails with an errno. Returns whether it came to that, and what the function returned, None
    where it did not end."""
    told, trace = _traced(act, _injected(place, f"error={error}"), place.program)
    return _met(trace), told and told["answer"]


def _injected(place: Place, fault: str) -> list[str]:
    # A program that is not the one is let go when it starts.
    others = [] if place.program else ["-f", "-b", "execve"]
    within = ["-P", place.path] if place.path else []
    return [*others, *within, "-e", f"trace={place.call}", "-e", f"inject={place.call}:{fault}:when={place.number}"]


def _met(trace: str) -> bool:
    """Whether a fault was put in. What the kernel has tried again shifts the numbers, so it may be at a call beside the one that is named."""
    return "(INJECTED)" in trace or "killed by SIGKILL" in trace


def _traced(act: Callable[[], Any], options: list[str], program: int = 0, whole: bool = False) -> tuple[Any, str]:
    """Run a function in a fork under strace, or (``program``) only that program of those that it starts, to the end of all. Returns {"answer": what it returned
    (as JSON has it), "programs": the processes that it started}, None where it was ended, and strace's log."""
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        log, told = Path(folder, "log"), Path(folder, "answer")
        command = ["strace", "-o", str(log), *options]
        answer = os.open(told, os.O_WRONLY | os.O_CREAT)
        go_read, go_write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(go_write)
            os.read(go_read, 1)
            try:
                started = _counted(program, [*WITH_THE_RUN, *command] if whole else command)
                found = {"answer": act(), "programs": started}
                os.pwrite(answer, json.dumps(found).encode(), 0)  # not one of CALLS, which may be refused
            except BaseException:
                traceback.print_exc()
            os._exit(0)
        os.close(go_read)
        os.close(answer)
        if program:
            os.close(go_write)
            _wait(pid)
        else:
            _attach(pid, command, go_write)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        return json.loads(told.read_text(encoding="utf-8") or "null"), text


# Runs a program, and kills who started it when it has ended.
WITH_THE_RUN = ["sh", "-c", '"$@"; kill -KILL $PPID', "-"]


def _counted(number: int, command: list[str]) -> list[int]:
    """Have the so-many-eth program that this process starts (0: none) be run by a command. Returns the list to which each that is started is added."""
    started: list[int] = []

    class Counted(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, args: list[str], *more: Any, **options: Any) -> None:
            wrapped = len(started) + 1 == number
            super().__init__([*command, *args] if wrapped else args, *more, **options)
            started.append(self.pid)

    subprocess.Popen = Counted  # type: ignore[assignment, misc]
    return started


def _attach(pid: int, command: list[str], go: int) -> None:
    """Trace a process, let it go on by closing ``go``, and wait until all that is traced has ended."""
    strace = subprocess.Popen([*command, "-p", str(pid)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert strace.stderr is not None
    attached = strace.stderr.readline()
    assert "attached" in attached, attached
    os.close(go)
    try:
        strace.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.kill(pid, signal.SIGKILL)
        strace.kill()
        strace.communicate()
        raise


def _wait(pid: int) -> None:
    """Wait for a process. Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE
    while not os.waitpid(pid, os.WNOHANG)[0]:
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise TimeoutError(f"the run did not end within {PATIENCE} seconds")
        time.sleep(0.005)
