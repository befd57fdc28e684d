# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nftables: reading the rule set as JSON, changing it with nft's text syntax in one transaction. The one file that runs nft.

Reading is JSON and writing is text on purpose: nft 1.0.6 cannot declare every object in JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any, Callable, Dict, List

_PATH = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
_TIMEOUT = 60  # seconds
_TRIES = 10  # where others change the rule set each time between reading and writing


class NftError(Exception):
    """nft's own words about what it refused."""


def available() -> bool:
    """Return whether there is an nft to run."""
    return shutil.which("nft", path=_PATH) is not None


def _run(arguments: List[str], text: str = "") -> str:
    program = shutil.which("nft", path=_PATH) or "nft"
    try:
        done = subprocess.run(
            [program, *arguments], input=text, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except OSError as error:
        raise NftError(str(error)) from error
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise NftError(lines[0] if lines else "nft ended with %d" % done.returncode)
    return done.stdout


def ruleset() -> List[Dict[str, Any]]:
    """Return all objects of the rule set of the namespace the thread is in, as nft's JSON has them, with handles."""
    return [item for item in json.loads(_run(["-j", "-a", "list", "ruleset"]))["nftables"] if "metainfo" not in item]


def transaction(lines: List[str]) -> None:
    """Apply ``lines`` as one transaction: all or nothing. Raises `NftError`."""
    _run(["-f", "-"], "\n".join(lines) + "\n")


def edit(compute: Callable[[List[Dict[str, Any]]], List[str]]) -> bool:
    """Apply as one transaction the lines that ``compute`` returns for the rule set; none is nothing to do. Return whether there were any.

    nft does not tell the kernel for which generation of the rule set its lines are meant, and they need not: they name nothing
    but what is in our table. Where that was changed meanwhile, as by a flush of all, they are computed again. Raises `NftError`.
    """
    lines = compute(ruleset())
    for left in reversed(range(_TRIES)):
        try:
            if lines:
                transaction(lines)
            break
        except NftError:
            again = compute(ruleset())
            if again == lines or not left:
                raise
            lines = again
    return bool(lines)
