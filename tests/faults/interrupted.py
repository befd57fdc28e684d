# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run under strace: which of its system calls write, and the same run ended, or refused, at one of them.

Nothing is known of the code that runs. A *place* is the so-many-eth call of a name by the run's own process; programs that it starts are
counted each for itself.
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
import traceback
from collections import Counter
from collections.abc import Callable
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
SYSCTL = re.compile(r" write\(\d+<(/proc/sys/[^>]+)>")


@dataclass(frozen=True)
class Place:
    """The ``number``-th ``call`` of whichever process comes to it first, and what is written there in an undisturbed run. ``path``: only those to this
    file count, so that what programs print does not."""

    call: str
    number: int
    what: str
    path: str = ""

    def __str__(self) -> str:
        return f"{self.call} {self.number} ({self.what})"


def places(act: Callable[[], Any]) -> list[Place]:
    """Run a function in a fork, and return its places, in order."""
    answer, trace = _traced(act, ["-y", "-v", "-s", "65536", "-e", "trace=" + ",".join(CALLS)])
    assert answer is not None, trace[-2000:]
    counts: Counter[tuple[str, ...]] = Counter()
    found: dict[tuple[str, int, str], Place] = {}
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
        what = writes_in(line) or ([f"write {path}" if path else "a write"] if WRITTEN.search(line) else [])
        if what:
            found.setdefault((call, number, path), Place(call, number, what[0], path))
    return list(found.values())


def ended_at(act: Callable[[], Any], place: Place) -> bool:
    """Run a function in a fork in which the process that comes to a place is killed, before the call is carried out. Returns whether one was."""
    return "killed by SIGKILL" in _traced(act, _injected(place, "signal=KILL"))[1]


def refused_at(act: Callable[[], Any], place: Place, error: str) -> tuple[bool, Any]:
    """Run a function in a fork in which the call at a place fails with an errno. Returns whether it came to that, and what the function returned, None
    where it did not end."""
    answer, trace = _traced(act, _injected(place, f"error={error}"))
    return "(INJECTED)" in trace, answer


def _injected(place: Place, fault: str) -> list[str]:
    within = ["-P", place.path] if place.path else []
    return [*within, "-e", f"trace={place.call}", "-e", f"inject={place.call}:{fault}:when={place.number}"]


def _traced(act: Callable[[], Any], options: list[str]) -> tuple[Any, str]:
    """Run a function in a fork under strace, to the end of all that it starts. Returns what it returned (as JSON has it), None where it was ended,
    and strace's log."""
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        log, told = Path(folder, "log"), Path(folder, "answer")
        answer = os.open(told, os.O_WRONLY | os.O_CREAT)
        go_read, go_write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(go_write)
            os.read(go_read, 1)
            try:
                os.pwrite(answer, json.dumps(act()).encode(), 0)  # not one of CALLS, which may be refused
            except BaseException:
                traceback.print_exc()
            os._exit(0)
        os.close(go_read)
        os.close(answer)
        command = ["strace", "-f", "-o", str(log), *options, "-p", str(pid)]
        strace = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert strace.stderr is not None
        attached = strace.stderr.readline()
        assert "attached" in attached, attached
        os.close(go_write)
        try:
            strace.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.kill(pid, signal.SIGKILL)
            strace.kill()
            strace.communicate()
            raise
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        text = log.read_text(encoding="utf-8", errors="replace")
        return json.loads(told.read_text(encoding="utf-8") or "null"), text
