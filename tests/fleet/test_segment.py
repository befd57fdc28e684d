# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Networks whose bridges are one segment over all hosts: who gets where, that each container's gateway is its own host, and who does not get in.

The tests are the chapters of one story, in order. Two networks are shared: "wide", and "cells", whose containers are kept from each other.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from fleet import Fleet, Host, Played, answers
from plays import Play, checked, pings, refused, talk
from sharing import (
    FAMILIES,
    INTERNET,
    NAMES,
    addresses,
    all_talk,
    as_before,
    came_through,
    changed,
    dropped,
    fits,
    mtus,
    nothing,
    on_the_data_network,
    serving,
    sharing,
    snapshots,
)

pytestmark = pytest.mark.needs("lab host", "root", "ssh", "sshd", "ping", "nft", "nf_tables", "nf_nat", "vxlan")

NETWORKS: list[dict[str, Any]] = [
    {"name": "wide", "subnets": ["10.7.0.0/16", "fd00:7::/48"], "driver": "vxlan", "vni": 7},
    {"name": "cells", "subnets": ["10.9.0.0/16", "fd00:9::/48"], "driver": "vxlan", "icc": False},
]
CONTAINERS: list[dict[str, Any]] = [
    {"name": "web", "networks": [{"name": "wide"}], "published_ports": ["8080:8080", "8000:80"]},
    {"name": "db", "networks": [{"name": "wide"}]},
    {"name": "cell", "networks": [{"name": "cells"}]},
    {"name": "mate", "networks": [{"name": "cells"}]},
]
GATEWAYS = {4: "10.7.0.1", 6: "fd00:7::1"}
# A table of the test's own that counts who asks for a gateway through the tunnel, and who answers.
COUNTING = """
table bridge asked {
  chain out {
    type filter hook postrouting priority 0
    oifname vx-wide arp daddr ip 10.7.0.1 counter
    oifname vx-wide arp saddr ip 10.7.0.1 counter
    oifname vx-wide icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } @th,64,128 0xfd000007000000000000000000000001 counter
  }
}
"""
SENT = "nft list table bridge asked | grep -oE 'packets [0-9]+' | awk '{ sum += $2 } END { print sum + 0 }'"


def play(**variables: Any) -> Play:
    return sharing(NETWORKS, CONTAINERS, **variables)


@pytest.fixture(scope="module")
def pristine(hosts: Fleet) -> dict[str, str]:
    """The hosts before anything."""
    return snapshots(hosts)


@pytest.fixture(scope="module")
def first(hosts: Fleet, pristine: dict[str, str]) -> Played:
    """Check mode, the run, and the run again. Then the containers say whose they are."""
    on_the_data_network(hosts)
    done = hosts.play(checked(play()), play(), play())
    serving(hosts, "web", "db", "cell")
    return done


def test_each_host_is_wired_as_foreseen_and_the_second_run_has_nothing_to_do(first: Played) -> None:
    foreseen, done, again = first.plays
    assert sorted(done) == [*NAMES]
    for name in NAMES:
        assert foreseen[name].drift() == done[name].drift() != {}
        assert again[name].changed == []


def test_each_host_gives_addresses_of_its_slice_and_all_are_on_one_link(hosts: Fleet, first: Played) -> None:
    for host in hosts.hosts:
        found = host.ip("-n web addr show dev eth0")[0]["addr_info"]
        four, six = [(one["local"], one["prefixlen"]) for one in found if one["scope"] == "global"]
        assert four[0].startswith(f"10.7.{host.number}.")
        assert six[0].startswith(f"fd00:7:0:{host.number}:")
        assert (four[1], six[1]) == (16, 48)


def test_containers_of_all_hosts_reach_each_other_and_see_who_it_is(hosts: Fleet, first: Played) -> None:
    all_talk(hosts)


def test_a_host_reaches_the_containers_of_the_others_under_an_address_of_its_own(hosts: Fleet, first: Played) -> None:
    for one, other in itertools.permutations(hosts.hosts, 2):
        to = addresses(other, "db")
        own = {4: f"10.7.{one.number}.1", 6: f"fd00:7:0:{one.number}::1"}
        for family in FAMILIES:
            assert talk(hosts.stage, one.name, other.inside("db"), to[family]) == own[family]


