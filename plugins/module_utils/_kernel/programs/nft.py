# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nftables: reading the rule set as JSON, changing it with nft's text syntax in one transaction. The one file that runs nft.

Reading is JSON and writing is text on purpose: nft 1.0.6 cannot declare every object in JSON.
"""

from __future__ import annotations

import json
from typing import Any, Dict, List

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs.run import run, which


def available() -> bool:
    """Return whether there is an nft to run."""
    return which("nft") is not None


def ruleset() -> List[Dict[str, Any]]:
    """Return all objects of the rule set of the namespace the thread is in, as nft's JSON has them, with handles.

    Raises `ProgramError`.
    """
    return [
        item
        for item in json.loads(run(which("nft") or "nft", ["-j", "-a", "list", "ruleset"]))["nftables"]
        if "metainfo" not in item
    ]


def transaction(lines: List[str]) -> None:
    """Apply ``lines`` as one transaction: all or nothing. Raises `ProgramError`."""
    run(which("nft") or "nft", ["-f", "-"], "\n".join(lines) + "\n")
