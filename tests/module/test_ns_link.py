# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module ns_link, kind vxlan: a tunnel is made, changed in place, made anew and removed, and carries what it has to, to its peers only."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from lab import Lab
from proofs import comes, lines, pastes, refuses, says, settles, unchanged, untouched, warnings

pytestmark = pytest.mark.needs("vxlan")

NEW: dict[str, Any] = {"name": "vx0", "kind": "vxlan", "vni": 42, "parent": "u0", "local": "10.0.0.1"}
MAC = "02:42:0a:00:00:01"


@pytest.fixture(name="host")
def host_with_an_underlay_and_a_namespace(lab: Lab) -> Lab:
    underlay(lab)
    return lab


def underlay(lab: Lab) -> None:
    """Two hosts that the host reaches by u0 and u1, and a namespace with a bridge."""
    lab.run("ip netns add web && ip -n web link add br0 address 02:42:0a:00:00:fe type bridge")
    for number in (0, 1):
        lab.run(f"ip link add u{number} type veth peer name far{number} && ip link set far{number} up")
        lab.run(f"ip link set u{number} addrgenmode none up && ip addr add 10.0.{number}.1/24 dev u{number}")
        lab.run(f"ip addr add fd00:{number}::1/64 dev u{number} nodad")


def link(lab: Lab, name: str = "vx0", netns: str = "") -> dict[str, Any]:
    """What iproute2 says of an interface."""
    found: dict[str, Any] = lab.ip(f"{netns and f'-n {netns} '}-d link show dev {name}")[0]
    return {**found, **found["linkinfo"].get("info_data", {})}


def flooded(lab: Lab, name: str = "vx0", netns: str = "") -> list[str]:
    """Where iproute2 says that a vxlan floods to."""
    shown = lab.run(f"bridge {netns and f'-n {netns}'} fdb show dev {name}").stdout
    return sorted(
        line.split(" self")[0].partition(" dst ")[2] for line in shown.splitlines() if line.startswith("00:00:00:")
    )


# --- made, changed, removed ---


@pytest.mark.both_ends
@pytest.mark.parametrize(
    ("local", "peers", "mtu"),
    [("10.0.0.1", ["10.0.0.2", "10.0.0.3"], 1450), ("fd00:0:0::1", ["fd00::2", "fd00::3"], 1430)],
)
def test_a_vxlan_is_made_and_removed(host: Lab, local: str, peers: list[str], mtu: int) -> None:
    before = host.snapshot()
    asked: dict[str, Any] = {**NEW, "local": local, "peers": peers[::-1], "mac": MAC, "learning": False, "mtu": "auto"}
    made = settles(host, "ns_link", **asked)
    assert made["before"] == {}
    own = local.replace(":0:0:", "::").replace(":::", "::")
    assert made["after"] == {
        "name": "vx0",
        "kind": "vxlan",
        "netns": None,
        "parent": "u0",
        "parent_netns": None,
        "master": "",
        "mtu": mtu,
        "mac": MAC,
        "vni": 42,
        "local": own,
        "port": 4789,
        "learning": False,
        "enabled": True,
        "alias": "",
        "peers": peers,
    }
    assert made["commands"] == [
        f"ip link add vx0 mtu {mtu} address {MAC} group 76 type vxlan id 42 local {own} dstport 4789 nolearning dev u0",
        "ip link set vx0 up",
        *(f"bridge fdb append 00:00:00:00:00:00 dev vx0 dst {peer}" for peer in peers),
    ]
    seen = link(host)
    assert (seen["id"], seen["port"], seen["link"], seen["learning"], seen["mtu"]) == (42, 4789, "u0", False, mtu)
    assert seen.get("local", seen.get("local6")) == own
    assert flooded(host) == peers
    removed = settles(host, "ns_link", name="vx0", kind="vxlan", state="absent")
    assert (removed["before"], removed["commands"]) == (made["after"], ["ip link del vx0"])
    assert host.snapshot() == before
    unchanged(host, "ns_link", name="vx0", kind="vxlan", netns="nowhere", state="absent")


