# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Networks that are routed between hosts, each of which has a slice: who gets where, by which way, and who does not.

The tests are the chapters of one story, in order. Three networks are shared: "front", which goes straight to neighbours and else by a tunnel, "back", which
goes by its tunnel alone, and "cells", whose containers are kept from each other.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from fleet import Fleet, Host, Played, answers
from plays import Play, checked, talk
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
    way,
)

pytestmark = pytest.mark.needs("lab host", "root", "ssh", "sshd", "ping", "nft", "nf_tables", "nf_nat", "vxlan")

NETWORKS: list[dict[str, Any]] = [
    {"name": "front", "subnets": ["10.7.0.0/16", "fd00:7::/48"], "driver": "routed"},
    {"name": "back", "subnets": ["10.8.0.0/16", "fd00:8::/48"], "driver": "routed", "underlay": "vxlan", "vni": 8},
    {"name": "cells", "subnets": ["10.9.0.0/16", "fd00:9::/48"], "driver": "routed", "icc": False},
]
CONTAINERS: list[dict[str, Any]] = [
    {"name": "web", "networks": [{"name": "front"}], "published_ports": ["8080:8080", "8000:80"]},
    {"name": "db", "networks": [{"name": "front"}]},
    {"name": "job", "networks": [{"name": "back"}]},
    {"name": "log", "networks": [{"name": "back"}]},
    {"name": "cell", "networks": [{"name": "cells"}]},
    {"name": "mate", "networks": [{"name": "cells"}]},
]
ALL = [str(one["name"]) for one in CONTAINERS]
BACKENDS = ("nftables", "iptables")


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
    serving(hosts, "web", "db", "job", "log", "cell")
    return done


def test_each_host_is_wired_as_foreseen_and_the_second_run_has_nothing_to_do(first: Played) -> None:
    foreseen, done, again = first.plays
    assert sorted(done) == [*NAMES]
    for name in NAMES:
        assert foreseen[name].drift() == done[name].drift() != {}
        assert again[name].changed == []


def test_each_host_has_its_slice(hosts: Fleet, first: Played) -> None:
    for host in hosts.hosts:
        for name, number in (("web", 7), ("job", 8)):
            found = addresses(host, name)
            assert found[4].startswith(f"10.{number}.{host.number}.")
            assert found[6].startswith(f"fd00:{number}:0:{host.number}:")


def test_containers_of_all_hosts_reach_each_other_and_see_who_it_is(hosts: Fleet, first: Played) -> None:
    all_talk(hosts)
    all_talk(hosts, client="job", server="log")


def test_neighbours_are_sent_to_straight_and_others_by_the_tunnel(hosts: Fleet, first: Played) -> None:
    """IPv6 over an underlay of IPv4 goes by the tunnel."""
    one, two, three = hosts.hosts
    to = addresses(three, "web")
    assert way(one, to[4]) == ("eth0", three.data4)
    assert way(one, to[6]) == ("vx-front", "fd00:7:0:3::")
    assert way(one, addresses(two, "web")[4]) == ("vx-front", "10.7.2.0")
    assert way(one, addresses(three, "job")[4]) == ("vx-back", "10.8.3.0")
    through = came_through(three, "vx-front")
    assert answers(one, [to[4]], "80", inside="db") == [["h3", to[4], "80"]]
    assert came_through(three, "vx-front") == through
    assert answers(one, [to[6]], "80", inside="db") == [["h3", to[6], "80"]]
    assert came_through(three, "vx-front") > through


def test_a_host_reaches_the_containers_of_the_others(hosts: Fleet, first: Played) -> None:
    for one, other in itertools.permutations(hosts.hosts, 2):
        for name, number in (("db", 7), ("log", 8)):
            to = addresses(other, name)
            gateways = {4: f"10.{number}.{one.number}.1", 6: f"fd00:{number}:0:{one.number}::1"}
            for family in FAMILIES:
                assert talk(hosts.stage, one.name, other.inside(name), to[family]) == gateways[family]


def full_size(hosts: Fleet, size: int) -> None:
    """Have packets of that size, which is the largest there is, pass from h1 to its neighbour h3 and to h2. AssertionError if not."""
    one, *others = hosts.hosts
    assert mtus(one, *ALL) == {size}
    for other, (client, server) in itertools.product(others, (("web", "db"), ("job", "log"))):
        for to in addresses(other, server).values():
            assert fits(one, client, to, size), (other.name, server, to)


