# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Python that is too old is told so, by something that it can compile."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._run import python

PLUGINS = Path(__file__).resolve().parents[5] / "plugins"
MODULES = sorted((PLUGINS / "modules").glob("*.py"))


def test_this_one_will_do() -> None:
    python.require()


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 15), (3, 7, 16)])
def test_an_old_one_ends_the_module_in_a_sentence(version: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr("sys.version_info", version)
    monkeypatch.setattr("sys.executable", "/usr/bin/python3")
    with pytest.raises(SystemExit) as ended:
        python.require()
    assert ended.value.code == 1
    assert json.loads(capsys.readouterr().out) == {
        "failed": True,
        "changed": False,
        "msg": "linuxnet.containers needs Python 3.8 or newer on the host, and /usr/bin/python3 is Python {}.{}.{}: "
        "set ansible_python_interpreter to a newer one.".format(*version),
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_module_asks_it_first(path: Path) -> None:
    """And has no syntax that an old Python lacks: annotations above all, and bytes that Python 2 wants an encoding for."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    statements = [node for node in tree.body if not isinstance(node, ast.Assign)]
    assert ast.unparse(statements[0]).endswith("import python")
    assert ast.unparse(statements[1]) == "python.require()"
    assert not [node for node in ast.walk(tree) if isinstance(node, (ast.AnnAssign, ast.JoinedStr))]
    assert all(node.returns is None for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    assert text.isascii() or text.splitlines()[1] == "# -*- coding: utf-8 -*-"
