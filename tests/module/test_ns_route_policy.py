# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ns_route and its policy rule (E5): unique, with a priority that stays, and removed exactly if it is ours."""

from __future__ import annotations

from typing import Any

import pytest
from wires import Host

LED: dict[str, Any] = {"netns": "web", "gateway": "10.9.0.1", "table": "100", "rule_source": "10.9.0.0/24"}
LED6: dict[str, Any] = {"netns": "web", "gateway": "fd00:9::1", "table": "70000", "rule_source": "fd00:9::/64"}
OURS = "20100: from 10.9.0.0/24 lookup 100 proto 76"


@pytest.fixture(autouse=True)
def web(host: Host) -> None:
    """A container on two bridges, with a default route by the first."""
    host.bridge("br0", "172.17.0.1/16", "fd00:17::1/64")
    host.bridge("br1", "10.9.0.1/24", "fd00:9::1/64")
    host.container("web", "172.17.0.2/16", "fd00:17::2/64")
    host.container("web", "10.9.0.2/24", "fd00:9::2/64", bridge="br1", interface="eth1")
    host.run("ip -n web route add default via 172.17.0.1 && ip -n web -6 route add default via fd00:17::1")


def rules(host: Host, family: int = 4, netns: str = "web") -> list[str]:
    """The policy rules, in the kernel's order, those left out that every namespace has."""
    lines = host.run(f"ip {f'-n {netns} ' if netns else ''}-{family} -d rule show").stdout.splitlines()
    return [" ".join(line.split()) for line in lines if "proto kernel" not in line]


def table(host: Host, number: str, family: int = 4) -> list[str]:
    """The routes of a table."""
    lines = host.run(f"ip -n web -{family} route show table {number}", check=False).stdout.splitlines()
    return [" ".join(line.split()) for line in lines]


@pytest.mark.parametrize(
    ("options", "rule", "command"),
    [
        (LED, OURS, "ip -n web rule add from 10.9.0.0/24 lookup 100 priority 20100 proto 76"),
        (
            {**LED, "rule_source": "10.9.0.2", "rule_priority": 7},
            "7: from 10.9.0.2 lookup 100 proto 76",
            "ip -n web rule add from 10.9.0.2/32 lookup 100 priority 7 proto 76",
        ),
        (
            {**LED, "rule_source": "0.0.0.0/0"},
            "20100: from all lookup 100 proto 76",
            "ip -n web rule add from 0.0.0.0/0 lookup 100 priority 20100 proto 76",
        ),
        (
            LED6,
            "20000: from fd00:9::/64 lookup 70000 proto 76",
            "ip -n web -6 rule add from fd00:9::/64 lookup 70000 priority 20000 proto 76",
        ),
    ],
)
def test_e5_a_route_and_its_rule_are_set_and_removed(
    host: Host, options: dict[str, Any], rule: str, command: str
) -> None:
    """E5: the rule is there once; absent takes both; the commands do the same when they are pasted."""
    family = 6 if ":" in options["gateway"] else 4
    before = host.snapshot()
    done = host.settles("ns_route", **options)
    assert rules(host, family) == [rule]
    assert done["commands"][1:] == [command]
    assert done["after"]["rule_priority"] == int(rule.split(":")[0])
    assert f"rule_priority {rule.split(':')[0]}\n" in done["diff"]["after"]
    there = host.snapshot()
    gone = host.settles("ns_route", **options, state="absent")
    assert (gone["before"], gone["after"]) == (done["after"], {})
    assert host.snapshot() == before
    host.run(" && ".join(done["commands"]))
    assert host.snapshot() == there
    host.run(" && ".join(gone["commands"]))
    assert host.snapshot() == before


@pytest.mark.needs("strace")
def test_e5_a_second_run_and_check_mode_write_nothing(host: Host) -> None:
    both = {**LED, "aggregate": [{}, {"destination": "10.7.0.0/16"}]}
    result, writes = host.writes("ns_route", check=True, **both)
    assert (result["changed"], writes) == (True, [])
    result, writes = host.writes("ns_route", **both)
    assert writes == ["RTM_NEWROUTE", "RTM_NEWRULE", "RTM_NEWROUTE"]
    result, writes = host.writes("ns_route", **both)
    assert (result["changed"], writes) == (False, [])
    result, writes = host.writes("ns_route", **both, state="absent")
    assert writes == ["RTM_DELROUTE", "RTM_DELRULE", "RTM_DELROUTE"], "the rule with the last route"
    result, writes = host.writes("ns_route", **both, state="absent")
    assert (result["changed"], writes) == (False, [])


