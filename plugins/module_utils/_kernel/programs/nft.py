# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nftables: reading the rule set as JSON, changing it with nft's text syntax in one transaction. The one file that runs nft.

Reading is JSON and writing is text on purpose: nft 1.0.6 cannot declare every object in JSON.
"""

from __future__ import annotations

from typing import Dict, List, Mapping

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs.run import ProgramError, run, which

_NFT = "nft"


class Nft:
    """The program nft, in the namespace that the thread is in. What is read and written is by program, of which there is one."""

    usual = True

    def available(self) -> bool:
        """Return whether there is an nft to run."""
        return which(_NFT) is not None

    def version(self) -> str:
        """Return what nft says of its version. Raises `ProgramError`."""
        return _run(["--version"])

    def read(self) -> Dict[str, str]:
        """Return the rule set as nft prints it in JSON, with handles. Raises `ProgramError`."""
        return {_NFT: _run(["-j", "-a", "list", "ruleset"])}

    def write(self, texts: Mapping[str, str]) -> None:
        """Apply lines as one transaction: all or nothing. Raises `ProgramError`."""
        if texts.get(_NFT):
            _run(["-f", "-"], texts[_NFT])

    def check(self, line: str) -> None:
        """Have the kernel say whether it would carry out a line, which is not done. Raises `ProgramError`."""
        _run(["-c", line])


def _run(arguments: List[str], text: str = "") -> str:
    program = which(_NFT)
    if program is None:
        raise ProgramError("nft is not installed")
    return run(program, arguments, text)
