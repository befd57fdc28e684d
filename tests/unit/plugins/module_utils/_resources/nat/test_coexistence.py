# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What foreign rules are in the way of, and how ours get along with them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import (
    IPTABLES_LEGACY,
    IPTABLES_NFT,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Address
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import changes, coexistence
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.resource import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.asked import made, plan
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel
from ansible_collections.linuxnet.containers.tests.unit.nft_json import chain, match, rule

NET = {"source": "10.0.0.0/24", "out_interface": "!br0", "ip_forward": False}
PORT = {
    "type": "dnat",
    "host_port": "8080",
    "to_port": "80",
    "to_address": "10.0.0.2",
    "owner": "web",
    "ip_forward": False,
}
FILTER = {"type": "filter", "bridge": "br0"}
DROPS = "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n"
DOCKER = (
    "*filter\n:FORWARD DROP [0:0]\n:DOCKER-USER - [0:0]\n-A FORWARD -j DOCKER-USER\n-A DOCKER-USER -j RETURN\nCOMMIT\n"
)


@pytest.fixture
def kernel() -> Any:
    """A host with a bridge."""
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, "br0", "bridge", {"enabled": True}))
    kernel.apply(PutAddress(HOST, "br0", Address("10.0.0.1", 24, 4)))
    return kernel


def allowed(kernel: Any, backend: Any) -> Any:
    """What is allowed in a backend."""
    index = firewalls(State(kernel)).index(kernel.find(HOST), backend)
    return sorted((one.kind, one.name, one.by) for one in index.allowances.values())


CLOSED = "# Table `%s' is incompatible, use 'nft' tool.\n"


@pytest.mark.parametrize(
    ("item", "table"),
    [(NET, "nat"), (PORT, "nat"), (PORT, "mangle"), (PORT, "raw"), (FILTER, "filter")],
)
def test_a_table_that_the_tool_cannot_read_is_named_before_anything_is_written(
    kernel: Any, item: Any, table: str
) -> None:
    kernel.foreign_saved[IPTABLES_NFT] = CLOSED % table
    said = f"backend: iptables-nft cannot read the table ip {table}, since somebody put into it what only nft knows"
    with pytest.raises(Refused, match=said):
        plan(kernel, RESOURCE, **item, backend="iptables")
    gone = {name: value for name, value in item.items() if name not in ("to_address", "to_port")}
    assert not plan(kernel, RESOURCE, **gone, backend="iptables", state="absent").changes
    kernel.programs = [IPTABLES_NFT, IPTABLES_LEGACY]
    assert plan(kernel, RESOURCE, **item).after["backend"] == "iptables-legacy"
    kernel.programs = [IPTABLES_NFT]
    with pytest.raises(Refused, match=said):
        plan(kernel, RESOURCE, **item)


@pytest.mark.parametrize(("item", "table"), [(NET, "filter"), (NET, "raw"), (PORT, "filter"), (FILTER, "nat")])
def test_one_that_the_rule_does_not_need_does_not_matter(kernel: Any, item: Any, table: str) -> None:
    kernel.foreign_saved[IPTABLES_NFT] = CLOSED % table
    made(kernel, RESOURCE, **item, backend="iptables")
    assert not plan(kernel, RESOURCE, **item, backend="iptables").changes


def test_nothing_is_let_through_in_a_table_that_cannot_be_read(kernel: Any) -> None:
    """What drops there is named instead."""
    kernel.foreign_saved[IPTABLES_NFT] = CLOSED % "filter"
    kernel.foreign_rules = [
        {"table": {"family": "ip", "name": "filter", "handle": 1}},
        chain("ip filter", "FORWARD", type="filter", hook="forward", prio=0, policy="drop"),
    ]
    made(kernel, RESOURCE, **NET, backend="iptables")
    again = plan(kernel, RESOURCE, **NET, backend="iptables")
    assert not again.changes
    assert again.extra["blocked_by"] == ["ip filter FORWARD (policy drop)"]


