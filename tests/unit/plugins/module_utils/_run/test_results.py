# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task returns: before, after, the diff, and what many results come to."""

from __future__ import annotations

from ansible_collections.linuxnet.containers.plugins.module_utils._resources import bridge
from ansible_collections.linuxnet.containers.plugins.module_utils._run.execution import execute
from ansible_collections.linuxnet.containers.plugins.module_utils._run.validation import items
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

BRIDGE = bridge.RESOURCE


def run(kernel, resource, aggregate):
    return execute(resource, items(resource, {"aggregate": aggregate}), kernel, False)[0]


def test_the_diff_has_a_line_for_each_attribute_that_changes():
    kernel = MemoryKernel()
    made = run(kernel, BRIDGE, [{"name": "br0", "mac": "02:00:00:00:00:01"}])[0]
    assert made["diff"] == {
        "before_header": "bridge br0",
        "after_header": "bridge br0",
        "before": "",
        "after": "name br0\nmtu 1500\nmac 02:00:00:00:00:01\nstp false\nforward_delay 1500\nageing_time 30000\n"
        "vlan_filtering false\nenabled true\n",
    }
    changed = run(kernel, BRIDGE, [{"name": "br0", "stp": True, "alias": "x", "mtu": "1500"}])[0]
    assert changed["diff"]["before"] == "stp false\nalias none\n"
    assert changed["diff"]["after"] == "stp true\nalias x\n"
    assert changed["commands"] == ["ip link set br0 type bridge stp_state 1", "ip link set br0 alias x"]
    same = run(kernel, BRIDGE, [{"name": "br0", "stp": True, "alias": "x"}])[0]
    assert (same["changed"], same["diff"]["before"], same["diff"]["after"], same["commands"]) == (False, "", "", [])
    assert same["before"] == same["after"] == changed["after"]
