# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""By which interface a namespace sends to an address, and which one has an address. Pure."""

from __future__ import annotations

from typing import Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import MAIN_TABLE, Link, Route
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State


def towards(ns: int, ip: str, state: State) -> Optional[Tuple[Route, Link]]:
    """Return the route to an address and the interface that it leaves by, None where there is none."""
    routes = state.table(ns, 6 if ":" in ip else 4, MAIN_TABLE).holding(ip, lambda route: route.type == "unicast")
    for route in sorted(routes, key=lambda route: (-int(route.destination.partition("/")[2]), route.metric)):
        name = route.interface or (route.nexthops[0].interface if route.nexthops else "")
        link = state.link(ns, name) if name else None
        if link is not None:
            return route, link
    return None


def on_link(ns: int, ip: str, state: State) -> Optional[Link]:
    """Return the interface on whose link an address is, None where it is behind a router or nowhere."""
    found = towards(ns, ip, state)
    return found[1] if found is not None and not found[0].gateway and not found[0].nexthops else None


def of(ns: int, ip: str, state: State) -> Tuple[Optional[Link], int]:
    """Return the interface that has an address, and its MTU; those of the uplink where none has it, or ``ip`` is ``""``."""
    for index, address in state.addresses(ns) if ip else ():
        link = state.link_at(ns, index) if address.ip == ip else None
        if link is not None and link.name != "lo":
            return link, int(link.get("mtu"))
    return state.uplink(ns), state.uplink_mtu(ns)
