# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The crowds of `crowds.py`: which twenty runs meet on which host, and what has to come of it."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

RUNS = 20
Item = dict[str, Any]

# A bridge with a container on it, interfaces that are nobody's, and a namespace of a container for each number.
HOST = """
ip link add br0 address 02:00:00:00:02:00 type bridge; ip link set br0 addrgenmode none up; ip addr add 10.0.0.1/16 dev br0
ip netns add web; ip link add web0 address 02:00:00:00:02:01 type veth peer name eth0 address 02:00:00:00:02:02 netns web
ip link set web0 addrgenmode none master br0 up; ip -n web link set eth0 addrgenmode none up; ip -n web addr add 10.0.0.2/16 dev eth0
for n in $(seq 0 19); do x=$(printf %02x $n)
ip link add p$n address 02:00:00:00:03:$x type veth peer name q$n address 02:00:00:01:03:$x; ip link set p$n addrgenmode none; done
"""
ENDS = """
for n in $(seq 0 19); do ip netns add c$n; x=$(printf %02x $n)
ip link add c$n address 02:00:00:00:04:$x type veth peer name eth0 address 02:00:00:00:05:$x netns c$n
ip link set c$n addrgenmode none master br0 up; ip -n c$n link set eth0 addrgenmode none up; done
"""


@dataclass(frozen=True)
class Run:
    """A run of a module, or of the role in a ``manner``: ``one task`` or ``chain``. ``weight``: 1 where it makes something, -1 where it takes that away."""

    title: str
    name: str
    arguments: Item
    weight: int = 1
    check: bool = False

    def act(self) -> Item:
        """Do it. Returns {"changed", "msg": "" unless it failed}."""
        import manners

        if self.name in ("one task", "chain"):
            act: Callable[[Item, bool], Item] = manners.one_task if self.name == "one task" else manners.chain
            done = act(self.arguments, self.check)
            changed = any(one["changed"] for _title, results in done["steps"] for one in results if "changed" in one)
            return {"changed": changed and not self.check, "msg": done["msg"]}
        done = manners.call(self.name, self.arguments, self.check)
        msg = str(done.get("msg")) if done.get("failed") else ""
        return {"changed": bool(done.get("changed")) and not self.check, "msg": msg}


@dataclass(frozen=True)
class Crowd:
    """Runs that begin at the same moment.

    ``ends``: what is done one after the other in place of, and after, the crowd; ``back``: what takes all of it away. ``changed``: how often "changed"
    has to be said, None where that hangs on the order, and then as often for what makes as for what takes away, or once more.
    ``truths``: what a run may say that fails. ``settled``: nothing is left to do after it. ``same``: what is there then does not hang on the order.
    """

    name: str
    runs: list[Run]
    ends: list[Run]
    back: list[Run]
    before: str = HOST
    made_before: list[Run] = field(default_factory=list)
    changed: int | None = 1
    counted: bool = True
    truths: str = ""
    settled: bool = True
    same: bool = True

    def may_say(self, message: str) -> bool:
        """Return whether a failure, each of its sentences, is one that is true of such a crowd."""
        said = re.split(r"(?<=\.) (?=Network '|Container '|Left out)", message)
        told = [one for one in said if not one.startswith("Left out")]
        return bool(self.truths) and all(re.search(self.truths, one) for one in told)

    def miscounted(self, said: list[tuple[str, bool]]) -> list[str]:
        """What is wrong with how often "changed" was said, by whom."""
        if not self.counted:
            return []
        weights = {run.title: run.weight for run in self.runs}
        made = sum(changed for title, changed in said if weights[title] > 0)
        taken = sum(changed for title, changed in said if weights[title] < 0)
        if self.changed is None:
            return [] if made - taken in (0, 1) else [f"made {made} times, taken away {taken} times"]
        return [] if made == self.changed else [f"{made} say 'changed', where there are {self.changed} changes"]


