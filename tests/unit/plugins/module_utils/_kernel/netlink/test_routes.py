# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Routes and policy rules: what the kernel's messages say of them, and what it is sent."""

from __future__ import annotations

import errno
from dataclasses import replace as replaced
from random import Random
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import codec, routes, transport
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import NetlinkError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    Nexthop,
    PolicyRule,
    Route,
    RouteTable,
)
from ansible_collections.linuxnet.containers.tests.unit.netlink_wire import Answering, by_class
from pyroute2.netlink.rtnl.fibmsg import fibmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

INET, INET6 = 2, 10
ROUTES = {
    "default": Route(4, "0.0.0.0/0", gateway="10.0.0.1", protocol=76),
    "with all it can have": Route(
        4, "10.8.0.0/16", 100, 7, source="10.0.0.2", gateway="10.0.0.1", mtu=1400, advmss=1360, onlink=True
    ),
    "in a large table": Route(6, "fd00::/64", 100000, 1024, gateway="fd00::1"),
    "blackhole": Route(4, "10.9.0.0/16", type="blackhole"),
    "on the link": Route(4, "10.0.0.0/24", scope="link", source="10.0.0.2"),
}
HOPS = (Nexthop("10.0.0.1", "", 1), Nexthop("10.0.1.1", "", 20), Nexthop("", "", 256))
MANY = Route(4, "10.7.0.0/16", nexthops=HOPS)


def named(index: int) -> str:
    return f"if{index}" if index else ""


def sent_route(route: Route, index: int = 2, hops: tuple[int, ...] = (), replace: bool = False) -> Answering:
    sock = Answering()
    routes.put(sock, route, index, hops, replace)
    return sock


@pytest.mark.parametrize("what", ROUTES)
def test_a_route_is_read_as_it_was_written(what: str) -> None:
    route = ROUTES[what]
    sock = sent_route(route)
    [(kind, flags, body)] = sock.asked
    assert (kind, flags) == (24, transport.ACK | transport.CREATE | transport.EXCL)
    [found] = routes.read_all(Answering([bytes(16) + body]), route.family, route.table, named)
    assert found == replaced(route, interface="" if route.type == "blackhole" else "if2")
    assert found.protocol == route.protocol


def test_so_is_one_of_many_ways() -> None:
    [(_kind, _flags, body)] = sent_route(MANY, 0, (2, 3, 4)).asked
    hops = sorted(replaced(hop, interface=f"if{number}") for number, hop in enumerate(HOPS, 2))
    assert list(routes.read_all(Answering([bytes(16) + body]), 4, 254, named)) == [replaced(MANY, nexthops=tuple(hops))]


def test_ways_of_ipv6_and_on_the_link() -> None:
    route = Route(6, "fd07::/64", nexthops=(Nexthop("fd00::1"), Nexthop("fd00::2")), onlink=True)
    [(_kind, _flags, body)] = sent_route(route, 0, (2, 3)).asked
    [found] = routes.read_all(Answering([bytes(16) + body]), 6, 254, named)
    assert found.nexthops == (Nexthop("fd00::1", "if2"), Nexthop("fd00::2", "if3"))
    assert found.onlink


@pytest.mark.parametrize(("cut", "left"), [(1, [2, 3]), (8, [2, 3]), (9, [2]), (30, [])])
def test_ways_that_are_cut_short_are_left_out(cut: int, left: list[int]) -> None:
    raw = codec.decode(rtmsg, bytes(16) + sent_route(MANY, 0, (2, 3, 4)).asked[0][2]).raw("RTA_MULTIPATH")
    assert [index for _hop, index in routes._nexthops(raw)] == [2, 3, 4]
    assert [index for _hop, index in routes._nexthops(raw[:-cut])] == left
    assert list(routes._nexthops(b"\7\0\0\0\2\0\0\0" + raw)) == []


def test_what_has_no_word_is_its_number() -> None:
    message = by_class(rtmsg, {"family": INET, "type": 11, "scope": 77, "table": 254}, [])
    [route] = routes.read_all(Answering([message]), 4, 254, named)
    assert (route.type, route.scope) == ("11", "77")


