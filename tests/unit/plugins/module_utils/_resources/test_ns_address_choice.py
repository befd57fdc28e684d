# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which address an interface gets."""

from __future__ import annotations

from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_address import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import validation
from ansible_collections.linuxnet.containers.plugins.module_utils._run.execution import execute
from ansible_collections.linuxnet.containers.tests.unit.asked import failed, made, plan
from ansible_collections.linuxnet.containers.tests.unit.wired_host import two_containers

ETH0 = {"netns": "web", "interface": "eth0"}
POOL = {**ETH0, "pool": "10.0.0.0/24", "bridge": "br0"}


def test_d2_a_task_gives_each_container_its_own_address() -> None:
    kernel = two_containers()
    items = [{"netns": name, "interface": "eth0"} for name in ("web", "db")]
    params = {"aggregate": items, "pool": "10.0.0.0/29", "bridge": "br0", "strategy": "lowest"}
    results, dummy = execute(RESOURCE, validation.items(RESOURCE, params), kernel, False)
    assert [one["after"]["address"] for one in results] == ["10.0.0.2/29", "10.0.0.3/29"]


def test_d4_the_same_owner_gets_the_same_address_and_hears_when_it_cannot() -> None:
    kernel = two_containers()
    usual = made(kernel, RESOURCE, **POOL)["after"]["ip"]
    made(kernel, RESOURCE, state="absent", **POOL)
    assert made(kernel, RESOURCE, **POOL)["after"]["ip"] == usual
    made(kernel, RESOURCE, state="absent", **POOL)
    made(kernel, RESOURCE, netns="db", interface="eth0", address=usual + "/24")
    found = plan(kernel, RESOURCE, **POOL)
    assert found.after["ip"] != usual
    assert found.warnings[0].startswith(f"web/eth0: its usual address {usual} is taken by eth0 in ")


def test_d6_an_address_in_use_is_refused_and_its_holder_named() -> None:
    kernel = two_containers()
    assert failed(kernel, RESOURCE, address="10.0.0.1/24", bridge="br0", **ETH0) == (
        "address: 10.0.0.1 is taken by br0 in the host."
    )
    kernel.on_the_wire = {"10.0.0.9": "02:00:00:00:00:99"}
    assert failed(kernel, RESOURCE, address="10.0.0.9/24", probe=True, **ETH0) == (
        "address: 10.0.0.9 is taken: a neighbour with the MAC address 02:00:00:00:00:99 answers for it."
    )
    assert failed(kernel, RESOURCE, address="10.0.0.254/24", gateway="10.0.0.254", bridge="br0", **ETH0) == (
        "address: 10.0.0.254 is the gateway's."
    )


def test_d8_a_full_pool_says_what_became_of_it() -> None:
    kernel = two_containers()
    made(kernel, RESOURCE, netns="db", interface="eth0", address="10.0.0.2/24")
    assert failed(kernel, RESOURCE, **ETH0, pool="10.0.0.0/29", bridge="br0", exclude=["10.0.0.3-10.0.0.6"]) == (
        "pool: no free address in 10.0.0.0/29: 6 usable, 1 in use, 4 excluded, 1 reserved for the gateway."
    )