# One item a module, and a number of them that have nothing to do with each other.
ITEMS: dict[str, tuple[str, Callable[[int], Item]]] = {
    "netns": ("netns", lambda n: {"name": f"new{n}"}),
    "bridge": ("bridge", lambda n: {"name": f"bridge{n}", "mac": f"02:00:00:00:06:{n:02x}"}),
    "veth": ("veth", lambda n: {"name": f"new{n}", "peer_netns": "web", "peer_name": f"new{n}", "mac": f"02:00:00:00:06:{n:02x}",
                                "peer_mac": f"02:00:00:00:07:{n:02x}"}),
    "bridge_port": ("bridge_port", lambda n: {"bridge": "br0", "interface": f"p{n}", "hairpin": True, "cost": 7}),
    "ns_address": ("ns_address", lambda n: {"netns": "web", "interface": "eth0", "address": f"10.0.1.{n}/16"}),
    "ns_address, a pool": ("ns_address", lambda n: {"netns": f"c{n}", "interface": "eth0", "pool": "10.0.0.0/16", "bridge": "br0"}),
    "ns_route": ("ns_route", lambda n: {"netns": "web", "destination": f"10.9.{n}.0/24", "gateway": "10.0.0.1"}),
    "ns_route, a rule": ("ns_route", lambda n: {"netns": "web", "destination": f"10.9.{n}.0/24", "gateway": "10.0.0.1", "table": 100 + n,
                                                "rule_source": f"10.9.{n}.0/24"}),
}  # fmt: skip


def _nat(backend: str, kind: str, number: int) -> Item:
    """An item of nat, of a number that has nothing to do with others."""
    extra = {"owner": f"o{number}", "backend": backend}
    if kind == "source":
        return {"source": f"10.{number}.0.0/16", "out_interface": "!br0", **extra}
    if kind == "filter":
        return {"type": "filter", "bridge": f"br{number}", "icc": False, **extra}
    return {
        "type": "dnat",
        "host_port": str(8000 + number),
        "to_port": "80",
        "to_address": "10.0.0.2",
        "bridge": "br0",
        **extra,
    }


for _backend in ("nftables", "iptables"):
    for _kind in ("source", "port", "filter"):
        ITEMS[f"nat, {_backend}, {_kind}"] = ("nat", functools.partial(_nat, _backend, _kind))

FRONT: Item = {"name": "front", "subnets": ["10.1.0.0/16", "fd00:1::/64"], "icc": False}


# What the chain says whose steps others, who take the same away, come between: what an earlier step made is not there any more.
TAKEN = "does not exist|there is no (interface|bridge)"


def listed(number: int, network: Item | None = None) -> Item:
    """The lists of one person: a network, one's own or that of all, with a container that publishes a port."""
    own: Item = network or {"name": f"net{number}", "subnets": [f"10.{100 + number}.0.0/24"]}
    container = {
        "name": f"box{number}",
        "networks": [{"name": own["name"]}],
        "published_ports": [f"{9000 + number}:80"],
    }
    return {"networks": [own], "containers": [container]}


def _absent(item: Item) -> Item:
    return {**item, "state": "absent"}


