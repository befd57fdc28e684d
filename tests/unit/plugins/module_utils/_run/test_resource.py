# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a resource is to the runner: a plan that changes something or not, and what every resource says of itself."""

from __future__ import annotations

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import Announce
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import PutFile
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan, Resource
from ansible_collections.linuxnet.containers.tests.unit.generated import RESOURCES


def test_a_plan_is_a_change_when_a_step_of_it_writes() -> None:
    announce, write = Announce(HOST, "eth0", "10.0.0.2", 4), PutFile("/etc/x", "a")
    assert [Plan({}, {}, steps).changed for steps in ((), (announce,), (announce, write))] == [False, False, True]


@pytest.mark.parametrize("noun", RESOURCES)
def test_a_resource_is_whole(noun: str) -> None:
    resource = RESOURCES[noun]
    assert set(resource.identity) <= set(resource.options)
    assert "state" in resource.options
    named = [name for names in resource.rules.get("mutually_exclusive", ()) for name in names]
    assert set(named) <= set(resource.options)
    for verb in ("parse", "subject", "look", "plan"):
        assert getattr(type(resource), verb) is not getattr(Resource, verb)


def test_what_a_resource_need_not_say() -> None:
    plain: Resource[int, int] = Resource()
    assert plain.together([1, 2]) == [1, 2]
    assert plain.observe(1, {"a": 1}, None) == {"a": 1}  # type: ignore[arg-type]
    for question in (lambda: plain.parse({}), lambda: plain.subject(1), lambda: plain.plan(1, 1)):
        with pytest.raises(NotImplementedError):
            question()
