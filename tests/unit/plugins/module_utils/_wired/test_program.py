# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command `wired`, with the twin of a host in the kernel's place."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import complete, files
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs import engines
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs.run import ProgramError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import SetShape
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError, Lacking
from ansible_collections.linuxnet.containers.plugins.module_utils._model.lasting import PLAN, File
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Container, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._model.shaping import NONE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import step_runner
from ansible_collections.linuxnet.containers.plugins.module_utils._wired import program
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import one_task
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

LISTS = {
    "networks": [{"name": "front", "subnets": ["10.1.0.0/24"]}],
    "containers": [{"name": "web"}, {"name": "db", "networks": [{"name": "front", "rate": "1mbit"}]}],
    "state": "present",
    "firewall_backend": "auto",
    "persist": True,
}


class Twin(MemoryKernel):
    """The host that is opened."""

    @staticmethod
    def require() -> None:
        """It has all."""


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Twin:
    """A host that keeps two containers, and was started again."""
    before, host = Twin(), Twin()
    _found, _warnings, failed = step_runner.take_steps(one_task.Steps(LISTS), before, False)
    assert not failed
    host.lasting_files = before.lasting_files
    opened: Any = contextlib.nullcontext(host)
    monkeypatch.setattr(program, "_kernel", lambda identity, ended=(), starting=None: lambda: opened)
    monkeypatch.setattr(complete, "Kernel", Twin)
    monkeypatch.setattr(
        files, "read_text", lambda path: host.lasting_files[path].text if path in host.lasting_files else ""
    )
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    return host


