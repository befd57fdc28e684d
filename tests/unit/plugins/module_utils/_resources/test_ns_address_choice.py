# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which address an interface gets."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import PROTOCOL
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Address, Holder, Link
from ansible_collections.linuxnet.containers.plugins.module_utils._model.pools import Pool
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_address import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_address_choice import (
    Search,
    asked_for,
    is_settled,
    kernel_marks,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run import validation
from ansible_collections.linuxnet.containers.plugins.module_utils._run.execution import execute
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.asked import existing, failed, made, plan, want
from ansible_collections.linuxnet.containers.tests.unit.wired_host import WEB, two_containers

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
    assert found.warnings[0].startswith(f"web/eth0: its usual address {usual} is taken by a namespace ")


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
        "pool: no free address in 10.0.0.0/29: 6 usable, 1 in use, 4 excluded, 1 reserved for the gateway. "
        "In use: 1 by a namespace without a name (id -1)."
    )
    for number in range(3, 7):
        made(kernel, RESOURCE, netns="db", interface="eth0", address=f"10.0.0.{number}/24")
    said = failed(kernel, RESOURCE, **ETH0, pool="10.0.0.0/29", bridge="br0")
    assert said.endswith(
        "5 in use, 0 excluded, 1 reserved for the gateway. In use: 5 by a namespace without a name (id -1)."
    )


def test_of_those_who_have_a_full_pool_the_first_are_named() -> None:
    pool = Pool(ip_network("10.0.0.0/28"), None, [], None)
    holders = {
        ip_address(f"10.0.0.{number}"): Holder(Address(f"10.0.0.{number}", 24, 4), number % 7 + 1, 2, f"c{number % 7}")
        for number in range(1, 15)
    }
    search = Search(
        want(RESOURCE, **ETH0, pool="10.0.0.0/28"), 1, Link(2, "eth0", "veth"), 1, None, State(two_containers())
    )
    holders[ip_address("10.0.0.3")] = holders[ip_address("10.0.0.1")]
    assert search._all_holders(pool, holders) == "3 by c1, 2 by c0, 2 by c2, 2 by c4, 2 by c5 and by 2 more"


# --- ours by mark ---

OURS = Address("10.0.0.9", 24, 4, label="eth0", protocol=PROTOCOL)
WIDE = Address("10.0.0.9", 16, 4, label="eth0", protocol=PROTOCOL)
THEIRS = Address("10.0.0.8", 24, 4, label="eth0")
OURS6, THEIRS6 = Address("fd00::9", 64, 6, protocol=PROTOCOL), Address("fd00::8", 64, 6)
LOOPBACK = Address("::1", 128, 6, scope="host", protocol=1)


@pytest.mark.parametrize(
    ("pool", "own", "found"),
    [
        ("10.0.0.0/24", [THEIRS, OURS], OURS),
        ("fd00::/64", [THEIRS6, OURS6], OURS6),
        # Wired by hand, and ours nowhere.
        ("10.0.0.0/24", [THEIRS], THEIRS),
        ("fd00::/64", [THEIRS6], THEIRS6),
        ("10.0.0.0/24", [Address("10.0.0.8", 24, 4, valid_lft=60, preferred_lft=60)], None),
        ("10.0.0.0/24", [Address("10.0.0.8", 24, 4, preferred_lft=0)], None),
        ("fd00::/64", [Address("fd00::8", 64, 6, secondary=True)], None),
        ("fd00::/64", [Address("fd00::8", 64, 6, dadfailed=True)], None),
        ("fd00::/64", [Address("fd00::9", 64, 6, dadfailed=True, protocol=PROTOCOL)], None),
        # The pool grew or shrank around it: it is kept.
        ("10.0.0.0/24", [WIDE], WIDE),
        ("10.0.0.0/24", [Address("10.0.0.8", 16, 4)], None),
        ("10.0.0.0/24", [Address("10.0.0.7", 16, 4, protocol=PROTOCOL), OURS], OURS),
    ],
)
def test_an_address_of_a_pool_is_ours_by_its_mark(pool: str, own: list[Address], found: Address | None) -> None:
    assert asked_for(want(RESOURCE, pool=pool, **ETH0), own) == found


def test_a_kernel_that_marks_addresses_has_marked_its_own() -> None:
    kernel = two_containers()
    web = existing(kernel.find(WEB))
    made(kernel, RESOURCE, **POOL)
    assert kernel_marks(web, State(kernel)) is False, "what we set proves nothing"
    kernel.apply(PutAddress(HOST, "br0", LOOPBACK))
    assert kernel_marks(web, State(kernel)) is True


