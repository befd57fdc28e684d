# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everybody asks everybody: one process that serves in all namespaces of a lab host, and asks from each of them.

    python3 actors.py < REQUEST

The request is {"actors": {NAME: PATH}, "serve": {NAME: [[PROTOCOL, ADDRESS, PORT], ...]}, "ask": [[NAME, PROTOCOL, ADDRESS, PORT], ...], "seconds": 2}:
the namespaces by name, who listens where, and the questions. Printed is a list of answers in the order of the questions: ``web saw 192.0.2.99`` (who
answered, and the source it saw), ``refused``, ``unreachable`` where there is no way, or ``silent`` where nothing came in so many seconds, twice, or nobody
has the address. ICMP is answered by the kernel, so it says ``answers``. A socket stays in the namespace that it was opened in.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import resource
import selectors
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

CLONE_NEWNET = 0x40000000
KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
REFUSED = (errno.ECONNREFUSED, errno.ECONNRESET)
UNREACHABLE = (
    errno.ENETUNREACH,
    errno.EACCES,
    errno.EPERM,
    errno.EINVAL,
    errno.EADDRNOTAVAIL,
    errno.EPROTO,
)
TOGETHER = 400  # questions that are open at a time


@contextlib.contextmanager
def inside(handle: int, home: int) -> Iterator[None]:
    """Be in a network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    for there in (handle, home):
        if libc.setns(there, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        if there is handle:
            try:
                yield
            except BaseException:
                libc.setns(home, CLONE_NEWNET)
                raise


def family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def plain(address: str) -> str:
    """An address without the interface, or the form, that a socket puts around it."""
    return address.partition("%")[0].removeprefix("::ffff:")


class Place:
    """Serves and asks, all at once."""

    def __init__(self, actors: dict[str, str], seconds: float) -> None:
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.handles = {name: os.open(path, os.O_RDONLY) for name, path in actors.items()}
        self.selector = selectors.DefaultSelector()
        self.seconds = seconds
        self.sequence = 0

    def serve(self, name: str, protocol: str, address: str, port: int) -> None:
        """Listen. Whoever calls is told who answers, and the address that was seen."""
        with inside(self.handles[name], self.home):
            listener = socket.socket(family(address), KINDS[protocol])
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if ":" in address:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((address, port))
            if protocol == "tcp":
                listener.listen(256)
        listener.setblocking(False)
        handler = self._accepted if protocol == "tcp" else self._heard
        self.selector.register(listener, selectors.EVENT_READ, lambda: handler(listener, name))

    @staticmethod
    def _accepted(listener: socket.socket, name: str) -> None:
        caller, source = listener.accept()
        with caller, contextlib.suppress(OSError):
            caller.sendall(f"{name} saw {plain(source[0])}".encode())
            caller.shutdown(socket.SHUT_WR)

    @staticmethod
    def _heard(listener: socket.socket, name: str) -> None:
        with contextlib.suppress(OSError):
            dummy, source = listener.recvfrom(100)
            listener.sendto(f"{name} saw {plain(source[0])}".encode(), source)

    def ask(self, questions: list[list[Any]]) -> list[str]:
        """Return the answer to each question."""
        answers: list[str] = []
        for first in range(0, len(questions), TOGETHER):
            answers += self._asked(questions[first : first + TOGETHER])
        silent = [number for number, answer in enumerate(answers) if answer == "silent"]
        for first in range(0, len(silent), TOGETHER):
            these = silent[first : first + TOGETHER]
            for number, answer in zip(these, self._asked([questions[one] for one in these]), strict=True):
                answers[number] = answer
        return answers

    def _asked(self, questions: list[list[Any]]) -> list[str]:
        answers: dict[int, str] = {}
        open_: dict[int, socket.socket] = {}
        for number, (name, protocol, address, port) in enumerate(questions):

            def said(text: str, number: int = number) -> None:
                answers.setdefault(number, text)

            try:
                with inside(self.handles[name], self.home):
                    asking = self._question(protocol, address, port, said)
                open_[number] = asking
            except OSError as error:
                said(_failure(error))
        end = time.monotonic() + self.seconds
        while len(answers) < len(questions) and (left := end - time.monotonic()) > 0:
            for key, dummy in self.selector.select(left):
                with contextlib.suppress(BlockingIOError):
                    key.data()
            for number in [number for number in answers if number in open_]:
                self._done(open_.pop(number))
        for asking in open_.values():
            self._done(asking)
        return [answers.get(number, "silent") for number in range(len(questions))]

    def _done(self, asking: socket.socket) -> None:
        with contextlib.suppress(KeyError):
            self.selector.unregister(asking)
        asking.close()

    def _question(self, protocol: str, address: str, port: int, said: Callable[[str], None]) -> socket.socket:
        """Send a question; ``said`` is called with what comes."""
        target: Any = (address, port)
        if "%" in address:
            address, dummy, interface = address.partition("%")
            target = (address, port, 0, socket.if_nametoindex(interface))
        if protocol == "icmp":
            return self._echo(address, target, said)
        asking = socket.socket(family(address), KINDS[protocol])
        asking.setblocking(False)
        failure = asking.connect_ex(target)
        if failure not in (0, errno.EINPROGRESS):
            asking.close()
            raise OSError(failure, "")

        def writable() -> None:
            failure = asking.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if failure:
                said(_failure(OSError(failure, "")))
            else:
                self.selector.modify(asking, selectors.EVENT_READ, readable)

        def readable() -> None:
            try:
                text = asking.recv(200).decode()
            except BlockingIOError:
                return
            except OSError as error:
                said(_failure(error))
            else:
                said(text or "refused")  # a proxy that takes the call and finds nobody behind it

        if protocol == "udp":
            asking.send(b"?")
            self.selector.register(asking, selectors.EVENT_READ, readable)
        else:
            self.selector.register(asking, selectors.EVENT_WRITE, writable)
        return asking

    def _echo(self, address: str, target: Any, said: Callable[[str], None]) -> socket.socket:
        six = ":" in address
        protocol = socket.getprotobyname("ipv6-icmp") if six else socket.getprotobyname("icmp")
        asking = socket.socket(family(address), socket.SOCK_RAW, protocol)
        asking.setblocking(False)
        self.sequence = self.sequence % 0xFFFF + 1
        number = self.sequence
        head = struct.pack("!BBHHH", 128 if six else 8, 0, 0, 0x4C4E, number)
        if not six:
            total = sum(struct.unpack("!4H", head))
            total = (total >> 16) + (total & 0xFFFF)
            head = struct.pack("!BBHHH", 8, 0, ~(total + (total >> 16)) & 0xFFFF, 0x4C4E, number)
        try:
            asking.connect((target[0], 0, *target[2:]))
            asking.send(head)
        except OSError:
            asking.close()
            raise

        def readable() -> None:
            try:
                packet = asking.recv(500)
            except BlockingIOError:
                return
            except OSError as error:
                said(_failure(error))
                return
            body = packet if six else packet[(packet[0] & 15) * 4 :]
            if body[0] == (129 if six else 0) and body[4:8] == struct.pack("!HH", 0x4C4E, number):
                said("answers")

        self.selector.register(asking, selectors.EVENT_READ, readable)
        return asking


def _failure(error: OSError) -> str:
    if error.errno in REFUSED:
        return "refused"
    if error.errno in UNREACHABLE:
        return "unreachable"
    if error.errno == errno.EHOSTUNREACH:  # of ARP or neighbour discovery: said after a while, or not in time
        return "silent"
    return errno.errorcode.get(error.errno or 0, str(error))


def main() -> None:
    request = json.load(sys.stdin)
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    place = Place(request["actors"], request["seconds"])
    for name, services in request["serve"].items():
        for service in services:
            place.serve(name, *service)
    print(json.dumps(place.ask(request["ask"])))


if __name__ == "__main__":
    main()
