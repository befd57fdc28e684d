# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each change of a firewall: the commands a person would type for it, and what takes it back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    Contents,
    Element,
    Fixed,
    Guard,
    NatRule,
    Passage,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    NsRef,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import changes as firewall_change

WEB = NsRef("/run/netns/web")
RULE = NatRule("10.0.0.0/24", "!br0", owner="net", handle=7)
PORT = Element("tcp", "0.0.0.0/0", 8080, 8080, "10.0.0.2", 80, "net", "br0")
GUARD = Guard("br0", isolate=False, owner="net")
IPTABLES = Contents(hooks={4: "DOCKER-USER"})
WHOLE = Contents(parts={"publish": Fixed(True), "guard": Fixed(True)})
TABLE = "inet linuxnet_containers"

COMMANDS = [
    (
        firewall_change.PutRule(HOST, RULE),
        [
            f"nft 'add table {TABLE}'",
            f"nft 'add chain {TABLE} postrouting {{ type nat hook postrouting priority srcnat; policy accept; }}'",
            f"nft 'add rule {TABLE} postrouting ip saddr 10.0.0.0/24 oifname != \"br0\" "
            "ip daddr != { 10.0.0.0/24, 224.0.0.0/4, 255.255.255.255/32 } masquerade comment \"linuxnet:net\"'",
        ],
    ),
    (firewall_change.DelRule(HOST, RULE), [f"nft 'delete rule {TABLE} postrouting handle 7'"]),
    (firewall_change.DelRule(WEB, RULE, last=True), [f"ip netns exec web nft 'delete table {TABLE}'"]),
    (
        firewall_change.SetElements(HOST, (PORT,), (replace(PORT, to="10.0.0.3"),), WHOLE, opened=("br0",)),
        [
            f"nft 'delete element {TABLE} publish_ip_port {{ tcp . 0.0.0.0/0 . 8080 }}'",
            f"nft 'add element {TABLE} loops {{ \"br0\" . \"br0\" }}'",
            f"nft 'add element {TABLE} localnet {{ \"br0\" }}'",
            f"nft 'add element {TABLE} publish_ip_port "
            "{ tcp . 0.0.0.0/0 . 8080 comment \"linuxnet:net|br0|\" : 10.0.0.2 . 80 }'",
        ],
    ),
    (firewall_change.SetGuard(HOST, GUARD, None, WHOLE), [f"nft 'add element {TABLE} {line}'" for line in (
        'closed { "br0" comment "linuxnet:net" }', 'icc { "br0" . "br0" }', 'open { "br0" }',
    )]),
    (firewall_change.SetElements(HOST, (), (PORT,), last=True), [f"nft 'delete table {TABLE}'"]),
    (
        firewall_change.SetPassages(HOST, (Passage("out", "10.0.0.0/24", 4, "!br0", "net"),), (), "iptables-nft", IPTABLES),
        [
            "iptables-nft -t filter -N LINUXNET-FORWARD",
            "iptables-nft -t filter -A LINUXNET-FORWARD -s 10.0.0.0/24 '!' -o br0 -m comment --comment 'linuxnet:net|out' -j ACCEPT",
            "iptables-nft -t filter -A LINUXNET-FORWARD -d 10.0.0.0/24 -m conntrack --ctstate RELATED,ESTABLISHED "
            "-m comment --comment 'linuxnet:net|out' -j ACCEPT",
            "iptables-nft -t filter -I DOCKER-USER -m comment --comment linuxnet -j LINUXNET-FORWARD",
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("step", "lines"), COMMANDS, ids=lambda value: type(value).__name__)
def test_the_commands_of_a_change(step, lines):
    assert [str(line) for line in step.commands()] == lines


def test_every_change_has_its_commands_here():
    assert {type(step) for step, dummy in COMMANDS} == set(firewall_change.FirewallChange.__subclasses__())


def test_a_rule_is_put_in_the_place_of_another():
    lines = firewall_change.PutRule(HOST, replace(RULE, comment="mine"), RULE).commands()
    assert [str(line).split(" ip saddr")[0] for line in lines] == [
        f"nft 'add rule {TABLE} postrouting handle 7",
        f"nft 'delete rule {TABLE} postrouting handle 7'",
    ]


TWICE = [
    firewall_change.PutRule(HOST, RULE),
    firewall_change.PutRule(HOST, replace(RULE, comment="new"), RULE),
    firewall_change.DelRule(HOST, RULE),
    firewall_change.SetElements(HOST, (PORT,), (), opened=("br0",)),
    firewall_change.SetElements(HOST, (PORT,), (replace(PORT, to="10.0.0.3"),)),
    firewall_change.SetGuard(HOST, GUARD),
    firewall_change.SetGuard(HOST, GUARD, replace(GUARD, icc=False)),
    firewall_change.PutRule(HOST, RULE, place="iptables-legacy"),
    firewall_change.SetElements(HOST, (PORT,), place="iptables-nft"),
    firewall_change.SetGuard(HOST, GUARD, place="iptables-nft"),
    firewall_change.SetPassages(HOST, (Passage("in", "br0", 4),)),
]


@pytest.mark.parametrize("step", TWICE, ids=lambda value: type(value).__name__)
def test_taking_back_what_takes_back_is_the_change_itself(step):
    (back,) = step.undo()
    assert back != step
    assert back.undo() == (step,)
