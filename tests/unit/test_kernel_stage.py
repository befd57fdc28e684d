# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tests go to the guest of ``make kernel``, and what is said of them afterwards: see tests/kernel/README.md."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

KERNEL = Path(__file__).resolve().parents[1] / "kernel"
sys.path.insert(0, str(KERNEL))

from run import Unanswered, boot, command, results, summary, table  # noqa: E402

pytestmark = pytest.mark.unmeasured

CONFTEST = """
import pytest

KERNEL = {"there": None, "sctp": None, "vlan": None}

def present(capability):
    return capability == "there"

def needs(*capabilities):
    raise AssertionError("nothing is run")

@pytest.fixture(name="needs")
def needs_fixture():
    return needs

@pytest.fixture
def street(needs):
    needs("there", "vlan")

@pytest.fixture
def road(street, needs):
    needs("there")
"""
TESTS = """
import pytest

BY_CASE = {"first": ["sctp", "vlan"]}

@pytest.mark.parametrize("protocol", ["tcp", pytest.param("sctp", marks=pytest.mark.needs("sctp"))])
def test_by_a_mark_of_a_parameter(protocol): pass

@pytest.mark.with_or_without("what the guest lacks")
def test_with_or_without(): pass

@pytest.mark.needs("there", "nft")
def test_what_is_there_and_what_is_no_kernels(): pass

def test_by_a_fixture_of_its_fixture(road): pass

@pytest.mark.parametrize("case", ["first", "second"])
def test_by_a_call_with_its_parameter(case, needs):
    if case:
        needs("there", *BY_CASE.get(case, []))

def test_what_is_known_only_when_it_runs(needs, request):
    needs(request.param)

class TestIn:
    @pytest.mark.needs("sctp")
    def test_a_class(self): pass

def test_that_needs_nothing(): pass
"""


def test_what_the_machine_would_skip_and_what_has_two_sides_is_chosen(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nmarkers =\n    needs: x\n    with_or_without: x\n", encoding="utf-8"
    )
    (tmp_path / "tests" / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (tmp_path / "tests" / "test_x.py").write_text(TESTS, encoding="utf-8")
    chosen = tmp_path / "chosen"
    pytest_ = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--import-mode=importlib",
        "-p",
        "no:cacheprovider",
        "-p",
        "choose",
    ]
    subprocess.run(
        [*pytest_, "--collect-only", "tests"],
        cwd=tmp_path,
        env={**os.environ, "KERNEL_CHOICE": str(chosen), "PYTHONPATH": str(KERNEL)},
        check=True,
        timeout=300,
    )
    assert json.loads(chosen.read_text(encoding="utf-8")) == {
        "kernel": {"there": True, "sctp": False, "vlan": False},
        "tests": {
            "tests/test_x.py::test_by_a_mark_of_a_parameter[sctp]": ["sctp"],
            "tests/test_x.py::test_with_or_without": ["what the guest lacks"],
            "tests/test_x.py::test_by_a_fixture_of_its_fixture": ["vlan"],
            "tests/test_x.py::test_by_a_call_with_its_parameter[first]": ["sctp", "vlan"],
            "tests/test_x.py::TestIn::test_a_class": ["sctp"],
        },
    }


REPORT = """<testsuites><testsuite>
<testcase classname="tests.module.test_x" name="test_a[sctp :: 80]" time="1.25"/>
<testcase classname="tests.module.test_x" name="test_b" time="2.0"><failure message="no"/></testcase>
<testcase classname="tests.module.test_x" name="test_c" time="0.0"><skipped message="this kernel lacks: vlan"/></testcase>
</testsuite></testsuites>"""
NAMES = ("test_a[sctp :: 80]", "test_b", "test_c", "test_d")
CHOSEN = {
    "kernel": {"bridge": True, "sctp": False, "vlan": False, "vrf": False},
    "tests": {f"tests/module/test_x.py::{name}": ["vlan" if name == "test_c" else "sctp"] for name in NAMES},
}


def test_whatever_did_not_pass_is_wrong_also_what_the_guest_lacks(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT, encoding="utf-8")
    told, wrong = summary(CHOSEN, results(report))
    assert wrong == [
        "tests/module/test_x.py::test_b: failure",
        "tests/module/test_x.py::test_c: skipped",
        "tests/module/test_x.py::test_d: not run",
    ]
    assert told == [
        "capability  result   seconds  test",
        "sctp        failure      2.0  module/test_x.py::test_b",
        "sctp        not run      0.0  module/test_x.py::test_d",
        "sctp        passed       1.2  module/test_x.py::test_a[sctp :: 80]",
        "vlan        skipped      0.0  module/test_x.py::test_c",
        "lacking here, and no test asks for it: vrf",
    ]
    assert table({}, {}) == ["capability  result   seconds  test"]


def test_a_command_reaches_the_guest_as_it_was_written() -> None:
    assert command(["--run", "echo '$HOME' \"a  b\""], {}) == "echo '$HOME' \"a  b\""
    assert command(["tests/module/test_x.py", "-k", "a or b"], {}).endswith(" tests/module/test_x.py -k 'a or b'")
    assert command([], CHOSEN).endswith(" -q -n 2 --dist load @/given/tests")


@pytest.fixture
def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in the place of qemu, to be written by the test."""
    program = tmp_path / "bin" / "qemu-system-x86_64"
    program.parent.mkdir()
    program.touch(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    return program


def test_the_status_of_the_command_is_that_of_the_guest(tmp_path: Path, emulator: Path) -> None:
    (tmp_path / "said").mkdir()
    (tmp_path / "said" / "status").write_text("3\n", encoding="utf-8")
    answers = f"tar -C {tmp_path}/said -cf - . | dd of={tmp_path}/answer.tar conv=notrunc status=none"
    emulator.write_text(f"#!/bin/sh\n{answers}\n", encoding="utf-8")
    assert boot(tmp_path, tmp_path, 60, False) == 3


@pytest.mark.parametrize(
    ("does", "limit", "message"),
    [("exit 0", 60, "ended without an answer"), ("exec sleep 600", 1, "no answer after 1 s")],
    ids=["panic", "hang"],
)
def test_a_guest_that_does_not_answer_is_ended_and_said_to_be_so(
    tmp_path: Path, emulator: Path, does: str, limit: int, message: str
) -> None:
    emulator.write_text(f"#!/bin/sh\necho $$ >{tmp_path}/pid\n{does}\n", encoding="utf-8")
    with pytest.raises(Unanswered, match=message):
        boot(tmp_path, tmp_path, limit, False)
    pid = tmp_path / "pid"
    assert not pid.exists() or not Path("/proc", pid.read_text(encoding="utf-8").strip()).exists()


@pytest.mark.parametrize(("asked", "status"), [([], 0), (["--run", "true"], 1)], ids=["stage", "by hand"])
def test_where_there_can_be_no_guest_the_stage_says_so_and_passes(
    tmp_path: Path, asked: list[str], status: int
) -> None:
    (tmp_path / "uname").write_text("#!/bin/sh\necho aarch64\n", encoding="utf-8")
    (tmp_path / "uname").chmod(0o755)
    done = subprocess.run(
        [KERNEL.parent / "tools" / "kernel", *asked],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, "the guest is for amd64, this is aarch64" in done.stdout + done.stderr) == (status, True)
