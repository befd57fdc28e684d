# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host lacks is installed where a module says so, and only there. The package manager is one of ours, the Pythons are real.

Modules run with a Python that has Ansible and no library, as where Ansible is in a virtual environment and the host is localhost. "Installed"
means that the system's own Python finds the libraries, or that nft is back.
"""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, field
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
    subprocess.run(["bash", give], check=True)
module.exit_json(changed=True, asked=names, state=module.params["state"], user=os.getuid())
"""


@dataclass
class Host:
    """A lab host that lacks something, and playbooks on it. ``python`` has Ansible and none of the libraries."""

    lab: Lab
    playbook: Playbook
    python: str
    recap: dict[str, int] = field(default_factory=dict)

    def command(self, *plays: Play, options: tuple[str, ...] = ("--diff",), **variables: Any) -> list[str]:
        """The command that runs plays, with Ansible in the Python that lacks the libraries."""
        command = self.playbook.command(plays, *options, **variables)
        return [self.python if word == sys.executable else word for word in command]

    def run(
        self, *plays: Play, options: tuple[str, ...] = ("--diff",), fails: bool = False, **variables: Any
    ) -> Outcome:
        """Run plays, which must succeed but for those that are said to fail. Return the last one."""
        done = self.lab.run(self.command(*plays, options=options, **variables), check=False, timeout=900)
        assert (done.rc != 0) == fails, done.stdout + done.stderr
        self.recap = recap(done)
        return self.playbook.outcomes()[-1]


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
    shared_lab.run("cat > /run/hide-libraries", input=f"mount --bind {without} {SYSTEM_LIBRARIES}")
    shared_lab.run("cat > /run/give-libraries", input=f"mount --bind {whole} {SYSTEM_LIBRARIES}")
    shared_lab.run(
        "cat > /run/hide-nftables", input="for nft in $(type -ap nft | sort -u); do mount --bind /dev/null $nft; done"
    )
    nft = "for nft in $(awk '$5 ~ /nft$/ {print $5}' /proc/self/mountinfo); do umount $nft; done"
    shared_lab.run("cat > /run/give-nftables", input=nft)
    return Host(shared_lab, playbook, bare)


@pytest.fixture
def host(there: Host) -> Iterator[Host]:
    """The host without the libraries, and with all else."""
    there.lab.run("bash /run/hide-libraries")
    yield there
    there.lab.run("bash /run/give-nftables; rm -f /run/no-network")


