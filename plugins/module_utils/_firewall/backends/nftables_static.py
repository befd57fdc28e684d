# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The static rules of our nftables table: sets, chains and rules on them that are the same whatever is in the sets. Pure.

The names and comments are on running hosts: they stay as they are.
"""

from __future__ import annotations

from typing import Collection, Iterable, List, Mapping, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    ALLOWANCES,
    ANY_MARK,
    FENCES,
    ISOLATION,
    PORTS,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass

TABLE = "inet linuxnet_containers"
IP = {
    4: ("ip", "ipv4_addr"),
    6: ("ip6", "ipv6_addr"),
}  # nft's words for an address family, and for the type of its addresses
ISOLATION_SETS = ("closed", "icc", "open", "internal")  # those that an isolated bridge may be in
FENCE_SETS = ("fence", "spared")  # a family each
_MARK = ANY_MARK + "-"  # begins the comment of a static rule
# Where source NAT rules are, and their stops.
CHAIN, STOPS = "postrouting", "untranslated"
CHAINS = {CHAIN: "nat hook postrouting priority srcnat", STOPS: "filter hook postrouting priority filter"}
# Begins the comment of a stop, and the owner follows: as long as the mark of a rule, so that it has room wherever that has.
STOP_MARK = ANY_MARK + "!"


@dataclass(frozen=True)
class StaticRules:
    """Sets, chains with their hooks, and rules (chain, name, text) on them. ``name`` is in the comments of the rules."""

    name: str
    sets: Mapping[str, str]  # "map NAME" or "set NAME" to its type
    chains: Mapping[str, str]
    rules: Sequence[Tuple[str, str, str]]

    def mark(self, name: str) -> str:
        """Return the comment of a rule."""
        return "%s%s-%s" % (_MARK, self.name, name)

    def base(
        self,
        there: Sequence[Tuple[str, int]] = (),
        remade: Collection[str] = (),
        carried: Sequence[Tuple[str, str]] = (),
    ) -> List[str]:
        """Return the lines that make all of it. ``there`` (chain, handle) are those of the rules that exist; they are put anew. So are the chains,
        sets and maps ``remade`` ("chain NAME"); of what somebody else has there ``carried`` (chain, text) is put again, behind ours."""
        lines = ["add table %s" % TABLE, *deleted(there), *self._taken_away(remade)]
        for name, type_ in self.sets.items():
            kind, dummy, name = name.partition(" ")
            lines.append("add %s %s %s { %s; }" % (kind, TABLE, name, type_))
        lines += [made(chain, hook) for chain, hook in self.chains.items()]
        for chain, name, rule in self.rules:
            lines.append('add rule %s %s %s comment "%s"' % (TABLE, chain, rule, self.mark(name)))
        return lines + put_again(carried, self.chains)

    def gone(self, there: Collection[str], rules: Sequence[Tuple[str, int]] = ()) -> List[str]:
        """Return the lines that take all of it away. ``there``: the chains, sets and maps that exist, as "chain NAME"; somebody may have
        taken out some, or all their rules, or put ``rules`` (chain, handle) of it in other chains."""
        return [*deleted(rule for rule in rules if rule[0] not in self.chains), *self._taken_away(there)]

    def _taken_away(self, there: Collection[str]) -> List[str]:
        chains = [chain for chain in self.chains if "chain " + chain in there]
        names = [entry.split()[1] for entry in self.sets]
        return [
            *("flush chain %s %s" % (TABLE, chain) for chain in chains),
            *("delete chain %s %s" % (TABLE, chain) for chain in reversed(chains)),
            *(
                "delete %s %s %s" % (kind, TABLE, name)
                for name in names
                for kind in ("set", "map")
                if "%s %s" % (kind, name) in there
            ),
        ]


def made(chain: str, hook: str) -> str:
    """Return the line that makes a chain, or has it have its policy; ``hook`` is ``""`` for one that is called by others."""
    return "add chain %s %s%s" % (TABLE, chain, " { type %s; policy accept; }" % hook if hook else "")


def put_again(carried: Iterable[Tuple[str, str]], chains: Collection[str]) -> List[str]:
    """Return the lines that put rules of somebody else (chain, text) again, of these chains."""
    return ["add rule %s %s %s" % (TABLE, chain, text) for chain, text in carried if chain in chains]


def deleted(rules: Iterable[Tuple[str, int]]) -> List[str]:
    """Return the lines that delete rules (chain, handle)."""
    return ["delete rule %s %s handle %d" % (TABLE, chain, handle) for chain, handle in rules]


def _publishing() -> StaticRules:
    # What the host itself answers, were it that nobody listens: no answer of a container's comes back from there.
    sets, rules = {}, [("publish", "here", "ip6 daddr { ::1, fe80::/10 } return")]
    for ip, kind in IP.values():
        key, found = "inet_proto . %s . inet_service" % kind, "meta l4proto . %s daddr . th dport" % ip
        sets["map publish_%s" % ip] = "type %s : %s; flags interval" % (key, kind)
        sets["map publish_%s_port" % ip] = "type %s : %s . inet_service; flags interval" % (key, kind)
        rules.append(("publish", "same-" + ip, "dnat %s to %s map @publish_%s" % (ip, found, ip)))
        protocols = "meta l4proto { tcp, udp, sctp }"  # nft wants it said where a port is set
        rules.append(("publish", "port-" + ip, "%s dnat %s to %s map @publish_%s_port" % (protocols, ip, found, ip)))
    # What is sent to an address of the host: from elsewhere, and by the host itself.
    rules += [(chain, chain, "fib daddr type local jump publish") for chain in ("prerouting", "output")]
    # route_localnet lets a neighbour's packets for 127.0.0.1 in: nobody but the host itself may send them.
    rules.append(("raw", "localhost", 'iifname != "lo" ip daddr 127.0.0.0/8 drop'))
    # The answer has to come back this way: to the host's 127.0.0.1, and to those on the same bridge, who see each other. With
    # br_netfilter the latter are bridged to each other, and have no input interface here.
    rules += [
        ("hairpin", "localhost", "ct status dnat ip saddr 127.0.0.0/8 masquerade"),
        ("hairpin", "sibling", "ct status dnat iifname . oifname @loops masquerade"),
        ("hairpin", "routed", "iif != 0 return"),
        ("hairpin", "host", "fib saddr type local return"),
        ("hairpin", "bridged", "ct status dnat oifname . oifname @loops masquerade"),
    ]
    chains = {
        "publish": "",
        "prerouting": "nat hook prerouting priority dstnat",
        "output": "nat hook output priority -100",
        "raw": "filter hook prerouting priority raw",
        "hairpin": "nat hook postrouting priority srcnat",
    }
    # loops: (bridge, bridge) where something is published; localnet: bridges whose route_localnet we switched on.
    sets.update({"set loops": "type ifname . ifname", "set localnet": "type ifname"})
    return StaticRules("publish", sets, chains, rules)


_ISOLATING = StaticRules(
    "guard",
    {
        "set closed": "type ifname",
        "set icc": "type ifname . ifname",
        "set open": "type ifname",
        "set internal": "type ifname",
    },
    {"closed_to": "", "forward": "filter hook forward priority filter"},
    [
        ("forward", "answers", "ct state established,related accept"),
        ("forward", "icc", "iifname . oifname @icc accept"),
        ("forward", "internal-out", "iifname @internal counter drop"),
        ("forward", "internal-in", "oifname @internal counter drop"),
        ("forward", "closed", "oifname @closed jump closed_to"),
        ("closed_to", "published", "ct status dnat accept"),
        ("closed_to", "open", "iifname @open oifname @open accept"),
        ("closed_to", "unpublished", "counter drop"),
    ],
)
# A mark that another rule set lets through (docker's bridge-accept-fwmark), set before its forward chain looks.
_MARKING = StaticRules(
    "mark",
    {"map marks": "type ifname : mark"},
    {"marks": "filter hook forward priority mangle"},
    [("marks", "published", "ct status dnat meta mark set oifname map @marks")],
)
# Interfaces of others stay apart where forwarding is ours. spared_*: those that rules of ours are about, a note that no rule looks at.
_FENCING = StaticRules(
    "fence",
    {"set %s_%s" % (name, ip): "type ifname" for name in FENCE_SETS for ip, dummy in IP.values()},
    {"fence": "filter hook forward priority filter"},
    [
        ("fence", "published", "ct status dnat accept"),
        ("fence", "ip", "meta nfproto ipv4 iifname @fence_ip oifname @fence_ip counter drop"),
        ("fence", "ip6", "meta nfproto ipv6 iifname @fence_ip6 oifname @fence_ip6 counter drop"),
    ],
)
STATIC: Mapping[str, StaticRules] = {
    PORTS: _publishing(),
    ISOLATION: _ISOLATING,
    ALLOWANCES: _MARKING,
    FENCES: _FENCING,
}
