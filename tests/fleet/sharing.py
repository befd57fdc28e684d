# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of networks that several hosts share have in common: the inventory, who has which address, who gets where, and what was dropped."""

from __future__ import annotations

import contextlib
import difflib
import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any

from fleet import Beside, Fleet, Host, Played, serve
from lab import Lab
from plays import Play, talk, wiring

NAMES = ("h1", "h2", "h3")
FAMILIES = (4, 6)
INTERNET = {4: "192.0.2.99", 6: "2001:db8::99"}
UNDERLAY = "wiring_underlay_address"

# The packets that rules have dropped that have a word in them, on either backend.
DROPPED = (
    "{{ nft list table inet linuxnet_containers 2>/dev/null | grep -E 'counter.* drop' | grep -E '{words}' | "
    "sed -E 's/.*packets ([0-9]+).*/\\1/'; for tool in iptables ip6tables; do $tool-save -c | grep -- '-j DROP' | grep -E '{words}' | "
    "sed -E 's/^.([0-9]+):.*/\\1/'; done; }} | awk '{{ sum += $1 }} END {{ print sum + 0 }}'"
)


def sharing(networks: list[dict[str, Any]], containers: list[dict[str, Any]], **variables: Any) -> Play:
    """A play of the role on hosts that share networks: all of the group."""
    return wiring(**{"networks": networks, "containers": containers, "fleet": "fleet", **variables})


@contextlib.contextmanager
def inventory(hosts: Fleet) -> Iterator[dict[str, dict[str, Any]]]:
    """The variables of the group's hosts, to be changed: they are written when the block ends."""
    listed = json.loads(hosts.inventory.read_text("utf-8"))
    yield listed["fleet"]["hosts"]
    hosts.inventory.write_text(json.dumps(listed, indent=1), "utf-8")


def on_the_data_network(hosts: Fleet) -> None:
    """Write down each host's underlay address: that of its interface to the data network, IPv4."""
    with inventory(hosts) as listed:
        for told in listed.values():
            told[UNDERLAY] = "{{ lab_data4 }}"


def addresses(host: Host, name: str) -> dict[int, str]:
    """The addresses that a container has, by family."""
    shown = host.ip(f"-n {name} addr show dev eth0")[0]["addr_info"]
    return {{"inet": 4, "inet6": 6}[one["family"]]: one["local"] for one in shown if one["scope"] == "global"}


def all_talk(hosts: Fleet, members: Iterable[str] = NAMES, client: str = "web", server: str = "db") -> None:
    """Have a container of each host talk to one of each other host, which sees it under its own address. AssertionError if they do not."""
    for one, other in itertools.permutations([hosts[name] for name in members], 2):
        to = addresses(other, server)
        for family, source in addresses(one, client).items():
            assert talk(hosts.stage, one.inside(client), other.inside(server), to[family]) == source


def serving(hosts: Fleet, *containers: str, port: int = 80) -> None:
    """Have somebody listen in these containers of each host."""
    for host in hosts.hosts:
        for name in containers:
            serve(host, name, port)


def dropped(host: Host, *words: str) -> int:
    """How many packets the rules of this collection have dropped that have one of the words in them."""
    return int(host.run(DROPPED.format(words="|".join(words))).stdout)


def came_through(host: Host, tunnel: str) -> int:
    """How many frames have come out of a tunnel."""
    return int(json.loads(host.run(f"ip -j -s link show {tunnel}").stdout)[0]["stats64"]["rx"]["packets"])


def fits(host: Host, container: str, to: str, size: int) -> bool:
    """Whether a packet of so many bytes, which may not be cut to pieces, gets to an address from a container."""
    header = 48 if ":" in to else 28
    ping = f"ip netns exec {container} ping -n -q -c 1 -W 30 -M do -s {size - header} {to}"
    return host.run(ping, check=False).rc == 0


def mtus(host: Host, *containers: str) -> set[int]:
    """The MTUs of the containers' interfaces."""
    return {host.ip(f"-n {name} link show dev eth0")[0]["mtu"] for name in containers}


def way(who: Lab | Beside, address: str) -> tuple[str, str]:
    """By which interface and gateway it sends to an address."""
    (route,) = json.loads(who.run(f"ip -j route get {address}").stdout)
    return str(route["dev"]), str(route.get("gateway", ""))


def as_before(hosts: Fleet, before: dict[str, str], *names: str) -> None:
    """Assert that these hosts, or all, are as they were when `snapshots` was called."""
    for name in names or NAMES:
        lines = difflib.unified_diff(
            before[name].splitlines(), hosts[name].snapshot().splitlines(), "before", name, "", "", 0
        )
        left = "\n".join(lines)
        assert not left, left


def snapshots(hosts: Fleet) -> dict[str, str]:
    """All that a wiring could touch, by host."""
    return {host.name: host.snapshot() for host in hosts.hosts}


def changed(done: Played, number: int = -1) -> dict[str, list[str]]:
    """What changed something in a play, by host."""
    return {name: outcome.changed for name, outcome in sorted(done.plays[number].items())}


def nothing(*names: str) -> dict[str, list[str]]:
    """What `changed` returns where nothing did, on these hosts, or all."""
    return {name: [] for name in names or NAMES}
