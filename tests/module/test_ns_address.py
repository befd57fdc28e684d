# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ns_address with a fixed address: every option is set, read back, repeated, changed and removed."""

from __future__ import annotations

from typing import Any

import pytest
from wires import Host

WEB: dict[str, Any] = {"netns": "web", "interface": "eth0"}
FOREVER = 4294967295


@pytest.fixture(autouse=True)
def web(host: Host) -> None:
    """A bridge without addresses and a container on it without any."""
    host.bridge("br0")
    host.container("web")


@pytest.mark.parametrize(
    ("address", "family", "label"), [("172.17.0.9/16", "ipv4", "eth0"), ("fd00:17::9/64", "ipv6", None)]
)
@pytest.mark.both_ends
def test_an_address_is_set_and_removed(host: Host, address: str, family: str, label: str | None) -> None:
    done = host.settles("ns_address", **WEB, address=address)
    assert done["before"] == {}
    assert done["after"] == {
        "address": address,
        "ip": address.split("/")[0],
        "prefix": int(address.split("/")[1]),
        "family": family,
        "interface": "eth0",
        "netns": "web",
        "owner": "web/eth0",
        "gateway": None,
        "scope": "global",
        "label": label,
        "broadcast": None,
        "peer": None,
        "valid_lft": "forever",
        "preferred_lft": "forever",
        "noprefixroute": False,
    }
    assert done["diff"]["after_header"] == f"address {address} on eth0 in netns 'web'"
    assert f"address {address}\n" in done["diff"]["after"]
    assert host.addresses("web") == [address]

    gone = host.settles("ns_address", **WEB, address=address, state="absent")
    assert (gone["before"], gone["after"]) == (done["after"], {})
    assert gone["commands"] == [f"ip -n web address del {address} dev eth0"]
    assert host.addresses("web") == []


@pytest.mark.needs("strace")
def test_a_second_run_writes_nothing(host: Host) -> None:
    host.module("ns_address", **WEB, address="172.17.0.9/16", label="eth0:1", exclusive=True)
    result, writes = host.writes("ns_address", **WEB, address="172.17.0.9/16", label="eth0:1", exclusive=True)
    assert (result["changed"], writes) == (False, [])


@pytest.mark.needs("strace")
def test_check_mode_writes_nothing(host: Host) -> None:
    result, writes = host.writes("ns_address", check=True, **WEB, address="172.17.0.9/16")
    assert (result["changed"], writes) == (True, [])


def test_the_commands_do_the_same(host: Host) -> None:
    options = {**WEB, "address": "172.17.0.9/24", "broadcast": "172.17.0.255", "scope": "link", "label": "eth0:web"}
    commands = host.module("ns_address", check=True, announce=False, **options)["commands"]
    assert commands == ["ip -n web address add 172.17.0.9/24 broadcast 172.17.0.255 dev eth0 label eth0:web scope link"]
    host.run(commands[0])
    assert host.module("ns_address", **options)["changed"] is False


@pytest.mark.parametrize(
    ("option", "first", "second", "field", "values"),
    [
        ("scope", "link", "site", "scope", ("link", "site")),
        ("label", "eth0:a", "eth0:b", "label", ("eth0:a", "eth0:b")),
        ("broadcast", "172.17.255.255", "172.17.0.255", "broadcast", ("172.17.255.255", "172.17.0.255")),
        ("noprefixroute", True, False, "noprefixroute", (True, None)),
    ],
)
@pytest.mark.both_ends
def test_an_ipv4_attribute_is_set_and_changed(
    host: Host, option: str, first: Any, second: Any, field: str, values: tuple[Any, Any]
) -> None:
    for value, seen in zip((first, second), values, strict=True):
        done = host.settles("ns_address", **WEB, address="172.17.0.9/16", **{option: value})
        assert done["after"][option] == value
        own = host.ip("-n web -4 addr show dev eth0")[0]["addr_info"]
        assert [one.get(field) for one in own] == [seen]
    changed = [line.split()[0] for line in done["diff"]["after"].splitlines()]
    assert changed == [option], "only what changes is in the diff"
    assert host.module("ns_address", **WEB, address="172.17.0.9/16")["changed"] is False, (
        "what is not given is left alone"
    )


