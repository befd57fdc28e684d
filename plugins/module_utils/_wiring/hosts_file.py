# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is called what, as a container sees it: the lines of a hosts file. Pure."""

from __future__ import annotations

import re
from typing import Any, Iterator, List, Mapping, Tuple

# Of letters, digits, hyphens, underscores and points, with a letter, or it would be taken for an address.
_HOST_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9_])?")
_LOOPBACK = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback"]


def lines(wiring: Mapping[str, Mapping[str, Any]], name: str) -> List[str]:
    """Return the lines of a hosts file for a container of a ``wiring_result``: `localhost`, itself, and who is on a network or link with it, each with its
    addresses there. None for one in the host's network, whose names are the host's. A name that is no host name has no line. Raises KeyError."""
    if wiring[name]["network_mode"] == "host":
        return []
    near = {where for where, dummy in _addresses(name, wiring[name])}
    return _LOOPBACK + [
        "%s %s" % (address, other)
        for other, container in wiring.items()
        if _HOST_NAME.fullmatch(other) and other.lower() != "localhost"
        for where, address in _addresses(other, container)
        if where in near
    ]


def _addresses(name: str, container: Mapping[str, Any]) -> Iterator[Tuple[Any, str]]:
    """Yield a container's addresses, each with what it is on: a bridge, a parent, or a link by its two ends."""
    if container["network_mode"] == "host":
        return
    for interface in container["interfaces"]:
        here = "%s:%s" % (container["netns"], interface["name"])
        where = interface.get("bridge") or interface.get("parent") or frozenset([here, interface.get("link", name)])
        for address in interface["addresses"]:
            yield where, address.partition("/")[0]
