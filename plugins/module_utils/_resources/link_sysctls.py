# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sysctls of an interface that is made: they come and go with it. Pure but for the state."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import sysctls
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Link, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State


def parse_sysctls(given: Mapping[str, Any], interface: str, what: str) -> Dict[str, str]:
    """Return the sysctls that an option gives of an interface, canonical, by their one key; ``what`` names what the interface is to a user. Raises
    `Invalid`."""
    found = sysctls.sysctls(given)
    for key in given:
        if sysctls.interface_of(key) != interface:
            raise Invalid("sysctls: '%s' is not of the interface '%s'." % (key, interface))
        if sysctls.key_of(key).startswith("net.ipv6.") and sysctls.key_of(key).endswith(".mtu"):
            raise Invalid(
                "sysctls: '%s' is set by the kernel each time the interface comes up; give %s, or its network, an mtu."
                % (key, what)
            )
    return {sysctls.key_of(key): value for key, value in found.items()}


def of_interface(key: str, name: str) -> str:
    """Return the key of the same sysctl of the interface ``name``."""
    return sysctls.key_of(key, name)


def as_they_are(
    wanted: Mapping[str, str], interface: str, ns: int, link: Optional[Link], state: State
) -> Dict[str, Optional[str]]:
    """Return the ``wanted`` sysctls of an interface, which ``link`` is or is to become, as they are, None for a key that the kernel has not. Those
    of one that has yet to come, or to be named, are ``""``: what a new interface has is the kernel's affair."""
    there = link is not None and link.index > 0 and link.name == interface
    ns = ns if ns > 0 else state.need(HOST)
    found: Dict[str, Optional[str]] = {}
    for key in wanted:
        value = state.sysctl(ns, key if there else sysctls.key_of(key, "default"))
        if value is None and not there:  # what the kernel has of neighbours has a default in its first namespace only
            value = state.sysctl(ns, sysctls.key_of(key, "lo"))
        found[key] = None if value is None else sysctls.canonical(key, value) if there else ""
    return found


def settled(
    ns: NsRef, wanted: Mapping[str, str], now: Mapping[str, Optional[str]]
) -> Tuple[List[Change], Dict[str, str]]:
    """Return (the steps that set the ``wanted`` sysctls where they are ``now``, what the kernel shows for them then). Raises `Refused`."""
    steps: List[Change] = []
    values: Dict[str, str] = {}
    for key, value in wanted.items():
        old = now.get(key)
        if old is None:
            raise Refused("sysctls: this kernel has no '%s'; is it misspelt?" % key)
        values[key] = sysctls.written(key, value, old)
        if values[key] != old:
            steps.append(SetSysctl(ns, key, value, old))
    return steps, values
