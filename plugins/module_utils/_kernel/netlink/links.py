# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Netlink: one socket a namespace, messages in, facts out. The one file that imports pyroute2.

pyroute2's message classes say what a message is (`codec.py`); the socket is our own, because it must stay in the namespace it was opened
in, report the kernel's own sentence (extended ACK), and work inside a running event loop.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import importlib.util
import os
import random
import socket
import struct
import sys
import traceback
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import codec
from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    FOREVER,
    Address,
    Link,
    Nexthop,
    PolicyRule,
    Route,
    Vlan,
)


@contextlib.contextmanager
def _alone(package: str) -> Iterator[None]:
    """A block in which modules of a package are imported without the package itself, which for pyroute2 imports all there is
    (0.1 s). Afterwards nobody sees that they were: who imports the package later gets it whole. One that is there is used."""
    spec = importlib.util.find_spec(package) if package not in sys.modules else None
    if spec is not None:
        sys.modules[package] = importlib.util.module_from_spec(spec)
    try:
        yield
    finally:
        for name in [name for name in sys.modules if spec is not None and name.partition(".")[0] == package]:
            del sys.modules[name]


def _classes() -> Tuple[Any, ...]:
    from pyroute2.netlink.rtnl.fibmsg import fibmsg
    from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
    from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
    from pyroute2.netlink.rtnl.ndmsg import ndmsg
    from pyroute2.netlink.rtnl.nsidmsg import nsidmsg
    from pyroute2.netlink.rtnl.rtmsg import rtmsg

    return fibmsg, ifaddrmsg, ifinfmsg, ndmsg, nsidmsg, rtmsg


def _imported() -> Tuple[Any, ...]:
    try:
        with _alone("pyroute2"):
            return _classes()
    except ImportError:  # a version whose modules need the package
        return _classes()


IMPORT_ERROR: Optional[str] = None
try:
    fibmsg, ifaddrmsg, ifinfmsg, ndmsg, nsidmsg, rtmsg = _imported()
except ImportError:
    IMPORT_ERROR = traceback.format_exc()
else:

    class _AddressMessage(ifaddrmsg):  # type: ignore[misc, valid-type]
        """ifaddrmsg with the attributes that pyroute2 lacks (0.7) or has with another type (0.9)."""

        nla_map = (
            *ifaddrmsg.nla_map[:9],
            ("IFA_RT_PRIORITY", "uint32"),
            ("IFA_TARGET_NETNSID", "int32"),
            ("IFA_PROTO", "uint8"),
        )

    class _NsidMessage(nsidmsg):  # type: ignore[misc, valid-type]
        """nsidmsg with a signed id: -1 says that the namespace has none here."""

        nla_map = (("NETNSA_NONE", "none"), ("NETNSA_NSID", "int32"), ("NETNSA_PID", "uint32"), ("NETNSA_FD", "uint32"))


# include/uapi/linux/netlink.h and rtnetlink.h
_REQUEST, _ACK, _DUMP, _REPLACE, _EXCL, _CREATE = 0x1, 0x4, 0x300, 0x100, 0x200, 0x400
_DUMP_INTERRUPTED = 0x10
_ERROR, _DONE = 2, 3
_NEWLINK, _DELLINK, _GETLINK, _SETLINK = 16, 17, 18, 19
_NEWADDR, _DELADDR, _GETADDR = 20, 21, 22
_NEWROUTE, _DELROUTE, _GETROUTE = 24, 25, 26
_NEWNEIGH, _DELNEIGH = 28, 29
_NEWRULE, _DELRULE, _GETRULE = 32, 33, 34
_GETNSID = 90
_SOL_NETLINK, _CAP_ACK, _EXT_ACK, _STRICT = 270, 10, 11, 12
_SIOCGIFNAME, _SIOCGIFINDEX = 0x8910, 0x8933  # include/uapi/linux/sockios.h
_HEADER = struct.Struct("=IHHII")
_IFF_UP, _IFF_RUNNING = 0x1, 0x40
_ONLINK = 4  # RTNH_F_ONLINK
_BRVLAN, _SKIP_STATS = 2, 8  # RTEXT_FILTER_*
_BRIEF = ("IFLA_EXT_MASK", _SKIP_STATS)
_PVID, _UNTAGGED, _BEGIN, _END = 2, 4, 8, 16
_USE = 1  # NTF_USE
_TO_TABLE, _PERMANENT = 1, 1  # FR_ACT_TO_TBL, FIB_RULE_PERMANENT
_POLICY = (
    "FRA_SRC",
    "FRA_PRIORITY",
    "FRA_TABLE",
    "FRA_PROTOCOL",
    "FRA_SUPPRESS_PREFIXLEN",
)  # of a rule without conditions
_SUPPRESS_NONE = 0xFFFFFFFF  # FRA_SUPPRESS_PREFIXLEN of a rule that suppresses nothing
_TIMEOUT = 10  # seconds; the kernel answers in the same call, so this only bounds a broken one

_FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
_VERSION = {int(value): key for key, value in _FAMILY.items()}
SCOPES = {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}
_SCOPE_NAMES = {value: key for key, value in SCOPES.items()}
ROUTE_TYPES = {
    "unicast": 1,
    "local": 2,
    "broadcast": 3,
    "anycast": 4,
    "multicast": 5,
    "blackhole": 6,
    "unreachable": 7,
    "prohibit": 8,
    "throw": 9,
}
_TYPE_NAMES = {value: key for key, value in ROUTE_TYPES.items()}
_SECONDARY, _NODAD, _DADFAILED, _TENTATIVE, _NOPREFIXROUTE = 0x01, 0x02, 0x08, 0x40, 0x200  # IFA_F_*


class NetlinkError(OSError):
    """The kernel's refusal: an OSError with ``detail``, its own sentence or ``""``."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(code, os.strerror(code))
        self.detail = detail


class Socket:
    """A route netlink socket. It stays in the namespace that the thread was in when it was opened."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        # By the kernel: Python's own time limit takes a system call more for each answer.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", _TIMEOUT, 0))
        self._socket.bind((0, 0))
        for option in (_CAP_ACK, _EXT_ACK, _STRICT):
            with contextlib.suppress(OSError):  # older kernels answer without; what they send too much is filtered here
                self._socket.setsockopt(_SOL_NETLINK, option, 1)
        self._sequence = 0

    def close(self) -> None:
        self._socket.close()

    def _request(
        self, cls: Any, type_: int, flags: int, fields: Mapping[str, Any], attrs: Sequence[Tuple[str, Any]]
    ) -> List[Any]:
        """Send one message; return the decoded answers. Raise `NetlinkError` where the kernel refuses."""
        self._sequence += 1
        body = codec.encode(cls, fields, attrs)
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), type_, _REQUEST | flags, self._sequence, 0) + body)
        return [codec.decode(cls, data) for data in self._answers(single=not flags & (_ACK | _DUMP))]

    def _answers(self, single: bool) -> Iterator[bytes]:
        """Yield the messages of one answer up to its end: DONE of a dump, the acknowledgement, or the one message of a ``single``."""
        interrupted = False
        while True:
            buffer = self._socket.recv(1 << 20)
            offset = 0
            while offset < len(buffer):
                length, type_, flags, sequence, dummy = _HEADER.unpack_from(buffer, offset)
                data = buffer[offset : offset + length]
                offset += (length + 3) & ~3
                if sequence != self._sequence:
                    continue
                interrupted = interrupted or bool(flags & _DUMP_INTERRUPTED)
                if type_ in (_ERROR, _DONE):
                    code = struct.unpack_from("=i", data, _HEADER.size)[0] if len(data) > _HEADER.size else 0
                    if code:
                        raise NetlinkError(-code, _extended_ack(data))
                    if interrupted:
                        raise NetlinkError(errno.EINTR)
                    return
                yield data
                if single:
                    return

    def _dump(
        self, cls: Any, type_: int, fields: Mapping[str, Any], attrs: Sequence[Tuple[str, Any]] = ()
    ) -> List[Any]:
        """Return a dump; one that other writers interrupted is taken again."""
        for dummy in range(8):
            try:
                return self._request(cls, type_, _DUMP, fields, attrs)
            except NetlinkError as error:
                if error.errno != errno.EINTR:
                    raise
        return self._request(cls, type_, _DUMP, fields, attrs)

    # --- reading ---

    def link(self, name: str = "", index: int = 0) -> Tuple[Optional[Link], Optional[int]]:
        """Return the interface of that name or index (None where there is none) and the id of its peer's namespace."""
        try:
            found = self._request(
                ifinfmsg, _GETLINK, 0, {"index": index}, [*([("IFLA_IFNAME", name)] if name else []), _BRIEF]
            )
        except NetlinkError as error:
            if error.errno == errno.ENODEV:
                return None, None
            raise
        return _link(found[0])

    def index_of(self, name: str) -> int:
        """Return the index of an interface, 0 where there is none: by ioctl, a tenth of the cost of a message."""
        return int(self._ioctl(_SIOCGIFINDEX, struct.pack("=16si20x", name.encode(), 0), "=16xi20x", 0))

    def name_of(self, index: int) -> str:
        """Return the name of an interface, ``""`` where there is none."""
        name: bytes = self._ioctl(_SIOCGIFNAME, struct.pack("=16xi20x", index), "=16s24x", b"")
        return name.rstrip(b"\0").decode()

    def _ioctl(self, request: int, ifreq: bytes, answer: str, nothing: Any) -> Any:
        try:
            return struct.unpack(answer, fcntl.ioctl(self._socket, request, ifreq))[0]
        except OSError as error:
            if error.errno != errno.ENODEV:
                raise
            return nothing

    def links(self, master: int = 0) -> List[Tuple[Link, Optional[int]]]:
        """Return all interfaces, or those with that master, each with the id of its peer's namespace."""
        found = [
            _link(message)
            for message in self._dump(ifinfmsg, _GETLINK, {}, [*([("IFLA_MASTER", master)] if master else []), _BRIEF])
        ]
        return [pair for pair in found if not master or pair[0].master == master]

    def vlans(self, index: int) -> Tuple[Vlan, ...]:
        """Return the VLANs of a bridge port."""
        for message in self._dump(ifinfmsg, _GETLINK, {"family": socket.AF_BRIDGE}, [("IFLA_EXT_MASK", _BRVLAN)]):
            if message["index"] == index:
                spec = message.get_attr("IFLA_AF_SPEC")
                infos = [value for key, value in spec["attrs"] if key == "IFLA_BRIDGE_VLAN_INFO"] if spec else []
                return tuple(
                    sorted(
                        Vlan(info["vid"], bool(info["flags"] & _PVID), bool(info["flags"] & _UNTAGGED))
                        for info in infos
                    )
                )
        return ()

    def addresses(self, nsid: Optional[int] = None) -> List[Tuple[int, Address]]:
        """Return (interface index, address) of this namespace, or of the one that has the id ``nsid`` here.

        A namespace that is just going has none: its id is gone (EINVAL) a little before the interfaces that name it.
        """
        attrs = [] if nsid is None else [("IFA_TARGET_NETNSID", nsid)]
        try:
            found = self._dump(_AddressMessage, _GETADDR, {}, attrs)
        except NetlinkError as error:
            if nsid is None or error.errno != errno.EINVAL:
                raise
            return []
        return [(message["index"], _address(message)) for message in found]

    def routes(self, family: int, table: int) -> List[Tuple[Route, int, List[int]]]:
        """Return the routes of a table, with interface indexes in place of names: (route, index, index of each nexthop)."""
        fields = {"family": _FAMILY[family], "table": table if table < 256 else 0}
        try:
            found = self._dump(rtmsg, _GETROUTE, fields, [("RTA_TABLE", table)])
        except NetlinkError as error:
            if error.errno == errno.ENOENT:  # a table that does not exist yet
                return []
            raise
        routes = [_route(message) for message in found]
        return [entry for entry in routes if entry[0].table == table]

    def policies(self, family: int) -> List[PolicyRule]:
        """Return the policy rules that have no condition but the source, and lead to a table; all others are left out."""
        found = (_policy(message) for message in self._dump(fibmsg, _GETRULE, {"family": _FAMILY[family]}))
        return [rule for rule in found if rule is not None]

    def nsid(self, fd: int) -> int:
        """Return the id that the namespace open at ``fd`` has in this socket's, -1 where it has none."""
        return int(self._request(_NsidMessage, _GETNSID, 0, {}, [("NETNSA_FD", fd)])[0].get_attr("NETNSA_NSID"))

    # --- writing ---

    def add_link(
        self,
        name: str,
        kind: str,
        attributes: Mapping[str, Any],
        master: int,
        peer: Optional[Tuple[str, Mapping[str, Any], Optional[int]]],
    ) -> None:
        """Create an interface; ``peer`` is (name, attributes, namespace fd or None) of a veth's other end. Atomic."""
        fields = {"flags": _IFF_UP, "change": _IFF_UP} if attributes.get("enabled") else {}
        attrs = [("IFLA_IFNAME", name), *_encoded(link_kinds.LINK, attributes)]
        known = link_kinds.kind(kind)
        data: Dict[str, Any] = {"attrs": _encoded(known.fields, attributes)}
        if peer:
            peer_name, peer_attributes, fd = peer
            other = [("IFLA_IFNAME", peer_name), *_encoded(link_kinds.LINK, peer_attributes)]
            if fd is not None:
                other.append(("IFLA_NET_NS_FD", fd))
            data["attrs"].append((known.peer, {"attrs": other}))
        attrs.append(("IFLA_LINKINFO", {"attrs": [("IFLA_INFO_KIND", kind), ("IFLA_INFO_DATA", data)]}))
        if master:
            attrs.append(("IFLA_MASTER", master))
        self._request(ifinfmsg, _NEWLINK, _ACK | _CREATE | _EXCL, fields, attrs)

    def set_link(
        self,
        index: int,
        attributes: Mapping[str, Any],
        master: Optional[int] = None,
        netns_fd: Optional[int] = None,
        kind: str = "",
    ) -> None:
        """Set what ``attributes`` holds on an interface, in one message; ``kind`` is its own, for that kind's fields."""
        fields: Dict[str, Any] = {"index": index}
        attrs = list(_encoded(link_kinds.LINK, attributes))
        if "enabled" in attributes:
            fields.update(flags=_IFF_UP if attributes["enabled"] else 0, change=_IFF_UP)
        if "name" in attributes:
            attrs.append(("IFLA_IFNAME", attributes["name"]))
        if master is not None:
            attrs.append(("IFLA_MASTER", master))
        if netns_fd is not None:
            attrs.append(("IFLA_NET_NS_FD", netns_fd))
        info: List[Tuple[str, Any]] = []
        own, port = _encoded(link_kinds.kind(kind).fields, attributes), _encoded(link_kinds.PORT, attributes)
        for name, prefix, data in ((kind, "IFLA_INFO_", own), ("bridge", "IFLA_INFO_SLAVE_", port)):
            if data:
                info += [(prefix + "KIND", name), (prefix + "DATA", {"attrs": data})]
        if info:
            attrs.append(("IFLA_LINKINFO", {"attrs": info}))
        self._request(ifinfmsg, _NEWLINK, _ACK, fields, attrs)

    def delete_link(self, index: int) -> None:
        self._request(ifinfmsg, _DELLINK, _ACK, {"index": index}, [])

    def delete_links(self, indexes: Sequence[int]) -> None:
        """Delete interfaces together, which takes the kernel little longer than one: they are put into a group of their own, and
        that is deleted. All or none; where the kernel refuses, they are in the group again that they were in."""
        dump = self._dump(ifinfmsg, _GETLINK, {}, [_BRIEF])
        groups = {message["index"]: message.get_attr("IFLA_GROUP") or 0 for message in dump}
        free = next(group for group in iter(lambda: random.getrandbits(31), 0) if group not in groups.values())
        there = [index for index in indexes if index in groups]
        try:
            for index in there:
                self._request(ifinfmsg, _NEWLINK, _ACK, {"index": index}, [("IFLA_GROUP", free)])
            self._request(ifinfmsg, _DELLINK, _ACK, {}, [("IFLA_GROUP", free)])
        except NetlinkError:
            for index in there:
                with contextlib.suppress(NetlinkError):
                    self._request(ifinfmsg, _NEWLINK, _ACK, {"index": index}, [("IFLA_GROUP", groups[index])])
            raise

    def set_vlans(self, index: int, vlans: Sequence[Vlan], add: bool) -> None:
        """Add or remove VLANs of a bridge port; neighbouring ids with the same flags go as one range."""
        infos: List[Tuple[str, Any]] = []
        for first, last in vlan_ranges(vlans):
            flags = (_PVID if first.pvid else 0) | (_UNTAGGED if first.untagged else 0)
            ends = [(first.vid, flags)] if first == last else [(first.vid, flags | _BEGIN), (last.vid, flags | _END)]
            infos.extend(("IFLA_BRIDGE_VLAN_INFO", {"vid": vid, "flags": bits}) for vid, bits in ends)
        fields = {"family": socket.AF_BRIDGE, "index": index}
        self._request(ifinfmsg, _SETLINK if add else _DELLINK, _ACK, fields, [("IFLA_AF_SPEC", {"attrs": infos})])

    def put_address(self, index: int, one: Address, replace: bool) -> None:
        attrs = self._address_attrs(one)
        if one.broadcast:
            attrs.append(("IFA_BROADCAST", one.broadcast))
        if one.label:
            attrs.append(("IFA_LABEL", one.label))
        if one.protocol:
            attrs.append(("IFA_PROTO", one.protocol))
        flags = (_NODAD if one.nodad else 0) | (_NOPREFIXROUTE if one.noprefixroute else 0)
        attrs.append(("IFA_FLAGS", flags))
        attrs.append(
            (
                "IFA_CACHEINFO",
                {"ifa_preferred": one.preferred_lft, "ifa_valid": one.valid_lft, "cstamp": 0, "tstamp": 0},
            )
        )
        fields = {
            "family": _FAMILY[one.family],
            "prefixlen": one.prefix,
            "scope": SCOPES[one.scope],
            "index": index,
            "flags": flags & 0xFF,
        }
        self._request(_AddressMessage, _NEWADDR, _ACK | _CREATE | (_REPLACE if replace else _EXCL), fields, attrs)

    def delete_address(self, index: int, one: Address) -> None:
        fields = {"family": _FAMILY[one.family], "prefixlen": one.prefix, "index": index}
        self._request(_AddressMessage, _DELADDR, _ACK, fields, self._address_attrs(one))

    def announce(self, index: int, ip: str) -> None:
        """Have the kernel send a gratuitous ARP for an IPv4 address of its own: it is asked to resolve that very address.

        The question names as its sender the interface's address in that subnet, which is ``ip`` if it is the only one. The entry
        is deleted at once, so it is asked but once. A packet socket would do as well, but the kernel takes 16 ms to close one.
        """
        fields, attrs = {"family": socket.AF_INET, "ifindex": index}, [("NDA_DST", ip)]
        self._request(ndmsg, _NEWNEIGH, _ACK | _CREATE | _EXCL, {**fields, "flags": _USE}, attrs)
        self._request(ndmsg, _DELNEIGH, _ACK, fields, attrs)

    @staticmethod
    def _address_attrs(one: Address) -> List[Tuple[str, Any]]:
        return [("IFA_LOCAL", one.ip), ("IFA_ADDRESS", one.peer or one.ip)]

    def put_route(self, route: Route, index: int, nexthop_indexes: Sequence[int], replace: bool) -> None:
        self._request(
            rtmsg,
            _NEWROUTE,
            _ACK | _CREATE | (_REPLACE if replace else _EXCL),
            *_route_message(route, index, nexthop_indexes),
        )

    def delete_route(self, route: Route, index: int, nexthop_indexes: Sequence[int]) -> None:
        fields, attrs = _route_message(route, index, nexthop_indexes)
        fields["flags"] = 0
        self._request(rtmsg, _DELROUTE, _ACK, fields, attrs)

    def add_policy(self, rule: PolicyRule) -> None:
        self._request(fibmsg, _NEWRULE, _ACK | _CREATE | _EXCL, *_policy_message(rule))

    def delete_policy(self, rule: PolicyRule) -> None:
        self._request(fibmsg, _DELRULE, _ACK, *_policy_message(rule))


