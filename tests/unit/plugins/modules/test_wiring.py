# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The package of `wiring` is each module when it is called so."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import basic
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import complete, files
from ansible_collections.linuxnet.containers.plugins.module_utils._run import runner, step_runner
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import lasting
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import KEEP, STEPS
from ansible_collections.linuxnet.containers.plugins.modules import wiring, wiring_info

NOUNS = {step.module for step in STEPS if step.name != KEEP}


def called(monkeypatch: pytest.MonkeyPatch, module: Any, name: str | None, **more: Any) -> list[Any]:
    """What a module hands the runner, called by a name; the steps' runner is handed just the options here."""
    handed: list[Any] = []
    args = {"ANSIBLE_MODULE_ARGS": {"_ansible_module_name": name, **more} if name else {}}
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps(args).encode())
    monkeypatch.setattr(runner, "run", lambda *given: handed.extend(given))
    monkeypatch.setattr(runner, "run_info", lambda *given: handed.extend(given))
    monkeypatch.setattr(step_runner, "run_steps", lambda options, *dummy: handed.append(sorted(options)))
    module.main()
    return handed


def test_all_nouns_of_the_chain_are_there() -> None:
    assert set(wiring.NOUNS) == NOUNS


@pytest.mark.parametrize("noun", sorted(NOUNS))
def test_called_as_a_noun_it_hands_the_runner_what_that_module_does(monkeypatch: pytest.MonkeyPatch, noun: str) -> None:
    own = importlib.import_module(f"ansible_collections.linuxnet.containers.plugins.modules.{noun}")
    handed = called(monkeypatch, wiring, f"linuxnet.containers.{noun}")
    assert len(handed) == 4
    assert [handed.pop(), handed.pop()] == [wiring._kept, wiring._foreseen]  # which only the role needs
    assert handed == called(monkeypatch, own, f"linuxnet.containers.{noun}")


def test_called_as_wiring_info_it_hands_the_runner_what_that_does(monkeypatch: pytest.MonkeyPatch) -> None:
    handed = called(monkeypatch, wiring, "linuxnet.containers.wiring_info")
    *same, besides = called(monkeypatch, wiring_info, "linuxnet.containers.wiring_info")
    assert len(same) == 3
    assert handed[:3] == same
    assert handed[3]() == besides() == {}


@pytest.mark.parametrize("name", ["linuxnet.containers.wiring", "wiring", None])
def test_called_by_its_own_name_it_takes_the_steps(monkeypatch: pytest.MonkeyPatch, name: str | None) -> None:
    assert called(monkeypatch, wiring, name) == [
        [
            "containers",
            "drift",
            "firewall_backend",
            "fleet",
            "links",
            "networks",
            "persist",
            "purge",
            "slice",
            "state",
            "underlay_address",
        ]
    ]


def test_as_a_step_of_the_role_it_hands_the_runner_what_the_host_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    handed = called(monkeypatch, wiring, "linuxnet.containers.wiring", step=["wire", "keep"])
    assert handed == [lasting.RESOURCE, complete.Kernel, wiring._foreseen, wiring._kept]


def test_a_step_says_whether_the_host_keeps_a_plan(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(files, "KEPT_FOLDER", str(tmp_path / "kept"))
    assert wiring._kept() == {}
    (tmp_path / "kept").mkdir()
    assert wiring._kept() == {"kept": True}