def called(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        program.main(arguments)
    return int(end.value.code or 0)


def test_up_wires_all_and_then_has_nothing_to_do(host: Twin, capsys: pytest.CaptureFixture[str]) -> None:
    assert called("up") == 0
    said = capsys.readouterr()
    assert said.out.startswith("1 network, 2 containers: all is wired, ")
    assert said.err == ""
    assert called("up") == 0
    assert "all is wired, 0 things changed" in capsys.readouterr().out


def test_up_wires_one(host: Twin, capsys: pytest.CaptureFixture[str]) -> None:
    assert called("up", "--", "web") == 0
    assert capsys.readouterr().out.startswith("1 network, 1 container: all is wired")
    assert [*host.listing()] == ["web"]


def test_who_is_not_kept_is_refused(host: Twin, capsys: pytest.CaptureFixture[str]) -> None:
    assert called("up", "gone") == 1
    assert capsys.readouterr().err == "Container 'gone' is not among those that are kept on this host.\n"
    assert host.applied == []


def test_without_a_plan_there_is_nothing_to_wire(host: Twin, capsys: pytest.CaptureFixture[str]) -> None:
    host.lasting_files = {}
    assert called("up") == 1
    assert capsys.readouterr().err == f"This host keeps no wiring: there is no {PLAN}.\n"


def test_who_fails_is_named_in_a_line_of_the_journal_and_all_others_are_wired(
    host: Twin, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    apply = host.apply

    def picky(step: Any) -> None:
        if getattr(step, "name", "") == "db":
            raise KernelError(5, step.attempt())
        apply(step)

    monkeypatch.setattr(host, "apply", picky)
    assert called("up") == 1
    failed, left, summed = capsys.readouterr().err.splitlines()
    assert failed.startswith("<3>Container 'db' at step netns: netns db: Could not ")
    assert left == "<3>Left out for that: container 'db' (veth, address, route, publish)." or "container 'db'" in left
    assert summed.startswith("<3>1 network, 2 containers: not all is wired, ")
    assert [*host.listing()] == ["web"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Lacking("pyroute2", "pyroute2"), "pyroute2"),
        (OSError(24, "Too many open files"), "Could not read the state of this host: Too many open files"),
        (ValueError("x"), "x"),
    ],
)
def test_whatever_goes_wrong_is_a_line(
    host: Twin, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def broken() -> None:
        raise error

    monkeypatch.setattr(Twin, "require", staticmethod(broken))
    assert called("up") == 1
    assert said in capsys.readouterr().err


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_status_and_diff_tell_what_is_not_as_kept_and_change_nothing(
    host: Twin, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [called("status"), called("diff")] == [3, 3]
    said = capsys.readouterr().out
    assert "container  web    missing" in said
    assert "netns web:\n" in said
    assert host.applied == []
    assert called("up") == 0
    capsys.readouterr()
    assert [called("status", "web"), called("diff")] == [0, 0]
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["network", "front"], ["container", "web"]]


def test_a_rate_that_drifts_is_told_and_brought_back(host: Twin, capsys: pytest.CaptureFixture[str]) -> None:
    called("up")
    db = NsRef("/run/netns/db")
    (link,) = host.links(host.find(db) or 0, "veth")
    shape = host.shape(host.find(db) or 0, link.index)
    assert shape.rate == 1_000_000
    host.apply(SetShape(db, "eth0", NONE, shape))
    capsys.readouterr()
    assert called("diff") == 3
    assert "+eth0's rate 1mbit" in capsys.readouterr().out
    assert [called("up"), called("diff")] == [0, 0]
    assert host.shape(host.find(db) or 0, link.index) == shape


def test_down_takes_down_and_up_brings_back(host: Twin, capsys: pytest.CaptureFixture[str]) -> None:
    called("up")
    assert called("down", "web") == 0
    assert [*host.listing()] == ["db"]
    assert called("down") == 0
    assert [*host.listing()] == []
    assert host.link(host.find(HOST) or 0, "front") is None
    assert "all is down" in capsys.readouterr().out
    assert host.lasting_files
    assert called("up") == 0
    assert [*host.listing()] == ["web", "db"]


def test_json_is_one_document(host: Twin, capsys: pytest.CaptureFixture[str]) -> None:
    assert called("status", "--json") == 3
    document = told(capsys)
    assert (document["containers"]["web"]["state"], document["failed"]) == ("missing", [])
    assert called("diff", "--json") == 3
    assert told(capsys)["results"]["wire"]["netns"][0]["after"]["name"] == "web"
    assert called("up", "--json", "web") == 0
    assert told(capsys)["changed"] > 4
    assert called("status", "--json", "web") == 0
    assert told(capsys)["containers"]["web"]["addresses"]
    assert called("down", "--json") == 0
    assert told(capsys)["failed"] == []


def test_a_failure_is_in_the_document_as_well(
    host: Twin, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(step: Any) -> None:
        raise KernelError(5, step.attempt())

    monkeypatch.setattr(host, "apply", broken)
    assert called("up", "--json", "web") == 1
    assert told(capsys)["failed"][0].startswith("Container 'web' at step netns: ")


def test_a_person_who_watches_sees_which_step_is_taken(
    host: Twin, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    called("up")
    assert "veth" not in capsys.readouterr().err
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    called("up")
    assert "\r\033[Kveth: 2" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["sideways"], ["up", "--sideways"]])
def test_a_wrong_command_line_is_told_apart(arguments: list[str]) -> None:
    assert called(*arguments) == 2


def test_the_kernel_is_that_of_the_host_as_it_was_called_then() -> None:
    opened: Any = program._kernel("me")
    assert opened.identity(None) == "me"


# --- containers of engines ---


class Podman:
    """What podman says: of containers, by name, their processes; and whether it says anything."""

    def __init__(self) -> None:
        self.pids: dict[str, int] = {}
        self.silent = False
        self.asked = 0

    def find(self, engine: str, names: Any) -> dict[str, Container]:
        self.asked += 1
        if self.silent:
            raise ProgramError("it hangs")
        return {name: Container(engine, name, pid, "") for name, pid in self.pids.items() if name in names}


@pytest.fixture
def podman(host: Twin, monkeypatch: pytest.MonkeyPatch) -> Podman:
    """An engine that runs one of the containers, web."""
    found = Podman()
    monkeypatch.setattr(engines, "find", found.find)
    monkeypatch.setattr(engines, "available", lambda engine: True)
    monkeypatch.setattr(engines, "idle", lambda engine: False)
    plan = host.lasting_files[PLAN].text.replace('"engine": "netns"', '"engine": "podman"', 2)
    document = json.loads(plan)
    document["containers"][1]["engine"] = "netns"
    host.lasting_files = {**host.lasting_files, PLAN: File("file", json.dumps(document), 0o600)}
    found.pids["web"] = 4711
    return found


def test_who_does_not_run_is_not_wired_and_nothing_is_left_of_it(
    host: Twin, podman: Podman, capsys: pytest.CaptureFixture[str]
) -> None:
    podman.pids.clear()
    assert called("up") == 0
    assert capsys.readouterr().out.startswith("1 network, 2 containers (1 not running): all is wired, ")
    assert [*host.listing()] == ["db"]
    assert called("status") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["container", "web", "not", "running"]
    assert called("up") == 0
    assert "all is wired, 0 things changed" in capsys.readouterr().out


def test_an_engine_that_says_nothing_is_a_failure_and_its_containers_are_left(
    host: Twin, podman: Podman, capsys: pytest.CaptureFixture[str]
) -> None:
    podman.silent = True
    assert called("up") == 1
    said = capsys.readouterr()
    assert said.err.startswith(
        "podman could not be asked for its containers: it hangs\n1 network, 1 container: not all is wired, "
    )
    assert [*host.listing()] == ["db"]


def test_who_runs_whatever_its_engine_says_is_left_alone(
    host: Twin, podman: Podman, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    podman.pids.clear()
    monkeypatch.setattr(program, "_inhabited", lambda kernel, names: list(names))
    assert called("up") == 1
    assert (
        "Container 'web': its engine says that it does not run, but processes are in its namespace."
        in capsys.readouterr().err
    )
    assert [*host.listing()] == ["db"]


def test_down_asks_no_engine(host: Twin, podman: Podman) -> None:
    assert called("down", "web") == 0
    assert podman.asked == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["up", "--pid", "7"],
        ["up", "web", "db", "--pid", "7"],
        ["up", "web", "--pid", "0"],
        ["down", "web", "--pid", "7"],
    ],
)
def test_a_process_is_one_container_s(arguments: list[str]) -> None:
    assert called(*arguments) == 2


