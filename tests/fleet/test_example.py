# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tree in examples/fleet, as it stands there, on ten hosts: three tiers, each of which reaches the next one on any host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from fleet import Fleet, Host, Played, answers, fleet, serve

pytestmark = pytest.mark.needs("lab host", "root", "ssh", "sshd", "nft", "nf_tables", "nf_nat", "vxlan")

TREE = Path(__file__).resolve().parents[2] / "examples" / "fleet"
TIERS = {"web": range(1, 4), "app": range(4, 8), "db": range(8, 11)}
PORTS = {"web": 8080, "app": 8000, "db": 5432}


@pytest.fixture(scope="module")
def ten(needs: Callable[..., None]) -> Iterator[Fleet]:
    needs("lab host", "root", "ssh", "sshd")
    with fleet(hosts=10) as made:
        yield made


@pytest.fixture(scope="module")
def played(ten: Fleet) -> list[Played]:
    """The run, and the run again, each with somebody in every container."""
    plays = yaml.safe_load((TREE / "site.yml").read_text("utf-8"))
    options = ("-i", str(TREE / "inventory.yml"))
    done = [ten.play(*plays, options=options, one_task=False) for _number in range(2)]
    for tier, numbers in TIERS.items():
        for number in numbers:
            serve(ten[f"h{number}"], tier, PORTS[tier])
    return done


def tier(ten: Fleet, name: str) -> list[Host]:
    return [ten[f"h{number}"] for number in TIERS[name]]


def addresses(ten: Fleet, name: str, interface: str) -> dict[str, list[str]]:
    """What the containers of a tier have on an interface, by host."""
    found = {}
    for host in tier(ten, name):
        shown = host.ip(f"-n {name} addr show dev {interface}")[0]["addr_info"]
        found[host.name] = [one["local"] for one in shown if one["scope"] == "global"]
    return found


def test_a_second_run_changes_nothing(played: list[Played]) -> None:
    first, second = played
    assert all(first.recap(f"h{number}")["changed"] for number in range(1, 11))
    assert [second.recap(f"h{number}")["changed"] for number in range(1, 11)] == [0] * 10


@pytest.mark.parametrize(("who", "whom", "interface"), [("web", "app", "eth0"), ("app", "db", "eth0")])
def test_each_tier_reaches_the_next_one_on_all_hosts(
    ten: Fleet, played: list[Played], who: str, whom: str, interface: str
) -> None:
    there = addresses(ten, whom, interface)
    wanted = sorted([host, address, str(PORTS[whom])] for host, listed in there.items() for address in listed)
    for host in tier(ten, who):
        asked = [address for listed in there.values() for address in listed]
        assert sorted(answers(host, asked, str(PORTS[whom]), inside=who)) == wanted


def test_nobody_reaches_past_the_next_tier(ten: Fleet, played: list[Played]) -> None:
    asked = [address for listed in addresses(ten, "db", "eth0").values() for address in listed]
    assert answers(ten["h1"], asked, str(PORTS["db"]), inside="web", limit=1.5) == []
    assert answers(ten.internet, asked, str(PORTS["db"]), limit=1.5) == []


def test_the_first_tier_is_published(ten: Fleet, played: list[Played]) -> None:
    hosts = {host.name: host.data4 for host in ten.hosts}
    found = answers(ten.internet, hosts.values(), "80", limit=5)
    assert sorted(found) == sorted([host.name, host.data4, "80"] for host in tier(ten, "web"))
