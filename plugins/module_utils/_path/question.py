# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked: from whom, to whom, and by what. Pure."""

from __future__ import annotations

import re
from typing import Any, Dict, Mapping, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import addressing
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef

HOST_NAME = "host"
OPTIONS: Dict[str, Any] = {
    "source": {"type": "str", "default": HOST_NAME},
    "destination": {"type": "str", "required": True},
    "protocol": {"type": "str", "choices": ["tcp", "udp", "sctp", "icmp"]},
    "port": {"type": "int"},
    "family": {"type": "str", "choices": ["ipv4", "ipv6"]},
    "probe": {"type": "bool", "default": False},
}
_PUBLISHED = re.compile(r"(?P<port>[0-9]{1,5})(?:/(?P<protocol>tcp|udp|sctp))?", re.IGNORECASE)
_LARGEST = 65535


@dataclass(frozen=True)
class Question:
    """One question. ``source`` and ``destination`` are names; ``source_ip`` and ``ip`` what they are where they are addresses, else ``""``. ``published``:
    it is
    for a port of the host. ``port``: 0 for none, with the protocol icmp. ``family``: 0 where it was left open."""

    source: str
    destination: str
    protocol: str
    port: int
    family: int = 0
    source_ip: str = ""
    ip: str = ""
    published: bool = False
    probe: bool = False


def parse(params: Mapping[str, Any]) -> Question:
    """Return what a task asks. Raises `Invalid`."""
    source, destination = params["source"].strip(), params["destination"].strip()
    for option, text in (("source", source), ("destination", destination)):
        if not text:
            raise Invalid("%s: name a container, %s, or an address." % (option, HOST_NAME))
    protocol, port = params["protocol"], params["port"]
    published = _PUBLISHED.fullmatch(destination)
    if published:
        if port is not None:
            raise Invalid(
                "port: '%s' is a port already; name the container or the address as destination, or leave port out."
                % destination
            )
        port = int(published["port"])
        named = (published["protocol"] or "").lower()
        if named and protocol not in (None, named):
            raise Invalid("protocol: '%s' says %s, and protocol %s." % (destination, named, protocol))
        protocol = named or protocol
    if port is not None and not 1 <= port <= _LARGEST:
        raise Invalid("port: a port is a number from 1 to %d, not %d." % (_LARGEST, port))
    if protocol == "icmp" and port is not None:
        raise Invalid("port: icmp has no ports.")
    if protocol not in (None, "icmp") and port is None:
        raise Invalid("protocol: %s needs a port." % protocol)
    family = {"ipv4": 4, "ipv6": 6}.get(params["family"], 0)
    ends = _address(source), "" if published else _address(destination)
    for option, text in (("source", source), ("destination", destination)):
        if not published or option == "source":
            _check(text, option)
    families = {6 if ":" in ip else 4 for ip in ends if ip} | ({family} if family else set())
    if len(families) > 1:
        raise Invalid(
            "source and destination are of different address families; the kernel translates none to the other."
        )
    return Question(
        source,
        destination,
        protocol or ("icmp" if port is None else "tcp"),
        port or 0,
        families.pop() if families else 0,
        *ends,
        published=bool(published),
        probe=params["probe"],
    )


def _address(text: str) -> str:
    """Return an address in its canonical spelling, ``""`` for what is none."""
    try:
        return addressing.ip(text, "source")
    except Invalid:
        return ""


def _check(text: str, option: str) -> None:
    """Raise `Invalid` for what no namespace can be called, an interface neither."""
    if not _address(text):
        NsRef.parse(text, option)


def shown(question: Question) -> Tuple[str, str]:
    """Return what is asked for in words: what goes there, and to where."""
    what = "ping" if question.protocol == "icmp" else "%s port %d" % (question.protocol, question.port)
    return what, "the host" if question.destination == HOST_NAME else question.destination
