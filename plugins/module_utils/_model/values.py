# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sanitizers: what a user writes to the one spelling that is compared, which is the kernel's own. Pure.

Each takes (value, option) and returns the canonical value, which it returns as it is when it gets it back; it raises `Invalid`,
with the option in front, for what the kernel would refuse. What the kernel says is canonical, but where a `from_kernel` stands
beside. Those of addresses are in `addressing`, of names in `naming`, of sysctls in `sysctls`.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, Mapping, Optional

from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid

MTU_LOW, MTU_HIGH = 68, 65535  # ETH_MIN_MTU, ETH_MAX_MTU
IPV6_MTU = 1280  # IPV6_MIN_MTU: with less the kernel takes IPv6 away from an interface
U32 = 4294967295
Sanitizer = Callable[[Any, str], Any]
_DIGITS_AT_MOST = 20  # of any number here; Python refuses to convert thousands of them

_MAC = re.compile(r"[0-9a-f]{1,2}(([:-])[0-9a-f]{1,2})(\2[0-9a-f]{1,2}){4}|[0-9a-f]{4}(\.[0-9a-f]{4}){2}", re.ASCII)


def given(params: Mapping[str, Any], sanitizers: Mapping[str, Sanitizer]) -> Dict[str, Any]:
    """Return the canonical values of those options that are given. Raises `Invalid`."""
    found = {option: params.get(option) for option in sanitizers}
    return {option: sanitizers[option](value, option) for option, value in found.items() if value is not None}


def unchanged(value: Any, option: str) -> Any:
    """Return ``value``: Ansible has converted it, and every value of its type will do."""
    return value


def natural(value: Any) -> Optional[int]:
    """Return the number that ASCII digits mean, None for anything else: other digits, signs, a boolean."""
    text = str(value).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS_AT_MOST else None


def integer(low: int, high: int) -> Callable[[int, str], int]:
    """Return the sanitizer of integers from ``low`` to ``high``. Ansible lets a boolean pass for one."""

    def sanitizer(value: int, option: str) -> int:
        if isinstance(value, bool):
            raise Invalid("%s: it must be a number from %d to %d, not a boolean." % (option, low, high))
        if not low <= value <= high:
            raise Invalid("%s: %d is out of bounds; it must be from %d to %d." % (option, value, low, high))
        return value

    return sanitizer


def mask(width: int, refused: int) -> Callable[[int, str], int]:
    """Return the sanitizer of numbers of so many bits, but for those in ``refused``, which the kernel never sets."""
    every = (1 << width) - 1
    within = integer(0, every)

    def sanitizer(value: int, option: str) -> int:
        if within(value, option) & refused:
            raise Invalid(
                "%s: %d has bits that the kernel refuses; those of %d can be set." % (option, value, every & ~refused)
            )
        return value

    return sanitizer


def number(low: int, high: int, what: str, **words: int) -> Callable[[Any, str], int]:
    """Return the sanitizer of texts that are a number from ``low`` to ``high``, or one of ``words`` for a number. ``what`` they are
    not, in the error, is neither."""

    def sanitizer(value: Any, option: str) -> int:
        found = words.get(str(value).strip(), natural(value))
        if found is None or not low <= found <= high:
            raise Invalid("%s: '%s' is neither %s." % (option, value, what))
        return found

    return sanitizer


def one_of(*words: str) -> Callable[[str, str], str]:
    """Return the sanitizer of texts that are one of ``words``, whose letters may be small or capital ones."""

    def sanitizer(value: str, option: str) -> str:
        found = next((word for word in words if word.lower() == value.strip().lower()), None)
        if found is None:
            raise Invalid("%s: '%s' is none of %s." % (option, value, ", ".join(words)))
        return found

    return sanitizer


TABLES = {"default": 253, "main": 254, "local": 255}  # include/uapi/linux/rtnetlink.h
route_table = number(1, U32, "main, default, local nor a number from 1 to %d" % U32, **TABLES)


def mtu(value: Any, option: str) -> Any:
    """Return ``auto``, or a number of bytes."""
    if str(value).strip() == "auto":
        return "auto"
    size = natural(value)
    if size is None:
        raise Invalid("%s: '%s' is neither 'auto' nor a number of bytes." % (option, value))
    return integer(MTU_LOW, MTU_HIGH)(size, option)


def hundredths(value: int, option: str) -> int:
    """Return a time in hundredths of a second as every kernel can hold it: an even number. A kernel of 250 ticks a second rounds an odd
    one down (include/linux/jiffies.h, clock_t_to_jiffies)."""
    return integer(0, U32)(value, option) & ~1


# What `tc` writes behind a number: of bits, of bytes (``bps``), and of their multiples by 1024. Canonical is the greatest of `_BITS` that divides.
_BITS = {"tbit": 10**12, "gbit": 10**9, "mbit": 10**6, "kbit": 10**3, "bit": 1}
_RATES = {
    **_BITS,
    **{name[:-3] + "bps": 8 * size for name, size in _BITS.items()},
    **{
        prefix + "i" + unit: size * 2**shift
        for prefix, shift in (("k", 10), ("m", 20), ("g", 30), ("t", 40))
        for unit, size in (("bit", 1), ("bps", 8))
    },
}
_RATE_LOW, _RATE_HIGH = 8000, 10**12
_TIMES = {"s": 10**6, "ms": 10**3, "us": 1}
LOSS_WHOLE = 1000000  # all of it, in the unit of `lost`
_AMOUNT = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,15}))? ?([a-z%]*)", re.ASCII)


