# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether packets of full size get through, and the answers. Pure."""

from __future__ import annotations

from typing import List, Optional, Sequence

from ansible_collections.linuxnet.containers.plugins.module_utils._path.sight import Sight
from ansible_collections.linuxnet.containers.plugins.module_utils._path.stops import Gauge, Obstacle

_SPARE = 4  # bytes more than the MTU that a wire takes: for a VLAN tag (is_skb_forwardable in net/core/dev.c)


def too_large(sight: Sight, protocol: str, gauges: Sequence[Gauge]) -> Optional[Obstacle]:
    """Return where the largest packets of those who talk do not fit, with "don't fragment" set; None where all fit. Over TCP both say what they can take."""
    ways = [[one for one in gauges if one.answer is answer] for answer in (False, True)]
    largest = [way[0].mtu for way in ways if way]
    for way in filter(None, ways):
        size = min(largest) if protocol == "tcp" else way[0].mtu
        found = _narrow(sight, way[1:], size)
        if found is not None:
            return found
    return None


def _narrow(sight: Sight, gauges: Sequence[Gauge], size: int) -> Optional[Obstacle]:
    """Return the first place that packets of a size do not get through."""
    fits: List[Gauge] = [one for one in gauges if size > one.mtu + (0 if one.told else _SPARE)]
    if not fits:
        return None
    one = min(fits, key=lambda gauge: gauge.mtu)
    where = sight.label(one.ns)
    happens = (
        "the sender is told so by ICMP, which no firewall may drop"
        if one.told
        else "they are dropped, and nobody is told"
    )
    what = "packets of more than %d bytes do not fit through %s of %s, and up to %d are sent: %s" % (
        one.mtu,
        one.link.name,
        where,
        size,
        happens,
    )
    command = sight.command(one.ns, "ip", "link", "show", "dev", one.link.name)
    return Obstacle(
        what,
        where,
        command,
        "give all interfaces on the way one MTU, %d: mtu of linuxnet.containers.veth and bridge, or of the network"
        % one.mtu,
    )
