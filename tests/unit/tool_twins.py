# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What nft and iptables-restore do to a rule set, for the lines that the backends write: without root, and without a program.

They are strict where the tools are: what is there already is not made, and what is not there is not taken away. That the real tools do
the same is shown by the module tests of nat.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends import iptables_save
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Backend, Ruleset, Texts
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import Iptables
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_save import SavedChain
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs.run import ProgramError

Objects = list[dict[str, Any]]


class Refusal(Exception):
    """What a tool refuses."""


def written(backend: Backend, ruleset: Ruleset, texts: Texts) -> Ruleset:
    """The rule set after a tool was given texts. Raises `Refusal`, and then nothing is changed."""
    return _nft(ruleset, texts["nft"]) if backend is NFTABLES else _restored(backend, ruleset, texts)


# --- nft ---

TOKEN = re.compile(r'"[^"]*"|[{},;]|[^\s"{},;]+')


def _nft(ruleset: Objects, text: str) -> Objects:
    objects = copy.deepcopy(list(ruleset))
    handles = itertools.count(1 + max((_handle(item) for item in objects), default=0))
    for line in text.splitlines():
        tokens = TOKEN.findall(line)
        verb, kind, family, table, *rest = tokens
        where = {"family": family, "table": table}
        if kind == "table":
            _table(objects, verb, {"family": family, "name": table}, handles)
        elif kind == "element":
            _elements(objects, verb, {**where, "name": rest[0]}, rest[2:-1])
        elif kind == "rule":
            _rule(objects, verb, {**where, "chain": rest[0]}, rest[1:], handles)
        elif verb == "flush":
            objects[:] = [item for item in objects if not _holds(item, "rule", {**where, "chain": rest[0]})]
        else:
            _object(objects, verb, kind, {**where, "name": rest[0]}, handles)
    return objects


def _handle(item: dict[str, Any]) -> int:
    return max((inner.get("handle", 0) for inner in item.values()), default=0)


def _holds(item: dict[str, Any], kind: str, known: Mapping[str, Any]) -> bool:
    return kind in item and {**item[kind], **known} == item[kind]


def _table(objects: Objects, verb: str, known: dict[str, Any], handles: Iterator[int]) -> None:
    there = [item for item in objects if _holds(item, "table", known)]
    if verb == "add" and not there:
        objects.append({"table": {**known, "handle": next(handles)}})
    if verb == "delete":
        if not there:
            raise Refusal(f"there is no table {known}")
        inside = {"family": known["family"], "table": known["name"]}
        objects[:] = [
            item for item in objects if item not in there and not any(_holds(item, kind, inside) for kind in item)
        ]


def _object(objects: Objects, verb: str, kind: str, known: dict[str, Any], handles: Iterator[int]) -> None:
    there = [item for item in objects if _holds(item, kind, known)]
    if verb == "add" and not there:
        if not any(_holds(item, "table", {"family": known["family"], "name": known["table"]}) for item in objects):
            raise Refusal(f"there is no table for {known}")
        objects.append({kind: {**known, "handle": next(handles)}})
    if verb == "delete":
        used = [item for item in objects if kind == "chain" and item.get("rule", {}).get("chain") == known["name"]]
        if not there or used:
            raise Refusal(f"{kind} {known} is not there, or in use")
        objects.remove(there[0])


def _elements(objects: Objects, verb: str, known: dict[str, Any], tokens: list[str]) -> None:
    there = [item[kind] for kind in ("map", "set") for item in objects if _holds(item, kind, known)]
    if not there:
        raise Refusal(f"there is no {known}")
    found = {repr(_bare(one)): one for one in there[0].get("elem", [])}
    for is_comma, group in itertools.groupby(tokens, lambda token: token == ","):
        if is_comma:
            continue
        words = list(group)
        key, value = (words[: words.index(":")], words[words.index(":") + 1 :]) if ":" in words else (words, [])
        comment = key[key.index("comment") + 1].strip('"') if "comment" in key else ""
        bare = _value(key[: key.index("comment")] if comment else key)
        old = found.pop(repr(bare), None)
        new: Any = {"elem": {"val": bare, "comment": comment}} if comment else bare
        new = [new, _value(value)] if value else new
        if verb == "delete" and old is None:
            raise Refusal(f"there is no element {words}")
        if verb == "add" and old not in (None, new):
            raise Refusal(f"there is an element {words}")
        if verb == "add":
            found[repr(bare)] = new
    there[0]["elem"] = list(found.values())


