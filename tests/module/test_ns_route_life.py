# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ns_route beside the routes of others: replaced without a gap, moved, restored, removed precisely, refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from wires import Host, eventually

WEB: dict[str, Any] = {"netns": "web"}


@pytest.fixture(autouse=True)
def web(host: Host) -> None:
    """A container on a bridge that has its gateways."""
    host.bridge("br0", "172.17.0.1/16", "fd00:17::1/64")
    host.container("web", "172.17.0.2/16", "fd00:17::2/64")


def defaults(host: Host, family: int = 4) -> list[tuple[str, int]]:
    """Gateway and metric of the default routes."""
    found = host.ip(f"-n web -{family} route show default")
    return sorted((route.get("gateway", ""), route.get("metric", 0)) for route in found)


def monitored(host: Host, act: Callable[[], Any]) -> list[str]:
    """What ``ip monitor route`` prints of default routes while ``act`` runs."""
    pid = host.spawn("exec ip -n web monitor route >/run/monitor 2>&1")

    def marked(destination: str) -> bool:
        host.run(f"ip -n web route replace blackhole {destination} && ip -n web route del blackhole {destination}")
        return destination in host.run("cat /run/monitor", check=False).stdout

    assert eventually(lambda: marked("198.51.100.1"))
    act()
    assert eventually(lambda: marked("198.51.100.2"))
    host.kill(pid)
    return [line for line in host.run("cat /run/monitor; rm /run/monitor").stdout.splitlines() if "default" in line]


@pytest.mark.parametrize(
    ("family", "foreign", "gateway", "metric"),
    [(4, "172.17.0.9", "172.17.0.1", 0), (6, "fd00:17::9", "fd00:17::1", 1024)],
)
def test_e1_a_foreign_default_route_is_replaced_without_a_gap(
    host: Host, family: int, foreign: str, gateway: str, metric: int
) -> None:
    host.run(f"ip -n web -{family} route add default via {foreign}")
    seen = monitored(host, lambda: host.settles("ns_route", **WEB, gateway=gateway))
    assert defaults(host, family) == [(gateway, metric)]
    assert len(seen) == 1, seen
    assert seen[0].startswith(f"default via {gateway}"), "nothing was deleted"


def test_e1_a_foreign_default_route_stays_beside_one_of_another_metric(host: Host) -> None:
    host.run("ip -n web route add default via 172.17.0.9")
    host.settles("ns_route", **WEB, gateway="172.17.0.1", metric=100)
    assert defaults(host) == [("172.17.0.1", 100), ("172.17.0.9", 0)]
    host.settles("ns_route", **WEB, gateway="172.17.0.1", metric=100, state="absent")
    assert defaults(host) == [("172.17.0.9", 0)]


@pytest.mark.parametrize(
    ("family", "gateway", "before", "after"),
    [(4, "172.17.0.1", 0, 50), (4, "172.17.0.1", 50, 0), (6, "fd00:17::1", 1024, 50), (6, "fd00:17::1", 50, 1024)],
)
def test_e1_the_same_way_is_moved_to_another_metric_without_a_gap(
    host: Host, family: int, gateway: str, before: int, after: int
) -> None:
    host.module("ns_route", **WEB, gateway=gateway, metric=before)
    seen = monitored(host, lambda: host.settles("ns_route", **WEB, gateway=gateway, metric=after))
    assert defaults(host, family) == [(gateway, after)]
    assert [line.startswith("Deleted") for line in seen] == [False, True], "first the new one, then the old one goes"


def test_e2_a_gateway_outside_the_subnet_is_used_with_onlink(host: Host) -> None:
    """E2: an address of its own /32, as providers give it, and a gateway elsewhere; packets do arrive."""
    host.run("ip addr add 192.0.2.1/32 dev br0 && ip route add 10.9.0.2 dev br0")
    host.run("ip -n web addr flush dev eth0 && ip -n web addr add 10.9.0.2/32 dev eth0")
    host.settles("ns_route", **WEB, gateway="192.0.2.1", interface="eth0", onlink=True)
    assert host.run("ip -n web route").stdout.split("\n")[0].strip() == "default via 192.0.2.1 dev eth0 proto 76 onlink"
    assert host.ping("web", "192.0.2.1")