def _amount(text: str, units: Mapping[str, int]) -> Optional[int]:
    """Return the number that a decimal number and one of ``units`` mean, rounded down, None for anything else, and for what would be rounded to nothing."""
    found = _AMOUNT.fullmatch(text)
    if found is None or found.group(3) not in units:
        return None
    decimals = found.group(2) or ""
    digits = int(found.group(1) + decimals)
    number = digits * units[found.group(3)] // 10 ** len(decimals)
    return number if number or not digits else None


def _spelled(number: int, units: Mapping[str, int]) -> str:
    """Return a number in the greatest unit that divides it, ``""`` for 0."""
    return next(("%d%s" % (number // size, name) for name, size in units.items() if number % size == 0 < number), "")


def bits(text: str) -> int:
    """Return the bits a second of a canonical rate, 0 for none."""
    return _amount(text, _RATES) or 0


def rate_text(number: int) -> str:
    """Return the canonical rate of so many bits a second."""
    return _spelled(number, _BITS)


def rate(value: Any, option: str) -> str:
    """Return a rate as ``tc`` spells it, in whole bytes a second as the kernel has it, ``""`` for none."""
    text = str(value).strip().lower()
    if not text:
        return ""
    number = _amount(text, _RATES)
    if number is None:
        raise Invalid("%s: '%s' is no rate such as 10mbit or 512kbit; '' is none." % (option, value))
    if not _RATE_LOW <= number <= _RATE_HIGH:
        limits = rate_text(_RATE_LOW), rate_text(_RATE_HIGH)
        raise Invalid("%s: '%s' is out of bounds; it must be from %s to %s." % (option, value, *limits))
    return rate_text(number & ~7)


def microseconds(text: str) -> int:
    """Return the microseconds of a canonical time, 0 for none."""
    return _amount(text, _TIMES) or 0


def time_text(number: int) -> str:
    """Return the canonical time of so many microseconds."""
    return _spelled(number, _TIMES)


def time_up_to(high: int) -> Callable[[Any, str], str]:
    """Return the sanitizer of times of at most ``high`` microseconds, ``""`` for none."""

    def sanitizer(value: Any, option: str) -> str:
        text = str(value).strip().lower()
        number = 0 if text in ("", "0") else _amount(text, _TIMES)
        if number is None:
            raise Invalid("%s: '%s' is no time such as 10ms, 2s or 500us; '' is none." % (option, value))
        if number > high:
            raise Invalid("%s: '%s' is out of bounds; it must be at most %s." % (option, value, time_text(high)))
        return time_text(number)

    return sanitizer


def lost(text: str) -> int:
    """Return the ten-thousandths of a percent of a canonical loss, 0 for none."""
    return _amount(text, {"%": LOSS_WHOLE // 100}) or 0


def loss_text(number: int) -> str:
    """Return the canonical loss of so many ten-thousandths of a percent."""
    return ("%d.%04d" % divmod(number, LOSS_WHOLE // 100)).rstrip("0").rstrip(".") + "%" if number else ""


def loss(value: Any, option: str) -> str:
    """Return a loss in percent, of up to four decimals, ``""`` for none."""
    text = str(value).strip()
    number = 0 if not text else _amount(text, {"": LOSS_WHOLE // 100, "%": LOSS_WHOLE // 100})
    if number is None or number > LOSS_WHOLE:
        raise Invalid("%s: '%s' is no number of percent from 0 to 100, such as 0.5." % (option, value))
    return loss_text(number)


def text_up_to(size: int) -> Callable[[str, str], str]:
    """Return the sanitizer of texts of at most ``size`` bytes."""

    def sanitizer(value: str, option: str) -> str:
        try:
            length = len(value.encode(errors="surrogateescape"))
        except UnicodeEncodeError as error:
            raise Invalid("%s: it is no text: %s." % (option, error.reason)) from error
        if length > size or "\0" in value:
            what = "has a NUL in it" if "\0" in value else "is %d bytes long" % length
            raise Invalid("%s: it %s; the kernel keeps a text of at most %d bytes." % (option, what, size))
        return value

    return sanitizer


def mac(value: str, option: str) -> str:
    """Return a MAC address as lower-case ``aa:bb:cc:dd:ee:ff``, one that an interface can have. Colons, dashes, or dots after each
    four digits may separate; a leading zero may be left out."""
    text = value.strip().lower()
    if not _MAC.fullmatch(text):
        number = natural(text)
        hint = "; YAML took it for a number, write it in quotes" if number is not None and number > 10**8 else ""
        raise Invalid("%s: '%s' is not a MAC address such as 02:42:ac:11:00:02%s." % (option, value, hint))
    digits = text.replace(".", "") if "." in text else "".join(part.zfill(2) for part in re.split("[:-]", text))
    text = ":".join(digits[start : start + 2] for start in range(0, len(digits), 2))
    if int(text[:2], 16) & 1 or text == "00:00:00:00:00:00":
        raise Invalid(
            "%s: '%s' is a multicast or empty MAC address; an interface needs a unicast one." % (option, value)
        )
    return text
