# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Allowances that several items share: none ends while another needs it, and none is given that does harm."""

from __future__ import annotations

import itertools
from random import Random
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import IPTABLES_NFT
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Address
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.resource import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.asked import made, plan
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel
from ansible_collections.linuxnet.containers.tests.unit.nft_json import chain, match, rule

TO = {4: "10.0.0.2", 6: "fd00::2"}
TABLE = "inet fw"
ANSWERS = {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}
ACCEPT, DROP = {"accept": None}, {"drop": None}


@pytest.fixture
def kernel() -> Any:
    """A host with a bridge."""
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, "br0", "bridge", {"enabled": True}))
    kernel.apply(PutAddress(HOST, "br0", Address("10.0.0.1", 24, 4)))
    kernel.apply(PutAddress(HOST, "br0", Address("fd00::1", 64, 6)))
    return kernel


def port(number: int = 8080, protocol: str = "tcp", family: int = 4, **more: Any) -> dict[str, Any]:
    published = {"host_port": f"{number}/{protocol}", "to_port": "80", "to_address": TO[family], "owner": "web"}
    return {"type": "dnat", "ip_forward": False, **published, **more}


def marked(value: int) -> dict[str, Any]:
    return match("mark", "==", value)


def over(protocol: str) -> dict[str, Any]:
    return match("l4proto", "==", protocol)


def of(family: int) -> dict[str, Any]:
    return match("nfproto", "==", {4: "ipv4", 6: "ipv6"}[family])


def asking(number: int) -> dict[str, Any]:
    """For a port of the host."""
    return {"match": {"op": "==", "left": {"ct": {"key": "proto-dst", "dir": "original"}}, "right": number}}


def forwards(*rules: Any, policy: str = "accept") -> list[Any]:
    """As a firewall has them: answers pass."""
    base = chain(TABLE, "forward", type="filter", hook="forward", prio=0, policy=policy)
    return [base, *(rule(TABLE, "forward", *one) for one in ((ANSWERS, ACCEPT), *rules))]


def held(kernel: Any, backend: Any = NFTABLES) -> list[tuple[str, str, str]]:
    index = firewalls(State(kernel)).index(kernel.find(HOST), backend)
    return sorted((one.kind, one.name, one.by) for one in index.allowances.values())


def settled(kernel: Any, items: list[dict[str, Any]]) -> list[list[str]]:
    """Make all items, and return what is in the way of each then. Made again they change nothing, in whatever order."""
    for item in items:
        made(kernel, RESOURCE, **item)
    said = []
    for again in (items, items[::-1]):
        results = [made(kernel, RESOURCE, **item) for item in again]
        assert [one["changed"] for one in results] == [False] * len(items)
        said.append([one["blocked_by"] for one in results])
    assert said[0] == said[1][::-1]
    return said[0]


TCP, UDP = port(), port(protocol="udp")
DIFFERENT = {
    "protocol": ([(marked(5), ACCEPT), (over("tcp"), DROP)], [TCP, UDP]),
    "family": ([(marked(5), ACCEPT), (of(6), DROP)], [port(family=6), TCP]),
    "port": (
        [(marked(5), ACCEPT), (asking(8080), DROP)],
        [TCP, port(81)],
    ),
}


@pytest.mark.parametrize("what", DIFFERENT)
@pytest.mark.parametrize("turned", [False, True])
def test_a_mark_stays_as_long_as_anything_behind_the_bridge_needs_it(kernel: Any, what: str, turned: bool) -> None:
    rules, (needing, other) = DIFFERENT[what]
    kernel.foreign_rules = forwards(*rules)
    items = [other, needing] if turned else [needing, other]
    assert settled(kernel, items) == [[], []]
    assert held(kernel) == [("mark", "br0", "0x5/0xffffffff")]
    made(kernel, RESOURCE, state="absent", **other)
    assert held(kernel) == [("mark", "br0", "0x5/0xffffffff")]
    made(kernel, RESOURCE, **other)
    made(kernel, RESOURCE, state="absent", **needing)
    assert held(kernel) == []
    assert made(kernel, RESOURCE, **other)["changed"] is False


def test_it_ends_when_their_rules_are_gone(kernel: Any) -> None:
    rules, items = DIFFERENT["protocol"]
    kernel.foreign_rules = forwards(*rules)
    settled(kernel, items)
    kernel.foreign_rules = []
    assert settled(kernel, items[::-1]) == [[], []]
    assert held(kernel) == []


