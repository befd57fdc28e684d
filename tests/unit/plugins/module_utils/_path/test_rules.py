# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the rules of one chain do to a packet of which nearly all is known."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import Chain, ForeignRules, Rule
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.matching import (
    Bits,
    Lookup,
    Match,
    match,
    unknown,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._path.rules import Ruling, at, follow, target_of

FACTS = {"iifname": "eth0", "l4proto": (6, 6), "dport": (80, 80), "mark": (0, 0), "ct mark": (3, 3)}
MET, OTHER, UNSURE = match("dport", (80, 80)), match("dport", (81, 81)), unknown()


def rule(verdict: str, *matches: Match, target: str = "", **more: Any) -> Rule:
    return Rule(matches, verdict, target, "handle 1", **more)


def ruled(*rules: Rule, policy: str = "accept", other: tuple[Rule, ...] = (), type_: str = "filter") -> Ruling:
    base = Chain("inet x", "base", (4, 6), type_, "forward", policy, rules)
    called = Chain("inet x", "other", (4, 6), rules=other)
    return follow(ForeignRules({("inet x", "base"): base, ("inet x", "other"): called}), base, FACTS)


def ended(ruling: Ruling) -> str:
    return ruling.end.verdict if ruling.end else "passes"


@pytest.mark.parametrize(
    ("ruling", "verdict", "doubts"),
    [
        (ruled(), "passes", 0),
        (ruled(policy="drop"), "drop", 0),
        (ruled(rule("drop", MET)), "drop", 0),
        (ruled(rule("reject", MET)), "reject", 0),
        (ruled(rule("drop", OTHER)), "passes", 0),
        (ruled(rule("accept", MET), rule("drop")), "passes", 0),
        (ruled(rule("return", MET), rule("drop"), policy="drop"), "drop", 0),
        (ruled(rule("", MET), rule("drop")), "drop", 0),
        (ruled(rule("jump", target="other"), rule("drop"), other=(rule("accept", MET),)), "passes", 0),
        (ruled(rule("jump", target="other"), rule("drop"), other=(rule("return"), rule("accept"))), "drop", 0),
        (ruled(rule("goto", target="other"), rule("drop"), other=()), "passes", 0),
        (ruled(rule("drop", UNSURE)), "passes", 1),
        (ruled(rule("drop", MET, UNSURE), rule("drop", MET)), "drop", 1),
        (ruled(rule("accept", UNSURE), policy="drop"), "passes", 2),
        (ruled(rule("accept", UNSURE), rule("drop", MET)), "passes", 2),
        (ruled(rule("return", UNSURE), rule("drop")), "passes", 2),
        (ruled(rule("goto", UNSURE, target="other"), rule("drop")), "passes", 2),
        (ruled(rule("jump", UNSURE, target="other"), other=(rule("drop", MET),)), "passes", 1),
        (ruled(rule("jump", UNSURE, target="other"), other=(rule("drop", OTHER),)), "passes", 0),
        (ruled(rule("jump", UNSURE, target="other"), rule("drop"), other=(rule("accept"),)), "passes", 2),
        (ruled(rule("jump", UNSURE, target="gone")), "passes", 1),
        (ruled(rule("jump", target="gone")), "passes", 1),
        (ruled(rule("?", MET)), "passes", 1),
        (ruled(rule("?", MET), rule("drop")), "passes", 3),
        (ruled(rule("?", OTHER), rule("drop")), "drop", 0),
    ],
)  # fmt: skip
def test_what_ends_it_and_what_may(ruling: Ruling, verdict: str, doubts: int) -> None:
    assert (ended(ruling), len(ruling.may_stop)) == (verdict, doubts)
    assert not ruling.may_divert


def test_what_translates() -> None:
    done = ruled(rule("dnat", MET, target="10.0.0.2:80"), type_="nat")
    assert done.end is not None
    assert (done.end.verdict, done.end.target, str(done.end.place)) == (
        "dnat",
        "10.0.0.2:80",
        "inet x base (rule handle 1)",
    )
    for unsure in (rule("dnat", UNSURE, target="10.0.0.2"), rule("dnat", MET, target="?"), rule("?", MET)):
        found = ruled(unsure, type_="nat")
        assert (found.end, len(found.may_divert)) == (None, 1)
    after = ruled(rule("accept", UNSURE), rule("dnat", MET, target="10.0.0.2"), type_="nat")
    assert after.end is not None
    assert len(after.may_divert) == 1
    by_map = Lookup(("dport",), ((((80, 80),), "dnat", "10.0.0.3"), (((81, 81),), "dnat", "10.0.0.4")))
    done = ruled(rule("dnat", target="?", lookup=by_map), type_="nat")
    assert done.end is not None
    assert done.end.target == "10.0.0.3"
    assert ruled(rule("dnat", target="?", lookup=Lookup(("dport",), ((((9, 9),), "dnat", "10.0.0.3"),)))).end is None


def test_the_policy_is_a_place_of_its_own() -> None:
    done = ruled(policy="drop")
    assert done.end is not None
    assert str(done.end.place) == "inet x base (policy drop)"


@pytest.mark.parametrize(
    ("setting", "met", "mark"),
    [
        ((5, 5), MET, 5),
        (None, MET, None),
        ((5, 5), UNSURE, None),
        ((0, 0), UNSURE, 0),
        (Bits("mark", 0xFFFFFFFF, 8), MET, 8),
        (Bits("ct mark", 0x1), MET, 1),
        (Bits("gone", 0x1), MET, None),
        (Lookup(("iifname",), ((("eth0",), "mark", "9"),)), MET, 9),
        (Lookup(("iifname",), ((("eth1",), "mark", "9"),)), MET, 0),
        (Lookup(("oifname",), ((("eth1",), "mark", "9"),)), MET, None),
    ],
)
def test_marks_that_it_has_afterwards(setting: Any, met: Match, mark: int | None) -> None:
    assert ruled(rule("", met, sets=(("mark", setting),))).marks == {"mark": mark, "ct mark": 3}
    if met is MET:
        sees = ruled(rule("", met, sets=(("mark", setting),)), rule("drop", match("mark", (5, 5))))
        assert (ended(sees) == "drop") is (mark == 5)


def test_marks_of_a_chain_that_may_be_called_are_not_known() -> None:
    marks = rule("", sets=(("mark", (5, 5)),))
    assert ruled(rule("jump", UNSURE, target="other"), other=(marks,)).marks["mark"] is None


def test_the_chains_of_a_hook_in_order() -> None:
    def chain(name: str, priority: int, **more: Any) -> Chain:
        return Chain(
            "inet x",
            name,
            (4,),
            more.pop("type", "filter"),
            "forward",
            more.pop("policy", "drop"),
            (),
            priority,
            **more,
        )

    chains = [
        chain("late", 10),
        chain("early", -10),
        chain("idle", 0, policy="accept"),
        chain("nat", 0, policy="accept", type="nat"),
    ]
    rules = ForeignRules({(one.table, one.name): one for one in chains})
    assert [one.name for one in at(rules, "forward", 4, "")] == ["early", "nat", "late"]
    assert at(rules, "input", 4, "") == at(rules, "forward", 6, "") == at(rules, "forward", 4, "bridge") == []


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("10.0.0.2", ("10.0.0.2", 0)),
        ("10.0.0.2:80", ("10.0.0.2", 80)),
        ("fd00::2", ("fd00::2", 0)),
        ("[fd00::2]:80", ("fd00::2", 80)),
        (":80", ("", 80)),
        ("10.0.0.2:8000-8090", ("10.0.0.2", 8080)),
        ("10.0.0.2:80-90/8075", ("10.0.0.2", 85)),
        ("10.0.0.2:81-90", None),
        ("10.0.0.2:x", None),
        ("10.0.0.2-10.0.0.9", None),
        ("10.0.0.0/24", None),
    ],
)
def test_where_it_is_translated_to(text: str, target: Any) -> None:
    assert target_of(text, 8080) == target
