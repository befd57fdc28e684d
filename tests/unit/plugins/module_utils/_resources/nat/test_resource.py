# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import PutRoute
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Address, Route
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import changes as firewall_change
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.forwarding import SYSCTL_FILE
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.resource import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import execution, validation
from ansible_collections.linuxnet.containers.tests.unit.asked import existing, made, plan, refusal, want
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

NET = {"source": "10.0.0.0/24", "out_interface": "!br0"}


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"source": "10.0.0.1/24"}, "source: '10.0.0.1/24' is not a network"),
        ({"source": "10.0.0.0/24", "exclude": ["fd00::/64"]}, "exclude: fd00::/64 is not of the same address family"),
        ({"source": "10.0.0.0/24", "to_address": "192.0.2.1"}, "to_address: it belongs to type: snat"),
        ({"source": "10.0.0.0/24", "type": "snat"}, "type is snat but all of the following are missing: to_address"),
        (
            {"source": "fd00::/64", "type": "snat", "to_address": "192.0.2.1"},
            "to_address: 192.0.2.1 is not of the same",
        ),
        ({"source": "10.0.0.0/24", "out_interface": "!"}, "out_interface: '' is not an interface name"),
        ({"source": "10.0.0.0/24", "owner": "a b"}, "owner: 'a b' has a character that"),
        ({"source": "10.0.0.0/24", "comment": 'a"b'}, "comment: 'a\"b' has a character that"),
        ({"source": "10.0.0.0/24", "comment": "x" * 128}, "comment: owner and comment together are too long"),
    ],
)
def test_what_is_refused(params: dict[str, Any], sentence: str) -> None:
    assert refusal(RESOURCE, **params).startswith(sentence)


def test_a5_spellings_mean_the_same() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, exclude=["10.2.0.0/16", "10.3.0.0/16"], **NET)
    for exclude in (["10.2.0.0/15"], ["10.3.0.0/16", "10.2.0.0/16", "224.0.0.0/8"]):
        assert plan(kernel, RESOURCE, exclude=exclude, **NET).changes == ()
    assert want(RESOURCE, source="FD00:0::/64").rule.source == "fd00::/64"


@pytest.mark.parametrize(
    "option",
    [
        {"out_interface": "eth0"},
        {"exclude": ["10.9.0.0/16"]},
        {"comment": "x"},
        {"type": "snat", "to_address": "192.0.2.1"},
    ],
)
def test_a6_a_rule_is_replaced_in_its_place(option: dict[str, Any]) -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, **NET)
    (step,) = plan(kernel, RESOURCE, **{**NET, **option}).changes
    assert (type(step), step.old.key) == (firewall_change.PutRule, ("ansible", "10.0.0.0/24"))
    made(kernel, RESOURCE, **{**NET, **option})
    assert len(kernel.ruleset(existing(kernel.find(HOST)), NFTABLES)) == 1


def test_f14_forwarding_is_switched_on_and_kept_on_and_goes_with_the_last_rule() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, **NET)
    assert kernel.sysctl(existing(kernel.find(HOST)), "net.ipv4.ip_forward") == "1"
    assert kernel.read_text(SYSCTL_FILE).endswith("\nnet.ipv4.ip_forward = 1\n")
    made(kernel, RESOURCE, source="10.1.0.0/24")
    made(kernel, RESOURCE, source="10.1.0.0/24", state="absent")
    assert kernel.sysctl(existing(kernel.find(HOST)), "net.ipv4.ip_forward") == "1"
    made(kernel, RESOURCE, state="absent", **NET)
    assert kernel.sysctl(existing(kernel.find(HOST)), "net.ipv4.ip_forward") == "0"
    assert kernel.read_text(SYSCTL_FILE) == ""
    assert kernel.ruleset(existing(kernel.find(HOST)), NFTABLES) == []


def test_f14_forwarding_that_somebody_else_switched_on_is_theirs() -> None:
    kernel = MemoryKernel()
    kernel.apply(SetSysctl(HOST, "net.ipv4.ip_forward", "1", "0"))
    assert made(kernel, RESOURCE, **NET)["after"]["ip_forward"] is True
    made(kernel, RESOURCE, state="absent", **NET)
    assert kernel.sysctl(existing(kernel.find(HOST)), "net.ipv4.ip_forward") == "1"