def test_rules_of_ours_in_a_table_that_can_no_longer_be_read_are_told(kernel: Any) -> None:
    kernel.foreign_saved[IPTABLES_NFT] = CLOSED % "filter"
    kernel.foreign_rules = [
        {"table": {"family": "ip", "name": "filter", "handle": 1}},
        chain("ip filter", "LINUXNET-GUARD"),
    ]
    gone = plan(kernel, RESOURCE, **FILTER, state="absent")
    assert gone.warnings == (
        "Rules of ours in the table ip filter stay: iptables-nft can no longer read it, for somebody put into it what only nft knows.",
    )


def test_where_the_tool_of_a_backend_does_not_work_another_one_serves(kernel: Any) -> None:
    """And what is not known of may need forwarding."""
    made(kernel, RESOURCE, source="10.0.0.0/24")
    ruleset = kernel.ruleset

    def broken(ns: int, backend: Any) -> Any:
        if backend is NFTABLES:
            raise KernelError(0, "list the nftables rule set", "it ended with 3")
        return ruleset(ns, backend)

    kernel.ruleset = broken
    said = (
        "What is in nftables is left out. Could not list the nftables rule set: the request failed (it ended with 3)."
    )
    found = plan(kernel, RESOURCE, source="10.9.0.0/24")
    assert (found.after["backend"], found.warnings) == ("iptables-nft", (said,))
    for item in (NET, PORT, FILTER):
        with pytest.raises(KernelError, match="it ended with 3"):
            plan(kernel, RESOURCE, **item, backend="nftables")
        gone = {name: value for name, value in item.items() if name not in ("to_address", "to_port", "ip_forward")}
        if item is PORT:  # nobody knows whether it is published still
            with pytest.raises(KernelError, match="it ended with 3"):
                plan(kernel, RESOURCE, **gone, state="absent")
        else:
            absent = plan(kernel, RESOURCE, **gone, state="absent")
            assert (absent.changes, absent.warnings) == ((), (said,))


def forward(table: Any = "inet host", policy: Any = "drop", *rules: Any) -> Any:
    return [chain(table, "forward", type="filter", hook="forward", prio=0, policy=policy), *rules]


# What lets the answers to what passed come back.
ANSWERS = [
    {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}},
    {"accept": None},
]


def test_what_is_not_understood_is_named() -> None:
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, "br0", "bridge", {"enabled": True}))
    marks = {"match": {"op": "==", "left": {"meta": {"key": "mark"}}, "right": {"set": [1, 2]}}}
    kernel.foreign_rules = forward("inet host", "drop", rule("inet host", "forward", marks, {"accept": None}))
    done = made(kernel, RESOURCE, **{**PORT, "to_address": "10.1.0.2", "bridge": "br0"})
    # The mark of a packet is 0 unless a rule gives it another.
    assert (done["blocked_by"], done["maybe_blocked_by"]) == (["inet host forward (policy drop)"], [])


@pytest.mark.parametrize("backend", [IPTABLES_NFT, IPTABLES_LEGACY])
@pytest.mark.parametrize("option", ["nftables", "iptables"])
def test_f1_docker_s_users_chain_is_used_whatever_the_backend(kernel: Any, backend: Any, option: Any) -> None:
    kernel.foreign_saved = {backend: DOCKER}
    kernel.programs = [NFTABLES, backend]
    for item, what in ((NET, ("out", "10.0.0.0/24", "!br0")), (PORT, ("in", "br0", ""))):
        assert made(kernel, RESOURCE, backend=option, **item)["blocked_by"] == []
        assert what in allowed(kernel, backend)
        assert made(kernel, RESOURCE, backend=option, **item)["changed"] is False
    for item in (NET, PORT):
        made(kernel, RESOURCE, state="absent", **item)
    assert allowed(kernel, backend) == []


