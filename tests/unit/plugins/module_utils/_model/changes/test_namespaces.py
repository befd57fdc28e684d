# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of namespaces: the commands a person would type for each, and what takes it back."""

from __future__ import annotations

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes import namespaces
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import (
    AddNetns,
    BindNetns,
    DropNetns,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    NsFile,
    NsRef,
)
from ansible_collections.linuxnet.containers.tests.unit.told import commands_told

WEB = NsRef("/run/netns/web")
PID = NsRef("/proc/42/ns/net")
OLD = NsFile("web", "namespace", 5)

COMMANDS = [
    (AddNetns("web"), ["ip netns add web"]),
    (AddNetns("a b"), ["ip netns add 'a b'"]),
    (BindNetns("web", PID, 9), ["ip netns attach web 42"]),
    (
        BindNetns("web", NsRef("/run/netns/db"), 9, NsFile("web", "namespace", 5)),
        ["ip netns del web", "touch /run/netns/web", "mount --bind /run/netns/db /run/netns/web"],
    ),
    (BindNetns("web", HOST, 9), ["touch /run/netns/web", "mount --bind /proc/self/ns/net /run/netns/web"]),
    (DropNetns("web", 9), ["ip netns del web"]),
]  # fmt: skip


test_the_commands_of_a_change, test_every_change_has_its_commands_here = commands_told(namespaces, COMMANDS)


@pytest.mark.parametrize(
    ("step", "back"),
    [
        (AddNetns("web"), (DropNetns("web"),)),
        (BindNetns("web", PID, 9), (DropNetns("web"),)),
        (BindNetns("web", PID, 9, OLD), (BindNetns("web", WEB, 5, NsFile("web", "namespace", 9)),)),
        (DropNetns("web", 5), (BindNetns("web", WEB, 5),)),
        (DropNetns("web"), ()),  # a stale file
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_takes_back_the_others(step: Change, back: tuple[Change, ...]) -> None:
    assert step.undo() == back


def test_what_leaves_no_trace_and_what_cannot_be_taken_back() -> None:
    assert [step for step, dummy in COMMANDS if not step.writes] == []
    assert {type(step) for step, dummy in COMMANDS if step.final} == set()
    assert {type(step) for step, dummy in COMMANDS if step.partial} == set()
