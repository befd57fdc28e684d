# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, type filter: what is let through to a bridge."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import IPTABLES_NFT
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import Isolation
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Address
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import isolation
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import SetIsolation
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.resource import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.asked import failed, made, plan, refusal, want
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

FILTER = {"type": "filter", "bridge": "br0"}


def isolated(kernel: Any, backend: Any = NFTABLES) -> Any:
    return list(firewalls(State(kernel)).index(kernel.find(HOST), backend).isolations.values())


def test_a_bridge_is_isolated_changed_and_let_go() -> None:
    kernel = MemoryKernel()
    done = made(kernel, RESOURCE, **FILTER)
    assert (done["before"], done["after"]) == (
        {},
        {
            "type": "filter", "netns": None, "bridge": "br0", "isolate": True, "icc": True, "internal": False,
            "inside": [], "owner": "ansible", "comment": None, "backend": "nftables", "enforced": True,
        },
    )  # fmt: skip
    assert made(kernel, RESOURCE, icc=False, **FILTER)["diff"]["after"] == "icc false\n"
    assert isolated(kernel) == [Isolation("br0", icc=False, owner="ansible")]
    assert made(kernel, RESOURCE, state="absent", **FILTER)["commands"] == [
        "nft 'delete table inet linuxnet_containers'"
    ]
    assert isolated(kernel) == []
    assert made(kernel, RESOURCE, state="absent", **FILTER)["changed"] is False


def test_one_of_two_bridges_leaves_the_other() -> None:
    kernel = MemoryKernel()
    for bridge in ("br0", "br1"):
        made(kernel, RESOURCE, **{**FILTER, "bridge": bridge})
    gone = made(kernel, RESOURCE, state="absent", **FILTER)
    assert all(" delete element " in line or "'delete element" in line for line in gone["commands"])
    assert [one.bridge for one in isolated(kernel)] == ["br1"]


def test_f18_the_bridge_of_another_owner_is_refused_and_left() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, owner="first", **FILTER)
    said = failed(kernel, RESOURCE, owner="second", **FILTER)
    assert said == "bridge: br0 is guarded already by 'first'; change it under that owner."
    assert made(kernel, RESOURCE, owner="second", state="absent", **FILTER)["changed"] is False
    assert [one.owner for one in isolated(kernel)] == ["first"]


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(["nftables", "iptables"])))
def test_f16_it_moves_to_another_backend(first: Any, second: Any) -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, backend=first, **FILTER)
    steps = plan(kernel, RESOURCE, backend=second, **FILTER).changes
    assert [(type(step), step.backend.option, bool(step.new)) for step in steps] == [
        (SetIsolation, second, True),
        (SetIsolation, first, False),
    ]
    made(kernel, RESOURCE, backend=second, **FILTER)
    assert sorted(len(isolated(kernel, one)) for one in (NFTABLES, IPTABLES_NFT)) == [0, 1]


def test_f13_static_rules_that_are_broken_are_set_right() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, **FILTER)
    one = want(RESOURCE, **FILTER)
    have = RESOURCE.look(one, State(kernel))
    assert isolation.plan(one, have).changes == ()  # type: ignore[arg-type]
    broken = replace(have, owned=replace(have.owned, static=frozenset()))  # type: ignore[arg-type, union-attr]
    assert [type(step) for step in isolation.plan(one, broken).changes] == [SetIsolation]  # type: ignore[arg-type]


def test_a_bridge_has_to_be_named() -> None:
    assert refusal(RESOURCE, type="filter", owner="x", bridge=None) == "bridge is required with type: filter."


INSIDE = [
    {"source": "10.7.0.0/24"},
    {"source": "10.7.1.0/24", "interface": "vx0", "only": True},
    {"source": "FD00:7::1", "interface": "vx0"},
]


def test_what_is_inside_is_said_in_one_spelling_and_taken_back() -> None:
    kernel = MemoryKernel()
    done = made(kernel, RESOURCE, inside=INSIDE, **FILTER)
    assert done["after"]["inside"] == [
        {"source": "10.7.0.0/24", "interface": "br0", "only": False},
        {"source": "10.7.1.0/24", "interface": "vx0", "only": True},
        {"source": "fd00:7::1/128", "interface": "vx0", "only": True},
    ]
    assert made(kernel, RESOURCE, inside=[*reversed(INSIDE)], **FILTER)["changed"] is False
    less = made(kernel, RESOURCE, inside=INSIDE[:2], **FILTER)
    assert less["commands"][:2] == [
        'nft \'delete element inet linuxnet_containers inside_ip6 { "vx0" . fd00:7::1 . "br0" }\'',
        "nft 'delete element inet linuxnet_containers insiders_ip6 { fd00:7::1 . \"br0\" }'",
    ]
    assert made(kernel, RESOURCE, **FILTER)["changed"] is False
    assert made(kernel, RESOURCE, icc=False, **FILTER)["after"]["inside"] == less["after"]["inside"]
    assert made(kernel, RESOURCE, inside=[], **FILTER)["after"]["inside"] == []


