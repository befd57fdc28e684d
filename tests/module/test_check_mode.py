# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode through a chain of modules: on an empty host each says what it would do after the ones before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lab import Lab
from wires import warnings

Chain = list[tuple[str, dict[str, Any]]]

# A container as the role wires it, a task each; addresses of both families from pools.

pytestmark = pytest.mark.both_ends
ONE: Chain = [
    ("netns", {"name": "web"}),
    ("bridge", {"name": "br0"}),
    ("ns_address", {"interface": "br0", "aggregate": [{"address": "172.17.0.1/16"}, {"address": "fd00:17::1/64"}]}),
    ("veth", {"name": "web0", "peer_netns": "web"}),
    ("bridge_port", {"bridge": "br0", "interface": "web0", "hairpin": True}),
    (
        "ns_address",
        {
            "netns": "web",
            "interface": "eth0",
            "bridge": "br0",
            "aggregate": [{"pool": "172.17.0.0/16"}, {"pool": "fd00:17::/64"}],
        },
    ),
    (
        "ns_route",
        {"netns": "web", "interface": "eth0", "aggregate": [{"gateway": "172.17.0.1"}, {"gateway": "fd00:17::1"}]},
    ),
    (
        "nat",
        {"out_interface": "!br0", "aggregate": [{"source": "172.17.0.0/16"}, {"source": "fd00:17::/64"}]},
    ),
]
# The same without lists: one object a task.
PLAIN: Chain = [
    ("netns", {"name": "db"}),
    ("bridge", {"name": "br0"}),
    ("ns_address", {"interface": "br0", "address": "10.5.0.1/24"}),
    ("veth", {"peer_netns": "db", "bridge": "br0", "name": "db0"}),
    ("ns_address", {"netns": "db", "interface": "eth0", "pool": "10.5.0.0/24", "bridge": "br0"}),
    ("ns_route", {"netns": "db", "gateway": "10.5.0.1"}),
    ("ns_route", {"netns": "db", "destination": "10.6.0.0/16", "gateway": "10.5.0.9", "metric": 5}),
    ("nat", {"source": "10.5.0.0/24", "type": "snat", "to_address": "192.0.2.7", "owner": "db"}),
]
# A network for several containers: each in every task.
THREE: Chain = [
    ("netns", {"aggregate": [{"name": name} for name in ("a", "b", "c")]}),
    ("bridge", {"aggregate": [{"name": "br0"}, {"name": "br1"}]}),
    ("ns_address", {"aggregate": [{"interface": "br0", "address": "10.5.0.1/29"}]}),
    ("veth", {"aggregate": [{"name": f"{name}0", "peer_netns": name, "bridge": "br0"} for name in ("a", "b", "c")]}),
    (
        "ns_address",
        {
            "interface": "eth0",
            "bridge": "br0",
            "aggregate": [
                {"netns": "a", "pool": "10.5.0.0/29"},
                {"netns": "b", "pool": "10.5.0.0/29"},
                {"netns": "c", "address": "10.5.0.3/29"},
            ],
        },
    ),
    ("ns_route", {"gateway": "10.5.0.1", "aggregate": [{"netns": name} for name in ("a", "b", "c")]}),
]
# Tunnels: of a bridge, and on the container's end of a pair.
TUNNELS: Chain = [
    *((module, options) for module, options in ONE if module in ("netns", "bridge", "veth")),
    (
        "ns_link",
        {"name": "vx0", "kind": "vxlan", "vni": 42, "local": "192.0.2.1", "peers": ["192.0.2.2"], "master": "br0"},
    ),
    ("ns_link", {"name": "vx1", "kind": "vxlan", "vni": 43, "netns": "web", "parent": "eth0", "parent_netns": "web"}),
    ("ns_address", {"netns": "web", "interface": "vx1", "address": "10.42.0.1/24"}),
]
# Links on links: a macvlan of a bridge in a container, and one of the container's own interface in the host.
LINKS: Chain = [
    *((module, options) for module, options in ONE if module in ("netns", "bridge", "veth")),
    ("ns_link", {"name": "m0", "kind": "macvlan", "netns": "web", "parent": "br0"}),
    ("ns_link", {"name": "m2", "kind": "macvlan", "parent": "eth0", "parent_netns": "web", "mtu": 1400}),
    ("ns_address", {"netns": "web", "interface": "m0", "address": "10.43.0.1/24"}),
]
WITH_LINKS = pytest.param(LINKS, marks=pytest.mark.needs("macvlan"), id="links")
WITH_TUNNELS = pytest.param(TUNNELS, marks=pytest.mark.needs("vxlan"), id="tunnels")


