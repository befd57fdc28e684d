# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nft's JSON: its objects, what a rule in it means, and the chains of others in it. Pure.

Nothing in it is taken for granted: nft has more expressions than are known here, and each version spells some of them anew. Where an object
has another shape than the one that is looked for, it counts as empty.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Chains, Unreadable
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import Chain, Matches, Rule, put

Objects = Sequence[Mapping[str, Any]]
_FAMILIES = {"ip": (4,), "ip6": (6,), "inet": (4, 6)}
_VERDICTS = ("accept", "drop", "reject", "return", "masquerade", "dnat")
_NO_MATCH = {*_VERDICTS, "counter", "snat", "jump", "goto", "xt", "comment", "vmap", "log"}


def objects_of(text: str) -> List[Mapping[str, Any]]:
    """Return the objects of a listing. Raises `Unreadable`."""
    try:
        objects = json.loads(text)["nftables"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise Unreadable("nft printed no JSON of a rule set") from error
    return [item for item in listed(objects) if isinstance(item, dict) and "metainfo" not in item]


# --- shapes ---


def fields(value: Any) -> Mapping[str, Any]:
    """Return an object of JSON, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> Sequence[Any]:
    """Return an array of JSON, an empty one for anything else."""
    return value if isinstance(value, list) else ()


def text_of(value: Any) -> str:
    """Return a string of JSON, an empty one for anything else."""
    return value if isinstance(value, str) else ""


def pairs(value: Any) -> List[Tuple[Any, Any]]:
    """Return the elements of a map as (key, value)."""
    return [(pair[0], pair[1]) for pair in map(listed, listed(value)) if len(pair) == 2]


def element(value: Any) -> Any:
    """Return an element without its comment and counter."""
    inner = fields(fields(value).get("elem"))
    return inner.get("val", value)


def comment_of(value: Any) -> str:
    """Return the comment of an element, ``""`` where it has none."""
    return text_of(fields(fields(value).get("elem")).get("comment"))


def kind(objects: Objects, name: str) -> Iterator[Mapping[str, Any]]:
    """Yield what is in the objects of one kind: ``table``, ``chain``, ``rule``, ``map`` or ``set``."""
    for item in objects:
        if isinstance(item.get(name), dict):
            yield item[name]


def table_of(item: Mapping[str, Any]) -> str:
    """Return the table that an object is in, such as ``ip filter``."""
    return "%s %s" % (item.get("family"), item.get("table"))


def tables(objects: Objects) -> List[str]:
    """Return the names of all tables, such as ``ip filter``."""
    return ["%s %s" % (table.get("family"), table.get("name")) for table in kind(objects, "table")]


# --- rules ---


def _looked_at(left: Any) -> str:
    """Return a name for what an expression looks at."""
    expression = fields(left)
    if "payload" in expression:
        return text_of(fields(expression["payload"]).get("field")) or "?"
    if "meta" in expression:
        return text_of(fields(expression["meta"]).get("key")) or "?"
    if "ct" in expression:
        return "ct " + text_of(fields(expression["ct"]).get("key"))
    return str(left)


def _masked(left: Any) -> Tuple[Any, Any]:
    """Return what an expression looks at and the mask that it puts on, None where it puts none."""
    parts = listed(fields(left).get("&"))
    return (parts[0], parts[1]) if len(parts) == 2 else (left, None)


def matches_of(expressions: Any) -> Matches:
    """Return what a rule matches: ``saddr``, ``daddr``, ``oifname``, ``iifname``, ``ct state`` … to (operator, value)."""
    found: Matches = {}
    for part in listed(expressions):
        match = fields(fields(part).get("match"))
        operator = text_of(match.get("op"))
        if operator and "left" in match and "right" in match:
            left, right = match["left"], match["right"]
            inner, mask = _masked(left)
            if _looked_at(inner) == "mark":
                put(found, "mark", operator, (right, 0xFFFFFFFF if mask is None else mask))
                continue
            put(found, _looked_at(left), operator, right)
            payload = fields(fields(left).get("payload"))
            if payload.get("field") in ("dport", "sport") and payload.get("protocol") != "th":  # th: of any
                found.setdefault("l4proto", ("==", payload.get("protocol")))
            continue
        if _is_hidden(fields(part)) or not set(fields(part)) & _NO_MATCH:
            found[str(part)] = ("?", part)
    return found


def _is_hidden(part: Mapping[str, Any]) -> bool:
    """Return whether an expression is a match of iptables' own, of which nft tells no more than the name."""
    xt = fields(part.get("xt"))
    return "xt" in part and xt.get("type") != "target" and xt.get("name") != "comment"


def _verdict(part: Any) -> Tuple[str, str]:
    """Return a verdict and its target."""
    parts = fields(part)
    for name in ("jump", "goto"):
        if name in parts:
            return name, text_of(fields(parts[name]).get("target"))
    if "dnat" in parts:
        to = fields(parts["dnat"])
        return "dnat", "%s%s" % (to.get("addr", "?"), ":%s" % to["port"] if "port" in to else "")
    if "xt" in parts and not _is_hidden(parts):  # nft does not tell what a target of iptables' own does
        name = text_of(fields(parts["xt"]).get("name"))
        return (name.lower() if name in ("MASQUERADE", "DNAT") else ""), "?"
    if parts.get("masquerade"):
        return "", ""  # with flags, it is something else
    return next((name for name in _VERDICTS if name in parts), ""), ""


def _rule(rule: Mapping[str, Any], maps: Mapping[Tuple[str, str], Any]) -> Rule:
    expressions = listed(rule.get("expr"))
    last = expressions[-1] if expressions else {}
    verdict, target = _verdict(last)
    lookup: Tuple[str, Mapping[str, Tuple[str, str]]] = ("", {})
    if "vmap" in fields(last):
        vmap = fields(last["vmap"])
        data = vmap.get("data")
        named = maps.get((table_of(rule), data.lstrip("@"))) if isinstance(data, str) else fields(data).get("set")
        verdicts = {text_of(element(key)): _verdict(value) for key, value in pairs(named)}
        lookup = (_looked_at(vmap.get("key")), {key: verdict for key, verdict in verdicts.items() if key})
    return Rule(matches_of(expressions), verdict, target, "handle %s" % rule.get("handle", "?"), lookup)


def chains_of(objects: Objects, ours: str, calls: str) -> Chains:
    """Return the chains by table and name, without ours: those in the table ``ours``, and those whose names begin with ``calls``, in the
    tables of iptables-nft. A rule that calls one of the latter is one that is never met: it keeps its place, so that rules can be counted."""
    dormant = {
        "%s %s" % (table.get("family"), table.get("name"))
        for table in kind(objects, "table")
        if "dormant" in (listed(table.get("flags")) or [table.get("flags")])
    }
    maps = {(table_of(item), text_of(item.get("name"))): item.get("elem") for item in kind(objects, "map")}
    rules: Dict[Tuple[str, str], List[Rule]] = {}
    for item in kind(objects, "rule"):
        rule = _rule(item, maps)
        if rule.target.startswith(calls):
            rule = Rule({"ours": ("?", "")}, shown=rule.shown)
        rules.setdefault((table_of(item), text_of(item.get("chain"))), []).append(rule)
    found: Chains = {}
    for item in kind(objects, "chain"):
        table, name = table_of(item), text_of(item.get("name"))
        families = _FAMILIES.get(text_of(item.get("family")), ())
        if families and name and not name.startswith(calls) and table != ours and table not in dormant:
            known = Chain(
                table,
                name,
                families,
                text_of(item.get("type")),
                text_of(item.get("hook")),
                text_of(item.get("policy")) or "accept",
            )
            found[table, name] = replace(known, rules=tuple(rules.get((table, name), ())))
    return found
