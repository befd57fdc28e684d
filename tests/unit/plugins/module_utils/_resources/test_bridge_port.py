# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun bridge_port."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import (
    AddLink,
    SetLink,
    SetVlans,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Address, Vlan
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.bridge import RESOURCE as BRIDGE
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.bridge_port import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run.prediction import advance_all
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.asked import existing, failed, made, plan, refusal, want
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


# --- whose it is ---

OURS = {"only_ours": True, **PORT, "interface": "up0"}


def with_uplink(*addresses: Address, **uplink: Any) -> MemoryKernel:
    """A bridge of ours, one of somebody else's, and an uplink."""
    kernel = MemoryKernel(())
    made(kernel, BRIDGE, name="br0", vlan_filtering=True)
    kernel.apply(AddLink(HOST, "vmbr0", "bridge", {"enabled": True}))
    kernel.apply(AddLink(HOST, "up0", "dummy", {"enabled": True, **uplink}))
    for address in addresses:
        kernel.apply(PutAddress(HOST, "up0", address))
    return kernel


def test_an_uplink_that_nobody_needs_as_it_is_becomes_a_port_and_is_free_again() -> None:
    kernel = with_uplink()
    assert made(kernel, RESOURCE, **OURS)["commands"] == ["ip link set up0 master br0"]
    assert not made(kernel, RESOURCE, **OURS)["changed"]
    assert made(kernel, RESOURCE, state="absent", **OURS)["commands"] == ["ip link set up0 nomaster"]


def test_neither_a_bridge_nor_a_port_is_taken_from_others() -> None:
    kernel = with_uplink()
    assert failed(kernel, RESOURCE, **{**OURS, "bridge": "vmbr0"}) == (
        "bridge: 'vmbr0' in the host was here before; who made it gives it ports such as 'up0'."
    )
    kernel.apply(SetLink(HOST, "up0", {"master": "vmbr0"}, {}))
    assert failed(kernel, RESOURCE, **OURS) == (
        "interface: 'up0' in the host is a port of 'vmbr0', which is somebody else's; take it out of that first: ip link set up0 nomaster"
    )
    gone = {**OURS, "bridge": "vmbr0", "state": "absent"}
    assert not made(kernel, RESOURCE, **gone)["changed"]
    assert made(kernel, RESOURCE, **{**gone, "only_ours": False})["changed"]


def test_one_network_of_ours_takes_over_from_another() -> None:
    kernel = with_uplink()
    made(kernel, BRIDGE, name="br1")
    made(kernel, RESOURCE, **{**OURS, "bridge": "br1"})
    assert made(kernel, RESOURCE, **OURS)["changed"]


def test_a_part_of_a_bond_is_left_in_it() -> None:
    kernel = with_uplink()
    ns = existing(kernel.find(HOST))
    kernel.apply(AddLink(HOST, "bond0", "dummy", {"enabled": True}))
    bond, port = (existing(kernel.link(ns, name)) for name in ("bond0", "up0"))
    for one in (replace(bond, kind="bond"), replace(port, master=bond.index)):
        kernel._state.known.links[ns].put(one)
    for item in (OURS, {**OURS, "only_ours": False}):
        assert failed(kernel, RESOURCE, **item) == (
            "interface: 'up0' in the host is part of 'bond0', an interface of type bond; make that the port."
        )


FOUR = Address("192.0.2.2", 24, 4)
SIX = Address("2001:db8::2", 64, 6)


