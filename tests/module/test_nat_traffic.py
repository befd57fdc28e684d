# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nat with real traffic: which source each destination sees. And forwarding, which the rules need."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
from wires import Host, eventually, warnings

SYSCTL_FILE = "/etc/sysctl.d/99-zz-linuxnet-containers.conf"
V4: dict[str, Any] = {"source": "172.17.0.0/16", "out_interface": "!br0"}
V6: dict[str, Any] = {"source": "fd00:17::/64", "out_interface": "!br0"}
# Tells everybody who connects which address they come from.
SERVER = """
import socket
server = socket.create_server(("::", 7777), family=socket.AF_INET6, dualstack_ipv6=True)
while True:
    peer, address = server.accept()
    with peer:
        peer.sendall(address[0].removeprefix("::ffff:").encode())
"""


@pytest.fixture(autouse=True)
def street(host: Host, needs: Callable[..., None]) -> None:
    """Two containers on a bridge, and behind the host's uplink the "internet", which knows a way back to all of them."""
    needs("nft", "nf_tables", "nf_nat")
    host.bridge("br0", "172.17.0.1/16", "fd00:17::1/64")
    host.container("web", "172.17.0.2/16", "fd00:17::2/64")
    host.container("db", "172.17.0.3/16", "fd00:17::3/64")
    host.run(
        "ip netns add internet && ip link add up0 type veth peer name eth0 netns internet && ip link set up0 up && "
        "ip addr add 192.0.2.2/24 dev up0 && ip addr add 2001:db8::2/64 dev up0 nodad && "
        "ip route add default via 192.0.2.1 && ip -6 route add default via 2001:db8::1 && "
        "ip -n web route add default via 172.17.0.1 && ip -n web -6 route add default via fd00:17::1 && "
        "ip -n internet -batch -",
        input="link set lo up\nlink set eth0 up\naddr add 192.0.2.1/24 dev eth0\naddr add 2001:db8::1/64 dev eth0 nodad\n"
        "addr add 198.51.100.1/32 dev lo\naddr add 10.8.0.1/32 dev lo\naddr add 2001:db8:1::1/128 dev lo nodad\n"
        "addr add fd00:8::1/128 dev lo nodad\nroute add 172.17.0.0/16 via 192.0.2.2\n"
        "route add fd00:17::/64 via 2001:db8::2\n",
    )


def serve(host: Host, netns: str) -> None:
    """Start the server that tells sources."""
    host.spawn(["ip", "netns", "exec", netns, sys.executable, "-c", SERVER])
    assert eventually(lambda: host.run(f"ip netns exec {netns} ss -Hltn sport = 7777").stdout != "")


def source_at(host: Host, destination: str, netns: str = "web") -> str:
    """The source address that the server at a destination sees of a TCP connection from a namespace."""
    where = f"ip netns exec {netns} " if netns else ""
    return host.run(f"{where}timeout 60 bash -c 'cat </dev/tcp/{destination}/7777'").stdout


def forwarding(host: Host) -> tuple[str, str]:
    """The sysctls of both families, as text."""
    first, second = host.run("sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding").stdout.split()
    return first, second


def persisted(host: Host) -> list[str]:
    """The settings in our file."""
    lines = host.run(f"cat {SYSCTL_FILE}", check=False).stdout.splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_f12_each_destination_sees_the_right_source(host: Host, backend: str) -> None:
    """F12: the host's address in the world; their own in the same subnet and where it is excluded, such as a VPN."""
    serve(host, "internet")
    serve(host, "db")
    items = [{**V4, "exclude": ["10.8.0.0/16"]}, {**V6, "exclude": ["fd00:8::/32"]}]
    host.settles("nat", backend=backend, aggregate=items)
    assert source_at(host, "198.51.100.1") == "192.0.2.2"
    assert source_at(host, "192.0.2.1") == "192.0.2.2"
    assert source_at(host, "10.8.0.1") == "172.17.0.2"
    assert source_at(host, "172.17.0.3") == "172.17.0.2"
    assert source_at(host, "2001:db8:1::1") == "2001:db8::2"
    assert source_at(host, "fd00:8::1") == "fd00:17::2"
    assert source_at(host, "fd00:17::3") == "fd00:17::2"
    host.settles("nat", backend=backend, aggregate=[{**V4, "exclude": []}, {**V6, "exclude": []}])
    assert (source_at(host, "10.8.0.1"), source_at(host, "fd00:8::1")) == ("192.0.2.2", "2001:db8::2")


