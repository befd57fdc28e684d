# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of wings: who may import whom, and what of the rest of the world. Nothing else holds the architecture."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.unmeasured  # it reads the code and runs none of it

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
UTILS = PLUGINS / "module_utils"
OURS = "ansible_collections.linuxnet.containers.plugins.module_utils"
# Computes and touches nothing. os.path only joins and splits texts.
PURE = set(
    """__future__ abc base64 bisect collections contextlib dataclasses difflib errno functools hashlib ipaddress itertools json os.path re shlex
    typing""".split()
)


@dataclass(frozen=True)
class Wing:
    """``wings`` that its files may import beside each other, and what they may beside the pure part of the standard library."""

    wings: frozenset[str]
    beside: frozenset[str] = frozenset()


def wing(wings: str = "", beside: str = "") -> Wing:
    return Wing(frozenset(wings.split()), frozenset(beside.split()))


WINGS = {
    "_model": wing(beside="netaddr os"),
    "_firewall": wing("_model"),
    "_kernel": wing(
        "_model _firewall",
        """ansible concurrent ctypes fcntl importlib os pyroute2 marshal random resource shutil socket stat struct subprocess sys tempfile time
        traceback urllib io zipfile zlib""",
    ),
    "_run": wing("_model", "ansible gc sys traceback"),
    "_resources": wing("_model _firewall _run"),
    "_path": wing("_model _firewall _run _resources"),
    "_wiring": wing("_model _firewall _run _resources", "ansible"),
    "_wired": wing("_model _firewall _run _resources _wiring _kernel", "argparse os sys syslog time"),
}
DOORS = {
    "modules": wing("_run _resources _wiring _path _kernel _wired", "importlib"),
    "filter": wing("_model _wiring", "ansible ansible_collections jinja2"),
    "action": wing("_wiring", "ansible_collections"),
    "connection": wing("", "ansible os shlex subprocess sys"),
    "plugin_utils": wing("_wiring", "ansible gc html json re subprocess"),
}
# A library has its one file. `os` outside of the kernel layer is for the words of an errno.
HOMES = {
    "pyroute2": {"_kernel/netlink/codec.py"},
    "netaddr": {"_model/pools.py"},
    "subprocess": {"_kernel/interpreters.py", "_kernel/programs/run.py"},
    "ansible": {
        "_kernel/interpreters.py",
        "_kernel/lasting.py",
        "_run/called.py",
        "_run/runner.py",
        "_run/validation.py",
    },
    "os": {"_model/errors.py"},
}


