# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The texts of iptables-save and iptables-restore. Pure."""

from __future__ import annotations

import re
from typing import Dict, Iterable, List, Mapping, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass

Words = Tuple[str, ...]  # of one rule, after "-A CHAIN"
OURS = "LINUXNET-"  # begins the name of a chain of ours
TABLES = ("raw", "mangle", "nat", "filter")
_SPECIAL = set(" |'\t;&()<>*?#~$`\"\\")
_QUOTED_OR_NOT = re.compile(r'"((?:[^"\\]|\\.)*)"(?= |$)|([^ ]+)')


@dataclass(frozen=True)
class SavedChain:
    """A chain of a table: its policy (``-`` where it is no built-in one) and its rules, in order."""

    policy: str = "-"
    rules: Tuple[Words, ...] = ()


Tables = Mapping[str, Mapping[str, SavedChain]]  # by table and chain, of one address family


def parse(text: str) -> Dict[str, Dict[str, SavedChain]]:
    """Return the tables of a text of iptables-save. A line that is none of its own says nothing."""
    found: Dict[str, Dict[str, SavedChain]] = {}
    policies: Dict[Tuple[str, str], str] = {}
    rules: Dict[Tuple[str, str], List[Words]] = {}
    table = ""
    for line in text.split(
        "\n"
    ):  # and not where else Python sees the end of a line: comments may have those characters
        if line.startswith("*"):
            table = line[1:].strip()
        elif line.startswith(":"):
            words = line[1:].split()
            if len(words) >= 2:
                policies[table, words[0]] = words[1]
        elif line.startswith("-A "):
            words = words_of(line)
            if len(words) >= 2:
                rules.setdefault((table, words[1]), []).append(tuple(words[2:]))
    for (table, name), policy in policies.items():
        found.setdefault(table, {})[name] = SavedChain(policy, tuple(rules.get((table, name), ())))
    return found


def words_of(line: str) -> List[str]:
    """Return the words of a line as iptables-save prints it: those in quotes have backslashes before what would end them
    (xtables_save_string of libxtables); an interface's name is not quoted, whatever it holds."""
    if '"' not in line:
        return [word for word in line.split(" ") if word]
    return [
        match[2] if match[1] is None else re.sub(r"\\(.)", r"\1", match[1]) for match in _QUOTED_OR_NOT.finditer(line)
    ]


def spelled(words: Iterable[str]) -> str:
    """Return words as iptables-restore reads them (add_param_to_argv of its source)."""
    return " ".join(_quoted(word) if set(word) & _SPECIAL or not word else word for word in words)


def _quoted(word: str) -> str:
    return '"%s"' % word.replace("\\", "\\\\").replace('"', '\\"')


def target(rule: Words) -> str:
    """Return the chain or extension that a rule jumps or goes to, ``""`` where it has none."""
    for number, word in enumerate(rule[:-1]):
        if word in ("-j", "-g") and (not number or rule[number - 1] != "--comment"):
            return rule[number + 1]
    return ""


def comment(rule: Words) -> str:
    """Return a rule's comment."""
    return rule[rule.index("--comment") + 1] if "--comment" in rule[:-1] else ""


def is_ours(rule: Words) -> bool:
    """Return whether a rule carries the mark of this collection."""
    return comment(rule).startswith("linuxnet")
