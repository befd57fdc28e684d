# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever comes in, no reader ends in a traceback and none waits without end: it understands, leaves out, or refuses in a sentence.

``python -m ansible_collections.linuxnet.containers.tests.unit.fuzz --count 2000 --seed 7`` gives each reader so many inputs and prints a table:
`make fuzz`. The unit tests give a few to each. What a reader gets hangs on the seed, its name and the number alone.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.tests.unit.spoiled import shortened, spoiled

SECONDS = 10.0  # more than any input takes on a busy machine, by thousands
SHOWN = 3  # faults of a reader that are shown


@dataclass(frozen=True)
class Reader:
    """``read`` is given what came in: ``goods`` of which it understands, and whatever they are spoiled to. It may raise what ``refuses`` says.

    ``share`` of the inputs: less for one that takes long.
    """

    name: str
    read: Callable[[Any], object]
    goods: Sequence[Any]
    refuses: tuple[type[BaseException], ...] = (Refused,)
    share: float = 1.0


@dataclass
class Row:
    """What a reader did with its inputs; ``faults`` and ``waits`` tell the input and what happened."""

    name: str
    inputs: int = 0
    size: int = 0
    refused: int = 0
    faults: list[str] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)


class Waits(BaseException):
    """It takes too long. No `Exception`, so that nobody takes it for something that was read."""


def _rung(*dummy: object) -> None:
    raise Waits


def size_of(value: Any) -> int:
    """The bytes that an input has, as text."""
    return len(value) if isinstance(value, (bytes, str)) else len(repr(value))


def shown(value: Any) -> str:
    text = value.hex() if isinstance(value, bytes) else ascii(value)
    return text if len(text) < 400 else f"{text[:400]}... ({len(text)})"


def inputs(reader: Reader, count: int, seed: str) -> Iterator[Any]:
    """The samples as they are, then cut short, a tenth of all at most, then spoiled by chance."""
    chance = Random(f"{seed} {reader.name}")
    cut = list(shortened(reader.goods))
    chosen = cut if len(cut) <= count // 4 else chance.sample(cut, count // 4)
    return itertools.islice(itertools.chain(reader.goods, chosen, spoiled(reader.goods, chance)), count)


def fuzzed(reader: Reader, count: int, seed: str) -> Row:
    """Give a reader so many inputs."""
    row = Row(reader.name)
    before = signal.signal(signal.SIGALRM, _rung)
    try:
        for value in inputs(reader, max(int(count * reader.share), 10), seed):
            row.inputs += 1
            row.size += size_of(value)
            try:
                signal.setitimer(signal.ITIMER_REAL, SECONDS)
                try:
                    reader.read(value)
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
            except reader.refuses:
                row.refused += 1
            except Waits:
                row.waits.append(shown(value))
            except Exception as error:
                row.faults.append(f"{error!r:.200} at {_place(error)} for {shown(value)}")
    finally:
        signal.signal(signal.SIGALRM, before)
    return row


def _place(error: BaseException) -> str:
    """The places of ours that an error came through."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/plugins/" in frame.filename]
    return " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames[-4:]))


def table(rows: Iterable[Row]) -> str:
    """The rows, with sums; the last two columns are to be zeros."""
    lines = [f"{'reader':34} {'inputs':>8} {'bytes':>11} {'refused':>8} {'tracebacks':>11} {'waits':>6}"]
    total = Row("all")
    for row in rows:
        lines.append(line(row))
        for name in ("inputs", "size", "refused", "faults", "waits"):
            setattr(total, name, getattr(total, name) + getattr(row, name))
    return "\n".join([*lines, line(total)])


def line(row: Row) -> str:
    return f"{row.name:34} {row.inputs:8} {row.size:11} {row.refused:8} {len(row.faults):11} {len(row.waits):6}"


def main() -> int:
    """Fuzz all readers, or those that have a word in their name. Returns 0 where the last columns are zeros."""
    from ansible_collections.linuxnet.containers.tests.unit.readers import READERS

    logging.disable(logging.CRITICAL)  # pyroute2 logs what it does not understand
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", default="fuzz")
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    rows = []
    for reader in READERS:
        if args.only in reader.name:
            row = fuzzed(reader, args.count, args.seed)
            rows.append(row)
            for kind, found in (("traceback", row.faults), ("wait", row.waits)):
                for text in found[:SHOWN]:
                    print(f"{kind} of {row.name}: {text}", flush=True)
    print(f"seed {args.seed}\n{table(rows)}")
    return int(any(row.faults or row.waits for row in rows))


if __name__ == "__main__":
    sys.exit(main())