def _extended_ack(data: bytes) -> str:
    """Return the sentence (NLMSGERR_ATTR_MSG) that follows a capped error message, or ``""``."""
    offset = _HEADER.size + 4 + _HEADER.size
    while offset + 4 <= len(data):
        length, type_ = struct.unpack_from("=HH", data, offset)
        if length < 4:
            break
        if type_ & 0x3FFF == 1:
            return data[offset + 4 : offset + length].rstrip(b"\0").decode(errors="replace")
        offset += (length + 3) & ~3
    return ""


def _encoded(rows: Mapping[str, link_kinds.Field], attributes: Mapping[str, Any]) -> List[Tuple[str, Any]]:
    """Return the netlink attributes for those of ``attributes`` that ``rows`` has."""
    return [
        (rows[name].attribute, rows[name].to_kernel(value))
        for name, value in attributes.items()
        if name in rows and rows[name].attribute
    ]


def _decoded(rows: Mapping[str, link_kinds.Field], message: Any) -> Iterator[Tuple[str, Any]]:
    """Yield (field name, canonical value) of what ``message`` has."""
    for name, row in rows.items():
        value = message.get_attr(row.attribute) if row.attribute else None
        if value is not None:
            yield name, row.from_kernel(value)


def _link(message: Any) -> Tuple[Link, Optional[int]]:
    attributes: Dict[str, Any] = dict.fromkeys(("alias", "mac"), "")
    attributes.update(_decoded(link_kinds.LINK, message))
    attributes["enabled"] = bool(message["flags"] & _IFF_UP)
    attributes["carrier"] = bool(message["flags"] & _IFF_RUNNING)
    info = message.get_attr("IFLA_LINKINFO")
    name = (info.get_attr("IFLA_INFO_KIND") or "") if info else ""
    kind = link_kinds.kind(name)
    if info and kind.fields:
        data = info.get_attr("IFLA_INFO_DATA")
        if data is not None:  # of what a kernel lacks it says nothing
            attributes.update(link_kinds.defaults(kind.fields))
            attributes.update(_decoded(kind.fields, data))
            if name == "bridge":
                attributes["default_pvid"] = data.get_attr("IFLA_BR_VLAN_DEFAULT_PVID") or 0
    master = link_kinds.kind((info.get_attr("IFLA_INFO_SLAVE_KIND") or "") if info else "")
    port = info.get_attr("IFLA_INFO_SLAVE_DATA") if info and master.ports else None
    if port is not None:
        attributes.update(_decoded(master.ports, port))
    link = Link(
        message["index"],
        message.get_attr("IFLA_IFNAME"),
        name,
        attributes,
        master=message.get_attr("IFLA_MASTER") or 0,
        peer_index=(message.get_attr("IFLA_LINK") or 0) if kind.peer else 0,
    )
    return link, message.get_attr("IFLA_LINK_NETNSID")


