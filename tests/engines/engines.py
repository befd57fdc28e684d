# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real container engines in a lab host: docker, podman, systemd-nspawn, LXC and systemd's units, used the same way.

with engine_host() as lab, Docker(lab) as docker:
    docker.start("web")
    lab.ip(f"-n /proc/{docker.pid('web')}/ns/net link")

Nothing is fetched: the image is busybox. A host for engines is sealed, see roles/lab/files/sealed.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import resource
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar

from lab import Lab, Result

SLEEP = ("sleep", "100000")
STATE = "/run/engines"
MARK = "LAB_CONTAINER"
PROGRAMS = "sh cat httpd ip nc ping sleep stat".split()
_numbers = itertools.count(1)

# The oldest process with the container's mark in its environment.
FIND = """
import glob, sys
mark = sys.argv[1].encode()
found = []
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        if mark in open(path, "rb").read().split(b"\\0"):
            with open(path.replace("environ", "stat")) as stat:
                pid, rest = stat.read().split(" (", 1)
            found.append((int(rest.rsplit(")", 1)[1].split()[19]), int(pid)))
    except OSError:
        pass
print(min(found)[1] if found else 0)
"""


def cgroups() -> Path | None:
    """Where the machine's cgroup v2 tree is mounted."""
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        if line.split()[2] == "cgroup2":
            return Path(line.split()[1])
    return None


@contextlib.contextmanager
def own_cgroup() -> Iterator[Path]:
    """A cgroup for one host. What a run that was killed left behind goes as well."""
    tree = cgroups()
    assert tree is not None, "no cgroup v2 tree is mounted"
    for left in tree.glob("linuxnet-lab-*"):
        if not Path("/proc", left.name.split("-")[2]).exists():
            remove_cgroup(left)
    folder = tree / f"linuxnet-lab-{os.getpid()}-{next(_numbers)}"
    folder.mkdir()
    try:
        yield folder
    finally:
        remove_cgroup(folder)


def remove_cgroup(folder: Path) -> None:
    """Remove an ended host's cgroup and those below. The kernel may still be at its last processes."""
    end = time.monotonic() + 60
    while folder.exists():
        try:
            for one in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
                one.rmdir()
            folder.rmdir()
        except FileNotFoundError:
            pass  # another run removes it too
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


@contextlib.contextmanager
def engine_host(systemd: bool = False, disk: Path | None = None) -> Iterator[Lab]:
    """A sealed lab host, with systemd as its first process where asked for, which may have the files of another one: see roles/lab/files/systemd."""
    first = {"LAB_SYSTEMD": "1"} if systemd else {}
    if disk is not None:
        first["LAB_DISK"] = str(disk)
    with own_cgroup() as cgroup, Lab(env={"LAB_CGROUP": str(cgroup), **first}) as lab:
        yield lab


class Engine:
    """One engine in a host. ``environment`` is what its own tools need to find it, and what a task needs."""

    name: ClassVar[str]
    programs: ClassVar[tuple[str, ...]]
    systemd: ClassVar[bool] = False  # whether systemd has to be the host's first process
    handles: ClassVar[bool] = True  # whether a container can be started in a namespace that exists

    def __init__(self, lab: Lab) -> None:
        """Get the engine ready."""
        self.lab = lab
        self.state = f"{STATE}/{self.name}"
        self.rootfs = f"{STATE}/rootfs"
        self.environment: dict[str, str] = {}
        links = " && ".join(f"ln -s busybox {self.rootfs}/bin/{program}" for program in PROGRAMS)
        folders = " ".join(f"{self.rootfs}/{one}" for one in "bin dev etc proc run sys tmp usr".split())
        lab.run(
            f"mkdir -p {self.state} && [ -e {self.rootfs} ] || "
            f"{{ mkdir -p {folders} && cp $(command -v busybox) {self.rootfs}/bin && {links}; }}"
        )
        self.ready()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def ready(self) -> None:
        """Configure and start what the engine needs."""

    def start(
        self, name: str, network: str = "none", handle: str | None = None, command: Sequence[str] = SLEEP
    ) -> None:
        """Start a container: ``none``, ``host``, ``container:NAME``, or in the namespace at the path ``handle``."""
        raise NotImplementedError

    def stop(self, name: str) -> None:
        """End a container's processes; the engine still knows it."""
        raise NotImplementedError

    def restart(self, name: str) -> None:
        """End a container and start it again as it was."""
        raise NotImplementedError

    def remove(self, name: str) -> None:
        """End a container and forget it."""
        raise NotImplementedError

    def run_in(self, name: str, argv: Sequence[str], check: bool = True) -> Result:
        """Run a command in a container."""
        raise NotImplementedError

    def version(self) -> str:
        """The engine's name and version."""
        raise NotImplementedError

    def names(self) -> list[str]:
        """The containers that the engine knows, the last one first."""
        raise NotImplementedError

    def restart_daemon(self) -> None:
        """End the engine's daemon and start it again."""
        raise NotImplementedError

    def clear(self) -> None:
        """Remove every container."""
        for name in self.names():
            self.remove(name)

    def close(self) -> None:
        """End the engine and all its containers."""
        self.clear()

    def pid(self, name: str) -> int:
        """A container's main process, found without asking the engine; 0 if it has none."""
        return int(self.run([sys.executable, "-I", "-c", FIND, f"{MARK}={name}"]).stdout)

    def started(self, name: str) -> int:
        """Wait for a container's main process."""
        return self._until(lambda: self.pid(name), f"{name} does not start")

    def ended(self, name: str) -> None:
        """Wait until a container has no process."""
        self._until(lambda: not self.pid(name), f"{name} does not end")

    def run(self, argv: Sequence[str], check: bool = True) -> Result:
        """Run a command in the host, with the engine's environment."""
        return self.lab.run(argv, check=check, env=self.environment)

    @staticmethod
    def _until(holds: Callable[[], int], failure: str, within: float = 60) -> int:
        end = time.monotonic() + within
        while not (value := holds()):
            assert time.monotonic() < end, failure
            time.sleep(0.02)
        return value


