# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of bridge ports against spoofing, and ports that are kept apart, to and from nftables: a table of its own in the family bridge, where a port
is elements of sets. Pure.

The rules let through what is said to be of the port, and drop all else: what nft cannot find in a frame, because it is cut off or behind something that
is not understood, matches no rule. They stand before br_netfilter, which would show a frame to the rules for IP.
"""

from __future__ import annotations

import ipaddress
from dataclasses import field, replace
from typing import Any, Collection, Dict, Iterable, List, Mapping, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_json import (
    Objects,
    comment_of,
    element,
    fields,
    kind,
    listed,
    table_of,
    tables,
    text_of,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_static import (
    BRIDGE_TABLE,
    STATIC,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_whole import Found, found
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import prefix
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    ANY_MARK,
    MARK,
    SPOOFING,
    UNREADABLE,
    OwnedRules,
    SpoofCheck,
    family_of,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import link_local, outermost
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass

_SETS = ("checked", "macs", "ipv4", "ipv6", "targets", "apart")
_OF_CHECKS = _SETS[:-1]
_APART = ANY_MARK + "-apart|"  # begins the comment of a port that is kept apart, which its bridge follows
_MARKED = ' comment "%s' % MARK  # has every element of a check
Note = Tuple[str, str]  # a port that is kept apart, and its bridge
Elements = Mapping[str, Sequence[str]]  # of one port, by set: as they are written, with their comments


@dataclass(frozen=True)
class BridgeTable:
    """What is in the table: ``elements`` of its sets, by port, and ``found``, all else."""

    elements: Mapping[str, Elements] = field(default_factory=dict)
    found: Found = field(default_factory=Found)


# --- elements ---


def _number(address: str) -> str:
    """Return an IPv6 address or network as nft writes numbers."""
    net = ipaddress.IPv6Network(address)
    first, last = int(net.network_address), int(net.broadcast_address)
    return "0x%x" % first if first == last else "0x%x-0x%x" % (first, last)


def elements(check: SpoofCheck) -> Elements:
    """Return the elements of a port, by set."""
    ipv4 = [address for address in check.addresses if family_of(address) == 4]
    ipv6 = outermost([*(address for address in check.addresses if family_of(address) == 6), link_local(check.mac)])
    values = {"macs": [check.mac], "ipv4": ipv4, "ipv6": ipv6, "targets": [_number(address) for address in ipv6]}
    found = {
        name: ['"%s" . %s comment "%s%s"' % (check.interface, value, MARK, check.owner) for value in each]
        for name, each in values.items()
    }
    return {"checked": ['"%s" comment "%s"' % (check.interface, check.marked)], **found}


# --- reading ---


def _integer(value: Any) -> str:
    """Return a number as we write it, ``?`` for anything else."""
    try:
        return "0x%x" % int(value, 0) if isinstance(value, str) else "0x%x" % int(value)
    except (TypeError, ValueError):
        return UNREADABLE


def _value(name: str, value: Any) -> str:
    """Return what the element of a set says besides the port, as we write it."""
    ends = listed(fields(value).get("range"))
    if name == "targets":
        return "-".join(map(_integer, ends or [value]))
    if ends:
        return "-".join(text_of(end) or UNREADABLE for end in ends)
    return value if isinstance(value, str) else prefix(value) or UNREADABLE


def _parsed(name: str, item: Any) -> Tuple[str, str]:
    """Return the port that an element is about, and the element as we write it."""
    value = element(item)
    comment = ' comment "%s"' % comment_of(item) if comment_of(item) else ""
    if name in ("checked", "apart"):
        return text_of(value), '"%s"%s' % (text_of(value), comment)
    parts = listed(fields(value).get("concat"))
    if len(parts) != 2:
        return "", ""
    return text_of(parts[0]), '"%s" . %s%s' % (text_of(parts[0]), _value(name, parts[1]), comment)


def read(objects: Objects, awake: bool = False) -> BridgeTable:
    """Return what is in the table; ``awake``: as if it were in force."""
    return BridgeTable(_elements(objects), found(objects, BRIDGE_TABLE, awake))


def _elements(objects: Objects) -> Dict[str, Dict[str, List[str]]]:
    there: Dict[str, Dict[str, List[str]]] = {}
    for item in kind(objects, "set"):
        name = text_of(item.get("name"))
        if table_of(item) == BRIDGE_TABLE and name in _SETS:
            for one in listed(item.get("elem")):
                port, written = _parsed(name, one)
                if port:
                    there.setdefault(port, {}).setdefault(name, []).append(written)
    return there


def _says(written: str) -> str:
    """Return what an element says besides the port."""
    return written.partition(" . ")[2].partition(" comment ")[0]


def checks(table: BridgeTable) -> List[SpoofCheck]:
    """Return the checks that are in the table. One that is not as we write it has a MAC address that none is equal to."""
    return [_check(port, own) for port, own in table.elements.items() if set(own) != {"apart"}]


def apart(table: BridgeTable) -> List[Note]:
    """Return the ports that are kept apart; the bridge is ``""`` where the element is not as we write it."""
    notes = [
        (port, own["apart"][0].partition(" comment ")[2].strip('"'))
        for port, own in table.elements.items()
        if "apart" in own
    ]
    return [(port, said[len(_APART) :] if said.startswith(_APART) else "") for port, said in notes]


def strangers(table: BridgeTable) -> Dict[str, Elements]:
    """Return the elements by port that are somebody's: of a port of which none says whose the check is, and notes that are not as we write them. What else is
    not as it should be is part of a check of ours."""
    checked = {check.interface for check in checks(table) if check.owner}
    kept = {port for port, bridge in apart(table) if bridge}
    found = {
        port: {name: own[name] for name in own if port not in (kept if name == "apart" else checked)}
        for port, own in table.elements.items()
    }
    return {port: own for port, own in found.items() if own}


def cleaned(table: BridgeTable) -> BridgeTable:
    """Return what is in the table without what is somebody's."""
    out = strangers(table)
    left = {
        port: {name: own[name] for name in own if name not in out.get(port, {})} for port, own in table.elements.items()
    }
    return BridgeTable({port: own for port, own in left.items() if own}, replace(table.found, unmarked=[]))


