# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rewriting rules that others write as well."""

from __future__ import annotations

import errno
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs import run


class Changing:
    """Rules that are others at each look, and a program that refuses the first lines."""

    def __init__(self, refusals: int, sets: Any) -> None:
        self.refusals, self.sets = refusals, iter(sets)
        self.tried: list[list[str]] = []

    def edit(self) -> bool | None:
        return run.rewrite(lambda: next(self.sets), self.write)

    def write(self, lines: list[str]) -> None:
        self.tried.append(lines)
        if len(self.tried) <= self.refusals:
            raise run.ProgramError("no such table")


def test_f15_lines_are_computed_again_where_somebody_changed_the_rule_set_in_between() -> None:
    rules = Changing(2, (["one"], ["two"], ["three"]))
    assert rules.edit() is True
    assert rules.tried == [["one"], ["two"], ["three"]]


def test_f15_what_nobody_changed_is_not_tried_again() -> None:
    rules = Changing(9, (["one"], ["two"], ["two"], ["three"]))
    with pytest.raises(run.ProgramError):
        rules.edit()
    assert rules.tried == [["one"], ["two"]]


def test_f15_it_ends_where_somebody_changes_it_all_the_time() -> None:
    rules = Changing(99, ([str(number)] for number in range(99)))
    with pytest.raises(run.ProgramError):
        rules.edit()
    assert len(rules.tried) == 10


def test_where_there_is_nothing_to_do_nothing_is_run() -> None:
    rules = Changing(1, ([],))
    assert rules.edit() is False
    assert rules.tried == []


def test_f15_somebody_may_have_done_it_meanwhile() -> None:
    rules = Changing(1, (["one"], []))
    assert rules.edit() is False
    assert rules.tried == [["one"]]


# --- running a program ---


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., Any]:
    """Make a program of a shell script. Returns its path."""

    def make(script: str) -> str:
        path = tmp_path / "program"
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    return make


def test_a_program_is_given_its_arguments_and_a_text_and_speaks_english(program: Callable[..., Any]) -> None:
    path = program('printf "%s|" "$@" "$LC_ALL"; cat')
    assert run.run(path, ["a b", "$x"], "text") == "a b|$x|C|text"


def test_a_program_that_fails_is_an_error_with_the_first_line_it_complains_with(program: Callable[..., Any]) -> None:
    with pytest.raises(run.ProgramError, match=r"^first$"):
        run.run(program("printf '\\n  first\\nsecond\\n' >&2; exit 1"), [])


def test_a_first_line_that_is_but_a_heading_comes_with_the_next(program: Callable[..., Any]) -> None:
    """As iptables-nft-restore has it."""
    script = "printf 'iptables-restore v1.8.9 (nf_tables): \nline 2: CHAIN_ADD failed\nmore\n' >&2; exit 4"
    with pytest.raises(run.ProgramError, match=r"^iptables-restore v1\.8\.9 \(nf_tables\): line 2: CHAIN_ADD failed$"):
        run.run(program(script), [])
    with pytest.raises(run.ProgramError, match=r"^no:$"):
        run.run(program("echo no: >&2; exit 1"), [])


def test_one_that_fails_without_a_word_is_told_by_its_status(program: Callable[..., Any]) -> None:
    with pytest.raises(run.ProgramError, match=r"^it ended with 3$"):
        run.run(program("exit 3"), [])


def test_what_it_prints_may_be_of_any_encoding(program: Callable[..., Any]) -> None:
    assert run.run(program("printf '\\377a'"), []) == "\N{REPLACEMENT CHARACTER}a"


def test_output_has_both_where_it_fails(program: Callable[..., Any]) -> None:
    assert run.output(program("echo out; echo no >&2; exit 1"), []) == ("out\n", "no")
    assert run.output(program("echo out; echo note >&2"), []) == ("out\n", "")


def test_what_is_read_and_written_is_as_it_is_byte_for_byte(program: Callable[..., Any]) -> None:
    """A comment in a firewall rule may have a carriage return, which is no end of a line."""
    text = "a\rb\r\nc\x85d\u2028\n"
    assert run.output(program("cat; echo done >&2"), [], text)[0] == text


