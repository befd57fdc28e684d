# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Owned rules as rules in chains of iptables, and back. That they are the same again is in test_base, for all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends import iptables_rules
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import IPTABLES_NFT
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_rules import (
    IptablesRules,
    owned,
    render,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_save import SavedChain
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    NAT,
    PORTS,
    UNREADABLE,
    Allowance,
    Edit,
    Isolation,
    NatRule,
    PortMapping,
)
from ansible_collections.linuxnet.containers.tests.unit.edits import edits_of, made

EDITS = edits_of(IPTABLES_NFT)
WEB = PortMapping("tcp", "192.0.2.1", 8080, 8089, "10.0.0.2", 0, "web", "br0", "note")


def rendered(family: Any = 4, **more: Any) -> Any:
    """The rules of our chains as texts, by chain."""
    layout = render(family, IptablesRules(**more))
    return {name: [" ".join(rule) for rule in rules] for (_table, name), rules in layout.chains.items()}


def test_a_port_mapping_is_a_rule() -> None:
    note = "-m comment --comment linuxnet:web|br0|note"
    to = "-j DNAT --to-destination"
    assert rendered(port_mappings=(WEB,))["LINUXNET-PUBLISH"] == [
        f"-d 192.0.2.1/32 -p tcp -m tcp --dport 8080:8089 {note} {to} 10.0.0.2"
    ]
    six = replace(WEB, host_ip="::/0", to="fd00::2", to_port=80, last=8080)
    assert rendered(6, port_mappings=(six,))["LINUXNET-PUBLISH"] == [
        *(f"-d {one} -m comment --comment linuxnet -j RETURN" for one in ("::1/128", "fe80::/10")),
        f"-p tcp -m tcp --dport 8080 {note} {to} [fd00::2]:80",
    ]
    assert rendered(6, port_mappings=(WEB,)) == {}


def test_only_ipv4_has_a_localhost_to_close() -> None:
    assert "LINUXNET-RAW" in rendered(4, port_mappings=(WEB,))
    six = replace(WEB, host_ip="::/0", to="fd00::2")
    assert set(rendered(6, port_mappings=(six,))) == {"LINUXNET-PUBLISH", "LINUXNET-HAIRPIN", "LINUXNET-MANGLE"}


def test_a_source_nat_rule_has_a_chain_for_what_it_leaves_alone() -> None:
    layout = render(4, IptablesRules(nat_rules=(NatRule("10.0.0.0/24", "!br0", owner="net"),)))
    found = {where: [" ".join(rule) for rule in rules] for where, rules in layout.chains.items()}
    (call,) = found["nat", "LINUXNET-POSTROUTING"]
    (stop,) = found["mangle", "LINUXNET-UNTRANSLATED"]
    name = call.split()[-1]
    assert call == f"-s 10.0.0.0/24 ! -o br0 -m comment --comment linuxnet:net -j {name}"
    assert stop == f"-s 10.0.0.0/24 ! -o br0 -m conntrack --ctstate INVALID -m comment --comment linuxnet:net -j {name}"
    *left_alone, verdict = found["nat", name]
    assert left_alone == [f"-d {one} -j RETURN" for one in ("10.0.0.0/24", "224.0.0.0/4", "255.255.255.255/32")]
    assert verdict == "-j MASQUERADE"
    assert found["mangle", name] == [*left_alone, "-j DROP"]


def test_isolation_returns_where_it_has_nothing_against_a_packet() -> None:
    found = rendered(isolations=(Isolation("br0", owner="net"), Isolation("br1", False, False, True, "net")))
    assert "LINUXNET-FORWARD" not in found
    assert [rule.partition(" -m")[0] for rule in found["LINUXNET-GUARD"]] == [
        "-m conntrack --ctstate RELATED,ESTABLISHED".partition(" -m")[0],
        "-i br0 -o br0",
        "-i br1",
        "-o br1",
        "-o br0",
        "-o br1",
    ]
    assert found["LINUXNET-GUARD"][-2].endswith("-g LINUXNET-CLOSED")
    assert found["LINUXNET-GUARD"][-1].endswith("-g LINUXNET-OPEN")


@pytest.mark.parametrize(
    ("allowance", "matches"),
    [
        (Allowance("out", "10.0.0.0/24", 4, "!br0"), ["-s 10.0.0.0/24 ! -o br0", "-d 10.0.0.0/24"]),
        (Allowance("out", "0.0.0.0/0", 4, "up0"), ["-o up0", ""]),
        (Allowance("in", "br0", 4), ["-o br0", "-i br0"]),
        (Allowance("to", "10.9.0.2", 4), ["-d 10.9.0.2/32", "-s 10.9.0.2/32"]),
        (Allowance("icc", "br0", 4), ["-i br0 -o br0"]),
    ],
)
def test_what_is_allowed_both_ways(allowance: Any, matches: Any) -> None:
    found = rendered(allowances=(allowance,))["LINUXNET-FORWARD"]
    assert [("-m" + rule).partition("-m ")[0][2:].strip() for rule in found] == matches
    assert all(rule.endswith(f"--comment linuxnet:|{allowance.kind} -j ACCEPT") for rule in found)


