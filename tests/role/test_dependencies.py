# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host lacks is installed where a module says so, and only there. The package manager is one of ours, the Pythons are real.

Modules run with a Python that has Ansible and no library, as where Ansible is in a virtual environment and the host is localhost. "Installed"
means that the system's own Python finds the libraries, or that nft is back.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lab import Lab
from plays import ROLE, Outcome, Play, Playbook, recap

SYSTEM = "/usr/bin/python3"
SYSTEM_LIBRARIES = "/usr/lib/python3/dist-packages"
LIBRARIES = ("pyroute2", "pr2modules", "netaddr")
PACKAGES = ["python3-pyroute2", "python3-netaddr"]

# Stands in for the system's package manager. What it gives is where the tests put it.
PACKAGE_MANAGER = """
import os, subprocess
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule({"name": {"type": "list", "elements": "str"}, "state": {}}, supports_check_mode=True)
names = module.params["name"]
if os.path.exists("/run/no-network"):
    module.fail_json(msg="No package matching '%s' is available" % names[0])
if not module.check_mode:
    give = "/run/give-" + ("libraries" if any("pyroute2" in name for name in names) else names[0])
    subprocess.run(["sh", give], check=True)
module.exit_json(changed=True, asked=names, state=module.params["state"], user=os.getuid())
"""


@dataclass
class Host:
    """A lab host that lacks something, and playbooks on it. ``python`` has Ansible and none of the libraries."""

    lab: Lab
    playbook: Playbook
    python: str

    def command(self, *plays: Play, options: tuple[str, ...] = ("--diff",), **variables: Any) -> list[str]:
        """The command that runs plays, with Ansible in the Python that lacks the libraries."""
        command = self.playbook.command(plays, *options, **variables)
        return [self.python if word == sys.executable else word for word in command]

    def run(self, *plays: Play, options: tuple[str, ...] = ("--diff",), fails: bool = False, **variables: Any) -> Outcome:
        """Run plays, which must succeed but for those that are said to fail. Return the last one."""
        done = self.lab.run(self.command(*plays, options=options, **variables), check=False, timeout=180)
        assert (done.rc != 0) == fails, done.stdout + done.stderr
        self.recap = recap(done)
        return self.playbook.outcomes()[-1]

    def hide_nft(self) -> None:
        self.lab.run("for nft in $(type -ap nft | sort -u); do mount --bind /dev/null $nft; done")

    def show_nft(self) -> None:
        self.lab.run("sh /run/give-nftables")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A virtual environment that has what this one has, but for the libraries."""
    folder = tmp_path_factory.mktemp("python")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=60)
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        target = folder / "lib" / version / "site-packages" / entry.name
        if not entry.name.startswith(LIBRARIES) and not target.exists():
            target.symlink_to(entry)
    return str(folder / "bin" / "python")


@pytest.fixture(scope="module", name="there")
def what_there_is(shared_lab: Lab, playbook: Playbook, bare: str, tmp_path_factory: pytest.TempPathFactory) -> Host:
    """The host, on which the system's Python has no library until a package manager gives it."""
    if not Path(SYSTEM).exists() or not Path(SYSTEM_LIBRARIES).is_dir():
        pytest.skip("this machine's own Python has no folder for packages")
    library = Path(playbook.folder, "library")
    library.mkdir(exist_ok=True)
    (library / "recorder.py").write_text(PACKAGE_MANAGER, encoding="utf-8")
    without, whole = tmp_path_factory.mktemp("without"), tmp_path_factory.mktemp("whole")
    shared_lab.run(f"mkdir /run/original && mount --bind {SYSTEM_LIBRARIES} /run/original")
    for entry in Path(SYSTEM_LIBRARIES).iterdir():
        for folder in (without, whole):
            if not entry.name.startswith(LIBRARIES):
                (folder / entry.name).symlink_to(Path("/run/original", entry.name))
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if entry.name in LIBRARIES:
            (whole / entry.name).symlink_to(entry)
    shared_lab.run(f"mount --bind {without} {SYSTEM_LIBRARIES}")
    shared_lab.run("cat > /run/give-libraries", input=f"mount --bind {whole} {SYSTEM_LIBRARIES}")
    nft = "for nft in $(awk '$5 ~ /nft$/ {print $5}' /proc/self/mountinfo); do umount $nft; done"
    shared_lab.run("cat > /run/give-nftables", input=nft)
    return Host(shared_lab, playbook, bare)


@pytest.fixture
def host(there: Host) -> Iterator[Host]:
    """The host without the libraries, and without wiring afterwards."""
    yield there
    there.lab.run(f"umount {SYSTEM_LIBRARIES}; mount --bind $(cat /run/without) {SYSTEM_LIBRARIES}; rm -f /run/no-network", check=False)


def play(name: str, **variables: Any) -> Play:
    """A play of the role with one container on one network of its own, and a package manager of ours."""
    wiring = {
        "networks": [{"name": f"{name}0", "subnets": ["172.17.0.0/16"]}],
        "containers": [{"name": name, "published_ports": ["8080:80"]}],
        **variables,
    }
    manager = {"ansible.builtin.set_fact": {"pkg_mgr": "ansible.legacy.recorder", "cacheable": True}}
    return {
        "name": name,
        "vars": {f"wiring_{key}": value for key, value in wiring.items()},
        "pre_tasks": [manager],
        "roles": [ROLE],
    }


def asked(outcome: Outcome) -> list[Any]:
    """What the package manager was asked for."""
    return [task.result["asked"] for task in outcome.tasks if "asked" in task.result]


def test_x(host: Host) -> None:
    outcome = host.run(play("web"))
    for t in outcome.tasks:
        print(t.name, t.status, str(t.result)[:300])
    print(host.recap)
    assert 0
