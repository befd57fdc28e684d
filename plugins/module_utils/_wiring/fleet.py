# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts that share networks, and which slice of a network's subnets each of them has. Pure.

A slice has a number, the same in all subnets of a network: the one that is written down for a host, else the low bits of its underlay address. So it
depends on nothing but the host itself: who comes or goes moves nobody else.
"""

from __future__ import annotations

import ipaddress
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import IpNetwork, underlay
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._run.validation import canonical
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.variables import NETWORK

_USUAL = {4: 24, 6: 64}  # the prefix length of a host's slice
_LEAST = {4: 30, 6: 126}  # with room for a gateway and a container beside the slice's own address, which its tunnel has


@dataclass(frozen=True)
class Member:
    """A host: its name in the inventory, its address in the underlay, and the number of its slices where that is written down."""

    name: str
    address: str
    number: Optional[int] = None

    @property
    def version(self) -> int:
        """Return the address family of the underlay."""
        return 6 if ":" in self.address else 4

    def within(self, net: IpNetwork) -> bool:
        """Return whether the host's address is in a network."""
        return ipaddress.ip_address(self.address) in net


@dataclass(frozen=True)
class Part:
    """What a host has of a network: a slice a subnet, in order."""

    member: Member
    slices: Tuple[IpNetwork, ...]


def entries(given: Any) -> List[Dict[str, Any]]:
    """Return the hosts of ``wiring_fleet`` in canonical form. Raises `Invalid`."""
    names = [one for one in given or () if not isinstance(one, Mapping)]
    if names:
        raise Invalid(
            "wiring_fleet: '%s' is a name; here each host is {name, underlay_address, slice}. The role finds them in the inventory."
            % (names[0],)
        )
    found: List[Dict[str, Any]] = canonical(given or [], NETWORK["fleet"], "wiring_fleet: hosts")
    return found


def members(listed: Sequence[Mapping[str, Any]]) -> List[Member]:
    """Return the hosts of a list in canonical form. Raises `Invalid` where two of them cannot be told apart, or an address is none."""
    found: Dict[str, Member] = {}
    names: Dict[str, Member] = {}
    for entry in listed:
        option = "wiring_fleet: host '%s': underlay_address" % entry["name"]
        member = Member(entry["name"], underlay(entry["underlay_address"], option), entry.get("slice"))
        if member.name in names:
            raise Invalid("wiring_fleet: host '%s' is listed twice." % member.name)
        other = found.setdefault(member.address, member)
        if other is not member:
            raise Invalid(
                "wiring_fleet: hosts '%s' and '%s' have the same underlay address %s."
                % (other.name, member.name, member.address)
            )
        if member.version != next(iter(found.values())).version:
            first = next(iter(found.values()))
            raise Invalid(
                "wiring_fleet: the underlay addresses of hosts '%s' and '%s', %s and %s, are of two address families."
                % (first.name, member.name, first.address, member.address)
            )
        names[member.name] = member
    return list(found.values())


def this_host(hosts: Sequence[Member], address: Optional[str], number: Optional[int] = None) -> Member:
    """Return which of the hosts this one is, by its underlay address; ``number`` is that of its slices as it has it itself. Raises `Invalid`."""
    if not address:
        raise Invalid("wiring_underlay_address: it says which host of wiring_fleet this one is, and is not set.")
    own = underlay(address, "wiring_underlay_address")
    found = next((host for host in hosts if host.address == own), None)
    if found is None:
        raise Invalid(
            "wiring_underlay_address: no host of wiring_fleet has the address %s; set it in the inventory, where all hosts can read it."
            % own
        )
    if number is not None and found.number != number:
        raise Invalid(
            "wiring_slice: this host has %d, and the others know it %s: set it in the inventory, where all hosts can read it."
            % (number, "without one" if found.number is None else "with %d" % found.number)
        )
    return found


def prefixes(nets: Sequence[IpNetwork], given: Sequence[int]) -> List[int]:
    """Return the prefix length of a host's slice for each subnet. Raises `Invalid`, which begins with the option."""
    if given and len(given) != len(nets):
        raise Invalid(
            "host_prefix: there are %d for %d subnets; it has one for each, in order." % (len(given), len(nets))
        )
    found = []
    for place, net in enumerate(nets):
        length = given[place] if given else _USUAL[net.version]
        if not net.prefixlen < length <= _LEAST[net.version]:
            raise Invalid(
                "host_prefix: /%d is no part of %s for each host; take a prefix length from %d to %d."
                % (length, net, net.prefixlen + 1, _LEAST[net.version])
                if net.prefixlen < _LEAST[net.version]
                else "host_prefix: %s is too small to be shared; take a larger subnet." % net
            )
        found.append(length)
    return found


def parts(nets: Sequence[IpNetwork], lengths: Sequence[int], hosts: Sequence[Member]) -> List[Part]:
    """Return what each host has of a network's subnets. Raises `Invalid` where two have the same, naming both."""
    bits = min(length - net.prefixlen for net, length in zip(nets, lengths))
    shifts = [net.max_prefixlen - length for net, length in zip(nets, lengths)]
    firsts = [int(net.network_address) for net in nets]
    taken: Dict[int, Member] = {}
    found = []
    for host in hosts:
        number = host.number
        if number is None:
            number = int(ipaddress.ip_address(host.address)) & ((1 << bits) - 1)
        elif not 0 <= number < 1 << bits:
            raise Invalid(
                "host '%s' has the slice %d, and there are those from 0 to %d; give it another wiring_slice, or the network a longer host_prefix."
                % (host.name, number, (1 << bits) - 1)
            )
        other = taken.setdefault(number, host)
        slices = tuple(
            type(net)((first + (number << shift), length))
            for net, first, shift, length in zip(nets, firsts, shifts, lengths)
        )
        if other is not host:
            raise Invalid(
                "hosts '%s' and '%s' would both have %s: give one of them a wiring_slice of its own (their addresses %s and %s end in the same %d bits)."
                % (other.name, host.name, slices[0], other.address, host.address, bits)
                if None in (other.number, host.number)
                else "hosts '%s' and '%s' both have the slice %d; give one of them another wiring_slice."
                % (other.name, host.name, number)
            )
        found.append(Part(host, slices))
    return found
