# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of addresses: the commands a person would type for each, and what takes it back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes import addresses
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import (
    Announce,
    DelAddress,
    PutAddress,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Address,
    NsRef,
)
from ansible_collections.linuxnet.containers.tests.unit.told import commands_told

WEB = NsRef("/run/netns/web")
ONE = Address("10.0.0.2", 24, 4, label="eth0")
SIX = Address("fd00::2", 64, 6, nodad=True, noprefixroute=True, valid_lft=60, preferred_lft=30)

COMMANDS = [
    (PutAddress(WEB, "eth0", ONE), ["ip -n web address add 10.0.0.2/24 dev eth0"]),
    (
        PutAddress(WEB, "eth0", replace(ONE, broadcast="10.0.0.255", label="eth0:1", scope="link"), ONE),
        ["ip -n web address replace 10.0.0.2/24 broadcast 10.0.0.255 dev eth0 label eth0:1 scope link"],
    ),
    (PutAddress(HOST, "eth0", replace(ONE, peer="10.9.9.9", prefix=32)), ["ip address add 10.0.0.2 peer 10.9.9.9/32 dev eth0"]),
    (
        PutAddress(WEB, "eth0", SIX),
        ["ip -n web address add fd00::2/64 dev eth0 valid_lft 60 preferred_lft 30 nodad noprefixroute"],
    ),
    (DelAddress(WEB, "eth0", ONE), ["ip -n web address del 10.0.0.2/24 dev eth0"]),
    (Announce(WEB, "eth0", "10.0.0.2", 4), ["ip netns exec web arping -U -c 1 -I eth0 10.0.0.2"]),
    (
        Announce(WEB, "eth0", "fd00::2", 6),
        ["# unsolicited neighbour advertisement of fd00::2 from eth0"],
    ),
]  # fmt: skip


test_the_commands_of_a_change, test_every_change_has_its_commands_here = commands_told(addresses, COMMANDS)


TWICE = [
    PutAddress(WEB, "eth0", ONE),
    PutAddress(WEB, "eth0", replace(ONE, label="eth0:1"), ONE),
    DelAddress(WEB, "eth0", ONE),
]


@pytest.mark.parametrize("step", TWICE, ids=lambda value: type(value).__name__)
def test_taking_back_what_takes_back_is_the_change_itself(step: Change) -> None:
    (back,) = step.undo()
    assert back != step
    assert back.undo() == (step,)


@pytest.mark.parametrize(
    ("step", "back"),
    [
        (Announce(WEB, "eth0", "10.0.0.2", 4), ()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_takes_back_the_others(step: Change, back: tuple[()]) -> None:
    assert step.undo() == back


def test_what_leaves_no_trace_and_what_cannot_be_taken_back() -> None:
    assert [step for step, dummy in COMMANDS if not step.writes] == [
        Announce(WEB, "eth0", "10.0.0.2", 4),
        Announce(WEB, "eth0", "fd00::2", 6),
    ]
    assert {type(step) for step, dummy in COMMANDS if step.final} == set()
    assert {type(step) for step, dummy in COMMANDS if step.partial} == set()
