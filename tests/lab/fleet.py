# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet of lab hosts, each with an sshd, and what is around them: driven by Ansible over SSH, as real ones are.

with fleet(hosts=3) as f:
    f.play(wiring(networks=[...], containers=[...]))
    f.hosts[0].run("ip link")
    assert talk(f.stage, "internet", f.hosts[0].inside("web"), f.hosts[0].data4)

All of it is inside one lab host, the ``stage``, where the controller is, and ends with it:

    stage     100.64.0.254 on the bridge "mgmt", by which hosts are managed; IPv4 only. The bridges "data1", "data2", ... are the segments
    h1, h2    lab hosts: mgmt0 100.64.0.N, eth0 198.18.S.N and 2001:db8:S::N on segment S; the default routes go by the router
    router    198.18.S.254 and 2001:db8:S::fe in each segment
    internet  192.0.2.99 and 2001:db8::99 behind the router; it knows the hosts' networks, but none of a container
    stranger  198.18.1.200 and 2001:db8:1::200 on the first segment, no host of the fleet

For root.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lab import Command, Lab, Result
from plays import LIMIT, Outcome, Play, Playbook, recap
from proofs import comes, untouched

MOST = 199  # hosts: their numbers are the last parts of addresses
CONTROL = "/run/ssh"  # of the stage: the sockets of connections that are kept
SSH = (
    "-F none -o ControlMaster=auto -o ControlPersist=60s -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes "
    "-o GlobalKnownHostsFile=/dev/null -o UserKnownHostsFile={folder}/known_hosts -o ConnectTimeout=60"
)
SSHD = """
ListenAddress {address}
HostKey {folder}/{name}
AuthorizedKeysFile {folder}/key.pub
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PidFile none
PrintLastLog no
PrintMotd no
Subsystem sftp internal-sftp
"""
# A root without a password is not a locked one. What sshd notes of who was here stays inside.
READY = (
    "mkdir -m 755 /run/sshd && mount -t tmpfs tmpfs /var/log && sed -i 's/^root:!/root:*/' /etc/shadow && cat > {file}"
)
# The processes of sshd: the one that listens, and those of its connections.
FAMILY = 'all={pid} next={pid}; while next=$(ps -o pid= --ppid "$(echo $next)"); do all="$all "$next; done; kill $all'
# One that listens says a word to whoever comes.
SERVER = """
import socket, socketserver, sys
class Word(socketserver.BaseRequestHandler):
    def handle(self): self.request.sendall(sys.argv[2].encode())
class Server(socketserver.ThreadingTCPServer): address_family = socket.AF_INET6
Server(("::", int(sys.argv[1])), Word).serve_forever()
"""
# All are asked at once, and have so many seconds.
ASK = """
import concurrent.futures, json, socket, sys
def ask(address, port):
    try:
        with socket.create_connection((address, int(port)), float(sys.argv[3])) as caller:
            return caller.recv(9).decode(), address, port
    except OSError:
        return None
with concurrent.futures.ThreadPoolExecutor(999) as pool:
    asked = [pool.submit(ask, address, port) for address in sys.argv[1].split() for port in sys.argv[2].split()]
    print(json.dumps([one.result() for one in asked if one.result()]))
"""


