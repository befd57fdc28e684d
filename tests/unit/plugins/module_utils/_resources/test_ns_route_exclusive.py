# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option exclusive of ns_route: what of ours is no longer asked for goes, and nothing of anybody else's."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import AddNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import (
    AddPolicy,
    DelPolicy,
    DelRoute,
    PutRoute,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Address,
    NsRef,
    PolicyRule,
    Route,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_route import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import execution, validation
from ansible_collections.linuxnet.containers.tests.unit.asked import existing, made, refusal
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

WEB = NsRef("/run/netns/web")
DEFAULT = {"gateway": "10.0.0.1"}
OWN = {"destination": "10.9.0.0/16", "gateway": "10.0.0.7"}
SIX = {"destination": "fd09::/64", "gateway": "fd00::7"}
HOLE = {"destination": "10.8.0.0/16", "type": "blackhole"}
TABLE = {"table": "100", "rule_source": "10.0.0.0/24", "gateway": "10.0.0.8"}
THEIRS = [
    Route(4, "10.7.0.0/16", gateway="10.0.0.9", interface="eth0", protocol=4),
    Route(4, "10.7.0.0/16", 101, type="blackhole", protocol=3),
]
THEIR_RULE = PolicyRule(4, "10.7.0.0/24", 101, 20101, 4)


def host() -> MemoryKernel:
    kernel = MemoryKernel()
    kernel.apply(AddNetns("web"))
    kernel.apply(AddLink(HOST, "v", "veth", {"enabled": True}, WEB, "eth0", {}))
    kernel.apply(SetLink(WEB, "eth0", {"enabled": True}, {}))
    kernel.apply(PutAddress(WEB, "eth0", Address("10.0.0.2", 24, 4, label="eth0")))
    kernel.apply(PutAddress(WEB, "eth0", Address("fd00::2", 64, 6)))
    for route in THEIRS:
        kernel.apply(PutRoute(WEB, route))
    kernel.apply(AddPolicy(WEB, THEIR_RULE))
    return kernel


def asked(kernel: Any, *items: Any, **common: Any) -> list[Any]:
    """What the role asks of a container: its routes, or none. Foreseen first and repeated; the results are equal. Returns the steps."""
    listed = [{**item, "exclusive": True} for item in items] or [{"state": "absent", "exclusive": True}]
    wants = validation.items(RESOURCE, {"netns": "web", "aggregate": listed, **common})
    done = len(kernel.applied)
    foreseen, results, again = (execution.execute(RESOURCE, wants, kernel, check)[0] for check in (True, False, False))
    assert foreseen == results
    assert not any(result["changed"] for result in again)
    return list(kernel.applied[done:])


def there(kernel: Any) -> list[str]:
    """The routes and rules of ours in the namespace."""
    ns = existing(kernel.find(WEB))
    tables, families = kernel.marked(ns, 76)
    routes = [route for key in sorted(tables) for route in kernel.routes(ns, *key) if route.protocol == 76]
    rules = [rule for family in families for rule in kernel.policies(ns, family) if rule.protocol == 76]
    return [*map(str, routes), *map(str, rules)]


def theirs(kernel: Any) -> bool:
    """Whether all that others set is there."""
    ns = existing(kernel.find(WEB))
    routes = [*kernel.routes(ns, 4, 254), *kernel.routes(ns, 4, 101)]
    return all(route in routes for route in THEIRS) and THEIR_RULE in kernel.policies(ns, 4)


ALL = [DEFAULT, OWN, SIX, HOLE, TABLE]


@pytest.mark.parametrize("left", [[], [DEFAULT], [OWN, HOLE], [SIX], [TABLE], [DEFAULT, OWN, SIX, HOLE]], ids=str)
def test_what_is_no_longer_asked_for_goes_and_what_others_set_stays(left: Any) -> None:
    kernel, fresh = host(), host()
    asked(kernel, *ALL)
    steps = asked(kernel, *left)
    assert {type(step) for step in steps} <= {DelRoute, DelPolicy}, "what is asked for is not touched"
    asked(fresh, *left)
    assert sorted(there(kernel)) == sorted(there(fresh))
    assert theirs(kernel)


