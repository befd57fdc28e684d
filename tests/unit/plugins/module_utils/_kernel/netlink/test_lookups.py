# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way of one packet over route netlink: what is asked, and what the kernel's messages say of it."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import codec, lookups
from ansible_collections.linuxnet.containers.plugins.module_utils._model.ways import Asked, Way
from ansible_collections.linuxnet.containers.tests.unit.netlink_wire import Answering, by_class
from pyroute2.netlink.rtnl.fibmsg import fibmsg
from pyroute2.netlink.rtnl.ndmsg import ndmsg

GETROUTE, FIB_MATCH = 26, 0x2000


def route(**attrs: Any) -> bytes:
    """A message about a route; attributes by their name without RTA."""
    fields = {"family": 2, "dst_len": attrs.pop("length", 32), "type": attrs.pop("type", 1), "table": 254}
    return by_class(codec.routemsg, fields, [(f"RTA_{name}", value) for name, value in attrs.items()])


def test_where_a_packet_goes() -> None:
    found = route(
        DST="192.0.2.7", OIF=3, GATEWAY="10.0.0.1", PREFSRC="10.0.0.2", METRICS={"attrs": [("RTAX_MTU", 1400)]}
    )
    matched = route(DST="192.0.2.0", length=24, OIF=3, GATEWAY="10.0.0.1")
    sock = Answering([found], [matched])
    way = lookups.way(sock, Asked("192.0.2.7", "10.0.0.2", 5, 7, 6, 80), {3: "eth0"}.__getitem__)
    assert way == Way("unicast", 3, "10.0.0.1", "10.0.0.2", 1400, "192.0.2.0/24 via 10.0.0.1 dev eth0")
    assert [type_ for type_, dummy, dummy2 in sock.asked] == [GETROUTE] * 2
    for place, flags in ((0, 0), (1, FIB_MATCH)):
        asked = sock.read(codec.routemsg, place)
        assert (asked["dst_len"], asked["src_len"], asked["flags"]) == (32, 32, flags)
        names = ("DST", "SRC", "IIF", "MARK", "IP_PROTO", "DPORT")
        assert [asked.get_attr("RTA_" + name) for name in names] == ["192.0.2.7", "10.0.0.2", 5, 7, 6, 80]


def test_what_is_not_given_is_not_asked() -> None:
    sock = Answering([route(DST="192.0.2.7", OIF=3)], errno.ENOENT)
    assert lookups.way(sock, Asked("192.0.2.7"), str) == Way("unicast", 3)
    asked = sock.read(codec.routemsg, 0)
    assert asked.names() == ["RTA_DST"]
    assert asked["src_len"] == 0


@pytest.mark.parametrize("code", [errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EXDEV, errno.EINVAL])
def test_a_refusal_is_an_answer(code: int) -> None:
    assert lookups.way(Answering(code), Asked("192.0.2.7"), str) == Way(error=code)


def neighbour(index: int, ip: str, mac: str, state: int) -> bytes:
    return by_class(ndmsg, {"family": 2, "ifindex": index, "state": state}, [("NDA_DST", ip), ("NDA_LLADDR", mac)])


def test_neighbours() -> None:
    mac = "02:00:00:00:00:01"
    listed = [
        neighbour(3, "10.0.0.1", mac, 0x80),
        neighbour(3, "10.0.0.2", mac, 0x04),
        neighbour(3, "10.0.0.3", mac, 0x20),
        neighbour(4, "10.0.0.4", mac, 2),
    ]
    wanted = {"10.0.0.1": (mac, True), "10.0.0.2": (mac, False), "10.0.0.3": None, "10.0.0.4": None, "10.0.0.5": None}
    assert {ip: lookups.neighbour(Answering(listed), 3, ip) for ip in wanted} == wanted


def test_rules_that_look_at_marks() -> None:
    plain, marked = (
        by_class(fibmsg, {"family": 2}, [("FRA_PRIORITY", 1), *more]) for more in ([], [("FRA_FWMARK", 5)])
    )
    assert not lookups.marks_decide(Answering([plain]), 4)
    assert lookups.marks_decide(Answering([plain, marked]), 4)
