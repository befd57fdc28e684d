# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module ns_link, links that are made on others: parents that go, are renamed, are in another namespace, and whoever is on them already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lab import Lab
from proofs import comes, lines, refuses, settles, unchanged, warnings
from wires import eventually

ON_ANOTHER = ["ipvlan", "macvlan", "vlan"]
KINDS = [pytest.param(kind, marks=pytest.mark.needs(kind)) for kind in ON_ANOTHER]


def asked(kind: str, **more: Any) -> dict[str, Any]:
    return {"name": "x0", "kind": kind, "parent": "u0", **({"vlan_id": 5} if kind == "vlan" else {}), **more}


@pytest.fixture(name="host")
def host_with_uplinks_and_namespaces(lab: Lab) -> Lab:
    """Two interfaces that are up, and two namespaces, of which one has an interface of its own."""
    lab.run("ip netns add web && ip netns add db")
    for number in (0, 1):
        lab.run(f"ip link add u{number} address 02:42:0a:00:01:0{number} type veth peer name far{number}")
        lab.run(f"ip link set far{number} up; ip link set u{number} addrgenmode none up")
    lab.run("ip link add w0 type veth peer name eth0 netns web && ip link set w0 up && ip -n web link set eth0 up")
    return lab


@pytest.mark.both_ends
@pytest.mark.parametrize("kind", KINDS)
def test_a_parent_is_in_another_namespace_and_is_renamed_and_goes(host: Lab, kind: str) -> None:
    there = asked(kind, netns="db", parent="eth0", parent_netns="web")
    made = settles(host, "ns_link", **there)
    assert (made["after"]["parent"], made["after"]["parent_netns"]) == ("eth0", "web")
    assert made["commands"][0].startswith("ip -n web link add x0 netns db link eth0 mtu 1500 ")
    seen = host.ip("-n db -d link show dev x0")[0]
    assert seen["link_index"] == host.ip("-n web link show dev eth0")[0]["ifindex"]
    refuses(host, "ns_link", "has parent_netns web, not none, which is not", **asked(kind, netns="db"))
    host.run("ip -n web link set eth0 down && ip -n web link set eth0 name up0 && ip -n web link set up0 up")
    host.run("ip -n db link set x0 up")
    assert unchanged(host, "ns_link", **{**there, "parent": "up0"})["after"]["parent"] == "up0"
    assert unchanged(host, "ns_link", name="x0", kind=kind, netns="db")["after"]["parent"] == "up0"
    refuses(host, "ns_link", "^parent: there is no interface 'eth0' in netns 'web'", **there)
    host.run("ip -n web link del up0")
    refuses(host, "ns_link", "^parent: there is no interface 'up0' in netns 'web'", **{**there, "parent": "up0"})
    unchanged(host, "ns_link", name="x0", kind=kind, netns="db", state="absent")
    host.run("ip link add w0 type veth peer name up0 netns web && ip link set w0 up && ip -n web link set up0 up")
    settles(host, "ns_link", **{**there, "parent": "up0"})


