# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links between containers: what is listed comes, in place, foreseen, and again nothing; what is taken away, plugged elsewhere or purged."""

from __future__ import annotations

from typing import Any

import pytest
from lab import Lab
from proofs import comes, refuses, settles, unchanged

pytestmark = pytest.mark.needs("nft", "nf_tables", "nf_nat")

FRONT: dict[str, Any] = {"name": "front", "subnets": ["10.6.0.0/24"]}
R1: dict[str, Any] = {
    "name": "r1",
    "networks": [{"name": "front", "ipv4_address": "10.6.0.9", "default_route": False}],
    "forwarding": True,
}
R2: dict[str, Any] = {"name": "r2", "sysctls": {"net.ipv4.conf.eth1.rp_filter": 2}}
R3: dict[str, Any] = {
    "name": "r3",
    "network_mode": "none",
    "routes": [{"destination": "10.0.12.0/31", "gateway": "10.0.13.1"}],
}
FIRST: dict[str, Any] = {"endpoints": ["r1:eth1", "r2:eth1"], "subnets": ["10.0.12.0/31", "2001:db8:12::/127"]}
SECOND: dict[str, Any] = {
    "endpoints": [
        {"name": "r1", "interface": "eth2", "ipv4_address": "10.0.13.1/24", "mac_address": "02:00:00:00:13:01"},
        {"name": "r3", "interface": "eth1", "ipv4_address": "10.0.13.3/24"},
    ],
    "mtu": 9000,
    "rate": "10mbit",
}
THIRD: dict[str, Any] = {"endpoints": ["r2:eth2", "r3:eth2"]}
LINKS = [FIRST, SECOND, THIRD]
ALL: dict[str, Any] = {"networks": [FRONT], "containers": [R1, R2, R3], "links": LINKS}
HELD = {
    "r1": ["eth0 10.6.0.9/24", "eth1 10.0.12.0/31 2001:db8:12::/127", "eth2 10.0.13.1/24"],
    "r2": ["eth1 10.0.12.1/31 2001:db8:12::1/127", "eth2"],
    "r3": ["eth1 10.0.13.3/24", "eth2"],
}


def held(host: Lab) -> dict[str, list[str]]:
    """The interfaces of each container, with their addresses."""
    found = {}
    for name in host.run("ls /run/netns").stdout.split():
        there = [one for one in host.ip(f"-n {name} addr show") if one["ifname"] != "lo"]
        found[name] = sorted(
            " ".join(
                [one["ifname"], *(f"{a['local']}/{a['prefixlen']}" for a in one["addr_info"] if a["scope"] == "global")]
            )
            for one in there
        )
    return found


def wired(host: Lab, **variables: Any) -> dict[str, Any]:
    """What the module did, which it foresaw, and which leaves the next run nothing to do; by object the lines of the diff."""
    done = settles(host, "wiring", **{**ALL, **variables})
    found: dict[str, Any] = {}
    for step in done["results"]:
        for one in step["results"]:
            sides = (("-", one["diff"]["before"]), ("+", one["diff"]["after"]))
            lines = [sign + line for sign, text in sides for line in text.splitlines()]
            found.setdefault(one["diff"]["before_header"], []).extend(lines)
    return {**done, "lines": found}


@pytest.fixture(name="host")
def host_with_links(lab: Lab) -> Lab:
    wired(lab)
    return lab


def reach(host: Lab) -> None:
    for name, address in (("r1", "10.0.12.1"), ("r1", "2001:db8:12::1"), ("r3", "10.0.12.0")):
        host.run(f"ip netns exec {name} ping -n -q -c 1 -W 9 {address}")


def test_what_is_listed_comes_and_goes(lab: Lab) -> None:
    before = lab.snapshot()
    made = wired(lab)
    assert held(lab) == HELD
    reach(lab)
    interfaces = {name: one["interfaces"] for name, one in made["wiring_result"].items()}
    assert [(one["name"], one.get("link"), one["mtu"]) for one in interfaces["r1"]] == [
        ("eth0", None, 1500),
        ("eth1", "r2:eth1", 1500),
        ("eth2", "r3:eth1", 9000),
    ]
    assert lab.run("ip netns exec r2 sysctl -n net.ipv4.conf.eth1.rp_filter").stdout == "2\n"
    wired(lab, state="absent")
    assert lab.snapshot() == before


