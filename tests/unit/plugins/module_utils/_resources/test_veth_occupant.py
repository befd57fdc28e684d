# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pair of this collection's that cannot be used as it is: for whom it was made, and what to do. What is somebody else's: test_veth.py."""

from __future__ import annotations

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import DelLink, MoveLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import AddNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import netns
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.veth import RESOURCE
from ansible_collections.linuxnet.containers.tests.unit.asked import failed, made
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

WEB, AWAY = NsRef("/run/netns/web"), NsRef("/run/netns/away")
V_WEB = "vethzvxkcem3eqk"


@pytest.fixture
def kernel() -> MemoryKernel:
    """A host with a container, and a namespace of somebody's."""
    kernel = MemoryKernel()
    for name in ("web", "away"):
        kernel.apply(AddNetns(name))
    made(kernel, RESOURCE, peer_netns="web")
    return kernel


@pytest.mark.parametrize("name", [V_WEB, "called-so"])
def test_a_host_end_that_somebody_moved_is_found(kernel: MemoryKernel, name: str) -> None:
    """By its name or, whatever that is, by its address."""
    kernel.apply(MoveLink(HOST, V_WEB, AWAY, name))
    assert failed(kernel, RESOURCE, peer_netns="web") == (
        f"peer_name: 'eth0' in netns 'web' is there already, in a pair that was made for it, but whose other end is '{name}' in netns 'away' "
        f"by now. Take that back by 'ip -n away link set {name} netns 1 name {name}', or make room for a new pair by "
        "'ip -n web link del eth0'."
    )
    kernel.apply(MoveLink(AWAY, name, HOST, name))
    made(kernel, RESOURCE, peer_netns="web")
    kernel.apply(MoveLink(HOST, V_WEB, AWAY, name))
    kernel.apply(DelLink(WEB, "eth0"))
    assert made(kernel, RESOURCE, peer_netns="web")["changed"]


def test_a_pair_that_was_made_for_another_name_of_the_namespace(kernel: MemoryKernel) -> None:
    """As when an engine's container is called otherwise by now."""
    made(kernel, netns.RESOURCE, name="www", share="web")
    assert failed(kernel, RESOURCE, peer_netns="www") == (
        f"peer_name: 'eth0' in netns 'www' is there already, in the pair '{V_WEB}' that was made for netns 'web', another name of the same "
        "namespace. Remove that one with state: absent (in the role also by wiring_purge), or go on using its name."
    )
    made(kernel, RESOURCE, peer_netns="web", state="absent")
    assert made(kernel, RESOURCE, peer_netns="www")["changed"]


def test_whose_other_end_nobody_can_see_is_foreign(kernel: MemoryKernel) -> None:
    kernel.apply(AddNetns("far"))
    made(kernel, RESOURCE, netns="far", name="x", peer_netns="away")
    assert failed(kernel, RESOURCE, peer_netns="away").startswith(
        "peer_name: 'eth0' in netns 'away' is there already, in a pair that was made for it, but whose other end is 'x' in netns 'far' by now."
    )
    made(kernel, netns.RESOURCE, name="host-too", share="host")
    made(kernel, RESOURCE, netns="far", name="y", peer_netns="away", peer_name="eth1", mac="02:00:00:00:00:01")
    assert failed(kernel, RESOURCE, peer_netns="away", peer_name="eth1").endswith(
        "is there already and foreign: it is a veth whose other end is in another namespace, not the other end of 'veth4fpvtfocdcs'."
    )
