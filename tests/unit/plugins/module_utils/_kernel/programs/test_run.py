# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rewriting rules that others write as well."""

from __future__ import annotations

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs import run


class Changing:
    """Rules that are others at each look, and a program that refuses the first lines."""

    def __init__(self, refusals, sets):
        self.refusals, self.sets, self.tried = refusals, iter(sets), []

    def edit(self):
        return run.rewrite(lambda: next(self.sets), self.write)

    def write(self, lines):
        self.tried.append(lines)
        if len(self.tried) <= self.refusals:
            raise run.ProgramError("no such table")


def test_f15_lines_are_computed_again_where_somebody_changed_the_rule_set_in_between():
    rules = Changing(2, (["one"], ["two"], ["three"]))
    assert rules.edit() is True
    assert rules.tried == [["one"], ["two"], ["three"]]


def test_f15_what_nobody_changed_is_not_tried_again():
    rules = Changing(9, (["one"], ["two"], ["two"], ["three"]))
    with pytest.raises(run.ProgramError):
        rules.edit()
    assert rules.tried == [["one"], ["two"]]


def test_f15_it_ends_where_somebody_changes_it_all_the_time():
    rules = Changing(99, ([str(number)] for number in range(99)))
    with pytest.raises(run.ProgramError):
        rules.edit()
    assert len(rules.tried) == 10


def test_where_there_is_nothing_to_do_nothing_is_run():
    rules = Changing(1, ([],))
    assert rules.edit() is False
    assert rules.tried == []


def test_f15_somebody_may_have_done_it_meanwhile():
    rules = Changing(1, (["one"], []))
    assert rules.edit() is False
    assert rules.tried == [["one"]]
