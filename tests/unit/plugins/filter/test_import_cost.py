# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""To find one filter of a collection Ansible loads all of them, in each task anew: so loading them is cheap."""

from __future__ import annotations

import ast
from pathlib import Path

PLUGINS = Path(__file__).resolve().parents[4] / "plugins"
OURS = "ansible_collections.linuxnet.containers."


def loaded(path: Path) -> set[str]:
    """The files of the collection that are loaded with a file, without what its functions import."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(OURS):
            file = (node.module or "").removeprefix(OURS).replace(".", "/") + ".py"
            found |= {file, *loaded(PLUGINS.parent / file)}
    return found


def test_filters_load_what_all_of_them_need() -> None:
    files = {file for path in (PLUGINS / "filter").glob("*.py") for file in loaded(path)}
    model = {f"plugins/module_utils/_model/{name}.py" for name in ("commands", "deferred", "errors")}
    assert files == {*model, "plugins/module_utils/_wiring/report.py"}
