# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules that this collection has in a host's firewalls, whichever backend they are written with. Reads, and never changes."""

from __future__ import annotations

from typing import Dict, List

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.index import Table
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    NFTABLES,
    Element,
    Guard,
    NatRule,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import walls
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.host_view import HostView


class OwnedRules:
    """The rules on the host itself. Where they cannot be read there are none, and a warning of the view says why."""

    def __init__(self, view: HostView) -> None:
        self._host = view.host
        self._firewall = walls(view.state)
        self._warnings: Dict[str, None] = view.warnings

    def _held(self) -> List[Table]:
        return [self._firewall.table(self._host, backend) for backend in self._firewall.firewalls()]

    def source_nat(self) -> List[NatRule]:
        """Return the rules of source NAT."""
        if NFTABLES not in self._firewall.firewalls():
            self._warnings["Rules of nftables are not listed: the program nft is not installed on this host."] = None
        try:
            return [rule for table in self._held() for rule in table.rules.values()]
        except Refused as error:
            self._warnings["The NAT rules are not listed. %s" % error] = None
            return []

    def _readable(self) -> List[Table]:
        """Return `_held`, nothing where it cannot be read: then the warning comes with `source_nat`."""
        try:
            return self._held()
        except Refused:
            return []

    def isolation(self) -> List[Guard]:
        """Return the bridges with an isolation policy."""
        return [guard for table in self._readable() for guard in table.guards.values()]

    def port_mappings(self) -> List[Element]:
        """Return the published ports."""
        return [mapping for table in self._readable() for mapping in table.elements]
