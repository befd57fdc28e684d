# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples that users read: blocks of code in the pages, and EXAMPLES of plugins.

``EXAMPLES_RUN`` says which test runs each; a unit test holds that none is missing.
"""

from __future__ import annotations

import ast
import os
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from lab import ROOT, collections_root

_FENCE = re.compile(r"^(?P<margin> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=margin)```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:(?<=\n\n)|(?<=-->\n))(?: {4}(?![-*|] )\S.*\n)+")
_HEADING = re.compile(r"^##+ (.+)$", re.MULTILINE)
_REMARKS = re.compile(r"(?:^ *<!-- .*? -->\n)*\Z", re.MULTILINE)
_REMARK = re.compile(r"<!-- (\w+): (.*?) -->")


@dataclass(frozen=True)
class Block:
    """A block of code of a page. ``language`` is "indented" for one without a fence; ``remarks`` are the comments right above it, by their first word."""

    page: str
    section: str
    language: str
    text: str
    line: int
    remarks: tuple[tuple[str, str], ...]

    def told(self, name: str) -> list[str]:
        """What the remarks of a name say."""
        return [text for one, text in self.remarks if one == name]

    def loaded(self) -> Any:
        """A block of YAML."""
        return yaml.safe_load(self.text)


def pages() -> list[str]:
    """Every page for users, from the root of the collection."""
    found = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("roles/*/README.md"),
        *ROOT.glob("examples/**/*.md"),
    ]
    return sorted(str(path.relative_to(ROOT)) for path in found)


def blocks(page: str) -> list[Block]:
    """The blocks of a page, in order."""
    text = ROOT.joinpath(page).read_text(encoding="utf-8")
    fences = list(_FENCE.finditer(text))
    blank = _FENCE.sub(lambda found: re.sub(r"[^\n]", "#", found[0]), text)
    found = [(one.start(), one["language"], textwrap.dedent(one["text"])) for one in fences]
    found += [(one.start(), "indented", textwrap.dedent(one[0])) for one in _INDENTED.finditer(blank)]
    return [_block(page, text, blank, *one) for one in sorted(found)]


def _block(page: str, text: str, blank: str, start: int, language: str, code: str) -> Block:
    before = text[:start]
    titles = [one[1] for one in _HEADING.finditer(blank[:start])]
    remarks = _REMARKS.search(before)
    return Block(
        page,
        titles[-1] if titles else "",
        language,
        code,
        before.count("\n") + 1,
        tuple(_REMARK.findall(remarks[0] if remarks else "")),
    )


def who_types(folder: Path) -> dict[str, str]:
    """The environment of who types the commands of a page in a lab host: the Ansible of these tests, with its home in a folder."""
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": os.environ.get("ANSIBLE_COLLECTIONS_PATH", collections_root()),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
    }


def anchors(page: str) -> set[str]:
    """What a link to a section of the page may have behind its #."""
    text = _FENCE.sub("", ROOT.joinpath(page).read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def plugins() -> list[Path]:
    """Every plugin that has EXAMPLES, as paths from the root."""
    found = (path for path in ROOT.glob("plugins/*/*.py") if "\nEXAMPLES = " in path.read_text(encoding="utf-8"))
    return sorted(path.relative_to(ROOT) for path in found)


def examples(plugin: str | Path) -> list[dict[str, Any]]:
    """The tasks of a plugin's EXAMPLES."""
    for node in ast.parse(ROOT.joinpath(plugin).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "EXAMPLES":
            found: list[dict[str, Any]] = yaml.safe_load(ast.literal_eval(node.value))
            return found
    raise KeyError(plugin)


def asked(task: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """The module of the collection that a task calls, and its options; None for a task of another module."""
    ours = "linuxnet.containers."
    for name, options in task.items():
        if name.startswith(ours):
            return name.removeprefix(ours), options or {}
    return None


def lists(loaded: Any) -> dict[str, Any] | None:
    """The role's variables in a block, as the module ``wiring`` has them; None for a block of something else."""
    if isinstance(loaded, dict) and loaded and all(name.startswith("wiring_") for name in loaded):
        return {name.removeprefix("wiring_"): value for name, value in loaded.items()}
    return None


def links(page: str) -> Iterator[str]:
    """The targets of a page's links."""
    text = _FENCE.sub("", ROOT.joinpath(page).read_text(encoding="utf-8"))
    yield from re.findall(r"\]\(([^)\s]+)\)", text)


def tables(page: str) -> Iterator[list[str]]:
    """The rows of a page's tables, without their heads."""
    for table in re.findall(r"(?:^\|.*\|\n)+", ROOT.joinpath(page).read_text(encoding="utf-8"), re.MULTILINE):
        for row in table.splitlines()[2:]:
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip("|"))]


# Which test runs the blocks of a page, by section ("" is all other sections), and how many there are: whoever adds one says who runs it.
# "like TEST": not these words, but their like; "by hand COMMAND": not in CI; "no: why" is run by nobody.
PAGES_TEST = "tests/role/test_pages.py"
EXAMPLES_RUN: dict[str, dict[str, tuple[str, int]]] = {
    "CONTRIBUTING.md": {"": ("by hand make lint unit", 1)},
    "README.md": {
        "See it work": ("by hand make demo", 1),
        "": ("tests/role/test_readme.py", 6),
    },
    "docs/architecture.md": {"": ("no: a drawing", 1)},
    "docs/concepts.md": {"": ("tests/role/test_typed_pages.py", 18)},
    "docs/debugging.md": {
        "On another kernel": ("by hand make kernel", 1),
        "": ("tests/role/test_debugging_page.py", 19),
    },
    "docs/diffs.md": {"": ("tests/role/test_diffs_page.py", 29)},
    "docs/firewalls.md": {"": (PAGES_TEST, 2)},
    "docs/fleets-wide.md": {"": ("tests/fleet/test_wide.py", 4)},
    "docs/fleets.md": {
        "Encrypted": ("like tests/module/test_wireguard.py", 1),
        "": ("tests/fleet/test_one_network.py", 2),
    },
    "docs/from-cni.md": {"": (PAGES_TEST, 2)},
    "docs/from-containerlab.md": {"": (PAGES_TEST, 4)},
    "docs/from-docker.md": {"": (PAGES_TEST, 2)},
    "docs/from-ip.md": {"": (PAGES_TEST, 1)},
    "docs/from-pipework.md": {"": (PAGES_TEST, 1)},
    "docs/from-podman.md": {"": (PAGES_TEST, 2)},
    "docs/handles.md": {"": ("tests/engines/test_handles.py", 10)},
    "docs/how-to-change.md": {"": (PAGES_TEST, 19)},
    "docs/how-to-containers.md": {"": ("tests/engines/test_handles.py", 1)},
    "docs/how-to-lan.md": {"": (PAGES_TEST, 16)},
    "docs/how-to-ports-and-addresses.md": {"": (PAGES_TEST, 20)},
    "docs/index.md": {
        "": ("tests/role/test_typed_pages.py", 1),
        "One command": ("by hand make demo", 1),
    },
    "docs/labs.md": {"": ("tests/role/test_labs_page.py", 3)},
    "docs/lasting.md": {"": ("tests/engines/test_lasting.py", 3)},
    "docs/links.md": {"": ("tests/module/test_ns_link_pages.py", 12)},
    "docs/molecule.md": {
        "Test a role of your own": ("tests/molecule/outside.py", 8),
        "The scenarios of this collection": ("like tests/tools/molecule", 1),
    },
    "docs/names.md": {"": ("tests/role/test_names.py", 5)},
    "docs/networks.md": {
        "An uplink as a port": ("tests/module/test_wiring_ports.py", 1),
        "VLANs": ("tests/module/test_wiring_ports.py", 2),
        "In a VRF": ("tests/module/test_wiring_vrf.py", 2),
        "": (PAGES_TEST, 4),
    },
    "docs/pictures.md": {"": (PAGES_TEST, 2)},
    "docs/rates.md": {"": ("tests/role/test_rates.py", 3)},
    "docs/segments.md": {"": ("tests/role/test_segments_page.py", 4)},
    "docs/speed.md": {"": ("like tests/tools/bench", 1)},
    "docs/three-in-the-morning.md": {"": ("tests/role/test_three_in_the_morning.py", 23)},
    "docs/troubleshooting.md": {"": ("tests/module/test_troubleshooting_page.py", 43)},
    "docs/tutorial.md": {"": ("tests/role/test_typed_pages.py", 27)},
    "examples/fleet/README.md": {"": ("tests/fleet/test_example.py", 1)},
    "roles/lab/README.md": {"": ("like tests/lab/test_hosts_for_all.py", 4)},
    "roles/wiring/README.md": {
        "": ("tests/engines/test_handles.py", 1),
        "What it leaves": (PAGES_TEST, 1),
        "What it says": ("tests/role/test_examples.py", 1),
    },
}
