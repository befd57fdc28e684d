# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a kernel must do with addresses, routes, sysctls, files and NAT rules."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import Any

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_snat import ours
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import NatRule
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import DelAddress, PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import PutFile, SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import DelLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import AddNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import (
    AddLoopbackGuard,
    AddPolicy,
    DelLoopbackGuard,
    DelPolicy,
    DelRoute,
    PutRoute,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import PROTOCOL
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Address,
    LoopbackGuards,
    Nexthop,
    NsRef,
    PolicyRule,
    Route,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import changes as firewall_change
from ansible_collections.linuxnet.containers.tests.unit.kernel_contract import (
    DB,
    WEB,
    address,
    bridge,
    case,
    cidrs,
    link,
    pair,
    refused,
    routes,
)

KERNEL_PROTOCOL = 2  # RTPROT_KERNEL
DEFAULT = Route(4, "0.0.0.0/0", gateway="10.0.0.1", protocol=76)
DEFAULT6 = Route(6, "::/0", metric=1024, gateway="fd00::1", protocol=76)


def put(kernel: Any, route: Route, old: Route | None = None, ref: NsRef = WEB) -> None:
    kernel.apply(PutRoute(ref, route, old))


def held(kernel: Any, text: str) -> Address:
    """The address of eth0 as the kernel holds it."""
    found: list[Address] = [one for dummy, one in kernel.addresses(kernel.find(WEB)) if one.cidr == text]
    assert len(found) == 1, f"{text} is there {len(found)} times"
    return found[0]


# --- addresses ---


@case
def an_address_is_there_once(kernel: Any) -> None:
    pair(kernel)
    one = address(kernel, "10.0.0.2/24", broadcast="10.0.0.255", protocol=76)
    six = address(kernel, "fd00::2/64", protocol=76)
    assert cidrs(kernel, WEB, "eth0") == ["10.0.0.2/24", "fd00::2/64"]
    assert held(kernel, "10.0.0.2/24") == one
    assert held(kernel, "fd00::2/64") == six
    assert [held(kernel, text).protocol for text in ("10.0.0.2/24", "fd00::2/64")] == [76, 76]
    for again in (one, six):
        refused(kernel, PutAddress(WEB, "eth0", again), errno.EEXIST)
        kernel.apply(DelAddress(WEB, "eth0", again))
        kernel.apply(DelAddress(WEB, "eth0", again))  # gone already: that is what was wanted
    assert cidrs(kernel, WEB, "eth0") == []


@case
def an_address_needs_its_interface(kernel: Any) -> None:
    kernel.apply(AddNetns("web"))
    one = Address("10.0.0.2", 24, 4, label="eth0")
    refused(kernel, PutAddress(WEB, "eth0", one), errno.ENODEV)
    refused(kernel, DelAddress(WEB, "eth0", one), errno.ENODEV)


@case
def an_address_is_changed_in_place(kernel: Any) -> None:
    """A6."""
    pair(kernel)
    six = address(kernel, "fd00::2/64")
    kernel.apply(PutAddress(WEB, "eth0", replace(six, noprefixroute=True), six))
    assert held(kernel, "fd00::2/64").noprefixroute is True
    assert routes(kernel, WEB, 6) == []
    absent = Address("10.0.0.9", 24, 4, label="eth0")
    kernel.apply(PutAddress(WEB, "eth0", absent, absent))  # replaced or, where it went, made
    assert sorted(cidrs(kernel, WEB, "eth0")) == ["10.0.0.9/24", "fd00::2/64"]


@case
def secondary_addresses_go_with_the_primary_one(kernel: Any) -> None:
    pair(kernel)
    first = address(kernel, "10.0.0.2/24")
    for text in ("10.0.0.3/24", "10.0.0.4/24", "10.0.1.2/24", "10.0.0.5/25"):
        address(kernel, text)
    texts = ("10.0.0.2/24", "10.0.0.3/24", "10.0.0.4/24", "10.0.1.2/24", "10.0.0.5/25")
    assert [held(kernel, text).secondary for text in texts] == [False, True, True, False, False]
    kernel.apply(DelAddress(WEB, "eth0", first))
    assert sorted(cidrs(kernel, WEB, "eth0")) == ["10.0.0.5/25", "10.0.1.2/24"]


@case
def a_secondary_address_is_promoted_where_the_sysctl_says_so(kernel: Any) -> None:
    pair(kernel)
    first = address(kernel, "10.0.0.2/24")
    for text in ("10.0.0.3/24", "10.0.0.4/24"):
        address(kernel, text)
    put(kernel, DEFAULT)
    kernel.apply(SetSysctl(WEB, "net.ipv4.conf.eth0.promote_secondaries", "1", "0"))
    kernel.apply(DelAddress(WEB, "eth0", first))
    assert [held(kernel, text).secondary for text in ("10.0.0.3/24", "10.0.0.4/24")] == [False, True]
    assert routes(kernel, WEB) == [
        "10.0.0.0/24 dev eth0 src 10.0.0.3 scope link",
        "default via 10.0.0.1 dev eth0",
    ]


@case
def an_ipv6_address_needs_ipv6(kernel: Any) -> None:
    """D12."""
    pair(kernel)
    key = "net/ipv6/conf/eth0/disable_ipv6"
    assert kernel.sysctl(kernel.find(WEB), key) == "0"
    kernel.apply(SetSysctl(WEB, key, "1", "0"))
    refused(kernel, PutAddress(WEB, "eth0", Address("fd00::2", 64, 6, nodad=True)), errno.EACCES)
    address(kernel, "10.0.0.2/24")
    assert cidrs(kernel, WEB, "eth0") == ["10.0.0.2/24"]


@case
def the_members_of_a_bridge_are_seen_from_the_host(kernel: Any) -> None:
    """D3."""
    bridge(kernel)
    pair(kernel, master="br0")
    pair(kernel, "db0", DB, master="br0")
    pair(kernel, "web1", WEB, "eth1")
    address(kernel, "10.0.0.2/24")
    address(kernel, "10.0.0.3/24", DB)
    address(kernel, "10.1.0.4/24", WEB, "eth1")  # the namespace is behind the bridge, whichever way
    address(kernel, "10.9.0.1/24", HOST, "br0")
    holders = kernel.members(kernel.find(HOST), link(kernel, HOST, "br0").index, {})
    found = sorted((one.address.cidr, one.ns, one.index) for one in holders if one.address.scope == "global")
    web, db = kernel.find(WEB), kernel.find(DB)
    assert found == [
        ("10.0.0.2/24", web, link(kernel, WEB, "eth0").index),
        ("10.0.0.3/24", db, link(kernel, DB, "eth0").index),
        ("10.1.0.4/24", web, link(kernel, WEB, "eth1").index),
    ]
    read = {web: {}, db: {link(kernel, DB, "eth0").index: [Address("10.0.0.9", 24, 4)]}}
    holders = kernel.members(kernel.find(HOST), link(kernel, HOST, "br0").index, read)
    assert [(one.address.ip, one.ns, one.port) for one in holders] == [
        ("10.0.0.9", db, link(kernel, HOST, "db0").index)
    ]
    kernel.apply(DelLink(HOST, "web0"))
    holders = kernel.members(kernel.find(HOST), link(kernel, HOST, "br0").index, {})
    assert [one.address.cidr for one in holders if one.address.scope == "global"] == ["10.0.0.3/24"]


# --- routes ---


@case
def an_address_brings_the_route_to_its_network_while_the_interface_is_up(kernel: Any) -> None:
    pair(kernel)
    address(kernel, "10.0.0.2/24")
    address(kernel, "10.0.0.3/24")
    address(kernel, "10.2.0.2/32")
    address(kernel, "10.3.0.2/24", noprefixroute=True)
    address(kernel, "fd00::2/64")
    assert routes(kernel, WEB) == ["10.0.0.0/24 dev eth0 src 10.0.0.2 scope link"]
    assert routes(kernel, WEB, 6) == ["fd00::/64 dev eth0 metric 256"]
    kernel.apply(SetLink(WEB, "eth0", {"enabled": False}, {"enabled": True}))
    assert routes(kernel, WEB) == []
    kernel.apply(SetLink(WEB, "eth0", {"enabled": True}, {"enabled": False}))
    assert routes(kernel, WEB) == ["10.0.0.0/24 dev eth0 src 10.0.0.2 scope link"]


@case
def a_gateway_must_be_on_a_link(kernel: Any) -> None:
    pair(kernel)
    refused(kernel, PutRoute(WEB, DEFAULT), errno.ENETUNREACH)
    refused(kernel, PutRoute(WEB, DEFAULT6), errno.EHOSTUNREACH)
    address(kernel, "10.0.0.2/24")
    address(kernel, "fd00::2/64")
    refused(kernel, PutRoute(WEB, replace(DEFAULT, gateway="10.7.0.1")), errno.ENETUNREACH)
    refused(kernel, PutRoute(WEB, replace(DEFAULT, gateway="10.7.0.1", interface="eth0")), errno.ENETUNREACH)
    put(kernel, DEFAULT)
    put(kernel, DEFAULT6)
    assert "default via 10.0.0.1 dev eth0" in routes(kernel, WEB)
    assert "default via fd00::1 dev eth0 metric 1024" in routes(kernel, WEB, 6)
    put(kernel, Route(4, "10.8.0.0/16", gateway="10.7.0.1", interface="eth0", onlink=True))
    assert "10.8.0.0/16 via 10.7.0.1 dev eth0 onlink" in routes(kernel, WEB)


@case
def a_route_is_told_apart_by_destination_and_metric(kernel: Any) -> None:
    """E1, E3."""
    pair(kernel)
    address(kernel, "10.0.0.2/24")
    address(kernel, "fd00::2/64")
    for route, other in ((DEFAULT, "10.0.0.3"), (DEFAULT6, "fd00::3")):
        put(kernel, route)
        refused(kernel, PutRoute(WEB, replace(route, gateway=other)), errno.EEXIST)
        put(kernel, replace(route, gateway=other, mtu=1400), route)
        put(kernel, replace(route, metric=2000))
    assert [one for one in routes(kernel, WEB) if "default" in one] == [
        "default via 10.0.0.1 dev eth0 metric 2000",
        "default via 10.0.0.3 dev eth0 mtu 1400",
    ]
    assert [one for one in routes(kernel, WEB, 6) if "default" in one] == [
        "default via fd00::1 dev eth0 metric 2000",
        "default via fd00::3 dev eth0 metric 1024 mtu 1400",
    ]


@case
def a_route_that_is_not_there_cannot_be_deleted(kernel: Any) -> None:
    pair(kernel)
    address(kernel, "10.0.0.2/24")
    put(kernel, DEFAULT)
    there = replace(DEFAULT, interface="eth0")
    kernel.apply(DelRoute(WEB, there))
    refused(kernel, DelRoute(WEB, there), errno.ESRCH)


@case
def routes_go_with_their_interface(kernel: Any) -> None:
    """E4."""
    pair(kernel)
    address(kernel, "10.0.0.2/24")
    put(kernel, DEFAULT)
    kernel.apply(SetLink(WEB, "eth0", {"enabled": False}, {"enabled": True}))
    assert routes(kernel, WEB) == []
    refused(kernel, PutRoute(WEB, DEFAULT), errno.ENETUNREACH)
    refused(kernel, PutRoute(WEB, Route(4, "10.5.0.0/16", interface="eth0", scope="link")), errno.ENETDOWN)
    kernel.apply(SetLink(WEB, "eth0", {"enabled": True}, {"enabled": False}))
    assert routes(kernel, WEB) == ["10.0.0.0/24 dev eth0 src 10.0.0.2 scope link"]
    kernel.apply(DelLink(HOST, "web0"))
    assert routes(kernel, WEB) == []
    refused(kernel, PutRoute(WEB, replace(DEFAULT, interface="eth0")), errno.ENODEV)


@case
def routes_go_with_the_last_ipv4_address_of_their_interface(kernel: Any) -> None:
    """Also those to a gateway elsewhere; of IPv6 none goes but the one to the address's own network."""
    pair(kernel)
    first, other = address(kernel, "10.0.0.2/24"), address(kernel, "10.1.0.2/24")
    six = address(kernel, "fd00::2/64")
    put(kernel, DEFAULT)
    put(kernel, DEFAULT6)
    kernel.apply(DelAddress(WEB, "eth0", first))
    assert routes(kernel, WEB) == ["10.1.0.0/24 dev eth0 src 10.1.0.2 scope link", "default via 10.0.0.1 dev eth0"]
    kernel.apply(DelAddress(WEB, "eth0", other))
    kernel.apply(DelAddress(WEB, "eth0", six))
    assert routes(kernel, WEB) == []
    assert routes(kernel, WEB, 6) == ["default via fd00::1 dev eth0 metric 1024"]


@case
def routes_go_with_their_source(kernel: Any) -> None:
    """Of IPv4, where no other interface address has that IP address; of IPv6 they stay, without a source."""
    pair(kernel)
    address(kernel, "10.1.0.2/24")
    one, same, six = (address(kernel, text) for text in ("10.0.0.2/24", "10.0.0.2/32", "fd00::2/64"))
    put(kernel, replace(DEFAULT, source="10.0.0.2"))
    put(kernel, replace(DEFAULT6, source="fd00::2"))
    kernel.apply(DelAddress(WEB, "eth0", same))
    assert "default via 10.0.0.1 dev eth0 src 10.0.0.2" in routes(kernel, WEB)
    kernel.apply(DelAddress(WEB, "eth0", one))
    kernel.apply(DelAddress(WEB, "eth0", six))
    assert routes(kernel, WEB) == ["10.1.0.0/24 dev eth0 src 10.1.0.2 scope link"]
    assert routes(kernel, WEB, 6) == ["default via fd00::1 dev eth0 metric 1024"]


@case
def routes_of_other_kinds_and_tables(kernel: Any) -> None:
    """C14."""
    pair(kernel)
    address(kernel, "10.0.0.2/24")
    put(kernel, Route(4, "10.5.0.0/16", type="blackhole", protocol=76))
    put(kernel, Route(4, "10.6.0.0/16", interface="eth0", scope="link", source="10.0.0.2", advmss=1000))
    put(kernel, replace(DEFAULT, table=100))
    hops = (Nexthop("10.0.0.1", "eth0", 1), Nexthop("10.0.0.3", "eth0", 5))
    put(kernel, Route(4, "10.7.0.0/16", nexthops=hops))
    assert routes(kernel, WEB)[1:] == [
        "10.6.0.0/16 dev eth0 src 10.0.0.2 scope link advmss 1000",
        "10.7.0.0/16 nexthop via 10.0.0.1 dev eth0 weight 1 nexthop via 10.0.0.3 dev eth0 weight 5",
        "blackhole 10.5.0.0/16",
    ]
    assert routes(kernel, WEB, table=100) == ["default via 10.0.0.1 dev eth0 table 100"]
    assert [one.protocol for one in kernel.routes(kernel.find(WEB), 4, 254) if one.type == "blackhole"] == [76]
    ours = kernel.routes(kernel.find(WEB), 4, 254, 76)
    assert list(ours) == [one for one in kernel.routes(kernel.find(WEB), 4, 254) if one.protocol == 76]
    assert list(kernel.routes(kernel.find(WEB), 4, 254, 99)) == []
    assert routes(kernel, WEB, table=101) == []


@case
def a_source_must_be_an_address_of_the_namespace(kernel: Any) -> None:
    pair(kernel)
    one = address(kernel, "10.0.0.2/32")
    refused(kernel, PutRoute(WEB, Route(4, "10.6.0.0/16", interface="eth0", source="10.9.9.9")), errno.EINVAL)
    put(kernel, Route(4, "10.6.0.0/16", interface="eth0", scope="link", source="10.0.0.2"))
    kernel.apply(DelAddress(WEB, "eth0", one))
    assert routes(kernel, WEB) == []


def policies(kernel: Any, family: int = 4) -> list[str]:
    """The policy rules of web as `ip rule` spells them, those left out that every namespace has."""
    found = kernel.policies(kernel.find(WEB), family)
    return [str(one) for one in found if one.protocol != KERNEL_PROTOCOL]


@case
def a_policy_rule_is_told_apart_by_every_part_of_it(kernel: Any) -> None:
    """E5."""
    kernel.apply(AddNetns("web"))
    one = PolicyRule(4, "10.9.0.0/24", 100, 20100, 76)
    others = [
        replace(one, protocol=4),
        replace(one, table=101),
        replace(one, source="10.9.0.7/32"),
        replace(one, priority=5),
        replace(one, source="0.0.0.0/0", table=70000, priority=7),
    ]
    six = PolicyRule(6, "fd00:9::/64", 70000, 20100, 76)
    for rule in (one, *others, six):
        kernel.apply(AddPolicy(WEB, rule))
        refused(kernel, AddPolicy(WEB, rule), errno.EEXIST)
    words = [str(rule) for rule in (others[3], others[4], one, *others[:3])]
    assert policies(kernel) == words, "by priority, then by age"
    assert policies(kernel, 6) == [str(six)]
    kernel.apply(DelPolicy(WEB, one))
    refused(kernel, DelPolicy(WEB, one), errno.ENOENT)
    words.remove(str(one))
    assert policies(kernel) == words
    kernel.apply(DelPolicy(WEB, six))
    assert policies(kernel, 6) == []


@case
def what_is_for_127_is_kept_out_of_an_interface_by_a_rule_that_is_asked_first(kernel: Any) -> None:
    kernel.apply(AddNetns("web"))
    there = kernel.find(WEB)
    assert kernel.loopback_guards(there) == LoopbackGuards((), True)
    for name in ("br0", "br1"):  # whether there is such an interface or not
        kernel.apply(AddLoopbackGuard(WEB, name))
    assert kernel.loopback_guards(there) == LoopbackGuards(("br0", "br1"), True)
    kernel.apply(DelLoopbackGuard(WEB, "br0"))
    refused(kernel, DelLoopbackGuard(WEB, "br0"), errno.ENOENT)
    assert kernel.loopback_guards(there) == LoopbackGuards(("br1",), True)
    assert policies(kernel) == [], "a route's rules are others"


@case
def where_routes_and_rules_of_ours_are_is_told_for_all_tables_and_both_families(kernel: Any) -> None:
    pair(kernel)
    address(kernel, "10.0.0.2/24")
    assert kernel.marked(kernel.find(WEB), PROTOCOL) == (set(), set())
    theirs = Route(4, "10.5.0.0/16", 101, type="blackhole", protocol=4)
    kernel.apply(PutRoute(WEB, theirs))
    kernel.apply(AddPolicy(WEB, PolicyRule(6, "fd00:9::/64", 100, 20100, 4)))
    assert kernel.marked(kernel.find(WEB), PROTOCOL) == (set(), set())
    for route in (
        Route(4, "10.6.0.0/16", interface="eth0", scope="link", protocol=PROTOCOL),
        Route(4, "10.6.0.0/16", 70000, type="blackhole", protocol=PROTOCOL),
        Route(6, "fd06::/64", 100, 1024, "blackhole", protocol=PROTOCOL),
    ):
        kernel.apply(PutRoute(WEB, route))
    kernel.apply(AddPolicy(WEB, PolicyRule(4, "10.9.0.0/24", 100, 20100, PROTOCOL)))
    assert kernel.marked(kernel.find(WEB), PROTOCOL) == ({(4, 254), (4, 70000), (6, 100)}, {4})


# --- sysctls, files, rules ---


@case
def a_sysctl_is_of_its_namespace(kernel: Any) -> None:
    kernel.apply(AddNetns("web"))
    key = "net.ipv4.ip_forward"
    before = kernel.sysctl(kernel.find(HOST), key)
    kernel.apply(SetSysctl(WEB, key, "1", "0"))
    assert kernel.sysctl(kernel.find(WEB), key) == "1"
    assert kernel.sysctl(kernel.find(HOST), key) == before
    assert kernel.sysctl(kernel.find(WEB), "net.ipv4.no_such_key") is None
    refused(kernel, SetSysctl(WEB, "net.ipv4.no_such_key", "1", ""), errno.ENOENT)
    refused(kernel, SetSysctl(WEB, key, "on", "1"), errno.EINVAL)


@case
def a_file_is_written_whole_and_an_empty_one_goes(kernel: Any) -> None:
    path = "/etc/sysctl.d/99-contract.conf"
    assert kernel.read_text(path) == ""
    kernel.apply(PutFile(path, "a = 1\n"))
    assert kernel.read_text(path) == "a = 1\n"
    kernel.apply(PutFile(path, "", "a = 1\n"))
    assert kernel.read_text(path) == ""
    refused(kernel, PutFile(path, ""), errno.ENOENT)


@case
def of_a_file_that_others_wrote_meanwhile_only_the_own_lines_are_written(kernel: Any) -> None:
    path = "/etc/sysctl.d/99-contract.conf"
    kernel.apply(PutFile(path, "# Ours.\na = 1\nb = 1\n"))
    kernel.apply(PutFile(path, "", "# Ours.\nb = 1\n"))  # as if the end of a had not been refused
    assert kernel.read_text(path) == "# Ours.\na = 1\n"
    kernel.apply(PutFile(path, "", "# Ours.\na = 1\n"))
    kernel.apply(PutFile(path, "# Ours.\na = 1\nb = 1\n", "# Ours.\na = 1\n"))  # as if a had not been
    assert kernel.read_text(path) == "# Ours.\nb = 1\n"
    kernel.apply(PutFile(path, "", "# Ours.\nb = 1\n"))
    assert kernel.read_text(path) == ""


@case
def a_rule_is_replaced_in_its_place(kernel: Any) -> None:
    """F13."""
    host = kernel.find(HOST)
    one = NatRule("172.17.0.0/16", "!docker0", ("10.0.0.0/8",), "", "net", "the net")
    six = NatRule("fd00:17::/64", "!docker0", (), "fd00::9", "net")
    kernel.apply(firewall_change.PutRule(HOST, one))
    kernel.apply(firewall_change.PutRule(HOST, six))
    there = ours(kernel.ruleset(host, NFTABLES))
    assert there == [one, six]
    kernel.apply(firewall_change.PutRule(HOST, replace(one, out_interface="eth0"), there[0]))
    now = ours(kernel.ruleset(host, NFTABLES))
    assert now == [replace(one, out_interface="eth0"), six]
    assert now[1].handles == there[1].handles
    kernel.apply(firewall_change.DelRule(HOST, one))
    kernel.apply(firewall_change.DelRule(HOST, one))  # gone already: that is what was wanted
    assert ours(kernel.ruleset(host, NFTABLES)) == [six]
    kernel.apply(firewall_change.DelRule(HOST, six, last=True))
    assert kernel.ruleset(host, NFTABLES) == []
