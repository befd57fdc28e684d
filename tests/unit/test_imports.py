# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may import whom, one direction: modules, runner, resources, pure helpers; the kernel layer alone touches the machine."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
OURS = "ansible_collections.linuxnet.containers.plugins.module_utils"
PURE = {
    "_addressing",
    "_changes",
    "_engines",
    "_errors",
    "_facts",
    "_fields",
    "_firewall",
    "_firewall_changes",
    "_iptables",
    "_listening",
    "_naming",
    "_nftables",
    "_others",
    "_ports",
    "_resource",
    "_rules",
    "_saved",
    "_source",
    "_state",
    "_table",
    "_walls",
}
PURE |= {"_plan", "_topology", "_items", "_chain", "_info", "_purge"}
# What a pure file may take from the standard library. os.path only joins and splits texts.
HARMLESS = {
    "__future__",
    "base64",
    "bisect",
    "collections",
    "contextlib",
    "dataclasses",
    "errno",
    "functools",
    "hashlib",
    "ipaddress",
    "itertools",
    "os.path",
    "re",
    "shlex",
    "typing",
}
# Pure functions of modules that hold others as well: os.strerror, what Ansible takes for a boolean, its validator.
EXCEPTIONS = {
    "_errors": {"os"},
    "_plan": {"ansible.module_utils.parsing.convert_bool"},
    "_items": {"ansible.module_utils.common.arg_spec", "ansible.module_utils.errors"},
    "_chain": {"_resources"},
    "_info": {"_resources"},
}


def sources(pattern: str) -> list[Path]:
    found = sorted(PLUGINS.glob(pattern))
    assert found, f"nothing is called {pattern}"
    return found


def imported(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it; of ours only the part after module_utils."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            assert node.level == 0, f"{path.name} imports relatively"
            if module == OURS or module == f"{OURS}._kernel":
                found |= {f"{module}.{name.name}" for name in node.names}
            else:
                found.add(module)
    return {name.removeprefix(OURS + ".") for name in found}


def named(paths: list[Path]) -> list[object]:
    return [pytest.param(path, id=str(path.relative_to(PLUGINS))) for path in paths]


@pytest.mark.parametrize("path", named(sources("modules/*.py")))
def test_a_module_knows_the_runner_and_its_resource(path: Path) -> None:
    known = {"wiring_info": "_info", "wiring": "_chain"}.get(path.stem, f"_resources.{path.stem}")
    walls = {"_kernel._walls"} if path.stem in ("nat", "wiring", "wiring_info") else set()
    assert imported(path) == {"__future__", "_runner", known} | walls


@pytest.mark.parametrize("name", ["bridge", "bridge_port", "netns", "ns_address", "ns_route", "veth"])
def test_a_module_that_has_nothing_to_do_with_firewalls_does_not_bring_what_has(name: str) -> None:
    """Ansible packs all that a module imports, for each task, and each host compiles it."""
    found: set[Path] = set()
    todo = [PLUGINS / "modules" / f"{name}.py"]
    while todo:
        path = todo.pop()
        if path.exists() and path not in found:
            found.add(path)
            todo += [PLUGINS / "module_utils" / f"{one.replace('.', '/')}.py" for one in imported(path)]
    assert {path.stem for path in found} & {
        "_firewall",
        "_iptables",
        "_nftables",
        "_others",
        "_walls",
        "_programs",
    } == {"_programs"}


@pytest.mark.parametrize("path", named(sources("module_utils/_resources/[a-z]*.py")))
def test_a_resource_is_pure(path: Path) -> None:
    allowed = PURE - {"_plan", "_topology", "_items", "_chain", "_info", "_purge"}
    parts = {"_resources"} | {name for name in imported(path) if name.startswith("_resources._")}
    assert imported(path) - HARMLESS - allowed - (parts if path.stem in ("nat", "ns_route") else set()) == set()


@pytest.mark.parametrize("path", named([PLUGINS / "module_utils" / f"{name}.py" for name in sorted(PURE)]))
def test_a_helper_is_pure(path: Path) -> None:
    allowed = PURE | ({"netaddr"} if path.stem == "_addressing" else set())
    harmless = HARMLESS | EXCEPTIONS.get(path.stem, set())
    assert imported(path) - harmless - allowed == set()


def test_every_file_of_module_utils_is_pure_or_the_runner() -> None:
    assert {path.stem for path in sources("module_utils/_*.py")} == PURE | {"_runner"}


def test_the_runner_knows_the_kernel_and_no_noun() -> None:
    ours = {
        name for name in imported(PLUGINS / "module_utils" / "_runner.py") if name.startswith("_") and "." not in name
    }
    assert ours - {"__future__"} == {"_changes", "_errors", "_facts", "_items", "_resource", "_source", "_state"}
    assert "_kernel._host" in imported(PLUGINS / "module_utils" / "_runner.py")


@pytest.mark.parametrize("path", named(sources("filter/*.py")))
def test_a_filter_knows_the_pure_helpers(path: Path) -> None:
    assert imported(path) - HARMLESS - PURE - {"ansible.errors", "ansible.utils.display"} == set()


@pytest.mark.parametrize("path", named(sources("module_utils/_kernel/[a-z_]*.py")))
def test_the_kernel_layer_has_no_policy(path: Path) -> None:
    """It knows no noun, no plan and nothing of Ansible."""
    names = imported(path)
    assert not {name for name in names if name.startswith(("_resources", "_resource", "_plan", "_runner", "ansible."))}


@pytest.mark.parametrize(
    ("library", "homes"),
    [
        ("pyroute2", {"_kernel/_netlink.py"}),
        ("netaddr", {"_addressing.py"}),
        ("subprocess", {"_kernel/_programs.py"}),
        ("ctypes", {"_kernel/_files.py", "_kernel/_namespaces.py"}),
        ("ansible", {"_items.py", "_plan.py", "_runner.py"}),
    ],
)
def test_a_library_has_its_one_place(library: str, homes: set[str]) -> None:
    base = PLUGINS / "module_utils"
    found = {
        str(path.relative_to(base))
        for path in base.rglob("*.py")
        if library in {name.split(".")[0] for name in imported(path)}
    }
    assert found == homes


def test_only_the_kernel_layer_opens_files_and_sockets() -> None:
    doors = {"ctypes", "fcntl", "os", "shutil", "socket", "subprocess", "tempfile"}
    outside = sources("module_utils/*.py") + sources("module_utils/_resources/*.py")
    assert {path.stem for path in outside if imported(path) & doors} == {"_errors"}
    for path in outside:
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        assert "open" not in {getattr(call.func, "id", "") for call in calls}, path.name


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


MUTATORS = {
    "append",
    "extend",
    "insert",
    "add",
    "update",
    "setdefault",
    "pop",
    "popitem",
    "remove",
    "discard",
    "clear",
    "sort",
}


def changed_names(tree: ast.Module) -> set[str]:
    """The plain names that a file changes in place: by an item, a deletion, or a method that changes."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
            found.add(getattr(node.func.value, "id", ""))
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, (ast.Store, ast.Del)):
            found.add(getattr(node.value, "id", ""))
    return found - {""}


@pytest.mark.parametrize("path", named(sources("module_utils/**/*.py")))
def test_nothing_is_kept_between_two_runs_of_one_interpreter(path: Path) -> None:
    """No `global`, and no list, dict or set of a file that the file changes."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Global)]
    assert module_level_names(tree) & changed_names(tree) == set()
