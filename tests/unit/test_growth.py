# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Twice as many objects are twice the work, of whatever kind they are: counted, on the kernel's twin; no time is measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import IPTABLES_NFT
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import AddNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Address, NsFile
from ansible_collections.linuxnet.containers.plugins.module_utils._run.results import summary
from ansible_collections.linuxnet.containers.plugins.module_utils._run.step_runner import take_steps
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.find import Seen, find
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.one_task import Steps
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.report import text
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.survey import SUBSETS, gathered
from ansible_collections.linuxnet.containers.tests.unit import generated
from ansible_collections.linuxnet.containers.tests.unit.growth import UncountedKernel, growth
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

pytestmark = pytest.mark.unmeasured  # it counts by a tracer of its own

SIZE = 4  # objects: counted for so many, twice and three times as many
MANY = 2000  # objects, of which twice as many are to take
AT_MOST = 2.2  # times as much work
Items = list[dict[str, Any]]
Task = list[tuple[str, Items]]  # (noun, items), one after the other


def spaces(count: int) -> list[str]:
    return [f"c{number}" for number in range(count)]


def ip(number: int, net: str = "10.1") -> str:
    return f"{net}.{number // 200}.{number % 200 + 2}"


# --- what a task asks for ---

BRIDGE: Task = [
    ("bridge", [{"name": "br0"}]),
    ("ns_address", [{"interface": "br0", "address": "10.1.0.1/16", "bridge": "br0"}]),
]
ONE: Task = [("netns", [{"name": "one"}]), *BRIDGE, ("veth", [{"peer_netns": "one", "bridge": "br0"}])]


def namespaces(count: int) -> Task:
    return [("netns", [{"name": name} for name in spaces(count)])]


def shared(count: int) -> Task:
    """Names of one namespace."""
    return [("netns", [{"name": "one"}, *({"name": name, "share": "one"} for name in spaces(count))])]


def bridges(count: int) -> Task:
    nets = [f"10.{number // 200 + 1}.{number % 200}.1/24" for number in range(count)]
    return [
        ("bridge", [{"name": f"br{number}"} for number in range(count)]),
        (
            "ns_address",
            [
                {"interface": f"br{number}", "address": net, "bridge": f"br{number}", "supersede": True}
                for number, net in enumerate(nets)
            ],
        ),
    ]


def pairs(count: int) -> Task:
    found = [{"peer_netns": name, "bridge": "br0", "mtu": "auto", "exclusive": True} for name in spaces(count)]
    return [*namespaces(count), *BRIDGE, ("veth", found)]


def pairs_of_one(count: int) -> Task:
    found = [{"peer_netns": "one", "peer_name": f"eth{number}", "exclusive": True} for number in range(count)]
    return [("netns", [{"name": "one"}]), ("veth", found)]


def macvlans(count: int) -> Task:
    found = [{"name": "eth0", "kind": "macvlan", "parent": "br0", "netns": name} for name in spaces(count)]
    return [*namespaces(count), *BRIDGE, ("ns_link", found)]


def ports_of_bridge(count: int) -> Task:
    named = [{"name": f"v{number}", "peer_netns": name} for number, name in enumerate(spaces(count))]
    ports = [{"bridge": "br0", "interface": f"v{number}", "hairpin": True} for number in range(count)]
    return [*namespaces(count), *BRIDGE, ("veth", named), ("bridge_port", ports)]


def pool_addresses(count: int) -> Task:
    base = {"interface": "eth0", "pool": "10.1.0.0/16", "bridge": "br0", "supersede": True}
    return [*pairs(count), ("ns_address", [{**base, "netns": name} for name in spaces(count)])]


def fixed_addresses(count: int) -> Task:
    base = {"interface": "eth0", "bridge": "br0"}
    found = [{**base, "netns": name, "address": f"{ip(number)}/16"} for number, name in enumerate(spaces(count))]
    return [*pairs(count), ("ns_address", found)]


def addresses_of_one(count: int) -> Task:
    base = {"interface": "eth0", "netns": "one"}
    return [*ONE, ("ns_address", [{**base, "address": f"{ip(number)}/16"} for number in range(count)])]


def superseding_addresses_of_one(count: int) -> Task:
    return [
        (noun, [{**item, "supersede": True} if "netns" in item else item for item in items])
        for noun, items in addresses_of_one(count)
    ]


def routes_of_many(count: int) -> Task:
    found = [{"netns": name, "gateway": "10.1.0.1"} for name in spaces(count)]
    return [*fixed_addresses(count), ("ns_route", found)]


def routes_of_one(count: int) -> Task:
    base = {"netns": "one", "gateway": "10.1.0.1"}
    found = [{**base, "destination": f"10.2.{number}.0/24"} for number in range(count)]
    return [
        *ONE,
        ("ns_address", [{"interface": "eth0", "netns": "one", "address": "10.1.0.2/16"}]),
        ("ns_route", found),
    ]


