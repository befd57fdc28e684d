# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task returns: before, after, the diff, and what many results come to."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import PutFile
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Lacking, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import bridge
from ansible_collections.linuxnet.containers.plugins.module_utils._run import results
from ansible_collections.linuxnet.containers.plugins.module_utils._run.execution import execute
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan
from ansible_collections.linuxnet.containers.plugins.module_utils._run.validation import items
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

BRIDGE = bridge.RESOURCE


def run(kernel: MemoryKernel, resource: bridge.BridgeResource, aggregate: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return execute(resource, items(resource, {"aggregate": aggregate}), kernel, False)[0]


def test_the_diff_has_a_line_for_each_attribute_that_changes() -> None:
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


def test_a_failure_names_its_item_and_what_is_missing() -> None:
    assert results.of_failure("bridge br0", Refused("No.")) == {
        "changed": False,
        "failed": True,
        "msg": "No.",
        "item": "bridge br0",
    }
    assert results.of_failure("x", Lacking("Get nft.", "nft"))["missing"] == "nft"


def test_what_many_results_come_to() -> None:
    fine, idle = {"changed": True, "diff": 1, "commands": ["a", "b"]}, {"changed": False, "diff": 2, "commands": []}
    failed = results.of_failure("bridge br0", Refused("No."))
    assert results.summary([fine, idle, failed]) == {"changed": True, "diff": [1], "commands": ["a", "b"]}
    assert results.summary([idle]) == {"changed": False, "diff": [], "commands": []}
    assert results.failures([fine, failed, failed]) == "2 of 3 items failed. bridge br0: No.; bridge br0: No."
    assert results.failures([fine, idle]) == ""


def test_what_check_mode_cannot_know_is_not_in_the_diff() -> None:
    step = PutFile("/etc/x", "a\n")
    found = results.of_plan(
        "x", Plan({"inode": 1, "mtu": 1}, {"inode": 2, "mtu": 2}, (step,), hidden=("inode",)), {"mtu": 2}
    )
    assert found["diff"] == {"before_header": "x", "after_header": "x", "before": "mtu 1\n", "after": "mtu 2\n"}
    assert (found["after"], found["commands"]) == ({"mtu": 2}, ["printf %s $'a\\n' > /etc/x"])


def test_what_others_named_is_shown_so_that_it_can_be_seen_and_sent() -> None:
    """Bytes that are no UTF-8, what a terminal obeys, and what turns a line round; lines and letters of any script stay."""
    odd = {
        "alias": "B\udcfcro \x1b[31m",
        "ports": ["\u202eleft", "umläut"],
        "diff": "a\tb\nc\x07\n",
        "mtu": 1500,
        "peer": None,
    }
    assert results.readable(odd) == {
        "alias": "B\\xfcro \\x1b[31m",
        "ports": ["\\u202eleft", "umläut"],
        "diff": "a\tb\nc\\x07\n",
        "mtu": 1500,
        "peer": None,
    }


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ({}, {"name": "web", "mtu": 1400}, ("", "is made\nmtu 1400\n")),
        ({"name": "web", "mtu": 1400}, {}, ("is removed\nmtu 1400\n", "")),
        ({}, {"name": "other"}, ("", "name other\n")),
        ({"name": "web", "mtu": 1400}, {"name": "web", "mtu": 1500}, ("mtu 1400\n", "mtu 1500\n")),
    ],
)
def test_told_by_effects_what_is_made_or_goes_is_not_named_twice(
    before: dict[str, Any], after: dict[str, Any], lines: tuple[str, str]
) -> None:
    plan = Plan(before, after, (PutFile("/etc/x", "a\n"),))
    diff = results.of_plan("netns web (of x)", plan, after, (before, after))["diff"]
    assert (diff["before"], diff["after"]) == lines
    assert "is made" not in results.of_plan("netns web", plan, after)["diff"]["after"], (
        "who asks for details is shown attributes"
    )