def test_the_result_says_what_goes() -> None:
    kernel = host()
    asked(kernel, *ALL)
    listed = [{**DEFAULT, "exclusive": True}, {**HOLE, "exclusive": True}]
    first, last = execution.execute(
        RESOURCE, validation.items(RESOURCE, {"netns": "web", "aggregate": listed}), kernel, True
    )[0]
    assert first["changed"] is False
    assert last["diff"]["before"] == (
        "no_longer_asked_for rule from 10.0.0.0/24 lookup 100 priority 20100 proto 76, default via 10.0.0.8 dev eth0 table 100, "
        "10.9.0.0/16 via 10.0.0.7 dev eth0, fd09::/64 via fd00::7 dev eth0 metric 1024\n"
    )
    assert last["commands"][0] == "ip -n web rule del from 10.0.0.0/24 lookup 100 priority 20100 proto 76"
    nothing = execution.execute(
        RESOURCE, validation.items(RESOURCE, {"netns": "web", "state": "absent", "exclusive": True}), kernel, True
    )[0]
    assert nothing[0]["diff"]["before_header"] == "routes that are not asked for in netns 'web'"


@pytest.mark.parametrize(
    "option", [{"metric": 50}, {"mtu": 1400}, {"advmss": 1000}, {"source": "10.0.0.2"}, {"onlink": True}], ids=str
)
@pytest.mark.parametrize("route", [DEFAULT, OWN], ids=str)
def test_what_is_no_longer_asked_for_goes_an_option_of_a_route(route: Any, option: Any) -> None:
    """In place, or with the new one there before the old one goes."""
    kernel, fresh = host(), host()
    asked(kernel, {**route, **option})
    steps = asked(kernel, route)
    assert [type(step) for step in steps] == [PutRoute, DelRoute] if "metric" in option else [PutRoute]
    asked(fresh, route)
    assert there(kernel) == there(fresh)


def test_what_others_set_is_enough_and_stays_as_it_is() -> None:
    kernel = host()
    kernel.apply(
        PutRoute(WEB, Route(4, "0.0.0.0/0", metric=100, gateway="10.0.0.1", interface="eth0", mtu=1400, protocol=4))
    )
    assert asked(kernel, DEFAULT) == []
    assert asked(kernel) == []


def test_another_way_takes_the_place_of_the_old_one() -> None:
    kernel = host()
    asked(kernel, DEFAULT, TABLE)
    steps = asked(kernel, {"gateway": "10.0.0.5"}, {**TABLE, "gateway": "10.0.0.6"})
    assert [type(step) for step in steps] == [PutRoute, PutRoute]
    assert all(step.old for step in steps)


def test_without_exclusive_everything_stays() -> None:
    kernel = host()
    asked(kernel, *ALL)
    before = there(kernel)
    made(kernel, RESOURCE, netns="web", **DEFAULT)
    assert there(kernel) == before


def test_another_namespace_is_none_of_its_business() -> None:
    kernel = host()
    kernel.apply(AddNetns("db"))
    made(kernel, RESOURCE, netns="db", **HOLE)
    asked(kernel, *ALL)
    asked(kernel)
    assert kernel.marked(existing(kernel.find(NsRef("/run/netns/db"))), 76)[0] == {(4, 254)}


def test_a_namespace_that_is_gone_has_nothing_to_remove() -> None:
    assert made(MemoryKernel(), RESOURCE, netns="web", state="absent", exclusive=True)["changed"] is False


def test_an_item_that_asks_for_nothing_names_nothing() -> None:
    sentence = "exclusive: with state: absent it means all routes of ours that the task does not ask for, so name none."
    for named in (OWN, HOLE, TABLE, {"destination": "::/1"}, {"metric": 7}):
        assert refusal(RESOURCE, state="absent", exclusive=True, **named) == sentence
