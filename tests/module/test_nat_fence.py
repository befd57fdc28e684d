# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nat with real packets: forwarding that it switches on joins no interfaces that were apart."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from wires import MOMENT, Host, called, warnings

V4: dict[str, Any] = {"source": "172.17.0.0/16", "out_interface": "!br0"}
V6: dict[str, Any] = {"source": "fd00:17::/64", "out_interface": "!br0"}
PORTS: list[dict[str, Any]] = [
    {
        "type": "dnat",
        "owner": "web",
        "bridge": "br0",
        "host_port": "8080",
        "to_port": "7777",
        "to_address": to,
        "host_ip": ip,
    }
    for to, ip in (("172.17.0.2", "192.0.2.2"), ("fd00:17::2", "2001:db8::2"))
]
ALL = [V4, V6, *PORTS]
HOST_4, HOST_6 = "192.0.2.2", "2001:db8::2"
LAN_4, LAN_6 = "10.7.0.2", "fd00:7::2"
OUT_4, OUT_6 = "192.0.2.1", "2001:db8::1"
SERVER = """
import socket, sys
server = socket.create_server(("::", 7777), family=socket.AF_INET6, dualstack_ipv6=True)
while True:
    peer, _address = server.accept()
    with peer:
        peer.sendall(sys.argv[1].encode())
"""


def serve(host: Host, netns: str) -> None:
    """Start a server in a namespace that says the namespace's name."""
    host.spawn(["ip", "netns", "exec", netns, sys.executable, "-c", SERVER, netns])
    host.listens(netns, 7777)


@pytest.fixture(autouse=True)
def street(host: Host, needs: Callable[..., None]) -> None:
    """The outside at up0 and somebody's LAN at lan0, which know the host as their router; a container on a bridge."""
    needs("nft", "nf_tables", "nf_nat")
    host.bridge("br0", "172.17.0.1/16", "fd00:17::1/64")
    host.container("web", "172.17.0.2/16", "fd00:17::2/64")
    host.run(
        "ip -n web route add default via 172.17.0.1 && ip -n web -6 route add default via fd00:17::1 && "
        "bridge link set dev web-eth0 hairpin on"
    )
    joined(host, "outside", "up0", (OUT_4, HOST_4, OUT_6, HOST_6))
    joined(host, "lan", "lan0", (LAN_4, "10.7.0.1", LAN_6, "fd00:7::1"))
    for netns in ("outside", "lan", "web"):
        serve(host, netns)


def joined(host: Host, netns: str, interface: str, addresses: tuple[str, str, str, str], router: str = "") -> None:
    """Join a namespace to the host, or another one, by a pair: its address and that of the router, over IPv4 and IPv6."""
    own4, other4, own6, other6 = addresses
    where = f"-n {router} " if router else ""
    host.run(
        f"ip netns list | grep -qw {netns} || ip netns add {netns}; "
        f"ip {where}link add {interface} type veth peer name to-router netns {netns} && "
        f"ip {where}link set {interface} up && ip -n {netns} link set lo up && ip -n {netns} link set to-router up && "
        f"ip {where}addr add {other4}/24 dev {interface} && ip {where}addr add {other6}/64 dev {interface} nodad && "
        f"ip -n {netns} addr add {own4}/24 dev to-router && ip -n {netns} addr add {own6}/64 dev to-router nodad && "
        f"ip -n {netns} route add default via {other4} && ip -n {netns} -6 route add default via {other6}"
    )


def reached(host: Host, netns: str, *addresses: str, port: int = 7777) -> list[str]:
    """Who answers a caller in a namespace at these addresses."""
    return [called(host, netns, address, port, 60) for address in addresses]


def apart(host: Host, one: str = "outside", other: str = "lan") -> None:
    """See that neither of two namespaces reaches the other over either family."""
    to = {"lan": (LAN_4, LAN_6), "outside": (OUT_4, OUT_6)}
    for here, there in ((one, other), (other, one)):
        assert [called(host, here, address, 7777, MOMENT) for address in to[there]] == ["", ""], f"{here} to {there}"


def works(host: Host) -> None:
    """See that what is ours works: the container reaches the outside and the LAN, and its port is reached from both."""
    assert reached(host, "web", OUT_4, OUT_6, LAN_4, LAN_6) == ["outside", "outside", "lan", "lan"]
    for netns in ("outside", "lan"):
        assert reached(host, netns, HOST_4, HOST_6, port=8080) == ["web", "web"]