def test_f14_forwarding_stays_on_while_another_item_of_the_task_needs_it() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, source="10.0.0.0/24")
    done = len(kernel.applied)
    wants = validation.items(
        RESOURCE, {"aggregate": [{"source": "10.0.0.0/24", "state": "absent"}, {"source": "10.1.0.0/24"}]}
    )
    results, dummy = execution.execute(RESOURCE, wants, kernel, False)
    assert [one["changed"] for one in results] == [True, True]
    assert [type(step) for step in kernel.applied[done:]] == [firewall_change.DelRule, firewall_change.PutRule]


def test_f18_an_owner_removes_only_its_own_rule() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, owner="first", **NET)
    made(kernel, RESOURCE, owner="second", **NET)
    made(kernel, RESOURCE, owner="first", state="absent", **NET)
    assert [item["rule"]["comment"] for item in kernel.ruleset(existing(kernel.find(HOST)), NFTABLES)] == [
        "linuxnet:second"
    ]


def test_f3_a_rule_of_docker_s_satisfies() -> None:
    kernel = MemoryKernel()
    left = {"payload": {"protocol": "ip", "field": "saddr"}}
    saddr = {"match": {"op": "==", "left": left, "right": {"prefix": {"addr": "10.0.0.0", "len": 24}}}}
    oifname = {"match": {"op": "!=", "left": {"meta": {"key": "oifname"}}, "right": "br0"}}
    where = {"family": "ip", "table": "nat"}
    kernel.foreign_rules = [
        {"chain": {**where, "name": "POSTROUTING", "type": "nat", "hook": "postrouting"}},
        {"rule": {**where, "chain": "POSTROUTING", "handle": 7, "expr": [saddr, oifname, {"masquerade": None}]}},
    ]
    result = made(kernel, RESOURCE, ip_forward=False, **NET)
    assert (result["changed"], result["satisfied_by"]) == (False, "ip nat POSTROUTING handle 7")


def test_e6_an_uplink_that_lives_from_router_advertisements_keeps_its_route() -> None:
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, "up0", "veth", {"enabled": True}, HOST, "up1", {"enabled": True}))
    kernel.apply(PutAddress(HOST, "up0", Address("fd00:1::2", 64, 6)))
    kernel.apply(PutRoute(HOST, Route(6, "::/0", metric=1024, gateway="fd00:1::1", interface="up0", protocol=9)))
    made(kernel, RESOURCE, source="fd00::/64")
    assert kernel.sysctl(existing(kernel.find(HOST)), "net/ipv6/conf/up0/accept_ra") == "2"
    assert "net/ipv6/conf/up0/accept_ra = 2\nnet.ipv6.conf.all.forwarding = 1\n" in kernel.read_text(SYSCTL_FILE)
    assert made(kernel, RESOURCE, source="fd00::/64")["changed"] is False
    made(kernel, RESOURCE, source="fd00::/64", state="absent")
    assert kernel.sysctl(existing(kernel.find(HOST)), "net/ipv6/conf/up0/accept_ra") == "1"
    assert kernel.read_text(SYSCTL_FILE) == ""


def test_e6_an_uplink_that_accepts_advertisements_in_any_case_is_left_as_it_is() -> None:
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, "up0", "veth", {"enabled": True}, HOST, "up1", {"enabled": True}))
    kernel.apply(PutAddress(HOST, "up0", Address("fd00:1::2", 64, 6)))
    kernel.apply(PutRoute(HOST, Route(6, "::/0", metric=1024, gateway="fd00:1::1", interface="up0", protocol=9)))
    kernel.apply(SetSysctl(HOST, "net/ipv6/conf/up0/accept_ra", "2", "1"))
    made(kernel, RESOURCE, source="fd00::/64")
    assert "accept_ra" not in kernel.read_text(SYSCTL_FILE)
    made(kernel, RESOURCE, source="fd00::/64", state="absent")
    assert kernel.sysctl(existing(kernel.find(HOST)), "net/ipv6/conf/up0/accept_ra") == "2"