def test_what_has_started_again_is_not_taken_down_for_its_end(monkeypatch: pytest.MonkeyPatch, host: Twin) -> None:
    """Whoever has the lock first."""
    monkeypatch.undo()
    kernel: Any = program._kernel("me", ["web"])
    monkeypatch.setattr(complete.Kernel, "locked", lambda self, check=False: contextlib.nullcontext())
    monkeypatch.setattr(program, "_inhabited", lambda kernel, names: list(names))
    one = kernel.__new__(kernel)
    assert one.identity() == "me"
    with pytest.raises(program._Started), one.locked():
        pass
    monkeypatch.setattr(program, "_inhabited", lambda kernel, names: [])
    with one.locked():
        pass


@pytest.mark.parametrize(("ended", "code", "tries"), [(True, 0, 1), (False, 1, 3)])
def test_it_is_tried_again_where_containers_are_started_meanwhile(
    host: Twin, monkeypatch: pytest.MonkeyPatch, ended: bool, code: int, tries: int
) -> None:
    taken: list[Any] = []

    def started(self: Any, what: Any, dummy: Any) -> Any:
        taken.append(what)
        raise program._Started

    monkeypatch.setattr(program.Command, "_taken", started)
    assert program.answered(program.Command("down", ["web"], ended=ended).run) == code
    assert len(taken) == tries


def test_lines_of_a_hook_are_in_the_system_s_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logged: list[tuple[int, str]] = []
    monkeypatch.setenv("WIRED_LOG", "syslog")
    monkeypatch.setattr("syslog.syslog", lambda level, text: logged.append((level, text)))
    program.say(program.ERROR, "why")
    assert (logged, capsys.readouterr().err) == ([(3, "why")], "why\n")


def test_a_namespace_of_its_own_needs_no_process(host: Twin, capsys: pytest.CaptureFixture[str]) -> None:
    assert called("up", "web", "--pid", "7") == 1
    assert (
        capsys.readouterr().err
        == "Container 'web' has a namespace of its own, whatever is started in it; leave --pid out.\n"
    )