def test_the_order_has_no_meaning(host: Lab) -> None:
    turned = [{**one, "endpoints": one["endpoints"][::-1]} for one in LINKS]
    unchanged(host, "wiring", **{**ALL, "links": turned[::-1]})


def test_what_is_no_longer_asked_for_goes(host: Lab) -> None:
    plain = {"endpoints": ["r3:eth1", "r1:eth2"], "subnets": ["10.0.13.0/24"]}
    lines = wired(
        host, links=[{**FIRST, "subnets": ["10.0.21.0/30"]}, plain, THIRD], containers=[R1, R2, {**R3, "routes": []}]
    )["lines"]
    assert held(host) == {
        # An end keeps what it has.
        "r1": ["eth0 10.6.0.9/24", "eth1 10.0.21.1/30", "eth2 10.0.13.1/24"],
        "r2": ["eth1 10.0.21.2/30", "eth2"],
        "r3": ["eth1 10.0.13.3/24", "eth2"],
    }
    drift = [line for name, listed in lines.items() if "veth" in name for line in listed]
    assert {"-mtu 9000", "+mtu 1500", "-rate 10mbit", "-mac 02:00:00:00:13:01"} <= {*drift}
    wired(
        host, links=[{**one, "subnets": []} for one in (FIRST, plain, THIRD)], containers=[R1, R2, {**R3, "routes": []}]
    )
    assert held(host) == {"r1": ["eth0 10.6.0.9/24", "eth1", "eth2"], "r2": ["eth1", "eth2"], "r3": ["eth1", "eth2"]}


def test_links_change_places_in_one_run(host: Lab) -> None:
    crossed = [
        {**FIRST, "endpoints": ["r1:eth1", "r3:eth1"]},
        {"endpoints": ["r1:eth2", "r2:eth1"], "subnets": ["10.0.13.0/24"]},
        {**THIRD, "state": "absent"},
    ]
    wired(host, links=crossed, containers=[R1, R2, {**R3, "routes": []}])
    assert held(host) == {
        "r1": ["eth0 10.6.0.9/24", "eth1 10.0.12.0/31 2001:db8:12::/127", "eth2 10.0.13.1/24"],
        "r2": ["eth1 10.0.13.2/24"],
        "r3": ["eth1 10.0.12.1/31 2001:db8:12::1/127"],
    }
    # One of them is taken away, and put back.
    less = [crossed[0], {**crossed[1], "state": "absent"}]
    wired(host, links=less, containers=[R1, {"name": "r2", "networks": []}, {**R3, "routes": []}])
    assert held(host)["r2"] == []
    wired(host)
    assert held(host) == HELD


def test_an_interface_is_a_network_s_then_a_link_s_and_back(host: Lab) -> None:
    more = {**R2, "networks": [{"name": "front", "interface": "eth1", "ipv4_address": "10.6.0.22"}]}
    wired(host, containers=[R1, more, R3], links=[SECOND, THIRD])
    assert held(host)["r2"] == ["eth1 10.6.0.22/24", "eth2"]
    wired(host)
    assert held(host) == HELD


@pytest.mark.parametrize("names", [["r2"], ["r1", "r3"]])
def test_a_node_is_renewed_while_somebody_holds_its_old_namespace(host: Lab, names: list[str]) -> None:
    for name in names:
        pid = host.spawn(["ip", "netns", "exec", name, "sleep", "100000"])
        comes(host, f"[ $(cat /proc/{pid}/comm) = sleep ]")
        host.run(f"ip netns del {name}")
    wired(host)
    assert held(host) == HELD
    reach(host)