def test_the_mark_decides_in_a_task() -> None:
    kernel = two_containers()
    kernel.apply(PutAddress(HOST, "br0", LOOPBACK))
    first = made(kernel, RESOURCE, **POOL, supersede=True)
    kernel.apply(PutAddress(WEB, "eth0", THEIRS))
    again = made(kernel, RESOURCE, **POOL, supersede=True)
    assert (again["changed"], again["after"]["ip"]) == (False, first["after"]["ip"])
    assert first["after"]["ip"] != THEIRS.ip
    made(kernel, RESOURCE, **POOL, state="absent")
    assert [one for _index, one in kernel.addresses(existing(kernel.find(WEB)))] == [THEIRS]


@pytest.mark.parametrize(
    ("address", "given", "settled"),
    [
        (THEIRS, {}, True),
        (Address("10.0.0.8", 24, 4, valid_lft=60), {}, False),
        (Address("10.0.0.8", 24, 4, valid_lft=60), {"valid_lft": "60"}, True),
        (Address("10.0.0.8", 24, 4, valid_lft=60, protocol=PROTOCOL), {}, True),
        (Address("10.0.0.8", 24, 4, secondary=True), {}, True),
        (Address("fd00::8", 64, 6, secondary=True), {}, False),
        (Address("fd00::8", 64, 6, dadfailed=True, protocol=PROTOCOL), {}, False),
    ],
)
def test_what_counts_as_given(address: Address, given: dict[str, str], settled: bool) -> None:
    assert is_settled(want(RESOURCE, address=address.cidr, **given, **ETH0), address) is settled


def test_a_fixed_address_that_another_node_has_too_is_set_anew() -> None:
    kernel = two_containers()
    kernel.apply(PutAddress(WEB, "eth0", Address("fd00::8", 64, 6, dadfailed=True)))
    found = plan(kernel, RESOURCE, address="fd00::8/64", announce=False, **ETH0)
    assert [type(step).__name__ for step in found.changes] == ["DelAddress", "PutAddress"]
    assert found.before["dadfailed"] is True


def test_ipv6_that_is_off_is_switched_on_where_it_is_asked_for() -> None:
    kernel = two_containers()
    kernel.apply(SetSysctl(WEB, "net/ipv6/conf/eth0/disable_ipv6", "1", "0"))
    first, *dummy = plan(kernel, RESOURCE, address="fd00::2/64", **ETH0).changes
    assert first == SetSysctl(WEB, "net/ipv6/conf/eth0/disable_ipv6", "0", "1")
    made(kernel, RESOURCE, address="fd00::2/64", **ETH0)
    kernel.apply(SetSysctl(HOST, "net/ipv6/conf/lo/disable_ipv6", "1", "0"))
    message = failed(kernel, RESOURCE, address="fd00::2/64", interface="lo")
    assert message.startswith(
        "address: IPv6 is switched off on lo of the host; set the sysctl net/ipv6/conf/lo/disable_ipv6"
    )


def test_ipv6_needs_an_mtu_of_1280() -> None:
    kernel = two_containers()
    kernel.apply(SetLink(WEB, "eth0", {"mtu": 1279}, {}))
    message = failed(kernel, RESOURCE, address="fd00::2/64", **ETH0)
    assert message == "address: eth0 in netns 'web' has an MTU of 1279 bytes, and IPv6 needs 1280; raise its MTU first."
    made(kernel, RESOURCE, address="10.0.0.5/24", **ETH0)


def test_addresses_of_one_network_have_one_scope() -> None:
    kernel = two_containers()
    made(kernel, RESOURCE, address="10.0.0.5/24", **ETH0)
    message = failed(kernel, RESOURCE, address="10.0.0.6/24", scope="link", **ETH0)
    assert message.startswith("scope: 10.0.0.5/24 is there with scope global, and all addresses of 10.0.0.0/24")
    made(kernel, RESOURCE, address="10.0.0.6/25", scope="link", **ETH0)


def test_a_lifetime_of_ipv4_is_not_preferred_for_longer_than_it_lasts() -> None:
    kernel = two_containers()
    assert made(kernel, RESOURCE, address="10.0.0.5/24", valid_lft="100", **ETH0)["after"]["preferred_lft"] == 100


def test_a_bridge_may_be_meant_where_an_interface_of_the_host_is_missing() -> None:
    said = "interface: there is no interface 'brX' in %s; %s makes one."
    kernel = two_containers()
    both = "linuxnet.containers.bridge or linuxnet.containers.veth"
    assert failed(kernel, RESOURCE, interface="brX", address="10.7.0.1/24") == said % ("the host", both)
    gone = failed(kernel, RESOURCE, netns="web", interface="brX", address="10.7.0.1/24")
    assert gone == said % ("netns 'web'", "linuxnet.containers.veth")
