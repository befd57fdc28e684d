# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is reported of a host's wiring, on the kernel's twin. The same on the running kernel: tests/module/test_wiring_info.py."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import AddPolicy, PutRoute
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Address,
    PolicyRule,
    Route,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import (
    bridge,
    netns,
    ns_address,
    ns_link,
    ns_route,
    veth,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import resource as nat
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.survey import (
    SUBSETS,
    gathered,
    report,
)
from ansible_collections.linuxnet.containers.tests.unit.asked import made
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel
from ansible_collections.linuxnet.containers.tests.unit.surveyed import V_WEB, WEB, on_lan, only, seen, wired


def test_every_object_is_reported_as_its_module_reports_it() -> None:
    kernel = wired("web")
    lists = seen(kernel)
    objects = {
        "namespaces": (netns.RESOURCE, {"name": "web"}),
        "bridges": (bridge.RESOURCE, {"name": "br0"}),
        "veths": (veth.RESOURCE, {"peer_netns": "web"}),
        "addresses": (ns_address.RESOURCE, {"netns": "web", "interface": "eth0", "address": "10.0.0.2/24"}),
        "routes": (ns_route.RESOURCE, {"netns": "web", "gateway": "10.0.0.1"}),
        "nat": (nat.RESOURCE, {"source": "10.0.0.0/24", "out_interface": "!br0", "owner": "br0"}),
    }
    for name, (resource, params) in objects.items():
        result = made(kernel, resource, **params)
        assert not result["changed"]
        assert any(result["after"].items() <= one.items() for one in lists[name]), name
    assert lists["orphans"] == []


def test_a_route_of_another_table_is_reported_with_the_rule_that_leads_there() -> None:
    kernel = wired("web")
    there = {"netns": "web", "gateway": "10.0.0.1", "table": "100"}
    made(kernel, ns_route.RESOURCE, **there)
    assert [one["table"] for one in seen(kernel)["routes"]] == ["main"]
    result = made(kernel, ns_route.RESOURCE, rule_source="10.0.0.0/24", **there)
    assert [one for one in seen(kernel)["routes"] if one["table"] == "100"] == [result["after"]]
    kernel.apply(AddPolicy(WEB, PolicyRule(4, "10.7.0.0/16", 7, 5)))
    kernel.apply(PutRoute(WEB, Route(4, "10.8.0.0/16", 7, type="blackhole")))
    assert len(seen(kernel)["routes"]) == 2, "where rules of others lead to is theirs"


def test_who_is_behind_a_pair() -> None:
    pair = only(seen(wired("web"))["veths"], name=V_WEB)
    told = ("owner", "container", "engine", "addresses", "gateways", "published_ports", "ours")
    assert [pair[name] for name in told] == ["web", None, None, ["10.0.0.2/24"], ["10.0.0.1"], [], True]
    assert (pair["bridge"], pair["peer_netns"], pair["peer_name"]) == ("br0", "web", "eth0")


def test_nothing_is_reported_of_a_bare_host() -> None:
    assert seen(MemoryKernel()) == {name: [] for name in SUBSETS}


@pytest.mark.parametrize("name", SUBSETS)
def test_a_subset_is_that_list_and_no_other(name: str) -> None:
    kernel = wired("web")
    assert seen(kernel, gather=[name]) == {name: seen(kernel)[name]}


def test_a_foreign_pair_is_reported_as_fully() -> None:
    kernel = wired("web")
    kernel.apply(AddLink(HOST, "v0", "veth", {"master": "br0"}, WEB, "eth7", {}))
    made(kernel, ns_address.RESOURCE, netns="web", interface="eth7", address="10.9.0.2/24")
    pair = only(seen(kernel)["veths"], name="v0")
    assert (pair["owner"], pair["addresses"], pair["ours"]) == ("web", ["10.9.0.2/24"], False)
    assert set(pair) == set(only(seen(kernel)["veths"], name=V_WEB))


ASKED: dict[str, Any] = {"gather": SUBSETS, "netns": None, "find": None}


def crowded(count: int) -> MemoryKernel:
    """A container whose root made so many addresses and routes of its own."""
    kernel = wired("web")
    for number in range(count):
        kernel.apply(PutAddress(WEB, "eth0", Address(f"10.9.0.{number}", 32, 4, label="eth0")))
        kernel.apply(PutRoute(WEB, Route(4, f"10.8.{number}.0/24", interface="eth0", scope="link")))
    return kernel


@pytest.mark.parametrize(("limit", "listed"), [(0, 9), (3, 3), (9, 9)])
def test_of_what_a_container_made_itself_so_much_is_listed(limit: int, listed: int) -> None:
    """What is ours is there in any case, and what is not listed is counted."""
    found, warnings = report(crowded(9), {**ASKED, "limit": limit})
    for name in ("addresses", "routes"):
        inside = [one for one in found["wiring"][name] if one["netns"] == "web"]
        assert len(inside) == listed + 1
        assert sum(one.get("gateway") == "10.0.0.1" or one.get("address") == "10.0.0.2/24" for one in inside) == 1
    left = 9 - listed
    assert found["unlisted"] == [
        {"netns": "web", "list": name, "count": left} for name in ("addresses", "routes") if left
    ]
    assert warnings == []


def test_so_is_whatever_else_its_root_can_make() -> None:
    """Bridges with their ports, pairs, the names of interfaces, and what is told of the pair that leads there."""
    kernel = crowded(9)
    for number in range(9):
        kernel.apply(AddLink(WEB, f"br{number}", "bridge", {}))
        kernel.apply(AddLink(WEB, f"v{number}", "veth", {}, WEB, f"w{number}", {}))
        kernel.apply(SetLink(WEB, f"v{number}", {"master": "br0"}, {}))
        kernel.apply(PutRoute(WEB, Route(4, "0.0.0.0/0", metric=number + 1, gateway="10.0.0.1", interface="eth0")))
    found, warnings = report(kernel, {**ASKED, "limit": 2})
    wiring = found["wiring"]
    (inside,) = [one["interfaces"] for one in wiring["namespaces"] if one["name"] == "web"]
    assert inside == ["eth0", "br0", "v0"], "what is ours is there in any case"
    assert [one["name"] for one in wiring["bridges"] if one["netns"] == "web"] == ["br0", "br1"]
    assert [len(one["ports"]) for one in wiring["bridges"] if one["netns"] == "web"] == [2, 0]
    assert len([one for one in wiring["veths"] if one["netns"] == "web"]) == 2
    (pair,) = [one for one in wiring["veths"] if one["netns"] is None]
    assert (len(pair["addresses"]), len(pair["gateways"])) == (3, 3)
    assert {one["list"]: one["count"] for one in found["unlisted"] if one["netns"] == "web"} == {
        "interfaces": 25,
        "bridges": 7,
        "ports": 7,
        "veths": 7,
        "addresses": 7,
        "gateways": 7,
        "routes": 16,
    }
    assert len(found["unlisted"]) == 7, "each is counted once"
    assert warnings == []
    everything, dummy = report(kernel, {**ASKED, "limit": 0})
    assert everything["unlisted"] == []
    assert len([one for one in everything["wiring"]["bridges"] if one["netns"] == "web"]) == 9


def test_whoever_needs_ours_only_still_knows_who_lives_there() -> None:
    """Purge keeps the name of a namespace in which there is anything of others."""
    kernel = crowded(0)
    kernel.apply(AddLink(WEB, "dummy0", "dummy", {}))
    lists, dummy = gathered(kernel, ["namespaces", "bridges"], limit=0)
    assert [one["interfaces"] for one in lists["namespaces"] if one["name"] == "web"] == [["eth0", "dummy0"]]


def test_whoever_needs_ours_only_is_given_nothing_else() -> None:
    lists, warnings = gathered(crowded(9), ["routes"], limit=0)
    assert [one["gateway"] for one in lists["routes"]] == ["10.0.0.1"]
    assert warnings == []


def test_where_a_rule_of_ours_leads_to_is_told_whatever_is_there() -> None:
    """Purge takes the rule back, also where nothing of ours is in its table any more."""
    kernel = crowded(9)
    made(kernel, ns_route.RESOURCE, netns="web", gateway="10.0.0.1", table="100", rule_source="10.0.0.0/24")
    kernel.apply(PutRoute(WEB, Route(4, "10.7.0.0/16", 100, interface="eth0", scope="link")))
    lists, dummy = gathered(kernel, ["routes"], limit=0)
    assert [one["rule_source"] for one in lists["routes"] if one["table"] == "100"] == ["10.0.0.0/24"] * 2


def test_what_is_not_asked_for_counts_for_nothing() -> None:
    kernel = crowded(9)
    found, dummy = report(kernel, {**ASKED, "netns": ["other"], "limit": 1})
    assert found["unlisted"] == []


def test_the_host_s_own_and_what_is_looked_for_have_no_limit() -> None:
    kernel = crowded(9)
    for number in range(9):
        kernel.apply(PutRoute(HOST, Route(4, f"10.8.{number}.0/24", interface="br0", scope="link")))
    params = {**ASKED, "limit": 1}
    found, dummy = report(kernel, params)
    assert sum(one["netns"] is None for one in found["wiring"]["routes"]) == 9
    found, warnings = report(kernel, {**params, "find": "10.9.0.8"})
    assert "10.9.0.8/32" in [one["address"] for one in found["wiring"]["addresses"]]
    assert warnings == []


def test_a_limit_is_a_number_of_entries() -> None:
    with pytest.raises(Invalid, match=r"^limit: it is a number of entries, and 0 for all of them\.$"):
        report(MemoryKernel(), {**ASKED, "limit": -1})


# --- links of other kinds ---


@pytest.mark.parametrize("kind", ["macvlan", "ipvlan"])
def test_a_link_is_reported_as_its_module_reports_it_with_who_has_it(kind: str) -> None:
    kernel = on_lan(kind, "web", "db")
    links = seen(kernel)["links"]
    for params in (
        {"name": "eth0", "kind": kind, "netns": "web"},
        {"name": "eth1.10", "kind": "vlan"},
        {"name": "red", "kind": "vrf"},
        {"name": "lo1", "kind": "dummy"},
    ):
        result = made(kernel, ns_link.RESOURCE, **params)
        assert not result["changed"]
        assert only(links, name=params["name"], netns=params.get("netns")).items() >= result["after"].items()
    web = only(links, netns="web")
    told = ("parent", "parent_netns", "owner", "container", "addresses", "gateways", "ours")
    assert [web[name] for name in told] == ["eth1.10", None, "web", None, ["10.3.0.2/24"], ["10.3.0.1"], True]
    assert only(links, name="red")["ports"] == ["lo1"]
    assert [(one["netns"], one["address"]) for one in seen(kernel)["addresses"]] == [
        (None, "10.3.0.9/24"),
        ("db", "10.3.0.3/24"),
        ("web", "10.3.0.2/24"),
    ]
    assert [one["netns"] for one in seen(kernel)["routes"]] == ["db", "web"]


def test_what_leads_to_a_namespace_by_a_link_is_what_that_is_made_on() -> None:
    lists = seen(on_lan("macvlan", "web", "db"), "web")
    assert [(one["netns"], one["name"]) for one in lists["links"]] == [(None, "eth1.10"), ("web", "eth0")]
    assert [(one["netns"], one["address"]) for one in lists["addresses"]] == [
        (None, "10.3.0.9/24"),
        ("web", "10.3.0.2/24"),
    ]


def test_links_of_others_are_listed_and_not_ours_and_their_addresses_are_the_host_s() -> None:
    kernel = on_lan("macvlan")
    kernel.apply(AddLink(HOST, "theirs", "dummy", {"enabled": True}))
    made(kernel, ns_address.RESOURCE, interface="theirs", address="10.8.0.1/32")
    lists = seen(kernel)
    found = only(lists["links"], name="theirs")
    assert (found["ours"], found["addresses"]) == (False, ["10.8.0.1/32"])
    assert [one["interface"] for one in lists["addresses"]] == ["eth1.10"]


def test_of_the_links_that_a_container_made_itself_so_many_are_listed() -> None:
    """And one of those that are made on a link of ours elsewhere, since that stays for it."""
    kernel = on_lan("macvlan", "web")
    for number in range(9):
        kernel.apply(AddLink(WEB, f"d{number}", "dummy", {}))
        kernel.apply(AddLink(WEB, f"m{number}", "macvlan", {}, parent="eth1.10", parent_ns=HOST))
    found, dummy = report(kernel, {**ASKED, "limit": 2})
    assert [one["name"] for one in found["wiring"]["links"] if one["netns"] == "web"] == ["eth0", "d0", "m0", "d1"]
    assert [one for one in found["unlisted"] if one["list"] == "links"] == [
        {"netns": "web", "list": "links", "count": 15}
    ]
    lists, dummy = gathered(kernel, ["links"], limit=0)
    assert [one["name"] for one in lists["links"] if one["netns"] == "web"] == ["eth0", "m0"]
