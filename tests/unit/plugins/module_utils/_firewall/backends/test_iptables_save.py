# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The texts of iptables-save and iptables-restore, and what foreign rules in them mean."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall import foreign
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends import iptables_save
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Unreadable
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import (
    IPTABLES_LEGACY,
    IPTABLES_NFT,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_save import SavedChain
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.tests.unit.tool_twins import restored_words


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


def forward(*rules: Any) -> Any:
    """What rules of FORWARD mean."""
    text = "*filter\n:FORWARD DROP [0:0]\n" + "".join(f"-A FORWARD {rule}\n" for rule in rules) + "COMMIT\n"
    return IPTABLES_LEGACY.foreign({4: iptables_save.parse(text)}, {})["iptables-legacy filter", "FORWARD"].rules


@pytest.mark.parametrize(
    ("rule", "known"),
    [
        ("-m mark --mark 0x7/0xff -j ACCEPT", {"mark": ("==", (7, 255))}),
        ("-m mark ! --mark 0x7/0xff -j ACCEPT", {"mark": ("!=", (7, 255))}),
        ("-m mark --mark 0x7 -j ACCEPT", {"mark": ("==", (7, 0xFFFFFFFF))}),
        ("-m connmark --mark 0x7/0xff -j ACCEPT", None),
        ("-m mark --mark 0x7/0xff -m connmark --mark 0x1 -j ACCEPT", None),
        ("--mark 0x7 -j ACCEPT", None),
        ("-m mark --mark zz -j ACCEPT", None),
        ("-m mark -j ACCEPT --mark 0x7", None),
        ("-p tcp -m tcp --dport 80 -j ACCEPT", {"l4proto": ("==", "tcp"), "dport": ("==", {"range": [80, 80]})}),
        ("-p tcp -m tcp ! --dport 80:90 -j ACCEPT", {"l4proto": ("==", "tcp"), "dport": ("!=", {"range": [80, 90]})}),
        ("-p tcp -m multiport --dports 80,443 -j ACCEPT", None),
        ("-p tcp -m multiport --dport 80 -j ACCEPT", None),
        ("-p tcp -m tcp --dport 80: -j ACCEPT", None),
        ("-p tcp -m tcp --dport http -j ACCEPT", None),
        ("-p tcp -m tcp --sport 80 -j ACCEPT", None),
        ("-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -j DROP", None),
        ("-p tcp -m tcp ! --syn -j DROP", None),
        ("-m conntrack --ctstate NEW -j ACCEPT", {"ct state": ("==", {"set": ["new"]})}),
        ("-m conntrack ! --ctstate NEW -j ACCEPT", {"ct state": ("!=", {"set": ["new"]})}),
        ("-m conntrack --ctstate DNAT -j ACCEPT", {"ct status": ("==", {"set": ["dnat"]})}),
        ("-m state --state NEW,RELATED -j ACCEPT", {"ct state": ("==", {"set": ["new", "related"]})}),
        ("-m state --ctstate NEW -j ACCEPT", None),
        ("-m conntrack --ctstate NEW -m state --state ESTABLISHED -j ACCEPT", None),
        ("-m conntrack --ctstatus CONFIRMED -j ACCEPT", None),
        ("-m policy --dir in --pol ipsec -j ACCEPT", None),
        ("-m set --match-set bad src,dst -j DROP", None),
        ("-m physdev --physdev-is-bridged -j ACCEPT", None),
        ("-m u32 --u32 0x0&0x1=0x1 -j ACCEPT", None),
        ("-m addrtype --dst-type LOCAL -j ACCEPT", None),
        ("-m limit --limit 5/min -j ACCEPT", None),
        ("-f -j ACCEPT", None),
        ("-s 10.0.0.0/255.0.0.0 -j ACCEPT", {"saddr": ("==", "10.0.0.0/255.0.0.0")}),
        ('-m comment --comment "-m mark" -j ACCEPT', {}),
        ("-m comment --comment --mark -j ACCEPT", {}),
        ("-j REJECT --reject-with icmp-host-prohibited", {}),
        ("-m -j", None),
        ("-m socket -j ACCEPT", None),
        ("-m rpfilter -m comment --comment x -j ACCEPT", None),
        ("-p tcp -m tcp -j ACCEPT", {"l4proto": ("==", "tcp")}),
        ("-s", None),
        ("!", {}),
    ],
)
def test_an_option_is_read_with_the_extension_that_it_belongs_to(rule: Any, known: Any) -> None:
    (found,) = forward(rule)
    if known is None:
        assert "?" in [operator for operator, _value in found.matches.values()]
        assert not foreign.Packet(4, mark=7, protocol="tcp", ports=(80, 80)).meets(found.matches)
    else:
        assert found.matches == known


@pytest.mark.parametrize(
    ("rule", "verdict", "target"),
    [
        ("-j ACCEPT", "accept", ""),
        ("-j REJECT", "reject", ""),
        ("-j FORWARD", "jump", "FORWARD"),
        ("-g FORWARD", "goto", "FORWARD"),
        ("-j NOWHERE", "", ""),
        ("-j DNAT --to-destination 10.0.0.2:80 --random --persistent", "dnat", "10.0.0.2:80"),
        ("-j DNAT --to-destination", "dnat", "?"),
        ("-j MASQUERADE --random-fully", "masquerade", ""),
        ("-m comment --comment -j -j DROP", "drop", ""),
    ],
)
def test_verdicts_and_targets(rule: Any, verdict: Any, target: Any) -> None:
    (found,) = forward(rule)
    assert (found.verdict, found.target) == (verdict, target)


def test_f2_a_reject_of_iptables_nft_blocks() -> None:
    """nft tells of the extension no more than its name."""
    text = (
        "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
        "-A FORWARD -j REJECT --reject-with icmp-host-prohibited\nCOMMIT\n"
    )
    key = "ip filter", "FORWARD"
    xt = [{"xt": {"type": "match", "name": "conntrack"}}, {"xt": {"type": "target", "name": "REJECT"}}]
    where = {"family": "ip", "table": "filter"}
    objects = [
        {"chain": {**where, "name": "FORWARD", "type": "filter", "hook": "forward", "policy": "accept"}},
        {"rule": {**where, "chain": "FORWARD", "handle": 4, "expr": [xt[0], {"accept": None}]}},
        {"rule": {**where, "chain": "FORWARD", "handle": 5, "expr": [xt[1]]}},
    ]
    chains = NFTABLES.foreign(objects, {})  # type: ignore[arg-type]
    chains.update(IPTABLES_NFT.foreign({4: iptables_save.parse(text)}, chains))
    found = foreign.blocks(foreign.ForeignRules(chains), foreign.Packet(4, saddr="10.0.0.0/24", bridge="br0"))
    assert [(block.chain.table, block.shown) for block in found] == [(key[0], "ip filter FORWARD (rule handle 5)")]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("-A X -j Y", ["-A", "X", "-j", "Y"]),
        ('-A X --comment "a b" -j Y', ["-A", "X", "--comment", "a b", "-j", "Y"]),
        (r'-A X --comment "it\'s \"q\" \\ x"', ["-A", "X", "--comment", 'it\'s "q" \\ x']),
        ('-A X --comment ""', ["-A", "X", "--comment", ""]),
        ("-A X -i a'b -o x;y", ["-A", "X", "-i", "a'b", "-o", "x;y"]),
        ('-A X -i a\'b --comment "c d"', ["-A", "X", "-i", "a'b", "--comment", "c d"]),
        ('-A X -i a"b -j Y', ["-A", "X", "-i", 'a"b', "-j", "Y"]),
        ('-A X -i "ab -j Y', ["-A", "X", "-i", '"ab', "-j", "Y"]),
        ("-A X -i a\\b", ["-A", "X", "-i", "a\\b"]),
        ("-A  X", ["-A", "X"]),
    ],
)
def test_the_words_of_a_line(line: Any, words: Any) -> None:
    assert iptables_save.words_of(line) == words


