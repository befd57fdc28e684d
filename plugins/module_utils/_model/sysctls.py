# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sysctls of a network namespace: what a user writes, or the kernel says, to the one spelling that is compared. Pure.

How the kernel reads and shows them: kernel/sysctl.c (proc_get_long, proc_do_large_bitmap and the functions of times),
net/ipv4/sysctl_net_ipv4.c, net/ipv6/addrconf.c (stable_secret), net/core/sysctl_net_core.c (masks of CPUs).
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import sysctl_key

_SEPARATOR = re.compile("[./]")
_NUMBER = re.compile(r"-?(0[xX][0-9a-fA-F]+|[0-9]+)")
_PLAIN = re.compile(r"0|-?[1-9][0-9]*")
_BOOLEANS = ("true", "false", "yes", "no", "on", "off")
# Times that a kernel keeps in ticks of its clock, of which it has so many a second: what it shows is a whole number of them.
_TICKS = (100, 250, 300, 1000)
_MILLISECONDS = "icmp_ratelimit ratelimit tcp_invalid_ratelimit".split() + [
    "mldv%d_unsolicited_report_interval" % version for version in (1, 2)
]
_HUNDREDTHS = ("anycast_delay", "locktime", "proxy_delay", "retrans_time")
# What the kernel has once for each interface: net/ipv4/devinet.c, net/ipv6/addrconf.c, net/core/neighbour.c, net/mpls/af_mpls.c.
_PER_INTERFACE = re.compile(r"(net\.(?:(?:ipv4|ipv6)\.(?:conf|neigh)|mpls\.conf))\.(.+)\.([^.]+)")
_OF_NO_INTERFACE = ("all", "default")


def sysctls(given: Mapping[str, Any]) -> Dict[str, str]:
    """Return the sysctls that a user gives, canonical, by key as it is given. Raises `Invalid`."""
    keys: Dict[str, str] = {}
    for key in given:
        other = keys.setdefault(key_of(key), key)
        if other != key:
            raise Invalid("sysctls: '%s' and '%s' are the same key." % (other, key))
    return {key: sysctl(key, value) for key, value in given.items()}


def interface_of(key: str) -> str:
    """Return the interface that a sysctl is of, ``""`` where it is of none, or of all. A dot in its name is a dot, however it is spelled."""
    found = _PER_INTERFACE.fullmatch(sysctl_key(key))
    name = found[2].replace("/", ".") if found else ""
    return "" if name in _OF_NO_INTERFACE else name


def key_of(key: str, interface: Optional[str] = None) -> str:
    """Return a sysctl of an interface by its one key, in dots with a slash for a dot in the name; of another ``interface`` where one is given."""
    found = _PER_INTERFACE.fullmatch(sysctl_key(key))
    if not found:
        return sysctl_key(key)
    name = found[2] if interface is None else interface
    return "%s.%s.%s" % (found[1], name.replace(".", "/"), found[3])


def sysctl(key: str, value: Any) -> str:
    """Return the value that a user gives a sysctl, canonical; a boolean is 1 or 0. Raises `Invalid`."""
    if not key.startswith(("net.", "net/")) or ".." in key:
        raise Invalid("sysctls: '%s' is not a key of a network namespace; those begin with 'net.'." % key)
    text = str(int(value) if isinstance(value, bool) else value)
    if value is None or isinstance(value, (dict, list)) or not text.strip():
        raise Invalid("sysctls: '%s' needs a value, a number or a text." % key)
    if text.strip().lower() in _BOOLEANS:
        raise Invalid("sysctls: '%s' cannot be '%s'; the kernel's switches are 1 and 0." % (key, text))
    if not (text.isascii() and " ".join(text.split()).isprintable()):
        raise Invalid("sysctls: '%s' has a character that no sysctl has: %s." % (key, ascii(text)))
    return canonical(key, text)


def switched_on(value: Any) -> bool:
    """Return whether a value that a user gives is a number other than 0; what is no value at all is not."""
    word = _decimal(str(int(value) if isinstance(value, bool) else value).strip())
    return bool(_PLAIN.fullmatch(word)) and word != "0"


def canonical(key: str, text: str) -> str:
    """Return the value of a sysctl in the spelling in which the kernel shows it: white space folded, numbers in decimal, a set of
    ports as ranges, an address in full. A text that is none of these stays."""
    folded = " ".join(text.split())
    special = _SPECIAL.get(_SEPARATOR.split(key)[-1])
    return special(folded) if special else " ".join(map(_decimal, folded.split(" ")))


def written(key: str, wanted: str, now: str) -> str:
    """Return what the kernel shows once ``wanted`` is written where it shows ``now``, all canonical.

    Fewer numbers than the kernel has leave the rest as it is, more are ignored; a time is rounded to ticks of the kernel's clock,
    of which we know only that ``now`` may be such a time.
    """
    asked, found = wanted.split(), now.split()
    if not found or not all(map(_PLAIN.fullmatch, asked + found)):
        return wanted
    if len(found) == 1 and int(now) in _rounded(key, int(asked[0])):
        return now
    return " ".join(asked[: len(found)] + found[len(asked) :])


def _rounded(key: str, value: int) -> List[int]:
    """Return what kernels may show for a time that is set to ``value``."""
    parts = _SEPARATOR.split(key)
    if parts[-1] in _MILLISECONDS or (parts[-1].endswith("_ms") and parts[2:3] in (["neigh"], ["route"])):
        return [-(-value * ticks // 1000) * 1000 // ticks for ticks in _TICKS]
    if parts[-1] in _HUNDREDTHS:
        return [value * ticks // 100 * 100 // ticks for ticks in _TICKS]
    return []


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
        if not 1 <= len(ends) <= 2 or not all(map(_PLAIN.fullmatch, ends)):
            return text
        spans.append((int(ends[0]), int(ends[-1])))
    merged: List[Tuple[int, int]] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return ",".join("%d" % first if first == last else "%d-%d" % (first, last) for first, last in merged)


def _address(text: str) -> str:
    """Return an IPv6 address in full."""
    try:
        return ipaddress.IPv6Address(text).exploded
    except ValueError:
        return text


def _keys(text: str) -> str:
    """Return keys of four hexadecimal numbers, separated by commas, with all their digits."""
    words = re.split("[-,]", text)
    try:
        found = ["%08x" % int(word, 16) for word in words]
    except ValueError:
        return text
    return ",".join("-".join(found[start : start + 4]) for start in range(0, len(found), 4))


def _mask(text: str) -> str:
    """Return a mask of CPUs, in hexadecimal with a comma before each eight digits, as short as it can be."""
    digits = text.replace(",", "").lstrip("0").lower()
    if not re.fullmatch("[0-9a-f,]+", text.lower()):
        return text
    return re.sub("(?<=.)(?=(?:.{8})+$)", ",", digits) or "0"


def _switch(text: str) -> str:
    """Return 1 for every number but 0, as br_netfilter has it."""
    word = _decimal(text)
    return "1" if _PLAIN.fullmatch(word) and word != "0" else word


_SPECIAL: Dict[str, Callable[[str], str]] = {
    "ip_local_reserved_ports": _port_set,
    "stable_secret": _address,
    "tcp_fastopen_key": _keys,
    "rps_default_mask": _mask,
    "flow_limit_cpu_bitmap": _mask,
    **{"bridge-nf-" + name: _switch for name in ("call-iptables", "call-ip6tables", "call-arptables")},
    **{"bridge-nf-" + name: _switch for name in ("filter-vlan-tagged", "filter-pppoe-tagged", "pass-vlan-input-dev")},
}
