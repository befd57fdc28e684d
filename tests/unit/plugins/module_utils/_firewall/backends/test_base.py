# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract of a firewall backend, which each one passes, against twins of the tools."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Backend
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.index import RuleIndex
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    ALLOWANCES,
    CONFINED,
    FAMILIES,
    FENCES,
    ISOLATION,
    NAT,
    PORTS,
    SPOOFING,
    TUNNELS,
    UPLINKS,
    VRFS,
    Edit,
    OwnedRules,
    edited,
    restoring,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import BACKENDS
from ansible_collections.linuxnet.containers.tests.unit.by_hand import damaged, plain, without_stops
from ansible_collections.linuxnet.containers.tests.unit.edits import content, edits_of, everything_gone, made
from ansible_collections.linuxnet.containers.tests.unit.tool_twins import printed, typed, written

EACH = [pytest.param(backend, id=backend.name) for backend in BACKENDS]
ONE = [
    pytest.param(backend, number, id=f"{backend.name}-{number}")
    for backend in BACKENDS
    for number in range(len(edits_of(backend)))
]
TWO = [
    pytest.param(backend, first, second, id=f"{backend.name}-{first}-{second}")
    for backend in BACKENDS
    for first, second in itertools.permutations(range(len(edits_of(backend))), 2)
]


def bare(backend: Backend, ruleset: Any) -> bool:
    """Whether nothing of ours is in a rule set. Built-in chains of iptables-legacy stay, in a kernel as well."""
    if not isinstance(ruleset, dict):
        return bool(ruleset == [])
    chains = [(name, one) for tables in ruleset.values() for found in tables.values() for name, one in found.items()]
    return not chains if backend.within else all(name.isalpha() and not one.rules for name, one in chains)


@pytest.mark.parametrize("backend", EACH)
def test_on_a_bare_host_nothing_is_owned(backend: Backend) -> None:
    owned = backend.owned(backend.nothing())
    assert owned.empty
    assert content(owned) == content(OwnedRules())
    assert backend.foreign(backend.nothing(), {}) == {}


@pytest.mark.parametrize("backend", EACH)
def test_all_that_is_owned_is_read_back(backend: Backend) -> None:
    found = backend.owned(made(backend, *edits_of(backend)))
    assert content(found) == content(edited(OwnedRules(), edits_of(backend)))
    assert (found.bridges, found.localnet, found.unmarked) == (("br0",), ("br0",), ())
    assert found.hairpins == (("web0", "br0"),)
    assert all(found.whole(kind) for kind in (NAT, PORTS, ISOLATION, ALLOWANCES, FENCES, TUNNELS, VRFS, CONFINED))
    assert found.whole(SPOOFING) == bool(found.spoof_checks)
    assert found.whole(UPLINKS) == bool(found.uplinks)


@pytest.mark.parametrize("backend", EACH)
def test_what_a_tool_prints_is_parsed(backend: Backend) -> None:
    ruleset = made(backend, *edits_of(backend))
    assert backend.parse(printed(backend, ruleset)) == ruleset
    assert backend.parse({}) in (backend.nothing(), {})


@pytest.mark.parametrize(("backend", "number"), ONE)
def test_what_is_rendered_is_what_was_read(backend: Backend, number: int) -> None:
    for edits in (edits_of(backend), edits_of(backend)[: number + 1], [edits_of(backend)[number]]):
        owned = backend.owned(made(backend, *edits))
        again = backend.owned(written(backend, backend.nothing(), backend.render(owned)))
        assert (content(again), again.static) == (content(owned), owned.static)


@pytest.mark.parametrize(("backend", "first"), ONE)
def test_what_is_there_is_not_written_again_and_all_of_it_goes(backend: Backend, first: int) -> None:
    edits = edits_of(backend)
    for second in range(len(edits)):
        ruleset = made(backend, edits[first], edits[second])
        assert set(backend.transaction(ruleset, [edits[second], edits[first]]).values()) == {""}
        left = made(backend, everything_gone(backend.owned(ruleset)), start=ruleset)
        assert bare(backend, left), left


