# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pages and examples with real engines, run as they stand there: docs/handles.md, docs/how-to-containers.md, the first list of roles/wiring/README.md, and
EXAMPLES with a container of docker's."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from engines import ENGINES, Engine, engine_host
from lab import Lab
from pages import asked, examples, lists, tables
from pages import blocks as blocks_of
from plays import Play, Playbook
from proofs import comes, numbered

# The sections of the page, and the engine that has to be there.
SECTIONS = {
    "ip netns exec and nsenter": "systemd",
    "A systemd unit": "systemd",
    "systemd-run": "systemd",
    "podman": "podman",
    "systemd-nspawn": "machined",
    "LXC": "lxc",
    "docker": "docker",
}


def blocks(title: str) -> list[tuple[str, str]]:
    """The code of a section in order, each with its language; "" is what comes before all sections."""
    return [(block.language, block.text) for block in blocks_of("docs/handles.md") if block.section == title]


class Host:
    """A host with the page's image and machine directory, after the page's first play."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.playbook = Playbook(lab, Path("/run/playbook"))
        self.engines: dict[str, Engine] = {}
        # All before the play: a dockerd without a bridge removes docker0 when it starts.
        for name in set(SECTIONS.values()):
            with contextlib.suppress(AssertionError, OSError):  # its test finds out what it lacks
                self.engines[name] = ENGINES[name](lab)
        # The programs find their own folders as on any host; the lab's systemd looks for units below /run.
        lab.run(
            f"cp -a {self.engines['systemd'].rootfs} /var/lib/machines/box && mkdir -p /var/lib/lxc /etc/lxc && "
            "echo 'lxc.lxcpath = /var/lib/lxc' > /etc/lxc/lxc.conf && "
            "mkdir -p /etc/systemd/system && mount --bind /run/systemd/system /etc/systemd/system"
        )
        self.run("")

    def run(self, title: str, environment: dict[str, str] | None = None) -> str:
        """Run the code of a section: plays with the role, commands in a shell. Returns what the commands print."""
        printed = ""
        for language, code in blocks(title):
            if language == "yaml":
                plays: list[Play] = yaml.safe_load(code)
                self.playbook.run(
                    *({**play, "environment": environment or {}} for play in plays), wiring_install_dependencies=False
                )
            else:
                assert language == "sh"
                printed += self.lab.run(["bash", "-euc", code], env=environment).stdout
        return printed


@pytest.fixture(scope="module")
def host(needs: Callable[..., None]) -> Iterator[Host]:
    needs("systemd")
    with engine_host(systemd=True) as lab:
        yield Host(lab)


def test_every_section_with_code_is_run() -> None:
    found = dict.fromkeys(block.section for block in blocks_of("docs/handles.md"))
    assert [title for title in found if title] == list(SECTIONS)


def test_the_proof_needs_the_container(host: Host) -> None:
    refused = host.lab.run("ping -c 1 -I eth0 172.17.0.1", check=False)
    assert (refused.rc, "eth0" in refused.stderr) == (2, True)


@pytest.mark.parametrize("title", list(SECTIONS))
def test_the_example_works_as_it_stands(host: Host, title: str, needs: Callable[..., None]) -> None:
    engine = SECTIONS[title]
    if engine not in host.engines:
        needs(engine)
    printed = host.run(title, host.engines[engine].environment)
    pings = sum(code.count("ping -c 1 -I eth0 172.17.0.1") for dummy, code in blocks(title))
    assert len(re.findall(r"1 (packets )?received", printed)) == pings > 0


def test_the_handle_of_a_docker_container_goes_with_it(host: Host, needs: Callable[..., None]) -> None:
    if "docker" not in host.engines:
        needs("docker")
    lab, docker = host.lab, host.engines["docker"]
    if "cache" not in docker.names():
        host.run("docker", docker.environment)
    assert lab.run("readlink /run/netns/cache").stdout.startswith(docker.state)
    docker.remove("cache")
    assert lab.run("ip netns exec cache true", check=False).rc != 0
    assert "-> " in lab.run("ls -l /run/netns/cache").stdout


def test_other_handles_hold_the_namespace(host: Host) -> None:
    lab = host.lab
    for pid in lab.run("ip netns pids web").stdout.split():
        lab.run(f"kill -KILL {pid}")
    comes(lab, '[ -z "$(ip netns pids web)" ]')
    lab.run("ip netns exec web ping -c 1 -I eth0 172.17.0.1")


# The programs of docs/how-to-containers.md, by the engine in its list.
STARTED_BY = {"docker": "docker", "podman": "podman", "nspawn": "machined", "lxc": "lxc", "systemd": "systemd"}
LXC_CONFIG = "lxc.rootfs.path = dir:/var/lib/machines/box\nlxc.init.cmd = /bin/sleep 1000\nlxc.net.0.type = empty\nlxc.apparmor.profile = unconfined\n"


def settles_with(host: Host, environment: dict[str, str], module: str, **asked_for: Any) -> None:
    """Check mode, the run and the run again, of a module that asks engines."""
    foreseen = host.lab.module(module, check=True, env=environment, **asked_for)
    done, again = (host.lab.module(module, env=environment, **asked_for) for _time in range(2))
    assert (foreseen["changed"], done["changed"], again["changed"]) == (True, True, False), again["diff"]
    assert foreseen["diff"] == done["diff"]


def process(host: Host, pid: int) -> None:
    """Have a process with that number, in a network namespace of its own."""
    if host.lab.run(f"[ -e /proc/{pid} ]", check=False).rc != 0:
        numbered(host.lab, pid)


def of_docker(host: Host, needs: Callable[..., None], **wanted: str) -> Engine:
    """docker, with containers by name, each with its network."""
    if "docker" not in host.engines:
        needs("docker")
    docker = host.engines["docker"]
    for name, network in wanted.items():
        if name not in docker.names():
            docker.start(name, network)
    return docker


def test_the_page_of_all_engines(host: Host) -> None:
    """Each engine that is here starts its container as the table says, and all are wired in one run."""
    page = "docs/how-to-containers.md"
    listed = lists(blocks_of(page)[0].loaded())
    assert listed is not None
    environment: dict[str, str] = {}
    here = []
    for _who, start, entry in tables(page):
        [text] = re.findall(r"`(\{.*\})`", entry)
        said = yaml.safe_load(text)
        assert said in listed["containers"]
        engine = said.get("engine", "")
        program = STARTED_BY.get(engine)
        if program and program not in host.engines:
            continue
        here.append(said)
        if program:
            environment |= host.engines[program].environment
            if engine == "lxc":
                host.lab.run(f"mkdir /var/lib/lxc/store && printf '{LXC_CONFIG}' > /var/lib/lxc/store/config")
            [command] = re.findall("`([^`]+)`", start.partition(", with")[0])
            host.lab.run(command, env=environment)
        elif engine == "pid":
            process(host, said["pid"])
    comes(host.lab, "[ $(machinectl list --no-legend | grep -c mail) = 1 ]")
    settles_with(host, environment, "wiring", **{**listed, "containers": here})
    for said in here:
        host.lab.run(f"ip netns exec {said['name']} ping -n -q -c 1 10.1.0.1")
    host.lab.module("wiring", env=environment, **{**listed, "containers": here, "state": "absent"})
    if "podman" in host.engines:
        host.engines["podman"].remove("queue")
    host.lab.run(
        "systemctl kill --signal=KILL mail till 2>/dev/null; lxc-stop --kill --name store; true"
    )  # the host ends the sooner
    assert {"docker", "podman", "nspawn", "lxc", "systemd"} - {said.get("engine") for said in here} <= set(
        STARTED_BY
    ) - set(host.engines)


def test_the_first_list_of_the_role_s_page(host: Host, needs: Callable[..., None]) -> None:
    docker = of_docker(host, needs, cache="none")
    process(host, 4242)
    listed = lists(blocks_of("roles/wiring/README.md")[0].loaded())
    assert listed is not None
    settles_with(host, docker.environment, "wiring", **listed)
    host.lab.module("wiring", env=docker.environment, **listed, state="absent")


def test_examples_with_a_container_of_docker_s(host: Host, needs: Callable[..., None]) -> None:
    docker = of_docker(host, needs, cache="none", db="none", sidecar="container:cache")
    tasks = [*examples("plugins/modules/netns.py")[2:4], *examples("plugins/modules/wiring.py")]
    for module, options in filter(None, map(asked, tasks)):
        settles_with(host, docker.environment, module, **options)
    docker.clear()
