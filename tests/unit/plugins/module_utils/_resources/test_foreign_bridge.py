# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a port fits a bridge of somebody else's."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import AddNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import is_own
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.bridge import RESOURCE as BRIDGE
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.bridge_port import RESOURCE as PORT
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.foreign_bridge import (
    fit,
    joining,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.veth import RESOURCE as VETH
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.asked import existing, made, plan
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

NIC = "fe:ff:00:00:00:07"


def host(nic: bool = True) -> MemoryKernel:
    """A host with a bridge that somebody else made, and a network card of 9000 bytes in it."""
    kernel = MemoryKernel()
    for name in ("web", "db"):
        kernel.apply(AddNetns(name))
    kernel.apply(AddLink(HOST, "lan", "bridge", {"enabled": True}))
    if nic:
        kernel.apply(AddLink(HOST, "nic", "dummy", {"mtu": 9000, "mac": NIC, "master": "lan"}))
    return kernel


def near(kernel: MemoryKernel, name: str) -> Any:
    return existing(kernel.link(existing(kernel.find(HOST)), name))


@pytest.mark.parametrize(("mtu", "peer"), [(None, 9000), ("auto", 9000), ("1400", 1400), ("9100", 9100)])
@pytest.mark.parametrize("option", ["bridge", "port_of"])
def test_a_new_pair_fits(option: str, mtu: str | None, peer: int) -> None:
    kernel = host()
    after = made(kernel, VETH, peer_netns="web", mtu=mtu, **{option: "lan"})["after"]
    assert (after["mtu"], after["peer_mtu"]) == (max(peer, 9000), peer)
    assert after["mac"] > NIC
    assert is_own(after["mac"], "twin", "veth", "/run/netns/web", "eth0", "own"), "it is the mark"
    assert near(kernel, "lan").get("mtu") == 9000
    second = made(kernel, VETH, peer_netns="db", mtu=mtu, **{option: "lan"})["after"]
    assert second["mac"][:11] != after["mac"][:11]
    assert second["mac"] > NIC
    assert made(kernel, VETH, peer_netns="web", mtu=mtu, **{option: "lan"})["changed"] is False


def test_a_bridge_of_ours_asks_for_nothing() -> None:
    kernel = host()
    made(kernel, BRIDGE, name="br0", mtu="1300")
    after = made(kernel, VETH, peer_netns="web", bridge="br0", mtu="auto")["after"]
    assert (after["mtu"], after["mac"][:3]) == (1500, near(kernel, after["name"]).get("mac")[:3])
    assert not after["mac"].startswith("fe:ff:")


def test_what_is_asked_for_is_given_where_nobody_else_has_a_port() -> None:
    kernel = host(nic=False)
    for number, name in enumerate(("web", "db")):
        after = made(kernel, VETH, peer_netns=name, bridge="lan", mtu=str(1400 - number))["after"]
        assert (after["mtu"], after["peer_mtu"]) == (1400 - number, 1400 - number)
    made(kernel, VETH, peer_netns="web", bridge="lan", mtu="1300")


@pytest.mark.parametrize("by", ["veth", "bridge_port"])
def test_a_pair_that_comes_to_the_bridge_fits_first(by: str) -> None:
    kernel = host()
    pair = made(kernel, VETH, peer_netns="web")["after"]
    asked = (VETH, {"peer_netns": "web"}) if by == "veth" else (PORT, {"interface": pair["name"]})
    steps = plan(kernel, asked[0], bridge="lan", **asked[1]).changes
    assert [(type(step), step.new["mtu"], step.new["mac"] > NIC) for step in steps] == [(SetLink, 9000, True)]
    assert steps[0].old["mac"] == pair["mac"]
    made(kernel, asked[0], bridge="lan", **asked[1])
    assert near(kernel, "lan").get("mtu") == 9000
    assert made(kernel, asked[0], bridge="lan", **asked[1])["changed"] is False


def test_what_others_made_keeps_its_address() -> None:
    kernel = host()
    kernel.apply(AddLink(HOST, "theirs", "veth", {"mac": "02:00:00:00:00:01"}, HOST, "far", {}))
    state = State(kernel)
    state.open_all()
    ns = existing(state.find(HOST))
    bridge, port = existing(state.link(ns, "lan")), existing(state.link(ns, "theirs"))
    assert joining(ns, bridge, port, state) == {"mtu": 9000}
    assert fit(ns, bridge, "nic", state).shared is False
    assert plan(kernel, PORT, bridge="lan", interface="theirs").changes[0].new == {"mtu": 9000, "master": "lan"}


def test_pairs_of_ours_do_not_outbid_each_other() -> None:
    """A MAC address is above those of others' ports, whichever of ours came first: of fe:... there are not so many."""
    kernel = host()
    first = made(kernel, VETH, peer_netns="web", port_of="lan")["after"]
    made(kernel, VETH, peer_netns="db", bridge="lan")
    made(kernel, PORT, bridge="lan", interface=first["name"])
    assert near(kernel, first["name"]).get("mac") == first["mac"] > NIC
