# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nat, type tunnel: a VXLAN takes frames from its peers only, with real devices, and with packets made by hand that try to get around that."""

from __future__ import annotations

import itertools
import json
import struct
import sys
from collections.abc import Callable
from typing import Any

import pytest
from frames import ALL, FRAGMENT, HOP_BY_HOP, IPV4, IPV6, OPTIONS, UDP, behind, checksum, ether, ipv6, packed
from wires import BACKENDS, LEGACY, LIMIT, MOMENT, Host, eventually

EACH = pytest.mark.parametrize("backend", [*BACKENDS, LEGACY], indirect=True)
FAMILY = pytest.mark.parametrize("family", [4, 6])
HERE = {4: "192.0.2.1", 6: "2001:db8::1"}
PEER = {4: "192.0.2.2", 6: "2001:db8::2"}
STRANGER = {4: "192.0.2.9", 6: "2001:db8::9"}
FRONT: dict[str, Any] = {"type": "tunnel", "vni": 42, "peers": [*PEER.values()], "owner": "front"}
NUMBERS = itertools.count(1)
# Sends frames from a namespace by its eth0, some for each of several names, and prints how many come out of VXLAN 42 for each. Behind them, on the same CPU
# and so in that order, goes one for VXLAN 43, which is nobody's business. Arguments: the sender, the devices of 42 and 43, the frame for the latter.
SEND = """
import ctypes, json, os, socket, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
sender, *devices, last = sys.argv[1:]
ears = []
for device in devices:
    ears.append(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88B5)))
    ears[-1].bind((device, 0x88B5))
ears[0].setblocking(False)
ears[1].settimeout(60)
libc = ctypes.CDLL(None, use_errno=True)
assert not libc.setns(os.open("/run/netns/" + sender, os.O_RDONLY), 0x40000000), ctypes.get_errno()
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sock.bind(("eth0", 0))
found = {}
for name, frames in json.load(sys.stdin).items():
    for frame in [*frames, last]:
        sock.send(bytes.fromhex(frame))
    ears[1].recv(9999)
    found[name] = 0
    try:
        while ears[0].recv(9999):
            found[name] += 1
    except BlockingIOError:
        pass
print(json.dumps(found))
"""
ECHO = """
import socket
sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
sock.bind(("::", 5300))
while True:
    said, peer = sock.recvfrom(9999)
    sock.sendto(said, peer)
"""
# Prints how much comes back of a short packet, and of one in parts.
ASK = """
import socket, sys
with socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.settimeout(60)
    sock.connect((sys.argv[1], 5300))
    for size in (1, 4000):
        sock.send(b"x" * size)
        print(len(sock.recv(9999)))
"""


@pytest.fixture
def street(host: Host, needs: Callable[..., None]) -> Host:
    """A host, a peer and a stranger in one segment. Each has the VXLANs 42 and 43 over IPv4, and over IPv6, and all believe each other."""
    needs("nft", "nf_tables")
    host.bridge("br0", "192.0.2.1/24", "2001:db8::1/64")
    for name, number in (("peer", 2), ("stranger", 9)):
        host.container(name, f"192.0.2.{number}/24", f"2001:db8::{number}/64")
        for family in (4, 6):
            for vni in (42, 43):
                vxlan(host, name, family, vni, PEER if name == "peer" else STRANGER, HERE)
    for family in (4, 6):
        for vni in (42, 43):
            vxlan(host, "", family, vni, HERE, PEER)
    return host


def vxlan(host: Host, netns: str, family: int, vni: int, local: dict[int, str], remote: dict[int, str]) -> None:
    """Make a VXLAN that says nothing by itself."""
    ip, inside = (f"ip -n {netns}", f"ip netns exec {netns}") if netns else ("ip", "")
    number = local[family][-1]
    name = f"vx{vni}-{family}"
    host.run(
        f"{ip} link add {name} type vxlan id {vni} dstport 4789 local {local[family]} remote {remote[family]} && "
        f"{inside} sysctl -qw net.ipv6.conf.{name}.disable_ipv6=1 && {ip} link set {name} up && {ip} addr add 10.{vni}.{family}.{number}/24 dev {name}"
    )


