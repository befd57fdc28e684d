# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, type spoof_check: what comes in by a port of a bridge. What it does to frames is shown in tests/module."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import IPTABLES_NFT
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import UNREADABLE, SpoofCheck
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import (
    AnnounceOpened,
    PutAddress,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Lacking
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import PROTOCOL, host_interface
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Address, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import netns
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import peer_mac
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import spoof_check
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import SetSpoofCheck
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.resource import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run import validation
from ansible_collections.linuxnet.containers.plugins.module_utils._run.execution import execute
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.asked import failed, made, plan, refusal, want
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

MAC = "02:42:0a:00:00:02"
CHECK: dict[str, Any] = {"type": "spoof_check", "interface": "veth1", "mac": MAC, "owner": "web"}
TABLE = "bridge linuxnet_containers"


def checks(kernel: Any) -> Any:
    return list(firewalls(State(kernel)).index(kernel.find(HOST), NFTABLES).spoof_checks.values())


def test_a_port_is_checked_changed_and_let_go() -> None:
    kernel = MemoryKernel()
    done = made(kernel, RESOURCE, addresses=["fd00::2", "10.0.0.2"], **CHECK)
    assert (done["before"], done["after"]) == (
        {},
        {
            "type": "spoof_check", "netns": None, "interface": "veth1", "mac": MAC, "addresses": ["10.0.0.2", "fd00::2"],
            "owner": "web", "comment": None, "backend": "nftables", "enforced": True,
        },
    )  # fmt: skip
    changed = made(kernel, RESOURCE, addresses=["10.0.0.3"], **CHECK)
    assert changed["diff"] == {
        **changed["diff"],
        "before": "addresses 10.0.0.2, fd00::2\n",
        "after": "addresses 10.0.0.3\n",
    }
    assert checks(kernel) == [SpoofCheck("veth1", MAC, ("10.0.0.3",), "web")]
    assert made(kernel, RESOURCE, state="absent", **CHECK)["commands"] == [f"nft 'delete table {TABLE}'"]
    assert checks(kernel) == []
    assert made(kernel, RESOURCE, state="absent", **CHECK)["changed"] is False


def test_addresses_that_are_left_out_stay() -> None:
    kernel = MemoryKernel()
    assert made(kernel, RESOURCE, **CHECK)["after"]["addresses"] == []
    made(kernel, RESOURCE, addresses=["10.0.0.2"], **CHECK)
    assert made(kernel, RESOURCE, **CHECK)["changed"] is False
    assert made(kernel, RESOURCE, **{**CHECK, "mac": "02:42:0a:00:00:03"})["after"]["addresses"] == ["10.0.0.2"]
    assert made(kernel, RESOURCE, addresses=[], **CHECK)["after"]["addresses"] == []


def test_one_thing_has_one_spelling() -> None:
    kernel = MemoryKernel()
    listed = ["10.0.0.2", "10.0.0.0/24", "fd00:0::2/128", "fe80::42:aff:fe00:2"]
    done = made(kernel, RESOURCE, addresses=listed, **CHECK)
    assert done["after"]["addresses"] == ["10.0.0.0/24", "fd00::2"]
    again = {**CHECK, "mac": "2-42-A-0-0-2", "addresses": ["fd00::2", "10.0.0.0/24"]}
    assert made(kernel, RESOURCE, **again)["changed"] is False


def test_any_address_is_what_is_said_so() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, addresses=["0.0.0.0/0", "::/0"], **CHECK)
    assert checks(kernel) == [SpoofCheck("veth1", MAC, ("0.0.0.0/0", "::/0"), "web")]


def test_a_port_goes_over_to_who_asks_for_it_and_stays_his() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, **CHECK)
    assert made(kernel, RESOURCE, **{**CHECK, "owner": "db"})["diff"]["after"] == "owner db\n"
    assert made(kernel, RESOURCE, state="absent", **CHECK)["changed"] is False
    assert [one.owner for one in checks(kernel)] == ["db"]


def test_what_else_the_owner_has_goes_once_a_task() -> None:
    kernel = MemoryKernel()
    for port in ("old1", "old2"):
        made(kernel, RESOURCE, **{**CHECK, "interface": port})
    made(kernel, RESOURCE, **{**CHECK, "interface": "other", "owner": "db"})
    items = [{**CHECK, "exclusive": True}, {**CHECK, "interface": "veth2", "exclusive": True}]
    results, dummy = execute(RESOURCE, validation.items(RESOURCE, {"aggregate": items}), kernel, False)
    assert [result["before"] for result in results] == [{"no_longer_asked_for": ["old1", "old2"]}, {}]
    assert [one.interface for one in checks(kernel)] == ["other", "veth1", "veth2"]
    gone = made(kernel, RESOURCE, type="spoof_check", owner="web", state="absent")
    assert gone["before"] == {**gone["before"], "interface": "veth1", "no_longer_asked_for": ["veth1", "veth2"]}
    assert [one.interface for one in checks(kernel)] == ["other"]
    assert made(kernel, RESOURCE, type="spoof_check", owner="web", state="absent")["changed"] is False