def edited_by_hand(saved: Any, table: Any, chain: Any, number: Any, old: Any, new: Any) -> Any:
    """Tables of IPv4 in which somebody replaced words of a rule."""
    rules = list(saved[4][table][chain].rules)
    text = " ".join(rules[number]).replace(old, new)
    rules[number] = tuple(text.split(" "))
    chains = {**saved[4][table], chain: SavedChain("-", tuple(rules))}
    return {**saved, 4: {**saved[4], table: chains}}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("--dport 3000:3099", "--dport 3000:3099:4000"),
        ("--dport 3000:3099", "--dport x"),
        ("--dport 3000:3099", "! --dport 3000:3099"),
        ("--to-destination 10.0.0.2", "--to-destination 10.0.0.2-10.0.0.9"),
        ("--to-destination 10.0.0.2", "--to-destination 10.0.0.2:80-90"),
        ("--to-destination 10.0.0.2", "--to-destination fd00::2"),
        ("-d 192.0.2.1/32", "! -d 192.0.2.1/32"),
        ("-j DNAT --to-destination 10.0.0.2", "-j ACCEPT"),
    ],
)
def test_f13_a_mapping_that_was_edited_beyond_reading_is_none_and_is_set_right(old: Any, new: Any) -> None:
    saved = edited_by_hand(made(IPTABLES_NFT, EDITS[4]), "nat", "LINUXNET-PUBLISH", 0, old, new)
    assert owned(saved).port_mappings == ()
    assert not owned(saved).whole(PORTS, 4)
    assert owned(made(IPTABLES_NFT, EDITS[4], start=saved)) == owned(made(IPTABLES_NFT, EDITS[4]))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("-s 10.0.0.0/24", "-s 10.0.0.0/255.0.255.0"),
        ("-s 10.0.0.0/24", "! -s 10.0.0.0/24"),
        ("! -o br0", "-o br9 -m mark --mark 5"),
    ],
)
def test_f13_a_source_nat_rule_that_was_edited_stays_as_it_is_until_its_owner_comes(old: Any, new: Any) -> None:
    saved = edited_by_hand(made(IPTABLES_NFT, EDITS[0]), "nat", "LINUXNET-POSTROUTING", 0, old, new)
    (rule,) = owned(saved).nat_rules
    assert (rule.owner, rule.out_interface) == ("net", UNREADABLE)
    assert owned(saved).whole(NAT, 4)
    after = made(IPTABLES_NFT, EDITS[3], start=saved)
    assert after[4]["nat"]["LINUXNET-POSTROUTING"] == saved[4]["nat"]["LINUXNET-POSTROUTING"]
    right = owned(made(IPTABLES_NFT, EDITS[0], start=saved))
    assert EDITS[0].put[0] in right.nat_rules
    assert len(right.nat_rules) == (1 if rule.key == EDITS[0].put[0].key else 2)


def test_f13_exceptions_of_somebody_s_own_make_a_rule_unreadable() -> None:
    saved = made(IPTABLES_NFT, EDITS[0])
    name = iptables_rules.target(saved[4]["nat"]["LINUXNET-POSTROUTING"].rules[0])  # type: ignore[attr-defined]
    for old, new in (("10.9.0.0/16", "10.9.0.1/16"), ("-j MASQUERADE", "-j ACCEPT")):
        broken = saved
        for number in range(len(saved[4]["nat"][name].rules)):
            broken = edited_by_hand(broken, "nat", name, number, old, new)
        assert owned(broken).nat_rules[0].out_interface == UNREADABLE
    # The call that leads elsewhere is kept, without a chain of its own.
    lost = edited_by_hand(saved, "nat", "LINUXNET-POSTROUTING", 0, f"-j {name}", "-j ACCEPT")
    assert made(IPTABLES_NFT, EDITS[3], start=lost)[4]["nat"]["LINUXNET-POSTROUTING"].rules[0][-1] == "ACCEPT"


def test_f1_the_caller_is_docker_s_chain_where_there_is_one() -> None:
    users = {"DOCKER-USER": SavedChain()}
    for rule, caller in (
        ("-j DOCKER-USER", "DOCKER-USER"),
        ("-m comment --comment x -j DOCKER-USER", "DOCKER-USER"),
        ("-i up0 -j DOCKER-USER", "FORWARD"),
        ("-j ACCEPT", "FORWARD"),
    ):
        calls = SavedChain("DROP", (tuple(rule.split()),))
        assert owned({4: {"filter": {"FORWARD": calls, **users}}, 6: {}}).callers == {4: caller, 6: "FORWARD"}
    assert owned({4: {"filter": users}}).callers == {4: "FORWARD"}


def test_a_kernel_without_ipv6_has_rules_of_one_family() -> None:
    found = owned({4: {}})
    assert (found.families, found.callers) == ((4,), {4: "FORWARD"})
    saved = {4: made(IPTABLES_NFT, EDITS[6])[4]}
    assert owned(saved).whole("isolation")


def test_isolated_bridges_are_read_with_each_rule_looked_at_once(monkeypatch: Any) -> None:
    isolations = tuple(
        Isolation(f"br{number}", number % 2 == 0, number % 3 == 0, number % 5 == 0) for number in range(60)
    )
    saved = made(IPTABLES_NFT, Edit(isolate=isolations, kinds=("isolation",)))
    looked = []
    option = iptables_rules.option  # type: ignore[attr-defined]
    monkeypatch.setattr(iptables_rules, "option", lambda rule, name: looked.append(name) or option(rule, name))  # type: ignore[func-returns-value]
    assert owned(saved).isolations == isolations
    assert len(looked) < 10 * len(saved[4]["filter"]["LINUXNET-GUARD"].rules)
