# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a network of the role's list asks of the modules, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan
from ansible_collections.linuxnet.containers.tests.unit.plans import (
    BACK,
    CHECK,
    CHECKED_FIRST,
    DOCKER0,
    NO_CHECKS,
    NO_PORTS,
    NO_ROUTES,
    NOTHING_PUBLISHED,
    listed,
    wire,
)


def test_what_a_network_says_is_passed_on() -> None:
    net = {
        "name": "br0",
        "subnets": ["10.0.0.0/24", "10.1.0.0/24"],
        "gateways": ["10.1.0.254"],
        "ranges": ["10.0.0.128/25"],
        "exclude": ["10.0.0.200"],
        "mtu": 1400,
        "metric": 50,
        "outbound_ipv4": "192.0.2.1",
        "routes": [{"destination": "10.9.0.0/16", "gateway": "10.0.0.9"}],
    }
    made = wire([net], [{"name": "web", "routes": [{"destination": "10.8.0.0/16", "type": "blackhole"}]}])
    assert made["bridge"] == [{"name": "br0", "only_ours": True, "mtu": "1400", "accept_ra": False, "ipv6": False}]
    assert [one["address"] for one in made["gateway"]] == ["10.0.0.1/24", "10.1.0.254/24"]
    assert [(one["pool"], one.get("range"), one["gateway"]) for one in made["address"]] == [
        ("10.0.0.0/24", "10.0.0.128/25", "10.0.0.1"),
        ("10.1.0.0/24", None, "10.1.0.254"),
    ]
    assert made["address"][0]["exclude"] == ["10.0.0.200"]
    only = {"exclusive": True}
    assert made["route"] == [
        {"netns": "web", "family": "ipv4", "gateway": "10.0.0.1", "interface": "eth0", "metric": 50, **only},
        {"interface": "eth0", "destination": "10.9.0.0/16", "gateway": "10.0.0.9", "netns": "web", **only},
        {"destination": "10.8.0.0/16", "type": "blackhole", "netns": "web", **only},
    ]
    assert [(one["type"], one["to_address"]) for one in made["nat"][1:3]] == [("snat", "192.0.2.1")] * 2
    pools = {"pools": ["10.0.0.0/24", "10.1.0.0/24"], "exclude": ["10.0.0.1", "10.1.0.254"]}
    assert made["nat"][3:] == [NO_PORTS, {**CHECKED_FIRST, **pools}]
    assert made["publish"] == [NOTHING_PUBLISHED, {**CHECK, **pools, "addresses": ["web/eth0/ipv4"]}]


ISOLATION = {"type": "filter", "bridge": "back", "owner": "back", "isolate": True, "icc": True}
NO_NAT = {"owner": "back", "state": "absent"}
OURS_AWAY = {"state": "absent", "supersede": True}


def test_an_internal_network_has_the_hosts_address_but_no_default_route_and_no_nat() -> None:
    made = wire([{**BACK, "internal": True}], [{"name": "web"}])
    assert [item["address"] for item in made["gateway"]] == ["10.1.0.1/24"]
    assert made["route"] == [NO_ROUTES]
    check = {**CHECKED_FIRST, "pools": ["10.1.0.0/24"], "exclude": ["10.1.0.1"]}
    assert made["nat"] == [{**ISOLATION, "internal": True}, NO_NAT, NO_PORTS, check]
    assert [(one["pool"], one["gateway"]) for one in made["address"]] == [("10.1.0.0/24", "10.1.0.1")]


def test_without_host_access_the_bridge_has_no_address_and_the_pool_no_gateway() -> None:
    made = wire([{**BACK, "host_access": False}], [{"name": "web"}])
    assert made["gateway"] == [{"interface": "back", **OURS_AWAY}]
    assert made["route"] == [NO_ROUTES]
    check = {**CHECKED_FIRST, "pools": ["10.1.0.0/24"], "exclude": []}
    assert made["nat"] == [{**ISOLATION, "internal": True}, NO_NAT, NO_PORTS, check]
    assert [(one["pool"], one["gateway"]) for one in made["address"]] == [("10.1.0.0/24", "none")]


