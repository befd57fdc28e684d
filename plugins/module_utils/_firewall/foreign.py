# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Foreign rules, those of somebody else: the one form that the chains of every tool are read into. Pure.

What they do to packets is found in `fate`.
"""

from __future__ import annotations

import functools
import ipaddress
from dataclasses import field, replace
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Tuple, Union

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.matching import (
    PROTOCOLS,
    Bits,
    Fact,
    Lookup,
    Match,
    Span,
    address,
    all_of,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import network_text
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass

# In what order a packet that is forwarded comes by the hooks.
_WAY = ("ingress", "prerouting", "input", "forward", "output", "postrouting", "egress")
_LAYERS = ("netdev", "bridge")
_EVERY_MARK = 0xFFFFFFFF
Setting = Union[Span, Bits, Lookup, None]


@dataclass(frozen=True)
class Rule:
    """One rule: where all ``matches`` hold, the ``verdict``, with a ``target`` for jump, goto and what translates. A verdict map, or a map of what it
    translates to, is in ``lookup``. ``sets`` are marks that it gives, with the value where that is known: a number, what is made of a mark, or a map.
    ``shown`` says which rule it is.

    A verdict ``""`` goes on; of ``?`` it is not known what it does.
    """

    matches: Tuple[Match, ...] = ()
    verdict: str = ""
    target: str = ""
    shown: str = ""
    lookup: Optional[Lookup] = None
    sets: Tuple[Tuple[str, Setting], ...] = ()

    @property
    def whole(self) -> bool:
        """Return whether the tool that listed it tells all of it."""
        return self.verdict != "?" and self.target != "?" and not any(one.hidden for one in self.matches)

    @property
    def closing(self) -> bool:
        """Return whether no packet goes on behind it, whatever it is."""
        return not self.matches and self.lookup is None and self.verdict in ("accept", "drop", "reject", "return")


@dataclass(frozen=True)
class Chain:
    """One chain with its rules. ``table`` names it fully, such as ``ip filter`` or ``iptables-legacy filter``. ``devices``: those that it is
    hooked to, None where there are none, or where the tool does not tell."""

    table: str
    name: str
    families: Tuple[int, ...]
    type: str = ""
    hook: str = ""
    policy: str = "accept"
    rules: Tuple[Rule, ...] = ()
    priority: int = 0
    devices: Optional[Tuple[str, ...]] = None

    def __str__(self) -> str:
        return "%s %s" % (self.table, self.name)

    @property
    def layer(self) -> str:
        """Return ``netdev``, ``bridge``, or ``""`` for IP."""
        family = self.table.partition(" ")[0]
        return family if family in _LAYERS else ""

    @property
    def place(self) -> int:
        """Return the number of the rule before the first that no packet goes on behind."""
        return next((number for number, rule in enumerate(self.rules) if rule.closing), len(self.rules))


@dataclass(frozen=True)
class ForeignRules:
    """All chains that are not ours, by table and name."""

    chains: Mapping[Tuple[str, str], Chain] = field(default_factory=dict, hash=False)

    @functools.cached_property
    def base(self) -> List[Chain]:
        """Return the chains that the kernel calls and that may drop something, or mark it, in the order in which a packet comes by."""
        found = [chain for chain in self.chains.values() if chain.hook in _WAY and self.harms(chain)]
        return sorted(found, key=lambda chain: (_WAY.index(chain.hook), chain.priority))

    @functools.cached_property
    def _harmful(self) -> Dict[Tuple[str, str], bool]:
        return {}

    def harms(self, chain: Chain) -> bool:
        """Return whether a chain, or what it calls, may do something to a packet but let it pass; found once a chain."""
        key = chain.table, chain.name
        if key not in self._harmful:
            self._harmful[key] = self._may_harm(chain)
        return self._harmful[key]

    def _may_harm(self, base: Chain) -> bool:
        left, seen = [base], {base.name}
        while left:
            chain = left.pop()
            if chain.policy == "drop":
                return True
            for rule in chain.rules:
                ways = rule.lookup.entries if rule.lookup is not None else (((), rule.verdict, rule.target),)
                for dummy, verdict, target in ways:
                    if verdict in ("drop", "reject", "?") or rule.sets:
                        return True
                    called = self.chains.get((base.table, target)) if verdict in ("jump", "goto") else None
                    if verdict in ("jump", "goto") and called is None:
                        return True
                    if called is not None and called.name not in seen:
                        seen.add(called.name)
                        left.append(called)
        return False

    def on_the_way(self, family: int) -> List[Chain]:
        """Return those of an address family."""
        return self._by_family.get(family, [])

    @functools.cached_property
    def _by_family(self) -> Dict[int, List[Chain]]:
        return {family: [chain for chain in self.base if family in chain.families] for family in (4, 6)}

    @functools.cached_property
    def _opened(self) -> Dict[Tuple[str, str, int], ForeignRules]:
        return {}

    def opened(self, chain: Chain, place: int) -> ForeignRules:
        """Return the rules with one more at a place of a chain, which accepts all packets in question."""
        key = chain.table, chain.name, place
        if key not in self._opened:
            rules = (*chain.rules[:place], Rule(verdict="accept", shown="ours"), *chain.rules[place:])
            self._opened[key] = ForeignRules({**self.chains, key[:2]: replace(chain, rules=rules)})
        return self._opened[key]

    def has_tool(self, chain: Chain) -> bool:
        """Return whether a chain belongs to ufw, which is told what may pass in its own words."""
        return any((chain.table, name) in self.chains for name in ("ufw-user-forward", "ufw6-user-forward"))

    @functools.cached_property
    def in_use(self) -> List[Chain]:
        """Return a chain with rules of each table that has any."""
        return list({chain.table: chain for chain in self.chains.values() if chain.rules}.values())

    @functools.cached_property
    def marks(self) -> FrozenSet[Tuple[int, int]]:
        """Return the marks (value, mask) that a rule accepts."""
        return frozenset(
            (values[0][0], _EVERY_MARK if one.mask is None else one.mask)
            for chain in self.chains.values()
            for rule in chain.rules
            for one in (rule.matches if rule.verdict == "accept" else ())
            for values in one.among
            if one.what == ("mark",)
            and not one.negated
            and isinstance(values[0], tuple)
            and values[0][0] == values[0][1]
        )


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


# --- what others do already ---


def satisfied_by(foreign: ForeignRules, source: str, out_interface: str) -> str:
    """Return the masquerade rule that does what one of ours for ``source`` would, as ``FAMILY TABLE CHAIN handle N``, or ``""``.

    Only a rule in a base chain counts that matches the whole source and leaves out the same interface or none.
    """
    family = ipaddress.ip_network(source).version
    facts: Dict[str, Fact] = {
        "saddr": address(source), "protocol": "ip" if family == 4 else "ip6", "nfproto": "ipv%d" % family
    }  # fmt: skip
    for chain in foreign.chains.values():
        there = (chain.hook, chain.type, chain.layer) == ("postrouting", "nat", "") and family in chain.families
        for rule in chain.rules if there else ():
            ways = [one for one in rule.matches if one.what == ("oifname",)]
            rest = [one for one in rule.matches if one not in ways]
            named = ["%s%s" % ("!" if one.negated else "", one.among[0][0]) for one in ways if len(one.among) == 1]
            if (
                rule.verdict == "masquerade"
                and len(ways) == 1
                and named == [out_interface]
                and any(one.what == ("saddr",) for one in rest)
                and all_of(one.met(facts) for one in rest)
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
    names = {number: name for name, number in reversed(list(PROTOCOLS.items()))}
    for chain in foreign.chains.values():
        for rule in chain.rules:
            asked = [span for one in rule.matches for span in one.only("dport")] if rule.verdict == "dnat" else []
            if not asked:
                continue
            protocols = [span[0] for one in rule.matches for span in one.only("l4proto") if span[0] == span[1]]
            hosts = [span for one in rule.matches for span in one.only("daddr")]
            host_ip = _network(hosts[0], chain) if len(set(hosts)) == 1 else ""
            shown = "%s %s" % (chain, rule.shown)
            for first, last in dict.fromkeys(asked):
                for number in dict.fromkeys(protocols or [-1]):
                    name = names.get(number, "")
                    found.append(Published(chain.families, name, first, last, host_ip, rule.target, shown))
    return found


def _network(span: Span, chain: Chain) -> str:
    """Return addresses as a network, ``""`` where they are none."""
    kind: Any = ipaddress.IPv6Address if span[1] >= 2**32 or chain.families == (6,) else ipaddress.IPv4Address
    nets = list(ipaddress.summarize_address_range(kind(span[0]), kind(span[1])))
    return str(nets[0]) if len(nets) == 1 else ""
