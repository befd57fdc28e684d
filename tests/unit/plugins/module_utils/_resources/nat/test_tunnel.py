# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, type tunnel. What it does to packets is shown in tests/module."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import IPTABLES_NFT
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import TUNNELS, Tunnel
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import tunnel
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import SetTunnel
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.resource import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run import validation
from ansible_collections.linuxnet.containers.plugins.module_utils._run.execution import execute
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.asked import existing, failed, made, plan, refusal, want
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

FRONT: dict[str, Any] = {
    "type": "tunnel",
    "vni": 42,
    "peers": ["2001:DB8::2", "192.0.2.3", "192.0.2.2"],
    "owner": "front",
}
PEERS = ["192.0.2.2", "192.0.2.3", "2001:db8::2"]
EACH = pytest.mark.parametrize("backend", [NFTABLES, IPTABLES_NFT])


def tunnels(kernel: MemoryKernel, backend: Any = NFTABLES) -> list[Tunnel]:
    return list(firewalls(State(kernel)).index(existing(kernel.find(HOST)), backend).tunnels.values())


@EACH
def test_a_tunnel_is_made_changed_and_opened(backend: Any) -> None:
    kernel = MemoryKernel()
    before = kernel.snapshot()
    asked = {**FRONT, "backend": backend.option}
    done = made(kernel, RESOURCE, comment="a note", **asked)
    assert (done["before"], done["after"]) == (
        {},
        {
            "type": "tunnel", "netns": None, "vni": 42, "port": 4789, "peers": PEERS, "owner": "front", "comment": "a note",
            "backend": backend.name, "enforced": True,
        },
    )  # fmt: skip
    assert tunnels(kernel, backend) == [Tunnel(42, 4789, tuple(PEERS), "front", "a note")]
    assert made(kernel, RESOURCE, comment="a note", **asked)["changed"] is False
    changed = made(kernel, RESOURCE, comment="a note", **{**asked, "peers": ["192.0.2.2", "192.0.2.2"]})
    assert (changed["before"]["peers"], changed["after"]["peers"]) == (PEERS, PEERS[:1])
    assert changed["diff"]["before"] == "peers 192.0.2.2, 192.0.2.3, 2001:db8::2\n"
    assert made(kernel, RESOURCE, **{**asked, "peers": []})["after"]["peers"] == []
    assert made(kernel, RESOURCE, type="tunnel", vni=42, owner="front", state="absent")["after"] == {}
    assert kernel.snapshot() == before
    assert made(kernel, RESOURCE, type="tunnel", vni=42, owner="front", state="absent")["changed"] is False


def test_one_of_several_leaves_the_others() -> None:
    """The same VNI on another port is another one."""
    kernel = MemoryKernel()
    for vni, port in ((42, 4789), (42, 8472), (43, 4789)):
        made(kernel, RESOURCE, **{**FRONT, "vni": vni, "port": port})
    made(kernel, RESOURCE, **FRONT, state="absent")
    assert [one.key for one in tunnels(kernel)] == [(8472, 42), (4789, 43)]
    made(kernel, RESOURCE, **FRONT, port=8472, state="absent")
    gone = made(kernel, RESOURCE, **{**FRONT, "vni": 43}, state="absent")
    assert gone["commands"] == ["nft 'delete table inet linuxnet_containers'"]


def test_what_else_is_ours_keeps_the_table() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, **FRONT)
    made(kernel, RESOURCE, type="filter", bridge="br0")
    gone = made(kernel, RESOURCE, type="filter", bridge="br0", state="absent")
    assert not [line for line in gone["commands"] if "delete table" in line]
    assert [one.key for one in tunnels(kernel)] == [(4789, 42)]


def test_another_owner_keeps_it() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, **FRONT)
    other = {**FRONT, "owner": "back"}
    assert failed(kernel, RESOURCE, **other) == (
        "vni: 42 on port 4789 is kept for the peers of 'front' already; change it under that owner."
    )
    assert made(kernel, RESOURCE, **other, state="absent")["changed"] is False
    kernel.apply(SetTunnel(HOST, replace(tunnels(kernel)[0], owner="")))  # edited by hand
    assert made(kernel, RESOURCE, **FRONT)["after"]["owner"] == "front"


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(["nftables", "iptables"])))
def test_f16_it_moves_to_another_backend(first: str, second: str) -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, backend=first, **FRONT)
    steps = plan(kernel, RESOURCE, backend=second, **FRONT).changes
    assert [(type(step), step.backend.option, bool(step.new)) for step in steps] == [
        (SetTunnel, second, True),
        (SetTunnel, first, False),
    ]
    made(kernel, RESOURCE, backend=second, **FRONT)
    assert sorted(len(tunnels(kernel, one)) for one in (NFTABLES, IPTABLES_NFT)) == [0, 1]


