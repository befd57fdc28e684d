# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nat, type dnat: ports that are in use, against real sockets, and ports of containers that are gone."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from wires import LIMIT, MOMENT, Host, eventually, warnings

WEB, DB = "172.17.0.2", "172.17.0.3"
# Opens sockets, each written "PROTOCOL ADDRESS PORT [v6only|both|peer|bound]", and answers on those that listen with its name.
HOLDER = """
import selectors, socket, sys
chosen, kept = selectors.DefaultSelector(), []
name = sys.argv[1]
for entry in sys.argv[2:]:
    protocol, address, port, *more = entry.split()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    sock = socket.socket(family, kind, 132 if protocol == "sctp" else 0)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, "v6only" in more)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind == socket.SOCK_STREAM)  # whatever connections were before
    sock.bind((address, int(port)))
    if "peer" in more:
        sock.connect((address, 1))
    elif kind == socket.SOCK_STREAM and "bound" not in more:
        sock.listen()
        chosen.register(sock, selectors.EVENT_READ)
    kept.append(sock)
open("/run/holding", "w").close()
while True:
    for key, _events in chosen.select(1):
        with key.fileobj.accept()[0] as peer:
            peer.sendall(name.encode())
"""
ASK = """
import socket, sys
with socket.socket() as sock:
    sock.settimeout(float(sys.argv[2]))
    try:
        sock.connect((sys.argv[1], 8080)); print(sock.recv(99).decode())
    except OSError:
        pass
"""


@pytest.fixture(autouse=True)
def street(host: Host, needs: Callable[..., None]) -> None:
    """Two containers on a bridge, and behind the host's uplink the "internet"."""
    needs("nft", "nf_tables", "nf_nat")
    host.bridge("br0", "172.17.0.1/16", "fd00:17::1/64")
    host.container("web", f"{WEB}/16", "fd00:17::2/64")
    host.container("db", f"{DB}/16", "fd00:17::3/64")
    host.run(
        "ip netns add internet && ip link add up0 type veth peer name eth0 netns internet && ip link set up0 up && "
        "ip addr add 192.0.2.2/24 dev up0 && ip -n internet link set eth0 up && ip -n internet addr add 192.0.2.1/24 dev eth0 && "
        "for name in web db; do ip -n $name route add default via 172.17.0.1; done"
    )


@pytest.fixture
def hold(host: Host) -> Iterator[Callable[..., int]]:
    """Opens sockets in a process of the host (or of a namespace), and returns its ID. It ends with the test."""
    started: list[int] = []

    def start(*sockets: str, netns: str = "") -> int:
        host.run("rm -f /run/holding")
        where = ["ip", "netns", "exec", netns] if netns else []
        started.append(host.spawn([*where, sys.executable, "-c", HOLDER, netns or "host", *sockets]))
        assert eventually(lambda: host.run("test -e /run/holding", check=False).rc == 0)
        return started[-1]

    yield start
    for pid in started:
        host.kill(pid)


def dnat(**options: Any) -> dict[str, Any]:
    return {"type": "dnat", "host_port": "8080", "to_address": WEB, "owner": "web", **options}


def ask(host: Host, netns: str, address: str, seconds: float = LIMIT) -> str:
    """What is answered on port 8080; empty where nothing is."""
    where = ["ip", "netns", "exec", netns] if netns else []
    return host.run([*where, sys.executable, "-c", ASK, address, str(seconds)], timeout=2 * LIMIT).stdout.strip()