class _Client(Engine):
    """What docker and podman have in common: their command line."""

    image = "box"
    side: ClassVar[str]  # whose version counts
    also: tuple[str, ...] = ()  # what a container is started with besides

    def start(
        self, name: str, network: str = "none", handle: str | None = None, command: Sequence[str] = SLEEP
    ) -> None:
        network = f"ns:{handle}" if handle else network
        options = ["--name", name, "--env", f"{MARK}={name}", "--network", network]
        self.run([self.name, "run", "--detach", *self.also, *options, self.image, *command])
        self.started(name)

    def stop(self, name: str) -> None:
        self.run([self.name, "stop", "--time", "0", name])

    def restart(self, name: str) -> None:
        self.run([self.name, "restart", "--time", "0", name])
        self.started(name)

    def remove(self, name: str) -> None:
        self.run([self.name, "rm", "--force", name])

    def run_in(self, name: str, argv: Sequence[str], check: bool = True) -> Result:
        return self.run([self.name, "exec", name, *argv], check=check)

    def version(self) -> str:
        return f"{self.name} {self.run([self.name, 'version', '--format', f'{{{{.{self.side}.Version}}}}']).stdout.strip()}"

    def names(self) -> list[str]:
        return self.run([self.name, "ps", "--all", "--format", "{{.Names}}"]).stdout.split()

    def _import(self) -> None:
        self.lab.run(f"tar -C {self.rootfs} -cf {self.state}/image.tar .")
        self.run([self.name, "import", f"{self.state}/image.tar", self.image])


class Docker(_Client):
    """dockerd: without any network of its own, or with ``bip`` (docker0's address) as it is by default."""

    name = "docker"
    side = "Server"
    programs = ("docker", "dockerd", "containerd", "runc", "iptables")
    handles = False

    def __init__(self, lab: Lab, bip: str | None = None, options: Sequence[str] = ()) -> None:
        self.bip = bip
        self.options = options
        super().__init__(lab)

    def ready(self) -> None:
        networkless = ["--bridge=none", *(f"--{one}=false" for one in "iptables ip6tables ip-masq ip-forward".split())]
        self.environment = {"DOCKER_HOST": f"unix://{self.state}/docker.sock"}
        folders = [f"--{one}-root={self.state}/{one}" for one in ("data", "exec")]
        files = [f"--host={self.environment['DOCKER_HOST']}", f"--pidfile={self.state}/pid"]
        network = [f"--bip={self.bip}"] if self.bip else networkless
        self.command = ["dockerd", *folders, *files, "--storage-driver=vfs", *network, *self.options]
        self.start_daemon()
        self._import()

    def start_daemon(self) -> None:
        """Start dockerd, and wait until it answers."""
        self.daemon = self.lab.spawn(self.command)
        try:
            self._until(lambda: self.run(["docker", "version"], check=False).rc == 0, "dockerd does not answer", 20)
        except AssertionError as silent:
            raise AssertionError(f"{silent}:\n{self.lab.kill(self.daemon).stderr}") from silent

    def restart_daemon(self) -> None:
        """End dockerd and start it again."""
        self.lab.kill(self.daemon)
        self.start_daemon()

    def close(self) -> None:
        super().close()
        self.lab.kill(self.daemon)


