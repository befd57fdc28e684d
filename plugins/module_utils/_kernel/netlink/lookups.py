# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One packet's way over route netlink: where the kernel would send it (RTM_GETROUTE), and to whom. Nothing is sent, and nothing changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import codec
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.routes import route_of
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import (
    FAMILIES,
    NetlinkError,
    Socket,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.ways import Asked, Way

_GETROUTE, _GETNEIGH, _GETRULE = 26, 30, 34
_FIB_MATCH = 0x2000  # RTM_F_FIB_MATCH: the route of the table, and not what is made of it for the packet
_PERMANENT = 0x80  # NUD_PERMANENT
_KNOWN = 0xDE  # NUD_VALID: an address that packets are sent to
_BITS = {4: 32, 6: 128}


def way(sock: Socket, asked: Asked, name: Callable[[int], str]) -> Way:
    """Return where a packet is sent; ``name`` says how the interface of an index is called."""
    try:
        found = route_of(_answer(sock, asked, 0), str)
    except NetlinkError as error:
        return Way(error=error.errno or 0)
    try:
        known = route_of(_answer(sock, asked, _FIB_MATCH), name)
        words = str(replace(known, table=known.table or 254))
    except NetlinkError:  # changed meanwhile
        words = ""
    return Way(found.type, int(found.interface or 0), found.gateway, found.source, found.mtu, words)


def _answer(sock: Socket, asked: Asked, flags: int) -> codec.Message:
    bits = _BITS[asked.family]
    fields = {"family": FAMILIES[asked.family], "dst_len": bits, "src_len": bits if asked.source else 0, "flags": flags}
    attrs: codec.Attributes = [("RTA_DST", asked.to)]
    given = (
        ("RTA_SRC", asked.source),
        ("RTA_IIF", asked.into),
        ("RTA_MARK", asked.mark),
        ("RTA_IP_PROTO", asked.number),
        ("RTA_DPORT", asked.port),
    )
    attrs += [(attribute, value) for attribute, value in given if value]
    return codec.request(sock, codec.routemsg, _GETROUTE, 0, fields, attrs)[0]


def neighbour(sock: Socket, index: int, ip: str) -> Optional[Tuple[str, bool]]:
    """Return (MAC address, whether that is for good) of the entry for a neighbour, None where none has an address. Raises `NetlinkError`."""
    fields, attrs = {"family": FAMILIES[6 if ":" in ip else 4]}, [("NDA_IFINDEX", index)]
    for message in codec.dump(sock, codec.ndmsg, _GETNEIGH, fields, attrs):
        known = message["ifindex"] == index and message["state"] & _KNOWN
        if known and codec.address_text(message.raw("NDA_DST")) == ip:
            return str(message.get_attr("NDA_LLADDR") or ""), bool(message["state"] & _PERMANENT)
    return None


def marks_decide(sock: Socket, family: int) -> bool:
    """Return whether a policy rule looks at the mark of packets. Raises `NetlinkError`."""
    found = codec.dump(sock, codec.fibmsg, _GETRULE, {"family": FAMILIES[family]})
    return any("FRA_FWMARK" in message.names() for message in found)
