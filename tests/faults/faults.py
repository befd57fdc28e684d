# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ends, or refuses, runs at each of their writes, in a lab host, and prints what became of it, as a table.

    faults.py COLLECTIONS [--only WORDS] [--part K/N] [--error ERRNO] [--kinds ended,taken-back,refused,power-cut] [--beside NAME=PID,...] [--list]

Each place is tried on fresh hosts. ``ended``: the process that comes to it is killed, then the run is done again, which has to give what an undisturbed one
gives, and all is taken back, after which the host has to be as before. ``taken-back``: it is taken back at once. ``refused``: the call fails, and then as with
``ended``. ``power-cut``: everything is killed at once, and there comes another kernel, without /run; of the host's files those in /etc are left, and their
sysctls are set, as at a boot. Then as with ``ended``.

``--beside``: dockerd runs on this host, with these containers, and the stories are those with its containers: see `beside_docker.py`. All are lived
through on this one host, which has to be as before after each, with dockerd's own things there at all times. Its power is not cut.
"""

from __future__ import annotations

import argparse
import functools
import os
import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

import bounds

HERE = Path(__file__).resolve().parent
FILE = "/etc/sysctl.d/99-zz-linuxnet-containers.conf"
Item = dict[str, Any]

FRONT: Item = {"name": "front", "subnets": ["10.1.0.0/24", "fd00:1::/64"], "icc": False}
BACK: Item = {"name": "back", "subnets": ["10.2.0.0/24"]}
WEB: Item = {
    "name": "web",
    "networks": [{"name": "front", "rate": "50mbit"}],
    "published_ports": ["8080:80", "127.0.0.1:5353:53/udp"],
    "sysctls": {"net.ipv4.tcp_keepalive_time": "77"},
}
DB: Item = {"name": "db", "networks": [{"name": "front", "port": {"hairpin": True}}, {"name": "back"}]}
ALL: Item = {"networks": [FRONT, BACK], "containers": [WEB, DB, {"name": "side", "network_mode": "container:web"}]}
OTHER: Item = {
    "networks": [{**FRONT, "icc": True, "mtu": 1400}, BACK],
    "containers": [
        {
            **WEB,
            "published_ports": ["8081:80"],
            "networks": [{"name": "front", "ipv4_address": "10.1.0.77", "ingress_rate": "20mbit"}],
        },
        {"name": "db", "networks": [{"name": "back"}]},
        {"name": "side", "network_mode": "none"},
    ],
}


# What is forwarded needs allowances then.
DROPS = "iptables -P FORWARD DROP; ip6tables -P FORWARD DROP"
KINDS = ("ended", "taken-back", "refused", "power-cut")
LASTING = ("/etc/sysctl.d", "/etc/netns")
PURGED = ("[web]", "[db]")  # the places of names that purge knows
COLUMNS = ("places", "tried", "met", "converged", "as before", "failed")


ROLE = ("one task", "chain")
# The containers of dockerd on this host, by name: their processes.
BESIDE: dict[str, int] = {}


@dataclass(frozen=True)
class Story:
    """Runs before, the run that is disturbed, and in which manner: of the role, or the name of a module. ``host``: what else is typed on the host first."""

    name: str
    before: list[Item]
    run: Item
    manner: str = "one task"
    extra: Item = field(default_factory=dict)
    host: str = ""

    @property
    def back(self) -> Item:
        """What takes all of it away."""
        return {**(ALL if self.manner in ROLE else self.run), **self.extra, "state": "absent"}


# Beside those of `bounds.py`.
MODULES = [
    bounds.Story(
        "ns_address, pool", "ns_address", {"netns": "web", "interface": "eth0", "pool": "10.9.0.0/24"}, bounds.HOST
    ),
    bounds.Story(
        "nat, spoof_check",
        "nat",
        {
            "type": "spoof_check",
            "interface": "web0",
            "mac": "02:00:00:00:02:02",
            "addresses": ["10.0.0.2"],
            "owner": "web",
        },
        bounds.HOST,
    ),
    bounds.Story(
        "nat, uplink",
        "nat",
        {"type": "uplink", "interface": "br0", "gateways": ["10.0.0.254", "2001:db8::1"], "owner": "br0"},
        bounds.HOST,
    ),
    *(
        bounds.Story(
            f"nat, tunnel, {backend}",
            "nat",
            {"type": "tunnel", "vni": 42, "peers": ["192.0.2.2", "2001:db8::2"], "owner": "front", "backend": backend},
            bounds.HOST,
        )
        for backend in ("nftables", "iptables")
    ),
]


def _stories() -> list[Story]:
    found = []
    for backend in ("nftables", "iptables"):
        extra = {"firewall_backend": backend}
        found += [
            Story(f"present, {backend}", [], ALL, extra=extra),
            Story(f"change, {backend}", [ALL], OTHER, extra=extra),
            Story(f"absent, {backend}", [ALL], {**ALL, "state": "absent"}, extra=extra),
            Story(f"absent, {backend}, where others drop", [ALL], {**ALL, "state": "absent"}, extra=extra, host=DROPS),
        ]
    found.append(Story("present, chain", [], ALL, "chain"))
    found.append(Story("absent, chain", [ALL], {**ALL, "state": "absent"}, "chain"))
    found.append(Story("purge", [ALL], {"networks": [], "containers": [], "purge": True}))
    for one in [*bounds.STORIES, *MODULES]:
        if one.module not in ("wiring", "wiring_info") and not one.process and one.name != "ns_address":
            found.append(Story(f"module {one.name}", [], one.arguments, one.module))
            found.append(
                Story(f"module {one.name}, absent", [one.arguments], {**one.arguments, "state": "absent"}, one.module)
            )
    return found


def _stories_beside_docker() -> list[Story]:
    """A container of dockerd's, and one of a namespace, in one list."""
    web: Item = {"name": "web", "engine": "docker", "networks": [{"name": "front"}], "published_ports": ["8080:80"]}
    db: Item = {"name": "db", "networks": [{"name": "front"}]}
    both: Item = {"networks": [FRONT], "containers": [web, db]}
    other: Item = {
        "networks": [{**FRONT, "icc": True, "mtu": 1400}],
        "containers": [{**web, "published_ports": ["8081:80"]}, {"name": "db", "network_mode": "none"}],
    }
    found = []
    for backend in ("nftables", "iptables"):
        extra = {"firewall_backend": backend}
        found += [
            Story(f"docker, present, {backend}", [], both, extra=extra),
            Story(f"docker, change, {backend}", [both], other, extra=extra),
            Story(f"docker, absent, {backend}", [both], {**both, "state": "absent"}, extra=extra),
        ]
    found.append(Story("docker, present, chain", [], both, "chain"))
    found.append(Story("docker, absent, chain", [both], {**both, "state": "absent"}, "chain"))
    return found