def test_e2_a_gateway_outside_the_subnet_is_used_through_a_link_route(host: Host) -> None:
    host.run("ip addr add 192.0.2.1/32 dev br0 && ip route add 10.9.0.2 dev br0")
    host.run("ip -n web addr flush dev eth0 && ip -n web addr add 10.9.0.2/32 dev eth0")
    items = [{"destination": "192.0.2.1/32", "interface": "eth0"}, {"gateway": "192.0.2.1"}]
    host.settles("ns_route", **WEB, aggregate=items)
    lines = [line.strip() for line in host.run("ip -n web route").stdout.splitlines()]
    assert lines == ["default via 192.0.2.1 dev eth0 proto 76", "192.0.2.1 dev eth0 proto 76 scope link"]
    assert host.ping("web", "192.0.2.1")


def test_e2_a_gateway_behind_a_point_to_point_address(host: Host) -> None:
    host.run("ip -n web addr flush dev eth0 && ip -n web addr add 10.9.0.2 peer 10.9.0.1/32 dev eth0")
    done = host.settles("ns_route", **WEB, gateway="10.9.0.1")
    assert done["after"]["interface"] == "eth0"


def test_a_link_local_gateway(host: Host) -> None:
    host.settles("ns_route", **WEB, gateway="fe80::1", interface="eth0")
    assert defaults(host, 6) == [("fe80::1", 1024)]


def test_e4_after_a_link_flap_the_next_run_restores_all(host: Host) -> None:
    """E4: the kernel drops routes, and IPv6 addresses, of an interface that goes down.

    What comes back bears our mark, which iproute2 shows from 6.3 on; the address that was lost was set by hand.
    """
    addresses = [{"address": "172.17.0.2/16"}, {"address": "fd00:17::2/64"}]
    routes = [
        {"gateway": "172.17.0.1"},
        {"gateway": "fd00:17::1"},
        {"destination": "10.9.0.0/16", "gateway": "172.17.0.9", "mtu": 1400},
        {"destination": "2001:db8::/32", "gateway": "fd00:17::9", "metric": 7},
    ]

    def run() -> tuple[bool, bool]:
        one = host.module("ns_address", **WEB, interface="eth0", aggregate=addresses)
        return one["changed"], host.module("ns_route", **WEB, aggregate=routes)["changed"]

    def shown() -> list[str]:
        text = host.run("ip -n web addr show dev eth0 scope global; ip -n web route; ip -n web -6 route").stdout
        lines = [line.replace(" proto 0x4c", "").strip() for line in text.splitlines()]
        return sorted(line for line in lines if "fe80" not in line and "link/ether" not in line)

    assert run() == (False, True)
    before = shown()
    host.run("ip -n web link set eth0 down && ip -n web link set eth0 up")
    assert shown() != before
    assert run() == (True, True)
    assert shown() == before
    assert run() == (False, False)


# --- absent ---------------------------------------------------------------------------------------------------------

PLENTY = [
    "default via 172.17.0.1 dev eth0 ",
    "default via 172.17.0.9 dev eth0 metric 50 ",
    "blackhole 10.8.0.0/16 ",
    "10.9.0.0/16 via 172.17.0.1 dev eth0 ",
    "10.9.0.0/16 via 172.17.0.9 dev eth0 metric 50 ",
    "172.17.0.0/16 dev eth0 proto kernel scope link src 172.17.0.2 ",
]


@pytest.mark.parametrize(
    ("options", "gone"),
    [
        ({}, [0, 1]),
        ({"metric": 0}, [0]),
        ({"metric": 50}, [1]),
        ({"gateway": "172.17.0.9"}, [1]),
        ({"gateway": "172.17.0.9", "metric": 0}, []),
        ({"destination": "10.9.0.0/16", "gateway": "172.17.0.1"}, [3]),
        ({"destination": "10.9.0.0/16", "interface": "eth0"}, [3, 4]),
        ({"destination": "10.8.0.0/16"}, [2]),
        ({"destination": "10.8.0.0/16", "type": "throw"}, []),
        ({"destination": "10.0.0.0/8"}, []),
        ({"table": "100"}, []),
        ({"family": "ipv6"}, []),
        ({"netns": "nope"}, []),
    ],
)
def test_absent_removes_precisely_what_is_described(host: Host, options: dict[str, Any], gone: list[int]) -> None:
    host.run("".join(f"ip -n web route add {words}; " for words in PLENTY[:-1]))
    assert host.run("ip -n web route").stdout.splitlines() == PLENTY
    done = host.settles("ns_route", **{**WEB, **options}, state="absent")
    assert done["changed"] is bool(gone)
    assert host.run("ip -n web route").stdout.splitlines() == [
        words for number, words in enumerate(PLENTY) if number not in gone
    ]


