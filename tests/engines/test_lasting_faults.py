# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host that brings its wiring back by itself, when something goes wrong: a container that cannot be wired, a run or a boot that is killed, files of
others. And that the prober of these tests sees what is open."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import restarted
from boots import Disk, new_disk
from engines import ENGINES, Engine, engine_host
from lab import HERE, Lab, collections_root
from proofs import comes

GIVEN: dict[str, Any] = {
    "networks": [{"name": "front", "subnets": ["10.7.0.0/24"]}],
    "containers": [{"name": "web", "published_ports": ["8080:80"]}, {"name": "db"}],
}
SYSCTLS = "/etc/sysctl.d/99-zz-linuxnet-containers.conf"
UNITS = {
    "shop.service": "[Unit]\nRequires=wired@web.service\nAfter=wired@web.service\n[Service]\nType=exec\nNetworkNamespacePath=/run/netns/web\n"
    "ExecStart=/bin/sleep infinity\n",
    "store.service": "[Unit]\nRequires=wired@db.service\nAfter=wired@db.service\n[Service]\nType=exec\nNetworkNamespacePath=/run/netns/db\n"
    "ExecStart=/bin/sleep infinity\n",
    "multi-user.target.d/boot.conf": "[Unit]\nWants=shop.service store.service\n",
}


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory, needs: Callable[..., None]) -> Disk:
    """The disk of a host that keeps a wiring."""
    needs("systemd", "nft")
    found = new_disk(tmp_path_factory.mktemp("disk") / "disk.tar", units=UNITS)
    with found.boots() as host:
        host.lab.module("wiring", persist=True, **GIVEN)
    return found


def spoiled(disk: Disk, tmp_path: Path, command: str) -> Disk:
    """The same disk after a command, run while the host is down."""
    other = Disk(tmp_path / "disk.tar")
    with engine_host(systemd=True, disk=disk.file) as lab:
        lab.run(command)
        other.write(lab)
    return other


def test_one_container_s_failure_is_its_own_and_is_said_aloud(disk: Disk, tmp_path: Path) -> None:
    """Somebody has a file in the place of its name."""
    with spoiled(
        disk, tmp_path, "sed -i '2i mkdir -p /run/netns; echo x >/run/netns/db' /etc/lab-boot"
    ).boots() as host:
        assert host.state("wired.service") == "failed exit-code"
        failed, *left, summed = host.wired().splitlines()
        assert failed.startswith("Container 'db' at step netns: netns db: ")
        assert left[-1].startswith("Left out for that: container 'db' (veth, ")
        assert all("container 'db'" in line.lower() for line in left)
        assert summed.startswith("1 network, 2 containers: not all is wired, ")
        units = ("wired@web.service", "shop.service", "wired@db.service", "store.service")
        assert [host.state(unit).split()[0] for unit in units] == ["active", "active", "failed", "inactive"]
        assert host.lab.ip("-n web addr show eth0")
        assert "8080" in host.lab.run("nft list ruleset").stdout
        host.lab.run("rm /run/netns/db; systemctl restart wired.service store.service")
        assert [host.state(unit).split()[0] for unit in ("wired.service", *units)] == ["active"] * 5
        assert host.lab.module("wiring", persist=True, **GIVEN)["diff"] == []


def test_who_is_not_kept_cannot_be_required(disk: Disk) -> None:
    with disk.boots() as host:
        assert host.lab.run("systemctl start wired@other.service", check=False).rc != 0
        assert "Container 'other' is not among those that are kept" in host.lab.run("cat /run/wired@.log").stdout


def test_a_boot_without_a_plan_fails_aloud(disk: Disk, tmp_path: Path) -> None:
    with spoiled(disk, tmp_path, "rm /var/lib/linuxnet-containers/plan.json").boots() as host:
        assert host.state("wired.service") == "failed exit-code"
        assert host.wired().startswith("This host keeps no wiring: there is no ")
        assert host.lab.module("wiring", persist=True, **GIVEN)["changed"] is True
        assert host.lab.module("wiring", persist=True, **GIVEN)["changed"] is False


SLOW = "printf '[Service]\\nExecStartPre=/bin/sleep 0.5\\n' >/etc/systemd/system/wired.service.d/slow.conf"


@pytest.mark.parametrize("early", [False, True])
def test_forwarding_waits_for_isolation_and_the_prober_would_have_seen_it(
    disk: Disk, tmp_path: Path, early: bool
) -> None:
    """With a boot unit that is slow: the file of sysctls as it was before there was any, and as it is."""
    command = f"{SLOW}; " + (f"sed -i 's/^; //' {SYSCTLS}" if early else "true")
    with spoiled(disk, tmp_path, command).boots() as host:
        comes(host.lab, '[ "$(cat /run/prober)" -gt 100 ]')
        assert host.state("wired.service") == "active success"
        assert host.lab.run("cat /proc/sys/net/ipv4/ip_forward").stdout == "1\n"
        assert (host.noticed("beyond") > 0) is early
        assert host.probed() > 100


