# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What others wrote into a rule set is never taken for granted: recorded listings are read, then broken in every way, and read again.

What is not understood counts as not understood. The one exception is `Unreadable`, for what is no listing at all.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall import fate, foreign
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Chains, Unreadable
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import ForeignRules
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.index import RuleIndex
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    ALLOWANCES,
    FENCES,
    ISOLATION,
    OwnedRules,
    restoring,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.packets import Packet, there_and_back
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import BACKENDS
from ansible_collections.linuxnet.containers.tests.unit.edits import (
    content,
    edits_of,
    everything_gone,
    made,
    recorded_of,
)
from ansible_collections.linuxnet.containers.tests.unit.tool_twins import written

RECORDED = {path.stem: path.read_text(encoding="utf-8") for path in (Path(__file__).parent / "recorded").glob("*.txt")}
LISTING: list[dict[str, Any]] = json.loads(RECORDED["nft"])["nftables"]
PACKETS = [
    Packet(4, "10.0.0.0/24", "", "br0", "up0", "br0", protocol="tcp"),
    Packet(6, "fd00::/64", "", "br0", "up0", "br0", protocol="udp"),
    Packet(4, "", "172.17.0.9", "up0", "docker0", "docker0", dnat=True, protocol="tcp", ports=(80, 80)),
    Packet(6, "", "", "br0", "br0", "br0", bridged=True),
]
JUNK: list[Any] = [
    None, True, 0, -1, 2**70, 1.5, "", "x", "@x", "10.0.0.1/24", "::", "linuxnet:", "linuxnet:a|b|c|d", [], [[]], [1, 2], ["a", {}],
    {}, {"set": []}, {"set": [{}]}, {"set": "x"}, {"prefix": {}}, {"prefix": {"addr": "x", "len": "y"}}, {"range": [1]},
    {"range": ["a", {}]}, {"concat": []}, {"concat": [{}, [], 1]}, {"elem": {}}, {"elem": {"val": {}, "comment": 5}},
    {"jump": None}, {"dnat": {"addr": {}, "port": []}}, {"xt": None}, {"vmap": {}}, {"match": {"op": {}, "left": [], "right": {}}},
]  # fmt: skip
WORDS = [
    "!", "-m", "-j", "-g", "-A", "-s", "-p", "--mark", "--dport", "--ctstate", "--comment", "--to-destination", "mark", "connmark", "tcp",
    "0x7/0xff", "zz/0x", "1:2:3", ":80", "80:", "10.0.0.0/255.0.255.0", "!10.0.0.0/8", "linuxnet:", "linuxnet:a|b|c", "DNAT", '"', "\\",
    '"a', "LINUXNET-X", "-", "", "²", "10.0.0.1:80-90", "[fd00::2]:x", "*nat", ":FORWARD",
]  # fmt: skip


# How what an older release wrote is put in order: it called one chain, and that first.
_SPLIT = ["*filter", "-D LINUXNET-FORWARD -j LINUXNET-FENCE", "-D LINUXNET-FORWARD -j LINUXNET-GUARD"]
_FIRST = [*_SPLIT, "-I FORWARD -j LINUXNET-FENCE", "-I FORWARD -j LINUXNET-GUARD", "COMMIT", ""]
_USERS = [
    "-D FORWARD -j LINUXNET-FORWARD",
    "-I DOCKER-USER -j LINUXNET-FENCE",
    "-I DOCKER-USER -j LINUXNET-GUARD",
    "-I DOCKER-USER 3 -j LINUXNET-FORWARD",
]
MOVED: dict[str, Any] = {
    "iptables-nft": {"iptables-nft": [*_SPLIT, *_USERS, "COMMIT", ""], "ip6tables-nft": _FIRST},
    "iptables-legacy": {"iptables-legacy": _FIRST, "ip6tables-legacy": _FIRST},
}


def swallowed(output: dict[str, str]) -> list[OwnedRules]:
    """Do all that is ever done with listings. Returns what is owned, by backend."""
    chains: Chains = {}
    found = []  # type: ignore[var-annotated]
    for backend in BACKENDS:
        try:
            ruleset = backend.parse(output)
        except Unreadable:
            continue
        if backend.within is NFTABLES and found:
            backend.unused(NFTABLES.parse(output))
            backend.leftovers(NFTABLES.parse(output))
        chains.update(backend.foreign(ruleset, chains))
        owned = backend.owned(ruleset)
        found.append(owned)
        index = RuleIndex(backend, owned)
        for edit in (edits_of(backend)[3], edits_of(backend)[6], everything_gone(owned)):
            backend.transaction(ruleset, [edit])
            backend.commands(edit, index.owned, OwnedRules(owned.nat_rules, owned.port_mappings), False)
            index.advance(edit)
        backend.transaction(ruleset, [restoring(OwnedRules(), owned), restoring(owned, OwnedRules())])
    rules = ForeignRules(chains)
    for packet in PACKETS:
        blocks = fate.blocks(rules, [there_and_back(packet)])
        fate.accepted_marks(rules, [there_and_back(packet)])
        assert all(isinstance(block.shown, str) for block in blocks)
    foreign.published(rules)
    foreign.satisfied_by(rules, "172.17.0.0/16", "!docker0")
    return found


