# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every spelling of a value is one value, and what is one already stays as it is."""

from __future__ import annotations

import random
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model import values
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid


@pytest.mark.parametrize(
    "text",
    [
        "02:42:AC:11:00:02",
        "02-42-ac-11-00-02",
        " 02:42:ac:11:00:02 ",
        "2:42:ac:11:0:2",
        "2-42-AC-11-0-2",
        "0242.AC11.0002",
    ],
)
def test_a5_spellings_of_a_mac(text: str) -> None:
    assert values.mac(text, "mac") == "02:42:ac:11:00:02"


NO_MACS = ["", "02:42:ac:11:00", "02:42:ac:11:00:zz", "0242ac110002", "02:42:ac:11:00:02:03", "02:42-ac:11:00:02"]
NO_MACS += ["0242.ac11:0002", "2:42:ac:11::2"]


@pytest.mark.parametrize("text", NO_MACS)
def test_what_is_no_mac(text: str) -> None:
    with pytest.raises(Invalid, match="is not a MAC address such as 02:42:ac:11:00:02"):
        values.mac(text, "mac")


@pytest.mark.parametrize("text", ["01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"])
def test_a_mac_that_no_interface_can_have(text: str) -> None:
    with pytest.raises(Invalid, match="multicast or empty"):
        values.mac(text, "mac")


@pytest.mark.parametrize(("text", "meant"), [("auto", "auto"), ("1500", 1500), (" 1500 ", 1500), (1500, 1500)])
def test_spellings_of_an_mtu(text: object, meant: object) -> None:
    assert values.mtu(text, "mtu") == meant
    assert values.mtu(meant, "mtu") == meant


@pytest.mark.parametrize("text", ["", "big", "-1", "1.5", "\u00b2", "0x5dc"])
def test_what_is_no_mtu(text: str) -> None:
    with pytest.raises(Invalid, match="is neither 'auto' nor a number of bytes"):
        values.mtu(text, "mtu")


def digits(chance: random.Random, number: int) -> list[Any]:
    """Spellings of a number as a text, and the number itself."""
    return [number, str(number), f" {number}", f"{number}\n", "0" * chance.randrange(1, 4) + str(number)]


LIFETIME = values.number(0, values.U32, "'forever' nor a number of seconds", forever=values.U32)
TABLE = values.number(1, values.U32, "main nor a number", main=254)


@pytest.mark.parametrize("sanitizer", [LIFETIME, TABLE, values.mtu], ids=["lifetime", "table", "mtu"])
def test_every_spelling_of_a_number_is_the_number(sanitizer: values.Sanitizer) -> None:
    """Generated: what comes out stays as it is when it goes in again."""
    chance = random.Random(7)
    for _round in range(200):
        number = chance.randrange(values.MTU_LOW, values.MTU_HIGH)
        found = {sanitizer(text, "option") for text in digits(chance, number)}
        assert found == {number}
        assert sanitizer(number, "option") == number


def test_words_for_numbers() -> None:
    assert (LIFETIME("forever", ""), LIFETIME(LIFETIME("forever", ""), "")) == (values.U32, values.U32)
    assert TABLE(" main ", "") == TABLE("254", "") == 254


# What Python takes for digits, or for a number, and the kernel does not.
ODD = ["\u00b2", "\u0661\u0662", "1_000", "+5", "-1", "1.0", "0x10", "", "9" * 5000, "True", "1 2", "\u2460"]


@pytest.mark.parametrize("text", ODD, ids=lambda text: ascii(text)[:12])
def test_what_is_no_number_is_refused_with_one_sentence(text: str) -> None:
    for sanitizer in (LIFETIME, TABLE, values.mtu):
        with pytest.raises(Invalid) as caught:
            sanitizer(text, "option")
        assert str(caught.value).startswith(f"option: '{text}' is neither ")
        assert str(caught.value).endswith(".")


@pytest.mark.parametrize("value", [True, False])
def test_a_boolean_is_no_number(value: bool) -> None:
    with pytest.raises(Invalid, match=r"^metric: it must be a number from 0 to 9, not a boolean\.$"):
        values.integer(0, 9)(value, "metric")


def test_an_integer_has_its_bounds() -> None:
    assert [values.integer(0, 9)(number, "metric") for number in (0, 9)] == [0, 9]
    for number in (-1, 10):
        with pytest.raises(Invalid, match=f"^metric: {number} is out of bounds; it must be from 0 to 9"):
            values.integer(0, 9)(number, "metric")


def test_what_is_given_is_sanitized_and_nothing_else() -> None:
    sanitizers = {"mtu": values.mtu, "alias": values.unchanged}
    assert values.given({"mtu": "1400", "alias": None, "name": "br0"}, sanitizers) == {"mtu": 1400}
    assert values.given({"alias": ""}, sanitizers) == {"alias": ""}


def test_times_of_links_are_even() -> None:
    for value in range(20):
        assert values.hundredths(value, "") == values.hundredths(values.hundredths(value, ""), "") == value // 2 * 2


def test_a_text_has_a_number_of_bytes() -> None:
    fits = values.text_up_to(4)
    assert [fits(text, "alias") for text in ("", "abcd", "\u00e4\u00e4", "a\udcff")] == [
        "",
        "abcd",
        "\u00e4\u00e4",
        "a\udcff",
    ]
    for text, what in (("abcde", "is 5 bytes long"), ("\u00e4\u00e4a", "is 5 bytes long"), ("a\0", "has a NUL in it")):
        with pytest.raises(Invalid, match=f"^alias: it {what}; the kernel keeps a text of at most 4 bytes"):
            fits(text, "alias")
    with pytest.raises(Invalid, match=r"^alias: it is no text"):
        fits("\ud800", "alias")
