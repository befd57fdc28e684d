# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why an interface carries no IPv6. What the kernel says otherwise is in tests/module/test_kernel_limits.py."""

from __future__ import annotations

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_route_ipv6 import lacking
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

KEY = "net.ipv6.conf.v0.disable_ipv6"
OFF = "interface: IPv6 is switched off on v0 in the host; give it an IPv6 address first, or set the sysctl net/ipv6/conf/v0/disable_ipv6 to 0 there."


def asked(kind: str, mtu: int, off: str, predict: bool = False) -> tuple[str, list[str]]:
    """What is said of an interface, and the warnings."""
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, "v0", kind, {"mtu": mtu}))
    kernel.apply(SetSysctl(HOST, KEY, off, "0"))
    state = State(kernel, predict)
    ns = state.need(HOST)
    link = state.link(ns, "v0")
    assert link is not None
    return lacking(HOST, ns, link, state), state.warnings


@pytest.mark.parametrize("predict", [False, True])
def test_what_carries_it_and_what_does_not(predict: bool) -> None:
    assert asked("dummy", 1280, "0", predict) == ("", [])
    small = "interface: v0 in the host has an MTU of 1279 bytes, and IPv6 needs 1280; raise its MTU first."
    assert asked("dummy", 1279, "0", predict) == (small, [])
    assert asked("dummy", 1500, "1", predict) == (OFF, [])


def test_where_ns_address_switches_it_on_an_earlier_task_may() -> None:
    foreseen = "Check mode: IPv6 on v0 in the host does not exist yet; taken as made by an earlier task."
    assert asked("bridge", 1500, "1", predict=True) == ("", [foreseen])
    assert asked("bridge", 1500, "1") == (OFF, [])