def test_the_recorded_rule_sets_hold_all_edits() -> None:
    for backend, owned in zip(BACKENDS, swallowed(RECORDED), strict=True):
        wanted = backend.owned(made(backend, *recorded_of(backend)))
        assert content(owned) == content(wanted)
        read = backend.parse(RECORDED)
        texts = backend.transaction(read, recorded_of(backend))
        if backend is NFTABLES:
            assert owned.static == wanted.static
        else:  # written by an older release, which called one chain, and that first
            assert wanted.static - owned.static == {
                (kind, family) for kind in (ISOLATION, ALLOWANCES, FENCES) for family in (4, 6)
            }
            moved = {
                program: text.replace("-m comment --comment linuxnet ", "").split("\n")
                for program, text in texts.items()
            }
            assert moved == MOVED[backend.name]
            texts = backend.transaction(written(backend, read, texts), recorded_of(backend))
        assert not any(texts.values())


def test_what_the_recorded_foreign_rules_do() -> None:
    chains: Chains = {}
    for backend in BACKENDS[:2]:
        chains.update(backend.foreign(backend.parse(RECORDED), chains))
    rules = ForeignRules(chains)
    told = [
        [block.shown.partition(" (rule")[0] + "?" * (not block.sure) for block in fate.blocks(rules, [[packet]])]
        for packet in PACKETS
    ]
    assert told == [
        ["inet host forward?", *["ip filter FORWARD?"] * 3, "inet firewalld filter_FORWARD?"],
        ["inet firewalld filter_FORWARD?", "inet firewalld filter_FORWARD"],
        ["ip docker-bridges filter-forward-in__docker0", "inet host forward?", "inet host forward (policy drop)?"],
        ["ip6 mangle FORWARD?", "bridge filter forward (policy drop)?", *["inet firewalld filter_FORWARD?"] * 2],
    ]
    assert foreign.satisfied_by(rules, "172.17.0.0/16", "!docker0").startswith(
        "ip docker-bridges nat-POSTROUTING handle "
    )
    assert [(port.first, port.to) for port in foreign.published(rules)] == [
        (8080, "172.17.0.2:80"),
        (8443, "172.17.0.2:443"),
    ]


def spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to all values in JSON."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(spot for key, one in inner for spot in spots(one, (*path, key)))]


def broken_json(chance: Random, objects: list[Any]) -> None:
    """Replace, delete, wrap or move a value of some object."""
    item = chance.choice(objects)
    *path, last = chance.choice(spots(item)[1:])
    for key in path:
        item = item[key]
    how = chance.randrange(5)
    if how == 0:
        item[last] = {"elem": {"val": item[last]}}
    elif how == 1:
        item[last] = [item[last]]
    elif how == 2 and len(item) > 1:
        del item[last]
    elif how == 3 and isinstance(item, dict):
        item[chance.choice(["family", "table", "name", "expr", "elem", "xt", "policy"])] = item.pop(last)
    else:
        item[last] = copy.deepcopy(chance.choice(JUNK))


@pytest.mark.parametrize("seed", range(4))
def test_json_that_is_broken_is_read(seed: int) -> None:
    chance = Random(seed)
    for _try in range(20):
        objects = copy.deepcopy(chance.sample(LISTING, 40))
        for _spot in range(chance.choice([1, 2, 5])):
            broken_json(chance, objects)
        swallowed({"nft": json.dumps({"nftables": objects})})


@pytest.mark.parametrize("number", range(len(LISTING)))
def test_each_value_of_each_object_may_be_anything(number: int) -> None:
    """In its place among the others of its table, so that it is looked at."""
    chance = Random(number)
    around = [one for one in LISTING if {"chain", "map"} & set(one)] + [
        {"chain": {"family": "ip", "table": "x", "name": "y"}}
    ]
    for path in chance.sample(spots(LISTING[number])[1:], min(1, len(spots(LISTING[number])) - 1)):
        broken = copy.deepcopy(LISTING[number])
        item: Any = broken
        for key in path[:-1]:
            item = item[key]
        item[path[-1]] = chance.choice(JUNK)
        swallowed({"nft": json.dumps({"nftables": [*around, broken]})})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nft: error",
        "[]",
        "{}",
        "null",
        "5",
        '{"nftables": null}',
        '{"nftables": [1, [], {}, {"rule": 5}]}',
        "[" * 9**5,
    ],
)
def test_what_is_no_listing_is_unreadable_or_empty(text: str) -> None:
    assert all(owned.empty for owned in swallowed({"nft": text}))


def test_a_listing_that_is_cut_off_is_unreadable() -> None:
    text = RECORDED["nft"]
    for end in range(1, len(text) - 3, 997):
        with pytest.raises(Unreadable, match="nft printed no JSON"):
            NFTABLES.parse({"nft": text[:end]})


def broken_text(chance: Random, text: str) -> str:
    """Cut, swap or replace words and lines."""
    lines = text.split("\n")
    number = chance.randrange(len(lines))
    words = lines[number].split(" ")
    place = chance.randrange(len(words))
    how = chance.randrange(7)
    if how == 0:
        words[place] = chance.choice(WORDS)
    elif how == 1:
        words.insert(place, chance.choice(WORDS))
    elif how == 2:
        del words[place]
    elif how == 3:
        words = words[:place]
    elif how == 4:
        chance.shuffle(words)
    elif how == 5:
        words = [lines[number][: chance.randrange(len(lines[number]) + 1)]]
    else:
        words = ["-A", chance.choice(["FORWARD", "LINUXNET-PUBLISH", "LINUXNET-FORWARD"]), *chance.choices(WORDS, k=6)]
    lines[number] = " ".join(words)
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(4))
def test_saved_tables_that_are_broken_are_read(seed: int) -> None:
    chance = Random(seed)
    listings = {program: text for program, text in RECORDED.items() if program != "nft"}
    for _try in range(20):
        output = dict(listings)
        for _spot in range(chance.choice([1, 5, 20])):
            program = chance.choice(sorted(output))
            output[program] = broken_text(chance, output[program])
        swallowed(output)
