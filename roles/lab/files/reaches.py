# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls between network namespaces of this host, and what was not as expected: a sentence a line, nothing where all of it was.

    python3 - JSON

The JSON has ``calls``, a list as the role's ``lab_reaches``, and the seconds ``within`` which a call is answered and it is ``blocked_for``.
A socket stays in the namespace that it was opened in, so one process has all ends. It needs nothing but Python 3.8 and "ip".
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import ipaddress
import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from typing import Any, Iterator, NamedTuple

CLONE_NEWNET = 0x40000000
FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
EXPECTED = ("reaches", "blocked")
KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
ESTABLISHED = "01"  # in /proc/net/tcp
AT_ONCE = 200  # calls
RESENT = 0.2  # seconds between two datagrams of a call
HOME = os.open("/proc/self/ns/net", os.O_RDONLY)


class Wrong(Exception):
    """Something that is asked for does not exist, or cannot be told: a sentence."""


@contextlib.contextmanager
def inside(name: str) -> Iterator[None]:
    """A block in which this thread is in a network namespace: ``host``, a name in /run/netns or a path."""
    try:
        handle = os.open("/proc/self/ns/net" if name == "host" else os.path.join("/run/netns", name), os.O_RDONLY)
    except OSError:
        raise Wrong(
            "There is no {} on {}, only host, {}.".format(name, socket.gethostname(), ", ".join(sorted(names())))
        )
    try:
        _enter(handle)
        yield
    finally:
        _enter(HOME)
        os.close(handle)


def names() -> list[str]:
    try:
        return os.listdir("/run/netns")
    except OSError:
        return []


def _enter(handle: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def address_of(name: str, family: str | None) -> str:
    """The address that a name means, or the address that it is."""
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(name))
    with inside(name):
        shown = subprocess.run(["ip", "-j", "address", "show", "scope", "global"], stdout=subprocess.PIPE, check=True)
    listed = [one for link in json.loads(shown.stdout or b"[]") for one in link.get("addr_info", [])]
    found = [one for one in listed if one]  # "ip" leaves an empty place for each that it filters out
    wanted = [{"inet": "ipv4", "inet6": "ipv6"}[one["family"]] for one in found]
    for kind in [family] if family else ["ipv4", "ipv6"]:
        if kind in wanted:
            return str(found[wanted.index(kind)]["local"])
    raise Wrong(
        "{} has no {} address that could be called.".format(
            name, {"ipv4": "IPv4", "ipv6": "IPv6"}.get(family or "", "IP")
        )
    )


class Listener:
    """Hears what comes to a port, and answers with it. ``ours`` is false where somebody else listens there."""

    def __init__(self, name: str, port: int, protocol: str, family: int) -> None:
        self.name, self.port, self.protocol, self.family = name, port, protocol, family
        self.heard: dict[bytes, str] = {}  # by a call's token, who it came from
        self.ours = True
        with inside(name):
            self.socket = socket.socket(family, KINDS[protocol])
            if family == socket.AF_INET6:
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if protocol == "tcp":
                self.socket.setsockopt(
                    socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
                )  # what is left of earlier calls is no listener
            try:
                self.socket.bind(("", port))
                if protocol == "tcp":
                    self.socket.listen(512)
            except OSError as error:
                self.ours = False
                self.socket.close()
                if error.errno != errno.EADDRINUSE:
                    raise Wrong(f"Nobody can listen at port {port}/{protocol} of {name}: {error.strerror}.")

    def serve(self, ended: threading.Event) -> None:
        """Answer until it has ended."""
        self.socket.setblocking(False)
        open_ = [self.socket]
        while not ended.is_set():
            for one in select.select(open_, [], [], 0.05)[0]:
                with contextlib.suppress(OSError):
                    if one is self.socket and self.protocol == "tcp":
                        open_.append(one.accept()[0])
                        continue
                    token, source = one.recvfrom(64) if one is self.socket else (one.recv(64), one.getpeername())
                    if token:
                        self.heard[token] = source[0]
                        one.sendto(token, source) if one is self.socket else one.sendall(token)
                        continue
                if one is not self.socket:
                    open_.remove(one)
                    one.close()
        for one in open_:
            one.close()

    def peers(self) -> list[str]:
        """Who is connected to the port, whoever listens there."""
        found = []
        for table in ("tcp", "tcp6"):
            with inside(self.name), contextlib.suppress(FileNotFoundError), open(
                "/proc/thread-self/net/" + table, encoding="ascii"
            ) as file:
                for line in file.readlines()[1:]:
                    local, remote, state = line.split()[1:4]
                    if state == ESTABLISHED and int(local.rpartition(":")[2], 16) == self.port:
                        found.append(remote)
        return found


