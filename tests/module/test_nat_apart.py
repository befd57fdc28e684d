# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is published, seen from beside it: isolated ports, isolated networks and checked ports, with br_netfilter on and off."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from wires import LIMIT, MOMENT, Host, called, warnings

GATEWAY = {4: "172.30.1.1", 6: "fd00:30:1::1"}
HOST = {4: "192.0.2.2", 6: "2001:db8::2"}
SERVER = """
import socket
server = socket.create_server(("::", 80), family=socket.AF_INET6, dualstack_ipv6=True)
while True:
    peer, address = server.accept()
    with peer:
        peer.sendall(address[0].replace("::ffff:", "").encode())
"""
# Sends one frame of a protocol that nobody knows, to an address that is given, and says how many of those an interface saw.
FRAME = """
import socket, sys
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sock.bind(("eth0", 0))
sock.send(bytes.fromhex(sys.argv[1].replace(":", "")) + sock.getsockname()[4] + b"\\x88\\xb5" + bytes(46))
"""
SEEN = """
import socket, sys
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88b5))
sock.bind(("eth0", 0x88b5))
sock.settimeout(float(sys.argv[1]))
print("ready", flush=True)
try:
    sock.recv(100)
    print("seen", flush=True)
except OSError:
    print("nothing", flush=True)
"""
NETWORK: dict[str, Any] = {"name": "front", "subnets": ["172.30.1.0/24", "fd00:30:1::/64"], "icc": False}
BACK: dict[str, Any] = {"name": "back", "subnets": ["172.30.2.0/24", "fd00:30:2::/64"]}
PORTS = ["8080:80"]
TABLE = "bridge linuxnet_containers"
ALIAS = "linuxnet: kept apart by nftables"


@pytest.fixture(autouse=True)
def uplink(host: Host, needs: Callable[..., None]) -> None:
    needs("nf_tables", "nf_nat", "nf_tables_bridge", "br_netfilter")
    host.run(
        "ip netns add internet && ip link add up0 type veth peer name eth0 netns internet && ip link set up0 up && "
        "ip addr add 192.0.2.2/24 dev up0 && ip addr add 2001:db8::2/64 dev up0 nodad && ip -n internet link set eth0 up && "
        "ip -n internet addr add 192.0.2.1/24 dev eth0 && ip -n internet addr add 2001:db8::1/64 dev eth0 nodad"
    )


def bridged(host: Host, on: int) -> None:
    """Have br_netfilter show bridged packets, or not."""
    host.run(f"sysctl -qw net.bridge.bridge-nf-call-iptables={on} net.bridge.bridge-nf-call-ip6tables={on}")


def container(name: str, *networks: str, ports: list[str] | None = None, **options: Any) -> dict[str, Any]:
    return {"name": name, "networks": [{"name": one} for one in networks], "published_ports": ports or [], **options}


WEB, DB, FAR = container("web", "front", ports=PORTS), container("db", "front"), container("far", "back")


def wired(host: Host, containers: list[dict[str, Any]], networks: list[dict[str, Any]], **options: Any) -> Any:
    """Wire, as a user does: check mode foresees it, and a second run has nothing to do."""
    given = {"networks": networks, "containers": containers, **options}
    foreseen = host.module("wiring", check=True, **given)
    done = host.module("wiring", **given)
    again = host.module("wiring", **given)
    assert foreseen["changed"] == done["changed"]
    assert foreseen["commands"] == done["commands"]
    assert (again["changed"], again["commands"]) == (False, [])
    return done


def serve(host: Host, *names: str) -> None:
    for name in names:
        host.spawn(["ip", "netns", "exec", name, sys.executable, "-c", SERVER])
        host.listens(name, 80)


def own(host: Host, name: str, family: int) -> str:
    """The address of a container."""
    return next(one for one in host.addresses(name) if (":" in one) == (family == 6)).partition("/")[0]


def mac(host: Host, name: str) -> str:
    return str(host.ip(f"-n {name} link show dev eth0")[0]["address"])


def port_of(host: Host, name: str) -> dict[str, Any]:
    """What the host's end of a container's pair is like."""
    index = host.ip(f"-n {name} link show dev eth0")[0]["link_index"]
    return next(one for one in host.ip("-d link show") if one["ifindex"] == index)


def flag(host: Host, name: str) -> tuple[bool, str]:
    """Whether a container's port is isolated, and its alias."""
    shown = port_of(host, name)
    return shown["linkinfo"]["info_slave_data"]["isolated"], shown.get("ifalias", "")


