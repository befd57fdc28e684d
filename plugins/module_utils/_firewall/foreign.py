# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Foreign rules, those of somebody else, and what they do to the traffic of ours. Pure.

The backends read the chains of every tool into one form, in which a packet is followed. What is not understood of a rule counts as not
met: so an accept of which it is not known whether it is met hides no block, and a drop of which it is not known is not told.
"""

from __future__ import annotations

import functools
import ipaddress
from dataclasses import field, replace
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import network_text
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass

Matches = Dict[str, Tuple[str, Any]]  # what is looked at to (operator as in nft, value as in nft's JSON)
Fate = Optional[
    Tuple[bool, str]
]  # of a packet: whether it passes, and the rule that says so; None where it falls through
_DEPTH = 16  # of jumps that are followed; nft allows as many (NFT_JUMP_STACK_SIZE)


@dataclass(frozen=True)
class Rule:
    """One rule: where all ``matches`` hold, the ``verdict``, with a ``target`` for jump, goto and dnat. A verdict map is in
    ``lookup``: what is looked at, and by its value the verdict and its target. ``shown`` says which rule it is.

    A match whose operator is ``?`` is not understood, nor is a target ``?``.
    """

    matches: Matches = field(hash=False)
    verdict: str = ""
    target: str = ""
    shown: str = ""
    lookup: Tuple[str, Mapping[str, Tuple[str, str]]] = field(default=("", {}), hash=False)

    @property
    def understood(self) -> bool:
        """Return whether nothing of the rule is unknown."""
        return self.target != "?" and all(operator != "?" for operator, dummy in self.matches.values())


@dataclass(frozen=True)
class Chain:
    """One chain with its rules. ``table`` names it fully, such as ``ip filter`` or ``iptables-legacy filter``."""

    table: str
    name: str
    families: Tuple[int, ...]
    type: str = ""
    hook: str = ""
    policy: str = "accept"
    rules: Tuple[Rule, ...] = ()

    def __str__(self) -> str:
        return "%s %s" % (self.table, self.name)


@dataclass(frozen=True)
class ForeignRules:
    """All chains that are not ours, by table and name."""

    chains: Mapping[Tuple[str, str], Chain] = field(default_factory=dict, hash=False)

    def base_chains(self, hook: str, type_: str, family: int) -> List[Chain]:
        """Return the chains of a family that the kernel calls at ``hook``."""
        return self._base_chains.get((hook, type_, family), [])

    @functools.cached_property
    def _base_chains(self) -> Dict[Tuple[str, str, int], List[Chain]]:
        found: Dict[Tuple[str, str, int], List[Chain]] = {}
        for chain in self.chains.values():
            for family in chain.families if chain.hook else ():
                found.setdefault((chain.hook, chain.type, family), []).append(chain)
        return found

    @functools.cached_property
    def in_use(self) -> List[Chain]:
        """Return a chain with rules of each table that has any."""
        return list({chain.table: chain for chain in self.chains.values() if chain.rules}.values())

    @functools.cached_property
    def marks(self) -> FrozenSet[Tuple[int, int]]:
        """Return the marks (value, mask) that a rule accepts."""
        asked = [
            rule.matches["mark"]
            for chain in self.chains.values()
            for rule in chain.rules
            if rule.verdict == "accept" and "mark" in rule.matches
        ]
        return frozenset(_mark(value) for operator, value in asked if operator == "==")


def put(matches: Matches, name: str, operator: str, value: Any) -> None:
    """Add a match to those of a rule. A second one of the same is not understood."""
    if name in matches and matches[name] != (operator, value):
        name, operator = "%s again" % name, "?"
    matches[name] = (operator, value)


# --- values, as nft's JSON has them; everything else is none ---


def prefix(value: Any) -> str:
    """Return an address or a prefix as CIDR, ``""`` where it is something else."""
    inner = value.get("prefix") if isinstance(value, dict) else None
    if isinstance(inner, dict):
        value = "%s/%s" % (inner.get("addr"), inner.get("len"))
    try:
        return network_text(ipaddress.ip_network(value)) if isinstance(value, str) else ""
    except ValueError:
        return ""


def ports(value: Any) -> Tuple[int, int]:
    """Return a port or a range as (first, last), (0, 0) where it is something else."""
    if isinstance(value, dict):
        value = value.get("range")
    ends = value if isinstance(value, (list, tuple)) else (value, value)
    return (ends[0], ends[1]) if len(ends) == 2 and all(isinstance(end, int) for end in ends) else (0, 0)


def _mark(value: Any) -> Tuple[int, int]:
    """Return a mark as (value, mask), (0, 0) where it is something else."""
    numbers = value if isinstance(value, tuple) and all(isinstance(number, int) for number in value) else ()
    return (numbers[0], numbers[1]) if len(numbers) == 2 else (0, 0)


def _names(value: Any) -> List[str]:
    """Return one name or several."""
    if isinstance(value, dict):
        value = value.get("set")
    if isinstance(value, str):
        return [value]
    return [name for name in value if isinstance(name, str)] if isinstance(value, (list, tuple)) else []


# --- following a packet ---


@dataclass(frozen=True)
class Packet:
    """The first packet of a connection, as a forward chain sees it. Of the addresses one is known mostly; an interface that is
    ``""`` is any but ``bridge``. ``dnat``: it was for a published port, and goes to one of ``ports`` of ``protocol``."""

    family: int
    saddr: str = ""
    daddr: str = ""
    iifname: str = ""
    oifname: str = ""
    bridge: str = ""
    dnat: bool = False
    mark: int = 0
    protocol: str = ""
    ports: Tuple[int, int] = (0, 0)

    def meets(self, matches: Matches) -> bool:
        """Return whether the packet meets all matches of a rule."""
        return all(self._meets(name, operator, value) for name, (operator, value) in matches.items())

    def _meets(self, name: str, operator: str, value: Any) -> bool:
        if name in ("saddr", "daddr"):
            known = getattr(self, name)
            return bool(known) and _within(known, operator, value)
        if name in ("iifname", "oifname"):
            return self._leaves(getattr(self, name), operator, value)
        if operator not in ("==", "!=", "in"):
            return False
        equal = operator != "!="
        if name == "ct state":
            states = _names(value)
            return bool(states) and ("new" in states) == equal
        if name == "ct status":
            return "dnat" in _names(value) and self.dnat == equal
        if name in ("l4proto", "protocol"):
            protocols = _names(value)
            return bool(self.protocol and protocols) and (self.protocol in protocols) == equal
        if name == "dport" and equal:
            first, last = ports(value)
            return 0 < first <= self.ports[0] and self.ports[1] <= last
        if name == "nfproto":
            return bool(value == "ipv%d" % self.family)
        if name == "mark":
            wanted, mask = _mark(value)
            return bool(mask) and (self.mark & mask == wanted) == equal
        return False

    def _leaves(self, known: str, operator: str, value: Any) -> bool:
        """Return whether an interface, which may be any but the bridge, is one that a match means."""
        if operator not in ("==", "!=") or not isinstance(value, str):
            return False
        if not known:  # certain only of the bridge: that it is not that one
            return operator == "!=" and value == self.bridge
        same = known.startswith(value[:-1]) if value[-1:] in ("*", "+") else known == value
        return same == (operator == "==")

    def looked_up(self, name: str) -> str:
        """Return the value by which a verdict map is asked, ``""`` where it is not known."""
        return {"iifname": self.iifname, "oifname": self.oifname, "ct state": "new"}.get(name, "")


def _within(known: str, operator: str, value: Any) -> bool:
    """Return whether a match of addresses holds for every address of the network ``known``."""
    network = prefix(value)
    if not network:
        return False
    outer, inner = ipaddress.ip_network(network), ipaddress.ip_network(known)
    if outer.version != inner.version:
        return False
    if operator == "!=":
        return not outer.overlaps(inner)
    return operator in ("==", "in") and inner.subnet_of(outer)  # type: ignore[arg-type]


class _Way:
    """The way of one packet through chains. What a chain does to it is found out once."""

    def __init__(self, foreign: ForeignRules, packet: Packet) -> None:
        self._foreign = foreign
        self._packet = packet
        self._fates: Dict[Tuple[str, str], Fate] = {}

    def fate(self, chain: Chain, depth: int = 0) -> Fate:
        """Return whether a chain lets the packet pass, and which rule says so; None where the packet falls through."""
        key = chain.table, chain.name
        if key not in self._fates:
            self._fates[key] = None  # for a chain that comes back to itself, which no kernel has
            self._fates[key] = self._followed(chain, depth)
        return self._fates[key]

    def _followed(self, chain: Chain, depth: int) -> Fate:
        for rule in chain.rules:
            if not self._packet.meets(rule.matches):
                continue
            verdict, target = rule.verdict, rule.target
            if rule.lookup[0]:
                verdict, target = rule.lookup[1].get(self._packet.looked_up(rule.lookup[0]), ("", ""))
            if verdict == "accept":
                return True, ""
            if verdict in ("drop", "reject"):
                return False, "%s (rule %s)" % (chain, rule.shown)
            if verdict == "return":
                return None
            follows = verdict in ("jump", "goto") and depth < _DEPTH
            inner = self._foreign.chains.get((chain.table, target)) if follows else None
            if inner is not None:
                fate = self.fate(inner, depth + 1)
                if fate is not None or verdict == "goto":
                    return fate
        return None


@dataclass(frozen=True)
class Block:
    """A foreign base chain that drops a packet, and how it is named: ``ip filter FORWARD (policy drop)``."""

    chain: Chain
    shown: str


def blocks(foreign: ForeignRules, packet: Packet) -> List[Block]:
    """Return the forward chains that drop a packet."""
    found = []
    way = _Way(foreign, packet)
    for chain in foreign.base_chains("forward", "filter", packet.family):
        fate = way.fate(chain)
        if fate is not None and not fate[0]:
            found.append(Block(chain, fate[1]))
        elif fate is None and chain.policy == "drop":
            found.append(Block(chain, "%s (policy drop)" % chain))
    return found


def accepted_marks(foreign: ForeignRules, packet: Packet) -> List[Tuple[int, int]]:
    """Return the marks (value, mask) with which a packet would pass all forward chains, as docker's bridge-accept-fwmark is meant."""
    return sorted(mark for mark in foreign.marks if mark[1] and not blocks(foreign, replace(packet, mark=mark[0])))


