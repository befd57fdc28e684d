# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The packages that the guest's Python runs: those of this environment that tests need, and their programs."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
NEEDED = ("ansible-core", "netaddr", "pyroute2", "pytest", "pytest-xdist")
PROGRAM = "#!/usr/bin/env python3\nimport sys\n\nfrom {module} import {function}\n\nsys.exit({function}())\n"


def closure(names: Iterable[str]) -> dict[str, Distribution]:
    """These distributions and all that they require, by name."""
    found: dict[str, Distribution] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop().lower()
        if name not in found:
            found[name] = distribution(name)
            required = [Requirement(line) for line in found[name].requires or ()]
            waiting += [one.name for one in required if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found


def copy(distributions: Iterable[Distribution], site: Path) -> None:
    """Copy their files to the folder, bytecode and times too; programs are left out."""
    for one in distributions:
        for file in one.files or ():
            if ".." not in file.parts:
                target = site / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(str(file.locate()), target)


def fetch(distributions: Iterable[Distribution], site: Path, python: str) -> None:
    """Install the same versions to the folder, for a Python of another version."""
    pins = [f"{one.metadata['Name']}=={one.version}" for one in distributions]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "3"]
    here = ["--no-deps", "--no-compile", "--only-binary=:all:", "--python-version", python, "--target", str(site)]
    subprocess.run([*pip, *here, *pins], check=True)


def give(folder: Path, python: str) -> None:
    """Fill ``site`` and ``bin`` in the folder for a Python of that version ("3.11"), unless that is done."""
    distributions = closure(NEEDED)
    named = sorted(f"{one.metadata['Name']} {one.version} {one.locate_file('')}" for one in distributions.values())
    stamp = hashlib.sha1("\n".join([python, *named, Path(__file__).read_text(encoding="utf-8")]).encode()).hexdigest()
    done = folder / "stamp"
    if done.exists() and done.read_text(encoding="utf-8") == stamp:
        return
    done.unlink(missing_ok=True)
    for part in ("site", "bin"):
        shutil.rmtree(folder / part, ignore_errors=True)
        (folder / part).mkdir(parents=True)
    if python == OWN:
        copy(distributions.values(), folder / "site")
    else:
        fetch(distributions.values(), folder / "site", python)
    for one in distributions["ansible-core"].entry_points.select(group="console_scripts"):
        program = folder / "bin" / one.name
        program.write_text(PROGRAM.format(module=one.module, function=one.attr), encoding="utf-8")
        program.chmod(0o755)
    done.write_text(stamp, encoding="utf-8")