def _address(message: Any) -> Address:
    ip = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
    other = message.get_attr("IFA_ADDRESS")
    flags = message.get_attr("IFA_FLAGS")
    if flags is None:
        flags = message["flags"]
    times = message.get_attr("IFA_CACHEINFO") or {}
    return Address(
        ip=ip,
        prefix=message["prefixlen"],
        family=_VERSION[message["family"]],
        peer=other if other != ip else "",
        scope=_SCOPE_NAMES.get(message["scope"], str(message["scope"])),
        label=message.get_attr("IFA_LABEL") or "",
        broadcast=message.get_attr("IFA_BROADCAST") or "",
        valid_lft=times.get("ifa_valid", FOREVER),
        preferred_lft=times.get("ifa_preferred", FOREVER),
        noprefixroute=bool(flags & _NOPREFIXROUTE),
        nodad=bool(flags & _NODAD),
        secondary=bool(flags & _SECONDARY),
        tentative=bool(flags & _TENTATIVE),
        dadfailed=bool(flags & _DADFAILED),
        protocol=message.get_attr("IFA_PROTO") or 0,
    )


def _route(message: Any) -> Tuple[Route, int, List[int]]:
    family = _VERSION[message["family"]]
    destination = message.get_attr("RTA_DST")
    metrics = message.get_attr("RTA_METRICS")
    hops: List[Nexthop] = []
    indexes: List[int] = []
    flags = message["flags"]
    for hop in message.get_attr("RTA_MULTIPATH") or ():
        hops.append(Nexthop(hop.get_attr("RTA_GATEWAY") or "", "", hop["hops"] + 1))
        indexes.append(hop["oif"])
    route = Route(
        family=family,
        destination="%s/%d" % (destination or ("0.0.0.0" if family == 4 else "::"), message["dst_len"]),
        table=message.get_attr("RTA_TABLE") or message["table"],
        metric=message.get_attr("RTA_PRIORITY") or 0,
        type=_TYPE_NAMES.get(message["type"], str(message["type"])),
        gateway=message.get_attr("RTA_GATEWAY") or "",
        source=message.get_attr("RTA_PREFSRC") or "",
        scope=_SCOPE_NAMES.get(message["scope"], str(message["scope"])),
        mtu=(metrics.get_attr("RTAX_MTU") or 0) if metrics else 0,
        advmss=(metrics.get_attr("RTAX_ADVMSS") or 0) if metrics else 0,
        onlink=bool(flags & _ONLINK),
        nexthops=tuple(hops),
        protocol=message["proto"],
    )
    return route, message.get_attr("RTA_OIF") or 0, indexes


