# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Queueing disciplines: what is sent is what is read, and what pyroute2's classes understand."""

from __future__ import annotations

import errno
import struct
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import qdiscs
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import (
    NetlinkError,
    attribute,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.shaping import NONE, Shape, wanted
from ansible_collections.linuxnet.containers.tests.unit.netlink_wire import MESSAGES, Answering, message
from pyroute2.netlink.rtnl.tcmsg import tcmsg

NEWQDISC, DELQDISC, GETQDISC = 36, 37, 38
ROOT = 0xFFFFFFFF
TBF = wanted({"rate": "10mbit"}, NONE, 1500)
NETEM = wanted({"rate": "10mbit", "delay": "10ms", "jitter": "500us", "loss": "0.5%"}, NONE, 1500)
FAST = wanted({"rate": "100gbit"}, NONE, 1500)


def sent(shape: Shape) -> tuple[int, int, bytes]:
    sock = Answering()
    qdiscs.put(sock, 4, shape)
    return sock.asked[0]


def as_pyroute2_reads(shape: Shape) -> tcmsg:
    kind, dummy, body = sent(shape)
    decoded = tcmsg(message(kind, body))
    decoded.decode()
    return decoded


@pytest.mark.parametrize(
    "shape", [TBF, NETEM, FAST, replace(NETEM, rate=0), replace(NETEM, rate=10**11), replace(NETEM, delay=0, jitter=0)]
)
def test_what_is_sent_is_what_is_read(shape: Shape) -> None:
    kind, flags, body = sent(shape)
    assert (kind, flags & 0xF00) == (NEWQDISC, 0x500), "create, replace"
    sock = Answering([message(NEWQDISC, body)])
    found = qdiscs.read(sock, 4)
    slack = shape.rate // 8 * 64 // 10**9 + 1  # the size of a bucket is told as a time
    assert 0 <= shape.burst - found.burst <= slack
    assert (replace(found, burst=shape.burst), found.ours) == (shape, True)
    assert sock.asked[0][0] == GETQDISC
    assert sock.asked[0][2] == struct.pack("=B3xiIII", 0, 4, 0, ROOT, 0)


def test_pyroute2_reads_the_same() -> None:
    read = as_pyroute2_reads(TBF)
    parms = read.get_attr("TCA_OPTIONS").get_attr("TCA_TBF_PARMS")
    assert (read["index"], read["parent"], read["handle"] >> 16, read.get_attr("TCA_KIND")) == (4, ROOT, 0x4C4E, "tbf")
    assert (parms["rate"], parms["limit"], parms["buffer"]) == (1250000, TBF.limit, TBF.burst * 10**9 // 1250000 // 64)
    assert as_pyroute2_reads(NETEM).get_attr("TCA_KIND") == "netem"


def test_what_the_kernel_says_is_read() -> None:
    """Recorded: tbf and htb of 6.18, netem of Debian's 6.1."""
    found = [qdiscs.read(Answering([data]), 4) for data in MESSAGES["qdiscs"]]
    assert found == [
        Shape("tbf", 0x4C4E0000, 10**7, burst=14022, limit=139022),
        Shape("htb", 0x10000),
        Shape("netem", 0x4C4F0000, 10**6, 10000, 1000, 5000, limit=1000),
        Shape("netem", 0x80010000, 0, 2000, limit=1000),
    ]
    assert [(one.ours, one.name) for one in found] == [
        (True, "tbf 4c4e:"),
        (False, "htb 1:"),
        (True, "netem 4c4f:"),
        (False, "netem 8001:"),
    ]


def test_what_the_kernel_does_not_show_is_nothing() -> None:
    answers: list[Any] = [errno.ENOENT, errno.EINVAL, []]
    assert [qdiscs.read(Answering(answer), 4) for answer in answers] == [NONE] * 3
    head = struct.pack("=B3xiIII", 0, 4, 0, ROOT, 0)
    assert qdiscs.read(Answering([message(NEWQDISC, head + attribute(1, b"noqueue\0"))]), 4) == NONE
    with pytest.raises(NetlinkError):
        qdiscs.read(Answering(errno.EPERM), 4)


def test_options_that_are_none_are_no_qdisc_of_ours() -> None:
    head = struct.pack("=B3xiIII", 0, 4, TBF.handle, ROOT, 0)
    for kind in (b"tbf", b"netem"):
        with pytest.raises(NetlinkError) as caught:
            qdiscs.read(Answering([message(NEWQDISC, head + attribute(1, kind + b"\0") + attribute(2, b"short"))]), 4)
        assert caught.value.errno == errno.EBADMSG


def test_a_kernel_without_netem_is_one_that_lacks_it() -> None:
    with pytest.raises(NetlinkError) as caught:
        qdiscs.put(Answering(errno.ENOENT), 4, NETEM)
    assert (caught.value.errno, caught.value.detail) == (errno.EOPNOTSUPP, "there is no netem, of the module sch_netem")
    with pytest.raises(NetlinkError) as caught:
        qdiscs.put(Answering(errno.EPERM), 4, NETEM)
    assert caught.value.errno == errno.EPERM


def test_only_what_bears_the_handle_is_taken_away() -> None:
    sock = Answering()
    qdiscs.delete(sock, 4, TBF.handle)
    assert sock.asked[0][0] == DELQDISC
    assert sock.asked[0][2] == struct.pack("=B3xiIII", 0, 4, TBF.handle, ROOT, 0)
    for code in (errno.ENOENT, errno.EINVAL):  # gone already, or another is there
        qdiscs.delete(Answering(code), 4, TBF.handle)
    with pytest.raises(NetlinkError):
        qdiscs.delete(Answering(errno.EPERM), 4, TBF.handle)
