# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables, files and play of docs/fleets-wide.md, as they stand there, on three hosts of two segments: BGP carries the slices.

The tests are the chapters of one story, in order.
"""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest
import yaml
from fleet import Beside, Fleet, Host, Played, answers, serve
from lab import Lab
from pages import blocks
from plays import Play, checked, talk
from proofs import comes

pytestmark = pytest.mark.needs("lab host", "root", "ssh", "sshd", "frr", "nft", "nf_tables", "nf_nat")

PAGE = blocks("docs/fleets-wide.md")
BLOCKS = {kind: [block.text for block in PAGE if block.language == kind] for kind in ("yaml", "jinja", "text")}
GIVEN: dict[str, Any] = yaml.safe_load(BLOCKS["yaml"][0])
# FRR's own start, which the service calls: it has no systemd to tell. What it writes beside /run and /etc is not to stay on the machine.
START = "mount -t tmpfs -o mode=1777 tmpfs /var/tmp; mkdir -p -m 755 /run/frr && chown frr:frr /run/frr"
RESTART = "/usr/lib/frr/frrinit.sh restart"


def play() -> Play:
    """The page's play, which restarts FRR without systemd."""
    [found] = yaml.safe_load(BLOCKS["yaml"][1])
    handlers = [{"name": "Restart FRR", "ansible.builtin.command": RESTART}]
    return {**found, "handlers": handlers}


def variables() -> dict[str, Any]:
    """What the page says, with the lab's addresses."""
    routers = ["198.18.{{ lab_segment }}.254", "2001:db8:{{ lab_segment }}::fe"]
    return {**GIVEN, "number": "{{ lab_number }}", "underlay": "{{ lab_data4 }}", "routers": routers}


def addresses(host: Host, name: str) -> dict[int, str]:
    """The addresses that a container has, by family."""
    shown = host.ip(f"-n {name} addr show dev eth0")[0]["addr_info"]
    return {{"inet": 4, "inet6": 6}[one["family"]]: one["local"] for one in shown if one["scope"] == "global"}


def learned(who: Lab | Beside, family: int = 4) -> dict[str, str]:
    """Where BGP sends to, by destination."""
    shown = json.loads(who.run(f"ip -j -{family} route show proto bgp").stdout or "[]")
    return {route["dst"]: route["gateway"] for route in shown}


def slices(host: Host) -> dict[int, str]:
    return {4: f"10.7.{host.number}.0/24", 6: f"fd00:7:0:{host.number}::/64"}


def told(f: Fleet, *known: Host) -> None:
    """Wait until each of these hosts knows of the slices of the others."""
    for one, other in itertools.permutations(known, 2):
        for family, net in slices(other).items():
            comes(one, f"ip -{family} route show {net} proto bgp | grep -q .")


@pytest.fixture(scope="module")
def routed(hosts: Fleet) -> Fleet:
    """The hosts, with FRR installed, and a router that speaks BGP."""
    hosts.folder.joinpath("play").mkdir()
    hosts.folder.joinpath("play", "frr.conf.j2").write_text(BLOCKS["jinja"][0], "utf-8")
    for host in hosts.hosts:
        host.run(START)
    hosts.stage.run(START)
    hosts.stage.run("sed -i s/^bgpd=no/bgpd=yes/ /etc/frr/daemons && cat > /etc/frr/frr.conf", input=BLOCKS["text"][0])
    hosts.router.run(RESTART)
    return hosts


@pytest.fixture(scope="module")
def joined(routed: Fleet) -> Played:
    """Two hosts: check mode, the run, and the run again when each knows of the other."""
    one, two, three = routed.hosts
    listed = json.loads(routed.inventory.read_text("utf-8"))
    del listed["fleet"]["hosts"][three.name]
    routed.folder.joinpath("whole.json").write_bytes(routed.inventory.read_bytes())
    routed.inventory.write_text(json.dumps(listed), "utf-8")
    done = routed.play(play(), **variables())
    told(routed, one, two)
    return done


def test_it_is_foreseen_and_a_second_run_has_nothing_to_do(routed: Fleet, joined: Played) -> None:
    foreseen, again = routed.play(checked(play()), play(), **variables()).plays
    for name in ("h1", "h2"):
        assert joined.plays[0][name].changed != []
        assert foreseen[name].changed == again[name].changed == []


