# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prints everything a wiring could touch on this host, one fact a line, sorted. Changes nothing.

Two runs with nothing in between are identical: counters, timers, lifetimes and the like are left out.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SYSCTL = Path("/proc/sys/net")
NETNS = Path("/run/netns")
FOLDERS = (Path("/etc/sysctl.d"), Path("/etc/netns"))
CLONE_NEWNET = 0x40000000
SETTLED = 5.0  # seconds to wait at most for links whose state is behind their carrier

RULE = re.compile(r"[0-9]+:\t")  # how a policy rule is printed; no route begins like that

# Link attributes that move by themselves: bridge timers and states, carrier, statistics; what iproute2 6.15 counts: learned, joined.
VOLATILE_LINK = re.compile(
    r"_n_learned$|_n_groups$|_timer$|^timer|topology_change|^stats|^inet_id$|^operstate$|^state$|carrier|^designated_|^root_(id|path_cost|port)$|_packets_stat$"
)

# Sysctls that change by themselves, or when they are looked at.
VOLATILE_SYSCTL = re.compile(
    r"nf_conntrack_count$"  # live connections
    r"|/stat|_stat$"  # statistics
    r"|random|_key$|secret$|seed$"  # keys made on first use
    r"|/flush$"  # triggers, not settings
    r"|sunrpc|rds/"  # transports come and go with mounts
)


