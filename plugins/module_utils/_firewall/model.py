# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The firewall as this collection sees it: what it holds in one *place*, and what a step changes there. Pure.

A place is a rule set of one tool: ``nftables`` (a table of our own), ``iptables-nft`` and ``iptables-legacy`` (chains of our own
in iptables' tables). What is held means the same in each; how it is written there is up to `_firewall/backends/nftables` and `_firewall/backends/iptables`.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, replace
from typing import Any, Iterable, List, Mapping, Sequence, Tuple

NFTABLES = "nftables"
PLACES = (NFTABLES, "iptables-nft", "iptables-legacy")
MARK = "linuxnet:"  # begins the comment of what has an owner, which follows
EVERYWHERE = {4: "0.0.0.0/0", 6: "::/0"}
COMMENT_BYTES = 127  # libnftnl's NFTNL_UDATA_COMMENT_MAXLEN less the closing NUL; xt_comment has room for 255
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
    handle: int = field(default=0, compare=False)  # nft's

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
        return marked(self.owner, self.comment)

    @property
    def untouched(self) -> List[str]:
        """Return the destinations that are not translated, without overlaps, sorted."""
        return untouched(self.source, self.exclude)


def marked(owner: str, comment: str) -> str:
    """Return the comment that says whose something is."""
    return MARK + owner + ("|" + comment if comment else "")


def collapsed(networks: Iterable[str]) -> List[str]:
    """Return networks without overlaps (an anonymous nft set refuses them), sorted."""
    parsed: List[Any] = [ipaddress.ip_network(one) for one in networks]
    return [str(one) for one in ipaddress.collapse_addresses(parsed)]


def untouched(source: str, exclude: Sequence[str]) -> List[str]:
    """Return the destinations that a rule for ``source`` does not translate."""
    return collapsed([source, *_BUILT_IN[ipaddress.ip_network(source).version], *exclude])


def canonical_exclude(source: str, exclude: Sequence[str]) -> Tuple[str, ...]:
    """Return what of ``exclude`` says more than what is never translated anyway, without overlaps, sorted."""
    always = untouched(source, ())
    return tuple(one for one in untouched(source, exclude) if one not in always)


@dataclass(frozen=True)
class Element:
    """A published port, or a range of them (``first`` to ``last``). ``host_ip`` is an address or, for all, ``0.0.0.0/0`` or
    ``::/0``; ``to_port`` is 0 where the port stays the same, as it must for a range. ``bridge`` is where ``to`` is, if anywhere."""

    protocol: str
    host_ip: str
    first: int
    last: int
    to: str
    to_port: int = 0
    owner: str = ""
    bridge: str = ""
    comment: str = ""

    @property
    def family(self) -> int:
        return ipaddress.ip_address(self.to).version

    @property
    def ports(self) -> str:
        return str(self.first) if self.first == self.last else "%d-%d" % (self.first, self.last)

    @property
    def identity(self) -> Tuple[int, str, str, str]:
        """Return what tells the element from others: a packet is for one identity."""
        return self.family, self.protocol, self.host_ip, self.ports

    @property
    def marked(self) -> str:
        """Return the comment that the element carries in the kernel."""
        return "%s%s|%s|%s" % (MARK, self.owner, self.bridge, self.comment)

    def overlaps(self, other: Element) -> bool:
        """Return whether a packet could meet both."""
        return (
            self.protocol == other.protocol
            and self.family == other.family
            and self.first <= other.last
            and other.first <= self.last
            and (self.host_ip == other.host_ip or EVERYWHERE[self.family] in (self.host_ip, other.host_ip))
        )


@dataclass(frozen=True)
class Guard:
    """What is let through to a bridge: published ports only. ``isolate``: nothing from other guarded bridges, even where those
    are not isolated; ``icc``: its own containers reach each other by way of the host; ``internal``: nothing in, nothing out."""

    bridge: str
    isolate: bool = True
    icc: bool = True
    internal: bool = False
    owner: str = ""
    comment: str = ""

    @property
    def traits(self) -> Tuple[str, ...]:
        """Return what the guard is, in a word each."""
        words = (("closed", True), ("icc", self.icc), ("open", not self.isolate), ("internal", self.internal))
        return tuple(word for word, holds in words if holds)

    @property
    def marked(self) -> str:
        """Return the comment that the guard carries in the kernel."""
        return marked(self.owner, self.comment)


@dataclass(frozen=True)
class Passage:
    """What is let through where the rule set of somebody else would drop it. ``kind`` and ``name``: ``out`` a network (CIDR) that
    leaves by the interfaces that ``by`` says; ``in`` a bridge behind which ports are published, ``to`` an address that is behind
    none; ``icc`` a bridge whose containers talk to each other. In nftables, where no accept overrides another table's drop, the kind is ``mark``: packets for
    the bridge's published ports, of both families (``family`` 0), get the mark ``by`` (VALUE/MASK), which the other accepts."""

    kind: str
    name: str
    family: int
    by: str = ""
    owner: str = ""

    @property
    def key(self) -> Tuple[str, str, int, str]:
        return self.kind, self.name, self.family, self.by if self.kind == "out" else ""


@dataclass(frozen=True)
class Fixed:
    """What there is of a part, the rules that are the same whatever is held: whether it is whole, and (chain, handle) of nft's
    rules of it. In iptables each address family has its own: ``publish/4``, ``publish/6``."""

    whole: bool = False
    rules: Tuple[Tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Contents:
    """What is held in one place. ``loops`` are the bridges behind which ports are, ``localnet`` those whose route_localnet we
    switched on. ``strangers`` name rules among ours that are somebody else's. ``members`` has, of nft's sets of the guard, what is
    in each; ``hooks`` by address family the chain of iptables from which our forward chain is called."""

    rules: Tuple[NatRule, ...] = ()
    elements: Tuple[Element, ...] = ()
    guards: Tuple[Guard, ...] = ()
    passages: Tuple[Passage, ...] = ()
    loops: Tuple[str, ...] = ()
    localnet: Tuple[str, ...] = ()
    strangers: Tuple[str, ...] = ()
    members: Mapping[str, Tuple[str, ...]] = field(default_factory=dict, hash=False)
    parts: Mapping[str, Fixed] = field(default_factory=dict, hash=False)
    hooks: Mapping[int, str] = field(default_factory=dict, hash=False)

    def part(self, name: str) -> Fixed:
        """Return what there is of a part."""
        return self.parts.get(name, Fixed())

    def whole(self, name: str, family: int = 0) -> bool:
        """Return whether a part is whole, in iptables of one address family (0: of both)."""
        if name in self.parts or not self.hooks:
            return self.part(name).whole
        families = [family] if family in self.hooks else self.hooks
        return all(self.part("%s/%d" % (name, one)).whole for one in families)

    @property
    def empty(self) -> bool:
        """Return whether nothing is held that would keep our rules there."""
        return not (self.rules or self.elements or self.guards or self.passages or self.strangers)


@dataclass(frozen=True)
class Edit:
    """What one step changes in a place. A rule that is put replaces the one with its key, a guard the one of its bridge.
    ``parts`` are those that it is about, if only to set right what somebody edited."""

    put: Tuple[NatRule, ...] = ()
    drop: Tuple[Tuple[str, str], ...] = ()
    add: Tuple[Element, ...] = ()
    remove: Tuple[Element, ...] = ()
    open: Tuple[str, ...] = ()  # bridges whose route_localnet was switched on
    close: Tuple[str, ...] = ()
    guard: Tuple[Guard, ...] = ()
    unguard: Tuple[str, ...] = ()
    let: Tuple[Passage, ...] = ()
    unlet: Tuple[Passage, ...] = ()
    parts: Tuple[str, ...] = ()


def edited(there: Contents, edits: Iterable[Edit]) -> Contents:
    """Return what is held after ``edits``. What is replaced keeps its place in the order."""
    rules = {one.key: one for one in there.rules}
    elements = {one.identity: one for one in there.elements}
    guards = {one.bridge: one for one in there.guards}
    passages = {one.key: one for one in there.passages}
    localnet = dict.fromkeys(there.localnet)
    for edit in edits:
        rules.update((one.key, one) for one in edit.put)
        for key in edit.drop:
            rules.pop(key, None)
        for one in edit.remove:
            elements.pop(one.identity, None)
        elements.update((one.identity, one) for one in edit.add)
        guards.update((one.bridge, one) for one in edit.guard)
        for bridge in edit.unguard:
            guards.pop(bridge, None)
        passages.update((one.key, one) for one in edit.let)
        for passage in edit.unlet:
            passages.pop(passage.key, None)
        for bridge in edit.close:
            localnet.pop(bridge, None)
        localnet.update(dict.fromkeys(edit.open))
    return replace(
        there,
        rules=tuple(rules.values()),
        elements=tuple(elements.values()),
        guards=tuple(guards.values()),
        passages=tuple(passages.values()),
        loops=tuple(dict.fromkeys(one.bridge for one in elements.values() if one.bridge)),
        localnet=tuple(localnet),
    )
