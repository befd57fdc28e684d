# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of what stays on a host that brings its wiring back by itself. Pure."""

from __future__ import annotations

import os.path
from typing import List, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.commands import Command, command
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.lasting import FOLDER, NOTHING, File, folders


@dataclass(frozen=True)
class PutKept(Change):
    """Write a file, whole and at once; ``file`` without a kind removes it."""

    path: str
    file: File
    old: File = NOTHING

    def places(self) -> Sequence[str]:
        return (self.path,)

    def attempt(self) -> str:
        return "%s %s" % ("write" if self.file.kind else "remove", self.path)

    def commands(self) -> List[Command]:
        folder = os.path.dirname(self.path)
        if not self.file.kind:
            emptied = [command("rmdir", "--ignore-fail-on-non-empty", one) for one in folders(self.path)]
            return [command("rm", self.path), *emptied]
        made = command("mkdir", "-p", *(["-m", "700"] if folder == FOLDER else []), folder)
        if self.file.kind == "program":
            text = "%s is the program that does this, with the files of Ansible that it needs (SHA-256 %s)."
            return [made, Command(remark=text % (self.path, self.file.text))]
        if self.file.kind == "link":
            return [made, command("ln", "-sfn", self.file.text, self.path)]
        return [
            made,
            command("install", "-m", "%o" % self.file.mode, "/dev/null", self.path),
            Command(("printf", "%s", self.file.text), to=self.path),
        ]

    def undo(self) -> Tuple[Change, ...]:
        """Return the step back; none from one program to another, of which nobody has the old one."""
        return () if self.old.kind in ("program", "other") else (PutKept(self.path, self.old, self.file),)


@dataclass(frozen=True)
class ReloadUnits(Change):
    """Have systemd read its units again."""

    def attempt(self) -> str:
        return "have systemd read its units again"

    def commands(self) -> List[Command]:
        return [command("systemctl", "daemon-reload")]

    def undo(self) -> Tuple[Change, ...]:
        return (self,)


@dataclass(frozen=True)
class RunUnit(Change):
    """Start a unit of ours, or (``verb``) restart or stop it. ``ran``: whether it ran before."""

    name: str
    verb: str = "start"
    ran: bool = False

    @property
    def runs(self) -> bool:
        return self.verb != "stop"

    def attempt(self) -> str:
        return "%s %s" % (self.verb, self.name)

    def commands(self) -> List[Command]:
        return [command("systemctl", self.verb, self.name)]

    def undo(self) -> Tuple[Change, ...]:
        return () if self.ran == self.runs else (RunUnit(self.name, "start" if self.ran else "stop", self.runs),)