@pytest.mark.parametrize(("backend", "first", "second"), TWO)
def test_any_edit_is_as_the_edited_rendered(backend: Backend, first: int, second: int) -> None:
    edits = edits_of(backend)
    one_by_one = backend.owned(made(backend, edits[second], start=made(backend, edits[first])))
    at_once = backend.owned(made(backend, edits[first], edits[second]))
    wanted = edited(OwnedRules(), [edits[first], edits[second]])
    assert content(one_by_one) == content(at_once) == content(wanted)
    assert one_by_one.static == at_once.static


@pytest.mark.parametrize(("backend", "number"), ONE)
def test_what_a_person_would_type_does_the_same(backend: Backend, number: int) -> None:
    """On a bare host and after the others; and taken away again."""
    edits = edits_of(backend)
    for before in ([], [*edits[:number], *edits[number + 1 :]]):
        start = made(backend, *before)
        owned = backend.owned(start)
        done = typed(backend, start, backend.commands(edits[number], owned, OwnedRules(), False))
        assert content(backend.owned(done)) == content(backend.owned(made(backend, edits[number], start=start)))
        assert set(backend.transaction(done, [edits[number]]).values()) == {""}
        now = backend.owned(done)
        back = restoring(now, owned)
        replaced = OwnedRules(
            nat_rules=tuple(rule for rule in now.nat_rules if rule.key in back.drop),
            port_mappings=back.unpublish,
            isolations=tuple(isolation for isolation in now.isolations if isolation.bridge in back.unisolate),
            fences=tuple(fence for fence in now.fences if fence.family in back.unfence),
            spoof_checks=tuple(check for check in now.spoof_checks if check.interface in back.uncheck),
            apart=back.apart_off,
            uplinks=tuple(uplink for uplink in now.uplinks if uplink.key in back.unanswer),
            tunnels=tuple(tunnel for tunnel in now.tunnels if tunnel.key in back.unadmit),
        )
        undone = typed(backend, done, backend.commands(back, now, replaced, not before))
        assert content(backend.owned(undone)) == content(owned)


@pytest.mark.parametrize(("backend", "number"), ONE)
def test_what_was_before_is_made_again(backend: Backend, number: int) -> None:
    edits = edits_of(backend)
    rest = [*edits[:number], *edits[number + 1 :]]
    for before, edit in (([], edits[number]), (rest, edits[number]), (edits, everything_gone(_owned(backend, edits)))):
        start = made(backend, *before)
        now = made(backend, edit, start=start)
        there = backend.owned(start)
        back = made(backend, restoring(backend.owned(now), there), start=now)
        assert content(backend.owned(back)) == content(there)
        assert before or bare(backend, back)


def _owned(backend: Backend, edits: list[Edit]) -> OwnedRules:
    return backend.owned(made(backend, *edits))


@pytest.mark.parametrize(("backend", "first", "second"), TWO)
def test_what_is_foreseen_is_what_is_read(backend: Backend, first: int, second: int) -> None:
    """An index that an edit is taken as done in, against the rule set in which it was done."""
    edits = [edits_of(backend)[first], edits_of(backend)[second]]
    ruleset = made(backend, edits[0])
    index = RuleIndex(backend, backend.owned(ruleset))
    for edit in (edits[1], everything_gone(_owned(backend, edits))):
        index.advance(edit)
        ruleset = made(backend, edit, start=ruleset)
        there = backend.owned(ruleset)
        assert index.owned.static == there.static
        foreseen = (index.nat_rules.values(), index.port_mappings, index.isolations.values(), index.allowances.values())
        assert [frozenset(one) for one in foreseen] == content(there)[:4]
        assert frozenset(index.spoof_checks.values()) == content(there)[7]
        assert frozenset(index.uplinks.values()) == frozenset(index.owned.uplinks) == frozenset(there.uplinks)
        assert frozenset(index.tunnels.values()) == frozenset(index.owned.tunnels) == frozenset(there.tunnels)
        assert (set(index.owned.bridges), set(index.owned.localnet)) == (set(there.bridges), set(there.localnet))
        assert index.hairpins == dict(there.hairpins)
        sets = getattr(there, "sets", {})
        assert {name: set(bridges) for name, bridges in getattr(index.owned, "sets", {}).items()} == {
            name: set(bridges) for name, bridges in sets.items()
        }


