# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nat, type dnat: published ports with real exchanges, from everywhere they can be reached."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
from proofs import comes
from wires import BACKENDS, LEGACY, LIMIT, MOMENT, Host, eventually, warnings

# Answers on a port of each protocol, both families, with its own name and who asks.
SERVER = """
import selectors, socket, sys
name, wanted = sys.argv[1], sys.argv[2:]
chosen = selectors.DefaultSelector()
for entry in wanted:
    protocol, port = entry.split("/")
    for family, any_address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
        sock = socket.socket(family, kind, 132 if protocol == "sctp" else 0)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((any_address, int(port)))
        if kind == socket.SOCK_STREAM:
            sock.listen()
        chosen.register(sock, selectors.EVENT_READ, kind)
print("ready", flush=True)
while True:
    for key, _events in chosen.select():
        sock = key.fileobj
        answer = name + " " + str(sock.getsockname()[1])
        if key.data == socket.SOCK_DGRAM:
            _data, peer = sock.recvfrom(100)
            sock.sendto((answer + " " + peer[0]).encode(), peer)
        else:
            peer, address = sock.accept()
            with peer:
                peer.sendall((answer + " " + address[0]).encode())
"""
# Asks once, and prints the answer; nothing where there is none. A new bridge's
# own address takes a second to be usable over IPv6.
CLIENT = """
import socket, sys
protocol, address, port, seconds = sys.argv[1:]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
try:
    with socket.socket(family, kind, 132 if protocol == "sctp" else 0) as sock:
        sock.settimeout(float(seconds))
        sock.connect((address, int(port)))
        if kind == socket.SOCK_DGRAM:
            sock.send(b"?")
        print(sock.recv(100).decode())
except OSError:
    pass
"""
WEB = {4: "172.17.0.2", 6: "fd00:17::2"}
HOST = {4: "192.0.2.2", 6: "2001:db8::2"}
FAMILIES = [4, 6]
PROTOCOLS = ["tcp", "udp", pytest.param("sctp", marks=pytest.mark.needs("sctp"))]


@pytest.fixture(autouse=True)
def street(host: Host, needs: Callable[..., None]) -> None:
    """Two containers on a bridge, and behind the host's uplink the "internet". They know the host as their way out."""
    needs("nft", "nf_tables", "nf_nat")
    host.bridge("br0", "172.17.0.1/16", "fd00:17::1/64")
    host.container("web", f"{WEB[4]}/16", f"{WEB[6]}/64")
    host.container("db", "172.17.0.3/16", "fd00:17::3/64")
    host.run(
        "ip netns add internet && ip link add up0 type veth peer name eth0 netns internet && ip link set up0 up && "
        "ip addr add 192.0.2.2/24 dev up0 && ip addr add 2001:db8::2/64 dev up0 nodad && "
        "for name in web db; do ip -n $name route add default via 172.17.0.1; "
        "ip -n $name -6 route add default via fd00:17::1; done && ip -n internet -batch -",
        input="link set lo up\nlink set eth0 up\naddr add 192.0.2.1/24 dev eth0\naddr add 2001:db8::1/64 dev eth0 nodad\n",
    )


def serve(host: Host, netns: str, *ports: str) -> None:
    """Start the server in a container."""
    there = host.run(f"ip netns exec {netns} ss -Hanutl | wc -l").stdout
    host.spawn(["ip", "netns", "exec", netns, sys.executable, "-c", SERVER, netns, *ports])
    wanted = int(there) + 2 * sum(not port.startswith("sctp") for port in ports)
    assert eventually(lambda: int(host.run(f"ip netns exec {netns} ss -Hanutl | wc -l").stdout) >= wanted)


def ask(host: Host, netns: str, protocol: str, address: str, port: int, seconds: float = LIMIT) -> str:
    """What is answered, and to which source; empty where nothing is within so many seconds."""
    where = f"ip netns exec {netns} " if netns else ""
    return host.run(
        [*where.split(), sys.executable, "-c", CLIENT, protocol, address, str(port), str(seconds)], timeout=2 * LIMIT
    ).stdout.strip()


