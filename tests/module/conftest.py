# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures of the module tests: hosts with a bridge and containers made by hand."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from wires import BACKENDS, Host


@pytest.fixture(scope="module")
def one_host(needs: Callable[..., None]) -> Iterator[Host]:
    """The lab host that the tests of one file take turns on: see ``host``."""
    needs("lab host", "bridge", "ip", "nft")
    with Host() as host:
        yield host


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, host: Host) -> str:
    """What nat writes with, one after the other: ``iptables`` is the kind the machine has, ``legacy`` the older one."""
    host.use(request.param)
    return host.backend


@pytest.fixture
def host(one_host: Host) -> Iterator[Host]:
    """A bare lab host. Cheaper than a fresh one: the file's own, cleared after every test."""
    yield one_host
    one_host.clear()
