# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prints what a large fleet costs: its plan on the controller, by the number of hosts, and a run on lab hosts over SSH, by how Ansible is started.

Seconds of the processor unless they are said to be of the clock, the least of some rounds: on a busy machine they are still more than on an idle one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fleet import Fleet, fleet
from lab import collections_root
from plays import LIMIT, Play, Playbook, wiring

if collections_root() not in sys.path:
    sys.path.insert(0, collections_root())

from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.validation import checked

CONTAINERS = [{"name": f"c{number}"} for number in range(20)]
NETWORK: dict[str, Any] = {"name": "front", "driver": "routed", "subnets": ["10.64.0.0/10", "fd00:7::/48"]}
WIDE: dict[str, Any] = {**NETWORK, "underlay": "routed", "uplinks": ["eth0"]}
# A command, and what it and its children took: the clock, and the processor.
TAKEN = """
import json, resource, subprocess, sys, time
begun = time.monotonic()
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([time.monotonic() - begun, used.ru_utime + used.ru_stime, done.returncode, done.stdout]))
"""


def address(number: int) -> str:
    return f"10.1.{number >> 8}.{number & 255}"


def least(rounds: int, call: Callable[[], object]) -> float:
    """The processor's seconds of a call."""
    found = []
    for _round in range(rounds):
        begun = time.process_time()
        call()
        found.append(time.process_time() - begun)
    return min(found)


# --- the plan ---


def once(folder: Path, count: int, rounds: int) -> float:
    """What it takes to look through a group, once a play: a play of the role's tasks for a fleet, less the same play where the fleet is written down."""
    hosts = {f"h{number}": {"ansible_host": address(number)} for number in range(1, count + 1)}
    inventory = folder / f"{count}.json"
    inventory.write_text(json.dumps({"fleet": {"hosts": hosts, "vars": {"ansible_connection": "local"}}}), "utf-8")
    folder.joinpath("way.yml").write_text("[]", "utf-8")
    role = {"name": "linuxnet.containers.wiring", "tasks_from": "fleet.yml"}
    task = {"ansible.builtin.include_role": role, "vars": {"wiring_way": str(folder / "way.yml")}}
    play = folder / "play.yml"
    play.write_text(json.dumps([{"hosts": "h1", "gather_facts": False, "tasks": [task]}]), "utf-8")
    alone = [{"name": "h1", "underlay_address": address(1)}]
    taken = [min(_started(inventory, play, given) for _round in range(rounds)) for given in ("fleet", alone)]
    return taken[0] - taken[1]


def _started(inventory: Path, play: Path, given: Any) -> float:
    command = [
        sys.executable,
        "-m",
        "ansible",
        "playbook",
        "-i",
        inventory,
        play,
        "-e",
        json.dumps({"wiring_fleet": given}),
    ]
    done = subprocess.run(
        [sys.executable, "-c", TAKEN, *map(str, command)],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": collections_root()},
        capture_output=True,
        text=True,
        check=True,
    )
    _clock, used, status, printed = json.loads(done.stdout)
    if status:
        raise AssertionError(printed)
    return float(used)


def plan(rounds: int) -> None:
    """Print the table of plans."""
    print("The plan, in milliseconds of the controller's processor; the second part is for each host of the play.\n")
    print("hosts   once a play   auto   vxlan   routed by a daemon   routes of a host   as JSON")
    with tempfile.TemporaryDirectory() as folder:
        for count in (10, 100, 1000):
            hosts = [{"name": f"h{number}", "underlay_address": address(number)} for number in range(1, count + 1)]

            def made(network: dict[str, Any], hosts: list[dict[str, str]] = hosts) -> Any:
                return checked(compile_plan([network], CONTAINERS, fleet=hosts, underlay_address=address(1)))

            seconds = [
                once(Path(folder), count, rounds),
                *(least(rounds, lambda net=net: made(net)) for net in (NETWORK, {**NETWORK, "driver": "vxlan"}, WIDE)),  # type: ignore[misc]
            ]
            routes = sum("netns" not in item for item in made(NETWORK)["wire"]["route"])
            first, auto, segment, wide = (round(1000 * one) for one in seconds)
            size = len(json.dumps(hosts)) / 1000
            print(f"{count:5}   {first:11}   {auto:4}   {segment:5}   {wide:18}   {routes:16}   {size:4.0f} kB")


# --- a run ---


def run(
    f: Fleet, play: Play, options: list[str], one_task: bool = True, settings: Mapping[str, str] | None = None
) -> tuple[float, float]:
    """The clock's and the controller's processor's seconds of a start of ansible-playbook."""
    playbook = Playbook(f.stage, f.folder / "play", one_task, inventory=f.inventory)
    command = playbook.command([{"hosts": "fleet", **play}], *options)
    named = [f"{name}={value}" for name, value in (settings or {}).items()]
    done = f.stage.run([sys.executable, "-c", TAKEN, "env", *named, *command], timeout=LIMIT)
    clock, used, status, printed = json.loads(done.stdout)
    if status:
        raise AssertionError(printed)
    return clock, used


def runs(count: int, rounds: int) -> None:
    """Print the table of runs."""
    cached = {
        "ANSIBLE_GATHERING": "smart",
        "ANSIBLE_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": "/run/facts",
    }
    with fleet(count) as f:
        # As default networks: each host the same, by itself; what is measured is how Ansible gets there.
        play = {**wiring(networks=[{"name": "docker0", "subnets": ["172.17.0.0/16"]}], containers=CONTAINERS)}
        forks = ["--forks", str(count)]
        facts = {**play, "gather_facts": True}
        ways: dict[str, tuple[Play, list[str], bool, dict[str, str]]] = {
            "forks as many as hosts, pipelining, one task, no facts": (play, forks, True, {}),
            "forks: 5 (Ansible's default)": (play, [], True, {}),
            "no pipelining (Ansible's default)": (play, [*forks, "-e", "ansible_pipelining=false"], True, {}),
            "facts gathered": (facts, forks, True, {}),
            "facts from a cache": (facts, forks, True, cached),
            "strategy: free": ({**play, "strategy": "free"}, forks, True, {}),
            "serial: 5": ({**play, "serial": 5}, forks, True, {}),
            "a task a module instead of one task": (play, forks, False, {}),
        }
        run(f, play, forks)  # all are wired, and known to ssh
        run(f, facts, forks, settings=cached)
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _round in range(rounds):  # side by side
            for name, (what, options, one_task, settings) in ways.items():
                taken[name].append(run(f, what, options, one_task, settings))
        print(f"\nA run that has nothing to do, {count} hosts with {len(CONTAINERS)} containers over SSH, seconds.\n")
        print(f"{'':56} clock   controller's processor, each host")
        for name, found in taken.items():
            clock, used = map(min, zip(*found, strict=True))
            print(f"{name:56} {clock:5.1f}   {used / count:5.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Prints what a large fleet costs.")
    parser.add_argument("--hosts", type=int, default=10, help="lab hosts for the runs; 0: the plan only")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    plan(given.rounds)
    if given.hosts:
        runs(given.hosts, given.rounds)


if __name__ == "__main__":
    main()