SIX = {"to_address": "fd00:17::2"}
HELD = [  # socket, options, whether it is in the way and where it listens
    ("tcp 0.0.0.0 8080", {}, "0.0.0.0:8080"),
    ("tcp 0.0.0.0 8080", {"host_ip": "192.0.2.2"}, "0.0.0.0:8080"),
    ("tcp 127.0.0.1 8080", {}, "127.0.0.1:8080"),
    ("tcp 127.0.0.1 8080", {"host_ip": "127.0.0.1"}, "127.0.0.1:8080"),
    ("tcp 127.0.0.1 8080", {"host_ip": "192.0.2.2"}, ""),
    ("tcp 0.0.0.0 8081", {}, ""),
    ("tcp 0.0.0.0 8085", {"host_port": "8080-8090"}, "0.0.0.0:8085"),
    ("tcp 0.0.0.0 8085", {"host_port": "8080-8090", "to_port": "9080-9090"}, "0.0.0.0:8085"),
    ("tcp 0.0.0.0 8080", SIX, ""),
    ("tcp :: 8080 both", {}, "[::]:8080"),
    ("tcp :: 8080 both", {"host_ip": "192.0.2.2"}, "[::]:8080"),
    ("tcp :: 8080 both", SIX, "[::]:8080"),
    ("tcp :: 8080 v6only", {}, ""),
    ("tcp :: 8080 v6only", SIX, "[::]:8080"),
    ("tcp ::1 8080 both", {}, ""),
    ("tcp ::1 8080 both", SIX, "[::1]:8080"),
    ("tcp ::ffff:127.0.0.1 8080 both", {}, "127.0.0.1:8080"),
    ("tcp ::ffff:127.0.0.1 8080 both", SIX, ""),
    ("tcp 0.0.0.0 8080 bound", {}, ""),  # nobody can reach it
    ("tcp 0.0.0.0 8080", {"protocol": "udp"}, ""),
    ("udp 0.0.0.0 8080", {}, ""),
    ("udp 0.0.0.0 8080", {"protocol": "udp"}, "0.0.0.0:8080"),
    ("udp :: 8080 both", {"protocol": "udp"}, "[::]:8080"),
    ("udp :: 8080 v6only", {"protocol": "udp"}, ""),
    ("udp 127.0.0.1 8080 peer", {"protocol": "udp"}, ""),  # takes nothing but what its peer sends
    pytest.param("sctp 0.0.0.0 8080", {"protocol": "sctp"}, "0.0.0.0:8080", marks=pytest.mark.needs("sctp")),
    pytest.param("sctp :: 8080 both", {"protocol": "sctp"}, "[::]:8080", marks=pytest.mark.needs("sctp")),
    pytest.param("sctp 0.0.0.0 8080", {}, "", marks=pytest.mark.needs("sctp")),
]


@pytest.mark.parametrize(("held", "options", "where"), HELD)
def test_f6_a_port_that_a_process_listens_on_is_refused_naming_it(
    host: Host, hold: Callable[..., int], held: str, options: dict[str, Any], where: str
) -> None:
    pid = hold(held)
    if not where:
        host.settles("nat", **dnat(**options))
        return
    protocol, port = options.get("protocol", "tcp"), where.rpartition(":")[2]
    name = host.run(f"cat /proc/{pid}/comm").stdout.strip()
    message = (
        f"host_port: {protocol} port {port} is in use: {name} (process {pid}) listens on {where}; take another port, stop that, "
        "or set shadow: true to publish the port all the same."
    )
    host.refuses("nat", message, **dnat(**options))


def test_f6_one_item_that_is_refused_stops_no_other(host: Host, hold: Callable[..., int]) -> None:
    hold("tcp 0.0.0.0 8080")
    failed = host.fails("nat", **dnat(host_port=None, aggregate=[{"host_port": "8080"}, {"host_port": "8081"}]))
    assert [bool(one.get("failed")) for one in failed["results"]] == [True, False]
    assert "tcp port 8080 is in use" in failed["msg"]


def test_f6_the_sockets_of_the_namespace_count_in_which_it_is_published(host: Host, hold: Callable[..., int]) -> None:
    hold("tcp 0.0.0.0 8080", netns="web")
    host.settles("nat", **dnat())
    host.settles("nat", **dnat(state="absent"))
    hold("tcp 0.0.0.0 8080", netns="db")
    host.refuses("nat", "tcp port 8080 is in use", **dnat(netns="db", forward=False, ip_forward=False))


def test_f6_with_shadow_the_container_is_reached_in_place_of_the_process(host: Host, hold: Callable[..., int]) -> None:
    hold("tcp 0.0.0.0 8080")
    hold("tcp 0.0.0.0 80", netns="web")
    ways = (("internet", "192.0.2.2"), ("", "192.0.2.2"), ("", "127.0.0.1"), ("db", "172.17.0.1"))
    assert [ask(host, *way) for way in ways] == ["host"] * 4
    host.settles("nat", **dnat(to_port="80", shadow=True))
    assert [ask(host, *way) for way in ways] == ["web"] * 4
    host.settles("nat", **dnat(state="absent"))
    assert [ask(host, *way) for way in ways] == ["host"] * 4


