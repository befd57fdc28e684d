# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fresh hosts inside a lab host: a fork with namespaces of its own, a few milliseconds each. And what is on one, as text by place."""

from __future__ import annotations

import ctypes
import json
import os
import re
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lab"))

import snapshot
from facts import facts

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWNET = 0x20000, 0x4000000, 0x40000000
SCRIPT = 60  # seconds that commands typed by hand may take

State = dict[str, list[str]]  # lines by place: "" is the host, "[web]" a namespace, "table inet x" the firewall


def on_fresh_host(act: Callable[[], Any]) -> Any:
    """Return what a function returns (as JSON has it) that is called in a fork, on a host of its own. Raises AssertionError."""

    def alone() -> Any:
        _unshare()
        return act()

    return in_fork(alone)


def in_fork(act: Callable[[], Any]) -> Any:
    """Return what a function returns (as JSON has it) that is called in a fork, on this host. Raises AssertionError."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read)
            answer = json.dumps({"done": act()})
        except BaseException:
            answer = json.dumps({"error": traceback.format_exc()})
        with open(write, "w", encoding="utf-8") as out:
            out.write(answer)
        os._exit(0)
    os.close(write)
    with open(read, encoding="utf-8") as source:
        text = source.read()
    os.waitpid(child, 0)
    told: dict[str, Any] = json.loads(text or '{"error": ""}')
    if "error" in told:
        raise AssertionError(f"the host ended: {told['error']}")
    return told["done"]


def _unshare() -> None:
    """Make this process a host's first: as roles/lab/files/init, for what a wiring touches."""
    libc = ctypes.CDLL(None, use_errno=True)

    def mount(kind: bytes, target: bytes) -> None:
        if libc.mount(kind, target, kind, 0, None) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), target.decode())

    if libc.unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    for folder in ("/etc/netns", "/etc/sysctl.d"):
        os.makedirs(folder, exist_ok=True)
        mount(b"tmpfs", folder.encode())
    mount(b"sysfs", b"/sys")
    mount(b"tmpfs", b"/run")
    os.makedirs("/run/lock")
    os.makedirs("/run/netns")
    shell("mount --bind /run/netns /run/netns && mount --make-shared /run/netns && ip link set lo up")


def shell(script: str) -> tuple[int, str]:
    """Run a script by bash. Returns its status, and what it wrote."""
    done = subprocess.run(
        ["bash", "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=SCRIPT,
        check=False,
    )
    return done.returncode, done.stdout


def state() -> State:
    """What is on this host, and in its named namespaces. A name that means the host has no facts of its own."""
    found = {"": facts(), "files": list(snapshot.files())}
    seen: dict[tuple[int, int], list[str]] = {_inode(Path("/proc/self/ns/net")): ["is the host"]}
    for path in sorted(snapshot.NETNS.iterdir()):
        key = _inode(path)
        if key not in seen:
            seen[key] = of_namespace(path)
        found[f"[{path.name}]"] = seen[key]
    found.update(_firewall())
    return found


def hold() -> None:
    """Hold the named namespaces open as long as this host lasts, as a process would: what is in them lives on without a name, and at once."""
    _HELD.extend(os.open(path, os.O_RDONLY) for path in snapshot.NETNS.iterdir())


_HELD: list[int] = []


def _inode(path: Path) -> tuple[int, int]:
    about = path.stat()
    return about.st_dev, about.st_ino


def of_namespace(path: Path) -> list[str]:
    """The facts of another namespace, without its firewall. This process goes there and back."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net", "rb") as home, open(path, "rb") as there:
        if libc.setns(there.fileno(), CLONE_NEWNET) != 0:
            return ["cannot be entered"]
        try:
            found: list[str] = facts()
            return found
        finally:
            libc.setns(home.fileno(), CLONE_NEWNET)


def _firewall() -> State:
    """The rule set by table, without counts."""
    found: State = {}
    table = ""
    for line in snapshot.text("nft", "list", "ruleset").splitlines():
        if line.startswith("table "):
            table = line.rstrip(" {")
        found.setdefault(table, []).append(re.sub(r"packets [0-9]+ bytes [0-9]+|# handle \d+", "", line).rstrip())
    return found


def difference(before: State, after: State) -> list[str]:
    """The lines that only one of two states has, with - and +, behind their places."""
    found = []
    for place in sorted({*before, *after}):
        old, new = before.get(place), after.get(place)
        if old == new:
            continue
        found += [f"- {place} {line}".strip() for line in old or ["nothing"] if line not in (new or [])]
        found += [f"+ {place} {line}".strip() for line in new or ["nothing"] if line not in (old or [])]
    return found
