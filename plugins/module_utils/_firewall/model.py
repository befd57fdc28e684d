# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules that this collection owns, and what a step changes of them. Pure.

They mean the same in every backend (`backends/base`); how they are written there is the backend's business.
"""

from __future__ import annotations

import ipaddress
from dataclasses import field, replace
from typing import Any, Dict, FrozenSet, Hashable, Iterable, List, Sequence, Tuple, TypeVar

from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import network_text
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass

MARK = "linuxnet:"  # begins the comment of what has an owner, which follows
ANY_MARK = "linuxnet"  # begins every comment of ours
EVERYWHERE = {4: "0.0.0.0/0", 6: "::/0"}
FAMILIES = (4, 6)
COMMENT_BYTES = 127  # libnftnl's NFTNL_UDATA_COMMENT_MAXLEN less the closing NUL; xt_comment has room for 255
UNREADABLE = "?"  # the interface of a rule, or the MAC address of a check, that carries our mark and says something that we never write
# The kinds of owned rules.
NAT, PORTS, ISOLATION, ALLOWANCES, FENCES = "nat", "ports", "isolation", "allowances", "fences"
SPOOFING, UPLINKS, TUNNELS, VRFS, CONFINED = "spoofing", "uplinks", "tunnels", "vrfs", "confined"
CHECKED = "src_valid_mark"  # in the comment of an uplink: it was switched on by us
# Never translated: what stays on the segment (RFC 5771, RFC 919, RFC 4291).
_BUILT_IN = {4: ("224.0.0.0/4", "255.255.255.255/32"), 6: ("ff00::/8",)}
Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)


def family_of(address: str) -> int:
    """Return the address family, 4 or 6, of an address or a network that is valid."""
    return 6 if ":" in address else 4


@dataclass(frozen=True)
class NatRule:
    """A source NAT rule. ``out_interface`` may begin with ``!`` (any but this); ``exclude`` holds destinations beyond those
    that are never translated (the source's own network, multicast, broadcast); ``to_address`` is empty for masquerade.

    Beside it stands its stop: of what the rule would translate, the packets that conntrack calls invalid are dropped, since they belong to no
    flow that could be translated, and would leave with the source that they have. ``stopped``: that is as it should be."""

    source: str
    out_interface: str = ""
    exclude: Tuple[str, ...] = ()
    to_address: str = ""
    owner: str = ""
    comment: str = ""
    stopped: bool = True
    handles: Tuple[Tuple[str, int], ...] = field(
        default=(), compare=False
    )  # nft's, by chain: of all that belongs to the rule

    @property
    def type(self) -> str:
        return "snat" if self.to_address else "masquerade"

    @property
    def family(self) -> int:
        return family_of(self.source)

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
    return [network_text(one) for one in ipaddress.collapse_addresses(parsed)]


def untouched(source: str, exclude: Sequence[str]) -> List[str]:
    """Return the destinations that a rule for ``source`` does not translate."""
    return collapsed([source, *_BUILT_IN[family_of(source)], *exclude])


def canonical_exclude(source: str, exclude: Sequence[str]) -> Tuple[str, ...]:
    """Return what of ``exclude`` says more than what is never translated anyway, without overlaps, sorted."""
    always = untouched(source, ())
    return tuple(one for one in untouched(source, exclude) if one not in always)


@dataclass(frozen=True)
class PortMapping:
    """A published port, or a range of them (``first`` to ``last``). ``host_ip`` is an address or, for all, ``0.0.0.0/0`` or
    ``::/0``; ``to_port`` is 0 where the port stays the same, as it must for a range. ``bridge`` is where ``to`` is, if anywhere. ``vrf``: ``host_ip``
    is an address that the host has in a VRF, of which nobody elsewhere knows."""

    protocol: str
    host_ip: str
    first: int
    last: int
    to: str
    to_port: int = 0
    owner: str = ""
    bridge: str = ""
    comment: str = ""
    vrf: bool = False

    @property
    def family(self) -> int:
        return family_of(self.to)

    @property
    def kind(self) -> str:
        return VRFS if self.vrf else PORTS

    @property
    def ports(self) -> str:
        return str(self.first) if self.first == self.last else "%d-%d" % (self.first, self.last)

    @property
    def identity(self) -> Tuple[int, str, str, str, bool]:
        """Return what tells the mapping from others: a packet is for one identity."""
        return self.family, self.protocol, self.host_ip, self.ports, self.vrf

    @property
    def marked(self) -> str:
        """Return the comment that the mapping carries in the kernel."""
        return "%s%s|%s|%s" % (MARK, self.owner, self.bridge, self.comment)

    def overlaps(self, other: PortMapping) -> bool:
        """Return whether a packet could meet both."""
        return (
            self.protocol == other.protocol
            and (self.family, self.vrf) == (other.family, other.vrf)
            and self.first <= other.last
            and other.first <= self.last
            and (self.host_ip == other.host_ip or EVERYWHERE[self.family] in (self.host_ip, other.host_ip))
        )


@dataclass(frozen=True)
class Isolation:
    """What is let through to a bridge: published ports only. ``isolate``: nothing from other isolated bridges, even where those
    say False; ``icc``: its own containers reach each other by way of the host; ``internal``: nothing in, nothing out.

    ``inside`` are networks that are the same network elsewhere, each as (the interface that they come by, CIDR), sorted: what comes from there by that
    interface is let in, and what goes there out, whatever else is said. With that source nothing comes by another interface. The interface is the
    bridge itself for its own networks. ``only`` are those of the interfaces by which nothing else is let in, not even what is published.

    ``vrf``: what an internal network sends is forwarded from the VRF that its bridge is in, and not from the bridge."""

    bridge: str
    isolate: bool = True
    icc: bool = True
    internal: bool = False
    owner: str = ""
    comment: str = ""
    inside: Tuple[Tuple[str, str], ...] = ()
    only: Tuple[str, ...] = ()
    vrf: bool = False

    def ways(self, family: int) -> List[Tuple[str, str]]:
        """Return what of ``inside`` is elsewhere, of an address family."""
        return [way for way in self.inside if way[0] != self.bridge and family_of(way[1]) == family]

    @property
    def elsewhere(self) -> FrozenSet[int]:
        """Return the address families of what of ``inside`` is elsewhere."""
        return frozenset(family_of(source) for way, source in self.inside if way != self.bridge)

    def insiders(self, family: int) -> List[str]:
        """Return the networks of an address family that are inside, sorted as texts."""
        return sorted({source for dummy, source in self.inside if family_of(source) == family})

    @property
    def marked(self) -> str:
        """Return the comment that the isolation carries in the kernel."""
        return marked(self.owner, self.comment)


@dataclass(frozen=True)
class Allowance:
    """What is let through where foreign rules would drop it. ``kind`` and ``name``: ``out`` a network (CIDR) that leaves by the
    interfaces that ``by`` says; ``in`` a bridge behind which ports are published, ``to`` an address that is behind none; ``icc`` a
    bridge whose containers talk to each other; ``way`` a bridge, ``by`` the interface by which what is inside of its network comes and goes.
    Where no accept of ours overrides the drop of another table the kind is ``mark``: packets for the bridge's published ports, of both families
    (``family`` 0), get the mark ``by`` (VALUE/MASK), which the foreign rules accept."""

    kind: str
    name: str
    family: int
    by: str = ""
    owner: str = ""

    @property
    def key(self) -> Tuple[str, str, int, str]:
        return self.kind, self.name, self.family, self.by if self.kind in ("out", "way") else ""


@dataclass(frozen=True)
class Fence:
    """What keeps others' interfaces apart where forwarding of a ``family`` was switched on by us: nothing is forwarded from one of
    ``interfaces`` to one of them but what is published. `lo` is among them, so that one without any was flushed. ``spared`` are those that
    rules of ours are about by now: nothing is kept from them until these go."""

    family: int
    interfaces: Tuple[str, ...]
    spared: Tuple[str, ...] = ()


@dataclass(frozen=True)
class SpoofCheck:
    """What comes in by a port of a bridge: frames from ``mac`` only, and packets, and answers to who has an address, of ``addresses``
    only, which are addresses and networks, none of them within another, sorted."""

    interface: str
    mac: str
    addresses: Tuple[str, ...] = ()
    owner: str = ""
    comment: str = ""

    @property
    def marked(self) -> str:
        """Return the comment that the check carries in the kernel."""
        return marked(self.owner, self.comment)


@dataclass(frozen=True)
class Uplink:
    """What comes in by an interface for published ports gets the ``number`` of it in its mark, and so do the answers, which routing looks up by
    that. ``checked``: that routing heeds the mark where it checks the source (src_valid_mark) was switched on by us. ``number`` 0 says that
    somebody edited it."""

    family: int
    interface: str
    number: int
    checked: bool = False
    owner: str = ""
    comment: str = ""

    @property
    def key(self) -> Tuple[int, str]:
        return self.family, self.interface

    @property
    def marked(self) -> str:
        """Return the comment that the uplink carries in the kernel."""
        return "%s%s|%s|%s" % (MARK, self.owner, CHECKED if self.checked else "", self.comment)


@dataclass(frozen=True)
class Tunnel:
    """What comes in over UDP ``port`` for the VXLAN ``vni`` passes from ``peers`` only, which are addresses as `in_order` has them."""

    vni: int
    port: int
    peers: Tuple[str, ...] = ()
    owner: str = ""
    comment: str = ""

    @property
    def key(self) -> Tuple[int, int]:
        return self.port, self.vni

    @property
    def marked(self) -> str:
        """Return the comment that the tunnel carries in the kernel."""
        return marked(self.owner, self.comment)


def in_order(addresses: Iterable[str]) -> Tuple[str, ...]:
    """Return addresses sorted, each of them once."""
    return tuple(sorted(set(addresses), key=lambda one: (family_of(one), int(ipaddress.ip_address(one)))))


@dataclass(frozen=True)
class ByHand:
    """What somebody put among ours: ``where``, what it says (``text``, ``""`` where that cannot be told), and what takes it away: the ``program`` with its
    ``words``, and both as people are ``shown`` them. Where it can be taken away by its like only, there are no words, and what is shown lists it."""

    where: str
    text: str
    shown: str
    program: str = ""
    words: Tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """Return where it is and what it says."""
        return "%s: %s" % (self.where, self.text or "something that we never write")

    def __str__(self) -> str:
        return "%s, which '%s' %s" % (self.said, self.shown, "removes" if self.words else "shows")


@dataclass(frozen=True)
class OwnedRules:
    """What we own in the rule set of one backend. ``bridges`` are those behind which ports are published, ``localnet`` those whose
    route_localnet we switched on, ``hairpins`` the ports, each with its bridge, whose hairpin we switched on, ``apart`` those that a rule keeps from
    the others, in place of isolation; ``unmarked`` is what is among ours and does not carry our mark: somebody else's; ``beside`` the same of checks of ports.

    ``static``: the kinds, by address family, whose static rules (those that are the same whatever is owned) are all there and
    as they should be. ``families``: those that the backend writes here. A backend notes more for itself in a class of its own.
    """

    nat_rules: Tuple[NatRule, ...] = ()
    port_mappings: Tuple[PortMapping, ...] = ()
    isolations: Tuple[Isolation, ...] = ()
    allowances: Tuple[Allowance, ...] = ()
    fences: Tuple[Fence, ...] = ()
    bridges: Tuple[str, ...] = ()
    localnet: Tuple[str, ...] = ()
    hairpins: Tuple[Tuple[str, str], ...] = ()
    spoof_checks: Tuple[SpoofCheck, ...] = ()
    apart: Tuple[Tuple[str, str], ...] = ()
    uplinks: Tuple[Uplink, ...] = ()
    tunnels: Tuple[Tunnel, ...] = ()
    unmarked: Tuple[ByHand, ...] = ()
    beside: Tuple[ByHand, ...] = ()
    static: FrozenSet[Tuple[str, int]] = frozenset()
    families: Tuple[int, ...] = FAMILIES

    @property
    def strangers(self) -> Tuple[ByHand, ...]:
        """Return what somebody put among ours."""
        return (*self.unmarked, *self.beside)

    def whole(self, kind: str, family: int = 0) -> bool:
        """Return whether the static rules of a kind are whole in an address family, or (0) in all that are written here."""
        families = [family] if family in self.families else self.families
        return all((kind, one) in self.static for one in families)

    @property
    def empty(self) -> bool:
        """Return whether there is nothing that would keep our rules there, but for checks of ports, which are in no rule set of what is
        forwarded."""
        owned = (self.nat_rules, self.port_mappings, self.isolations, self.allowances, self.fences, self.uplinks)
        return not any(owned) and not self.tunnels and not self.unmarked


@dataclass(frozen=True)
class Edit:
    """What one step changes of what we own. A rule that is put replaces the one with its key, an isolation the one of its bridge, a
    check the one of its port.
    ``kinds`` are those that it is about, if only to set right static rules that somebody edited. ``reclaim``: what somebody put among ours goes."""

    put: Tuple[NatRule, ...] = ()
    drop: Tuple[Tuple[str, str], ...] = ()
    publish: Tuple[PortMapping, ...] = ()
    unpublish: Tuple[PortMapping, ...] = ()
    localnet_on: Tuple[str, ...] = ()  # bridges whose route_localnet was switched on
    localnet_off: Tuple[str, ...] = ()
    hairpins_on: Tuple[Tuple[str, str], ...] = ()  # ports, each with its bridge, whose hairpin is switched on
    hairpins_off: Tuple[Tuple[str, str], ...] = ()
    isolate: Tuple[Isolation, ...] = ()
    unisolate: Tuple[str, ...] = ()
    allow: Tuple[Allowance, ...] = ()
    disallow: Tuple[Allowance, ...] = ()
    fence: Tuple[Fence, ...] = ()  # each in place of the one of its family
    unfence: Tuple[int, ...] = ()  # address families
    check: Tuple[SpoofCheck, ...] = ()
    uncheck: Tuple[str, ...] = ()  # ports
    apart_on: Tuple[Tuple[str, str], ...] = ()  # ports, each with its bridge, that a rule keeps from the others
    apart_off: Tuple[Tuple[str, str], ...] = ()
    answer: Tuple[Uplink, ...] = ()
    unanswer: Tuple[Tuple[int, str], ...] = ()  # uplinks by their keys
    admit: Tuple[Tunnel, ...] = ()  # their peers only
    unadmit: Tuple[Tuple[int, int], ...] = ()  # tunnels by their keys
    kinds: Tuple[str, ...] = ()
    reclaim: bool = False


def making(owned: OwnedRules) -> Edit:
    """Return the edit that makes what is owned where there is nothing yet, but for rules and checks that cannot be read."""
    kept = {
        PORTS: plain(owned.port_mappings),
        VRFS: in_vrfs(owned.port_mappings),
        CONFINED: confined(owned.isolations),
        ISOLATION: owned.isolations,
        ALLOWANCES: owned.allowances,
        FENCES: owned.fences,
        SPOOFING: owned.spoof_checks or owned.apart,
        UPLINKS: owned.uplinks,
        TUNNELS: owned.tunnels,
    }
    return Edit(
        put=tuple(rule for rule in owned.nat_rules if rule.out_interface != UNREADABLE),
        publish=owned.port_mappings,
        isolate=owned.isolations,
        allow=owned.allowances,
        fence=owned.fences,
        localnet_on=owned.localnet,
        hairpins_on=owned.hairpins,
        check=tuple(check for check in owned.spoof_checks if check.mac != UNREADABLE),
        apart_on=owned.apart,
        answer=tuple(uplink for uplink in owned.uplinks if uplink.number),
        admit=owned.tunnels,
        kinds=tuple(kind for kind, there in kept.items() if there),
    )


Owned = TypeVar("Owned", bound=OwnedRules)
Kept = TypeVar("Kept", PortMapping, Allowance, SpoofCheck, Uplink, Tunnel)


def reclaimed(owned: Owned) -> Owned:
    """Return what is owned without what somebody put among it: what has no owner was written by nobody here."""
    return replace(
        owned,
        port_mappings=_of_somebody(owned.port_mappings),
        allowances=_of_somebody(owned.allowances),
        spoof_checks=_of_somebody(owned.spoof_checks),
        apart=tuple(note for note in owned.apart if note[1]),
        uplinks=_of_somebody(owned.uplinks),
        tunnels=_of_somebody(owned.tunnels),
        unmarked=(),
        beside=(),
    )


def _of_somebody(rules: Tuple[Kept, ...]) -> Tuple[Kept, ...]:
    return tuple(rule for rule in rules if rule.owner)


def edited(owned: Owned, edits: Iterable[Edit]) -> Owned:
    """Return what is owned after ``edits``. What is replaced keeps its place in the order."""
    edits = list(edits)
    if any(edit.reclaim for edit in edits):
        owned = reclaimed(owned)
    rules = {rule.key: rule for rule in owned.nat_rules}
    mappings = {mapping.identity: mapping for mapping in owned.port_mappings}
    isolations = {isolation.bridge: isolation for isolation in owned.isolations}
    allowances = {allowance.key: allowance for allowance in owned.allowances}
    fences = {fence.family: fence for fence in owned.fences}
    checks = {check.interface: check for check in owned.spoof_checks}
    uplinks = {uplink.key: uplink for uplink in owned.uplinks}
    tunnels = {tunnel.key: tunnel for tunnel in owned.tunnels}
    localnet = dict.fromkeys(owned.localnet)
    hairpins, apart = dict(owned.hairpins), dict(owned.apart)
    for edit in edits:
        rules.update((rule.key, rule) for rule in edit.put)
        for key in edit.drop:
            rules.pop(key, None)
        for mapping in edit.unpublish:
            mappings.pop(mapping.identity, None)
        mappings.update((mapping.identity, mapping) for mapping in edit.publish)
        isolations.update((isolation.bridge, isolation) for isolation in edit.isolate)
        for bridge in edit.unisolate:
            isolations.pop(bridge, None)
        allowances.update((allowance.key, allowance) for allowance in edit.allow)
        for allowance in edit.disallow:
            allowances.pop(allowance.key, None)
        fences.update((fence.family, fence) for fence in edit.fence)
        for family in edit.unfence:
            fences.pop(family, None)
        checks.update((check.interface, check) for check in edit.check)
        for port in edit.uncheck:
            checks.pop(port, None)
        for uplink_key in edit.unanswer:
            uplinks.pop(uplink_key, None)
        uplinks.update((uplink.key, uplink) for uplink in edit.answer)
        for tunnel_key in edit.unadmit:
            tunnels.pop(tunnel_key, None)
        tunnels.update((tunnel.key, tunnel) for tunnel in edit.admit)
        for bridge in edit.localnet_off:
            localnet.pop(bridge, None)
        localnet.update(dict.fromkeys(edit.localnet_on))
        for port, dummy in edit.hairpins_off:
            hairpins.pop(port, None)
        hairpins.update(edit.hairpins_on)
        for port, dummy in edit.apart_off:
            apart.pop(port, None)
        apart.update(edit.apart_on)
    return replace(
        owned,
        nat_rules=tuple(rules.values()),
        port_mappings=tuple(mappings.values()),
        isolations=tuple(isolations.values()),
        allowances=tuple(allowances.values()),
        fences=tuple(fences.values()),
        bridges=bridges_of(mappings.values()),
        localnet=tuple(localnet),
        hairpins=tuple(hairpins.items()),
        spoof_checks=tuple(checks.values()),
        apart=tuple(apart.items()),
        uplinks=tuple(uplinks.values()),
        tunnels=tuple(tunnels.values()),
    )


def bridges_of(mappings: Iterable[PortMapping]) -> Tuple[str, ...]:
    """Return the bridges behind which ports are published, in order; not those in a VRF, where only who is beyond an interface of it reaches a port."""
    return tuple(dict.fromkeys(mapping.bridge for mapping in mappings if mapping.bridge and not mapping.vrf))


def plain(mappings: Iterable[PortMapping]) -> Tuple[PortMapping, ...]:
    """Return those of some mappings that are not in a VRF."""
    return tuple(mapping for mapping in mappings if not mapping.vrf)


def confined(isolations: Iterable[Isolation]) -> Tuple[str, ...]:
    """Return the bridges of internal networks that are in a VRF, sorted."""
    return tuple(sorted(isolation.bridge for isolation in isolations if isolation.vrf))


def in_vrfs(mappings: Iterable[PortMapping]) -> Tuple[PortMapping, ...]:
    """Return those of some mappings that are in a VRF."""
    return tuple(mapping for mapping in mappings if mapping.vrf)


def restoring(now: OwnedRules, before: OwnedRules) -> Edit:
    """Return the edit that makes of what is owned ``now`` what was ``before``. A rule that could not be read before is left."""
    there = {rule.key: rule for rule in now.nat_rules}
    readable = [
        rule if there.get(rule.key) == rule else replace(rule, stopped=True)
        for rule in before.nat_rules
        if rule.out_interface != UNREADABLE
    ]
    put, dropped = _changed(there, {rule.key: rule for rule in readable})
    left = {rule.key for rule in before.nat_rules}
    publish, unpublished = _changed(
        {mapping.identity: mapping for mapping in now.port_mappings},
        {mapping.identity: mapping for mapping in before.port_mappings},
    )
    isolate, opened = _changed(
        {isolation.bridge: isolation for isolation in now.isolations},
        {isolation.bridge: isolation for isolation in before.isolations},
    )
    allow, ended = _changed(
        {allowance.key: allowance for allowance in now.allowances},
        {allowance.key: allowance for allowance in before.allowances},
    )
    fence, fallen = _changed(
        {fence.family: fence for fence in now.fences}, {fence.family: fence for fence in before.fences}
    )
    check, unchecked = _changed(
        {check.interface: check for check in now.spoof_checks},
        {check.interface: check for check in before.spoof_checks if check.mac != UNREADABLE},
    )
    unreadable = {check.interface for check in before.spoof_checks}
    uncheck = tuple(one.interface for one in unchecked if one.interface not in unreadable)
    answer, unanswered = _changed(
        {uplink.key: uplink for uplink in now.uplinks},
        {uplink.key: uplink for uplink in before.uplinks if uplink.number},
    )
    unanswer = tuple(one.key for one in unanswered if one.key not in {uplink.key for uplink in before.uplinks})
    admit, unadmitted = _changed(
        {tunnel.key: tunnel for tunnel in now.tunnels}, {tunnel.key: tunnel for tunnel in before.tunnels}
    )
    on = tuple(bridge for bridge in before.localnet if bridge not in now.localnet)
    off = tuple(bridge for bridge in now.localnet if bridge not in before.localnet)
    bent = tuple(note for note in before.hairpins if note not in now.hairpins)
    straight = tuple(note for note in now.hairpins if note[0] not in dict(before.hairpins))
    parted = tuple(note for note in before.apart if note not in now.apart)
    joined = tuple(note for note in now.apart if note[0] not in dict(before.apart))
    about = {
        PORTS: bool(plain(publish) or plain(unpublished) or on or off or bent or straight),
        VRFS: bool(in_vrfs(publish) or in_vrfs(unpublished)),
        CONFINED: confined(before.isolations) != confined(now.isolations),
        ISOLATION: bool(isolate or opened),
        ALLOWANCES: bool(allow or ended),
        FENCES: bool(fence or fallen),
        SPOOFING: bool(check or uncheck or parted or joined),
        UPLINKS: bool(answer or unanswer),
        TUNNELS: bool(admit or unadmitted),
    }
    return Edit(
        put=put,
        drop=tuple(rule.key for rule in dropped if rule.key not in left),
        publish=publish,
        unpublish=unpublished,
        localnet_on=on,
        localnet_off=off,
        hairpins_on=bent,
        hairpins_off=straight,
        isolate=isolate,
        unisolate=tuple(isolation.bridge for isolation in opened),
        allow=allow,
        disallow=ended,
        fence=fence,
        unfence=tuple(one.family for one in fallen),
        check=check,
        uncheck=uncheck,
        apart_on=parted,
        apart_off=joined,
        answer=answer,
        unanswer=unanswer,
        admit=admit,
        unadmit=tuple(tunnel.key for tunnel in unadmitted),
        kinds=tuple(kind for kind, touched in about.items() if touched),
    )


def _changed(now: Dict[Key, Item], before: Dict[Key, Item]) -> Tuple[Tuple[Item, ...], Tuple[Item, ...]]:
    """Return what of ``before`` is missing or different now, and what there is now that was not there."""
    return (
        tuple(item for key, item in before.items() if now.get(key) != item),
        tuple(item for key, item in now.items() if key not in before),
    )
