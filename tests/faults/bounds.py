# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The limits of `limits.py`, and what runs under them."""

from __future__ import annotations

import ctypes
import functools
import os
import resource
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Item = dict[str, Any]
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
PR_CAPBSET_DROP = 24
CAPABILITY_VERSION = 0x20080522  # include/uapi/linux/capability.h

# As include/uapi/linux/capability.h numbers them.
CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW "
    "IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD "
    "LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split()


@dataclass(frozen=True)
class Story:
    """A run of a module, that makes something and takes it away, on a host with something on it. ``many``: it has several items, which fail each for itself.
    ``process``: the process that `CONTAINER` started is named."""

    name: str
    module: str
    arguments: Item
    before: str
    many: bool = False
    process: bool = False

    def act(self, state: str, check: bool) -> Item:
        """Do it. Returns {"changed", "msg": "" unless it failed}."""
        import manners

        arguments = dict(self.arguments) if self.module == "wiring_info" else {**self.arguments, "state": state}
        if self.process:
            arguments["pid"] = int(Path(PROCESS).read_text(encoding="ascii"))
        if self.module == "wiring":
            done = manners.one_task(arguments, check)
            return {"changed": False, "msg": done["msg"]}
        done = manners.call(self.module, arguments, check)
        return {"changed": bool(done.get("changed")), "msg": str(done.get("msg")) if done.get("failed") else ""}


@dataclass(frozen=True)
class Limit:
    """What a host does not have, or let. ``enter`` is called in the process of the run; ``begins`` and ``ends`` are scripts around it. ``says``: a pattern that
    each failure has in it. ``known``: a run that fails does so before its first change, with what check mode says.
    ``exact``: one that fails later takes back what it did. ``only``: a pattern of the stories that it means something to."""

    name: str
    says: str
    enter: Callable[[], None] = lambda: None
    begins: str = ""
    ends: str = ""
    known: bool = False
    exact: bool = True
    only: str = ""


# --- what runs ---

HOST = """
ip link add br0 address 02:00:00:00:02:00 type bridge; ip link set br0 addrgenmode none up; ip addr add 10.0.0.1/16 dev br0
ip netns add web; ip link add web0 address 02:00:00:00:02:01 type veth peer name eth0 address 02:00:00:00:02:02 netns web
ip link set web0 addrgenmode none master br0 up; ip -n web link set lo up
ip -n web link set eth0 addrgenmode none up; ip -n web addr add 10.0.0.2/16 dev eth0
ip link add p0 address 02:00:00:00:03:00 type veth peer name q0 address 02:00:00:00:03:01; ip link set p0 addrgenmode none
"""
PROCESS = "/tmp/limits.pid"
# Somebody else's process in a namespace of its own, as a container's is that runs as a user.
CONTAINER = f"""
setsid unshare --net setpriv --reuid=65534 --regid=65534 --clear-groups sleep 3000 >/dev/null 2>&1 &
echo $! >{PROCESS}
until [ "$(cat /proc/$!/comm)" = sleep ]; do sleep 0.01; done
"""
WIRING: Item = {
    "networks": [{"name": "front", "subnets": ["10.1.0.0/24", "fd00:1::/64"], "icc": False}],
    "containers": [
        {"name": "box", "networks": [{"name": "front"}], "published_ports": ["8080:80"], "sysctls": {"net.ipv4.tcp_keepalive_time": "77"}},
        {"name": "side", "network_mode": "container:box"},
    ],
}  # fmt: skip
CROWD: Item = {
    "networks": [{"name": "front", "subnets": ["10.1.0.0/24"]}],
    "containers": [{"name": f"box{n}", "networks": [{"name": "front"}]} for n in range(30)],
}


def _stories() -> list[Story]:
    found = [
        Story("netns", "netns", {"name": "new", "sysctls": {"net.ipv4.ip_forward": "1"}}, HOST),
        Story("netns of a process", "netns", {"name": "box"}, HOST + CONTAINER, process=True),
        Story("bridge", "bridge", {"name": "br1", "mac": "02:00:00:00:06:00"}, HOST),
        Story("veth", "veth", {"name": "v0", "peer_netns": "web", "peer_name": "v1", "mac": "02:00:00:00:06:00", "peer_mac": "02:00:00:00:06:01",
                               "bridge": "br0", "tx_checksum": False}, HOST),
        Story("bridge_port", "bridge_port", {"bridge": "br0", "interface": "p0", "hairpin": True}, HOST),
        Story("ns_address", "ns_address", {"netns": "web", "interface": "eth0", "pool": "10.0.0.0/16", "bridge": "br0"}, HOST),
        Story("ns_address, IPv6", "ns_address", {"interface": "br0", "address": "fd00::7/64"}, HOST),
        Story("ns_route", "ns_route", {"netns": "web", "destination": "10.9.0.0/16", "gateway": "10.0.0.1", "table": 77,
                                       "rule_source": "10.9.0.0/16"}, HOST),
    ]  # fmt: skip
    for backend in ("nftables", "iptables"):
        extra = {"backend": backend, "owner": "us"}
        found += [
            Story(f"nat, {backend}, source", "nat", {"source": "10.0.0.0/16", "out_interface": "!br0", **extra}, HOST),
            Story(f"nat, {backend}, port", "nat", {"type": "dnat", "host_port": "8080", "to_port": "80", "to_address": "10.0.0.2", "bridge": "br0",
                                                   **extra}, HOST),
            Story(f"nat, {backend}, filter", "nat", {"type": "filter", "bridge": "br0", "icc": False, **extra}, HOST),
        ]  # fmt: skip
        found.append(Story(f"wiring, {backend}", "wiring", {**WIRING, "firewall_backend": backend}, HOST, many=True))
    found.append(Story("wiring, 30 containers", "wiring", CROWD, HOST, many=True))
    found.append(Story("wiring_info", "wiring_info", {}, HOST))
    return found


