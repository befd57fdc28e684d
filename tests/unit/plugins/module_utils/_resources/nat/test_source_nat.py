# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, types masquerade and snat."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import IPTABLES_NFT
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import NatRule
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import BACKENDS
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import changes as firewall_change
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import source_nat
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.forwarding import SYSCTL_FILE
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.resource import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run import execution, validation
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.asked import made, plan, want
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

NET = {"source": "10.0.0.0/24", "out_interface": "!br0"}


def test_a5_spellings_mean_the_same() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, exclude=["10.2.0.0/16", "10.3.0.0/16"], **NET)
    for exclude in (["10.2.0.0/15"], ["10.3.0.0/16", "10.2.0.0/16", "224.0.0.0/8"]):
        assert plan(kernel, RESOURCE, exclude=exclude, **NET).changes == ()
    assert want(RESOURCE, source="FD00:0::/64").rule.source == "fd00::/64"


def rules(kernel: MemoryKernel) -> Sequence[NatRule]:
    """The rules of source NAT that are in our table."""
    ruleset = kernel.ruleset(kernel.find(HOST), NFTABLES)  # type: ignore[arg-type]
    return NFTABLES.owned(ruleset).nat_rules


@pytest.mark.parametrize(
    "option",
    [
        {"out_interface": "eth0"},
        {"exclude": ["10.9.0.0/16"]},
        {"comment": "x"},
        {"type": "snat", "to_address": "192.0.2.1"},
    ],
)
def test_a6_a_rule_is_replaced_in_its_place(option: Any) -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, **NET)
    (step,) = plan(kernel, RESOURCE, **{**NET, **option}).changes
    assert (type(step), step.old.key) == (firewall_change.PutRule, ("ansible", "10.0.0.0/24"))
    made(kernel, RESOURCE, **{**NET, **option})
    assert len(rules(kernel)) == 1


def test_f18_an_owner_removes_only_its_own_rule() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, owner="first", **NET)
    made(kernel, RESOURCE, owner="second", **NET)
    made(kernel, RESOURCE, owner="first", state="absent", **NET)
    assert [rule.owner for rule in rules(kernel)] == ["second"]


def test_f3_a_rule_of_docker_s_satisfies() -> None:
    kernel = MemoryKernel()
    left = {"payload": {"protocol": "ip", "field": "saddr"}}
    saddr = {"match": {"op": "==", "left": left, "right": {"prefix": {"addr": "10.0.0.0", "len": 24}}}}
    oifname = {"match": {"op": "!=", "left": {"meta": {"key": "oifname"}}, "right": "br0"}}
    where = {"family": "ip", "table": "nat"}
    kernel.foreign_rules = [
        {"chain": {**where, "name": "POSTROUTING", "type": "nat", "hook": "postrouting"}},
        {"rule": {**where, "chain": "POSTROUTING", "handle": 7, "expr": [saddr, oifname, {"masquerade": None}]}},
    ]
    result = made(kernel, RESOURCE, ip_forward=False, **NET)
    assert (result["changed"], result["satisfied_by"]) == (False, "ip nat POSTROUTING handle 7")


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(["nftables", "iptables"])))
def test_f16_what_another_backend_holds_moves(first: Any, second: Any) -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, backend=first, **NET)
    steps = plan(kernel, RESOURCE, backend=second, **NET).changes
    assert [(type(step), step.backend.option) for step in steps] == [
        (firewall_change.PutRule, second),
        (firewall_change.SetFence, second),
        (firewall_change.SetFence, first),
        (firewall_change.DelRule, first),
    ]
    assert made(kernel, RESOURCE, backend=second, **NET)["before"]["backend"].startswith(first)
    assert made(kernel, RESOURCE, state="absent", **NET)["before"]["backend"].startswith(second)


def test_f13_static_rules_of_iptables_that_are_broken_are_set_right() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, backend="iptables", **NET)
    index = firewalls(kernel._state).index(kernel.find(HOST), IPTABLES_NFT)  # type: ignore[arg-type]
    index.owned = replace(index.owned, static=frozenset())
    one = want(RESOURCE, backend="iptables", **NET)
    have = RESOURCE.look(one, State(kernel))
    broken = replace(have, owned=replace(have.owned, static=frozenset()))  # type: ignore[arg-type, union-attr]
    assert [type(step) for step in source_nat.plan(one, have).changes] == []  # type: ignore[arg-type]
    assert [type(step) for step in source_nat.plan(one, broken).changes] == [firewall_change.PutRule]  # type: ignore[arg-type]


def test_an_allowance_stays_as_long_as_a_rule_of_its_source_and_interface_does() -> None:
    kernel = MemoryKernel()
    kernel.foreign_saved = {IPTABLES_NFT: "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n"}
    for owner in ("one", "two"):
        made(kernel, RESOURCE, backend="iptables", owner=owner, **NET)
    index = firewalls(State(kernel)).index(kernel.find(HOST), IPTABLES_NFT)  # type: ignore[arg-type]
    assert [allowance.name for allowance in index.allowances.values()] == ["10.0.0.0/24"]
    for owner, left in (("one", 1), ("two", 0)):
        made(kernel, RESOURCE, owner=owner, state="absent", **NET)
        assert len(firewalls(State(kernel)).index(kernel.find(HOST), IPTABLES_NFT).allowances) == left  # type: ignore[arg-type]


