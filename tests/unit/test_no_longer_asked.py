# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is no longer asked for goes, whatever noun it is of: after a change of the lists a host is as if it had been wired so from the
start; foreseen, done, and nothing left for a second run. On the kernel's twin; on the running one: tests/role/test_no_longer_asked.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import BACKENDS
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import DropNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Address, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import resource as nat
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.forwarding import SYSCTL_FILE
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.plugins.module_utils._run.step_runner import take_steps
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.one_task import Steps
from ansible_collections.linuxnet.containers.tests.unit.asked import existing, made, whatever_its_owner
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

BR0: dict[str, Any] = {"name": "br0", "subnets": ["10.0.0.0/24", "fd00::/64"]}
FRONT: dict[str, Any] = {**BR0, "name": "front"}
BACK: dict[str, Any] = {
    "name": "back",
    "subnets": ["10.1.0.0/24"],
    "routes": [{"destination": "10.6.0.0/16", "gateway": "10.1.0.6"}],
}
ROUTES: list[dict[str, Any]] = [
    {"destination": "10.9.0.0/16", "gateway": "10.0.0.7", "mtu": 1400},
    {"destination": "10.8.0.0/16", "type": "blackhole"},
    {"destination": "fd09::/64", "gateway": "fd00::7"},
    {"table": "100", "rule_source": "10.0.0.0/24", "gateway": "10.0.0.8"},
]
WEB: dict[str, Any] = {
    "name": "web",
    "published_ports": ["8080:80", "127.0.0.1:53:53/udp"],
    "routes": ROUTES,
    "networks": [{"name": "br0", "mac_address": "02:42:0a:00:00:63"}],
}
DB: dict[str, Any] = {"name": "db", "networks": [{"name": "br0", "default_route": True}, {"name": "back"}]}
HELD = "no access for the host"
NAMES = ("web", "db", "www")
START = ([BR0, BACK], [WEB, DB])


def without(entry: dict[str, Any], *options: str) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in options}


# What follows, by name: networks and containers.
CHANGES: dict[str, Any] = {
    "the same": START,
    "another subnet": ([{**BR0, "subnets": ["10.5.0.0/24", "fd00:5::/64"]}, BACK], [without(WEB, "routes"), DB]),
    "one subnet more": ([{**BR0, "subnets": ["10.0.0.0/24", "fd00::/64", "10.5.0.0/24"]}, BACK], [WEB, DB]),
    "one family less": ([{**BR0, "subnets": ["10.0.0.0/24"]}, BACK], [{**WEB, "routes": ROUTES[:2]}, DB]),
    "the other family less": ([{**BR0, "subnets": ["fd00::/64"]}, BACK], [{**WEB, "routes": [ROUTES[2]], "published_ports": ["8080:80"]}, DB]),
    "no masquerade": ([{**BR0, "masquerade": False}, BACK], [WEB, DB]),
    "source NAT": ([{**BR0, "outbound_ipv4": "192.0.2.1"}, BACK], [WEB, DB]),
    "internal": ([{**BR0, "internal": True}, BACK], [without(WEB, "published_ports"), DB]),
    "no access for the host": ([{**BR0, "host_access": False}, BACK], [without(WEB, "published_ports"), DB]),
    "another metric": ([{**BR0, "metric": 50}, BACK], [WEB, DB]),
    "no routes": ([BR0, without(BACK, "routes")], [without(WEB, "routes"), DB]),
    "some routes": (START[0], [{**WEB, "routes": ROUTES[1:3]}, DB]),
    "an option less": (START[0], [{**WEB, "routes": [without(ROUTES[0], "mtu"), *ROUTES[1:]]}, DB]),
    "no MAC address": (START[0], [without(WEB, "networks"), DB]),
    "another MAC address": (START[0], [{**WEB, "networks": [{"name": "br0", "mac_address": "02:42:0a:00:00:64"}]}, DB]),
    "no MTU": ([{**BR0, "mtu": 1400}, BACK], [WEB, DB]),
    "no default route": (START[0], [{**without(WEB, "published_ports"), "networks": [{"name": "br0", "default_route": False}]}, DB]),
    "no ports": (START[0], [without(WEB, "published_ports"), DB]),
    "one network less": (START[0], [WEB, {"name": "db"}]),
    "another network": (START[0], [{"name": "web", "networks": [{"name": "back"}]}, DB]),
    "another interface": (START[0], [{**WEB, "networks": [{"name": "br0", "interface": "net0"}]}, DB]),
    "no network": (START[0], [{"name": "web", "network_mode": "none"}, DB]),
    "a network without containers": ([BR0, {"name": "back", "state": "absent"}], [WEB, {"name": "db"}]),
    "renamed": (
        [{"name": "br0", "state": "absent", "subnets": BR0["subnets"]}, FRONT, BACK],
        [without(WEB, "networks"), {**DB, "networks": [{"name": "front", "default_route": True}, {"name": "back"}]}],
    ),
    "a container renamed": (START[0], [{**WEB, "state": "absent"}, {**WEB, "name": "www"}, DB]),
}  # fmt: skip


