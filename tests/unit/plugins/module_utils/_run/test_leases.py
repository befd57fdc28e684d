# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who has which address: read from the kernel, and moved on by changes."""

from __future__ import annotations

from typing import Any

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import (
    AddLink,
    SetLink,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Holder,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.leases import connected, leases
from ansible_collections.linuxnet.containers.plugins.module_utils._run.prediction import advance_all
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.asked import existing
from ansible_collections.linuxnet.containers.tests.unit.wired_host import ONE, WEB, host, two_containers


def test_a_port_from_before_brings_its_addresses_to_a_bridge_that_was_just_made() -> None:
    kernel = host()
    state, ns = State(kernel), existing(kernel.find(HOST))
    for step in (
        AddLink(HOST, "br1", "bridge", {"enabled": True}),
        SetLink(HOST, "v0", {"master": "br1"}, {"master": "br0"}),
    ):
        advance_all(state, [step])
        kernel.apply(step)
        state.outdate([step])
    assert (
        leases(state).taken(ns, "br1", existing(state.link(ns, "br1")))[ONE.parsed].port
        == existing(state.link(ns, "v0")).index
    )


def test_check_mode_knows_that_a_port_that_moves_takes_its_addresses_along() -> None:
    kernel = two_containers()
    kernel.apply(PutAddress(WEB, "eth0", ONE))
    kernel.apply(AddLink(HOST, "br1", "bridge", {"enabled": True}))
    state, ns = State(kernel, predict=True), existing(kernel.find(HOST))
    state.find(WEB)

    def taken(name: str) -> bool:
        return ONE.parsed in leases(state).taken(ns, name, existing(state.link(ns, name)))

    assert (taken("br0"), taken("br1")) == (True, False)
    advance_all(state, [SetLink(HOST, "vweb", {"master": "br1"}, {"master": "br0"})])
    assert (taken("br0"), taken("br1")) == (False, True)
    advance_all(state, [SetLink(HOST, "vweb", {"master": ""}, {"master": "br1"})])
    assert (taken("br0"), taken("br1")) == (False, False)


def test_the_addresses_of_the_host_and_behind_a_bridge_are_taken() -> None:
    kernel = two_containers()
    ns, web = existing(kernel.find(HOST)), existing(kernel.find(WEB))
    kernel.apply(PutAddress(WEB, "eth0", ONE))
    state = State(kernel)
    bridge, port = state.link(ns, "br0"), existing(state.link(ns, "vweb"))
    taken = leases(state).taken(ns, "br0", bridge)
    assert {str(ip): (holder.ns, holder.port) for ip, holder in taken.items()} == {
        "10.0.0.1": (ns, 0),
        "10.0.0.2": (web, port.index),
    }
    everywhere = leases(state).taken(ns, None, None)
    assert {str(ip): holder.label for ip, holder in everywhere.items()} == {
        "10.0.0.1": "the host",
        "10.0.0.2": "netns 'web'",
    }


def test_what_this_run_puts_and_releases_counts_before_it_is_read_again() -> None:
    kernel = two_containers()
    ns, web = existing(kernel.find(HOST)), existing(kernel.find(WEB))
    state = State(kernel)
    bridge, known = state.link(ns, "br0"), leases(state)
    assert ONE.parsed not in known.taken(ns, "br0", bridge)
    index = existing(state.link(web, "eth0")).index
    advance_all(state, [PutAddress(WEB, "eth0", ONE)])
    assert known.taken(ns, "br0", bridge)[ONE.parsed].index == index
    assert known.put_in(web) == [(index, ONE)]
    assert list(connected(state, web, 4)) == [("10.0.0.0/24", "eth0")]
    known.release(web, index, ONE)
    assert ONE.parsed not in known.taken(ns, "br0", bridge)
    assert known.put_in(web) == []


def test_an_interface_that_is_set_up_brings_the_routes_of_its_addresses() -> None:
    """Those of IPv4 stay on it while it is down, and their routes do not."""
    kernel = two_containers()
    kernel.apply(PutAddress(WEB, "eth0", ONE))
    kernel.apply(SetLink(WEB, "eth0", {"enabled": False}, {}))
    web, state = existing(kernel.find(WEB)), State(kernel, predict=True)
    assert list(connected(state, web, 4)) == []
    up = SetLink(WEB, "eth0", {"enabled": True, "name": "lan0"}, {})
    advance_all(state, [up])
    assert list(connected(state, web, 4)) == [("10.0.0.0/24", "lan0")]
    assert list(connected(state, web, 6)) == []
    kernel.apply(up)
    state.outdate([up])
    assert list(connected(state, web, 4)) == []  # the kernel tells of them now


def test_the_pair_that_is_made_anew_gives_its_addresses_up() -> None:
    kernel = two_containers()
    kernel.apply(PutAddress(WEB, "eth0", ONE))
    ns, state = existing(kernel.find(HOST)), State(kernel, predict=True)
    taken = leases(state).taken(ns, "br0", state.link(ns, "br0"))
    assert ONE.parsed in taken
    leases(state).release_port(ns, "br0", existing(state.link(ns, "vweb")))
    assert ONE.parsed not in taken


def test_a_namespace_that_may_just_be_ending_is_waited_for_once() -> None:
    kernel: Any = two_containers()
    waits: list[int] = []
    kernel.wait_for_rcu = lambda: waits.append(1)
    ns, state = existing(kernel.find(HOST)), State(kernel)
    known, unknown = leases(state), Holder(ONE, None, 2, nsid=3)
    known.taken(ns, "br0", state.link(ns, "br0"))
    for _time in range(2):
        known.read_again(ns, "br0", unknown)
        known.read_again(ns, "br0", Holder(ONE, ns, 2))
    assert waits == [1]
    known_in_check = leases(State(kernel, predict=True))
    known_in_check.read_again(ns, "br0", unknown)
    assert waits == [1]


def test_who_answers_is_asked_once() -> None:
    kernel: Any = host()
    asked: list[str] = []
    kernel.who_has = lambda ns, interface, mac, ip: asked.append(ip)
    state = State(kernel)
    ns = existing(state.find(HOST))
    assert [leases(state).silent(ns, existing(state.link(ns, "br0")), "10.0.0.9") for _time in range(3)] == [True] * 3
    assert asked == ["10.0.0.9"]
