# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of files: sysctls, and files of this collection. Pure."""

from __future__ import annotations

from dataclasses import field
from typing import List, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.commands import Command, command
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef


@dataclass(frozen=True)
class SetSysctl(Change):
    """Write a sysctl. ``key`` in dots, with ``/`` for a dot inside an interface's name, as sysctl(8) has it. ``old`` is empty where
    it had no value."""

    ns: NsRef
    key: str
    value: str
    old: str = ""
    opens: bool = field(default=False, compare=False)

    def places(self) -> Sequence[str]:
        return ("/proc/sys",)

    def attempt(self) -> str:
        return "set sysctl %s to '%s' in %s" % (self.key, self.value, self.ns)

    def commands(self) -> List[Command]:
        return [command(self.ns.tool("sysctl"), "-w", "%s=%s" % (self.key, self.value))]

    def undo(self) -> Tuple[Change, ...]:
        return (SetSysctl(self.ns, self.key, self.old, self.value),) if self.old else ()


@dataclass(frozen=True)
class PutFile(Change):
    """Write a file of our own, whole; ``text`` empty removes it.

    Items share the file. Where it is not ``old`` by then, because another one failed, only the lines are written that this one is about.
    """

    path: str
    text: str
    old: str = ""

    def applied(self, current: str) -> str:
        """Return the text of the file after the change, where it is ``current`` before; ``""`` where nothing but comments is left."""
        if current == self.old:
            return self.text
        there, old, new = (text.splitlines(keepends=True) for text in (current, self.old, self.text))
        lines = [line for line in there if line in new or line not in old or line.startswith("#")]
        added = [line for line in new if line not in lines and (line not in old or line.startswith("#"))]
        lines += added if self.text else []
        return "".join(lines) if any(not line.startswith("#") for line in lines) else ""

    def places(self) -> Sequence[str]:
        return (self.path,)

    def attempt(self) -> str:
        return "%s %s" % ("write" if self.text else "remove", self.path)

    def commands(self) -> List[Command]:
        if not self.text:
            return [command("rm", self.path)]
        return [Command(("printf", "%s", self.text), to=self.path)]

    def undo(self) -> Tuple[Change, ...]:
        return (PutFile(self.path, self.old, self.text),)
