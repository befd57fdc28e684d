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

TYPES = {"meta iifname": "ifname", "udp dport": "inet_service", "ip saddr": "ipv4_addr", "ip6 saddr": "ipv6_addr"}
TOKEN = re.compile(r'"[^"]*"|@\w+,\d+,\d+|[{},;]|[^\s"{},;]+')


PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "srcnat": 100}


def _nft(ruleset: Objects, text: str) -> Objects:
    objects = copy.deepcopy(list(ruleset))
    handles = itertools.count(1 + max((_handle(item) for item in objects), default=0))
    woken: set[str] = set()  # tables
    chained: set[str] = set()
    for line in filter(None, text.split("\n")):
        tokens = TOKEN.findall(line)
        verb, kind, family, table, *rest = tokens
        where = {"family": family, "table": table}
        if kind == "table":
            woken |= (
                {f"{family} {table}"} if _table(objects, verb, {"family": family, "name": table}, handles) else set()
            )
        elif kind == "element":
            _elements(objects, verb, {**where, "name": rest[0]}, rest[2:-1])
        elif kind == "rule":
            _rule(objects, verb, {**where, "chain": rest[0]}, rest[1:], handles)
        elif verb == "flush":
            objects[:] = [item for item in objects if not _holds(item, "rule", {**where, "chain": rest[0]})]
        else:
            _object(objects, verb, kind, {**where, "name": rest[0]}, rest[2:-1], handles)
        chained |= {f"{family} {table}"} if kind == "chain" else set()
        if woken & chained:
            raise Refusal(f"{line}: no chain changes where the table is put in force")
    return objects


def _handle(item: dict[str, Any]) -> int:
    return max((inner.get("handle", 0) for inner in item.values()), default=0)


def _holds(item: dict[str, Any], kind: str, known: Mapping[str, Any]) -> bool:
    return kind in item and {**item[kind], **known} == item[kind]


def _table(objects: Objects, verb: str, known: dict[str, Any], handles: Iterator[int]) -> bool:
    """Make or delete a table; whether one that was dormant is in force now."""
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
        return False
    return bool(there and there[0]["table"].pop("flags", None))


def _object(
    objects: Objects, verb: str, kind: str, known: dict[str, Any], words: list[str], handles: Iterator[int]
) -> None:
    """Make or delete a chain, set or map."""
    there = [item for item in objects if _holds(item, kind, known)]
    declared = (_hook if kind == "chain" else _type)(words)
    if verb == "add" and not there:
        if not any(_holds(item, "table", {"family": known["family"], "name": known["table"]}) for item in objects):
            raise Refusal(f"there is no table for {known}")
        if kind != "chain" and any(_holds(item, other, known) for other in ("set", "map") for item in objects):
            raise Refusal(f"there is something else of that name: {known}")
        objects.append({kind: {**known, "handle": next(handles), **declared}})
    elif verb == "add":
        policy = declared.pop("policy", None)
        if {**there[0][kind], **declared} != there[0][kind] or (
            declared and "hook" not in declared and kind == "chain"
        ):
            raise Refusal(f"{kind} {known} is declared otherwise")
        if policy:
            there[0][kind]["policy"] = policy
    if verb == "delete":
        if not there or _used(objects, kind, known["name"]):
            raise Refusal(f"{kind} {known} is not there, or in use")
        objects.remove(there[0])


def _used(objects: Objects, kind: str, name: str) -> bool:
    """Whether a chain has rules or is called, or a set or a map is looked into."""
    rules = [item["rule"] for item in objects if "rule" in item]
    if kind == "chain":
        return any(rule["chain"] == name or f'{{"target": "{name}"}}' in json.dumps(rule["expr"]) for rule in rules)
    return any(f'"@{name}"' in json.dumps(rule["expr"]) for rule in rules)


def _hook(words: list[str]) -> dict[str, Any]:
    """What follows the name of a chain: ``type TYPE hook HOOK priority PRIORITY ; policy POLICY ;``."""
    if not words:
        return {}
    known: dict[str, str] = {}
    for part in " ".join(words).split(";"):
        pairs = part.split()
        known.update(zip(pairs[::2], pairs[1::2], strict=True))
    prio = known["priority"]
    number = PRIORITIES[prio] if prio in PRIORITIES else int(prio)
    return {"type": known["type"], "hook": known["hook"], "prio": number, "policy": known["policy"]}


def _type(words: list[str]) -> dict[str, Any]:
    """What follows the name of a set or a map: ``type TYPE : TYPE ; flags FLAG ;``."""
    found: dict[str, Any] = {}
    for part in " ".join(words).split(";"):
        name, _space, value = part.strip().partition(" ")
        if name == "typeof":  # as nft 1.0.6 says it
            found["type"] = [TYPES.get(key, "integer") for key in value.split(" . ")]
        elif name == "type":
            key, _colon, data = value.partition(" : ")
            found["type"] = key.split(" . ") if " . " in key else key
            found.update({"map": data.strip()} if data else {})  # one text, as before nft 1.0.8
        elif name:
            found[name] = value.split(",")
    return found


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
    rule = {**where, "handle": next(handles)}
    if "comment" in words:
        rule["comment"] = words[words.index("comment") + 1].strip('"')
        words = words[: words.index("comment")]
    rule["expr"] = _expressions(words)
    for name in re.findall(r'"@(\w+)"', json.dumps(rule["expr"])):
        if not any(_holds(item, kind, {**chain, "name": name}) for kind in ("set", "map") for item in objects):
            raise Refusal(f"there is no set {name}")
    objects.insert(place + 1 if at else len(objects), {"rule": rule})


