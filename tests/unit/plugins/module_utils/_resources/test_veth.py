# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun veth."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import (
    AddLink,
    DelLink,
    MoveLink,
    SetLink,
    SetShape,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import AddNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import PutRoute
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, NsRef, Route
from ansible_collections.linuxnet.containers.plugins.module_utils._model.shaping import NONE, Shape
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.veth import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import validation
from ansible_collections.linuxnet.containers.tests.unit.asked import existing, failed, made, plan, refusal, want
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

WEB, DB = NsRef("/run/netns/web"), NsRef("/run/netns/db")
PAIR = {"name": "v0", "peer_netns": "web"}


def host() -> MemoryKernel:
    kernel = MemoryKernel()
    for name in ("web", "db"):
        kernel.apply(AddNetns(name))
    for name in ("br0", "br1"):
        kernel.apply(AddLink(HOST, name, "bridge", {"enabled": True}))
    return kernel


def wired(**more: Any) -> MemoryKernel:
    kernel = host()
    made(kernel, RESOURCE, **PAIR, **more)
    return kernel


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({}, "name: it can be left out only where peer_netns is given, from which it is derived."),
        ({"name": "v0", "netns": "web", "peer_netns": "web"}, "peer_netns: both ends would be in netns 'web'"),
        ({"name": "eth0"}, "peer_name: both ends cannot be called 'eth0' in one namespace."),
        ({"name": "v0", "peer_name": "x" * 16}, "peer_name: 'xxxxxxxxxxxxxxxx' is 16 bytes long"),
        ({"name": "v0", "tx_queue_len": -1}, "tx_queue_len: -1 is out of bounds"),
        ({"name": "v0", "peer_mac": "x"}, "peer_mac: 'x' is not a MAC address"),
        ({"name": "v0", "mtu": "1.5"}, "mtu: '1.5' is neither 'auto' nor a number of bytes."),
    ],
)
def test_what_is_refused(params: dict[str, Any], sentence: str) -> None:
    params = dict({"peer_name": "eth0"}, **params)
    assert refusal(RESOURCE, **params).startswith(sentence)


def test_c1_one_change_makes_both_ends() -> None:
    (step,) = [one for one in plan(host(), RESOURCE, bridge="br0", mtu=1400, **PAIR).changes if one.writes][:1]
    assert (step.name, step.peer_ns, step.peer_name) == ("v0", WEB, "eth0")
    assert (step.attributes["master"], step.attributes["mtu"], step.peer_attributes["mtu"]) == ("br0", 1400, 1400)


def test_c10_both_addresses_are_set_at_birth_and_the_same_on_every_run() -> None:
    first, again = (plan(host(), RESOURCE, **PAIR).changes[0] for dummy in range(2))
    own, peer = first.attributes["mac"], first.peer_attributes["mac"]
    assert own != peer
    assert (again.attributes["mac"], again.peer_attributes["mac"]) == (own, peer)
    assert [int(mac[:2], 16) & 3 for mac in (own, peer)] == [2, 2]


def test_c2_a_name_left_out_is_derived() -> None:
    assert want(RESOURCE, peer_netns="web").name == "vethzvxkcem3eqk"
    assert want(RESOURCE, peer_netns="/run/netns/web").name == "vethzvxkcem3eqk"


def test_a5_spellings_mean_the_same() -> None:
    kernel = wired(mtu=1400, mac="02:00:00:00:00:0a", peer_mac="02:00:00:00:00:0b")
    for mtu, mac in (("1400", "02-00-00-00-00-0A"), (1400, "02:00:00:00:00:0A")):
        assert plan(kernel, RESOURCE, mtu=mtu, mac=mac, **PAIR).changes == ()
    assert plan(kernel, RESOURCE, peer_mac="02-00-00-00-00-0B", name="v0", peer_netns="/run/netns/web").changes == ()


@pytest.mark.parametrize(
    ("option", "value", "steps"),
    [
        ("mac", "02:00:00:00:00:0c", [("v0", {"mac": "02:00:00:00:00:0c"})]),
        ("peer_mac", "02:00:00:00:00:0c", [("eth0", {"mac": "02:00:00:00:00:0c"})]),
        ("mtu", 1400, [("v0", {"mtu": 1400}), ("eth0", {"mtu": 1400})]),
        ("enabled", False, [("v0", {"enabled": False})]),
        ("peer_enabled", False, [("eth0", {"enabled": False})]),
        ("tx_queue_len", 7, [("v0", {"tx_queue_len": 7}), ("eth0", {"tx_queue_len": 7})]),
        ("tx_checksum", False, [("v0", {"tx_checksum": False}), ("eth0", {"tx_checksum": False})]),
        ("alias", "x", [("v0", {"alias": "x"})]),
        ("bridge", "br0", [("v0", {"master": "br0"})]),
    ],
)
def test_a6_one_attribute_is_set_in_place(
    option: str, value: int | str, steps: list[tuple[str, dict[str, Any]]]
) -> None:
    found = plan(wired(), RESOURCE, **{option: value}, **PAIR)
    assert [(step.name, step.new) for step in found.changes] == steps
    assert all(isinstance(step, SetLink) for step in found.changes)