def results(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The results of a task, one an item."""
    return list(result.get("results", [result]))


def comparable(one: dict[str, Any]) -> dict[str, Any]:
    """What check mode can know of a result: all but what the kernel gives when it makes a thing."""
    kernels = ("inode", "mac", "peer_mac", "ifindex", "peer_ifindex", "index", "peer_index")
    after = {name: value for name, value in one["after"].items() if name not in kernels}
    return {"changed": one["changed"], "before": one["before"], "after": after, "diff": one["diff"]}


@pytest.mark.parametrize(
    "chain", [ONE, PLAIN, THREE, WITH_TUNNELS, WITH_LINKS], ids=["one", "plain", "three", None, None]
)
def test_a3_a4_check_mode_on_an_empty_host_says_what_the_real_run_does(
    lab: Lab, needs: Callable[..., None], chain: Chain
) -> None:
    """A3, A4: the same ``changed``, ``after``, diff and addresses, and not a trace on the host."""
    needs("nft", "nf_tables", "nf_nat")
    before = lab.snapshot()
    foreseen = [lab.module(module, check=True, **options) for module, options in chain]
    assert lab.snapshot() == before
    done = [lab.module(module, **options) for module, options in chain]
    for (module, dummy), one, other in zip(chain, foreseen, done, strict=True):
        for expected, real in zip(results(one), results(other), strict=True):
            if module == "ns_route" and expected["after"]["interface"] is None:
                del expected["after"]["interface"], real["after"]["interface"]  # no subnet tells it yet
            assert comparable(expected) == comparable(real), module
    assert [result["changed"] for result in done] == [result["changed"] for result in foreseen]
    again = [lab.module(module, **options) for module, options in chain]
    assert not any(result["changed"] for result in again)


def test_a4_the_address_that_check_mode_foresees_is_taken(lab: Lab) -> None:
    """A4, written out: the usual address of "web/eth0", whether there is a bridge, a namespace, both or neither."""
    options: dict[str, Any] = {"netns": "web", "interface": "eth0", "bridge": "br0", "pool": "172.17.0.0/16"}
    for command in ("true", "ip link add br0 type bridge", "ip netns add web"):
        lab.run(command)
        assert lab.module("ns_address", check=True, **options)["after"]["address"] == "172.17.230.194/16"
    lab.run("ip link add w type veth peer name eth0 netns web && ip link set w master br0")
    assert lab.module("ns_address", **options)["after"]["address"] == "172.17.230.194/16"


def test_a3_what_is_missing_is_said_once(lab: Lab) -> None:
    result = lab.module(
        "ns_address",
        check=True,
        netns="web",
        interface="eth0",
        aggregate=[{"address": "10.5.0.2/24"}, {"pool": "10.6.0.0/24"}],
    )
    assert warnings(result) == [
        "Check mode: netns 'web', interface 'eth0' in netns 'web' do not exist yet; taken as made by an earlier task."
    ]


@pytest.mark.parametrize("chain", [ONE, PLAIN, WITH_TUNNELS], ids=["one", "plain", None])
def test_check_mode_of_removal_says_what_the_real_run_does(lab: Lab, needs: Callable[..., None], chain: Chain) -> None:
    needs("nft", "nf_tables", "nf_nat")
    for module, options in chain:
        lab.module(module, **options)
    removal = [(module, {**options, "state": "absent"}) for module, options in reversed(chain)]
    for module, options in removal:
        foreseen = lab.module(module, check=True, **options)
        done = lab.module(module, **options)
        for expected, real in zip(results(foreseen), results(done), strict=True):
            for key in ("changed", "before", "after", "diff", "commands"):
                assert expected[key] == real[key], module
        assert lab.module(module, **options)["changed"] is False
    assert [link["ifname"] for link in lab.ip("link show")] == ["lo"]
    assert lab.run("nft list ruleset; ls /run/netns /etc/sysctl.d | grep linuxnet; ip route", check=False).stdout == ""
