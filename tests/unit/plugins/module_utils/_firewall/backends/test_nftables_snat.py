# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Source NAT rules to and from nftables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends import nftables_snat
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import NatRule, canonical_exclude
from ansible_collections.linuxnet.containers.tests.unit.nft_json import chain, match, prefix, rule


def ours(*expr: dict[str, Any], **more: Any) -> dict[str, Any]:
    return rule("inet linuxnet_containers", "postrouting", *expr, **{"comment": "linuxnet:net", **more})


def stop(*expr: dict[str, Any], **more: Any) -> dict[str, Any]:
    invalid = {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "invalid"}}
    said = [*expr, invalid, {"counter": {"packets": 3, "bytes": 120}}, {"drop": None}]
    return rule("inet linuxnet_containers", "untranslated", *said, **{"comment": "linuxnet!net", **more})


ALWAYS = [prefix("172.17.0.0/16"), prefix("224.0.0.0/4"), "255.255.255.255"]
SOURCE = match("saddr", "==", prefix("172.17.0.0/16"))
LEFT_ALONE = match("daddr", "!=", {"set": ALWAYS})
MASQUERADE = {"masquerade": None}


def test_a_listing_of_nft_is_read_back() -> None:
    """As nft 1.0.6 lists it: /32 without its length, a set sorted, the comment beside the expressions."""
    objects = [
        {"table": {"family": "inet", "name": "linuxnet_containers", "handle": 1}},
        chain("inet linuxnet_containers", "postrouting", type="nat", hook="postrouting", prio=100, policy="accept"),
        ours(
            SOURCE,
            match("oifname", "!=", "docker0"),
            match("daddr", "!=", {"set": [prefix("10.0.0.0/8"), *ALWAYS]}),
            MASQUERADE,
            handle=4,
            comment="linuxnet:net|the net",
        ),
        ours(SOURCE, LEFT_ALONE, {"snat": {"family": "ip", "addr": "192.0.2.1"}}, handle=5, comment="linuxnet:other"),
        stop(SOURCE, LEFT_ALONE, handle=6, comment="linuxnet!other"),
        stop(
            SOURCE,
            match("oifname", "!=", "docker0"),
            match("daddr", "!=", {"set": [prefix("10.0.0.0/8"), *ALWAYS]}),
            handle=7,
            comment="linuxnet!net|the net",
        ),
    ]
    found = nftables_snat.ours(objects)
    assert found == [
        NatRule("172.17.0.0/16", "!docker0", ("10.0.0.0/8",), "", "net", "the net"),
        NatRule("172.17.0.0/16", "", (), "192.0.2.1", "other", ""),
    ]
    assert [one.handles for one in found] == [
        (("postrouting", 4), ("untranslated", 7)),
        (("postrouting", 5), ("untranslated", 6)),
    ]
    assert [one.type for one in found] == ["masquerade", "snat"]


RULE = NatRule("172.17.0.0/16", "", (), "", "net")


@pytest.mark.parametrize(
    "stops",
    [
        [],
        [stop(SOURCE)],
        [stop(SOURCE, LEFT_ALONE, match("oifname", "==", "up0"))],
        [stop(SOURCE, LEFT_ALONE, comment="linuxnet!net|another note")],
        [stop(SOURCE, LEFT_ALONE, {"counter": None})],
        [stop(SOURCE, LEFT_ALONE), stop(SOURCE, LEFT_ALONE, handle=8)],
        [rule("inet linuxnet_containers", "untranslated", SOURCE, {"accept": None}, comment="linuxnet!net")],
        [rule("inet linuxnet_containers", "untranslated", {"accept": None}, comment="linuxnet!net")],
    ],
)
def test_a_rule_whose_stop_is_not_as_it_should_be_says_so_and_has_the_handles_of_both(
    stops: list[dict[str, Any]],
) -> None:
    (found,) = nftables_snat.ours([ours(SOURCE, LEFT_ALONE, MASQUERADE, handle=4), *stops])
    assert found == replace(RULE, stopped=False)
    assert found.handles == (("postrouting", 4), *(("untranslated", one["rule"]["handle"]) for one in stops))


def test_a_stop_without_its_rule_is_the_rest_of_one_that_was_edited_by_hand() -> None:
    (found,) = nftables_snat.ours([stop(SOURCE, LEFT_ALONE, handle=6)])
    assert found == NatRule("172.17.0.0/16", "?", owner="net")
    assert found.handles == (("untranslated", 6),)
    (found,) = nftables_snat.ours([ours(MASQUERADE), stop(SOURCE, LEFT_ALONE, handle=6)])
    assert found.key == ("net", "172.17.0.0/16")
    assert (found.out_interface, found.handles) == ("?", (("postrouting", 9), ("untranslated", 6)))
    twice = nftables_snat.ours([ours(SOURCE, LEFT_ALONE, MASQUERADE), ours(SOURCE, LEFT_ALONE, MASQUERADE, handle=12)])
    assert [one.out_interface for one in twice] == ["?"]


@pytest.mark.parametrize(
    "expr",
    [
        [SOURCE, LEFT_ALONE, {"counter": None}, {"accept": None}],
        [SOURCE, match("daddr", "!=", {"set": ALWAYS[:2]}), MASQUERADE],
        [SOURCE, match("daddr", "==", {"set": ALWAYS}), MASQUERADE],
        [SOURCE, LEFT_ALONE, match("iifname", "==", "eth0"), MASQUERADE],
        [SOURCE, LEFT_ALONE, {"masquerade": {"flags": "random"}}],
        [SOURCE, LEFT_ALONE, {"snat": {"family": "ip", "addr": "192.0.2.1", "port": 80}}],
        [LEFT_ALONE, MASQUERADE],
    ],
)
def test_f13_a_rule_that_was_edited_by_hand_equals_nothing_that_is_wanted(expr: list[dict[str, Any]]) -> None:
    (found,) = nftables_snat.ours([ours(*expr)])
    assert found.owner == "net"
    assert found.handles == (("postrouting", 9),)
    assert found.out_interface == "?"


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (
            NatRule("10.0.0.0/24", "!br0", owner="net"),
            'ip saddr 10.0.0.0/24 oifname != "br0" ip daddr != { 10.0.0.0/24, 224.0.0.0/4, 255.255.255.255/32 } '
            'masquerade comment "linuxnet:net"',
        ),
        (
            NatRule("fd00::/64", "eth0", ("fd09::/64",), "fd00:1::1", "net", "note"),
            'ip6 saddr fd00::/64 oifname "eth0" ip6 daddr != { fd00::/64, fd09::/64, ff00::/8 } '
            'snat ip6 to fd00:1::1 comment "linuxnet:net|note"',
        ),
    ],
)
def test_a_rule_in_the_syntax_of_nft(wanted: NatRule, text: str) -> None:
    assert nftables_snat.text(wanted) == text
    conditions = text[: text.index("masquerade" if "masquerade" in text else "snat")]
    comment = text[text.index("comment") :].replace("linuxnet:", "linuxnet!")
    assert nftables_snat.stop(wanted) == f"{conditions}ct state invalid counter drop {comment}"


def test_a5_spellings_of_what_is_excluded() -> None:
    exclude = ["10.2.0.0/16", "10.3.0.0/16", "10.2.4.0/24", "172.17.5.0/24", "224.0.0.1/32"]
    assert canonical_exclude("172.17.0.0/16", exclude) == ("10.2.0.0/15",)
