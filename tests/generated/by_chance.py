# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables made by chance, from a small world in which networks and containers meet, and how they change from run to run."""

from __future__ import annotations

import copy
import ipaddress
from collections.abc import Sequence
from random import Random
from typing import Any

Item = dict[str, Any]
NETWORKS = ["front", "back", "br-odd.1", "ünet", "n;m$'x", "aaaaaaaaaaaaaaa", "100"]
CONTAINERS = ["web", "db", "app.1", "two words", "ünï", "42", "a'b$c"]
SUBNETS = ["10.1.0.0/24", "10.2.0.0/24", "10.3.0.0/29", "10.4.0.0/30", "fd00:1::/64", "fd00:2::/120", "FD00:0:0:3::/64"]
SMALL = ["10.5.0.0/31", "fd00:5::/127"]
OVERLAPPING = ["10.1.0.0/16", "10.2.0.128/25"]
PORTS = [
    "8080:80",
    "8080:81/udp",
    "127.0.0.1:8081:80",
    "30000-30002:30000-30002",
    "30001:30001/udp",
    "[::1]:8443:443",
    "192.0.2.1:8082:80/tcp",
    {"target": 80, "published": "8083", "protocol": "udp"},
    "8084:80/sctp",
]
PORT_OPTIONS: list[Item] = [
    {"hairpin": True},
    {"isolated": True},
    {"learning": False, "flood": True},
    {"cost": 7, "priority": 3},
]


def some(chance: Random, share: float, **choices: Sequence[Any]) -> Item:
    """Some of the options, each with one of its values."""
    return {name: chance.choice(values) for name, values in choices.items() if chance.random() < share}


def network(chance: Random, name: str, others: Sequence[Item] = ()) -> Item:
    """A network, most often of subnets that no other one has."""
    taken = {subnet for one in others for subnet in one["subnets"]}
    free = [subnet for subnet in SUBNETS if subnet not in taken]
    subnets = chance.sample(free, min(len(free), chance.choice([1, 1, 2]))) or [chance.choice(SUBNETS)]
    small = [subnet for subnet in SMALL if subnet not in taken]
    if small and chance.random() < 0.08:
        subnets = [chance.choice(small)]
    if chance.random() < 0.03:
        subnets.append(chance.choice(OVERLAPPING))
    item = {"name": name, "subnets": subnets}
    item |= some(
        chance,
        0.12,
        masquerade=[False],
        internal=[True],
        isolate=[True, False],
        icc=[True, False],
        metric=[50, 200],
        unmanaged=[True],
        outbound_ipv4=["192.0.2.1"],
        mtu=["1400", "9000", "1280"],
        routes=[[route(chance, "97", subnets[0])]],
        gateways=[[host(chance, subnet) for subnet in subnets]],
        ranges=[[half(subnet) for subnet in subnets]],
        exclude=[[host(chance, subnets[0])]],
    )
    if others and chance.random() < 0.06:
        item["state"] = "absent"
    return item


def route(chance: Random, number: str, subnet: str) -> Item:
    """A route by a gateway in a subnet."""
    return {
        "destination": f"fd{number}::/64" if ":" in subnet else f"10.{number}.0.0/16",
        "gateway": host(chance, subnet),
    }


def host(chance: Random, subnet: str) -> str:
    """An address of a subnet."""
    net = ipaddress.ip_network(subnet)
    return str(net[chance.choice([1, 2, 3, 5, 100, -2]) % net.num_addresses])


def half(subnet: str) -> str:
    """The upper half of a subnet."""
    net = ipaddress.ip_network(subnet)
    return str(list(net.subnets())[1]) if net.prefixlen < net.max_prefixlen else subnet


