# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""By which name a module is called."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils import basic
from ansible_collections.linuxnet.containers.plugins.module_utils._run.called import called


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"_ansible_module_name": "linuxnet.containers.ns_address"}, "ns_address"),
        ({"_ansible_module_name": "veth", "alias": '"_ansible_module_name": "nat"'}, "veth"),
        ({"alias": "x"}, ""),
    ],
)
def test_the_name_is_in_what_ansible_sends(
    monkeypatch: pytest.MonkeyPatch, arguments: dict[str, str], name: str
) -> None:
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
    assert called() == name


def test_without_a_task_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", None)
    assert called() == ""