def test_a_router_on_a_network_without_host_access_has_the_default_route() -> None:
    router = {"name": "router", "networks": [{"name": "back", "ipv4_address": "10.1.0.254"}]}
    made = wire([{**BACK, "host_access": False, "gateways": ["10.1.0.254"]}], [{"name": "web"}, router])
    assert made["gateway"] == [{"interface": "back", **OURS_AWAY}]
    assert [(one.get("gateway"), one.get("interface")) for one in made["route"]] == [
        ("10.1.0.254", "eth0"),
        (None, None),
    ]
    assert [one["gateway"] for one in made["address"]] == ["10.1.0.254", "none"]
    assert made["nat"][0] == {**ISOLATION, "internal": True}


def test_with_addressing_none_a_container_has_the_addresses_that_are_listed() -> None:
    web = {"name": "web", "networks": [{"name": "back", "ipv4_address": "10.1.0.9"}], "published_ports": ["8080:80"]}
    made = wire([{**BACK, "addressing": "none"}], [web, {"name": "bare"}])
    assert [item["address"] for item in made["gateway"]] == ["10.1.0.1/24"]
    assert [one.get("address") for one in made["address"]] == ["10.1.0.9/24", None]
    assert made["address"][1] == {"netns": "bare", "interface": "eth0", "loopback": True, **OURS_AWAY}
    assert [one["netns"] for one in made["route"] if "gateway" in one] == ["web"]
    assert [one["to_address"] for one in made["publish"] if "to_address" in one] == ["web/eth0/ipv4"]


def test_a_network_without_subnets_is_a_bridge_and_no_more() -> None:
    r1 = {"name": "r1", "networks": [{"name": "back", "ipv4_address": "10.9.0.1/30", "ipv6_address": "fd00:9::1/64"}]}
    made = wire([{"name": "back", "addressing": "none", "vlan_filtering": True}], [r1])
    assert made["bridge"] == [
        {"name": "back", "only_ours": True, "mtu": "auto", "accept_ra": False, "ipv6": False, "vlan_filtering": True}
    ]
    assert made["gateway"] == [{"interface": "back", **OURS_AWAY}]
    assert [one["address"] for one in made["address"]] == ["10.9.0.1/30", "fd00:9::1/64"]
    assert made["route"] == [{**NO_ROUTES, "netns": "r1"}]
    assert made["nat"] == [
        {**ISOLATION, "internal": True},
        NO_NAT,
        {**NO_PORTS, "owner": "r1"},
        {**NO_CHECKS, "owner": "r1"},
    ]
    assert made["publish"] == [{**NOTHING_PUBLISHED, "owner": "r1", "addresses": ["r1"]}]


@pytest.mark.parametrize(
    "spec", [{"masquerade": False}, {"internal": True}, {"state": "absent"}, {"state": "absent", "subnets": []}]
)
def test_what_is_no_longer_asked_for_goes_nat_by_its_owner_whatever_the_subnets(spec: dict[str, Any]) -> None:
    plan = compile_plan([{**DOCKER0, **spec}], [])
    assert listed(plan) == ({} if spec.get("state") == "absent" else {"docker0": []})
    items = [*plan["teardown"]["nat"], *plan["wire"]["nat"]]
    goes_with = {"goes_with": "docker0"} if spec.get("state") == "absent" else {}
    assert items[1:] == [{"owner": "docker0", "state": "absent", **goes_with}]


def test_an_unmanaged_bridge_is_neither_made_nor_given_an_address() -> None:
    made = wire([{**BACK, "unmanaged": True}], [{"name": "web"}])
    assert (made["bridge"], made["gateway"]) == ([], [])
    assert made["veth"][0]["bridge"] == "back"
    down = compile_plan([{**BACK, "unmanaged": True}], [], "absent")["teardown"]
    assert (down["bridge"], len(down["nat"])) == ([], 2)


TRUNK: dict[str, Any] = {
    "name": "trunk",
    "addressing": "none",
    "vlan_filtering": True,
    "ports": [
        {"interface": "eth1", "vlans": [{"vid": "10-20"}], "isolated": True},
        {"interface": "trunk", "vlans": [{"vid": 10, "pvid": True, "untagged": True}], "exclusive": False},
        {"interface": "eth2", "state": "absent"},
    ],
}


def test_ports_are_those_of_the_bridge_in_the_vlans_that_are_listed_alone() -> None:
    assert wire([TRUNK], [])["bridge_port"] == [
        {**TRUNK["ports"][0], "bridge": "trunk", "only_ours": True, "exclusive": True},
        {**TRUNK["ports"][1], "bridge": "trunk", "only_ours": True},
        {**TRUNK["ports"][2], "bridge": "trunk", "only_ours": True},
    ]


