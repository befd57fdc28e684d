# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests with a fleet share: one for the tests of a file, three hosts on two segments."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "role"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from fleet import Fleet, fleet


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a file together, since they share a fleet."""
    from xdist.scheduler import LoadFileScheduling

    return LoadFileScheduling(config, log)


@pytest.fixture(scope="module")
def hosts(needs: Callable[..., None]) -> Iterator[Fleet]:
    """h1 and h3 on one segment, h2 on the other."""
    needs("lab host", "root", "ssh", "sshd")
    with fleet(hosts=3, segments=2) as made:
        yield made
