# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun ns_address."""

from __future__ import annotations

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import DelAddress, PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import AddNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Address, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_address import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import validation
from ansible_collections.linuxnet.containers.plugins.module_utils._run.execution import execute
from ansible_collections.linuxnet.containers.tests.unit.asked import failed, made, plan, refusal, want
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

WEB, DB = NsRef("/run/netns/web"), NsRef("/run/netns/db")
ETH0 = {"netns": "web", "interface": "eth0"}
POOL = {**ETH0, "pool": "10.0.0.0/24", "bridge": "br0"}


def host():
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, "br0", "bridge", {"enabled": True}))
    kernel.apply(PutAddress(HOST, "br0", Address("10.0.0.1", 24, 4, label="br0")))
    for ref in (WEB, DB):
        kernel.apply(AddNetns(ref.name))
        kernel.apply(AddLink(HOST, "v" + ref.name, "veth", {"enabled": True, "master": "br0"}, ref, "eth0", {}))
        kernel.apply(SetLink(ref, "eth0", {"enabled": True}, {}))
    return kernel


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({}, "one of the following is required: address, pool."),
        ({"address": "10.0.0.2/24", "pool": "10.0.0.0/24"}, "parameters are mutually exclusive: address|pool."),
        ({"address": "10.0.0.2"}, "address: '10.0.0.2' has no prefix length"),
        ({"address": "10.0.0.2/24", "range": "10.0.0.8/30"}, "range: it belongs to a pool, not to a fixed address."),
        ({"address": "10.0.0.2/24", "peer": "fd00::1"}, "peer: fd00::1 is not of the same address family"),
        ({"address": "10.0.0.2/24", "label": "web"}, "label: 'web' must be 'eth0' or begin with 'eth0:'"),
        ({"address": "fd00::2/64", "broadcast": "fd00::ff"}, "broadcast: an IPv6 address has none to set."),
        (
            {"address": "10.0.0.2/24", "valid_lft": "soon"},
            "valid_lft: 'soon' is neither 'forever' nor a number of seconds.",
        ),
        ({"address": "10.0.0.2/24", "valid_lft": "5", "preferred_lft": "6"}, "preferred_lft: it cannot be longer"),
        ({"pool": "10.0.0.0/24", "gateway": "10.9.0.1"}, "gateway: 10.9.0.1 is not in the pool 10.0.0.0/24."),
        ({"pool": "10.0.0.0/30", "exclude": ["10.0.0.2"]}, "pool: 10.0.0.0/30 has nothing to give"),
    ],
)
def test_what_is_refused(params, sentence):
    assert refusal(RESOURCE, **ETH0, **params).startswith(sentence)


def test_a5_spellings_mean_the_same():
    kernel = host()
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
def test_a6_one_attribute_is_changed_in_place_where_the_kernel_can(text, option, value, kinds):
    kernel = host()
    made(kernel, RESOURCE, address=text, **ETH0)
    lifetime = {"preferred_lft": "60"} if option == "valid_lft" else {}
    found = plan(kernel, RESOURCE, address=text, announce=False, **{option: value}, **lifetime, **ETH0)
    assert [type(step) for step in found.changes] == kinds


def test_a6_secondaries_that_go_along_are_set_again():
    kernel = host()
    for text in ("10.0.0.5/24", "10.0.0.6/24"):
        made(kernel, RESOURCE, address=text, **ETH0)
    made(kernel, RESOURCE, address="10.0.0.5/24", state="absent", **ETH0)
    assert [one.cidr for dummy, one in kernel.addresses(kernel.find(WEB))] == ["10.0.0.6/24"]


def test_d2_a_task_gives_each_container_its_own_address():
    kernel = host()
    items = [{"netns": name, "interface": "eth0"} for name in ("web", "db")]
    params = {"aggregate": items, "pool": "10.0.0.0/29", "bridge": "br0", "strategy": "lowest"}
    results, dummy = execute(RESOURCE, validation.items(RESOURCE, params), kernel, False)
    assert [one["after"]["address"] for one in results] == ["10.0.0.2/29", "10.0.0.3/29"]