def received(host: Host, family: int, vni: int) -> int:
    """How many frames the VXLAN has taken."""
    return int(host.run(f"cat /sys/class/net/vx{vni}-{family}/statistics/rx_packets").stdout)


# --- packets ---


def outer(host: Host, family: int, payload: bytes) -> bytes:
    to = host.run("cat /sys/class/net/br0/address").stdout.strip()
    return ether(to, "02:00:00:00:00:09", {4: IPV4, 6: IPV6}[family], payload)


def datagram(source: str, family: int, vni: int, port: int = 4789) -> bytes:
    """UDP with a VXLAN's frame in it, which is for nobody."""
    inner = ether(ALL, "02:00:00:00:00:42", 0x88B5, b"\0" * 46)
    data = struct.pack("!II", 0x08000000, vni << 8) + inner
    head = struct.pack("!HHHH", 33333, port, 8 + len(data), 0)
    pseudo = packed(source) + packed(HERE[family]) + struct.pack("!II", len(head + data), UDP)
    return head[:6] + struct.pack("!H", checksum(pseudo + head + data)) + data


def old(source: str, payload: bytes, options: bytes = b"", offset: int = 0, more: bool = False) -> bytes:
    """A packet of IPv4, or a part of one."""
    length = 20 + len(options)
    head = struct.pack(
        "!BBHHHBBH", 0x40 | length // 4, 0, length + len(payload), 7, offset // 8 | more << 13, 64, UDP, 0
    )
    head += packed(source) + packed(HERE[4]) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def in_two(source: str, at: int, data: bytes, options: bytes = b"") -> list[bytes]:
    return [old(source, data[:at], options, 0, True), old(source, data[at:], options, at)]


def part(following: int, offset: int, more: bool, payload: bytes, number: int) -> bytes:
    return struct.pack("!BBHI", following, 0, offset | more, number) + payload


def parts(source: str, first: int, at: int, data: bytes) -> list[bytes]:
    """A packet of IPv6 in two, with a number that no other one has."""
    number = next(NUMBERS)
    return [
        ipv6(source, HERE[6], FRAGMENT, part(first, 0, True, data[:at], number)),
        ipv6(source, HERE[6], FRAGMENT, part(first, at, False, data[at:], number)),
    ]


def shapes(source: str, family: int, vni: int = 42) -> dict[str, list[bytes]]:
    """The ways in which a host can send one frame."""
    data = datagram(source, family, vni)
    if family == 4:
        nothing = b"\x01" * 4  # options that say nothing
        return {
            "plain": [old(source, data)],
            "options": [old(source, data, nothing)],
            "all options": [old(source, data, nothing * 10)],
            "parts, VNI in the second": in_two(source, 8, data),
            "parts, VNI in the first": in_two(source, 16, data),
            "parts, the last one first": in_two(source, 8, data)[::-1],
            "parts with options": in_two(source, 8, data, nothing * 10),
        }
    to = HERE[6]
    options = behind(UDP, data)
    more = behind(OPTIONS, options)
    long = struct.pack("!BBBB", OPTIONS, 2, 0x1E, 20) + bytes(20) + options  # 24 bytes, and the next ones
    return {
        "plain": [ipv6(source, to, UDP, data)],
        "options": [ipv6(source, to, OPTIONS, options)],
        "hop by hop": [ipv6(source, to, HOP_BY_HOP, options)],
        "options twice": [ipv6(source, to, OPTIONS, more)],
        "one part": [ipv6(source, to, FRAGMENT, part(UDP, 0, False, data, next(NUMBERS)))],
        "parts, VNI in the second": parts(source, UDP, 8, data),
        "parts, VNI in the first": parts(source, UDP, 16, data),
        "parts, the last one first": parts(source, UDP, 8, data)[::-1],
        "parts, options in the first": parts(source, OPTIONS, 32, options),
        "parts, VNI behind options": parts(source, OPTIONS, 16, options),
        "parts, the first has half of the options": parts(source, OPTIONS, 8, long),
        "options, then parts": [
            ipv6(source, to, OPTIONS, behind(FRAGMENT, one[40:])) for one in parts(source, UDP, 16, data)
        ],
    }