@pytest.mark.needs("strace")
def test_one_message_makes_it_and_one_more_each_peer(host: Lab) -> None:
    asked: dict[str, Any] = {**NEW, "netns": "web", "master": "br0", "peers": ["10.0.0.2", "10.0.0.3"]}
    made, writes = host.writes("ns_link", **asked)
    assert (made["changed"], writes) == (True, ["RTM_NEWLINK", "RTM_NEWNEIGH", "RTM_NEWNEIGH"])
    again, writes = host.writes("ns_link", **asked)
    assert (again["changed"], writes) == (False, [])


def test_it_is_born_in_its_namespace_and_its_packets_go_by_the_parent_s(host: Lab) -> None:
    monitor = host.spawn("exec ip monitor link >/run/seen")
    comes(host, f"awk '$3 == {monitor} {{found = 1}} END {{exit !found}}' /proc/net/netlink")
    made = settles(host, "ns_link", **NEW, netns="web", master="br0", mac=MAC, peers=["10.0.0.2"], alias="of web")
    assert made["commands"] == [
        f"ip link add vx0 netns web mtu 1450 address {MAC} group 76 type vxlan id 42 local 10.0.0.1 dstport 4789 dev u0",
        "ip -n web link set vx0 master br0",
        "ip -n web link set vx0 up",
        "bridge -n web fdb append 00:00:00:00:00:00 dev vx0 dst 10.0.0.2",
        "ip -n web link set vx0 alias 'of web'",
    ]
    assert (link(host, netns="web")["master"], flooded(host, netns="web")[0].split()[0]) == ("br0", "10.0.0.2")
    host.run("ip link set far1 mtu 1234")
    comes(host, "grep -q 'mtu 1234' /run/seen")
    host.kill(monitor)
    assert "vx0" not in host.run("cat /run/seen").stdout
    refuses(
        host, "ns_link", "has parent_netns none, not web, which is not changed in place", **NEW | {"parent": None},
        netns="web", parent_netns="web",
    )  # fmt: skip
    assert unchanged(host, "ns_link", name="vx0", kind="vxlan", netns="web", vni=42)["after"]["parent"] == "u0"


@pytest.mark.both_ends
@pytest.mark.parametrize(
    ("option", "first", "then", "shown", "values"),
    [
        ("mtu", 1400, "auto", "mtu", (1400, 1450)),
        ("mac", MAC, "02-42-0A-00-00-0F", "address", (MAC, "02:42:0a:00:00:0f")),
        ("alias", "the tunnel", "two  words 'quoted'", "ifalias", ("the tunnel", "two  words 'quoted'")),
        ("learning", False, True, "learning", (False, True)),
        ("local", "10.0.0.1", "10.0.0.9", "local", ("10.0.0.1", "10.0.0.9")),
    ],
)
def test_an_option_is_given_and_changed_in_place(
    host: Lab, option: str, first: Any, then: Any, shown: str, values: tuple[Any, Any]
) -> None:
    settles(host, "ns_link", **{**NEW, option: first}, peers=["10.0.0.2"])
    born = link(host)
    assert born[shown] == values[0]
    changed = settles(host, "ns_link", **{**NEW, option: then})
    assert [[line.split()[0] for line in part] for part in lines(changed)] == [[option], [option]]
    now = link(host)
    assert (now[shown], now["ifindex"], flooded(host)) == (values[1], born["ifindex"], ["10.0.0.2"])
    host.run("ip link set vx0 down")
    assert lines(settles(host, "ns_link", **{**NEW, option: then})) == (["enabled false"], ["enabled true"])


