# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task wants of routes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_route import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import validation
from ansible_collections.linuxnet.containers.tests.unit.asked import refusal, want

WEB = NsRef("/run/netns/web")
DEFAULT = {"netns": "web", "gateway": "10.0.0.1"}


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"gateway": "10.0.0.1", "family": "ipv6"}, "gateway: 10.0.0.1 is not of the same address family"),
        ({"destination": "10.0.0.1/24"}, "destination: '10.0.0.1/24' is not a network"),
        ({"destination": "10.0.0.0/24", "family": "ipv6"}, "family: 10.0.0.0/24 is not an ipv6 network."),
        ({"table": "0"}, "table: '0' is neither main, default, local nor a number from 1 to 4294967295."),
        ({"metric": -1}, "metric: -1 is out of bounds"),
        ({"type": "blackhole", "gateway": "10.0.0.1"}, "type: a blackhole route has no gateway."),
        ({"nexthops": [{"gateway": "10.0.0.1"}]}, "nexthops: a multipath route needs two or more"),
        ({"nexthops": [{}]}, "nexthops: each needs a gateway or an interface."),
        ({"nexthops": [{"interface": "a", "weight": 257}]}, "nexthops: weight 257 is out of bounds"),
        ({"nexthops": [], "gateway": "10.0.0.1"}, "parameters are mutually exclusive: nexthops|gateway"),
    ],
)
def test_what_is_refused(params: dict[str, Any], sentence: str) -> None:
    assert refusal(RESOURCE, **dict({"destination": "default"}, **params)).startswith(sentence)


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"metric": True}, "metric: the boolean true is not a whole number."),
        ({"mtu": False}, "mtu: the boolean false is not a whole number."),
        ({"table": "\u00b2"}, "table: '\u00b2' is neither main, default, local nor a number from 1 to 4294967295."),
        ({"table": "True"}, "table: 'True' is neither main, default, local nor a number from 1 to 4294967295."),
        ({"nexthops": [{"interface": "a", "weight": True}]}, "nexthops: item 1: weight: the boolean true is not a whole number."),
        ({"gateway": "fe80::1%eth0"}, "gateway: 'fe80::1%eth0' is not an IP address: an address here has no zone such as '%eth0'."),
        ({"rule_source": "10.0.0.0/24", "rule_priority": True, "table": "100"},
         "rule_priority: the boolean true is not a whole number."),
    ],
)  # fmt: skip
def test_what_only_looks_like_a_value(params: dict[str, object], sentence: str) -> None:
    assert refusal(RESOURCE, **{"destination": "10.9.0.0/16", **params}) == sentence


@pytest.mark.parametrize(
    "spellings",
    [
        [{"table": text} for text in ("main", "254", " 254", "0254")],
        [{"destination": text} for text in ("10.9.0.0/16", "10.9.0.0/255.255.0.0", " 10.9.0.0/0.0.255.255")],
        [{"destination": text} for text in ("FD09:0::/64", "fd09::/64")],
        [{"destination": "default", "family": "ipv6"}, {"destination": "::/0"}, {"destination": "default", "source": "fd00::1"}],
        [{"destination": "::/0", "gateway": text} for text in ("::ffff:10.0.0.1", "::FFFF:A00:1")],
        [{"destination": "::/0", "metric": 0}, {"destination": "::/0", "metric": 1024}],
        [{"nexthops": [{"interface": "a"}, {"gateway": "10.0.0.1"}]}, {"nexthops": [{"gateway": " 10.0.0.1"}, {"interface": "a"}]}],
        [{"rule_source": text, "table": "100"} for text in ("10.0.0.0/24", "10.0.0.0/255.255.255.0")],
    ],
)  # fmt: skip
def test_a5_all_spellings_are_one_want(spellings: list[dict[str, object]]) -> None:
    first, *others = (want(RESOURCE, **params) for params in spellings)
    for other in others:
        assert {**vars(other), "given": {}} == {**vars(first), "given": {}}
        assert {**other.given, "source": None} == {**first.given, "source": None}


def test_the_ways_of_a_want() -> None:
    assert want(RESOURCE, gateway="10.0.0.1").ways == [("10.0.0.1", "")]
    hops = [{"gateway": "10.0.0.1"}, {"interface": "a"}]
    assert want(RESOURCE, nexthops=hops).ways == [("", ""), ("", "a"), ("10.0.0.1", "")]


@pytest.mark.parametrize(
    ("gone", "refused"),
    [
        ({}, True),
        ({"gateway": "10.0.0.7"}, True),
        ({"metric": 0}, True),
        ({"gateway": "10.0.0.8"}, False),
        ({"metric": 5}, False),
        ({"table": "100"}, False),
        ({"type": "blackhole"}, False),
    ],
)
def test_a_route_is_not_asked_for_and_asked_to_be_gone(gone: dict[str, Any], refused: bool) -> None:
    listed = [{"gateway": "10.0.0.7", "mtu": 1400}, {**gone, "state": "absent"}]
    told = []
    for aggregate in (listed, listed[::-1]):
        try:
            validation.items(RESOURCE, {"destination": "10.9.0.0/16", "aggregate": aggregate})
        except Invalid as error:
            told.append(str(error))
    assert told == ["The route 10.9.0.0/16 is asked for, and asked to be gone; list it once."] * 2 * refused
