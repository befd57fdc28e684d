# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pools of addresses: what may be given out, in which order. Pure. The one file that imports netaddr."""

from __future__ import annotations

import functools
import ipaddress
from typing import Any, Container, Iterator, List, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import addressing
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import IpAddress, IpNetwork
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import sticky_offset
from ansible_collections.linuxnet.containers.plugins.module_utils._model.requirements import (
    old_library,
    unusable_library,
)


def require_netaddr() -> None:
    """Raise `Lacking` where there is no netaddr to be used. It is imported only where a pool is asked for, since that takes long."""
    try:
        import netaddr
    except Exception as error:  # a broken release raises anything
        raise unusable_library("netaddr", error) from error
    old = old_library("netaddr", str(getattr(netaddr, "__version__", "")))
    if old is not None:
        raise old


def _ip_range(value: str, option: str, pool: IpNetwork) -> Any:
    """Return ``FIRST-LAST``, a CIDR or one address as netaddr's range; it must be of the pool's family."""
    import netaddr

    first, dash, last = value.strip().partition("-")
    if dash:
        low, high = addressing.address(first, option), addressing.address(last, option)
    elif "/" in first:
        net = addressing.network(first, option)
        low, high = net.network_address, net.broadcast_address
    else:
        low = high = addressing.address(first, option)
    if low.version != pool.version or high.version != pool.version:
        raise Invalid("%s: '%s' is not of the same address family as the pool %s." % (option, value, pool))
    if int(low) > int(high):
        raise Invalid("%s: '%s' ends before it begins." % (option, value))
    return netaddr.IPRange(str(low), str(high))


class Pool:
    """The addresses of ``net`` that may be given out, before it is known which are taken.

    ``range_`` narrows the pool (``FIRST-LAST`` or CIDR), ``exclude`` lists addresses, ranges and CIDRs never to be given,
    ``gateway`` is reserved. Raises `Invalid` where nothing is left. Sizes are counts of addresses.
    """

    def __init__(
        self,
        net: IpNetwork,
        range_: Optional[str] = None,
        exclude: Sequence[str] = (),
        gateway: Optional[IpAddress] = None,
    ):
        import netaddr

        self.network = net
        self.gateway = gateway
        first, last = addressing.usable(net)
        everything = netaddr.IPSet(netaddr.IPRange(str(first), str(last)))
        allowed = everything
        if range_ is not None:
            allowed = everything & netaddr.IPSet(_ip_range(range_, "range", net))
            if not allowed:
                raise Invalid("range: '%s' has no usable address of the pool %s." % (range_, net))
        self.size = int(allowed.size)
        excluded = netaddr.IPSet()
        for item in exclude:
            excluded = excluded | netaddr.IPSet(_ip_range(item, "exclude", net))
        excluded = excluded & allowed
        self.excluded = int(excluded.size)
        left = allowed - excluded
        self.reserved = 0
        if gateway is not None and netaddr.IPAddress(str(gateway)) in left:
            self.reserved = 1
            left = left - netaddr.IPSet([str(gateway)])
        self._blocks: List[Tuple[int, int]] = [(int(block.first), int(block.last)) for block in left.iter_ipranges()]
        self.free_at_most = sum(last - first + 1 for first, last in self._blocks)
        if not self.free_at_most:
            raise Invalid(
                "pool: %s has nothing to give: %d usable, %d excluded, %d reserved for the gateway."
                % (net, self.size, self.excluded, self.reserved)
            )

    def _at(self, offset: int) -> int:
        for first, last in self._blocks:
            if offset <= last - first:
                return first + offset
            offset -= last - first + 1
        raise IndexError(offset)

    def __contains__(self, ip: IpAddress) -> bool:
        return ip.version == self.network.version and any(first <= int(ip) <= last for first, last in self._blocks)

    def candidates(self, owner: str, strategy: str, *taken: Container[IpAddress]) -> Iterator[IpAddress]:
        """Yield free addresses in the order of ``strategy``: ``lowest``, or ``sticky``, from an offset derived from ``owner``.

        The offset is in the upper half, and the lower half comes last, from its top: an engine that uses the same bridge gives out the
        lowest free address, and does not see ours.

        Taken addresses are passed over one by one, so the cost grows with the leases and not with the size of the pool.
        """
        make = ipaddress.IPv4Address if self.network.version == 4 else ipaddress.IPv6Address
        low = self.free_at_most // 2 if strategy == "sticky" else 0
        high = self.free_at_most - low
        start = sticky_offset(owner, high) if strategy == "sticky" else 0
        for step in range(self.free_at_most):
            candidate = make(self._at(low + (start + step) % high if step < high else self.free_at_most - 1 - step))
            if not any(candidate in known for known in taken):
                yield candidate

    def exhausted(self, holders: str = "") -> Refused:
        """Return the error for a pool without a free address, with the counts and, where that is known, who has them."""
        text = "pool: no free address in %s: %d usable, %d in use, %d excluded, %d reserved for the gateway."
        counts = (self.network, self.size, self.free_at_most, self.excluded, self.reserved)
        return Refused(text % counts + (" In use: %s." % holders if holders else ""))


@functools.lru_cache(maxsize=64)
def pool(net: IpNetwork, range_: Optional[str], exclude: Tuple[str, ...], gateway: Optional[IpAddress]) -> Pool:
    """Return a pool; the items of a task mostly share one, and netaddr's sets are expensive. Raises `Invalid`."""
    return Pool(net, range_, exclude, gateway)