def publish(host: Host, family: int, **options: Any) -> dict[str, Any]:
    """Publish a port of web, as a user does: check mode foresees it, and a second run has nothing to do."""
    given = {"type": "dnat", "host_port": "8080", "to_port": "80", "to_address": WEB[family], "owner": "web", **options}
    return host.settles("nat", backend=host.backend, **given)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "netfilter", [0, pytest.param(1, marks=pytest.mark.needs("br_netfilter"))], ids=["plain", "br_netfilter"]
)
@pytest.mark.parametrize("backend", [*BACKENDS, LEGACY], indirect=True)
def test_f9_f17_a_published_port_is_reached_from_everywhere(
    host: Host, backend: str, protocol: str, family: int, netfilter: int
) -> None:
    tables = {4: "iptables", 6: "ip6tables"}[family]
    host.run(f"sysctl -qw net.bridge.bridge-nf-call-{tables}={netfilter}", check=bool(netfilter))
    serve(host, "web", f"{protocol}/80")
    for netns, address in (("internet", HOST[family]), ("", HOST[family]), ("db", HOST[family])):
        assert ask(host, netns, protocol, address, 8080, MOMENT) == "", "it is not published yet"
    publish(host, family, protocol=protocol)
    outside = {4: "192.0.2.1", 6: "2001:db8::1"}[family]
    gateway = {4: "172.17.0.1", 6: "fd00:17::1"}[family]
    assert ask(host, "internet", protocol, HOST[family], 8080) == f"web 80 {outside}"
    assert ask(host, "", protocol, HOST[family], 8080) == f"web 80 {HOST[family]}"
    assert ask(host, "", protocol, gateway, 8080) == f"web 80 {gateway}"
    # Neighbours on the bridge, and the container itself, are seen as the bridge: else the answer would not come back by the host.
    assert ask(host, "db", protocol, HOST[family], 8080) == f"web 80 {gateway}"
    assert ask(host, "web", protocol, HOST[family], 8080) == f"web 80 {gateway}"
    if family == 4:
        assert ask(host, "", protocol, "127.0.0.1", 8080) == f"web 80 {gateway}"
    assert ask(host, "internet", protocol, HOST[family], 80, MOMENT) == "", "only the port that is published is"


def test_an_ipv6_port_on_the_loopback_address_is_refused_with_the_reason(host: Host) -> None:
    message = "host_ip: nothing can be published on ::1, since the kernel lets no packet from ::1 leave the host."
    host.refuses("nat", message, type="dnat", host_ip="::1", host_port="80", to_address=WEB[6])


def test_a_port_of_one_host_address_is_reached_there_and_nowhere_else(host: Host, backend: str) -> None:
    host.run("ip addr add 192.0.2.3/24 dev up0")
    serve(host, "web", "tcp/80")
    publish(host, 4, host_ip="192.0.2.3")
    assert ask(host, "internet", "tcp", "192.0.2.3", 8080) == "web 80 192.0.2.1"
    assert ask(host, "internet", "tcp", "192.0.2.2", 8080, MOMENT) == ""
    assert ask(host, "", "tcp", "127.0.0.1", 8080, MOMENT) == ""