@pytest.mark.parametrize("kind", KINDS)
def test_a_parent_s_namespace_ends(host: Lab, kind: str) -> None:
    host.module("ns_link", **asked(kind, netns="db", parent="eth0", parent_netns="web"))
    host.run("ip netns del web")
    comes(host, "! ip -n db link show dev x0 2>/dev/null")
    refuses(
        host, "ns_link", "^Netns 'web' does not exist", **asked(kind, netns="db", parent="eth0", parent_netns="web")
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_parent_by_its_alternative_name(host: Lab, kind: str) -> None:
    host.run("ip link property add dev u0 altname the-uplink-of-this-host")
    made = settles(host, "ns_link", **asked(kind, parent="the-uplink-of-this-host"))
    assert made["after"]["parent"] == "u0"
    host.run("ip link property add dev x0 altname mine")
    unchanged(host, "ns_link", **asked(kind, name="mine"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_mtu_is_the_parent_s_and_no_more(host: Lab, kind: str) -> None:
    settles(host, "ns_link", **asked(kind, mtu=1300))
    refuses(host, "ns_link", "^mtu: 1501 bytes do not go through 'u0', at most 1500 do", **asked(kind, mtu=1501))
    assert lines(settles(host, "ns_link", **asked(kind, mtu="auto"))) == (["mtu 1300"], ["mtu 1500"])
    host.run("ip link set u0 mtu 1400")
    unchanged(host, "ns_link", **asked(kind, mtu="auto"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_bridge_is_a_parent_and_its_port_is_not(host: Lab, kind: str) -> None:
    host.run("ip link add br0 type bridge && ip link set br0 up && ip link set u0 master br0")
    settles(host, "ns_link", **asked(kind, parent="br0"))
    if kind == "vlan":
        settles(host, "ns_link", **asked(kind, name="x1"))
    else:
        text = "^parent: 'u0' in the host is a port of 'br0', which gets all its frames; make the link on that.$"
        refuses(host, "ns_link", text, **asked(kind, name="x1"))
        settles(host, "ns_link", name="x0", kind=kind, state="absent")
    if kind == "macvlan":
        text = "^master: the packets of 'x1' in the host leave by 'br0', so it cannot be a port"
        refuses(host, "ns_link", text, **asked(kind, name="x1", parent="br0", master="br0"))


@pytest.mark.needs("macvlan")
def test_several_macvlans_on_a_parent(host: Lab) -> None:
    """Of the host's and of containers, each with an address of its own, which is the same after all went and came."""
    items = [asked("macvlan", **where) for where in ({}, {"netns": "web"}, {"netns": "db"})]
    host.module("ns_link", aggregate=items)
    macs = [one["after"]["mac"] for one in host.module("ns_link", aggregate=items)["results"]]
    assert len({*macs}) == 3
    settles(host, "ns_link", name="x0", kind="macvlan", netns="web", state="absent")
    left = host.module("ns_link", aggregate=[items[0], items[2]])
    assert [one["changed"] for one in left["results"]] == [False, False]
    assert settles(host, "ns_link", **items[1])["after"]["mac"] == macs[1]
    text = f"^mac: {macs[1]} is that of 'x0' in netns 'web', which is on 'u0' in the host as well.$"
    refuses(host, "ns_link", text, **asked("macvlan", mac=macs[1]))
    refuses(host, "ns_link", text, **asked("macvlan", name="x1", mac=macs[1].upper().replace(":", "-")))
    text = "^mac: 02:42:0a:00:01:00 is that of 'u0' in the host; a macvlan has one of its own.$"
    refuses(host, "ns_link", text, **asked("macvlan", name="x1", mac="2:42:a:0:1:0"))
    text = "^mode: 'x0' in (the host|netns '(web|db)') is on 'u0' in the host already, where this one would be alone"
    refuses(host, "ns_link", text, **asked("macvlan", name="x1", mode="passthru"))


@pytest.mark.both_ends
@pytest.mark.needs("macvlan")
def test_a_macvlan_in_passthru_is_alone_with_its_parent_s_address(host: Lab) -> None:
    made = settles(host, "ns_link", **asked("macvlan", netns="web", mode="passthru"))
    assert made["after"]["mac"] == "02:42:0a:00:01:00"
    text = "^mode: 'x0' in netns 'web' is on 'u0' in the host already, where that would be alone, in mode passthru.$"
    refuses(host, "ns_link", text, **asked("macvlan"))
    text = "^mac: 'x0' in netns 'web' has that of its parent, as each macvlan of its mode; it is changed there.$"
    refuses(host, "ns_link", text, name="x0", kind="macvlan", netns="web", mac="02:00:00:00:00:01")
    host.run("ip link set u0 address 02:42:0a:00:01:77")
    assert unchanged(host, "ns_link", **asked("macvlan", netns="web"))["after"]["mac"] == "02:42:0a:00:01:77"
    back = settles(host, "ns_link", **asked("macvlan", netns="web", mode="bridge"), recreate=True)
    assert (back["before"]["made_anew_for"], back["after"]["mac"][:8]) == (["mode"], back["after"]["mac"][:8])
    assert back["after"]["mac"] != "02:42:0a:00:01:77"


@pytest.mark.parametrize("kind", KINDS[:2])
def test_one_on_another_of_its_kind_is_on_the_parent_of_that(host: Lab, kind: str) -> None:
    host.module("ns_link", **asked(kind, netns="web"))
    nested = asked(kind, name="x1", netns="web", parent="x0", parent_netns="web")
    made = settles(host, "ns_link", **nested)
    assert (made["after"]["parent"], made["after"]["parent_netns"]) == ("u0", None)
    unchanged(host, "ns_link", **asked(kind, name="x1", netns="web"))
    settles(host, "ns_link", name="x0", kind=kind, netns="web", state="absent")
    unchanged(host, "ns_link", name="x1", kind=kind, netns="web")


@pytest.mark.needs("ipvlan")
def test_ipvlans_of_a_parent_have_one_mode_and_macvlans_another_parent(host: Lab, needs: Callable[..., None]) -> None:
    needs("macvlan")
    settles(host, "ns_link", **asked("ipvlan", netns="web", mode="l3"))
    text = "^mode: 'u0' in the host has 'x0' in netns 'web' on it as well, in mode l3, and the kernel has one mode for all of a parent.$"
    refuses(host, "ns_link", text, **asked("ipvlan", netns="db", mode="l2"))
    assert settles(host, "ns_link", **asked("ipvlan", netns="db"))["after"]["mode"] == "l3"
    refuses(host, "ns_link", "in mode l3, and", **asked("ipvlan", netns="db", mode="l3s"))
    refuses(host, "ns_link", "an ipvlan, is on 'u0' in the host, which has the one kind", **asked("macvlan"))
    host.module("ns_link", kind="ipvlan", name="x0", state="absent", aggregate=[{"netns": "web"}, {"netns": "db"}])
    settles(host, "ns_link", **asked("macvlan"))
    refuses(host, "ns_link", "a macvlan, is on 'u0' in the host, which has the one kind", **asked("ipvlan", netns="db"))


@pytest.mark.needs("vlan")
def test_a_vlan_s_number_is_taken_on_its_parent_and_it_follows_that(host: Lab) -> None:
    settles(host, "ns_link", **asked("vlan", netns="web"))
    text = "^vlan_id: 5 is in use on 'u0' in the host by 'x0' in netns 'web'; take another number, or remove that one.$"
    refuses(host, "ns_link", text, **asked("vlan"))
    settles(host, "ns_link", **asked("vlan", vlan_protocol="802.1ad"))
    settles(host, "ns_link", **asked("vlan", name="x1", parent="u1"))
    host.run("ip link set u0 address 02:42:0a:00:01:77")
    assert unchanged(host, "ns_link", **asked("vlan", netns="web"))["after"]["mac"] == "02:42:0a:00:01:77"
    host.run("ip link set u0 down")
    text = "^enabled: 'u0' in the host is down, and a vlan cannot be up on it; set that up first.$"
    refuses(host, "ns_link", text, **asked("vlan", netns="web"))
    refuses(host, "ns_link", text, **asked("vlan", name="x6", vlan_id=6))
    settles(host, "ns_link", **asked("vlan", name="x6", vlan_id=6, enabled=False))
    host.run("ip link set u0 up")
    unchanged(host, "ns_link", **asked("vlan", netns="web"))


@pytest.mark.parametrize(
    ("kind", "other"), [pytest.param("vlan", "macvlan", marks=pytest.mark.needs("vlan", "macvlan"))]
)
def test_a_vlan_that_somebody_else_uses_stays(host: Lab, kind: str, other: str) -> None:
    host.module("ns_link", **asked(kind))
    host.run(f"ip link add theirs link x0 netns db type {other}")
    text = (
        "^'x0' in the host is the parent of 'theirs' in netns 'db', which the kernel would delete as well; remove that"
    )
    refuses(host, "ns_link", text, name="x0", kind=kind, state="absent")
    refuses(host, "ns_link", text, **asked(kind, vlan_id=6), recreate=True)
    host.run("ip -n db link del theirs")
    settles(host, "ns_link", name="x0", kind=kind, state="absent")


@pytest.mark.needs("macvlan", "vxlan")
def test_a_tunnel_that_somebody_else_uses_stays(host: Lab) -> None:
    tunnel: dict[str, Any] = {"name": "vx0", "kind": "vxlan", "vni": 7, "parent": "u0"}
    host.module("ns_link", **tunnel)
    host.module("ns_link", **asked("macvlan", netns="web", parent="vx0"))
    text = "^'vx0' in the host is the parent of 'x0' in netns 'web', which the kernel would delete as well"
    refuses(host, "ns_link", text, name="vx0", kind="vxlan", state="absent")
    refuses(host, "ns_link", text, **{**tunnel, "vni": 8}, recreate=True)
    unchanged(host, "ns_link", **tunnel, recreate=True)
    left = unchanged(host, "ns_link", name="vx0", kind="vxlan", state="absent", only_ours=True)
    said = "'vx0' in the host stays, for it is the parent of 'x0' in netns 'web', which nothing here removes."
    assert warnings(left) == [said]
    gone = [{"name": "x0", "kind": "macvlan", "netns": "web"}, {"name": "vx0", "kind": "vxlan"}]
    assert host.module("ns_link", state="absent", aggregate=gone)["changed"]


@pytest.mark.needs("macvlan", "vxlan")
def test_a_tunnel_that_somebody_without_a_name_uses_stays(host: Lab) -> None:
    """The namespace of a process has none, and is looked at as well."""
    tunnel: dict[str, Any] = {"name": "vx0", "kind": "vxlan", "vni": 7, "parent": "u0"}
    host.module("ns_link", **tunnel)
    process = host.spawn(["unshare", "-n", "sleep", "600"])
    its = f"/proc/{process}/ns/net"
    assert eventually(lambda: host.run(f"test $(readlink {its}) != $(readlink /proc/self/ns/net)", check=False).rc == 0)
    host.run(f"ip link add theirs link vx0 netns {process} type macvlan")
    text = f"^'vx0' in the host is the parent of 'theirs' in netns '{its}', which the kernel would delete as well"
    refuses(host, "ns_link", text, name="vx0", kind="vxlan", state="absent")
    refuses(host, "ns_link", text, **{**tunnel, "vni": 8}, recreate=True)
    host.run(f"nsenter --net={its} ip link del theirs")
    host.kill(process)
    settles(host, "ns_link", name="vx0", kind="vxlan", state="absent")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_refused_before_anything_is_changed(host: Lab, kind: str) -> None:
    article = "an?"
    for params, text in (
        ({"parent": "nix"}, "^parent: there is no interface 'nix' in the host; linuxnet.containers.ns_link or linux"),
        ({"parent": "lo"}, f"^parent: {article} {kind} is made on an interface that leads somewhere.$"),
        ({"parent": ""}, f"^parent: {article} {kind} is made on an interface that leads somewhere.$"),
        ({"parent": None}, f"^parent: {article} {kind} that is made needs one; 'x0' is not in the host yet.$"),
        ({"parent": "x0"}, "^parent: 'x0' cannot be made on itself.$"),
        ({"netns": "nowhere"}, "^Netns 'nowhere' does not exist"),
        ({"parent_netns": "nowhere"}, "^Netns 'nowhere' does not exist"),
        ({"peers": []}, f"^peers: it is an option of kind vxlan, not of {kind}.$"),
        ({"table": 7}, f"^table: it is an option of kind vrf, not of {kind}.$"),
    ):
        refuses(host, "ns_link", text, **asked(kind, **params))


@pytest.mark.needs("vrf", "macvlan")
def test_nothing_is_made_on_a_vrf(host: Lab) -> None:
    host.module("ns_link", name="blue", kind="vrf", table=10)
    for kind in ON_ANOTHER:
        text = "^parent: 'blue' in the host is a vrf, on which no link is made.$"
        refuses(host, "ns_link", text, **asked(kind, parent="blue"))
    host.run("ip link set u0 master blue")
    settles(host, "ns_link", **asked("macvlan", master="blue"))
