# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role on several hosts at once, over SSH: each is wired as if it were alone, whoever else is in the run, fails in it, or is not.

The tests are the chapters of one story, in order.
"""

from __future__ import annotations

import pytest
from fleet import Fleet, Played, answers, serve
from plays import Play, checked, talk, wiring

pytestmark = pytest.mark.needs("lab host", "root", "ssh", "sshd", "nft", "nf_tables", "nf_nat")

NAMES = ["h1", "h2", "h3"]
PORTS = ["8000", "8001", "8002", "8003"]  # by chapter


def play(port: str, **also: object) -> Play:
    """On each host a network of its own, with who is published, on that port too, and who is not."""
    subnets = ["10.{{ lab_number }}.0.0/24", "fd00:{{ lab_number }}::/64"]
    web = {"name": "web", "published_ports": ["8080:8080", f"{port}:80"]}
    fixed = {"ipv4_address": "10.{{ lab_number }}.0.9", "ipv6_address": "fd00:{{ lab_number }}::9"}
    db = {"name": "db", "networks": [{"name": "docker0", **fixed}]}
    return {**wiring(networks=[{"name": "docker0", "subnets": subnets}], containers=[web, db]), **also}


def changed(done: Played, number: int = -1) -> dict[str, bool]:
    """Whether a play changed something, by host."""
    return {name: bool(outcome.changed) for name, outcome in sorted(done.plays[number].items())}


@pytest.fixture(scope="module")
def pristine(hosts: Fleet) -> list[str]:
    """The hosts before anything."""
    return [host.snapshot() for host in hosts.hosts]


@pytest.fixture(scope="module")
def first(hosts: Fleet, pristine: list[str]) -> Played:
    """Check mode, the run, and the run again. Then each container says whose it is."""
    done = hosts.play(checked(play(PORTS[0])), play(PORTS[0]), play(PORTS[0]))
    for host in hosts.hosts:
        for name in ("web", "db"):
            serve(host, name, 80)
    return done


def published(hosts: Fleet) -> dict[str, str]:
    """On which of the ports the internet gets to each host's container. AssertionError if on more than one."""
    found = answers(hosts.internet, [host.data4 for host in hosts.hosts], *PORTS)
    assert len(found) == len(hosts.hosts), found
    return {name: port for name, dummy, port in found}


def test_each_host_is_wired_as_foreseen_and_the_second_run_has_nothing_to_do(first: Played) -> None:
    foreseen, done, again = first.plays
    assert sorted(done) == NAMES
    for name in NAMES:
        assert foreseen[name].drift() == done[name].drift() != {}
        assert again[name].changed == []


def test_each_host_has_its_own_subnets(hosts: Fleet, first: Played) -> None:
    for host in hosts.hosts:
        shown = [
            one["local"] for one in host.ip("-n db addr show dev eth0")[0]["addr_info"] if one["scope"] == "global"
        ]
        assert shown == [f"10.{host.number}.0.9", f"fd00:{host.number}::9"]


def test_published_ports_are_reached_from_other_hosts_their_containers_the_internet_and_a_stranger(
    hosts: Fleet, first: Played
) -> None:
    """Who it is stays to be seen; a container's own address does not leave its host."""
    one, two, three = hosts.hosts
    outside = {"internet": ("192.0.2.99", "2001:db8::99"), "stranger": ("198.18.1.200", "2001:db8:1::200")}
    for server in (one, two):
        web = server.inside("web")
        for at, address in enumerate((server.data4, server.data6)):
            for client, known in outside.items():
                assert talk(hosts.stage, client, web, address) == known[at]
            assert talk(hosts.stage, three.name, web, address) == (three.data4, three.data6)[at]
            assert talk(hosts.stage, three.inside("db"), web, address) == (three.data4, three.data6)[at]


def test_what_is_not_published_is_closed_to_all_of_them(hosts: Fleet, first: Played) -> None:
    """Also to a neighbour who knows the way to a host's network."""
    one, dummy, three = hosts.hosts
    way = f"via {one.data4} && ip route {{0}} fd00:1::/64 via {one.data6}"
    closed = ["10.1.0.9", "fd00:1::9"]
    for who in (hosts.stranger, three):
        who.run(f"ip route add 10.1.0.0/24 {way.format('add')}")
        assert answers(who, [*closed, one.data4], "80", limit=1.5) == []
    assert answers(three, closed, "80", limit=1.5, inside="db") == []
    assert answers(one, closed, "80") == [["h1", address, "80"] for address in closed]
    for who in (hosts.stranger, three):
        who.run(f"ip route del 10.1.0.0/24 {way.format('del')}")


def test_the_chain_of_modules_finds_all_as_it_would_have_made_it(hosts: Fleet, first: Played) -> None:
    done = hosts.play(play(PORTS[0]), options=("--limit", "h1"), one_task=False)
    assert len(done.plays[0]["h1"].modules) > 5
    assert changed(done) == {"h1": False}


def test_a_run_for_one_host_leaves_the_others_as_they_were(hosts: Fleet, first: Played) -> None:
    with hosts.untouched("h1", "h3"):
        done = hosts.play(play(PORTS[1]), options=("--limit", "h2"))
    assert changed(done) == {"h2": True}
    assert published(hosts) == {"h1": PORTS[0], "h2": PORTS[1], "h3": PORTS[0]}
    whole = hosts.play(play(PORTS[1]))
    assert changed(whole) == {"h1": True, "h2": False, "h3": True}
    assert published(hosts) == dict.fromkeys(NAMES, PORTS[1])


def test_a_host_that_is_not_reached_keeps_none_from_being_done_and_follows_later(hosts: Fleet, first: Played) -> None:
    with hosts.untouched("h3"), hosts["h3"].unreached():
        done = hosts.play(play(PORTS[2]), check=False)
    assert {name: (one.unreachable, one.failures) for name, one in done.plays[0].items()} == {
        "h1": (False, []),
        "h2": (False, []),
        "h3": (True, []),
    }
    assert [done.recap(name)["unreachable"] for name in NAMES] == [0, 0, 1]
    assert published(hosts) == {"h1": PORTS[2], "h2": PORTS[2], "h3": PORTS[1]}
    with hosts.untouched("h1", "h2"):
        later = hosts.play(play(PORTS[2]))
    assert changed(later) == {"h1": False, "h2": False, "h3": True}
    assert published(hosts) == dict.fromkeys(NAMES, PORTS[2])


def test_one_host_after_the_other_comes_to_the_same(hosts: Fleet, first: Played) -> None:
    done = hosts.play(play(PORTS[3], serial=1), play(PORTS[3]))
    *batches, again = done.plays
    assert [list(batch) for batch in batches] == [[name] for name in NAMES]
    assert [changed(done, number) for number in range(3)] == [{name: True} for name in NAMES]
    assert [outcome.changed for outcome in again.values()] == [[], [], []]
    assert published(hosts) == dict.fromkeys(NAMES, PORTS[3])


def test_when_all_is_taken_down_each_host_is_as_before(hosts: Fleet, first: Played, pristine: list[str]) -> None:
    hosts.play(play(PORTS[3]), wiring_state="absent")
    assert [host.snapshot().splitlines() for host in hosts.hosts] == [text.splitlines() for text in pristine]