def test_f8_a_port_on_localhost_is_reached_from_the_host_and_from_nobody_else(host: Host, backend: str) -> None:
    """Not even from a neighbour that sends packets for 127.0.0.1 here, where somebody let those in."""
    serve(host, "web", "tcp/80", "udp/53")
    publish(host, 4, host_ip="127.0.0.1")
    publish(host, 4, host_ip="127.0.0.1", host_port="5353", to_port="53", protocol="udp")
    assert ask(host, "", "tcp", "127.0.0.1", 8080) == "web 80 172.17.0.1"
    assert ask(host, "", "udp", "127.0.0.1", 5353) == "web 53 172.17.0.1"
    host.run(
        "sysctl -qw net.ipv4.conf.up0.route_localnet=1 && ip netns exec internet sysctl -qw net.ipv4.conf.all.route_localnet=1 && "
        "ip -n internet addr del 127.0.0.1/8 dev lo && ip -n internet route add 127.0.0.1 via 192.0.2.2 src 192.0.2.1"
    )
    # Nothing but one rule keeps the neighbour out.
    assert ask(host, "internet", "tcp", "127.0.0.1", 8080, MOMENT) == ""
    host.take_out("raw")
    assert ask(host, "internet", "tcp", "127.0.0.1", 8080) == "web 80 192.0.2.1"


def test_f13_a_rule_that_somebody_took_out_is_put_back(host: Host, backend: str) -> None:
    publish(host, 4)
    before = host.held()
    host.take_out("raw")
    host.take_out("publish")
    again = publish(host, 4)
    assert again["changed"] is True
    assert host.held() == before


def test_f7_udp_flows_of_the_host_port_end_when_it_is_pointed_elsewhere_and_no_others(host: Host, backend: str) -> None:
    """The client keeps its socket, so its packets are one flow, which conntrack sends on to where it went."""
    host.module("nat", source="172.17.0.0/16", out_interface="!br0", backend=backend)
    for name in ("web", "db"):
        serve(host, name, "udp/53")
    serve(host, "internet", "udp/5353")
    publish(host, 4, host_port="5353", to_port="53", protocol="udp")
    publish(host, 4, host_port="5354", to_port="53", protocol="udp", to_address="172.17.0.3")
    asker = (
        "import os, socket, sys, time\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(1); s.connect(('192.0.2.2', int(sys.argv[1])))\n"
        "while not os.path.exists('/run/enough'):\n"
        "    s.send(b'?')\n"
        "    try: print(s.recv(99).decode().split()[0], flush=True)\n"
        "    except OSError: print('-', flush=True)\n"
        "    time.sleep(0.2)\n"
    )
    host.run("rm -f /run/enough /run/heard*")
    for port in (5353, 5354):
        host.spawn(
            ["bash", "-c", f'exec ip netns exec internet {sys.executable} -c "{asker}" {port} >/run/heard{port}']
        )
    # A container's own question to somebody else's port of that number.
    assert ask(host, "web", "udp", "192.0.2.1", 5353).startswith("internet")
    assert eventually(
        lambda: "web" in host.run("cat /run/heard5353").stdout and "db" in host.run("cat /run/heard5354").stdout
    )
    others = "conntrack -L 2>/dev/null | grep -c -e dport=5354 -e 'dst=192.0.2.1 .*dport=5353'"
    before = host.run(others).stdout
    publish(host, 4, host_port="5353", to_port="53", protocol="udp", to_address="172.17.0.3")
    assert host.run(others).stdout == before != "0\n"
    assert eventually(lambda: host.run("tail -n 1 /run/heard5353").stdout == "db\n")
    host.module("nat", type="dnat", owner="web", host_port="5353/udp", state="absent", backend=backend)
    assert eventually(lambda: host.run("tail -n 1 /run/heard5353").stdout == "-\n")
    assert eventually(lambda: host.run("tail -n 1 /run/heard5354").stdout == "db\n")
    host.run("touch /run/enough")


