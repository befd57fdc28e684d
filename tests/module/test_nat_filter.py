# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nat, type filter: what is not published is not reached, with real attempts and the counters of the rules that drop them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from proofs import comes
from wires import LIMIT, MOMENT, Host, called

SERVER = """
import socket
server = socket.create_server(("::", 80), family=socket.AF_INET6, dualstack_ipv6=True)
while True:
    peer, address = server.accept()
    with peer:
        peer.sendall(b"here")
"""
FAMILIES = [4, 6]
WEB = {4: "172.17.0.2", 6: "fd00:17::2"}
DB = {4: "172.17.0.3", 6: "fd00:17::3"}
FAR = {4: "172.18.0.2", 6: "fd00:18::2"}
HOST = {4: "192.0.2.2", 6: "2001:db8::2"}
INTERNET = {4: "192.0.2.1", 6: "2001:db8::1"}


@pytest.fixture(autouse=True)
def street(host: Host, needs: Callable[..., None]) -> None:
    """Two bridges with a server in every container, and a neighbour who sends packets for their subnets to the host, which forwards."""
    needs("nft", "nf_tables", "nf_nat")
    host.run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
    host.run("sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0", check=False)
    host.bridge("br0", "172.17.0.1/16", "fd00:17::1/64")
    host.bridge("br1", "172.18.0.1/16", "fd00:18::1/64")
    host.container("web", f"{WEB[4]}/16", f"{WEB[6]}/64")
    host.container("db", f"{DB[4]}/16", f"{DB[6]}/64")
    host.container("far", f"{FAR[4]}/16", f"{FAR[6]}/64", bridge="br1")
    host.run(
        "ip netns add internet && ip link add up0 type veth peer name eth0 netns internet && ip link set up0 up && "
        "ip addr add 192.0.2.2/24 dev up0 && ip addr add 2001:db8::2/64 dev up0 nodad && "
        "for name in web db; do ip -n $name route add default via 172.17.0.1; ip -n $name -6 route add default via fd00:17::1; done && "
        "ip -n far route add default via 172.18.0.1 && ip -n far -6 route add default via fd00:18::1 && ip -n internet -batch -",
        input="link set lo up\nlink set eth0 up\naddr add 192.0.2.1/24 dev eth0\naddr add 2001:db8::1/64 dev eth0 nodad\n"
        "route add default via 192.0.2.2\nroute add default via 2001:db8::2\n",
    )
    for netns in ("web", "db", "far", "internet"):
        host.spawn(["ip", "netns", "exec", netns, sys.executable, "-c", SERVER])
    for netns in ("web", "db", "far", "internet"):
        host.listens(netns, 80)
    for netns, address in (("internet", WEB[6]), ("far", WEB[6]), ("internet", FAR[6]), ("db", WEB[6])):
        assert reached(host, netns, address, LIMIT), "there is nothing to guard"


def reached(host: Host, netns: str, address: str, seconds: float = MOMENT, port: int = 80) -> bool:
    """Whether the server answers within so many seconds."""
    return called(host, netns, address, port, seconds) == "here"


def dropped(host: Host, name: str) -> int:
    """How many packets a rule of the guard has dropped."""
    if host.backend != "nftables":
        where = {"unpublished": "LINUXNET-CLOSED", "internal-in": "LINUXNET-GUARD", "internal-out": "LINUXNET-GUARD"}[
            name
        ]
        way = {"internal-in": ["*", "br0"], "internal-out": ["br0", "*"]}.get(name, ["*", "*"])
        lines = host.run(f"iptables -t filter -nvxL {where}; ip6tables -t filter -nvxL {where}").stdout.splitlines()
        rows = [line.split() for line in lines if " DROP " in line]
        return sum(
            int(row[0]) for row in rows if row[-10:] and way == [one for one in row if one in ("*", "br0", "br1")]
        )
    listed = json.loads(host.run("nft -j list table inet linuxnet_containers").stdout)["nftables"]
    [rule] = [one["rule"] for one in listed if one.get("rule", {}).get("comment") == f"linuxnet-guard-{name}"]
    [counter] = [part["counter"]["packets"] for part in rule["expr"] if "counter" in part]
    return int(counter)


