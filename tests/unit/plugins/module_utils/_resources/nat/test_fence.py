# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fence around the interfaces of others, which stands as long as forwarding is ours."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import IPTABLES_NFT
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import FENCES, Edit
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import BACKENDS
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import PutFile, SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import AddNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Address, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import bridge, veth
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.forwarding import SYSCTL_FILE
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.resource import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run import execution, validation
from ansible_collections.linuxnet.containers.tests.unit.asked import failed, made, plan
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

NET: dict[str, Any] = {"source": "10.0.0.0/24", "out_interface": "!br0"}
V6: dict[str, Any] = {"source": "fd00::/64", "out_interface": "!br0"}
FAR = NsRef("/run/netns/far")
Fenced = dict[int, tuple[list[str], list[str]]]


@pytest.fixture
def kernel() -> MemoryKernel:
    """A host between an uplink and a LAN, with a bridge of somebody else that has a port."""
    kernel = MemoryKernel()
    kernel.apply(AddNetns("far"))
    for name in ("up0", "lan0", "port0"):
        kernel.apply(AddLink(HOST, name, "veth", {"enabled": True}, FAR, name, {"enabled": True}))
    kernel.apply(AddLink(HOST, "foreign", "bridge"))
    kernel.apply(SetLink(HOST, "port0", {"master": "foreign"}, {"master": ""}))
    kernel.apply(PutAddress(HOST, "up0", Address("192.0.2.2", 24, 4)))
    kernel.apply(PutAddress(HOST, "lan0", Address("10.7.0.1", 24, 4)))
    return kernel


def fenced(kernel: MemoryKernel, ref: NsRef = HOST) -> Fenced:
    """The interfaces in the fence, and those that are spared, by family."""
    found: Fenced = {}
    for backend in BACKENDS:
        for family, fence in firewalls(kernel._state).index(kernel.find(ref) or 0, backend).fences.items():
            assert family not in found, "in two backends"
            found[family] = ([*fence.interfaces], [*fence.spared])
    return found


def forwarding(kernel: MemoryKernel, ref: NsRef = HOST) -> str | None:
    return kernel.sysctl(kernel.find(ref) or 0, "net.ipv4.ip_forward")


@pytest.mark.parametrize("backend", ["nftables", "iptables"])
def test_what_was_apart_stays_apart_as_long_as_forwarding_is_ours(kernel: MemoryKernel, backend: str) -> None:
    made(kernel, bridge.RESOURCE, name="br0")
    before = kernel.snapshot()
    done = made(kernel, RESOURCE, backend=backend, **NET)
    assert fenced(kernel) == {4: (["foreign", "lan0", "lo", "up0"], [])}
    assert (done["before"], done["after"]["fenced"]) == ({}, True)
    assert made(kernel, RESOURCE, backend=backend, **NET)["changed"] is False
    made(kernel, RESOURCE, backend=backend, **V6)
    assert fenced(kernel) == {family: (["foreign", "lan0", "lo", "up0"], []) for family in (4, 6)}
    made(kernel, RESOURCE, state="absent", **NET)
    assert fenced(kernel) == {6: (["foreign", "lan0", "lo", "up0"], [])}
    assert made(kernel, RESOURCE, state="absent", **V6)["before"]["fenced"] is True
    assert kernel.snapshot() == before


def test_a_router_stays_one(kernel: MemoryKernel) -> None:
    kernel.apply(SetSysctl(HOST, "net.ipv4.ip_forward", "1", "0"))
    done = made(kernel, RESOURCE, **NET)
    assert (fenced(kernel), done["after"]["fenced"], done["after"]["ip_forward"]) == ({}, False, True)


def test_the_record_and_the_fence_are_there_before_forwarding_is_on(kernel: MemoryKernel) -> None:
    start = len(kernel.applied)
    made(kernel, RESOURCE, **NET)
    assert [type(step).__name__ for step in kernel.applied[start:]] == ["PutFile", "PutRule", "SetFence", "SetSysctl"]
    start = len(kernel.applied)
    made(kernel, RESOURCE, state="absent", **NET)
    assert [type(step).__name__ for step in kernel.applied[start:]] == ["SetSysctl", "PutFile", "SetFence", "DelRule"]


