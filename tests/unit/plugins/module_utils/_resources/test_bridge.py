# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun bridge."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model import naming
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import DelAddress, PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, DelLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import PutRoute
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Address, NsRef, Route
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import link, ns_address, veth
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import netns as netns_resource
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.bridge import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run.execution import execute
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.asked import existing, failed, made, plan, refusal, want
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


@pytest.mark.parametrize(
    "params", [{"mtu": "1000"}, {"mtu": "auto"}, {"only_ours": True, "mtu": "1000"}, {"state": "absent"}], ids=str
)
def test_a_bridge_is_seen_with_all_that_is_seen_of_any_link(params: dict[str, Any]) -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, name="br0")
    kernel.apply(PutAddress(HOST, "br0", Address("fd00::1", 64, 6)))
    one = want(RESOURCE, name="br0", **params)
    of_any = vars(link.LinkResource.look(RESOURCE, one, State(kernel)))
    assert {name: value for name, value in vars(RESOURCE.look(one, State(kernel))).items() if name in of_any} == of_any
    assert of_any["ipv6"] == ("fd00::1" if params.get("mtu") == "1000" else "")


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


# --- in a vrf ---


def with_vrf() -> MemoryKernel:
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, "blue", "vrf", {"table": 10, "enabled": True}))
    return kernel


def test_a_new_bridge_is_born_in_its_vrf() -> None:
    kernel = with_vrf()
    done = made(kernel, RESOURCE, name="br0", master="blue")
    assert done["after"]["master"] == "blue"
    assert " master blue " in done["commands"][0]
    assert not made(kernel, RESOURCE, name="br0", master="blue")["changed"]
    assert "master" not in made(kernel, RESOURCE, name="br0")["after"]


def test_one_that_goes_there_loses_its_ipv6_addresses_and_routes() -> None:
    kernel = with_vrf()
    made(kernel, RESOURCE, name="br0")
    for address in (Address("10.0.0.1", 24, 4), Address("fd00::1", 64, 6)):
        kernel.apply(PutAddress(HOST, "br0", address))
    kernel.apply(PutRoute(HOST, Route(4, "10.9.0.0/16", gateway="10.0.0.9", interface="br0")))
    done = made(kernel, RESOURCE, name="br0", master="blue")
    assert (done["before"]["master"], done["after"]["master"]) == ("", "blue")
    assert done["commands"] == ["ip link set br0 master blue"]
    assert addresses(kernel, "br0") == ["10.0.0.1/24"]
    assert made(kernel, RESOURCE, name="br0", master="")["commands"] == ["ip link set br0 nomaster"]


def test_the_master_of_a_bridge_is_a_vrf() -> None:
    kernel = with_vrf()
    made(kernel, RESOURCE, name="br1")
    assert failed(kernel, RESOURCE, name="br0", master="br1") == "master: 'br1' in the host is a bridge, not a vrf."
    assert failed(kernel, RESOURCE, name="br0", master="red") == (
        "master: there is no vrf 'red' in the host; linuxnet.containers.ns_link makes one."
    )


def test_a_bridge_of_somebody_else_s_stays_out_of_it() -> None:
    kernel = by_hand()
    kernel.apply(AddLink(HOST, "blue", "vrf", {"table": 10}))
    assert plan(kernel, RESOURCE, **OURS_ONLY, master="blue").changes == ()


# --- whose a bridge is ---

BY_HAND = "02:00:00:00:00:0a"
OURS_ONLY = {"name": "br0", "only_ours": True}


def by_hand(name: str = "br0", **attributes: Any) -> MemoryKernel:
    """A host with a bridge that somebody made, with an address of his."""
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, name, "bridge", {"mac": BY_HAND, "enabled": True, **attributes}))
    kernel.apply(PutAddress(HOST, name, Address("192.0.2.1", 24, 4)))
    return kernel


def addresses(kernel: MemoryKernel, name: str) -> list[str]:
    ns = existing(kernel.find(HOST))
    index = existing(kernel.link(ns, name=name)).index
    return [address.cidr for at, address in kernel.addresses(ns) if at == index]


def test_a_bridge_that_was_here_before_is_used_as_it_is_with_one_warning() -> None:
    kernel = by_hand(mtu=9000)
    found = plan(kernel, RESOURCE, **OURS_ONLY, mtu=1400, alias="ours")
    assert (found.changes, found.before) == ((), found.after)
    assert (found.after["mtu"], found.after["mac"]) == (9000, BY_HAND)
    assert found.warnings == (
        "Bridge 'br0' in the host was here before: it is used as it is, and nothing but our addresses, ports and rules is added; "
        "'unmanaged: true' says that it is somebody else's.",
    )
    (warning,) = plan(by_hand(enabled=False), RESOURCE, **OURS_ONLY).warnings
    assert warning.startswith("Bridge 'br0' in the host was here before, and is down: ")


