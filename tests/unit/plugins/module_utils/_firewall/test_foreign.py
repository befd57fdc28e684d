# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the rule sets of others do to the traffic of ours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall import fate, foreign
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import ForeignRules
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.packets import Packet
from ansible_collections.linuxnet.containers.tests.unit.nft_json import chain, match, prefix, rule

DOCKER = ("172.17.0.0/16", "!docker0")


def ours(*expr: dict[str, Any], **more: Any) -> dict[str, Any]:
    return rule("inet linuxnet_containers", "postrouting", *expr, **{"comment": "linuxnet:net", **more})


SOURCE = match("saddr", "==", prefix("172.17.0.0/16"))
MASQUERADE = {"masquerade": None}


def read(objects: list[dict[str, Any]]) -> ForeignRules:
    return ForeignRules(NFTABLES.foreign(objects, {}))


def satisfied(objects: list[dict[str, Any]], wanted: tuple[str, str]) -> str:
    return foreign.satisfied_by(read(objects), *wanted)


def found(objects: list[dict[str, Any]], packet: Packet) -> list[fate.Block]:
    return fate.blocks(read(objects), [[packet]])


def blocked(objects: list[dict[str, Any]], packet: Packet) -> list[str]:
    """What drops a packet, with a question mark where it only may."""
    return [one.shown + "" if one.sure else one.shown + "?" for one in found(objects, packet)]


def blocking(objects: list[dict[str, Any]], wanted: tuple[str, str]) -> list[str]:
    source, out = wanted
    family = 6 if ":" in source else 4
    return blocked(objects, Packet(family, saddr=source, iifname=out[1:], bridge=out[1:]))


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


def test_f3_docker_masquerades_its_network_already() -> None:
    assert satisfied(DOCKERS, DOCKER) == "ip nat POSTROUTING handle 7"
    assert satisfied(DOCKERS, ("172.17.8.0/24", "!docker0")) == "ip nat POSTROUTING handle 7"


@pytest.mark.parametrize(
    "wanted",
    [
        ("172.16.0.0/12", "!docker0"),
        ("172.17.0.0/16", "!br0"),
        ("172.17.0.0/16", ""),
        ("fd00::/64", "!docker0"),
    ],
)
def test_f3_docker_does_not_do_what_is_more_or_other(wanted: tuple[str, str]) -> None:
    assert satisfied(DOCKERS, wanted) == ""


def test_our_own_rule_does_not_satisfy_itself() -> None:
    own = [chain("inet linuxnet_containers", "postrouting", type="nat", hook="postrouting", policy="accept")]
    own.append(ours(SOURCE, match("oifname", "!=", "docker0"), MASQUERADE))
    assert satisfied(own, DOCKER) == ""


def test_f1_docker_lets_its_own_bridge_out_and_drops_another() -> None:
    assert blocking(DOCKERS, DOCKER) == []
    assert blocking(DOCKERS, ("10.0.0.0/24", "!br0")) == ["ip filter FORWARD (policy drop)"]
    assert blocking(DOCKERS, ("fd00::/64", "!br0")) == []


def test_f1_an_accept_in_docker_user_lets_it_pass() -> None:
    accept = rule("ip filter", "DOCKER-USER", match("iifname", "==", "br0"), {"accept": None})
    assert blocking([*DOCKERS[:5], accept, *DOCKERS[5:]], ("10.0.0.0/24", "!br0")) == []


@pytest.mark.parametrize(
    ("policy", "rules", "blocked"),
    [
        ("accept", [], []),
        ("drop", [], ["inet fw forward (policy drop)"]),
        ("accept", [[SOURCE, {"drop": None}]], ["inet fw forward (rule handle 9)"]),
        ("accept", [[SOURCE, {"reject": {"type": "icmp"}}]], ["inet fw forward (rule handle 9)"]),
        ("accept", [[match("iifname", "==", "eth0"), {"drop": None}]], []),
        ("drop", [[SOURCE, {"accept": None}]], []),
        ("drop", [[match("tcp", "==", 80), SOURCE, {"accept": None}]], ["inet fw forward (policy drop)?"]),
        ("drop", [[SOURCE, {"xt": {"type": "match", "name": "comment"}}, {"accept": None}]], []),
        (
            "drop",
            [[SOURCE, {"xt": {"type": "match", "name": "conntrack"}}, {"accept": None}]],
            ["inet fw forward (policy drop)?"],
        ),
        (
            "drop",
            [[match("saddr", "==", prefix("172.17.0.0/24")), {"accept": None}]],
            ["inet fw forward (policy drop)?"],
        ),
    ],
)
def test_f2_what_another_rule_set_does_to_the_traffic(
    policy: str, rules: list[list[dict[str, Any]]], blocked: list[str]
) -> None:
    objects = [chain("inet fw", "forward", type="filter", hook="forward", prio=0, policy=policy)]
    objects += [rule("inet fw", "forward", *expr) for expr in rules]
    assert blocking(objects, DOCKER) == blocked