@pytest.mark.parametrize("address", ["172.17.0.9/16", "fd00:17::9/64"])
def test_lifetimes_run_down_and_are_not_set_again(host: Host, address: str) -> None:
    def lifetimes() -> tuple[int, int]:
        one = host.details("web")[0]
        return one["valid_life_time"], one["preferred_life_time"]

    done = host.settles("ns_address", **WEB, address=address, valid_lft=600, preferred_lft=300)
    assert (done["after"]["valid_lft"], done["after"]["preferred_lft"]) == (600, 300)
    assert 595 <= lifetimes()[0] <= 600
    assert 295 <= lifetimes()[1] <= 300
    host.run(f"ip -n web addr change {address} dev eth0 valid_lft 500 preferred_lft 200")
    assert host.module("ns_address", **WEB, address=address, valid_lft=600, preferred_lft=300)["changed"] is False

    longer = host.settles("ns_address", **WEB, address=address, valid_lft=400, preferred_lft=150)
    assert longer["changed"] is True, "a longer one than asked for is cut"
    assert 395 <= lifetimes()[0] <= 400

    forever = host.settles("ns_address", **WEB, address=address, valid_lft="forever", preferred_lft="forever")
    assert forever["diff"]["after"] == "valid_lft forever\npreferred_lft forever\n"
    assert lifetimes() == (FOREVER, FOREVER)


@pytest.mark.both_ends
def test_noprefixroute_is_changed_in_place_for_ipv6(host: Host) -> None:
    def prefix_routes() -> int:
        return len(host.ip("-n web -6 route show fd00:17::/64"))

    host.settles("ns_address", **WEB, address="fd00:17::9/64", noprefixroute=True)
    assert prefix_routes() == 0
    done = host.settles("ns_address", **WEB, address="fd00:17::9/64", noprefixroute=False, announce=False)
    assert done["commands"] == ["ip -n web address replace fd00:17::9/64 dev eth0 nodad"]
    assert prefix_routes() == 1


def test_peers_are_known_apart(host: Host) -> None:
    """An IPv4 address may be there once for each peer; the other one stays."""
    done = host.settles("ns_address", **WEB, address="10.9.0.1/32", peer="10.9.0.2")
    assert (done["after"]["address"], done["after"]["peer"]) == ("10.9.0.1/32", "10.9.0.2")
    host.settles("ns_address", **WEB, address="10.9.0.1/32", peer="10.9.1.1/24")
    peers = [(one["local"], one["address"], one["prefixlen"]) for one in host.details("web")]
    assert peers == [("10.9.0.1", "10.9.0.2", 32), ("10.9.0.1", "10.9.1.1", 24)]
    host.settles("ns_address", **WEB, address="10.9.0.1/32", peer="10.9.0.2", state="absent")
    assert [one["address"] for one in host.details("web")] == ["10.9.1.1"]


def test_a_peer_of_ipv6(host: Host) -> None:
    done = host.settles("ns_address", **WEB, address="fd00:9::1/128", peer="fd00:9::2")
    assert done["after"]["peer"] == "fd00:9::2"
    assert [(one["local"], one["address"]) for one in host.details("web")] == [("fd00:9::1", "fd00:9::2")]
    host.settles("ns_address", **WEB, address="fd00:9::1/128", peer="fd00:9::3")
    assert [(one["local"], one["address"]) for one in host.details("web")] == [("fd00:9::1", "fd00:9::3")]
    host.settles("ns_address", **WEB, address="fd00:9::1/128", peer="fd00:9::3", state="absent")
    assert host.addresses("web") == []


def test_another_prefix_length_of_ipv6_replaces_the_address(host: Host) -> None:
    """The kernel has an IPv6 address once, whatever its prefix length."""
    host.module("ns_address", **WEB, address="fd00:17::9/128")
    done = host.settles("ns_address", **WEB, address="fd00:17::9/64")
    assert (done["before"]["prefix"], done["after"]["prefix"]) == (128, 64)
    assert host.addresses("web") == ["fd00:17::9/64"]


def test_on_the_host(host: Host) -> None:
    done = host.settles("ns_address", interface="br0", address="172.17.0.1/16")
    assert (done["after"]["netns"], done["after"]["owner"]) == (None, "host/br0")
    assert done["commands"][0] == "ip address add 172.17.0.1/16 dev br0"
    assert host.addresses("", "br0") == ["172.17.0.1/16"]


