# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun netns, given a container: B10, B2, G7, and whose a namespace is that two names mean."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Container, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.netns import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.veth import RESOURCE as VETH
from ansible_collections.linuxnet.containers.plugins.module_utils._run import validation
from ansible_collections.linuxnet.containers.plugins.module_utils._run.execution import execute
from ansible_collections.linuxnet.containers.tests.unit.asked import existing, failed, made
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel


def run(kernel: MemoryKernel, *items: dict[str, str], check: bool = False) -> tuple[list[dict[str, Any]], list[str]]:
    wants = validation.items(RESOURCE, {"aggregate": [dict(one) for one in items]})
    return execute(RESOURCE, wants, kernel, check)


def a_host(*started: Container) -> MemoryKernel:
    """A host on which engines know containers, each running one (with a PID) in a namespace of its own."""
    kernel = MemoryKernel()
    for one in started:
        if one.pid:
            made(kernel, RESOURCE, name=f"of{one.pid}")
            kernel.pids[one.pid] = existing(kernel.find(NsRef(f"/run/netns/of{one.pid}")))
            made(kernel, RESOURCE, name=f"of{one.pid}", state="absent")
    kernel.started = list(started)
    return kernel


def inode(kernel: MemoryKernel, name: str) -> int:
    return kernel.listing()[name].inode


def test_b10_a_container_is_found_by_its_engine() -> None:
    kernel = a_host(Container("docker", "web", 70, "running"))
    result = made(kernel, RESOURCE, name="web", container="web")
    assert inode(kernel, "web") == kernel.pids[70]
    after = result["after"]
    assert (after["pid"], after["container"], after["engine"]) == (70, "web", "docker")
    assert result["commands"][0] == "ip netns attach web 70"
    assert made(kernel, RESOURCE, name="web", container="web", engine="docker")["changed"] is False


def test_g5_a_container_that_was_started_anew_is_bound_anew() -> None:
    kernel = a_host(Container("docker", "web", 70, "running"), Container("docker", "next", 71, "running"))
    made(kernel, RESOURCE, name="web", container="web")
    kernel.started = [Container("docker", "web", 71, "running")]
    result = made(kernel, RESOURCE, name="web", container="web")
    assert (result["changed"], result["anew"]) == (True, True)
    assert inode(kernel, "web") == kernel.pids[71]


def test_a_unit_without_a_process_has_the_namespace_of_its_file() -> None:
    kernel = a_host(Container("systemd", "unit", 0, "active", file="/run/netns/its"))
    made(kernel, RESOURCE, name="its")
    result = made(kernel, RESOURCE, name="web", container="unit", engine="systemd")
    assert inode(kernel, "web") == inode(kernel, "its")
    assert (result["after"]["pid"], result["after"]["container"]) == (None, "unit")
    assert made(kernel, RESOURCE, name="web", container="unit", engine="systemd")["changed"] is False


@pytest.mark.parametrize(
    ("started", "options", "sentence"),
    [
        ([], {}, "container: no engine on this host knows a container 'web'; start it first, if that is its name."),
        ([], {"engine": "lxc"}, "container: lxc knows no 'web'; start it first, if that is its name."),
        (
            [Container("podman", "web", 0, "exited")],
            {},
            "container: 'web' of podman does not run (exited); start it first.",
        ),
        (
            [Container("systemd", "web", 0, "active")],
            {},
            "container: unit 'web' is active, but has no process that could be entered, and no NetworkNamespacePath=; "
            "give it one of them.",
        ),
        (
            [Container("docker", "web", 70, "running"), Container("lxc", "web", 71, "running")],
            {},
            "container: 'web' runs in docker and in lxc; say which with engine.",
        ),
        (
            [Container("docker", "web", 1, "running")],
            {},
            "container: 'web' of docker is in the host's own network namespace; start it with --network none, or say "
            "share: host where that is what you want.",
        ),
        (
            [Container("nspawn", "web", 70, "running")],
            {"share": "host"},
            "container: 'web' of nspawn is in another network namespace than the host's own; only nspawn can put it there: "
            "start it anew with no network option.",
        ),
        (
            [Container("docker", "web", 70, "running")],
            {"share": "db"},
            "container: 'web' of docker is in another network namespace than that of 'db', perhaps the one that this name "
            "meant before it was made anew; only docker can put it there: start it anew with --network container:db.",
        ),
    ],
)
def test_b10_b2_g7_what_is_refused(started: list[Container], options: dict[str, str], sentence: str) -> None:
    kernel = a_host(*started)
    kernel.pids[1] = existing(kernel.find(HOST))
    made(kernel, RESOURCE, name="db")
    before = kernel.snapshot()
    assert failed(kernel, RESOURCE, name="web", container="web", **options) == sentence
    assert kernel.snapshot() == before


