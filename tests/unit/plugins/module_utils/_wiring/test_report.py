# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wiring as a picture in text."""

from __future__ import annotations

from typing import Any

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import (
    bridge,
    netns,
    ns_link,
    veth,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.report import result, text
from ansible_collections.linuxnet.containers.tests.unit.asked import made
from ansible_collections.linuxnet.containers.tests.unit.surveyed import V_DB, V_WEB, on_lan, seen, wired


def interface(bridge: str, host: str, *addresses: str) -> dict[str, Any]:
    return {"name": "eth0", "host_interface": host, "bridge": bridge, "addresses": list(addresses)}


def test_the_picture() -> None:
    wiring = {
        "web": {"network_mode": "bridge", "interfaces": [interface("docker0", "v0", "172.17.0.2/16", "fd00:17::2/64")]},
        "db": {"network_mode": "bridge", "interfaces": [interface("docker0", "v1", "172.17.0.3/16")]},
        "job": {"network_mode": "bridge", "interfaces": [interface("other", "v2")]},
        "alone": {"network_mode": "none", "interfaces": []},
    }
    networks = [
        {"name": "docker0", "subnets": ["172.17.0.0/16", "fd00:17::/64"]},
        {"name": "empty", "subnets": ["10.1.0.0/24"]},
        {"name": "gone", "subnets": ["10.2.0.0/24"], "state": "absent"},
    ]
    assert text(wiring, networks) == (
        "host\n"
        "├─ docker0  172.17.0.0/16, fd00:17::/64\n"
        "│  ├─ v0 ─── eth0 in web  172.17.0.2/16  fd00:17::2/64\n"
        "│  └─ v1 ─── eth0 in db  172.17.0.3/16\n"
        "├─ empty  10.1.0.0/24\n"
        "└─ other\n"
        "   └─ v2 ─── eth0 in job\n"
        "alone  (none: only lo)\n"
    )


def test_nothing_is_a_host() -> None:
    assert text({}) == "host\n"


def test_the_result_is_put_together_by_container() -> None:
    results: dict[str, list[dict[str, Any]]] = {
        "netns": [{"after": {"name": "web", "path": "/run/netns/web"}}, {"after": {"name": "alone", "path": "/run/netns/alone"}}],
        "veth": [
            {"after": {"peer_netns": "web", "peer_name": "eth0", "name": "v0", "bridge": "br0", "peer_mac": "m", "peer_mtu": 1500}},
            {"after": {}},
        ],
        "address": [
            {"after": {"netns": "web", "interface": "eth0", "address": "10.0.0.2/24", "gateway": "10.0.0.1"}},
            {"failed": True},
        ],
        "route": [
            {"after": {"netns": "web", "destination": "default", "gateway": "10.0.0.1", "interface": "eth0", "metric": 0, "table": "main"}}
        ],
    }  # fmt: skip
    found = result(results)
    assert found["web"] == {
        "netns": "web",
        "path": "/run/netns/web",
        "network_mode": "bridge",
        "interfaces": [
            {
                "name": "eth0", "host_interface": "v0", "bridge": "br0", "mac": "m", "mtu": 1500,
                "addresses": ["10.0.0.2/24"], "gateways": ["10.0.0.1"],
            }
        ],
        "loopback_addresses": [],
        "routes": [{"destination": "default", "gateway": "10.0.0.1", "interface": "eth0", "metric": 0}],
        "published_ports": [],
    }  # fmt: skip
    assert (found["alone"]["network_mode"], found["alone"]["interfaces"]) == ("none", [])


# --- what wiring_info returns ---


def test_the_picture_of_what_was_found() -> None:
    kernel = wired("web", "db")
    made(kernel, netns.RESOURCE, name="side", share="web")
    made(kernel, netns.RESOURCE, name="lone")
    made(kernel, netns.RESOURCE, name="all", share="host")
    made(kernel, bridge.RESOURCE, name="br1", netns="db")
    made(kernel, veth.RESOURCE, netns="db", name="inner", peer_netns="web", peer_name="eth1", bridge="br1")
    kernel.apply(AddLink(HOST, "a", "veth", {"master": "br0"}, HOST, "b", {}))
    assert text(seen(kernel)) == (
        "host\n"
        "└─ br0  10.0.0.1/24\n"
        f"   ├─ {V_WEB} ─── eth0 in web, side  10.0.0.2/24\n"
        f"   ├─ {V_DB} ─── eth0 in db  10.0.0.3/24\n"
        "   └─ a ─── b\n"
        "in db\n"
        "└─ br1\n"
        "   └─ inner ─── eth1 in web, side\n"
        "all  (host)\n"
        "lone  (only lo)\n"
    )
    assert "└─ br0  10.0.0.0/24\n" in text(seen(kernel), [{"name": "br0", "subnets": ["10.0.0.0/24"]}])


def test_the_picture_of_a_part_still_says_who_is_where() -> None:
    kernel = wired("web")
    assert text(seen(kernel, gather=["veths"])) == f"host\n└─ br0\n   └─ {V_WEB} ─── eth0 in web  10.0.0.2/24\n"


def test_containers_of_a_wiring_result_that_share_a_namespace_are_on_one_line() -> None:
    one = {"name": "eth0", "host_interface": "v0", "bridge": "br0", "addresses": ["10.0.0.2/24"]}
    wiring = {
        "web": {"network_mode": "bridge", "interfaces": [one]},
        "side": {"network_mode": "container:web", "interfaces": [one]},
        "agent": {"network_mode": "host", "interfaces": []},
    }
    assert text(wiring) == "host\n└─ br0\n   └─ v0 ─── eth0 in web, side  10.0.0.2/24\nagent  (host)\n"


def test_links_are_drawn_on_what_they_are_made_on() -> None:
    kernel = on_lan("ipvlan", "web", "db")
    kernel.apply(AddLink(HOST, "d0", "dummy", {}))
    made(kernel, ns_link.RESOURCE, name="up0", kind="vlan", parent="eth0", parent_netns="web", vlan_id=7, netns="web")
    assert text(seen(kernel)) == (
        "host\n"
        "├─ red  (vrf 10)\n"
        "│  └─ lo1\n"
        "├─ far1 ─── eth1\n"
        "├─ d0 (dummy)\n"
        "├─ eth1\n"
        "│  └─ eth1.10 (vlan 10)  10.3.0.9/24\n"
        "└─ eth1.10  10.3.0.9/24\n"
        "   ├─ ipvlan ─── eth0 in db  10.3.0.3/24\n"
        "   └─ ipvlan ─── eth0 in web  10.3.0.2/24\n"
        "in web\n"
        "└─ eth0  10.3.0.2/24\n"
        "   └─ up0 (vlan 7)\n"
    )
    assert text(seen(kernel, gather=["links"])).splitlines()[-3:] == ["in web", "└─ eth0", "   └─ up0 (vlan 7)"]


def test_of_a_parent_that_cannot_be_seen_that_is_said() -> None:
    link: dict[str, Any] = {
        "kind": "macvlan",
        "name": "eth0",
        "netns": None,
        "parent": "if7",
        "parent_netns": "unknown",
        "addresses": [],
    }
    assert text({"links": [link]}) == "host\n└─ out of sight\n   └─ eth0 (macvlan)\n"


def test_containers_on_a_parent_are_drawn_on_it_with_the_subnets_of_its_networks() -> None:
    own = {
        "name": "eth0",
        "kind": "macvlan",
        "parent": "eth1",
        "host_interface": None,
        "bridge": None,
        "addresses": ["10.3.0.2/24"],
    }
    networks = [{"name": "lan", "parent": "eth1", "subnets": ["10.3.0.0/24"]}]
    assert text({"web": {"network_mode": "bridge", "interfaces": [own]}}, networks) == (
        "host\n└─ eth1  10.3.0.0/24\n   └─ macvlan ─── eth0 in web  10.3.0.2/24\n"
    )
