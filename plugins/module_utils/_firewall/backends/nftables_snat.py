# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Source NAT rules, to and from nftables: each a rule of our own table, its comment carrying the owner. Pure."""

from __future__ import annotations

import ipaddress
from typing import Any, List, Mapping, Sequence, Set

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
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_static import TABLE
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

CHAIN = "postrouting"


def text(rule: NatRule) -> str:
    """Return a rule in nft's syntax."""
    ip = "ip" if rule.family == 4 else "ip6"
    parts = ["%s saddr %s" % (ip, rule.source)]
    if rule.out_interface:
        other = rule.out_interface.startswith("!")
        parts.append('oifname %s"%s"' % ("!= " if other else "", rule.out_interface[1 if other else 0 :]))
    parts.append("%s daddr != { %s }" % (ip, ", ".join(rule.untouched)))
    parts.append("snat %s to %s" % (ip, rule.to_address) if rule.to_address else "masquerade")
    parts.append('comment "%s"' % rule.marked)
    return " ".join(parts)


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
    line = "add rule %s %s %s%s" % (TABLE, CHAIN, "handle %d " % handle if handle else "", text(rule))
    return [line, delete(handle)] if handle else [line]


def delete(handle: int) -> str:
    """Return the line that deletes the rule with that handle."""
    return "delete rule %s %s handle %d" % (TABLE, CHAIN, handle)


def drop_table() -> str:
    """Return the line that deletes the table with all in it."""
    return "delete table %s" % TABLE


def typed(edit: Edit, replaced: Sequence[NatRule], last: bool) -> List[str]:
    """Return the lines that a person would type for the source NAT rules of an edit."""
    if last:
        return [drop_table()]
    old = {rule.key: rule.handle for rule in replaced}
    lines: List[str] = []
    for rule in edit.put:
        lines += [*([] if rule.key in old else base()), *put(rule, old.get(rule.key, 0))]
    return lines + [delete(old[key]) for key in edit.drop if key in old]


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
    """Return the rules of our table that carry our mark. One that cannot be read back is known by owner, source and handle only."""
    return [_parsed(rule) for rule in _in_our_table(objects) if text_of(rule.get("comment")).startswith(MARK)]


def unmarked(objects: Objects) -> List[str]:
    """Return the rules in our table that do not carry our mark, by handle: somebody put them there by hand."""
    return [
        "handle %s" % rule.get("handle")
        for rule in _in_our_table(objects)
        if not text_of(rule.get("comment")).startswith("linuxnet")
    ]


def _parsed(rule: Mapping[str, Any]) -> NatRule:
    owner, dummy, comment = text_of(rule.get("comment"))[len(MARK) :].partition("|")
    handle = rule["handle"] if isinstance(rule.get("handle"), int) else 0
    expressions = listed(rule.get("expr"))
    matches = matches_of(expressions)
    from_operator, source = matches.get("saddr", ("", ""))
    source = prefix(source)
    operator, destinations = matches.get("daddr", ("", ""))
    kept = [prefix(network) for network in listed(fields(destinations).get("set"))]
    out_operator, name = matches.get("oifname", ("", ""))
    last = fields(expressions[-1]) if expressions else {}
    to_address = _to_address(last)
    well_formed = (
        set(matches) <= {"saddr", "daddr", "oifname"}
        and bool(source)
        and (from_operator, operator) == ("==", "!=")
        and all(network and family_of(network) == family_of(source) for network in kept)
        and isinstance(name, str)
        and (("masquerade" in last and not last["masquerade"]) or bool(to_address))
    )
    if well_formed:
        exclude = canonical_exclude(source, kept)
        if untouched(source, exclude) == collapsed(kept):
            out = ("!" if out_operator == "!=" else "") + name
            return NatRule(source, out, exclude, to_address, owner, comment, handle)
    # Edited by hand: equal to nothing that is wanted.
    return NatRule(source or EVERYWHERE[4], UNREADABLE, (), "", owner, comment, handle)


def _to_address(last: Mapping[str, Any]) -> str:
    """Return the address that a rule takes for the source, ``""`` where it takes none, or says something besides."""
    snat = fields(last.get("snat"))
    try:
        return (
            addressing.text(ipaddress.ip_address(text_of(snat.get("addr")))) if set(snat) <= {"family", "addr"} else ""
        )
    except ValueError:
        return ""
