# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much work code does, counted in Python's own instructions: the same on every machine, however busy it is.

What C does in one instruction counts as one: a copy of a list, ``in`` a tuple. Work of the kernel's twin does not count.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

_OURS = "/plugins/"


class Counter:
    """A block in which instructions of the collection's own code are counted, except within `uncounted`."""

    def __init__(self) -> None:
        self.count = 0

    def _entered(self, frame: FrameType, event: str, argument: Any) -> Any:
        if _OURS not in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._counted

    def _counted(self, frame: FrameType, event: str, argument: Any) -> Any:
        self.count += event == "opcode"
        return self._counted

    def __enter__(self) -> Counter:
        sys.settrace(self._entered)
        return self

    def __exit__(self, *dummy: object) -> None:
        sys.settrace(None)


class UncountedKernel:
    """A kernel in memory that looks as if it did its work in no time."""

    def __init__(self, kernel: MemoryKernel) -> None:
        self._kernel = kernel

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._kernel, name)
        if not callable(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            tracer = sys.gettrace()
            sys.settrace(None)
            try:
                return found(*args, **kwargs)
            finally:
                sys.settrace(tracer)

        return call


@dataclass(frozen=True)
class Growth:
    """The work for n, 2n and 3n objects. Of a linear function the third is as far from the second as that from the first."""

    size: int
    counts: tuple[int, int, int]

    @property
    def each(self) -> float:
        """Instructions an object, were there no others."""
        return (self.counts[1] - self.counts[0]) / self.size - 3 * self.size * self.pair

    @property
    def pair(self) -> float:
        """Instructions for each pair of objects: what makes it grow with the square."""
        first, second, third = self.counts
        return (third - 2 * second + first) / (2 * self.size**2)

    def doubled(self, objects: int) -> float:
        """How many times the work of so many objects twice as many will take."""
        start = self.counts[0] - self.each * self.size - self.pair * self.size**2
        small, large = (start + self.each * many + self.pair * many**2 for many in (objects, 2 * objects))
        return large / small


def growth(prepare: Callable[[int], Callable[[], object]], size: int) -> Growth:
    """Return how the work of what ``prepare`` makes for a number of objects grows. What it remembers of names is remembered before."""
    prepare(3 * size)()
    counts = []
    for many in (size, 2 * size, 3 * size):
        work = prepare(many)
        with Counter() as counter:
            work()
        counts.append(counter.count)
    return Growth(size, (counts[0], counts[1], counts[2]))
