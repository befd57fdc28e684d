# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One task does what the chain of modules does: the same results an item, the same state of the kernel, from the same start.

Two lab hosts live through the same story, one with one task a module, the other with one task for all. Each chapter is foreseen
in check mode, run, and run again. Since the two are equal here, most other files of this folder tell their stories in one manner:
what they are about has its place in a chapter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from lab import Lab
from plays import Outcome, Playbook, checked, internet, refused, shell, snapshot, start, wiring

FRONT = {"name": "front", "subnets": ["10.1.0.0/24", "fd00:1::/64"]}
BACK = {"name": "back", "subnets": ["10.2.0.0/24"], "internal": True, "icc": False}
THEIRS = {"name": "docker0", "subnets": ["172.17.0.0/16"], "unmanaged": True}
SEALED = {"name": "sealed", "subnets": ["10.4.0.0/31"], "host_access": False}
WIRE = {"name": "wire", "addressing": "none", "ports": [{"interface": "trunk1", "hairpin": True}]}
RELEASED = {**WIRE, "ports": [{"interface": "trunk1", "state": "absent"}]}
AWAY = {"name": "away", "subnets": ["10.3.0.0/24"], "mtu": "1400", "outbound_ipv4": "192.0.2.1"}
WEB = {"name": "web", "published_ports": ["8080:80", "127.0.0.1:8081:81/udp", "30000-30009:30000-30009"]}
DB = {
    "name": "db",
    "networks": [{"name": "front", "port": {"hairpin": True}}, {"name": "back", "ipv4_address": "10.2.0.9"}],
    "sysctls": {"net.ipv4.ip_unprivileged_port_start": "0"},
    "routes": [
        {"destination": "10.9.0.0/16", "gateway": "10.2.0.77"},
        {"destination": "10.8.0.0/16", "type": "blackhole"},
    ],
}
SIDE = {"name": "side", "network_mode": "container:web"}
HOST = {"name": "proxy", "network_mode": "host"}
LONE = {"name": "lone", "network_mode": "none"}
PROC = {"name": "proc", "engine": "pid", "networks": [{"name": "front"}]}
GUEST = {"name": "guest", "networks": [{"name": "docker0"}], "published_ports": ["8082:80"]}
TABLE = {"table": "100", "rule_source": "10.2.0.0/24"}
LED = {
    "name": "led",
    "networks": [
        {"name": "front", "port": {"isolated": True}},
        {"name": "back", "host_interface": "led1", "mac_address": "02:00:00:00:00:07"},
    ],
    "routes": [{**TABLE, "gateway": "10.2.0.77"}, {**TABLE, "destination": "10.2.0.0/24", "interface": "eth1"}],
    "sysctls": {"net.ipv4.conf.all.rp_filter": 1},
}
INNER = {"name": "inner", "networks": [{"name": "sealed"}, {"name": "wire", "ipv4_address": "10.5.0.9/24"}]}
ALL = [WEB, DB, SIDE, HOST, LONE, PROC, GUEST, LED, INNER]
KINDS = [FRONT, BACK, THEIRS, SEALED, WIRE]

# (name, what others do first, the role's variables)
CHAPTERS: list[tuple[str, str, dict[str, Any]]] = [
    ("first run", "", {"networks": KINDS, "containers": ALL}),
    (
        "drift",
        "ip -n web addr flush dev eth0 scope global; ip link set $(ip -br link show master back | cut -d@ -f1) nomaster; "
        "ip -n db link set eth0 mtu 1300; ip -n led rule del priority 20100; nft flush ruleset",
        {"networks": KINDS, "containers": ALL},
    ),
    (
        "other modes, networks and ports",
        "",
        {
            "networks": [{**FRONT, "isolate": False}, {**BACK, "state": "absent"}, AWAY, RELEASED],
            "containers": [
                {**WEB, "networks": [{"name": "away"}], "published_ports": ["8080:88"]},
                {**DB, "network_mode": "none", "networks": [], "routes": []},
                {"name": "side"},
                {"name": "proxy", "network_mode": "container:side"},
                {"name": "lone", "network_mode": "host"},
            ],
        },
    ),
    # From here on what is not listed, a network, a stopped container and one with a policy table, stays until it is purged.
    (
        "one is gone, one was made anew by others",
        "ip netns del side",
        {
            "networks": [FRONT, AWAY],
            "containers": [
                {"name": "web", "state": "absent"},
                {"name": "side", "published_ports": ["8089:80"]},
                {"name": "proxy", "network_mode": "container:side"},
            ],
        },
    ),
    (
        "what is not listed is purged",
        "ip link add byhand address 02:00:00:00:00:02 type veth peer name byhand1 address 02:00:00:00:00:03; "
        "ip link set byhand master away up; ip netns del guest; ln -s /run/docker/netns/0123456789ab /run/netns/guest",
        {
            "networks": [{**FRONT, "subnets": ["10.1.0.0/24"]}],
            "containers": [{"name": "other", "published_ports": ["8088:80"]}],
            "purge": True,
        },
    ),
    ("all is purged", "ip link del byhand; ip netns del proxy", {"purge": True}),
    ("teardown", "", {"networks": [*KINDS, AWAY], "containers": ALL, "state": "absent"}),
]


