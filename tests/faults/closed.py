# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks for unpublished ports all the time, while runs of the role are ended, or refused, at each of their writes, and prints who answered, as a table.

    closed.py COLLECTIONS [--only WORDS] [--part K/N] [--kinds ended,refused] [--list]

Each place is tried on a fresh host: a router, or one that forwards nothing, and an outside that knows the way in. Somebody there, and each container, sends to
ports of the other containers that are not published: before the run, during it, and when it has ended at that place, where all is as it was between two writes;
and during the run that completes it. Nobody may answer. Once a case, behind a run that nobody disturbed, the published port has to, and all of them when the
rules are flushed: so it is seen that an open port would have been found.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import functools
import mmap
import os
import signal
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import faults

HERE = Path(__file__).resolve().parent
LIMIT = 60.0  # seconds to wait at most for what is to come
CLONE_NEWNET = 0x40000000
Item = dict[str, Any]

ALL: Item = {
    "networks": [{"name": "front", "subnets": ["10.1.0.0/24", "fd00:1::/64"]}, {"name": "back", "subnets": ["10.2.0.0/24"]}],
    "containers": [
        {
            "name": "web",
            "networks": [{"name": "front", "ipv4_address": "10.1.0.10", "ipv6_address": "fd00:1::10"}],
            "published_ports": ["8080:80"],
        },
        {"name": "db", "networks": [{"name": "back", "ipv4_address": "10.2.0.10"}]},
    ],
}  # fmt: skip
BEFORE = """
ip netns add internet; ip link add uplink address 02:00:00:00:09:01 type veth peer name eth0 address 02:00:00:00:09:02 netns internet
ip link set uplink addrgenmode none up; ip addr add 192.0.2.1/24 dev uplink; ip addr add 2001:db8::1/64 dev uplink nodad
ip -n internet link set eth0 addrgenmode none up
ip -n internet addr add 192.0.2.99/24 dev eth0; ip -n internet addr add 2001:db8::99/64 dev eth0 nodad
ip -n internet route add 10.0.0.0/8 via 192.0.2.1; ip -n internet route add fd00::/16 via 2001:db8::1
ip netns add web; ip netns add db
"""
ROUTER = "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"
# Who asks for what. Nobody listens there, so who gets it answers that the port is unreachable.
UNPUBLISHED = (
    ("internet", "10.1.0.10", 81),
    ("internet", "fd00:1::10", 81),
    ("internet", "10.2.0.10", 81),
    ("db", "10.1.0.10", 81),
    ("web", "10.2.0.10", 81),
)
PUBLISHED = (("internet", "192.0.2.1", 8080),)
COLUMNS = ("places", "tried", "met", "open")
FLUSH = "nft flush ruleset"  # with it goes what iptables-nft has


@dataclass(frozen=True)
class Case:
    """A story of `faults.py`, on a host that is a router before, or none."""

    story: faults.Story
    router: bool

    @property
    def name(self) -> str:
        return f"{self.story.name}, {'router' if self.router else 'no router'}"


def _cases() -> list[Case]:
    found = []
    for backend in ("nftables", "iptables"):
        for manner in faults.ROLE:
            for state, before in (("present", []), ("absent", [ALL])):
                name = f"{state}, {manner}, {backend}"
                run = {**ALL, "state": state}
                story = faults.Story(name, before, run, manner, {"firewall_backend": backend})
                found += [Case(story, router) for router in (True, False)]
    return found


CASES = _cases()