def readable(remote: str) -> str:
    """The address of an entry of /proc/net/tcp: words of the machine's own order, in hexadecimal."""
    words = bytes.fromhex(remote.partition(":")[0])
    turned = b"".join(struct.pack("=I", *struct.unpack(">I", words[at : at + 4])) for at in range(0, len(words), 4))
    address = ipaddress.ip_address(turned)
    return str(getattr(address, "ipv4_mapped", None) or address)


class Outcome(NamedTuple):
    """Of a call: whether it was answered, whether the listener heard it, who that saw, and what the caller was told."""

    answered: bool
    heard: bool
    source: str
    told: str


KEYS = {
    "from": None,
    "to": None,
    "port": None,
    "protocol": tuple(KINDS),
    "family": tuple(FAMILIES),
    "listener": None,
    "expect": EXPECTED,
    "seen_as": None,
}


def checked(given: Any) -> dict[str, Any]:
    """An entry of the list, if it can be understood."""
    if not isinstance(given, dict):
        raise Wrong(f"{json.dumps(given)} is no call, which has from, to and port.")
    for key in given:
        if key not in KEYS:
            raise Wrong("A call has a key {}: it has {} and no other.".format(key, ", ".join(KEYS)))
    for key in ("from", "to", "port"):
        if given.get(key) in (None, ""):
            raise Wrong(f"A call does not say {key}: {json.dumps(given)}.")
    for key, choices in KEYS.items():
        if choices and given.get(key) not in (None, *choices):
            raise Wrong(
                "The call of {} to {} has {}: {}, which is to be {}.".format(
                    given["from"], given["to"], key, given[key], " or ".join(choices)
                )
            )
    if not str(given["port"]).isdigit() or not 1 <= int(given["port"]) <= 65535:
        raise Wrong(
            "The call of {} to {} has port: {}, which is to be a number from 1 to 65535.".format(
                given["from"], given["to"], given["port"]
            )
        )
    return given


