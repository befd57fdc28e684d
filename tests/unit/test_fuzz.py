# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What comes from outside may be anything, see `fuzz`: a few inputs for each reader here, as many as one likes by `make fuzz`.

And that these readers understand what is right, and that the run finds what it is there to find: else its zeros would prove nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.tests.unit import fuzz
from ansible_collections.linuxnet.containers.tests.unit.fuzz import Reader, fuzzed, inputs, table
from ansible_collections.linuxnet.containers.tests.unit.readers import READERS

pytestmark = pytest.mark.unmeasured
COUNT = 60


@pytest.mark.parametrize("reader", READERS, ids=lambda one: one.name)
def test_no_reader_ends_in_a_traceback_or_waits(reader: Reader, record_property: Callable[[str, object], None]) -> None:
    row = fuzzed(reader, COUNT, "unit")
    record_property("read", fuzz.line(row))
    assert (row.faults, row.waits) == ([], [])
    assert row.inputs >= 10


REFUSALS = ("datagrams", "complaints", "wiring_info")  # among what these readers are given is what they refuse


@pytest.mark.parametrize(
    "reader", [one for one in READERS if not any(word in one.name for word in REFUSALS)], ids=lambda one: one.name
)
def test_what_is_right_is_understood(reader: Reader) -> None:
    for good in reader.goods:
        reader.read(good)


def test_each_reader_has_a_name_of_its_own() -> None:
    assert len({reader.name for reader in READERS}) == len(READERS)


def test_the_same_seed_is_the_same_inputs() -> None:
    for reader in READERS[::7]:
        once, again, other = (list(map(repr, inputs(reader, 30, seed))) for seed in ("a", "a", "b"))
        assert once == again
        assert once != other


# --- the run itself ---


def careless(value: Any) -> None:
    """A reader as they should not be."""
    if value == "wait":
        time.sleep(20)
    if value == "no":
        raise Refused("No.")
    if not value.startswith("good"):
        raise KeyError(value)


def test_what_is_wrong_is_found_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "SECONDS", 0.05)
    row = fuzzed(Reader("careless", careless, ["good", "wait", "no"]), 40, "seed")
    assert row.inputs == 40
    assert row.waits == ["'wait'"]
    assert row.refused >= 1
    assert row.faults
    assert all("KeyError" in fault for fault in row.faults)
    *heading, line = table([row]).splitlines()
    assert len(heading) == 2
    assert line.split()[-2:] == [str(len(row.faults)), "1"]
