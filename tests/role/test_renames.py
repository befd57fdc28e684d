# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A container's interface is called otherwise, by hand or by the list: check mode of the chain, whose tasks do not see what the one before would rename,
says what the run does. labs.md, 5."""

from __future__ import annotations

from typing import Any

from lab import Lab
from plays import Playbook, checked, shell, wiring

NETWORK = {"name": "front", "subnets": ["10.1.0.0/24", "fd00:1::/64"]}


def web(**options: Any) -> dict[str, Any]:
    return {"name": "web", "networks": [{"name": "front", **options}]}


def test_labs5_check_mode_of_the_chain_foresees_a_renamed_interface(shared_lab: Lab, playbook: Playbook) -> None:
    pristine = shared_lab.snapshot()
    as_it_is, other = (wiring(networks=[NETWORK], containers=[one]) for one in (web(), web(interface="wan0")))
    by_hand = "ip -n web link set eth0 down && ip -n web link set eth0 name net1 && ip -n web link set net1 up"
    gone = wiring(networks=[NETWORK], containers=[web(interface="wan0")], state="absent")
    _made, _hand, *renamed, _gone = playbook.run(
        as_it_is, shell(by_hand), checked(as_it_is), as_it_is, as_it_is, checked(other), other, other, gone
    )
    for foreseen, run, again in (renamed[:3], renamed[3:]):
        assert foreseen.drift() == run.drift() != {}
        assert again.changed == []
    assert shared_lab.snapshot() == pristine