def test_a_bridge_is_given_changed_and_left(host: Lab) -> None:
    host.run("for name in br0 br1; do ip link add $name address 02:42:0a:00:00:fd type bridge; done")
    settles(host, "ns_link", **NEW, master="br0")
    assert link(host)["master"] == "br0"
    changed = settles(host, "ns_link", **NEW, master="br1")
    assert (lines(changed), changed["commands"]) == ((["master br0"], ["master br1"]), ["ip link set vx0 master br1"])
    host.run("ip link set vx0 nomaster")
    assert lines(settles(host, "ns_link", **NEW, master="br1")) == (["master none"], ["master br1"])
    unchanged(host, "ns_link", **NEW)
    assert settles(host, "ns_link", **NEW, master="")["commands"] == ["ip link set vx0 nomaster"]
    refuses(host, "ns_link", "^master: 'u1' in the host is a veth, not a bridge", **NEW, master="u1")
    by_itself = {"name": "vx1", "kind": "vxlan", "vni": 7, "parent": "br0", "master": "br0"}
    refuses(
        host, "ns_link", "^master: the packets of 'vx1' in the host leave by 'br0', so it cannot be a port", **by_itself
    )


@pytest.mark.both_ends
def test_exactly_the_peers_are_flooded_to_and_other_entries_stay(host: Lab) -> None:
    settles(host, "ns_link", **NEW, peers=["10.0.0.2", "10.0.0.3"])
    theirs = "02:00:00:00:00:77 dst 10.0.0.8"
    host.run(f"bridge fdb add {theirs.replace(' dst', ' dev vx0 dst')}")
    for entry in ("10.0.0.9", "10.0.0.9 port 99 vni 7 via u1", "10.0.0.2 port 99"):
        host.run(f"bridge fdb append 00:00:00:00:00:00 dev vx0 dst {entry}")
    found = settles(host, "ns_link", **NEW, peers=["10.0.0.3", "10.0.0.4"])
    assert found["commands"][0] == "bridge fdb append 00:00:00:00:00:00 dev vx0 dst 10.0.0.4"
    assert len(found["commands"]) == 5
    assert flooded(host) == ["10.0.0.3", "10.0.0.4"]
    assert theirs in host.run("bridge fdb show dev vx0").stdout
    host.run("bridge fdb del 00:00:00:00:00:00 dev vx0 dst 10.0.0.3")
    assert lines(settles(host, "ns_link", **NEW, peers=["10.0.0.4", "10.0.0.3"])) == (
        ["peers 10.0.0.4"],
        ["peers 10.0.0.3, 10.0.0.4"],
    )
    unchanged(host, "ns_link", **NEW)
    settles(host, "ns_link", **NEW, peers=[])
    assert flooded(host) == []


def test_a_vxlan_of_somebody_else_s_is_managed_for_what_is_asked(host: Lab) -> None:
    host.run("ip link add vx0 type vxlan id 42 remote 10.0.0.2 local 10.0.0.1 dev u0 dstport 4789 ageing 77 ttl 9")
    there = settles(host, "ns_link", name="vx0", kind="vxlan")
    assert (lines(there), there["after"]["peers"]) == ((["enabled false"], ["enabled true"]), ["10.0.0.2"])
    unchanged(host, "ns_link", **NEW, peers=["10.0.0.2"])
    settles(host, "ns_link", **NEW, peers=["10.0.0.3"])
    assert flooded(host) == ["10.0.0.3"]
    assert (link(host)["ageing"], link(host)["ttl"]) == (77, 9)
    host.run("ip link add vx6 mtu 1400 type vxlan id 42 remote fd00::2 dev u0 dstport 4789")
    six = settles(host, "ns_link", name="vx6", kind="vxlan", mtu="auto", peers=["fd00::2", "fd00::3"])
    assert (six["after"]["mtu"], flooded(host, "vx6")[0].split()[0]) == (1430, "fd00::2")
    host.run(
        "ip link add vx1 type vxlan id 43 group 239.1.1.1 dev u0 dstport 4789; ip link add vx2 type vxlan external dstport 4790"
    )
    for name, differs in (("vx1", "group 239.1.1.1, not none"), ("vx2", "external true, not false")):
        unchanged(host, "ns_link", name=name, kind="vxlan", enabled=False)
        refuses(host, "ns_link", f"has {differs}, which peers need", name=name, kind="vxlan", peers=["10.0.0.3"])


