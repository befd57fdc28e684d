# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sequence of runs of the role with what happens by hand before and between them, and what has to hold of it.

A sequence is JSON: ``{"start": [hand], "runs": [{"hand": [hand], "variables": {}, "looks": bool}], "end": "absent"}``. It is lived through
twice, on two fresh hosts, by one task and by the chain. On both: check mode foresees the run and touches nothing, a second run is silent, what
others made is as it was, and after the teardown all is as it was before. And the two did the same, in the same words.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from random import Random
from typing import Any

import by_chance
import by_hand
import hosts
import manners

Item = dict[str, Any]
MANNERS = {"one task": manners.one_task, "chain": manners.chain}
PREFIX = re.compile(r"^Step \w+ of \w+: ")
OF_USE = ("link lo ", "sysctl ", "rule ")  # of a namespace of theirs, which a container is to have
ENDS = ("absent", "purge", "each")


def made(seed: str) -> Item:
    """The sequence of a seed."""
    chance = Random(seed)
    world = (by_chance.NETWORKS, by_chance.CONTAINERS)
    runs = [by_chance.variables(chance)]
    for dummy in range(chance.choice([1, 1, 2, 3])):
        runs.append(by_chance.changed(chance, runs[-1]))
    runs[0] = {**runs[0], **({"purge": True} if chance.random() < 0.05 else {})}

    def hands(listed: list[tuple[str, str]], share: float) -> list[Item]:
        return [by_hand.script(chance, listed, runs, world) for dummy in range(3) if chance.random() < share]

    start = [by_hand.unmanaged(one) for one in runs[0]["networks"] if one.get("unmanaged")]
    start += [*hands(by_hand.THEIRS, 0.3), *hands(by_hand.MET, 0.07)]
    story = [
        {
            "hand": [*hands(by_hand.DRIFT, 0.25), *hands(by_hand.THEIRS, 0.05), *hands(by_hand.MET, 0.03)]
            if number
            else [],
            "variables": variables,
            "looks": chance.random() < 0.25,
        }
        for number, variables in enumerate(runs)
    ]
    end = chance.choice(ENDS)
    hosts_own = any(one.get("network_mode") == "host" for run in runs for one in run["containers"])
    return {
        "seed": seed,
        "start": start,
        "runs": story,
        "end": "each" if hosts_own else end,
    }  # purge knows no such name


def failures(sequence: Item, lived: Counter[str] | None = None) -> list[Item]:
    """What does not hold of a sequence: ``{"kind", "run", "manner", "detail"}``. ``lived`` counts what became of its runs."""
    lives: dict[str, list[Item]] = {}
    found: list[Item] = []
    for name in MANNERS:
        try:
            lives[name] = hosts.on_fresh_host(functools.partial(_life, sequence, name))
        except AssertionError as error:
            found.append({"kind": "crash", "run": None, "manner": name, "detail": str(error)})
    lived = Counter() if lived is None else lived
    for run in next(iter(lives.values()), []):
        done = run["done"]
        changed = any(one["changed"] for _title, items in done["steps"] for one in items)
        lived["refused" if run["refused"] else "failed" if done["msg"] else "changed" if changed else "ok"] += 1
    for name, life in lives.items():
        found += [{**one, "manner": name} for run in life for one in run["failures"]]
    if len(lives) == len(MANNERS):
        found += _compared(*lives.values())
    return found


def told(sequence: Item, manner: str) -> list[Item]:
    """What each run returned in one manner."""
    found: list[Item] = hosts.on_fresh_host(lambda: _life(sequence, manner))
    return found


def _life(sequence: Item, manner: str) -> list[Item]:
    """Live through a sequence in one manner. What each run returned, with what did not hold of it alone."""
    hosts.shell(by_hand.HOST)
    now = pristine = hosts.state()
    theirs: set[tuple[str, str]] = set()
    touched: Item = {"kinds": set(), "made": set()}
    now = _by_hand(sequence["start"], theirs, touched, now)
    runs = []
    for number, run in enumerate(sequence["runs"]):
        now = _by_hand(run["hand"], theirs, touched, now)
        runs.append(_run(number, run["variables"], manner, theirs, run["looks"], now))
        now = runs[-1]["now"]
    wired = [run["variables"] for run, told in zip(sequence["runs"], runs, strict=True) if not told["refused"]]
    ends = {
        "absent": [by_chance.everything(wired)],
        "purge": [{"networks": [], "containers": [], "purge": True}],
        "each": [{**one, "state": "absent", "purge": False} for one in reversed(wired)],
    }
    for variables in ends[sequence["end"]]:
        runs.append(_run("end", variables, manner, theirs, False, now))
        now = runs[-1]["now"]
        # Networks that were never there at once may overlap.
        for one in ends["each"] if runs[-1]["refused"] and sequence["end"] == "absent" else ():
            runs.append(_run("end", one, manner, theirs, False, now))
            now = runs[-1]["now"]
    left = _left(pristine, now, theirs | touched["made"], touched["kinds"], _given_away(sequence["runs"]))
    if sequence["end"] == "purge":
        left = [line for line in left if not _cannot_be_told(line, touched["kinds"])]
    if left and not any(run["done"]["msg"] for run in runs if run["number"] == "end"):
        runs[-1]["failures"].append({"kind": "left", "run": "end", "detail": left})
    return runs