def frame_arrives(host: Host, sender: str, receiver: str, to: str) -> bool:
    """Whether a frame of a protocol of its own comes to a container."""
    script = (
        f"ip netns exec {receiver} {sys.executable} -c '{SEEN}' {LIMIT} >/run/seen & echo $! >/run/seen.pid; "
        f"until grep -q ready /run/seen; do sleep 0.02; done; ip netns exec {sender} {sys.executable} -c '{FRAME}' {to}; "
        f"for turn in $(seq 25); do grep -q seen /run/seen && break; sleep 0.02; done; "
        "kill $(cat /run/seen.pid); cat /run/seen"
    )
    return "seen" in host.run(["bash", "-c", script]).stdout


def apart(host: Host, name: str, other: str) -> None:
    """Two containers do not reach each other, by whatever protocol."""
    for family in (4, 6):
        assert called(host, name, own(host, other, family), 80, MOMENT) == ""
        assert host.run(f"ip netns exec {name} ping -nqc1 -W1 {own(host, other, family)}", check=False).rc != 0
    neighbours = host.run(f"ip -n {name} neigh show nud reachable; ip -n {name} neigh show nud stale").stdout
    assert own(host, other, 4) + " " not in neighbours, "not even ARP is answered"
    assert own(host, other, 6) + " " not in neighbours
    for to in (mac(host, other), "ff:ff:ff:ff:ff:ff"):
        assert not frame_arrives(host, name, other, to)


def answered(host: Host, name: str, seconds: float = LIMIT) -> list[str]:
    """What somebody is answered at the published port, by each address of the host, over each family."""
    return [called(host, name, address, 8080, seconds) for address in (*HOST.values(), *GATEWAY.values())]


SEEN_AS = [GATEWAY[4], GATEWAY[6]] * 2


@pytest.mark.parametrize("spoof_check", [True, False])
@pytest.mark.parametrize("on", [1, 0])
def test_siblings_that_are_kept_apart_reach_what_is_published_and_nothing_else(
    host: Host, on: int, spoof_check: bool
) -> None:
    bridged(host, on)
    network = {**NETWORK, "spoof_check": spoof_check}
    done = wired(host, [WEB, DB, container("log", "front")], [network])
    assert warnings(done) == []
    serve(host, "web", "db", "log")
    assert flag(host, "web") == ((False, ALIAS) if on else (True, ""))
    assert flag(host, "db") == flag(host, "log") == (True, "")
    assert answered(host, "db") == SEEN_AS
    assert answered(host, "web") == SEEN_AS, "the container itself"
    for name, other in (("db", "web"), ("web", "db"), ("db", "log")):
        apart(host, name, other)
    assert called(host, "internet", HOST[4], 8080, LIMIT) == "192.0.2.1"
    assert called(host, "internet", HOST[6], 8080, LIMIT) == "2001:db8::1"


@pytest.mark.parametrize("on", [1, 0])
def test_networks_that_are_kept_apart_reach_what_is_published(host: Host, on: int) -> None:
    bridged(host, on)
    wired(host, [WEB, DB, FAR], [NETWORK, BACK])
    serve(host, "web")
    assert all(answered(host, "far"))
    for family in (4, 6):
        assert called(host, "far", own(host, "web", family), 80, MOMENT) == ""


@pytest.mark.parametrize("on", [1, 0])
@pytest.mark.parametrize("spoof_check", [True, False])
def test_siblings_that_see_each_other_reach_what_is_published(host: Host, on: int, spoof_check: bool) -> None:
    bridged(host, on)
    wired(host, [WEB, DB], [{**NETWORK, "icc": True, "spoof_check": spoof_check}])
    serve(host, "web")
    assert answered(host, "db") == answered(host, "web") == SEEN_AS
    for family in (4, 6):
        assert called(host, "db", own(host, "web", family), 80, LIMIT) == own(host, "db", family)