def _bare(one: Any) -> Any:
    key = one[0] if isinstance(one, list) else one
    return key["elem"]["val"] if isinstance(key, dict) and "elem" in key else key


def _value(words: list[str]) -> Any:
    atoms = [_atom(word) for word in words if word != "."]
    return {"concat": atoms} if len(atoms) > 1 else atoms[0]


def _atom(word: str) -> Any:
    if word.startswith('"'):
        return word.strip('"')
    if re.fullmatch(r"\d+|0x[0-9a-f]+", word):
        return int(word, 0)
    if re.fullmatch(r"\d+-\d+", word):
        return {"range": [int(end) for end in word.split("-")]}
    if re.fullmatch(r"0x[0-9a-f]+-0x[0-9a-f]+", word):
        return {"range": word.split("-")}
    address, slash, length = word.partition("/")
    if not slash or length == ("128" if ":" in address else "32"):
        return address
    return {"prefix": {"addr": address, "len": int(length)}}


def _rule(objects: Objects, verb: str, where: dict[str, Any], words: list[str], handles: Iterator[int]) -> None:
    chain = {"family": where["family"], "table": where["table"], "name": where["chain"]}
    if not any(_holds(item, "chain", chain) for item in objects):
        raise Refusal(f"there is no chain {where}")
    at = int(words[1]) if words[0] == "handle" else 0
    place = next((n for n, item in enumerate(objects) if _holds(item, "rule", {**where, "handle": at})), -1)
    if at and place < 0:
        raise Refusal(f"there is no rule {where} with handle {at}")
    if verb == "delete":
        del objects[place]
        return
    words = words[2:] if at else words
    comment = words[words.index("comment") + 1].strip('"')
    words = words[: words.index("comment")]
    rule = {**where, "handle": next(handles), "comment": comment, "expr": _expressions(words)}
    objects.insert(place + 1 if at else len(objects), {"rule": rule})


def _expressions(words: list[str]) -> list[dict[str, Any]]:
    """What a rule of source NAT says; that of a static rule is not told apart."""
    if not {"masquerade", "snat"} & set(words) or words[1] != "saddr":
        return []
    ip = words[0]

    def match(left: dict[str, Any], operator: str, right: Any) -> dict[str, Any]:
        return {"match": {"op": operator, "left": left, "right": right}}

    found = [match({"payload": {"protocol": ip, "field": "saddr"}}, "==", _atom(words[2]))]
    if "oifname" in words:
        name = words[words.index("oifname") + 1]
        other = name == "!="
        name = words[words.index("oifname") + 2] if other else name
        found.append(match({"meta": {"key": "oifname"}}, "!=" if other else "==", name.strip('"')))
    networks = [_atom(word) for word in words[words.index("{") + 1 : words.index("}")] if word != ","]
    found.append(match({"payload": {"protocol": ip, "field": "daddr"}}, "!=", {"set": networks}))
    found.append({"masquerade": None} if words[-1] == "masquerade" else {"snat": {"family": ip, "addr": words[-1]}})
    return found


# --- iptables-restore ---


def _restored(backend: Backend, ruleset: Ruleset, texts: Texts) -> Ruleset:
    assert isinstance(backend, Iptables)
    return {family: _tables(tables, texts.get(backend.programs[family], "")) for family, tables in ruleset.items()}


def _tables(tables: iptables_save.Tables, text: str) -> iptables_save.Tables:
    chains = {table: {name: list(chain.rules) for name, chain in found.items()} for table, found in tables.items()}
    policies = {(table, name): chain.policy for table, found in tables.items() for name, chain in found.items()}
    table: dict[str, list[tuple[str, ...]]] = {}
    for line in text.splitlines():
        if line.startswith("*"):
            table = chains.setdefault(line[1:], {})
        elif line != "COMMIT":
            _line(table, tuple(restored_words(line)))
    return {
        where: {
            name: SavedChain(
                policies.get((where, name), "-" if name.startswith("LINUXNET") else "ACCEPT"), tuple(rules)
            )
            for name, rules in found.items()
        }
        for where, found in chains.items()
    }


