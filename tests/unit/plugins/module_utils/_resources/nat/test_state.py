# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of firewalls: read on demand, each rule set once, and moved on by changes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import (
    IPTABLES_LEGACY,
    IPTABLES_NFT,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.listeners import Listener
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import NatRule
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import BACKENDS
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import DelRule, PutRule
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.prediction import advance
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel
from ansible_collections.linuxnet.containers.tests.unit.nft_json import chain, rule

RULE = NatRule("10.0.0.0/24", "!br0", owner="net")


@pytest.fixture
def kernel(monkeypatch: Any) -> Any:
    """A host that counts what is read of it."""
    kernel = MemoryKernel()
    kernel.reads = Counter()  # type: ignore[attr-defined]
    ruleset = kernel.ruleset
    monkeypatch.setattr(kernel, "ruleset", lambda ns, backend: kernel.reads.update([backend]) or ruleset(ns, backend))  # type: ignore[attr-defined]
    return kernel


def test_a_rule_set_is_read_once_for_all_that_is_asked(kernel: Any) -> None:
    known, ns = firewalls(State(kernel)), kernel.find(HOST)
    for _again in range(2):
        known.index(ns, NFTABLES)
        known.foreign(ns)
        known.foreign_ports(ns)
    assert kernel.reads == {NFTABLES: 1, IPTABLES_LEGACY: 1}


def test_iptables_nft_is_not_read_where_nft_sees_none_of_its_tables(kernel: Any) -> None:
    ns = kernel.find(HOST)
    firewalls(State(kernel)).index(ns, IPTABLES_NFT)
    assert kernel.reads == {NFTABLES: 1}
    kernel.foreign_rules = [{"table": {"family": "ip", "name": "mangle", "handle": 1}}]
    kernel.foreign_saved[IPTABLES_NFT] = "*mangle\n:FORWARD ACCEPT [0:0]\nCOMMIT\n"
    firewalls(State(kernel)).index(ns, IPTABLES_NFT)
    assert kernel.reads == {NFTABLES: 2, IPTABLES_NFT: 1}


def test_without_nft_iptables_nft_is_read_in_any_case(kernel: Any) -> None:
    kernel.programs = [IPTABLES_NFT]
    firewalls(State(kernel)).index(kernel.find(HOST), IPTABLES_NFT)
    assert kernel.reads == {IPTABLES_NFT: 1}


def test_an_iptables_that_shows_nothing_where_nft_lists_its_tables_does_not_work(kernel: Any) -> None:
    ns = kernel.find(HOST)
    kernel.foreign_rules = [{"table": {"family": "ip6", "name": "mangle", "handle": 1}}]
    known = firewalls(State(kernel))
    for _again in range(2):
        assert str(known.refusal(ns, IPTABLES_NFT)) == (
            "Could not list the rules of iptables-nft: the request failed (it shows nothing, and nft lists the table ip6 mangle)."
        )
    assert known.serving(ns) == [NFTABLES, IPTABLES_LEGACY]
    assert kernel.reads == {NFTABLES: 2, IPTABLES_NFT: 1, IPTABLES_LEGACY: 1}, "nft is asked again before that is said"


def test_that_its_tables_went_between_two_looks_is_no_fault(kernel: Any) -> None:
    ns, ruleset = kernel.find(HOST), kernel.ruleset
    kernel.foreign_rules = [{"table": {"family": "ip6", "name": "mangle", "handle": 1}}]

    def going(ns: int, backend: Any) -> Any:
        found = ruleset(ns, backend)
        kernel.foreign_rules = []
        return found

    kernel.ruleset = going
    assert firewalls(State(kernel)).refusal(ns, IPTABLES_NFT) is None


def test_what_does_not_work_is_left_out_and_said_once(kernel: Any, monkeypatch: Any) -> None:
    ns, ruleset = kernel.find(HOST), kernel.ruleset

    def broken(ns: int, backend: Any) -> Any:
        kernel.reads.update([backend])
        if backend is NFTABLES:
            raise KernelError(0, "list", "it ended with 3")
        return ruleset(ns, backend)

    monkeypatch.setattr(kernel, "ruleset", broken)
    known = firewalls(State(kernel))
    for _again in range(2):
        assert known.serving(ns) == [IPTABLES_NFT, IPTABLES_LEGACY]
        assert known.unread(ns) == [
            "What is in nftables is left out. Could not list: the request failed (it ended with 3)."
        ]
        known.foreign(ns)
    assert kernel.reads[NFTABLES] == 1
    with pytest.raises(KernelError):
        known.ruleset(ns, NFTABLES)
    kernel.programs = [IPTABLES_NFT]
    assert str(firewalls(State(kernel)).refusal(ns, NFTABLES)) == "The program nft is not installed on this host."


def test_in_a_namespace_that_is_only_foreseen_there_is_nothing(kernel: Any) -> None:
    known = firewalls(State(kernel, predict=True))
    assert all(known.index(-2, backend).owned.empty for backend in BACKENDS)
    assert known.foreign(-2).chains == {}
    assert not kernel.reads


def test_what_was_changed_is_read_again(kernel: Any) -> None:
    state, ns = State(kernel), kernel.find(HOST)
    assert not firewalls(state).index(ns, NFTABLES).nat_rules
    step = PutRule(HOST, RULE)
    kernel.apply(step)
    assert not firewalls(state).index(ns, NFTABLES).nat_rules
    state.outdate([step])
    assert list(firewalls(state).index(ns, NFTABLES).nat_rules.values()) == [RULE]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_change_that_is_foreseen_moves_on_what_is_known(kernel: Any, backend: Any) -> None:
    state = State(kernel, predict=True)
    advance(PutRule(HOST, RULE, backend=backend), state)
    index = firewalls(state).index(kernel.find(HOST), backend)
    assert list(index.nat_rules.values()) == [RULE]
    assert index.owned.whole("nat", 4)
    advance(DelRule(HOST, RULE, backend=backend), state)
    assert index.only()


def test_a_change_in_a_namespace_of_its_own_stays_there(kernel: Any) -> None:
    state = State(kernel, predict=True)
    web = NsRef.parse("web")
    state.foreseen(web, "web")
    advance(PutRule(web, RULE), state)
    assert firewalls(state).index(state.need(web), NFTABLES).nat_rules
    assert not firewalls(state).index(kernel.find(HOST), NFTABLES).nat_rules


def test_ports_that_foreign_rules_send_on_are_by_protocol(kernel: Any) -> None:
    dport = {"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": 53}}
    kernel.foreign_rules = [chain("ip nat", "x"), rule("ip nat", "x", dport, {"dnat": {"addr": "10.0.0.9"}})]
    found = firewalls(State(kernel)).foreign_ports(kernel.find(HOST))
    assert [port.to for port in found["udp"]] == ["10.0.0.9"]
    assert found["tcp"] == []


def test_who_listens_is_asked_once(kernel: Any) -> None:
    kernel.listening = [Listener("tcp", "0.0.0.0", 80, inode=7)]
    kernel.socket_of = {7: (42, "nginx")}
    known = firewalls(State(kernel))
    for _again in range(2):
        known.listeners(kernel.find(HOST))
        assert known.socket_holder(7) == (42, "nginx")
        assert known.socket_holder(8) is None
    assert kernel.asked_for_sockets == 1


def test_it_is_one_part_of_a_state(kernel: Any) -> None:
    state = State(kernel)
    assert firewalls(state) is firewalls(state)
    assert firewalls(state).available() == BACKENDS
