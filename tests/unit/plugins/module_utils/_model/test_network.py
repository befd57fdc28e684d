# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects of a host's network: a namespace by any of its spellings, what tells addresses apart, the words of iproute2."""

from __future__ import annotations

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Address,
    Link,
    Nexthop,
    NsRef,
    PolicyRule,
    Route,
    Vlan,
    show,
)


@pytest.mark.parametrize(
    "value",
    ["web", "/run/netns/web", "/var/run/netns/web", "/run//netns/./web", "//var/run/netns/web/"],
)
def test_spellings_of_a_namespace(value: str) -> None:
    found = NsRef.parse(value)
    assert found == NsRef.parse(found.path) == NsRef("/run/netns/web")
    assert (found.name, found.option, str(found)) == ("web", "web", "netns 'web'")


def test_a_namespace_that_has_no_name() -> None:
    found = NsRef.parse("/proc/42/ns/net")
    assert (found.name, found.option, str(found)) == ("", "/proc/42/ns/net", "netns '/proc/42/ns/net'")
    assert NsRef.parse("/data/var/run/netns/web").path == "/data/var/run/netns/web"


def test_the_host_is_what_nobody_names() -> None:
    assert NsRef.parse(None) == HOST
    assert (HOST.name, HOST.option, str(HOST)) == ("", None, "the host")


@pytest.mark.parametrize("value", ["", "a/b", ".", "/run/netns/a\0b", "a\0b", " web"])
def test_what_is_no_namespace(value: str) -> None:
    with pytest.raises(Invalid, match=r"^peer_netns: "):
        NsRef.parse(value, "peer_netns")


@pytest.mark.parametrize(
    ("ref", "program", "words"),
    [
        (HOST, "ip", ["ip"]),
        (NsRef("/run/netns/web"), "ip", ["ip", "-n", "web"]),
        (NsRef("/run/netns/web"), "bridge", ["bridge", "-n", "web"]),
        (NsRef("/run/netns/web"), "sysctl", ["ip", "netns", "exec", "web", "sysctl"]),
        (NsRef("/proc/42/ns/net"), "ip", ["nsenter", "--net=/proc/42/ns/net", "ip"]),
    ],
)
def test_the_words_that_begin_a_command(ref: NsRef, program: str, words: list[str]) -> None:
    assert ref.tool(program) == words


def test_what_tells_two_addresses_of_an_interface_apart() -> None:
    """The peer counts for IPv4 alone, and attributes not at all."""
    one = Address("10.0.0.2", 24, 4)
    assert one.key == Address("10.0.0.2", 24, 4, scope="link", valid_lft=60).key
    assert one.key != Address("10.0.0.2", 24, 4, peer="10.0.0.9").key
    assert one.key != Address("10.0.0.2", 16, 4).key
    assert Address("fd00::2", 64, 6).key == Address("fd00::2", 64, 6, peer="fd00::9").key


def test_the_network_of_an_address() -> None:
    assert str(Address("10.0.0.2", 24, 4).network) == "10.0.0.0/24"
    assert str(Address("10.0.0.2", 32, 4, peer="10.9.0.1").network) == "10.9.0.1/32"
    assert Address("10.0.0.2", 24, 4).cidr == "10.0.0.2/24"
    assert str(Address("fd00::2", 64, 6).parsed) == "fd00::2"


def test_what_the_kernel_says_beside_does_not_tell_objects_apart() -> None:
    assert Address("10.0.0.2", 24, 4) == Address("10.0.0.2", 24, 4, secondary=True, protocol=76, tentative=True)
    assert Route(4, "0.0.0.0/0") == Route(4, "0.0.0.0/0", protocol=76)


@pytest.mark.parametrize(
    ("route", "text"),
    [
        (Route(4, "0.0.0.0/0", gateway="10.0.0.1", interface="eth0"), "default via 10.0.0.1 dev eth0"),
        (Route(6, "::/0", metric=1024), "default metric 1024"),
        (Route(4, "10.9.0.0/16", 100, type="blackhole"), "blackhole 10.9.0.0/16 table 100"),
        (Route(4, "10.9.0.0/16", 100, type="blackhole", nexthop_id=3), "10.9.0.0/16 nhid 3 table 100"),
        (Route(4, "10.9.0.0/16", type="throw", nexthop_id=3), "throw 10.9.0.0/16 nhid 3"),
        (
            Route(4, "10.9.0.0/16", source="10.0.0.2", scope="link", mtu=1400, advmss=1000, onlink=True),
            "10.9.0.0/16 src 10.0.0.2 scope link mtu 1400 advmss 1000 onlink",
        ),
        (
            Route(4, "0.0.0.0/0", nexthops=(Nexthop("10.0.0.1", "", 2), Nexthop("", "eth1"))),
            "default nexthop via 10.0.0.1 weight 2 nexthop dev eth1 weight 1",
        ),
    ],
)
def test_a_route_in_words(route: Route, text: str) -> None:
    assert str(route) == text


def test_other_objects_in_words() -> None:
    assert str(PolicyRule(4, "10.9.0.0/24", 100, 5, 76)) == "from 10.9.0.0/24 lookup 100 priority 5 proto 76"
    assert [str(vlan) for vlan in (Vlan(1), Vlan(10, True, True))] == ["1", "10 pvid untagged"]
    assert [Link(1, "x", kind).describe() for kind in ("bridge", "veth", "", "gre")] == [
        "a bridge", "a veth", "a physical or other interface", "an interface of type gre",
    ]  # fmt: skip


def test_a_link_with_other_attributes_is_another_link() -> None:
    link = Link(1, "br0", "bridge", {"mtu": 1500})
    assert (link.with_(mtu=1400).get("mtu"), link.get("mtu"), link.get("mac")) == (1400, 1500, None)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, "true"),
        (False, "false"),
        (None, "none"),
        ("", "none"),
        (0, "0"),
        ([], "none"),
        (["a", 1], "a, 1"),
        ({"vid": 1, "pvid": False, "alias": ""}, "vid 1 pvid false"),
    ],
)
def test_a_value_as_it_is_shown(value: object, shown: str) -> None:
    assert show(value) == shown
