# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that are killed, or refused by the kernel, at some of their writes: the next run gives what an undisturbed one gives, and all can be taken back.

``make faults`` tries all places; README.md says what is tried and what has to hold.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from faults import STORIES
from lab import Lab
from proofs import passes

HERE = Path(__file__).resolve().parent
SHARE = 12  # one place of so many
LIMIT = 3600  # seconds for a story on a busy machine, not what it takes


@pytest.mark.needs("lab host", "bridge", "ip", "nft", "nf_tables", "nf_nat", "iptables", "strace")
@pytest.mark.parametrize("number", range(len(STORIES)), ids=[story.name for story in STORIES])
def test_what_is_interrupted_comes_to_the_same(lab: Lab, number: int) -> None:
    """Killed, killed and taken back, refused: at another twelfth of the places in each story."""
    part = f"{number % SHARE + 1}/{SHARE}"
    passes(lab, HERE / "faults.py", "--only", STORIES[number].name, "--part", part, limit=LIMIT)