def test_two_marks_cannot_be_given_at_once(kernel: Any) -> None:
    """What came first keeps it, and the other one is told what drops it."""
    kernel.foreign_rules = forwards(
        (over("tcp"), marked(5), ACCEPT), (over("udp"), marked(7), ACCEPT), (over("tcp"), DROP), (over("udp"), DROP)
    )
    tcp, udp = settled(kernel, [TCP, UDP])
    assert tcp == []
    assert [one.startswith("inet fw forward") for one in udp] == [True]
    assert held(kernel) == [("mark", "br0", "0x5/0xffffffff")]
    made(kernel, RESOURCE, state="absent", **TCP)
    assert settled(kernel, [UDP]) == [[]]
    assert held(kernel) == [("mark", "br0", "0x7/0xffffffff")]


@pytest.mark.parametrize("turned", [False, True])
def test_a_mark_that_makes_something_else_be_dropped_is_not_given(kernel: Any, turned: bool) -> None:
    kernel.foreign_rules = forwards((over("udp"), marked(5), DROP), (marked(5), ACCEPT), (over("tcp"), DROP))
    items = [UDP, TCP] if turned else [TCP, UDP]
    said = dict(zip([item["host_port"] for item in items], settled(kernel, items), strict=True))
    assert said["8080/udp"] == []
    assert len(said["8080/tcp"]) == 1
    assert held(kernel) == []


@pytest.mark.parametrize("turned", [False, True])
def test_what_is_let_through_in_iptables_is_shared_as_well(kernel: Any, turned: bool) -> None:
    kernel.foreign_saved = {
        IPTABLES_NFT: "*filter\n:FORWARD ACCEPT [0:0]\n:DOCKER-USER - [0:0]\n:THEIRS - [0:0]\n"
        "-A FORWARD -j DOCKER-USER\n-A FORWARD -p udp -j DROP\n-A DOCKER-USER -j RETURN\nCOMMIT\n"
    }
    items = [TCP, UDP] if turned else [UDP, TCP]
    assert settled(kernel, items) == [[], []]
    assert held(kernel, IPTABLES_NFT) == [("in", "br0", "")]
    made(kernel, RESOURCE, state="absent", **UDP)
    assert held(kernel, IPTABLES_NFT) == []
    assert made(kernel, RESOURCE, **TCP)["changed"] is False


def test_check_mode_says_the_same_of_a_mark_that_is_shared(kernel: Any) -> None:
    rules, items = DIFFERENT["protocol"]
    kernel.foreign_rules = forwards(*rules)
    for item in items:
        foreseen = plan(kernel, RESOURCE, **item)
        assert made(kernel, RESOURCE, **item)["blocked_by"] == foreseen.extra["blocked_by"]
    assert not any(plan(kernel, RESOURCE, **item).changes for item in items)


def test_any_rules_about_marks_leave_the_items_of_one_opinion() -> None:
    """By chance: a second run changes nothing, in whatever order the items come, and what nothing is in the way of is accepted by their rules."""
    chance = Random(5)
    tests = [
        over("tcp"),
        over("udp"),
        of(4),
        of(6),
        marked(5),
        marked(7),
        *(asking(n) for n in (80, 81)),
    ]
    given = 0
    for _number in range(150):
        kernel = MemoryKernel()
        kernel.apply(AddLink(HOST, "br0", "bridge", {"enabled": True}))
        kernel.apply(PutAddress(HOST, "br0", Address("10.0.0.1", 24, 4)))
        kernel.apply(PutAddress(HOST, "br0", Address("fd00::1", 64, 6)))
        rules = [
            (*chance.sample(tests, chance.randint(0, 2)), chance.choice([ACCEPT, DROP]))
            for _rule in range(chance.randint(1, 4))
        ]
        rules.insert(
            chance.randint(0, 2), (marked(chance.choice((5, 7))), *chance.sample(tests, chance.randint(0, 1)), ACCEPT)
        )
        kernel.foreign_rules = forwards(*rules, policy=chance.choice(["accept", "drop"]))
        every = [
            port(number, protocol, family)
            for number, protocol, family in itertools.product((80, 81), ("tcp", "udp"), (4, 6))
        ]
        settled(kernel, chance.sample(every, chance.randint(1, 4)))
        given += bool(held(kernel))
    assert given > 15, "hardly any mark was given"
