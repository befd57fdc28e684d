# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every block of code in a page, and every EXAMPLES of a plugin, has a test that runs it; every link in a page leads somewhere."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import PurePosixPath

import pytest
from lab import ROOT
from pages import EXAMPLES_RUN, PAGES_TEST, anchors, blocks, links, pages, plugins, tables


def section_of(page: str, title: str) -> str:
    return title if title in EXAMPLES_RUN.get(page, {}) else ""


def test_each_block_has_who_runs_it() -> None:
    there = {page: Counter(section_of(page, block.section) for block in blocks(page)) for page in pages()}
    given = {page: {section: count for section, (_test, count) in run.items()} for page, run in EXAMPLES_RUN.items()}
    assert {page: dict(counted) for page, counted in there.items() if counted} == given


@pytest.mark.parametrize("page", list(EXAMPLES_RUN))
def test_who_runs_it_is_there_and_knows_the_page(page: str) -> None:
    for test, _count in EXAMPLES_RUN[page].values():
        how, _blank, rest = test.partition(" ")
        if how in ("by", "no:"):
            continue
        file = ROOT / (rest if how == "like" else test)
        assert file.is_file(), test
        name = PurePosixPath(page).parent.name if page.endswith("README.md") else PurePosixPath(page).name
        if how != "like" and test != PAGES_TEST:
            assert name in file.read_text(encoding="utf-8"), f"{test} does not read {page}"


def test_each_plugin_with_examples_has_who_runs_them() -> None:
    """The tests themselves see that no task is left out."""
    kinds = Counter(path.parent.name for path in plugins())
    assert kinds == {"modules": 11, "filter": 9, "connection": 1}  # the last: tests/lab/test_hosts_for_all.py


@pytest.mark.parametrize("page", pages())
def test_each_link_leads_somewhere(page: str) -> None:
    broken = []
    for link in links(page):
        if re.match(r"(https?|mailto):", link):
            continue
        path, _sign, anchor = link.partition("#")
        target = (ROOT / page).parent.joinpath(path).resolve() if path else ROOT / page
        markdown = target / "README.md" if target.is_dir() else target
        if not target.exists() or (anchor and anchor not in anchors(str(markdown.relative_to(ROOT)))):
            broken.append(link)
    assert broken == []


def test_forty_questions_are_answered() -> None:
    """Each row has a question and a link, or a command, that answers it; links are held by the test above."""
    rows = list(tables("docs/questions.md"))
    assert len(rows) >= 40
    assert len({question for question, _answer in rows}) == len(rows)
    unanswered = [question for question, answer in rows if not re.search(r"\]\(|`", answer)]
    assert unanswered == []