def role(kernel: MemoryKernel, networks: Any, containers: Any, **options: Any) -> dict[str, Any]:
    """Do what the role does in one task, foreseen first; the results are equal. Returns those that changed, by subject."""
    params = {
        "networks": networks,
        "containers": containers,
        "state": "present",
        "firewall_backend": "auto",
        "purge": False,
    }
    taken = []
    for check in (True, False):
        steps = Steps({**params, **options})
        if steps.needs_survey:
            steps.survey(kernel)
        results, dummy, ended = take_steps(steps, kernel, check)
        assert not ended, ended
        taken.append([item for half in results.values() for listed in half.values() for item in listed])
    for foreseen, done in zip(*taken, strict=True):
        for key in ("changed", "diff", "before"):
            assert foreseen[key] == done[key], done["diff"]["before_header"]
    return {whatever_its_owner(item["diff"]["before_header"]): item["diff"] for item in taken[-1] if item["changed"]}


def seen(kernel: MemoryKernel, *names: str) -> dict[str, Any]:
    """What there is, without what a number tells apart, and without hairpin, which stays with the port: links, addresses, routes, rules of
    the host and of namespaces; what we own."""
    state = State(kernel)
    found: dict[str, Any] = {}
    for ref in (HOST, *map(NsRef.parse, names)):
        ns = state.find(ref)
        if ns is None:
            continue
        links = {link.index: link for link in state.links(ns)}
        found[ref.path] = {
            "links": {
                link.name: (
                    link.kind,
                    getattr(links.get(link.master), "name", ""),
                    sorted((key, value) for key, value in link.attributes.items() if key != "hairpin"),
                )
                for link in links.values()
            },
            "addresses": sorted((links[index].name, str(one)) for index, one in state.addresses(ns)),
            "routes": sorted(
                str(route) for family in (4, 6) for table in (254, 100) for route in state.routes(ns, family, table)
            ),
            "rules": sorted(str(rule) for family in (4, 6) for rule in state.policies(ns, family)),
            "guards": sorted(state.loopback_guards(ns).interfaces),
        }
    host = state.need(HOST)
    for backend in BACKENDS:
        index = firewalls(state).index(host, backend)
        found[backend.name] = [
            sorted(map(str, listed))
            for listed in (
                [replace(rule, handles=()) for rule in index.nat_rules.values()],
                index.port_mappings,
                index.owned.localnet,
                index.isolations.values(),
                index.allowances.values(),
            )
        ]
    keys = ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding")
    found["forwarding"] = [state.sysctl(host, key) for key in keys], sorted(state.text(SYSCTL_FILE).splitlines())
    return found


def differing(now: Any, wanted: Any) -> dict[str, Any]:
    """What differs, by where it is: (what is there and should not be, what should be)."""
    found = {}
    for where in {*now, *wanted}:
        one, other = now.get(where, {}), wanted.get(where, {})
        parts = {*one, *other} if isinstance(one, dict) and isinstance(other, dict) else {""}
        for part in parts:
            a, b = (side.get(part, {}) if part else side for side in (one, other))
            items = [[*side.items()] if isinstance(side, dict) else [*side] for side in (a, b)]
            left = [x for x in items[0] if x not in items[1]], [x for x in items[1] if x not in items[0]]
            if any(left):
                found[f"{where} {part}"] = left
    return found


