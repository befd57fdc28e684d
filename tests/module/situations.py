# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be broken in the town of `paths.py`, and what path_info says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Case:
    """What is done and undone in bash, what is asked, and ``what`` is said of it. ``call``: (namespace, address, port) that really is not answered.
    ``shows``: what the command prints that is named."""

    name: str
    do: str
    undo: str
    question: dict[str, Any]
    what: str
    call: tuple[str, str, int] | None = None
    shows: str = ""
    verdict: str = "blocked"
    listening: bool | None = None


OUT = "192.0.2.1"
FROM_OUT = {"source": "out", "destination": "8080/tcp"}
PUBLISHED = ("out", OUT, 8080)
IPV6_AGAIN = (
    "ip netns exec web sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0 && ip -n web address replace fd00:17::2/64 dev eth0 nodad && "
    "ip -n web route replace default via fd00:17::1"
)
OTHER = "nft add table ip other && nft add chain ip other p '{ type nat hook %s; }' && nft add rule ip other p "
FW = "nft add table inet fw && nft add chain inet fw %s '{ type filter hook %s priority 0; policy accept; }' && nft add rule inet fw %s "
CASES = [
    Case(
        "nobody listens",
        "true",
        "true",
        {"source": "out", "destination": "8081/tcp"},
        "nobody in web listens on tcp port 81",
        ("out", OUT, 8081),
        listening=False,
    ),
    Case(
        "it listens on 127.0.0.1 only",
        "true",
        "true",
        {"source": "db", "destination": "web", "port": 82},
        "listens on tcp port 82 of 127.0.0.1 only",
        ("db", "172.17.0.2", 82),
        "127.0.0.1:82",
        listening=False,
    ),
    Case(
        "it listens by IPv4 only",
        "true",
        "true",
        {"source": "db", "destination": "web", "port": 83, "family": "ipv6"},
        "by IPv4 only",
        ("db", "fd00:17::2", 83),
        "0.0.0.0:83",
        listening=False,
    ),
    Case(
        "policy drop of nft",
        "nft add table inet fw && nft add chain inet fw f '{ type filter hook forward priority 0; policy drop; }'",
        "nft delete table inet fw",
        FROM_OUT,
        "another firewall on the host drops it on its way from eth9 to br0: inet fw f (policy drop)",
        PUBLISHED,
        "policy drop",
    ),
    Case(
        "a rule of nft",
        FW % ("f", "forward", "f") + "oifname br0 tcp dport 80 reject",
        "nft delete table inet fw",
        FROM_OUT,
        "another firewall on the host refuses it",
        PUBLISHED,
        "tcp dport 80 reject",
    ),
    Case(
        "policy drop of iptables",
        "iptables -P FORWARD DROP",
        "iptables -P FORWARD ACCEPT",
        FROM_OUT,
        "ip filter FORWARD (policy drop)",
        PUBLISHED,
        "policy drop",
    ),
    Case(
        "policy drop of the older iptables",
        "iptables-legacy -P FORWARD DROP",
        "iptables-legacy -P FORWARD ACCEPT",
        FROM_OUT,
        "iptables-legacy filter FORWARD (policy drop)",
        PUBLISHED,
        "-P FORWARD DROP",
    ),
    Case(
        "input of nft",
        FW % ("i", "input", "i") + "tcp dport 9000 drop",
        "nft delete table inet fw",
        {"source": "out", "destination": OUT, "port": 9000},
        "another firewall on the host drops it as it comes in by eth9",
        ("out", OUT, 9000),
        "dport 9000 drop",
    ),
    Case(
        "input of iptables",
        "iptables -A INPUT -p tcp --dport 9000 -j DROP",
        "iptables -F INPUT",
        {"source": "out", "destination": OUT, "port": 9000},
        "ip filter INPUT",
        ("out", OUT, 9000),
        "9000",
    ),
    Case(
        "the firewall inside",
        "ip netns exec web "
        + FW.replace("&& nft", "&& ip netns exec web nft") % ("i", "input", "i")
        + "tcp dport 80 drop",
        "ip netns exec web nft delete table inet fw",
        FROM_OUT,
        "the firewall inside web drops it as it comes in by eth0",
        PUBLISHED,
        "dport 80 drop",
    ),
    Case(
        "answers are dropped",
        FW % ("f", "forward", "f") + "iifname br0 tcp sport 80 drop",
        "nft delete table inet fw",
        FROM_OUT,
        "drops the answer",
        PUBLISHED,
        "sport 80 drop",
        listening=True,
    ),
    Case(
        "another network",
        "true",
        "true",
        {"source": "far", "destination": "web", "port": 80},
        "the network br0 is isolated: from br1",
        ("far", "172.17.0.2", 80),
        "drop",
    ),
    Case(
        "icc is false",
        "bridge link set dev web-eth0 isolated on && bridge link set dev db-eth0 isolated on",
        "bridge link set dev web-eth0 isolated off && bridge link set dev db-eth0 isolated off",
        {"source": "db", "destination": "web", "port": 80},
        "are isolated ports of br0",
        ("db", "172.17.0.2", 80),
        "isolated on",
    ),
    Case(
        "rp_filter",
        "sysctl -qw net.ipv4.conf.eth9.rp_filter=1 && ip -n out address add 203.0.113.7/32 dev lo && ip route add 203.0.113.0/24 dev br1",
        "sysctl -qw net.ipv4.conf.eth9.rp_filter=0 && ip -n out address del 203.0.113.7/32 dev lo && ip route del 203.0.113.0/24",
        {"source": "203.0.113.7", "destination": OUT, "port": 9000},
        "rp_filter of the host drops it: from 203.0.113.7 it comes in by eth9",
        ("out/203.0.113.7", OUT, 9000),
        "net.ipv4.conf.eth9.rp_filter = 1",
    ),
    Case(
        "no forwarding",
        "sysctl -qw net.ipv4.ip_forward=0",
        "sysctl -qw net.ipv4.ip_forward=1",
        FROM_OUT,
        "the host forwards nothing that comes in by eth9",
        PUBLISHED,
        "net.ipv4.ip_forward = 0",
    ),
    Case(
        "no forwarding of IPv6",
        "sysctl -qw net.ipv6.conf.all.forwarding=0",
        "sysctl -qw net.ipv6.conf.all.forwarding=1",
        {**FROM_OUT, "family": "ipv6"},
        "net.ipv6.conf.all.forwarding = 0",
        ("out", "2001:db8::1", 8080),
        "net.ipv6.conf.all.forwarding = 0",
    ),
    Case(
        "another rule has the port",
        OTHER % "prerouting priority -110" + "tcp dport 8080 dnat to 172.17.0.3:84",
        "nft delete table ip other",
        FROM_OUT,
        "nobody in db listens on tcp port 84",
        PUBLISHED,
        listening=False,
    ),
    Case(
        "IPv6 is off",
        "ip netns exec web sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1",
        IPV6_AGAIN,
        {"source": "db", "destination": "web", "port": 80, "family": "ipv6"},
        "web has no IPv6 address: IPv6 is off on eth0",
        ("db", "fd00:17::2", 80),
        "disable_ipv6 = 1",
    ),
    Case(
        "IPv6 is off behind a published port",
        "ip netns exec web sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1",
        IPV6_AGAIN,
        {**FROM_OUT, "family": "ipv6"},
        "IPv6 is off in web",
        ("out", "2001:db8::1", 8080),
        "disable_ipv6 = 1",
    ),
    Case(
        "no default route",
        "ip -n web route del default",
        "ip -n web route add default via 172.17.0.1",
        FROM_OUT,
        "web has no route to 192.0.2.7",
        PUBLISHED,
        "Network is unreachable",
        listening=True,
    ),
    Case(
        "the host's end is down",
        "ip link set web-eth0 down",
        "ip link set web-eth0 up && until ip -n web route get 172.17.0.3; do :; done",
        {"source": "db", "destination": "web", "port": 80},
        "web-eth0 of the host is down",
        ("db", "172.17.0.2", 80),
        "state DOWN",
    ),
    Case(
        "the container's end is down",
        "ip -n web link set eth0 down",
        "ip -n web link set eth0 up && ip -n web route add default via 172.17.0.1 && "
        "ip -n web address replace fd00:17::2/64 dev eth0 nodad && ip -n web route add default via fd00:17::1",
        {"source": "db", "destination": "172.17.0.2", "port": 80},
        "eth0 of web is down",
        ("db", "172.17.0.2", 80),
        "state DOWN",
    ),
    Case(
        "its link is gone",
        "ip -n db link set eth0 down",
        "ip -n db link set eth0 up && ip -n db route add default via 172.17.0.1 && "
        "ip -n db address replace fd00:17::3/64 dev eth0 nodad",
        {"source": "db", "destination": "172.17.0.2", "port": 80},
        "db has no route to 172.17.0.2: none of its interfaces is up",
        ("db", "172.17.0.2", 80),
        "DOWN",
    ),
    Case(
        "published on one address",
        "true",
        "true",
        {"source": "out", "destination": "3000/tcp"},
        "tcp port 3000 is published on 127.0.0.1 only, and not on 192.0.2.1",
        ("out", OUT, 3000),
        listening=False,
    ),
    Case(
        "127.0.0.1 without route_localnet",
        OTHER % "output priority -100" + "ip daddr 127.0.0.1 tcp dport 8090 dnat to 172.18.0.2:80",
        "nft delete table ip other",
        {"destination": "127.0.0.1", "port": 8090},
        "the host sends nothing from 127.0.0.1 out by br1",
        ("", "127.0.0.1", 8090),
        "route_localnet = 0",
    ),
    Case(
        "no way back by where it was sent on",
        "sysctl -qw net.bridge.bridge-nf-call-iptables=0 && "
        + OTHER % "prerouting priority -110"
        + "tcp dport 8091 dnat to 172.18.0.3:80",
        "sysctl -qw net.bridge.bridge-nf-call-iptables=1 && nft delete table ip other",
        {"source": "far", "destination": OUT, "port": 8091},
        "the answer comes from 172.18.0.3:80, and not from 192.0.2.1:8091",
        ("far", OUT, 8091),
        listening=True,
    ),
    Case(
        "a blackhole",
        "ip -n web route add blackhole 192.0.2.0/24",
        "ip -n web route del blackhole 192.0.2.0/24",
        FROM_OUT,
        "web has a route that sends nothing to 192.0.2.7: blackhole 192.0.2.0/24",
        PUBLISHED,
        listening=True,
    ),
    Case(
        "a policy rule",
        "ip -n web rule add to 192.0.2.0/24 prohibit",
        "ip -n web rule del to 192.0.2.0/24 prohibit",
        FROM_OUT,
        "a policy rule of web prohibits what goes to 192.0.2.7",
        PUBLISHED,
        "prohibit",
        listening=True,
    ),
    Case(
        "the gateway is nobody",
        "ip -n web route replace default via 172.17.0.99",
        "ip -n web route replace default via 172.17.0.1",
        FROM_OUT,
        "nobody on eth0 of web has 172.17.0.99",
        PUBLISHED,
        listening=True,
    ),
    Case(
        "an old neighbour",
        "ip -n db neighbour replace 172.17.0.2 lladdr 02:00:00:00:00:99 dev eth0 nud permanent",
        "ip -n db neighbour del 172.17.0.2 dev eth0",
        {"source": "db", "destination": "web", "port": 80},
        "db has the MAC address 02:00:00:00:00:99 written down for 172.17.0.2",
        ("db", "172.17.0.2", 80),
        "PERMANENT",
    ),
    Case(
        "another wire",
        "ip -n far address add 172.17.0.44/16 dev eth0",
        "ip -n far address del 172.17.0.44/16 dev eth0",
        {"source": "db", "destination": "172.17.0.44", "port": 80},
        "nobody on eth0 of db has 172.17.0.44; eth0 of far has it, which is not on that wire",
        ("db", "172.17.0.44", 80),
    ),
    Case(
        "nobody is told who has an address",
        # of an address of its own, since web tells the other with each question that it asks itself
        "ip netns exec web sysctl -qw net.ipv4.conf.eth0.arp_ignore=8 && ip -n web address add 172.17.0.44/16 dev eth0",
        "ip netns exec web sysctl -qw net.ipv4.conf.eth0.arp_ignore=0; ip -n web address del 172.17.0.44/16 dev eth0",
        {"source": "db", "destination": "172.17.0.44", "port": 80},
        "web has 172.17.0.44, but answers nobody who asks for it by eth0",
        ("db", "172.17.0.44", 80),
        "arp_ignore = 8",
    ),
    Case(
        "nobody may ask who has an address",
        "nft add table inet fw && nft add chain inet fw i '{ type filter hook input priority 0; policy drop; }' && "
        "ip -n out neighbour flush all && ip neighbour flush all",
        "nft delete table inet fw",
        {**FROM_OUT, "family": "ipv6"},
        "drops the question who has an address (nd-neighbor-solicit) as it comes in by eth9",
        ("out", "2001:db8::1", 8080),
        "policy drop",
    ),
    Case(
        "no ping",
        "ip netns exec web sysctl -qw net.ipv4.icmp_echo_ignore_all=1",
        "ip netns exec web sysctl -qw net.ipv4.icmp_echo_ignore_all=0",
        {"source": "db", "destination": "web"},
        "web answers no ping",
        shows="= 1",
    ),
    Case(
        "no way for the host",
        "true",
        "true",
        {"source": "db", "destination": "198.51.100.9"},
        "the host has no route to 198.51.100.9",
        shows="unreachable",
    ),
    Case(
        "there twice",
        "ip -n db address add 172.17.0.2/16 dev eth0",
        "ip -n db address del 172.17.0.2/16 dev eth0",
        {"destination": "172.17.0.2", "port": 80},
        "172.17.0.2 is there twice: eth0 of web and eth0 of db have it",
        verdict="unknown",
        listening=True,
    ),
    Case(
        "a rule that is not understood",
        FW % ("f", "forward", "f") + "iifname eth9 limit rate over 1/day drop",
        "nft delete table inet fw",
        FROM_OUT,
        "it cannot be told whether inet fw f (rule handle",
        verdict="unknown",
        listening=True,
        shows="limit rate over",
    ),
]
