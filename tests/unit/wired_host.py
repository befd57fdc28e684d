# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts with containers on a bridge."""

from __future__ import annotations

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import AddNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import PutRoute
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Address,
    NsRef,
    Route,
)
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

WEB, DB = NsRef("/run/netns/web"), NsRef("/run/netns/db")
ONE = Address("10.0.0.2", 24, 4, label="eth0")
STEPS = [
    AddNetns("web"),
    AddLink(HOST, "br0", "bridge", {"enabled": True}),
    AddLink(HOST, "v0", "veth", {"master": "br0", "mtu": 1400, "enabled": True}, WEB, "eth0", {"mtu": 1400}),
    SetLink(HOST, "v0", {"hairpin": True}, {"hairpin": False}),
    SetLink(WEB, "eth0", {"enabled": True}, {}),
    PutAddress(WEB, "eth0", ONE),
    PutRoute(WEB, Route(4, "0.0.0.0/0", gateway="10.0.0.1", interface="eth0")),
]


def host() -> MemoryKernel:
    """The host: the steps, taken."""
    kernel = MemoryKernel()
    for step in STEPS:
        kernel.apply(step)
    return kernel


def two_containers() -> MemoryKernel:
    """A host with two containers on a bridge that has 10.0.0.1/24; theirs have no address."""
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, "br0", "bridge", {"enabled": True}))
    kernel.apply(PutAddress(HOST, "br0", Address("10.0.0.1", 24, 4, label="br0")))
    for ref in (WEB, DB):
        kernel.apply(AddNetns(ref.name))
        kernel.apply(AddLink(HOST, "v" + ref.name, "veth", {"enabled": True, "master": "br0"}, ref, "eth0", {}))
        kernel.apply(SetLink(ref, "eth0", {"enabled": True}, {}))
    return kernel
