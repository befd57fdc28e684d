# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All readers of what comes from outside, each with what it understands: recorded, or as the tools and the kernel spell it.

Here is what comes over sockets, from the wire, and out of files; `readers_of_tools` and `readers_of_users` have the others.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Generator, Iterator
from types import ModuleType
from typing import Any
from unittest import mock

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import arp_nd, files, namespaces, reader
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import (
    addresses,
    conntrack,
    fdb,
    links,
    routes,
    sock_diag,
    transport,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import attribute
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs import engines, iptables
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.tests.unit.fuzz import Reader
from ansible_collections.linuxnet.containers.tests.unit.netlink_wire import (
    MESSAGES,
    Answering,
    Wire,
    acknowledged,
    done,
    message,
)
from ansible_collections.linuxnet.containers.tests.unit.readers_of_tools import TOOLS
from ansible_collections.linuxnet.containers.tests.unit.readers_of_users import USERS

KERNEL = (Refused, OSError)  # which `execution.plan`, or the runner, puts into a sentence


# --- sockets ---


def received(data: bytes) -> None:
    with Wire(data or b"\0", timeout=0.001) as wire:
        wire.dump(18, b"")


def dumped(read: Callable[..., Any], *arguments: Any) -> Callable[[bytes], Any]:
    return lambda data: read(Answering([data, data]), *arguments)


def all_links(data: bytes) -> None:
    for link, _nsid in links.read_all(Answering([data, data])):
        str([dict(link.attributes), link.describe(), link.get("mtu")])


def all_routes(family: int) -> Callable[[bytes], Any]:
    return lambda data: [str(route) for route in routes.read_all(Answering([data, data]), family, 254, str)]


def marked(data: bytes) -> None:
    routes.read_marked(Answering([data], [data]), 76)


def all_flows(data: bytes) -> None:
    with mock.patch.object(conntrack, "Socket", return_value=Answering([data])):
        conntrack.flows(4)


def listening(data: bytes) -> None:
    with mock.patch.object(sock_diag, "Socket", return_value=Answering(*[[data]] * 6)):
        sock_diag.listening()


HOPS = bytes.fromhex("1000000002000000") + attribute(5, bytes([10, 0, 0, 2])) + bytes.fromhex("0800000003000000")
IP4, IP6, MAC = bytes([10, 0, 0, 2]), bytes.fromhex("fd00") + bytes(14), b"\2\0\0\0\0\1"
REFUSALS = [
    acknowledged(code=-22, sentence=b"no", request=message(16, b"body")),
    done(code=-22, flags=0x202, more=attribute(1, b"no\0")),
]
SOCKETS = [
    Reader(
        "netlink: datagrams", received, [*MESSAGES["datagrams"], message(16, b"abcd") + done(), *REFUSALS], KERNEL, 0.3
    ),
    Reader("netlink: attributes", transport.attributes, [attribute(1, b"abc") + attribute(2, b"")], KERNEL, 5),
    Reader("netlink: links", all_links, MESSAGES["links"], KERNEL),
    Reader("netlink: one link", dumped(links.read, "br0"), MESSAGES["links"], KERNEL),
    Reader("netlink: ports of a bridge", dumped(links.read_ports, 7), MESSAGES["links"], KERNEL),
    Reader("netlink: VLANs", dumped(links.read_vlans, 3), MESSAGES["vlans"], KERNEL, 5),
    Reader("netlink: whom a vxlan floods to", dumped(fdb.read, 4), MESSAGES["fdb"], KERNEL, 5),
    Reader("netlink: ids of namespaces", dumped(links.nsid, 3), MESSAGES["nsid"], KERNEL, 5),
    Reader("netlink: addresses", dumped(addresses.read_all), MESSAGES["addresses"], KERNEL, 5),
    Reader("netlink: routes", all_routes(4), MESSAGES["routes"], KERNEL, 5),
    Reader("netlink: routes of IPv6", all_routes(6), MESSAGES["routes6"], KERNEL, 5),
    Reader("netlink: ways of a route", lambda data: list(routes._nexthops(data)), [HOPS], KERNEL, 5),
    Reader("netlink: policy rules", dumped(routes.read_policies, 4), MESSAGES["policies"], KERNEL, 5),
    Reader("netlink: tables with a mark", marked, MESSAGES["routes"] + MESSAGES["policies"], KERNEL, 5),
    Reader("netlink: flows", all_flows, MESSAGES["flows"], KERNEL, 5),
    Reader("sock_diag: listeners", listening, MESSAGES["listeners"], KERNEL),
    Reader("wire: ARP", lambda data: arp_nd._answer(data, IP4, MAC), [arp_nd._statement("10.0.0.2", b"\2" * 6)[1]]),
    Reader(
        "wire: advertisements", lambda data: arp_nd._answer(data, IP6, MAC), [arp_nd._statement("fd00::", b"\2" * 6)[1]]
    ),
]


# --- files of the kernel, and others' ---


@contextlib.contextmanager
def holding(module: ModuleType, **contents: bytes) -> Generator[None, None, None]:
    """A block in which a file that a module of ours opens has contents, by the end of its path; others are not there. /proc has process 1."""

    def opened(path: str, *dummy: Any, **options: Any) -> io.TextIOWrapper:
        for name, data in contents.items():
            if str(path).endswith(name):
                return io.TextIOWrapper(io.BytesIO(data), **options)
        raise FileNotFoundError(2, "no such file", path)

    with (
        mock.patch.object(module, "open", opened, create=True),
        mock.patch.object(os, "listdir", return_value=["1", "self"]),
    ):
        yield


def in_file(module: ModuleType, name: str, read: Callable[[], object]) -> Callable[[bytes], None]:
    """A reader of one file."""

    def reading(data: bytes) -> None:
        with holding(module, **{name: data}):
            read()

    return reading


def holder() -> None:
    with open("/dev/null", "rb") as file:
        namespaces.lock_holder(file.fileno())


def machines(data: bytes) -> None:
    """The files of a process of systemd-nspawn, in which any part may be anything."""
    with holding(engines, stat=b"1 (systemd-nspawn) S 1 1", cmdline=data):
        engines.running("nspawn")


def in_a_group(data: bytes) -> None:
    def walk(root: str) -> Iterator[tuple[str, list[str], list[str]]]:
        yield root, [], ["cgroup.procs"]

    with holding(engines, procs=data), mock.patch.object(os, "walk", walk), contextlib.suppress(ValueError):
        engines._in_cgroup("/web")  # ValueError: whoever asks says what was not understood


def sockets_of(data: bytes) -> None:
    """What a descriptor leads to."""
    entry = mock.Mock(path="/proc/1/fd/3")
    scanned = mock.MagicMock()
    scanned.__enter__.return_value = [entry]
    with (
        mock.patch.object(os, "scandir", return_value=scanned),
        mock.patch.object(os, "readlink", return_value=os.fsdecode(data)),
    ):
        sock_diag.processes()


STAT = b"33 (python) R 32 0 0 0 -1 4194560 3504 4294 0 0 11 3 7 2 20 0 1 0 1448307 27312128 5580 18446744073709551615"
MOUNTS = b"""489 488 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
600 491 0:4 net:[4026532281] /run/netns/web rw shared:250 - nsfs nsfs rw
601 491 0:4 net:[4026532282] /run/netns/a\\040b rw shared:251 - nsfs nsfs rw
602 491 0:4 net:[4026532283] /run/netns/a\rb rw shared:251 - nsfs nsfs rw
603 491 0:4 net:[4026532284] /run/netns/d\xfc rw shared:251 - nsfs nsfs rw
"""
LOCKS = (
    b"1: FLOCK  ADVISORY  WRITE 613 00:19:%d 0 EOF\n2: POSIX  ADVISORY  READ 1 08:01:13 0 9\n"
    % os.stat("/dev/null").st_ino
)
STATUS = b"Name:\tpython\nUmask:\t0022\nPid:\t33\nCapEff:\t000001fffeffffff\nCapBnd:\t000001fffeffffff\n"
CONFIGURED = b"# Set by linuxnet.containers\nnet.ipv4.ip_forward = 1\n"
FILES = [
    Reader("/proc: mounts", in_file(namespaces, "mountinfo", namespaces.seen), [MOUNTS]),
    Reader("/proc: start of a process", in_file(namespaces, "stat", lambda: namespaces.start_time(1)), [STAT]),
    Reader("/proc: name of a process", in_file(namespaces, "comm", lambda: namespaces.command(1)), [b"python\n"]),
    Reader("/proc: locks", in_file(namespaces, "locks", holder), [LOCKS]),
    Reader("/proc: capabilities", in_file(files, "status", reader.Reader.require), [STATUS], KERNEL),
    Reader("/proc: machines", in_file(engines, "stat", lambda: engines.running("nspawn")), [STAT]),
    Reader(
        "/proc: machines' arguments", machines, [b"systemd-nspawn\0-M\0web\0", b"systemd-nspawn\0--image=/x/web.raw\0"]
    ),
    Reader("/proc: sockets", sockets_of, [b"socket:[4711]", b"pipe:[5]"]),
    Reader(
        "/proc: tables of iptables-legacy", in_file(iptables, "names", lambda: iptables._in_use(4)), [b"nat\nfilter\n"]
    ),
    Reader(
        "/proc/sys: a value",
        in_file(files, "ip_forward", lambda: files.read_sysctl("net.ipv4.ip_forward")),
        [b"1\n", b"a\tb\n"],
        KERNEL,
    ),
    Reader("/sys: processes of a group", in_a_group, [b"71\n72\n"]),
    Reader("/etc: a text", in_file(files, "machine-id", files.identity), [b"4f4f4f4f\n", CONFIGURED], KERNEL),
]
READERS = [*SOCKETS, *FILES, *TOOLS, *USERS]
