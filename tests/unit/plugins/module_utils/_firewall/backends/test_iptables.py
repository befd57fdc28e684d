# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What we hold, to and from the texts of iptables. That the texts mean what they say is shown with traffic, in tests/module."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall import foreign
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends import iptables, iptables_save
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_save import SavedChain
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    Contents,
    Edit,
    Element,
    Guard,
    NatRule,
    Passage,
    edited,
)

EMPTY = {4: {}, 6: {}}
PIECES = [
    Edit(put=(NatRule("10.0.0.0/24", "!br0", ("10.9.0.0/16",), "", "net", "two words"),)),
    Edit(put=(NatRule("fd00::/64", "eth0", (), "2001:db8::1", "net"),)),
    Edit(put=(NatRule("10.0.0.0/24", "", (), "", "other"),)),
    Edit(add=(Element("tcp", "0.0.0.0/0", 8080, 8080, "10.0.0.2", 80, "web", "br0", "a note"),), parts=("publish",)),
    Edit(add=(Element("udp", "192.0.2.1", 3000, 3099, "10.0.0.2", 0, "web", "br0"),), open=("br0",), parts=("publish",)),
    Edit(add=(Element("sctp", "2001:db8::1", 90, 90, "fd00::2", 91, "web"),), parts=("publish",)),
    Edit(guard=(Guard("br0", True, True, False, "net", "x"),), parts=("guard",)),
    Edit(guard=(Guard("br1", False, False, True, "net"), Guard("br2", False, True, False, "net")), parts=("guard",)),
    Edit(let=(Passage("out", "10.0.0.0/24", 4, "!br0", "net"), Passage("in", "br0", 6, "", "br0")), parts=("mark",)),
    Edit(let=(Passage("icc", "br0", 4, "", "net"), Passage("to", "fd00::7", 6, "", "far")), parts=("mark",)),
]  # fmt: skip


def carried_out(saved, texts):
    """Do what iptables-restore does with texts."""
    after = {}
    for family, tables in saved.items():
        chains = {table: {name: list(chain.rules) for name, chain in found.items()} for table, found in tables.items()}
        table = None
        for line in texts[family].splitlines():
            if line.startswith("*"):
                table = chains.setdefault(line[1:], {})
                continue
            if line == "COMMIT":
                continue
            words = tuple(next(iter(iptables_save.parse(f"*t\n:X - [0:0]\n-A X {line}\n")["t"].values())).rules[0])
            verb, name, rule = words[0], words[1], words[2:]
            if verb == "-N":
                assert name not in table
                table[name] = []
            elif verb == "-A":
                table[name].append(rule)
            elif verb == "-I":
                table.setdefault(name, []).insert(0, rule)
            elif verb == "-D":
                table[name].remove(rule)
            elif verb == "-F":
                table[name].clear()
            else:
                assert verb == "-X"
                assert table[name] == []
                assert not [one for rules in table.values() for one in rules if iptables_save.target(one) == name]
                del table[name]
        after[family] = {
            table: {
                name: SavedChain("-" if name.startswith(("LINUXNET", "DOCKER")) else "ACCEPT", tuple(rules))
                for name, rules in found.items()
            }
            for table, found in chains.items()
        }
    return after


def made(*edits, start=None):
    start = EMPTY if start is None else start
    return carried_out(start, iptables.transaction(start, edits, False))


def held(contents):
    """What of contents is held, without their order."""
    return [frozenset(one) for one in (contents.rules, contents.elements, contents.guards, contents.passages)]


def test_all_that_is_held_is_read_back():
    found = iptables.contents(made(*PIECES))
    assert held(found) == held(edited(Contents(), PIECES))
    assert (found.loops, found.localnet) == (("br0",), ("br0",))
    assert all(part.whole for part in found.parts.values())
    assert found.strangers == ()


@pytest.mark.parametrize("first", range(len(PIECES)))
def test_what_is_there_is_not_written_again_and_all_of_it_goes(first):
    for second in range(len(PIECES)):
        saved = made(PIECES[first], PIECES[second])
        assert set(iptables.transaction(saved, [PIECES[second], PIECES[first]], True).values()) == {""}
        there = iptables.contents(saved)
        gone = Edit(
            drop=tuple(one.key for one in there.rules),
            remove=there.elements,
            unguard=tuple(one.bridge for one in there.guards),
            unlet=there.passages,
            close=there.localnet,
        )
        left = carried_out(saved, iptables.transaction(saved, [gone], True))
        assert not any(chains for tables in left.values() for chains in tables.values()), left


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(range(4), 2)))
def test_one_after_the_other_is_as_both_at_once(first, second):
    one = iptables.contents(made(PIECES[second], start=made(PIECES[first])))
    assert held(one) == held(iptables.contents(made(PIECES[first], PIECES[second])))


@pytest.mark.parametrize("number", range(len(PIECES)))
def test_what_a_person_would_type_does_the_same(number):
    """Each of them on a bare host, and after the others."""
    for before in ([], [*PIECES[:number], *PIECES[number + 1 :]]):
        start = made(*before) if before else EMPTY
        lines = iptables.typed(PIECES[number], iptables.contents(start), Contents(), False)
        texts = {4: "", 6: ""}
        for program, (_option, table, *rule) in lines:
            rest = iptables_save.spelled(rule)
            texts[6 if program == "ip6tables" else 4] += f"*{table}\n{rest}\nCOMMIT\n"
        typed = carried_out(start, texts)
        assert held(iptables.contents(typed)) == held(iptables.contents(made(PIECES[number], start=start)))
        assert set(iptables.transaction(typed, [PIECES[number]], False).values()) == {""}