def test_a_namespace_is_named_by_its_path_too(host: Host) -> None:
    host.module("ns_address", netns="/run/netns/web", interface="eth0", address="172.17.0.9/16")
    assert host.module("ns_address", **WEB, address="172.17.0.9/16")["changed"] is False
    pid = host.spawn("exec ip netns exec web sleep 100000")
    done = host.module("ns_address", netns=f"/proc/{pid}/ns/net", interface="eth0", address="172.17.0.8/16")
    host.kill(pid)
    assert done["commands"][0] == f"nsenter --net=/proc/{pid}/ns/net ip address add 172.17.0.8/16 dev eth0"
    assert host.addresses("web") == ["172.17.0.9/16", "172.17.0.8/16"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"address": "172.17.0.9/255.255.0.0"}, {"address": "172.17.0.9/16"}),
        ({"address": "FD00:17:0:0:0:0:0:9/64"}, {"address": "fd00:17::9/64"}),
        ({"address": " 172.17.0.9/16 "}, {"address": "172.17.0.9/16"}),
        ({"address": "::FFFF:a09:102/120"}, {"address": "::ffff:10.9.1.2/120"}),
        ({"address": "::1:5/112"}, {"address": "::0.1.0.5/112"}),
        (
            {"address": "172.17.0.9/16", "valid_lft": "forever", "label": "eth0"},
            {"address": "172.17.0.9/16", "valid_lft": FOREVER, "scope": "global"},
        ),
        ({"address": "fd00:9::1/128", "peer": "FD00:9:0::2"}, {"address": "fd00:9::1/128", "peer": "fd00:9::2/128"}),
    ],
)
def test_a5_equivalent_spellings_are_no_change(host: Host, first: dict[str, Any], second: dict[str, Any]) -> None:
    done = host.settles("ns_address", **WEB, **first)
    again = host.settles("ns_address", **WEB, **second)
    assert again["changed"] is False
    assert again["after"] == done["after"]


def test_d14_a_foreign_address_stays_unless_exclusive(host: Host) -> None:
    host.run("ip -n web addr add 192.0.2.7/24 dev eth0 && ip -n web addr add 2001:db8::7/64 dev eth0 nodad")
    host.settles("ns_address", **WEB, address="172.17.0.9/16")
    assert "192.0.2.7/24" in host.addresses("web")
    done = host.settles("ns_address", **WEB, address="172.17.0.9/16", exclusive=True)
    assert done["changed"] is True
    assert (done["diff"]["before"], done["diff"]["after"]) == (
        "other_addresses 192.0.2.7/24\n",
        "other_addresses none\n",
    )
    assert host.addresses("web") == ["172.17.0.9/16", "2001:db8::7/64"], "the other family is not meant"


def test_exclusive_keeps_what_the_task_itself_asks_for(host: Host) -> None:
    host.run("ip -n web addr add 192.0.2.7/24 dev eth0")
    host.settles(
        "ns_address", **WEB, exclusive=True, aggregate=[{"address": "172.17.0.9/16"}, {"address": "10.1.0.9/24"}]
    )
    assert host.addresses("web") == ["172.17.0.9/16", "10.1.0.9/24"]


def test_loopback_removes_what_this_collection_set_on_lo_unless_the_task_asks_for_it(host: Host) -> None:
    lo = {"netns": "web", "interface": "lo"}
    host.settles("ns_address", **WEB, address="172.17.0.9/16")
    host.settles("ns_address", **lo, address="10.255.0.1/32")
    host.settles("ns_address", **lo, address="2001:db8:255::1/128")
    host.run("ip -n web addr add 10.255.9.9/32 dev lo && ip -n web route add 10.8.0.0/16 via 172.17.0.1 src 10.255.0.1")
    kept = [{**WEB, "address": "172.17.0.9/16", "loopback": True}, {**lo, "address": "10.255.0.1/32"}]
    assert host.module("ns_address", aggregate=kept)["changed"] is False
    gone = host.settles("ns_address", **WEB, address="172.17.0.9/16", loopback=True)
    assert gone["before"]["loopback_addresses"] == ["10.255.0.1/32", "2001:db8:255::1/128"]
    assert "10.255.9.9/32" in host.run("ip -n web -br addr show lo").stdout
    assert "src" not in host.run("ip -n web route show 10.8.0.0/16").stdout


def test_labs10_on_lo_nobody_is_told_or_asked(host: Host) -> None:
    """No neighbour is there. A fixed address, and one from a pool."""
    lo = {"netns": "web", "interface": "lo"}
    fixed = host.settles("ns_address", **lo, address="10.255.0.1/32")
    chosen = host.settles("ns_address", **lo, pool="10.254.0.0/24")
    for done in (fixed, chosen):
        assert not [line for line in done["commands"] if "arping" in line], done["commands"]