def test_f13_what_cannot_be_read_back_and_static_rules_that_are_broken_are_set_right() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, **CHECK)
    one = want(RESOURCE, **CHECK)
    have: Any = RESOURCE.look(one, State(kernel))
    assert spoof_check.plan(one, have).changes == ()
    for broken in (
        replace(have, owned=replace(have.owned, static=frozenset())),
        replace(have, check=replace(have.check, mac=UNREADABLE)),
    ):
        (step,) = spoof_check.plan(one, broken).changes
        assert (step.new, step.owned) == (have.check, broken.owned)  # type: ignore[attr-defined]
        (back,) = step.undo()
        assert back.old == have.check  # type: ignore[attr-defined]


@pytest.mark.parametrize("lacks", ["nft", "kernel"])
def test_where_nothing_can_be_checked_it_is_refused_or_warned_of(lacks: str) -> None:
    kernel = MemoryKernel()
    if lacks == "nft":
        kernel.programs = [IPTABLES_NFT]
        with pytest.raises(
            Lacking, match="The program nft is not installed on this host: install the package nftables"
        ):
            RESOURCE.require([want(RESOURCE, **CHECK)], kernel)
        reason = "the program nft is not installed on this host"
    else:
        kernel.bridges_filtered = False
        reason = "the kernel has no nf_tables for bridges (CONFIG_NF_TABLES_BRIDGE)"
    assert failed(kernel, RESOURCE, **CHECK) == f"What comes in by veth1 is not checked for spoofing: {reason}."
    for options in ({"optional": True}, {"state": "absent"}):
        RESOURCE.require([want(RESOURCE, **options, **CHECK)], kernel)
    found = plan(kernel, RESOURCE, optional=True, **CHECK)
    assert (found.before, found.after, found.changes) == ({}, {}, ())
    assert found.warnings == (f"Nothing that comes in by a port of a bridge is checked for spoofing: {reason}.",)
    assert plan(kernel, RESOURCE, state="absent", **CHECK).warnings == ()


def test_the_kernel_is_not_asked_where_something_is_checked_already() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, **CHECK)
    kernel.bridges_filtered = False
    assert made(kernel, RESOURCE, **CHECK)["changed"] is False


def test_mistakes() -> None:
    assert refusal(RESOURCE, pools=["10.0.0.0/24"], **CHECK) == "pools: it needs peer_netns, whose addresses they are."
    assert (
        refusal(RESOURCE, type="spoof_check", mac=MAC, owner="x")
        == "interface is required with type: spoof_check, or peer_netns."
    )
    assert (
        refusal(RESOURCE, type="spoof_check", interface="veth1")
        == "mac is required with type: spoof_check, or peer_netns."
    )
    assert refusal(RESOURCE, backend="iptables", **CHECK) == (
        "backend: iptables cannot check what comes in by a port of a bridge; nftables can."
    )
    assert refusal(RESOURCE, goes_with="br0", **CHECK) == "goes_with: it does not go with type: spoof_check."
    assert refusal(RESOURCE, type="filter", bridge="br0", mac=MAC) == "mac: it does not go with type: filter."
    two = [{**CHECK, "addresses": ["10.0.0.2"]}, {**CHECK, "addresses": ["10.0.0.3"]}]
    with pytest.raises(Exception, match="veth1"):
        validation.items(RESOURCE, {"aggregate": two})


# --- of a pair ---

WEB = NsRef("/run/netns/web")
PEER: dict[str, Any] = {"type": "spoof_check", "peer_netns": "web", "owner": "web"}
POOL = {"pools": ["10.0.0.0/24"], "exclude": ["10.0.0.1"], "addresses": []}
DERIVED = peer_mac("twin", WEB.path, "eth0")


def paired(*addresses: Address, mac: str = DERIVED) -> MemoryKernel:
    """A host with a container whose eth0 has these addresses."""
    kernel = MemoryKernel()
    made(kernel, netns.RESOURCE, name="web")
    kernel.apply(AddLink(HOST, host_interface(WEB.path, "eth0"), "veth", {}, WEB, "eth0", {"mac": mac}))
    for address in addresses:
        kernel.apply(PutAddress(WEB, "eth0", address))
    return kernel


def ours(ip: str, prefix: int = 24, **more: Any) -> Address:
    return Address(ip, prefix, 6 if ":" in ip else 4, protocol=PROTOCOL, **more)


