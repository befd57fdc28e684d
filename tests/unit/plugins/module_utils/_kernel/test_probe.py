# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One packet that is sent, over the loopback of this machine."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import probe


@pytest.fixture(name="listener")
def listening_socket() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_tcp(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    assert probe.probe("tcp", "127.0.0.1", "127.0.0.1", port) == "answers"
    listener.close()
    assert probe.probe("tcp", "", "127.0.0.1", port) == "refused"


def test_udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        answering = threading.Thread(target=lambda: server.sendto(b"x", server.recvfrom(9)[1]))
        answering.start()
        assert probe.probe("udp", "", "127.0.0.1", port) == "answers"
        answering.join()
        assert probe.probe("udp", "", "127.0.0.1", port) == "silent"
    assert probe.probe("udp", "", "127.0.0.1", port) == "refused"


def test_what_cannot_be_sent_is_an_error() -> None:
    with pytest.raises(OSError, match="assign"):
        probe.probe("tcp", "192.0.2.250", "127.0.0.1", 1)


class Echo:
    """A socket on which these packets come in."""

    def __init__(self, *packets: bytes) -> None:
        self.packets, self.sent = [*packets], b""

    def send(self, data: bytes) -> None:
        self.sent = data

    def recv(self, _size: int) -> bytes:
        packet = self.packets.pop(0) if self.packets else b""
        if not packet:
            raise TimeoutError
        return packet.replace(b"IDSQ", self.sent[4:8])


@pytest.mark.parametrize(("version", "reply", "other", "before"), [(4, 0, 8, b"\x45" + bytes(19)), (6, 129, 128, b"")])
def test_of_icmp_only_the_echo_counts(version: int, reply: int, other: int, before: bytes) -> None:
    echo, request, others = (
        before + struct.pack("!BBH", type_, 0, 0) + tail
        for type_, tail in ((reply, b"IDSQ"), (other, b"IDSQ"), (reply, b"abcd"))
    )
    sock = Echo(request, others, echo)
    assert probe._echoed(sock, version) == "answers"  # type: ignore[arg-type]
    assert sock.sent[:1] == bytes([{4: 8, 6: 128}[version]])
    with pytest.raises(TimeoutError):
        probe._echoed(Echo(request, others), version)  # type: ignore[arg-type]


def test_the_checksum_of_an_echo() -> None:
    total = sum(struct.unpack("!4H", probe._echo(4)))
    assert (total & 0xFFFF) + (total >> 16) == 0xFFFF
