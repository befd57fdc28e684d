# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of a compiled plan share: networks, and the steps of a plan for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan

DOCKER0: dict[str, Any] = {"name": "docker0", "subnets": ["172.17.0.0/16", "fd00:17::/64"]}
BACK: dict[str, Any] = {"name": "back", "subnets": ["10.1.0.0/24"]}
NO_LOOPBACK = {"netns": "web", "interface": "lo", "state": "absent", "supersede": True}
NO_ROUTES = {"netns": "web", "state": "absent", "exclusive": True}
NO_PORTS = {"type": "dnat", "owner": "web", "state": "absent"}
NOTHING_PUBLISHED = {**NO_PORTS, "addresses": ["web"]}
NO_CHECKS = {"type": "spoof_check", "owner": "web", "state": "absent", "optional": True}
# Of a container with addresses from pools: the check before there is a pair, and with what it was given.
CHECK = {
    "type": "spoof_check", "owner": "web", "comment": "wiring", "peer_netns": "web", "peer_name": "eth0", "addresses": [],
    "optional": True,
}  # fmt: skip
CHECKED_FIRST = {**CHECK, "exclusive": True, "keep_held": True}


def wire(networks: Sequence[Any], containers: Sequence[Any]) -> dict[str, list[dict[str, Any]]]:
    """The items by step of a plan that takes nothing down, but for who is listed on a network."""
    plan = compile_plan(networks, containers)
    assert not any(plan["teardown"].values())
    listed(plan)
    return plan["wire"]


def listed(plan: Any) -> dict[str, list[str]]:
    """Take what a plan says of who is listed on a network out of it, and return it by network."""
    found: dict[str, list[str]] = {}
    for item in [*plan["wire"]["bridge"], *plan["wire"]["nat"]]:
        if "listed" in item:
            name = item.get("name") or item["owner"]
            assert found.setdefault(name, item["listed"]) == item.pop("listed")
    return found
