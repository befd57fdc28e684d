# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What rules of others do to packets: dropped for sure, maybe, or not at all. Rules are as nft 1.0.6 prints them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall import fate
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import ForeignRules
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.packets import Packet, there_and_back
from ansible_collections.linuxnet.containers.tests.unit.nft_json import chain, rule

KINDS = (("front", "bridge"), ("up0", "veth"))
LEAVING = Packet(
    4, saddr="10.1.0.0/24", iifname="front", oifname="up0", bridge="front", protocol="tcp", routed=True, kinds=KINDS
)
PUBLISHED = Packet(
    4, daddr="10.1.0.10", iifname="up0", oifname="front", bridge="front", dnat=True, protocol="tcp", ports=(80, 80), routed=True, kinds=KINDS,
    asked="192.0.2.1", asked_ports=(8080, 8080),
)  # fmt: skip
ACCEPT: dict[str, Any] = {"accept": None}
DROP: dict[str, Any] = {"drop": None}


def left(**named: Any) -> Any:
    """``ip_saddr``, ``meta_mark``, ``ct_state``: what is looked at."""
    (name, value), *rest = named.items()
    of, key = name.split("_", 1)
    looked = {of: {"key": key}} if of in ("meta", "ct") else {"payload": {"protocol": of, "field": key}}
    return {"match": {"op": dict(rest).get("op", "=="), "left": looked, "right": value}}


def masked(expression: Any, mask: Any) -> Any:
    inner = expression["match"]
    return {"match": {**inner, "left": {"&": [inner["left"], mask]}}}


def concat(*names: str) -> Any:
    return {"concat": [left(**{name: 0})["match"]["left"] for name in names]}


def vmap(key: Any, *pairs: Any) -> Any:
    return {"vmap": {"key": key, "data": {"set": list(pairs)}}}


def rules(
    *listed: Any, policy: str = "accept", hook: str = "forward", prio: int = 0, table: str = "inet fw", **more: Any
) -> Any:
    """A base chain with rules, each a list of expressions."""
    base = chain(table, "f", type="filter", hook=hook, prio=prio, policy=policy, **more)
    return [base, *(rule(table, "f", *(one if isinstance(one, list) else [one]), handle=4) for one in listed)]


def told(objects: Any, *packets: Packet) -> str:
    """What becomes of packets: ``drops``, ``may drop``, ``some`` only are dropped, or ``passes``."""
    found = fate.blocks(ForeignRules(NFTABLES.foreign(json.loads(json.dumps(objects)), {})), [packets or (LEAVING,)])
    if any(one.sure for one in found):
        return "drops"
    return "may drop" if fate.in_the_way(found) else "some" if found else "passes"


BAD = {
    "set": {
        "family": "inet",
        "table": "fw",
        "name": "bad",
        "type": "ipv4_addr",
        "elem": [{"prefix": {"addr": "203.0.113.0", "len": 24}}, "198.51.100.7"],
    }
}
OURS = {
    "set": {
        "family": "inet",
        "table": "fw",
        "name": "bad",
        "type": "ipv4_addr",
        "elem": [{"range": ["10.0.0.0", "10.255.255.255"]}],
    }
}


