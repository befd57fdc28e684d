# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule sets of others, and what they do to the traffic of ours. Pure.

Chains of nftables and of iptables are read into one form, in which a packet is followed. What is not understood counts as not
met: so a doubt never hides a block, and never makes one up where a rule drops some of the traffic only.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

Matches = Dict[str, Tuple[str, Any]]  # what is looked at to (operator as in nft, value)
_VERDICTS = ("accept", "drop", "reject", "return", "masquerade", "dnat")
_NO_MATCH = {*_VERDICTS, "counter", "snat", "jump", "goto", "xt", "comment", "vmap", "log"}
_DEPTH = 16  # of jumps that are followed; nft allows as many (NFT_JUMP_STACK_SIZE)


@dataclass(frozen=True)
class Rule:
    """One rule: where all ``matches`` hold, the ``verdict``, with a ``target`` for jump, goto and dnat. A verdict map is in
    ``lookup``: what is looked at, and by its value the verdict and its target. ``shown`` says which rule it is."""

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
class Others:
    """All chains that are not ours, by table and name."""

    chains: Mapping[Tuple[str, str], Chain] = field(default_factory=dict, hash=False)

    def based(self, hook: str, type_: str, family: int) -> List[Chain]:
        """Return the chains of a family that the kernel calls at ``hook``."""
        return [one for one in self.chains.values() if (one.hook, one.type) == (hook, type_) and family in one.families]


# --- reading nft's JSON ---


def prefix(value: Any) -> str:
    """Return nft's JSON for an address or a prefix as CIDR, ``""`` where it is something else."""
    if isinstance(value, dict) and "prefix" in value:
        return "%s/%d" % (value["prefix"]["addr"], value["prefix"]["len"])
    if isinstance(value, dict):
        return ""
    try:
        return str(ipaddress.ip_network(value))
    except (ValueError, TypeError):
        return ""


def _looked_at(left: Mapping[str, Any]) -> str:
    """Return a name for what an expression of nft looks at."""
    if "payload" in left:
        return str(left["payload"].get("field", "?"))
    if "meta" in left:
        return str(left["meta"]["key"])
    if "ct" in left:
        return "ct " + str(left["ct"]["key"])
    return str(left)


def matches_of(expression: Sequence[Mapping[str, Any]]) -> Matches:
    """Return what a rule of nft matches: ``saddr``, ``daddr``, ``oifname``, ``iifname``, ``ct state`` … to (operator, value)."""
    found: Matches = {}
    for part in expression:
        match = part.get("match")
        if match:
            left, right = match["left"], match["right"]
            if isinstance(left, dict) and "&" in left and _looked_at(left["&"][0]) == "mark":
                found["mark"] = (match["op"], (right, left["&"][1]))
            elif _looked_at(left) == "mark":
                found["mark"] = (match["op"], (right, 0xFFFFFFFF))
            else:
                found[_looked_at(left)] = (match["op"], right)
                if isinstance(left, dict) and left.get("payload", {}).get("field") in ("dport", "sport"):
                    found.setdefault("l4proto", ("==", left["payload"]["protocol"]))
            continue
        xt = part.get("xt") or {}  # an extension of iptables, of which nft tells no more than the name
        if (xt.get("type") == "match" and xt.get("name") != "comment") or not set(part) & _NO_MATCH:
            found[str(part)] = ("?", part)
    return found


def _verdict(part: Mapping[str, Any]) -> Tuple[str, str]:
    """Return a verdict and its target."""
    for name in ("jump", "goto"):
        if name in part:
            return name, str((part[name] or {}).get("target", ""))
    if "dnat" in part:
        to = part["dnat"] or {}
        return "dnat", "%s%s" % (to.get("addr", "?"), ":%s" % to["port"] if "port" in to else "")
    if (part.get("xt") or {}).get("name") in ("MASQUERADE", "DNAT"):
        return str(part["xt"]["name"]).lower(), "?"
    if part.get("masquerade"):
        return "", ""  # with flags, it is something else
    return next((name for name in _VERDICTS if name in part), ""), ""


