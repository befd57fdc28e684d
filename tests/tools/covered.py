# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prints what the unit tests cover, a line a wing, and fails where that is less than the wing's floor.

The argument is the report that coverage.py wrote as JSON.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path, PurePosixPath

TOTAL = "total"
# Percent, of lines and branches together: a little below what is reached. The tests in lab hosts are not measured.
FLOORS = {
    "_firewall": 95,
    "_kernel": 91,
    "_model": 98,
    "_path": 87,
    "_resources": 94,
    "_run": 89,
    "_wired": 60,
    "_wiring": 95,
    TOTAL: 94,
}


class Tally(Counter[str]):
    """Counts lines and branches, and how many of them were run."""

    @property
    def percent(self) -> float:
        """0 to 100. What has nothing to run is covered."""
        there = self["num_statements"] + self["num_branches"]
        return 100 * (self["covered_lines"] + self["covered_branches"]) / there if there else 100.0


def tallies(report: Path) -> dict[str, Tally]:
    """The tally of each wing, and of all of them as the last."""
    found: dict[str, Tally] = {}
    total = Tally()
    for name, file in json.loads(report.read_text(encoding="utf-8"))["files"].items():
        wing = PurePosixPath(name).parts[2]  # plugins/module_utils/WING/...
        for tally in (found.setdefault(wing, Tally()), total):
            tally.update(file["summary"])
    return {**{wing: found[wing] for wing in sorted(found)}, TOTAL: total}


def main() -> None:
    """Print the table. Exit status 1 where a floor is not reached."""
    low = []
    print(f"{'':10} {'lines':>11} {'branches':>11} {'covered':>9} {'floor':>7}")
    for wing, tally in tallies(Path(sys.argv[1])).items():
        lines, branches = (
            f"{tally[run]}/{tally[there]}"
            for run, there in (("covered_lines", "num_statements"), ("covered_branches", "num_branches"))
        )
        floor = FLOORS.get(wing, 100)  # a new wing names its floor
        print(f"{wing:10} {lines:>11} {branches:>11} {tally.percent:7.1f} % {floor:5} %")
        low += [wing] if tally.percent < floor else []
    if low:
        sys.exit(f"error: the unit tests cover less than the floor in tests/tools/covered.py: {', '.join(low)}")


if __name__ == "__main__":
    main()
