# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun ns_address."""

from __future__ import annotations

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import DelAddress, PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Address
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_address import RESOURCE
from ansible_collections.linuxnet.containers.tests.unit.asked import existing, failed, made, plan, want
from ansible_collections.linuxnet.containers.tests.unit.wired_host import WEB, two_containers

ETH0 = {"netns": "web", "interface": "eth0"}
POOL = {**ETH0, "pool": "10.0.0.0/24", "bridge": "br0"}


def test_a5_spellings_mean_the_same() -> None:
    kernel = two_containers()
    made(kernel, RESOURCE, address="10.0.0.5/24", **ETH0)
    made(kernel, RESOURCE, address="fe80::1/64", **ETH0)
    for text in ("10.0.0.5/255.255.255.0", "FE80::0001/64", "fe80:0::1/64"):
        assert plan(kernel, RESOURCE, address=text, **ETH0).changes == ()


@pytest.mark.parametrize(
    ("text", "option", "value", "kinds"),
    [
        ("10.0.0.5/24", "valid_lft", "60", [PutAddress]),
        ("fd00::5/64", "noprefixroute", True, [PutAddress]),
        ("10.0.0.5/24", "label", "eth0:1", [DelAddress, PutAddress]),
        ("10.0.0.5/24", "broadcast", "10.0.0.255", [DelAddress, PutAddress]),
        ("10.0.0.5/24", "scope", "link", [DelAddress, PutAddress]),
    ],
)
def test_a6_one_attribute_is_changed_in_place_where_the_kernel_can(
    text: str, option: str, value: bool | str, kinds: list[type[DelAddress] | type[PutAddress]]
) -> None:
    kernel = two_containers()
    made(kernel, RESOURCE, address=text, **ETH0)
    lifetime = {"preferred_lft": "60"} if option == "valid_lft" else {}
    found = plan(kernel, RESOURCE, address=text, announce=False, **{option: value}, **lifetime, **ETH0)
    assert [type(step) for step in found.changes] == kinds


@pytest.mark.parametrize(("protocol", "kinds"), [(76, [DelAddress, PutAddress]), (0, [])])
def test_of_the_role_an_address_of_others_keeps_its_broadcast_address(protocol: int, kinds: list[type]) -> None:
    kernel = two_containers()
    kernel.apply(PutAddress(WEB, "eth0", Address("10.0.0.5", 24, 4, label="eth0", protocol=protocol)))
    asked = {"address": "10.0.0.5/24", "broadcast": "10.0.0.255", "announce": False, **ETH0}
    assert [type(step) for step in plan(kernel, RESOURCE, supersede=True, **asked).changes] == kinds
    assert plan(kernel, RESOURCE, **asked).changes != (), "a user of the module asks for this very address"


def test_a6_secondaries_stay() -> None:
    kernel = two_containers()
    for text in ("10.0.0.5/24", "10.0.0.6/24"):
        made(kernel, RESOURCE, address=text, **ETH0)
    made(kernel, RESOURCE, address="10.0.0.5/24", state="absent", **ETH0)
    assert [one.cidr for dummy, one in kernel.addresses(existing(kernel.find(WEB)))] == ["10.0.0.6/24"]


def test_d13_a_subnet_that_another_interface_reaches_is_refused() -> None:
    kernel = two_containers()
    kernel.apply(AddLink(HOST, "v1", "veth", {"enabled": True}, WEB, "eth1", {}))
    kernel.apply(SetLink(WEB, "eth1", {"enabled": True}, {}))
    made(kernel, RESOURCE, netns="web", interface="eth1", address="10.0.0.7/25")
    assert failed(kernel, RESOURCE, address="10.0.0.5/24", **ETH0) == (
        "address: 10.0.0.0/24 overlaps the route 10.0.0.0/25 dev eth1 in netns 'web'; "
        "take another subnet, or noprefixroute: true where that is wanted."
    )


def test_d14_a_foreign_address_stays_unless_exclusive() -> None:
    kernel = two_containers()
    kernel.apply(PutAddress(WEB, "eth0", Address("10.9.0.9", 24, 4, label="eth0")))
    made(kernel, RESOURCE, address="10.0.0.5/24", **ETH0)
    made(kernel, RESOURCE, address="10.0.0.6/24", supersede=True, **ETH0)
    there = [one.cidr for dummy, one in kernel.addresses(existing(kernel.find(WEB)))]
    assert there == ["10.9.0.9/24", "10.0.0.6/24"]  # what we set was superseded
    made(kernel, RESOURCE, address="10.0.0.6/24", exclusive=True, **ETH0)
    assert [one.cidr for dummy, one in kernel.addresses(existing(kernel.find(WEB)))] == ["10.0.0.6/24"]
    assert want(RESOURCE, address="10.0.0.6/24", **ETH0).owner == "web/eth0"