def play(name: str, **variables: Any) -> Play:
    """A play of the role with a container on a network of its own, and a package manager of ours."""
    wiring = {
        "networks": [{"name": f"{name}0", "subnets": ["172.17.0.0/16"]}],
        "containers": [{"name": name, "published_ports": ["8080:80"]}],
        "firewall_backend": "nftables",
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


def said(outcome: Outcome, name: str) -> str:
    """What the last task of a name said."""
    return str([task for task in outcome.tasks if task.name == name][-1].result["msg"])


def names(outcome: Outcome) -> list[str]:
    """The tasks that were not skipped, of the role itself."""
    return [
        task.name for task in outcome.tasks if task.status != "skipped" and task.name.partition(".")[0] != "ansible"
    ]


@pytest.mark.needs("nft")
def test_ansible_in_a_virtual_environment_and_nothing_else_works_at_the_first_try(host: Host) -> None:
    host.lab.run("bash /run/hide-nftables")
    outcome = host.run(play("web"))
    assert asked(outcome) == [PACKAGES, ["nftables"]]
    assert all(task.result["user"] == 0 for task in outcome.tasks if "user" in task.result)
    assert (host.recap["rescued"], host.recap["failed"]) == (2, 0)
    assert outcome.wiring_result["web"]["interfaces"][0]["addresses"] == ["172.17.230.194/16"]
    assert "172.17.230.194" in host.lab.run("ip -n web address").stdout

    again = host.run(play("web"))
    assert asked(again) == again.changed == []
    assert host.recap["rescued"] == 0

    # With all there it costs one inclusion over a role that never installs: no look-up, and no task that is skipped.
    plain = host.run(play("web", install_dependencies=False))
    skipped = [[task.name for task in one.tasks if task.status == "skipped"] for one in (again, plain)]
    assert names(again) == [*names(plain)[:1], "Wire", "Wire as far as that goes", *names(plain)[2:]]
    assert skipped[0] == skipped[1]


def test_what_is_run_again_has_all_that_ansible_told_it(host: Host) -> None:
    """Check mode and diff; and a list that is longer than a pipe."""
    host.lab.run("bash /run/give-libraries")
    names = [f"{'n' * 180}{number}" for number in range(700)]
    task = {
        "name": "Make namespaces",
        "linuxnet.containers.netns": {"aggregate": [{"name": name} for name in names]},
    }
    outcome = host.run({"name": "long", "tasks": [task]}, options=("--check", "--diff"))
    [done] = outcome.tasks
    assert [one["after"]["name"] for one in done.result["results"]] == names
    assert len(done.diff) == 700
    assert names[0] not in host.lab.run("ls /run/netns", check=False).stdout


def test_what_the_first_look_of_a_purge_lacks_is_installed(host: Host) -> None:
    """Step by step: what fails then is passed on by another task, beside the name of what is missing."""
    outcome = host.run(play("seen", purge=True), wiring_one_task=False)
    assert asked(outcome) == [PACKAGES]
    assert (host.recap["rescued"], host.recap["failed"]) == (2, 0)
    assert outcome.wiring_result["seen"]["interfaces"][0]["bridge"] == "seen0"
    gone = [{"name": "gone", "engine": "pid", "pid": 99999}]
    failures = host.run(play("gone", purge=True, containers=gone), fails=True, wiring_one_task=False).failures
    assert "99999" in failures[-1], "a later failure is not taken for that"


def test_check_mode_ends_with_a_sentence_where_the_host_lacks_something(host: Host) -> None:
    before = host.lab.snapshot()
    after_it = {"name": "after", "tasks": [{"name": "Go on", "ansible.builtin.debug": {"msg": "{{ wiring_result }}"}}]}
    outcome = host.run(play("check"), after_it, options=("--check", "--diff"))
    assert host.recap["failed"] == 0
    assert outcome.tasks[-1].result["msg"] == {}
    outcome = host.playbook.outcomes()[0]
    assert asked(outcome) == [PACKAGES]
    assert said(outcome, "Say what check mode cannot foresee") == (
        "Nothing more of this host's wiring can be foreseen before it has python3-pyroute2 and python3-netaddr, which check mode does not install."
    )
    assert host.lab.snapshot() == before


def test_what_cannot_be_installed_is_named(host: Host) -> None:
    host.lab.run("touch /run/no-network")
    before = host.lab.snapshot()
    debian, redhat = (
        host.run(
            play("none"), fails=True, ansible_facts={"os_family": family, "pkg_mgr": "ansible.legacy.recorder"}
        ).failures[-1]
        for family in ("Debian", "RedHat")
    )
    sentence = (
        "Could not install python3-pyroute2 and python3-netaddr (No package matching 'python3-pyroute2' is available): "
        "install what the modules need on this host by hand"
    )
    assert debian == f"{sentence}."
    assert redhat == f"{sentence} (the libraries for Python are in EPEL, but on Fedora)."
    assert host.lab.snapshot() == before


def test_another_failure_comes_out_in_its_own_words(host: Host) -> None:
    host.lab.run("bash /run/give-libraries")
    gone = [{"name": "gone", "engine": "pid", "pid": 99999}]
    failures = [
        host.run(play("gone", containers=gone, install_dependencies=install), fails=True).failures
        for install in (False, True)
    ]
    assert len(failures[0]) == 1, "and once, though the role would begin again where something lacks"
    assert "99999" in failures[0][0]
    assert failures[1] == failures[0]
    assert asked(host.playbook.outcomes()[0]) == []


def test_nothing_is_installed_where_the_role_is_told_so(host: Host) -> None:
    outcome = host.run(play("told", install_dependencies=False), fails=True)
    [failure] = outcome.failures
    assert re.match(r"Failed to import the required Python library \((pyroute2|netaddr)\) on lab's Python", failure)
    assert asked(outcome) == []
    assert (host.recap["rescued"], host.recap["failed"]) == (0, 1)


@pytest.mark.parametrize("strictness", [{"any_errors_fatal": True}, {"max_fail_percentage": 0}], ids=str)
@pytest.mark.parametrize("options", [(), ("--check",)], ids=["run", "check"])
def test_a_host_that_lacks_something_holds_no_other_one_up(
    host: Host, strictness: dict[str, Any], options: tuple[str, ...]
) -> None:
    hosts = {"whole": sys.executable, "lacking": host.python}
    lines = [f"{name} ansible_connection=local ansible_python_interpreter={python}" for name, python in hosts.items()]
    host.lab.run(f"cat > {host.playbook.folder}/hosts", input="\n".join(lines))
    name = "{{ inventory_hostname }}"
    subnet = "{{ {'whole': '172.18.0.0/16', 'lacking': '172.19.0.0/16'}[inventory_hostname] }}"
    wiring = play(name, networks=[{"name": f"{name}0", "subnets": [subnet]}], containers=[{"name": name}])
    command = host.command(
        {**wiring, "name": "both", "hosts": "all", **strictness},
        options=("-i", f"{host.playbook.folder}/hosts", *options),
    )
    done = host.lab.run(command, timeout=900)
    counts = {
        line.split()[0]: dict(re.findall(r"(\w+)=(\d+)", line))
        for line in done.stdout.splitlines()
        if re.match(r"(whole|lacking) +: ok=", line)
    }
    assert {name: (count["rescued"], count["failed"]) for name, count in counts.items()} == {
        "whole": ("0", "0"),
        "lacking": ("1", "0"),
    }
    there = host.lab.run("ls /run/netns").stdout.split()
    assert options or {"whole", "lacking"} <= set(there)


def test_the_names_of_packages_by_family(host: Host) -> None:
    """In check mode, which only asks; the table in the role's README has the same."""
    families = ("Debian", "RedHat", "Suse", "Alpine", "Archlinux")
    facts = [{"os_family": family, "pkg_mgr": "ansible.legacy.recorder"} for family in families]
    plays = [{**play("named"), "vars": {**play("named")["vars"], "ansible_facts": fact}} for fact in facts]
    host.run(*plays, options=("--check",))
    found = {family: asked(outcome) for family, outcome in zip(families, host.playbook.outcomes(), strict=True)}
    plain = ["python3-pyroute2", "python3-netaddr"]
    assert found == {
        "Debian": [plain],
        "RedHat": [plain],
        "Suse": [plain],
        "Alpine": [["py3-pyroute2", "py3-netaddr"]],
        "Archlinux": [["python-pyroute2", "python-netaddr"]],
    }
    readme = Path(__file__).parents[2].joinpath("roles", "wiring", "README.md").read_text(encoding="utf-8")
    for family, [packages] in found.items():
        [row] = [line for line in readme.splitlines() if line.startswith(f"| {family} ")]
        assert all(f"`{package}`" in row for package in [*packages, "nftables", "iptables"])
