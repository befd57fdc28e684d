# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What networks that hosts share ask of the modules on one of them, and what is refused."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.validation import checked

FLEET: list[dict[str, Any]] = [{"name": f"h{number}", "underlay_address": f"192.0.2.{number}"} for number in (1, 2, 3)]
FRONT: dict[str, Any] = {"name": "front", "driver": "routed", "subnets": ["10.7.0.0/16", "fd00:7::/48"]}
SEGMENT: dict[str, Any] = {**FRONT, "driver": "vxlan"}
WIDE: dict[str, Any] = {**FRONT, "underlay": "routed", "uplinks": ["eth0", "eth1"]}
Items = list[dict[str, Any]]


def plan(
    *networks: dict[str, Any], fleet: Any = FLEET, at: Any = "192.0.2.1", **more: Any
) -> dict[str, dict[str, Items]]:
    found: dict[str, dict[str, Items]] = checked(
        compile_plan(networks, more.pop("containers", []), fleet=fleet, underlay_address=at, **more)
    )
    return found


def told(items: Items, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(item.get(name) for name in names) for item in items]


def inside(made: dict[str, dict[str, Items]]) -> list[tuple[Any, ...]]:
    return told(made["wire"]["nat"][0]["inside"], "source", "interface", "direct_gateway")


# --- routed ---


def test_a_routed_network_is_a_slice_and_the_ways_to_the_others() -> None:
    made = plan(FRONT)
    wire = made["wire"]
    assert [item["address"] for item in wire["gateway"]] == [
        "10.7.1.1/24",
        "fd00:7:0:1::1/64",
        "10.7.1.0/32",
        "fd00:7:0:1::/128",
    ]
    assert told(wire["route"], "destination", "gateway", "direct_gateway", "interface", "source") == [
        ("10.7.2.0/24", "10.7.2.0", "192.0.2.2", "vx-front", "10.7.1.1"),
        ("fd00:7:0:2::/64", "fd00:7:0:2::", None, "vx-front", "fd00:7:0:1::1"),
        ("10.7.3.0/24", "10.7.3.0", "192.0.2.3", "vx-front", "10.7.1.1"),
        ("fd00:7:0:3::/64", "fd00:7:0:3::", None, "vx-front", "fd00:7:0:1::1"),
    ]
    assert inside(made) == [
        ("10.7.1.0/24", None, None),
        ("fd00:7:0:1::/64", None, None),
        ("10.7.2.0/24", "vx-front", "192.0.2.2"),
        ("fd00:7:0:2::/64", "vx-front", None),
        ("10.7.3.0/24", "vx-front", "192.0.2.3"),
        ("fd00:7:0:3::/64", "vx-front", None),
    ]
    assert told(wire["link"], "name", "local", "peers") == [("vx-front", "192.0.2.1", ["192.0.2.2", "192.0.2.3"])]
    assert wire["bridge"][0]["mtu_less"] == 50
    assert told(wire["nat"][2:], "source", "exclude") == [
        ("10.7.1.0/24", ["10.7.0.0/16"]),
        ("fd00:7:0:1::/64", ["fd00:7::/48"]),
    ]


def test_without_a_tunnel_there_is_none_and_that_of_before_goes() -> None:
    net = {**FRONT, "subnets": ["10.7.0.0/16"], "underlay": "direct"}
    made = plan(net)
    assert made["wire"]["link"] == []
    assert told(made["teardown"]["link"], "name", "state") == [("vx-front", "absent")]
    assert told(made["wire"]["route"], "destination", "gateway", "direct_gateway", "interface") == [
        ("10.7.2.0/24", None, "192.0.2.2", None),
        ("10.7.3.0/24", None, "192.0.2.3", None),
    ]
    assert made["teardown"]["route"][0]["keep"] == ["10.7.2.0/24", "10.7.3.0/24"]
    assert "mtu_less" not in made["wire"]["bridge"][0]


def test_by_the_tunnel_alone_no_neighbour_is_sent_to_straight() -> None:
    made = plan({**FRONT, "underlay": "vxlan"})
    assert {item.get("direct_gateway") for item in made["wire"]["route"]} == {None}
    assert {way[2] for way in inside(made)} == {None}


def test_over_ipv6_the_tunnel_takes_more() -> None:
    fleet = [{"name": f"h{number}", "underlay_address": f"2001:db8::{number}"} for number in (1, 2)]
    made = plan(FRONT, fleet=fleet, at="2001:db8::1")
    assert made["wire"]["bridge"][0]["mtu_less"] == 70
    assert told(made["wire"]["route"], "destination", "direct_gateway") == [
        ("10.7.2.0/24", None),
        ("fd00:7:0:2::/64", "2001:db8::2"),
    ]