def test_a_packet_of_the_full_size_passes_in_one_piece(hosts: Fleet, first: Played) -> None:
    full_size(hosts, 1450)


def test_a_smaller_underlay_is_noticed(hosts: Fleet, first: Played) -> None:
    for host in hosts.hosts:
        host.run("ip link set eth0 mtu 1400")
    done = hosts.play(checked(play()), play(), play())
    foreseen, made = (changed(done, number) for number in (0, 1))
    assert foreseen == made
    assert all(made.values())
    assert changed(done) == nothing()
    full_size(hosts, 1350)
    for host in hosts.hosts:
        host.run("ip link set eth0 mtu 1500")
    hosts.play(play())
    full_size(hosts, 1450)


def test_what_leaves_is_translated(hosts: Fleet, first: Played) -> None:
    for host, name in itertools.product(hosts.hosts[:2], ("web", "job", "cell")):
        for family, own in ((4, host.data4), (6, host.data6)):
            assert talk(hosts.stage, host.inside(name), "internet", INTERNET[family]) == own


def test_published_ports_are_reached_by_all(hosts: Fleet, first: Played) -> None:
    """Also by containers of other hosts, of that network and of another one; and by those of the host itself."""
    known = [[host.name, address] for host in hosts.hosts for address in (host.data4, host.data6)]
    asked = [address for _name, address in known]
    everybody = [answers(who, asked, "8000") for who in (hosts.internet, hosts.stranger)]
    everybody += [answers(hosts["h1"], asked, "8000", inside=name) for name in ("db", "job", "cell")]
    for found in everybody:
        assert sorted(found) == sorted([name, address, "8000"] for name, address in known)
    two = hosts["h2"]
    for family, address in ((4, two.data4), (6, two.data6)):
        assert talk(hosts.stage, "internet", two.inside("web"), address) == INTERNET[family]


def of_all(hosts: Fleet, *containers: str) -> list[str]:
    """The addresses of these containers on all hosts."""
    return [one for host in hosts.hosts for name in containers for one in addresses(host, name).values()]


def test_networks_are_kept_apart_on_all_hosts(hosts: Fleet, first: Played) -> None:
    """Though the host would send by the other network's tunnel, and translate, which makes an inside source of it."""
    one = hosts["h1"]
    assert answers(one, of_all(hosts, "job", "cell"), "80", limit=1.5, inside="web") == []
    assert answers(one, of_all(hosts, "web", "db"), "80", limit=1.5, inside="job") == []


def test_containers_that_are_kept_from_each_other_are_so_on_other_hosts_as_well(hosts: Fleet, first: Played) -> None:
    """Their own host reaches them."""
    one = hosts["h1"]
    assert answers(one, of_all(hosts, "cell"), "80", limit=1.5, inside="mate") == []
    own = addresses(one, "cell").values()
    assert answers(one, own, "80") == [["h1", address, "80"] for address in own]


@contextlib.contextmanager
def routed_at(hosts: Fleet, host: Host) -> Iterator[None]:
    """A block in which the internet and the stranger send what is for a host's slices there."""
    slices = {
        4: [f"10.{number}.{host.number}.0/24" for number in (7, 8, 9)],
        6: [f"fd00:{number}:0:{host.number}::/64" for number in (7, 8, 9)],
    }
    hops = {
        hosts.internet: {4: "192.0.2.254", 6: "2001:db8::fe"},
        hosts.router: {4: host.data4, 6: host.data6},
        hosts.stranger: {4: host.data4, 6: host.data6},
    }
    ways = [
        (who, f"{net} via {hop[family]}") for who, hop in hops.items() for family in FAMILIES for net in slices[family]
    ]
    for who, text in ways:
        who.run(f"ip route add {text}")
    yield
    for who, text in ways:
        who.run(f"ip route del {text}")


@contextlib.contextmanager
def claiming(hosts: Fleet, *claimed: str) -> Iterator[None]:
    """A block in which the stranger has these addresses."""
    for address in claimed:
        hosts.stranger.run(f"ip addr add {address} dev lo" + " nodad" * (":" in address))
    yield
    for address in claimed:
        hosts.stranger.run(f"ip addr del {address}/{128 if ':' in address else 32} dev lo")


def reaches(hosts: Fleet, address: str, source: str) -> None:
    """Have the stranger send a packet to an address, from a source that he claims."""
    hosts.stranger.run(f"ping -n -q -c 1 -W 0.1 -I {source} {address}", check=False)


