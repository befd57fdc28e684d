# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people do by hand before and between runs, as scripts of ``ip``, ``bridge`` and ``nft``: things of their own, and drift of ours."""

from __future__ import annotations

import ipaddress
import shlex
from random import Random
from typing import Any

Item = dict[str, Any]

# Things of others. ``host``: each host has these, so that there is an uplink and an address to leave from.
HOST = (
    "ip netns add internet; ip link add uplink address 02:00:00:00:00:01 type veth peer name eth0 address 02:00:00:00:01:21 netns internet; "
    "ip link set uplink addrgenmode none up; ip addr add 192.0.2.1/24 dev uplink; "
    "ip -n internet link set eth0 addrgenmode none up; ip -n internet addr add 192.0.2.99/24 dev eth0; ip route add default via 192.0.2.99"
)
# (kind, script); {net} and {box} are names of the world, quoted; {v4} and {v6} an address with its prefix.
THEIRS: list[tuple[str, str]] = [
    (
        "a table of rules",
        "nft add table inet theirs; nft add chain inet theirs c '{{ type filter hook forward priority 0; }}'; "
        "nft add rule inet theirs c tcp dport 9 drop",
    ),
    (
        "rules of NAT",
        "nft add table ip nat2; nft add chain ip nat2 p '{{ type nat hook postrouting priority 90; }}'; "
        "nft add rule ip nat2 p oifname uplink ip saddr 10.66.0.0/16 masquerade",
    ),
    ("a route", "ip route add 10.200.0.0/16 via 192.0.2.99"),
    (
        "a route of their table",
        "ip route add 10.201.0.0/16 via 192.0.2.98 table 100; ip rule add from 10.66.0.0/16 lookup 100 priority 77",
    ),
    ("a blackhole", "ip route add blackhole 10.202.0.0/16"),
    (
        "a bridge",
        "ip link add theirs address 02:00:00:00:00:02 type bridge; ip link set theirs addrgenmode none up; "
        "ip addr add 10.66.0.1/24 dev theirs",
    ),
    (
        "a pair",
        "ip link add vethabcdefghijk address 02:00:00:00:00:03 type veth peer name vethabcdefghij address 02:00:00:00:01:22",
    ),
    (
        "a namespace",
        "ip netns add theirs; ip link add t0 address 02:00:00:00:00:05 type veth peer name eth0 address 02:00:00:00:01:23 netns theirs; "
        "ip -n theirs addr add 10.67.0.2/24 dev eth0",
    ),
    ("forwarding", "sysctl -qw net.ipv4.ip_forward=1"),
    ("an MTU of the uplink", "ip link set uplink mtu 1400"),
    ("an altname", "ip link property add dev uplink altname uplink-by-another-name"),
    ("an alias", "ip link set uplink alias 'the way out'"),
]
# Theirs, and in the way of what is listed. A namespace is held open as by a process: what is in it lives on without its name.
MET: list[tuple[str, str]] = [
    (
        "their bridge of a network's name",
        "ip link add {net} address 02:00:00:00:00:0a type bridge; ip link set {net} addrgenmode none up; ip addr add {v4} dev {net}; "
        "ip route add 10.203.0.0/16 dev {net}",
    ),
    (
        "their bridge of a network's name, with a port",
        "ip link add {net} address 02:00:00:00:00:0a type bridge; ip link set {net} addrgenmode none up; "
        "ip link add p0 address 02:00:00:00:00:0b type veth peer name p1 address 02:00:00:00:01:24; "
        "ip link set p0 master {net} addrgenmode none up",
    ),
    (
        "a pair of theirs of a network's name",
        "ip link add {net} address 02:00:00:00:00:0f type veth peer name p9 address 02:00:00:00:01:25",
    ),
    ("their namespace of a container's name", "ip netns add {box}"),
    (
        "their eth0 in a container's namespace",
        "ip netns add {box}; ip link add q0 address 02:00:00:00:00:10 type veth peer name eth0 address 02:00:00:00:01:26 netns {box}",
    ),
    (
        "their port in our bridge",
        "ip link add r0 address fe:00:00:00:00:0c type veth peer name r1 address 02:00:00:00:01:27; "
        "ip link set r0 master {net} addrgenmode none up",
    ),
]
THEIR_MAC = "02:00:00:00:00:0e"  # a bridge of ours that has it is ours no more
DRIFT: list[tuple[str, str]] = [
    ("addresses flushed", "ip -n {box} addr flush dev eth0 scope global"),
    ("another address of the pool", "ip -n {box} addr add {v4} dev eth0"),
    ("an address of nobody's", "ip -n {box} addr add 10.250.0.9/24 dev eth0"),
    ("no default route", "ip -n {box} route del default; ip -n {box} -6 route del default"),
    ("another route in a container", "ip -n {box} route add 10.123.0.0/16 dev eth0"),
    ("interface down", "ip -n {box} link set eth0 down"),
    ("lo down", "ip -n {box} link set lo down"),
    ("another MTU", "ip -n {box} link set eth0 mtu 1300"),
    ("another MAC", "ip -n {box} link set eth0 address 02:00:00:00:00:0d"),
    ("no port", "ip link set $(ip -br link show master {net} | cut -d@ -f1 | head -n 1) nomaster"),
    ("port down", "ip link set $(ip -br link show master {net} | cut -d@ -f1 | head -n 1) down"),
    (
        "port options",
        "bridge link set dev $(ip -br link show master {net} | cut -d@ -f1 | head -n 1) hairpin on isolated on",
    ),
    ("bridge down", "ip link set {net} down"),
    ("bridge's MTU", "ip link set {net} mtu 1350"),
    ("bridge's MAC", f"ip link set {{net}} address {THEIR_MAC}"),
    ("no gateway address", "ip addr flush dev {net} scope global"),
    ("their address on our bridge", "ip addr add 10.251.0.1/24 dev {net}"),
    ("our table gone", "nft delete table inet linuxnet_containers"),
    ("all rules flushed", "nft flush table inet linuxnet_containers"),
    ("a chain flushed", "nft flush chain inet linuxnet_containers {chain}"),
    (  # with its pairs, which go a while after it
        "namespace gone",
        "pairs() {{ ip $@ -o link show type veth | wc -l; }}; left=$(($(pairs) - $(pairs -n {box}))); ip netns del {box}; "
        "for dummy in $(seq 200); do [ $(pairs) -gt $left ] || break; sleep 0.05; done",
    ),
    ("pair gone", "ip -n {box} link del eth0"),
    ("bridge gone", "ip link del {net}"),
    ("forwarding off", "sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0"),
    ("sysctl file gone", "rm -f /etc/sysctl.d/*linuxnet*"),
    ("interface renamed", "ip -n {box} link set eth0 down; ip -n {box} link set eth0 name eth9"),
    ("an altname of our bridge", "ip link property add dev {net} altname another-name"),
    ("IPv6 off in a container", "ip netns exec {box} sysctl -qw net.ipv6.conf.all.disable_ipv6=1"),
]
CHAINS = ["postrouting", "closed_to", "forward", "prerouting", "output", "publish", "raw", "hairpin"]