class Podman(_Client):
    """podman with crun and netavark."""

    name = "podman"
    side = "Client"
    programs = ("podman", "conmon", "crun", "iptables")
    also = ("--cap-add=NET_RAW",)  # for ping, as in docker's containers; podman 5 does not give it by itself

    def ready(self) -> None:
        # What crun would set may be above what this machine allows; it sets none where the limits are given.
        limits = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
        hard = {name: resource.getrlimit(number)[1] for name, number in limits.items()}
        ulimits = ", ".join(f'"{name}={value}:{value}"' for name, value in hard.items())
        # Without cgroups crun needs no limit on locked memory, either: that of bpf, for the devices.
        containers = (
            f'[containers]\ncgroups = "disabled"\ndefault_ulimits = [{ulimits}]\n'
            '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\nruntime = "crun"\n'
            f'tmp_dir = "{self.state}/tmp"\nvolume_path = "{self.state}/volumes"\n'
            f'[network]\nnetwork_backend = "netavark"\nnetwork_config_dir = "{self.state}/networks"\n'
        )
        storage = f'[storage]\ndriver = "vfs"\ngraphroot = "{self.state}/root"\nrunroot = "{self.state}/runroot"\n'
        for name, content in (("containers", containers), ("storage", storage)):
            self.lab.run(f"cat > {self.state}/{name}.conf", input=content)
        self.environment = {
            "CONTAINERS_CONF": f"{self.state}/containers.conf",
            "CONTAINERS_STORAGE_CONF": f"{self.state}/storage.conf",
        }
        self._import()

    def remove(self, name: str) -> None:
        self.run(["podman", "rm", "--force", "--time", "0", name])
        # Its monitor ends a moment later, after a clean-up of its own.
        monitor = ["pgrep", "-f", f"conmon .*-n {name} "]
        self._until(lambda: self.lab.run(monitor, check=False).rc == 1, f"conmon of {name} does not end")

    def clear(self) -> None:
        for name in self.names():
            # With --all, podman stumbles over containers that others depend on, and over those it removed with them.
            self.run(["podman", "rm", "--force", "--ignore", "--depend", "--time", "0", name])


class Nspawn(Engine):
    """systemd-nspawn, started by hand: known to no daemon."""

    name = "nspawn"
    programs: ClassVar[tuple[str, ...]] = ("systemd-nspawn",)
    registration: ClassVar[tuple[str, ...]] = ("--register=no", "--keep-unit")

    def ready(self) -> None:
        self.commands: dict[str, list[str]] = {}
        self.running: dict[str, int] = {}

    def start(
        self, name: str, network: str = "none", handle: str | None = None, command: Sequence[str] = SLEEP
    ) -> None:
        dummy, joins, owner = network.partition("container:")
        if joins:
            handle = f"/proc/{self.pid(owner)}/ns/net"
        networks = {"none": ["--private-network"], "host": []}
        own = [f"--directory={self.rootfs}", f"--machine={name}", f"--setenv={MARK}={name}", "--read-only"]
        bare = ["--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=pipe", "--as-pid2", "--quiet"]
        joined = [f"--network-namespace-path={handle}"] if handle else networks[network]
        self.commands[name] = ["systemd-nspawn", *self.registration, *own, *bare, *joined, *command]
        self._spawn(name)

    def _spawn(self, name: str) -> None:
        self.running[name] = self.lab.spawn(self.commands[name])
        self.started(name)

    def stop(self, name: str) -> None:
        self.lab.kill(self.running.pop(name))
        self.ended(name)

    def restart(self, name: str) -> None:
        self.stop(name)
        self._spawn(name)

    def remove(self, name: str) -> None:
        if name in self.running:
            self.stop(name)
        del self.commands[name]

    def run_in(self, name: str, argv: Sequence[str], check: bool = True) -> Result:
        return self.run(["nsenter", f"--target={self.pid(name)}", "--all", *argv], check=check)

    def pid(self, name: str) -> int:
        """The machine's first process, which runs the command as its child."""
        pid = super().pid(name)
        return int(self.run(["ps", "-o", "ppid=", "-p", str(pid)], check=False).stdout or 0) if pid else 0

    def version(self) -> str:
        return f"{self.name} {self.run(['systemd-nspawn', '--version']).stdout.split()[1]}"

    def names(self) -> list[str]:
        return list(reversed(self.commands))


class Machined(Nspawn):
    """systemd-nspawn with its machines registered with systemd-machined."""

    name = "machined"
    programs = ("systemd-nspawn", "machinectl", "dbus-daemon")
    systemd = True
    registration = ()