def test_only_the_table_and_the_family_are_returned_though_an_old_kernel_sends_all() -> None:
    """One without IPv6 answers with the routes of IPv4."""
    rows: list[tuple[dict[str, int], list[Any]]] = [
        ({"family": INET, "table": 254}, []),
        ({"family": INET, "table": 255}, []),
        ({"family": INET6}, []),
    ]
    messages = [by_class(rtmsg, {"type": 1, **fields}, attrs) for fields, attrs in rows]
    assert [route.destination for route in routes.read_all(Answering(messages), 4, 254, named)] == ["0.0.0.0/0"]
    assert list(routes.read_all(Answering(messages[:2]), 6, 254, named)) == []


def test_each_of_many_that_are_alike_has_its_own_destination() -> None:
    listed = [
        *(Route(4, f"10.{number}.0.0/16", gateway="10.0.0.1", interface="if2") for number in range(9)),
        *(Route(4, f"10.{number}.0.0/24", gateway="10.0.0.1", interface="if2") for number in range(9)),
        *(Route(4, f"10.{number}.0.0/16", metric=9, gateway="10.0.0.1", interface="if2") for number in range(9)),
        Route(4, "0.0.0.0/0", gateway="10.0.0.1", interface="if2"),
        Route(4, "0.0.0.0/0", metric=9, gateway="10.0.0.1", interface="if2"),
    ]
    listed += [replaced(route, interface="if3") for route in listed]
    Random(1).shuffle(listed)
    bodies = [bytes(16) + sent_route(route, int(route.interface[2:])).asked[0][2] for route in listed]
    assert list(routes.read_all(Answering(bodies), 4, 254, named)) == listed


def test_each_can_be_asked_for_without_the_others() -> None:
    """The same as of a list, by whatever it is asked."""
    chance = Random(1)
    listed = []
    for number in range(60):
        bits = chance.choice((16, 24, 24))
        net = f"10.{number}.0.0/{bits}" if number % 20 else "0.0.0.0/0"
        listed.append(Route(4, net, metric=chance.choice((0, 0, 9)), gateway="10.0.0.1", interface="if2"))
    listed += listed[5:8]
    bodies = [bytes(16) + sent_route(route).asked[0][2] for route in listed]
    read, plain = routes.read_all(Answering(bodies), 4, 254, named), RouteTable(listed)
    assert len(list(read.runs(lambda _route: True))) < len(listed)
    for like in (lambda _route: True, lambda route: route.metric == 9, lambda _route: False):
        assert read.like(like) == plain.like(like)
        assert [one for run in read.runs(like) for one in run] == plain.like(like)
        assert sum(len(run) for run in read.runs(like)) == len(plain.like(like))
        for ip in ("10.7.0.9", "10.7.9.9", "11.0.0.1", "fd00::1"):
            assert read.holding(ip, like) == plain.holding(ip, like)
    for nets in ((), ("10.6.0.0/16", "10.6.0.0/24"), {"0.0.0.0/0", "10.9.0.0/24", "10.9.0.0/16"}, ("fd00::/16",)):
        assert read.to(nets) == plain.to(nets)


def test_of_a_protocol_the_kernel_is_asked_for_no_others_and_what_it_sends_besides_is_left_out() -> None:
    bodies = [bytes(16) + sent_route(route).asked[0][2] for route in (ROUTES["default"], ROUTES["on the link"])]
    sock = Answering(bodies)
    assert [route.destination for route in routes.read_all(sock, 4, 254, named, 76)] == ["0.0.0.0/0"]
    assert sock.read(rtmsg)["proto"] == 76


def test_the_kernel_is_asked_for_one_table() -> None:
    sock = Answering([])
    routes.read_all(sock, 4, 1000, named)
    sent = sock.read(rtmsg)
    assert (sent["family"], sent["table"], sent.get_attr("RTA_TABLE")) == (INET, 0, 1000)


@pytest.mark.parametrize("code", [errno.ENOENT, errno.EAFNOSUPPORT, errno.EOPNOTSUPP])
def test_a_table_or_a_family_that_is_not_there_has_no_routes(code: int) -> None:
    assert list(routes.read_all(Answering(code), 6, 100, named)) == []


def test_another_refusal_is_an_error() -> None:
    with pytest.raises(NetlinkError):
        routes.read_all(Answering(errno.EPERM), 4, 254, named)
    with pytest.raises(NetlinkError):
        routes.read_policies(Answering(errno.EPERM), 4)


