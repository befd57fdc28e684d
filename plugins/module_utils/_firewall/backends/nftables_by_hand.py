# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody put into our nftables tables: rules, the chains that he made for them, and elements. It carries no mark of ours. Pure.

What our own rules are compared with, such as who is in a set without comments, is set right as a part of those, and is not among it.
"""

from __future__ import annotations

from typing import Any, List, Mapping, Sequence

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_json import (
    comment_of,
    pairs,
    spelled,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_static import (
    BRIDGE_TABLE,
    IP,
    TABLE,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_whole import Found
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import MARK, UNREADABLE, ByHand


def _removed_by(where: str, text: str, line: str) -> ByHand:
    return ByHand(where, text, "nft " + line, "nft", (line,))


def rules(found: Found, table: str) -> List[ByHand]:
    """Return the rules of somebody in a table of ours, each chain that he made for some behind them."""
    there = [
        _removed_by("chain %s" % chain, text, "delete rule %s %s handle %s" % (table, chain, handle))
        for chain, handle, text in found.unmarked
    ]
    return there + [
        _removed_by("chain %s" % chain, "it is none of ours", "delete chain %s %s" % (table, chain))
        for chain in found.made_by_hand
    ]


def element(what: str, name: str, key: Any, value: Any = None) -> ByHand:
    """Return an element of a set or a map (``what``) of somebody, as it is in nft's JSON."""
    goal = " : %s" % spelled(value) if value is not None else ""
    return _element(what, name, spelled(key), goal)


def _element(what: str, name: str, key: str, goal: str = "", table: str = TABLE) -> ByHand:
    where = "%s %s" % (what, name)
    if not key or UNREADABLE in key:
        return ByHand(where, "", "nft list %s %s %s" % (what, table, name))
    return _removed_by(where, key + goal, "delete element %s %s { %s }" % (table, name, key))


def elements(sets: Mapping[str, Sequence[Any]]) -> List[ByHand]:
    """Return the elements of somebody in those sets and maps of what is forwarded in which each element says whose it is; without those of published
    ports and isolated bridges, and of tunnels, whose peers are put right by each run that is about one."""
    found = []
    for name in ("marks", *("uplinks_%s" % ip for ip, dummy in IP.values())):
        for key, value in pairs(sets.get(name)):
            if not comment_of(key).startswith(MARK):
                found.append(element("map", name, key, value))
    return found


def of_ports(strangers: Mapping[str, Mapping[str, Sequence[str]]]) -> List[ByHand]:
    """Return the elements (by port and set, as they are written) of somebody in the sets of checks of ports."""
    return [
        _element("set", name, written.partition(" comment ")[0], table=BRIDGE_TABLE)
        for own in strangers.values()
        for name, texts in own.items()
        for written in texts
    ]
