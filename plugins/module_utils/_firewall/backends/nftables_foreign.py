# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the rules of others in nft's JSON mean, and their chains. Pure.

nft has more expressions than are known here, and each version spells some of them anew. What is not understood counts as that.
"""

from __future__ import annotations

from typing import Any, Collection, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Chains
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_json import (
    Objects,
    element,
    fields,
    kind,
    listed,
    pairs,
    table_of,
    text_of,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import Chain, Rule, Setting
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.matching import (
    ADDRESSES,
    FLAGS,
    GOES_ON,
    ICMP_TYPES,
    INTERFACES,
    NUMBERS,
    TARGETS,
    WORDS,
    Bits,
    Lookup,
    Match,
    Value,
    address,
    between,
    match,
    merged,
    number,
    protocol,
    unknown,
)

FAMILY_WORDS = {"ip": (4,), "ip6": (6,), "inet": (4, 6), "bridge": (4, 6), "netdev": (4, 6)}
_VERDICTS = ("accept", "drop", "return", "continue", "dnat", "snat", "masquerade", "redirect", "reject")
# What only counts, notes or changes, and goes on.
_GOES_ON = {"counter", "log", "comment", "ct helper", "ct timeout", "ct expectation", "flow", "dup", "secmark", "last"}
_RATES = {"limit", "quota", "ct count", "meter"}
_META = {
    "iifname": "iifname", "oifname": "oifname", "iif": "iifname", "oif": "oifname", "l4proto": "l4proto", "nfproto": "nfproto",
    "protocol": "protocol", "mark": "mark", "pkttype": "pkttype", "iifkind": "iifkind", "oifkind": "oifkind", "ibrname": "ibrname",
    "obrname": "obrname",
}  # fmt: skip
_CT = {
    "state": "ct state", "status": "ct status", "mark": "ct mark", "direction": "ct direction", "ip saddr": "ct original saddr",
    "ip daddr": "ct original daddr", "ip6 saddr": "ct original saddr", "ip6 daddr": "ct original daddr", "proto-dst": "ct original dport",
}  # fmt: skip
_TRANSPORT = ("tcp", "udp", "udplite", "sctp", "dccp")
_EVERY = 2**128 - 1
_EVERY_MARK = 0xFFFFFFFF

Sets = Mapping[Tuple[str, str], Any]  # the elements by table and name, None where rules change them


def _looked_at(expression: Any) -> Tuple[str, List[Match]]:
    """Return what an expression looks at, ``""`` where that is not known here, and what it asks besides, of what is there at all."""
    parts = fields(expression)
    if "payload" in parts:
        return _payload(fields(parts["payload"]))
    if "meta" in parts:
        return _META.get(text_of(fields(parts["meta"]).get("key")), ""), []
    if "ct" in parts:
        ct = fields(parts["ct"])
        name = _CT.get(text_of(ct.get("key")), "")
        return ("" if " original " in name and ct.get("dir") != "original" else name), []
    if "fib" in parts:
        fib = fields(parts["fib"])
        flags = fib.get("flags")
        if fib.get("result") == "type" and flags in (["daddr"], ["saddr"]):
            return "%s type" % flags[0], []
        if fib.get("result") == "oif" and isinstance(flags, list) and "saddr" in flags:
            return "rpf", []
    return "", []


def _payload(payload: Mapping[str, Any]) -> Tuple[str, List[Match]]:
    of, name = text_of(payload.get("protocol")), text_of(payload.get("field"))
    if of in ("ip", "ip6"):
        needs = [match("protocol", of)]
        if name in ("saddr", "daddr"):
            return name, needs
        return {"protocol": "l4proto", "nexthdr": "l4proto", "frag-off": "frag off"}.get(name, ""), needs
    if of == "ether":
        return "protocol" if name == "type" else "", []
    if of in ("arp", "vlan"):
        return "", [match("protocol", of)] if of == "arp" else []
    needs = [] if of == "th" else [match("l4proto", protocol(of))]
    if of in ("icmp", "icmpv6") and name == "type":
        return "%s type" % of, needs
    if of in _TRANSPORT or of == "th":
        known = {"sport": "sport", "dport": "dport", "flags": "tcp flags" if of == "tcp" else ""}
        return known.get(name, ""), needs
    return "", needs


def _value(what: str, value: Any) -> Value:
    """Return a value that is compared with one thing."""
    value = element(value)
    inner = fields(value)
    if what in ADDRESSES:
        if "prefix" in inner:
            one = fields(inner["prefix"])
            return address("%s/%s" % (one.get("addr"), one.get("len")))
        ends = listed(inner.get("range"))
        return between(ends[0], ends[1]) if len(ends) == 2 else address(value)
    if what in NUMBERS or what == "l4proto":
        read = protocol if what == "l4proto" else number
        ends = listed(inner.get("range"))
        if len(ends) == 2:
            first, last = read(ends[0]), read(ends[1])
            return (first[0], last[0]) if first and last and first[0] <= last[0] else None
        return read(value)
    if what in ICMP_TYPES and isinstance(value, int):
        return ICMP_TYPES[what].get(value, str(value))
    if what == "rpf":
        return "missing" if value in (False, 0, "0") else "found" if value is True else None
    if what in INTERFACES and value in (0, "0"):
        return ""  # of iif and oif: none
    if what in INTERFACES or what in WORDS or what in FLAGS:
        return value if isinstance(value, str) and value else None
    return None


def _values(whats: Tuple[str, ...], value: Any) -> Tuple[Value, ...]:
    """Return the values that one element has for all parts of a concatenation."""
    if len(whats) == 1:
        return (_value(whats[0], value),)
    inner = listed(fields(element(value)).get("concat"))
    return tuple(map(_value, whats, inner)) if len(inner) == len(whats) else (None,) * len(whats)


def _keys(key: Any) -> Tuple[Tuple[str, ...], List[Match]]:
    """Return what a key looks at, nothing where part of it is not known here, and what it asks besides."""
    parts = listed(fields(key).get("concat")) or [key]
    found = [_looked_at(part) for part in parts]
    names = tuple(name for name, dummy in found)
    return (names if all(names) else ()), [needs for dummy, more in found for needs in more]


def _elements(right: Any, table: str, sets: Sets) -> Optional[List[Any]]:
    """Return the elements of a set, named or not, None where it is no set, or its elements are not known."""
    if isinstance(right, str) and right.startswith("@"):
        held = sets.get((table, right[1:]))
        return None if held is None else list(listed(held))
    inner = fields(right)
    return list(listed(inner["set"])) if "set" in inner else None


def _compared(expression: Mapping[str, Any], table: str, sets: Sets) -> List[Match]:
    """Return what a comparison asks."""
    operator, left, right = expression.get("op"), expression.get("left"), expression.get("right")
    masked = listed(fields(left).get("&"))
    names, needs = _keys(masked[0] if len(masked) == 2 else left)
    if not names or (masked and len(masked) != 2):
        return [*needs, unknown()]
    one = _masked(names, masked[1], operator, right) if masked else _plain(names, operator, right, table, sets)
    return [*needs, one]


def _masked(names: Tuple[str, ...], mask: Any, operator: Any, right: Any) -> Match:
    """Return a comparison of some bits."""
    name = names[0]
    if len(names) > 1 or operator not in ("==", "!="):
        return unknown()
    if name in FLAGS:
        asked, wanted = ([text_of(one) for one in listed(part) or [part]] for part in (mask, right))
        if not all(asked) or (right != 0 and not all(wanted)):
            return unknown()
        return Match(names, (tuple(wanted) if right != 0 else (),), operator == "!=", frozenset(asked))
    bits, values = number(mask), [number(one) for one in listed(fields(right).get("set")) or [right]]
    if name not in (*NUMBERS, "frag off") or bits is None or None in values:
        return unknown()
    return Match(names, tuple((value,) for value in values), operator == "!=", bits[0])


def _plain(names: Tuple[str, ...], operator: Any, right: Any, table: str, sets: Sets) -> Match:
    if operator in ("<", ">", "<=", ">="):
        edge = _value(names[0], right) if len(names) == 1 and names[0] in (*NUMBERS, *ADDRESSES, "l4proto") else None
        if not isinstance(edge, tuple):
            return unknown()
        spans = {"<": (-1, edge[0] - 1), "<=": (-1, edge[1]), ">": (edge[1] + 1, _EVERY), ">=": (edge[0], _EVERY)}
        return match(names[0], spans[operator])
    if operator not in ("==", "!=", "in"):
        return unknown()
    if names == ("rpf",) and operator == "!=":
        return unknown()
    named = (isinstance(right, str) and right.startswith("@")) or "set" in fields(right)
    elements = _elements(right, table, sets)
    if named and elements is None:
        return unknown()
    if not named:
        flags = names[0] in FLAGS and isinstance(right, list)
        if flags and operator != "in" and names[0] != "ct state":
            return unknown()
        if names[0] in FLAGS and operator != "in" and names != ("ct state",):  # all flags are compared
            return unknown()
        elements = list(right) if flags else [right]
    return Match(names, merged([_values(names, one) for one in elements or []]), operator == "!=")


def _verdict(parts: Mapping[str, Any]) -> Tuple[str, str]:
    """Return the verdict that a statement is, and its target; ``""`` where it is none."""
    for name in ("jump", "goto"):
        if name in parts:
            return name, text_of(fields(parts[name]).get("target"))
    for name in ("dnat", "snat", "redirect"):
        if parts.get(name) or (name == "dnat" and name in parts):
            return name, _translated(fields(parts[name]))
    if parts.get("masquerade"):
        return "snat", ""  # with flags, it is something else
    return next((name for name in _VERDICTS if name in parts), ""), ""


def _translated(to: Mapping[str, Any]) -> str:
    """Return where a statement translates to as ``ADDRESS``, ``ADDRESS:PORT``, ``[ADDRESS6]:PORT`` or ``:PORT``, ``?`` where it says that otherwise."""
    ip, port = to.get("addr", ""), to.get("port", "")
    if (
        not isinstance(ip, str)
        or not isinstance(port, (int, str))
        or not (ip or port)
        or set(to) & {"flags", "type_flags"}
    ):
        return "?"
    return "%s%s" % ("[%s]" % ip if ":" in ip and port else ip, ":%s" % port if port else "")


def _mapped(to: Mapping[str, Any], table: str, sets: Sets) -> Tuple[Optional[Lookup], List[Match]]:
    """Return the map that a statement takes its address from, with its port where the map has one, None where it takes none; and what it asks besides."""
    by = fields(fields(to.get("addr")).get("map"))
    if not by or "port" in to or set(to) & {"flags", "type_flags"}:
        return None, []
    names, needs = _keys(by.get("key"))
    held = _elements(by.get("data"), table, sets)
    if held is None or not names:
        return None, needs
    entries = []
    for key, value in pairs(held):
        parts = listed(fields(element(value)).get("concat"))
        address_ = {"addr": parts[0], "port": parts[1]} if len(parts) == 2 else {"addr": element(value)}
        entries.append((_values(names, key), "dnat", _translated(address_)))
    return (Lookup(names, tuple(entries)) if len(entries) == len(held) else None), needs


def _of_iptables(xt: Mapping[str, Any]) -> Tuple[List[Match], str, List[Tuple[str, Setting]]]:
    """Return what an extension of iptables asks, its verdict, and what it changes: nft tells no more of it than its name."""
    name = text_of(xt.get("name"))
    if xt.get("type") != "target":
        return ([] if name == "comment" else [unknown(hidden=True)]), "", []
    if name in GOES_ON:
        return [], "", [(changed, None) for changed in GOES_ON[name]]
    return [], TARGETS.get(name, "?"), []


def _set_to(parts: Mapping[str, Any], table: str, sets: Sets) -> List[Tuple[str, Setting]]:
    """Return what a statement changes of marks."""
    mangle = fields(parts.get("mangle"))
    name, dummy = _looked_at(mangle.get("key"))
    return [(name, _setting(mangle.get("value"), table, sets))] if name in ("mark", "ct mark") else []


def _setting(value: Any, table: str, sets: Sets) -> Setting:
    """Return what a mark is set to: a number, what is made of a mark by one, or what a map has; None for anything else."""
    parts = fields(value)
    by = fields(parts.get("map"))
    if by:
        names, dummy = _keys(by.get("key"))
        held = pairs(_elements(by.get("data"), table, sets) or [])
        marks = [(key, number(element(found))) for key, found in held]
        if not names or any(mark is None for dummy, mark in marks):
            return None
        return Lookup(names, tuple((_values(names, key), "mark", str(mark[0])) for key, mark in marks if mark))
    for operator in ("|", "&"):
        operands = listed(parts.get(operator))
        bits = number(operands[1]) if len(operands) == 2 else None
        of, dummy = _looked_at(operands[0]) if bits else ("", [])
        if bits and of in ("mark", "ct mark"):
            return Bits(of, bits[0]) if operator == "&" else Bits(of, ~bits[0] & _EVERY_MARK, bits[0])
    of, dummy = _looked_at(value)
    return Bits(of, _EVERY_MARK) if of in ("mark", "ct mark") else number(value)


def rule_of(item: Mapping[str, Any], sets: Sets) -> Rule:
    """Return what a rule means."""
    matches: List[Match] = []
    changed: List[Tuple[str, Setting]] = []
    verdict = target = ""
    lookup: Optional[Lookup] = None
    table, odd = table_of(item), not isinstance(item.get("expr"), list)
    for part in listed(item.get("expr")):
        parts = fields(part)
        found = _verdict(parts)
        if "match" in parts:
            matches += _compared(fields(parts["match"]), table, sets)
        elif "vmap" in parts:
            lookup, needs = _lookup(fields(parts["vmap"]), table, sets)
            matches += needs
        elif found[0]:
            verdict, target = found
            if verdict == "dnat" and target == "?":
                lookup, needs = _mapped(fields(parts["dnat"]), table, sets)
                matches += needs
            if verdict == "reject" and table.partition(" ")[0] not in ("ip", "ip6"):
                matches += _implied(fields(parts["reject"]), matches)
        elif "xt" in parts:
            asked, verdict, marks = _of_iptables(fields(parts["xt"]))
            matches += asked
            changed += marks
            target = "?" if verdict else target
        elif _RATES & set(parts) or (
            set(parts) & {"set", "map"} and "stmt" in fields(parts.get("set", parts.get("map")))
        ):
            matches.append(unknown(some=True))
        elif "mangle" in parts:
            changed += _set_to(parts, table, sets)
        elif "notrack" in parts:  # then nothing of the packet is translated
            verdict = "?"
        elif not parts or not set(parts) <= _GOES_ON | {"set", "map"}:
            odd = True
    if odd and not verdict:
        verdict = "?"
    elif odd:
        matches.append(unknown())
    return Rule(tuple(matches), verdict, target, "handle %s" % item.get("handle", "?"), lookup, tuple(changed))


def _implied(reject: Mapping[str, Any], matches: Sequence[Match]) -> List[Match]:
    """Return what a reject asks besides, of the family of addresses: nft leaves it out where the kind of answer says so, and in front of `tcp reset`, where
    nothing says it then (payload_dependency_release, called by stmt_reject_postprocess in nft's netlink_delinearize.c)."""
    way = reject.get("type")
    family = {"icmp": "ip", "icmpv6": "ip6"}.get(way) if isinstance(way, str) else None
    if family is not None:
        return [match("protocol", family)]
    told = any({"nfproto", "protocol"}.intersection(one.what) for one in matches)
    return [unknown()] if way == "tcp reset" and not told else []


def _lookup(vmap: Mapping[str, Any], table: str, sets: Sets) -> Tuple[Lookup, List[Match]]:
    """Return a verdict map, and what it asks besides."""
    names, needs = _keys(vmap.get("key"))
    held = _elements(vmap.get("data"), table, sets)
    if held is None:
        return Lookup((), (((), "?", ""),)), needs
    entries = [(_values(names, key) if names else (), *_verdict(fields(value))) for key, value in pairs(held)]
    if len(entries) != len(held):
        entries.append(((None,) * len(names), "?", ""))
    return Lookup(names, tuple((values, verdict or "?", target) for values, verdict, target in entries)), needs


def _changed_by_rules(objects: Objects) -> Set[Tuple[str, str]]:
    """Return the sets and maps that rules add to while packets pass, by table and name."""
    found = set()
    for item in kind(objects, "rule"):
        for part in listed(item.get("expr")):
            for name in ("set", "map"):
                inner = fields(fields(part).get(name))
                found.add((table_of(item), text_of(inner.get(name)).lstrip("@")))
    return found


def chains_of(objects: Objects, ours: Collection[str] = (), calls: Tuple[str, ...] = ()) -> Chains:
    """Return the chains by table and name, without ours: those in the tables ``ours``, and those whose names begin with one of ``calls``, in the
    tables of iptables-nft. A rule that calls one of the latter is one that is never met: it keeps its place, so that rules can be counted."""
    dormant = {
        "%s %s" % (table.get("family"), table.get("name"))
        for table in kind(objects, "table")
        if "dormant" in (listed(table.get("flags")) or [table.get("flags")])
    }
    live = _changed_by_rules(objects)
    sets: Dict[Tuple[str, str], Any] = {}
    for what in ("set", "map"):
        for item in kind(objects, what):
            key = table_of(item), text_of(item.get("name"))
            sets[key] = None if key in live else item.get("elem", [])
    rules: Dict[Tuple[str, str], List[Rule]] = {}
    for item in kind(objects, "rule"):
        if table_of(item) in ours:
            continue
        rule = rule_of(item, sets)
        if rule.verdict in ("jump", "goto") and rule.target.startswith(calls):
            rule = Rule((Match(("nobody",)),), shown=rule.shown)
        rules.setdefault((table_of(item), text_of(item.get("chain"))), []).append(rule)
    found: Chains = {}
    for item in kind(objects, "chain"):
        table, name = table_of(item), text_of(item.get("name"))
        families = FAMILY_WORDS.get(text_of(item.get("family")), ())
        if families and name and not name.startswith(calls) and table not in ours and table not in dormant:
            found[table, name] = _chain(item, families, tuple(rules.get((table, name), ())))
    return found


def _chain(item: Mapping[str, Any], families: Tuple[int, ...], rules: Tuple[Rule, ...]) -> Chain:
    device, priority = item.get("dev"), item.get("prio")
    names = [device] if isinstance(device, str) else listed(device)
    return Chain(
        table_of(item),
        text_of(item.get("name")),
        families,
        text_of(item.get("type")),
        text_of(item.get("hook")),
        text_of(item.get("policy")) or "accept",
        rules,
        priority if isinstance(priority, int) else 0,
        tuple(name for name in names if isinstance(name, str)) or None,
    )