def _cannot_be_told(line: str, kinds: set[str]) -> bool:
    """Whether purge cannot tell that what is left was ours: a namespace without wiring, a pair whose interface was renamed, forwarding whose rules
    were flushed."""
    flushed = {"all rules flushed", "our table gone"} & kinds
    return (
        line.startswith("+ [")
        or "interface renamed" in kinds
        or bool(flushed and re.match(r". +(files|sysctl) ", line))
    )


def _given_away(runs: list[Item]) -> set[str]:
    """The bridges that were networks of the role, and are somebody else's by the last list that names them."""
    listed = [one for run in runs for one in run["variables"]["networks"]]
    last = {one["name"]: one for one in listed}
    return {name for name, one in last.items() if one.get("unmanaged")} & {
        one["name"] for one in listed if not one.get("unmanaged")
    }


def _facts(state: hosts.State) -> set[tuple[str, str]]:
    return {(place, line) for place, lines in state.items() for line in lines}


def _by_hand(hands: list[Item], theirs: set[tuple[str, str]], touched: Item, now: hosts.State) -> hosts.State:
    """Do what is done by hand on a host as it is now. What others made by it is added to what is theirs. Returns how the host is then."""
    kinds = {kind for kind, _script in [*by_hand.THEIRS, *by_hand.MET]} | {by_hand.UNMANAGED}
    met = {kind for kind, _script in by_hand.MET}
    for one in hands:
        touched["kinds"].add(one["kind"])
        before = _facts(now)
        hosts.shell(one["script"])
        if one["kind"] in met:
            hosts.hold()
        now = hosts.state()
        made = _facts(now) - before
        theirs -= before - _facts(now)  # undone
        if one["kind"] in kinds:
            touched["made"] |= made
            theirs |= {fact for fact in made if not (fact[1].startswith(OF_USE) and one["kind"] in met)}
        else:  # also what is theirs drifts
            links = {(place, line.split()[1]) for place, line in theirs if line.startswith("link ")}
            theirs |= {(place, line) for place, line in made if links & {(place, word) for word in line.split()}}
    return now


def _run(
    number: Any, variables: Item, manner: str, theirs: set[tuple[str, str]], looks: bool, before: hosts.State
) -> Item:
    """Check mode, run, and run again. ``looks``: also at what check mode and the second run leave, which costs time."""
    act = MANNERS[manner]
    failed: list[Item] = []

    def fails(kind: str, detail: Any) -> None:
        failed.append({"kind": kind, "run": number, "detail": detail})

    foreseen = act(variables, True)
    if looks and (moved := hosts.difference(before, hosts.state())):
        fails("check mode touches", moved)
    done = act(variables, False)
    after = hosts.state()
    again = act(variables, False)
    if looks and (moved := hosts.difference(after, hosts.state())) and not done["msg"]:
        fails("a second run touches", moved)
    refused = bool(done["msg"]) and not done["steps"]
    if refused and (moved := hosts.difference(before, after)):
        fails("what is refused touches", moved)
    lacking = any("taken as made by an earlier task" in warning for warning in foreseen["warnings"])
    if done["msg"] and lacking:
        pass  # somebody else's bridge is not there, which another task of the play might make, as check mode says
    elif PREFIX.sub("", foreseen["msg"]) != PREFIX.sub("", done["msg"]):
        fails("check mode fails otherwise", [foreseen["msg"], done["msg"]])
    elif (one := _drift(foreseen)) != (other := _drift(done)):
        fails("check mode foresees otherwise", _apart(one, other))
    loud = [
        [title, one["diff"], one["commands"]]
        for title, items in again["steps"]
        for one in items
        if one["changed"] or one.get("commands")
    ]
    if not done["msg"] and (loud or again["msg"]):
        fails("a second run is loud", loud or again["msg"])
    gone = sorted((theirs & _facts(before)) - _facts(after) - _asked(variables, theirs))
    if gone:
        fails("what is theirs", gone)
    return {
        "after": after,
        "now": hosts.state() if done["msg"] else after,  # one that failed may get further when it is run again
        "number": number,
        "foreseen": foreseen,
        "done": done,
        "again": again,
        "refused": refused,
        "failures": failed,
    }


