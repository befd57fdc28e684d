# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The groups for `module_defaults`: each module of one takes what the group is for."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.linuxnet.containers.plugins.module_utils._run.runner import argument_spec

ROOT = Path(__file__).resolve().parents[2]
GROUPS: dict[str, list[str]] = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))["action_groups"]
MODULES = {path.stem for path in (ROOT / "plugins/modules").glob("*.py")}
UTILS = "ansible_collections.linuxnet.containers.plugins.module_utils"


def options(name: str) -> dict[str, Any]:
    """The argument spec of a module."""
    wiring = importlib.import_module("ansible_collections.linuxnet.containers.plugins.modules.wiring")
    if name in wiring.NOUNS:
        return argument_spec(importlib.import_module(f"{UTILS}._resources.{wiring.NOUNS[name][0]}").RESOURCE)
    if name == "ns_link":  # which the role's chain has not
        return argument_spec(importlib.import_module(f"{UTILS}._resources.ns_link").RESOURCE)
    file = {"wiring": "_wiring.variables", "wiring_info": "_wiring.survey", "path_info": "_path.question"}[name]
    found: dict[str, Any] = importlib.import_module(f"{UTILS}.{file}").OPTIONS
    return found


def test_all_are_all() -> None:
    assert {*GROUPS["all"]} == MODULES
    assert not set.intersection(*(set(options(name)) for name in MODULES)), "else say so in the documentation"


def test_those_in_a_namespace_take_its_name_and_a_state() -> None:
    taking = {
        name for name in MODULES if {"netns", "state"} <= {*options(name)} and options(name)["netns"]["type"] == "str"
    }
    assert {*GROUPS["in_netns"]} == taking
