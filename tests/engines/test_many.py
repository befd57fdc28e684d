# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A boot of a host that keeps many containers: how long it takes, over the fewest system calls that make the same links, addresses and routes.

``BOOT_COUNT=1000 tests/tools/tests newest engines tests/engines/test_many.py -- -rP`` is the measurement; the other runs have a hundred.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from boots import Booted, new_disk

COUNT = int(os.environ.get("BOOT_COUNT", "100"))
BENCH = Path(__file__).resolve().parent.parent / "bench"
FLOOR = """
import sys, time
sys.path.insert(0, sys.argv[1])
import floor
names = [f"c{number}" for number in range(int(sys.argv[2]))]
addresses = [f"10.7.{number // 250 + 1}.{number % 250 + 1}" for number in range(len(names))]
began = time.monotonic()
floor.wire("br7", "10.7.0.1", 16, list(zip(names, addresses)))
print(time.monotonic() - began)
"""


def took(host: Booted) -> float:
    """How long the boot unit's process ran, in seconds: with the start of Python."""
    shown = host.lab.run(
        "systemctl show -p ExecMainStartTimestampMonotonic -p ExecMainExitTimestampMonotonic wired.service"
    ).stdout
    times = dict(line.split("=") for line in shown.split())
    return (int(times["ExecMainExitTimestampMonotonic"]) - int(times["ExecMainStartTimestampMonotonic"])) / 1e6


def test_a_boot_with_many_containers(tmp_path: Path, needs: Callable[..., None]) -> None:
    needs("systemd", "nft")
    disk = new_disk(tmp_path / "disk.tar")
    containers = [{"name": f"c{number}", "published_ports": [f"{10000 + number}:80"]} for number in range(COUNT)]
    networks = [{"name": "br7", "subnets": ["10.7.0.0/16"]}]
    with disk.boots() as host:
        host.lab.module("wiring", networks=networks, containers=containers, persist=True)
    with disk.boots() as host:
        seconds = took(host)
        assert host.wired().startswith(f"1 network, {COUNT} containers: all is wired, ")
        assert host.lab.module("wiring", networks=networks, containers=containers, persist=True)["changed"] is False
        host.lab.run("wired down", timeout=600)
        floor = float(host.lab.run([sys.executable, "-c", FLOOR, str(BENCH), str(COUNT)], timeout=600).stdout)
    print(
        f"\nmeasured: boot with {COUNT} containers, a published port each: {seconds:.2f} s, {seconds / floor:.1f} times the floor ({floor:.2f} s)"
    )
    assert seconds < 10 * floor + 10  # not what it takes: what nobody would wait for
