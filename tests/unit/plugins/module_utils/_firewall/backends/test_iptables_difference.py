# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fewest lines that make of the chains that are there the ones that are wanted."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_difference import (
    Layout,
    Step,
    _filled,
    difference,
    restorable,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_save import (
    Saved,
    SavedChain,
)

CHAIN = "LINUXNET-X"
CALL = ("-m", "comment", "--comment", "linuxnet", "-j", CHAIN)


def ours(text: Any) -> Any:
    return (*text.split(), "-m", "comment", "--comment", "linuxnet")


def layout(*rules: Any, calls: Any = ("FORWARD",)) -> Any:
    return Layout({("filter", CHAIN): list(rules)}, [("filter", name, CALL) for name in calls])


def there(rules: Any, forward: Any = (CALL,), policy: Any = "ACCEPT", **more: Any) -> Any:
    chains = {CHAIN: SavedChain("-", tuple(rules)), "FORWARD": SavedChain(policy, tuple(forward)), **more}
    return {"filter": chains}


def lines(actual: Any, wanted: Any, shared: Any = (CHAIN,), bare: Any = False) -> Any:
    return [" ".join(step.words) for step in difference(actual, wanted, frozenset(shared), bare)]


A, B, C = (ours(f"-s 10.0.0.{number}/32") for number in (1, 2, 3))


def test_what_is_as_wanted_needs_nothing() -> None:
    assert lines(there([A, B]), layout(A, B)) == []


def test_nothing_is_written_into_a_table_that_the_tool_cannot_read() -> None:
    tables = Saved({"nat": {}})
    tables.closed = frozenset({"filter"})
    assert lines(tables, layout(A)) == []


def test_what_is_missing_is_made_before_it_is_called() -> None:
    assert lines({}, layout(A)) == [
        f"-N {CHAIN}",
        f"-A {CHAIN} " + " ".join(A),
        "-I FORWARD " + " ".join(CALL),
    ]


@pytest.mark.parametrize(
    ("before", "after", "verbs"),
    [
        ([A, B], [A, B, C], ["-A"]),
        ([A, B, C], [A, C], ["-D"]),
        ([A, B], [A, C], ["-D", "-A"]),
        ([A, B], [B, A], ["-F", "-A", "-A"]),
        ([A, C], [A, B, C], ["-I"]),
        ([C], [A, B, C], ["-I", "-I"]),
        ([A, B], [C, A, B], ["-I"]),
        ([B, C], [A, C, B], ["-F", "-A", "-A", "-A"]),
        ([A, A], [A], ["-F", "-A"]),
    ],
)
def test_single_lines_where_they_keep_the_order_and_else_all_anew(before: Any, after: Any, verbs: Any) -> None:
    assert [line.split()[0] for line in lines(there(before), layout(*after))] == verbs


def test_lines_one_by_one_make_what_is_wanted() -> None:
    """Of any rules, in any order, by chance: what a tool makes of the lines."""
    chance = Random(1)
    rules = [ours(f"-s 10.0.0.{number}/32") for number in range(12)]
    verbs: Counter[str] = Counter()
    for _number in range(2000):
        wanted = chance.sample(rules, chance.randint(1, 8))
        before = [rule for rule in wanted if chance.random() < 0.6] + chance.sample(rules, chance.randint(0, 2))
        if chance.random() < 0.2:
            chance.shuffle(before)
        chain = before[:]
        for step in _filled(before, wanted, CHAIN, "filter"):
            verb, _chain, *rest = step.words
            verbs[verb] += 1
            if verb == "-F":
                chain = []
            elif verb == "-D":
                chain.remove(tuple(rest))
            elif verb == "-I":
                chain.insert(int(rest[0]) - 1, tuple(rest[1:]))
            else:
                chain.append(tuple(rest))
        assert chain == wanted
    assert min(verbs[verb] for verb in ("-F", "-D", "-I", "-A")) > 100


def test_for_many_that_go_the_chain_is_made_anew() -> None:
    many = [ours(f"-s 10.0.1.{number}/32") for number in range(17)]
    assert len(lines(there([A, *many[1:]]), layout(A))) == 16
    assert [line.split()[0] for line in lines(there([A, *many]), layout(A))] == ["-F", "-A"]


def test_f13_rules_without_our_mark_stay_in_chains_that_are_shared_only() -> None:
    stranger = ("-j", "ACCEPT")
    assert lines(there([stranger, A]), layout(A, B)) == [
        f"-F {CHAIN}",
        *(f"-A {CHAIN} " + " ".join(rule) for rule in (A, B, stranger)),
    ]
    assert lines(there([A, stranger]), Layout()) == [f"-D {CHAIN} " + " ".join(A)]
    assert lines(there([A, stranger]), layout(A), shared=()) == [f"-D {CHAIN} -j ACCEPT"]