def test_f6_a_port_that_is_ours_already_stays_so_whoever_listens_by_now(host: Host, hold: Callable[..., int]) -> None:
    host.settles("nat", **dnat())
    hold("tcp 0.0.0.0 8080", "tcp 0.0.0.0 8082")
    assert host.settles("nat", **dnat())["changed"] is False
    assert host.settles("nat", **dnat(to_address=DB))["changed"] is True
    host.settles("nat", **dnat(host_port="8080-8081"))
    host.refuses("nat", "tcp port 8082 is in use", **dnat(host_port="8080-8082"))


def test_f6_thousands_of_ports_beside_hundreds_of_sockets(host: Host, hold: Callable[..., int]) -> None:
    """What it takes does not grow with both: see tests/unit/plugins/module_utils/test__listening.py."""
    hold(*(f"udp 127.0.0.{1 + number // 300} {20000 + number % 300}" for number in range(900)))
    given = dnat(bridge="br0", protocol="udp", forward=False)
    items = [{"host_port": str(port), "to_port": "80"} for port in range(10000, 15000)]
    assert len(host.module("nat", check=True, **{**given, "host_port": None}, aggregate=items)["results"]) == 5000
    host.refuses("nat", "udp port 20000 is in use", **{**given, "host_port": "15000-24999"})
    host.settles("nat", **{**given, "host_port": "20300-29999"})


def test_f6_ports_that_the_kernel_gives_away_are_warned_of_once_and_reserved_ones_are_right(host: Host) -> None:
    items = [{"host_port": port} for port in ("40000", "41000-41010", "60999", "61000")]
    given = {**dnat(), "host_port": None, "aggregate": items}
    low, high = host.run("cat /proc/sys/net/ipv4/ip_local_port_range").stdout.split()
    said = (
        f"Of the ports {low}-{high} (net.ipv4.ip_local_port_range) the kernel gives any that is free to a program that asks for "
        "none; where it is a published one, the program cannot be reached at it. Add published ports to "
        "net.ipv4.ip_local_reserved_ports."
    )
    for reserved in ("", "40000", "40000,41000-41009,60999", "41000-41010"):
        host.run(["sysctl", "-qw", f"net.ipv4.ip_local_reserved_ports={reserved}"])
        assert warnings(host.module("nat", check=True, **given)) == [said], reserved
    host.run(["sysctl", "-qw", "net.ipv4.ip_local_reserved_ports=39000-40000,41000-41005,41006-41020,60999"])
    assert warnings(host.module("nat", check=True, **given)) == []
    host.run(["sysctl", "-qw", "net.ipv4.ip_local_reserved_ports="])
    assert warnings(host.module("nat", **given)) == [said]
    assert warnings(host.module("nat", **given)) == [], "they are ours by now"
    assert warnings(host.module("nat", **dnat(host_port="61000", protocol="udp"))) == []


# --- containers that are gone ---


def kill(host: Host, name: str) -> None:
    """End a container: its processes, its namespace, and its pair."""
    host.run(f"ip netns pids {name} | xargs -r kill -9; ip netns delete {name}")
    assert eventually(lambda: host.run(f"ip link show {name}-eth0", check=False).rc != 0)


def test_f5_a_port_follows_its_container_to_another_address(host: Host, hold: Callable[..., int]) -> None:
    hold("tcp 0.0.0.0 80", netns="web")
    host.settles("nat", **dnat(to_port="80"))
    assert ask(host, "internet", "192.0.2.2") == "web"
    kill(host, "web")
    host.container("web", "172.17.0.9/16")
    host.run("ip -n web route add default via 172.17.0.1")
    hold("tcp 0.0.0.0 80", netns="web")
    assert ask(host, "internet", "192.0.2.2", MOMENT) == ""
    done = host.settles("nat", **dnat(to_port="80", to_address="172.17.0.9"))
    assert (done["diff"]["before"], done["diff"]["after"]) == ("to_address 172.17.0.2\n", "to_address 172.17.0.9\n")
    assert ask(host, "internet", "192.0.2.2") == "web"