@pytest.mark.parametrize("backend", EACH)
def test_nothing_of_ours_is_foreign(backend: Backend) -> None:
    chains = backend.foreign(made(backend, *edits_of(backend)), {})
    assert not [chain for chain in chains.values() if chain.rules or "LINUXNET" in chain.name]


@pytest.mark.parametrize("backend", EACH)
def test_an_edit_of_one_family_leaves_the_other_as_it_is(backend: Backend) -> None:
    edits = edits_of(backend)
    ruleset = made(backend, *edits)
    for family, kept in ((4, 6), (6, 4)):
        owned = backend.owned(ruleset)
        gone = Edit(
            drop=tuple(rule.key for rule in owned.nat_rules if rule.family == family),
            unpublish=tuple(mapping for mapping in owned.port_mappings if mapping.family == family),
            kinds=(PORTS, VRFS),
        )
        left = backend.owned(made(backend, gone, start=ruleset))
        assert {rule.family for rule in left.nat_rules} == {kept}
        assert {mapping.family for mapping in left.port_mappings} == {kept}
        both: list[Any] = [*owned.nat_rules, *owned.port_mappings]
        assert {*left.nat_rules, *left.port_mappings} == {one for one in both if one.family == kept}


@pytest.mark.parametrize("backend", EACH)
def test_names_and_families(backend: Backend) -> None:
    assert repr(backend) == backend.name
    assert backend.name.startswith(backend.option)
    assert backend.owned(backend.nothing()).families == FAMILIES
    assert all((backend.program, backend.package, backend.listing, backend.wildcard))


@pytest.mark.parametrize("backend", EACH)
@pytest.mark.parametrize("seed", range(60))
def test_f13_whatever_somebody_did_by_hand_is_seen_and_put_back(backend: Backend, seed: int) -> None:
    """In one transaction, after which there is nothing to do; and what is not damaged is not said to be."""
    start = made(backend, *edits_of(backend))
    wanted = backend.owned(start)
    chance = random.Random(seed)
    for _turn in range(5):
        broken = damaged(backend, start, chance)
        found = backend.owned(broken)
        whole = content(found) == content(wanted) and found.static == wanted.static
        assert whole is (broken == start) or whole is (plain(backend, broken) == plain(backend, start))
        again = made(backend, *edits_of(backend), start=broken)
        assert plain(backend, again) == plain(backend, start)
        assert set(backend.transaction(again, edits_of(backend)).values()) == {""}
        assert backend.owned(again).static == wanted.static


@pytest.mark.parametrize("backend", EACH)
def test_rules_without_stops_get_them_one_by_one_and_all_at_once(backend: Backend) -> None:
    """What an older release wrote; a rule that an edit is not about stays as it is."""
    edits = edits_of(backend)[:3]
    start = made(backend, *edits)
    older = without_stops(backend, start)
    rules = backend.owned(older).nat_rules
    assert [rule.stopped for rule in rules] == [False] * 3
    assert {replace(rule, stopped=True) for rule in rules} == set(backend.owned(start).nat_rules)
    one = made(backend, edits[0], start=older)
    assert sorted(rule.stopped for rule in backend.owned(one).nat_rules) == [False, False, True]
    assert plain(backend, made(backend, *edits, start=older)) == plain(backend, start)
    assert plain(backend, made(backend, *edits[1:], start=one)) == plain(backend, start)
    typed_out = older
    index = RuleIndex(backend, backend.owned(older))
    for edit in edits:
        replaced = OwnedRules(nat_rules=(index.nat_rules[edit.put[0].key],))
        typed_out = typed(backend, typed_out, backend.commands(edit, index.owned, replaced, False))
        index.advance(edit)
    assert plain(backend, typed_out) == plain(backend, start)
    left = made(backend, everything_gone(backend.owned(older)), start=older)
    assert bare(backend, left), left
