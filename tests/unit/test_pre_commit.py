# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hooks of pre-commit are the checks of ``make lint``, by the same script."""

from __future__ import annotations

import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
LINT = "tests/tools/lint"


def test_each_check_has_its_hook_in_the_same_order_after_the_build() -> None:
    checks = subprocess.run([ROOT / LINT, "--list"], capture_output=True, text=True, check=True).stdout.splitlines()
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    build, *hooks = local["hooks"]
    assert (local["repo"], build["entry"], "stages" in build) == ("local", "tests/tools/build", False)
    assert [(hook["entry"], hook["args"], hook["name"]) for hook in hooks] == [(LINT, [name], name) for name in checks]
    # Each runs whatever was changed, and is told no files: it looks at all, as "make lint" does.
    assert {(hook["language"], hook["always_run"], hook["pass_filenames"]) for hook in (build, *hooks)} == {
        ("system", True, False)
    }
