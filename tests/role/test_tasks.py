# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's tasks: one a module however many containers there are."""

from __future__ import annotations

from plays import Playbook, wiring

NETWORKS = [{"name": "docker0", "subnets": ["172.17.0.0/16"]}]


def test_g10_the_number_of_tasks_does_not_grow_with_the_containers(playbook: Playbook) -> None:
    few, many = playbook.run(
        *(
            wiring(networks=NETWORKS, containers=[{"name": f"c{number}"} for number in range(count)])
            for count in (1, 50)
        ),
        options=("--check",),
    )
    assert few.modules == ["netns", "bridge", "nat", "ns_address", "veth", "ns_address", "ns_route"]
    assert many.modules == few.modules
    assert [len(task.result["results"]) for task in many.tasks if task.name == "Make namespaces"] == [50]
