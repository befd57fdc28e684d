# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A family nobody asked for is off: IPv6 of a bridge and of the ends of a pair; and what a namespace of ours is born with."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from proofs import comes, warnings
from wires import Host

PAIR = {"peer_netns": "web", "name": "web0", "exclusive": True}
ENDS = [
    ("bridge", {"name": "br0", "only_ours": True}, "ipv6", "br0", ""),
    ("veth", PAIR, "ipv6", "web0", ""),
    ("veth", PAIR, "peer_ipv6", "eth0", "ip netns exec web "),
]
NET4: list[dict[str, Any]] = [{"name": "four", "subnets": ["10.1.0.0/24"]}]
NET46: list[dict[str, Any]] = [{"name": "four", "subnets": ["10.1.0.0/24", "fd00:1::/64"]}]
# A service on [::]:7000, as many programs have it, and somebody on the other end of an interface who asks it over its link-local address.
SERVE = "import socket; s = socket.create_server(('::', 7000), family=socket.AF_INET6); s.listen(); print(s.accept())"
ASK = """
import socket, sys
sock = socket.socket(socket.AF_INET6)
sock.settimeout(float(sys.argv[3]))
try:
    sock.connect((sys.argv[1], 7000, 0, socket.if_nametoindex(sys.argv[2])))
    print("answered")
except OSError as error:
    print(type(error).__name__, error)
"""


def wires(host: Host, networks: Any, containers: Any) -> None:
    """Wire: check mode says beforehand what is done, and a second run finds nothing to do."""
    lists = {"networks": networks, "containers": containers}
    foreseen, done, again = (host.module("wiring", check=check, **lists) for check in (True, False, False))
    assert (foreseen["changed"], done["changed"], again["changed"]) == (True, True, False), again["diff"]
    assert foreseen["diff"] == done["diff"]


@pytest.mark.parametrize(("module", "item", "option", "name", "inside"), ENDS)
def test_it_is_set_seen_and_put_right(host: Host, module: str, item: Any, option: str, name: str, inside: str) -> None:
    host.run("ip netns add web")
    key = f"net.ipv6.conf.{name}.disable_ipv6"
    made = host.settles(module, **item, **{option: False})
    assert made["after"][option] is False
    assert host.run(f"{inside}sysctl -n {key}").stdout == "1\n"
    assert option not in host.module(module, **item)["after"], "shown where it is asked for"
    host.run(f"{inside}sysctl -qw {key}=0")
    again = host.settles(module, **item, **{option: False})
    assert again["commands"] == [f"{inside}sysctl -w net/ipv6/conf/{name}/disable_ipv6=1"]
    assert (again["diff"]["before"], again["diff"]["after"]) == (f"{option} true\n", f"{option} false\n")
    assert host.settles(module, **item, **{option: True})["after"][option] is True
    assert host.run(f"{inside}sysctl -n {key}; {inside}sysctl -n net.ipv6.conf.lo.disable_ipv6").stdout == "0\n0\n"


@pytest.mark.parametrize(("module", "item", "option", "name", "inside"), [ENDS[0], ENDS[2]])
def test_an_address_of_somebody_else_s_keeps_it_on(
    host: Host, module: str, item: Any, option: str, name: str, inside: str
) -> None:
    host.run("ip netns add web")
    host.module(module, **item)
    host.run(f"{inside}ip addr add fd00::7/64 dev {name} nodad")
    for dummy in range(2):
        kept = host.module(module, **item, **{option: False})
        assert not kept["changed"]
        assert any("IPv6 stays on" in one and "fd00::7" in one for one in warnings(kept)), kept
    host.run(f"{inside}ip addr del fd00::7/64 dev {name}")
    host.settles(module, **item, **{option: False})


def test_what_the_module_is_told_it_does_whoever_gave_the_address(host: Host) -> None:
    host.module("bridge", name="br0")
    host.run("ip addr add fd00::7/64 dev br0 nodad")
    host.settles("bridge", name="br0", ipv6=False)
    assert "fd00::7" not in host.run("ip addr show br0").stdout


@pytest.mark.parametrize("without", ["mtu", "kernel"])
def test_what_has_no_ipv6_is_left_without(host: Host, without: str) -> None:
    host.run("ip netns add web")
    small = {"mtu": "1000"} if without == "mtu" else {}
    if without == "kernel":
        host.run("ip netns exec web sysctl -qw net.ipv6.conf.default.disable_ipv6=1")
    host.settles("veth", **PAIR, **small, ipv6=False, peer_ipv6=False)