@pytest.mark.parametrize(
    ("listed", "fate_of"),
    [
        ([[left(meta_iif="front"), DROP]], "drops"),
        ([[left(meta_iif=7), DROP]], "may drop"),
        ([[left(meta_oif="eth9"), DROP]], "passes"),
        ([[left(meta_iifname="front"), left(meta_oifname="up0"), DROP]], "drops"),
        ([[left(meta_iifname="front"), left(meta_oifname="up1"), DROP]], "passes"),
        ([[left(meta_iifname={"set": ["a", "fr*"]}), DROP]], "drops"),
        ([[left(meta_iifname={"set": ["a", "b*"]}), DROP]], "passes"),
        ([[left(meta_iifkind="bridge"), DROP]], "drops"),
        ([[left(meta_oifkind="bridge"), DROP]], "passes"),
        ([[left(meta_iiftype="ether"), DROP]], "may drop"),
        ([[left(ip_saddr="10.1.0.5"), DROP]], "may drop"),
        ([[left(ip_saddr="10.2.0.5"), DROP]], "passes"),
        ([[left(ip_daddr="192.0.2.66"), DROP]], "some"),
        ([[left(ip_daddr="192.0.2.66", op="!="), DROP]], "may drop"),
        ([[left(ip_saddr={"range": ["10.0.0.0", "10.9.9.9"]}), DROP]], "drops"),
        ([[left(ip6_saddr="fd00::/8", op="!="), DROP]], "passes"),
        ([[left(tcp_dport=22, op="!="), DROP]], "may drop"),
        ([[left(tcp_dport=25), DROP]], "some"),
        ([[left(udp_dport=22, op="!="), DROP]], "passes"),
        ([[left(meta_l4proto={"set": ["tcp", "udp"]}), DROP]], "drops"),
        ([[left(meta_l4proto="icmp"), DROP]], "passes"),
        ([[left(ip_protocol="udp", op="!="), DROP]], "drops"),
        ([[left(icmp_type="echo-request"), DROP]], "passes"),
        ([[left(meta_nfproto="ipv6"), DROP]], "passes"),
        ([[left(meta_protocol="ip"), DROP]], "drops"),
        ([[left(ct_state=["established", "new"], op="in"), DROP]], "drops"),
        ([[left(ct_state={"set": ["established", "related"]}), DROP]], "passes"),
        ([[left(ct_state="new", op="!="), DROP]], "passes"),
        ([[left(ct_state="invalid", op="in"), DROP]], "passes"),
        ([[left(ct_status="dnat", op="in"), DROP]], "passes"),
        ([[masked(left(ct_status="dnat"), "dnat"), DROP]], "passes"),
        ([[left(ct_status="dnat"), DROP]], "may drop"),
        ([[left(ct_mark=5), DROP]], "passes"),
        ([[left(ct_direction="original"), DROP]], "drops"),
        ([[masked(left(tcp_flags="syn"), ["fin", "syn", "rst", "ack"]), DROP]], "drops"),
        ([[masked(left(tcp_flags=["fin", "syn"]), ["fin", "syn"]), DROP]], "passes"),
        ([[masked(left(tcp_flags=0), ["fin", "syn"]), DROP]], "passes"),
        ([[left(meta_mark={"set": [0, 2]}), DROP]], "drops"),
        ([[masked(left(meta_mark=0), 255), DROP]], "drops"),
        ([[masked(left(meta_mark=5, op="!="), 255), DROP]], "drops"),
        ([[left(meta_mark=1), DROP]], "passes"),
        ([{"mangle": {"key": {"meta": {"key": "mark"}}, "value": 1}}, [left(meta_mark=1), DROP]], "drops"),
        ([[left(tcp_dport=25), {"mangle": {"key": {"meta": {"key": "mark"}}, "value": 1}}], [left(meta_mark=1), DROP]], "may drop"),
        ([{"mangle": {"key": {"meta": {"key": "mark"}}, "value": {"ct": {"key": "mark"}}}}, [left(meta_mark=1), DROP]], "may drop"),
        ([[{"match": {"op": "==", "left": {"fib": {"result": "oif", "flags": ["saddr", "iif"]}}, "right": False}}, DROP]], "may drop"),
        ([[{"match": {"op": "==", "left": {"fib": {"result": "type", "flags": ["daddr"]}}, "right": "local"}}, DROP]], "passes"),
        ([[{"limit": {"rate": 5, "burst": 5, "per": "second", "inv": True}}, DROP]], "some"),
        ([[{"ct count": {"val": 5, "inv": True}}, DROP]], "some"),
        ([[{"quota": "q1"}, DROP]], "some"),
        ([[{"limit": {"rate": 5}}, ACCEPT], DROP], "may drop"),
        ([[{"counter": "c"}, {"log": None}, DROP]], "drops"),
        ([{"queue": {"num": 1}}], "may drop"),
        ([{"notrack": None}], "may drop"),
        ([{"reject": {"type": "icmpx", "expr": "admin-prohibited"}}], "drops"),
        ([ACCEPT, DROP], "passes"),
        ([[left(ip_daddr="192.0.2.66"), ACCEPT], DROP], "may drop"),
        ([{"return": None}, DROP], "passes"),
        ([{"jump": {"target": "nowhere"}}], "may drop"),
        ([BAD, [left(ip_saddr="@bad"), DROP]], "passes"),
        ([OURS, [left(ip_saddr="@bad"), DROP]], "drops"),
        ([BAD, [left(ip_daddr="@bad"), DROP]], "some"),
        ([[left(ip_saddr="@unknown"), DROP]], "may drop"),
        ([BAD, [left(ip_saddr="@bad"), DROP], {"set": {"op": "add", "elem": {}, "set": "@bad"}}], "may drop"),
        ([[{"match": {"op": "==", "left": concat("ip_saddr", "tcp_dport"), "right": {"set": [{"concat": ["10.2.0.1", 80]}]}}}, DROP]], "passes"),
        ([[{"match": {"op": "==", "left": concat("meta_iifname", "meta_oifname"), "right": {"set": [{"concat": ["front", "up*"]}]}}}, DROP]], "drops"),
        ([vmap(left(ct_state=0)["match"]["left"], ["new", DROP], ["established", ACCEPT])], "drops"),
        ([vmap(left(meta_iifname=0)["match"]["left"], ["other", DROP])], "passes"),
        ([vmap(concat("meta_iifname", "meta_oifname"), [{"concat": ["front", "up0"]}, DROP])], "drops"),
        ([vmap(left(tcp_dport=0)["match"]["left"], [80, DROP])], "some"),
        ([vmap(left(meta_cpu=0)["match"]["left"], [0, DROP])], "may drop"),
        ([vmap(left(meta_iifname=0)["match"]["left"], ["front", {"goto": {"target": "nowhere"}}])], "may drop"),
    ],
)  # fmt: skip
def test_what_leaves(listed: Any, fate_of: str) -> None:
    sets = [one for one in listed if "set" in one and "family" in one["set"]]
    plain = [one for one in listed if one not in sets]
    assert told([*sets, *rules(*plain)]) == fate_of


