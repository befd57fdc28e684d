# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Published ports change hands within one run, whatever the order of who has them; and where a published port cannot be answered, it is refused at once."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from proofs import comes
from wires import BACKENDS, Host, called

NETWORKS: list[dict[str, Any]] = [
    {"name": "one", "subnets": ["10.1.0.0/24", "fd00:1::/64"]},
    {"name": "two", "subnets": ["10.2.0.0/24", "fd00:2::/64"]},
]
SERVE = """
import socket, sys
server = socket.create_server(("::", 80), family=socket.AF_INET6, dualstack_ipv6=True)
while True:
    server.accept()[0].sendall(sys.argv[1].encode())
"""
# How long an attempt took that nobody answers, in words.
ATTEMPT = """
import socket, sys
sock = socket.socket(socket.AF_INET6)
sock.settimeout(30)
scope = socket.if_nametoindex(sys.argv[3]) if sys.argv[3:] else 0
try:
    sock.connect((sys.argv[1], int(sys.argv[2]), 0, scope))
    print("answered", sock.recv(9).decode())
except OSError as error:
    print(type(error).__name__)
"""


def lists(ports: dict[str, list[str]], across: bool) -> dict[str, Any]:
    names = {"a": "one", "b": "two" if across else "one", "c": "one"}
    return {
        "networks": NETWORKS,
        "containers": [
            {"name": name, "networks": [{"name": names[name]}], "published_ports": listed}
            for name, listed in ports.items()
        ],
    }


def settles(host: Host, backend: str, **asked: Any) -> None:
    """Wire: check mode says beforehand what is done, and a second run finds nothing to do."""
    asked["firewall_backend"] = backend
    foreseen, done, again = (host.module("wiring", check=check, **asked) for check in (True, False, False))
    assert (foreseen["changed"], done["changed"], again["changed"]) == (True, True, False), again["diff"]
    assert foreseen["diff"] == done["diff"]


def published(host: Host, names: Any) -> dict[str, list[int]]:
    """The ports of the host that lead to each container, single ones."""
    kept: dict[str, set[int]] = {name: set() for name in names}
    for one in host.module("wiring_info", gather=["nat"])["wiring"]["nat"]:
        for span in one["host_port"].split(", ") if one["type"] == "dnat" else ():
            first, dummy, last = span.partition("-")
            kept[one["owner"]].update(range(int(first), int(last or first) + 1))
    return {name: sorted(ports) for name, ports in kept.items()}


def listed_ports(listed: list[str]) -> list[int]:
    found: set[int] = set()
    for entry in listed:
        first, dummy, last = entry.split(":")[-2].partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return sorted(found)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("across", [False, True], ids=["one network", "across two"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a": ["8080:80"], "b": ["8081:80"]}, {"a": ["8081:80"], "b": ["8080:80"]}),
        ({"a": [], "b": ["8080:80"]}, {"a": ["8080:80"], "b": []}),
        ({"a": [], "b": ["8080:80", "8081:80"]}, {"a": ["8081:80"], "b": ["8080:80"]}),
        ({"a": ["8080:80"], "b": ["8081:80"], "c": ["8082:80"]}, {"a": ["8081:80"], "b": ["8082:80"], "c": ["8080:80"]}),
        ({"a": ["8080-8085:80-85"], "b": ["9000:80"]}, {"a": ["9000:80"], "b": ["8083:80", "8084-8090:84-90"]}),
        ({"a": ["8000-8009:8000-8009"], "b": ["8010-8019:8010-8019"]}, {"a": ["8005-8014:8005-8014"], "b": ["8000-8004:8000-8004"]}),
        ({"a": ["127.0.0.1:8080:80"], "b": ["8081:80"]}, {"a": ["8081:80"], "b": ["8080:80"]}),
    ],
    ids=["swapped", "to an earlier one", "one of two", "round", "parts of a range", "ranges", "another address"],
)  # fmt: skip
def test_ports_change_hands(host: Host, backend: str, across: bool, before: Any, after: Any) -> None:
    settles(host, backend, **lists(before, across))
    for ports in (after, before):
        settles(host, backend, **lists(ports, across))
        assert published(host, ports) == {name: listed_ports(listed) for name, listed in ports.items()}


@pytest.mark.parametrize("backend", BACKENDS)
def test_who_calls_a_port_that_changed_hands_gets_the_other(host: Host, backend: str) -> None:
    swapped = [({"a": ["8080:80"], "b": ["8081:80"]}), ({"a": ["8081:80"], "b": ["8080:80"]})]
    for turn, ports in enumerate(swapped):
        settles(host, backend, **lists(ports, across=True))
        for name in ("a", "b") if not turn else ():
            host.spawn(["ip", "netns", "exec", name, sys.executable, "-c", SERVE, name])
            comes(host, f"ip netns exec {name} ss -Hltn | grep -q :80")
        for name, listed in ports.items():
            assert called(host, "", "127.0.0.1", int(listed[0].partition(":")[0]), 30) == name


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_not_given_up_in_the_task_is_refused_as_ever(host: Host, backend: str) -> None:
    host.bridge("br0", "10.9.0.1/24")
    host.container("web", "10.9.0.2/24")
    common: dict[str, Any] = {"type": "dnat", "bridge": "br0", "to_address": "10.9.0.2", "backend": backend}
    host.module("nat", **common, owner="web", host_port="8080")
    host.refuses("nat", "is published already by 'web'", **common, owner="db", host_port="8080", exclusive=True)
    held: dict[str, Any] = {"host_port": "8080", "owner": "web"}
    handed = [{**held, "owner": "db"}, {**held, "state": "absent"}]
    done = host.settles("nat", **common, aggregate=handed)
    assert done["results"][0]["before"]["handed_over"] == ["8080/tcp of web to 10.9.0.2"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_where_no_answer_comes_back_from_it_is_refused_at_once(host: Host, backend: str) -> None:
    """A port that is published on all addresses, asked for at the host's ::1 and at a link-local address of its."""
    settles(host, backend, **lists({"a": ["8080:80"]}, across=False))
    host.spawn(["ip", "netns", "exec", "a", sys.executable, "-c", SERVE, "a"])
    comes(host, "ip netns exec a ss -Hltn | grep -q :80")
    host.run(
        "ip netns add lan && ip link add up0 type veth peer name eth0 netns lan && ip link set up0 up && ip -n lan link set eth0 up && "
        "ip addr add 2001:db8::1/64 dev up0 nodad && ip -n lan addr add 2001:db8::2/64 dev eth0 nodad"
    )
    comes(
        host,
        "ip -6 addr show dev up0 scope link -tentative | grep -q fe80 && ip -n lan -6 addr show dev eth0 scope link -tentative | grep -q fe80",
    )
    local = next(one["local"] for one in host.ip("addr show dev up0")[0]["addr_info"] if one["scope"] == "link")
    assert called(host, "", "2001:db8::1", 8080, 30) == "a"
    assert called(host, "lan", "2001:db8::1", 8080, 30) == "a"
    assert host.run([sys.executable, "-c", ATTEMPT, "::1", "8080"]).stdout == "ConnectionRefusedError\n"
    asked = ["ip", "netns", "exec", "lan", sys.executable, "-c", ATTEMPT, local, "8080", "eth0"]
    assert host.run(asked).stdout == "ConnectionRefusedError\n"