def restored_words(line: str) -> list[str]:
    """The words of a line as add_param_to_argv() of iptables takes it apart."""
    words, word, quoted, escaped, begun = [], "", False, False, False
    for char in line + " ":
        if quoted and escaped:
            word, escaped = word + char, False
        elif quoted and char == "\\":
            escaped = True
        elif char == '"':
            quoted, begun = not quoted, True
        elif quoted or char not in " \t":
            word += char
        elif word or begun:
            words.append(word)
            word, begun = "", False
    return words


def _line(table: dict[str, list[tuple[str, ...]]], words: tuple[str, ...]) -> None:
    verb, name, *rest = words
    rule = tuple(rest)
    try:
        if verb == "-N":
            if name in table:
                raise Refusal(f"chain {name} is there")
            table[name] = []
        elif verb == "-A":
            table[name].append(rule)
        elif verb == "-I":
            table.setdefault(name, []).insert(0, rule)
        elif verb == "-D":
            table[name].remove(rule)
        elif verb == "-F":
            table[name].clear()
        else:
            called = [one for rules in table.values() for one in rules if iptables_save.target(one) == name]
            if verb != "-X" or table[name] or called:
                raise Refusal(f"{words} cannot be done")
            del table[name]
    except (KeyError, ValueError) as error:
        raise Refusal(f"{words}: {error}") from error


# --- commands ---


def typed(backend: Backend, ruleset: Ruleset, commands: list[tuple[str, Any]]) -> Ruleset:
    """The rule set after a person typed commands, one after the other."""
    for program, words in commands:
        if backend is NFTABLES:
            ruleset = written(backend, ruleset, {program: words[0] + "\n"})
        else:
            option, table, *rule = words
            assert option == "-t"
            ruleset = written(backend, ruleset, {program: f"*{table}\n{iptables_save.spelled(rule)}\nCOMMIT\n"})
    return ruleset


# --- programs ---


def printed(backend: Backend, ruleset: Ruleset) -> dict[str, str]:
    """What the tool prints of a rule set."""
    if backend is NFTABLES:
        return {"nft": json.dumps({"nftables": [{"metainfo": {"version": "1.0.6"}}, *ruleset]})}
    assert isinstance(backend, Iptables)
    return {backend.programs[family]: "".join(_saved(tables)) for family, tables in ruleset.items()}


def _saved(tables: iptables_save.Tables) -> Iterator[str]:
    for table, chains in tables.items():
        yield f"# Generated by iptables-save\n*{table}\n"
        yield from (f":{name} {chain.policy} [0:0]\n" for name, chain in chains.items())
        for name, chain in chains.items():
            for rule in chain.rules:
                words = [_as_saved(word, before) for before, word in zip(("", *rule), rule, strict=False)]
                yield " ".join(["-A", name, *words]) + "\n"
        yield "COMMIT\n"


def _as_saved(word: str, before: str) -> str:
    """A word as xtables_save_string() prints it, which is asked for texts, not for names."""
    if before != "--comment" or re.fullmatch(r"[A-Za-z0-9_-]+", word):
        return word
    return '"' + re.sub(r"([\"\\'])", r"\\\1", word) + '"'


class TwinPrograms:
    """The programs of a backend, over a rule set in memory. ``refused``: program, or program and table, that is refused from now on."""

    usual = True

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.ruleset = backend.nothing()
        self.refused: set[str] = set()
        self.here = True
        self.reads = self.writes = 0

    def available(self) -> bool:
        return self.here

    def read(self) -> dict[str, str]:
        self.reads += 1
        return printed(self.backend, self.ruleset)

    def write(self, texts: Texts) -> None:
        """Each table of iptables is a transaction of its own."""
        for program, text in texts.items():
            for part in [text] if program == "nft" else re.findall(r"\*.*?\nCOMMIT\n", text, re.DOTALL):
                if {program, f"{program} {part[1:].split()[0]}"} & self.refused:
                    raise ProgramError("Operation not permitted")
                try:
                    self.ruleset = written(self.backend, self.ruleset, {program: part})
                except Refusal as error:
                    raise ProgramError(str(error)) from error
                self.writes += 1
