# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, type dnat: what is to be done for a published port."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import IPTABLES_NFT
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, DelLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import AddLoopbackGuard
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Address,
    LoopbackGuards,
    NsRef,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import port_mapping_plan
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import SetPortMappings
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.resource import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.asked import failed, made, plan, want

from .test_port_mapping_look import PORT, host

LOCALNET = "net.ipv4.conf.br0.route_localnet"
GUARD = "priority 0 to 127.0.0.0/8 fwmark 0/0x20000000 protocol 76 prohibit"
QUIET = {**PORT, "ip_forward": False}


@pytest.fixture
def kernel() -> Any:
    """A container on a bridge, whose route_localnet is off."""
    kernel = host()
    kernel._state.known.sysctls[kernel.find(HOST), LOCALNET] = "0"
    return kernel


def published(kernel: Any, backend: Any = NFTABLES) -> Any:
    index = firewalls(State(kernel)).index(kernel.find(HOST), backend)
    return sorted((mapping.ports, mapping.to, mapping.owner) for mapping in index.port_mappings)


def test_a_port_is_published_with_what_its_bridge_needs(kernel: Any) -> None:
    steps = plan(kernel, RESOURCE, **QUIET).changes
    assert [type(step) for step in steps] == [SetPortMappings, SetLink, AddLoopbackGuard, SetSysctl]
    done = made(kernel, RESOURCE, **QUIET)
    assert {name: done["after"][name] for name in ("host_port", "to_address", "to_port", "bridge", "backend")} == {
        "host_port": "8080",
        "to_address": "10.0.0.2",
        "to_port": "8080",
        "bridge": "br0",
        "backend": "nftables",
    }
    assert made(kernel, RESOURCE, **QUIET)["changed"] is False
    gone = made(kernel, RESOURCE, state="absent", **QUIET)
    assert gone["commands"] == [
        "bridge link set dev web0 hairpin off",
        "sysctl -w net/ipv4/conf/br0/route_localnet=0",
        f"ip rule del iif br0 {GUARD}",
        "nft 'delete table inet linuxnet_containers'",
    ]
    assert published(kernel) == []


def test_what_is_published_on_one_address_of_the_host_needs_no_route_localnet(kernel: Any) -> None:
    steps = plan(kernel, RESOURCE, host_ip="192.0.2.1", **QUIET).changes
    assert [type(step) for step in steps] == [SetPortMappings, SetLink]


def test_route_localnet_stays_as_long_as_a_port_behind_the_bridge_does(kernel: Any) -> None:
    second = {**QUIET, "host_port": "81"}
    for item in (QUIET, second):
        made(kernel, RESOURCE, **item)
    assert not [one for one in plan(kernel, RESOURCE, state="absent", **second).changes if isinstance(one, SetSysctl)]
    made(kernel, RESOURCE, state="absent", **second)
    assert [step.value for step in plan(kernel, RESOURCE, state="absent", **QUIET).changes[1:2]] == ["0"]


def hairpins(kernel: Any, backend: Any = NFTABLES) -> Any:
    index = firewalls(State(kernel)).index(kernel.find(HOST), backend)
    return dict(index.hairpins), bool(State(kernel).need_link(kernel.find(HOST), HOST, "web0", "", "").get("hairpin"))


