# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module's arguments."""

from __future__ import annotations

from ansible_collections.linuxnet.containers.plugins.module_utils._resources import bridge
from ansible_collections.linuxnet.containers.plugins.module_utils._run import runner

BRIDGE = bridge.RESOURCE


def test_a_module_s_options_are_its_items_options_and_none_is_required() -> None:
    spec = runner.argument_spec(BRIDGE)
    assert set(spec) == set(BRIDGE.options) | {"aggregate", "netns_anew", "links_gone", "step", "plan"}
    assert not any("required" in option for option in spec.values())
    assert BRIDGE.options["name"]["required"] is True
