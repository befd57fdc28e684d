# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel takes along with an address, and the steps that remove one so that nothing else goes. Pure.

Of IPv4 (net/ipv4/devinet.c, fib_frontend.c): the secondary addresses of a primary one, unless `promote_secondaries` is on; the routes whose source it
is; with the last address of an interface all routes through it. Of IPv6: the source of such routes, which stay.
"""

from __future__ import annotations

import ipaddress
from dataclasses import field, replace
from typing import List, Mapping, Sequence

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import (
    DelAddress,
    PutAddress,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import PutRoute
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import BY_KERNEL, PROTOCOL, sysctl_key
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    MAIN_TABLE,
    Address,
    Link,
    NsRef,
    Route,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

_PROMOTE = "net/ipv4/conf/%s/promote_secondaries"


@dataclass(frozen=True)
class Along:
    """What may go along with the addresses of an interface: ``routes`` of the namespace's main table by address family, and whether the kernel
    ``promotes`` a secondary address in place of its primary one."""

    routes: Mapping[int, Sequence[Route]] = field(default_factory=dict, hash=False)
    promotes: bool = False

    def without(self, gone: Sequence[Route]) -> Along:
        """Return the same without the routes ``gone``, which are removed before."""
        return replace(
            self, routes={family: [one for one in found if one not in gone] for family, found in self.routes.items()}
        )


def along(ns: int, link: Link, doomed: Sequence[Address], state: State) -> Along:
    """Read what may go along with the ``doomed`` addresses of an interface."""
    families = sorted({address.family for address in doomed})
    routes = {family: state.routes(ns, family, MAIN_TABLE) for family in families}
    promotes = 4 not in families or any(
        state.sysctl(ns, _PROMOTE % name) not in (None, "0") for name in ("all", link.name)
    )
    ips, name = {address.ip for address in doomed}, link.name
    concerned = {
        family: [one for one in found if one.interface == name or one.source in ips or one.nexthops]
        for family, found in routes.items()
    }
    return Along(
        {family: [one for one in found if one.protocol != BY_KERNEL] for family, found in concerned.items()}, promotes
    )


class Removal:
    """The removal of the ``doomed`` addresses of an interface, where the addresses ``stay`` are then, those that were just set included."""

    def __init__(
        self, ns: NsRef, interface: str, doomed: Sequence[Address], stay: Sequence[Address], have: Along
    ) -> None:
        self._ns, self._interface = ns, interface
        self._doomed, self._stay, self._along = doomed, stay, have

    def lost(self) -> List[Route]:
        """Return the routes that cannot be kept: those through an interface that is left without an IPv4 address."""
        left = any(address.family == 4 for address in self._stay)
        going = any(address.family == 4 for address in self._doomed)
        return [] if left or not going else [one for one in self._along.routes.get(4, ()) if self._through(one)]

    def sourced(self) -> List[Route]:
        """Return the routes whose source goes, and that are kept."""
        kept = {address.ip for address in self._stay}
        gone = {address.ip for address in self._doomed} - kept
        lost = self.lost()
        return [one for found in self._along.routes.values() for one in found if one.source in gone and one not in lost]

    def _through(self, route: Route) -> bool:
        """Return whether a route leads through the interface, and through no other."""
        names = {hop.interface for hop in route.nexthops} or {route.interface}
        return names == {self._interface}

    def steps(self, successor: str = "") -> List[Change]:
        """Return the steps. Routes whose source goes are given the address ``successor`` for that before, or none."""
        steps: List[Change] = []
        for route in self.sourced():
            heir = successor if successor and (":" in successor) == (route.family == 6) else ""
            steps.append(PutRoute(self._ns, replace(route, source=heir), route))
        # Secondary addresses first: so the kernel has less to promote.
        ordered = sorted(self._doomed, key=lambda address: not (address.family == 4 and address.secondary))
        removals: List[Change] = [DelAddress(self._ns, self._interface, address) for address in ordered]
        return steps + self.promoting(removals, self._doomed)

    def promoting(self, removals: Sequence[Change], doomed: Sequence[Address]) -> List[Change]:
        """Return the steps that remove the ``doomed`` addresses with those that keep their secondary ones."""
        needed = any(
            primary.family == 4 and not primary.secondary and self._has_secondary(primary) for primary in doomed
        )
        if not needed or self._along.promotes:
            return list(removals)
        key = sysctl_key(_PROMOTE % self._interface)
        return [SetSysctl(self._ns, key, "1", "0"), *removals, SetSysctl(self._ns, key, "0", "1")]

    def _has_secondary(self, primary: Address) -> bool:
        """Return whether an address that stays is a secondary one of a primary that goes."""
        return any(is_secondary(other, primary) for other in self._stay if other.secondary)


def is_secondary(other: Address, primary: Address) -> bool:
    """Return whether the kernel takes an IPv4 address for a secondary one beside a primary one of the interface."""
    return (
        other.family == primary.family == 4
        and other.key != primary.key
        and other.prefix == primary.prefix
        and ipaddress.ip_address(other.peer or other.ip) in primary.network
    )


def set_anew(
    ns: NsRef, interface: str, current: Address, target: Address, own: Sequence[Address], have: Along
) -> List[Change]:
    """Return the steps that set the address ``current`` of an interface anew as ``target``, with the same IP address, which cannot be there twice.

    Of IPv4 a stand-in, the same IP address with another prefix length, holds the routes meanwhile.
    """
    stay = [address for address in own if address is not current]
    put, removal = PutAddress(ns, interface, target), Removal(ns, interface, [current], stay, have)
    steps: List[Change] = [DelAddress(ns, interface, current)]
    if current.family == 6:
        sourced = [PutRoute(ns, route, replace(route, source="")) for route in removal.sourced()]
        return [*steps, put, *sourced]
    steps = [*removal.promoting(steps, [current]), put]
    if not removal.lost() and not removal.sourced():
        return steps
    stand_in = Address(current.ip, 31 if current.prefix == 32 else 32, 4, noprefixroute=True, protocol=PROTOCOL)
    return [PutAddress(ns, interface, stand_in), *steps, DelAddress(ns, interface, stand_in)]