@pytest.mark.parametrize("backend", [IPTABLES_NFT, IPTABLES_LEGACY])
def test_forward_itself_is_touched_by_who_chose_it_only(kernel: Any, backend: Any) -> None:
    kernel.foreign_saved = {backend: DROPS}
    kernel.programs = [NFTABLES, backend]
    result = plan(kernel, RESOURCE, backend="nftables", **NET)
    table = "ip filter" if backend is IPTABLES_NFT else "iptables-legacy filter"
    assert result.extra["blocked_by"] == [f"{table} FORWARD (policy drop)"]
    assert result.warnings == (
        f"Forwarded packets from 10.0.0.0/24 are dropped by {table} FORWARD (policy drop); "
        "let them through there, or take backend: iptables.",
    )
    assert made(kernel, RESOURCE, backend="iptables", **NET)["blocked_by"] == []
    assert allowed(kernel, backend) == [("out", "10.0.0.0/24", "!br0")]
    moved = made(kernel, RESOURCE, backend="nftables", **NET)
    assert (moved["before"]["backend"], moved["blocked_by"]) == (backend.name, [f"{table} FORWARD (policy drop)"])
    assert allowed(kernel, backend) == []


def test_f2_a_mark_is_the_last_resort(kernel: Any) -> None:
    mark = {"match": {"op": "==", "left": {"meta": {"key": "mark"}}, "right": 18}}
    answers = rule("ip docker-bridges", "forward", *ANSWERS)
    kernel.foreign_rules = forward(
        "ip docker-bridges", "drop", answers, rule("ip docker-bridges", "forward", mark, {"accept": None})
    )
    assert made(kernel, RESOURCE, **PORT)["blocked_by"] == []
    assert allowed(kernel, NFTABLES) == [("mark", "br0", "0x12/0xffffffff")]
    assert made(kernel, RESOURCE, **PORT)["changed"] is False
    other = {"match": {"op": "==", "left": {"meta": {"key": "mark"}}, "right": 7}}
    kernel.foreign_rules = forward(
        "ip docker-bridges", "drop", answers, rule("ip docker-bridges", "forward", other, {"accept": None})
    )
    made(kernel, RESOURCE, **PORT)
    assert allowed(kernel, NFTABLES) == [("mark", "br0", "0x7/0xffffffff")]
    made(kernel, RESOURCE, state="absent", **PORT)
    assert allowed(kernel, NFTABLES) == []
    assert plan(kernel, RESOURCE, **NET).extra["blocked_by"] == ["ip docker-bridges forward (policy drop)"]


def test_an_allowance_that_is_not_needed_any_more_goes(kernel: Any) -> None:
    kernel.foreign_saved = {IPTABLES_NFT: DOCKER}
    made(kernel, RESOURCE, **NET)
    kernel.foreign_saved = {IPTABLES_NFT: DOCKER.replace("DROP", "ACCEPT")}
    (step,) = plan(kernel, RESOURCE, **NET).changes
    assert (type(step), step.backend, step.allow, len(step.disallow), step.last) == (
        changes.SetAllowances,
        IPTABLES_NFT,
        (),
        1,
        True,
    )
    made(kernel, RESOURCE, **NET)
    assert allowed(kernel, IPTABLES_NFT) == []


def test_an_allowance_of_ports_stays_as_long_as_there_are_ports_behind_the_bridge(kernel: Any) -> None:
    kernel.foreign_saved = {IPTABLES_NFT: DOCKER}
    second = {**PORT, "host_port": "8081"}
    for item in (PORT, second):
        made(kernel, RESOURCE, **item)
    made(kernel, RESOURCE, state="absent", **PORT)
    assert allowed(kernel, IPTABLES_NFT) == [("in", "br0", "")]
    made(kernel, RESOURCE, state="absent", **second)
    assert allowed(kernel, IPTABLES_NFT) == []


def test_forward_false_asks_nobody(kernel: Any) -> None:
    kernel.foreign_saved = {IPTABLES_NFT: DOCKER}
    kernel.foreign_rules = forward()
    assert made(kernel, RESOURCE, forward=False, **NET)["blocked_by"] == []
    assert allowed(kernel, IPTABLES_NFT) == []