@pytest.mark.parametrize("backend", ["nftables", "iptables"])
def test_hairpin_stays_as_long_as_something_leads_to_the_port_and_goes_with_the_last(kernel: Any, backend: str) -> None:
    kernel.apply(PutAddress(NsRef.parse("web"), "eth0", Address("10.0.0.9", 24, 4)))
    where = NFTABLES if backend == "nftables" else IPTABLES_NFT
    item = {**QUIET, "backend": backend}
    first, second = {**item, "owner": "a"}, {**item, "owner": "b", "host_port": "81", "to_address": "10.0.0.9"}
    for one in (first, second):
        made(kernel, RESOURCE, **one)
    assert hairpins(kernel, where) == ({"web0": "br0"}, True)
    assert made(kernel, RESOURCE, **first)["changed"] is False
    made(kernel, RESOURCE, state="absent", **first)
    assert hairpins(kernel, where) == ({"web0": "br0"}, True), "another address behind the port needs it"
    other = {**item, "owner": "c", "host_port": "82", "to_address": "10.0.0.77"}
    made(kernel, RESOURCE, **other)
    made(kernel, RESOURCE, state="absent", **second)
    assert hairpins(kernel, where) == ({}, False), "what leads elsewhere does not"
    made(kernel, RESOURCE, **second)
    made(kernel, RESOURCE, **{**second, "backend": "iptables" if backend == "nftables" else "nftables"})
    elsewhere = IPTABLES_NFT if backend == "nftables" else NFTABLES
    assert (hairpins(kernel, where)[0], hairpins(kernel, elsewhere)) == ({}, ({"web0": "br0"}, True))
    made(kernel, RESOURCE, state="absent", **second)
    assert hairpins(kernel, elsewhere) == ({}, False)


def test_hairpin_that_was_on_before_us_stays_and_what_somebody_switched_off_is_left(kernel: Any) -> None:
    kernel.apply(SetLink(HOST, "web0", {"hairpin": True}, {"hairpin": False}))
    made(kernel, RESOURCE, **QUIET)
    assert hairpins(kernel) == ({}, True)
    made(kernel, RESOURCE, state="absent", **QUIET)
    assert hairpins(kernel) == ({}, True)
    kernel.apply(SetLink(HOST, "web0", {"hairpin": False}, {"hairpin": True}))
    made(kernel, RESOURCE, **QUIET)
    kernel.apply(SetLink(HOST, "web0", {"hairpin": False}, {"hairpin": True}))
    gone = made(kernel, RESOURCE, state="absent", **QUIET)
    assert not [command for command in gone["commands"] if "hairpin off" in command]


def test_hairpin_of_a_port_whose_name_no_rule_can_carry_is_switched_on_all_the_same(kernel: Any) -> None:
    """Somebody else's port may be called anything; what cannot be noted stays."""
    kernel.apply(SetLink(HOST, "web0", {"name": 'we"b+'}, {"name": "web0"}))
    steps = plan(kernel, RESOURCE, **QUIET).changes
    assert [step.hairpins_on for step in steps if isinstance(step, SetPortMappings)] == [()]
    assert [step.name for step in steps if isinstance(step, SetLink)] == ['we"b+']


def test_the_note_of_a_port_that_is_gone_goes_with_what_is_behind_its_bridge(kernel: Any) -> None:
    made(kernel, RESOURCE, **QUIET)
    other = {**QUIET, "owner": "c", "host_port": "82", "to_address": "10.0.0.77"}
    made(kernel, RESOURCE, source="10.8.0.0/24", ip_forward=False)
    made(kernel, RESOURCE, **other)
    kernel.apply(DelLink(HOST, "web0"))
    made(kernel, RESOURCE, state="absent", **QUIET)
    index = firewalls(State(kernel)).index(kernel.find(HOST), NFTABLES)
    assert index.hairpins == {"web0": "br0"}
    made(kernel, RESOURCE, state="absent", **other)
    assert firewalls(State(kernel)).index(kernel.find(HOST), NFTABLES).hairpins == {}


