# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each change of a firewall: the commands a person would type for it, and what takes it back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import (
    IPTABLES_LEGACY,
    IPTABLES_NFT,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_rules import IptablesRules
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_read import NftRules
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    FAMILIES,
    FENCES,
    ISOLATION,
    NAT,
    PORTS,
    SPOOFING,
    TUNNELS,
    UNREADABLE,
    UPLINKS,
    Allowance,
    ByHand,
    Fence,
    Isolation,
    NatRule,
    PortMapping,
    SpoofCheck,
    Tunnel,
    Uplink,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import changes

WEB = NsRef("/run/netns/web")
RULE = NatRule("10.0.0.0/24", "!br0", owner="net", handles=(("postrouting", 7), ("untranslated", 8)))
PORT = PortMapping("tcp", "0.0.0.0/0", 8080, 8080, "10.0.0.2", 80, "net", "br0")
ISOLATED = Isolation("br0", isolate=False, owner="net")
IPTABLES = IptablesRules(callers={4: "DOCKER-USER"})
WHOLE = NftRules(
    static=frozenset(
        (kind, family) for kind in (NAT, PORTS, ISOLATION, SPOOFING, UPLINKS, TUNNELS) for family in FAMILIES
    )
)
FENCED = NftRules(static=frozenset((FENCES, family) for family in FAMILIES))
TABLE = "inet linuxnet_containers"
BRIDGE = "bridge linuxnet_containers"
TUNNEL = Tunnel(42, 4789, ("192.0.2.2", "2001:db8::2"), "front")
# What somebody put among ours; of the second one nobody can say how it is taken out.
IN_FORWARD = ByHand("chain forward", "accept", "", "nft", (f"delete rule {TABLE} forward handle 9",))
LISTED = ByHand("map publish_ip", "", f"nft list map {TABLE} publish_ip")
IN_CHECKED = ByHand("set checked", '"vethx"', "", "nft", (f'delete element {BRIDGE} checked {{ "vethx" }}',))
IN_GUARD = ByHand(
    "chain LINUXNET-GUARD of filter", "-j ACCEPT", "", "iptables-nft",
    ("-t", "filter", "-D", "LINUXNET-GUARD", "-m", "comment", "--comment", "at night", "-j", "ACCEPT"),
)  # fmt: skip
CHECKED = SpoofCheck("veth1", "02:42:0a:00:00:02", ("10.0.0.2",), "web")

