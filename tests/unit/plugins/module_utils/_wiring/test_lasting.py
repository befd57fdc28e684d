# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The step that sees to what a host keeps: on the twin of the kernel, by the module's own steps."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model import lasting as files
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, KernelError, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.lasting import PATHS, PLAN, PROGRAM, UNIT, File
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.forwarding import SYSCTL_FILE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import step_runner
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import kept, lasting, one_task
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.variables import entries
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel
from ansible_collections.linuxnet.containers.tests.unit.memory_reader import PYTHON

FRONT = {"name": "front", "subnets": ["10.1.0.0/24"]}
WEB = {"name": "web", "published_ports": ["8080:80"]}
DB = {"name": "db"}
OPTIONAL = ("networks", "containers", "forget_networks", "forget_containers", "stay_networks", "stay_containers")
ALONE = [*files.files("python3", "", "")]  # without engines


def steps(kernel: MemoryKernel, **given: Any) -> one_task.Steps:
    params = {
        "networks": [FRONT],
        "containers": [WEB],
        "state": "present",
        "purge": False,
        "firewall_backend": "auto",
        "persist": True,
        **given,
    }
    return one_task.Steps(params, keeps=PLAN in kernel.lasting_files)


def run(kernel: MemoryKernel, check: bool = False, **given: Any) -> tuple[dict[str, Any], list[str]]:
    """What the step did, by half, and warnings."""
    import contextlib

    @contextlib.contextmanager
    def opened() -> Any:
        yield kernel

    found, warnings, failed = step_runner.carry_out(steps(kernel, **given), opened, check)
    assert not failed
    return {half: listed["keep"][0] for half, listed in found.items() if "keep" in listed}, warnings


def plan(kernel: MemoryKernel) -> Any:
    return json.loads(kernel.lasting_files[PLAN].text)


def test_nobody_asks_and_there_is_no_step() -> None:
    assert run(MemoryKernel(), persist=False) == ({}, [])


def test_check_mode_foresees_what_is_written_and_the_second_run_writes_nothing() -> None:
    kernel = MemoryKernel()
    foreseen, _warnings = run(kernel, check=True)
    assert kernel.lasting_files == {}
    done, _warnings = run(kernel)
    assert done == foreseen
    assert done["wire"]["changed"] is True
    assert [*kernel.lasting_files] == ALONE
    again, _warnings = run(kernel)
    assert {one["changed"] for one in again.values()} == {False}
    assert again["wire"]["before"] == again["wire"]["after"] == done["wire"]["after"]


def test_the_plan_has_what_was_given() -> None:
    kernel = MemoryKernel()
    done, _warnings = run(kernel)
    [address] = done["wire"]["after"]["addresses"]
    assert address.startswith("web/eth0 10.1.0.")
    assert plan(kernel)["mtus"] == {"front": 1500}
    assert plan(kernel)["addresses"] == {"web": {"eth0": [address.split()[1]]}}
    assert [one["name"] for one in plan(kernel)["containers"][0]["networks"]] == ["front"]
    assert plan(kernel)["identity"] == kernel.identity()


def test_what_is_kept_makes_the_same_host_again() -> None:
    kernel, other = MemoryKernel(), MemoryKernel()
    run(kernel)
    again = one_task.Steps({"firewall_backend": "auto"}, kept.compiled(kept.read(kernel.lasting_files[PLAN].text)))
    _found, _warnings, failed = step_runner.take_steps(again, other, False)
    assert not failed
    done, _warnings = run(other)
    assert [one["changed"] for one in done.values()] == [False, True]
    assert plan(other) == plan(kernel)


def test_forwarding_is_noted_and_left_to_the_boot() -> None:
    kernel = MemoryKernel()
    run(kernel)
    assert kernel.read_text(SYSCTL_FILE).splitlines()[1:] == ["; net.ipv4.ip_forward = 1"]
    run(kernel, networks=[FRONT, {"name": "six", "subnets": ["fd00:6::/64"]}])
    assert kernel.read_text(SYSCTL_FILE).splitlines()[1:] == [
        "; net.ipv4.ip_forward = 1",
        "; net.ipv6.conf.all.forwarding = 1",
    ]
    run(kernel, networks=[{"name": "six", "subnets": ["fd00:6::/64"], "state": "absent"}], containers=[])
    assert kernel.read_text(SYSCTL_FILE).splitlines()[1:] == ["; net.ipv4.ip_forward = 1"]
    run(kernel, persist=False)
    assert kernel.read_text(SYSCTL_FILE).splitlines()[1:] == ["net.ipv4.ip_forward = 1"]
    assert kernel.lasting_files == {}
    run(kernel, state="absent")
    assert kernel.read_text(SYSCTL_FILE) == ""


