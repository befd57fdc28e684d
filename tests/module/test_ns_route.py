# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ns_route: every option is set, read back, repeated, changed in place and removed."""

from __future__ import annotations

from typing import Any

import pytest
from wires import Host

WEB: dict[str, Any] = {"netns": "web"}


@pytest.fixture(autouse=True)
def web(host: Host) -> None:
    """A container with two interfaces and addresses of both families, and no routes but those of its subnets."""
    host.bridge("br0", "172.17.0.1/16", "fd00:17::1/64")
    host.bridge("br1")
    host.container("web", "172.17.0.2/16", "fd00:17::2/64")
    host.container("web", "10.1.0.2/24", "fd00:1::2/64", bridge="br1", interface="eth1")


def routes(host: Host, what: str = "default", family: int = 4) -> list[str]:
    """The routes that ``ip route show`` prints for a destination, sorted, as words without what is always there."""
    printed = host.run(f"ip -n web -{family} route show {what}", check=False).stdout
    lines = [line.strip().removeprefix("default ") for line in printed.splitlines()]
    return sorted(
        line.replace(" proto 76", "").replace(" pref medium", "").replace("  ", " ").strip() for line in lines
    )


@pytest.mark.both_ends
def test_a_default_route_is_set_and_removed(host: Host) -> None:
    done = host.settles("ns_route", **WEB, gateway="172.17.0.1")
    assert done["before"] == {}
    assert done["after"] == {
        "destination": "default",
        "family": "ipv4",
        "netns": "web",
        "table": "main",
        "metric": 0,
        "type": "unicast",
        "gateway": "172.17.0.1",
        "interface": "eth0",
        "source": None,
        "scope": "global",
        "mtu": None,
        "advmss": None,
        "onlink": False,
        "nexthops": [],
        "rule_source": None,
        "rule_priority": None,
    }
    assert done["diff"]["after_header"] == "route default in netns 'web'"
    assert done["commands"] == ["ip -n web route add default via 172.17.0.1 dev eth0 proto 76"]
    assert routes(host) == ["via 172.17.0.1 dev eth0"]
    assert host.ip("-n web route show default")[0]["protocol"] == "76"
    gone = host.settles("ns_route", **WEB, gateway="172.17.0.1", state="absent")
    assert (gone["before"], gone["after"]) == (done["after"], {})
    assert gone["commands"] == ["ip -n web route del default via 172.17.0.1 dev eth0"]
    assert routes(host) == []


@pytest.mark.both_ends
def test_a_default_route_of_ipv6(host: Host) -> None:
    done = host.settles("ns_route", **WEB, gateway="fd00:17::1")
    assert (done["after"]["family"], done["after"]["metric"]) == ("ipv6", 1024)
    assert done["diff"]["after_header"] == "route default (IPv6) in netns 'web'"
    assert routes(host, family=6) == ["via fd00:17::1 dev eth0 metric 1024"]
    host.settles("ns_route", **WEB, family="ipv6", state="absent")
    assert routes(host, family=6) == []


@pytest.mark.needs("strace")
def test_a_second_run_and_check_mode_write_nothing(host: Host) -> None:
    options = {**WEB, "gateway": "172.17.0.1", "metric": 5, "mtu": 1400}
    result, writes = host.writes("ns_route", check=True, **options)
    assert (result["changed"], writes) == (True, [])
    result, writes = host.writes("ns_route", **options)
    assert (result["changed"], writes) == (True, ["RTM_NEWROUTE"])
    result, writes = host.writes("ns_route", **options)
    assert (result["changed"], writes) == (False, [])


