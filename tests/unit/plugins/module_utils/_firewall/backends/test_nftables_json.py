# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nft's JSON: what is looked at in it, and that everything else counts as not understood."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Unreadable
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_json import (
    comment_of,
    element,
    matches_of,
    objects_of,
    pairs,
    table_of,
    tables,
)
from ansible_collections.linuxnet.containers.tests.unit.nft_json import match, prefix

CT = {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["new"]}}
DPORT = {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 80}}


def test_a_listing_has_its_objects_without_the_version() -> None:
    text = json.dumps({"nftables": [{"metainfo": {}}, {"table": {"family": "ip", "name": "x"}}, 5, None, []]})
    assert objects_of(text) == [{"table": {"family": "ip", "name": "x"}}]
    assert objects_of('{"nftables": 5}') == []


@pytest.mark.parametrize("text", ["", "x", "[]", "5", "null", "{}", '{"nftables": [', "[" * 10**5])
def test_what_is_no_listing_cannot_be_read(text: Any) -> None:
    with pytest.raises(Unreadable, match="nft printed no JSON of a rule set"):
        objects_of(text)


def test_small_shapes() -> None:
    assert element({"elem": {"val": "br0", "comment": "x"}}) == "br0"
    assert element("br0") == "br0"
    assert element({"elem": 5}) == {"elem": 5}
    assert comment_of({"elem": {"val": "br0", "comment": "x"}}) == "x"
    assert comment_of("br0") == comment_of({"elem": {"comment": {}}}) == ""
    assert pairs([["a", 1], ["b"], 5, None]) == [("a", 1)]
    assert pairs("x") == pairs(None) == []
    assert table_of({"family": "ip", "table": "nat"}) == "ip nat"
    assert tables([{"table": {"family": "ip", "name": "nat"}}, {"table": 5}, {}]) == ["ip nat"]


@pytest.mark.parametrize(
    ("expr", "found"),
    [
        ([match("saddr", "==", prefix("10.0.0.0/8"))], {"saddr": ("==", prefix("10.0.0.0/8"))}),
        ([match("oifname", "!=", "br0")], {"oifname": ("!=", "br0")}),
        ([CT, {"counter": None}, {"accept": None}], {"ct state": ("in", ["new"])}),
        ([DPORT], {"dport": ("==", 80), "l4proto": ("==", "tcp")}),
        ([match("mark", "==", 5)], {"mark": ("==", (5, 0xFFFFFFFF))}),
        (
            [{"match": {"op": "==", "left": {"&": [{"meta": {"key": "mark"}}, 255]}, "right": 7}}],
            {"mark": ("==", (7, 255))},
        ),
    ],
)
def test_what_a_rule_matches(expr: Any, found: Any) -> None:
    assert matches_of(expr) == found


@pytest.mark.parametrize(
    "part",
    [
        {"xt": {"type": "match", "name": "conntrack"}},
        {"xt": None},
        {"xt": "conntrack"},
        {"limit": {"rate": 5}},
        {"match": None},
        {"match": {"op": "=="}},
        {"match": {"op": {}, "left": {}, "right": 5}},
        {},
        5,
        None,
        "accept",
    ],
)
def test_f2_what_is_not_understood_is_a_match_that_is_never_met(part: Any) -> None:
    assert list(matches_of([part, {"accept": None}]).values()) == [("?", part)]


def test_a_second_match_of_the_same_is_not_understood() -> None:
    twice = [match("saddr", "==", prefix("10.0.0.0/8")), match("saddr", "!=", prefix("10.9.0.0/16"))]
    assert matches_of(twice)["saddr again"][0] == "?"
    assert matches_of([twice[0], twice[0]]) == matches_of(twice[:1])


@pytest.mark.parametrize("expr", [None, 5, {}, "x"])
def test_a_rule_without_expressions_says_nothing(expr: Any) -> None:
    assert matches_of(expr) == {}


def test_a_port_of_any_protocol() -> None:
    th = {"match": {"op": "==", "left": {"payload": {"protocol": "th", "field": "dport"}}, "right": 53}}
    assert matches_of([th]) == {"dport": ("==", 53)}
