# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses and networks, in the spelling in which the kernel gives them. Pure."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Callable, Iterable, List, Optional, Tuple, TypeVar, Union

from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid

IpAddress = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
IpInterface = Union[ipaddress.IPv4Interface, ipaddress.IPv6Interface]
IpNetwork = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
Parsed = TypeVar("Parsed")
_ZEROS = re.compile(r"(^|[.:])0[0-9]+(?=\.)|\.0[0-9]")  # in a part of an address that is written as IPv4


class _Misspelled(ValueError):
    """What some programs take for an address."""


def _parsed(make: Callable[[str], Parsed], value: Any) -> Parsed:
    """Return what ``make`` reads. Raises ValueError; also for a zone, which newer Pythons take and the kernel does not know, and for
    zeros in front of a number of IPv4, which older ones take: to some programs that is an octal number."""
    text = str(value).strip()
    if "%" in text:
        raise _Misspelled("an address here has no zone such as '%s'" % text[text.index("%") :].partition("/")[0])
    if _ZEROS.search(text.partition("/")[0]):
        raise _Misspelled("a number in it begins with a zero, which some take for an octal one")
    return make(text)


def interface(value: Any, option: str) -> IpInterface:
    """Return ``ADDRESS/PREFIX`` (or ``ADDRESS/NETMASK``); raise `Invalid` where the prefix is missing or it is no host's."""
    if "/" not in str(value):
        raise Invalid(
            "%s: '%s' has no prefix length; write it as ADDRESS/PREFIX, such as 172.17.0.2/16." % (option, value)
        )
    try:
        result = _parsed(ipaddress.ip_interface, value)
    except ValueError as error:
        raise Invalid("%s: '%s' is not an address with a prefix length: %s." % (option, value, error)) from error
    net = result.network
    if result.version == 4 and net.prefixlen < 31 and result.ip in (net.network_address, net.broadcast_address):
        which = "network" if result.ip == net.network_address else "broadcast"
        raise Invalid("%s: %s is the %s address of %s; a host needs another one." % (option, result.ip, which, net))
    if result.ip.is_multicast or result.ip.is_unspecified:
        raise Invalid("%s: %s is not an address a host can have." % (option, result.ip))
    return result


def network(value: Any, option: str) -> IpNetwork:
    """Return a CIDR as a network; host bits are refused, since they are mostly a typing error."""
    try:
        return _parsed(ipaddress.ip_network, value)
    except ValueError as error:
        raise Invalid("%s: '%s' is not a network such as 172.17.0.0/16: %s." % (option, value, error)) from error


def address(value: Any, option: str) -> IpAddress:
    """Return a bare address."""
    try:
        return _parsed(ipaddress.ip_address, value)
    except ValueError as error:
        why = ": %s" % error if isinstance(error, _Misspelled) else ""
        raise Invalid("%s: '%s' is not an IP address%s." % (option, value, why)) from error


def text(ip: IpAddress) -> str:
    """Return the canonical spelling of an address, which is that of inet_ntop(3): the shortest, an IPv4 address in an IPv6 one in
    dots. Python's own depends on its version."""
    high = int(ip) >> 32
    if ip.version == 6 and (high == 0xFFFF or (not high and int(ip) > 0xFFFF)):
        return "::%s%s" % ("ffff:" if high else "", ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return str(ip)


def ip(value: Any, option: str) -> str:
    """Return a bare address in its canonical spelling."""
    return text(address(value, option))


def bracketed(ip: str) -> str:
    """Return an address as it is written before a port (RFC 3986, 3.2.2, of IPv6), ``""`` for none."""
    return "[%s]" % ip if ":" in ip else ip


def underlay(value: Any, option: str) -> str:
    """Return an address that an end of a tunnel can have, which means the same to a whole network: one of a host, and not of one link."""
    found = address(value, option)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        raise Invalid(
            "%s: %s is an IPv4 address in IPv6's spelling; write %s." % (option, text(found), found.ipv4_mapped)
        )
    if found.is_multicast:
        raise Invalid("%s: %s is a multicast address; an end of a tunnel has one of its own." % (option, found))
    if found.is_unspecified or int(found) == 0xFFFFFFFF:
        raise Invalid("%s: %s is not an address a host can have." % (option, found))
    if found.version == 6 and found.is_link_local:
        raise Invalid(
            "%s: %s is link-local, so that it means something on one interface only; a tunnel needs another address."
            % (option, found)
        )
    return text(found)


def cidr(value: Any, option: str) -> str:
    """Return a network in its canonical spelling."""
    return network_text(network(value, option))


def network_text(net: IpNetwork) -> str:
    """Return the canonical spelling of a network."""
    return "%s/%d" % (text(net.network_address), net.prefixlen)


def link_local(mac: str) -> str:
    """Return the link-local address that the kernel makes of a MAC address (RFC 4291, appendix A), if nobody tells it otherwise."""
    octets = [int(octet, 16) for octet in mac.split(":")]
    identifier = bytes([octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]])
    return text(ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + identifier))