def test_the_commands_can_be_pasted(host: Lab) -> None:
    asked: dict[str, Any] = {**NEW, "peers": ["10.0.0.2"], "learning": False, "alias": "a b", "mtu": 1400}
    there: dict[str, Any] = {**NEW, "name": "vx1", "vni": 7, "netns": "web", "master": "br0", "peers": ["10.0.0.3"]}
    made = [host.module("ns_link", **args) for args in (asked, there)]
    changes: dict[str, Any] = {
        "peers": ["10.0.0.4"],
        "learning": True,
        "local": "10.0.0.7",
        "mtu": "auto",
        "enabled": False,
    }
    changed = host.module("ns_link", **{**asked, **changes})
    anew = host.module("ns_link", **{**asked, **changes, "vni": 43}, recreate=True)
    with Lab() as other:
        underlay(other)
        pastes(made[0], other, "ns_link", **asked)
        pastes(made[1], other, "ns_link", **there)
        pastes(changed, other, "ns_link", **{**asked, **changes})
        pastes(anew, other, "ns_link", **{**asked, **changes, "vni": 43})


# --- anew ---


@pytest.mark.both_ends
@pytest.mark.parametrize(
    ("params", "differs"),
    [
        ({"vni": 43}, "vni 42, not 43"),
        ({"port": 4790}, "port 4789, not 4790"),
        ({"parent": "u1"}, "parent u0, not u1"),
        ({"local": "fd00::1"}, "local 10.0.0.1, not fd00::1"),
    ],
    ids=str,
)
def test_what_the_kernel_does_not_change_is_made_anew_if_that_is_asked_for(
    host: Lab, params: dict[str, Any], differs: str
) -> None:
    host.module("ns_link", **NEW, peers=["10.0.0.2"], learning=False, alias="x")
    born = link(host)
    asked = {**NEW, **params}
    refuses(
        host,
        "ns_link",
        f"^vxlan 'vx0' in the host has {differs}, which is not changed in place; recreate: true",
        **asked,
    )
    done = settles(host, "ns_link", **asked, recreate=True)
    assert lines(done)[0][-1] == f"made_anew_for {differs.split()[0]}"
    assert "is made anew, without its addresses and routes" in warnings(done)[0]
    now = link(host)
    assert (now["ifindex"] != born["ifindex"], now["address"], now["ifalias"]) == (True, born["address"], "x")
    assert flooded(host) == ([] if "local" in params else ["10.0.0.2"])
    unchanged(host, "ns_link", **asked)


@pytest.mark.needs("macvlan")
def test_what_is_of_another_kind_is_left_alone(host: Lab) -> None:
    host.run("ip link add vx0 link u0 type macvlan")
    for args in ({"recreate": True}, {"state": "absent"}):
        refuses(
            host,
            "ns_link",
            "^Interface 'u1' in the host is a veth, not a vxlan; it is left alone",
            name="u1",
            kind="vxlan",
            vni=1,
            **args,
        )
    refuses(host, "ns_link", "is a macvlan, not a vxlan; it is left alone; recreate: true makes it anew", **NEW)
    refuses(host, "ns_link", "is a macvlan, not a vxlan; it is left alone.$", name="vx0", kind="vxlan", state="absent")
    assert settles(host, "ns_link", **NEW, recreate=True)["before"]["made_anew_for"] == ["kind"]


# --- refused ---


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"parent": "nix"}, "^parent: there is no interface 'nix' in the host; "),
        ({"parent": "nix", "parent_netns": "web"}, "^parent: there is no interface 'nix' in netns 'web'; "),
        (
            {"netns": "nowhere"},
            "^Netns 'nowhere' does not exist .*; linuxnet.containers.netns with name: nowhere makes it",
        ),
        ({"mtu": 1451}, "^mtu: 1451 bytes do not go through 'u0', at most 1450 do; 'auto' is that.$"),
        ({"peers": ["fd00::2"]}, "^peers: fd00::2 is of another address family than 10.0.0.1.$"),
        ({"vni": None}, "^vni: a vxlan that is made needs one"),
        ({"kind": "dummy"}, "kind"),
        ({"master": "nix"}, "^master: there is no bridge 'nix' in the host; linuxnet.containers.bridge makes one"),
    ],
    ids=str,
)
def test_what_is_refused(host: Lab, params: dict[str, Any], message: str) -> None:
    refuses(host, "ns_link", message, **{**NEW, **params})