class Host(Lab):
    """One host of a fleet: a lab host, with its number from 1, its addresses, and its sshd."""

    def __init__(self, stage: Lab, number: int, segment: int, folder: Path) -> None:
        self.stage, self.number, self.segment, self.folder = stage, number, segment, folder
        self.name = f"h{number}"
        self.address = f"100.64.0.{number}"
        self.data4 = f"198.18.{segment}.{number}"
        self.data6 = f"2001:db8:{segment}::{number}"
        self.pid = 0  # of its first process, as the stage sees it
        self.sshd = 0
        super().__init__(self.name, {"LAB_NETNS": f"/run/netns/{self.name}"}, stage)

    def inside(self, container: str) -> str:
        """The namespace of one of its containers, for ``talk`` and the like on the stage."""
        return f"/proc/{self.pid}/root/run/netns/{container}"

    def ready(self) -> None:
        """Configure and start sshd."""
        file = "/etc/ssh/sshd_config"
        given = SSHD.format(address=self.address, folder=self.folder, name=self.name)
        if "PYTHONPYCACHEPREFIX" in os.environ:
            given += f"SetEnv PYTHONPYCACHEPREFIX={os.environ['PYTHONPYCACHEPREFIX']}\n"
        self.run(READY.format(file=file), input=given)
        self.start_sshd()

    def start_sshd(self) -> None:
        """Start sshd: ``answers`` waits for it."""
        self.sshd = self.spawn([_program("sshd"), "-D", "-e"])

    def answers(self) -> None:
        """Wait until sshd listens."""
        comes(self, f"ss -Htln src {self.address}:22 | grep -q .")

    @contextlib.contextmanager
    def unreached(self) -> Iterator[None]:
        """A block in which sshd is ended, with its connections, also those that the controller keeps."""
        self.run(FAMILY.format(pid=self.sshd))
        self.kill(self.sshd)
        comes(self.stage, f"[ ! -e {CONTROL}/{self.address} ]")
        try:
            yield
        finally:
            self.start_sshd()
            self.answers()


@dataclass(frozen=True)
class Beside:
    """A namespace of the stage that is no host of the fleet."""

    stage: Lab
    name: str

    def run(self, cmd: Command, check: bool = True, timeout: float = 120) -> Result:
        """Run a command in it, as ``Lab.run``."""
        words = ["bash", "-c", cmd] if isinstance(cmd, str) else list(cmd)
        return self.stage.run(["ip", "netns", "exec", self.name, *words], check=check, timeout=timeout)


@dataclass(frozen=True)
class Played:
    """One start of ansible-playbook: each play, or each batch of a play with ``serial``, with what it was on each host."""

    done: Result
    plays: list[dict[str, Outcome]]
    seconds: float

    def recap(self, host: str) -> dict[str, int]:
        """A host's line of the recap."""
        return recap(self.done, host)

    @property
    def changed(self) -> dict[str, int]:
        """How many tasks changed something, by host."""
        hosts = sorted({host for play in self.plays for host in play})
        return {host: self.recap(host)["changed"] for host in hosts}


