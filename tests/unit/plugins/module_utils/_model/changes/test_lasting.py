# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of what a host keeps: their words, commands and inverses."""

from __future__ import annotations

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.lasting import PutKept, ReloadUnits
from ansible_collections.linuxnet.containers.plugins.module_utils._model.lasting import (
    ENABLED,
    NOTHING,
    PLAN,
    PROGRAM,
    UNIT,
    File,
)

TEXT, LINK, ARCHIVE = File("file", "a\n", 0o600), File("link", UNIT), File("program", "abc", 0o755)


@pytest.mark.parametrize(
    ("step", "lines"),
    [
        (
            PutKept(PLAN, TEXT),
            [
                "mkdir -p -m 700 /var/lib/linuxnet-containers",
                f"install -m 600 /dev/null {PLAN}",
                f"printf %s $'a\\n' > {PLAN}",
            ],
        ),
        (
            PutKept(ENABLED, LINK),
            ["mkdir -p /etc/systemd/system/multi-user.target.wants", f"ln -sfn {UNIT} {ENABLED}"],
        ),
        (
            PutKept(PROGRAM, ARCHIVE),
            [
                "mkdir -p -m 700 /var/lib/linuxnet-containers",
                f"# {PROGRAM} is the program that does this, with the files of Ansible that it needs (SHA-256 abc).",
            ],
        ),
        (PutKept(UNIT, NOTHING, TEXT), [f"rm {UNIT}"]),
        (
            PutKept(PLAN, NOTHING, TEXT),
            [f"rm {PLAN}", "rmdir --ignore-fail-on-non-empty /var/lib/linuxnet-containers"],
        ),
        (ReloadUnits(), ["systemctl daemon-reload"]),
    ],
)
def test_the_commands_are_those_that_a_person_would_type(step: PutKept, lines: list[str]) -> None:
    assert [str(line) for line in step.commands()] == lines


def test_the_step_back_puts_what_was_there() -> None:
    assert PutKept(PLAN, TEXT).undo() == (PutKept(PLAN, NOTHING, TEXT),)
    assert PutKept(PLAN, NOTHING, TEXT).undo() == (PutKept(PLAN, TEXT, NOTHING),)
    assert PutKept(PROGRAM, ARCHIVE).undo() == (PutKept(PROGRAM, NOTHING, ARCHIVE),)
    assert ReloadUnits().undo() == (ReloadUnits(),)


def test_nobody_has_the_program_that_was_there() -> None:
    assert PutKept(PROGRAM, File("program", "new", 0o755), ARCHIVE).undo() == ()


def test_what_is_tried_is_named() -> None:
    assert PutKept(PLAN, TEXT).attempt() == f"write {PLAN}"
    assert PutKept(PLAN, NOTHING, TEXT).attempt() == f"remove {PLAN}"
    assert PutKept(PLAN, TEXT).places() == (PLAN,)
    assert ReloadUnits().attempt() == "have systemd read its units again"
