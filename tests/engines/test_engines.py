# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engines themselves: containers as the other tests take them for granted, and a machine that is as it was."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from engines import ENGINES, Docker, Engine, Podman, cgroups, engine_host, own_cgroup
from proofs import comes, ns_inode

# What the engines' own tools say of a container's main process; with the engine's environment and nothing else.
TOLD = {
    "docker": "docker container inspect -f '{{.State.Pid}}' web",
    "podman": "podman container inspect -f '{{.State.Pid}}' web",
    "machined": "machinectl show -p Leader --value web",
    "lxc": "lxc-info -p -H -n web",
    "systemd": "systemctl show -p MainPID --value web",
}


def namespace(engine: Engine, name: str) -> int:
    return ns_inode(engine.lab, f"/proc/{engine.pid(name)}/ns/net")


def of_the_host(engine: Engine) -> int:
    return ns_inode(engine.lab, "/proc/self/ns/net")


def links(engine: Engine, name: str) -> list[str]:
    listed = engine.lab.run(f"nsenter -t {engine.pid(name)} -n ip -o link").stdout
    return [line.split()[1].rstrip(":") for line in listed.splitlines()]


def left(engine: Engine) -> str:
    """Processes, mounts, cgroups and links of the host, but for those of the look itself."""
    return engine.lab.run(
        "ps -eo comm= | grep -vxE 'ps|bash|grep|sort|find|awk' | sort; awk '{print $5}' /proc/self/mountinfo | sort; "
        "find /sys/fs/cgroup -type d | sort; ip -o link"
    ).stdout


def test_a_container_has_a_namespace_of_its_own_with_only_lo(engine: Engine) -> None:
    engine.start("web")
    assert namespace(engine, "web") != of_the_host(engine)
    assert links(engine, "web") == ["lo"]


def test_commands_run_inside(engine: Engine) -> None:
    engine.start("web")
    seen = engine.run_in("web", ["stat", "-Lc", "%i", "/proc/self/ns/net"]).stdout
    assert int(seen) == namespace(engine, "web")
    assert engine.run_in("web", ["sh", "-c", "exit 7"], check=False).rc == 7


def test_its_own_tools_tell_its_process(engine: Engine) -> None:
    engine.start("web")
    if engine.name in TOLD:
        told = engine.lab.run(TOLD[engine.name], env=engine.environment).stdout
        assert int(told) == engine.pid("web")
    else:
        names = engine.lab.run(f"ps -o comm= -p $(ps -o ppid= -p {engine.pid('web')})").stdout
        assert names == "systemd-nspawn\n"


def test_a_restart_makes_a_new_namespace(engine: Engine) -> None:
    engine.start("web")
    pid, before = engine.pid("web"), namespace(engine, "web")
    holder = engine.lab.spawn(
        f"exec 9</proc/{pid}/ns/net; exec sleep 100000"
    )  # its inode number is not given out again
    comes(engine.lab, f"[ -e /proc/{holder}/fd/9 ]")
    engine.restart("web")
    assert engine.pid("web") not in (0, pid)
    assert namespace(engine, "web") not in (before, of_the_host(engine))
    assert links(engine, "web") == ["lo"]
    engine.lab.kill(holder)


def test_a_stopped_container_has_no_process(engine: Engine) -> None:
    engine.start("web")
    engine.stop("web")
    assert engine.pid("web") == 0


def test_a_container_may_use_the_hosts_network(engine: Engine) -> None:
    engine.start("web", network="host")
    assert namespace(engine, "web") == of_the_host(engine)


def test_a_container_may_join_another(engine: Engine) -> None:
    engine.start("web")
    engine.start("log", network="container:web")
    assert engine.pid("log") != engine.pid("web")
    assert namespace(engine, "log") == namespace(engine, "web") != of_the_host(engine)


def test_a_container_may_start_in_a_namespace_that_exists(engine: Engine) -> None:
    if not engine.handles:
        with pytest.raises(AssertionError, match="network ns:/run/netns/shop not found"):
            engine.start("web", handle="/run/netns/shop")
        return
    engine.lab.run("ip netns add shop && ip -n shop link add v0 type veth peer name v1")
    engine.start("web", handle="/run/netns/shop")
    assert namespace(engine, "web") == ns_inode(engine.lab, "/run/netns/shop")
    assert "v0" in engine.run_in("web", ["ip", "link"]).stdout
    engine.remove("web")
    engine.lab.run("ip netns delete shop")


def test_a_removed_container_leaves_nothing(engine: Engine) -> None:
    engine.start("first")  # the engine makes its parents of cgroups and the like
    engine.remove("first")
    before = left(engine)
    engine.start("web")
    assert left(engine) != before
    engine.remove("web")
    assert left(engine) == before
    assert engine.names() == []


