# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``make mutants`` takes out is there, once, and its tests are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from closed import CASES
from mutants import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.lost for mutant in MUTANTS])
def test_each_can_be_made(mutant: Mutant) -> None:
    assert (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.old) == 1
    named = mutant.tests.split()[0]
    assert named == "closed" or (ROOT / named).is_file()
    if named == "closed":
        assert re.split("'", mutant.tests)[1] in [case.name for case in CASES]
