# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which Python a module is run again with, and when. That it then works, the tests of the role show."""

from __future__ import annotations

import os
import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import interpreters


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was asked for a library, and what was run; as if Ansible had started this."""
    found: list[Any] = []
    monkeypatch.setattr(sys.modules["__main__"], "_module_fqn", "x", raising=False)

    def has(path: str, needed: list[str]) -> bool:
        found.append((path, *needed))
        return path.startswith("/b")

    monkeypatch.setattr(interpreters, "_others", lambda: ["/a/python3", "/b/python3"])
    monkeypatch.setattr(interpreters, "_has", has)
    monkeypatch.setattr(interpreters, "_respawn", found.append)
    return found


def test_the_first_that_has_all_that_is_needed_is_taken(tried: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "netaddr", raising=False)
    interpreters.run_again("pyroute2")
    assert tried == [("/a/python3", "pyroute2"), ("/b/python3", "pyroute2"), "/b/python3"]


def test_it_has_to_have_both_where_both_are_needed(tried: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "netaddr", sys)
    interpreters.run_again("pyroute2")
    assert tried[0] == ("/a/python3", "netaddr", "pyroute2")
    monkeypatch.delitem(sys.modules, "netaddr")
    interpreters.run_again("netaddr")
    assert tried[-1] == "/b/python3"
    assert tried[-2] == ("/b/python3", "netaddr", "pyroute2")


@pytest.mark.parametrize("missing", ["root", "nftables", "docker"])
def test_another_python_does_not_help_with_what_is_no_library(tried: list[Any], missing: str) -> None:
    interpreters.run_again(missing)
    assert tried == []


@pytest.mark.parametrize("encoding", ["iso8859-1", "ascii"])
def test_the_same_python_speaks_utf_8_where_the_locale_does_not(
    tried: list[Any], monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.delenv("PYTHONUTF8", raising=False)
    interpreters.with_utf8()
    assert tried == []
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: encoding)
    monkeypatch.setenv("PYTHONUTF8", "0")
    interpreters.with_utf8()
    assert (tried, os.environ["PYTHONUTF8"]) == ([sys.executable], "1")
    monkeypatch.setattr(sys.modules["__main__"], "_respawned", True, raising=False)
    interpreters.with_utf8()
    assert tried == [sys.executable]


def test_it_is_done_once(tried: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["__main__"], "_respawned", True, raising=False)
    interpreters.run_again("pyroute2")
    assert tried == []


def test_what_ansible_did_not_start_is_not_run_again(tried: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sys.modules["__main__"], "_module_fqn")
    interpreters.run_again("pyroute2")
    assert tried == []


def test_a_python_is_tried_once_and_this_one_is_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    real = tmp_path / "python3.11"
    real.touch()
    for name in ("python3", "python3.12"):
        (tmp_path / name).symlink_to(real)
    names = [str(tmp_path / name) for name in ("none", "python3", "python3.11", "python3.12")]
    monkeypatch.setattr(interpreters, "_CANDIDATES", names)
    this = SimpleNamespace(prefix="/usr", base_prefix="/usr", executable="/elsewhere/python")
    monkeypatch.setattr(interpreters, "sys", this)
    assert interpreters._others() == [names[1]]
    this.executable = str(real)
    assert interpreters._others() == []
    this.prefix = "/venv"  # the same program, but with other libraries
    assert interpreters._others() == [names[1]]


def test_a_python_that_is_none_has_nothing() -> None:
    assert not interpreters._has("/bin/false", ["pyroute2"])
    assert not interpreters._has("/no/such/python", ["pyroute2"])


def test_this_python_has_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyroute2")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    assert interpreters._has(sys.executable, ["pyroute2"])


@pytest.mark.parametrize("size", [0, 300_000])
def test_long_arguments_fit_the_pipe_that_nobody_reads_yet(size: int) -> None:
    with interpreters._pipes_of(size + 65536):
        reading, writing = os.pipe()
    writer = threading.Thread(target=os.write, args=(writing, bytes(size)), daemon=True)
    writer.start()
    writer.join(timeout=60)
    assert not writer.is_alive()
    assert os.pipe is not None
    os.close(reading)
    os.close(writing)