def guard(host: Host, bridge: str, **options: Any) -> dict[str, Any]:
    """Guard a bridge, as a user does."""
    return host.settles("nat", type="filter", bridge=bridge, owner=bridge, backend=host.backend, **options)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_not_published_is_not_reached_from_outside(host: Host, backend: str, family: int) -> None:
    guard(host, "br0")
    assert not reached(host, "internet", WEB[family])
    assert dropped(host, "unpublished") > 0


@pytest.mark.parametrize("family", FAMILIES)
def test_a_published_port_is_reached_by_the_host_s_address_and_not_directly(
    host: Host, backend: str, family: int
) -> None:
    guard(host, "br0")
    host.module(
        "nat", type="dnat", host_port="8080", to_port="80", to_address=WEB[family], owner="web", backend=backend
    )
    assert reached(host, "internet", HOST[family], LIMIT, 8080)
    before = dropped(host, "unpublished")
    assert not reached(host, "internet", WEB[family])
    assert dropped(host, "unpublished") > before


@pytest.mark.parametrize("family", FAMILIES)
def test_containers_reach_the_world_the_host_and_each_other(host: Host, backend: str, family: int) -> None:
    guard(host, "br0")
    guard(host, "br1")
    for netns, address in (("web", INTERNET[family]), ("web", DB[family]), ("", WEB[family]), ("", FAR[family])):
        assert reached(host, netns, address, LIMIT), f"{netns} to {address}"


@pytest.mark.parametrize("family", FAMILIES)
def test_networks_are_isolated_from_each_other_unless_both_say_otherwise(host: Host, backend: str, family: int) -> None:
    for one, other, passes in ((True, True, False), (False, True, False), (True, False, False), (False, False, True)):
        guard(host, "br0", isolate=one)
        guard(host, "br1", isolate=other)
        assert reached(host, "far", WEB[family], LIMIT if passes else MOMENT) == passes
        assert reached(host, "web", FAR[family], LIMIT if passes else MOMENT) == passes
    assert not reached(host, "internet", WEB[family])


def test_isolated_networks_reach_each_other_s_published_ports(host: Host, backend: str) -> None:
    guard(host, "br0")
    guard(host, "br1")
    host.module("nat", type="dnat", host_port="8080", to_port="80", to_address=WEB[4], owner="web", backend=backend)
    assert reached(host, "far", HOST[4], LIMIT, 8080)


@pytest.mark.parametrize("family", FAMILIES)
def test_without_icc_nobody_goes_round_by_the_host(host: Host, backend: str, family: int) -> None:
    """What is bridged is up to the ports; a container that sends its neighbours' packets to the host is stopped here."""
    gateway, bits = {4: ("172.17.0.1", 32), 6: ("fd00:17::1", 128)}[family]
    for netns, other in (("web", DB), ("db", WEB)):
        host.run(
            f"ip -n {netns} -{family} route add {other[family]}/{bits} via {gateway} && "
            f"ip link set {netns}-eth0 type bridge_slave isolated on"
        )
    host.run("sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.br0.send_redirects=0")
    guard(host, "br0")
    assert reached(host, "web", DB[family], LIMIT)
    guard(host, "br0", icc=False)
    assert not reached(host, "web", DB[family])
    host.module("nat", type="dnat", host_port="8080", to_port="80", to_address=DB[family], owner="db", backend=backend)
    assert reached(host, "web", HOST[family], LIMIT, 8080), "a published port is reached all the same"


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_goes_in_or_out_of_an_internal_network(host: Host, backend: str, family: int) -> None:
    host.module(
        "nat", type="dnat", host_port="8080", to_port="80", to_address=WEB[family], owner="web", backend=backend
    )
    guard(host, "br0", internal=True)
    assert not reached(host, "internet", HOST[family], port=8080)
    assert dropped(host, "internal-in") > 0
    assert not reached(host, "web", INTERNET[family])
    assert dropped(host, "internal-out") > 0
    assert reached(host, "web", DB[family], LIMIT)


