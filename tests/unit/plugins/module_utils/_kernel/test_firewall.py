# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel's firewalls: what is read once, transactions of several backends, and how they are taken back."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Backend
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import (
    IPTABLES_LEGACY,
    IPTABLES_NFT,
    Iptables,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_save import SavedChain
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import (
    NFTABLES,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    Isolation,
    NatRule,
    OwnedRules,
    PortMapping,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import BACKENDS
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import firewall, namespaces
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs import iptables, run
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs.run import ProgramError
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.reader import Namespace
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import changes
from ansible_collections.linuxnet.containers.tests.unit.edits import content
from ansible_collections.linuxnet.containers.tests.unit.netlink_wire import Answering
from ansible_collections.linuxnet.containers.tests.unit.tool_twins import TwinPrograms

RULE = NatRule("10.0.0.0/24", "!br0", owner="net")
SIX = NatRule("fd00::/64", "!br0", owner="net")
PORT = PortMapping("udp", "0.0.0.0/0", 53, 53, "10.0.0.2", 0, "web", "br0")
GUARD = Isolation("br0", owner="net")


class Here:
    fd = 3


Tools = dict[Backend, TwinPrograms]


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Tools:
    """The programs of all backends, over rule sets in memory."""
    programs = {backend: TwinPrograms(backend) for backend in BACKENDS}
    monkeypatch.setattr(firewall, "PROGRAMS", programs)
    monkeypatch.setattr(namespaces, "entered", lambda fd: contextlib.nullcontext())
    return programs


@pytest.fixture
def kernel(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> firewall.Kernel:
    kernel = firewall.Kernel()
    monkeypatch.setattr(kernel, "find", lambda ref: 5)
    monkeypatch.setattr(kernel, "_at", lambda ref: Here)
    monkeypatch.setattr(kernel, "_inside", lambda ns: contextlib.nullcontext())
    monkeypatch.setattr(kernel, "_end_flows", lambda *changed: None)
    return kernel


def owned(tools: Tools, backend: Backend) -> OwnedRules:
    return backend.owned(tools[backend].ruleset)


@pytest.mark.parametrize("backend", BACKENDS)
def test_all_of_a_task_is_one_transaction(kernel: firewall.Kernel, tools: Tools, backend: Backend) -> None:
    steps = [
        changes.PutRule(HOST, RULE, backend=backend),
        changes.SetPortMappings(HOST, (PORT,), backend=backend),
        changes.SetIsolation(HOST, GUARD, backend=backend),
    ]
    kernel.apply_together(steps)
    assert content(owned(tools, backend))[:3] == [{RULE}, {PORT}, {GUARD}]
    # With iptables one a table and address family, of which only isolation has two.
    assert tools[backend].writes == (1 if backend is NFTABLES else 5)
    kernel.apply_together(steps)
    assert tools[backend].writes == (1 if backend is NFTABLES else 5)


def test_what_nft_read_to_plan_is_not_read_again_and_what_iptables_read_is(
    kernel: firewall.Kernel, tools: Tools
) -> None:
    for backend, reads in ((NFTABLES, 1), (IPTABLES_LEGACY, 2)):
        kernel.ruleset(5, backend)
        kernel.apply(changes.PutRule(HOST, RULE, backend=backend))
        assert tools[backend].reads == reads


@pytest.mark.parametrize("refused", ["ip6tables-legacy", "ip6tables-legacy filter", "iptables-legacy filter"])
def test_of_a_transaction_that_is_refused_in_part_nothing_stays(
    kernel: firewall.Kernel, tools: Tools, refused: str
) -> None:
    tools[IPTABLES_LEGACY].refused = {refused}
    steps = [
        changes.PutRule(HOST, RULE, backend=IPTABLES_LEGACY),
        changes.PutRule(HOST, SIX, backend=IPTABLES_LEGACY),
        changes.SetIsolation(HOST, GUARD, backend=IPTABLES_LEGACY),
    ]
    with pytest.raises(KernelError, match=r"^Could not add the masquerade rule for 10\.0\.0\.0/24 in the host"):
        kernel.apply_together(steps)
    chains = [
        (name, chain.rules)
        for tables in tools[IPTABLES_LEGACY].ruleset.values()
        for found in tables.values()
        for name, chain in found.items()
    ]
    assert not [name for name, rules in chains if rules or "LINUXNET" in name]


def test_what_was_there_before_comes_back(kernel: firewall.Kernel, tools: Tools) -> None:
    other = NatRule("10.9.0.0/24", owner="other")
    kernel.apply(changes.PutRule(HOST, other, backend=IPTABLES_NFT))
    kernel.apply(changes.SetPortMappings(HOST, (PORT,), backend=IPTABLES_NFT))
    mine = ("-s", "192.0.2.0/24", "-j", "ACCEPT")
    chains = tools[IPTABLES_NFT].ruleset[4]["nat"]
    chains["POSTROUTING"] = SavedChain("ACCEPT", (*chains["POSTROUTING"].rules, mine))
    before = {family: dict(tables) for family, tables in tools[IPTABLES_NFT].ruleset.items()}
    tools[IPTABLES_NFT].refused = {"ip6tables-nft"}
    with pytest.raises(KernelError):
        kernel.apply_together(
            [
                changes.DelRule(HOST, other, backend=IPTABLES_NFT),
                changes.SetPortMappings(HOST, (), (PORT,), backend=IPTABLES_NFT),
                changes.PutRule(HOST, SIX, backend=IPTABLES_NFT),
            ]
        )
    assert content(owned(tools, IPTABLES_NFT)) == content(IPTABLES_NFT.owned(before))
    assert owned(tools, IPTABLES_NFT).static == IPTABLES_NFT.owned(before).static
    assert mine in tools[IPTABLES_NFT].ruleset[4]["nat"]["POSTROUTING"].rules


def test_what_another_backend_has_done_by_then_is_taken_back(kernel: firewall.Kernel, tools: Tools) -> None:
    """As where a published port moves, or is allowed in a chain of docker's."""
    kernel.apply(changes.SetPortMappings(HOST, (PORT,), backend=IPTABLES_NFT))
    tools[IPTABLES_NFT].refused = {"iptables-nft"}
    steps = [
        changes.SetPortMappings(HOST, (PORT,), backend=NFTABLES),
        changes.SetPortMappings(HOST, (), (PORT,), backend=IPTABLES_NFT),
    ]
    with pytest.raises(KernelError, match="unpublish udp port 53"):
        kernel.apply_together(steps)
    assert owned(tools, NFTABLES).empty
    assert owned(tools, IPTABLES_NFT).port_mappings == (PORT,)


def test_what_cannot_be_taken_back_is_named(
    kernel: firewall.Kernel, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [
        changes.PutRule(HOST, RULE, backend=NFTABLES),
        changes.PutRule(NsRef.parse("web"), RULE, backend=IPTABLES_NFT),
    ]
    tools[IPTABLES_NFT].refused = {"iptables-nft"}
    write = tools[NFTABLES].write

    def once(texts: dict[str, str]) -> None:
        write(texts)
        tools[NFTABLES].refused = {"nft"}

    monkeypatch.setattr(tools[NFTABLES], "write", once)
    with pytest.raises(Refused, match=r"Not taken back: the nftables rule set in the host\.$"):
        kernel.apply_together(steps)


def test_a_namespace_that_went_meanwhile_is_an_error_in_a_sentence(
    kernel: firewall.Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(ref: NsRef) -> None:
        raise OSError(errno.ENOENT, "gone")

    monkeypatch.setattr(kernel, "_at", gone)
    with pytest.raises(KernelError, match="No such file or directory"):
        kernel.apply(changes.PutRule(HOST, RULE))


def test_a_program_that_prints_no_rule_set_is_an_error_in_a_sentence(
    kernel: firewall.Kernel, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools[NFTABLES], "read", lambda: {"nft": '{"nftables": '})
    with pytest.raises(KernelError, match=r"Could not list the nftables rule set: .*nft printed no JSON of a rule set"):
        kernel.ruleset(5, NFTABLES)
    with pytest.raises(KernelError, match="nft printed no JSON"):
        kernel.apply(changes.PutRule(HOST, RULE))

    def ended() -> None:
        raise ProgramError("it ended with 3")

    monkeypatch.setattr(tools[IPTABLES_NFT], "read", ended)
    with pytest.raises(KernelError, match=r"Could not list the rules of iptables-nft: .*it ended with 3"):
        kernel.ruleset(5, IPTABLES_NFT)


def test_f11_the_usual_kind_comes_first_and_what_is_not_here_is_left_out(kernel: firewall.Kernel, tools: Tools) -> None:
    assert kernel.backends() == [NFTABLES, IPTABLES_NFT, IPTABLES_LEGACY]
    tools[IPTABLES_NFT].usual = False
    assert firewall.Kernel().backends() == [NFTABLES, IPTABLES_LEGACY, IPTABLES_NFT]
    assert kernel.backends() == [NFTABLES, IPTABLES_NFT, IPTABLES_LEGACY], "it was asked already"
    tools[NFTABLES].here = tools[IPTABLES_NFT].here = False
    kernel._backends = None
    assert kernel.backends() == [IPTABLES_LEGACY]
    assert kernel.ruleset(5, NFTABLES) == []
    assert tools[NFTABLES].reads == 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_tool_that_hangs_is_asked_once(
    backend: Backend, programs: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time would take a minute, under the host's lock. A task may have more than one kernel: with purge it looks first."""
    monkeypatch.setattr(namespaces, "entered", lambda fd: contextlib.nullcontext())
    monkeypatch.setattr(run, "_TIMEOUT", 0.2)
    monkeypatch.setattr(iptables, "_in_use", lambda family: True)
    program = programs("tool", 'echo "$0 $*" >> "$(dirname "$0")/asked"; exec sleep 20')
    names = backend.programs.values() if isinstance(backend, Iptables) else ()
    for name in ("nft", *(f"{one}-{way}" for one in names for way in ("save", "restore"))):
        (program.parent / name).symlink_to(program)
    for _kernel in range(2):
        kernel = firewall.Kernel()
        monkeypatch.setattr(kernel, "_at", lambda ref: Here)
        monkeypatch.setattr(kernel, "_inside", lambda ns: contextlib.nullcontext())
        for _item in range(3):
            with pytest.raises(KernelError, match=r"did not end within 0\.2 seconds"):
                kernel.ruleset(5, backend)
        with pytest.raises(Refused, match="did not end"):
            kernel.apply_together([changes.PutRule(HOST, RULE, backend=backend)])
        assert kernel.version(backend) == ""
        assert not kernel.filters_bridges(5)
    assert len((program.parent / "asked").read_text(encoding="utf-8").splitlines()) == 1


def test_tables_that_iptables_nft_made_on_demand_go_with_what_was_in_them(
    kernel: firewall.Kernel, tools: Tools
) -> None:
    """nft lists them as well, and they are empty then."""
    nft = tools[NFTABLES]
    bare = [{"table": {"family": "ip", "name": "nat", "handle": 1}}, {"table": {"family": "ip", "name": "mine"}}]
    kernel.apply(changes.PutRule(HOST, RULE, backend=IPTABLES_NFT))
    nft.ruleset = bare
    kernel.apply(changes.DelRule(HOST, RULE, backend=IPTABLES_NFT))
    assert nft.ruleset == bare[1:]
    nft.refused = {"nft"}
    kernel.apply(changes.PutRule(HOST, RULE, backend=IPTABLES_NFT))
    nft.ruleset = bare
    kernel.apply(changes.DelRule(HOST, RULE, backend=IPTABLES_NFT))
    assert owned(tools, IPTABLES_NFT).empty, "that it could not be tidied is no failure"


def test_rule_sets_are_forgotten_with_their_namespace() -> None:
    """Its inode may be that of another one afterwards."""
    with firewall.Kernel() as kernel:
        ended = kernel._open[100] = Namespace(os.open("/dev/null", os.O_RDONLY))
        ended._socket = Answering([])
        kernel._known = {(100, NFTABLES): NFTABLES.nothing(), (kernel.own, NFTABLES): NFTABLES.nothing()}
        kernel._forget(100)
        assert list(kernel._known) == [(kernel.own, NFTABLES)]
        assert list(kernel._open) == [kernel.own]