def test_a_host_that_joins_is_reached_and_changes_nothing_on_the_others(routed: Fleet, joined: Played) -> None:
    before = {host.name: ours(host) for host in routed.hosts[:2]}
    routed.inventory.write_bytes(routed.folder.joinpath("whole.json").read_bytes())
    done = routed.play(play(), **variables())
    assert (done.changed["h1"], done.changed["h2"]) == (0, 0)
    assert done.changed["h3"] > 0
    told(routed, *routed.hosts)
    assert {host.name: ours(host) for host in routed.hosts[:2]} == before


def ours(host: Host) -> str:
    """What the role has written on a host, without counters."""
    shown = host.run("nft list table inet linuxnet_containers; ip route show proto 76; ip -br link; ip -br addr").stdout
    return re.sub(r"packets \d+ bytes \d+", "", shown)


def test_no_host_has_a_route_of_ours_to_another(routed: Fleet, joined: Played) -> None:
    for host in routed.hosts:
        assert host.run("ip route show proto 76; ip -6 route show proto 76").stdout == ""


@pytest.mark.parametrize("family", [4, 6])
def test_containers_of_all_hosts_reach_each_other_by_their_own_addresses(
    routed: Fleet, joined: Played, family: int
) -> None:
    for one, other in itertools.permutations(routed.hosts, 2):
        to, source = addresses(other, "db")[family], addresses(one, "web")[family]
        assert talk(routed.stage, one.inside("web"), other.inside("db"), to) == source


def test_hosts_of_one_segment_reach_each_other_straight(routed: Fleet, joined: Played) -> None:
    one, two, three = routed.hosts
    assert learned(one) == {slices(two)[4]: "198.18.1.254", slices(three)[4]: three.data4}
    full = 1500 - 28
    for other in (two, three):
        assert one.run(f"ip netns exec web ping -c 1 -W 30 -M do -s {full} {addresses(other, 'db')[4]}").rc == 0


def test_who_routes_the_network_at_a_host_is_not_let_in(routed: Fleet, joined: Played) -> None:
    one, two, _three = routed.hosts
    for host in (one, two):
        serve(host, "db", 80)
    closed = addresses(one, "db").values()
    routed.stranger.run(f"ip route add {slices(one)[4]} via {one.data4}; ip route add {slices(one)[6]} via {one.data6}")
    assert answers(routed.stranger, closed, "80", limit=1.5) == []
    assert sorted(answers(two, closed, "80", inside="web")) == sorted(["h1", to, "80"] for to in closed)


def test_what_leaves_is_translated_and_published_ports_are_reached(routed: Fleet, joined: Played) -> None:
    one = routed.hosts[0]
    assert talk(routed.stage, one.inside("web"), "internet", "192.0.2.99") == one.data4
    serve(one, "web", 80)
    assert answers(routed.internet, [one.data4], "8080") == [["h1", one.data4, "8080"]]


def test_from_the_network_nothing_comes_by_another_interface(routed: Fleet, joined: Played) -> None:
    """The management network is no uplink: under a name of the network nobody gets by it what everybody else gets, a published port."""
    one = routed.hosts[0]
    one.run("ip route add 10.7.9.9 via 100.64.0.254")
    assert answers(routed.stage, [one.address], "8080") == [["h1", one.address, "8080"]]
    routed.stage.run(f"ip addr add 10.7.9.9/32 dev mgmt && ip route add {one.address} dev mgmt src 10.7.9.9")
    assert answers(routed.stage, [one.address], "8080", limit=1.5) == []
    routed.stage.run(f"ip route del {one.address} && ip addr del 10.7.9.9/32 dev mgmt")
    one.run("ip route del 10.7.9.9")


def test_a_daemon_that_ends_takes_its_slice_from_the_others(routed: Fleet, joined: Played) -> None:
    one, two, _three = routed.hosts
    two.run("/usr/lib/frr/frrinit.sh stop")
    for family, net in slices(two).items():
        comes(one, f"! ip -{family} route show {net} proto bgp | grep -q .")
    two.run("/usr/lib/frr/frrinit.sh start")
    told(routed, one, two)
    assert talk(routed.stage, one.inside("web"), two.inside("db"), addresses(two, "db")[4]) == addresses(one, "web")[4]
    assert routed.play(play(), **variables()).changed == {"h1": 0, "h2": 0, "h3": 0}
