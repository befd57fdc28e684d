# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The netlink socket: requests out, answers in, whatever the answers look like."""

from __future__ import annotations

import errno
import socket
import struct

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import transport
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import (
    ACK,
    CREATE,
    DUMP,
    NetlinkError,
    Socket,
)
from ansible_collections.linuxnet.containers.tests.unit.netlink_wire import (
    HEADER,
    Wire,
    acknowledged,
    done,
    message,
)

GETLINK = 18
INTERRUPTED = 0x10


def refused(wire: Wire, flags: int = ACK) -> NetlinkError:
    with pytest.raises(NetlinkError) as caught:
        wire.request(16, flags, b"body")
    return caught.value


# --- requests and answers ---


def test_a_request_is_one_message_with_the_next_number() -> None:
    with Wire(acknowledged(1), acknowledged(2)) as wire:
        wire.request(16, ACK | CREATE, b"body")
        wire.request(17, ACK, b"")
        first, second = wire.sent()
    assert first == HEADER.pack(20, 16, 0x1 | 0x4 | 0x400, 1, 0) + b"body"
    assert second == HEADER.pack(16, 17, 0x1 | 0x4, 2, 0)


def test_an_answer_of_one_message_ends_with_it() -> None:
    with Wire(message(16, b"abc")) as wire:
        assert wire.request(GETLINK, 0, b"") == [message(16, b"abc")[:19]]


def test_a_dump_goes_on_over_many_datagrams_up_to_its_end() -> None:
    with Wire(message(16, b"a" * 4) + message(16, b"b" * 5), message(16, b"c" * 4), done()) as wire:
        assert [data[16:] for data in wire.request(GETLINK, DUMP, b"")] == [b"aaaa", b"bbbbb", b"cccc"]


def test_the_end_may_be_in_the_same_datagram_and_without_a_code() -> None:
    with Wire(message(16, b"a") + message(3, b"")) as wire:
        assert [data[16:] for data in wire.dump(GETLINK, b"")] == [b"a"]


def test_an_acknowledgement_is_no_message_of_the_answer() -> None:
    with Wire(acknowledged()) as wire:
        assert wire.request(16, ACK, b"") == []


def test_what_belongs_to_another_request_is_left_out() -> None:
    """A request that was given up may still be answered."""
    with Wire(message(16, b"old", sequence=0), message(16, b"old", sequence=7) + message(16, b"new")) as wire:
        assert [data[16:] for data in wire.request(GETLINK, 0, b"")] == [b"new"]


# --- refusals ---


def test_a_refusal_has_the_kernel_s_own_sentence() -> None:
    error = refused(Wire(acknowledged(code=-errno.EINVAL, sentence=b"Address not allowed")))
    assert (error.errno, error.detail) == (errno.EINVAL, "Address not allowed")


def test_the_sentence_may_follow_the_whole_request() -> None:
    request = message(16, b"x" * 9)
    error = refused(Wire(acknowledged(code=-errno.EINVAL, sentence=b"no", request=request)))
    assert (error.errno, error.detail) == (errno.EINVAL, "no")


def test_without_a_sentence_the_detail_is_empty() -> None:
    error = refused(Wire(acknowledged(code=-errno.EEXIST)))
    assert (error.errno, error.detail, error.strerror) == (errno.EEXIST, "", "File exists")


def test_a_dump_may_be_refused_at_its_end_with_a_sentence() -> None:
    wire = Wire(message(16, b"a"), done(code=-errno.EOPNOTSUPP, flags=0x202, more=transport.attribute(1, b"no such\0")))
    error = refused(wire, DUMP)
    assert (error.errno, error.detail) == (errno.EOPNOTSUPP, "no such")


def test_a_sentence_of_any_encoding_is_shown() -> None:
    assert refused(Wire(acknowledged(code=-1, sentence=b"\xff!"))).detail == "\N{REPLACEMENT CHARACTER}!"


# --- dumps that others interrupt ---


def test_an_interrupted_dump_is_taken_again() -> None:
    halves = [message(16, b"old", INTERRUPTED), done(1), message(16, b"new", sequence=2), done(2)]
    with Wire(*halves) as wire:
        assert [data[16:] for data in wire.dump(GETLINK, b"body")] == [b"new"]
        assert [data[16:] for data in wire.sent()] == [b"body"] * 2


