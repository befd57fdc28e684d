# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Adds up the reports of several pytest runs. The argument is the folder they are in."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path


def main() -> None:
    """Print one line."""
    total: Counter[str] = Counter()
    for report in Path(sys.argv[1]).glob("*.xml"):
        for suite in ET.parse(report).iter("testsuite"):
            total.update({key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")})
    failed = total["failures"] + total["errors"]
    passed = total["tests"] - failed - total["skipped"]
    print(f"{passed} passed, {failed} failed, {total['skipped']} skipped")


if __name__ == "__main__":
    main()