def test_what_is_edited_is_put_back() -> None:
    kernel = MemoryKernel()
    run(kernel)
    whole = dict(kernel.lasting_files)
    spoiled = {**whole, PLAN: replace(whole[PLAN], mode=0o644), UNIT: replace(whole[UNIT], text=whole[UNIT].text + "x")}
    del spoiled[PROGRAM]
    kernel.lasting_files = spoiled
    foreseen, _warnings = run(kernel, check=True)
    done, _warnings = run(kernel)
    assert done == foreseen
    assert kernel.lasting_files == whole
    assert done["teardown"]["commands"][-1] == "systemctl daemon-reload"


def test_where_no_command_can_be_put_it_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = MemoryKernel()
    monkeypatch.setattr(kernel, "read_only", lambda path: path == files.COMMAND)
    run(kernel)
    assert [*kernel.lasting_files] == [path for path in ALONE if path != files.COMMAND]
    assert {one["changed"] for one in run(kernel)[0].values()} == {False}


def test_what_systemd_has_not_read_it_is_told_to_read() -> None:
    kernel = MemoryKernel()
    run(kernel)
    kernel.unread = True
    done, _warnings = run(kernel)
    assert (done["teardown"]["commands"], kernel.unread) == (["systemctl daemon-reload"], False)


def test_a_plan_that_nobody_can_read_is_written_anew() -> None:
    kernel = MemoryKernel()
    run(kernel)
    whole = dict(kernel.lasting_files)
    kernel.lasting_files = {**whole, PLAN: replace(whole[PLAN], text=whole[PLAN].text[:-9])}
    _done, warnings = run(kernel)
    assert warnings == [
        "The plan that is kept on this host, which cannot be read, was not understood. It is written anew; what earlier runs kept is not in it."
    ]
    assert kernel.lasting_files == whole


@pytest.mark.parametrize(
    "given",
    [{"state": "absent"}, {"persist": False}, {"networks": [], "containers": [], "purge": True, "persist": False}],
)
def test_nothing_is_left(given: dict[str, Any]) -> None:
    kernel = MemoryKernel()
    run(kernel)
    foreseen, _warnings = run(kernel, check=True, **given)
    done, _warnings = run(kernel, **given)
    assert done == foreseen
    assert kernel.lasting_files == {}
    assert any(one["changed"] and one["after"] == {} for one in done.values())
    assert [one["changed"] for one in run(kernel, **given)[0].values()] in ([], [False])


def test_runs_with_other_lists_keep_theirs() -> None:
    kernel = MemoryKernel()
    run(kernel)
    run(kernel, containers=[DB], persist=False)
    assert [one["name"] for one in plan(kernel)["containers"]] == ["web"]
    run(kernel, containers=[DB])
    assert [one["name"] for one in plan(kernel)["containers"]] == ["web", "db"]
    assert [*plan(kernel)["addresses"]] == ["db", "web"]
    run(kernel, containers=[DB], purge=True)
    assert [one["name"] for one in plan(kernel)["containers"]] == ["db"]


def test_a_host_without_systemd_is_refused_before_the_first_change() -> None:
    kernel = MemoryKernel()
    kernel.systemd = False
    with pytest.raises(Refused, match="wiring_persist: this host was not started by systemd"):
        run(kernel)
    assert kernel.applied == []


@pytest.mark.parametrize("path", PATHS)
def test_a_file_of_somebody_else_is_refused_before_the_first_change(path: str) -> None:
    kernel = MemoryKernel()
    kernel.lasting_files = {path: File("file", "theirs", 0o644, ours=False)}
    with pytest.raises(Refused, match=f"wiring_persist: {path} is there and is not ours"):
        run(kernel)
    assert kernel.applied == []


def test_a_file_of_somebody_else_stays_when_ours_go() -> None:
    kernel = MemoryKernel()
    run(kernel)
    theirs = File("file", "theirs", 0o644, ours=False)
    kernel.lasting_files = {**kernel.lasting_files, UNIT: theirs}
    run(kernel, persist=False)
    assert kernel.lasting_files == {UNIT: theirs}


