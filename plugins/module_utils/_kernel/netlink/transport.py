# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Netlink: the socket, for all of its families. Messages are bytes here. Layout: include/uapi/linux/netlink.h.

The socket is our own because it must stay in the namespace it was opened in, report the kernel's own sentence (extended
acknowledgement), and work inside a running event loop.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import time
from typing import Dict, Iterator, List, Tuple

ROUTE, SOCK_DIAG, NETFILTER = 0, 4, 12
ACK, DUMP, REPLACE, EXCL, CREATE = 0x4, 0x300, 0x100, 0x200, 0x400  # NLM_F_*, of requests
HEADER_BYTES, ATTRIBUTE_BYTES = 16, 4
FAMILIES = {4: int(socket.AF_INET), 6: int(socket.AF_INET6)}  # by version of IP

_REQUEST = 0x1
_DUMP_INTERRUPTED, _CAPPED, _ACK_TLVS = 0x10, 0x100, 0x200  # NLM_F_*, of answers
_ERROR, _DONE = 2, 3
_SOL_NETLINK, _CAP_ACK, _EXT_ACK, _STRICT = 270, 10, 11, 12
_ATTR_MSG = 1  # NLMSGERR_ATTR_MSG
_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence number, port
_ATTRIBUTE = struct.Struct("=HH")  # length, type
_TYPE_MASK = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER
_CODE = struct.Struct("=i")
_MAX_ERRNO = 4095  # include/linux/err.h
_BUFFER = 1 << 20  # bytes; the kernel sends at most 32 KiB at a time, unless a single message is longer
_TIMEOUT = 10  # seconds; the kernel answers in the same call, so this only bounds a broken one
# A list that others change is read at least so often, and for so many seconds: after a thousand interfaces were made the kernel goes on
# for seconds with their IPv6 addresses, each of which changes the list of addresses.
_DUMPS, _DUMPING = 9, 10.0
_PAUSE = 0.1  # seconds at most, between two times


class NetlinkError(OSError):
    """The kernel's refusal: an OSError with ``detail``, its own sentence or ``""``."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(code, os.strerror(code))
        self.detail = detail


class Socket:
    """A netlink socket of one family, in the namespace that the thread was in when it was opened."""

    def __init__(self, family: int) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, family)
        # By the kernel: Python's own time limit takes a system call more for each answer.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", _TIMEOUT, 0))
        self._socket.bind((0, 0))
        for option in (_CAP_ACK, _EXT_ACK, _STRICT):
            with contextlib.suppress(OSError):  # older kernels answer without; what they send too much is filtered here
                self._socket.setsockopt(_SOL_NETLINK, option, 1)
        self._sequence = 0

    def __enter__(self) -> Socket:
        return self

    def __exit__(self, *dummy: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def fileno(self) -> int:
        """Return the file descriptor, for ioctls in the socket's namespace."""
        return self._socket.fileno()

    def request(self, type_: int, flags: int, body: bytes) -> List[bytes]:
        """Send a message and return the messages of the answer, with their headers, without the acknowledgement or the end of a dump.

        ``flags``: with neither ACK nor DUMP among them the answer is a single message. Raises `NetlinkError` where the kernel
        refuses, also EINTR for a dump during which the list was changed; other OSErrors where the socket fails.
        """
        self._sequence = wanted = self._sequence + 1
        self._socket.send(_HEADER.pack(HEADER_BYTES + len(body), type_, _REQUEST | flags, wanted, 0) + body)
        single = not flags & (ACK | DUMP)
        found: List[bytes] = []
        interrupted = 0
        while True:
            buffer = self._received()
            offset, end = 0, len(buffer)
            while offset < end:
                try:
                    length, kind, bits, sequence, dummy = _HEADER.unpack_from(buffer, offset)
                except struct.error:
                    raise _malformed()
                if not HEADER_BYTES <= length <= end - offset:
                    raise _malformed()
                data, head, step = (
                    buffer[offset : offset + length],
                    buffer[offset : offset + HEADER_BYTES],
                    (length + 3) & ~3,
                )
                offset += step
                if sequence != wanted:  # of a request that was given up
                    continue
                interrupted |= bits & _DUMP_INTERRUPTED
                if kind in (_ERROR, _DONE):
                    code = _CODE.unpack_from(data, HEADER_BYTES)[0] if length >= HEADER_BYTES + _CODE.size else 0
                    if code:
                        raise _refusal(-code, kind, bits, data)
                    if interrupted:
                        raise NetlinkError(errno.EINTR)
                    return found
                found.append(data)
                if single:
                    return found
                # In a list most have the header of the one before: it need not be read for each of thousands.
                while buffer.startswith(head, offset) and offset + length <= end:
                    found.append(buffer[offset : offset + length])
                    offset += step

    def _received(self) -> bytes:
        try:
            buffer = self._socket.recv(_BUFFER)
        except BlockingIOError:
            raise NetlinkError(errno.ETIMEDOUT, "the kernel did not answer within %d s" % _TIMEOUT)
        if not buffer:
            raise _malformed()
        return buffer

    def dump(self, type_: int, body: bytes) -> List[bytes]:
        """Return the messages of a dump, taken again where the list was changed meanwhile. Raises `NetlinkError`, EAGAIN where it always is."""
        end = time.monotonic() + _DUMPING
        taken = 0
        while taken < _DUMPS or time.monotonic() < end:
            try:
                return self.request(type_, DUMP, body)
            except NetlinkError as error:
                if error.errno != errno.EINTR:
                    raise
            taken += 1
            time.sleep(min(0.001 * 2**taken, _PAUSE))
        raise NetlinkError(errno.EAGAIN, "the list was changed each of the %d times that it was read" % taken)