@pytest.mark.needs("tcpdump")
def test_f12_multicast_and_broadcast_are_left_alone(host: Host, backend: str) -> None:
    """F12: sent by the host from its address on the bridge, since nobody routes multicast here."""
    host.settles("nat", source="172.17.0.0/16", backend=backend)
    program = (
        "import socket, sys\n"
        "sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)\n"
        "sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b'up0')\n"
        "sock.bind(('172.17.0.1', 0))\n"
        "for address in ('239.1.1.1', '255.255.255.255', '198.51.100.1'):\n"
        "    sock.sendto(b'hello', (address, 9999))\n"
    )
    seen = host.captured("internet", "eth0", "udp port 9999", lambda: host.run([sys.executable, "-c", program]))
    pairs = re.findall(r"(\S+)\.\d+ > (\S+)\.9999: UDP", seen)
    sources = {destination: source for source, destination in pairs}
    assert sources == {
        "239.1.1.1": "172.17.0.1",
        "255.255.255.255": "172.17.0.1",
        "198.51.100.1": "192.0.2.2",
    }, seen


def test_snat_is_seen_under_the_given_address(host: Host, backend: str) -> None:
    serve(host, "internet")
    host.run("ip addr add 192.0.2.77/24 dev up0 && ip addr add 2001:db8::77/64 dev up0 nodad")
    host.module(
        "nat",
        type="snat",
        backend=backend,
        aggregate=[{**V4, "to_address": "192.0.2.77"}, {**V6, "to_address": "2001:db8::77"}],
    )
    assert source_at(host, "198.51.100.1") == "192.0.2.77"
    assert source_at(host, "2001:db8:1::1") == "2001:db8::77"


def test_without_a_rule_the_containers_own_address_is_seen(host: Host) -> None:
    serve(host, "internet")
    host.run("sysctl -qw net.ipv4.ip_forward=1")
    assert source_at(host, "198.51.100.1") == "172.17.0.2"
    host.module("nat", **V4)
    assert source_at(host, "198.51.100.1") == "192.0.2.2"
    host.module("nat", **V4, state="absent")
    assert source_at(host, "198.51.100.1") == "172.17.0.2"


# --- F14: forwarding ------------------------------------------------------------------------------------------------


def test_f14_forwarding_is_switched_on_persisted_and_taken_back(host: Host) -> None:
    before = host.snapshot()
    done = host.settles("nat", **V4)
    assert (forwarding(host), persisted(host)) == (("1", "0"), ["net.ipv4.ip_forward = 1"])
    assert "ip_forward true\n" in done["diff"]["after"]
    assert f"sysctl_file {SYSCTL_FILE}\n" in done["diff"]["after"]
    assert done["commands"][-1] == "sysctl -w net.ipv4.ip_forward=1"
    hooked = [line for line in host.run("nft list ruleset").stdout.splitlines() if "hook forward" in line]
    assert ["policy accept" in line for line in hooked] == [True], "a chain of ours that keeps others apart"
    host.settles("nat", **V6)
    assert forwarding(host) == ("1", "1")
    assert persisted(host) == ["net.ipv4.ip_forward = 1", "net.ipv6.conf.all.forwarding = 1"]
    host.settles("nat", **V4, state="absent")
    assert (forwarding(host), persisted(host)) == (("0", "1"), ["net.ipv6.conf.all.forwarding = 1"])
    host.settles("nat", **V6, state="absent")
    assert (forwarding(host), persisted(host)) == (("0", "0"), [])
    assert host.run(f"ls {SYSCTL_FILE}", check=False).rc != 0
    assert host.snapshot() == before


def test_f14_forwarding_stays_until_the_last_rule_of_the_family_goes(host: Host) -> None:
    items = [V4, {"source": "10.1.0.0/24"}]
    host.settles("nat", aggregate=items)
    gone = host.settles("nat", **V4, state="absent")
    assert "ip_forward" not in gone["diff"]["after"] + "".join(gone["commands"])
    assert forwarding(host)[0] == "1"
    host.settles("nat", aggregate=items, state="absent")
    assert (forwarding(host)[0], persisted(host)) == ("0", [])