def test_rules_of_somebody_else_among_ours_are_warned_of() -> None:
    kernel = MemoryKernel()
    kernel.foreign_rules = [
        {"rule": {"family": "inet", "table": "linuxnet_containers", "chain": "postrouting", "handle": 4, "expr": []}}
    ]
    assert plan(kernel, RESOURCE, **NET).warnings == (
        "Among our rules are some without the mark of this collection; they are left alone. In chain postrouting: something that we never write, "
        "which 'nft delete rule inet linuxnet_containers postrouting handle 4' removes. "
        "An exclusive item of nat takes them away, and wiring_purge does.",
    )


def test_the_last_rule_takes_all_with_it() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, ip_forward=False, **NET)
    made(kernel, RESOURCE, ip_forward=False, source="10.1.0.0/24")
    assert made(kernel, RESOURCE, ip_forward=False, state="absent", **NET)["commands"][0].startswith("nft 'delete rule")
    gone = made(kernel, RESOURCE, ip_forward=False, state="absent", source="10.1.0.0/24")
    assert gone["commands"] == ["nft 'delete table inet linuxnet_containers'"]


OLD, NEW, SIX = "10.0.0.0/24", "10.5.0.0/24", "fd00::/64"


def of(kernel: Any, owner: str = "br0") -> dict[str, list[str]]:
    """The sources of an owner's rules, by backend."""
    state = firewalls(State(kernel))
    found = {backend.option: state.index(kernel.find(HOST), backend).nat_of(owner) for backend in BACKENDS[:2]}
    return {option: [rule.source for rule in rules] for option, rules in found.items() if rules}


def network(kernel: Any, *sources: str, **params: Any) -> list[Any]:
    """What a network of the role asks, done for its sources; foreseen first, repeated, and the results equal."""
    items = [{"source": source, "out_interface": "!br0", "exclusive": True} for source in sources] or [
        {"state": "absent"}
    ]
    wants = validation.items(RESOURCE, {"owner": "br0", "aggregate": items, **params})
    foreseen, done, again = (execution.execute(RESOURCE, wants, kernel, check)[0] for check in (True, False, False))
    assert foreseen == done
    assert not any(result["changed"] for result in again)
    return done


@pytest.mark.parametrize("before", ["nftables", "iptables"])
@pytest.mark.parametrize("after", ["nftables", "iptables"])
def test_what_is_no_longer_asked_for_goes_the_nat_of_another_subnet(before: str, after: str) -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, source="10.9.0.0/24", owner="other", backend=after)
    network(kernel, OLD, SIX, backend=before)
    first, *more = network(kernel, NEW, "10.6.0.0/24", backend=after)
    assert first["diff"]["before"] == f"no_longer_asked_for {OLD}, {SIX}\n"
    assert [one["before"] for one in more] == [{}]
    assert (of(kernel), of(kernel, "other")) == ({after: [NEW, "10.6.0.0/24"]}, {after: ["10.9.0.0/24"]})


@pytest.mark.parametrize("backend", ["nftables", "iptables"])
def test_what_is_no_longer_asked_for_goes_all_of_an_owner_with_forwarding_and_the_file(backend: str) -> None:
    kernel = MemoryKernel()
    pristine = kernel.snapshot()
    network(kernel, OLD, SIX, backend=backend)
    assert kernel.read_text(SYSCTL_FILE)
    [done] = network(kernel, backend=backend)
    assert done["before"]["source"] == f"{OLD}, {SIX}"
    assert (kernel.snapshot(), kernel.read_text(SYSCTL_FILE), of(kernel)) == (pristine, "", {})


def test_what_is_no_longer_asked_for_goes_forwarding_of_a_family_that_nothing_needs() -> None:
    kernel = MemoryKernel()
    network(kernel, OLD, SIX)
    ns = kernel.find(HOST)
    network(kernel, OLD)
    keys = ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding")
    assert [kernel.sysctl(ns, key) for key in keys] == ["1", "0"]  # type: ignore[arg-type]
    assert "ipv6" not in kernel.read_text(SYSCTL_FILE)


def test_what_is_no_longer_asked_for_goes_the_allowance_of_a_former_subnet() -> None:
    kernel = MemoryKernel()
    kernel.foreign_saved = {IPTABLES_NFT: "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n"}
    network(kernel, OLD, backend="iptables")
    network(kernel, NEW, backend="iptables")
    index = firewalls(State(kernel)).index(kernel.find(HOST), IPTABLES_NFT)  # type: ignore[arg-type]
    assert [allowance.name for allowance in index.allowances.values()] == [NEW]


def test_without_exclusive_an_owner_s_other_rules_stay_and_all_of_one_spares_what_the_task_asks_for() -> None:
    kernel = MemoryKernel()
    network(kernel, OLD)
    made(kernel, RESOURCE, source=NEW, owner="br0")
    assert of(kernel) == {"nftables": [OLD, NEW]}
    items = [{"state": "absent"}, {"source": NEW}]
    execution.execute(RESOURCE, validation.items(RESOURCE, {"owner": "br0", "aggregate": items}), kernel, False)
    assert of(kernel) == {"nftables": [NEW]}


def counted(kernel: Any, items: Any) -> Any:
    """How often a rule is asked for its family while many are looked at."""
    asked = []
    family = NatRule.family.fget  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NatRule, "family", property(lambda self: asked.append(self) or family(self)))  # type: ignore[func-returns-value]
        execution.execute(RESOURCE, validation.items(RESOURCE, {"aggregate": items}), kernel, True)
    return len(asked)


def test_many_networks_are_not_gone_through_for_each() -> None:
    kernel = MemoryKernel()
    items = [{"source": f"10.{number}.0.0/24", "ip_forward": False} for number in range(200)]
    execution.execute(RESOURCE, validation.items(RESOURCE, {"aggregate": items}), kernel, False)
    assert counted(kernel, items) < 3 * counted(kernel, items[:100])
