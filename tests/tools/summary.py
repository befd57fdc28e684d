# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Adds up the reports of several pytest runs, with what tests ``said``, and names the slowest of all and, at the end, those that
failed: where only the end of what CI printed is kept, it is that. The argument is the folder they are in."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

SLOWEST = 25


def main() -> None:
    """Print the slowest tests, with what their fixtures took, one line of sums, and each failed test with the beginning of its message."""
    total: Counter[str] = Counter()
    times: list[tuple[float, str, str]] = []
    said: list[str] = []
    failures: list[str] = []
    for report in sorted(Path(sys.argv[1]).glob("*.xml")):
        for suite in ET.parse(report).iter("testsuite"):
            total.update({key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")})
            for case in suite.iter("testcase"):
                name = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}"
                times.append((float(case.get("time", 0)), report.stem, name))
                wrong = [one for one in case if one.tag in ("failure", "error")]
                failures += [f"{report.stem} {name}: {(one.get('message') or '')[:1000]}" for one in wrong]
                said += [str(one.get("value")) for one in case.iter("property") if one.get("name") == "said"]
    print(f"\nThe slowest {SLOWEST} of all tests:")
    for seconds, stage, name in sorted(times, reverse=True)[:SLOWEST]:
        print(f"{seconds:7.1f} s  {stage:15} {name}")
    print(*["", *said], sep="\n")
    failed = total["failures"] + total["errors"]
    passed = total["tests"] - failed - total["skipped"]
    print(f"{passed} passed, {failed} failed, {total['skipped']} skipped")
    print(*failures, sep="\n", end="\n" if failures else "")


if __name__ == "__main__":
    main()
