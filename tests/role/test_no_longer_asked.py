# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is no longer asked for goes: the lists change, chapter by chapter, and each time the host is as if it had been wired so; foreseen,
done, and nothing left for the next run. All nouns and changes on the kernel's twin: tests/unit/test_no_longer_asked.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from lab import Lab
from plays import Outcome, Playbook, checked, shell, snapshot, wiring

BR0: dict[str, Any] = {"name": "br0", "subnets": ["10.0.0.0/24", "fd00::/64"], "ranges": ["10.0.0.8/30"]}
WIDE: dict[str, Any] = {"name": "br0", "subnets": ["10.0.0.0/23", "fd00::/64"]}
FRONT: dict[str, Any] = {**WIDE, "name": "front"}
ROUTES: list[dict[str, Any]] = [
    {"destination": "10.9.0.0/16", "gateway": "10.0.0.7", "mtu": 1400},
    {"destination": "fd09::/64", "type": "blackhole"},
    {"table": "100", "rule_source": "10.0.0.0/24", "gateway": "10.0.0.8"},
]
WEB: dict[str, Any] = {
    "name": "web",
    "published_ports": ["8080:80"],
    "routes": ROUTES,
    "networks": [{"name": "br0", "mac_address": "02:42:0a:00:00:63"}],
}
PLAIN = {"name": "web", "published_ports": ["8080:80"]}
# By name: what others do before, and the lists.
CHAPTERS: dict[str, tuple[str, list[Any], list[Any]]] = {
    "first": ("", [BR0], [WEB]),
    "less of a container": (
        "ip -n web route add 10.7.0.0/16 via 10.0.0.9; ip -n web -6 route add blackhole fd07::/64 table 100 proto static",
        [BR0],
        [PLAIN],
    ),
    "a larger subnet": ("", [WIDE], [PLAIN]),
    "another name": ("", [{"name": "br0", "state": "absent", "subnets": WIDE["subnets"]}, FRONT], [PLAIN]),
    "one family, without masquerade": ("", [{**FRONT, "subnets": ["10.0.0.0/23"], "masquerade": False}], [PLAIN]),
    "other subnets": ("", [{**FRONT, "subnets": ["10.5.0.0/30"]}], [PLAIN]),
    "a container that is gone": ("ip netns del web", [{**FRONT, "subnets": ["10.5.0.0/30"]}], [{"name": "other"}]),
    "nothing": ("", [{"name": "front", "state": "absent"}], [{"name": "other", "state": "absent"}]),
}


@dataclass(frozen=True)
class Chapter:
    """What was foreseen, what was done, what the next run did, and the host afterwards."""

    foreseen: Outcome
    run: Outcome
    again: Outcome
    after: str
    seen: str


LOOK = (
    "nft list ruleset 2>/dev/null | grep -v '^table\\|^}' | sed 's/ # handle.*//'; ip -br link; ip -4 -br addr; ip -6 -br addr show scope global; "
    "for name in web other; do for family in 4 6; do ip -n $name -$family -br addr show scope global; ip -n $name -$family route show table all; "
    "ip -n $name -$family rule show; done; ip -n $name -br link show eth0; done 2>/dev/null; sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding; true"
)


@pytest.fixture(scope="module")
def told(shared_lab: Lab, playbook: Playbook) -> dict[str, Any]:
    pristine = shared_lab.snapshot()
    found: dict[str, Any] = {}
    for name, (others, networks, containers) in CHAPTERS.items():
        play = wiring(networks=networks, containers=containers)
        plays = [shell(others or "true"), checked(play), play, snapshot(), shell(LOOK), play]
        _others, foreseen, run, after, look, again = playbook.run(*plays)
        found[name] = Chapter(foreseen, run, again, after.stdout, look.stdout)
    return {**found, "pristine": pristine, "final": shared_lab.snapshot()}


@pytest.mark.parametrize("name", CHAPTERS)
def test_check_mode_foresees_it_and_the_next_run_changes_nothing(told: dict[str, Any], name: str) -> None:
    chapter = told[name]
    assert chapter.foreseen.changed == chapter.run.changed
    assert chapter.foreseen.drift() == chapter.run.drift()
    assert chapter.run.changed != []
    assert chapter.again.changed == []


def test_what_is_no_longer_asked_for_goes_from_a_container(told: dict[str, Any]) -> None:
    """Its routes, its policy rule, its MAC address; and nothing that others set in it."""
    before, after = told["first"].seen, told["less of a container"].seen
    for text in ("10.9.0.0/16 via 10.0.0.7", "blackhole fd09::/64", "from 10.0.0.0/24 lookup 100", "02:42:0a:00:00:63"):
        assert text in before
        assert text not in after
    for text in ("10.7.0.0/16 via 10.0.0.9", "blackhole fd07::/64", "default via 10.0.0.1", "default via fd00::1"):
        assert text in after
    said = "\n".join(line for lines in told["less of a container"].run.drift().values() for line in lines)
    assert "-no_longer_asked_for rule from 10.0.0.0/24 lookup 100 priority 20100 proto 76" in said


def test_a_larger_subnet_keeps_the_address_and_no_gateway_of_the_smaller_one(told: dict[str, Any]) -> None:
    [address] = [one for one in told["first"].run.wiring_result["web"]["interfaces"][0]["addresses"] if ":" not in one]
    assert f"{address.split('/')[0]}/23" in told["a larger subnet"].seen
    assert "10.0.0.1/23" in told["a larger subnet"].seen
    assert "/24" not in told["a larger subnet"].seen.replace("10.0.0.0/24", "")
    assert "saddr 10.0.0.0/24" not in told["a larger subnet"].seen


def test_a_network_is_renamed_in_one_run(told: dict[str, Any]) -> None:
    seen = told["another name"].seen
    assert "br0" not in seen
    assert "front" in seen
    assert told["another name"].run.wiring_result["web"]["interfaces"][0]["bridge"] == "front"
    kept = [
        told[name].run.wiring_result["web"]["interfaces"][0]["addresses"]
        for name in ("a larger subnet", "another name")
    ]
    assert kept[0] == kept[1]


def test_source_nat_and_forwarding_go_with_what_they_were_for(told: dict[str, Any]) -> None:
    seen = told["one family, without masquerade"].seen
    assert "masquerade" not in seen.replace("linuxnet-loop", "") or "saddr 10.0.0.0/23" not in seen
    assert seen.split()[-2:] == ["1", "0"], "IPv6 is not forwarded any more"
    assert "10.0.0.0/23" not in told["other subnets"].seen


def test_a_dead_container_s_port_does_not_lead_to_who_has_its_address(told: dict[str, Any]) -> None:
    """The subnet has one address to give."""
    chapter = told["a container that is gone"]
    assert "10.5.0.2" in told["other subnets"].seen
    assert "10.5.0.2/30" in chapter.seen
    assert "8080" not in chapter.seen
    assert ["-of_gone_containers 8080/tcp of web to 10.5.0.2"] in chapter.run.drift().values()


def test_at_the_end_nothing_is_left(told: dict[str, Any]) -> None:
    assert told["final"] == told["pristine"]