def test_a_packet_of_the_full_size_passes_in_one_piece(hosts: Fleet, first: Played) -> None:
    one = hosts["h1"]
    assert mtus(one, "web", "db", "cell", "mate") == {1450}
    for name, to in itertools.product(("h2", "h3"), FAMILIES):
        assert fits(one, "web", addresses(hosts[name], "db")[to], 1450)


def gateways_known(host: Host, container: str) -> set[str]:
    """The MAC addresses under which a container knows its gateways."""
    known = host.ip(f"-n {container} neigh show dev eth0")
    return {one["lladdr"] for one in known if one["dst"] in GATEWAYS.values() and "lladdr" in one}


def test_the_gateway_of_a_container_is_its_own_host(hosts: Fleet, first: Played) -> None:
    """Also after hosts have talked to containers of others, and when all are asked anew, who it is; and nobody is asked by the tunnel."""
    for host in hosts.hosts:
        host.run("nft -f -", input=COUNTING)
    for _round in range(2):
        for one, other in itertools.permutations(hosts.hosts, 2):
            for address in addresses(other, "db").values():
                one.run(f"ping -n -q -c 1 -W 30 {address}")
        for host in hosts.hosts:
            for name in ("web", "db"):
                host.run(f"ip -n {name} neigh flush all")
                for family in FAMILIES:
                    assert pings(host, name, GATEWAYS[family])
                    assert pings(host, name, INTERNET[family])
    for host in hosts.hosts:
        (own,) = host.ip("link show wide")
        for name in ("web", "db"):
            assert gateways_known(host, name) == {own["address"]}
        assert int(host.run(SENT).stdout) == 0
        host.run("nft delete table bridge asked")


def test_what_leaves_is_translated_by_the_own_host_and_published_ports_are_reached(hosts: Fleet, first: Played) -> None:
    for host in hosts.hosts:
        for family, own in ((4, host.data4), (6, host.data6)):
            assert talk(hosts.stage, host.inside("web"), "internet", INTERNET[family]) == own
            assert talk(hosts.stage, "internet", host.inside("web"), own) == INTERNET[family]
    known = [[host.name, address] for host in hosts.hosts for address in (host.data4, host.data6)]
    for found in (
        answers(hosts.stranger, [address for _name, address in known], "8000"),
        *(answers(hosts["h1"], [address for _name, address in known], "8000", inside=name) for name in ("db", "cell")),
    ):
        assert sorted(found) == sorted([name, address, "8000"] for name, address in known)


def test_networks_are_kept_apart_and_so_are_containers_that_are_to_be(hosts: Fleet, first: Played) -> None:
    one = hosts["h1"]

    def of_all(*names: str) -> list[str]:
        return [address for host in hosts.hosts for name in names for address in addresses(host, name).values()]

    assert answers(one, of_all("cell"), "80", limit=1.5, inside="web") == []
    assert answers(one, of_all("web", "db"), "80", limit=1.5, inside="cell") == []
    assert answers(one, of_all("cell"), "80", limit=1.5, inside="mate") == []
    own = addresses(one, "cell").values()
    assert answers(one, own, "80") == [["h1", address, "80"] for address in own]


def test_a_stranger_who_sends_frames_is_not_let_in(hosts: Fleet, first: Played) -> None:
    """Neither under an address of the segment that nobody has, nor to all."""
    one = hosts["h1"]
    before, through = dropped(one, "tunnel-stranger"), came_through(one, "vx-wide")
    hosts.stranger.run(
        f"ip link add vx type vxlan id 7 local 198.18.1.200 remote {one.data4} dstport 4789 && ip link set vx up && ip addr add 10.7.250.9/16 dev vx && "
        f"for to in {addresses(one, 'db')[4]} 10.7.0.1; do ping -n -q -c 1 -W 0.1 -I vx $to; done; ip link del vx",
    )
    assert dropped(one, "tunnel-stranger") > before
    assert came_through(one, "vx-wide") == through


