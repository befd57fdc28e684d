# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our nftables tables as they are, compared with how they are to be: by what chains, sets and rules do, not by their names and comments. Pure.

What nft's JSON says is written as the text that it was made of, and texts are compared. Only what our own rules say is known here, in the spellings
that nft has had for it; everything else has the text ``""``, which equals nothing that we write. What is in a chain of ours and carries our mark is
ours, so whatever of it is not as it should be is set right. Rules without our mark are somebody's, and stay, at whatever place.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any, Collection, Dict, List, Mapping, Optional, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_json import (
    Objects,
    fields,
    kind,
    listed,
    table_of,
    tables,
    text_of,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_static import (
    CHAIN,
    CHAINS,
    STATIC,
    STOP_MARK,
    STOPS,
    TABLE,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import ANY_MARK, MARK, NAT
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass

# By chain, the kind that it is for, and its hook.
_CHAINS = {
    chain: (about, hook)
    for about, chains in ((NAT, CHAINS), *((about, static.chains) for about, static in STATIC.items()))
    for chain, hook in chains.items()
}
# By kind and chain, the comments and texts of its rules, in order.
_RULES = {
    about: {
        chain: [(static.mark(name), rule) for where, name, rule in static.rules if where == chain]
        for chain in static.chains
    }
    for about, static in STATIC.items()
}
_PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "srcnat": 100}  # of the family inet
_PLAIN = ("accept", "drop", "return", "masquerade")
_NAMES = ("iifname", "oifname")
_SHORT = (*_NAMES, "iif")  # nft says these without "meta"
_PROTOCOLS = {"ipv6-icmp": "58", "icmpv6": "58", "udp": "17"}  # what /etc/protocols has names for, if it is there
# How a set of what has no type of its own is declared, and what nft 1.0.6 says of it.
_VNI = "udp dport . @th,96,24"
_TYPES = {
    "iifname . @th,64,128": "ifname . integer",
    _VNI: "inet_service . integer",
    _VNI + " . ip saddr": "inet_service . integer . ipv4_addr",
    _VNI + " . ip6 saddr": "inet_service . integer . ipv6_addr",
}
_BITS = ("state", "status")  # of ct: what matches if any of the bits is set


@dataclass(frozen=True)
class Found:
    """What is in a table of ours. ``broken``: the kinds that are not as they should be, their elements aside; ``remade`` of each of them the chains, sets
    and maps ("chain NAME") that are declared otherwise than ours, in a way that nobody can change; ``handles`` the (chain, handle) of the static
    rules of a kind, and for source NAT of what carries our mark there and is none; ``unmarked`` the (chain, handle, text) of somebody's rules,
    the text ``""`` where it cannot be told, and ``called`` the chains that rules of ours call. ``dormant``: nothing of the table is in force."""

    broken: Set[str] = field(default_factory=set)
    remade: Dict[str, List[str]] = field(default_factory=dict)
    handles: Dict[str, List[Tuple[str, int]]] = field(default_factory=dict)
    unmarked: List[Tuple[str, Any, str]] = field(default_factory=list)
    called: Set[str] = field(default_factory=set)
    dormant: bool = False

    @property
    def made_by_hand(self) -> List[str]:
        """Return the chains that somebody made for rules of his, and that have nothing else in them, nor are called by ours."""
        used = {chain for handles in self.handles.values() for chain, dummy in handles} | self.called
        return [chain for chain in dict.fromkeys(one[0] for one in self.unmarked) if chain not in used.union(_CHAINS)]

    @property
    def carried(self) -> Tuple[Tuple[str, str], ...]:
        """Return the rules of somebody that are in chains which are made anew, as (chain, text)."""
        remade = {entry for entries in self.remade.values() for entry in entries}
        return tuple(
            (chain, text)
            for chain, dummy, text in self.unmarked
            if text and (self.dormant or "chain " + chain in remade)
        )


def found(objects: Objects, table: str = TABLE, awake: bool = False) -> Found:
    """Return what is in a table of ours, from the rule set in nft's JSON; ``awake``: as if it were in force."""
    kinds = [about for about, static in STATIC.items() if static.table == table]
    there = Found(dormant=not awake and _dormant(objects, table))
    _rules(objects, table, kinds, there)
    if table in tables(objects):
        _declarations(objects, table, kinds, there)
        there.broken.update(_all(table, kinds) if there.dormant else ())
    else:
        there.broken.update(kinds)
    return there


def _all(table: str, kinds: Collection[str]) -> List[str]:
    """Return the kinds that are in a table, those without static rules as well."""
    return [*([NAT] if table == TABLE else []), *kinds]


def _dormant(objects: Objects, table: str) -> bool:
    """Return whether a table has a flag; nft 1.0.6 does not say which, and this is the only one that ours could have."""
    return any(
        bool(item.get("flags"))
        for item in kind(objects, "table")
        if "%s %s" % (item.get("family"), item.get("name")) == table
    )


