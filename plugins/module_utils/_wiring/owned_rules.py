# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules that this collection has in a host's firewalls, whichever backend they are written with. Reads, and never changes."""

from __future__ import annotations

from typing import Dict, List

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.index import RuleIndex
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    FAMILIES,
    ByHand,
    Isolation,
    NatRule,
    PortMapping,
    SpoofCheck,
    Tunnel,
    Uplink,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import DEFAULT
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.forwarding import SYSCTL_FILE, recorded
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.host_view import HostView


class OwnedRules:
    """The rules on the host itself, in those backends whose tools work. A warning of the view, which comes with `source_nat`, says which do not."""

    def __init__(self, view: HostView) -> None:
        self._host = view.host
        self._state = view.state
        self._firewalls = firewalls(view.state)
        self._warnings: Dict[str, None] = view.warnings

    def _indexes(self) -> List[RuleIndex]:
        return [self._firewalls.index(self._host, backend) for backend in self._firewalls.serving(self._host)]

    def source_nat(self) -> List[NatRule]:
        """Return the rules of source NAT."""
        if DEFAULT not in self._firewalls.available():
            said = "Rules of %s are not listed: the program %s is not installed on this host."
            self._warnings[said % (DEFAULT.name, DEFAULT.program)] = None
        self._warnings.update(dict.fromkeys(self._firewalls.unread(self._host)))
        return [rule for index in self._indexes() for rule in index.nat_rules.values()]

    def isolation(self) -> List[Isolation]:
        """Return the bridges with an isolation policy."""
        return [isolation for index in self._indexes() for isolation in index.isolations.values()]

    def port_mappings(self) -> List[PortMapping]:
        """Return the published ports."""
        return [mapping for index in self._indexes() for mapping in index.port_mappings]

    def spoof_checks(self) -> List[SpoofCheck]:
        """Return the checks of what comes in by ports of bridges."""
        return [check for index in self._indexes() for check in index.spoof_checks.values()]

    def uplinks(self) -> List[Uplink]:
        """Return the uplinks, of each one of its address families."""
        found = [uplink for index in self._indexes() for uplink in index.uplinks.values()]
        return list({uplink.interface: uplink for uplink in found}.values())

    def tunnels(self) -> List[Tunnel]:
        """Return the tunnels, each once."""
        found = [tunnel for index in self._indexes() for tunnel in index.tunnels.values()]
        return list({tunnel.key: tunnel for tunnel in found}.values())

    def by_hand(self) -> List[ByHand]:
        """Return what somebody put among them."""
        return [one for index in self._indexes() for one in index.owned.strangers]

    def forwarding(self) -> List[int]:
        """Return the address families for which what we did to switch forwarding on is there yet, and no rule that needs it."""
        if self._firewalls.unread(self._host):
            return []
        indexes = self._indexes()
        needed = {rule.family for index in indexes for rule in index.nat_rules.values()}
        needed |= {mapping.family for mapping in self.port_mappings()}
        fenced = {family for index in indexes for family in index.fences}
        text = self._state.text(SYSCTL_FILE) if indexes else ""
        left = [family for family in FAMILIES if family in fenced or recorded(text, family)]
        return [family for family in left if family not in needed]