def _modules() -> list[Crowd]:
    """Each module, with the same item, with others, and present against absent."""
    found = []
    for name, (module, item) in ITEMS.items():
        before = HOST + (ENDS if "pool" in name else "")
        one, gone = Run("present", module, item(0)), Run("absent", module, _absent(item(0)), -1)
        many = [Run(f"present {n}", module, item(n)) for n in range(RUNS)]
        back = [Run(f"absent {n}", module, _absent(item(n)), -1) for n in range(RUNS)]
        found += [
            Crowd(f"{name}: one item", [one] * RUNS, [one], [gone], before),
            Crowd(f"{name}: different items", many, many, back, before, changed=RUNS),
            Crowd(f"{name}: against absent", [one, gone] * (RUNS // 2), [one], [gone], before, changed=None, settled=False),
        ]  # fmt: skip
    return found


def _wirings() -> list[Crowd]:
    """The role, in both manners."""
    found = []
    for manner in ("one task", "chain"):
        one = Run(
            "present",
            manner,
            {
                "networks": [FRONT, listed(0)["networks"][0]],
                "containers": [listed(n, FRONT if n else None)["containers"][0] for n in range(3)],
            },
        )
        gone = Run("absent", manner, _absent(one.arguments), -1)
        own = [Run(f"present {n}", manner, listed(n)) for n in range(RUNS)]
        own_gone = [Run(f"absent {n}", manner, _absent(listed(n)), -1) for n in range(RUNS)]
        shared = [Run(f"present {n}", manner, listed(n, FRONT)) for n in range(RUNS)]
        shared_gone = Run(
            "absent",
            manner,
            _absent({"networks": [FRONT], "containers": [listed(n, FRONT)["containers"][0] for n in range(RUNS)]}),
            -1,
        )
        atomic = manner == "one task"
        truths = "" if atomic else TAKEN
        found += [
            Crowd(f"{manner}: one list", [one] * RUNS, [one], [gone], counted=atomic),
            Crowd(f"{manner}: networks of their own", own, own, own_gone, changed=RUNS),
            Crowd(f"{manner}: one network, own containers", shared, shared, [shared_gone], changed=RUNS, counted=atomic, same=False),
            Crowd(f"{manner}: against absent", [one, gone] * (RUNS // 2), [one], [gone], changed=None, counted=atomic, truths=truths, settled=False),
        ]  # fmt: skip
    return found


def _purges(manner: str) -> list[Crowd]:
    """Purge of what nobody lists, beside those who wire what it lists; and purge of all, against them. With some who only look."""
    lists = [listed(n) for n in range(4)]
    whole: Item = {name: [one for entry in lists for one in entry[name]] for name in ("networks", "containers")}
    look = Run("info", "wiring_info", {}, 0)
    foresee = Run("check", manner, whole, 0, check=True)
    purge = Run("purge", manner, {**whole, "purge": True}, 0)
    own = [Run(f"present {n}", manner, one) for n, one in enumerate(lists)]
    gone = Run("absent", manner, _absent(whole), -1)
    nothing = Run("purge of all", manner, {"networks": [], "containers": [], "purge": True}, -1)
    left_over = [Run("before", manner, listed(9))]
    beside = [*own * 3, *[purge] * 4, look, look, foresee, foresee]
    against = [*own[:1] * 7, *[nothing] * 7, *[look] * 4, foresee, foresee]
    atomic = manner == "one task"
    truths = "" if atomic else TAKEN
    return [
        Crowd(f"{manner}: purge beside", beside, [*own, purge], [gone], made_before=left_over, counted=False),
        Crowd(
            f"{manner}: purge against",
            against,
            own[:1],
            [nothing],
            changed=None,
            counted=atomic,
            truths=truths,
            settled=False,
        ),
    ]


def _everything() -> Crowd:
    """One of all there is: each module, both manners, somebody who looks and somebody who asks what would be."""
    runs = [Run(name, module, item(1)) for name, (module, item) in ITEMS.items() if "iptables" not in name]
    back = [Run(f"{run.title} absent", run.name, _absent(run.arguments), -1) for run in reversed(runs)]
    for number, manner in enumerate(("one task", "chain") * 3):
        runs.append(Run(f"{manner} {number}", manner, listed(number)))
        back.append(Run(f"{manner} {number} absent", manner, _absent(listed(number)), -1))
    looks = [Run("info", "wiring_info", {}, 0), Run("check", "one task", listed(0), 0, check=True)]
    # Which interfaces were there before forwarding was switched on, the fence knows: that hangs on the order.
    return Crowd("one of everything", [*runs, *looks], runs, back, HOST + ENDS, changed=len(runs), same=False)


CROWDS = [*_modules(), *_wirings(), *_purges("one task"), *_purges("chain"), _everything()]
