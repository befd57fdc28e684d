# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's tasks: one a module however many containers there are, and the one that installs what the modules need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lab import Lab
from plays import ROLE, Outcome, Playbook, wiring

NETWORKS = [{"name": "docker0", "subnets": ["172.17.0.0/16"]}]

# Stands in for the system's package manager: it only says what it was asked for.
PACKAGE_MANAGER = """
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule({"name": {"type": "list"}, "state": {}}, supports_check_mode=True)
module.exit_json(changed=True, asked=module.params["name"], state=module.params["state"])
"""


def test_g10_the_number_of_tasks_does_not_grow_with_the_containers(playbook: Playbook) -> None:
    few, many = playbook.run(
        *(
            wiring(networks=NETWORKS, containers=[{"name": f"c{number}"} for number in range(count)])
            for count in (1, 50)
        ),
        options=("--check",),
    )
    assert few.modules == ["netns", "bridge", "ns_address", "veth", "ns_address", "ns_route", "nat"]
    assert many.modules == few.modules
    assert [len(task.result["results"]) for task in many.tasks if task.name == "Make namespaces"] == [50]


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python without any library."""
    folder = tmp_path_factory.mktemp("python")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=600)
    return str(folder / "bin" / "python")


def install(playbook: Playbook, interpreter: str, **facts: Any) -> list[Any]:
    """Run the role with a Python and a package manager of ours. Returns what that was asked to install, by call."""
    library = Path(playbook.folder, "library")
    library.mkdir(exist_ok=True)
    (library / "recorder.py").write_text(PACKAGE_MANAGER, encoding="utf-8")
    chosen = {
        "name": "Choose",
        "ansible.builtin.set_fact": {"pkg_mgr": "ansible.legacy.recorder", "cacheable": True, **facts},
    }
    play = {
        "name": "install",
        "vars": {"wiring_install_dependencies": True},
        "tasks": [chosen, {"ansible.builtin.include_role": {"name": ROLE}}],
    }
    [outcome] = playbook.run(play, options=("--check",), ansible_python_interpreter=interpreter)
    return asked(outcome)


def asked(outcome: Outcome) -> list[Any]:
    """What the package manager was asked for."""
    return [task.result["asked"] for task in outcome.tasks if "asked" in task.result]


@pytest.mark.needs("nft")
def test_g13_what_the_modules_lack_is_installed_from_the_systems_packages(
    shared_lab: Lab, playbook: Playbook, bare_python: str
) -> None:
    """G13: with the Python that runs the modules, not with the one on the PATH; nft is hidden for the time being."""
    shared_lab.run("for nft in $(type -ap nft | sort -u); do mount --bind /dev/null $nft; done")
    try:
        wanted = install(playbook, bare_python)
        named = install(playbook, bare_python, os_family="Archlinux", python={"executable": bare_python})
    finally:
        shared_lab.run("for nft in $(awk '$5 ~ /nft$/ {print $5}' /proc/self/mountinfo); do umount $nft; done")
    assert wanted == [["python3-pyroute2", "python3-netaddr", "nftables"]]
    assert named == [["python-pyroute2", "python-netaddr", "nftables"]]


@pytest.mark.needs("nft")
def test_nothing_is_installed_where_everything_is_there(playbook: Playbook) -> None:
    assert install(playbook, sys.executable) == []
