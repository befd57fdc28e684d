# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""iptables, both kinds: reading tables as text, changing them with iptables-restore. The one file that runs iptables.

Where only one kind is installed its programs may have the plain names.
"""

from __future__ import annotations

import os
import re
from typing import Dict, List, Mapping, Optional

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs.run import ProgramError, run, which

_FAMILIES = {4: "iptables", 6: "ip6tables"}
_IN_USE = {4: "/proc/net/ip_tables_names", 6: "/proc/net/ip6_tables_names"}
_LEGACY = "legacy"
_A_MOMENT = 10  # seconds for what a program knows without the kernel


def families() -> List[int]:
    """Return the address families of this kernel."""
    return [4, 6] if os.path.exists("/proc/sys/net/ipv6") else [4]


def usual_kind() -> str:
    """Return the kind, ``nft`` or ``legacy``, that the plain program ``iptables`` is, ``""`` where there is none that runs."""
    program = which("iptables")
    if program is None:
        return ""
    for kind in ("nft", _LEGACY):
        if os.path.basename(os.path.realpath(program)) == "xtables-%s-multi" % kind:
            return kind
    try:
        said = run(program, ["--version"], seconds=_A_MOMENT)
    except ProgramError:  # whatever it is, rules cannot be written with it
        return ""
    if "nf_tables" in said:
        return "nft"
    return _LEGACY if re.match(r"iptables v\d", said) else ""


def _in_use(family: int) -> bool:
    """Return whether iptables-legacy has tables in the namespace that the thread is in; looking makes none."""
    try:
        with open(_IN_USE[family], encoding="ascii", errors="replace") as file:
            return bool(file.read().strip())
    except OSError:
        return False


class Iptables:
    """The programs of one kind, ``nft`` or ``legacy``, in the namespace that the thread is in. What is read and written is by program:
    ``iptables-KIND`` and ``ip6tables-KIND``."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._names = {family: "%s-%s" % (name, kind) for family, name in _FAMILIES.items()}

    @property
    def usual(self) -> bool:
        """Return whether the plain program ``iptables`` is of this kind."""
        return usual_kind() == self._kind

    def _program(self, family: int, what: str) -> Optional[str]:
        """Return the path of a program, such as that of ip6tables-legacy-save, None where it is not installed."""
        own = which("%s-%s" % (self._names[family], what))
        if own is None and self.usual:
            return which("%s-%s" % (_FAMILIES[family], what))
        return own

    def available(self) -> bool:
        """Return whether tables of this kind can be read and written here."""
        return self._program(4, "restore") is not None

    def version(self) -> str:
        """Return what iptables-restore says of its version. Raises `ProgramError`."""
        return run(self._program(4, "restore") or "", ["--version"])

    def read(self) -> Dict[str, str]:
        """Return the tables of each address family of the kernel, as iptables-save prints them. Raises `ProgramError`."""
        return {self._names[family]: self._saved(family) for family in families()}

    def _saved(self, family: int) -> str:
        if self._kind == _LEGACY and not _in_use(family):
            return ""
        program = self._program(family, "save")
        if program is None:
            raise ProgramError("%s-save is not installed" % self._names[4])
        printed = run(program, [])
        if self._kind == _LEGACY and not printed.strip():
            raise ProgramError("it printed nothing")
        return printed

    def write(self, texts: Mapping[str, str]) -> None:
        """Change tables, each at once or not at all; what is not named stays. Waits for others' lock. Raises `ProgramError`: by then those
        that came before the one that is refused are changed."""
        for family, name in self._names.items():
            if texts.get(name):
                program = self._program(family, "restore")
                if program is None:
                    raise ProgramError("%s-restore is not installed" % self._names[4])
                run(program, ["--noflush", "--wait", "30"], texts[name])