def policies(count: int) -> Task:
    found = [
        {"netns": "one", "gateway": "10.1.0.1", "rule_source": f"{ip(number)}/32", "table": str(100 + number)}
        for number in range(count)
    ]
    return [*routes_of_one(1), ("ns_route", found)]


def sources(count: int) -> Task:
    found = [{"source": f"10.2.{number}.0/24", "out_interface": "!br0"} for number in range(count)]
    return [*BRIDGE, ("nat", found)]


def guarded(count: int) -> Task:
    return [("nat", [{"type": "filter", "bridge": f"br{number}", "owner": f"br{number}"} for number in range(count)])]


def published(count: int, owner: str = "", **more: Any) -> Items:
    base = {"type": "dnat", "to_port": "80", "bridge": "br0", "exclusive": True, **more}
    return [
        {
            **base,
            "host_port": str(8000 + number),
            "owner": owner or f"c{number}",
            "to_address": ip(0 if owner else number),
        }
        for number in range(count)
    ]


def ports_of_one(count: int) -> Task:
    return [*fixed_addresses(1), ("nat", published(count, "c0"))]


def ranges_of_one(count: int) -> Task:
    items = published(count, "c0")
    for number, item in enumerate(items):
        item.update(host_port=f"{10000 + 200 * number}-{10001 + 200 * number}", to_port=None)
    return [*fixed_addresses(1), ("nat", items)]


def ports_of_many(count: int) -> Task:
    return [*fixed_addresses(count), ("nat", published(count))]


TASKS: dict[str, Callable[[int], Task]] = {
    task.__name__: task
    for task in (
        *(namespaces, shared, bridges, pairs, pairs_of_one, macvlans, ports_of_bridge),
        *(pool_addresses, fixed_addresses, addresses_of_one, superseding_addresses_of_one),
        *(routes_of_many, routes_of_one, policies),
        *(sources, guarded, ports_of_one, ranges_of_one, ports_of_many),
    )
}


# --- what there is beside ---


def nothing(kernel: MemoryKernel, count: int) -> None:
    """A host on which nothing was ever made."""


def foreign_rules(kernel: MemoryKernel, count: int) -> None:
    """Published ports of docker."""
    kernel.foreign_saved[IPTABLES_NFT] = "\n".join(
        [
            "*nat",
            ":PREROUTING ACCEPT [0:0]",
            ":DOCKER - [0:0]",
            "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
            *(
                f"-A DOCKER ! -i docker0 -p tcp -m tcp --dport {30000 + number} -j DNAT --to-destination 172.17.0.{number + 2}:80"
                for number in range(count)
            ),
            "COMMIT",
            "*filter",
            ":FORWARD DROP [0:0]",
            ":DOCKER - [0:0]",
            "-A FORWARD -o docker0 -j DOCKER",
            "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT",
            *(
                f"-A DOCKER -d 172.17.0.{number + 2}/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT"
                for number in range(count)
            ),
            "COMMIT",
            "",
        ]
    )


def foreign_links(kernel: MemoryKernel, count: int) -> None:
    for number in range(count):
        kernel.apply(AddLink(HOST, f"foreign{number}", "dummy", {"enabled": True}))


def foreign_addresses(kernel: MemoryKernel, count: int) -> None:
    kernel.apply(AddLink(HOST, "foreign", "dummy", {"enabled": True}))
    for number in range(count):
        kernel.apply(PutAddress(HOST, "foreign", Address(ip(number, "10.9"), 32, 4, label="foreign")))


def foreign_networks(kernel: MemoryKernel, count: int) -> None:
    foreign_links(kernel, count)
    for number in range(count):
        kernel.apply(PutAddress(HOST, f"foreign{number}", Address(f"10.9.{number}.1", 24, 4)))


def foreign_namespaces(kernel: MemoryKernel, count: int) -> None:
    for number in range(count):
        kernel.apply(AddNetns(f"foreign{number}"))


def stale_names(kernel: MemoryKernel, count: int) -> None:
    for number in range(count):
        name = f"stale{number}"
        kernel._state.entries()[name] = NsFile(name, "file")


HOSTS: dict[str, Callable[[MemoryKernel, int], None]] = {
    host.__name__: host
    for host in (foreign_rules, foreign_links, foreign_addresses, foreign_networks, foreign_namespaces, stale_names)
}


# --- one module a noun ---


def carried_out(kernel: Any, task: Task, check: bool = False) -> None:
    for noun, items in task:
        results, dummy = generated.run(kernel, noun, items, check=check)
        assert not any(result.get("failed") for result in results), next(one for one in results if one.get("failed"))
        summary(results)


def absent(task: Task) -> Task:
    return [(noun, [{**item, "state": "absent"} for item in items]) for noun, items in reversed(task)]


