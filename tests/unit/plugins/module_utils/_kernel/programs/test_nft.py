# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program nft, found and run: with one that stands in for it."""

from __future__ import annotations

import contextlib
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs import run
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs.nft import Nft


@pytest.fixture
def nft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Make the program; nothing else is on the path."""
    monkeypatch.setattr(run, "_PATH", str(tmp_path))

    def make(script: str) -> Nft:
        path = tmp_path / "nft"
        path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return Nft()

    return make


def test_without_the_program_it_is_not_available(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_PATH", str(tmp_path))
    assert not Nft().available()
    with pytest.raises(run.ProgramError):
        Nft().read()


def test_the_rule_set_is_what_it_prints(nft: Callable[..., Any]) -> None:
    program = nft('echo "$*"')
    assert program.available()
    assert program.usual
    assert program.read() == {"nft": "-j -a list ruleset\n"}


PARTS = """
case "$*" in
"-j -a list ruleset") echo '{"nftables": [{"table": {"family": "inet", "name": "a", "handle": 1, "flags": ' ;;
"-t list ruleset") printf 'table inet a {\\n\\tflags dormant\\n\\n\\tset s {\\n\\t\\tflags interval\\n\\t}\\n}\\ntable ip b {\\n\\tchain c {\\n\\t}\\n}\\n' ;;
"-j -a list chains") echo '{"nftables": [{"metainfo": {}}, {"chain": {"family": "ip", "table": "b", "name": "c"}}]}' ;;
"-j -a list sets") echo '{"nftables": [{"metainfo": {}}, {"set": {"family": "inet", "table": "a", "name": "s"}}]}' ;;
"-j -a list maps") echo '{"nftables": [{"metainfo": {}}]}' ;;
"-j -a list chain ip b c") echo '{"nftables": [{"metainfo": {}}, {"chain": {"name": "c"}}, {"rule": {"chain": "c", "handle": 7}}]}' ;;
*) exit 3 ;;
esac
"""


def test_what_it_cannot_print_of_tables_with_flags_is_asked_for_in_parts(nft: Callable[..., Any]) -> None:
    """As nft 1.0.6 ends where a table is dormant."""
    listed = json.loads(nft(PARTS).read()["nft"])["nftables"]
    assert [item for item in listed if "metainfo" not in item] == [
        {"table": {"family": "inet", "name": "a", "flags": ["dormant"]}},
        {"table": {"family": "ip", "name": "b"}},
        {"chain": {"family": "ip", "table": "b", "name": "c"}},
        {"set": {"family": "inet", "table": "a", "name": "s"}},
        {"rule": {"chain": "c", "handle": 7}},
    ]
    with pytest.raises(run.ProgramError, match="what nft printed of its sets was not understood"):
        nft(PARTS.replace('"nftables": [{"metainfo": {}}, {"set"', '"nothing": [{"set"')).read()
    with pytest.raises(run.ProgramError, match="what nft printed of its chain ip b c was not understood"):
        nft(PARTS.replace('[{"metainfo": {}}, {"chain": {"name": "c"}}', "[")).read()


@pytest.mark.parametrize("entry", ["5", "null", '{"chain": 5}', '{"chain": {"family": "ip"}}', "[" * 3000])
def test_parts_that_are_no_objects_are_not_understood(nft: Callable[..., Any], entry: str) -> None:
    script = PARTS.replace('{"chain": {"family": "ip", "table": "b", "name": "c"}}', entry)
    assert script != PARTS
    with contextlib.suppress(run.ProgramError):
        nft(script).read()


def test_the_version_is_what_it_says(nft: Callable[..., Any]) -> None:
    assert nft('echo "nftables v1.0.6 $*"').version() == "nftables v1.0.6 --version\n"


def test_all_lines_are_given_to_one_call(nft: Callable[..., Any], tmp_path: Path) -> None:
    program = nft(f'(echo "$*"; cat) >>{tmp_path}/given')
    program.write({"nft": "add table inet x\nadd table inet y\n"})
    assert (tmp_path / "given").read_text(encoding="utf-8") == "-f -\nadd table inet x\nadd table inet y\n"


def test_for_nothing_it_is_not_run(nft: Callable[..., Any]) -> None:
    nft("exit 3").write({"nft": ""})
    nft("exit 3").write({})


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("exit 3", "it ended with 3"),
        ("echo; echo '/dev/stdin:1:1-3: Error: no' >&2; exit 1", "/dev/stdin:1:1-3: Error: no"),
    ],
)
def test_what_it_complains_of_is_the_error(nft: Callable[..., Any], script: str, says: str) -> None:
    with pytest.raises(run.ProgramError, match=says):
        nft(script).read()
    with pytest.raises(run.ProgramError, match=says):
        nft(script).write({"nft": "add table inet x\n"})