def _owner_of(rule: Mapping[str, Any], comment: str, kinds: Collection[str]) -> Optional[str]:
    """Return which of some kinds a rule with our mark belongs to: by its chain, else by its comment; None where nothing of ours says so."""
    about, dummy = _CHAINS.get(text_of(rule.get("chain")), ("", ""))
    if about in kinds:
        return about
    return next((one for one in kinds if one in STATIC and comment.startswith(STATIC[one].mark(""))), None)


def _rules(objects: Objects, table: str, kinds: Collection[str], there: Found) -> None:
    actual: Dict[str, Dict[str, List[Tuple[str, str]]]] = {
        about: {chain: [] for chain in STATIC[about].chains} for about in kinds
    }
    for rule in kind(objects, "rule"):
        if table_of(rule) != table:
            continue
        chain, comment, handle = text_of(rule.get("chain")), text_of(rule.get("comment")), rule.get("handle")
        about = _owner_of(rule, comment, _all(table, kinds)) if comment.startswith(ANY_MARK) else None
        if about is None or not isinstance(handle, int):
            there.unmarked.append((chain, handle, ruled(rule)))
            continue
        there.called.update(_targets(rule))
        if about != NAT:
            there.handles.setdefault(about, []).append((chain, handle))
            actual[about].setdefault(chain, []).append((comment, text(rule.get("expr"))))
        elif not comment.startswith({CHAIN: MARK, STOPS: STOP_MARK}[chain]):
            there.handles.setdefault(NAT, []).append((chain, handle))
            there.broken.add(NAT)
    there.broken.update(about for about in kinds if actual[about] != _RULES[about])


def _targets(rule: Mapping[str, Any]) -> List[str]:
    """Return the chains that a rule calls."""
    goals = [fields(part).get(way) for part in listed(rule.get("expr")) for way in ("jump", "goto")]
    return [text_of(fields(goal).get("target")) for goal in goals if goal]


def _declarations(objects: Objects, table: str, kinds: Collection[str], there: Found) -> None:
    """Compare how chains, sets and maps are declared. Those of a kind of static rules are all to be there."""
    chains = {text_of(item.get("name")): hooked(item) for item in kind(objects, "chain") if table_of(item) == table}
    for chain, (about, hook) in _CHAINS.items():
        wanted = declared(hook)
        if about not in _all(table, kinds):
            continue
        if chain not in chains:
            there.broken.update([about] if about != NAT else ())
        elif chains[chain] != wanted:
            there.broken.add(about)
            if chains[chain].partition(";")[0] != wanted.partition(";")[0]:
                there.remade.setdefault(about, []).append("chain " + chain)
    holders = {
        text_of(item.get("name")): (what, holding(item))
        for what in ("set", "map")
        for item in kind(objects, what)
        if table_of(item) == table
    }
    for about in kinds:
        for entry, type_ in STATIC[about].sets.items():
            what, dummy, name = entry.partition(" ")
            if holders.get(name) != (what, held(type_)):
                there.broken.add(about)
                if name in holders:
                    there.remade.setdefault(about, []).append("%s %s" % (holders[name][0], name))


# --- as texts ---


def text(expressions: Any) -> str:
    """Return what a rule does, ``""`` where it does something that we never write."""
    parts = [_statement(fields(part)) for part in listed(expressions)]
    return " ".join(parts) if all(parts) else ""


def hooked(item: Mapping[str, Any]) -> str:
    """Return how a chain is declared, ``""`` for one that has no hook: as `declared` does."""
    if "hook" not in item:
        return ""
    return "type %s hook %s priority %s; policy %s" % tuple(item.get(key) for key in ("type", "hook", "prio", "policy"))


def declared(hook: str) -> str:
    """Return how a chain is declared that is to have a hook (``nat hook output priority -100``), in the words of `hooked`."""
    words = hook.split()
    number = _PRIORITIES.get(words[-1], words[-1]) if words else ""
    return "type %s %s; policy accept" % (" ".join(words[:-1]), number) if hook else ""


def ruled(rule: Mapping[str, Any]) -> str:
    """Return what a rule does with its comment, ``""`` where that cannot be told."""
    known, comment = text(rule.get("expr")), text_of(rule.get("comment"))
    return '%s comment "%s"' % (known, comment) if known and comment else known


def holding(item: Mapping[str, Any]) -> str:
    """Return how a set or a map is declared, as our own are: ``type ifname``."""
    found = "type %s" % _type(item.get("type"))
    found += " : %s" % _type(item["map"]) if "map" in item else ""
    flags = item.get("flags")
    found += "".join("; flags %s" % flag for flag in ([flags] if isinstance(flags, str) else listed(flags)))
    return found + "".join("; %s" % name for name in ("timeout", "size", "gc-interval", "auto-merge") if name in item)


def held(declared: str) -> str:
    """Return how a set or a map is declared, in the words of `holding`."""
    what, dummy, rest = declared.partition("; ")
    type_ = _TYPES.get(what[len("typeof ") :].replace("meta ", "", 1)) if what.startswith("typeof ") else None
    return "type %s%s" % (type_, "; " + rest if rest else "") if type_ else declared


def _type(value: Any) -> str:
    """Return the type of keys or values; that of a map's values is one text before nft 1.0.8, and newer ones say of what it is if it was declared so."""
    if "typeof" in fields(value):
        return _TYPES.get(_looked_at(value["typeof"]), "?")
    return " . ".join(map(text_of, listed(value))) or text_of(value)


