# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task wants of addresses."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Address
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_address import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import validation
from ansible_collections.linuxnet.containers.tests.unit.asked import refusal, want

ETH0 = {"netns": "web", "interface": "eth0"}


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({}, "one of the following is required: address, pool."),
        ({"address": "10.0.0.2/24", "pool": "10.0.0.0/24"}, "parameters are mutually exclusive: address|pool."),
        ({"address": "10.0.0.2"}, "address: '10.0.0.2' has no prefix length"),
        ({"address": "10.0.0.2/24", "range": "10.0.0.8/30"}, "range: it belongs to a pool, not to a fixed address."),
        ({"address": "10.0.0.2/24", "peer": "fd00::1"}, "peer: fd00::1 is not of the same address family"),
        ({"address": "10.0.0.2/24", "label": "web"}, "label: 'web' must be 'eth0' or begin with 'eth0:'"),
        ({"address": "::1/128"}, "address: ::1 is an address of the loopback interface only."),
        ({"address": "10.0.0.2/24", "peer": "10.0.0.2"}, "peer: 10.0.0.2 is the address itself; the other end has"),
        ({"address": "fd00::2/64", "peer": "fd00:0::2/64"}, "peer: fd00::2 is the address itself; the other end has"),
        ({"address": "fd00::2/64", "broadcast": "fd00::ff"}, "broadcast: an IPv6 address has none to set."),
        (
            {"address": "10.0.0.2/24", "valid_lft": "soon"},
            "valid_lft: 'soon' is neither 'forever' nor a number of seconds.",
        ),
        ({"address": "10.0.0.2/24", "valid_lft": "5", "preferred_lft": "6"}, "preferred_lft: it cannot be longer"),
        ({"pool": "10.0.0.0/24", "gateway": "10.9.0.1"}, "gateway: 10.9.0.1 is not in the pool 10.0.0.0/24."),
        ({"pool": "10.0.0.0/30", "exclude": ["10.0.0.2"]}, "pool: 10.0.0.0/30 has nothing to give"),
    ],
)
def test_what_is_refused(params: dict[str, Any], sentence: str) -> None:
    assert refusal(RESOURCE, **ETH0, **params).startswith(sentence)


def test_d6_a_fixed_address_that_two_items_want_is_refused_before_any_change() -> None:
    items = [{"netns": name, "interface": "eth0", "address": "10.0.0.5/24", "bridge": "br0"} for name in ("web", "db")]
    with pytest.raises(
        Invalid, match=r"address: 10.0.0.5 is asked for eth0 in netns 'web' and for eth0 in netns 'db'\."
    ):
        validation.items(RESOURCE, {"aggregate": items})


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"valid_lft": "\u00b2"}, "valid_lft: '\u00b2' is neither 'forever' nor a number of seconds."),
        ({"preferred_lft": "9" * 5000}, f"preferred_lft: '{'9' * 5000}' is neither 'forever' nor a number of seconds."),
        ({"valid_lft": "4294967296"}, "valid_lft: '4294967296' is neither 'forever' nor a number of seconds."),
        ({"valid_lft": "yes"}, "valid_lft: 'yes' is neither 'forever' nor a number of seconds."),
        ({"broadcast": "fd00::1"}, "broadcast: fd00::1 is not of the same address family as the address."),
        (
            {"gateway": "fe80::1%eth0"},
            "gateway: 'fe80::1%eth0' is not an IP address: an address here has no zone such as '%eth0'.",
        ),
        ({"label": "eth0:\udce4\udce4"}, ""),
    ],
)
def test_what_only_looks_like_a_value(params: dict[str, str], sentence: str) -> None:
    if sentence:
        assert refusal(RESOURCE, address="10.0.0.2/24", **ETH0, **params) == sentence
    else:
        want(RESOURCE, address="10.0.0.2/24", **ETH0, **params)


@pytest.mark.parametrize(
    "spellings",
    [
        [{"address": "10.0.0.2/24"}, {"address": " 10.0.0.2/255.255.255.0 "}, {"address": "10.0.0.2/0.0.0.255"}],
        [{"address": "FD00:0::2/64"}, {"address": "fd00::0002/64"}],
        [{"address": "::FFFF:a00:2/96"}, {"address": "::ffff:10.0.0.2/96"}],
        [{"address": "10.0.0.2/24", "peer": "10.9.0.1"}, {"address": "10.0.0.2/8", "peer": "10.9.0.1/32"}],
        [{"address": "10.0.0.2/24", "valid_lft": text} for text in ("forever", "4294967295", " 4294967295", "04294967295")],
        [{"address": "10.0.0.2/24", "bridge": None}, {"address": "10.0.0.2/24"}],
        [{"address": "10.0.0.2/24", "netns": text} for text in ("web", "/run/netns/web", "/var/run//netns/./web")],
    ],
)  # fmt: skip
def test_a5_all_spellings_are_one_want(spellings: list[dict[str, str]]) -> None:
    first, *others = (want(RESOURCE, **{**ETH0, **params}) for params in spellings)
    assert all(other == first for other in others)


def test_a_want_knows_the_others_of_its_task() -> None:
    items = [
        {**ETH0, "address": "10.0.0.2/24", "supersede": True},
        {**ETH0, "pool": "fd00::/64"},
        {**ETH0, "interface": "eth1", "address": "10.1.0.2/24"},
        {**ETH0, "address": "10.0.0.3/24", "state": "absent"},
    ]
    fixed, pooled, other, _gone = validation.items(RESOURCE, {"aggregate": items})
    assert (fixed.keep, fixed.kept_families) == ({("10.0.0.2", 24, "")}, {4, 6})
    assert (pooled.keep, pooled.keep_pools) == ({("10.0.0.2", 24, "")}, ())
    assert (other.keep, other.keep_pools) == ({("10.1.0.2", 24, "")}, ())
    assert list(fixed.beside) == list(other.beside) == ["eth0"]
    assert {str(ip) for ip in pooled.reserved} == {"10.0.0.2", "10.1.0.2"}
    assert (fixed.removes_others, pooled.removes_others) == (True, False)


def test_of_those_that_supersede_the_last_one_of_a_family_clears_it() -> None:
    """So that nothing goes before what takes its place is there."""
    items = [
        {**ETH0, "address": "fd00::2/64", "supersede": True},
        {**ETH0, "address": "10.0.0.2/24", "supersede": True},
        {**ETH0, "pool": "10.1.0.0/24", "supersede": True},
        {**ETH0, "interface": "eth1", "address": "10.2.0.2/24", "supersede": True},
    ]
    assert [sorted(one.clears) for one in validation.items(RESOURCE, {"aggregate": items})] == [[6], [], [4], [4, 6]]


def test_a_fixed_address_is_kept_with_its_prefix_length() -> None:
    four, six = want(RESOURCE, address="10.0.0.2/24", **ETH0), want(RESOURCE, address="fd00::2/64", **ETH0)
    assert [four.keeps(Address("10.0.0.2", prefix, 4)) for prefix in (24, 16)] == [True, False]
    assert [six.keeps(Address("fd00::2", prefix, 6)) for prefix in (64, 48)] == [True, True]


def test_a_want_says_which_addresses_may_be_it() -> None:
    fixed, pooled = want(RESOURCE, address="10.0.0.2/24", **ETH0), want(RESOURCE, pool="10.0.0.0/24", **ETH0)
    for text, of_fixed, of_pool in (("10.0.0.2", True, True), ("10.0.0.3", False, True), ("10.9.0.2", False, False)):
        address = Address(text, 16, 4)
        assert (fixed.may_be(address), pooled.may_be(address)) == (of_fixed, of_pool)