@pytest.mark.parametrize(
    ("objects", "item", "remedy"),
    [
        (
            forward("inet firewalld"),
            NET,
            "with firewalld: firewall-cmd --zone=trusted --change-interface=br0, and again with --permanent",
        ),
        (
            [chain("ip filter", "FORWARD", type="filter", hook="forward", policy="drop"), chain("ip filter", "ufw-user-forward")],
            NET,
            "with ufw: ufw route allow in on br0",
        ),
        (
            [chain("ip filter", "FORWARD", type="filter", hook="forward", policy="drop"), chain("ip filter", "ufw-user-forward")],
            PORT,
            "with ufw: ufw route allow out on br0",
        ),
        (forward("inet mine"), NET, "let them through there"),
    ],
)  # fmt: skip
def test_what_lets_packets_through_is_said(kernel: Any, objects: Any, item: Any, remedy: Any) -> None:
    kernel.programs = [NFTABLES]
    kernel.foreign_rules = objects
    (warning,) = plan(kernel, RESOURCE, **item).warnings
    assert warning.endswith(f"; {remedy}.")


def test_f17_neighbours_talk_where_bridged_packets_are_shown_to_iptables(kernel: Any) -> None:
    kernel.foreign_saved = {IPTABLES_NFT: DOCKER}
    assert plan(kernel, RESOURCE, **FILTER).extra["blocked_by"] == []
    kernel._state.known.sysctls[kernel.find(HOST), "net.bridge.bridge-nf-call-iptables"] = "1"
    made(kernel, RESOURCE, **FILTER)
    assert allowed(kernel, IPTABLES_NFT) == [("icc", "br0", "")]
    made(kernel, RESOURCE, icc=False, **FILTER)
    assert allowed(kernel, IPTABLES_NFT) == []


def test_f11_rules_in_both_kinds_of_iptables_are_warned_of(kernel: Any) -> None:
    text = "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -s 203.0.113.0/24 -j ACCEPT\nCOMMIT\n"
    kernel.foreign_saved = {IPTABLES_LEGACY: text}
    assert coexistence.mixed(kernel.find(HOST), State(kernel)) == ()
    kernel.foreign_saved[IPTABLES_NFT] = text
    kernel.programs = [IPTABLES_LEGACY, IPTABLES_NFT]
    assert coexistence.mixed(kernel.find(HOST), State(kernel)) == (
        "iptables-legacy and iptables-nft both have rules here, and a packet passes both; what one accepts the other may drop.",
    )


def test_the_chosen_backend_comes_first_then_those_with_something_of_ours(kernel: Any) -> None:
    state, ns = State(kernel), kernel.find(HOST)
    assert list(coexistence.indexes("auto", ns, state)) == [NFTABLES]
    made(kernel, RESOURCE, backend="iptables", **NET)
    state = State(kernel)
    assert list(coexistence.indexes("auto", ns, state)) == [NFTABLES, IPTABLES_NFT]
    assert list(coexistence.indexes("iptables", ns, state)) == [IPTABLES_NFT]


def test_a_foreign_accept_that_is_met_blocks_nothing(kernel: Any) -> None:
    accept = rule("inet host", "forward", match("iifname", "==", "br0"), {"accept": None})
    kernel.foreign_rules = forward("inet host", "drop", accept)
    assert plan(kernel, RESOURCE, **NET).extra["blocked_by"] == ["inet host forward (policy drop)"], (
        "no answer comes back"
    )
    kernel.foreign_rules = forward("inet host", "drop", accept, rule("inet host", "forward", *ANSWERS))
    found = plan(kernel, RESOURCE, **NET)
    assert (found.extra["blocked_by"], found.extra["maybe_blocked_by"], found.warnings) == ([], [], ())


