# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs tests, or a command, in the guest: see README.md. Started by tests/tools/kernel.

run.py GUEST WORK REPORT [--run COMMAND | PYTEST-ARGUMENT...]

GUEST has the kernel and the root's image, ``given`` in WORK the sources; REPORT is the file for the tests' results.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from given import OWN, give

# Where tests may need more than the machine's kernel. Those of the units need none.
FOLDERS = ("tests/lab", "tests/module", "tests/role")
LIMIT = 900  # seconds
LIMIT_BY_HAND = 3600
ANSWER = 64 << 20  # bytes: what the guest can hand back
UP = 'echo "== Linux $(uname -r), up after $(cut -d" " -f1 /proc/uptime) s"'
PYTEST = "exec python3 -m pytest -p no:cacheprovider --junitxml=/run/answer/report.xml"


Outcomes = dict[tuple[str, str], tuple[str, float]]  # how a test ended and its seconds, by its place and name


class Unanswered(Exception):
    """The guest ended, or was ended, before it handed back a status."""


def choice(clone: Path, work: Path) -> dict[str, Any]:
    """Which tests need a kernel that this machine lacks: see choose.py. Also compiles the tests, as pytest wants them."""
    chosen = work / "choice.json"
    chosen.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "choose", "--collect-only", *FOLDERS],
        cwd=clone,
        env={**os.environ, "KERNEL_CHOICE": str(chosen), "PYTHONPATH": str(clone / "tests" / "kernel")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 5) or not chosen.exists():  # 5: all were deselected
        sys.exit(f"error: the tests were not collected:\n{done.stdout}{done.stderr}")
    found: dict[str, Any] = json.loads(chosen.read_text(encoding="utf-8"))
    return found


def image(given: Path, file: Path) -> None:
    """The folder as a drive."""
    size = sum(max(one.lstat().st_size, 4096) for one in given.rglob("*")) // 2**20
    file.unlink(missing_ok=True)
    make = ["mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-d", str(given), str(file)]
    subprocess.run([*make, f"{size * 5 // 4 + 32}M"], check=True, stdout=subprocess.DEVNULL)


def boot(guest: Path, work: Path, limit: int, terminal: bool) -> int:
    """Boot the guest, wait for its end, and unpack its answer. Returns the exit status of its command.

    Raises Unanswered if it handed back none in so many seconds.
    """
    answer, console = work / "answer.tar", work / "console.log"
    answer.unlink(missing_ok=True)
    shutil.rmtree(work / "answer", ignore_errors=True)
    with answer.open("wb") as file:
        file.truncate(ANSWER)

    def drive(path: Path, snapshot: bool = True) -> list[str]:
        name = str(path).replace(",", ",,")
        return ["-drive", f"file={name},format=raw,if=virtio,cache=unsafe,snapshot={'on' if snapshot else 'off'}"]

    command = [
        *("setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64"),
        *("-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1024", "-nic", "none"),
        *("-display", "none", "-monitor", "none", "-no-reboot"),
        *("-serial", f"file:{str(console).replace(',', ',,')}"),
        *("-chardev", f"stdio,id=command,signal={'off' if terminal else 'on'}", "-serial", "chardev:command"),
        *("-kernel", str(guest / "vmlinuz"), "-initrd", str(guest / "initrd")),
        *("-append", "root=/dev/vda rw console=ttyS0 quiet panic=-1 mitigations=off init=/boot/first"),
        *drive(guest / "root.img"),
        *drive(work / "given.img"),
        *drive(answer, snapshot=False),
    ]
    process = subprocess.Popen(command, stdin=None if terminal else subprocess.DEVNULL)
    try:
        process.wait(limit)
    except subprocess.TimeoutExpired:
        raise Unanswered(f"no answer after {limit} s") from None
    finally:
        process.kill()
        process.wait()
    try:
        with tarfile.open(answer, "r:") as archive:  # as it is: zeros would be tried long for every kind of compression
            archive.extractall(work / "answer", filter="data")
        return int((work / "answer" / "status").read_text(encoding="utf-8"))
    except (OSError, tarfile.TarError, ValueError):
        raise Unanswered("it ended without an answer") from None


def results(report: Path) -> Outcomes:
    """How each test of the report ended, and its seconds."""
    found = {}
    for case in ET.parse(report).iter("testcase"):
        ended = [part for part in ("failure", "error", "skipped") if case.find(part) is not None]
        outcome = ended[0] if ended else "passed"
        found[case.get("classname", ""), case.get("name", "")] = (outcome, float(case.get("time", "0")))
    return found