def switched(host: Host) -> list[str]:
    return host.run("sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding").stdout.split()


def take_rules_out(host: Host, how: str) -> None:
    """What somebody types who does not know that the rules are ours."""
    if host.backend == "nftables":
        host.run(f"nft flush {how} {'inet linuxnet_containers' if how == 'table' else ''}")
        return
    chains = "" if how == "table" else " && $ip -t $table -X"
    host.run(
        f"for ip in iptables ip6tables; do for table in raw mangle nat filter; do $ip -t $table -F{chains}; done; done"
    )


def test_what_was_apart_stays_apart_and_what_is_ours_passes(host: Host, backend: str) -> None:
    before = host.snapshot()
    apart(host)
    done = host.settles("nat", backend=backend, aggregate=ALL)
    assert [one["after"]["fenced"] for one in done["results"]] == [True] * 4
    assert switched(host) == ["1", "1"]
    apart(host)
    works(host)
    gone = host.settles("nat", backend=backend, aggregate=ALL, state="absent")
    assert [one["before"]["fenced"] for one in gone["results"]] == [True] * 4
    assert host.snapshot() == before
    apart(host)


def test_a_router_goes_on_as_one(host: Host, backend: str) -> None:
    host.run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
    before = host.snapshot()
    for state in ("present", "absent"):
        assert reached(host, "outside", LAN_4, LAN_6) == ["lan", "lan"]
        done = host.settles("nat", backend=backend, aggregate=ALL, state=state)
        facts = [one["after" if state == "present" else "before"] for one in done["results"]]
        assert [one["fenced"] for one in facts] == [False] * 4
        assert reached(host, "outside", LAN_4, LAN_6) == ["lan", "lan"]
    assert host.snapshot() == before


def test_a_family_that_was_forwarded_is_left_and_the_other_fenced(host: Host, backend: str) -> None:
    host.run("sysctl -qw net.ipv6.conf.all.forwarding=1")
    host.settles("nat", backend=backend, aggregate=ALL)
    assert reached(host, "outside", LAN_6) == ["lan"]
    assert called(host, "outside", LAN_4, 7777, MOMENT) == ""
    works(host)


def test_a_port_of_the_lan_is_published_and_nothing_else_of_it(host: Host, backend: str) -> None:
    """The address is behind no bridge; what is published passes the fence, and its answers."""
    ports = [{**port, "bridge": None, "to_address": to} for port, to in zip(PORTS, (LAN_4, LAN_6), strict=True)]
    host.settles("nat", backend=backend, aggregate=ports)
    assert reached(host, "outside", HOST_4, HOST_6, port=8080) == ["lan", "lan"]
    apart(host)


def test_a_network_that_a_rule_is_about_is_let_through_until_the_rule_goes(host: Host, backend: str) -> None:
    host.settles("nat", backend=backend, aggregate=ALL)
    own = [{"source": "10.7.0.0/24", "out_interface": "up0"}, {"source": "fd00:7::/64", "out_interface": "up0"}]
    host.settles("nat", backend=backend, aggregate=own)
    assert reached(host, "lan", OUT_4, OUT_6) == ["outside", "outside"]
    host.settles("nat", backend=backend, aggregate=own, state="absent")
    apart(host)
    works(host)


def test_an_interface_that_comes_later_is_not_in_it(host: Host, backend: str) -> None:
    host.module("nat", backend=backend, aggregate=ALL)
    joined(host, "vpn", "vpn0", ("10.9.0.2", "10.9.0.1", "fd00:9::2", "fd00:9::1"))
    assert reached(host, "vpn", LAN_4, LAN_6) == ["lan", "lan"]
    host.settles("nat", backend=backend, aggregate=[{"source": "10.9.0.0/24"}])


@pytest.mark.parametrize("how", ["table", "ruleset"])
def test_where_somebody_flushed_the_rules_the_next_run_makes_it_anew(host: Host, backend: str, how: str) -> None:
    before = host.snapshot()
    host.module("nat", backend=backend, aggregate=ALL)
    take_rules_out(host, how)
    assert reached(host, "outside", LAN_4, LAN_6) == ["lan", "lan"], "nobody keeps them apart"
    done = host.settles("nat", backend=backend, aggregate=ALL)
    assert [one["after"]["fenced"] for one in done["results"]] == [True] * 4
    apart(host)
    works(host)
    host.settles("nat", backend=backend, aggregate=ALL, state="absent")
    assert nothing_left(host) == before


