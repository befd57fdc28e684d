# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Owned rules as rules in chains of iptables, and back. Pure.

All chains are ours (``LINUXNET-…``). In nftables a base chain's accept ends that chain only; here it would end the table, so isolation
returns where it has nothing against a packet. The names are on running hosts: they stay as they are.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import Dict, FrozenSet, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends import (
    iptables_snat,
    iptables_tunnels,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_difference import (
    Layout,
    difference,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_save import (
    OURS,
    SavedChain,
    Tables,
    Words,
    closed,
    coming_from,
    comment,
    interface,
    is_address,
    is_ours,
    noted,
    option,
    owner_of,
    rules_of,
    spelled,
    state,
    target,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_snat import Half
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import prefix
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    ALLOWANCES,
    CONFINED,
    EVERYWHERE,
    FENCES,
    ISOLATION,
    MARK,
    NAT,
    PORTS,
    TUNNELS,
    UNREADABLE,
    VRFS,
    Allowance,
    ByHand,
    Fence,
    Isolation,
    NatRule,
    OwnedRules,
    PortMapping,
    bridges_of,
    confined,
    family_of,
    in_vrfs,
    marked,
    plain,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import MARK_BIT, VRF_BIT

PUBLISH, HAIRPIN = OURS + "PUBLISH", OURS + "HAIRPIN"
VRF, CONFINE = OURS + "VRF", OURS + "CONFINE"
RAW, MANGLE, FORWARD = OURS + "RAW", OURS + "MANGLE", OURS + "FORWARD"
LOCALHOST = OURS + "LOCALHOST"
GUARD, CLOSED, OPEN = OURS + "GUARD", OURS + "CLOSED", OURS + "OPEN"
FENCE, FENCED = OURS + "FENCE", OURS + "FENCED"
USERS = "DOCKER-USER"  # where docker leaves room for rules of others, before its own
# Those who share a bridge see each other: their packets carry this bit from the forward hook, which knows both interfaces, to
# the postrouting one, which knows only the way out.
_BIT = "%#x/%#x" % (MARK_BIT, MARK_BIT)
_KEPT_IN = "%#x/%#x" % (
    VRF_BIT,
    VRF_BIT,
)  # what an internal network in a VRF sends carries this, from the first hook to the one that forwards
_KINDS = {
    PUBLISH: PORTS, HAIRPIN: PORTS, RAW: PORTS, MANGLE: PORTS, LOCALHOST: PORTS,
    GUARD: ISOLATION, CLOSED: ISOLATION, OPEN: ISOLATION, FORWARD: ALLOWANCES, FENCE: FENCES, FENCED: FENCES,
    iptables_tunnels.TUNNEL: TUNNELS, VRF: VRFS, CONFINE: CONFINED,
}  # fmt: skip
_BENT = "linuxnet-hairpin|"  # begins the note of a port whose hairpin we switched on; its bridge follows
_HERE = ("::1/128", "fe80::/10")
_SNAT = [name for dummy, name in iptables_snat.HALVES]
SHARED = frozenset({*_KINDS, *_SNAT})  # the others have one rule's exceptions each


@dataclass(frozen=True)
class IptablesRules(OwnedRules):
    """What we own in one kind of iptables. ``callers``: by address family the chain from which our forward chains are called, and ``others`` what
    others have there. ``by_hand``: the halves of a source NAT rule that was edited by hand, or has no stop, by its key; they stay as they are.
    ``closed``: the tables, by address family, that the tool can neither read nor write."""

    callers: Mapping[int, str] = field(default_factory=dict, hash=False)
    others: Mapping[int, Sequence[Words]] = field(default_factory=dict, hash=False)
    by_hand: Mapping[Tuple[str, str], Sequence[Half]] = field(default_factory=dict, hash=False)
    closed: Tuple[Tuple[int, str], ...] = ()


def _call(chain: str) -> Words:
    return (*noted("linuxnet"), "-j", chain)


def _host(address: str) -> str:
    return "%s/%d" % (address, {4: 32, 6: 128}[family_of(address)])


# --- rendering ---


def _mapping(mapping: PortMapping) -> Words:
    host = mapping.host_ip
    to = mapping.to
    if mapping.to_port:
        to = "%s:%d" % ("[%s]" % to if mapping.family == 6 else to, mapping.to_port)
    return (
        *(() if host == EVERYWHERE[mapping.family] else ("-d", _host(host))),
        *("-p", mapping.protocol, "-m", mapping.protocol, "--dport", mapping.ports.replace("-", ":")),
        *(*noted(mapping.marked), "-j", "DNAT", "--to-destination", to),
    )


def _confined(isolations: Sequence[Isolation], layout: Layout) -> None:
    """Add what keeps in what internal networks in VRFs send: it is forwarded from the VRF, so it is marked where it comes by the bridge. What is bridged
    between neighbours is shown here as well where br_netfilter is on, and does come from the bridge."""
    bridges, note = confined(isolations), noted("linuxnet")
    if not bridges:
        return
    layout.chains["mangle", CONFINE] = [("-i", one, *note, "-j", "MARK", "--set-xmark", _KEPT_IN) for one in bridges]
    layout.chains["filter", CONFINE] = [
        *(("-i", one, *note, "-j", "RETURN") for one in bridges),
        ("-m", "mark", "--mark", _KEPT_IN, *note, "-j", "DROP"),
    ]
    layout.calls.extend([("mangle", "PREROUTING", _call(CONFINE)), ("filter", "FORWARD", _call(CONFINE))])


def _published(family: int, owned: OwnedRules, layout: Layout) -> None:
    mappings = [mapping for mapping in owned.port_mappings if mapping.family == family]
    # Only with the interface the kernel looks an address in a VRF up where it is; so it is one of that interface.
    apart = in_vrfs(mappings)
    if apart:
        layout.chains["nat", VRF] = [_mapping(mapping) for mapping in apart]
        limited = ("-m", "addrtype", "--dst-type", "LOCAL", "--limit-iface-in", *_call(VRF))
        layout.calls.append(("nat", "PREROUTING", limited))
    mappings = [*plain(mappings)]
    if not mappings:
        return
    # What the host itself answers, were it that nobody listens: no answer of a container's comes back from there.
    here = [("-d", one, *noted("linuxnet"), "-j", "RETURN") for one in _HERE] if family == 6 else []
    layout.chains["nat", PUBLISH] = [*here, *(_mapping(mapping) for mapping in mappings)]
    local = ("-m", "addrtype", "--dst-type", "LOCAL", *_call(PUBLISH))
    layout.calls.extend(
        [("nat", "PREROUTING", local), ("nat", "OUTPUT", local), ("nat", "POSTROUTING", _call(HAIRPIN))]
    )
    layout.chains["nat", HAIRPIN] = [
        *([("-s", "127.0.0.0/8", *state("DNAT"), *noted("linuxnet"), "-j", "MASQUERADE")] if family == 4 else []),
        ("-m", "mark", "--mark", _BIT, *state("DNAT"), *noted("linuxnet"), "-j", "MASQUERADE"),
        *(("-o", port, *noted(_BENT + bridge)) for port, bridge in owned.hairpins),  # a note, no verdict
    ]
    layout.calls.append(("mangle", "FORWARD", _call(MANGLE)))
    layout.chains["mangle", MANGLE] = [
        ("-i", name, "-o", name, *state("DNAT"), *noted("linuxnet"), "-j", "MARK", "--set-xmark", _BIT)
        for name in bridges_of(mappings)
    ]
    if family == 4:
        layout.calls.append(("raw", "PREROUTING", _call(RAW)))
        layout.chains["raw", RAW] = [
            ("-d", "127.0.0.0/8", "!", "-i", "lo", *noted("linuxnet"), "-j", "DROP"),
            *(("-i", name, *noted("linuxnet-localnet")) for name in owned.localnet),  # a note, no verdict
        ]
        # What is known to be an answer, and the policy rule that guards an interface (`AddLoopbackGuard`) lets in.
        layout.calls.append(("mangle", "PREROUTING", _call(LOCALHOST)))
        answer = ("-m", "conntrack", "--ctstate", "DNAT", "--ctorigdst", "127.0.0.0/8", "--ctdir", "REPLY")
        layout.chains["mangle", LOCALHOST] = [(*answer, *noted("linuxnet"), "-j", "MARK", "--set-xmark", _BIT)]


def _inside(family: int, isolation: Isolation) -> List[Words]:
    """Return the rules for what is inside: it passes where it is to come by, and with its source nothing passes elsewhere."""
    note, bridge = noted("linuxnet"), isolation.bridge
    return [
        *(
            (*match, *note, "-j", "RETURN")
            for way, source in isolation.ways(family)
            for match in (("-s", source, "-i", way, "-o", bridge), ("-d", source, "-i", bridge, "-o", way))
        ),
        *(
            ("-s", source, "!", "-i", bridge, "-o", bridge, *note, "-j", "DROP")
            for source in isolation.insiders(family)
        ),
        *(("-i", way, "-o", bridge, *note, "-j", "DROP") for way in isolation.only),
    ]


def _isolated(family: int, isolations: Sequence[Isolation], layout: Layout) -> None:
    """Add what `Isolation` says: answers pass, then what is inside and own neighbours, nothing of an internal network, and of the rest what is
    published."""
    if not isolations:
        return
    note = noted("linuxnet")
    layout.chains["filter", GUARD] = [
        (*state("RELATED,ESTABLISHED"), *note, "-j", "RETURN"),
        *(rule for isolation in isolations for rule in _inside(family, isolation)),
        # What is translated would go out as if it were the host's own.
        *(("-o", way, *note, "-j", "DROP") for way in sorted({way for one in isolations for way in one.only})),
        *(
            ("-i", isolation.bridge, "-o", isolation.bridge, *note, "-j", "RETURN")
            for isolation in isolations
            if isolation.icc
        ),
        *(
            (way, isolation.bridge, *note, "-j", "DROP")
            for isolation in isolations
            if isolation.internal
            for way in ("-i", "-o")
        ),
        *(
            ("-o", isolation.bridge, *noted(isolation.marked), "-g", CLOSED if isolation.isolate else OPEN)
            for isolation in isolations
        ),
    ]
    layout.chains["filter", OPEN] = [
        *(("-i", isolation.bridge, *note, "-j", "RETURN") for isolation in isolations if not isolation.isolate),
        (*note, "-g", CLOSED),
    ]
    layout.chains["filter", CLOSED] = [(*state("DNAT"), *note, "-j", "RETURN"), (*note, "-j", "DROP")]


def _fenced(fences: Sequence[Fence], layout: Layout) -> None:
    """Add what `Fence` says: what is published passes, and what neither comes from nor goes to one of them."""
    for fence in fences:
        note = noted("linuxnet")
        layout.chains["filter", FENCE] = [
            (*state("DNAT"), *note, "-j", "RETURN"),
            *(("-i", name, *note, "-g", FENCED) for name in fence.interfaces),
            *(("-i", name, *noted("linuxnet-spared")) for name in fence.spared),  # a note, no verdict
        ]
        layout.chains["filter", FENCED] = [("-o", name, *note, "-j", "DROP") for name in fence.interfaces]


def _allowance(allowance: Allowance) -> List[Words]:
    note = noted(marked(allowance.owner, allowance.kind))
    if allowance.kind == "out":
        answers = ("-d", allowance.name) if not allowance.name.endswith("/0") else ()
        return [
            (*coming_from(allowance.name), *interface(allowance.by), *note, "-j", "ACCEPT"),
            (*answers, *state("RELATED,ESTABLISHED"), *note, "-j", "ACCEPT"),
        ]
    if allowance.kind == "way":
        back = noted(marked(allowance.owner, "back"))
        return [
            ("-i", allowance.by, "-o", allowance.name, *note, "-j", "ACCEPT"),
            ("-i", allowance.name, "-o", allowance.by, *back, "-j", "ACCEPT"),
        ]
    if allowance.kind == "icc":
        return [("-i", allowance.name, "-o", allowance.name, *note, "-j", "ACCEPT")]
    name, ways = (allowance.name, ("-o", "-i")) if allowance.kind == "in" else (_host(allowance.name), ("-d", "-s"))
    return [(way, name, *state("DNAT"), *note, "-j", "ACCEPT") for way in ways]


def render(family: int, owned: IptablesRules) -> Layout:
    """Return what is owned as chains and calls of one address family."""
    layout = Layout()
    _published(family, owned, layout)
    iptables_snat.render([rule for rule in owned.nat_rules if rule.family == family], owned.by_hand, layout)
    allowances = [allowance for allowance in owned.allowances if allowance.family == family]
    fences = [fence for fence in owned.fences if fence.family == family]
    caller = owned.callers.get(family, "FORWARD")
    if allowances:
        layout.chains["filter", FORWARD] = [line for allowance in allowances for line in _allowance(allowance)]
        layout.late.append(("filter", caller, _call(FORWARD)))
    layout.calls.extend(("filter", caller, _call(FENCE)) for dummy in fences)
    if owned.isolations:
        layout.calls.append(("filter", caller, _call(GUARD)))
    if family in owned.others:
        layout.others["filter", caller] = owned.others[family]
    _fenced(fences, layout)
    _isolated(family, owned.isolations, layout)
    _confined(owned.isolations, layout)
    iptables_tunnels.render(family, owned.tunnels, layout)
    return layout


# --- reading ---


def _read_mapping(rule: Words, family: int, vrf: bool = False) -> Optional[PortMapping]:
    """Return the port mapping that a rule of ours is, None where it says something that we never write. ``vrf``: it is in the chain of those in a VRF."""
    owner, rest = owner_of(comment(rule))
    bridge, dummy, note = rest.partition("|")
    first, colon, last = option(rule, "--dport").partition(":")
    last = last if colon else first
    to, port = option(rule, "--to-destination"), ""
    if family == 4 or to.startswith("["):
        to, dummy, port = to.rpartition(":") if ":" in to else (to, "", "")
    to = to.strip("[]")
    host = option(rule, "-d").partition("/")[0]
    numbers = all(number.isdecimal() for number in (first, last, port or "0"))
    if not is_ours(rule) or not numbers or not all(is_address(one, family) for one in (to, host or to)):
        return None
    protocol = option(rule, "-p")
    host = host or EVERYWHERE[family]
    return PortMapping(protocol, host, int(first), int(last), to, int(port or 0), owner, bridge, note, vrf)


def _read_isolations(chains: Mapping[str, SavedChain]) -> List[Isolation]:
    rules = rules_of(chains, GUARD)
    ways = [(option(rule, "-i"), option(rule, "-o"), target(rule)) for rule in rules]
    icc = {into for into, out, dummy in ways if into == out}
    internal = {into for into, out, verdict in ways if verdict == "DROP" and not out}
    vrf = {option(rule, "-i") for rule in rules_of(chains, CONFINE)} & internal
    inside: Dict[str, Set[Tuple[str, str]]] = {}
    stray: Dict[str, Set[str]] = {}
    only: Dict[str, Set[str]] = {}
    for rule, (into, out, verdict) in zip(rules, ways):
        source = prefix(option(rule, "-s"))
        if source and verdict == "RETURN":
            inside.setdefault(out, set()).add((into, source))
        elif source and verdict == "DROP":
            stray.setdefault(out, set()).add(source)
        elif into and out and verdict == "DROP":
            only.setdefault(out, set()).add(into)
    found = []
    for rule, (dummy, bridge, verdict) in zip(rules, ways):
        if comment(rule).startswith(MARK):
            there = inside.get(bridge, set())
            there |= {(bridge, source) for source in stray.get(bridge, set()) - {source for dummy, source in there}}
            found.append(
                Isolation(
                    *(bridge, verdict != OPEN, bridge in icc, bridge in internal, *owner_of(comment(rule))),
                    inside=tuple(sorted(there)),
                    only=tuple(sorted(only.get(bridge, ()))),
                    vrf=bridge in vrf,
                )
            )
    return found


def _both(found: Sequence[Isolation], more: Sequence[Isolation]) -> List[Isolation]:
    """Return isolations, with what is inside of an address family in addition."""
    inside = {isolation.bridge: isolation.inside for isolation in more}
    return [
        replace(isolation, inside=tuple(sorted({*isolation.inside, *inside.get(isolation.bridge, ())})))
        for isolation in found
    ]


def _read_allowances(chains: Mapping[str, SavedChain], family: int) -> List[Allowance]:
    found: Dict[Tuple[str, str, int, str], Allowance] = {}
    for rule in rules_of(chains, FORWARD):
        owner, kind = owner_of(comment(rule))
        if kind == "out" and "--ctstate" not in rule:
            allowance = Allowance(kind, option(rule, "-s") or EVERYWHERE[family], family, option(rule, "-o"), owner)
        elif kind == "way":
            allowance = Allowance(kind, option(rule, "-o"), family, option(rule, "-i"), owner)
        elif kind in ("in", "icc"):
            allowance = Allowance(kind, option(rule, "-o") or option(rule, "-i"), family, "", owner)
        elif kind == "to":
            address = (option(rule, "-d") or option(rule, "-s")).partition("/")[0]
            if not is_address(address, family):
                continue
            allowance = Allowance(kind, address, family, "", owner)
        else:
            continue
        found[allowance.key] = allowance
    return list(found.values())


def _read_fence(chains: Mapping[str, SavedChain], family: int) -> List[Fence]:
    """Return the fence, one around nothing where somebody flushed its chains."""
    rules = [rule for rule in rules_of(chains, FENCE) if option(rule, "-i")]
    spared = {option(rule, "-i") for rule in rules if comment(rule) == "linuxnet-spared"}
    inside = {option(rule, "-i") for rule in rules} | {option(rule, "-o") for rule in rules_of(chains, FENCED)}
    return [Fence(family, tuple(sorted(inside - spared)), tuple(sorted(spared)))] if FENCE in chains else []


def _unmarked(tables: Tables, program: str) -> List[ByHand]:
    """Return the rules in chains of ours that do not carry our mark."""
    return [
        ByHand(
            "chain %s of %s" % (name, table),
            spelled(rule),
            "%s %s" % (program, spelled(("-t", table, "-D", name, *rule))),
            program,
            ("-t", table, "-D", name, *rule),
        )
        for table, chains in tables.items()
        for name, chain in chains.items()
        if name in SHARED
        for rule in chain.rules
        if not is_ours(rule)
    ]


def _caller(chains: Mapping[str, SavedChain]) -> str:
    """Return the chain that calls ours: that of docker's users, where every packet comes by there."""
    called = any(_alone(rule) == ("-j", USERS) for rule in rules_of(chains, "FORWARD"))
    return USERS if called and USERS in chains else "FORWARD"


def _alone(rule: Words) -> Words:
    """Return a rule without its comment."""
    if "--comment" not in rule[:-1]:
        return rule
    number = rule.index("--comment")
    return (*rule[: max(number - 2, 0)], *rule[number + 2 :])


PROGRAMS = {4: "iptables", 6: "ip6tables"}  # of either kind


def owned(saved: Mapping[int, Tables], programs: Optional[Mapping[int, str]] = None) -> IptablesRules:
    """Return what is owned in the tables of both address families; ``programs`` write them."""
    rules: List[NatRule] = []
    by_hand: Dict[Tuple[str, str], Sequence[Half]] = {}
    mappings: List[PortMapping] = []
    allowances: List[Allowance] = []
    isolations: List[Isolation] = []
    fences: List[Fence] = []
    localnet: List[str] = []
    hairpins: Dict[str, str] = {}
    unmarked: List[ByHand] = []
    for family, tables in saved.items():
        nat, filters = tables.get("nat", {}), tables.get("filter", {})
        chains = ((PUBLISH, False), (VRF, True))
        read = (_read_mapping(rule, family, vrf) for chain, vrf in chains for rule in rules_of(nat, chain))
        mappings += [mapping for mapping in read if mapping is not None]
        for rule, halves in iptables_snat.read(tables, family):
            rules.append(rule)
            if rule.out_interface == UNREADABLE or not rule.stopped:
                by_hand[rule.key] = halves
        allowances += _read_allowances(filters, family)
        there = _read_isolations(filters)
        isolations = _both(isolations, there) if isolations else there
        fences += _read_fence(filters, family)
        notes = [rule for rule in rules_of(tables.get("raw", {}), RAW) if comment(rule) == "linuxnet-localnet"]
        localnet += [option(rule, "-i") for rule in notes]
        bent = [rule for rule in rules_of(nat, HAIRPIN) if comment(rule).startswith(_BENT)]
        hairpins.update((option(rule, "-o"), comment(rule)[len(_BENT) :]) for rule in bent)
        unmarked += _unmarked(tables, (programs or PROGRAMS)[family])
    callers = {family: _caller(tables.get("filter", {})) for family, tables in saved.items()}
    found = IptablesRules(
        nat_rules=tuple(rules),
        port_mappings=tuple(dict.fromkeys(mappings)),  # one that is there twice is put right
        isolations=tuple(isolations),
        allowances=tuple(allowances),
        fences=tuple(fences),
        bridges=bridges_of(mappings),
        localnet=tuple(dict.fromkeys(localnet)),
        hairpins=tuple(hairpins.items()),
        tunnels=tuple(iptables_tunnels.read(saved)),
        unmarked=tuple(unmarked),
        families=tuple(saved),
        callers=callers,
        others={
            family: [rule for rule in rules_of(tables.get("filter", {}), callers[family]) if not is_ours(rule)]
            for family, tables in saved.items()
        },
        by_hand=by_hand,
        closed=tuple((family, table) for family, tables in saved.items() for table in sorted(closed(tables))),
    )
    return replace(found, static=_static(saved, found))


def _static(saved: Mapping[int, Tables], owned: IptablesRules) -> FrozenSet[Tuple[str, int]]:
    """Return the kinds and families whose chains are as they would be rendered."""
    found: Set[Tuple[str, int]] = set()
    for family, tables in saved.items():
        layout = render(family, owned)
        lost = [step.chain for step in difference(tables, layout, SHARED)]
        broken = {_KINDS.get(name, NAT) for name in lost if name.startswith(OURS)}
        if not all(name.startswith(OURS) for name in lost):  # a call that leads elsewhere: nobody knows whose it was
            broken.update((NAT, PORTS, VRFS, ISOLATION, CONFINED, ALLOWANCES, FENCES, TUNNELS))
        if iptables_snat.STOPS not in tables.get("mangle", {}):
            broken.add(NAT)
        there = {_KINDS.get(name, NAT) for dummy, name in layout.chains}
        found |= {(kind, family) for kind in there - broken}
    return frozenset(found)