@pytest.mark.parametrize("backend", ["nftables", "iptables"])
def test_route_localnet_goes_with_the_last_port_of_ipv4(kernel: Any, backend: str) -> None:
    """Only IPv4 has it, and with iptables its protection and its note are IPv4's: a port that is left over IPv6 keeps neither."""
    kernel.apply(PutAddress(HOST, "br0", Address("fd00::1", 64, 6)))
    kernel.apply(PutAddress(NsRef.parse("web"), "eth0", Address("fd00::2", 64, 6)))
    four, six = ({**QUIET, "backend": backend, "to_address": to} for to in ("10.0.0.2", "fd00::2"))
    made(kernel, RESOURCE, **four)
    made(kernel, RESOURCE, **six)
    gone = made(kernel, RESOURCE, state="absent", **four)
    assert gone["commands"][0] == "sysctl -w net/ipv4/conf/br0/route_localnet=0"
    again = made(kernel, RESOURCE, **four)
    assert again["commands"][-1] == "sysctl -w net/ipv4/conf/br0/route_localnet=1"
    assert made(kernel, RESOURCE, **six)["changed"] is False


@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("backend", ["nftables", "iptables"])
def test_route_localnet_goes_with_the_last_port_that_another_one_takes_the_place_of(
    kernel: Any, backend: str, exclusive: bool
) -> None:
    """A container that is on another bridge by now; behind the former one nothing is published any more."""
    kernel.apply(AddLink(HOST, "br1", "bridge", {"enabled": True}))
    kernel.apply(PutAddress(HOST, "br1", Address("10.1.0.1", 24, 4)))
    sysctls = kernel._state.known.sysctls
    sysctls[kernel.find(HOST), LOCALNET.replace("br0", "br1")] = "0"
    item = {**QUIET, "backend": backend, "exclusive": exclusive}
    made(kernel, RESOURCE, **item)
    moved = {**item, "to_address": "10.1.0.2"}
    done = made(kernel, RESOURCE, **moved)
    # What is open closes before the rules change, and the other opens after them.
    assert [done["commands"][number] for number in (0, -1)] == [
        "sysctl -w net/ipv4/conf/br0/route_localnet=0",
        "sysctl -w net/ipv4/conf/br1/route_localnet=1",
    ]
    assert published(kernel, NFTABLES if backend == "nftables" else IPTABLES_NFT) == [("8080", "10.1.0.2", "web")]
    assert made(kernel, RESOURCE, **moved)["changed"] is False
    gone = made(kernel, RESOURCE, state="absent", **moved)
    assert gone["commands"][0] == "sysctl -w net/ipv4/conf/br1/route_localnet=0"
    assert [step for step in gone["commands"] if "br0" in step] == []


def test_an_older_release_s_route_localnet_gets_its_guard(kernel: Any) -> None:
    """In one run. In front of the table local at another priority it is without moving that."""
    made(kernel, RESOURCE, **QUIET)
    known = kernel._state.known.loopback_guards
    for behind, moves in ((True, 4), (False, 0)):
        known[kernel.find(HOST)] = LoopbackGuards((), behind)
        done = made(kernel, RESOURCE, **QUIET)
        assert done["commands"][0] == f"ip rule add iif br0 {GUARD}"
        assert len(done["commands"]) == 1 + moves
        assert made(kernel, RESOURCE, **QUIET)["changed"] is False


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("backend", ["nftables", "iptables"])
def test_a_guard_tells_whose_route_localnet_is_when_the_rules_are_flushed(
    kernel: Any, backend: str, state: str
) -> None:
    item = {**QUIET, "backend": backend}
    made(kernel, RESOURCE, **item)
    firewalls(kernel._state)._indexes.clear()
    firewalls(kernel._state)._rulesets.clear()
    assert published(kernel, NFTABLES if backend == "nftables" else IPTABLES_NFT) == []
    again = made(kernel, RESOURCE, state=state, **item)
    assert again["changed"] is True
    made(kernel, RESOURCE, state="absent", **item)
    assert kernel.sysctl(kernel.find(HOST), LOCALNET) == "0"
    assert kernel.loopback_guards(kernel.find(HOST)).interfaces == ()


def test_ranges_are_shown_as_ranges(kernel: Any) -> None:
    done = made(kernel, RESOURCE, **{**QUIET, "host_port": "80-82", "to_port": "90-92"})
    assert (done["after"]["host_port"], done["after"]["to_port"]) == ("80-82", "90-92")