@pytest.mark.parametrize(
    ("accepts", "fate_of"),
    [
        ([], "drops"),
        ([[left(meta_iifname="front"), left(meta_oifname="up0"), ACCEPT]], "passes"),
        ([[left(meta_iif="front"), ACCEPT]], "passes"),
        ([[left(meta_iifkind="bridge"), ACCEPT]], "passes"),
        ([[left(ip_saddr={"set": [{"prefix": {"addr": "10.1.0.0", "len": 16}}]}), ACCEPT]], "passes"),
        ([[left(ip_saddr={"range": ["10.1.0.0", "10.1.0.255"]}), ACCEPT]], "passes"),
        ([[left(ip_saddr={"set": ["10.1.0.1", "10.1.0.2"]}), ACCEPT]], "may drop"),
        ([[{"match": {"op": "==", "left": concat("meta_iifname", "meta_oifname"), "right": {"set": [{"concat": ["front", "up0"]}]}}}, ACCEPT]], "passes"),
        ([[left(meta_l4proto={"set": ["tcp", "udp"]}), ACCEPT]], "passes"),
        ([{"mangle": {"key": {"meta": {"key": "mark"}}, "value": 5}}, [left(meta_mark={"set": [5, 6]}), ACCEPT]], "passes"),
        ([vmap(concat("meta_iifname", "meta_oifname"), [{"concat": ["front", "up0"]}, ACCEPT])], "passes"),
        ([[left(meta_skuid=0), ACCEPT]], "may drop"),
    ],
)  # fmt: skip
def test_what_ordinary_rules_accept_is_no_alarm(accepts: Any, fate_of: str) -> None:
    assert told(rules(*accepts, policy="drop")) == fate_of


def rejecting(kind: str, *before: Any) -> Any:
    return [*before, {"reject": {"type": kind, "expr": "port-unreachable"}}]


@pytest.mark.parametrize(
    ("listed", "table", "four", "six"),
    [
        (rejecting("icmp"), "inet fw", "drops", "passes"),
        (rejecting("icmpv6"), "inet fw", "passes", "drops"),
        (rejecting("icmpx"), "inet fw", "drops", "drops"),
        (rejecting("icmp"), "ip fw", "drops", "passes"),
        (rejecting("tcp reset"), "ip fw", "drops", "passes"),
        (rejecting("tcp reset"), "inet fw", "may drop", "may drop"),
        (rejecting("tcp reset", left(meta_nfproto="ipv6")), "inet fw", "passes", "drops"),
    ],
    ids=str,
)
def test_a_reject_says_of_which_family_it_is(listed: Any, table: str, four: str, six: str) -> None:
    """nft does not list `meta nfproto` in front of one."""
    objects = rules(listed, table=table)
    assert told(objects) == four
    assert told(objects, replace(LEAVING, family=6, saddr="fd00:1::/64")) == six


