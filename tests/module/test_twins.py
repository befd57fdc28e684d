# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two items for one thing: asked for differently they would take turns in each run, so they are refused; alike they are one."""

from __future__ import annotations

from typing import Any

import pytest
from wires import Host

PAIR = {"peer_netns": "web", "peer_name": "eth1"}
TWINS: list[tuple[str, dict[str, Any], list[dict[str, Any]], str]] = [
    ("netns", {"name": "db"}, [{"loopback": False}, {"state": "absent"}], "netns db"),
    ("bridge", {"name": "br1"}, [{"mtu": 1400}, {"state": "absent"}], "bridge br1"),
    ("veth", {"name": "v1", **PAIR}, [{"mtu": 1400}, {"peer_name": "eth2"}, {"state": "absent"}], "veth v1"),
    ("veth", {"name": "v1", **PAIR}, [{"name": "v2"}], "veth v2"),
    ("veth", {"name": "v1", "peer_name": "v2", "peer_netns": None}, [{"name": "v2", "peer_name": "v3"}], "veth v2"),
    ("bridge_port", {"bridge": "br0", "interface": "p0"}, [{"hairpin": True}, {"bridge": "br9"}, {"state": "absent"}],
     "bridge port p0"),
    ("ns_address", {"interface": "br0", "address": "10.1.0.1/24"}, [{"scope": "link"}, {"state": "absent"}], "address 10.1.0.1/24"),
    ("ns_address", {"interface": "br0", "address": "fd01::1/64"}, [{"address": "FD01:0::1/48"}], "address fd01::1/48"),
    ("ns_address", {"interface": "p0", "pool": "10.3.0.0/24"}, [{"range": "10.3.0.8-10.3.0.9"}], "address from 10.3.0.0/24"),
    ("ns_route", {"destination": "10.9.0.0/16", "gateway": "10.0.0.7"}, [{"gateway": "10.0.0.8"}, {"metric": 0, "mtu": 1400}],
     "route 10.9.0.0/16"),
    ("ns_route", {"gateway": "fd00::7"}, [{"gateway": "fd00::8", "metric": 1024}], "route default (IPv6)"),
    ("nat", {"source": "10.0.0.0/24"}, [{"out_interface": "p0"}, {"state": "absent"}], "nat 10.0.0.0/24"),
    ("nat", {"type": "filter", "bridge": "br0"}, [{"icc": False}, {"owner": "you"}], "filter br0"),
]  # fmt: skip


@pytest.fixture
def wired(host: Host) -> Host:
    host.bridge("br0", "10.0.0.1/24", "fd00::1/64")
    host.run("ip netns add web; ip link add p0 type veth peer name p1; ip link set p0 up; ip link set p1 up")
    return host


@pytest.mark.parametrize(
    ("module", "item", "others", "what"), TWINS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_twins_are_refused_and_doubles_are_one(
    wired: Host, module: str, item: dict[str, Any], others: list[dict[str, Any]], what: str
) -> None:
    message = f"aggregate item 1 and aggregate item 3: the {what}"
    unlike = [({"aggregate": [item, {**item, **_apart(module)}, {**item, **other}]}, message) for other in others]
    wired.all_refused(module, {}, unlike)
    both = wired.module(module, aggregate=[item, item])
    assert [one["changed"] for one in both["results"]] == [True, False]
    assert not wired.module(module, aggregate=[item, item])["changed"]


UNDONE: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("ns_route", {"destination": "10.9.0.0/16", "gateway": "10.0.0.7", "mtu": 1400}, {"mtu": None}, "route 10.9.0.0/16"),
    ("ns_route", {"destination": "10.9.0.0/16", "gateway": "10.0.0.7"}, {"gateway": None, "metric": 0}, "route 10.9.0.0/16"),
    ("ns_route", {"destination": "10.9.0.0/16", "type": "blackhole"}, {}, "route 10.9.0.0/16"),
    ("ns_route", {"gateway": "fd00::7"}, {"metric": 1024}, "route default (IPv6)"),
    ("nat", {"type": "dnat", "owner": "web", "host_port": "8080", "to_address": "10.0.0.2"}, {}, "port 8080/tcp"),
    ("nat", {"type": "dnat", "owner": "web", "host_port": "80-81", "to_address": "10.0.0.2"}, {"host_port": None}, "ports of web"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "item", "other", "what"), UNDONE)
def test_what_is_asked_for_and_asked_to_be_gone_is_refused(
    wired: Host, module: str, item: dict[str, Any], other: dict[str, Any], what: str
) -> None:
    gone = {name: value for name, value in {**item, **other, "state": "absent"}.items() if value is not None}
    message = f"The {what} is asked for, and asked to be gone; list it once."
    wired.all_refused(module, {}, [({"aggregate": [item, gone]}, message), ({"aggregate": [gone, item]}, message)])


