# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of files: the commands a person would type for each, and what takes it back."""

from __future__ import annotations

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes import files
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import PutFile, SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    NsRef,
)
from ansible_collections.linuxnet.containers.tests.unit.told import commands_told

WEB = NsRef("/run/netns/web")

COMMANDS = [
    (SetSysctl(WEB, "net.ipv4.ip_forward", "1", "0"), ["ip netns exec web sysctl -w net.ipv4.ip_forward=1"]),
    (PutFile("/etc/sysctl.d/x.conf", "a = 1\n"), ["printf %s $'a = 1\\n' > /etc/sysctl.d/x.conf"]),
    (PutFile("/etc/sysctl.d/x.conf", "", "a = 1\n"), ["rm /etc/sysctl.d/x.conf"]),
]  # fmt: skip


test_the_commands_of_a_change, test_every_change_has_its_commands_here = commands_told(files, COMMANDS)


TWICE = [
    SetSysctl(WEB, "net.ipv4.ip_forward", "1", "0"),
    PutFile("/etc/x", "new", "old"),
    PutFile("/etc/x", "", "old"),
]


@pytest.mark.parametrize("step", TWICE, ids=lambda value: type(value).__name__)
def test_taking_back_what_takes_back_is_the_change_itself(step: Change) -> None:
    (back,) = step.undo()
    assert back != step
    assert back.undo() == (step,)


def test_what_leaves_no_trace_and_what_cannot_be_taken_back() -> None:
    assert [step for step, dummy in COMMANDS if not step.writes] == []
    assert {type(step) for step, dummy in COMMANDS if step.final} == set()
    assert {type(step) for step, dummy in COMMANDS if step.partial} == set()
