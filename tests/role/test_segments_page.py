# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plays of docs/segments.md as they stand there, one after the other, and what the shell says then."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from lab import Lab
from plays import Playbook, wiring
from test_parents import lan

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "segments.md").read_text(encoding="utf-8")
PLAYS = [yaml.safe_load(block)[0] for block in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)]
SHELLS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page(shared_lab: Lab, playbook: Playbook) -> None:
    lan(shared_lab)
    assert len(PLAYS) == len(SHELLS) == 2
    for play, shell in zip(PLAYS, SHELLS, strict=True):
        (role,) = play["roles"]
        asked = wiring(**{name[len("wiring_") :]: value for name, value in role.items() if name != "role"})
        first, again = playbook.run(asked, asked)
        assert first.changed
        assert again.changed == []
        for line in shell.splitlines():
            shared_lab.run(line)