@pytest.mark.parametrize(
    "word",
    [
        "x",
        "",
        "a b",
        "it's",
        'a"b',
        "a\\b",
        '\\"',
        "a\tb",
        "$(id)",
        "`id`",
        "#",
        "!",
        "{x}",
        "é",
        "a\u2028b",
        "a\x85b",
        "\x0b",
    ],
)
def test_what_is_spelled_for_iptables_restore_is_that_word(word: Any) -> None:
    assert restored_words(iptables_save.spelled(["-A", word, "end"])) == ["-A", word, "end"]


def test_tables_are_parsed_and_odd_lines_say_nothing() -> None:
    text = (
        "# Generated\n*nat\n:POSTROUTING ACCEPT [0:0]\n:X - [0:0]\n:\n:cut\n-A\n-A \n-A X\n-A X -j Y\n-A lost -j Y\n[1:2] -A X -j Z\nCOMMIT\n"
        "*filter\n:FORWARD DR"
    )
    assert iptables_save.parse(text) == {
        "nat": {"POSTROUTING": SavedChain("ACCEPT"), "X": SavedChain("-", ((), ("-j", "Y")))},
        "filter": {"FORWARD": SavedChain("DR")},
    }
    assert iptables_save.parse("") == iptables_save.parse("# Warning: not all is shown\n") == {}


@pytest.mark.parametrize("text", ["no such file", "# Generated\n\0\ufffd\n", '{"nftables": []}'])
def test_a_text_without_any_table_is_none_of_iptables_save(text: str) -> None:
    with pytest.raises(Unreadable):
        iptables_save.parse(text)


def test_tables_that_iptables_nft_does_not_understand_are_told_from_those_that_are_not_there() -> None:
    text = "# Table `filter' is incompatible, use 'nft' tool.\n*nat\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n# Table `raw' is incompatible, use 'nft' tool.\n"
    found = iptables_save.parse(text)
    assert list(found) == ["nat"]
    assert iptables_save.closed(found) == {"filter", "raw"}
    assert iptables_save.closed({}) == frozenset()


def test_a_table_with_a_built_in_chain_that_has_no_hook_is_one_of_them() -> None:
    text = "*filter\n:FORWARD - [0:0]\n:theirs - [0:0]\nCOMMIT\n*nat\n:FORWARD - [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
    found = iptables_save.parse(text)
    assert (list(found), set(iptables_save.closed(found))) == (["nat"], {"filter"})
    assert set(iptables_save.closed(iptables_save.parse(text.partition("*nat")[0]))) == {"filter"}


def test_a_line_ends_at_its_end_only() -> None:
    """Comments may hold what Python takes for the end of a line."""
    text = '*nat\n:X - [0:0]\n-A X -m comment --comment "a\u2028b\x85c\x0bd" -j Y\nCOMMIT\n'
    assert iptables_save.parse(text)["nat"]["X"].rules == (
        ("-m", "comment", "--comment", "a\u2028b\x85c\x0bd", "-j", "Y"),
    )


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
    other = {("ip filter", "INPUT"): foreign.Chain("ip filter", "INPUT", (4,))}
    assert IPTABLES_NFT.foreign({4: iptables_save.parse(text)}, other) == {}
