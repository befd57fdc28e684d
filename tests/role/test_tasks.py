# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's tasks: one a module however many containers there are."""

from __future__ import annotations

from plays import Playbook, shell, wiring

NETWORKS = [{"name": "docker0", "subnets": ["172.17.0.0/16"]}]


def test_g10_the_number_of_tasks_does_not_grow_with_the_containers(playbook: Playbook) -> None:
    few, many = playbook.run(
        *(
            wiring(networks=NETWORKS, containers=[{"name": f"c{number}"} for number in range(count)])
            for count in (1, 50)
        ),
        options=("--check",),
    )
    assert few.modules == ["netns", "bridge", "nat", "ns_address", "veth", "ns_address", "ns_route", "nat"]
    assert many.modules == few.modules
    assert [len(task.result["results"]) for task in many.tasks if task.name == "Make namespaces"] == [50]


def test_a_name_is_utf_8_in_any_locale(playbook: Playbook) -> None:
    """As iproute2 reads it; in this one Python takes file names for ASCII."""
    other = {"environment": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}}
    play = {**wiring(networks=NETWORKS, containers=[{"name": "d\u00fc"}]), **other}
    _first, again, seen = playbook.run(play, play, shell("ip netns exec d\u00fc ip -br addr show eth0 scope global"))
    assert again.changed == []
    assert "172.17." in seen.stdout
