# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plugin of pytest that finds the tests which need another kernel than the machine's.

Those are the tests that are marked ``needs``, or that call ``needs(...)`` themselves or in a fixture, with a capability of the table
KERNEL of tests/conftest.py that the machine's kernel lacks. What a call is given is found out without running the test: from literals,
globals and the test's parameters. And those marked ``with_or_without``: on another kernel they may show their other side.

With KERNEL_CHOICE in the environment all other tests are deselected, and the choice is written there, as JSON:
{"kernel": {capability: whether it is there}, "tests": {node id: [capability, ...]}}.
"""

from __future__ import annotations

import ast
import inspect
import json
import os
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest


def functions(item: pytest.Item) -> Iterator[Callable[..., Any]]:
    """The test's function, and those of all its fixtures."""
    if isinstance(item, pytest.Function):
        yield item.function
        for definitions in item._fixtureinfo.name2fixturedefs.values():
            yield definitions[-1].func


def given_to_needs(function: Callable[..., Any], parameters: Mapping[str, Any]) -> set[str]:
    """What the function hands to ``needs``, as far as that can be told before it runs."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError):  # made by a library, without a source
        return set()
    found: set[str] = set()
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "needs":
            for argument in call.args:
                code = compile(
                    ast.Expression(ast.List([argument], ast.Load(), lineno=1, col_offset=0)), "needs", "eval"
                )
                try:
                    found.update(eval(code, inspect.unwrap(function).__globals__, dict(parameters)))
                except Exception:
                    continue  # known only when it runs: an engine, by its fixture's parameter
    return found


def asked(item: pytest.Item) -> set[str]:
    """The capabilities that the test may skip for."""
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    found = {name for mark in item.iter_markers("needs") for name in mark.args}
    for function in functions(item):
        found |= given_to_needs(function, parameters)
    return found


def choose(items: list[pytest.Item], lacking: set[str]) -> dict[str, list[str]]:
    """The capabilities a test is about, by node id, of the tests that are about any."""

    def about(item: pytest.Item) -> set[str]:
        either = {name for mark in item.iter_markers("with_or_without") for name in mark.args}
        return (asked(item) & lacking) | either

    wanted = {item.nodeid: sorted(about(item)) for item in items}
    return {name: capabilities for name, capabilities in wanted.items() if capabilities}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what is chosen, and write it down."""
    if "KERNEL_CHOICE" not in os.environ:
        return
    tables: Any = config.pluginmanager.get_plugin(str(config.rootpath / "tests" / "conftest.py"))
    kernel = {name: bool(tables.present(name)) for name in tables.KERNEL}
    tests = choose(items, {name for name, there in kernel.items() if not there})
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in tests])
    items[:] = [item for item in items if item.nodeid in tests]
    Path(os.environ["KERNEL_CHOICE"]).write_text(json.dumps({"kernel": kernel, "tests": tests}), encoding="utf-8")