def _statement(part: Mapping[str, Any]) -> str:
    if len(part) != 1:
        return ""
    ((name, value),) = part.items()
    if name in _PLAIN:
        return name if value is None else ""
    if name == "counter":
        return name if value is None or set(fields(value)) == {"packets", "bytes"} else ""
    if name in ("jump", "goto"):
        return "%s %s" % (name, text_of(fields(value).get("target")))
    inner = fields(value)
    if name == "match":
        return _match(inner)
    if name == "vmap" and set(inner) == {"key", "data"}:
        key, goals = _looked_at(inner["key"]), _verdicts(inner["data"])
        return "%s vmap { %s }" % (key, goals) if key and goals else ""
    if name == "dnat" and set(inner) == {"family", "addr"}:
        goal = _looked_up(inner["addr"])
        return "dnat %s to %s" % (inner["family"], goal) if goal else ""
    if name == "mangle" and set(inner) == {"key", "value"}:
        key, goal = _looked_at(inner["key"]), _looked_up(inner["value"])
        return "%s set %s" % (key, goal) if key and goal else ""
    return ""


def _match(match: Mapping[str, Any]) -> str:
    left = _looked_at(match.get("left"))
    names = left in _NAMES
    bits = left in ["ct " + name for name in _BITS]
    right = _value(match.get("right"), names)
    right = _PROTOCOLS.get(right, right) if left == "meta l4proto" else right
    operators = {"in" if bits else "==": "== " if " & " in left else "", "!=": "!= "}
    operator = text_of(match.get("op"))
    if not left or not right or operator not in operators:
        return ""
    return "%s %s%s" % (left, operators[operator], right)


def _looked_up(value: Any) -> str:
    """Return what a part of a packet is set to: what a map says, another part, or itself with a bit more."""
    if set(fields(value)) == {"|"}:
        parts = listed(fields(value)["|"])
        key, bit = (_looked_at(parts[0]), parts[1]) if len(parts) == 2 else ("", 0)
        return "%s | %d" % (key, bit) if key and isinstance(bit, int) else ""
    if set(fields(value)) == {"ct"}:
        return _looked_at(value)
    inner = fields(fields(value).get("map"))
    key = _looked_at(inner.get("key"))
    return "%s map %s" % (key, text_of(inner.get("data"))) if set(inner) == {"key", "data"} and key else ""


def _verdicts(value: Any) -> str:
    """Return the entries of a map of verdicts, ``""`` where it has others than we write."""
    entries = [listed(entry) for entry in listed(fields(value).get("set"))]
    parts = [(text_of(entry[0]), _statement(fields(entry[1]))) if len(entry) == 2 else ("", "") for entry in entries]
    return ", ".join("%s : %s" % part for part in parts) if all(key and goal for key, goal in parts) else ""


def _looked_at(value: Any) -> str:
    """Return what of a packet an expression looks at."""
    if len(fields(value)) != 1:
        return ""
    ((name, inner),) = fields(value).items()
    if name == "concat":
        parts = [_looked_at(part) for part in listed(inner)]
        return " . ".join(parts) if all(parts) else ""
    if name == "&":
        masked = [_looked_at(part) if number == 0 else _bits(part) for number, part in enumerate(listed(inner))]
        return "%s & %s" % tuple(masked) if len(masked) == 2 and all(masked) else ""
    known = fields(inner)
    if name == "payload" and set(known) == {"base", "offset", "len"}:
        return "@%s,%s,%s" % (known["base"], known["offset"], known["len"])
    if name == "exthdr" and set(known) == {"name", "field"}:
        return "%s %s" % (known["name"], known["field"])
    if name == "payload" and set(known) == {"protocol", "field"}:
        return "%s %s" % (known["protocol"], known["field"])
    if name == "meta" and set(known) == {"key"}:
        return str(known["key"]) if known["key"] in _SHORT else "meta %s" % known["key"]
    if name == "ct" and set(known) == {"key"}:
        return "ct %s" % known["key"]
    if name == "fib" and set(known) == {"result", "flags"}:
        flags = known["flags"]
        return "fib %s %s" % (flags if isinstance(flags, str) else " . ".join(map(str, listed(flags))), known["result"])
    return ""


def _bits(value: Any) -> str:
    """Return what of a value is looked at: a number, or an address."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else text_of(value)


def _value(value: Any, name: bool) -> str:
    """Return what is compared with; ``name``: it is the name of an interface."""
    if isinstance(value, list):
        return ",".join(text_of(one) for one in value)
    inner = fields(value)
    if set(inner) == {"set"}:
        parts = [_value(one, name) for one in (inner["set"] if isinstance(inner["set"], list) else [inner["set"]])]
        return "{ %s }" % ", ".join(parts) if all(parts) else ""
    if set(inner) == {"prefix"}:
        network = fields(inner["prefix"])
        return "%s/%s" % (network.get("addr"), network.get("len"))
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        return '"%s"' % value if name and not str(value).startswith("@") else str(value)
    return ""