def _kept_apart(note: Note) -> Elements:
    """Return the element of a port that is kept apart, by set."""
    return {"apart": ['"%s" comment "%s%s"' % (note[0], _APART, note[1])]}


def _wanted(checked: Iterable[SpoofCheck], kept: Iterable[Note]) -> Dict[str, Elements]:
    """Return the elements of ports that are checked, and of those that are kept apart, by port."""
    new: Dict[str, Elements] = {check.interface: elements(check) for check in checked}
    for note in kept:
        new[note[0]] = {**new.get(note[0], {}), **_kept_apart(note)}
    return new


def _check(port: str, own: Elements) -> SpoofCheck:
    # Where part of them was taken away, each of the others says whose the check is, and it is only half one.
    first = next((one for name in _OF_CHECKS for one in own.get(name, ()) if _MARKED in one), "")
    said = first.partition(" comment ")[2].strip('"')
    owner, dummy, comment = said[len(MARK) :].partition("|") if said.startswith(MARK) else ("", "", "")
    mac = _says(next(iter(own.get("macs", ())), ""))
    values = [_says(one) for name in ("ipv4", "ipv6") for one in own.get(name, ())]
    try:
        kept = link_local(mac)
        check = SpoofCheck(port, mac, outermost(one for one in values if one != kept), owner, comment)
        wanted = elements(check)
    except ValueError:
        return SpoofCheck(port, UNREADABLE, (), owner, comment)
    whole = all(sorted(wanted[name]) == sorted(own.get(name, ())) for name in _OF_CHECKS)
    return check if whole else SpoofCheck(port, UNREADABLE, check.addresses, owner, comment)


def has_table(objects: Objects) -> bool:
    """Return whether the table is there."""
    return BRIDGE_TABLE in tables(objects)


# --- changing ---


