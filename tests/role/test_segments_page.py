# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plays of docs/segments.md as they stand there, one after the other, and what the shell says then."""

from __future__ import annotations

from lab import Lab
from pages import blocks
from plays import Playbook, wiring
from test_parents import lan

PAGE = blocks("docs/segments.md")
PLAYS = [block.loaded()[0] for block in PAGE if block.language == "yaml"]
SHELLS = [block.text for block in PAGE if block.language == "sh"]


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
