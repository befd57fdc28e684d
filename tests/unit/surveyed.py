# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts for the tests of the survey, wired by the modules, and what is reported of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import host_interface
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import (
    bridge,
    netns,
    ns_address,
    ns_link,
    ns_route,
    veth,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import resource as nat
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.survey import SUBSETS, gathered
from ansible_collections.linuxnet.containers.tests.unit.asked import made
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

WEB, DB = NsRef("/run/netns/web"), NsRef("/run/netns/db")
V_WEB, V_DB = host_interface(WEB.path, "eth0"), host_interface(DB.path, "eth0")


def wired(*names: str) -> MemoryKernel:
    """A host with a bridge, and containers on it, made by the modules."""
    kernel = MemoryKernel()
    made(kernel, bridge.RESOURCE, name="br0")
    made(kernel, ns_address.RESOURCE, interface="br0", address="10.0.0.1/24")
    for number, name in enumerate(names):
        made(kernel, netns.RESOURCE, name=name)
        made(kernel, veth.RESOURCE, peer_netns=name, bridge="br0")
        made(kernel, ns_address.RESOURCE, netns=name, interface="eth0", address=f"10.0.0.{number + 2}/24")
        made(kernel, ns_route.RESOURCE, netns=name, gateway="10.0.0.1")
    made(kernel, nat.RESOURCE, source="10.0.0.0/24", out_interface="!br0", owner="br0")
    return kernel


def seen(kernel: MemoryKernel, *asked: str, gather: Sequence[str] = tuple(SUBSETS)) -> dict[str, list[dict[str, Any]]]:
    """What is reported, without a warning, and without a change or a lock."""
    before = (kernel.snapshot(), len(kernel.applied), kernel.locks)
    lists, warnings = gathered(kernel, gather, [NsRef.parse(name) for name in asked])
    assert (kernel.snapshot(), len(kernel.applied), kernel.locks) == before
    assert warnings == []
    return lists


def only(items: list[dict[str, Any]], **values: Any) -> dict[str, Any]:
    """The only item with these values."""
    (found,) = [item for item in items if values.items() <= item.items()]
    return found


def inode_of(kernel: MemoryKernel, ref: NsRef) -> int:
    """The inode of a namespace that exists."""
    found = kernel.find(ref)
    assert found is not None
    return found


def on_lan(kind: str = "macvlan", *names: str) -> MemoryKernel:
    """A host with containers on the VLAN 10 of its eth1, which ns_link made as well, and a VRF with one port; made by the modules."""
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, "eth1", "veth", {"enabled": True}, HOST, "far1", {"enabled": True}))
    made(kernel, ns_link.RESOURCE, name="eth1.10", kind="vlan", parent="eth1", vlan_id=10)
    made(kernel, ns_address.RESOURCE, interface="eth1.10", address="10.3.0.9/24")
    made(kernel, ns_link.RESOURCE, name="red", kind="vrf", table="10")
    made(kernel, ns_link.RESOURCE, name="lo1", kind="dummy", master="red")
    for number, name in enumerate(names):
        made(kernel, netns.RESOURCE, name=name)
        made(kernel, ns_link.RESOURCE, name="eth0", kind=kind, parent="eth1.10", netns=name)
        made(kernel, ns_address.RESOURCE, netns=name, interface="eth0", address=f"10.3.0.{number + 2}/24")
        made(kernel, ns_route.RESOURCE, netns=name, gateway="10.3.0.1")
    return kernel
