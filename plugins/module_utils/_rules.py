# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The NAT rules of this collection, to and from nftables, and what other rule sets do to the same traffic. Pure.

All rules live in one table of our own; a rule's comment carries its owner. Nothing outside that table is ever changed.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

TABLE = "inet linuxnet_containers"
CHAIN = "postrouting"
MARK = "linuxnet:"
COMMENT_BYTES = 127  # libnftnl's NFTNL_UDATA_COMMENT_MAXLEN less the closing NUL
# Never translated: what stays on the segment (RFC 5771, RFC 919, RFC 4291).
_BUILT_IN = {4: ("224.0.0.0/4", "255.255.255.255/32"), 6: ("ff00::/8",)}


@dataclass(frozen=True)
class NatRule:
    """A source NAT rule. ``out_interface`` may begin with ``!`` (any but this); ``exclude`` holds destinations beyond those
    that are never translated (the source's own network, multicast, broadcast); ``to_address`` is empty for masquerade."""

    source: str
    out_interface: str = ""
    exclude: Tuple[str, ...] = ()
    to_address: str = ""
    owner: str = ""
    comment: str = ""
    handle: int = field(default=0, compare=False)

    @property
    def type(self) -> str:
        return "snat" if self.to_address else "masquerade"

    @property
    def family(self) -> int:
        return ipaddress.ip_network(self.source).version

    @property
    def key(self) -> Tuple[str, str]:
        return self.owner, self.source

    @property
    def marked(self) -> str:
        """Return the comment that the rule carries in the kernel."""
        return MARK + self.owner + ("|" + self.comment if self.comment else "")

    def text(self) -> str:
        """Return the rule in nft's syntax."""
        ip = "ip" if self.family == 4 else "ip6"
        parts = ["%s saddr %s" % (ip, self.source)]
        if self.out_interface:
            parts.append(
                'oifname %s"%s"' % ("!= " if self.out_interface.startswith("!") else "", self.out_interface.lstrip("!"))
            )
        parts.append("%s daddr != { %s }" % (ip, ", ".join(_untouched(self.source, self.exclude))))
        parts.append("snat %s to %s" % (ip, self.to_address) if self.to_address else "masquerade")
        parts.append('comment "%s"' % self.marked)
        return " ".join(parts)


def _collapsed(networks: Iterable[str]) -> List[str]:
    """Return networks without overlaps (an anonymous nft set refuses them), sorted."""
    parsed: List[Any] = [ipaddress.ip_network(one) for one in networks]
    return [str(one) for one in ipaddress.collapse_addresses(parsed)]


def _untouched(source: str, exclude: Sequence[str]) -> List[str]:
    return _collapsed([source, *_BUILT_IN[ipaddress.ip_network(source).version], *exclude])


def canonical_exclude(source: str, exclude: Sequence[str]) -> Tuple[str, ...]:
    """Return what of ``exclude`` says more than what is never translated anyway, without overlaps, sorted."""
    return tuple(one for one in _untouched(source, exclude) if one not in _untouched(source, ()))


def base() -> List[str]:
    """Return the lines that make the table and its chain; harmless where they are there."""
    return [
        "add table %s" % TABLE,
        "add chain %s %s { type nat hook postrouting priority srcnat; policy accept; }" % (TABLE, CHAIN),
    ]


def put(rule: NatRule, handle: int) -> List[str]:
    """Return the lines that add a rule, or put it in the place of the one with that handle.

    Not "replace": nft 1.0.6 aborts where a replacing rule has a set of networks.
    """
    line = "add rule %s %s %s%s" % (TABLE, CHAIN, "handle %d " % handle if handle else "", rule.text())
    return [line, delete(handle)] if handle else [line]


def delete(handle: int) -> str:
    """Return the line that deletes the rule with that handle."""
    return "delete rule %s %s handle %d" % (TABLE, CHAIN, handle)


def drop_table() -> str:
    """Return the line that deletes the table with all in it."""
    return "delete table %s" % TABLE


# --- reading ---


def is_ours(item: Mapping[str, Any]) -> bool:
    """Return whether an object of the rule set is in our table."""
    return "%s %s" % (item.get("family"), item.get("table")) == TABLE


def _in_our_table(objects: Sequence[Mapping[str, Any]]) -> List[Mapping[str, Any]]:
    return [item["rule"] for item in objects if "rule" in item and is_ours(item["rule"])]