def test_a_number_that_is_in_use_is_refused_by_the_name_of_who_has_it(host: Lab) -> None:
    host.module("ns_link", **{**NEW, "name": "old"}, netns="web")
    text = (
        "^vni: 42 is in use with port 4789 by 'old' in netns 'web'; take another number or port, or remove that one.$"
    )
    refuses(host, "ns_link", text, **NEW)
    with untouched(host):
        assert text.strip("^$") in host.fails("ns_link", check=True, **NEW)["msg"]
    settles(host, "ns_link", **{**NEW, "local": "fd00::1"})
    settles(host, "ns_link", **{**NEW, "name": "vx1", "port": 4790})
    settles(host, "ns_link", **{**NEW, "name": "vx2", "vni": 43})


def test_a_port_that_a_program_has_is_told(host: Lab) -> None:
    held = "import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 4789)); time.sleep(1000)"
    program = host.spawn([sys.executable, "-c", held])
    comes(host, "grep -q :12B5 /proc/net/udp")
    refuses(
        host,
        "ns_link",
        "in use .its port is that of another program, or of a tunnel of another sort.",
        **NEW,
        peers=["10.0.0.2"],
    )
    settles(host, "ns_link", **NEW, enabled=False)
    says(
        host,
        "ns_link",
        "^Could not set enabled true on vx0 in the host: Address already in use .its port is that of another",
        **NEW,
    )
    host.kill(program)


def test_one_that_fails_halfway_is_rolled_back(host: Lab) -> None:
    host.run("ip link add old type vxlan id 7 dstport 4789 dev u0")
    items = [{**NEW, "peers": ["10.0.0.2"]}, {**NEW, "name": "vx1", "vni": 7}, {**NEW, "name": "vx2", "vni": 8}]
    result = host.fails("ns_link", aggregate=items)
    assert [one.get("failed", False) for one in result["results"]] == [False, True, False]
    assert "by 'old' in the host" in result["msg"]
    before = host.snapshot()
    with pytest.MonkeyPatch.context():
        cut = host.cut(1, "ns_link", name="vx0", kind="vxlan", peers=["10.0.0.3"], alias="x", vni=42)
    assert cut.get("failed")
    assert host.snapshot() == before


def test_alternative_names_mean_the_interfaces(host: Lab) -> None:
    host.run(
        "ip link property add dev u0 altname the-uplink-of-this-host; ip link add br0 type bridge; ip link property add dev br0 altname lan"
    )
    made = settles(host, "ns_link", **{**NEW, "parent": "the-uplink-of-this-host"}, master="lan")
    assert (made["after"]["parent"], made["after"]["master"]) == ("u0", "br0")
    host.run("ip link property add dev vx0 altname tunnel")
    unchanged(host, "ns_link", **{**NEW, "name": "tunnel"}, master="br0")


def test_a_lower_underlay_is_seen(host: Lab) -> None:
    settles(host, "ns_link", **NEW)
    host.run("ip link set u0 mtu 1400; ip link set far0 mtu 1400")
    unchanged(host, "ns_link", **NEW)
    assert lines(settles(host, "ns_link", **NEW, mtu="auto")) == (["mtu 1450"], ["mtu 1350"])
    host.run("ip link set u1 mtu 1300; ip route add 10.9.0.0/16 via 10.0.1.2")
    made = settles(host, "ns_link", name="vx1", kind="vxlan", vni=1, peers=["10.9.0.1", "10.0.0.2"])
    assert made["after"]["mtu"] == 1250


@pytest.mark.parametrize("form", ["{}", " {} ", "0{}"])
def test_numbers_as_texts(host: Lab, form: str) -> None:
    numbers = {"vni": 42, "port": 4790, "mtu": 1400}
    host.module("ns_link", **{**NEW, **numbers})
    unchanged(host, "ns_link", **{**NEW, **{name: form.format(value) for name, value in numbers.items()}})
    refuses(host, "ns_link", "^vni: 'inf' is not a whole number.$", **{**NEW, "vni": float("inf")})