def test_the_user_s_own_word_means_any_bridge() -> None:
    """Without only_ours the one that is named is meant, whoever made it."""
    kernel = by_hand()
    assert [step.new for step in plan(kernel, RESOURCE, name="br0", mtu=1400).changes] == [{"mtu": 1400}]
    assert plan(kernel, RESOURCE, name="br0", state="absent").changes == (DelLink(HOST, "br0"),)
    made(kernel, RESOURCE, name="br1", mac="02:00:00:00:00:0b")
    assert plan(kernel, RESOURCE, name="br1", state="absent").changes == (DelLink(HOST, "br1"),)


def test_a_bridge_of_ours_is_repaired_and_removed_whatever_the_host_is_called_by_now(monkeypatch: Any) -> None:
    kernel = MemoryKernel()
    result = made(kernel, RESOURCE, **OURS_ONLY)
    monkeypatch.setattr(MemoryKernel, "identity", lambda self: "called otherwise")
    assert made(kernel, RESOURCE, **OURS_ONLY)["changed"] is False
    assert [step.new for step in plan(kernel, RESOURCE, **OURS_ONLY, mtu=1400).changes] == [{"mtu": 1400}]
    assert plan(kernel, RESOURCE, **OURS_ONLY, state="absent").changes == (DelLink(HOST, "br0"),)
    assert result["after"]["mac"] != plan(kernel, RESOURCE, name="br1").after["mac"]


def test_a_bridge_that_release_0_2_0_made_is_ours() -> None:
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, "br0", "bridge", {"mac": naming._unchecked(kernel.identity(), "bridge", "", "br0")}))
    assert plan(kernel, RESOURCE, **OURS_ONLY, enabled=False).changes == ()
    assert plan(kernel, RESOURCE, **OURS_ONLY, state="absent").changes == (DelLink(HOST, "br0"),)


@pytest.mark.parametrize("netns", [None, "web"])
def test_in_a_container_as_on_the_host(netns: str | None) -> None:
    kernel = MemoryKernel()
    made(kernel, netns_resource.RESOURCE, name="web")
    ref = NsRef.parse(netns)
    made(kernel, RESOURCE, **OURS_ONLY, netns=netns)
    kernel.apply(AddLink(ref, "br1", "bridge", {"mac": BY_HAND}))
    assert plan(kernel, RESOURCE, name="br1", only_ours=True, netns=netns, state="absent").changes == ()
    assert plan(kernel, RESOURCE, **OURS_ONLY, netns=netns, state="absent").changes == (DelLink(ref, "br0"),)


def test_ports_that_are_to_be_free_hold_no_bridge() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, **OURS_ONLY)
    for name in ("up0", "up1"):
        kernel.apply(AddLink(HOST, name, "veth", {"master": "br0"}, HOST, f"far-{name}", {}))
    held = plan(kernel, RESOURCE, **OURS_ONLY, released=["up0"], state="absent")
    assert (held.changes, held.warnings[0].endswith(" that nothing here removes: up1.")) == ((), True)
    assert plan(kernel, RESOURCE, **OURS_ONLY, released=["up0", "up1"], state="absent").changes == (
        DelLink(HOST, "br0"),
    )


def test_a_bridge_whose_address_somebody_changed_counts_as_his() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, **OURS_ONLY)
    kernel.apply(SetLink(HOST, "br0", {"mac": BY_HAND}))
    found = plan(kernel, RESOURCE, **OURS_ONLY, state="absent")
    assert (found.changes, found.after["name"]) == ((), "br0")
    assert "was not made by this collection" in found.warnings[0]


def test_absent_takes_back_our_part_of_somebody_else_s_bridge_and_nothing_else() -> None:
    kernel = by_hand()
    kernel.apply(AddLink(HOST, "up0", "veth", {"master": "br0"}, HOST, "up1", {}))
    kernel.apply(PutRoute(HOST, Route(4, "0.0.0.0/0", gateway="192.0.2.99", interface="br0", protocol=3)))
    before = kernel.snapshot()
    for cidr in ("10.0.0.1/24", "fd00::1/64"):
        made(kernel, ns_address.RESOURCE, interface="br0", address=cidr)
    result = made(kernel, RESOURCE, **OURS_ONLY, state="absent")
    assert result["commands"] == ["ip address del 10.0.0.1/24 dev br0", "ip address del fd00::1/64 dev br0"]
    assert result["diff"]["before"] == "addresses 10.0.0.1/24, fd00::1/64\n"
    assert result["after"]["name"] == "br0"
    assert kernel.snapshot() == before
    found = plan(kernel, RESOURCE, **OURS_ONLY, state="absent")
    assert found.changes == ()
    assert found.warnings == (
        "Bridge 'br0' in the host was not made by this collection: it stays, and loses what was added for containers.",
    )


def test_an_address_that_was_there_before_stays_also_where_it_is_the_gateway() -> None:
    kernel = by_hand()
    made(kernel, ns_address.RESOURCE, interface="br0", address="192.0.2.1/24", supersede=True)
    assert made(kernel, RESOURCE, **OURS_ONLY, state="absent")["changed"] is False
    assert addresses(kernel, "br0") == ["192.0.2.1/24"]