def _asked(variables: Item, theirs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """What of theirs a run is asked for: what is in a namespace whose name is to go, or to mean another; and the MTU of a bridge that nobody else
    has a port on, which is that of the containers."""
    absent = variables.get("state") == "absent"
    names = {
        f"[{box['name']}]"
        for box in variables["containers"]
        if absent or box.get("state") == "absent" or box.get("network_mode", "bridge") not in ("bridge", "none")
    }
    alone = {
        str(net["name"])
        for net in variables["networks"]
        if "mtu" in net and not any(line.endswith(f" master {net['name']}") for dummy, line in theirs)
    }
    return {
        (place, line)
        for place, line in theirs
        if place in names or (place == "" and any(line.startswith(f"link {name} mtu ") for name in alone))
    }


def _drift(outcome: Item) -> list[Any]:
    """Which items changed, and their diffs."""
    return [[title, plain([[one["changed"], one.get("diff")] for one in items])] for title, items in outcome["steps"]]


def plain(value: Any) -> Any:
    """A result without the inodes of namespaces."""
    if isinstance(value, dict):
        return {key: None if key == "inode" else plain(one) for key, one in value.items()}
    if isinstance(value, str):
        return re.sub(r"(?<=\binode )4026\d{6}\b", "INODE", value)
    return [plain(one) for one in value] if isinstance(value, list) else value


def without_numbers(text: str) -> list[str]:
    """The lines of a text without the inodes of namespaces, which no two hosts need have alike."""
    return re.sub(r"\b4026\d{6}\b", "INODE", text).splitlines()


def _apart(one: Any, other: Any) -> list[Any]:
    """The first place in which two values differ, with what is there."""
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return next((_apart(a, b) for a, b in zip(one, other, strict=True) if a != b), [])
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return next(([key, *_apart(one[key], other[key])] for key in one if one[key] != other[key]), [])
    return [one, other]


def _compared(one: list[Item], chain: list[Item]) -> list[Item]:
    """What the two manners did not do alike."""
    found = []
    for a, b in zip(one, chain, strict=False):
        if moved := hosts.difference(a["after"], b["after"]):
            found.append({"kind": "another state", "run": a["number"], "manner": "both", "detail": moved})
        for what in ("foreseen", "done"):
            left, right = a[what], b[what]
            number = a["number"]
            if PREFIX.sub("", left["msg"]) != PREFIX.sub("", right["msg"]):
                detail = [left["msg"], right["msg"]]
                found.append({"kind": f"other words, {what}", "run": number, "manner": "both", "detail": detail})
            elif (x := plain(left["steps"])) != (y := plain(right["steps"])):
                found.append(
                    {"kind": f"other results, {what}", "run": number, "manner": "both", "detail": _apart(x, y)}
                )
            elif sorted(left["warnings"]) != sorted(right["warnings"]):
                detail = [left["warnings"], right["warnings"]]
                found.append({"kind": f"other warnings, {what}", "run": number, "manner": "both", "detail": detail})
            elif (x := left["recap"] or {}) != (y := right["recap"] or {}):
                found.append({"kind": f"another recap, {what}", "run": number, "manner": "both", "detail": [x, y]})
    return found


def _left(
    pristine: hosts.State, after: hosts.State, theirs: set[tuple[str, str]], kinds: set[str], given: set[str]
) -> list[str]:
    """What is there that neither was there before nor is theirs, and what is not there any more. A bridge that was ``given`` away stays, and so do
    one that got another MAC address by hand, and one that somebody else has a port on."""
    old, new = _facts(pristine), _facts(after)
    kept = {
        line.split()[-1] for place, line in theirs & new if place == "" and " master " in line
    }  # somebody else is on it
    kept = {name for name in kept if ("", f"link {name} kind bridge") not in theirs}
    given = (
        given
        | kept
        | {line.split()[1] for place, line in new if place == "" and line.endswith(f" mac {by_hand.THEIR_MAC}")}
    )
    new = {(place, line) for place, line in new if place or not given & set(line.split())}
    moved = {place for place, line in theirs if line.startswith("sysctl")} or {
        "forwarding",
        "forwarding off",
        "sysctl file gone",
    } & kinds
    lines = [f"+ {place} {line}" for place, line in sorted(new - old - theirs)]
    lines += [f"- {place} {line}" for place, line in sorted(old - new)] if not theirs else []
    if kept:  # with its rules, and what they need
        lines = [line for line in lines if " table inet linuxnet_containers" not in line and " files " not in line]
    return [line for line in lines if not ((moved or kept) and " sysctl " in line)]