def sent(host: Host, sender: str, family: int, ways: dict[str, list[bytes]], device: str = "vx42") -> dict[str, int]:
    """How many frames get to a VXLAN of what somebody sends, by the way in which it is sent."""
    (last,) = shapes(STRANGER[family], family, 43)["plain"]
    argv = [sys.executable, "-c", SEND, sender, f"{device}-{family}", f"vx43-{family}", outer(host, family, last).hex()]
    hexed = {name: [outer(host, family, one).hex() for one in frames] for name, frames in ways.items()}
    found: dict[str, int] = json.loads(host.run(argv, input=json.dumps(hexed), timeout=2 * LIMIT).stdout)
    return found


def arriving(host: Host, sender: str, family: int, source: str) -> set[str]:
    """The ways in which a frame gets in."""
    return {name for name, count in sent(host, sender, family, shapes(source, family)).items() if count}


def pings(host: Host, sender: str, family: int, vni: int = 42, within: float = LIMIT) -> bool:
    return host.ping(sender, f"10.{vni}.{family}.1", within)


def settled(host: Host, **options: Any) -> dict[str, Any]:
    return host.settles("nat", **{**FRONT, "backend": host.backend, **options})


# What shows its VNI in the first part, and what does so without other headers; of the rest nobody can tell whose it is.
SHOWN = {
    *("plain", "options", "hop by hop", "options twice", "one part", "parts, VNI in the first"),
    *("parts, options in the first", "options, then parts"),
}
BARE = {"plain", "one part", "parts, VNI in the first"}


@EACH
@FAMILY
def test_only_peers_get_in_whatever_a_packet_looks_like(street: Host, backend: str, family: int) -> None:
    host = street
    every = set(shapes(STRANGER[family], family))
    assert arriving(host, "stranger", family, STRANGER[family]) == every, "a VXLAN believes anybody"
    assert pings(host, "peer", family)
    settled(host)
    assert arriving(host, "stranger", family, STRANGER[family]) == set()
    told = every if family == 4 else SHOWN if host.backend == "nftables" else BARE
    assert arriving(host, "peer", family, PEER[family]) == told
    for sender in ("peer", "stranger"):
        assert pings(host, sender, family, within=LIMIT if sender == "peer" else MOMENT) == (sender == "peer")
    settled(host, peers=[])
    assert arriving(host, "peer", family, PEER[family]) == set()
    settled(host, peers=[STRANGER[family]])
    assert arriving(host, "peer", family, PEER[family]) == set()
    assert "plain" in arriving(host, "stranger", family, STRANGER[family])
    settled(host, state="absent")
    assert arriving(host, "stranger", family, STRANGER[family]) == every
    assert "linuxnet" not in host.held().lower()


@EACH
@FAMILY
def test_the_same_where_connections_are_tracked(street: Host, backend: str, family: int) -> None:
    """Then IPv6 is put together before the hook input."""
    host = street
    host.run(
        "nft 'add table inet t; add chain inet t c { type filter hook input priority 0; }; add rule inet t c ct state invalid counter'"
    )
    every = set(shapes(STRANGER[family], family))
    assert arriving(host, "stranger", family, STRANGER[family]) == every
    settled(host)
    assert arriving(host, "stranger", family, STRANGER[family]) == set()
    assert arriving(host, "peer", family, PEER[family]) >= (every if family == 4 else BARE)


@EACH
def test_what_others_have_on_the_port_and_other_ports_pass(street: Host, backend: str) -> None:
    """Short packets, parts of UDP for other ports, and VXLAN 43; and 42 on a port of its own is another one."""
    host = street
    settled(host)
    assert pings(host, "peer", 4, 43)
    assert pings(host, "peer", 6, 43)
    settled(host, port=8472, peers=[])
    assert pings(host, "peer", 4)
    host.run("ip link add other-4 type vxlan id 42 dstport 8472 local 192.0.2.1 && ip link set other-4 up")
    way = {"plain": [old(PEER[4], datagram(PEER[4], 4, 42, 8472))]}
    assert sent(host, "peer", 4, way, "other") == {"plain": 0}
    settled(host, port=8472, peers=[PEER[4]])
    assert sent(host, "peer", 4, way, "other") == {"plain": 1}
    big = "ip netns exec stranger ping -6 -nqc1 -W5 -s 4000 2001:db8::1"
    assert host.run(big, check=False).rc == 0, "parts of what is not UDP"
    server = host.spawn([sys.executable, "-c", ECHO])
    assert eventually(lambda: ":5300" in host.run("ss -Hunl").stdout)
    for where in HERE.values():
        asked = ["ip", "netns", "exec", "stranger", sys.executable, "-c", ASK, where]
        assert host.run(asked, timeout=2 * LIMIT).stdout.split() == ["1", "4000"], "parts of UDP for another port"
    host.kill(server)