def test_what_is_inside_elsewhere_is_forwarded_as_long_as_it_is_there() -> None:
    kernel = MemoryKernel()
    before = kernel.snapshot()

    def forwarding() -> list[str]:
        return [
            kernel.sysctl(kernel.find(HOST) or 0, key) or ""
            for key in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding")
        ]

    done = made(kernel, RESOURCE, inside=INSIDE, **FILTER)
    assert (forwarding(), done["after"]["ip_forward"]) == (["1", "1"], True)
    kernel.apply(SetSysctl(HOST, "net.ipv4.ip_forward", "0", "1"))
    again = made(kernel, RESOURCE, inside=INSIDE, **FILTER)
    assert (again["changed"], again["before"]["ip_forward"], forwarding()) == (True, False, ["1", "1"])
    made(kernel, RESOURCE, inside=INSIDE[:2], **FILTER)
    assert forwarding() == ["1", "0"]
    made(kernel, RESOURCE, state="absent", **FILTER)
    assert kernel.snapshot() == before


def test_forwarding_is_nobody_s_business_where_that_is_said() -> None:
    kernel = MemoryKernel()
    done = made(kernel, RESOURCE, inside=INSIDE, ip_forward=False, **FILTER)
    assert "ip_forward" not in done["after"]
    assert kernel.sysctl(kernel.find(HOST) or 0, "net.ipv4.ip_forward") == "0"


def test_a_neighbour_s_network_comes_straight_and_by_the_tunnel() -> None:
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, "eth0", "dummy", {"enabled": True}))
    kernel.apply(PutAddress(HOST, "eth0", Address("198.18.1.1", 24, 4)))
    way = {"interface": "vx0", "only": True}
    done = made(
        kernel,
        RESOURCE,
        inside=[
            {"source": "10.7.3.0/24", "direct_gateway": "198.18.1.3", **way},
            {"source": "10.7.4.0/24", "direct_gateway": "198.18.2.4", **way},
            {"source": "10.7.5.0/24", "direct_gateway": "198.18.1.5"},
        ],
        **FILTER,
    )
    assert [(one["source"], one["interface"], one["only"]) for one in done["after"]["inside"]] == [
        ("10.7.3.0/24", "eth0", False),
        ("10.7.5.0/24", "eth0", False),
        ("10.7.3.0/24", "vx0", True),
        ("10.7.4.0/24", "vx0", True),
    ]
    nowhere = made(kernel, RESOURCE, inside=[{"source": "10.7.4.0/24", "direct_gateway": "198.18.2.4"}], **FILTER)
    assert nowhere["after"]["inside"] == [], "nobody is let in from there"


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ([{"source": "0.0.0.0/0", "interface": "vx0"}], "inside: 0.0.0.0/0 is everything; name the networks that are the same network elsewhere."),
        ([{"source": "10.7.0.0/16", "interface": "vx0"}, {"source": "10.7.1.0/24"}], "inside: 10.7.0.0/16 and 10.7.1.0/24 overlap."),
        ([{"source": "10.7.1.0/24", "interface": "vx0"}, {"source": "10.7.1.0/24"}], "inside: 10.7.1.0/24 is on br0 itself, and not elsewhere."),
        ([{"source": "10.7.1.0/24"}, {"source": "10.7.1.0/24", "interface": "br0"}], "inside: 10.7.1.0/24 by br0 is asked for twice."),
        ([{"source": "10.7.1.0/24", "only": True}], "inside: only: it is for the interface of a network elsewhere, not for the bridge itself."),
        ([{"source": "10.7.1.5/24"}], "inside: source: '10.7.1.5/24' is not a network such as 172.17.0.0/16: 10.7.1.5/24 has host bits set."),
    ],
)  # fmt: skip
def test_what_nobody_could_tell_apart_is_refused(inside: Any, said: str) -> None:
    assert refusal(RESOURCE, inside=inside, **FILTER) == said


def test_the_same_networks_by_two_ways_are_let_in_by_both() -> None:
    kernel = MemoryKernel()
    ways = [{"source": "10.7.1.0/24", "interface": way} for way in ("up0", "vx0")]
    made(kernel, RESOURCE, inside=ways, **FILTER)
    assert isolated(kernel)[0].ways(4) == [("up0", "10.7.1.0/24"), ("vx0", "10.7.1.0/24")]
    assert isolated(kernel)[0].insiders(4) == ["10.7.1.0/24"]


def test_inside_goes_with_isolation_only() -> None:
    said = refusal(RESOURCE, source="10.0.0.0/24", inside=INSIDE)
    assert said == "inside: it does not go with type: masquerade."
