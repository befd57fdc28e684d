# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables and the play of docs/labs.md, as they stand there: a leaf-spine fabric in which BGP, of FRR, carries the routers' loopbacks."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from lab import Lab
from pages import blocks
from plays import Play, Playbook, checked, shell, snapshot, wiring
from proofs import comes

pytestmark = pytest.mark.needs("lab host", "root", "frr")

SMALL, FABRIC, PLAY = (block.loaded() for block in blocks("docs/labs.md"))
LOOPBACKS = {one["name"]: one["loopback_addresses"][0].partition("/")[0] for one in FABRIC["wiring_containers"]}
# What FRR writes beside /run and /etc is not to stay on the machine.
READY = "mount -t tmpfs -o mode=1777 tmpfs /var/tmp; mkdir -p -m 755 /run/frr && chown frr:frr /run/frr"


def play(**variables: Any) -> Play:
    [found] = PLAY
    return {**found, "hosts": "localhost", "vars": {**FABRIC, "wiring_install_dependencies": False, **variables}}


def told(lab: Lab) -> None:
    """Wait until each router knows of all others by BGP, and see that they reach each other's loopbacks."""
    for name, other in itertools.permutations(LOOPBACKS, 2):
        comes(lab, f"ip -n {name} route show {LOOPBACKS[other]} proto bgp | grep -q .")
        lab.run(f"ip netns exec {name} ping -n -q -c 1 -W 9 -I {LOOPBACKS[name]} {LOOPBACKS[other]}")


def test_the_page_s_small_lab(playbook: Playbook) -> None:
    small = wiring(**{name.partition("_")[2]: value for name, value in SMALL.items()})
    gone = {**small, "vars": {**small["vars"], "wiring_state": "absent"}}
    reach = shell("ip netns exec r1 ping -c1 -W9 2001:db8:12::1 >&2 && ip netns exec r2 ping -c1 -W9 10.0.2.99")
    before, foreseen, made, again, _reached, _gone, after = playbook.run(
        snapshot(), checked(small), small, small, reach, gone, snapshot()
    )
    assert (foreseen.drift(), again.changed, after.stdout) == (made.drift(), [], before.stdout)


def test_the_page_s_fabric(playbook: Playbook) -> None:
    lab = playbook.lab
    lab.run(READY)
    before, *_done = playbook.run(snapshot(), play())
    told(lab)
    again, *_more = playbook.run(play())
    assert again.changed == []
    [first, *rest] = FABRIC["wiring_links"]
    fabric = {name.partition("_")[2]: value for name, value in FABRIC.items()}
    playbook.run(wiring(**{**fabric, "links": [{**first, "state": "absent"}, *rest]}))
    told(lab)
    assert lab.run("ip -n leaf1 -br link show type veth").stdout.split("@")[0] == "eth2"
    playbook.run(wiring(**fabric))
    comes(lab, f"ip -n leaf1 route show {LOOPBACKS['spine1']} proto bgp | grep -q eth1")
    told(lab)
    lab.run("kill $(cat /run/frr/*/*.pid); while pgrep -x 'zebra|bgpd' >/dev/null; do :; done")
    _gone, after = playbook.run(wiring(**fabric, state="absent"), snapshot())
    assert after.stdout == before.stdout