def outcome(test: str, ended: Outcomes) -> tuple[str, float]:
    """How the test of that node id ended."""
    head, bracket, parameters = test.partition("[")
    file, *classes, name = head.split("::")
    place = ".".join([file.removesuffix(".py").replace("/", "."), *classes])
    return ended.get((place, name + bracket + parameters), ("not run", 0.0))


def table(tests: dict[str, list[str]], ended: Outcomes) -> list[str]:
    """A line a test: the capability, how it ended, its seconds, the test."""
    rows = sorted(
        (", ".join(capabilities), *outcome(name, ended), name.removeprefix("tests/"))
        for name, capabilities in tests.items()
    )
    wide = max(len(capability) for capability in ["capability", *(row[0] for row in rows)])
    lines = [f"{capability:{wide}}  {how:7}  {took:7.1f}  {name}" for capability, how, took, name in rows]
    return [f"{'capability':{wide}}  result   seconds  test", *lines]


def summary(chosen: dict[str, Any], ended: Outcomes) -> tuple[list[str], list[str]]:
    """What is told after the tests, and what is wrong: a test that did not pass, also one that was skipped in the guest as well."""
    tests: dict[str, list[str]] = chosen["tests"]
    asked = {capability for capabilities in tests.values() for capability in capabilities}
    unasked = sorted({name for name, there in chosen["kernel"].items() if not there} - asked)
    told = table(tests, ended) + [f"lacking here, and no test asks for it: {', '.join(unasked)}"] * bool(unasked)
    return told, [f"{name}: {how}" for name in tests for how in outcome(name, ended)[:1] if how != "passed"]


def command(asked: list[str], chosen: dict[str, Any]) -> str:
    """What the guest's bash is to do: a command as it was given, or pytest."""
    if asked[:1] == ["--run"]:
        return asked[1]
    return f"{UP}\n{PYTEST} {shlex.join(asked) if asked else '-q -n 2 --dist load @/given/tests'}"


def main() -> int:
    """Run what is asked for."""
    guest, work, report = map(Path, sys.argv[1:4])
    asked = sys.argv[4:]
    start = time.monotonic()
    given = work / "given"
    python = (guest / "python").read_text(encoding="utf-8").strip()
    give(given, python)
    chosen: dict[str, Any] = {} if asked else choice(given / "clone", work)
    if not asked:
        if not chosen["tests"]:
            print("== nothing is lacking: this machine's kernel has all that a test asks for")
            return 0
        (given / "tests").write_text("\n".join(chosen["tests"]) + "\n", encoding="utf-8")
    bytecode = "export PYTHONDONTWRITEBYTECODE=1\n"
    if python == OWN:
        folders = [given / "clone" / name for name in ("plugins", "tests")]
        subprocess.run([sys.executable, "-m", "compileall", "-q", *folders], check=True)
    else:
        bytecode = "export PYTHONPYCACHEPREFIX=/tmp/bytecode\n"
    (given / "command").write_text(bytecode + command(asked, chosen) + "\n", encoding="utf-8")
    image(given, work / "given.img")
    if asked[:1] != ["--run"]:
        count = f"{len(chosen['tests'])} tests" if chosen else "tests"
        print(f"== {count}: sources ready after {time.monotonic() - start:.0f} s; booting", flush=True)
    try:
        status = boot(guest, work, LIMIT_BY_HAND if asked else LIMIT, terminal=asked[:1] == ["--run"] and os.isatty(0))
    except Unanswered as error:
        print(f"error: the guest: {error}; the end of what its kernel said:", file=sys.stderr)
        print((work / "console.log").read_text(encoding="utf-8", errors="replace")[-3000:], file=sys.stderr)
        return 1
    if asked:
        return status
    if not (work / "answer" / "report.xml").exists():
        print(f"error: pytest ended with {status} and no report", file=sys.stderr)
        return 1
    shutil.copy(work / "answer" / "report.xml", report)
    told, wrong = summary(chosen, results(report))
    print(*told, sep="\n")
    for line in wrong:
        print(f"error: {line}", file=sys.stderr)
    return status or bool(wrong)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *dummy: sys.exit(143))
    sys.exit(main())
