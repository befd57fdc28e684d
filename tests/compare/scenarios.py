# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Docker and we are asked to make, to be compared."""

from __future__ import annotations

from twins import Container, Network, Scenario

FOUR, SIX = "172.30.1.0/24", "fd00:30:1::/64"
FRONT, BOTH = Network("front", [FOUR]), Network("front", [FOUR, SIX])
BACK = Network("back", ["172.30.2.0/24", "fd00:30:2::/64"])
DB = Container("db")
BRIDGED = "sysctl -qw net.bridge.bridge-nf-call-iptables={0} net.bridge.bridge-nf-call-ip6tables={0}"
DROP = "iptables -P FORWARD DROP; ip6tables -P FORWARD DROP"
FORWARDING = "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"
# An administrator's own filter on what is for the host.
INPUT = """
for one in iptables ip6tables; do
    $one -P INPUT DROP; $one -A INPUT -i lo -j ACCEPT
    $one -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
done
ip6tables -A INPUT -p ipv6-icmp -j ACCEPT
"""


def web(*ports: str) -> Container:
    """A container that publishes ports."""
    return Container("web", ports=ports)


SCENARIOS = [
    Scenario("a network without IPv6", [FRONT], [web(), DB]),
    Scenario("two families", [BOTH], [web(), DB]),
    Scenario("a published port", [FRONT], [web("8080:80"), DB], asked=[8080]),
    Scenario("a published port, two families", [BOTH], [web("8080:80"), DB], asked=[8080]),
    Scenario(
        "without the proxy process", [BOTH], [web("8080:80"), DB], asked=[8080], options=["--userland-proxy=false"]
    ),
    Scenario(
        "published on single addresses",
        [BOTH],
        [web("192.0.2.1:8080:80", "127.0.0.1:8081:80", "192.0.2.2:8082:81", "[2001:db8::1]:8083:80"), DB],
        asked=[8080, 8081, 8082, 8083],
    ),
    Scenario("UDP", [BOTH], [web("8080:80/udp", "8081:81/udp", "8081:80/tcp"), DB], asked=[8080, 8081]),
    Scenario("a range of ports", [BOTH], [web("8000-8001:80-81"), DB], asked=[8000, 8001]),
    Scenario(
        "two networks",
        [BOTH, BACK],
        [web("8080:80"), DB, Container("far", ["back"], ["8081:80"]), Container("near", ["back"])],
        asked=[8080, 8081],
    ),
    Scenario(
        "a container in two networks",
        [BOTH, BACK],
        [Container("web", ["front", "back"], ["8080:80"]), DB, Container("far", ["back"])],
        asked=[8080],
    ),
    Scenario("internal", [Network("front", [FOUR], internal=True), BACK], [web(), DB, Container("far", ["back"])]),
    Scenario("internal, two families", [Network("front", [FOUR, SIX], internal=True)], [web(), DB]),
    Scenario("no communication among containers", [Network("front", [FOUR, SIX], icc=False)], [web(), DB]),
    Scenario(
        "no communication, published, br_netfilter on",
        [Network("front", [FOUR, SIX], icc=False)],
        [web("8080:80"), DB],
        before=BRIDGED.format(1),
        asked=[8080],
    ),
    Scenario(
        "no communication, published, br_netfilter off",
        [Network("front", [FOUR, SIX], icc=False)],
        [web("8080:80"), DB],
        before=BRIDGED.format(0),
        asked=[8080],
    ),
    Scenario("published, br_netfilter on", [BOTH], [web("8080:80"), DB], before=BRIDGED.format(1), asked=[8080]),
    Scenario("published, br_netfilter off", [BOTH], [web("8080:80"), DB], before=BRIDGED.format(0), asked=[8080]),
    Scenario("no masquerade", [Network("front", [FOUR, SIX], masquerade=False)], [web("8080:80"), DB], asked=[8080]),
    Scenario("FORWARD drops before", [BOTH], [web("8080:80"), DB], before=DROP, asked=[8080]),
    Scenario(
        "FORWARD drops before, br_netfilter on",
        [BOTH],
        [web("8080:80"), DB],
        before=f"{DROP}; {BRIDGED.format(1)}",
        asked=[8080],
    ),
    Scenario("INPUT drops before", [BOTH], [web("8080:80"), DB], before=INPUT, asked=[8080]),
    Scenario("a router before", [BOTH], [web("8080:80"), DB], before=FORWARDING, asked=[8080]),
    Scenario("mode host", [BOTH], [Container("web", mode="host"), DB]),
    Scenario("mode none", [BOTH], [Container("web", mode="none"), DB]),
    Scenario("mode container", [BOTH], [web("8080:80"), DB, Container("side", mode="container:web")], asked=[8080]),
    Scenario("a container that ended", [BOTH], [web("8080:80"), DB], stop=["web"], asked=[8080]),
    Scenario(
        "another container with the address of one that ended",
        [Network("front", [FOUR], range="172.30.1.8/31")],
        [web("8080:80")],
        stop=["web"],
        later=[Container("other")],
        asked=[8080],
    ),
]
# Those that `make test` runs.
SHORT = ("a published port", "two networks", "published on single addresses")