def outermost(networks: Iterable[str]) -> Tuple[str, ...]:
    """Return addresses and networks in their canonical spelling, sorted, without those that are within another."""
    parsed: List[Any] = sorted({ipaddress.ip_network(one) for one in networks}, key=lambda net: (net.version, net))
    kept: List[Any] = []
    for net in parsed:  # a network comes before what is within it
        if not (kept and kept[-1].version == net.version and net.subnet_of(kept[-1])):
            kept.append(net)
    return tuple(text(net.network_address) if net.prefixlen == net.max_prefixlen else network_text(net) for net in kept)


def usable(net: IpNetwork) -> Tuple[IpAddress, IpAddress]:
    """Return the first and the last address of ``net`` that a host can have.

    IPv4 leaves out the network and the broadcast address, except in a /31 (RFC 3021) and a /32. IPv6 leaves out the
    subnet-router anycast address (RFC 4291, 2.6.1), except in a /127 (RFC 6164) and a /128.
    """
    first, last = net.network_address, net.broadcast_address
    if net.prefixlen < net.max_prefixlen - 1:
        first += 1
        if net.version == 4:
            last -= 1
    return first, last


def without(whole: IpNetwork, part: Any) -> List[IpNetwork]:
    """Return the networks, in order, that are left of one when a part of it is taken out: as many as the part's prefix is longer."""
    return sorted(whole.address_exclude(part))


def parts(text: str, option: str) -> List[IpNetwork]:
    """Return what ``FIRST-LAST``, a CIDR or one address covers, as networks. Raises `Invalid`."""
    first, dash, last = text.partition("-")
    if not dash:
        return [network(text, option)]
    ends = [address(end, option) for end in (first, last)]
    if ends[0].version != ends[1].version or int(ends[0]) > int(ends[1]):
        raise Invalid("%s: '%s' ends before it begins." % (option, text))
    return list(ipaddress.summarize_address_range(ends[0], ends[1]))


def overlap(networks: Iterable[IpNetwork]) -> Optional[Tuple[IpNetwork, IpNetwork]]:
    """Return two networks that overlap, None where none do: if any do, two that follow each other in order do."""
    ordered = sorted(networks, key=lambda net: (net.version, int(net.network_address), net.prefixlen))
    for before, net in zip(ordered, ordered[1:]):
        if net.version == before.version and int(net.network_address) <= int(before.broadcast_address):
            return before, net
    return None


def overlapping(networks: Iterable[IpNetwork]) -> bool:
    """Return whether any two networks overlap."""
    return overlap(networks) is not None


def default_gateway(net: IpNetwork) -> IpAddress:
    """Return the address that a network's gateway has where none is given: the first usable one, as Docker has it."""
    return usable(net)[0]


def holds(cidr: str, ip: str) -> bool:
    """Return whether a network, as the kernel gives it (an address in it will do), holds an address. Of many networks it takes a fraction of the
    time of `ipaddress.ip_network`."""
    where, dummy, length = cidr.partition("/")
    make = ipaddress.IPv6Address if ":" in ip else ipaddress.IPv4Address
    if (":" in where) != (":" in ip):
        return False
    left = (ipaddress.IPV6LENGTH if ":" in ip else ipaddress.IPV4LENGTH) - int(length)
    return where == ip if not left else int(make(where)) >> left == int(make(ip)) >> left
