# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Router advertisements: heard by the ends that are told to, and by no other; seen with real ones, which a container sends."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from lab import Lab
from proofs import ADVERTISE, settles
from wires import Host

PAIR = {"peer_netns": "web", "name": "web0"}
ENDS = [
    ("bridge", {"name": "br0"}, "accept_ra", "br0", ""),
    ("veth", PAIR, "accept_ra", "web0", ""),
    ("veth", PAIR, "peer_accept_ra", "eth0", "ip netns exec web "),
]


@pytest.mark.parametrize(("module", "item", "option", "name", "inside"), ENDS)
def test_it_is_set_seen_and_put_right(host: Host, module: str, item: Any, option: str, name: str, inside: str) -> None:
    host.run("ip netns add web")
    key = f"net.ipv6.conf.{name}.accept_ra"
    made = host.settles(module, **item, **{option: False})
    assert made["after"][option] is False
    assert host.run(f"{inside}sysctl -n {key}").stdout == "0\n"
    assert option not in host.module(module, **item)["after"], "shown where it is asked for"
    host.run(f"{inside}sysctl -qw {key}=2")
    again = host.settles(module, **item, **{option: False})
    assert again["commands"] == [f"{inside}sysctl -w net/ipv6/conf/{name}/accept_ra=0"]
    assert (again["diff"]["before"], again["diff"]["after"]) == (f"{option} true\n", f"{option} false\n")
    heard = host.settles(module, **item, **{option: True})
    assert heard["after"][option] is True
    assert host.run(f"{inside}sysctl -n {key}").stdout == "1\n"


@pytest.mark.parametrize("without", ["mtu", "kernel"])
def test_what_has_no_ipv6_hears_none(host: Host, without: str) -> None:
    host.run("ip netns add web")
    small = {"mtu": "1000"} if without == "mtu" else {}
    if without == "kernel":
        host.run("ip netns exec web sysctl -qw net.ipv6.conf.default.disable_ipv6=1")
    host.settles("veth", **PAIR, **small, accept_ra=False, peer_accept_ra=False)


@pytest.mark.parametrize("heard", [True, False])
def test_a_container_s_advertisement(lab: Lab, heard: bool) -> None:
    """The host and the sibling have its route and its prefix where they hear it; else nothing of it."""
    for name in ("web", "evil"):
        lab.run(f"ip netns add {name}")
    lab.module("bridge", name="br0", accept_ra=heard)
    lab.module("veth", peer_netns="web", bridge="br0", peer_accept_ra=heard)
    lab.module("veth", peer_netns="evil", bridge="br0")
    lab.run(
        "ip netns exec evil sysctl -qw net.ipv6.conf.all.forwarding=1"
    )  # its neighbour advertisements call it a router, too
    lab.run(["ip", "netns", "exec", "evil", sys.executable, "-c", ADVERTISE, "eth0", "2"])
    for inside in ("", "ip netns exec web "):
        routes = lab.run(f"{inside}ip -6 route show proto ra; {inside}ip -6 addr show dynamic").stdout
        assert ("default via fe80::" in routes, "fd99:" in routes) == (heard, heard), routes


def test_the_settings_survive_a_second_run_without_a_word(lab: Lab) -> None:
    lab.run("ip netns add web")
    settles(lab, "veth", peer_netns="web", accept_ra=False, peer_accept_ra=False)