def test_what_is_ours_is_not_in_it(kernel: MemoryKernel) -> None:
    """Bridges and pairs that were made by this collection, and the bridges that the task's rules name, whoever made them."""
    kernel.apply(AddNetns("web"))
    made(kernel, bridge.RESOURCE, name="front")
    made(kernel, veth.RESOURCE, peer_netns="web")
    wants = validation.items(RESOURCE, {"aggregate": [NET, {"type": "filter", "bridge": "foreign"}]})
    execution.execute(RESOURCE, wants, kernel, False)
    assert fenced(kernel) == {4: (["lan0", "lo", "up0"], ["foreign"])}


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize(
    ("item", "name"),
    [
        ({"source": "10.7.0.0/24"}, "lan0"),
        ({"source": "10.7.0.0/16", "out_interface": "up0"}, "lan0"),
        ({"source": "10.7.0.128/25"}, "lan0"),
        ({"source": "10.8.0.0/16", "out_interface": "!foreign"}, "foreign"),
        ({"type": "filter", "bridge": "foreign"}, "foreign"),
        ({"type": "dnat", "host_port": "80", "to_address": "10.8.0.2", "bridge": "foreign"}, "foreign"),
    ],
)
def test_what_a_rule_is_about_is_spared_until_the_rule_goes(
    kernel: MemoryKernel, item: Any, name: str, later: bool
) -> None:
    others = sorted({"foreign", "lan0", "lo", "up0"} - {name})
    if later:
        made(kernel, RESOURCE, **NET)
        assert fenced(kernel) == {4: (sorted([*others, name]), [])}
        made(kernel, RESOURCE, **item)
    else:
        wants = validation.items(RESOURCE, {"aggregate": [NET, item]})
        execution.execute(RESOURCE, wants, kernel, False)
    assert fenced(kernel) == {4: (others, [name])}
    assert made(kernel, RESOURCE, **item)["changed"] is False
    assert made(kernel, RESOURCE, **NET)["changed"] is False
    made(kernel, RESOURCE, state="absent", **item)
    assert fenced(kernel) == {4: (sorted([*others, name]), [])}


def test_what_another_rule_is_about_as_well_stays_spared(kernel: MemoryKernel) -> None:
    for item in (NET, {"source": "10.8.0.0/16", "out_interface": "!foreign"}, {"type": "filter", "bridge": "foreign"}):
        made(kernel, RESOURCE, **item)
    made(kernel, RESOURCE, type="filter", bridge="foreign", state="absent")
    assert fenced(kernel) == {4: (["lan0", "lo", "up0"], ["foreign"])}
    made(kernel, RESOURCE, source="10.8.0.0/16", out_interface="!foreign", state="absent")
    assert fenced(kernel) == {4: (["foreign", "lan0", "lo", "up0"], [])}


def test_the_uplink_is_not_spared_for_a_network_around_the_source(kernel: MemoryKernel) -> None:
    """The uplink's network is around that of the bridge, which is the one that the source is on."""
    kernel.apply(PutAddress(HOST, "up0", Address("10.0.0.9", 8, 4)))
    made(kernel, RESOURCE, source="10.7.0.0/24")
    assert fenced(kernel) == {4: (["foreign", "lo", "up0"], ["lan0"])}


def test_where_somebody_flushed_the_rules_it_is_made_anew(kernel: MemoryKernel) -> None:
    made(kernel, RESOURCE, **NET)
    index = firewalls(kernel._state).index(kernel.find(HOST) or 0, NFTABLES)
    index.advance(Edit(unfence=(4,), kinds=(FENCES,)))
    kernel.apply(AddLink(HOST, "later0", "bridge"))
    done = made(kernel, RESOURCE, **NET)
    assert (done["before"]["fenced"], done["after"]["fenced"]) == (False, True)
    assert fenced(kernel) == {4: (["foreign", "lan0", "later0", "lo", "up0"], [])}


def test_a_fence_without_a_record_goes(kernel: MemoryKernel) -> None:
    """A run was killed between the file and the rules, on its way back; and then somebody else switched forwarding on."""
    made(kernel, RESOURCE, **NET)
    kernel.apply(PutFile(SYSCTL_FILE, "", kernel.read_text(SYSCTL_FILE)))
    done = made(kernel, RESOURCE, **NET)
    assert (done["before"]["fenced"], done["after"]["fenced"], fenced(kernel)) == (True, False, {})