def test_docker_has_its_own_network_where_it_is_asked_to(needs: Callable[..., None]) -> None:
    needs("docker")
    with engine_host() as lab, Docker(lab, bip="10.77.0.1/24") as docker:
        assert lab.ip("addr show docker0")[0]["addr_info"][0]["local"] == "10.77.0.1"
        assert "policy drop" in lab.run("nft list chain ip filter FORWARD").stdout
        docker.start("web", network="bridge")
        docker.start("shop", network="bridge")
        assert "10.77.0.2/24" in docker.run_in("web", ["ip", "addr"]).stdout
        docker.run_in("shop", ["ping", "-c1", "-W20", "10.77.0.2"])


def test_podman_has_its_own_network_where_it_is_asked_to(needs: Callable[..., None]) -> None:
    needs("podman")
    with engine_host() as lab, Podman(lab) as podman:
        podman.start("web", network="podman")
        podman.start("shop", network="podman")
        address = lab.ip("addr show podman0")[0]["addr_info"][0]["local"].removesuffix(".1")
        podman.run_in("shop", ["ping", "-c1", "-W20", f"{address}.2"])


def machine() -> dict[str, str]:
    """What engines could have changed outside: sysctls, files where they keep theirs, mounts, links and namespaces."""
    folders = ("/dev", "/dev/shm", "/etc", "/etc/lxc", "/run", "/run/netns", "/var", "/var/lib", "/var/cache", "/root")
    told = {folder: "\n".join(sorted(os.listdir(folder))) for folder in folders if Path(folder).is_dir()}
    for area in ("fs", "kernel/keys", "net/ipv4/ip_forward", "net/bridge", "vm/overcommit_memory"):
        for path in [Path("/proc/sys", area), *Path("/proc/sys", area).rglob("*")]:
            if path.is_file() and os.access(path, os.R_OK) and path.name not in ("dentry-state", "file-nr", "aio-nr"):
                value = "" if path.name.startswith("inode-") or "pty" in path.parts else path.read_text()
                told[str(path)] = value
    told["mounts"] = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    for command in ("ip -o -d link", "ip route", "nft list ruleset"):
        told[command] = subprocess.run(command.split(), capture_output=True, text=True, timeout=300, check=False).stdout
    return told


def differences(before: dict[str, str], after: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    keys = before.keys() | after.keys()
    return {key: (before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)}


@pytest.mark.parametrize("name", list(ENGINES))
def test_the_machine_is_as_it_was(name: str, needs: Callable[..., None]) -> None:
    needs(name)
    tree = cgroups()
    assert tree is not None
    before, others = machine(), set(tree.glob("linuxnet-lab-*"))
    kind = ENGINES[name]
    with engine_host(kind.systemd) as lab:
        (ours,) = {one for one in tree.glob(f"linuxnet-lab-{os.getpid()}-*") if one not in others}
        engine = kind(lab)
        engine.start("web")
        engine.start("other", network="host")
        assert engine.pid("web") != engine.pid("other") != 0
        # The host ends with the containers running. A cgroup with a process in it could not be removed.
    assert not ours.exists()
    assert differences(before, machine()) == {}


@pytest.mark.parametrize("systemd", [False, True])
def test_a_sealed_host_can_write_to_nothing_of_the_machine(
    systemd: bool, needs: Callable[..., None], tmp_path: Path
) -> None:
    needs("systemd" if systemd else "lxc")
    (tmp_path / "canary").write_text("alive")
    home = Path.home()
    with engine_host(systemd) as lab:
        for path in ("/x", "/usr/x", "/dev/x", "/opt/x", "/proc/sys/fs/file-max", "/proc/sys/kernel/keys/root_maxkeys"):
            tried = lab.run(f"[ ! -f {path} ] || set -- $(cat {path}); echo $1 > {path}", check=False)
            assert "Read-only file system" in tried.stderr, path
        lab.run(f"touch {home}/sealed /var/sealed /run/sealed /etc/sealed /dev/shm/sealed")
        if systemd:
            assert lab.run("stat -f -c %T /tmp").stdout == "overlayfs\n"
            assert lab.run(f"cat {tmp_path}/canary && rm {tmp_path}/canary; ls {tmp_path}").stdout == "alive"
    assert (tmp_path / "canary").read_text() == "alive"
    for folder in (home, "/var", "/run", "/etc", "/dev/shm"):
        assert not Path(folder, "sealed").exists()


def test_what_a_killed_run_left_is_removed_by_the_next(needs: Callable[..., None]) -> None:
    needs("lxc")
    tree = cgroups()
    assert tree is not None
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait(timeout=300)
    orphan = tree / f"linuxnet-lab-{ended.pid}-1"
    (orphan / "docker" / "0").mkdir(parents=True)
    with own_cgroup() as own:
        assert own.exists()
        assert not orphan.exists()
    assert not own.exists()