STORIES = _stories()
DOCKER = _stories_beside_docker()


def main() -> int:
    """Return 0 if all holds."""
    parser = argparse.ArgumentParser(description="Runs ended and refused at their writes")
    parser.add_argument("collections")
    parser.add_argument("--only", default="", help="stories with these words in their names")
    parser.add_argument("--part", default="1/1", help="K/N: every N-th place of a story, from the K-th on")
    parser.add_argument("--error", default="ENOMEM", help="with what a call is refused")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--beside", default="", help="NAME=PID,...: the containers of dockerd on this host")
    parser.add_argument("--list", action="store_true", help="only name the stories")
    given = parser.parse_args()
    BESIDE.update(
        {name: int(pid) for name, dummy, pid in (one.partition("=") for one in given.beside.split(",") if one)}
    )
    stories = DOCKER if BESIDE else STORIES
    if given.list:
        print(*(story.name for story in stories), sep="\n")
        return 0
    sys.path[:0] = [given.collections, str(HERE), str(HERE.parent / "generated")]
    import soak

    soak.preload()
    part, parts = map(int, given.part.split("/"))
    chosen = [story for story in stories if given.only in story.name]
    kinds = [kind for kind in given.kinds.split(",") if not (BESIDE and kind == "power-cut")]
    print(f"{'story':40} {'kind':10}", *(f"{name:>9}" for name in COLUMNS), flush=True)
    total: dict[str, Counter[str]] = {kind: Counter() for kind in kinds}
    for story in chosen:
        for kind, counts in _told(story, part - 1, parts, given.error, kinds).items():
            total[kind] += counts
    for kind in kinds:
        print(_line("all", kind, total[kind]))
    return int(not chosen or any(counts["failed"] for counts in total.values()))


