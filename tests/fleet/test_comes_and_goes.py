# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Networks that hosts share, while hosts come, go, are not in the run, get other names and addresses, and runs are killed: who is not concerned is not touched.

The tests are the chapters of one story, in order. Each host has a container in "front", which is routed, and one in "wide", which is one segment.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest
from fleet import FAMILY, Fleet, Host
from plays import Play, checked, silent
from proofs import comes
from sharing import (
    NAMES,
    UNDERLAY,
    addresses,
    all_talk,
    as_before,
    changed,
    inventory,
    nothing,
    on_the_data_network,
    sharing,
    snapshots,
    way,
)

pytestmark = pytest.mark.needs("lab host", "root", "ssh", "sshd", "nft", "nf_tables", "nf_nat", "vxlan")

FRONT: dict[str, Any] = {"name": "front", "subnets": ["10.7.0.0/16", "fd00:7::/48"], "driver": "routed"}
WIDE: dict[str, Any] = {"name": "wide", "subnets": ["10.8.0.0/16", "fd00:8::/48"], "driver": "vxlan"}
WEB = {"name": "web", "networks": [{"name": "front"}], "published_ports": ["8000:80"]}
CAT = {"name": "cat", "networks": [{"name": "wide"}]}


def play(front: dict[str, Any] | None = None, **variables: Any) -> Play:
    """The role for both networks, with what is said of "front"."""
    return sharing([{**FRONT, **(front or {})}, WIDE], [WEB, CAT], **variables)


def talking(hosts: Fleet, *names: str) -> None:
    """Assert that the containers of these hosts talk to each other in both networks."""
    for name in ("web", "cat"):
        all_talk(hosts, names or NAMES, name, name)


def closed(hosts: Fleet, host: str, to: str) -> None:
    """Assert that neither container of a host gets to those of another one."""
    one, other = hosts[host], hosts[to]
    for name in ("web", "cat"):
        for address in addresses(other, name).values():
            assert silent(hosts.stage, one.inside(name), other.inside(name), address)


def traces(host: Host, of: Host) -> list[str]:
    """What a host has of another one: routes, entries of the tunnels and of its rules. What a tunnel learned it forgets by itself."""
    shown = host.run(
        "ip route; ip -6 route; for name in $(ip -br link show type vxlan | cut -d ' ' -f 1); do bridge fdb show dev $name | grep permanent; done; "
        "nft list table inet linuxnet_containers"
    ).stdout
    known = (f"{of.data4} ", f" {of.data4},", f"10.7.{of.number}.0/24", f"fd00:7:0:{of.number}::/64")
    return [line for line in shown.splitlines() if any(text in f"{line} " for text in known)]


def all_addresses(hosts: Fleet) -> list[dict[int, str]]:
    return [addresses(host, name) for host in hosts.hosts for name in ("web", "cat")]


def settles(hosts: Fleet, *plays: Play, **variables: Any) -> None:
    """Run a play in check mode, and twice: as foreseen, and then there is nothing to do."""
    for one in plays:
        done = hosts.play(checked(one), one, one, **variables)
        foreseen, made, again = (changed(done, number) for number in range(3))
        assert foreseen == made
        assert not any(again.values()), again


@contextlib.contextmanager
def without(hosts: Fleet, *names: str) -> Iterator[None]:
    """A block in which these hosts are not in the inventory."""
    whole = hosts.inventory.read_text("utf-8")
    with inventory(hosts) as listed:
        for name in names:
            del listed[name]
    yield
    hosts.inventory.write_text(whole, "utf-8")


@pytest.fixture(scope="module")
def pristine(hosts: Fleet) -> dict[str, str]:
    """The hosts before anything."""
    return snapshots(hosts)