@pytest.mark.parametrize("more", [{}, {"internal": True}, {"icc": False}])
def test_a_v4_network_has_no_ipv6(host: Host, more: Any) -> None:
    """Neither the host nor a sibling is reached over a link-local address; lo keeps its own."""
    network = {**NET4[0], **more}
    wires(host, [network], [{"name": "web"}, {"name": "db"}])
    for inside, name in (("", "four"), ("ip netns exec web ", "eth0"), ("ip netns exec db ", "eth0")):
        assert host.run(f"{inside}ip -6 addr show dev {name}").stdout == ""
        assert "::1/128" in host.run(f"{inside}ip -6 addr show dev lo").stdout
    host.spawn([sys.executable, "-c", SERVE])
    comes(host, "ss -Hltn | grep -q :7000")
    mac = host.ip("link show dev four")[0]["address"].split(":")
    local = f"fe80::{int(mac[0], 16) ^ 2:02x}{mac[1]}:{mac[2]}ff:fe{mac[3]}:{mac[4]}{mac[5]}"
    ask = ["ip", "netns", "exec", "web", sys.executable, "-c", ASK, local, "eth0", "1"]
    assert "answered" not in host.run(ask).stdout
    host.run("ip netns exec web sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0")  # a container's root may do so
    assert "answered" not in host.run(ask).stdout


def test_a_network_gets_ipv6_and_loses_it(host: Host) -> None:
    containers = [{"name": "web"}]
    wires(host, NET4, containers)
    wires(host, NET46, containers)
    host.run("ip netns exec web ping -c 1 -W 5 fd00:1::1")
    wires(host, NET4, containers)
    assert host.run("ip -6 addr show dev four; ip -n web -6 addr show dev eth0; ip -n web -6 route show").stdout == ""
    host.run(
        "ip netns exec web sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0; sysctl -qw net.ipv6.conf.four.disable_ipv6=0"
    )
    wires(host, NET4, containers)
    assert host.run("ip -6 addr show dev four; ip -n web -6 addr show dev eth0").stdout == ""


def test_who_sets_the_sysctl_has_it(host: Host) -> None:
    web = {"name": "web", "sysctls": {"net.ipv6.conf.eth0.disable_ipv6": 0}}
    wires(host, NET4, [web])
    assert "fe80::" in host.run("ip -n web -6 addr show dev eth0").stdout


def test_a_namespace_of_ours_is_born_as_docker_s_are(host: Host) -> None:
    keys = ("net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range")
    host.run("ip netns add there")
    containers: list[dict[str, Any]] = [
        {"name": "web"},
        {"name": "there"},
        {"name": "own", "sysctls": {"net/ipv4/ip_unprivileged_port_start": 80}},
    ]
    wires(host, NET4, containers)
    found = {
        one["name"]: host.run(f"ip netns exec {one['name']} sysctl -n {' '.join(keys)}").stdout.split()
        for one in containers
    }
    assert found == {
        "web": ["0", "0", "2147483647"],
        "there": ["1024", "1", "0"],
        "own": ["80", "0", "2147483647"],
    }
    pasted = host.module("netns", name="more", new_sysctls={keys[0]: 7})["commands"]
    assert f"ip netns exec more sysctl -w {keys[0]}=7" in pasted


def test_a_namespace_that_cannot_be_born_so_is_not_made(host: Host) -> None:
    """What has a name was made whole: so a run that is ended between leaves nothing that the next one would take for finished."""
    said = host.fails("netns", name="web", new_sysctls={"net.ipv4.ip_unprivileged_port_start": "no number"})["msg"]
    assert "set sysctl net.ipv4.ip_unprivileged_port_start to 'no number'" in said
    assert "Invalid argument" in said
    assert host.run("ls -A /run/netns").stdout == ""


def test_the_broadcast_address_is_docker_s(host: Host) -> None:
    wires(host, NET46, [{"name": "web"}])
    found = [host.details("", "four")[0], host.details("web")[0]]
    assert [one["broadcast"] for one in found] == ["10.1.0.255"] * 2
    host.run(f"ip -n web addr del {found[1]['local']}/24 dev eth0; ip -n web addr add {found[1]['local']}/24 dev eth0")
    wires(host, NET46, [{"name": "web"}])
    assert "broadcast" not in host.details("web")[0], "what somebody else set stays as it is"