def changed(
    objects: Objects, before: BridgeTable, touched: Collection[str], after: Sequence[SpoofCheck], kept: Sequence[Note]
) -> List[str]:
    """Return the lines that make of what is in the table what is to be checked ``after``, and what is to be ``kept`` apart, where that was ``touched``,
    and set right all else."""
    if not after and not kept and not before.found.unmarked:
        return [drop_table()] if has_table(objects) else []
    old = {port: own for port, own in before.elements.items() if port in touched}
    checked = [check for check in after if check.interface in touched]
    put = _wanted(
        [check for check in checked if check.mac != UNREADABLE], [note for note in kept if note[0] in touched]
    )
    for check in checked:
        if check.mac == UNREADABLE:  # stays as it is
            put[check.interface] = {**_of_check(old.get(check.interface, {})), **put.get(check.interface, {})}
    if not before.found.dormant:
        return lines(before, SPOOFING not in before.found.broken, old, put)
    awake = read(objects, awake=True)
    woken = lines(awake, SPOOFING not in awake.found.broken, old, put)
    if not any(line.split()[1] == "chain" for line in woken):
        return ["add table %s" % BRIDGE_TABLE, *woken]
    # The kernel puts no table in force together with a change of a chain.
    new = {**_kept(before, old, _SETS), **put}
    return [drop_table(), *STATIC[SPOOFING].base(carried=before.found.carried), *_difference({}, new)]


def typed(
    before: BridgeTable, whole: bool, replaced: OwnedRules, put: Sequence[SpoofCheck], kept: Sequence[Note], last: bool
) -> List[str]:
    """Return the lines that a person would type: ``put`` is checked and ``kept`` apart instead of what is ``replaced``; ``last``: nothing is afterwards."""
    if last:
        return [drop_table()]
    old: Dict[str, Elements] = {
        check.interface: _of_check(before.elements.get(check.interface, {}))
        if check.mac == UNREADABLE
        else elements(check)
        for check in replaced.spoof_checks
    }
    for note in replaced.apart:
        old[note[0]] = {**old.get(note[0], {}), **_kept_apart(note)}
    return lines(before, whole, old, _wanted(put, kept))


def _of_check(own: Elements) -> Elements:
    return {name: own[name] for name in own if name in _OF_CHECKS}


def lines(before: BridgeTable, whole: bool, old: Mapping[str, Elements], new: Mapping[str, Elements]) -> List[str]:
    """Return the lines that make of the elements ``old`` of some ports the ``new`` ones, and set right what they stand in, unless that is ``whole``."""
    if whole:
        return _difference(old, new)
    remade = before.found.remade.get(SPOOFING, ())
    anew = [name for name in _SETS if any(entry in ("set " + name, "map " + name) for entry in remade)]
    left = {port: {name: own[name] for name in own if name not in anew} for port, own in old.items()}
    static = STATIC[SPOOFING].base(before.found.handles.get(SPOOFING, ()), remade, before.found.carried)
    return [*static, *_difference(left, {**_kept(before, {**old, **new}, anew), **new})]


def _kept(before: BridgeTable, touched: Collection[str], names: Collection[str]) -> Dict[str, Elements]:
    """Return what is in sets that are made anew of the ports that nobody touches, as far as it can be written again."""
    return {
        port: {name: [one for one in own[name] if UNREADABLE not in _says(one)] for name in own if name in names}
        for port, own in before.elements.items()
        if port not in touched
    }


def _difference(old: Mapping[str, Elements], new: Mapping[str, Elements]) -> List[str]:
    """Return the lines that make of the elements of some ports those that are wanted: one a set, first what is let through, last what is checked."""
    found_lines: List[str] = []
    for verb, some, others in (("delete", old, new), ("add", new, old)):
        for name in _SETS if verb == "delete" else reversed(_SETS):
            texts = [
                one.partition(" comment ")[0] if verb == "delete" else one
                for port, own in some.items()
                for one in own.get(name, ())
                if one not in others.get(port, {}).get(name, ())
            ]
            if texts:
                found_lines.append("%s element %s %s { %s }" % (verb, BRIDGE_TABLE, name, ", ".join(texts)))
    return found_lines


def drop_table() -> str:
    """Return the line that deletes the table with all in it."""
    return "delete table %s" % BRIDGE_TABLE