@pytest.mark.parametrize(
    "others",
    [
        PutAddress(HOST, "br0", Address("10.0.0.5", 24, 4, secondary=True)),
        PutRoute(HOST, Route(4, "10.9.0.0/16", interface="br0", scope="link", protocol=3)),
        PutRoute(HOST, Route(4, "10.9.0.0/16", interface="br0", scope="link", source="10.0.0.1", protocol=3)),
    ],
)
def test_an_address_of_ours_stays_that_others_need(others: Any) -> None:
    """The kernel takes along secondary addresses, routes from an address and, with the last one, every route of the interface."""
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, "br0", "bridge", {"mac": BY_HAND, "enabled": True}))
    made(kernel, ns_address.RESOURCE, interface="br0", address="10.0.0.1/24")
    kernel.apply(others)
    found = plan(kernel, RESOURCE, **OURS_ONLY, state="absent")
    assert found.changes == ()
    assert found.warnings[0].endswith(
        "loses what was added for containers, but for its address 10.0.0.1/24, which addresses or routes of others need."
    )


@pytest.mark.parametrize("kind", ["dummy", "veth"])
def test_a_bridge_of_ours_with_a_port_of_others_stays_with_its_addresses(kind: str) -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, **OURS_ONLY)
    made(kernel, ns_address.RESOURCE, interface="br0", address="10.0.0.1/24")
    kernel.apply(AddLink(HOST, "tap0", kind, {}, HOST, "tap1" if kind == "veth" else ""))
    kernel.apply(SetLink(HOST, "tap0", {"master": "br0"}))
    found = plan(kernel, RESOURCE, **OURS_ONLY, state="absent")
    assert (found.changes, found.before) == ((), found.after)
    assert found.warnings == (
        "Bridge 'br0' in the host stays with its addresses and rules, for there are ports on it that nothing here removes: tap0.",
    )
    assert plan(kernel, RESOURCE, name="br0", state="absent").changes == (DelLink(HOST, "br0"),)


@pytest.mark.parametrize("ours", [True, False])
def test_a_container_that_nobody_removes_keeps_the_addresses_of_its_bridge(ours: bool) -> None:
    kernel = MemoryKernel() if ours else by_hand()
    if ours:
        made(kernel, RESOURCE, **OURS_ONLY)
    made(kernel, netns_resource.RESOURCE, name="web")
    made(kernel, veth.RESOURCE, peer_netns="web", bridge="br0")
    made(kernel, ns_address.RESOURCE, interface="br0", address="10.0.0.1/24")
    (warning,) = plan(kernel, RESOURCE, **OURS_ONLY, state="absent").warnings
    assert warning.endswith("ports on it that nothing here removes: vethzvxkcem3eqk of netns 'web'.")
    found = plan(kernel, RESOURCE, **OURS_ONLY, state="absent", rewired=["web"])
    assert [type(step) for step in found.changes] == [DelLink if ours else DelAddress]


def test_what_is_no_bridge_is_left_alone_also_where_that_is_no_error() -> None:
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, "br0", "veth", {}, HOST, "v1", {}))
    assert "is a veth, not a bridge" in failed(kernel, RESOURCE, **OURS_ONLY)
    found = plan(kernel, RESOURCE, **OURS_ONLY, state="absent")
    assert (found.changes, dict(found.before)) == ((), {})
    assert found.warnings == ("Interface 'br0' in the host is a veth, not a bridge; it is left alone.",)


def test_a_bridge_of_ours_that_somebody_renamed_is_not_made_a_second_time() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, **OURS_ONLY)
    kernel.apply(SetLink(HOST, "br0", {"name": "br9"}, {"name": "br0"}))
    assert failed(kernel, RESOURCE, name="br0") == (
        "Bridge 'br0' in the host is called 'br9' by now, as its MAC address says. Take it back by 'ip link set br9 name br0', "
        "or make room for a new one by 'ip link del br9'."
    )
    assert made(kernel, RESOURCE, name="br0", mac=BY_HAND)["changed"], "that one has an address of its own"
    made(kernel, RESOURCE, name="br0", state="absent")
    assert plan(kernel, RESOURCE, name="br0", state="absent").changes == ()
    assert plan(kernel, RESOURCE, **OURS_ONLY, state="absent").changes == (DelLink(HOST, "br9"),)


def test_check_mode_foresees_what_stays() -> None:
    """A task that knows which links an earlier one would remove; one that does not sees their ports."""
    kernel = MemoryKernel()
    made(kernel, RESOURCE, **OURS_ONLY)
    made(kernel, netns_resource.RESOURCE, name="web")
    made(kernel, veth.RESOURCE, peer_netns="web", bridge="br0")
    gone = want(RESOURCE, **OURS_ONLY, state="absent")
    (told,), dummy = execute(RESOURCE, [gone], kernel, True, gone=["vethzvxkcem3eqk"])
    assert (told["changed"], told["after"]) == (True, {})
    (told,), (warning,) = execute(RESOURCE, [gone], kernel, True)
    assert (told["changed"], "of netns 'web'" in warning) == (False, True)