def test_a_stranger_who_routes_the_network_at_a_host_is_not_let_in(hosts: Fleet, first: Played) -> None:
    """Under his own name nothing but what is published; under that of who is on the segment not even that."""
    one = hosts["h1"]
    to = addresses(one, "db")
    before = dropped(one, "guard-unpublished")
    hosts.stranger.run(f"ip route add 10.7.0.0/16 via {one.data4} && ip route add fd00:7::/48 via {one.data6}")
    assert answers(hosts.stranger, to.values(), "80", limit=1.5) == []
    assert dropped(one, "guard-unpublished") >= before + 2
    hosts.stranger.run("ip addr add 10.7.2.99/32 dev lo && ip addr add fd00:7:0:2::99/128 dev lo nodad")
    before = dropped(one, "guard-stray")
    for source, where in (("10.7.2.99", to[4]), ("fd00:7:0:2::99", to[6])):
        hosts.stranger.run(f"ping -n -q -c 1 -W 0.1 -I {source} {where}", check=False)
    assert dropped(one, "guard-stray") == before + 2
    hosts.stranger.run(
        "ip addr del 10.7.2.99/32 dev lo; ip addr del fd00:7:0:2::99/128 dev lo; ip route del 10.7.0.0/16; ip route del fd00:7::/48"
    )


def test_an_address_of_another_hosts_slice_is_refused(hosts: Fleet, first: Played) -> None:
    fixed = {"name": "wide", "ipv4_address": "10.7.2.40"}
    given = [{**CONTAINERS[0], "networks": [fixed]}, *CONTAINERS[1:]]
    with hosts.untouched(*NAMES):
        foreign = refused(networks=NETWORKS, containers=given, fleet="fleet")
        done = hosts.play(foreign, options=("--limit", "h1,h3"))
    assert [outcome.failures for outcome in done.plays[0].values()] == [
        ["wiring_containers: container 'web': ipv4_address: 10.7.2.40 is of the slice of host 'h2' in network 'wide'."]
    ] * 2


def test_what_was_changed_by_hand_is_put_right(hosts: Fleet, first: Played) -> None:
    hosts["h1"].run(
        "bridge link set dev vx-wide neigh_suppress off && ip addr del 10.7.1.1/16 dev wide && ip addr del 10.7.0.1/32 dev wide && "
        "ip link set vx-wide nomaster && bridge fdb del 00:00:00:00:00:00 dev vx-wide dst 198.18.2.2 && ip link set vx-wide mtu 1400"
    )
    with hosts.untouched("h2", "h3"):
        done = hosts.play(checked(play()), play(), play())
    assert done.plays[0]["h1"].drift() == done.plays[1]["h1"].drift() != {}
    assert changed(done) == nothing()
    all_talk(hosts)


def test_another_number_makes_the_tunnel_anew(hosts: Fleet, first: Played) -> None:
    play = sharing([{**NETWORKS[0], "vni": 70}, NETWORKS[1]], CONTAINERS)
    done = hosts.play(checked(play), play, play)
    assert changed(done, 0) == changed(done, 1)
    assert changed(done) == nothing()
    all_talk(hosts)


def test_when_all_is_taken_down_each_host_is_as_before(hosts: Fleet, first: Played, pristine: dict[str, str]) -> None:
    hosts.play(play(state="absent"))
    as_before(hosts, pristine)


def test_the_chain_of_modules_makes_the_same_and_takes_it_down(
    hosts: Fleet, first: Played, pristine: dict[str, str]
) -> None:
    short = [sharing(NETWORKS[:1], CONTAINERS[:2], state=state) for state in ("present", "absent")]
    done = hosts.play(checked(short[0]), short[0], one_task=False)
    assert changed(done, 0) == changed(done, 1)
    assert changed(hosts.play(short[0])) == nothing()
    all_talk(hosts)
    hosts.play(short[1], one_task=False)
    as_before(hosts, pristine)