@pytest.fixture(scope="module")
def first(hosts: Fleet, pristine: dict[str, str]) -> None:
    """All three are wired, one after the other."""
    on_the_data_network(hosts)
    *batches, again = hosts.play({**play(), "serial": 1}, play()).plays
    assert [list(batch) for batch in batches] == [[name] for name in NAMES]
    assert all(outcome.changed for batch in batches for outcome in batch.values())
    assert [outcome.changed for outcome in again.values()] == [[], [], []]


def test_one_host_after_the_other_comes_to_the_same(hosts: Fleet, first: None) -> None:
    talking(hosts)


def test_a_run_for_one_host_touches_no_other(hosts: Fleet, first: None) -> None:
    with hosts.untouched(*NAMES):
        assert changed(hosts.play(play(), options=("--limit", "h2"))) == nothing("h2")


def test_a_host_that_is_taken_out_of_the_group_is_out_with_the_next_run_of_each(hosts: Fleet, first: None) -> None:
    """Also of one of them alone. The host itself is not touched."""
    one, two, three = hosts.hosts
    with without(hosts, "h3"), hosts.untouched("h3"):
        with hosts.untouched("h2"):
            done = hosts.play(play(), options=("--limit", "h1"))
        assert changed(done)["h1"]
        assert traces(one, three) == []
        assert traces(two, three) != []
        closed(hosts, "h3", "h1")
        talking(hosts, "h1", "h2")
        talking(hosts, "h2", "h3")
        with hosts.untouched("h1"):
            done = hosts.play(play(), play())
        assert changed(done, 0)["h2"]
        assert changed(done) == nothing("h1", "h2")
        assert traces(two, three) == []
        closed(hosts, "h3", "h2")


def test_a_host_that_is_added_is_in_and_one_that_was_not_reached_follows(hosts: Fleet, first: None) -> None:
    """As it was left, h3 knows the others already."""
    with hosts.untouched("h2", "h3"), hosts["h2"].unreached():
        done = hosts.play(play(), check=False)
    assert [done.recap(name)["unreachable"] for name in NAMES] == [0, 1, 0]
    assert changed(done)["h1"]
    talking(hosts, "h1", "h3")
    talking(hosts, "h1", "h2")
    with hosts.untouched("h1", "h3"):
        done = hosts.play(play())
    assert changed(done)["h2"]
    talking(hosts)


def test_a_host_with_another_name_is_the_same(hosts: Fleet, first: None) -> None:
    whole = hosts.inventory.read_text("utf-8")
    with inventory(hosts) as listed:
        listed["a-new-name"] = listed.pop("h2")
    with hosts.untouched(*NAMES):
        assert changed(hosts.play(play())) == nothing("a-new-name", "h1", "h3")
    hosts.inventory.write_text(whole, "utf-8")


def test_a_host_with_another_underlay_address_keeps_its_slice_where_that_is_written_down(
    hosts: Fleet, first: None
) -> None:
    there = all_addresses(hosts)
    hosts["h2"].run("ip addr add 198.18.2.77/24 dev eth0")
    with inventory(hosts) as listed:
        listed["h2"].update({UNDERLAY: "198.18.2.77", "wiring_slice": 2})
    settles(hosts, play())
    assert all_addresses(hosts) == there
    assert traces(hosts["h1"], hosts["h2"]) != []  # the slice
    talking(hosts)


def test_without_it_its_containers_move_and_no_others(hosts: Fleet, first: None) -> None:
    there = all_addresses(hosts)
    with inventory(hosts) as listed:
        del listed["h2"]["wiring_slice"]
    settles(hosts, play())
    assert traces(hosts["h1"], hosts["h2"]) == []
    assert addresses(hosts["h2"], "web")[4].startswith("10.7.77.")
    assert addresses(hosts["h2"], "cat")[6].startswith("fd00:8:0:4d:")
    assert [one for number, one in enumerate(all_addresses(hosts)) if number not in (2, 3)] == [*there[:2], *there[4:]]
    talking(hosts)
    with inventory(hosts) as listed:
        listed["h2"][UNDERLAY] = "{{ lab_data4 }}"
    hosts.play(play())
    hosts["h2"].run("ip addr del 198.18.2.77/24 dev eth0")
    talking(hosts)