def test_supersede_removes_only_what_this_collection_set(host: Host) -> None:
    host.run("ip -n web addr add 192.0.2.7/24 dev eth0")
    host.module("ns_address", **WEB, address="172.17.0.9/16")
    host.settles("ns_address", **WEB, address="172.17.0.10/16", supersede=True)
    assert host.addresses("web") == ["192.0.2.7/24", "172.17.0.10/16"]


def test_removing_a_primary_address_keeps_its_secondaries(host: Host) -> None:
    host.run(
        "ip -n web addr add 172.17.0.8/16 dev eth0 && ip -n web addr add 172.17.0.9/16 dev eth0 label eth0:2 && "
        "ip -n web addr add 172.17.0.10/16 dev eth0"
    )
    done = host.settles("ns_address", **WEB, address="172.17.0.8/16", state="absent")
    assert host.addresses("web") == ["172.17.0.9/16", "172.17.0.10/16"]
    assert [one["label"] for one in host.details("web")] == ["eth0:2", "eth0"]
    assert done["commands"] == [
        "ip netns exec web sysctl -w net.ipv4.conf.eth0.promote_secondaries=1",
        "ip -n web address del 172.17.0.8/16 dev eth0",
        "ip netns exec web sysctl -w net.ipv4.conf.eth0.promote_secondaries=0",
    ]


def test_changing_a_primary_address_keeps_its_secondaries(host: Host) -> None:
    host.run("ip -n web addr add 172.17.0.8/16 dev eth0 && ip -n web addr add 172.17.0.9/16 dev eth0")
    host.settles("ns_address", **WEB, address="172.17.0.8/16", label="eth0:1")
    assert sorted(host.addresses("web")) == ["172.17.0.8/16", "172.17.0.9/16"]


# --- what the kernel takes along: no moment without a default route ---

OLD = {4: "172.17.0.8/16", 6: "fd00:17::8/64"}
GATEWAY = {4: "172.17.0.1", 6: "fd00:17::1"}


def no_moment_without_a_default_route(host: Host, family: int, **options: Any) -> Any:
    """Run ns_address on web while the kernel tells of every change of a route; what it tells of the default route must leave one at all times."""
    watch = host.spawn(f"exec ip -n web -{family} monitor route label >/run/routes.log 2>&1")
    host.run(
        f"until ip -n web route add blackhole 198.51.100.1 && ip -n web route del blackhole 198.51.100.1 && "
        f"{'ip -n web -6 route add blackhole 2001:db8::1 && ip -n web -6 route del blackhole 2001:db8::1 && ' if family == 6 else ''}"
        f"grep -q blackhole /run/routes.log; do sleep 0.02; done"
    )
    done = host.settles("ns_address", **WEB, **options)
    end = (
        "ip -n web -6 route add blackhole 2001:db8::2" if family == 6 else "ip -n web route add blackhole 198.51.100.2"
    )
    host.run(f"{end}; until grep -q -e 198.51.100.2 -e 2001:db8::2 /run/routes.log; do sleep 0.02; done")
    log = host.run("cat /run/routes.log").stdout.splitlines()
    host.kill(watch)
    deleted = [line for line in log if "Deleted" in line and "default" in line]
    assert deleted == [], log
    assert len(host.ip(f"-n web -{family} route show default")) == 1
    return done


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("source", [False, True])
@pytest.mark.parametrize(
    ("new", "options"),
    [
        ({4: "172.17.0.9/16", 6: "fd00:17::9/64"}, {"supersede": True}),
        ({4: "172.17.0.9/16", 6: "fd00:17::9/64"}, {"exclusive": True}),
        ({4: "10.3.0.9/24", 6: "fd00:3::9/64"}, {"supersede": True}),
        ({4: "172.17.0.8/12", 6: "fd00:17::8/48"}, {"supersede": True}),
        (
            {4: "172.17.0.8/16", 6: "fd00:17::8/64"},
            {4: {"label": "eth0:x"}, 6: {"valid_lft": 600, "preferred_lft": 600}},
        ),
        ({4: "172.17.0.8/16", 6: "fd00:17::8/64"}, {4: {"broadcast": "172.17.255.255"}, 6: {"noprefixroute": True}}),
    ],
)
def test_what_goes_along_a_changed_address_keeps_its_default_route(
    host: Host, family: int, source: bool, new: dict[int, str], options: dict[Any, Any]
) -> None:
    host.module("ns_address", **WEB, address=OLD[family])
    ip = OLD[family].split("/")[0]
    host.module("ns_route", netns="web", gateway=GATEWAY[family], source=ip if source else None)
    done = no_moment_without_a_default_route(host, family, address=new[family], **options.get(family, options))
    assert host.addresses("web") == [new[family]]
    (route,) = host.ip(f"-n web -{family} route show default")
    assert route.get("prefsrc") == (new[family].split("/")[0] if source else None)
    moved = source and new[family].split("/")[0] != ip
    assert ("routes" in done["before"]) == moved, done["before"]


