# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter wiring_failed: what `failing.message` says, whose test has the rest."""

from __future__ import annotations

from ansible_collections.linuxnet.containers.plugins.filter.wiring_failed import FilterModule
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan
from ansible_collections.linuxnet.containers.tests.unit.plans import BACK

failed = FilterModule().filters()["wiring_failed"]


def test_what_failed_is_said_and_nothing_where_nothing_did() -> None:
    plan = compile_plan([BACK], [{"name": "web"}])
    assert failed(plan, {"wire": {"netns": [{"changed": True}]}}) == ""
    results = {"wire": {"netns": [{"failed": True, "item": "netns web", "msg": "No."}]}}
    assert failed(plan, results) == (
        "Failed: container 'web' at step netns: netns web: No. Left out for that: container 'web' (veth, address, route)."
    )