@pytest.mark.parametrize(
    ("option", "first", "second", "words"),
    [
        ("gateway", "172.17.0.1", "172.17.0.3", ("via 172.17.0.1 dev eth0", "via 172.17.0.3 dev eth0")),
        ("interface", "eth0", "eth1", ("dev eth0 scope link", "dev eth1 scope link")),
        ("metric", 7, 9, ("via 172.17.0.1 dev eth0 metric 7", "via 172.17.0.1 dev eth0 metric 9")),
        (
            "source",
            "172.17.0.2",
            "10.1.0.2",
            ("via 172.17.0.1 dev eth0 src 172.17.0.2", "via 172.17.0.1 dev eth0 src 10.1.0.2"),
        ),
        ("mtu", 1400, 1300, ("via 172.17.0.1 dev eth0 mtu 1400", "via 172.17.0.1 dev eth0 mtu 1300")),
        ("advmss", 1360, 1260, ("via 172.17.0.1 dev eth0 advmss 1360", "via 172.17.0.1 dev eth0 advmss 1260")),
        ("onlink", True, False, ("via 172.17.0.1 dev eth0 onlink", "via 172.17.0.1 dev eth0")),
    ],
)
@pytest.mark.both_ends
def test_e3_one_attribute_of_an_ipv4_route(
    host: Host, option: str, first: Any, second: Any, words: tuple[str, str]
) -> None:
    """E3: an attribute is set, and changed again in place; only it is in the diff."""
    way: dict[str, Any] = {} if option == "interface" else {"gateway": "172.17.0.1", "interface": "eth0"}
    for value, expected in zip((first, second), words, strict=True):
        done = host.settles("ns_route", **WEB, **{**way, option: value})
        assert done["after"][option] == value
        assert routes(host) == [expected]
    assert done["diff"] == {
        "before_header": "route default in netns 'web'",
        "after_header": "route default in netns 'web'",
        "before": f"{option} {str(first).lower() if isinstance(first, bool) else first}\n",
        "after": f"{option} {str(second).lower() if isinstance(second, bool) else second}\n",
    }
    if option != "metric":
        assert len(done["commands"]) == 1
        assert done["commands"][0].startswith("ip -n web route replace default ")
    way[option] = second
    assert host.module("ns_route", **WEB, **way)["changed"] is False
    if option not in ("gateway", "interface"):
        del way[option]
        assert host.module("ns_route", **WEB, **way)["changed"] is False, "what is not given is left alone"


@pytest.mark.parametrize(
    ("option", "first", "second", "words"),
    [
        (
            "gateway",
            "fd00:17::1",
            "fd00:17::3",
            ("via fd00:17::1 dev eth0 metric 1024", "via fd00:17::3 dev eth0 metric 1024"),
        ),
        ("metric", 7, 9, ("via fd00:17::1 dev eth0 metric 7", "via fd00:17::1 dev eth0 metric 9")),
        (
            "source",
            "fd00:17::2",
            "fd00:1::2",
            ("via fd00:17::1 dev eth0 src fd00:17::2 metric 1024", "via fd00:17::1 dev eth0 src fd00:1::2 metric 1024"),
        ),
        (
            "mtu",
            1400,
            1300,
            ("via fd00:17::1 dev eth0 metric 1024 mtu 1400", "via fd00:17::1 dev eth0 metric 1024 mtu 1300"),
        ),
        (
            "advmss",
            1360,
            1260,
            ("via fd00:17::1 dev eth0 metric 1024 advmss 1360", "via fd00:17::1 dev eth0 metric 1024 advmss 1260"),
        ),
        ("onlink", True, False, ("via fd00:17::1 dev eth0 metric 1024 onlink", "via fd00:17::1 dev eth0 metric 1024")),
    ],
)
@pytest.mark.both_ends
def test_e3_one_attribute_of_an_ipv6_route(
    host: Host, option: str, first: Any, second: Any, words: tuple[str, str]
) -> None:
    """E3 for IPv6."""
    way = {"destination": "2001:db8::/32", "gateway": "fd00:17::1", "interface": "eth0"}
    for value, expected in zip((first, second), words, strict=True):
        host.settles("ns_route", **WEB, **{**way, option: value})
        assert [line.removeprefix("2001:db8::/32 ") for line in routes(host, "2001:db8::/32", 6)] == [expected]


