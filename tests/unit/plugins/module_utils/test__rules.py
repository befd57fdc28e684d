# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NAT rules to and from nftables, and what other rule sets do to the same traffic."""

from __future__ import annotations

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils import _rules
from ansible_collections.linuxnet.containers.plugins.module_utils._rules import NatRule

DOCKER = NatRule("172.17.0.0/16", "!docker0")


def prefix(text):
    address, length = text.split("/")
    return {"prefix": {"addr": address, "len": int(length)}}


def match(field, operator, right, protocol="ip"):
    left = {"payload": {"protocol": protocol, "field": field}} if field.endswith("addr") else {"meta": {"key": field}}
    return {"match": {"op": operator, "left": left, "right": right}}


def rule(table, chain, *expr, **more):
    family, name = table.split()
    return {
        "rule": {
            "family": family,
            "table": name,
            "chain": chain,
            "handle": more.pop("handle", 9),
            "expr": list(expr),
            **more,
        }
    }


def chain(table, name, **hook):
    family, table_name = table.split()
    return {"chain": {"family": family, "table": table_name, "name": name, "handle": 1, **hook}}


def ours(*expr, **more):
    return rule("inet linuxnet_containers", "postrouting", *expr, **{"comment": "linuxnet:net", **more})


ALWAYS = [prefix("172.17.0.0/16"), prefix("224.0.0.0/4"), "255.255.255.255"]
SOURCE = match("saddr", "==", prefix("172.17.0.0/16"))
LEFT_ALONE = match("daddr", "!=", {"set": ALWAYS})
MASQUERADE = {"masquerade": None}


def test_a_listing_of_nft_is_read_back():
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
        ours(SOURCE, LEFT_ALONE, {"snat": {"family": "ip", "addr": "192.0.2.1"}}, handle=5),
    ]
    found = _rules.ours(objects)
    assert found == [
        NatRule("172.17.0.0/16", "!docker0", ("10.0.0.0/8",), "", "net", "the net"),
        NatRule("172.17.0.0/16", "", (), "192.0.2.1", "net", ""),
    ]
    assert [one.handle for one in found] == [4, 5]
    assert [one.type for one in found] == ["masquerade", "snat"]


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
def test_f13_a_rule_that_was_edited_by_hand_equals_nothing_that_is_wanted(expr):
    (found,) = _rules.ours([ours(*expr)])
    assert found.owner == "net"
    assert found.handle == 9
    assert found.out_interface == "?"


def test_f13_a_stranger_in_our_table_is_found_and_not_ours():
    objects = [
        ours(SOURCE, LEFT_ALONE, MASQUERADE),
        ours(MASQUERADE, handle=12, comment="mine"),
        rule("ip nat", "x", MASQUERADE),
    ]
    assert _rules.strangers(objects) == [12]
    assert len(_rules.ours(objects)) == 1


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
def test_a_rule_in_the_syntax_of_nft(wanted, text):
    assert wanted.text() == text


def test_a5_spellings_of_what_is_excluded():
    exclude = ["10.2.0.0/16", "10.3.0.0/16", "10.2.4.0/24", "172.17.5.0/24", "224.0.0.1/32"]
    assert _rules.canonical_exclude("172.17.0.0/16", exclude) == ("10.2.0.0/15",)


# Docker's rule set, as nft lists what iptables-nft made.
XT = {"xt": {"type": "target", "name": "MASQUERADE"}}
FORWARD = chain("ip filter", "FORWARD", type="filter", hook="forward", prio=0, policy="drop")
DOCKERS = [
    chain("ip nat", "POSTROUTING", type="nat", hook="postrouting", prio=100, policy="accept"),
    rule("ip nat", "POSTROUTING", SOURCE, match("oifname", "!=", "docker0"), {"counter": {"packets": 0, "bytes": 0}}, XT, handle=7),
    FORWARD,
    rule("ip filter", "FORWARD", {"counter": {}}, {"jump": {"target": "DOCKER-USER"}}),
    chain("ip filter", "DOCKER-USER"),
    rule("ip filter", "DOCKER-USER", {"counter": {}}, {"return": None}),
    chain("ip filter", "DOCKER-FORWARD"),
    rule("ip filter", "FORWARD", {"counter": {}}, {"jump": {"target": "DOCKER-FORWARD"}}),
    rule("ip filter", "DOCKER-FORWARD", match("iifname", "==", "docker0"), {"counter": {}}, {"accept": None}),
]  # fmt: skip


