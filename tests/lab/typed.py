# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Types a page into a shell, as a reader does, and holds what is printed against what the page says is printed.

A block of the language ``console`` is typed: ``$ COMMAND``, with ``> MORE`` below for its further lines, and what it prints. A block of
``yaml`` whose first line is ``# NAME`` is a file of that name. In what a page says is printed a line ``…`` is any lines, and what is another
each time is not compared (``VARIES``). ``<!-- until: COMMAND -->`` right above a block has it wait for what a reader is too slow to be ahead of.
"""

from __future__ import annotations

import os
import re
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from lab import PATIENCE

LIMIT = 300.0  # seconds that a command may take, for one that hangs
BLOCK = re.compile(
    r"^(?:<!-- until: (?P<until>.*?) -->\n)?```(?P<language>console|yaml)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
REST = "…"
VARIES = [
    (re.compile(pattern), word)
    for pattern, word in (
        (r"\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b", "MAC"),
        (r"\bfe80::[0-9a-f:]+", "LINK-LOCAL"),
        (r"\b\d+(\.\d+)?(/\d+\.\d+)* ?(ms|s|sec|seconds)\b", "TIME"),
        (r"^\d+: |@if\d+\b|\blink-netnsid \d+|\bnet:\[\d+\]", "INDEX"),
        (r"\b(id|handle|process|pid=?|expires|seq|ack|ecr|val) \d+", r"\1 NUMBER"),
        (r"\b(32[7-9]\d\d|3[3-9]\d{3}|[45]\d{4}|60\d{3})\b", "PORT"),  # of who calls
        (r"\b(REACHABLE|STALE|DELAY|PROBE)\b", "STATE"),
        (r"^(tcp|udp) +\d+ \d+ (\w+_\w+|CLOSE|ESTABLISHED)", r"\1 STATE"),
        (r"(?<=\S) +", " "),  # of columns
        (r"\[\d+/\w+/\d+ [\d:]+\]", "DATE"),
        (r"\b(\w{3} )?\w{3} +\d+ \d\d:\d\d(:\d\d)?\b", "DATE"),
    )
]


@dataclass(frozen=True)
class Typed:
    """A command of a page, and what it is to print, and prints."""

    command: str
    shown: str
    printed: str


class Shell:
    """A bash that is typed into. A command may start another shell, or end one."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            ["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder, env=env
        )
        self._jobs = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()

    def type(self, command: str) -> str:
        """Type a command, and return what was printed until it ended. One that it starts in the background has said its first word by then."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\nprintf '\\001%s\\001' \"$(jobs -pr | wc -l)\"\n".encode())
        self._process.stdin.flush()
        read = self._until(command, b"", lambda got: got.count(b"\1") == 2)
        before, jobs, after = read.split(b"\1")
        printed = before + after
        if int(jobs) > self._jobs:
            printed = self._until(command, printed, lambda got: b"\n" in got)
        self._jobs = int(jobs)
        return re.sub(r"\n+\Z", "\n", printed.decode())

    def _until(self, command: str, read: bytes, enough: Callable[[bytes], bool]) -> bytes:
        assert self._process.stdout is not None
        end = time.monotonic() + LIMIT * PATIENCE
        while not enough(read):
            ready, _out, _err = select.select([self._process.stdout], [], [], max(0, end - time.monotonic()))
            more = os.read(self._process.stdout.fileno(), 65536) if ready else b""
            if not more:
                logs = "".join(f"{file.name}: {file.read_text()}" for file in self._folder.glob("*.log"))
                raise AssertionError(
                    f"{command}\n{'the shell ended' if ready else 'does not end'}\n{read.decode()}{logs}"
                )
            read += more
        return read


def commands(block: str) -> Iterator[tuple[str, str]]:
    """The commands of a block, and what it says each prints."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        first, *lines = part.splitlines()
        more = 0
        while more < len(lines) and lines[more].startswith("> "):
            more += 1
        command = "\n".join([first, *(line[2:] for line in lines[:more])])
        yield command, "".join(f"{line}\n" for line in lines[more:])


def typed(page: str, shell: Shell, folder: Path, act: Callable[[str], str | None] = lambda command: command) -> str:
    """Type a page, and return it with what was printed, where that is other than it says.

    ``act`` says what is typed in place of a command, None for nothing. Files are written to the folder that the shell is in.
    """

    def block(found: re.Match[str]) -> str:
        text = found["text"]
        if found["language"] == "yaml":
            name = re.match(r"# (\S+)\n", text)
            if name:
                (folder / name[1]).write_text(f"---\n{text}", encoding="utf-8")
            return found[0]
        if found["until"]:
            shell.type(f"until {found['until']}; do sleep 0.1; done")
        lines = []
        for command, shown in commands(text):
            instead = act(command)
            printed = shown if instead is None else shell.type(instead)
            lines += ["$ " + command.replace("\n", "\n> "), *(shown if same(shown, printed) else printed).splitlines()]
        return found[0].replace(text, "".join(f"{line.rstrip()}\n" for line in lines))

    return BLOCK.sub(block, page)


def same(shown: str, printed: str) -> bool:
    """Whether a page says what was printed."""
    parts = [re.escape(blank(part)) for part in re.split(rf"^{REST}\n", shown, flags=re.MULTILINE)]
    return re.fullmatch(r"(?:.*\n)*".join(parts), blank(printed)) is not None


def blank(text: str) -> str:
    """A text without what is another each time."""
    lines = [line.rstrip() for line in text.splitlines()]
    for pattern, word in VARIES:
        lines = [pattern.sub(word, line) for line in lines]
    return "".join(f"{line}\n" for line in lines)