def text(*command: str, typed: str = "") -> str:
    """What the command prints; nothing where it is missing or refuses. ``typed``: what it is to read."""
    try:
        stdin: dict[str, Any] = {"input": typed} if typed else {"stdin": subprocess.DEVNULL}
        done = subprocess.run(command, **stdin, capture_output=True, text=True, timeout=600, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout if done.returncode == 0 else ""


def items(*command: str) -> list[dict[str, Any]]:
    """The objects in the JSON that the command prints."""
    return [item for item in json.loads(text(*command).strip() or "[]") if item]


def links_and_addresses() -> list[list[dict[str, Any]]]:
    """What "ip" shows of links, and what of their addresses, when the kernel has followed what their carriers did.

    It does so a moment later, and gives an IPv6 address of scope link only then.
    """
    end = time.monotonic() + SETTLED
    found = shown()
    while any(pending(link) for link in found[0]) and time.monotonic() < end:
        time.sleep(0.02)
        found = shown()
    return found


def pending(link: dict[str, Any]) -> bool:
    """Whether the state of a link that is up has not followed its carrier yet (``net/core/link_watch.c``)."""
    flags = link.get("flags", [])
    return "UP" in flags and ("LOWER_UP" in flags) == (link.get("operstate") in ("DOWN", "LOWERLAYERDOWN"))


def shown() -> list[list[dict[str, Any]]]:
    """What "ip" shows of links, and what of their addresses: one process prints both, one after the other."""
    printed, found = text("ip", "-d", "-j", "-batch", "-", typed="link show\naddr show\n").strip(), []
    while printed:
        value, end = json.JSONDecoder().raw_decode(printed)
        found.append([item for item in value if item])
        printed = printed[end:].strip()
    return found or [[], []]


def flat(value: Any, path: str = "") -> Iterator[str]:
    """The leaves of a JSON value as lines "path value"."""
    if isinstance(value, dict):
        for key in sorted(value):
            if not VOLATILE_LINK.search(key):
                yield from flat(value[key], f"{path} {key}".strip())
    else:
        yield f"{path} {json.dumps(sorted(value, key=str) if isinstance(value, list) else value, sort_keys=True)}"


def links(found: list[dict[str, Any]]) -> Iterator[str]:
    """Links with every detail, bridge ports and their VLANs."""
    for link in found:
        flags = [flag for flag in link.get("flags", []) if flag not in ("LOWER_UP", "NO-CARRIER")]
        yield from (f"link {link['ifname']} {line}" for line in flat({**link, "flags": flags}))
    if not any("master" in link or link.get("linkinfo", {}).get("info_kind") == "bridge" for link in found):
        return  # then there is nothing that "bridge" would show
    for port in items("bridge", "-d", "-j", "link", "show"):
        port["flags"] = []
        yield from (f"port {port['ifname']} {line}" for line in flat(port))
    for port in items("bridge", "-j", "vlan", "show"):
        yield from (f"vlan {port['ifname']} {line}" for line in flat(port))


def qdiscs(found: list[dict[str, Any]]) -> Iterator[str]:
    """Queueing disciplines that the kernel did not give by itself."""
    if all(link.get("qdisc") in ("noqueue", "noop") for link in found):
        return
    for qdisc in items("tc", "-j", "qdisc", "show"):
        if qdisc.pop("refcnt", 0) and qdisc["handle"] != "0:":
            yield from (f"qdisc {qdisc['dev']} {line}" for line in flat(qdisc))


def addresses(found: list[dict[str, Any]]) -> Iterator[str]:
    """Addresses, without lifetimes that count down and without the progress of duplicate detection."""
    for link in found:
        for address in link.get("addr_info", []):
            for key in ("valid_life_time", "preferred_life_time"):
                address[key] = "forever" if address.get(key) == 0xFFFFFFFF else "limited"
            for key in ("tentative", "dadfailed"):
                address.pop(key, None)
            yield f"address {link['ifname']} {json.dumps(address, sort_keys=True)}"


def routes() -> Iterator[str]:
    """Routes of every table, and the rules that choose among the tables."""
    for family in ("-4", "-6"):
        for line in text("ip", family, "-batch", "-", typed="route show table all\nrule show\n").splitlines():
            if RULE.match(line):
                yield f"rule {family} {line}"
                continue
            if family == "-6" and "table local proto kernel" in line:
                continue  # follow the addresses, when duplicate detection is done
            # Expiry counts down; linkdown and dead follow the carrier.
            yield f"route {family} {re.sub(r' (expires [0-9]+sec|linkdown|dead)', '', line).strip()}"


def firewall() -> Iterator[str]:
    """The nftables rule set, in its own order. Where nf_tables is a module not loaded there is none: do not load it."""
    modules, builtin = Path("/proc/modules"), Path(f"/lib/modules/{os.uname().release}/modules.builtin")
    modular = modules.exists() and builtin.exists() and "/nf_tables.ko" not in builtin.read_text()
    if modular and "nf_tables " not in modules.read_text():
        return
    # Numbered, since the order of rules matters and the lines of a snapshot are sorted.
    for number, line in enumerate(text("nft", "list", "ruleset").splitlines(), 1):
        yield f"nft {number:05} {re.sub(r'packets [0-9]+ bytes [0-9]+', 'packets - bytes -', line)}"


def sysctls() -> Iterator[str]:
    """Every readable sysctl below net., of the network namespace this process is in."""
    for folder, _folders, files in os.walk(SYSCTL):
        for name in files:
            path = os.path.join(folder, name)
            if VOLATILE_SYSCTL.search(path):
                continue
            try:
                with open(path, encoding="utf-8", errors="replace") as source:
                    value = " ".join(source.read().split())
            except OSError:
                continue  # write-only, or gone with its link
            yield f"sysctl net.{os.path.relpath(path, SYSCTL).replace('.', '|').replace('/', '.')} = {value}"


def files() -> Iterator[str]:
    """The files of the folders that a wiring may write to."""
    for folder in FOLDERS:
        for path in [folder, *sorted(folder.rglob("*"))] if folder.exists() else []:
            mode = path.lstat().st_mode
            if stat.S_ISREG(mode):
                content = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
            else:
                content = os.readlink(path) if stat.S_ISLNK(mode) else ""
            yield f"file {path} {stat.filemode(mode)} {content}".rstrip()


def namespaces() -> Iterator[str]:
    """Named namespaces, with the inode that tells one from another, and every mount that holds one."""
    for path in sorted(NETNS.iterdir()) if NETNS.is_dir() else []:
        kind = stat.filemode(path.lstat().st_mode)
        yield f"netns {path.name} {kind} {path.stat().st_ino if path.exists() else 'dangling'}"
    if not NETNS.is_dir():
        yield f"netns folder {'is no folder' if NETNS.exists() else 'missing'}"
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        before, after = line.split(" - ", 1)
        if after.split()[0] == "nsfs":
            root, point = before.split()[3:5]
            yield f"nsfs {point} {root}"


def network() -> list[str]:
    """The lines of the network namespace this process is in."""
    shown, addressed = links_and_addresses()
    return sorted([*links(shown), *qdiscs(shown), *addresses(addressed), *routes(), *firewall(), *sysctls()])


def network_of(path: Path) -> list[str]:
    """The lines of another network namespace, gathered in a child so that this process stays where it is."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(read)
            with open(path, "rb") as handle:
                if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(path))
            with open(write, "w", encoding="utf-8") as out:
                out.write("\n".join(network()))
            status = 0
        finally:
            os._exit(status)
    os.close(write)
    with open(read, encoding="utf-8") as source:
        lines = source.read().splitlines()
    _child, status = os.waitpid(child, 0)
    return lines if status == 0 else ["cannot be entered"]


def main(all_namespaces: bool) -> None:
    """Print the snapshot."""
    lines = [*network(), *sorted(files()), *sorted(namespaces())]
    seen: dict[tuple[int, int], list[str]] = {}  # a namespace may have many names
    for path in sorted(NETNS.iterdir()) if all_namespaces and NETNS.is_dir() else []:
        about = path.stat() if path.exists() else None
        key = (about.st_dev, about.st_ino) if about else (0, 0)
        if key not in seen:
            seen[key] = network_of(path)
        lines += [f"[{path.name}] {line}" for line in seen[key]]
    print("\n".join(lines))


if __name__ == "__main__":
    main("--all-namespaces" in sys.argv[1:])