def test_calls_that_are_not_wanted_or_twice_there_go() -> None:
    assert lines(there([A], forward=[CALL, CALL]), layout(A)) == ["-D FORWARD " + " ".join(CALL)]
    assert lines(there([A]), layout(A, calls=["DOCKER-USER"])) == [
        "-D FORWARD " + " ".join(CALL),
        "-I DOCKER-USER " + " ".join(CALL),
    ]


def test_what_is_not_wanted_any_more_goes_after_its_call() -> None:
    assert lines(there([A]), Layout()) == ["-D FORWARD " + " ".join(CALL), f"-F {CHAIN}", f"-X {CHAIN}"]


@pytest.mark.parametrize(
    ("more", "goes"),
    [
        ({}, True),
        ({"policy": "DROP"}, False),
        ({"forward": [("-j", "ACCEPT"), CALL]}, False),
    ],
)
def test_a_built_in_chain_that_is_left_bare_goes_where_the_tool_makes_them_on_demand(more: Any, goes: Any) -> None:
    assert ("-X FORWARD" in lines(there([A], **more), Layout(), bare=True)) is goes
    assert "-X FORWARD" not in lines(there([A], **more), Layout())


def test_a_layout_as_tables_needs_nothing_to_become_itself() -> None:
    wanted = layout(A, B, calls=["FORWARD", "DOCKER-USER"])
    assert difference(wanted.tables(), wanted, frozenset()) == []
    assert wanted.tables()["filter"]["FORWARD"].rules == (CALL,)


def test_a_text_for_iptables_restore_has_all_of_a_table_at_once() -> None:
    steps = [
        Step("filter", ("-N", CHAIN), CHAIN),
        Step("nat", ("-A", CHAIN, "-m", "comment", "--comment", "a b"), CHAIN),
        Step("filter", ("-F", CHAIN), CHAIN),
    ]
    assert restorable(steps) == (
        f'*nat\n-A {CHAIN} -m comment --comment "a b"\nCOMMIT\n*filter\n-N {CHAIN}\n-F {CHAIN}\nCOMMIT\n'
    )
    assert restorable([]) == ""


class Counted(tuple):  # type: ignore[type-arg]
    """A rule that counts how often it is looked up."""

    __slots__ = ()
    hashes = [0]

    def __hash__(self) -> Any:
        self.hashes[0] += 1
        return super().__hash__()


def lookups(number: Any) -> Any:
    """How often rules are looked up where one is added to so many."""
    rules = [Counted(ours(f"-d 10.0.0.1/32 --dport {port}")) for port in range(number)]
    actual, wanted = there(rules), layout(*rules, Counted(A))
    Counted.hashes[0] = 0
    assert len(lines(actual, wanted)) == 1
    return Counted.hashes[0]


def test_one_more_of_many_takes_the_time_of_so_many() -> None:
    few, many = lookups(200), lookups(2000)
    assert few < 10 * 200
    assert many < 11 * few


LATE = ("-m", "comment", "--comment", "linuxnet", "-j", "LINUXNET-Y")
ADMIN, RETURN, REJECT = ("-s", "192.0.2.66", "-j", "DROP"), ("-j", "RETURN"), ("-j", "REJECT", "--reject-with", "x")
NOTED = ("-m", "comment", "--comment", "end", "-j", "DROP")


@pytest.mark.parametrize(
    ("forward", "steps"),
    [
        ([], ["-A"]),
        ([ADMIN], ["-A"]),
        ([ADMIN, RETURN], ["-I 2"]),
        ([ADMIN, REJECT], ["-I 2"]),
        ([NOTED], ["-I 1"]),
        ([RETURN, ADMIN], ["-I 1"]),
        ([LATE, ADMIN], ["-D", "-A"]),
        ([LATE, ADMIN, RETURN], ["-D", "-I 2"]),
        ([ADMIN, RETURN, LATE], ["-D", "-I 2"]),
        ([LATE, ADMIN, LATE], ["-D", "-D", "-A"]),
        ([ADMIN, LATE], []),
        ([ADMIN, LATE, RETURN], []),
        ([ADMIN, LATE, RETURN, ADMIN], []),
        ([LATE], []),
    ],
)  # fmt: skip
def test_what_accepts_is_called_behind_the_rules_of_others(forward: Any, steps: Any) -> None:
    """But before a rule without conditions behind which nothing comes; and once only."""
    chains = {"LINUXNET-Y": SavedChain("-", (A,)), "FORWARD": SavedChain("DROP", tuple(forward))}
    wanted = Layout({("filter", "LINUXNET-Y"): [A]}, [], [("filter", "FORWARD", LATE)])
    found = [step.words for step in difference({"filter": chains}, wanted, frozenset({"LINUXNET-Y"}))]
    assert [" ".join([words[0], *(word for word in words[2:3] if word.isdecimal())]) for words in found] == steps
    assert all(words[-len(LATE) :] == LATE for words in found)