def test_a_bridge_that_was_here_before_is_refused_before_the_first_change() -> None:
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, "front", "bridge", {"mac": "02:00:00:00:00:07"}))
    with pytest.raises(Refused, match=r"wiring_persist: network 'front': .* was here before"):
        run(kernel)
    assert len(kernel.applied) == 1


@pytest.mark.parametrize(
    ("networks", "containers", "sentence"),
    [
        ([{**FRONT, "unmanaged": True}], [], "wiring_persist: network 'front': an unmanaged bridge"),
        ([FRONT], [{**WEB, "engine": "pid", "pid": 7}], "container 'web': a process ID means nothing after a reboot"),
    ],
)
def test_what_cannot_be_kept_is_refused(networks: Any, containers: Any, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        compile_plan(networks, containers, persist=True)
    gone = [{**one, "state": "absent"} for one in containers]
    compile_plan([{**one, "state": "absent"} for one in networks], gone, persist=True)
    compile_plan(networks, containers, persist=False)


@pytest.mark.parametrize(
    ("drift", "sentence"), [("often", "none of ignore, tell, repair"), ("tell", "set wiring_persist")]
)
def test_drift_is_for_who_keeps_something(drift: str, sentence: str) -> None:
    with pytest.raises(Invalid, match=f"wiring_drift: .*{sentence}"):
        compile_plan([FRONT], [WEB], persist=False, drift=drift)


def test_drift_is_looked_at_until_nobody_asks_for_it() -> None:
    kernel = MemoryKernel()
    done, _warnings = run(kernel, drift="tell")
    assert done["wire"]["commands"][-1] == "systemctl start wired-drift.timer"
    assert kernel.units == ["wired-drift.timer"]
    assert {one["changed"] for one in run(kernel, drift="tell")[0].values()} == {False}
    kernel.units = []
    assert run(kernel, drift="tell")[0]["teardown"]["commands"] == ["systemctl start wired-drift.timer"]
    done, _warnings = run(kernel)
    assert done["wire"]["commands"][0] == "systemctl stop wired-drift.timer"
    assert (kernel.units, {*kernel.lasting_files}) == ([], {*ALONE})


def test_what_follows_docker_runs_as_long_as_a_container_of_docker_is_kept() -> None:
    """The container is kept by the plan alone: no docker is asked."""
    kernel = MemoryKernel()
    [front] = entries("networks", [FRONT])
    [web] = entries("containers", [{**WEB, "engine": "docker", "networks": [{"name": "front"}]}])
    step = lasting.RESOURCE.parse(
        {
            **{name: [] for name in OPTIONAL},
            "only": False,
            "keeps": True,
            "backend": "auto",
            "drift": None,
            "networks": [front],
            "containers": [web],
        }
    )
    for changed in (True, False):
        state = State(kernel)
        have = lasting.RESOURCE.look(step, state)
        found = lasting.RESOURCE.plan(step, have)
        for change in found.changes:
            kernel.apply(change)
        assert bool(found.changes) is changed
    assert kernel.units == ["wired-docker.service"]
    assert {files.DOCKER, files.FOLLOWED} <= {*kernel.lasting_files}
    kernel.lasting_files = {path: file for path, file in kernel.lasting_files.items() if path != PROGRAM}
    have = lasting.RESOURCE.look(step, State(kernel))
    assert lasting.RESOURCE.plan(step, have).changes[-1].attempt() == "restart wired-docker.service"


@pytest.mark.parametrize("given", [{}, {"persist": False}])
@pytest.mark.parametrize("at", range(8))
def test_g1_what_is_cut_off_at_any_write_is_done_by_the_next_run(given: dict[str, Any], at: int) -> None:
    whole = MemoryKernel()
    run(whole)
    kernel = MemoryKernel()
    run(kernel, persist=False)
    if given:
        run(kernel)
        run(whole, **given)
    kernel.fail_at = len(kernel.applied) + at
    try:
        run(kernel, **given)
    except (AssertionError, KernelError):
        assert kernel.refused is not None
    kernel.fail_at, kernel.refused = None, None
    run(kernel, **given)
    assert kernel.lasting_files == whole.lasting_files
    assert kernel.read_text(SYSCTL_FILE) == whole.read_text(SYSCTL_FILE)


def test_units_start_the_program_with_the_python_that_runs_here() -> None:
    kernel = MemoryKernel()
    run(kernel)
    assert f"ExecStart={PYTHON} {PROGRAM} up\n" in kernel.lasting_files[UNIT].text
    assert f"ExecStart={PYTHON} {PROGRAM} up -- %I\n" in kernel.lasting_files[files.TEMPLATE].text