@pytest.mark.parametrize("arguments", [["a\0b"], ["x" * (1 << 22)]])
def test_one_that_cannot_be_started_is_an_error(program: Callable[..., Any], arguments: list[str]) -> None:
    """A NUL cannot be part of an argument, and there is a limit to how long it is."""
    with pytest.raises(run.ProgramError):
        run.run(program("true"), arguments)
    with pytest.raises(run.ProgramError):
        run.run("/nowhere/program", [])


def test_one_that_does_not_end_is_given_up(program: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_TIMEOUT", 0.2)
    with pytest.raises(run.Hung, match=r"^program did not end within 0\.2 seconds$"):
        run.run(program("exec sleep 20"), [])


def test_one_that_does_not_end_in_the_time_that_is_named_is_given_up(program: Callable[..., Any]) -> None:
    with pytest.raises(run.Hung, match=r"within 0\.1 seconds"):
        run.run(program("exec sleep 20"), [], seconds=0.1)


def test_one_that_was_given_up_is_not_asked_again_under_any_name(
    program: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As iptables-nft-save and ip6tables-nft-restore are links to one program."""
    asked, other = tmp_path / "asked", tmp_path / "other"
    path = program(f"echo >> {asked}; [ $1 = well ] || exec sleep 20")
    other.symlink_to(path)
    assert run.run(path, ["well"]) == ""
    for one in (path, str(other), path):
        with pytest.raises(run.Hung, match=r"^program did not end within 0\.2 seconds$"):
            run.run(one, ["badly"], seconds=0.2)
    with pytest.raises(run.Hung):
        run.run(path, ["well"])
    assert asked.read_text(encoding="ascii") == "\n\n"
    later = time.monotonic() + run._NOT_AGAIN + 1
    monkeypatch.setattr("time.monotonic", lambda: later)
    assert run.run(path, ["well"]) == ""


def test_one_that_does_not_even_end_when_it_is_killed_is_not_waited_for(
    program: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may wait for a disk."""
    killed: list[Any] = []
    monkeypatch.setattr(run, "_AFTER_KILL", 0.1)

    def kill(process: Any) -> None:
        killed.append(process)

    monkeypatch.setattr("subprocess.Popen.kill", kill)
    with pytest.raises(run.Hung):
        run.run(program("exec sleep 20"), [], seconds=0.1)
    (process,) = killed
    assert process.poll() is None
    process.send_signal(9)
    process.wait()


def test_one_that_hands_its_output_on_to_a_child_is_given_up_as_well(program: Callable[..., Any]) -> None:
    with pytest.raises(run.Hung):
        run.run(program("sleep 2 & exit 0"), [], seconds=0.1)


def test_programs_are_found_in_sbin_whatever_path_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: Callable[..., Any]
) -> None:
    path = program("true")
    assert run.which("program") is None
    assert {"/usr/sbin", "/sbin"} <= set(run._PATH.split(":"))
    monkeypatch.setattr(run, "_PATH", f"{run._PATH}:{tmp_path}")
    assert run.which("program") == path


@pytest.mark.parametrize(
    ("error", "code"),
    [(OSError(errno.EMFILE, "x"), errno.EMFILE), (MemoryError(), errno.ENOMEM), (BlockingIOError(errno.EAGAIN, "x"), errno.EAGAIN)],
)  # fmt: skip
def test_a_host_that_lets_no_program_start_is_told_from_a_program_that_fails(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*dummy: object, **more: object) -> None:
        raise error

    monkeypatch.setattr(subprocess, "Popen", refused)
    with pytest.raises(run.NotStarted) as told:
        run.output("/bin/true", [])
    assert told.value.code == code
    error = PermissionError(errno.EACCES, "Permission denied")
    with pytest.raises(run.ProgramError, match="Permission denied") as other:
        run.output("/bin/true", [])
    assert not isinstance(other.value, run.NotStarted)