@pytest.mark.parametrize(
    ("address", "lost"),
    [(FOUR, True), (replace(FOUR, valid_lft=3600), True), (SIX, True), (replace(SIX, valid_lft=3600), False)],
)
def test_the_host_is_not_cut_off(address: Address, lost: bool) -> None:
    """An address that its router gives the host by itself it gives the bridge as well."""
    kernel = with_uplink(address)
    if not lost:
        assert not plan(kernel, RESOURCE, **OURS).warnings
        return
    assert failed(kernel, RESOURCE, **OURS) == (
        f"interface: 'up0' in the host has the address {address.cidr}, by which the host is not reached once it is a port; "
        "give that to 'br0', or take it away, first."
    )
    assert plan(kernel, RESOURCE, **{**OURS, "only_ours": False}).warnings == (
        f"'up0' in the host has the address {address.cidr}, by which the host is not reached while it is a port; give that to 'br0'.",
    )
    kernel.apply(SetLink(HOST, "up0", {"master": "br0"}, {}))
    assert not plan(kernel, RESOURCE, **OURS).warnings


def test_an_address_that_the_bridge_has_as_well_is_no_loss() -> None:
    kernel = with_uplink(FOUR)
    kernel.apply(PutAddress(HOST, "br0", FOUR))
    assert not plan(kernel, RESOURCE, **OURS).warnings


def test_what_passes_badly_is_said() -> None:
    assert plan(with_uplink(enabled=False), RESOURCE, **OURS).warnings == (
        "'up0' in the host is down, so nothing passes: ip link set up0 up",
    )
    kernel = with_uplink()
    kernel.apply(SetLink(HOST, "br0", {"mtu": 1500}, {"mtu": 1400}))
    kernel.apply(SetLink(HOST, "up0", {"mtu": 1400}, {"mtu": 1500}))
    assert plan(kernel, RESOURCE, **OURS).warnings == (
        "'up0' in the host passes packets of 1400 bytes, and 'br0' of 1500: the larger ones are lost; say so by the MTU of the network.",
    )


def test_what_is_not_there_yet_may_be_left_out() -> None:
    item = {**OURS, "interface": "up1", "optional": True}
    left = plan(with_uplink(), RESOURCE, **item)
    assert (left.changes, left.warnings) == ((), ("'up1' is not in the host yet, so it is no port of 'br0'.",))
    assert made(with_uplink(), RESOURCE, **{**OURS, "optional": True})["changed"]


# --- the bridge itself ---

ITSELF = {
    "bridge": "br0",
    "interface": "br0",
    "vlans": [{"vid": 10, "pvid": True, "untagged": True}],
    "exclusive": True,
}


def test_the_host_itself_is_in_vlans() -> None:
    kernel = with_uplink()
    kernel.apply(SetVlans(HOST, "br0", (Vlan(1, True, True),), (), True))
    done = made(kernel, RESOURCE, **ITSELF)
    assert done["commands"] == [
        "bridge vlan del dev br0 vid 1 self",
        "bridge vlan add dev br0 vid 10 pvid untagged self",
    ]
    assert done["after"] == {
        "bridge": "br0",
        "interface": "br0",
        "netns": None,
        "vlans": [{"vid": 10, "pvid": True, "untagged": True}],
    }
    assert not made(kernel, RESOURCE, **ITSELF)["changed"]


def test_a_bridge_that_is_only_foreseen_is_in_the_vlan_that_the_kernel_gives_it() -> None:
    kernel = MemoryKernel(())
    state = State(kernel)
    bridge = want(BRIDGE, name="br0", vlan_filtering=True)
    advance_all(state, BRIDGE.plan(bridge, BRIDGE.look(bridge, state)).changes)
    asked = want(RESOURCE, **ITSELF)
    assert RESOURCE.plan(asked, RESOURCE.look(asked, state)).changes == (
        SetVlans(HOST, "br0", (Vlan(10, True, True),), (Vlan(1, True, True),), True),
    )


@pytest.mark.parametrize("more", [{}, {"hairpin": True, "vlans": []}, {"vlans": [], "state": "absent"}])
def test_a_bridge_has_nothing_else_of_itself(more: dict[str, Any]) -> None:
    option = "hairpin" if "hairpin" in more else "interface"
    assert refusal(RESOURCE, bridge="br0", interface="br0", **more) == (
        f"{option}: 'br0' is the bridge itself, of which nothing but vlans is set, and which is not released."
    )