HARM = {
    "nftables": [
        "nft flush ruleset",
        "nft delete table inet linuxnet_containers",
        "nft flush chain inet linuxnet_containers tunnel",
        "nft flush chain inet linuxnet_containers peers",
        "nft flush chain inet linuxnet_containers fragments; nft delete rule inet linuxnet_containers tunnel handle "
        "$(nft -a list chain inet linuxnet_containers tunnel | sed -n 's/.*frag.*handle //p')",
        "nft flush set inet linuxnet_containers tunnels",
        "nft flush set inet linuxnet_containers peers_ip",
        "nft 'add element inet linuxnet_containers peers_ip { 4789 . 42 . 192.0.2.9 }'",
        "nft 'add element inet linuxnet_containers peers_ip6 { 4789 . 42 . 2001:db8::9 comment \"linuxnet:front\" }'",
        "nft 'add element inet linuxnet_containers peers_ip { 4789 . 77 . 192.0.2.9 }'",
        "nft insert rule inet linuxnet_containers tunnel accept comment '\"linuxnet-x\"'",
        "nft 'add table inet linuxnet_containers { flags dormant; }'",
        "nft 'flush chain inet linuxnet_containers tunnel; delete chain inet linuxnet_containers tunnel'",
    ],
    "iptables": [
        "iptables -t mangle -F",
        "ip6tables -t mangle -F INPUT",
        "ip6tables -t mangle -F LINUXNET-TUNNEL",
        "iptables -t mangle -D LINUXNET-TUNNEL 3",
        "iptables -t mangle -I LINUXNET-TUNNEL -m comment --comment linuxnet -j RETURN",
        "ip6tables -t mangle -D LINUXNET-TUNNEL 2",
        "ip6tables -t mangle -R LINUXNET-TUNNEL 5 -p udp -m udp --dport 4789 -m u32 --u32 '0x3&0x8@0x34>>0x8=0x2a' "
        "-m comment --comment linuxnet:front -j ACCEPT",
        "iptables -t mangle -I LINUXNET-TUNNEL 2 -s 192.0.2.9 -p udp -m udp --dport 4789 -m u32 --u32 '0x0>>0x16&0x3c@0xc>>0x8=0x2a' "
        "-m comment --comment linuxnet:front -j RETURN",
    ],
}


@pytest.mark.parametrize(
    ("backend", "harm"),
    [(backend, harm) for backend in [*BACKENDS, LEGACY] for harm in HARM[backend.partition("-")[0]]],
    indirect=["backend"],
)
def test_f13_what_somebody_takes_away_is_put_back(host: Host, backend: str, harm: str) -> None:
    settled(host)
    there = host.held()
    host.run(harm)
    assert host.held() != there
    assert settled(host)["changed"] is True
    assert host.held() == there
    host.run(harm)
    settled(host, state="absent")
    assert "linuxnet" not in host.held().lower()


@FAMILY
@pytest.mark.parametrize(("first", "second"), [("nftables", "iptables"), ("iptables", "nftables")])
def test_f16_it_moves_to_another_backend_and_is_never_open(street: Host, family: int, first: str, second: str) -> None:
    host = street
    host.use(first)
    host.run(f"ip -n stranger neigh add 10.42.{family}.1 lladdr 02:00:00:00:00:01 dev vx42-{family}")
    flood = host.spawn(["ip", "netns", "exec", "stranger", *f"ping -nqi0.002 10.42.{family}.1".split()])
    before = received(host, family, 42)
    assert eventually(lambda: received(host, family, 42) > before + 9)
    settled(host)
    before = received(host, family, 42)
    host.use(second)
    for peers in ([], [PEER[family]], [*PEER.values()], [HERE[family], "192.0.2.77"], []):
        settled(host, peers=peers)
    assert received(host, family, 42) == before
    settled(host, state="absent")
    assert eventually(lambda: received(host, family, 42) > before + 9), "it never stopped"
    host.kill(flood)
    host.use(first)
    assert "linuxnet" not in host.held().lower()
    host.use(second)
    assert "linuxnet" not in host.held().lower()