def test_e3_an_ipv6_route_to_where_its_own_gateway_is_said_to_be(host: Host) -> None:
    """The kernel takes none in place of one that leads there by another interface."""
    host.run("ip -n web link add tun0 up type veth peer name tun1 && ip -n web link set tun1 up")
    way: dict[str, Any] = {"destination": "fd00:99::/64"}
    host.module("ns_route", **WEB, **way, gateway="fd00:17::1", interface="eth0")
    host.settles("ns_route", **WEB, **way, gateway="fd00:99::", interface="tun0", onlink=True)
    assert routes(host, "fd00:99::/64", 6) == ["fd00:99::/64 via fd00:99:: dev tun0 metric 1024 onlink"]


@pytest.mark.parametrize("drift", ["mtu 1300", "advmss 1200", "src 10.1.0.2", "onlink"])
def test_e3_drift_is_repaired_in_that_route_only(host: Host, drift: str) -> None:
    wanted = {**WEB, "gateway": "172.17.0.1", "mtu": 1400, "advmss": 1360, "source": "172.17.0.2", "onlink": False}
    words = "via 172.17.0.1 dev eth0 src 172.17.0.2 mtu 1400 advmss 1360"
    host.run("ip -n web route add 192.0.2.0/24 via 172.17.0.1 mtu 1200")
    host.module("ns_route", **wanted)
    kept = dict(zip(words.split()[::2], words.split()[1::2], strict=True))
    kept[drift.split()[0]] = drift.partition(" ")[2]
    host.run("ip -n web route replace default " + " ".join(f"{name} {value}" for name, value in kept.items()))
    assert routes(host) != [words]
    done = host.settles("ns_route", **wanted)
    assert routes(host) == [words]
    option = {"src": "source"}.get(drift.split()[0], drift.split()[0])
    assert [line.split()[0] for line in done["diff"]["before"].splitlines()] == [option]
    assert routes(host, "192.0.2.0/24") == ["192.0.2.0/24 via 172.17.0.1 dev eth0 mtu 1200"]


@pytest.mark.parametrize("kind", ["blackhole", "unreachable", "prohibit", "throw"])
@pytest.mark.parametrize(("destination", "family"), [("10.9.0.0/16", 4), ("fd00:9::/32", 6)])
def test_route_types(host: Host, kind: str, destination: str, family: int) -> None:
    done = host.settles("ns_route", **WEB, destination=destination, type=kind)
    assert (done["after"]["type"], done["after"]["gateway"], done["after"]["interface"]) == (kind, None, None)
    shown = host.run(f"ip -n web -{family} route show type {kind}").stdout
    assert shown.startswith(f"{kind} {destination} ")
    gateway = "172.17.0.1" if family == 4 else "fd00:17::1"
    host.settles("ns_route", **WEB, destination=destination, type="unicast", gateway=gateway)
    assert [line.split(" dev ")[0] for line in routes(host, destination, family)] == [f"{destination} via {gateway}"]
    host.settles("ns_route", **WEB, destination=destination, state="absent")
    assert routes(host, destination, family) == []


@pytest.mark.parametrize(
    ("table", "shown", "canonical"), [("100", "100", "100"), ("70000", "70000", "70000"), ("253", "default", "default")]
)
def test_tables(host: Host, table: str, shown: str, canonical: str) -> None:
    done = host.settles("ns_route", **WEB, gateway="172.17.0.1", table=table)
    assert done["after"]["table"] == canonical
    assert host.ip(f"-n web route show table {shown}")[0]["gateway"] == "172.17.0.1"
    assert routes(host) == []
    host.settles("ns_route", **WEB, gateway="172.17.0.1", table=canonical, state="absent")
    assert host.run(f"ip -n web route show table {shown}", check=False).stdout == ""


