# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory and the play of docs/fleets.md, as they stand there, on three hosts of two segments: one network, and nobody else in it.

The tests are the chapters of one story, in order.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from fleet import Fleet, Host, Played, answers, serve
from pages import blocks
from plays import Play, checked, pings, silent, talk
from proofs import comes

pytestmark = pytest.mark.needs("lab host", "root", "ssh", "sshd", "nft", "nf_tables", "nf_nat", "vxlan")

INVENTORY, PLAY = (block.loaded() for block in blocks("docs/fleets.md")[:2])
FULL = 1450 - 28  # bytes of a ping that fills the MTU of the network, IPv4

COUNT = (
    "nft list table inet linuxnet_containers | grep -E 'linuxnet-[a-z]+-{name}' | grep -oE 'packets [0-9]+' | "
    "awk '{{ sum += $2 }} END {{ print sum + 0 }}'"
)


def play() -> Play:
    [found] = PLAY
    return dict(found)


def variables() -> dict[str, Any]:
    """What the inventory of the page says, with the lab's addresses."""
    return {**INVENTORY["fleet"]["vars"], "wiring_underlay_address": "{{ lab_data4 }}"}


def addresses(host: Host, name: str) -> dict[int, str]:
    """The addresses that a container has, by family."""
    shown = host.ip(f"-n {name} addr show dev eth0")[0]["addr_info"]
    return {{"inet": 4, "inet6": 6}[one["family"]]: one["local"] for one in shown if one["scope"] == "global"}


@pytest.fixture(scope="module")
def joined(hosts: Fleet) -> Played:
    """Check mode, the run, and the run again."""
    done = hosts.play(checked(play()), play(), play(), **variables())
    for host in hosts.hosts:
        serve(host, "db", 80)
    return done


def test_it_is_foreseen_and_a_second_run_has_nothing_to_do(joined: Played) -> None:
    foreseen, done, again = joined.plays
    assert sorted(done) == ["h1", "h2", "h3"]
    for name, outcome in done.items():
        assert foreseen[name].changed == outcome.changed != []
        assert again[name].changed == []


@pytest.mark.parametrize("family", [4, 6])
def test_containers_of_all_hosts_reach_each_other_by_their_own_addresses(
    hosts: Fleet, joined: Played, family: int
) -> None:
    for one, other in itertools.permutations(hosts.hosts, 2):
        to, source = addresses(other, "db")[family], addresses(one, "web")[family]
        assert talk(hosts.stage, one.inside("web"), other.inside("db"), to) == source


def test_a_packet_of_the_full_size_passes_in_one_piece(hosts: Fleet, joined: Played) -> None:
    one, two, _three = hosts.hosts
    to = addresses(two, "db")[4]
    assert one.run(f"ip netns exec web ping -c 1 -W 30 -M do -s {FULL} {to}").rc == 0
    assert "too long" in one.run(f"ip netns exec web ping -c 1 -W 1 -M do -s {FULL + 1} {to} 2>&1", check=False).stdout


@pytest.mark.parametrize("family", [4, 6])
def test_what_leaves_is_translated_and_published_ports_are_reached(hosts: Fleet, joined: Played, family: int) -> None:
    one = hosts.hosts[0]
    internet = {4: "192.0.2.99", 6: "2001:db8::99"}[family]
    host = {4: one.data4, 6: one.data6}[family]
    assert talk(hosts.stage, one.inside("web"), "internet", internet) == host
    if family == 4:
        serve(one, "web", 80)
    assert ["h1", host, "8080"] in answers(hosts.internet, [host], "8080")


def test_who_routes_the_network_at_a_host_is_not_let_in(hosts: Fleet, joined: Played) -> None:
    """Under his own name, or under that of a container of another host."""
    one, two, _three = hosts.hosts
    closed = addresses(one, "db")
    stranger = hosts.stranger
    stranger.run(f"ip route add 10.7.1.0/24 via {one.data4}; ip route add fd00:7:0:1::/64 via {one.data6}")
    stranger.run("ip addr add 10.7.2.99/32 dev lo; ip addr add fd00:7:0:2::99/128 dev lo nodad")
    assert answers(stranger, closed.values(), "80", limit=1.5) == []
    before = dropped(one, "stray")
    for source, to in (("10.7.2.99", closed[4]), ("fd00:7:0:2::99", closed[6])):
        stranger.run(f"ping -c 1 -W 1 -I {source} {to}", check=False)
    comes(one, f"[ $({COUNT.format(name='stray')}) -ge {before + 2} ]")
    stranger.run("ip addr del 10.7.2.99/32 dev lo; ip addr del fd00:7:0:2::99/128 dev lo")
    assert pings(one, "web", addresses(two, "db")[4]), "the peers are let in as before"


def test_who_sends_frames_of_the_tunnel_and_is_no_peer_is_not_let_in(hosts: Fleet, joined: Played) -> None:
    one = hosts.hosts[0]
    stranger = hosts.stranger
    stranger.run(
        f"ip link add vx type vxlan id {vni(one)} local 198.18.1.200 remote {one.data4} dstport 4789 && ip link set vx up && "
        "ip addr add 10.7.3.99/32 dev vx && ip route add 10.7.1.0/32 dev vx"
    )
    before = dropped(one, "stranger")
    got = received(one)
    stranger.run("ping -c 1 -W 1 -I vx 10.7.1.0", check=False)
    comes(one, f"[ $({COUNT.format(name='stranger')}) -gt {before} ]")
    assert received(one) == got, "nothing has come out of the tunnel"
    stranger.run("ip link del vx")


def dropped(host: Host, name: str) -> int:
    """How many packets the rules of that name have dropped."""
    return int(host.run(COUNT.format(name=name)).stdout)


def vni(host: Host) -> int:
    """The number of the tunnel."""
    return int(json.loads(host.run("ip -j -d link show vx-front").stdout)[0]["linkinfo"]["info_data"]["id"])


def received(host: Host) -> int:
    """How many frames have come out of the tunnel."""
    return int(json.loads(host.run("ip -j -s link show vx-front").stdout)[0]["stats64"]["rx"]["packets"])


def test_a_run_for_one_host_changes_no_other(hosts: Fleet, joined: Played) -> None:
    with hosts.untouched("h1", "h3"):
        done = hosts.play(play(), options=("--limit", "h2"), **variables())
    assert done.changed == {"h2": 0}


def test_a_host_that_leaves_the_group_is_out_when_the_others_have_run(hosts: Fleet, joined: Played) -> None:
    one, _two, three = hosts.hosts
    whole = hosts.inventory.read_text("utf-8")
    listed = json.loads(whole)
    del listed["fleet"]["hosts"]["h3"]
    with hosts.untouched("h3"):
        hosts.inventory.write_text(json.dumps(listed), "utf-8")
        done = hosts.play(play(), play(), **variables())
    assert done.changed["h1"] > 0
    assert all(outcome.changed == [] for outcome in done.plays[1].values())
    left = one.run("bridge fdb show dev vx-front | grep permanent; nft list table inet linuxnet_containers").stdout
    assert three.data4 not in left  # what was learned of it the tunnel forgets by itself
    assert "10.7.3.0/24" not in left
    assert silent(hosts.stage, three.inside("web"), one.inside("db"), addresses(one, "db")[4])
    hosts.inventory.write_text(whole, "utf-8")
    again = hosts.play(play(), **variables())
    assert again.changed["h3"] == 0
    assert (
        talk(hosts.stage, three.inside("web"), one.inside("db"), addresses(one, "db")[4]) == addresses(three, "web")[4]
    )
