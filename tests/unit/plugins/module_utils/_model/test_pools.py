# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pools and ranges: what they give, in which order."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model import addressing
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.pools import Pool


def net(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(text)


def ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(text)


@pytest.mark.parametrize(
    ("network", "given"),
    [
        ("10.0.0.0/30", ["10.0.0.1", "10.0.0.2"]),
        ("10.0.0.0/31", ["10.0.0.0", "10.0.0.1"]),
        ("10.0.0.7/32", ["10.0.0.7"]),
        ("fd00::/127", ["fd00::", "fd00::1"]),
    ],
)
def test_d7_a_small_pool_gives_all_it_has(network: str, given: list[str]) -> None:
    pool = Pool(net(network))
    assert [str(one) for one in pool.candidates("", "lowest", ())] == given
    assert sorted(str(one) for one in pool.candidates("web/eth0", "sticky", ())) == given


class Counted(set[Any]):
    """A set that counts how often it was asked."""

    asked = 0

    def __contains__(self, item: object) -> bool:
        self.asked += 1
        return super().__contains__(item)


@pytest.mark.parametrize("network", ["fd00::/64", "10.0.0.0/8"])
def test_d7_a_search_takes_steps_by_the_leases_and_not_by_the_size(network: str) -> None:
    pool = Pool(net(network), gateway=addressing.default_gateway(net(network)))
    taken = Counted()
    for dummy in range(500):
        taken.add(next(pool.candidates("lowest", "lowest", taken)))
    taken.asked = 0
    assert next(pool.candidates("", "lowest", taken)) == net(network).network_address + 502
    assert taken.asked == 501
    sticky = Counted()
    for number in range(500):
        sticky.add(next(pool.candidates(f"owner {number}", "sticky", sticky)))
    assert len(sticky) == 500
    assert sticky.asked < 600


def test_d4_an_owner_gets_its_own_address_again_while_it_is_free() -> None:
    pool = Pool(net("172.17.0.0/16"), gateway=ip("172.17.0.1"))
    usual = next(pool.candidates("web/eth0", "sticky", ()))
    assert next(pool.candidates("web/eth0", "sticky", {ip("172.17.0.2")})) == usual
    assert next(pool.candidates("web/eth0", "sticky", {usual})) == usual + 1
    assert next(pool.candidates("db/eth0", "sticky", ())) != usual


def test_a_search_goes_round_the_end() -> None:
    pool = Pool(net("10.0.0.0/29"))
    found = [list(pool.candidates(f"owner {number}", "sticky", ())) for number in range(20)]
    assert all(len(one) == 6 and len(set(one)) == 6 for one in found)
    assert {str(one[0]) for one in found} == {"10.0.0.4", "10.0.0.5", "10.0.0.6"}


def test_d1_a_sticky_search_leaves_the_lowest_addresses_to_the_engines_longest() -> None:
    found = [str(one) for one in Pool(net("10.0.0.0/29")).candidates("owner", "sticky", ())]
    assert found[3:] == ["10.0.0.3", "10.0.0.2", "10.0.0.1"]


@pytest.mark.parametrize(
    ("range_", "given"),
    [
        ("10.0.0.10-10.0.0.12", ["10.0.0.10", "10.0.0.11", "10.0.0.12"]),
        (" 10.0.0.10 - 10.0.0.11 ", ["10.0.0.10", "10.0.0.11"]),
        ("10.0.0.252/30", ["10.0.0.252", "10.0.0.253", "10.0.0.254"]),
        ("10.0.0.7", ["10.0.0.7"]),
        ("10.0.0.254-10.0.1.9", ["10.0.0.254"]),
    ],
)
def test_a_range_narrows_the_pool(range_: str, given: list[str]) -> None:
    assert [str(one) for one in Pool(net("10.0.0.0/24"), range_).candidates("", "lowest", ())] == given


def test_d8_what_is_excluded_is_never_given() -> None:
    exclude = ["10.0.0.2", "10.0.0.4-10.0.0.5", "10.0.0.8/30", "10.9.9.9"]
    pool = Pool(net("10.0.0.0/28"), None, exclude, ip("10.0.0.1"))
    assert [str(one) for one in pool.candidates("", "lowest", ())] == [
        "10.0.0.3", "10.0.0.6", "10.0.0.7", "10.0.0.12", "10.0.0.13", "10.0.0.14",
    ]  # fmt: skip
    assert ip("10.0.0.3") in pool
    assert ip("10.0.0.1") not in pool
    assert ip("10.0.0.9") not in pool


def test_d8_an_exhausted_pool_counts_what_became_of_it() -> None:
    pool = Pool(net("10.0.0.0/28"), "10.0.0.1-10.0.0.10", ["10.0.0.4/31"], ip("10.0.0.1"))
    assert str(pool.exhausted()) == (
        "pool: no free address in 10.0.0.0/28: 10 usable, 7 in use, 2 excluded, 1 reserved for the gateway."
    )
    with pytest.raises(Invalid, match=r"^pool: 10.0.0.0/30 has nothing to give: 2 usable, 1 excluded, 1 reserved"):
        Pool(net("10.0.0.0/30"), None, ["10.0.0.2"], ip("10.0.0.1"))


@pytest.mark.parametrize(
    ("range_", "exclude", "sentence"),
    [
        ("10.9.0.1-10.9.0.5", [], "range: '10.9.0.1-10.9.0.5' has no usable address of the pool 10.0.0.0/24."),
        ("10.0.0.9-10.0.0.3", [], "range: '10.0.0.9-10.0.0.3' ends before it begins."),
        ("fd00::1-fd00::2", [], "range: 'fd00::1-fd00::2' is not of the same address family as the pool 10.0.0.0/24."),
        ("first-last", [], "range: 'first' is not an IP address."),
        (
            None,
            ["10.0.0.1/24"],
            "exclude: '10.0.0.1/24' is not a network such as 172.17.0.0/16: 10.0.0.1/24 has host bits set.",
        ),
    ],
)
def test_what_is_no_range(range_: str | None, exclude: list[str], sentence: str) -> None:
    with pytest.raises(Invalid) as caught:
        Pool(net("10.0.0.0/24"), range_, exclude)
    assert str(caught.value) == sentence