def test_a_connection_that_is_there_survives_the_guard(host: Host, backend: str) -> None:
    script = (
        "import socket, time; s = socket.create_connection(('172.17.0.2', 81), 60); print(s.recv(9).decode(), flush=True); "
        "print(s.recv(9).decode())"
    )
    server = (
        "import os, socket, time\ns = socket.create_server(('', 81)); peer, _a = s.accept(); peer.sendall(b'first')\n"
        "while not os.path.exists('/run/go'): time.sleep(0.01)\n"
        "peer.sendall(b'second'); peer.recv(1)"
    )
    host.run("rm -f /run/go /run/heard")
    host.spawn(["ip", "netns", "exec", "web", sys.executable, "-c", server])
    host.listens("web", 81)
    host.spawn(["bash", "-c", f'ip netns exec internet {sys.executable} -c "{script}" >/run/heard'])
    comes(host, "grep -qs first /run/heard")
    guard(host, "br0")
    host.run("touch /run/go")
    comes(host, "grep -q second /run/heard")


def test_g3_the_guard_goes_and_leaves_nothing(host: Host, backend: str) -> None:
    before = host.snapshot()
    guard(host, "br0", isolate=False)
    guard(host, "br1", icc=False, internal=True)
    changed = guard(host, "br1", internal=True)
    assert (changed["diff"]["before"], changed["diff"]["after"]) == ("icc false\n", "icc true\n")
    guard(host, "br1", state="absent")
    assert reached(host, "internet", FAR[4], LIMIT)
    assert not reached(host, "internet", WEB[4])
    guard(host, "br0", state="absent")
    assert host.snapshot() == before


def test_f13_what_somebody_edited_is_set_right(host: Host, backend: str) -> None:
    guard(host, "br0")
    before = host.held()
    host.take_out("closed")
    if backend == "nftables":
        host.run('nft delete element inet linuxnet_containers icc \'{ "br0" . "br0" }\'')
    else:
        host.run("ip6tables -D LINUXNET-GUARD -i br0 -o br0 -m comment --comment linuxnet -j RETURN")
    assert guard(host, "br0")["changed"] is True
    assert host.held() == before


def test_f4_a_flushed_rule_set_is_restored_and_the_diff_says_what_was_lost(host: Host, backend: str) -> None:
    items = [
        {"type": "filter", "bridge": "br0"},
        {"type": "dnat", "host_port": "8080", "to_port": "80", "to_address": WEB[4]},
        {"source": "172.17.0.0/16", "out_interface": "!br0"},
    ]
    host.module("nat", aggregate=items, owner="web", backend=backend)
    before = host.held()
    host.run("nft flush ruleset")
    lost = host.module("nat", aggregate=items, owner="web", backend=backend)
    assert [one["after_header"] for one in lost["diff"]] == [
        "filter br0",
        "port 8080/tcp (of web)",
        "nat 172.17.0.0/16 (of web)",
    ]
    assert host.held() == before


def test_another_owner_s_guard_is_left_alone(host: Host, backend: str) -> None:
    guard(host, "br0")
    host.refuses(
        "nat",
        "bridge: br0 is guarded already by 'br0'; change it under that owner.",
        type="filter",
        bridge="br0",
        owner="x",
        icc=False,
        backend=backend,
    )
    gone = host.module("nat", type="filter", bridge="br0", owner="x", state="absent", backend=backend)
    assert gone["changed"] is False


def test_bad_input(host: Host) -> None:
    host.refuses("nat", "bridge is required with type: filter.", type="filter")
    host.refuses("nat", "host_port: it does not go with type: filter.", type="filter", bridge="br0", host_port="80")
    host.refuses("nat", "icc: it does not go with type: masquerade.", source="10.0.0.0/8", icc=False)