def test_several_are_one_task_and_one_transaction(host: Host) -> None:
    many = [
        {"vni": vni, "peers": [f"192.0.2.{vni % 250 + 1}", f"2001:db8::{vni % 9999}"]} for vni in (0, 1, 4096, 0xFFFFFF)
    ]
    for backend in BACKENDS:
        host.use(backend)
        host.settles("nat", type="tunnel", owner="front", backend=backend, aggregate=many)
    gone = [{"vni": one["vni"], "state": "absent"} for one in many]
    host.settles("nat", type="tunnel", owner="front", aggregate=gone)
    for backend in BACKENDS:
        host.use(backend)
        assert "linuxnet" not in host.held().lower()


@EACH
def test_in_a_namespace_and_beside_what_else_is_ours(host: Host, backend: str) -> None:
    host.run("ip netns add web")
    settled(host, netns="web")
    assert "linuxnet" not in host.held().lower()
    settled(host, netns="web", state="absent")
    assert "linuxnet" not in host.run("ip netns exec web nft list ruleset").stdout.lower()
    host.run("sysctl -qw net.ipv4.ip_forward=0")
    settled(host)
    host.module("nat", type="filter", bridge="br0", owner="br0", backend=host.backend)
    host.settles("nat", type="filter", bridge="br0", owner="br0", state="absent", backend=host.backend)
    assert settled(host)["changed"] is False
    assert host.run("sysctl -n net.ipv4.ip_forward").stdout == "0\n", "forwarding is none of its business"
    assert host.run("find /etc/sysctl.d -name '*linuxnet*'").stdout == ""


@EACH
def test_what_fails_behind_it_leaves_what_was_there(host: Host, backend: str) -> None:
    """The second item is somebody else's, and the first one can be as it was."""
    settled(host, peers=["192.0.2.7"])
    there = host.held()
    items = [{"vni": 42, "peers": ["192.0.2.8"]}, {"vni": 43, "peers": [], "owner": "back"}]
    host.module("nat", type="tunnel", vni=43, peers=[], owner="else", backend=host.backend)
    both = host.held()
    failed = host.fails("nat", type="tunnel", owner="front", backend=host.backend, aggregate=items)
    assert "vni: 43 on port 4789 is kept for the peers of 'else' already" in str(failed)
    host.module("nat", type="tunnel", vni=42, peers=["192.0.2.7"], owner="front", backend=host.backend)
    assert host.held() == both
    host.module("nat", type="tunnel", vni=43, owner="else", state="absent")
    assert host.held() == there


def test_what_cannot_be_is_refused_and_what_is_there_is_listed(host: Host) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"vni": None}, "vni is required with type: tunnel."),
        ({"vni": 16777216}, "vni: 16777216 is not the number of a VXLAN; take one from 0 to 16777215."),
        ({"port": 0}, "port: 0 is not a port; take one from 1 to 65535."),
        ({"peers": ["192.0.2.0/24"]}, "peers: '192.0.2.0/24' is a network; list the address of each peer."),
        ({"peers": ["nobody"]}, "peers: 'nobody' is not an IP address."),
        ({"peers": None}, "peers is required with type: tunnel; an empty list lets nobody in."),
        ({"aggregate": [{"vni": 7}, {"vni": 7, "peers": []}], "vni": None}, "twice"),
        ({"bridge": "br0"}, "bridge: it does not go with type: tunnel."),
    ]
    host.all_refused("nat", FRONT, cases)
    host.module("nat", **FRONT)
    assert "is kept for the peers of 'front' already" in host.fails("nat", **{**FRONT, "owner": "back"})["msg"]
    listed = [one for one in host.module("wiring_info", gather=["nat"])["wiring"]["nat"] if one["type"] == "tunnel"]
    wanted = {"vni": 42, "port": 4789, "peers": FRONT["peers"], "owner": "front", "backend": "nftables"}
    assert [{name: one[name] for name in wanted} for one in listed] == [wanted]
    host.module("nat", **FRONT, state="absent")
    assert "linuxnet" not in host.held().lower()
