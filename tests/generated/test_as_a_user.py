# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A few of the sequences as a user runs them: ansible-playbook and the role, on two lab hosts, one a manner.

They hold what the others do without Ansible in between, so that what it does to values and messages on their way is seen as well.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "role"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import by_hand
import pytest
import sequences
from lab import Lab
from plays import Outcome, Play, Playbook, checked, refused, shell, snapshot

SEEDS = ("user 10", "user 20")
Told = list[tuple[Outcome, Outcome, Outcome]]  # by run: foreseen, done, again


def plays(sequence: dict[str, Any]) -> list[Play]:
    """The plays of a sequence. A run that is refused lets the next one begin."""
    found = [shell("; ".join([by_hand.HOST, *(one["script"] for one in sequence["start"]), "true"]))]
    for run in sequence["runs"]:
        play = refused(**run["variables"])
        found += [shell("; ".join([*(one["script"] for one in run["hand"]), "true"])), checked(play), play, play]
    return [*found, snapshot()]


def live(lab: Lab, playbook: Playbook, sequence: dict[str, Any]) -> tuple[Told, str]:
    """Live through a sequence. What its runs returned, and what is there at the end."""
    _host, *told, after = playbook.run(*plays(sequence))
    return [tuple(told[at + 1 : at + 4]) for at in range(0, len(told), 4)], after.stdout  # type: ignore[misc]


def words(outcome: Outcome) -> list[str]:
    """Why a run failed."""
    return [sequences.PREFIX.sub("", failure) for failure in outcome.failures]


def comparable(outcome: Outcome) -> list[Any]:
    """What each item of each step returned."""
    return [
        [task.name, sequences.plain(task.result["results"])]
        for task in outcome.tasks
        if task.action.startswith("linuxnet.containers.") and "results" in task.result
    ]


@pytest.mark.needs("lab host", "bridge", "ip", "nft", "nf_tables", "nf_nat")
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_promised_holds_of_the_role_in_ansible(seed: str, tmp_path: Path) -> None:
    """Check mode is the run, a second run is silent, and the chain is the one task."""
    sequence = sequences.made(seed)
    with Lab() as first, Lab() as second, ThreadPoolExecutor() as both:
        chain = both.submit(live, first, Playbook(first, tmp_path / "chain"), sequence)
        one = both.submit(live, second, Playbook(second, tmp_path / "one", one_task=True), sequence)
        (chained, chain_left), (taken, one_left) = chain.result(), one.result()
    assert len(taken) == len(chained) == len(sequence["runs"])
    for runs in zip(taken, chained, strict=True):
        for foreseen, done, again in runs:
            assert (foreseen.changed, foreseen.drift(), words(foreseen)) == (done.changed, done.drift(), words(done))
            assert again.changed == []
            assert words(again) == words(done)
        assert words(runs[0][1]) == words(runs[1][1])
        assert comparable(runs[0][1]) == comparable(runs[1][1])
    assert sequences.without_numbers(one_left) == sequences.without_numbers(chain_left)
