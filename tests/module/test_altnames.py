# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One thing, two names: an alternative name (`ip link property`) means the interface, wherever one is named, as it does to `ip`."""

from __future__ import annotations

from typing import Any

import pytest
from wires import Host

LONG = "a-name-longer-than-an-interface-may-have"
BRIDGE, PORT, INSIDE = ("lan", "eno1", LONG), ("uplink", "port0", "p" + LONG), ("eth0", "inner", "i" + LONG)
NAMES = pytest.mark.parametrize("number", [1, 2], ids=["short", "long"])


@pytest.fixture
def named(host: Host) -> Host:
    """A host whose bridge `lan`, port `uplink` and container's `eth0` have two further names each."""
    host.bridge("lan", "10.0.0.1/24", "fd00::1/64")
    host.container("web", bridge="lan")
    host.run("ip link add uplink type veth peer name far")
    for where, names in (("", BRIDGE), ("", PORT), ("-n web", INSIDE)):
        for name in names[1:]:
            host.run(f"ip {where} link property add dev {names[0]} altname {name}")
    return host


def once(host: Host, module: str, number: int, args: dict[str, Any], **named: tuple[str, ...]) -> dict[str, Any]:
    """Run a module with interfaces by an alternative name: all comes out as with their own, and nothing is left to do with those."""
    by_other: dict[str, Any] = {option: names[number] for option, names in named.items()}
    done = host.settles(module, **args, **by_other)
    by_own: dict[str, Any] = {option: names[0] for option, names in named.items()}
    again = host.module(module, **args, **by_own)
    assert not again["changed"], again["diff"]
    if done["after"]:
        assert again["after"] == done["after"]
        assert {option: done["after"].get(option) for option in named} == {
            option: names[0] for option, names in named.items()
        }
    assert not any(name in command for command in done["commands"] for name in by_other.values())
    return done


@NAMES
def test_links(named: Host, number: int) -> None:
    assert once(named, "bridge", 1, {"mtu": 1400}, name=BRIDGE)["commands"] == ["ip link set lan mtu 1400"]
    once(named, "bridge_port", number, {"hairpin": True}, bridge=BRIDGE, interface=PORT)
    once(named, "bridge_port", number, {"state": "absent"}, bridge=BRIDGE, interface=PORT)
    once(named, "veth", number, {"peer_netns": "web", "peer_name": "eth1"}, bridge=BRIDGE)
    once(named, "veth", 1, {"peer_name": "far", "alias": "out"}, name=PORT)
    once(named, "veth", 1, {"name": "web-eth0", "peer_netns": "web", "alias": "in"}, peer_name=INSIDE)


def test_the_other_end_of_a_pair_of_ours(host: Host) -> None:
    """Also its derived name and its sysctls are those of the interface, whatever that is called."""
    host.run("ip netns add web")
    host.module("veth", peer_netns="web", peer_sysctls={"net.ipv4.conf.eth0.arp_notify": 1})
    host.run("ip -n web link property add dev eth0 altname inner")
    same: dict[str, Any] = {"peer_netns": "web", "peer_name": "inner"}
    assert not host.module("veth", **same, peer_sysctls={"net.ipv4.conf.inner.arp_notify": 1})["changed"]
    changed = host.settles("veth", **same, peer_sysctls={"net/ipv4/conf/inner/arp_notify": 0})
    assert changed["commands"] == ["ip netns exec web sysctl -w net.ipv4.conf.eth0.arp_notify=0"]


def test_a_question_by_another_name_has_the_same_answer(named: Host) -> None:
    named.run("ip link set uplink master lan")
    for names in (BRIDGE, PORT, INSIDE):
        first, *others = (named.module("wiring_info", find=name) for name in names)
        assert all((other["msg"], other["wiring"]) == (first["msg"], first["wiring"]) for other in others), names


