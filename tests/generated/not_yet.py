# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is not generated yet, each with the reason: a kind of input or of start state that is known not to hold what is promised.

Take a line away, and it is generated; ``make soak ARGS='--with NAME'`` tries one. The aim is an empty table.
"""

from __future__ import annotations

NOT_YET: dict[str, str] = {}
_tried: set[str] = set()


def also(*names: str) -> None:
    """Generate these, too. Raises KeyError where the table has no such line."""
    for name in names:
        NOT_YET[name]
        _tried.add(name)


def generated(name: str) -> bool:
    """Whether a kind is generated."""
    return name not in NOT_YET or name in _tried