@pytest.mark.parametrize("table", ["main", "200"])
def test_a_table_of_ipv6(host: Host, table: str) -> None:
    host.settles("ns_route", **WEB, destination="2001:db8::/32", gateway="fd00:17::1", table=table)
    assert host.ip(f"-n web -6 route show 2001:db8::/32 table {table}")[0]["gateway"] == "fd00:17::1"
    host.settles("ns_route", **WEB, destination="2001:db8::/32", table=table, state="absent")


@pytest.mark.parametrize("scope", ["link", "host", "site"])
def test_scopes(host: Host, scope: str) -> None:
    done = host.settles("ns_route", **WEB, destination="192.0.2.0/24", interface="eth0", scope=scope)
    assert done["after"]["scope"] == scope
    assert host.ip("-n web route show 192.0.2.0/24")[0]["scope"] == scope
    host.settles("ns_route", **WEB, destination="192.0.2.0/24", interface="eth0", scope="global")
    assert "scope" not in host.run("ip -n web route show 192.0.2.0/24").stdout


@pytest.mark.parametrize(
    ("family", "one", "other", "third"),
    [(4, "172.17.0.1", "10.1.0.1", "172.17.0.9"), (6, "fd00:17::1", "fd00:1::1", "fd00:17::9")],
)
@pytest.mark.both_ends
def test_nexthops(host: Host, family: int, one: str, other: str, third: str) -> None:
    def ways() -> list[tuple[str, str, int]]:
        shown = host.ip(f"-n web -{family} route show default")
        return sorted((hop["gateway"], hop["dev"], hop["weight"]) for route in shown for hop in route["nexthops"])

    hops = [{"gateway": one}, {"gateway": other, "interface": "eth1", "weight": 3}]
    done = host.settles("ns_route", **WEB, family=f"ipv{family}", nexthops=hops)
    expected: list[dict[str, Any]] = [
        {"gateway": one, "interface": "eth0", "weight": 1},
        {"gateway": other, "interface": "eth1", "weight": 3},
    ]
    assert done["after"]["nexthops"] == sorted(expected, key=lambda hop: str(hop["gateway"]))
    assert ways() == sorted([(one, "eth0", 1), (other, "eth1", 3)])
    assert host.module("ns_route", **WEB, family=f"ipv{family}", nexthops=hops[::-1])["changed"] is False
    hops[0] = {"gateway": third, "weight": 2}
    host.settles("ns_route", **WEB, family=f"ipv{family}", nexthops=hops)
    assert ways() == sorted([(third, "eth0", 2), (other, "eth1", 3)])
    host.settles("ns_route", **WEB, family=f"ipv{family}", nexthops=hops, state="absent")
    assert routes(host, family=family) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"gateway": "172.17.0.1"}, {"destination": "0.0.0.0/0", "gateway": "172.17.0.1", "table": "254"}),
        (
            {"gateway": "fd00:17::1"},
            {"destination": "::/0", "gateway": "FD00:17:0::1", "family": "ipv6", "metric": 1024},
        ),
        (
            {"destination": "10.9.0.0/255.255.0.0", "gateway": "172.17.0.1"},
            {"destination": "10.9.0.0/16", "interface": "eth0"},
        ),
        ({"destination": "192.0.2.7", "gateway": "172.17.0.1"}, {"destination": "192.0.2.7/32", "type": "unicast"}),
        (
            {"destination": "2001:DB8::/32", "gateway": "fd00:17::1", "scope": "link"},
            {"destination": "2001:db8:0::/32"},
        ),
        ({"gateway": "172.17.0.1", "mtu": "1400"}, {"gateway": "172.17.0.1", "mtu": 1400, "scope": "global"}),
        ({"destination": "::FFFF:a09:0/112", "gateway": "fd00:17::1"}, {"destination": "::ffff:10.9.0.0/112"}),
    ],
)
def test_a5_equivalent_spellings_are_no_change(host: Host, first: dict[str, Any], second: dict[str, Any]) -> None:
    done = host.settles("ns_route", **WEB, **first)
    again = host.settles("ns_route", **WEB, **second)
    assert (done["changed"], again["changed"]) == (True, False)
    assert again["after"] == done["after"]
