# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What README, docs/policies.md and meta/runtime.yml say of supported versions is what tests/requirements has the tests run with."""

from __future__ import annotations

import re

import pytest
import yaml
from lab import ROOT

REQUIREMENTS = ROOT / "tests" / "requirements"
README, PAGE = ((ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/policies.md"))
CORES = [
    line.split()
    for line in (REQUIREMENTS / "cores.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def pins(name: str, package: str) -> list[str]:
    """The versions of a package that a list names, one an interpreter, the oldest first."""
    text = (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8")
    return re.findall(rf"^{package}==([0-9.]+)", text, flags=re.MULTILINE)


def test_the_page_has_a_row_for_each_core() -> None:
    rows = re.findall(r"^\| (2\.\d+) \| (3\.\d+) to (3\.\d+) \| ([0-9.]+) \| ([0-9.]+) \|$", PAGE, flags=re.MULTILINE)
    assert rows == [(minor(core), *rest) for core, *rest in CORES]


def test_there_is_no_gap_between_the_ends() -> None:
    minors = [int(core.split(".")[1]) for core, *dummy in CORES]
    assert minors == list(range(minors[0], minors[-1] + 1))
    assert all(f"2.{minors[0]} to 2.{minors[-1]}" in text for text in (README, PAGE))
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert runtime["requires_ansible"] == f">=2.{minors[0]}.0"


@pytest.mark.parametrize("name", ["newest", "oldest", "distribution"])
def test_the_ends_of_each_release_are_cores_of_the_range(name: str) -> None:
    versions = pins(name, "ansible-core")
    assert set(versions) <= {core for core, *dummy in CORES}
    assert len(versions) == 2
    if name == "oldest":
        assert versions[0] == CORES[0][0]
    else:
        assert versions[-1] == CORES[-1][0]
    row = next(line for line in PAGE.splitlines() if line.startswith("| ansible-core | 2."))
    assert all(minor(version) in row for version in versions)


@pytest.mark.parametrize("package", ["pyroute2", "netaddr"])
def test_the_oldest_library_is_the_one_that_is_promised(package: str) -> None:
    [oldest] = pins("oldest", package)
    [newest] = pins("newest", package)
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| {package} |"))
    assert f"| {oldest} or newer" in row
    assert f"{oldest} and {newest}" in row
    assert f"{package}>={oldest}" in (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
