# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun ns_route, its policy rule (E5): unique, with a priority that stays, and removed exactly if it is ours."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import AddNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import (
    AddPolicy,
    DelPolicy,
    PutRoute,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Address,
    NsRef,
    PolicyRule,
    Route,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import policy_rule
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_route import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import validation
from ansible_collections.linuxnet.containers.tests.unit.asked import existing, failed, made, plan, refusal, want
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

WEB = NsRef("/run/netns/web")
NET, OTHER = "10.9.0.0/24", "10.8.0.0/24"
OURS = PolicyRule(4, NET, 100, 20100, 76)
FOREIGN = PolicyRule(4, NET, 100, 500, 4)
LED = {"netns": "web", "gateway": "10.9.0.1", "table": "100", "rule_source": NET}
BESIDE = {**LED, "destination": "10.7.0.0/16"}


def host(*rules: PolicyRule) -> MemoryKernel:
    kernel = MemoryKernel()
    kernel.apply(AddNetns("web"))
    kernel.apply(AddLink(HOST, "v1", "veth", {"enabled": True}, WEB, "eth1", {}))
    kernel.apply(SetLink(WEB, "eth1", {"enabled": True}, {}))
    kernel.apply(PutAddress(WEB, "eth1", Address("10.9.0.2", 24, 4, label="eth1")))
    kernel.apply(PutAddress(WEB, "eth1", Address("fd00:9::2", 64, 6)))
    for rule in rules:
        kernel.apply(AddPolicy(WEB, rule))
    return kernel


def there(kernel: MemoryKernel, family: int = 4) -> list[PolicyRule]:
    return list(kernel.policies(existing(kernel.find(WEB)), family))


def gone(kernel: MemoryKernel, **params: str) -> dict[str, Any]:
    return made(kernel, RESOURCE, **{**params, "state": "absent"})


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"table": "main"}, "rule_source: every packet comes to the table main anyway; give the route a table of its own"),
        ({"table": "254"}, "rule_source: every packet comes to the table 254 anyway"),
        ({"table": "local"}, "rule_source: every packet comes to the table local anyway"),
        ({"rule_source": "10.9.0.2/24"}, "rule_source: '10.9.0.2/24' is not a network"),
        ({"rule_source": "web"}, "rule_source: 'web' is not a network"),
        ({"rule_source": "fd00::/64"}, "rule_source: fd00::/64 is not of the same address family as the route 0.0.0.0/0."),
        ({"rule_priority": 0}, "rule_priority: 0 is out of bounds; it must be from 1 to 32765."),
        ({"rule_priority": 32766}, "rule_priority: 32766 is out of bounds"),
        ({"rule_source": None, "rule_priority": 5}, "missing parameter(s) required by 'rule_priority': rule_source."),
    ],
)  # fmt: skip
def test_what_is_refused(params: dict[str, Any], sentence: str) -> None:
    assert refusal(RESOURCE, **{**LED, **params}).startswith(sentence)


def test_one_task_cannot_ask_for_two_priorities() -> None:
    common = {name: value for name, value in LED.items() if name != "gateway"}
    both = [{"gateway": "10.9.0.1", "rule_priority": 5}, {"destination": "10.7.0.0/16", "rule_priority": 6}]
    assert refusal(RESOURCE, **common, aggregate=both) == (
        "rule_priority: the rule from 10.9.0.0/24 to table 100 in netns 'web' cannot have both priority 5 and 6."
    )
    both[1]["state"] = "absent"
    assert len(validation.items(RESOURCE, {**common, "aggregate": both})) == 2
    both[1] = {"table": "101", "rule_priority": 6}
    assert len(validation.items(RESOURCE, {**common, "aggregate": both})) == 2


def test_the_source_tells_the_family() -> None:
    assert want(RESOURCE, table="100", interface="eth1", rule_source="fd00:9::/64").family == 6
    assert want(RESOURCE, table="100", interface="eth1", rule_source=NET).family == 4


@pytest.mark.parametrize(
    ("table", "priority"), [(1, 20001), (100, 20100), (9999, 29999), (10000, 20000), (4294967295, 27295)]
)
def test_e5_the_derived_priority_is_a_function_of_the_table_and_before_mains(table: int, priority: int) -> None:
    assert policy_rule.derived_priority(table) == priority < 32766


def test_e5_the_rule_comes_once_its_route_is_there_and_is_unique() -> None:
    kernel = host()
    one = plan(kernel, RESOURCE, **LED)
    assert [type(step) for step in one.changes] == [PutRoute, AddPolicy]
    assert (one.after["rule_source"], one.after["rule_priority"]) == (NET, 20100)
    made(kernel, RESOURCE, **LED)
    assert there(kernel) == [OURS]
    assert plan(kernel, RESOURCE, **LED).changes == ()
    assert plan(kernel, RESOURCE, rule_priority=20100, **LED).changes == ()
    made(kernel, RESOURCE, **BESIDE)
    assert there(kernel) == [OURS], "two routes, one rule"


def test_a_route_that_is_asked_for_without_a_rule_says_nothing_of_rules() -> None:
    kernel = host()
    made(kernel, RESOURCE, **LED)
    bare = {name: value for name, value in LED.items() if name != "rule_source"}
    one = plan(kernel, RESOURCE, **bare)
    assert (one.changes, one.before, one.after["rule_source"]) == ((), one.after, None)
    gone(kernel, **bare)
    assert there(kernel) == [OURS]


