# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nft's JSON: its objects, and what a rule of ours in it matches. Pure.

Nothing in it is taken for granted: nft has more expressions than are known here, and each version spells some of them anew. Where an object
has another shape than the one that is looked for, it counts as empty.
"""

from __future__ import annotations

import json
import re
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Unreadable

Objects = Sequence[Mapping[str, Any]]
Matches = Dict[str, Tuple[str, Any]]  # what is looked at to (operator as in nft, value as in nft's JSON)
_BARE = re.compile(
    r"[0-9a-f.:]+$|tcp$|udp$|sctp$"
)  # an address, or a protocol; a name of an interface stands in quotes
_NO_MATCH = {
    "accept", "drop", "reject", "return", "masquerade", "dnat", "snat", "counter", "jump", "goto", "comment", "vmap", "log",
}  # fmt: skip


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


def spelled(value: Any) -> str:
    """Return a key or a value of an element as nft reads it, ``""`` where it is nothing that can be told."""
    value = element(value)
    if isinstance(value, str):
        return value if _BARE.match(value) else '"%s"' % value
    if isinstance(value, int):
        return str(value)
    inner = fields(value)
    parts = {"concat": " . ", "range": "-"}
    for name, between in parts.items():
        found = [spelled(one) for one in listed(inner.get(name))]
        if found and all(found):
            return between.join(found)
    prefix = fields(inner.get("prefix"))
    return "%s/%s" % (prefix["addr"], prefix["len"]) if {"addr", "len"} <= set(prefix) else ""


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


def put(matches: Matches, name: str, operator: str, value: Any) -> None:
    """Add a match to those of a rule. A second one of the same is not understood."""
    if name in matches and matches[name] != (operator, value):
        name, operator = "%s again" % name, "?"
    matches[name] = (operator, value)


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
        if not set(fields(part)) & _NO_MATCH:
            found[str(part)] = ("?", part)
    return found