def test_f10_a_range_of_ten_thousand_ports_is_one_element_and_one_line(host: Host, backend: str) -> None:
    publish(host, 4)
    rules = len(re.findall("linuxnet", host.held()))
    options: dict[str, Any] = {
        "type": "dnat",
        "protocol": "udp",
        "host_port": "30000-39999",
        "to_address": WEB[4],
        "owner": "web",
    }
    single = host.module("nat", check=True, backend=backend, **{**options, "host_port": "30000"})
    done = host.module("nat", backend=backend, **options)
    assert len(done["commands"]) <= len(single["commands"]), "it costs no more than a single port does"
    assert len(re.findall("linuxnet", host.held())) == rules + 1
    assert [line for line in done["diff"]["after"].splitlines() if "30000" in line and line.startswith("host")] == [
        "host_port 30000-39999"
    ]
    serve(host, "web", "udp/30000", "udp/34567", "udp/39999")
    for port in (30000, 34567, 39999):
        assert ask(host, "internet", "udp", HOST[4], port) == f"web {port} 192.0.2.1"


def test_a_range_goes_to_another_one_port_by_port(host: Host, backend: str) -> None:
    serve(host, "web", "tcp/9000", "tcp/9001", "tcp/9002")
    done = publish(host, 4, host_port="8000-8002", to_port="9000-9002")
    assert (done["after"]["host_port"], done["after"]["to_port"]) == ("8000-8002", "9000-9002")
    for number in range(3):
        assert ask(host, "internet", "tcp", HOST[4], 8000 + number) == f"web {9000 + number} 192.0.2.1"


def test_a_port_is_pointed_at_another_container_in_place(host: Host, backend: str) -> None:
    serve(host, "web", "tcp/80")
    serve(host, "db", "tcp/80")
    publish(host, 4)
    done = publish(host, 4, to_address="172.17.0.3")
    assert (done["diff"]["before"], done["diff"]["after"]) == ("to_address 172.17.0.2\n", "to_address 172.17.0.3\n")
    assert ask(host, "internet", "tcp", HOST[4], 8080) == "db 80 192.0.2.1"


def test_f6_a_port_that_another_container_publishes_is_refused_naming_it(host: Host, backend: str) -> None:
    publish(host, 4)
    message = "host_port: tcp port 8080 is published already by 'web', to 172.17.0.2; remove that first, or take another port."
    for options in ({}, {"host_ip": "192.0.2.2"}, {"host_port": "8000-8100", "to_port": None}):
        given = {"type": "dnat", "host_port": "8080", "to_address": "172.17.0.3", "owner": "db", **options}
        host.refuses("nat", message, backend=backend, **{name: value for name, value in given.items() if value})
    publish(host, 4, protocol="udp", owner="db")
    publish(host, 6, owner="db")


def test_a_port_that_is_asked_for_twice_is_refused_before_anything_is_done(host: Host) -> None:
    items = [
        {"host_port": "8080", "to_address": WEB[4], "owner": "web"},
        {"host_port": "8000-9000", "to_address": "172.17.0.3", "owner": "db"},
    ]
    host.refuses(
        "nat", "host_port: tcp port 8080 is asked for twice, by 'db' and by 'web'.", type="dnat", aggregate=items
    )


def test_a_part_of_a_range_of_the_same_owner_is_refused(host: Host) -> None:
    given: dict[str, Any] = {"type": "dnat", "to_address": WEB[4], "owner": "web"}
    host.module("nat", host_port="8000-8100", **given)
    message = "host_port: 'web' has published tcp port 8000-8100 on 0.0.0.0/0 already, of which this is a part; remove that first."
    host.refuses("nat", message, host_port="8050", **given)
    host.refuses("nat", message, host_port="8050", state="absent", **given)


def test_exclusive_takes_the_owner_s_other_ports_away_and_nobody_else_s(host: Host, backend: str) -> None:
    publish(host, 4, host_port="8081")
    publish(host, 4, host_port="8082", owner="db")
    publish(host, 4, exclusive=True)
    assert published(host) == ["tcp 8080 web", "tcp 8082 db"]