def has_table(objects: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether our table is there."""
    return any("%(family)s %(name)s" % item["table"] == TABLE for item in objects if "table" in item)


def _is_marked(rule: Mapping[str, Any]) -> bool:
    return str(rule.get("comment", "")).startswith(MARK)


def ours(objects: Sequence[Mapping[str, Any]]) -> List[NatRule]:
    """Return the rules of our table that carry our mark. One that cannot be read back has only owner, source "" and handle."""
    return [_parsed(rule) for rule in _in_our_table(objects) if _is_marked(rule)]


def strangers(objects: Sequence[Mapping[str, Any]]) -> List[int]:
    """Return the handles of rules in our table that are not ours: somebody put them there by hand."""
    return [
        rule["handle"] for rule in _in_our_table(objects) if not str(rule.get("comment", "")).startswith("linuxnet")
    ]


def _prefix(value: Any) -> str:
    """Return nft's JSON for an address or a prefix as CIDR, ``""`` where it is something else."""
    if isinstance(value, dict) and "prefix" in value:
        return "%s/%d" % (value["prefix"]["addr"], value["prefix"]["len"])
    if isinstance(value, dict) and "range" in value:
        return ""
    try:
        return str(ipaddress.ip_network(value))
    except (ValueError, TypeError):
        return ""


def _matches(expression: Sequence[Mapping[str, Any]]) -> Dict[str, Tuple[str, Any]]:
    """Return what a rule matches: ``saddr``, ``daddr``, ``oifname``, ``iifname``, ``ct state`` … to (operator, value)."""
    found: Dict[str, Tuple[str, Any]] = {}
    for part in expression:
        match = part.get("match")
        if not match:
            xt = part.get("xt") or {}  # an extension of iptables, of which nft tells no more than the name
            if (xt.get("type") == "match" and xt.get("name") != "comment") or not set(part) & {
                "counter",
                "masquerade",
                "snat",
                "accept",
                "drop",
                "reject",
                "jump",
                "goto",
                "return",
                "xt",
                "comment",
            }:
                found[str(part)] = ("?", part)
            continue
        left = match["left"]
        if "payload" in left:
            name = left["payload"].get("field", "?")
        elif "meta" in left:
            name = left["meta"]["key"]
        elif "ct" in left:
            name = "ct " + left["ct"]["key"]
        else:
            name = str(left)
        found[name] = (match["op"], match["right"])
    return found


def _parsed(rule: Mapping[str, Any]) -> NatRule:
    owner, dummy, comment = rule["comment"][len(MARK) :].partition("|")
    matches = _matches(rule["expr"])
    source = _prefix(matches.get("saddr", ("", ""))[1])
    daddr = matches.get("daddr", ("", ""))
    elements = daddr[1].get("set", []) if isinstance(daddr[1], dict) else []
    untouched = [_prefix(one) for one in elements]
    last = rule["expr"][-1]
    snat = last.get("snat") or {}
    well_formed = (
        set(matches) <= {"saddr", "daddr", "oifname"}
        and bool(source)
        and daddr[0] == "!="
        and all(untouched)
        and (("masquerade" in last and not last["masquerade"]) or (set(snat) <= {"family", "addr"} and bool(snat)))
    )
    exclude: Tuple[str, ...] = ()
    if well_formed:
        exclude = tuple(one for one in _collapsed(untouched) if one not in _untouched(source, ()))
        well_formed = _untouched(source, exclude) == _collapsed(untouched)
    if not well_formed:  # edited by hand: known by owner and source, equal to nothing that is wanted
        return NatRule(source or "0.0.0.0/0", "?", (), "", owner, comment, rule["handle"])
    operator, name = matches.get("oifname", ("", ""))
    return NatRule(
        source, ("!" if operator == "!=" else "") + name, exclude, snat.get("addr", ""), owner, comment, rule["handle"]
    )


def _covers(match: Optional[Tuple[str, Any]], source: str) -> bool:
    """Return whether an address match (or none) holds for every address of ``source``."""
    if match is None:
        return True
    network = _prefix(match[1])
    if match[0] not in ("==", "in") or not network:
        return False
    outer, inner = ipaddress.ip_network(network), ipaddress.ip_network(source)
    return outer.version == inner.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def _chains(objects: Sequence[Mapping[str, Any]], hook: str, type_: str, family: int) -> List[Mapping[str, Any]]:
    families = ("ip", "inet") if family == 4 else ("ip6", "inet")
    chains = [item["chain"] for item in objects if "chain" in item and item["chain"]["family"] in families]
    return [
        chain for chain in chains if chain.get("hook") == hook and chain.get("type") == type_ and not is_ours(chain)
    ]


def _name(item: Mapping[str, Any]) -> str:
    return "%s %s %s" % (item["family"], item["table"], item.get("chain") or item.get("name"))


def _rules_of(objects: Sequence[Mapping[str, Any]], family: str, table: str, chain: str) -> List[Mapping[str, Any]]:
    rules = [item["rule"] for item in objects if "rule" in item]
    return [rule for rule in rules if (rule["family"], rule["table"], rule["chain"]) == (family, table, chain)]


def _is_masquerade(rule: Mapping[str, Any]) -> bool:
    last = rule["expr"][-1] if rule["expr"] else {}
    return last.get("masquerade", False) is None or last.get("xt", {}).get("name") == "MASQUERADE"


def satisfied_by(objects: Sequence[Mapping[str, Any]], wanted: NatRule) -> str:
    """Return the foreign masquerade rule that does what ``wanted`` asks, as ``FAMILY TABLE CHAIN handle N``, or ``""``.

    Only a rule in a base chain counts that matches the whole source and leaves out the same interface or none, and only
    where nothing that ``wanted`` excludes would be translated by it.
    """
    if wanted.type != "masquerade" or wanted.exclude:
        return ""
    for chain in _chains(objects, "postrouting", "nat", wanted.family):
        for rule in _rules_of(objects, chain["family"], chain["table"], chain["name"]):
            matches = _matches(rule["expr"])
            operator, name = matches.get("oifname", ("", ""))
            same_way = wanted.out_interface == ("!" if operator == "!=" else "") + name
            if (
                _is_masquerade(rule)
                and same_way
                and set(matches) <= {"saddr", "oifname"}
                and "saddr" in matches
                and _covers(matches["saddr"], wanted.source)
            ):
                return "%s handle %d" % (_name(rule), rule["handle"])
    return ""


@dataclass(frozen=True)
class _Packet:
    """A new packet as a forward chain sees it. Of the addresses and of the interfaces one each is known; where an interface is
    ``""`` it is any but ``bridge``, the other one."""

    saddr: str = ""
    daddr: str = ""
    iifname: str = ""
    oifname: str = ""
    bridge: str = ""

    def meets(self, matches: Mapping[str, Tuple[str, Any]]) -> bool:
        """Return whether the packet meets all matches of a rule. One that is not understood counts as not met."""
        for name, (operator, value) in matches.items():
            if name in ("saddr", "daddr"):
                known = getattr(self, name)
                if not known or not _covers((operator, value), known):
                    return False
            elif name in ("iifname", "oifname"):
                known = getattr(self, name)
                if operator not in ("==", "!=") or (operator == "==") != (known == value if known else False):
                    return False
                if not known and value != self.bridge:
                    return False
            else:
                return False
        return True


def _lets_pass(
    objects: Sequence[Mapping[str, Any]], rules: Sequence[Mapping[str, Any]], packet: _Packet, depth: int = 0
) -> Optional[bool]:
    """Return what a chain does with a packet: True, False, None (falls through). A doubt never hides a block."""
    for rule in rules:
        if not packet.meets(_matches(rule["expr"])):
            continue
        last = rule["expr"][-1] if rule["expr"] else {}
        if "accept" in last:
            return True
        if "drop" in last or "reject" in last:
            return False
        target = (last.get("jump") or last.get("goto") or {}).get("target")
        if target and depth < 8:
            inner = _lets_pass(objects, _rules_of(objects, rule["family"], rule["table"], target), packet, depth + 1)
            if inner is not None:
                return inner
    return None


def _blocked(objects: Sequence[Mapping[str, Any]], packet: _Packet, family: int) -> List[str]:
    """Return the foreign forward chains that drop a packet, as ``FAMILY TABLE CHAIN (policy drop)``."""
    found = []
    for chain in _chains(objects, "forward", "filter", family):
        verdict = _lets_pass(objects, _rules_of(objects, chain["family"], chain["table"], chain["name"]), packet)
        if verdict is False or (verdict is None and chain.get("policy") == "drop"):
            found.append("%s (%s)" % (_name(chain), "a rule drops it" if verdict is False else "policy drop"))
    return found


def blocked_by(objects: Sequence[Mapping[str, Any]], wanted: NatRule) -> List[str]:
    """Return the foreign forward chains that drop what ``wanted`` would translate."""
    bridge = wanted.out_interface[1:] if wanted.out_interface.startswith("!") else ""
    return _blocked(objects, _Packet(saddr=wanted.source, iifname=bridge, bridge=bridge), wanted.family)


def inbound_blocked_by(objects: Sequence[Mapping[str, Any]], to: str, bridge: str) -> List[str]:
    """Return the foreign forward chains that drop what comes from outside for the address ``to`` behind ``bridge``."""
    return _blocked(objects, _Packet(daddr=to, oifname=bridge, bridge=bridge), ipaddress.ip_address(to).version)
