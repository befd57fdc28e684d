# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which address an interface is to have: who has which is read, and asked for on the wire; and what the kernel asks of the interface, and
of the addresses beside, before it takes one. Pure but for the state.

Allocation keeps no state of its own: what is taken is read from the kernel, and a search starts at an address that is derived from
the owner.
"""

from __future__ import annotations

import collections
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import IpAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import PROTOCOL
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    FOREVER,
    HOST,
    Address,
    Holder,
    Link,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.pools import Pool
from ansible_collections.linuxnet.containers.plugins.module_utils._model.values import IPV6_MTU
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_address_want import Want
from ansible_collections.linuxnet.containers.plugins.module_utils._run.leases import leases
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

_NAMED_AT_MOST = 5  # who has the addresses of a pool that is full
_DISABLE_IPV6 = "net/ipv6/conf/%s/disable_ipv6"
Leaving = Mapping[Tuple[str, int], Sequence[Address]]  # addresses that go in the same task, by interface name and index

# Words that follow what is in the way of the role.
LISTED_NO_MORE = "; if that is not listed any more, list it with state: absent, or set wiring_purge: true"
LIFETIMES = ("valid_lft", "preferred_lft")


def kernel_marks(ns: int, state: State) -> bool:
    """Return whether the kernel says who set an address (IFA_PROTO, from Linux 5.18 on): then it has marked some of its own, as ``::1``.

    Those that carry the mark of ours prove nothing: check mode foresees it on any kernel.
    """
    return any(
        address.protocol not in (0, PROTOCOL)
        for where in dict.fromkeys((ns, state.need(HOST)))
        for dummy, address in state.addresses(where)
    )


def is_settled(want: Want, address: Address) -> bool:
    """Return whether an address is there as one that was given: ours, or one without an end, which is neither deprecated nor temporary, where
    no lifetime is asked for. One that another node has too never is."""
    if address.dadfailed:
        return False
    lasting = all(getattr(address, name) == FOREVER for name in LIFETIMES if name not in want.given)
    temporary = address.family == 6 and address.secondary  # IFA_F_TEMPORARY is the same bit
    return address.protocol == PROTOCOL or (lasting and not temporary)


def asked_for(want: Want, own: Sequence[Address]) -> Optional[Address]:
    """Return the address of an interface that is the wanted one already, None where none is.

    A fixed one is told by itself. That of a pool is one that this collection set; only where there is none, it may be one that somebody
    else set for good: what was wired by hand is what was asked for.
    """
    if want.address is not None:
        same = [address for address in own if address.key == want.address.key]
        if not same and want.family == 6:  # the kernel has an IPv6 address once, whatever its prefix length
            same = [address for address in own if address.ip == want.address.ip]
        return same[0] if same else None
    prefix = want.pool.network.prefixlen if want.pool else -1

    def inside(these: Iterable[Address]) -> List[Address]:
        return [one for one in these if want.may_be(one) and not want.keeps(one) and is_settled(want, one)]

    ours = inside(address for address in own if address.protocol == PROTOCOL)
    fitting = [address for address in ours or inside(own) if address.prefix == prefix]
    # Where the pool grew or shrank around one of ours it is kept, under another prefix length.
    return next(iter(fitting or ours), None)


def way_out(link: Link, state: State) -> str:
    """Return what the role's user can do about an interface of the host that is in the way, where that is a bridge of ours, else ``""``."""
    # Here and not above: of use to few tasks.
    from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import is_own_link

    ours = is_own_link(link, "bridge", HOST.path, link.name, state.identity())
    return ", a bridge of this collection" + LISTED_NO_MORE if ours else ""


def going(want: Want, ns: int, names: Iterable[str], state: State) -> Leaving:
    """Return the addresses of those other interfaces that later items supersede: networks may change places between interfaces."""
    found: Dict[Tuple[str, int], Sequence[Address]] = {}
    for name in dict.fromkeys(names):
        link = state.link(ns, name) if name != want.interface and name in want.beside else None
        if link is not None:
            found[name, link.index] = [
                address
                for address in state.addresses_of(ns, link)
                if address.protocol == PROTOCOL and not any(other.may_be(address) for other in want.beside[name])
            ]
    return found


@dataclass(frozen=True)
class Choice:
    """What was found out before planning. ``ip`` is a free address of the pool, None where none is. ``holder`` says who has the fixed
    address that is asked for, or those of a pool that is full, ``answers`` is the MAC address of a neighbour that says to have it. ``usual``, and
    ``usual_holder``: the address that the owner of a pool's would have had, and who has that."""

    ip: Optional[IpAddress] = None
    holder: str = ""
    answers: str = ""
    usual: str = ""
    usual_holder: str = ""