def published(host: Host) -> list[str]:
    """What is published over IPv4 to another port, with its owner."""
    if host.backend != "nftables":
        text = host.run("iptables-save -t nat").stdout
        return sorted(" ".join(one) for one in re.findall(r'-p (\w+) -m \w+ --dport (\d+) .*"linuxnet:(\w+)', text))
    listed = json.loads(host.run("nft -j list map inet linuxnet_containers publish_ip_port").stdout)["nftables"]
    [elements] = [one["map"].get("elem", []) for one in listed if "map" in one]
    keys = [key["elem"] for key, _value in elements]
    return sorted(
        f"{key['val']['concat'][0]} {key['val']['concat'][2]} {key['comment'].split(':')[1].split('|')[0]}"
        for key in keys
    )


def test_g3_unpublishing_leaves_nothing(host: Host, backend: str) -> None:
    before = host.snapshot()
    publish(host, 4)
    publish(host, 6)
    publish(host, 4, host_port="30000-30099", to_port="30000-30099", protocol="udp")
    for options in (
        {"host_port": "8080", "to_address": WEB[4]},
        {"host_port": "8080", "to_address": WEB[6]},
        {"host_port": "30000-30099", "to_address": WEB[4], "protocol": "udp"},
    ):
        host.settles("nat", type="dnat", owner="web", state="absent", backend=backend, **options)
    assert host.snapshot() == before


def test_a_port_goes_over_both_families_where_none_is_named(host: Host, backend: str) -> None:
    publish(host, 4)
    publish(host, 6)
    done = host.settles("nat", type="dnat", host_port="8080", owner="web", state="absent", backend=backend)
    assert done["before"]["to_address"] == f"{WEB[4]}, {WEB[6]}"
    assert "linuxnet" not in host.held()


def test_exclusive_items_of_one_task_keep_each_other_also_where_no_bridge_is_named(host: Host, backend: str) -> None:
    items = [{"host_port": "8080", "to_port": "80"}, {"host_port": "8443"}]
    host.settles("nat", type="dnat", owner="web", to_address=WEB[4], exclusive=True, aggregate=items, backend=backend)


def test_all_ports_of_an_owner_go_at_once(host: Host, backend: str) -> None:
    host.module("nat", source="172.17.0.0/16", out_interface="!br0", backend=backend)
    kept = host.held()
    publish(host, 4)
    publish(host, 6)
    publish(host, 4, host_port="81", owner="db")
    host.settles("nat", type="dnat", owner="web", state="absent", backend=backend)
    assert published(host) == ["tcp 81 db"]
    host.settles("nat", type="dnat", owner="db", state="absent", backend=backend)
    assert host.held() == kept


def test_f18_the_absence_of_one_leaves_the_port_that_another_has_by_now(host: Host, backend: str) -> None:
    publish(host, 4, owner="db")
    gone = host.module("nat", type="dnat", host_port="8080", owner="web", state="absent", backend=backend)
    assert gone["changed"] is False
    assert published(host) == ["tcp 8080 db"]


def generation(host: Host) -> int:
    """The number of the rule set's generation; each transaction is one more, and looking takes two."""
    watch = host.spawn(["bash", "-c", "exec stdbuf -oL nft monitor >/run/monitor"])
    # It begins with what is there, 5000 rules maybe; from when it is in the group (of netfilter, 12) it misses nothing.
    comes(host, "awk '$2 == 12 && $4 !~ /^0+$/ {found = 1} END {exit !found}' /proc/net/netlink")
    host.run("nft add table inet probe && nft delete table inet probe")
    assert eventually(lambda: host.run("grep -c generation /run/monitor", check=False).stdout.strip() == "2")
    host.kill(watch)
    return int(host.run("tail -n 1 /run/monitor").stdout.split("generation")[1].split()[0])