def test_one_way_or_port_may_follow_another(wired: Host) -> None:
    """What is to be gone is something else than what is asked for."""
    way: dict[str, Any] = {"destination": "10.9.0.0/16", "gateway": "10.0.0.7"}
    port: dict[str, Any] = {"type": "dnat", "owner": "web", "host_port": "8080", "to_address": "10.0.0.2"}
    cases: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("ns_route", way, {**way, "gateway": "10.0.0.8"}),
        ("nat", port, {**port, "host_port": "8081"}),
        ("bridge_port", {"bridge": "br0", "interface": "p0"}, {"bridge": "br1", "interface": "p0"}),
    ]
    for module, first, then in cases:
        wired.module("bridge", name="br1")
        wired.module(module, **first)
        items = [{**first, "state": "absent"}, then]
        assert wired.settles(module, aggregate=items)["changed"]


def _apart(module: str) -> dict[str, Any]:
    """What makes an item another one."""
    return {
        "netns": {"name": "other"},
        "bridge": {"name": "other"},
        "veth": {"name": "w1", "peer_netns": "web", "peer_name": "w2"},
        "bridge_port": {"interface": "p1"},
        "ns_address": {"interface": "p1"},
        "ns_route": {"destination": "10.77.0.0/16", "gateway": "10.0.0.7"},
        "nat": {"netns": "web"},
    }[module]


def test_two_names_of_one_interface_are_one_interface(wired: Host) -> None:
    wired.run("ip link property add dev p0 altname eno1")
    items = [{"bridge": "br0", "interface": name, "hairpin": name == "p0"} for name in ("p0", "eno1")]
    wired.refuses(
        "bridge_port", "item 1 and item 2: the bridge port p0 is asked for twice, and not alike", aggregate=items
    )


def test_what_only_looks_alike(wired: Host) -> None:
    """One address with two prefix lengths, one destination by two metrics, in two tables or of two families."""
    addresses = [{"interface": "br0", "address": f"10.2.0.1/{length}"} for length in (24, 25)]
    wired.module("ns_address", aggregate=addresses)
    assert not wired.module("ns_address", aggregate=addresses)["changed"]
    more: list[dict[str, Any]] = [{}, {"metric": 5}, {"table": "100"}, {"gateway": "fd00::7"}]
    routes = [{"gateway": "10.0.0.7", **one} for one in more]
    wired.module("ns_route", aggregate=routes)
    assert not wired.module("ns_route", aggregate=routes)["changed"]


NETWORK = {"name": "br0", "subnets": ["10.0.0.0/24"]}


@pytest.mark.parametrize(
    ("networks", "containers", "message"),
    [
        ([NETWORK], [{"name": "web", "routes": [{"destination": "10.9.0.0/16", "gateway": f"10.0.0.{n}"} for n in (7, 8)]}],
         "wiring_containers: container 'web': the route 10.9.0.0/16 in netns 'web' is asked for twice"),
        ([{**NETWORK, "routes": [{"destination": "10.9.0.0/16", "gateway": "10.0.0.7"}]}],
         [{"name": "web", "routes": [{"destination": "10.9.0.0/16", "gateway": "10.0.0.8"}]}],
         "wiring_containers: container 'web': the route 10.9.0.0/16 in netns 'web' is asked for twice"),
        ([NETWORK], [{"name": name, "networks": [{"name": "br0", "host_interface": "v0"}]} for name in ("web", "db")],
         "wiring_containers: container 'db': host_interface: v0 is that of container 'web' already."),
    ],
    ids=["routes", "a network's route", "host ends"],
)  # fmt: skip
def test_twins_in_the_lists_of_the_role(host: Host, networks: Any, containers: Any, message: str) -> None:
    host.refuses("wiring", message, networks=networks, containers=containers)


@pytest.mark.parametrize(
    "route", [{"gateway": "10.0.0.254"}, {"destination": "0.0.0.0/0", "gateway": "10.0.0.254", "metric": 0}]
)
def test_a_listed_default_route_takes_the_place_of_the_networks(host: Host, route: dict[str, Any]) -> None:
    lists: dict[str, Any] = {
        "networks": [{**NETWORK, "subnets": ["10.0.0.0/24", "fd00::/64"]}],
        "containers": [{"name": "web", "routes": [route]}],
    }
    host.module("wiring", **lists)
    assert not host.module("wiring", **lists)["changed"]
    assert [one["gateway"] for one in host.ip("-n web route show default")] == ["10.0.0.254"]
    assert [one["gateway"] for one in host.ip("-n web -6 route show default")] == ["fd00::1"]
