# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Closed first: nobody answers at an unpublished port while a run, or a teardown, is under way, nor when it was killed or refused at some of its writes.

``make closed`` tries all places; tests/unit/test_closed_first.py looks at each write without a kernel.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from closed import CASES
from lab import Lab
from proofs import passes

HERE = Path(__file__).resolve().parent
SHARE = 40  # one place of so many
LIMIT = 3600  # seconds for a case on a busy machine, not what it takes


@pytest.mark.needs("lab host", "bridge", "ip", "nft", "nf_tables", "nf_nat", "iptables", "strace")
@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.name for case in CASES])
def test_nobody_answers_at_a_port_that_is_not_published(lab: Lab, number: int) -> None:
    """At another fortieth of the places in each case."""
    part = f"{number % SHARE + 1}/{SHARE}"
    passes(lab, HERE / "closed.py", "--only", CASES[number].name, "--part", part, limit=LIMIT)
