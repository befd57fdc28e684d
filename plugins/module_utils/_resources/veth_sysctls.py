# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sysctls of the other end of a pair: they come and go with it. Pure but for the state."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import sysctls
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Link, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State


def parse_sysctls(given: Mapping[str, Any], peer_name: str) -> Dict[str, str]:
    """Return the sysctls that an option gives of the interface ``peer_name``, canonical, by their one key. Raises `Invalid`."""
    found = sysctls.sysctls(given)
    for key in given:
        if sysctls.interface_of(key) != peer_name:
            raise Invalid("sysctls: '%s' is not of the interface '%s'." % (key, peer_name))
        if sysctls.key_of(key).startswith("net.ipv6.") and sysctls.key_of(key).endswith(".mtu"):
            raise Invalid(
                "sysctls: '%s' is set by the kernel each time the interface comes up; give the pair, or its network, an mtu."
                % key
            )
    return {sysctls.key_of(key): value for key, value in found.items()}


def of_interface(key: str, name: str) -> str:
    """Return the key of the same sysctl of the interface ``name``."""
    return sysctls.key_of(key, name)


def peer_sysctls(
    wanted: Mapping[str, str], peer_name: str, peer_ns: int, far: Optional[Link], state: State
) -> Dict[str, Optional[str]]:
    """Return the ``wanted`` sysctls of the peer ``far`` as they are, None for a key that the kernel has not. Those of a peer that has yet to come,
    or to be named, are ``""``: what a new interface has is the kernel's affair."""
    there = far is not None and far.index > 0 and far.name == peer_name
    ns = peer_ns if peer_ns > 0 else state.need(HOST)
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