# --- with the routes of a routing daemon ---


def test_where_a_daemon_routes_the_rest_of_the_subnets_comes_by_the_uplinks() -> None:
    made = plan(WIDE)
    wire = made["wire"]
    assert wire["route"] == wire["link"] == []
    assert [item["address"] for item in wire["gateway"]] == ["10.7.1.1/24", "fd00:7:0:1::1/64"]
    for whole, own in (("10.7.0.0/16", "10.7.1.0/24"), ("fd00:7::/48", "fd00:7:0:1::/64")):
        net, mine = ipaddress.ip_network(whole), ipaddress.ip_network(own)
        for uplink in ("eth0", "eth1"):
            rest = [ipaddress.ip_network(source) for source, way, dummy in inside(made) if way == uplink]
            rest = [one for one in rest if one.version == net.version]
            assert len(rest) == mine.prefixlen - net.prefixlen
            joined: Any = [*rest, mine]
            assert [*ipaddress.collapse_addresses(joined)] == [net]
            assert not any(one.overlaps(mine) for one in rest)
    assert made["teardown"]["route"] == [{"network": "front", "interface": "vx-front", "state": "absent", "keep": []}]


def test_where_a_daemon_routes_nothing_of_the_others_is_in_the_plan() -> None:
    more = [*FLEET, {"name": "h4", "underlay_address": "192.0.2.4", "slice": 77}]
    named = [*reversed([{**FLEET[0]}, {"name": "new", "underlay_address": "192.0.2.9"}])]
    alone = plan(WIDE, fleet=FLEET[:1], persist=True)
    assert plan(WIDE, persist=True) == plan(WIDE, fleet=more, persist=True) == plan(WIDE, fleet=named, persist=True)
    assert plan(WIDE, persist=True) == alone


def test_where_a_daemon_routes_the_number_that_is_written_down_is_kept() -> None:
    fleet = [{**FLEET[0], "slice": 9}, *FLEET[1:]]
    made = plan(WIDE, fleet=fleet, persist=True)
    kept = made["wire"]["keep"][0]["networks"]
    assert [net["fleet"] for net in kept] == [[fleet[0]]]
    assert plan(*kept, fleet=None, at=None, persist=True) == made


# --- one segment ---


def test_a_segment_is_everybodys_gateway_and_addresses_of_a_slice() -> None:
    made = plan(SEGMENT, containers=[{"name": "web"}])
    wire = made["wire"]
    assert told(wire["address"], "pool", "range", "gateway", "exclude") == [
        ("10.7.0.0/16", "10.7.1.0/24", "10.7.0.1", ["10.7.1.1"]),
        ("fd00:7::/48", "fd00:7:0:1::/64", "fd00:7::1", ["fd00:7:0:1::1"]),
    ]
    assert told(wire["gateway"], "address", "announce") == [
        ("10.7.1.1/16", None),
        ("10.7.0.1/32", False),
        ("fd00:7:0:1::1/48", None),
        ("fd00:7::1/128", False),
    ]
    assert told(wire["bridge_port"], "interface", "neigh_suppress") == [("vx-front", True)]


def test_the_host_whose_slice_has_the_gateway_takes_the_next_address() -> None:
    made = plan(SEGMENT, fleet=[{**FLEET[0], "slice": 0}], containers=[{"name": "web"}])
    assert told(made["wire"]["gateway"], "address")[:2] == [("10.7.0.2/16",), ("10.7.0.1/32",)]
    assert made["wire"]["address"][0]["exclude"] == ["10.7.0.2"]


# --- what is refused ---


