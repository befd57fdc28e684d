# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A container that answers on a port, and that its engine starts again and again, on a host that keeps its wiring."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from engines import ENGINES, Docker, Engine, Machined
from lab import Lab
from proofs import comes

NAME = "web"
# What the container's first program sees, before there is any other; and then it answers.
SERVE = "ip -o addr show dev eth0 >/tmp/first 2>&1; exec busybox httpd -f -p 80 -h /tmp"
PORT = 8080
# Asks a port once and again, a connection after the other, and prints when it answered: seconds, as the clock has them.
ASK = """
import socket, sys, time
end = time.monotonic() + 60
while time.monotonic() < end:
    try:
        with socket.create_connection((sys.argv[1], int(sys.argv[2])), 0.05):
            print(time.time())
            break
    except OSError:
        time.sleep(0.002)
else:
    sys.exit("no answer")
"""
OTHER = re.compile(
    r"^port \S+ link | (ifindex|link_index|link_netnsid) |linuxnet-(hairpin|localnet)|^nsfs /run/engines/"
)
OUTSIDE = """
ip netns add outside; ip link add uplink type veth peer name eth0 netns outside
ip link set uplink addrgenmode none up; ip addr add 192.0.2.1/24 dev uplink
ip -n outside link set eth0 addrgenmode none up; ip -n outside addr add 192.0.2.99/24 dev eth0; ip -n outside route add default via 192.0.2.1
"""


# systemd's journal, which the lab has not; it is not to read what the machine's kernel says.
JOURNAL = {
    "systemd-journald.socket": "[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=/run/systemd/journal/stdout\n"
    "ListenDatagram=/run/systemd/journal/socket\nListenDatagram=/run/systemd/journal/dev-log\nPassCredentials=yes\n",
    "systemd-journald.service": "[Unit]\nDefaultDependencies=no\nRequires=systemd-journald.socket\nAfter=systemd-journald.socket\n[Service]\n"
    "Type=notify\nStandardOutput=null\nSockets=systemd-journald.socket\nExecStart=/lib/systemd/systemd-journald\n",
}
# A host's own /dev/log, over the machine's devices.
DEV_LOG = (
    "mkdir -p /run/dev/upper /run/dev/work && mount -t overlay -o lowerdir=/dev,upperdir=/run/dev/upper,workdir=/run/dev/work overlay /dev && "
    "mount -t devpts -o newinstance,ptmxmode=666 devpts /dev/pts && mount -t tmpfs -o mode=1777 tmpfs /dev/shm && "
    "ln -s /run/systemd/journal/dev-log /dev/log"
)
LOGGED = "[Service]\nStandardOutput=journal\nStandardError=journal\n"


class Nspawn(Machined):
    """Machines that systemd-nspawn@.service starts, as machinectl has it do."""

    name = "nspawn"

    def start(self, name: str, network: str = "none", handle: str | None = None, command: Any = ()) -> None:
        options = (
            f"--quiet --keep-unit --private-network --machine=%i --directory={self.rootfs} --read-only --resolv-conf=off --timezone=off "
            f"--link-journal=no --as-pid2 --setenv=LAB_CONTAINER=%i {shlex.join(command)}"
        )
        unit = f"[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=notify\nKillMode=mixed\nDelegate=yes\nExecStart=systemd-nspawn {options}\n"
        self.lab.run("cat >/run/systemd/system/systemd-nspawn@.service && systemctl daemon-reload", input=unit)
        self.commands[name] = []
        self.again(name)

    def stop(self, name: str) -> None:
        self.lab.run(["systemctl", "stop", f"systemd-nspawn@{name}"])
        self.ended(name)

    def restart(self, name: str) -> None:
        self.lab.run(["systemctl", "restart", f"systemd-nspawn@{name}"])
        self.started(name)

    def again(self, name: str) -> None:
        self.lab.run(["systemctl", "start", f"systemd-nspawn@{name}"])
        self.started(name)

    def remove(self, name: str) -> None:
        self.stop(name)
        del self.commands[name]


class DockerUnit(Docker):
    """dockerd as a unit of systemd's."""

    def start_daemon(self) -> None:
        unit = f"[Service]\nType=notify\nKillMode=process\nDelegate=yes\nExecStart={shlex.join(self.command)}\nExecReload=/bin/kill -s HUP $MAINPID\n"
        self.lab.run("cat >/run/systemd/system/docker.service", input=unit)
        self.lab.run("systemctl daemon-reload; systemctl start docker.service")

    def restart_daemon(self) -> None:
        self.lab.run("systemctl restart docker.service")

    def close(self) -> None:
        self.clear()
        self.lab.run("systemctl stop docker.service")