class Search:
    """The search for the address of the interface ``link`` of a namespace; ``bridge`` is the one, in the namespace ``where``, whose members have
    addresses of the same networks, or the parent of such members; None where neither is asked for."""

    def __init__(self, want: Want, ns: int, link: Link, where: int, bridge: Optional[Link], state: State) -> None:
        self._want, self._ns, self._link, self._bridge = want, ns, link, bridge
        self._state, self._host, self._where = state, state.need(HOST), where

    def choice(self) -> Choice:
        """Return what became of the search."""
        if self._want.address is not None:
            return self._fixed(self._want.address)
        return self._free(self._want.pool) if self._want.pool is not None else Choice()

    def _taken(self) -> Mapping[IpAddress, Holder]:
        if self._want.cable:
            return self._at_the_other_end()
        return leases(self._state).taken(self._where, self._want.bridge, self._bridge)

    def _at_the_other_end(self) -> Dict[IpAddress, Holder]:
        """Return the addresses that the other end of the pair has."""
        ref, name = self._want.cable or (HOST, "")
        ns = self._state.find(ref)
        far = self._state.link(ns, name) if ns is not None else None
        there = self._state.addresses_of(ns, far) if ns is not None and far is not None else ()
        return {one.parsed: Holder(one, ns, far.index if far else 0, str(ref)) for one in there}

    def _taken_again(self, holder: Holder) -> Mapping[IpAddress, Holder]:
        """Return who has which address, read again where the namespace of a holder may just be ending."""
        leases(self._state).read_again(self._where, self._want.bridge, holder)
        return self._taken()

    def _fixed(self, address: Address) -> Choice:
        """Find out whether a fixed address is in use."""
        ip = address.parsed
        holder = self._taken().get(ip) if self._want.bridge else None
        if holder is not None:
            holder = self._taken_again(holder).get(ip)
        if holder is not None and not self._gives_way(holder):
            return Choice(holder=self._label(holder) + self._way_out(holder))
        return Choice(answers=self._answers(ip) if self._want.gateway != address.ip else "")

    def _free(self, pool: Pool) -> Choice:
        """Find a free address of a pool."""
        want, taken = self._want, self._taken()
        usual = next(pool.candidates(want.owner, want.strategy))
        sticky, holder = want.strategy == "sticky", taken.get(usual)
        if holder is not None and (
            sticky or next(pool.candidates(want.owner, want.strategy, taken, want.reserved), None) is None
        ):
            taken = self._taken_again(holder)
        free = pool.candidates(want.owner, want.strategy, taken, want.reserved)
        ip = next((candidate for candidate in free if not self._answers(candidate)), None)
        holder = taken.get(usual) if ip != usual and sticky else None
        if ip is None:
            return Choice(holder=self._all_holders(pool, taken))
        return Choice(ip, usual=str(usual), usual_holder=self._label(holder) if holder else "")

    def _all_holders(self, pool: Pool, taken: Mapping[IpAddress, Holder]) -> str:
        """Return who has how many addresses of a pool, in words, those with most first."""
        counts = collections.Counter(self._label(holder) for ip, holder in taken.items() if ip in pool)
        named = sorted(counts, key=lambda label: (-counts[label], label))
        shown = ["%d by %s" % (counts[label], label) for label in named[:_NAMED_AT_MOST]]
        return ", ".join(shown) + (" and by %d more" % (len(named) - len(shown)) if len(named) > len(shown) else "")

    def _answers(self, ip: IpAddress) -> str:
        """Return the MAC address of the neighbour that says to have an address, ``""`` where none does or none was asked."""
        # Whoever is on a parent is on its segment, so that it can ask before they are there.
        parent = self._bridge if self._want.on_parent else None
        ns, link = (self._where, parent) if parent is not None else (self._ns, self._link)
        if not (self._want.probe and link.index > 0 and link.get("mac") and link.get("enabled")) or link.name == "lo":
            return ""
        answer = self._state.who_has(ns, link, str(ip)) or ""
        return "" if answer == self._link.get("mac") else answer  # it has it, on another parent as yet

    def _gives_way(self, holder: Holder) -> bool:
        """Return whether the holder of an address is the interface itself, under another prefix length, or is to give it up in this
        task."""
        if holder.ns != self._ns:
            return False
        if holder.index == self._link.index:
            return True
        link = self._state.link_at(self._ns, holder.index)
        leaving = going(self._want, self._ns, [link.name], self._state) if link else {}
        return any(holder.address in addresses for addresses in leaving.values())

    def _way_out(self, holder: Holder) -> str:
        """Return what the role's user can do about a holder, ``""`` where that is not known to be the role's."""
        if not self._want.supersede:
            return ""
        if holder.ns == self._host:
            link = self._state.link_at(self._host, holder.index)
            return way_out(link, self._state) if link else ""
        return LISTED_NO_MORE if self._label(holder).rpartition(" ")[2] in self._names() else ""

    def _names(self) -> Sequence[str]:
        return ["'%s'" % name for name in self._state.entries()]

    def _label(self, holder: Holder) -> str:
        """Return who has an address, in words. The interface is named in the host and in the namespace itself: whether it is known of
        others hangs on what was opened before."""
        state, host = self._state, self._host
        where = holder.label or ("the host" if holder.ns == host else state.namespace_label(self._where, holder.nsid))
        link = state.link_at(holder.ns, holder.index) if holder.ns in (host, self._ns) else None
        return "%s in %s" % (link.name, where) if link else where


# --- before the kernel takes it ---


def disable_ipv6(want: Want, ns: int, link: Link, state: State) -> Optional[str]:
    """Return the sysctl of the interface, that of new ones where it is only foreseen; None where there is no IPv6 at all."""
    if link.get("ipv6"):
        return "0"
    # Of one that is only foreseen another may have the name as yet.
    found = state.sysctl(ns, _DISABLE_IPV6 % want.interface) if link.index > 0 else None
    if found is None and ns > 0:
        found = state.sysctl(ns, _DISABLE_IPV6 % "default")
    if link.get("ipv6") is False and (found is not None or ns <= 0):  # as it was found, or is foreseen
        return "1"
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