def test_the_answer_has_to_pass_as_well() -> None:
    there = [left(meta_iifname="front"), ACCEPT]
    assert told(rules(there, policy="drop"), *there_and_back(LEAVING)) == "drops"
    back = [left(meta_oifname="front"), left(ct_state=["established", "related"], op="in"), ACCEPT]
    assert told(rules(there, back, policy="drop"), *there_and_back(LEAVING)) == "passes"


@pytest.mark.parametrize(
    ("objects", "there", "back"),
    [
        (rules(DROP, hook="prerouting", prio=-300), "drops", "drops"),
        (rules(DROP, hook="postrouting", prio=-150), "drops", "drops"),
        (rules(DROP, hook="input"), "passes", "passes"),
        (rules([left(ip_daddr="192.0.2.1"), DROP], hook="prerouting", prio=-300), "drops", "some"),
        (rules([left(tcp_dport=8080), DROP], hook="prerouting", prio=-150), "drops", "some"),
        (rules([left(tcp_dport=80), DROP], hook="prerouting", prio=-150), "passes", "some"),
        (rules([left(tcp_dport=80), DROP], hook="prerouting", prio=0), "drops", "some"),
        (rules([left(ip_daddr="10.1.0.10"), DROP], hook="postrouting"), "drops", "some"),
        (rules([left(meta_oifname="front", op="!="), DROP], hook="prerouting"), "passes", "passes"),
        (rules([left(ct_state="new"), DROP], hook="prerouting", prio=-300), "may drop", "may drop"),
        (rules([left(ct_state="new"), DROP], hook="prerouting", prio=-150), "drops", "passes"),
        (rules(DROP, table="bridge b", hook="forward"), "passes", "passes"),
        (rules(DROP, table="bridge b", hook="output"), "drops", "passes"),
        (rules(DROP, table="bridge b", hook="input"), "passes", "drops"),
        (rules([left(ether_type="ip6"), DROP], table="bridge b", hook="output"), "passes", "passes"),
        (rules([left(meta_obrname="front"), DROP], table="bridge b", hook="output"), "drops", "passes"),
        (rules(DROP, table="netdev n", hook="ingress", dev="up0"), "drops", "passes"),
        (rules(DROP, table="netdev n", hook="ingress", dev="front"), "passes", "drops"),
        (rules(DROP, table="netdev n", hook="ingress", dev=["eth7", "up0"]), "drops", "passes"),
        (rules(DROP, table="netdev n", hook="ingress", dev="port7"), "may drop", "may drop"),
        (rules(DROP, table="netdev n", hook="ingress"), "may drop", "may drop"),
        (rules([left(ip_daddr="192.0.2.1"), DROP], table="netdev n", hook="ingress", dev="up0"), "drops", "passes"),
        (rules(DROP, table="netdev n", hook="egress", dev="up0"), "passes", "drops"),
        (rules([left(ip_saddr="10.1.0.10"), DROP], hook="postrouting", prio=0), "some", "drops"),
    ],
)  # fmt: skip
def test_each_hook_on_the_way_of_a_published_port(objects: Any, there: str, back: str) -> None:
    first, answer, _further = there_and_back(PUBLISHED)
    assert (told(objects, first), told(objects, answer)) == (there, back)


@pytest.mark.parametrize(
    ("listed", "fate_of"),
    [
        ([[left(ct_state="new", op="!="), left(meta_iifname="up0"), DROP]], "drops"),
        ([[left(ct_state="established"), left(meta_iifname="up0"), DROP]], "drops"),
        ([[left(ct_state="established"), left(ct_direction="original"), DROP]], "drops"),
        ([[left(ct_state="new"), left(ct_status="seen-reply", op="in"), DROP]], "passes"),
        ([[masked(left(tcp_flags="syn", op="!="), "syn"), left(meta_iifname="up0"), DROP]], "drops"),
    ],
    ids=str,
)
def test_no_connection_over_tcp_is_established_by_its_first_packet_alone(listed: Any, fate_of: str) -> None:
    packets = there_and_back(PUBLISHED)
    assert told(rules(*listed), *packets) == fate_of
    assert told(rules(*listed), *packets[:2]) == "passes"
    assert len(there_and_back(replace(PUBLISHED, protocol="udp"))) == 2, "over UDP one may be all"