def test_f16_a_port_that_moves_is_made_first_and_keeps_what_was_noted(kernel: Any) -> None:
    made(kernel, RESOURCE, backend="iptables", **QUIET)
    new, old = plan(kernel, RESOURCE, backend="nftables", **QUIET).changes
    assert (new.backend, new.localnet_on, new.publish) == (NFTABLES, ("br0",), old.unpublish)
    assert (old.backend, old.last) == (IPTABLES_NFT, True)
    made(kernel, RESOURCE, backend="nftables", **QUIET)
    assert published(kernel, IPTABLES_NFT) == []
    assert published(kernel) == [("8080", "10.0.0.2", "web")]


def test_exclusive_ends_what_else_the_owner_has(kernel: Any) -> None:
    for port in ("80", "81-83"):
        made(kernel, RESOURCE, **{**QUIET, "host_port": port})
    done = made(kernel, RESOURCE, exclusive=True, **QUIET)
    assert done["before"] == {"no_longer_published": ["80/tcp", "81-83/tcp"]}
    assert published(kernel) == [("8080", "10.0.0.2", "web")]


def test_a_part_of_what_is_published_is_refused_unless_exclusive(kernel: Any) -> None:
    made(kernel, RESOURCE, **{**QUIET, "host_port": "8000-8099"})
    assert failed(kernel, RESOURCE, **QUIET) == (
        "host_port: 'web' has published tcp port 8000-8099 on 0.0.0.0/0 already, of which this is a part; remove that first."
    )
    made(kernel, RESOURCE, exclusive=True, **QUIET)
    assert published(kernel) == [("8080", "10.0.0.2", "web")]


def test_all_of_an_owner_goes_at_once(kernel: Any) -> None:
    for port in ("80", "81/udp"):
        made(kernel, RESOURCE, **{**QUIET, "host_port": port})
    made(kernel, RESOURCE, **{**QUIET, "host_port": "99", "owner": "db"})
    made(kernel, RESOURCE, type="dnat", owner="web", state="absent", ip_forward=False)
    assert published(kernel) == [("99", "10.0.0.2", "db")]


def test_f13_static_rules_that_are_broken_are_set_right(kernel: Any) -> None:
    made(kernel, RESOURCE, **QUIET)
    one = want(RESOURCE, **QUIET)
    have = RESOURCE.look(one, State(kernel))
    broken = replace(have, here=replace(have.here, owned=replace(have.here.owned, static=frozenset())))  # type: ignore[arg-type, union-attr]
    assert port_mapping_plan.plan(one, have).changes == ()  # type: ignore[arg-type]
    (step,) = port_mapping_plan.plan(one, broken).changes  # type: ignore[arg-type]
    assert (step.publish, step.unpublish) == ((), ())  # type: ignore[attr-defined]
    assert step.attempt() == "set right the rules for published ports in the host"


def test_a_port_changes_its_goal_in_one_step(kernel: Any) -> None:
    made(kernel, RESOURCE, **QUIET)
    (step,) = plan(kernel, RESOURCE, **{**QUIET, "to_port": "80"}).changes
    assert [mapping.to_port for mapping in (*step.unpublish, *step.publish)] == [0, 80]


def test_whether_others_have_published_ports_is_told_where_all_of_an_owner_goes(kernel: Any) -> None:
    """The role need not look for what was left to an address where there is nothing."""
    everything = {"type": "dnat", "state": "absent", "ip_forward": False}
    made(kernel, RESOURCE, **QUIET)
    assert made(kernel, RESOURCE, owner="db", **everything)["published_besides"] is True
    assert made(kernel, RESOURCE, owner="web", **everything)["published_besides"] is False
    assert "published_besides" not in made(kernel, RESOURCE, state="absent", **QUIET)
