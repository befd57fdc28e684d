# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a container's root makes by the thousand costs next to nothing to read: instructions for each, of the kernel's messages; no time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import addresses, codec, links, routes
from ansible_collections.linuxnet.containers.tests.unit.growth import growth
from ansible_collections.linuxnet.containers.tests.unit.netlink_wire import Answering, by_class
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

pytestmark = pytest.mark.unmeasured  # it counts by a tracer of its own

SIZE = 20


def route(number: int) -> bytes:
    given = [("RTA_TABLE", 254), ("RTA_DST", f"10.9.{number // 250}.{number % 250}"), ("RTA_OIF", 2)]
    return by_class(rtmsg, {"family": 2, "dst_len": 32, "type": 1, "table": 254}, given)


def address(number: int) -> bytes:
    ip = f"10.9.{number // 250}.{number % 250}"
    times = {"ifa_preferred": 2**32 - 1, "ifa_valid": 2**32 - 1, "cstamp": number, "tstamp": number}
    given = [
        ("IFA_ADDRESS", ip),
        ("IFA_LOCAL", ip),
        ("IFA_LABEL", "eth0"),
        ("IFA_FLAGS", 128),
        ("IFA_CACHEINFO", times),
    ]
    return by_class(codec.addressmsg, {"family": 2, "prefixlen": 32, "index": 2}, given)


def link(number: int) -> bytes:
    more = [
        (f"IFLA_{name}", number) for name in ("TXQLEN", "MTU", "GROUP", "PROMISCUITY", "NUM_TX_QUEUES", "NUM_RX_QUEUES")
    ]
    info = {"attrs": [("IFLA_INFO_KIND", "bridge"), ("IFLA_INFO_DATA", {"attrs": [("IFLA_BR_AGEING_TIME", 30000)]})]}
    mac = ("IFLA_ADDRESS", "02:00:00:00:00:%02x" % (number % 256))
    return by_class(
        ifinfmsg, {"index": number}, [("IFLA_IFNAME", f"d{number:04d}"), *more, mac, ("IFLA_LINKINFO", info)]
    )


def to_one(answer: Any) -> None:
    found = routes.read_all(answer, 4, 254, str)
    assert found.to(("0.0.0.0/0",)) == found.holding("10.1.0.1", lambda _route: True) == []


READ: dict[str, tuple[Callable[[int], bytes], Callable[[Any], object], int]] = {
    "a route that is not asked for": (route, to_one, 60),
    "an address": (address, addresses.read_all, 180),
    "the name of a link": (link, lambda answer: [one.name for one, _nsid in links.read_all(answer)], 560),
    "a link of another kind than asked for": (link, lambda answer: links.read_all(answer, "veth"), 280),
}


@pytest.mark.parametrize("what", READ)
def test_each_of_many_takes_a_few_instructions(what: str) -> None:
    make, read, at_most = READ[what]

    def prepare(count: int) -> Callable[[], object]:
        messages = [make(number + 1) for number in range(count)]
        return lambda: read(Answering(messages))

    found = growth(prepare, SIZE)
    assert 0 < found.each <= at_most
    assert abs(found.pair) < 0.01