def satisfied_by(foreign: ForeignRules, source: str, out_interface: str) -> str:
    """Return the masquerade rule that does what one of ours for ``source`` would, as ``FAMILY TABLE CHAIN handle N``, or ``""``.

    Only a rule in a base chain counts that matches the whole source and leaves out the same interface or none.
    """
    for chain in foreign.base_chains("postrouting", "nat", ipaddress.ip_network(source).version):
        for rule in chain.rules:
            operator, name = rule.matches.get("oifname", ("", ""))
            if (
                rule.verdict == "masquerade"
                and isinstance(name, str)
                and out_interface == ("!" if operator == "!=" else "") + name
                and set(rule.matches) <= {"saddr", "oifname"}
                and _within(source, *rule.matches.get("saddr", ("", "")))
            ):
                return "%s %s" % (chain, rule.shown)
    return ""


@dataclass(frozen=True)
class Published:
    """A port that a foreign rule sends on: for ``host_ip`` (CIDR, ``""`` for all) to ``to``."""

    families: Tuple[int, ...]
    protocol: str
    first: int
    last: int
    host_ip: str
    to: str
    shown: str


def published(foreign: ForeignRules) -> List[Published]:
    """Return the ports that foreign rules send on, one by one; ports in maps are not seen."""
    found = []
    for chain in foreign.chains.values():
        for rule in chain.rules:
            operator, port = rule.matches.get("dport", ("", None))
            if rule.verdict != "dnat" or operator not in ("==", "in"):
                continue
            first, last = ports(port)
            protocol = str(rule.matches.get("l4proto", ("", ""))[1] or rule.matches.get("protocol", ("", ""))[1])
            operator, address = rule.matches.get("daddr", ("", ""))
            host_ip = prefix(address) if operator == "==" else ""
            shown = "%s %s" % (chain, rule.shown)
            found.append(Published(chain.families, protocol, first, last, host_ip, rule.target, shown))
    return found