def nothing_left(host: Host) -> str:
    """The host, without the empty tables of iptables-nft, of which it is seen that there is nothing in them."""
    rules = host.run("nft list ruleset; iptables-save; ip6tables-save").stdout
    assert "linuxnet" not in rules.lower()
    host.run("nft flush ruleset")
    return host.snapshot()


@pytest.mark.parametrize("how", ["table", "ruleset"])
@pytest.mark.parametrize("items", [ALL, [V4], PORTS], ids=["all", "source", "ports"])
def test_where_somebody_flushed_the_rules_absent_and_purge_leave_nothing(
    host: Host, backend: str, how: str, items: Any
) -> None:
    before = host.snapshot()
    for way in ("absent", "purge"):
        host.module("nat", backend=backend, aggregate=items)
        take_rules_out(host, how)
        if way == "absent":
            host.settles("nat", backend=backend, aggregate=items, state="absent")
        else:
            host.module("nat", type="dnat", owner="web", state="absent", ip_forward=False)  # the maps' elements
            left = host.module("wiring_info", gather=["orphans"])["wiring"]["orphans"]
            assert {one["kind"] for one in left} == {"forwarding"}
            options: dict[str, Any] = {"networks": [], "containers": [], "purge": True}
            foreseen = host.module("wiring", check=True, **options)
            done = host.module("wiring", **options)
            assert (foreseen["changed"], foreseen["results"]) == (done["changed"], done["results"])
            assert host.module("wiring", **options)["changed"] is False
        assert nothing_left(host) == before, way


def test_in_another_namespace(host: Host, backend: str) -> None:
    """A router that is a namespace, between two others; there it is the fence that says that forwarding is ours."""
    host.run("ip netns add router && ip -n router link set lo up")
    joined(host, "east", "up0", (OUT_4, HOST_4, OUT_6, HOST_6), "router")
    joined(host, "west", "lan0", (LAN_4, "10.7.0.1", LAN_6, "fd00:7::1"), "router")
    for netns in ("east", "west"):
        serve(host, netns)
    before = host.snapshot()
    rules = [{**rule, "netns": "router"} for rule in (V4, V6)]
    done = host.settles("nat", backend=backend, aggregate=rules)
    assert [one["after"]["fenced"] for one in done["results"]] == [True, True]
    assert [called(host, "east", address, 7777, MOMENT) for address in (LAN_4, LAN_6)] == ["", ""]
    own = {"source": "10.7.0.0/24", "out_interface": "up0", "netns": "router"}
    host.settles("nat", backend=backend, **own)
    assert reached(host, "west", OUT_4) == ["east"]
    host.settles("nat", backend=backend, aggregate=[*rules, own], state="absent")
    assert host.snapshot() == before


def test_a_name_with_any_byte_is_data(host: Host, backend: str) -> None:
    """What no rule can name is told, and everything else is kept apart all the same."""
    for number, name in enumerate(("$(reboot)", "a;b#c", "{x}", "-f", "é", 'quo"te', "star*", "plus+")):
        host.run(["ip", "link", "add", "name", name, "type", "veth", "peer", "name", f"peer{number}"])
    done = host.settles("nat", backend=backend, aggregate=[V4])
    said = "No rule can name 'plus+', 'quo\"te', 'star*', so what is forwarded from or to there is not dropped."
    assert warnings(done) == [said]
    apart(host)


@pytest.mark.parametrize(("first", "second"), [("nftables", "iptables"), ("iptables", "nftables")])
def test_it_goes_along_to_another_backend(host: Host, first: str, second: str) -> None:
    before = host.snapshot()
    host.settles("nat", backend=first, aggregate=ALL)
    host.settles("nat", backend=second, aggregate=ALL)
    rules = host.run("nft list tables; iptables-save; ip6tables-save").stdout
    assert ("LINUXNET" in rules, "inet linuxnet_containers" in rules) == (second == "iptables", second == "nftables")
    apart(host)
    works(host)
    host.settles("nat", aggregate=ALL, state="absent")
    assert host.snapshot() == before