def container(chance: Random, name: str, networks: list[Item], others: list[str]) -> Item:
    """A container of some of the networks."""
    item: Item = {"name": name}
    mode = chance.choices(
        ["bridge", "none", "host", "container"], [12 if networks else 0.5, 1, 1, 2 if others else 0.1]
    )[0]
    if mode == "container":
        item["network_mode"] = f"container:{chance.choice(others or [name])}"
    elif mode != "bridge":
        item["network_mode"] = mode
    elif networks and chance.random() < 0.7:
        networks = [one for one in networks if one.get("state") != "absent"] or networks
        chosen = chance.sample(networks, min(len(networks), chance.choice([1, 1, 2])))
        item["networks"] = [attachment(chance, one) for one in chosen]
        if chance.random() < 0.15:
            item["networks"][-1]["default_route"] = True
    if mode == "bridge" or chance.random() < 0.03:
        item |= some(
            chance,
            0.1,
            routes=[
                [{"destination": "10.99.0.0/16", "type": "blackhole"}],
                [route(chance, "98", _on(chance, item, networks))],
                [{"table": "100", "rule_source": "10.1.0.0/24", "type": "unreachable"}],
                [{"destination": "10.96.0.0/16", "gateway": "10.77.0.1"}],
            ],
            sysctls=[
                {"net.ipv4.ip_forward": "1"},
                {"net.ipv4.conf.all.rp_filter": 2},
                {"net.ipv4.ip_unprivileged_port_start": 0},
            ],
        )
        if chance.random() < 0.35:
            item["published_ports"] = chance.sample(PORTS, chance.choice([1, 1, 2]))
    if chance.random() < 0.06:
        item["state"] = "absent"
    return item


def _on(chance: Random, box: Item, networks: list[Item]) -> str:
    """A subnet that a container is on."""
    names = [one["name"] for one in box.get("networks", networks[:1])]
    return str(next((chance.choice(one["subnets"]) for one in networks if one["name"] in names), SUBNETS[0]))


def attachment(chance: Random, network: Item) -> Item:
    """An entry of a container's ``networks``."""
    item: Item = {"name": network["name"]}
    first = str(network["subnets"][0])
    version = "ipv6_address" if ":" in first else "ipv4_address"
    beside = Random(
        repr(chance.getstate())
    )  # what came later is drawn so that a number still means the sequence that it meant
    item |= some(beside, 0.1, rate=["10mbit", "1.5 Mbit"], egress_rate=["1mbit", ""])
    return item | some(
        chance,
        0.1,
        mac_address=["02:00:00:00:00:07", "02:00:00:00:00:08"],
        interface=["eth0", "lan0", "eth1", "e.x-y"],
        host_interface=["h-one", "h-two"],
        port=PORT_OPTIONS,
        **{
            version: [
                host(chance, first),
                str(ipaddress.ip_network(first)[9 % ipaddress.ip_network(first).num_addresses]),
            ]
        },
    )


def variables(chance: Random) -> Item:
    """The variables of a first run."""
    networks: list[Item] = []
    for name in chance.sample(NETWORKS, chance.choice([0, 1, 1, 1, 2, 2, 3])):
        networks.append(network(chance, name, networks))
    names = chance.sample(CONTAINERS, chance.choice([0, 1, 1, 1, 2, 2, 3, 5]))
    boxes: list[Item] = []
    for name in names:
        boxes.append(container(chance, name, networks, [one["name"] for one in boxes]))
    return {"networks": networks, "containers": boxes}


def changed(chance: Random, before: Item) -> Item:
    """The variables of the next run: some of them change as a person changes them."""
    after = copy.deepcopy(before)
    after.pop("state", None)
    after.pop("purge", None)
    for dummy in range(chance.choice([1, 1, 2, 3])):
        chance.choice(CHANGES)(chance, after)
    if chance.random() < 0.12:
        after["state"] = "absent"
    elif chance.random() < 0.2:
        after["purge"] = True
    return after


def _without(chance: Random, v: Item, kind: str, name: str) -> None:
    """Nobody uses a network, or joins a container, any more; now and then that is forgotten, and refused."""
    if chance.random() < 0.1:
        return
    left = [one for one in v["networks"] if one["name"] != name and one.get("state") != "absent"]
    for box in v["containers"]:
        if kind == "containers" and box.get("network_mode") == f"container:{name}":
            box["network_mode"] = "none"
        if kind == "networks" and box.get("network_mode", "bridge") == "bridge" and box.get("state") != "absent":
            used = [one["name"] for one in box.get("networks", v["networks"][:1])]
            if name in used and left:
                box.update(networks=[attachment(chance, chance.choice(left))], routes=[])
            elif name in used:
                box.update(network_mode="none", networks=[], routes=[], published_ports=[])


