# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the unit tests of the resources ask: one want, its plan on a host, or the sentence that refuses it."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._run import validation
from ansible_collections.linuxnet.containers.plugins.module_utils._run.execution import execute
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

T = TypeVar("T")


def whatever_its_owner(title: str) -> str:
    """The header of a diff, without whose it is."""
    return re.sub(r" \((?:\S+ )?of \S+\)$", "", title)


def existing(found: T | None) -> T:
    """What was looked for and has to be there."""
    assert found is not None
    return found


def want(resource: Any, **params: Any) -> Any:
    """The want of a task with these options."""
    (found,) = validation.items(resource, params)
    return found


def refusal(resource: Any, **params: Any) -> str:
    """The sentence that refuses these options before anything is read."""
    try:
        want(resource, **params)
    except Refused as error:
        return str(error)
    raise AssertionError(f"{params} should have been refused")


def plan(kernel: MemoryKernel, resource: Any, **params: Any) -> Any:
    """What would be done on a host."""
    state = State(kernel)
    one = resource.resolved(want(resource, **params), state)
    return resource.plan(one, resource.look(one, state))


def made(kernel: MemoryKernel, resource: Any, **params: Any) -> dict[str, Any]:
    """Do it, and return the result, which must be no failure."""
    (result,), dummy = execute(resource, [want(resource, **params)], kernel, False)
    assert not result.get("failed"), result["msg"]
    return result


def failed(kernel: MemoryKernel, resource: Any, **params: Any) -> str:
    """Try it, and return the message of the failure."""
    (result,), dummy = execute(resource, [want(resource, **params)], kernel, False)
    assert result.get("failed"), f"{params} should have failed"
    return str(result["msg"])
