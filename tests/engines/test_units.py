# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Units of systemd that have no main process: the usual holders of a namespace."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from engines import Engine, running
from proofs import ns_inode

ONESHOT = "[Service]\nType=oneshot\nRemainAfterExit=yes\n"


@pytest.fixture(scope="module")
def systemd(needs: Callable[..., None]) -> Iterator[Engine]:
    needs("systemd")
    with running("systemd") as engine:
        yield engine


def started(engine: Engine, name: str, lines: str) -> None:
    """Start a unit of Type=oneshot that stays."""
    engine.lab.run(f"cat > /run/systemd/system/{name}.service", input=ONESHOT + lines)
    engine.run(["systemctl", "daemon-reload"])
    engine.run(["systemctl", "start", name])


def test_a_unit_without_a_main_process_is_entered_by_another_of_its_processes(systemd: Engine) -> None:
    lab = systemd.lab
    started(systemd, "left", "PrivateNetwork=yes\nExecStart=/bin/sh -c 'sleep 100000 & echo $! >/run/left.pid'\n")
    done = lab.module("netns", name="one", container="left", engine="systemd")
    pid = int(lab.run("cat /run/left.pid").stdout)
    assert done["after"]["inode"] == ns_inode(lab, f"/proc/{pid}/ns/net") != ns_inode(lab, "/proc/self/ns/net")
    assert lab.module("netns", name="one", container="left", engine="systemd")["changed"] is False


def test_a_unit_without_any_process_is_entered_by_its_file(systemd: Engine) -> None:
    lab = systemd.lab
    lab.run("ip netns add its")
    started(systemd, "filed", "NetworkNamespacePath=/run/netns/its\nExecStart=/bin/true\n")
    done = lab.module("netns", name="two", container="filed", engine="systemd")
    assert done["after"]["inode"] == ns_inode(lab, "/run/netns/its")


@pytest.mark.parametrize("check", [False, True])
def test_a_unit_with_neither_is_refused_with_what_is_the_matter(systemd: Engine, check: bool) -> None:
    started(systemd, "bare", "PrivateNetwork=yes\nExecStart=/bin/true\n")
    said = systemd.lab.fails("netns", check=check, name="three", container="bare", engine="systemd")["msg"]
    assert said == (
        "container: unit 'bare' is active, but has no process that could be entered, and no NetworkNamespacePath=; "
        "give it one of them."
    )
