# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rule of somebody else asks of a packet, and the answer: yes, no, or that it cannot be told. Pure.

Both languages are brought into one form here. A packet is a set of packets, of which not everything is known: so an answer is yes only where
it is so for all of them, and no only where it is so for none.
"""

from __future__ import annotations

import bisect
import functools
import ipaddress
from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass

Answer = Optional[bool]  # None: it cannot be told
Span = Tuple[int, int]  # first and last of some numbers
Value = Union[Span, str, None]  # what a rule names; None: something that is not understood

PROTOCOLS = {
    "icmp": 1, "igmp": 2, "ipencap": 4, "tcp": 6, "udp": 17, "dccp": 33, "ipv6": 41, "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58, "icmpv6": 58,
    "ospf": 89, "pim": 103, "comp": 108, "vrrp": 112, "l2tp": 115, "sctp": 132, "udplite": 136, "mptcp": 262,
}  # fmt: skip
# Types of messages that are told from each other, in nft's words.
ICMP_TYPES = {
    "icmp type": {0: "echo-reply", 8: "echo-request"},
    "icmpv6 type": {
        128: "echo-request", 129: "echo-reply", 133: "nd-router-solicit", 134: "nd-router-advert", 135: "nd-neighbor-solicit", 136: "nd-neighbor-advert",
    },
}  # fmt: skip
ADDRESSES = ("saddr", "daddr", "ct original saddr", "ct original daddr")
PORTS = ("sport", "dport", "ct original dport")
NUMBERS = (*PORTS, "mark", "ct mark")
INTERFACES = ("iifname", "oifname")
FLAGS = ("ct state", "ct status", "xt state", "xt saddr type", "xt daddr type", "tcp flags")
WORDS = (
    "protocol", "nfproto", "ct direction", "saddr type", "daddr type", "rpf", "pkttype", "iifkind", "oifkind", "ibrname", "obrname",
    "icmp type", "icmpv6 type",
)  # fmt: skip
_LARGEST = 2**128  # of all numbers that are compared


@dataclass(frozen=True)
class OtherThan:
    """An interface of which only is known that it is not this one."""

    name: str


@dataclass(frozen=True)
class Flags:
    """Flags of which some are set, and some are not; None: no other one is."""

    on: FrozenSet[str] = frozenset()
    off: Optional[FrozenSet[str]] = None

    def has(self, name: str) -> Answer:
        if name in self.on:
            return True
        return False if self.off is None or name in self.off else None


class Nothing:
    """What a packet does not have where it is asked: such as the way out before it is routed. No rule that asks for it is met."""


NOTHING = Nothing()
Fact = Any  # a Span, a word, an OtherThan, Flags or NOTHING
Facts = Mapping[str, Fact]


@dataclass(frozen=True)
class Match:
    """One condition: what is looked at has one of the values ``among``, or (``negated``) has none of them. ``what`` has a name for each part
    of a concatenation, and so has each of ``among``; none: it is not understood. Of numbers and flags only what is in ``mask`` counts.

    ``hidden``: the tool that listed it does not tell what it asks; another one does. ``some``: it is for some of the packets, as a limit of
    their rate is.
    """

    what: Tuple[str, ...] = ()
    among: Tuple[Tuple[Value, ...], ...] = ()
    negated: bool = False
    mask: Any = None
    hidden: bool = False
    some: bool = False

    def met(self, facts: Facts) -> Answer:
        """Return whether the packets of which these facts are known meet it."""
        if not self.what:
            return None
        known = [facts.get(name) for name in self.what]
        if any(fact is NOTHING for fact in known):
            return False
        if self.mask is not None:
            found = self._masked(known[0])
        elif len(known) == 1 and self._spans and isinstance(known[0], tuple):
            found = _among(known[0], self._spans)
        else:
            found = any_of(all_of(map(_is, known, values)) for values in self.among)
        return found if found is None or not self.negated else not found

    @functools.cached_property
    def _spans(self) -> Sequence[Span]:
        """Return the values in order where they are many numbers, which were merged; nothing otherwise."""
        spans = [values[0] for values in self.among if len(values) == 1 and isinstance(values[0], tuple)]
        return spans if len(spans) == len(self.among) > 2 else ()

    def _masked(self, fact: Fact) -> Answer:
        if isinstance(fact, Flags) and isinstance(self.mask, frozenset):
            states = {name: fact.has(name) for name in self.mask}
            if None in states.values():
                return None
            return any(frozenset(values) == {name for name, on in states.items() if on} for values in self.among)
        if isinstance(fact, tuple) and isinstance(self.mask, int) and fact[0] == fact[1]:
            number = fact[0] & self.mask
            return any_of(_is((number, number), values[0]) for values in self.among)
        return None

    def only(self, name: str) -> List[Span]:
        """Return the numbers that it asks of one thing, where it is about that alone and not negated."""
        if self.what != (name,) or self.negated or self.mask is not None:
            return []
        return [values[0] for values in self.among if isinstance(values[0], tuple)]


def unknown(hidden: bool = False, some: bool = False) -> Match:
    """Return a condition that is not understood."""
    return Match(hidden=hidden, some=some)


def all_of(answers: Iterable[Answer]) -> Answer:
    """Return whether all is so."""
    found: Answer = True
    for answer in answers:
        if answer is False:
            return False
        found = found if answer else None
    return found


def any_of(answers: Iterable[Answer]) -> Answer:
    """Return whether some of it is so."""
    found: Answer = False
    for answer in answers:
        if answer:
            return True
        found = found if answer is False else None
    return found


def _is(fact: Fact, value: Value) -> Answer:
    """Return whether what is known of a packet is what a rule names."""
    if fact is None or value is None:
        return None
    if isinstance(value, str):
        if isinstance(fact, str):
            return fact.startswith(value[:-1]) if value.endswith("*") else fact == value
        if isinstance(fact, OtherThan):
            return False if value == fact.name else (True if value == "*" else None)
        return fact.has(value) if isinstance(fact, Flags) else None
    if not isinstance(fact, tuple):
        return None
    if value[0] <= fact[0] and fact[1] <= value[1]:
        return True
    return False if fact[1] < value[0] or value[1] < fact[0] else None


def _among(fact: Span, spans: Sequence[Span]) -> Answer:
    """Return whether numbers are among others, which are in order and do not touch."""
    place = max(bisect.bisect_right(spans, (fact[0], _LARGEST)) - 1, 0)
    return any_of(_is(fact, span) for span in spans[place : place + 2])


def merged(among: Sequence[Tuple[Value, ...]]) -> Tuple[Tuple[Value, ...], ...]:
    """Return values without those that follow each other, in order, where they are plain numbers."""
    spans = [values[0] for values in among if len(values) == 1 and isinstance(values[0], tuple)]
    if len(spans) != len(among):
        return tuple(among)
    found: List[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple((span,) for span in found)


def match(what: str, *values: Value, negated: bool = False, mask: Any = None) -> Match:
    """Return the condition that one thing has one of some values."""
    among = tuple((value,) for value in values)
    return Match((what,), merged(among) if mask is None else among, negated, mask)


# --- values ---


def address(text: Any) -> Optional[Span]:
    """Return the addresses of a network, or one, None where it is something else."""
    try:
        network = ipaddress.ip_network(text, strict=False) if isinstance(text, str) else None
    except ValueError:
        return None
    return (int(network[0]), int(network[-1])) if network is not None else None


def between(first: Any, last: Any) -> Optional[Span]:
    """Return the addresses from one to another."""
    ends = address(first), address(last)
    return (ends[0][0], ends[1][1]) if ends[0] and ends[1] and ends[0][0] <= ends[1][1] else None


def number(value: Any) -> Optional[Span]:
    """Return one number, of an int or of the digits of one in C's ways, None where it is something else."""
    if isinstance(value, str):
        try:
            value = int(value, 0) if value.isascii() else None
        except ValueError:
            return None
    return (value, value) if isinstance(value, int) and not isinstance(value, bool) else None


