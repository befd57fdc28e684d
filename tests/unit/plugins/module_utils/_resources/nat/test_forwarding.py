# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Forwarding, which NAT rules need."""

from __future__ import annotations

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
from ansible_collections.linuxnet.containers.tests.unit.asked import made
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

NET = {"source": "10.0.0.0/24", "out_interface": "!br0"}


def test_f14_forwarding_is_switched_on_and_kept_on_and_goes_with_the_last_rule() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, **NET)
    assert kernel.sysctl(kernel.find(HOST), "net.ipv4.ip_forward") == "1"  # type: ignore[arg-type]
    assert kernel.read_text(SYSCTL_FILE).endswith("\nnet.ipv4.ip_forward = 1\n")
    made(kernel, RESOURCE, source="10.1.0.0/24")
    made(kernel, RESOURCE, source="10.1.0.0/24", state="absent")
    assert kernel.sysctl(kernel.find(HOST), "net.ipv4.ip_forward") == "1"  # type: ignore[arg-type]
    made(kernel, RESOURCE, state="absent", **NET)
    assert kernel.sysctl(kernel.find(HOST), "net.ipv4.ip_forward") == "0"  # type: ignore[arg-type]
    assert kernel.read_text(SYSCTL_FILE) == ""
    assert kernel.ruleset(kernel.find(HOST), NFTABLES) == []  # type: ignore[arg-type]


def test_f14_forwarding_that_somebody_else_switched_on_is_theirs() -> None:
    kernel = MemoryKernel()
    kernel.apply(SetSysctl(HOST, "net.ipv4.ip_forward", "1", "0"))
    assert made(kernel, RESOURCE, **NET)["after"]["ip_forward"] is True
    made(kernel, RESOURCE, state="absent", **NET)
    assert kernel.sysctl(kernel.find(HOST), "net.ipv4.ip_forward") == "1"  # type: ignore[arg-type]


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


def test_e6_an_uplink_that_lives_from_router_advertisements_keeps_its_route() -> None:
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, "up0", "veth", {"enabled": True}, HOST, "up1", {"enabled": True}))
    kernel.apply(PutAddress(HOST, "up0", Address("fd00:1::2", 64, 6)))
    kernel.apply(PutRoute(HOST, Route(6, "::/0", metric=1024, gateway="fd00:1::1", interface="up0", protocol=9)))
    made(kernel, RESOURCE, source="fd00::/64")
    assert kernel.sysctl(kernel.find(HOST), "net/ipv6/conf/up0/accept_ra") == "2"  # type: ignore[arg-type]
    assert "net/ipv6/conf/up0/accept_ra = 2\nnet.ipv6.conf.all.forwarding = 1\n" in kernel.read_text(SYSCTL_FILE)
    assert made(kernel, RESOURCE, source="fd00::/64")["changed"] is False
    made(kernel, RESOURCE, source="fd00::/64", state="absent")
    assert kernel.sysctl(kernel.find(HOST), "net/ipv6/conf/up0/accept_ra") == "1"  # type: ignore[arg-type]
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
    assert kernel.sysctl(kernel.find(HOST), "net/ipv6/conf/up0/accept_ra") == "2"  # type: ignore[arg-type]


def test_the_host_is_opened_when_what_closes_it_stands() -> None:
    """Isolation and NAT are written first, forwarding and route_localnet are switched on last; the file that notes it comes before."""
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, "br0", "bridge"))
    kernel._state.known.sysctls[kernel.find(HOST) or 0, "net.ipv4.conf.br0.route_localnet"] = "0"
    start = len(kernel.applied)
    aggregate = [
        {
            "type": "dnat",
            "host_port": "8080",
            "to_address": "10.0.0.2",
            "bridge": "br0",
            "owner": "web",
            "forward": False,
        },
        {**NET, "forward": False},
        {"type": "filter", "bridge": "br0", "forward": False},
    ]
    wants = validation.items(RESOURCE, {"aggregate": aggregate})
    execution.execute(RESOURCE, wants, kernel, False)
    steps = [type(step).__name__ for step in kernel.applied[start:]]
    assert steps == [
        "PutFile",
        "SetPortMappings",
        "SetFence",
        "PutRule",
        "SetIsolation",
        "AddLoopbackGuard",
        "SetSysctl",
        "SetSysctl",
    ]


@pytest.mark.parametrize("number", range(8))
def test_an_item_whose_opening_is_refused_is_taken_back_whole(number: int) -> None:
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, "br0", "bridge"))
    kernel._state.known.sysctls[kernel.find(HOST) or 0, "net.ipv4.conf.br0.route_localnet"] = "0"
    before = kernel.snapshot()
    kernel.fail_at = len(kernel.applied) + number
    item = {"type": "dnat", "host_port": "8080", "to_address": "10.0.0.2", "bridge": "br0", "owner": "web"}
    wants = validation.items(RESOURCE, {"aggregate": [{**item, "forward": False}]})
    [result], dummy = execution.execute(RESOURCE, wants, kernel, False)
    assert (kernel.snapshot() == before) == result.get("failed", False)
    assert result.get("failed", False) == (number < 6)  # the file, the rules, the fence, the guard, and two switches