@pytest.mark.parametrize("item", [NET, {"type": "dnat", "host_port": "80", "to_address": "10.0.0.2"}])
def test_where_the_rules_are_gone_already_forwarding_is_taken_back(kernel: MemoryKernel, item: Any) -> None:
    made(kernel, RESOURCE, **NET)
    index = firewalls(kernel._state).index(kernel.find(HOST) or 0, NFTABLES)
    index.advance(Edit(drop=tuple(index.nat_rules)))
    done = made(kernel, RESOURCE, state="absent", **item)
    assert (done["changed"], done["before"]["ip_forward"], forwarding(kernel), fenced(kernel)) == (True, True, "0", {})
    assert kernel.read_text(SYSCTL_FILE) == ""


def test_in_another_namespace_the_fence_says_that_forwarding_is_ours(kernel: MemoryKernel) -> None:
    before = kernel.snapshot()
    item = {"netns": "far", "source": "10.9.0.0/24", "out_interface": "up0"}
    done = made(kernel, RESOURCE, **item)
    assert (done["after"]["fenced"], forwarding(kernel, FAR)) == (True, "1")
    assert fenced(kernel, FAR) == {4: (["lan0", "lo", "port0", "up0"], [])}
    assert made(kernel, RESOURCE, **item)["changed"] is False
    made(kernel, RESOURCE, state="absent", **item)
    assert kernel.snapshot() == before


def test_it_moves_with_the_last_rule_of_a_backend(kernel: MemoryKernel) -> None:
    other = {"source": "10.1.0.0/24", "backend": "iptables"}
    made(kernel, RESOURCE, **NET)
    made(kernel, RESOURCE, **other)
    assert made(kernel, RESOURCE, **NET)["changed"] is made(kernel, RESOURCE, **other)["changed"] is False
    made(kernel, RESOURCE, state="absent", **NET)
    host = kernel.find(HOST) or 0
    assert firewalls(kernel._state).index(host, NFTABLES).only()
    assert list(firewalls(kernel._state).index(host, IPTABLES_NFT).fences) == [4]
    assert made(kernel, RESOURCE, **other)["changed"] is False


def test_an_interface_that_no_rule_can_name_is_told(kernel: MemoryKernel) -> None:
    for name in ('a"b', "wild*", "any+"):
        kernel.apply(AddLink(HOST, name, "bridge"))
    done = plan(kernel, RESOURCE, **NET)
    assert done.warnings == (
        "No rule can name 'a\"b', 'any+', 'wild*', so what is forwarded from or to there is not dropped.",
    )


def test_what_is_not_looked_after_gets_no_fence(kernel: MemoryKernel) -> None:
    done = made(kernel, RESOURCE, ip_forward=False, **NET)
    assert (fenced(kernel), "fenced" in done["after"]) == ({}, False)


@pytest.mark.parametrize("backend", ["nftables", "iptables"])
def test_what_is_in_a_vrf_needs_forwarding_that_is_somebody_else_s(kernel: MemoryKernel, backend: str) -> None:
    """No rule could tell it from what others have in there. What is there already can be taken away."""
    made(kernel, bridge.RESOURCE, name="br0")
    made(kernel, RESOURCE, backend=backend, **NET)
    kernel.apply(AddLink(HOST, "blue", "vrf", {"table": 10, "enabled": True}))
    kernel.apply(SetLink(HOST, "br0", {"master": "blue"}, {"master": ""}))
    isolation: dict[str, Any] = {"type": "filter", "bridge": "br0", "owner": "br0", "backend": backend}
    for item in (isolation, {**V6, "backend": backend}):
        assert failed(kernel, RESOURCE, **item).startswith(
            "'br0' in the host is in the vrf 'blue', where nothing is kept"
        )
    made(kernel, RESOURCE, state="absent", **NET)
    assert fenced(kernel) == {}
    for key in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
        kernel.apply(SetSysctl(HOST, key, "1", "0"))
    for item in (isolation, {**V6, "backend": backend}):
        assert made(kernel, RESOURCE, **item)["changed"]
    assert fenced(kernel) == {}
