# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun bridge_port."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, SetVlans
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Vlan
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.bridge_port import RESOURCE
from ansible_collections.linuxnet.containers.tests.unit.asked import failed, made, plan, refusal, want
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

PORT = {"bridge": "br0", "interface": "v0"}


def host(*lacks: str) -> MemoryKernel:
    kernel = MemoryKernel(lacks)
    for name in ("br0", "br1"):
        kernel.apply(AddLink(HOST, name, "bridge", {"enabled": True}))
    kernel.apply(AddLink(HOST, "v0", "veth", {"master": "br0"}, HOST, "v1", {}))
    return kernel


@pytest.mark.parametrize(
    ("vlans", "sentence"),
    [
        ([{"vid": "x"}], "vlans: vid 'x' is neither a number nor a range such as 10-20."),
        ([{"vid": "0"}], "vlans: vid '0' is out of bounds; VLAN IDs go from 1 to 4094."),
        ([{"vid": "10-4095"}], "vlans: vid '10-4095' is out of bounds; VLAN IDs go from 1 to 4094."),
        ([{"vid": "20-10"}], "vlans: vid '20-10' is out of bounds; VLAN IDs go from 1 to 4094."),
        ([{"vid": "10-20", "pvid": True}], "vlans: vid '10-20' cannot be the PVID; that is one VLAN."),
        ([{"vid": "10"}, {"vid": "9-11"}], "vlans: VLAN 10 is given twice."),
        ([{"vid": "1", "pvid": True}, {"vid": "2", "pvid": True}], "vlans: more than one VLAN is the PVID."),
    ],
)
def test_vlans_that_are_refused(vlans: list[dict[str, Any]], sentence: str) -> None:
    assert refusal(RESOURCE, vlans=vlans, **PORT) == sentence


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"exclusive": True}, "exclusive: it needs vlans, the only ones that are to be there."),
        ({"cost": 0}, "cost: 0 is out of bounds; it must be from 1 to 65535."),
        ({"priority": 64}, "priority: 64 is out of bounds; it must be from 0 to 63."),
    ],
)
def test_what_is_refused(params: dict[str, int], sentence: str) -> None:
    assert refusal(RESOURCE, **PORT, **params) == sentence


def test_a5_spellings_of_vlans() -> None:
    one = want(RESOURCE, vlans=[{"vid": 12}, {"vid": "10 - 11"}], **PORT)
    assert one.vlans == (Vlan(10), Vlan(11), Vlan(12))
    assert one.vlans == want(RESOURCE, vlans=[{"vid": "10-12"}], **PORT).vlans


@pytest.mark.parametrize(
    ("option", "value", "was"),
    [
        ("hairpin", True, False),
        ("isolated", True, False),
        ("learning", False, True),
        ("flood", False, True),
        ("mcast_flood", False, True),
        ("neigh_suppress", True, False),
        ("guard", True, False),
        ("root_block", True, False),
        ("fast_leave", True, False),
        ("cost", 7, 2),
        ("priority", 1, 32),
    ],
)
def test_a6_one_attribute_is_one_change(option: str, value: int, was: int) -> None:
    found = plan(host(), RESOURCE, **{option: value}, **PORT)
    (step,) = found.changes
    assert (step.name, step.new, step.old) == ("v0", {option: value}, {option: was})
    assert {name for name in found.after if found.after[name] != found.before[name]} == {option}
    assert plan(host(), RESOURCE, **{option: was}, **PORT).changes == ()


def test_c4_a_port_of_another_bridge_is_moved() -> None:
    kernel = host()
    made(kernel, RESOURCE, hairpin=True, **PORT)
    result = made(kernel, RESOURCE, bridge="br1", interface="v0")
    assert result["commands"] == ["ip link set v0 master br1"]
    assert plan(kernel, RESOURCE, bridge="br1", interface="v0", hairpin=False).changes == ()


def test_only_a_port_of_this_bridge_is_released() -> None:
    kernel = host()
    assert plan(kernel, RESOURCE, bridge="br1", interface="v0", state="absent").changes == ()
    assert plan(kernel, RESOURCE, bridge="br9", interface="v9", state="absent").changes == ()
    (step,) = plan(kernel, RESOURCE, state="absent", **PORT).changes
    assert (step.new, step.old["master"]) == ({"master": ""}, "br0")


def test_vlans_are_added_and_with_exclusive_the_others_taken_away() -> None:
    kernel = host()
    kernel.apply(SetVlans(HOST, "v0", (Vlan(1, True, True), Vlan(10))))
    more = plan(kernel, RESOURCE, vlans=[{"vid": 20, "pvid": True}], **PORT)
    assert more.changes == (SetVlans(HOST, "v0", (Vlan(20, True),), ()),)
    assert [(one["vid"], one["pvid"]) for one in more.after["vlans"]] == [(1, False), (10, False), (20, True)]
    only = plan(kernel, RESOURCE, vlans=[{"vid": 10}], exclusive=True, **PORT)
    assert only.changes == (SetVlans(HOST, "v0", (), (Vlan(1, True, True),)),)
    assert plan(kernel, RESOURCE, vlans=[{"vid": 10}], **PORT).changes == ()


def test_c12_without_the_feature_the_error_says_so() -> None:
    message = failed(host("vlan_filtering"), RESOURCE, vlans=[{"vid": 10}], **PORT)
    assert message.startswith("Could not set the VLANs of port v0 in the host: Operation not supported")


def test_a_parent_that_is_missing_is_named() -> None:
    kernel = host()
    assert failed(kernel, RESOURCE, bridge="br9", interface="v0") == (
        "bridge: there is no bridge 'br9' in the host; linuxnet.containers.bridge makes one."
    )
    assert failed(kernel, RESOURCE, bridge="br0", interface="v9") == (
        "interface: there is no interface 'v9' in the host; linuxnet.containers.veth makes one."
    )
    assert failed(kernel, RESOURCE, bridge="v1", interface="v0") == "bridge: 'v1' in the host is a veth, not a bridge."


@pytest.mark.parametrize("vid", ["\u00b2", "1-\u0663", "+5", "1_0", "-5", "5-", "9" * 5000])
def test_what_only_looks_like_a_vlan_is_refused(vid: str) -> None:
    assert refusal(RESOURCE, vlans=[{"vid": vid}], **PORT) == (
        f"vlans: vid '{vid}' is neither a number nor a range such as 10-20."
    )


@pytest.mark.parametrize("option", ["cost", "priority"])
def test_a_boolean_is_no_number(option: str) -> None:
    assert refusal(RESOURCE, **{option: True}, **PORT) == f"{option}: the boolean true is not a whole number."


def test_a_released_port_gets_its_attributes_back_when_the_release_fails() -> None:
    kernel = host()
    made(kernel, RESOURCE, hairpin=True, **PORT)
    (step,) = plan(kernel, RESOURCE, state="absent", **PORT).changes
    assert (step.old["master"], step.old["hairpin"]) == ("br0", True)