def test_c5_a_peer_that_was_renamed_is_found_and_gets_its_name_back() -> None:
    kernel = wired()
    kernel.apply(SetLink(WEB, "eth0", {"name": "net1"}, {"name": "eth0"}))
    (step,) = plan(kernel, RESOURCE, **PAIR).changes
    assert (step.name, step.new) == ("net1", {"name": "eth0"})


def test_c4_a_foreign_interface_in_the_container_is_refused_and_described() -> None:
    kernel = host()
    kernel.apply(AddLink(HOST, "v0", "veth", {}, WEB, "eth0", {}))
    assert failed(kernel, RESOURCE, name="v1", peer_netns="web") == (
        "peer_name: 'eth0' in netns 'web' is there already and foreign: it is a veth whose other end is 'v0' in the host, "
        "not the other end of 'v1'; to take that pair over, give name: v0."
    )
    kernel.apply(AddLink(DB, "eth0", "bridge", {}))
    assert failed(kernel, RESOURCE, name="v1", peer_netns="db").endswith("it is a bridge, not the other end of 'v1'.")


def test_c4_a_pair_of_ours_under_another_name_is_named_anew() -> None:
    kernel = wired()
    index = existing(kernel.link(existing(kernel.find(HOST)), name="v0")).index
    found = plan(kernel, RESOURCE, name="v1", peer_netns="web", exclusive=True)
    assert [(step.name, step.new) for step in found.changes] == [("v0", {"name": "v1"})]
    assert (found.before["name"], found.after["name"]) == ("v0", "v1")
    made(kernel, RESOURCE, name="v1", peer_netns="web", exclusive=True)
    assert existing(kernel.link(existing(kernel.find(HOST)), name="v1")).index == index


def test_c4_a_pair_of_another_container_is_refused_unless_its_name_is_ours() -> None:
    kernel = wired()
    assert "its other end is not in netns 'db'" in failed(kernel, RESOURCE, name="v0", peer_netns="db")
    made(kernel, RESOURCE, peer_netns="db")
    name = want(RESOURCE, peer_netns="db").name
    kernel.apply(MoveLink(DB, "eth0", WEB, "lost"))
    found = plan(kernel, RESOURCE, peer_netns="db")
    assert [type(step) for step in found.changes][:2] == [DelLink, AddLink]
    assert found.warnings == (name + ": its other end was left in another namespace; the pair is made anew.",)


def test_c8_auto_is_the_uplink_s_mtu_at_both_ends() -> None:
    kernel = host()
    kernel.apply(AddLink(HOST, "up0", "veth", {"enabled": True, "mtu": 1450}, DB, "up1", {"mtu": 1450}))
    kernel.apply(PutRoute(HOST, Route(4, "0.0.0.0/0", interface="up0", scope="link")))
    result = made(kernel, RESOURCE, mtu="auto", **PAIR)
    assert (result["after"]["mtu"], result["after"]["peer_mtu"]) == (1450, 1450)


def test_exclusive_takes_away_only_what_this_collection_made() -> None:
    kernel = host()
    made(kernel, RESOURCE, peer_netns="web", peer_name="eth1")
    kernel.apply(AddLink(HOST, "foreign", "veth", {}, WEB, "eth2", {}))
    gone = want(RESOURCE, peer_netns="web", peer_name="eth1").name
    found = plan(kernel, RESOURCE, exclusive=True, **PAIR)
    assert [step.name for step in found.changes if isinstance(step, DelLink)] == [gone]


def test_absent() -> None:
    kernel = wired()
    assert plan(kernel, RESOURCE, state="absent", **PAIR).changes == (DelLink(HOST, "v0"),)
    assert plan(kernel, RESOURCE, state="absent", name="v9", peer_netns="web").changes == ()
    assert "is a bridge, not a veth" in failed(kernel, RESOURCE, state="absent", name="br0", peer_netns="db")


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("far", [WEB, HOST])
def test_a_pair_that_has_the_name_of_one_that_is_gone_stays(far: NsRef, there: bool) -> None:
    """Whether the namespace that it was for is still there makes no difference."""
    kernel = host()
    kernel.apply(AddLink(HOST, "v0", "veth", {}, far, "far", {}))
    found = plan(kernel, RESOURCE, state="absent", name="v0", peer_netns="db" if there else "ended")
    assert found.changes == ()
    assert "its other end is not in netns " in found.warnings[0]
    assert plan(kernel, RESOURCE, state="absent", name="v0").changes == (DelLink(HOST, "v0"),)


MAC = "02:00:00:00:00:01"