def _drop(chance: Random, v: Item) -> None:
    kind = chance.choice(["networks", "containers", "containers"])
    if v[kind]:
        number = chance.randrange(len(v[kind]))
        _without(chance, v, kind, v[kind][number]["name"])
        del v[kind][number]


def _absent(chance: Random, v: Item) -> None:
    kind = chance.choice(["networks", "containers", "containers"])
    if v[kind]:
        one = chance.choice(v[kind])
        _without(chance, v, kind, one["name"])
        one["state"] = "absent"


def _add(chance: Random, v: Item) -> None:
    kind = chance.choice(["networks", "containers", "containers"])
    taken = {one["name"] for one in v[kind]}
    free = [name for name in (NETWORKS if kind == "networks" else CONTAINERS) if name not in taken]
    if kind == "networks":
        v[kind].append(network(chance, chance.choice(free), v[kind]))
    elif free:
        v[kind].append(container(chance, chance.choice(free), v["networks"], sorted(taken)))


def _rename(chance: Random, v: Item) -> None:
    """Another name for a network, or a container, wherever it is named."""
    kind = chance.choice(["networks", "containers"])
    taken = {one["name"] for one in v[kind]}
    free = [name for name in (NETWORKS if kind == "networks" else CONTAINERS) if name not in taken]
    if not v[kind] or not free:
        return
    one, name = chance.choice(v[kind]), chance.choice(free)
    old, one["name"] = one["name"], name
    for box in v["containers"]:
        if kind == "containers" and box.get("network_mode") == f"container:{old}":
            box["network_mode"] = f"container:{name}"
        for entry in box.get("networks", ()) if kind == "networks" else ():
            entry["name"] = name if entry["name"] == old else entry["name"]


def _another(chance: Random, v: Item) -> None:
    """Everything about a network, or a container, but its name."""
    kind = chance.choice(["networks", "containers", "containers"])
    if not v[kind]:
        return
    number = chance.randrange(len(v[kind]))
    name = v[kind][number]["name"]
    others = [one["name"] for one in v["containers"] if one["name"] != name]
    if kind == "containers":
        v[kind][number] = container(chance, name, v["networks"], others)
    else:
        v[kind][number] = network(chance, name, v[kind])


def _move(chance: Random, v: Item) -> None:
    """A container to other networks."""
    if v["containers"] and v["networks"]:
        box = chance.choice(v["containers"])
        if box.get("network_mode", "bridge") == "bridge":
            box["routes"] = []
            box["networks"] = [
                attachment(chance, one)
                for one in chance.sample(v["networks"], min(len(v["networks"]), chance.choice([1, 2])))
            ]


def _subnet(chance: Random, v: Item) -> None:
    """A subnet of a network."""
    if v["networks"]:
        one = chance.choice(v["networks"])
        one["subnets"] = [network(chance, one["name"], v["networks"])["subnets"][0], *one["subnets"][1:]]


def _ports(chance: Random, v: Item) -> None:
    if v["containers"]:
        chance.choice(v["containers"])["published_ports"] = chance.sample(PORTS, chance.choice([0, 1, 2]))


def _order(chance: Random, v: Item) -> None:
    for kind in ("networks", "containers"):
        chance.shuffle(v[kind])


def _nothing(chance: Random, v: Item) -> None:
    """The same variables: what happened by hand meanwhile is what there is to do."""


CHANGES = (
    _drop,
    _drop,
    _absent,
    _absent,
    _add,
    _add,
    _rename,
    _another,
    _another,
    _move,
    _subnet,
    _ports,
    _order,
    _nothing,
)


def everything(runs: Sequence[Item]) -> Item:
    """The variables that take down what any of the runs listed, as a person would who has no purge: each name as it was last listed."""
    networks: dict[str, Item] = {}
    containers: dict[str, Item] = {}
    for run in runs:
        networks.update((one["name"], one) for one in run["networks"])
        containers.update((one["name"], one) for one in run["containers"])
    return {"networks": [*networks.values()], "containers": [*containers.values()], "state": "absent"}