class Fleet:
    """Hosts, a router, an internet and a stranger."""

    def __init__(self, stage: Lab, folder: Path, hosts: int, segments: int) -> None:
        """Bring all of it up: ``seconds`` is how long that took."""
        begun = time.monotonic()
        self.stage, self.folder, self.segments = stage, folder, segments
        self.inventory = folder / "inventory.json"
        self.router, self.internet, self.stranger = (Beside(stage, name) for name in ("router", "internet", "stranger"))
        stage.run(_cables(hosts, segments))
        self.hosts: list[Host] = []
        try:
            for number in range(1, hosts + 1):
                self.hosts.append(Host(stage, number, (number - 1) % segments + 1, folder))
            self._start()
        except BaseException:
            self.close()
            raise
        self.seconds = time.monotonic() - begun

    def _start(self) -> None:
        """Make the keys, start every sshd, and write the inventory."""
        names = [host.name for host in self.hosts]
        self.stage.run(
            f"mkdir {CONTROL} && cd {self.folder} && "
            f"for name in key {' '.join(names)}; do ssh-keygen -q -t ed25519 -N '' -C $name -f $name || exit; done"
        )
        known = [f"{host.address} {self.folder.joinpath(f'{host.name}.pub').read_text()}" for host in self.hosts]
        self.folder.joinpath("known_hosts").write_text("".join(known))
        for host in self.hosts:
            host.ready()
        pids = self.stage.run(f"for name in {' '.join(names)}; do ip netns pids $name | head -n 1; done").stdout.split()
        for host, pid in zip(self.hosts, pids, strict=True):
            host.pid = int(pid)
            host.answers()
        self.inventory.write_text(json.dumps(self._inventory(), indent=1))

    def _inventory(self) -> dict[str, Any]:
        """Enough for any start of Ansible on the stage, by hand too. ``lab_...`` is for plays."""
        return {
            "fleet": {
                "hosts": {
                    host.name: {
                        "ansible_host": host.address,
                        "lab_number": host.number,
                        "lab_segment": host.segment,
                        "lab_data4": host.data4,
                        "lab_data6": host.data6,
                    }
                    for host in self.hosts
                },
                "vars": {
                    "ansible_user": "root",
                    "ansible_ssh_private_key_file": str(self.folder / "key"),
                    "ansible_ssh_args": SSH.format(folder=self.folder),
                    # Of this fleet alone: a connection that another one on the same addresses left would be taken.
                    "ansible_control_path_dir": CONTROL,
                    "ansible_control_path": "%(directory)s/%%h",
                    "ansible_ssh_use_tty": False,
                    "ansible_pipelining": True,
                    "ansible_python_interpreter": sys.executable,
                    "ansible_remote_tmp": "/run/ansible",  # the home folder is the machine's
                },
            }
        }

    def play(
        self,
        *plays: Play,
        options: tuple[str, ...] = ("--diff",),
        check: bool = True,
        one_task: bool = True,
        **variables: Any,
    ) -> Played:
        """Run plays on the group ``fleet``. AssertionError if one fails, or a host is not reached, unless ``check`` is false."""
        playbook = self._playbook(one_task)
        begun = time.monotonic()
        done = self.stage.run(self._command(playbook, plays, options, variables), check=False, timeout=LIMIT)
        if check and done.rc != 0:
            raise AssertionError(f"ansible-playbook ended with {done.rc}\n{done.stdout}{done.stderr}")
        return Played(done, playbook.by_host(), time.monotonic() - begun)

    def start(self, *plays: Play, one_task: bool = True, **variables: Any) -> int:
        """Start plays as ``play`` does, and do not wait. Returns the process on the stage, for its ``kill``."""
        return self.stage.spawn(self._command(self._playbook(one_task), plays, (), variables))

    def _playbook(self, one_task: bool) -> Playbook:
        return Playbook(self.stage, self.folder / "play", one_task, inventory=self.inventory)

    def _command(
        self, playbook: Playbook, plays: Iterable[Play], options: Iterable[str], variables: dict[str, Any]
    ) -> list[str]:
        forks = ("--forks", str(len(self.hosts)))
        return playbook.command([{"hosts": "fleet", **play} for play in plays], *forks, *options, **variables)

    def __getitem__(self, name: str) -> Host:
        """A host by its name."""
        return next(host for host in self.hosts if host.name == name)

    @contextlib.contextmanager
    def untouched(self, *names: str) -> Iterator[None]:
        """A block after which these hosts are as before."""
        with contextlib.ExitStack() as stack:
            for name in names:
                stack.enter_context(untouched(self[name]))
            yield

    def close(self) -> None:
        """End all of it: with the stage the kernel ends what is in it."""
        self.stage.close()
        for host in self.hosts:
            host.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


@contextlib.contextmanager
def fleet(hosts: int = 3, segments: int = 1) -> Iterator[Fleet]:
    """So many hosts, dealt out to so many segments: h1 is on the first, h2 on the second, and so on, all over again."""
    if not (1 <= hosts <= MOST and 1 <= segments <= 99):
        raise ValueError(f"1 to {MOST} hosts, 1 to 99 segments")
    with (
        tempfile.TemporaryDirectory(prefix="fleet-") as folder,
        Lab("stage") as stage,
        Fleet(stage, Path(folder), hosts, segments) as made,
    ):
        yield made


def serve(host: Host, container: str, port: int) -> None:
    """Have somebody listen in a container, who says which host this is."""
    host.spawn(["ip", "netns", "exec", container, sys.executable, "-c", SERVER, str(port), host.name])
    comes(host, f"ip netns exec {container} ss -Htln sport {port} | grep -q .")


