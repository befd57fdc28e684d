# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nftables: reading the rule set as JSON, changing it with nft's text syntax in one transaction. The one file that runs nft.

Reading is JSON and writing is text on purpose: nft 1.0.6 cannot declare every object in JSON. Nor can it print in JSON a table that has a flag, as
one that is dormant has: it says something of memory that it has freed by then, or ends there. So what is in tables is asked for without these then.
"""

from __future__ import annotations

import json
import re
from typing import Any, Dict, List, Mapping

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs.run import ProgramError, run, which
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import understood

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
        printed = _run(["-j", "-a", "list", "ruleset"])
        ended = printed.rstrip().endswith("]}") or '"flags":' not in printed
        if ended:
            return {_NFT: printed}
        with understood(ProgramError, "what nft printed"):
            return {_NFT: _in_parts()}

    def write(self, texts: Mapping[str, str]) -> None:
        """Apply lines as one transaction: all or nothing. Raises `ProgramError`."""
        if texts.get(_NFT):
            _run(["-f", "-"], texts[_NFT])

    def check(self, line: str) -> None:
        """Have the kernel say whether it would carry out a line, which is not done. Raises `ProgramError`."""
        _run(["-c", line])


def _in_parts() -> str:
    """Return the rule set as nft prints it in JSON, but for the tables, of which only names and flags are told. Raises `ProgramError`."""
    listed = _run(["-t", "list", "ruleset"])
    tables = re.findall(r"^table (\S+) (\S+) {(?:[^\n]*\n\tflags ([a-z,]+)\n)?", listed, re.MULTILINE)
    objects: List[Any] = [
        {"table": {"family": family, "name": name, **({"flags": flags.split(",")} if flags else {})}}
        for family, name, flags in tables
    ]
    for kind in ("chains", "sets", "maps"):
        objects += _objects(kind)
    chains = [item["chain"] for item in objects if "chain" in item]
    for chain in chains:
        found = _objects("chain", chain["family"], chain["table"], chain["name"])
        objects += [item for item in found if "rule" in item]
    return json.dumps({"nftables": objects})


def _objects(*words: str) -> List[Any]:
    """Return what nft lists of some kind. Raises `ProgramError`."""
    printed = _run(["-j", "-a", "list", *words])
    with understood(ProgramError, "what nft printed of its %s" % " ".join(words)):
        return [item for item in json.loads(printed)["nftables"] if isinstance(item, dict)]


def _run(arguments: List[str], text: str = "") -> str:
    program = which(_NFT)
    if program is None:
        raise ProgramError("nft is not installed")
    return run(program, arguments, text)