def test_the_way_to_the_others_can_be_changed(hosts: Fleet, first: None) -> None:
    one, three = hosts["h1"], hosts["h3"]
    to = addresses(three, "web")[4]
    assert way(one, to) == ("eth0", three.data4)
    settles(hosts, play({"underlay": "vxlan"}))
    assert way(one, to) == ("vx-front", "10.7.3.0")
    talking(hosts)
    hosts.play(play())
    assert way(one, to) == ("eth0", three.data4)
    talking(hosts)


def test_a_network_of_neighbours_needs_no_tunnel(hosts: Fleet, first: None) -> None:
    one, three = hosts["h1"], hosts["h3"]
    with without(hosts, "h2"):
        settles(hosts, play({"underlay": "direct", "subnets": ["10.7.0.0/16"]}))
        assert one.run("ip -br link show vx-front", check=False).rc != 0
        assert "vx-front" not in one.run("nft list ruleset").stdout
        assert (one.ip("link show front")[0]["mtu"], way(one, addresses(three, "web")[4])) == (
            1500,
            ("eth0", three.data4),
        )
        all_talk(hosts, ("h1", "h3"), "web", "web")
    hosts.play(play())
    talking(hosts)


def test_a_host_that_no_neighbour_is_to_be_sent_to_straight_is_refused(hosts: Fleet, first: None) -> None:
    """Behind a router, which knows no slices."""
    done = hosts.play(play({"underlay": "direct", "subnets": ["10.7.0.0/16"]}), check=False)
    for name in NAMES:
        (said,) = done.plays[0][name].failures
        assert "is on no link of the host" in said
    hosts.play(play())
    talking(hosts)


def test_another_driver(hosts: Fleet, first: None) -> None:
    """From one to the next: what only the one has is gone."""
    one, two, _three = hosts.hosts
    settles(hosts, play({"driver": "vxlan"}))
    talking(hosts)
    assert "10.7.2.0/24" not in one.run("ip route; nft list ruleset").stdout
    settles(hosts, play({"driver": "bridge"}))
    assert one.run("ip -br link show vx-front", check=False).rc != 0
    assert "vx-front" not in one.run("ip route; ip -6 route; nft list ruleset").stdout
    for address in addresses(two, "web").values():
        assert silent(hosts.stage, one.inside("web"), two.inside("web"), address)
    settles(hosts, play())
    talking(hosts)


def test_what_is_taken_down_on_one_host_is_as_before_there_and_the_others_go_on(
    hosts: Fleet, first: None, pristine: dict[str, str]
) -> None:
    with hosts.untouched("h1", "h2"):
        hosts.play(play(state="absent"), options=("--limit", "h3"))
        as_before(hosts, pristine, "h3")
        talking(hosts, "h1", "h2")
        hosts.play(play(), options=("--limit", "h3"))
    talking(hosts)


def test_what_is_listed_no_longer_is_purged(hosts: Fleet, first: None, pristine: dict[str, str]) -> None:
    front, none = sharing([FRONT], [WEB], purge=True), sharing([], [], purge=True)
    settles(hosts, front)
    for host in hosts.hosts:
        assert "wide" not in host.run("ip link; ip route; nft list ruleset; ls /run/netns").stdout
    all_talk(hosts, NAMES, "web", "web")
    settles(hosts, none)
    as_before(hosts, pristine)
    hosts.play(sharing([], [], purge=True), play())
    talking(hosts)


# When a host's module is killed: once something is there, or is gone.
MAKING = [
    "[ -e /run/netns/cat ]",
    "nft list table inet linuxnet_containers",
    "ip link show vx-front",
    "ip link show vx-wide",
]
TAKING = ["! ip link show vx-front", "[ ! -e /run/netns/web ]", "! ip link show wide"]
# All that sshd has started, by process; the module among them. It does not wait for what never comes.
KILL = "for n in $(seq 20000); do {{ {when}; }} >/dev/null 2>&1 && break; done; " + FAMILY.replace(
    "kill $all", "kill -9 ${{all#{pid}}}"
)