def answers(
    who: Lab | Beside, addresses: Iterable[str], *ports: str, limit: float = 30, inside: str = ""
) -> list[list[str]]:
    """Who of those that ``serve`` answers: lists of a host's name, the address and the port. It is asked from a container ``inside`` where that is named."""
    where = ["ip", "netns", "exec", inside] if inside else []
    asked = [*where, sys.executable, "-c", ASK, " ".join(addresses), " ".join(ports), str(limit)]
    found: list[list[str]] = json.loads(who.run(asked).stdout)
    return found


def _program(name: str) -> str:
    """The path of a program of the system."""
    path = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin")))
    if path is None:
        raise AssertionError(f"there is no program {name}")
    return path


def _cables(hosts: int, segments: int) -> str:
    """The script that lays all cables: on the stage in one batch, with ends that are born where they belong, then in each namespace."""
    batch = ["link add mgmt type bridge mcast_snooping 0", "addr add 100.64.0.254/16 dev mgmt", "link set mgmt up"]
    inner: dict[str, list[str]] = {name: ["link set lo up"] for name in ("router", "internet", "stranger")}
    numbers = range(1, segments + 1)

    def cable(bridge: str, name: str, end: str, *addresses: str) -> None:
        batch.append(f"link add {name}-{end} type veth peer name {end} netns {name}")
        batch.append(f"link set {name}-{end} master {bridge} up")
        # A link-local address, which forwarding needs, with the same last part, and at once: the kernel would first ask around for a second or two.
        local = [f"fe80::{one.rpartition('::')[2]}" for one in addresses if "::" in one]
        inner[name] += [f"link set {end} addrgenmode none", f"link set {end} up"]
        inner[name] += [f"addr add {one} dev {end} nodad" for one in (*addresses, *local)]

    def default(name: str, *gateways: str) -> None:
        inner[name] += [f"route add default via {one}" for one in gateways]

    for host in range(1, hosts + 1):
        inner[f"h{host}"] = []
    batch += [f"netns add {name}" for name in inner]
    for bridge in (*(f"data{segment}" for segment in numbers), "far"):
        batch += [f"link add {bridge} type bridge mcast_snooping 0", f"link set {bridge} up"]
    for segment in numbers:
        cable(f"data{segment}", "router", f"data{segment}", f"198.18.{segment}.254/24", f"2001:db8:{segment}::fe/64")
    cable("far", "router", "far", "192.0.2.254/24", "2001:db8::fe/64")
    cable("far", "internet", "eth0", "192.0.2.99/24", "2001:db8::99/64")
    inner["internet"] += [
        line
        for segment in numbers
        for line in (
            f"route add 198.18.{segment}.0/24 via 192.0.2.254",
            f"route add 2001:db8:{segment}::/64 via 2001:db8::fe",
        )
    ]
    cable("data1", "stranger", "eth0", "198.18.1.200/24", "2001:db8:1::200/64")
    default("stranger", "198.18.1.254", "2001:db8:1::fe")
    for host in range(1, hosts + 1):
        segment = (host - 1) % segments + 1
        cable("mgmt", f"h{host}", "mgmt0", f"100.64.0.{host}/16")
        cable(f"data{segment}", f"h{host}", "eth0", f"198.18.{segment}.{host}/24", f"2001:db8:{segment}::{host}/64")
        default(f"h{host}", f"198.18.{segment}.254", f"2001:db8:{segment}::fe")
    script = [
        "set -e",
        # The stage itself has no business in the data network.
        "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1",
        *_batch("ip", batch),
        "ip netns exec router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 "
        "net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0",  # it says at once, and to each, where there is no way
    ]
    for name, lines in inner.items():
        script += _batch(f"ip -n {name}", lines)
    return "\n".join(script)


def _batch(command: str, lines: list[str]) -> list[str]:
    return [f"{command} -batch - <<'END'", *lines, "END"]