def test_it_counts_wherever_the_kernel_says_so() -> None:
    with Wire(message(16, b"old"), done(1, flags=2 | INTERRUPTED), done(2)) as wire:
        assert wire.dump(GETLINK, b"") == []


def test_it_is_taken_again_for_seconds() -> None:
    """N=2000: after the pairs were made the kernel went on to change the host's addresses, and nine times were not enough."""
    tries = 12
    with Wire(*(done(number + 1, flags=INTERRUPTED) for number in range(tries)), done(tries + 1)) as wire:
        assert wire.dump(GETLINK, b"") == []
        assert len(wire.sent()) == tries + 1


def test_one_that_is_interrupted_all_the_time_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = 9
    monkeypatch.setattr(transport, "_DUMPING", 0.0)
    with Wire(*(done(number + 1, flags=INTERRUPTED) for number in range(tries))) as wire:
        with pytest.raises(NetlinkError) as caught:
            wire.dump(GETLINK, b"")
        assert len(wire.sent()) == tries
    assert caught.value.errno == errno.EAGAIN
    assert caught.value.detail == "the list was changed each of the 9 times that it was read"


def test_a_dump_that_is_refused_is_not_taken_again() -> None:
    with Wire(acknowledged(code=-errno.ENOENT)) as wire:
        with pytest.raises(NetlinkError):
            wire.dump(GETLINK, b"")
        assert len(wire.sent()) == 1


# --- answers that are none ---


def test_a_kernel_that_does_not_answer_is_given_up() -> None:
    error = refused(Wire(timeout=0.05))
    assert (error.errno, error.detail) == (errno.ETIMEDOUT, "the kernel did not answer within 10 s")


@pytest.mark.parametrize(
    "datagram",
    [
        b"\x10",
        bytes(16),
        HEADER.pack(15, 16, 0, 1, 0),
        HEADER.pack(17, 16, 0, 1, 0),
        HEADER.pack(1 << 31, 16, 0, 1, 0) + b"more",
        message(16, b"fine", sequence=9) + b"\1\2\3\4",
        acknowledged(code=7),
        acknowledged(code=-(1 << 31)),
    ],
)
def test_bytes_that_are_no_message_are_an_error_and_end_the_reading(datagram: bytes) -> None:
    assert refused(Wire(datagram)).errno == errno.EBADMSG


def test_a_refusal_that_is_cut_short_is_still_one() -> None:
    assert refused(Wire(message(2, struct.pack("=i", -errno.EPERM), 0x300))).errno == errno.EPERM


# --- attributes ---


def test_attributes_by_type_of_several_the_first() -> None:
    data = transport.attribute(3, b"abc") + transport.attribute(0x8004, b"") + transport.attribute(3, b"second")
    assert transport.attributes(data) == {3: b"abc", 4: b""}
    assert transport.values(data, 3) == [b"abc", b"second"]
    assert transport.spans(b"head" + data, 4)[3] == (8, 11)


def test_attributes_are_padded_to_four_bytes() -> None:
    assert transport.attribute(1, b"12345") == b"\x09\x00\x01\x0012345\0\0\0"


@pytest.mark.parametrize("rest", [b"", b"\1", b"\0\0\0\0", b"\3\0\1\0", b"\xff\xff\5\0cut"])
def test_what_is_no_attribute_ends_them(rest: bytes) -> None:
    data = transport.attribute(1, b"abcd") + rest
    assert transport.attributes(data)[1] == b"abcd"
    assert transport.values(data, 1) == [b"abcd"]


# --- the running kernel, which is only read ---


def test_the_kernel_answers_and_refuses() -> None:
    loopback = struct.pack("=BxHiII", 0, 0, 1, 0, 0)
    with Socket(transport.ROUTE) as sock:
        assert sock.request(GETLINK, 0, loopback)[0][20:24] == struct.pack("=i", 1)
        assert loopback[4:8] in [data[20:24] for data in sock.dump(GETLINK, bytes(16))]
        with pytest.raises(NetlinkError) as caught:
            sock.request(GETLINK, 0, struct.pack("=BxHiII", 0, 0, 0x7FFFFFFF, 0, 0))
        assert caught.value.errno == errno.ENODEV
        assert sock.fileno() > 2
    with pytest.raises(OSError, match="Bad file descriptor"):
        sock.request(GETLINK, 0, loopback)


def test_it_is_told_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_TIMEOUT", 3)
    with Socket(transport.ROUTE) as sock:
        assert sock._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, 16) == struct.pack("@ll", 3, 0)
