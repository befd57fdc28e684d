# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running nft, without one."""

from __future__ import annotations

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import _nft


class Changing:
    """A rule set that is another one at each look, and an nft that refuses the first lines."""

    def __init__(self, monkeypatch, refusals, sets):
        self.refusals, self.sets, self.tried = refusals, iter(sets), []
        monkeypatch.setattr(_nft, "ruleset", lambda: next(self.sets))
        monkeypatch.setattr(_nft, "transaction", self.transaction)

    def transaction(self, lines):
        self.tried.append(lines)
        if len(self.tried) <= self.refusals:
            raise _nft.NftError("no such table")


def test_f15_lines_are_computed_again_where_somebody_changed_the_rule_set_in_between(monkeypatch):
    nft = Changing(monkeypatch, 2, (["one"], ["two"], ["three"]))
    assert _nft.edit(list) is True
    assert nft.tried == [["one"], ["two"], ["three"]]


def test_f15_what_nobody_changed_is_not_tried_again(monkeypatch):
    nft = Changing(monkeypatch, 9, (["one"], ["two"], ["two"], ["three"]))
    with pytest.raises(_nft.NftError):
        _nft.edit(list)
    assert nft.tried == [["one"], ["two"]]


def test_f15_it_ends_where_somebody_changes_it_all_the_time(monkeypatch):
    nft = Changing(monkeypatch, 99, ([str(number)] for number in range(99)))
    with pytest.raises(_nft.NftError):
        _nft.edit(list)
    assert len(nft.tried) == 10


def test_where_there_is_nothing_to_do_nft_is_not_run(monkeypatch):
    nft = Changing(monkeypatch, 1, ([],))
    assert _nft.edit(list) is False
    assert nft.tried == []


def test_f15_somebody_may_have_done_it_meanwhile(monkeypatch):
    nft = Changing(monkeypatch, 1, (["one"], []))
    assert _nft.edit(list) is False
    assert nft.tried == [["one"]]