STORIES = _stories()


# --- limits ---


def _files(number: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))


def _memory(more: int) -> None:
    """So many bytes more than there are by now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    size = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def _file_size() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _without(number: int) -> None:
    """Lack a capability, and have no program that is started get it back."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no such capability")
    header = struct.pack("=Ii", CAPABILITY_VERSION, 0)
    data = ctypes.create_string_buffer(24)
    _checked(libc, libc.capget(header, data))
    low, high = (
        (0xFFFFFFFF & ~(1 << number), 0xFFFFFFFF) if number < 32 else (0xFFFFFFFF, 0xFFFFFFFF & ~(1 << number - 32))
    )
    words = list(struct.unpack("=6I", data.raw))
    masked = [word & (low if place < 3 else high) for place, word in enumerate(words)]
    _checked(libc, libc.capset(header, struct.pack("=6I", *masked)))


def _checked(libc: Any, status: int) -> None:
    if status != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _user_namespace(flags: int) -> None:
    """Be root in a user namespace, and nobody outside of it."""
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc, libc.unshare(CLONE_NEWUSER | flags))
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    for name in ("uid_map", "gid_map"):
        Path(f"/proc/self/{name}").write_text("0 0 1", encoding="ascii")


def _nobody() -> None:
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)


_RUN_RO = "mount -o remount,bind,ro /run/netns; mount -o remount,bind,ro /run"
_RUN_RW = "mount -o remount,bind,rw /run; mount -o remount,bind,rw /run/netns"
_SYSCTL_RO = "mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys"
_ETC = "/etc/sysctl.d"
_FILL = "{ dd if=/dev/zero of=%s/full bs=64k || true; } 2>/dev/null"
_RUN_FULL = "mount -o remount,size=64k,nr_inodes=$(($(df --output=iused /run | tail -1) + 1)) /run; " + _FILL % "/run"
_ETC_FULL = f"mount -o remount,size=64k {_ETC}; " + _FILL % _ETC


def _limits() -> list[Limit]:
    found = [
        Limit(f"{number} files", "Too many open files", functools.partial(_files, number)) for number in (64, 16, 8)
    ]
    for name, more in (("16 MB of memory", 1 << 24), ("1 MB of memory", 1 << 20), ("no more memory", 0)):
        found.append(Limit(name, "Cannot allocate memory", functools.partial(_memory, more), exact=False))
    found += [
        Limit("files of no bytes", "File too large", _file_size),
        Limit("/run read-only", "/run.*Read-only|Read-only.*/run", begins=_RUN_RO, ends=_RUN_RW, known=True),
        Limit(
            "/etc/sysctl.d read-only",
            f"{_ETC}.*Read-only",
            begins=f"mount -o remount,bind,ro {_ETC}",
            ends=f"mount -o remount,bind,rw {_ETC}",
            known=True,
        ),
        Limit("/proc/sys read-only", "Read-only.*/proc/sys", begins=_SYSCTL_RO, ends="umount /proc/sys", known=True),
        Limit(
            "/run full",
            "/run.*No space",
            begins=_RUN_FULL,
            ends="rm -f /run/full; mount -o remount,size=1g,nr_inodes=100k /run",
        ),
        Limit(
            "/etc/sysctl.d full",
            f"{_ETC}.*No space",
            begins=_ETC_FULL,
            ends=f"rm -f {_ETC}/full; mount -o remount,size=1g {_ETC}",
        ),
        Limit("an ordinary user", "Root is needed", _nobody, known=True),
        Limit(
            "user namespace", "Root of the host.*network namespace", functools.partial(_user_namespace, 0), known=True
        ),
        Limit(
            "user and network namespace",
            "Root of the host.*mount namespace",
            functools.partial(_user_namespace, CLONE_NEWNET),
            known=True,
            only="netns|wiring,",
        ),
    ]
    for number, name in enumerate(CAPABILITIES):
        found.append(Limit(f"CAP_{name}", f"CAP_{name}", functools.partial(_without, number), known=True))
    return found


LIMITS = _limits()