def test_e5_another_priority_is_there_before_the_old_one_goes() -> None:
    kernel = host()
    made(kernel, RESOURCE, **LED)
    one = plan(kernel, RESOURCE, rule_priority=7, **LED)
    assert [(type(step), step.rule.priority) for step in one.changes] == [
        (AddPolicy, 7),
        (DelPolicy, 20100),
    ]
    assert (one.before["rule_priority"], one.after["rule_priority"]) == (20100, 7)
    made(kernel, RESOURCE, rule_priority=7, **LED)
    assert plan(kernel, RESOURCE, **LED).changes == (), "what is not given is left alone"


def test_e5_two_of_ours_become_one() -> None:
    """As a run leaves them that was stopped between the two steps of a move."""
    kernel = host(OURS, PolicyRule(4, NET, 100, 7, 76), PolicyRule(4, OTHER, 100, 7, 76))
    made(kernel, RESOURCE, **LED)
    assert [(one.source, one.priority) for one in there(kernel)] == [(NET, 7), (OTHER, 7)]


@pytest.mark.parametrize("asked", [{}, {"rule_priority": 500}])
def test_e5_a_foreign_rule_serves_and_stays(asked: dict[str, int]) -> None:
    kernel = host(FOREIGN)
    assert made(kernel, RESOURCE, **LED, **asked)["after"]["rule_priority"] == 500
    assert there(kernel) == [FOREIGN]
    result = gone(kernel, **LED)
    assert (result["before"]["rule_priority"], result["after"]) == (500, {})
    assert there(kernel) == [FOREIGN]
    assert plan(kernel, RESOURCE, **LED, state="absent").changes == ()


def test_e5_beside_a_foreign_rule_of_another_priority_ours_is_added() -> None:
    kernel = host(FOREIGN)
    result = made(kernel, RESOURCE, rule_priority=7, **LED)
    assert result["commands"][1:] == ["ip -n web rule add from 10.9.0.0/24 lookup 100 priority 7 proto 76"]
    assert [one.protocol for one in there(kernel)] == [76, 4]
    gone(kernel, **LED)
    assert there(kernel) == [FOREIGN]


def test_e5_absent_takes_route_and_rule() -> None:
    kernel = host(PolicyRule(4, NET, 101, 20101, 76), PolicyRule(4, OTHER, 7, 20007, 76))
    before = there(kernel)
    after = made(kernel, RESOURCE, **LED)["after"]
    result = gone(kernel, **LED)
    assert [line.split(" proto")[0] for line in result["commands"]] == [
        "ip -n web rule del from 10.9.0.0/24 lookup 100 priority 20100",
        "ip -n web route del default via 10.9.0.1 dev eth1 table 100",
    ]
    assert (result["before"], result["after"]) == (after, {})
    assert there(kernel) == before


def test_e5_the_rule_goes_with_the_last_route_of_ours_in_its_table() -> None:
    kernel = host()
    made(kernel, RESOURCE, **LED)
    made(kernel, RESOURCE, **BESIDE)
    foreign = Route(4, "10.6.0.0/16", 100, gateway="10.9.0.1", interface="eth1")
    kernel.apply(PutRoute(WEB, foreign))  # not ours: it holds nothing
    gone(kernel, **LED)
    assert there(kernel) == [OURS]
    assert plan(kernel, RESOURCE, **LED, state="absent").changes == ()
    gone(kernel, **BESIDE)
    assert there(kernel) == []


def test_e5_a_rule_is_removed_whose_route_went_with_its_interface() -> None:
    kernel = host()
    made(kernel, RESOURCE, **LED)
    kernel.apply(SetLink(WEB, "eth1", {"enabled": False}, {"enabled": True}))
    result = gone(kernel, **LED)
    assert result["before"] == {"netns": "web", "table": "100", "rule_source": NET, "rule_priority": 20100}
    assert (result["after"], there(kernel)) == ({}, [])


def test_e5_a_route_that_two_sources_are_led_to_goes_with_the_second() -> None:
    kernel = host()
    made(kernel, RESOURCE, **LED)
    second = made(kernel, RESOURCE, **{**LED, "rule_source": OTHER})
    first = gone(kernel, **LED)
    assert (first["after"]["rule_source"], first["after"]["gateway"]) == (None, "10.9.0.1")
    assert [one.source for one in there(kernel)] == [OTHER]
    again = gone(kernel, **LED)
    assert (again["changed"], again["before"]) == (False, first["after"])
    assert gone(kernel, **{**LED, "rule_source": OTHER})["before"] == second["after"]
    assert there(kernel) == []
    assert list(kernel.routes(existing(kernel.find(WEB)), 4, 100)) == []


def test_ipv6_has_its_own() -> None:
    kernel = host(OURS)
    six = {"netns": "web", "gateway": "fd00:9::1", "table": "100", "rule_source": "FD00:9:0::/64"}
    made(kernel, RESOURCE, **six)
    assert [one.source for one in there(kernel, 6)] == ["fd00:9::/64"]
    gone(kernel, **six)
    assert (there(kernel), there(kernel, 6)) == ([OURS], [])


def test_a_refused_rule_takes_its_route_back() -> None:
    kernel = host()
    start = kernel.snapshot()
    kernel.fail_at = len(kernel.applied) + 1
    assert "add policy rule 'from 10.9.0.0/24 lookup 100 priority 20100 proto 76'" in failed(kernel, RESOURCE, **LED)
    assert kernel.snapshot() == start
