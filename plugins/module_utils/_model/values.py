# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sanitizers: what a user writes, or the kernel says, to the one spelling that is compared. Pure.

Each takes (value, option) and returns the canonical value, which it returns as it is when it gets it back; it raises `Invalid`,
with the option in front, for what the kernel would refuse. Those of addresses are in `addressing`, of names in `naming`.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Callable, List, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid

MTU_LOW, MTU_HIGH = 68, 65535  # ETH_MIN_MTU, ETH_MAX_MTU

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_PLAIN = re.compile(r"0|[1-9][0-9]*")
_NUMBER = re.compile(r"-?(0[xX][0-9a-fA-F]+|[0-9]+)")


def unchanged(value: Any, option: str) -> Any:
    """Return ``value``: Ansible has converted it, and every value of its type will do."""
    return value


def integer(low: int, high: int) -> Callable[[int, str], int]:
    """Return the sanitizer of integers from ``low`` to ``high``."""

    def sanitizer(value: int, option: str) -> int:
        if not low <= value <= high:
            raise Invalid("%s: %d is out of bounds; it must be from %d to %d." % (option, value, low, high))
        return value

    return sanitizer


def mtu(value: Any, option: str) -> Any:
    """Return ``auto``, or a number of bytes."""
    text = str(value).strip()
    if text == "auto":
        return text
    if not (text.isascii() and text.isdigit()):
        raise Invalid("%s: '%s' is neither 'auto' nor a number of bytes." % (option, value))
    return integer(MTU_LOW, MTU_HIGH)(int(text), option)


def mac(value: str, option: str) -> str:
    """Return a MAC address as lower-case ``aa:bb:cc:dd:ee:ff``, one that an interface can have."""
    text = value.strip().lower().replace("-", ":")
    if not _MAC.fullmatch(text):
        raise Invalid("%s: '%s' is not a MAC address such as 02:42:ac:11:00:02." % (option, value))
    if int(text[:2], 16) & 1 or text == "00:00:00:00:00:00":
        raise Invalid(
            "%s: '%s' is a multicast or empty MAC address; an interface needs a unicast one." % (option, value)
        )
    return text


def sysctl(key: str, value: str) -> str:
    """Return the value of a sysctl in the kernel's own spelling, as it is read back: white space folded, numbers in decimal, a set
    of ports as ranges, an address in full.

    How the kernel reads them: proc_get_long() and proc_do_large_bitmap() of kernel/sysctl.c, addrconf_sysctl_stable_secret() of
    net/ipv6/addrconf.c. A text that is none of these stays.
    """
    words = value.split()
    name = re.split(r"[./]", key)[-1]
    if name in _PORT_SETS:
        return _port_set(" ".join(words))
    if name == "stable_secret" and words:
        try:
            return ipaddress.IPv6Address(words[0]).exploded
        except ValueError:
            return " ".join(words)
    return " ".join(_decimal(word) for word in words)


_PORT_SETS = ("ip_local_reserved_ports",)


def _decimal(word: str) -> str:
    """Return a number in decimal. The kernel reads as C does: ``0x`` begins a hexadecimal, ``0`` an octal one."""
    if not _NUMBER.fullmatch(word):
        return word
    sign, digits = ("-", word[1:]) if word.startswith("-") else ("", word)
    base = 16 if digits[:2] in ("0x", "0X") else 8 if digits[:1] == "0" else 10
    try:
        number = int(digits, base)
    except ValueError:  # 08
        return word
    return sign + str(number) if number else "0"


def _port_set(text: str) -> str:
    """Return ports and ranges, separated by commas, as the fewest ranges in order."""
    spans: List[Tuple[int, int]] = []
    for part in filter(None, re.split(r"[,\s]+", text)):
        ends = [_decimal(end) for end in part.split("-")]
        if not 1 <= len(ends) <= 2 or not all(_PLAIN.fullmatch(end) for end in ends):
            return text
        spans.append((int(ends[0]), int(ends[-1])))
    merged: List[Tuple[int, int]] = []
    for first, last in sorted((first, last) for first, last in spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return ",".join("%d" % first if first == last else "%d-%d" % (first, last) for first, last in merged)