def _route_message(
    route: Route, index: int, nexthop_indexes: Sequence[int]
) -> Tuple[Dict[str, Any], List[Tuple[str, Any]]]:
    address, length = route.destination.split("/")
    attrs: List[Tuple[str, Any]] = [("RTA_TABLE", route.table)]
    if int(length):
        attrs.append(("RTA_DST", address))
    if route.gateway:
        attrs.append(("RTA_GATEWAY", route.gateway))
    if index:
        attrs.append(("RTA_OIF", index))
    if route.metric:
        attrs.append(("RTA_PRIORITY", route.metric))
    if route.source:
        attrs.append(("RTA_PREFSRC", route.source))
    metrics = [(name, value) for name, value in (("RTAX_MTU", route.mtu), ("RTAX_ADVMSS", route.advmss)) if value]
    if metrics:
        attrs.append(("RTA_METRICS", {"attrs": metrics}))
    if route.nexthops:
        hops = []
        for hop, hop_index in zip(route.nexthops, nexthop_indexes):
            hop_attrs = [("RTA_GATEWAY", hop.gateway)] if hop.gateway else []
            hops.append(
                {
                    "flags": _ONLINK if route.onlink else 0,
                    "hops": hop.weight - 1,
                    "oif": hop_index,
                    "family": _FAMILY[route.family],
                    "attrs": hop_attrs,
                }
            )
        attrs.append(("RTA_MULTIPATH", hops))
    fields = {
        "family": _FAMILY[route.family],
        "dst_len": int(length),
        "table": route.table if route.table < 256 else 0,
        "proto": route.protocol,
        "scope": SCOPES[route.scope],
        "type": ROUTE_TYPES[route.type],
        "flags": _ONLINK if route.onlink and not route.nexthops else 0,
    }
    return fields, attrs