def test_f3_docker_masquerades_its_network_already():
    assert _rules.satisfied_by(DOCKERS, DOCKER) == "ip nat POSTROUTING handle 7"
    assert _rules.satisfied_by(DOCKERS, NatRule("172.17.8.0/24", "!docker0")) == "ip nat POSTROUTING handle 7"


@pytest.mark.parametrize(
    "wanted",
    [
        NatRule("172.16.0.0/12", "!docker0"),
        NatRule("172.17.0.0/16", "!br0"),
        NatRule("172.17.0.0/16", ""),
        NatRule("172.17.0.0/16", "!docker0", ("10.0.0.0/8",)),
        NatRule("172.17.0.0/16", "!docker0", (), "192.0.2.1"),
        NatRule("fd00::/64", "!docker0"),
    ],
)
def test_f3_docker_does_not_do_what_is_more_or_other(wanted):
    assert _rules.satisfied_by(DOCKERS, wanted) == ""


def test_our_own_rule_does_not_satisfy_itself():
    own = [chain("inet linuxnet_containers", "postrouting", type="nat", hook="postrouting", policy="accept")]
    own.append(ours(SOURCE, match("oifname", "!=", "docker0"), MASQUERADE))
    assert _rules.satisfied_by(own, DOCKER) == ""


def test_f1_docker_lets_its_own_bridge_out_and_drops_another():
    assert _rules.blocked_by(DOCKERS, DOCKER) == []
    assert _rules.blocked_by(DOCKERS, NatRule("10.0.0.0/24", "!br0")) == ["ip filter FORWARD (policy drop)"]
    assert _rules.blocked_by(DOCKERS, NatRule("fd00::/64", "!br0")) == []


def test_f1_an_accept_in_docker_user_lets_it_pass():
    accept = rule("ip filter", "DOCKER-USER", match("iifname", "==", "br0"), {"accept": None})
    assert _rules.blocked_by([*DOCKERS[:5], accept, *DOCKERS[5:]], NatRule("10.0.0.0/24", "!br0")) == []


@pytest.mark.parametrize(
    ("policy", "rules", "blocked"),
    [
        ("accept", [], []),
        ("drop", [], ["inet fw forward (policy drop)"]),
        ("accept", [[SOURCE, {"drop": None}]], ["inet fw forward (a rule drops it)"]),
        ("accept", [[SOURCE, {"reject": {"type": "icmp"}}]], ["inet fw forward (a rule drops it)"]),
        ("accept", [[match("iifname", "==", "eth0"), {"drop": None}]], []),
        ("drop", [[SOURCE, {"accept": None}]], []),
        ("drop", [[match("tcp", "==", 80), SOURCE, {"accept": None}]], ["inet fw forward (policy drop)"]),
        ("drop", [[SOURCE, {"xt": {"type": "match", "name": "comment"}}, {"accept": None}]], []),
        (
            "drop",
            [[SOURCE, {"xt": {"type": "match", "name": "conntrack"}}, {"accept": None}]],
            ["inet fw forward (policy drop)"],
        ),
        (
            "drop",
            [[match("saddr", "==", prefix("172.17.0.0/24")), {"accept": None}]],
            ["inet fw forward (policy drop)"],
        ),
    ],
)
def test_f2_what_another_rule_set_does_to_the_traffic(policy, rules, blocked):
    objects = [chain("inet fw", "forward", type="filter", hook="forward", prio=0, policy=policy)]
    objects += [rule("inet fw", "forward", *expr) for expr in rules]
    assert _rules.blocked_by(objects, DOCKER) == blocked
