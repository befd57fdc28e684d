# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wirings that earlier releases made are taken over, and those of later ones left alone.

`earlier/` has what the role of two commits ran, as its results told it, for the lists below.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from lab import Lab
from plays import Playbook, checked, internet, pings, wiring

FIXTURES = sorted((Path(__file__).parent / "earlier").glob("*.sh"))
FRONT = {"name": "front0", "subnets": ["172.20.0.0/24", "fd00:20::/64"]}
BACK = {"name": "back0", "subnets": ["172.21.0.0/24"], "internal": True, "icc": False}
CONTAINERS = [
    {"name": "web", "published_ports": ["8080:80", "127.0.0.1:8081:81/udp", "30000-30009:30000-30009"]},
    {"name": "db", "networks": [{"name": "front0"}, {"name": "back0"}]},
]
WAYS = {"out": "192.0.2.99", "gateway6": "fd00:20::1"}


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.stem)
def test_it_is_taken_over_with_no_packet_lost_and_goes_without_a_trace(
    lab: Lab, tmp_path: Path, needs: Callable[..., None], fixture: Path
) -> None:
    backend = fixture.stem.partition(".")[2]
    needs("nft" if backend == "nftables" else "iptables")
    internet(lab)
    before = lab.snapshot()
    lab.run(f"set -e\n{fixture.read_text(encoding='utf-8')}")
    playbook = Playbook(lab, tmp_path, one_task=True)
    play = {"networks": [FRONT, BACK], "containers": CONTAINERS, "firewall_backend": backend}
    for address in WAYS.values():
        assert pings(lab, "web", address)
    running = {name: lab.spawn(f"exec ip netns exec web ping -n -i 0.05 {address}") for name, address in WAYS.items()}
    foreseen, taken, again = playbook.run(checked(wiring(**play)), wiring(**play), wiring(**play))
    for name, pid in running.items():
        said = lab.kill(pid, signal.SIGINT).stdout
        sent, got = map(int, re.findall(r"(\d+) (?:packets transmitted|received)", said))
        assert sent - 1 <= got > 20, (name, said.splitlines()[-3:])  # the last one may be on its way
    assert foreseen.drift() == taken.drift()
    assert again.changed == []
    [gone] = playbook.run(wiring(**play, state="absent"))
    assert gone.changed
    assert lab.snapshot() == before


@pytest.mark.needs("nft", "iptables")
@pytest.mark.parametrize(
    ("backend", "mark"),
    [
        ("nftables", "nft add table inet linuxnet_containers; nft add chain inet linuxnet_containers format_2"),
        ("iptables-nft", "iptables-nft -N LINUXNET-FORMAT-2"),
    ],
)
def test_rules_of_a_later_format_are_left_alone(lab: Lab, backend: str, mark: str) -> None:
    """By each module and `wiring`, also where it would write with the other backend, and before any change of its own."""
    lab.run(f"set -e; {mark}")
    before = lab.snapshot()
    sentence = f"Our rules in {backend} are of format 2, which a later release of linuxnet.containers wrote, and this one knows none after 1: use that one."
    for state in ("present", "absent"):
        assert sentence in lab.fails("nat", source="10.0.0.0/24", state=state)["msg"]
        assert sentence in lab.fails("nat", type="filter", bridge="br0", state=state)["msg"]
    assert sentence in lab.fails("wiring", networks=[], containers=[], purge=True)["msg"]
    assert lab.snapshot() == before
    lab.fails("wiring", networks=[FRONT], containers=[{"name": "web"}])
    assert lab.run("ip -o link show type veth").stdout == ""
