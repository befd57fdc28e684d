# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""iptables, both kinds: reading tables as text, changing them with iptables-restore. The one file that runs iptables.

A *place* is ``iptables-nft`` or ``iptables-legacy``. Where only one kind is installed its programs may have the plain names.
"""

from __future__ import annotations

import os
from typing import List, Optional

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs.run import ProgramError, run, which

_FAMILIES = {4: "iptables", 6: "ip6tables"}
_IN_USE = {4: "/proc/net/ip_tables_names", 6: "/proc/net/ip6_tables_names"}


def families() -> List[int]:
    """Return the address families of this kernel."""
    return [4, 6] if os.path.exists("/proc/sys/net/ipv6") else [4]


def default() -> str:
    """Return the place that the plain program ``iptables`` means, ``""`` where there is none."""
    program = which("iptables")
    if program is None:
        return ""
    for place in ("nft", "legacy"):
        if os.path.basename(os.path.realpath(program)) == "xtables-%s-multi" % place:
            return "iptables-" + place
    return "iptables-nft" if "nf_tables" in run(program, ["--version"]) else "iptables-legacy"


def _program(place: str, family: int, what: str) -> Optional[str]:
    """Return the program of a place, such as ip6tables-legacy-save, None where it is not installed."""
    name = _FAMILIES[family]
    own = which("%s%s-%s" % (name, place[len("iptables") :], what))
    if own is None and default() == place:
        return which("%s-%s" % (name, what))
    return own


def available(place: str) -> bool:
    """Return whether a place can be read and written here."""
    return _program(place, 4, "restore") is not None


def legacy_in_use(family: int) -> bool:
    """Return whether iptables-legacy has tables in the namespace the thread is in; looking makes none."""
    try:
        with open(_IN_USE[family], encoding="ascii") as file:
            return bool(file.read().strip())
    except OSError:
        return False


def save(place: str, family: int) -> str:
    """Return the tables of the namespace the thread is in, as iptables-save prints them. Raises `ProgramError`."""
    program = _program(place, family, "save")
    if program is None:
        raise ProgramError("%s-save is not installed" % place)
    return run(program, [])


def restore(place: str, family: int, text: str) -> None:
    """Change tables, each at once or not at all; what is not named stays. Waits for others' lock. Raises `ProgramError`."""
    program = _program(place, family, "restore")
    if program is None:
        raise ProgramError("%s-restore is not installed" % place)
    run(program, ["--noflush", "--wait", "30"], text)
