# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The backends iptables-nft and iptables-legacy: what is theirs besides the contract of all backends (test_base).

That the lines mean what they say is shown with traffic, in tests/module.
"""

from __future__ import annotations

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends import (
    iptables_save,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import IPTABLES_NFT
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_save import SavedChain
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    ALLOWANCES,
    CONFINED,
    ISOLATION,
    NAT,
    PORTS,
    VRFS,
    Edit,
)
from ansible_collections.linuxnet.containers.tests.unit.edits import edits_of, made

EDITS = edits_of(IPTABLES_NFT)


@pytest.mark.parametrize(
    ("table", "chain", "number", "kind"),
    [
        ("nat", "LINUXNET-POSTROUTING", 0, NAT),
        ("nat", "LINUXNET-HAIRPIN", 1, PORTS),
        ("raw", "LINUXNET-RAW", 0, PORTS),
        ("mangle", "LINUXNET-MANGLE", 0, PORTS),
        ("filter", "LINUXNET-CLOSED", 1, ISOLATION),
        ("filter", "LINUXNET-GUARD", 0, ISOLATION),
        ("filter", "LINUXNET-FORWARD", 1, ALLOWANCES),
        ("nat", "OUTPUT", 0, PORTS),
        ("filter", "FORWARD", 0, CONFINED),
        ("filter", "FORWARD", 1, ISOLATION),
        ("filter", "LINUXNET-CONFINE", 1, CONFINED),
        ("mangle", "LINUXNET-CONFINE", 0, CONFINED),
        ("nat", "LINUXNET-VRF", 0, VRFS),
        ("nat", "PREROUTING", 1, VRFS),
    ],
)
def test_f13_a_rule_that_somebody_took_out_breaks_its_kind_and_is_put_back(
    table: str, chain: str, number: int, kind: str
) -> None:
    saved = made(IPTABLES_NFT, *EDITS)
    rules = list(saved[4][table][chain].rules)
    del rules[number]
    damaged = {**saved[4], table: {**saved[4][table], chain: SavedChain(saved[4][table][chain].policy, tuple(rules))}}
    broken = {4: damaged, 6: saved[6]}
    assert not IPTABLES_NFT.owned(broken).whole(kind, 4)
    assert IPTABLES_NFT.owned(broken).whole(kind, 6)
    again = IPTABLES_NFT.owned(made(IPTABLES_NFT, *EDITS, start=broken))
    assert all(again.whole(one) for one in (NAT, PORTS, ISOLATION, ALLOWANCES, CONFINED, VRFS))


def test_f13_a_rule_that_was_edited_equals_nothing_that_is_wanted() -> None:
    saved = made(IPTABLES_NFT, EDITS[0])
    name = next(name for name in saved[4]["nat"] if name not in ("LINUXNET-POSTROUTING", "POSTROUTING"))
    saved[4]["nat"][name] = SavedChain("-", saved[4]["nat"][name].rules[1:])
    (rule,) = IPTABLES_NFT.owned(saved).nat_rules
    assert (rule.owner, rule.source, rule.out_interface) == ("net", "10.0.0.0/24", "?")


def test_f13_rules_without_our_mark_are_named_and_stay_at_the_end_with_what_calls_them() -> None:
    saved = made(IPTABLES_NFT, EDITS[3])
    there = saved[4]["nat"]["LINUXNET-PUBLISH"]
    stranger = ("-p", "tcp", "-j", "ACCEPT")
    saved[4]["nat"]["LINUXNET-PUBLISH"] = SavedChain("-", (stranger, *there.rules))
    assert tuple(map(str, IPTABLES_NFT.owned(saved).unmarked)) == (
        "chain LINUXNET-PUBLISH of nat: -p tcp -j ACCEPT, which 'iptables-nft -t nat -D LINUXNET-PUBLISH -p tcp -j ACCEPT' removes",
    )
    moved = made(IPTABLES_NFT, EDITS[3], start=saved)
    assert moved[4]["nat"]["LINUXNET-PUBLISH"].rules == (*there.rules, stranger)
    gone = Edit(unpublish=IPTABLES_NFT.owned(saved).port_mappings)
    left = made(IPTABLES_NFT, gone, start=moved)
    assert left[4]["nat"]["LINUXNET-PUBLISH"].rules == (stranger,)
    assert len(left[4]["nat"]["PREROUTING"].rules) == 1


def test_rules_without_our_mark_are_taken_back_with_the_chains_that_they_kept() -> None:
    saved = made(IPTABLES_NFT, EDITS[3])
    there = saved[4]["nat"]["LINUXNET-PUBLISH"]
    saved[4]["nat"]["LINUXNET-PUBLISH"] = SavedChain("-", (*there.rules, ("-p", "tcp", "-j", "ACCEPT")))
    back = made(IPTABLES_NFT, Edit(reclaim=True), start=saved)
    assert back[4]["nat"]["LINUXNET-PUBLISH"] == there
    gone = Edit(unpublish=IPTABLES_NFT.owned(saved).port_mappings)
    left = made(IPTABLES_NFT, gone, start=saved)
    assert left[4]["nat"]["LINUXNET-PUBLISH"].rules
    assert "LINUXNET-PUBLISH" not in made(IPTABLES_NFT, Edit(reclaim=True), start=left)[4].get("nat", {})


def test_f1_it_is_called_from_docker_s_users_chain_and_moves_there() -> None:
    start = made(IPTABLES_NFT, EDITS[8])
    assert [len(start[4]["filter"]["FORWARD"].rules)] == [1]
    call = ("-j", "DOCKER-USER")
    start[4]["filter"]["DOCKER-USER"] = SavedChain("-", (("-j", "RETURN"),))
    assert made(IPTABLES_NFT, EDITS[8], start=start) == start, "which nobody calls"
    start[4]["filter"]["FORWARD"] = SavedChain("DROP", (*start[4]["filter"]["FORWARD"].rules, call))
    moved = made(IPTABLES_NFT, EDITS[8], start=start)
    assert moved[4]["filter"]["FORWARD"].rules == (call,)
    assert [iptables_save.target(rule) for rule in moved[4]["filter"]["DOCKER-USER"].rules] == [
        "LINUXNET-FORWARD",
        "RETURN",
    ]