def test_the_rule_follows_what_is_published_and_what_the_host_does(host: Host) -> None:
    """Whatever changes: the port is never without the one or the other."""
    bridged(host, 1)
    network = {**NETWORK, "spoof_check": False}
    wired(host, [WEB, DB], [network])
    serve(host, "web", "db")
    bridged(host, 0)
    assert answered(host, "db") == SEEN_AS
    apart(host, "db", "web")
    wired(host, [WEB, DB], [network])
    assert flag(host, "web") == (True, "")
    assert host.run(f"nft list table {TABLE}", check=False).rc != 0, "nothing is left of it"
    bridged(host, 1)
    assert answered(host, "db", MOMENT) == [""] * 4
    wired(host, [WEB, DB], [network])
    assert answered(host, "db") == SEEN_AS
    for done in ("nft flush ruleset", f"nft flush chain {TABLE} between", f"nft flush set {TABLE} apart"):
        host.run(done)
        wired(host, [WEB, DB], [network])
        assert (flag(host, "web"), answered(host, "db")) == ((False, ALIAS), SEEN_AS), done
        apart(host, "db", "web")
    host.run(f"bridge link set dev {port_of(host, 'web')['ifname']} isolated on")
    wired(host, [WEB, DB], [network])
    assert answered(host, "db") == SEEN_AS
    wired(host, [container("web", "front"), DB], [network])
    assert flag(host, "web") == (True, "")
    assert host.run(f"nft list table {TABLE}", check=False).rc != 0
    apart(host, "db", "web")
    wired(host, [WEB, DB], [network])
    host.run("nft flush ruleset")
    wired(host, [container("web", "front"), DB], [network])
    assert flag(host, "web") == (True, ""), "after a flush nobody knows what was published"
    apart(host, "db", "web")
    wired(host, [WEB, DB], [network])
    wired(host, [WEB, DB], [{**network, "icc": True}])
    assert flag(host, "web") == (False, "")
    assert host.run(f"nft list table {TABLE}", check=False).rc != 0
    assert called(host, "db", own(host, "web", 4), 80, LIMIT) == own(host, "db", 4)
    wired(host, [WEB, DB], [network])
    host.module("wiring", networks=[network], containers=[WEB, DB], state="absent")
    assert host.run("nft list ruleset").stdout == ""


def test_what_cannot_be_is_said_and_stays_closed(host: Host) -> None:
    bridged(host, 1)
    network = {**NETWORK, "spoof_check": False}
    said = "What is published behind {} is not reached from other containers on front: br_netfilter is on, and it is an isolated port; {}."
    done = wired(host, [WEB, DB], [network], firewall_backend="iptables")
    port = port_of(host, "web")["ifname"]
    assert set(warnings(done)) == {said.format(port, "iptables has no rules for what is bridged")}
    serve(host, "web", "db")
    assert answered(host, "db", MOMENT) == [""] * 4
    apart(host, "db", "web")
    wired(host, [WEB, DB], [network])
    assert answered(host, "db") == SEEN_AS, "moved to nftables"
    wired(host, [WEB, DB], [network], firewall_backend="iptables")
    assert (flag(host, "web"), answered(host, "db", MOMENT)) == ((True, ""), [""] * 4)
    # A port that may talk to isolated ones keeps that.
    host.run("ip link add wan type veth peer name lan && ip link set wan master front up")
    done = wired(host, [WEB, DB], [network])
    assert set(warnings(done)) == {said.format(port, "wan is not, so it would be kept from that one as well")}
    assert flag(host, "web") == (True, "")


def test_by_the_modules(host: Host) -> None:
    """The same with one module after the other; each run says beforehand what it does, and finds nothing to do the second time."""
    bridged(host, 1)
    host.bridge("br0", "172.30.1.1/24", "fd00:30:1::1/64")
    for number, name in enumerate(("web", "db"), 2):
        host.container(name, f"172.30.1.{number}/24", f"fd00:30:1::{number}/64")
        host.run(f"ip -n {name} route add default via 172.30.1.1; ip -n {name} route add default via fd00:30:1::1")
    serve(host, "web", "db")
    isolated = [{"interface": f"{name}-eth0", "isolated": True} for name in ("web", "db")]
    published = [
        {"host_port": "8080", "to_port": "80", "to_address": own(host, "web", family), "owner": "web"}
        for family in (4, 6)
    ]
    host.settles("bridge_port", bridge="br0", aggregate=isolated)
    host.settles("nat", type="filter", bridge="br0", icc=False)
    host.settles("nat", type="dnat", aggregate=published)
    assert answered(host, "db") == answered(host, "web") == SEEN_AS
    apart(host, "db", "web")
    again = host.settles("bridge_port", bridge="br0", aggregate=isolated)
    assert again["changed"] is False
    assert again["results"][0]["after"]["isolated"] is True
    gone = host.settles("nat", type="dnat", owner="web", state="absent")
    assert any("isolated on" in command for command in gone["commands"])
    assert flag(host, "web") == (True, "")
    apart(host, "db", "web")
