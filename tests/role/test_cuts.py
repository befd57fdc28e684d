# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a change cuts: twenty pings a second from a container to somebody outside, while the play runs. The numbers of docs/diffs.md are these.

`LINUXNET_CUTS=FILE` writes those of all changes, in the chain and in one task; without it, the change that the order of the chain's steps is about.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from lab import Lab
from plays import Playbook, internet, wiring
from proofs import comes

FRONT = {"name": "front", "subnets": ["172.20.0.0/24"]}
BACK = {"name": "back", "subnets": ["172.21.0.0/24"]}
WIDE = {"name": "front", "subnets": ["172.20.0.0/23"]}
OTHER = {"name": "front", "subnets": ["172.22.0.0/24"]}


def web(
    network: str = "front", address: str | None = "172.20.0.50", ports: tuple[str, ...] = ("8080:80",)
) -> dict[str, Any]:
    return {
        "name": "web",
        "published_ports": list(ports),
        "networks": [{"name": network, **({"ipv4_address": address} if address else {})}],
    }


CHANGES: dict[str, dict[str, Any]] = {
    "another address": {"networks": [FRONT, BACK], "containers": [web(address="172.20.0.60")]},
    "another network": {"networks": [FRONT, BACK], "containers": [web("back", None)]},
    "another subnet": {"networks": [OTHER, BACK], "containers": [web(address=None)]},
    "the subnet grows": {"networks": [WIDE, BACK], "containers": [web()]},
    "another port": {"networks": [FRONT, BACK], "containers": [web(ports=("8081:80",))]},
}
PRINTS = bool(os.environ.get("LINUXNET_CUTS"))


def lost(playbook: Playbook, change: str, one_task: bool = False) -> tuple[int, int]:
    """How many pings are lost while the role makes a change, of how many."""
    lab, log = playbook.lab, playbook.folder / "pings"
    playbook.run(wiring(networks=[FRONT, BACK], containers=[web()], one_task=one_task))
    pid = lab.spawn(f"exec ip netns exec web ping -n -i 0.05 192.0.2.99 > {log}")
    comes(lab, f"grep -q icmp_seq=2 {log}")
    playbook.run(wiring(**CHANGES[change], one_task=one_task))
    seen = len(lab.run(["cat", str(log)]).stdout)
    comes(lab, f"[ $(tail -c +{seen + 1} {log} | grep -c ttl=) -gt 1 ]")  # it gets through again
    lab.run(f"kill -INT {pid}")
    comes(lab, f"grep -q transmitted {log}")
    said = re.findall(r"(\d+) packets transmitted, (\d+) received", lab.run(["cat", str(log)]).stdout)
    sent, received = map(int, said[0])
    return sent - received, sent


@pytest.fixture(scope="module", autouse=True)
def outside(shared_lab: Lab) -> None:
    internet(shared_lab)


def test_who_gets_another_address_is_not_cut_off_until_he_has_it(playbook: Playbook) -> None:
    """The old address passes until the new one is there: nothing is lost but what is on its way when it changes."""
    gone, sent = lost(playbook, "another address")
    assert gone <= 3, f"{gone} of {sent}"


if PRINTS:

    @pytest.mark.parametrize("one_task", [False, True])
    @pytest.mark.parametrize("change", CHANGES)
    def test_measured(playbook: Playbook, change: str, one_task: bool) -> None:
        gone, sent = lost(playbook, change, one_task)
        with Path(os.environ["LINUXNET_CUTS"]).open("a", encoding="utf-8") as table:
            print(f"{change}, {'one task' if one_task else 'chain'}: {gone} of {sent}", file=table)