@pytest.mark.parametrize(
    ("table", "chain", "place", "part"),
    [
        ("nat", "LINUXNET-POSTROUTING", 0, "nat"),
        ("nat", "LINUXNET-HAIRPIN", 1, "publish"),
        ("raw", "LINUXNET-RAW", 0, "publish"),
        ("mangle", "LINUXNET-MANGLE", 0, "publish"),
        ("filter", "LINUXNET-CLOSED", 1, "guard"),
        ("filter", "LINUXNET-GUARD", 0, "guard"),
        ("filter", "LINUXNET-FORWARD", 2, "passage"),
        ("nat", "OUTPUT", 0, "publish"),
        ("filter", "FORWARD", 0, "guard"),
    ],
)
def test_f13_a_rule_that_somebody_took_out_breaks_its_part_and_is_put_back(table, chain, place, part):
    saved = made(*PIECES)
    rules = list(saved[4][table][chain].rules)
    del rules[place]
    damaged = {**saved[4], table: {**saved[4][table], chain: SavedChain(saved[4][table][chain].policy, tuple(rules))}}
    broken = {4: damaged, 6: saved[6]}
    assert not iptables.contents(broken).whole(part, 4)
    assert iptables.contents(broken).whole(part, 6)
    again = carried_out(broken, iptables.transaction(broken, PIECES, False))
    assert all(one.whole for one in iptables.contents(again).parts.values())


def test_f13_a_rule_that_was_edited_equals_nothing_that_is_wanted():
    saved = made(PIECES[0])
    name = next(name for name in saved[4]["nat"] if name not in (iptables.POSTROUTING, "POSTROUTING"))
    saved[4]["nat"][name] = SavedChain("-", saved[4]["nat"][name].rules[1:])
    (rule,) = iptables.contents(saved).rules
    assert (rule.owner, rule.source, rule.out_interface) == ("net", "10.0.0.0/24", "?")


def test_f13_strangers_are_named_and_stay_at_the_end_with_what_calls_them():
    saved = made(PIECES[3])
    there = saved[4]["nat"]["LINUXNET-PUBLISH"]
    stranger = ("-p", "tcp", "-j", "ACCEPT")
    saved[4]["nat"]["LINUXNET-PUBLISH"] = SavedChain("-", (stranger, *there.rules))
    assert iptables.contents(saved).strangers == ("nat LINUXNET-PUBLISH rule 1",)
    moved = carried_out(saved, iptables.transaction(saved, [PIECES[3]], True))
    assert moved[4]["nat"]["LINUXNET-PUBLISH"].rules == (*there.rules, stranger)
    gone = Edit(remove=iptables.contents(saved).elements)
    left = carried_out(moved, iptables.transaction(moved, [gone], True))
    assert left[4]["nat"]["LINUXNET-PUBLISH"].rules == (stranger,)
    assert len(left[4]["nat"]["PREROUTING"].rules) == 1


def test_f1_it_is_called_from_docker_s_users_chain_and_moves_there():
    start = made(PIECES[8])
    assert [len(start[4]["filter"]["FORWARD"].rules)] == [1]
    start[4]["filter"]["DOCKER-USER"] = SavedChain("-", (("-j", "RETURN"),))
    moved = carried_out(start, iptables.transaction(start, [PIECES[8]], True))
    assert "FORWARD" not in moved[4]["filter"]
    assert [iptables_save.target(rule) for rule in moved[4]["filter"]["DOCKER-USER"].rules] == [
        "LINUXNET-FORWARD",
        "RETURN",
    ]


def test_the_rules_of_others_are_read_into_one_form():
    text = (
        "*filter\n:FORWARD DROP [0:0]\n:DOCKER-USER - [0:0]\n"
        "-A FORWARD -j DOCKER-USER\n"
        '-A FORWARD -i br+ ! -o br0 -m comment --comment "a b" -j ACCEPT\n'
        "-A FORWARD -d 10.0.0.0/8 -p tcp -m tcp --dport 80:90 -m conntrack --ctstate NEW,RELATED -j ACCEPT\n"
        "-A FORWARD -m mark --mark 0x1/0xff -j REJECT --reject-with icmp-port-unreachable\n"
        "-A FORWARD -m time --timestart 08:00 -j ACCEPT\n"
        "-A FORWARD -m comment --comment linuxnet -j LINUXNET-FORWARD\nCOMMIT\n"
    )
    found = iptables_save.chains_of("iptables-legacy", {4: iptables_save.parse(text)}, {})
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


def test_of_a_table_that_is_not_iptables_nft_s_alone_nft_knows_more():
    """iptables-nft-save leaves out the set: what is dropped only for some looks as if it were for all."""
    text = (
        "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j DROP\n-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT\nCOMMIT\n"
    )
    key = "ip filter", "FORWARD"
    only_some = foreign.Rule({"saddr": ("==", "@block")}, "drop", "", "handle 4")
    extension = foreign.Rule({"{'xt': 'conntrack'}": ("?", "conntrack")}, "accept", "", "handle 5")
    seen = {key: foreign.Chain(*key, (4,), "filter", "forward", "accept", (only_some, extension))}
    rules = iptables_save.chains_of("iptables-nft", {4: iptables_save.parse(text)}, seen)[key].rules
    assert rules[0] == only_some
    assert (rules[1].matches, rules[1].shown) == ({"ct status": ("==", {"set": ["dnat"]})}, "handle 5")
