# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links over route netlink: interfaces, their names and indexes, VLANs of bridge ports, ids of namespaces."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import random
import socket
import struct
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import codec
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import (
    ACK,
    CREATE,
    EXCL,
    NetlinkError,
    Socket,
    values,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import INTERFACE_NAME_BYTES, name_bytes
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Link, Vlan

_NEWLINK, _DELLINK, _GETLINK, _SETLINK = 16, 17, 18, 19
_GETNSID = 90
_SIOCGIFNAME, _SIOCGIFINDEX = 0x8910, 0x8933  # include/uapi/linux/sockios.h
_IFREQ = struct.Struct("=16si20x")  # struct ifreq with an index
_IFF_UP, _IFF_RUNNING = 0x1, 0x40
_FORWARDING = 3  # BR_STATE_FORWARDING
_BRVLAN, _SKIP_STATS = 2, 8  # RTEXT_FILTER_*
# IFLA_INET6_CONF of include/uapi/linux/if_link.h: an array of numbers, of which DEVCONF_ACCEPT_RA (include/uapi/linux/ipv6.h) is the fourth,
# and DEVCONF_DISABLE_IPV6 the 27th.
_INET6_CONF, _ACCEPT_RA, _DISABLE_IPV6 = 2, struct.Struct("=12xi"), struct.Struct("=104xi")
_BRIEF = ("IFLA_EXT_MASK", _SKIP_STATS)
_PVID, _UNTAGGED, _BEGIN, _END = 2, 4, 8, 16  # BRIDGE_VLAN_INFO_*
_VLAN_INFO = 2  # IFLA_BRIDGE_VLAN_INFO
_SELF = 2  # BRIDGE_FLAGS_SELF
_INFO_KIND = 1  # IFLA_INFO_KIND, in IFLA_LINKINFO
_QUEUES_TOO_MANY = 5000  # of 4096, rtnl_create_link of net/core/rtnetlink.c
_ALT_IFNAME = 53  # IFLA_ALT_IFNAME, in IFLA_PROP_LIST
_VLAN = struct.Struct("=HH")  # struct bridge_vlan_info: flags, id

# A link and the id that its peer's namespace has in its own, None where that is the same.
Found = Tuple[Link, Optional[int]]


def read(sock: Socket, name: str = "", index: int = 0) -> Tuple[Optional[Link], Optional[int]]:
    """Return the interface of that index or name, which may be an alternative one, (None, None) where there is none."""
    alternative = len(name_bytes(name)) > INTERFACE_NAME_BYTES  # the kernel looks for a shorter one among all names
    attrs = [("IFLA_ALT_IFNAME" if alternative else "IFLA_IFNAME", name), _BRIEF] if name else [_BRIEF]
    try:
        found = codec.request(sock, codec.ifinfmsg, _GETLINK, 0, {"index": index}, attrs)
    except NetlinkError as error:
        unknown = alternative and error.errno in (errno.EINVAL, errno.EOPNOTSUPP)  # to kernels before 5.5
        if unknown or error.errno in (errno.ENODEV, errno.ERANGE):  # ERANGE: no interface has so long a name
            return None, None
        raise
    return _link(found[0]) if found else (None, None)


def read_all(sock: Socket, kind: str = "") -> List[Found]:
    """Return all interfaces, or those of a kind, of which the kernel sends no others: a container's root can make any number. It sends all
    where it does not know that kind (yet), or not to choose (before 4.6)."""
    attrs: codec.Attributes = [_BRIEF]
    if kind:
        attrs.append(("IFLA_LINKINFO", {"attrs": [("IFLA_INFO_KIND", kind)]}))
    found = codec.dump(sock, codec.ifinfmsg, _GETLINK, {}, attrs)
    return [_link(message) for message in found if not kind or _kind(message) == kind]


def _kind(message: codec.Message) -> str:
    return codec.text(next(iter(values(message.raw("IFLA_LINKINFO"), _INFO_KIND)), b""))


def read_ports(sock: Socket, master: int) -> List[Tuple[int, int, Optional[int]]]:
    """Return of the pairs that have an end with that master (index of that end, index of the other end, id of the namespace that one
    is in, None where it is the same)."""
    attrs = [("IFLA_MASTER", master), _BRIEF]
    found = []
    for message in codec.dump(sock, codec.ifinfmsg, _GETLINK, {}, attrs):
        if message.get_attr("IFLA_MASTER") == master and link_kinds.kind(_kind(message)).peer:
            peer, nsid = message.get_attr("IFLA_LINK") or 0, message.get_attr("IFLA_LINK_NETNSID")
            found.append((message["index"], peer, nsid))
    return found


def index_of(sock: Socket, name: str) -> int:
    """Return the index of an interface, 0 where there is none: by ioctl, a tenth of the cost of a message."""
    raw = name_bytes(name)
    if len(raw) > INTERFACE_NAME_BYTES:  # the ioctl would cut it short
        return 0
    return int(_ioctl(sock, _SIOCGIFINDEX, raw, 0)[1])


def name_of(sock: Socket, index: int) -> str:
    """Return the name of an interface, ``""`` where there is none."""
    return codec.text(_ioctl(sock, _SIOCGIFNAME, b"", index)[0])


def _ioctl(sock: Socket, request: int, name: bytes, index: int) -> Tuple[bytes, int]:
    """Return (name, index) that an ioctl fills in, (b"", 0) where there is no such interface."""
    try:
        answer = fcntl.ioctl(sock, request, _IFREQ.pack(name, index))
    except OSError as error:
        if error.errno != errno.ENODEV:
            raise
        return b"", 0
    found: Tuple[bytes, int] = _IFREQ.unpack(answer)
    return found


def nsid(sock: Socket, fd: int) -> int:
    """Return the id that the namespace open at ``fd`` has in the socket's, -1 where it has none."""
    found = codec.request(sock, codec.netnsidmsg, _GETNSID, 0, {}, [("NETNSA_FD", fd)])
    return next((int(message.get_attr("NETNSA_NSID") or 0) for message in found), -1)


def read_vlans(sock: Socket, index: int) -> Tuple[Vlan, ...]:
    """Return the VLANs of a bridge port, or of a bridge itself, in order."""
    fields, attrs = {"family": socket.AF_BRIDGE}, [("IFLA_EXT_MASK", _BRVLAN)]
    for message in codec.dump(sock, codec.ifinfmsg, _GETLINK, fields, attrs):
        if message["index"] == index:
            return tuple(sorted(_vlans(message.raw("IFLA_AF_SPEC"))))
    return ()


def _vlans(spec: bytes) -> Iterator[Vlan]:
    for info in values(spec, _VLAN_INFO):
        if len(info) == _VLAN.size:
            flags, vid = _VLAN.unpack(info)
            yield Vlan(vid, bool(flags & _PVID), bool(flags & _UNTAGGED))


def _decoded(rows: Mapping[str, link_kinds.Field], message: codec.Message) -> Iterator[Tuple[str, Any]]:
    """Yield (field name, canonical value) of what ``message`` has."""
    for name, row in rows.items():
        value = message.get_attr(row.attribute) if row.attribute else None
        if value is None and row.attribute6:
            value = message.get_attr(row.attribute6)
        if value is not None:
            yield name, row.from_kernel(value)


class Attributes(Mapping[str, Any]):
    """The attributes of an interface by field name, decoded once one is asked for: a container's root can make any number of interfaces, of which
    hardly more matters than the name."""

    __slots__ = ("_known", "_message")

    def __init__(self, message: codec.Message) -> None:
        self._message = message
        self._known: Optional[Dict[str, Any]] = None

    def _all(self) -> Dict[str, Any]:
        if self._known is None:
            self._known = _attributes(self._message)
        return self._known

    def __getitem__(self, name: str) -> Any:
        row = link_kinds.LINK.get(name) if self._known is None else None
        value = self._message.get_attr(row.attribute) if row is not None and row.attribute else None
        return self._all()[name] if row is None or value is None else row.from_kernel(value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def _attributes(message: codec.Message) -> Dict[str, Any]:
    attributes: Dict[str, Any] = dict.fromkeys(("alias", "mac", *link_kinds.SHAPES), "")
    attributes.update(_decoded(link_kinds.LINK, message))
    attributes["enabled"] = bool(message["flags"] & _IFF_UP)
    attributes.update(_ipv6(message.raw("IFLA_AF_SPEC")))
    attributes["qdisc"] = message.get_attr("IFLA_QDISC") or ""
    attributes["carrier"] = bool(message["flags"] & _IFF_RUNNING)
    info = message.get_attr("IFLA_LINKINFO")
    name = _kind(message)
    kind = link_kinds.kind(name)
    if info and kind.fields:
        data = info.get_attr("IFLA_INFO_DATA")
        if data is not None:  # of what a kernel lacks it says nothing
            attributes.update(link_kinds.defaults(kind.fields))
            attributes.update(_decoded(kind.fields, data))
            if name == "bridge":
                attributes["default_pvid"] = data.get_attr("IFLA_BR_VLAN_DEFAULT_PVID") or 0
            elif name == "vxlan":
                attributes["group"] = data.get_attr("IFLA_VXLAN_GROUP") or data.get_attr("IFLA_VXLAN_GROUP6") or ""
                attributes["external"] = bool(data.get_attr("IFLA_VXLAN_COLLECT_METADATA"))
    master = link_kinds.kind((info.get_attr("IFLA_INFO_SLAVE_KIND") or "") if info else "")
    port = info.get_attr("IFLA_INFO_SLAVE_DATA") if info and master.ports else None
    if port is not None:
        attributes.update(_decoded(master.ports, port))
        state = port.get_attr("IFLA_BRPORT_STATE")
        if state is not None:
            attributes["forwards"] = state == _FORWARDING
    return attributes


def _link(message: codec.Message) -> Found:
    kind = _kind(message)
    link = Link(
        message["index"],
        message.get_attr("IFLA_IFNAME") or "",
        kind,
        Attributes(message),
        master=message.get_attr("IFLA_MASTER") or 0,
        peer_index=(message.get_attr("IFLA_LINK") or 0) if link_kinds.kind(kind).peer else 0,
        altnames=tuple(map(codec.text, values(message.raw("IFLA_PROP_LIST"), _ALT_IFNAME))),
        parent_index=_parent(message, link_kinds.kind(kind).parent),
    )
    return link, message.get_attr("IFLA_LINK_NETNSID")


def _parent(message: codec.Message, attribute: str) -> int:
    """Return the index of the link that a link of a kind with such an attribute was made on, 0 for none."""
    if attribute == link_kinds.LINK_ATTRIBUTE:
        return message.get_attr(attribute) or 0
    info = message.get_attr("IFLA_LINKINFO") if attribute else None
    data = info.get_attr("IFLA_INFO_DATA") if info else None
    return int(data.get_attr(attribute) or 0) if data is not None else 0


def _ipv6(spec: bytes) -> Dict[str, bool]:
    """Return whether an interface has IPv6, and whether it hears router advertisements; one without IPv6 does not."""
    for family in values(spec, socket.AF_INET6):
        for conf in values(family, _INET6_CONF):
            if len(conf) >= _DISABLE_IPV6.size:
                heard, off = _ACCEPT_RA.unpack_from(conf)[0], _DISABLE_IPV6.unpack_from(conf)[0]
                return {"accept_ra": bool(heard), "ipv6": not off}
    return {"accept_ra": False, "ipv6": False}


def add(
    sock: Socket,
    name: str,
    kind: str,
    given: Mapping[str, Any],
    master: int = 0,
    peer: Optional[Tuple[str, Mapping[str, Any], Optional[int]]] = None,
    parent: int = 0,
    netns_fd: Optional[int] = None,
) -> None:
    """Create an interface with attributes; ``peer`` is (name, attributes, namespace fd or None) of a pair's other end, ``parent`` the index
    of the link that it is made on, in the socket's namespace, ``netns_fd`` the namespace that it is born in, where that is another. All or nothing.

    Raises `NetlinkError`.
    """
    fields = {"flags": _IFF_UP, "change": _IFF_UP} if given.get("enabled") else {}
    attrs = [("IFLA_IFNAME", name), *_encoded(link_kinds.LINK, given)]
    known = link_kinds.kind(kind)
    data = _encoded(known.fields, given)
    if peer:
        peer_name, peer_given, fd = peer
        other = [("IFLA_IFNAME", peer_name), *_encoded(link_kinds.LINK, peer_given)]
        if fd is not None:
            other.append(("IFLA_NET_NS_FD", fd))
        data.append((known.peer, {"attrs": other}))
    if parent:
        (attrs if known.needs_parent else data).append((known.parent, parent))
    info: List[Tuple[str, Any]] = [("IFLA_INFO_KIND", kind)]
    if data:  # for a kind without attributes of its own pyroute2 knows no form of them
        info.append(("IFLA_INFO_DATA", {"attrs": data}))
    attrs.append(("IFLA_LINKINFO", {"attrs": info}))
    if master:
        attrs.append(("IFLA_MASTER", master))
    if netns_fd is not None:
        attrs.append(("IFLA_NET_NS_FD", netns_fd))
    codec.request(sock, codec.ifinfmsg, _NEWLINK, ACK | CREATE | EXCL, fields, attrs)


def require_kind(sock: Socket, kind: str) -> None:
    """Raise `NetlinkError` (EOPNOTSUPP) where the kernel makes no links of a kind. It is asked for one that it refuses for another reason."""
    attrs = [("IFLA_NUM_TX_QUEUES", _QUEUES_TOO_MANY), ("IFLA_LINKINFO", {"attrs": [("IFLA_INFO_KIND", kind)]})]
    try:
        codec.request(sock, codec.ifinfmsg, _NEWLINK, ACK | CREATE | EXCL, {}, attrs)
    except NetlinkError as error:
        if error.errno == errno.EOPNOTSUPP:
            raise


def change(
    sock: Socket,
    index: int,
    given: Mapping[str, Any],
    master: Optional[int] = None,
    netns_fd: Optional[int] = None,
    kind: str = "",
) -> None:
    """Set attributes of an interface, in one message; ``kind`` is the interface's, where a field of its kind is set. Raises `NetlinkError`."""
    fields: Dict[str, Any] = {"index": index}
    attrs = _encoded(link_kinds.LINK, given)
    if "enabled" in given:
        fields.update(flags=_IFF_UP if given["enabled"] else 0, change=_IFF_UP)
    if "name" in given:
        attrs.append(("IFLA_IFNAME", given["name"]))
    if master is not None:
        attrs.append(("IFLA_MASTER", master))
    if netns_fd is not None:
        attrs.append(("IFLA_NET_NS_FD", netns_fd))
    info: codec.Attributes = []
    own, port = _encoded(link_kinds.kind(kind).fields, given), _encoded(link_kinds.PORT, given)
    for name, prefix, data in ((kind, "IFLA_INFO_", own), ("bridge", "IFLA_INFO_SLAVE_", port)):
        if data:
            info += [(prefix + "KIND", name), (prefix + "DATA", {"attrs": data})]
    if info:
        attrs.append(("IFLA_LINKINFO", {"attrs": info}))
    _set(sock, fields, attrs)


def _set(sock: Socket, fields: Mapping[str, Any], attrs: codec.Attributes) -> None:
    codec.request(sock, codec.ifinfmsg, _NEWLINK, ACK, fields, attrs)


def delete(sock: Socket, index: int) -> None:
    """Delete an interface. Raises `NetlinkError`."""
    codec.request(sock, codec.ifinfmsg, _DELLINK, ACK, {"index": index})


def delete_together(sock: Socket, indexes: Sequence[int]) -> None:
    """Delete interfaces together, which takes the kernel little longer than one: they are put into a group of their own, and
    that is deleted. All or none; where the kernel refuses, they are in the group again that they were in."""
    dump = codec.dump(sock, codec.ifinfmsg, _GETLINK, {}, [_BRIEF])
    groups = {message["index"]: message.get_attr("IFLA_GROUP") or 0 for message in dump}
    free = next(group for group in iter(lambda: random.getrandbits(31), 0) if group not in groups.values())
    known = [index for index in indexes if index in groups]
    try:
        for index in known:
            _set(sock, {"index": index}, [("IFLA_GROUP", free)])
        codec.request(sock, codec.ifinfmsg, _DELLINK, ACK, {}, [("IFLA_GROUP", free)])
    except NetlinkError:
        for index in known:
            with contextlib.suppress(NetlinkError):
                _set(sock, {"index": index}, [("IFLA_GROUP", groups[index])])
        raise


def change_vlans(sock: Socket, index: int, vlans: Sequence[Vlan], add: bool, own: bool = False) -> None:
    """Add or remove VLANs of a bridge port, or with ``own`` of a bridge itself; neighbouring ids with the same flags go as a range. Raises
    `NetlinkError`."""
    infos: codec.Attributes = [("IFLA_BRIDGE_FLAGS", _SELF)] if own else []
    for first, last in vlan_ranges(vlans):
        flags = (_PVID if first.pvid else 0) | (_UNTAGGED if first.untagged else 0)
        ends = [(first.vid, flags)] if first == last else [(first.vid, flags | _BEGIN), (last.vid, flags | _END)]
        infos.extend(("IFLA_BRIDGE_VLAN_INFO", {"vid": vid, "flags": bits}) for vid, bits in ends)
    fields = {"family": socket.AF_BRIDGE, "index": index}
    attrs = [("IFLA_AF_SPEC", {"attrs": infos})]
    codec.request(sock, codec.ifinfmsg, _SETLINK if add else _DELLINK, ACK, fields, attrs)


def _encoded(rows: Mapping[str, link_kinds.Field], attributes: Mapping[str, Any]) -> List[Tuple[str, Any]]:
    """Return the netlink attributes for those of ``attributes`` that ``rows`` has."""
    return [
        (
            rows[name].attribute6 if rows[name].attribute6 and ":" in value else rows[name].attribute,
            name_bytes(value)
            if rows[name].bare and value
            else rows[name].to_kernel(value or "0.0.0.0" if rows[name].attribute6 else value),
        )
        for name, value in attributes.items()
        if name in rows and rows[name].attribute
    ]


def vlan_ranges(vlans: Sequence[Vlan]) -> List[Tuple[Vlan, Vlan]]:
    """Return ``vlans`` as (first, last) of runs of neighbouring ids with the same flags; a PVID stands alone."""
    runs: List[Tuple[Vlan, Vlan]] = []
    for vlan in sorted(vlans):
        if runs and not vlan.pvid:
            first, last = runs[-1]
            if not last.pvid and last.untagged == vlan.untagged and last.vid + 1 == vlan.vid:
                runs[-1] = (first, vlan)
                continue
        runs.append((vlan, vlan))
    return runs