class Lxc(Engine):
    """LXC's own tools."""

    name = "lxc"
    programs = ("lxc-start", "lxc-info", "lxc-attach")

    def ready(self) -> None:
        self.lab.run(f"mkdir -p /etc/lxc && echo 'lxc.lxcpath = {self.state}' > /etc/lxc/lxc.conf")

    def start(
        self, name: str, network: str = "none", handle: str | None = None, command: Sequence[str] = SLEEP
    ) -> None:
        dummy, joins, owner = network.partition("container:")
        networks = {"none": "lxc.net.0.type = empty", "host": "lxc.net.0.type = none"}
        own = f"lxc.namespace.share.net = {owner if joins else handle}" if joins or handle else networks[network]
        config = (
            f"lxc.include = /usr/share/lxc/config/common.conf.d/\nlxc.uts.name = {name}\nlxc.rootfs.path = dir:{self.state}/{name}/rootfs\n{own}\n"
            f"lxc.init.cmd = {shlex.join(command)}\nlxc.environment = {MARK}={name}\n"
            "lxc.apparmor.profile = unconfined\nlxc.mount.auto = proc sys\n"
        )
        self.lab.run(
            f"mkdir {self.state}/{name} && cp -al {self.rootfs} {self.state}/{name}/rootfs && "
            f"cat > {self.state}/{name}/config",
            input=config,
        )
        self._start(name)

    def _start(self, name: str) -> None:
        self.run(["lxc-start", "--name", name])
        self.started(name)

    def stop(self, name: str) -> None:
        self.run(["lxc-stop", "--kill", "--name", name])

    def restart(self, name: str) -> None:
        self.stop(name)
        self._start(name)

    def remove(self, name: str) -> None:
        self.run(["lxc-destroy", "--force", "--name", name])

    def run_in(self, name: str, argv: Sequence[str], check: bool = True) -> Result:
        return self.run(["lxc-attach", "--name", name, "--", *argv], check=check)

    def version(self) -> str:
        return f"{self.name} {self.run(['lxc-start', '--version']).stdout.strip()}"

    def names(self) -> list[str]:
        return self.run(["lxc-ls", "-1"]).stdout.split()


class Systemd(Engine):
    """Services of systemd, whose network is a matter of their units."""

    name = "systemd"
    programs = ("systemctl", "dbus-daemon")
    systemd = True

    def start(
        self, name: str, network: str = "none", handle: str | None = None, command: Sequence[str] = SLEEP
    ) -> None:
        dummy, joins, owner = network.partition("container:")
        unit = f"JoinsNamespaceOf={owner}.service" if joins else ""
        own = f"NetworkNamespacePath={handle}" if handle else f"PrivateNetwork={'no' if network == 'host' else 'yes'}"
        self.lab.run(
            f"cat > {self._file(name)}",
            input=f"[Unit]\nStartLimitIntervalSec=0\n{unit}\n[Service]\nType=exec\nKillSignal=SIGKILL\nSuccessExitStatus=SIGKILL\n"
            f"Environment={MARK}={name}\n{own}\nExecStart={shlex.join(command)}\n",
        )
        self.run(["systemctl", "daemon-reload"])
        self.run(["systemctl", "start", name])

    @staticmethod
    def _file(name: str) -> str:
        return f"/run/systemd/system/{name}.service"

    def stop(self, name: str) -> None:
        self.run(["systemctl", "stop", name])

    def restart(self, name: str) -> None:
        self.run(["systemctl", "restart", name])

    def remove(self, name: str) -> None:
        self.stop(name)
        self.lab.run(f"rm {self._file(name)} && systemctl daemon-reload")

    def run_in(self, name: str, argv: Sequence[str], check: bool = True) -> Result:
        return self.run(["nsenter", f"--target={self.pid(name)}", "--net", *argv], check=check)

    def version(self) -> str:
        return f"{self.name} {self.run(['systemctl', '--version']).stdout.split()[1]}"

    def names(self) -> list[str]:
        files = self.lab.run("ls -t /run/systemd/system").stdout.split()
        return [one.removesuffix(".service") for one in files if one.endswith(".service")]


ENGINES: dict[str, type[Engine]] = {one.name: one for one in (Docker, Podman, Nspawn, Machined, Lxc, Systemd)}


@contextlib.contextmanager
def running(name: str) -> Iterator[Engine]:
    """An engine by its name, in a host of its own."""
    kind = ENGINES[name]
    with engine_host(kind.systemd) as lab, kind(lab) as engine:
        yield engine


@functools.cache
def lacks(name: str) -> str:
    """Why an engine does not work on this machine, empty if it does."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
    for program in ("busybox", *ENGINES[name].programs):
        if shutil.which(program, path=path) is None:
            return f"no program {program}"
    if os.geteuid() != 0:
        return "not root"
    if cgroups() is None:
        return "no cgroup v2 tree"
    try:
        with running(name) as engine:
            engine.start("probe")
    except (AssertionError, OSError) as error:
        return " ".join(str(error).split())[-300:]
    return ""