def imported(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it; of ours the part after module_utils."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            inside = (node.module or "").startswith(OURS)
            found |= {f"{node.module}.{name.name}" for name in node.names} if inside else {node.module or ""}
    return {name.removeprefix(OURS + ".") for name in found}


def file_of(name: str) -> Path | None:
    """The file of ours that an imported name means, or is in."""
    for part in (name, name.rpartition(".")[0]):
        path = UTILS / f"{part.replace('.', '/')}.py"
        if part and path.exists():
            return path
    return None


def sources(folder: Path) -> list[object]:
    found = sorted(path for path in folder.rglob("*.py") if path.name != "__init__.py")
    assert found, f"{folder} is empty"
    return [pytest.param(path, id=str(path.relative_to(PLUGINS))) for path in found]


def strange(path: Path, allowed: Wing, own: str) -> set[str]:
    """What a file imports that its wing may not."""
    tops = {name.split(".")[0] if not name.startswith("os.") else name for name in imported(path)}
    ours = {top for top in tops if top.startswith("_") and top != "__future__"}
    return (ours - allowed.wings - {own}) | (tops - ours - PURE - allowed.beside)


@pytest.mark.parametrize("path", sources(UTILS))
def test_a_file_imports_what_its_wing_may(path: Path) -> None:
    own = path.relative_to(UTILS).parts[0]
    assert strange(path, WINGS[own], own) == set()


@pytest.mark.parametrize("path", [path for door in DOORS for path in sources(PLUGINS / door)])
def test_a_door_imports_what_doors_may(path: Path) -> None:
    assert strange(path, DOORS[path.parent.name], "") == set()


def test_every_folder_of_module_utils_is_a_wing_and_says_what_belongs_there() -> None:
    folders = {path.name for path in UTILS.iterdir() if path.name != "__pycache__"}
    assert folders == set(WINGS)
    assert {path.parent.name for path in UTILS.glob("*/README.md")} == set(WINGS)


@pytest.mark.parametrize("library", HOMES)
def test_a_library_has_its_homes(library: str) -> None:
    found = {
        str(path.relative_to(UTILS))
        for path in UTILS.rglob("*.py")
        if library in {name.split(".")[0] for name in imported(path) if name != "os.path"}
    }
    assert {name for name in found if library != "os" or not name.startswith(("_kernel/", "_wired/"))} == HOMES[library]


def packed(name: str) -> set[str]:
    """The files that Ansible packs with a module."""
    found: set[Path] = set()
    todo = [PLUGINS / "modules" / f"{name}.py"]
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += [file for file in map(file_of, imported(path)) if file is not None]
    return {str(path.relative_to(UTILS)) for path in found if UTILS in path.parents}


@pytest.mark.parametrize("name", ["bridge", "bridge_port", "netns", "ns_address", "ns_link", "ns_route", "veth"])
def test_a_module_that_has_nothing_to_do_with_firewalls_does_not_bring_what_has(name: str) -> None:
    """Ansible packs all that a module imports, for each task, and each host compiles it."""
    assert not {file for file in packed(name) if "firewall" in file or "/nat/" in file or "conntrack" in file}


@pytest.mark.parametrize("name", ["bridge", "bridge_port", "ns_link", "ns_route", "veth"])
def test_a_module_that_asks_neither_neighbours_nor_engines_brings_neither(name: str) -> None:
    assert not {file for file in packed(name) if "arp_nd" in file or "programs/" in file or "containers" in file}


@pytest.mark.parametrize(("name", "without"), [("netns", "arp_nd"), ("ns_address", "programs/"), ("nat", "engines")])
def test_a_module_brings_only_what_it_asks(name: str, without: str) -> None:
    assert not {file for file in packed(name) if file.startswith("_kernel/") and without in file}


BASELINE = "ansible.module_utils.basic ansible.module_utils.common.arg_spec dataclasses ipaddress socket multiprocessing.reduction"
START = """
import importlib, json, sys
sys.path[:] = json.loads(sys.argv[1])
for name in sys.argv[3:]:
    importlib.import_module(name)
before = set(sys.modules)
importlib.import_module(sys.argv[2])
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def started(name: str) -> set[str]:
    """What a module has imported when it starts to work, beside Ansible's part and what pyroute2 brings."""
    module = f"ansible_collections.linuxnet.containers.plugins.modules.{name}"
    argv = [sys.executable, "-c", START, json.dumps(sys.path), module, *BASELINE.split()]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("bridge", 44),
        ("veth", 41),
        ("ns_link", 51),
        ("ns_route", 47),
        ("ns_address", 49),
        ("netns", 49),
        ("nat", 96),
        ("path_info", 105),
    ],
)
def test_a_module_starts_with_little(name: str, files: int) -> None:
    """Each file is compiled anew in each task: a new one is worth its time, or is imported where it is used."""
    found = started(name)
    assert {part for part in found if not part.startswith(("ansible", "pyroute2"))} <= {
        "base64",
        "binascii",
        "gc",
        "resource",
    }
    assert len([part for part in found if part.startswith(OURS + "._")]) <= files


def test_the_package_of_the_chain_imports_no_noun_before_it_is_asked() -> None:
    assert not {part for part in started("wiring") if "_resources" in part or "_kernel" in part or "_wiring" in part}


def module_level_names(tree: ast.Module) -> set[str]:
    """The names that a file binds to a list, a dict or a set when it is imported."""
    found: set[str] = set()
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = getattr(node, "value", None)
        makes = isinstance(value, (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)) or (
            isinstance(value, ast.Call)
            and getattr(value.func, "id", "") in {"dict", "list", "set", "table", "defaultdict"}
        )
        found |= {target.id for target in targets if makes and isinstance(target, ast.Name)}
    return found


MUTATORS = set("append extend insert add update setdefault pop popitem remove discard clear sort".split())


def changed_names(tree: ast.Module) -> set[str]:
    """The plain names that a file changes in place: by an item, a deletion, or a method that changes."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
            found.add(getattr(node.func.value, "id", ""))
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, (ast.Store, ast.Del)):
            found.add(getattr(node.value, "id", ""))
    return found - {""}


@pytest.mark.parametrize("path", sources(UTILS))
def test_nothing_is_kept_between_two_runs_of_one_interpreter(path: Path) -> None:
    """No `global`, and no list, dict or set of a file that the file changes."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Global)]
    assert module_level_names(tree) & changed_names(tree) == set()
