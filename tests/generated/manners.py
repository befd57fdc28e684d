# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two manners in which the role does its work: in one task, and as the chain of its own tasks.

The chain is the role's files: their tasks, conditions and expressions are read here, so that nothing of them stands a second time. Modules
and filters are the collection's own, called in this process; what Ansible does between the two is left out.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleError
from ansible.module_utils.common import warnings
from ansible.utils.display import Display
from jinja2.nativetypes import NativeEnvironment
from jinja2.runtime import Context
from jinja2.utils import missing

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lab"))

import agent
from ansible_collections.linuxnet.containers.plugins.plugin_utils import packing

ROOT = Path(__file__).resolve().parent.parent.parent
COLLECTION = "linuxnet.containers."
PLUGINS = "ansible_collections.linuxnet.containers.plugins"
DEFAULTS: dict[str, Any] = {
    "networks": [],
    "containers": [],
    "state": "present",
    "purge": False,
    "fleet": [],
    "underlay_address": "",
    "slice": None,
}
Outcome = dict[str, Any]  # "steps": [(title, results)], "msg": "" unless it failed, "warnings", "result", "recap"


def call(name: str, arguments: dict[str, Any], check: bool) -> dict[str, Any]:
    """Run a module in this process, from the package of all, and return its result."""
    out = io.StringIO()
    warnings._global_warnings.clear()
    with contextlib.redirect_stdout(out):
        agent.call_module({"name": name, "package": "wiring", "args": arguments, "check": check, "diff": True})
    found: dict[str, Any] | None = agent.parsed(out.getvalue())
    if found is None:
        raise AssertionError(f"{name} returned no result: {out.getvalue()}")
    if "exception" in found and "Traceback" in str(found["exception"]):
        raise AssertionError(f"{name} failed with a traceback: {found['exception']}")
    return found


@contextlib.contextmanager
def _warned() -> Iterator[list[str]]:
    """What is warned of in a block. Where Ansible knows that it is on a controller, modules' warnings go to its display at once."""
    found: list[str] = []
    shown, Display.warning = Display.warning, lambda self, msg, *args, **kwargs: found.append(msg)
    try:
        yield found
    finally:
        Display.warning = shown


def said(result: dict[str, Any]) -> list[str]:
    """The warnings of a result, however this ansible-core wraps them."""
    return [one if isinstance(one, str) else one["event"]["msg"] for one in result.get("warnings", [])]


def one_task(variables: dict[str, Any], check: bool) -> Outcome:
    """What the module ``wiring`` returns for the role's variables, without their prefix."""
    titles = {(step.half, step.name): step.title for step in _steps()}
    with _warned() as warned:
        done = call("wiring", {**DEFAULTS, **variables}, check)
    steps = [[titles[one["half"], one["step"]], one["results"]] for one in done.get("results", [])]
    msg = str(done["msg"]) if done.get("failed") else ""
    result = {name: done.get(f"wiring_{name}") for name in ("result", "recap")}
    return {"steps": steps, "msg": msg, "warnings": _once([*warned, *said(done)]), **result}


def chain(variables: dict[str, Any], check: bool) -> Outcome:
    """What the role's tasks return for its variables, without their prefix, in the order of its files."""
    role = _Role({f"wiring_{name}": value for name, value in {**DEFAULTS, **variables}.items()}, check)
    with _warned() as warned:
        try:
            role.include("purge.yml" if role.known["wiring_purge"] else "steps.yml")
            msg = role.known["wiring_failed"]  # what the role's last task fails with
        except (AnsibleError, _Failed) as error:
            msg = str(error)
    told = _once([*warned, *role.warnings])
    result = {name: role.known.get(f"wiring_{name}") for name in ("result", "recap")}
    return {"steps": role.steps, "msg": msg, "warnings": told, **result}


def _once(listed: list[str]) -> list[str]:
    return list(dict.fromkeys(listed))


def _steps() -> Any:
    return importlib.import_module(f"{PLUGINS}.module_utils._wiring.steps").STEPS


def nouns() -> list[str]:
    """The files of the nouns' resources and kernels, below module_utils."""
    listed = importlib.import_module(f"{PLUGINS}.modules.wiring").NOUNS.values()
    return [name for resource, kernel in listed for name in (f"_resources.{resource}", f"_kernel.{kernel}")]


class _Failed(Exception):
    """A module failed, with this message."""


