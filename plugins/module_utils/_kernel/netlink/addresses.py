# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses over route netlink, and announcing them to neighbours."""

from __future__ import annotations

import errno
from typing import Dict, List, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import codec
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import (
    ACK,
    CREATE,
    EXCL,
    FAMILIES,
    REPLACE,
    NetlinkError,
    Socket,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import FOREVER, Address

_NEWADDR, _DELADDR, _GETADDR = 20, 21, 22
_NEWNEIGH, _DELNEIGH = 28, 29
_SECONDARY, _NODAD, _DADFAILED, _DEPRECATED, _TENTATIVE, _NOPREFIXROUTE = 0x01, 0x02, 0x08, 0x20, 0x40, 0x200  # IFA_F_*
_USE = 1  # NTF_USE
# In what addresses that are otherwise alike differ: themselves, and when they were made and changed (struct ifa_cacheinfo, after the lifetimes).
_DIFFER = {"IFA_ADDRESS": 0, "IFA_LOCAL": 0, "IFA_CACHEINFO": 8}


def read_all(sock: Socket, nsid: Optional[int] = None) -> List[Tuple[int, Address]]:
    """Return (interface index, address) of the socket's namespace, or of the namespace that has the id ``nsid`` there.

    A namespace that is just ending has none: its id is gone (EINVAL) a little before the interfaces that name it.
    """
    attrs = [] if nsid is None else [("IFA_TARGET_NETNSID", nsid)]
    try:
        found = codec.dump_in_runs(sock, codec.addressmsg, _GETADDR, {}, attrs, _DIFFER)
    except NetlinkError as error:
        if nsid is None or error.errno != errno.EINVAL:
            raise
        return []
    # A container's root can make any number of them, alike but for the address itself: only that is read of each.
    known: Dict[int, Address] = {}
    addresses = []
    for run in found:
        index = run.first["index"]
        for data, other, own in zip(run.data, run.values("IFA_ADDRESS"), run.values("IFA_LOCAL")):
            ip = codec.address_text(other) if own in (b"", other) else ""
            if ip and run.alike in known:
                addresses.append((index, known[run.alike].at(ip)))
            elif run.first["family"] in codec.VERSIONS:
                addresses.append((index, _address(codec.decode(codec.addressmsg, data))))
                if ip:
                    known[run.alike] = addresses[-1][1]
    return addresses


def _address(message: codec.Message) -> Address:
    ip = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
    other = message.get_attr("IFA_ADDRESS")
    flags = message.get_attr("IFA_FLAGS")
    if flags is None:
        flags = message["flags"]
    times = message.get_attr("IFA_CACHEINFO") or {}
    return Address(
        ip=ip,
        prefix=message["prefixlen"],
        family=codec.VERSIONS[message["family"]],
        peer=other if other != ip else "",
        scope=codec.scope_name(message["scope"]),
        label=message.get_attr("IFA_LABEL") or "",
        broadcast=message.get_attr("IFA_BROADCAST") or "",
        valid_lft=times.get("ifa_valid", FOREVER),
        # Of a deprecated one without an end the kernel says that this lasts forever too.
        preferred_lft=0 if flags & _DEPRECATED else times.get("ifa_preferred", FOREVER),
        noprefixroute=bool(flags & _NOPREFIXROUTE),
        nodad=bool(flags & _NODAD),
        secondary=bool(flags & _SECONDARY),
        tentative=bool(flags & _TENTATIVE),
        dadfailed=bool(flags & _DADFAILED),
        protocol=message.get_attr("IFA_PROTO") or 0,
    )


def put(sock: Socket, index: int, address: Address, replace: bool) -> None:
    """Add an address to an interface; with ``replace`` its attributes are changed where it is there. Raises `NetlinkError`."""
    attrs = _identity(address)
    if address.broadcast:
        attrs.append(("IFA_BROADCAST", address.broadcast))
    if address.label:
        attrs.append(("IFA_LABEL", address.label))
    if address.protocol:
        attrs.append(("IFA_PROTO", address.protocol))
    flags = (_NODAD if address.nodad else 0) | (_NOPREFIXROUTE if address.noprefixroute else 0)
    attrs.append(("IFA_FLAGS", flags))
    times = {"ifa_preferred": address.preferred_lft, "ifa_valid": address.valid_lft, "cstamp": 0, "tstamp": 0}
    attrs.append(("IFA_CACHEINFO", times))
    fields = {
        "family": FAMILIES[address.family],
        "prefixlen": address.prefix,
        "scope": codec.SCOPES[address.scope],
        "index": index,
        "flags": flags & 0xFF,
    }
    flags = ACK | CREATE | (REPLACE if replace else EXCL)
    codec.request(sock, codec.addressmsg, _NEWADDR, flags, fields, attrs)


def delete(sock: Socket, index: int, address: Address) -> None:
    """Remove an address from an interface. Raises `NetlinkError`."""
    fields = {"family": FAMILIES[address.family], "prefixlen": address.prefix, "index": index}
    codec.request(sock, codec.addressmsg, _DELADDR, ACK, fields, _identity(address))


def _identity(address: Address) -> codec.Attributes:
    return [("IFA_LOCAL", address.ip), ("IFA_ADDRESS", address.peer or address.ip)]


def announce(sock: Socket, index: int, ip: str) -> None:
    """Have the kernel send a gratuitous ARP for an IPv4 address of its own: it is asked to resolve that very address.

    The question names as its sender the interface's address in that subnet, which is ``ip`` if there is no other. The entry is
    deleted at once, so it is asked but once. A packet socket would do as well, but the kernel takes 16 ms to close it.
    """
    fields, attrs = {"family": FAMILIES[4], "ifindex": index}, [("NDA_DST", ip)]
    codec.request(sock, codec.ndmsg, _NEWNEIGH, ACK | CREATE | EXCL, {**fields, "flags": _USE}, attrs)
    codec.request(sock, codec.ndmsg, _DELNEIGH, ACK, fields, attrs)
