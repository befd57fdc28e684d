# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody does by hand to rules of ours, by chance, in the rule sets of the twins; and these without what does not matter in them."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Backend, Ruleset
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_save import SavedChain
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES

Objects = list[dict[str, Any]]
MARKED = ("-m", "comment", "--comment", "linuxnet")


def damaged(backend: Backend, ruleset: Ruleset, chance: random.Random) -> Ruleset:
    """The rule set after somebody did one to three things to it."""
    ruleset = copy.deepcopy(ruleset)
    for _some in range(chance.randint(1, 3)):
        ruleset = _nft(ruleset, chance) if backend is NFTABLES else _iptables(ruleset, chance)
    return ruleset


def plain(backend: Backend, ruleset: Ruleset) -> Any:
    """A rule set without handles, counts and orders that say nothing."""
    return _plain_nft(ruleset) if backend is NFTABLES else _plain_iptables(ruleset)


def without_stops(backend: Backend, ruleset: Ruleset) -> Ruleset:
    """A rule set as a release that knew no stops wrote it."""
    if backend is NFTABLES:
        return [item for item in ruleset if "untranslated" not in json.dumps(item)]
    old = copy.deepcopy(ruleset)
    for tables in old.values():
        tables.pop("mangle", None)
    return old


# --- nft ---


def _nft(objects: Objects, chance: random.Random) -> Objects:
    def some(*kinds: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = [item[kind] for item in objects for kind in kinds if kind in item]
        return chance.choice(found) if found else {}

    rule, chain, held = some("rule"), some("chain"), some("set", "map")
    place = next((number for number, item in enumerate(objects) if item.get("rule") is rule), 0)

    def without_rules_of(name: str) -> Objects:
        return [item for item in objects if item.get("rule", {}).get("chain") != name]

    def gone() -> Objects:
        return [item for item in objects if item.get("rule") is not rule or not rule]

    def replaced() -> Objects:
        rule["expr"] = [{chance.choice(["accept", "drop", "return"]): None}]
        return objects

    def twice() -> Objects:
        again = {"rule": {**rule, "handle": 900 + chance.randrange(99)}} if rule else {"metainfo": {}}
        return [*objects, again]

    def first() -> Objects:
        return [objects[place], *objects[:place], *objects[place + 1 :]]

    def in_front() -> Objects:
        extra = {**rule, "handle": 800 + chance.randrange(99), "comment": "linuxnet-x", "expr": [{"accept": None}]}
        return [{"rule": extra}, *objects] if rule else objects

    def flushed() -> Objects:
        return without_rules_of(chain["name"])

    def no_chain() -> Objects:
        called = json.dumps({"target": chain["name"]})
        left = [
            item
            for item in without_rules_of(chain["name"])
            if called not in json.dumps(item.get("rule", {}).get("expr", ()))
        ]
        return [item for item in left if item.get("chain") is not chain]

    def declared_otherwise() -> Objects:
        if "hook" in chain:
            chain.update(chance.choice([{"policy": "drop"}, {"prio": 7}, {"hook": "input"}]))
        return objects

    def no_hook() -> Objects:
        for key in ("type", "hook", "prio", "policy"):
            chain.pop(key, None)
        return without_rules_of(chain["name"])

    def asleep() -> Objects:
        some("table").update(flags=["dormant"])
        return objects

    def emptied() -> Objects:
        if held["name"] != "localnet":  # that is a note
            held.pop("elem", None)
        return objects

    def another_type() -> Objects:
        if held["name"] != "localnet":
            held.update(type="mark", elem=[])
        return objects

    def no_set() -> Objects:
        if held["name"] == "localnet":
            return objects
        used = f'"@{held["name"]}"'
        left = [item for item in objects if used not in json.dumps(item.get("rule", {}).get("expr"))]
        return [item for item in left if held is not item.get("set") and held is not item.get("map")]

    def stranger() -> Objects:
        held = some("set")
        name = f"br{chance.randrange(9)}"
        element = {"concat": [name, name]} if held and isinstance(held["type"], list) else name
        if held and held["name"] in ("icc", "open", "internal", "loops") and element not in held.get("elem", []):
            held["elem"] = [*held.get("elem", []), element]
        return objects

    ways: list[Callable[[], Objects]] = [gone, replaced, twice, first, in_front] if rule else []
    ways += [flushed, no_chain, declared_otherwise, no_hook] if chain else []
    ways += [emptied, another_type, no_set, stranger] if held else []
    return chance.choice([*ways, asleep] if objects else [lambda: objects])()


def _plain_nft(objects: Objects) -> Any:
    chains: dict[str, list[str]] = {}
    others = []
    for item in objects:
        ((kind, one),) = item.items()
        one = {key: value for key, value in one.items() if key != "handle"}
        if kind == "rule":
            chains.setdefault(one["chain"], []).append(json.dumps(one))
        else:
            elements = sorted(map(json.dumps, one.pop("elem", [])))
            others.append(json.dumps([kind, one, elements], sort_keys=True))
    for name in ("postrouting", "untranslated"):
        chains[name] = sorted(chains.get(name, []))
    return sorted(others), {name: rules for name, rules in chains.items() if rules}


# --- iptables ---


def _iptables(saved: Any, chance: random.Random) -> Any:
    table = saved[chance.choice([4, 6])].get(chance.choice(["raw", "mangle", "nat", "filter"]), {})
    chains = [name for name in table if table[name].rules]
    if not chains:
        return saved
    name = chance.choice(chains)
    rules = list(table[name].rules)
    rule = chance.choice(rules)

    def put(new: list[tuple[str, ...]]) -> Any:
        table[name] = SavedChain(table[name].policy, tuple(new))
        return saved

    def gone() -> Any:
        return put([one for one in rules if one is not rule])

    def twice() -> Any:
        return put([*rules, rule])

    def last() -> Any:
        return put([*(one for one in rules if one is not rule), rule])

    def in_front() -> Any:
        return put([(*MARKED, "-j", "ACCEPT"), *rules]) if name.startswith("LINUXNET") else saved

    def flushed() -> Any:
        return put([])

    def edited() -> Any:
        at = rules.index(rule)
        return put([*rules[:at], (*rule[:-2], "-j", "ACCEPT"), *rules[at + 1 :]]) if "-j" in rule else saved

    return chance.choice([gone, twice, last, in_front, flushed, edited])()


def _plain_iptables(saved: Any) -> Any:
    """Rules of a chain that end alike and follow each other do the same in any order."""
    return {
        (family, table, name): sorted(chain.rules) if name.isalpha() else _grouped(chain.rules)
        for family, tables in saved.items()
        for table, chains in tables.items()
        for name, chain in chains.items()
        if chain.rules
    }


def _grouped(rules: tuple[tuple[str, ...], ...]) -> list[Any]:
    groups: list[tuple[str, list[tuple[str, ...]]]] = []
    for rule in rules:
        end = rule[-1] if rule[-2:-1] == ("-j",) and not rule[-1].startswith("LINUXNET") else ""
        if not groups or groups[-1][0] != end:
            groups.append((end, []))
        groups[-1][1].append(rule)
    return [(end, sorted(found)) for end, found in groups]