class _Role:
    """A run of the role's files of tasks."""

    environment: Any = None
    files: dict[str, Any] = {}
    compiled: dict[str, Any] = {}

    def __init__(self, variables: dict[str, Any], check: bool) -> None:
        self.known: dict[str, Any] = {"wiring_firewall_backend": "auto", **variables}
        self.check = check
        self.steps: list[list[Any]] = []
        self.warnings: list[str] = []
        self.lazy = self._read("vars/main.yml")
        if _Role.environment is None:
            _Role.environment = _environment()

    def include(self, name: str) -> None:
        """Carry out a file of tasks."""
        for task in self._read(f"tasks/{name}"):
            self._task(task)

    @classmethod
    def _read(cls, name: str) -> Any:
        if name not in cls.files:
            cls.files[name] = yaml.safe_load((ROOT / "roles" / "wiring" / name).read_text(encoding="utf-8"))
        return cls.files[name]

    def _task(self, task: dict[str, Any]) -> None:
        own = task.get("vars", {})
        if "when" in task and not self.value("{{" + task["when"] + "}}", own):
            if "register" in task:
                self.known[task["register"]] = {"changed": False, "skipped": True}
            return
        if "block" in task:
            self._block(task)
            return
        action, arguments = next((key, value) for key, value in task.items() if "." in key)
        done: dict[str, Any] = {"changed": False, "failed": True}
        try:
            if action == "ansible.builtin.include_tasks":
                self.include(self.value(arguments, own))
            elif action == "ansible.builtin.set_fact":
                self.known.update(self.value(arguments, own))
            elif action == "ansible.builtin.fail":
                raise _Failed(self.value(arguments["msg"], own))
            else:
                done = self._module(task["name"], action.removeprefix(COLLECTION), self.value(arguments, own))
                done = packing.told_at_the_end(done) if "step" in arguments and packing.goes_on(done) else done
            done = (
                {**done, "failed": done.get("failed", False)} if action.startswith(COLLECTION) else {"changed": False}
            )
        finally:
            if "register" in task:
                self.known[task["register"]] = done
        if done.get("failed"):
            raise _Failed(done["msg"])

    def _block(self, task: dict[str, Any]) -> None:
        try:
            for one in task["block"]:
                self._task(one)
        except (AnsibleError, _Failed):
            if "rescue" not in task:
                raise
            for one in task["rescue"]:
                self._task(one)
        finally:
            for one in task.get("always", ()):
                self._task(one)

    def _module(self, title: str, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if "step" in arguments:
            arguments = {
                **arguments,
                "aggregate": packing.able(arguments["step"], arguments["aggregate"], self.known),
            }
        told = packing.foresight(arguments, self.known, self.check)
        done = call(name, json.loads(json.dumps({**arguments, **told})), self.check)
        self.warnings += said(done)
        if "results" in done:
            self.steps.append([title, done["results"]])
        return done

    def value(self, given: Any, own: dict[str, Any]) -> Any:
        """A value with its expressions filled in."""
        if isinstance(given, dict):
            return {name: self.value(value, own) for name, value in given.items()}
        if isinstance(given, list):
            return [self.value(value, own) for value in given]
        if not isinstance(given, str) or "{{" not in given:
            return given
        if given not in self.compiled:
            self.compiled[given] = self.environment.from_string(given)
        found = self.compiled[given].render(role=self, own=own)
        return list(found) if isinstance(found, Iterator) else found  # as Ansible does


class _Context(Context):  # type: ignore[misc, unused-ignore]
    """What an expression can name: facts, registered results, and the role's other variables, which are filled in where they are named."""

    def resolve_or_missing(self, key: str) -> Any:
        found = super().resolve_or_missing(key)
        if found is not missing or key in ("role", "own"):
            return found
        role, own = self.parent["role"], self.parent["own"]
        for place in (own, role.known, role.lazy):
            if key in place:
                return role.known[key] if place is role.known else role.value(place[key], own)
        return missing


def _environment() -> NativeEnvironment:
    """Jinja with what the role's expressions use of Ansible's."""
    environment = NativeEnvironment()
    environment.context_class = _Context
    environment.filters["bool"] = lambda value: str(value).lower() in ("true", "yes", "1", "on")
    environment.filters["flatten"] = _flattened
    environment.tests["failed"] = lambda value: bool(value.get("failed"))
    environment.filters["to_json"] = json.dumps
    for name in ("wiring_failed", "wiring_fleet", "wiring_plan", "wiring_published", "wiring_recap", "wiring_result"):
        module = importlib.import_module(f"{PLUGINS}.filter.{name}")
        environment.filters[COLLECTION + name] = module.FilterModule().filters()[name]
    return environment


def _flattened(value: Any) -> list[Any]:
    return [one for entry in value for one in (_flattened(entry) if isinstance(entry, list) else [entry])]