def test_ports_are_free_when_their_network_goes() -> None:
    plan = compile_plan([TRUNK], [], "absent")
    assert plan["teardown"]["bridge"] == [
        {"name": "trunk", "only_ours": True, "state": "absent", "released": ["eth1", "eth2"]}
    ]
    assert plan["wire"]["bridge_port"] == []


def test_a_port_may_go_from_one_network_to_another() -> None:
    other = {"name": "other", "addressing": "none", "ports": [{"interface": "eth2"}]}
    assert [one["bridge"] for one in wire([TRUNK, other], [])["bridge_port"]] == ["trunk", "trunk", "trunk", "other"]
    with pytest.raises(
        Invalid, match=r"^wiring_networks: network 'other': ports: eth1 is that of network 'trunk' already\.$"
    ):
        compile_plan([TRUNK, {**other, "ports": [{"interface": "eth1"}]}], [])
    web = {"name": "web", "networks": [{"name": "trunk", "host_interface": "eth1"}]}
    with pytest.raises(Invalid, match=r"'web': host_interface: eth1 is that of network 'trunk' already\.$"):
        compile_plan([TRUNK], [web])


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"ports": [{}]}, "ports: item 1 has no interface."),
        ({"ports": [{"interface": "a/b"}]}, "ports: interface: 'a/b' is not an interface name"),
        ({"ports": [{"interface": "eth1", "bridge": "br1"}]}, "ports: bridge is set by the role; leave it out."),
        ({"ports": [{"interface": "eth1"}, {"interface": "eth1"}]}, "ports: eth1 is listed twice."),
        ({"ports": [{"interface": "eth1", "vid": 7}]}, "ports: eth1: there is no option vid"),
        ({"ports": [{"interface": "eth1", "vlans": [{"vid": 0}]}]}, "ports: eth1: vlans: vid '0' is out of bounds"),
        ({"vlan_filtering": False}, "ports: eth1: vlans need vlan_filtering: true of the network."),
        ({"ports": [{"interface": "trunk"}]}, "ports: trunk: interface: 'trunk' is the bridge itself, of which"),
        (
            {"ports": [{"interface": "trunk", "cost": 7, "vlans": []}]},
            "ports: trunk: cost: 'trunk' is the bridge itself",
        ),
        ({"unmanaged": True}, "ports: not with unmanaged, for its owner gives the bridge its ports."),
    ],
)
def test_ports_that_are_refused(spec: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Invalid) as caught:
        compile_plan([{**TRUNK, **spec}], [])
    assert str(caught.value).startswith("wiring_networks: network 'trunk': " + sentence)


def test_a_network_that_hosts_share_has_no_other_ports() -> None:
    hosts = [{"name": f"h{number}", "underlay_address": f"192.0.2.{number}"} for number in (1, 2)]
    for driver in ("routed", "vxlan"):
        spec = {"name": "front", "subnets": ["10.7.0.0/16"], "driver": driver, "ports": [{"interface": "eth1"}]}
        with pytest.raises(Invalid, match=r"network 'front': ports: they are for driver: bridge alone\.$"):
            compile_plan([spec], [], fleet=hosts, underlay_address="192.0.2.1")


BLUE: dict[str, Any] = {"name": "blue0", "subnets": ["10.1.0.0/24"], "vrf": "blue"}


@pytest.mark.parametrize("vrf", ["blue", ""])
def test_a_network_in_a_vrf_or_in_none(vrf: str) -> None:
    made = wire([{**BLUE, "vrf": vrf}], [])
    assert [item["master"] for item in made["bridge"]] == [vrf]
    assert made["vrf"] == []  # which is the host's own


