# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A teardown in one task: planned as a whole, its links gone together, all of its steps taken; on the kernel's twin."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import AddNetns, DropNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._run.step_runner import foresee, take_steps
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.one_task import Steps, foreseeing
from ansible_collections.linuxnet.containers.tests.unit.asked import made
from ansible_collections.linuxnet.containers.tests.unit.generated import RESOURCES
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

NAMES = ("web", "db")


def follow(kernel: MemoryKernel, state: str, check: bool = False) -> tuple[dict[str, Any], str]:
    """Take the steps for a network and two containers. Returns the results by step, and why it ended early."""
    params = {
        "networks": [{"name": "front", "subnets": ["10.1.0.0/24"]}],
        "containers": [{"name": name} for name in NAMES],
        "state": state,
        "firewall_backend": "auto",
        "purge": False,
    }
    results, _warnings, ended = take_steps(Steps(params), kernel, check)
    return {step: listed for steps in results.values() for step, listed in steps.items()}, ended


@pytest.fixture
def kernel() -> MemoryKernel:
    found = MemoryKernel()
    assert follow(found, "present")[1] == ""
    return found


def test_all_links_go_together(kernel: MemoryKernel, monkeypatch: pytest.MonkeyPatch) -> None:
    swept: list[list[str]] = []
    monkeypatch.setattr(kernel, "delete_together", lambda steps: swept.append([step.name for step in steps]))
    foreseen, _ended = follow(kernel, "absent", check=True)
    assert swept == []
    done, ended = follow(kernel, "absent")
    assert (done, ended) == (foreseen, "")
    assert kernel.snapshot() == MemoryKernel().snapshot()
    assert (len(swept[0]), swept[0][-1]) == (3, "front")  # the bridge, with the pairs


def test_what_a_process_holds_gets_another_name_in_check_mode_and_in_the_run() -> None:
    """The namespace lives on, with its loopback."""
    kernel = MemoryKernel()
    kernel.apply(AddNetns("its"))
    kernel.pids = {42: kernel.find(NsRef("/run/netns/its")) or 0}
    kernel.apply(DropNetns("its"))
    networks = [{"name": "front", "subnets": ["10.1.0.0/24"]}]
    params = {"networks": networks, "state": "present", "firewall_backend": "auto", "purge": False}
    box = {"engine": "pid", "pid": 42}
    first = take_steps(Steps({**params, "containers": [{"name": "old", **box}]}), kernel, False)
    assert first[2] == ""
    moved = {**params, "containers": [{"name": "old", "state": "absent", **box}, {"name": "new", **box}]}
    results: list[list[tuple[Any, Any]]] = []
    for check in (True, False):
        found, _warnings, ended = take_steps(Steps(moved), kernel, check)
        assert ended == ""
        listed = [one for half in found.values() for step in half.values() for one in step]
        results.append([(one["changed"], one["diff"]) for one in listed])
    assert results[0] == results[1]
    again = take_steps(Steps({**params, "containers": [{"name": "new", **box}]}), kernel, False)
    assert not any(one["changed"] for half in again[0].values() for step in half.values() for one in step)


def test_what_fails_is_told_and_the_rest_goes(kernel: MemoryKernel, monkeypatch: pytest.MonkeyPatch) -> None:
    drop = kernel._DropNetns

    def broken(step: DropNetns) -> None:
        if step.name == "web":
            raise KernelError(errno.EIO, step.attempt())
        drop(step)

    monkeypatch.setattr(kernel, "_DropNetns", broken)
    results, ended = follow(kernel, "absent")
    assert ended == (
        "Failed: container 'web' at step netns of the teardown: netns web: Could not remove netns 'web': Input/output error."
    )
    assert [one.get("failed", False) for one in results["netns"]] == [False, True]  # what was made last goes first
    assert [one["changed"] for one in results["bridge"]] == [True]
    assert sorted(kernel.listing()) == ["web"]
    monkeypatch.undo()
    assert follow(kernel, "absent")[1] == ""
    assert kernel.snapshot() == MemoryKernel().snapshot()