def test_purge_takes_what_nobody_lists(host: Lab) -> None:
    fourth = {"endpoints": ["r4:eth0", "r1:eth4"], "subnets": ["10.0.14.0/31"]}
    wired(host, links=[*LINKS, fourth], containers=[R1, R2, R3, {"name": "r4"}])
    wired(host, links=[FIRST, SECOND], purge=True)
    assert held(host) == {**HELD, "r2": HELD["r2"][:1], "r3": HELD["r3"][:1]}
    wired(host, networks=[], containers=[], links=[], purge=True)
    assert held(host) == {}


def test_links_of_others_stay(host: Lab) -> None:
    """Made by hand, or by the module veth: neither role nor purge takes them."""
    host.run("ip -n r1 link add tap0 type veth peer name mon0 netns r3")
    host.module("veth", netns="r2", name="tap1", peer_netns="r3", peer_name="mon1")
    unchanged(host, "wiring", **ALL, purge=True)
    assert {"mon0", "mon1"} <= {one.split()[0] for one in held(host)["r3"]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"containers": [R1, {"name": "r2", "network_mode": "host"}, R3]}, "the network of 'r2' is the host's own"),
        ({"containers": [R1, {"name": "r2", "network_mode": "container:r1"}, R3]}, "'r2' has the namespace of 'r1'"),
        (
            {"containers": [R1, {**R2, "state": "absent"}, R3]},
            "container 'r2' is to be absent; give the link state: absent",
        ),
        ({"links": [{**FIRST, "endpoints": ["r1:eth0", "r2:eth1"]}]}, "r1:eth0 is on network 'front' already"),
        ({"persist": True}, "wiring_persist: links between containers are not brought back at boot"),
    ],
)
def test_what_is_refused_is_refused_before_anything_changes(host: Lab, change: dict[str, Any], message: str) -> None:
    refuses(host, "wiring", message, **{**ALL, **change})


PICTURE = """\
in r1
├─ eth1  10.0.12.0/31  2001:db8:12::/127 ─── eth1 in r2  10.0.12.1/31  2001:db8:12::1/127
└─ eth2  10.0.13.1/24 ─── eth1 in r3  10.0.13.3/24
in r2
├─ eth1  10.0.12.1/31  2001:db8:12::1/127 ─── eth1 in r1  10.0.12.0/31  2001:db8:12::/127
└─ eth2 ─── eth2 in r3
in r3
├─ eth1  10.0.13.3/24 ─── eth2 in r1  10.0.13.1/24
└─ eth2 ─── eth2 in r2
"""


def test_links_are_seen_from_both_ends(host: Lab) -> None:
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.report import text

    seen = host.module("wiring_info")
    assert PICTURE in seen["picture"]
    assert PICTURE in text(host.module("wiring", **ALL)["wiring_result"], [FRONT])
    pairs = {(pair["netns"], pair["name"]): pair for pair in seen["wiring"]["veths"] if pair["cable"]}
    one = pairs.get(("r2", "eth2")) or pairs["r3", "eth2"]
    assert (len(pairs), one["ours"], {one["owner"], one["near_owner"]}) == (3, True, {"r2", "r3"})

    def asked(what: str) -> str:
        return str(host.module("wiring_info", find=what)["msg"])

    assert asked("10.0.12.1") == "10.0.12.1/31 is an address of eth1 of r2, whose other end is eth1 of r1."
    assert asked("10.0.12.0") == "10.0.12.0/31 is an address of eth1 of r1, whose other end is eth1 of r2."
    assert asked("r3") == "r3 has eth1 10.0.13.3/24 to eth2 of r1; eth2 to eth2 of r2."
    host.spawn(["ip", "netns", "exec", "r2", "sleep", "100000"])
    comes(host, '[ -n "$(ip netns pids r2)" ]')
    host.run("ip netns del r2")
    orphans = host.module("wiring_info", gather=["orphans"])["wiring"]["orphans"]
    assert sorted((one["kind"], one["netns"], one["name"]) for one in orphans) == [
        ("veth", "r1", "eth1"),
        ("veth", "r3", "eth2"),
    ]