@pytest.mark.parametrize("old", ["8080", "8000-8100", "8079-8081 to others"])
def test_f5_a_port_of_a_container_that_is_gone_is_taken_over_and_the_stale_one_collected(
    host: Host, hold: Callable[..., int], old: str
) -> None:
    ports = {"host_port": old.split()[0], "to_port": "79-81" if "others" in old else "80"}
    host.module("nat", **dnat(**ports) if "-" not in old or "others" in old else dnat(host_port=old))
    host.settles("nat", **dnat(owner="third", to_address=DB, host_port="8200"))
    hold("tcp 0.0.0.0 80", netns="db")
    wanted = dnat(to_port="80", to_address=DB, owner="db")
    host.refuses(
        "nat", "is published already by 'web', to 172.17.0.2; remove that first, or take another port.", **wanted
    )
    kill(host, "web")
    done = host.settles("nat", **wanted)
    taken = "8080" if "others" in old else ports["host_port"]
    assert done["before"] == {"of_gone_containers": [f"{taken}/tcp of web to {WEB}"]}
    assert done["diff"]["before"] == f"of_gone_containers {taken}/tcp of web to {WEB}\n"
    assert "owner db\n" in done["diff"]["after"]
    assert ask(host, "internet", "192.0.2.2") == "db"
    listed = host.run("nft list table inet linuxnet_containers").stdout
    assert len(re.findall(r'"linuxnet:web\|', listed)) == (2 if "others" in old else 0)
    assert len(re.findall(r'"linuxnet:third\|', listed)) == 1


def test_f5_a_port_whose_bridge_is_gone_is_collected_as_well(host: Host) -> None:
    host.bridge("br1", "172.18.0.1/16")
    host.container("old", "172.18.0.2/16", bridge="br1")
    host.settles("nat", **dnat(to_address="172.18.0.2", owner="old"))
    kill(host, "old")
    host.run("ip link delete br1")
    done = host.settles("nat", **dnat())
    assert done["before"] == {"of_gone_containers": ["8080/tcp of old to 172.18.0.2"]}


def test_f5_an_address_that_somebody_has_is_never_taken_for_gone(host: Host) -> None:
    """Whoever has it: a container whose link is down, one on a bridge inside a container, which only answers, or the host."""
    wanted = dnat(to_address=DB, owner="db")
    refused = "is published already by 'web', to 172.17.0.2"
    host.settles("nat", **dnat())
    host.run("ip -n web link set eth0 down")
    host.refuses("nat", refused, **wanted)
    kill(host, "web")
    host.container("box")
    host.run(
        "ip netns add inner && ip -n box link add inner type veth peer name eth0 netns inner && ip -n box link add br9 type bridge && "
        "ip -n box link set eth0 master br9 && ip -n box link set inner master br9 up && ip -n box link set br9 up && "
        f"ip -n inner link set eth0 up && ip -n inner addr add {WEB}/16 dev eth0"
    )
    tentative = "for name in box inner; do ip -n $name -6 addr show tentative; done; ip -6 addr show tentative"
    assert eventually(lambda: host.run(tentative).stdout == "")
    host.refuses("nat", refused, **wanted)
    host.run("ip netns delete inner")
    host.run("ip link set br0 down")
    host.refuses("nat", refused, **wanted)
    host.run(f"ip link set br0 up && ip addr add {WEB}/32 dev br0")
    host.refuses("nat", refused, **wanted)
    host.run(f"ip addr del {WEB}/32 dev br0")
    assert host.settles("nat", **wanted)["before"] == {"of_gone_containers": [f"8080/tcp of web to {WEB}"]}


def test_f5_what_is_published_to_an_address_that_is_not_behind_a_bridge_cannot_be_told_gone(host: Host) -> None:
    host.settles("nat", **dnat(to_address="198.51.100.7", owner="far"))
    host.refuses("nat", "is published already by 'far', to 198.51.100.7", **dnat())


def test_f5_over_ipv6_too(host: Host) -> None:
    host.settles("nat", **dnat(to_address="fd00:17::2"))
    wanted = dnat(to_address="fd00:17::3", owner="db")
    host.refuses("nat", "is published already by 'web', to fd00:17::2", **wanted)
    kill(host, "web")
    assert host.settles("nat", **wanted)["before"] == {"of_gone_containers": ["8080/tcp of web to fd00:17::2"]}
    [mapped] = [
        one["map"]
        for one in json.loads(host.run("nft -j list map inet linuxnet_containers publish_ip6").stdout)["nftables"]
        if "map" in one
    ]
    assert len(mapped["elem"]) == 1
