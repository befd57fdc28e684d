# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel takes along with an address."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import DelAddress, PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import PutRoute
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Address, Nexthop, Route
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_address_removal import (
    Along,
    Removal,
    along,
    is_secondary,
    set_anew,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.asked import existing
from ansible_collections.linuxnet.containers.tests.unit.wired_host import ONE, WEB, host

TWO = Address("10.0.0.3", 24, 4, secondary=True)
OTHER = Address("10.1.0.2", 24, 4)
DEFAULT = Route(4, "0.0.0.0/0", gateway="10.0.0.1", interface="eth0", protocol=76)
FROM = replace(DEFAULT, destination="10.9.0.0/16", source=ONE.ip)


def removal(*stay: Address, routes: tuple[Route, ...] = (DEFAULT, FROM), promotes: bool = False) -> Removal:
    return Removal(WEB, "eth0", [ONE], stay, Along({4: routes}, promotes))


def test_what_may_go_along_is_read() -> None:
    kernel = host()
    state = State(kernel)
    ns = existing(state.find(WEB))
    found = along(ns, existing(state.link(ns, "eth0")), [ONE], state)
    assert ([str(one) for one in found.routes[4]], found.promotes) == (["default via 10.0.0.1 dev eth0"], False)
    kernel.apply(SetSysctl(WEB, "net.ipv4.conf.all.promote_secondaries", "1", "0"))
    state = State(kernel)
    assert along(ns, existing(state.link(ns, "eth0")), [ONE], state).promotes is True


def test_with_the_last_address_of_ipv4_the_routes_through_the_interface_go() -> None:
    hops = replace(
        DEFAULT, gateway="", interface="", nexthops=(Nexthop("10.0.0.1", "eth0"), Nexthop("10.5.0.1", "eth1"))
    )
    assert removal(routes=(DEFAULT, FROM, hops)).lost() == [DEFAULT, FROM], "one of two ways is left"
    assert removal(OTHER).lost() == []
    assert removal().sourced() == [], "they go"


def test_a_route_is_given_another_source_before_its_own_goes() -> None:
    assert removal(OTHER).sourced() == [FROM]
    assert removal(replace(ONE, prefix=32)).sourced() == [], "the address is there yet"
    put, gone = removal(OTHER).steps("10.1.0.2")
    assert put == PutRoute(WEB, replace(FROM, source="10.1.0.2"), FROM)
    assert gone == DelAddress(WEB, "eth0", ONE)
    put, gone = removal(OTHER).steps("fd00::1")
    assert put == PutRoute(WEB, replace(FROM, source=""), FROM), "an address of another family is none for it"


def test_secondaries_are_promoted() -> None:
    on, gone, off = removal(TWO, routes=()).steps()
    key = "net.ipv4.conf.eth0.promote_secondaries"
    assert (on, off) == (SetSysctl(WEB, key, "1", "0"), SetSysctl(WEB, key, "0", "1"))
    assert removal(TWO, routes=(), promotes=True).steps() == [gone]
    assert removal(OTHER, routes=()).steps() == [gone]
    assert [is_secondary(one, ONE) for one in (TWO, OTHER, ONE, replace(TWO, prefix=16))] == [True, False, False, False]


def test_a_stand_in_holds_the_routes_while_an_address_is_set_anew() -> None:
    labelled = replace(ONE, label="eth0:x")
    stand_in = Address(ONE.ip, 32, 4, noprefixroute=True)
    gone, put = DelAddress(WEB, "eth0", ONE), PutAddress(WEB, "eth0", labelled)
    held = [PutAddress(WEB, "eth0", stand_in), gone, put, DelAddress(WEB, "eth0", stand_in)]
    assert set_anew(WEB, "eth0", ONE, labelled, [ONE], Along({4: (DEFAULT,)})) == held
    assert set_anew(WEB, "eth0", ONE, labelled, [ONE], Along()) == [gone, put]
    assert set_anew(WEB, "eth0", ONE, labelled, [ONE, OTHER], Along({4: (DEFAULT,)})) == [gone, put]
    assert set_anew(WEB, "eth0", ONE, labelled, [ONE, OTHER], Along({4: (FROM,)})) == held


def test_ipv6_keeps_routes_and_their_source_is_put_back() -> None:
    six, longer = Address("fd00::2", 64, 6), Address("fd00::2", 48, 6)
    route = Route(6, "::/0", metric=1024, gateway="fd00::1", interface="eth0", source="fd00::2")
    assert set_anew(WEB, "eth0", six, longer, [six], Along({6: (route,)})) == [
        DelAddress(WEB, "eth0", six),
        PutAddress(WEB, "eth0", longer),
        PutRoute(WEB, route, replace(route, source="")),
    ]
