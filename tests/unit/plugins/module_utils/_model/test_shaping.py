# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which queueing discipline does what is asked for, and what is told of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model import values
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.shaping import HANDLES, NONE, Shape, wanted

FREE = {"rate": "", "delay": "", "jitter": "", "loss": ""}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"rate": "10mbit"}, "tbf rate 10mbit burst 14022b limit 139022b"),
        ({"rate": "8kbit"}, "tbf rate 8kbit burst 1532b limit 1632b"),
        ({"rate": "10mbit", "delay": "20ms"}, "netem limit 98 delay 20ms rate 10mbit"),
        ({"delay": "20ms", "jitter": "5ms"}, "netem limit 10000 delay 20ms 5ms"),
        ({"delay": "1ms"}, "netem limit 8295 delay 1ms"),
        ({"loss": "1%"}, "netem limit 8212 loss 1%"),
        ({"rate": "8kbit", "loss": "1%"}, "netem limit 64 loss 1% rate 8kbit"),
    ],
)
def test_one_discipline_does_all_that_is_asked(asked: dict[str, str], words: str) -> None:
    shape = wanted(asked, NONE, 1500)
    assert " ".join(shape.words()) == words
    assert shape.attributes(1500) == {**FREE, **asked}
    assert (shape.ours, shape.handle) == (True, HANDLES[shape.kind])
    assert wanted(shape.attributes(1500), NONE, 1500) == wanted({}, shape, 1500) == shape


def test_what_is_not_asked_for_stays() -> None:
    both = wanted({"delay": "1ms"}, wanted({"rate": "1mbit"}, NONE, 1500), 1500)
    assert both.attributes(1500) == {**FREE, "rate": "1mbit", "delay": "1ms"}
    assert wanted({"delay": ""}, both, 1500).kind == "tbf"
    assert wanted(FREE, both, 1500) == NONE
    assert (NONE.attributes(1500), NONE.ours) == (FREE, False)


def test_a_bucket_that_is_too_small_or_too_large_is_no_rate_that_is_asked_for() -> None:
    """What does not fit in is dropped, and what fits in passes at once."""
    shape = wanted({"rate": "1mbit"}, NONE, 1500)
    assert (shape.fits(1500), shape.fits(68), shape.fits(9000)) == (True, True, False)
    assert shape.attributes(9000)["rate"] == "1mbit burst 2772b"
    assert wanted({}, shape, 9000).attributes(9000)["rate"] == "1mbit"
    assert replace(shape, burst=10**6).attributes(1500)["rate"] == "1mbit burst 1000000b"
    told = replace(shape, burst=shape.burst - 1)  # as the kernel tells it, rounded
    assert told.attributes(2752)["rate"] == "1mbit burst 2771b"
    assert told.attributes(1500)["rate"] == "1mbit"
    assert Shape("netem", 1, rate=8000).fits(9000)


@pytest.mark.parametrize(
    ("sanitizer", "value", "message"),
    [
        (values.rate, "fast", "rate: 'fast' is no rate such as 10mbit or 512kbit; '' is none."),
        (values.rate, "100", "rate: '100' is no rate such as 10mbit or 512kbit; '' is none."),
        (values.rate, "none", "rate: 'none' is no rate such as 10mbit or 512kbit; '' is none."),
        (values.rate, "1kbit", "rate: '1kbit' is out of bounds; it must be from 8kbit to 1tbit."),
        (values.rate, "2tbit", "rate: '2tbit' is out of bounds; it must be from 8kbit to 1tbit."),
        (values.rate, "-1mbit", "rate: '-1mbit' is no rate such as 10mbit or 512kbit; '' is none."),
        (values.time_up_to(10**6), "10", "rate: '10' is no time such as 10ms, 2s or 500us; '' is none."),
        (values.time_up_to(10**6), "0.1us", "rate: '0.1us' is no time such as 10ms, 2s or 500us; '' is none."),
        (values.time_up_to(10**6), "2s", "rate: '2s' is out of bounds; it must be at most 1s."),
        (values.loss, "half", "rate: 'half' is no number of percent from 0 to 100, such as 0.5."),
        (values.loss, "100.1", "rate: '100.1' is no number of percent from 0 to 100, such as 0.5."),
        (values.loss, "0.00001", "rate: '0.00001' is no number of percent from 0 to 100, such as 0.5."),
        (values.loss, "\u0661%", "rate: '\u0661%' is no number of percent from 0 to 100, such as 0.5."),
    ],
)
def test_what_is_no_value(sanitizer: Any, value: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        sanitizer(value, "rate")
    assert str(caught.value) == message