def test_f14_two_rules_that_go_in_one_task_take_forwarding_with_them(host: Host) -> None:
    before = host.snapshot()
    items = [V4, {"source": "10.1.0.0/24"}, V6]
    host.settles("nat", aggregate=items)
    host.settles("nat", aggregate=items, state="absent")
    assert host.snapshot() == before


def test_f14_forwarding_that_was_on_before_is_left_alone(host: Host) -> None:
    host.run("sysctl -qw net.ipv4.ip_forward=1")
    done = host.settles("nat", **V4)
    assert "sysctl" not in "".join(done["commands"])
    assert persisted(host) == []
    host.settles("nat", **V4, state="absent")
    assert forwarding(host)[0] == "1"


def test_f14_forwarding_that_was_switched_off_later_is_switched_on_again(host: Host) -> None:
    host.module("nat", **V4)
    host.run("sysctl -qw net.ipv4.ip_forward=0")
    done = host.settles("nat", **V4)
    assert (done["diff"]["before"], done["diff"]["after"]) == ("ip_forward false\n", "ip_forward true\n")
    assert done["commands"] == ["sysctl -w net.ipv4.ip_forward=1"]


def test_f14_forwarding_that_is_not_asked_for_is_not_touched(host: Host) -> None:
    done = host.settles("nat", **V4, ip_forward=False)
    assert "ip_forward" not in done["after"]
    assert (forwarding(host), persisted(host)) == (("0", "0"), [])


def test_e6_an_uplink_keeps_its_default_route_when_ipv6_forwarding_goes_on(host: Host) -> None:
    """The kernel drops a default route that came by router advertisement as soon as it forwards, unless accept_ra is 2."""
    host.run(
        "ip -6 route replace default via fe80::1 dev up0 proto ra expires 600 && "
        "sysctl -qw net.ipv6.conf.up0.accept_ra=1"
    )
    accepts = "sysctl -n net.ipv6.conf.up0.accept_ra"
    host.settles("nat", **V4)
    host.settles("nat", **V6)
    assert forwarding(host)[1] == "1"
    assert host.run(accepts).stdout == "2\n"
    assert "via fe80::1 dev up0 proto ra" in host.run("ip -6 route show default").stdout
    assert "net/ipv6/conf/up0/accept_ra = 2" in host.run(f"cat {SYSCTL_FILE}").stdout
    host.settles("nat", **V6, state="absent")
    assert host.run(accepts).stdout == "1\n"
    assert "accept_ra" not in host.run(f"cat {SYSCTL_FILE}").stdout


# --- what others do to the same traffic -----------------------------------------------------------------------------

DOCKER = "add table ip nat; add chain ip nat POSTROUTING { type nat hook postrouting priority srcnat; }; "


def test_f3_what_somebody_else_does_already_is_reported_and_not_done_twice(host: Host) -> None:
    host.run(["nft", DOCKER + 'add rule ip nat POSTROUTING oifname != "br0" ip saddr 172.17.0.0/16 counter masquerade'])
    before = host.run("nft list table ip nat").stdout
    done = host.settles("nat", **V4)
    assert done["satisfied_by"] == "ip nat POSTROUTING handle 2"
    assert "masquerade" not in host.run("nft list table inet linuxnet_containers").stdout
    assert host.run("nft list table ip nat").stdout == before
    assert forwarding(host)[0] == "1", "what it needs to work is still seen to"
    serve(host, "internet")
    assert source_at(host, "198.51.100.1") == "192.0.2.2"
    assert host.module("nat", **V4)["satisfied_by"] == "ip nat POSTROUTING handle 2"


@pytest.mark.parametrize(
    "rule",
    [
        'oifname != "br1" ip saddr 172.17.0.0/16 masquerade',
        'oifname != "br0" ip saddr 172.17.0.0/24 masquerade',
        'oifname != "br0" ip saddr 172.17.0.0/16 ip daddr 10.0.0.0/8 masquerade',
        'oifname != "br0" ip saddr 172.17.0.0/16 tcp dport 80 masquerade',
        'oifname != "br0" ip saddr 172.17.0.0/16 accept',
    ],
)
def test_a_rule_of_somebody_else_that_does_less_does_not_count(host: Host, rule: str) -> None:
    host.run(["nft", DOCKER + f"add rule ip nat POSTROUTING {rule}"])
    done = host.settles("nat", **V4)
    assert done["satisfied_by"] is None
    assert "inet linuxnet_containers" in host.run("nft list tables").stdout