def prepared(
    make: Callable[[int], Task], phase: str, host: Callable[[MemoryKernel, int], None]
) -> Callable[[int], Any]:
    def prepare(count: int) -> Callable[[], None]:
        kernel, task = MemoryKernel(), make(count)
        host(kernel, count)
        if phase != "first":
            carried_out(kernel, task)
        asked = absent(task) if phase.endswith("absent") else task
        return lambda: carried_out(UncountedKernel(kernel), asked, check=phase.startswith("check"))

    return prepare


# What grows with the square yet, and how much at most: instructions for each pair of objects. The names of one namespace are all in the
# result of each. Of one interface, or in one table, there are some tens at most.
SQUARE = {
    "shared": 41,
    "shared shown": 28,
    "joining": 41,
    "pairs_of_one": 160,
    "addresses_of_one": 90,
    "superseding_addresses_of_one": 180,
    "routes_of_one": 15,
    "policies": 20,
    "networks_of_one": 600,
    "bridges absent": 15,  # of the host's routes those to a network go with its last address, and what else goes with it is told
}


def linear(prepare: Callable[[int], Callable[[], None]], of: str = "", phase: str = "") -> None:
    found = growth(prepare, SIZE)
    known = SQUARE.get(of) or SQUARE.get(f"{of} {phase.rpartition(' ')[2]}")
    if known is not None:
        assert found.doubled(MANY) > AT_MOST, "it has become linear: take it out of the table"
        assert found.pair <= known
        return
    assert found.doubled(MANY) <= AT_MOST, (
        f"each takes {found.each:.0f} instructions, and each pair of them {found.pair:.1f}"
    )


@pytest.mark.parametrize("phase", ["first", "again", "absent"])
@pytest.mark.parametrize("task", TASKS)
def test_the_work_of_a_module_grows_as_its_items_do(task: str, phase: str) -> None:
    linear(prepared(TASKS[task], phase, nothing), task, phase)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("task", ["pool_addresses", "ports_of_many"])
def test_the_work_of_a_module_grows_as_the_host_does(task: str, host: str) -> None:
    """There are as many items as there are objects beside."""
    linear(prepared(TASKS[task], "again", HOSTS[host]))


# --- what the survey reads ---


@pytest.mark.parametrize("task", TASKS)
def test_the_work_of_the_survey_grows_as_what_it_shows_does(task: str) -> None:
    """Whatever a container holds, and by its own doing too, it takes its own part and no more."""

    def prepare(count: int) -> Callable[[], None]:
        kernel = MemoryKernel()
        carried_out(kernel, TASKS[task](count))

        def work() -> None:
            lists, dummy = gathered(UncountedKernel(kernel), SUBSETS)
            text(lists)
            for question in ("one", "br0", "10.1.0.2", "8001/tcp"):
                find(Seen(lists), question)

        return work

    linear(prepare, f"{task} shown", "shown")


# --- all in one task ---

Wiring = dict[str, Any]


def containers(count: int) -> Wiring:
    ports = [{"name": name, "published_ports": [f"{8000 + n}:80"]} for n, name in enumerate(spaces(count))]
    return {"networks": [{"name": "br0", "subnets": ["10.1.0.0/16"]}], "containers": ports}


def networks(count: int) -> Wiring:
    nets = [{"name": f"br{number}", "subnets": [f"10.1.{number}.0/24"]} for number in range(count)]
    found = [{"name": name, "networks": [{"name": f"br{number}"}]} for number, name in enumerate(spaces(count))]
    return {"networks": nets, "containers": found}


def networks_of_one(count: int) -> Wiring:
    joined = [{"name": f"br{number}"} for number in range(count)]
    return {"networks": networks(count)["networks"], "containers": [{"name": "one", "networks": joined}]}


def ports(count: int) -> Wiring:
    listed = [f"{8000 + number}:80" for number in range(count)]
    return {**containers(0), "containers": [{"name": "one", "published_ports": listed}]}


def joining(count: int) -> Wiring:
    joined = [{"name": name, "network_mode": "container:one"} for name in spaces(count)]
    return {**containers(0), "containers": [*joined, {"name": "one"}]}


def wired(kernel: Any, wiring: Wiring, state: str, check: bool) -> None:
    params = {**wiring, "state": state, "firewall_backend": "auto", "purge": False}
    steps = Steps(params)
    results, _warnings, ended = take_steps(steps, kernel, check)
    assert ended == ""
    steps.summary(results)
    summary([item for half in results.values() for listed in half.values() for item in listed])


@pytest.mark.parametrize("phase", ["first", "again", "absent", "check absent"])
@pytest.mark.parametrize("make", [containers, networks, networks_of_one, ports, joining])
def test_the_work_of_one_task_grows_as_its_lists_do(make: Callable[[int], Wiring], phase: str) -> None:
    def prepare(count: int) -> Callable[[], None]:
        kernel, wiring = MemoryKernel(), make(count)
        if phase != "first":
            wired(kernel, wiring, "present", check=False)
        state = "absent" if phase.endswith("absent") else "present"
        return lambda: wired(UncountedKernel(kernel), wiring, state, phase.startswith("check"))

    linear(prepare, make.__name__, phase)
