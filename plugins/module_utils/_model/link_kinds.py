# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of link attributes: one row an attribute, read by everything that parses, compares, shows or writes one.

A row that is added here is an option, a line of the diff, a word of `commands` and a netlink attribute at once. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid


@dataclass(frozen=True)
class Field:
    """One attribute of a link.

    ``name`` is the option's and the result's name, ``attribute`` the netlink attribute, ``words`` iproute2's words for it
    with ``{}`` for the value, ``default`` what the kernel gives a new link, ``low`` and ``high`` the bounds of an integer.
    ``switch`` says how iproute2 spells a boolean: ``01`` or ``on off``.
    """

    name: str
    attribute: str
    words: str
    default: Any
    low: Optional[int] = None
    high: Optional[int] = None
    switch: str = "on off"

    def spell(self, value: Any) -> str:
        """Return iproute2's words for this attribute with ``value``."""
        if isinstance(value, bool):
            value = ("1" if value else "0") if self.switch == "01" else ("on" if value else "off")
        return self.words.format(value)

    def check(self, value: Any) -> Any:
        """Return ``value``, or raise `Invalid` where the kernel would refuse an integer out of bounds."""
        if self.low is not None and self.high is not None and not self.low <= value <= self.high:
            raise Invalid(
                "%s: %d is out of bounds; it must be from %d to %d." % (self.name, value, self.low, self.high)
            )
        return value


def table(*fields: Field) -> Dict[str, Field]:
    """Return ``fields`` by name, in order."""
    return {field.name: field for field in fields}


# Of every link. Bounds of the MTU: ETH_MIN_MTU and ETH_MAX_MTU of include/uapi/linux/if_ether.h.
LINK = table(
    Field("mtu", "IFLA_MTU", "mtu {}", 1500, 68, 65535),
    Field("mac", "IFLA_ADDRESS", "address {}", ""),
    Field("tx_queue_len", "IFLA_TXQLEN", "txqueuelen {}", 1000, 0, 4294967295),
    Field("alias", "IFLA_IFALIAS", "alias '{}'", ""),
)

# Of a bridge, IFLA_INFO_DATA. Times in hundredths of a second, as `ip link` gives and takes them.
BRIDGE = table(
    Field("stp", "IFLA_BR_STP_STATE", "stp_state {}", False, switch="01"),
    Field("forward_delay", "IFLA_BR_FORWARD_DELAY", "forward_delay {}", 1500, 0, 4294967295),
    Field("ageing_time", "IFLA_BR_AGEING_TIME", "ageing_time {}", 30000, 0, 4294967295),
    Field("vlan_filtering", "IFLA_BR_VLAN_FILTERING", "vlan_filtering {}", False, switch="01"),
)

# Of a bridge's port, IFLA_INFO_SLAVE_DATA and IFLA_PROTINFO. Bounds: net/bridge/br_stp_if.c and br_private.h.
PORT = table(
    Field("hairpin", "IFLA_BRPORT_MODE", "hairpin {}", False),
    Field("isolated", "IFLA_BRPORT_ISOLATED", "isolated {}", False),
    Field("learning", "IFLA_BRPORT_LEARNING", "learning {}", True),
    Field("flood", "IFLA_BRPORT_UNICAST_FLOOD", "flood {}", True),
    Field("mcast_flood", "IFLA_BRPORT_MCAST_FLOOD", "mcast_flood {}", True),
    Field("neigh_suppress", "IFLA_BRPORT_NEIGH_SUPPRESS", "neigh_suppress {}", False),
    Field("guard", "IFLA_BRPORT_GUARD", "guard {}", False),
    Field("root_block", "IFLA_BRPORT_PROTECT", "root_block {}", False),
    Field("fast_leave", "IFLA_BRPORT_FAST_LEAVE", "fastleave {}", False),
    Field("cost", "IFLA_BRPORT_COST", "cost {}", 2, 1, 65535),
    Field("priority", "IFLA_BRPORT_PRIORITY", "priority {}", 32, 0, 63),
)

ALL: Tuple[Dict[str, Field], ...] = (LINK, BRIDGE, PORT)