def heard(host: Host, name: str) -> int:
    """How many packets a container has got."""
    return int(host.ip(f"-n {name} -s link show dev eth0")[0]["stats64"]["rx"]["packets"])


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request: pytest.FixtureRequest, hosts: Fleet, first: Played) -> str:
    """The firewall that the hosts have; the next run changes it."""
    name = str(request.param)
    if name != "nftables":
        done = hosts.play(play(firewall_backend=name), play(firewall_backend=name))
        assert changed(done) == nothing()
    return name


def words(backend: str, nftables: str, iptables: str) -> str:
    """What is in the rules that drop, by backend."""
    return {"nftables": nftables, "iptables": iptables}[backend]


@pytest.mark.needs("iptables")
class TestClosed:
    """On both backends."""

    def test_to_who_routes_the_networks_at_a_host(self, hosts: Fleet, first: Played, backend: str) -> None:
        one = hosts["h1"]
        closed = [address for name in ALL for address in addresses(one, name).values()]
        rules = words(backend, "guard-unpublished", "LINUXNET-CLOSED")
        with routed_at(hosts, one):
            for who in (hosts.internet, hosts.stranger):
                before = dropped(one, rules)
                assert answers(who, closed, "80", limit=1.5) == []
                assert dropped(one, rules) >= before + len(closed)

    def test_to_who_claims_to_be_behind_the_tunnel(self, hosts: Fleet, first: Played, backend: str) -> None:
        """To h1 that is h2's slice, and in "back" that of its neighbour h3 as well."""
        one = hosts["h1"]
        claims = [("10.7.2.99", "web"), ("fd00:7:0:2::99", "web"), ("fd00:7:0:3::99", "web")]
        claims += [(source.format(number), "job") for number in (2, 3) for source in ("10.8.{}.99", "fd00:8:0:{}::99")]
        rules = words(backend, "guard-stray", "LINUXNET-GUARD -s")
        with routed_at(hosts, one), claiming(hosts, *(source for source, _name in claims)):
            before = dropped(one, rules)
            for source, name in claims:
                reaches(hosts, addresses(one, name)[6 if ":" in source else 4], source)
                # Nor is he let in to what is published, where he would be under his own name.
                reaches(hosts, one.data6 if ":" in source else one.data4, source)
            assert dropped(one, rules) >= before + len(claims)

    def test_to_who_claims_to_be_one_of_those_that_are_kept_from_each_other(
        self, hosts: Fleet, first: Played, backend: str
    ) -> None:
        one = hosts["h1"]
        claims = [source.format(number) for number in (2, 3) for source in ("10.9.{}.99", "fd00:9:0:{}::99")]
        with routed_at(hosts, one), claiming(hosts, *claims):
            before = dropped(one, words(backend, "guard-stray", "LINUXNET-GUARD -s"))
            for source in claims:
                reaches(hosts, addresses(one, "cell")[6 if ":" in source else 4], source)
            assert dropped(one, words(backend, "guard-stray", "LINUXNET-GUARD -s")) == before + len(claims)

    def test_to_who_sends_frames_and_is_no_peer(self, hosts: Fleet, first: Played, backend: str) -> None:
        """With an inside source, which the host would believe."""
        one = hosts["h1"]
        to = addresses(one, "job")[4]
        rules = words(backend, "tunnel-stranger", "0xc@0xc>>0x8=0x8|>>0x8=0x8")
        hosts.stranger.run(
            f"ip link add vx type vxlan id 8 local 198.18.1.200 remote {one.data4} dstport 4789 && ip link set vx up && "
            "ip addr add 10.8.2.99/32 dev vx && ip route add 10.8.1.0/24 via 10.8.1.0 dev vx onlink"
        )
        before, through = dropped(one, rules), came_through(one, "vx-back")
        reaches(hosts, to, "10.8.2.99")
        hosts.stranger.run("ip link del vx")
        assert dropped(one, rules) > before
        assert came_through(one, "vx-back") == through

    def test_to_a_peer_who_sends_by_the_tunnel_what_is_not_of_the_network(
        self, hosts: Fleet, first: Played, backend: str
    ) -> None:
        one, two, _three = hosts.hosts
        two.run("ip addr add 172.31.0.9/32 dev lo")
        one.run("sysctl -qw net.ipv4.conf.vx-back.rp_filter=0")
        before = dropped(one, words(backend, "guard-only", "LINUXNET-GUARD -i vx-back"))
        two.run(f"ping -n -q -c 1 -W 0.1 -I 172.31.0.9 {addresses(one, 'job')[4]}", check=False)
        two.run("ip addr del 172.31.0.9/32 dev lo")
        assert dropped(one, words(backend, "guard-only", "LINUXNET-GUARD -i vx-back")) == before + 1

    def test_and_open_to_those_who_are_in_it(self, hosts: Fleet, first: Played, backend: str) -> None:
        all_talk(hosts)
        all_talk(hosts, client="job", server="log")


