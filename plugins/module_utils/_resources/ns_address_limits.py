# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel asks of an interface, and of the addresses beside, before it takes an address. Pure."""

from __future__ import annotations

from typing import List, Optional, Sequence

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Address, Link
from ansible_collections.linuxnet.containers.plugins.module_utils._model.values import IPV6_MTU
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_address_want import Want
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

_DISABLE_IPV6 = "net/ipv6/conf/%s/disable_ipv6"


def disable_ipv6(want: Want, ns: int, state: State) -> Optional[str]:
    """Return the sysctl of the interface, that of new ones where it is only foreseen; None where there is no IPv6 at all."""
    found = state.sysctl(ns, _DISABLE_IPV6 % want.interface)
    if found is None and ns > 0:
        found = state.sysctl(ns, _DISABLE_IPV6 % "default")
    return found if ns > 0 else "0"


def ready_for_ipv6(want: Want, link: Optional[Link], off: Optional[str]) -> List[Change]:
    """Return the step that switches IPv6 on where it is off on an interface as we make them. Raises `Refused` where there can be
    none."""
    if want.family == 4:
        return []
    option, key = "address" if want.address else "pool", _DISABLE_IPV6 % want.interface
    mtu = link.get("mtu") if link else None
    if off is None:
        raise Refused("%s: this host has no IPv6 (was it booted with ipv6.disable=1?)." % option)
    if mtu is not None and mtu < IPV6_MTU:
        raise Refused(
            "%s: %s in %s has an MTU of %d bytes, and IPv6 needs %d; raise its MTU first."
            % (option, want.interface, want.ns, mtu, IPV6_MTU)
        )
    if off != "1":
        return []
    if want.ns.path or link is None or link.index < 0 or link.kind in ("bridge", "veth"):
        return [SetSysctl(want.ns, key, "0", "1")]
    raise Refused(
        "%s: IPv6 is switched off on %s of the host; set the sysctl %s to 0 first, where that is wanted."
        % (option, want.interface, key)
    )


def check_scope(target: Address, own: Sequence[Address]) -> None:
    """Refuse an IPv4 address of another scope than its neighbours on the interface (net/ipv4/devinet.c, __inet_insert_ifa)."""
    for other in own:
        same = (other.prefix, other.family, other.network) == (target.prefix, 4, target.network)
        if same and other.ip != target.ip and other.scope != target.scope:
            raise Refused(
                "scope: %s is there with scope %s, and all addresses of %s on an interface have the same; %s would have %s."
                % (other.cidr, other.scope, other.network, target.cidr, target.scope)
            )