# --- refused --------------------------------------------------------------------------------------------------------

BAD: list[tuple[dict[str, Any], str]] = [
    ({"gateway": "172.17.0.1/16"}, "gateway: '172.17.0.1/16' is not an IP address."),
    ({"destination": "10.9.0.5/16", "gateway": "172.17.0.1"}, "destination: '10.9.0.5/16' is not a network"),
    ({"destination": "10.9.0.0/16"}, "The route 10.9.0.0/16 in netns 'web' needs a gateway, an interface or nexthops."),
    ({"destination": "10.9.0.0/16", "gateway": "fd00::1"}, "fd00::1 is not of the same address family as the destination"),
    ({"destination": "10.9.0.0/16", "family": "ipv6"}, "family: 10.9.0.0/16 is not an ipv6 network."),
    ({"gateway": "172.17.0.1", "source": "fd00:17::2"}, "fd00:17::2 is not of the same address family"),
    ({"type": "blackhole", "gateway": "172.17.0.1"}, "type: a blackhole route has no gateway."),
    ({"gateway": "172.17.0.1", "metric": -1}, "metric: -1 is out of bounds; it must be from 0 to 4294967295."),
    ({"gateway": "172.17.0.1", "mtu": 70000}, "mtu: 70000 is out of bounds"),
    ({"gateway": "172.17.0.1", "table": "blue"}, "table: 'blue' is neither main, default, local nor a number"),
    ({"nexthops": [{"gateway": "172.17.0.1"}]}, "nexthops: a multipath route needs two or more"),
    ({"nexthops": [{"gateway": "172.17.0.1", "weight": 0}, {"interface": "eth0"}]}, "nexthops: weight 0 is out of bounds"),
    ({"nexthops": [{"weight": 1}, {"interface": "eth0"}]}, "nexthops: each needs a gateway or an interface."),
    ({"nexthops": [{"gateway": "172.17.0.1"}], "gateway": "172.17.0.1"}, "mutually exclusive: nexthops|gateway"),
    ({"gateway": "172.17.0.1", "interface": "a/b"}, "interface: 'a/b' is not an interface name"),
    ({"gateway": "172.17.0.1", "netns": "a/b"}, "netns: 'a/b' is not a namespace name"),
]  # fmt: skip


def test_bad_input_changes_nothing(host: Host) -> None:
    host.all_refused("ns_route", WEB, BAD)


@pytest.mark.parametrize(
    ("options", "subnets", "missing"),
    [
        ({"gateway": "192.0.2.1"}, "netns 'web' (10.1.0.0/24, 172.17.0.0/16)", "the subnet of gateway 192.0.2.1"),
        ({"gateway": "2001:db8::1"}, "netns 'web' (fd00:17::/64)", "the subnet of gateway 2001:db8::1"),
    ],
)
def test_a_gateway_outside_every_on_link_subnet(
    host: Host, options: dict[str, Any], subnets: str, missing: str
) -> None:
    """For real it is refused; in check mode an earlier task may be the one that brings the subnet."""
    host.container("web", "10.1.0.2/24", interface="eth1")
    message = (
        f"gateway: {options['gateway']} is in no on-link subnet of {subnets}; "
        "add an address of its subnet first, or set onlink: true."
    )
    host.misses("ns_route", message, f"{missing} in netns 'web'", **WEB, **options)


def test_a_gateway_behind_another_interface_is_refused(host: Host) -> None:
    host.container("web", "10.1.0.2/24", interface="eth1")
    before = host.snapshot()
    said = host.fails("ns_route", **WEB, gateway="172.17.0.1", interface="eth1")["msg"]
    assert "gateway: 172.17.0.1 is in no on-link subnet of netns 'web' behind eth1 (10.1.0.0/24);" in said
    assert host.snapshot() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gateway": "172.17.0.1", "source": "192.0.2.9"}, "source: 192.0.2.9 is no address of netns 'web'; add it to an interface first."),
        ({"gateway": "172.17.0.1", "interface": "eth9"}, "interface: there is no interface 'eth9' in netns 'web';"),
        ({"gateway": "172.17.0.1", "netns": "nope"}, "Netns 'nope' does not exist (no /run/netns/nope);"),
    ],
)  # fmt: skip
def test_what_the_kernel_would_refuse_changes_nothing(host: Host, options: dict[str, Any], message: str) -> None:
    before = host.snapshot()
    said = host.fails("ns_route", **{**WEB, **options})["msg"]
    assert message in said, said
    assert host.snapshot() == before


