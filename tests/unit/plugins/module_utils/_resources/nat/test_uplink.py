# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, type uplink. What it does to packets is shown in tests/module."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import IPTABLES_NFT
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import Uplink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import (
    AddPolicy,
    DelPolicy,
    DelRoute,
    PutRoute,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Lacking
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import (
    PROTOCOL,
    UPLINK_NUMBERS,
    UPLINK_SHIFT,
    UPLINK_TABLES,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, PolicyRule, Route
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import ns_route
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import SetUplink
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.resource import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.asked import existing, failed, made, plan, refusal, want
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

BOTH = ["192.0.2.9", "2001:db8::9"]
UP1: dict[str, Any] = {"type": "uplink", "interface": "up1", "gateways": BOTH, "owner": "up1"}
STRICT, HEEDED = "net/ipv4/conf/%s/rp_filter", "net/ipv4/conf/%s/src_valid_mark"


@pytest.fixture
def kernel() -> MemoryKernel:
    found = MemoryKernel()
    for name in ("up1", "up2"):
        found.apply(AddLink(HOST, name, "veth", {"enabled": True}, HOST, name + "p", {"enabled": True}))
    found.apply(SetSysctl(HOST, STRICT % "all", "1"))
    return found


def uplinks(kernel: MemoryKernel) -> list[Uplink]:
    return list(firewalls(State(kernel)).index(existing(kernel.find(HOST)), NFTABLES).uplinks.values())


def policies(kernel: MemoryKernel, family: int = 4) -> list[str]:
    return [str(rule) for rule in kernel.policies(existing(kernel.find(HOST)), family)]


def test_an_uplink_is_made_changed_and_taken_away(kernel: MemoryKernel) -> None:
    before = kernel.snapshot()
    done = made(kernel, RESOURCE, comment="the second", **UP1)
    assert (done["before"], done["after"]) == (
        {},
        {
            "type": "uplink", "netns": None, "interface": "up1", "gateways": BOTH, "owner": "up1", "comment": "the second",
            "backend": "nftables", "enforced": True,
        },
    )  # fmt: skip
    assert uplinks(kernel) == [
        Uplink(4, "up1", 1, True, "up1", "the second"),
        Uplink(6, "up1", 1, False, "up1", "the second"),
    ]
    assert policies(kernel) == [
        "from 0.0.0.0/0 fwmark 0x1000000/0x1f000000 lookup 254 priority 32002 proto 76 suppress_prefixlength 0",
        "from 0.0.0.0/0 fwmark 0x1000000/0x1f000000 lookup 7600001 priority 32003 proto 76",
    ]
    assert kernel.sysctl(existing(kernel.find(HOST)), HEEDED % "up1") == "1"
    assert made(kernel, RESOURCE, comment="the second", **UP1)["changed"] is False
    changed = made(kernel, RESOURCE, **{**UP1, "gateways": ["192.0.2.8"]})
    assert (changed["before"]["gateways"], changed["after"]["gateways"]) == (BOTH, ["192.0.2.8"])
    assert policies(kernel, 6) == []
    gone = made(kernel, RESOURCE, **UP1, state="absent")
    assert gone["after"] == {}
    assert kernel.snapshot() == before
    assert made(kernel, RESOURCE, **UP1, state="absent")["changed"] is False


@pytest.mark.parametrize(
    ("sysctls", "changed"),
    [
        ({}, ["up1"]),
        ({STRICT % "up1": "2"}, []),  # loose: the greater one counts
        ({STRICT % "all": "0"}, []),
        ({STRICT % "all": "0", STRICT % "up1": "1"}, ["up1"]),
        ({HEEDED % "all": "1"}, []),
        ({HEEDED % "up1": "1"}, []),
    ],
)
def test_routing_heeds_the_mark_where_it_checks_the_source(
    kernel: MemoryKernel, sysctls: dict[str, str], changed: list[str]
) -> None:
    for key, value in sysctls.items():
        kernel.apply(SetSysctl(HOST, key, value))
    before = kernel.snapshot()
    steps = plan(kernel, RESOURCE, **UP1).changes
    assert [step.key for step in steps if isinstance(step, SetSysctl)] == [HEEDED % name for name in changed]
    made(kernel, RESOURCE, **UP1)
    assert [uplink.checked for uplink in uplinks(kernel)] == [bool(changed), False]
    made(kernel, RESOURCE, **UP1, state="absent")
    assert kernel.snapshot() == before


def test_each_has_a_number_of_its_own_and_what_others_have_is_left(kernel: MemoryKernel) -> None:
    theirs = PolicyRule(4, "0.0.0.0/0", 99, 5, 4, 1 << UPLINK_SHIFT)
    route = Route(4, "0.0.0.0/0", UPLINK_TABLES + 2, gateway="192.0.2.7", interface="up2", onlink=True, protocol=4)
    kernel.apply(AddPolicy(HOST, theirs))
    kernel.apply(PutRoute(HOST, route))
    before = kernel.snapshot()
    made(kernel, RESOURCE, **UP1)
    made(kernel, RESOURCE, **{**UP1, "interface": "up2", "owner": "up2", "gateways": BOTH[:1]})
    assert {uplink.key: uplink.number for uplink in uplinks(kernel)} == {(4, "up1"): 3, (6, "up1"): 3, (4, "up2"): 4}
    for name in ("up1", "up2"):
        made(kernel, RESOURCE, type="uplink", interface=name, owner=name, state="absent")
    assert kernel.snapshot() == before


def test_what_a_run_that_was_killed_left_is_taken_up_again_or_away(kernel: MemoryKernel) -> None:
    """In that order it is made: the route and the rules, the element, what is noted there; and taken away in the opposite one."""
    before = kernel.snapshot()
    steps = plan(kernel, RESOURCE, **UP1).changes
    for state in ("present", "absent"):
        for killed in range(len(steps)):
            for step in steps[:killed]:
                kernel.apply(step)
            if state == "present":
                made(kernel, RESOURCE, **UP1)
                assert [uplink.number for uplink in uplinks(kernel)] == [1, 1]
                made(kernel, RESOURCE, **UP1, state="absent")
            else:
                made(kernel, RESOURCE, **UP1, state="absent")
            assert kernel.snapshot() == before
    made(kernel, RESOURCE, **UP1)
    steps = plan(kernel, RESOURCE, **UP1, state="absent").changes
    for killed in range(len(steps)):
        made(kernel, RESOURCE, **UP1)
        for step in steps[:killed]:
            kernel.apply(step)
        made(kernel, RESOURCE, **UP1, state="absent")
        assert kernel.snapshot() == before


def test_ns_route_exclusive_leaves_the_ways_of_uplinks(kernel: MemoryKernel) -> None:
    made(kernel, RESOURCE, **UP1)
    there = kernel.snapshot()
    made(kernel, ns_route.RESOURCE, exclusive=True, state="absent")
    assert kernel.snapshot() == there


def test_what_somebody_edited_is_put_right(kernel: MemoryKernel) -> None:
    made(kernel, RESOURCE, **UP1)
    there = kernel.snapshot()
    (four, six) = uplinks(kernel)
    first = kernel.policies(existing(kernel.find(HOST)), 4)[0]
    for harm in (
        SetUplink(HOST, replace(four, number=0, owner=""), four),
        SetUplink(HOST, None, six),
        DelPolicy(HOST, first),
        AddPolicy(HOST, replace(first, priority=7)),
        AddPolicy(HOST, replace(first, priority=8, protocol=PROTOCOL, no_default=False)),
        DelRoute(HOST, Route(6, "::/0", UPLINK_TABLES + 1, 1024, gateway=BOTH[1], interface="up1", onlink=True)),
        PutRoute(HOST, Route(4, "10.9.0.0/16", UPLINK_TABLES + 1, interface="up1", protocol=PROTOCOL)),
        SetSysctl(HOST, HEEDED % "up1", "0"),
    ):
        kernel.apply(harm)
        done = made(kernel, RESOURCE, **UP1)
        assert done["changed"] is True
        (first, *dummy) = kernel.policies(existing(kernel.find(HOST)), 4)
        assert replace(uplinks(kernel)[0], checked=True) == four
        if uplinks(kernel)[0].checked:
            assert kernel.snapshot() == there
        else:
            kernel.apply(SetUplink(HOST, four, uplinks(kernel)[0]))


def test_no_more_than_can_be_told_apart(kernel: MemoryKernel) -> None:
    others = tuple(Uplink(4, f"up{number + 10}", number, owner="x") for number in range(1, UPLINK_NUMBERS + 1))
    for other in others:
        kernel.apply(SetUplink(HOST, other))
    assert failed(kernel, RESOURCE, **UP1) == (
        f"There are {UPLINK_NUMBERS} uplinks in the host already, and no more can be told apart; remove one first."
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"interface": None}, "interface is required with type: uplink."),
        ({"gateways": []}, "gateways is required with type: uplink."),
        (
            {"gateways": ["192.0.2.7", "192.0.2.8"]},
            "gateways: 192.0.2.7 and 192.0.2.8 are of one address family; an uplink has one each.",
        ),
        (
            {"backend": "iptables"},
            "backend: iptables cannot tell what comes in by an uplink for published ports; nftables can.",
        ),
        ({"source": "10.0.0.0/24"}, "source: it does not go with type: uplink."),
        ({"interface": "up*"}, "interface: 'up*' would be any interface whose name begins with 'up' in nftables; name one interface."),
    ],
)  # fmt: skip
def test_what_is_refused(options: dict[str, Any], sentence: str) -> None:
    assert refusal(RESOURCE, **{**UP1, **options}) == sentence


def test_another_owner_keeps_it_and_without_nft_there_is_none(kernel: MemoryKernel) -> None:
    made(kernel, RESOURCE, **UP1)
    other = {**UP1, "owner": "else"}
    assert failed(kernel, RESOURCE, **other) == (
        "interface: up1 is an uplink of 'up1' already; change it under that owner."
    )
    assert made(kernel, RESOURCE, **other, state="absent")["changed"] is False
    assert "there is no interface 'up7' in the host" in failed(kernel, RESOURCE, **{**UP1, "interface": "up7"})
    bare = MemoryKernel()
    bare.programs = [IPTABLES_NFT]
    RESOURCE.require([want(RESOURCE, state="absent", **UP1)], bare)
    with pytest.raises(Lacking, match="The program nft is not installed on this host"):
        RESOURCE.require([want(RESOURCE, **UP1)], bare)
    assert "nft is not installed" in failed(bare, RESOURCE, **UP1)
    assert made(bare, RESOURCE, **UP1, state="absent")["changed"] is False
