# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The texts of iptables-save and iptables-restore, and what foreign rules in them mean."""

from __future__ import annotations

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall import foreign
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends import iptables_save
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import (
    IPTABLES_LEGACY,
    IPTABLES_NFT,
)


def test_the_rules_of_others_are_read_into_one_form() -> None:
    text = (
        "*filter\n:FORWARD DROP [0:0]\n:DOCKER-USER - [0:0]\n"
        "-A FORWARD -j DOCKER-USER\n"
        '-A FORWARD -i br+ ! -o br0 -m comment --comment "a b" -j ACCEPT\n'
        "-A FORWARD -d 10.0.0.0/8 -p tcp -m tcp --dport 80:90 -m conntrack --ctstate NEW,RELATED -j ACCEPT\n"
        "-A FORWARD -m mark --mark 0x1/0xff -j REJECT --reject-with icmp-port-unreachable\n"
        "-A FORWARD -m time --timestart 08:00 -j ACCEPT\n"
        "-A FORWARD -m comment --comment linuxnet -j LINUXNET-FORWARD\nCOMMIT\n"
    )
    found = IPTABLES_LEGACY.foreign({4: iptables_save.parse(text)}, {})
    chain = found["iptables-legacy filter", "FORWARD"]
    assert (chain.hook, chain.policy, str(chain)) == ("forward", "drop", "iptables-legacy filter FORWARD")
    assert [(rule.verdict, rule.target, rule.shown) for rule in chain.rules] == [
        ("jump", "DOCKER-USER", "rule 1"),
        ("accept", "", "rule 2"),
        ("accept", "", "rule 3"),
        ("reject", "", "rule 4"),
        ("accept", "", "rule 5"),
    ]
    assert chain.rules[1].matches == {"iifname": ("==", "br+"), "oifname": ("!=", "br0")}
    assert chain.rules[2].matches == {
        "daddr": ("==", {"prefix": {"addr": "10.0.0.0", "len": 8}}),
        "l4proto": ("==", "tcp"),
        "dport": ("==", {"range": [80, 90]}),
        "ct state": ("==", {"set": ["new", "related"]}),
    }
    assert chain.rules[3].matches == {"mark": ("==", (1, 255))}
    assert chain.rules[4].matches == {"--timestart 08:00": ("?", "08:00")}


def test_of_a_table_that_is_not_iptables_nft_s_alone_nft_knows_more() -> None:
    """iptables-nft-save leaves out the set: what is dropped only for some looks as if it were for all."""
    text = (
        "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j DROP\n-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT\nCOMMIT\n"
    )
    key = "ip filter", "FORWARD"
    only_some = foreign.Rule({"saddr": ("==", "@block")}, "drop", "", "handle 4")
    extension = foreign.Rule({"{'xt': 'conntrack'}": ("?", "conntrack")}, "accept", "", "handle 5")
    seen = {key: foreign.Chain(*key, (4,), "filter", "forward", "accept", (only_some, extension))}
    rules = IPTABLES_NFT.foreign({4: iptables_save.parse(text)}, seen)[key].rules
    assert rules[0] == only_some
    assert (rules[1].matches, rules[1].shown) == ({"ct status": ("==", {"set": ["dnat"]})}, "handle 5")
