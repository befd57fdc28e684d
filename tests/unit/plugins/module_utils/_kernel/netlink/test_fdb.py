# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a vxlan floods to: what the kernel's messages say of it, and what it is sent."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import fdb
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import NetlinkError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Flooded
from ansible_collections.linuxnet.containers.tests.unit.netlink_wire import MESSAGES, Answering, by_class
from pyroute2.netlink.rtnl.ndmsg import ndmsg

NEWNEIGH, DELNEIGH, GETNEIGH = 28, 29, 30
NO_MAC = "00:00:00:00:00:00"


def entry(index: int, mac: str = NO_MAC, **attrs: Any) -> bytes:
    """A message about an entry; attributes by their name without NDA."""
    given = [("NDA_LLADDR", mac), *((f"NDA_{key}", value) for key, value in attrs.items())]
    return by_class(ndmsg, {"family": 7, "ifindex": index}, given)


def test_what_the_kernel_says_is_read_but_for_entries_with_an_address() -> None:
    sock = Answering(MESSAGES["fdb"])
    assert fdb.read(sock, 4) == (Flooded("10.0.0.2"), Flooded("10.0.0.3", 99, 7, 3))
    asked = sock.read(ndmsg)
    assert (sock.asked[0][0], asked["family"], asked["ifindex"]) == (GETNEIGH, 7, 4)
    assert fdb.read(Answering(MESSAGES["fdb"]), 5) == (), "a kernel that cannot choose sends those of all"


def test_an_entry_of_either_family() -> None:
    messages = [
        entry(4, DST="fd00::2", PORT=99),
        entry(4, DST="10.0.0.9"),
        entry(4),
        entry(4, "02:00:00:00:00:01", DST="10.0.0.7"),
    ]
    assert fdb.read(Answering(messages), 4) == (Flooded("10.0.0.9"), Flooded("fd00::2", 99))


def test_what_is_sent_is_what_is_read() -> None:
    sent = Flooded("10.0.0.2"), Flooded("10.0.0.3", 99, 7, 3)
    sock = Answering()
    fdb.change_entries(sock, 4, sent, add=True)
    assert [(type_, flags & 0xF00) for type_, flags, dummy in sock.asked] == [(NEWNEIGH, 0xC00)] * 2, "create, append"
    assert [sock.read(ndmsg, place)["state"] for place in (0, 1)] == [0x80, 0x80]
    assert [sock.read(ndmsg, place)["flags"] for place in (0, 1)] == [2, 2]
    assert fdb.read(Answering([bytes(16) + body for dummy, _flags, body in sock.asked]), 4) == sent
    fdb.change_entries(sock, 4, sent, add=False)
    assert [type_ for type_, _flags, dummy in sock.asked[2:]] == [DELNEIGH] * 2
    assert [body for dummy, _flags, body in sock.asked[2:]] == [body for dummy, _flags, body in sock.asked[:2]]


def test_what_is_gone_already_is_removed() -> None:
    sock = Answering(errno.ENOENT, [])
    fdb.change_entries(sock, 4, [Flooded("10.0.0.2"), Flooded("10.0.0.3")], add=False)
    assert len(sock.asked) == 2
    for add, code in ((True, errno.ENOENT), (False, errno.EPERM)):
        with pytest.raises(NetlinkError):
            fdb.change_entries(Answering(code), 4, [Flooded("10.0.0.2")], add=add)
