# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ten hosts on two segments with twenty containers each: all pairs of hosts, each by other containers, so that all of them have their turn."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fleet import Fleet, Host, Played, fleet
from plays import checked, talk, wiring
from sharing import UNDERLAY

pytestmark = pytest.mark.needs("lab host", "root", "ssh", "sshd", "nft", "nf_tables", "nf_nat", "vxlan")

HOSTS, CONTAINERS = 10, 20


@pytest.fixture(scope="module")
def ten(needs: Callable[..., None]) -> Iterator[Fleet]:
    needs("lab host", "root", "ssh", "sshd")
    with fleet(hosts=HOSTS, segments=2) as made:
        yield made


@pytest.fixture(scope="module", params=["routed", "vxlan"])
def played(ten: Fleet, request: pytest.FixtureRequest) -> Played:
    """Check mode, the run, and the run again; of the second driver on what the first one has left."""
    network = {"name": "front", "subnets": ["10.7.0.0/16", "fd00:7::/48"], "driver": request.param}
    play = wiring(networks=[network], containers=[{"name": f"c{n}"} for n in range(CONTAINERS)], fleet="fleet")
    underlay: dict[str, Any] = {UNDERLAY: "{{ lab_data4 }}"}
    return ten.play(checked(play), play, play, **underlay)


def addresses(host: Host) -> dict[str, dict[int, str]]:
    """What each container has, by family."""
    found = {}
    for n in range(CONTAINERS):
        shown = host.ip(f"-n c{n} addr show dev eth0")[0]["addr_info"]
        found[f"c{n}"] = {
            {"inet": 4, "inet6": 6}[one["family"]]: one["local"] for one in shown if one["scope"] == "global"
        }
    return found


def test_all_pairs_of_hosts_by_all_containers(ten: Fleet, played: Played) -> None:
    foreseen, done, again = played.plays
    assert len(done) == HOSTS
    for name, outcome in done.items():
        assert foreseen[name].changed == outcome.changed != []
        assert again[name].changed == []
    given = {host.name: addresses(host) for host in ten.hosts}
    every = [one for listed in given.values() for each in listed.values() for one in each.values()]
    assert len(set(every)) == len(every) == 2 * HOSTS * CONTAINERS, "no address is there twice"
    used = set()
    for number, (one, other) in enumerate(itertools.permutations(ten.hosts, 2)):
        client, server = f"c{number % CONTAINERS}", f"c{number * 7 % CONTAINERS}"
        family = 4 if number % 2 else 6
        to, source = given[other.name][server][family], given[one.name][client][family]
        assert talk(ten.stage, one.inside(client), other.inside(server), to) == source
        used |= {client, server}
    assert len(used) == CONTAINERS
