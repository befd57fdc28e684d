# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the contenders side by side: all of them in each round, each time in a fresh lab host. See docs/speed.md.

Prints tables of medians and ratios, and writes them to build/bench as JSON, with a plot.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lab"), str(HERE.parent / "engines")]

import contenders  # noqa: E402
import engines  # noqa: E402
import report  # noqa: E402
from lab import Lab, collections_root  # noqa: E402

DOCKERS = ("docker", "docker-play")
DOCKER_CONTAINERS = 10  # as many as are started for docker
PORTS = 10000
CALL_LIMIT = 600  # seconds, for what was expected to be within the limit


def options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, prog="make bench ARGS=...")
    parser.add_argument("--sizes", default="1,10,100,1000", help="numbers of containers (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="at most so many of each; the largest size takes one")
    parser.add_argument(
        "--only", default="", help=f"contenders and extras, of: {', '.join([*contenders.ALL, *EXTRAS])}"
    )
    parser.add_argument("--limit", type=float, default=40, help="leave out what is expected to take more seconds")
    parser.add_argument("--budget", type=float, default=420, help="begin no further round after so many seconds")
    parser.add_argument("--out", type=Path, default=HERE.parents[1] / "build" / "bench", help="folder of the results")
    return parser.parse_args()


EXTRAS = ("adhoc", "ports", "crowd", "spoof")
CHECKED = 100  # containers whose ports are checked for spoofing
CROWD, CROWDED = 1000, 7  # links, and how often it is looked how long a run takes beside them


class Bench:
    """One run. ``samples``: (contender, N, phase) to seconds, one a round; ``left_out``: contender to reason."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked = asked
        self.only = [name for name in asked.only.split(",") if name]
        unknown = set(self.only) - {*contenders.ALL, *EXTRAS}
        if unknown:
            raise SystemExit(f"unknown: {', '.join(sorted(unknown))}")
        self.sizes = sorted({int(size) for size in asked.sizes.split(",")})
        self.started = time.monotonic()
        self.samples: dict[tuple[str, int, str], list[float]] = {}
        self.steps: dict[tuple[str, int], list[dict[str, dict[str, float]]]] = {}
        self.extras: dict[str, list[dict[str, Any]]] = {}
        self.left_out: dict[str, str] = {}
        self.docker: tuple[Lab, dict[str, str]] | None = None

    def wanted(self, name: str) -> bool:
        return not self.only or name in self.only

    def present(self) -> list[str]:
        """The contenders that are asked for and can run; the reason for each of the others is kept."""
        found = []
        for name, one in contenders.ALL.items():
            if self.wanted(name):
                lacks = self.docker_lacks if name in DOCKERS else one.lacks()
                if lacks:
                    self.left_out[name] = f"missing: {lacks}"
                else:
                    found.append(name)
        return found

    @functools.cached_property
    def docker_lacks(self) -> str:
        return engines.lacks("docker")

    @contextlib.contextmanager
    def with_docker(self, names: list[str]) -> Iterator[None]:
        """Run a block with a daemon and its containers in a host of their own, where a contender needs them."""
        if not {*names} & {*DOCKERS}:
            yield
            return
        count = min(DOCKER_CONTAINERS, max(self.sizes))
        with engines.engine_host() as lab, engines.Docker(lab, bip="10.89.0.1/16") as docker:
            docker.run(["docker", "network", "create", "--subnet", contenders.SUBNET, contenders.Docker.network])
            for number in range(count):
                docker.start(f"c{number}", network="bridge")
            self.docker = (lab, docker.environment)
            yield

    def run(self, argv: list[str], docker: bool = False, there: Lab | None = None) -> dict[str, Any]:
        """Run one of the bench's programs in a lab host. Returns what it printed."""
        host: contextlib.AbstractContextManager[Lab] = contextlib.nullcontext(there) if there else Lab()
        env: dict[str, str] = {}
        if docker:
            assert self.docker is not None
            host, env = contextlib.nullcontext(self.docker[0]), self.docker[1]
        with host as lab:
            argv = [sys.executable, str(HERE / argv[0]), collections_root(), *argv[1:]]
            printed = lab.run(argv, timeout=CALL_LIMIT, env=env).stdout
        done: dict[str, Any] = json.loads(printed.splitlines()[-1])
        return done

    def expected(self, name: str, size: int) -> float:
        """The seconds that the longest phase may take, on the line through the two sizes before; a first guess is three times the one before."""
        took: dict[int, float] = {}
        for (one, count, _phase), values in self.samples.items():
            if one == name and count <= size:
                took[count] = max(took.get(count, 0), statistics.median(values))
        known = sorted(took)
        if not known or known[-1] == size:
            return took.get(size, 0)
        if len(known) == 1:
            return took[known[0]] * min(size / known[0], 3)
        low, high = known[-2:]
        return took[high] + max(took[high] - took[low], 0) / (high - low) * (size - high)

    def measure(self, name: str, size: int) -> None:
        """Take one sample of a contender."""
        if name in DOCKERS and size > DOCKER_CONTAINERS:
            self.left_out[f"{name} {size}"] = f"only {DOCKER_CONTAINERS} containers are started"
            return
        expected = self.expected(name, size)
        if expected > self.asked.limit:
            self.left_out[f"{name} {size}"] = f"would take about {expected:.0f} s, see --limit"
            return
        done = self.run(["contenders.py", name, str(size)], docker=name in DOCKERS)
        for phase, seconds in done["seconds"].items():
            self.samples.setdefault((name, size, phase), []).append(seconds)
        self.steps.setdefault((name, size), []).append(done["steps"])

    def extra(self, name: str) -> None:
        if name == "crowd":
            self.extras.setdefault(name, []).extend(self.crowd())
            return
        more = {"ports": [str(PORTS)], "spoof": [str(CHECKED)]}.get(name, [])
        self.extras.setdefault(name, []).append(self.run(["extras.py", name, *more]))

    def crowd(self) -> list[dict[str, Any]]:
        """Runs that have nothing to do, on a host as it is, and in turn on one where a container's root made a crowd of things."""
        with Lab() as plain, Lab() as full:
            hosts = {"nothing": plain, "crowd": full}
            for name, lab in hosts.items():
                self.run(["extras.py", "wire", str(CROWD if name == "crowd" else 0)], there=lab)
            return [
                {name: self.run(["extras.py", "again"], there=lab) for name, lab in hosts.items()}
                for dummy in range(CROWDED)
            ]

    def all(self) -> None:
        """Run all rounds. In each, every contender has its turn at a size before the next size has."""
        names = self.present()
        with self.with_docker(names):
            for number in range(self.asked.rounds):
                # A sample at a thousand takes as long as all others.
                sizes = [size for size in self.sizes if size < 1000 or number == 0]
                for size in sizes:
                    for name in names:
                        self.measure(name, size)
                    print(f"round {number + 1}, N={size}: {time.monotonic() - self.started:.0f} s", file=sys.stderr)
                for name in EXTRAS:
                    if self.wanted(name) and (number == 0 or name == "adhoc"):
                        self.extra(name)
                if time.monotonic() - self.started > self.asked.budget:
                    break

    def results(self) -> dict[str, Any]:
        """Everything measured, as JSON has it."""
        found: dict[str, Any] = {}
        for (name, size, phase), values in self.samples.items():
            one = found.setdefault(name, {"says": contenders.ALL[name].says, "scope": contenders.ALL[name].scope})
            sizes = one.setdefault("sizes", {}).setdefault(str(size), {})
            sizes[phase] = {"median": statistics.median(values), "samples": values}
        for (name, size), runs in self.steps.items():
            if runs[0]:
                steps = {
                    phase: {step: statistics.median([run[phase][step] for run in runs]) for step in runs[0][phase]}
                    for phase in runs[0]
                }
                found[name]["sizes"][str(size)]["steps"] = steps
        machine = {"kernel": platform.release(), "python": platform.python_version(), "cpus": os.cpu_count()}
        return {"machine": machine, "contenders": found, "extras": self.extras, "left_out": self.left_out}


def main() -> None:
    """Run the bench and report."""
    asked = options()
    bench = Bench(asked)
    bench.all()
    results = bench.results()
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    text = report.tables(results)
    (asked.out / "tables.md").write_text(text, encoding="utf-8")
    (asked.out / "plot.svg").write_text(report.plot(results), encoding="utf-8")
    print(text)
    print(f"results.json, tables.md and plot.svg are in {os.path.relpath(asked.out)}")


if __name__ == "__main__":
    main()
