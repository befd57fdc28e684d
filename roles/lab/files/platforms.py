# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads platforms, as Molecule has them, and becomes the command that starts them: each is an argument more.

    python3 platforms.py JSON COMMAND [ARGUMENT...]

An argument is the words that "stage" reads. What is no good is a sentence on stderr, and the exit status 1.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any

KEYS = ("name", "internet", "segments", "groups", "children")  # the last two are for Molecule
TAKEN = {"name": ("host", "internet", "localhost", "stage"), "segment": ("internet", "lo", "uplink")}
MOST = 98  # of them; the internet is the 99th on its network


def words(platforms: Any) -> list[str]:
    """What "stage" reads of each platform. Raises ValueError, with a sentence, for what is no good."""
    if not isinstance(platforms, list) or not 1 <= len(platforms) <= MOST:
        raise ValueError(f"There have to be 1 to {MOST} platforms, in a list.")
    found: list[str] = []
    for number, one in enumerate(platforms, 1):
        if not isinstance(one, dict) or "name" not in one:
            raise ValueError(f"Platform {number} of the list has no name.")
        name = one["name"]
        checked(
            "name", name, r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", "letters, digits, dots, dashes and underlines, up to 63"
        )
        for key in one:
            if key not in KEYS:
                raise ValueError(
                    "Platform {} has a key {}: a lab host has {} and no other.".format(name, key, ", ".join(KEYS))
                )
        internet, segments = one.get("internet", True), one.get("segments") or []
        if not isinstance(internet, bool):
            raise ValueError(f"Platform {name} has internet: {json.dumps(internet)}, which is to be true or false.")
        if not isinstance(segments, list) or len({str(each) for each in segments}) != len(segments):
            raise ValueError(
                f"Platform {name} has segments: {json.dumps(segments)}, which is to be a list of different names."
            )
        for segment in segments:
            checked(
                "segment",
                segment,
                r"[a-z][a-z0-9-]{0,14}",
                "an interface is called so: small letters, digits and dashes, up to 15",
            )
        if name in [each.split()[0] for each in found]:
            raise ValueError(f"Two platforms are called {name}.")
        found.append(" ".join([name, *(["internet"] if internet else []), *segments]))
    return found


def checked(what: str, value: Any, pattern: str, rule: str) -> None:
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise ValueError(f"A platform has the {what} {json.dumps(value)}: {rule}.")
    if value in TAKEN[what]:
        raise ValueError(
            "A platform has the {} {}, which means something else in a lab: {} do.".format(
                what, value, ", ".join(TAKEN[what])
            )
        )


if __name__ == "__main__":
    try:
        given = words(json.loads(sys.argv[1]))
    except ValueError as error:
        sys.exit(str(error))
    os.execv(sys.argv[2], [*sys.argv[2:], *given])
