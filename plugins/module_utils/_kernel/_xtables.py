# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""iptables, both kinds: reading tables as text, changing them with iptables-restore. The one file that runs iptables.

A *place* is ``iptables-nft`` or ``iptables-legacy``. Where only one kind is installed its programs may have the plain names.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import List, Optional

_PATH = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
_TIMEOUT = 60  # seconds
_FAMILIES = {4: "iptables", 6: "ip6tables"}
_IN_USE = {4: "/proc/net/ip_tables_names", 6: "/proc/net/ip6_tables_names"}


class XtablesError(Exception):
    """What iptables said it refused."""


def families() -> List[int]:
    """Return the address families of this kernel."""
    return [4, 6] if os.path.exists("/proc/sys/net/ipv6") else [4]


def default() -> str:
    """Return the place that the plain program ``iptables`` means, ``""`` where there is none."""
    program = shutil.which("iptables", path=_PATH)
    if program is None:
        return ""
    return "iptables-nft" if "nf_tables" in _run([program, "--version"]) else "iptables-legacy"


def _program(place: str, family: int, what: str) -> Optional[str]:
    """Return the program of a place, such as ip6tables-legacy-save, None where it is not installed."""
    name = _FAMILIES[family]
    own = shutil.which("%s%s-%s" % (name, place[len("iptables") :], what), path=_PATH)
    if own is None and default() == place:
        return shutil.which("%s-%s" % (name, what), path=_PATH)
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


def _run(command: List[str], text: str = "") -> str:
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    except OSError as error:
        raise XtablesError(str(error)) from error
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip() and not line.startswith("#")]
        raise XtablesError(lines[0] if lines else "%s ended with %d" % (os.path.basename(command[0]), done.returncode))
    return done.stdout


def save(place: str, family: int) -> str:
    """Return the tables of the namespace the thread is in, as iptables-save prints them. Raises `XtablesError`."""
    program = _program(place, family, "save")
    if program is None:
        raise XtablesError("%s-save is not installed" % place)
    return _run([program])


def restore(place: str, family: int, text: str) -> None:
    """Change tables, each at once or not at all; what is not named stays. Waits for others' lock. Raises `XtablesError`."""
    program = _program(place, family, "restore")
    if program is None:
        raise XtablesError("%s-restore is not installed" % place)
    _run([program, "--noflush", "--wait", "30"], text)