# Items fail at three steps; what stands on them is left out, all else is done. test_failing_alone tells more of that.
FAILING = {
    "networks": [FRONT, AWAY, {**BACK, "ranges": ["10.2.0.9/32"]}],
    "containers": [
        {"name": "lost", "routes": [{"destination": "10.9.0.0/16", "gateway": "10.77.0.1"}]},
        {"name": "gone", "engine": "pid", "pid": 99999999, "published_ports": ["8080:80"]},
        {"name": "side", "network_mode": "container:gone"},
        {"name": "first", "networks": [{"name": "back"}]},
        {"name": "second", "networks": [{"name": "back"}, {"name": "front"}]},
        {"name": "more", "published_ports": ["8081:80"]},
    ],
}


@dataclass
class Told:
    """A chapter as one host lived it."""

    foreseen: Outcome
    run: Outcome
    again: Outcome
    after: str


@dataclass
class Host:
    """A host and its story."""

    pristine: str
    final: str
    chapters: dict[str, Told]
    failed: Outcome
    after_failure: str
    pid: int


def live(lab: Lab, playbook: Playbook) -> Host:
    """Live through all chapters."""
    internet(lab)
    lab.run("ip link set uplink address 02:00:00:00:00:01")
    lab.run("ip link add trunk1 address 02:00:00:00:00:11 type veth peer name far1 address 02:00:00:00:00:12")
    lab.run("ip link set trunk1 addrgenmode none up && ip link set far1 addrgenmode none up")
    lab.run("mkdir -p /run/netns && mount -t tmpfs none /run/netns && mount --make-shared /run/netns")
    pristine = lab.snapshot()
    lab.run("ip link add docker0 address 02:42:00:00:00:01 type bridge && ip addr add 172.17.0.1/16 dev docker0")
    lab.run("ip link set docker0 addrgenmode none && ip link set docker0 up")
    pid = start(lab)
    chapters: dict[str, Told] = {}
    failed, after, _down = playbook.run(refused(**FAILING), snapshot(), wiring(**FAILING, state="absent"))
    for name, others, variables in CHAPTERS:
        boxes = [{**one, "pid": pid} if one.get("engine") == "pid" else one for one in variables.get("containers", [])]
        play = wiring(**{**variables, "containers": boxes})
        _done, foreseen, run, seen, again = playbook.run(shell(others or "true"), checked(play), play, snapshot(), play)
        chapters[name] = Told(foreseen, run, again, seen.stdout)
    lab.kill(pid)
    # As others made it; what a flush of our notes leaves on it goes with it. test_purge holds that theirs is left as it was.
    lab.run("ip link del docker0")
    return Host(pristine, lab.snapshot(), chapters, failed, after.stdout, pid)


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory, needs: Any) -> Iterator[tuple[Host, Host]]:
    """The same story on two hosts: with the chain, and with one task."""
    needs("lab host", "nft")
    chain, one = tmp_path_factory.mktemp("chain"), tmp_path_factory.mktemp("one")
    with Lab() as first, Lab() as second, ThreadPoolExecutor() as both:
        lives = [
            both.submit(live, first, Playbook(first, chain)),
            both.submit(live, second, Playbook(second, one, one_task=True)),
        ]
        yield lives[0].result(), lives[1].result()


def comparable(outcome: Outcome, pid: int) -> list[tuple[str, list[Any]]]:
    """What each item of each step returned, without the numbers of namespaces and of the process."""
    return [
        (task.name, [plain(one, pid) for one in task.result["results"]])
        for task in outcome.tasks
        if task.action.startswith("linuxnet.containers.") and "results" in task.result
    ]


