# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The alphabet of mistakes: what users write wrongly, as YAML, and the sentence that each way of the collection refuses it with.

`recorded/mistakes.txt` has them: the YAML, then a line ``=> SENTENCE``. YAML that sets variables of the role is asked of the role's
filter and of the module `wiring`; YAML that is a task is asked of its module. ``python -m … tests.unit.mistakes`` prints the file as it
would have to be.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import yaml
from ansible.module_utils import basic
from ansible_collections.linuxnet.containers.plugins.filter import wiring_plan
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import reader
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from jinja2 import Environment

FILE = Path(__file__).parent / "recorded/mistakes.txt"
MODULES = "ansible_collections.linuxnet.containers.plugins.modules"
# What a mistake leaves out.
NETWORKS: list[Any] = [
    {"name": "front", "subnets": ["172.17.0.0/16", "fd00:17::/64"]},
    {"name": "back", "subnets": ["172.18.0.0/24"]},
]


@dataclass(frozen=True)
class Mistake:
    """``text`` is what a user writes, ``sentence`` what is said to it, ``heading`` what is above it in the file."""

    text: str
    sentence: str
    heading: str = ""

    @property
    def written(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load(self.text)
        return found


def recorded() -> list[Mistake]:
    """All of the file, in order."""
    found: list[Mistake] = []
    lines: list[str] = []
    heading = ""
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading += line + "\n"
        elif line.startswith("=>"):
            found.append(Mistake("\n".join(lines), line.removeprefix("=>").strip(), heading))
            heading, lines = "", []
        elif line:
            lines.append(line)
    return found


def ways(mistake: Mistake) -> dict[str, str]:
    """What each way that can be asked says, by its name; what it says nothing to is an error."""
    written = mistake.written
    if not any(name.startswith("wiring") for name in written):
        ((name, arguments),) = written.items()
        return {name: by_module(name, arguments)}
    lists = {
        name: written.get(f"wiring_{name}", default) for name, default in (("networks", NETWORKS), ("containers", []))
    }
    others = ("fleet", "underlay_address", "links")
    fleet = {name: written[f"wiring_{name}"] for name in others if f"wiring_{name}" in written}
    ways = {"filter": by_filter(written, **lists, **fleet)}
    if set(written) <= {f"wiring_{name}" for name in (*lists, *others)}:
        ways["wiring"] = by_module("wiring", {**lists, **fleet})
    return ways


def by_filter(variables: dict[str, Any], networks: Any, containers: Any, **fleet: Any) -> str:
    """What the role's filter says, in a play with these variables."""
    context = Environment(autoescape=True).from_string("").new_context({"omit": object(), **variables})
    plan = wiring_plan.wiring_plan(context, networks, containers, refusal=True, **fleet)
    return str(plan.get("refusal", "nothing"))


def by_module(name: str, arguments: dict[str, Any]) -> str:
    """What a module says, called as Ansible does."""
    return str(answer(name, arguments, Refused("nothing")).get("msg", "nothing"))


def answer(name: str, arguments: dict[str, Any], raised: BaseException) -> dict[str, Any]:
    """What a module returns, called as Ansible does, where something is ``raised`` as soon as it looks at the host."""
    internal = {"_ansible_check_mode": True, "_ansible_module_name": name, "_ansible_remote_tmp": "/tmp"}
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": {**arguments, **internal}}).encode()
    if hasattr(basic, "_ANSIBLE_PROFILE"):  # ansible-core 2.19 and later
        basic._ANSIBLE_PROFILE = "legacy"
    output = io.StringIO()
    stop = mock.patch.object(reader.Reader, "require", side_effect=raised)
    try:
        with contextlib.redirect_stdout(output), contextlib.suppress(SystemExit), stop:
            importlib.import_module(f"{MODULES}.{name}").main()
    finally:
        basic._ANSIBLE_ARGS = None
    found: dict[str, Any] = json.loads(output.getvalue())
    return found


@functools.cache
def as_it_is() -> str:
    """The file with what is said now."""
    text = ""
    for mistake in recorded():
        said = ways(mistake)
        agreed = len(set(said.values())) == 1
        sentence = next(iter(said.values())) if agreed else " | ".join(f"{way}: {line}" for way, line in said.items())
        text += f"{mistake.heading and mistake.heading + chr(10)}{mistake.text}\n=> {sentence}\n\n"
    return text.rstrip("\n") + "\n"


if __name__ == "__main__":
    sys.stdout.write(as_it_is())
