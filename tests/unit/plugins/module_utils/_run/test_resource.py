# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the diff leaves out for who asks for no details."""

from __future__ import annotations

from typing import Any

from ansible_collections.linuxnet.containers.plugins.module_utils._resources import (
    bridge,
    netns,
    ns_address,
    ns_route,
    veth,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.execution import execute
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import brief
from ansible_collections.linuxnet.containers.tests.unit.asked import made, want
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

BOX: dict[str, Any] = {"name": "box", "size": 2, "twice": 4, "up": True}
USUAL, FOLLOWS = {"up": True}, {"twice": "size"}


def test_what_is_usual_and_what_follows_is_left_out_of_what_is_made_or_goes() -> None:
    assert brief(({}, BOX), USUAL, FOLLOWS) == ({}, {"name": "box", "size": 2})
    assert brief((BOX, {}), USUAL, FOLLOWS) == ({"name": "box", "size": 2}, {})
    down = {**BOX, "up": False}
    assert brief(({}, down), USUAL, FOLLOWS)[1]["up"] is False
    # What goes beside it has nothing of it.
    assert brief(({"others": ["x"]}, BOX), USUAL, FOLLOWS) == ({"others": ["x"]}, {"name": "box", "size": 2})


def test_what_changes_by_itself_is_shown() -> None:
    grown = {**BOX, "size": 3, "twice": 6}
    assert "twice" not in brief((BOX, grown), USUAL, FOLLOWS)[1]
    assert brief((BOX, {**BOX, "twice": 5}), USUAL, FOLLOWS)[1]["twice"] == 5
    assert brief((BOX, {**BOX, "up": False}), USUAL, FOLLOWS)[0]["up"] is True


def told(kernel: MemoryKernel, resource: Any, **params: Any) -> tuple[str, str, str]:
    """The diff of a task without -v: header, before, after."""
    (result,), dummy = execute(resource, [want(resource, **params)], kernel, False, details=False)
    diff = result["diff"]
    return diff["before_header"], diff["before"], diff["after"]


def test_a_pair_names_its_container_and_an_address_what_ends_with_it() -> None:
    kernel = MemoryKernel()
    made(kernel, netns.RESOURCE, name="web")
    made(kernel, bridge.RESOURCE, name="br0")
    pair = {"name": "web0", "peer_netns": "web", "bridge": "br0"}
    assert told(kernel, veth.RESOURCE, **pair) == ("veth web0 (eth0 of web)", "", "is made\nbridge br0\n")
    assert told(kernel, veth.RESOURCE, mtu="1400", **pair)[1:] == ("mtu 1500\n", "mtu 1400\n")
    assert told(kernel, veth.RESOURCE, **{**pair, "bridge": ""})[1:] == ("bridge br0\n", "bridge none\n")
    address = {"interface": "eth0", "netns": "web", "exclusive": True}
    assert told(kernel, ns_address.RESOURCE, address="10.0.0.2/24", **address)[1:] == ("", "address 10.0.0.2/24\n")
    route = {"netns": "web", "gateway": "10.0.0.1"}
    assert told(kernel, ns_route.RESOURCE, **route)[1:] == ("", "is made\ngateway 10.0.0.1\n")
    assert told(kernel, ns_address.RESOURCE, address="10.0.0.2/16", **address)[1:] == (
        "address 10.0.0.2/24\n",
        "address 10.0.0.2/16\n",
    )
    assert told(kernel, ns_address.RESOURCE, address="10.0.0.3/16", **address)[1:] == (
        "address 10.0.0.2/16\nconnections of 10.0.0.2\n",
        "address 10.0.0.3/16\n",
    )
