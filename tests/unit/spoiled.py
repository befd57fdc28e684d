# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is right, spoiled: bytes, texts and JSON, each in the ways that hurt who reads it. The chance is the caller's, so a seed says it all."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

DEEP = 3000  # brackets in each other: three times what Python's recursion allows
# What is no number, or is none that fits, and what no name has; as text.
ODD_WORDS = [
    "", "²", "٣", "-1", "0", "00", "1e999", "1e99999999", "9" * 5000, "0x", "0x7/0xff", "08", "nan", ".inf", "-Infinity", "1.5", "true", "null", "None",
    "\0", "a\0b", "\x1b[2J", "\r", "a\rb", "\n", "\t", "\x85", "\u2028", "\ufeff", "\udcff", "\ud800", "ä" * 300, "a b", "%s", "%(x)s", "{}", "{{ x }}",
    "/", "..", "../../etc", ":", "::", "[", "]", '"', "\\", "\\777", "=", ",", ",,", "-", "!", "10.0.0.1/33", "10.0.0.1/²", "fe80::1%eth0", "::ffff:1.2.3.4",
    "256.0.0.1", "0.0.0.0/0", "80:", ":80", "1:2:3", "65536", "2:", "!!", "linuxnet:", "linuxnet:a|b|c|d", "(" * 50, "x" * 5000,
]  # fmt: skip
_DEEP_LIST: Any = json.loads("[" * 200 + "]" * 200)
_DEEP_DICT: Any = json.loads('{"a":' * 200 + "1" + "}" * 200)
ODD_VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**32, 2**63, 2**64, 2**70, 10**4000, 1.5, -0.0, float("nan"), float("inf"), float("-inf"), [], {}, [[]], [{}], [None],
    [1, 2], ["a", {}], {"a": None}, {"": ""}, {"name": None}, {"name": 5}, {"name": []}, {"set": []}, {"set": [{}]}, {"prefix": {}},
    {"prefix": {"addr": "x", "len": "y"}}, {"range": [1]}, {"concat": []}, {"elem": {}}, {"elem": {"val": {}, "comment": 5}}, {"jump": None}, {"xt": None},
    {"match": {"op": {}, "left": [], "right": {}}}, {"vmap": {}}, {"results": None}, _DEEP_LIST, _DEEP_DICT, *ODD_WORDS,
]  # fmt: skip


# --- bytes ---


def _bytes(goods: Sequence[bytes], chance: Random) -> bytes:
    data = bytearray(chance.choice(goods))
    for _time in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(len(data) + 1)
        how = chance.randrange(9)
        if how == 0:
            data = data[:at]
        elif how == 1 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif how == 2 and at < len(data):
            data[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        elif how == 3:  # a length, mostly: they are two or four bytes long, at a multiple of four
            at, size = at & ~3, chance.choice((2, 4))
            number = chance.choice(
                (0, 1, 3, 4, 5, 7, 8, 16, len(data), len(data) + 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
            )
            data[at : at + size] = (number & (1 << 8 * size) - 1).to_bytes(size, "little")
        elif how == 4:
            other = chance.choice(goods)
            data[at:] = other[chance.randrange(len(other) + 1) & ~3 :]
        elif how == 5:
            data[at:at] = data[: chance.randrange(len(data) + 1)]
        elif how == 6:
            del data[at : at + chance.choice((1, 2, 4, 8))]
        elif how == 7:
            data[at:at] = chance.choice((b"\0", b"\x1b[2J", b"\r", b"\n", b"\xff\xff", bytes(4), bytes(40)))
        else:
            data = bytearray(chance.randbytes(chance.randrange(120)))
    return bytes(data[:20000])


# --- texts ---


def _word(text: str, chance: Random) -> str:
    """Replace, leave out or add a word of a line."""
    words = text.split(" ")
    at = chance.randrange(len(words))
    how = chance.randrange(4)
    words[at : at + (how < 3)] = (
        [] if how == 0 else [chance.choice(ODD_WORDS)] if how < 3 else [chance.choice(ODD_WORDS), *words[at : at + 1]]
    )
    return " ".join(words)


def _text(goods: Sequence[str], chance: Random) -> str:
    text = chance.choice(goods)
    for _time in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(len(text) + 1)
        how = chance.randrange(8)
        lines = text.split("\n")
        place = chance.randrange(len(lines))
        if how == 0:
            text = text[:at]
        elif how == 1:
            text = text[:at] + chance.choice(ODD_WORDS) + text[at + chance.randrange(3) :]
        elif how <= 3:
            lines[place] = _word(lines[place], chance)
            text = "\n".join(lines)
        elif how == 4:
            del lines[place]
            text = "\n".join(lines)
        elif how == 5:
            lines[place:place] = [chance.choice(lines)] * chance.choice((1, 2, 50))
            text = "\n".join(lines)
        elif how == 6:
            other = chance.choice(goods)
            text = text[:at] + other[chance.randrange(len(other) + 1) :]
        else:
            text = chance.choice(
                ("", *ODD_WORDS, "[" * DEEP, '{"a":' * DEEP, "(" * DEEP, "null", "[]", "{}", "5", '"x"')
            )
    return text[:200000]


# --- JSON ---


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to all values in JSON, the whole among them."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*path, key))


def _json(goods: Sequence[Any], chance: Random) -> Any:
    value = copy.deepcopy(chance.choice(goods))
    for _time in range(chance.choice((1, 1, 1, 2, 4))):
        found = list(places(value)) if len(str(value)) < 10000 else [()]
        path = chance.choice(found[1:] or found)
        if not path:
            return chance.choice(ODD_VALUES)
        item = value
        for key in path[:-1]:
            item = item[key]
        _spoil(item, path[-1], chance)
    return value


def _spoil(item: Any, last: Any, chance: Random) -> None:
    """Spoil an entry of a list or dict."""
    how = chance.randrange(9)
    if how == 0:
        del item[last]
    elif how == 1:
        item[last] = [item[last]]
    elif how == 2:
        item[last] = {"elem": {"val": item[last]}} if chance.random() < 0.5 else {"name": item[last]}
    elif how == 3 and isinstance(item, list):
        item.insert(last, copy.deepcopy(item[last]))
    elif how == 3:
        item[chance.choice([*ODD_WORDS, *item])] = item[last]
    elif how == 4 and isinstance(item[last], str):
        item[last] = item[last] + chance.choice(ODD_WORDS)
    elif how == 5 and isinstance(item[last], (str, list)):
        item[last] = item[last][: chance.randrange(len(item[last]) + 1)]
    else:
        item[last] = copy.deepcopy(chance.choice(ODD_VALUES))


# --- all of them ---


def shortened(goods: Sequence[Any]) -> Iterator[Any]:
    """What is left of bytes and texts that are cut off, at each place; of JSON where each value is missing or null."""
    for good in goods:
        if isinstance(good, (bytes, str)):
            yield from (good[:length] for length in range(len(good)))
            continue
        for path in list(places(good))[1:]:
            for missing in (True, False):
                value = copy.deepcopy(good)
                item = value
                for key in path[:-1]:
                    item = item[key]
                if missing:
                    del item[path[-1]]
                else:
                    item[path[-1]] = None
                yield value


def spoiled(goods: Sequence[Any], chance: Random) -> Iterator[Any]:
    """Samples, spoiled by chance, without end."""
    make: Any = _bytes if isinstance(goods[0], bytes) else _text if isinstance(goods[0], str) else _json
    while True:
        yield make(goods, chance)
