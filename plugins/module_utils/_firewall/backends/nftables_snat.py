# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Source NAT rules, to and from nftables: each a rule of our own table, its comment carrying the owner. Pure."""

from __future__ import annotations

from typing import Any, List, Mapping, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import matches_of, prefix
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    MARK,
    Edit,
    NatRule,
    canonical_exclude,
    collapsed,
    untouched,
)

TABLE = "inet linuxnet_containers"
CHAIN = "postrouting"


def text(rule: NatRule) -> str:
    """Return a rule in nft's syntax."""
    ip = "ip" if rule.family == 4 else "ip6"
    parts = ["%s saddr %s" % (ip, rule.source)]
    if rule.out_interface:
        parts.append(
            'oifname %s"%s"' % ("!= " if rule.out_interface.startswith("!") else "", rule.out_interface.lstrip("!"))
        )
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
    return lines + [delete(old[key]) for key in edit.drop]


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


def strangers(objects: Sequence[Mapping[str, Any]]) -> List[str]:
    """Return the rules in our table that are not ours, by handle: somebody put them there by hand."""
    return [
        "handle %d" % rule["handle"]
        for rule in _in_our_table(objects)
        if not str(rule.get("comment", "")).startswith("linuxnet")
    ]


def _parsed(rule: Mapping[str, Any]) -> NatRule:
    owner, dummy, comment = rule["comment"][len(MARK) :].partition("|")
    matches = matches_of(rule["expr"])
    source = prefix(matches.get("saddr", ("", ""))[1])
    daddr = matches.get("daddr", ("", ""))
    elements = daddr[1].get("set", []) if isinstance(daddr[1], dict) else []
    kept = [prefix(one) for one in elements]
    last = rule["expr"][-1]
    snat = last.get("snat") or {}
    well_formed = (
        set(matches) <= {"saddr", "daddr", "oifname"}
        and bool(source)
        and daddr[0] == "!="
        and all(kept)
        and (("masquerade" in last and not last["masquerade"]) or (set(snat) <= {"family", "addr"} and bool(snat)))
    )
    exclude: Tuple[str, ...] = ()
    if well_formed:
        exclude = canonical_exclude(source, kept)
        well_formed = untouched(source, exclude) == collapsed(kept)
    if not well_formed:  # edited by hand: known by owner and source, equal to nothing that is wanted
        return NatRule(source or "0.0.0.0/0", "?", (), "", owner, comment, rule["handle"])
    operator, name = matches.get("oifname", ("", ""))
    return NatRule(
        source, ("!" if operator == "!=" else "") + name, exclude, snat.get("addr", ""), owner, comment, rule["handle"]
    )
