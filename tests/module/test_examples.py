# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EXAMPLES of the modules, as they stand there, on a host with what they suppose: check mode foresees each, and a second run has nothing to do.

Those with a container of docker's are run by tests/engines/test_pages.py, those that only look by tests/role/test_examples.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from lab import Lab
from pages import asked, examples, plugins
from proofs import numbered, settles, untouched

BRIDGE = "ip link add docker0 type bridge && ip link set docker0 up && ip addr add 172.17.0.1/16 dev docker0"
UPLINK = (
    "ip link add eth1 type veth peer name far && ip link set eth1 up && ip link set far up && "
    "ip addr add 192.0.2.1/24 dev eth1 && ip addr add 198.51.100.2/24 dev eth1 && ip addr add 2001:db8:1::2/64 dev eth1 nodad && "
    "ip addr add 2001:db8::1/64 dev eth1 nodad"
)
WEB = (
    "ip netns add web && ip link add vethweb master docker0 type veth peer name eth0 netns web && ip link set vethweb up && ip -n web link set lo up && "
    "ip -n web link set eth0 up"
)
SERVER = (
    "python3 -c 'import socket, time; s = socket.create_server((\"0.0.0.0\", 80)); time.sleep(100000)' & "
    "until ss -ltn | grep -q :80; do :; done"
)


@dataclass(frozen=True)
class Case:
    """Some tasks of a module's EXAMPLES, by the numbers of their places; what they need, and what is there before them, maybe a process."""

    module: str
    tasks: tuple[int, ...]
    needs: tuple[str, ...] = ()
    before: str = "true"
    process: int = 0


CASES = [
    Case("bridge", (0, 1)),
    Case(
        "bridge_port",
        (0,),
        before=f"{BRIDGE} && ip link add vethzvxkcem3eqk type veth peer name far",
    ),
    Case(
        "bridge_port",
        (1, 2, 3),
        ("vlan_filtering",),
        "ip link add br0 type bridge vlan_filtering 1 && ip link add port1 type veth peer name far",
    ),
    Case("nat", (*range(8), *range(9, 13)), ("nft", "nf_nat"), f"{BRIDGE} && {UPLINK} && {SERVER}"),
    Case("nat", (8,), ("nft", "nf_tables_bridge")),
    Case("netns", (0, 1, 4, 5), process=4242),
    Case(
        "ns_address", (0, 1, 2), before=f"{BRIDGE.partition(' && ip addr')[0]} && {WEB} && {WEB.replace('web', 'db')}"
    ),
    Case("ns_link", (0, 1, 2, 8), ("vxlan",), f"{BRIDGE} && {UPLINK} && {WEB}"),
    Case("ns_link", (3,), ("macvlan",), f"ip netns add web && {UPLINK}"),
    Case("ns_link", (4,), ("vlan",), f"ip link add br10 type bridge && {UPLINK}"),
    Case("ns_link", (5,), ("ipvlan",), f"ip netns add web && ip netns add db && {UPLINK}"),
    Case("ns_link", (6,), ("macvlan", "tbf"), f"ip netns add web && {UPLINK}"),
    Case("ns_link", (7,), ("vrf", "dummy")),
    Case(
        "ns_route",
        (0, 1, 2, 3, 4, 5),
        before=f"{BRIDGE} && {WEB} && ip -n web addr add 172.17.0.2/16 dev eth0 && ip -n web link add eth1 type veth peer name far && "
        "ip -n web link set eth1 up && ip -n web link set far up && ip -n web addr add 10.9.0.2/24 dev eth1",
    ),
    Case("veth", (0, 1, 3, 4), before=f"{BRIDGE} && for name in web router leaf1 leaf2; do ip netns add $name; done"),
    Case("veth", (2,), ("netem",), "ip netns add web"),
]
ELSEWHERE = {"netns": {2, 3}, "wiring": None, "wiring_info": None, "path_info": None}  # see above; None: all


def test_every_example_has_its_place() -> None:
    for plugin in (path.stem for path in plugins() if path.parent.name == "modules"):
        tasks = examples(f"plugins/modules/{plugin}.py")
        given = [number for case in CASES if case.module == plugin for number in case.tasks]
        elsewhere = ELSEWHERE.get(plugin, set())
        beside = set(range(len(tasks))) if elsewhere is None else elsewhere
        assert sorted([*given, *beside]) == list(range(len(tasks))), plugin


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(one, marks=pytest.mark.needs(*one.needs), id=f"{one.module}-{'-'.join(map(str, one.tasks))}")
        for one in CASES
    ],
)
def test_the_example_settles(lab: Lab, case: Case) -> None:
    lab.run(case.before)
    if case.process:
        numbered(lab, case.process)
    tasks = examples(f"plugins/modules/{case.module}.py")
    for task in (tasks[number] for number in case.tasks):
        called = asked(task)
        assert called is not None, task
        module, options = called
        assert set(task) <= {"name", f"linuxnet.containers.{module}", "register", "check_mode", "diff"}
        if task.get("check_mode"):
            with untouched(lab):
                foreseen: dict[str, Any] = lab.module(module, check=True, **options)
            assert foreseen["changed"]
        else:
            settles(lab, module, unforeseen=("inode",), **options)