def test_a_thousand_containers_with_five_ports_are_one_transaction(host: Host, backend: str) -> None:
    items = [
        {
            "host_port": str(10000 + 5 * box + port),
            "to_port": str(80 + port),
            "to_address": f"172.17.{box // 250}.{box % 250 + 2}",
        }
        for box in range(1000)
        for port in range(5)
    ]
    options: dict[str, Any] = {
        "type": "dnat",
        "bridge": "br0",
        "aggregate": [dict(item, owner=f"c{item['to_address']}") for item in items],
        "backend": backend,
    }
    host.module("nat", type="dnat", host_port="9", to_address=WEB[4], backend=backend)
    before = generation(host)
    done = host.module("nat", **options)
    assert (len(done["results"]), generation(host) - before) == (5000, 1 + 2)
    if backend == "nftables":
        assert len(re.findall("linuxnet-", host.held())) == 17
    assert host.module("nat", **options)["changed"] is False


def test_f17_forward_chains_of_others_that_drop_what_comes_in_are_named(host: Host) -> None:
    host.run(
        [
            "nft",
            "add table ip filter; add chain ip filter FORWARD { type filter hook forward priority filter; policy drop; }",
        ]
    )
    done = publish(host, 4)
    assert done["blocked_by"] == ["ip filter FORWARD (policy drop)"]
    assert warnings(done) == [
        "Packets for the published ports of 172.17.0.2 are dropped by ip filter FORWARD (policy drop); "
        "let them through there, or take backend: iptables."
    ]
    host.run(["nft", 'add rule ip filter FORWARD oifname "br0" ip daddr 172.17.0.2 accept'])
    assert publish(host, 4)["blocked_by"] == ["ip filter FORWARD (policy drop)"], "the answers do not pass yet"
    host.run(["nft", "add rule ip filter FORWARD ct state established accept"])
    assert publish(host, 4)["blocked_by"] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"host_port": "80"}, "to_address is required with type: dnat."),
        ({"to_address": "10.0.0.2"}, "host_port is required with type: dnat."),
        ({"host_port": "0", "to_address": "10.0.0.2"}, "host_port: '0' is neither a port (1 to 65535) nor a range"),
        ({"host_port": "90-80", "to_address": "10.0.0.2"}, "host_port: '90-80' is neither a port"),
        ({"host_port": "80", "to_address": "127.0.0.1"}, "to_address: 127.0.0.1 is not the address of a container."),
        (
            {"host_port": "80-90", "to_port": "80-85", "to_address": "10.0.0.2"},
            "to_port: 80-85 and host_port 80-90 are not of the same length; a range goes to a range, one to one.",
        ),
        (
            {"host_port": "80", "to_address": "10.0.0.2", "host_ip": "::"},
            "host_ip: :: is not of the same address family as to_address 10.0.0.2.",
        ),
        (
            {"host_port": "80/icmp", "to_address": "10.0.0.2"},
            "host_port: '80/icmp': the protocol is one of tcp, udp and sctp, and the same as protocol.",
        ),
        (
            {"host_port": "80", "to_address": "10.0.0.2", "source": "10.0.0.0/8"},
            "source: it does not go with type: dnat.",
        ),
    ],
)
def test_bad_input_is_one_sentence_and_changes_nothing(host: Host, options: dict[str, Any], message: str) -> None:
    host.refuses("nat", message, type="dnat", **options)


def test_a_port_of_an_address_that_comes_later_is_told_and_then_reached(host: Host) -> None:
    serve(host, "web", "tcp/80")
    told = ["host_ip: no interface of the host has 192.0.2.3 now; what is published on it is reached when one has."]
    assert warnings(publish(host, 4, host_ip="192.0.2.3")) == told
    host.run("ip addr add 192.0.2.3/24 dev up0")
    assert ask(host, "internet", "tcp", "192.0.2.3", 8080) == "web 80 192.0.2.1"
    assert warnings(publish(host, 4, host_ip="192.0.2.3")) == []


def test_a_broadcast_address_of_the_host_is_refused(host: Host) -> None:
    host.refuses(
        "nat",
        "host_ip: 192.0.2.255 is the broadcast address of a network of the host.",
        type="dnat",
        host_port="80",
        host_ip="192.0.2.255",
        to_address=WEB[4],
    )