@pytest.mark.parametrize(
    ("net", "text"),
    [
        ({"underlay": "direct"}, "underlay: direct: fd00:7::/48 is IPv6, and the hosts' addresses are IPv4; with auto it goes by the tunnel."),
        ({"unmanaged": True}, "unmanaged: not with driver: routed, for its bridge is to be the host's own."),
        ({"driver": "vxlan", "unmanaged": True}, "unmanaged: not with driver: vxlan, for its bridge is to be the host's own."),
        ({"subnets": []}, "driver: routed needs subnets, and addressing: pool."),
        ({"addressing": "none"}, "driver: routed needs subnets, and addressing: pool."),
        ({"vni": 0}, "vni: 0 is out of bounds; it must be from 1 to 16777215."),
        ({"vni": 1 << 24}, "vni: 16777216 is out of bounds; it must be from 1 to 16777215."),
        ({"internal": True}, "internal: not with driver: routed, for it is forwarded between its hosts."),
        ({"host_access": False}, "host_access: not with driver: routed, for it is forwarded between its hosts."),
        ({"host_prefix": [24]}, "host_prefix: there are 1 for 2 subnets; it has one for each, in order."),
        ({"host_prefix": [30, 50]}, "hosts 'h1' and 'h5' would both have 10.7.0.4/30: give one of them a wiring_slice of its own "
            "(their addresses 192.0.2.1 and 192.0.2.5 end in the same 2 bits)."),
        ({"subnets": ["192.0.0.0/16"]}, "the underlay address 192.0.2.1 of host 'h1' is in its own subnet 192.0.0.0/16; the tunnel would go through itself."),
        ({"driver": "vxlan", "underlay": "vxlan"}, "underlay: with driver: vxlan there is nothing but the tunnel; leave it out."),
        ({"driver": "vxlan", "ranges": ["10.7.9.0/24"]}, "ranges: with driver: vxlan each host gives addresses from its slice; leave it out."),
        ({"uplinks": ["eth0"]}, "uplinks: they are for underlay: routed."),
        ({"driver": "bridge", "uplinks": ["eth0"]}, "uplinks: it is for driver: routed or vxlan."),
        ({"driver": "bridge", "host_prefix": [24]}, "host_prefix: it is for driver: routed or vxlan."),
        ({"driver": "bridge", "underlay": "vxlan"}, "underlay: it is for driver: routed or vxlan."),
        ({"driver": "bridge", "vni": 7}, "vni: it is for driver: routed or vxlan."),
        ({"underlay": "routed"}, "underlay: routed needs uplinks, the interfaces by which the network's other slices come."),
        ({"underlay": "routed", "uplinks": ["eth0", "front"]}, "uplinks: front is its own bridge."),
        ({"underlay": "routed", "uplinks": ["a/b"]}, "uplinks: 'a/b' is not an interface name: it must not be empty, '.' or '..', nor hold '/', "
            "':', '%' or white space."),
    ],
)  # fmt: skip
def test_a_network_that_cannot_be_shared_so_is_refused(net: dict[str, Any], text: str) -> None:
    fleet = [*FLEET, {"name": "h5", "underlay_address": "192.0.2.5"}]
    with pytest.raises(Invalid) as refused:
        plan({**FRONT, **net}, fleet=fleet)
    assert str(refused.value) == f"wiring_networks: network 'front': {text}"


@pytest.mark.parametrize("driver", ["routed", "vxlan"])
def test_a_network_without_hosts_that_share_it_is_refused(driver: str) -> None:
    with pytest.raises(Invalid) as refused:
        plan({**FRONT, "driver": driver}, fleet=[], at=None)
    assert str(refused.value) == (
        f"wiring_networks: network 'front': driver: {driver} needs wiring_fleet, the hosts that share it."
    )


def test_who_this_host_is_has_to_be_told() -> None:
    with pytest.raises(Invalid) as refused:
        plan(FRONT, at="192.0.2.77")
    assert (
        str(refused.value)
        == "wiring_underlay_address: no host of wiring_fleet has the address 192.0.2.77; set it in the inventory, where all hosts can read it."
    )


def test_an_address_of_another_host_s_slice_is_refused() -> None:
    web = {"name": "web", "networks": [{"name": "front", "ipv4_address": "10.7.2.9"}]}
    with pytest.raises(Invalid) as refused:
        plan(SEGMENT, containers=[web])
    assert str(refused.value).endswith("10.7.2.9 is of the slice of host 'h2' in network 'front'.")


# --- what is not shared any more ---


@pytest.mark.parametrize("net", [{**FRONT, "state": "absent"}, {"name": "front", "subnets": ["10.7.0.0/16"]}])
def test_what_a_shared_network_had_goes_with_its_end(net: dict[str, Any]) -> None:
    down = plan(net)["teardown"]
    assert down["route"] == [{"network": "front", "interface": "vx-front", "state": "absent"}]
    assert told(down["link"], "name", "only_ours", "state") == [("vx-front", True, "absent")]
    assert {"type": "tunnel", "owner": "front", "state": "absent"} in down["nat"]


def test_a_host_that_shares_nothing_has_no_task_more() -> None:
    plain = {"name": "front", "subnets": ["10.7.0.0/16"]}
    assert not any(compile_plan([plain], [])["teardown"].values())