def test_a_vrf_is_made_once_and_goes_with_those_that_are_in_it() -> None:
    both = [{**BLUE, "vrf_table": "10"}, {**BLUE, "name": "blue1", "subnets": ["10.2.0.0/24"], "vrf_table": 10}]
    plan = compile_plan(both, [])
    assert plan["wire"]["vrf"] == [{"name": "blue", "kind": "vrf", "owner": "blue0", "table": "10", "as_is": True}]
    assert plan["teardown"]["vrf"] == []
    assert compile_plan([both[0], {**both[1], "state": "absent"}], [])["teardown"]["vrf"] == []
    gone = compile_plan(both, [], "absent")["teardown"]["vrf"]
    assert gone == [{"name": "blue", "kind": "vrf", "owner": "blue0", "only_ours": True, "state": "absent"}]


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"unmanaged": True}, "vrf: not with unmanaged, for it is the role's own bridge that is in it."),
        (
            {"isolate": False},
            "vrf: not with isolate: false, for iptables sees what comes from it as from the vrf, and could not tell what is to be let through",
        ),
        ({"vrf": "a/b"}, "vrf: 'a/b' is not an interface name"),
        ({"vrf_table": "many"}, "vrf_table: 'many' is neither main, default, local nor a number"),
        ({"vrf": "", "vrf_table": "10"}, "vrf_table: it is for vrf, which is not given."),
    ],
)
def test_what_a_network_in_a_vrf_cannot_be(spec: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Invalid) as caught:
        compile_plan([{**BLUE, **spec}], [])
    assert str(caught.value).startswith("wiring_networks: network 'blue0': " + sentence)


def test_a_vrf_has_one_table() -> None:
    other = {**BLUE, "name": "blue1", "subnets": ["10.2.0.0/24"], "vrf_table": "11"}
    with pytest.raises(Invalid, match=r"network 'blue1': vrf_table: vrf 'blue' has 10, says network 'blue0'.$"):
        compile_plan([{**BLUE, "vrf_table": "10"}, other], [])


@pytest.mark.parametrize("more", [{"internal": True}, {"host_access": False}, {"subnets": [], "addressing": "none"}])
def test_what_is_kept_in_says_that_it_is_in_a_vrf(more: dict[str, Any]) -> None:
    made = wire([{**BLUE, **more}], [])["nat"]
    assert [(item["internal"], item["vrf"]) for item in made if item.get("type") == "filter"] == [(True, True)]
    assert "vrf" not in wire([BLUE], [])["nat"][0]


@pytest.mark.parametrize("published", ["8080:80", "0.0.0.0:8080:80", "127.0.0.1:8080:80"])
def test_a_port_in_a_vrf_names_its_address(published: str) -> None:
    web = {"name": "web", "published_ports": [published]}
    text = r"name the address that the host has in there, as in 192\.0\.2\.1:8080:80\.$"
    with pytest.raises(Invalid, match="network 'blue0' is in vrf 'blue'; " + text):
        compile_plan([BLUE], [web])
    item = wire([BLUE], [{**web, "published_ports": ["192.0.2.1:8080:80"]}])["publish"][0]
    assert (item["host_ip"], item["vrf"], item["bridge"]) == ("192.0.2.1", True, "blue0")


def test_a_vrf_that_is_to_last_has_a_table() -> None:
    with pytest.raises(Invalid, match=r"^wiring_persist: network 'blue0': the host's own vrf is not there yet when"):
        compile_plan([BLUE], [], persist=True)
    assert compile_plan([{**BLUE, "vrf_table": "10"}], [], persist=True)["wire"]["keep"][0]["networks"]


NET = "wiring_networks: network 'docker0': "
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "wiring_networks: item 1 has no name."),
    ({"name": "docker0"}, NET + "it needs at least one subnet in subnets, or addressing: none."),
    (
        {"name": "docker0", "subnets": ["172.17.0.0/16", "172.17.1.0/24"]},
        NET + "its subnets 172.17.0.0/16 and 172.17.1.0/24 overlap.",
    ),
    ({**DOCKER0, "subnets": ["172.17.0.1/16"]}, NET + "subnets: '172.17.0.1/16' is not a network"),
    ({**DOCKER0, "gateways": ["10.9.9.9"]}, NET + "gateways: 10.9.9.9 is in none of its subnets."),
    (
        {**DOCKER0, "gateways": ["172.17.0.1", "172.17.0.2"]},
        NET + "gateways: there is more than one for the subnet 172.17.0.0/16.",
    ),
    (
        {**DOCKER0, "gateways": ["172.17.255.255"]},
        NET + "the gateway 172.17.255.255 is not an address a host can have in 172.17.0.0/16.",
    ),
]


@pytest.mark.parametrize(("network", "sentence"), REFUSED)
def test_what_is_refused_says_where_and_why(network: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Invalid) as caught:
        compile_plan([network], [])
    assert str(caught.value).startswith(sentence)
