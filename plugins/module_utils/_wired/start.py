# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One container, when its engine starts it and when it has ended; and docker's, which has no hook for that and is followed: ``wired follow docker``."""

from __future__ import annotations

import os
import sys
import time
from typing import List, NoReturn, Sequence

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import namespaces
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs import engines
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs.run import ProgramError
from ansible_collections.linuxnet.containers.plugins.module_utils._wired import hooks, program

# Seconds that a hook waits for the lock: less than a run waits, at most, for an engine to answer, which does not before the hook has ended.
_PATIENCE = 40.0
_PAUSE = 1.0  # seconds, where docker is not there


def called(engine: str, name: str, pid: int, file: str) -> int:
    """Wire the container that an engine starts, or (``pid`` is 0) take down what has ended. Return the exit code: where it is not 0, no engine starts it."""
    namespaces.LOCK_SECONDS = _PATIENCE
    if engine == "systemd":  # what its unit runs is in the unit's namespaces
        pid = pid and namespaces.left_behind()
        for kind in ("net", "mnt"):
            namespaces.enter("/proc/1/ns/" + kind)
    if not pid:  # or was started again by now, as LXC does before it says that
        return program.answered(program.Command("down", [name], ended=True).run)
    if engine == "nspawn":  # it has started, and the unit's process is not the container's
        return program.answered(program.Command("up", [name]).run)
    return program.answered(program.Command("up", [name], pid=pid, file=file).run)


def follow(engine: str = "docker") -> NoReturn:
    """Wire each container of docker when it has started, and take down what has ended, as long as this runs. Those that run already come first."""
    while True:
        began = int(time.time())
        try:
            with engines.followed(engine, began) as events:
                _see_to(hooks.kept(engine))
                while True:
                    seen = dict.fromkeys(events.lines())
                    _see_to([name for name in hooks.kept(engine) if name in seen])
        except ProgramError as error:
            program.say(program.WARNING, "docker cannot be followed: %s" % error)
        time.sleep(_PAUSE)


def _see_to(names: Sequence[str]) -> None:
    """Bring containers to what is kept of them, in a process of its own: what it leaves of memory and of open files ends with it."""
    listed: List[str] = list(names)
    if not listed:
        return
    pid = os.fork()
    if pid == 0:
        status = program.FAILED
        try:
            status = program.answered(program.Command("up", listed).run)
        finally:
            sys.stdout.flush()
            os._exit(status)
    os.waitpid(pid, 0)