def test_who_may_drop_is_told_apart_from_who_does(kernel: Any) -> None:
    """What drops some peers only is listed, and not warned of: somebody meant that."""
    some = match("daddr", "==", "192.0.2.66")
    asked = {"match": {"op": "==", "left": {"meta": {"key": "skuid"}}, "right": 0}}
    kernel.foreign_rules = forward("inet host", "accept", rule("inet host", "forward", some, {"drop": None}, handle=4))
    found = plan(kernel, RESOURCE, **NET)
    assert (found.extra["blocked_by"], found.extra["maybe_blocked_by"]) == ([], ["inet host forward (rule handle 4)"])
    assert found.warnings == ()
    kernel.foreign_rules = forward("inet host", "accept", rule("inet host", "forward", asked, {"drop": None}, handle=5))
    found = plan(kernel, RESOURCE, **NET)
    assert (found.extra["blocked_by"], found.extra["maybe_blocked_by"]) == ([], ["inet host forward (rule handle 5)"])
    assert found.warnings == (
        "Forwarded packets from 10.0.0.0/24 may be dropped by inet host forward (rule handle 5), which cannot be told from its rules; "
        "let them through there.",
    )


def test_what_is_published_on_the_loopback_address_is_not_forwarded(kernel: Any) -> None:
    kernel.foreign_rules = forward()
    assert plan(kernel, RESOURCE, **PORT, host_ip="127.0.0.1").extra["blocked_by"] == []
    assert plan(kernel, RESOURCE, **PORT).extra["blocked_by"] == ["inet host forward (policy drop)"]


@pytest.mark.parametrize("backend", [IPTABLES_NFT, IPTABLES_LEGACY])
def test_auto_lets_through_in_forward_and_whoever_said_nftables_is_told(kernel: Any, backend: Any) -> None:
    kernel.foreign_saved = {backend: DROPS}
    kernel.programs = [NFTABLES, backend]
    for item, what in ((NET, ("out", "10.0.0.0/24", "!br0")), (PORT, ("in", "br0", ""))):
        done = made(kernel, RESOURCE, **item)
        assert (done["after"]["backend"], done["blocked_by"]) == ("nftables", [])
        assert what in allowed(kernel, backend)
        assert made(kernel, RESOURCE, **item)["changed"] is False
        assert made(kernel, RESOURCE, backend="nftables", **item)["blocked_by"] != []


def test_auto_leaves_it_to_ufw_where_that_has_the_word(kernel: Any) -> None:
    kernel.foreign_saved = {IPTABLES_NFT: DROPS.replace("COMMIT", ":ufw-user-forward - [0:0]\nCOMMIT")}
    assert made(kernel, RESOURCE, **NET)["blocked_by"] == ["ip filter FORWARD (policy drop)"]
    assert allowed(kernel, IPTABLES_NFT) == []
    assert made(kernel, RESOURCE, backend="iptables", **NET)["blocked_by"] == []


ADMIN = "-A DOCKER-USER -i br0 -j DROP\n"


@pytest.mark.parametrize(
    ("saved", "blocked"),
    [
        (DOCKER.replace("-A FORWARD -j DOCKER-USER\n", ""), True),
        (DOCKER.replace("-A FORWARD -j", "-A FORWARD -i eth9 -j"), True),
        (DOCKER.replace("-A FORWARD -j", "-A FORWARD -j REJECT\n-A FORWARD -j"), True),
        (DOCKER.replace("-A DOCKER-USER -j RETURN", ADMIN + "-A DOCKER-USER -j RETURN"), True),
        (DOCKER.replace("-A DOCKER-USER -j RETURN", "-A DOCKER-USER -j RETURN\n" + ADMIN), False),
        (DOCKER.replace("-A FORWARD -j", "-A FORWARD -m comment --comment x -j"), False),
    ],
)  # fmt: skip
def test_f12_an_allowance_counts_where_it_is_reached(kernel: Any, saved: str, blocked: bool) -> None:
    kernel.foreign_saved = {IPTABLES_NFT: saved}
    kernel.programs = [NFTABLES, IPTABLES_NFT]
    found = plan(kernel, RESOURCE, backend="nftables", **NET).extra
    assert bool(found["blocked_by"]) == blocked, found
