# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of a host: read once and on demand, and moved on by what is planned."""

from __future__ import annotations

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import (
    AddLink,
    DelLink,
    MoveLink,
    SetLink,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import (
    AddNetns,
    BindNetns,
    DropNetns,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import PutRoute
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Address,
    Nexthop,
    NsRef,
    Route,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.leases import leases
from ansible_collections.linuxnet.containers.plugins.module_utils._run.prediction import advance_all, begin
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

WEB = NsRef("/run/netns/web")
ONE = Address("10.0.0.2", 24, 4, label="eth0")
STEPS = [
    AddNetns("web"),
    AddLink(HOST, "br0", "bridge", {"enabled": True}),
    AddLink(HOST, "v0", "veth", {"master": "br0", "mtu": 1400, "enabled": True}, WEB, "eth0", {"mtu": 1400}),
    SetLink(HOST, "v0", {"hairpin": True}, {"hairpin": False}),
    SetLink(WEB, "eth0", {"enabled": True}, {}),
    PutAddress(WEB, "eth0", ONE),
    PutRoute(WEB, Route(4, "0.0.0.0/0", gateway="10.0.0.1", interface="eth0")),
]


def host():
    kernel = MemoryKernel()
    for step in STEPS:
        kernel.apply(step)
    return kernel


class Counting:
    """A source that notes each question on its way to the kernel."""

    def __init__(self, kernel):
        self._kernel, self.asked = kernel, []

    def __getattr__(self, name):
        def ask(*args, **kwargs):
            self.asked.append(name)
            return getattr(self._kernel, name)(*args, **kwargs)

        return ask


def test_a_fact_is_read_once():
    source = Counting(host())
    state = State(source)
    for dummy in range(3):
        ns = state.find(WEB)
        assert state.link(ns, "eth0").get("mtu") == 1400
        assert state.link(ns, "eth9") is None
        assert [one.cidr for one in state.addresses_of(ns, state.link(ns, "eth0"))] == ["10.0.0.2/24"]
        assert len(state.routes(ns, 4, 254)) == 2
    assert source.asked == ["find", "link", "link", "addresses", "routes"]


def test_a_listing_answers_for_every_name():
    source = Counting(host())
    state = State(source)
    ns = state.find(WEB)
    assert sorted(one.name for one in state.links(ns)) == ["eth0", "lo"]
    assert state.link(ns, "eth9") is None
    assert state.link_at(ns, state.link(ns, "eth0").index).name == "eth0"
    assert source.asked == ["find", "links"]


def told(state, ns_ref):
    """What a state says of a namespace, without the numbers that are only foreseen."""
    ns = state.find(ns_ref)
    links = {one.name: one for one in state.links(ns)}
    return (
        {
            name: (one.kind, state.master_name(ns, one), {key: one.get(key) for key in ("mtu", "enabled", "hairpin")})
            for name, one in links.items()
        },
        sorted(one.cidr for dummy, one in state.addresses(ns)),
        [str(one) for one in state.routes(ns, 4, 254) if one.gateway],
    )


def test_what_is_planned_is_what_is_there_afterwards():
    foreseen = State(MemoryKernel(), predict=True)
    advance_all(foreseen, STEPS)
    advance_all(foreseen, [SetLink(HOST, "br0", {"mtu": 1400}, {})])  # a bridge follows its ports in the kernel alone
    happened = State(host())
    for ref in (HOST, WEB):
        assert told(foreseen, ref) == told(happened, ref)
    near = foreseen.link(foreseen.find(HOST), "v0")
    assert near.index < 0
    assert foreseen.link_at(near.peer_ns, near.peer_index).name == "eth0"


@pytest.mark.parametrize(
    ("step", "left"),
    [
        (DelLink(HOST, "v0"), (["br0", "lo"], ["lo"])),
        (DelLink(WEB, "eth0"), (["br0", "lo"], ["lo"])),
        (DelLink(HOST, "br0"), (["lo", "v0"], ["eth0", "lo"])),
        (SetLink(WEB, "eth0", {"name": "net1"}, {}), (["br0", "lo", "v0"], ["lo", "net1"])),
        (MoveLink(WEB, "eth0", HOST, "far"), (["br0", "far", "lo", "v0"], ["lo"])),
    ],
)
def test_links_that_go_and_move(step, left):
    state = State(host())
    advance_all(state, [step])
    found = tuple(sorted(one.name for one in state.links(state.find(ref))) for ref in (HOST, WEB))
    assert found == left


def test_a_link_takes_its_addresses_and_routes_along():
    state = State(host())
    ns = state.find(WEB)
    assert (len(state.addresses(ns)), len(state.routes(ns, 4, 254))) == (1, 2)
    advance_all(state, [DelLink(HOST, "v0")])
    assert (state.addresses(ns), state.routes(ns, 4, 254)) == ([], [])


def test_a_parent_that_is_missing_is_an_error_or_foreseen_once():
    with pytest.raises(Refused) as caught:
        State(MemoryKernel()).need(WEB)
    assert str(caught.value) == (
        "Netns 'web' does not exist (no /run/netns/web); linuxnet.containers.netns with name: web makes it."
    )
    state = State(MemoryKernel(), predict=True)
    ns = state.need(WEB)
    assert ns < 0
    assert state.need(WEB) == ns
    assert state.need_link(ns, WEB, "br0", "bridge", "bridge").kind == "bridge"
    assert state.need_link(ns, WEB, "br0", "bridge", "bridge").index < 0
    assert state.warnings == [
        "Check mode: netns 'web', bridge 'br0' in netns 'web' do not exist yet; taken as made by an earlier task."
    ]
    state.foresee("this")
    state.foresee("that")
    assert state.warnings == [
        "Check mode: netns 'web', bridge 'br0' in netns 'web', this and 1 more do not exist yet; "
        "taken as made by an earlier task."
    ]


@pytest.mark.parametrize(
    ("routes", "mtu"),
    [
        ([], 1500),
        ([Route(4, "0.0.0.0/0", interface="v0", scope="link")], 1400),
        ([Route(4, "0.0.0.0/0", metric=9, interface="v0"), Route(4, "0.0.0.0/0", metric=5, interface="v1")], 1300),
        ([Route(6, "::/0", metric=1024, interface="v1")], 1300),
        ([Route(4, "0.0.0.0/0", nexthops=(Nexthop("", "v1"), Nexthop("", "v0")))], 1300),
        ([Route(4, "0.0.0.0/0", type="blackhole")], 1500),
        ([Route(4, "10.9.0.0/16", interface="v1")], 1500),
    ],
)
def test_c8_the_uplink_s_mtu(routes, mtu):
    kernel = host()
    kernel.apply(AddLink(HOST, "v1", "veth", {"mtu": 1300, "enabled": True}, WEB, "eth1", {}))
    for route in routes:
        kernel.apply(PutRoute(HOST, route))
    state = State(kernel)
    assert state.uplink_mtu(state.find(HOST)) == mtu


def test_a_handle_of_the_host_that_goes_leaves_the_host_s_links():
    kernel = host()
    kernel.apply(BindNetns("all", HOST, kernel.find(HOST)))
    state = State(kernel)
    before = sorted(one.name for one in state.links(state.find(HOST)))
    advance_all(state, [DropNetns("all", state.find(HOST))])
    assert sorted(one.name for one in state.links(state.find(HOST))) == before == ["br0", "lo", "v0"]


def test_a_port_from_before_brings_its_addresses_to_a_bridge_that_was_just_made():
    kernel = host()
    state, ns = State(kernel), kernel.find(HOST)
    for step in (
        AddLink(HOST, "br1", "bridge", {"enabled": True}),
        SetLink(HOST, "v0", {"master": "br1"}, {"master": "br0"}),
    ):
        advance_all(state, [step])
        kernel.apply(step)
        state.outdate([step])
    assert leases(state).taken(ns, "br1", state.link(ns, "br1"))[ONE.parsed].port == state.link(ns, "v0").index


def test_an_interface_that_an_earlier_task_would_remove_is_gone_with_all_that_hangs_on_it():
    kernel = host()
    kernel.apply(PutAddress(HOST, "br0", Address("10.0.0.1", 24, 4, label="br0")))
    ns, web = kernel.find(HOST), kernel.find(WEB)
    state = begin(kernel, True, gone=["br0", "nowhere"])
    assert (state.link(ns, "br0"), state.addresses(ns), state.routes(ns, 4, 254)) == (None, [], [])
    assert state.master_name(ns, state.link(ns, "v0")) == ""
    state = begin(kernel, True, gone=["v0"])
    assert [link.name for link in state.links(web)] == ["lo"]
    assert ONE.parsed not in leases(state).taken(ns, "br0", state.link(ns, "br0"))
    assert leases(state).silent(ns, state.link(ns, "br0"), ONE.ip)
    assert begin(kernel, False, gone=["v0"]).link(ns, "v0") is not None, "in check mode only"
