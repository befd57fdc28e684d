# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host that is started again and again: sealed, with systemd as its first process, and a disk that outlives it.

Its cables are in before its first instruction, with addresses: to a network "outside", and to another one, "beyond". From outside somebody sends to
all that must not be reached, without a pause from before systemd starts until the host ends, so that what was open at any moment has counted it.
"""

from __future__ import annotations

import base64
import contextlib
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engines import engine_host
from lab import Lab
from proofs import comes

KEPT = "etc/machine-id usr/local/sbin etc/systemd/system etc/sysctl.d etc/lab-boot var/lib/linuxnet-containers"
FILES = "/usr/local/sbin /var/lib/linuxnet-containers /etc/systemd/system /etc/sysctl.d"

# Sends a datagram to each of the addresses every few milliseconds, to a port on which nobody listens: who gets it counts it.
PROBER = """
import socket, sys, time
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setsockopt(socket.SOL_SOCKET, 25, b"eth0\\0")
sent = 0
while True:
    for address in sys.argv[2:]:
        try:
            sock.sendto(b"x", (address, 9))
        except OSError:
            pass
    sent += 1
    if sent % 20 == 0:
        with open(sys.argv[1], "w") as file:
            file.write(str(sent))
    time.sleep(0.004)
"""
BOOT = """#!/bin/sh
set -e
for net in "outside uplink 192.0.2" "beyond lan 198.51.100"; do
    set -- $net
    ip netns add $1
    ip link add $2 type veth peer name eth0 netns $1
    ip link set $2 addrgenmode none
    ip addr add $3.1/24 dev $2
    ip link set $2 up
    ip -n $1 link set eth0 addrgenmode none
    ip -n $1 addr add $3.99/24 dev eth0
    ip -n $1 link set eth0 up
    ip -n $1 route add default via $3.1
done
ip netns exec outside python3 -c %s /run/prober 192.0.2.1 198.51.100.99 %s </dev/null >/dev/null 2>&1 &
"""
# The distribution's, which the lab has not.
UNITS = {
    "multi-user.target": "[Unit]\nRequires=basic.target\nAfter=basic.target\nConflicts=shutdown.target\n",
    "network-pre.target": "[Unit]\nDefaultDependencies=no\n",
    "network.target": "[Unit]\nAfter=network-pre.target\n",
    "lab.target.d/boot.conf": "[Unit]\nWants=multi-user.target\nAfter=multi-user.target\n",
    "systemd-sysctl.service": "[Unit]\nDefaultDependencies=no\nBefore=sysinit.target\n[Service]\nType=oneshot\nRemainAfterExit=yes\n"
    "ExecStart=/bin/sh -c '/lib/systemd/systemd-sysctl --prefix=/net/ipv4 --prefix=/net/ipv6 || true'\n",
    "sysinit.target.d/sysctl.conf": "[Unit]\nWants=systemd-sysctl.service\nAfter=systemd-sysctl.service\n",
    # Where what it prints is to be seen: there is no journal.
    "wired.service.d/printed.conf": "[Service]\nStandardOutput=append:/run/wired.log\nStandardError=append:/run/wired.log\n",
    "wired@.service.d/printed.conf": "[Service]\nStandardOutput=append:/run/wired@.log\nStandardError=append:/run/wired@.log\n",
}


@dataclass
class Booted:
    """A host that is up."""

    lab: Lab

    def noticed(self, namespace: str) -> int:
        """How many datagrams came in there for a port on which nobody listens."""
        shown = self.lab.run(f"ip netns exec {namespace} cat /proc/self/net/snmp").stdout
        names, values = [line.split() for line in shown.splitlines() if line.startswith("Udp:")]
        return int(values[names.index("NoPorts")])

    def probed(self) -> int:
        """How often somebody tried to get in."""
        return int(self.lab.run("cat /run/prober", check=False).stdout or 0)

    def wired(self) -> str:
        """What the boot unit printed."""
        return self.lab.run("cat /run/wired.log", check=False).stdout

    def state(self, unit: str) -> str:
        """The state of a unit and of its last run, such as "active success"."""
        shown = [
            self.lab.run(["systemctl", "show", f"--property={one}", "--value", unit]).stdout
            for one in ("ActiveState", "Result")
        ]
        return " ".join("".join(shown).split())

    def has_started(self) -> None:
        """Wait until all units have been started."""
        comes(self.lab, "! systemctl list-jobs --no-legend | grep -q .")

    def files(self) -> str:
        """The files that persistence writes to, with their modes, owners and contents."""
        shown = self.lab.run(
            f"find {FILES} -printf '%M %U %p %l\\n' | sort; find {FILES} -type f | sort | xargs sha256sum", check=False
        )
        return shown.stdout

    def sees(self) -> list[str]:
        """The snapshot, with what no two boots have alike numbered as it comes."""
        numbers: dict[str, str] = {}
        return re.sub(
            r"\b4026\d{6}\b", lambda inode: numbers.setdefault(inode[0], f"#{len(numbers)}"), self.lab.snapshot()
        ).splitlines()


class Disk:
    """What outlives a host."""

    def __init__(
        self, file: Path, probed: Sequence[str] = (), units: dict[str, str] | None = None, also: str = ""
    ) -> None:
        """``also``: what is on it besides, paths below the root of the file system."""
        self.file = file
        self.kept = f"{KEPT} {also}"
        self.boot = BOOT % (shlex.quote(PROBER), " ".join(probed))
        self.units = {**UNITS, **(units or {})}
        self.file.write_bytes(b"")

    def install(self, lab: Lab) -> None:
        """Have on the disk what is there before anything of ours is."""
        for name, text in self.units.items():
            path = f"/etc/systemd/system/{name}"
            lab.run(f"mkdir -p $(dirname {path}) && cat > {path}", input=text)
        lab.run("cat > /etc/lab-boot && chmod 755 /etc/lab-boot", input=self.boot)

    def write(self, lab: Lab) -> None:
        """Keep what is on the host's disk by now."""
        packed = lab.run(f"cd / && tar --ignore-failed-read -cpf - {self.kept} 2>/dev/null | base64 -w0", check=False)
        self.file.write_bytes(base64.b64decode(packed.stdout))

    @contextlib.contextmanager
    def boots(self) -> Iterator[Booted]:
        """The host from power on to power off; what is written when the block ends is on the disk."""
        with engine_host(systemd=True, disk=self.file) as lab:
            host = Booted(lab)
            host.has_started()
            try:
                yield host
            finally:
                self.write(lab)


def new_disk(file: Path, **given: object) -> Disk:
    """A disk with the units of the lab's distribution."""
    disk = Disk(file, **given)  # type: ignore[arg-type]
    with engine_host(systemd=True) as lab:
        disk.install(lab)
        disk.write(lab)
    return disk