def script(chance: Random, listed: list[tuple[str, str]], runs: list[Item], world: tuple[list[str], list[str]]) -> Item:
    """One thing that is done by hand: its kind, and the script."""
    kind, text = chance.choice(listed)
    networks = [one for run in runs for one in run["networks"]]
    boxes = [one["name"] for run in runs for one in run["containers"]]
    network = chance.choice(networks) if networks else {"name": chance.choice(world[0]), "subnets": ["10.1.0.0/24"]}
    fours = [net for net in network["subnets"] if ":" not in net] or ["10.1.0.0/24"]
    start, length = fours[0].split("/")
    address = ".".join([*start.split(".")[:3], str((int(start.split(".")[3]) + chance.choice([1, 2, 3, 77])) % 256)])
    words = {
        "net": shlex.quote(str(network["name"])),
        "box": shlex.quote(chance.choice(boxes or world[1])),
        "v4": f"{address}/{length}",
        "chain": chance.choice(CHAINS),
    }
    done = text.format(**words)
    if listed is not DRIFT:  # whole or not at all
        done = f"set -e; {done}"
    if "{box}" in text:  # a name that means the host has nothing of its own
        done = f"[ /run/netns/{words['box']} -ef /proc/self/ns/net ] || {{ {done}; }}"
    return {"kind": kind, "script": done}


UNMANAGED = "a bridge of theirs that is used"


def unmanaged(network: Item) -> Item:
    """The bridge of a network that is unmanaged, with its addresses."""
    name = shlex.quote(str(network["name"]))
    text = f"ip link add {name} address 02:00:00:00:00:0a type bridge; ip link set {name} addrgenmode none up"
    for subnet in network["subnets"]:
        net = ipaddress.ip_network(subnet)
        text += f"; ip addr add {net[1 % net.num_addresses]}/{net.prefixlen} dev {name}" + " nodad" * (":" in subnet)
    return {"kind": UNMANAGED, "script": text}
