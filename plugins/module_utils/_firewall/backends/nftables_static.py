# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The static rules of our nftables tables: sets, chains and rules on them that are the same whatever is in the sets. Pure.

The names and comments are on running hosts: they stay as they are.
"""

from __future__ import annotations

from typing import Collection, Dict, Iterable, List, Mapping, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    ALLOWANCES,
    ANY_MARK,
    CONFINED,
    FENCES,
    ISOLATION,
    PORTS,
    SPOOFING,
    TUNNELS,
    UPLINKS,
    VRFS,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import MARK_BIT, UPLINK_BITS

TABLE = "inet linuxnet_containers"
BRIDGE_TABLE = "bridge linuxnet_containers"
IP = {
    4: ("ip", "ipv4_addr"),
    6: ("ip6", "ipv6_addr"),
}  # nft's words for an address family, and for the type of its addresses
ISOLATION_SETS = ("closed", "icc", "open", "internal")  # those that an isolated bridge may be in
# What is inside of isolated networks: by which interface it comes, from where, whatever that is, and by which nothing else comes.
INSIDE_SETS = ("inside_ip", "inside_ip6", "insiders_ip", "insiders_ip6", "local", "alone")
VRF_INTERNAL = "vrf_internal"  # bridges of internal networks that are in a VRF
RESERVED = "reserved"  # the interfaces by which nothing else comes, nor goes
FENCE_SETS = ("fence", "spared")  # a family each
_MARK = ANY_MARK + "-"  # begins the comment of a static rule
# Where source NAT rules are, and their stops.
CHAIN, STOPS = "postrouting", "untranslated"
CHAINS = {CHAIN: "nat hook postrouting priority srcnat", STOPS: "filter hook postrouting priority filter"}
# Begins the comment of a stop, and the owner follows: as long as the mark of a rule, so that it has room wherever that has.
STOP_MARK = ANY_MARK + "!"


@dataclass(frozen=True)
class StaticRules:
    """Sets, chains with their hooks, and rules (chain, name, text) on them. ``name`` is in the comments of the rules, ``table`` where all
    of it is."""

    name: str
    sets: Mapping[str, str]  # "map NAME" or "set NAME" to its type
    chains: Mapping[str, str]
    rules: Sequence[Tuple[str, str, str]]
    table: str = TABLE

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
        lines = ["add table %s" % self.table, *deleted(there, self.table), *self._taken_away(remade)]
        for name, type_ in self.sets.items():
            kind, dummy, name = name.partition(" ")
            lines.append("add %s %s %s { %s; }" % (kind, self.table, name, type_))
        lines += [made(chain, hook, self.table) for chain, hook in self.chains.items()]
        for chain, name, rule in self.rules:
            lines.append('add rule %s %s %s comment "%s"' % (self.table, chain, rule, self.mark(name)))
        return lines + put_again(carried, self.chains, self.table)

    def gone(self, there: Collection[str], rules: Sequence[Tuple[str, int]] = ()) -> List[str]:
        """Return the lines that take all of it away. ``there``: the chains, sets and maps that exist, as "chain NAME"; somebody may have
        taken out some, or all their rules, or put ``rules`` (chain, handle) of it in other chains."""
        elsewhere = [rule for rule in rules if rule[0] not in self.chains]
        return [*deleted(elsewhere, self.table), *self._taken_away(there)]

    def _taken_away(self, there: Collection[str]) -> List[str]:
        chains = [chain for chain in self.chains if "chain " + chain in there]
        names = [entry.split()[1] for entry in self.sets]
        return [
            *("flush chain %s %s" % (self.table, chain) for chain in chains),
            *("delete chain %s %s" % (self.table, chain) for chain in reversed(chains)),
            *(
                "delete %s %s %s" % (kind, self.table, name)
                for name in names
                for kind in ("set", "map")
                if "%s %s" % (kind, name) in there
            ),
        ]


def made(chain: str, hook: str, table: str = TABLE) -> str:
    """Return the line that makes a chain, or has it have its policy; ``hook`` is ``""`` for one that is called by others."""
    return "add chain %s %s%s" % (table, chain, " { type %s; policy accept; }" % hook if hook else "")


def put_again(carried: Iterable[Tuple[str, str]], chains: Collection[str], table: str = TABLE) -> List[str]:
    """Return the lines that put rules of somebody else (chain, text) again, of these chains."""
    return ["add rule %s %s %s" % (table, chain, text) for chain, text in carried if chain in chains]


def deleted(rules: Iterable[Tuple[str, int]], table: str = TABLE) -> List[str]:
    """Return the lines that delete rules (chain, handle)."""
    return ["delete rule %s %s handle %d" % (table, chain, handle) for chain, handle in rules]


def _translating(name: str, chain: str) -> Tuple[Dict[str, str], List[Tuple[str, str, str]]]:
    """Return maps of published ports, whose names begin so, and the rules of a chain that translate what is in them."""
    sets, rules = {}, []
    for ip, kind in IP.values():
        key, found = "inet_proto . %s . inet_service" % kind, "meta l4proto . %s daddr . th dport" % ip
        sets["map %s_%s" % (name, ip)] = "type %s : %s; flags interval" % (key, kind)
        sets["map %s_%s_port" % (name, ip)] = "type %s : %s . inet_service; flags interval" % (key, kind)
        rules.append((chain, "same-" + ip, "dnat %s to %s map @%s_%s" % (ip, found, name, ip)))
        protocols = "meta l4proto { tcp, udp, sctp }"  # nft wants it said where a port is set
        rules.append((chain, "port-" + ip, "%s dnat %s to %s map @%s_%s_port" % (protocols, ip, found, name, ip)))
    return sets, rules


def _publishing() -> StaticRules:
    # What the host itself answers, were it that nobody listens: no answer of a container's comes back from there.
    sets, rules = _translating("publish", "publish")
    rules.insert(0, ("publish", "here", "ip6 daddr { ::1, fe80::/10 } return"))
    # What is sent to an address of the host: from elsewhere, and by the host itself.
    rules += [(chain, chain, "fib daddr type local jump publish") for chain in ("prerouting", "output")]
    # route_localnet lets a neighbour's packets for 127.0.0.1 in: nobody but the host itself may send them.
    rules.append(("raw", "localhost", 'iifname != "lo" ip daddr 127.0.0.0/8 drop'))
    # What is for 127.0.0.0/8 behind NAT is an answer, and the policy rule that guards an interface (`AddLoopbackGuard`) lets it in.
    rules.append(("answers", "answers", "ct status dnat ip daddr 127.0.0.0/8 meta mark set meta mark | %d" % MARK_BIT))
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
        "answers": "filter hook prerouting priority filter",
        "hairpin": "nat hook postrouting priority srcnat",
    }
    # loops: (bridge, bridge) where something is published; localnet: bridges whose route_localnet we switched on.
    sets.update({"set loops": "type ifname . ifname", "set localnet": "type ifname"})
    return StaticRules("publish", sets, chains, rules)


def _isolating() -> StaticRules:
    sets = {
        "set closed": "type ifname",
        "set icc": "type ifname . ifname",
        "set open": "type ifname",
        "set internal": "type ifname",
    }
    rules = [("forward", "answers", "ct state established,related accept")]
    for ip, kind in IP.values():
        sets["set inside_%s" % ip] = "type ifname . %s . ifname; flags interval" % kind
        rules.append(("forward", "inside-in-" + ip, "iifname . %s saddr . oifname @inside_%s accept" % (ip, ip)))
        rules.append(("forward", "inside-out-" + ip, "oifname . %s daddr . iifname @inside_%s accept" % (ip, ip)))
    # What is translated would go out as if it were the host's own.
    sets["set " + RESERVED] = "type ifname"
    rules.append(("forward", "reserved", "oifname @%s counter drop" % RESERVED))
    for ip, kind in IP.values():
        sets["set insiders_%s" % ip] = "type %s . ifname; flags interval" % kind
        stray = "%s saddr . oifname @insiders_%s iifname . oifname != @local counter drop" % (ip, ip)
        rules.append(("forward", "stray-" + ip, stray))
    sets.update({"set local": "type ifname . ifname", "set alone": "type ifname . ifname"})
    rules += [
        ("forward", "only", "iifname . oifname @alone counter drop"),
        ("forward", "icc", "iifname . oifname @icc accept"),
        ("forward", "internal-out", "iifname @internal counter drop"),
        ("forward", "internal-in", "oifname @internal counter drop"),
        ("forward", "closed", "oifname @closed jump closed_to"),
        ("closed_to", "published", "ct status dnat accept"),
        ("closed_to", "open", "iifname @open oifname @open accept"),
        ("closed_to", "unpublished", "counter drop"),
    ]
    return StaticRules("guard", sets, {"closed_to": "", "forward": "filter hook forward priority filter"}, rules)


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


# What comes in by an uplink for a published port carries the number of that, and so do the answers: once the port is translated, and before routing, which
# looks for the way by that and checks that the source is behind the interface. Where somebody else marks, it is left as it is. From the connection
# nothing is taken but what is ours alone.
_UPLINKS = StaticRules(
    "uplink",
    {"map uplinks_%s" % ip: "type ifname : mark" for ip, dummy in IP.values()},
    {"uplinks": "filter hook prerouting priority %d" % -99},
    [
        (
            "uplinks",
            "ip",
            "meta nfproto ipv4 ct state new ct status dnat ct mark 0 ct mark set iifname map @uplinks_ip",
        ),
        (
            "uplinks",
            "ip6",
            "meta nfproto ipv6 ct state new ct status dnat ct mark 0 ct mark set iifname map @uplinks_ip6",
        ),
        (
            "uplinks",
            "marked",
            "ct mark != 0 ct mark & %d == 0 meta mark 0 meta mark set ct mark" % (~UPLINK_BITS & 0xFFFFFFFF),
        ),
    ],
)


# What is published on an address that the host has in a VRF. Only the first pass of this hook is early enough, that of the interface itself, and only with
# that the kernel looks such an address up where it is.
def _in_vrfs() -> StaticRules:
    sets, rules = _translating("vrf", "vrf_ports")
    rules.insert(0, ("vrf_ports", "elsewhere", "fib daddr . iif type != local return"))
    return StaticRules("vrf", sets, {"vrf_ports": "nat hook prerouting priority dstnat"}, rules)


# What is forwarded in a VRF comes from that, and sdifname says by which of its interfaces.
_CONFINING = StaticRules(
    "confine",
    {"set " + VRF_INTERNAL: "type ifname"},
    {"vrf_forward": "filter hook forward priority filter"},
    [("vrf_forward", "internal", "meta sdifname @%s counter drop" % VRF_INTERNAL)],
)


# What comes in for a VXLAN (RFC 7348, 5): its VNI is behind the header of UDP and a word of flags. IPv6 is put together behind the hook input only, so
# the first part of a packet tells whose it is; one that is cut off before the VNI, or behind headers that are cut off themselves, passes from nobody.
# Nobody sends such in good faith (RFC 7112, RFC 8200), and the other parts are nothing without it.
_TUNNELS = StaticRules(
    "tunnel",
    {
        "set tunnels": "typeof udp dport . @th,96,24",
        "set peers_ip": "typeof udp dport . @th,96,24 . ip saddr",
        "set peers_ip6": "typeof udp dport . @th,96,24 . ip6 saddr",
    },
    {"peers": "", "fragments": "", "tunnel": "filter hook input priority mangle"},
    [
        ("tunnel", "known", "udp dport . @th,96,24 @tunnels goto peers"),
        ("tunnel", "first", "frag frag-off 0 goto fragments"),
        ("peers", "ip", "th dport . @th,96,24 . ip saddr @peers_ip accept"),
        ("peers", "ip6", "th dport . @th,96,24 . ip6 saddr @peers_ip6 accept"),
        ("peers", "stranger", "counter drop"),
        ("fragments", "other", "meta l4proto != 17 accept"),
        ("fragments", "untouched", "th dport . @th,96,24 != @tunnels accept"),
        ("fragments", "hidden", "counter drop"),
    ],
)


# What comes in by a port of a bridge. What is said to be of the port passes, and all else is dropped: what nft cannot find in a frame, because it is cut
# off or behind something that is not understood, matches no rule. It stands before br_netfilter, which would show a frame to the rules for IP.
def _spoofing() -> StaticRules:
    group = "ether daddr & ff:ff:ff:ff:ff:f0 == 01:80:c2:00:00:00"  # IEEE 802.1D: spanning tree and the like
    rules = [
        ("incoming", "checked", "iifname @checked jump port"),
        # Frames for these addresses that the bridge itself takes do not pass prerouting.
        ("taken", "group-taken", "iifname @checked %s counter drop" % group),
        ("port", "mac", "iifname . ether saddr != @macs counter drop"),
        ("port", "group", "%s counter drop" % group),
        ("port", "protocol", "ether type vmap { ip : goto from_ipv4, arp : goto from_arp, ip6 : goto from_ipv6 }"),
        ("port", "other-protocol", "counter drop"),
        # The fields of ARP are where they are read for Ethernet and IPv4 only.
        (
            "from_arp",
            "sender",
            "arp htype 1 arp ptype ip arp hlen 6 arp plen 4 iifname . arp saddr ether @macs goto from_arp_mac",
        ),
        ("from_arp", "other-arp", "counter drop"),
        # A probe (RFC 5227) says nothing of its sender, so nobody learns from it.
        ("from_arp_mac", "probe", "arp operation request arp saddr ip 0.0.0.0 accept"),
        ("from_arp_mac", "arp-source", "iifname . arp saddr ip @ipv4 accept"),
        ("from_arp_mac", "other-arp-source", "counter drop"),
        ("from_ipv4", "source", "iifname . ip saddr @ipv4 accept"),
        ("from_ipv4", "other-source", "counter drop"),
        ("from_ipv6", "router", "icmpv6 type { nd-router-advert, nd-redirect } counter drop"),
        ("from_ipv6", "unspecified", "ip6 saddr :: goto from_nobody"),
        ("from_ipv6", "source6", "iifname . ip6 saddr @ipv6 goto from_ipv6_own"),
        ("from_ipv6", "other-source6", "counter drop"),
        # Who has no address yet asks whether somebody else has it, and joins groups (RFC 4862, RFC 3590).
        (
            "from_nobody",
            "detection",
            "icmpv6 type { mld-listener-report, mld-listener-done, nd-neighbor-solicit, mld2-listener-report } accept",
        ),
        ("from_nobody", "other-unspecified", "counter drop"),
        ("from_ipv6_own", "advertisement", "icmpv6 type nd-neighbor-advert goto advertised"),
        ("from_ipv6_own", "icmpv6", "icmpv6 type != nd-neighbor-advert accept"),
        # Later parts of a packet of ICMPv6, which is nothing without its first one. Neighbours take no advertisement in parts (RFC 6980).
        ("from_ipv6_own", "fragment", "meta l4proto 58 frag frag-off != 0 accept"),
        ("from_ipv6_own", "payload", "meta l4proto != 58 accept"),
        ("from_ipv6_own", "other-payload", "counter drop"),
        ("advertised", "target", "iifname . @th,64,128 @targets accept"),
        ("advertised", "other-target", "counter drop"),
        # In place of isolation, which would drop what br_netfilter bridges once it is translated: that was sent to the bridge itself.
        ("between", "from-apart", "iifname @apart meta pkttype != host counter drop"),
        ("between", "to-apart", "oifname @apart meta pkttype != host counter drop"),
    ]
    return StaticRules(
        "spoof",
        {
            "set checked": "type ifname",
            "set macs": "type ifname . ether_addr",
            "set ipv4": "type ifname . ipv4_addr; flags interval",
            "set ipv6": "type ifname . ipv6_addr; flags interval",
            # The addresses of ipv6 again, as numbers: nft has no name for the target of an advertisement before 1.0.8.
            "set targets": "typeof meta iifname . @th,64,128; flags interval",
            "set apart": "type ifname",
        },
        {
            "advertised": "",
            "from_ipv6_own": "",
            "from_nobody": "",
            "from_ipv6": "",
            "from_ipv4": "",
            "from_arp_mac": "",
            "from_arp": "",
            "port": "",
            "incoming": "filter hook prerouting priority -300",
            "taken": "filter hook input priority -300",
            "between": "filter hook forward priority -300",
        },
        rules,
        BRIDGE_TABLE,
    )


STATIC: Mapping[str, StaticRules] = {
    PORTS: _publishing(),
    ISOLATION: _isolating(),
    ALLOWANCES: _MARKING,
    FENCES: _FENCING,
    SPOOFING: _spoofing(),
    UPLINKS: _UPLINKS,
    TUNNELS: _TUNNELS,
    VRFS: _in_vrfs(),
    CONFINED: _CONFINING,
}