def test_a_wider_rule_of_somebody_else_counts_unless_something_is_excluded(host: Host) -> None:
    host.run(["nft", DOCKER + 'add rule ip nat POSTROUTING oifname != "br0" ip saddr 172.16.0.0/12 masquerade'])
    assert host.settles("nat", **V4)["satisfied_by"] == "ip nat POSTROUTING handle 2"
    assert host.settles("nat", **V4, exclude=["10.8.0.0/16"])["satisfied_by"] is None


def blocked(host: Host, rules: str) -> dict[str, Any]:
    """The result of a run on a host with such a forward chain, which is proven to be left as it is."""
    chain = "add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }; "
    host.run(["nft", chain + rules])
    before = host.run("nft list table ip filter").stdout
    done = host.module("nat", backend="nftables", **V4)
    assert host.run("nft list table ip filter").stdout == before
    return done


def test_a_forward_chain_that_drops_is_reported(host: Host) -> None:
    """F1 without Docker: traffic is dropped, and the result says by whom."""
    done = blocked(
        host, 'add rule ip filter FORWARD ct state established accept; add rule ip filter FORWARD iifname "x" accept'
    )
    assert done["blocked_by"] == ["ip filter FORWARD (policy drop)"]
    assert warnings(done) == [
        "Forwarded packets from 172.17.0.0/16 are dropped by ip filter FORWARD (policy drop); "
        "let them through there, or take backend: iptables."
    ]
    assert not host.ping("web", "198.51.100.1", within=0.1)
    assert host.module("nat", backend="nftables", **V4)["blocked_by"] == ["ip filter FORWARD (policy drop)"]
    quiet = host.module("nat", **V4, backend="nftables", forward=False)
    assert (quiet["blocked_by"], warnings(quiet)) == ([], [])


def test_a_forward_chain_with_a_rule_that_drops_is_reported(host: Host) -> None:
    done = blocked(host, "add rule ip filter FORWARD ip saddr 172.16.0.0/12 drop; add rule ip filter FORWARD accept")
    assert done["blocked_by"] == ["ip filter FORWARD (rule handle 2)"]


@pytest.mark.parametrize(
    "rules",
    [
        'add rule ip filter FORWARD iifname "br0" accept',
        "add rule ip filter FORWARD ip saddr 172.17.0.0/16 accept",
        'add chain ip filter USER; add rule ip filter USER iifname "br0" oifname != "br0" accept; '
        "add rule ip filter FORWARD jump USER",
    ],
)
def test_a_forward_chain_that_lets_it_pass_is_no_matter(host: Host, rules: str) -> None:
    reply = "add rule ip filter FORWARD ct state established,related accept; "
    done = blocked(host, reply + rules)
    assert (done["blocked_by"], warnings(done)) == ([], [])
    assert host.ping("web", "198.51.100.1")


def test_g13_without_the_backend_s_program_nothing_is_changed(host: Host) -> None:
    """G13: the programs are hidden by mounts that only this test sees. With auto, iptables takes over where nft is missing."""
    hidden = [host.run(f"command -v {name}").stdout.strip() for name in ("nft", "iptables", "iptables-nft-restore")]
    hidden.append(host.run("command -v iptables-legacy-restore").stdout.strip())
    host.run("touch /run/nothing" + "".join(f" && mount --bind /run/nothing {program}" for program in hidden))
    try:
        for backend, program, package in (
            ("auto", "nft", "nftables"),
            ("nftables", "nft", "nftables"),
            ("iptables", "iptables", "iptables"),
        ):
            for check in (True, False):
                said = host.fails("nat", check=check, backend=backend, **V4)
                message = f"The program {program} is not installed on this host: install the package {package}."
                assert (said["msg"], said["missing"]) == (message, package)
    finally:
        host.run("; ".join(f"umount {program}" for program in hidden[1:]))
    assert forwarding(host) == ("0", "0")
    try:
        assert host.settles("nat", **V4)["after"]["backend"] == "iptables-nft"
    finally:
        host.run(f"umount {hidden[0]}")
