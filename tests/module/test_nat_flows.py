# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nat: whatever decides on flows is written, the flows that it decides otherwise end, and no others; with packets that come all the time."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from wires import BACKENDS, Host, eventually

# Says who asks, and at which port.
SERVER = """
import socket, sys
sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
sock.bind(("::", int(sys.argv[2])))
while True:
    peer = sock.recvfrom(99)[1]
    sock.sendto((sys.argv[1] + " " + peer[0].removeprefix("::ffff:")).encode(), peer)
"""
# Asks with one socket all the time, and writes the last answer.
ASKER = """
import os, socket, sys, time
sock = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(0.3)
sock.connect((sys.argv[1], int(sys.argv[2])))
while True:
    try:
        sock.send(b"?")
        said = sock.recv(99).decode()
    except OSError:
        said = "-"
    with open(sys.argv[3] + ".new", "w") as file:
        file.write(said)
    os.rename(sys.argv[3] + ".new", sys.argv[3])
    time.sleep(0.05)
"""
NET = {4: "172.17.0.0/16", 6: "fd00:17::/64"}
WEB, DB = {4: "172.17.0.2", 6: "fd00:17::2"}, {4: "172.17.0.3", 6: "fd00:17::3"}
INTERNET, UPLINK = {4: "192.0.2.1", 6: "2001:db8::1"}, {4: "192.0.2.2", 6: "2001:db8::2"}
SECOND = {4: "192.0.2.3", 6: "2001:db8::3"}
FAMILIES = [4, 6]


ASKING: list[int] = []  # those who ask as long as a test takes


@pytest.fixture(autouse=True)
def street(host: Host, needs: Callable[..., None]) -> Iterator[None]:
    """Two containers on a bridge, and the "internet", which knows the way to them: so it hears also what left without source NAT."""
    needs("nft", "nf_tables", "nf_nat")
    host.bridge("br0", "172.17.0.1/16", "fd00:17::1/64")
    for name, own in (("web", WEB), ("db", DB)):
        host.container(name, f"{own[4]}/16", f"{own[6]}/64")
        host.run(f"ip -n {name} route add default via 172.17.0.1; ip -n {name} route add default via fd00:17::1")
    host.run(
        "ip netns add internet && ip link add up0 type veth peer name eth0 netns internet && ip link set up0 up && ip -n internet link set eth0 up"
    )
    for family in FAMILIES:
        length, nodad = {4: (24, ""), 6: (64, "nodad")}[family]
        host.run(
            f"ip addr add {UPLINK[family]}/{length} dev up0 {nodad}; ip addr add {SECOND[family]}/{length} dev up0 {nodad}; "
            f"ip -n internet addr add {INTERNET[family]}/{length} dev eth0 {nodad}; "
            f"ip -n internet route add {NET[family]} via {UPLINK[family]}"
        )
    # Somebody else has flows tracked, and the host forwards.
    host.run(
        "nft 'add table inet theirs; add chain inet theirs c { type filter hook forward priority 0; }; add rule inet theirs c ct state new counter'"
    )
    host.run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
    for name, port in (("internet", 9), ("web", 53), ("db", 53)):
        host.spawn(["ip", "netns", "exec", name, sys.executable, "-c", SERVER, name, str(port)])
        assert eventually(lambda name=name: host.run(f"ip netns exec {name} ss -Hlun").stdout != "")  # type: ignore[misc]
    yield
    while ASKING:
        host.kill(ASKING.pop(), signal.SIGKILL)


def asks(host: Host, netns: str, address: str, port: int, log: str) -> None:
    host.run(f"rm -f /run/{log}*")
    ASKING.append(
        host.spawn(["ip", "netns", "exec", netns, sys.executable, "-c", ASKER, address, str(port), f"/run/{log}"])
    )


def hears(host: Host, log: str, *said: str) -> None:
    """Wait until an asker hears this, or one of these."""
    assert eventually(lambda: host.run(f"cat /run/{log}", check=False).stdout in said), host.run(
        f"cat /run/{log}"
    ).stdout


def flow(host: Host, family: int, pattern: str) -> str:
    """The number that the kernel gives a flow."""
    listed = host.run(f"conntrack -L -f ipv{family} -p udp -o id 2>/dev/null | grep -e '{pattern}'").stdout
    return " ".join(word for word in listed.split() if word.startswith("id="))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("family", FAMILIES)