@pytest.mark.parametrize("backend", ["nftables", "iptables"])
@pytest.mark.parametrize("change", CHANGES)
def test_what_is_no_longer_asked_for_goes(change: str, backend: str) -> None:
    kernel, fresh = MemoryKernel(), MemoryKernel()
    role(kernel, *START, firewall_backend=backend)
    role(kernel, *CHANGES[change], firewall_backend=backend)
    assert role(kernel, *CHANGES[change], firewall_backend=backend) == {}
    role(fresh, *CHANGES[change], firewall_backend=backend)
    left = differing(seen(kernel, *NAMES), seen(fresh, *NAMES))
    # Without a gateway in the pool another address would be the usual one; the one that is held is kept.
    assert [where for where in left if change != HELD or not where.endswith(" addresses")] == []
    role(kernel, *CHANGES[change], state="absent")
    assert seen(kernel) == seen(MemoryKernel())


@pytest.mark.parametrize("change", [name for name in CHANGES if name not in ("the same", HELD)])
def test_what_is_no_longer_asked_for_comes_back(change: str) -> None:
    kernel, fresh = MemoryKernel(), MemoryKernel()
    for lists in (CHANGES[change], START):
        role(kernel, *lists, purge=True)
    role(fresh, *START)
    assert differing(seen(kernel, *NAMES), seen(fresh, *NAMES)) == {}


NARROW: dict[str, Any] = {
    "name": "br0",
    "subnets": ["10.0.0.0/24", "fd00::/64"],
    "ranges": ["10.0.0.8/31", "fd00::8/127"],
}


@pytest.mark.parametrize("backend", ["nftables", "iptables"])
@pytest.mark.parametrize("ports", [[], ["9090:90"]])
def test_a_dead_container_s_port_does_not_lead_to_who_has_its_address(ports: Any, backend: str) -> None:
    """Its namespace was removed by hand, and another container is given its address."""
    kernel = MemoryKernel()
    role(kernel, [NARROW], [{"name": "web", "published_ports": ["8080:80"]}, {"name": "db"}], firewall_backend=backend)
    made(kernel, nat.RESOURCE, type="dnat", host_port="7000", to_address=held(kernel, "web"), backend=backend)
    made(
        kernel, nat.RESOURCE, type="dnat", owner="db", host_port="7001", to_address=held(kernel, "web"), backend=backend
    )
    address = held(kernel, "web")
    kernel.apply(DropNetns("web", existing(kernel.find(NsRef.parse("web")))))
    lists = [NARROW], [{"name": "db"}, {"name": "other", "published_ports": ports}]
    changed = role(kernel, *lists, firewall_backend=backend)
    assert held(kernel, "other") == address
    said = [diff["before"] for diff in changed.values() if "of_gone_containers" in diff["before"]]
    assert (
        [text for text in said if "8080" in text]
        == [text for text in said if f"8080/tcp of web to {address}" in text]
        != []
    )
    mappings = [
        one
        for name in BACKENDS
        for one in firewalls(State(kernel)).index(existing(kernel.find(HOST)), name).port_mappings
    ]
    # Of an owner that is there, and of none, nothing is known that would make it wrong.
    assert {(one.owner, one.ports) for one in mappings if ":" not in one.to} == {
        ("ansible", "7000"),
        *([("other", "9090")] if ports else []),
    }
    assert role(kernel, *lists, firewall_backend=backend) == {}


def held(kernel: MemoryKernel, name: str) -> str:
    """The IPv4 address of a container."""
    [one] = [
        one.ip
        for _index, one in kernel.addresses(existing(kernel.find(NsRef.parse(name))))
        if one.family == 4 and one.scope == "global"
    ]
    return one


