# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the unit tests share: which of them are not measured, and programs that stand in for others."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from ansible_collections.linuxnet.containers.tests.unit import messages


@pytest.fixture(autouse=True)
def says_what_is_recorded(request: pytest.FixtureRequest) -> Generator[None, None, None]:
    """A test that `recorded/messages.txt` names for a message provokes it."""
    expected = messages.by_test().get(request.node.nodeid, ())
    if not expected and "MESSAGES" not in os.environ:
        yield
        return
    with messages.heard() as said:
        yield
    if "MESSAGES" in os.environ:
        messages.write(request.node.nodeid, said)
    else:
        assert [one for one in expected if one not in said] == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test with the mark ``unmeasured`` without the tracer of coverage, which would make it three times as slow.

    pytest-cov's own mark ``no_cover`` does not stop the tracer in the processes of xdist.
    """
    if item.get_closest_marker("unmeasured") is None:
        return (yield)
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Make programs that stand in for the engines' own; nothing else is on the path."""
    monkeypatch.setattr(
        "ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs.run._PATH", str(tmp_path)
    )

    def make(name: str, script: str) -> Path:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return make
