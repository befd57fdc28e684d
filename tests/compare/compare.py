# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Docker as the measure: every scenario made by dockerd and by us, each cell and attribute compared, each difference judged.

    python3 compare.py [--only NAME]... [--backends nftables,iptables] [--list]

Prints a line for each scenario and backend, and one for each class of differences. Ends with an error where a difference belongs to no class, or to one
that is judged to be our fault.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from classes import WRONG, differences, judged
from scenarios import SCENARIOS
from twins import compare

SHOWN = 10  # differences of a kind that are printed


class Report:
    """What was compared, counted."""

    def __init__(self) -> None:
        self.cells: Counter[str] = Counter()
        self.classes: Counter[tuple[str, str]] = Counter()
        self.faults: dict[str, list[str]] = {}

    def add(self, scenario: int, backends: list[str]) -> str:
        """Compare a scenario, print its lines, and return Docker's version."""
        asked = SCENARIOS[scenario]
        compared = compare(asked, backends)
        for backend in backends:
            found = differences(asked, compared, backend)
            cells = sum(one.protocol != "attribute" for one in found)
            attributes, of = len(found) - cells, len(compared.theirs.attributes)
            total = len(compared.theirs.answers)
            self.cells.update({"cells": total, "differ": cells, "attributes": of, "attributes differ": attributes})
            print(f"{asked.name:<60} {backend:<9} {total:>6} {total - cells:>6} {cells:>6} {of - attributes:>6}/{of}")
            for one in found:
                kind = judged(one)
                name, judgement = (kind.name, kind.judgement) if kind else ("none", "in no class")
                self.classes[name, judgement] += 1
                if kind is None or kind.judgement == WRONG:
                    self.faults.setdefault(f"{name}: {judgement}", []).append(f"{backend}: {one}")
        sys.stdout.flush()
        return compared.version

    def ending(self) -> int:
        """Print the classes and the faults. Returns the exit status."""
        print(f"\n{'class of differences':<60} {'judgement':<18} {'number':>6}")
        for (name, judgement), number in sorted(self.classes.items(), key=lambda entry: -entry[1]):
            print(f"{name:<60} {judgement:<18} {number:>6}")
        print(f"\n{dict(self.cells)}")
        for name, lines in self.faults.items():
            print(f"\n{name}")
            for line in lines[:SHOWN]:
                print(f"    {line}")
            if len(lines) > SHOWN:
                print(f"    and {len(lines) - SHOWN} more")
        return 1 if self.faults else 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare what dockerd makes with what this collection makes.")
    parser.add_argument("--only", action="append", help="a scenario's name; again for more")
    parser.add_argument("--backends", default="nftables,iptables")
    parser.add_argument("--list", action="store_true", help="list the scenarios")
    options = parser.parse_args()
    if options.list:
        print("\n".join(one.name for one in SCENARIOS))
        return 0
    chosen = [number for number, one in enumerate(SCENARIOS) if one.name in (options.only or [one.name])]
    if not chosen:
        parser.error("there is no such scenario; --list tells their names")
    print(f"{'scenario':<60} {'backend':<9} {'cells':>6} {'equal':>6} {'differ':>6} attributes equal")
    report = Report()
    versions = {report.add(number, options.backends.split(",")) for number in chosen}
    print(f"\n{', '.join(versions)}")
    return report.ending()


if __name__ == "__main__":
    sys.exit(main())