SIZES = [
    (["10.0.0.0/24", "fd00::/64"], ["10.0.0.0/23", "fd00::/63"]),
    (["10.0.1.0/24", "fd00:0:0:1::/64"], ["10.0.0.0/23", "fd00::/63"]),
    (["10.0.0.0/16"], ["10.0.0.0/8"]),
]


@pytest.mark.parametrize(("small", "large"), SIZES)
def test_a_subnet_that_grows_or_shrinks_keeps_the_addresses_that_fit(small: list[str], large: list[str]) -> None:
    kernel = MemoryKernel()
    boxes = [{"name": "web", "published_ports": ["8080:80"]}, {"name": "db"}]
    role(kernel, [{**BR0, "subnets": small}], boxes)
    before = {name: held(kernel, name) for name in ("web", "db")}
    for subnets in (large, small):
        changed = role(kernel, [{**BR0, "subnets": subnets}], boxes)
        assert {name: held(kernel, name) for name in before} == before
        lengths = {int(subnet.partition("/")[2]) for subnet in subnets}
        for ref in (HOST, *map(NsRef.parse, before)):
            ns = existing(kernel.find(ref))
            there = [one for _index, one in kernel.addresses(ns) if one.scope == "global"]
            assert sorted(one.prefix for one in there) == sorted(lengths), [one.cidr for one in there]
        assert not any(name.startswith("port ") for name in changed), "what is published leads where it led"
        assert role(kernel, [{**BR0, "subnets": subnets}], boxes) == {}


def test_what_does_not_fit_a_smaller_subnet_is_given_another_address() -> None:
    kernel = MemoryKernel()
    [web] = boxes = [{"name": "web", "networks": [{"name": "br0", "ipv4_address": "10.0.1.9"}]}]
    role(kernel, [{**BR0, "subnets": ["10.0.0.0/23"]}], boxes)
    role(kernel, [{**BR0, "subnets": ["10.0.0.0/24"]}], [without(web, "networks")])
    assert held(kernel, "web").startswith("10.0.0.")


def refused(kernel: MemoryKernel, networks: Any, containers: Any) -> str:
    """What the role in one task says of lists that cannot be had on a host."""
    params = {
        "networks": networks,
        "containers": containers,
        "state": "present",
        "firewall_backend": "auto",
        "purge": False,
    }
    said = {take_steps(Steps(params), kernel, check)[2] for check in (True, False)}
    [one] = said
    return one


def test_what_is_in_the_way_and_no_longer_listed_is_said_with_both_ways_out() -> None:
    """A network, or a container, that has another name now; of what is not ours nobody says so."""
    ways = "; if {} is not listed any more, list it with state: absent, or set wiring_purge: true"
    kernel = MemoryKernel()
    role(
        kernel,
        [BR0],
        [{"name": "web", "published_ports": ["8080:80"], "networks": [{"name": "br0", "ipv4_address": "10.0.0.9"}]}],
    )
    bridge = "br0 in the host, a bridge of this collection" + ways.format("that")
    kernel.namespace_label = lambda ns, nsid: "netns 'web'"  # type: ignore[method-assign]
    www = {"name": "www", "published_ports": ["8080:80"]}
    fixed = {"name": "www", "networks": [{"name": "br0", "ipv4_address": "10.0.0.9"}]}
    kernel.apply(AddLink(HOST, "theirs", "bridge", {"enabled": True}))
    kernel.apply(PutAddress(HOST, "theirs", Address("10.7.0.1", 24, 4, label="theirs")))
    for networks, containers, sentence in (
        ([FRONT], [], "address: 10.0.0.1 is taken by " + bridge),
        ([{**FRONT, "gateways": ["10.0.0.2"]}], [], "overlaps the route 10.0.0.0/24 dev " + bridge),
        ([BR0], [www], "or take another port" + ways.format("'web'")),
        ([BR0], [fixed], "address: 10.0.0.9 is taken by netns 'web'" + ways.format("that")),
        ([{"name": "mine", "subnets": ["10.7.0.0/24"]}], [], "address: 10.7.0.1 is taken by theirs in the host"),
    ):
        assert sentence + "." in refused(kernel, networks, containers)