def _from_json(rule: Mapping[str, Any], maps: Mapping[Tuple[str, str], Any]) -> Rule:
    last = rule["expr"][-1] if rule["expr"] else {}
    verdict, target = _verdict(last)
    lookup: Tuple[str, Mapping[str, Tuple[str, str]]] = ("", {})
    if "vmap" in last:
        data = last["vmap"]["data"]
        if isinstance(data, str):
            elements = maps.get(("%(family)s %(table)s" % rule, data.lstrip("@")), [])
        else:
            elements = data.get("set", [])
        listed = {str(key): _verdict(value) for key, value in elements if isinstance(value, dict)}
        lookup = (_looked_at(last["vmap"]["key"]), listed)
    return Rule(matches_of(rule["expr"]), verdict, target, "handle %d" % rule["handle"], lookup)


def from_nft(objects: Sequence[Mapping[str, Any]], ours: str, chains: str) -> Dict[Tuple[str, str], Chain]:
    """Return the chains of nft's JSON by table and name, those of the table ``ours`` left out, and what calls our ``chains``, whose
    names begin so, in the tables of iptables-nft. Each keeps its place, so that rules can be counted."""
    families = {"ip": (4,), "ip6": (6,), "inet": (4, 6)}
    maps = {
        ("%(family)s %(table)s" % one["map"], one["map"]["name"]): one["map"].get("elem", [])
        for one in objects
        if "map" in one
    }
    found: Dict[Tuple[str, str], Chain] = {}
    rules: Dict[Tuple[str, str], List[Rule]] = {}
    for item in objects:
        if "chain" in item:
            one = item["chain"]
            table = "%(family)s %(table)s" % one
            if one["family"] in families and table != ours:
                found[table, one["name"]] = Chain(
                    table,
                    one["name"],
                    families[one["family"]],
                    one.get("type", ""),
                    one.get("hook", ""),
                    one.get("policy", "accept"),
                )
        elif "rule" in item:
            one = item["rule"]
            rule = _from_json(one, maps)
            if rule.target.startswith(chains):
                rule = Rule({"ours": ("?", "")}, shown=rule.shown)  # never met
            rules.setdefault(("%(family)s %(table)s" % one, one["chain"]), []).append(rule)
    return {key: replace(chain, rules=tuple(rules.get(key, ()))) for key, chain in found.items()}


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
            return self._leaves(getattr(self, name), operator, str(value))
        if name == "ct state":
            return ("new" in _listed(value)) == (operator != "!=")
        if name == "ct status":
            return "dnat" in _listed(value) and self.dnat == (operator != "!=")
        if name in ("l4proto", "protocol"):
            return bool(self.protocol) and (self.protocol in _listed(value)) == (operator != "!=")
        if name == "dport" and operator in ("==", "in"):
            first, last = _ports(value)
            return 0 < first <= self.ports[0] and self.ports[1] <= last
        if name == "nfproto":
            return bool(value == "ipv%d" % self.family)
        if name == "mark" and all(isinstance(one, int) for one in value):
            return bool((self.mark & value[1] == value[0]) == (operator != "!="))
        return False

    def _leaves(self, known: str, operator: str, value: str) -> bool:
        """Return whether an interface, which may be any but the bridge, is one that a match means."""
        if operator not in ("==", "!="):
            return False
        if not known:  # certain only of the bridge: that it is not that one
            return operator == "!=" and value == self.bridge
        same = known.startswith(value[:-1]) if value[-1:] in ("*", "+") else known == value
        return same == (operator == "==")

    def looked_up(self, name: str) -> str:
        """Return the value by which a verdict map is asked, ``""`` where it is not known."""
        return {"iifname": self.iifname, "oifname": self.oifname, "ct state": "new"}.get(name, "")


def _listed(value: Any) -> List[str]:
    """Return the names of nft's JSON for one or more."""
    if isinstance(value, dict):
        value = value.get("set", [])
    return [value] if isinstance(value, str) else [str(one) for one in value]


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


