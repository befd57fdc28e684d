# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules under some of the limits that a host may set: each says what is missing, leaves nothing half done, and is done once the limit is gone.

``make limits`` tries each module under each limit; README.md says which, and what has to hold.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from lab import Lab
from proofs import passes

HERE = Path(__file__).resolve().parent
LIMIT = 3600  # seconds for one on a busy machine, not what it takes
SHARE = 6  # one story of so many
LIMITS = ["files", "memory", "read-only", "full", "user", "CAP_NET_ADMIN", "CAP_SYS_ADMIN", "CAP_SYS_PTRACE"]


@pytest.mark.needs("lab host", "bridge", "ip", "nft", "nf_tables", "nf_nat", "iptables")
@pytest.mark.parametrize("number", range(len(LIMITS)), ids=LIMITS)
def test_what_is_missing_is_said_and_no_more_is_done(lab: Lab, number: int) -> None:
    part = f"{number % SHARE + 1}/{SHARE}"
    passes(lab, HERE / "limits.py", "--limit", LIMITS[number], "--part", part, limit=LIMIT)
