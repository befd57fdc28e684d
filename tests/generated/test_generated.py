# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever people list and whatever they do by hand: what is promised holds. Sequences made by chance, the same in every run.

``make sequences`` lives through more of them; README.md says what is made and what has to hold.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from lab import Lab, collections_root

HERE = Path(__file__).resolve().parent
SEED = "ci"
COUNT, BLOCKS = 304, 4  # sequences, in blocks of equal size that run beside each other
LIMIT = 3600  # seconds for a block on a busy machine, not what it takes


@pytest.mark.needs("lab host", "bridge", "ip", "nft", "nf_tables", "nf_nat")
@pytest.mark.parametrize("block", range(BLOCKS))
def test_what_is_promised_holds_of_sequences_made_by_chance(
    lab: Lab, block: int, record_property: Callable[[str, object], None]
) -> None:
    """Check mode is the run, a second run is silent, the chain is the one task, others' things stay, absent is as before."""
    size = COUNT // BLOCKS
    record_property("said", _holds(lab, "--seed", SEED, "--first", str(block * size), "--count", str(size)))


@pytest.mark.needs("lab host", "bridge", "ip", "nft", "nf_tables", "nf_nat")
def test_what_chance_found_once_holds(lab: Lab) -> None:
    """Sequences that failed: each a line of found.jsonl, made small, whatever the seeds mean by now."""
    _holds(lab, "--replay", str(HERE / "found.jsonl"), "--shrink", "0")


def _holds(lab: Lab, *options: str) -> str:
    """Live through sequences. Returns what is said of them all."""
    asked = [sys.executable, str(HERE / "soak.py"), collections_root(), *options]
    done = lab.run(asked, check=False, timeout=LIMIT)
    print(done.stdout)
    assert done.rc == 0, f"{done.stdout}\n{done.stderr}"
    return next((line for line in done.stdout.splitlines() if " sequences from " in line), "")