def _line(name: str, kind: str, counts: Counter[str]) -> str:
    numbers = ("-" if (kind, column) == ("taken-back", "converged") else counts[column] for column in COLUMNS)
    return " ".join([f"{name:40} {kind:10}", *(f"{number:>9}" for number in numbers)])


def _told(story: Story, first: int, step: int, error: str, kinds: list[str]) -> dict[str, Counter[str]]:
    """Try places of one story, and print a line a kind. Returns what is in the columns, by kind."""
    import hosts
    from interrupted import Place, tried

    on_host = hosts.in_fork if BESIDE else hosts.on_fresh_host
    listed = [Place(*one) for one in on_host(lambda: _places(story))]
    wanted = on_host(lambda: _life(story, None, "ended", error))
    told = {}
    for kind in kinds:
        counts = Counter({"places": len(listed)})
        for place in tried(listed, first, step, counts):
            counts["tried"] += 1
            try:
                if kind == "power-cut":
                    left = on_host(functools.partial(_cut, story, place))
                    found = on_host(functools.partial(_life, story, None, kind, error, left))
                else:
                    found = on_host(functools.partial(_life, story, place, kind, error))
            except AssertionError as problem:
                found = {"problem": str(problem), "met": True}
            after, back = _judged(story, place, found, wanted, kind)
            counts["met"] += found["met"]
            counts["converged"] += found["met"] and kind != "taken-back" and not after
            counts["as before"] += found["met"] and not back
            if after or back:
                counts["failed"] += 1
                print(f"FAILED {story.name}, {kind} at {place}:", *after, *back, sep="\n    ", flush=True)
        if not counts["met"]:
            counts["failed"] += 1
            print(f"FAILED {story.name}, {kind}: no place is met", flush=True)
        print(_line(story.name, kind, counts), flush=True)
        told[kind] = counts
    return told


def _run(story: Story, variables: Item) -> Item:
    import manners

    if story.manner not in ROLE:
        done = manners.call(story.manner, {**variables, **story.extra}, False)
        return {"msg": str(done.get("msg")) if done.get("failed") else ""}
    act: Callable[[Item, bool], Item] = {"one task": manners.one_task, "chain": manners.chain}[story.manner]
    return act({**variables, **story.extra}, False)


def _begin(story: Story) -> None:
    """Make what is on a host before all."""
    import by_hand
    import hosts

    if not BESIDE:  # there it is made with the engine
        hosts.shell("; ".join(filter(None, [by_hand.HOST if story.manner in ROLE else bounds.HOST, story.host])))


def _set_up(story: Story) -> None:
    _begin(story)
    for variables in story.before:
        assert not (said := _run(story, variables)["msg"]), said


def _places(story: Story) -> list[Any]:
    import hosts
    import interrupted

    _set_up(story)
    hosts.state()  # what it imports shows no more in the calls of a run
    found = [astuple(one) for one in interrupted.places(lambda: _run(story, story.run)["msg"])]
    assert not (said := _run(story, story.back)["msg"]), said
    return found


def _cut(story: Story, place: Any) -> Item:
    """Live through a story to where the power is cut. Whether it came to that, and the files that are left, by path."""
    import interrupted

    _set_up(story)
    met = interrupted.ended_at(lambda: _run(story, story.run)["msg"], place, whole=True)
    listed = [path for folder in LASTING for path in Path(folder).rglob("*") if path.is_file()]
    return {"met": met, "files": {str(path): path.read_text(encoding="utf-8") for path in listed}}


