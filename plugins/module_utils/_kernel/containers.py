# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The running kernel with the engines that run containers. All I/O, no policy."""

from __future__ import annotations

import contextlib
import errno
from dataclasses import replace
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import namespaces, writer
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs import engines
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs.run import ProgramError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.engines import ENGINES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Lacking, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Container

_TRIES = 3  # at a container that is being restarted meanwhile


_Started = Dict[int, Optional[str]]  # when processes were started
_Answer = Tuple[Dict[str, List[Container]], List[str], _Started]


class Kernel(writer.Kernel):
    """The running kernel, with the engines on it. See `_model/kernel_api.Source`."""

    def __init__(self) -> None:
        super().__init__()
        # By engine and names: what it said before the host was locked, and when the processes were started.
        self._answers: Dict[Tuple[str, Tuple[str, ...]], _Answer] = {}
        self._told: Set[str] = set()
        self._ran: Optional[Tuple[List[Container], _Started]] = None

    def tell(self, container: Container) -> None:
        """Take for given what an engine says itself of a container that it is starting: it is not asked."""
        held = self._with_namespace(container)
        answer: _Answer = {container.name: [held]}, [], {container.pid: namespaces.start_time(container.pid)}
        self._answers[container.engine, (container.name,)] = answer
        self._told.add(container.engine)

    def ask(self, engine: str, names: Sequence[str]) -> None:
        if engine in self._told:
            return
        question = engine, tuple(names)
        self._answers.pop(question, None)
        with contextlib.suppress(Refused, OSError):  # said when they are needed
            found, silent = self._asked(engine, names)
            running = [container for listed in found.values() for container in listed]
            self._answers[question] = found, silent, _started(running)

    def ask_running(self) -> None:
        self._ran = None
        running = self.running()
        self._ran = running, _started(running)

    def as_told(self, other: Any) -> None:
        self._ran = other._ran
        self._told |= other._told
        for question, (found, silent, started) in other._answers.items():
            held = {name: [self._with_namespace(one) for one in listed] for name, listed in found.items()}
            if _started([one for listed in held.values() for one in listed if one.inode]) == started:
                self._answers[question] = held, silent, started

    def answers_hold(self) -> bool:
        started = [one for answer in self._answers.values() for one in answer[2].items()]
        return all(time and namespaces.start_time(pid) == time for pid, time in started)

    def containers(self, engine: str, names: Sequence[str]) -> Tuple[Dict[str, List[Container]], List[str]]:
        known = self._answers.get((engine, tuple(names)))
        return (known[0], known[1]) if known else self._asked(engine, names)

    def _asked(self, engine: str, names: Sequence[str]) -> Tuple[Dict[str, List[Container]], List[str]]:
        if engine != "auto" and not engines.available(engine):
            program = ENGINES[engine].program
            raise Lacking(
                "The program %s is not installed on this host, so %s cannot be asked for its containers."
                % (program, engine),
                program,
            )
        found: Dict[str, List[Container]] = {name: [] for name in names}
        silent = []
        for name in [engine] if engine != "auto" else filter(engines.available, ENGINES):
            try:
                for wanted, container in self._held(name, names).items():
                    found[wanted].append(container)
            except ProgramError as error:
                silent.append("%s could not be asked: %s" % (name, error))
        return found, silent

    def _held(self, engine: str, names: Sequence[str]) -> Dict[str, Container]:
        """Return an engine's containers, the namespaces of those that run held open. Raises `ProgramError`.

        A process ID may be used again between the engine's answer and the opening, so the engine is asked before and after.
        """
        known = engines.find(engine, names)
        for dummy in range(_TRIES):
            held = {name: self._with_namespace(container) for name, container in known.items()}
            alive = [name for name, container in known.items() if container.pid]
            again = engines.find(engine, alive) if alive else {}
            if all(name in again and again[name].pid == known[name].pid and held[name].inode for name in alive):
                return held
            known = {name: container for name, container in known.items() if name in again or not container.pid}
            known.update(again)
        raise ProgramError("its containers are being restarted just now")

    def _with_namespace(self, container: Container) -> Container:
        """Return a container with its namespace held open, and with its engine's file only where that means the same namespace. Where it has no
        process, the file alone says which namespace."""
        inode = self._pin_process(container.pid)
        try:
            if not container.pid and container.file:
                return replace(container, inode=self._pin(container.file))
            same = bool(inode and container.file) and self._pin(container.file) == inode
        except (OSError, ValueError):  # ValueError: a NUL in it
            same = False
        return replace(container, inode=inode, file=container.file if same else "")

    def _pin_process(self, pid: int) -> int:
        """Hold the namespace of a process open. Return its inode, 0 where the process is gone or another has its ID. Raises `ProgramError`, and
        OSError where this process may open no more."""
        path = "/proc/%d/ns/net" % pid
        started = namespaces.start_time(pid)
        try:
            inode = self._pin(path) if started else 0
        except PermissionError as error:
            raise ProgramError("process %d: %s" % (pid, namespaces.UNSEEN)) from error
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
                raise
            return 0
        if not started or namespaces.start_time(pid) != started:
            return 0
        self._paths[path] = inode
        return inode

    def running(self) -> List[Container]:
        if self._ran is not None:
            listed, started = self._ran
            return [one for one in listed if not one.pid or namespaces.start_time(one.pid) == started[one.pid]]
        found: List[Container] = []
        for engine in filter(engines.available, ENGINES):
            with contextlib.suppress(ProgramError):
                found.extend(engines.running(engine))
        return found


def _started(running: Sequence[Container]) -> _Started:
    """Return when the processes of containers were started, by process ID."""
    return {container.pid: namespaces.start_time(container.pid) for container in running if container.pid}
