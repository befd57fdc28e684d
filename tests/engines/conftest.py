# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests with real engines share: every engine, ready in a host of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "role"))

from engines import ENGINES, Engine, running


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests together that share a host: those of a file, or of a file and an engine."""
    from xdist.scheduler import LoadScopeScheduling

    def scope(nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return nodeid.partition("[")[2] + file if file.endswith("test_engines.py") else file

    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = scope
    return scheduler


@pytest.fixture(scope="module", params=list(ENGINES))
def shared_engine(request: pytest.FixtureRequest, needs: Callable[..., None]) -> Iterator[Engine]:
    """Every engine in turn, in one host for the tests of a file."""
    host = running(request.param)
    try:
        engine = host.__enter__()
    except (AssertionError, OSError):
        needs(request.param)
        raise
    try:
        yield engine
    finally:
        host.__exit__(None, None, None)


@pytest.fixture
def engine(request: pytest.FixtureRequest, shared_engine: Engine) -> Iterator[Engine]:
    """Every engine in turn, without a container. The run says in the end which ones these were."""
    request.node.user_properties.append(("engine", shared_engine.version()))
    yield shared_engine
    shared_engine.clear()