def test_source_nat_is_for_flows_that_were_there(host: Host, backend: str, family: int) -> None:
    """Written first, lost and repaired, with another address, and removed."""
    rule: dict[str, Any] = {"source": NET[family], "out_interface": "!br0", "backend": backend}
    asks(host, "web", INTERNET[family], 9, "heard")
    hears(host, "heard", f"internet {WEB[family]}")
    translated = [f"internet {one}" for one in (UPLINK[family], SECOND[family])]
    for again in (False, True):
        host.module("nat", **rule)
        hears(host, "heard", *translated)
        if not again:
            host.use(backend)
            host.run(
                "nft delete table inet linuxnet_containers"
                if backend == "nftables"
                else f"{'ip6tables' if family == 6 else 'iptables'} -t nat -F"
            )
            host.run(f"conntrack -D -p udp -f ipv{family}", check=False)
            hears(host, "heard", f"internet {WEB[family]}")
    for address in (SECOND[family], UPLINK[family]):
        host.module("nat", **rule, type="snat", to_address=address)
        hears(host, "heard", f"internet {address}")
    host.module("nat", **rule, state="absent")
    host.run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
    hears(host, "heard", f"internet {WEB[family]}")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_port_that_was_lost_and_comes_back(host: Host, backend: str, family: int) -> None:
    """Who asked meanwhile, and goes on to ask, reaches it."""
    port: dict[str, Any] = {
        "type": "dnat",
        "owner": "web",
        "to_address": WEB[family],
        "host_port": "5353/udp",
        "to_port": "53",
        "backend": backend,
    }
    host.use(backend)
    asks(host, "internet", UPLINK[family], 5353, "heard")
    host.module("nat", **port)
    hears(host, "heard", f"web {INTERNET[family]}")
    if backend == "iptables" and family == 6:
        host.run("ip6tables -t nat -F LINUXNET-PUBLISH")
    else:
        host.take_out("publish")
    host.run(f"conntrack -D -p udp -f ipv{family}", check=False)
    hears(host, "heard", "-")
    host.module("nat", **port)
    hears(host, "heard", f"web {INTERNET[family]}")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("family", FAMILIES)
def test_what_isolation_stops_does_not_go_on(host: Host, backend: str, family: int) -> None:
    """Written, loosened, lost and repaired. What a container asks outside lives."""
    host.bridge("br1", "172.18.0.1/16", "fd00:18::1/64")
    host.container("far", "172.18.0.2/16", "fd00:18::2/64", bridge="br1")
    host.run("ip -n far route add default via 172.18.0.1; ip -n far route add default via fd00:18::1")
    isolations: list[dict[str, Any]] = [
        {"type": "filter", "bridge": bridge, "backend": backend} for bridge in ("br0", "br1")
    ]
    asks(host, "far", WEB[family], 53, "near")
    asks(host, "internet", WEB[family], 53, "in")
    asks(host, "web", INTERNET[family], 9, "out")
    far, outside = f"web {'172.18.0.2' if family == 4 else 'fd00:18::2'}", f"web {INTERNET[family]}"
    for log, said in (("near", far), ("in", outside), ("out", f"internet {WEB[family]}")):
        hears(host, log, said)
    number = flow(host, family, "dport=9 ")
    host.use(backend)
    for again in (False, True):
        for each in isolations:
            host.module("nat", **each)
        for log in ("near", "in"):
            hears(host, log, "-")
        host.module("nat", aggregate=[{**each, "isolate": False} for each in isolations])
        hears(host, "near", far)
        hears(host, "in", "-")
        if not again:
            if backend == "nftables":
                host.run("nft flush chain inet linuxnet_containers forward")
            else:
                host.run("iptables -F LINUXNET-GUARD; ip6tables -F LINUXNET-GUARD")
            hears(host, "in", outside)
    assert flow(host, family, "dport=9 ") == number != ""


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_decided_as_before_lives(host: Host, backend: str, family: int) -> None:
    common: dict[str, Any] = {"type": "dnat", "to_port": "53", "backend": backend}
    host.module("nat", source=NET[family], out_interface="!br0", backend=backend)
    host.module("nat", **common, owner="web", to_address=WEB[family], host_port="5353/udp")
    host.module("nat", **common, owner="db", to_address=DB[family], host_port="5354/udp")
    asks(host, "internet", UPLINK[family], 5353, "first")
    asks(host, "internet", UPLINK[family], 5354, "second")
    asks(host, "db", INTERNET[family], 9, "out")
    hears(host, "first", f"web {INTERNET[family]}")
    hears(host, "second", f"db {INTERNET[family]}")
    hears(host, "out", *(f"internet {one}" for one in (UPLINK[family], SECOND[family])))
    patterns = ("dport=5354", "dport=9 ")
    numbers = [flow(host, family, pattern) for pattern in patterns]
    assert all(numbers)
    host.module("nat", **common, owner="web", to_address=DB[family], host_port="5353/udp")
    hears(host, "first", f"db {INTERNET[family]}")
    host.module(
        "nat", source="10.9.0.0/16" if family == 4 else "fd09::/64", out_interface="!br0", owner="else", backend=backend
    )
    host.module("nat", **common, owner="web", to_address=WEB[family], host_port="5355/udp")
    assert [flow(host, family, pattern) for pattern in patterns] == numbers
