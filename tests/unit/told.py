# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two tests that each file of changes has: the commands of a change, and that none is left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change


def commands_told(
    module: ModuleType, told: Sequence[tuple[Change, list[str]]]
) -> tuple[Callable[[Change, list[str]], None], Callable[[], None]]:
    """Return the tests of a module of changes, for pairs of a change and the command lines that a person would type for it."""

    @pytest.mark.parametrize(("step", "lines"), told, ids=lambda value: type(value).__name__)
    def commands_of_a_change(step: Change, lines: list[str]) -> None:
        assert [str(line) for line in step.commands()] == lines

    def every_change_has_commands() -> None:
        there = {change for change in Change.__subclasses__() if change.__module__ == module.__name__}
        assert {type(step) for step, dummy in told} == there

    return commands_of_a_change, every_change_has_commands
