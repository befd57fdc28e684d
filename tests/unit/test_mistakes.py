# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every mistake of the alphabet gets its sentence, in every way the same; see `mistakes`."""

from __future__ import annotations

import pytest
from ansible_collections.linuxnet.containers.tests.unit.mistakes import FILE, MODULES, Mistake, as_it_is, recorded, ways

ALL = recorded()


def test_there_are_enough_of_them() -> None:
    assert len(ALL) > 120
    assert len({one.text for one in ALL}) == len(ALL)


@pytest.mark.parametrize("mistake", ALL, ids=lambda one: one.text)
def test_what_is_said_is_what_is_recorded_in_both_ways(mistake: Mistake) -> None:
    said = ways(mistake)
    assert said == dict.fromkeys(said, mistake.sentence)


@pytest.mark.parametrize("mistake", ALL, ids=lambda one: one.text)
def test_a_sentence_is_one_in_the_words_of_who_reads_it(mistake: Mistake) -> None:
    """It names the list and the entry, or the option; it is short; and no name that is derived or meant for us is in it."""
    if mistake.text.startswith("wiring_"):
        assert mistake.sentence.startswith("wiring_")
    for word in (
        "peer_mac",
        "peer_name",
        "peer_netns",
        "aggregate",
        "pool:",
        "Traceback",
        "_OmitType",
        MODULES,
        " object ",
    ):
        assert word not in mistake.sentence or not mistake.text.startswith("wiring_")
    assert len(mistake.sentence) < 320


def test_the_file_is_written_as_it_is_read() -> None:
    assert FILE.read_text(encoding="utf-8") == as_it_is()
