# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel has in this process's network namespace, one fact a line, read by netlink in a millisecond.

For thousands of looks; tests/lab/snapshot.py sees more and takes many programs. What moves by itself is left out: counters, timers, carrier,
states of ports, link-local addresses, cached and local routes. Numbers of links are their names.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from pathlib import Path

# include/uapi/linux/rtnetlink.h, if_link.h, if_addr.h, fib_rules.h
GETLINK, GETADDR, GETROUTE, GETRULE = 18, 22, 26, 34
REQUEST_DUMP = 0x301
DONE, ERROR = 3, 2
RUNNING, LOWER_UP = 0x40, 0x10000
CLONED = 0x200
DUPLICATES = 0x4C  # how far the search for duplicates is: tentative, optimistic, failed
LOCAL_TABLE = 255
IFNAME, MASTER, LINKINFO, PROP_LIST = 3, 10, 18, 52
LINK_PLAIN = {1: "mac", 4: "mtu", 13: "txqlen", 20: "alias", 27: "group"}
KIND, DATA, SLAVE_DATA = 1, 2, 5
BRIDGE = {1: "forward_delay", 2: "hello", 3: "max_age", 4: "ageing", 5: "stp", 6: "priority", 7: "vlan_filtering"}
PORT = {
    2: "priority",
    3: "cost",
    4: "hairpin",
    5: "guard",
    6: "root_block",
    7: "fast_leave",
    8: "learning",
    9: "flood",
    27: "mcast_flood",
    32: "neigh_suppress",
    33: "isolated",
}
SYSCTLS = ("ipv4/ip_forward", "ipv4/ip_unprivileged_port_start", "ipv4/conf/all/rp_filter", "ipv6/conf/all/forwarding")

Attributes = dict[int, bytes]


def facts() -> list[str]:
    """Links, addresses, routes, policy rules and a few sysctls, sorted."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as rtnl:
        links = list(_dump(rtnl, GETLINK, 16))
        names = {struct.unpack_from("=BxHi", head)[2]: _name(attributes[IFNAME]) for head, attributes in links}
        found = [line for head, attributes in links for line in _link(head, attributes, names)]
        found += [line for head, attributes in _dump(rtnl, GETADDR, 8) for line in _address(head, attributes, names)]
        found += [line for head, attributes in _dump(rtnl, GETROUTE, 12) for line in _route(head, attributes, names)]
        found += [_rule(head, attributes) for head, attributes in _dump(rtnl, GETRULE, 12)]
    for name in SYSCTLS:
        path = Path("/proc/sys/net", name)
        if path.exists():
            found.append(f"sysctl {name} = {path.read_text(encoding='utf-8').strip()}")
    return sorted(found)


def _dump(rtnl: socket.socket, kind: int, size: int) -> Iterator[tuple[bytes, Attributes]]:
    """The head, of so many bytes, and the attributes of every message of a dump."""
    rtnl.send(struct.pack("=IHHII", 16 + 16, kind, REQUEST_DUMP, 1, 0) + bytes(16))
    while True:
        data = rtnl.recv(1 << 20)
        while data:
            length, found = struct.unpack_from("=IH", data)
            if found == DONE:
                return
            if found == ERROR:
                raise OSError(-struct.unpack_from("=i", data, 16)[0], f"dump {kind}")
            yield data[16 : 16 + size], _attributes(data[16 + size : length])
            data = data[(length + 3) & ~3 :]


def _attributes(data: bytes) -> Attributes:
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        found[kind & 0x3FFF] = data[4:length]
        data = data[(length + 3) & ~3 :]
    return found


def _name(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode("utf-8", "replace")


def _number(raw: bytes) -> int:
    return int.from_bytes(raw, "little")


def _link(head: bytes, attributes: Attributes, names: dict[int, str]) -> Iterator[str]:
    dummy, dummy, flags = struct.unpack_from("=BxHiI", head)[1:]
    where = f"link {_name(attributes[IFNAME])}"
    info = _attributes(attributes.get(LINKINFO, b""))
    kind = _name(info.get(KIND, b""))
    yield f"{where} kind {kind}"
    yield f"{where} flags {flags & ~(RUNNING | LOWER_UP):x}"
    for number, name in LINK_PLAIN.items():
        if number in attributes:
            raw = attributes[number]
            yield f"{where} {name} {raw.hex(':') if number == 1 else _name(raw) if number == 20 else _number(raw)}"
    if PROP_LIST in attributes:
        yield f"{where} altnames {attributes[PROP_LIST].hex()}"
    if MASTER in attributes:
        yield f"{where} master {names.get(_number(attributes[MASTER]), '?')}"
        port = _attributes(info.get(SLAVE_DATA, b""))
        yield from (f"{where} port {name} {_number(port[number])}" for number, name in PORT.items() if number in port)
    if kind == "bridge":
        data = _attributes(info.get(DATA, b""))
        yield from (
            f"{where} bridge {name} {_number(data[number])}" for number, name in BRIDGE.items() if number in data
        )


def _ip(raw: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)


def _address(head: bytes, attributes: Attributes, names: dict[int, str]) -> Iterator[str]:
    dummy, length, dummy, scope, index = struct.unpack("=BBBBi", head)
    flags = _number(attributes[8]) & ~DUPLICATES if 8 in attributes else 0
    proto = _number(attributes.get(11, b""))
    own = _ip(attributes.get(2) or attributes[1])
    if not own.startswith("fe80:"):  # the kernel's own come a while after their interface
        yield f"address {names.get(index, '?')} {own}/{length} scope {scope} flags {flags:x} proto {proto}"


def _route(head: bytes, attributes: Attributes, names: dict[int, str]) -> Iterator[str]:
    family, to, dummy, dummy, dummy, proto, scope, kind, flags = struct.unpack("=BBBBBBBBI", head)
    table = _number(attributes[15]) if 15 in attributes else head[4]
    if (
        flags & CLONED
        or table == LOCAL_TABLE
        or (family == socket.AF_INET6 and attributes.get(1, b"")[:1] in (b"\xff", b"\xfe"))
    ):
        return
    words = [f"route {_ip(attributes[1])}/{to}" if 1 in attributes else f"route default {family}"]
    words += [f"via {_ip(attributes[5])}"] if 5 in attributes else []
    words += [f"dev {names.get(_number(attributes[4]), '?')}"] if 4 in attributes else []
    words += [f"from {_ip(attributes[7])}"] if 7 in attributes else []
    words += [f"metrics {attributes[8].hex()}"] if 8 in attributes else []
    words += [f"nexthops {attributes[9].hex()}"] if 9 in attributes else []
    yield " ".join(
        [*words, f"metric {_number(attributes.get(6, b''))} table {table} proto {proto} scope {scope} type {kind}"]
    )


def _rule(head: bytes, attributes: Attributes) -> str:
    length = head[2]
    source = f"{_ip(attributes[2])}/{length}" if 2 in attributes else "all"
    proto = _number(attributes.get(21, b""))
    return f"rule {head[0]} {_number(attributes.get(6, b''))} from {source} table {_number(attributes.get(15, b''))} proto {proto}"
