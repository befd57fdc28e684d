# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which slice each host of a fleet has: of fleets made by chance, and of one of a thousand hosts. What is refused, in which words."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.fleet import (
    Member,
    Part,
    entries,
    members,
    parts,
    prefixes,
    this_host,
)

A, B, C = Member("a", "192.0.2.1"), Member("b", "192.0.2.2"), Member("c", "192.0.2.3", 9)
NETS = [ipaddress.ip_network("10.7.0.0/16"), ipaddress.ip_network("fd00:7::/48")]


def host(name: Any = "a", address: Any = "192.0.2.1", **more: Any) -> dict[str, Any]:
    return {"name": name, "underlay_address": address, **more}


def refusal(call: Any, *args: Any) -> str:
    with pytest.raises(Invalid) as refused:
        call(*args)
    return str(refused.value)


# --- hosts ---


def test_a_host_is_its_name_its_address_and_maybe_a_number() -> None:
    listed = entries([host(), host("b", "2001:DB8::0:2", slice="7")])
    assert [one.get("slice") for one in listed] == [None, 7]
    assert members(listed[:1]) == [Member("a", "192.0.2.1")]
    assert members(listed[1:]) == [Member("b", "2001:db8::2", 7)]


@pytest.mark.parametrize(
    ("listed", "sentence"),
    [
        (
            ["web1"],
            "wiring_fleet: 'web1' is a name; here each host is {name, underlay_address, slice}. The role finds them in the inventory.",
        ),
        ([{"name": "a"}], "wiring_fleet: host 'a': it has no underlay_address."),
        (
            [7, {"underlay_address": "192.0.2.1"}],
            "wiring_fleet: '7' is a name; here each host is {name, underlay_address, slice}. The role finds them in the inventory.",
        ),
        ([{"underlay_address": "192.0.2.1"}], "wiring_fleet: hosts: item 1: it has no name."),
        (
            [host(address="192.0.2.1", vni=7)],
            "wiring_fleet: host 'a': there is no option vni; there are name, slice, underlay_address.",
        ),
        ([host(slice="x")], "wiring_fleet: host 'a': slice: 'x' is not a whole number."),
        ([host(), host(address="192.0.2.2")], "wiring_fleet: host 'a' is listed twice."),
        (
            [host(), host("b", "192.0.2.01")],
            "wiring_fleet: host 'b': underlay_address: '192.0.2.01' is not an IP address: a number in it begins with a zero, "
            "which some take for an octal one.",
        ),
        (
            [host(address="web1.example")],
            "wiring_fleet: host 'a': underlay_address: 'web1.example' is not an IP address.",
        ),
        ([host(), host("b")], "wiring_fleet: hosts 'a' and 'b' have the same underlay address 192.0.2.1."),
        (
            [host(address="2001:db8::1"), host("b", "2001:DB8:0::1")],
            "wiring_fleet: hosts 'a' and 'b' have the same underlay address 2001:db8::1.",
        ),
        (
            [host(), host("b", "2001:db8::1")],
            "wiring_fleet: the underlay addresses of hosts 'a' and 'b', 192.0.2.1 and 2001:db8::1, are of two address families.",
        ),
    ],
)
def test_hosts_that_cannot_be_told_apart_or_reached_are_refused(listed: list[Any], sentence: str) -> None:
    assert refusal(lambda: members(entries(listed))) == sentence


def test_this_host_is_the_one_that_has_the_address() -> None:
    assert this_host([A, B, C], " 192.0.2.2 ") is B
    assert this_host([A, B, C], "192.0.2.3", 9) is C


@pytest.mark.parametrize(
    ("address", "number", "sentence"),
    [
        (
            None,
            None,
            "wiring_underlay_address: it says which host of wiring_fleet this one is, and is not set.",
        ),
        (
            "192.0.2.9",
            None,
            "wiring_underlay_address: no host of wiring_fleet has the address 192.0.2.9; set it in the inventory, where all hosts can read it.",
        ),
        (
            "192.0.2.1",
            7,
            "wiring_slice: this host has 7, and the others know it without one: set it in the inventory, where all hosts can read it.",
        ),
        (
            "192.0.2.3",
            7,
            "wiring_slice: this host has 7, and the others know it with 9: set it in the inventory, where all hosts can read it.",
        ),
    ],
)
def test_who_does_not_know_which_host_he_is_is_refused(address: Any, number: Any, sentence: str) -> None:
    assert refusal(this_host, [A, B, C], address, number) == sentence


# --- slices ---


def test_a_slice_has_a_usual_length_or_that_which_is_given() -> None:
    assert prefixes(NETS, []) == [24, 64]
    assert prefixes(NETS, [30, 126]) == [30, 126]


@pytest.mark.parametrize(
    ("net", "given", "sentence"),
    [
        ("10.0.0.0/16", [24, 24], "host_prefix: there are 2 for 1 subnets; it has one for each, in order."),
        (
            "10.0.0.0/24",
            [],
            "host_prefix: /24 is no part of 10.0.0.0/24 for each host; take a prefix length from 25 to 30.",
        ),
        (
            "10.0.0.0/24",
            [31],
            "host_prefix: /31 is no part of 10.0.0.0/24 for each host; take a prefix length from 25 to 30.",
        ),
        (
            "fd00::/64",
            [],
            "host_prefix: /64 is no part of fd00::/64 for each host; take a prefix length from 65 to 126.",
        ),
        ("10.0.0.0/30", [], "host_prefix: 10.0.0.0/30 is too small to be shared; take a larger subnet."),
    ],
)
def test_a_length_that_is_no_part_is_refused(net: str, given: list[int], sentence: str) -> None:
    assert refusal(prefixes, [ipaddress.ip_network(net)], given) == sentence


