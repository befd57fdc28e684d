# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of others in a text of iptables-save: what they ask of a packet, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall import fate
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends import iptables_save
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import (
    IPTABLES_LEGACY,
    IPTABLES_NFT,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import Chain, ForeignRules, Rule
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.matching import Bits, all_of, match, unknown
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.packets import (
    Journey,
    Packet,
    there_and_back,
)

# A packet for a published port, as FORWARD sees it.
PUBLISHED = Packet(
    4, daddr="10.1.0.10", iifname="up0", oifname="front", bridge="front", dnat=True, mark=7, protocol="tcp", ports=(80, 80),
    asked="192.0.2.1", asked_ports=(8080, 8080), kinds=(("front", "bridge"), ("up0", "veth")),
)  # fmt: skip
LEAVING = Packet(4, saddr="10.1.0.0/24", iifname="front", oifname="up0", bridge="front", protocol="tcp", routed=True)


def forward(*rules: Any) -> Any:
    """What rules of FORWARD mean."""
    text = "*filter\n:FORWARD DROP [0:0]\n" + "".join(f"-A FORWARD {rule}\n" for rule in rules) + "COMMIT\n"
    return IPTABLES_LEGACY.foreign({4: iptables_save.parse(text)}, {})["iptables-legacy filter", "FORWARD"].rules


def test_the_chains_of_others_are_read_into_one_form() -> None:
    text = (
        "*filter\n:FORWARD DROP [0:0]\n:DOCKER-USER - [0:0]\n"
        "-A FORWARD -j DOCKER-USER\n"
        '-A FORWARD -i br+ ! -o br0 -m comment --comment "a b" -j ACCEPT\n'
        "-A FORWARD -m mark --mark 0x1/0xff -j REJECT --reject-with icmp-port-unreachable\n"
        "-A FORWARD -m comment --comment linuxnet -j LINUXNET-FORWARD\nCOMMIT\n"
        "*mangle\n:FORWARD ACCEPT [0:0]\nCOMMIT\n"
    )
    found = IPTABLES_LEGACY.foreign({4: iptables_save.parse(text)}, {})
    chain = found["iptables-legacy filter", "FORWARD"]
    assert (chain.hook, chain.policy, chain.priority, str(chain)) == (
        "forward",
        "drop",
        0,
        "iptables-legacy filter FORWARD",
    )
    assert [(rule.verdict, rule.target, rule.shown) for rule in chain.rules] == [
        ("jump", "DOCKER-USER", "rule 1"),
        ("accept", "", "rule 2"),
        ("reject", "", "rule 3"),
    ]
    assert chain.rules[1].matches == (match("iifname", "br*"), match("oifname", "br0", negated=True))
    assert (found["iptables-legacy mangle", "FORWARD"].hook, found["iptables-legacy mangle", "FORWARD"].priority) == (
        "forward",
        -150,
    )


def test_of_a_table_that_is_not_iptables_nft_s_alone_each_tool_knows_a_part() -> None:
    """iptables-nft-save leaves out the set: what is dropped only for some looks as if it were for all."""
    text = "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j DROP\n-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT\n-A FORWARD -j DROP\nCOMMIT\n"
    key = "ip filter", "FORWARD"
    some = match("saddr", (1, 1))
    only_some = Rule((some,), "drop", "", "handle 4")
    extension = Rule((unknown(hidden=True),), "accept", "", "handle 5")
    both = Rule((some, unknown(hidden=True)), "reject", "?", "handle 6")
    seen = {key: Chain(*key, (4,), "filter", "forward", "accept", (only_some, extension, both))}
    rules = IPTABLES_NFT.foreign({4: iptables_save.parse(text)}, seen)[key].rules
    assert rules[0] == only_some
    assert (rules[1].matches, rules[1].verdict, rules[1].shown) == ((match("xt state", "dnat"),), "accept", "handle 5")
    assert (rules[2].matches, rules[2].verdict) == ((some,), "drop")


@pytest.mark.parametrize(
    ("rule", "met"),
    [
        ("-m mark --mark 0x7/0xff -j ACCEPT", True),
        ("-m mark --mark 0x17/0xff -j ACCEPT", False),
        ("-m mark ! --mark 0x7/0xff -j ACCEPT", False),
        ("-m mark --mark 0x7 -j ACCEPT", True),
        ("-m connmark --mark 0x7/0xff -j ACCEPT", False),  # the first packet of a connection has none
        ("-m connmark --mark 0x0/0xff -j ACCEPT", True),
        ("-m mark --mark 0x7/0xff -m connmark --mark 0x0 -j ACCEPT", True),
        ("--mark 0x7 -j ACCEPT", None),
        ("-m mark --mark zz -j ACCEPT", None),
        ("-m mark --mark 0x7/zz -j ACCEPT", None),
        ("-m mark -j ACCEPT --mark 0x7", None),
        ("-p tcp -m tcp --dport 80 -j ACCEPT", True),
        ("-p tcp -m tcp ! --dport 80:90 -j ACCEPT", False),
        ("-p udp -m udp --dport 80 -j ACCEPT", False),
        ("-p 6 -m tcp --dport 80 -j ACCEPT", True),
        ("! -p tcp -j ACCEPT", False),
        ("-p tcp -m multiport --dports 22,80:443 -j ACCEPT", True),
        ("-p tcp -m multiport ! --dports 22,443 -j ACCEPT", True),
        ("-p tcp -m multiport --dports 22,443 -j ACCEPT", False),
        ("-p tcp -m multiport --ports 22,80 -j ACCEPT", None),
        ("-p tcp -m tcp --dport 79: -j ACCEPT", True),
        ("-p tcp -m tcp --dport http -j ACCEPT", None),
        ("-p tcp -m tcp --sport 80 -j ACCEPT", None),
        ("-p tcp -m tcp --sport 0:65535 -j ACCEPT", None),
        ("-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -j DROP", False),
        ("-p tcp -m tcp --tcp-flags FIN,SYN FIN,SYN -j DROP", False),
        ("-p tcp -m tcp --tcp-flags ALL NONE -j DROP", False),
        ("-p tcp -m tcp --tcp-flags FIN -j DROP", None),
        ("-p tcp -m tcp --syn -j DROP", True),
        ("-m conntrack --ctstate NEW -j ACCEPT", True),
        ("-m conntrack ! --ctstate NEW -j ACCEPT", False),
        ("-m conntrack --ctstate DNAT -j ACCEPT", True),
        ("-m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT", True),
        ("-m conntrack --ctstate RELATED,ESTABLISHED,SNAT -j ACCEPT", False),
        ("-m conntrack --ctstate INVALID -j DROP", False),
        ("-m state --state NEW,RELATED -j ACCEPT", True),
        ("-m state --ctstate NEW -j ACCEPT", None),
        ("-m conntrack --ctstate NEW -m state --state ESTABLISHED -j ACCEPT", False),
        ("-m conntrack --ctstatus CONFIRMED -j ACCEPT", False),
        ("-m conntrack --ctstatus NONE -j ACCEPT", None),
        ("-m conntrack --ctorigdst 192.0.2.1 --ctorigdstport 8080 --ctproto 6 --ctdir ORIGINAL -j ACCEPT", True),
        ("-m conntrack --ctorigdst 192.0.2.2 -j ACCEPT", False),
        ("-m policy --dir in --pol ipsec -j ACCEPT", None),
        ("-m set --match-set bad src,dst -j DROP", None),
        ("-m physdev --physdev-is-bridged -j ACCEPT", None),
        ("-m u32 --u32 0x0&0x1=0x1 -j ACCEPT", None),
        ("-m addrtype --dst-type LOCAL -j ACCEPT", False),
        ("-m addrtype ! --dst-type LOCAL -j ACCEPT", True),
        ("-m addrtype --dst-type ODD -j ACCEPT", None),
        ("-m addrtype --dst-type UNICAST -j ACCEPT", True),
        ("-m addrtype --dst-type LOCAL,BROADCAST -j ACCEPT", False),
        ("-m addrtype --dst-type UNICAST,LOCAL -j ACCEPT", None),
        ("-m limit --limit 5/min -j ACCEPT", None),
        ("-m pkttype --pkt-type broadcast -j DROP", False),
        ("-m iprange --dst-range 10.1.0.9-10.1.0.11 -j DROP", True),
        ("-m iprange ! --dst-range 10.1.0.9-10.1.0.11 -j DROP", False),
        ("-m iprange --src-range 192.0.2.5-192.0.2.7 -j DROP", None),
        ("-m iprange --dst-range x-y -j DROP", None),
        ("-f -j ACCEPT", False),
        ("-i up0 -o front -j ACCEPT", True),
        ("-i up+ ! -o front -j ACCEPT", False),
        ("-i eth0 -j ACCEPT", False),
        ("-d 10.0.0.0/255.0.0.0 -j ACCEPT", True),
        ("-d 10.0.0.0/255.0.255.0 -j ACCEPT", None),
        ("! -d 10.1.0.0/24 -j ACCEPT", False),
        ("-s 192.0.2.66/32 -j DROP", None),
        ('-m comment --comment "-m mark" -j ACCEPT', True),
        ("-m comment --comment --mark -j ACCEPT", True),
        ("-j REJECT --reject-with icmp-host-prohibited", True),
        ("-m -j", None),
        ("-m socket -j ACCEPT", None),
        ("-p tcp -m tcp -j ACCEPT", True),
        ("-s", None),
        ("!", True),
        ("--dport -j", None),
    ],
)  # fmt: skip
def test_an_option_is_read_with_the_extension_that_it_belongs_to(rule: Any, met: Any) -> None:
    (found,) = forward(rule)
    facts = {**Journey(PUBLISHED).facts("", "forward", 0), "mark": (7, 7), "ct mark": (0, 0)}
    assert all_of(one.met(facts) for one in found.matches) is met


@pytest.mark.parametrize(
    ("option", "met"), [("UNICAST", [False, True]), ("LOCAL", [True, True]), ("MULTICAST", [False, False])]
)
def test_an_address_of_this_host_is_unicast_to_ip6tables(option: str, met: list[bool]) -> None:
    """Before its destination is translated, a packet for a published port has one."""
    (found,) = forward(f"-m addrtype --dst-type {option} -j DROP")
    for packet, expected in zip(
        (PUBLISHED, replace(PUBLISHED, family=6, daddr="fd00::2", asked="2001:db8::1")), met, strict=True
    ):
        facts = Journey(packet).facts("", "prerouting", -300)
        assert all_of(one.met(facts) for one in found.matches) is expected


@pytest.mark.parametrize(
    ("rule", "verdict", "target"),
    [
        ("-j ACCEPT", "accept", ""),
        ("-j REJECT", "reject", ""),
        ("-j REJECT --reject-with tcp-reset", "reject", ""),
        ("-j FORWARD", "jump", "FORWARD"),
        ("-g FORWARD", "goto", "FORWARD"),
        ("-j NOWHERE", "?", ""),
        ("-j NFQUEUE --queue-num 1", "?", ""),
        ("-j NOTRACK", "?", ""),
        ("-j CT --notrack", "?", ""),
        ("-j CT --helper ftp", "", ""),
        ("-j LOG --log-prefix x", "", ""),
        ("-j TCPMSS --clamp-mss-to-pmtu", "", ""),
        ("-j DNAT --to-destination 10.0.0.2:80 --random --persistent", "dnat", "10.0.0.2:80"),
        ("-j DNAT --to-destination", "dnat", "?"),
        ("-j MASQUERADE --random-fully", "masquerade", ""),
        ("-m comment --comment -j -j DROP", "drop", ""),
    ],
)
def test_verdicts_and_targets(rule: Any, verdict: Any, target: Any) -> None:
    (found,) = forward(rule)
    assert (found.verdict, found.target) == (verdict, target)


@pytest.mark.parametrize(
    ("rule", "sets"),
    [
        ("-j MARK --set-xmark 0x5/0xffffffff", (("mark", (5, 5)),)),
        ("-j MARK --set-xmark 0x5/0xff", (("mark", Bits("mark", 0xFFFFFF00, 0x5)),)),
        ("-j MARK --set-xmark 0x5/0x3", (("mark", None),)),
        ("-j CONNMARK --restore-mark", (("mark", None), ("ct mark", None))),
    ],
)
def test_marks_that_are_given(rule: Any, sets: Any) -> None:
    assert forward(rule)[0].sets == sets


def of_both(text: str, objects: Any) -> ForeignRules:
    chains = NFTABLES.foreign(objects, {})
    chains.update(IPTABLES_NFT.foreign({4: iptables_save.parse(text)}, chains))
    return ForeignRules(chains)


@pytest.mark.parametrize("reject", ["icmp-host-prohibited", "tcp-reset", "icmp-port-unreachable"])
def test_f11_a_reject_of_iptables_nft_blocks(reject: str) -> None:
    """nft tells of the extension no more than its name."""
    text = (
        "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
        f"-A FORWARD -j REJECT --reject-with {reject}\nCOMMIT\n"
    )
    xt = [{"xt": {"type": "match", "name": "conntrack"}}, {"xt": {"type": "target", "name": "REJECT"}}]
    where = {"family": "ip", "table": "filter"}
    objects = [
        {"chain": {**where, "name": "FORWARD", "type": "filter", "hook": "forward", "policy": "accept"}},
        {"rule": {**where, "chain": "FORWARD", "handle": 4, "expr": [xt[0], {"accept": None}]}},
        {"rule": {**where, "chain": "FORWARD", "handle": 5, "expr": [xt[1]]}},
    ]
    found = fate.blocks(of_both(text, objects), [there_and_back(LEAVING)])
    assert [(one.chain.table, one.shown, one.sure) for one in found] == [
        ("ip filter", "ip filter FORWARD (rule handle 5)", True)
    ]


def test_a_reverse_path_that_is_there_is_no_drop() -> None:
    text = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -m rpfilter --validmark --invert -j DROP\nCOMMIT\n"
    rules = ForeignRules(IPTABLES_LEGACY.foreign({4: iptables_save.parse(text)}, {}))
    assert fate.blocks(rules, [there_and_back(LEAVING)]) == []
    assert [one.sure for one in fate.blocks(rules, [[PUBLISHED]])] == [False]


@pytest.mark.parametrize(
    ("rule", "target"),
    [("-j X", "X"), ("-s 10.0.0.1 -g Y", "Y"), ("-j", ""), ("", ""), ("-m comment --comment -j -j Z", "Z")],
)
def test_the_target_of_a_rule(rule: Any, target: Any) -> None:
    assert iptables_save.target(tuple(rule.split())) == target


def test_tables_that_only_iptables_nft_knows_are_read_where_nft_is_not_here() -> None:
    """Of those of the older kind nothing follows for it."""
    text = "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n"
    seen = IPTABLES_LEGACY.foreign({4: iptables_save.parse(text)}, {})
    found = IPTABLES_NFT.foreign({4: iptables_save.parse(text)}, seen)
    assert [chain.policy for chain in found.values()] == ["drop"]
    other = {("ip filter", "INPUT"): Chain("ip filter", "INPUT", (4,))}
    assert IPTABLES_NFT.foreign({4: iptables_save.parse(text)}, other) == {}
