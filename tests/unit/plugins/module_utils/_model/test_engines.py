# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engines: each says how a container is started, and which command prints its process ID."""

from __future__ import annotations

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.engines import ENGINES


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_is_whole(name: str) -> None:
    engine = ENGINES[name]
    assert engine.program
    assert len(engine.pid_of) > 2
    assert engine.joined.count("%s") == 1
    assert engine.joined % "web" != engine.joined
    assert len({engine.alone, engine.on_host, engine.joined}) == 3


def test_those_that_are_documented_are_here() -> None:
    assert list(ENGINES) == ["docker", "podman", "nspawn", "lxc", "systemd"]