def _malformed() -> NetlinkError:
    return NetlinkError(errno.EBADMSG, "netlink's answer is no whole message")


def _refusal(code: int, kind: int, bits: int, data: bytes) -> NetlinkError:
    """Return the error that an acknowledgement, or the end of a dump, says: its sentence follows as an attribute."""
    if not 0 < code <= _MAX_ERRNO:
        return _malformed()
    offset = HEADER_BYTES + _CODE.size
    # The request's header comes before it, and all of the request unless capped.
    if kind == _ERROR and len(data) >= offset + HEADER_BYTES:
        offset += HEADER_BYTES if bits & _CAPPED else (_HEADER.unpack_from(data, offset)[0] + 3) & ~3
    text = attributes(data[offset:]).get(_ATTR_MSG, b"") if bits & _ACK_TLVS else b""
    return NetlinkError(code, text.rstrip(b"\0").decode(errors="replace"))


def spans(data: bytes, offset: int = 0) -> Dict[int, Tuple[int, int]]:
    """Return where the values of attributes begin and end, by type: the first of a type. The last of all may be cut short."""
    found: Dict[int, Tuple[int, int]] = {}
    end = len(data)
    unpack = _ATTRIBUTE.unpack_from
    while offset + 4 <= end:
        length, type_ = unpack(data, offset)
        if length < 4:
            break
        found.setdefault(type_ & _TYPE_MASK, (offset + 4, offset + length))
        offset += (length + 3) & ~3
    return found


def headers(data: bytes, offset: int) -> Iterator[int]:
    """Yield where attributes begin, and where they end by what is none, as `spans` goes through them."""
    while offset + ATTRIBUTE_BYTES <= len(data):
        yield offset
        length = _ATTRIBUTE.unpack_from(data, offset)[0]
        if length < ATTRIBUTE_BYTES:
            break
        offset += (length + 3) & ~3


def attributes(data: bytes) -> Dict[int, bytes]:
    """Return the values of attributes by type, see `spans`."""
    return {type_: data[start:end] for type_, (start, end) in spans(data).items()}


def values(data: bytes, type_: int) -> List[bytes]:
    """Return the values of all attributes of one type, in order."""
    found: List[bytes] = []
    offset = 0
    while offset + 4 <= len(data):
        length, own = _ATTRIBUTE.unpack_from(data, offset)
        if length < 4:
            break
        if own & _TYPE_MASK == type_:
            found.append(data[offset + 4 : offset + length])
        offset += (length + 3) & ~3
    return found


def attribute(type_: int, value: bytes) -> bytes:
    """Return an attribute, padded."""
    return _ATTRIBUTE.pack(len(value) + 4, type_) + value + bytes(-len(value) % 4)