@pytest.mark.parametrize(
    ("hosts", "sentence"),
    [
        (
            [A, Member("b", "192.0.3.1")],
            "hosts 'a' and 'b' would both have 10.7.1.0/24: give one of them a wiring_slice of its own "
            "(their addresses 192.0.2.1 and 192.0.3.1 end in the same 8 bits).",
        ),
        (
            [C, Member("d", "192.0.2.4", 9)],
            "hosts 'c' and 'd' both have the slice 9; give one of them another wiring_slice.",
        ),
        (
            [Member("d", "192.0.2.4", 256)],
            "host 'd' has the slice 256, and there are those from 0 to 255; give it another wiring_slice, or the network a longer host_prefix.",
        ),
        (
            [Member("d", "192.0.2.4", -1)],
            "host 'd' has the slice -1, and there are those from 0 to 255; give it another wiring_slice, or the network a longer host_prefix.",
        ),
    ],
)
def test_two_hosts_with_one_slice_are_refused(hosts: list[Member], sentence: str) -> None:
    assert refusal(parts, NETS, [24, 64], hosts) == sentence


@pytest.mark.parametrize("order", [[A, Member("b", "192.0.2.9", 1)], [Member("b", "192.0.2.9", 1), A]])
def test_a_number_that_is_written_down_may_be_another_s_low_bits(order: list[Member]) -> None:
    """It is no number that both have: the words tell of both addresses only where both come by them."""
    text = refusal(parts, NETS, [24, 64], order)
    assert "'a'" in text
    assert "'b'" in text
    assert "10.7.1.0/24" in text


# --- fleets made by chance ---

Nets = list[tuple[Any, int]]


def subnets(chance: Random) -> Nets:
    """One or two networks, each with the prefix length of a host's slice."""
    found: Nets = []
    for version in chance.choice([[4], [6], [4, 6]]):
        most, last = (32, 30) if version == 4 else (128, 126)
        length = chance.randint(4, last - 1)
        net = ipaddress.ip_network((chance.getrandbits(length) << (most - length), length))
        found.append((net, chance.randint(length + 1, min(last, length + 12))))
    return found


def crowd(chance: Random, count: int) -> list[Member]:
    """Hosts on few segments, some with a number of their own."""
    bits, base = chance.choice([(32, 0x0A000000), (128, 0x20010DB8 << 96)])
    make: Any = ipaddress.IPv4Address if bits == 32 else ipaddress.IPv6Address
    width = chance.choice([6, 8, 12])
    places = chance.sample(range(1, 1 << width), min(count, (1 << width) - 1))
    numbers = [chance.choice([None, None, None, chance.randrange(1 << width)]) for _place in places]
    return [Member(f"h{at}", str(make(base + at)), number) for at, number in zip(places, numbers, strict=True)]


def slices_of(nets: Nets, hosts: Sequence[Member]) -> dict[str, Part]:
    found = parts([net for net, _length in nets], [length for _net, length in nets], hosts)
    return {part.member.name: part for part in found}


def numbers_of(nets: Nets, hosts: Sequence[Member]) -> dict[str, int]:
    bits = min(length - net.prefixlen for net, length in nets)
    low = {one.name: int(ipaddress.ip_address(one.address)) % (1 << bits) for one in hosts}
    return {one.name: low[one.name] if one.number is None else one.number for one in hosts}


def test_slices_are_within_the_subnets_and_nobody_has_another_s() -> None:
    good = bad = 0
    for seed in range(400):
        chance = Random(f"fleet {seed}")
        nets, hosts = subnets(chance), crowd(chance, chance.randint(1, 40))
        bits = min(length - net.prefixlen for net, length in nets)
        numbers = numbers_of(nets, hosts)
        if len({*numbers.values()}) < len(hosts) or max(numbers.values()) >= 1 << bits:
            bad += 1
            text = refusal(slices_of, nets, hosts)
            named = [one.name for one in hosts if f"'{one.name}'" in text]
            assert len({numbers[name] for name in named}) == 1
            assert len(named) == (1 if numbers[named[0]] >= 1 << bits else 2)
            continue
        good += 1
        found = slices_of(nets, hosts)
        for place, (net, length) in enumerate(nets):
            mine = sorted(part.slices[place] for part in found.values())
            assert all(one.subnet_of(net) and one.prefixlen == length for one in mine)
            assert all(int(one.broadcast_address) < int(more.network_address) for one, more in pairwise(mine))
        _nobody_moves(chance, nets, hosts, found)
    assert good > 50
    assert bad > 50


def _nobody_moves(chance: Random, nets: Nets, hosts: list[Member], found: dict[str, Part]) -> None:
    """Others go, come, are in another order, and have other names."""
    fewer = chance.sample(hosts, chance.randint(1, len(hosts)))
    assert slices_of(nets, fewer) == {one.name: found[one.name] for one in fewer}
    renamed = [Member(f"new-{one.name}", one.address, one.number) for one in hosts]
    assert {name: part.slices for name, part in slices_of(nets, renamed).items()} == {
        f"new-{name}": part.slices for name, part in found.items()
    }


def thousand(count: int) -> list[Member]:
    return [Member(f"h{number}", f"10.1.{number >> 8}.{number & 255}") for number in range(1, count + 1)]


def test_host_1001_moves_nobody_and_no_two_of_a_thousand_are_equal() -> None:
    nets: Nets = [(ipaddress.ip_network("10.64.0.0/10"), 24), (NETS[1], 64)]
    found, more = slices_of(nets, thousand(1000)), slices_of(nets, thousand(1001))
    assert {name: part for name, part in more.items() if name != "h1001"} == found
    assert len({net for part in more.values() for net in part.slices}) == 2 * 1001