class Call:
    """One call, with its sockets in their namespaces."""

    def __init__(
        self, given: dict[str, Any], number: int, listeners: dict[tuple[Any, ...], Listener], limits: dict[str, float]
    ) -> None:
        self.client, self.to, self.port = given["from"], given["to"], int(given["port"])
        self.protocol, self.blocked = given.get("protocol") or "tcp", given.get("expect") == "blocked"
        self.seen_as = given.get("seen_as") or ""
        if self.seen_as:
            try:
                self.seen_as = str(ipaddress.ip_address(self.seen_as))
            except ValueError:
                raise Wrong(f"The call of {self.client} to {self.to} has seen_as: {self.seen_as}, which is no address.")
        self.seconds = limits["blocked_for" if self.blocked else "within"]
        self.token = b"%d-%d" % (os.getpid(), number)
        self.address = address_of(self.to, given.get("family"))
        self.where = f"{self.to} at {self.address}" if self.to != self.address else self.address
        self.where += f" port {self.port}/{self.protocol}"
        if self.blocked and self.seen_as:
            raise Wrong(f"Nobody sees {self.client} call {self.where}, which is to be blocked: leave seen_as out.")
        family = FAMILIES["ipv6" if ":" in self.address else "ipv4"]
        name = given.get("listener") or (self.to if self.to != self.address else "")
        self.listener = self._listener(name, family, listeners) if name else None
        if self.protocol == "udp" and not (self.listener and self.listener.ours):
            raise Wrong(
                "Whether {} reaches {} is not to be told: {}. Only a listener of its own answers over UDP.".format(
                    self.client,
                    self.where,
                    "somebody else listens at that port" if self.listener else "no listener is named",
                )
            )
        with inside(self.client):
            self.socket = socket.socket(family, KINDS[self.protocol])
        if self.protocol == "tcp":  # its end is an RST, which leaves nobody waiting
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _listener(self, name: str, family: int, listeners: dict[tuple[Any, ...], Listener]) -> Listener:
        name, dummy, port = name.rpartition(":") if name.rpartition(":")[2].isdigit() else (name, "", str(self.port))
        key = (name, int(port), self.protocol, family)
        if key not in listeners:
            listeners[key] = Listener(*key)
        return listeners[key]

    def outcome(self) -> Outcome:
        """Call, and wait for the answer."""
        before = [] if self.listener is None or self.listener.ours else self.listener.peers()
        with self.socket:
            try:
                answered, told = (self._stream if self.protocol == "tcp" else self._datagrams)()
            except OSError as error:
                answered, told = False, error.strerror or f"nobody answers within {self.seconds:g} seconds"
            if self.listener and not self.listener.ours and answered:
                new = [one for one in self.listener.peers() if one not in before]
                port = f"{self.socket.getsockname()[1]:04X}"  # which translation keeps where it can
                new.sort(key=lambda one: not one.endswith(":" + port))
                return Outcome(True, True, readable(new[0]) if new else "", "")
        heard = self.listener.heard.get(self.token, "") if self.listener else ""
        return Outcome(answered, bool(heard), heard, told)

    def _stream(self) -> tuple[bool, str]:
        self.socket.settimeout(self.seconds)
        self.socket.connect((self.address, self.port))
        if self.listener is None or not self.listener.ours:
            return True, ""
        self.socket.sendall(self.token)
        return self.socket.recv(64) == self.token, "somebody else answers there"

    def _datagrams(self) -> tuple[bool, str]:
        end = time.monotonic() + self.seconds
        told = ""
        while time.monotonic() < end:
            self.socket.settimeout(max(0.01, min(RESENT, end - time.monotonic())))
            try:
                self.socket.sendto(self.token, (self.address, self.port))
                if self.socket.recvfrom(64)[0] == self.token:
                    return True, ""
            except socket.timeout:
                continue
            except OSError as error:
                told = error.strerror or ""
                time.sleep(RESENT)
        return False, told or f"nobody answers within {self.seconds:g} seconds"

    def mistake(self) -> str:
        """What is not as expected, a sentence; empty if all is."""
        done = self.outcome()
        if self.blocked:
            if done.heard or done.answered:
                return f"{self.client} reaches {self.where}, which should be blocked."
            return ""
        if not done.answered:
            if done.heard:
                return f"What {self.client} sends arrives at {self.where}, but no answer comes back: {done.told}."
            return f"{self.client} does not reach {self.where}: {done.told}."
        if self.seen_as and self.listener is None:
            return f"Who answers {self.client} at {self.where} is not known, so not whom that sees either: name the listener."
        if self.seen_as and self.seen_as != done.source:
            return "{} reaches {}, but is seen as {} there instead of {}.".format(
                self.client,
                self.where,
                done.source or "nobody",
                self.seen_as,
            )
        return ""


def mistakes(calls: list[dict[str, Any]], limits: dict[str, float]) -> list[str]:
    """What is not as expected of calls that are made at once."""
    listeners: dict[tuple[Any, ...], Listener] = {}
    found: list[str] = [""] * len(calls)
    made: dict[int, Call] = {}
    for number, given in enumerate(calls):
        try:
            made[number] = Call(checked(given), number, listeners, limits)
        except Wrong as error:
            found[number] = str(error)
    ended = threading.Event()
    serving = [threading.Thread(target=one.serve, args=(ended,), daemon=True) for one in listeners.values() if one.ours]
    calling = [
        threading.Thread(target=lambda at=at, call=call: found.__setitem__(at, call.mistake()), daemon=True)
        for at, call in made.items()
    ]
    for one in [*serving, *calling]:
        one.start()
    for one in calling:
        one.join()
    ended.set()
    for one in serving:
        one.join()
    return [one for one in found if one]


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    for first in range(0, len(asked["calls"]), AT_ONCE):
        for sentence in mistakes(asked["calls"][first : first + AT_ONCE], asked):
            print(sentence)
