# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The texts of iptables-save and iptables-restore, and what the rules of others in them mean. Pure."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Dict, Iterable, List, Mapping, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall import foreign

Words = Tuple[str, ...]  # of one rule, after "-A CHAIN"
OURS = "LINUXNET-"  # begins the name of a chain of ours
# Where the kernel calls the built-in chains: table and chain to (nft's type, hook).
_HOOKS = {
    ("filter", "FORWARD"): ("filter", "forward"),
    ("nat", "PREROUTING"): ("nat", "prerouting"),
    ("nat", "POSTROUTING"): ("nat", "postrouting"),
}
NFT_TABLES = {"%s %s" % (ip, table) for ip in ("ip", "ip6") for table in ("raw", "mangle", "nat", "filter")}
_VERDICTS = {"ACCEPT": "accept", "DROP": "drop", "REJECT": "reject", "RETURN": "return", "MASQUERADE": "masquerade"}
_FIELDS = {"-s": "saddr", "-d": "daddr", "-i": "iifname", "-o": "oifname", "-p": "l4proto", "--dport": "dport"}
_WITHOUT_VALUE = {"--random", "--random-fully", "--persistent", "--syn"}


@dataclass(frozen=True)
class SavedChain:
    """A chain of a table: its policy (``-`` where it is no built-in one) and its rules, in order."""

    policy: str = "-"
    rules: Tuple[Words, ...] = ()


Tables = Mapping[str, Mapping[str, SavedChain]]  # by table and chain, of one address family


def parse(text: str) -> Dict[str, Dict[str, SavedChain]]:
    """Return the tables of a text of iptables-save."""
    found: Dict[str, Dict[str, SavedChain]] = {}
    policies: Dict[Tuple[str, str], str] = {}
    rules: Dict[Tuple[str, str], List[Words]] = {}
    table = ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif line.startswith(":"):
            name, policy = line[1:].split()[:2]
            policies[table, name] = policy
        elif line.startswith("-A "):
            words = shlex.split(line) if '"' in line or "\\" in line else line.split()
            rules.setdefault((table, words[1]), []).append(tuple(words[2:]))
    for (table, name), policy in policies.items():
        found.setdefault(table, {})[name] = SavedChain(policy, tuple(rules.get((table, name), ())))
    return found


def spelled(words: Iterable[str]) -> str:
    """Return words as iptables-restore, and a shell, read them."""
    return " ".join('"%s"' % word if set(word) & set(" |'\t;&()<>*?#~$`") or not word else word for word in words)


def target(rule: Words) -> str:
    """Return the chain or extension that a rule jumps or goes to, ``""`` where it has none."""
    for place, word in enumerate(rule[:-1]):
        if word in ("-j", "-g"):
            return rule[place + 1]
    return ""


def comment(rule: Words) -> str:
    """Return a rule's comment."""
    return rule[rule.index("--comment") + 1] if "--comment" in rule[:-1] else ""


def is_ours(rule: Words) -> bool:
    """Return whether a rule carries the mark of this collection."""
    return comment(rule).startswith("linuxnet")


# --- the rules of others ---


def _value(option: str, word: str) -> object:
    if option == "--dport":
        first, dummy, last = word.partition(":")
        return {"range": [int(first), int(last or first)]} if (first + last).isdigit() else word
    if option in ("-s", "-d"):
        address, dummy, length = word.partition("/")
        return {"prefix": {"addr": address, "len": int(length)}} if length.isdigit() else word
    return word


def _read(rule: Words, chains: Mapping[str, SavedChain], shown: str) -> foreign.Rule:
    """Return what a rule means; what is not understood is a match that is never met."""
    matches: foreign.Matches = {}
    verdict = to = ""
    words = list(rule)
    operator = "=="
    while words:
        word = words.pop(0)
        if word == "!":
            operator = "!="
            continue
        value = words.pop(0) if words and word not in _WITHOUT_VALUE else ""
        if word in _FIELDS:
            matches[_FIELDS[word]] = (operator, _value(word, value))
        elif word == "--ctstate":
            states = value.lower().split(",")
            name = "ct status" if "dnat" in states and len(states) == 1 else "ct state"
            matches[name] = (operator, {"set": states})
        elif word == "--mark":
            number, dummy, mask = value.partition("/")
            matches["mark"] = (operator, (int(number, 0), int(mask or "0xffffffff", 0)))
        elif word in ("-j", "-g"):
            kind = {"-j": "jump", "-g": "goto"}[word]
            verdict, to = (kind, value) if value in chains else (_VERDICTS.get(value, ""), "")
            verdict = "dnat" if value == "DNAT" else verdict
        elif word == "--to-destination":
            to = value
        elif word not in ("-m", "--comment", "--reject-with", *_WITHOUT_VALUE):
            matches["%s %s" % (word, value)] = ("?", value)
        operator = "=="
    return foreign.Rule(matches, verdict, to, shown)


def chains_of(
    place: str, saved: Mapping[int, Tables], seen: Mapping[Tuple[str, str], foreign.Chain]
) -> Dict[Tuple[str, str], foreign.Chain]:
    """Return the chains of others by table and name.

    ``seen`` is what nft sees of them. It knows the handles of their rules, and the rules that iptables-nft did not make, of which
    iptables-nft-save tells something else (sets and maps are left out); it does not know what is in iptables' own extensions.
    """
    found = {}
    for family, tables in saved.items():
        names = {4: "ip", 6: "ip6"} if place == "iptables-nft" else {4: place, 6: "ip6" + place[2:]}
        for table, chains in tables.items():
            named = "%s %s" % (names[family], table)
            for name, chain in chains.items():
                known = seen.get((named, name))
                if name.startswith(OURS) or (place == "iptables-nft" and seen and known is None):
                    continue  # a built-in chain that iptables-nft would make on demand
                if known is not None and len(known.rules) != len(chain.rules):
                    continue
                rules = tuple(
                    known.rules[number]
                    if known is not None and known.rules[number].understood
                    else _read(rule, chains, known.rules[number].shown if known else "rule %d" % (number + 1))
                    for number, rule in enumerate(chain.rules)
                    if not is_ours(rule)
                )
                type_, hook = _HOOKS.get((table, name), ("", ""))
                policy = "drop" if chain.policy == "DROP" else "accept"
                found[named, name] = foreign.Chain(named, name, (family,), type_, hook, policy, rules)
    return found
