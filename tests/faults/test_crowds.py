# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Twenty runs at once of some of what there is, in peace and with some of them killed: no conflict.

``make crowds`` has all crowds gather; README.md says which, and what has to hold.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from lab import Lab
from proofs import passes

HERE = Path(__file__).resolve().parent
LIMIT = 3600  # seconds for a crowd on a busy machine, not what it takes
# test_together.py and test_nat_together.py have those of single modules.
CROWDS = ["one task: against absent", "one task: purge beside", "chain: purge against", "one of everything"]


@pytest.mark.needs("lab host", "bridge", "ip", "nft", "nf_tables", "nf_nat")
@pytest.mark.parametrize("crowd", CROWDS)
def test_twenty_at_once_come_to_what_they_come_to_one_after_the_other(lab: Lab, crowd: str) -> None:
    passes(lab, HERE / "crowds.py", "--only", crowd, limit=LIMIT)
