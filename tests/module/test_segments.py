# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Networks on the segment of a parent by kinds that not every kernel has: ipvlan, and a VLAN for a parent. What they have in common with macvlan is told
in tests/role/test_parents.py."""

from __future__ import annotations

from typing import Any

import pytest
from lab import Lab
from proofs import settles

WEB: list[dict[str, Any]] = [{"name": "web"}, {"name": "db"}]


def network(**more: Any) -> dict[str, Any]:
    return {
        **{"name": "lan", "driver": "macvlan", "parent": "eth1", "subnets": ["192.0.2.0/24"]},
        **{"gateways": ["192.0.2.254"], "ranges": ["192.0.2.64/28"], **more},
    }


def segment(lab: Lab, tag: str = "") -> None:
    """An interface of the host on a wire to a router, which is there behind a tag, where one is given."""
    lab.run(
        "ip netns add far && ip link add eth1 type veth peer name eth0 netns far && ip link set eth1 up && ip -n far link set eth0 up"
    )
    where = f"eth0.{tag}" if tag else "eth0"
    if tag:
        lab.run(f"ip -n far link add {where} link eth0 type vlan id {tag} && ip -n far link set {where} up")
    lab.run(f"ip -n far addr add 192.0.2.254/24 dev {where}")


def address(lab: Lab, name: str) -> str:
    found: str = lab.ip(f"-n {name} -4 addr show eth0")[0]["addr_info"][0]["local"]
    return found


def reach(lab: Lab, name: str, *others: str) -> None:
    for other in others:
        lab.run(f"ip netns exec {name} ping -n -q -c 1 -W 20 {other}")


@pytest.mark.needs("macvlan", "vxlan", "ping")
@pytest.mark.parametrize("driver", ["routed", "vxlan"])
def test_a_shared_network_becomes_one_on_a_parent_in_one_run(lab: Lab, driver: str) -> None:
    """Nothing of the shared one is left: bridge, tunnel, rules, routes."""
    segment(lab)
    lab.run("ip addr add 192.0.2.10/24 dev eth1 && sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
    fleet: dict[str, Any] = {
        "fleet": [{"name": "one", "underlay_address": "192.0.2.10"}, {"name": "two", "underlay_address": "192.0.2.254"}]
    }
    fleet["underlay_address"] = "192.0.2.10"
    before = (lab.run("nft list ruleset").stdout, lab.run("ip route").stdout)
    shared = {"name": "lan", "driver": driver, "subnets": ["10.7.0.0/16"], "vni": 7}
    settles(lab, "wiring", networks=[shared], containers=WEB, **fleet)
    assert "vx-lan" in [one["ifname"] for one in lab.ip("link show type vxlan")]
    settles(lab, "wiring", networks=[network()], containers=WEB, **fleet)
    assert lab.ip("link show type vxlan") == lab.ip("link show type bridge") == []
    assert (lab.run("nft list ruleset").stdout, lab.run("ip route").stdout) == before
    reach(lab, "web", address(lab, "db"), "192.0.2.254")


@pytest.mark.needs("ipvlan", "ping")
@pytest.mark.parametrize("mode", [None, "l2", "l3"])
def test_ipvlan(lab: Lab, mode: str | None) -> None:
    """All have the parent's MAC address; they reach each other, and the router where the mode answers for them."""
    segment(lab)
    before = lab.snapshot()
    given: dict[str, Any] = {
        "networks": [network(driver="ipvlan", **({"mode": mode} if mode else {}))],
        "containers": WEB,
    }
    settles(lab, "wiring", **given)
    macs = {
        lab.ip("link show eth1")[0]["address"],
        *(lab.ip(f"-n {name} link show eth0")[0]["address"] for name in ("web", "db")),
    }
    assert len(macs) == 1
    reach(lab, "web", address(lab, "db"), *([] if mode == "l3" else ["192.0.2.254"]))
    settles(lab, "wiring", **given, state="absent")
    assert lab.snapshot() == before


@pytest.mark.needs("ipvlan", "ping")
def test_macvlan_becomes_ipvlan_and_a_pair(lab: Lab) -> None:
    """Each in one run, with the same address."""
    segment(lab)
    settles(lab, "wiring", networks=[network()], containers=WEB)
    had = address(lab, "web")
    settles(lab, "wiring", networks=[network(driver="ipvlan")], containers=WEB)
    assert address(lab, "web") == had
    reach(lab, "web", "192.0.2.254")
    settles(lab, "wiring", networks=[{"name": "lan", "subnets": ["192.0.2.0/24"]}], containers=WEB)
    assert lab.ip("-n web -d link show eth0")[0]["linkinfo"]["info_kind"] == "veth"


@pytest.mark.needs("vlan", "ping")
def test_the_parent_is_a_vlan(lab: Lab) -> None:
    """It is made and removed with the network; behind the tag is the router."""
    segment(lab, "10")
    before = lab.snapshot()
    given: dict[str, Any] = {"networks": [network(parent="eth1.10")], "containers": WEB}
    settles(lab, "wiring", **given)
    assert lab.ip("-d link show eth1.10")[0]["linkinfo"]["info_data"]["id"] == 10
    reach(lab, "web", "192.0.2.254", address(lab, "db"))
    settles(lab, "wiring", **given, state="absent")
    assert lab.snapshot() == before


@pytest.mark.needs("vlan", "ping")
def test_a_vlan_of_somebody_else_s_is_used_and_stays(lab: Lab) -> None:
    """And one of ours on which somebody else has made something stays as long, with a warning that names it."""
    segment(lab, "10")
    lab.run("ip link add eth1.10 link eth1 type vlan id 10 && ip link set eth1.10 mtu 1400 up")
    before = lab.snapshot()
    given: dict[str, Any] = {"networks": [network(parent="eth1.10")], "containers": WEB}
    settles(lab, "wiring", **given)
    assert lab.ip("-n web link show eth0")[0]["mtu"] == 1400
    settles(lab, "wiring", **given, state="absent")
    assert lab.snapshot() == before
    lab.run("ip link del eth1.10")
    settles(lab, "wiring", **given)
    lab.run("ip link add theirs link eth1.10 type macvlan")
    told = lab.module("wiring", **given, state="absent")
    assert (
        "'eth1.10' in the host stays, for it is the parent of 'theirs' in the host, which nothing here removes."
        in str(told["warnings"])
    )
    lab.run("ip link del theirs")
    assert lab.module("wiring", **given, state="absent")["changed"]
    assert not lab.ip("link show type vlan")