def test_a_neighbour_with_an_inside_source_is_not_told_apart_where_packets_come_straight(
    hosts: Fleet, first: Played
) -> None:
    """As the documentation says: there the way is the same. It is closed with underlay: vxlan, see above."""
    one = hosts["h1"]
    with routed_at(hosts, one), claiming(hosts, "10.7.3.99"):
        before = heard(one, "web")
        reaches(hosts, addresses(one, "web")[4], "10.7.3.99")
        assert heard(one, "web") > before


def test_over_ipv6(hosts: Fleet, first: Played) -> None:
    """Nobody moves, for the addresses end in the same bits. There straight is IPv6."""
    there = of_all(hosts, *ALL)
    done = hosts.play(checked(play()), play(), play(), wiring_underlay_address="{{ lab_data6 }}")
    assert changed(done, 0) == changed(done, 1)
    assert changed(done) == nothing()
    assert of_all(hosts, *ALL) == there
    all_talk(hosts)
    all_talk(hosts, client="job", server="log")
    full_size(hosts, 1430)
    one, _two, three = hosts.hosts
    assert way(one, addresses(three, "web")[6]) == ("eth0", three.data6)
    assert way(one, addresses(three, "web")[4]) == ("vx-front", "10.7.3.0")
    rules = "tunnel-stranger"
    hosts.stranger.run(
        f"ip link add vx type vxlan id 8 local 2001:db8:1::200 remote {one.data6} dstport 4789 && ip link set vx up && "
        "ip addr add 10.8.2.99/32 dev vx && ip route add 10.8.1.0/24 via 10.8.1.0 dev vx onlink"
    )
    before, through = dropped(one, rules), came_through(one, "vx-back")
    reaches(hosts, addresses(one, "job")[4], "10.8.2.99")
    hosts.stranger.run("ip link del vx")
    assert dropped(one, rules) > before
    assert came_through(one, "vx-back") == through


def by_hand(host: Host) -> None:
    """Change by hand what only a network has that is shared."""
    host.run(
        "ip addr del 10.7.1.0/32 dev vx-front && ip -6 addr del fd00:8:0:1::/128 dev vx-back && ip route del 10.7.3.0/24 && "
        "ip route add 10.7.250.0/24 via 10.7.250.0 dev vx-front onlink proto 76 && ip link set vx-front mtu 1400 && ip link set front mtu 1400 && "
        "bridge fdb del 00:00:00:00:00:00 dev vx-back dst 198.18.2.2 && bridge fdb append 00:00:00:00:00:00 dev vx-back dst 198.18.1.200 && "
        "nft delete element inet linuxnet_containers peers_ip '{ 4789 . 8 . 198.18.1.3 }'"
    )


def test_what_was_changed_by_hand_is_put_right(hosts: Fleet, first: Played) -> None:
    hosts.play(play())
    by_hand(hosts["h1"])
    with hosts.untouched("h2", "h3"):
        done = hosts.play(checked(play()), play(), play())
    assert done.plays[0]["h1"].drift() == done.plays[1]["h1"].drift() != {}
    assert changed(done) == nothing()
    all_talk(hosts)
    all_talk(hosts, client="job", server="log")


def test_when_all_is_taken_down_each_host_is_as_before(hosts: Fleet, first: Played, pristine: dict[str, str]) -> None:
    hosts.play(play(state="absent"))
    as_before(hosts, pristine)


def test_the_chain_of_modules_makes_the_same_and_takes_it_down(
    hosts: Fleet, first: Played, pristine: dict[str, str]
) -> None:
    short = [sharing(NETWORKS[:1], CONTAINERS[:2], state=state) for state in ("present", "absent")]
    done = hosts.play(checked(short[0]), short[0], one_task=False)
    assert all(len(outcome.modules) > 5 for outcome in done.plays[1].values())
    assert changed(done, 0) == changed(done, 1)
    assert changed(hosts.play(short[0])) == nothing()
    all_talk(hosts)
    hosts.play(short[1], one_task=False)
    as_before(hosts, pristine)
