# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The texts of iptables-save and iptables-restore."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends import iptables_save
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Unreadable
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_save import SavedChain
from ansible_collections.linuxnet.containers.tests.unit.tool_twins import restored_words


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