def _life(story: Story, place: Any, kind: str, error: str, left: Item | None = None) -> Item:
    """Live through a story that is disturbed at a place, or behind the cut that left files. What was there before, what the run said, what its repetition
    said and left, and what was left after all was taken back."""
    import hosts
    import interrupted

    _begin(story)
    found: Item = {"pristine": _state(), "said": "", "again": "", "after": {}, "met": True}
    for variables in () if left else story.before:
        assert not (said := _run(story, variables)["msg"]), said
    if left:
        found["met"] = left["met"]
        for path, text in left["files"].items():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(text, encoding="utf-8")
            if path.endswith(".conf"):  # what a boot reads
                hosts.shell(f"sysctl -q -p {path}")
    if place is not None:

        def act() -> Any:
            return _run(story, story.run)["msg"]

        if kind == "refused":
            found["met"], found["said"] = interrupted.refused_at(act, place, error)
        else:
            found["met"] = interrupted.ended_at(act, place)
    if kind != "taken-back":
        found["again"] = _run(story, story.run)["msg"]
        found["after"] = _state()
    found["back"] = _run(story, story.back)["msg"]
    found["left"] = _state()
    return found


def _judged(story: Story, place: Any, found: Item, wanted: Item, kind: str) -> tuple[list[str], list[str]]:
    """What does not hold of a disturbed life, beside the undisturbed one: after the next run, and after all was taken back."""
    import hosts

    if "problem" in found:
        return [str(found["problem"])], ["so nothing was taken back"]
    after, back = [], []
    if kind == "refused" and found["met"] and found["said"] is None:
        after.append("it did not end")
    if found["again"]:
        after.append(f"the run after it fails: {found['again']}")
    if found["back"]:
        back.append(f"the teardown fails: {found['back']}")
    if kind != "taken-back":
        theirs = _dockers(found["after"])
        after += [f"dockerd lost {line}" for line in _dockers(found["pristine"]) if line not in theirs]
        # A name that was joined to a namespace has no sign, so purge leaves it; the cut of the power does not.
        expected = found["pristine"] if story.run.get("purge") and kind == "power-cut" else wanted["after"]
        there = found["after"]
        if story.run.get("purge") and (kind == "ended" or place.call in ("umount2", "unlink")):
            # Purge knows a name by its pair: where it was ended between the two, or could not remove it, the name stays, for its owner to remove.
            there = {one: lines for one, lines in there.items() if one in expected or one not in PURGED}
        after += [f"after it {line}" for line in hosts.difference(_unordered(expected), _unordered(there))]
    back += [f"left {line}" for line in hosts.difference(found["pristine"], found["left"])]
    return after, back


def _state() -> Item:
    """What is on this host, and the lines of our file: in which order they are says nothing."""
    import hosts

    found: Item = hosts.state()
    found["files"] = [line for line in found["files"] if FILE not in line]
    if os.path.exists(FILE):
        found[FILE] = sorted(Path(FILE).read_text(encoding="utf-8").splitlines())
    for name, pid in BESIDE.items():
        found[f"container {name}"] = hosts.of_namespace(Path(f"/proc/{pid}/ns/net"))
    return found


def _dockers(state: Item) -> list[str]:
    """What is dockerd's own on a host: what its interface and its chains are named in."""
    return [f"{place} {line}" for place, lines in state.items() for line in lines if "docker" in line.lower()]


def _unordered(state: Item) -> Item:
    """A state with an element of nft's sets a line, for which the same holds."""
    return {
        place: sorted(re.sub(r"^\s*(elements = \{ )?|[ ,}]*$", "", line) for line in lines)
        if place.startswith("table ")
        else lines
        for place, lines in state.items()
    }


if __name__ == "__main__":
    sys.exit(main())