def plain(value: Any, pid: int) -> Any:
    """A result without the inodes of namespaces and the number of the process, which no two hosts need have alike."""
    if isinstance(value, dict):
        return {key: None if key in ("inode", "pid") else plain(one, pid) for key, one in value.items()}
    if isinstance(value, str):
        value = re.sub(rf"(?<=/proc/){pid}(?=/)|(?<=attach proc ){pid}\b|(?<=\bpid ){pid}\b", "PID", value)
        return re.sub(r"(?<=\binode )4026\d{6}\b", "INODE", value)
    return [plain(one, pid) for one in value] if isinstance(value, list) else value


def numbered(text: str) -> list[str]:
    """The lines of a snapshot, with the inodes of namespaces numbered as they come: so who shares one with whom still shows."""
    numbers: dict[str, str] = {}
    return re.sub(r"\b4026\d{6}\b", lambda inode: numbers.setdefault(inode[0], f"#{len(numbers)}"), text).splitlines()


NAMES = [name for name, _others, _variables in CHAPTERS]


@pytest.mark.parametrize("name", NAMES)
def test_every_item_of_every_step_returns_the_same(hosts: tuple[Host, Host], name: str) -> None:
    """Before, after, diff, commands, changed, and what a module adds to them."""
    chain, one = (comparable(host.chapters[name].run, host.pid) for host in hosts)
    assert [step for step, _items in one] == [step for step, _items in chain]
    assert one == chain
    assert any(item["changed"] for _step, items in one for item in items)


@pytest.mark.parametrize("name", NAMES)
def test_the_kernel_is_in_the_same_state(hosts: tuple[Host, Host], name: str) -> None:
    chain, one = (host.chapters[name].after for host in hosts)
    assert numbered(one) == numbered(chain)


@pytest.mark.parametrize("name", NAMES)
def test_the_role_returns_the_same(hosts: tuple[Host, Host], name: str) -> None:
    chain, one = (host.chapters[name] for host in hosts)
    for done, other in ((one.run, chain.run), (one.again, chain.again)):
        assert plain(done.wiring_result, hosts[1].pid) == plain(other.wiring_result, hosts[0].pid)


@pytest.mark.parametrize("name", NAMES)
def test_a2_check_mode_foresees_the_same_and_what_happens(hosts: tuple[Host, Host], name: str) -> None:
    for host in hosts:
        told = host.chapters[name]
        assert told.foreseen.changed == told.run.changed
        assert told.foreseen.drift() == told.run.drift()


@pytest.mark.parametrize("name", NAMES)
def test_a1_a_second_run_changes_nothing(hosts: tuple[Host, Host], name: str) -> None:
    for host in hosts:
        assert host.chapters[name].again.changed == []
        assert host.chapters[name].again.failures == []


def test_what_fails_is_alone_in_both_with_the_same_results_and_words(hosts: tuple[Host, Host]) -> None:
    chain, one = hosts
    for step, other in zip(comparable(one.failed, one.pid), comparable(chain.failed, chain.pid), strict=True):
        assert step == other
    assert [task.name for task in one.failed.tasks if task.status == "stumbled"] == [
        "Make namespaces",
        "Give the containers their addresses",
        "Set the routes",
    ]
    assert numbered(one.after_failure) == numbered(chain.after_failure)
    [said], [plainly] = one.failed.failures, chain.failed.failures
    assert said == plainly
    assert said.startswith("Failed: container 'gone' at step netns: netns gone: pid: ")
    assert "Container 'second' at step address: address from 10.2.0.0/24 on eth0 in netns 'second': pool: " in said
    assert (
        "Container 'lost' at step route: route 10.9.0.0/16 in netns 'lost': gateway: 10.77.0.1 is in no on-link" in said
    )
    assert said.endswith(
        "Left out for that: container 'gone' (veth, address, route, publish); container 'side' (join)."
    )
    assert one.failed.wiring_result.keys() == chain.failed.wiring_result.keys() == {"lost", "first", "second", "more"}
    assert one.failed.wiring_result == chain.failed.wiring_result


def test_g3_teardown_leaves_both_hosts_as_they_were(hosts: tuple[Host, Host]) -> None:
    for host in hosts:
        assert host.final == host.pristine