def test_e5_another_priority_takes_the_place_of_the_old_one_without_a_gap(host: Host) -> None:
    host.settles("ns_route", **LED)
    done = host.settles("ns_route", **LED, rule_priority=500)
    assert done["commands"] == [
        "ip -n web rule add from 10.9.0.0/24 lookup 100 priority 500 proto 76",
        "ip -n web rule del from 10.9.0.0/24 lookup 100 priority 20100 proto 76",
    ]
    assert (done["diff"]["before"], done["diff"]["after"]) == ("rule_priority 20100\n", "rule_priority 500\n")
    assert rules(host) == ["500: from 10.9.0.0/24 lookup 100 proto 76"]
    assert host.module("ns_route", **LED)["changed"] is False, "what is not given is left alone"


def test_e5_what_a_stopped_run_left_becomes_one_rule(host: Host) -> None:
    host.run("".join(f"ip -n web rule add from 10.9.0.0/24 lookup 100 priority {one} proto 76; " for one in (500, 600)))
    host.settles("ns_route", **LED)
    assert rules(host) == ["500: from 10.9.0.0/24 lookup 100 proto 76"]


@pytest.mark.parametrize("asked", [{}, {"rule_priority": 500}])
def test_e5_a_rule_of_others_serves_as_well_and_stays(host: Host, asked: dict[str, Any]) -> None:
    host.run("ip -n web rule add from 10.9.0.0/24 lookup 100 priority 500")
    [foreign] = rules(host)
    done = host.settles("ns_route", **LED, **asked)
    assert (len(done["commands"]), done["after"]["rule_priority"]) == (1, 500)
    assert rules(host) == [foreign]
    host.settles("ns_route", **LED, **asked, state="absent")
    assert rules(host) == [foreign]
    assert table(host, "100") == []


def test_e5_beside_one_of_others_ours_gets_the_priority_that_was_asked_for(host: Host) -> None:
    host.run("ip -n web rule add from 10.9.0.0/24 lookup 100 priority 500 proto static")
    [foreign] = rules(host)
    host.settles("ns_route", **LED, rule_priority=400)
    assert rules(host) == ["400: from 10.9.0.0/24 lookup 100 proto 76", foreign]
    host.settles("ns_route", **LED, state="absent")
    assert rules(host) == [foreign]


CONDITIONS = [
    "iif eth1", "oif eth1", "fwmark 7", "to 192.0.2.0/24", "tos 0x10", "ipproto tcp", "ipproto tcp sport 80", "ipproto udp dport 53",
    "uidrange 0-100", "suppress_prefixlength 0", "suppress_ifgroup 5", "not", "realms 4",
]  # fmt: skip


def test_e5_a_rule_with_another_condition_is_another_rule(host: Host) -> None:
    """E5: whoever made it, it is neither taken for the one that is asked for nor removed with it."""
    for place, one in enumerate(CONDITIONS, 100):
        words = f"{one} from 10.9.0.0/24" if one == "not" else f"from 10.9.0.0/24 {one}"
        host.run(f"ip -n web rule add {words} lookup 100 priority {place} proto {76 if place % 2 else 4}")
    host.run("ip -n web rule add from 10.9.0.0/24 priority 90 blackhole proto 76")
    host.run("ip -n web rule add from 10.9.0.0/24 priority 91 goto 200 proto 76")
    others = rules(host)
    assert len(others) == len(CONDITIONS) + 2
    host.settles("ns_route", **LED)
    assert rules(host) == [*others, OURS]
    host.settles("ns_route", **LED, state="absent")
    assert rules(host) == others


