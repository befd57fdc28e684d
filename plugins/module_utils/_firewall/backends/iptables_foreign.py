# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the rules of others in a text of iptables-save mean, and their chains. Pure.

An option belongs to the extension that was named last, since many have one of the same name. What is not understood counts as that.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Chains
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_save import (
    OURS,
    TABLES,
    SavedChain,
    Tables,
    Words,
    is_ours,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import Chain, Rule, Setting
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.matching import (
    GOES_ON,
    ICMP_TYPES,
    TARGETS,
    Bits,
    Match,
    Value,
    address,
    between,
    match,
    number,
    protocol,
    unknown,
)

# Where the kernel calls the built-in chains: table and chain to (nft's type, hook, priority).
_HOOKS = {
    ("raw", "PREROUTING"): ("filter", "prerouting", -300),
    ("raw", "OUTPUT"): ("filter", "output", -300),
    ("mangle", "PREROUTING"): ("filter", "prerouting", -150),
    ("nat", "PREROUTING"): ("nat", "prerouting", -100),
    ("mangle", "INPUT"): ("filter", "input", -150),
    ("mangle", "FORWARD"): ("filter", "forward", -150),
    ("mangle", "OUTPUT"): ("route", "output", -150),
    ("nat", "OUTPUT"): ("nat", "output", -100),
    ("filter", "INPUT"): ("filter", "input", 0),
    ("filter", "FORWARD"): ("filter", "forward", 0),
    ("filter", "OUTPUT"): ("filter", "output", 0),
    ("mangle", "POSTROUTING"): ("filter", "postrouting", -150),
    ("nat", "INPUT"): ("nat", "input", 100),
    ("nat", "POSTROUTING"): ("nat", "postrouting", 100),
}
_BOTH = ("tcp", "udp", "sctp", "dccp", "udplite", "multiport")
# Extensions that ask nothing by themselves, and those that are about how much there is.
_QUIET = {
    "",
    "icmp",
    "icmp6",
    "comment",
    "conntrack",
    "state",
    "mark",
    "connmark",
    "iprange",
    "addrtype",
    "set",
    "pkttype",
    *_BOTH,
}
_RATES = {"limit", "hashlimit", "connlimit", "quota", "quota2", "recent", "connbytes"}
# Where a target says what it translates to: only a port, or an address first.
_TO = {("DNAT", "--to-destination"): "", ("SNAT", "--to-source"): "", ("REDIRECT", "--to-ports"): ":"}
_EVERY_MARK = 0xFFFFFFFF
_ALL_FLAGS = ("fin", "syn", "rst", "psh", "ack", "urg")
_TYPES = {
    "LOCAL": "local",
    "UNICAST": "unicast",
    "BROADCAST": "broadcast",
    "MULTICAST": "multicast",
    "ANYCAST": "anycast",
}


def _spans(text: str) -> List[Value]:
    """Return ports and ranges as ``80,443:450``."""
    found: List[Value] = []
    for one in text.split(","):
        first, colon, last = one.partition(":")
        ends = (first or "0", (last or "65535") if colon else first)
        known = all(end.isdecimal() and end.isascii() for end in ends) and int(ends[0]) <= int(ends[1])
        found.append((int(ends[0]), int(ends[1])) if known else None)
    return found


def _masked(what: str, text: str, negated: bool) -> Match:
    """Return a comparison of a mark as ``VALUE/MASK``."""
    value, slash, mask = text.partition("/")
    asked, bits = number(value), number(mask) if slash else None
    if asked is None or (slash and bits is None):
        return unknown()
    return match(what, asked, negated=negated, mask=bits[0] if bits else None)


def _flags(texts: Sequence[str], negated: bool) -> Match:
    """Return what ``--tcp-flags MASK SET`` asks."""
    sets = [[] if text == "NONE" else text.lower().split(",") for text in texts]
    if len(sets) != 2:
        return unknown()
    mask, wanted = (list(_ALL_FLAGS) if names == ["all"] else names for names in sets)
    return Match(("tcp flags",), (tuple(wanted),), negated, frozenset(mask))


def _asked(extension: str, option: str, values: Sequence[str], negated: bool) -> List[Match]:
    """Return what one option asks."""
    text = values[0] if values else ""
    plain = {"-s": "saddr", "-d": "daddr"}.get(option)
    if plain:
        return [match(plain, address(text), negated=negated)]
    if option in ("-i", "-o"):
        name = text[:-1] + "*" if text.endswith("+") else text
        return [match("iifname" if option == "-i" else "oifname", name or None, negated=negated)]
    if option == "-p":
        return [] if text in ("all", "0") and not negated else [match("l4proto", protocol(text), negated=negated)]
    if option == "-f" and not extension:
        return [Match(("frag off",), (((0, 0),),), not negated, 0x1FFF)]
    if extension in _BOTH:
        if option in ("--dport", "--dports", "--sport", "--sports"):
            return [match(option[2:7], *_spans(text), negated=negated)]
        if option == "--ports" or extension != "tcp":
            return [unknown()]
        if option == "--tcp-flags":
            return [_flags(values, negated)]
        return [_flags(("FIN,SYN,RST,ACK", "SYN"), negated)] if option == "--syn" else [unknown()]
    read = _BY_EXTENSION.get((extension, option))
    if read is not None:
        return [read(text, negated)]
    return [] if (extension, option) == ("comment", "--comment") else [unknown(some=extension in _RATES)]


def _states(text: str, negated: bool) -> Match:
    return match("xt state", *text.lower().split(","), negated=negated)


def _status(text: str, negated: bool) -> Match:
    names = text.lower().replace("_", "-").split(",")
    return unknown() if "none" in names else match("ct status", *names, negated=negated)


def _direction(text: str, negated: bool) -> Match:
    return match("ct direction", text.lower(), negated=negated)


def _range(what: str, text: str, negated: bool) -> Match:
    first, dummy, last = text.partition("-")
    return match(what, between(first, last or first), negated=negated)


def _type(what: str, text: str, negated: bool) -> Match:
    names = text.split(",")
    if len(names) > 1 and "UNICAST" in names:
        return unknown()  # any of them for IPv4, and each for IPv6
    return match(what, *(_TYPES.get(name) for name in names), negated=negated)


def _icmp(what: str, text: str, negated: bool) -> Match:
    """Return a comparison of the type of a message; one of its code as well, or of any type, is not understood."""
    kind = number(text)
    return match(what, ICMP_TYPES[what].get(kind[0], text), negated=negated) if kind else unknown()


_BY_EXTENSION: Mapping[Tuple[str, str], Callable[[str, bool], Match]] = {
    ("mark", "--mark"): lambda text, negated: _masked("mark", text, negated),
    ("connmark", "--mark"): lambda text, negated: _masked("ct mark", text, negated),
    ("conntrack", "--ctstate"): _states,
    ("state", "--state"): _states,
    ("conntrack", "--ctstatus"): _status,
    ("conntrack", "--ctdir"): _direction,
    ("conntrack", "--ctproto"): lambda text, negated: match("l4proto", protocol(text), negated=negated),
    ("conntrack", "--ctorigsrc"): lambda text, negated: match("ct original saddr", address(text), negated=negated),
    ("conntrack", "--ctorigdst"): lambda text, negated: match("ct original daddr", address(text), negated=negated),
    ("conntrack", "--ctorigdstport"): lambda text, negated: match("ct original dport", *_spans(text), negated=negated),
    ("iprange", "--src-range"): lambda text, negated: _range("saddr", text, negated),
    ("iprange", "--dst-range"): lambda text, negated: _range("daddr", text, negated),
    ("addrtype", "--src-type"): lambda text, negated: _type("xt saddr type", text, negated),
    ("addrtype", "--dst-type"): lambda text, negated: _type("xt daddr type", text, negated),
    ("icmp", "--icmp-type"): lambda text, negated: _icmp("icmp type", text, negated),
    ("icmp6", "--icmpv6-type"): lambda text, negated: _icmp("icmpv6 type", text, negated),
    ("pkttype", "--pkt-type"): lambda text, negated: match("pkttype", text.replace("unicast", "host"), negated=negated),
}


class _Reader:
    """One rule, read word by word."""

    def __init__(self, words: Words, chains: Mapping[str, SavedChain]) -> None:
        self._left = list(reversed(words))
        self._chains = chains
        self.matches: List[Match] = []
        self.verdict = self.to = ""
        self.sets: List[Tuple[str, Setting]] = []
        self._target = False
        self._extension = ""

    def read(self) -> _Reader:
        negated = False
        while self._left:
            word = self._left.pop()
            if word == "!":
                negated = True
                continue
            if word in ("-m", "-j", "-g") and self._left:
                self._named(word, self._left.pop())
            else:
                self._option(word, negated)
            negated = False
        return self

    def _named(self, word: str, name: str) -> None:
        self._extension, self._target = name, word != "-m"
        if word == "-m":
            alone = not self._left or self._left[-1] in ("-m", "-j", "-g")
            if name == "rpfilter":
                self.matches.append(match("rpf", "found"))
            elif name not in _QUIET and (alone or name in _RATES):
                self.matches.append(unknown(some=name in _RATES))
        elif name in self._chains:
            self.verdict, self.to = {"-j": "jump", "-g": "goto"}[word], name
        elif name in GOES_ON:
            self.sets = [(changed, None) for changed in GOES_ON[name]]
        else:
            self.verdict = "" if name == "CT" else TARGETS.get(name, "?")

    def _values(self) -> List[str]:
        """Return the words that follow an option."""
        if (self._extension, self._target) == ("comment", False):
            return [self._left.pop()] if self._left else []
        values = []
        while self._left and not self._left[-1].startswith(("-", "!")):
            values.append(self._left.pop())
        return values

    def _option(self, word: str, negated: bool) -> None:
        values = self._values()
        if not self._target:
            if self._extension == "rpfilter":
                if word == "--invert":
                    self.matches[-1] = match("rpf", "missing")
                elif word not in ("--loose", "--validmark"):
                    self.matches.append(unknown())
                return
            if word in ("-s", "-d", "-i", "-o", "-p", "-f"):
                self.matches += _asked("", word, values, negated)
            else:
                self.matches += _asked(self._extension, word, values, negated)
        elif (self._extension, word) in _TO:
            self.to = _TO[self._extension, word] + values[0] if values else "?"
        elif self._extension == "MARK" and word == "--set-xmark" and values:
            value, dummy, mask = values[0].partition("/")
            put, bits = number(value), number(mask or "0xffffffff")
            if bits == (_EVERY_MARK, _EVERY_MARK):
                self.sets = [("mark", put)]
            elif put and bits and put[0] & bits[0] == put[0]:  # what is set otherwise is turned over
                self.sets = [("mark", Bits("mark", ~bits[0] & _EVERY_MARK, put[0]))]
        elif self._extension == "CT" and word == "--notrack":  # then nothing of the packet is translated
            self.verdict = "?"
        elif self._extension in ("ACCEPT", "DROP", "RETURN", *self._chains):  # which have none
            self.matches.append(unknown())


def rule_of(words: Words, chains: Mapping[str, SavedChain], shown: str) -> Rule:
    """Return what a rule means."""
    found = _Reader(words, chains).read()
    return Rule(tuple(found.matches), found.verdict, found.to, shown, None, tuple(found.sets))


def _told_by_both(known: Rule, words: Words, chains: Mapping[str, SavedChain]) -> Rule:
    """Return a rule that nft shows without what is in iptables' own extensions, and iptables-save without what is nft's own."""
    saved = rule_of(words, chains, known.shown)
    matches = tuple(dict.fromkeys([*(one for one in known.matches if not one.hidden), *saved.matches]))
    told = known if known.verdict not in ("", "?") and known.target != "?" else saved
    sets = saved.sets or known.sets
    return replace(saved, matches=matches, verdict=told.verdict, target=told.target, sets=sets, lookup=known.lookup)


def chains_of(names: Mapping[int, str], saved: Mapping[int, Tables], seen: Chains, ours: bool = False) -> Chains:
    """Return the foreign chains, or (``ours``) all, by table and name. ``names``: by address family, what is in front of a table's name.

    ``seen`` is what nft sees of them, nothing where they are not its. It knows the handles of their rules, and the rules that iptables-nft did not make,
    of which iptables-nft-save tells something else (sets and maps are left out); it does not know what is in iptables' own extensions.
    """
    found: Dict[Tuple[str, str], Chain] = {}
    own = {"%s %s" % (name, table) for name in names.values() for table in TABLES}
    listed = not own.isdisjoint(table for table, dummy in seen)
    for family, tables in saved.items():
        for table, chains in tables.items():
            named = "%s %s" % (names[family], table)
            for name, chain in chains.items():
                known: Optional[Chain] = seen.get((named, name))
                if (name.startswith(OURS) and not ours) or (listed and known is None):
                    continue  # a built-in chain that iptables-nft would make on demand
                if known is not None and len(known.rules) != len(chain.rules):
                    continue
                rules = []
                for place, words in enumerate(chain.rules):
                    if is_ours(words) and not ours:
                        continue
                    rule = known.rules[place] if known is not None else rule_of(words, chains, "rule %d" % (place + 1))
                    rules.append(rule if rule.whole else _told_by_both(rule, words, chains))
                type_, hook, priority = _HOOKS.get((table, name), ("", "", 0))
                policy = "drop" if chain.policy == "DROP" else "accept"
                found[named, name] = Chain(named, name, (family,), type_, hook, policy, tuple(rules), priority)
    return found