@pytest.mark.parametrize("family", [4, 6])
def test_what_goes_along_a_removed_address_is_said(host: Host, family: int) -> None:
    """The default route stays as long as another address does; what goes with the last one of IPv4 is in the diff."""
    second = {4: "172.17.0.9/16", 6: "fd00:17::9/64"}[family]
    for text in (OLD[family], second):
        host.module("ns_address", **WEB, address=text)
    host.module("ns_route", netns="web", gateway=GATEWAY[family], source=OLD[family].split("/")[0])
    done = no_moment_without_a_default_route(host, family, address=OLD[family], state="absent")
    assert "src " + OLD[family].split("/")[0] in done["diff"]["before"]
    gone = host.settles("ns_address", **WEB, address=second, state="absent")
    assert ("default via" in gone["diff"]["before"]) == (family == 4)
    assert len(host.ip(f"-n web -{family} route show default")) == (0 if family == 4 else 1)


def test_what_goes_along_with_a_family_stays_away(host: Host) -> None:
    """An address of IPv4 takes the place of one of IPv6: the route that had that as its source goes, and is not set again without it."""
    host.module("ns_address", **WEB, address=OLD[6])
    source = OLD[6].partition("/")[0]
    host.module("ns_route", netns="web", gateway=GATEWAY[6], source=source)
    done = host.settles("ns_address", **WEB, address=OLD[4], supersede=True)
    assert [command for command in done["commands"] if "route" in command] == [
        f"ip -n web -6 route del default via {GATEWAY[6]} dev eth0 metric 1024 src {source}"
    ]
    assert host.ip("-n web -6 route show default") == []


def test_what_goes_along_in_one_task_new_addresses_of_all_families_stand_first(host: Host) -> None:
    for family in (4, 6):
        host.module("ns_address", **WEB, address=OLD[family])
        host.module("ns_route", netns="web", gateway=GATEWAY[family])
    items = [{"address": "fd00:17::9/64"}, {"address": "172.17.0.9/16"}, {"address": "10.3.0.9/24"}]
    no_moment_without_a_default_route(host, 4, supersede=True, aggregate=items)
    assert sorted(host.addresses("web")) == ["10.3.0.9/24", "172.17.0.9/16", "fd00:17::9/64"]
    assert len(host.ip("-n web -6 route show default")) == 1


@pytest.mark.both_ends
def test_all_of_ours_go_and_what_others_set_stays(host: Host) -> None:
    for address in ("172.17.0.9/16", "172.17.0.10/16", "fd00:17::9/64"):
        host.settles("ns_address", **WEB, address=address)
    host.run("ip -n web addr add 172.17.0.66/16 dev eth0 && ip -n web addr add fd00:17::66/64 dev eth0 nodad")
    gone = host.settles("ns_address", **WEB, state="absent", supersede=True)
    assert (gone["before"]["address"], gone["before"]["other_addresses"]) == (
        "172.17.0.9/16",
        ["172.17.0.10/16", "fd00:17::9/64"],
    )
    assert host.addresses("web") == ["172.17.0.66/16", "fd00:17::66/64"]
    assert not host.module("ns_address", netns="web", interface="nowhere", state="absent", supersede=True)["changed"]


def test_a_pool_that_keeps_nothing_back_for_a_gateway(host: Host) -> None:
    """Both usable addresses of a /30, and of a /31, are given out where nobody is the gateway."""
    host.container("db")
    for pool, given in (("10.0.0.0/30", {"10.0.0.1", "10.0.0.2"}), ("10.0.0.4/31", {"10.0.0.4", "10.0.0.5"})):
        both = [{"netns": netns, "pool": pool, "gateway": "none"} for netns in ("web", "db")]
        done = host.settles("ns_address", interface="eth0", bridge="br0", aggregate=both)
        assert {result["after"]["ip"] for result in done["results"]} == given
        assert [result["after"]["gateway"] for result in done["results"]] == [None, None]
