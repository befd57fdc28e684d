# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What engines run when a container starts and when it has ended: which container it is, and that others' start all the same."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import namespaces
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs import engines
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs import run as run_programs
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs.run import Followed, ProgramError
from ansible_collections.linuxnet.containers.plugins.module_utils._wired import entry, hooks, program, start

PLAN = {
    "containers": [
        {"name": "web", "engine": "podman"},
        {"name": "box", "engine": "lxc"},
        {"name": "nest", "engine": "nspawn"},
        {"name": "shop", "engine": "systemd"},
        {"name": "shed", "engine": "docker"},
    ]
}


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """What is done of which container, on a host that keeps those above."""
    (tmp_path / "plan.json").write_text(json.dumps(PLAN), encoding="utf-8")
    monkeypatch.setattr(hooks, "KEPT_PLAN", str(tmp_path / "plan.json"))
    monkeypatch.setattr(namespaces, "LOCK_SECONDS", 300.0)
    monkeypatch.setattr(namespaces, "left_behind", lambda: 77)
    monkeypatch.setattr(namespaces, "enter", lambda path: None)
    done: list[Any] = []

    class Noted:
        def __init__(self, *words: Any, **named: Any) -> None:
            self.words = [*words, *named.values()]

        def run(self) -> int:
            done.append(self.words)
            return 0

    monkeypatch.setattr(program, "Command", Noted)
    return done


def run(*words: str) -> Any:
    with pytest.raises(SystemExit) as end:
        hooks.main(words)
    return end.value.code


def container(folder: Path, **state: Any) -> str:
    """The state of podman's container web, as its runtime writes it."""
    (folder / "containers.json").write_text(
        json.dumps([{"id": "7b", "names": ["web", "more"]}, {"id": "8c"}]), encoding="utf-8"
    )
    (folder / "7b/userdata").mkdir(parents=True)
    networks = [{"type": "pid"}, {"type": "network", "path": "/run/netns/x"}]
    (folder / "7b/userdata/config.json").write_text(json.dumps({"linux": {"namespaces": networks}}), encoding="utf-8")
    return json.dumps({"id": "7b", "pid": 42, "status": "created", "bundle": f"{folder}/7b/userdata", **state})