def test_an_engine_that_cannot_be_asked_is_named() -> None:
    kernel = a_host()
    kernel.silent = ["docker could not be asked: no daemon"]
    message = "container: no engine on this host knows a container 'web'; docker could not be asked: no daemon."
    assert failed(kernel, RESOURCE, name="web", container="web") == message


def test_auto_takes_the_one_that_runs_and_two_engines_with_one_process_are_one() -> None:
    kernel = a_host(Container("lxc", "web", 0, "stopped"), Container("docker", "web", 70, "running"))
    assert made(kernel, RESOURCE, name="web", container="web")["after"]["engine"] == "docker"
    kernel.started[0] = Container("podman", "web", 70, "running")
    assert made(kernel, RESOURCE, name="web", container="web")["changed"] is False


def test_a_container_that_is_where_it_has_to_be_is_no_change() -> None:
    kernel = a_host(Container("docker", "db", 70, "running"), Container("docker", "side", 72, "running"))
    kernel.pids[72] = kernel.pids[70]
    items = [{"name": "db", "container": "db"}, {"name": "side", "share": "db", "container": "side"}]
    results, dummy = run(kernel, *items)
    assert [one.get("msg") for one in results] == [None, None]
    assert inode(kernel, "side") == inode(kernel, "db") == kernel.pids[70]
    again, dummy = run(kernel, *items)
    assert [one["changed"] for one in again] == [False, False]


def test_a3_check_mode_foresees_a_container_that_an_earlier_task_would_start() -> None:
    kernel = a_host()
    (result,), warnings = run(kernel, {"name": "web", "container": "web"}, check=True)
    assert result["commands"] == [
        "ip netns attach web $(docker container inspect -f '{{.State.Pid}}' web)",
        "ip -n web link set lo up",
    ]
    assert warnings == ["Check mode: container 'web' does not exist yet; taken as made by an earlier task."]
    assert kernel.listing() == {}


def test_g8_of_two_names_of_one_namespace_it_stays_with_the_one_it_was_wired_for() -> None:
    kernel = a_host()
    run(kernel, {"name": "late"}, {"name": "side", "share": "late"})
    made(kernel, VETH, peer_netns="late")
    old = inode(kernel, "late")
    results, dummy = run(kernel, {"name": "side"}, {"name": "late"})
    assert [one["changed"] for one in results] == [True, False]
    assert inode(kernel, "late") == old != inode(kernel, "side")


def test_g8_of_two_names_of_one_bare_namespace_it_stays_with_the_first() -> None:
    kernel = a_host()
    run(kernel, {"name": "first"}, {"name": "side", "share": "first"})
    old = inode(kernel, "first")
    results, dummy = run(kernel, {"name": "first"}, {"name": "side"})
    assert [one["changed"] for one in results] == [False, True]
    assert inode(kernel, "first") == old != inode(kernel, "side")


def test_g8_a_container_s_namespace_is_never_another_name_s_own() -> None:
    kernel = a_host(Container("docker", "db", 70, "running"))
    run(kernel, {"name": "db", "container": "db"}, {"name": "side", "share": "db"})
    results, dummy = run(kernel, {"name": "side"}, {"name": "db", "container": "db"})
    assert [one["changed"] for one in results] == [True, False]
    assert inode(kernel, "side") != kernel.pids[70] == inode(kernel, "db")


def test_a_name_alone_keeps_a_namespace_that_another_name_means_too() -> None:
    kernel = a_host()
    run(kernel, {"name": "db"}, {"name": "side", "share": "db"})
    assert made(kernel, RESOURCE, name="side")["changed"] is False


def test_processes_that_stay_in_the_old_namespace_are_named() -> None:
    kernel = a_host()
    run(kernel, {"name": "db"}, {"name": "side"})
    kernel.pids[90] = inode(kernel, "side")
    (result,), warnings = run(kernel, {"name": "side", "share": "db"})
    assert result["changed"] is True
    assert warnings == [
        "Netns 'side' meant another namespace until now, in which process 90 (sleep) still runs; "
        "what is to be in the new one has to be started anew."
    ]
