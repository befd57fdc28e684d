# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Source NAT rules, to and from nftables: each a rule of our own table and a stop beside it, their comments carrying the owner. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import Any, Collection, Dict, List, Mapping, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends import nftables_whole as whole
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_json import (
    Objects,
    fields,
    kind,
    listed,
    matches_of,
    table_of,
    tables,
    text_of,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_static import (
    CHAIN,
    CHAINS,
    IP,
    STOP_MARK,
    STOPS,
    TABLE,
    deleted,
    made,
    put_again,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import prefix
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    EVERYWHERE,
    MARK,
    UNREADABLE,
    Edit,
    NatRule,
    canonical_exclude,
    collapsed,
    family_of,
    untouched,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model import addressing

_Found = Dict[Tuple[str, str], List[NatRule]]  # rules or stops, by owner and source
Handles = Sequence[Tuple[str, int]]  # of rules, each with its chain
_INVALID = "ct state invalid counter drop"


def _matched(rule: NatRule) -> str:
    """Return what a rule is about, in nft's syntax."""
    ip = IP[rule.family][0]
    parts = ["%s saddr %s" % (ip, rule.source)]
    if rule.out_interface:
        other = rule.out_interface.startswith("!")
        parts.append('oifname %s"%s"' % ("!= " if other else "", rule.out_interface[1 if other else 0 :]))
    parts.append("%s daddr != { %s }" % (ip, ", ".join(rule.untouched)))
    return " ".join(parts)


def text(rule: NatRule) -> str:
    """Return a rule in nft's syntax."""
    goal = "snat %s to %s" % (IP[rule.family][0], rule.to_address) if rule.to_address else "masquerade"
    return '%s %s comment "%s"' % (_matched(rule), goal, rule.marked)


def stop(rule: NatRule) -> str:
    """Return the stop of a rule in nft's syntax."""
    return '%s %s comment "%s"' % (_matched(rule), _INVALID, STOP_MARK + rule.marked[len(MARK) :])


def base(strays: Handles = (), remade: Collection[str] = (), carried: Sequence[Tuple[str, str]] = ()) -> List[str]:
    """Return the lines that make the table and the two chains; harmless where they are there. ``strays`` carry our mark and are no rules of ours;
    for ``remade`` and ``carried`` see `StaticRules.base`."""
    anew = [chain for chain in CHAINS if "chain " + chain in remade]
    return [
        "add table %s" % TABLE,
        *deleted(strays),
        *("%s chain %s %s" % (verb, TABLE, chain) for chain in anew for verb in ("flush", "delete")),
        *(made(chain, hook) for chain, hook in CHAINS.items()),
        *put_again(carried, CHAINS),
    ]


def put(rule: NatRule, handles: Handles, remade: Collection[str] = ()) -> List[str]:
    """Return the lines that add a rule and its stop, or put them in the place of what has these handles, in chains that are not made anew.

    Not "replace": nft 1.0.6 aborts where a replacing rule has a set of networks.
    """
    lines = []
    for chain, line in ((CHAIN, text(rule)), (STOPS, stop(rule))):
        at = [handle for where, handle in handles if where == chain and "chain " + chain not in remade]
        lines.append("add rule %s %s %s%s" % (TABLE, chain, "handle %d " % at[0] if at else "", line))
    return lines + delete(handles, remade)


def delete(handles: Handles, remade: Collection[str] = ()) -> List[str]:
    """Return the lines that delete the rules with these handles, in chains that are not made anew."""
    return deleted((chain, handle) for chain, handle in handles if "chain " + chain not in remade)


def drop_table() -> str:
    """Return the line that deletes the table with all in it."""
    return "delete table %s" % TABLE


def gone(there: Collection[str]) -> List[str]:
    """Return the lines that take the two chains away with all in them, of those that are ``there`` ("chain NAME")."""
    chains = [chain for chain in CHAINS if "chain " + chain in there]
    return ["%s chain %s %s" % (verb, TABLE, chain) for chain in chains for verb in ("flush", "delete")]


def typed(edit: Edit, replaced: Sequence[NatRule], remade: Collection[str] = ()) -> List[str]:
    """Return the lines that a person would type for the source NAT rules of an edit."""
    old = {rule.key: rule for rule in replaced}
    lines: List[str] = []
    for rule in edit.put:
        was = old.get(rule.key)
        lines += base() if was is None or not was.stopped else []
        lines += put(rule, was.handles if was else (), remade)
    return lines + [line for key in edit.drop if key in old for line in delete(old[key].handles, remade)]


# --- reading ---


def is_ours(item: Mapping[str, Any]) -> bool:
    """Return whether an object of the rule set is in our table."""
    return table_of(item) == TABLE


def _in_our_table(objects: Objects) -> List[Mapping[str, Any]]:
    return [rule for rule in kind(objects, "rule") if is_ours(rule)]


def has_table(objects: Objects) -> bool:
    """Return whether our table is there."""
    return TABLE in tables(objects)


def there(objects: Objects) -> Set[str]:
    """Return the chains, sets and maps of our table, as "chain NAME"."""
    found = [(what, item) for what in ("chain", "set", "map") for item in kind(objects, what)]
    return {"%s %s" % (what, text_of(item.get("name"))) for what, item in found if is_ours(item)}


def ours(objects: Objects) -> List[NatRule]:
    """Return the source NAT rules of our table, each with its stop. What cannot be read back, or is there twice, or without its rule, is known by
    owner, source and handles only."""
    rules: _Found = {}
    stops: _Found = {}
    for item in _in_our_table(objects):
        for found, chain, mark in ((rules, CHAIN, MARK), (stops, STOPS, STOP_MARK)):
            comment = text_of(item.get("comment"))
            if item.get("chain") == chain and comment.startswith(mark):
                one = _parsed(item, comment[len(mark) :], chain)
                found.setdefault(one.key, []).append(one)
    _at_home(rules, stops)
    _at_home(stops, rules)
    return [_joined(rules.get(key, []), stops.get(key, [])) for key in dict.fromkeys([*rules, *stops])]


def _at_home(found: _Found, others: _Found) -> None:
    """Have what does not say any more for which source it is belong to one of its owner's, if there is one of which it may be the other half."""
    for key in [key for key, ones in found.items() if _lost(ones[0])]:
        homes = [other for other in (*others, *found) if other[0] == key[0] and other != key]
        for home in [*(other for other in homes if other not in found), *homes][:1]:
            found.setdefault(home, []).extend(found.pop(key))


def _lost(rule: NatRule) -> bool:
    return rule.out_interface == UNREADABLE and rule.source in EVERYWHERE.values()


def _joined(rules: Sequence[NatRule], stops: Sequence[NatRule]) -> NatRule:
    """Return the rule that rules and stops of one owner and source are."""
    first = next((one for one in (*rules, *stops) if not _lost(one)), (rules or stops)[0])
    handles = tuple(handle for one in (*rules, *stops) for handle in one.handles)
    if len(rules) != 1 or first is not rules[0]:
        return replace(first, out_interface=UNREADABLE, exclude=(), to_address="", handles=handles)
    return replace(first, stopped=[replace(first, to_address="")] == stops, handles=handles)


def _parsed(rule: Mapping[str, Any], whose: str, chain: str) -> NatRule:
    """Return a rule, or a stop as a rule that it would be the stop of, but for what it translates to."""
    owner, dummy, comment = whose.partition("|")
    handle = rule["handle"] if isinstance(rule.get("handle"), int) else 0
    expressions = listed(rule.get("expr"))
    conditions, last = expressions[:-1], fields(expressions[-1]) if expressions else {}
    to_address = _to_address(last)
    known = ("masquerade" in last and not last["masquerade"]) or bool(to_address)
    if chain == STOPS:
        conditions, known, to_address = expressions[:-3], whole.text(expressions[-3:]) == _INVALID, ""
    matches = matches_of(conditions)
    from_operator, source = matches.get("saddr", ("", ""))
    source = prefix(source)
    operator, destinations = matches.get("daddr", ("", ""))
    kept = [prefix(network) for network in listed(fields(destinations).get("set"))]
    out_operator, name = matches.get("oifname", ("", ""))
    well_formed = (
        known
        and all("match" in fields(part) for part in conditions)
        and set(matches) <= {"saddr", "daddr", "oifname"}
        and bool(source)
        and (from_operator, operator) == ("==", "!=")
        and all(network and family_of(network) == family_of(source) for network in kept)
        and isinstance(name, str)
    )
    handles = ((chain, handle),)
    if well_formed:
        exclude = canonical_exclude(source, kept)
        if untouched(source, exclude) == collapsed(kept):
            out = ("!" if out_operator == "!=" else "") + name
            return NatRule(source, out, exclude, to_address, owner, comment, True, handles)
    # Edited by hand: equal to nothing that is wanted.
    return NatRule(source or EVERYWHERE[4], UNREADABLE, (), "", owner, comment, True, handles)


def _to_address(last: Mapping[str, Any]) -> str:
    """Return the address that a rule takes for the source, ``""`` where it takes none, or says something besides."""
    snat = fields(last.get("snat"))
    try:
        return (
            addressing.text(ipaddress.ip_address(text_of(snat.get("addr")))) if set(snat) <= {"family", "addr"} else ""
        )
    except ValueError:
        return ""
