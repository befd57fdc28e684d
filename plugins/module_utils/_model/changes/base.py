# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a change is: a step that can be taken on a host, which knows the commands for it and its inverse. Pure.

A change names objects as people do, by namespace and interface name. The files beside this one have the changes, by subject.
"""

from __future__ import annotations

from typing import Any, List, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.commands import Command
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass


@dataclass(frozen=True)
class Change:
    """One step that the kernel layer can take. ``writes`` is False for a step that leaves no trace (an announcement)."""

    writes = True
    partial = False  # a failure may leave part of it done
    final = False  # nothing takes it back
    opens = False  # lets traffic in or through: taken after the edits of firewalls, which close first

    @property
    def edit(self) -> Any:
        """Return what is changed in a firewall (an edit of `_firewall/model`), None for other changes: the edits of a task are one
        transaction a backend."""
        return None

    def places(self) -> Sequence[str]:
        """Return the files and folders that it writes to, as far as these may be on a file system that is read-only."""
        return ()

    def attempt(self) -> str:
        """Return what is tried, in words that follow "Could not"."""
        raise NotImplementedError

    def commands(self) -> List[Command]:
        """Return the commands that a person would type for this step."""
        raise NotImplementedError

    def undo(self) -> Tuple[Change, ...]:
        """Return the steps that take this one back; none where that cannot be done."""
        return ()