def _fate(others: Others, chain: Chain, packet: Packet, depth: int = 0) -> Optional[Tuple[bool, str]]:
    """Return whether a chain lets a packet pass, and which rule says so; None where the packet falls through."""
    for rule in chain.rules:
        if not packet.meets(rule.matches):
            continue
        verdict, target = rule.verdict, rule.target
        if rule.lookup[0]:
            verdict, target = rule.lookup[1].get(packet.looked_up(rule.lookup[0]), ("", ""))
        if verdict == "accept":
            return True, ""
        if verdict in ("drop", "reject"):
            return False, "%s (rule %s)" % (chain, rule.shown)
        if verdict == "return":
            return None
        inner = others.chains.get((chain.table, target)) if verdict in ("jump", "goto") and depth < _DEPTH else None
        if inner is not None:
            fate = _fate(others, inner, packet, depth + 1)
            if fate is not None or verdict == "goto":
                return fate
    return None


@dataclass(frozen=True)
class Block:
    """A base chain of somebody else that drops a packet, and how it is named: ``ip filter FORWARD (policy drop)``."""

    chain: Chain
    shown: str


def blocks(others: Others, packet: Packet) -> List[Block]:
    """Return the forward chains that drop a packet."""
    found = []
    for chain in others.based("forward", "filter", packet.family):
        fate = _fate(others, chain, packet)
        if fate is not None and not fate[0]:
            found.append(Block(chain, fate[1]))
        elif fate is None and chain.policy == "drop":
            found.append(Block(chain, "%s (policy drop)" % chain))
    return found


def accepted_marks(others: Others, packet: Packet) -> List[Tuple[int, int]]:
    """Return the marks (value, mask) with which a packet would pass all forward chains, as docker's bridge-accept-fwmark is meant."""
    marks = {
        rule.matches["mark"][1]
        for chain in others.chains.values()
        for rule in chain.rules
        if rule.verdict == "accept" and rule.matches.get("mark", ("", ()))[0] == "=="
    }
    return sorted(
        mark
        for mark in marks
        if all(isinstance(one, int) for one in mark) and not blocks(others, replace(packet, mark=mark[0]))
    )


def satisfied_by(others: Others, source: str, out_interface: str) -> str:
    """Return the masquerade rule that does what one of ours for ``source`` would, as ``FAMILY TABLE CHAIN handle N``, or ``""``.

    Only a rule in a base chain counts that matches the whole source and leaves out the same interface or none.
    """
    for chain in others.based("postrouting", "nat", ipaddress.ip_network(source).version):
        for rule in chain.rules:
            operator, name = rule.matches.get("oifname", ("", ""))
            if (
                rule.verdict == "masquerade"
                and out_interface == ("!" if operator == "!=" else "") + name
                and set(rule.matches) <= {"saddr", "oifname"}
                and _within(source, *rule.matches.get("saddr", ("", "")))
            ):
                return "%s %s" % (chain, rule.shown)
    return ""


def _ports(value: Any) -> Tuple[int, int]:
    """Return nft's JSON for a port or a range as (first, last), (0, 0) where it is something else."""
    if isinstance(value, dict) and "range" in value:
        value = value["range"]
    ends = value if isinstance(value, (list, tuple)) else (value, value)
    return (ends[0], ends[1]) if len(ends) == 2 and all(isinstance(one, int) for one in ends) else (0, 0)


@dataclass(frozen=True)
class Published:
    """A port that a rule of somebody else sends on: for ``host_ip`` (CIDR, ``""`` for all) to ``to``."""

    families: Tuple[int, ...]
    protocol: str
    first: int
    last: int
    host_ip: str
    to: str
    shown: str


def published(others: Others) -> List[Published]:
    """Return the ports that rules of others send on, one by one; ports in maps are not seen."""
    found = []
    for chain in others.chains.values():
        for rule in chain.rules:
            if rule.verdict != "dnat" or "dport" not in rule.matches:
                continue
            first, last = _ports(rule.matches["dport"][1])
            protocol = str(rule.matches.get("l4proto", ("", ""))[1] or rule.matches.get("protocol", ("", ""))[1])
            host_ip = prefix(rule.matches["daddr"][1]) if "daddr" in rule.matches else ""
            shown = "%s %s" % (chain, rule.shown)
            found.append(Published(chain.families, protocol, first, last, host_ip, rule.target, shown))
    return found
