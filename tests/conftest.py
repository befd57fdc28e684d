# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all tests share: lab hosts, the collection on the import path, and a strict account of what was skipped.

A test may skip only for a capability of the table below, with ``@pytest.mark.needs("nft")`` or ``needs("nft")``. A skip
for any other reason, or for something that is there, fails the run.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.extend(
    str(Path(__file__).resolve().parent / folder) for folder in ("lab", "engines", "faults", "compare", "mutants")
)

import engines
from lab import HOST, PATIENCE, Lab, collections_root

sys.path.insert(0, collections_root())
TESTS = Path(__file__).resolve().parent

# An "assert" of the tests' helpers that fails shows what it compared, as one of a test does.
pytest.register_assert_rewrite(
    *(path.stem for path in TESTS.glob("*/*.py") if path.stem not in sys.modules and not path.stem.startswith("test_"))
)


def _in_lab(command: str) -> bool:
    """Whether the command succeeds in a fresh lab host."""
    done = subprocess.run(
        [HOST, "bash", "-c", command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=300 * PATIENCE,
        check=False,
    )
    return done.returncode == 0


def _program(name: str) -> Callable[[], bool]:
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
    return lambda: shutil.which(name, path=path) is not None


def _link(kind: str) -> Callable[[], bool]:
    """Whether the kernel can make such a link, given a veth named v0 to make it on."""
    return lambda: _in_lab(f"ip link add v0 type veth && ip link add probe {kind}")


def _engine(name: str) -> Callable[[], bool]:
    """Whether the engine runs a container here."""
    return lambda: not engines.lacks(name)


# What a test may lack, and how to tell. "machine": install something; "kernel": it has to be built in.
MACHINE: dict[str, Callable[[], bool]] = {
    "lab host": lambda: _in_lab("true"),
    "root": lambda: os.geteuid() == 0,
    "engine host": lambda: os.geteuid() == 0 and engines.cgroups() is not None and _program("busybox")(),
    **{
        name: _program(name)
        for name in ("arping", "brctl", "curl", "ethtool", "ip", "iptables", "nc", "nft", "ping", "strace")
    },
    **{
        name: _program(name)
        for name in ("conntrack", "curl", "dnsmasq", "firewalld", "ssh", "sshd", "tcpdump", "ufw", "wg")
    },
    "frr": lambda: shutil.which("bgpd", path="/usr/lib/frr") is not None,
    **{name: _engine(name) for name in engines.ENGINES},
}
KERNEL: dict[str, Callable[[], bool]] = {
    "bridge": _link("type bridge"),
    "br_netfilter": lambda: _in_lab("sysctl net.bridge.bridge-nf-call-iptables"),
    "dummy": _link("type dummy"),
    "ipvlan": _link("link v0 type ipvlan"),
    "macvlan": _link("link v0 type macvlan"),
    "nf_tables": lambda: _in_lab("nft add table inet probe"),
    "nf_tables_bridge": lambda: _in_lab("nft add table bridge probe"),
    "nf_nat": lambda: _in_lab(
        "nft add table inet probe && nft add chain inet probe c '{ type nat hook postrouting priority 100; }' && "
        "nft add rule inet probe c masquerade"
    ),
    "netem": lambda: _in_lab("tc qdisc add dev lo root netem delay 1ms"),
    "sctp": lambda: _in_lab(
        f"{sys.executable} -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)'"
    ),
    "tbf": lambda: _in_lab("tc qdisc add dev lo root tbf rate 1mbit burst 10kb latency 50ms"),
    "vlan": _link("link v0 type vlan id 2"),
    "vlan_filtering": _link("type bridge vlan_filtering 1"),
    "vrf": _link("type vrf table 10"),
    "vxlan": _link("type vxlan id 2 dstport 4789"),
    "wireguard": _link("type wireguard"),
}
MODES = ("bridge", "host", "container", "none")
REASON = re.compile(r"^this (machine|kernel) lacks: ([^()]+?)(?: \(.+\))?$")


@functools.cache
def present(capability: str) -> bool:
    """Whether this machine has the capability. KeyError if the tables do not know it."""
    return (MACHINE.get(capability) or KERNEL[capability])()


def needs(*capabilities: str) -> None:
    """Skip the running test unless all of these are there."""
    for capability in capabilities:
        if not present(capability):
            why = f" ({engines.lacks(capability)})" if capability in engines.ENGINES else ""
            pytest.skip(f"this {'machine' if capability in MACHINE else 'kernel'} lacks: {capability}{why}")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Honour @pytest.mark.needs(...)."""
    for mark in item.iter_markers("needs"):
        needs(*mark.args)


@pytest.fixture(name="needs", scope="session")
def needs_fixture() -> Callable[..., None]:
    """The function ``needs``, for a test that finds out on its way."""
    return needs


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A fresh lab host."""
    needs("lab host")
    with Lab() as host:
        yield host


@pytest.fixture(scope="module")
def shared_lab() -> Iterator[Lab]:
    """A lab host that the tests of one file share."""
    needs("lab host")
    with Lab() as host:
        yield host


class SkipAccount:
    """Fails a run in which something was skipped without need."""

    def __init__(self) -> None:
        self.skipped: dict[str, str] = {}
        self.engines: set[str] = set()
        self.cells: dict[str, set[str]] = {}  # what was proven, by row of the matrix
        self.broken: set[str] = set()  # rows in which something failed
        self.unjustified: list[str] = []

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note why a test was skipped, which engine one used that passed, and which cell of the matrix it proved."""
        self._note(report)
        told = [(name, str(value)) for name, value in report.user_properties]
        if report.when == "call" and report.passed:
            self.engines |= {value for name, value in told if name == "engine"}
            for row, dummy, mode in [value.partition("|") for name, value in told if name == "cell"]:
                self.cells.setdefault(row, set()).add(mode)
        if report.failed:
            self.broken |= {value for name, value in told if name == "row"}

    @pytest.hookimpl
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note why a whole file was skipped."""
        self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self.skipped[report.nodeid] = reason.removeprefix("Skipped: ")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Turn the exit status when a skip is not justified."""
        for test, reason in sorted(self.skipped.items()):
            match = REASON.match(reason)
            table = {"machine": MACHINE, "kernel": KERNEL}[match[1]] if match else {}
            if match is None or match[2] not in table:
                self.unjustified.append(f"{test}: no reason that tests/conftest.py knows: {reason}")
            elif present(match[2]):
                self.unjustified.append(f"{test}: it is there: {reason}")
        if self.unjustified and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was covered, and what was not."""
        if self.engines:
            terminalreporter.write_line(f"engines covered: {', '.join(sorted(self.engines))}")
        if self.cells or self.broken:
            terminalreporter.write_line(self._matrix())
        reasons = sorted(set(self.skipped.values()))
        for reason in reasons:
            count = sum(1 for value in self.skipped.values() if value == reason)
            terminalreporter.write_line(f"not covered: {count} test{'s' * (count != 1)}: {reason}")
        for line in self.unjustified:
            terminalreporter.write_line(f"SKIPPED WITHOUT NEED: {line}", red=True)

    def _matrix(self) -> str:
        """The table of engines and modes: what was proven, what failed, and what could not be tried."""
        rows: dict[str, set[str]] = {row: set() for row in self.broken} | self.cells
        matches = [REASON.match(reason) for reason in self.skipped.values()]
        lacking = {match[2] for match in matches if match and match[2] in engines.ENGINES}
        rows |= {name: set() for name in lacking if not any(row.partition(" ")[0] == name for row in rows)}
        lines: list[tuple[str, ...]] = [("", *MODES)]
        for row, proven in sorted(rows.items()):
            missing = "failed" if row in self.broken else "-"
            lines.append((row, *("ok" if mode in proven and row not in self.broken else missing for mode in MODES)))
        width = max(len(row) for row, *dummy in lines) + 2
        return "\n".join(f"{row:{width}}" + "".join(f"{cell:11}" for cell in cells).rstrip() for row, *cells in lines)


def pytest_configure(config: pytest.Config) -> None:
    """Keep the account in the main process: under xdist the workers report to it."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(SkipAccount())