def moby(*accepts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The forward chain of docker's nftables backend: verdict maps by interface, what is not published dropped."""
    inward = "filter-forward-in__docker0"
    jumps = [["docker0", {"jump": {"target": inward}}]]
    return [
        {"map": {"family": "ip", "table": "docker-bridges", "name": "in-jumps", "type": "ifname", "map": "verdict", "elem": jumps}},
        chain("ip docker-bridges", "filter-FORWARD", type="filter", hook="forward", prio=0, policy="accept"),
        chain("ip docker-bridges", inward),
        rule("ip docker-bridges", "filter-FORWARD", {"vmap": {"key": {"meta": {"key": "oifname"}}, "data": "@in-jumps"}}),
        rule("ip docker-bridges", inward, match_state("established", "related"), {"accept": None}),
        *(rule("ip docker-bridges", inward, *accept) for accept in accepts),
        rule("ip docker-bridges", inward, {"counter": {}}, {"drop": None}, handle=23, comment="UNPUBLISHED PORT DROP"),
    ]  # fmt: skip


def match_state(*states: str) -> dict[str, Any]:
    return {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": list(states)}}


PUBLISHED = Packet(
    4, daddr="172.17.0.9", oifname="docker0", bridge="docker0", dnat=True, protocol="tcp", ports=(80, 80)
)


def test_f2_docker_s_nftables_backend_drops_what_it_did_not_publish_and_the_rule_is_named() -> None:
    assert blocked(moby(), PUBLISHED) == ["ip docker-bridges filter-forward-in__docker0 (rule handle 23)"]
    assert blocked(moby(), replace(PUBLISHED, oifname="br0", bridge="br0")) == []


@pytest.mark.parametrize(
    ("mark", "known"),
    [
        ({"match": {"op": "==", "left": {"meta": {"key": "mark"}}, "right": 1}}, (1, 0xFFFFFFFF)),
        (
            {"match": {"op": "==", "left": {"&": [{"meta": {"key": "mark"}}, 0xFF]}, "right": 0x12}},
            (0x12, 0xFF),
        ),
    ],
)
def test_f2_the_mark_that_docker_s_bridge_accepts_is_found(mark: dict[str, Any], known: tuple[int, int]) -> None:
    objects = moby([mark, {"accept": None}])
    assert blocked(objects, PUBLISHED) != []
    assert fate.accepted_marks(read(objects), [[PUBLISHED]]) == [known]
    assert blocked(objects, replace(PUBLISHED, mark=known[0])) == []


def test_a_mark_that_another_chain_drops_all_the_same_is_of_no_use() -> None:
    mark = {"match": {"op": "==", "left": {"meta": {"key": "mark"}}, "right": 1}}
    objects = moby([mark, {"accept": None}])
    objects.append(chain("inet fw", "forward", type="filter", hook="forward", prio=0, policy="drop"))
    assert fate.accepted_marks(read(objects), [[PUBLISHED]]) == []


@pytest.mark.parametrize(
    ("expr", "passes"),
    [
        ([{"match": {"op": "in", "left": {"ct": {"key": "status"}}, "right": "dnat"}}, {"accept": None}], True),
        ([match_state("new"), {"accept": None}], True),
        ([match_state("established"), {"accept": None}], False),
        ([{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 80}}, {"accept": None}], True),
        ([{"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": 80}}, {"accept": None}], False),
        ([{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"range": [1, 99]}}}, {"accept": None}], True),
        ([match("oifname", "==", "docker*"), {"accept": None}], True),
        ([match("oifname", "!=", "docker*"), {"accept": None}], False),
        ([match("daddr", "!=", prefix("10.0.0.0/8")), {"accept": None}], True),
        ([match("daddr", "!=", prefix("172.16.0.0/12")), {"accept": None}], False),
        ([{"match": {"op": "==", "left": {"meta": {"key": "nfproto"}}, "right": "ipv4"}}, {"accept": None}], True),
        ([{"vmap": {"key": {"ct": {"key": "state"}}, "data": {"set": [["established", {"accept": None}], ["new", {"accept": None}]]}}}], True),
        ([{"vmap": {"key": {"ct": {"key": "state"}}, "data": {"set": [["established", {"accept": None}]]}}}], False),
    ],
)  # fmt: skip
def test_what_a_published_packet_meets(expr: list[dict[str, Any]], passes: bool) -> None:
    objects = [chain("inet fw", "forward", type="filter", hook="forward", prio=0, policy="drop")]
    objects.append(rule("inet fw", "forward", *expr))
    assert (blocked(objects, PUBLISHED) == []) == passes


def test_a_goto_does_not_come_back() -> None:
    objects = [
        chain("inet fw", "forward", type="filter", hook="forward", prio=0, policy="drop"),
        chain("inet fw", "zone"),
        rule("inet fw", "forward", {"goto": {"target": "zone"}}),
        rule("inet fw", "forward", {"accept": None}),
    ]
    assert blocked(objects, PUBLISHED) == ["inet fw forward (policy drop)"]


def test_f6_ports_that_rules_of_others_send_on_are_found() -> None:
    dport = {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 8080}}
    objects = [
        chain("ip nat", "DOCKER"),
        rule(
            "ip nat", "DOCKER", match("daddr", "==", "192.0.2.1"), dport, {"dnat": {"addr": "172.17.0.5", "port": 80}}
        ),
        rule("ip nat", "DOCKER", dport, {"accept": None}),
    ]
    (found,) = foreign.published(read(objects))
    assert (found.protocol, found.first, found.last, found.host_ip) == ("tcp", 8080, 8080, "192.0.2.1/32")
    assert (found.to, found.shown) == ("172.17.0.5:80", "ip nat DOCKER handle 9")


def test_what_calls_chains_of_ours_is_not_followed() -> None:
    objects = [
        chain("ip filter", "FORWARD", type="filter", hook="forward", prio=0, policy="drop"),
        chain("ip filter", "LINUXNET-FORWARD"),
        rule("ip filter", "FORWARD", {"jump": {"target": "LINUXNET-FORWARD"}}),
        rule("ip filter", "LINUXNET-FORWARD", {"accept": None}),
    ]
    assert blocked(objects, PUBLISHED) == ["ip filter FORWARD (policy drop)"]