COMMANDS = [
    (
        changes.PutRule(HOST, RULE),
        [
            f"nft 'add table {TABLE}'",
            f"nft 'add chain {TABLE} postrouting {{ type nat hook postrouting priority srcnat; policy accept; }}'",
            f"nft 'add chain {TABLE} untranslated {{ type filter hook postrouting priority filter; policy accept; }}'",
            f"nft 'add rule {TABLE} postrouting ip saddr 10.0.0.0/24 oifname != \"br0\" "
            "ip daddr != { 10.0.0.0/24, 224.0.0.0/4, 255.255.255.255/32 } masquerade comment \"linuxnet:net\"'",
            f"nft 'add rule {TABLE} untranslated ip saddr 10.0.0.0/24 oifname != \"br0\" "
            "ip daddr != { 10.0.0.0/24, 224.0.0.0/4, 255.255.255.255/32 } ct state invalid counter drop comment \"linuxnet!net\"'",
        ],
    ),
    (
        changes.DelRule(HOST, RULE),
        [f"nft 'delete rule {TABLE} postrouting handle 7'", f"nft 'delete rule {TABLE} untranslated handle 8'"],
    ),
    (changes.DelRule(WEB, RULE, last=True), [f"ip netns exec web nft 'delete table {TABLE}'"]),
    (
        changes.SetPortMappings(HOST, (PORT,), (replace(PORT, to="10.0.0.3"),), WHOLE, localnet_on=("br0",)),
        [
            f"nft 'delete element {TABLE} publish_ip_port {{ tcp . 0.0.0.0/0 . 8080 }}'",
            f"nft 'add element {TABLE} loops {{ \"br0\" . \"br0\" }}'",
            f"nft 'add element {TABLE} localnet {{ \"br0\" }}'",
            f"nft 'add element {TABLE} publish_ip_port "
            "{ tcp . 0.0.0.0/0 . 8080 comment \"linuxnet:net|br0|\" : 10.0.0.2 . 80 }'",
        ],
    ),
    (changes.SetIsolation(HOST, ISOLATED, None, WHOLE), [f"nft 'add element {TABLE} {line}'" for line in (
        'closed { "br0" comment "linuxnet:net" }', 'icc { "br0" . "br0" }', 'open { "br0" }',
    )]),
    (changes.SetPortMappings(HOST, (), (PORT,), last=True), [f"nft 'delete table {TABLE}'"]),
    (changes.SetSpoofCheck(HOST, CHECKED, None, WHOLE), [f"nft 'add element {BRIDGE} {line} comment \"linuxnet:web\" }}'" for line in (
        'targets { "veth1" . 0xfe8000000000000000420afffe000002',
        'ipv6 { "veth1" . fe80::42:aff:fe00:2',
        'ipv4 { "veth1" . 10.0.0.2',
        'macs { "veth1" . 02:42:0a:00:00:02',
        'checked { "veth1"',
    )]),
    (
        changes.SetSpoofCheck(HOST, replace(CHECKED, addresses=("10.0.0.3",)), CHECKED, WHOLE),
        [
            f"nft 'delete element {BRIDGE} ipv4 {{ \"veth1\" . 10.0.0.2 }}'",
            f"nft 'add element {BRIDGE} ipv4 {{ \"veth1\" . 10.0.0.3 comment \"linuxnet:web\" }}'",
        ],
    ),
    (changes.SetSpoofCheck(HOST, None, CHECKED, last=True), [f"nft 'delete table {BRIDGE}'"]),
    (
        changes.SetAllowances(HOST, (Allowance("out", "10.0.0.0/24", 4, "!br0", "net"),), (), IPTABLES_NFT, IPTABLES),
        [
            "iptables-nft -t filter -N LINUXNET-FORWARD",
            "iptables-nft -t filter -A LINUXNET-FORWARD -s 10.0.0.0/24 '!' -o br0 -m comment --comment 'linuxnet:net|out' -j ACCEPT",
            "iptables-nft -t filter -A LINUXNET-FORWARD -d 10.0.0.0/24 -m conntrack --ctstate RELATED,ESTABLISHED "
            "-m comment --comment 'linuxnet:net|out' -j ACCEPT",
            "iptables-nft -t filter -A DOCKER-USER -m comment --comment linuxnet -j LINUXNET-FORWARD",
        ],
    ),
    (
        changes.SetApart(HOST, (("web0", "br0"),), (("db0", "br1"),), WHOLE),
        [
            "nft 'delete element bridge linuxnet_containers apart { \"db0\" }'",
            "nft 'add element bridge linuxnet_containers apart { \"web0\" comment \"linuxnet-apart|br0\" }'",
        ],
    ),
    (
        changes.SetUplink(HOST, Uplink(4, "up1", 2, owner="up1"), Uplink(4, "up1", 2, True), WHOLE),
        [
            f"nft 'delete element {TABLE} uplinks_ip {{ \"up1\" }}'",
            f"nft 'add element {TABLE} uplinks_ip {{ \"up1\" comment \"linuxnet:up1||\" : 0x02000000 }}'",
        ],
    ),
    (
        changes.SetTunnel(HOST, TUNNEL, replace(TUNNEL, peers=("192.0.2.2", "192.0.2.4")), WHOLE),
        [
            f"nft 'delete element {TABLE} peers_ip {{ 4789 . 0x2a . 192.0.2.4 }}'",
            f"nft 'add element {TABLE} peers_ip6 {{ 4789 . 0x2a . 2001:db8::2 comment \"linuxnet:front\" }}'",
        ],
    ),
    (changes.SetTunnel(HOST, None, TUNNEL, last=True), [f"nft 'delete table {TABLE}'"]),
    (
        changes.SetTunnel(HOST, replace(TUNNEL, peers=()), None, IPTABLES, backend=IPTABLES_NFT),
        [f"iptables-nft -t mangle {line}" for line in (
            "-N LINUXNET-TUNNEL",
            "-A LINUXNET-TUNNEL '!' -p udp -m comment --comment linuxnet -j RETURN",
            "-A LINUXNET-TUNNEL -p udp -m udp --dport 4789 -m u32 --u32 '0x0>>0x16&0x3c@0xc>>0x8=0x2a' "
            "-m comment --comment linuxnet:front -j DROP",
            "-I INPUT -m comment --comment linuxnet -j LINUXNET-TUNNEL",
        )],
    ),
    (
        changes.SetFence(HOST, Fence(4, ("lo", "up0"), ("lan0",)), Fence(4, ("lan0", "lo", "up0")), NFTABLES, FENCED),
        [f"nft 'delete element {TABLE} fence_ip {{ \"lan0\" }}'", f"nft 'add element {TABLE} spared_ip {{ \"lan0\" }}'"],
    ),
    (
        changes.SetFence(HOST, Fence(4, ("lo", "up0"), ("lan0",)), None, IPTABLES_NFT, IPTABLES),
        [f"iptables-nft -t filter {line}" for line in (
            "-N LINUXNET-FENCE", "-N LINUXNET-FENCED",
            "-A LINUXNET-FENCE -m conntrack --ctstate DNAT -m comment --comment linuxnet -j RETURN",
            "-A LINUXNET-FENCE -i lo -m comment --comment linuxnet -g LINUXNET-FENCED",
            "-A LINUXNET-FENCE -i up0 -m comment --comment linuxnet -g LINUXNET-FENCED",
            "-A LINUXNET-FENCE -i lan0 -m comment --comment linuxnet-spared",
            "-A LINUXNET-FENCED -o lo -m comment --comment linuxnet -j DROP",
            "-A LINUXNET-FENCED -o up0 -m comment --comment linuxnet -j DROP",
            "-I DOCKER-USER -m comment --comment linuxnet -j LINUXNET-FENCE",
        )],
    ),
    (
        changes.TakeBack(HOST, NftRules(unmarked=(IN_FORWARD, LISTED), beside=(IN_CHECKED,)), last=True),
        [
            f"nft 'delete rule {TABLE} forward handle 9'",
            f"nft 'delete element {BRIDGE} checked {{ \"vethx\" }}'",
            f"nft 'delete table {BRIDGE}'",
            f"nft 'delete table {TABLE}'",
        ],
    ),
    (
        changes.TakeBack(WEB, IptablesRules(unmarked=(IN_GUARD,)), backend=IPTABLES_NFT),
        ["ip netns exec web iptables-nft -t filter -D LINUXNET-GUARD -m comment --comment 'at night' -j ACCEPT"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("step", "lines"), COMMANDS, ids=lambda value: type(value).__name__)
def test_the_commands_of_a_change(step: Any, lines: list[str]) -> None:
    assert [str(line) for line in step.commands()] == lines


def test_every_change_has_its_commands_here() -> None:
    assert {type(step) for step, dummy in COMMANDS} == set(changes.FirewallChange.__subclasses__())


def test_a_rule_is_put_in_the_place_of_another() -> None:
    lines = changes.PutRule(HOST, replace(RULE, comment="mine"), RULE, owned=WHOLE).commands()
    assert [str(line).partition(" ip saddr")[0] for line in lines] == [
        f"nft 'add rule {TABLE} postrouting handle 7",
        f"nft 'add rule {TABLE} untranslated handle 8",
        f"nft 'delete rule {TABLE} postrouting handle 7'",
        f"nft 'delete rule {TABLE} untranslated handle 8'",
    ]


def test_what_was_edited_by_hand_is_not_made_again() -> None:
    edited = replace(RULE, out_interface=UNREADABLE)
    assert changes.PutRule(HOST, RULE, edited).undo() == ()
    assert changes.DelRule(HOST, edited).undo() == ()
    for step in (
        changes.PutRule(HOST, RULE, replace(RULE, stopped=False)),
        changes.DelRule(HOST, replace(RULE, stopped=False)),
    ):
        assert [back.rule for back in step.undo() if isinstance(back, changes.PutRule)] == [RULE]


TWICE = [
    changes.PutRule(HOST, RULE),
    changes.PutRule(HOST, replace(RULE, comment="new"), RULE),
    changes.DelRule(HOST, RULE),
    changes.SetPortMappings(HOST, (PORT,), (), localnet_on=("br0",)),
    changes.SetPortMappings(HOST, (PORT,), (replace(PORT, to="10.0.0.3"),)),
    changes.SetIsolation(HOST, ISOLATED),
    changes.SetIsolation(HOST, ISOLATED, replace(ISOLATED, icc=False)),
    changes.SetSpoofCheck(HOST, CHECKED),
    changes.SetSpoofCheck(HOST, CHECKED, replace(CHECKED, owner="other")),
    changes.PutRule(HOST, RULE, backend=IPTABLES_LEGACY),
    changes.SetPortMappings(HOST, (PORT,), backend=IPTABLES_NFT),
    changes.SetIsolation(HOST, ISOLATED, backend=IPTABLES_NFT),
    changes.SetAllowances(HOST, (Allowance("in", "br0", 4),)),
    changes.SetTunnel(HOST, TUNNEL),
    changes.SetTunnel(HOST, replace(TUNNEL, peers=()), TUNNEL, backend=IPTABLES_NFT),
]


@pytest.mark.parametrize("step", TWICE, ids=lambda value: type(value).__name__)
def test_taking_back_what_takes_back_is_the_change_itself(step: Any) -> None:
    (back,) = step.undo()
    assert back != step
    assert back.undo() == (step,)


@pytest.mark.parametrize("step", [step for step, dummy in COMMANDS], ids=lambda value: type(value).__name__)
def test_every_change_can_be_named_and_taken_back(step: Any) -> None:
    assert step.writes
    assert not step.final
    assert not step.partial
    assert str(step.ns) in step.attempt()


def test_static_rules_alone_are_set_right() -> None:
    assert changes.SetPortMappings(WEB).attempt() == "set right the rules for published ports in netns 'web'"
