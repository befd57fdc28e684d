# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the role share: one lab host for the tests of a file, which tell a story together."""

from __future__ import annotations

import sys
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


@pytest.fixture(scope="module")
def playbook(shared_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Playbook:
    """Playbooks in the lab host of this file."""
    return Playbook(shared_lab, tmp_path_factory.mktemp("playbook"))