def test_one_item_that_fails_does_not_stop_the_others(host: Host) -> None:
    items = [
        {"gateway": "172.17.0.1"},
        {"destination": "10.9.0.0/16", "gateway": "192.0.2.1"},
        {"gateway": "fd00:17::1"},
    ]
    failed = host.fails("ns_route", **WEB, aggregate=items)
    assert failed["msg"].startswith(
        "1 of 3 items failed. route 10.9.0.0/16 in netns 'web': gateway: 192.0.2.1 is in no on-link subnet"
    )
    assert [one.get("failed", False) for one in failed["results"]] == [False, True, False]
    assert (defaults(host), defaults(host, 6)) == ([("172.17.0.1", 0)], [("fd00:17::1", 1024)])


ALL: list[dict[str, Any]] = [
    {"gateway": "172.17.0.1"},
    {"gateway": "fd00:17::1"},
    {"destination": "10.9.0.0/16", "gateway": "172.17.0.7", "mtu": 1400},
    {"destination": "10.8.0.0/16", "type": "blackhole"},
    {"destination": "fd08::/64", "type": "unreachable"},
    {"destination": "10.6.0.0/16", "nexthops": [{"gateway": "172.17.0.7"}, {"gateway": "172.17.0.8", "weight": 3}]},
    {"destination": "fd06::/64", "nexthops": [{"gateway": "fd00:17::7"}, {"gateway": "fd00:17::8"}]},
    {"destination": "10.5.0.0/16", "interface": "eth0", "metric": 7, "table": "70000"},
    {"gateway": "172.17.0.1", "table": "100", "rule_source": "10.9.0.0/24"},
    {"gateway": "fd00:17::1", "table": "100", "rule_source": "fd00:9::/64"},
]


def everything(host: Host) -> str:
    """All routes and policy rules of the container, those left out that come with addresses."""
    lines = host.run(
        "for family in 4 6; do ip -n web -d -$family route show table all; ip -n web -d -$family rule show; done"
    ).stdout.splitlines()
    return "\n".join(line for line in lines if "proto kernel" not in line)


def test_what_is_no_longer_asked_for_goes_and_nothing_of_others(host: Host) -> None:
    host.run(
        "ip -n web route add 10.7.0.0/16 via 172.17.0.9; ip -n web route add blackhole 10.7.0.0/16 table 100 proto static; "
        "ip -n web rule add from 10.7.0.0/24 lookup 100 priority 7; ip -n web -6 route add default via fd00:17::9 metric 5 proto ra"
    )
    bare = everything(host)
    common: dict[str, Any] = {**WEB, "exclusive": True}
    for number, kept in enumerate(ALL):
        host.settles("ns_route", **common, aggregate=ALL)
        done = host.settles("ns_route", **common, aggregate=[kept])
        assert "no_longer_asked_for" in done["results"][0]["before"], number
        left = everything(host)
        host.settles("ns_route", **common, state="absent")
        assert everything(host) == bare
        host.module("ns_route", **common, aggregate=[kept])
        assert everything(host) == left


def test_what_is_no_longer_asked_for_goes_in_the_options_of_a_route(host: Host) -> None:
    """In place, with no moment without it; what is moved to another metric is there before."""
    for family, gateway, metric in ((4, "172.17.0.1", 0), (6, "fd00:17::1", 1024)):
        common: dict[str, Any] = {**WEB, "gateway": gateway, "exclusive": True}
        source = {4: "172.17.0.2", 6: "fd00:17::2"}[family]
        for option in (
            {"mtu": 1400},
            {"advmss": 1000},
            {"source": source},
            {"metric": 50},
            {"onlink": True, "interface": "eth0"},
        ):
            host.settles("ns_route", **common)
            plain = everything(host)
            host.settles("ns_route", **common, **option)
            assert everything(host) != plain
            seen = monitored(host, lambda: host.settles("ns_route", **common))  # noqa: B023
            assert everything(host) == plain
            assert not seen[0].startswith("Deleted"), seen
        assert defaults(host, family) == [(gateway, metric)]
