# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the role share: one lab host for the tests of a file, which tell a story together.

A story is told in the cheaper manner, with one task for all. That the chain of modules does the same is what test_one_task holds,
for every item of every step; told with the chain as well, or only, is what is about the chain's own tasks, facts and messages.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab import Lab
from plays import Playbook


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a file together, since they share a host."""
    from xdist.scheduler import LoadFileScheduling

    return LoadFileScheduling(config, log)


# Which tasks there are, and what is installed before them; wiring that a person made, as seen by each module; what the time between tasks does.
CHAIN = {"test_tasks": ["chain"], "test_by_hand": ["chain"], "test_cuts": ["chain"], "test_renames": ["chain"]}
# The list of tasks, --check and nothing written under strace; the role twice in one play, whose facts outlive its first run;
# the messages of the filter, of the argument specs, and of the module; what is told after a failure, and what
# later tasks of a teardown are told of earlier ones; what the kernel does along, and what others do beside.
BOTH = {
    name: ["chain", "one_task"]
    for name in (
        "test_bridge_mode",
        "test_teardown",
        "test_refusals",
        "test_after_failure",
        "test_failing_alone",
        "test_closed_first",
        "test_ownership",
        "test_side_effects",
        "test_no_longer_asked",
        "test_parents",
        "test_persist",
        "test_purge_links",
        "test_routers",
        "test_links",
    )
}


# Told as the chain as well where somebody asks for the long form.
LONG = {"test_month": ["chain", "one_task"]} if os.environ.get("LINUXNET_MONTH") else {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The manners of a file."""
    if "manner" in metafunc.fixturenames:
        manners = {**CHAIN, **BOTH, **LONG}.get(Path(str(metafunc.module.__file__)).stem, ["one_task"])
        metafunc.parametrize("manner", manners, scope="module", indirect=True)


@pytest.fixture(scope="module")
def manner(request: pytest.FixtureRequest) -> str:
    """How the role does it: ``chain`` or ``one_task``."""
    return str(request.param)


@pytest.fixture(scope="module")
def shared_lab(manner: str, needs: Callable[..., None]) -> Iterator[Lab]:
    """A lab host that the tests of one file share, one each manner."""
    needs("lab host")
    with Lab() as host:
        yield host


@pytest.fixture(scope="module")
def playbook(shared_lab: Lab, manner: str, tmp_path_factory: pytest.TempPathFactory) -> Playbook:
    """Playbooks in the lab host of this file."""
    return Playbook(shared_lab, tmp_path_factory.mktemp("playbook"), manner == "one_task")