LOOKED_AT = {
    *("iifname", "oifname", "iif", "meta", "ct", "ip", "ip6", "th", "fib"),
    *("ether", "arp", "icmpv6", "frag", "udp", "@th,64,128"),
}
STATEMENTS = {"accept", "drop", "return", "masquerade"}


def _expressions(words: list[str]) -> list[dict[str, Any]]:
    """What a rule says, of what our own do."""
    found: list[dict[str, Any]] = []
    left = list(words)
    while left:
        if left[0] in LOOKED_AT:
            found.append(_matched(left))
            continue
        word = left.pop(0)
        if word in STATEMENTS:
            found.append({word: None})
        elif word == "counter":
            found.append({word: {"packets": 0, "bytes": 0}})
        elif word in ("jump", "goto"):
            found.append({word: {"target": left.pop(0)}})
        elif word in ("dnat", "snat"):
            family, _to = left.pop(0), left.pop(0)
            found.append({word: {"family": family, "addr": _goal(left)}})
        else:
            raise Refusal(f"{word} of {words} is not known")
    return found


def _goal(left: list[str]) -> Any:
    if left[0] not in LOOKED_AT:
        return left.pop(0)
    key = _looked_at(left)
    if not left:
        return key
    how = left.pop(0)
    if how == "|":
        return {"|": [key, int(left.pop(0))]}
    assert how == "map"
    return {"map": {"key": key, "data": left.pop(0)}}


def _looked_at(left: list[str]) -> Any:
    parts: list[dict[str, Any]] = []
    while True:
        word = left.pop(0)
        if word in ("iifname", "oifname", "iif"):
            parts.append({"meta": {"key": word}})
        elif word in ("meta", "ct"):
            parts.append({word: {"key": left.pop(0)}})
        elif word == "fib":
            flags = [left.pop(0)]
            while left[0] == ".":
                flags.append(left.pop(1))
                del left[0]
            parts.append({"fib": {"flags": flags, "result": left.pop(0)}})
        elif word == "frag":
            parts.append({"exthdr": {"name": word, "field": left.pop(0)}})
        elif word.startswith("@"):
            base, offset, length = word[1:].split(",")
            parts.append({"payload": {"base": base, "offset": int(offset), "len": int(length)}})
        else:
            field = left.pop(0)
            field += f" {left.pop(0)}" if word == "arp" and field == "saddr" else ""
            parts.append({"payload": {"protocol": word, "field": field}})
        if left[:1] != ["."]:
            return parts[0] if len(parts) == 1 else {"concat": parts}
        left.pop(0)


def _matched(left: list[str]) -> dict[str, Any]:
    looked_at = _looked_at(left)
    if left[0] == "set":
        left.pop(0)
        return {"mangle": {"key": looked_at, "value": _goal(left)}}
    if left[0] == "vmap":
        return {"vmap": {"key": looked_at, "data": {"set": _verdicts(left)}}}
    if left[0] == "&":
        looked_at = {"&": [looked_at, _atom(left.pop(1))]}
        del left[:2]  # & and ==
    operator = left.pop(0) if left[0] == "!=" else "=="
    bits = looked_at in ({"ct": {"key": "state"}}, {"ct": {"key": "status"}})
    values = [left.pop(0)]
    if values[0] == "{":
        while values[-1] != "}":
            values.append(left.pop(0))
        right: Any = {"set": [_atom(one) for one in values[1:-1] if one != ","]}
    else:
        while left[:1] == [","]:
            values += [left.pop(0), left.pop(0)][1:]
        right = [_atom(one) for one in values] if len(values) > 1 else _atom(values[0])
    return {"match": {"op": "in" if bits and operator == "==" else operator, "left": looked_at, "right": right}}


def _verdicts(left: list[str]) -> list[Any]:
    """What stands in ``vmap { KEY : goto CHAIN, ... }``."""
    words = left[2 : left.index("}")]
    del left[: left.index("}") + 1]
    entries = (words[place : place + 4] for place in range(0, len(words), 5))
    return [[key, {verb: {"target": chain}}] for key, _colon, verb, chain in entries]


# --- iptables-restore ---


def _restored(backend: Backend, ruleset: Ruleset, texts: Texts) -> Ruleset:
    assert isinstance(backend, Iptables)
    return {family: _tables(tables, texts.get(backend.programs[family], "")) for family, tables in ruleset.items()}


def _tables(tables: iptables_save.Tables, text: str) -> iptables_save.Tables:
    chains = {table: {name: list(chain.rules) for name, chain in found.items()} for table, found in tables.items()}
    policies = {(table, name): chain.policy for table, found in tables.items() for name, chain in found.items()}
    table: dict[str, list[tuple[str, ...]]] = {}
    for line in filter(None, text.split("\n")):
        if line.startswith("*"):
            if line[1:] in iptables_save.closed(tables):
                raise Refusal(f"table {line[1:]} is incompatible")
            table = chains.setdefault(line[1:], {})
        elif line != "COMMIT":
            _line(table, tuple(restored_words(line)))
    after = iptables_save.Saved(
        (
            where,
            {
                name: SavedChain(
                    policies.get((where, name), "-" if name.startswith("LINUXNET") else "ACCEPT"), tuple(rules)
                )
                for name, rules in found.items()
            },
        )
        for where, found in chains.items()
    )
    after.closed = iptables_save.closed(tables)
    return after


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
            (table[name] if name.startswith("LINUXNET") else table.setdefault(name, [])).append(rule)
        elif verb == "-I" and rest[0].isdecimal():
            if not 1 <= int(rest[0]) <= len(table[name]) + 1:
                raise Refusal(f"{words}: index of insertion too big")
            table[name].insert(int(rest[0]) - 1, rule[1:])
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

    def version(self) -> str:
        return "v1.8.9"

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