def test_a_route_is_replaced_or_removed_by_its_key() -> None:
    sock = sent_route(ROUTES["with all it can have"], replace=True)
    assert sock.asked[0][1] == transport.ACK | transport.CREATE | transport.REPLACE
    routes.delete(sock, ROUTES["with all it can have"], 2, [])
    sent = sock.read(rtmsg)
    assert (sock.asked[1][0], sent["flags"], sent.get_attr("RTA_OIF")) == (25, 0, 2)


@pytest.mark.parametrize(("kind", "written"), [("unicast", 1), ("blackhole", 1), ("throw", 9)])
def test_the_type_that_a_route_to_an_object_is_shown_with_need_not_be_its_own(kind: str, written: int) -> None:
    route = Route(4, "10.9.0.0/16", type=kind, nexthop_id=3)
    sock = sent_route(route, 0)
    assert (sock.read(codec.routemsg)["type"], sock.read(codec.routemsg).get_attr("RTA_NH_ID")) == (written, 3)
    routes.delete(sock, route, 0, [])
    assert (sock.read(codec.routemsg)["type"], sock.read(codec.routemsg).get_attr("RTA_NH_ID")) == (0, 3)


# --- policy rules ---

RULE = PolicyRule(4, "10.0.0.2/32", 100, 32000, 76)


@pytest.mark.parametrize(
    "rule", [RULE, PolicyRule(6, "fd00::/64", 100000, 5, 0), PolicyRule(4, "0.0.0.0/0", 254, 7)], ids=str
)
def test_a_policy_rule_is_read_as_it_was_written(rule: PolicyRule) -> None:
    sock = Answering()
    routes.add_policy(sock, rule)
    routes.delete_policy(sock, rule)
    assert [kind for kind, _flags, _body in sock.asked] == [32, 33]
    for _kind, _flags, body in sock.asked:
        assert routes.read_policies(Answering([bytes(16) + body]), rule.family) == [rule]


@pytest.mark.parametrize(
    ("fields", "attrs"),
    [
        ({"action": 6}, []),
        ({"flags": 2}, []),
        ({"dst_len": 24}, [("FRA_DST", "10.0.0.0")]),
        ({"tos": 4}, []),
        ({}, [("FRA_FWMARK", 1)]),
        ({}, [("FRA_IIFNAME", "eth0")]),
        ({}, [("FRA_SUPPRESS_PREFIXLEN", 0)]),
    ],
    ids=str,
)
def test_a_rule_with_another_condition_or_action_is_left_out(
    fields: dict[str, int], attrs: list[tuple[str, int | str]]
) -> None:
    plain = {"family": INET, "action": 1, "table": 254}
    good = by_class(fibmsg, plain, [("FRA_SUPPRESS_PREFIXLEN", 0xFFFFFFFF)])
    other = by_class(fibmsg, {**plain, **fields}, attrs)
    assert routes.read_policies(Answering([other, good]), 4) == [PolicyRule(4, "0.0.0.0/0", 254)]


def test_what_a_protocol_marks_is_found_though_an_old_kernel_sends_all() -> None:
    rows = [(INET, 254, 76), (INET, 0, 76), (INET6, 100, 76), (INET, 101, 3), (128, 254, 76)]
    there = [
        by_class(rtmsg, {"family": family, "table": table, "proto": proto}, [] if table else [("RTA_TABLE", 70000)])
        for family, table, proto in rows
    ]
    rules = [
        by_class(fibmsg, {"family": family, "action": 1}, [("FRA_PROTOCOL", proto)])
        for family, proto in ((INET6, 76), (INET, 2), (128, 76))
    ]
    sock = Answering(there, rules)
    assert routes.read_marked(sock, 76) == ({(4, 254), (4, 70000), (6, 100)}, {6})
    assert sock.read(rtmsg, 0)["proto"] == 76


def test_rules_of_another_family_are_left_out() -> None:
    """Those of multicast routing are no rules of IPv4."""
    message = by_class(fibmsg, {"family": 128, "action": 1, "table": 254}, [])
    assert routes.read_policies(Answering([message]), 4) == []


@pytest.mark.parametrize("code", [errno.EAFNOSUPPORT, errno.EOPNOTSUPP])
def test_a_kernel_without_the_family_or_the_feature_has_no_rules(code: int) -> None:
    assert routes.read_policies(Answering(code), 6) == []