@pytest.mark.parametrize("spelled", [MAC, "02-00-00-00-00-01", "02:00:00:00:00:01 "])
def test_one_mac_address_for_two_behind_a_bridge_is_refused(spelled: str) -> None:
    """The bridge would send what is for one to the other."""
    first = {"peer_netns": "web", "bridge": "br0", "peer_mac": MAC}
    second = {"peer_netns": "db", "peer_name": "eth1", "bridge": "br0", "peer_mac": spelled}
    assert refusal(RESOURCE, aggregate=[first, second]) == (
        f"peer_mac: {MAC} is asked for twice behind bridge 'br0', for eth0 in netns 'web' and for eth1 in netns 'db'."
    )
    for other in (
        {**second, "bridge": "br1"},
        {**second, "state": "absent"},
        first,
        {**second, "peer_mac": "02:00:00:00:00:02"},
    ):
        assert len(validation.items(RESOURCE, {"aggregate": [first, other]})) == 2


def test_both_ends_of_a_pair_on_a_bridge_have_a_mac_address_each() -> None:
    assert refusal(RESOURCE, **PAIR, bridge="br0", mac=MAC, peer_mac=MAC) == (
        f"peer_mac: it is that of the end on the bridge, {MAC}, as well; give them one each."
    )
    want(RESOURCE, **PAIR, mac=MAC, peer_mac=MAC)


def test_the_mac_address_of_the_bridge_itself_is_refused() -> None:
    kernel = host()
    kernel.apply(AddLink(HOST, "br2", "bridge", {"enabled": True, "mac": MAC}))
    assert failed(kernel, RESOURCE, **PAIR, bridge="br2", peer_mac=MAC) == (
        f"The MAC address {MAC} is that of bridge 'br2' itself; what is behind it needs another one."
    )
    made(kernel, RESOURCE, **PAIR, bridge="br0", peer_mac=MAC)


# --- what holds up what leaves ---


class Counting(MemoryKernel):
    """One that counts how often it is asked for a queueing discipline."""

    asked = 0

    def shape(self, ns: int, index: int) -> Shape:
        self.asked += 1
        return super().shape(ns, index)


def counting(**more: Any) -> Counting:
    kernel = Counting()
    kernel.apply(AddNetns("web"))
    made(kernel, RESOURCE, **PAIR, **more)
    return kernel


def test_who_asks_for_no_rate_reads_none() -> None:
    kernel = counting()
    for params in ({}, {"exclusive": True}, {"rate": "", "peer_loss": ""}, {"mtu": 9000}, {"state": "absent"}):
        made(kernel, RESOURCE, **{**PAIR, **params})
    assert kernel.asked == 0
    kernel = counting(rate="1mbit")
    assert kernel.asked == 0
    assert made(kernel, RESOURCE, **PAIR, rate="1mbit")["changed"] is False
    assert kernel.asked == 1, "the end that has one"


def test_both_ends_in_one_message_each_and_taken_back_in_one() -> None:
    kernel = wired(rate="10mbit", peer_rate="1mbit")
    steps = plan(kernel, RESOURCE, **PAIR, rate="20mbit", peer_rate="", mtu=1400).changes
    shapes = [step for step in steps if isinstance(step, SetShape)]
    assert [(step.name, step.new.rate, step.old.rate, step.new.burst) for step in shapes] == [
        ("v0", 20_000_000, 10_000_000, 26422),
        ("eth0", 0, 1_000_000, 0),
    ]
    (back,) = shapes[1].undo()
    assert str(back.commands()[0]).startswith("tc -n web qdisc replace dev eth0 root handle 4c4e: tbf rate 1mbit")


def test_a_bucket_grows_with_the_mtu_whoever_asks_for_that() -> None:
    kernel = wired(rate="10mbit")
    assert [type(step) for step in plan(kernel, RESOURCE, **PAIR, mtu=1400).changes] == [SetLink, SetLink]
    first = plan(kernel, RESOURCE, **PAIR, mtu=65535).changes[0]
    assert isinstance(first, SetShape)
    assert (first.old.burst, first.new.burst) == (14022, 78057)


def test_what_somebody_else_holds_up_is_theirs() -> None:
    kernel = wired()
    kernel.apply(SetShape(HOST, "v0", Shape("htb", 0x10000), NONE))
    assert failed(kernel, RESOURCE, **PAIR, rate="1mbit", delay="1ms") == (
        "Interface 'v0' in the host has a queueing discipline of somebody else's, htb 1:; it is left alone. "
        "Remove it (tc qdisc del dev v0 root), or leave rate and delay out."
    )
    assert plan(kernel, RESOURCE, **PAIR, exclusive=True, mtu=1500).changes == ()


def test_without_netem_nothing_is_changed() -> None:
    kernel = MemoryKernel(lacks=("netem",))
    kernel.apply(AddNetns("web"))
    made(kernel, RESOURCE, **PAIR, rate="1mbit")
    before = kernel.snapshot()
    assert "Operation not supported (there is no netem, of the module sch_netem)" in failed(
        kernel, RESOURCE, **PAIR, delay="1ms", alias="x"
    )
    assert kernel.snapshot() == before


def test_a_peer_that_comes_back_from_elsewhere_gets_its_own_again() -> None:
    kernel = wired(peer_rate="1mbit")
    kernel.apply(MoveLink(WEB, "eth0", HOST, "x0"))
    steps = plan(kernel, RESOURCE, **PAIR, peer_rate="1mbit").changes
    assert [type(step) for step in steps] == [MoveLink, SetShape, SetLink]
