# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What docs/rates.md tells people to do: containers with slow lines, which drift, are seen, and are slow no longer when that is not asked for."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from lab import Lab
from pages import blocks
from plays import Playbook, checked, refused, shell, wiring
from proofs import settles

PAGE = blocks("docs/rates.md")
YAML, SH = ([block.text for block in PAGE if block.language == language] for language in ("yaml", "sh"))
ASKED = {name.removeprefix("wiring_"): value for name, value in yaml.safe_load(YAML[0]).items()}
QDISCS = "for name in web backup; do tc -n $name qdisc show dev eth0; done; tc qdisc show | grep 4c4e"
DRIFT = """
tc -n web qdisc change dev eth0 root handle 4c4e: tbf rate 50mbit burst 100kb latency 50ms
tc -n backup qdisc del dev eth0 root
"""


def entry(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "networks": [{"name": "front", **more}]}


@pytest.mark.needs("tbf")
def test_containers_have_slow_lines_as_long_as_the_list_says_so(playbook: Playbook) -> None:
    play = wiring(**ASKED)
    faster = wiring(
        networks=ASKED["networks"], containers=[entry("web", rate="10mbit", egress_rate="20mbit"), entry("backup")]
    )
    plain = wiring(networks=ASKED["networks"], containers=[entry("web"), entry("backup")])
    foreseen, made, seen, drifted, repair, again, look, faster_foreseen, changed, gone, last, none = playbook.run(
        *(checked(play), play, shell(SH[0].replace("\n", " && ") + "true"), shell(DRIFT), play, play, shell(QDISCS)),
        *(checked(faster), faster, plain, shell(f"{QDISCS} || true"), plain),
    )
    assert foreseen.changed == made.changed
    assert (seen.failures, drifted.failures, again.changed) == ([], [], [])
    (web, backup) = repair.drift().items()
    assert web[1] == ["-peer_rate 50mbit", "+peer_rate 10mbit"]
    assert backup[1] == ["-peer_rate none", "+peer_rate 2mbit"]
    assert len(look.stdout.splitlines()) == 3
    assert faster_foreseen.drift() == changed.drift()
    assert list(changed.drift().values()) == [["-peer_rate 10mbit", "+peer_rate 20mbit"], ["-peer_rate 2mbit"]]
    assert list(gone.drift().values()) == [["-rate 10mbit", "-peer_rate 20mbit"]]
    assert "4c4e" not in last.stdout
    assert none.changed == []


@pytest.mark.needs("tbf")
def test_a_kernel_without_netem_fails_that_container_alone(playbook: Playbook) -> None:
    lab = playbook.lab
    works = lab.run("tc qdisc add dev lo root netem delay 1ms && tc qdisc del dev lo root", check=False).rc == 0
    asked = {"networks": ASKED["networks"], "containers": [entry("web", rate="1mbit"), entry("far", delay="10ms")]}
    (done,) = playbook.run(wiring(**asked) if works else refused(**asked))
    assert works or [one for one in done.failures if re.search("there is no netem, of the module sch_netem", one)], (
        done.failures
    )
    assert lab.run("tc -n web qdisc show dev eth0 | grep -q 'rate 1Mbit'").rc == 0


@pytest.mark.needs("tbf")
def test_the_tasks_of_the_page_settle(lab: Lab) -> None:
    lab.run("ip netns add web")
    for task in yaml.safe_load(YAML[1]):
        ((name, options),) = task.items()
        settles(lab, name.rpartition(".")[2], **options)
