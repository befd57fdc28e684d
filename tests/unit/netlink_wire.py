# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in for the kernel behind a netlink socket: answers that were prepared, for tests that need no root."""

from __future__ import annotations

import socket
import struct
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import codec, transport

HEADER = struct.Struct("=IHHII")
ERROR, DONE = 2, 3
MESSAGES: dict[str, list[bytes]] = defaultdict(list)  # that the kernel sent, by what was asked for
for _line in (Path(__file__).parent / "recorded/netlink.txt").read_text(encoding="ascii").splitlines():
    MESSAGES[_line.split()[0]].append(bytes.fromhex(_line.split()[1]))


def message(kind: int, body: bytes, flags: int = 0, sequence: int = 1) -> bytes:
    """A netlink message, padded."""
    length = HEADER.size + len(body)
    return HEADER.pack(length, kind, flags, sequence, 0) + body + bytes(-length % 4)


def done(sequence: int = 1, code: int = 0, flags: int = 2, more: bytes = b"") -> bytes:
    """The end of a dump."""
    return message(DONE, struct.pack("=i", code) + more, flags, sequence)


def acknowledged(
    sequence: int = 1, code: int = 0, sentence: bytes | None = None, request: bytes | None = None
) -> bytes:
    """An acknowledgement, or a refusal with a sentence; with ``request`` that comes back whole, else its header does."""
    header = HEADER.pack(HEADER.size, 16, 1, sequence, 0)
    more = b"" if sentence is None else transport.attribute(1, sentence + b"\0")
    flags = (0 if request else 0x100) | (0x200 if sentence is not None else 0)
    return message(ERROR, struct.pack("=i", code) + (request or header) + more, flags, sequence)


def by_class(cls: Any, fields: dict[str, Any], attrs: Sequence[tuple[str, Any]]) -> bytes:
    """A message of one of pyroute2's classes, as it comes out of a socket."""
    return message(16, codec.encode(cls, fields, attrs))


class Wire(transport.Socket):
    """A netlink socket whose other end is a test: what it will receive is put there first, datagram by datagram."""

    def __init__(self, *datagrams: bytes, timeout: float = 0.2) -> None:
        self._socket, self.far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        seconds = int(timeout)
        self._socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", seconds, int((timeout - seconds) * 1e6))
        )
        self.far.setblocking(False)
        self._sequence = 0
        for datagram in datagrams:
            self.far.send(datagram)

    def __enter__(self) -> Self:
        return self

    def sent(self) -> list[bytes]:
        """What was sent so far, since this was asked last."""
        found = []
        while True:
            try:
                found.append(self.far.recv(1 << 16))
            except BlockingIOError:
                return found

    def close(self) -> None:
        super().close()
        self.far.close()


class Answering(transport.Socket):
    """A netlink socket that has an answer ready for each request: a list of messages, or an errno. ``asked``: (type, flags, body)."""

    def __init__(self, *answers: list[bytes] | int) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[int, int, bytes]] = []
        self.closed = False

    def request(self, type_: int, flags: int, body: bytes) -> list[bytes]:
        self.asked.append((type_, flags, body))
        answer = self.answers.pop(0) if self.answers else []
        if isinstance(answer, int):
            raise transport.NetlinkError(answer)
        return answer

    def close(self) -> None:
        self.closed = True

    def read(self, cls: Any, place: int = -1) -> codec.Message:
        """A request, as the kernel would read it."""
        return codec.decode(cls, bytes(HEADER.size) + self.asked[place][2])
