# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Ansible community's requirements of a collection, as far as a program can tell: see docs/collection-requirements.md."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.linuxnet.containers.plugins.doc_fragments.attributes import ModuleDocFragment

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/collection-requirements.md").read_text(encoding="utf-8")
MODULES = sorted(path for path in (ROOT / "plugins/modules").glob("*.py") if path.name != "__init__.py")
FILTERS = sorted(path for path in (ROOT / "plugins/filter").glob("*.py") if path.name != "__init__.py")
# Of those that ansible-core loads from a collection, the ones that a collection for networks could have.
FOLDERS = {
    "action",
    "connection",
    "doc_fragments",
    "filter",
    "inventory",
    "lookup",
    "module_utils",
    "modules",
    "plugin_utils",
    "test",
}
CONTENT = ("meta/", "plugins/", "roles/", "playbooks/")


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def documentation(path: Path) -> Any:
    (text,) = re.findall(
        r'^DOCUMENTATION = r?"""\n(.*?)^"""', path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    return yaml.safe_load(text)


def tracked() -> list[str]:
    """The files of the repository; of an unpacked tarball all files."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return [name for name in done.stdout.split("\0") if name]
    return [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file()]


def test_what_the_page_names_is_there() -> None:
    named = set(re.findall(r"`([^`]+)`", PAGE))
    paths = {name for name in named if re.fullmatch(r"\.?[\w/.-]*(\.\w+|/)|\.ci/run|COPYING|\.gitignore", name)}
    assert len(paths) > 15
    assert [name for name in sorted(paths) if not (ROOT / name).exists() and name not in CONTENT] == []
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {name.split()[1] for name in named if name.startswith("make ")} - targets == set()


def test_only_folders_that_ansible_core_knows() -> None:
    there = {path.name for path in (ROOT / "plugins").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert there - FOLDERS == set()


def test_private_utilities_begin_with_an_underscore() -> None:
    there = {path.name for path in (ROOT / "plugins/module_utils").iterdir()} - {"__init__.py", "__pycache__"}
    assert [name for name in there if not name.startswith("_")] == []


def test_modules_that_only_read_are_called_info_and_have_check_mode() -> None:
    states = {path.stem: documentation(path)["options"].get("state", {}).get("choices", []) for path in MODULES}
    assert [name for name, choices in states.items() if set(choices) & {"get", "list", "query", "info"}] == []
    fragments = {path.stem: documentation(path)["extends_documentation_fragment"] for path in MODULES}
    assert [name for name, used in fragments.items() if "linuxnet.containers.attributes" not in used] == []
    attributes = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["attributes"]
    assert attributes["check_mode"]["support"] == "full"


@pytest.mark.parametrize("path", [*MODULES, *FILTERS], ids=lambda path: path.stem)
def test_documentation_has_what_is_asked_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.fullmatch(r"\d+\.\d+\.\d+", documentation(path)["version_added"])
    assert "\nEXAMPLES = " in text
    assert "\nRETURN = " in text
    assert "GNU General Public License v3.0+" in text


def test_galaxy_and_runtime() -> None:
    galaxy = read("galaxy.yml")
    assert "networking" in galaxy["tags"]
    assert galaxy["dependencies"] == {}
    assert re.fullmatch(r">=2\.\d+\.\d+", read("meta/runtime.yml")["requires_ansible"])


def test_public_content_uses_nothing_outside_of_its_folders() -> None:
    files = [name for name in tracked() if name.startswith(CONTENT) and name.endswith((".py", ".yml"))]
    outside = re.compile(r"(?:tests|docs|extensions)/[\w/]+\.(?:py|yml|json)")
    found = [name for name in files if outside.search((ROOT / name).read_text(encoding="utf-8"))]
    assert found == []


def test_nothing_large_or_temporary() -> None:
    there = tracked()
    assert [name for name in there if (ROOT / name).is_file() and (ROOT / name).stat().st_size > 1_000_000] == []
    assert [name for name in there if name.endswith((".pyc", ".orig", ".rej", ".swp", "~", ".tar.gz"))] == []


def test_sanity_ignores_nothing() -> None:
    assert [name for name in tracked() if name.startswith("tests/sanity/ignore")] == []