def killed(hosts: Fleet, whens: Iterable[str], one: Play) -> None:
    """Start a play, kill it on each host by then, and then ansible-playbook."""
    watchers = [
        (host, host.spawn(KILL.format(when=when, pid=host.sshd))) for host, when in zip(hosts.hosts, whens, strict=True)
    ]
    playing = hosts.start(one)
    for host, watcher in watchers:
        comes(host, f"[ ! -e /proc/{watcher} ] || grep -q zombie /proc/{watcher}/status")
        host.kill(watcher)
    hosts.stage.kill(playing, 9)


@pytest.mark.parametrize("turn", range(3))
def test_a_run_that_is_killed_is_made_good_by_the_next_one(hosts: Fleet, first: None, turn: int) -> None:
    whens = [MAKING[(turn + number) % len(MAKING)] for number in range(3)]
    hosts.play(play(state="absent"))
    killed(hosts, whens, play())
    done = hosts.play(play(), play())
    assert any(changed(done, 0).values()), "nothing was left to do"
    assert changed(done) == nothing()
    talking(hosts)


def test_so_is_a_teardown(hosts: Fleet, first: None, pristine: dict[str, str]) -> None:
    killed(hosts, TAKING, play(state="absent"))
    done = hosts.play(play(state="absent"), play(state="absent"))
    assert changed(done) == nothing()
    as_before(hosts, pristine)


WRONG: dict[str, tuple[dict[str, Any], dict[str, Any], Sequence[str], str]] = {
    # The role's variables, the inventory's, the hosts that say so, and what they say.
    "two with the same slice": (
        {},
        {"wiring_slice": "{{ 4 if lab_number < 3 else 3 }}"},
        NAMES,
        "wiring_networks: network 'front': hosts 'h1' and 'h2' both have the slice 4; give one of them another wiring_slice.",
    ),
    "a slice that there is not": (
        {},
        {"wiring_slice": "{{ 256 if lab_number == 2 else lab_number }}"},
        NAMES,
        "wiring_networks: network 'front': host 'h2' has the slice 256, and there are those from 0 to 255; give it another wiring_slice, "
        "or the network a longer host_prefix.",
    ),
    "a group that there is not": (
        {"fleet": "nowhere"},
        {},
        NAMES,
        "wiring_fleet: there is no group and no host 'nowhere' in the inventory.",
    ),
    "an address that is none": (
        {},
        {UNDERLAY: "{{ 'here' if lab_number == 2 else lab_data4 }}"},
        NAMES,
        "wiring_fleet: host 'h2': underlay_address: 'here' is not an IP address.",
    ),
    "an address of facts of hosts that are not in the run": (
        {},
        {UNDERLAY: "{{ ansible_facts.default_ipv4.address }}"},
        ["h1"],
        "wiring_fleet: host 'h2': its wiring_underlay_address or wiring_slice cannot be told here, maybe for want of its facts: ",
    ),
    "no member": (
        {"fleet": ["h1", "h2"]},
        {},
        ["h3"],
        "wiring_underlay_address: no host of wiring_fleet has the address 198.18.1.3; set it in the inventory, where all hosts can read it.",
    ),
}


@pytest.mark.parametrize("why", WRONG)
def test_what_is_wrong_is_refused_before_the_first_change(hosts: Fleet, first: None, why: str) -> None:
    told, variables, who, sentence = WRONG[why]
    with hosts.untouched(*NAMES):
        one = {**play(**told), "gather_facts": "facts" in why}
        done = hosts.play(one, options=("--limit", ",".join(who)), check=False, **variables)
    for name in who:
        said = done.plays[0][name].failures[-1]
        assert said.startswith(sentence), said