OTHER_LISTS = [
    [
        {"name": "web", "state": "absent"},
        {"name": "new", "published_ports": ["8080:80"]},
    ],  # another takes its port and its address
    [{"name": "web", "networks": [{"name": "front", "port": {"hairpin": True}}], "published_ports": ["8080:80"]}],
    [{"name": "web", "networks": [{"name": "front", "interface": "lan0"}]}, {"name": "db", "network_mode": "none"}],
    [{"name": "far", "routes": [{"destination": "10.9.0.0/16", "gateway": "10.77.0.1"}]}],
    [{"name": "own", "networks": [{"name": "front", "ipv4_address": "10.1.0.9"}], "network_mode": "bridge"}],
]


@pytest.mark.parametrize("containers", OTHER_LISTS)
def test_check_mode_of_the_chain_is_that_of_the_one_task(
    kernel: MemoryKernel, containers: list[dict[str, Any]]
) -> None:
    """Each of the chain's tasks is told the plan: what the tasks before it would do counts as done."""
    networks = [{"name": "front", "subnets": ["10.1.0.0/24"]}]
    params = {
        "networks": networks,
        "containers": containers,
        "state": "present",
        "firewall_backend": "auto",
        "purge": False,
    }
    steps = Steps(params)
    whole, _warnings, dummy = take_steps(steps, kernel, True)
    plan = {**compile_plan(networks, containers), "backend": "auto"}
    for half, results in whole.items():
        for step, listed in results.items():
            assert foresee(foreseeing(plan, [half, step]), kernel)[0] == listed, step
    done, _warnings, _ended = take_steps(Steps(params), kernel, False)
    drift = [
        {
            step: [(item["changed"], item.get("diff"), item.get("msg")) for item in listed]
            for half in told.values()
            for step, listed in half.items()
        }
        for told in (whole, done)
    ]
    assert drift[0] == drift[1]


def test_a_gateway_out_of_reach_is_foreseen_in_a_namespace_that_is_yet_to_be_made() -> None:
    containers = [{"name": "far", "routes": [{"destination": "10.9.0.0/16", "gateway": "10.77.0.1"}]}]
    params = {
        "networks": [{"name": "front", "subnets": ["10.1.0.0/24"]}],
        "containers": containers,
        "state": "present",
        "firewall_backend": "auto",
        "purge": False,
    }
    ended = [take_steps(Steps(params), MemoryKernel(), check)[2] for check in (True, False)]
    assert ended[0] == ended[1]
    assert "gateway: 10.77.0.1 is in no on-link subnet of netns 'far'" in ended[0]


def test_the_step_that_publishes_is_taken_where_a_port_is_published_by_whomever() -> None:
    """So what somebody who is gone published to an address is still ended when another gets it. And where a container was given an address."""
    kernel = MemoryKernel()
    taken: list[list[bool]] = []
    results: dict[str, Any] = {}
    for ports, left in ([], False), (["8080:80"], False), ([], False), ([], True):
        params = {
            "networks": [{"name": "front", "subnets": ["10.1.0.0/24"]}],
            "containers": [{"name": "web", "published_ports": ports}],
            "state": "present",
            "firewall_backend": "auto",
            "purge": False,
        }
        if left:
            [address] = [one["after"]["ip"] for one in results["wire"]["address"]]
            made(kernel, RESOURCES["nat"], type="dnat", owner="gone", host_port="99", to_address=address)
        results, _warnings, failed = take_steps(Steps(params), kernel, False)
        assert failed == ""
        taken.append([item["changed"] for item in results["wire"].get("publish", [])])
    assert taken == [[False, True], [True, False], [], [True, False]]
    assert take_steps(Steps(params), kernel, False)[0]["wire"].get("publish", []) == []