# --- traffic ---


def wired(lab: Lab, family: int) -> dict[str, str]:
    """Three hosts, namespaces, on one underlay. Returns their addresses on it, by name."""
    lab.run("ip link add lan type bridge && ip link set lan up && sysctl -qw net.ipv6.conf.all.forwarding=0")
    found = {}
    for number, name in enumerate(("one", "two", "three"), 1):
        found[name] = f"192.0.2.{number}" if family == 4 else f"2001:db8::{number}"
        lab.run(
            f"ip netns add {name} && ip link add {name} master lan type veth peer name eth0 netns {name} && ip link set {name} up"
        )
        lab.run(f"ip -n {name} link set lo up && ip -n {name} link set eth0 up")
        lab.run(f"ip -n {name} addr add {found[name]}/{24 if family == 4 else '64 nodad'} dev eth0")
    return found


@pytest.mark.needs("ping")
def test_a_tunnel_in_a_container_goes_by_the_underlay_of_its_host(lab: Lab) -> None:
    hosts = wired(lab, 4)
    del hosts["three"]
    for number, name in enumerate(hosts, 1):
        lab.run(f"ip netns add c{number} && ip -n c{number} link set lo up")
        peers = [address for other, address in hosts.items() if other != name]
        asked: dict[str, Any] = {"name": "eth0", "kind": "vxlan", "vni": 7, "local": hosts[name], "peers": peers}
        settles(lab, "ns_link", **asked, netns=f"c{number}", parent="eth0", parent_netns=name)
        lab.run(
            f"ip -n c{number} addr add 10.7.0.{number}/24 dev eth0; ip -n c{number} addr add fd07::{number}/64 dev eth0 nodad"
        )
    for address, headers in (("10.7.0.2", 28), ("fd07::2", 48)):
        lab.run(f"ip netns exec c1 ping -M do -c 2 -i 0.05 -W 5 -s {1450 - headers} {address}")
    settles(lab, "ns_link", name="eth0", kind="vxlan", netns="c1", learning=False)
    lab.run("ip netns exec c1 ping -c 1 -W 5 10.7.0.2")


@pytest.mark.both_ends
@pytest.mark.needs("ping")
@pytest.mark.parametrize("family", [4, 6])
def test_full_packets_pass_and_only_peers_are_flooded(lab: Lab, family: int) -> None:
    hosts = wired(lab, family)
    for number, name in enumerate(hosts, 1):
        others = [address for other, address in hosts.items() if other not in (name, "three")]
        asked: dict[str, Any] = {"name": "vx0", "kind": "vxlan", "vni": 42, "local": hosts[name], "peers": others}
        made = settles(lab, "ns_link", **asked, netns=name, parent="eth0", parent_netns=name)
        assert made["after"]["mtu"] == (1450 if family == 4 else 1430)
        lab.run(f"ip -n {name} addr add 10.42.0.{number}/24 dev vx0")
    size = made["after"]["mtu"] - 28
    lab.run(f"ip netns exec one ping -M do -c 3 -i 0.05 -W 5 -s {size} 10.42.0.2")
    too_long = lab.run(f"ip netns exec one ping -M do -c 1 -W 1 -s {size + 1} 10.42.0.2", check=False)
    assert "essage too long" in f"{too_long.stdout}{too_long.stderr}"
    lab.run("ip netns exec one ping -b -c 2 -i 0.05 -W 1 10.42.0.255", check=False)  # broadcasts go to peers
    got = {name: lab.ip(f"-n {name} -s link show dev vx0")[0]["stats64"]["rx"]["packets"] for name in hosts}
    assert got["two"] >= 5
    assert got["three"] == 0
    lab.module("ns_link", name="vx0", kind="vxlan", netns="one", peers=[hosts["two"], hosts["three"]])
    lab.run("ip netns exec one ping -b -c 2 -i 0.05 -W 1 10.42.0.255", check=False)
    comes(lab, "[ $(ip netns exec three cat /sys/class/net/vx0/statistics/rx_packets) -ge 2 ]")