def test_e5_the_rule_goes_with_the_last_route_of_ours_in_its_table(host: Host) -> None:
    more = {**LED, "destination": "10.7.0.0/16"}
    host.settles("ns_route", **LED)
    host.settles("ns_route", **more)
    host.run("ip -n web route add 10.6.0.0/16 via 10.9.0.1 table 100")
    host.settles("ns_route", **LED, state="absent")
    assert rules(host) == [OURS]
    host.settles("ns_route", **more, state="absent")
    assert rules(host) == []
    assert table(host, "100") == ["10.6.0.0/16 via 10.9.0.1 dev eth1"], "what others put there stays"


@pytest.mark.parametrize("destination", ["10.7.0.0/16", "fd00:7::/64"])
def test_e5_several_at_once_of_one_table_go_at_once(host: Host, destination: str) -> None:
    led = LED6 if ":" in destination else LED
    family = 6 if ":" in destination else 4
    gateway = led["gateway"]
    led = {name: value for name, value in led.items() if name != "gateway"}
    items = [{"gateway": gateway}, {"destination": destination, "type": "blackhole"}]
    host.settles("ns_route", **led, aggregate=items)
    assert (len(rules(host, family)), len(table(host, led["table"], family))) == (1, 2)
    host.settles("ns_route", **led, aggregate=items, state="absent")
    assert (rules(host, family), table(host, led["table"], family)) == ([], [])


def test_e5_a_route_that_two_sources_are_led_to_goes_with_the_second(host: Host) -> None:
    other = {**LED, "rule_source": "10.8.0.0/24"}
    host.settles("ns_route", **LED)
    host.settles("ns_route", **other)
    done = host.settles("ns_route", **LED, state="absent")
    assert (done["after"]["gateway"], done["after"]["rule_source"]) == ("10.9.0.1", None)
    assert rules(host) == ["20100: from 10.8.0.0/24 lookup 100 proto 76"]
    assert len(table(host, "100")) == 1
    assert host.module("ns_route", **other)["changed"] is False
    host.settles("ns_route", **other, state="absent")
    assert (rules(host), table(host, "100")) == ([], [])


def test_e5_a_rule_whose_route_went_with_its_interface_is_found_and_removed(host: Host) -> None:
    host.settles("ns_route", **LED)
    host.run("ip -n web link set eth1 down && ip -n web link set eth1 up")
    assert (rules(host), table(host, "100")) == ([OURS], [])
    assert len(host.settles("ns_route", **LED)["commands"]) == 1
    host.run("ip -n web link set eth1 down && ip -n web link set eth1 up")
    gone = host.settles("ns_route", **LED, state="absent")
    assert gone["diff"]["before"] == "netns web\ntable 100\nrule_source 10.9.0.0/24\nrule_priority 20100\n"
    assert rules(host) == []


def test_e5_on_the_host_itself(host: Host) -> None:
    before = host.snapshot()
    options = {"destination": "192.0.2.0/24", "interface": "br1", "table": "100", "rule_source": "10.9.0.0/24"}
    host.settles("ns_route", **options)
    assert rules(host, netns="") == [OURS]
    host.settles("ns_route", **options, state="absent")
    assert host.snapshot() == before


def test_e5_wiring_info_tells_the_route_with_its_rule(host: Host) -> None:
    done = host.settles("ns_route", **LED)
    told = host.module("wiring_info", gather=["routes"], netns=["web"])["wiring"]["routes"]
    assert [one for one in told if one["rule_source"]] == [done["after"]]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"table": "main"}, "rule_source: every packet comes to the table main anyway; give the route a table of its own"),
    ({"rule_source": "10.9.0.2/24"}, "rule_source: '10.9.0.2/24' is not a network"),
    ({"rule_source": "fd00:9::/64"}, "rule_source: fd00:9::/64 is not of the same address family as the route 0.0.0.0/0."),
    ({"rule_priority": 0}, "rule_priority: 0 is out of bounds; it must be from 1 to 32765."),
    ({"rule_priority": 32766}, "rule_priority: 32766 is out of bounds"),
    ({"rule_source": None, "rule_priority": 7}, "missing parameter(s) required by 'rule_priority': rule_source"),
]  # fmt: skip


def test_bad_input_changes_nothing(host: Host) -> None:
    host.all_refused("ns_route", LED, BAD)
