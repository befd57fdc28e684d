# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The texts of iptables-save and iptables-restore, and what our rules have in common. Pure."""

from __future__ import annotations

import ipaddress
import re
from typing import Dict, FrozenSet, Iterable, List, Mapping, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Unreadable
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import MARK
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass

Words = Tuple[str, ...]  # of one rule, after "-A CHAIN"
OURS = "LINUXNET-"  # begins the name of a chain of ours
TABLES = ("raw", "mangle", "nat", "filter")
_BUILT_IN = {
    "raw": {"PREROUTING", "OUTPUT"},
    "mangle": {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"},
    "nat": {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"},
    "filter": {"INPUT", "FORWARD", "OUTPUT"},
}
_SPECIAL = set(" |'\t;&()<>*?#~$`\"\\")
_CLOSED = re.compile(r"# Table `(\w+)' is incompatible")  # as iptables-nft-save says it
_QUOTED_OR_NOT = re.compile(r'"((?:[^"\\]|\\.)*)"(?= |$)|([^ ]+)')


@dataclass(frozen=True)
class SavedChain:
    """A chain of a table: its policy (``-`` where it is no built-in one) and its rules, in order."""

    policy: str = "-"
    rules: Tuple[Words, ...] = ()


Tables = Mapping[str, Mapping[str, SavedChain]]  # by table and chain, of one address family


class Saved(Dict[str, Dict[str, SavedChain]]):
    """The tables of one address family. ``closed`` are those that are there and that the tool can neither read nor write, since somebody
    put into them what only nft knows: nothing is known of them."""

    closed: FrozenSet[str] = frozenset()


def closed(tables: Tables) -> FrozenSet[str]:
    """Return the names of the tables that the tool can neither read nor write."""
    return tables.closed if isinstance(tables, Saved) else frozenset()


def parse(text: str) -> Saved:
    """Return the tables of a text of iptables-save. A line that is none of its own says nothing. Raises `Unreadable` where all lines are such."""
    found = Saved()
    policies: Dict[Tuple[str, str], str] = {}
    rules: Dict[Tuple[str, str], List[Words]] = {}
    table = ""
    for line in text.split(
        "\n"
    ):  # and not where else Python sees the end of a line: comments may have those characters
        if line.startswith("*"):
            table = line[1:].strip()
            found.setdefault(table, {})
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
    if not found and any(line.strip() and not line.startswith("#") for line in text.split("\n")):
        raise Unreadable("it printed no tables")
    # A built-in chain that nft made without its hook: iptables cannot give it one, and refuses each line that needs the chain.
    bare = {table for (table, name), policy in policies.items() if policy == "-" and name in _BUILT_IN.get(table, ())}
    found.closed = frozenset({*_CLOSED.findall(text), *bare})
    for table in bare:
        del found[table]
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


def is_address(text: str, family: int) -> bool:
    """Return whether a text is an address of a family."""
    try:
        return ipaddress.ip_address(text).version == family
    except ValueError:
        return False


# --- words that many rules of ours have ---


def noted(text: str) -> Words:
    """Return the match that is a comment."""
    return ("-m", "comment", "--comment", text)


def state(states: str) -> Words:
    """Return the match of what conntrack says."""
    return ("-m", "conntrack", "--ctstate", states)


def coming_from(network: str) -> Words:
    """Return the match of a source."""
    return () if network.endswith("/0") else ("-s", network)


def interface(name: str, way: str = "-o") -> Words:
    """Return the match of an interface, of any other if it begins with ``!``."""
    if not name:
        return ()
    return ("!", way, name[1:]) if name.startswith("!") else (way, name)


def owner_of(text: str) -> Tuple[str, str]:
    """Return the owner in a comment of ours, and what follows it."""
    owner, dummy, rest = text[len(MARK) :].partition("|") if text.startswith(MARK) else ("", "", "")
    return owner, rest


def option(rule: Words, name: str) -> str:
    """Return the value of an option, after a ``!`` where it is negated; ``""`` where it is not given."""
    if name not in rule[:-1]:
        return ""
    number = rule.index(name)
    return ("!" if number and rule[number - 1] == "!" else "") + rule[number + 1]


def rules_of(chains: Mapping[str, SavedChain], name: str) -> Tuple[Words, ...]:
    """Return the rules of a chain, none where it is not there."""
    return chains.get(name, SavedChain()).rules
