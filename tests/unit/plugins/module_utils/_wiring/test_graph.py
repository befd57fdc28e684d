# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wiring as a graph, of what the role returns and of what is found on the kernel's twin."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import resource as nat
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.graph import Graph, Node, dot, graph, mermaid
from ansible_collections.linuxnet.containers.tests.unit.asked import made
from ansible_collections.linuxnet.containers.tests.unit.surveyed import V_WEB, on_lan, seen, wired

PORT = {"host_ip": "0.0.0.0", "host_port": "8080", "to_address": "10.0.0.2", "to_port": "80", "protocol": "tcp"}
ETH0 = {
    "name": "eth0",
    "host_interface": "v0",
    "bridge": "br0",
    "mac": "m",
    "mtu": 1500,
    "addresses": ["10.0.0.2/24"],
    "gateways": ["10.0.0.1"],
}
DEFAULT = {"destination": "default", "gateway": "10.0.0.1", "interface": "eth0"}
RESULT: dict[str, Any] = {
    "web": {"network_mode": "bridge", "interfaces": [ETH0], "routes": [DEFAULT], "published_ports": [PORT]},
    "side": {"network_mode": "container:web", "interfaces": [ETH0]},
    "agent": {"network_mode": "host", "interfaces": []},
    "lone": {"network_mode": "none", "interfaces": []},
}
NETWORKS = [{"name": "br0", "subnets": ["10.0.0.0/24", "fd00::/64"]}]


def node(found: Graph, name: str) -> Node:
    (one,) = [one for one in found.nodes if one.name == name and one.kind != "host"]
    return one


def joined(found: Graph) -> list[tuple[str, str, str]]:
    names = {one.key: one.name for one in found.nodes}
    return [(names[edge.near], names[edge.far], edge.name) for edge in found.edges]


def test_a_result() -> None:
    found = graph({"one": (RESULT, NETWORKS, None)})
    assert [(one.kind, one.name, one.lines) for one in found.nodes] == [
        ("host", "one", ()),
        ("network", "br0", ("10.0.0.0/24", "fd00::/64")),
        ("container", "web, side", ("eth0  10.0.0.2/24", "0.0.0.0:8080/tcp → 10.0.0.2:80")),
        ("container", "agent", ("host",)),
        ("container", "lone", ("none: only lo",)),
    ]
    assert joined(found) == [("one", "br0", ""), ("br0", "web, side", "v0"), ("one", "agent", "")]
    assert node(found, "web, side").facts == (
        ("network_mode", "bridge"),
        ("interface", "eth0 (v0) on br0"),
        ("address", "10.0.0.2/24"),
        ("gateway", "10.0.0.1"),
        ("MAC address", "m"),
        ("MTU", "1500"),
        ("route", "default via 10.0.0.1 dev eth0"),
        ("published", "0.0.0.0:8080/tcp → 10.0.0.2:80"),
    )
    assert {one.mark for one in found.nodes} == {""}


def test_what_is_found_on_a_host() -> None:
    kernel = wired("web", "db")
    made(
        kernel,
        nat.RESOURCE,
        type="dnat",
        host_port="8080",
        to_address="10.0.0.2",
        to_port="80",
        owner="web",
        bridge="br0",
    )
    found = graph({"one": (seen(kernel), (), None)})
    assert joined(found)[:2] == [("one", "br0", ""), ("br0", "web", V_WEB)]
    facts = node(found, "web").facts
    assert ("interface", f"eth0 ({V_WEB}) on br0") in facts
    assert ("made by", "this collection") in facts
    assert ("route", "default via 10.0.0.1 dev eth0") in facts
    assert [text for what, text in facts if what == "published"] == ["8080/tcp → 10.0.0.2:80"]


def test_links_on_a_parent_and_orphans() -> None:
    wiring = {
        **seen(on_lan("macvlan", "web")),
        "orphans": [{"kind": "veth", "name": "v9", "netns": None, "why": "nobody"}],
    }
    found = graph({"one": (wiring, (), None)})
    assert ("eth1.10", "web", "macvlan") in joined(found)
    assert node(found, "orphan veth v9").facts == (("why", "nobody"),)


@pytest.mark.parametrize("surveyed", [True, False])
def test_what_is_not_listed_and_what_is_not_there_is_marked(surveyed: bool) -> None:
    wiring = seen(wired("web", "db")) if surveyed else RESULT
    listed = [{"name": "web"}, {"name": "late"}, {"name": "gone", "state": "absent"}]
    found = graph({"one": (wiring, (), listed)})
    assert node(found, "late").mark == "missing"
    marks = {one.name: one.mark for one in found.nodes}
    assert marks.get("web", marks.get("web, side")) == ""
    assert marks["db" if surveyed else "lone"] == "unlisted"
    assert "gone" not in marks


def test_hosts_have_what_is_theirs() -> None:
    found = graph({"one": (RESULT, (), None), "two": (RESULT, (), None)})
    assert len({one.key for one in found.nodes}) == len(found.nodes) == 10
    homes = {one.key: one.host for one in found.nodes}
    assert all(homes[edge.near] == homes[edge.far] for edge in found.edges)
    assert "subgraph cluster_1" in dot(found)
    assert 'subgraph h1["two"]' in mermaid(found)


def test_a_link_between_containers_is_one_edge() -> None:
    ends = [("r1", "eth1", "r2:eth1", "10.0.12.0/31"), ("r2", "eth1", "r1:eth1", "10.0.12.1/31")]
    wiring = {
        name: {
            "netns": name,
            "network_mode": "none",
            "interfaces": [{"name": port, "link": link, "addresses": [address]}],
        }
        for name, port, link, address in ends
    }
    found = graph({"one": (wiring, (), None)})
    assert joined(found) == [("r1", "r2", "eth1")]
    assert node(found, "r1").lines == ("eth1  10.0.12.0/31",)
    assert node(found, "r2").lines == ("eth1  10.0.12.1/31",)


HOSTILE = 'a"];b\\<script>#quot;\n$(x)'


def test_names_are_texts_in_every_language() -> None:
    wiring = {HOSTILE: {"network_mode": "bridge", "interfaces": [{**ETH0, "bridge": HOSTILE}]}}
    found = graph({HOSTILE: (wiring, (), None)})
    text = dot(found)
    assert "\n".join(text.splitlines()[:3]) == "\n".join(dot(graph({"one": (RESULT, (), None)})).splitlines()[:3])
    assert '\\"];b\\\\<script>#quot;\N{REPLACEMENT CHARACTER}$(x)' in text
    assert all(line.count('"') % 2 == 0 for line in text.replace('\\"', "").splitlines())
    assert "<script>" not in mermaid(found)
    assert all(line.count('"') in (0, 2) for line in mermaid(found).splitlines())
