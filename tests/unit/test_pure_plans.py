# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan is a function of what is wanted and what there is: `look` reads, by the state alone, and `plan` reads nothing."""

from __future__ import annotations

import ast
import pickle
from pathlib import Path
from random import Random
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit import generated
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

UTILS = Path(__file__).resolve().parents[2] / "plugins" / "module_utils"
PLANS = 60  # a noun
# A part of the state in a file of its own reads from where the state reads.
EXTENSIONS = {"_resources/nat/state.py", "_wiring/lasting.py"}


class Closed:
    """A source that may not be asked any more."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"plan reads: {name}")


def planned(noun: str, want: Any, have: Any) -> Any:
    """The plan, or the sentence that refuses it."""
    try:
        return generated.RESOURCES[noun].plan(want, have)
    except Refused as error:
        return str(error)


@pytest.mark.parametrize("noun", sorted(generated.MAKERS))
def test_a_plan_needs_nothing_but_want_and_have(noun: str) -> None:
    """Generated: both can be sent to another process, which makes the same plan; and planning does not change them."""
    tried = changing = 0
    for number in range(PLANS * 20):
        chance = Random(f"pure {noun} {number}")
        kernel = MemoryKernel()
        generated.wire(kernel, chance)
        for want in generated.wants(noun, generated.task(chance, noun)) or ():
            state = State(kernel, predict=chance.random() < 0.3)
            try:
                have = generated.RESOURCES[noun].look(want, state)
            except Refused:
                continue
            state.source = Closed()
            sent = pickle.dumps((want, have))
            first = planned(noun, want, have)
            assert planned(noun, *pickle.loads(sent)) == first
            assert planned(noun, want, have) == first
            assert pickle.loads(sent) == (want, have)
            tried += 1
            changing += not isinstance(first, str) and bool(first.changes)
        if tried >= PLANS:
            break
    assert tried >= PLANS
    assert changing > PLANS / 5


def goes_around(path: Path) -> list[int]:
    """The lines on which a file takes the source of a state."""
    names = {"state", "_state"}
    return [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in {"source", "_source"}
        and getattr(node.value, "id", getattr(node.value, "attr", "")) in names
    ]


@pytest.mark.parametrize("path", sorted(UTILS.rglob("*.py")), ids=lambda path: str(path.relative_to(UTILS)))
def test_nobody_goes_around_the_state_to_its_source(path: Path) -> None:
    name = str(path.relative_to(UTILS))
    assert name == "_run/state.py" or name in EXTENSIONS or goes_around(path) == []


def test_the_extensions_are_files() -> None:
    assert all((UTILS / name).exists() for name in EXTENSIONS)