# --- killed ---


CALLS = "rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir"


def killed(lab: Lab, at: int, command: list[str], given: str) -> bool:
    """Run a command that is killed at its write to a folder with that number. False where it makes fewer."""
    trace = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/run/trace",
        "-e",
        f"trace={CALLS}",
        "-e",
        f"inject={CALLS}:signal=KILL:when={at}",
    ]
    return lab.run([*trace, *command], check=False, input=given, timeout=300).rc != 0


def module(**given: Any) -> tuple[list[str], str]:
    """How the module is started in a process of its own."""
    return [sys.executable, str(HERE / "agent.py"), collections_root(), "--module", "wiring"], json.dumps(
        {"args": given}
    )


def files(lab: Lab) -> str:
    paths = "/var/lib/linuxnet-containers /etc/systemd/system /etc/sysctl.d"
    return lab.run(
        f"find {paths} -printf '%M %p %l\\n' | sort; find {paths} -type f | sort | xargs sha256sum", check=False
    ).stdout


@pytest.fixture(scope="module")
def wired(needs: Callable[..., None]) -> Iterator[Lab]:
    """A host that is wired."""
    needs("systemd", "nft")
    with engine_host(systemd=True) as lab:
        lab.module("wiring", **GIVEN)
        yield lab


def test_g1_a_run_that_is_killed_at_any_write_is_finished_by_the_next_one(wired: Lab) -> None:
    """What the host keeps is written, and removed, file by file; the wiring itself has nothing to do here."""
    wired.run(
        "mkdir /etc/systemd/system/multi-user.target.wants && touch /etc/systemd/system/multi-user.target.wants/others.service"
    )
    bare = files(wired)
    wired.module("wiring", persist=True, **GIVEN)
    whole = files(wired)
    for persist, after in ((False, bare), (True, whole)):
        command, given = module(persist=persist, **GIVEN)
        for at in range(1, 40):
            wired.module("wiring", persist=not persist, **GIVEN)
            if not killed(wired, at, command, given):
                break
            wired.module("wiring", persist=persist, **GIVEN)
            assert files(wired) == after
            assert wired.module("wiring", persist=persist, **GIVEN)["changed"] is False
        assert 5 < at < 39


# --- containers of engines ---

EVERY = int(os.environ.get("LASTING_EVERY", "12"))  # one of so many calls
UNIT = (
    "[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=exec\nPrivateNetwork=yes\nKillSignal=SIGKILL\nSuccessExitStatus=SIGKILL\n"
    "Environment=LAB_CONTAINER=web\nExecStart=/bin/sleep infinity\n"
)
KEPT = {**GIVEN, "containers": [{"name": "web", "engine": "systemd", "published_ports": ["8080:80"]}]}


@pytest.fixture(scope="module")
def served(needs: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A host that keeps the wiring of a unit with a network of its own."""
    needs("systemd", "nft", "strace")
    disk = tmp_path_factory.mktemp("disk") / "disk.tar"
    disk.write_bytes(b"")
    with engine_host(systemd=True, disk=disk) as lab, ENGINES["systemd"](lab) as engine:
        lab.run("cat >/run/systemd/system/web.service", input=UNIT)
        lab.run("systemctl daemon-reload && systemctl start web")
        lab.module("wiring", persist=True, **KEPT)
        yield engine


def one_killed(lab: Lab, at: int, command: str) -> bool:
    """Run a command in which whoever comes to so many calls to the kernel is killed. False where nobody does."""
    calls = "sendto,sendmsg,unlink,mount,umount2"
    trace = f"strace -f -qq -o /run/trace -e trace={calls} -e inject={calls}:signal=KILL:when={at}"
    lab.run(f"{trace} {command}", check=False, timeout=300)
    return "killed by SIGKILL" in lab.run("cat /run/trace").stdout


@pytest.mark.parametrize("ends", [False, True])
def test_g1_a_hook_that_is_killed_is_made_good_by_the_next_start(served: Engine, ends: bool) -> None:
    """At every twelfth of its calls, when the container starts, and when it has ended."""
    lab = served.lab
    wired = restarted.settled(served)
    tried = []
    for at in range(1, 600, EVERY):
        if ends:
            met = one_killed(lab, at, "wired down web")
        else:
            lab.run("systemctl stop web")
            process = lab.spawn(["unshare", "--net", "sleep", "7777"])
            comes(lab, f"[ $(readlink /proc/{process}/ns/net) != $(readlink /proc/self/ns/net) ]")
            met = one_killed(lab, at, f"wired up web --pid {process}")
            lab.kill(process)
        lab.run("systemctl restart web")
        assert restarted.settled(served) == wired, f"killed at call {at}"
        if not met:
            break
        tried.append(at)
    assert not met
    assert len(tried) > 2
