# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of routes and policy rules: the commands a person would type for each, and what takes it back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes import routes
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import (
    AddLoopbackGuard,
    AddPolicy,
    DelLoopbackGuard,
    DelPolicy,
    DelRoute,
    PutRoute,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Nexthop,
    NsRef,
    PolicyRule,
    Route,
)
from ansible_collections.linuxnet.containers.tests.unit.told import commands_told

WEB = NsRef("/run/netns/web")
PID = NsRef("/proc/42/ns/net")
ROUTE = Route(4, "0.0.0.0/0", gateway="10.0.0.1", interface="eth0", protocol=76)
POLICY = PolicyRule(4, "10.9.0.0/24", 100, 20100, 76)

COMMANDS = [
    (PutRoute(WEB, ROUTE), ["ip -n web route add default via 10.0.0.1 dev eth0 proto 76"]),
    (
        PutRoute(HOST, Route(6, "fd09::/64", 100, 50, nexthops=(Nexthop("fd00::1", "", 2), Nexthop("", "eth1")), protocol=76), ROUTE),
        ["ip -6 route replace fd09::/64 table 100 metric 50 proto 76 nexthop via fd00::1 weight 2 nexthop dev eth1 weight 1"],
    ),
    (DelRoute(WEB, Route(4, "10.9.0.0/16", type="blackhole")), ["ip -n web route del blackhole 10.9.0.0/16"]),
    (
        AddPolicy(WEB, POLICY),
        ["ip -n web rule add from 10.9.0.0/24 lookup 100 priority 20100 proto 76"],
    ),
    (
        DelPolicy(PID, PolicyRule(6, "::/0", 70000, 5, 76)),
        ["nsenter --net=/proc/42/ns/net ip -6 rule del from ::/0 lookup 70000 priority 5 proto 76"],
    ),
    (
        AddLoopbackGuard(HOST, "br0"),
        [
            "ip rule add iif br0 priority 0 to 127.0.0.0/8 fwmark 0/0x20000000 protocol 76 prohibit",
            "ip rule add priority 1 lookup local protocol kernel",
            "ip rule del priority 0 lookup local protocol kernel",
            "ip rule add priority 0 lookup local protocol kernel",
            "ip rule del priority 1 lookup local protocol kernel",
        ],
    ),
    (
        DelLoopbackGuard(WEB, "it's"),
        [
            """ip -n web rule del iif 'it'"'"'s' priority 0 to 127.0.0.0/8 fwmark 0/0x20000000 protocol 76 prohibit""",
        ],
    ),
]  # fmt: skip


test_the_commands_of_a_change, test_every_change_has_its_commands_here = commands_told(routes, COMMANDS)


TWICE = [
    PutRoute(WEB, ROUTE),
    PutRoute(WEB, replace(ROUTE, mtu=1400), ROUTE),
    DelRoute(WEB, ROUTE),
    AddPolicy(WEB, POLICY),
    DelPolicy(WEB, POLICY),
    AddLoopbackGuard(WEB, "br0"),
    DelLoopbackGuard(WEB, "br0"),
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