@NAMES
def test_addresses_and_routes(named: Host, number: int) -> None:
    once(named, "ns_address", number, {"address": "10.1.0.1/24"}, interface=BRIDGE)
    inside = {"netns": "web", "interface": INSIDE[number]}
    pooled = named.settles("ns_address", pool="10.0.0.0/24", bridge=BRIDGE[number], supersede=True, **inside)
    assert (pooled["after"]["interface"], pooled["after"]["owner"], pooled["after"]["label"]) == (
        "eth0",
        "web/eth0",
        "eth0",
    )
    labelled = {"address": "10.0.7.1/24", "label": INSIDE[number] + ":x"}
    if number == 1:
        assert named.settles("ns_address", **inside, **labelled)["after"]["label"] == "eth0:x"
    once(named, "ns_route", number, {"netns": "web", "destination": "10.9.0.0/16"}, interface=INSIDE)
    once(named, "ns_route", number, {"netns": "web", "destination": "10.9.0.0/16", "state": "absent"}, interface=INSIDE)
    hops = [{"gateway": "10.0.0.1", "interface": INSIDE[number]}, {"gateway": "10.0.0.2"}]
    named.settles("ns_route", netns="web", destination="10.8.0.0/16", nexthops=hops)
    once(named, "ns_address", number, {"address": "10.1.0.1/24", "state": "absent"}, interface=BRIDGE)


@NAMES
def test_rules_match_the_interface(named: Host, number: int, backend: str) -> None:
    """A rule that named it otherwise would match nothing: packets would leave as they are."""
    common = {"backend": backend, "owner": "me"}
    out = {"source": "10.0.0.0/24", **common}
    assert named.settles("nat", out_interface=PORT[number], **out)["after"]["out_interface"] == "uplink"
    named.settles("nat", out_interface="!" + BRIDGE[number], **out)
    once(named, "nat", number, {"type": "filter", **common}, bridge=BRIDGE)
    once(named, "nat", number, {"type": "dnat", "host_port": "80", "to_address": "10.0.0.7", **common}, bridge=BRIDGE)
    assert "lan" in named.held()
    assert not any(name in named.held() for name in (*BRIDGE[1:], *PORT[1:]))
    once(named, "nat", number, {"type": "filter", "state": "absent", **common}, bridge=BRIDGE)


def test_two_items_by_two_names_know_of_each_other(named: Host) -> None:
    """What supersedes others' addresses, or pairs, keeps what another item wants there, whatever that calls the interface."""
    items = [
        {"interface": name, "address": address, "netns": "web", "supersede": True}
        for name, address in (("eth0", "10.0.0.5/24"), ("inner", "10.0.0.6/24"))
    ]
    named.settles("ns_address", aggregate=items)
    assert named.addresses("web") == ["10.0.0.5/24", "10.0.0.6/24"]
    named.run("ip netns add db")
    pairs = [
        {"name": name, "peer_name": peer, "peer_netns": "db", "exclusive": True}
        for name, peer in (("db0", "eth0"), ("db1", "eth1"))
    ]
    named.module("veth", aggregate=pairs)
    named.run("ip link property add dev db1 altname second")
    assert not named.module("veth", aggregate=[pairs[0], {**pairs[1], "name": "second"}])["changed"]


def test_a_name_that_nothing_has(named: Host) -> None:
    none = LONG + "s"
    for module, message, options in (
        ("bridge_port", f"bridge: there is no bridge '{none}' in the host.", {"bridge": none, "interface": "uplink"}),
        ("ns_address", f"interface: there is no interface '{none}' in the host.", {"address": "10.2.0.1/24"}),
        ("ns_route", f"interface: there is no interface '{none}' in the host.", {"destination": "10.2.0.0/16"}),
        ("nat", f"out_interface: '{none}' is {len(none)} bytes long; an interface name has at most 15.",
         {"source": "10.0.0.0/24", "out_interface": none}),
    ):  # fmt: skip
        more = {} if {"bridge", "out_interface"} & set(options) else {"interface": none}
        named.refuses(module, message, **options, **more)
