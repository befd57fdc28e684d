# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of files: sysctls, and files of this collection. Pure."""

from __future__ import annotations

from dataclasses import field
from typing import List, Tuple

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

    def attempt(self) -> str:
        return "set sysctl %s to '%s' in %s" % (self.key, self.value, self.ns)

    def commands(self) -> List[Command]:
        return [command(self.ns.tool("sysctl"), "-w", "%s=%s" % (self.key, self.value))]

    def undo(self) -> Tuple[Change, ...]:
        return (SetSysctl(self.ns, self.key, self.old, self.value),) if self.old else ()


@dataclass(frozen=True)
class PutFile(Change):
    """Write a file of our own, whole; ``text`` empty removes it."""

    path: str
    text: str
    old: str = ""

    def attempt(self) -> str:
        return "%s %s" % ("write" if self.text else "remove", self.path)

    def commands(self) -> List[Command]:
        if not self.text:
            return [command("rm", self.path)]
        return [Command(("printf", "%s", self.text), to=self.path)]

    def undo(self) -> Tuple[Change, ...]:
        return (PutFile(self.path, self.old, self.text),)