@pytest.mark.parametrize(
    ("state", "done"),
    [
        ({}, [["up", ["web"], 42, "/run/netns/x"]]),
        ({"status": "creating"}, [["up", ["web"], 42, "/run/netns/x"]]),
        ({"status": "stopped", "pid": 0}, [["down", ["web"], True]]),
        ({"status": "stopped"}, [["down", ["web"], True]]),
        ({"id": "8c"}, []),
        ({"id": "9d"}, []),
        ({"bundle": 7}, []),
        ({"bundle": "/nowhere/7b/userdata"}, []),
        ({"pid": "x"}, []),
    ],
)
def test_podman_s_runtime_says_which_container_it_is(
    called: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state: Any, done: list[Any]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(container(tmp_path, **state)))
    assert run("podman") == 0
    assert called == done


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", "7"])
def test_what_is_no_state_starts_all_the_same(called: list[Any], monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert run("podman") == 0
    assert called == []


@pytest.mark.parametrize(
    ("env", "words", "done"),
    [
        ({"LXC_NAME": "box", "LXC_PID": "42", "LXC_HOOK_TYPE": "start-host"}, [], [["up", ["box"], 42, ""]]),
        ({"LXC_NAME": "box", "LXC_PID": "42"}, ["box", "lxc", "start-host"], [["up", ["box"], 42, ""]]),
        ({"LXC_NAME": "box"}, ["box", "lxc", "post-stop"], [["down", ["box"], True]]),
        ({"LXC_NAME": "box"}, ["box", "lxc", "start-host"], []),
        ({"LXC_NAME": "web", "LXC_PID": "42"}, ["web", "lxc", "start-host"], []),
        ({}, [], []),
    ],
)
def test_lxc_says_it_by_variables_and_words(
    called: list[Any], monkeypatch: pytest.MonkeyPatch, env: dict[str, str], words: list[str], done: list[Any]
) -> None:
    for name in ("LXC_NAME", "LXC_PID", "LXC_HOOK_TYPE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert run("lxc", *words) == 0
    assert called == done


@pytest.mark.parametrize(
    ("words", "done"),
    [
        (["nspawn", "start", "nest"], [["up", ["nest"]]]),
        (["nspawn", "stop", "nest"], [["down", ["nest"], True]]),
        (["systemd", "start", "shop"], [["up", ["shop"], 77, ""]]),
        (["systemd", "stop", "shop"], [["down", ["shop"], True]]),
        (["systemd", "start", "nest"], []),
        (["systemd", "start"], []),
        (["systemd", "jump", "shop"], []),
    ],
)
def test_units_say_it_by_words(called: list[Any], words: list[str], done: list[Any]) -> None:
    assert run(*words) == 0
    assert called == done
    assert not done or namespaces.LOCK_SECONDS < 60, "no engine answers before its hook has ended"


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", '{"containers": 7}', '{"containers": [{"name": "web"}]}'])
def test_a_plan_that_nobody_understands_is_in_nobody_s_way(
    called: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    (tmp_path / "plan.json").write_text(text, encoding="utf-8")
    assert run("nspawn", "start", "nest") == 0
    monkeypatch.setattr(hooks, "KEPT_PLAN", str(tmp_path / "none"))
    assert run("nspawn", "start", "nest") == 0
    assert called == []


@pytest.mark.parametrize("words", [[], ["crio"]])
def test_an_engine_without_a_hook_is_told_apart(words: list[str]) -> None:
    assert str(run(*words)).startswith("usage: wired hook podman|lxc|")


@pytest.mark.parametrize("words", [["hook", "nspawn", "start", "theirs"], ["--help"]])
def test_the_command_begins_with_its_part(called: list[Any], monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.setattr("sys.argv", ["wired", *words])
    with pytest.raises(SystemExit) as end:
        entry.main()
    assert end.value.code == 0


# --- docker, which is followed ---


def test_whoever_starts_or_ends_is_seen_to(called: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are kept, once for all lines that came together; and all of them first, since nobody saw what was before."""
    seen: list[list[str]] = []
    lines = iter([["shed", "theirs", "shed"], ["theirs"]])

    class Events:
        def __enter__(self) -> Any:
            return self

        def __exit__(self, *dummy: object) -> None:
            """Nothing is left."""

        def lines(self) -> list[str]:
            for found in lines:
                return found
            raise ProgramError("it ended")

    def rested(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(engines, "followed", lambda engine, since: Events())
    monkeypatch.setattr(start, "_see_to", seen.append)
    monkeypatch.setattr("time.sleep", rested)
    with pytest.raises(KeyboardInterrupt):
        start.follow()
    assert seen == [["shed"], ["shed"], []]


def test_it_is_done_in_a_process_of_its_own(
    called: list[Any], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Loud:
        def __init__(self, command: str, names: list[str]) -> None:
            self.said = f"{command} {names} in {os.getpid()}"

        def run(self) -> int:
            os.write(1, self.said.encode())
            raise ValueError("whatever goes wrong")

    monkeypatch.setattr(program, "Command", Loud)
    start._see_to([])
    start._see_to(["shed"])
    said = capfd.readouterr()
    assert said.out.startswith("up ['shed'] in ")
    assert not said.out.endswith(f" {os.getpid()}")
    assert "whatever goes wrong" in said.err


def test_lines_come_as_they_are_printed(tmp_path: Path) -> None:
    told = Followed("/bin/sh", ["-c", "printf 'one\\ntwo\\nth'; sleep 0.2; echo ree; echo why >&2"])
    with told as events:
        found = events.lines()
        while len(found) < 3:
            found += events.lines()
        with pytest.raises(ProgramError, match="why"):
            events.lines()
    assert found == ["one", "two", "three"]
    with pytest.raises(ProgramError):
        Followed(str(tmp_path / "none"), [])


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that run."""
    found: list[str] = ["systemd"]
    monkeypatch.setattr(engines, "_processes", lambda: iter([(number, 1, name) for number, name in enumerate(found)]))
    return found


def test_docker_is_not_asked_where_none_of_its_containers_runs(processes: list[str]) -> None:
    """At boot it would be started to answer, which waits for us."""
    assert engines.idle("docker")
    assert engines.idle("podman")
    assert not engines.idle("lxc")
    processes.append("containerd-shim")
    assert not engines.idle("docker")


def test_a_program_that_is_not_here_cannot_be_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_programs, "which", lambda name: None)
    with pytest.raises(ProgramError, match="docker is not installed"):
        engines.followed("docker", 0)
