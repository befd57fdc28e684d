# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the module wiring are the role's variables without their prefix: in its documentation, and as it reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.variables import OPTIONS
from ansible_collections.linuxnet.containers.plugins.modules import wiring

ROOT = Path(__file__).resolve().parents[5]
ROLE_ONLY = {"wiring_one_task", "wiring_install_dependencies"}  # how the role goes about it
DOCUMENTED: dict[str, Any] = yaml.safe_load(wiring.DOCUMENTATION)["options"]


def role() -> dict[str, Any]:
    """The role's variables, as its argument_specs have them."""
    text = (ROOT / "roles/wiring/meta/argument_specs.yml").read_text(encoding="utf-8")
    options: dict[str, Any] = yaml.safe_load(text)["argument_specs"]["main"]["options"]
    return options


def bare(options: dict[str, Any], nested: str) -> dict[str, Any]:
    """Options without their texts; those of an option's items, ``nested``, are called ``options``."""
    found = {}
    for name, option in options.items():
        kept = {key: value for key, value in option.items() if key not in ("description", nested)}
        if nested in option:
            kept["options"] = bare(option[nested], nested)
        found[name] = kept
    return found


def test_the_documentation_is_the_role_s() -> None:
    mine = {name: option for name, option in role().items() if name not in ROLE_ONLY}
    without_prefix = json.loads(json.dumps(mine).replace("wiring_", ""))
    assert json.loads(json.dumps(DOCUMENTED).replace('"suboptions"', '"options"')) == without_prefix


def test_the_module_reads_what_is_documented() -> None:
    assert bare(DOCUMENTED, "suboptions") == bare(OPTIONS, "options")