def test_d4_the_same_owner_gets_the_same_address_and_hears_when_it_cannot():
    kernel = host()
    usual = made(kernel, RESOURCE, **POOL)["after"]["ip"]
    made(kernel, RESOURCE, state="absent", **POOL)
    assert made(kernel, RESOURCE, **POOL)["after"]["ip"] == usual
    made(kernel, RESOURCE, state="absent", **POOL)
    made(kernel, RESOURCE, netns="db", interface="eth0", address=usual + "/24")
    found = plan(kernel, RESOURCE, **POOL)
    assert found.after["ip"] != usual
    assert found.warnings[0].startswith(f"web/eth0: its usual address {usual} is taken by eth0 in ")


def test_d6_an_address_in_use_is_refused_and_its_holder_named():
    kernel = host()
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


def test_d6_a_fixed_address_that_two_items_want_is_refused_before_any_change():
    items = [{"netns": name, "interface": "eth0", "address": "10.0.0.5/24", "bridge": "br0"} for name in ("web", "db")]
    with pytest.raises(
        Invalid, match=r"address: 10.0.0.5 is asked for eth0 in netns 'web' and for eth0 in netns 'db'\."
    ):
        validation.items(RESOURCE, {"aggregate": items})


def test_d8_a_full_pool_says_what_became_of_it():
    kernel = host()
    made(kernel, RESOURCE, netns="db", interface="eth0", address="10.0.0.2/24")
    assert failed(kernel, RESOURCE, **ETH0, pool="10.0.0.0/29", bridge="br0", exclude=["10.0.0.3-10.0.0.6"]) == (
        "pool: no free address in 10.0.0.0/29: 6 usable, 1 in use, 4 excluded, 1 reserved for the gateway."
    )


def test_d12_ipv6_that_is_off_is_said():
    kernel = host()
    kernel.apply(SetSysctl(WEB, "net/ipv6/conf/eth0/disable_ipv6", "1", "0"))
    assert "IPv6 is switched off on eth0 in netns 'web'" in failed(kernel, RESOURCE, address="fd00::2/64", **ETH0)


def test_d13_a_subnet_that_another_interface_reaches_is_refused():
    kernel = host()
    kernel.apply(AddLink(HOST, "v1", "veth", {"enabled": True}, WEB, "eth1", {}))
    kernel.apply(SetLink(WEB, "eth1", {"enabled": True}, {}))
    made(kernel, RESOURCE, netns="web", interface="eth1", address="10.0.0.7/25")
    assert failed(kernel, RESOURCE, address="10.0.0.5/24", **ETH0) == (
        "address: 10.0.0.0/24 overlaps the route 10.0.0.0/25 dev eth1 in netns 'web'; "
        "take another subnet, or noprefixroute: true where that is wanted."
    )


def test_d14_a_foreign_address_stays_unless_exclusive():
    kernel = host()
    kernel.apply(PutAddress(WEB, "eth0", Address("10.9.0.9", 24, 4, label="eth0")))
    made(kernel, RESOURCE, address="10.0.0.5/24", **ETH0)
    made(kernel, RESOURCE, address="10.0.0.6/24", supersede=True, **ETH0)
    there = [one.cidr for dummy, one in kernel.addresses(kernel.find(WEB))]
    assert there == ["10.9.0.9/24", "10.0.0.6/24"]  # what we set was superseded
    made(kernel, RESOURCE, address="10.0.0.6/24", exclusive=True, **ETH0)
    assert [one.cidr for dummy, one in kernel.addresses(kernel.find(WEB))] == ["10.0.0.6/24"]
    assert want(RESOURCE, address="10.0.0.6/24", **ETH0).owner == "web/eth0"