@pytest.mark.parametrize(
    ("hook", "prio", "fate_of"),
    [
        ("prerouting", -150, "drops"),
        ("forward", -151, "drops"),
        ("forward", -150, "may drop"),
        ("forward", 0, "passes"),
        ("postrouting", -300, "passes"),
    ],
)
def test_a_mark_of_ours_is_given_when_a_packet_is_forwarded(hook: str, prio: int, fate_of: str) -> None:
    objects = rules([left(meta_mark=5), ACCEPT], hook=hook, prio=prio, policy="drop")
    assert told(objects, replace(PUBLISHED, mark=5)) == fate_of


def test_marks_of_earlier_hooks_are_known_in_later_ones() -> None:
    mark = {"mangle": {"key": {"meta": {"key": "mark"}}, "value": 1}}
    setting = rules([left(meta_iifname="front"), mark], table="ip m", hook="prerouting", prio=-150)
    asking = rules([left(meta_mark=1), ACCEPT], policy="drop")
    assert told([*asking, *setting]) == "passes"
    assert told(asking) == "drops"


CT_ZERO, CT_OTHER, GIVEN = (
    left(ct_mark=0),
    left(ct_mark=5, op="!="),
    {"mangle": {"key": {"ct": {"key": "mark"}}, "value": 5}},
)


@pytest.mark.parametrize(
    ("objects", "fate_of"),
    [
        (rules([CT_ZERO, DROP], hook="prerouting", prio=-300), "passes"),
        (rules([CT_OTHER, DROP], hook="prerouting", prio=-201), "passes"),
        (rules([CT_ZERO, DROP], hook="prerouting", prio=-200), "may drop"),
        (rules([CT_ZERO, DROP], hook="prerouting", prio=-199), "drops"),
        (rules([CT_ZERO, DROP], hook="prerouting", prio=0, table="bridge fw"), "may drop"),
        (rules([CT_ZERO, DROP], hook="ingress", prio=0, table="netdev fw", dev="front"), "may drop"),
        (rules([CT_ZERO, ACCEPT], hook="prerouting", prio=-300, policy="drop"), "drops"),
    ],
    ids=str,
)
def test_before_it_is_tracked_a_packet_has_no_connection_that_could_be_marked(objects: Any, fate_of: str) -> None:
    assert told(objects) == fate_of


@pytest.mark.parametrize(("prio", "fate_of"), [(-300, "passes"), (-200, "may drop"), (-150, "drops")])
def test_nor_is_it_marked_before(prio: int, fate_of: str) -> None:
    early = rules([GIVEN], hook="prerouting", prio=prio, table="ip raw")
    late = rules([left(ct_mark=5), DROP], hook="forward")
    assert told([*early, *late]) == fate_of


def test_neighbours_are_bridged() -> None:
    packet = Packet(4, "", "", "front", "front", "front", protocol="tcp", bridged=True, kinds=KINDS)
    assert told(rules(DROP, table="bridge b", hook="forward"), packet) == "drops"
    assert told(rules([left(meta_iifname="front"), left(meta_oifname="front"), DROP]), packet) == "drops"


def test_of_several_ways_what_drops_one_only_may_drop() -> None:
    def of(*ways: str) -> list[bool]:
        flows = [[Packet(4, saddr="10.1.0.0/24", iifname="front", oifname=way, bridge="front")] for way in ways]
        objects = rules([left(meta_oifname="up0"), DROP])
        return [one.sure for one in fate.blocks(ForeignRules(NFTABLES.foreign(objects, {})), flows)]

    assert of("up0") == [True]
    assert of("up0", "up1") == [False]
    assert of("up1") == []


def test_a_chain_is_followed_once_though_it_is_called_often() -> None:
    """Otherwise a chain that calls the next one twice, 16 deep, would be followed 65 536 times."""
    objects = rules(*([{"jump": {"target": "c0"}}] * 2))
    for number in range(16):
        objects.append(chain("inet fw", f"c{number}"))
        objects += [rule("inet fw", f"c{number}", {"jump": {"target": f"c{number + 1}"}})] * 2
    objects += [chain("inet fw", "c16"), rule("inet fw", "c16", left(meta_mark=7))]
    assert told(objects) in ("passes", "may drop")
