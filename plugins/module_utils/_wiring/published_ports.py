# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Published ports as docker and Compose spell them, and as the results show them. Pure."""

from __future__ import annotations

import re
from typing import Any, Dict, Mapping

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import EVERYWHERE, PortMapping
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid

# [HOST_IP:]HOST_PORT:CONTAINER_PORT[/PROTOCOL], an IPv6 address in brackets.
_SHORT = re.compile(
    r"(?:(?:\[(?P<six>[^\]]*)\]|(?P<four>[^:\[\]]*)):)?(?P<host>[^:/]+):(?P<to>[^:/]+)(?:/(?P<protocol>\w+))?"
)
# As docker has it, of a port of the host that it chooses: without one, with nothing or 0 in its place.
_ANY = re.compile(
    r"(?:(?:\[[^\]]*\]|[^:\[\]]*)::|(?:(?:\[[^\]]*\]|[^:\[\]]+):)?0:)?(?P<to>[0-9]+(?:-[0-9]+)?)(?P<protocol>/\w+)?"
)
_CHANCE = "'%s' names no port of the host: docker would take one that is free, another one each time. Name it: '%s:%s%s', in quotes."
_FORM = "it is written [HOST_IP:]HOST_PORT:CONTAINER_PORT[/PROTOCOL], in quotes."
_LONG = {"target", "published", "protocol", "host_ip", "mode", "name", "app_protocol"}


@dataclass(frozen=True)
class Port:
    """An entry of a list of published ports. ``host_ip`` is ``""`` for all addresses of all families."""

    host_port: str
    to_port: str
    protocol: str = "tcp"
    host_ip: str = ""


def parse(value: Any) -> Port:
    """Return what an entry of docker's ``-p`` or of Compose's ``ports`` means, in the short or the long form. Raises `Invalid`."""
    if isinstance(value, Mapping):
        if not set(value) - _LONG and value.get("target") is not None and str(value.get("published") or "0") == "0":
            raise _by_chance(str(value["target"]), str(value["target"]), "")
        if set(value) - _LONG or value.get("target") is None:
            raise Invalid(
                "the long form of a published port has target and published, and maybe protocol and host_ip; this one has %s."
                % (", ".join(sorted(str(name) for name in value)) or "nothing")
            )
        return Port(
            str(value["published"]),
            str(value["target"]),
            str(value.get("protocol") or "tcp").lower(),
            str(value.get("host_ip") or ""),
        )
    if isinstance(value, int) and not isinstance(value, bool):
        host, to = divmod(value, 60)
        if value > 65535 or host == to:
            raise Invalid(
                "%d is a number; YAML reads %d:%d as that (base 60) unless it is in quotes: %s"
                % (value, host, to, _FORM)
            )
    text = str(value)
    chance = _ANY.fullmatch(text)
    if chance is not None:
        raise _by_chance(text, chance["to"], chance["protocol"] or "")
    match = _SHORT.fullmatch(text)
    if match is None:
        raise Invalid("'%s' is no published port: %s" % (text, _FORM))
    return Port(match["host"], match["to"], (match["protocol"] or "tcp").lower(), match["six"] or match["four"] or "")


def _by_chance(text: str, to: str, protocol: str) -> Invalid:
    """Return the error for an entry that leaves the port of the host to chance."""
    first = to.partition("-")[0]
    number = int(first) if first.isdecimal() else 0
    host = str(number + 8000) if number < 1000 else first
    last = to.partition("-")[2]
    if last.isdecimal():
        host += "-%d" % (int(host) + int(last) - number)
    return Invalid(_CHANCE % (text, host, to, protocol))


def spelled(port: Port) -> str:
    """Return an entry in docker's spelling."""
    host = "[%s]:" % port.host_ip if ":" in port.host_ip else port.host_ip and port.host_ip + ":"
    protocol = "" if port.protocol == "tcp" else "/" + port.protocol
    return "%s%s:%s%s" % (host, port.host_port, port.to_port, protocol)


def shown(mapping: PortMapping) -> Dict[str, Any]:
    """Return a published port as results show it: ``host_ip`` is None for all addresses, a range is ``FIRST-LAST``."""
    last = (mapping.to_port or mapping.first) + mapping.last - mapping.first
    return {
        "host_ip": None if mapping.host_ip == EVERYWHERE[mapping.family] else mapping.host_ip,
        "host_port": mapping.ports,
        "to_address": mapping.to,
        "to_port": str(mapping.to_port or mapping.first)
        if mapping.first == mapping.last
        else "%d-%d" % (mapping.to_port or mapping.first, last),
        "protocol": mapping.protocol,
    }
