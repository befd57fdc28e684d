# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of namespaces: their names in /run/netns, and sysctls inside them. Pure."""

from __future__ import annotations

from dataclasses import field
from typing import List, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.commands import Command, Output, Word, command
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import NETNS_DIRECTORY
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsFile, NsRef


@dataclass(frozen=True)
class AddNetns(Change):
    """Make a fresh namespace called ``name``, in which ``sysctls`` (key, value) are set before it gets the name: one that is there was made whole."""

    name: str
    sysctls: Tuple[Tuple[str, str], ...] = ()

    @property
    def ns(self) -> NsRef:
        return NsRef.parse(self.name)

    def places(self) -> Sequence[str]:
        return (NETNS_DIRECTORY, "/proc/sys") if self.sysctls else (NETNS_DIRECTORY,)

    def attempt(self) -> str:
        return "create %s" % self.ns

    def commands(self) -> List[Command]:
        return [
            command("ip", "netns", "add", self.name),
            *(line for step in self.settings() for line in step.commands()),
        ]

    def settings(self) -> List[SetSysctl]:
        """Return the sysctls as changes of their own."""
        return [SetSysctl(self.ns, key, value) for key, value in self.sysctls]

    def undo(self) -> Tuple[Change, ...]:
        return (DropNetns(self.name),)


@dataclass(frozen=True)
class BindNetns(Change):
    """Bind /run/netns/NAME to the namespace ``source``, whose inode is ``inode`` (negative: made earlier in this task).

    With ``link``, another file of that namespace, it becomes a symbolic link to that. ``asks``: the command that prints the process
    ID of the container whose namespace it is, where that does not run yet (check mode).
    """

    name: str
    source: NsRef
    inode: int
    old: Optional[NsFile] = None
    link: str = ""
    asks: Tuple[str, ...] = ()

    def places(self) -> Sequence[str]:
        return (NETNS_DIRECTORY,)

    def attempt(self) -> str:
        return "bind netns '%s' to %s" % (self.name, self.source)

    def commands(self) -> List[Command]:
        lines = DropNetns(self.name, link=self.old.target).commands() if self.old else []
        target = NsRef.parse(self.name).path
        if self.link:
            return [*lines, command("ln", "-s", self.link, target)]
        path = self.source.path or "/proc/self/ns/net"
        parts = path.split("/")
        if self.asks or (parts[1] == "proc" and parts[2] != "self" and parts[3:] == ["ns", "net"]):
            pid: Word = Output(self.asks) if self.asks else parts[2]
            return [*lines, command("ip", "netns", "attach", self.name, pid)]
        return [*lines, command("touch", target), command("mount", "--bind", path, target)]

    def undo(self) -> Tuple[Change, ...]:
        back = (DropNetns(self.name),)
        if self.old and self.old.inode:
            now = NsFile(self.name, "namespace", self.inode, self.link)
            return (BindNetns(self.name, NsRef.parse(self.name), self.old.inode, now, self.old.target),)
        return back


@dataclass(frozen=True)
class DropNetns(Change):
    """Take /run/netns/NAME away; the namespace dies with its last process. ``inode`` is 0 for a stale file, ``link`` the target
    of a symbolic link; ``empty``: it is a file on which nothing is mounted."""

    name: str
    inode: int = 0
    link: str = ""
    empty: bool = field(default=False, compare=False)

    def places(self) -> Sequence[str]:
        return (NETNS_DIRECTORY,)

    def attempt(self) -> str:
        return "remove netns '%s'" % self.name

    def commands(self) -> List[Command]:
        if self.link:  # "ip netns del" would unmount what it points at
            return [command("rm", NsRef.parse(self.name).path)]
        return [command("ip", "netns", "del", self.name)]

    def undo(self) -> Tuple[Change, ...]:
        return (BindNetns(self.name, NsRef.parse(self.name), self.inode, link=self.link),) if self.inode else ()