def test_names_are_derived_as_those_of_the_pair_before_there_is_one() -> None:
    kernel = MemoryKernel()
    done = made(kernel, RESOURCE, **POOL, **PEER)["after"]
    assert (done["interface"], done["mac"], done["addresses"]) == (host_interface(WEB.path, "eth0"), DERIVED, [])
    assert made(kernel, RESOURCE, **POOL, **{**PEER, "interface": "web0", "mac": MAC})["after"]["mac"] == MAC


def test_a_mac_address_of_the_container_s_own_making_does_not_count() -> None:
    assert made(paired(mac="02:00:00:00:00:99"), RESOURCE, **PEER)["after"]["mac"] == DERIVED
    elsewhere = peer_mac("another host", WEB.path, "eth0")
    assert made(paired(mac=elsewhere), RESOURCE, **PEER)["after"]["mac"] == elsewhere, "it bears the mark"


@pytest.mark.parametrize(
    ("addresses", "let_through"),
    [
        ((ours("10.0.0.7"),), ["10.0.0.7"]),
        ((Address("10.0.0.7", 24, 4),), ["10.0.0.7"]),
        ((Address("10.0.0.6", 24, 4), ours("10.0.0.7")), ["10.0.0.7"]),
        ((Address("10.0.0.7", 24, 4, valid_lft=60),), []),
        ((ours("10.0.0.1"),), []),
        ((ours("10.9.0.7"), ours("8.8.8.8")), []),
        ((ours("10.0.0.7"), ours("10.0.0.8"), ours("10.0.0.9")), ["10.0.0.7"]),
        ((), []),
    ],
)
def test_of_a_pool_one_address_passes_that_is_ours_or_there_for_good(addresses: Any, let_through: list[str]) -> None:
    assert made(paired(*addresses), RESOURCE, **POOL, **PEER)["after"]["addresses"] == let_through


def test_the_address_of_another_port_does_not_pass_and_what_passed_stays() -> None:
    kernel = paired(ours("10.0.0.7"), ours("10.0.0.8"))
    other = {**CHECK, "interface": "veth2", "owner": "db"}
    made(kernel, RESOURCE, addresses=["10.0.0.7"], **other)
    assert made(kernel, RESOURCE, **POOL, **PEER)["after"]["addresses"] == ["10.0.0.8"]
    made(kernel, RESOURCE, addresses=["10.0.0.9"], **other)
    assert made(kernel, RESOURCE, **POOL, **PEER)["changed"] is False, "10.0.0.7 is free, and 10.0.0.8 passes already"


def test_what_passes_from_now_on_is_announced_if_there_was_a_check() -> None:
    kernel = paired(ours("10.0.0.7"), ours("fd00::7", 64))
    given = {**PEER, "addresses": ["10.0.0.7", "fd00::7", "10.0.0.8"]}
    assert [type(step) for step in plan(kernel, RESOURCE, **given).changes] == [SetSpoofCheck]
    made(kernel, RESOURCE, addresses=[], **PEER)
    steps = plan(kernel, RESOURCE, **given).changes
    assert steps[1:] == (
        AnnounceOpened(WEB, "eth0", "10.0.0.7", 4, False),
        AnnounceOpened(WEB, "eth0", "fd00::7", 6, False),
    )
    assert all(step.opens for step in steps[1:]), "after what lets it through"
    made(kernel, RESOURCE, **given)
    assert plan(kernel, RESOURCE, **given).changes == ()


def test_with_another_backend_what_was_checked_is_so_no_longer() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, **POOL, **PEER)
    done = made(kernel, RESOURCE, backend="iptables", optional=True, exclusive=True, **POOL, **PEER)
    assert (done["changed"], done["after"]) == (True, {})
    assert checks(kernel) == []


@pytest.mark.parametrize("there", [False, True])
def test_whoever_is_given_an_address_collects_the_check_of_a_port_that_is_gone(there: bool) -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, **{**CHECK, "interface": "veth0", "owner": "gone", "addresses": ["10.0.0.2"]})
    made(kernel, RESOURCE, **{**CHECK, "interface": "veth9", "owner": "gone too", "addresses": ["10.0.0.9"]})
    if there:
        kernel.apply(AddLink(HOST, "veth0", "dummy"))
    done = made(kernel, RESOURCE, addresses=["10.0.0.2"], **CHECK)
    assert done["before"].get("of_gone_containers") == (None if there else ["veth0 of gone"])
    left = {"veth1", "veth9"} | ({"veth0"} if there else set())
    assert {check.interface for check in checks(kernel)} == left
    assert made(kernel, RESOURCE, addresses=["10.0.0.2"], **CHECK)["changed"] is False
