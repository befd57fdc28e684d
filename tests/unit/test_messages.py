# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each message that the code has is listed by a test that provokes it, or with the reason why none does; see `messages`.

That a test provokes what is listed for it, the test itself holds (`conftest.says_what_is_recorded`).
"""

from __future__ import annotations

import pytest
from ansible_collections.linuxnet.containers.tests.unit import messages
from ansible_collections.linuxnet.containers.tests.unit.messages import (
    Text,
    elsewhere,
    mistaken,
    recorded,
    said_in,
    texts,
)

pytestmark = pytest.mark.unmeasured  # it reads the code and runs none of it


def listed() -> set[Text]:
    """The texts that are recorded, under the file that says them, or as what is said to a mistake."""
    said: dict[str, list[str]] = {}
    for entry in recorded():
        said.setdefault(entry.file, []).append(entry.message)
    return {text for text in texts() if any(map(text.told_by, (*said.get(text.file, ()), *mistaken())))}


def test_each_message_is_listed_once() -> None:
    """A new one: what it says is written down by its test, as `messages` tells; or its line in recorded/elsewhere.txt names the test, or the reason."""
    here, there = listed(), set(elsewhere())
    assert [text for text in texts() if text not in here | there] == []
    assert here & there == set()


def test_nothing_is_listed_that_is_not_said_any_more() -> None:
    assert set(elsewhere()) - set(texts()) == set()
    known = {
        (text.file, entry.message)
        for entry in recorded()
        for text in texts()
        if text.file == entry.file and text.told_by(entry.message)
    }
    assert [entry for entry in recorded() if (entry.file, entry.message) not in known] == []


@pytest.mark.parametrize(
    "test",
    sorted({entry.test for entry in recorded()} | {one for one in elsewhere().values() if one.startswith("tests/")}),
)
def test_a_test_that_is_named_is_there(test: str) -> None:
    file, dummy, name = test.partition("::")
    assert f"def {name.partition('[')[0]}(" in (messages.ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "test"), [(text, test) for text, test in elsewhere().items() if test.startswith("tests/")], ids=str
)
def test_a_test_elsewhere_asks_for_what_is_said(text: Text, test: str) -> None:
    """As far as can be seen without running it: some of its words are in the test's file."""
    words = messages.fragment(text.text).split()
    said = " ".join(said_in(test).split())
    assert any(" ".join(words[first : first + 3]) in said for first in range(max(1, len(words) - 2)))


def test_a_message_is_read_at_once() -> None:
    """It is one line, of no more than a few sentences, and has no word that is meant for us."""
    for entry in recorded():
        assert entry.message[0] not in " ."
        assert len(entry.message) < 600, entry
        for word in ("Traceback", "NoneType", "object at"):
            assert word not in entry.message, entry
