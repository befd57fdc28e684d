# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, type dnat: what there is of a published port, in each backend."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import IPTABLES_NFT
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import PortMapping
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import AddNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Address, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.resource import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import execution, validation
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.asked import failed, made, want
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

PORT = {"type": "dnat", "host_port": "8080", "to_address": "10.0.0.2", "owner": "web"}


def host(bridge: Any = "br0") -> Any:
    """A container on a bridge."""
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, bridge, "bridge", {"enabled": True}))
    kernel.apply(PutAddress(HOST, bridge, Address("10.0.0.1", 24, 4)))
    web = NsRef.parse("web")
    kernel.apply(AddNetns("web"))
    kernel.apply(AddLink(HOST, "web0", "veth", {"enabled": True, "master": bridge}, web, "eth0", {"enabled": True}))
    kernel.apply(PutAddress(web, "eth0", Address("10.0.0.2", 24, 4)))
    return kernel


def look(kernel: Any, **params: Any) -> Any:
    return RESOURCE.look(want(RESOURCE, **{**PORT, **params}), State(kernel))


def test_the_bridge_is_the_one_that_the_route_leads_to_and_the_port_the_container_s() -> None:
    have = look(host())
    assert (have.bridge, have.port, have.hairpin) == ("br0", "web0", False)
    assert look(host(), to_address="10.9.0.2").bridge == ""


@pytest.mark.parametrize("name", ["lan+", "lan*", 'a"b', "a|b"])
def test_a_bridge_of_a_name_that_no_rule_can_carry_is_refused_also_where_it_is_found(name: Any) -> None:
    assert failed(host(name), RESOURCE, **PORT).startswith(f"bridge: '{name}' ")


def test_what_is_the_owner_s_what_is_in_the_way_and_what_is_beside() -> None:
    kernel = host()
    made(kernel, RESOURCE, **PORT)
    made(kernel, RESOURCE, **{**PORT, "host_port": "9000"})
    made(kernel, RESOURCE, **{**PORT, "host_port": "8081", "owner": "db"})
    have = look(kernel, host_port="8080-8081", exclusive=True)
    assert [mapping.first for mapping in have.here.mine] == [8080]
    assert [mapping.first for mapping in have.here.others] == [8081]
    assert [mapping.first for mapping in have.here.surplus] == [9000]
    assert look(kernel, host_port="8080-8081").here.surplus == ()


def test_f16_what_is_in_another_backend_is_elsewhere() -> None:
    kernel = host()
    made(kernel, RESOURCE, backend="iptables", **PORT)
    have = look(kernel, backend="nftables")
    assert (have.here.backend, have.here.mine) == (NFTABLES, ())
    assert [(there.backend, len(there.mine), there.last) for there in have.elsewhere] == [(IPTABLES_NFT, 1, True)]
    assert have.mine == have.elsewhere[0].mine


def test_f14_families_of_what_else_is_ours_keep_forwarding_on() -> None:
    kernel = host()
    made(kernel, RESOURCE, **PORT)
    assert look(kernel, state="absent").families == frozenset()
    made(kernel, RESOURCE, source="fd00::/64")
    made(kernel, RESOURCE, **{**PORT, "host_port": "81"})
    assert look(kernel, state="absent").families == {4, 6}


def counted(kernel: Any, items: Any) -> Any:
    """How often mappings are asked who they are, or what they meet, while many are looked at again."""
    asked = Counter()  # type: ignore[var-annotated]
    with pytest.MonkeyPatch.context() as patch:
        for name in ("identity", "family"):
            known = getattr(PortMapping, name).fget
            patch.setattr(PortMapping, name, property(lambda self, known=known: asked.update("x") or known(self)))  # type: ignore[misc]
        overlaps = PortMapping.overlaps
        patch.setattr(PortMapping, "overlaps", lambda self, other: asked.update("x") or overlaps(self, other))
        wants = validation.items(RESOURCE, {**PORT, "host_port": None, "exclusive": True, "aggregate": items})
        asked.clear()
        for one in wants:
            RESOURCE.plan(one, RESOURCE.look(one, kernel))
    return asked["x"]


def test_many_ports_of_one_owner_take_the_time_of_so_many() -> None:
    kernel = host()
    items = [{"host_port": str(port)} for port in range(1, 401)]
    wants = validation.items(RESOURCE, {**PORT, "host_port": None, "aggregate": items})
    execution.execute(RESOURCE, wants, kernel, False)
    many = counted(State(kernel), items)
    kernel = host()
    execution.execute(RESOURCE, wants[:200], kernel, False)
    few = counted(State(kernel), items[:200])
    assert many < 2.5 * few


UPLINK = "192.0.2.1"


def with_uplink() -> Any:
    """A host with an address of its own."""
    kernel = host()
    kernel.apply(AddLink(HOST, "up0", "dummy", {"enabled": True}))
    kernel.apply(PutAddress(HOST, "up0", Address(UPLINK, 24, 4)))
    return kernel


@pytest.mark.parametrize("there", [UPLINK, "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", None])
def test_an_address_that_the_host_has_is_nothing_to_speak_of(there: Any) -> None:
    assert look(with_uplink(), host_ip=there).host_ip == ""


def test_an_address_that_no_interface_has_is_told_until_one_has() -> None:
    kernel = with_uplink()
    told = "host_ip: no interface of the host has 192.0.2.9 now; what is published on it is reached when one has."
    for dummy in range(2):
        (done,), warnings = execution.execute(RESOURCE, [want(RESOURCE, **PORT, host_ip="192.0.2.9")], kernel, False)
        assert (done.get("failed"), warnings) == (None, [told])
    kernel.apply(PutAddress(HOST, "up0", Address("192.0.2.9", 24, 4)))
    (done,), warnings = execution.execute(RESOURCE, [want(RESOURCE, **PORT, host_ip="192.0.2.9")], kernel, False)
    assert (done["changed"], warnings) == (False, [])


@pytest.mark.parametrize("address", ["192.0.2.255", "10.0.0.255"])
def test_the_broadcast_address_of_a_network_of_the_host_is_refused(address: str) -> None:
    assert failed(with_uplink(), RESOURCE, **PORT, host_ip=address) == (
        f"host_ip: {address} is the broadcast address of a network of the host."
    )