def test_f13_static_rules_that_are_broken_are_set_right() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, **FRONT)
    one = want(RESOURCE, **FRONT)
    have: Any = RESOURCE.look(one, State(kernel))
    assert have.owned.whole(TUNNELS)
    assert tunnel.plan(one, have).changes == ()
    broken = replace(have, owned=replace(have.owned, static=frozenset()))
    assert [type(step) for step in tunnel.plan(one, broken).changes] == [SetTunnel]


def test_forwarding_is_none_of_its_business() -> None:
    kernel = MemoryKernel()
    before = kernel.sysctl(existing(kernel.find(HOST)), "net/ipv4/ip_forward")
    steps = plan(kernel, RESOURCE, **FRONT).changes
    assert [type(step) for step in steps] == [SetTunnel]
    made(kernel, RESOURCE, **FRONT)
    assert kernel.sysctl(existing(kernel.find(HOST)), "net/ipv4/ip_forward") == before == "0"


def test_check_mode_says_the_same_and_does_nothing() -> None:
    kernel = MemoryKernel()
    before = kernel.snapshot()
    (foreseen,), dummy = execute(RESOURCE, [want(RESOURCE, **FRONT)], kernel, True)
    assert kernel.snapshot() == before
    done = made(kernel, RESOURCE, **FRONT)
    assert {key: foreseen[key] for key in ("before", "after", "commands", "diff")} == {
        key: done[key] for key in ("before", "after", "commands", "diff")
    }


def test_two_items_for_one_tunnel_are_refused() -> None:
    twice = [{**FRONT, "peers": []}, FRONT]
    with pytest.raises(Exception, match=r"twice"):
        validation.items(RESOURCE, {"aggregate": twice})
    assert len(validation.items(RESOURCE, {"aggregate": [FRONT, {**FRONT, "port": 8472}]})) == 2


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"vni": None}, "vni is required with type: tunnel."),
        ({"vni": -1}, "vni: -1 is not the number of a VXLAN; take one from 0 to 16777215."),
        ({"vni": 16777216}, "vni: 16777216 is not the number of a VXLAN; take one from 0 to 16777215."),
        ({"port": 0}, "port: 0 is not a port; take one from 1 to 65535."),
        ({"port": 65536}, "port: 65536 is not a port; take one from 1 to 65535."),
        ({"peers": None}, "peers is required with type: tunnel; an empty list lets nobody in."),
        ({"peers": ["192.0.2.0/24"]}, "peers: '192.0.2.0/24' is a network; list the address of each peer."),
        ({"peers": ["front"]}, "peers: 'front' is not an IP address."),
        ({"peers": ["239.1.1.1"]}, "peers: 239.1.1.1 is not an address a host can have."),
        ({"peers": ["::"]}, "peers: :: is not an address a host can have."),
        ({"interface": "eth0"}, "interface: it does not go with type: tunnel."),
        ({"type": "filter", "bridge": "br0", "peers": None}, "vni: it does not go with type: filter."),
        ({"type": "uplink", "vni": None, "interface": "up1"}, "peers: it does not go with type: uplink."),
        ({"type": "uplink", "vni": None, "peers": None, "port": 8472}, "port: it does not go with type: uplink."),
    ],
)
def test_what_is_refused(options: dict[str, Any], sentence: str) -> None:
    assert refusal(RESOURCE, **{**FRONT, **options}) == sentence


@pytest.mark.parametrize("vni", [0, 0xFFFFFF])
def test_every_vni_is_told_from_others(vni: int) -> None:
    for backend in (NFTABLES, IPTABLES_NFT):
        kernel = MemoryKernel()
        made(kernel, RESOURCE, **{**FRONT, "vni": vni, "backend": backend.option})
        assert [one.vni for one in tunnels(kernel, backend)] == [vni]
