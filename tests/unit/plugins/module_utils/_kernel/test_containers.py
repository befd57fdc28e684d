# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Containers are found by their engines, with programs that say what the real ones say, and their namespaces held open."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import containers, namespaces
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs import run
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Container

ID = "4f" * 32


def test_b1_a_container_that_is_restarted_while_it_is_looked_up_is_looked_up_again(
    programs: Callable[..., Any], tmp_path: Path
) -> None:
    """The first answer names a process that is gone; the second one this process, twice."""
    count = tmp_path / "count"
    programs(
        "docker",
        f"echo x >>{count}; pid={os.getpid()}; [ $(wc -l <{count}) -gt 1 ] || pid=4194399; echo {ID} $pid running /web",
    )
    with containers.Kernel() as kernel:
        found, silent = kernel.containers("docker", ["web"])
        [web] = found["web"]
        assert (web.pid, web.inode, silent) == (os.getpid(), kernel.find(HOST), [])
    assert count.read_text(encoding="utf-8") == "x\n" * 3


def test_b1_a_container_that_never_stays_is_given_up(programs: Callable[..., Any], tmp_path: Path) -> None:
    count = tmp_path / "count"
    programs("docker", f"echo x >>{count}; echo {ID} $((4194000 + $(wc -l <{count}))) running /web")
    with containers.Kernel() as kernel:
        assert kernel.containers("docker", ["web"]) == (
            {"web": []},
            ["docker could not be asked: its containers are being restarted just now"],
        )
    assert len(count.read_text(encoding="utf-8").splitlines()) == 1 + containers._TRIES


def test_b1_a_container_that_stops_while_it_is_looked_up_does_not_run(
    programs: Callable[..., Any], tmp_path: Path
) -> None:
    count = tmp_path / "count"
    programs(
        "docker",
        f"echo x >>{count}; [ $(wc -l <{count}) -gt 1 ] && echo '{ID} 0 exited /web' || echo {ID} {os.getpid()} running /web",
    )
    with containers.Kernel() as kernel:
        assert kernel.containers("docker", ["web"])[0]["web"] == [Container("docker", "web", 0, "exited", 0)]


def test_a_container_whose_namespace_may_not_be_seen_is_not_taken_for_one_that_stopped(
    programs: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    programs("docker", f"echo {ID} {os.getpid()} running /web")
    with containers.Kernel() as kernel:

        def refused(path: str) -> tuple[int, int]:
            raise PermissionError(errno.EACCES, "x")

        monkeypatch.setattr(namespaces, "open_namespace", refused)
        found, silent = kernel.containers("docker", ["web"])
    assert found == {"web": []}
    assert silent == [f"docker could not be asked: process {os.getpid()}: {namespaces.UNSEEN}"]


def test_an_engine_that_hangs_is_asked_once_and_the_others_are_asked(
    programs: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By whatever items, for whatever, and by each kernel of a task."""
    monkeypatch.setattr(run, "_TIMEOUT", 0.2)
    asked = tmp_path / "asked"
    programs("docker", f"echo docker >>{asked}; exec sleep 20")
    programs("lxc-info", f"echo lxc >>{asked}; exec sleep 20")
    programs("podman", f"echo '{ID} 0 exited web'")
    for _kernel in range(2):
        with containers.Kernel() as kernel:
            for name in ("web", "db"):
                found, silent = kernel.containers("auto", [name, "other"])
                assert [one.engine for one in found[name]] == (["podman"] if name == "web" else [])
                assert "docker could not be asked: docker did not end within 0.2 seconds" in silent
                assert "lxc could not be asked: lxc-info did not end within 0.2 seconds" in silent
            kernel.running()
    assert sorted(asked.read_text(encoding="ascii").split()) == ["docker", "lxc"]


@pytest.mark.parametrize("file", ["/run/a\\0b", "/run/netns/\\377", "-"])
def test_a_file_that_no_file_can_be_is_no_namespace(programs: Callable[..., Any], file: str) -> None:
    programs("docker", f"printf '%b\\n' '{ID} {os.getpid()} running /web {file}'")
    with containers.Kernel() as kernel:
        (web,) = kernel.containers("docker", ["web"])[0]["web"]
        assert (web.inode, web.file) == (kernel.find(HOST), "")


def test_who_was_asked_before_the_lock_is_not_asked_again(programs: Callable[..., Any], tmp_path: Path) -> None:
    """podman does not answer while it runs a hook of ours, and the hook waits for the lock."""
    count = tmp_path / "count"
    programs("podman", f"echo x >>{count}; echo {ID} {os.getpid()} running /web")
    with containers.Kernel() as kernel:
        kernel.ask("podman", ("web",))
        asked = count.read_text(encoding="utf-8")
        assert kernel.containers("podman", ["web"])[0]["web"][0].pid == os.getpid()
        assert count.read_text(encoding="utf-8") == asked
        assert kernel.answers_hold()
        kernel.ask("lxc", ("web",))  # which is not installed: said when it is needed
        assert kernel.answers_hold()


def test_what_was_told_before_the_lock_is_handed_on(programs: Callable[..., Any], tmp_path: Path) -> None:
    """To the kernel of a survey, which keeps open what is to end."""
    count = tmp_path / "count"
    programs("docker", f"echo x >>{count}; echo {ID} {os.getpid()} running /web")
    with containers.Kernel() as kernel, containers.Kernel() as other:
        kernel.ask("docker", ("web",))
        kernel.ask_running()
        asked = count.read_text(encoding="utf-8")
        other.as_told(kernel)
        [web] = other.containers("docker", ["web"])[0]["web"]
        assert (web.pid, web.inode) == (os.getpid(), other.find(HOST))
        assert [one.name for one in other.running()] == ["web"] == [one.name for one in kernel.running()]
        assert count.read_text(encoding="utf-8") == asked


def test_what_ended_before_the_lock_does_not_run(programs: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process ID may be another's by now."""
    programs("docker", f"echo {ID} {os.getpid()} running /web")
    with containers.Kernel() as kernel, containers.Kernel() as other:
        kernel.ask("docker", ("web",))
        kernel.ask_running()
        monkeypatch.setattr(namespaces, "start_time", lambda pid: None)
        other.as_told(kernel)
        assert kernel.running() == other.running() == []
        assert other.containers("docker", ["web"])[1], "it is asked again"


def test_answers_hold_until_a_container_is_started_again(
    programs: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    programs("podman", f"echo {ID} {os.getpid()} running /web")
    with containers.Kernel() as kernel:
        kernel.ask("podman", ("web",))
        monkeypatch.setattr(namespaces, "start_time", lambda pid: None)
        assert not kernel.answers_hold()
        kernel.ask("podman", ("web",))
        assert kernel.containers("podman", ["web"])[1], "it could not be asked, which is not tried again"


def test_an_engine_that_starts_a_container_is_not_asked_for_it(programs: Callable[..., Any]) -> None:
    programs("podman", "exit 1")
    with containers.Kernel() as kernel:
        kernel.tell(Container("podman", "web", os.getpid(), "running", file="/nowhere"))
        kernel.ask("podman", ("web",))
        [web] = kernel.containers("podman", ["web"])[0]["web"]
        assert (web.pid, web.inode, web.file) == (os.getpid(), kernel.find(HOST), "")
        assert kernel.answers_hold()