def _policy(message: Any) -> Optional[PolicyRule]:
    """Return a rule, None for one with a condition beside its source, or that does anything but look up a table."""
    attrs = {name: message.get_attr(name) for name in message.names() if name in _POLICY}
    plain = len(attrs) == len(message.names()) and attrs.get(_POLICY[-1], _SUPPRESS_NONE) == _SUPPRESS_NONE
    if not plain or message["action"] != _TO_TABLE or message["flags"] & ~_PERMANENT:
        return None
    if message["dst_len"] or message["tos"]:
        return None
    source = attrs.get("FRA_SRC", "0.0.0.0" if message["family"] == socket.AF_INET else "::")
    return PolicyRule(
        _VERSION[message["family"]],
        "%s/%d" % (source, message["src_len"]),
        attrs.get("FRA_TABLE", message["table"]),
        attrs.get("FRA_PRIORITY", 0),
        attrs.get("FRA_PROTOCOL", 0),
    )


def _policy_message(rule: PolicyRule) -> Tuple[Dict[str, Any], List[Tuple[str, Any]]]:
    address, length = rule.source.split("/")
    attrs: List[Tuple[str, Any]] = [
        ("FRA_TABLE", rule.table),
        ("FRA_PRIORITY", rule.priority),
        ("FRA_PROTOCOL", rule.protocol),
    ]
    if int(length):
        attrs.append(("FRA_SRC", address))
    fields = {
        "family": _FAMILY[rule.family],
        "src_len": int(length),
        "table": rule.table if rule.table < 256 else 0,
        "action": _TO_TABLE,
    }
    return fields, attrs


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
