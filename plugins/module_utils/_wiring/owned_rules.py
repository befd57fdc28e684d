# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules that this collection has in a host's firewalls, whichever backend they are written with. Reads, and never changes."""

from __future__ import annotations

from typing import Dict, List

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.index import RuleIndex
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    Isolation,
    NatRule,
    PortMapping,
    SpoofCheck,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import DEFAULT
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.host_view import HostView


class OwnedRules:
    """The rules on the host itself. Where they cannot be read there are none, and a warning of the view says why."""

    def __init__(self, view: HostView) -> None:
        self._host = view.host
        self._firewalls = firewalls(view.state)
        self._warnings: Dict[str, None] = view.warnings

    def _indexes(self) -> List[RuleIndex]:
        return [self._firewalls.index(self._host, backend) for backend in self._firewalls.available()]

    def source_nat(self) -> List[NatRule]:
        """Return the rules of source NAT."""
        if DEFAULT not in self._firewalls.available():
            said = "Rules of %s are not listed: the program %s is not installed on this host."
            self._warnings[said % (DEFAULT.name, DEFAULT.program)] = None
        try:
            return [rule for index in self._indexes() for rule in index.nat_rules.values()]
        except Refused as error:
            self._warnings["The NAT rules are not listed. %s" % error] = None
            return []

    def _readable(self) -> List[RuleIndex]:
        """Return what we own by backend, nothing where it cannot be read: then the warning comes with `source_nat`."""
        try:
            return self._indexes()
        except Refused:
            return []

    def isolation(self) -> List[Isolation]:
        """Return the bridges with an isolation policy."""
        return [isolation for index in self._readable() for isolation in index.isolations.values()]

    def port_mappings(self) -> List[PortMapping]:
        """Return the published ports."""
        return [mapping for index in self._readable() for mapping in index.port_mappings]

    def spoof_checks(self) -> List[SpoofCheck]:
        """Return the checks of what comes in by ports of bridges."""
        return [check for index in self._readable() for check in index.spoof_checks.values()]
