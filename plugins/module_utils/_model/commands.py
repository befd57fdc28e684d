# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Command lines for people to read and to paste: lists of words up to the result, quoted in one place. Pure.

Names and comments come from containers and from users. None of them is ever syntax of the shell, nor reaches a terminal raw.
"""

from __future__ import annotations

import shlex
from typing import List, Sequence, Tuple, Union

from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass

# What bash's $'…' has a letter for; everything else that cannot be seen is a number.
_LETTERS = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\", "'": "\\'"}


@dataclass(frozen=True)
class Output:
    """A word of a command that is what another command prints, with ``before`` and ``after`` around it."""

    words: Tuple[str, ...]
    before: str = ""
    after: str = ""


Word = Union[str, Output]


@dataclass(frozen=True)
class Command:
    """One command. ``to``: the file that its output is written to. ``tolerant``: it may fail. ``remark``: a sentence in place of a
    command, for what no program does."""

    words: Tuple[Word, ...] = ()
    to: str = ""
    tolerant: bool = False
    remark: str = ""

    def __str__(self) -> str:
        """Return the line for bash. Control characters of words show escaped."""
        if self.remark:
            return "# " + visible(self.remark)
        line = " ".join(_shown(word) for word in self.words)
        return line + (" > " + quoted(self.to) if self.to else "") + (" || true" if self.tolerant else "")


def command(*words: Union[Word, Sequence[str]]) -> Command:
    """Return the command of these words; lists of words are taken apart."""
    found: List[Word] = []
    for word in words:
        if isinstance(word, (str, Output)):
            found.append(word)
        else:
            found.extend(word)
    return Command(tuple(found))


def _shown(word: Word) -> str:
    if isinstance(word, str):
        return quoted(word)
    inner = "$(%s)" % " ".join(map(quoted, word.words))
    around = (quoted(part) if part else "" for part in (word.before, word.after))
    return inner.join(around)


def quoted(word: str) -> str:
    """Return a word as bash reads it: as it is, in quotes, or as ``$'…'`` where a character of it cannot be seen."""
    if word.isprintable():
        return shlex.quote(word)
    return "$'%s'" % "".join(_LETTERS.get(char) or _escaped(char) for char in word)


def visible(text: str) -> str:
    """Return a text in which every character can be seen: what is not printable shows as its number."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(char: str) -> str:
    if char.isprintable():
        return char
    number = ord(char)
    if 0xDC80 <= number <= 0xDCFF:  # a byte that is no UTF-8, as Python's surrogateescape keeps it
        return "\\x%02x" % (number - 0xDC00)
    return "\\x%02x" % number if number < 0x80 else "\\u%04x" % number if number < 0x10000 else "\\U%08x" % number
