# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EXAMPLES of the filters, and of the modules that only look, as they stand there: one play, on a host with what they suppose.

Nobody of them changes anything, but for the one of ``wiring_published``, which publishes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from lab import Lab
from pages import asked, blocks, examples, plugins
from plays import LIMIT, Playbook
from proofs import comes

LOOK = ("wiring_info", "path_info")
VARIABLES: dict[str, Any] = {
    "wiring_networks": [{"name": "docker0", "subnets": ["172.17.0.0/16"]}],
    "wiring_containers": [
        {
            "name": "web",
            "published_ports": ["8080:80"],
            "networks": [{"name": "docker0", "ipv4_address": "172.17.210.48"}],
        },
        {"name": "db"},
    ],
    "plan": "{{ wiring_networks | linuxnet.containers.wiring_plan(wiring_containers) }}",
}
# Somebody outside behind eth0; who listens is web and db, and a server of names in the internet.
OUTSIDE = (
    "ip netns add internet && ip link add eth0 type veth peer name far netns internet && ip link set eth0 up && ip -n internet link set far up && "
    "ip addr add 192.0.2.1/24 dev eth0 && ip -n internet addr add 192.0.2.53/24 dev far && ip route add default via 192.0.2.53"
)
SERVERS = {
    "web": "socket.create_server(('0.0.0.0', 80))",
    "db": "socket.create_server(('0.0.0.0', 5432))",
    "internet": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('192.0.2.53', 53))",
}


def listening(lab: Lab) -> None:
    for name, socket in SERVERS.items():
        lab.run(f"ip netns list | grep -q '^{name}' || ip netns add {name}")
        lab.spawn(f'exec ip netns exec {name} python3 -c "import socket, time; s = {socket}; time.sleep(100000)"')
        comes(lab, f"ip netns exec {name} ss -ltnu | grep -qE ':(80|5432|53) '")


def wired(lab: Lab) -> dict[str, Any]:
    """Wire the lists, and return the role's variables of what its modules returned, with the names that the examples have for them."""
    done = lab.module(
        "wiring", **{name.removeprefix("wiring_"): VARIABLES[name] for name in ("wiring_networks", "wiring_containers")}
    )
    steps = {one["step"]: {"results": one["results"]} for one in done["results"] if one["half"] == "wire"}
    names = {"namespaces": "netns", "pairs": "veth", "addresses": "address"}
    return {name: steps[step] for name, step in names.items()} | {"wiring_result": done["wiring_result"]}


def test_the_role_s_page_has_the_example_of_the_filter() -> None:
    [block] = [block for block in blocks("roles/wiring/README.md") if block.section == "What it says"]
    first = examples("plugins/filter/topology.py")[0]
    assert block.loaded() == [{name: value for name, value in first.items() if name != "name"}]


@pytest.mark.needs("nft", "nf_nat")
def test_the_examples_work(lab: Lab, tmp_path: Path) -> None:
    lab.run(OUTSIDE)
    listening(lab)
    found = wired(lab)
    lab.run("nft flush map inet linuxnet_containers publish_ip_port")  # for the example that publishes
    called = [path for path in plugins() if path.parent.name == "filter"] + [
        Path("plugins/modules", f"{one}.py") for one in LOOK
    ]
    tasks = sorted((task for path in called for task in examples(path)), key=lambda task: task["name"] != "Publish")
    # What nothing else needs is asked in the cheaper way.
    alone = [
        task
        for task in tasks
        if asked(task) and not {"register", "failed_when"} & set(task) and task["name"] != "Publish"
    ]
    said = {}
    for task in alone:
        module, options = asked(task) or ("", {})
        said[task["name"]] = lab.module(module, **options)
        assert not said[task["name"]]["changed"]
    assert said["Who has this address?"]["msg"].startswith("172.17.210.48")
    play: dict[str, Any] = {
        "name": "examples",
        "vars": {**VARIABLES, **found},
        "tasks": [task for task in tasks if task not in alone],
    }
    inventory = tmp_path / "hosts"
    inventory.write_text(
        f"[fleet]\nlocalhost ansible_connection=local ansible_python_interpreter={sys.executable}\n", encoding="utf-8"
    )
    playbook = Playbook(lab, tmp_path, inventory=inventory)
    lab.run(["env", "-C", str(tmp_path), *playbook.command([play])[1:]], timeout=LIMIT)
    (done,) = playbook.outcomes()
    told = {task.name: task for task in done.tasks}
    assert {name for name, task in told.items() if task.changed} == {
        "Publish",
        "Keep it as a page, with what is not listed in another colour",
    }
    assert {name for name, task in told.items() if task.status == "skipped"} == {"Fail where something failed"}
    assert len(done.tasks) + len(alone) == len(tasks)
    assert "Nothing stops it" in str(told["Read it"].result["msg"])
    assert "8080/tcp is published for web" in lab.module("wiring_info", find="8080/tcp")["msg"]
    assert (tmp_path / "wiring.html").exists()