class Asking:
    """A process that asks for ports all the time. It counts the rounds that are over, and the answers of each port."""

    def __init__(self) -> None:
        self.ports = (*UNPUBLISHED, *PUBLISHED)
        self.shared = mmap.mmap(-1, 8 * (1 + len(self.ports)))
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self._ask()
            finally:
                os._exit(1)

    def _ask(self) -> None:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
        counts = [0] * (1 + len(self.ports))
        asked = [_socket(netns, address) for netns, address, dummy in self.ports]
        while True:
            for number, (dummy, address, port) in enumerate(self.ports, 1):
                with contextlib.suppress(OSError):
                    counts[number] += _answers(asked[number - 1], address, port)
            counts[0] += 1
            self.shared[:] = struct.pack(f"{len(counts)}q", *counts)
            time.sleep(0.0003)

    def _counts(self) -> tuple[int, ...]:
        return struct.unpack(f"{1 + len(self.ports)}q", self.shared[:])

    def after(self, rounds: int) -> list[str]:
        """Which of them have answered by the time that all were asked so many times more."""
        until, deadline = self._counts()[0] + rounds + 1, time.monotonic() + LIMIT
        while self._counts()[0] < until:
            assert time.monotonic() < deadline, "nobody asks any more"
            time.sleep(0.001)
        return [name for name, count in zip(_names(self.ports), self._counts()[1:], strict=True) if count]

    def all_answer(self, ports: Any) -> bool:
        """Whether these answer within the limit."""
        wanted = {*_names(ports)}
        deadline = time.monotonic() + LIMIT
        while not wanted <= set(self.after(1)):
            if time.monotonic() > deadline:
                return False
        return True

    def end(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def _names(ports: Any) -> list[str]:
    """Ports as they are told: which address to whom."""
    return [f"{address} to {netns}" for netns, address, dummy in ports]


def _socket(netns: str, address: str) -> socket.socket:
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net", "rb") as home, open(f"/run/netns/{netns}", "rb") as there:
        assert libc.setns(there.fileno(), CLONE_NEWNET) == 0, netns
        found = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        assert libc.setns(home.fileno(), CLONE_NEWNET) == 0
    found.setblocking(False)
    return found


def _answers(asked: socket.socket, address: str, port: int) -> bool:
    """Ask once. Whether somebody said, by now, that the port is unreachable. Raises OSError where there is no way there."""
    try:
        asked.connect((address, port))
        asked.send(b"?")
        time.sleep(0)
        asked.send(b"?")
    except ConnectionRefusedError:
        return True
    return False


@contextlib.contextmanager
def _host(case: Case) -> Iterator[Asking]:
    """Make what is on a host before, and ask."""
    import hosts

    assert hosts.shell(f"set -e\n{BEFORE}{ROUTER if case.router else ''}") == (0, "")
    for variables in case.story.before:
        assert not (said := faults._run(case.story, variables)["msg"]), said
    hosts.state()  # what it imports shows no more in the calls of a run
    asking = Asking()
    try:
        yield asking
    finally:
        asking.end()


def _places(case: Case) -> list[Any]:
    import interrupted

    with _host(case):
        listed = interrupted.places(lambda: faults._run(case.story, case.story.run)["msg"])
    return [astuple(one) for one in listed]


def _life(case: Case, place: Any, kind: str) -> Item:
    """Live through a case that is disturbed at a place; None: at none, and it is seen that what is open answers. Whether it came to that, and what was seen
    that must not be."""
    import hosts
    import interrupted

    wrong: list[str] = []
    unpublished = _names(UNPUBLISHED)

    def look(when: str) -> None:
        wrong.extend(f"{when}: {one}" for one in asking.after(3) if one in unpublished)

    with _host(case) as asking:
        look("before")

        def act() -> Any:
            return faults._run(case.story, case.story.run)["msg"]

        met = True
        if place is not None:
            met = (
                interrupted.refused_at(act, place, "ENOMEM")[0]
                if kind == "refused"
                else interrupted.ended_at(act, place)
            )
            look("after it")
        if said := act():
            wrong.append(f"the next run: {said}")
        look("after the next run")
        if place is None and not wrong and case.story.run["state"] == "present":
            if not asking.all_answer(PUBLISHED):
                wrong.append("the published port does not answer")
            look("in the end")
            hosts.shell(f"{FLUSH}; {ROUTER}")
            if not wrong and not asking.all_answer(UNPUBLISHED):
                wrong.append("an open port would not have been found")
    return {"met": met, "wrong": wrong}


def main() -> int:
    """Return 0 if nobody answered."""
    parser = argparse.ArgumentParser(
        description="Unpublished ports, during runs that are ended and refused at their writes"
    )
    parser.add_argument("collections")
    parser.add_argument("--only", default="", help="cases with these words in their names")
    parser.add_argument("--part", default="1/1", help="K/N: every N-th place of a case, from the K-th on")
    parser.add_argument("--kinds", default="ended,refused")
    parser.add_argument("--list", action="store_true", help="only name the cases")
    given = parser.parse_args()
    if given.list:
        print(*(case.name for case in CASES), sep="\n")
        return 0
    sys.path[:0] = [given.collections, str(HERE), str(HERE.parent / "generated")]
    import soak

    soak.preload()
    part, parts = map(int, given.part.split("/"))
    chosen = [case for case in CASES if given.only in case.name]
    print(f"{'case':45} {'kind':11}", *(f"{column:>7}" for column in COLUMNS), flush=True)
    failed = [_told(case, part - 1, parts, given.kinds.split(",")) for case in chosen]
    return int(not chosen or any(failed))


def _told(case: Case, first: int, step: int, kinds: list[str]) -> bool:
    """Try places of one case, and print a line a kind. Returns whether something does not hold."""
    import hosts
    from interrupted import Place, tried

    listed = [Place(*one) for one in hosts.on_fresh_host(lambda: _places(case))]
    failed = False
    for kind in ("undisturbed", *kinds):
        counts = Counter({"places": len(listed)})
        for place in [None] if kind == "undisturbed" else tried(listed, first, step, counts):
            counts["tried"] += 1
            found = hosts.on_fresh_host(functools.partial(_life, case, place, kind))
            counts["met"] += found["met"]
            if found["wrong"]:
                counts["open"] += 1
                print(f"OPEN {case.name}, {kind} at {place or 'no place'}:", *found["wrong"], sep="\n    ", flush=True)
        print(f"{case.name:45} {kind:11}", *(f"{counts[column]:7}" for column in COLUMNS), flush=True)
        failed = failed or bool(counts["open"]) or not counts["met"]
    return failed


if __name__ == "__main__":
    sys.exit(main())