KINDS: dict[str, type[Engine]] = {
    "docker": DockerUnit,
    "podman": ENGINES["podman"],
    "lxc": ENGINES["lxc"],
    "nspawn": Nspawn,
    "systemd": ENGINES["systemd"],
}
# How each starts a container that was stopped.
AGAIN = {
    "docker": "docker start web",
    "podman": "podman start web",
    "lxc": "lxc-start --name web",
    "nspawn": "systemctl start systemd-nspawn@web",
    "systemd": "systemctl start web",
}


def command(engine: Engine) -> list[str]:
    """What a container is started with: it notes what its first program sees, and then answers."""
    if engine.name != "lxc":
        return ["sh", "-c", SERVE]
    engine.lab.run(
        f"cat >{engine.rootfs}/bin/serve", input=f"{SERVE}\n"
    )  # its own splitting of words knows no redirection in quotes
    return ["sh", "/bin/serve"]


def elsewhere(engine: Engine) -> None:
    """Have the host's units find an engine that is not where it always is, as docs/lasting.md has it."""
    text = "".join(f"Environment={name}={value}\n" for name, value in engine.environment.items())
    for name in ("wired", "wired-docker", "wired-drift") if text else ():
        folder = f"/run/systemd/system/{name}.service.d"
        engine.lab.run(f"mkdir -p {folder} && cat >{folder}/engine.conf", input=f"[Service]\n{text}")


def journal(lab: Lab) -> None:
    """Have the host keep a journal of what its units print that have to do with the wiring, and of what others send to the system's log."""
    lab.run(DEV_LOG)
    lab.run(
        "mkdir -p /run/systemd/journald.conf.d && cat >/run/systemd/journald.conf.d/lab.conf",
        input="[Journal]\nReadKMsg=no\n",
    )
    for name, text in JOURNAL.items():
        lab.run(f"cat >/run/systemd/system/{name}", input=text)
    for name in ("wired", "wired@", "wired-docker", "wired-drift", "web", "systemd-nspawn@"):
        folder = f"/run/systemd/system/{name}.service.d"
        lab.run(f"mkdir -p {folder} && cat >{folder}/logged.conf", input=LOGGED)
    lab.run("systemctl daemon-reload && systemctl start systemd-journald.service")


def logged(lab: Lab) -> list[str]:
    """The lines of the journal that tell what was wired, or taken down."""
    lines = lab.run("journalctl --sync; journalctl --no-pager -o cat").stdout.splitlines()
    return [line for line in lines if re.match(r"\d+ networks?, \d+ container", line)]


def module(engine: Engine, check: bool = False, **args: Any) -> dict[str, Any]:
    """Run the module wiring with the engine's environment. Returns its result, which is no failure."""
    request = {"op": "module", "name": "wiring", "args": args, "check": check, "diff": True, "env": engine.environment}
    result: dict[str, Any] = engine.lab._ask(request, 600)["result"]
    assert not result.get("failed"), result
    return result


def first(engine: Engine) -> str:
    """What the container's first program saw of its interface."""
    pid = engine.pid(NAME)
    return engine.lab.run(f"cat /proc/{pid}/root/tmp/first", check=False).stdout


def asked(lab: Lab, address: str = "192.0.2.1") -> float:
    """Wait until the published port answers from outside. Returns when it did."""
    return float(lab.run(["ip", "netns", "exec", "outside", "python3", "-c", ASK, address, str(PORT)]).stdout)


def alike(lab: Lab) -> list[str]:
    """What is seen of a host, without the numbers that are others each time, the order of sets, and the notes of what was off before, which a flush takes."""
    lines = lab.snapshot().splitlines()
    found = [re.sub(r"\b4026\d{6}\b|^nft \d+\s+(elements = \{ )?|,$| \}$", "", line) for line in lines]
    return sorted(line for line in found if line not in ("", "}") and not OTHER.search(line))


def settled(engine: Engine) -> list[str]:
    """Wait until all is as kept, and nothing is under way any more. Returns what is seen of the host then."""
    environment = "".join(f"{name}={shlex.quote(value)} " for name, value in engine.environment.items())
    until = f"export {environment or 'A=1'}; while [ $SECONDS -lt 60 ]; do wired status >/run/status 2>&1 && exit 0; sleep 0.01; done"
    done = engine.lab.run(f"{until}; cat /run/status; wired diff; exit 1", check=False)
    assert done.rc == 0, f"{done.stdout}\n{done.stderr}"
    comes(engine.lab, "! systemctl list-jobs --no-legend | grep -q .")
    return alike(engine.lab)


def status(engine: Engine) -> dict[str, str]:
    """How the networks and containers stand, by name."""
    done = engine.run(["wired", "status", "--json"], check=False)
    document = json.loads(done.stdout)
    return {name: one["state"] for kind in ("networks", "containers") for name, one in document[kind].items()}