def protocol(name: Any) -> Optional[Span]:
    """Return the number of a protocol."""
    known = PROTOCOLS.get(name) if isinstance(name, str) else None
    return (known, known) if known is not None else number(name)


@dataclass(frozen=True)
class Bits:
    """What a rule makes of a mark: of the mark ``of`` the bits ``keep`` stay, and the bits ``put`` are set."""

    of: str
    keep: int
    put: int = 0


@dataclass(frozen=True)
class Lookup:
    """A verdict map: what is looked at, and by values the verdict and its target."""

    what: Tuple[str, ...]
    entries: Tuple[Tuple[Tuple[Value, ...], str, str], ...] = ()

    def found(self, facts: Facts) -> List[Tuple[str, str, Answer]]:
        """Return the verdicts that the packets may find, each with its target and whether they surely do."""
        known = [facts.get(name) for name in self.what]
        if any(fact is NOTHING for fact in known):
            return []
        found: List[Tuple[str, str, Answer]] = []
        for values, verdict, target in self.entries:
            answer = all_of(map(_is, known, values)) if self.what else None
            if answer:
                return [(verdict, target, True)]
            if answer is None:
                found.append((verdict, target, None))
        return found


# What goes on behind a target of iptables' own, and what it changes of the packet; None: it is not tracked any more.
GOES_ON: Dict[str, Tuple[str, ...]] = {
    **dict.fromkeys(
        ("LOG", "NFLOG", "ULOG", "TRACE", "TCPMSS", "TOS", "DSCP", "ECN", "TTL", "HL", "CLASSIFY", "CHECKSUM", "SET", "AUDIT", "RATEEST", "LED",
         "SECMARK", "CONNSECMARK", "IDLETIMER", "TEE", "TCPOPTSTRIP"), ()),
    "MARK": ("mark",), "HMARK": ("mark",), "CONNMARK": ("mark", "ct mark"),
}  # fmt: skip
TARGETS = {
    "ACCEPT": "accept", "DROP": "drop", "REJECT": "reject", "RETURN": "return", "MASQUERADE": "masquerade", "DNAT": "dnat", "SNAT": "snat",
    "NETMAP": "snat", "REDIRECT": "redirect",
}  # fmt: skip
