# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the engines' own tools say, read: with programs that say what the real ones say. The real ones are in tests/engines."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs import engines as engine_programs
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs import run
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Container

ID = "4f" * 32


def test_docker_names_ids_and_what_it_does_not_know(programs: Callable[..., Any]) -> None:
    programs("docker", f"echo '{ID} 70 running /web'; echo 'Error: No such container: nope' >&2; exit 1")
    assert engine_programs.find("docker", ["web", "nope", ID[:12]]) == {
        "web": Container("docker", "web", 70, "running"),
        ID[:12]: Container("docker", ID[:12], 70, "running"),
    }


def test_a_daemon_that_does_not_answer_is_an_error_in_its_words(programs: Callable[..., Any]) -> None:
    programs(
        "docker",
        "echo 'Cannot connect to the Docker daemon at unix:///x.sock. Is the docker daemon running?' >&2; exit 1",
    )
    with pytest.raises(run.ProgramError, match=r"Cannot connect to the Docker daemon at unix:///x\.sock"):
        engine_programs.find("docker", ["web"])


def test_podman_leaves_the_slash_out_and_a_stopped_one_has_no_pid(programs: Callable[..., Any]) -> None:
    programs("podman", f"echo '{ID} 0 exited web'")
    assert engine_programs.find("podman", ["web"]) == {"web": Container("podman", "web", 0, "exited")}


def test_lxc_gives_state_and_pid(programs: Callable[..., Any]) -> None:
    programs("lxc-info", 'case "$*" in *on*) echo "State: RUNNING"; echo 71;; *off*) echo "State: STOPPED";; esac')
    found = engine_programs.find("lxc", ["on", "off"])
    assert found == {"on": Container("lxc", "on", 71, "running"), "off": Container("lxc", "off", 0, "stopped")}
    programs("lxc-info", 'echo "web doesn\'t exist" >&2; exit 1')
    assert engine_programs.find("lxc", ["web"]) == {}


def test_an_engine_that_is_not_there_is_no_engine(programs: Callable[..., Any]) -> None:
    assert not engine_programs.available("docker")
    with pytest.raises(run.ProgramError, match="the program podman is not installed"):
        engine_programs.find("podman", ["web"])


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["systemd-nspawn", "--machine=web", "--directory=/x/y"], "web"),
        (["systemd-nspawn", "-M", "web", "-D", "/x/y"], "web"),
        (["systemd-nspawn", "-D/x/web/", "sh"], "web"),
        (["systemd-nspawn", "--image", "/x/web.raw"], "web"),
        (["systemd-nspawn", "sh"], None),
    ],
)
def test_a_machine_s_name_is_given_or_that_of_its_tree(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str], name: str | None
) -> None:
    file = tmp_path / "cmdline"
    file.write_bytes(b"\0".join(word.encode() for word in [*words, ""]))
    monkeypatch.setattr(
        "builtins.open", lambda _path, *args, **options: os.fdopen(os.open(file, os.O_RDONLY), **options)
    )
    assert engine_programs._machine_name(1) == name


@pytest.mark.parametrize(
    ("engine", "program", "prints"),
    [
        ("docker", "docker", f"{ID} pid running /web"),
        ("podman", "podman", f"{ID} -- running web"),
        ("lxc", "lxc-info", "71 and nothing else"),
    ],
)
def test_what_is_not_understood_is_an_engine_that_cannot_be_asked(
    programs: Callable[..., Any], engine: str, program: str, prints: str
) -> None:
    programs(program, f"echo '{prints}'")
    with pytest.raises(run.ProgramError, match=f"what {program} printed was not understood"):
        engine_programs.find(engine, ["web"])


def test_that_holds_for_those_that_run_as_well(programs: Callable[..., Any]) -> None:
    programs("docker", f'[ "$1" = ps ] && echo {ID} || echo one two')
    with pytest.raises(run.ProgramError, match="what docker printed was not understood"):
        engine_programs.running("docker")


def test_those_that_run_are_listed(programs: Callable[..., Any]) -> None:
    programs("docker", f'[ "$1" = ps ] && echo {ID} || echo "{ID} 70 running /web"')
    assert engine_programs.running("docker") == [Container("docker", "web", 70, "running")]
    programs("lxc-ls", "echo on")
    programs("lxc-info", 'echo "State: RUNNING"; echo 71')
    assert engine_programs.running("lxc") == [Container("lxc", "on", 71, "running")]


def test_a_name_of_a_container_is_never_more_than_an_argument(programs: Callable[..., Any]) -> None:
    """What cannot be an argument of a program is in no engine."""
    programs("docker", "exit 0")
    with pytest.raises(run.ProgramError):
        engine_programs.find("docker", ["a\0b"])


@pytest.fixture
def booted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A host that systemd booted, with a tree of control groups."""
    isdir = os.path.isdir
    monkeypatch.setattr(os.path, "isdir", lambda path: path == "/run/systemd/system" or isdir(path))
    monkeypatch.setattr(engine_programs, "_CGROUPS", (str(tmp_path),))
    return tmp_path


UNIT = "Id=web.service; MainPID=%s; LoadState=loaded; ActiveState=%s; ControlGroup=%s; NetworkNamespacePath=%s"


def shown(main: int = 0, state: str = "active", group: str = "/web", path: str = "") -> str:
    """A program that says of a unit what `systemctl show` says."""
    return "printf '%s\\n' " + " ".join(UNIT.replace("; ", " ").split()) % (main, state, group, path)


@pytest.mark.parametrize(
    ("said", "processes", "found"),
    [
        (shown(main=70), "", Container("systemd", "web", 70, "active")),
        (shown(), "71\n72\n", Container("systemd", "web", 71, "active")),
        (shown(path="/run/netns/x"), "71\n", Container("systemd", "web", 71, "active")),
        (shown(path="/run/netns/x"), "", Container("systemd", "web", 0, "active", file="/run/netns/x")),
        (shown(), "", Container("systemd", "web", 0, "active")),
        (shown(group=""), "71\n", Container("systemd", "web", 0, "active")),
        (shown(state="failed", path="/run/netns/x"), "71\n", Container("systemd", "web", 0, "failed")),
    ],
)
def test_a_unit_without_a_main_process_has_others_or_a_file(
    booted: Path, programs: Callable[..., Any], said: str, processes: str, found: Container
) -> None:
    """Of Type=oneshot with RemainAfterExit=yes; a process may be in a group below the unit's."""
    (booted / "web/inner").mkdir(parents=True)
    (booted / "web/cgroup.procs").write_text("", encoding="ascii")
    (booted / "web/inner/cgroup.procs").write_text(processes, encoding="ascii")
    programs("systemctl", said)
    assert engine_programs.find("systemd", ["web"]) == {"web": found}


@pytest.mark.parametrize(
    ("file", "own"), [("/var/run/docker/netns/4f", "/var/run/docker/netns/4f"), ("/proc/70/ns/net", ""), ("", "")]
)
def test_a_file_of_a_process_is_none_of_a_namespace(programs: Callable[..., Any], file: str, own: str) -> None:
    """As podman 5 has it: when the process has ended, another one may have its ID."""
    programs("podman", f"echo '{ID} 70 running web {file}'")
    assert engine_programs.find("podman", ["web"])["web"].file == own
