# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun bridge."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, DelLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.bridge import RESOURCE
from ansible_collections.linuxnet.containers.tests.unit.asked import failed, made, plan, refusal, want
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"mtu": "big"}, "mtu: 'big' is neither 'auto' nor a number of bytes."),
        ({"mtu": "65536"}, "mtu: 65536 is out of bounds; it must be from 68 to 65535."),
        ({"mac": "ff:ff:ff:ff:ff:ff"}, "mac: 'ff:ff:ff:ff:ff:ff' is a multicast or empty MAC address"),
        ({"ageing_time": -1}, "ageing_time: -1 is out of bounds; it must be from 0 to 4294967295."),
    ],
)
def test_what_is_refused(params: dict[str, Any], sentence: str) -> None:
    assert refusal(RESOURCE, name="br0", **params).startswith(sentence)


def test_a5_spellings_mean_the_same() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, name="br0", mtu="1400", mac="02:00:00:00:00:0a", stp=True)
    for mtu, mac, stp in ((1400, "02-00-00-00-00-0A", "yes"), ("1400", "02:00:00:00:00:0A", 1)):
        assert plan(kernel, RESOURCE, name="br0", mtu=mtu, mac=mac, stp=stp).changes == ()


@pytest.mark.parametrize(
    ("option", "value", "was"),
    [
        ("mtu", 1400, 1500),
        ("mac", "02:00:00:00:00:0b", "02:00:00:00:00:0a"),
        ("stp", True, False),
        ("forward_delay", 400, 1500),
        ("ageing_time", 0, 30000),
        ("enabled", False, True),
        ("alias", "x", ""),
    ],
)
def test_a6_one_attribute_is_one_change(option: str, value: int | str, was: int | str) -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, name="br0", mac="02:00:00:00:00:0a")
    found = plan(kernel, RESOURCE, name="br0", **{option: value})
    (step,) = found.changes
    assert (type(step), step.name, step.new, step.old) == (SetLink, "br0", {option: value}, {option: was})
    assert {name for name in found.after if found.after[name] != found.before[name]} == {option}


def test_c9_a_bridge_has_an_address_of_its_own_from_birth() -> None:
    (step,) = plan(MemoryKernel(), RESOURCE, name="br0").changes
    assert step.attributes["mac"][1] in "26ae"
    assert plan(MemoryKernel(), RESOURCE, name="br0").changes[0].attributes["mac"] == step.attributes["mac"]
    assert plan(MemoryKernel(), RESOURCE, name="br1").changes[0].attributes["mac"] != step.attributes["mac"]


def test_an_mtu_that_is_asked_for_stays_whatever_the_ports_have() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, name="br0", mtu="1500")
    kernel.apply(AddLink(HOST, "v0", "veth", {"master": "br0", "mtu": 1300}, HOST, "v1", {}))
    assert plan(kernel, RESOURCE, name="br0", mtu="1500").changes == ()


def test_something_else_of_that_name_is_left_alone() -> None:
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, "br0", "veth", {}, HOST, "v1", {}))
    for state in ("present", "absent"):
        assert failed(kernel, RESOURCE, name="br0", state=state) == (
            "Interface 'br0' in the host is a veth, not a bridge; it is left alone."
        )


def test_absent() -> None:
    kernel = MemoryKernel()
    assert plan(kernel, RESOURCE, name="br0", state="absent").changes == ()
    assert plan(kernel, RESOURCE, name="br0", state="absent", netns="nowhere").changes == ()
    made(kernel, RESOURCE, name="br0")
    assert plan(kernel, RESOURCE, name="br0", state="absent").changes == (DelLink(HOST, "br0"),)


def test_c12_without_the_feature_the_error_says_so() -> None:
    message = failed(MemoryKernel(), RESOURCE, name="br0", vlan_filtering=True)
    assert message.startswith("Could not create bridge br0 in the host: Operation not supported")
    assert message.endswith("; this kernel lacks the feature.")
    made(MemoryKernel(), RESOURCE, name="br0", vlan_filtering=False)
    assert want(RESOURCE, name="br0").attributes == {"enabled": True}
